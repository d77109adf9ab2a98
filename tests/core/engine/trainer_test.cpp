// What a training run promises, on a two-layer model: repeatability, invariances, commands, checkpoints, refusals.
#include "core/engine/trainer.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "core/engine/checkpoint.h"
#include "core/tensorio/safetensors.h"
#include "tests/core/engine/engine_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

using test::EngineFixture;

class TrainerTest : public test::TrainingTest {};

TEST_F(TrainerTest, TwoEqualRunsAreBitIdentical) {
    const auto a = m_engine->trainNew(config(), "a"), b = m_engine->trainNew(config(), "b");
    ASSERT_FALSE(a.error) << a.error->text();
    EXPECT_EQ(a.run.state, RunState::Finished);
    ASSERT_EQ(a.steps.size(), 12u);
    EXPECT_LT(a.steps.back().loss, a.steps.front().loss);
    expectEqualSteps(a, b, 0);
    EXPECT_EQ(m_engine->weightsHash(a.run.id), m_engine->weightsHash(b.run.id));
}

TEST_F(TrainerTest, AlphaOneIsAdamWBitForBit) {
    RunConfig mofo = config(), adamw = config();
    mofo.alpha.common.from = mofo.alpha.common.to = 1.0;
    adamw.optimizer = OptimizerKind::AdamW;
    const auto a = m_engine->trainNew(mofo, "mofo"), b = m_engine->trainNew(adamw, "adamw");
    expectEqualSteps(a, b, 0);
    EXPECT_EQ(m_engine->weightsHash(a.run.id), m_engine->weightsHash(b.run.id));
}

TEST_F(TrainerTest, AnySplitIntoMicroBatchesGivesTheSameStep) {
    RunConfig c = config();
    c.microBatch = 6;
    const auto whole = m_engine->trainNew(c, "whole");
    for (const std::int64_t rows : {1, 2, 5}) {
        c.microBatch = rows;
        expectEqualSteps(whole, m_engine->trainNew(c, "split " + std::to_string(rows)), 1e-6);
    }
}

TEST_F(TrainerTest, ThreadsDoNotChangeTheResult) {
    // Own kernels sum in a fixed order; LibTorch's matrix products may split work by the number of threads, which moves the last bits.
    const int threads = at::get_num_threads();
    at::set_num_threads(1);
    const auto one = m_engine->trainNew(config(), "one");
    at::set_num_threads(2);
    const auto two = m_engine->trainNew(config(), "two");
    at::set_num_threads(threads);
    expectEqualSteps(one, two, 1e-6);
}

TEST_F(TrainerTest, EveryGranularityMovesItsShare) {
    for (const char* granularity : {"model", "layer", "module", "tensor", "head", "row", "block:64", "shards:4"}) {
        RunConfig c = config();
        c.steps = 3;
        ASSERT_OK(setConfigValue(c, "granularity", granularity));
        const auto run = m_engine->trainNew(c, granularity);
        ASSERT_FALSE(run.error) << run.error->text();
        ASSERT_TRUE(run.tensors);
        std::int64_t filtered = 0, selected = 0;
        for (const ParameterRow& parameter : run.parameters) {
            if (!parameter.filtered) continue;
            filtered += parameter.size;
            selected += run.tensors->selected[static_cast<std::size_t>(parameter.index)];
        }
        // At most alpha, a little more where partitions are so small that rounding k up to 1 shows.
        EXPECT_LE(selected, static_cast<std::int64_t>(0.16 * static_cast<double>(filtered))) << granularity;
        EXPECT_GE(selected, static_cast<std::int64_t>(0.05 * static_cast<double>(filtered))) << granularity;
    }
}

