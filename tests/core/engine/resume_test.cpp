// A run that was interrupted ends with the bits of one that was not; what changed meanwhile is named; undo and branches go back to those bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/ids.h"
#include "core/engine/training_state.h"
#include "tests/core/engine/resume_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

using test::EngineFixture;
using ::testing::HasSubstr;

class Resume : public test::ResumeTest {};

TEST_F(Resume, AtEveryStepWithLiveChangesEndsWithTheSameBits) {
    RunConfig c = longConfig();
    test::writeTinyData(m_files / "eval.jsonl", 5);
    c.evalData = (m_files / "eval.jsonl").string();
    c.evalEvery = 4;
    const std::string whole = m_engine->addRun(c, "whole");
    sendChanges(whole);
    const auto a = m_engine->train(whole);
    ASSERT_EQ(a.steps.size(), 20u);
    for (std::int64_t step = 1; step <= 19; ++step) {
        SCOPED_TRACE(step);
        const std::string cut = m_engine->addRun(c, "cut " + std::to_string(step));
        sendChanges(cut);
        // Every third one dies without saving, so that changes are replayed from the checkpoint before.
        trainUntil(cut, step, step % 3 != 0);
        expectSame(a, m_engine->train(cut));
    }
}

TEST_F(Resume, SeveralTimesWithoutShufflingAndWithAnotherMethod) {
    RunConfig c = longConfig();
    c.shuffle = false;
    c.optimizer = OptimizerKind::Hft;
    c.hftEvery = 3;
    c.checkpointEvery = 0;
    const auto a = m_engine->trainNew(c, "whole");
    const std::string cut = m_engine->addRun(c, "cut");
    for (const std::int64_t step : {1, 2, 7, 8, 13, 19}) trainUntil(cut, step, true);
    expectSame(a, m_engine->train(cut));
}

TEST_F(Resume, EvaluatingChangesNoBit) {
    RunConfig plain = longConfig(), evaluated = longConfig();
    evaluated.evalSplit = 0;
    test::writeTinyData(m_files / "eval.jsonl", 5);
    evaluated.evalData = (m_files / "eval.jsonl").string();
    evaluated.evalEvery = 3;
    const auto a = m_engine->trainNew(plain, "plain"), b = m_engine->trainNew(evaluated, "evaluated");
    expectEqualSteps(a, b, 0);
    EXPECT_EQ(last(a.run.id).tensorHashes, last(b.run.id).tensorHashes);
    // The best held-out loss is part of the state, and so of its digest.
    EXPECT_NE(last(a.run.id).stateDigest, last(b.run.id).stateDigest);
}

TEST_F(Resume, StatisticsGoOnAsIfNothingHadHappened) {
    RunConfig c = longConfig();
    const auto a = m_engine->trainNew(c, "whole");
    const std::string cut = m_engine->addRun(c, "cut");
    trainUntil(cut, 10, true);
    const auto b = m_engine->train(cut);
    ASSERT_TRUE(a.tensors && b.tensors);
    EXPECT_EQ(a.tensors->coverage, b.tensors->coverage);
    EXPECT_EQ(a.tensors->churn, b.tensors->churn);
}

TEST_F(Resume, ACheckpointHoldsTheSettingsOfItsStepNotOfTheNext) {
    const std::string id = m_engine->addRun(longConfig(), "boundary");
    send(id, "set", {{"alpha", "0.6"}}, 6);
    send(id, "checkpoint", {}, 6);  // after the change in order of arrival, before update 6
    trainUntil(id, 7, false);
    const auto found = openCheckpoint(checkpointFolder(id, "step-00000005"), true);
    ASSERT_OK(found);
    EXPECT_EQ(found->state["config"]["alpha"], "0.15");
    EXPECT_TRUE(found->state["journal"]["applied"].empty());
}

TEST_F(Resume, UndoGoesBackToTheBitsOfThen) {
    for (const bool diesAfterwards : {false, true}) {
        SCOPED_TRACE(diesAfterwards);
        const std::string straight = m_engine->addRun(longConfig(), "straight"), undone = m_engine->addRun(longConfig(), "undone");
        for (const std::string& id : {straight, undone}) {
            send(id, "set", {{"alpha", "0.4"}}, 3);
            send(id, "set", {{"granularity", "row"}}, 15);  // still to come when the run goes back
        }
        const std::string taken = send(undone, "set", {{"alpha", "0.9"}, {"rule", "random"}}, 6);
        const std::string uuid = send(undone, "undo", {{"to", 4}}, 11);
        const auto a = m_engine->train(straight);
        if (diesAfterwards) {
            send(undone, "stop", {{"save", false}}, 12);
            m_engine->train(undone);
        }
        const auto b = m_engine->train(undone);
        expectSame(a, b);
        const auto answer = acknowledgement(undone, uuid);
        ASSERT_TRUE(answer);
        EXPECT_TRUE(answer->accepted) << answer->reason;
        EXPECT_EQ(answer->appliedStep, 5);
        EXPECT_TRUE(acknowledgement(undone, taken)->superseded);
        EXPECT_THAT(eventsText(b), HasSubstr("went back from step 10 to step 4"));
        EXPECT_THAT(eventsText(b), HasSubstr("still to come: granularity=row at step 15"));
        // Step 10 was saved before; what was trained after step 4 is in the store still, superseded.
        const auto reader = MetricsReader::open(m_engine->workspace().metricsFile(undone));
        const auto rows = *reader->stepsAfter(0);
        EXPECT_EQ(std::count_if(rows.begin(), rows.end(), [](const StepRow& row) { return row.superseded; }), diesAfterwards ? 9 : 6);
        const auto checkpoints = *reader->checkpoints(true);
        const auto before = std::find_if(checkpoints.begin(), checkpoints.end(), [](const auto& row) { return row.folder == "step-00000010"; });
        ASSERT_NE(before, checkpoints.end());
        EXPECT_TRUE(before->superseded);
        EXPECT_TRUE(std::any_of(checkpoints.begin(), checkpoints.end(), [](const auto& row) { return row.folder == "step-00000008-2"; }));
    }
}

