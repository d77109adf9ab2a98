// A Llama of a few hundred numbers, as a GGUF file and as a Hugging Face folder, to be damaged key by key.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "core/base/json.h"
#include "core/model/model_source.h"
#include "core/tensorio/safetensors.h"
#include "tests/core/tensorio/builders.h"
#include "tests/support/test_support.h"

namespace mofo::test {

/// vocabulary 6, hidden 32, MLP 64, 2 layers, 4 heads of 8, 2 key-value heads.
inline ModelDescription tinyDescription(bool tied = true) {
    ModelDescription model;
    model.family = "llama";
    model.vocabularySize = 6;
    model.hiddenSize = 32;
    model.intermediateSize = 64;
    model.layerCount = 2;
    model.headCount = 4;
    model.kvHeadCount = 2;
    model.headSize = 8;
    model.maxPositions = 128;
    model.bosId = 1;
    model.eosIds = {2};
    model.tiedHead = tied;
    return model;
}

/// Element `i` of a parameter: different everywhere, exact in fp32.
inline float tinyValue(std::size_t parameter, std::int64_t i) {
    return static_cast<float>(static_cast<std::int64_t>(parameter) * 10'000 + i) / 64.0f;
}

inline std::string floatsOf(std::size_t parameter, std::int64_t count) {
    std::string bytes;
    for (std::int64_t i = 0; i < count; ++i) bytes += raw(tinyValue(parameter, i));
    return bytes;
}

/// The rows of a q or k projection in llama.cpp's order: file row 2j + half of each head is row half * size/2 + j.
inline std::string permutedRows(const std::string& bytes, std::size_t headSize, std::size_t rowBytes) {
    std::string out;
    for (std::size_t head = 0; head < bytes.size() / (headSize * rowBytes); ++head) {
        for (std::size_t row = 0; row < headSize; ++row) {
            out += bytes.substr((head * headSize + row % 2 * (headSize / 2) + row / 2) * rowBytes, rowBytes);
        }
    }
    return out;
}

/// The tiny model as GGUF. Keys and tensors named in `without` are left out; `add` may put others in.
inline std::string tinyGguf(const std::set<std::string>& without = {}, const std::function<void(GgufBuilder&)>& add = {}, bool tied = true) {
    const ModelDescription model = tinyDescription(tied);
    GgufBuilder builder;
    const auto u32 = [&](const char* key, std::int64_t value) {
        if (!without.contains(key)) builder.u32(key, static_cast<std::uint32_t>(value));
    };
    if (!without.contains("general.architecture")) builder.text("general.architecture", "llama");
    u32("llama.block_count", model.layerCount);
    u32("llama.context_length", model.maxPositions);
    u32("llama.embedding_length", model.hiddenSize);
    u32("llama.feed_forward_length", model.intermediateSize);
    u32("llama.attention.head_count", model.headCount);
    u32("llama.attention.head_count_kv", model.kvHeadCount);
    u32("llama.vocab_size", model.vocabularySize);
    u32("llama.rope.dimension_count", model.headSize);
    if (!without.contains("llama.rope.freq_base")) builder.f32("llama.rope.freq_base", 10000.0f);
    if (!without.contains("llama.attention.layer_norm_rms_epsilon")) builder.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    u32("tokenizer.ggml.bos_token_id", 1);
    u32("tokenizer.ggml.eos_token_id", 2);
    if (add) add(builder);
    const std::vector<ParameterInfo> parameters = parametersOf(model);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const std::string name = ggufNameOf(parameters[i].name);
        if (without.contains(name)) continue;
        std::string bytes = floatsOf(i, parameters[i].elementCount());
        if (parameters[i].kind == ModuleKind::Query || parameters[i].kind == ModuleKind::Key) bytes = permutedRows(bytes, 8, 32 * 4);
        builder.tensor(name, {parameters[i].shape.rbegin(), parameters[i].shape.rend()}, 0, bytes);
    }
    return builder.build();
}

inline Json tinyConfig(bool tied = true) {
    Json config = hfConfigOf(tinyDescription(tied), "float32");
    config.erase("rope_scaling");
    config.erase("rope_parameters");
    return config;
}

/// The tiny model's weights as model.safetensors in `folder`.
inline void writeTinyWeights(const std::filesystem::path& folder, bool tied = true, DType dtype = DType::F32) {
    const std::vector<ParameterInfo> parameters = parametersOf(tinyDescription(tied));
    std::vector<SafetensorsWriter::Declaration> tensors;
    for (const ParameterInfo& parameter : parameters) tensors.push_back({parameter.name, dtype, parameter.shape});
    auto writer = SafetensorsWriter::create(folder / "model.safetensors", tensors, {{"format", "pt"}});
    ASSERT_OK(writer);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        std::vector<float> values(static_cast<std::size_t>(parameters[i].elementCount()));
        for (std::size_t k = 0; k < values.size(); ++k) values[k] = tinyValue(i, static_cast<std::int64_t>(k));
        ASSERT_OK(writer->writeFloats(values));
    }
    ASSERT_OK(writer->finish());
}

inline void writeTinyFolder(const std::filesystem::path& folder, bool tied = true) {
    writeFile(folder / "config.json", tinyConfig(tied).dump());
    writeTinyWeights(folder, tied);
}

}  // namespace mofo::test
