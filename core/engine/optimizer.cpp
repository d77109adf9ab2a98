#include "core/engine/optimizer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>

#include "core/engine/device.h"
#include "core/engine/half_fine_tuning.h"
#include "core/engine/torch_guard.h"
#include "kernels/include/statistics.h"

namespace mofo {

namespace {

constexpr std::array<const char*, 4> kAlphaGroups{"attention", "mlp", "embedding", "head"};
constexpr std::size_t kNoGroup = kAlphaGroups.size();  // norms, where a pattern filters them

/// The group of --set alpha.GROUP a parameter belongs to.
std::size_t alphaGroup(ModuleKind kind) {
    switch (kind) {
        case ModuleKind::Query:
        case ModuleKind::Key:
        case ModuleKind::Value:
        case ModuleKind::Output: return 0;
        case ModuleKind::Gate:
        case ModuleKind::Up:
        case ModuleKind::Down: return 1;
        case ModuleKind::Embedding: return 2;
        case ModuleKind::Head: return 3;
        case ModuleKind::Norm: return kNoGroup;
    }
    return kNoGroup;
}

void runTasks(void*, int tasks, void (*body)(void*, int), void* argument) {
    at::parallel_for(0, tasks, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) body(argument, static_cast<int>(task));
    });
}

/// Partitions in the kernels' form.
struct Table {
    explicit Table(const std::vector<Partition>& partitions) {
        for (const Partition& partition : partitions) {
            for (const Slice& slice : partition.slices) slices.push_back({slice.parameter, slice.begin, slice.rows, slice.length, slice.stride});
            firstSlice.push_back(static_cast<std::int64_t>(slices.size()));
        }
    }
    [[nodiscard]] kernels::PartitionTable view() const { return {slices, firstSlice}; }
    std::vector<kernels::Slice> slices;
    std::vector<std::int64_t> firstSlice{0};
};

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

OptimizerSettings OptimizerSettings::from(const RunConfig& config, std::int64_t stepsPerPass) {
    OptimizerSettings settings;
    settings.kind = config.optimizer;
    settings.rule = config.rule;
    settings.alpha = config.alpha;
    settings.granularity = config.granularity;
    settings.beta1 = config.beta1;
    settings.beta2 = config.beta2;
    settings.eps = config.eps;
    settings.weightDecay = config.weightDecay;
    settings.decaySelectedOnly = config.decaySelectedOnly;
    settings.hftEvery = std::max<std::int64_t>(config.hftEvery > 0 ? config.hftEvery : stepsPerPass, 1);
    settings.l1 = config.l1;
    settings.l2 = config.l2;
    return settings;
}

OptimizerPlace Optimizer::placeFor(c10::Device device, Offload offload) {
    OptimizerPlace place;
    place.offload = !device.is_cpu() && offload == Offload::Optimizer;
    place.cuda = device.is_cpu() || place.offload ? nullptr : cudaPlugin();
    return place;
}

Optimizer::Optimizer(const ModelSource& pretrained, const RunConfig& config, ParameterArena& weights, ParameterArena& gradients,
                     const OptimizerPlace& place)
    : m_pretrained(pretrained),
      m_infos(pretrained.parameters()),
      m_seed(config.seed),
      m_weights(weights),
      m_gradients(gradients),
      m_place(place),
      m_first(m_infos, place.offload ? c10::kCPU : weights.flat().device(),
              place.offload ? hostMemoryFor(weights.flat().device()) : HostMemory::Plain),
      m_second(m_infos, place.offload ? c10::kCPU : weights.flat().device(),
               place.offload ? hostMemoryFor(weights.flat().device()) : HostMemory::Plain),
      m_filtered(filteredParameters(m_infos, config.filterInclude, config.filterExclude)),
      m_decayed(decayedParameters(m_infos)),
      m_frozen(m_infos.size(), false),
      m_pulled(m_decayed) {
    if (place.offload) m_mirror.emplace(m_infos, weights, gradients);
    if (place.cuda != nullptr) m_device.emplace(*place.cuda, weights.flat().device());
    for (std::size_t i = 0; i < m_infos.size(); ++i) {
        kernels::Tensor tensor;
        tensor.n = m_infos[i].elementCount();
        tensor.filtered = m_filtered[i];
        tensor.decayed = m_decayed[i];
        tensor.key = kernels::tensorKey(m_infos[i].name);
        tensor.p = (m_mirror ? m_mirror->weights() : weights).view(i).data_ptr<float>();
        tensor.g = (m_mirror ? m_mirror->gradients() : gradients).view(i).const_data_ptr<float>();
        tensor.m = m_first.view(i).data_ptr<float>();
        tensor.v = m_second.view(i).data_ptr<float>();
        m_tensors.push_back(tensor);
    }
}

