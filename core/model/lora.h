// Low-rank adaptation (LoRA, arXiv 2106.09685): frozen weights W, and beside each linear one two small matrices that are trained. As a model its
// weight is W + scale B A.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/model/model_description.h"
#include "core/model/model_source.h"

namespace mofo {

struct LoraSettings {
    std::int64_t rank = 64;
    double alpha = 16;
    double dropout = 0.1;
    std::uint64_t seed = 42;
    /// What the product of B and A is multiplied with.
    [[nodiscard]] double scale() const { return alpha / static_cast<double>(rank); }
    [[nodiscard]] static LoraSettings from(const RunConfig& config);
};

/// What LoRA trains of a model: for each q, k, v, o, gate, up and down, in the model's order, A [rank, in] and then B [out, rank], named as PEFT
/// names them: model.layers.0.self_attn.q_proj.lora_A.weight. Kind and layer are those of the weight they adapt.
[[nodiscard]] std::vector<ParameterInfo> loraParameters(std::span<const ParameterInfo> parameters, std::int64_t rank);
/// Which parameter of the model each pair of loraParameters() adapts: its first number is that of the pair (0, 1, ...).
[[nodiscard]] std::vector<std::size_t> loraTargets(std::span<const ParameterInfo> parameters);
/// What a run of this configuration trains: the model's parameters, or those of LoRA.
[[nodiscard]] std::vector<ParameterInfo> trainedParameters(std::span<const ParameterInfo> parameters, const RunConfig& config);

/// A and B as they begin: A uniform in +-1/sqrt(in), which is Kaiming's with a = sqrt(5) as PEFT has it, drawn from (seed, name, index) alone; B
/// zero. `base` must outlive it.
[[nodiscard]] std::unique_ptr<ModelSource> openLora(const ModelSource& base, const LoraSettings& settings);

}  // namespace mofo
