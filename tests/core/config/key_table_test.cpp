#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/config/run_config.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;
using Type = KeyDescription::Type;

/// Texts that each key must accept: what is written, and what it reads back as.
const std::map<std::string, std::vector<std::pair<std::string, std::string>>>& acceptedValues() {
    static const std::map<std::string, std::vector<std::pair<std::string, std::string>>> values{
        {"model", {{"/a b/model.gguf", "/a b/model.gguf"}, {"random:smollm2", "random:smollm2"}, {"模型", "模型"}}},
        {"chat_template", {{"chatml", "chatml"}, {"", ""}}},
        {"data", {{"train.jsonl", "train.jsonl"}}},
        {"columns", {{"prompt:A,completion:B", "prompt:A,completion:B"}, {"text:body", "text:body"}, {"", ""}}},
        {"eval_data", {{"eval.jsonl", "eval.jsonl"}}},
        {"eval_split", {{"0.05", "0.05"}, {"0", "0"}, {"5e-2", "0.05"}}},
        {"eval_every", {{"100", "100"}, {"0", "0"}}},
        {"max_length", {{"256", "256"}, {"0256", "256"}}},
        {"shuffle", {{"false", "false"}, {"on", "true"}, {"0", "false"}, {"yes", "true"}}},
        {"seed", {{"0", "0"}, {"18446744073709551615", "18446744073709551615"}}},
        {"optimizer",
         {{"adamw", "adamw"}, {"mofo", "mofo"}, {"hft", "hft"}, {"fixed_mask", "fixed_mask"}, {"lora", "lora"}, {"lora_mofo", "lora_mofo"}}},
        {"lora_rank", {{"1", "1"}, {"16", "16"}}},
        {"lora_alpha", {{"32.0", "32"}, {"0.5", "0.5"}}},
        {"lora_dropout", {{"0", "0"}, {"0.05", "0.05"}}},
        {"rule", {{"momentum", "momentum"}, {"gradient", "gradient"}, {"mv", "mv"}, {"random", "random"}}},
        {"alpha", {{"0.05", "0.05"}, {"linear:0.3..0.1@0..1000", "linear:0.3..0.1@0..1000"}}},
        {"alpha.attention", {{"0.1", "0.1"}, {"", ""}}},
        {"alpha.mlp", {{"cosine:0.2..0.1@1..2", "cosine:0.2..0.1@1..2"}}},
        {"alpha.embedding", {{"0.01", "0.01"}}},
        {"alpha.head", {{"1", "1"}}},
        {"granularity", {{"layer", "layer"}, {"block:4096", "block:4096"}, {"shards:4", "shards:4"}}},
        {"hft_every", {{"0", "0"}, {"500", "500"}}},
        {"l1", {{"0", "0"}, {"1e-3", "0.001"}}},
        {"l2", {{"0.10", "0.1"}}},
        {"filter_include", {{"*.mlp.*", "*.mlp.*"}}},
        {"filter_exclude", {{"lm_head.weight,*.q_proj.*", "lm_head.weight,*.q_proj.*"}}},
        {"weight_decay", {{"0.1", "0.1"}}},
        {"decay", {{"selected", "selected"}, {"all", "all"}}},
        {"beta1", {{"0.95", "0.95"}}},
        {"beta2", {{"0.99", "0.99"}}},
        {"eps", {{"1e-6", "1e-06"}}},
        {"loss_mean", {{"sample", "sample"}, {"micro_batch", "micro_batch"}, {"token", "token"}}},
        {"lr", {{"0.00002", "2e-05"}, {"1e-5", "1e-05"}}},
        {"schedule", {{"linear", "linear"}, {"cosine", "cosine"}, {"constant", "constant"}}},
        {"warmup", {{"0.03", "0.03"}, {"100", "100"}, {"1", "1"}}},
        {"steps", {{"40", "40"}}},
        {"epochs", {{"2", "2"}, {"0.5", "0.5"}}},
        {"batch", {{"128", "128"}}},
        {"micro_batch", {{"2", "2"}, {"0", "0"}}},
        {"clip", {{"0", "0"}, {"0.5", "0.5"}, {"1.0", "1"}}},
        {"on_nonfinite", {{"skip", "skip"}, {"stop", "stop"}}},
        {"skip_steps", {{"900,812, 812", "812,900"}, {"7", "7"}, {"", ""}}},
        {"guard_action", {{"pause", "pause"}, {"lower_alpha", "lower_alpha"}, {"back", "back"}, {"notify", "notify"}}},
        {"guard_spike", {{"0", "0"}, {"12.5", "12.5"}}},
        {"guard_spike_action", {{"back", "back"}, {"default", "default"}}},
        {"guard_drift", {{"1e-2", "0.01"}}},
        {"guard_drift_action", {{"lower_alpha", "lower_alpha"}}},
        {"guard_eval", {{"0.05", "0.05"}}},
        {"guard_eval_action", {{"pause", "pause"}}},
        {"guard_eval_start", {{"0.1", "0.1"}}},
        {"guard_eval_start_action", {{"notify", "notify"}}},
        {"guard_forget", {{"2", "2"}}},
        {"guard_forget_action", {{"pause", "pause"}}},
        {"guard_forget_nats", {{"0.05", "0.05"}}},
        {"guard_forget_nats_action", {{"lower_alpha", "lower_alpha"}}},
        {"early_stop", {{"3", "3"}, {"0", "0"}}},
        {"probes", {{"", ""}, {"kl,piqa:200", "kl,piqa:200"}}},
        {"probe_every", {{"0", "0"}, {"100", "100"}}},
        {"probe_minutes", {{"2.5", "2.5"}}},
        {"probe_budget", {{"1", "1"}, {"0.10", "0.1"}}},
        {"precision", {{"bf16", "bf16"}, {"bf32", "bf32"}, {"fp32", "fp32"}}},
        {"device", {{"cpu", "cpu"}, {"cuda", "cuda:0"}, {"cuda:3", "cuda:3"}, {"auto", "auto"}}},
        {"offload", {{"optimizer", "optimizer"}, {"none", "none"}}},
        {"checkpoint_every", {{"200", "200"}}},
        {"checkpoint_minutes", {{"15", "15"}}},
        {"keep", {{"5", "5"}}},
        {"stats_every", {{"1", "1"}}},
        {"row_counts", {{"*.o_proj.weight,lm_head.weight", "*.o_proj.weight,lm_head.weight"}, {"", ""}}},
        {"coverage", {{"off", "false"}, {"true", "true"}}},
        {"group_by_length", {{"true", "true"}, {"no", "false"}}},
        {"oom_retry", {{"true", "true"}, {"no", "false"}}},
        {"recompute", {{"layer", "layer"}, {"off", "off"}}},
    };
    return values;
}

