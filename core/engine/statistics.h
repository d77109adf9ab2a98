// What is logged about every tensor: what the step moved, drift from the pretrained weights, the distribution of |m|, churn and coverage.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/engine/checkpoint.h"
#include "core/engine/optimizer.h"
#include "core/model/model_source.h"
#include "core/store/run_metrics.h"
#include "kernels/include/statistics.h"

namespace mofo {

/// Drift of the whole model: sqrt(sum of squared per-tensor L2) over the pretrained norm.
struct DriftSummary {
    double l2 = 0, pretrainedL2 = 0;
    [[nodiscard]] double relative() const { return pretrainedL2 > 0 ? l2 / pretrainedL2 : 0; }
};

/// Distance of `weights` from the pretrained ones, per parameter. Reads the latter from their file a piece at a time, one piece a thread, so that
/// they cost no memory; the result does not depend on the number of threads. Weights on any device.
Result<std::vector<kernels::Drift>> measureDrift(const ModelSource& pretrained, const ParameterArena& weights);

/// One bit per coordinate of every parameter, each beginning at a word of its own.
class CoordinateBits {
public:
    [[nodiscard]] std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(m_words)); }
    CoordinateBits() = default;
    explicit CoordinateBits(const std::vector<ParameterInfo>& infos);
    [[nodiscard]] bool empty() const { return m_words.empty(); }
    [[nodiscard]] std::span<std::uint64_t> of(std::size_t parameter);
    [[nodiscard]] std::span<const std::uint64_t> of(std::size_t parameter) const;
    /// How many of the coordinates [begin, end) are set.
    [[nodiscard]] std::int64_t count(std::size_t parameter, std::int64_t begin, std::int64_t end) const;

private:
    std::vector<std::size_t> m_first;  ///< word of each parameter, and one past the last
    std::vector<std::uint64_t> m_words;
};

/// Turns what a step measured of itself into rows of the store, and measures the rest. One thread calls.
class TensorStatistics {
public:
    /// `pretrained` must outlive it; its parameters are those of the optimizer, in the same order. `coverage`: whether to keep a bit for every
    /// coordinate that was ever selected at a logged step.
    TensorStatistics(const ModelSource& pretrained, bool coverage);

    struct Measurement {
        MetricsBatch rows;  ///< tensors, histograms, partitions, thresholdSpreads, rowCounts
        DriftSummary drift;
        std::vector<double> pretrainedL2;
        /// Over the filtered partitions, the sum of the k largest |g| of each, before clipping; NaN where nothing is selected
        /// (AdamW). Tensors that are not filtered are in no partition and do not count.
        double topGradientNorm = std::numeric_limits<double>::quiet_NaN();
    };
    /// After update `step` of `optimizer` with what it did, measured with StepMeasure's updates and histograms. Of `config` only
    /// row_counts is read.
    Result<Measurement> measure(std::int64_t step, const RunConfig& config, const ParameterArena& weights, const Optimizer& optimizer,
                                const StepOutcome& outcome);

    /// What a resumed run needs to go on measuring churn and coverage as if it had never ended: names of checkpoint bytes, writing, reading. Bytes of
    /// another length than this model's are taken as none.
    static constexpr const char* previousName = "selection.previous";
    static constexpr const char* everName = "selection.ever";
    void addStateTo(std::vector<StateBytes>& bytes);
    void restoreState(std::span<const std::byte> previous, std::span<const std::byte> ever);

private:
    void addThresholds(const Optimizer& optimizer, const StepOutcome& outcome, TensorRow& row, MetricsBatch& rows) const;
    Result<void> addMasks(const Optimizer& optimizer, const RunConfig& config, TensorRow& row, MetricsBatch& rows);

    const ModelSource& m_pretrained;
    const std::vector<ParameterInfo>& m_infos;
    /// The mask of this logged step, of the one before, and everything ever selected at one.
    CoordinateBits m_now, m_previous, m_ever;
    bool m_hasPrevious = false;
};

}  // namespace mofo
