// Engines that die, hang, fail in the middle of a queue, or come in twos; supervisors that are killed; what is told of it all.
#include <SQLiteCpp/SQLiteCpp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "core/base/clock.h"
#include "core/client/crash_record.h"
#include "core/client/engine_process.h"
#include "core/client/follow.h"
#include "core/client/stalled.h"
#include "core/library/verify_checkpoint.h"
#include "tests/support/client_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::eventually;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A signal that was sent is not yet obeyed.
bool isStopped(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string stat((std::istreambuf_iterator<char>(file)), {});
    const std::size_t name = stat.rfind(')');
    return name != std::string::npos && stat.substr(name, 3) == ") T";
}

class FaultTest : public test::ClientTest {
protected:
    Json record(const std::string& id) {
        const auto read = readCrashRecord(workspace(), id);
        EXPECT_TRUE(read.ok()) << read.error().text();
        return read.ok() ? *read : Json::object();
    }
    RunRow startLive(const std::string& name = {}) {
        auto run = start({{"steps", "100000"}, {"checkpoint_every", "5"}}, true, name);
        EXPECT_TRUE(run.ok()) << run.error().text();
        EXPECT_TRUE(eventually([&] { return stepOf(run->id) > 6; }));
        return registry().findRun(run->id).value();
    }
};

