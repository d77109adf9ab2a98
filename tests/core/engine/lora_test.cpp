// LoRA's forward and backward pass against autograd, against the dense gradient, and against differences of the loss.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <tuple>

#include "core/engine/decoder.h"
#include "core/engine/lora.h"
#include "tests/core/engine/autograd_twin.h"
#include "tests/support/test_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {

using test::makeRows;

namespace {

constexpr std::int64_t kUpdate = 7;

/// The same model as Peft writes it: each linear one plus scale B(A(dropout(x))), with the draws that the run makes.
class LoraTwin : public test::AutogradTwin {
public:
    LoraTwin(const ModelSource& source, const ParameterArena& frozen, const ModelSource& lora, const ParameterArena& weights,
             const LoraSettings& settings, const PackedBatch& batch)
        : AutogradTwin(source, frozen), m_source(source), m_lora(lora), m_settings(settings), m_batch(batch) {
        for (std::size_t i = 0; i < lora.parameters().size(); ++i) m_matrices.push_back(weights.view(i).detach().clone().set_requires_grad(true));
    }
    const std::vector<at::Tensor>& matrices() const { return m_matrices; }

private:
    at::Tensor linear(const at::Tensor& x, const std::string& name) const override {
        const at::Tensor y = AutogradTwin::linear(x, name);
        std::size_t module = 0, pair = 0;
        const auto& infos = m_source.parameters();
        while (infos[module].name != name) ++module;
        while (m_lora.parameters()[2 * pair].name != name.substr(0, name.size() - 7) + ".lora_A.weight") ++pair;
        // What is drawn does not depend on x: the draws for ones are the factors.
        const LoraDropout dropout(m_batch, m_settings, kUpdate, c10::kCPU);
        const at::Tensor factors = dropout.apply(at::ones({m_batch.tokenCount(), x.size(1)}), module);
        const at::Tensor own = factors.narrow(0, m_batch.rowStart[row()], x.size(0));
        const at::Tensor change = at::matmul(at::matmul(x * own, m_matrices[2 * pair].t()), m_matrices[2 * pair + 1].t());
        return y + m_settings.scale() * change;
    }
    const ModelSource& m_source;
    const ModelSource& m_lora;
    LoraSettings m_settings;
    const PackedBatch& m_batch;
    std::vector<at::Tensor> m_matrices;
};

class Lora : public ::testing::Test {
protected:
    void SetUp() override {
        test::writeTinyModel(m_folder / "model");
        auto source = ModelSource::open((m_folder / "model").string());
        ASSERT_OK(source);
        m_source = std::move(*source);
        auto frozen = loadWeights(*m_source, c10::kCPU);
        ASSERT_OK(frozen);
        m_frozen = std::move(*frozen);
        m_settings.rank = 4;
        m_lora = openLora(*m_source, m_settings);
        auto weights = loadWeights(*m_lora, c10::kCPU);
        ASSERT_OK(weights);
        m_weights = std::move(*weights);
        // As after some training: B is not zero.
        at::manual_seed(5);
        for (std::size_t i = 1; i < m_weights.count(); i += 2) m_weights.view(i).copy_(at::randn(m_weights.view(i).sizes()) * 0.3);
    }
    static std::vector<PackedBatch> pack(const std::vector<TokenRow>& rows, std::int64_t microRows = 100) {
        std::vector<const TokenRow*> pointers;
        for (const TokenRow& row : rows) pointers.push_back(&row);
        return packMicroBatches(pointers, microRows, LossMean::Token);
    }
    Decoder decoder(const LoraAdapter& adapter) const { return Decoder(m_source->description(), m_source->parameters(), m_frozen, &adapter); }
    double lossAndGradients(const std::vector<PackedBatch>& pieces, ParameterArena& gradients) const {
        const LoraAdapter adapter(m_source->parameters(), m_weights, m_settings);
        double loss = 0;
        for (const PackedBatch& piece : pieces) {
            const LoraDropout dropout(piece, m_settings, kUpdate, c10::kCPU);
            loss += decoder(adapter).addGradients(piece, gradients, &dropout);
        }
        return loss;
    }
    ParameterArena noGradients() const { return ParameterArena(m_lora->parameters(), c10::kCPU); }

