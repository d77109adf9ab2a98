// What another alpha or granularity would select, estimated from stored histograms of |m|: no engine is asked.
#pragma once

#include <string>
#include <vector>

#include "core/config/granularity.h"
#include "core/store/run_metrics.h"

namespace mofo {

struct WhatIf {
    double threshold = 0;            ///< of |m|: the median over the filtered tensors
    double kept = 0;                 ///< share of the sum of |m| over the filtered coordinates that is selected, 0..1
    double moved = 0;                ///< share of the filtered coordinates that would move (selected, and m not zero)
    std::int64_t tensors = 0;        ///< filtered ones
    std::int64_t stillTensors = 0;   ///< of them, those that would not move at all
    std::vector<double> movedShare;  ///< per parameter, NaN where it is not filtered or has no histogram
    std::vector<double> thresholds;  ///< per parameter, likewise
};

/// `granularity` finer than a tensor is taken as tensor: the histograms know no partitions within one. Parameters without a histogram are left out.
/// Within a bin coordinates are taken as spread evenly. Some ms for 300 tensors.
[[nodiscard]] WhatIf estimateSelection(const std::vector<ParameterRow>& parameters, const std::vector<HistogramRow>& histograms, double alpha,
                                       const Granularity& granularity);

/// The least |m| that a bin of this histogram holds.
[[nodiscard]] double binFloor(const HistogramRow& histogram, std::int64_t bin);

}  // namespace mofo
