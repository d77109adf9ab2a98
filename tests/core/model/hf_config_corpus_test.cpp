// Corpus C: config.json (design page "Reliability", section 3), id by id, in a folder whose weights are sound.
#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "core/model/model_source.h"
#include "tests/core/model/tiny_model.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;

struct ConfigCase {
    const char* id;
    const char* expected;
    void (*damage)(const fs::path& folder);
};

void PrintTo(const ConfigCase& item, std::ostream* out) { *out << item.id << " expects " << item.expected; }

void writeConfig(const fs::path& folder, const Json& config) { writeFile(folder / "config.json", config.dump()); }

void with(const fs::path& folder, const char* key, const Json& value) {
    Json config = tinyConfig();
    config[key] = value;
    writeConfig(folder, config);
}

void without(const fs::path& folder, const char* key) {
    Json config = tinyConfig();
    config.erase(key);
    writeConfig(folder, config);
}

/// One number as it is spelled, which a Json could not hold.
void spelled(const fs::path& folder, const std::string& key, const std::string& number) {
    Json config = tinyConfig();
    config[key] = "SPELLED";
    std::string text = config.dump();
    text.replace(text.find("\"SPELLED\""), 9, number);
    writeFile(folder / "config.json", text);
}

const Json llama3 = {
    {"rope_type", "llama3"}, {"factor", 8.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 64}};

Json changed(Json object, const char* key, const Json& value) {
    object[key] = value;
    return object;
}

/// Adds tensors to the weights: rewrites the file with one more, whose values are `first` and on.
void addTensor(const fs::path& folder, const std::string& name, std::vector<std::int64_t> shape, std::size_t valuesOfParameter) {
    fs::remove(folder / "model.safetensors");
    const std::vector<ParameterInfo> parameters = parametersOf(tinyDescription());
    std::vector<SafetensorsWriter::Declaration> tensors;
    for (const ParameterInfo& parameter : parameters) tensors.push_back({parameter.name, DType::F32, parameter.shape});
    tensors.push_back({name, DType::F32, std::move(shape)});
    auto writer = SafetensorsWriter::create(folder / "model.safetensors", tensors, {});
    ASSERT_OK(writer);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        std::int64_t count = 1;
        for (const std::int64_t size : tensors[i].shape) count *= size;
        const std::string bytes = floatsOf(i < parameters.size() ? i : valuesOfParameter, count);
        ASSERT_OK(writer->write(std::as_bytes(std::span(bytes))));
    }
    ASSERT_OK(writer->finish());
}