TEST_F(FaultTest, AKilledEngineLeavesARecord) {
    m_environment.set("HOME", m_folder.path().string());
    const RunRow run = startLive();
    test::writeFile(workspace().runFolder(run.id) / "engine.log", "opened " + (m_folder / "models/a.gguf").string() + "\n\x1b[31mred\n");
    kill(static_cast<pid_t>(engineOf(run.id)), SIGSEGV);
    ASSERT_TRUE(reaches(run.id, RunState::Lost));
    ASSERT_TRUE(eventually([&] { return fs::exists(workspace().runFolder(run.id) / "crash.json"); }));
    const Json crash = record(run.id);
    EXPECT_EQ(crash["signal"], SIGSEGV);
    EXPECT_EQ(crash["signal_name"], "Segmentation fault");
    EXPECT_EQ(crash["exit_code"], nullptr);
    EXPECT_GE(crash["step"].get<int>(), 6);
    EXPECT_EQ(crash["log"][0], "opened ~/models/a.gguf");
    EXPECT_EQ(crash["log"][1].get<std::string>().find('\x1b'), std::string::npos);
    EXPECT_THAT(crash.dump(), Not(HasSubstr(m_folder.path().string()))) << "no home folder in a record";
    EXPECT_THAT(crash.dump(), Not(HasSubstr("MOFO_")));
    EXPECT_EQ(fs::status(workspace().runFolder(run.id) / "crash.json").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(FaultTest, ADeviceFaultIsToldWhileTheRunWaitsForItsRestart) {
    m_environment.set("MOFO_FAKE_FAULT", "exit70:7:1");
    const auto run = start({{"steps", "10"}, {"checkpoint_every", "5"}}, false);
    ASSERT_OK(run);
    SupervisorOptions options;
    options.restartDelaySeconds = {0.6, 0.6, 0.6};
    options.idleSeconds = 0.2;
    std::thread supervisor([&] { EXPECT_OK(supervise(workspace(), options)); });
    EXPECT_TRUE(eventually([&] { return stateOf(run->id) == RunState::Starting && registry().findRun(run->id)->restarts == 1; }));
    EXPECT_THAT(registry().findRun(run->id)->endReason, AllOf(HasSubstr("illegal memory access"), HasSubstr("restart 1 of 3"), HasSubstr("0.6 s")));
    const Json crash = record(run->id);
    EXPECT_EQ(crash["exit_code"], 70);
    EXPECT_THAT(crash["device_fault"].get<std::string>(), HasSubstr("illegal memory access"));
    supervisor.join();
    EXPECT_EQ(stateOf(run->id), RunState::Finished);
}

TEST_F(FaultTest, OutOfMemoryIsExplained) {
    const std::string counters = (m_folder / "vmstat").string();
    test::writeFile(counters, "nr_free_pages 5\noom_kill 3\npgfault 9\n");
    m_environment.set("MOFO_VMSTAT", counters);
    EXPECT_EQ(oomKills(), 3);
    const int killed = SIGKILL, wrapped = 137 << 8, ended = 1 << 8;
    EXPECT_EQ(outOfMemoryText(killed, 3), "") << "nothing struck meanwhile";
    EXPECT_EQ(outOfMemoryText(killed, std::nullopt), "");
    EXPECT_THAT(outOfMemoryText(killed, 1), AllOf(HasSubstr("ran out of memory"), HasSubstr("2 times"), HasSubstr("lower micro_batch")));
    EXPECT_THAT(outOfMemoryText(wrapped, 2), HasSubstr("ran out of memory"));
    EXPECT_EQ(outOfMemoryText(ended, 1), "");
    m_environment.set("MOFO_VMSTAT", "/nonexistent");
    EXPECT_FALSE(oomKills().has_value());
    EXPECT_THAT(describeExit(wrapped), HasSubstr("out-of-memory killer"));

    m_environment.set("MOFO_VMSTAT", counters);
    const RunRow run = startLive();
    test::writeFile(counters, "oom_kill 4\n");
    kill(static_cast<pid_t>(engineOf(run.id)), SIGKILL);
    ASSERT_TRUE(eventually([&] { return registry().findRun(run.id)->endReason.find("ran out of memory") != std::string::npos; }));
    EXPECT_EQ(stateOf(run.id), RunState::Lost) << "never restarted by itself";
    EXPECT_THAT(record(run.id)["text"].get<std::string>(), HasSubstr("ran out of memory"));
}

TEST_F(FaultTest, DeathBySignalIsKnownThroughAWrapper) {
    EXPECT_EQ(deathSignal(SIGSEGV), SIGSEGV);
    EXPECT_EQ(deathSignal(139 << 8), SIGSEGV);
    EXPECT_EQ(deathSignal(130 << 8), std::nullopt) << "an engine's own code for the second signal";
    for (const int code : {0, 1, 70, 127, 128, 200}) EXPECT_EQ(deathSignal(code << 8), std::nullopt) << code;
    test::writeFile(m_folder / "wrapper", "#!/bin/sh\n\"" + test::fakeEngine().string() + "\" \"$@\"\nexit $?\n");
    fs::permissions(m_folder / "wrapper", fs::perms::owner_all);
    m_environment.set("MOFO_ENGINE", (m_folder / "wrapper").string());
    m_environment.set("MOFO_FAKE_FAULT", "kill:3");
    const auto run = start();
    ASSERT_OK(run);
    EXPECT_TRUE(reaches(run->id, RunState::Lost));
    EXPECT_TRUE(eventually([&] { return fs::exists(workspace().runFolder(run->id) / "crash.json"); }));
    EXPECT_EQ(record(run->id)["signal"], SIGKILL);
}

TEST_F(FaultTest, HomeFoldersAreHidden) {
    m_environment.set("HOME", "/home/ann");
    EXPECT_EQ(withoutHome("/home/ann/x and /home/annabel/y, /home/ann"), "~/x and /home/annabel/y, ~");
    m_environment.set("HOME", "/");
    EXPECT_EQ(withoutHome("/etc/x"), "/etc/x");
}

TEST_F(FaultTest, AStoppedEngineIsStalledAndNobodyEndsIt) {
    const RunRow run = startLive();
    const auto silence = [&] { return stalledSeconds(workspace(), registry().findRun(run.id).value(), 0.7); };
    EXPECT_TRUE(eventually([&] { return !silence().has_value(); }, 5));
    const auto engine = static_cast<pid_t>(engineOf(run.id));
    for (int round = 0; round < 3; ++round) {
        {
            // Not in the middle of a commit of its own: this engine writes to workbench.db at every step, and one that is stopped there
            // would keep everybody's database locked.
            SQLite::Database other(workspace().registryFile().string(), SQLite::OPEN_READWRITE, 20000);
            other.exec("BEGIN EXCLUSIVE");
            kill(engine, SIGSTOP);
            ASSERT_TRUE(eventually([&] { return isStopped(engine); }));
        }
        ASSERT_TRUE(eventually([&] { return silence().has_value(); }, 5));
        EXPECT_EQ(stateOf(run.id), RunState::Running) << "it holds its lock";
        EXPECT_FALSE(stalledSeconds(workspace(), registry().findRun(run.id).value()).has_value()) << "not for 30 s";
        kill(engine, SIGCONT);
        EXPECT_TRUE(eventually([&] { return !silence().has_value(); }, 5));
        EXPECT_EQ(engineOf(run.id), engine);
    }
    kill(engine, SIGKILL);
    ASSERT_TRUE(reaches(run.id, RunState::Lost));
    std::this_thread::sleep_for(std::chrono::milliseconds(800));
    EXPECT_FALSE(silence().has_value()) << "one that is gone is lost, not stalled";
}

TEST_F(FaultTest, OfManyEnginesOnOneRunExactlyOneWins) {
    const auto run = start({{"steps", "100000"}}, false);
    ASSERT_OK(run);
    for (int count = 2; count <= 8; ++count) {
        std::vector<pid_t> engines;
        for (int i = 0; i < count; ++i) {
            SpawnOptions spawn;
            spawn.program = test::fakeEngine();
            spawn.arguments = {"--workspace", workspace().folder().string(), "--run", run->id};
            spawn.logFile = workspace().runFolder(run->id) / "engine.log";
            const auto pid = spawnProcess(spawn);
            ASSERT_OK(pid);
            engines.push_back(*pid);
        }
        // The losers end by themselves; the winner stays.
        std::vector<pid_t> left = engines;
        ASSERT_TRUE(eventually([&] {
            std::erase_if(left, [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) == pid; });
            return left.size() <= 1;
        }));
        ASSERT_EQ(left.size(), 1u);
        EXPECT_TRUE(eventually([&] { return engineOf(run->id) == left[0] && stateOf(run->id) == RunState::Running; }));
        kill(left[0], SIGKILL);
        waitpid(left[0], nullptr, 0);
    }
}

TEST_F(FaultTest, AFailedRunDoesNotBlockTheQueue) {
    for (const char* fault : {"exit1:2", "failed:2", "kill:2", "silent:2", "early:3"}) {
        m_environment.set("MOFO_FAKE_FAULT", fault);
        m_environment.set("MOFO_FAKE_FAULT_RUN", std::string("middle ") + fault);
        std::vector<std::string> ids;
        for (const std::string& name :
             {std::string("first ") + fault, std::string("middle ") + fault, std::string("last ") + fault, std::string("very last ") + fault}) {
            const auto run = start({{"steps", "4"}}, false, name);
            ASSERT_OK(run);
            ids.push_back(run->id);
        }
        SupervisorOptions options;
        options.idleSeconds = 0.1;
        ASSERT_OK(supervise(workspace(), options));  // until nothing is left to do
        EXPECT_EQ(stateOf(ids[3]), RunState::Finished) << fault;
        EXPECT_EQ(stateOf(ids[0]), RunState::Finished);
        EXPECT_EQ(stateOf(ids[2]), RunState::Finished);
        const RunState middle = stateOf(ids[1]);
        EXPECT_TRUE(middle == RunState::Failed || middle == RunState::Lost) << fault << ": " << runStateName(middle);
        EXPECT_NE(registry().findRun(ids[1])->endReason, "") << fault;
    }
}

TEST_F(FaultTest, TheNextClientReplacesAKilledSupervisor) {
    const RunRow run = startLive("busy");
    const auto next = start({{"steps", "3"}}, true, "next");
    ASSERT_OK(next);
    const std::int64_t engine = engineOf(run.id);
    kill(static_cast<pid_t>(supervisorPid().value()), SIGKILL);
    ASSERT_TRUE(eventually([&] { return !supervisorPid(); }));
    // Anything that looks at the queue.
    wakeSupervisors(workspace(), *registry().runs());
    ASSERT_TRUE(eventually([&] { return supervisorPid().has_value(); }, 5));
    EXPECT_EQ(engineOf(run.id), engine) << "its engine goes on";
    EXPECT_EQ(stateOf(next->id), RunState::Queued) << "one run at a time";
    const auto uuid = sendCommand(registry(), run, "stop", {{"save", true}}, std::nullopt, "cli");
    ASSERT_OK(uuid);
    EXPECT_TRUE(reaches(run.id, RunState::Stopped));
    EXPECT_TRUE(reaches(next->id, RunState::Finished));
}

// Engines that a killed supervisor started: their device fails under the next one, or while nobody is there.
class AdoptedFaultTest : public FaultTest {
protected:
    /// A run whose engine is alive and whose supervisor was killed.
    RunRow orphan(const std::string& fault) {
        m_environment.set("MOFO_FAKE_FAULT", fault);
        m_environment.set("MOFO_FAKE_STEP_MS", "15");
        const auto run = start({{"steps", "130"}, {"checkpoint_every", "5"}}, true, "orphan");
        EXPECT_TRUE(run.ok()) << run.error().text();
        EXPECT_TRUE(eventually([&] { return stepOf(run->id) > 1; }));
        kill(static_cast<pid_t>(supervisorPid().value_or(0)), SIGKILL);
        EXPECT_TRUE(eventually([&] { return !isSupervised(); }));
        EXPECT_LT(stepOf(run->id), 100);
        return registry().findRun(run->id).value();
    }
    /// By the lock: its text lags behind.
    bool isSupervised() { return FileLock::isHeld(workspace().deviceLock("cpu")); }
    void goOnIdleAfter(double seconds, std::array<double, 3> delays) {
        SupervisorOptions options;
        options.restartDelaySeconds = delays;
        options.idleSeconds = seconds;
        EXPECT_OK(supervise(workspace(), options));
    }
    std::int64_t countOf(const std::string& id, std::int64_t step) {
        const auto reader = MetricsReader::open(workspace().metricsFile(id));
        const auto steps = reader->stepsAfter(0);
        return std::count_if(steps->begin(), steps->end(), [&](const StepRow& row) { return row.step == step; });
    }
};

TEST_F(AdoptedFaultTest, ADeviceFaultOfAnAdoptedEngineIsRestarted) {
    const RunRow run = orphan("exit70:112:1");
    const std::int64_t engine = engineOf(run.id);
    wakeSupervisors(workspace(), *registry().runs());
    ASSERT_TRUE(eventually([&] { return isSupervised(); }, 5)) << "a live engine is not left alone";
    EXPECT_EQ(engineOf(run.id), engine);
    std::string told;
    ASSERT_TRUE(eventually([&] {
        const RunRow now = registry().findRun(run.id).value();
        if (now.state == RunState::Starting) told = now.endReason;
        return now.state == RunState::Finished;
    })) << runStateName(stateOf(run.id));
    EXPECT_THAT(told, AllOf(HasSubstr("illegal memory access"), HasSubstr("restart 1 of 3")));
    EXPECT_EQ(registry().findRun(run.id)->restarts, 1);
    EXPECT_EQ(stepOf(run.id), 130);
    EXPECT_EQ(countOf(run.id, 112), 2) << "the steps after the last checkpoint are done again";
    EXPECT_EQ(countOf(run.id, 109), 1);
    const Json crash = record(run.id);
    EXPECT_EQ(crash["engine"], engine);
    EXPECT_EQ(crash["exit_code"], 70);
    EXPECT_TRUE(eventually([&] { return !isSupervised(); }, 10)) << "and it goes when there is nothing left to do";
}

TEST_F(AdoptedFaultTest, ADeviceFaultThatNobodySawIsRestartedByTheNextClient) {
    const RunRow run = orphan("exit70:112:1");
    ASSERT_TRUE(reaches(run.id, RunState::Lost));
    EXPECT_FALSE(isSupervised());
    EXPECT_TRUE(unseenDeviceFault(workspace(), *registry().findRun(run.id)).has_value());
    auto follower = RunFollower::open(workspace(), run.id, true);
    ASSERT_OK(follower);
    bool ended = false;
    ASSERT_TRUE(eventually([&] {
        const auto update = follower->poll();
        EXPECT_TRUE(update.ok());
        ended = update->ended;
        return ended;
    }));
    EXPECT_EQ(stateOf(run.id), RunState::Finished) << "the follower did not take it for the end";
    EXPECT_EQ(registry().findRun(run.id)->restarts, 1);
    EXPECT_FALSE(unseenDeviceFault(workspace(), *registry().findRun(run.id)).has_value());
}

TEST_F(AdoptedFaultTest, FaultsOfAdoptedEnginesCountAmongTheThree) {
    const RunRow run = orphan("exit70:112:99");
    goOnIdleAfter(0.2, {0.05, 0.05, 0.05});
    const RunRow failed = registry().findRun(run.id).value();
    EXPECT_EQ(failed.state, RunState::Failed);
    EXPECT_EQ(failed.restarts, 3);
    EXPECT_THAT(failed.endReason, HasSubstr("failed 4 times"));
    EXPECT_EQ(countOf(run.id, 112), 4);
}

TEST_F(AdoptedFaultTest, ARestartThatASupervisorWasKilledAtIsMade) {
    const RunRow run = orphan("exit70:112:1");
    const std::int64_t engine = engineOf(run.id);
    ASSERT_TRUE(reaches(run.id, RunState::Lost));
    // Killed after the record, before the restart was counted.
    ASSERT_OK(writeCrashRecord(workspace(), *registry().findRun(run.id), static_cast<pid_t>(engine), kDeviceFaultExit << 8, "the device failed"));
    EXPECT_TRUE(unseenDeviceFault(workspace(), *registry().findRun(run.id)).has_value());
    goOnIdleAfter(0.2, {0.05, 0.05, 0.05});
    EXPECT_EQ(stateOf(run.id), RunState::Finished);
    EXPECT_EQ(registry().findRun(run.id)->restarts, 1);
}

TEST_F(AdoptedFaultTest, OtherDeathsOfAdoptedEnginesAreLost) {
    const RunRow run = orphan("exit70:100000:1");
    const auto engine = static_cast<pid_t>(engineOf(run.id));
    // Of an engine before it.
    test::writeFile(workspace().runFolder(run.id) / "device-fault.json", R"({"pid":)" + std::to_string(engine + 1) + R"(,"text":"CUDA error"})");
    wakeSupervisors(workspace(), *registry().runs());
    ASSERT_TRUE(eventually([&] { return isSupervised(); }, 5));
    kill(engine, SIGKILL);
    ASSERT_TRUE(reaches(run.id, RunState::Lost));
    ASSERT_TRUE(eventually([&] { return !isSupervised(); }, 10));
    EXPECT_EQ(stateOf(run.id), RunState::Lost);
    // The same with a fault that a supervisor saw end otherwise: killed between the record and the exit.
    test::writeFile(workspace().runFolder(run.id) / "device-fault.json", R"({"pid":)" + std::to_string(engine) + R"(,"text":"CUDA error"})");
    EXPECT_TRUE(unseenDeviceFault(workspace(), *registry().findRun(run.id)).has_value());
    ASSERT_OK(writeCrashRecord(workspace(), *registry().findRun(run.id), engine, SIGKILL, "the engine was killed"));
    EXPECT_FALSE(unseenDeviceFault(workspace(), *registry().findRun(run.id)).has_value());
    wakeSupervisors(workspace(), *registry().runs());
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_FALSE(isSupervised());
    EXPECT_EQ(registry().findRun(run.id)->restarts, 0);
}

TEST_F(AdoptedFaultTest, AForegroundRunIsRefusedBesideAnAdoptedEngineAndTheIdleOneGivesWay) {
    const RunRow run = orphan("exit70:100000:1");
    SupervisorOptions options;
    options.idleSeconds = 60;
    std::thread next([&] { EXPECT_OK(supervise(workspace(), options)); });
    EXPECT_TRUE(eventually([&] { return isSupervised(); }, 5));
    const auto refused = claimDevice(workspace(), registry(), "cpu");
    EXPECT_FALSE(refused.ok());
    EXPECT_THAT(refused.ok() ? "" : refused.error().text(), HasSubstr("orphan"));
    EXPECT_TRUE(isSupervised()) << "it has an engine to look after";
    EXPECT_TRUE(reaches(run.id, RunState::Finished));
    EXPECT_OK(claimDevice(workspace(), registry(), "cpu"));
    next.join();
}

TEST_F(FaultTest, NothingWaitsNothingIsWoken) {
    const auto run = start({{"steps", "2"}});
    ASSERT_OK(run);
    ASSERT_TRUE(reaches(run->id, RunState::Finished));
    ASSERT_TRUE(eventually([&] { return !supervisorPid(); }, 10));
    wakeSupervisors(workspace(), *registry().runs());
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_FALSE(supervisorPid().has_value());
}

TEST_F(FaultTest, SigtermStopsAndSaves) {
    const RunRow run = startLive();
    const auto engine = static_cast<pid_t>(engineOf(run.id));
    kill(engine, SIGTERM);
    ASSERT_TRUE(reaches(run.id, RunState::Stopped, 10));
    ASSERT_TRUE(awaitEngineExit(workspace(), run.id));
    const auto reader = MetricsReader::open(workspace().metricsFile(run.id));
    ASSERT_OK(reader);
    EXPECT_EQ(reader->checkpoints()->back().step, stepOf(run.id));
    EXPECT_FALSE(fs::exists(workspace().runFolder(run.id) / "crash.json"));
}

// Supervisor and engines under a wall clock that jumps by years all the time: what is decided is decided by the clock that no one sets.
TEST_F(FaultTest, ClockJumpsChangeNoDecision) {
    const std::string clock = (m_folder / "clock").string();
    test::writeFile(clock, "0");
    m_environment.set("MOFO_TEST_CLOCK", clock);
    m_environment.set("LD_PRELOAD", (test::fakeEngine().parent_path() / "mofo_clock_shim.so").string());
    m_environment.set("MOFO_FAKE_FAULT", "exit70:7:1");
    m_environment.set("MOFO_FAKE_FAULT_RUN", "second");
    std::vector<std::string> ids;
    for (const char* name : {"first", "second", "third"}) {
        const auto run = start({{"steps", "20"}, {"checkpoint_every", "5"}}, false, name);
        ASSERT_OK(run);
        ids.push_back(run->id);
    }
    ASSERT_OK(ensureSupervisor(workspace(), "cpu"));
    const char* const jumps[] = {"315360000", "-315360000", "0", "-1", "3600", "-3600"};
    std::vector<std::string> begun;
    int most = 0, round = 0;
    ASSERT_TRUE(eventually([&] {
        test::writeFile(clock, jumps[static_cast<std::size_t>(round++) % std::size(jumps)]);
        int engines = 0;
        for (const std::string& id : ids) {
            if (engineOf(id) == 0) continue;
            ++engines;
            if (std::find(begun.begin(), begun.end(), id) == begun.end()) begun.push_back(id);
            EXPECT_FALSE(stalledSeconds(workspace(), registry().findRun(id).value(), 10).has_value());
        }
        most = std::max(most, engines);
        return stateOf(ids[2]) == RunState::Finished;
    }));
    EXPECT_EQ(begun, ids);
    EXPECT_EQ(most, 1);
    for (const std::string& id : ids) {
        EXPECT_EQ(stateOf(id), RunState::Finished);
        EXPECT_EQ(stepOf(id), 20);
    }
    EXPECT_EQ(registry().findRun(ids[1])->restarts, 1);
    const std::int64_t years = 5ll * 365 * 86400 * 1'000'000'000;
    const auto reader = MetricsReader::open(workspace().metricsFile(ids[0]));
    ASSERT_OK(reader);
    const auto steps = reader->stepsAfter(0);
    EXPECT_TRUE(std::any_of(steps->begin(), steps->end(), [&](const StepRow& row) { return std::abs(row.wallNs - wallNs()) > years; }))
        << "the clock did jump";
}

TEST_F(FaultTest, DamageToACheckpointIsFound) {
    const auto run = start({{"steps", "6"}, {"checkpoint_every", "3"}});
    ASSERT_OK(run);
    ASSERT_TRUE(reaches(run->id, RunState::Finished));
    const auto reader = MetricsReader::open(workspace().metricsFile(run->id));
    ASSERT_OK(reader);
    const CheckpointRow row = reader->checkpoints()->front();
    const fs::path folder = workspace().checkpointsFolder(run->id) / row.folder;
    const auto good = verifyCheckpoint(folder, row);
    ASSERT_OK(good);
    EXPECT_EQ(good->files, 1);
    EXPECT_EQ(verifyCheckpoint(folder, row, [](std::int64_t) { return false; }).error().code, ErrorCode::Interrupted);
    const std::string weights = test::readFile(folder / "model.safetensors"), manifest = test::readFile(folder / "manifest.json");
    const auto expectRefused = [&](const std::string& file, std::string bytes, const char* says) {
        const std::string before = test::readFile(folder / file);
        test::writeFile(folder / file, bytes);
        const auto refused = verifyCheckpoint(folder, row);
        ASSERT_FALSE(refused.ok()) << says;
        EXPECT_EQ(refused.error().tag, "CHANGED");
        EXPECT_THAT(refused.error().text(), AllOf(HasSubstr(says), HasSubstr(file)));
        test::writeFile(folder / file, before);
    };
    for (std::size_t i = 0; i < weights.size(); ++i) {
        std::string flipped = weights;
        flipped[i] = static_cast<char>(flipped[i] ^ 1);
        expectRefused("model.safetensors", flipped, "SHA-256 differs");
    }
    expectRefused("model.safetensors", weights + "x", "bytes, and its manifest says");
    expectRefused("manifest.json", manifest + " ", "not the one that was written");
    fs::remove(folder / "model.safetensors");
    EXPECT_EQ(verifyCheckpoint(folder, row).error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace mofo
