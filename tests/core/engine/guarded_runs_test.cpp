// Runs that guard rails, early stopping and values that are not finite change: what they do, what they leave, and that a resumed run does the same.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <thread>

#include "core/base/failpoint.h"
#include "core/base/ids.h"
#include "core/base/text.h"
#include "core/engine/checkpoint.h"
#include "core/engine/guard_rails.h"
#include "core/engine/training_state.h"
#include "core/tensorio/safetensors.h"
#include "tests/core/engine/engine_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::EngineFixture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GuardedRuns : public test::TrainingTest {
protected:
    // One thread: so small tensors gain nothing from two, which wait for each other where other programs use the cores.
    GuardedRuns() { at::set_num_threads(1); }
    ~GuardedRuns() override {
        at::set_num_threads(m_threads);
        EXPECT_OK(setFailpoints(""));
    }

    using Values = std::vector<std::pair<const char*, const char*>>;
    [[nodiscard]] RunConfig configWith(const Values& values) const {
        RunConfig changed = config();
        for (const auto& [key, value] : values) EXPECT_OK(setConfigValue(changed, key, value));
        return changed;
    }
    /// 60 steps of one row each in file order; row 56 is nothing like the others.
    [[nodiscard]] RunConfig spiking(const Values& values) const {
        std::string text;
        for (int i = 1; i <= 60; ++i) {
            const std::string answer = i == 56 ? "@Q#zJ%xV&kW!pB~yG^mT;dF" : "The sum is " + std::to_string(3 + i % 4) + ".";
            text += Json{{"question", "What is it?"}, {"answer", answer}}.dump() + "\n";
        }
        test::writeFile(m_files / "spike.jsonl", text);
        RunConfig changed = configWith(values);
        changed.data = (m_files / "spike.jsonl").string();
        changed.shuffle = false;
        changed.steps = 60;
        changed.batch = 1;
        changed.microBatch = 0;
        changed.lr = 0.01;
        changed.schedule = ScheduleKind::Constant;
        changed.clip = 1;
        changed.checkpointEvery = 20;
        return changed;
    }
    /// Held-out rows that training on the others helps at first and then harms.
    [[nodiscard]] RunConfig overfitting(const Values& values) const {
        std::string text;
        for (int i = 0; i < 6; ++i)
            text += Json{{"question", "mus eht si tahW?"}, {"answer", " .mus eht si " + std::to_string(i) + " ehT ="}}.dump() + "\n";
        test::writeFile(m_files / "held.jsonl", text);
        RunConfig changed = configWith({{"steps", "80"}, {"lr", "0.004"}, {"schedule", "constant"}, {"eval_every", "4"}});
        for (const auto& [key, value] : values) EXPECT_OK(setConfigValue(changed, key, value));
        changed.evalData = (m_files / "held.jsonl").string();
        return changed;
    }
    static std::vector<EventRow> eventsOf(const EngineFixture::Trained& run, const std::string& kind, const std::string& key = {}) {
        std::vector<EventRow> list;
        for (const EventRow& event : run.events) {
            if (event.kind == kind && event.who == "guard" && (key.empty() || event.key == key)) list.push_back(event);
        }
        return list;
    }
    /// Trains until `step` is done and is gone then, without saving, like an engine that was killed.
    EngineFixture::Trained dieAfter(const std::string& id, std::int64_t step) {
        send(id, "stop", {{"save", false}}, step + 1);
        return m_engine->train(id);
    }
    void expectSameEnd(const EngineFixture::Trained& a, const EngineFixture::Trained& b) {
        ASSERT_FALSE(a.error) << a.error->text();
        ASSERT_FALSE(b.error) << b.error->text();
        expectEqualSteps(a, b, 0);
        EXPECT_EQ(m_engine->weightsHash(a.run.id), m_engine->weightsHash(b.run.id));
        EXPECT_EQ(digestOf(a.run.id), digestOf(b.run.id));
    }
    std::string digestOf(const std::string& id) { return (*newestCheckpoint(m_engine->workspace().checkpointsFolder(id)))->stateDigest; }
    GuardState guardsOf(const std::string& id) {
        return TrainingState::fromJson((*newestCheckpoint(m_engine->workspace().checkpointsFolder(id)))->state)->guards;
    }
    void expectFiniteCheckpoints(const std::string& id) {
        for (const fs::path& folder : checkpointFolders(m_engine->workspace().checkpointsFolder(id))) {
            for (const char* name : {"model.safetensors", "optimizer.safetensors"}) {
                const auto file = SafetensorsFile::open(folder / name);
                ASSERT_OK(file);
                for (const TensorInfo& tensor : file->tensors()) {
                    if (tensor.dtype != DType::F32) continue;
                    std::vector<float> values(tensor.sizeBytes / 4);
                    ASSERT_OK(file->readFloats(tensor, 0, values));
                    for (const float value : values) ASSERT_TRUE(std::isfinite(value)) << folder << ' ' << tensor.name;
                }
            }
        }
    }
    /// Trains on a thread; `whenPaused` is called at each pause and the run is resumed after it.
    EngineFixture::Trained trainWithPauses(const std::string& id, const std::function<void(const RunRow&)>& whenPaused) {
        std::atomic<bool> done = false;
        std::thread watcher([&] {
            auto registry = Registry::open(m_engine->workspace(), Registry::Access::ReadWrite);
            while (!done) {
                const auto run = registry->findRun(id);
                if (run.ok() && run->state == RunState::Paused) {
                    whenPaused(*run);
                    CommandRow command{.uuid = newUuid(), .runId = id, .kind = "resume", .payload = Json::object(), .who = "cli"};
                    EXPECT_OK(registry->addCommand(command));
                    while (!done && registry->findRun(id)->state == RunState::Paused) std::this_thread::sleep_for(std::chrono::milliseconds(20));
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
        });
        auto trained = m_engine->train(id);
        done = true;
        watcher.join();
        return trained;
    }
    const int m_threads = at::get_num_threads();
};

TEST_F(GuardedRuns, WhatIsNotFiniteStopsTheRunInThatStepBeforeTheUpdate) {
    RunConfig c = configWith({{"steps", "21"}, {"checkpoint_every", "4"}, {"keep", "2"}});
    for (int step = 1; step <= 20; ++step) {
        SCOPED_TRACE(step);
        const bool ofLoss = step % 2 == 1;
        // Two micro-batches a step; the loss breaks in the second.
        ASSERT_OK(setFailpoints(ofLoss ? "step.loss=EIO@" + std::to_string(2 * step) : "step.gradient=EIO@" + std::to_string(step)));
        const auto run = m_engine->trainNew(c, "broken");
        ASSERT_TRUE(run.error);
        EXPECT_EQ(run.error->exitCode(), 1);
        EXPECT_EQ(run.run.state, RunState::Failed);
        ASSERT_EQ(run.steps.size(), static_cast<std::size_t>(step));
        EXPECT_EQ(run.steps.back().movedCount, 0);
        EXPECT_EQ(run.steps.back().lossState, ofLoss ? "nan" : "finite");
        EXPECT_FALSE(std::isfinite(ofLoss ? run.steps.back().loss : run.steps.back().gradNorm));
        const std::string reason = run.run.endReason;
        EXPECT_THAT(reason, HasSubstr(ofLoss ? "the loss is nan" : "the gradient norm is nan, first in model.embed_tokens.weight,"));
        EXPECT_THAT(reason, HasSubstr("at step " + std::to_string(step) + " (rows of lines "));
        // Of the loss it is known in which micro-batch it broke: the last two of six rows.
        const std::string rows = reason.substr(reason.find("lines "), reason.find(')') - reason.find("lines "));
        EXPECT_EQ(std::count(rows.begin(), rows.end(), ','), ofLoss ? 1 : 5) << rows;
        EXPECT_EQ(eventsOf(run, "error", "on_nonfinite").size(), 1u);
        for (const CheckpointRow& row : run.checkpoints) EXPECT_LT(row.step, step);
        EXPECT_EQ(run.checkpoints.empty(), step <= 4);
        expectFiniteCheckpoints(run.run.id);
    }
    // What broke it is gone: the run goes on as if it had never happened.
    ASSERT_OK(setFailpoints("step.gradient=EIO@15"));
    const std::string id = m_engine->addRun(c, "broken");
    m_engine->train(id);
    ASSERT_OK(setFailpoints(""));
    const auto resumed = m_engine->train(id);
    expectSameEnd(m_engine->trainNew(c, "whole"), resumed);
}

TEST_F(GuardedRuns, SkippingLeavesOutTheUpdateAloneAndCounts) {
    const RunConfig c = configWith({{"on_nonfinite", "skip"}, {"checkpoint_every", "3"}});
    ASSERT_OK(setFailpoints("step.gradient=EIO@3;step.loss=EIO@14"));
    const auto run = m_engine->trainNew(c, "skip");
    ASSERT_FALSE(run.error) << run.error->text();
    ASSERT_EQ(run.steps.size(), 12u);
    for (const StepRow& step : run.steps) {
        EXPECT_EQ(step.movedCount == 0, step.step == 3 || step.step == 7) << step.step;
        EXPECT_EQ(step.lossState, step.step == 7 ? "nan" : "finite");
    }
    const auto events = eventsOf(run, "warning", "on_nonfinite");
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].step, 3);
    EXPECT_THAT(events[1].text, HasSubstr("the loss is nan at step 7 (rows of lines "));
    expectFiniteCheckpoints(run.run.id);
    EXPECT_EQ(TrainingState::fromJson((*newestCheckpoint(m_engine->workspace().checkpointsFolder(run.run.id)))->state)->skipped, 2);
}

