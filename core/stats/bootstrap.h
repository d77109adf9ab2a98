// Resampling: intervals of means and of paired differences of means, where items may weigh differently (tokens, bytes).
#pragma once

#include <cstdint>
#include <span>

#include "core/stats/interval.h"

namespace mofo {

struct BootstrapOptions {
    std::int64_t resamples = 10'000;
    std::uint64_t seed = 2407'20999;  ///< the same seed and items give the same bits on every machine
};

/// A mean sum(outcome) / sum(weight) with its interval.
struct MeanEstimate {
    double mean = std::numeric_limits<double>::quiet_NaN();
    Interval interval;
};

/// The same items measured twice: a and b at the same position belong to the same item.
struct PairedItems {
    std::span<const float> a, b;              ///< outcomes: 0 or 1 for accuracies; sums over the item for losses
    std::span<const float> weightA, weightB;  ///< tokens or bytes of each item; empty: each weighs 1
};

/// The difference b - a of two means over the same items.
struct DifferenceEstimate {
    double a = std::numeric_limits<double>::quiet_NaN();
    double b = std::numeric_limits<double>::quiet_NaN();
    double difference = std::numeric_limits<double>::quiet_NaN();
    Interval interval;
    /// Two-sided: twice the smaller share of resamples at or beyond zero, never below 2 / (resamples + 1). NaN where there is no interval.
    double p = std::numeric_limits<double>::quiet_NaN();
};

/// Percentile bootstrap over items (Efron 1979): 2.5 % and 97.5 % quantile of the resampled means. `weights` empty: each item weighs 1, else as many
/// as outcomes (otherwise: no interval). No interval for fewer than two items, for outcomes that are not finite, for a weight below 0 and for weights
/// that sum to 0. Items up to 2^31. Thread: any.
[[nodiscard]] MeanEstimate bootstrapMean(std::span<const float> outcomes, std::span<const float> weights, const BootstrapOptions& options = {});

/// Percentile bootstrap that draws items, and with each both of its outcomes and weights. Spans of different length: no numbers.
/// The rest as bootstrapMean. 10,000 resamples of 2,000 items take some 40 ms.
[[nodiscard]] DifferenceEstimate bootstrapDifference(const PairedItems& items, const BootstrapOptions& options = {});

}  // namespace mofo
