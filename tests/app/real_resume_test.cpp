// What was not as it was: refused with its name, and gone on from bit for bit once it is put back. And what is told of it all.
#include <signal.h>

#include <filesystem>

#include "core/client/crash_record.h"
#include "tests/app/real_engine.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::CliResult;
using test::eventually;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RealResume : public test::RealEngine {
protected:
    /// A run of 12 steps that was stopped at the checkpoint of step 8 by going back to it.
    std::string atStep8(const std::string& name) {
        const std::string id = finished(name);
        EXPECT_EQ(cli({"undo", id, "--to", "8"}).exitCode, 0);
        return id;
    }
    void flip(const std::string& id, const std::string& folder) {
        const fs::path file = workspace().checkpointsFolder(id) / folder / "model.safetensors";
        std::string bytes = test::readFile(file);
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        test::writeFile(file, bytes);
    }
};

TEST_F(RealResume, ChangedDataPutBackGoesOnBitForBit) {
    const std::string clean = finished("clean"), id = atStep8("run");
    const std::string before = test::readFile(data());
    test::writeFile(data(), before + R"({"question": "What is 9 + 1?", "answer": "10"})" + "\n");
    for (const std::vector<std::string>& how : {std::vector<std::string>{}, {"--detach"}, {"--foreground"}}) {
        std::vector<std::string> command = {"resume", id};
        command.insert(command.end(), how.begin(), how.end());
        const CliResult refused = cli(command);
        EXPECT_EQ(refused.exitCode, 1) << refused.err;
        EXPECT_EQ(refused.out, id + "\n");
        EXPECT_THAT(refused.err,
                    AllOf(HasSubstr("because this changed: the training data (sha256 "), HasSubstr("Put back what changed and resume again"),
                          HasSubstr("mofo resume " + id + " --as-branch"), Not(HasSubstr("OMP_NUM_THREADS")), Not(HasSubstr("Go on from"))));
        EXPECT_EQ(stateOf(id), RunState::Stopped);
        EXPECT_THAT(registry().findRun(id)->endReason, HasSubstr("not resumed: "));
    }
    EXPECT_EQ(pendingCommands(workspace(), registry(), id)->size(), 1u) << "the undo waits still";
    test::writeFile(data(), before);
    const CliResult resumed = cli({"resume", id});
    ASSERT_EQ(resumed.exitCode, 0) << resumed.err;
    EXPECT_EQ(stateOf(id), RunState::Finished);
    EXPECT_EQ(weights(id), weights(clean));
    EXPECT_EQ(digest(id), digest(clean));
}

TEST_F(RealResume, TheThreadsAreThoseOfWhoeverResumes) {
    m_environment.set("OMP_NUM_THREADS", "1");
    const std::string clean = finished("clean"), id = atStep8("run");
    m_environment.set("OMP_NUM_THREADS", "2");
    const CliResult refused = cli({"resume", id});
    EXPECT_EQ(refused.exitCode, 1);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("the number of threads (1 -> 2)"), HasSubstr("OMP_NUM_THREADS=1 mofo resume " + id),
                                   HasSubstr("--as-branch"), Not(HasSubstr("Put back"))));
    // At once, while a supervisor with the other number is there.
    const std::string other = cli(train({"steps=100000", "stats_every=100000", "--name", "other", "--detach"})).out.substr(0, 12);
    ASSERT_TRUE(eventually([&] { return stepOf(other) > 2; }));
    const auto supervisor = supervisorPid();
    ASSERT_TRUE(supervisor.has_value());
    m_environment.set("OMP_NUM_THREADS", "1");
    const CliResult queued = cli({"resume", id, "--detach"});
    EXPECT_EQ(queued.exitCode, 0) << queued.err;
    EXPECT_THAT(queued.err, HasSubstr("queued at place 1: other (" + other + ") is running on cpu"));
    ASSERT_EQ(cli({"stop", other}).exitCode, 0);
    EXPECT_TRUE(reaches(id, RunState::Finished, 60)) << registry().findRun(id)->endReason;
    EXPECT_EQ(supervisorPid(), supervisor);
    EXPECT_EQ(digest(id), digest(clean));
}