TEST_F(GuardedRuns, TenSkippedInARowStopTheRunAlsoAcrossAResume) {
    const RunConfig c = configWith({{"on_nonfinite", "skip"}, {"steps", "40"}, {"checkpoint_every", "7"}});
    ASSERT_OK(setFailpoints("step.gradient=EIO@4+"));
    const auto whole = m_engine->trainNew(c, "whole");
    const std::string id = m_engine->addRun(c, "cut");
    ASSERT_OK(setFailpoints("step.gradient=EIO@4+"));
    dieAfter(id, 8);
    EXPECT_EQ(guardsOf(id).nonFiniteInRow, 4);
    ASSERT_OK(setFailpoints("step.gradient=EIO@1+"));
    for (const auto& run : {whole, m_engine->train(id)}) {
        ASSERT_TRUE(run.error);
        EXPECT_EQ(run.run.state, RunState::Failed);
        EXPECT_EQ(run.steps.back().step, 13);
        EXPECT_THAT(run.run.endReason, HasSubstr("at step 13 "));
        EXPECT_THAT(run.run.endReason, HasSubstr("10 updates in a row were skipped"));
        expectFiniteCheckpoints(run.run.id);
    }
}

TEST_F(GuardedRuns, WeightsThatAreNotFiniteAreNeverSaved) {
    test::writeTinyModel(m_files / "poisoned", {.poisonedTensor = "model.norm.weight"});
    EngineFixture engine(m_files / "poisoned");
    const auto run = engine.trainNew(configWith({{"on_nonfinite", "skip"}, {"checkpoint_every", "3"}}), "poisoned");
    ASSERT_TRUE(run.error);
    EXPECT_THAT(run.run.endReason, HasSubstr("the weights of model.norm.weight are not finite after step 3, and nothing was saved"));
    EXPECT_TRUE(checkpointFolders(engine.workspace().checkpointsFolder(run.run.id)).empty());
}

