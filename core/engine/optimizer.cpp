#include "core/engine/optimizer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "core/engine/torch_guard.h"

namespace mofo {

namespace {

/// The group of --set alpha.GROUP a parameter belongs to.
const char* alphaGroup(ModuleKind kind) {
    switch (kind) {
        case ModuleKind::Query:
        case ModuleKind::Key:
        case ModuleKind::Value:
        case ModuleKind::Output: return "attention";
        case ModuleKind::Gate:
        case ModuleKind::Up:
        case ModuleKind::Down: return "mlp";
        case ModuleKind::Embedding: return "embedding";
        case ModuleKind::Head: return "head";
        case ModuleKind::Norm: return "norm";
    }
    return "";
}

void runTasks(void*, int tasks, void (*body)(void*, int), void* argument) {
    at::parallel_for(0, tasks, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) body(argument, static_cast<int>(task));
    });
}

/// The elements of a slice as a view [rows, length] of its flat tensor.
at::Tensor sliceView(const at::Tensor& flat, const kernels::Slice& slice) {
    return flat.as_strided({slice.rows, slice.length}, {slice.rows > 1 ? slice.stride : slice.length, 1}, flat.storage_offset() + slice.begin);
}

}  // namespace

kernels::Execution torchExecution() {
    kernels::Execution execution;
    execution.parallelFor = {runTasks, nullptr, at::get_num_threads()};
    return execution;
}

std::int64_t StepOutcome::selectedCount() const {
    std::int64_t sum = 0;
    for (const kernels::TensorResult& tensor : tensors) sum += tensor.selected;
    return sum;
}

OptimizerSettings OptimizerSettings::from(const RunConfig& config) {
    return {config.optimizer, config.alpha, config.granularity, config.beta1, config.beta2, config.eps, config.weightDecay, config.decaySelectedOnly};
}

Optimizer::Optimizer(const ModelDescription& model, const std::vector<ParameterInfo>& infos, const RunConfig& config, ParameterArena& weights,
                     ParameterArena& gradients, StepBy stepBy)
    : m_model(model),
      m_infos(infos),
      m_weights(weights),
      m_gradients(gradients),
      m_first(infos, weights.flat().device()),
      m_second(infos, weights.flat().device()),
      m_filtered(filteredParameters(infos, config.filterInclude, config.filterExclude)),
      m_decayed(decayedParameters(infos)),
      m_stepBy(stepBy) {
    if (stepBy != StepBy::Kernels) return;
    for (std::size_t i = 0; i < infos.size(); ++i) {
        kernels::Tensor tensor;
        tensor.p = weights.view(i).data_ptr<float>();
        tensor.g = gradients.view(i).data_ptr<float>();
        tensor.m = m_first.view(i).data_ptr<float>();
        tensor.v = m_second.view(i).data_ptr<float>();
        tensor.n = infos[i].elementCount();
        tensor.filtered = m_filtered[i];
        tensor.decayed = m_decayed[i];
        tensor.key = kernels::tensorKey(infos[i].name);
        m_tensors.push_back(tensor);
    }
}

Result<void> Optimizer::configure(const OptimizerSettings& settings) {
    const bool needsPartitions = settings.kind == OptimizerKind::Mofo;
    if (needsPartitions && (m_partitions.empty() || settings.granularity != m_settings.granularity)) {
        MOFO_TRY(std::vector<Partition> partitions, partitionsOf(m_model, m_infos, settings.granularity, m_filtered));
        std::vector<kernels::Slice> slices;
        std::vector<std::int64_t> firstSlice{0};
        for (const Partition& partition : partitions) {
            for (const Slice& slice : partition.slices) slices.push_back({slice.parameter, slice.begin, slice.rows, slice.length, slice.stride});
            firstSlice.push_back(static_cast<std::int64_t>(slices.size()));
        }
        std::vector<kernels::Tensor> tensors = m_tensors;
        if (tensors.empty()) {  // the plan reads only sizes and flags
            for (std::size_t i = 0; i < m_infos.size(); ++i) {
                kernels::Tensor tensor;
                tensor.n = m_infos[i].elementCount();
                tensor.filtered = m_filtered[i];
                tensors.push_back(tensor);
            }
        }
        const kernels::PartitionTable table{slices, firstSlice};
        if (const std::string wrong = kernels::checkPartitions(tensors, table); !wrong.empty()) {
            return Error{ErrorCode::Internal, "the partitions of " + settings.granularity.text() + " are wrong: " + wrong, "", "", ""};
        }
        m_plan = kernels::makeStepPlan(tensors, table);
        m_partitions = std::move(partitions);
    }
    if (!needsPartitions && m_plan.tensorCount == 0) {
        // AdamW needs a plan of all tensors as well; one with a partition per tensor serves.
        OptimizerSettings tensorwise = settings;
        tensorwise.kind = OptimizerKind::Mofo;
        tensorwise.granularity = {};
        MOFO_CHECK(configure(tensorwise));
    }
    if (m_stepBy == StepBy::Kernels) {
        const std::int64_t bytes = static_cast<std::int64_t>(kernels::cpu::stepWorkspaceBytes(m_plan, at::get_num_threads())) + 64;
        if (!m_workspace.defined() || m_workspace.numel() < bytes) m_workspace = at::empty({bytes}, at::kByte);
    }
    m_settings = settings;
    m_hasStepped = false;
    return {};
}

