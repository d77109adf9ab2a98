#include <SQLiteCpp/SQLiteCpp.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "core/base/file.h"
#include "core/client/engine_process.h"
#include "tests/support/client_support.h"

namespace mofo {
namespace {

using test::eventually;

class SupervisorTest : public test::ClientTest {
protected:
    // In this process, for what needs other than the command's options.
    std::thread superviseHere(SupervisorOptions options) {
        return std::thread([this, options] {
            const auto done = supervise(workspace(), options);
            EXPECT_TRUE(done.ok()) << done.error().text();
        });
    }
};

TEST_F(SupervisorTest, RunsOneRunToItsEndAndGoesWhenIdle) {
    const auto run = start({{"steps", "5"}});
    ASSERT_OK(run);
    ASSERT_TRUE(reaches(run->id, RunState::Finished));
    EXPECT_EQ(stepOf(run->id), 5);
    const auto ended = registry().findRun(run->id);
    ASSERT_OK(ended);
    EXPECT_TRUE(ended->startedNs && ended->endedNs);
    EXPECT_TRUE(eventually([&] { return !supervisorPid(); }, 10)) << "the supervisor goes when there is nothing to do";
}

TEST_F(SupervisorTest, StartsQueuedRunsInTheirOrderOneAtATime) {
    const auto first = start({{"steps", "30"}}, false);
    const auto second = start({{"steps", "5"}}, false);
    const auto third = start({{"steps", "5"}}, false);
    ASSERT_OK(first);
    ASSERT_OK(second);
    ASSERT_OK(third);
    ASSERT_OK(registry().moveQueuedRun(third->id, 2));
    ASSERT_OK(ensureSupervisor(workspace(), "cpu"));
    std::vector<std::string> begun;
    int most = 0;
    ASSERT_TRUE(eventually([&] {
        int engines = 0;
        for (const std::string& id : {first->id, second->id, third->id}) {
            if (engineOf(id) == 0) continue;
            ++engines;
            if (std::find(begun.begin(), begun.end(), id) == begun.end()) begun.push_back(id);
        }
        most = std::max(most, engines);
        return stateOf(second->id) == RunState::Finished;
    }));
    EXPECT_EQ(begun, (std::vector<std::string>{first->id, third->id, second->id}));
    EXPECT_EQ(most, 1);
}

TEST_F(SupervisorTest, AnEngineThatIsKilledLeavesALostRunAndItsReason) {
    const auto run = start({{"steps", "100000"}});
    ASSERT_OK(run);
    ASSERT_TRUE(eventually([&] { return stepOf(run->id) > 2; }));
    ASSERT_EQ(kill(static_cast<pid_t>(engineOf(run->id)), SIGKILL), 0);
    ASSERT_TRUE(reaches(run->id, RunState::Lost));
    ASSERT_TRUE(eventually(
        [&] {
            const auto lost = registry().findRun(run->id);
            return lost.ok() && lost->endReason.find("signal 9") != std::string::npos;
        },
        5));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    EXPECT_EQ(stateOf(run->id), RunState::Lost) << "a killed engine is never restarted by itself";
    EXPECT_EQ(registry().findRun(run->id)->restarts, 0);
}

TEST_F(SupervisorTest, AnEngineKilledBeforeItsRunBeganLeavesALostRunAtOnce) {
    m_environment.set("MOFO_FAKE_START_MS", "60000");
    const auto run = start();
    ASSERT_OK(run);
    ASSERT_TRUE(eventually([&] { return engineOf(run->id) > 0; }));
    kill(static_cast<pid_t>(engineOf(run->id)), SIGKILL);
    EXPECT_TRUE(reaches(run->id, RunState::Lost, 3));
}

TEST_F(SupervisorTest, AnExitWithoutAnEndStateFailsWithTheLogsLastLine) {
    m_environment.set("MOFO_FAKE_FAULT", "exit1:3");
    const auto run = start();
    ASSERT_OK(run);
    ASSERT_TRUE(reaches(run->id, RunState::Failed));
    EXPECT_THAT(registry().findRun(run->id)->endReason,
                testing::AllOf(testing::HasSubstr("exit code 1"), testing::HasSubstr("the last line of the log")));
}

TEST_F(SupervisorTest, AnEngineThatGoesSilentlyLeavesALostRun) {
    m_environment.set("MOFO_FAKE_FAULT", "silent:3");
    const auto run = start();
    ASSERT_OK(run);
    ASSERT_TRUE(reaches(run->id, RunState::Lost));
}

TEST_F(SupervisorTest, ADeviceFaultRestartsFromTheLastCheckpoint) {
    m_environment.set("MOFO_FAKE_FAULT", "exit70:7:2");
    const auto run = start({{"steps", "10"}, {"checkpoint_every", "5"}}, false);
    ASSERT_OK(run);
    SupervisorOptions options;
    options.restartDelaySeconds = {0.3, 0.3, 0.3};
    options.idleSeconds = 0.2;
    std::thread thread = superviseHere(options);
    EXPECT_TRUE(eventually([&] { return stateOf(run->id) == RunState::Starting && registry().findRun(run->id)->restarts == 1; }))
        << "during the backoff the state is starting";
    thread.join();
    const auto ended = registry().findRun(run->id);
    ASSERT_OK(ended);
    EXPECT_EQ(ended->state, RunState::Finished);
    EXPECT_EQ(ended->restarts, 2);
    const auto reader = MetricsReader::open(workspace().metricsFile(run->id));
    ASSERT_OK(reader);
    const auto steps = reader->stepsAfter(0);
    ASSERT_OK(steps);
    EXPECT_EQ(std::count_if(steps->begin(), steps->end(), [](const StepRow& step) { return step.step == 6; }), 3)
        << "steps after the checkpoint are done again";
    EXPECT_EQ(std::count_if(steps->begin(), steps->end(), [](const StepRow& step) { return step.step == 4; }), 1) << "steps before it are not";
}

TEST_F(SupervisorTest, AfterThreeRestartsTheRunFails) {
    m_environment.set("MOFO_FAKE_FAULT", "exit70:2:99");
    const auto run = start({}, false);
    ASSERT_OK(run);
    SupervisorOptions options;
    options.restartDelaySeconds = {0.05, 0.05, 0.05};
    options.idleSeconds = 0.2;
    superviseHere(options).join();
    const auto ended = registry().findRun(run->id);
    ASSERT_OK(ended);
    EXPECT_EQ(ended->state, RunState::Failed);
    EXPECT_EQ(ended->restarts, 3);
    EXPECT_THAT(ended->endReason, testing::HasSubstr("4 times"));
}

TEST_F(SupervisorTest, AKilledSupervisorTouchesNoRunAndItsSuccessorWaits) {
    const auto run = start({{"steps", "200"}});
    ASSERT_OK(run);
    ASSERT_TRUE(eventually([&] { return stepOf(run->id) > 2; }));
    const std::int64_t engine = engineOf(run->id);
    kill(static_cast<pid_t>(supervisorPid().value()), SIGKILL);
    ASSERT_TRUE(eventually([&] { return !supervisorPid(); }));
    const std::int64_t before = stepOf(run->id);
    const auto next = start({{"steps", "3"}});
    ASSERT_OK(next);
    ASSERT_TRUE(eventually([&] { return stepOf(run->id) > before + 20; }));
    EXPECT_EQ(engineOf(run->id), engine);
    EXPECT_EQ(stateOf(run->id), RunState::Running);
    EXPECT_EQ(stateOf(next->id), RunState::Queued) << "one run at a time, whoever started it";
    ASSERT_TRUE(reaches(run->id, RunState::Finished));
    EXPECT_TRUE(reaches(next->id, RunState::Finished));
}

TEST_F(SupervisorTest, ARunThatAKilledSupervisorWasStartingIsQueuedAgain) {
    const auto run = start({{"steps", "3"}}, false);
    ASSERT_OK(run);
    ASSERT_OK(registry().takeNextQueuedRun("cpu"));  // and then it was killed
    SupervisorOptions options;
    options.orphanSeconds = 0.3;
    options.idleSeconds = 0.5;
    superviseHere(options).join();
    EXPECT_EQ(stateOf(run->id), RunState::Finished);
}

TEST_F(SupervisorTest, JobsRunBesideARun) {
    const auto run = start({{"steps", "100000"}});
    ASSERT_OK(run);
    ASSERT_TRUE(eventually([&] { return stepOf(run->id) > 1; }));
    JobRow job;
    job.id = "besidejob";
    job.kind = "score";
    ASSERT_OK(registry().addJob(job));
    ASSERT_TRUE(eventually([&] { return registry().findJob("besidejob")->state == JobState::Finished; }));
    EXPECT_EQ(stateOf(run->id), RunState::Running);
}

TEST_F(SupervisorTest, ASecondSupervisorIsRefused) {
    const auto lock = FileLock::tryAcquire(workspace().deviceLock("cpu"));
    ASSERT_OK(lock);
    const auto refused = supervise(workspace(), {});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Busy);
    EXPECT_EQ(refused.error().exitCode(), 1);
}

TEST_F(SupervisorTest, TheEngineInheritsNothingAndYieldsToTheMemoryKiller) {
    const auto run = start({{"steps", "100000"}});
    ASSERT_OK(run);
    ASSERT_TRUE(eventually([&] { return engineOf(run->id) > 0 && stepOf(run->id) > 0; }));
    const std::string proc = "/proc/" + std::to_string(engineOf(run->id));
    EXPECT_EQ(std::filesystem::read_symlink(proc + "/fd/0"), "/dev/null");
    EXPECT_EQ(std::filesystem::read_symlink(proc + "/fd/1"), "/dev/null");
    EXPECT_EQ(std::filesystem::read_symlink(proc + "/fd/2"), workspace().runFolder(run->id) / "engine.log");
    EXPECT_EQ(std::stoi(test::readFile(proc + "/oom_score_adj")), 300);
    for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
        std::error_code ec;
        const std::string target = std::filesystem::read_symlink(entry.path(), ec).string();
        EXPECT_EQ(target.find("devices"), std::string::npos) << "the device's lock must not leak into the engine: " << target;
    }
    EXPECT_EQ(getsid(static_cast<pid_t>(engineOf(run->id))), engineOf(run->id)) << "a session of its own";
}

