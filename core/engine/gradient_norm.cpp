#include "core/engine/gradient_norm.h"

#include <cmath>

#include "core/engine/optimizer.h"
#include "kernels/include/statistics.h"

namespace mofo {

GradientNorm::GradientNorm(const std::vector<ParameterInfo>& infos) {
    std::vector<std::int64_t> sizes;
    for (const ParameterInfo& info : infos) sizes.push_back(info.elementCount());
    m_workspace.resize(kernels::cpu::statisticsWorkspaceBytes(sizes));
}

double GradientNorm::operator()(const ParameterArena& gradients, const std::vector<bool>& leftOut) {
    const bool host = gradients.flat().is_cpu();
    std::vector<kernels::Array> arrays;
    std::vector<at::Tensor> norms;
    for (std::size_t i = 0; i < gradients.count(); ++i) {
        if (leftOut[i]) continue;
        const at::Tensor& gradient = gradients.view(i);
        if (host) {
            arrays.push_back({gradient.const_data_ptr<float>(), gradient.numel()});
        } else {
            norms.push_back(at::linalg_vector_norm(gradient, 2, std::nullopt, false, at::kDouble));
        }
    }
    if (!host) return at::linalg_vector_norm(at::stack(norms)).item<double>();
    std::vector<double> sums(arrays.size());
    const bool summed = kernels::cpu::sumsOfSquares(arrays, sums, m_workspace, torchExecution());
    TORCH_CHECK(summed, "the norm kernel refused its arguments");
    double squares = 0;
    for (const double sum : sums) squares += sum;
    return std::sqrt(squares);
}

}  // namespace mofo
