// Changes while a run is on: applied at their step, journaled, replayed by a resumed run; wrong ones refused with the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/engine/checkpoint.h"
#include "core/engine/decoder.h"
#include "core/engine/gradient_norm.h"
#include "core/engine/optimizer.h"
#include "core/config/schedule.h"
#include "core/engine/training_data.h"
#include "core/tensorio/safetensors.h"
#include "tests/core/engine/engine_support.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;

/// What changes before which update.
using Changes = std::map<std::int64_t, Json>;

class LiveChanges : public test::TrainingTest {
protected:
    /// The weights after all steps of a loop written out here: rows, gradients, clipping, configure(), step().
    ParameterArena steppedByHand(RunConfig config, const Changes& changes) {
        const auto source = *ModelSource::open((m_files / "model").string());
        const auto tokenizer = source->loadTokenizer();
        const auto data = *TrainingData::load(config, *tokenizer, [](double) { return true; });
        ParameterArena weights = *loadWeights(*source, c10::kCPU), gradients(source->parameters(), c10::kCPU);
        const Decoder decoder(source->description(), source->parameters(), weights);
        GradientNorm norm(source->parameters());
        Optimizer optimizer(*source, config, weights, gradients, {});
        for (std::int64_t step = 1; step <= data.totalSteps(); ++step) {
            if (const auto found = changes.find(step); found != changes.end()) {
                for (const auto& [key, value] : found->second.items()) EXPECT_OK(setConfigValue(config, key, value.get<std::string>()));
            }
            EXPECT_OK(optimizer.configure(OptimizerSettings::from(config, 7)));  // 37 rows, 6 a step
            gradients.flat().zero_();
            for (const PackedBatch& piece : packMicroBatches(data.batch(step), config.microBatch, config.lossMean)) {
                decoder.addGradients(piece, gradients);
            }
            const double length = norm(gradients, optimizer.frozenAt(step)), scale = length > config.clip ? config.clip / (length + 1e-6) : 1;
            EXPECT_OK(optimizer.step(step, learningRate(config, step, data.totalSteps()), scale, true));
        }
        return weights;
    }
    void expectWeights(const std::string& run, const ParameterArena& weights) {
        const auto newest = *newestCheckpoint(m_engine->workspace().checkpointsFolder(run));
        ASSERT_TRUE(newest);
        const auto file = SafetensorsFile::open(newest->folder / "model.safetensors");
        ASSERT_OK(file);
        const auto source = *ModelSource::open((m_files / "model").string());
        for (std::size_t i = 0; i < weights.count(); ++i) {
            const std::string& name = source->parameters()[i].name;
            std::vector<float> stored(static_cast<std::size_t>(weights.view(i).numel()));
            ASSERT_OK(file->readFloats(*file->find(name), 0, stored));
            EXPECT_TRUE(std::equal(stored.begin(), stored.end(), weights.view(i).const_data_ptr<float>())) << name;
        }
    }
    std::string addRun(const RunConfig& config, const std::string& name, const Changes& changes) {
        const std::string id = m_engine->addRun(config, name);
        for (const auto& [step, payload] : changes) m_sent[step] = send(id, "set", payload, step);
        return id;
    }
    /// Trains to the end with a death after step 7 and a checkpoint of step 4 alone, which the second engine starts from.
    test::EngineFixture::Trained trainInTwoLives(const std::string& id) {
        send(id, "stop", {{"save", false}}, 8);
        m_engine->train(id);
        return m_engine->train(id);
    }
    RunConfig configWith(std::initializer_list<std::pair<const char*, const char*>> values) const {
        RunConfig changed = config();
        for (const auto& [key, value] : values) EXPECT_OK(setConfigValue(changed, key, value));
        changed.checkpointEvery = 4;
        return changed;
    }
    std::map<std::int64_t, std::string> m_sent;  ///< uuid by step, of the last addRun
};

const Changes everything{{3, {{"rule", "gradient"}, {"alpha", "0.05"}}},
                         {5, {{"granularity", "row"}, {"l2", "20"}}},
                         {6, {{"rule", "random"}, {"granularity", "module"}, {"alpha.mlp", "0.3"}}},
                         {9, {{"rule", "mv"}, {"granularity", "block:64"}, {"l1", "0.05"}, {"l2", "0"}}},
                         {11, {{"rule", "momentum"}, {"alpha", "cosine:0.5..0.1@8..12"}, {"alpha.mlp", ""}}}};

