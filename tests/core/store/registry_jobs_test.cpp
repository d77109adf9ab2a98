#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

using test::ChildProcess;
using test::exampleRun;
using test::StoreFixture;
using ::testing::HasSubstr;

JobRow exampleJob(const std::string& id) {
    JobRow job;
    job.id = id;
    job.kind = "score";
    job.parameters = Json{{"model", "m"}, {"limit", 10}};
    job.createdNs = 5;
    return job;
}

class RegistryJobsTest : public ::testing::Test, public StoreFixture {};

TEST_F(RegistryJobsTest, KeepsEveryField) {
    ASSERT_OK(registry.addRun(exampleRun("r1", "one")));
    JobRow job = exampleJob("j1");
    job.device = "cuda-0";
    job.state = JobState::Failed;
    job.runId = "r1";
    job.startedNs = 6;
    job.endedNs = 7;
    job.phase = "read";
    job.progress = 0.5;
    job.endReason = "No space.";
    job.cancelRequested = true;
    ASSERT_OK(registry.addJob(job));
    const auto back = registry.findJob("j1");
    ASSERT_OK(back);
    EXPECT_EQ(back->kind, "score");
    EXPECT_EQ(back->parameters, job.parameters);
    EXPECT_EQ(back->device, "cuda-0");
    EXPECT_EQ(back->state, JobState::Failed);
    EXPECT_EQ(back->runId, "r1");
    EXPECT_EQ(back->createdNs, 5);
    EXPECT_EQ(back->startedNs, 6);
    EXPECT_EQ(back->endedNs, 7);
    EXPECT_EQ(back->phase, "read");
    EXPECT_EQ(back->progress, 0.5);
    EXPECT_EQ(back->endReason, "No space.");
    EXPECT_TRUE(back->cancelRequested);
}

TEST_F(RegistryJobsTest, AreFoundByUniquePrefixAndListedNewestFirst) {
    for (const char* id : {"abc1", "abd2", "xyz3"}) ASSERT_OK(registry.addJob(exampleJob(id)));
    EXPECT_EQ(registry.findJob("abc")->id, "abc1");
    EXPECT_EQ(registry.findJob("abc1")->id, "abc1");
    const auto ambiguous = registry.findJob("ab");
    ASSERT_FALSE(ambiguous.ok());
    EXPECT_EQ(ambiguous.error().code, ErrorCode::Conflict);
    EXPECT_THAT(ambiguous.error().text(), HasSubstr("abc1"));
    EXPECT_EQ(registry.findJob("q").error().code, ErrorCode::NotFound);
    EXPECT_EQ(registry.findJob("").error().code, ErrorCode::NotFound);
    ASSERT_OK(registry.addJob(exampleJob("abc")));
    EXPECT_EQ(registry.findJob("abc")->id, "abc") << "a whole id goes before longer ones";
    const auto list = registry.jobs();
    ASSERT_OK(list);
    EXPECT_EQ((*list)[0].id, "abc");
    EXPECT_EQ((*list)[3].id, "abc1");
}

TEST_F(RegistryJobsTest, AreTakenInOrderAndCancelledOnesArePassedOver) {
    for (const char* id : {"j1", "j2", "j3"}) ASSERT_OK(registry.addJob(exampleJob(id)));
    ASSERT_OK(registry.requestJobCancel("j1"));
    test::tamper(workspace.registryFile(), "UPDATE jobs SET parameters = '{' WHERE id = 'j2'");
    EXPECT_FALSE(registry.takeNextQueuedJob("cuda-0")->has_value());
    const auto taken = registry.takeNextQueuedJob("cpu");
    ASSERT_OK(taken);
    ASSERT_TRUE(taken->has_value());
    EXPECT_EQ((*taken)->id, "j3");
    EXPECT_EQ((*taken)->state, JobState::Starting);
    EXPECT_EQ(registry.findJob("j1")->state, JobState::Cancelled);
    EXPECT_EQ(registry.findJob("j2")->state, JobState::Failed);
    EXPECT_THAT(registry.findJob("j2")->endReason, HasSubstr("damaged"));
    EXPECT_FALSE(registry.takeNextQueuedJob("cpu")->has_value());
}

TEST_F(RegistryJobsTest, ProgressStaysAShare) {
    ASSERT_OK(registry.addJob(exampleJob("j1")));
    for (const auto& [given, kept] : {std::pair(0.25, 0.25), std::pair(1.5, 1.0), std::pair(-1.0, 0.0), std::pair(std::nan(""), 0.0)}) {
        ASSERT_OK(registry.setJobProgress("j1", "work", given));
        EXPECT_EQ(registry.findJob("j1")->progress, kept);
    }
    EXPECT_EQ(registry.findJob("j1")->phase, "work");
}

TEST_F(RegistryJobsTest, LostIsDerivedFromTheLock) {
    ASSERT_OK(registry.addJob(exampleJob("j1")));
    ASSERT_OK(makeFolder(workspace.jobFolder("j1"), false));
    ASSERT_OK(registry.setJobState("j1", JobState::Running));
    EXPECT_EQ(registry.findJob("j1")->state, JobState::Lost);
    {
        ChildProcess engine([&] {
            static auto lock = FileLock::tryAcquire(workspace.jobLock("j1"));
            return lock.ok();
        });
        ASSERT_TRUE(engine.ready());
        EXPECT_EQ(registry.findJob("j1")->state, JobState::Running);
    }
    EXPECT_EQ((*registry.jobs())[0].state, JobState::Lost);
    ASSERT_OK(registry.setJobState("j1", JobState::Finished));
    EXPECT_EQ(registry.findJob("j1")->state, JobState::Finished);
    EXPECT_TRUE(registry.findJob("j1")->endedNs.has_value());
    EXPECT_EQ(registry.setJobState("j1", JobState::Lost).error().code, ErrorCode::Internal);
}

TEST_F(RegistryJobsTest, UnknownOnesAreNotFound) {
    for (const auto& result : {registry.setJobState("x", JobState::Running), registry.setJobProgress("x", "", 0), registry.requestJobCancel("x")}) {
        ASSERT_FALSE(result.ok());
        EXPECT_EQ(result.error().code, ErrorCode::NotFound);
    }
}

}  // namespace
}  // namespace mofo
