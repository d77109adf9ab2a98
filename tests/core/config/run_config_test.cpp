#include "core/config/run_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;

/// A config in which as many keys as possible differ from their defaults.
RunConfig unusualConfig() {
    RunConfig config;
    for (const char* text : {"model=/a b/it's.gguf",
                             "data=rows \"1\".jsonl",
                             "eval_data=$(e).jsonl",
                             "eval_every=7",
                             "optimizer=hft",
                             "hft_every=40",
                             "l1=0.25",
                             "l2=1e-3",
                             "offload=optimizer",
                             "row_counts=*.q_proj.*",
                             "coverage=false",
                             "alpha=linear:0.3..0.1@0..1000",
                             "alpha.mlp=0.1",
                             "alpha.head=cosine:0.2..0.1@5..9",
                             "granularity=block:4096",
                             "lr=3.3e-6",
                             "schedule=cosine",
                             "warmup=0.03",
                             "steps=123",
                             "epochs=0.1",
                             "batch=12",
                             "micro_batch=5",
                             "max_length=77",
                             "weight_decay=0.01",
                             "decay=selected",
                             "filter_include=*.mlp.*",
                             "filter_exclude=a,b",
                             "clip=0.3",
                             "seed=18446744073709551615",
                             "shuffle=false",
                             "loss_mean=micro_batch",
                             "device=cuda:2",
                             "checkpoint_every=9",
                             "checkpoint_minutes=2.5",
                             "keep=7",
                             "stats_every=3",
                             "on_nonfinite=skip",
                             "chat_template=chatml",
                             "columns=prompt:A,completion:B",
                             "beta1=0.8",
                             "beta2=0.95",
                             "eps=1e-6"}) {
        const auto assignment = splitAssignment(text);
        EXPECT_OK(assignment);
        EXPECT_OK(setConfigValue(config, assignment->first, assignment->second));
    }
    return config;
}

TEST(RunConfig, StoredFormReadsBackTheSame) {
    const RunConfig config = unusualConfig();
    const Json json = configToJson(config);
    EXPECT_EQ(json.size(), keyDescriptions().size());
    const auto parsed = parseJson(json.dump());
    ASSERT_OK(parsed);
    const auto back = configFromJson(*parsed);
    ASSERT_OK(back);
    EXPECT_EQ(*back, config);
    RunConfig older;
    older.probes.clear();
    EXPECT_EQ(*configFromJson(Json::object()), older) << "versions without probes measured none";
}

TEST(RunConfig, StoredFormOfANewerProgramIsRefusedByName) {
    Json json = configToJson(RunConfig());
    json["warp_factor"] = "9";
    const auto newer = configFromJson(json);
    ASSERT_FALSE(newer.ok());
    EXPECT_EQ(newer.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(newer.error().text(), HasSubstr("warp_factor"));
    EXPECT_THAT(newer.error().text(), HasSubstr("newer"));
}

TEST(RunConfig, DamagedStoredFormIsInvalidInput) {
    for (const Json& json : {Json::array(), Json("x"), Json(nullptr), Json{{"lr", 1}}, Json{{"lr", "fast"}}, Json{{"lr", nullptr}}}) {
        const auto refused = configFromJson(json);
        ASSERT_FALSE(refused.ok()) << json.dump();
        EXPECT_EQ(refused.error().code, ErrorCode::InvalidInput);
    }
}

TEST(RunConfig, DifferencesNameKeyAndBothTexts) {
    RunConfig a, b;
    b.lr = 1e-5;
    b.alpha.perKind["mlp"] = *AlphaSchedule::parse("0.1");
    const auto differences = configDifferences(a, b);
    ASSERT_EQ(differences.size(), 2u);
    EXPECT_EQ(differences[0].key, "alpha.mlp");
    EXPECT_EQ(differences[0].a, "");
    EXPECT_EQ(differences[0].b, "0.1");
    EXPECT_EQ(differences[1].key, "lr");
    EXPECT_EQ(differences[1].a, "2e-05");
    EXPECT_EQ(differences[1].b, "1e-05");
    EXPECT_TRUE(configDifferences(a, a).empty());
}

TEST(RunConfig, CommandLineNamesOnlyWhatDiffers) {
    RunConfig config;
    config.model = "m.gguf";
    config.data = "d.jsonl";
    EXPECT_EQ(trainCommandLine(config, ""), "mofo train --model m.gguf --data d.jsonl");
    config.lr = 1e-5;
    EXPECT_EQ(trainCommandLine(config, "my run"), "mofo train --model m.gguf --data d.jsonl --name 'my run' --set lr=1e-05");
}

/// The words that a POSIX shell makes of a line.
std::vector<std::string> shellWords(const std::string& line) {
    std::vector<std::string> words;
    FILE* const pipe = popen(("printf '%s\\n' " + line).c_str(), "r");
    EXPECT_NE(pipe, nullptr);
    std::array<char, 4096> buffer;
    while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) {
        std::string word = buffer.data();
        if (word.ends_with('\n')) word.pop_back();
        words.push_back(std::move(word));
    }
    EXPECT_EQ(pclose(pipe), 0);
    return words;
}

