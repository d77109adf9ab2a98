#include "core/report/equal_learning.h"

#include <gtest/gtest.h>

#include <vector>

namespace mofo {
namespace {

using report::Measurement;

Measurement at(std::int64_t step, std::vector<float> outcome) {
    Measurement point;
    point.step = step;
    point.items = static_cast<std::int64_t>(outcome.size());
    for (const float one : outcome) point.value += one / static_cast<double>(outcome.size());
    point.outcome = std::move(outcome);
    return point;
}

report::RunRecord runOf(const char* letter, std::vector<double> task, std::vector<std::vector<float>> general) {
    report::RunRecord run;
    run.letter = letter;
    run.row.state = RunState::Finished;
    report::MeasuredSeries learned{"eval", "loss", "", report::Mark::Task, report::Unit::Nats};
    report::MeasuredSeries kept{"text", "loss", "", report::Mark::General, report::Unit::Nats};
    for (std::size_t i = 0; i < task.size(); ++i) {
        const auto step = static_cast<std::int64_t>(10 * i);
        learned.points.push_back(at(step, {static_cast<float>(task[i]), static_cast<float>(task[i])}));
        kept.points.push_back(at(step, general[i]));
    }
    run.measures = {learned, kept};
    return run;
}

/// A learns faster and forgets more; at 0.75 both are between two measurements.
std::vector<report::RunRecord> twoRuns() {
    return {runOf("A", {1.0, 0.5, 0.25}, {{2, 4}, {2.5, 4.5}, {3, 5}}), runOf("B", {1.0, 0.875, 0.625}, {{2, 4}, {2, 4}, {2.25, 4.125}})};
}

// Every number here is a sum of powers of two, so that interpolating gives it exactly.
TEST(EqualLearning, InterpolatesEveryItemWhereTheTaskLossCrossesTheTarget) {
    const auto equal = report::compareAtEqualLearning(twoRuns(), 0, 0.75);
    ASSERT_TRUE(equal);
    EXPECT_EQ(equal->taskKey, "eval/loss");
    const report::EqualPlace *a = equal->place(0, "text/loss"), *b = equal->place(1, "text/loss");
    ASSERT_TRUE(a != nullptr && b != nullptr && a->reached() && b->reached());
    EXPECT_EQ(a->step, 5.0);
    EXPECT_EQ(b->step, 15.0);
    EXPECT_EQ(a->there.value, 3.25);
    EXPECT_EQ(a->there.outcome, (std::vector<float>{2.25F, 4.25F}));
    EXPECT_EQ(b->there.outcome, (std::vector<float>{2.125F, 4.0625F}));
    ASSERT_EQ(equal->differences.size(), 1U);
    const report::EqualDifference& one = equal->differences.front();
    EXPECT_EQ(one.difference.paired.difference, -0.15625);
    // Two items: every resample lies between the two differences, both below zero.
    EXPECT_EQ(one.difference.paired.interval.low, -0.1875);
    EXPECT_EQ(one.difference.paired.interval.high, -0.125);
    EXPECT_EQ(one.finding, Finding::Better);
}

TEST(EqualLearning, TakesTheMostThatEveryRunLearnedWhereNoTargetIsGiven) {
    const auto equal = report::compareAtEqualLearning(twoRuns(), 0, std::nullopt);
    ASSERT_TRUE(equal);
    EXPECT_EQ(equal->target, 0.625);
    EXPECT_EQ(equal->place(1, "text/loss")->step, 20.0);
    EXPECT_EQ(equal->place(0, "text/loss")->step, 7.5);
}

TEST(EqualLearning, SaysWhichRunNeverReachedTheTarget) {
    const auto equal = report::compareAtEqualLearning(twoRuns(), 0, 0.5);
    ASSERT_TRUE(equal);
    EXPECT_TRUE(equal->place(0, "text/loss")->reached());
    EXPECT_EQ(equal->place(1, "text/loss")->why, "not reached: its lowest is 0.625");
    EXPECT_TRUE(equal->differences.empty());
}

TEST(EqualLearning, NeedsATaskLossOnTheSameItems) {
    auto runs = twoRuns();
    runs[1].measures.front().items = "others";
    EXPECT_FALSE(report::compareAtEqualLearning(runs, 0, std::nullopt));
    EXPECT_FALSE(report::compareAtEqualLearning({twoRuns().front()}, 0, std::nullopt));
}

}  // namespace
}  // namespace mofo