TEST_F(GuardedRuns, GuardsThatDoNotHitChangeNothing) {
    const auto plain = m_engine->trainNew(overfitting({{"guard_spike", "0"}, {"steps", "24"}, {"eval_every", "4"}}), "plain");
    const auto guarded = m_engine->trainNew(overfitting({{"steps", "24"},
                                                         {"guard_action", "back"},
                                                         {"guard_spike", "1000"},
                                                         {"guard_drift", "1000"},
                                                         {"guard_eval", "1000"},
                                                         {"guard_eval_start", "1000"},
                                                         {"early_stop", "1000"}}),
                                            "guarded");
    ASSERT_FALSE(guarded.error) << guarded.error->text();
    expectEqualSteps(plain, guarded, 0);
    EXPECT_EQ(m_engine->weightsHash(plain.run.id), m_engine->weightsHash(guarded.run.id));
    EXPECT_TRUE(eventsOf(guarded, "guard").empty());
}

TEST_F(GuardedRuns, ASpikeIsSaidWithItsNumbersAndChangesNothing) {
    const auto run = m_engine->trainNew(spiking({{"guard_spike", "5"}}), "spike");
    const auto events = eventsOf(run, "guard");
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].step, 56);
    EXPECT_EQ(events[0].key, "guard_spike");
    EXPECT_EQ(events[0].newValue, "5");
    EXPECT_GT(std::stod(events[0].oldValue), 5);
    EXPECT_THAT(events[0].text, HasSubstr("of step 56 lies "));
    EXPECT_THAT(events[0].text, HasSubstr("(guard_spike=5): nothing was changed"));
    const auto plain = m_engine->trainNew(spiking({{"guard_spike", "0"}}), "plain");
    expectEqualSteps(plain, run, 0);
    EXPECT_EQ(m_engine->weightsHash(plain.run.id), m_engine->weightsHash(run.run.id));
}

