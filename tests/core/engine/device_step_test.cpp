// The optimizer over a table of functions as libmofo_cuda.so gives it (fake_cuda_plugin.h).
#include "core/engine/device_step.h"

#include <algorithm>
#include <cmath>

#include "tests/core/engine/fake_cuda_plugin.h"
#include "tests/core/engine/optimizer_support.h"

namespace mofo {
namespace {

using test::SteppedModel;

class DeviceStepTest : public test::OptimizerFixture {
protected:
    DeviceStepTest() {
        test::g_cudaCalls.clear();
        test::g_failingCudaCall.clear();
    }
    static long count(const char* name) { return std::count(test::g_cudaCalls.begin(), test::g_cudaCalls.end(), name); }
    std::vector<std::vector<std::uint64_t>> bitsOf(const SteppedModel& model) const {
        std::vector<std::vector<std::uint64_t>> bits;
        std::vector<std::uint64_t*> places;
        for (const ParameterInfo& info : m_source->parameters()) bits.emplace_back((info.elementCount() + 63) / 64, ~0ull);
        for (auto& of : bits) places.push_back(of.data());
        EXPECT_OK(model.optimizer.selectedBits(places));
        return bits;
    }
    CudaPlugin m_plugin = test::fakeCudaPlugin();
};

TEST_F(DeviceStepTest, EveryMethodHasTheBitsOfTheCpu) {
    for (const char* granularity : {"model", "tensor", "head", "row"}) {
        for (const auto& [key, value] : {std::pair("rule", "momentum"), std::pair("rule", "mv"), std::pair("rule", "random"),
                                         std::pair("optimizer", "fixed_mask"), std::pair("optimizer", "adamw"), std::pair("optimizer", "hft")}) {
            const RunConfig config = configOf({{key, value}, {"granularity", granularity}, {"weight_decay", "0.1"}, {"l2", "3"}});
            SteppedModel host(*m_source, config), device(*m_source, config, {.cuda = &m_plugin});
            for (std::int64_t step = 1; step <= 3; ++step) {
                setGradient(host, step);
                setGradient(device, step);
                const StepOutcome &a = host.step(step, 1e-3, 0.7), &b = device.step(step, 1e-3, 0.7);
                expectEqual(host, device);
                ASSERT_EQ(a.partitions.size(), b.partitions.size());
                for (std::size_t i = 0; i < a.partitions.size(); ++i) EXPECT_EQ(a.partitions[i].thresholdRank, b.partitions[i].thresholdRank);
                for (std::size_t i = 0; i < a.tensors.size(); ++i) {
                    EXPECT_EQ(a.tensors[i].selected, b.tensors[i].selected);
                    EXPECT_EQ(a.tensors[i].squaredUpdate, b.tensors[i].squaredUpdate);
                    EXPECT_EQ(a.histograms[i].bins, b.histograms[i].bins);
                }
                EXPECT_EQ(bitsOf(host), bitsOf(device));
                if (a.partitions.empty()) continue;
                std::vector<double> hostSums(a.partitions.size()), deviceSums(a.partitions.size(), -1);
                EXPECT_OK(host.optimizer.topGradientSums(hostSums));
                EXPECT_OK(device.optimizer.topGradientSums(deviceSums));
                EXPECT_EQ(hostSums, deviceSums);
            }
        }
    }
}

TEST_F(DeviceStepTest, UploadsAgainOnlyWhatChanged) {
    const RunConfig config = configOf({{"alpha", "0.05"}});
    SteppedModel host(*m_source, config), device(*m_source, config, {.cuda = &m_plugin});
    const auto stepBoth = [&](const RunConfig& now, std::int64_t step) {
        host.reconfigure(now);
        device.reconfigure(now);
        setGradient(host, step);
        setGradient(device, step);
        host.step(step, 1e-3);
        device.step(step, 1e-3);
        expectEqual(host, device);
    };
    stepBoth(config, 1);
    stepBoth(configOf({{"alpha", "0.9"}}), 2);  // a larger workspace, checked by the table
    stepBoth(configOf({{"alpha", "0.02"}, {"rule", "gradient"}}), 3);
    EXPECT_EQ(count("makeDevicePlan"), 1) << "neither alpha nor rule is in the plan";
    stepBoth(configOf({{"granularity", "row"}}), 4);
    EXPECT_EQ(count("makeDevicePlan"), 2);
    EXPECT_EQ(count("uploadPlan"), 2);
}

TEST_F(DeviceStepTest, HalfFineTuningIsCutAnewWhereItDrawsAnew) {
    const RunConfig config = configOf({{"optimizer", "hft"}, {"hft_every", "2"}});
    SteppedModel device(*m_source, config, {.cuda = &m_plugin});
    for (std::int64_t step = 1; step <= 6; ++step) {
        setGradient(device, step);
        device.step(step, 1e-3);
    }
    EXPECT_EQ(count("makeDevicePlan"), 3);
}

TEST_F(DeviceStepTest, ANaNMovesNothing) {
    for (const char* l2 : {"0", "5"}) {
        SteppedModel device(*m_source, configOf({{"l2", l2}}), {.cuda = &m_plugin});
        setGradient(device, 1);
        device.step(1, 1e-3);
        const at::Tensor p = device.weights.flat().clone(), m = device.optimizer.firstMoments().flat().clone();
        device.gradients.flat()[5] = std::nan("");
        const auto outcome = device.optimizer.step(2, 1e-3, 1, false);
        ASSERT_OK(outcome);
        EXPECT_TRUE((*outcome)->nanFound);
        EXPECT_TRUE(at::equal(p, device.weights.flat()));
        EXPECT_TRUE(at::equal(m, device.optimizer.firstMoments().flat()));
    }
}

TEST_F(DeviceStepTest, WhatFailsOnTheDeviceIsSaid) {
    for (const char* function : {"makeDevicePlan", "uploadPlan", "copy", "step", "copyResults", "synchronize"}) {
        SteppedModel device(*m_source, configOf({}), {.cuda = &m_plugin});
        test::g_failingCudaCall = function;
        const auto failed = device.optimizer.step(1, 1e-3, 1, true);
        ASSERT_FALSE(failed.ok()) << function;
        EXPECT_NE(failed.error().text().find("failed on the GPU: no such thing"), std::string::npos) << failed.error().text();
        EXPECT_EQ(device.optimizer.lastStep(), nullptr);
    }
}

}  // namespace
}  // namespace mofo
