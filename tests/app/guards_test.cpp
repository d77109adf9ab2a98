// Guard rails from the command line with the real engine: refused before a run exists, told in the log, and what they leave can be used.
#include <filesystem>

#include "tests/app/cli_support.h"

namespace mofo {
namespace {

using test::CliResult;
using testing::AllOf;
using testing::HasSubstr;

class CliGuards : public test::CliTest {
protected:
    void SetUp() override {
        CliTest::SetUp();
        m_environment.set("MOFO_ENGINE", (test::binFolder() / "mofo-engine").string());
    }
    CliResult train(const std::vector<std::string>& more) {
        std::vector<std::string> arguments = {"train", "--model", model().string(), "--data", data().string(), "--set", "device=cpu", "batch=2"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return cli(arguments);
    }
    static std::string idIn(const CliResult& result) { return result.out.substr(0, 12); }
    static std::vector<Json> guardEvents(const Json& shown) {
        std::vector<Json> list;
        for (const Json& event : shown["events"]) {
            if (event["kind"] == "guard") list.push_back(event);
        }
        return list;
    }
};

TEST_F(CliGuards, ThatCannotWorkAreRefusedAndLeaveNoRun) {
    for (const auto& [setting, reason] :
         {std::pair("early_stop=3", "early_stop needs evaluations"), std::pair("guard_eval=0.1", "eval_every"),
          std::pair("guard_drift_action=pause", "no effect while guard_drift is 0"), std::pair("guard_drift=-1", "out of range"),
          std::pair("guard_action=stop", "notify, pause, lower_alpha, back")}) {
        const CliResult refused = train({"steps=3", setting});
        EXPECT_EQ(refused.exitCode, 2) << setting;
        EXPECT_THAT(refused.err, HasSubstr(reason));
        EXPECT_LE(refused.errorLines(), 4);
    }
    EXPECT_EQ(cli({"runs", "--json"}).json(), Json::array());
}

TEST_F(CliGuards, WhatIsNotFiniteFailsTheRunAndSaysWhere) {
    m_environment.set("MOFO_FAILPOINTS", "step.gradient=EIO@5");
    const CliResult failed = train({"steps=12", "checkpoint_every=2", "--name", "broken"});
    EXPECT_EQ(failed.exitCode, 1);
    EXPECT_THAT(failed.err, AllOf(HasSubstr("the gradient norm is nan"), HasSubstr("at step 5 (rows of lines ")));
    const Json shown = cli({"show", "broken", "--json"}).json();
    EXPECT_EQ(shown["state"], "failed");
    EXPECT_EQ(shown["steps"].size(), 5u);
    EXPECT_THAT(cli({"log", "broken"}).out, HasSubstr("the gradient norm is nan"));
    EXPECT_EQ(cli({"verify", "broken"}).exitCode, 0);
}

TEST_F(CliGuards, AHitIsToldInTheLogWithItsNumbersAndChangesAlpha) {
    const CliResult done = train({"steps=12", "stats_every=4", "guard_drift=1e-7", "guard_drift_action=lower_alpha", "--name", "drift"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("the drift from the pretrained weights is "));
    EXPECT_THAT(cli({"log", "drift"}).out, AllOf(HasSubstr("(guard_drift=1e-07): alpha is halved"), HasSubstr("alpha 0.15 -> 0.075 from step 2")));
    const Json shown = cli({"show", "drift", "--json"}).json();
    const std::vector<Json> events = guardEvents(shown);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0]["who"], "guard");
    EXPECT_EQ(events[0]["key"], "guard_drift");
    EXPECT_EQ(shown["config"]["alpha"], "0.075");
    EXPECT_THAT(cli({"show", "drift"}).out, HasSubstr("alpha is halved"));
}

TEST_F(CliGuards, EarlyStoppingLeavesTheBestToBeExported) {
    std::string rows;
    for (int i = 0; i < 6; ++i)
        rows += Json{{"question", "mus eht si tahW?"}, {"answer", " .mus eht si " + std::to_string(i) + " ehT ="}}.dump() + "\n";
    test::writeFile(m_folder / "held.jsonl", rows);
    const CliResult stopped = train(
        {"steps=400", "lr=0.004", "eval_every=4", "early_stop=2", "keep=1", "eval_data=" + (m_folder / "held.jsonl").string(), "--name", "early"});
    EXPECT_EQ(stopped.exitCode, 0) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("stopped early: 2 evaluations in a row"));
    const Json shown = cli({"show", "early", "--json"}).json();
    EXPECT_EQ(shown["state"], "stopped");
    EXPECT_LT(shown["step"], 400);
    const CliResult exported = cli({"export", "early@best", (m_folder / "best").string(), "--format", "hf"});
    ASSERT_EQ(exported.exitCode, 0) << exported.err;
    EXPECT_TRUE(std::filesystem::exists(m_folder / "best" / "model.safetensors"));
    EXPECT_EQ(parseJson(test::readFile(m_folder / "best" / "mofo.json")).value()["step"].get<std::int64_t>() + 8, shown["step"].get<std::int64_t>());
}

}  // namespace
}  // namespace mofo
