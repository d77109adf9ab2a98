// Every named place of the checkpoint protocol fails once, or is where the engine dies: a valid checkpoint remains, and the run ends with the same
// bits.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <set>
#include <thread>

#include "core/base/failpoint.h"
#include "core/base/file.h"
#include "tests/core/engine/resume_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;

class CheckpointFaults : public test::ResumeTest {
protected:
    CheckpointFaults() {
        m_config = config();
        m_config.steps = 8;
        m_config.checkpointEvery = 2;
        m_config.keep = 1;
        recordFailpoints(true);
        m_whole = m_engine->trainNew(m_config, "whole");
        m_places = recordedFailpoints();
        // Other places belong to other tests.
        std::erase_if(m_places, [](const auto& place) {
            return !place.first.starts_with("checkpoint.") && !place.first.starts_with("file.") && !place.first.starts_with("folder.") &&
                   !place.first.starts_with("db.");
        });
        recordFailpoints(false);
        m_digest = last(m_whole.run.id).stateDigest;
    }
    ~CheckpointFaults() override { EXPECT_OK(setFailpoints("")); }

    /// What the store calls complete can be read through, whatever happened.
    void expectWholeCheckpoints(const std::string& run) {
        const auto reader = MetricsReader::open(m_engine->workspace().metricsFile(run));
        if (!reader.ok()) return;  // died before there was one
        int usable = 0, complete = 0;
        const auto rows = *reader->checkpoints();
        for (const CheckpointRow& row : rows) {
            if (row.superseded) continue;
            ++complete;
            usable += openCheckpoint(checkpointFolder(run, row.folder), true).ok() ? 1 : 0;
        }
        EXPECT_EQ(usable, complete);
    }
    void expectTheSameEnd(const std::string& run) {
        EXPECT_OK(setFailpoints(""));
        const auto end = m_engine->train(run);
        ASSERT_FALSE(end.error) << end.error->text();
        EXPECT_EQ(last(run).stateDigest, m_digest) << eventsText(end);
        for (const auto& entry : fs::directory_iterator(m_engine->workspace().checkpointsFolder(run)))
            EXPECT_TRUE(entry.path().filename().string().starts_with("step-")) << entry.path();
    }
    /// The program mofo-engine on a run, with failpoints set.
    int runEngine(const std::string& run, const std::string& failpoints) {
        const std::string workspace = (m_engine->folder() / "workspace").string(), setting = "MOFO_FAILPOINTS=" + failpoints;
        const char* const arguments[] = {MOFO_ENGINE_PROGRAM, "--workspace", workspace.c_str(), "--run", run.c_str(), nullptr};
        std::vector<char*> environment;
        for (char** one = environ; *one != nullptr; ++one) environment.push_back(*one);
        environment.push_back(const_cast<char*>(setting.c_str()));
        environment.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        pid_t pid = 0;
        EXPECT_EQ(posix_spawn(&pid, MOFO_ENGINE_PROGRAM, &actions, nullptr, const_cast<char* const*>(arguments), environment.data()), 0);
        posix_spawn_file_actions_destroy(&actions);
        int status = 0;
        EXPECT_EQ(waitpid(pid, &status, 0), pid);
        return status;
    }

    RunConfig m_config;
    test::EngineFixture::Trained m_whole;
    std::map<std::string, int> m_places;
    std::string m_digest;
};

TEST_F(CheckpointFaults, TheProtocolHasItsPlaces) {
    for (const char* name : {"checkpoint.begin", "folder.create", "file.create", "file.write", "file.fsync", "file.close", "folder.entry_fsync",
                             "folder.fsync", "folder.rename", "checkpoint.renamed", "checkpoint.verify", "checkpoint.row", "checkpoint.remove",
                             "checkpoint.removed_manifest", "db.begin", "db.commit", "db.committed"})
        EXPECT_GT(m_places[name], 0) << name;
}

