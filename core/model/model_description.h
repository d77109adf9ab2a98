// A model architecture as data: what the decoder, the importer and the partitions read. New families are new descriptions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace mofo {

class GgufFile;

/// Rotary position embedding. Llama-3 scaling as in Transformers' _compute_llama3_parameters.
struct RopeDescription {
    enum class Scaling { None, Linear, Llama3 };
    double theta = 10000.0;
    Scaling scaling = Scaling::None;
    double factor = 1.0;
    double lowFrequencyFactor = 1.0;
    double highFrequencyFactor = 4.0;
    std::int64_t originalLength = 8192;
};

enum class NormKind { Rms };
enum class MlpKind { GatedSilu };

/// Everything the decoder needs to know. Part 1: the Llama family (Llama 2/3, SmolLM2, TinyLlama).
struct ModelDescription {
    std::string family;  ///< "llama"
    std::int64_t vocabularySize = 0;
    std::int64_t hiddenSize = 0;
    std::int64_t intermediateSize = 0;
    std::int64_t layerCount = 0;
    std::int64_t headCount = 0;
    std::int64_t kvHeadCount = 0;
    std::int64_t headSize = 0;
    std::int64_t maxPositions = 0;
    double normEpsilon = 1e-5;
    NormKind norm = NormKind::Rms;
    MlpKind mlp = MlpKind::GatedSilu;
    RopeDescription rope;
    bool attentionBias = false;  ///< described so that it can be refused by name: the decoder has no biases
    bool mlpBias = false;
    bool tiedHead = true;
    std::vector<std::int64_t> eosIds;
    std::optional<std::int64_t> bosId;
    std::optional<std::int64_t> padId;

    [[nodiscard]] std::int64_t parameterCount() const;
};

/// What a parameter is for: decides filtering by kind, alpha per kind, head partitions, and the rows of the selection map.
enum class ModuleKind { Embedding, Query, Key, Value, Output, Gate, Up, Down, Norm, Head };
[[nodiscard]] std::string_view moduleKindName(ModuleKind kind);  ///< "embed", "q", "k", "v", "o", "gate", "up", "down", "norm", "head"

struct ParameterInfo {
    std::string name;                 ///< Hugging Face name: model.layers.0.self_attn.q_proj.weight
    std::vector<std::int64_t> shape;  ///< [out, in] for matrices
    ModuleKind kind = ModuleKind::Norm;
    std::int64_t layer = -1;  ///< -1: embedding, final norm, head
    /// Product of the shape.
    [[nodiscard]] std::int64_t elementCount() const;
};

/// All parameters in the order of Transformers' named_parameters() (tied head left out).
[[nodiscard]] std::vector<ParameterInfo> parametersOf(const ModelDescription& model);

/// From a parsed config.json. Every field is range-checked (corpus C of reliability.md); an unknown model_type, activation,
/// rope type or quantisation is Unsupported (tag "unsupported"), named, with the list of what is known. What is odd but does not
/// stop us is appended to `warnings`. Errors name the key in `where`, not the file.
Result<ModelDescription> describeHfConfig(const Json& config, std::vector<std::string>* warnings = nullptr);
/// From GGUF metadata (general.architecture, llama.*) and the presence of output.weight and rope_freqs.weight.
Result<ModelDescription> describeGguf(const GgufFile& file, std::vector<std::string>* warnings = nullptr);
/// The name llama.cpp gives to a Hugging Face parameter of the family ("blk.0.attn_q.weight"), or empty.
[[nodiscard]] std::string ggufNameOf(std::string_view hfName);
/// config.json such that Transformers' AutoConfig (4.x and 5.x) builds the same model. dtype: "float32", "bfloat16", "float16".
[[nodiscard]] Json hfConfigOf(const ModelDescription& model, std::string_view dtype);
/// The families this build knows, for messages and `mofo doctor --models`.
[[nodiscard]] std::vector<std::string> knownFamilies();
/// random:smollm2 and random:llama-1b: shapes for benchmarks. NotFound otherwise, with the list.
Result<ModelDescription> describeRandom(std::string_view name);

}  // namespace mofo
