#include "kernels/cuda/format_kernels.cuh"

namespace mofo::kernels::cuda {

const FormatKernels bf16MasterKernels = kernelsOfFormat<Format::Bf16Master>;

}  // namespace mofo::kernels::cuda
