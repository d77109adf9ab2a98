// The hand-written backward pass against LibTorch's autograd over an independent, plain composition of the same model.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

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
