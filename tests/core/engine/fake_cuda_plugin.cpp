#include "tests/core/engine/fake_cuda_plugin.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/engine/optimizer.h"
#include "kernels/include/statistics.h"

namespace mofo::test {

using namespace kernels;

std::vector<std::string> g_cudaCalls;
std::string g_failingCudaCall;

namespace {

/// What the opaque DevicePlan is here.
struct FakePlan {
    std::vector<Tensor> tensors;  // as they were when the plan was made: flags of later are not seen
    StepPlan plan;
    Format format = Format::Fp32;
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

std::string called(const char* name) {
    g_cudaCalls.emplace_back(name);
    return g_failingCudaCall == name ? "no such thing" : "";
}

std::string makePlan(std::span<const Tensor> tensors, const StepPlan& plan, Format format, const cuda::Tuning&, cuda::DevicePlan** out) {
    if (const std::string wrong = called("makeDevicePlan"); !wrong.empty()) return wrong;
    auto* made = new FakePlan{{tensors.begin(), tensors.end()}, plan, format, false, {}};
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
    arguments.format = plan.format;
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

}  // namespace

CudaPlugin fakeCudaPlugin() {
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

}  // namespace mofo::test
