#include "core/stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/stats/random_stream.h"
#include "core/stats/spread.h"

namespace mofo {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

bool weighs(std::span<const float> weights, std::size_t items) {
    return weights.empty() || (weights.size() == items && std::all_of(weights.begin(), weights.end(), [](float w) { return w >= 0; }));
}

double sumOf(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value);
    return sum;
}

double weightOf(std::span<const float> weights, std::size_t items) { return weights.empty() ? static_cast<double>(items) : sumOf(weights); }

/// Calls add(index) for n items drawn with replacement.
template <class Add>
void drawItems(RandomStream& random, std::uint32_t n, Add add) {
    std::uint32_t drawn = 0;
    for (; drawn + 1 < n; drawn += 2) {
        const std::uint64_t bits = random.next();
        add(scaleToRange(static_cast<std::uint32_t>(bits >> 32), n));
        add(scaleToRange(static_cast<std::uint32_t>(bits), n));
    }
    if (drawn < n) add(scaleToRange(static_cast<std::uint32_t>(random.next() >> 32), n));
}

struct Amounts {
    double outcome = 0, weight = 1;
};

/// The resampled ratios sum(outcome) / sum(weight); resamples without any weight are left out.
std::vector<double> resampledRatios(const std::vector<Amounts>& items, bool weighted, const BootstrapOptions& options) {
    std::vector<double> ratios;
    ratios.reserve(static_cast<std::size_t>(options.resamples));
    RandomStream random(options.seed);
    const auto n = static_cast<std::uint32_t>(items.size());
    for (std::int64_t resample = 0; resample < options.resamples; ++resample) {
        double outcome = 0, weight = 0;
        if (weighted) {
            drawItems(random, n, [&](std::uint32_t at) {
                outcome += items[at].outcome;
                weight += items[at].weight;
            });
        } else {
            drawItems(random, n, [&](std::uint32_t at) { outcome += items[at].outcome; });
            weight = static_cast<double>(n);
        }
        if (weight > 0) ratios.push_back(outcome / weight);
    }
    return ratios;
}

Interval percentiles(std::vector<double>& values, std::size_t items, std::string_view method) {
    if (values.empty()) return {.n = static_cast<std::int64_t>(items)};
    std::sort(values.begin(), values.end());
    return {sortedQuantile(values, 0.025), sortedQuantile(values, 0.975), static_cast<std::int64_t>(items), method};
}

double twoSidedShare(const std::vector<double>& sorted) {
    if (sorted.empty()) return nan;
    const auto atOrBelow = std::upper_bound(sorted.begin(), sorted.end(), 0.0) - sorted.begin();
    const auto atOrAbove = sorted.end() - std::lower_bound(sorted.begin(), sorted.end(), 0.0);
    return std::min(1.0, 2.0 * static_cast<double>(std::min(atOrBelow, atOrAbove) + 1) / static_cast<double>(sorted.size() + 1));
}

}  // namespace

MeanEstimate bootstrapMean(std::span<const float> outcomes, std::span<const float> weights, const BootstrapOptions& options) {
    MeanEstimate estimate;
    estimate.interval.n = static_cast<std::int64_t>(outcomes.size());
    if (outcomes.empty() || !weighs(weights, outcomes.size())) return estimate;
    const double weight = weightOf(weights, outcomes.size());
    if (!(weight > 0)) return estimate;
    estimate.mean = sumOf(outcomes) / weight;
    if (outcomes.size() < 2 || !std::isfinite(estimate.mean)) return estimate;
    std::vector<Amounts> items(outcomes.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        items[i] = {static_cast<double>(outcomes[i]), weights.empty() ? 1.0 : static_cast<double>(weights[i])};
    }
    std::vector<double> means = resampledRatios(items, !weights.empty(), options);
    estimate.interval = percentiles(means, items.size(), "bootstrap");
    return estimate;
}

DifferenceEstimate bootstrapDifference(const PairedItems& items, const BootstrapOptions& options) {
    DifferenceEstimate estimate;
    const std::size_t count = items.a.size();
    estimate.interval.n = static_cast<std::int64_t>(count);
    if (count == 0 || items.b.size() != count || !weighs(items.weightA, count) || !weighs(items.weightB, count)) return estimate;
    const double weightA = weightOf(items.weightA, count), weightB = weightOf(items.weightB, count);
    if (!(weightA > 0) || !(weightB > 0)) return estimate;
    estimate.a = sumOf(items.a) / weightA;
    estimate.b = sumOf(items.b) / weightB;
    estimate.difference = estimate.b - estimate.a;
    if (count < 2 || !std::isfinite(estimate.difference)) return estimate;

    std::vector<double> differences;
    if (std::equal(items.weightA.begin(), items.weightA.end(), items.weightB.begin(), items.weightB.end())) {
        // One weight per item: the difference of the means is the mean of the differences, with half of the sums.
        std::vector<Amounts> pairs(count);
        for (std::size_t i = 0; i < count; ++i) {
            pairs[i] = {static_cast<double>(items.b[i]) - static_cast<double>(items.a[i]),
                        items.weightA.empty() ? 1.0 : static_cast<double>(items.weightA[i])};
        }
        differences = resampledRatios(pairs, !items.weightA.empty(), options);
    } else {
        struct Pair {
            double a, b, weightA, weightB;
        };
        std::vector<Pair> pairs(count);
        for (std::size_t i = 0; i < count; ++i) {
            pairs[i] = {static_cast<double>(items.a[i]), static_cast<double>(items.b[i]),
                        items.weightA.empty() ? 1.0 : static_cast<double>(items.weightA[i]),
                        items.weightB.empty() ? 1.0 : static_cast<double>(items.weightB[i])};
        }
        differences.reserve(static_cast<std::size_t>(options.resamples));
        RandomStream random(options.seed);
        for (std::int64_t resample = 0; resample < options.resamples; ++resample) {
            Pair sum{};
            drawItems(random, static_cast<std::uint32_t>(count), [&](std::uint32_t at) {
                sum.a += pairs[at].a;
                sum.b += pairs[at].b;
                sum.weightA += pairs[at].weightA;
                sum.weightB += pairs[at].weightB;
            });
            if (sum.weightA > 0 && sum.weightB > 0) differences.push_back(sum.b / sum.weightB - sum.a / sum.weightA);
        }
    }
    estimate.interval = percentiles(differences, count, "paired bootstrap");
    estimate.p = twoSidedShare(differences);
    return estimate;
}

}  // namespace mofo
