#include "core/store/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/ids.h"
#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

using test::ChildProcess;
using test::exampleCommand;
using test::exampleRun;
using test::StoreFixture;
using ::testing::HasSubstr;

class RegistryTest : public ::testing::Test, public StoreFixture {
protected:
    std::string stateOf(const std::string& id) {
        const auto run = registry.findRun(id);
        EXPECT_OK(run);
        return run.ok() ? std::string(runStateName(run->state)) : "";
    }
    void makeRunFolder(const std::string& id) { EXPECT_OK(makeFolder(workspace.runFolder(id), false)); }
};

TEST_F(RegistryTest, KeepsEveryFieldOfARun) {
    ASSERT_OK(registry.addModel(test::exampleModel("m1", "smol")));
    ASSERT_OK(registry.addRun(exampleRun("parent", "first")));
    RunRow run = exampleRun("abc234", "maths <b>a15</b> \xe6\x95\xb0");
    run.state = RunState::Draft;
    run.device = "cuda-1";
    run.deviceWarning = "the driver is too old";
    run.modelId = "m1";
    ASSERT_OK(setConfigValue(run.config, "alpha", "linear:0.3..0.1@0..1000"));
    ASSERT_OK(setConfigValue(run.config, "alpha.mlp", "0.1"));
    run.startedNs = 5;
    run.endedNs = 6;
    run.endReason = "because";
    run.parentId = "parent";
    run.parentStep = 77;
    run.tags = {"demo", "with, comma", "\"quoted\""};
    run.note = "line one\nline two";
    run.pinned = true;
    run.baseline = true;
    run.trashedNs = 9;
    run.restarts = 2;
    ASSERT_OK(registry.addRun(run));
    RunSummary summary;
    summary.step = 12;
    summary.totalSteps = 40;
    summary.loss = 1.25;
    summary.evalLoss = 1.5;
    summary.drift = 0.0123;
    summary.tokensPerSecond = 345.5;
    summary.phase = "train";
    summary.updatedNs = 99;
    ASSERT_OK(registry.setRunSummary("abc234", summary));

    const auto back = registry.findRun("abc234");
    ASSERT_OK(back);
    EXPECT_EQ(back->name, run.name);
    EXPECT_EQ(back->state, RunState::Draft);
    EXPECT_EQ(back->device, "cuda-1");
    EXPECT_EQ(back->deviceWarning, "the driver is too old");
    EXPECT_EQ(back->modelId, "m1");
    EXPECT_EQ(back->modelName, run.modelName);
    EXPECT_EQ(back->config, run.config);
    EXPECT_EQ(back->commandLine, run.commandLine);
    EXPECT_EQ(back->createdNs, run.createdNs);
    EXPECT_EQ(back->startedNs, run.startedNs);
    EXPECT_EQ(back->endedNs, run.endedNs);
    EXPECT_EQ(back->endReason, "because");
    EXPECT_EQ(back->parentId, "parent");
    EXPECT_EQ(back->parentStep, 77);
    EXPECT_EQ(back->tags, run.tags);
    EXPECT_EQ(back->note, run.note);
    EXPECT_TRUE(back->pinned && back->baseline);
    EXPECT_EQ(back->trashedNs, run.trashedNs);
    EXPECT_EQ(back->queuePlace, 0);
    EXPECT_EQ(back->restarts, 2);
    EXPECT_EQ(back->unreadable, "");
    EXPECT_EQ(back->summary.step, 12);
    EXPECT_EQ(back->summary.totalSteps, 40);
    EXPECT_EQ(back->summary.loss, 1.25);
    EXPECT_EQ(back->summary.lossState, "finite");
    EXPECT_EQ(back->summary.evalLoss, 1.5);
    EXPECT_EQ(back->summary.drift, 0.0123);
    EXPECT_EQ(back->summary.tokensPerSecond, 345.5);
    EXPECT_EQ(back->summary.phase, "train");
    EXPECT_EQ(back->summary.updatedNs, 99);
}