TEST_F(RealResume, ADetachedResumeSaysWhereItGoesOn) {
    const std::string clean = finished("clean");
    const CliResult started = cli(train({"steps=12", "checkpoint_every=4", "keep=10", "--name", "run"}));
    ASSERT_EQ(started.exitCode, 0) << started.err;
    const std::string id = started.out.substr(0, 12);
    ASSERT_EQ(cli({"undo", id, "--to", "4"}).exitCode, 0);
    flip(id, "step-00000012");
    const CliResult resumed = cli({"resume", id, "--detach"});
    ASSERT_EQ(resumed.exitCode, 0) << resumed.err;
    EXPECT_EQ(resumed.out, id + "\n");
    EXPECT_THAT(resumed.err, AllOf(HasSubstr("the checkpoint of step 12 (step-00000012) cannot be used any more"), HasSubstr("is damaged"),
                                   HasSubstr("resumed from the checkpoint of step 8")));
    EXPECT_TRUE(reaches(id, RunState::Finished, 60));
    EXPECT_EQ(weights(id), weights(clean));
}

TEST_F(RealResume, WhatVerifyMarkedIsPassedOver) {
    const std::string clean = finished("clean");
    const CliResult started = cli(train({"steps=100000", "checkpoint_every=4", "keep=100", "stats_every=100000", "--name", "run", "--detach"}));
    ASSERT_EQ(started.exitCode, 0) << started.err;
    const std::string id = started.out.substr(0, 12);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 13; }));
    ASSERT_EQ(cli({"pause", id}).exitCode, 0);
    flip(id, "step-00000008");
    const CliResult live = cli({"verify", id + "@8"});
    EXPECT_EQ(live.exitCode, 1);
    EXPECT_THAT(live.err, AllOf(HasSubstr("the tensor "), HasSubstr("step 8 counts no more")));
    EXPECT_THAT(cli({"undo", id, "--to", "8"}).err, HasSubstr("no checkpoint of step 8"));
    EXPECT_EQ(stateOf(id), RunState::Paused) << "the engine has marked it and goes on";
    ASSERT_EQ(cli({"stop", id}).exitCode, 0);
    const std::int64_t newest = resumableCheckpoints(workspace(), id)->back().step;
    const std::string folder = resumableCheckpoints(workspace(), id)->back().folder;
    flip(id, folder);
    EXPECT_EQ(cli({"verify", id}).exitCode, 1);
    EXPECT_LT(resumableCheckpoints(workspace(), id)->back().step, newest);
    // Whole again: the next engine counts it.
    flip(id, folder);
    const CliResult resumed = cli({"resume", id, "--detach"});
    ASSERT_EQ(resumed.exitCode, 0) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr("resumed from the checkpoint of step " + std::to_string(newest)));
    ASSERT_EQ(cli({"stop", id}).exitCode, 0);
}

TEST_F(RealResume, ADeviceFaultUnderAnotherSupervisorGoesOnBitForBit) {
    const std::vector<std::string> values = {"steps=320", "checkpoint_every=50", "stats_every=100000", "--name"};
    std::vector<std::string> clean = values, faulty = values;
    clean.push_back("clean");
    faulty.insert(faulty.end(), {"faulty", "--detach"});
    const CliResult undisturbed = cli(train(clean));
    ASSERT_EQ(undisturbed.exitCode, 0) << undisturbed.err;
    ASSERT_TRUE(eventually([&] { return !FileLock::isHeld(workspace().deviceLock("cpu")); })) << "an idle supervisor has no failpoints";
    m_environment.set("MOFO_FAILPOINTS", "device.fault=EIO@290");
    const CliResult started = cli(train(faulty));
    ASSERT_EQ(started.exitCode, 0) << started.err;
    const std::string id = started.out.substr(0, 12);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 0; }));
    const std::int64_t engine = engineOf(id), first = supervisorPid().value_or(0);
    kill(static_cast<pid_t>(first), SIGKILL);
    ASSERT_TRUE(eventually([&] { return !FileLock::isHeld(workspace().deviceLock("cpu")); }));
    EXPECT_LT(stepOf(id), 280) << "the fault is still to come";
    m_environment.set("MOFO_FAILPOINTS", "");
    const CliResult followed = cli({"follow", id});
    EXPECT_EQ(followed.exitCode, 0) << followed.err;
    EXPECT_THAT(followed.err, HasSubstr("resumed from the checkpoint of step 250"));
    const RunRow run = registry().findRun(id).value();
    EXPECT_EQ(run.restarts, 1);
    EXPECT_EQ(readCrashRecord(workspace(), id).value()["engine"], engine);
    EXPECT_EQ(weights(id), weights(undisturbed.out.substr(0, 12)));
    EXPECT_EQ(digest(id), digest(undisturbed.out.substr(0, 12)));
}