TEST_F(LiveChanges, EqualARunThatIsSteppedByHand) {
    const std::string id = addRun(configWith({}), "live", everything);
    const auto run = m_engine->train(id);
    ASSERT_FALSE(run.error) << run.error->text();
    expectWeights(id, steppedByHand(configWith({}), everything));
    EXPECT_EQ(run.steps[4].granularity, "row");
    EXPECT_EQ(run.steps[5].granularity, "module");
    EXPECT_DOUBLE_EQ(run.steps[10].alpha, AlphaSchedule::parse("cosine:0.5..0.1@8..12")->at(11));
    for (const auto& [step, uuid] : m_sent) {
        const auto answer = acknowledgement(id, uuid);
        ASSERT_TRUE(answer) << step;
        EXPECT_TRUE(answer->accepted) << answer->reason;
        EXPECT_EQ(answer->appliedStep, step);
    }
    // The journal names every key that changed, with both values.
    std::vector<std::string> journal;
    for (const EventRow& event : run.events) {
        if (event.kind == "set") journal.push_back(event.key + " " + event.oldValue + ">" + event.newValue);
    }
    EXPECT_THAT(journal, ::testing::IsSupersetOf({"rule momentum>gradient", "alpha 0.15>0.05", "granularity tensor>row", "l2 0>20",
                                                  "rule gradient>random", "alpha.mlp >0.3", "l1 0>0.05", "l2 20>0", "rule mv>momentum"}));
    EXPECT_EQ(configValue(m_engine->registry().findRun(id)->config, "granularity"), "block:64");
}

TEST_F(LiveChanges, AResumedRunReplaysThemBitForBit) {
    const std::string whole = addRun(configWith({}), "whole", everything), cut = addRun(configWith({}), "cut", everything);
    const auto a = m_engine->train(whole);
    const auto b = trainInTwoLives(cut);
    ASSERT_FALSE(b.error) << b.error->text();
    expectEqualSteps(a, b, 0);
    EXPECT_EQ(m_engine->weightsHash(whole), m_engine->weightsHash(cut));
}

TEST_F(LiveChanges, RandomDrawsComeBackOnResume) {
    const Changes rounds{{6, {{"hft_every", "2"}}}}, shares{{6, {{"alpha", "0.4"}, {"granularity", "head"}}}};
    for (const auto& [key, value, changes] :
         {std::tuple("optimizer", "hft", rounds), std::tuple("optimizer", "fixed_mask", shares), std::tuple("rule", "random", shares)}) {
        const RunConfig c = configWith({{key, value}});
        const std::string whole = addRun(c, std::string("whole ") + value, changes), cut = addRun(c, std::string("cut ") + value, changes);
        const auto a = m_engine->train(whole);
        const auto b = trainInTwoLives(cut);
        ASSERT_FALSE(b.error) << b.error->text();
        expectEqualSteps(a, b, 0);
        EXPECT_EQ(m_engine->weightsHash(whole), m_engine->weightsHash(cut)) << value;
        expectWeights(whole, steppedByHand(c, changes));
    }
}

TEST_F(LiveChanges, ARunThatStartsAgainBeginsWithItsOwnSettings) {
    // Without a checkpoint the second engine starts from the sealed model: the change of step 3 is replayed, not taken for the start's setting.
    RunConfig c = configWith({});
    c.checkpointEvery = 0;
    const Changes changes{{3, {{"rule", "mv"}, {"alpha", "0.6"}}}};
    const std::string whole = addRun(c, "whole", changes), cut = addRun(c, "cut", changes);
    const auto a = m_engine->train(whole), b = trainInTwoLives(cut);
    expectEqualSteps(a, b, 0);
    EXPECT_EQ(m_engine->weightsHash(whole), m_engine->weightsHash(cut));
}

TEST_F(LiveChanges, WrongOnesAreRefusedWithTheReasonAndChangeNothing) {
    struct Case {
        Json payload;
        const char* reason;
    };
    const std::vector<Case> mofo{{{{"alpha", "0"}}, "out of range"},
                                 {{{"alpha", "1.1"}}, "out of range"},
                                 {{{"alpha", "nan"}}, "not a number"},
                                 {{{"alpha", 0.1}}, "not a text"},
                                 {{{"granularity", "block:0"}}, "out of range"},
                                 {{{"granularity", "block:63"}}, "from 64"},
                                 {{{"granularity", "shards:0"}}, "from 1"},
                                 {{{"granularity", "hed"}}, "did you mean head?"},
                                 {{{"alpha.mlp", "0.1"}, {"granularity", "layer"}}, "cannot go with granularity=layer"},
                                 {{{"alpha.mlp", "0.1"}, {"granularity", "model"}}, "cannot go with granularity=model"},
                                 {{{"rule", "gv"}}, "known but not available"},
                                 {{{"rule", "momentun"}}, "did you mean momentum?"},
                                 {{{"l1", "-1"}}, "out of range"},
                                 {{{"l2", "x"}}, "not a number"},
                                 {{{"hft_every", "3"}}, "no effect with optimizer=mofo"},
                                 {{{"row_counts", "*.qproj.*"}}, "matches none of the model's 20 parameters"},
                                 {{{"optimizer", "adamw"}}, "cannot change while a run is on"},
                                 {{{"offload", "optimizer"}}, "cannot change while a run is on"},
                                 {{{"filter_include", "*"}}, "cannot change while a run is on"},
                                 {{{"alhpa", "0.1"}}, "Did you mean alpha?"},
                                 {Json::object(), "without any key"}};
    const std::vector<Case> adamw{{{{"alpha", "0.1"}}, "alpha has no effect with optimizer=adamw"},
                                  {{{"granularity", "row"}}, "granularity has no effect with optimizer=adamw"},
                                  {{{"rule", "gradient"}}, "rule has no effect with optimizer=adamw"}};
    for (const auto& [optimizer, cases] : {std::pair("mofo", mofo), std::pair("adamw", adamw)}) {
        const RunConfig c = configWith({{"optimizer", optimizer}});
        const std::string id = m_engine->addRun(c, "refused");
        std::vector<std::string> uuids;
        for (const Case& one : cases) uuids.push_back(send(id, "set", one.payload, 3));
        const auto run = m_engine->train(id);
        ASSERT_FALSE(run.error) << run.error->text();
        for (std::size_t i = 0; i < cases.size(); ++i) {
            const auto answer = acknowledgement(id, uuids[i]);
            ASSERT_TRUE(answer) << cases[i].payload.dump();
            EXPECT_FALSE(answer->accepted) << cases[i].payload.dump();
            EXPECT_THAT(answer->reason, HasSubstr(cases[i].reason)) << cases[i].payload.dump();
        }
        const auto plain = m_engine->trainNew(c, "plain");
        expectEqualSteps(plain, run, 0);
        EXPECT_EQ(m_engine->weightsHash(plain.run.id), m_engine->weightsHash(id));
        EXPECT_EQ(m_engine->registry().findRun(id)->config, c);
    }
}