Result<Optimizer::Layout> Optimizer::layOut(const OptimizerSettings& settings) const {
    Layout layout;
    if (selectsCoordinates(settings.kind)) {
        MOFO_TRY(layout.partitions, partitionsOf(m_pretrained.description(), m_infos, settings.granularity, m_filtered));
    }
    const Table table(layout.partitions);
    if (selectsCoordinates(settings.kind)) {
        if (const std::string wrong = kernels::checkPartitions(m_tensors, table.view()); !wrong.empty()) {
            return Error{ErrorCode::Internal, "the partitions of " + settings.granularity.text() + " are wrong: " + wrong, "", "", ""};
        }
    }
    layout.plan = kernels::makeStepPlan(m_tensors, table.view());
    if (m_place.offload) layout.groups = makeStepGroups(m_tensors, table.view(), m_place.groupBytes);
    return layout;
}

Result<void> Optimizer::configure(const OptimizerSettings& settings) {
    if (!m_weights.flat().is_cpu() && !m_mirror && !m_device) {
        return Error{ErrorCode::DeviceUnusable, "the optimizer has no kernels for this device", m_weights.flat().device().str(),
                     "Use --set offload=optimizer or --set device=cpu", ""};
    }
    const bool selects = selectsCoordinates(settings.kind);
    const bool sameLayout =
        m_configured && selects == selectsCoordinates(m_settings.kind) && (!selects || settings.granularity == m_settings.granularity);
    std::optional<Layout> layout;
    if (!sameLayout) {
        MOFO_TRY(layout, layOut(settings));
    }
    const bool pullsThen = settings.l1 != 0 || settings.l2 != 0;
    if (pullsThen && !m_pull) {
        MOFO_TRY(m_pull, PretrainedPull::load(m_pretrained, m_place.offload ? c10::Device(c10::kCPU) : m_weights.flat().device()));
    }
    // From here on nothing fails for the settings' sake.
    if (!pullsThen) m_pull.reset();
    if (layout) {
        m_partitions = std::move(layout->partitions);
        m_plan = std::move(layout->plan);
        m_groups = std::move(layout->groups);
        m_k.clear();
        m_deviceLaidOut = false;
        reserveWorkspace();
    }
    m_settings = settings;
    m_configured = true;
    m_hasStepped = false;
    return {};
}

void Optimizer::reserveWorkspace() {
    if (m_device) return;  // it has its own, on the device
    const int threads = at::get_num_threads();
    std::size_t bytes = kernels::cpu::stepWorkspaceBytes(m_plan, threads);  // with offload, too: for statistics over the whole step
    for (const StepGroup& group : m_groups) bytes = std::max(bytes, kernels::cpu::stepWorkspaceBytes(group.plan, threads));
    const auto withAlignment = static_cast<std::int64_t>(bytes) + 64;
    if (!m_workspace.defined() || m_workspace.numel() < withAlignment) m_workspace = at::empty({withAlignment}, at::kByte);
    void* aligned = m_workspace.data_ptr();
    std::size_t space = static_cast<std::size_t>(m_workspace.numel());
    aligned = std::align(64, space - 64, aligned, space);
    m_arguments.workspace = {static_cast<std::byte*>(aligned), space};
}

void Optimizer::countSelected(std::int64_t step) {
    std::array<double, kAlphaGroups.size() + 1> alphas;
    alphas.fill(m_settings.alpha.common.at(step));
    for (std::size_t group = 0; group < kAlphaGroups.size(); ++group) {
        const auto own = m_settings.alpha.perKind.find(kAlphaGroups[group]);
        if (own != m_settings.alpha.perKind.end()) alphas[group] = own->second.at(step);
    }
    if (alphas == m_alphaOfK && m_k.size() == m_partitions.size()) return;
    m_alphaOfK = alphas;
    m_k.resize(m_partitions.size());
    for (std::size_t i = 0; i < m_partitions.size(); ++i) {
        const std::size_t group = alphaGroup(m_infos[static_cast<std::size_t>(m_partitions[i].slices.front().parameter)].kind);
        m_k[i] = kernels::selectedCount(alphas[group], m_partitions[i].elementCount);
    }
}

