// The launches of one Format, each compiled in a file of its own (step_*.cu).
#pragma once

#include <string>

#include "kernels/cuda/context.h"

namespace mofo::kernels::cuda {

/// Texts are empty where nothing is wrong. `stream` is a cudaStream_t.
struct FormatKernels {
    /// Lets the kernels have `sharedBytes` of shared memory a block, and finds out how many blocks of the cooperative ones a multiprocessor can hold.
    std::string (*prepare)(std::size_t sharedBytes, int& finishBlocks, int& topBlocks);
    std::string (*step)(const StepContext& context, void* stream);
    std::string (*bits)(const StepContext& context, void* stream);
    std::string (*topSums)(const StepContext& context, void* stream);
};

extern const FormatKernels fp32Kernels;
extern const FormatKernels bf16Kernels;
extern const FormatKernels bf16MasterKernels;

}  // namespace mofo::kernels::cuda
