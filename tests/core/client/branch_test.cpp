// Branches, twins, undo: what begins where, with which values, and what is refused.
#include <signal.h>

#include <filesystem>

#include "core/client/branch.h"
#include "core/client/run_reference.h"
#include "tests/support/client_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::eventually;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BranchTest : public test::ClientTest {
protected:
    /// Trained to its end with checkpoints at 5, 10, 15 and 20.
    RunRow finished(std::vector<std::pair<std::string, std::string>> values = {}) {
        values.emplace_back("checkpoint_every", "5");
        const auto run = start(values, true, "parent");
        EXPECT_TRUE(run.ok()) << run.error().text();
        EXPECT_TRUE(reaches(run->id, RunState::Finished));
        return registry().findRun(run->id).value();
    }
    RunRow live() {
        const auto run = start({{"steps", "100000"}, {"checkpoint_every", "5"}}, true, "parent");
        EXPECT_TRUE(run.ok()) << run.error().text();
        EXPECT_TRUE(eventually([&] { return stepOf(run->id) > 11; }));
        return registry().findRun(run->id).value();
    }
    AcknowledgementRow send(const RunRow& run, std::string_view kind, const Json& payload) {
        const auto uuid = sendCommand(registry(), run, kind, payload, std::nullopt, "cli");
        EXPECT_TRUE(uuid.ok()) << uuid.error().text();
        const auto answer = awaitAcknowledgement(workspace(), run.id, *uuid, 10);
        EXPECT_TRUE(answer.ok()) << answer.error().text();
        return *answer;
    }
    Result<BranchedRun> branch(const RunRow& parent, std::int64_t step, std::vector<std::string> assignments = {}, bool supervised = false) {
        BranchOptions options;
        options.assignments = std::move(assignments);
        options.startSupervisor = supervised;
        return branchRun(workspace(), registry(), parent, step, options);
    }
    Result<BranchedRun> twin(const RunRow& parent, std::vector<std::string> assignments) {
        BranchOptions options;
        options.assignments = std::move(assignments);
        options.startSupervisor = false;
        return twinRun(workspace(), registry(), parent, options);
    }
    std::vector<std::int64_t> steps(const std::string& id, bool superseded = false) {
        std::vector<std::int64_t> list;
        const auto reader = MetricsReader::open(workspace().metricsFile(id));
        EXPECT_TRUE(reader.ok());
        const auto rows = reader->stepsAfter(0);
        for (const StepRow& row : *rows) {
            if (row.superseded == superseded) list.push_back(row.step);
        }
        return list;
    }
};

TEST_F(BranchTest, GoesOnFromItsParentsCheckpoint) {
    const RunRow parent = finished();
    const auto made = branch(parent, 10, {"lr=1e-5"}, true);
    ASSERT_OK(made);
    EXPECT_EQ(made->run.parentId, parent.id);
    EXPECT_EQ(made->run.parentStep, 10);
    EXPECT_EQ(made->run.name, "parent-at10");
    EXPECT_EQ(made->run.modelId, parent.modelId);
    EXPECT_EQ(made->run.notExact, "");
    EXPECT_THAT(made->run.commandLine, HasSubstr("mofo branch " + parent.id + " --at 10 --set lr=1e-5"));
    ASSERT_TRUE(reaches(made->run.id, RunState::Finished));
    EXPECT_EQ(steps(made->run.id).front(), 11);
    EXPECT_EQ(steps(made->run.id).back(), 20);
    EXPECT_EQ(steps(parent.id).size(), 20u) << "the parent is as it was";
    const auto differences = configDifferences(parent.config, registry().findRun(made->run.id)->config);
    ASSERT_EQ(differences.size(), 1u);
    EXPECT_EQ(differences[0].key, "lr");
    EXPECT_EQ(branch(parent, 10)->run.name, "parent-at10-2");
}