const std::vector<bool>& Optimizer::frozenAt(std::int64_t step) {
    const std::int64_t round = m_settings.kind == OptimizerKind::Hft ? hftRound(step, m_settings.hftEvery) : -1;
    if (round == m_frozenRound) return m_frozen;
    m_frozenRound = round;
    m_frozen = round < 0 ? std::vector<bool>(m_infos.size(), false) : frozenTensors(m_infos, m_seed, round);
    m_deviceLaidOut = false;
    for (std::size_t i = 0; i < m_infos.size(); ++i) {
        m_tensors[i].frozen = m_frozen[i];
        m_pulled[i] = m_decayed[i] && !m_frozen[i];
    }
    return m_frozen;
}

kernels::Rule Optimizer::rule() const {
    if (m_settings.kind == OptimizerKind::FixedMask) return kernels::Rule::Random;
    if (!ranksCoordinates(m_settings.kind)) return kernels::Rule::None;
    switch (m_settings.rule) {
        case SelectionRule::Momentum: return kernels::Rule::Momentum;
        case SelectionRule::Gradient: return kernels::Rule::Gradient;
        case SelectionRule::MomentumOverRoot: return kernels::Rule::MomentumOverRoot;
        case SelectionRule::Random: return kernels::Rule::Random;
    }
    return kernels::Rule::Momentum;
}

Result<const StepOutcome*> Optimizer::step(std::int64_t step, double lr, double gradScale, bool gradientFinite, const StepMeasure& measure) {
    m_hasStepped = false;
    m_lr = lr;
    const kernels::Hyperparameters values{lr, m_settings.beta1, m_settings.beta2, m_settings.eps, m_settings.weightDecay};
    m_scalars = kernels::stepScalars(values, step, gradScale, gradientFinite && m_momentsFinite);
    // A fixed mask is the random rule's, always drawn as at step 0. Roundings draw from another seed than ranks, so that the two are independent.
    m_scalars.ruleKey = kernels::drawKey(m_seed, m_settings.kind == OptimizerKind::FixedMask ? 0 : step);
    m_scalars.roundingKey = kernels::drawKey(~m_seed, step);
    static_cast<void>(frozenAt(step));
    countSelected(step);
    m_outcome.tensors.resize(m_infos.size());
    m_outcome.partitions.resize(m_partitions.size());
    m_outcome.histograms.resize(measure.histograms ? m_infos.size() : 0);
    m_outcome.nanFound = false;
    m_status = {};
    m_arguments.tensors = m_tensors;
    m_arguments.plan = &m_plan;
    m_arguments.k = m_k;
    m_arguments.rule = rule();
    m_arguments.decaySelectedOnly = m_settings.decaySelectedOnly;
    m_arguments.scalars = &m_scalars;
    m_arguments.partitionResults = m_outcome.partitions;
    m_arguments.tensorResults = m_outcome.tensors;
    m_arguments.status = &m_status;
    m_arguments.measure = measure.updates;
    m_arguments.histograms = m_outcome.histograms;
    MOFO_CHECK(guardTorch([&] { return m_device ? stepOnDevice() : m_mirror ? stepByGroups() : stepByKernels(); }));
    return &m_outcome;
}

Result<void> Optimizer::callKernel(const kernels::StepArguments& arguments) {
    if (kernels::cpu::step(arguments, torchExecution())) return {};
    return Error{ErrorCode::Internal, "the optimizer kernel refused its arguments", "", "Report this with the engine's log", ""};
}

void Optimizer::reportNan() {
    std::fill(m_outcome.tensors.begin(), m_outcome.tensors.end(), kernels::TensorResult{});
    std::fill(m_outcome.partitions.begin(), m_outcome.partitions.end(), kernels::PartitionResult{});
    std::fill(m_outcome.histograms.begin(), m_outcome.histograms.end(), kernels::LogHistogram{});
    m_outcome.nanFound = true;
    m_momentsFinite = false;
}