TEST_F(GuardedRuns, PauseHoldsTheRunBeforeTheNextStep) {
    const RunConfig c = spiking({{"guard_spike", "5"}, {"guard_spike_action", "pause"}});
    const std::string id = m_engine->addRun(c, "pause");
    std::vector<std::int64_t> paused;
    const auto run = trainWithPauses(id, [&](const RunRow& row) { paused.push_back(row.summary.step); });
    EXPECT_THAT(paused, ElementsAre(56));
    ASSERT_EQ(eventsOf(run, "pause").size(), 1u);
    EXPECT_THAT(eventsOf(run, "pause")[0].text, HasSubstr("paused before step 57: the loss "));
    EXPECT_EQ(run.run.state, RunState::Finished);
    expectEqualSteps(m_engine->trainNew(spiking({}), "plain"), run, 0);
}

TEST_F(GuardedRuns, LoweredAlphaIsJournaledOnceAndComesBackAtItsStep) {
    RunConfig c = spiking({{"guard_spike", "5"}, {"guard_action", "lower_alpha"}});
    c.checkpointEvery = 8;  // 56 is one of them: the checkpoint that holds the hit
    const auto whole = m_engine->trainNew(c, "whole");
    ASSERT_FALSE(whole.error) << whole.error->text();
    for (const StepRow& step : whole.steps) EXPECT_DOUBLE_EQ(step.alpha, step.step <= 56 ? 0.15 : 0.075) << step.step;
    const auto changes = eventsOf(whole, "set");
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].text, "alpha 0.15 -> 0.075 from step 57");
    // Killed in the step of the hit, right after it, and later, with the hit in the newest checkpoint or not.
    for (const auto& [every, after] :
         {std::pair(8, 55), std::pair(8, 56), std::pair(8, 57), std::pair(20, 56), std::pair(20, 58), std::pair(0, 58)}) {
        SCOPED_TRACE(std::to_string(every) + " " + std::to_string(after));
        c.checkpointEvery = every;
        const std::string id = m_engine->addRun(c, "cut");
        dieAfter(id, after);
        const auto resumed = m_engine->train(id);
        ASSERT_FALSE(resumed.error) << resumed.error->text();
        expectEqualSteps(whole, resumed, 0);
        EXPECT_EQ(m_engine->weightsHash(whole.run.id), m_engine->weightsHash(id));
        EXPECT_EQ(resumed.run.config.alpha, whole.run.config.alpha);
        const std::vector<CommandRow> commands = *m_engine->registry().commands(id);
        int sets = 0;
        for (const CommandRow& command : commands) sets += command.kind == "set" && command.who == "guard" ? 1 : 0;
        EXPECT_EQ(sets, 1);
        if (every == 8) {
            EXPECT_EQ(digestOf(whole.run.id), digestOf(id));
        }
    }
}

TEST_F(GuardedRuns, AUsersChangeForTheSameStepComesAfterTheGuards) {
    RunConfig c = spiking({{"guard_spike", "5"}, {"guard_action", "lower_alpha"}});
    c.checkpointEvery = 28;
    const std::string whole = m_engine->addRun(c, "whole"), cut = m_engine->addRun(c, "cut");
    for (const std::string& id : {whole, cut}) send(id, "set", {{"alpha", "0.4"}}, 57);
    const auto a = m_engine->train(whole);
    dieAfter(cut, 58);
    const auto b = m_engine->train(cut);
    EXPECT_DOUBLE_EQ(a.steps[56].alpha, 0.4);
    expectSameEnd(a, b);
}