// A supervisor may have been started by somebody else, with other variables: a run's threads decide its bits.
TEST_F(SupervisorTest, AnEngineComputesWithTheThreadsOfWhoeverAskedForIt) {
    const auto variable = [&](const std::string& id, const std::string& name) {
        const std::string environment = '\0' + test::readFile("/proc/" + std::to_string(engineOf(id)) + "/environ");
        const std::size_t at = environment.find('\0' + name + '=');
        return at == std::string::npos ? std::string("(none)") : std::string(environment.c_str() + at + name.size() + 2);
    };
    const auto live = [&](const std::string& id) { return eventually([&] { return engineOf(id) > 0 && stepOf(id) > 1; }); };
    cpu_set_t all, one;
    ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
        if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    }
    m_environment.set("OMP_NUM_THREADS", "7");
    m_environment.set("ATEN_CPU_CAPABILITY", "default");
    sched_setaffinity(0, sizeof one, &one);
    const auto first = start({{"steps", "100000"}});
    sched_setaffinity(0, sizeof all, &all);
    ASSERT_OK(first);
    ASSERT_TRUE(live(first->id));
    const auto supervisor = supervisorPid();
    EXPECT_EQ(variable(first->id, "OMP_NUM_THREADS"), "7");

    m_environment.set("OMP_NUM_THREADS", "3");
    unsetenv("ATEN_CPU_CAPABILITY");
    const auto second = start({{"steps", "100000"}});
    ASSERT_OK(second);
    ASSERT_OK(sendCommand(registry(), *first, "stop", {{"save", true}}, std::nullopt, "cli"));
    ASSERT_TRUE(live(second->id));
    EXPECT_EQ(supervisorPid(), supervisor) << "the same one";
    EXPECT_EQ(variable(second->id, "OMP_NUM_THREADS"), "3");
    EXPECT_EQ(variable(second->id, "ATEN_CPU_CAPABILITY"), "(none)");
    EXPECT_EQ(variable(second->id, "MOFO_FAKE_STEP_MS"), "10") << "everything else is inherited";
    cpu_set_t used;
    ASSERT_EQ(sched_getaffinity(static_cast<pid_t>(engineOf(second->id)), sizeof used, &used), 0);
    EXPECT_TRUE(CPU_EQUAL(&used, &all));

    unsetenv("OMP_NUM_THREADS");
    sched_setaffinity(0, sizeof one, &one);
    const auto resumed = resumeRun(workspace(), registry(), *first, true);
    sched_setaffinity(0, sizeof all, &all);
    ASSERT_OK(resumed);
    ASSERT_OK(sendCommand(registry(), *second, "stop", {{"save", true}}, std::nullopt, "cli"));
    ASSERT_TRUE(eventually([&] { return engineOf(first->id) > 0 && stateOf(first->id) == RunState::Running; }));
    EXPECT_EQ(variable(first->id, "OMP_NUM_THREADS"), "(none)");
    ASSERT_EQ(sched_getaffinity(static_cast<pid_t>(engineOf(first->id)), sizeof used, &used), 0);
    EXPECT_TRUE(CPU_EQUAL(&used, &one));
}