void Optimizer::pull(const ParameterArena& weights, std::size_t first, std::size_t count) const {
    m_pull->apply(weights, first, count, m_pulled, m_lr * m_settings.l1, m_lr * m_settings.l2);
}

bool Optimizer::pullFirst() {
    if (!pulls()) return true;
    // The pull moves p before the kernel looks for NaN, so that it has to be known by then that there is none.
    if (!m_scalars.knownFinite && foresawNan()) return false;
    m_scalars.knownFinite = true;
    pull(m_weights, 0, m_infos.size());
    return true;
}

void Optimizer::noteStatus() {
    if (m_status.nanFound) return reportNan();
    m_momentsFinite = m_status.momentsFinite;
    m_hasStepped = true;
}

Result<void> Optimizer::stepByKernels() {
    if (!pullFirst()) {
        reportNan();
        return {};
    }
    MOFO_CHECK(callKernel(m_arguments));
    noteStatus();
    return {};
}

Result<void> Optimizer::stepOnDevice() {
    if (!m_deviceLaidOut) MOFO_CHECK(m_device->layOut(m_tensors, m_plan));
    m_deviceLaidOut = true;
    if (!pullFirst()) {
        reportNan();
        return {};
    }
    MOFO_CHECK(m_device->step(m_arguments));
    noteStatus();
    return {};
}

Result<void> Optimizer::stepByGroups() {
    m_mirror->fetchGradients(m_groups);
    if (!m_scalars.knownFinite) {
        // A kernel sees its own group alone, and a NaN in the last one must keep the first one from moving.
        for (std::size_t i = 0; i < m_groups.size(); ++i) m_mirror->awaitGradients(i);
        if (foresawNan()) {
            reportNan();
            return {};
        }
        m_scalars.knownFinite = true;
    }
    kernels::StepStatus all;
    for (std::size_t i = 0; i < m_groups.size(); ++i) {
        const StepGroup& group = m_groups[i];
        m_mirror->awaitGradients(i);
        if (pulls()) pull(m_mirror->weights(), group.firstTensor, group.tensorCount);
        MOFO_CHECK(callKernel(groupArguments(m_arguments, group)));
        m_mirror->sendWeights(group);
        all.momentsFinite = all.momentsFinite && m_status.momentsFinite;
        all.repaired += m_status.repaired;
    }
    m_mirror->finishSending();
    m_status = all;
    noteStatus();
    return {};
}

bool Optimizer::foresawNan() const {
    constexpr std::int64_t kPiece = 4 << 20;
    const ParameterArena& gradients = m_mirror ? m_mirror->gradients() : m_gradients;
    for (std::size_t i = 0; i < m_infos.size(); ++i) {
        if (m_frozen[i]) continue;
        const std::int64_t end = m_first.offset(i) + m_infos[i].elementCount();
        for (std::int64_t begin = m_first.offset(i); begin < end; begin += kPiece) {
            const std::int64_t length = std::min(kPiece, end - begin);
            const at::Tensor scaled = gradients.flat().narrow(0, begin, length) * m_scalars.gradScale;
            if (at::lerp(m_first.flat().narrow(0, begin, length), scaled, m_scalars.momentWeight).isnan().any().item<bool>()) return true;
        }
    }
    return false;
}

Result<void> Optimizer::selectedBits(std::span<std::uint64_t* const> bits) const {
    return guardTorch([&]() -> Result<void> {
        if (m_device) return m_device->selectedBits(bits, m_tensors);
        if (kernels::cpu::selectedBits(m_arguments, bits, torchExecution())) return {};
        return Error{ErrorCode::Internal, "the mask kernel refused its arguments", "", "Report this with the engine's log", ""};
    });
}

Result<void> Optimizer::topGradientSums(std::span<double> sums) const {
    return guardTorch([&]() -> Result<void> {
        if (m_device) return m_device->topGradientSums(sums);
        if (kernels::cpu::topGradientSums(m_arguments, sums, torchExecution())) return {};
        return Error{ErrorCode::Internal, "the kernel of the top gradients refused its arguments", "", "Report this with the engine's log", ""};
    });
}

Result<void> Optimizer::stateReplaced() {
    m_momentsFinite = false;
    m_hasStepped = false;
    return guardTorch([&]() -> Result<void> {
        if (m_mirror) m_mirror->weightsReplaced();
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
