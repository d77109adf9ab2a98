// The statistics of the CUDA twin, executed block by block on the CPU, against the CPU twin's.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "kernels/cuda/arrays.cuh"
#include "kernels/cuda/selection.cuh"
#include "tests/kernels/cuda_case.h"
#include "tests/kernels/host_block.h"
#include "tests/kernels/step_case.h"

namespace mofo::kernels::cuda::test {
namespace {

using kernels::test::Workspace;

constexpr Rule allRules[] = {Rule::Momentum, Rule::Gradient, Rule::MomentumOverRoot, Rule::Random, Rule::None};

template <class Run>
void byFormat(Format format, Run&& run) {
    switch (format) {
        case Format::Fp32: run(std::integral_constant<Format, Format::Fp32>()); break;
        case Format::Bf16: run(std::integral_constant<Format, Format::Bf16>()); break;
        case Format::Bf16Master: run(std::integral_constant<Format, Format::Bf16Master>()); break;
    }
}

/// As cpu::step takes them, of a case after its step.
struct CpuArguments {
    explicit CpuArguments(Case& c) : tensors(c.views()), plan(c.plan()), scalars(c.scalars()), workspace(cpu::stepWorkspaceBytes(plan, 1)) {
        arguments.tensors = tensors;
        arguments.plan = &plan;
        arguments.k = c.k;
        arguments.rule = c.rule;
        arguments.scalars = &scalars;
        arguments.partitionResults = c.partitions;
        arguments.tensorResults = c.results;
        arguments.status = &c.status;
        arguments.workspace = workspace.span();
        arguments.format = c.format;
    }
    std::vector<Tensor> tensors;
    StepPlan plan;
    StepScalars scalars;
    Workspace workspace;
    StepArguments arguments;
};

class Statistics : public testing::TestWithParam<Granularity> {};

TEST_P(Statistics, SelectedBitsEqualTheCpus) {
    for (const Format format : {Format::Fp32, Format::Bf16}) {
        for (const Rule rule : allRules) {
            for (const Tuning& tuning : {Tuning(), everythingLarge()}) {
                Case c = smallModel(format);
                GetParam().partition(c);
                c.setAlpha(0.15);
                c.rule = rule;
                c.tensors[1].frozen = rule == Rule::None;
                for (std::size_t i = 0; i < 500; ++i) c.tensors[0].m[i] = c.tensors[0].g[i] = 0;
                How how;
                how.tuning = tuning;
                Emulated after;
                runEmulated(c, how, after);
                if (HasFatalFailure()) return;
                std::vector<std::uint64_t> bits(static_cast<std::size_t>(after.tables.firstWords.back()), 0);
                StepContext context = after.context();
                context.bits = bits.data();
                HostLauncher launcher(5);
                byFormat(format, [&](auto constant) { enqueueBits<decltype(constant)::value>(launcher, context); });

                std::vector<std::uint64_t> expected(bits.size(), 0xa5);
                std::vector<std::uint64_t*> words;
                for (std::size_t i = 0; i < c.tensors.size(); ++i) words.push_back(expected.data() + after.tables.firstWords[i]);
                const CpuArguments cpuArguments(c);
                ASSERT_TRUE(cpu::selectedBits(cpuArguments.arguments, words, {}));
                ASSERT_EQ(expected, bits) << GetParam().name;
            }
        }
    }
}

TEST_P(Statistics, TopGradientSumsEqualTheCpus) {
    for (const Format format : {Format::Fp32, Format::Bf16Master}) {
        for (const double alpha : {0.15, 1.0}) {
            for (const Tuning& tuning : {Tuning(), everythingLarge()}) {
                Case c = smallModel(format);
                GetParam().partition(c);
                c.setAlpha(alpha);
                How how;
                how.tuning = tuning;
                Emulated after;
                runEmulated(c, how, after);
                if (HasFatalFailure()) return;
                std::vector<double> sums(c.k.size(), -1);
                StepLaunch launch = after.launch;
                launch.rule = Rule::Gradient;
                launch.histograms = false;
                const std::vector<std::uint64_t> resultsBefore = after.results;
                std::fill(after.workspace.begin(), after.workspace.end(), 0xa5a5a5a5a5a5a5a5U);
                StepContext context = contextOf(after.tables, reinterpret_cast<const std::byte*>(after.tableMemory.data()), launch);
                context.resultsZeroed = 0;
                context.sums = sums.data();
                HostLauncher launcher(5);
                byFormat(format, [&](auto constant) { enqueueTopSums<decltype(constant)::value>(launcher, context); });
                EXPECT_EQ(resultsBefore, after.results) << "the last step's results are still there";

                std::vector<double> expected(sums.size());
                const CpuArguments cpuArguments(c);
                ASSERT_TRUE(cpu::topGradientSums(cpuArguments.arguments, expected, {}));
                for (std::size_t i = 0; i < sums.size(); ++i) {
                    ASSERT_NEAR(expected[i], sums[i], 1e-12 * expected[i]) << GetParam().name << ", partition " << i;
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, Statistics, testing::ValuesIn(granularities()), [](const auto& info) { return std::string(info.param.name); });

/// An uploaded list in host memory.
struct HostList {
    std::vector<ArrayEntry> entries;
    std::vector<std::int32_t> owners;
    std::vector<double> partialSums;
    std::vector<DriftPart> partialDrifts;
    ArraysContext context{};

    void add(const float* x, const float* x0, std::int64_t n) {
        entries.push_back({x, x0, n, static_cast<std::int64_t>(owners.size())});
        owners.insert(owners.end(), static_cast<std::size_t>((n + statisticsChunk - 1) / statisticsChunk),
                      static_cast<std::int32_t>(entries.size() - 1));
    }
    const ArraysContext& finished() {
        partialSums.assign(owners.size(), -1);
        partialDrifts.resize(owners.size());
        context.arrays = entries.data();
        context.arrayCount = static_cast<std::int64_t>(entries.size());
        context.owners = owners.data();
        context.chunkCount = static_cast<std::int32_t>(owners.size());
        context.partialSums = partialSums.data();
        context.partialDrifts = partialDrifts.data();
        return context;
    }
};

TEST(Arrays, SumsAndDriftsHaveTheCpusBits) {
    Case c;
    unsigned seed = 0;
    for (const std::int64_t n : {1, 15, 16, 17, 127, 128, 129, 32767, 32768, 32769, 100003}) c.add(Pattern::Random, n, ++seed);
    c.add(Pattern::AllMagnitudes, 5000, 4);
    c.tensors[3].p[5] = std::numeric_limits<float>::quiet_NaN();
    c.tensors[4].p[5] = std::numeric_limits<float>::infinity();
    c.tensors[5].p[5] = -0.0F;
    c.tensors[5].m[5] = 0.0F;
    HostList list;
    std::vector<Array> arrays;
    std::vector<ArrayPair> pairs;
    std::vector<std::int64_t> sizes;
    for (const CaseTensor& t : c.tensors) {
        list.add(t.p.data(), t.m.data(), t.n);
        arrays.push_back({t.p.data(), t.n});
        pairs.push_back({t.p.data(), t.m.data(), t.n});
        sizes.push_back(t.n);
    }
    Workspace workspace(cpu::statisticsWorkspaceBytes(sizes));
    std::vector<double> expectedSums(sizes.size()), sums(sizes.size());
    std::vector<Drift> expectedDrifts(sizes.size()), drifts(sizes.size());
    ASSERT_TRUE(cpu::sumsOfSquares(arrays, expectedSums, workspace.span(), {}));
    ASSERT_TRUE(cpu::drifts(pairs, expectedDrifts, workspace.span(), {}));
    HostLauncher launcher(3);
    list.context.sums = sums.data();
    list.context.drifts = drifts.data();
    enqueueSums(launcher, list.finished());
    enqueueDrifts(launcher, list.finished());
    const auto same = [](double a, double b) {
        return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
    };
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        EXPECT_TRUE(same(expectedSums[i], sums[i])) << i;
        EXPECT_TRUE(same(expectedDrifts[i].l2, drifts[i].l2)) << i;
        EXPECT_TRUE(same(expectedDrifts[i].pretrainedL2, drifts[i].pretrainedL2)) << i;
        EXPECT_TRUE(same(expectedDrifts[i].l1, drifts[i].l1)) << i;
        EXPECT_TRUE(same(expectedDrifts[i].linf, drifts[i].linf)) << i;
        EXPECT_EQ(expectedDrifts[i].changed, drifts[i].changed) << i;
        EXPECT_EQ(expectedDrifts[i].changedBf16, drifts[i].changedBf16) << i;
    }
}

}  // namespace
}  // namespace mofo::kernels::cuda::test
