// What the step promises beyond the selection itself: scalars, decay, partitions of several slices, NaN, threads, refused arguments.
#include "kernels/include/optimizer_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/kernels/step_case.h"
#include "tests/kernels/thread_team.h"

namespace mofo::kernels::test {
namespace {

using testing::HasSubstr;

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// Attention of 3 heads of 64 and an MLP, twice, with norms between; the sizes are those of a small Llama.
StepCase smallModel() {
    StepCase c;
    for (unsigned layer = 0; layer < 2; ++layer) {
        c.addRandomTensor(192 * 192, 10 * layer + 1);                // query
        c.addRandomTensor(64 * 192, 10 * layer + 2);                 // key
        c.addRandomTensor(192 * 192, 10 * layer + 3);                // output
        c.addRandomTensor(512 * 192, 10 * layer + 4);                // mlp
        c.addRandomTensor(192, 10 * layer + 5, /*filtered=*/false);  // norm
    }
    c.hyperparameters.weightDecay = 0.1;
    c.gradScale = 0.37;
    return c;
}

void partitionByLayer(StepCase& c) {
    for (std::int32_t first : {0, 5}) {
        std::vector<Slice> slices;
        for (std::int32_t i = first; i < first + 4; ++i) slices.push_back({i, 0, 1, c.tensors[static_cast<std::size_t>(i)].size(), 0});
        c.addPartition(slices);
    }
}

void partitionAsModel(StepCase& c) {
    std::vector<Slice> slices;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(c.tensors.size()); ++i) {
        if (c.tensors[static_cast<std::size_t>(i)].filtered) slices.push_back({i, 0, 1, c.tensors[static_cast<std::size_t>(i)].size(), 0});
    }
    c.addPartition(slices);
}

/// Rows of a head in q and k, columns of a head in o (strided), whole MLP.
void partitionByHead(StepCase& c) {
    for (std::int32_t first : {0, 5}) {
        for (std::int64_t head = 0; head < 3; ++head) c.addPartition({{first, head * 64 * 192, 1, 64 * 192, 0}});
        c.addPartition({{first + 1, 0, 1, 64 * 192, 0}});
        for (std::int64_t head = 0; head < 3; ++head) c.addPartition({{first + 2, head * 64, 192, 64, 192}});
        c.addPartition({{first + 3, 0, 1, 512 * 192, 0}});
    }
}

void partitionByRow(StepCase& c) {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(c.tensors.size()); ++i) {
        if (!c.tensors[static_cast<std::size_t>(i)].filtered) continue;
        for (std::int64_t row = 0; row < c.tensors[static_cast<std::size_t>(i)].size() / 192; ++row) c.addPartition({{i, row * 192, 1, 192, 0}});
    }
}

/// Blocks of 100: no multiple of a vector, the last one of a tensor shorter.
void partitionByBlock(StepCase& c) {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(c.tensors.size()); ++i) {
        const std::int64_t n = c.tensors[static_cast<std::size_t>(i)].size();
        if (!c.tensors[static_cast<std::size_t>(i)].filtered) continue;
        for (std::int64_t at = 0; at < n; at += 100) c.addPartition({{i, at, 1, std::min<std::int64_t>(100, n - at), 0}});
    }
}

/// Columns one by one, as the output rows of a transposed matrix are, in the MLP; the rest by tensor.
void partitionByColumn(StepCase& c) {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(c.tensors.size()); ++i) {
        if (i % 5 == 3) {
            for (std::int64_t column = 0; column < 192; ++column) c.addPartition({{i, column, 512, 1, 192}});
        } else if (i % 5 < 3) {
            c.addPartition({{i, 0, 1, c.tensors[static_cast<std::size_t>(i)].size(), 0}});
        }
    }
}

struct Granularity {
    const char* name;
    void (*partition)(StepCase&);
};

class Granularities : public testing::TestWithParam<Granularity> {};

