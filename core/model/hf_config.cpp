// config.json of Hugging Face (Transformers 4 and 5) to a ModelDescription.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "core/base/text.h"
#include "core/model/description_limits.h"
#include "core/model/model_description.h"

namespace mofo {

namespace {

/// Keys that PretrainedConfig and LlamaConfig write, that are read below or that change nothing for a causal decoder.
constexpr std::array<std::string_view, 92> knownKeys = {
    "_attn_implementation_autoset",
    "_name_or_path",
    "add_cross_attention",
    "architectures",
    "attention_bias",
    "attention_dropout",
    "auto_map",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "chunk_size_feed_forward",
    "cross_attention_hidden_size",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "head_dim",
    "hidden_act",
    "hidden_size",
    "id2label",
    "initializer_range",
    "intermediate_size",
    "is_decoder",
    "is_encoder_decoder",
    "is_llama_config",
    "label2id",
    "layer_types",
    "length_penalty",
    "max_length",
    "max_position_embeddings",
    "min_length",
    "mlp_bias",
    "model_type",
    "no_repeat_ngram_size",
    "num_attention_heads",
    "num_beam_groups",
    "num_beams",
    "num_hidden_layers",
    "num_key_value_heads",
    "num_return_sequences",
    "original_max_position_embeddings",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "pad_token_id",
    "partial_rotary_factor",
    "prefix",
    "pretraining_tp",
    "problem_type",
    "pruned_heads",
    "quantization_config",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "rms_norm_eps",
    "rope_interleaved",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
    "sep_token_id",
    "sliding_window",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tie_word_embeddings",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "typical_p",
    "unk_token_id",
    "unsloth_fixed",
    "unsloth_version",
    "use_bfloat16",
    "use_cache",
    "use_flash_attn",
    "use_sliding_window",
    "vocab_size",
    "model_max_length",
};

std::string typeName(const Json& value) {
    if (value.is_null()) return "null";
    if (value.is_boolean()) return "a truth value";
    if (value.is_number()) return "a number";
    if (value.is_string()) return "a string";
    return value.is_array() ? "a list" : "an object";
}

class ConfigReader {
public:
    ConfigReader(const Json& config, std::vector<std::string>& warnings) : m_config(config), m_warnings(warnings) {}

    Result<ModelDescription> read();

private:
    Result<void> readFamily();
    Result<void> refuseWhatIsNotImplemented();
    Result<void> readSizes();
    Result<void> readNumbers();
    Result<void> readRope();
    Result<void> readRopeScaling(const Json& scaling, const std::string& name);
    Result<void> readTokens();
    void warnOfUnknownKeys();

    [[nodiscard]] bool present(std::string_view key) const { return m_config.contains(key) && !m_config[key].is_null(); }
    Result<std::int64_t> integer(const Json& value, std::string_view key);
    Result<double> number(const Json& value, std::string_view key);
    Result<bool> flag(std::string_view key, bool absent);
    Result<std::int64_t> size(std::string_view key, std::int64_t limit);
    /// As size(), but absent and null give `fallback`.
    Result<std::int64_t> sizeOr(std::string_view key, std::int64_t limit, std::int64_t fallback);
    Result<double> share(std::string_view key);

