#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config/run_config.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;

TEST(Presets, AllApplyAndGiveAValidConfigWithCanonicalTexts) {
    for (const Preset& preset : builtInPresets()) {
        RunConfig config;
        ASSERT_OK(applyPreset(config, preset.name));
        EXPECT_OK(checkConfig(config));
        EXPECT_FALSE(preset.title.empty());
        EXPECT_FALSE(preset.help.empty());
        for (const auto& [key, value] : preset.values) EXPECT_EQ(configValue(config, key), value) << preset.name << " " << key;
    }
}

TEST(Presets, RecipesOfThePaperAreThoseOfItsTable) {
    RunConfig maths;
    ASSERT_OK(applyPreset(maths, "paper-metamathqa"));
    EXPECT_EQ(maths.batch, 128);
    EXPECT_EQ(maths.microBatch, 1);
    EXPECT_EQ(maths.lr, 2e-5);
    EXPECT_EQ(maths.schedule, ScheduleKind::Cosine);
    EXPECT_EQ(maths.warmup, 0);
    EXPECT_EQ(maths.epochs, 2);
    EXPECT_EQ(maths.maxLength, 1024);
    EXPECT_EQ(maths.clip, 1.0);
    EXPECT_EQ(maths.weightDecay, 0);
    EXPECT_EQ(maths.alpha.common.at(1), 0.15);
    EXPECT_EQ(maths.lossMean, LossMean::MicroBatch);
    RunConfig medical;
    ASSERT_OK(applyPreset(medical, "paper-pmc"));
    EXPECT_EQ(medical.microBatch, 2);
    EXPECT_EQ(medical.lr, 1e-5);
    EXPECT_EQ(medical.warmup, 0.03);
}

TEST(Presets, DemoIsFortyShortSteps) {
    RunConfig config;
    ASSERT_OK(applyPreset(config, "demo"));
    EXPECT_EQ(config.steps, 40);
    EXPECT_EQ(config.batch, 4);
    EXPECT_EQ(config.maxLength, 256);
    EXPECT_GT(effectiveEvalSplit(config), 0);
}

TEST(Presets, LeaveOtherKeysAlone) {
    RunConfig config;
    config.model = "m";
    config.seed = 7;
    ASSERT_OK(applyPreset(config, "small"));
    EXPECT_EQ(config.model, "m");
    EXPECT_EQ(config.seed, 7u);
}

TEST(Presets, AnUnknownOneIsRefusedWithTheNearest) {
    RunConfig config;
    const auto wrong = applyPreset(config, "paper-metamathsqa");
    ASSERT_FALSE(wrong.ok());
    EXPECT_EQ(wrong.error().code, ErrorCode::Usage);
    EXPECT_THAT(wrong.error().text(), HasSubstr("paper-metamathqa?"));
    const auto stranger = applyPreset(config, "q");
    ASSERT_FALSE(stranger.ok());
    EXPECT_THAT(stranger.error().text(), HasSubstr("demo"));
    EXPECT_EQ(config, RunConfig());
}

}  // namespace
}  // namespace mofo
