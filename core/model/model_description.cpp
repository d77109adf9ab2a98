#include "core/model/model_description.h"

#include <cmath>

#include "core/base/text.h"
#include "core/model/description_limits.h"

namespace mofo {

std::string_view moduleKindName(ModuleKind kind) {
    switch (kind) {
        case ModuleKind::Embedding: return "embed";
        case ModuleKind::Query: return "q";
        case ModuleKind::Key: return "k";
        case ModuleKind::Value: return "v";
        case ModuleKind::Output: return "o";
        case ModuleKind::Gate: return "gate";
        case ModuleKind::Up: return "up";
        case ModuleKind::Down: return "down";
        case ModuleKind::Norm: return "norm";
        case ModuleKind::Head: return "head";
    }
    return "";
}

std::int64_t ParameterInfo::elementCount() const {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    return count;
}

std::int64_t ModelDescription::parameterCount() const {
    std::int64_t count = 0;
    for (const ParameterInfo& parameter : parametersOf(*this)) count += parameter.elementCount();
    return count;
}

std::vector<ParameterInfo> parametersOf(const ModelDescription& model) {
    std::vector<ParameterInfo> parameters;
    parameters.reserve(static_cast<std::size_t>(model.layerCount) * 9 + 3);
    const std::int64_t hidden = model.hiddenSize;
    const std::int64_t queries = model.headCount * model.headSize;
    const std::int64_t keys = model.kvHeadCount * model.headSize;
    parameters.push_back({"model.embed_tokens.weight", {model.vocabularySize, hidden}, ModuleKind::Embedding, -1});
    for (std::int64_t layer = 0; layer < model.layerCount; ++layer) {
        const std::string prefix = "model.layers." + std::to_string(layer) + ".";
        const auto projection = [&](const char* name, std::int64_t out, std::int64_t in, ModuleKind kind, bool bias) {
            parameters.push_back({prefix + name + ".weight", {out, in}, kind, layer});
            if (bias) parameters.push_back({prefix + name + ".bias", {out}, kind, layer});
        };
        projection("self_attn.q_proj", queries, hidden, ModuleKind::Query, model.attentionBias);
        projection("self_attn.k_proj", keys, hidden, ModuleKind::Key, model.attentionBias);
        projection("self_attn.v_proj", keys, hidden, ModuleKind::Value, model.attentionBias);
        projection("self_attn.o_proj", hidden, queries, ModuleKind::Output, model.attentionBias);
        projection("mlp.gate_proj", model.intermediateSize, hidden, ModuleKind::Gate, model.mlpBias);
        projection("mlp.up_proj", model.intermediateSize, hidden, ModuleKind::Up, model.mlpBias);
        projection("mlp.down_proj", hidden, model.intermediateSize, ModuleKind::Down, model.mlpBias);
        parameters.push_back({prefix + "input_layernorm.weight", {hidden}, ModuleKind::Norm, layer});
        parameters.push_back({prefix + "post_attention_layernorm.weight", {hidden}, ModuleKind::Norm, layer});
    }
    parameters.push_back({"model.norm.weight", {hidden}, ModuleKind::Norm, -1});
    if (!model.tiedHead) parameters.push_back({"lm_head.weight", {model.vocabularySize, hidden}, ModuleKind::Head, -1});
    return parameters;
}

std::vector<std::string> knownFamilies() { return {"llama"}; }

Json hfConfigOf(const ModelDescription& model, std::string_view dtype) {
    const auto idOrNull = [](const std::optional<std::int64_t>& id) { return id ? Json(*id) : Json(nullptr); };
    Json eos = nullptr;
    if (model.eosIds.size() == 1) eos = model.eosIds.front();
    if (model.eosIds.size() > 1) eos = model.eosIds;
    Json scaling = nullptr;
    Json rope = {{"rope_type", "default"}};
    if (model.rope.scaling == RopeDescription::Scaling::Linear) scaling = {{"rope_type", "linear"}, {"factor", model.rope.factor}};
    if (model.rope.scaling == RopeDescription::Scaling::Llama3) {
        scaling = {{"rope_type", "llama3"},
                   {"factor", model.rope.factor},
                   {"low_freq_factor", model.rope.lowFrequencyFactor},
                   {"high_freq_factor", model.rope.highFrequencyFactor},
                   {"original_max_position_embeddings", model.rope.originalLength}};
    }
    if (!scaling.is_null()) rope = scaling;
    rope["rope_theta"] = model.rope.theta;
    // Transformers 4 reads rope_theta, rope_scaling and torch_dtype; Transformers 5 rope_parameters and dtype. Both get theirs.
    return Json{{"architectures", {"LlamaForCausalLM"}},
                {"attention_bias", model.attentionBias},
                {"attention_dropout", 0.0},
                {"bos_token_id", idOrNull(model.bosId)},
                {"dtype", dtype},
                {"eos_token_id", eos},
                {"head_dim", model.headSize},
                {"hidden_act", "silu"},
                {"hidden_size", model.hiddenSize},
                {"initializer_range", 0.02},
                {"intermediate_size", model.intermediateSize},
                {"max_position_embeddings", model.maxPositions},
                {"mlp_bias", model.mlpBias},
                {"model_type", "llama"},
                {"num_attention_heads", model.headCount},
                {"num_hidden_layers", model.layerCount},
                {"num_key_value_heads", model.kvHeadCount},
                {"pad_token_id", idOrNull(model.padId)},
                {"pretraining_tp", 1},
                {"rms_norm_eps", model.normEpsilon},
                {"rope_parameters", rope},
                {"rope_scaling", scaling},
                {"rope_theta", model.rope.theta},
                {"tie_word_embeddings", model.tiedHead},
                {"torch_dtype", dtype},
                {"use_cache", true},
                {"vocab_size", model.vocabularySize}};
}

Result<ModelDescription> describeRandom(std::string_view name) {
    ModelDescription model;
    model.family = "llama";
    model.tiedHead = true;
    if (name == "random:smollm2") {
        model.vocabularySize = 49152;
        model.hiddenSize = 576;
        model.intermediateSize = 1536;
        model.layerCount = 30;
        model.headCount = 9;
        model.kvHeadCount = 3;
        model.headSize = 64;
        model.maxPositions = 8192;
        model.normEpsilon = 1e-5;
        model.rope.theta = 100000.0;
        model.bosId = 1;
        model.eosIds = {2};
        model.padId = 2;
        return model;
    }
    if (name == "random:llama-1b") {
        model.vocabularySize = 128256;
        model.hiddenSize = 2048;
        model.intermediateSize = 8192;
        model.layerCount = 16;
        model.headCount = 32;
        model.kvHeadCount = 8;
        model.headSize = 64;
        model.maxPositions = 2048;
        model.normEpsilon = 1e-6;
        model.rope.theta = 500000.0;
        model.bosId = 128000;
        model.eosIds = {128001};
        return model;
    }
    return Error{ErrorCode::NotFound, "there is no random model of that name", '"' + escapeForDisplay(name) + '"',
                 "Known: random:smollm2, random:llama-1b", ""};
}

Error fieldError(std::string_view key, const char* tag, std::string message) {
    return Error{ErrorCode::InvalidInput, std::move(message), "key \"" + escapeForDisplay(key) + '"', "Fetch the model again, or ask who made it",
                 tag};
}

Error unsupportedError(std::string_view key, std::string message, std::string remedy) {
    return Error{ErrorCode::Unsupported, std::move(message), "key \"" + escapeForDisplay(key) + '"', std::move(remedy), "unsupported"};
}

Result<void> checkSize(std::string_view key, std::int64_t value, std::int64_t limit) {
    if (value < 1) return fieldError(key, "RANGE", std::to_string(value) + " is not positive");
    if (value > limit) return fieldError(key, "LIMIT", std::to_string(value) + " is beyond what any model has (" + std::to_string(limit) + ")");
    return {};
}

Result<void> checkDescription(const ModelDescription& model, const DescriptionKeys& keys, std::vector<std::string>& warnings) {
    const auto text = [](std::int64_t value) { return std::to_string(value); };
    if (model.kvHeadCount > model.headCount)
        return fieldError(keys.kvHeads, "SEM", text(model.kvHeadCount) + " key-value heads are more than the " + text(model.headCount) + " heads");
    if (model.headCount % model.kvHeadCount != 0)
        return fieldError(keys.kvHeads, "SEM", text(model.kvHeadCount) + " key-value heads do not divide " + text(model.headCount) + " heads");
    if (model.headSize % 2 != 0)
        return fieldError(keys.headSize, "SEM", "the head size " + text(model.headSize) + " is odd, so positions cannot be rotated in pairs");
    if (!std::isfinite(model.normEpsilon) || model.normEpsilon < 0 || model.normEpsilon > 1)
        return fieldError(keys.epsilon, "RANGE", formatShortest(model.normEpsilon) + " is not between 0 and 1");
    if (model.normEpsilon == 0) warnings.push_back(std::string(keys.epsilon) + " is 0: a row of zeros would divide by zero");
    if (!std::isfinite(model.rope.theta) || model.rope.theta <= 0)
        return fieldError(keys.theta, "RANGE", formatShortest(model.rope.theta) + " is not positive");
    if (model.maxPositions > 1ll << 32) warnings.push_back("the model claims " + text(model.maxPositions) + " positions");
    for (const std::int64_t id : model.eosIds) {
        if (id < 0 || id >= model.vocabularySize)
            return fieldError(keys.eos, "RANGE", "the token " + text(id) + " is not in the vocabulary of " + text(model.vocabularySize));
        if (model.padId == id) warnings.push_back("padding and end of text are the same token, " + text(id));
    }
    if (model.bosId && (*model.bosId < 0 || *model.bosId >= model.vocabularySize)) {
        return fieldError(keys.bos, "RANGE", "the token " + text(*model.bosId) + " is not in the vocabulary of " + text(model.vocabularySize));
    }
    return {};
}

}  // namespace mofo
