// What libmofo_cuda.so offers to the engine: the CUDA twin of the optimizer step as a table of functions. The engine opens the library where a GPU
// was asked for (core/engine/device.h) and finds the table with dlsym(handle, cudaPluginSymbol); it never links the library.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/include/cuda_step.h"

namespace mofo {

/// Raised whenever the table or a struct in it changes: both sides are built from one source, and a stale library must be refused.
inline constexpr std::int32_t cudaPluginVersion = 2;
inline constexpr const char* cudaPluginSymbol = "mofoCudaPlugin";

struct CudaPlugin {
    std::int32_t version = 0;  ///< must equal cudaPluginVersion before anything else is read

    /// LibTorch's current stream on a device (cudaStream_t), which kernels must use to stay in order with LibTorch's own.
    void* (*currentStream)(int device) = nullptr;
    /// Page-locked host memory, aligned to 256 bytes; null if there is none. Slow (a millisecond): once per run, and not during a capture.
    std::byte* (*allocatePinned)(std::size_t bytes) = nullptr;
    void (*freePinned)(std::byte* memory) = nullptr;
    /// Enqueues a copy between device memory and pinned host memory, either way. Empty text: good.
    std::string (*copy)(void* to, const void* from, std::size_t bytes, void* stream) = nullptr;
    /// Waits until the stream has done everything enqueued so far. Empty text: good; else what went wrong on the device.
    std::string (*synchronize)(void* stream) = nullptr;

    // kernels/include/cuda_step.h
    decltype(&kernels::cuda::makeDevicePlan) makeDevicePlan = nullptr;
    decltype(&kernels::cuda::destroyDevicePlan) destroyDevicePlan = nullptr;
    decltype(&kernels::cuda::planBytes) planBytes = nullptr;
    decltype(&kernels::cuda::uploadPlan) uploadPlan = nullptr;
    decltype(&kernels::cuda::step) step = nullptr;
    decltype(&kernels::cuda::copyResults) copyResults = nullptr;
    decltype(&kernels::cuda::readResults) readResults = nullptr;
    decltype(&kernels::cuda::firstBitWord) firstBitWord = nullptr;
    decltype(&kernels::cuda::selectedBits) selectedBits = nullptr;
    decltype(&kernels::cuda::topGradientSums) topGradientSums = nullptr;
    decltype(&kernels::cuda::arrayListBytes) arrayListBytes = nullptr;
    decltype(&kernels::cuda::uploadArrays) uploadArrays = nullptr;
    decltype(&kernels::cuda::uploadArrayPairs) uploadArrayPairs = nullptr;
    decltype(&kernels::cuda::sumsOfSquares) sumsOfSquares = nullptr;
    decltype(&kernels::cuda::drifts) drifts = nullptr;
};

/// extern "C" const CudaPlugin* mofoCudaPlugin(): the table, which lives as long as the library.
using CudaPluginFunction = const CudaPlugin* (*)();

}  // namespace mofo
