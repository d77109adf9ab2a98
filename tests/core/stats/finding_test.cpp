#include "core/stats/finding.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mofo {
namespace {

Interval known(double low, double high) { return {low, high, 200, "paired bootstrap"}; }

TEST(Judge, CallsNothingBetterWhileTheIntervalHoldsZero) {
    EXPECT_EQ(judge(known(-0.1, 0.3), Direction::HigherIsBetter), Finding::NotShown);
    EXPECT_EQ(judge(known(0.0, 0.3), Direction::HigherIsBetter), Finding::NotShown);
    EXPECT_EQ(judge(known(-0.3, 0.0), Direction::LowerIsBetter), Finding::NotShown);
}

TEST(Judge, KnowsWhichWayIsBetter) {
    EXPECT_EQ(judge(known(0.1, 0.3), Direction::HigherIsBetter), Finding::Better);
    EXPECT_EQ(judge(known(0.1, 0.3), Direction::LowerIsBetter), Finding::Worse);
    EXPECT_EQ(judge(known(-0.3, -0.1), Direction::HigherIsBetter), Finding::Worse);
    EXPECT_EQ(judge(known(-0.3, -0.1), Direction::LowerIsBetter), Finding::Better);
}

TEST(Judge, AsksTheExactTestToo) {
    EXPECT_EQ(judge(known(0.001, 0.3), Direction::HigherIsBetter, 0.07), Finding::NotShown);
    EXPECT_EQ(judge(known(0.001, 0.3), Direction::HigherIsBetter, 0.03), Finding::Better);
}

TEST(Judge, SaysNothingWithoutAnInterval) { EXPECT_EQ(judge({.n = 1}, Direction::HigherIsBetter), Finding::NoInterval); }

TEST(IntervalText, NamesEndsItemsAndMethod) {
    EXPECT_EQ(intervalText({-0.0123, 0.0341, 2000, "paired bootstrap"}, 3, true),
              "95 % interval \u22120.012 to +0.034, n = 2,000 (paired bootstrap)");
    EXPECT_EQ(intervalText({0.59, 0.702, 300, "Wilson"}, 1, false, 100), "95 % interval 59.0 to 70.2, n = 300 (Wilson)");
}

TEST(IntervalText, ShowsNoNegativeZero) {
    EXPECT_EQ(intervalText({-0.0001, 0.0001, 9, "bootstrap"}, 2, true), "95 % interval 0.00 to 0.00, n = 9 (bootstrap)");
}

TEST(IntervalText, SaysWhyThereIsNone) {
    EXPECT_EQ(intervalText({.n = 1}, 3, true), "no 95 % interval: n = 1");
    EXPECT_EQ(intervalText({.n = 0}, 3, true), "no 95 % interval: n = 0");
    EXPECT_EQ(intervalText({.n = 5}, 3, true), "no 95 % interval: a value is not finite");
}

TEST(PText, KeepsThreeDigits) {
    EXPECT_EQ(pText(0.03515625), "p = 0.035");
    EXPECT_EQ(pText(0.0002), "p < 0.001");
    EXPECT_EQ(pText(std::nan("")), "");
}

}  // namespace
}  // namespace mofo
