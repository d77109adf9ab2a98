// Every option that changes how a training step computes, against plain fp32 over the same steps. The table says what each may change, and why.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/engine/engine_support.h"

namespace mofo::test {
namespace {

struct Option {
    const char* name;
    std::vector<std::pair<const char*, const char*>> set;
    double band;  ///< relative, of every step's loss
    const char* reason;
};

const Option options[] = {
    {"Recompute", {{"recompute", "layer"}}, 0, "the same operations on the same numbers, done twice"},
    {"Bf32", {{"precision", "bf32"}}, 3e-3, "factors of products have 8 bits: 2^-9 each, averaged over the sums of a dozen products"},
    {"Bf16", {{"precision", "bf16"}}, 5e-3, "as bf32, and what is kept between products is rounded once more"},
    {"Bf16Recomputed", {{"precision", "bf16"}, {"recompute", "layer"}}, 5e-3, "as bf16"},
    {"Bf16Lora",
     {{"precision", "bf16"}, {"optimizer", "lora_mofo"}, {"lora_rank", "8"}, {"lora_dropout", "0"}},
     5e-3,
     "as bf16, against fp32 with the same matrices beside the weights"},
};

class PrecisionTest : public TrainingTest, public testing::WithParamInterface<Option> {};

INSTANTIATE_TEST_SUITE_P(Table, PrecisionTest, testing::ValuesIn(options), [](const auto& info) { return std::string(info.param.name); });

TEST_P(PrecisionTest, LossesStayInTheirBand) {
    RunConfig changed = config(), plain = config();
    for (const auto& [key, value] : GetParam().set) {
        ASSERT_OK(setConfigValue(changed, key, value));
        const std::string_view name = key;
        if (name != "precision" && name != "recompute") ASSERT_OK(setConfigValue(plain, key, value));
    }
    const EngineFixture::Trained expected = m_engine->trainNew(plain, "plain"), got = m_engine->trainNew(changed, "changed");
    ASSERT_GE(expected.steps.size(), 10u);
    SCOPED_TRACE(GetParam().reason);
    expectEqualSteps(expected, got, GetParam().band);
    EXPECT_EQ(got.steps.front().movedCount, expected.steps.front().movedCount) << "as many coordinates as alpha asks for, whichever they are";
}

TEST_F(TrainingTest, Bf16GivesTheSameBitsAgain) {
    RunConfig settings = config();
    ASSERT_OK(setConfigValue(settings, "precision", "bf16"));
    const EngineFixture::Trained once = m_engine->trainNew(settings, "once"), again = m_engine->trainNew(settings, "again");
    expectEqualSteps(once, again, 0);
    EXPECT_EQ(m_engine->weightsHash(once.run.id), m_engine->weightsHash(again.run.id));
}

}  // namespace
}  // namespace mofo::test
