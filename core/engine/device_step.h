// The optimizer step on a GPU: what the kernels' CUDA twin (kernels/include/cuda_step.h) needs in device memory, and its results back on the host.
#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/engine/cuda_plugin.h"

namespace mofo {

/// Steps on LibTorch's current stream of one device. One thread. May throw what LibTorch throws (out of memory).
class DeviceStep {
public:
    /// `plugin` must outlive it.
    DeviceStep(const CudaPlugin& plugin, c10::Device device) : m_plugin(plugin), m_device(device) {}

    /// Cuts the work for these tensors, whose arrays are in device memory. Anew where sizes, flags (frozen ones too) or partitions change.
    Result<void> layOut(std::span<const kernels::Tensor> tensors, const kernels::StepPlan& plan);
    /// Does a step over what was laid out and waits for it: the results are in the host memory that `arguments` names. Its workspace is not used.
    Result<void> step(const kernels::StepArguments& arguments);

    /// kernels::cpu::selectedBits and topGradientSums of the last step; `bits` and `sums` are host memory.
    Result<void> selectedBits(std::span<std::uint64_t* const> bits, std::span<const kernels::Tensor> tensors);
    Result<void> topGradientSums(std::span<double> sums);

private:
    struct FreePlan {
        const CudaPlugin* plugin;
        void operator()(kernels::cuda::DevicePlan* plan) const { plugin->destroyDevicePlan(plan); }
    };
    struct FreePinned {
        const CudaPlugin* plugin;
        void operator()(std::byte* memory) const { plugin->freePinned(memory); }
    };
    /// Page-locked host memory that grows when asked for more.
    struct Pinned {
        std::unique_ptr<std::byte, FreePinned> memory;
        std::size_t bytes = 0;
    };
    Result<void> reserve(Pinned& pinned, std::size_t bytes) const;
    Result<void> reserveWorkspace(std::int64_t selected);
    [[nodiscard]] at::Tensor deviceBytes(std::size_t bytes) const;
    /// Enqueues the scalars and, where they differ from the last step's, the k.
    Result<void> upload(const kernels::StepArguments& arguments, void* stream);

    const CudaPlugin& m_plugin;
    c10::Device m_device;
    std::unique_ptr<kernels::cuda::DevicePlan, FreePlan> m_plan{nullptr, FreePlan{nullptr}};
    at::Tensor m_tables, m_results, m_workspace, m_inputs;  ///< device memory
    Pinned m_hostInputs{{nullptr, FreePinned{nullptr}}, 0}, m_hostResults{{nullptr, FreePinned{nullptr}}, 0};
    std::size_t m_resultBytes = 0;
    std::vector<std::int64_t> m_k;  ///< on the device now
    std::int64_t m_reserved = -1;   ///< coordinates selected in all that the workspace is for
    kernels::cuda::StepLaunch m_launch;
};

}  // namespace mofo
