// train, runs, show, follow, set, pause, resume, stop and what is left of a run when its client goes.
#include <signal.h>

#include <thread>

#include "core/base/ids.h"
#include "tests/app/cli_support.h"

namespace mofo {
namespace {

using test::CliProcess;
using test::CliResult;
using test::eventually;
using testing::HasSubstr;

class CliRuns : public test::CliTest {
protected:
    std::vector<std::string> train(const std::vector<std::string>& more) {
        std::vector<std::string> arguments = {"train", "--model", model().string(), "--data", data().string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }
    std::string idOf(CliProcess& process) {
        EXPECT_TRUE(eventually([&] { return process.out().find('\n') != std::string::npos; })) << process.err();
        return process.out().substr(0, process.out().find('\n'));
    }
};

TEST_F(CliRuns, TrainPrintsTheIdAloneAndFollowsOnStderr) {
    const CliResult done = cli(train({"--name", "first", "--set", "steps=5", "device=cpu"}));
    ASSERT_EQ(done.exitCode, 0) << done.err;
    ASSERT_EQ(done.out.size(), 13u) << done.out;
    const std::string id = done.out.substr(0, 12);
    EXPECT_THAT(done.err, testing::AllOf(HasSubstr("step 5/5"), HasSubstr("loss"), HasSubstr("tok/s"), HasSubstr("moved"),
                                         HasSubstr("finished after 5 steps"), HasSubstr("mofo show " + id)));
    EXPECT_EQ(done.err.find('\x1b'), std::string::npos) << "no control sequences where nobody looks";
    const Json runs = cli({"runs", "--json"}).json();
    ASSERT_EQ(runs.size(), 1u);
    EXPECT_EQ(runs[0]["id"], id);
    EXPECT_EQ(runs[0]["name"], "first");
    EXPECT_EQ(runs[0]["state"], "finished");
    EXPECT_EQ(runs[0]["step"], 5);
}

TEST_F(CliRuns, TrainGivesTheRunsVerdictAsExitCode) {
    m_environment.set("MOFO_FAKE_FAULT", "failed:3");
    const CliResult failed = cli(train({"--set", "steps=5", "device=cpu"}));
    EXPECT_EQ(failed.exitCode, 1);
    EXPECT_THAT(failed.err, HasSubstr("the loss was not finite"));
    EXPECT_EQ(failed.out.size(), 13u);
}

TEST_F(CliRuns, ShowJsonHasTheContractsShape) {
    const std::string id = startLong("shown");
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 2; }));
    Json live = cli({"show", id, "--json"}).json();
    EXPECT_EQ(live["state"], "running");
    EXPECT_EQ(live["engine_pid"], engineOf(id));
    ASSERT_GE(live["steps"].size(), 2u);
    const Json& step = live["steps"][1];
    EXPECT_EQ(step["step"], 2);
    for (const char* key : {"loss", "grad_norm", "tokens", "lr", "alpha"}) EXPECT_TRUE(step[key].is_number()) << key;
    const Json& tensor = live["tensors"]["model.layers.0.self_attn.q_proj.weight"];
    ASSERT_TRUE(tensor.is_object());  // the contract names these five; others may stand beside them
    for (const char* key : {"l2", "pretrained_l2", "moved", "size", "selected_last_step"}) EXPECT_TRUE(tensor[key].is_number()) << key;
    EXPECT_EQ(tensor["size"], 331776);
    EXPECT_EQ(cli({"stop", "shown"}).exitCode, 0);
    EXPECT_EQ(cli({"show", id, "--json"}).json()["engine_pid"], nullptr);
    const std::string text = cli({"show", "shown"}).out;
    EXPECT_THAT(
        text, testing::AllOf(HasSubstr("stopped"), HasSubstr("layer 0"), HasSubstr("SELECTED"), HasSubstr("DRIFT"), HasSubstr("mofo resume " + id)));
}

