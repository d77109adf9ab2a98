// Groups of runs: what a grid or a list makes of a configuration, and how a group is queued, stopped and gone on with.
#include "core/client/sweep.h"

#include "core/base/text.h"
#include "tests/support/client_support.h"

namespace mofo {
namespace {

using test::ClientTest;
using test::eventually;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> textsOf(const std::vector<SweepArm>& arms) {
    std::vector<std::string> texts;
    for (const SweepArm& arm : arms) texts.push_back(joinText(arm.assignments, " "));
    return texts;
}

TEST(SweepArms, OfAGridAreAllCombinations) {
    const auto arms = gridArms({"alpha=0.05,0.15", "seed=1, 2"});
    ASSERT_OK(arms);
    EXPECT_THAT(textsOf(*arms), ElementsAre("alpha=0.05 seed=1", "alpha=0.05 seed=2", "alpha=0.15 seed=1", "alpha=0.15 seed=2"));
    for (const auto& [grid, why] :
         {std::pair(std::vector<std::string>{"alpha"}, "key=value"), std::pair(std::vector<std::string>{"alpha=0.1,"}, "empty"),
          std::pair(std::vector<std::string>{"seed=1", "seed=2"}, "twice")}) {
        const auto refused = gridArms(grid);
        ASSERT_FALSE(refused.ok());
        EXPECT_THAT(refused.error().text(), HasSubstr(why));
    }
}

TEST(SweepArms, OfAListAreItsLines) {
    const test::TemporaryFolder folder;
    test::writeFile(folder / "arms", "# all of them\n\noptimizer=adamw\r\n  alpha=0.05\tlr=1e-3\n\"columns=prompt:A b,completion:C\"\n");
    const auto arms = listArms(folder / "arms");
    ASSERT_OK(arms);
    EXPECT_THAT(textsOf(*arms), ElementsAre("optimizer=adamw", "alpha=0.05 lr=1e-3", "columns=prompt:A b,completion:C"));
    test::writeFile(folder / "wrong", "optimizer=adamw\nalpha 0.05\n");
    const auto refused = listArms(folder / "wrong");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidInput);
    EXPECT_THAT(refused.error().text(), HasSubstr("line 2"));
    test::writeFile(folder / "open", "\"columns=a\n");
    EXPECT_THAT(listArms(folder / "open").error().text(), HasSubstr("quotation mark"));
}

class Sweeps : public ClientTest {
protected:
    SweepRequest request(std::vector<SweepArm> arms) {
        SweepRequest wanted;
        wanted.base = config();
        wanted.arms = std::move(arms);
        wanted.name = "group";
        return wanted;
    }
    Result<PreparedSweep> prepare(const SweepRequest& wanted) { return prepareSweep(workspace(), registry(), wanted); }
};

TEST_F(Sweeps, DifferInTheirArmsOnly) {
    const auto prepared = prepare(request(compareArms()));
    ASSERT_OK(prepared);
    ASSERT_EQ(prepared->runs.size(), 3u);
    EXPECT_THAT((std::vector<std::string>{prepared->runs[0].name, prepared->runs[1].name, prepared->runs[2].name}),
                ElementsAre("group-adamw", "group-a0.05", "group-a0.15"));
    std::vector<std::string> keys;
    for (const ConfigDifference& one : configDifferences(prepared->runs[0].config, prepared->runs[1].config)) keys.push_back(one.key);
    EXPECT_THAT(keys, testing::UnorderedElementsAre("optimizer", "alpha"));
    EXPECT_GT(prepared->forecast.steps, 0);
    EXPECT_GT(prepared->forecast.inputTokens, 0);
    EXPECT_GT(prepared->forecast.diskBytes, 0u);
    EXPECT_FALSE(prepared->forecast.seconds) << "nothing was measured yet";
    EXPECT_EQ(registry().runs()->size(), 0u) << "nothing is queued yet";
}

TEST_F(Sweeps, ThatCompareMeasureAlongTheWay) {
    SweepRequest wanted = request(compareArms());
    wanted.base.steps = 80;
    wanted.compares = true;
    const auto prepared = prepare(wanted);
    ASSERT_OK(prepared);
    for (const RunRow& run : prepared->runs) {
        EXPECT_EQ(run.config.evalEvery, 10);
        EXPECT_EQ(run.config.probeEvery, 10);
    }
    EXPECT_GT(prepared->forecast.evaluatedTokens, 0) << "a comparison holds rows out";
}

TEST_F(Sweeps, MakeEqualRunsOnceAndSayso) {
    const auto prepared = prepare(request(*gridArms({"optimizer=adamw,mofo", "alpha=0.05,0.15"})));
    ASSERT_OK(prepared);
    EXPECT_EQ(prepared->runs.size(), 3u);
    ASSERT_EQ(prepared->notes.size(), 1u);
    EXPECT_THAT(prepared->notes[0], HasSubstr("trains the same as"));
}

TEST_F(Sweeps, LetTheBasesKeysGoWhereAnArmHasNoUseForThem) {
    SweepRequest wanted = request({{{"optimizer=adamw"}}, {{"alpha=0.1"}}, {{"optimizer=lora", "lora_rank=4"}}});
    wanted.base.rule = SelectionRule::Random;
    wanted.base.l2 = 0.5;
    const auto prepared = prepare(wanted);
    ASSERT_OK(prepared);
    EXPECT_EQ(prepared->runs[0].config.rule, SelectionRule::Momentum);
    EXPECT_EQ(prepared->runs[0].config.l2, 0.5);
    EXPECT_EQ(prepared->runs[1].config.rule, SelectionRule::Random);
    EXPECT_EQ(prepared->runs[2].config.l2, 0);
    EXPECT_LT(prepared->forecast.diskBytes, 3 * 12u * 40'000u);
}

TEST_F(Sweeps, AreRefusedWithTheRunThatIsWrong) {
    const auto refused = prepare(request({{{"optimizer=adamw"}}, {{"optimizer=lora_mofo", "granularity=head"}}}));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Usage);
    EXPECT_THAT(refused.error().text(), HasSubstr("granularity=head"));
    EXPECT_THAT(refused.error().text(), HasSubstr("in the run with optimizer=lora_mofo"));
    EXPECT_THAT(prepare(request({{{"optimizer=adamw"}}})).error().text(), HasSubstr("at least two runs"));
    EXPECT_THAT(prepare(request({{{"optimizer=adamw", "rule=random"}}, {{"seed=1"}}})).error().text(), HasSubstr("no effect with optimizer=adamw"));
    EXPECT_EQ(registry().runs()->size(), 0u);
}

TEST_F(Sweeps, AreQueuedAsOneGroupInTheirOrder) {
    const auto prepared = prepare(request(compareArms()));
    ASSERT_OK(prepared);
    ASSERT_OK(queueSweep(workspace(), registry(), *prepared));
    ASSERT_TRUE(eventually([&] { return findSweep(registry(), "group")->hasEnded(); }, 60));
    const auto status = findSweep(registry(), prepared->sweep.id.substr(0, 6));
    ASSERT_OK(status);
    EXPECT_EQ(status->finished, 3);
    EXPECT_EQ(status->stateText(), "finished");
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(status->runs[i].name, prepared->runs[i].name);
    EXPECT_LE(*status->runs[0].endedNs, *status->runs[1].startedNs) << "one after another";
    EXPECT_LE(*status->runs[1].endedNs, *status->runs[2].startedNs);
    EXPECT_EQ(asOneRun(*status).state, RunState::Finished);
    // The next one knows how long a step of this model takes.
    SweepRequest again = request(compareArms());
    again.name.clear();
    const auto second = prepare(again);
    ASSERT_OK(second);
    EXPECT_NE(second->sweep.name, "group");
    if (second->forecast.seconds) {
        EXPECT_THAT(second->forecast.basis, HasSubstr("as fast as run group-"));
    }
}

TEST_F(Sweeps, StopAndGoOnAsAWhole) {
    SweepRequest wanted = request(compareArms());
    wanted.base.steps = 100'000;
    const auto prepared = prepare(wanted);
    ASSERT_OK(prepared);
    ASSERT_OK(queueSweep(workspace(), registry(), *prepared));
    ASSERT_TRUE(reaches(prepared->runs[0].id, RunState::Running));
    const auto stopped = stopSweep(registry(), *findSweep(registry(), "group"));
    ASSERT_OK(stopped);
    EXPECT_EQ(*stopped, 3);
    ASSERT_TRUE(eventually([&] { return findSweep(registry(), "group")->hasEnded(); }));
    EXPECT_EQ(findSweep(registry(), "group")->finished, 0);
    const auto resumed = resumeSweep(workspace(), registry(), *findSweep(registry(), "group"));
    ASSERT_OK(resumed);
    EXPECT_EQ(*resumed, 3);
    ASSERT_TRUE(eventually([&] { return findSweep(registry(), "group")->live == 1; }));
    ASSERT_OK(stopSweep(registry(), *findSweep(registry(), "group")));
    ASSERT_TRUE(eventually([&] { return findSweep(registry(), "group")->hasEnded(); }));
}

TEST_F(Sweeps, OfARunAreItsTwins) {
    const auto parent = start({{"alpha", "0.3"}, {"seed", "9"}}, false, "parent");
    ASSERT_OK(parent);
    SweepRequest wanted = request(*gridArms({"alpha=0.05,0.1"}));
    wanted.parent = *parent;
    wanted.base = *registry().initialRunConfig(parent->id);
    const auto prepared = prepare(wanted);
    ASSERT_OK(prepared);
    for (const RunRow& run : prepared->runs) {
        EXPECT_EQ(run.parentId, parent->id);
        EXPECT_EQ(run.modelId, parent->modelId);
        EXPECT_EQ(run.config.seed, 9u);
        EXPECT_EQ(run.config.microBatch, effectiveMicroBatch(parent->config));
    }
}

}  // namespace
}  // namespace mofo
