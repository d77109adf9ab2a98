#include "kernels/cuda/format_kernels.cuh"

namespace mofo::kernels::cuda {

const FormatKernels bf16Kernels = kernelsOfFormat<Format::Bf16>;

}  // namespace mofo::kernels::cuda