TEST_P(Granularities, EveryInstructionSetAndNumberOfThreadsGivesTheReferencesBits) {
    for (const bool selectedOnly : {false, true}) {
        StepCase original = smallModel();
        GetParam().partition(original);
        original.setAlpha(0.15);
        original.decaySelectedOnly = selectedOnly;
        original.measure = true;
        StepCase expected = original;
        expected.runReference();
        for (const InstructionSet set : supportedSets()) {
            for (const int threads : {1, 2, 5, 8}) {
                SCOPED_TRACE(std::string(instructionSetName(set)) + ", " + std::to_string(threads) + " threads");
                ThreadTeam team(threads);
                StepCase actual = original;
                ASSERT_TRUE(actual.run(set, team.parallelFor()));
                expectEqual(expected, actual);
                if (HasFatalFailure()) return;
            }
        }
    }
}

TEST_P(Granularities, EveryRuleInEveryFormatGivesTheReferencesBits) {
    for (const Rule rule : {Rule::Momentum, Rule::Gradient, Rule::MomentumOverRoot, Rule::Random, Rule::None}) {
        for (const Format format : {Format::Fp32, Format::Bf16, Format::Bf16Master}) {
            for (const double alpha : {0.03, 0.6}) {
                StepCase original = smallModel();
                GetParam().partition(original);
                original.setAlpha(alpha);
                original.rule = rule;
                original.setFormat(format);
                original.decaySelectedOnly = rule == Rule::Gradient;
                StepCase expected = original;
                expected.runReference();
                for (const InstructionSet set : supportedSets()) {
                    SCOPED_TRACE("rule " + std::to_string(static_cast<int>(rule)) + ", format " + std::to_string(static_cast<int>(format)) +
                                 ", alpha " + std::to_string(alpha) + ", " + instructionSetName(set));
                    StepCase actual = original;
                    ASSERT_TRUE(actual.run(set));
                    expectEqual(expected, actual);
                    if (HasFatalFailure()) return;
                }
            }
        }
    }
}

TEST_P(Granularities, AlphaOneEqualsAdamW) {
    StepCase mofo = smallModel();
    GetParam().partition(mofo);
    mofo.setAlpha(1);
    StepCase adamw = mofo;
    adamw.rule = Rule::None;
    for (const InstructionSet set : supportedSets()) {
        ASSERT_TRUE(mofo.run(set));
        ASSERT_TRUE(adamw.run(set));
        mofo.partitionResults.clear();
        expectEqual(adamw, mofo);
    }
}