TEST(RunConfig, CommandLineGivesTheSameConfigThroughARealShell) {
    const RunConfig config = unusualConfig();
    const auto words = shellWords(trainCommandLine(config, "n $HOME `x` \\ \"y\""));
    RunConfig back;
    ASSERT_GT(words.size(), 8u);
    EXPECT_EQ(words[0], "mofo");
    EXPECT_EQ(words[1], "train");
    for (std::size_t i = 2; i + 1 < words.size(); i += 2) {
        if (words[i] == "--model")
            back.model = words[i + 1];
        else if (words[i] == "--data")
            back.data = words[i + 1];
        else if (words[i] == "--name")
            EXPECT_EQ(words[i + 1], "n $HOME `x` \\ \"y\"");
        else {
            ASSERT_EQ(words[i], "--set");
            const auto assignment = splitAssignment(words[i + 1]);
            ASSERT_OK(assignment);
            ASSERT_OK(setConfigValue(back, assignment->first, assignment->second));
        }
    }
    EXPECT_EQ(back, config);
}

TEST(Assignment, SplitsAtTheFirstEqualsSign) {
    const auto pair = splitAssignment("chat_template=a=b");
    ASSERT_OK(pair);
    EXPECT_EQ(pair->first, "chat_template");
    EXPECT_EQ(pair->second, "a=b");
    EXPECT_EQ(splitAssignment("alpha.mlp=")->second, "");
    for (const char* text : {"", "alpha", "=0.15"}) {
        const auto refused = splitAssignment(text);
        ASSERT_FALSE(refused.ok()) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::Usage);
        EXPECT_THAT(refused.error().text(), HasSubstr("key=value"));
    }
}

TEST(CheckConfig, AcceptsTheDefaults) { EXPECT_OK(checkConfig(RunConfig())); }

TEST(CheckConfig, MicroBatchIsAtMostTheBatch) {
    RunConfig config;
    config.batch = 8;
    config.microBatch = 8;
    EXPECT_OK(checkConfig(config));
    config.microBatch = 5;
    EXPECT_OK(checkConfig(config));
    config.microBatch = 9;
    const auto refused = checkConfig(config);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().text(), HasSubstr("at most 8"));
    EXPECT_EQ(effectiveMicroBatch(RunConfig()), RunConfig().batch);
    config.microBatch = 3;
    EXPECT_EQ(effectiveMicroBatch(config), 3);
}

TEST(CheckConfig, AlphaPerKindNeedsPartitionsThatKeepTheKindsApart) {
    RunConfig config;
    config.alpha.perKind["mlp"] = *AlphaSchedule::parse("0.1");
    for (const char* granularity : {"module", "tensor", "head", "row", "block:64", "shards:2"}) {
        config.granularity = *Granularity::parse(granularity);
        EXPECT_OK(checkConfig(config));
    }
    for (const char* granularity : {"model", "layer"}) {
        config.granularity = *Granularity::parse(granularity);
        const auto refused = checkConfig(config);
        ASSERT_FALSE(refused.ok());
        EXPECT_THAT(refused.error().text(), HasSubstr(std::string("granularity=") + granularity));
    }
    config.alpha.perKind.clear();
    EXPECT_OK(checkConfig(config));
}

TEST(CheckConfig, ARuleNeedsAnOptimizerThatRanksByIt) {
    RunConfig config;
    ASSERT_OK(setConfigValue(config, "rule", "gradient"));
    EXPECT_OK(checkConfig(config));
    for (const char* optimizer : {"adamw", "hft", "fixed_mask"}) {
        ASSERT_OK(setConfigValue(config, "optimizer", optimizer));
        const auto refused = checkConfig(config);
        ASSERT_FALSE(refused.ok()) << optimizer;
        EXPECT_EQ(refused.error().code, ErrorCode::Usage);
        EXPECT_THAT(refused.error().text(), HasSubstr(std::string("no effect with optimizer=") + optimizer));
        RunConfig plain = config;
        plain.rule = SelectionRule::Momentum;
        EXPECT_OK(checkConfig(plain));
    }
}

