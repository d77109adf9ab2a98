// Views as data: which points are not dominated, and where two runs moved differently.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/report/run_record.h"

namespace mofo::report {

/// Something that was tried: a checkpoint, a run, an alpha, a weight of a merge.
struct Tradeoff {
    double learning = kNothing;    ///< more is better
    double forgetting = kNothing;  ///< less is better
};

/// For each point whether no other learns at least as much and forgets at most as much, and one of the two strictly. Equal points stand or fall
/// together; a point with a NaN is never in the set. O(n log n).
[[nodiscard]] std::vector<bool> paretoSet(std::span<const Tradeoff> points);

/// log2 of b's drift over a's, and b's moved share minus a's, per row of the maps at the steps that both measured. Rows are matched by name.
struct LayerDifference {
    std::vector<std::string> rows;
    std::vector<std::int64_t> steps;
    std::vector<std::vector<double>> driftLog2;      ///< [row][column]; NaN where one is not known or zero
    std::vector<std::vector<double>> selectedMinus;  ///< [row][column]
};
[[nodiscard]] LayerDifference layerDifference(const LayerHistory& a, const LayerHistory& b);

}  // namespace mofo::report
