// branch, twin, undo, evaluate, pin, verify, resume --as-branch, and what runs and show tell of lost and stalled ones.
#include <signal.h>

#include <filesystem>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/client/branch.h"
#include "tests/app/cli_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::CliProcess;
using test::CliResult;
using test::eventually;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CliBranch : public test::CliTest {
protected:
    std::string finished() { return trainToEnd({"steps=20", "checkpoint_every=5", "--name", "parent"}); }
    static std::string idIn(const CliResult& result) { return result.out.substr(0, result.out.find('\n')); }
};

TEST_F(CliBranch, ABranchPrintsItsIdAndIsFollowed) {
    const std::string parent = finished();
    const CliResult made = cli({"branch", "parent", "--at", "10", "--set", "alpha=0.05", "lr=1e-5", "--name", "gentle"});
    ASSERT_EQ(made.exitCode, 0) << made.err;
    EXPECT_EQ(made.out.size(), 13u) << made.out;
    EXPECT_THAT(made.err, AllOf(HasSubstr("after step 10 of parent"), HasSubstr("finished after 20 steps")));
    const Json shown = cli({"show", "gentle", "--json"}).json();
    EXPECT_EQ(shown["parent"], parent);
    EXPECT_EQ(shown["parent_step"], 10);
    EXPECT_EQ(shown["not_exact"], nullptr);
    EXPECT_EQ(shown["steps"][0]["step"], 11);
    EXPECT_EQ(shown["config"]["alpha"], "0.05");
    EXPECT_THAT(cli({"show", "gentle"}).out, HasSubstr("parent (" + parent + "), after its step 10"));
    for (const char* at : {"last", "0"}) EXPECT_EQ(cli({"branch", "parent", "--at", at, "--set", "steps=21", "--detach"}).exitCode, 0) << at;
}

TEST_F(CliBranch, RefusalsNameWhatThereIs) {
    finished();
    const CliResult missing = cli({"branch", "parent", "--at", "7"});
    EXPECT_EQ(missing.exitCode, 3);
    EXPECT_THAT(missing.err, HasSubstr("There are: 5, 10, 15, 20"));
    EXPECT_EQ(missing.out, "");
    EXPECT_EQ(cli({"branch", "parent"}).exitCode, 2) << "--at is needed";
    EXPECT_EQ(cli({"branch", "parent", "--at", "x"}).exitCode, 2);
    EXPECT_EQ(cli({"branch", "parent", "--at", "10", "--set", "alhpa=1"}).exitCode, 2);
    EXPECT_EQ(cli({"branch", "nobody", "--at", "10"}).exitCode, 3);
    EXPECT_EQ(cli({"branch", "parent", "--at", "20"}).exitCode, 1) << "nothing left to train";
    EXPECT_EQ(cli({"undo", "parent", "--to", "7"}).exitCode, 3);
    EXPECT_THAT(cli({"undo", "parent", "--to", "7"}).err, HasSubstr("5, 10, 15, 20"));
    EXPECT_EQ(cli({"twin", "parent", "--set", "alpha=0.15"}).exitCode, 2);
    EXPECT_EQ(cli({"twin", "parent"}).exitCode, 2);
    EXPECT_EQ(registry().runs(true)->size(), 1u) << "a refusal leaves no run behind";
}

TEST_F(CliBranch, ATwinSaysWhatCannotBeCompared) {
    finished();
    const CliResult made = cli({"twin", "parent", "--set", "optimizer=adamw", "--detach"});
    ASSERT_EQ(made.exitCode, 0) << made.err;
    EXPECT_THAT(made.err, Not(HasSubstr("warning")));
    const Json shown = cli({"show", idIn(made), "--json"}).json();
    EXPECT_EQ(shown["name"], "parent-adamw");
    EXPECT_EQ(shown["parent_step"], 0);
    EXPECT_THAT(cli({"show", idIn(made)}).out, HasSubstr("from the same pretrained weights"));
    EXPECT_THAT(cli({"twin", "parent", "--set", "batch=2", "--detach"}).err, AllOf(HasSubstr("warning"), HasSubstr("batch 16 -> 2")));
}

