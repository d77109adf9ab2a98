// A table of functions as libmofo_cuda.so gives it, that does the step with the CPU's kernels: "device memory" is host memory, and what is handed
// over is checked as strictly as a GPU would, so that only what was uploaded is read.
#pragma once

#include <string>
#include <vector>

#include "core/engine/cuda_plugin.h"

namespace mofo::test {

[[nodiscard]] CudaPlugin fakeCudaPlugin();

/// Names of the functions that were called since it was cleared.
extern std::vector<std::string> g_cudaCalls;
/// The function that fails ("no such thing"); empty: none.
extern std::string g_failingCudaCall;

}  // namespace mofo::test
