#include "core/engine/bench_step.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include "core/engine/optimizer.h"
#include "core/model/partition.h"

namespace mofo {

namespace {

class HostStep final : public BenchStep {
public:
    using BenchStep::BenchStep;

    Result<void> run(bool measured) override {
        kernels::StepArguments arguments;
        arguments.tensors = m_work.tensors();
        arguments.plan = &m_plan;
        arguments.k = m_k;
        arguments.rule = m_settings.rule;
        arguments.scalars = &m_scalars;
        arguments.partitionResults = m_partitions;
        arguments.tensorResults = m_tensors;
        arguments.status = &m_status;
        void* aligned = m_workspace.data_ptr();
        auto space = static_cast<std::size_t>(m_workspace.numel());
        const auto needed = static_cast<std::size_t>(m_scratchBytes);
        arguments.workspace = {static_cast<std::byte*>(std::align(64, needed, aligned, space)), needed};
        arguments.format = m_settings.format;
        arguments.measure = measured;
        if (measured) arguments.histograms = m_histograms;
        if (!kernels::cpu::step(arguments, torchExecution()))
            return Error{ErrorCode::Internal, "the optimizer kernel refused its arguments", "", "", ""};
        return {};
    }

protected:
    Result<void> setUp() override {
        m_scratchBytes = static_cast<std::int64_t>(kernels::cpu::stepWorkspaceBytes(m_plan, at::get_num_threads()));
        m_workspace = at::empty({m_scratchBytes + 64}, at::kByte);
        return {};
    }
    Result<void> uploadScalars() override { return {}; }
    Result<void> fetchResults(bool) override { return {}; }

private:
    at::Tensor m_workspace;
};

/// What a CUDA function said, as a Result.
Result<void> checked(const char* what, const std::string& wrong) {
    if (wrong.empty()) return {};
    return Error{ErrorCode::DeviceUnusable, std::string(what) + " failed on the GPU: " + wrong, "", "Run `mofo doctor`", ""};
}

class DeviceBenchStep final : public BenchStep {
public:
    using BenchStep::BenchStep;
    ~DeviceBenchStep() override {
        if (m_devicePlan != nullptr) cuda().destroyDevicePlan(m_devicePlan);
        if (m_pinned != nullptr) cuda().freePinned(m_pinned);
    }

    Result<void> run(bool measured) override {
        m_launch.measure = m_launch.histograms = measured;
        return checked("the step", cuda().step(m_launch, stream()));
    }

protected:
    Result<void> setUp() override {
        MOFO_CHECK(checked("planning the step", cuda().makeDevicePlan(m_work.tensors(), m_plan, m_settings.format, {}, &m_devicePlan)));
        const bool ranks = m_settings.rule != kernels::Rule::None;
        const std::int64_t selected = ranks ? std::accumulate(m_k.begin(), m_k.end(), std::int64_t{0}) : 0;
        const kernels::cuda::PlanBytes bytes = cuda().planBytes(*m_devicePlan, selected);
        m_tables = onDevice(bytes.tables);
        m_results = onDevice(bytes.results);
        m_workspace = onDevice(bytes.workspace);
        m_scratchBytes = static_cast<std::int64_t>(bytes.tables + bytes.results + bytes.workspace);
        const std::size_t kBytes = ranks ? m_k.size() * sizeof(std::int64_t) : 0;
        m_inputs = onDevice(kScalarBytes + kBytes);
        m_pinned = cuda().allocatePinned(std::max(bytes.results, kScalarBytes + kBytes));
        if (m_pinned == nullptr) return Error{ErrorCode::OutOfMemory, "no page-locked memory is left", "", "Close other programs", "MEMORY"};
        MOFO_CHECK(checked("uploading the plan", cuda().uploadPlan(*m_devicePlan, bytesOf(m_tables), bytes.tables, stream())));
        if (kBytes > 0) {
            std::memcpy(m_pinned, m_k.data(), kBytes);
            MOFO_CHECK(checked("copying", cuda().copy(bytesOf(m_inputs) + kScalarBytes, m_pinned, kBytes, stream())));
            MOFO_CHECK(checked("waiting for the step", cuda().synchronize(stream())));
        }
        m_launch.plan = m_devicePlan;
        m_launch.scalars = reinterpret_cast<const kernels::StepScalars*>(bytesOf(m_inputs));
        m_launch.k = kBytes > 0 ? reinterpret_cast<const std::int64_t*>(bytesOf(m_inputs) + kScalarBytes) : nullptr;
        m_launch.rule = m_settings.rule;
        m_launch.workspace = bytesOf(m_workspace);
        m_launch.workspaceBytes = bytes.workspace;
        m_launch.results = bytesOf(m_results);
        return {};
    }
    Result<void> uploadScalars() override {
        std::memcpy(m_pinned, &m_scalars, sizeof m_scalars);
        MOFO_CHECK(checked("copying", cuda().copy(bytesOf(m_inputs), m_pinned, sizeof m_scalars, stream())));
        return checked("waiting for the step", cuda().synchronize(stream()));
    }
    Result<void> fetchResults(bool measured) override {
        MOFO_CHECK(checked("copying the results", cuda().copyResults(*m_devicePlan, bytesOf(m_results), measured, m_pinned, stream())));
        MOFO_CHECK(checked("waiting for the step", cuda().synchronize(stream())));
        if (!cuda().readResults(*m_devicePlan, m_pinned, m_settings.rule, m_scalars, m_partitions, m_tensors, &m_status,
                                measured ? std::span(m_histograms) : std::span<kernels::LogHistogram>()))
            return Error{ErrorCode::Internal, "the results of the CUDA step do not fit its plan", "", "", ""};
        return {};
    }

private:
    static constexpr std::size_t kScalarBytes = 256;
    static_assert(sizeof(kernels::StepScalars) <= kScalarBytes);

