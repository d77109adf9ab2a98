#include "core/stats/spread.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace mofo {

double sortedQuantile(std::span<const double> ascending, double share) {
    if (ascending.empty()) return std::numeric_limits<double>::quiet_NaN();
    const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(ascending.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    if (below + 1 >= ascending.size()) return ascending.back();
    const double part = place - static_cast<double>(below);
    return ascending[below] + part * (ascending[below + 1] - ascending[below]);
}

double quantile(std::span<const double> values, double share) {
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    return sortedQuantile(sorted, share);
}

Spread spreadOf(std::span<const double> values) {
    Spread spread;
    spread.n = static_cast<std::int64_t>(values.size());
    spread.interval.n = spread.n;
    if (values.empty() || !std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); })) return spread;
    const double count = static_cast<double>(values.size());
    double sum = 0;
    for (const double value : values) sum += value;
    spread.mean = sum / count;
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    spread.minimum = *least;
    spread.maximum = *most;
    if (values.size() < 2) return spread;
    double squares = 0;
    for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
    spread.deviation = std::sqrt(squares / (count - 1));
    const double half = studentT975(spread.n - 1) * spread.deviation / std::sqrt(count);
    spread.interval = {spread.mean - half, spread.mean + half, spread.n, "Student's t"};
    return spread;
}

}  // namespace mofo
