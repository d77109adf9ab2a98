// One training run from its config to its last checkpoint: the loop, its commands, its measurements.
#pragma once

#include <atomic>
#include <string>

#include "core/base/result.h"
#include "core/store/workspace.h"

namespace mofo {

/// How often SIGTERM or SIGINT came: 1 = stop after this step and save, 2 = the process ends at once (see app/engine).
extern std::atomic<int> g_stopSignals;

/// Trains run `runId` of the workspace to its end, a stop or a failure, and writes all of it to the store. The caller holds nothing; the run's
/// lock is taken here. Ok: the run is finished or stopped. An error: it is failed, and the reason is in the store already.
Result<void> trainRun(const Workspace& workspace, const std::string& runId);

}  // namespace mofo
