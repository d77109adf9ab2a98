// What the optimizer benchmark compares with: LibTorch's fused AdamW, and MoFO composed of LibTorch's operations as its authors do.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/engine/bench_workload.h"
#include "kernels/include/optimizer_step.h"

namespace mofo {

/// at::_fused_adamw_ over the fp32 arrays of a workload.
class FusedAdamW {
public:
    explicit FusedAdamW(BenchWorkload& work);
    /// The step's number, which LibTorch takes as tensors; not part of what is timed.
    void setStep(std::int64_t step);
    void step(const kernels::Hyperparameters& values);

private:
    std::vector<at::Tensor> m_weights, m_gradients, m_first, m_second, m_steps;
};

/// MoFO in fp32 as a plain composition: in every partition topk over |m|, the smallest of them as the threshold, mask, where, addcdiv; one partition
/// after another, as its authors do. `batched`: equal partitions side by side in a tensor (rows, blocks) share one topk over the rows of a view, as
/// anybody would write it who has a hundred thousand of them.
class ComposedMofo {
public:
    ComposedMofo(BenchWorkload& work, const kernels::StepPlan& plan, const std::vector<std::int64_t>& k, bool batched);
    void step(const kernels::Hyperparameters& values, std::int64_t step);
    /// Bytes that LibTorch's topk and the temporaries of a step take at most.
    [[nodiscard]] std::int64_t scratchBytes() const;

private:
    /// One topk: views of the same shapes into m, v and p. Several where a partition has several slices, else one of [partitions, size].
    struct Selection {
        std::vector<at::Tensor> m, v, p;
        std::int64_t k = 0;
        bool batched = false;  ///< each row of the view is a partition
        std::int64_t coordinates = 0, rowLength = 0;
    };
    BenchWorkload& m_work;
    std::vector<Selection> m_selections;
    std::vector<std::size_t> m_whole;  ///< tensors outside of any partition
};

}  // namespace mofo