TEST_F(RegistryTest, SummaryOfANonFiniteLossSaysSo) {
    ASSERT_OK(registry.addRun(exampleRun("r1", "one")));
    RunSummary summary;
    summary.loss = std::nan("");
    summary.lossState = "nan";
    summary.tokensPerSecond = HUGE_VAL;
    ASSERT_OK(registry.setRunSummary("r1", summary));
    const auto run = registry.findRun("r1");
    ASSERT_OK(run);
    EXPECT_FALSE(run->summary.loss.has_value());
    EXPECT_EQ(run->summary.lossState, "nan");
    EXPECT_EQ(run->summary.tokensPerSecond, 0);
}

TEST_F(RegistryTest, EditsAreKeptAndSeenByOthers) {
    ASSERT_OK(registry.addRun(exampleRun("r1", "one")));
    Registry other = openRegistry(Registry::Access::ReadOnly);
    const std::int64_t version = other.dataVersion();
    ASSERT_OK(registry.renameRun("r1", "two"));
    EXPECT_NE(other.dataVersion(), version);
    ASSERT_OK(registry.setRunNote("r1", "note"));
    ASSERT_OK(registry.setRunTags("r1", {"a", "b"}));
    ASSERT_OK(registry.setRunRestarts("r1", 3));
    RunConfig config;
    config.lr = 1e-5;
    ASSERT_OK(registry.setRunConfig("r1", config));
    const auto run = other.findRun("two");
    ASSERT_OK(run);
    EXPECT_EQ(run->note, "note");
    EXPECT_EQ(run->tags, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(run->restarts, 3);
    EXPECT_EQ(run->config.lr, 1e-5);
    EXPECT_EQ(other.initialRunConfig("r1")->lr, 2e-5);
}

TEST_F(RegistryTest, ReadOnlyConnectionsCannotWrite) {
    ASSERT_OK(registry.addRun(exampleRun("r1", "one")));
    Registry reader = openRegistry(Registry::Access::ReadOnly);
    const auto refused = reader.renameRun("r1", "two");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Permission);
    EXPECT_EQ(registry.findRun("r1")->name, "one");
}

TEST_F(RegistryTest, RefusesWhatIsNoRun) {
    EXPECT_EQ(registry.addRun(exampleRun("r1", "")).error().code, ErrorCode::Usage);
    EXPECT_EQ(registry.addRun(exampleRun("r1", std::string(401, 'x'))).error().code, ErrorCode::Usage);
    EXPECT_EQ(registry.addRun(exampleRun("r1", "\xff")).error().code, ErrorCode::Usage);
    RunRow run = exampleRun("r1", "one");
    run.state = RunState::Lost;
    EXPECT_EQ(registry.addRun(run).error().code, ErrorCode::Internal);
    run.state = RunState::Queued;
    run.modelId = "nowhere";
    const auto orphan = registry.addRun(run);
    ASSERT_FALSE(orphan.ok());
    EXPECT_EQ(orphan.error().code, ErrorCode::NotFound);
    EXPECT_THAT(orphan.error().text(), HasSubstr("nowhere"));
    run.modelId.clear();
    ASSERT_OK(registry.addRun(run));
    EXPECT_EQ(registry.addRun(run).error().code, ErrorCode::Conflict);
    run.id = "r2";
    run.device = "tpu";
    EXPECT_EQ(registry.addRun(run).error().code, ErrorCode::Conflict);
    EXPECT_EQ(registry.runs(true)->size(), 1u);
}

TEST_F(RegistryTest, UnknownRunsAreNotFoundEverywhere) {
    for (const auto& result :
         {registry.setRunState("x", RunState::Running), registry.renameRun("x", "y"), registry.setRunNote("x", ""), registry.setRunTags("x", {}),
          registry.setRunTrashed("x", true), registry.setRunRestarts("x", 1), registry.queueRun("x"), registry.setRunSummary("x", {}),
          registry.setRunConfig("x", {}), registry.addCommand(exampleCommand("x", "set")), registry.withdrawCommand("x")}) {
        ASSERT_FALSE(result.ok());
        EXPECT_EQ(result.error().code, ErrorCode::NotFound);
    }
    EXPECT_EQ(registry.findRun("").error().code, ErrorCode::NotFound);
    EXPECT_EQ(registry.findRun("x").error().code, ErrorCode::NotFound);
}