TEST_F(GuardedRuns, BackFromASpikeLeavesItsStepOut) {
    const RunConfig c = spiking({{"guard_spike", "5"}, {"guard_action", "back"}});
    const auto whole = m_engine->trainNew(c, "whole");
    ASSERT_FALSE(whole.error) << whole.error->text();
    EXPECT_EQ(whole.run.state, RunState::Finished);
    const auto undone = eventsOf(whole, "undo");
    ASSERT_EQ(undone.size(), 1u);
    EXPECT_THAT(undone[0].text, HasSubstr("went back from step 56 to step 40"));
    std::vector<std::string> said;
    for (const EventRow& event : eventsOf(whole, "guard")) {
        if (!event.superseded) said.push_back(event.text);
    }
    ASSERT_EQ(said.size(), 1u);
    EXPECT_THAT(said[0], HasSubstr("went back from step 56 to step 40, because the loss "));
    EXPECT_THAT(said[0], HasSubstr("goes on and leaves out step 56"));
    ASSERT_EQ(whole.steps.size(), 60u);
    EXPECT_EQ(whole.steps[55].movedCount, 0);
    EXPECT_GT(whole.steps[56].movedCount, 0);
    EXPECT_EQ(configValue(whole.run.config, "skip_steps"), "56");
    // The same as leaving it out from the start: the steps before are the same either way.
    RunConfig without = spiking({{"guard_spike", "0"}, {"skip_steps", "56"}});
    expectEqualSteps(m_engine->trainNew(without, "without"), whole, 0);
    // Killed before the hit, on the way back to it, after it came again.
    const std::string id = m_engine->addRun(c, "cut");
    dieAfter(id, 50);
    dieAfter(id, 45);
    const auto resumed = m_engine->train(id);
    expectEqualSteps(whole, resumed, 0);
    EXPECT_EQ(m_engine->weightsHash(whole.run.id), m_engine->weightsHash(id));
}

TEST_F(GuardedRuns, ADriftBudgetHalvesAlphaOnceOrGoesBackUntilItIsKept) {
    const auto plain = m_engine->trainNew(configWith({{"steps", "24"}, {"schedule", "constant"}}), "plain");
    const double limit = *plain.run.summary.drift * 0.7;
    RunConfig c = configWith({{"steps", "24"}, {"schedule", "constant"}, {"checkpoint_every", "5"}, {"guard_drift_action", "lower_alpha"}});
    c.guardDrift = limit;
    const auto lowered = m_engine->trainNew(c, "lowered");
    ASSERT_FALSE(lowered.error) << lowered.error->text();
    ASSERT_EQ(eventsOf(lowered, "guard", "guard_drift").size(), 1u);
    EXPECT_EQ(eventsOf(lowered, "guard", "guard_drift")[0].newValue, formatShortest(limit));
    EXPECT_DOUBLE_EQ(lowered.steps.back().alpha, 0.075);
    c.guardDriftAction = GuardAction::Back;
    const std::string id = m_engine->addRun(c, "back");
    const auto back = trainWithPauses(id, [](const RunRow&) { ADD_FAILURE() << "alpha can be lowered"; });
    ASSERT_FALSE(back.error) << back.error->text();
    EXPECT_GE(eventsOf(back, "undo").size(), 1u);
    EXPECT_LT(back.steps.back().alpha, 0.15);
    EXPECT_LE(*back.run.summary.drift, limit);
    // Not to the newest, which is at the limit already.
    const EventRow undone = eventsOf(back, "undo")[0];
    EXPECT_LE(undone.step * 4, eventsOf(back, "guard", "guard_drift")[0].step * 3);
}

TEST_F(GuardedRuns, BackWithNothingLeftToChangeAsksAPerson) {
    RunConfig c =
        configWith({{"steps", "24"}, {"schedule", "constant"}, {"checkpoint_every", "5"}, {"optimizer", "adamw"}, {"guard_action", "back"}});
    c.guardDrift = 1e-9;
    const std::string id = m_engine->addRun(c, "adamw");
    int pauses = 0;
    const auto run = trainWithPauses(id, [&](const RunRow& row) {
        // The first measurement has no checkpoint before it but the start.
        EXPECT_EQ(row.summary.step, 0);
        ++pauses;
        send(id, "set", {{"guard_drift", "0"}});
    });
    EXPECT_EQ(pauses, 1);
    ASSERT_FALSE(run.error) << run.error->text();
    EXPECT_EQ(run.run.state, RunState::Finished);
    ASSERT_EQ(eventsOf(run, "pause").size(), 1u);
    EXPECT_THAT(eventsOf(run, "pause")[0].text, HasSubstr("the same settings would lead to step 3 again"));
}