TEST_F(TrainerTest, StatisticsAreMeasuredAtTheirStepsAndAreTrue) {
    RunConfig c = config();
    c.granularity = {GranularityKind::Layer, 0};
    c.rowCounts = "*k_proj*";
    const auto run = m_engine->trainNew(c, "stats");
    const auto reader = *MetricsReader::open(m_engine->workspace().metricsFile(run.run.id));
    const auto rows = *reader.tensorsAfter(0);
    for (const StepRow& step : run.steps) {
        const bool logged = step.step == 1 || step.step % 3 == 0;
        EXPECT_EQ(std::isfinite(step.topGradientNorm), logged) << step.step;
        // At most the 1-norm, which is at most sqrt(n) times the 2-norm.
        if (logged) {
            EXPECT_LT(step.topGradientNorm, step.gradNorm * 200);
        }
        EXPECT_EQ(reader.histograms(step.step)->size(), logged ? run.parameters.size() : 0u);
        EXPECT_EQ(reader.rowCounts(step.step)->size(), logged ? 2u : 0u);
        EXPECT_EQ(reader.partitions(step.step)->has_value(), logged);
    }
    EXPECT_EQ(rows.back().squaredUpdate.size(), run.parameters.size());
    EXPECT_GT(rows.back().squaredUpdate[0], 0);
    std::vector<std::int64_t> steps;
    for (const TensorRow& row : rows) steps.push_back(row.step);
    EXPECT_EQ(steps, (std::vector<std::int64_t>{1, 3, 6, 9, 12}));
    // Against the checkpoint's own weights.
    auto newest = *newestCheckpoint(m_engine->workspace().checkpointsFolder(run.run.id));
    auto tuned = SafetensorsFile::open(newest->folder / "model.safetensors");
    auto base = SafetensorsFile::open(m_engine->workspace().modelFolder(m_engine->model().id) / "model.safetensors");
    ASSERT_OK(tuned);
    ASSERT_OK(base);
    for (const ParameterRow& parameter : run.parameters) {
        std::vector<float> p(static_cast<std::size_t>(parameter.size)), p0(p.size());
        ASSERT_OK(tuned->readFloats(*tuned->find(parameter.name), 0, p));
        ASSERT_OK(base->readFloats(*base->find(parameter.name), 0, p0));
        double squares = 0;
        std::uint32_t changed = 0;
        for (std::size_t i = 0; i < p.size(); ++i) {
            squares += std::pow(static_cast<double>(p[i]) - p0[i], 2);
            changed += p[i] != p0[i] ? 1 : 0;
        }
        const auto index = static_cast<std::size_t>(parameter.index);
        EXPECT_NEAR(rows.back().driftL2[index], std::sqrt(squares), 1e-6 * std::sqrt(squares)) << parameter.name;
        EXPECT_EQ(rows.back().changed[index], changed) << parameter.name;
        EXPECT_GE(rows.back().coverage[index], rows.front().coverage[index]);
    }
    EXPECT_TRUE(std::isnan(rows.front().churn[0]));
    EXPECT_FALSE(std::isnan(rows.back().churn[0]));
}

TEST_F(TrainerTest, HeldOutLossIsMeasuredBeforeAndAfterAndChangesNothing) {
    RunConfig c = config();
    const auto plain = m_engine->trainNew(c, "plain");
    test::writeTinyData(m_files / "eval.jsonl", 9);
    c.evalData = (m_files / "eval.jsonl").string();
    c.evalEvery = 5;
    const auto evaluated = m_engine->trainNew(c, "evaluated");
    std::vector<std::int64_t> steps;
    for (const EvalRow& row : evaluated.evals) steps.push_back(row.step);
    EXPECT_EQ(steps, (std::vector<std::int64_t>{0, 5, 10, 12}));
    EXPECT_EQ(evaluated.evals[0].rowLoss.size(), 9u);
    EXPECT_LT(evaluated.evals.back().loss, evaluated.evals.front().loss);
    expectEqualSteps(plain, evaluated, 0);
}

TEST_F(TrainerTest, EvalSplitHoldsOutTheLastRows) {
    RunConfig c = config();
    c.evalSplit = 0.2;
    const auto run = m_engine->trainNew(c, "split");
    ASSERT_EQ(run.evals.size(), 2u);
    EXPECT_EQ(run.evals[0].rowLoss.size(), 7u);  // 0.2 x 37, rounded
}

TEST_F(TrainerTest, StepsComeFromEpochsAndOnlyTheLastBatchIsShort) {
    RunConfig c = config();
    c.steps = 0;
    c.epochs = 1.5;
    c.batch = 10;
    const auto run = m_engine->trainNew(c, "epochs");
    ASSERT_EQ(run.steps.size(), 6u);  // ceil(37 x 1.5 / 10)
    EXPECT_NEAR(run.steps.back().epoch, 56.0 / 37, 1e-9);
    EXPECT_LT(run.steps.back().inputTokens, run.steps.front().inputTokens);
}

