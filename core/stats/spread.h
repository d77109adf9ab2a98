// Order statistics, and how repeats of a run (other seeds) spread.
#pragma once

#include <cstdint>
#include <span>

#include "core/stats/interval.h"

namespace mofo {

/// Quantile `share` (0..1) of ascending values, interpolated between neighbours as NumPy's default does (Hyndman and Fan's type 7). NaN for none.
[[nodiscard]] double sortedQuantile(std::span<const double> ascending, double share);
/// The same of values in any order.
[[nodiscard]] double quantile(std::span<const double> values, double share);

struct Spread {
    std::int64_t n = 0;
    double mean = std::numeric_limits<double>::quiet_NaN();
    double deviation = std::numeric_limits<double>::quiet_NaN();  ///< standard deviation of the sample (n - 1); NaN below 2
    double minimum = std::numeric_limits<double>::quiet_NaN();
    double maximum = std::numeric_limits<double>::quiet_NaN();
    Interval interval;  ///< of the mean, by Student's t; none below 2
};

/// Of values that are all finite; others make every number NaN.
[[nodiscard]] Spread spreadOf(std::span<const double> values);

}  // namespace mofo