TEST_F(CliRuns, AQueuedRunShowsEmptyMeasures) {
    const std::string id = startLong();
    const CliResult queued = cli(train({"--set", "device=cpu", "steps=3", "--detach", "--name", "next"}));
    ASSERT_EQ(queued.exitCode, 0);
    const Json json = cli({"show", "next", "--json"}).json();
    EXPECT_EQ(json["state"], "queued");
    EXPECT_EQ(json["steps"], Json::array());
    EXPECT_EQ(json["tensors"], Json::object());
    EXPECT_EQ(json["engine_pid"], nullptr);
    const CliResult noted = cli({"set", "next", "alpha=0.05"});
    EXPECT_EQ(noted.exitCode, 0) << noted.err;
    EXPECT_THAT(noted.out, HasSubstr("next start"));
    EXPECT_EQ(json["position"], 1);
    EXPECT_THAT(json["waits_for"].get<std::string>(), HasSubstr("long (" + id + ") is running on cpu"));
    EXPECT_THAT(cli({"show", "next"}).out, HasSubstr("place 1 in the queue: long (" + id + ") is running"));
    EXPECT_EQ(cli({"queue", "--json"}).json().size(), 2u);
    EXPECT_EQ(cli({"stop", "next", "--json"}).json(), (Json{{"state", "stopped"}, {"step", 0}}));
    const Json left = cli({"queue", "--json"}).json();
    ASSERT_EQ(left.size(), 1u) << "what is on the device";
    EXPECT_EQ(left[0]["id"], id);
    EXPECT_EQ(left[0]["position"], 0);
    EXPECT_EQ(stateOf(registry().findRun("next")->id), RunState::Stopped);
    EXPECT_EQ(stateOf(id), RunState::Running);
}

TEST_F(CliRuns, NonFiniteNumbersAreTexts) {
    m_environment.set("MOFO_FAKE_FAULT", "nan:2");
    const std::string id = trainToEnd();
    const Json shown = cli({"show", id, "--json"}).json();
    EXPECT_EQ(shown["steps"][1]["loss"], "nan");
}

