// The command line with the real engine on a tiny model: what goes on is the same bit for bit, and what is lost is told.
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>

#include "core/base/file.h"
#include "core/client/branch.h"
#include "core/client/crash_record.h"
#include "core/client/engine_process.h"
#include "tests/app/real_engine.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::CliResult;
using test::eventually;
using test::RealEngine;
using testing::AllOf;
using testing::HasSubstr;

TEST_F(RealEngine, ABranchWithoutChangesEndsAsItsParentDid) {
    const std::string parent = finished("parent");
    const CliResult same = cli({"branch", parent, "--at", "4", "--name", "same"});
    ASSERT_EQ(same.exitCode, 0) << same.err;
    EXPECT_EQ(weights(registry().findRun("same")->id), weights(parent));
    const CliResult other = cli({"branch", parent, "--at", "4", "--set", "alpha=0.05", "--name", "other"});
    ASSERT_EQ(other.exitCode, 0) << other.err;
    EXPECT_NE(weights(registry().findRun("other")->id), weights(parent));
    EXPECT_EQ(cli({"show", "other", "--json"}).json()["steps"][0]["step"], 5);
    EXPECT_THAT(events(registry().findRun("same")->id), testing::Contains(HasSubstr("goes on from its step 4")));
}

TEST_F(RealEngine, ATwinWithTheSameValuesWouldBeTheSameRun) {
    const std::string parent = finished("parent");
    // keep changes what lies on the disk and nothing that is computed.
    const CliResult made = cli({"twin", parent, "--set", "keep=9", "--name", "twin"});
    ASSERT_EQ(made.exitCode, 0) << made.err;
    EXPECT_EQ(weights(registry().findRun("twin")->id), weights(parent));
    const CliResult adamw = cli({"twin", parent, "--set", "optimizer=adamw"});
    ASSERT_EQ(adamw.exitCode, 0) << adamw.err;
    const Json a = cli({"show", parent, "--json"}).json(), b = cli({"show", "parent-adamw", "--json"}).json();
    ASSERT_EQ(a["steps"].size(), b["steps"].size());
    EXPECT_EQ(a["steps"][0]["loss"], b["steps"][0]["loss"]) << "the same rows, the same weights";
    EXPECT_EQ(a["steps"][11]["tokens"], b["steps"][11]["tokens"]) << "the same order";
    EXPECT_NE(a["steps"][11]["loss"], b["steps"][11]["loss"]);
}

TEST_F(RealEngine, UndoOfAFinishedRunTrainsTheSameStepsAgain) {
    const std::string id = finished("run");
    const std::string before = digest(id);
    ASSERT_EQ(cli({"undo", id, "--to", "4"}).exitCode, 0);
    const CliResult resumed = cli({"resume", id});
    ASSERT_EQ(resumed.exitCode, 0) << resumed.err;
    EXPECT_EQ(digest(id), before);
    const Json all = cli({"show", id, "--all", "--json"}).json();
    EXPECT_EQ(all["steps"].size(), 20u);
    EXPECT_EQ(cli({"show", id, "--json"}).json()["steps"].size(), 12u);
    ASSERT_EQ(cli({"undo", id, "--to", "0"}).exitCode, 0) << "the pretrained weights";
    ASSERT_EQ(cli({"resume", id}).exitCode, 0);
    EXPECT_EQ(digest(id), before);
}

TEST_F(RealEngine, UndoOfARunningRunIsAnswered) {
    const CliResult started = cli(train({"steps=100000", "checkpoint_every=4", "keep=100", "stats_every=1000", "--name", "long", "--detach"}));
    ASSERT_EQ(started.exitCode, 0) << started.err;
    const std::string id = started.out.substr(0, 12);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 9; }));
    const CliResult undone = cli({"undo", id, "--to", "4"});
    ASSERT_EQ(undone.exitCode, 0) << undone.err;
    EXPECT_EQ(undone.out, "back at step 4, step 5 is next\n");
    ASSERT_EQ(cli({"pause", id}).exitCode, 0);
    const CliResult refused = cli({"undo", id, "--to", "5"});
    EXPECT_EQ(refused.exitCode, 3);
    EXPECT_THAT(refused.err, HasSubstr("There are: 4"));
    const auto dance = sendCommand(registry(), *registry().findRun(id), "dance", Json::object(), std::nullopt, "cli");
    ASSERT_OK(dance);
    const auto answer = awaitAcknowledgement(workspace(), id, *dance, 10);
    ASSERT_OK(answer);
    EXPECT_FALSE(answer->accepted);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(cli({"checkpoint", id}).exitCode, 0) << "twice is once";
    EXPECT_EQ(cli({"evaluate", id}).exitCode, 1) << "nothing to evaluate on, and said so";
    EXPECT_EQ(stateOf(id), RunState::Paused);
    EXPECT_EQ(cli({"stop", id}).exitCode, 0);
}

