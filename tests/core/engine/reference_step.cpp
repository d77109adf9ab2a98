#include "tests/core/engine/reference_step.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "tests/support/test_support.h"

namespace mofo::test {

namespace {

at::Tensor sliceView(const at::Tensor& flat, const Slice& slice) {
    return flat.as_strided({slice.rows, slice.length}, {slice.rows > 1 ? slice.stride : slice.length, 1}, flat.storage_offset() + slice.begin);
}

}  // namespace

ReferenceStep::ReferenceStep(const ModelSource& source) : m_source(source) {
    for (std::size_t i = 0; i < source.parameters().size(); ++i) {
        const std::int64_t n = source.parameters()[i].elementCount();
        at::Tensor weights = at::empty({n}, at::kFloat);
        EXPECT_OK(source.readParameter(i, std::span(weights.data_ptr<float>(), static_cast<std::size_t>(n))));
        p0.push_back(weights.clone());
        p.push_back(weights);
        for (auto* list : {&g, &m, &v}) list->push_back(at::zeros({n}, at::kFloat));
    }
}

std::vector<at::Tensor> ReferenceStep::masksOf(const RunConfig& config, const std::vector<at::Tensor>& ranks) const {
    std::vector<at::Tensor> masks;
    for (const at::Tensor& rank : ranks) masks.push_back(at::ones_like(rank, at::kBool));
    if (!selectsCoordinates(config.optimizer)) return masks;
    const auto filtered = filteredParameters(m_source.parameters(), config.filterInclude, config.filterExclude);
    auto partitions = partitionsOf(m_source.description(), m_source.parameters(), config.granularity, filtered);
    EXPECT_OK(partitions);
    for (const Partition& partition : *partitions) {
        std::vector<at::Tensor> pieces;
        for (const Slice& slice : partition.slices) pieces.push_back(sliceView(ranks[static_cast<std::size_t>(slice.parameter)], slice).flatten());
        const auto k =
            std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(config.alpha.common.from * static_cast<double>(partition.elementCount))));
        const at::Tensor threshold = std::get<0>(at::topk(at::cat(pieces), k)).min();
        for (const Slice& slice : partition.slices) {
            const auto i = static_cast<std::size_t>(slice.parameter);
            sliceView(masks[i], slice).copy_(sliceView(ranks[i], slice) >= threshold);
        }
    }
    return masks;
}

std::vector<at::Tensor> ReferenceStep::step(const RunConfig& config, std::int64_t t, double lr, double gradScale, const std::vector<bool>& frozen,
                                            const std::vector<at::Tensor>& givenMasks) {
    const auto float32 = [](double value) { return static_cast<double>(static_cast<float>(value)); };
    const double time = static_cast<double>(t), root = float32(std::sqrt(1 - std::pow(config.beta2, time)));
    const std::vector<bool> decayed = decayedParameters(m_source.parameters());
    std::vector<at::Tensor> ranks, denominators;
    for (std::size_t i = 0; i < p.size(); ++i) {
        const at::Tensor gradient = g[i] * float32(gradScale);
        if (frozen.empty() || !frozen[i]) {
            m[i].lerp_(gradient, float32(1 - config.beta1));
            v[i].mul_(float32(config.beta2)).addcmul_(gradient, gradient, float32(1 - config.beta2));
        }
        denominators.push_back(v[i].to(at::kDouble).sqrt().to(at::kFloat).div_(root).add_(float32(config.eps)));
        ranks.push_back(config.rule == SelectionRule::Gradient           ? gradient.abs()
                        : config.rule == SelectionRule::MomentumOverRoot ? (m[i] / denominators[i]).abs()
                                                                         : m[i].abs());
    }
    std::vector<at::Tensor> masks = givenMasks.empty() ? masksOf(config, ranks) : givenMasks;
    for (std::size_t i = 0; i < p.size(); ++i) {
        if (!frozen.empty() && frozen[i]) continue;
        if (decayed[i]) {
            const at::Tensor distance = p[i] - p0[i];
            p[i] -= distance * (lr * config.l2);
            p[i] -= distance.sign() * (lr * config.l1);
            p[i] *= float32(1 - lr * config.weightDecay);
        }
        p[i].addcdiv_(at::where(masks[i], m[i], 0.0), denominators[i], float32(-lr / (1 - std::pow(config.beta1, time))));
    }
    return masks;
}

}  // namespace mofo::test