    const Json& m_config;
    std::vector<std::string>& m_warnings;
    ModelDescription m_model;
};

Result<std::int64_t> ConfigReader::integer(const Json& value, std::string_view key) {
    if (value.is_number_unsigned()) {
        if (value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) return fieldError(key, "RANGE", "the number is larger than 2^63 - 1");
        return value.get<std::int64_t>();
    }
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_number_float()) {
        const double real = value.get<double>();
        if (std::abs(real) >= 0x1p63) return fieldError(key, "RANGE", "the number " + formatShortest(real) + " is out of range");
        if (real == std::floor(real)) {
            m_warnings.push_back(std::string(key) + " is written as " + value.dump() + " instead of an integer");
            return static_cast<std::int64_t>(real);
        }
    }
    return fieldError(key, "TYPE", "an integer is due here, not " + typeName(value));
}

Result<double> ConfigReader::number(const Json& value, std::string_view key) {
    if (value.is_number()) return value.get<double>();
    return fieldError(key, "TYPE", "a number is due here, not " + typeName(value));
}

Result<bool> ConfigReader::flag(std::string_view key, bool absent) {
    if (!present(key)) return absent;
    if (m_config[key].is_boolean()) return m_config[key].get<bool>();
    return fieldError(key, "TYPE", "true or false is due here, not " + typeName(m_config[key]));
}

Result<std::int64_t> ConfigReader::size(std::string_view key, std::int64_t limit) {
    if (!m_config.contains(key)) return fieldError(key, "MISSING", "this key is missing");
    MOFO_TRY(const std::int64_t value, integer(m_config[key], key));
    MOFO_CHECK(checkSize(key, value, limit));
    return value;
}

Result<std::int64_t> ConfigReader::sizeOr(std::string_view key, std::int64_t limit, std::int64_t fallback) {
    if (!present(key)) return fallback;
    return size(key, limit);
}

Result<double> ConfigReader::share(std::string_view key) {
    if (!present(key)) return 0.0;
    MOFO_TRY(const double value, number(m_config[key], key));
    if (!(value >= 0 && value < 1)) return fieldError(key, "RANGE", formatShortest(value) + " is not between 0 and 1");
    return value;
}

Result<void> ConfigReader::readFamily() {
    if (!m_config.is_object())
        return Error{ErrorCode::InvalidInput, "the configuration is not an object", "", "Name a folder that holds a Hugging Face model", "TYPE"};
    if (!m_config.contains("model_type")) return fieldError("model_type", "MISSING", "this key is missing");
    if (!m_config["model_type"].is_string()) return fieldError("model_type", "TYPE", "a string is due here, not " + typeName(m_config["model_type"]));
    m_model.family = m_config["model_type"].get<std::string>();
    const std::vector<std::string> known = knownFamilies();
    if (std::find(known.begin(), known.end(), m_model.family) == known.end()) {
        return unsupportedError("model_type", "the architecture \"" + escapeForDisplay(m_model.family.substr(0, 80)) + "\" is unknown to this build",
                                "Known: " + joinText(known, ", "));
    }
    if (present("architectures")) {
        const Json& list = m_config["architectures"];
        const auto isText = [](const Json& item) { return item.is_string(); };
        if (!list.is_array() || !std::all_of(list.begin(), list.end(), isText))
            return fieldError("architectures", "TYPE", "a list of strings is due here");
        const auto decodes = [](const Json& item) {
            return item.get<std::string>() == "LlamaForCausalLM" || item.get<std::string>() == "LLaMAForCausalLM";
        };
        if (!list.empty() && std::none_of(list.begin(), list.end(), decodes)) {
            return unsupportedError("architectures",
                                    "\"" + escapeForDisplay(list[0].get<std::string>().substr(0, 80)) + "\" is no language model this build knows",
                                    "Known: LlamaForCausalLM");
        }
    }
    return {};
}

Result<void> ConfigReader::refuseWhatIsNotImplemented() {
    if (present("quantization_config")) {
        const Json& quantisation = m_config["quantization_config"];
        const bool named = quantisation.is_object() && quantisation.contains("quant_method") && quantisation["quant_method"].is_string();
        const std::string method = named ? " (" + escapeForDisplay(quantisation["quant_method"].get<std::string>().substr(0, 40)) + ")" : "";
        return unsupportedError("quantization_config", "the weights are quantised" + method + ", which cannot be read",
                                "Use the model's float or bfloat16 weights, or a GGUF file");
    }
    for (const char* key : {"torch_dtype", "dtype"}) {
        if (!present(key)) continue;
        if (!m_config[key].is_string()) return fieldError(key, "TYPE", "a string is due here, not " + typeName(m_config[key]));
        std::string dtype = m_config[key].get<std::string>();
        if (dtype.starts_with("torch.")) dtype.erase(0, 6);
        constexpr std::array<std::string_view, 5> known = {"float32", "float16", "bfloat16", "float64", "auto"};
        if (std::find(known.begin(), known.end(), dtype) == known.end()) {
            return unsupportedError(key, "weights of type \"" + escapeForDisplay(dtype.substr(0, 40)) + "\" cannot be read",
                                    "Known: float32, float16, bfloat16, float64");
        }
    }
    if (present("hidden_act")) {
        if (!m_config["hidden_act"].is_string())
            return fieldError("hidden_act", "TYPE", "a string is due here, not " + typeName(m_config["hidden_act"]));
        const std::string activation = m_config["hidden_act"].get<std::string>();
        if (activation != "silu" && activation != "swish") {
            return unsupportedError("hidden_act", "the activation \"" + escapeForDisplay(activation.substr(0, 40)) + "\" is unknown to this build",
                                    "Known: silu");
        }
    }
    MOFO_TRY(const bool interleaved, flag("rope_interleaved", false));
    if (interleaved) return unsupportedError("rope_interleaved", "interleaved rotary positions are not implemented");
    MOFO_TRY(const double dropout, share("attention_dropout"));
    if (dropout > 0) m_warnings.push_back("attention_dropout " + formatShortest(dropout) + " is not applied");
    if (present("auto_map")) m_warnings.emplace_back("auto_map names Python code, which is never run");
    if (present("sliding_window")) {
        MOFO_TRY(const std::int64_t window, integer(m_config["sliding_window"], "sliding_window"));
        if (window < 1) return fieldError("sliding_window", "RANGE", std::to_string(window) + " is not positive");
        m_warnings.emplace_back("sliding_window is ignored, as Transformers does for this architecture");
    }
    return {};
}

Result<void> ConfigReader::readSizes() {
    using Limits = DescriptionLimits;
    MOFO_TRY(m_model.hiddenSize, size("hidden_size", Limits::hiddenSize));
    MOFO_TRY(m_model.headCount, size("num_attention_heads", Limits::heads));
    MOFO_TRY(m_model.layerCount, size("num_hidden_layers", Limits::layers));
    MOFO_TRY(m_model.intermediateSize, size("intermediate_size", Limits::intermediateSize));
    MOFO_TRY(m_model.vocabularySize, size("vocab_size", Limits::vocabularySize));
    MOFO_TRY(m_model.kvHeadCount, sizeOr("num_key_value_heads", Limits::heads, m_model.headCount));
    if (!present("head_dim") && m_model.hiddenSize % m_model.headCount != 0) {
        return fieldError("num_attention_heads", "SEM",
                          std::to_string(m_model.headCount) + " heads do not divide the hidden size " + std::to_string(m_model.hiddenSize));
    }
    MOFO_TRY(m_model.headSize, sizeOr("head_dim", Limits::headSize, m_model.hiddenSize / m_model.headCount));
    MOFO_CHECK(checkSize("head_dim", m_model.headSize, Limits::headSize));
    MOFO_TRY(m_model.maxPositions, sizeOr("max_position_embeddings", INT64_MAX, 2048));
    if (present("layer_types")) {
        const Json& types = m_config["layer_types"];
        if (!types.is_array()) return fieldError("layer_types", "TYPE", "a list is due here, not " + typeName(types));
        if (static_cast<std::int64_t>(types.size()) != m_model.layerCount) {
            return fieldError("layer_types", "SIZE", std::to_string(types.size()) + " entries for " + std::to_string(m_model.layerCount) + " layers");
        }
        for (const Json& type : types) {
            if (!type.is_string()) return fieldError("layer_types", "TYPE", "a string is due here, not " + typeName(type));
            if (type != "full_attention")
                return unsupportedError("layer_types",
                                        "layers of type \"" + escapeForDisplay(type.get<std::string>().substr(0, 40)) + "\" are not implemented",
                                        "Known: full_attention");
        }
    }
    return {};
}

Result<void> ConfigReader::readNumbers() {
    m_model.normEpsilon = 1e-6;
    if (present("rms_norm_eps")) {
        MOFO_TRY(m_model.normEpsilon, number(m_config["rms_norm_eps"], "rms_norm_eps"));
    }
    MOFO_TRY(m_model.attentionBias, flag("attention_bias", false));
    MOFO_TRY(m_model.mlpBias, flag("mlp_bias", false));
    MOFO_TRY(m_model.tiedHead, flag("tie_word_embeddings", false));
    return {};
}

Result<void> ConfigReader::readRope() {
    // The order of Transformers' convert_rope_params_to_dict: rope_scaling before rope_parameters; theta inside before outside.
    const bool old = present("rope_scaling") && !m_config["rope_scaling"].empty();
    const std::string name = old ? "rope_scaling" : "rope_parameters";
    const Json empty = Json::object();
    const Json& scaling = old || present("rope_parameters") ? m_config[name] : empty;
    if (!scaling.is_object()) return fieldError(name, "TYPE", "an object is due here, not " + typeName(scaling));
    m_model.rope.theta = 10000.0;
    if (scaling.contains("rope_theta") && !scaling["rope_theta"].is_null()) {
        MOFO_TRY(m_model.rope.theta, number(scaling["rope_theta"], name + ".rope_theta"));
    } else if (present("rope_theta")) {
        MOFO_TRY(m_model.rope.theta, number(m_config["rope_theta"], "rope_theta"));
    }
    const bool inside = scaling.contains("partial_rotary_factor") && !scaling["partial_rotary_factor"].is_null();
    if (inside || present("partial_rotary_factor")) {
        const Json& value = inside ? scaling["partial_rotary_factor"] : m_config["partial_rotary_factor"];
        MOFO_TRY(const double factor, number(value, "partial_rotary_factor"));
        if (!(factor > 0 && factor <= 1)) return fieldError("partial_rotary_factor", "RANGE", formatShortest(factor) + " is not between 0 and 1");
        if (factor != 1) return unsupportedError("partial_rotary_factor", "rotating only a part of each head is not implemented");
    }
    return readRopeScaling(scaling, name);
}

Result<void> ConfigReader::readRopeScaling(const Json& scaling, const std::string& name) {
    const char* typeKey = scaling.contains("rope_type") ? "rope_type" : "type";
    if (!scaling.contains(typeKey)) {
        if (scaling.contains("factor")) return fieldError(name, "MISSING", "a factor without a rope_type");
        return {};
    }
    if (!scaling[typeKey].is_string()) return fieldError(name + "." + typeKey, "TYPE", "a string is due here, not " + typeName(scaling[typeKey]));
    const std::string type = scaling[typeKey].get<std::string>();
    if (type == "default") return {};
    if (type != "linear" && type != "llama3") {
        return unsupportedError(name + "." + typeKey, "positions scaled by \"" + escapeForDisplay(type.substr(0, 40)) + "\" are not implemented",
                                "Known: default, linear, llama3");
    }
    const auto due = [&](const char* key) -> Result<double> {
        const std::string full = name + "." + key;
        if (!scaling.contains(key) || scaling[key].is_null()) return fieldError(full, "MISSING", "this key is missing");
        MOFO_TRY(const double value, number(scaling[key], full));
        if (!std::isfinite(value) || value <= 0 || value > 1e9) return fieldError(full, "RANGE", formatShortest(value) + " is out of range");
        return value;
    };
    MOFO_TRY(m_model.rope.factor, due("factor"));
    if (type == "linear") {
        m_model.rope.scaling = RopeDescription::Scaling::Linear;
        return {};
    }
    m_model.rope.scaling = RopeDescription::Scaling::Llama3;
    MOFO_TRY(m_model.rope.lowFrequencyFactor, due("low_freq_factor"));
    MOFO_TRY(m_model.rope.highFrequencyFactor, due("high_freq_factor"));
    if (m_model.rope.highFrequencyFactor <= m_model.rope.lowFrequencyFactor) {
        return fieldError(name + ".high_freq_factor", "SEM", "it is not larger than low_freq_factor");
    }
    MOFO_TRY(const double original, due("original_max_position_embeddings"));
    if (original != std::floor(original)) return fieldError(name + ".original_max_position_embeddings", "TYPE", "an integer is due here");
    m_model.rope.originalLength = static_cast<std::int64_t>(original);
    return {};
}

Result<void> ConfigReader::readTokens() {
    if (present("eos_token_id")) {
        const Json& eos = m_config["eos_token_id"];
        if (eos.is_array()) {
            if (eos.size() > 1000) return fieldError("eos_token_id", "LIMIT", "more than 1,000 end tokens");
            for (const Json& item : eos) {
                MOFO_TRY(const std::int64_t id, integer(item, "eos_token_id"));
                m_model.eosIds.push_back(id);
            }
        } else {
            MOFO_TRY(const std::int64_t id, integer(eos, "eos_token_id"));
            m_model.eosIds.push_back(id);
        }
    }
    if (present("bos_token_id")) {
        MOFO_TRY(m_model.bosId, integer(m_config["bos_token_id"], "bos_token_id"));
    }
    if (present("pad_token_id")) {
        MOFO_TRY(const std::int64_t pad, integer(m_config["pad_token_id"], "pad_token_id"));
        if (pad < 0 || pad >= m_model.vocabularySize) {
            m_warnings.push_back("pad_token_id " + std::to_string(pad) + " is not in the vocabulary and is ignored");
        } else {
            m_model.padId = pad;
        }
    }
    return {};
}

void ConfigReader::warnOfUnknownKeys() {
    std::size_t count = 0;
    std::string first;
    for (const auto& [key, value] : m_config.items()) {
        if (std::find(knownKeys.begin(), knownKeys.end(), key) != knownKeys.end()) continue;
        if (count++ == 0) first = escapeForDisplay(key.substr(0, 80));
    }
    if (count == 1) m_warnings.push_back("the key \"" + first + "\" is unknown and ignored");
    if (count > 1)
        m_warnings.push_back("\"" + first + "\" and " + formatCount(static_cast<std::int64_t>(count - 1)) + " more keys are unknown and ignored");
}

Result<ModelDescription> ConfigReader::read() {
    MOFO_CHECK(readFamily());
    MOFO_CHECK(refuseWhatIsNotImplemented());
    MOFO_CHECK(readSizes());
    MOFO_CHECK(readNumbers());
    MOFO_CHECK(readRope());
    MOFO_CHECK(readTokens());
    const DescriptionKeys keys{"num_attention_heads", "num_key_value_heads", "head_dim",    "rms_norm_eps",
                               "rope_theta",          "eos_token_id",        "bos_token_id"};
    MOFO_CHECK(checkDescription(m_model, keys, m_warnings));
    warnOfUnknownKeys();
    return std::move(m_model);
}

}  // namespace

Result<ModelDescription> describeHfConfig(const Json& config, std::vector<std::string>* warnings) {
    std::vector<std::string> ignored;
    return ConfigReader(config, warnings != nullptr ? *warnings : ignored).read();
}

}  // namespace mofo