TEST_F(CliRuns, SetWaitsForTheAcknowledgement) {
    const std::string id = startLong();
    const CliResult done = cli({"set", id, "alpha=0.05"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    EXPECT_THAT(done.out, testing::MatchesRegex("alpha 0\\.05 applies from step [0-9]+\n"));
    const Json two = cli({"set", id, "alpha=0.1", "granularity=layer", "--json"}).json();
    EXPECT_EQ(two["accepted"], true);
    EXPECT_TRUE(two["applied_step"].is_number());
    const CliResult later = cli({"set", id, "alpha=0.2", "--at-step", "99000"});
    EXPECT_EQ(later.exitCode, 0);
    EXPECT_THAT(later.out, HasSubstr("99000"));
    EXPECT_EQ(cli({"set", id, "alpha=0.2", "--at-step", "1"}).exitCode, 1) << "not above the current step";
    EXPECT_EQ(registry().commands(id)->size(), 3u);
    EXPECT_EQ(cli({"withdraw", id}).exitCode, 0);
    EXPECT_EQ(cli({"withdraw", id}).exitCode, 1) << "nothing waits any more";
    for (const char* wrong : {"batch=8", "alpha=3", "alpha=0", "alpha=nan", "alhpa=0.1", "granularity=block:63", "rule=gv", "l2=-1", "hft_every=4"}) {
        const CliResult refused = cli({"set", id, wrong});
        EXPECT_EQ(refused.exitCode, 2) << wrong;
        EXPECT_LE(refused.errorLines(), 4);
    }
    EXPECT_EQ(registry().commands(id)->size(), 2u) << "a refused change writes no row";
    EXPECT_EQ(cli({"stop", id}).exitCode, 0);
    EXPECT_EQ(cli({"set", id, "alpha=0.3"}).exitCode, 1);
    EXPECT_EQ(registry().commands(id)->size(), 3u) << "only the stop came to them";
}

TEST_F(CliRuns, PauseResumeAndStop) {
    const std::string id = startLong();
    EXPECT_THAT(cli({"pause", id}).out, HasSubstr("paused"));
    ASSERT_TRUE(reaches(id, RunState::Paused));
    EXPECT_EQ(cli({"pause", id}).exitCode, 0);
    EXPECT_THAT(cli({"set", id, "alpha=0.05"}).out, HasSubstr("applies from step " + std::to_string(stepOf(id) + 1)));
    const CliResult resumed = cli({"resume", id, "--detach"});
    EXPECT_EQ(resumed.exitCode, 0) << resumed.err;
    EXPECT_EQ(resumed.out, id + "\n");
    ASSERT_TRUE(reaches(id, RunState::Running));
    EXPECT_EQ(cli({"resume", id}).exitCode, 0) << "a live run goes on anyway";
    const CliResult stopped = cli({"stop", id});
    EXPECT_EQ(stopped.exitCode, 0) << stopped.err;
    EXPECT_EQ(stateOf(id), RunState::Stopped);
    EXPECT_EQ(cli({"stop", id}).exitCode, 0);
    EXPECT_EQ(cli({"pause", id}).exitCode, 1);
    const std::int64_t at = stepOf(id);
    EXPECT_EQ(cli({"resume", id, "--detach"}).exitCode, 0) << "right after the stop";
    EXPECT_GT(engineOf(id), 0) << "the new engine holds the lock when resume returns";
    EXPECT_TRUE(eventually([&] { return stepOf(id) > at; }));
    EXPECT_EQ(cli({"stop", id, "--now"}).exitCode, 0);
    const auto reader = MetricsReader::open(workspace().metricsFile(id));
    ASSERT_OK(reader);
    EXPECT_EQ(reader->checkpoints()->size(), 1u) << "--now saves nothing";
}

TEST_F(CliRuns, CtrlCLeavesAFollowedRunAndSaysHowToStopIt) {
    CliProcess process(train({"--set", "steps=100000", "device=cpu"}));
    const std::string id = idOf(process);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 1; }));
    process.signal(SIGINT);
    const CliResult left = process.finish();
    EXPECT_EQ(left.exitCode, 130);
    EXPECT_THAT(left.err, HasSubstr("mofo stop " + id));
    const std::int64_t at = stepOf(id);
    EXPECT_TRUE(eventually([&] { return stepOf(id) > at + 3; })) << "it goes on";

    CliProcess follower({"follow", id});
    ASSERT_TRUE(eventually([&] { return follower.err().find("loss") != std::string::npos; }));
    follower.signal(SIGINT);
    EXPECT_EQ(follower.finish().exitCode, 130);
    EXPECT_EQ(stateOf(id), RunState::Running);
}

TEST_F(CliRuns, KillingTheClientTouchesNothing) {
    CliProcess process(train({"--set", "steps=100000", "device=cpu"}));
    const std::string id = idOf(process);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 1; }));
    const std::int64_t engine = engineOf(id);
    process.signal(SIGKILL);
    process.finish();
    const std::int64_t at = stepOf(id);
    EXPECT_TRUE(eventually([&] { return stepOf(id) > at + 5; }));
    EXPECT_EQ(engineOf(id), engine);
    EXPECT_EQ(stateOf(id), RunState::Running);
}

TEST_F(CliRuns, AForegroundRunStopsAndSavesOnCtrlC) {
    CliProcess process(train({"--set", "steps=100000", "device=cpu", "--foreground"}));
    const std::string id = idOf(process);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 1; }));
    process.signal(SIGINT);
    const CliResult stopped = process.finish();
    EXPECT_EQ(stopped.exitCode, 0) << stopped.err;
    EXPECT_EQ(stateOf(id), RunState::Stopped);
    const auto reader = MetricsReader::open(workspace().metricsFile(id));
    ASSERT_OK(reader);
    EXPECT_EQ(reader->checkpoints()->size(), 1u);
}

TEST_F(CliRuns, AForegroundRunDiesWithItsProcess) {
    CliProcess process(train({"--set", "steps=100000", "device=cpu", "--foreground"}));
    const std::string id = idOf(process);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 1; }));
    process.signal(SIGKILL);
    process.finish();
    EXPECT_TRUE(eventually([&] { return engineOf(id) == 0; }, 3));
    EXPECT_EQ(stateOf(id), RunState::Lost);
}