TEST(CheckConfig, HftEveryNeedsHft) {
    RunConfig config;
    ASSERT_OK(setConfigValue(config, "hft_every", "10"));
    EXPECT_THAT(checkConfig(config).error().text(), HasSubstr("optimizer=hft"));
    ASSERT_OK(setConfigValue(config, "optimizer", "hft"));
    EXPECT_OK(checkConfig(config));
}

TEST(CheckLiveKey, RefusesWhatIsFixedUnknownOrWithoutEffect) {
    RunConfig config;
    for (const char* key : {"alpha", "alpha.mlp", "granularity", "rule", "l1", "l2", "lr", "row_counts"}) EXPECT_OK(checkLiveKey(config, key));
    for (const char* key : {"batch", "optimizer", "offload", "nonsense", "lora_rank"}) {
        const auto refused = checkLiveKey(config, key);
        ASSERT_FALSE(refused.ok()) << key;
        EXPECT_EQ(refused.error().code, ErrorCode::Usage);
        EXPECT_THAT(refused.error().text(), HasSubstr("cannot change while a run is on")) << key;
        EXPECT_THAT(refused.error().remedy, HasSubstr("granularity")) << key;
    }
    const auto withoutEffect = [&](OptimizerKind optimizer, const char* key) {
        config.optimizer = optimizer;
        const auto checked = checkLiveKey(config, key);
        return !checked.ok() && checked.error().text().find("no effect with optimizer=") != std::string::npos;
    };
    EXPECT_TRUE(withoutEffect(OptimizerKind::Mofo, "hft_every"));
    EXPECT_FALSE(withoutEffect(OptimizerKind::Hft, "hft_every"));
    EXPECT_TRUE(withoutEffect(OptimizerKind::FixedMask, "rule"));
    EXPECT_FALSE(withoutEffect(OptimizerKind::FixedMask, "alpha"));
    for (const char* key : {"alpha", "alpha.head", "granularity", "rule"}) {
        EXPECT_TRUE(withoutEffect(OptimizerKind::AdamW, key)) << key;
        EXPECT_TRUE(withoutEffect(OptimizerKind::Hft, key)) << key;
    }
    for (const char* key : {"l1", "l2", "lr"}) EXPECT_FALSE(withoutEffect(OptimizerKind::AdamW, key)) << key;
    for (const char* key : {"l1", "l2"}) EXPECT_TRUE(withoutEffect(OptimizerKind::Lora, key)) << "the pretrained weights do not move: " << key;
    EXPECT_TRUE(withoutEffect(OptimizerKind::Lora, "alpha"));
    for (const char* key : {"alpha", "granularity", "rule"}) EXPECT_FALSE(withoutEffect(OptimizerKind::LoraMofo, key)) << key;
}

TEST(CheckConfig, LoraKeysNeedLora) {
    for (const char* optimizer : {"lora", "lora_mofo"}) {
        RunConfig config;
        ASSERT_OK(setConfigValue(config, "lora_rank", "8"));
        EXPECT_THAT(checkConfig(config).error().text(), HasSubstr("lora_rank has no effect with optimizer=mofo"));
        ASSERT_OK(setConfigValue(config, "optimizer", optimizer));
        EXPECT_OK(checkConfig(config));
        ASSERT_OK(setConfigValue(config, "l1", "0.5"));
        EXPECT_THAT(checkConfig(config).error().text(), HasSubstr("the pretrained weights do not move"));
    }
}

TEST(CheckConfig, HeldOutRowsComeFromOnePlace) {
    RunConfig config;
    config.evalSplit = 0.1;
    EXPECT_OK(checkConfig(config));
    config.evalData = "eval.jsonl";
    EXPECT_FALSE(checkConfig(config).ok());
}

TEST(EvalSplit, IsImpliedByEvalEveryAlone) {
    RunConfig config;
    EXPECT_EQ(effectiveEvalSplit(config), 0);
    config.evalEvery = 10;
    EXPECT_EQ(effectiveEvalSplit(config), 0.05);
    config.evalSplit = 0.2;
    EXPECT_EQ(effectiveEvalSplit(config), 0.2);
    config.evalSplit = 0;
    config.evalData = "eval.jsonl";
    EXPECT_EQ(effectiveEvalSplit(config), 0);
}

}  // namespace
}  // namespace mofo
