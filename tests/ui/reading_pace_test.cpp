#include "ui/controllers/reading_pace.h"

#include <gtest/gtest.h>

namespace mofo {
namespace {

/// So much processor time for each piece of news, one a second, from the sixth second on.
double paceAfter(ReadingPace& pace, double costMs, int news, bool trainsHere = true) {
    double period = 0;
    for (int i = 0; i < news; ++i) period = pace.next(6000 + 1000.0 * i, costMs * i, trainsHere);
    return period;
}

TEST(ReadingPaceTest, ReadingAndDrawingTakeAHundredthOfTheProcessors) {
    ReadingPace two(2), sixteen(16);
    EXPECT_NEAR(paceAfter(two, 12, 20), 600, 1);
    EXPECT_NEAR(paceAfter(sixteen, 24, 20), 150, 1);
}

TEST(ReadingPaceTest, NewsComesOnceASecondAtLeast) {
    ReadingPace pace(1);
    EXPECT_EQ(paceAfter(pace, 500, 20), ReadingPace::slowestMs);
}

TEST(ReadingPaceTest, ARunOnAnotherDeviceIsReadAtFullSpeed) {
    ReadingPace pace(1);
    EXPECT_EQ(paceAfter(pace, 24, 20, false), ReadingPace::fastestMs);
}

TEST(ReadingPaceTest, AfterAKeyNewsComesAtFullSpeedForFiveSeconds) {
    ReadingPace pace(2);
    paceAfter(pace, 24, 20);
    pace.noteInput(26'000);
    EXPECT_EQ(pace.next(30'999, 20 * 24, true), ReadingPace::fastestMs);
    EXPECT_EQ(pace.next(31'000, 21 * 24, true), ReadingPace::slowestMs);
}

}  // namespace
}  // namespace mofo
