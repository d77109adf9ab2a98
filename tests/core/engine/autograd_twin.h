// An independent, plain composition of a Llama on tensors that record gradients, to compare hand-written passes with.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/engine/parameter_set.h"
#include "core/model/model_source.h"
#include "core/text/dataset.h"

namespace mofo::test {

/// Rows of these lengths, every third token not trained on; ids of the tiny model's vocabulary.
inline std::vector<TokenRow> makeRows(const std::vector<int>& lengths) {
    std::vector<TokenRow> rows;
    for (std::size_t r = 0; r < lengths.size(); ++r) {
        TokenRow row;
        for (int i = 0; i < lengths[r]; ++i) {
            row.ids.push_back(static_cast<TokenId>((7 * i + 31 * static_cast<int>(r) + i * i) % 259));
            row.trained.push_back(i % 3 != 2);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

/// The same decoder as Transformers writes it, on tensors that record gradients: padded nothing, fused nothing.
class AutogradTwin {
public:
    AutogradTwin(const ModelSource& source, const ParameterArena& weights) : m_model(source.description()) {
        for (std::size_t i = 0; i < source.parameters().size(); ++i) {
            m_names.push_back(source.parameters()[i].name);
            m_tensors.push_back(weights.view(i).detach().clone().set_requires_grad(true));
        }
    }
    at::Tensor operator[](const std::string& name) const {
        for (std::size_t i = 0; i < m_names.size(); ++i)
            if (m_names[i] == name) return m_tensors[i];
        ADD_FAILURE() << name;
        return {};
    }
    at::Tensor norm(const at::Tensor& x, const std::string& name) const {
        return (*this)[name] * (x * at::rsqrt(x.square().mean(-1, true) + m_model.normEpsilon));
    }
    /// Logits [L, V] of one row.
    at::Tensor logits(const at::Tensor& ids) const {
        const std::int64_t length = ids.size(0), half = m_model.headSize / 2;
        const at::Tensor frequency =
            at::pow(at::Scalar(m_model.rope.theta), at::arange(0, m_model.headSize, 2, at::kFloat) / static_cast<double>(m_model.headSize))
                .reciprocal();
        const at::Tensor angle = at::outer(at::arange(length, at::kFloat), frequency);
        const at::Tensor cosine = at::cat({angle, angle}, -1).cos().unsqueeze(1), sine = at::cat({angle, angle}, -1).sin().unsqueeze(1);
        const auto rotate = [&](const at::Tensor& x) { return x * cosine + at::cat({-x.narrow(-1, half, half), x.narrow(-1, 0, half)}, -1) * sine; };
        at::Tensor x = (*this)["model.embed_tokens.weight"].index_select(0, ids);
        for (std::int64_t l = 0; l < m_model.layerCount; ++l) {
            const std::string p = "model.layers." + std::to_string(l) + ".";
            const at::Tensor n = norm(x, p + "input_layernorm.weight");
            const auto heads = [&](const char* which, std::int64_t count) {
                return linear(n, p + "self_attn." + which + "_proj.weight").view({length, count, m_model.headSize});
            };
            const std::int64_t group = m_model.headCount / m_model.kvHeadCount;
            const at::Tensor q = rotate(heads("q", m_model.headCount)).transpose(0, 1);
            const at::Tensor k = rotate(heads("k", m_model.kvHeadCount)).repeat_interleave(group, 1).transpose(0, 1);
            const at::Tensor v = heads("v", m_model.kvHeadCount).repeat_interleave(group, 1).transpose(0, 1);
            const at::Tensor hidden = at::ones({length, length}, at::kBool).triu(1);
            const at::Tensor scores =
                (at::matmul(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(m_model.headSize))).masked_fill(hidden, -INFINITY);
            const at::Tensor attended = at::matmul(at::softmax(scores, -1), v).transpose(0, 1).reshape({length, -1});
            x = x + linear(attended, p + "self_attn.o_proj.weight");
            const at::Tensor m = norm(x, p + "post_attention_layernorm.weight");
            x = x + linear(at::silu(linear(m, p + "mlp.gate_proj.weight")) * linear(m, p + "mlp.up_proj.weight"), p + "mlp.down_proj.weight");
        }
        return at::matmul(norm(x, "model.norm.weight"), (*this)["model.embed_tokens.weight"].t());
    }
    /// The mean negative log-likelihood of the rows' targets; backward() of it gives the gradients.
    at::Tensor loss(const std::vector<TokenRow>& rows) {
        at::Tensor total = at::zeros({}, at::kDouble);
        std::int64_t targets = 0;
        for (std::size_t r = 0; r < rows.size(); ++r) {
            m_row = r;
            const TokenRow& row = rows[r];
            const at::Tensor ids = at::tensor(std::vector<std::int64_t>(row.ids.begin(), row.ids.end()), at::kLong);
            const at::Tensor logProbability = at::log_softmax(logits(ids), -1);
            for (std::size_t i = 1; i < row.ids.size(); ++i) {
                if (row.trained[i] == 0) continue;
                total = total - logProbability[static_cast<std::int64_t>(i) - 1][row.ids[i]].to(at::kDouble);
                ++targets;
            }
        }
        return total / static_cast<double>(targets);
    }
    const std::vector<at::Tensor>& tensors() const { return m_tensors; }
    virtual ~AutogradTwin() = default;

protected:
    virtual at::Tensor linear(const at::Tensor& x, const std::string& name) const { return at::matmul(x, (*this)[name].t()); }
    [[nodiscard]] std::size_t row() const { return m_row; }  ///< that is computed

private:
    ModelDescription m_model;
    std::size_t m_row = 0;
    std::vector<std::string> m_names;
    std::vector<at::Tensor> m_tensors;
};

}  // namespace mofo::test
