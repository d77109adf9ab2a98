// `mofo bench packing`: what rows laid end to end gain over rows filled up to the longest of their micro-batch, on the lengths of real data.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/run_config.h"

namespace mofo {

/// The first `steps` updates of a run after one that is not timed, each done twice in turn: as the engine does it, and with every row filled up
/// with tokens that nothing is predicted of, as trainers without packing do. Same targets, so the ratio is that of trained tokens per second.
/// {"batch", "micro_batch", "steps", "threads", "device", "tokens": of the rows, "padded_tokens", "targets", "packed_ms", "padded_ms": medians of a
///  step, "packed_tokens_per_s", "padded_tokens_per_s": trained ones, "speedup"}.
Result<Json> benchPacking(const std::string& modelFolder, const std::string& device, const RunConfig& config, int steps,
                          const std::function<bool(std::string_view phase, double share)>& progress);

}  // namespace mofo
