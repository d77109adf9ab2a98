// The verdict: sentences written from the numbers. Nothing is called better or worse while its interval holds zero.
#pragma once

#include <string>
#include <vector>

#include "core/report/comparison.h"
#include "core/report/document.h"

namespace mofo::report {

/// Learning, forgetting, distance, trade-off, what the evidence does not show.
[[nodiscard]] std::vector<Paragraph> verdictOf(const Comparison& comparison);
/// "−0.019 (95 % interval −0.030 to −0.008, n = 26)", or the value and why there is no interval.
[[nodiscard]] std::string differenceText(const Difference& difference, const MeasuredSeries& series, bool withMethod = false);
/// What a reader must not conclude: single runs, few items, running or damaged runs, unplaced ones.
[[nodiscard]] std::vector<std::string> limitsOf(const Comparison& comparison);

}  // namespace mofo::report
