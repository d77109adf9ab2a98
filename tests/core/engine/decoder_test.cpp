// The hand-written backward pass against LibTorch's autograd over an independent, plain composition of the same model.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/engine/decoder.h"
#include "tests/support/test_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

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
                return at::matmul(n, (*this)[p + "self_attn." + which + "_proj.weight"].t()).view({length, count, m_model.headSize});
            };
            const std::int64_t group = m_model.headCount / m_model.kvHeadCount;
            const at::Tensor q = rotate(heads("q", m_model.headCount)).transpose(0, 1);
            const at::Tensor k = rotate(heads("k", m_model.kvHeadCount)).repeat_interleave(group, 1).transpose(0, 1);
            const at::Tensor v = heads("v", m_model.kvHeadCount).repeat_interleave(group, 1).transpose(0, 1);
            const at::Tensor hidden = at::ones({length, length}, at::kBool).triu(1);
            const at::Tensor scores =
                (at::matmul(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(m_model.headSize))).masked_fill(hidden, -INFINITY);
            const at::Tensor attended = at::matmul(at::softmax(scores, -1), v).transpose(0, 1).reshape({length, -1});
            x = x + at::matmul(attended, (*this)[p + "self_attn.o_proj.weight"].t());
            const at::Tensor m = norm(x, p + "post_attention_layernorm.weight");
            x = x +
                at::matmul(at::silu(at::matmul(m, (*this)[p + "mlp.gate_proj.weight"].t())) * at::matmul(m, (*this)[p + "mlp.up_proj.weight"].t()),
                           (*this)[p + "mlp.down_proj.weight"].t());
        }
        return at::matmul(norm(x, "model.norm.weight"), (*this)["model.embed_tokens.weight"].t());
    }
    const std::vector<at::Tensor>& tensors() const { return m_tensors; }

private:
    ModelDescription m_model;
    std::vector<std::string> m_names;
    std::vector<at::Tensor> m_tensors;
};

class DecoderTest : public ::testing::Test {
protected:
    void SetUp() override {
        test::writeTinyModel(m_folder / "model");
        auto source = ModelSource::open((m_folder / "model").string());
        ASSERT_OK(source);
        m_source = std::move(*source);
        auto weights = loadWeights(*m_source, c10::kCPU);
        ASSERT_OK(weights);
        m_weights = std::move(*weights);
    }
    /// Rows of these lengths, every third token not trained on.
    static std::vector<TokenRow> makeRows(const std::vector<int>& lengths) {
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
    static PackedBatch pack(const std::vector<TokenRow>& rows) {
        std::vector<const TokenRow*> pointers;
        for (const TokenRow& row : rows) pointers.push_back(&row);
        return packRows(pointers);
    }
    test::TemporaryFolder m_folder;
    std::unique_ptr<ModelSource> m_source;
    ParameterArena m_weights;
};

TEST_F(DecoderTest, GradientsEqualAutograd) {
    // Two equally long neighbours (one attention call for both), a longer and a very short row.
    const std::vector<TokenRow> rows = makeRows({19, 19, 33, 2});
    PackedBatch batch = pack(rows);
    batch.weights.fill_(1.0 / static_cast<double>(batch.targetCount()));
    const Decoder decoder(m_source->description(), m_source->parameters(), m_weights);
    ParameterArena gradients(m_source->parameters(), c10::kCPU);
    const double loss = decoder.addGradients(batch, gradients);

    const AutogradTwin twin(*m_source, m_weights);
    at::Tensor total = at::zeros({}, at::kDouble);
    for (const TokenRow& row : rows) {
        const at::Tensor ids = at::tensor(std::vector<std::int64_t>(row.ids.begin(), row.ids.end()), at::kLong);
        const at::Tensor logProbability = at::log_softmax(twin.logits(ids), -1);
        for (std::size_t i = 1; i < row.ids.size(); ++i)
            if (row.trained[i] != 0) total = total - logProbability[static_cast<std::int64_t>(i) - 1][row.ids[i]].to(at::kDouble);
    }
    total = total / static_cast<double>(batch.targetCount());
    total.backward();
    EXPECT_NEAR(loss, total.item<double>(), 1e-6 * std::abs(loss));
    for (std::size_t i = 0; i < m_source->parameters().size(); ++i) {
        const at::Tensor& expected = twin.tensors()[i].grad();
        // fp32 sums in another order: 1e-5 of the tensor's own norm (performance.md, section 8).
        EXPECT_LT((gradients.view(i) - expected).norm().item<double>(), 1e-5 * expected.norm().item<double>()) << m_source->parameters()[i].name;
    }
}

TEST_F(DecoderTest, GradientsAddUpOverMicroBatches) {
    const std::vector<TokenRow> rows = makeRows({12, 30, 7});
    const Decoder decoder(m_source->description(), m_source->parameters(), m_weights);
    ParameterArena whole(m_source->parameters(), c10::kCPU), pieces(m_source->parameters(), c10::kCPU);
    const double loss = decoder.addGradients(pack(rows), whole);
    double sum = 0;
    for (const TokenRow& row : rows) sum += decoder.addGradients(pack({row}), pieces);
    EXPECT_NEAR(loss, sum, 1e-6 * loss);
    EXPECT_LT((whole.flat() - pieces.flat()).norm().item<double>(), 1e-6 * whole.flat().norm().item<double>());
}

TEST_F(DecoderTest, RowsDoNotSeeEachOther) {
    const std::vector<TokenRow> rows = makeRows({12, 30, 7});
    const Decoder decoder(m_source->description(), m_source->parameters(), m_weights);
    const std::vector<double> together = decoder.rowLosses(pack(rows));
    for (std::size_t r = 0; r < rows.size(); ++r) EXPECT_NEAR(decoder.rowLosses(pack({rows[r]}))[0], together[r], 1e-5 * together[r]);
}

TEST_F(DecoderTest, CachedLogitsEqualWholeLogits) {
    const Decoder decoder(m_source->description(), m_source->parameters(), m_weights);
    const at::Tensor ids = at::arange(40, at::kLong) * 5 % 259;
    const at::Tensor whole = decoder.logits(ids);
    KvCache cache(m_source->description(), 40, c10::kCPU);
    // A prompt of 20, three more at once, then one at a time.
    EXPECT_TRUE(at::allclose(decoder.nextLogits(ids.narrow(0, 0, 20), cache), whole[19], 1e-5, 1e-5));
    EXPECT_TRUE(at::allclose(decoder.nextLogits(ids.narrow(0, 20, 3), cache), whole[22], 1e-5, 1e-5));
    for (std::int64_t i = 23; i < 40; ++i) EXPECT_TRUE(at::allclose(decoder.nextLogits(ids.narrow(0, i, 1), cache), whole[i], 1e-5, 1e-5)) << i;
    EXPECT_EQ(cache.length(), 40);
}

TEST_F(DecoderTest, LogitsEqualTheAutogradTwin) {
    const Decoder decoder(m_source->description(), m_source->parameters(), m_weights);
    const AutogradTwin twin(*m_source, m_weights);
    const at::Tensor ids = (at::arange(64, at::kLong) * 13 + 5) % 259;
    EXPECT_LT((decoder.logits(ids) - twin.logits(ids)).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace mofo