    [[nodiscard]] const CudaPlugin& cuda() const { return *m_settings.cuda; }
    [[nodiscard]] void* stream() const { return cuda().currentStream(m_work.device().index()); }
    [[nodiscard]] at::Tensor onDevice(std::size_t bytes) const {
        return at::empty({static_cast<std::int64_t>(std::max<std::size_t>(bytes, 1))}, at::TensorOptions().dtype(at::kByte).device(m_work.device()));
    }
    [[nodiscard]] static std::byte* bytesOf(const at::Tensor& tensor) { return static_cast<std::byte*>(tensor.data_ptr()); }

    kernels::cuda::DevicePlan* m_devicePlan = nullptr;
    std::byte* m_pinned = nullptr;
    at::Tensor m_tables, m_results, m_workspace, m_inputs;
    kernels::cuda::StepLaunch m_launch;
};

}  // namespace

Result<std::unique_ptr<BenchStep>> BenchStep::make(BenchWorkload& work, const ModelDescription& model, const BenchStepSettings& settings) {
    MOFO_TRY(const std::vector<Partition> partitions, partitionsOf(model, work.parameters(), settings.granularity, work.filtered()));
    std::vector<kernels::Slice> slices;
    std::vector<std::int64_t> firstSlice{0};
    for (const Partition& partition : partitions) {
        for (const Slice& slice : partition.slices) slices.push_back({slice.parameter, slice.begin, slice.rows, slice.length, slice.stride});
        firstSlice.push_back(static_cast<std::int64_t>(slices.size()));
    }
    std::unique_ptr<BenchStep> step;
    if (settings.cuda == nullptr) {
        step = std::make_unique<HostStep>(work, settings);
    } else {
        step = std::make_unique<DeviceBenchStep>(work, settings);
    }
    step->m_plan = kernels::makeStepPlan(work.tensors(), {slices, firstSlice});
    for (const std::int64_t n : step->m_plan.sizes) step->m_k.push_back(kernels::selectedCount(settings.alpha, n));
    step->m_partitions.resize(settings.rule == kernels::Rule::None ? 0 : step->m_plan.sizes.size());
    step->m_tensors.resize(work.tensors().size());
    step->m_histograms.resize(work.tensors().size());
    MOFO_CHECK(step->setUp());
    return step;
}

Result<void> BenchStep::prepare(std::int64_t step) {
    // As in training, where the gradient's norm is known to be finite and the last step said whether the moments are.
    m_scalars = kernels::stepScalars(m_settings.values, step, 1.0, m_status.momentsFinite && m_steps > 0);
    return uploadScalars();
}

Result<void> BenchStep::finish(bool measured) {
    MOFO_CHECK(fetchResults(measured));
    if (m_status.nanFound) return Error{ErrorCode::Internal, "a moment would become NaN", "bench optimizer", "", "NONFINITE"};
    ++m_steps;
    m_repaired += m_status.repaired;
    return {};
}

std::int64_t BenchStep::largestPartition() const { return m_plan.sizes.empty() ? 0 : *std::max_element(m_plan.sizes.begin(), m_plan.sizes.end()); }

double BenchStep::selectedShare() const {
    std::int64_t selected = 0, filtered = 0;
    for (std::size_t i = 0; i < m_tensors.size(); ++i) {
        if (!m_work.tensors()[i].filtered) continue;
        selected += m_tensors[i].selected;
        filtered += m_work.tensors()[i].n;
    }
    return filtered > 0 ? static_cast<double>(selected) / static_cast<double>(filtered) : 0;
}

}  // namespace mofo