TEST_F(CliBranch, UndoOfALiveRunWaitsForTheAnswer) {
    const std::string id = startLong("long");
    EXPECT_EQ(cli({"checkpoint", id}).exitCode, 0);
    const std::int64_t saved = registry().findRun(id) ? resumableCheckpoints(workspace(), id)->back().step : 0;
    ASSERT_TRUE(eventually([&] { return stepOf(id) > saved + 5; }));
    EXPECT_THAT(cli({"pause", id}).out, HasSubstr("paused"));
    const CliResult undone = cli({"undo", id, "--to", "last"});
    ASSERT_EQ(undone.exitCode, 0) << undone.err;
    EXPECT_EQ(undone.out, "back at step " + std::to_string(saved) + ", step " + std::to_string(saved + 1) + " is next\n");
    EXPECT_EQ(cli({"show", id, "--json"}).json()["steps"].back()["step"], saved);
    const Json all = cli({"show", id, "--json", "--all"}).json();
    EXPECT_GT(all["steps"].back()["step"], saved);
    EXPECT_EQ(all["steps"].back()["superseded"], true);
    const Json again = cli({"undo", id, "--to", std::to_string(saved), "--json"}).json();
    EXPECT_EQ(again["accepted"], true);
    EXPECT_EQ(again["to"], saved);
    EXPECT_EQ(cli({"undo", id, "--to", std::to_string(saved + 3)}).exitCode, 3);
    EXPECT_EQ(cli({"stop", id}).exitCode, 0);
}

TEST_F(CliBranch, UndoOfAnEndedRunSaysHowToGoOn) {
    const std::string id = finished();
    EXPECT_THAT(cli({"resume", id}).err, HasSubstr("finished already"));
    const CliResult noted = cli({"undo", id, "--to", "10"});
    ASSERT_EQ(noted.exitCode, 0) << noted.err;
    EXPECT_THAT(noted.out, HasSubstr("mofo resume " + id));
    EXPECT_THAT(cli({"show", id}).out, HasSubstr("undo {\"to\":10}"));
    EXPECT_EQ(cli({"withdraw", id}).exitCode, 0);
    EXPECT_THAT(cli({"resume", id}).err, HasSubstr("finished already"));
    EXPECT_EQ(cli({"undo", id, "--to", "10"}).exitCode, 0);
    const CliResult resumed = cli({"resume", id});
    EXPECT_EQ(resumed.exitCode, 0) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr("finished after 20 steps"));
    EXPECT_EQ(cli({"show", id, "--all", "--json"}).json()["steps"].size(), 30u);
}

TEST_F(CliBranch, ResumeWithOtherValuesIsAnExplicitChoice) {
    const std::string id = startLong("long");
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 2; }));
    EXPECT_EQ(cli({"resume", id, "--as-branch"}).exitCode, 1) << "a live run goes on by itself";
    EXPECT_EQ(cli({"stop", id}).exitCode, 0);
    const CliResult refused = cli({"resume", id, "--set", "micro_batch=2"});
    EXPECT_EQ(refused.exitCode, 2);
    EXPECT_THAT(refused.err, HasSubstr("--as-branch"));
    EXPECT_EQ(registry().runs()->size(), 1u);
    const CliResult made = cli({"resume", id, "--set", "micro_batch=2", "--as-branch", "--detach"});
    ASSERT_EQ(made.exitCode, 0) << made.err;
    EXPECT_THAT(made.err, HasSubstr("not bit-exact: micro_batch 0 -> 2"));
    EXPECT_NE(idIn(made), id);
    EXPECT_EQ(cli({"runs", "--json"}).json()[0]["not_exact"], "micro_batch 0 -> 2");
    EXPECT_THAT(cli({"runs"}).out, HasSubstr("(not bit-exact)"));
    EXPECT_THAT(cli({"show", idIn(made)}).out, HasSubstr("not bit-exact: micro_batch 0 -> 2"));
}

