// One training run from its config to its last checkpoint: the loop, its commands, its measurements.
#pragma once

#include <atomic>
#include <string>

#include "core/base/result.h"
#include "core/store/workspace.h"

namespace mofo {

/// How often SIGTERM or SIGINT came: 1 = stop after this step and save, 2 = the process ends at once (see app/engine).
extern std::atomic<int> g_stopSignals;

/// Which program trains, so that a run can be repeated.
struct ProgramBuild {
    std::string version;
    std::string commit;  ///< of the repository, "... with changes" where files differed from it; empty where it was not built in a clone
};

/// Trains run `runId` of the workspace to its end, a stop or a failure, and writes all of it to the store. The caller holds nothing; the run's
/// lock is taken here. Ok: the run is finished or stopped. An error: it is failed, and the reason is in the store already. `program` is stored as the
/// fact "build" of the run's newest start.
Result<void> trainRun(const Workspace& workspace, const std::string& runId, const ProgramBuild& program = {});

}  // namespace mofo
