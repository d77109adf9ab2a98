// The learning rate as a pure function of step and config, as transformers.get_scheduler defines it.
#pragma once

#include <cstdint>

#include "core/config/run_config.h"

namespace mofo {

/// Steps of warm-up: `warmup` itself from 1 on, else that share of all steps, rounded up (Transformers' get_warmup_steps).
[[nodiscard]] std::int64_t warmupSteps(const RunConfig& config, std::int64_t totalSteps);
/// Learning rate of update `step` (1-based): the scheduler's factor after step - 1 calls, times config.lr.
[[nodiscard]] double learningRate(const RunConfig& config, std::int64_t step, std::int64_t totalSteps);

}  // namespace mofo