TEST_F(CliBranch, EvaluateAnswersWithTheLoss) {
    CliProcess process(
        {"train", "--model", model().string(), "--data", data().string(), "--set", "steps=100000", "device=cpu", "eval_split=0.5", "--name", "held"});
    ASSERT_TRUE(eventually([&] { return process.out().size() == 13; })) << process.err();
    const std::string id = process.out().substr(0, 12);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 2; }));
    const CliResult measured = cli({"evaluate", id});
    ASSERT_EQ(measured.exitCode, 0) << measured.err;
    EXPECT_THAT(measured.out, testing::MatchesRegex("held-out loss [0-9.]+ over 800 tokens at step [0-9]+\n"));
    EXPECT_TRUE(cli({"evaluate", id, "--json"}).json()["loss"].is_number());
    EXPECT_EQ(cli({"stop", id}).exitCode, 0);
    process.finish();
    EXPECT_EQ(cli({"evaluate", id}).exitCode, 1) << "a run that has ended takes no commands";
    EXPECT_EQ(cli({"checkpoint", id}).exitCode, 1);
    EXPECT_EQ(cli({"pause", id}).exitCode, 1);
    const std::string other = startLong("other");
    const CliResult refused = cli({"evaluate", other});
    EXPECT_EQ(refused.exitCode, 1);
    EXPECT_THAT(refused.err, HasSubstr("no rows to evaluate on"));
}

TEST_F(CliBranch, CommandsToAQueuedRunWaitForItsStart) {
    startLong("busy");
    const CliResult queued =
        cli({"train", "--model", model().string(), "--data", data().string(), "--set", "device=cpu", "steps=5", "--detach", "--name", "next"});
    ASSERT_EQ(queued.exitCode, 0);
    for (const char* command : {"checkpoint", "evaluate"}) EXPECT_EQ(cli({command, "next"}).exitCode, 0) << command;
    EXPECT_THAT(cli({"resume", "next"}).err, HasSubstr("queued already"));
    EXPECT_EQ(pendingCommands(workspace(), registry(), registry().findRun("next")->id)->size(), 2u);
    const CliResult queue = cli({"queue"});
    EXPECT_THAT(queue.out, AllOf(HasSubstr("busy"), HasSubstr("running"), HasSubstr("next"), HasSubstr("queued")));
    EXPECT_EQ(cli({"queue", "--json"}).json()[1]["position"], 1);
    EXPECT_EQ(cli({"stop", "busy"}).exitCode, 0);
    EXPECT_TRUE(reaches(registry().findRun("next")->id, RunState::Finished)) << "what cannot be done is answered and harms nobody";
}

TEST_F(CliBranch, PinsStayAndVerifyReads) {
    const std::string id = finished();
    EXPECT_EQ(cli({"pin", id + "@10"}).out, "pinned step 10 of parent\n");
    EXPECT_THAT(cli({"pin", id + "@10"}).err, HasSubstr("pinned already"));
    EXPECT_EQ(cli({"pin", id}).out, "pinned step 20 of parent\n");
    EXPECT_THAT(cli({"show", id}).out, HasSubstr("pinned"));
    EXPECT_EQ(cli({"unpin", id + "@20"}).exitCode, 0);
    EXPECT_EQ(cli({"unpin", id + "@15"}).exitCode, 0) << "not pinned: said, and harmless";
    EXPECT_EQ(cli({"pin", id + "@7"}).exitCode, 3);
    const Json checkpoints = cli({"show", id, "--json"}).json()["checkpoints"];
    EXPECT_EQ(checkpoints[1]["pinned"], true);
    EXPECT_EQ(checkpoints[3]["pinned"], false);

    EXPECT_THAT(cli({"verify", id}).out, AllOf(HasSubstr("step-00000005  as written"), HasSubstr("step-00000020  as written")));
    const fs::path file = workspace().checkpointsFolder(id) / "step-00000010" / "model.safetensors";
    std::string bytes = test::readFile(file);
    bytes[5] = static_cast<char>(bytes[5] ^ 4);
    test::writeFile(file, bytes);
    const CliResult damaged = cli({"verify", id + "@10"});
    EXPECT_EQ(damaged.exitCode, 1);
    EXPECT_THAT(damaged.err, HasSubstr("model.safetensors"));
    EXPECT_EQ(cli({"verify", id + "@15"}).exitCode, 0);
    const Json all = cli({"verify", id, "--json"}).json();
    EXPECT_EQ(all.size(), 4u);
    EXPECT_EQ(all[1]["ok"], false);
    EXPECT_EQ(all[1]["known"], true);
    EXPECT_EQ(cli({"verify", id + "@7"}).exitCode, 3);
}

