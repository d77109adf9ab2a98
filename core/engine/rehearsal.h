// How long a step of a run takes, measured on its own model and rows before it starts.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/run_config.h"

namespace mofo {

/// Does the first steps of the run (three, fewer where they are long) on weights that nobody keeps. Takes the run's memory.
/// -> {"ms_per_token": of one input token, statistics left out, "step_ms", "steps", "input_tokens", "forecast_bytes", "measured_bytes": at most
/// resident with the longest micro-batch, or null}.
Result<Json> rehearse(const std::string& modelFolder, const std::string& device, const RunConfig& config,
                      const std::function<bool(std::string_view phase, double share)>& progress);

}  // namespace mofo