TEST_F(CliRuns, AForegroundRunOnABusyDeviceIsRefusedByName) {
    const std::string id = startLong("the other one");
    const CliResult refused = cli(train({"--set", "steps=3", "device=cpu", "--foreground"}));
    EXPECT_EQ(refused.exitCode, 1);
    EXPECT_THAT(refused.err, HasSubstr("the other one"));
    EXPECT_EQ(refused.out, "");
    EXPECT_EQ(registry().runs(true)->size(), 1u) << "a refused run is not left in the queue";
    EXPECT_EQ(stateOf(id), RunState::Running);
}

TEST_F(CliRuns, AForegroundRunEndsWithTheRunsVerdict) {
    EXPECT_EQ(cli(train({"--set", "steps=3", "device=cpu", "--foreground"})).exitCode, 0);
    m_environment.set("MOFO_FAKE_FAULT", "exit1:2");
    const CliResult failed = cli(train({"--set", "steps=3", "device=cpu", "--foreground"}));
    EXPECT_EQ(failed.exitCode, 1);
    EXPECT_THAT(failed.err, HasSubstr("the last line of the log"));
}

TEST_F(CliRuns, ADeviceFaultDoesNotEndTheFollowing) {
    m_environment.set("MOFO_FAKE_FAULT", "exit70:3:1");
    const CliResult done = cli(train({"--set", "steps=6", "device=cpu"}));
    EXPECT_EQ(done.exitCode, 0) << done.err;
    EXPECT_EQ(registry().runs()->front().restarts, 1);
}

TEST_F(CliRuns, FollowJsonIsOneObjectPerLine) {
    const std::string id = trainToEnd({"eval_split=0.5"});
    const CliResult followed = cli({"follow", id, "--json"});
    ASSERT_EQ(followed.exitCode, 0);
    int steps = 0, evals = 0;
    std::size_t begin = 0;
    while (begin < followed.out.size()) {
        const std::size_t end = followed.out.find('\n', begin);
        const Json line = Json::parse(followed.out.substr(begin, end - begin));
        steps += line["kind"] == "step";
        evals += line["kind"] == "eval";
        begin = end + 1;
    }
    EXPECT_EQ(steps, 5);
    EXPECT_EQ(evals, 2);
}

TEST_F(CliRuns, OneRunAtMostIsTheBaseline) {
    const std::string first = trainToEnd({"--name", "first"}), second = trainToEnd({"--name", "second"});
    EXPECT_EQ(cli({"baseline", "--json"}).json(), (Json{{"baseline", nullptr}, {"before", nullptr}}));
    EXPECT_EQ(cli({"baseline", "first"}).exitCode, 0);
    EXPECT_THAT(cli({"runs"}).out, HasSubstr("first (baseline)"));
    EXPECT_THAT(cli({"show", "first"}).out, HasSubstr("(baseline)"));
    const Json moved = cli({"baseline", "second", "--json"}).json();
    EXPECT_EQ(moved["baseline"], (Json{{"id", second}, {"name", "second"}}));
    EXPECT_EQ(moved["before"]["id"], first);
    for (const Json& run : cli({"runs", "--json"}).json()) EXPECT_EQ(run["baseline"], run["id"] == second) << run["name"];
    EXPECT_EQ(cli({"show", second, "--json"}).json()["baseline"], true);
    EXPECT_EQ(cli({"baseline", "second", "--none"}).exitCode, 2);
    EXPECT_EQ(cli({"trash", "first"}).exitCode, 0);
    const CliResult trashed = cli({"baseline", first});
    EXPECT_EQ(trashed.exitCode, 1);
    EXPECT_THAT(trashed.err, HasSubstr("mofo restore"));
    EXPECT_EQ(cli({"baseline", "--none"}).exitCode, 0);
    EXPECT_EQ(cli({"baseline", "--json"}).json()["baseline"], nullptr);
    EXPECT_THAT(cli({"runs"}).out, testing::Not(HasSubstr("(baseline)")));
}