TEST_F(CliBranch, WhatVerifyFoundDamagedCountsNoMore) {
    const std::string id = finished();
    const auto flip = [&](const char* folder) {
        const fs::path file = workspace().checkpointsFolder(id) / folder / "model.safetensors";
        std::string bytes = test::readFile(file);
        bytes[5] = static_cast<char>(bytes[5] ^ 4);
        test::writeFile(file, bytes);
    };
    flip("step-00000020");
    const std::string log = test::readFile(workspace().runLock(id));
    const CliResult damaged = cli({"verify", id});
    EXPECT_EQ(damaged.exitCode, 1);
    EXPECT_THAT(damaged.out, HasSubstr("step-00000020  damaged\n"));
    EXPECT_THAT(damaged.err, AllOf(HasSubstr("SHA-256 differs"), HasSubstr("step 20 counts no more")));
    EXPECT_EQ(test::readFile(workspace().runLock(id)), log) << "the lock tells of the engine still";
    const Json shown = cli({"show", id, "--json"}).json();
    EXPECT_EQ(shown["state"], "finished");
    EXPECT_EQ(shown["checkpoints"].size(), 3u);
    ASSERT_EQ(shown["damaged_checkpoints"].size(), 1u);
    EXPECT_EQ(shown["damaged_checkpoints"][0]["step"], 20);
    EXPECT_THAT(cli({"show", id}).out, HasSubstr("damaged     step 20: "));
    const CliResult exported = cli({"export", id, (m_folder / "newest").string()});
    EXPECT_EQ(exported.exitCode, 0) << exported.err;
    EXPECT_THAT(exported.err, HasSubstr("step 15 of parent"));
    const CliResult refused = cli({"export", id + "@20", (m_folder / "damaged").string()});
    EXPECT_EQ(refused.exitCode, 3);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("the checkpoint of step 20 is damaged"), HasSubstr("There are: 5, 10, 15")));
    EXPECT_THAT(cli({"branch", id, "--at", "20", "--set", "steps=30"}).err, HasSubstr("There are: 5, 10, 15"));
    EXPECT_EQ(resumableCheckpoints(workspace(), id)->size(), 3u);
    EXPECT_EQ(registry().commands(id)->size(), 0u) << "no engine is needed for that";
    const CliResult again = cli({"verify", id});
    EXPECT_EQ(again.exitCode, 1) << "it is damaged still";
    EXPECT_THAT(again.out, HasSubstr("step-00000020  damaged, as is known"));
    flip("step-00000020");
    const CliResult whole = cli({"verify", id + "@20"});
    EXPECT_EQ(whole.exitCode, 0);
    EXPECT_THAT(whole.out, HasSubstr("counts again from the run's next start on"));

    fs::remove_all(workspace().checkpointsFolder(id) / "step-00000010");
    const CliResult gone = cli({"export", id + "@10", (m_folder / "gone").string()});
    EXPECT_EQ(gone.exitCode, 3);
    EXPECT_THAT(gone.err, AllOf(HasSubstr("step 10 is not on the disk any more"), HasSubstr("There are: 5, 15")));
    EXPECT_EQ(gone.out, "");
    for (const char* folder : {"step-00000005", "step-00000015"}) flip(folder);
    EXPECT_EQ(cli({"verify", id}).exitCode, 1);
    const CliResult none = cli({"export", id, (m_folder / "none").string()});
    EXPECT_EQ(none.exitCode, 3);
    EXPECT_THAT(none.err, AllOf(HasSubstr("is damaged, and no other can be used either"), HasSubstr("--at 0")));
    EXPECT_LE(none.errorLines(), 4);
}

