// The Launcher of pipeline.cuh as CUDA has it.
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/cuda/cuda_block.cuh"
#include "kernels/cuda/launch_error.h"
#include "kernels/cuda/pipeline.cuh"

namespace mofo::kernels::cuda {

namespace {

template <class Kernel, class Context>
__global__ void __launch_bounds__(Kernel::threads, Kernel::blocksPerMultiprocessor) runOnBlocks(const __grid_constant__ Context context) {
    extern __shared__ __align__(16) std::byte shared[];
    CudaBlock<Kernel::threads> block(shared);
    Kernel::run(block, context, static_cast<int>(blockIdx.x));
}

template <class Kernel, class Context>
__global__ void __launch_bounds__(blockThreads, Kernel::blocksPerMultiprocessor)
    runOnWarps(const __grid_constant__ Context context, int count, int sharedBytes) {
    extern __shared__ __align__(16) std::byte shared[];
    const int warpOfBlock = static_cast<int>(threadIdx.x) / warpThreads;
    const int item = static_cast<int>(blockIdx.x) * (blockThreads / warpThreads) + warpOfBlock;
    if (item >= count) return;
    CudaWarp warp(shared + warpOfBlock * sharedBytes);
    Kernel::run(warp, context, item);
}

template <class Kernel>
__global__ void __launch_bounds__(blockThreads, Kernel::blocksPerMultiprocessor) runOnGrid(const __grid_constant__ StepContext context) {
    extern __shared__ __align__(16) std::byte shared[];
    CudaGrid grid(shared);
    Kernel::run(grid, context);
}

class CudaLauncher {
public:
    explicit CudaLauncher(cudaStream_t stream) : m_stream(stream) {}

    template <class Kernel, class Context>
    void blocks(int count, std::size_t sharedBytes, const Context& context) {
        if (m_error != cudaSuccess || count == 0) return;
        runOnBlocks<Kernel><<<static_cast<unsigned>(count), Kernel::threads, sharedBytes, m_stream>>>(context);
        m_error = cudaGetLastError();
    }
    template <class Kernel, class Context>
    void warps(int count, std::size_t sharedBytes, const Context& context) {
        if (m_error != cudaSuccess || count == 0) return;
        constexpr int perBlock = blockThreads / warpThreads;
        const std::size_t each = (sharedBytes + 15) / 16 * 16;
        runOnWarps<Kernel><<<static_cast<unsigned>((count + perBlock - 1) / perBlock), blockThreads, each * perBlock, m_stream>>>(
            context, count, static_cast<int>(each));
        m_error = cudaGetLastError();
    }
    template <class Kernel>
    void grid(int blocks, std::size_t sharedBytes, const StepContext& context) {
        if (m_error != cudaSuccess) return;
        StepContext copy = context;
        void* arguments[] = {&copy};
        m_error = cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(&runOnGrid<Kernel>), dim3(static_cast<unsigned>(blocks)),
                                              dim3(blockThreads), arguments, sharedBytes, m_stream);
    }
    [[nodiscard]] cudaError_t error() const { return m_error; }

private:
    cudaStream_t m_stream;
    cudaError_t m_error = cudaSuccess;
};

}  // namespace
}  // namespace mofo::kernels::cuda
