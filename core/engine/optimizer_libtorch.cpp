// The step as a composition of LibTorch's own operations, for devices without a kernel of ours: the same arithmetic, the threshold by topk.
#include <ATen/ATen.h>

#include "core/engine/optimizer.h"

namespace mofo {

namespace {

/// The elements of a slice as a view [rows, length] of its tensor.
at::Tensor sliceView(const at::Tensor& tensor, const kernels::Slice& slice) {
    return tensor.as_strided({slice.rows, slice.length}, {slice.rows > 1 ? slice.stride : slice.length, 1}, tensor.storage_offset() + slice.begin);
}

}  // namespace

Result<void> Optimizer::stepByLibTorch() {
    const kernels::StepScalars& scalars = m_scalars;
    const std::size_t count = m_infos.size();
    const auto scaled = [&](std::size_t i) { return m_gradients.view(i) * scalars.gradScale; };
    for (std::size_t i = 0; i < count; ++i) {
        if (m_frozen[i] || !at::lerp(m_first.view(i), scaled(i), scalars.momentWeight).isnan().any().item<bool>()) continue;
        reportNan();
        return {};
    }
    if (pulls()) pull(m_weights, 0, count);
    std::vector<at::Tensor> ranks(count), masks(count), roots(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (m_frozen[i]) continue;
        const at::Tensor g = scaled(i), &m = m_first.view(i), &v = m_second.view(i);
        m.lerp_(g, scalars.momentWeight);
        v.mul_(scalars.beta2).addcmul_(g, g, scalars.squareWeight);
        roots[i] = v.sqrt().div_(scalars.rootCorrection).add_(scalars.eps);
        masks[i] = at::ones_like(m, at::kBool);
        if (rule() == kernels::Rule::Momentum) ranks[i] = m.abs();
        if (rule() == kernels::Rule::Gradient) ranks[i] = g.abs();
        if (rule() == kernels::Rule::MomentumOverRoot) ranks[i] = (m / roots[i]).abs();
    }
    for (std::size_t i = 0; i < m_partitions.size(); ++i) {
        const std::span<const kernels::Slice> slices(m_plan.slices.begin() + m_plan.firstSlice[i], m_plan.slices.begin() + m_plan.firstSlice[i + 1]);
        std::vector<at::Tensor> pieces;
        for (const kernels::Slice& slice : slices) pieces.push_back(sliceView(ranks[static_cast<std::size_t>(slice.tensor)], slice).reshape({-1}));
        const at::Tensor threshold = std::get<0>(at::topk(at::cat(pieces), m_k[i], 0, true, false)).min();
        kernels::PartitionResult result;
        result.threshold = threshold.item<float>();
        result.k = m_k[i];
        for (const kernels::Slice& slice : slices) {
            const auto tensor = static_cast<std::size_t>(slice.tensor);
            const at::Tensor keep = sliceView(ranks[tensor], slice) >= threshold,
                             moves = keep.logical_and(sliceView(m_first.view(tensor), slice) != 0);
            sliceView(masks[tensor], slice).copy_(keep);
            result.masked += keep.sum().item<std::int64_t>();
            result.selected += moves.sum().item<std::int64_t>();
        }
        m_outcome.partitions[i] = result;
    }
    for (std::size_t i = 0; i < count; ++i) {
        kernels::TensorResult& result = m_outcome.tensors[i] = {};
        if (m_frozen[i]) continue;
        const at::Tensor &m = m_first.view(i), &p = m_weights.view(i), moves = masks[i].logical_and(m != 0);
        result.masked = masks[i].sum().item<std::int64_t>();
        result.selected = moves.sum().item<std::int64_t>();
        if (scalars.decay != 1.0f && m_decayed[i]) p.copy_(m_settings.decaySelectedOnly ? at::where(moves, p * scalars.decay, p) : p * scalars.decay);
        p.addcdiv_(at::where(moves, m, at::zeros_like(m)), roots[i], scalars.stepSize);
    }
    m_outcome.histograms.clear();
    m_momentsFinite = true;
    return {};
}

}  // namespace mofo
