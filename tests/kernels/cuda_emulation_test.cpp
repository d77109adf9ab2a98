// The kernels of the CUDA twin, executed block by block on the CPU, against the CPU twin: same bits, whatever the order of blocks and threads.
#include <gtest/gtest.h>

#include "tests/kernels/cuda_case.h"
#include "tests/kernels/cuda_table.h"

namespace mofo::kernels::cuda::test {
namespace {

const Runner emulated = [](Case& c, const How& how) { runEmulated(c, how); };

class Selection : public testing::TestWithParam<Pattern> {};
TEST_P(Selection, EqualsAFullSort) { expectSelections(emulated, GetParam()); }
INSTANTIATE_TEST_SUITE_P(Emulated, Selection, testing::ValuesIn(patterns), [](const auto& info) { return std::string(name(info.param)); });

class Granularities : public testing::TestWithParam<std::tuple<Granularity, Format>> {};
TEST_P(Granularities, EqualTheCpuInEveryRuleAndDecay) { expectGranularity(emulated, std::get<0>(GetParam()), std::get<1>(GetParam())); }
TEST_P(Granularities, AlphaOneEqualsAdamW) { expectAlphaOneToEqualAdamW(emulated, std::get<0>(GetParam()), std::get<1>(GetParam())); }
INSTANTIATE_TEST_SUITE_P(Emulated, Granularities, testing::Combine(testing::ValuesIn(granularities()), testing::ValuesIn(formats)),
                         [](const auto& info) { return std::get<0>(info.param).name + ('_' + nameOf(std::get<1>(info.param))); });

TEST(Step, AnySampleAndAnyRoomGiveTheSameBits) { expectAnySampleAndRoomToDo(emulated); }
TEST(Step, EveryCoordinateMovesUnderNoRule) { expectEverythingToMoveUnderNoRule(emulated); }
TEST(Step, NanChangesNothing) { expectNanToChangeNothing(emulated); }
TEST(Step, KnownFiniteIsNotTrustedWhereAnOverflowCouldBecomeNan) { expectKnownFiniteToBeTrustedOnlyWhereItCanBe(emulated); }
TEST(Step, SaysWhenAMomentIsNoLongerFinite) { expectInfiniteMomentsToBeReported(emulated); }
TEST(Step, CountsCoordinatesIn64Bits) { expectCoordinatesToBeCountedIn64Bits(emulated); }
TEST(Step, EqualsTheCpuOverSeveralStepsAndBetas) { expectSeveralStepsAndBetas(emulated); }

/// Where there are no small partitions: clear, begin, update, finish.
constexpr int updateLaunch = 2;

TEST(Brackets, WrongOnesAreRepaired) {
    struct Wrong {
        const char* what;
        double lo, hi;  // alphas whose thresholds they are; below 0: the largest rank there is, above 1: zero
        bool repaired;
    };
    const Wrong wrongs[] = {{"right", 0.25, 0.15, false},
                            {"too high", 0.1, 0.05, true},
                            {"all early", 1.0, 1.0, true},
                            {"too low", 0.6, 0.4, true},
                            // More candidates in a chunk than can wait in shared memory.
                            {"none early, all open", 1.0, -1, true},
                            {"none early, none open", -1, -1, true},
                            {"ends at k", 0.2, 0.1, false},
                            {"begins at k", 0.3, 0.2, false},
                            {"just misses", 0.19, 0.1, true},
                            {"wide", 0.32, 0.1, false},
                            {"from zero", 2, 0.1, true},
                            {"from zero, too low", 2, 0.4, true}};
    for (const Format format : formats) {
        for (const Rule rule : rankedRulesList) {
            const Case original = severalChunks(format, rule);
            Case expected = original;
            expected.runOnCpu();
            for (const Wrong& wrong : wrongs) {
                const auto ranksAt = [&](double alpha) {
                    if (alpha < 0) return std::vector<std::uint32_t>(original.k.size(), 0xffffffffU);
                    if (alpha > 1) return std::vector<std::uint32_t>(original.k.size(), 0U);
                    Case other = original;
                    other.setAlpha(alpha);
                    other.runOnCpu();
                    std::vector<std::uint32_t> ranks;
                    for (const PartitionResult& result : other.partitions) ranks.push_back(result.thresholdRank);
                    return ranks;
                };
                const std::vector<std::uint32_t> lo = ranksAt(wrong.lo), hi = ranksAt(wrong.hi);
                for (const std::int64_t journal : {-1, 0, 3000}) {
                    SCOPED_TRACE(nameOf(format) + ", " + nameOf(rule) + ", " + wrong.what + ", journal " + std::to_string(journal));
                    How how;
                    how.tuning = everythingLarge();
                    how.tuning.candidateShare = 1;
                    how.journal = journal;
                    how.between = [&](int launch, const StepContext& c) {
                        if (launch != updateLaunch) return;
                        for (std::int32_t i = 0; i < c.largeCount; ++i) {
                            c.states[i].lo = lo[static_cast<std::size_t>(c.large[i].partition)];
                            c.states[i].hi = hi[static_cast<std::size_t>(c.large[i].partition)];
                        }
                    };
                    Case actual = original;
                    runEmulated(actual, how);
                    if (HasFatalFailure()) return;
                    expectEqual(expected, actual);
                    EXPECT_EQ(actual.status.repaired, wrong.repaired ? 2 : 0);
                    if (HasFatalFailure()) return;
                }
            }
        }
    }
}

TEST(Brackets, SeldomMiss) {
    constexpr std::int64_t n = 200000;
    constexpr int cases = 40;
    std::int64_t repaired = 0, candidates = 0;
    for (unsigned seed = 0; seed < cases; ++seed) {
        Case c;
        c.add(Pattern::Random, n, seed);
        c.partitionByTensor();
        c.setAlpha(0.15);
        Emulated after;
        runEmulated(c, {}, after);
        repaired += c.status.repaired;
        candidates += static_cast<std::int64_t>(after.context().states[0].inside);
    }
    EXPECT_LE(repaired, 1);
    EXPECT_LE(candidates, cases * n / 40) << "3.6 standard errors of 16,384 samples to either side are 2.0 % of the coordinates";
}

// Tensors of a layer differ by orders of magnitude: the sample has to come from all of them, and from all columns of a strided one.
TEST(Brackets, SeldomMissInPartitionsOfSeveralSlices) {
    for (const double alpha : {0.05, 0.15, 0.5}) {
        for (unsigned seed = 0; seed < 5; ++seed) {
            Case c;
            float scale = 0.01F;
            for (const std::int64_t n : {30000, 25000, 100 * 400, 20003}) {
                CaseTensor& t = c.add(Pattern::Random, n, 10 * seed + static_cast<unsigned>(c.tensors.size()));
                for (auto* values : {&t.m, &t.g}) {
                    for (std::size_t i = 0; i < values->size(); ++i) (*values)[i] *= scale * static_cast<float>(1 + i % 50);
                }
                scale *= 10;
            }
            c.addPartition({{0, 0, 1, 30000, 0}, {1, 0, 1, 25000, 0}, {2, 0, 100, 300, 400}, {3, 0, 1, 20003, 0}});
            c.addPartition({{2, 300, 100, 100, 400}});
            c.setAlpha(alpha);
            How how;
            how.tuning = everythingLarge();
            expectAsOnCpu(emulated, c, how);
            runEmulated(c, how);
            EXPECT_EQ(c.status.repaired, 0) << "alpha " << alpha << ", seed " << seed;
        }
    }
}

// Rows of an embedding that no token has touched.
TEST(Brackets, ManyZerosNeedNoRepair) {
    for (const double alpha : {0.02, 0.045, 0.05, 0.055, 0.15, 0.9}) {
        Case c;
        c.add(Pattern::MostlyZero, 200000, 2);  // a twentieth is not zero
        c.partitionByTensor();
        c.setAlpha(alpha);
        expectAsOnCpu(emulated, c, {});
        runEmulated(c);
        EXPECT_EQ(c.status.repaired, 0) << alpha;
    }
}

TEST(Step, DoesNotDependOnTheOrderOfBlocksAndThreads) {
    for (const Format format : formats) {
        for (const Granularity& granularity : granularities()) {
            Case original = smallModel(format);
            granularity.partition(original);
            original.setAlpha(0.15);
            original.measure = original.wantsHistograms = true;
            Case first = original;
            runEmulated(first);
            for (const unsigned seed : {2U, 3U}) {
                How how;
                how.seed = seed;
                Case again = original;
                runEmulated(again, how);
                expectEqual(first, again);
                for (std::size_t i = 0; i < first.results.size(); ++i) {
                    ASSERT_EQ(first.results[i].squaredUpdate, again.results[i].squaredUpdate) << "bit for bit";
                }
                if (HasFatalFailure()) return;
            }
        }
    }
}

TEST(Step, TakesAtMostSixLaunches) {
    for (const Granularity& granularity : granularities()) {
        Case c = smallModel(Format::Fp32);
        granularity.partition(c);
        c.setAlpha(0.15);
        Emulated after;
        runEmulated(c, {}, after);
        EXPECT_LE(after.launches, 6) << granularity.name;
    }
}

TEST(Tables, RefuseWhatDoesNotFitTogether) {
    Case c = smallModel(Format::Fp32);
    c.partitionByTensor();
    const StepPlan plan = c.plan();
    Tables tables;
    const auto refusal = [&](const std::vector<Tensor>& tensors, Format format, std::size_t shared) {
        DeviceTraits traits;
        traits.sharedBytes = shared;
        return makeTables(tensors, plan, format, {}, traits, tables);
    };
    const std::vector<Tensor> good = c.views();
    EXPECT_EQ(refusal(good, Format::Fp32, 99 << 10), "");
    std::vector<Tensor> fewer = good;
    fewer.pop_back();
    EXPECT_NE(refusal(fewer, Format::Fp32, 99 << 10), "");
    std::vector<Tensor> without = good;
    without[2].v = nullptr;
    EXPECT_NE(refusal(without, Format::Fp32, 99 << 10), "");
    EXPECT_NE(refusal(good, Format::Bf16, 99 << 10), "");
    EXPECT_NE(refusal(good, Format::Fp32, 16 << 10), "") << "the sample does not fit";
}

}  // namespace
}  // namespace mofo::kernels::cuda::test
