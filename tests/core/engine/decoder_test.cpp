// The hand-written backward pass against LibTorch's autograd over an independent, plain composition of the same model.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <tuple>
#include <utility>

#include "core/engine/decoder.h"
#include "tests/core/engine/autograd_twin.h"
#include "tests/support/test_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

using test::AutogradTwin;
using test::makeRows;

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

    AutogradTwin twin(*m_source, m_weights);
    const at::Tensor total = twin.loss(rows);
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

TEST_F(DecoderTest, PaddingChangesNeitherLossNorGradients) {
    const std::vector<TokenRow> rows = makeRows({12, 30, 7, 30});
    std::vector<TokenRow> padded = rows;
    for (TokenRow& row : padded) {
        row.ids.resize(30, row.ids.back());
        row.trained.resize(30, 0);
    }
    const Decoder decoder(m_source->description(), m_source->parameters(), m_weights);
    ParameterArena packedGradients(m_source->parameters(), c10::kCPU), paddedGradients(m_source->parameters(), c10::kCPU);
    const double packedLoss = decoder.addGradients(pack(rows), packedGradients), paddedLoss = decoder.addGradients(pack(padded), paddedGradients);
    // fp32 sums over matrices of other shapes: 1e-5.
    EXPECT_NEAR(packedLoss, paddedLoss, 1e-5 * packedLoss);
    for (std::size_t i = 0; i < m_source->parameters().size(); ++i)
        EXPECT_LE((packedGradients.view(i) - paddedGradients.view(i)).norm().item<double>(), 1e-5 * packedGradients.view(i).norm().item<double>())
            << m_source->parameters()[i].name;
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
    KvCache cache(decoder, 40);
    // A prompt of 20, three more at once, then one at a time.
    EXPECT_TRUE(at::allclose(decoder.nextLogits(ids.narrow(0, 0, 20), cache), whole[19], 1e-5, 1e-5));
    EXPECT_TRUE(at::allclose(decoder.nextLogits(ids.narrow(0, 20, 3), cache), whole[22], 1e-5, 1e-5));
    for (std::int64_t i = 23; i < 40; ++i) EXPECT_TRUE(at::allclose(decoder.nextLogits(ids.narrow(0, i, 1), cache), whole[i], 1e-5, 1e-5)) << i;
    EXPECT_EQ(cache.length(), 40);
}

TEST_F(DecoderTest, RecomputedLayersGiveTheSameBits) {
    const PackedBatch batch = pack(makeRows({19, 19, 33, 2}));
    for (const Precision precision : {Precision::Fp32, Precision::Bf16}) {
        const auto run = [&](Recompute recompute) {
            const Decoder decoder(m_source->description(), m_source->parameters(), m_weights, nullptr, {precision, recompute});
            ParameterArena gradients(m_source->parameters(), c10::kCPU);
            const double loss = decoder.addGradients(batch, gradients);
            return std::pair(loss, gradients.flat().clone());
        };
        const auto [loss, gradients] = run(Recompute::Off);
        const auto [lossAgain, gradientsAgain] = run(Recompute::Layer);
        EXPECT_EQ(loss, lossAgain);
        EXPECT_TRUE(at::equal(gradients, gradientsAgain));
    }
}

// bf16 keeps 8 bits: what a product rounds is off by 2^-9 of itself on average, and two layers with their way back chain some ten of them.
TEST_F(DecoderTest, RoundedPrecisionsAreNearFp32) {
    const PackedBatch batch = pack(makeRows({19, 19, 33, 2}));
    ParameterArena exact(m_source->parameters(), c10::kCPU);
    const double loss = Decoder(m_source->description(), m_source->parameters(), m_weights).addGradients(batch, exact);
    for (const Precision precision : {Precision::Bf32, Precision::Bf16}) {
        const Decoder decoder(m_source->description(), m_source->parameters(), m_weights, nullptr, {precision, Recompute::Off});
        ParameterArena rounded(m_source->parameters(), c10::kCPU);
        EXPECT_NEAR(decoder.addGradients(batch, rounded), loss, 2e-3 * loss);
        for (std::size_t i = 0; i < m_source->parameters().size(); ++i) {
            EXPECT_LT((rounded.view(i) - exact.view(i)).norm().item<double>(), 3e-2 * exact.view(i).norm().item<double>())
                << m_source->parameters()[i].name;
        }
    }
}

TEST_F(DecoderTest, ItsCopyOfTheWeightsFollowsThem) {
    Decoder decoder(m_source->description(), m_source->parameters(), m_weights, nullptr, {Precision::Bf16, Recompute::Off});
    const PackedBatch batch = pack(makeRows({19}));
    const std::vector<double> before = decoder.rowLosses(batch);
    m_weights.flat().mul_(1.5);
    decoder.weightsChanged();
    const std::vector<double> after = decoder.rowLosses(batch);
    EXPECT_NE(before, after);
    const Decoder fresh(m_source->description(), m_source->parameters(), m_weights, nullptr, {Precision::Bf16, Recompute::Off});
    EXPECT_EQ(after, fresh.rowLosses(batch));
}

TEST_F(DecoderTest, CachedLogitsOfBf16AreNearWholeOnes) {
    const Decoder decoder(m_source->description(), m_source->parameters(), m_weights, nullptr, {Precision::Bf16, Recompute::Off});
    const at::Tensor ids = at::arange(40, at::kLong) * 5 % 259;
    const at::Tensor whole = decoder.logits(ids);
    EXPECT_EQ(whole.scalar_type(), at::kFloat);
    KvCache cache(decoder, 40);
    std::ignore = decoder.nextLogits(ids.narrow(0, 0, 20), cache);
    // Softmax and sums in another order, rounded to bf16 between.
    for (std::int64_t i = 20; i < 40; ++i)
        EXPECT_LT((decoder.nextLogits(ids.narrow(0, i, 1), cache) - whole[i]).norm().item<double>(), 2e-2 * whole[i].norm().item<double>()) << i;
}

// Products of fp32 numbers elsewhere in the process stay what they were.
TEST_F(DecoderTest, Bf32LeavesNothingBehind) {
    const at::Tensor a = at::randn({64, 64}), b = at::randn({64, 64}), exact = at::mm(a, b);
    const Decoder decoder(m_source->description(), m_source->parameters(), m_weights, nullptr, {Precision::Bf32, Recompute::Off});
    std::ignore = decoder.rowLosses(pack(makeRows({19})));
    EXPECT_TRUE(at::equal(at::mm(a, b), exact));
}

TEST_F(DecoderTest, LogitsEqualTheAutogradTwin) {
    const Decoder decoder(m_source->description(), m_source->parameters(), m_weights);
    const AutogradTwin twin(*m_source, m_weights);
    const at::Tensor ids = (at::arange(64, at::kLong) * 13 + 5) % 259;
    EXPECT_LT((decoder.logits(ids) - twin.logits(ids)).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace mofo
