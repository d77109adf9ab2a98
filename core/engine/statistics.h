// What is logged about every tensor: selection, drift from the pretrained weights, the distribution of |m|, churn and coverage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/optimizer.h"
#include "core/model/model_source.h"
#include "core/store/run_metrics.h"

namespace mofo {

/// Drift of the whole model: sqrt(sum of squared per-tensor L2) over the pretrained norm.
struct DriftSummary {
    double l2 = 0, pretrainedL2 = 0;
    [[nodiscard]] double relative() const { return pretrainedL2 > 0 ? l2 / pretrainedL2 : 0; }
};

/// Reads the pretrained weights from their sealed file whenever it measures (through one buffer as large as the largest tensor), so that they
/// cost no memory between measurements. One thread.
class TensorStatistics {
public:
    /// `pretrained` must outlive it; its parameters are those of the optimizer, in the same order.
    TensorStatistics(const ModelSource& pretrained, const std::vector<ParameterInfo>& infos);

    struct Measurement {
        TensorRow row;
        std::vector<HistogramRow> histograms;
        DriftSummary drift;
        std::vector<double> pretrainedL2;
    };
    /// After update `step`, with what it did. Weights and moments on any device.
    Result<Measurement> measure(std::int64_t step, const ParameterArena& weights, Optimizer& optimizer, const StepOutcome& outcome);

private:
    void measureMasks(Optimizer& optimizer, const StepOutcome& outcome, TensorRow& row);

    const ModelSource& m_pretrained;
    std::vector<ParameterInfo> m_infos;
    std::vector<std::int64_t> m_sizes;
    std::vector<float> m_buffer;
    std::vector<std::byte> m_workspace;
    /// One bit per coordinate, per tensor in words of 64: the previous logged mask, and everything ever selected at a logged step.
    std::vector<std::vector<std::uint64_t>> m_previous, m_ever;
};

}  // namespace mofo
