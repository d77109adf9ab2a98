// libmofo_cuda.so: linked with libtorch_cuda, so that opening it before the first call of ATen registers CUDA with libtorch_cpu. mofo-engine
// opens it only where a GPU was asked for and can be used; all others need none of CUDA's 2.7 GB.
#include "core/engine/cuda_plugin.h"

#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <exception>

namespace mofo {

namespace {

std::string describe(cudaError_t error, const char* doing) {
    return error == cudaSuccess ? std::string() : std::string(doing) + ": " + cudaGetErrorString(error);
}

/// Null, the default stream, if LibTorch knows no such device: it is the caller's own choice of device that failed before.
void* currentStream(int device) {
    try {
        return c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device)).stream();
    } catch (const std::exception&) {
        return nullptr;
    }
}

std::byte* allocatePinned(std::size_t bytes) {
    void* memory = nullptr;
    return cudaHostAlloc(&memory, bytes, cudaHostAllocDefault) == cudaSuccess ? static_cast<std::byte*>(memory) : nullptr;
}

void freePinned(std::byte* memory) { (void)cudaFreeHost(memory); }

std::string copy(void* to, const void* from, std::size_t bytes, void* stream) {
    return describe(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, static_cast<cudaStream_t>(stream)), "while copying to or from the device");
}

std::string synchronize(void* stream) { return describe(cudaStreamSynchronize(static_cast<cudaStream_t>(stream)), "while waiting for the device"); }

constexpr CudaPlugin plugin{
    .version = cudaPluginVersion,
    .currentStream = currentStream,
    .allocatePinned = allocatePinned,
    .freePinned = freePinned,
    .copy = copy,
    .synchronize = synchronize,
    .makeDevicePlan = kernels::cuda::makeDevicePlan,
    .destroyDevicePlan = kernels::cuda::destroyDevicePlan,
    .planBytes = kernels::cuda::planBytes,
    .uploadPlan = kernels::cuda::uploadPlan,
    .step = kernels::cuda::step,
    .copyResults = kernels::cuda::copyResults,
    .readResults = kernels::cuda::readResults,
    .firstBitWord = kernels::cuda::firstBitWord,
    .selectedBits = kernels::cuda::selectedBits,
    .topGradientSums = kernels::cuda::topGradientSums,
    .arrayListBytes = kernels::cuda::arrayListBytes,
    .uploadArrays = kernels::cuda::uploadArrays,
    .uploadArrayPairs = kernels::cuda::uploadArrayPairs,
    .sumsOfSquares = kernels::cuda::sumsOfSquares,
    .drifts = kernels::cuda::drifts,
};

}  // namespace

}  // namespace mofo

extern "C" const mofo::CudaPlugin* mofoCudaPlugin() { return &mofo::plugin; }