TEST(KeyTable, EveryKeyIsDescribed) {
    std::set<std::string> names;
    for (const KeyDescription& key : keyDescriptions()) {
        EXPECT_TRUE(names.insert(key.name).second) << key.name;
        EXPECT_FALSE(key.section.empty()) << key.name;
        EXPECT_GT(key.help.size(), 20u) << key.name;
        EXPECT_EQ(key.help.find('\n'), std::string::npos) << key.name;
        if (key.type == Type::Choice) {
            EXPECT_THAT(key.choices, ::testing::Contains(key.defaultText)) << key.name;
        }
        if (key.type == Type::Integer || key.type == Type::Number) {
            EXPECT_LT(key.minimum, key.maximum) << key.name;
            EXPECT_GE(std::stod(key.defaultText), key.minimum) << key.name;
            EXPECT_LE(std::stod(key.defaultText), key.maximum) << key.name;
        }
        ASSERT_NE(findKey(key.name), nullptr);
        EXPECT_EQ(findKey(key.name)->name, key.name);
        EXPECT_TRUE(acceptedValues().contains(key.name)) << "the table of accepted values has no " << key.name;
    }
    EXPECT_EQ(names.size(), acceptedValues().size());
    EXPECT_EQ(findKey("nonsense"), nullptr);
}

TEST(KeyTable, SettingTheCanonicalTextChangesNothing) {
    for (const KeyDescription& key : keyDescriptions()) {
        const RunConfig before;
        RunConfig after;
        EXPECT_EQ(configValue(before, key.name), key.defaultText);
        ASSERT_OK(setConfigValue(after, key.name, configValue(before, key.name)));
        EXPECT_EQ(after, before) << key.name;
    }
}