TEST_F(RegistryTest, ListsNewestFirstAndLeavesTheTrashOut) {
    for (const char* id : {"r1", "r2", "r3"}) ASSERT_OK(registry.addRun(exampleRun(id, "same time")));
    ASSERT_OK(registry.setRunTrashed("r2", true));
    const auto visible = registry.runs();
    ASSERT_OK(visible);
    ASSERT_EQ(visible->size(), 2u);
    EXPECT_EQ((*visible)[0].id, "r3");
    EXPECT_EQ((*visible)[1].id, "r1");
    EXPECT_EQ(registry.runs(true)->size(), 3u);
    ASSERT_OK(registry.setRunTrashed("r2", false));
    EXPECT_FALSE(registry.findRun("r2")->trashedNs.has_value());
    EXPECT_EQ(registry.runs()->size(), 3u);
}

TEST_F(RegistryTest, FindsByIdPrefixOrName) {
    ASSERT_OK(registry.addRun(exampleRun("abcdef", "maths")));
    ASSERT_OK(registry.addRun(exampleRun("abcxyz", "medicine")));
    ASSERT_OK(registry.addRun(exampleRun("qqqqqq", "abc")));
    EXPECT_EQ(registry.findRun("abcdef")->id, "abcdef");
    EXPECT_EQ(registry.findRun("abcd")->id, "abcdef");
    EXPECT_EQ(registry.findRun("medicine")->id, "abcxyz");
    EXPECT_EQ(registry.findRun("abc")->id, "qqqqqq") << "a whole name goes before prefixes of ids";
    const auto ambiguous = registry.findRun("ab");
    ASSERT_FALSE(ambiguous.ok());
    EXPECT_EQ(ambiguous.error().code, ErrorCode::Conflict);
    EXPECT_THAT(ambiguous.error().text(), HasSubstr("abcdef (maths)"));
    EXPECT_THAT(ambiguous.error().text(), HasSubstr("abcxyz (medicine)"));
    // Nothing in a name is a pattern.
    for (const char* text : {"%", "_", "abc%", "*", "mat", "'", "maths' OR '1'='1"})
        EXPECT_EQ(registry.findRun(text).error().code, ErrorCode::NotFound) << text;
}

TEST_F(RegistryTest, NamesInTheTrashGiveWay) {
    ASSERT_OK(registry.addRun(exampleRun("r1", "twin")));
    ASSERT_OK(registry.addRun(exampleRun("r2", "twin")));
    EXPECT_EQ(registry.findRun("twin").error().code, ErrorCode::Conflict);
    ASSERT_OK(registry.setRunTrashed("r1", true));
    EXPECT_EQ(registry.findRun("twin")->id, "r2");
    ASSERT_OK(registry.setRunTrashed("r2", true));
    EXPECT_EQ(registry.findRun("twin").error().code, ErrorCode::Conflict);
    ASSERT_OK(registry.renameRun("r2", "other"));
    EXPECT_EQ(registry.findRun("twin")->id, "r1");
}

TEST_F(RegistryTest, QueueGoesByPlaceAndDevice) {
    for (const char* id : {"r1", "r2", "r3"}) ASSERT_OK(registry.addRun(exampleRun(id, id)));
    RunRow gpu = exampleRun("g1", "gpu");
    gpu.device = "cuda-0";
    ASSERT_OK(registry.addRun(gpu));
    EXPECT_LT(registry.findRun("r1")->queuePlace, registry.findRun("r2")->queuePlace);
    // Queued again, a run goes to the end.
    ASSERT_OK(registry.queueRun("r1"));
    ASSERT_OK(registry.setRunTrashed("r3", true));
    for (const char* expected : {"r2", "r1"}) {
        const auto taken = registry.takeNextQueuedRun("cpu");
        ASSERT_OK(taken);
        ASSERT_TRUE(taken->has_value());
        EXPECT_EQ((*taken)->id, expected);
        EXPECT_EQ((*taken)->state, RunState::Starting);
        EXPECT_EQ((*taken)->queuePlace, 0);
        EXPECT_TRUE((*taken)->startedNs.has_value());
    }
    EXPECT_FALSE(registry.takeNextQueuedRun("cpu")->has_value());
    EXPECT_EQ((*registry.takeNextQueuedRun("cuda-0"))->id, "g1");
}