TEST_F(SupervisorTest, ARunResumedBeforeItsEnginesEndWasSeenIsNotTakenForFailed) {
    const auto run = start({{"steps", "100000"}}, false);
    ASSERT_OK(run);
    SupervisorOptions options;
    options.idleSeconds = 0.3;
    options.pollSeconds = 0.05;
    std::atomic<bool> hold = false;
    options.tick = [&] {
        while (hold) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    };
    std::thread thread = superviseHere(options);
    EXPECT_TRUE(eventually([&] { return stepOf(run->id) > 2; }));
    const pid_t engine = static_cast<pid_t>(engineOf(run->id));
    hold = true;  // the supervisor looks away
    EXPECT_OK(sendCommand(registry(), *run, "stop", {{"save", true}}, std::nullopt, "cli"));
    EXPECT_TRUE(reaches(run->id, RunState::Stopped));
    EXPECT_OK(resumeRun(workspace(), registry(), *run, false));
    EXPECT_EQ(stateOf(run->id), RunState::Queued);
    hold = false;
    EXPECT_TRUE(eventually([&] { return engineOf(run->id) > 0 && engineOf(run->id) != engine && stateOf(run->id) == RunState::Running; }));
    EXPECT_EQ(registry().findRun(run->id)->endReason, "");
    EXPECT_OK(sendCommand(registry(), *run, "stop", {{"save", true}}, std::nullopt, "cli"));
    thread.join();
}

