// What is asked of a run while something long is under way, or while somebody keeps the registry locked.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/engine/trainer.h"
#include "core/engine/training_state.h"
#include "tests/core/engine/resume_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;

class Meanwhile : public test::ResumeTest {
protected:
    ~Meanwhile() override { EXPECT_OK(setFailpoints("")); }
    [[nodiscard]] RunConfig eightSteps() const {
        RunConfig c = config();
        c.steps = 8;
        c.checkpointEvery = 4;
        return c;
    }
    /// The engine on a thread of its own, as the other programs of a workspace see it.
    std::future<Result<void>> start(const std::string& run) {
        return std::async(std::launch::async, [this, run] { return trainRun(m_engine->workspace(), run); });
    }
    static bool waitUntil(const std::function<bool()>& holds, double seconds = 60) {
        const Stopwatch clock;
        while (clock.elapsedMs() < seconds * 1e3) {
            if (holds()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return false;
    }
    bool checkpointKnown(const std::string& run) { return !MetricsReader::open(m_engine->workspace().metricsFile(run))->checkpoints()->empty(); }
    std::int64_t stepsStored(const std::string& run) {
        const auto reader = MetricsReader::open(m_engine->workspace().metricsFile(run));
        if (!reader.ok()) return 0;
        const auto steps = reader->stepsAfter(0);
        return steps.ok() && !steps->empty() ? steps->back().step : 0;
    }
};

TEST_F(Meanwhile, ChangesAreAnsweredBeforeTheCheckpointIsDoneAndUsedAfterIt) {
    const std::string planned = m_engine->addRun(eightSteps(), "planned"), asked = m_engine->addRun(eightSteps(), "asked");
    send(planned, "set", {{"alpha", "0.4"}, {"granularity", "row"}}, 5);
    const auto a = m_engine->train(planned);

    // A slow disk: three seconds between the rename and the last byte read back.
    ASSERT_OK(setFailpoints("checkpoint.verify=delay:3000"));
    auto engine = start(asked);
    ASSERT_TRUE(waitUntil([&] { return fs::exists(checkpointFolder(asked, "step-00000004")); }));
    const std::string pause = send(asked, "pause", Json::object()), change = send(asked, "set", {{"alpha", "0.4"}, {"granularity", "row"}});
    ASSERT_TRUE(waitUntil([&] { return acknowledgement(asked, change).has_value(); }));
    EXPECT_FALSE(checkpointKnown(asked)) << "the answer came only after the checkpoint";
    EXPECT_EQ(acknowledgement(asked, change)->appliedStep, 5);
    EXPECT_TRUE(acknowledgement(asked, pause)->accepted);
    // What the checkpoint holds comes before the change; the pause holds after it.
    ASSERT_TRUE(waitUntil([&] { return m_engine->registry().findRun(asked)->state == RunState::Paused; }));
    EXPECT_EQ(stepsStored(asked), 4);
    const auto kept = TrainingState::fromJson(last(asked).state);
    ASSERT_OK(kept);
    EXPECT_EQ(kept->config, eightSteps());
    send(asked, "resume", Json::object());
    ASSERT_OK(engine.get());
    ASSERT_OK(setFailpoints(""));
    EXPECT_EQ(m_engine->weightsHash(planned), m_engine->weightsHash(asked));
    EXPECT_EQ(stepsStored(asked), a.steps.back().step);
}

TEST_F(Meanwhile, AnAnswerOfThatTimeIsReplayedFromTheCheckpoint) {
    const std::string planned = m_engine->addRun(eightSteps(), "planned"), asked = m_engine->addRun(eightSteps(), "asked");
    send(planned, "set", {{"alpha", "0.4"}}, 5);
    m_engine->train(planned);

    ASSERT_OK(setFailpoints("checkpoint.verify=delay:2000"));
    auto engine = start(asked);
    ASSERT_TRUE(waitUntil([&] { return fs::exists(checkpointFolder(asked, "step-00000004")); }));
    const std::string change = send(asked, "set", {{"alpha", "0.4"}});
    ASSERT_TRUE(waitUntil([&] { return acknowledgement(asked, change).has_value(); }));
    send(asked, "stop", {{"save", false}});
    ASSERT_OK(engine.get());
    ASSERT_OK(setFailpoints(""));
    const auto b = m_engine->train(asked);
    ASSERT_FALSE(b.error) << b.error->text();
    EXPECT_EQ(m_engine->weightsHash(planned), m_engine->weightsHash(asked));
}

TEST_F(Meanwhile, StoppingWithoutSavingGivesTheCheckpointUp) {
    const auto whole = m_engine->trainNew(eightSteps(), "whole");
    const std::string run = m_engine->addRun(eightSteps(), "given up");
    ASSERT_OK(setFailpoints("checkpoint.begin=delay:2000"));
    auto engine = start(run);
    ASSERT_TRUE(waitUntil([&] { return stepsStored(run) == 4; }));
    send(run, "stop", {{"save", false}});
    ASSERT_OK(engine.get());
    ASSERT_OK(setFailpoints(""));
    EXPECT_EQ(m_engine->registry().findRun(run)->state, RunState::Stopped);
    EXPECT_FALSE(checkpointKnown(run));
    EXPECT_TRUE(checkpointFolders(m_engine->workspace().checkpointsFolder(run)).empty());
    const auto again = m_engine->train(run);
    ASSERT_FALSE(again.error) << again.error->text();
    EXPECT_EQ(m_engine->weightsHash(whole.run.id), m_engine->weightsHash(run));
}

TEST_F(Meanwhile, ARegistryThatSomebodyKeepsLockedHoldsUpNeitherStepsNorTheirRows) {
    RunConfig c = config();
    c.steps = 100'000;
    c.checkpointEvery = 0;
    const std::string run = m_engine->addRun(c, "locked");
    auto engine = start(run);
    ASSERT_TRUE(waitUntil([&] { return stepsStored(run) > 0; }));
    {
        SQLite::Database other((m_engine->workspace().registryFile()).string(), SQLite::OPEN_READWRITE, 10'000);
        other.exec("BEGIN EXCLUSIVE");
        const Stopwatch clock;
        const std::int64_t before = stepsStored(run);
        // Longer than anything else that may be under way; an engine that waits for the lock would not get there at all.
        ASSERT_TRUE(waitUntil([&] { return clock.elapsedMs() > 3000 && stepsStored(run) > before + 5; }, 15));
        other.exec("ROLLBACK");
    }
    const std::string stop = send(run, "stop", {{"save", false}});
    ASSERT_TRUE(waitUntil([&] { return acknowledgement(run, stop).has_value(); }));
    ASSERT_OK(engine.get());
    EXPECT_EQ(m_engine->registry().findRun(run)->state, RunState::Stopped);
}

}  // namespace
}  // namespace mofo
