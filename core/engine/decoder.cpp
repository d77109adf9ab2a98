#include "core/engine/decoder.h"

#include <algorithm>
#include <cmath>

#include "core/engine/part_timer.h"

namespace mofo {

namespace {

// Rows of logits computed at once. Small enough that a chunk (25 MB at 49,152 words) stays in a last-level cache, large enough for the
// matrix multiplication to run at full speed; never a tokens x vocabulary matrix.
constexpr std::int64_t kHeadChunk = 128;

/// Neighbouring rows of equal length, from token `begin` on.
struct RowRun {
    std::int64_t begin, rows, length;
};
std::vector<RowRun> rowRuns(const PackedBatch& batch) {
    std::vector<RowRun> runs;
    for (std::int64_t r = 0; r < batch.rowCount(); ++r) {
        const std::int64_t length = batch.rowStart[r + 1] - batch.rowStart[r];
        if (!runs.empty() && runs.back().length == length) {
            ++runs.back().rows;
        } else {
            runs.push_back({batch.rowStart[r], 1, length});
        }
    }
    return runs;
}

}  // namespace

KvCache::KvCache(const Decoder& decoder, std::int64_t capacity) : m_capacity(capacity) {
    const ModelDescription& model = decoder.model();
    const auto options = decoder.activationOptions();
    for (std::int64_t layer = 0; layer < model.layerCount; ++layer) {
        m_keys.push_back(at::empty({capacity, model.kvHeadCount, model.headSize}, options));
        m_values.push_back(at::empty({capacity, model.kvHeadCount, model.headSize}, options));
    }
}

/// What one layer's backward pass needs of its forward pass. Residual streams are fp32, the rest of the decoder's dtype.
struct Decoder::LayerState {
    at::Tensor input;  ///< [T, H] residual stream before the layer
    RmsNormResult inputNorm;
    at::Tensor qkv;                          ///< [T, heads + 2 kvHeads, D], rotated
    std::vector<AttentionResult> attention;  ///< per run of equally long rows
    at::Tensor attended;                     ///< [T, heads * D]
    at::Tensor middle;                       ///< [T, H] residual stream after attention
    RmsNormResult postNorm;
    at::Tensor gateUp;  ///< [T, 2 I]
};

/// Where the tokens of a batch stand.
struct Decoder::Rows {
    at::Tensor positions;  ///< [T] int64
    std::vector<RowRun> runs;
    const RopeTable& rope;
};

Decoder::Decoder(const ModelDescription& model, const std::vector<ParameterInfo>& infos, const ParameterArena& weights, const LoraAdapter* adapter,
                 DecoderOptions options)
    : m_model(model), m_weights(weights), m_matrices(weights, options.precision), m_adapter(adapter), m_options(options) {
    m_layers.resize(static_cast<std::size_t>(model.layerCount));
    for (std::size_t i = 0; i < infos.size(); ++i) {
        const ParameterInfo& info = infos[i];
        if (info.layer < 0) {
            if (info.kind == ModuleKind::Embedding) m_embedding = i;
            if (info.kind == ModuleKind::Norm) m_finalNorm = i;
            if (info.kind == ModuleKind::Head) m_head = i;
            continue;
        }
        LayerWeights& layer = m_layers[static_cast<std::size_t>(info.layer)];
        switch (info.kind) {
            case ModuleKind::Query: layer.query = i; break;
            case ModuleKind::Output: layer.output = i; break;
            case ModuleKind::Gate: layer.gate = i; break;
            case ModuleKind::Down: layer.down = i; break;
            case ModuleKind::Norm: (info.name.find("input_layernorm") != std::string::npos ? layer.inputNorm : layer.postNorm) = i; break;
            default: break;
        }
    }
    if (model.tiedHead) m_head = m_embedding;
}

at::Tensor Decoder::headMatrix() const { return m_weights.view(m_head); }
at::Tensor Decoder::embed(const at::Tensor& ids) const { return m_weights.view(m_embedding).index_select(0, ids); }

const RopeTable& Decoder::ropeFor(std::int64_t length) const {
    if (!m_rope.cosine.defined() || m_rope.cosine.size(0) < length) {
        m_rope = makeRopeTable(m_model.rope, m_model.headSize, std::max<std::int64_t>(length, 512), m_weights.flat().device());
    }
    return m_rope;
}

AttentionResult Decoder::attendRow(const at::Tensor& qkv, std::int64_t begin, std::int64_t rows, std::int64_t length) const {
    const at::Tensor run = qkv.narrow(0, begin, rows * length).view({rows, length, qkv.size(1), qkv.size(2)});
    return causalAttention(run.narrow(2, 0, m_model.headCount), run.narrow(2, m_model.headCount, m_model.kvHeadCount),
                           run.narrow(2, m_model.headCount + m_model.kvHeadCount, m_model.kvHeadCount));
}

at::Tensor Decoder::project(const at::Tensor& x, std::size_t first, std::size_t count, const LoraDropout* dropout) const {
    at::Tensor y = at::mm(x, m_matrices.rows(first, count).t());
    if (m_adapter != nullptr) m_adapter->addOutputs(first, count, x, y, dropout);
    return y;
}

at::Tensor Decoder::projectOnto(const at::Tensor& residual, const at::Tensor& x, std::size_t index, const LoraDropout* dropout) const {
    const at::Tensor matrix = m_matrices.rows(index, 1).t();
    at::Tensor y = x.scalar_type() == residual.scalar_type() ? at::addmm(residual, x, matrix) : at::add(residual, at::mm(x, matrix));
    if (m_adapter != nullptr) m_adapter->addOutputs(index, 1, x, y, dropout);
    return y;
}

at::Tensor Decoder::projectBackward(const at::Tensor& dy, const at::Tensor& x, std::size_t first, std::size_t count, ParameterArena& gradients,
                                    const LoraDropout* dropout) const {
    const at::Tensor gradient = dy.to(x.scalar_type());
    if (m_adapter == nullptr) addProduct(gradients.rows(first, count), gradient.t(), x);
    at::Tensor dx = at::mm(gradient, m_matrices.rows(first, count));
    if (m_adapter != nullptr) m_adapter->addGradients(first, count, x, gradient, dx, gradients, dropout);
    return dx;
}

void Decoder::addNormGradients(const at::Tensor& dy, const at::Tensor& x, std::size_t weight, const at::Tensor& inverseRms, at::Tensor& dx,
                               ParameterArena& gradients) const {
    at::Tensor dWeight = m_adapter == nullptr ? gradients.view(weight) : at::zeros_like(m_weights.view(weight));
    rmsNormBackward(dy, x, m_weights.view(weight), inverseRms, dx, dWeight);
}

RmsNormResult Decoder::norm(const at::Tensor& x, std::size_t weight) const {
    return rmsNorm(x, m_weights.view(weight), m_model.normEpsilon, m_matrices.dtype());
}

Decoder::Rows Decoder::rowsOf(const PackedBatch& batch) const {
    std::int64_t longest = 1;
    for (std::int64_t r = 0; r < batch.rowCount(); ++r) longest = std::max(longest, batch.rowStart[r + 1] - batch.rowStart[r]);
    return {rowPositions(batch, m_weights.flat().device()), rowRuns(batch), ropeFor(longest)};
}

void Decoder::computeState(const LayerWeights& w, const Rows& rows, LayerState& state, const LoraDropout* dropout) const {
    const std::int64_t tokens = state.input.size(0), heads = m_model.headCount, kvHeads = m_model.kvHeadCount, headSize = m_model.headSize;
    state.inputNorm = norm(state.input, w.inputNorm);
    state.qkv = project(state.inputNorm.y, w.query, 3, dropout).view({tokens, heads + 2 * kvHeads, headSize});
    applyRope(state.qkv, heads + kvHeads, rows.positions, rows.rope, 1);
    state.attended = at::empty({tokens, heads * headSize}, state.qkv.options());
    for (const RowRun& run : rows.runs) {
        AttentionResult attention = attendRow(state.qkv, run.begin, run.rows, run.length);
        // One copy serves the projection and the backward pass.
        const at::Tensor kept = state.attended.narrow(0, run.begin, run.rows * run.length).view({run.rows, run.length, heads, headSize});
        kept.copy_(attention.out);
        state.attention.push_back({kept, attention.saved});
    }
    state.middle = projectOnto(state.input, state.attended, w.output, dropout);
    state.postNorm = norm(state.middle, w.postNorm);
    state.gateUp = project(state.postNorm.y, w.gate, 2, dropout);
}

at::Tensor Decoder::layerOutput(const LayerWeights& w, const LayerState& state, const LoraDropout* dropout) const {
    return projectOnto(state.middle, swiGlu(state.gateUp), w.down, dropout);
}

at::Tensor Decoder::runLayers(at::Tensor x, const Rows& rows, std::vector<LayerState>* states, const LoraDropout* dropout) const {
    for (const LayerWeights& w : m_layers) {
        LayerState state;
        state.input = x;
        computeState(w, rows, state, dropout);
        x = layerOutput(w, state, dropout);
        if (states == nullptr) continue;
        if (m_options.recompute == Recompute::Layer) {
            LayerState begin;
            begin.input = state.input;
            states->push_back(std::move(begin));
        } else {
            states->push_back(std::move(state));
        }
    }
    return x;
}

double Decoder::addGradients(const PackedBatch& batch, ParameterArena& gradients, const LoraDropout* dropout, PassTimes* times) const {
    const std::int64_t heads = m_model.headCount, kvHeads = m_model.kvHeadCount, headSize = m_model.headSize;
    const ProductRounding rounding(m_options.precision);
    const Rows rows = rowsOf(batch);
    std::vector<LayerState> states;
    states.reserve(m_layers.size());
    const auto part = [&](double PassTimes::*ms) { return times != nullptr ? &(times->*ms) : nullptr; };
    at::Tensor last;
    {
        const PartTimer timer("forward", part(&PassTimes::forwardMs));
        last = runLayers(embed(batch.ids), rows, &states, dropout);
    }

    // Head: only positions that predict a trained token reach the vocabulary.
    double loss = 0;
    at::Tensor dx = at::zeros_like(last);
    {
        const PartTimer timer("loss", part(&PassTimes::lossMs));
        const std::int64_t targets = batch.targetCount();
        const at::Tensor head = m_matrices.rows(m_head, 1);
        at::Tensor dHead = m_adapter == nullptr ? gradients.view(m_head) : at::Tensor();
        const at::Tensor input = last.index_select(0, batch.targetPositions);
        const RmsNormResult normed = norm(input, m_finalNorm);
        at::Tensor dNormal = at::empty_like(normed.y);
        for (std::int64_t begin = 0; begin < targets; begin += kHeadChunk) {
            const std::int64_t count = std::min(kHeadChunk, targets - begin);
            if (!m_logits.defined()) m_logits = at::empty({kHeadChunk, head.size(0)}, last.options());
            at::Tensor logits = m_logits.narrow(0, 0, count);
            const at::Tensor normal = normed.y.narrow(0, begin, count);
            const at::Tensor target = batch.targets.narrow(0, begin, count).unsqueeze(1);
            const at::Tensor weight = batch.weights.narrow(0, begin, count).unsqueeze(1);
            if (normal.scalar_type() == at::kFloat) {
                at::mm_out(logits, normal, head.t());
            } else {
                logits.copy_(at::mm(normal, head.t()));
            }
            const at::Tensor logSum = at::logsumexp(logits, 1, true);
            loss += (logSum - logits.gather(1, target)).mul_(weight).sum(at::kDouble).item<double>();
            // d(nll)/d(logits) = softmax - one at the target.
            logits.sub_(logSum).exp_();
            logits.scatter_add_(1, target, at::full_like(weight, -1.0));
            logits.mul_(weight);
            const at::Tensor dLogits = logits.to(normal.scalar_type());
            at::Tensor dChunk = dNormal.narrow(0, begin, count);
            at::mm_out(dChunk, dLogits, head);
            if (dHead.defined()) addProduct(dHead, dLogits.t(), normal);
        }
        at::Tensor dInput = at::zeros_like(input);
        addNormGradients(dNormal, input, m_finalNorm, normed.inverseRms, dInput, gradients);
        dx.index_copy_(0, batch.targetPositions, dInput);
    }
    const PartTimer timer("backward", part(&PassTimes::backwardMs));

    for (std::size_t l = m_layers.size(); l-- > 0;) {
        const LayerWeights& w = m_layers[l];
        LayerState& state = states[l];
        if (m_options.recompute == Recompute::Layer) computeState(w, rows, state, dropout);
        {  // MLP
            at::Tensor activated = swiGlu(state.gateUp);
            const at::Tensor dActivated = projectBackward(dx, activated, w.down, 1, gradients, dropout);
            activated.reset();
            const at::Tensor dGateUp = swiGluBackward(dActivated, state.gateUp);
            addNormGradients(projectBackward(dGateUp, state.postNorm.y, w.gate, 2, gradients, dropout), state.middle, w.postNorm,
                             state.postNorm.inverseRms, dx, gradients);
        }
        {  // attention
            const at::Tensor dAttended = projectBackward(dx, state.attended, w.output, 1, gradients, dropout);
            at::Tensor dQkv = at::empty_like(state.qkv);
            for (std::size_t i = 0; i < rows.runs.size(); ++i) {
                const RowRun& run = rows.runs[i];
                const auto piece = [&](const at::Tensor& all) {
                    return all.narrow(0, run.begin, run.rows * run.length).view({run.rows, run.length, -1, headSize});
                };
                const at::Tensor qkv = piece(state.qkv), out = piece(dQkv);
                const AttentionGradient gradient = causalAttentionBackward(piece(dAttended), qkv.narrow(2, 0, heads), qkv.narrow(2, heads, kvHeads),
                                                                           qkv.narrow(2, heads + kvHeads, kvHeads), state.attention[i]);
                out.narrow(2, 0, heads).copy_(gradient.dq);
                out.narrow(2, heads, kvHeads).copy_(gradient.dk);
                out.narrow(2, heads + kvHeads, kvHeads).copy_(gradient.dv);
            }
            applyRope(dQkv, heads + kvHeads, rows.positions, rows.rope, -1);
            const at::Tensor flat = dQkv.view({dQkv.size(0), -1});
            addNormGradients(projectBackward(flat, state.inputNorm.y, w.query, 3, gradients, dropout), state.input, w.inputNorm,
                             state.inputNorm.inverseRms, dx, gradients);
        }
        states.pop_back();
    }
    if (m_adapter == nullptr) gradients.view(m_embedding).index_add_(0, batch.ids, dx);
    return loss;
}

at::Tensor Decoder::headProduct(const at::Tensor& x) const { return at::mm(norm(x, m_finalNorm).y, m_matrices.rows(m_head, 1).t()).to(at::kFloat); }

std::vector<double> Decoder::rowLosses(const PackedBatch& batch) const {
    const ProductRounding rounding(m_options.precision);
    const at::Tensor last = runLayers(embed(batch.ids), rowsOf(batch), nullptr).index_select(0, batch.targetPositions);
    at::Tensor nll = at::empty({batch.targetCount()}, at::kDouble);
    for (std::int64_t begin = 0; begin < batch.targetCount(); begin += kHeadChunk) {
        const std::int64_t count = std::min(kHeadChunk, batch.targetCount() - begin);
        const at::Tensor logits = headProduct(last.narrow(0, begin, count));
        const at::Tensor target = batch.targets.narrow(0, begin, count).unsqueeze(1);
        nll.narrow(0, begin, count).copy_((at::logsumexp(logits, 1, true) - logits.gather(1, target)).squeeze(1));
    }
    std::vector<double> sums(static_cast<std::size_t>(batch.rowCount()));
    const double* values = nll.const_data_ptr<double>();
    for (std::int64_t r = 0; r < batch.rowCount(); ++r)
        for (std::int64_t i = batch.targetStart[r]; i < batch.targetStart[r + 1]; ++i) sums[static_cast<std::size_t>(r)] += values[i];
    return sums;
}

at::Tensor Decoder::targetStates(const PackedBatch& batch) const {
    const ProductRounding rounding(m_options.precision);
    const at::Tensor last = runLayers(embed(batch.ids), rowsOf(batch), nullptr);
    return rmsNorm(last.index_select(0, batch.targetPositions), m_weights.view(m_finalNorm), m_model.normEpsilon).y;
}

at::Tensor Decoder::logits(const at::Tensor& ids) const {
    const ProductRounding rounding(m_options.precision);
    PackedBatch batch;
    batch.ids = ids;
    batch.rowStart = {0, ids.size(0)};
    return headProduct(runLayers(embed(ids), rowsOf(batch), nullptr));
}

at::Tensor Decoder::nextLogits(const at::Tensor& ids, KvCache& cache) const {
    const std::int64_t count = ids.size(0), before = cache.m_length, heads = m_model.headCount, kvHeads = m_model.kvHeadCount,
                       headSize = m_model.headSize;
    const ProductRounding rounding(m_options.precision);
    const RopeTable& rope = ropeFor(before + count);
    const at::Tensor positions = at::arange(before, before + count, ids.options());
    at::Tensor x = embed(ids);
    for (std::size_t l = 0; l < m_layers.size(); ++l) {
        const LayerWeights& w = m_layers[l];
        const at::Tensor normal = norm(x, w.inputNorm).y;
        at::Tensor qkv = project(normal, w.query, 3, nullptr).view({count, heads + 2 * kvHeads, headSize});
        applyRope(qkv, heads + kvHeads, positions, rope, 1);
        cache.m_keys[l].narrow(0, before, count).copy_(qkv.narrow(1, heads, kvHeads));
        cache.m_values[l].narrow(0, before, count).copy_(qkv.narrow(1, heads + kvHeads, kvHeads));
        at::Tensor attended;
        if (before == 0) {
            attended = attendRow(qkv, 0, 1, count).out.reshape({count, heads * headSize});
        } else {
            // [kvHeads, group * count, D] x [kvHeads, D, seen]: the query heads of a group share their keys.
            const std::int64_t group = heads / kvHeads, seen = before + count;
            const at::Tensor query =
                qkv.narrow(1, 0, heads).view({count, kvHeads, group, headSize}).permute({1, 2, 0, 3}).reshape({kvHeads, group * count, headSize});
            const at::Tensor keys = cache.m_keys[l].narrow(0, 0, seen).permute({1, 2, 0}),
                             values = cache.m_values[l].narrow(0, 0, seen).transpose(0, 1);
            at::Tensor scores = at::bmm(query, keys).mul_(1.0 / std::sqrt(static_cast<double>(headSize))).view({kvHeads, group, count, seen});
            if (count > 1) scores.masked_fill_(at::ones({count, seen}, scores.options().dtype(at::kBool)).triu_(before + 1), -INFINITY);
            attended = at::bmm(at::softmax(scores, -1, at::kFloat).to(query.scalar_type()).view({kvHeads, group * count, seen}), values)
                           .view({kvHeads, group, count, headSize})
                           .permute({2, 0, 1, 3})
                           .reshape({count, heads * headSize});
        }
        const at::Tensor middle = projectOnto(x, attended, w.output, nullptr);
        const at::Tensor post = norm(middle, w.postNorm).y;
        x = projectOnto(middle, swiGlu(project(post, w.gate, 2, nullptr)), w.down, nullptr);
    }
    cache.m_length += count;
    return headProduct(x.narrow(0, count - 1, 1)).squeeze(0);
}

}  // namespace mofo
