#include "core/stats/paired.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mofo {
namespace {

TEST(ExactMcNemar, EqualsTheBinomialSums) {  // Python's integers
    EXPECT_NEAR(exactMcNemar(12, 3), 0.03515625, 1e-14);
    EXPECT_NEAR(exactMcNemar(3, 12), 0.03515625, 1e-14);
    EXPECT_NEAR(exactMcNemar(0, 6), 0.03125, 1e-14);
    EXPECT_NEAR(exactMcNemar(1000, 900), 0.02310884510890107, 1e-10);
    EXPECT_NEAR(exactMcNemar(6000, 7000), 1.8500395755128016e-18, 1e-26);
}

TEST(ExactMcNemar, IsNeverAboveOne) {
    EXPECT_EQ(exactMcNemar(0, 0), 1.0);
    EXPECT_EQ(exactMcNemar(5, 5), 1.0);
    EXPECT_EQ(exactMcNemar(1, 0), 1.0);
}

TEST(NewcombeInterval, EqualsPublishedExamples) {
    const Interval first =
        newcombeInterval({.both = 36, .onlyA = 12, .onlyB = 2, .neither = 0});  // Newcombe 1998, table III: .0569 to .3404 for a - b
    EXPECT_NEAR(first.low, -0.3404276029749407, 1e-12);
    EXPECT_NEAR(first.high, -0.05692958400323869, 1e-12);
    EXPECT_EQ(first.method, "Newcombe, paired");
    const Interval second = newcombeInterval({.both = 1, .onlyA = 1, .onlyB = 7, .neither = 12});  // Fagerland, Lydersen, Laake 2014
    EXPECT_NEAR(second.low, 0.026, 1e-3);
    EXPECT_NEAR(second.high, 0.507, 1e-3);
}

TEST(NewcombeInterval, EqualsTheFormulaElsewhere) {
    const Interval weak = newcombeInterval({.both = 150, .onlyA = 12, .onlyB = 3, .neither = 135});
    EXPECT_NEAR(weak.low, -0.05567191412725932, 1e-12);
    EXPECT_NEAR(weak.high, -0.004161902427289147, 1e-12);
    const Interval negative = newcombeInterval({.both = 1, .onlyA = 30, .onlyB = 40, .neither = 1});
    EXPECT_NEAR(negative.low, -0.08785287674058093, 1e-12);
    EXPECT_NEAR(negative.high, 0.35176157281315723, 1e-12);
}

TEST(NewcombeInterval, OfEqualAnswersIsNotAPoint) {
    const Interval same = newcombeInterval({.both = 54});
    EXPECT_NEAR(same.low, -0.06641358809089637, 1e-12);
    EXPECT_NEAR(same.high, 0.06641358809089637, 1e-12);
}

TEST(NewcombeInterval, OfFewerThanTwoItemsIsUnknown) {
    EXPECT_FALSE(newcombeInterval({}).known());
    EXPECT_FALSE(newcombeInterval({.onlyB = 1}).known());
}

TEST(ComparePaired, CountsRightAnswers) {
    const std::vector<float> a = {1, 1, 0, 0, 1}, b = {1, 0, 1, 0, 1};
    const auto found = comparePaired({a, b, {}, {}}, OutcomeKind::Share);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->counts.both, 2);
    EXPECT_EQ(found->counts.onlyA, 1);
    EXPECT_EQ(found->counts.onlyB, 1);
    EXPECT_EQ(found->counts.neither, 1);
    EXPECT_DOUBLE_EQ(found->a, 0.6);
    EXPECT_DOUBLE_EQ(found->difference, 0.0);
    EXPECT_EQ(found->test, "exact McNemar");
    EXPECT_EQ(found->p, 1.0);
}

TEST(ComparePaired, BootstrapsAmountsWithTheirWeights) {
    const std::vector<float> a = {2, 6, 4}, b = {1, 5, 3}, tokens = {1, 3, 2};
    const auto found = comparePaired({a, b, tokens, tokens}, OutcomeKind::Amount);
    ASSERT_TRUE(found.ok());
    EXPECT_DOUBLE_EQ(found->a, 2.0);
    EXPECT_DOUBLE_EQ(found->b, 1.5);
    EXPECT_DOUBLE_EQ(found->difference, -0.5);
    EXPECT_EQ(found->test, "paired bootstrap");
    EXPECT_LT(found->interval.high, 0);
}

TEST(ComparePaired, RefusesOtherItems) {
    const std::vector<float> two = {1, 0}, three = {1, 0, 1};
    const auto found = comparePaired({two, three, {}, {}}, OutcomeKind::Share);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, ErrorCode::InvalidInput);
    EXPECT_NE(found.error().message.find("2 and 3 items"), std::string::npos);
    EXPECT_FALSE(comparePaired({two, two, three, three}, OutcomeKind::Amount).ok());
}

TEST(HolmAdjusted, EqualsAHandComputedExample) {
    const std::vector<double> p = {0.01, 0.04, 0.03, 0.005};
    const std::vector<double> adjusted = holmAdjusted(p);
    EXPECT_NEAR(adjusted[3], 0.02, 1e-15);  // 4 x 0.005
    EXPECT_NEAR(adjusted[0], 0.03, 1e-15);  // 3 x 0.01
    EXPECT_NEAR(adjusted[2], 0.06, 1e-15);  // 2 x 0.03
    EXPECT_NEAR(adjusted[1], 0.06, 1e-15);  // 1 x 0.04, never below the one before
}

TEST(HolmAdjusted, StaysAtMostOneAndPassesOverWhatWasNotTested) {
    const std::vector<double> p = {0.6, std::nan(""), 0.7};
    const std::vector<double> adjusted = holmAdjusted(p);
    EXPECT_EQ(adjusted[0], 1.0);
    EXPECT_TRUE(std::isnan(adjusted[1]));
    EXPECT_EQ(adjusted[2], 1.0);
    EXPECT_TRUE(holmAdjusted({}).empty());
}

}  // namespace
}  // namespace mofo
