// A run whose memory runs out: it says what it needed, keeps what it has, and goes on in smaller pieces where it may.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/failpoint.h"
#include "tests/core/engine/engine_support.h"

namespace mofo::test {
namespace {

using testing::HasSubstr;

class RunMemory : public TrainingTest {
protected:
    ~RunMemory() override { EXPECT_OK(setFailpoints("")); }
    /// The place is met once by the rehearsal, then twice by each step: pieces of four and two rows.
    EngineFixture::Trained trainFailing(const RunConfig& config, const std::string& name, const char* when) {
        EXPECT_OK(setFailpoints(std::string("step.memory=ENOMEM@") + when));
        EngineFixture::Trained trained = m_engine->train(m_engine->addRun(config, name));
        EXPECT_OK(setFailpoints(""));
        return trained;
    }
    static std::vector<std::string> textsOf(const EngineFixture::Trained& trained, const std::string& kind) {
        std::vector<std::string> texts;
        for (const EventRow& event : trained.events) {
            if (event.kind == kind) texts.push_back(event.text);
        }
        return texts;
    }
};

TEST_F(RunMemory, TheLongestMicroBatchIsRehearsedAndBothFiguresAreStored) {
    const EngineFixture::Trained trained = m_engine->trainNew(config(), "plain");
    const std::vector<std::string> texts = textsOf(trained, "memory");
    ASSERT_EQ(texts.size(), 1u);
    EXPECT_THAT(texts[0], testing::AllOf(HasSubstr("forecast"), HasSubstr("measured"), HasSubstr("4 rows")));
    const auto reader = MetricsReader::open(m_engine->workspace().metricsFile(trained.run.id));
    ASSERT_OK(reader);
    const auto fact = reader->fact("memory");
    ASSERT_OK(fact);
    ASSERT_TRUE(fact->has_value());
    EXPECT_GT((**fact)["forecast_bytes"].get<std::uint64_t>(), 0u);
    EXPECT_GT((**fact)["measured_bytes"].get<std::uint64_t>(), 0u);
    EXPECT_EQ((**fact)["rows"], 4);
}

TEST_F(RunMemory, AStepIsTriedAgainInSmallerPieces) {
    const EngineFixture::Trained expected = m_engine->trainNew(config(), "plain");
    RunConfig settings = config();
    settings.oomRetry = true;
    const EngineFixture::Trained got = trainFailing(settings, "retried", "6");
    EXPECT_FALSE(got.error);
    // Another order of sums, nothing else: 1e-6 of fp32's sums over twelve steps.
    expectEqualSteps(expected, got, 1e-5);
    const std::vector<std::string> texts = textsOf(got, "memory");
    ASSERT_EQ(texts.size(), 2u);
    EXPECT_THAT(texts[1],
                testing::AllOf(HasSubstr("step 3 ran out of memory with 4 rows at a time"), HasSubstr("weights"), HasSubstr("tried again with 2")));
    const std::vector<std::string> set = textsOf(got, "set");
    ASSERT_EQ(set.size(), 1u);
    EXPECT_EQ(set[0], "micro_batch 4 -> 2 from step 3");
}

TEST_F(RunMemory, TheRehearsalFindsItOutBeforeTheFirstStep) {
    RunConfig settings = config();
    settings.oomRetry = true;
    const EngineFixture::Trained got = trainFailing(settings, "retried", "1");
    EXPECT_FALSE(got.error);
    EXPECT_EQ(got.steps.size(), 12u);
    EXPECT_THAT(textsOf(got, "set"), testing::ElementsAre("micro_batch 4 -> 2 from step 1"));
}

TEST_F(RunMemory, WithoutLeaveItEndsAndSaysWhatItNeeded) {
    RunConfig settings = config();
    settings.checkpointEvery = 2;
    EXPECT_OK(setFailpoints("step.memory=ENOMEM@8"));
    const std::string id = m_engine->addRun(settings, "ends");
    const EngineFixture::Trained got = m_engine->train(id);
    EXPECT_OK(setFailpoints(""));
    ASSERT_TRUE(got.error);
    EXPECT_EQ(got.error->code, ErrorCode::OutOfMemory);
    EXPECT_THAT(got.error->message, testing::AllOf(HasSubstr("step 4 ran out of memory"), HasSubstr("forecast: "), HasSubstr("activations"),
                                                   HasSubstr("the checkpoint of step 2 is whole")));
    EXPECT_THAT(got.error->remedy, testing::AllOf(HasSubstr("micro_batch=2"), HasSubstr("oom_retry=true")));
    const EngineFixture::Trained resumed = m_engine->train(id);
    EXPECT_EQ(resumed.steps.back().step, 12) << "and goes on from there";
}

TEST_F(RunMemory, OneRowCannotBeHalved) {
    RunConfig settings = config();
    settings.oomRetry = true;
    EXPECT_OK(setFailpoints("step.memory=ENOMEM@1+"));
    const EngineFixture::Trained got = m_engine->train(m_engine->addRun(settings, "never"));
    EXPECT_OK(setFailpoints(""));
    ASSERT_TRUE(got.error);
    EXPECT_EQ(got.error->code, ErrorCode::OutOfMemory);
    EXPECT_THAT(textsOf(got, "set"), testing::ElementsAre("micro_batch 4 -> 2 from step 1", "micro_batch 2 -> 1 from step 1"));
    EXPECT_THAT(got.error->remedy, HasSubstr("recompute=layer"));
}

TEST_F(RunMemory, ARunThatCannotFitIsRefusedWithWhatWouldFit) {
    RunConfig settings = config();
    settings.batch = 1 << 20;
    settings.microBatch = 0;
    const EngineFixture::Trained got = m_engine->train(m_engine->addRun(settings, "large"));
    ASSERT_TRUE(got.error);
    EXPECT_EQ(got.error->code, ErrorCode::OutOfMemory);
    EXPECT_THAT(got.error->text(), testing::AllOf(HasSubstr("activations"), HasSubstr("are free"), HasSubstr("With micro_batch=")));
    EXPECT_TRUE(got.steps.empty());
}

}  // namespace
}  // namespace mofo::test