TEST(KeyTable, EveryAcceptedValueReadsBackAndChangesItsKeyAlone) {
    for (const auto& [name, values] : acceptedValues()) {
        for (const auto& [written, canonical] : values) {
            RunConfig config;
            ASSERT_OK(setConfigValue(config, name, written));
            EXPECT_EQ(configValue(config, name), canonical) << name;
            RunConfig again;
            ASSERT_OK(setConfigValue(again, name, configValue(config, name)));
            EXPECT_EQ(again, config) << name << "=" << written;
            for (const ConfigDifference& difference : configDifferences(RunConfig(), config)) EXPECT_EQ(difference.key, name);
        }
    }
}

TEST(KeyTable, DefaultsAreTheProducts) {
    const std::map<std::string, std::string> expected{{"optimizer", "mofo"},
                                                      {"alpha", "0.15"},
                                                      {"granularity", "tensor"},
                                                      {"clip", "1"},
                                                      {"shuffle", "true"},
                                                      {"precision", "fp32"},
                                                      {"device", "auto"},
                                                      {"stats_every", "10"},
                                                      {"on_nonfinite", "stop"},
                                                      {"beta1", "0.9"},
                                                      {"beta2", "0.999"},
                                                      {"eps", "1e-08"},
                                                      {"weight_decay", "0"},
                                                      {"decay", "all"},
                                                      {"eval_split", "0"},
                                                      {"loss_mean", "token"},
                                                      {"schedule", "constant"},
                                                      {"warmup", "0"},
                                                      {"rule", "momentum"},
                                                      {"lr", "2e-05"},
                                                      {"hft_every", "0"},
                                                      {"l1", "0"},
                                                      {"l2", "0"},
                                                      {"offload", "none"},
                                                      {"row_counts", ""},
                                                      {"coverage", "true"},
                                                      {"guard_action", "notify"},
                                                      {"guard_spike", "8"},
                                                      {"guard_drift", "0"},
                                                      {"guard_eval", "0"},
                                                      {"guard_eval_start", "0"},
                                                      {"early_stop", "0"},
                                                      {"skip_steps", ""}};
    for (const auto& [name, text] : expected) EXPECT_EQ(findKey(name)->defaultText, text) << name;
}

TEST(KeyTable, LiveKeysAreThoseWhoseChangeLosesNothing) {
    for (const char* name : {"rule", "alpha", "alpha.mlp", "granularity", "hft_every", "l1", "l2", "lr", "micro_batch", "clip", "stats_every",
                             "row_counts", "checkpoint_every", "skip_steps", "guard_drift", "guard_eval_action", "early_stop"})
        EXPECT_TRUE(findKey(name)->live) << name;
    for (const char* name :
         {"model", "data", "batch", "seed", "optimizer", "max_length", "beta1", "device", "offload", "coverage", "filter_include", "filter_exclude"})
        EXPECT_FALSE(findKey(name)->live) << name;
}

TEST(KeyTable, BasicViewHasTheKeysOfTheForm) {
    std::vector<std::string> basic;
    for (const KeyDescription& key : keyDescriptions()) {
        if (key.basic) basic.push_back(key.name);
    }
    EXPECT_THAT(basic,
                ::testing::UnorderedElementsAre("model", "data", "alpha", "granularity", "lr", "epochs", "batch", "micro_batch", "max_length"));
}

struct WrongValue {
    const char* key;
    const char* value;
    const char* hint;  ///< part of the refusal
};

class WrongValues : public ::testing::TestWithParam<WrongValue> {};

