#include "core/stats/paired.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mofo {

PairedCounts countPairs(std::span<const float> a, std::span<const float> b) {
    PairedCounts counts;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        const bool rightA = a[i] > 0.5f, rightB = b[i] > 0.5f;
        ++(rightA ? (rightB ? counts.both : counts.onlyA) : (rightB ? counts.onlyB : counts.neither));
    }
    return counts;
}

double exactMcNemar(std::int64_t onlyA, std::int64_t onlyB) {
    const std::int64_t n = onlyA + onlyB, least = std::min(onlyA, onlyB);
    if (n == 0) return 1.0;
    // 2 sum_{k <= least} C(n, k) / 2^n, from the largest term down, in logarithms so that thousands of items do not underflow.
    double logTerm = -static_cast<double>(n) * std::log(2.0);
    for (std::int64_t i = 1; i <= least; ++i) logTerm += std::log(static_cast<double>(n - least + i) / static_cast<double>(i));
    double sum = 0, term = 1;
    for (std::int64_t k = least; k >= 0 && term > 0; --k) {
        sum += term;
        term *= static_cast<double>(k) / static_cast<double>(n - k + 1);
    }
    return std::min(1.0, 2.0 * std::exp(logTerm + std::log(sum)));
}

Interval newcombeInterval(const PairedCounts& counts) {
    const std::int64_t n = counts.items();
    if (n < 2) return {.n = n};
    const double e = static_cast<double>(counts.both), f = static_cast<double>(counts.onlyA), g = static_cast<double>(counts.onlyB),
                 h = static_cast<double>(counts.neither), count = static_cast<double>(n);
    const Interval a = wilsonInterval(counts.both + counts.onlyA, n), b = wilsonInterval(counts.both + counts.onlyB, n);
    const double shareA = (e + f) / count, shareB = (e + g) / count;
    // phi of the fourfold table, its positive values brought nearer to zero as Newcombe does.
    const double margins = (e + f) * (g + h) * (e + g) * (f + h);
    double product = e * h - f * g;
    if (product > 0) product = std::max(product - count / 2, 0.0);
    const double phi = margins > 0 ? product / std::sqrt(margins) : 0.0;
    const auto addSquares = [&](double x, double y) { return std::sqrt(std::max(0.0, x * x - 2 * phi * x * y + y * y)); };
    const double difference = shareB - shareA;
    return {std::max(-1.0, difference - addSquares(shareB - b.low, a.high - shareA)),
            std::min(1.0, difference + addSquares(b.high - shareB, shareA - a.low)), n, "Newcombe, paired"};
}

Result<PairedComparison> comparePaired(const PairedItems& items, OutcomeKind kind, const BootstrapOptions& options) {
    const auto fits = [&](std::span<const float> weights) { return weights.empty() || weights.size() == items.a.size(); };
    if (items.a.size() != items.b.size() || !fits(items.weightA) || !fits(items.weightB)) {
        return Error{ErrorCode::InvalidInput,
                     "The two measurements have " + std::to_string(items.a.size()) + " and " + std::to_string(items.b.size()) +
                         " items or other weights, so they are not of the same items",
                     "", "Measure both with the same task and limit"};
    }
    PairedComparison comparison;
    comparison.interval.n = static_cast<std::int64_t>(items.a.size());
    if (kind == OutcomeKind::Share && items.weightA.empty() && items.weightB.empty()) {
        const PairedCounts counts = countPairs(items.a, items.b);
        comparison.counts = counts;
        comparison.test = "exact McNemar";
        if (counts.items() == 0) return comparison;
        const double count = static_cast<double>(counts.items());
        comparison.a = static_cast<double>(counts.both + counts.onlyA) / count;
        comparison.b = static_cast<double>(counts.both + counts.onlyB) / count;
        comparison.difference = static_cast<double>(counts.onlyB - counts.onlyA) / count;
        comparison.interval = newcombeInterval(counts);
        if (comparison.interval.known()) comparison.p = exactMcNemar(counts.onlyA, counts.onlyB);
        return comparison;
    }
    const DifferenceEstimate estimate = bootstrapDifference(items, options);
    comparison.a = estimate.a;
    comparison.b = estimate.b;
    comparison.difference = estimate.difference;
    comparison.interval = estimate.interval;
    comparison.p = estimate.p;
    comparison.test = "paired bootstrap";
    return comparison;
}

std::vector<double> holmAdjusted(std::span<const double> p) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < p.size(); ++i) {
        if (!std::isnan(p[i])) order.push_back(i);
    }
    std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return p[x] != p[y] ? p[x] < p[y] : x < y; });
    std::vector<double> adjusted(p.begin(), p.end());
    double largest = 0;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        largest = std::max(largest, p[order[rank]] * static_cast<double>(order.size() - rank));
        adjusted[order[rank]] = std::min(1.0, largest);
    }
    return adjusted;
}

}  // namespace mofo