TEST_F(CliRuns, HousekeepingCommands) {
    const std::string id = trainToEnd({"--name", "before"});
    EXPECT_EQ(cli({"rename", "before", "after"}).exitCode, 0);
    EXPECT_EQ(cli({"note", "after", "worth keeping"}).exitCode, 0);
    EXPECT_EQ(cli({"tag", "after", "paper", "table-2"}).out, "paper, table-2\n");
    EXPECT_EQ(cli({"tag", "after", "paper", "--remove"}).out, "table-2\n");
    EXPECT_EQ(cli({"tag", "after", "absent", "--remove"}).exitCode, 3);
    Json run = cli({"runs", "--json"}).json()[0];
    EXPECT_EQ(run["name"], "after");
    EXPECT_EQ(run["note"], "worth keeping");
    EXPECT_EQ(run["tags"], Json::array({"table-2"}));
    EXPECT_EQ(cli({"trash", "after"}).exitCode, 0);
    EXPECT_EQ(cli({"runs", "--json"}).json(), Json::array());
    EXPECT_EQ(cli({"runs", "--trashed", "--json"}).json().size(), 1u);
    EXPECT_EQ(cli({"restore", id}).exitCode, 0);
    EXPECT_EQ(cli({"runs", "--json"}).json().size(), 1u);
    const std::string live = startLong();
    EXPECT_EQ(cli({"trash", live}).exitCode, 1) << "a live run is stopped first";
    EXPECT_EQ(cli({"log", id}).exitCode, 0);
}

TEST_F(CliRuns, TheQueueCanBeReordered) {
    startLong();
    for (const char* name : {"a", "b", "c"}) ASSERT_EQ(cli(train({"--set", "device=cpu", "steps=2", "--detach", "--name", name})).exitCode, 0);
    const CliResult moved = cli({"queue", "move", "c", "1"});
    EXPECT_EQ(moved.exitCode, 0);
    EXPECT_EQ(moved.out, "");
    EXPECT_EQ(moved.err, "c is at place 1 of 3 for cpu\n");
    EXPECT_EQ(cli({"queue", "move", "c", "99"}).err, "c is at place 3 of 3 for cpu\n") << "beyond the end is the end";
    EXPECT_EQ(cli({"queue", "move", "c", "1"}).exitCode, 0);
    for (const char* place : {"0", "-1", "1.5", "x", "99999999999999999999"}) {
        const CliResult refused = cli({"queue", "move", "c", place});
        EXPECT_EQ(refused.exitCode, 2) << place;
        EXPECT_LT(refused.err.size(), 200u) << refused.err;
    }
    EXPECT_THAT(cli({"queue", "move", "c", "0"}).err, HasSubstr("\"0\" is not a whole number from 1 on"));
    const CliResult removed = cli({"queue", "remove", "a"});
    EXPECT_EQ(removed.exitCode, 0);
    EXPECT_THAT(removed.err, HasSubstr("a is out of the queue; mofo resume "));
    const Json queue = cli({"queue", "--json"}).json();
    ASSERT_EQ(queue.size(), 3u);
    EXPECT_EQ(queue[0]["name"], "long");
    EXPECT_EQ(queue[1]["name"], "c");
    EXPECT_EQ(queue[2]["name"], "b");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(queue[static_cast<std::size_t>(i)]["position"], i);
        EXPECT_FALSE(queue[static_cast<std::size_t>(i)].contains("queue_place")) << "one word for one thing";
    }
    EXPECT_EQ(queue[0]["waits_for"], nullptr);
    EXPECT_THAT(queue[2]["waits_for"].get<std::string>(), HasSubstr("1 run is before it; long"));
    const CliResult again = cli({"queue", "remove", "a"});
    EXPECT_EQ(again.exitCode, 1);
    EXPECT_THAT(again.err, HasSubstr("it is stopped"));
    EXPECT_THAT(cli({"queue", "move", "long", "1"}).err, HasSubstr("it is running"));
}

