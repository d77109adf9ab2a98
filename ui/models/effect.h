// What the steps before and after a live change looked like: numbers beside each other, no causes.
#pragma once

#include <cstdint>
#include <optional>

#include "ui/models/run_data.h"

namespace mofo {

struct EffectSide {
    std::int64_t from = 0, to = 0;    ///< steps, both inclusive
    std::int64_t steps = 0;           ///< stored ones with a finite loss
    std::optional<double> lossSlope;  ///< nats per token and 100 steps, least squares
    std::optional<double> meanLoss;
    std::optional<double> driftPerStep;  ///< relative L2 of the whole model, between the first and the last measurement of the stretch
    std::optional<double> churn;         ///< mean of its measurements
};

struct Effect {
    static constexpr std::int64_t window = 50;
    static constexpr std::int64_t least = 20;
    std::int64_t step = 0;  ///< of effect
    EffectSide before, after;
    /// Fewer than `least` steps have been done since.
    [[nodiscard]] bool isTooEarly() const { return after.steps < least; }
};

[[nodiscard]] Effect effectOf(const RunData& data, std::int64_t step);

}  // namespace mofo
