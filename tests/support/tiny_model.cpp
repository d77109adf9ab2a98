#include "tests/support/tiny_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "core/base/json.h"
#include "core/model/model_description.h"
#include "core/tensorio/safetensors.h"
#include "tests/support/test_support.h"

namespace mofo::test {

namespace fs = std::filesystem;

namespace {

/// Uniform in [-1, 1): FNV-1a of the name, then SplitMix64 of the index.
float valueOf(const std::string& name, std::uint64_t index, std::uint64_t seed) {
    std::uint64_t z = 0xcbf29ce484222325ull ^ (seed - 1);
    for (const char c : name) z = (z ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    z += (index + 1) * 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    return static_cast<float>(static_cast<double>(z >> 11) * 0x1.0p-52 - 1.0);
}

/// GPT-2's alphabet: every byte as one printable character.
std::string byteCharacter(int byte) {
    const auto printable = [](int b) { return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255); };
    int code = byte;
    if (!printable(byte)) {
        code = 256;
        for (int b = 0; b < byte; ++b) code += printable(b) ? 0 : 1;
    }
    if (code < 0x80) return {static_cast<char>(code)};
    return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
}

constexpr const char* kTemplate =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant "
    "named SmolLM, trained by Hugging "
    "Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if "
    "add_generation_prompt %}{{ "
    "'<|im_start|>assistant\n' }}{% endif %}";

}  // namespace

void writeTinyModel(const fs::path& folder, const TinyModelOptions& options) {
    fs::create_directories(folder);
    const Json config = {{"architectures", {"LlamaForCausalLM"}},
                         {"model_type", "llama"},
                         {"hidden_act", "silu"},
                         {"hidden_size", 32},
                         {"intermediate_size", 64},
                         {"num_hidden_layers", 2},
                         {"num_attention_heads", 4},
                         {"num_key_value_heads", 2},
                         {"head_dim", 8},
                         {"max_position_embeddings", 512},
                         {"rms_norm_eps", 1e-5},
                         {"rope_theta", 10000.0},
                         {"tie_word_embeddings", true},
                         {"vocab_size", 259},
                         {"attention_bias", false},
                         {"mlp_bias", false},
                         {"bos_token_id", 1},
                         {"eos_token_id", 2},
                         {"torch_dtype", "float32"}};
    writeFile(folder / "config.json", config.dump(1));
    auto description = describeHfConfig(config);
    ASSERT_TRUE(description.ok()) << description.error().text();
    std::vector<SafetensorsWriter::Declaration> declarations;
    const auto parameters = parametersOf(*description);
    for (const ParameterInfo& info : parameters) declarations.push_back({info.name, DType::F32, info.shape});
    auto writer = SafetensorsWriter::create(folder / "model.safetensors", declarations, {{"format", "pt"}});
    ASSERT_TRUE(writer.ok()) << writer.error().text();
    for (const ParameterInfo& info : parameters) {
        std::vector<float> values(static_cast<std::size_t>(info.elementCount()));
        const float scale = info.kind == ModuleKind::Norm        ? 0.1f
                            : info.kind == ModuleKind::Embedding ? 0.5f
                                                                 : 1.0f / std::sqrt(static_cast<float>(info.shape.back()));
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = scale * valueOf(info.name, i, options.seed) + (info.kind == ModuleKind::Norm ? 1.0f : 0.0f);
        if (info.name == options.poisonedTensor) values[0] = std::nanf("");
        ASSERT_OK(writer->writeFloats(values));
    }
    ASSERT_OK(writer->finish());

    if (!options.withTokenizer) return;
    Json vocabulary = Json::object(), added = Json::array();
    const char* special[] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    for (int i = 0; i < 3; ++i) {
        vocabulary[special[i]] = i;
        added.push_back({{"id", i},
                         {"content", special[i]},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", false},
                         {"normalized", false},
                         {"special", true}});
    }
    for (int byte = 0; byte < 256; ++byte) vocabulary[byteCharacter(byte)] = 3 + byte;
    const Json tokenizer = {{"version", "1.0"},
                            {"truncation", nullptr},
                            {"padding", nullptr},
                            {"added_tokens", added},
                            {"normalizer", nullptr},
                            {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}}},
                            {"post_processor", nullptr},
                            {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
                            {"model",
                             {{"type", "BPE"},
                              {"dropout", nullptr},
                              {"unk_token", nullptr},
                              {"continuing_subword_prefix", nullptr},
                              {"end_of_word_suffix", nullptr},
                              {"fuse_unk", false},
                              {"byte_fallback", false},
                              {"ignore_merges", false},
                              {"vocab", vocabulary},
                              {"merges", Json::array()}}}};
    writeFile(folder / "tokenizer.json", tokenizer.dump());
    writeFile(folder / "tokenizer_config.json", Json{{"bos_token", special[1]},
                                                     {"eos_token", special[2]},
                                                     {"pad_token", special[2]},
                                                     {"unk_token", special[0]},
                                                     {"chat_template", kTemplate},
                                                     {"tokenizer_class", "PreTrainedTokenizerFast"}}
                                                    .dump(1));
}

void writeTinyData(const fs::path& file, int rows) {
    std::string text;
    for (int i = 0; i < rows; ++i) {
        const int a = 3 + i * 7 % 31, b = 2 + i * 11 % 17;
        text += Json{{"question", "What is " + std::to_string(a) + " + " + std::to_string(b) + "?"},
                     {"answer", std::string(static_cast<std::size_t>(i % 5), '=') + " The sum is " + std::to_string(a + b) + "."}}
                    .dump() +
                "\n";
    }
    writeFile(file, text);
}

}  // namespace mofo::test