TEST_F(LiveChanges, AMethodThatDoesNotFitTheModelIsRefusedBeforeTheFirstStep) {
    for (const auto& [key, value, reason] :
         {std::tuple("filter_include", "*.nothing.*", "matches none of the model's 20 parameters"),
          std::tuple("filter_exclude", "*", "no parameter is left"), std::tuple("row_counts", "nothing", "matches none")}) {
        const auto run = m_engine->trainNew(configWith({{key, value}}), "wrong");
        ASSERT_TRUE(run.error) << key;
        EXPECT_EQ(run.error->code, ErrorCode::Usage);
        EXPECT_THAT(run.error->text(), HasSubstr(reason));
        EXPECT_TRUE(run.steps.empty());
    }
}

TEST_F(LiveChanges, OffloadOnTheCpuChangesNothingAndSaysSo) {
    const auto plain = m_engine->trainNew(configWith({}), "plain"), offloaded = m_engine->trainNew(configWith({{"offload", "optimizer"}}), "offload");
    expectEqualSteps(plain, offloaded, 0);
    EXPECT_EQ(m_engine->weightsHash(plain.run.id), m_engine->weightsHash(offloaded.run.id));
    const auto said = [](const test::EngineFixture::Trained& run) {
        return std::count_if(run.events.begin(), run.events.end(), [](const EventRow& event) { return event.text.starts_with("offload=optimizer"); });
    };
    EXPECT_EQ(said(offloaded), 1);
    EXPECT_EQ(said(plain), 0);
}

TEST_F(LiveChanges, HftSaysWhenItDrawsAndCountsOnlyWhatTrains) {
    const auto run = m_engine->trainNew(configWith({{"optimizer", "hft"}, {"hft_every", "5"}, {"stats_every", "1"}}), "hft");
    ASSERT_FALSE(run.error) << run.error->text();
    std::vector<std::string> said;
    for (const EventRow& event : run.events) {
        if (event.text.starts_with("half fine-tuning")) said.push_back(event.text);
    }
    // Of nine tensors of a layer four or five; the embedding and the last norm always train.
    EXPECT_EQ(said, (std::vector<std::string>{"half fine-tuning freezes 9 of 20 tensors from step 1",
                                              "half fine-tuning freezes 9 of 20 tensors from step 6",
                                              "half fine-tuning freezes 9 of 20 tensors from step 11"}));
    ASSERT_TRUE(run.tensors);
    EXPECT_EQ(std::count(run.tensors->selected.begin(), run.tensors->selected.end(), 0u), 9);
    // The norm that clipping goes by is that of what trains: smaller than AdamW's from the same weights.
    const auto adamw = m_engine->trainNew(configWith({{"optimizer", "adamw"}}), "adamw");
    EXPECT_LT(run.steps[0].gradNorm, adamw.steps[0].gradNorm);
    EXPECT_EQ(run.steps[0].loss, adamw.steps[0].loss);
    // A round is a pass over the rows unless told: 37 rows in batches of 6 are 7 steps.
    const auto byPass = m_engine->trainNew(configWith({{"optimizer", "hft"}}), "pass");
    EXPECT_EQ(std::count_if(byPass.events.begin(), byPass.events.end(), [](const EventRow& event) { return event.text.ends_with("from step 8"); }),
              1);
}

}  // namespace
}  // namespace mofo
