// Two answers to the same questions: the exact McNemar test, the interval of the difference, and several tests at once.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/stats/bootstrap.h"

namespace mofo {

/// How two runs of the same items with right or wrong answers came out.
struct PairedCounts {
    std::int64_t both = 0, onlyA = 0, onlyB = 0, neither = 0;
    [[nodiscard]] std::int64_t items() const { return both + onlyA + onlyB + neither; }
};

/// An outcome above 0.5 is right. Spans of different length: the common beginning.
[[nodiscard]] PairedCounts countPairs(std::span<const float> a, std::span<const float> b);

/// Exact two-sided p of McNemar's test (1947): the sign test over the items that only one of the two got right. 1 where there are none.
/// 12 against 3 gives 0.035.
[[nodiscard]] double exactMcNemar(std::int64_t onlyA, std::int64_t onlyB);

/// Of the difference share(b) - share(a): R. G. Newcombe's square-and-add of Wilson's intervals for pairs (Statistics in Medicine 17, 1998, 2635,
/// method 10), which stays within -1..1 and does not collapse where no pair differs. None for fewer than two items.
[[nodiscard]] Interval newcombeInterval(const PairedCounts& counts);

/// What is known of b - a over the same items.
struct PairedComparison {
    double a = std::numeric_limits<double>::quiet_NaN();
    double b = std::numeric_limits<double>::quiet_NaN();
    double difference = std::numeric_limits<double>::quiet_NaN();
    Interval interval;
    double p = std::numeric_limits<double>::quiet_NaN();
    std::string_view test;  ///< "exact McNemar", "paired bootstrap"
    PairedCounts counts;    ///< of right and wrong answers; all 0 for amounts
};

enum class OutcomeKind {
    Share,  ///< right or wrong, 0 or 1: McNemar and Newcombe
    Amount  ///< nats, bits ...: paired bootstrap
};

/// InvalidInput where a and b have not as many items, or weights not as many as outcomes: they are not the same items then. Shares with weights are
/// compared as amounts.
Result<PairedComparison> comparePaired(const PairedItems& items, OutcomeKind kind, const BootstrapOptions& options = {});

/// Several tests at once: p values that keep the chance of any false finding below the level (S. Holm, 1979). In the order given; NaN stays NaN and
/// counts as no test.
[[nodiscard]] std::vector<double> holmAdjusted(std::span<const double> p);

}  // namespace mofo