TEST_F(TrainerTest, LossMeansDiffer) {
    RunConfig c = config();
    c.steps = 1;
    const double token = m_engine->trainNew(c, "token").steps[0].loss;
    c.lossMean = LossMean::Sample;
    const double sample = m_engine->trainNew(c, "sample").steps[0].loss;
    c.microBatch = 1;
    const double sampleByOne = m_engine->trainNew(c, "sample 1").steps[0].loss;
    c.lossMean = LossMean::MicroBatch;
    const double microByOne = m_engine->trainNew(c, "micro 1").steps[0].loss;
    EXPECT_NE(token, sample);
    EXPECT_NEAR(sample, sampleByOne, 1e-6 * sample);
    // With micro-batch 1 the paper's mean of means is the mean over samples (mofo.md).
    EXPECT_NEAR(sample, microByOne, 1e-6 * sample);
}

TEST_F(TrainerTest, AChangeIsAppliedAtItsStepAndAcknowledged) {
    const std::string id = m_engine->addRun(config(), "live");
    const std::string uuid = send(id, "set", {{"alpha", "0.05"}, {"granularity", "model"}}, 5);
    const auto run = m_engine->train(id);
    ASSERT_FALSE(run.error) << run.error->text();
    EXPECT_DOUBLE_EQ(run.steps[3].alpha, 0.15);
    EXPECT_EQ(run.steps[3].granularity, "tensor");
    EXPECT_DOUBLE_EQ(run.steps[4].alpha, 0.05);
    EXPECT_EQ(run.steps[4].granularity, "model");
    const auto answer = acknowledgement(id, uuid);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->accepted);
    EXPECT_EQ(answer->appliedStep, 5);
    EXPECT_LT(run.steps[4].movedCount, run.steps[3].movedCount);
}

TEST_F(TrainerTest, RefusedAndUnknownCommandsChangeNothing) {
    const std::string id = m_engine->addRun(config(), "refused");
    const std::string wrong = send(id, "set", {{"alpha", "7"}}), frozen = send(id, "set", {{"batch", "3"}}), unknown = send(id, "dance", {});
    const auto run = m_engine->train(id);
    const auto plain = m_engine->trainNew(config(), "plain");
    for (const std::string& uuid : {wrong, frozen, unknown}) {
        const auto answer = acknowledgement(id, uuid);
        ASSERT_TRUE(answer);
        EXPECT_FALSE(answer->accepted);
        EXPECT_FALSE(answer->reason.empty());
    }
    expectEqualSteps(plain, run, 0);
}

TEST_F(TrainerTest, StopSavesAndResumeGoesOnBitForBit) {
    const auto whole = m_engine->trainNew(config(), "whole");
    const std::string id = m_engine->addRun(config(), "halves");
    send(id, "stop", {{"save", true}}, 6);
    const auto first = m_engine->train(id);
    EXPECT_EQ(first.run.state, RunState::Stopped);
    ASSERT_EQ(first.steps.size(), 5u);
    ASSERT_EQ(first.checkpoints.size(), 1u);
    EXPECT_TRUE(first.checkpoints[0].verified);
    const auto second = m_engine->train(id);
    ASSERT_FALSE(second.error) << second.error->text();
    EXPECT_EQ(second.run.state, RunState::Finished);
    expectEqualSteps(whole, second, 0);
    EXPECT_EQ(m_engine->weightsHash(whole.run.id), m_engine->weightsHash(id));
}

TEST_F(TrainerTest, StopNowSavesNothing) {
    const std::string id = m_engine->addRun(config(), "now");
    send(id, "stop", {{"save", false}}, 4);
    const auto run = m_engine->train(id);
    EXPECT_EQ(run.run.state, RunState::Stopped);
    EXPECT_EQ(run.steps.size(), 3u);
    EXPECT_TRUE(run.checkpoints.empty());
}

TEST_F(TrainerTest, ResumeReplaysChangesMadeAfterTheCheckpoint) {
    RunConfig c = config();
    c.checkpointEvery = 4;
    const std::string whole = m_engine->addRun(c, "whole"), cut = m_engine->addRun(c, "cut");
    for (const std::string& id : {whole, cut}) send(id, "set", {{"alpha", "0.4"}}, 6);
    const auto a = m_engine->train(whole);
    send(cut, "stop", {{"save", false}}, 8);  // dies after step 7, with a checkpoint of step 4 only
    m_engine->train(cut);
    const auto b = m_engine->train(cut);
    expectEqualSteps(a, b, 0);
    EXPECT_EQ(m_engine->weightsHash(whole), m_engine->weightsHash(cut));
}