TEST_F(CheckpointFaults, EachPlaceFailsOnce) {
    int walked = 0;
    for (const auto& [name, count] : m_places) {
        // The first time, and in the middle of the second checkpoint.
        for (const int n : std::set<int>{1, count / 2 + 1}) {
            for (const char* error : {"EIO", "ENOSPC"}) {
                if (n == 1 && count > 1 && std::string_view(error) == "ENOSPC") continue;
                const std::string place = name + "=" + error + "@" + std::to_string(n);
                SCOPED_TRACE(place);
                const std::string run = m_engine->addRun(m_config, place);
                ASSERT_OK(setFailpoints(place));
                const auto first = m_engine->train(run);
                ++walked;
                // The database is not trusted after EIO: the run ends, and goes on with the next engine. All else is overcome.
                if (name.starts_with("db.") && std::string_view(error) == "EIO") {
                    EXPECT_TRUE(!first.error || first.error->code == ErrorCode::Io);
                } else if (name == "folder.fsync" && n == 1) {
                    EXPECT_TRUE(first.error) << "the run's database cannot be made";
                } else {
                    EXPECT_FALSE(first.error) << first.error->text();
                }
                EXPECT_OK(setFailpoints(""));
                expectWholeCheckpoints(run);
                if (first.error) {
                    expectTheSameEnd(run);
                } else {
                    EXPECT_EQ(last(run).stateDigest, m_digest) << eventsText(first);
                }
            }
        }
    }
    EXPECT_GE(walked, 40);
}

TEST_F(CheckpointFaults, TheEngineDiesAtEachPlace) {
    int died = 0;
    for (const auto& [name, count] : m_places) {
        const std::string place = name + "=kill@" + std::to_string(count / 2 + 1);
        SCOPED_TRACE(place);
        const std::string run = m_engine->addRun(m_config, place);
        const int status = runEngine(run, place);
        // Times at which the store commits depend on the clock.
        const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        EXPECT_TRUE(killed || name.starts_with("db.")) << status;
        died += killed ? 1 : 0;
        expectWholeCheckpoints(run);
        if (killed) expectTheSameEnd(run);
    }
    EXPECT_GE(died, 14);
}

TEST_F(CheckpointFaults, ADiskThatStaysFullIsWaitedForAndTheEndIsTheSame) {
    const std::string run = m_engine->addRun(m_config, "full");
    ASSERT_OK(setFailpoints("file.write=ENOSPC@70+"));
    std::thread frees([&] {
        for (int i = 0; i < 400; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(25));
            if (m_engine->registry().findRun(run)->state == RunState::Paused) break;
        }
        EXPECT_EQ(m_engine->registry().findRun(run)->state, RunState::Paused);
        EXPECT_OK(setFailpoints(""));
    });
    const auto trained = m_engine->train(run);
    frees.join();
    ASSERT_FALSE(trained.error) << trained.error->text();
    EXPECT_EQ(last(run).stateDigest, m_digest);
    EXPECT_THAT(eventsText(trained), ::testing::HasSubstr("Training is paused: free disk space, and it goes on by itself"));
    EXPECT_THAT(eventsText(trained), ::testing::HasSubstr("what stood in the way is gone"));
}

TEST_F(CheckpointFaults, AFullStoreIsWaitedForAndLosesNoEvent) {
    const std::string run = m_engine->addRun(m_config, "full store");
    ASSERT_OK(setFailpoints("db.commit=ENOSPC@3+"));
    std::thread frees([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(1500));
        EXPECT_OK(setFailpoints(""));
    });
    const auto trained = m_engine->train(run);
    frees.join();
    ASSERT_FALSE(trained.error) << trained.error->text();
    EXPECT_EQ(last(run).stateDigest, m_digest);
    EXPECT_EQ(trained.steps.size(), 8u);
    std::int64_t seq = 0;
    for (const EventRow& event : trained.events) EXPECT_EQ(event.seq, ++seq);
}

TEST_F(CheckpointFaults, GivingUpOnAFullDiskKeepsWhatWasSavedBefore) {
    const std::string run = m_engine->addRun(m_config, "given up");
    ASSERT_OK(setFailpoints("checkpoint.begin=ENOSPC@2+"));
    std::thread gives([&] {
        for (int i = 0; i < 400; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(25));
            if (m_engine->registry().findRun(run)->state == RunState::Paused) break;
        }
        send(run, "stop", {{"save", false}});
    });
    const auto stopped = m_engine->train(run);
    gives.join();
    EXPECT_EQ(stopped.run.state, RunState::Stopped);
    EXPECT_EQ(stopped.checkpoints.size(), 1u);
    expectTheSameEnd(run);
}

}  // namespace
}  // namespace mofo
