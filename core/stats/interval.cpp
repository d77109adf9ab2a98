#include "core/stats/interval.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mofo {

namespace {
constexpr double z975 = 1.959963984540054;
}

Interval wilsonInterval(std::int64_t successes, std::int64_t n) {
    if (n < 1) return {.n = n};
    const double count = static_cast<double>(n);
    const double hits = static_cast<double>(std::clamp<std::int64_t>(successes, 0, n));
    const double share = hits / count;
    const double square = z975 * z975;
    const double scale = 1.0 / (1.0 + square / count);
    const double middle = (share + square / (2.0 * count)) * scale;
    const double half = z975 * std::sqrt(share * (1.0 - share) / count + square / (4.0 * count * count)) * scale;
    // Rounding must not push the ends beyond what the formula gives exactly.
    return {hits == 0 ? 0.0 : std::max(0.0, middle - half), hits == count ? 1.0 : std::min(1.0, middle + half), n, "Wilson"};
}

double studentT975(std::int64_t degreesOfFreedom) {
    static constexpr std::array<double, 30> table = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
                                                     2.2010,  2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
                                                     2.0796,  2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423};
    if (degreesOfFreedom < 1) return std::numeric_limits<double>::quiet_NaN();
    if (degreesOfFreedom <= 30) return table[static_cast<std::size_t>(degreesOfFreedom - 1)];
    // Fisher's expansion around the normal quantile (Abramowitz and Stegun 26.7.5).
    const double z = z975, d = static_cast<double>(degreesOfFreedom);
    const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
    return z + (z3 + z) / (4 * d) + (5 * z5 + 16 * z3 + 3 * z) / (96 * d * d) + (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * d * d * d);
}

}  // namespace mofo
