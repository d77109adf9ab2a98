// Runs that train LoRA's matrices: what they store, how they go on, and what is exported.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/engine/checkpoint_source.h"
#include "core/engine/decoder.h"
#include "core/engine/evaluate_job.h"
#include "core/model/lora.h"
#include "core/tensorio/safetensors.h"
#include "tests/core/engine/resume_support.h"

namespace mofo {
namespace {

using test::EngineFixture;

class LoraRuns : public test::ResumeTest {
protected:
    RunConfig loraConfig(OptimizerKind kind) const {
        RunConfig c = longConfig();
        c.optimizer = kind;
        c.loraRank = 4;
        c.lr = 5e-3;
        return c;
    }
    std::unique_ptr<ModelSource> merged(const std::string& id) {
        auto source = CheckpointSource::open(last(id).folder, std::move(*ModelSource::open((m_files / "model").string())));
        EXPECT_OK(source);
        return std::move(*source);
    }
};

TEST_F(LoraRuns, LearnAndKeepTheModelFrozen) {
    for (const OptimizerKind kind : {OptimizerKind::Lora, OptimizerKind::LoraMofo}) {
        RunConfig c = loraConfig(kind);
        const auto run = m_engine->trainNew(c, configValue(c, "optimizer"));
        ASSERT_FALSE(run.error) << run.error->text();
        EXPECT_LT(run.steps.back().loss, run.steps.front().loss - 0.05);
        const auto file = SafetensorsFile::open(last(run.run.id).folder / "model.safetensors");
        ASSERT_OK(file);
        EXPECT_EQ(file->tensors().size(), 28u) << "the matrices alone";
        // Embedding and norms come through as they were.
        const auto model = merged(run.run.id);
        std::vector<float> now(static_cast<std::size_t>(model->parameters()[0].elementCount())), before(now.size());
        ASSERT_OK(model->readParameter(0, now));
        ASSERT_OK((*ModelSource::open((m_files / "model").string()))->readParameter(0, before));
        EXPECT_EQ(now, before);
    }
}

TEST_F(LoraRuns, TellDriftOfTheModelAndSelectionOfTheMatrices) {
    const auto run = m_engine->trainNew(loraConfig(OptimizerKind::LoraMofo), "lora_mofo");
    ASSERT_FALSE(run.error) << run.error->text();
    ASSERT_TRUE(run.tensors);
    const std::size_t model = 20;
    ASSERT_EQ(run.parameters.size(), model + 28u);
    for (const auto* values : {&run.tensors->driftL2, &run.tensors->churn, &run.tensors->coverage, &run.tensors->threshold})
        EXPECT_EQ(values->size(), run.parameters.size());
    const auto merged = this->merged(run.run.id);
    const auto base = ModelSource::open((m_files / "model").string());
    for (std::size_t i = 0; i < run.parameters.size(); ++i) {
        const ParameterRow& row = run.parameters[i];
        if (i >= model) {
            EXPECT_THAT(row.kind, testing::AnyOf(testing::EndsWith(".A"), testing::EndsWith(".B")));
            EXPECT_TRUE(row.filtered);
            EXPECT_EQ(run.tensors->driftL2[i], 0) << "it is the model's";
            const double share = run.tensors->selected[i] / static_cast<double>(row.size);
            EXPECT_NEAR(share, 0.15, 0.15 * 0.15 + 4.0 / static_cast<double>(row.size)) << row.name;
            continue;
        }
        EXPECT_EQ(run.tensors->selected[i], 0u);
        std::vector<float> now(static_cast<std::size_t>(row.size)), before(now.size());
        ASSERT_OK(merged->readParameter(i, now));
        ASSERT_OK((*base)->readParameter(i, before));
        double squares = 0;
        for (std::size_t j = 0; j < now.size(); ++j) squares += std::pow(static_cast<double>(now[j] - before[j]), 2);
        EXPECT_NEAR(run.tensors->driftL2[i], std::sqrt(squares), 1e-4 * std::sqrt(squares) + 1e-9) << row.name;
    }
}

TEST_F(LoraRuns, GoOnWithTheSameBits) {
    for (const OptimizerKind kind : {OptimizerKind::Lora, OptimizerKind::LoraMofo}) {
        const RunConfig c = loraConfig(kind);
        const std::string name = configValue(c, "optimizer");
        const auto whole = m_engine->trainNew(c, name);
        const std::string cut = m_engine->addRun(c, name + " cut");
        for (const std::int64_t step : {1, 6, 7, 13}) trainUntil(cut, step, step != 7);
        expectSame(whole, m_engine->train(cut));
    }
}

TEST_F(LoraRuns, TheMergedCheckpointHasTheLogitsOfTheRun) {
    RunConfig c = loraConfig(OptimizerKind::Lora);
    c.evalData = c.data;
    c.evalEvery = 20;
    const auto run = m_engine->trainNew(c, "lora");
    ASSERT_FALSE(run.error) << run.error->text();
    // The held-out loss that the run measured with its matrices is that of the merged weights.
    const auto model = merged(run.run.id);
    const auto weights = loadWeights(*model, c10::kCPU);
    ASSERT_OK(weights);
    const Decoder decoder(model->description(), model->parameters(), *weights);
    const auto tokenizer = model->loadTokenizer();
    ASSERT_OK(tokenizer);
    const auto chatTemplate = chooseChatTemplate(*tokenizer, "");
    auto reader = DatasetReader::open(c.data, "");
    ASSERT_OK(reader);
    double nll = 0;
    std::int64_t targets = 0;
    while (true) {
        const auto next = reader->next();
        ASSERT_OK(next);
        if (!next->row) break;
        const auto row = renderRow(*next->row, *tokenizer, *chatTemplate ? &**chatTemplate : nullptr, c.maxLength);
        ASSERT_OK(row);
        const TokenRow* const one = &*row;
        nll += decoder.rowLosses(packRows({&one, 1}))[0];
        targets += row->targetCount();
    }
    EXPECT_NEAR(nll / static_cast<double>(targets), run.evals.back().loss, 1e-5);
}

TEST_F(LoraRuns, ProbesMeasureTheMergedModelAndLeaveTheTrainingAsItIs) {
    const RunConfig without = loraConfig(OptimizerKind::Lora);
    ASSERT_GT(without.loraDropout, 0) << "a probe must leave out nothing, and use up none of training's numbers";
    RunConfig with = without;
    for (const auto& [key, value] : {std::pair("probes", "kl:4,text:3"), std::pair("probe_every", "7"), std::pair("probe_budget", "1")})
        ASSERT_OK(setConfigValue(with, key, value));
    const auto bare = m_engine->trainNew(without, "without"), probed = m_engine->trainNew(with, "with");
    ASSERT_FALSE(bare.error) << bare.error->text();
    ASSERT_FALSE(probed.error) << probed.error->text();
    expectEqualSteps(bare, probed, 0);
    EXPECT_EQ(m_engine->weightsHash(bare.run.id), m_engine->weightsHash(probed.run.id));
    const std::string interrupted = m_engine->addRun(with, "interrupted");
    trainUntil(interrupted, 10, true);
    ASSERT_FALSE(m_engine->train(interrupted).error);

    const auto reader = MetricsReader::open(m_engine->workspace().metricsFile(probed.run.id));
    const auto other = MetricsReader::open(m_engine->workspace().metricsFile(interrupted));
    ASSERT_OK(reader);
    ASSERT_OK(other);
    const auto rows = reader->probesAfter(0), resumed = other->probesAfter(0);
    ASSERT_OK(rows);
    ASSERT_OK(resumed);
    ASSERT_EQ(rows->size(), 16u) << "kl and reverse_kl, loss and bits_per_byte, before the first step, at 7 and 14, and after the last";
    ASSERT_EQ(resumed->size(), rows->size());
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const ProbeRow& row = (*rows)[i];
        EXPECT_EQ(row.value, (*resumed)[i].value) << row.probe << ' ' << row.measure << ' ' << row.step;
        if (row.probe == "kl" && row.step == 0) {
            EXPECT_EQ(row.value, 0) << "B begins as zero";
        }
        if (row.step != probed.steps.back().step || (row.measure != "kl" && row.measure != "loss")) continue;
        EvaluateRequest request;
        request.task = row.probe;
        request.limit = row.items;
        auto base = ModelSource::open((m_files / "model").string());
        ASSERT_OK(base);
        const auto merged = evaluateModel(request, this->merged(probed.run.id), std::move(*base), c10::kCPU, {});
        ASSERT_OK(merged);
        EXPECT_GT(row.value, 1e-4);
        // The weights are W + s B A rounded to fp32 there, and two products here.
        EXPECT_NEAR((*merged)[row.measure].get<double>(), row.value, 1e-4 * row.value + 1e-6) << row.probe;
    }
}

TEST_F(LoraRuns, HeadsAreNoPartitionOfTheMatrices) {
    RunConfig c = loraConfig(OptimizerKind::LoraMofo);
    c.granularity = *Granularity::parse("head");
    const auto refused = m_engine->trainNew(c, "heads");
    ASSERT_TRUE(refused.error);
    EXPECT_THAT(refused.error->text(), testing::HasSubstr("not divided by heads"));
    c.granularity = *Granularity::parse("row");
    EXPECT_FALSE(m_engine->trainNew(c, "rows").error);
}

}  // namespace
}  // namespace mofo
