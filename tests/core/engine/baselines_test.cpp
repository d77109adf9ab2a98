// Half fine-tuning and the pulls to the pretrained weights.
#include <map>
#include <set>

#include "core/engine/half_fine_tuning.h"
#include "tests/core/engine/optimizer_support.h"

namespace mofo {
namespace {

using test::ReferenceStep;
using test::SteppedModel;

std::vector<ParameterInfo> modelOf(std::int64_t layers) {
    ModelDescription model = *describeRandom("random:smollm2");
    model.layerCount = layers;
    return parametersOf(model);
}

bool isMlp(ModuleKind kind) { return kind == ModuleKind::Gate || kind == ModuleKind::Up || kind == ModuleKind::Down; }

TEST(FrozenTensors, AreHalfOfEachKindInEveryLayer) {
    for (const std::int64_t layers : {1, 2, 5, 30}) {
        const auto infos = modelOf(layers);
        for (const std::int64_t round : {0, 1, 17}) {
            const auto frozen = frozenTensors(infos, 42, round);
            ASSERT_EQ(frozen.size(), infos.size());
            std::map<std::int64_t, int> attention, mlp, norms;
            int layersWithTwo = 0;
            for (std::size_t i = 0; i < infos.size(); ++i) {
                if (infos[i].layer < 0) {
                    EXPECT_FALSE(frozen[i]) << infos[i].name;
                } else if (frozen[i]) {
                    ++(infos[i].kind == ModuleKind::Norm ? norms : isMlp(infos[i].kind) ? mlp : attention)[infos[i].layer];
                }
            }
            for (std::int64_t layer = 0; layer < layers; ++layer) {
                EXPECT_EQ(attention[layer], 2) << layer;  // of q, k, v, o
                EXPECT_EQ(norms[layer], 1) << layer;
                EXPECT_TRUE(mlp[layer] == 1 || mlp[layer] == 2) << layer;  // of gate, up, down
                layersWithTwo += mlp[layer] == 2 ? 1 : 0;
            }
            EXPECT_EQ(layersWithTwo, layers / 2);
        }
    }
}

TEST(FrozenTensors, DependOnSeedRoundAndNamesAlone) {
    const auto infos = modelOf(30);
    EXPECT_EQ(frozenTensors(infos, 42, 3), frozenTensors(infos, 42, 3));
    EXPECT_NE(frozenTensors(infos, 42, 3), frozenTensors(infos, 42, 4));
    EXPECT_NE(frozenTensors(infos, 42, 3), frozenTensors(infos, 43, 3));
    // Over many rounds every tensor of a layer is frozen about half of the time: no tensor is favoured.
    std::vector<int> times(infos.size(), 0);
    constexpr int rounds = 400;
    for (int round = 0; round < rounds; ++round) {
        const auto frozen = frozenTensors(infos, 42, round);
        for (std::size_t i = 0; i < infos.size(); ++i) times[i] += frozen[i] ? 1 : 0;
    }
    for (std::size_t i = 0; i < infos.size(); ++i) {
        if (infos[i].layer < 0) continue;
        EXPECT_NEAR(times[i], rounds / 2, 50) << infos[i].name;  // five standard deviations
    }
}

TEST(FrozenTensors, RoundsHaveTheirLength) {
    EXPECT_EQ(hftRound(1, 10), 0);
    EXPECT_EQ(hftRound(10, 10), 0);
    EXPECT_EQ(hftRound(11, 10), 1);
    EXPECT_EQ(hftRound(5, 1), 4);
}

class Baselines : public test::OptimizerFixture {};

TEST_F(Baselines, HftLeavesFrozenTensorsAloneAndStepsTheOthersAsAdamW) {
    RunConfig config = configOf({{"optimizer", "hft"}, {"hft_every", "3"}, {"weight_decay", "0.1"}, {"l2", "2"}});
    SteppedModel model(*m_source, config);
    ReferenceStep reference(*m_source);
    std::set<std::vector<bool>> draws;
    for (std::int64_t step = 1; step <= 9; ++step) {
        const std::vector<bool> frozen = model.optimizer.frozenAt(step);
        EXPECT_EQ(frozen, frozenTensors(m_source->parameters(), config.seed, (step - 1) / 3));
        draws.insert(frozen);
        const at::Tensor p = model.weights.flat().clone(), m = model.optimizer.firstMoments().flat().clone(),
                         v = model.optimizer.secondMoments().flat().clone();
        setGradient(model, step);
        setGradient(reference, model);
        const StepOutcome& outcome = model.step(step, 1e-3);
        reference.step(config, step, 1e-3, 1, frozen);
        expectEqual(model, reference);
        for (std::size_t i = 0; i < frozen.size(); ++i) {
            const std::int64_t n = model.weights.view(i).numel(), begin = model.weights.offset(i);
            const bool still = at::equal(model.weights.flat().narrow(0, begin, n), p.narrow(0, begin, n)) &&
                               at::equal(model.optimizer.firstMoments().flat().narrow(0, begin, n), m.narrow(0, begin, n)) &&
                               at::equal(model.optimizer.secondMoments().flat().narrow(0, begin, n), v.narrow(0, begin, n));
            EXPECT_EQ(still, frozen[i]) << m_source->parameters()[i].name;
            EXPECT_EQ(outcome.tensors[i].selected, frozen[i] ? 0 : n) << m_source->parameters()[i].name;
        }
    }
    EXPECT_EQ(draws.size(), 3u);
}

TEST_F(Baselines, HftEveryMayChangeBetweenTwoSteps) {
    RunConfig config = configOf({{"optimizer", "hft"}, {"hft_every", "4"}});
    SteppedModel model(*m_source, config);
    EXPECT_EQ(model.optimizer.frozenAt(5), frozenTensors(m_source->parameters(), config.seed, 1));
    config.hftEvery = 2;
    model.reconfigure(config);
    EXPECT_EQ(model.optimizer.frozenAt(5), frozenTensors(m_source->parameters(), config.seed, 2));
    EXPECT_EQ(OptimizerSettings::from(configOf({{"optimizer", "hft"}}), 7).hftEvery, 7) << "a round is a pass over the rows unless told";
}

TEST_F(Baselines, PullsHaveTheirClosedForm) {
    // Without a gradient nothing but the pull moves p: after t steps of L2, p - p0 is (1 - lr l2)^t of what it was.
    const RunConfig config = configOf({{"optimizer", "adamw"}, {"l2", "50"}});
    SteppedModel model(*m_source, config);
    const at::Tensor pretrained = model.weights.flat().clone();
    at::manual_seed(1);
    const at::Tensor away = at::randn_like(pretrained);
    model.weights.flat().add_(away);
    for (std::int64_t step = 1; step <= 5; ++step) model.step(step, 1e-3);
    const std::vector<bool> reached = decayedParameters(m_source->parameters());
    for (std::size_t i = 0; i < reached.size(); ++i) {
        const std::int64_t begin = model.weights.offset(i), n = model.weights.view(i).numel();
        const at::Tensor now = model.weights.flat().narrow(0, begin, n) - pretrained.narrow(0, begin, n);
        const at::Tensor expected = away.narrow(0, begin, n) * (reached[i] ? std::pow(1 - 0.05, 5) : 1.0);
        EXPECT_TRUE(at::allclose(now, expected, 1e-4, 1e-5)) << m_source->parameters()[i].name;
    }

    // L1 takes lr l1 off the distance at each step, whatever the distance, towards p0.
    SteppedModel byOnes(*m_source, configOf({{"optimizer", "adamw"}, {"l1", "10"}}));
    byOnes.weights.flat().add_(away.sign());
    for (std::int64_t step = 1; step <= 5; ++step) byOnes.step(step, 1e-3);
    const at::Tensor distance = byOnes.weights.flat() - pretrained;
    for (std::size_t i = 0; i < reached.size(); ++i) {
        const at::Tensor now = distance.narrow(0, byOnes.weights.offset(i), byOnes.weights.view(i).numel()).abs();
        EXPECT_NEAR(now.mean().item<double>(), reached[i] ? 0.95 : 1.0, 1e-5) << m_source->parameters()[i].name;
    }
    // At p0 itself there is no pull.
    SteppedModel still(*m_source, configOf({{"optimizer", "adamw"}, {"l1", "10"}, {"l2", "50"}}));
    still.step(1, 1e-3);
    EXPECT_TRUE(at::equal(still.weights.flat(), pretrained));
}

TEST_F(Baselines, PullsGoWithEveryOptimizerAndRule) {
    for (const auto& [key, value] : {std::pair("optimizer", "adamw"), std::pair("rule", "momentum"), std::pair("rule", "gradient")}) {
        const RunConfig config = configOf({{key, value}, {"l1", "0.1"}, {"l2", "20"}, {"weight_decay", "0.3"}});
        SteppedModel model(*m_source, config);
        ReferenceStep reference(*m_source);
        for (std::int64_t step = 1; step <= 5; ++step) {
            setGradient(model, step);
            setGradient(reference, model);
            model.step(step, 1e-3, 0.5);
            reference.step(config, step, 1e-3, 0.5);
            expectEqual(model, reference);
        }
        EXPECT_GT((model.weights.flat() - loadWeights(*m_source, c10::kCPU)->flat()).abs().max().item<float>(), 0);
    }
}

TEST_F(Baselines, APullComesAndGoesWhileTheRunIsOn) {
    const RunConfig without = configOf({}), with = configOf({{"l2", "100"}});
    SteppedModel model(*m_source, without);
    ReferenceStep reference(*m_source);
    for (std::int64_t step = 1; step <= 6; ++step) {
        const RunConfig& config = step == 3 || step == 4 ? with : without;
        model.reconfigure(config);
        setGradient(model, step);
        setGradient(reference, model);
        model.step(step, 1e-3);
        reference.step(config, step, 1e-3, 1);
        expectEqual(model, reference);
    }
}

}  // namespace
}  // namespace mofo
