// MoFO and AdamW over a ParameterArena: partitions, alpha and moments; the arithmetic is the kernels'.
#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/engine/parameter_set.h"
#include "core/model/partition.h"
#include "kernels/include/optimizer_step.h"

namespace mofo {

/// What a step measures beside its counts and thresholds.
struct StepMeasure {
    bool updates = false;     ///< the squaredUpdate of tensors and partitions
    bool histograms = false;  ///< of |m|
};

/// What the last step did, per tensor in parameter order and per partition in partition order.
struct StepOutcome {
    std::vector<kernels::TensorResult> tensors;
    std::vector<kernels::PartitionResult> partitions;  ///< empty where every coordinate moves (AdamW)
    std::vector<kernels::LogHistogram> histograms;     ///< per tensor, where asked for; else empty
    bool nanFound = false;                             ///< nothing was moved
    [[nodiscard]] std::int64_t selectedCount() const;
};

/// Settings that may change between two steps.
struct OptimizerSettings {
    OptimizerKind kind = OptimizerKind::Mofo;
    Alpha alpha;
    Granularity granularity;
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0;
    bool decaySelectedOnly = false;
    [[nodiscard]] static OptimizerSettings from(const RunConfig& config);
};

/// Who computes a step: our kernels, or a composition of LibTorch's operations, for devices that have no kernel of ours yet.
enum class StepBy { Kernels, LibTorch };

/// Owns m and v (fp32, dense; they do not depend on the partition). Weights and gradients are the caller's and must outlive it. One thread.
class Optimizer {
public:
    Optimizer(const ModelDescription& model, const std::vector<ParameterInfo>& infos, const RunConfig& config, ParameterArena& weights,
              ParameterArena& gradients, StepBy stepBy);
    /// The kernels on the CPU, LibTorch elsewhere.
    [[nodiscard]] static StepBy defaultFor(c10::Device device) { return device.is_cpu() ? StepBy::Kernels : StepBy::LibTorch; }

    /// Takes effect with the next step. Fails (Usage) where the granularity does not fit the model; nothing changes then.
    Result<void> configure(const OptimizerSettings& settings);
    /// Update number `step` (1-based) with learning rate `lr`; gradients are multiplied by `gradScale` first. `gradientFinite`: the
    /// gradient's norm is known to be finite. What is returned holds until the next step or configure().
    Result<const StepOutcome*> step(std::int64_t step, double lr, double gradScale, bool gradientFinite, const StepMeasure& measure = {});
    /// The last step as the kernels were given it, with its results; its arrays still hold what they held after it. Null before the first step,
    /// after configure(), and where the step was not done by our kernels.
    [[nodiscard]] const kernels::StepArguments* lastStep() const { return m_hasStepped ? &m_arguments : nullptr; }

    [[nodiscard]] ParameterArena& firstMoments() { return m_first; }
    [[nodiscard]] ParameterArena& secondMoments() { return m_second; }
    /// Call after moments were replaced (resume): what was known about them no longer holds.
    void momentsReplaced() { m_momentsFinite = false; }
    [[nodiscard]] const std::vector<bool>& filtered() const { return m_filtered; }
    [[nodiscard]] const std::vector<Partition>& partitions() const { return m_partitions; }
    [[nodiscard]] const OptimizerSettings& settings() const { return m_settings; }
    /// Per parameter the median threshold of its partitions after the last step (0 where unfiltered or AdamW).
    [[nodiscard]] std::vector<float> medianThresholds(const StepOutcome& outcome) const;

private:
    Result<void> stepByKernels();
    Result<void> stepByLibTorch();
    void countSelected(std::int64_t step);

    ModelDescription m_model;
    std::vector<ParameterInfo> m_infos;
    ParameterArena& m_weights;
    ParameterArena& m_gradients;
    ParameterArena m_first, m_second;
    std::vector<bool> m_filtered, m_decayed;
    std::vector<kernels::Tensor> m_tensors;
    OptimizerSettings m_settings;
    std::vector<Partition> m_partitions;
    kernels::StepPlan m_plan;
    std::vector<std::int64_t> m_k;
    at::Tensor m_workspace;
    StepBy m_stepBy;
    bool m_momentsFinite = true;
    bool m_hasStepped = false;
    /// The last step: what m_arguments points to.
    kernels::StepScalars m_scalars;
    kernels::StepStatus m_status;
    StepOutcome m_outcome;
    kernels::StepArguments m_arguments;
};

/// The kernels' threads are LibTorch's: one pool in the process.
[[nodiscard]] kernels::Execution torchExecution();

}  // namespace mofo