INSTANTIATE_TEST_SUITE_P(All, Granularities,
                         testing::Values(Granularity{"tensor", [](StepCase& c) { c.partitionByTensor(); }}, Granularity{"layer", partitionByLayer},
                                         Granularity{"model", partitionAsModel}, Granularity{"head", partitionByHead},
                                         Granularity{"row", partitionByRow}, Granularity{"block", partitionByBlock},
                                         Granularity{"column", partitionByColumn}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(LargePartitions, StridedSlicesAndChunksAreSharedByThreads) {
    // 2,048 x 1,536: two partitions of 1,572,864 interleaved columns each, and a contiguous one that spans two tensors.
    StepCase original;
    original.addRandomTensor(2048 * 1536, 1);
    original.addRandomTensor(900001, 2);
    original.addRandomTensor(300000, 3);
    original.addPartition({{0, 0, 2048, 768, 1536}});
    original.addPartition({{0, 768, 2048, 768, 1536}});
    original.addPartition({{1, 0, 1, 900001, 0}, {2, 0, 1, 300000, 0}});
    original.setAlpha(0.05);
    ASSERT_EQ(original.plan().large.size(), 3U);
    StepCase expected = original;
    expected.runReference();
    for (const int threads : {1, 3}) {
        ThreadTeam team(threads);
        StepCase actual = original;
        ASSERT_TRUE(actual.run(bestInstructionSet(), team.parallelFor()));
        expectEqual(expected, actual);
    }
}

TEST(Step, EqualsTheReferenceOverSeveralStepsAndBetas) {
    for (const auto& [b1, b2] : {std::pair(0.9, 0.999), {0.95, 0.95}, {0.5, 0.9}, {0.1, 0.5}, {0.0, 0.0}}) {
        for (const InstructionSet set : supportedSets()) {
            StepCase expected = smallModel();
            expected.partitionByTensor();
            expected.setAlpha(0.1);
            expected.hyperparameters.beta1 = b1;
            expected.hyperparameters.beta2 = b2;
            StepCase actual = expected;
            for (std::int64_t t = 1; t <= 3; ++t) {
                SCOPED_TRACE("b1 " + std::to_string(b1) + ", step " + std::to_string(t));
                expected.step = actual.step = t;
                expected.runReference();
                ASSERT_TRUE(actual.run(set));
                expectEqual(expected, actual);
                if (HasFatalFailure()) return;
            }
        }
    }
}

TEST(Step, AdamWNeedsNoPartitions) {
    StepCase partitioned = smallModel();
    partitioned.rule = Rule::None;
    StepCase bare = partitioned;
    partitioned.partitionByTensor();
    const std::vector<Tensor> tensors = bare.views();
    const StepPlan plan = bare.plan();
    const StepScalars scalars = stepScalars(bare.hyperparameters, bare.step, bare.gradScale, false);
    bare.tensorResults.resize(tensors.size());
    Workspace workspace(cpu::stepWorkspaceBytes(plan, 1));
    ASSERT_TRUE(cpu::step({tensors, &plan, {}, Rule::None, false, &scalars, {}, bare.tensorResults, &bare.status, workspace.span(), {}, {}, {}}, {}));
    ASSERT_TRUE(partitioned.run());
    expectEqual(partitioned, bare);
}

TEST(Step, UnselectedCoordinatesKeepTheirBitsWithoutDecay) {
    StepCase before = smallModel();
    before.partitionByTensor();
    before.setAlpha(0.05);
    before.hyperparameters.weightDecay = 0;
    StepCase after = before;
    ASSERT_TRUE(after.run(bestInstructionSet()));
    for (std::size_t i = 0; i < before.tensors.size(); ++i) {
        std::int64_t changed = 0;
        for (std::size_t j = 0; j < before.tensors[i].p.size(); ++j) changed += before.tensors[i].p[j] != after.tensors[i].p[j] ? 1 : 0;
        EXPECT_LE(changed, after.tensorResults[i].selected);
        EXPECT_GT(changed, after.tensorResults[i].selected * 9 / 10) << "a step of 1e-3 is visible at weights of 0.05";
    }
}

TEST(Step, RowsThatNoGradientTouchedCountAsMaskedButNotAsSelected) {
    StepCase c;
    c.addRandomTensor(1000, 1);
    for (std::size_t i = 50; i < 1000; ++i) c.tensors[0].g[i] = c.tensors[0].m[i] = 0;
    c.partitionByTensor();
    c.k = {150};
    ASSERT_TRUE(c.run(bestInstructionSet()));
    EXPECT_EQ(c.partitionResults[0].threshold, 0.0F);
    EXPECT_EQ(c.partitionResults[0].masked, 1000);
    EXPECT_EQ(c.partitionResults[0].selected, 50);
    EXPECT_EQ(c.tensorResults[0].selected, 50);
}

TEST(Step, GradScaleIsTheGradientsFactor) {
    StepCase scaled = smallModel();
    scaled.partitionByTensor();
    scaled.setAlpha(0.15);
    StepCase plain = scaled;
    plain.gradScale = 1;
    for (TestTensor& t : plain.tensors) {
        for (float& g : t.g) g *= 0.37F;
    }
    ASSERT_TRUE(scaled.run(bestInstructionSet()));
    ASSERT_TRUE(plain.run(bestInstructionSet()));
    expectEqual(plain, scaled);
}

TEST(Step, NanChangesNothing) {
    struct Case {
        const char* name;
        std::size_t tensor;  // 4 is a norm, which is not filtered
        float m, g;
    };
    for (const Case& bad : {Case{"gradient", 2, 0, notANumber},
                            {"moment", 0, notANumber, 0},
                            {"infinities of both signs", 3, infinity, -infinity},
                            {"infinite moment, finite gradient", 3, infinity, 1},
                            {"norm", 4, 0, notANumber}}) {
        for (const Rule rule : {Rule::Momentum, Rule::None}) {
            for (const InstructionSet set : supportedSets()) {
                SCOPED_TRACE(std::string(bad.name) + ", " + instructionSetName(set));
                StepCase before = smallModel();
                before.partitionByTensor();
                before.setAlpha(0.15);
                before.rule = rule;
                before.tensors[bad.tensor].m[101] = bad.m;
                before.tensors[bad.tensor].g[101] = bad.g;
                StepCase after = before;
                ThreadTeam team(2);
                ASSERT_TRUE(after.run(set, team.parallelFor()));
                before.status = {true, false};
                before.tensorResults.assign(before.tensors.size(), {});
                before.partitionResults.assign(after.partitionResults.size(), {});
                expectEqual(before, after);
                if (HasFatalFailure()) return;
            }
        }
    }
}

TEST(Step, KnownFiniteSavesThePassAndChangesNoBit) {
    StepCase checked = smallModel();
    checked.partitionByTensor();
    checked.setAlpha(0.15);
    StepCase unchecked = checked;
    unchecked.knownFinite = true;
    ASSERT_TRUE(checked.run(bestInstructionSet()));
    ASSERT_TRUE(unchecked.run(bestInstructionSet()));
    expectEqual(checked, unchecked);
    EXPECT_TRUE(checked.status.momentsFinite);
}

TEST(Step, KnownFiniteIsNotTrustedWhereAnOverflowCouldBecomeNan) {
    // With b1 = 0 the new m is g - 0 (g - m), and g - m overflows.
    StepCase c;
    c.addRandomTensor(100, 1);
    c.tensors[0].m[5] = -std::numeric_limits<float>::max();
    c.tensors[0].g[5] = std::numeric_limits<float>::max();
    c.hyperparameters.beta1 = 0;
    c.partitionByTensor();
    c.k = {15};
    c.knownFinite = true;
    ASSERT_TRUE(c.run(bestInstructionSet()));
    EXPECT_TRUE(c.status.nanFound);
    EXPECT_EQ(c.tensors[0].m[5], -std::numeric_limits<float>::max());
}

TEST(Step, SaysWhenAMomentIsNoLongerFinite) {
    for (const Rule rule : {Rule::Momentum, Rule::None}) {
        for (const bool inNorm : {false, true}) {
            StepCase c = smallModel();
            c.partitionByTensor();
            c.setAlpha(0.15);
            c.rule = rule;
            c.tensors[inNorm ? 4 : 0].g[7] = infinity;
            ASSERT_TRUE(c.run(bestInstructionSet()));
            EXPECT_FALSE(c.status.nanFound);
            EXPECT_FALSE(c.status.momentsFinite);
        }
    }
}

TEST(StepScalars, AreRoundedOnceFromDouble) {
    const StepScalars s = stepScalars({2e-5, 0.9, 0.999, 1e-8, 0.1}, 7, 0.25, true);
    EXPECT_EQ(s.gradScale, 0.25F);
    EXPECT_EQ(s.momentWeight, static_cast<float>(1 - 0.9));
    EXPECT_EQ(s.beta2, 0.999F);
    EXPECT_EQ(s.squareWeight, static_cast<float>(1 - 0.999));
    EXPECT_EQ(s.rootCorrection, static_cast<float>(std::sqrt(1 - std::pow(0.999, 7))));
    EXPECT_EQ(s.eps, 1e-8F);
    EXPECT_EQ(s.stepSize, static_cast<float>(-2e-5 / (1 - std::pow(0.9, 7))));
    EXPECT_EQ(s.decay, static_cast<float>(1 - 2e-5 * 0.1));
    EXPECT_TRUE(s.knownFinite);
}

TEST(SelectedCount, IsTheFloorInDoubleAndAtLeastOne) {
    EXPECT_EQ(selectedCount(0.15, 1), 1);
    EXPECT_EQ(selectedCount(0.15, 28311552), 4246732);
    EXPECT_EQ(selectedCount(0.29, 100), 28) << "0.29 * 100 is 28.999999999999996 in double, and Python's int() says 28";
    EXPECT_EQ(selectedCount(1, 7), 7);
    EXPECT_EQ(selectedCount(1e-9, 1000), 1);
}

TEST(CheckPartitions, NamesWhatIsWrong) {
    StepCase c;
    c.addRandomTensor(100, 1);
    c.addRandomTensor(10, 2, /*filtered=*/false);
    const std::vector<Tensor> tensors = c.views();
    const auto check = [&](std::vector<Slice> slices, std::vector<std::int64_t> first) { return checkPartitions(tensors, {slices, first}); };
    EXPECT_EQ(check({{0, 0, 1, 100, 0}}, {0, 1}), "");
    EXPECT_EQ(check({{0, 0, 10, 3, 10}, {0, 3, 10, 7, 10}}, {0, 1, 2}), "");
    EXPECT_THAT(check({{0, 0, 1, 99, 0}}, {0, 1}), HasSubstr("99 of the 100"));
    EXPECT_THAT(check({{0, 0, 1, 101, 0}}, {0, 1}), HasSubstr("beyond"));
    EXPECT_THAT(check({{0, 0, 11, 1, 10}}, {0, 1}), HasSubstr("beyond"));
    EXPECT_THAT(check({{0, -1, 1, 100, 0}}, {0, 1}), HasSubstr("begins before"));
    EXPECT_THAT(check({{0, 0, 1, 0, 0}}, {0, 1}), HasSubstr("empty"));
    EXPECT_THAT(check({{0, 0, 10, 10, 5}}, {0, 1}), HasSubstr("overlap"));
    EXPECT_THAT(check({{2, 0, 1, 10, 0}}, {0, 1}), HasSubstr("tensor 2"));
    EXPECT_THAT(check({{0, 0, 1, 100, 0}, {1, 0, 1, 10, 0}}, {0, 2}), HasSubstr("unfiltered"));
    EXPECT_THAT(check({{0, 0, 1, 100, 0}}, {0, 1, 1}), HasSubstr("no slice"));
    EXPECT_THAT(check({{0, 0, 1, 100, 0}}, {0}), HasSubstr("firstSlice"));
    EXPECT_THAT(check({{0, std::numeric_limits<std::int64_t>::max(), 1, 100, 0}}, {0, 1}), HasSubstr("beyond"));
}

TEST(Step, RefusesArgumentsThatDoNotFitTogether) {
    StepCase c = smallModel();
    c.partitionByTensor();
    c.setAlpha(0.15);
    const std::vector<Tensor> tensors = c.views();
    const StepPlan plan = c.plan();
    const StepScalars scalars = stepScalars(c.hyperparameters, 1, 1, false);
    std::vector<PartitionResult> partitionResults(plan.sizes.size());
    std::vector<TensorResult> tensorResults(tensors.size());
    StepStatus status;
    Workspace workspace(cpu::stepWorkspaceBytes(plan, 1));
    Execution execution;
    const StepArguments good{tensors, &plan, c.k, Rule::Momentum, false, &scalars, partitionResults, tensorResults, &status, workspace.span(),
                             {},      {},    {}};
    const StepCase before = c;
    const auto refused = [&](auto change) {
        StepArguments bad = good;
        Execution how = execution;
        change(bad, how);
        return !cpu::step(bad, how);
    };
    std::vector<std::int64_t> zero = c.k;
    zero[1] = 0;
    std::vector<std::int64_t> tooMany = c.k;
    tooMany[2] = plan.sizes[2] + 1;
    EXPECT_TRUE(refused([&](StepArguments& a, Execution&) { a.k = zero; }));
    EXPECT_TRUE(refused([&](StepArguments& a, Execution&) { a.k = tooMany; }));
    EXPECT_TRUE(refused([&](StepArguments& a, Execution&) { a.k = a.k.first(1); }));
    EXPECT_TRUE(refused([&](StepArguments& a, Execution&) { a.tensors = a.tensors.first(3); }));
    EXPECT_TRUE(refused([&](StepArguments& a, Execution&) { a.tensorResults = a.tensorResults.first(3); }));
    EXPECT_TRUE(refused([&](StepArguments& a, Execution&) { a.partitionResults = {}; }));
    EXPECT_TRUE(refused([&](StepArguments& a, Execution&) { a.workspace = a.workspace.first(a.workspace.size() - 1); }));
    EXPECT_TRUE(refused([&](StepArguments&, Execution& e) { e.parallelFor.threads = 2; })) << "the workspace is for one thread";
    EXPECT_TRUE(refused([&](StepArguments&, Execution& e) { e.parallelFor.threads = 0; }));
    EXPECT_TRUE(refused([&](StepArguments& a, Execution&) { a.plan = nullptr; }));
    c.tensorResults.assign(c.tensors.size(), {});
    StepCase same = before;
    same.tensorResults.assign(c.tensors.size(), {});
    expectEqual(same, c);
    EXPECT_TRUE(cpu::step(good, execution));
}

}  // namespace
}  // namespace mofo::kernels::test
