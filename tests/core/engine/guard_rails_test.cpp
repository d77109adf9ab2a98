// What guard rails decide, by hand-made readings: when they hit, when they are ready again, what a checkpoint keeps of them.
#include "core/engine/guard_rails.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();

RunConfig with(const std::vector<std::pair<const char*, const char*>>& values) {
    RunConfig config;
    for (const auto& [key, value] : values) EXPECT_OK(setConfigValue(config, key, value));
    return config;
}

GuardReading ofLoss(std::int64_t step, double loss) { return {.step = step, .loss = loss}; }
GuardReading ofDrift(std::int64_t step, double drift) { return {.step = step, .drift = drift}; }
GuardReading ofEval(std::int64_t step, double loss) { return {.step = step, .evalLoss = loss}; }

TEST(SpikeScore, IsTheDistanceFromTheMedianInRobustDeviations) {
    std::deque<double> earlier;
    for (int i = 1; i <= 19; ++i) earlier.push_back(i);
    EXPECT_FALSE(spikeScore(earlier, 1000)) << "19 losses are too few";
    earlier.push_back(20);
    // Median 10.5; deviations 0.5, 0.5, 1.5, 1.5 ... 9.5, 9.5 with the median 5.
    const auto spike = spikeScore(earlier, 30);
    ASSERT_TRUE(spike);
    EXPECT_DOUBLE_EQ(spike->median, 10.5);
    EXPECT_NEAR(spike->score, 19.5 / (1.4826 * 5), 1e-12);
    // One wild value among them moves neither.
    earlier.back() = 1e30;
    EXPECT_NEAR(spikeScore(earlier, 30)->score, 19.5 / (1.4826 * 5), 1e-12);
    // Equal losses: two hundredths of the median are the unit.
    EXPECT_NEAR(spikeScore(std::deque<double>(20, 2.0), 2.4)->score, 10, 1e-9);
    EXPECT_LT(spikeScore(std::deque<double>(20, 2.0), 1)->score, 0) << "a loss that falls is no spike";
    EXPECT_TRUE(std::isfinite(spikeScore(std::deque<double>(20, 0.0), 1)->score));
}

TEST(GuardRails, ASpikeHitsOnceUntilTheLossWasBack) {
    GuardState state;
    const RunConfig config = with({{"guard_spike", "8"}, {"guard_spike_action", "pause"}});
    std::int64_t step = 0;
    for (int i = 0; i < 30; ++i) EXPECT_TRUE(state.watch(config, ofLoss(++step, 2 + 0.01 * (i % 3))).empty());
    const auto hits = state.watch(config, ofLoss(++step, 4));
    ASSERT_EQ(hits.size(), 1u);
    EXPECT_EQ(hits[0].guard->key, "guard_spike");
    EXPECT_EQ(hits[0].action, GuardAction::Pause);
    EXPECT_GT(hits[0].value, 8);
    EXPECT_EQ(hits[0].limit, 8);
    EXPECT_THAT(hits[0].text, HasSubstr("the loss 4 of step 31 lies "));
    EXPECT_THAT(hits[0].text, HasSubstr("deviations above the median 2.01 of the last 30 steps (guard_spike=8)"));
    EXPECT_TRUE(state.watch(config, ofLoss(++step, 4)).empty()) << "the same spike";
    EXPECT_TRUE(state.watch(config, ofLoss(++step, 2.01 + 0.02 * 2.01 * 6)).empty()) << "six of eight deviations: not back yet";
    EXPECT_TRUE(state.watch(config, ofLoss(++step, 4)).empty());
    EXPECT_TRUE(state.watch(config, ofLoss(++step, 2)).empty());
    EXPECT_EQ(state.watch(config, ofLoss(++step, 4)).size(), 1u) << "back in between: a second one";
    EXPECT_LE(state.losses.size(), spikeWindow);
}

TEST(GuardRails, ALevelThatStaysBecomesTheNewMedian) {
    GuardState state;
    const RunConfig config;
    std::int64_t step = 0, hits = 0;
    for (int i = 0; i < 60; ++i) hits += static_cast<std::int64_t>(state.watch(config, ofLoss(++step, 2)).size());
    for (int i = 0; i < 100; ++i) hits += static_cast<std::int64_t>(state.watch(config, ofLoss(++step, 4)).size());
    EXPECT_EQ(hits, 1);
    EXPECT_EQ(state.watch(config, ofLoss(++step, 8)).size(), 1u);
}

