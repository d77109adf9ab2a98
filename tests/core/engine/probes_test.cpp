// Probes of a run: what they store, that training does not notice them, that they come back right after a resume and an undo, and what guards do.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <future>
#include <map>
#include <numeric>
#include <thread>

#include "core/base/failpoint.h"
#include "core/engine/checkpoint.h"
#include "core/stats/paired.h"
#include "core/task/task_items.h"
#include "tests/core/engine/engine_support.h"

namespace mofo {
namespace {

using test::EngineFixture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Stored {
    std::vector<ProbeRow> all;  ///< with their items, superseded ones too
    std::vector<std::int64_t> stepsOf(const std::string& probe, const std::string& measure) const {
        std::vector<std::int64_t> steps;
        for (const ProbeRow& row : all) {
            if (!row.superseded && row.probe == probe && row.measure == measure) steps.push_back(row.step);
        }
        return steps;
    }
    const ProbeRow& at(const std::string& probe, const std::string& measure, std::int64_t step) const {
        for (const ProbeRow& row : all) {
            if (!row.superseded && row.probe == probe && row.measure == measure && row.step == step) return row;
        }
        throw std::runtime_error("no row " + probe + " " + measure + " " + std::to_string(step));
    }
};

std::vector<float> amounts(const ProbeRow& row, const std::string& measure) {
    for (const ProbeItems& items : row.perItem) {
        if (items.measure == measure) return items.amounts;
    }
    return {};
}

class ProbeRuns : public test::TrainingTest {
protected:
    ProbeRuns() { at::set_num_threads(1); }
    ~ProbeRuns() override {
        at::set_num_threads(m_threads);
        EXPECT_OK(setFailpoints(""));
    }
    using Values = std::vector<std::pair<std::string, std::string>>;
    [[nodiscard]] RunConfig probing(const Values& values = {}) const {
        RunConfig c = config();
        const Values usual{{"probes", "kl:4,text:3,eval:3"}, {"probe_every", "5"}, {"probe_budget", "1"}, {"eval_split", "0.2"}, {"lr", "0.01"}};
        for (const Values& list : {usual, values}) {
            for (const auto& [key, value] : list) EXPECT_OK(setConfigValue(c, key, value));
        }
        return c;
    }
    Stored stored(const std::string& id) {
        Stored out;
        const auto reader = MetricsReader::open(m_engine->workspace().metricsFile(id));
        EXPECT_TRUE(reader.ok());
        out.all = *reader->probesAfter(0);
        for (ProbeRow& row : out.all) row.perItem = *reader->probeItems(row.seq);
        return out;
    }
    Json fact(const std::string& id, const char* key) {
        const auto value = *MetricsReader::open(m_engine->workspace().metricsFile(id))->fact(key);
        return value ? *value : Json();
    }
    std::string trained(const RunConfig& c, const std::string& name) {
        const auto run = m_engine->trainNew(c, name);
        EXPECT_FALSE(run.error) << run.error->text();
        return run.run.id;
    }
    /// Forty questions of two choices, all of which the pretrained model answers right.
    std::string questionsItKnows() {
        const auto write = [&](const std::vector<float>& right) {
            std::string rows;
            for (int i = 0; i < 40; ++i) {
                const int first = right.empty() || right[static_cast<std::size_t>(i)] == 1.0f ? 0 : 1;
                // What the run trains on, and the same letters in another order.
                const std::string learned = " The sum is " + std::to_string(i) + ".";
                std::string other = learned;
                std::rotate(other.begin(), other.begin() + 1 + i % (static_cast<int>(other.size()) - 1), other.end());
                rows +=
                    Json{{"question", "Item " + std::to_string(i * 37 % 41) + "?"}, {"choices", {learned, other}}, {"label", first}}.dump() + "\n";
            }
            test::writeFile(m_files / "known.jsonl", rows);
        };
        write({});
        test::writeFile(m_files / "known.json",
                        R"({"name":"known","scorer":"multiple_choice","prompt":"Question: {question}\nAnswer:","choices":"choices",
            "label":"label","mark":"general","data":"known.jsonl"})");
        const std::string file = (m_files / "known.json").string();
        const std::string id = trained(probing({{"probes", file}, {"steps", "1"}}), "base");
        write(amounts(stored(id).at("known", "acc", 0), "outcome"));
        return file;
    }
    static std::vector<std::string> guardEvents(const EngineFixture::Trained& run) {
        std::vector<std::string> texts;
        for (const EventRow& event : run.events) {
            if (event.kind == "guard") texts.push_back(event.text);
        }
        return texts;
    }
    /// Steps so large that the model answers otherwise after five of them.
    [[nodiscard]] RunConfig forgetting(const std::string& file, const Values& values = {}) const {
        RunConfig c = probing({{"probes", file}, {"optimizer", "adamw"}, {"lr", "0.1"}, {"schedule", "constant"}, {"warmup", "0"}, {"clip", "0"}});
        for (const auto& [key, value] : values) EXPECT_OK(setConfigValue(c, key, value));
        return c;
    }
    const int m_threads = at::get_num_threads();
};

TEST_F(ProbeRuns, MeasureAtTheStartAtTheirCadenceAndAtTheEndWithEveryItem) {
    const std::string id = trained(probing(), "run");
    const Stored rows = stored(id);
    for (const auto& [probe, measure] : std::vector<std::pair<const char*, const char*>>{
             {"kl", "kl"}, {"kl", "reverse_kl"}, {"text", "loss"}, {"text", "bits_per_byte"}, {"eval", "loss"}, {"eval", "kl"}})
        EXPECT_THAT(rows.stepsOf(probe, measure), ElementsAre(0, 5, 10, 12)) << probe << measure;
    for (const ProbeRow& row : rows.all) {
        const auto outcome = amounts(row, "outcome"), weight = amounts(row, "weight");
        ASSERT_EQ(outcome.size(), static_cast<std::size_t>(row.items));
        ASSERT_EQ(weight.size(), outcome.size());
        const double sum = std::accumulate(outcome.begin(), outcome.end(), 0.0), weights = std::accumulate(weight.begin(), weight.end(), 0.0);
        EXPECT_DOUBLE_EQ(row.value, sum / weights);
        EXPECT_LE(row.low, row.value);
        EXPECT_GE(row.high, row.value);
    }
    EXPECT_EQ(rows.at("kl", "kl", 0).value, 0) << "the model is the base model";
    EXPECT_EQ(rows.at("eval", "reverse_kl", 0).value, 0);
    EXPECT_GT(rows.at("kl", "kl", 12).value, 0.001);
    EXPECT_LT(rows.at("eval", "loss", 12).value, rows.at("eval", "loss", 0).value);
    const Json facts = fact(id, "probes");
    EXPECT_EQ(facts["kl"]["mark"], "general");
    EXPECT_EQ(facts["eval"]["mark"], "task");
    EXPECT_EQ(facts["text"]["items"], 3);
    EXPECT_EQ(facts["text"]["measures"]["bits_per_byte"]["unit"], "bits");
    EXPECT_EQ(facts["kl"]["items_sha256"].get<std::string>().size(), 64u);
    const auto samples = *MetricsReader::open(m_engine->workspace().metricsFile(id))->generationsAfter("sample-0", 0);
    ASSERT_EQ(samples.size(), 4u);
    EXPECT_EQ(samples[1].details["step"], 5);
    EXPECT_EQ(samples[0].details["prompt"], fact(id, "samples")[0]["prompt"]);
}

TEST_F(ProbeRuns, TrainingIsTheSameBitForBitWithAndWithoutThem) {
    const auto with = m_engine->trainNew(probing({{"probe_every", "1"}}), "with"), without = m_engine->trainNew(probing({{"probes", ""}}), "without");
    ASSERT_FALSE(with.error) << with.error->text();
    expectEqualSteps(with, without, 0);
    EXPECT_EQ(m_engine->weightsHash(with.run.id), m_engine->weightsHash(without.run.id));
    ASSERT_EQ(with.evals.size(), without.evals.size());
    for (std::size_t i = 0; i < with.evals.size(); ++i) EXPECT_EQ(with.evals[i].loss, without.evals[i].loss);
    EXPECT_THAT(stored(without.run.id).all, IsEmpty());
}

TEST_F(ProbeRuns, AResumedRunRepeatsNoneOfItsStepAndMeasuresTheSame) {
    const RunConfig c = probing({{"checkpoint_every", "5"}});
    const Stored whole = stored(trained(c, "whole"));
    const std::string id = m_engine->addRun(c, "cut");
    send(id, "stop", {{"save", false}}, 8);
    m_engine->train(id);
    const auto resumed = m_engine->train(id);
    ASSERT_FALSE(resumed.error) << resumed.error->text();
    const Stored cut = stored(id);
    ASSERT_EQ(cut.all.size(), whole.all.size()) << "each step once: the checkpoint is that of step 5, whose probes were there";
    for (const ProbeRow& row : whole.all) {
        const ProbeRow& same = cut.at(row.probe, row.measure, row.step);
        EXPECT_EQ(amounts(same, "outcome"), amounts(row, "outcome")) << row.probe << ' ' << row.step;
        EXPECT_EQ(same.value, row.value);
    }
}

TEST_F(ProbeRuns, AnUndoSupersedesTheLaterOnesAndTheyAreMeasuredAgain) {
    const std::string id = m_engine->addRun(probing({{"checkpoint_every", "4"}}), "run");
    send(id, "undo", {{"to", 4}}, 8);
    const auto run = m_engine->train(id);
    ASSERT_FALSE(run.error) << run.error->text();
    const Stored rows = stored(id);
    EXPECT_THAT(rows.stepsOf("kl", "kl"), ElementsAre(0, 5, 10, 12));
    int superseded = 0;
    for (const ProbeRow& row : rows.all) superseded += row.superseded && row.probe == "kl" && row.measure == "kl" ? 1 : 0;
    EXPECT_EQ(superseded, 1) << "that of step 5 of before";
}

TEST_F(ProbeRuns, ABranchMeasuresTheStartItDoesNotHave) {
    const RunConfig c = probing({{"checkpoint_every", "5"}});
    const std::string parent = trained(c, "parent");
    RunRow run;
    run.id = "abcdefabcdef";
    run.name = "branch";
    run.config = c;
    run.device = "cpu";
    run.modelId = m_engine->model().id;
    run.parentId = parent;
    run.parentStep = 5;
    std::filesystem::create_directories(m_engine->workspace().runFolder(run.id));
    ASSERT_OK(m_engine->registry().addRun(run));
    const auto branch = m_engine->train(run.id);
    ASSERT_FALSE(branch.error) << branch.error->text();
    const Stored own = stored(run.id), parents = stored(parent);
    EXPECT_THAT(own.stepsOf("kl", "kl"), ElementsAre(0, 10, 12));
    for (const std::int64_t step : {0, 10, 12})
        EXPECT_EQ(amounts(own.at("kl", "kl", step), "outcome"), amounts(parents.at("kl", "kl", step), "outcome"));
    EXPECT_EQ(m_engine->weightsHash(run.id), m_engine->weightsHash(parent));
}

TEST_F(ProbeRuns, ABudgetStretchesTheCadenceButNotTheFirstAndTheLast) {
    const auto run = m_engine->trainNew(probing({{"probe_every", "1"}, {"probe_budget", "0.0001"}}), "run");
    EXPECT_THAT(stored(run.run.id).stepsOf("text", "loss"), ElementsAre(0, 12));
    bool said = false;
    for (const EventRow& event : run.events) said = said || event.text.find("probes come less often than asked") == 0;
    EXPECT_TRUE(said);
}

TEST_F(ProbeRuns, OneThatCannotWorkIsLeftOutWithItsReason) {
    const auto run = m_engine->trainNew(probing({{"probes", "text:2,eval," + (m_files / "gone.json").string()}, {"eval_split", "0"}}), "run");
    ASSERT_FALSE(run.error) << run.error->text();
    EXPECT_THAT(stored(run.run.id).stepsOf("text", "loss"), ElementsAre(0, 5, 10, 12));
    std::string said;
    for (const EventRow& event : run.events) said += event.text.starts_with("probes: ") ? event.kind + " " + event.text : "";
    EXPECT_THAT(said, HasSubstr("warning probes: text (2 items); left out are eval: the run holds no rows out"));
    EXPECT_THAT(said, HasSubstr("there is no such file"));
}

TEST_F(ProbeRuns, EvaluateAsksForThemNowAndOnlyOnceAStep) {
    const std::string id = m_engine->addRun(probing({{"probe_every", "0"}}), "run");
    const std::string first = send(id, "evaluate", Json::object(), 4), second = send(id, "evaluate", Json::object(), 4);
    m_engine->train(id);
    EXPECT_TRUE(acknowledgement(id, first)->accepted);
    EXPECT_TRUE(acknowledgement(id, second)->accepted);
    EXPECT_THAT(stored(id).stepsOf("eval", "loss"), ElementsAre(0, 3, 12));
}

TEST_F(ProbeRuns, WhoeverStopsTheRunWaitsForNoProbe) {
    ASSERT_OK(setFailpoints("probe.measure=delay:400@1+"));
    const std::string id = m_engine->addRun(probing(), "run");
    auto engine = std::async(std::launch::async, [&] { return m_engine->train(id); });
    const auto reader = [&] { return MetricsReader::open(m_engine->workspace().metricsFile(id)); };
    const auto probing = [&] {
        const auto open = reader();
        if (!open.ok()) return false;
        const auto status = open->status();
        return status.ok() && *status && (*status)->phase == "probe";
    };
    for (int i = 0; i < 2000 && !probing(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const std::string stop = send(id, "stop", {{"save", true}});
    const auto run = engine.get();
    EXPECT_EQ(run.run.state, RunState::Stopped);
    EXPECT_TRUE(acknowledgement(id, stop)->accepted);
    EXPECT_THAT(stored(id).stepsOf("eval", "loss"), IsEmpty()) << "what was broken off is not there in half";
    EXPECT_THAT(run.steps, IsEmpty());
    // And what was broken off is made up for.
    ASSERT_OK(setFailpoints(""));
    m_engine->train(id);
    EXPECT_THAT(stored(id).stepsOf("eval", "loss"), ElementsAre(0, 5, 10, 12));
}

TEST_F(ProbeRuns, AGuardOnForgettingHitsWhereTheWholeIntervalLiesBeyondItsLimit) {
    const std::string file = questionsItKnows();
    const auto run = m_engine->trainNew(forgetting(file, {{"guard_forget", "2"}}), "run");
    ASSERT_FALSE(run.error) << run.error->text();
    const Stored rows = stored(run.run.id);
    ASSERT_EQ(rows.at("known", "acc", 0).value, 1.0);
    const auto compared =
        comparePaired({amounts(rows.at("known", "acc", 0), "outcome"), amounts(rows.at("known", "acc", 5), "outcome"), {}, {}}, OutcomeKind::Share);
    ASSERT_OK(compared);
    ASSERT_LT(compared->interval.high, -0.02) << "the case the test is about";
    ASSERT_EQ(guardEvents(run).size(), 1u);
    EXPECT_THAT(guardEvents(run)[0], HasSubstr("the probe known lost "));
    EXPECT_THAT(guardEvents(run)[0], HasSubstr("at step 5 (guard_forget=2)"));
}

TEST_F(ProbeRuns, AGuardOnForgettingIsSilentWhereTheIntervalCrossesItsLimit) {
    const std::string file = questionsItKnows();
    const Stored rows = stored(trained(forgetting(file, {{"steps", "5"}}), "first"));
    const double lost = 100 * (rows.at("known", "acc", 0).value - rows.at("known", "acc", 5).value);
    ASSERT_GT(lost, 5);
    const auto run = m_engine->trainNew(forgetting(file, {{"steps", "5"}, {"guard_forget", std::to_string(lost - 1)}}), "run");
    EXPECT_EQ(stored(run.run.id).at("known", "acc", 5).value, rows.at("known", "acc", 5).value);
    EXPECT_THAT(guardEvents(run), IsEmpty());
}

TEST_F(ProbeRuns, AGuardOnNatsPausesTheRun) {
    const std::string id = m_engine->addRun(probing({{"lr", "0.03"}, {"guard_forget_nats", "0.001"}, {"guard_forget_nats_action", "pause"}}), "run");
    std::atomic<bool> done = false, paused = false;
    std::thread watcher([&] {
        while (!done) {
            const auto row = Registry::open(m_engine->workspace(), Registry::Access::ReadWrite)->findRun(id);
            if (row.ok() && row->state == RunState::Paused && !paused.exchange(true)) send(id, "resume", Json::object());
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    });
    const auto run = m_engine->train(id);
    done = true;
    watcher.join();
    EXPECT_TRUE(paused);
    ASSERT_FALSE(guardEvents(run).empty());
    EXPECT_THAT(guardEvents(run)[0], HasSubstr("nats per token since the start (95 % interval "));
    EXPECT_THAT(guardEvents(run)[0], HasSubstr("the run is paused"));
    EXPECT_EQ(run.run.state, RunState::Finished);
}

}  // namespace
}  // namespace mofo
