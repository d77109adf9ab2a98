// MoFO, its ablations and its baselines over a ParameterArena: partitions, alpha, moments, pulls and freezing; the arithmetic is the kernels'.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/engine/device_step.h"
#include "core/engine/host_mirror.h"
#include "core/engine/parameter_set.h"
#include "core/engine/pretrained_pull.h"
#include "core/engine/step_groups.h"
#include "core/model/model_source.h"
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
    std::vector<kernels::TensorResult> tensors;        ///< of a frozen tensor: all zero
    std::vector<kernels::PartitionResult> partitions;  ///< empty where every coordinate moves (AdamW, half fine-tuning)
    std::vector<kernels::LogHistogram> histograms;     ///< per tensor, where asked for; else empty
    bool nanFound = false;                             ///< nothing was moved
    [[nodiscard]] std::int64_t selectedCount() const;
};

/// Settings that may change between two steps.
struct OptimizerSettings {
    OptimizerKind kind = OptimizerKind::Mofo;
    SelectionRule rule = SelectionRule::Momentum;
    Alpha alpha;
    Granularity granularity;
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0;
    bool decaySelectedOnly = false;
    std::int64_t hftEvery = 1;  ///< steps of a round of half fine-tuning
    double l1 = 0, l2 = 0;      ///< see PretrainedPull; times the learning rate
    /// `stepsPerPass`: steps that one pass over the rows takes, which is a round where the configuration names none.
    [[nodiscard]] static OptimizerSettings from(const RunConfig& config, std::int64_t stepsPerPass);
};

/// Who does the step, and where.
struct OptimizerPlace {
    /// The CUDA twin, where the weights are on a GPU and it does the step; null: the CPU's kernels do.
    const CudaPlugin* cuda = nullptr;
    /// Moments, and a copy of weights and gradients, in host memory; the CPU's kernels do the step, one group of partitions after another.
    bool offload = false;
    std::int64_t groupBytes = 64 << 20;  ///< of gradients in such a group
};

/// Owns m and v (fp32, dense; they do not depend on the partition). Weights and gradients are the caller's and must outlive it. One thread.
///
/// The order within a step: the pull to the pretrained weights, computed from the p before the step; weight decay; the update. All of them leave
/// frozen tensors alone, and none is done where a new m would be NaN.
class Optimizer {
public:
    /// `pretrained`: the model that is tuned, and the weights that pulls pull to; must outlive the optimizer.
    Optimizer(const ModelSource& pretrained, const RunConfig& config, ParameterArena& weights, ParameterArena& gradients,
              const OptimizerPlace& place);
    /// For a run on `device`. On the CPU everything is in host memory anyway, and offload changes nothing.
    [[nodiscard]] static OptimizerPlace placeFor(c10::Device device, Offload offload);

    /// Takes effect with the next step. Fails where the granularity does not fit the model (Usage), the pretrained weights cannot be read, or memory
    /// is short; nothing changes then.
    Result<void> configure(const OptimizerSettings& settings);
    /// Which tensors update `step` leaves alone (half fine-tuning): their gradients count for nothing.
    [[nodiscard]] const std::vector<bool>& frozenAt(std::int64_t step);
    /// Update number `step` (1-based) with learning rate `lr`; gradients are multiplied by `gradScale` first. `gradientFinite`: the
    /// gradient's norm (frozen tensors apart) is known to be finite. What is returned holds until the next step or configure().
    Result<const StepOutcome*> step(std::int64_t step, double lr, double gradScale, bool gradientFinite, const StepMeasure& measure = {});
    /// The last step as the kernels were given it, with its results; the tensors' arrays (in device memory where the CUDA twin did it) still hold
    /// what they held after it. Null before the first step, after configure(), and after a step that found a NaN.
    [[nodiscard]] const kernels::StepArguments* lastStep() const { return m_hasStepped ? &m_arguments : nullptr; }
    /// Of the last step, which there must be, with gradients unchanged since: which coordinates it selected, and per partition the sum of the k
    /// largest |gradScale g| (kernels/include/statistics.h). `bits` and `sums` are host memory.
    Result<void> selectedBits(std::span<std::uint64_t* const> bits) const;
    Result<void> topGradientSums(std::span<double> sums) const;

    [[nodiscard]] ParameterArena& firstMoments() { return m_first; }
    [[nodiscard]] ParameterArena& secondMoments() { return m_second; }
    /// Call after weights or moments were replaced (resume): what was known about them no longer holds.
    Result<void> stateReplaced();
    [[nodiscard]] const std::vector<bool>& filtered() const { return m_filtered; }
    [[nodiscard]] const std::vector<Partition>& partitions() const { return m_partitions; }
    [[nodiscard]] const OptimizerSettings& settings() const { return m_settings; }
    /// Per parameter the median threshold of its partitions after the last step (0 where it is in none).
    [[nodiscard]] std::vector<float> medianThresholds(const StepOutcome& outcome) const;

private:
    /// What a granularity decides.
    struct Layout {
        std::vector<Partition> partitions;  ///< none where every coordinate moves
        kernels::StepPlan plan;
        std::vector<StepGroup> groups;  ///< with offload only
    };
    Result<Layout> layOut(const OptimizerSettings& settings) const;
    void reserveWorkspace();
    void countSelected(std::int64_t step);
    [[nodiscard]] kernels::Rule rule() const;
    Result<void> stepByKernels();
    Result<void> stepByGroups();
    Result<void> stepOnDevice();
    Result<void> callKernel(const kernels::StepArguments& arguments);
    /// False: a new m would be NaN, and nothing was pulled.
    bool pullFirst();
    void reportNan();
    void noteStatus();
    /// Whether any new m would be NaN, looked for before anything is changed.
    [[nodiscard]] bool foresawNan() const;
    void pull(const ParameterArena& weights, std::size_t first, std::size_t count) const;
    [[nodiscard]] bool pulls() const { return m_settings.l1 != 0 || m_settings.l2 != 0; }

    const ModelSource& m_pretrained;
    const std::vector<ParameterInfo>& m_infos;
    std::uint64_t m_seed;
    ParameterArena& m_weights;
    ParameterArena& m_gradients;
    OptimizerPlace m_place;
    std::optional<HostMirror> m_mirror;  ///< with offload only
    ParameterArena m_first, m_second;
    std::vector<bool> m_filtered, m_decayed;
    std::vector<kernels::Tensor> m_tensors;  ///< where the step is done
    OptimizerSettings m_settings;
    bool m_configured = false;
    mutable std::optional<DeviceStep> m_device;  ///< with the CUDA twin only
    bool m_deviceLaidOut = false;
    std::vector<Partition> m_partitions;
    kernels::StepPlan m_plan;
    std::vector<StepGroup> m_groups;
    std::array<double, 5> m_alphaOfK{};  ///< what m_k was counted with: per group of --set alpha.GROUP, and for the rest
    std::vector<std::int64_t> m_k;
    std::vector<bool> m_frozen, m_pulled;
    std::int64_t m_frozenRound = -1;
    std::optional<PretrainedPull> m_pull;
    at::Tensor m_workspace;
    bool m_momentsFinite = true;
    bool m_hasStepped = false;
    double m_lr = 0;
    /// The last step: what m_arguments points to.
    kernels::StepScalars m_scalars;
    kernels::StepStatus m_status;
    StepOutcome m_outcome;
    kernels::StepArguments m_arguments;
};

/// The kernels' threads are LibTorch's: one pool in the process.
[[nodiscard]] kernels::Execution torchExecution();

}  // namespace mofo
