#include "ui/models/live_tuning.h"

#include <gtest/gtest.h>

namespace mofo {
namespace {

CommandRow setCommand(const std::string& uuid, const Json& payload, const std::string& who = "window") {
    CommandRow command;
    command.uuid = uuid;
    command.kind = "set";
    command.payload = payload;
    command.who = who;
    return command;
}

AcknowledgementRow answer(const std::string& uuid, std::int64_t step, bool accepted = true, const std::string& reason = {}) {
    AcknowledgementRow row;
    row.uuid = uuid;
    row.appliedStep = step;
    row.accepted = accepted;
    row.reason = reason;
    return row;
}

TEST(LiveTuning, NothingIsAppliedBeforeItsAcknowledgement) {
    const RunConfig base;
    const std::vector<CommandRow> commands{setCommand("a", {{"alpha", "0.05"}, {"granularity", "layer"}})};
    const LiveTuning before = deriveTuning(base, commands, {});
    EXPECT_EQ(configValue(before.applied, "alpha"), configValue(base, "alpha"));
    EXPECT_EQ(before.appliedCount, 0u);
    ASSERT_NE(before.pendingFor("granularity"), nullptr);
    EXPECT_EQ(before.pendingFor("granularity")->values.at("alpha"), "0.05");

    const LiveTuning after = deriveTuning(base, commands, {answer("a", 41)});
    EXPECT_EQ(configValue(after.applied, "alpha"), "0.05");
    EXPECT_EQ(configValue(after.applied, "granularity"), "layer");
    EXPECT_EQ(after.since.at("alpha").step, 41);
    EXPECT_TRUE(after.pending.empty());
    EXPECT_TRUE(after.appliedSteps.contains(41));
}

TEST(LiveTuning, ARefusalKeepsTheOldValueAndTellsWhy) {
    const RunConfig base;
    const LiveTuning tuning = deriveTuning(base, {setCommand("a", {{"granularity", "head"}})}, {answer("a", 0, false, "this model has no heads")});
    EXPECT_EQ(configValue(tuning.applied, "granularity"), configValue(base, "granularity"));
    ASSERT_EQ(tuning.refused.size(), 1u);
    EXPECT_EQ(tuning.refused[0].reason, "this model has no heads");
    EXPECT_TRUE(tuning.pending.empty());
    EXPECT_EQ(tuning.appliedCount, 0u);
}

TEST(LiveTuning, TheLaterStepWinsNotTheLaterCommand) {
    // Sent first for step 100, then another one at once.
    std::vector<CommandRow> commands{setCommand("late", {{"alpha", "0.2"}}), setCommand("early", {{"alpha", "0.1"}})};
    commands[0].atStep = 100;
    EXPECT_EQ(configValue(deriveTuning(RunConfig{}, commands, {answer("early", 11)}).applied, "alpha"), "0.1");
    EXPECT_EQ(configValue(deriveTuning(RunConfig{}, commands, {answer("early", 11), answer("late", 100)}).applied, "alpha"), "0.2");
}

TEST(LiveTuning, WithdrawnCommandsAreNeitherPendingNorApplied) {
    std::vector<CommandRow> commands{setCommand("a", {{"alpha", "0.05"}})};
    commands[0].withdrawn = true;
    const LiveTuning tuning = deriveTuning(RunConfig{}, commands, {});
    EXPECT_TRUE(tuning.pending.empty());
    EXPECT_TRUE(tuning.known.contains("a"));
}

TEST(LiveTuning, ValuesAreCanonical) {
    EXPECT_EQ(valuesOf(setCommand("a", {{"alpha", "5e-2"}})).at("alpha"), "0.05");
    EXPECT_EQ(valuesOf(setCommand("a", {{"alpha", 0.05}})).at("alpha"), "0.05");
    EXPECT_EQ(valuesOf(setCommand("a", {{"no_such_key", "x"}})).at("no_such_key"), "x");
    EXPECT_TRUE(valuesOf(setCommand("a", Json::array())).empty());
}

}  // namespace
}  // namespace mofo