TEST_F(RealEngine, OtherMicroBatchesGoOnAsAMarkedBranch) {
    const CliResult started = cli(train({"steps=12", "checkpoint_every=4", "keep=10", "--name", "run"}));
    ASSERT_EQ(started.exitCode, 0) << started.err;
    const std::string id = started.out.substr(0, 12);
    ASSERT_EQ(cli({"undo", id, "--to", "8"}).exitCode, 0);
    EXPECT_EQ(cli({"withdraw", id}).exitCode, 0);
    const CliResult made = cli({"resume", id, "--set", "micro_batch=1", "steps=16", "--as-branch"});
    ASSERT_EQ(made.exitCode, 0) << made.err;
    const std::string branch = made.out.substr(0, 12);
    const Json shown = cli({"show", branch, "--json"}).json();
    EXPECT_EQ(shown["parent"], id);
    EXPECT_EQ(shown["parent_step"], 12);
    EXPECT_THAT(shown["not_exact"].get<std::string>(), HasSubstr("micro"));
    EXPECT_THAT(events(branch), testing::Contains(HasSubstr("not bit-exact")));
    EXPECT_EQ(shown["steps"].size(), 4u);
}

TEST_F(RealEngine, ChangedDataIsAnExplicitChoice) {
    const std::string id = finished("run");
    ASSERT_EQ(cli({"undo", id, "--to", "8"}).exitCode, 0);
    test::writeFile(data(), test::readFile(data()) + R"({"question": "What is 9 + 1?", "answer": "10"})" + "\n");
    const CliResult refused = cli({"resume", id});
    EXPECT_EQ(refused.exitCode, 1);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("training data"), HasSubstr("--as-branch")));
    EXPECT_EQ(stateOf(id), RunState::Stopped) << "nothing of it was touched";
    const CliResult made = cli({"resume", id, "--set", "steps=14", "--as-branch"});
    ASSERT_EQ(made.exitCode, 0) << made.err;
    EXPECT_THAT(cli({"show", made.out.substr(0, 12)}).out, AllOf(HasSubstr("not bit-exact"), HasSubstr("training data")));
}

TEST_F(RealEngine, ADeviceFaultEndsTheEngineAtOnceAndTheRunGoesOn) {
    const std::string clean = finished("clean");
    m_environment.set("MOFO_FAILPOINTS", "device.fault=EIO@10");
    const CliResult done = cli(train({"steps=12", "checkpoint_every=4", "keep=10", "--name", "faulty", "--foreground"}));
    ASSERT_EQ(done.exitCode, 0) << done.err;
    const std::string id = done.out.substr(0, 12);
    EXPECT_EQ(registry().findRun(id)->restarts, 1);
    EXPECT_EQ(weights(id), weights(clean)) << "as if nothing had been";
    const auto crash = readCrashRecord(workspace(), id);
    ASSERT_OK(crash);
    EXPECT_EQ((*crash)["exit_code"], 70);
    EXPECT_THAT((*crash)["device_fault"].get<std::string>(), HasSubstr("illegal memory access"));
    EXPECT_THAT(events(id), testing::Contains(HasSubstr("restart 1 after the device failed")));
    const Json steps = cli({"show", id, "--json"}).json()["steps"];
    ASSERT_EQ(steps.size(), 12u);
    for (std::size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i]["step"], i + 1);
    EXPECT_EQ(cli({"verify", id}).exitCode, 0);
}

