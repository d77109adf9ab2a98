// Work that belongs to no training step: score, generate, export. Queued, run by an engine, followed to its end.
#pragma once

#include <functional>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

/// Called about ten times a second with the phase and its share, 0..1; false cancels the job.
using JobProgress = std::function<bool(std::string_view phase, double progress)>;

/// Queues a job, starts the supervisor, and follows it to its end; returns result.json. Cancelled: Interrupted. A job whose engine refused its
/// input: InvalidInput; one that failed otherwise: Io, with the engine's sentence.
Result<Json> runJob(const Workspace& workspace, Registry& registry, std::string_view kind, const Json& parameters, std::string_view device,
                    std::string_view runId, const JobProgress& progress = {});

}  // namespace mofo
