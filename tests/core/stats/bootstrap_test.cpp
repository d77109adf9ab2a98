#include "core/stats/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/stats/random_stream.h"

namespace mofo {
namespace {

// Expected values: the same draws written down in Python, quantiles by NumPy.
const std::vector<float> outcomeA = {1.5f, 2.25f, 0.5f, 3.0f, 1.0f, 4.5f, 2.0f};
const std::vector<float> outcomeB = {1.25f, 2.5f, 0.25f, 2.0f, 1.0f, 3.5f, 2.25f};
const std::vector<float> weights = {3, 5, 1, 6, 2, 9, 4};
const std::vector<float> otherWeights = {3, 5, 2, 6, 2, 8, 4};
constexpr BootstrapOptions thousand{.resamples = 1000, .seed = 7};

TEST(RandomStream, IsSplitMix64) {  // the reference's first three numbers of seed 0
    RandomStream random(0);
    EXPECT_EQ(random.next(), 0xe220a8397b1dcdafull);
    EXPECT_EQ(random.next(), 0x6e789e6aa1b965f4ull);
    EXPECT_EQ(random.next(), 0x06c45d188009454full);
}

TEST(BootstrapDifference, OfWeightedItemsEqualsNumPys) {
    const DifferenceEstimate found = bootstrapDifference({outcomeA, outcomeB, weights, weights}, thousand);
    EXPECT_NEAR(found.difference, -0.06666666666666665, 1e-12);
    EXPECT_NEAR(found.interval.low, -0.12969771241830066, 1e-12);
    EXPECT_NEAR(found.interval.high, 0.011919642857142856, 1e-12);
    EXPECT_NEAR(found.p, 0.14385614385614387, 1e-12);
    EXPECT_EQ(found.interval.n, 7);
    EXPECT_EQ(found.interval.method, "paired bootstrap");
}

TEST(BootstrapDifference, OfEqualItemsEqualsNumPys) {
    const DifferenceEstimate found = bootstrapDifference({outcomeA, outcomeB, {}, {}}, thousand);
    EXPECT_NEAR(found.difference, -0.2857142857142858, 1e-12);
    EXPECT_NEAR(found.interval.low, -0.6785714285714284, 1e-12);
    EXPECT_NEAR(found.interval.high, 0.03571428571428603, 1e-12);
}

TEST(BootstrapDifference, OfWeightsThatDifferEqualsNumPys) {
    const DifferenceEstimate found = bootstrapDifference({outcomeA, outcomeB, weights, otherWeights}, thousand);
    EXPECT_NEAR(found.difference, -0.06666666666666665, 1e-12);
    EXPECT_NEAR(found.interval.low, -0.14663793103448278, 1e-12);
    EXPECT_NEAR(found.interval.high, 0.009993961352656986, 1e-12);
    EXPECT_NEAR(found.p, 0.0999000999000999, 1e-12);
}

TEST(BootstrapDifference, RepeatsBitForBitAndDependsOnTheSeed) {
    const PairedItems items{outcomeA, outcomeB, weights, weights};
    const DifferenceEstimate once = bootstrapDifference(items), again = bootstrapDifference(items);
    EXPECT_EQ(once.interval.low, again.interval.low);
    EXPECT_EQ(once.interval.high, again.interval.high);
    EXPECT_NE(bootstrapDifference(items, {.resamples = 999, .seed = 1}).interval.low,
              bootstrapDifference(items, {.resamples = 999, .seed = 2}).interval.low);
}

TEST(BootstrapDifference, OfASureShiftExcludesZero) {
    std::vector<float> a(200), b(200);
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i] = static_cast<float>(i % 17);  // items differ far more than the shift: only pairing shows it
        b[i] = a[i] + 0.25f + (i % 2 == 0 ? 0.05f : -0.05f);
    }
    const DifferenceEstimate found = bootstrapDifference({a, b, {}, {}});
    EXPECT_NEAR(found.difference, 0.25, 1e-6);
    EXPECT_GT(found.interval.low, 0.24);
    EXPECT_LT(found.interval.high, 0.26);
    EXPECT_NEAR(found.p, 2.0 / 10001, 1e-12);
}

TEST(BootstrapDifference, CoversTheTruthAboutAsOftenAsItSays) {
    RandomStream random(11);
    const auto uniform = [&] { return static_cast<float>(random.next() >> 40) / static_cast<float>(1 << 24); };
    int covered = 0;
    constexpr int trials = 400;
    for (int trial = 0; trial < trials; ++trial) {
        std::vector<float> a(60), b(60), w(60);
        for (std::size_t i = 0; i < a.size(); ++i) {
            w[i] = 1 + 9 * uniform();
            a[i] = w[i] * uniform();
            b[i] = a[i] + w[i] * (uniform() - 0.25f);  // true difference of the weighted means: 0.25
        }
        covered += bootstrapDifference({a, b, w, w}, {.resamples = 500, .seed = static_cast<std::uint64_t>(trial)}).interval.holds(0.25) ? 1 : 0;
    }
    EXPECT_GE(covered, trials * 91 / 100);
    EXPECT_LE(covered, trials * 98 / 100);
}

TEST(BootstrapDifference, OfOneItemHasNoInterval) {
    const std::vector<float> a = {2.0f}, b = {1.5f};
    const DifferenceEstimate found = bootstrapDifference({a, b, {}, {}});
    EXPECT_DOUBLE_EQ(found.difference, -0.5);
    EXPECT_FALSE(found.interval.known());
    EXPECT_EQ(found.interval.n, 1);
    EXPECT_TRUE(std::isnan(found.p));
}

TEST(BootstrapDifference, RefusesWhatIsNotPairsOfItems) {
    const std::vector<float> two = {1, 2}, three = {1, 2, 3}, negative = {1, -2}, nothing = {0, 0};
    EXPECT_TRUE(std::isnan(bootstrapDifference({two, three, {}, {}}).difference));
    EXPECT_TRUE(std::isnan(bootstrapDifference({two, two, three, three}).difference));
    EXPECT_TRUE(std::isnan(bootstrapDifference({two, two, negative, negative}).difference));
    EXPECT_TRUE(std::isnan(bootstrapDifference({two, two, nothing, nothing}).difference));
    EXPECT_TRUE(std::isnan(bootstrapDifference({}).difference));
}

TEST(BootstrapDifference, OfNonFiniteOutcomesHasNoInterval) {
    const std::vector<float> a = {1, 2, 3}, broken = {1, std::numeric_limits<float>::infinity(), 3},
                             nan = {1, std::numeric_limits<float>::quiet_NaN(), 3};
    EXPECT_FALSE(bootstrapDifference({a, broken, {}, {}}).interval.known());
    EXPECT_FALSE(bootstrapDifference({a, nan, {}, {}}).interval.known());
}

TEST(BootstrapMean, EqualsNumPys) {
    const MeanEstimate found = bootstrapMean(outcomeA, weights, thousand);
    EXPECT_NEAR(found.mean, 14.75 / 30, 1e-12);
    EXPECT_NEAR(found.interval.low, 0.47367246, 1e-8);
    EXPECT_NEAR(found.interval.high, 0.5, 1e-8);
    EXPECT_EQ(found.interval.method, "bootstrap");
}

TEST(BootstrapMean, OfOneItemHasNoInterval) {
    const std::vector<float> one = {2.0f}, tokens = {4.0f};
    EXPECT_DOUBLE_EQ(bootstrapMean(one, tokens).mean, 0.5);
    EXPECT_FALSE(bootstrapMean(one, tokens).interval.known());
}

}  // namespace
}  // namespace mofo