TEST_F(CliBranch, TheEngineMarksWhatWasFoundDamagedWhileItTrains) {
    const std::string id = startLong("long");
    ASSERT_EQ(cli({"checkpoint", id}).exitCode, 0);
    ASSERT_EQ(cli({"checkpoint", id}).exitCode, 0);
    const std::vector<CheckpointRow> rows = resumableCheckpoints(workspace(), id).value();
    ASSERT_EQ(rows.size(), 2u);
    test::writeFile(workspace().checkpointsFolder(id) / rows[1].folder / "model.safetensors", "damaged");
    const std::int64_t engine = engineOf(id);
    const CliResult damaged = cli({"verify", id});
    EXPECT_EQ(damaged.exitCode, 1);
    EXPECT_THAT(damaged.err, HasSubstr("counts no more"));
    EXPECT_EQ(engineOf(id), engine);
    const auto left = resumableCheckpoints(workspace(), id);
    ASSERT_OK(left);
    ASSERT_EQ(left->size(), 1u);
    EXPECT_EQ(left->front().step, rows[0].step);
    EXPECT_EQ(registry().commands(id)->back().kind, "verify") << "a run's metrics are its engine's to write";
    EXPECT_EQ(cli({"stop", id}).exitCode, 0);
}

TEST_F(CliBranch, UndosAndChangesThatWaitAgree) {
    const std::string id = finished();
    ASSERT_EQ(cli({"undo", id, "--to", "10"}).exitCode, 0);
    EXPECT_THAT(cli({"undo", id, "--to", "10"}).out, HasSubstr(", as was asked before (it is finished)"));
    const CliResult noted = cli({"set", id, "alpha=0.05", "--at-step", "13"});
    EXPECT_EQ(noted.exitCode, 0) << noted.err;
    EXPECT_EQ(noted.out, "alpha 0.05 is noted for step 13\n");
    const CliResult early = cli({"set", id, "alpha=0.05", "--at-step", "10"});
    EXPECT_EQ(early.exitCode, 1);
    EXPECT_THAT(early.err, HasSubstr("not above the step that it goes back to, 10"));
    EXPECT_THAT(cli({"set", id, "lr=1e-5"}).out, HasSubstr("the first step after step 10"));
    const CliResult replaced = cli({"undo", id, "--to", "5"});
    EXPECT_EQ(replaced.exitCode, 0);
    EXPECT_THAT(replaced.out, HasSubstr("step 5 is where the run goes on when it is started, instead of step 10"));
    EXPECT_THAT(replaced.err, AllOf(HasSubstr("still to come: alpha 0.05 at step 13"), HasSubstr("still to come: lr 1e-05")));
    const CliResult resumed = cli({"resume", id});
    ASSERT_EQ(resumed.exitCode, 0) << resumed.err;
    const Json shown = cli({"show", id, "--json"}).json();
    ASSERT_EQ(shown["steps"].size(), 20u);
    for (const Json& step : shown["steps"]) {
        EXPECT_DOUBLE_EQ(step["alpha"].get<double>(), step["step"] >= 13 ? 0.05 : 0.15) << step["step"];
        EXPECT_DOUBLE_EQ(step["lr"].get<double>(), step["step"] >= 6 ? 1e-5 : 2e-5) << step["step"];
    }
    EXPECT_EQ(cli({"show", id, "--all", "--json"}).json()["steps"].size(), 35u) << "one way back, not two";
    EXPECT_EQ(cli({"set", id, "alpha=0.2"}).exitCode, 1) << "it has ended, and nothing waits";

    ASSERT_EQ(cli({"undo", id, "--to", "5"}).exitCode, 0);
    ASSERT_EQ(cli({"set", id, "alpha=0.3", "--at-step", "8"}).exitCode, 0);
    const CliResult later = cli({"undo", id, "--to", "15"});
    EXPECT_THAT(later.err, HasSubstr("withdrawn, since step 8 is not above step 15: alpha 0.3 at step 8"));
    EXPECT_EQ(pendingCommands(workspace(), registry(), id)->size(), 1u);
    EXPECT_EQ(cli({"withdraw", id}).out, "undo to step 15 is withdrawn\n");
}

