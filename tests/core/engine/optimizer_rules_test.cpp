// What ranks coordinates, at every granularity, against a few lines of LibTorch; and that settings may change between any two steps.
#include <cmath>
#include <tuple>

#include "tests/core/engine/optimizer_support.h"

namespace mofo {
namespace {

using test::ReferenceStep;
using test::SteppedModel;

class OptimizerRules : public test::OptimizerFixture, public ::testing::WithParamInterface<std::tuple<const char*, const char*>> {};

TEST_P(OptimizerRules, MovesWhatTheReferenceMovesBitForBit) {
    const auto [rule, granularity] = GetParam();
    const RunConfig config = configOf({{"rule", rule}, {"granularity", granularity}, {"weight_decay", "0.1"}});
    SteppedModel model(*m_source, config);
    ReferenceStep reference(*m_source);
    for (std::int64_t step = 1; step <= 4; ++step) {
        setGradient(model, step);
        setGradient(reference, model);
        const StepOutcome& outcome = model.step(step, 1e-3, 0.7);
        const auto masks = reference.step(config, step, 1e-3, 0.7);
        expectEqual(model, reference);
        for (std::size_t i = 0; i < masks.size(); ++i) {
            const std::string& name = m_source->parameters()[i].name;
            EXPECT_EQ(outcome.tensors[i].masked, masks[i].sum().item<std::int64_t>()) << name;
            EXPECT_EQ(outcome.tensors[i].selected, masks[i].logical_and(reference.m[i] != 0).sum().item<std::int64_t>()) << name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerRules,
                         ::testing::Combine(::testing::Values("momentum", "gradient", "mv"),
                                            ::testing::Values("model", "layer", "module", "tensor", "head", "row", "block:64", "shards:4")),
                         [](const auto& info) {
                             std::string name = std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
                             for (char& c : name) c = c == ':' ? '_' : c;
                             return name;
                         });

class OptimizerTest : public test::OptimizerFixture {
protected:
    /// Where p differs from what it was, by tensor.
    static std::vector<at::Tensor> movedSince(const SteppedModel& model, const at::Tensor& before) {
        std::vector<at::Tensor> moved;
        for (std::size_t i = 0; i < model.weights.count(); ++i) {
            const at::Tensor now = model.weights.view(i).flatten();
            moved.push_back(now != before.narrow(0, model.weights.offset(i), now.numel()));
        }
        return moved;
    }
    /// One step of `config` from the pretrained weights; what it moved.
    std::vector<at::Tensor> movedAt(const RunConfig& config, std::int64_t step) {
        SteppedModel model(*m_source, config);
        const at::Tensor before = model.weights.flat().clone();
        setGradient(model, step);
        model.step(step, 1e-2);
        return movedSince(model, before);
    }
    static bool sameMasks(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
        for (std::size_t i = 0; i < a.size(); ++i)
            if (!at::equal(a[i], b[i])) return false;
        return true;
    }
};

TEST_F(OptimizerTest, RandomTakesExactlyKOfEachPartitionAndMovesThemAsAdamW) {
    for (const char* granularity : {"tensor", "row", "head", "block:64", "shards:4"}) {
        const RunConfig config = configOf({{"rule", "random"}, {"granularity", granularity}});
        SteppedModel model(*m_source, config);
        ReferenceStep adamw(*m_source);
        for (std::int64_t step = 1; step <= 3; ++step) {
            const at::Tensor before = model.weights.flat().clone();
            setGradient(model, step);
            setGradient(adamw, model);
            const StepOutcome& outcome = model.step(step, 1e-2);
            for (const kernels::PartitionResult& partition : outcome.partitions) EXPECT_EQ(partition.masked, partition.k) << granularity;
            // The reference is given the mask that was drawn: whatever is drawn moves as AdamW moves it, and nothing else does.
            std::vector<at::Tensor> moved = movedSince(model, before);
            std::int64_t selected = 0, movedCount = 0;
            for (std::size_t i = 0; i < moved.size(); ++i) {
                selected += outcome.tensors[i].selected;
                movedCount += moved[i].sum().item<std::int64_t>();
            }
            EXPECT_EQ(selected, movedCount) << granularity;  // steps of 1e-2 are not lost in rounding here
            adamw.step(config, step, 1e-2, 1, {}, moved);
            expectEqual(model, adamw);
        }
    }
}

TEST_F(OptimizerTest, RandomDrawsByTheSeedAndTheStepAlone) {
    RunConfig config = configOf({{"rule", "random"}, {"seed", "7"}});
    const auto first = movedAt(config, 1);
    EXPECT_TRUE(sameMasks(first, movedAt(config, 1)));
    EXPECT_FALSE(sameMasks(first, movedAt(config, 2)));
    config.seed = 8;
    EXPECT_FALSE(sameMasks(first, movedAt(config, 1)));
    // Two tensors of one shape draw differently: the name counts.
    const auto index = [&](std::string_view name) {
        for (std::size_t i = 0; i < m_source->parameters().size(); ++i)
            if (m_source->parameters()[i].name == name) return i;
        return std::size_t{0};
    };
    const std::size_t gate = index("model.layers.0.mlp.gate_proj.weight"), up = index("model.layers.0.mlp.up_proj.weight");
    ASSERT_NE(gate, up);
    EXPECT_FALSE(at::equal(first[gate], first[up]));
    // Two draws of 15 % share 15 % of 15 %, not more.
    const double both = first[gate].logical_and(first[up]).sum().item<double>() / static_cast<double>(first[gate].numel());
    EXPECT_NEAR(both, 0.15 * 0.15, 4 * std::sqrt(0.0225 / static_cast<double>(first[gate].numel())));
}

TEST_F(OptimizerTest, AFixedMaskStaysAndGrowsWithAlpha) {
    RunConfig config = configOf({{"optimizer", "fixed_mask"}, {"granularity", "row"}});
    SteppedModel model(*m_source, config);
    ReferenceStep adamw(*m_source);
    std::vector<at::Tensor> mask;
    for (std::int64_t step = 1; step <= 4; ++step) {
        const at::Tensor before = model.weights.flat().clone();
        setGradient(model, step);
        setGradient(adamw, model);
        const StepOutcome& outcome = model.step(step, 1e-2);
        for (const kernels::PartitionResult& partition : outcome.partitions) EXPECT_EQ(partition.masked, partition.k);
        const auto moved = movedSince(model, before);
        if (mask.empty()) mask = moved;
        EXPECT_TRUE(sameMasks(mask, moved)) << step;
        adamw.step(config, step, 1e-2, 1, {}, mask);
        expectEqual(model, adamw);
    }
    config.alpha.common.from = config.alpha.common.to = 0.5;
    const auto larger = movedAt(config, 1);
    for (std::size_t i = 0; i < mask.size(); ++i) {
        EXPECT_TRUE(at::equal(mask[i].logical_and(larger[i]), mask[i])) << "what was selected at 0.15 is at 0.5";
    }
    config.seed = 43;
    EXPECT_FALSE(sameMasks(larger, movedAt(config, 1)));
}

TEST_F(OptimizerTest, AlphaOneIsAdamWUnderEveryRule) {
    const RunConfig adamw = configOf({{"optimizer", "adamw"}, {"weight_decay", "0.1"}});
    SteppedModel expected(*m_source, adamw);
    for (std::int64_t step = 1; step <= 3; ++step) {
        setGradient(expected, step);
        EXPECT_TRUE(expected.step(step, 1e-3).partitions.empty());
    }
    for (const auto& [key, value] : {std::pair("rule", "momentum"), std::pair("rule", "gradient"), std::pair("rule", "mv"),
                                     std::pair("rule", "random"), std::pair("optimizer", "fixed_mask")}) {
        SteppedModel model(*m_source, configOf({{key, value}, {"alpha", "1"}, {"weight_decay", "0.1"}}));
        for (std::int64_t step = 1; step <= 3; ++step) {
            setGradient(model, step);
            model.step(step, 1e-3);
        }
        expectEqual(model, expected);
    }
}

TEST_F(OptimizerTest, SettingsChangeBetweenAnyTwoSteps) {
    const std::vector<RunConfig> configs{
        configOf({{"granularity", "tensor"}}),
        configOf({{"granularity", "model"}, {"rule", "gradient"}, {"alpha", "0.05"}}),
        configOf({{"granularity", "row"}, {"rule", "mv"}, {"alpha", "0.4"}, {"l2", "3"}}),
        configOf({{"granularity", "block:64"}, {"rule", "momentum"}, {"l1", "0.01"}, {"weight_decay", "0.2"}}),
        configOf({{"granularity", "head"}, {"rule", "gradient"}, {"alpha", "0.9"}}),
        configOf({{"granularity", "head"}, {"rule", "mv"}, {"alpha", "0.9"}}),
    };
    SteppedModel model(*m_source, configs.front());
    ReferenceStep reference(*m_source);
    for (std::int64_t step = 1; step <= 12; ++step) {
        const RunConfig& config = configs[static_cast<std::size_t>(step) % configs.size()];
        model.reconfigure(config);
        setGradient(model, step);
        setGradient(reference, model);
        model.step(step, 1e-3);
        reference.step(config, step, 1e-3, 1);
        expectEqual(model, reference);
    }
}

TEST_F(OptimizerTest, AlphaPerKindAndAsAScheduleDecidesK) {
    const RunConfig config = configOf({{"alpha", "linear:0.5..0.1@0..4"}, {"alpha.mlp", "0.02"}, {"alpha.embedding", "cosine:1..0.2@0..4"}});
    SteppedModel model(*m_source, config);
    for (std::int64_t step = 1; step <= 6; ++step) {
        setGradient(model, step);
        const StepOutcome& outcome = model.step(step, 1e-3);
        for (std::size_t i = 0; i < outcome.partitions.size(); ++i) {
            const ParameterInfo& info = m_source->parameters()[static_cast<std::size_t>(model.optimizer.partitions()[i].slices.front().parameter)];
            const bool mlp = info.kind == ModuleKind::Gate || info.kind == ModuleKind::Up || info.kind == ModuleKind::Down;
            const double alpha = mlp                                  ? 0.02
                                 : info.kind == ModuleKind::Embedding ? config.alpha.perKind.at("embedding").at(step)
                                                                      : config.alpha.common.at(step);
            EXPECT_EQ(outcome.partitions[i].k, kernels::selectedCount(alpha, info.elementCount())) << info.name << " at step " << step;
        }
    }
}

/// The tiny model without attention heads, as a family without attention would be.
class HeadlessSource : public ModelSource {
public:
    explicit HeadlessSource(const ModelSource& model) : m_model(model), m_description(model.description()) { m_description.headSize = 0; }
    [[nodiscard]] const ModelDescription& description() const override { return m_description; }
    [[nodiscard]] const std::vector<ParameterInfo>& parameters() const override { return m_model.parameters(); }
    Result<void> readParameter(std::size_t index, std::span<float> out) const override { return m_model.readParameter(index, out); }
    Result<Tokenizer> loadTokenizer() const override { return m_model.loadTokenizer(); }
    [[nodiscard]] std::string formatName() const override { return m_model.formatName(); }
    [[nodiscard]] bool isQuantised() const override { return false; }
    [[nodiscard]] std::vector<std::string> warnings() const override { return {}; }
    [[nodiscard]] Json hfConfig() const override { return m_model.hfConfig(); }
    [[nodiscard]] Json hfGenerationConfig() const override { return m_model.hfGenerationConfig(); }

private:
    const ModelSource& m_model;
    ModelDescription m_description;
};

TEST_F(OptimizerTest, ARefusedGranularityChangesNothing) {
    const RunConfig config = configOf({{"granularity", "row"}, {"alpha", "0.3"}});
    const HeadlessSource headless(*m_source);
    SteppedModel model(headless, config), untouched(*m_source, config);
    const RunConfig wrong = configOf({{"granularity", "head"}, {"alpha", "0.9"}, {"l2", "9"}});
    const auto refused = model.optimizer.configure(OptimizerSettings::from(wrong, 1));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Usage);
    EXPECT_NE(refused.error().text().find("no attention heads"), std::string::npos);
    EXPECT_EQ(model.optimizer.settings().granularity.text(), "row");
    setGradient(model, 1);
    setGradient(untouched, 1);
    model.step(1, 1e-3);
    untouched.step(1, 1e-3);
    expectEqual(model, untouched);
}

TEST_F(OptimizerTest, MeasuresOnlyWhatIsAskedFor) {
    SteppedModel model(*m_source, configOf({}));
    EXPECT_EQ(model.optimizer.lastStep(), nullptr);
    setGradient(model, 1);
    const StepOutcome& outcome = model.step(1, 1e-3);
    ASSERT_EQ(outcome.histograms.size(), model.weights.count());
    for (std::size_t i = 0; i < model.weights.count(); ++i) {
        std::int64_t sum = outcome.histograms[i].zeros;
        for (const std::int64_t bin : outcome.histograms[i].bins) sum += bin;
        EXPECT_EQ(sum, model.weights.view(i).numel());
        const at::Tensor update = (model.weights.view(i) - loadWeights(*m_source, c10::kCPU)->view(i)).to(at::kDouble);
        EXPECT_NEAR(outcome.tensors[i].squaredUpdate, update.square().sum().item<double>(), 2e-3 * outcome.tensors[i].squaredUpdate);
        EXPECT_GT(outcome.tensors[i].squaredUpdate, 0);
    }
    const kernels::StepArguments* last = model.optimizer.lastStep();
    ASSERT_NE(last, nullptr);
    EXPECT_EQ(last->partitionResults.data(), outcome.partitions.data());
    EXPECT_EQ(last->tensors.size(), model.weights.count());
    EXPECT_EQ(last->tensors[3].p, model.weights.view(3).data_ptr<float>());
    const auto plain = model.optimizer.step(2, 1e-3, 1, true);
    ASSERT_OK(plain);
    EXPECT_TRUE((*plain)->histograms.empty());
    model.reconfigure(configOf({{"granularity", "row"}}));
    EXPECT_EQ(model.optimizer.lastStep(), nullptr);
}

TEST_F(OptimizerTest, ANaNInTheGradientMovesNothing) {
    for (const char* l2 : {"0", "5"}) {
        for (const char* optimizer : {"mofo", "adamw", "fixed_mask"}) {
            SteppedModel model(*m_source, configOf({{"optimizer", optimizer}, {"l2", l2}}));
            setGradient(model, 1);
            model.step(1, 1e-2);
            const at::Tensor p = model.weights.flat().clone(), m = model.optimizer.firstMoments().flat().clone(),
                             v = model.optimizer.secondMoments().flat().clone();
            model.gradients.flat()[-1] = std::nan("");
            const auto outcome = model.optimizer.step(2, 1e-2, 1, false);
            ASSERT_OK(outcome);
            EXPECT_TRUE((*outcome)->nanFound);
            EXPECT_EQ((*outcome)->selectedCount(), 0);
            EXPECT_EQ(model.optimizer.lastStep(), nullptr);
            EXPECT_TRUE(at::equal(p, model.weights.flat()));
            EXPECT_TRUE(at::equal(m, model.optimizer.firstMoments().flat()));
            EXPECT_TRUE(at::equal(v, model.optimizer.secondMoments().flat()));
            setGradient(model, 2);
            const auto next = model.optimizer.step(2, 1e-2, 1, true);
            ASSERT_OK(next);
            EXPECT_FALSE((*next)->nanFound) << "a step after the refused one goes on";
        }
    }
}

}  // namespace
}  // namespace mofo
