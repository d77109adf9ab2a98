// The optimizer and training on a GPU. Skipped where there is none, unless MOFO_REQUIRE_GPU=1 says that there must be.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "core/engine/device.h"
#include "tests/core/engine/engine_support.h"
#include "tests/core/engine/optimizer_support.h"

namespace mofo {
namespace {

using test::SteppedModel;

/// Loads LibTorch's CUDA libraries, which has to come before anything else of LibTorch; what stands against it, or an empty text.
const std::string& whyNoGpu() {
    static const std::string why = [] {
        const auto prepared = prepareDevice("cuda-0");
        return prepared.ok() ? std::string() : prepared.error().text();
    }();
    return why;
}

template <class Fixture>
class OnGpu : public Fixture {
protected:
    OnGpu() = default;
    void SetUp() override {
        if (!whyNoGpu().empty()) {
            const char* const required = std::getenv("MOFO_REQUIRE_GPU");
            if (required != nullptr && std::string_view(required) == "1") FAIL() << "MOFO_REQUIRE_GPU=1, but " << whyNoGpu();
            GTEST_SKIP() << whyNoGpu();
        }
        Fixture::SetUp();
    }
};

/// Everything but the sums of LibTorch's own kernels must have the CPU's bits.
class GpuOptimizer : public OnGpu<test::OptimizerFixture> {
protected:
    const c10::Device m_gpu{c10::kCUDA, 0};
    /// Three steps of each method on the CPU and in `place` on the GPU.
    void expectTheBitsOfTheCpu(const OptimizerPlace& place) {
        for (const char* granularity : {"model", "layer", "module", "tensor", "head", "row", "block:64", "shards:4"}) {
            for (const auto& [key, value] :
                 {std::pair("rule", "momentum"), std::pair("rule", "gradient"), std::pair("rule", "mv"), std::pair("rule", "random"),
                  std::pair("optimizer", "fixed_mask"), std::pair("optimizer", "adamw"), std::pair("optimizer", "hft")}) {
                SCOPED_TRACE(std::string(granularity) + " " + value);
                const RunConfig config = configOf({{key, value}, {"granularity", granularity}, {"weight_decay", "0.1"}, {"l1", "0.01"}, {"l2", "3"}});
                SteppedModel host(*m_source, config), device(*m_source, config, place, m_gpu);
                for (std::int64_t step = 1; step <= 3; ++step) {
                    setGradient(host, step);
                    setGradient(device, step);
                    const StepOutcome &a = host.step(step, 1e-3, 0.7), &b = device.step(step, 1e-3, 0.7);
                    device.gradients.flat().add_(0);  // queued behind the copies that read the gradient
                    expectEqual(host, device);
                    ASSERT_EQ(a.partitions.size(), b.partitions.size());
                    for (std::size_t i = 0; i < a.partitions.size(); ++i) {
                        EXPECT_EQ(a.partitions[i].thresholdRank, b.partitions[i].thresholdRank);
                        EXPECT_EQ(a.partitions[i].selected, b.partitions[i].selected);
                    }
                    for (std::size_t i = 0; i < a.tensors.size(); ++i) {
                        EXPECT_EQ(a.tensors[i].selected, b.tensors[i].selected);
                        EXPECT_EQ(a.tensors[i].squaredUpdate, b.tensors[i].squaredUpdate);
                        EXPECT_EQ(a.histograms[i].bins, b.histograms[i].bins);
                    }
                }
            }
        }
    }
};

TEST_F(GpuOptimizer, TheCudaTwinHasTheBitsOfTheCpu) {
    ASSERT_NE(cudaPlugin(), nullptr);
    expectTheBitsOfTheCpu(Optimizer::placeFor(m_gpu, Offload::None));
}

TEST_F(GpuOptimizer, MomentsInHostMemoryHaveTheBitsOfTheCpu) {
    OptimizerPlace place = Optimizer::placeFor(m_gpu, Offload::Optimizer);
    ASSERT_TRUE(place.offload);
    place.groupBytes = 20'000;
    expectTheBitsOfTheCpu(place);
    SteppedModel model(*m_source, {}, place, m_gpu);
    EXPECT_TRUE(model.optimizer.firstMoments().flat().is_cpu());
    EXPECT_TRUE(model.optimizer.firstMoments().flat().is_pinned());
}

TEST_F(GpuOptimizer, ANaNMovesNothing) {
    for (const Offload offload : {Offload::None, Offload::Optimizer}) {
        SteppedModel model(*m_source, configOf({{"l2", "3"}}), Optimizer::placeFor(m_gpu, offload), m_gpu);
        setGradient(model, 1);
        model.step(1, 1e-3);
        const at::Tensor p = model.weights.flat().clone(), m = model.optimizer.firstMoments().flat().clone();
        model.gradients.flat()[-1] = std::nan("");
        const auto outcome = model.optimizer.step(2, 1e-3, 1, false);
        ASSERT_OK(outcome);
        EXPECT_TRUE((*outcome)->nanFound);
        EXPECT_TRUE(at::equal(p, model.weights.flat()));
        EXPECT_TRUE(at::equal(m, model.optimizer.firstMoments().flat()));
    }
}

class GpuTraining : public OnGpu<test::TrainingTest> {};

TEST_F(GpuTraining, LearnsAsTheCpuDoesWithAndWithoutOffload) {
    RunConfig offloaded = config();
    offloaded.offload = Offload::Optimizer;
    const auto onCpu = m_engine->train(m_engine->addRun(config(), "cpu"));
    for (const RunConfig& c : {config(), offloaded}) {
        const std::string id = m_engine->addRun(c, "gpu", "cuda-0");
        send(id, "set", {{"rule", "gradient"}, {"granularity", "row"}}, 12);
        const auto onGpu = m_engine->train(id);
        ASSERT_FALSE(onGpu.error) << onGpu.error->text();
        // LibTorch's sums differ from device to device, and near a threshold that decides which coordinates move.
        expectEqualSteps(onCpu, onGpu, 2e-3);
        ASSERT_TRUE(onGpu.tensors);
        EXPECT_TRUE(std::all_of(onGpu.tensors->coverage.begin(), onGpu.tensors->coverage.end(), [](float share) { return share > 0; }));
    }
}

}  // namespace
}  // namespace mofo
