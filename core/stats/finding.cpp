#include "core/stats/finding.h"

#include <fmt/format.h>

#include <cmath>

#include "core/base/text.h"

namespace mofo {

namespace {
constexpr const char* minusSign = "\u2212";
}

Finding judge(const Interval& interval, Direction direction, double p) {
    if (!interval.known()) return Finding::NoInterval;
    if (interval.holds(0.0) || p >= 0.05) return Finding::NotShown;
    return (interval.low > 0) == (direction == Direction::HigherIsBetter) ? Finding::Better : Finding::Worse;
}

Finding judge(const PairedComparison& comparison, Direction direction) { return judge(comparison.interval, direction, comparison.p); }

std::string signedText(double value, int decimals) {
    std::string text = fmt::format("{:.{}f}", std::abs(value), decimals);
    if (text.find_first_of("123456789") == std::string::npos) return text;
    return (value < 0 ? minusSign : "+") + text;
}

std::string intervalText(const Interval& interval, int decimals, bool signs, double factor) {
    if (!interval.known()) return interval.n < 2 ? fmt::format("no 95 % interval: n = {}", interval.n) : "no 95 % interval: a value is not finite";
    const auto number = [&](double value) { return signs ? signedText(value * factor, decimals) : fmt::format("{:.{}f}", value * factor, decimals); };
    return fmt::format("95 % interval {} to {}, n = {} ({})", number(interval.low), number(interval.high), formatCount(interval.n), interval.method);
}

std::string pText(double p) {
    if (std::isnan(p)) return {};
    if (p < 0.001) return "p < 0.001";
    return fmt::format("p = {:.3f}", p);
}

}  // namespace mofo
