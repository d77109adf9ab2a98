#include "kernels/cuda/format_kernels.cuh"

namespace mofo::kernels::cuda {

const FormatKernels fp32Kernels = kernelsOfFormat<Format::Fp32>;

}  // namespace mofo::kernels::cuda
