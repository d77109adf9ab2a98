#include "core/engine/device_step.h"

#include <c10/core/DeviceGuard.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>

namespace mofo {

namespace {

constexpr std::size_t kScalarBytes = 256;  // keeps the k behind them aligned
static_assert(sizeof(kernels::StepScalars) <= kScalarBytes);

Result<void> check(const std::string& wrong, const char* what) {
    if (wrong.empty()) return {};
    return Error{ErrorCode::Internal, std::string(what) + " failed on the GPU: " + wrong, "",
                 "Resume from the last checkpoint; `mofo doctor` tells what the GPU can do", "CUDA"};
}

std::byte* bytesOf(const at::Tensor& tensor) { return static_cast<std::byte*>(tensor.data_ptr()); }

}  // namespace

at::Tensor DeviceStep::deviceBytes(std::size_t bytes) const {
    return at::empty({static_cast<std::int64_t>(bytes)}, at::TensorOptions().dtype(at::kByte).device(m_device));
}

Result<void> DeviceStep::reserve(Pinned& pinned, std::size_t bytes) const {
    if (pinned.bytes >= bytes && pinned.memory) return {};
    pinned.memory = {m_plugin.allocatePinned(bytes), FreePinned{&m_plugin}};
    pinned.bytes = pinned.memory ? bytes : 0;
    if (!pinned.memory) return Error{ErrorCode::OutOfMemory, "no page-locked memory for the optimizer step", "", "Close other programs", "MEMORY"};
    return {};
}

Result<void> DeviceStep::layOut(std::span<const kernels::Tensor> tensors, const kernels::StepPlan& plan) {
    const c10::DeviceGuard onDevice(m_device);
    void* const stream = m_plugin.currentStream(m_device.index());
    kernels::cuda::DevicePlan* made = nullptr;
    MOFO_CHECK(check(m_plugin.makeDevicePlan(tensors, plan, kernels::Format::Fp32, {}, &made), "cutting the optimizer step"));
    m_plan = {made, FreePlan{&m_plugin}};
    const kernels::cuda::PlanBytes bytes = m_plugin.planBytes(*m_plan, 0);
    m_tables = deviceBytes(bytes.tables);
    m_results = deviceBytes(bytes.results);
    m_resultBytes = bytes.results;
    const std::size_t inputs = kScalarBytes + plan.sizes.size() * sizeof(std::int64_t);
    m_inputs = deviceBytes(inputs);
    MOFO_CHECK(reserve(m_hostInputs, inputs));
    MOFO_CHECK(reserve(m_hostResults, m_resultBytes));
    m_k.clear();
    m_reserved = -1;
    return check(m_plugin.uploadPlan(*m_plan, bytesOf(m_tables), bytes.tables, stream), "uploading the optimizer step");
}

Result<void> DeviceStep::reserveWorkspace(std::int64_t selected) {
    if (selected <= m_reserved) return {};
    const kernels::cuda::PlanBytes bytes = m_plugin.planBytes(*m_plan, selected);
    const auto hasRoom = [&](std::size_t wanted) { return m_workspace.defined() && static_cast<std::size_t>(m_workspace.numel()) >= wanted; };
    if (!hasRoom(bytes.workspace)) {
        m_workspace.reset();
        try {
            m_workspace = deviceBytes(bytes.workspace);
        } catch (const c10::OutOfMemoryError&) {
            m_workspace = deviceBytes(bytes.leastWorkspace);  // slower, the same bits
        }
    }
    m_reserved = selected;
    return {};
}

Result<void> DeviceStep::upload(const kernels::StepArguments& arguments, void* stream) {
    std::size_t bytes = sizeof(kernels::StepScalars);
    std::memcpy(m_hostInputs.memory.get(), arguments.scalars, bytes);
    if (m_k.size() != arguments.k.size() || !std::equal(m_k.begin(), m_k.end(), arguments.k.begin())) {
        m_k.assign(arguments.k.begin(), arguments.k.end());
        MOFO_CHECK(reserveWorkspace(std::accumulate(m_k.begin(), m_k.end(), std::int64_t{0})));
        std::memcpy(m_hostInputs.memory.get() + kScalarBytes, m_k.data(), m_k.size() * sizeof(std::int64_t));
        bytes = kScalarBytes + m_k.size() * sizeof(std::int64_t);
    }
    return check(m_plugin.copy(bytesOf(m_inputs), m_hostInputs.memory.get(), bytes, stream), "the upload of the optimizer's settings");
}

Result<void> DeviceStep::step(const kernels::StepArguments& arguments) {
    const c10::DeviceGuard onDevice(m_device);
    void* const stream = m_plugin.currentStream(m_device.index());
    if (m_reserved < 0) MOFO_CHECK(reserveWorkspace(0));
    MOFO_CHECK(upload(arguments, stream));
    m_launch.plan = m_plan.get();
    m_launch.scalars = reinterpret_cast<const kernels::StepScalars*>(bytesOf(m_inputs));
    m_launch.k = arguments.k.empty() ? nullptr : reinterpret_cast<const std::int64_t*>(bytesOf(m_inputs) + kScalarBytes);
    m_launch.rule = arguments.rule;
    m_launch.decaySelectedOnly = arguments.decaySelectedOnly;
    m_launch.measure = arguments.measure;
    m_launch.histograms = !arguments.histograms.empty();
    m_launch.workspace = bytesOf(m_workspace);
    m_launch.workspaceBytes = static_cast<std::size_t>(m_workspace.numel());
    m_launch.results = bytesOf(m_results);
    MOFO_CHECK(check(m_plugin.step(m_launch, stream), "the optimizer step"));
    MOFO_CHECK(check(m_plugin.copyResults(*m_plan, bytesOf(m_results), m_launch.histograms, m_hostResults.memory.get(), stream),
                     "the download of the optimizer's results"));
    MOFO_CHECK(check(m_plugin.synchronize(stream), "the optimizer step"));
    if (!m_plugin.readResults(*m_plan, m_hostResults.memory.get(), arguments.rule, *arguments.scalars, arguments.partitionResults,
                              arguments.tensorResults, arguments.status, arguments.histograms)) {
        return Error{ErrorCode::Internal, "the results of the optimizer step do not fit its plan", "", "Report this with the engine's log", ""};
    }
    return {};
}

Result<void> DeviceStep::selectedBits(std::span<std::uint64_t* const> bits, std::span<const kernels::Tensor> tensors) {
    const c10::DeviceGuard onDevice(m_device);
    void* const stream = m_plugin.currentStream(m_device.index());
    const std::int64_t words = m_plugin.firstBitWord(*m_plan, static_cast<std::int64_t>(tensors.size()));
    const at::Tensor all = at::empty({words}, at::TensorOptions().dtype(at::kLong).device(m_device));
    MOFO_CHECK(check(m_plugin.selectedBits(m_launch, static_cast<std::uint64_t*>(all.data_ptr()), stream), "finding the masks"));
    const at::Tensor onHost = all.to(at::kCPU);
    const auto* const from = static_cast<const std::uint64_t*>(onHost.const_data_ptr());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        std::memcpy(bits[i], from + m_plugin.firstBitWord(*m_plan, static_cast<std::int64_t>(i)),
                    static_cast<std::size_t>((tensors[i].n + 63) / 64) * sizeof(std::uint64_t));
    }
    return {};
}

Result<void> DeviceStep::topGradientSums(std::span<double> sums) {
    const c10::DeviceGuard onDevice(m_device);
    const at::Tensor all = at::empty({static_cast<std::int64_t>(sums.size())}, at::TensorOptions().dtype(at::kDouble).device(m_device));
    MOFO_CHECK(
        check(m_plugin.topGradientSums(m_launch, all.data_ptr<double>(), m_plugin.currentStream(m_device.index())), "summing the top gradients"));
    const at::Tensor onHost = all.to(at::kCPU);
    std::memcpy(sums.data(), onHost.const_data_ptr(), sums.size() * sizeof(double));
    return {};
}

}  // namespace mofo