void Optimizer::countSelected(std::int64_t step) {
    m_k.resize(m_partitions.size());
    const double common = m_settings.alpha.common.at(step);
    for (std::size_t i = 0; i < m_partitions.size(); ++i) {
        double alpha = common;
        if (!m_settings.alpha.perKind.empty()) {
            const auto group =
                m_settings.alpha.perKind.find(alphaGroup(m_infos[static_cast<std::size_t>(m_partitions[i].slices.front().parameter)].kind));
            if (group != m_settings.alpha.perKind.end()) alpha = group->second.at(step);
        }
        m_k[i] = kernels::selectedCount(alpha, m_plan.sizes[i]);
    }
}

Result<const StepOutcome*> Optimizer::step(std::int64_t step, double lr, double gradScale, bool gradientFinite, const StepMeasure& measure) {
    const kernels::Hyperparameters values{lr, m_settings.beta1, m_settings.beta2, m_settings.eps, m_settings.weightDecay};
    m_hasStepped = false;
    m_scalars = kernels::stepScalars(values, step, gradScale, gradientFinite && m_momentsFinite);
    countSelected(step);
    const std::size_t tensors = m_infos.size(), partitions = m_settings.kind == OptimizerKind::Mofo ? m_partitions.size() : 0;
    m_outcome.tensors.assign(tensors, {});
    m_outcome.partitions.assign(partitions, {});
    m_outcome.histograms.assign(measure.histograms ? tensors : 0, {});
    m_outcome.nanFound = false;
    m_status = {};
    m_arguments.tensors = m_tensors;
    m_arguments.plan = &m_plan;
    m_arguments.k = m_k;
    m_arguments.rule = m_settings.kind == OptimizerKind::Mofo ? kernels::Rule::Momentum : kernels::Rule::None;
    m_arguments.decaySelectedOnly = m_settings.decaySelectedOnly;
    m_arguments.scalars = &m_scalars;
    m_arguments.partitionResults = m_outcome.partitions;
    m_arguments.tensorResults = m_outcome.tensors;
    m_arguments.status = &m_status;
    m_arguments.measure = measure.updates;
    m_arguments.histograms = m_outcome.histograms;
    MOFO_CHECK(m_stepBy == StepBy::Kernels ? stepByKernels() : stepByLibTorch());
    return &m_outcome;
}

Result<void> Optimizer::stepByKernels() {
    void* aligned = m_workspace.data_ptr();
    std::size_t space = static_cast<std::size_t>(m_workspace.numel());
    aligned = std::align(64, space - 64, aligned, space);
    m_arguments.workspace = {static_cast<std::byte*>(aligned), space};
    if (!kernels::cpu::step(m_arguments, torchExecution())) {
        return Error{ErrorCode::Internal, "the optimizer kernel refused its arguments", "", "Report this with the engine's log", ""};
    }
    m_outcome.nanFound = m_status.nanFound;
    m_momentsFinite = m_status.momentsFinite;
    m_hasStepped = true;
    return {};
}

