// What may be said of a difference. Nothing is called better or worse while its interval holds zero.
#pragma once

#include <string>

#include "core/stats/paired.h"

namespace mofo {

enum class Direction { HigherIsBetter, LowerIsBetter };

enum class Finding {
    Better,      ///< the whole interval lies on the better side of zero (and the test, if there is one, agrees: p < 0.05)
    Worse,       ///< on the worse side
    NotShown,    ///< the interval holds zero, or the exact test does not agree with it
    NoInterval,  ///< fewer than two items, or not finite
};

/// Of b against a; `p` NaN: no test.
[[nodiscard]] Finding judge(const Interval& interval, Direction direction, double p = std::numeric_limits<double>::quiet_NaN());
[[nodiscard]] Finding judge(const PairedComparison& comparison, Direction direction);

/// A difference as it is shown: "+0.012", "−0.034" with a true minus sign, "0.00" without one. `value` finite.
[[nodiscard]] std::string signedText(double value, int decimals);
/// "95 % interval −0.012 to +0.034, n = 200 (paired bootstrap)", or "no 95 % interval: n = 1". `signs`: + before positive ends; `factor` 100 shows
/// shares in points.
[[nodiscard]] std::string intervalText(const Interval& interval, int decimals, bool signs, double factor = 1.0);
/// "p = 0.035", "p < 0.001", or empty for NaN.
[[nodiscard]] std::string pText(double p);

}  // namespace mofo
