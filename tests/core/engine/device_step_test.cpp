// The optimizer over a table of functions as libmofo_cuda.so gives it. Here the table does the step with the CPU's kernels, "device memory" is host
// memory, and what is handed over is checked as strictly as a GPU would: only what was uploaded is read.
#include "core/engine/device_step.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "kernels/include/statistics.h"
#include "tests/core/engine/optimizer_support.h"

namespace mofo {
namespace {

using namespace kernels;
using test::SteppedModel;

/// What the opaque DevicePlan is here.
struct FakePlan {
    std::vector<Tensor> tensors;  // as they were when the plan was made: flags of later are not seen
    StepPlan plan;
    bool uploaded = false;
    std::vector<std::byte> workspace;
};
FakePlan& fake(const cuda::DevicePlan& plan) { return reinterpret_cast<FakePlan&>(const_cast<cuda::DevicePlan&>(plan)); }

/// The results of a step in device memory, one kind after the other, histograms last.
struct Layout {
    explicit Layout(const FakePlan& plan)
        : tensors(sizeof(PartitionResult) * plan.plan.sizes.size()),
          status(tensors + sizeof(TensorResult) * plan.tensors.size()),
          histograms(status + sizeof(StepStatus)),
          end(histograms + sizeof(LogHistogram) * plan.tensors.size()) {}
    std::size_t tensors, status, histograms, end;
};

std::vector<std::string> g_calls;
std::string g_failing;  // the function that fails, and how it says so

std::string called(const char* name) {
    g_calls.emplace_back(name);
    return g_failing == name ? "no such thing" : "";
}

std::string makePlan(std::span<const Tensor> tensors, const StepPlan& plan, Format, const cuda::Tuning&, cuda::DevicePlan** out) {
    if (const std::string wrong = called("makeDevicePlan"); !wrong.empty()) return wrong;
    auto* made = new FakePlan{{tensors.begin(), tensors.end()}, plan, false, {}};
    made->workspace.resize(cpu::stepWorkspaceBytes(plan, at::get_num_threads()) + 64);
    *out = reinterpret_cast<cuda::DevicePlan*>(made);
    return "";
}

cuda::PlanBytes bytesOf(const cuda::DevicePlan& plan, std::int64_t selected) {
    const auto workspace = 1024 + static_cast<std::size_t>(selected) * 4;
    return {.tables = 512, .results = Layout(fake(plan)).end, .leastWorkspace = 1024, .workspace = workspace};
}

std::string upload(cuda::DevicePlan& plan, std::byte* tables, std::size_t bytes, void*) {
    std::memset(tables, 1, bytes);
    fake(plan).uploaded = true;
    return called("uploadPlan");
}

StepArguments argumentsOf(const cuda::StepLaunch& launch) {
    FakePlan& plan = fake(*launch.plan);
    EXPECT_TRUE(plan.uploaded);
    const Layout layout(plan);
    StepArguments arguments;
    arguments.tensors = plan.tensors;
    arguments.plan = &plan.plan;
    if (launch.k != nullptr) arguments.k = {launch.k, plan.plan.sizes.size()};
    arguments.rule = launch.rule;
    arguments.decaySelectedOnly = launch.decaySelectedOnly;
    arguments.scalars = launch.scalars;
    arguments.partitionResults = {reinterpret_cast<PartitionResult*>(launch.results), plan.plan.sizes.size()};
    arguments.tensorResults = {reinterpret_cast<TensorResult*>(launch.results + layout.tensors), plan.tensors.size()};
    arguments.status = reinterpret_cast<StepStatus*>(launch.results + layout.status);
    arguments.measure = launch.measure;
    if (launch.histograms) arguments.histograms = {reinterpret_cast<LogHistogram*>(launch.results + layout.histograms), plan.tensors.size()};
    void* aligned = plan.workspace.data();
    std::size_t space = plan.workspace.size();
    std::align(64, space - 64, aligned, space);
    arguments.workspace = {static_cast<std::byte*>(aligned), space};
    return arguments;
}

std::string runStep(const cuda::StepLaunch& launch, void*) {
    const StepArguments arguments = argumentsOf(launch);
    std::int64_t selected = 0;
    for (const std::int64_t k : arguments.k) selected += k;
    EXPECT_GE(launch.workspaceBytes, bytesOf(*launch.plan, selected).workspace);
    std::memset(launch.workspace, 0xff, launch.workspaceBytes);
    EXPECT_TRUE(cpu::step(arguments, torchExecution()));
    return called("step");
}

std::string copyOut(const cuda::DevicePlan& plan, const std::byte* results, bool histograms, std::byte* pinned, void*) {
    const Layout layout(fake(plan));
    std::memcpy(pinned, results, histograms ? layout.end : layout.histograms);
    return called("copyResults");
}

bool readOut(const cuda::DevicePlan& plan, const std::byte* pinned, Rule, const StepScalars&, std::span<PartitionResult> partitions,
             std::span<TensorResult> tensors, StepStatus* status, std::span<LogHistogram> histograms) {
    const Layout layout(fake(plan));
    std::memcpy(partitions.data(), pinned, partitions.size_bytes());
    std::memcpy(tensors.data(), pinned + layout.tensors, tensors.size_bytes());
    std::memcpy(status, pinned + layout.status, sizeof *status);
    std::memcpy(histograms.data(), pinned + layout.histograms, histograms.size_bytes());
    return true;
}

std::int64_t firstWord(const cuda::DevicePlan& plan, std::int64_t tensor) {
    std::int64_t words = 0;
    for (std::int64_t i = 0; i < tensor; ++i) words += (fake(plan).tensors[static_cast<std::size_t>(i)].n + 63) / 64 + 3;  // gaps, as alignment makes
    return words;
}

std::string findBits(const cuda::StepLaunch& last, std::uint64_t* bits, void*) {
    std::vector<std::uint64_t*> places;
    for (std::size_t i = 0; i < fake(*last.plan).tensors.size(); ++i) places.push_back(bits + firstWord(*last.plan, static_cast<std::int64_t>(i)));
    EXPECT_TRUE(cpu::selectedBits(argumentsOf(last), places, torchExecution()));
    return called("selectedBits");
}

std::string sumTop(const cuda::StepLaunch& launch, double* sums, void*) {
    EXPECT_TRUE(cpu::topGradientSums(argumentsOf(launch), {sums, fake(*launch.plan).plan.sizes.size()}, torchExecution()));
    return called("topGradientSums");
}

CudaPlugin fakePlugin() {
    CudaPlugin plugin;
    plugin.version = cudaPluginVersion;
    plugin.currentStream = [](int) -> void* { return nullptr; };
    plugin.allocatePinned = [](std::size_t bytes) { return static_cast<std::byte*>(std::aligned_alloc(256, (bytes + 255) / 256 * 256)); };
    plugin.freePinned = [](std::byte* memory) { std::free(memory); };
    plugin.copy = [](void* to, const void* from, std::size_t bytes, void*) {
        std::memcpy(to, from, bytes);
        return called("copy");
    };
    plugin.synchronize = [](void*) { return called("synchronize"); };
    plugin.makeDevicePlan = makePlan;
    plugin.destroyDevicePlan = [](cuda::DevicePlan* plan) { delete reinterpret_cast<FakePlan*>(plan); };
    plugin.planBytes = bytesOf;
    plugin.uploadPlan = upload;
    plugin.step = runStep;
    plugin.copyResults = copyOut;
    plugin.readResults = readOut;
    plugin.firstBitWord = firstWord;
    plugin.selectedBits = findBits;
    plugin.topGradientSums = sumTop;
    return plugin;
}

class DeviceStepTest : public test::OptimizerFixture {
protected:
    DeviceStepTest() {
        g_calls.clear();
        g_failing.clear();
    }
    static long count(const char* name) { return std::count(g_calls.begin(), g_calls.end(), name); }
    std::vector<std::vector<std::uint64_t>> bitsOf(const SteppedModel& model) const {
        std::vector<std::vector<std::uint64_t>> bits;
        std::vector<std::uint64_t*> places;
        for (const ParameterInfo& info : m_source->parameters()) bits.emplace_back((info.elementCount() + 63) / 64, ~0ull);
        for (auto& of : bits) places.push_back(of.data());
        EXPECT_OK(model.optimizer.selectedBits(places));
        return bits;
    }
    CudaPlugin m_plugin = fakePlugin();
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
        g_failing = function;
        const auto failed = device.optimizer.step(1, 1e-3, 1, true);
        ASSERT_FALSE(failed.ok()) << function;
        EXPECT_NE(failed.error().text().find("failed on the GPU: no such thing"), std::string::npos) << failed.error().text();
        EXPECT_EQ(device.optimizer.lastStep(), nullptr);
    }
}

}  // namespace
}  // namespace mofo
