#include <gtest/gtest.h>

#include "core/model/model_description.h"
#include "tests/core/model/tiny_model.h"

namespace mofo::test {
namespace {

void expectEqual(const ModelDescription& a, const ModelDescription& b) {
    EXPECT_EQ(hfConfigOf(a, "float32"), hfConfigOf(b, "float32"));
    EXPECT_EQ(a.family, b.family);
    EXPECT_EQ(a.rope.scaling, b.rope.scaling);
}

TEST(Description, SurvivesTheWayThroughConfigJson) {
    for (const auto scaling : {RopeDescription::Scaling::None, RopeDescription::Scaling::Linear, RopeDescription::Scaling::Llama3}) {
        for (const bool tied : {true, false}) {
            ModelDescription model = tinyDescription(tied);
            model.rope.theta = 500000;
            model.rope.scaling = scaling;
            if (scaling != RopeDescription::Scaling::None) model.rope.factor = 32;
            if (scaling == RopeDescription::Scaling::Llama3) model.rope.originalLength = 4096;
            model.eosIds = {2, 3};
            model.padId = 0;
            std::vector<std::string> warnings;
            const auto read = describeHfConfig(hfConfigOf(model, "bfloat16"), &warnings);
            ASSERT_OK(read);
            expectEqual(*read, model);
            EXPECT_TRUE(warnings.empty());
        }
    }
}

TEST(Description, ReadsLlama31AsItIsPublished) {
    const auto config = parseJson(R"({
        "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 128000,
        "eos_token_id": [128001, 128008, 128009], "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
        "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
        "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"},
        "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 128256})");
    ASSERT_OK(config);
    std::vector<std::string> warnings;
    const auto model = describeHfConfig(*config, &warnings);
    ASSERT_OK(model);
    EXPECT_TRUE(warnings.empty());
    EXPECT_EQ(model->parameterCount(), 8'030'261'248);
    EXPECT_EQ(model->headSize, 128);
    EXPECT_EQ(model->rope.theta, 500000);
    EXPECT_EQ(model->rope.scaling, RopeDescription::Scaling::Llama3);
    EXPECT_EQ(model->rope.originalLength, 8192);
    EXPECT_EQ(model->eosIds.size(), 3u);
    EXPECT_FALSE(model->tiedHead);
}

TEST(Description, ReadsLlama2AndTheNewStyleOfRope) {
    Json config = {{"model_type", "llama"},   {"hidden_size", 4096},       {"intermediate_size", 11008},
                   {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"vocab_size", 32000},
                   {"rms_norm_eps", 1e-5},    {"rope_scaling", nullptr},   {"tie_word_embeddings", false}};
    auto model = describeHfConfig(config);
    ASSERT_OK(model);
    EXPECT_EQ(model->parameterCount(), 6'738'415'616);
    EXPECT_EQ(model->kvHeadCount, 32);
    EXPECT_EQ(model->rope.theta, 10000);
    config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 123.0}};
    config["rope_theta"] = 77.0;
    model = describeHfConfig(config);
    ASSERT_OK(model);
    EXPECT_EQ(model->rope.theta, 123);
    // Transformers prefers rope_scaling, whose theta then is the one outside.
    config["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
    model = describeHfConfig(config);
    ASSERT_OK(model);
    EXPECT_EQ(model->rope.scaling, RopeDescription::Scaling::Linear);
    EXPECT_EQ(model->rope.theta, 77);
}

TEST(Description, OrdersParametersAsTransformersDoes) {
    // list(dict(LlamaForCausalLM(config).named_parameters())) of Transformers 5 with biases and a head of its own.
    ModelDescription model = tinyDescription(false);
    model.layerCount = 1;
    model.attentionBias = model.mlpBias = true;
    std::vector<std::string> names;
    for (const ParameterInfo& parameter : parametersOf(model)) names.push_back(parameter.name);
    const std::string l = "model.layers.0.";
    EXPECT_EQ(names, (std::vector<std::string>{"model.embed_tokens.weight", l + "self_attn.q_proj.weight", l + "self_attn.q_proj.bias",
                                               l + "self_attn.k_proj.weight", l + "self_attn.k_proj.bias", l + "self_attn.v_proj.weight",
                                               l + "self_attn.v_proj.bias", l + "self_attn.o_proj.weight", l + "self_attn.o_proj.bias",
                                               l + "mlp.gate_proj.weight", l + "mlp.gate_proj.bias", l + "mlp.up_proj.weight", l + "mlp.up_proj.bias",
                                               l + "mlp.down_proj.weight", l + "mlp.down_proj.bias", l + "input_layernorm.weight",
                                               l + "post_attention_layernorm.weight", "model.norm.weight", "lm_head.weight"}));
}

TEST(Description, KnowsTheRandomModels) {
    EXPECT_EQ(describeRandom("random:smollm2")->parameterCount(), 134'515'008);
    EXPECT_EQ(describeRandom("random:llama-1b")->parameterCount(), 1'235'814'400);
    const auto unknown = describeRandom("random:gpt5");
    ASSERT_FALSE(unknown.ok());
    EXPECT_EQ(unknown.error().code, ErrorCode::NotFound);
    EXPECT_NE(unknown.error().text().find("random:smollm2"), std::string::npos);
}

TEST(Description, NamesEveryKind) {
    EXPECT_EQ(moduleKindName(ModuleKind::Embedding), "embed");
    EXPECT_EQ(moduleKindName(ModuleKind::Down), "down");
    EXPECT_EQ(knownFamilies(), std::vector<std::string>{"llama"});
}

}  // namespace
}  // namespace mofo::test