    test::TemporaryFolder m_folder;
    std::unique_ptr<ModelSource> m_source, m_lora;
    ParameterArena m_frozen, m_weights;
    LoraSettings m_settings;
};

TEST_F(Lora, TrainsAPairForEachLinearMatrix) {
    const auto& infos = m_lora->parameters();
    ASSERT_EQ(infos.size(), 2u * 7u * 2u) << "seven matrices in each of two layers";
    EXPECT_EQ(infos[0].name, "model.layers.0.self_attn.q_proj.lora_A.weight");
    EXPECT_EQ(infos[0].shape, (std::vector<std::int64_t>{4, 32}));
    EXPECT_EQ(infos[1].name, "model.layers.0.self_attn.q_proj.lora_B.weight");
    EXPECT_EQ(infos[1].shape, (std::vector<std::int64_t>{32, 4}));
    EXPECT_EQ(infos.back().name, "model.layers.1.mlp.down_proj.lora_B.weight");
}

TEST_F(Lora, BeginsAsTheModelItself) {
    const auto fresh = loadWeights(*m_lora, c10::kCPU);
    ASSERT_OK(fresh);
    const LoraAdapter adapter(m_source->parameters(), *fresh, m_settings);
    const at::Tensor ids = (at::arange(50, at::kLong) * 13 + 5) % 259;
    EXPECT_TRUE(at::equal(decoder(adapter).logits(ids), Decoder(m_source->description(), m_source->parameters(), m_frozen).logits(ids)));
    for (std::size_t i = 0; i < fresh->count(); i += 2) {
        const at::Tensor& a = fresh->view(i);
        const double bound = 1.0 / std::sqrt(static_cast<double>(a.size(1)));
        EXPECT_LE(a.abs().max().item<double>(), bound);
        EXPECT_NEAR(a.std().item<double>(), bound / std::sqrt(3.0), 0.15 * bound) << "uniform";
        EXPECT_EQ(fresh->view(i + 1).count_nonzero().item<std::int64_t>(), 0);
    }
    LoraSettings other = m_settings;
    other.seed += 1;
    EXPECT_FALSE(at::equal(loadWeights(*openLora(*m_source, other), c10::kCPU)->view(0), fresh->view(0)));
    EXPECT_TRUE(at::equal(loadWeights(*openLora(*m_source, m_settings), c10::kCPU)->flat(), fresh->flat()));
}

TEST_F(Lora, GradientsEqualAutogradWithTheSameDropout) {
    const std::vector<TokenRow> rows = makeRows({19, 19, 33, 2});
    const std::vector<PackedBatch> pieces = pack(rows);
    ParameterArena gradients = noGradients();
    const double loss = lossAndGradients(pieces, gradients);
    LoraTwin twin(*m_source, m_frozen, *m_lora, m_weights, m_settings, pieces[0]);
    const at::Tensor expectedLoss = twin.loss(rows);
    expectedLoss.backward();
    EXPECT_NEAR(loss, expectedLoss.item<double>(), 1e-5 * loss);
    for (std::size_t i = 0; i < gradients.count(); ++i) {
        const at::Tensor& expected = twin.matrices()[i].grad();
        EXPECT_GT(expected.norm().item<double>(), 0);
        EXPECT_LT((gradients.view(i) - expected).norm().item<double>(), 1e-4 * expected.norm().item<double>()) << m_lora->parameters()[i].name;
    }
}

TEST_F(Lora, WithoutDropoutGradientsAreTheDenseOnesProjected) {
    m_settings.dropout = 0;
    const std::vector<PackedBatch> pieces = pack(makeRows({12, 30, 7}));
    ParameterArena gradients = noGradients();
    const double loss = lossAndGradients(pieces, gradients);
    const LoraAdapter adapter(m_source->parameters(), m_weights, m_settings);
    ParameterArena merged(m_source->parameters(), c10::kCPU), dense(m_source->parameters(), c10::kCPU);
    merged.flat().copy_(m_frozen.flat());
    for (std::size_t i = 0; i < merged.count(); ++i) {
        if (const auto change = adapter.change(i)) merged.view(i).add_(*change);
    }
    const double denseLoss = Decoder(m_source->description(), m_source->parameters(), merged).addGradients(pieces[0], dense);
    EXPECT_NEAR(loss, denseLoss, 1e-5 * loss);
    const std::vector<std::size_t> targets = loraTargets(m_source->parameters());
    for (std::size_t pair = 0; pair < targets.size(); ++pair) {
        const at::Tensor &a = m_weights.view(2 * pair), &b = m_weights.view(2 * pair + 1), &dW = dense.view(targets[pair]);
        const at::Tensor dA = at::mm(b.t(), dW) * m_settings.scale(), dB = at::mm(dW, a.t()) * m_settings.scale();
        EXPECT_LT((gradients.view(2 * pair) - dA).norm().item<double>(), 1e-4 * dA.norm().item<double>()) << pair;
        EXPECT_LT((gradients.view(2 * pair + 1) - dB).norm().item<double>(), 1e-4 * dB.norm().item<double>()) << pair;
    }
}

TEST_F(Lora, GradientsEqualDifferencesOfTheLoss) {
    const std::vector<PackedBatch> pieces = pack(makeRows({19, 33}));
    ParameterArena gradients = noGradients(), unused = noGradients();
    lossAndGradients(pieces, gradients);
    const at::Tensor start = m_weights.flat().clone();
    constexpr double h = 1e-4;
    for (int trial = 0; trial < 4; ++trial) {
        const at::Tensor direction = at::sign(at::randn_like(start));
        m_weights.flat().copy_(start + h * direction);
        const double above = lossAndGradients(pieces, unused);
        m_weights.flat().copy_(start - h * direction);
        const double below = lossAndGradients(pieces, unused);
        m_weights.flat().copy_(start);
        const double expected = (gradients.flat() * direction).sum(at::kDouble).item<double>();
        EXPECT_NEAR((above - below) / (2 * h), expected, 0.01 * std::abs(expected) + 0.1) << trial;
    }
}

TEST_F(Lora, DropoutIsTheSameHoweverAnUpdateIsSplit) {
    const std::vector<TokenRow> rows = makeRows({12, 30, 7, 9});
    ParameterArena whole = noGradients(), split = noGradients();
    const double loss = lossAndGradients(pack(rows), whole);
    EXPECT_NEAR(lossAndGradients(pack(rows, 1), split), loss, 1e-6 * loss);
    EXPECT_LT((whole.flat() - split.flat()).norm().item<double>(), 1e-5 * whole.flat().norm().item<double>());
}

TEST_F(Lora, DropoutLeavesOutItsShareAndKeepsTheMean) {
    const PackedBatch batch = pack(makeRows({200, 200, 200}))[0];
    const at::Tensor ones = at::ones({batch.tokenCount(), 515});
    const LoraDropout dropout(batch, m_settings, kUpdate, c10::kCPU);
    const at::Tensor kept = dropout.apply(ones, 3);
    const double n = static_cast<double>(kept.numel());
    EXPECT_NEAR((kept == 0).sum().item<double>() / n, m_settings.dropout, 4 * std::sqrt(0.09 / n));
    EXPECT_NEAR(kept.mean().item<double>(), 1, 6e-3);
    EXPECT_TRUE(at::equal(kept, dropout.applyComposed(ones, 3))) << "as other devices compute it";
    EXPECT_FALSE(at::equal(kept, dropout.apply(ones, 4))) << "each module draws its own";
    EXPECT_FALSE(at::equal(kept, LoraDropout(batch, m_settings, kUpdate + 1, c10::kCPU).apply(ones, 3))) << "each update draws its own";
    EXPECT_FALSE(at::equal(kept[0], kept[1]));
    EXPECT_FALSE(at::equal(kept.narrow(0, 0, 200), kept.narrow(0, 200, 200))) << "each row draws its own";
}

TEST_F(Lora, IsTheModelWithTheMatricesMerged) {
    const LoraAdapter adapter(m_source->parameters(), m_weights, m_settings);
    ParameterArena merged(m_source->parameters(), c10::kCPU);
    merged.flat().copy_(m_frozen.flat());
    for (std::size_t i = 0; i < merged.count(); ++i) {
        if (const auto change = adapter.change(i)) merged.view(i).add_(*change);
    }
    const Decoder dense(m_source->description(), m_source->parameters(), merged);
    const at::Tensor ids = (at::arange(40, at::kLong) * 13 + 5) % 259;
    const at::Tensor logits = decoder(adapter).logits(ids);
    EXPECT_LT((logits - dense.logits(ids)).abs().max().item<double>(), 1e-4);
    EXPECT_GT((logits - Decoder(m_source->description(), m_source->parameters(), m_frozen).logits(ids)).abs().max().item<double>(), 0.1);
    const Decoder low = decoder(adapter);
    KvCache cache(low, 40);
    std::ignore = low.nextLogits(ids.narrow(0, 0, 30), cache);
    EXPECT_TRUE(at::allclose(low.nextLogits(ids.narrow(0, 30, 10), cache), logits[39], 1e-4, 1e-4)) << "with a cache as well";
    const std::vector<kernels::Drift> drifts = measureMergedDrift(m_frozen, adapter);
    for (std::size_t i = 0; i < merged.count(); ++i)
        EXPECT_NEAR(drifts[i].l2, (merged.view(i) - m_frozen.view(i)).norm().item<double>(), 1e-5 * drifts[i].l2) << i;
}

}  // namespace
}  // namespace mofo