TEST_F(RegistryTest, ARunThatCannotBeReadDoesNotBlockTheQueue) {
    ASSERT_OK(registry.addRun(exampleRun("bad", "bad")));
    ASSERT_OK(registry.addRun(exampleRun("good", "good")));
    test::tamper(workspace.registryFile(), "UPDATE configs SET current = '{\"warp_factor\":\"9\"}' WHERE run = 'bad'");
    const auto list = registry.runs();
    ASSERT_OK(list);
    ASSERT_EQ(list->size(), 2u);
    EXPECT_THAT((*list)[1].unreadable, HasSubstr("warp_factor"));
    EXPECT_EQ((*list)[0].unreadable, "");
    const auto taken = registry.takeNextQueuedRun("cpu");
    ASSERT_OK(taken);
    EXPECT_EQ((*taken)->id, "good");
    EXPECT_EQ(registry.findRun("bad")->state, RunState::Failed);
    EXPECT_THAT(registry.findRun("bad")->endReason, HasSubstr("warp_factor"));
}

TEST_F(RegistryTest, StatesKeepTheirTimes) {
    ASSERT_OK(registry.addRun(exampleRun("r1", "one")));
    EXPECT_FALSE(registry.findRun("r1")->startedNs.has_value());
    ASSERT_OK(registry.setRunState("r1", RunState::Starting));
    const auto started = registry.findRun("r1")->startedNs;
    ASSERT_TRUE(started.has_value());
    ASSERT_OK(registry.setRunState("r1", RunState::Failed, "No space."));
    auto run = registry.findRun("r1");
    EXPECT_EQ(run->startedNs, started);
    EXPECT_GE(run->endedNs.value_or(0), *started);
    EXPECT_EQ(run->endReason, "No space.");
    ASSERT_OK(registry.queueRun("r1"));
    run = registry.findRun("r1");
    EXPECT_EQ(run->state, RunState::Queued);
    EXPECT_FALSE(run->endedNs.has_value());
    EXPECT_EQ(run->endReason, "");
    EXPECT_GT(run->queuePlace, 0);
    EXPECT_EQ(run->startedNs, started);
    EXPECT_EQ(registry.setRunState("r1", RunState::Lost).error().code, ErrorCode::Internal);
}

TEST_F(RegistryTest, LostIsDerivedFromTheLockOfALivingProcess) {
    ASSERT_OK(registry.addRun(exampleRun("r1", "one")));
    makeRunFolder("r1");
    for (const RunState state : {RunState::Running, RunState::Paused, RunState::Stopping}) {
        ASSERT_OK(registry.setRunState("r1", state));
        EXPECT_EQ(stateOf("r1"), "lost");
        EXPECT_THAT(registry.findRun("r1")->endReason, HasSubstr("without saying so"));
        ChildProcess engine([&] {
            static auto lock = FileLock::tryAcquire(workspace.runLock("r1"));
            return lock.ok();
        });
        ASSERT_TRUE(engine.ready());
        EXPECT_EQ(stateOf("r1"), runStateName(state));
        EXPECT_EQ((*registry.runs())[0].state, state);
        engine.kill();
        EXPECT_EQ(stateOf("r1"), "lost");
        EXPECT_EQ(test::ask(workspace.registryFile(), "SELECT state FROM runs"), runStateName(state)) << "lost is never stored";
    }
    for (const RunState state : {RunState::Draft, RunState::Queued, RunState::Finished, RunState::Stopped, RunState::Failed}) {
        ASSERT_OK(registry.setRunState("r1", state));
        EXPECT_EQ(stateOf("r1"), runStateName(state));
    }
}

