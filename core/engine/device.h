// The device a run computes on.
#pragma once

#include <c10/core/Device.h>

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

struct CudaPlugin;

/// Loads LibTorch's CUDA libraries (libmofo_cuda.so beside the program, which links them) where `device` is cuda-N and the driver can be
/// used. Must run before anything else of LibTorch. `cpu` loads nothing. A GPU that cannot be used is DeviceUnusable with the probe's sentence.
Result<void> prepareDevice(std::string_view device);
/// The kernels of the library that prepareDevice loaded; null where it loaded none.
[[nodiscard]] const CudaPlugin* cudaPlugin();
/// "cpu" or "cuda-N", after prepareDevice.
Result<c10::Device> torchDevice(std::string_view device);
/// Whether this processor has instructions for products of bf16 numbers (AVX-512 BF16; all with AMX have it).
[[nodiscard]] bool multipliesBf16();
/// "AMD EPYC, 2 threads" or the GPU's name.
[[nodiscard]] std::string deviceLabel(c10::Device device);

}  // namespace mofo
