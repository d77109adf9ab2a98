#pragma once

#include <cuda_runtime_api.h>

#include <string>

namespace mofo::kernels::cuda {

/// "while launching the optimizer step: invalid argument", or nothing.
[[nodiscard]] inline std::string describe(cudaError_t error, const char* doing) {
    return error == cudaSuccess ? std::string() : std::string(doing) + ": " + cudaGetErrorString(error);
}

}  // namespace mofo::kernels::cuda