TEST_F(RegistryTest, AStartingRunIsGivenTimeOrASupervisor) {
    ASSERT_OK(registry.addRun(exampleRun("r1", "one")));
    makeRunFolder("r1");
    ASSERT_TRUE(registry.takeNextQueuedRun("cpu")->has_value());
    EXPECT_EQ(stateOf("r1"), "starting") << "30 s have not passed";
    test::tamper(workspace.registryFile(), "UPDATE runs SET state_boot_ns = " + std::to_string(bootNs() - 31'000'000'000));
    EXPECT_EQ(stateOf("r1"), "lost");
    {
        ChildProcess supervisor([&] {
            static auto lock = FileLock::tryAcquire(workspace.deviceLock("cpu"));
            return lock.ok();
        });
        ASSERT_TRUE(supervisor.ready());
        EXPECT_EQ(stateOf("r1"), "starting");
    }
    {
        const auto lock = FileLock::tryAcquire(workspace.runLock("r1"));
        ASSERT_OK(lock);
        EXPECT_EQ(stateOf("r1"), "starting");
    }
    EXPECT_EQ(stateOf("r1"), "lost");
    // A state entered before the machine was started anew is old whatever the clock says.
    test::tamper(workspace.registryFile(), "UPDATE runs SET state_boot_ns = " + std::to_string(bootNs()) + ", state_boot_id = 'another boot'");
    EXPECT_EQ(stateOf("r1"), "lost");
}

TEST_F(RegistryTest, CommandsComeInOrderOnceAndCanBeWithdrawn) {
    ASSERT_OK(registry.addRun(exampleRun("r1", "one")));
    ASSERT_OK(registry.addRun(exampleRun("r2", "two")));
    const CommandRow first = exampleCommand("r1", "set");
    CommandRow second = exampleCommand("r1", "pause");
    second.atStep = 100;
    second.who = "window";
    second.payload = nullptr;
    const CommandRow third = exampleCommand("r1", "stop");
    for (const CommandRow& command : {first, second, third, exampleCommand("r2", "set")}) ASSERT_OK(registry.addCommand(command));
    ASSERT_OK(registry.addCommand(first));  // Sent twice is sent once.
    auto list = registry.commands("r1");
    ASSERT_OK(list);
    ASSERT_EQ(list->size(), 3u);
    EXPECT_EQ((*list)[0].uuid, first.uuid);
    EXPECT_EQ((*list)[0].payload, first.payload);
    EXPECT_FALSE((*list)[0].atStep.has_value());
    EXPECT_EQ((*list)[1].kind, "pause");
    EXPECT_EQ((*list)[1].atStep, 100);
    EXPECT_EQ((*list)[1].who, "window");
    EXPECT_TRUE((*list)[1].payload.is_null());
    EXPECT_EQ((*list)[1].createdNs, second.createdNs);
    EXPECT_LT((*list)[0].seq, (*list)[1].seq);
    EXPECT_EQ(registry.commands("r1", (*list)[1].seq)->size(), 1u);
    ASSERT_OK(registry.withdrawCommand(second.uuid));
    list = registry.commands("r1");
    ASSERT_EQ(list->size(), 2u);
    EXPECT_EQ((*list)[1].uuid, third.uuid);
    EXPECT_TRUE(registry.commands("nobody")->empty());
}

TEST_F(RegistryTest, CommandsAreOfLimitedSize) {
    ASSERT_OK(registry.addRun(exampleRun("r1", "one")));
    CommandRow command = exampleCommand("r1", "set");
    command.payload = Json{{"columns", std::string(5000, 'x')}};
    const auto refused = registry.addCommand(command);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().tag, "LIMIT");
    command.kind = "generate";
    EXPECT_OK(registry.addCommand(command));
    command.uuid = newUuid();
    command.payload = Json{{"columns", std::string(2 << 20, 'x')}};
    EXPECT_FALSE(registry.addCommand(command).ok());
}

TEST_F(RegistryTest, TextOfAnyKindIsTextAndNothingElse) {
    // Injection, markup, escapes and characters outside the basic plane come back byte for byte.
    for (const std::string name : {"'; DROP TABLE runs; --", "<script>alert(1)</script>", "\x1b[31mred", "\xf0\x9f\xa6\x84",
                                   "\xe2\x80\xae"
                                   "abc",
                                   "a\nb", "%s%n", "NULL"}) {
        const std::string id = newShortId();
        ASSERT_OK(registry.addRun(exampleRun(id, name)));
        EXPECT_EQ(registry.findRun(id)->name, name);
        EXPECT_EQ(registry.findRun(name)->id, id);
    }
}

TEST_F(RegistryTest, SettingsAreKept) {
    EXPECT_FALSE(registry.setting("language")->has_value());
    ASSERT_OK(registry.setSetting("language", "ja"));
    ASSERT_OK(registry.setSetting("language", "en"));
    EXPECT_EQ(*registry.setting("language"), "en");
}

TEST_F(RegistryTest, FiveHundredRunsAreListedFast) {
    RunRow run = exampleRun("first", "run");
    run.tags = {"a", "b"};
    ASSERT_OK(registry.addRun(run));
    RunSummary summary;
    summary.loss = 1;
    ASSERT_OK(registry.setRunSummary("first", summary));
    ASSERT_OK(registry.setRunState("first", RunState::Running));
    // Copies of one run, in one transaction: 500 transactions would take longer than what is measured.
    test::tamper(workspace.registryFile(),
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 499) "
                 "INSERT INTO runs SELECT NULL, 'run' || i, 'run ' || i, CASE WHEN i % 10 = 0 THEN 'running' ELSE 'finished' END, state_boot_id, "
                 "state_boot_ns, device, device_warning, model, "
                 "model_name, command_line, created_ns, started_ns, ended_ns, end_reason, parent, parent_step, sweep, tags, note, pinned, baseline, "
                 "trashed_ns, queue_place, restarts "
                 "FROM runs, n; INSERT INTO configs SELECT r.id, initial, current FROM configs, runs r WHERE r.id <> 'first';"
                 "INSERT INTO run_summaries SELECT r.id, step, total_steps, loss, loss_state, eval_loss, drift, tokens_per_second, phase, updated_ns "
                 "FROM run_summaries, runs r WHERE r.id <> 'first'");
    double best = 1e9;
    for (int repeat = 0; repeat < 3; ++repeat) {
        const Stopwatch watch;
        const Registry reader = openRegistry(Registry::Access::ReadOnly);
        const auto list = reader.runs();
        ASSERT_OK(list);
        ASSERT_EQ(list->size(), 500u);
        EXPECT_EQ((*list)[0].id, "run499");
        EXPECT_EQ((*list)[0].summary.loss, 1);
        EXPECT_EQ((*list)[0].unreadable, "");
        best = std::min(best, watch.elapsedMs());
    }
    RecordProperty("openAndListMs", std::to_string(best));
    std::printf("[ measured ] open and list 500 runs: %.1f ms\n", best);
}

TEST_F(RegistryTest, PinsRunsAndHasOneBaselineAtMost) {
    ASSERT_OK(registry.addRun(exampleRun("a", "one")));
    ASSERT_OK(registry.addRun(exampleRun("b", "two")));
    const auto marks = [&] {
        std::string text;
        const auto runs = registry.runs();
        EXPECT_OK(runs);
        for (const RunRow& run : *runs) text += run.id + (run.pinned ? "P" : "") + (run.baseline ? "B" : "") + ' ';
        return text;
    };
    ASSERT_OK(registry.setRunPinned("a", true));
    ASSERT_OK(registry.setRunBaseline("a", true));
    EXPECT_EQ(marks(), "b aPB ");
    ASSERT_OK(registry.setRunBaseline("b", true));
    ASSERT_OK(registry.setRunPinned("a", false));
    EXPECT_EQ(marks(), "bB a ");
    ASSERT_OK(registry.setRunBaseline("b", false));
    EXPECT_EQ(marks(), "b a ");
    EXPECT_EQ(registry.setRunBaseline("none", true).error().code, ErrorCode::NotFound);
    EXPECT_EQ(registry.setRunPinned("none", true).error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace mofo