TEST_P(WrongValues, AreRefusedWithWhatIsAllowedAndChangeNothing) {
    RunConfig config;
    const auto wrong = setConfigValue(config, GetParam().key, GetParam().value);
    ASSERT_FALSE(wrong.ok());
    EXPECT_EQ(wrong.error().code, ErrorCode::Usage);
    EXPECT_EQ(wrong.error().exitCode(), 2);
    EXPECT_THAT(wrong.error().text(), HasSubstr(GetParam().hint));
    EXPECT_THAT(wrong.error().where, HasSubstr(std::string(GetParam().key) + "="));
    EXPECT_FALSE(wrong.error().remedy.empty());
    EXPECT_EQ(config, RunConfig());
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongValues,
    ::testing::Values(
        WrongValue{"lr", "abc", "not a number"}, WrongValue{"lr", "", "not a number"}, WrongValue{"lr", "1e-5x", "not a number"},
        WrongValue{"lr", " 1e-5", "not a number"}, WrongValue{"lr", "nan", "not a number"}, WrongValue{"lr", "inf", "not a number"},
        WrongValue{"lr", "-1e-5", "out of range"}, WrongValue{"lr", "1e400", "not a number"}, WrongValue{"lr", "0,1", "not a number"},
        WrongValue{"steps", "1.5", "not a whole number"}, WrongValue{"steps", "-1", "from 0 to 1000000000 steps"},
        WrongValue{"steps", "99999999999999999999", "not a whole number"}, WrongValue{"batch", "0", "from 1"},
        WrongValue{"batch", "1e3", "not a whole number"}, WrongValue{"max_length", "1", "from 2"}, WrongValue{"warmup", "1.5", "whole"},
        WrongValue{"warmup", "-0.1", "out of range"}, WrongValue{"epochs", "0", "out of range"}, WrongValue{"eval_split", "1", "0.9"},
        WrongValue{"seed", "-1", "whole number"}, WrongValue{"seed", "18446744073709551616", "whole number"},
        WrongValue{"shuffle", "maybe", "true or false"}, WrongValue{"keep", "0", "from 1"}, WrongValue{"stats_every", "0", "from 1"},
        WrongValue{"beta1", "1", "out of range"}, WrongValue{"eps", "0", "out of range"},
        WrongValue{"optimizer", "sgd", "mofo, adamw, hft, fixed_mask"}, WrongValue{"optimizer", "adam", "did you mean adamw?"},
        WrongValue{"optimizer", "lora-mofo", "did you mean lora_mofo?"}, WrongValue{"lora_rank", "0", "from 1"},
        WrongValue{"lora_dropout", "1", "out of range"}, WrongValue{"lora_alpha", "0", "out of range"},
        WrongValue{"optimizer", "fixed-mask", "did you mean fixed_mask?"}, WrongValue{"rule", "gv", "known but not available"},
        WrongValue{"rule", "v", "known but not available"}, WrongValue{"rule", "bernoulli", "known but not available"},
        WrongValue{"rule", "inverse", "known but not available"}, WrongValue{"rule", "none", "Use momentum, gradient, mv, random"},
        WrongValue{"rule", "gradeint", "did you mean gradient?"}, WrongValue{"rule", "randon", "did you mean random?"},
        WrongValue{"rule", "", "Use momentum, gradient, mv, random"}, WrongValue{"hft_every", "-1", "from 0"},
        WrongValue{"hft_every", "0.5", "not a whole number"}, WrongValue{"l1", "-0.1", "out of range"}, WrongValue{"l1", "nan", "not a number"},
        WrongValue{"l2", "inf", "not a number"}, WrongValue{"l2", "1e7", "out of range"}, WrongValue{"offload", "weights", "none or optimizer"},
        WrongValue{"offload", "optimiser", "did you mean optimizer?"}, WrongValue{"row_counts", "a,,b", "empty"},
        WrongValue{"coverage", "half", "true or false"}, WrongValue{"rule", "momentun", "did you mean momentum?"},
        WrongValue{"precision", "bf16-pure", "known but not available"}, WrongValue{"precision", "fp16", "Use fp32"},
        WrongValue{"schedule", "cosin", "did you mean cosine?"}, WrongValue{"granularity", "block:8", "from 64"},
        WrongValue{"granularity", "block:63", "from 64"}, WrongValue{"granularity", "block:0", "from 64"},
        WrongValue{"granularity", "shards:0", "from 1"}, WrongValue{"granularity", "heads", "did you mean head?"},
        WrongValue{"alpha", "15%", "write 0.15"}, WrongValue{"alpha", "0", "out of range"}, WrongValue{"alpha", "1.1", "out of range"},
        WrongValue{"alpha", "nan", "not a number"}, WrongValue{"alpha", "-0.1", "out of range"}, WrongValue{"alpha", "1.5", "out of range"},
        WrongValue{"alpha.mlp", "2", "out of range"}, WrongValue{"device", "gpu", "auto, cpu, cuda"}, WrongValue{"device", "cuda:x", "cuda:N"},
        WrongValue{"device", "cuda:-1", "cuda:N"}, WrongValue{"columns", "prompt", "role:column"},
        WrongValue{"columns", "prompt:A", "both prompt and completion"}, WrongValue{"columns", "prompt:A,answer:B", "no role"},
        WrongValue{"columns", "prompt:A,completion:B,text:C", "either text alone"}, WrongValue{"columns", "prompt:A,prompt:B", "twice"},
        WrongValue{"columns", "text:", "role:column"}, WrongValue{"filter_include", "a,,b", "empty"}, WrongValue{"model", "\xff\xfe", "UTF-8"},
        WrongValue{"decay", "some", "all or selected"}, WrongValue{"on_nonfinite", "ignore", "stop or skip"},
        WrongValue{"skip_steps", "0", "from 1 on"}, WrongValue{"skip_steps", "5,,6", "not a step"}, WrongValue{"skip_steps", "5-9", "not a step"},
        WrongValue{"guard_spike", "-1", "out of range"}, WrongValue{"guard_drift", "1%", "not a number"},
        WrongValue{"guard_eval", "nan", "not a number"}, WrongValue{"guard_action", "default", "notify, pause, lower_alpha, back"},
        WrongValue{"guard_drift_action", "rewind", "default, notify, pause, lower_alpha, back"}, WrongValue{"early_stop", "-1", "from 0"},
        WrongValue{"early_stop", "2.5", "not a whole number"}));