TEST_F(TrainerTest, KeepRemovesOldCheckpointsButNeverBelowTwoNorTheFirst) {
    RunConfig c = config();
    c.checkpointEvery = 2;
    c.keep = 1;
    const auto run = m_engine->trainNew(c, "keep");
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(m_engine->workspace().checkpointsFolder(run.run.id)))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, (std::vector<std::string>{"step-00000002", "step-00000010", "step-00000012"}));
}

TEST_F(TrainerTest, AFlippedBitInACheckpointIsRefusedByName) {
    const auto run = m_engine->trainNew(config(), "flip");
    const auto folder = m_engine->workspace().checkpointsFolder(run.run.id) / "step-00000012";
    std::string bytes = test::readFile(folder / "model.safetensors");
    bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 4);
    test::writeFile(folder / "model.safetensors", bytes);
    const auto opened = openCheckpoint(folder, true);
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.error().where.find("model.safetensors"), std::string::npos);
}

TEST_F(TrainerTest, ALossThatIsNotFiniteStopsBeforeTheUpdate) {
    test::writeTinyModel(m_files / "poisoned", {.poisonedTensor = "model.norm.weight"});
    EngineFixture engine(m_files / "poisoned");
    const auto run = engine.trainNew(config(), "poisoned");
    ASSERT_TRUE(run.error);
    EXPECT_EQ(run.run.state, RunState::Failed);
    ASSERT_EQ(run.steps.size(), 1u);
    EXPECT_EQ(run.steps[0].lossState, "nan");
    EXPECT_EQ(run.steps[0].movedCount, 0);
    EXPECT_NE(run.run.endReason.find("the loss is nan at step 1"), std::string::npos) << run.run.endReason;
    EXPECT_TRUE(run.checkpoints.empty());
}

TEST_F(TrainerTest, SkippingEndsWhereNothingIsEverFinite) {
    test::writeTinyModel(m_files / "poisoned", {.poisonedTensor = "model.norm.weight"});
    EngineFixture engine(m_files / "poisoned");
    RunConfig c = config();
    c.onNonFinite = OnNonFinite::Skip;
    const auto run = engine.trainNew(c, "skip");
    ASSERT_TRUE(run.error);
    EXPECT_EQ(run.steps.size(), 10u);
    for (const StepRow& step : run.steps) EXPECT_EQ(step.movedCount, 0);
}

TEST_F(TrainerTest, ASignalStopsAfterTheStepWithACheckpoint) {
    RunConfig c = config();
    c.steps = 1'000'000;
    std::thread later([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        g_stopSignals = 1;
    });
    const auto run = m_engine->trainNew(c, "long");
    later.join();
    EXPECT_EQ(run.run.state, RunState::Stopped);
    EXPECT_LT(run.steps.size(), 1'000'000u);
    EXPECT_EQ(run.checkpoints.size(), run.steps.empty() ? 0u : 1u);
}

TEST_F(TrainerTest, RowsWithNothingToTrainOnKeepTheirPlace) {
    std::string text;
    for (int i = 0; i < 4; ++i) {
        const std::string question = i == 1 ? std::string(300, 'x') : "What?";
        text += Json{{"question", question}, {"answer", "That is " + std::to_string(i)}}.dump() + "\n";
    }
    test::writeFile(m_files / "place.jsonl", text);
    RunConfig c = config();
    c.data = (m_files / "place.jsonl").string();
    c.shuffle = false;
    c.batch = 1;
    c.microBatch = 0;
    c.steps = 4;
    const auto run = m_engine->trainNew(c, "place");
    ASSERT_FALSE(run.error) << run.error->text();
    ASSERT_EQ(run.steps.size(), 4u);
    EXPECT_EQ(run.steps[1].tokens, 0);
    EXPECT_EQ(run.steps[1].movedCount, 0);
    EXPECT_GT(run.steps[2].tokens, 0);
}

}  // namespace
}  // namespace mofo
