// Our optimizer step over a benchmark's workload, on the CPU or a GPU, in three parts of which only the second is timed.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/config/granularity.h"
#include "core/engine/bench_workload.h"
#include "core/engine/cuda_plugin.h"
#include "core/model/model_description.h"
#include "kernels/include/optimizer_step.h"

namespace mofo {

struct BenchStepSettings {
    Granularity granularity;
    double alpha = 0.15;
    kernels::Rule rule = kernels::Rule::Momentum;
    kernels::Format format = kernels::Format::Fp32;
    kernels::Hyperparameters values;
    const CudaPlugin* cuda = nullptr;  ///< the CUDA twin; null: the CPU's
};

/// One granularity, alpha and rule. One thread. May throw what LibTorch throws (out of memory).
class BenchStep {
public:
    /// `work` must outlive it; its arrays are where the kernels run.
    static Result<std::unique_ptr<BenchStep>> make(BenchWorkload& work, const ModelDescription& model, const BenchStepSettings& settings);
    BenchStep(BenchWorkload& work, const BenchStepSettings& settings) : m_work(work), m_settings(settings) {}
    virtual ~BenchStep() = default;

    /// Gets ready for update number `step` (from 1).
    Result<void> prepare(std::int64_t step);
    /// Does it, or enqueues it on LibTorch's current stream. `measured`: with the sums of squares and the histograms that a logged step wants.
    virtual Result<void> run(bool measured) = 0;
    /// Brings the results to the host; a step that found a NaN is an error.
    Result<void> finish(bool measured);

    [[nodiscard]] const kernels::StepPlan& plan() const { return m_plan; }
    [[nodiscard]] const std::vector<std::int64_t>& k() const { return m_k; }
    [[nodiscard]] std::int64_t largestPartition() const;
    /// Of the filtered coordinates, the share that the last step selected.
    [[nodiscard]] double selectedShare() const;
    [[nodiscard]] std::int64_t steps() const { return m_steps; }
    [[nodiscard]] std::int64_t repaired() const { return m_repaired; }  ///< over all steps
    [[nodiscard]] std::int64_t scratchBytes() const { return m_scratchBytes; }

protected:
    virtual Result<void> setUp() = 0;
    virtual Result<void> uploadScalars() = 0;
    virtual Result<void> fetchResults(bool measured) = 0;

    BenchWorkload& m_work;
    BenchStepSettings m_settings;
    kernels::StepPlan m_plan;
    std::vector<std::int64_t> m_k;
    kernels::StepScalars m_scalars;
    kernels::StepStatus m_status;
    std::vector<kernels::PartitionResult> m_partitions;
    std::vector<kernels::TensorResult> m_tensors;
    std::vector<kernels::LogHistogram> m_histograms;
    std::int64_t m_scratchBytes = 0;

private:
    std::int64_t m_steps = 0, m_repaired = 0;
};

}  // namespace mofo