TEST(UnknownKeys, AreRefusedWithTheNearestRightOne) {
    const std::vector<std::pair<std::string, std::string>> cases{{"alhpa", "alpha"},
                                                                 {"granularty", "granularity"},
                                                                 {"learning_rate", "lr"},
                                                                 {"batch_size", "batch"},
                                                                 {"max-length", "max_length"},
                                                                 {"LR", "lr"},
                                                                 {"max_grad_norm", "clip"},
                                                                 {"warmup_steps", "warmup"},
                                                                 {"wheight_decay", "weight_decay"},
                                                                 {"alpha.mlpp", "alpha.mlp"},
                                                                 {"packin", "packing"},
                                                                 {"num_train_epochs", "epochs"},
                                                                 {"early_stopping_patience", "early_stop"},
                                                                 {"guard_rails", "guard_action"},
                                                                 {"guard_drfit", "guard_drift"},
                                                                 {"checkpoint-every", "checkpoint_every"},
                                                                 {"sed", "seed"}};
    for (const auto& [wrong, right] : cases) {
        RunConfig config;
        const auto refused = setConfigValue(config, wrong, "1");
        ASSERT_FALSE(refused.ok()) << wrong;
        EXPECT_EQ(refused.error().code, ErrorCode::Usage);
        EXPECT_THAT(refused.error().text(), HasSubstr("Did you mean " + right + "?")) << wrong;
        EXPECT_EQ(refused.error().tag, "KEY");
    }
}

TEST(UnknownKeys, WithoutANeighbourPointToTheList) {
    RunConfig config;
    const auto refused = setConfigValue(config, "zzzzzzzzzz", "1");
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().text(), HasSubstr("--help"));
}

TEST(UnknownKeys, OfAnotherKindAreShownHarmlessly) {
    RunConfig config;
    const auto refused = setConfigValue(config, "al\x1b[31mpha\n", "\x1b]0;x\a");
    ASSERT_FALSE(refused.ok());
    for (const char c : refused.error().text()) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

TEST(LaterKeys, AreKnownButRefused) {
    for (const char* key : {"packing"}) {
        RunConfig config;
        const auto refused = setConfigValue(config, key, "17");
        ASSERT_FALSE(refused.ok()) << key;
        EXPECT_EQ(refused.error().code, ErrorCode::Usage);
        EXPECT_THAT(refused.error().text(), HasSubstr("known but not available in this version")) << key;
    }
}

TEST(LaterKeys, TakeTheValueThatAsksForWhatThisVersionDoes) {
    RunConfig config;
    for (const auto& [key, value] : {std::pair("packing", "true")}) {
        EXPECT_OK(setConfigValue(config, key, value));
        const auto refused = setConfigValue(config, key, "5");
        ASSERT_FALSE(refused.ok());
        EXPECT_THAT(refused.error().text(), HasSubstr(std::string(key) + "=" + value));
    }
    EXPECT_EQ(config, RunConfig());
}

}  // namespace
}  // namespace mofo
