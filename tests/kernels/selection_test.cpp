// The table (size, k, pattern) x instruction set against a full sort.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <tuple>

#include "tests/kernels/step_case.h"
#include "tests/kernels/thread_team.h"

namespace mofo::kernels::test {
namespace {

enum class Pattern {
    Random,
    AllEqual,
    Ascending,
    Descending,
    ManyTies,
    Zeros,
    MostlyZero,
    SignedZeros,
    Denormals,
    Infinities,
    OneBin,
    AllMagnitudes,
    SmallWhereSampled,
    LargeWhereSampled
};

const char* name(Pattern pattern) {
    constexpr const char* names[] = {"Random", "AllEqual",      "Ascending",         "Descending",       "ManyTies",
                                     "Zeros",  "MostlyZero",    "SignedZeros",       "Denormals",        "Infinities",
                                     "OneBin", "AllMagnitudes", "SmallWhereSampled", "LargeWhereSampled"};
    return names[static_cast<int>(pattern)];
}

/// Whether the kernels look at coordinate i for their bracket: one vector of sixteen in sixteen, at a place that its number decides
/// (slice_kernels_impl.h, `sample`; up to 2^20 coordinates).
bool isSampled(std::int64_t i) {
    const std::int64_t chunk = i / stepChunk * stepChunk;
    const std::int64_t vector = (i - chunk) / 16;
    const std::int64_t first = vector / 16 * 16;
    const std::uint64_t noise = (static_cast<std::uint64_t>(chunk + first) + 1) * 0x9e3779b97f4a7c15ULL;
    return vector == first + static_cast<std::int64_t>((noise >> 33) % 16);
}

/// m and g of coordinate i. Equal ones make the new m that very value: m + w (m - m).
std::pair<float, float> momentAndGradient(Pattern pattern, std::int64_t i, std::int64_t n, std::mt19937& random) {
    constexpr float tiny = std::numeric_limits<float>::denorm_min();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const auto draw = static_cast<std::uint32_t>(random());
    const float sign = (draw & 1U) != 0 ? 1.0F : -1.0F;
    const auto both = [&](float x) { return std::pair(sign * x, sign * x); };
    const auto position = static_cast<float>(i);
    switch (pattern) {
        case Pattern::Random: {
            std::normal_distribution<float> normal;
            const float m = normal(random);
            return {m, normal(random)};
        }
        case Pattern::AllEqual: return both(0.125F);
        case Pattern::Ascending: return both(position + 1);
        case Pattern::Descending: return both(static_cast<float>(n) - position);
        case Pattern::ManyTies: return both(static_cast<float>((draw >> 8) % 5) * 0.5F);
        case Pattern::Zeros: return {0.0F, 0.0F};
        case Pattern::MostlyZero: return (draw >> 8) % 20 == 0 ? both(static_cast<float>(draw >> 12)) : std::pair(0.0F, 0.0F);
        // -tiny + 0.1 * 5 tiny = -0.5 tiny rounds to -0.
        case Pattern::SignedZeros:
            return (draw >> 8) % 3 == 0 ? std::pair(-tiny, 4 * tiny) : (draw >> 8) % 3 == 1 ? std::pair(0.0F, 0.0F) : both(tiny);
        case Pattern::Denormals: return both(tiny * static_cast<float>((draw >> 8) % 5000));
        case Pattern::Infinities: return (draw >> 8) % 4 == 0 ? std::pair(0.0F, sign * infinity) : both(position);
        // The upper half of all patterns is the same: only the lower digits tell them apart.
        case Pattern::OneBin: return both(1.0F + static_cast<float>((draw >> 8) % 4096) * 0x1p-23F);
        case Pattern::SmallWhereSampled: return both((isSampled(i) ? 1.0F : 100.0F) + position / static_cast<float>(n));
        case Pattern::LargeWhereSampled: return both((isSampled(i) ? 100.0F : 1.0F) + position / static_cast<float>(n));
        case Pattern::AllMagnitudes:
            return both(std::ldexp(1.0F + static_cast<float>(draw >> 9) * 0x1p-23F, static_cast<int>((draw >> 1) % 250) - 126));
    }
    return {};
}

StepCase makeCase(Pattern pattern, std::int64_t n, std::int64_t k) {
    std::mt19937 random(static_cast<unsigned>(n));
    StepCase c;
    TestTensor tensor;
    for (std::int64_t i = 0; i < n; ++i) {
        const auto [m, g] = momentAndGradient(pattern, i, n, random);
        tensor.m.push_back(m);
        tensor.g.push_back(g);
        tensor.v.push_back(static_cast<float>(i % 3));
        tensor.p.push_back(i % 7 == 0 ? -0.0F : 0.25F * static_cast<float>(i % 7));
    }
    c.tensors.push_back(std::move(tensor));
    c.partitionByTensor();
    c.k = {k};
    return c;
}

class Selection : public testing::TestWithParam<std::tuple<Pattern, InstructionSet>> {
protected:
    void SetUp() override {
        if (!isSupported(std::get<1>(GetParam()))) GTEST_SKIP() << "this processor has no " << instructionSetName(std::get<1>(GetParam()));
    }
};

TEST_P(Selection, EqualsAFullSort) {
    const auto [pattern, set] = GetParam();
    for (const std::int64_t n : {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 255, 257, 1000, 4097, 32769, 65535, 65536, 65537, 131072, 200003}) {
        const std::set<std::int64_t> ks = {
            1, selectedCount(0.05, n), selectedCount(0.15, n), std::max<std::int64_t>(1, n / 2), std::max<std::int64_t>(1, n - 1), n};
        for (const std::int64_t k : ks) {
            SCOPED_TRACE("n = " + std::to_string(n) + ", k = " + std::to_string(k));
            StepCase expected = makeCase(pattern, n, k);
            StepCase actual = expected;
            expected.runReference();
            ASSERT_TRUE(actual.run(set));
            expectEqual(expected, actual);
            if (HasFatalFailure()) return;
            ASSERT_GE(actual.partitionResults[0].masked, k);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Selection,
    testing::Combine(testing::Values(Pattern::Random, Pattern::AllEqual, Pattern::Ascending, Pattern::Descending, Pattern::ManyTies, Pattern::Zeros,
                                     Pattern::MostlyZero, Pattern::SignedZeros, Pattern::Denormals, Pattern::Infinities, Pattern::OneBin,
                                     Pattern::AllMagnitudes, Pattern::SmallWhereSampled, Pattern::LargeWhereSampled),
                     testing::Values(InstructionSet::Scalar, InstructionSet::Avx2, InstructionSet::Avx512)),
    [](const auto& info) { return std::string(name(std::get<0>(info.param))) + '_' + instructionSetName(std::get<1>(info.param)); });

// Partitions above cachedPartition are shared by all threads; most patterns here are no bell curves, and their thresholds are not where a sample
// says.
TEST(LargeSelection, EqualsAFullSortWhateverTheThreads) {
    for (const Pattern pattern : {Pattern::Random, Pattern::ManyTies, Pattern::MostlyZero, Pattern::OneBin, Pattern::SmallWhereSampled}) {
        for (const std::int64_t n : {(1 << 20) + 1, 3 * (1 << 20) + 17}) {
            for (const double decay : {0.0, 0.1}) {
                SCOPED_TRACE(std::string(name(pattern)) + ", n = " + std::to_string(n));
                StepCase original = makeCase(pattern, n, selectedCount(0.15, n));
                original.hyperparameters.weightDecay = decay;
                StepCase expected = original;
                expected.runReference();
                for (const int threads : {1, 2, 3, 8}) {
                    ThreadTeam team(threads);
                    StepCase actual = original;
                    ASSERT_TRUE(actual.run(bestInstructionSet(), team.parallelFor()));
                    expectEqual(expected, actual);
                    if (HasFatalFailure()) return;
                }
            }
        }
    }
}

TEST(Repair, GivesBackWhatMovedTooEarly) {
    constexpr std::int64_t n = 1 << 20;
    for (const Pattern pattern : {Pattern::SmallWhereSampled, Pattern::LargeWhereSampled, Pattern::ManyTies}) {
        for (const Format format : {Format::Fp32, Format::Bf16, Format::Bf16Master}) {
            for (const bool selectedOnly : {false, true}) {
                for (const InstructionSet set : supportedSets()) {
                    SCOPED_TRACE(std::string(name(pattern)) + ", format " + std::to_string(static_cast<int>(format)) + ", " +
                                 instructionSetName(set));
                    StepCase expected = makeCase(pattern, n, selectedCount(0.15, n));
                    expected.hyperparameters.weightDecay = 0.1;
                    expected.decaySelectedOnly = selectedOnly;
                    expected.measure = true;
                    expected.setFormat(format);
                    StepCase actual = expected;
                    expected.runReference();
                    ThreadTeam team(3);
                    ASSERT_TRUE(actual.run(set, team.parallelFor()));
                    EXPECT_EQ(actual.status.repaired, 1);
                    expectEqual(expected, actual);
                    if (HasFatalFailure()) return;
                }
            }
        }
    }
}

/// p of all magnitudes, zeros of both signs and denormals among them: beside an update some are tiny, some huge.
void spreadParameters(StepCase& c) {
    std::mt19937 random(5);
    for (float& p : c.tensors[0].p) {
        const auto draw = static_cast<std::uint32_t>(random());
        const float sign = (draw & 1U) != 0 ? 1.0F : -1.0F;
        const int exponent = static_cast<int>((draw >> 1) % 170) - 149;
        p = sign * (exponent > 15 ? 0.0F : std::ldexp(1.0F + static_cast<float>(draw >> 9) * 0x1p-23F, exponent));
    }
}

// The journal has a byte a coordinate, which leads back from where p is to where it was. Where that is not possible nothing may move early.
TEST(Repair, GivesBackParametersOfAnySizeBesideTheirUpdates) {
    constexpr std::int64_t n = 200'003;
    for (const Pattern pattern : {Pattern::Random, Pattern::SmallWhereSampled, Pattern::LargeWhereSampled}) {
        for (const Format format : {Format::Fp32, Format::Bf16, Format::Bf16Master}) {
            for (const double learningRate : {1e-9, 1e-5, 1e-2, 30.0}) {
                for (const bool selectedOnly : {false, true}) {
                    StepCase original = makeCase(pattern, n, selectedCount(0.15, n));
                    spreadParameters(original);
                    original.hyperparameters.lr = learningRate;
                    original.hyperparameters.weightDecay = 0.1 / std::max(1.0, learningRate);
                    original.decaySelectedOnly = selectedOnly;
                    original.setFormat(format);
                    StepCase expected = original;
                    expected.runReference();
                    for (const InstructionSet set : supportedSets()) {
                        SCOPED_TRACE(std::string(name(pattern)) + ", format " + std::to_string(static_cast<int>(format)) + ", lr " +
                                     std::to_string(learningRate) + ", " + instructionSetName(set));
                        StepCase actual = original;
                        ASSERT_TRUE(actual.run(set));
                        EXPECT_TRUE(pattern == Pattern::Random || actual.status.repaired == 1);
                        expectEqual(expected, actual);
                        if (HasFatalFailure()) return;
                    }
                }
            }
        }
    }
}

TEST(Repair, IsNotNeededForBellCurvesNorForRowsOfTheirOwnScale) {
    StepCase c;
    c.addRandomTensor(3'000'000, 1);
    c.addRandomTensor(400'000, 2);
    for (std::size_t i = 0; i < 400'000; ++i) {
        const float scale = std::exp2(static_cast<float>((i / 400 * 7919) % 13) - 6.0F);
        c.tensors[1].m[i] *= scale;
        c.tensors[1].g[i] *= scale;
    }
    c.partitionByTensor();
    for (const double alpha : {0.01, 0.03, 0.15, 0.4}) {
        c.setAlpha(alpha);
        ASSERT_TRUE(c.run(bestInstructionSet()));
        EXPECT_EQ(c.status.repaired, 0) << alpha;
    }
}

// A tensor may be a part of one with more than 2^32 coordinates.
TEST(Offsets, Beyond32Bits) {
    for (const std::int64_t first : {std::int64_t{0}, (std::int64_t{1} << 32) - 40'000, (std::int64_t{5} << 32) + 3}) {
        for (const Rule rule : {Rule::Momentum, Rule::Random}) {
            for (const Format format : {Format::Fp32, Format::Bf16}) {
                for (const InstructionSet set : supportedSets()) {
                    SCOPED_TRACE("first " + std::to_string(first) + ", rule " + std::to_string(static_cast<int>(rule)) + ", " +
                                 instructionSetName(set));
                    StepCase expected;
                    expected.addRandomTensor(100'000, 1);
                    expected.addRandomTensor(9'999, 2);
                    for (TestTensor& t : expected.tensors) t.firstIndex = first;
                    expected.addPartition({{0, first, 1, 100'000, 0}});
                    for (std::int64_t column = 0; column < 33; ++column) expected.addPartition({{1, first + column, 303, 1, 33}});
                    expected.rule = rule;
                    expected.setFormat(format);
                    expected.setAlpha(0.15);
                    StepCase actual = expected;
                    expected.runReference();
                    ASSERT_TRUE(actual.run(set));
                    expectEqual(expected, actual);
                    if (HasFatalFailure()) return;
                }
            }
        }
    }
}

TEST(RandomRule, DrawsExactlyKAndOthersWithAnotherKey) {
    StepCase c;
    c.addRandomTensor(300'000, 1);
    c.partitionByTensor();
    c.setAlpha(0.15);
    c.rule = Rule::Random;
    ASSERT_TRUE(c.run(bestInstructionSet()));
    EXPECT_EQ(c.partitionResults[0].masked, c.k[0]) << "the numbers of one tensor are all different";
    EXPECT_NEAR(c.partitionResults[0].threshold, 0.85, 0.005);
}

TEST(StochasticRounding, HasTheExactStepAsItsMean) {
    // One tensor of equal weights between two bf16 values: their mean after the step is the fp32 step's, to four standard errors.
    constexpr std::size_t n = 200'000;
    StepCase exact;
    exact.addRandomTensor(static_cast<std::int64_t>(n), 1);
    exact.tensors[0].p.assign(n, 1.0F);
    exact.partitionByTensor();
    exact.rule = Rule::None;
    exact.hyperparameters.lr = 2e-3;  // about half of the distance between neighbours
    StepCase rounded = exact;
    exact.setFormat(Format::Bf16Master);
    rounded.setFormat(Format::Bf16);
    ASSERT_TRUE(exact.run(bestInstructionSet()));
    ASSERT_TRUE(rounded.run(bestInstructionSet()));
    double difference = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double d = static_cast<double>(rounded.tensors[0].p[i]) - static_cast<double>(exact.tensors[0].p[i]);
        EXPECT_LT(std::abs(d), 0x1p-7);
        difference += d;
    }
    EXPECT_LT(std::abs(difference / n), 4 * 0x1p-8 / std::sqrt(static_cast<double>(n)));
}

}  // namespace
}  // namespace mofo::kernels::test