TEST_F(CliBranch, LostRunsAreOffered) {
    const std::string id = startLong("long");
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 2; }));
    kill(static_cast<pid_t>(engineOf(id)), SIGKILL);
    ASSERT_TRUE(reaches(id, RunState::Lost));
    EXPECT_THAT(cli({"runs"}).err, HasSubstr("mofo resume " + id));
    EXPECT_EQ(cli({"runs", "--json"}).err, "");
    EXPECT_THAT(cli({"show", id}).out, HasSubstr("mofo resume " + id));
    EXPECT_EQ(cli({"resume", id, "--detach"}).exitCode, 0);
    EXPECT_TRUE(reaches(id, RunState::Running));
}

TEST_F(CliBranch, AStalledEngineIsShown) {
    const auto run = start({}, false, "silent");
    ASSERT_OK(run);
    ASSERT_OK(registry().setRunState(run->id, RunState::Running));
    auto lock = FileLock::tryAcquire(workspace().runLock(run->id));
    ASSERT_OK(lock);
    auto writer = MetricsWriter::open(workspace().metricsFile(run->id), run->id);
    ASSERT_OK(writer);
    const auto beat = [&](double secondsAgo, const std::string& boot) {
        MetricsBatch batch;
        batch.status = StatusRow{"train", 0.5, "", 3, 20, bootNs() - static_cast<std::int64_t>(secondsAgo * 1e9), boot, 5};
        ASSERT_OK(writer->write(batch));
    };
    beat(10, bootId());
    EXPECT_EQ(cli({"runs", "--json"}).json()[0]["stalled_seconds"], nullptr);
    beat(45, bootId());
    EXPECT_GE(cli({"runs", "--json"}).json()[0]["stalled_seconds"].get<double>(), 45);
    EXPECT_EQ(cli({"runs", "--json"}).json()[0]["state"], "running") << "it holds its lock";
    EXPECT_THAT(cli({"runs"}).out, HasSubstr("stalled"));
    const Json shown = cli({"show", "silent", "--json"}).json();
    EXPECT_EQ(shown["state"], "running");
    EXPECT_EQ(shown["stalled"], true);
    EXPECT_THAT(cli({"show", "silent"}).out,
                AllOf(HasSubstr(run->id + "  stalled (running)"), HasSubstr("no sign for"), HasSubstr("nobody ends it")));
    ASSERT_EQ(cli({"train", "--model", model().string(), "--data", data().string(), "--set", "device=cpu", "--detach", "--name", "next"}).exitCode,
              0);
    const CliResult queue = cli({"queue"});
    EXPECT_THAT(queue.out, HasSubstr("stalled"));
    EXPECT_THAT(queue.err, AllOf(HasSubstr("1 run waits, because silent"), HasSubstr("has given no sign for"), HasSubstr("mofo show " + run->id)));
    EXPECT_EQ(cli({"queue", "--json"}).json()[0]["stalled"], true);
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"set", "silent", "alpha=0.05"}, {"stop", "silent"}, {"pause", "silent"}}) {
        CliProcess waiting(command);
        EXPECT_TRUE(eventually([&] { return waiting.err().find("stalled: the engine has given no sign for") != std::string::npos; }, 5))
            << command[0];
        waiting.signal(SIGINT);
        EXPECT_EQ(waiting.finish().exitCode, 130);
    }
    CliProcess follower({"follow", "silent"});
    EXPECT_TRUE(eventually([&] { return follower.err().find("stalled: no sign of the engine for") != std::string::npos; }, 8)) << follower.err();
    follower.signal(SIGINT);
    follower.finish();
    EXPECT_EQ(cli({"stop", "next"}).exitCode, 0);
    beat(45, "another boot");
    EXPECT_EQ(cli({"show", "silent", "--json"}).json()["stalled_seconds"], nullptr);
    EXPECT_EQ(cli({"show", "silent", "--json"}).json()["stalled"], false);
    ASSERT_OK(registry().setRunState(run->id, RunState::Stopped));
}

}  // namespace
}  // namespace mofo
