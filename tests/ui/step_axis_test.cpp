#include "ui/models/step_axis.h"

#include <gtest/gtest.h>

#include <QSignalSpy>

namespace mofo {
namespace {

TEST(StepAxis, AShortRunShowsItsWholeLengthFromTheStart) {
    StepAxis axis;
    axis.setExtent(1, 40);
    EXPECT_GT(axis.upper(), 40);
    EXPECT_LT(axis.upper(), 42);
    EXPECT_LT(axis.lower(), 0);  // the held-out loss before the first update
    QSignalSpy moved(&axis, &StepAxis::rangeChanged);
    for (int step = 2; step <= 40; ++step) axis.setExtent(step, 40);
    EXPECT_EQ(moved.count(), 0);
}

TEST(StepAxis, FollowsALongRunInStrides) {
    StepAxis axis;
    QSignalSpy moved(&axis, &StepAxis::rangeChanged);
    for (int step = 1; step <= 1000; ++step) {
        axis.setExtent(step, 5000);
        ASSERT_GE(axis.upper(), step);
        ASSERT_LT(axis.lower(), 0);
    }
    EXPECT_LT(moved.count(), 40);
    axis.setExtent(5000, 5000);
    EXPECT_GT(axis.upper(), 5000);
    EXPECT_LT(axis.upper(), 5100);
}

TEST(StepAxis, PanningEndsFollowingAndFollowComesBack) {
    StepAxis axis;
    axis.setExtent(500, 5000);
    axis.setRange(100, 200);
    EXPECT_FALSE(axis.isFollowing());
    axis.setExtent(510, 5000);
    EXPECT_EQ(axis.lower(), 100);
    axis.setFollowing(true);
    EXPECT_GE(axis.upper(), 510);
    EXPECT_NEAR(axis.upper() - axis.lower(), 100, 1e-9);
    axis.setExtent(600, 5000);
    EXPECT_GE(axis.upper(), 600);
    EXPECT_NEAR(axis.upper() - axis.lower(), 100, 1e-9);
    axis.fit();
    EXPECT_LT(axis.lower(), 0);
    EXPECT_GE(axis.upper(), 600);
}

TEST(StepAxis, ZoomIntoTheNewestKeepsFollowing) {
    StepAxis axis;
    axis.setExtent(500, 5000);
    axis.setRange(450, 505);
    EXPECT_TRUE(axis.isFollowing());
    axis.setExtent(560, 5000);
    EXPECT_GE(axis.upper(), 560);
}

TEST(StepAxis, HoverStandsBeforePinned) {
    StepAxis axis;
    EXPECT_FALSE(axis.cursor());
    axis.setPinned(7);
    EXPECT_EQ(axis.cursor(), 7);
    axis.setHover(3);
    EXPECT_EQ(axis.cursor(), 3);
    axis.setHover(std::nullopt);
    EXPECT_EQ(axis.cursor(), 7);
    axis.reset();
    EXPECT_FALSE(axis.cursor());
}

}  // namespace
}  // namespace mofo
