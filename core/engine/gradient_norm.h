// The L2 norm of a model's gradient, which clipping and the refusal of non-finite steps go by.
#pragma once

#include <cstddef>
#include <vector>

#include "core/engine/parameter_set.h"

namespace mofo {

class GradientNorm {
public:
    /// `infos`: of the arenas that it will be asked about.
    explicit GradientNorm(const std::vector<ParameterInfo>& infos);
    /// Of all tensors but those `leftOut`: a frozen tensor has no gradient, as far as clipping goes. Summed in double; finite exactly if all of these
    /// gradients are. On the CPU the same bits for every number of threads. May throw what LibTorch throws.
    [[nodiscard]] double operator()(const ParameterArena& gradients, const std::vector<bool>& leftOut);

private:
    std::vector<std::byte> m_workspace;
};

}  // namespace mofo
