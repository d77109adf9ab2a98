// Where the time of a run's steps goes, operation by operation, as a trace for a viewer.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/run_config.h"

namespace mofo {

/// Does `steps` steps of the run on weights that nobody keeps, after one that is not recorded, and writes what LibTorch's profiler (Kineto) saw of
/// them to `file`: a Chrome trace (JSON), as chrome://tracing and ui.perfetto.dev read it, with one span for each part of a step (data, forward,
/// loss, backward, clip, optimizer, statistics) over those of the operations. Takes the run's memory.
/// -> {"file", "steps", "bytes", "step_ms": of the recorded ones, which recording slows down}.
Result<Json> profileSteps(const std::string& modelFolder, const std::string& device, const RunConfig& config, int steps,
                          const std::filesystem::path& file, const std::function<bool(std::string_view phase, double share)>& progress);

}  // namespace mofo