TEST(GuardRails, WhatIsNotFiniteStaysOutOfTheWindow) {
    GuardState state;
    for (int i = 0; i < 25; ++i) state.watch(RunConfig(), ofLoss(i, i % 2 == 0 ? 2 : nan));
    EXPECT_EQ(state.losses, std::deque<double>(13, 2.0));
}

TEST(GuardRails, ABudgetHitsOnceWhileItIsPassedAndAgainForAnotherLimit) {
    GuardState state;
    RunConfig config = with({{"guard_drift", "0.01"}, {"guard_drift_action", "lower_alpha"}});
    EXPECT_TRUE(state.watch(config, ofDrift(10, 0.01)).empty()) << "the limit itself is within it";
    const auto hits = state.watch(config, ofDrift(20, 0.0100001));
    ASSERT_EQ(hits.size(), 1u);
    EXPECT_EQ(hits[0].action, GuardAction::LowerAlpha);
    EXPECT_EQ(hits[0].text, "the drift from the pretrained weights is 0.01 at step 20 (guard_drift=0.01)");
    EXPECT_TRUE(state.watch(config, ofDrift(30, 0.02)).empty());
    EXPECT_TRUE(state.watch(config, ofLoss(31, 2)).empty()) << "not measured at this step";
    config.guardDrift = 0.015;
    EXPECT_EQ(state.watch(config, ofDrift(40, 0.02)).size(), 1u);
    EXPECT_TRUE(state.watch(config, ofDrift(50, 0.014)).empty());
    EXPECT_EQ(state.watch(config, ofDrift(60, 0.016)).size(), 1u) << "below in between";
    config.guardDrift = 0;
    EXPECT_TRUE(state.watch(config, ofDrift(70, 1)).empty());
    EXPECT_TRUE(state.passedLimit.empty());
}

TEST(GuardRails, HeldOutLossIsComparedWithTheLowestAndWithTheStart) {
    GuardState state;
    const RunConfig config = with({{"eval_every", "5"}, {"guard_eval", "0.1"}, {"guard_eval_start", "0.05"}});
    state.noteStart(2);
    EXPECT_TRUE(state.watch(config, ofEval(5, 1.5)).empty());
    EXPECT_TRUE(state.watch(config, ofEval(10, 1.55)).empty());
    auto hits = state.watch(config, ofEval(15, 1.7));
    ASSERT_EQ(hits.size(), 1u);
    EXPECT_NEAR(hits[0].value, 0.2, 1e-12);
    EXPECT_EQ(hits[0].text, "the held-out loss 1.7 of step 15 lies 0.2 above the lowest, 1.5 of step 5 (guard_eval=0.1)");
    hits = state.watch(config, ofEval(20, 2.2));
    ASSERT_EQ(hits.size(), 1u);
    EXPECT_EQ(hits[0].text, "the held-out loss 2.2 of step 20 lies 10 % above that of the start, 2 (guard_eval_start=0.05)");
    EXPECT_TRUE(state.watch(config, ofEval(25, 1.5)).empty());
    EXPECT_EQ(state.watch(config, ofEval(30, nan)).size(), 2u) << "not a number is beyond every limit";
    EXPECT_EQ(*state.bestLoss, 1.5);
}

TEST(EarlyStop, CountsEvaluationsWithoutALowerLoss) {
    GuardState state;
    const RunConfig config = with({{"eval_every", "5"}, {"early_stop", "3"}});
    state.noteStart(2);
    const auto after = [&](std::int64_t step, double loss) {
        state.watch(config, ofEval(step, loss));
        return state.stopEarly(config);
    };
    EXPECT_EQ(after(5, 1.9), "");
    EXPECT_EQ(after(10, 1.9), "") << "equal is not lower";
    EXPECT_EQ(after(15, infinite), "");
    EXPECT_EQ(after(20, 1.8), "");
    EXPECT_EQ(after(25, 1.85), "");
    EXPECT_EQ(after(30, 1.84), "");
    EXPECT_EQ(after(35, 1.83), "3 evaluations in a row without a held-out loss below 1.8 of step 20 (early_stop=3)");
    // Whoever resumes the run has that many again.
    EXPECT_EQ(after(40, 1.83), "");
    EXPECT_EQ(state.bestStep, 20);
}

