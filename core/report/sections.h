// The sections of a report, in their order (ui.md, section 6).
#pragma once

#include <string>
#include <vector>

#include "core/report/comparison.h"
#include "core/report/document.h"
#include "core/report/report.h"

namespace mofo::report {

[[nodiscard]] Section verdictSection(const Comparison& comparison);
[[nodiscard]] Section tradeoffSection(const Comparison& comparison);
[[nodiscard]] Section equalLearningSection(const Comparison& comparison);  ///< no blocks where runs cannot be compared so
[[nodiscard]] Section runsSection(const Comparison& comparison);
[[nodiscard]] Section learningSection(const Comparison& comparison);
[[nodiscard]] Section forgettingSection(const Comparison& comparison);
[[nodiscard]] Section selectionSection(const Comparison& comparison);
[[nodiscard]] Section driftSection(const Comparison& comparison);
[[nodiscard]] Section landscapeSection(const std::vector<Landscape>& landscapes);  ///< no blocks where there is none
[[nodiscard]] Section changesSection(const Comparison& comparison);
[[nodiscard]] Section answersSection(const Comparison& comparison);
[[nodiscard]] Section configSection(const Comparison& comparison);
[[nodiscard]] Section recipeSection(const Comparison& comparison);
[[nodiscard]] Section limitsSection(const Comparison& comparison);
/// The results for programs.
[[nodiscard]] Json resultsOf(const Comparison& comparison);

/// Legend of the runs: colour, dash and letter.
[[nodiscard]] std::vector<LegendEntry> legendOf(const Comparison& comparison);
/// Dash pattern of run `index`: colours repeat after seven runs, dashes tell them apart.
[[nodiscard]] int dashOf(std::size_t index);

}  // namespace mofo::report
