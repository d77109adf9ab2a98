// GGUF metadata of the Llama family to a ModelDescription, and llama.cpp's tensor names.
// Source: gguf-py's constants.py and tensor_mapping.py, conversion of rope_freqs in convert_hf_to_gguf.py.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/base/text.h"
#include "core/model/description_limits.h"
#include "core/model/model_description.h"
#include "core/tensorio/gguf.h"

namespace mofo {

namespace {

class GgufDescriber {
public:
    GgufDescriber(const GgufFile& file, std::vector<std::string>& warnings) : m_file(file), m_warnings(warnings) {}
    Result<ModelDescription> read();

private:
    Result<void> readSizes();
    Result<void> readRope();
    Result<void> matchRopeFactors();
    Result<void> readTokens();
    Result<void> refuseWhatIsNotImplemented();

    /// An integer of the family, or one value per layer that is the same in every layer.
    Result<std::int64_t> layerwise(const std::string& key);
    Result<std::int64_t> size(const std::string& key, std::int64_t limit);
    [[nodiscard]] bool present(const std::string& key) const { return m_file.find(key) != nullptr; }

    const GgufFile& m_file;
    std::vector<std::string>& m_warnings;
    ModelDescription m_model;
};

Result<std::int64_t> GgufDescriber::layerwise(const std::string& key) {
    const GgufValue* value = m_file.find(key);
    const auto* list = value == nullptr ? nullptr : std::get_if<std::vector<std::int64_t>>(value);
    if (list == nullptr) return m_file.getInt(key);
    if (static_cast<std::int64_t>(list->size()) != m_model.layerCount) {
        return fieldError(key, "SIZE", std::to_string(list->size()) + " values for " + std::to_string(m_model.layerCount) + " layers");
    }
    if (std::any_of(list->begin(), list->end(), [&](std::int64_t item) { return item != list->front(); })) {
        return unsupportedError(key, "layers of different shape are not implemented");
    }
    return list->front();
}

Result<std::int64_t> GgufDescriber::size(const std::string& key, std::int64_t limit) {
    MOFO_TRY(const std::int64_t value, layerwise(key));
    MOFO_CHECK(checkSize(key, value, limit));
    return value;
}

Result<void> GgufDescriber::refuseWhatIsNotImplemented() {
    if (present("split.count")) {
        MOFO_TRY(const std::int64_t parts, m_file.getInt("split.count"));
        if (parts > 1) {
            return fieldError("split.count", "MISSING",
                              "the file is one part of " + std::to_string(parts) + "; merge the parts with llama-gguf-split --merge first");
        }
    }
    if (present("llama.expert_count")) {
        MOFO_TRY(const std::int64_t experts, m_file.getInt("llama.expert_count"));
        if (experts > 0) return unsupportedError("llama.expert_count", "mixtures of experts are not implemented");
    }
    for (const char* key :
         {"llama.attention.scale", "llama.logit_scale", "llama.residual_scale", "llama.embedding_scale", "llama.attention.sliding_window"}) {
        if (!present(key)) continue;
        MOFO_TRY(const double value, m_file.getFloat(key));
        if (value != 0) return unsupportedError(key, "this variant of the architecture is not implemented");
    }
    return {};
}

Result<void> GgufDescriber::readSizes() {
    using Limits = DescriptionLimits;
    MOFO_TRY(m_model.layerCount, m_file.getInt("llama.block_count"));
    MOFO_CHECK(checkSize("llama.block_count", m_model.layerCount, Limits::layers));
    MOFO_TRY(m_model.hiddenSize, size("llama.embedding_length", Limits::hiddenSize));
    MOFO_TRY(m_model.intermediateSize, size("llama.feed_forward_length", Limits::intermediateSize));
    MOFO_TRY(m_model.headCount, size("llama.attention.head_count", Limits::heads));
    m_model.kvHeadCount = m_model.headCount;
    if (present("llama.attention.head_count_kv")) {
        MOFO_TRY(m_model.kvHeadCount, size("llama.attention.head_count_kv", Limits::heads));
    }
    if (present("llama.attention.key_length")) {
        MOFO_TRY(m_model.headSize, size("llama.attention.key_length", Limits::headSize));
        if (present("llama.attention.value_length")) {
            MOFO_TRY(const std::int64_t values, size("llama.attention.value_length", Limits::headSize));
            if (values != m_model.headSize)
                return unsupportedError("llama.attention.value_length", "values of another size than keys are not implemented");
        }
    } else {
        if (m_model.hiddenSize % m_model.headCount != 0) {
            return fieldError("llama.attention.head_count", "SEM",
                              std::to_string(m_model.headCount) + " heads do not divide the hidden size " + std::to_string(m_model.hiddenSize));
        }
        m_model.headSize = m_model.hiddenSize / m_model.headCount;
        MOFO_CHECK(checkSize("llama.attention.head_count", m_model.headSize, Limits::headSize));
    }
    MOFO_TRY(m_model.maxPositions, size("llama.context_length", INT64_MAX));
    MOFO_TRY(m_model.normEpsilon, m_file.getFloat("llama.attention.layer_norm_rms_epsilon"));
    if (present("llama.vocab_size")) {
        MOFO_TRY(m_model.vocabularySize, size("llama.vocab_size", Limits::vocabularySize));
    } else if (const TensorInfo* embedding = m_file.findTensor("token_embd.weight"); embedding != nullptr && embedding->shape.size() == 2) {
        m_model.vocabularySize = embedding->shape.front();
        MOFO_CHECK(checkSize("llama.vocab_size", m_model.vocabularySize, Limits::vocabularySize));
    } else {
        return fieldError("llama.vocab_size", "MISSING", "neither this key nor the tensor token_embd.weight says how large the vocabulary is");
    }
    m_model.tiedHead = m_file.findTensor("output.weight") == nullptr;
    m_model.attentionBias = m_file.findTensor("blk.0.attn_q.bias") != nullptr;
    m_model.mlpBias = m_file.findTensor("blk.0.ffn_gate.bias") != nullptr;
    return {};
}

Result<void> GgufDescriber::readRope() {
    if (present("llama.rope.freq_base")) {
        MOFO_TRY(m_model.rope.theta, m_file.getFloat("llama.rope.freq_base"));
    }
    if (!std::isfinite(m_model.rope.theta) || m_model.rope.theta <= 0)
        return fieldError("llama.rope.freq_base", "RANGE", formatShortest(m_model.rope.theta) + " is not positive");
    if (present("llama.rope.dimension_count")) {
        MOFO_TRY(const std::int64_t rotated, m_file.getInt("llama.rope.dimension_count"));
        if (rotated % 2 != 0)
            return fieldError("llama.rope.dimension_count", "SEM", std::to_string(rotated) + " is odd, so positions cannot be rotated in pairs");
        if (rotated != m_model.headSize)
            return unsupportedError("llama.rope.dimension_count", "rotating " + std::to_string(rotated) + " of " + std::to_string(m_model.headSize) +
                                                                      " dimensions of a head is not implemented");
    }
    std::string type = "none";
    if (present("llama.rope.scaling.type")) {
        MOFO_TRY(type, m_file.getString("llama.rope.scaling.type"));
    }
    double factor = 1;
    for (const char* key : {"llama.rope.scale_linear", "llama.rope.scaling.factor"}) {
        if (!present(key)) continue;
        MOFO_TRY(factor, m_file.getFloat(key));
        if (!std::isfinite(factor) || factor <= 0 || factor > 1e9) return fieldError(key, "RANGE", formatShortest(factor) + " is out of range");
        if (std::string_view(key) == "llama.rope.scale_linear") type = "linear";
    }
    if (type != "none" && type != "linear") {
        return unsupportedError("llama.rope.scaling.type", "positions scaled by \"" + escapeForDisplay(type.substr(0, 40)) + "\" are not implemented",
                                "Known: none, linear, and the rope_freqs of Llama 3");
    }
    if (type == "linear" && factor != 1) {
        m_model.rope.scaling = RopeDescription::Scaling::Linear;
        m_model.rope.factor = factor;
    }
    return m_file.findTensor("rope_freqs.weight") == nullptr ? Result<void>() : matchRopeFactors();
}

/// GGUF stores Llama 3's scaling as one divisor per frequency. It is turned back into the four numbers it was made from.
Result<void> GgufDescriber::matchRopeFactors() {
    const TensorInfo& tensor = *m_file.findTensor("rope_freqs.weight");
    const auto refusal = [](const char* tag, std::string message) {
        return Error{ErrorCode::InvalidInput, std::move(message), "tensor rope_freqs.weight", "Convert the model again", tag};
    };
    if (tensor.elementCount != m_model.headSize / 2)
        return refusal("SIZE", std::to_string(tensor.elementCount) + " divisors for " + std::to_string(m_model.headSize / 2) + " frequencies");
    std::vector<float> divisors(static_cast<std::size_t>(tensor.elementCount));
    MOFO_CHECK(m_file.readFloats(tensor, 0, divisors));
    if (std::any_of(divisors.begin(), divisors.end(), [](float d) { return !std::isfinite(d) || d <= 0; }))
        return refusal("RANGE", "a divisor is not positive");
    if (std::all_of(divisors.begin(), divisors.end(), [](float d) { return d == 1; })) return {};
    if (m_model.rope.scaling != RopeDescription::Scaling::None)
        return unsupportedError("llama.rope.scaling.type", "scaled positions together with rope_freqs are not implemented");

    RopeDescription rope = m_model.rope;
    rope.scaling = RopeDescription::Scaling::Llama3;
    rope.lowFrequencyFactor = 1;
    rope.highFrequencyFactor = 4;
    rope.factor = *std::max_element(divisors.begin(), divisors.end());
    for (const std::int64_t original : {std::int64_t{8192}, std::int64_t{4096}, std::int64_t{2048}, std::int64_t{16384}, std::int64_t{32768}}) {
        rope.originalLength = original;
        bool equal = true;
        for (std::size_t i = 0; i < divisors.size() && equal; ++i) {
            const double frequency = std::pow(rope.theta, -2.0 * static_cast<double>(i) / static_cast<double>(m_model.headSize));
            const double turns = static_cast<double>(original) * frequency / (2 * std::numbers::pi);  // in the original length
            double expected = 1;
            if (turns < rope.lowFrequencyFactor) {
                expected = rope.factor;
            } else if (turns <= rope.highFrequencyFactor) {
                const double smooth = (turns - rope.lowFrequencyFactor) / (rope.highFrequencyFactor - rope.lowFrequencyFactor);
                expected = 1 / ((1 - smooth) / rope.factor + smooth);
            }
            equal = std::abs(divisors[i] - expected) <= 1e-4 * expected;
        }
        if (equal) {
            m_model.rope = rope;
            return {};
        }
    }
    return Error{ErrorCode::Unsupported, "the divisors of the frequencies are not those of Llama 3, and no other scaling is implemented",
                 "tensor rope_freqs.weight", "Use the Hugging Face folder of the model", "unsupported"};
}

Result<void> GgufDescriber::readTokens() {
    if (present("tokenizer.ggml.bos_token_id")) {
        MOFO_TRY(m_model.bosId, m_file.getInt("tokenizer.ggml.bos_token_id"));
    }
    for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
        if (!present(key)) continue;
        MOFO_TRY(const std::int64_t id, m_file.getInt(key));
        if (std::find(m_model.eosIds.begin(), m_model.eosIds.end(), id) == m_model.eosIds.end()) m_model.eosIds.push_back(id);
    }
    if (present("tokenizer.ggml.padding_token_id")) {
        MOFO_TRY(const std::int64_t pad, m_file.getInt("tokenizer.ggml.padding_token_id"));
        if (pad >= 0 && pad < m_model.vocabularySize) {
            m_model.padId = pad;
        } else {
            m_warnings.push_back("the padding token " + std::to_string(pad) + " is not in the vocabulary and is ignored");
        }
    }
    return {};
}

Result<ModelDescription> GgufDescriber::read() {
    MOFO_TRY(m_model.family, m_file.getString("general.architecture"));
    const std::vector<std::string> known = knownFamilies();
    if (std::find(known.begin(), known.end(), m_model.family) == known.end()) {
        return unsupportedError("general.architecture",
                                "the architecture \"" + escapeForDisplay(m_model.family.substr(0, 80)) + "\" is unknown to this build",
                                "Known: " + joinText(known, ", "));
    }
    MOFO_CHECK(refuseWhatIsNotImplemented());
    MOFO_CHECK(readSizes());
    MOFO_CHECK(readRope());
    MOFO_CHECK(readTokens());
    const DescriptionKeys keys{
        "llama.attention.head_count", "llama.attention.head_count_kv", "llama.attention.key_length", "llama.attention.layer_norm_rms_epsilon",
        "llama.rope.freq_base",       "tokenizer.ggml.eos_token_id",   "tokenizer.ggml.bos_token_id"};
    MOFO_CHECK(checkDescription(m_model, keys, m_warnings));
    return std::move(m_model);
}

}  // namespace

