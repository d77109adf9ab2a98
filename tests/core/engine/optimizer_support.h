// An optimizer over the weights of a tiny model, ready to be stepped.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/engine/optimizer.h"
#include "tests/core/engine/reference_step.h"
#include "tests/support/test_support.h"
#include "tests/support/tiny_model.h"

namespace mofo::test {

struct SteppedModel {
    SteppedModel(const ModelSource& source, const RunConfig& config, const OptimizerPlace& place = {}, c10::Device device = c10::kCPU)
        : weights(*loadWeights(source, device)), gradients(source.parameters(), device), optimizer(source, config, weights, gradients, place) {
        EXPECT_OK(optimizer.configure(OptimizerSettings::from(config, 1)));
    }
    void reconfigure(const RunConfig& config) { EXPECT_OK(optimizer.configure(OptimizerSettings::from(config, 1))); }
    const StepOutcome& step(std::int64_t step, double lr, double gradScale = 1) {
        const auto outcome = optimizer.step(step, lr, gradScale, true, {.updates = true, .histograms = true});
        EXPECT_OK(outcome);
        return **outcome;
    }
    ParameterArena weights, gradients;
    Optimizer optimizer;
};

class OptimizerFixture : public ::testing::Test {
protected:
    void SetUp() override {
        writeTinyModel(m_folder / "model");
        auto source = ModelSource::open((m_folder / "model").string());
        ASSERT_OK(source);
        m_source = std::move(*source);
    }
    /// Gradients of a step: the same for every model that is given them.
    [[nodiscard]] static at::Tensor gradientOf(std::int64_t step, std::int64_t n) {
        at::manual_seed(static_cast<std::uint64_t>(step));
        return at::randn({n});
    }
    static void setGradient(SteppedModel& model, std::int64_t step) {
        model.gradients.flat().copy_(gradientOf(step, model.gradients.flat().numel()));
    }
    static void setGradient(ReferenceStep& reference, const SteppedModel& like) {
        for (std::size_t i = 0; i < reference.g.size(); ++i) reference.g[i].copy_(like.gradients.view(i).flatten());
    }
    void expectEqual(SteppedModel& model, const ReferenceStep& reference) const {
        for (std::size_t i = 0; i < reference.p.size(); ++i) {
            const std::string& name = m_source->parameters()[i].name;
            EXPECT_TRUE(at::equal(model.optimizer.firstMoments().view(i).flatten(), reference.m[i])) << name;
            EXPECT_TRUE(at::equal(model.optimizer.secondMoments().view(i).flatten(), reference.v[i])) << name;
            EXPECT_TRUE(at::equal(model.weights.view(i).flatten(), reference.p[i])) << name;
        }
    }
    static void expectEqual(SteppedModel& a, SteppedModel& b) {
        EXPECT_TRUE(at::equal(a.weights.flat().cpu(), b.weights.flat().cpu()));
        EXPECT_TRUE(at::equal(a.optimizer.firstMoments().flat().cpu(), b.optimizer.firstMoments().flat().cpu()));
        EXPECT_TRUE(at::equal(a.optimizer.secondMoments().flat().cpu(), b.optimizer.secondMoments().flat().cpu()));
    }
    static RunConfig configOf(std::initializer_list<std::pair<const char*, const char*>> values) {
        RunConfig config;
        for (const auto& [key, value] : values) EXPECT_OK(setConfigValue(config, key, value));
        EXPECT_OK(checkConfig(config));
        return config;
    }
    TemporaryFolder m_folder;
    std::unique_ptr<ModelSource> m_source;
};

}  // namespace mofo::test
