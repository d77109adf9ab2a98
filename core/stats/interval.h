// 95 % intervals and what every interval says of itself.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace mofo {

/// A 95 % interval of a number that was measured on n items (or runs).
struct Interval {
    double low = std::numeric_limits<double>::quiet_NaN();
    double high = std::numeric_limits<double>::quiet_NaN();
    std::int64_t n = 0;
    std::string_view method;  ///< "Wilson", "paired bootstrap" ...: a name of a method below, of static storage; empty where there is no interval

    /// False where there is none: fewer than two items, or a value that is not finite.
    [[nodiscard]] bool known() const { return low <= high; }
    [[nodiscard]] bool holds(double value) const { return low <= value && value <= high; }
};

/// Of a share, by E. B. Wilson's score (JASA 22, 1927), without continuity correction. n = 0 has none; successes outside 0..n are cut to it.
[[nodiscard]] Interval wilsonInterval(std::int64_t successes, std::int64_t n);

/// 97.5 % quantile of Student's t. Exact to 3 decimals for 1 to 30 degrees of freedom, to 4 above; NaN below 1.
[[nodiscard]] double studentT975(std::int64_t degreesOfFreedom);

}  // namespace mofo
