// The step by LibTorch's operations (what a GPU runs until it has kernels of its own) against the kernels, on the CPU.
#include "core/engine/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/test_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

struct Side {
    Side(const ModelSource& source, const RunConfig& config, StepBy by)
        : weights(*loadWeights(source, c10::kCPU)),
          gradients(source.parameters(), c10::kCPU),
          optimizer(source.description(), source.parameters(), config, weights, gradients, by) {}
    ParameterArena weights, gradients;
    Optimizer optimizer;
};

class OptimizerTest : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        test::writeTinyModel(m_folder / "model");
        auto source = ModelSource::open((m_folder / "model").string());
        ASSERT_OK(source);
        m_source = std::move(*source);
    }
    test::TemporaryFolder m_folder;
    std::unique_ptr<ModelSource> m_source;
};

TEST_P(OptimizerTest, LibTorchMovesWhatTheKernelsMove) {
    RunConfig config;
    ASSERT_OK(setConfigValue(config, "granularity", GetParam()));
    config.weightDecay = 0.1;
    Side kernels(*m_source, config, StepBy::Kernels), torch(*m_source, config, StepBy::LibTorch);
    ASSERT_OK(kernels.optimizer.configure(OptimizerSettings::from(config)));
    ASSERT_OK(torch.optimizer.configure(OptimizerSettings::from(config)));
    for (std::int64_t step = 1; step <= 4; ++step) {
        at::manual_seed(static_cast<std::uint64_t>(step));
        const at::Tensor gradient = at::randn_like(kernels.gradients.flat());
        kernels.gradients.flat().copy_(gradient);
        torch.gradients.flat().copy_(gradient);
        auto a = kernels.optimizer.step(step, 1e-3, 0.7, true), b = torch.optimizer.step(step, 1e-3, 0.7, true);
        ASSERT_OK(a);
        ASSERT_OK(b);
        ASSERT_EQ((*a)->partitions.size(), (*b)->partitions.size());
        for (std::size_t i = 0; i < (*a)->partitions.size(); ++i) {
            EXPECT_EQ((*a)->partitions[i].threshold, (*b)->partitions[i].threshold) << i;
            EXPECT_EQ((*a)->partitions[i].selected, (*b)->partitions[i].selected) << i;
        }
        for (std::size_t i = 0; i < (*a)->tensors.size(); ++i) {
            EXPECT_EQ((*a)->tensors[i].selected, (*b)->tensors[i].selected) << m_source->parameters()[i].name;
            EXPECT_EQ((*a)->tensors[i].masked, (*b)->tensors[i].masked) << m_source->parameters()[i].name;
        }
        EXPECT_TRUE(at::equal(kernels.optimizer.firstMoments().flat(), torch.optimizer.firstMoments().flat()));
        EXPECT_TRUE(at::equal(kernels.optimizer.secondMoments().flat(), torch.optimizer.secondMoments().flat()));
        // LibTorch's square root (MKL) is sometimes one unit in the last place off; a step is 1e-3, so 1e-9 is one part in a million of it.
        EXPECT_LT((kernels.weights.flat() - torch.weights.flat()).abs().max().item<double>(),
                  1e-9 + 1.2e-7 * kernels.weights.flat().abs().max().item<double>());
    }
}

INSTANTIATE_TEST_SUITE_P(Granularities, OptimizerTest,
                         ::testing::Values("model", "layer", "module", "tensor", "head", "row", "block:64", "shards:4"));

TEST_F(OptimizerTest, ANaNInTheGradientMovesNothing) {
    for (const StepBy by : {StepBy::Kernels, StepBy::LibTorch}) {
        Side side(*m_source, {}, by);
        ASSERT_OK(side.optimizer.configure({}));
        const at::Tensor before = side.weights.flat().clone();
        side.gradients.flat().fill_(0.5);
        side.gradients.flat()[17] = std::nan("");
        auto outcome = side.optimizer.step(1, 1e-3, 1, false);
        ASSERT_OK(outcome);
        EXPECT_TRUE((*outcome)->nanFound);
        EXPECT_TRUE(at::equal(before, side.weights.flat()));
        EXPECT_EQ(side.optimizer.firstMoments().flat().abs().sum().item<double>(), 0);
    }
}

}  // namespace
}  // namespace mofo
