// The step as mofo.md writes it, in LibTorch's operations, tensor by tensor: what the kernels are compared with.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "core/config/run_config.h"
#include "core/model/model_source.h"
#include "core/model/partition.h"

namespace mofo::test {

/// Weights, gradients and moments of a model, each tensor flat, and the step over them. Threshold by topk. The square root is the correctly rounded
/// one (taken in double), which LibTorch's own is not always, so that everything must equal the kernels' bit for bit.
class ReferenceStep {
public:
    explicit ReferenceStep(const ModelSource& source);
    /// Settings, `frozen` and `masks` (empty: by the rule) may differ from step to step. Gives each tensor's mask.
    std::vector<at::Tensor> step(const RunConfig& config, std::int64_t t, double lr, double gradScale, const std::vector<bool>& frozen = {},
                                 const std::vector<at::Tensor>& masks = {});

    std::vector<at::Tensor> p, g, m, v, p0;

private:
    std::vector<at::Tensor> masksOf(const RunConfig& config, const std::vector<at::Tensor>& ranks) const;
    const ModelSource& m_source;
};

}  // namespace mofo::test
