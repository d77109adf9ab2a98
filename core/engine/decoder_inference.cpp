// Several generations side by side.
#include <algorithm>
#include <cmath>

#include "core/engine/decoder.h"

namespace mofo {

BatchKvCache::BatchKvCache(const Decoder& decoder, std::int64_t rows, std::int64_t capacity)
    : m_capacity(capacity), m_lengths(static_cast<std::size_t>(rows), 0) {
    const ModelDescription& model = decoder.model();
    const auto options = decoder.activationOptions();
    for (std::int64_t layer = 0; layer < model.layerCount; ++layer) {
        // Zeros: what lies behind a row's end is masked, and 0 times something that is not a number would not be.
        m_keys.push_back(at::zeros({rows, model.kvHeadCount, capacity, model.headSize}, options));
        m_values.push_back(at::zeros({rows, model.kvHeadCount, capacity, model.headSize}, options));
    }
}

KvCache BatchKvCache::row(std::int64_t index) const {
    KvCache cache(m_capacity);
    for (std::size_t l = 0; l < m_keys.size(); ++l) {
        cache.m_keys.push_back(m_keys[l].select(0, index).transpose(0, 1));
        cache.m_values.push_back(m_values[l].select(0, index).transpose(0, 1));
    }
    return cache;
}

void BatchKvCache::keepRows(const std::vector<std::int64_t>& rows) {
    const at::Tensor kept = at::tensor(rows, at::kLong).to(m_keys.front().device());
    std::vector<std::int64_t> lengths;
    for (const std::int64_t row : rows) lengths.push_back(m_lengths[static_cast<std::size_t>(row)]);
    m_lengths = std::move(lengths);
    for (std::size_t l = 0; l < m_keys.size(); ++l) {
        m_keys[l] = m_keys[l].index_select(0, kept);
        m_values[l] = m_values[l].index_select(0, kept);
    }
}

at::Tensor Decoder::nextLogits(const at::Tensor& ids, BatchKvCache& cache) const {
    const std::int64_t rows = ids.size(0), heads = m_model.headCount, kvHeads = m_model.kvHeadCount, headSize = m_model.headSize;
    const std::int64_t group = heads / kvHeads;
    const ProductRounding rounding(m_options.precision);
    const std::int64_t seen = *std::max_element(cache.m_lengths.begin(), cache.m_lengths.end()) + 1;
    const RopeTable& rope = ropeFor(seen);
    const at::Tensor positions = at::tensor(cache.m_lengths, at::kLong).to(ids.device());
    const at::Tensor behind = at::arange(seen, positions.options()).unsqueeze(0).gt(positions.unsqueeze(1)).view({rows, 1, 1, seen});
    at::Tensor x = embed(ids);
    for (std::size_t l = 0; l < m_layers.size(); ++l) {
        const LayerWeights& w = m_layers[l];
        const at::Tensor normal = norm(x, w.inputNorm).y;
        at::Tensor qkv = project(normal, w.query, 3, nullptr).view({rows, heads + 2 * kvHeads, headSize});
        applyRope(qkv, heads + kvHeads, positions, rope, 1);
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t at = cache.m_lengths[static_cast<std::size_t>(r)];
            cache.m_keys[l].select(0, r).select(1, at).copy_(qkv.select(0, r).narrow(0, heads, kvHeads));
            cache.m_values[l].select(0, r).select(1, at).copy_(qkv.select(0, r).narrow(0, heads + kvHeads, kvHeads));
        }
        // [rows kvHeads, group, D] x [rows kvHeads, D, seen]: the query heads of a group share their keys.
        const at::Tensor query = qkv.narrow(1, 0, heads).reshape({rows * kvHeads, group, headSize});
        const at::Tensor keys = cache.m_keys[l].narrow(2, 0, seen).reshape({rows * kvHeads, seen, headSize});
        const at::Tensor values = cache.m_values[l].narrow(2, 0, seen).reshape({rows * kvHeads, seen, headSize});
        at::Tensor scores = at::bmm(query, keys.transpose(1, 2)).mul_(1.0 / std::sqrt(static_cast<double>(headSize)));
        scores = scores.view({rows, kvHeads, group, seen}).masked_fill_(behind, -INFINITY);
        const at::Tensor attended = at::bmm(at::softmax(scores, -1, at::kFloat).to(query.scalar_type()).view({rows * kvHeads, group, seen}), values)
                                        .reshape({rows, heads * headSize});
        const at::Tensor middle = projectOnto(x, attended, w.output, nullptr);
        const at::Tensor post = norm(middle, w.postNorm).y;
        x = projectOnto(middle, swiGlu(project(post, w.gate, 2, nullptr)), w.down, nullptr);
    }
    for (std::int64_t& length : cache.m_lengths) ++length;
    return headProduct(x);
}

}  // namespace mofo