TEST_F(CliRuns, WhoWaitsForAPausedRunIsTold) {
    const std::string id = startLong("paused one");
    ASSERT_EQ(cli(train({"--set", "device=cpu", "steps=2", "--detach", "--name", "b"})).exitCode, 0);
    ASSERT_EQ(cli(train({"--set", "device=cpu", "steps=2", "--detach", "--name", "c"})).exitCode, 0);
    for (const char* command : {"queue", "runs"}) EXPECT_THAT(cli({command}).err, testing::Not(HasSubstr("wait"))) << command;
    ASSERT_EQ(cli({"pause", id}).exitCode, 0);
    ASSERT_TRUE(reaches(id, RunState::Paused));
    const std::string why = "paused one (" + id + ") is paused and keeps cpu; resume or stop it";
    for (const char* command : {"queue", "runs"})
        EXPECT_EQ(cli({command}).err, "2 runs wait, because " + why + ": mofo resume " + id + " or mofo stop " + id + "\n") << command;
    EXPECT_THAT(cli({"show", "b"}).out, HasSubstr("place 1 in the queue: " + why));
    EXPECT_THAT(cli({"show", "c"}).out, HasSubstr("place 2 in the queue: 1 run is before it; " + why));
    EXPECT_EQ(cli({"runs", "--json"}).json()[1]["waits_for"], why);
    EXPECT_EQ(cli({"stop", id}).exitCode, 0);
    EXPECT_TRUE(reaches(registry().findRun("c")->id, RunState::Finished));
}

TEST_F(CliRuns, EveryCommandAnswersInJson) {
    const std::string id = startLong();
    const auto isAnswer = [&](const Json& json, bool answered) {
        EXPECT_EQ(json["uuid"].get<std::string>().size(), 36u);
        EXPECT_EQ(json["accepted"], answered ? Json(true) : Json(nullptr));
        EXPECT_EQ(json["applied_step"].is_number(), answered);
    };
    isAnswer(cli({"checkpoint", id, "--json"}).json(), true);
    isAnswer(cli({"pause", id, "--json"}).json(), true);
    ASSERT_TRUE(reaches(id, RunState::Paused));
    const Json again = cli({"pause", id, "--json"}).json();
    isAnswer(again, true);
    EXPECT_EQ(again["applied_step"], stepOf(id) + 1);
    ASSERT_EQ(cli(train({"--set", "device=cpu", "steps=2", "--detach", "--name", "next"})).exitCode, 0);
    isAnswer(cli({"checkpoint", "next", "--json"}).json(), false);
    isAnswer(cli({"pause", "next", "--json"}).json(), false);
    const Json withdrawn = cli({"withdraw", "next", "--json"}).json();
    ASSERT_EQ(withdrawn.size(), 2u);
    EXPECT_EQ(withdrawn[0]["kind"], "checkpoint");
    EXPECT_EQ(withdrawn[1]["withdrawn"], true);
    EXPECT_EQ(withdrawn[1]["applied_step"], nullptr);
    const CliResult stopped = cli({"stop", id, "--json"});
    EXPECT_EQ(stopped.json(), (Json{{"state", "stopped"}, {"step", stepOf(id)}})) << stopped.err;
    EXPECT_EQ(cli({"stop", id, "--json"}).json()["state"], "stopped") << "once more is harmless";
}

TEST_F(CliRuns, PhasesAreToldInWords) {
    m_environment.set("MOFO_FAKE_SAVE_MS", "700");
    CliProcess process(train({"--set", "steps=4", "checkpoint_every=2", "device=cpu"}));
    const CliResult done = process.finish();
    EXPECT_EQ(done.exitCode, 0) << done.err;
    for (const char* word : {"(save)", "(load)", "(evaluate)", "load:"}) EXPECT_THAT(done.err, testing::Not(HasSubstr(word)));
}

TEST_F(CliRuns, ListingManyRunsIsQuick) {
    for (int i = 0; i < 300; ++i) {
        RunRow run;
        run.id = newShortId();
        run.name = "run " + std::to_string(i);
        run.state = RunState::Finished;
        run.config = config();
        ASSERT_OK(registry().addRun(run));
    }
    double best = 1e9;
    for (int i = 0; i < 3; ++i) {
        const CliResult runs = cli({"runs"});
        ASSERT_EQ(runs.exitCode, 0);
        best = std::min(best, runs.cpuMs);
    }
    EXPECT_LT(best, 50) << "CPU time in ms";
}

}  // namespace
}  // namespace mofo