TEST(LowerAlpha, HalvesAllOfThemDownToAFloor) {
    RunConfig config = with({{"alpha", "linear:0.3..0.1@0..1000"}, {"alpha.mlp", "0.0015"}});
    ASSERT_TRUE(lowerAlpha(config));
    EXPECT_EQ(configValue(config, "alpha"), "linear:0.15..0.05@0..1000");
    EXPECT_EQ(configValue(config, "alpha.mlp"), "0.001");
    int more = 0;
    while (lowerAlpha(config)) ++more;
    EXPECT_LT(more, 10);
    EXPECT_EQ(configValue(config, "alpha"), "linear:0.001..0.001@0..1000");
    RunConfig below = with({{"alpha", "0.0005"}});
    EXPECT_FALSE(lowerAlpha(below));
    EXPECT_EQ(below.alpha.common.from, 0.0005);
}

TEST(GuardState, ComesBackFromACheckpointToTheBit) {
    const RunConfig config = with({{"eval_every", "5"}, {"guard_spike", "2"}, {"guard_drift", "0.5"}, {"guard_eval", "0.3"}, {"early_stop", "3"}});
    std::mt19937_64 random(7);
    std::lognormal_distribution<double> draw(0, 0.8);
    GuardState whole, cut;
    std::size_t hits = 0;
    for (std::int64_t step = 1; step <= 400; ++step) {
        GuardReading reading{.step = step, .loss = draw(random)};
        if (step % 3 == 0) reading.drift = draw(random);
        if (step % 5 == 0) reading.evalLoss = draw(random);
        // Through a file at every step, as if the engine died after each.
        const auto read = GuardState::fromJson(*parseJson(cut.toJson().dump(1)));
        ASSERT_OK(read);
        ASSERT_EQ(*read, whole);
        cut = *read;
        const auto a = whole.watch(config, reading), b = cut.watch(config, reading);
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].text, b[i].text);
        EXPECT_EQ(whole.stopEarly(config), cut.stopEarly(config));
        hits += a.size();
    }
    EXPECT_GT(hits, 20u);
}

TEST(GuardState, IsRefusedWhereAnythingIsMissingUnknownOrOfAnotherType) {
    GuardState state;
    state.noteStart(2);
    state.watch(with({{"guard_drift", "0.1"}}), {.step = 1, .loss = 2, .drift = 0.2});
    const Json json = state.toJson();
    ASSERT_OK(GuardState::fromJson(json));
    std::vector<std::string> pointers{"/passed"};
    const Json flat = json.flatten();
    for (const auto& [pointer, value] : flat.items()) pointers.push_back(pointer);
    EXPECT_GE(pointers.size(), 11u);
    for (const std::string& pointer : pointers) {
        const std::size_t slash = pointer.rfind('/');
        Json without = json, other = json, more = json;
        without[Json::json_pointer(pointer.substr(0, slash))].erase(pointer.substr(slash + 1));
        other[Json::json_pointer(pointer)] = Json::array();
        more[Json::json_pointer(pointer.substr(0, slash))]["unknown"] = 1;
        for (const Json& wrong : {without, other, more}) {
            const auto refused = GuardState::fromJson(wrong);
            ASSERT_FALSE(refused.ok()) << wrong.dump();
            EXPECT_THAT(refused.error().message, HasSubstr("guards."));
        }
        EXPECT_THAT(GuardState::fromJson(without).error().message, HasSubstr(pointer.substr(slash + 1) + " is missing"));
    }
    EXPECT_FALSE(GuardState::fromJson(Json::object()).ok());
    EXPECT_FALSE(GuardState::fromJson(Json::array()).ok());
    Json words = json;
    words["losses"] = "2 x";
    EXPECT_FALSE(GuardState::fromJson(words).ok());
}

TEST(GuardRails, NeedHeldOutRows) {
    EXPECT_OK(checkWatchable(RunConfig(), false));
    for (const char* key : {"early_stop", "guard_eval", "guard_eval_start"}) {
        const RunConfig config = with({{"eval_every", "5"}, {key, "1"}});
        EXPECT_OK(checkWatchable(config, true));
        const auto refused = checkWatchable(config, false);
        ASSERT_FALSE(refused.ok());
        EXPECT_THAT(refused.error().text(), HasSubstr(std::string(key) + " needs held-out rows"));
    }
}

}  // namespace
}  // namespace mofo