TEST_F(BranchTest, HasTheValuesThatItsStepHad) {
    const RunRow parent = live();
    const std::int64_t changed = send(parent, "set", {{"alpha", "0.05"}}).appliedStep;
    const std::int64_t again = send(parent, "set", {{"alpha", "0.1"}, {"lr", "1e-5"}}).appliedStep;
    ASSERT_TRUE(eventually([&] { return stepOf(parent.id) > again + 6; }));
    const auto valueAt = [&](std::int64_t step, const char* key) { return configValue(*configAtStep(workspace(), registry(), parent, step), key); };
    EXPECT_EQ(valueAt(changed - 1, "alpha"), "0.15");
    EXPECT_EQ(valueAt(again, "alpha"), "0.1") << "checkpoint N is the state after update N";
    EXPECT_EQ(valueAt(again - 1, "lr"), "2e-05");
    EXPECT_EQ(valueAt(again, "lr"), "1e-05");
    const auto rows = resumableCheckpoints(workspace(), parent.id);
    ASSERT_OK(rows);
    const auto old = branch(parent, rows->front().step);
    ASSERT_OK(old);
    EXPECT_EQ(configValue(old->run.config, "alpha"), "0.15");
    const auto recent = branch(parent, rows->back().step, {"lr=3e-5"});
    ASSERT_OK(recent);
    EXPECT_EQ(configValue(recent->run.config, "alpha"), "0.1");
    EXPECT_EQ(configValue(recent->run.config, "lr"), "3e-05");
    // A change that an undo took back is not inherited.
    send(parent, "pause", Json::object());
    const auto undone = undoRun(workspace(), registry(), parent, rows->front().step, "cli");
    ASSERT_OK(undone);
    ASSERT_OK(awaitAcknowledgement(workspace(), parent.id, undone->uuid, 10));
    EXPECT_EQ(valueAt(1'000'000, "alpha"), "0.15");
}

TEST_F(BranchTest, IsRefusedWithoutACheckpointAndNamesThoseThereAre) {
    const RunRow parent = finished();
    for (const auto& [wanted, says] : {std::pair("7", "There are: 5, 10, 15, 20"), std::pair("best", "Name a step: 5, 10, 15, 20")}) {
        const auto refused = resumableStep(workspace(), parent, wanted, true);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().code, ErrorCode::NotFound);
        EXPECT_THAT(refused.error().text(), HasSubstr(says));
    }
    for (const char* wrong : {"", "x", "-1", "1.5", "7 ", "99999999999999999999", "now"}) EXPECT_EQ(resumableStep(workspace(), parent, wrong, true).error().code, ErrorCode::Usage) << wrong;
    EXPECT_EQ(*resumableStep(workspace(), parent, "last", false), 20);
    EXPECT_EQ(*resumableStep(workspace(), parent, "0", true), 0);
    EXPECT_FALSE(resumableStep(workspace(), parent, "0", false).ok());
    const auto missing = branch(parent, 7);
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_EQ(branch(parent, 10, {"model=other"}).error().code, ErrorCode::Usage);
    EXPECT_EQ(branch(parent, 10, {"alpha=7"}).error().code, ErrorCode::Usage);
    const auto done = branch(parent, 20);
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().text(), testing::AllOf(HasSubstr("nothing left to train"), HasSubstr("--set steps=40")));
    fs::remove(workspace().checkpointsFolder(parent.id) / "step-00000005" / "manifest.json");
    EXPECT_FALSE(branch(parent, 5).ok()) << "a folder without a manifest is no checkpoint";
    EXPECT_EQ(registry().runs(true)->size(), 1u) << "a refusal leaves nothing behind";
    EXPECT_THAT(*registry().pinnedSteps(parent.id), IsEmpty());
    EXPECT_THAT(*registry().keptSteps(parent.id), IsEmpty());
    EXPECT_OK(branch(parent, 20, {"steps=40"}));
}

