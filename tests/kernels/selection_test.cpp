// The table (size, k, pattern) x instruction set against a full sort.
#include <gtest/gtest.h>

#include <algorithm>
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
    AllMagnitudes
};

const char* name(Pattern pattern) {
    constexpr const char* names[] = {"Random",     "AllEqual",    "Ascending", "Descending", "ManyTies", "Zeros",
                                     "MostlyZero", "SignedZeros", "Denormals", "Infinities", "OneBin",   "AllMagnitudes"};
    return names[static_cast<int>(pattern)];
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
    for (const std::int64_t n : {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 255, 257, 1000, 4097, 32768, 32769, 65535, 65537}) {
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

INSTANTIATE_TEST_SUITE_P(Table, Selection,
                         testing::Combine(testing::Values(Pattern::Random, Pattern::AllEqual, Pattern::Ascending, Pattern::Descending,
                                                          Pattern::ManyTies, Pattern::Zeros, Pattern::MostlyZero, Pattern::SignedZeros,
                                                          Pattern::Denormals, Pattern::Infinities, Pattern::OneBin, Pattern::AllMagnitudes),
                                          testing::Values(InstructionSet::Scalar, InstructionSet::Avx2, InstructionSet::Avx512)),
                         [](const auto& info) {
                             return std::string(name(std::get<0>(info.param))) + '_' + instructionSetName(std::get<1>(info.param));
                         });

// Partitions above 2^20 coordinates are shared by all threads.
TEST(LargeSelection, EqualsAFullSortWhateverTheThreads) {
    for (const Pattern pattern : {Pattern::Random, Pattern::ManyTies, Pattern::MostlyZero, Pattern::OneBin}) {
        for (const std::int64_t n : {(1 << 20) + 1, 3 * (1 << 20) + 17}) {
            SCOPED_TRACE(std::string(name(pattern)) + ", n = " + std::to_string(n));
            const StepCase original = makeCase(pattern, n, selectedCount(0.15, n));
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

}  // namespace
}  // namespace mofo::kernels::test