// LibTorch's own operations, for devices without a kernel of ours: the same arithmetic, the threshold by topk over the gathered |m|.
Result<void> Optimizer::stepByLibTorch() {
    return guardTorch([&]() -> Result<void> {
        const kernels::StepScalars& scalars = m_scalars;
        StepOutcome& outcome = m_outcome;
        const at::Tensor& p = m_weights.flat();
        const at::Tensor& m = m_first.flat();
        const at::Tensor& v = m_second.flat();
        const at::Tensor gradient = m_gradients.flat() * scalars.gradScale;
        const at::Tensor newMoment = at::lerp(m, gradient, scalars.momentWeight);
        if (newMoment.isnan().any().item<bool>()) {
            outcome.nanFound = true;
            return {};
        }
        m.copy_(newMoment);
        v.mul_(scalars.beta2).addcmul_(gradient, gradient, scalars.squareWeight);
        at::Tensor mask = at::ones_like(p, at::kBool);
        if (m_settings.kind == OptimizerKind::Mofo) {
            const at::Tensor magnitude = m.abs();
            for (std::size_t i = 0; i < m_partitions.size(); ++i) {
                std::vector<at::Tensor> pieces, masks;
                for (std::int64_t s = m_plan.firstSlice[i]; s < m_plan.firstSlice[i + 1]; ++s) {
                    const kernels::Slice& slice = m_plan.slices[static_cast<std::size_t>(s)];
                    const auto tensor = static_cast<std::size_t>(slice.tensor);
                    const std::int64_t begin = m_first.offset(tensor), count = m_infos[tensor].elementCount();
                    pieces.push_back(sliceView(magnitude.narrow(0, begin, count), slice));
                    masks.push_back(sliceView(mask.narrow(0, begin, count), slice));
                }
                std::vector<at::Tensor> flat;
                for (const at::Tensor& piece : pieces) flat.push_back(piece.reshape({-1}));
                const at::Tensor threshold = std::get<0>(at::topk(at::cat(flat), m_k[i], 0, true, false)).min();
                kernels::PartitionResult result;
                result.threshold = threshold.item<float>();
                result.k = m_k[i];
                for (std::size_t s = 0; s < pieces.size(); ++s) {
                    const at::Tensor keep = pieces[s] >= threshold;
                    masks[s].copy_(keep);
                    result.masked += keep.sum().item<std::int64_t>();
                    result.selected += keep.logical_and(pieces[s] != 0).sum().item<std::int64_t>();
                }
                outcome.partitions[i] = result;
            }
        }
        const at::Tensor move = at::where(mask, m, at::zeros_like(m));
        const at::Tensor denominator = v.sqrt().div_(scalars.rootCorrection).add_(scalars.eps);
        for (std::size_t i = 0; i < m_infos.size(); ++i) {
            const std::int64_t begin = m_first.offset(i), count = m_infos[i].elementCount();
            const at::Tensor moved = move.narrow(0, begin, count) != 0;
            outcome.tensors[i].masked = mask.narrow(0, begin, count).sum().item<std::int64_t>();
            outcome.tensors[i].selected = moved.sum().item<std::int64_t>();
            if (scalars.decay != 1.0f && m_decayed[i]) {
                at::Tensor part = p.narrow(0, begin, count);
                if (m_settings.decaySelectedOnly) {
                    part.copy_(at::where(moved, part * scalars.decay, part));
                } else {
                    part.mul_(scalars.decay);
                }
            }
        }
        p.addcdiv_(move, denominator, scalars.stepSize);
        m_momentsFinite = true;
        return {};
    });
}

std::vector<float> Optimizer::medianThresholds(const StepOutcome& outcome) const {
    std::vector<std::vector<float>> perTensor(m_infos.size());
    for (std::size_t i = 0; i < outcome.partitions.size(); ++i) {
        for (const Slice& slice : m_partitions[i].slices) {
            auto& values = perTensor[static_cast<std::size_t>(slice.parameter)];
            values.push_back(outcome.partitions[i].threshold);
        }
    }
    std::vector<float> medians(m_infos.size(), 0.0f);
    for (std::size_t i = 0; i < perTensor.size(); ++i) {
        if (perTensor[i].empty()) continue;
        const auto middle = perTensor[i].begin() + static_cast<std::ptrdiff_t>(perTensor[i].size() / 2);
        std::nth_element(perTensor[i].begin(), middle, perTensor[i].end());
        medians[i] = *middle;
    }
    return medians;
}

}  // namespace mofo