TEST_F(RealEngine, ADeviceThatFailsAgainAndAgainEndsTheRun) {
    m_environment.set("MOFO_FAILPOINTS", "device.fault=EIO@2");
    const auto run = start({{"steps", "12"}, {"batch", "2"}}, false);
    ASSERT_OK(run);
    SupervisorOptions options;
    options.restartDelaySeconds = {0.01, 0.01, 0.01};
    options.idleSeconds = 0.1;
    ASSERT_OK(supervise(workspace(), options));
    EXPECT_EQ(stateOf(run->id), RunState::Failed);
    EXPECT_EQ(registry().findRun(run->id)->restarts, 3);
    EXPECT_THAT(registry().findRun(run->id)->endReason, AllOf(HasSubstr("failed 4 times"), HasSubstr("illegal memory access")));
    EXPECT_FALSE(fs::exists(workspace().checkpointsFolder(run->id) / "step-00000001")) << "nothing is saved from a dead context";
}

TEST_F(RealEngine, OfSeveralEnginesExactlyOneTrains) {
    const auto run = start({{"steps", "100000"}, {"batch", "2"}, {"stats_every", "1000"}}, false);
    ASSERT_OK(run);
    std::vector<pid_t> engines;
    for (int i = 0; i < 4; ++i) {
        SpawnOptions spawn;
        spawn.program = test::binFolder() / "mofo-engine";
        spawn.arguments = {"--workspace", workspace().folder().string(), "--run", run->id};
        spawn.logFile = workspace().runFolder(run->id) / "engine.log";
        const auto pid = spawnProcess(spawn);
        ASSERT_OK(pid);
        engines.push_back(*pid);
    }
    int losers = 0;
    ASSERT_TRUE(eventually([&] {
        for (pid_t& pid : engines) {
            int status = 0;
            if (pid <= 0 || waitpid(pid, &status, WNOHANG) != pid) continue;
            EXPECT_EQ(WEXITSTATUS(status), 1);
            ++losers;
            pid = -1;
        }
        return losers == 3;
    }));
    ASSERT_TRUE(eventually([&] { return stepOf(run->id) > 3; }));
    EXPECT_EQ(stateOf(run->id), RunState::Running) << "the losers say nothing about the run";
    const pid_t winner = *std::find_if(engines.begin(), engines.end(), [](pid_t pid) { return pid > 0; });
    EXPECT_EQ(engineOf(run->id), winner);
    kill(winner, SIGTERM);
    int status = 0;
    waitpid(winner, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0) << "SIGTERM is stop and save";
    EXPECT_EQ(stateOf(run->id), RunState::Stopped);
    EXPECT_EQ(resumableCheckpoints(workspace(), run->id)->back().step, stepOf(run->id));
}

TEST_F(RealEngine, RetentionLeavesPinsAndWhatABranchStartsFrom) {
    const CliResult started = cli(train({"steps=100000", "checkpoint_every=4", "keep=2", "stats_every=100000", "--name", "parent", "--detach"}));
    ASSERT_EQ(started.exitCode, 0) << started.err;
    const std::string id = started.out.substr(0, 12);
    const auto has = [&](std::int64_t step) {
        const auto rows = resumableCheckpoints(workspace(), id);
        return rows.ok() && std::any_of(rows->begin(), rows->end(), [&](const CheckpointRow& row) { return row.step == step; });
    };
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 20; }));
    ASSERT_EQ(cli({"pause", id}).exitCode, 0);
    const auto rows = resumableCheckpoints(workspace(), id);
    ASSERT_OK(rows);
    const std::int64_t newest = rows->back().step, before = rows->at(rows->size() - 2).step;
    ASSERT_GT(before, 4);
    ASSERT_EQ(cli({"pin", id + "@" + std::to_string(before)}).exitCode, 0);
    const CliResult branch =
        cli({"branch", id, "--at", std::to_string(newest), "--set", "steps=" + std::to_string(newest + 2), "--detach", "--name", "waiting"});
    ASSERT_EQ(branch.exitCode, 0) << branch.err;
    ASSERT_EQ(cli({"resume", id, "--detach"}).exitCode, 0);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > newest + 30; }));
    EXPECT_TRUE(has(before)) << "pinned";
    EXPECT_TRUE(has(newest)) << "a branch starts from it";
    EXPECT_EQ(stateOf(registry().findRun("waiting")->id), RunState::Queued);
    ASSERT_EQ(cli({"stop", id}).exitCode, 0);
    EXPECT_TRUE(reaches(registry().findRun("waiting")->id, RunState::Finished)) << registry().findRun("waiting")->endReason;
}

}  // namespace
}  // namespace mofo