TEST_F(RealResume, AnExportTellsWhatTheWeightsWentThrough) {
    const CliResult started = cli(train({"steps=100000", "checkpoint_every=4", "keep=100", "stats_every=100000", "--name", "run", "--detach"}));
    ASSERT_EQ(started.exitCode, 0) << started.err;
    const std::string id = started.out.substr(0, 12);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 9; }));
    ASSERT_EQ(cli({"pause", id}).exitCode, 0);
    ASSERT_EQ(cli({"undo", id, "--to", "4"}).exitCode, 0);
    ASSERT_EQ(cli({"set", id, "alpha=0.05"}).exitCode, 0);
    ASSERT_EQ(cli({"resume", id, "--detach"}).exitCode, 0);
    ASSERT_TRUE(eventually([&] { return stepOf(id) > 5; }));
    ASSERT_EQ(cli({"stop", id}).exitCode, 0);
    const auto mofoJson = [&](const std::string& run, const std::string& name) {
        const CliResult exported = cli({"export", run, (m_folder / name).string()});
        EXPECT_EQ(exported.exitCode, 0) << exported.err;
        return Json::parse(test::readFile(m_folder / name / "mofo.json"));
    };
    const Json own = mofoJson(id, "own");
    EXPECT_EQ(own["run"], id);
    EXPECT_EQ(own["name"], "run");
    EXPECT_EQ(own["exactness"], nullptr);
    EXPECT_EQ(own["initial_config"]["alpha"], "0.15");
    EXPECT_EQ(own["config"]["alpha"], "0.05");
    EXPECT_EQ(own["changes"], (Json{{{"step", 5}, {"who", "cli"}, {"values", {{"alpha", "0.05"}}}}}));
    ASSERT_EQ(own["undone"].size(), 1u);
    EXPECT_EQ(own["undone"][0]["step"], 4);
    EXPECT_THAT(own["undone"][0]["text"].get<std::string>(), HasSubstr("to step 4"));

    const CliResult made =
        cli({"resume", id, "--set", "micro_batch=1", "steps=" + std::to_string(own["step"].get<int>() + 2), "--as-branch", "--name", "other"});
    ASSERT_EQ(made.exitCode, 0) << made.err;
    const CliResult twig = cli({"branch", "other", "--at", "last", "--set", "steps=" + std::to_string(own["step"].get<int>() + 3), "--name", "twig"});
    ASSERT_EQ(twig.exitCode, 0) << twig.err;
    const Json other = mofoJson("other", "other"), third = mofoJson("twig", "twig");
    EXPECT_THAT(other["exactness"].get<std::string>(), AllOf(testing::StartsWith("not bit-exact: "), HasSubstr("micro")));
    EXPECT_EQ(other["changes"], own["changes"]) << "what the weights went through in the run before";
    EXPECT_EQ(other["parents"], (Json{{{"run", id}, {"name", "run"}, {"step", own["step"]}}}));
    EXPECT_THAT(third["exactness"].get<std::string>(), AllOf(HasSubstr("micro"), HasSubstr("(run " + other["run"].get<std::string>() + ")")));
    EXPECT_EQ(third["parents"].size(), 2u);
}

}  // namespace
}  // namespace mofo