TEST_F(SupervisorTest, AMissingEngineFailsTheRunWithASentence) {
    m_environment.set("MOFO_ENGINE", "/nonexistent/mofo-engine");
    const auto run = start();
    ASSERT_OK(run);
    ASSERT_TRUE(reaches(run->id, RunState::Failed));
    EXPECT_THAT(registry().findRun(run->id)->endReason, testing::HasSubstr("/nonexistent/mofo-engine"));
}

TEST_F(SupervisorTest, AForegroundRunDiesWithItsSupervisor) {
    const auto run = start({{"steps", "100000"}}, false);
    ASSERT_OK(run);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        SupervisorOptions options;
        options.foregroundRun = run->id;
        _exit(supervise(workspace(), options).ok() ? 0 : 1);
    }
    ASSERT_TRUE(eventually([&] { return stepOf(run->id) > 1; }));
    const std::int64_t engine = engineOf(run->id);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_TRUE(eventually([&] { return engineOf(run->id) == 0; }, 3));
    EXPECT_GT(engine, 0);
    EXPECT_EQ(stateOf(run->id), RunState::Lost);
}

TEST_F(SupervisorTest, AStoreThatStaysLockedEndsNoRunAndHidesNoEnd) {
    const auto run = start({{"steps", "100000"}}, false);
    ASSERT_OK(run);
    SupervisorOptions options;
    options.foregroundRun = run->id;
    std::thread thread = superviseHere(options);
    EXPECT_TRUE(eventually([&] { return stepOf(run->id) > 1; }));
    const std::int64_t engine = engineOf(run->id);
    ASSERT_GT(engine, 0);
    // Longer than a round waits for the lock: a backup, say, that takes its time.
    const auto whileLocked = [&](auto act) {
        SQLite::Database other(workspace().registryFile().string(), SQLite::OPEN_READWRITE, 20'000);
        other.exec("BEGIN EXCLUSIVE");
        act();
        std::this_thread::sleep_for(std::chrono::milliseconds(2'500));
        other.exec("ROLLBACK");
    };
    whileLocked([] {});
    const std::int64_t step = stepOf(run->id);
    EXPECT_TRUE(eventually([&] { return stepOf(run->id) > step; }));
    EXPECT_EQ(engineOf(run->id), engine) << "the same engine, still supervised";
    whileLocked([&] { kill(static_cast<pid_t>(engine), SIGKILL); });
    thread.join();
    EXPECT_EQ(stateOf(run->id), RunState::Lost);
    EXPECT_THAT(registry().findRun(run->id)->endReason, testing::HasSubstr("killed by signal 9")) << "told once the lock was gone";
}

TEST_F(SupervisorTest, AnInterruptedForegroundRunStopsAndSaves) {
    const auto run = start({{"steps", "100000"}}, false);
    const auto other = start({{"steps", "3"}}, false);
    ASSERT_OK(run);
    ASSERT_OK(other);
    std::atomic<int> interrupts = 0;
    SupervisorOptions options;
    options.foregroundRun = run->id;
    options.interrupts = [&] { return interrupts.load(); };
    std::thread thread = superviseHere(options);
    EXPECT_TRUE(eventually([&] { return stepOf(run->id) > 1; }));
    interrupts = 1;
    thread.join();
    EXPECT_EQ(stateOf(run->id), RunState::Stopped);
    const auto reader = MetricsReader::open(workspace().metricsFile(run->id));
    ASSERT_OK(reader);
    EXPECT_EQ(reader->checkpoints()->size(), 1u);
    EXPECT_TRUE(reaches(other->id, RunState::Finished)) << "what others queued meanwhile gets a supervisor";
}

TEST_F(SupervisorTest, AnIdleSupervisorGivesWayAndARunIsNamed) {
    SupervisorOptions idle;
    idle.idleSeconds = 60;
    std::thread thread = superviseHere(idle);
    ASSERT_TRUE(eventually([&] { return supervisorPid().has_value(); }));
    {
        const auto lock = claimDevice(workspace(), registry(), "cpu");
        ASSERT_OK(lock);
        thread.join();
    }
    const auto run = start({{"steps", "100000"}}, true, "the long one");
    ASSERT_OK(run);
    ASSERT_TRUE(eventually([&] { return stepOf(run->id) > 0; }));
    const auto refused = claimDevice(workspace(), registry(), "cpu");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().exitCode(), 1);
    EXPECT_THAT(refused.error().text(), testing::HasSubstr("the long one"));
}

TEST_F(SupervisorTest, ASupervisorWithJobsAloneGivesWayAndTheJobsEnd) {
    m_environment.set("MOFO_FAKE_JOB_MS", "3000");
    JobRow job;
    job.id = "slowjob";
    job.kind = "score";
    ASSERT_OK(registry().addJob(job));
    ASSERT_OK(ensureSupervisor(workspace(), "cpu"));
    ASSERT_TRUE(eventually([&] { return registry().findJob("slowjob")->state == JobState::Running; }));
    ASSERT_OK(claimDevice(workspace(), registry(), "cpu"));
    EXPECT_EQ(registry().findJob("slowjob")->state, JobState::Running);
    EXPECT_TRUE(eventually([&] { return registry().findJob("slowjob")->state == JobState::Finished; }));
}

}  // namespace
}  // namespace mofo
