// FormatKernels of a format.
#pragma once

#include "kernels/cuda/format_kernels.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/selection.cuh"

namespace mofo::kernels::cuda {
namespace {

template <class Kernel>
cudaError_t allowShared(std::size_t bytes) {
    return cudaFuncSetAttribute(reinterpret_cast<const void*>(&runOnBlocks<Kernel, StepContext>), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                static_cast<int>(bytes));
}

template <class Kernel>
cudaError_t blocksAtOnce(int& blocks) {
    return cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, reinterpret_cast<const void*>(&runOnGrid<Kernel>), blockThreads, finishSharedBytes);
}

template <Format format>
std::string prepare(std::size_t sharedBytes, int& finishBlocks, int& topBlocks) {
    for (const cudaError_t error : {allowShared<BeginKernel<format>>(sharedBytes), allowShared<BlockKernel<format, true>>(sharedBytes),
                                    allowShared<BlockKernel<format, false>>(sharedBytes), allowShared<TopSmallKernel<format>>(sharedBytes),
                                    blocksAtOnce<FinishKernel<format>>(finishBlocks), blocksAtOnce<TopLargeKernel<format>>(topBlocks)}) {
        if (error != cudaSuccess) return describe(error, "while preparing the optimizer's kernels");
    }
    return finishBlocks > 0 && topBlocks > 0 ? "" : "the optimizer's kernels do not fit on this device";
}

template <Format format>
std::string runStep(const StepContext& context, void* stream) {
    CudaLauncher launcher(static_cast<cudaStream_t>(stream));
    enqueueStep<format>(launcher, context);
    return describe(launcher.error(), "while launching the optimizer step");
}

template <Format format>
std::string runBits(const StepContext& context, void* stream) {
    CudaLauncher launcher(static_cast<cudaStream_t>(stream));
    enqueueBits<format>(launcher, context);
    return describe(launcher.error(), "while launching the reading of the mask");
}

template <Format format>
std::string runTopSums(const StepContext& context, void* stream) {
    CudaLauncher launcher(static_cast<cudaStream_t>(stream));
    enqueueTopSums<format>(launcher, context);
    return describe(launcher.error(), "while launching the gradient's top sums");
}

template <Format format>
inline constexpr FormatKernels kernelsOfFormat{prepare<format>, runStep<format>, runBits<format>, runTopSums<format>};

}  // namespace
}  // namespace mofo::kernels::cuda