TEST_F(GuardedRuns, EarlyStoppingKeepsTheBest) {
    const RunConfig c = overfitting({{"early_stop", "2"}, {"keep", "1"}, {"checkpoint_every", "7"}});
    const auto whole = m_engine->trainNew(c, "whole");
    ASSERT_FALSE(whole.error) << whole.error->text();
    EXPECT_EQ(whole.run.state, RunState::Stopped);
    ASSERT_GE(whole.evals.size(), 4u);
    const auto best = std::min_element(whole.evals.begin(), whole.evals.end(), [](const EvalRow& a, const EvalRow& b) { return a.loss < b.loss; });
    EXPECT_GT(best->step, 0) << "the rows are to help at first";
    EXPECT_EQ(whole.steps.back().step, best->step + 8) << "two evaluations after the best";
    EXPECT_THAT(whole.run.endReason, HasSubstr("stopped early: 2 evaluations in a row without a held-out loss below"));
    EXPECT_THAT(whole.run.endReason, HasSubstr("of step " + std::to_string(best->step) + " (early_stop=2)"));
    ASSERT_EQ(eventsOf(whole, "guard", "early_stop").size(), 1u);
    EXPECT_THAT(eventsOf(whole, "guard", "early_stop")[0].text, HasSubstr("@best"));
    const auto kept = std::min_element(whole.checkpoints.begin(), whole.checkpoints.end(), [](const CheckpointRow& a, const CheckpointRow& b) {
        return (std::isnan(a.evalLoss) ? 1e9 : a.evalLoss) < (std::isnan(b.evalLoss) ? 1e9 : b.evalLoss);
    });
    ASSERT_NE(kept, whole.checkpoints.end());
    EXPECT_EQ(kept->step, best->step);
    EXPECT_OK(openCheckpoint(m_engine->workspace().checkpointsFolder(whole.run.id) / kept->folder, true));
    // Killed between its last evaluations, it stops at the same step; whoever resumes the stopped run has the patience again.
    const std::string id = m_engine->addRun(c, "cut");
    dieAfter(id, best->step + 5);
    const auto resumed = m_engine->train(id);
    EXPECT_EQ(resumed.run.state, RunState::Stopped);
    expectSameEnd(whole, resumed);
    const auto further = m_engine->train(id);
    EXPECT_GT(further.steps.back().step, resumed.steps.back().step);
}

TEST_F(GuardedRuns, AHeldOutBudgetGoesBackToTheBestEvaluation) {
    const RunConfig c = overfitting({{"guard_eval", "0.02"}, {"guard_eval_action", "back"}, {"checkpoint_every", "9"}, {"keep", "2"}});
    const std::string id = m_engine->addRun(c, "back");
    int pauses = 0;
    const auto run = trainWithPauses(id, [&](const RunRow&) {
        ++pauses;
        send(id, "set", {{"guard_eval", "0"}, {"guard_eval_action", "default"}});
    });
    ASSERT_FALSE(run.error) << run.error->text();
    const auto undone = eventsOf(run, "undo");
    ASSERT_GE(undone.size(), 1u);
    const auto hits = eventsOf(run, "guard", "guard_eval");
    ASSERT_GE(hits.size(), 2u);
    // The evaluation that the first hit compares with is the one it goes back to.
    const std::string text = hits[0].text, of = " of step ";
    const std::string bestStep = text.substr(text.rfind(of) + of.size(), text.rfind(" (") - text.rfind(of) - of.size());
    EXPECT_THAT(undone[0].text, HasSubstr("to step " + bestStep + ","));
    EXPECT_LE(pauses, 1);
    EXPECT_LT(run.run.config.alpha.common.from, 0.15);
}

TEST_F(GuardedRuns, AGuardThatNeedsHeldOutRowsIsRefusedWhereThereAreNone) {
    const std::string id = m_engine->addRun(config(), "live");
    const std::string refused = send(id, "set", {{"eval_every", "2"}, {"early_stop", "2"}}, 3), taken = send(id, "set", {{"guard_drift", "0.5"}}, 3);
    const auto run = m_engine->train(id);
    EXPECT_THAT(acknowledgement(id, refused)->reason, HasSubstr("early_stop needs held-out rows"));
    EXPECT_TRUE(acknowledgement(id, taken)->accepted);
    expectEqualSteps(m_engine->trainNew(config(), "plain"), run, 0);
}

}  // namespace
}  // namespace mofo
