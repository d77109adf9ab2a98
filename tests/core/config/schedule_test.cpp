// Values of transformers.get_scheduler (5.23) with torch.optim.SGD(lr=1.0), 10 steps in all.
#include "core/config/schedule.h"

#include <gtest/gtest.h>

namespace mofo {
namespace {

RunConfig config(ScheduleKind kind, double warmup) {
    RunConfig c;
    c.lr = 1.0;
    c.schedule = kind;
    c.warmup = warmup;
    return c;
}

TEST(Schedule, ConstantKeepsTheRate) {
    for (int step = 1; step <= 10; ++step) EXPECT_DOUBLE_EQ(learningRate(config(ScheduleKind::Constant, 0), step, 10), 1.0);
}

TEST(Schedule, ConstantWithWarmupStartsAtZero) {
    const double expected[] = {0, 0.25, 0.5, 0.75, 1, 1};
    for (int step = 1; step <= 6; ++step) EXPECT_DOUBLE_EQ(learningRate(config(ScheduleKind::Constant, 4), step, 10), expected[step - 1]);
}

TEST(Schedule, LinearFallsToZeroAfterTheLastStep) {
    const double expected[] = {0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125};
    for (int step = 1; step <= 10; ++step) EXPECT_DOUBLE_EQ(learningRate(config(ScheduleKind::Linear, 2), step, 10), expected[step - 1]);
}

TEST(Schedule, CosineHalvesInTheMiddle) {
    EXPECT_DOUBLE_EQ(learningRate(config(ScheduleKind::Cosine, 0), 1, 10), 1.0);
    EXPECT_DOUBLE_EQ(learningRate(config(ScheduleKind::Cosine, 0), 6, 10), 0.5);
    EXPECT_NEAR(learningRate(config(ScheduleKind::Cosine, 0), 10, 10), 0.024471741852423234, 1e-15);
}

TEST(Schedule, WarmupBelowOneIsAShareRoundedUp) {
    EXPECT_EQ(warmupSteps(config(ScheduleKind::Cosine, 0.03), 40), 2);
    EXPECT_EQ(warmupSteps(config(ScheduleKind::Cosine, 0.5), 10), 5);
    EXPECT_EQ(warmupSteps(config(ScheduleKind::Cosine, 7), 10), 7);
}

}  // namespace
}  // namespace mofo