const ConfigCase cases[] = {
    {"sound", "A", [](const fs::path&) {}},
    {"C1", "R:MISSING", [](const fs::path& f) { fs::remove(f / "config.json"); }},
    {"C2", "R:JSON", [](const fs::path& f) { writeFile(f / "config.json", ""); }},
    {"C3", "R:TYPE", [](const fs::path& f) { writeFile(f / "config.json", "[]"); }},
    {"C3_null", "R:TYPE", [](const fs::path& f) { writeFile(f / "config.json", "null"); }},
    {"C4", "W", [](const fs::path& f) { writeFile(f / "config.json", "\xEF\xBB\xBF" + tinyConfig().dump()); }},
    {"C5", "R:DEPTH", [](const fs::path& f) { writeFile(f / "config.json", repeat("[", 100'000)); }},
    {"C6", "R:DUP", [](const fs::path& f) { writeFile(f / "config.json", "{\"hidden_size\":32," + tinyConfig().dump().substr(1)); }},
    {"C7", "R:LIMIT", [](const fs::path& f) { fs::resize_file(f / "config.json", 1ull << 30); }},
    {"C8", "R:JSON", [](const fs::path& f) { writeFile(f / "config.json", "// comment\n" + tinyConfig().dump()); }},
    {"C9", "R:RANGE", [](const fs::path& f) { with(f, "hidden_size", 0); }},
    {"C10", "R:RANGE", [](const fs::path& f) { with(f, "hidden_size", -1); }},
    {"C11", "R:LIMIT", [](const fs::path& f) { with(f, "hidden_size", 1ll << 31); }},
    {"C12", "R:RANGE", [](const fs::path& f) { with(f, "hidden_size", 1ull << 63); }},
    {"C13", "R:TYPE", [](const fs::path& f) { with(f, "hidden_size", "32"); }},
    {"C14", "W", [](const fs::path& f) { with(f, "hidden_size", 32.0); }},
    {"C14_half", "R:TYPE", [](const fs::path& f) { with(f, "hidden_size", 32.5); }},
    {"C15", "R:TYPE", [](const fs::path& f) { with(f, "hidden_size", nullptr); }},
    {"C16", "R:MISSING", [](const fs::path& f) { without(f, "hidden_size"); }},
    {"C17", "R:SEM", [](const fs::path& f) {
         Json config = tinyConfig();
         config.erase("head_dim");
         config["num_attention_heads"] = 5;
         config["num_key_value_heads"] = 5;
         writeConfig(f, config);
     }},
    {"C18", "R:RANGE", [](const fs::path& f) { with(f, "num_attention_heads", 0); }},
    {"C19", "R:RANGE", [](const fs::path& f) { with(f, "num_attention_heads", -1); }},
    {"C20", "R:LIMIT", [](const fs::path& f) { with(f, "num_attention_heads", 1'000'000'000); }},
    {"C21", "R:RANGE", [](const fs::path& f) { with(f, "num_key_value_heads", 0); }},
    {"C22", "R:SEM", [](const fs::path& f) { with(f, "num_key_value_heads", 8); }},
    {"C23", "R:SEM", [](const fs::path& f) { with(f, "num_key_value_heads", 3); }},
    {"C24", "R:RANGE", [](const fs::path& f) { with(f, "head_dim", 0); }},
    {"C25", "R:SEM", [](const fs::path& f) { with(f, "head_dim", 7); }},
    {"C27", "R:SIZE", [](const fs::path& f) { with(f, "head_dim", 16); }},
    {"C28", "R:RANGE", [](const fs::path& f) { with(f, "num_hidden_layers", 0); }},
    {"C29", "R:LIMIT", [](const fs::path& f) { with(f, "num_hidden_layers", 1'000'000'000); }},
    {"C30", "W", [](const fs::path& f) { with(f, "num_hidden_layers", 1); }},
    {"C31", "R:MISSING", [](const fs::path& f) { with(f, "num_hidden_layers", 3); }},
    {"C32", "R:RANGE", [](const fs::path& f) { with(f, "intermediate_size", 0); }},
    {"C33", "R:RANGE", [](const fs::path& f) { with(f, "vocab_size", 0); }},
    {"C35", "R:SIZE", [](const fs::path& f) { with(f, "vocab_size", 7); }},
    {"C36", "R:LIMIT", [](const fs::path& f) { with(f, "vocab_size", 1ll << 31); }},
    {"C37", "R:RANGE", [](const fs::path& f) { with(f, "max_position_embeddings", 0); }},
    {"C38", "W", [](const fs::path& f) { with(f, "max_position_embeddings", 1ll << 40); }},
    {"C39", "W", [](const fs::path& f) { with(f, "rms_norm_eps", 0); }},
    {"C40", "R:RANGE", [](const fs::path& f) { with(f, "rms_norm_eps", -1); }},
    {"C41", "R:JSON", [](const fs::path& f) { spelled(f, "rms_norm_eps", "NaN"); }},
    {"C42", "R:RANGE", [](const fs::path& f) { with(f, "rms_norm_eps", 1e30); }},
    {"C43", "R:TYPE", [](const fs::path& f) { with(f, "rms_norm_eps", "1e-6"); }},
    {"C44", "R:RANGE", [](const fs::path& f) { with(f, "rope_theta", 0); }},
    {"C45", "R:RANGE", [](const fs::path& f) { with(f, "rope_theta", -1); }},
    {"C46", "R:RANGE", [](const fs::path& f) { spelled(f, "rope_theta", "1e400"); }},
    {"C47", "R:unsupported", [](const fs::path& f) { with(f, "rope_scaling", {{"rope_type", "yarn"}, {"factor", 2.0}}); }},
    {"C47_old", "R:unsupported", [](const fs::path& f) { with(f, "rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}); }},
    {"C47_untyped", "R:MISSING", [](const fs::path& f) { with(f, "rope_scaling", {{"factor", 2.0}}); }},
    {"C48", "R:RANGE", [](const fs::path& f) { with(f, "rope_scaling", changed(llama3, "factor", 0)); }},
    {"C49", "R:SEM", [](const fs::path& f) { with(f, "rope_scaling", changed(llama3, "low_freq_factor", 4.0)); }},
    {"C50", "R:MISSING", [](const fs::path& f) { with(f, "rope_scaling", changed(llama3, "original_max_position_embeddings", nullptr)); }},
    {"C50_new", "R:MISSING", [](const fs::path& f) { with(f, "rope_parameters", changed(llama3, "original_max_position_embeddings", nullptr)); }},
    {"C50_present", "A", [](const fs::path& f) { with(f, "rope_scaling", llama3); }},
    {"C51", "R:unsupported", [](const fs::path& f) { with(f, "hidden_act", "gelu_new"); }},
    {"C52", "R:SEM", [](const fs::path& f) { addTensor(f, "lm_head.weight", {6, 32}, 5); }},
    {"C52_equal", "A", [](const fs::path& f) { addTensor(f, "lm_head.weight", {6, 32}, 0); }},
    {"C53", "R:MISSING", [](const fs::path& f) { with(f, "tie_word_embeddings", false); }},
    {"C54", "R:unsupported", [](const fs::path& f) { with(f, "torch_dtype", "int8"); }},
    {"C55", "R:unsupported", [](const fs::path& f) { with(f, "model_type", "mamba"); }},
    {"C55_class", "R:unsupported", [](const fs::path& f) { with(f, "architectures", Json::array({"LlamaForSequenceClassification"})); }},
    {"C56", "R:MISSING", [](const fs::path& f) { without(f, "model_type"); }},
    {"C57", "W", [](const fs::path& f) { with(f, "auto_map", {{"AutoConfig", "evil.Config"}}); }},
    {"C58", "R:unsupported", [](const fs::path& f) { with(f, "quantization_config", {{"quant_method", "gptq"}}); }},
    {"C59", "R:MISSING", [](const fs::path& f) { with(f, "attention_bias", true); }},
    {"C59_mlp", "R:MISSING", [](const fs::path& f) { with(f, "mlp_bias", true); }},
    {"C60", "R:RANGE", [](const fs::path& f) { with(f, "sliding_window", 0); }},
    {"C61", "R:SIZE", [](const fs::path& f) { with(f, "layer_types", Json::array({"full_attention"})); }},
    {"C61_kind", "R:unsupported", [](const fs::path& f) { with(f, "layer_types", Json::array({"full_attention", "sliding_attention"})); }},
    {"C62", "A", [](const fs::path& f) { with(f, "eos_token_id", Json::array({2, 3})); }},
    {"C63", "R:RANGE", [](const fs::path& f) { with(f, "eos_token_id", 6); }},
    {"C63_bos", "R:RANGE", [](const fs::path& f) { with(f, "bos_token_id", 6); }},
    {"C64", "W", [](const fs::path& f) { with(f, "pad_token_id", -1); }},
    {"C65", "W", [](const fs::path& f) { with(f, "pad_token_id", 2); }},
    {"C66", "R:RANGE", [](const fs::path& f) { with(f, "attention_dropout", 2); }},
    {"C67_0", "R:RANGE", [](const fs::path& f) { with(f, "partial_rotary_factor", 0); }},
    {"C67_2", "R:RANGE", [](const fs::path& f) { with(f, "partial_rotary_factor", 2); }},
    {"C67_half", "R:unsupported", [](const fs::path& f) { with(f, "partial_rotary_factor", 0.5); }},
    {"C68", "A", [](const fs::path& f) { with(f, "_name_or_path", "../../etc"); }},
    {"C70", "W", [](const fs::path& f) { addTensor(f, "model.layers.0.something.weight", {2, 2}, 5); }},
    {"C70_inv_freq", "A", [](const fs::path& f) { addTensor(f, "model.layers.0.self_attn.rotary_emb.inv_freq", {4}, 5); }},
    {"C71", "R:SIZE", [](const fs::path& f) { with(f, "intermediate_size", 1 << 22); }},
    {"C72", "W", [](const fs::path& f) {
         Json config = tinyConfig();
         for (int i = 0; i < 100'000; ++i) config["unknown_" + std::to_string(i)] = i;
         writeConfig(f, config);
     }},
    {"interleaved", "R:unsupported", [](const fs::path& f) { with(f, "rope_interleaved", true); }},
    {"generation_config_broken", "R:JSON", [](const fs::path& f) { writeFile(f / "generation_config.json", "{"); }},
    {"weights_missing", "R:MISSING", [](const fs::path& f) { fs::remove(f / "model.safetensors"); }},
};

class ConfigCorpus : public testing::TestWithParam<ConfigCase> {};

TEST_P(ConfigCorpus, EndsAsItMust) {
    const ConfigCase& item = GetParam();
    TemporaryFolder folder;
    writeTinyFolder(folder.path());
    item.damage(folder.path());
    Stopwatch watch;
    const auto source = ModelSource::open(folder.path().string());
    EXPECT_LT(watch.elapsedMs(), 10'000);
    const std::string_view expected = item.expected;
    if (expected.starts_with("R:")) {
        ASSERT_FALSE(source.ok());
        EXPECT_EQ(source.error().tag, expected.substr(2)) << source.error().text();
        EXPECT_NE(source.error().where.find(folder.path().string()), std::string::npos) << source.error().text();
        EXPECT_EQ(source.error().exitCode(), 3);
        EXPECT_EQ(source.error().text().find('\n'), std::string::npos);
        return;
    }
    ASSERT_OK(source);
    EXPECT_EQ((*source)->warnings().empty(), expected == "A") << (*source)->warnings().front();
}

INSTANTIATE_TEST_SUITE_P(C, ConfigCorpus, testing::ValuesIn(cases), [](const auto& info) { return std::string(info.param.id); });

TEST(HfConfig, NamesTheKnownArchitectures_C55) {
    Json config = tinyConfig();
    config["model_type"] = "mamba";
    const auto described = describeHfConfig(config);
    ASSERT_FALSE(described.ok());
    EXPECT_NE(described.error().text().find("mamba"), std::string::npos);
    EXPECT_NE(described.error().text().find("llama"), std::string::npos);
}

TEST(HfConfig, RefusesBiasesByName_C59) {
    TemporaryFolder folder;
    Json config = tinyConfig();
    config["attention_bias"] = true;
    writeConfig(folder.path(), config);
    ModelDescription model = tinyDescription();
    model.attentionBias = true;
    std::vector<SafetensorsWriter::Declaration> tensors;
    std::size_t bytes = 0;
    for (const ParameterInfo& parameter : parametersOf(model)) {
        tensors.push_back({parameter.name, DType::F32, parameter.shape});
        bytes += static_cast<std::size_t>(parameter.elementCount()) * 4;
    }
    auto writer = SafetensorsWriter::create(folder / "model.safetensors", tensors, {});
    ASSERT_OK(writer);
    ASSERT_OK(writer->write(std::vector<std::byte>(bytes)));
    ASSERT_OK(writer->finish());
    const auto source = ModelSource::open(folder.path().string());
    ASSERT_FALSE(source.ok());
    EXPECT_EQ(source.error().code, ErrorCode::Unsupported);
    EXPECT_NE(source.error().text().find("biases in the attention"), std::string::npos);
}

TEST(HfConfig, AcceptsAHeadSizeOfItsOwn_C26) {
    TemporaryFolder folder;
    ModelDescription model = tinyDescription();
    model.headSize = 16;  // 4 heads x 16 = 64 in a model of 32
    writeFile(folder / "config.json", hfConfigOf(model, "float32").dump());
    std::vector<SafetensorsWriter::Declaration> tensors;
    std::size_t bytes = 0;
    for (const ParameterInfo& parameter : parametersOf(model)) {
        tensors.push_back({parameter.name, DType::BF16, parameter.shape});
        bytes += static_cast<std::size_t>(parameter.elementCount()) * 2;
    }
    auto writer = SafetensorsWriter::create(folder / "model.safetensors", tensors, {});
    ASSERT_OK(writer);
    ASSERT_OK(writer->write(std::vector<std::byte>(bytes)));
    ASSERT_OK(writer->finish());
    const auto source = ModelSource::open(folder.path().string());
    ASSERT_OK(source);
    EXPECT_EQ((*source)->description().headSize, 16);
    EXPECT_EQ((*source)->formatName(), "safetensors BF16");
}

TEST(HfConfig, RefusesOneLayerOfAnotherShape_C69) {
    TemporaryFolder folder;
    writeFile(folder / "config.json", tinyConfig().dump());
    std::vector<SafetensorsWriter::Declaration> tensors;
    std::size_t bytes = 0;
    for (const ParameterInfo& parameter : parametersOf(tinyDescription())) {
        std::vector<std::int64_t> shape = parameter.shape;
        if (parameter.name == "model.layers.1.mlp.up_proj.weight") shape = {32, 64};
        tensors.push_back({parameter.name, DType::F32, shape});
        bytes += static_cast<std::size_t>(parameter.elementCount()) * 4;
    }
    auto writer = SafetensorsWriter::create(folder / "model.safetensors", tensors, {});
    ASSERT_OK(writer);
    ASSERT_OK(writer->write(std::vector<std::byte>(bytes)));
    ASSERT_OK(writer->finish());
    const auto source = ModelSource::open(folder.path().string());
    ASSERT_FALSE(source.ok());
    EXPECT_EQ(source.error().tag, "SIZE");
    EXPECT_NE(source.error().text().find("model.layers.1.mlp.up_proj.weight has the shape [32, 64]"), std::string::npos) << source.error().text();
}

}  // namespace
}  // namespace mofo::test
