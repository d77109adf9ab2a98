#include <signal.h>

#include "core/base/ids.h"
#include "core/client/jobs.h"
#include "tests/support/client_support.h"

namespace mofo {
namespace {

using test::eventually;

class CommandsTest : public test::ClientTest {
protected:
    RunRow startLive() {
        auto run = start({{"steps", "100000"}});
        EXPECT_TRUE(run.ok()) << run.error().text();
        EXPECT_TRUE(eventually([&] { return stepOf(run->id) > 1; }));
        return registry().findRun(run->id).value();
    }
    Result<AcknowledgementRow> send(const RunRow& run, std::string_view kind, const Json& payload, std::optional<std::int64_t> atStep = {}) {
        MOFO_TRY(const std::string uuid, sendCommand(registry(), run, kind, payload, atStep, "cli"));
        return awaitAcknowledgement(workspace(), run.id, uuid, 10);
    }
};

TEST_F(CommandsTest, ASetIsAcknowledgedWithTheFirstStepThatUsesIt) {
    const RunRow run = startLive();
    const std::int64_t before = stepOf(run.id);
    const auto answer = send(run, "set", {{"alpha", "0.05"}});
    ASSERT_OK(answer);
    EXPECT_TRUE(answer->accepted);
    EXPECT_GT(answer->appliedStep, before);
    EXPECT_TRUE(eventually([&] { return stepOf(run.id) > answer->appliedStep + 1; }));
    const auto reader = MetricsReader::open(workspace().metricsFile(run.id));
    ASSERT_OK(reader);
    const auto steps = reader->stepsAfter(0);
    ASSERT_OK(steps);
    for (const StepRow& step : *steps) EXPECT_DOUBLE_EQ(step.alpha, step.step >= answer->appliedStep ? 0.05 : 0.15) << step.step;
    EXPECT_EQ(configValue(registry().findRun(run.id)->config, "alpha"), "0.05");
}

TEST_F(CommandsTest, ALaterStepWaitsAndCanBeWithdrawn) {
    const RunRow run = startLive();
    const auto uuid = sendCommand(registry(), run, "set", {{"alpha", "0.05"}}, 90000, "cli");
    ASSERT_OK(uuid);
    const std::int64_t step = stepOf(run.id);
    ASSERT_TRUE(eventually([&] { return stepOf(run.id) > step + 5; }));
    const auto pending = pendingCommands(workspace(), registry(), run.id);
    ASSERT_OK(pending);
    ASSERT_EQ(pending->size(), 1u);
    EXPECT_EQ(pending->front().uuid, *uuid);
    ASSERT_OK(registry().withdrawCommand(*uuid));
    EXPECT_TRUE(pendingCommands(workspace(), registry(), run.id)->empty());
}

TEST_F(CommandsTest, APausedRunAnswersAtOnceAndGoesOn) {
    const RunRow run = startLive();
    ASSERT_OK(send(run, "pause", Json::object()));
    ASSERT_TRUE(reaches(run.id, RunState::Paused));
    const std::int64_t at = stepOf(run.id);
    const auto answer = send(run, "set", {{"lr", "1e-5"}});
    ASSERT_OK(answer);
    EXPECT_EQ(answer->appliedStep, at + 1);
    EXPECT_EQ(stepOf(run.id), at);
    ASSERT_OK(send(run, "resume", Json::object()));
    EXPECT_TRUE(eventually([&] { return stepOf(run.id) > at + 2; }));
}

TEST_F(CommandsTest, AnUnknownCommandIsRefusedInItsAcknowledgement) {
    const auto answer = send(startLive(), "dance", Json::object());
    ASSERT_OK(answer);
    EXPECT_FALSE(answer->accepted);
    EXPECT_THAT(answer->reason, testing::HasSubstr("dance"));
}

TEST_F(CommandsTest, EndedRunsTakeNoCommands) {
    const auto run = start({{"steps", "2"}});
    ASSERT_OK(run);
    ASSERT_TRUE(reaches(run->id, RunState::Finished));
    const auto refused = sendCommand(registry(), *run, "set", {{"alpha", "0.05"}}, {}, "cli");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_EQ(refused.error().exitCode(), 1);
    EXPECT_TRUE(registry().commands(run->id)->empty()) << "a refused command writes no row";
}

TEST_F(CommandsTest, ALostRunKeepsItsCommandsForTheNextStart) {
    const RunRow run = startLive();
    kill(static_cast<pid_t>(engineOf(run.id)), SIGKILL);
    ASSERT_TRUE(reaches(run.id, RunState::Lost));
    ASSERT_OK(sendCommand(registry(), run, "set", {{"alpha", "0.05"}}, {}, "cli"));
    ASSERT_OK(resumeRun(workspace(), registry(), run, true));
    EXPECT_TRUE(eventually([&] { return pendingCommands(workspace(), registry(), run.id)->empty(); }));
    EXPECT_EQ(configValue(registry().findRun(run.id)->config, "alpha"), "0.05");
}

TEST_F(CommandsTest, AwaitingEndsWithTheRunAndWithTime) {
    const RunRow run = startLive();
    const auto late = awaitAcknowledgement(workspace(), run.id, newUuid(), 0.2);
    ASSERT_FALSE(late.ok());
    EXPECT_EQ(late.error().code, ErrorCode::Busy);
    const auto left = awaitAcknowledgement(workspace(), run.id, newUuid(), 10, [] { return true; });
    EXPECT_EQ(left.error().code, ErrorCode::Interrupted);
    ASSERT_OK(send(run, "stop", {{"save", false}}));
    const auto gone = awaitAcknowledgement(workspace(), run.id, newUuid(), 10);
    EXPECT_EQ(gone.error().code, ErrorCode::Conflict);
}

TEST_F(CommandsTest, LiveChangesAreCheckedBeforeTheyAreSent) {
    RunRow run;
    run.config = config();
    const auto payload = checkLiveChange(run, {"alpha=0.050", "granularity=layer"});
    ASSERT_OK(payload);
    EXPECT_EQ(*payload, (Json{{"alpha", "0.05"}, {"granularity", "layer"}}));
    for (const char* wrong : {"alpha=2", "alpha=0", "alpha=1.1", "alpha=nan", "alhpa=0.1", "alpha", "batch=8", "model=other", "seed=1", "granularity=block:0",
                              "granularity=block:63", "rule=gv", "rule=momentun", "l2=-1", "hft_every=3", "optimizer=adamw"}) {
        const auto refused = checkLiveChange(run, {wrong});
        ASSERT_FALSE(refused.ok()) << wrong;
        EXPECT_EQ(refused.error().exitCode(), 2) << wrong;
    }
    EXPECT_FALSE(checkLiveChange(run, {}).ok());
    EXPECT_FALSE(checkLiveChange(run, {"alpha.mlp=0.1", "granularity=model"}).ok());
    EXPECT_OK(checkLiveChange(run, {"rule=random", "l1=0.1", "l2=0", "row_counts=*.o_proj.*"}));
    run.config.optimizer = OptimizerKind::AdamW;
    const auto withoutEffect = checkLiveChange(run, {"alpha=0.1"});
    ASSERT_FALSE(withoutEffect.ok());
    EXPECT_THAT(withoutEffect.error().text(), testing::HasSubstr("no effect with optimizer=adamw"));
    EXPECT_OK(checkLiveChange(run, {"l2=0.1"}));
}

TEST_F(CommandsTest, ResumeContinuesFromTheNewestCheckpoint) {
    const auto run = start({{"steps", "60"}});
    ASSERT_OK(run);
    ASSERT_TRUE(eventually([&] { return stepOf(run->id) > 3; }));
    ASSERT_OK(send(*run, "stop", {{"save", true}}));
    ASSERT_TRUE(reaches(run->id, RunState::Stopped));
    const std::int64_t at = stepOf(run->id);
    ASSERT_OK(resumeRun(workspace(), registry(), *run, true));
    ASSERT_TRUE(reaches(run->id, RunState::Finished));
    const auto reader = MetricsReader::open(workspace().metricsFile(run->id));
    ASSERT_OK(reader);
    const auto steps = reader->stepsAfter(0);
    ASSERT_OK(steps);
    EXPECT_EQ(steps->size(), 60u);
    EXPECT_LT(at, 60);
    EXPECT_EQ(resumeRun(workspace(), registry(), *run, true).error().code, ErrorCode::Conflict) << "a finished run has nothing left";
}

TEST_F(CommandsTest, JobsGiveTheirResultOrSayWhyNot) {
    const auto result = runJob(workspace(), registry(), "score", {{"limit", 2}}, "cpu", "");
    ASSERT_OK(result);
    EXPECT_EQ((*result)["rows"].size(), 2u);
    const auto unknown = runJob(workspace(), registry(), "dance", Json::object(), "cpu", "");
    ASSERT_FALSE(unknown.ok());
    EXPECT_EQ(unknown.error().exitCode(), 3);
    EXPECT_THAT(unknown.error().text(), testing::HasSubstr("dance"));
}

TEST_F(CommandsTest, AJobThatIsCancelledEnds) {
    m_environment.set("MOFO_FAKE_JOB_MS", "60000");
    int calls = 0;
    const auto result = runJob(workspace(), registry(), "score", Json::object(), "cpu", "", [&](std::string_view phase, double) { return phase.empty() || ++calls < 5; });
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::Interrupted);
    EXPECT_EQ(registry().jobs()->front().state, JobState::Cancelled);
}

TEST_F(CommandsTest, JobsThatBreakSaySo) {
    m_environment.set("MOFO_FAKE_JOB_FAULT", "exit1");
    auto result = runJob(workspace(), registry(), "score", Json::object(), "cpu", "");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().exitCode(), 1);
    EXPECT_THAT(result.error().text(), testing::HasSubstr("the job broke"));
}

TEST_F(CommandsTest, JobsThatAreKilledSaySo) {
    m_environment.set("MOFO_FAKE_JOB_FAULT", "kill");
    const auto result = runJob(workspace(), registry(), "score", Json::object(), "cpu", "");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().exitCode(), 1);
    EXPECT_THAT(result.error().text(), testing::HasSubstr("signal 9"));
}

}  // namespace
}  // namespace mofo