TEST_F(BranchTest, KeepsItsParentsCheckpointUntilItHasItsOwn) {
    const RunRow parent = finished();
    ASSERT_OK(registry().setCheckpointPinned(parent.id, 5, true));
    const auto made = branch(parent, 10);
    ASSERT_OK(made);
    EXPECT_THAT(*registry().keptSteps(parent.id), ElementsAre(5, 10));
    EXPECT_THAT(*registry().pinnedSteps(parent.id), ElementsAre(5)) << "the user's pins are the user's";
    ASSERT_OK(ensureSupervisor(workspace(), "cpu"));
    ASSERT_TRUE(reaches(made->run.id, RunState::Finished));
    EXPECT_THAT(*registry().keptSteps(parent.id), ElementsAre(5));
}

TEST_F(BranchTest, OfARunWithoutCheckpointsBeginsWithThePretrainedWeights) {
    const auto parent = start({}, false);
    ASSERT_OK(parent);
    EXPECT_THAT(resumableStep(workspace(), *parent, "5", true).error().text(), HasSubstr("no checkpoint"));
    const auto made = branch(*parent, 0, {"alpha=0.05"});
    ASSERT_OK(made);
    EXPECT_EQ(made->run.parentStep, 0);
    EXPECT_EQ(made->run.parentId, parent->id);
}

TEST_F(BranchTest, ATwinDiffersInNothingElse) {
    const RunRow parent = finished({{"batch", "4"}, {"seed", "7"}});
    const auto made = twin(parent, {"optimizer=adamw"});
    ASSERT_OK(made);
    EXPECT_THAT(made->warnings, IsEmpty());
    EXPECT_EQ(made->run.name, "parent-adamw");
    EXPECT_EQ(made->run.parentId, parent.id);
    EXPECT_EQ(made->run.parentStep, 0);
    EXPECT_EQ(made->run.modelId, parent.modelId);
    EXPECT_EQ(made->run.device, parent.device);
    EXPECT_EQ(made->run.config.microBatch, 4) << "what 0 meant for the parent stays, whatever else changes";
    RunConfig expected = parent.config;
    expected.optimizer = OptimizerKind::AdamW;
    expected.microBatch = 4;
    EXPECT_THAT(configDifferences(expected, made->run.config), IsEmpty());
    EXPECT_EQ(twin(parent, {"alpha=0.05"})->run.name, "parent-twin");
}

TEST_F(BranchTest, ATwinWarnsOfWhatCannotBeCompared) {
    const RunRow parent = live();
    send(parent, "set", {{"alpha", "0.05"}});
    const auto made = twin(parent, {"optimizer=adamw", "batch=8", "seed=1"});
    ASSERT_OK(made);
    ASSERT_EQ(made->warnings.size(), 2u);
    EXPECT_THAT(made->warnings[0], testing::AllOf(HasSubstr("batch 16 -> 8"), HasSubstr("seed 42 -> 1")));
    EXPECT_THAT(made->warnings[1], HasSubstr("alpha 0.15 -> 0.05"));
    EXPECT_EQ(configValue(made->run.config, "alpha"), "0.15") << "a twin begins as the run began";
    const auto same = twin(parent, {"alpha=0.15"});
    ASSERT_FALSE(same.ok());
    EXPECT_EQ(same.error().code, ErrorCode::Usage);
}

TEST_F(BranchTest, ATwinOfABranchBeginsWhereTheBranchBegan) {
    const RunRow parent = finished();
    const auto made = branch(parent, 10, {"alpha=0.1"});
    ASSERT_OK(made);
    const auto other = twin(made->run, {"alpha=0.05"});
    ASSERT_OK(other);
    EXPECT_EQ(other->run.parentId, parent.id);
    EXPECT_EQ(other->run.parentStep, 10);
}