Result<ModelDescription> describeGguf(const GgufFile& file, std::vector<std::string>* warnings) {
    std::vector<std::string> ignored;
    auto described = GgufDescriber(file, warnings != nullptr ? *warnings : ignored).read();
    if (!described.ok()) {
        Error error = std::move(described).error();
        const std::string path = escapeForDisplay(file.path().string());
        // Look-ups by the file itself have named it already.
        return error.where.starts_with(path) ? error : std::move(error).in(path);
    }
    return described;
}

std::string ggufNameOf(std::string_view hfName) {
    if (hfName == "model.embed_tokens.weight") return "token_embd.weight";
    if (hfName == "model.norm.weight") return "output_norm.weight";
    if (hfName == "lm_head.weight") return "output.weight";
    constexpr std::string_view prefix = "model.layers.";
    if (!hfName.starts_with(prefix)) return {};
    hfName.remove_prefix(prefix.size());
    const auto dot = hfName.find('.');
    const auto last = hfName.rfind('.');
    if (dot == std::string_view::npos || last <= dot) return {};
    const std::string_view layer = hfName.substr(0, dot);
    const std::string_view module = hfName.substr(dot + 1, last - dot - 1);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 9> names = {{
        {"self_attn.q_proj", "attn_q"},
        {"self_attn.k_proj", "attn_k"},
        {"self_attn.v_proj", "attn_v"},
        {"self_attn.o_proj", "attn_output"},
        {"mlp.gate_proj", "ffn_gate"},
        {"mlp.up_proj", "ffn_up"},
        {"mlp.down_proj", "ffn_down"},
        {"input_layernorm", "attn_norm"},
        {"post_attention_layernorm", "ffn_norm"},
    }};
    for (const auto& [ours, theirs] : names) {
        if (module == ours) return "blk." + std::string(layer) + "." + std::string(theirs) + std::string(hfName.substr(last));
    }
    return {};
}

}  // namespace mofo
