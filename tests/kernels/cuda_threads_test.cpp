// The kernels of the CUDA twin with a thread of the system for each thread of two blocks at a time: what the emulation executes one after the other
// runs at once here, so that the thread sanitizer finds a missing barrier or atomic. Few and small cases.
#include <gtest/gtest.h>

#include "kernels/cuda/arrays.cuh"
#include "kernels/cuda/selection.cuh"
#include "tests/kernels/cuda_case.h"
#include "tests/kernels/threaded_block.h"

namespace mofo::kernels::cuda::test {
namespace {

/// Two tensors and a norm, in three partitions: by a warp each, by a block each, or large.
Case fewCoordinates(Format format, Rule rule) {
    Case c;
    c.format = format;
    c.rule = rule;
    c.add(Pattern::Random, 9001, 4);
    c.add(Pattern::Random, 30 * 100, 7);
    c.add(Pattern::Random, 300, 8, /*filtered=*/false);
    c.addPartition({{0, 0, 1, 9001, 0}});
    c.addPartition({{1, 0, 30, 60, 100}});
    c.addPartition({{1, 60, 30, 40, 100}});
    c.setAlpha(0.2);
    c.hyperparameters.weightDecay = 0.1;
    c.measure = c.wantsHistograms = true;
    return c;
}

/// The step a second time on what the first one left, by real threads.
template <Format format>
void expectThreadsToDoAsTheCpu(Rule rule, const How& how) {
    Case expected = fewCoordinates(format, rule);
    Case actual = expected;
    Emulated memory;
    runEmulated(actual, how, memory);
    expected.runOnCpu();
    if (testing::Test::HasFatalFailure()) return;
    expected.step = actual.step = 4;
    memory.scalars = actual.scalars();
    expected.runOnCpu();
    ThreadedLauncher launcher;
    enqueueStep<format>(launcher, memory.context());
    ASSERT_TRUE(readResults(memory.tables, memory.launch.results, rule, memory.scalars, actual.partitions, actual.results, &actual.status,
                            actual.histograms));
    expectEqual(expected, actual);
    if (testing::Test::HasFatalFailure() || format != Format::Fp32) return;

    std::vector<std::uint64_t> bits(static_cast<std::size_t>(memory.tables.firstWords.back()), 0);
    std::vector<double> sums(actual.k.size(), -1);
    StepContext context = memory.context();
    context.bits = bits.data();
    enqueueBits<format>(launcher, context);
    std::int64_t selected = 0, set = 0;
    for (const TensorResult& result : actual.results) selected += result.selected;
    for (const std::uint64_t word : bits) set += std::popcount(word);
    EXPECT_EQ(selected, set);
    context.rule = Rule::Gradient;
    context.resultsZeroed = 0;
    context.histograms = nullptr;
    context.sums = sums.data();
    enqueueTopSums<format>(launcher, context);
    for (const double sum : sums) EXPECT_GT(sum, 0);
}

TEST(Threads, DoALargePartitionsStep) {
    How how;
    how.tuning = everythingLarge();
    expectThreadsToDoAsTheCpu<Format::Fp32>(Rule::Momentum, how);
}
TEST(Threads, RepairWhatABracketMissed) {
    How how;
    how.tuning = everythingLarge();
    how.tuning.sigmas = -50;
    how.journal = 1000;
    expectThreadsToDoAsTheCpu<Format::Bf16>(Rule::MomentumOverRoot, how);
}
TEST(Threads, DoSmallPartitionsStep) {
    How how;
    how.tuning.warpPartition = 1500;
    expectThreadsToDoAsTheCpu<Format::Fp32>(Rule::Random, how);
}

TEST(Threads, AddUpArrays) {
    Case c;
    c.add(Pattern::Random, 40000, 4);
    const ArrayEntry entry{c.tensors[0].p.data(), c.tensors[0].m.data(), 40000, 0};
    const std::int32_t owners[] = {0, 0};
    double partialSums[2], sum = 0, expected = 0;
    DriftPart partialDrifts[2];
    Drift drift;
    ArraysContext context{};
    context.arrays = &entry;
    context.arrayCount = 1;
    context.owners = owners;
    context.chunkCount = 2;
    context.partialSums = partialSums;
    context.partialDrifts = partialDrifts;
    context.sums = &sum;
    context.drifts = &drift;
    ThreadedLauncher launcher;
    enqueueSums(launcher, context);
    enqueueDrifts(launcher, context);
    for (const float x : c.tensors[0].p) expected += static_cast<double>(x) * static_cast<double>(x);
    EXPECT_NEAR(sum, expected, 1e-12 * expected);
    EXPECT_GT(drift.l2, 0);
}

}  // namespace
}  // namespace mofo::kernels::cuda::test