TEST_F(BranchTest, ResumedWithOtherValuesItIsMarked) {
    const RunRow parent = live();
    EXPECT_EQ(resumeAsBranch(workspace(), registry(), parent, {}).error().code, ErrorCode::Conflict) << "a live run goes on by itself";
    send(parent, "stop", {{"save", true}});
    ASSERT_TRUE(reaches(parent.id, RunState::Stopped));
    ASSERT_TRUE(awaitEngineExit(workspace(), parent.id));
    const std::int64_t at = stepOf(parent.id);
    BranchOptions options;
    options.assignments = {"micro_batch=2"};
    options.startSupervisor = false;
    const auto made = resumeAsBranch(workspace(), registry(), registry().findRun(parent.id).value(), options);
    ASSERT_OK(made);
    EXPECT_EQ(made->run.notExact, "micro_batch 0 -> 2");
    EXPECT_EQ(made->run.parentStep, at);
    EXPECT_EQ(registry().findRun(made->run.id)->notExact, "micro_batch 0 -> 2");
    EXPECT_EQ(stateOf(parent.id), RunState::Stopped);
    options.assignments = {};
    EXPECT_THAT(resumeAsBranch(workspace(), registry(), registry().findRun(parent.id).value(), options)->run.notExact, HasSubstr("may have changed"));
}

TEST_F(BranchTest, UndoReturnsAPausedAndARunningRun) {
    const RunRow run = live();
    for (const bool paused : {true, false}) {
        if (paused) send(run, "pause", Json::object());
        const std::int64_t before = stepOf(run.id);
        const auto undone = undoRun(workspace(), registry(), run, 10, "cli");
        ASSERT_OK(undone);
        EXPECT_FALSE(undone->waitsForStart);
        const auto answer = awaitAcknowledgement(workspace(), run.id, undone->uuid, 10);
        ASSERT_OK(answer);
        EXPECT_TRUE(answer->accepted);
        EXPECT_EQ(answer->appliedStep, 11);
        if (paused) {
            EXPECT_EQ(stateOf(run.id), RunState::Paused);
            EXPECT_THAT(steps(run.id).back(), 10);
            EXPECT_EQ(steps(run.id, true).back(), before) << "later steps stay in the store";
            EXPECT_EQ(resumableCheckpoints(workspace(), run.id)->back().step, 10) << "superseded checkpoints do not count";
            send(run, "resume", Json::object());
        }
        EXPECT_TRUE(eventually([&] { return stepOf(run.id) > before + 3; }));
    }
    const auto refused = send(run, "undo", {{"to", 7}});
    EXPECT_FALSE(refused.accepted);
}

TEST_F(BranchTest, UndoOfAnEndedRunWaitsForItsNextStart) {
    const RunRow run = finished();
    const auto first = undoRun(workspace(), registry(), run, 5, "cli");
    ASSERT_OK(first);
    EXPECT_TRUE(first->waitsForStart);
    ASSERT_OK(undoRun(workspace(), registry(), run, 10, "cli"));
    const auto pending = pendingCommands(workspace(), registry(), run.id);
    ASSERT_EQ(pending->size(), 1u) << "the later wish takes the earlier one's place";
    EXPECT_EQ(pending->front().payload["to"], 10);
    EXPECT_EQ(stateOf(run.id), RunState::Finished) << "nothing trains unasked";
    ASSERT_OK(resumeRun(workspace(), registry(), run, true));
    ASSERT_TRUE(eventually([&] { return stateOf(run.id) == RunState::Finished && pendingCommands(workspace(), registry(), run.id)->empty(); }));
    EXPECT_EQ(steps(run.id).size(), 20u);
    EXPECT_EQ(steps(run.id, true), (std::vector<std::int64_t>{11, 12, 13, 14, 15, 16, 17, 18, 19, 20}));
    const auto again = resumeRun(workspace(), registry(), run, true);
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().code, ErrorCode::Conflict);
}

}  // namespace
}  // namespace mofo
