#include "kernels/include/statistics.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "tests/kernels/step_case.h"
#include "tests/kernels/thread_team.h"

namespace mofo::kernels::test {
namespace {

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<float> randomValues(std::size_t n, unsigned seed, float scale = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> out(n);
    for (float& x : out) x = scale * normal(random);
    return out;
}

/// A few arrays whose sizes straddle lanes and chunks.
std::vector<std::vector<float>> arrays() {
    std::vector<std::vector<float>> out;
    for (const std::size_t n : {1UL, 15UL, 16UL, 17UL, 32767UL, 32768UL, 32769UL, 200003UL}) out.push_back(randomValues(n, static_cast<unsigned>(n)));
    return out;
}

/// Every instruction set and several numbers of threads.
template <class Body>
void forEachExecution(const Body& body) {
    for (const InstructionSet set : supportedSets()) {
        for (const int threads : {1, 2, 7}) {
            SCOPED_TRACE(std::string(instructionSetName(set)) + ", " + std::to_string(threads) + " threads");
            ThreadTeam team(threads);
            Execution execution;
            execution.parallelFor = team.parallelFor();
            execution.instructionSet = set;
            body(execution);
        }
    }
}

template <class Item>
std::vector<std::byte> workspaceFor(const std::vector<Item>& items) {
    std::vector<std::int64_t> sizes;
    for (const Item& item : items) sizes.push_back(item.n);
    return std::vector<std::byte>(cpu::statisticsWorkspaceBytes(sizes));
}

TEST(SumsOfSquares, EqualALongDoubleSumAndDoNotDependOnTheExecution) {
    const std::vector<std::vector<float>> data = arrays();
    std::vector<Array> views;
    for (const std::vector<float>& x : data) views.push_back({x.data(), static_cast<std::int64_t>(x.size())});
    std::vector<std::byte> workspace = workspaceFor(views);
    std::vector<double> first;
    forEachExecution([&](const Execution& execution) {
        std::vector<double> sums(views.size());
        ASSERT_TRUE(cpu::sumsOfSquares(views, sums, workspace, execution));
        if (first.empty()) first = sums;
        EXPECT_EQ(sums, first);
    });
    for (std::size_t i = 0; i < data.size(); ++i) {
        const long double exact =
            std::accumulate(data[i].begin(), data[i].end(), 0.0L, [](long double sum, float x) { return sum + static_cast<long double>(x) * x; });
        EXPECT_NEAR(first[i], static_cast<double>(exact), 1e-13 * static_cast<double>(exact));
    }
}

TEST(SumsOfSquares, AreFiniteExactlyIfTheArrayIs) {
    std::vector<float> x(1000, std::numeric_limits<float>::max());
    const std::vector<Array> views = {{x.data(), 1000}};
    std::vector<std::byte> workspace = workspaceFor(views);
    forEachExecution([&](const Execution& execution) {
        double sum = 0;
        ASSERT_TRUE(cpu::sumsOfSquares(views, {&sum, 1}, workspace, execution));
        EXPECT_TRUE(std::isfinite(sum));
        for (const float bad : {infinity, -infinity, notANumber}) {
            for (const std::size_t at : {0UL, 777UL, 999UL}) {
                std::vector<float> broken = x;
                broken[at] = bad;
                const Array view{broken.data(), 1000};
                ASSERT_TRUE(cpu::sumsOfSquares({&view, 1}, {&sum, 1}, workspace, execution));
                EXPECT_FALSE(std::isfinite(sum));
            }
        }
    });
}

std::uint32_t toBf16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t below = bits & 0xffffU;
    const std::uint32_t upper = bits >> 16;
    return below > 0x8000U || (below == 0x8000U && (upper & 1U) != 0) ? upper + 1 : upper;
}

TEST(Drifts, EqualPlainSumsAndDoNotDependOnTheExecution) {
    const std::vector<std::vector<float>> before = arrays();
    std::vector<std::vector<float>> now = before;
    std::vector<ArrayPair> views;
    for (std::size_t i = 0; i < now.size(); ++i) {
        // Every third coordinate moves, by steps from far below to above half a unit of bf16.
        const std::vector<float> steps = randomValues(now[i].size(), 99, 1e-3F);
        for (std::size_t j = 0; j < now[i].size(); j += 3) now[i][j] += steps[j];
        views.push_back({now[i].data(), before[i].data(), static_cast<std::int64_t>(now[i].size())});
    }
    std::vector<std::byte> workspace = workspaceFor(views);
    std::vector<Drift> first;
    forEachExecution([&](const Execution& execution) {
        std::vector<Drift> drifts(views.size());
        ASSERT_TRUE(cpu::drifts(views, drifts, workspace, execution));
        if (first.empty()) first = drifts;
        for (std::size_t i = 0; i < drifts.size(); ++i) {
            EXPECT_EQ(drifts[i].l2, first[i].l2);
            EXPECT_EQ(drifts[i].pretrainedL2, first[i].pretrainedL2);
            EXPECT_EQ(drifts[i].l1, first[i].l1);
            EXPECT_EQ(drifts[i].linf, first[i].linf);
            EXPECT_EQ(drifts[i].changed, first[i].changed);
            EXPECT_EQ(drifts[i].changedBf16, first[i].changedBf16);
        }
    });
    for (std::size_t i = 0; i < now.size(); ++i) {
        long double squares = 0;
        long double before2 = 0;
        long double absolutes = 0;
        float largest = 0;
        std::int64_t changed = 0;
        std::int64_t changedBf16 = 0;
        for (std::size_t j = 0; j < now[i].size(); ++j) {
            const float d = now[i][j] - before[i][j];
            squares += static_cast<long double>(d) * d;
            before2 += static_cast<long double>(before[i][j]) * before[i][j];
            absolutes += std::abs(d);
            largest = std::max(largest, std::abs(d));
            changed += now[i][j] != before[i][j] ? 1 : 0;
            changedBf16 += toBf16(now[i][j]) != toBf16(before[i][j]) ? 1 : 0;
        }
        EXPECT_NEAR(first[i].l2, static_cast<double>(std::sqrt(squares)), 1e-13 * first[i].l2);
        EXPECT_NEAR(first[i].pretrainedL2, static_cast<double>(std::sqrt(before2)), 1e-13 * first[i].pretrainedL2);
        EXPECT_NEAR(first[i].l1, static_cast<double>(absolutes), 1e-13 * first[i].l1);
        EXPECT_EQ(first[i].linf, static_cast<double>(largest));
        EXPECT_EQ(first[i].changed, changed);
        EXPECT_EQ(first[i].changedBf16, changedBf16);
    }
    EXPECT_LT(first.back().changedBf16, first.back().changed) << "some steps are too small for bf16";
    EXPECT_GT(first.back().changedBf16, 0);
}

TEST(Drifts, ZerosOfBothSignsAreEqualAndNanIsAChange) {
    constexpr float tiny = std::numeric_limits<float>::denorm_min();
    //                           equal  zeros  bf16 zeros  NaN on one, the other, both sides     infinities
    const std::vector<float> p = {1.0F, -0.0F, tiny, notANumber, 1.0F, notANumber, infinity};
    const std::vector<float> p0 = {1.0F, 0.0F, -tiny, 1.0F, notANumber, notANumber, infinity};
    for (const InstructionSet set : supportedSets()) {
        Execution execution;
        execution.instructionSet = set;
        const auto driftOf = [&](std::size_t from, std::size_t n) {
            const ArrayPair pair{p.data() + from, p0.data() + from, static_cast<std::int64_t>(n)};
            std::vector<std::byte> workspace(cpu::statisticsWorkspaceBytes(std::vector<std::int64_t>{pair.n}));
            Drift drift;
            EXPECT_TRUE(cpu::drifts({&pair, 1}, {&drift, 1}, workspace, execution));
            return drift;
        };
        EXPECT_EQ(driftOf(0, 2).changed, 0);
        EXPECT_EQ(driftOf(0, 2).changedBf16, 0);
        EXPECT_EQ(driftOf(2, 1).changed, 1);
        EXPECT_EQ(driftOf(2, 1).changedBf16, 0);
        EXPECT_EQ(driftOf(3, 3).changed, 3);
        EXPECT_EQ(driftOf(3, 3).changedBf16, 3);
        EXPECT_EQ(driftOf(6, 1).changed, 0);
        EXPECT_TRUE(std::isnan(driftOf(0, 4).linf));
        EXPECT_TRUE(std::isnan(driftOf(6, 1).l2)) << "inf - inf";
        EXPECT_EQ(driftOf(0, 2).linf, 0.0);
    }
}

TEST(Drifts, ANanStaysTheLargestDifferenceWhateverFollows) {
    std::vector<float> p(3 * statisticsChunk, 2.0F);
    const std::vector<float> p0(p.size(), 1.0F);
    p[100] = notANumber;
    const ArrayPair pair{p.data(), p0.data(), static_cast<std::int64_t>(p.size())};
    std::vector<std::byte> workspace(cpu::statisticsWorkspaceBytes(std::vector<std::int64_t>{pair.n}));
    Drift drift;
    ASSERT_TRUE(cpu::drifts({&pair, 1}, {&drift, 1}, workspace, {}));
    EXPECT_TRUE(std::isnan(drift.linf));
    EXPECT_EQ(drift.changed, pair.n);
}

/// A step over several shapes of slices, whose bits and sums can be restated by plain loops.
StepCase steppedCase(Rule rule, const std::string& shape) {
    StepCase c;
    c.addRandomTensor(200 * 500, 1);
    c.addRandomTensor(77 * 130, 2);
    c.addRandomTensor(100, 3, /*filtered=*/false);
    for (std::size_t i = 0; i < 5000; ++i) c.tensors[0].m[i] = c.tensors[0].g[i] = 0;
    if (shape == "tensor") c.partitionByTensor();
    if (shape == "columns") {
        c.addPartition({{0, 0, 200, 250, 500}});
        c.addPartition({{0, 250, 200, 250, 500}});
        for (std::int64_t column = 0; column < 130; column += 13) c.addPartition({{1, column, 77, 13, 130}});
    }
    if (shape == "model") c.addPartition({{0, 0, 1, 100000, 0}, {1, 0, 1, 77 * 130, 0}});
    c.rule = rule;
    c.setAlpha(0.15);
    c.gradScale = 0.37;
    return c;
}

TEST(SelectedBits, AreTheCoordinatesThatTheStepMoved) {
    for (const std::string shape : {"tensor", "columns", "model"}) {
        for (const Rule rule : {Rule::Momentum, Rule::Gradient, Rule::Random, Rule::None}) {
            for (const InstructionSet set : supportedSets()) {
                SCOPED_TRACE(shape + ", rule " + std::to_string(static_cast<int>(rule)) + ", " + instructionSetName(set));
                StepCase c = steppedCase(rule, shape);
                c.hyperparameters.lr = 1;  // so that no mover stays where it is
                const StepCase before = c;
                ThreadTeam team(3);
                ASSERT_TRUE(c.run(set, team.parallelFor()));
                std::vector<std::vector<std::uint64_t>> words;
                for (const TestTensor& t : c.tensors) words.emplace_back(static_cast<std::size_t>((t.size() + 63) / 64), ~std::uint64_t{0});
                std::vector<std::uint64_t*> pointers;
                for (auto& w : words) pointers.push_back(w.data());
                ASSERT_TRUE(c.selectedBits(pointers, set, team.parallelFor()));
                for (std::size_t t = 0; t < c.tensors.size(); ++t) {
                    std::int64_t count = 0;
                    for (const std::uint64_t word : words[t]) count += std::popcount(word);
                    EXPECT_EQ(count, c.tensorResults[t].selected);
                    for (std::size_t i = 0; i < c.tensors[t].p.size(); ++i) {
                        const bool moved = c.tensors[t].p[i] != before.tensors[t].p[i];
                        ASSERT_EQ(moved, (words[t][i / 64] >> (i % 64) & 1U) != 0) << t << ", " << i;
                    }
                }
            }
        }
    }
}

TEST(TopGradientSums, AddTheLargestOfEachPartition) {
    for (const std::string shape : {"tensor", "columns", "model"}) {
        for (const double alpha : {1e-9, 0.15, 0.98, 1.0}) {
            for (const bool ties : {false, true}) {
                for (const InstructionSet set : supportedSets()) {
                    SCOPED_TRACE(shape + ", alpha " + std::to_string(alpha) + ", ties " + std::to_string(ties) + ", " + instructionSetName(set));
                    StepCase c = steppedCase(Rule::Momentum, shape);
                    c.setAlpha(alpha);
                    if (ties) {
                        for (TestTensor& t : c.tensors) {
                            for (float& g : t.g) g = std::round(200 * g) / 200;
                        }
                    }
                    std::vector<double> sums(c.k.size());
                    ThreadTeam team(3);
                    ASSERT_TRUE(c.topGradientSums(sums, set, team.parallelFor()));
                    std::vector<double> again(c.k.size());
                    ASSERT_TRUE(c.topGradientSums(again, set, {}));
                    EXPECT_EQ(sums, again) << "the same bits whatever the threads";
                    for (std::size_t part = 0; part < c.k.size(); ++part) {
                        std::vector<float> sorted;
                        for (auto j = c.firstSlice[part]; j < c.firstSlice[part + 1]; ++j) {
                            const Slice& s = c.slices[static_cast<std::size_t>(j)];
                            for (std::int64_t row = 0; row < s.rows; ++row) {
                                for (std::int64_t i = 0; i < s.length; ++i) {
                                    const auto at = static_cast<std::size_t>(s.begin + row * s.stride + i);
                                    sorted.push_back(std::abs(c.tensors[static_cast<std::size_t>(s.tensor)].g[at] * 0.37F));
                                }
                            }
                        }
                        std::sort(sorted.rbegin(), sorted.rend());
                        double expected = 0;
                        for (std::int64_t i = 0; i < c.k[part]; ++i) expected += static_cast<double>(sorted[static_cast<std::size_t>(i)]);
                        EXPECT_NEAR(sums[part], expected, 1e-12 * expected) << "only the order of summation in double differs";
                    }
                }
            }
        }
    }
}

TEST(Statistics, RefuseArgumentsThatDoNotFitTogether) {
    const std::vector<float> x(100000, 1.0F);
    const Array view{x.data(), 100000};
    const ArrayPair pair{x.data(), x.data(), 100000};
    const std::int64_t size = 100000;
    std::vector<std::byte> workspace(cpu::statisticsWorkspaceBytes({&size, 1}));
    double sum = -1;
    Drift drift;
    const std::span<std::byte> small = std::span(workspace).first(31);
    EXPECT_FALSE(cpu::sumsOfSquares({&view, 1}, {&sum, 1}, small, {}));
    EXPECT_FALSE(cpu::sumsOfSquares({&view, 1}, {}, workspace, {}));
    EXPECT_FALSE(cpu::drifts({&pair, 1}, {&drift, 1}, small, {}));
    EXPECT_FALSE(cpu::drifts({&pair, 1}, {}, workspace, {}));
    EXPECT_EQ(sum, -1);
    EXPECT_TRUE(cpu::sumsOfSquares({&view, 1}, {&sum, 1}, workspace, {}));
    EXPECT_EQ(sum, 100000);
}

}  // namespace
}  // namespace mofo::kernels::test
