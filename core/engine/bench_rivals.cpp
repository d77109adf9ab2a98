#include "core/engine/bench_rivals.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_adamw.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

namespace mofo {

FusedAdamW::FusedAdamW(BenchWorkload& work) {
    for (std::size_t i = 0; i < work.parameters().size(); ++i) {
        m_weights.push_back(work.weights().view(i));
        m_gradients.push_back(work.gradients().view(i));
        m_first.push_back(work.firstMoments().view(i));
        m_second.push_back(work.secondMoments().view(i));
        m_steps.push_back(at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(work.device())));
    }
}

void FusedAdamW::setStep(std::int64_t step) {
    for (at::Tensor& tensor : m_steps) tensor.fill_(static_cast<double>(step));
}

void FusedAdamW::step(const kernels::Hyperparameters& values) {
    const c10::NoGradGuard noGrad;
    at::_fused_adamw_(m_weights, m_gradients, m_first, m_second, {}, m_steps, values.lr, values.beta1, values.beta2, values.weightDecay, values.eps,
                      /*amsgrad=*/false, /*maximize=*/false);
}

ComposedMofo::ComposedMofo(BenchWorkload& work, const kernels::StepPlan& plan, const std::vector<std::int64_t>& k, bool batched) : m_work(work) {
    const auto viewsOf = [&](std::size_t tensor, at::IntArrayRef sizes, at::IntArrayRef strides, std::int64_t begin, Selection& selection) {
        const auto view = [&](ParameterArena& arena) { return arena.flat().as_strided(sizes, strides, arena.offset(tensor) + begin); };
        selection.m.push_back(view(work.firstMoments()));
        selection.v.push_back(view(work.secondMoments()));
        selection.p.push_back(view(work.weights()));
    };
    const auto single = [&](std::int64_t partition) { return plan.firstSlice[partition + 1] - plan.firstSlice[partition] == 1; };
    const auto sliceOf = [&](std::int64_t partition) -> const kernels::Slice& { return plan.slices[plan.firstSlice[partition]]; };
    for (std::int64_t i = 0; i < plan.partitionCount();) {
        Selection selection;
        selection.k = k[i];
        if (batched && single(i) && sliceOf(i).rows == 1) {
            const kernels::Slice& first = sliceOf(i);
            std::int64_t count = 1;
            while (i + count < plan.partitionCount() && single(i + count) && k[i + count] == selection.k) {
                const kernels::Slice& next = sliceOf(i + count);
                if (next.tensor != first.tensor || next.rows != 1 || next.length != first.length || next.begin != first.begin + count * first.length)
                    break;
                ++count;
            }
            viewsOf(static_cast<std::size_t>(first.tensor), {count, first.length}, {first.length, 1}, first.begin, selection);
            selection.batched = true;
            selection.coordinates = count * first.length;
            selection.rowLength = first.length;
            i += count;
        } else {
            for (std::int64_t s = plan.firstSlice[i]; s < plan.firstSlice[i + 1]; ++s) {
                const kernels::Slice& slice = plan.slices[s];
                viewsOf(static_cast<std::size_t>(slice.tensor), {slice.rows, slice.length}, {slice.rows > 1 ? slice.stride : slice.length, 1},
                        slice.begin, selection);
            }
            selection.coordinates = selection.rowLength = plan.sizes[i];
            ++i;
        }
        m_selections.push_back(std::move(selection));
    }
    for (std::size_t i = 0; i < work.filtered().size(); ++i)
        if (!work.filtered()[i]) m_whole.push_back(i);
}

void ComposedMofo::step(const kernels::Hyperparameters& values, std::int64_t step) {
    const c10::NoGradGuard noGrad;
    const double firstCorrection = 1 - std::pow(values.beta1, static_cast<double>(step));
    const double rootCorrection = std::sqrt(1 - std::pow(values.beta2, static_cast<double>(step)));
    for (std::size_t i = 0; i < m_work.parameters().size(); ++i) {
        const at::Tensor& g = m_work.gradients().view(i);
        m_work.firstMoments().view(i).lerp_(g, 1 - values.beta1);
        m_work.secondMoments().view(i).mul_(values.beta2).addcmul_(g, g, 1 - values.beta2);
    }
    const auto move = [&](const at::Tensor& p, const at::Tensor& m, const at::Tensor& v) {
        p.addcdiv_(m, v.sqrt().div_(rootCorrection).add_(values.eps), -values.lr / firstCorrection);
    };
    for (const std::size_t i : m_whole) move(m_work.weights().view(i), m_work.firstMoments().view(i), m_work.secondMoments().view(i));
    for (const Selection& selection : m_selections) {
        std::vector<at::Tensor> magnitudes;
        for (const at::Tensor& m : selection.m) magnitudes.push_back(m.abs());
        at::Tensor ranked = magnitudes.front();
        if (!selection.batched) {
            std::vector<at::Tensor> flat;
            for (const at::Tensor& magnitude : magnitudes) flat.push_back(magnitude.reshape({-1}));
            ranked = flat.size() == 1 ? flat.front() : at::cat(flat);
        }
        const at::Tensor largest = std::get<0>(at::topk(ranked, selection.k, -1, /*largest=*/true, /*sorted=*/false));
        const at::Tensor threshold = selection.batched ? largest.amin({-1}, /*keepdim=*/true) : largest.min();
        for (std::size_t s = 0; s < selection.m.size(); ++s)
            move(selection.p[s], at::where(magnitudes[s] >= threshold, selection.m[s], 0.0), selection.v[s]);
    }
}

std::int64_t ComposedMofo::scratchBytes() const {
    std::int64_t most = 0;
    for (const Selection& selection : m_selections) {
        // |m|, its copy in one piece, where's result, the denominator and the mask; topk's values and 64-bit indices; its pairs of a row.
        const std::int64_t chosen = selection.coordinates / selection.rowLength * selection.k;
        most = std::max(most, 17 * selection.coordinates + 12 * chosen + 16 * selection.rowLength * at::get_num_threads());
    }
    return most;
}

}  // namespace mofo