TEST_F(Resume, UndoToTheBeginningAndToWhatIsNotThere) {
    const auto a = m_engine->trainNew(longConfig(), "straight");
    const std::string id = m_engine->addRun(longConfig(), "undone");
    const std::string none = send(id, "undo", {{"to", 5}}, 10), ahead = send(id, "undo", {{"to", 15}}, 10), wrong = send(id, "undo", {}, 10);
    send(id, "undo", {{"to", 0}}, 10);
    const auto b = m_engine->train(id);
    expectSame(a, b);
    EXPECT_THAT(acknowledgement(id, none)->reason, HasSubstr("there is no checkpoint of step 5; there are 0, 4, 8"));
    EXPECT_THAT(acknowledgement(id, ahead)->reason, HasSubstr("the run is at step 9"));
    EXPECT_THAT(acknowledgement(id, wrong)->reason, HasSubstr("{\"to\": STEP}"));
}

class Branch : public test::ResumeTest {
protected:
    std::string addBranch(const std::string& parent, std::int64_t step, const RunConfig& config) {
        RunRow run;
        run.id = newShortId();
        run.name = "branch " + run.id;
        run.config = config;
        run.modelId = m_engine->model().id;
        run.createdNs = wallNs();
        run.parentId = parent;
        run.parentStep = step;
        EXPECT_OK(makeFolder(m_engine->workspace().runFolder(run.id), true));
        EXPECT_OK(m_engine->registry().addRun(run));
        return run.id;
    }
};

TEST_F(Branch, ThatChangesNothingIsItsParent) {
    const std::string parent = m_engine->addRun(longConfig(), "parent");
    send(parent, "set", {{"alpha", "0.4"}}, 3);
    const auto a = m_engine->train(parent);
    RunConfig effective = longConfig();
    ASSERT_OK(setConfigValue(effective, "alpha", "0.4"));
    const std::string id = addBranch(parent, 8, effective);
    // It dies before its own first checkpoint, and begins with its parent's again.
    trainUntil(id, 10, false);
    auto b = m_engine->train(id);
    ASSERT_FALSE(b.error) << b.error->text();
    ASSERT_EQ(b.steps.size(), 12u);
    EXPECT_EQ(b.steps.front().step, 9);
    for (std::size_t i = 0; i < b.steps.size(); ++i) EXPECT_EQ(b.steps[i].loss, a.steps[i + 8].loss) << b.steps[i].step;
    EXPECT_EQ(last(parent).tensorHashes, last(id).tensorHashes);
    EXPECT_EQ(last(parent).stateDigest, last(id).stateDigest);
    EXPECT_THAT(eventsText(b), ::testing::Not(HasSubstr("not bit-exact")));
}

TEST_F(Branch, MayChangeTheOptimizerAndTheBatch) {
    const std::string parent = m_engine->addRun(longConfig(), "parent");
    m_engine->train(parent);
    RunConfig c = longConfig();
    c.optimizer = OptimizerKind::AdamW;
    c.batch = 12;
    const auto b = m_engine->train(addBranch(parent, 8, c));
    ASSERT_FALSE(b.error) << b.error->text();
    // 48 rows were consumed, 71 are left.
    EXPECT_EQ(b.steps.size(), 6u);
    EXPECT_EQ(b.steps.front().alpha, 1.0);
    EXPECT_EQ(b.run.state, RunState::Finished);
}

TEST_F(Branch, FromWhatIsNotThereIsRefused) {
    const std::string parent = m_engine->addRun(longConfig(), "parent");
    m_engine->train(parent);
    const auto b = m_engine->train(addBranch(parent, 7, longConfig()));
    ASSERT_TRUE(b.error);
    EXPECT_THAT(b.error->text(), HasSubstr("it has no checkpoint of that step"));
}

TEST_F(Branch, ChangedDataIsRefusedOnResumeAndMarkedInABranch) {
    const std::string id = m_engine->addRun(longConfig(), "changed");
    trainUntil(id, 10, true);
    const std::string before = test::readFile(m_files / "data.jsonl");
    test::writeTinyData(m_files / "data.jsonl", 41);
    const auto refused = m_engine->train(id);
    ASSERT_TRUE(refused.error);
    EXPECT_EQ(refused.error->code, ErrorCode::Conflict);
    for (const char* part : {"the training data (sha256 ", "the number of rows (37 -> 41)", "the rows as tokens", "--as-branch", "Put back"})
        EXPECT_THAT(refused.error->text(), HasSubstr(part));
    EXPECT_EQ(refused.steps.size(), 10u) << "nothing was superseded";
    RunConfig effective = longConfig();
    const auto branch = m_engine->train(addBranch(id, 10, effective));
    ASSERT_FALSE(branch.error) << branch.error->text();
    EXPECT_THAT(eventsText(branch), HasSubstr("warning: not bit-exact with its parent: the training data"));
    EXPECT_TRUE(MetricsReader::open(m_engine->workspace().metricsFile(branch.run.id))->fact("not_bit_exact")->has_value());
    // Put back, it goes on bit for bit.
    test::writeFile(m_files / "data.jsonl", before);
    expectSame(m_engine->trainNew(longConfig(), "whole"), m_engine->train(id));
}

}  // namespace
}  // namespace mofo
