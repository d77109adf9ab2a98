// The partitions within which MoFO selects (mofo.md, "Partition granularity"), as data for the kernels.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/model/model_description.h"

namespace mofo {

/// `rows` pieces of `length` consecutive elements of a parameter, `stride` apart; contiguous: rows == 1 and stride == length.
struct Slice {
    std::int32_t parameter = 0;
    std::int64_t begin = 0;
    std::int64_t rows = 1;
    std::int64_t length = 0;
    std::int64_t stride = 0;
    friend bool operator==(const Slice&, const Slice&) = default;
};

struct Partition {
    std::int32_t layer = -1;         ///< -1: belongs to no single layer
    std::optional<ModuleKind> kind;  ///< of its tensor, where all of it lies in one
    std::vector<Slice> slices;       ///< at least one, in the order of the parameters
    std::int64_t elementCount = 0;   ///< at least 1
};

/// Every element of every filtered parameter is in exactly one partition, no element of another one in any. Partitions come in the
/// order of their first parameter. Of an attention head q, k and v give rows, o gives columns; k and v have kv heads. Usage for head
/// where the model has no heads, and, naming a block size that would do, where there were more than 4 million partitions.
Result<std::vector<Partition>> partitionsOf(const ModelDescription& model, std::span<const ParameterInfo> parameters, const Granularity& granularity,
                                            const std::vector<bool>& filtered);

/// "model", "layer 3", "layer 3 attention", "model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight head 2". Made when
/// asked for: row and block have too many to keep.
[[nodiscard]] std::string partitionName(const Partition& partition, std::span<const ParameterInfo> parameters, const Granularity& granularity);

/// Which parameters MoFO filters: by the paper's rule all but those whose name has `norm` or `bias`; `includePattern`, if not empty,
/// chooses instead; `excludePattern` takes away from either (core/config/name_pattern.h).
[[nodiscard]] std::vector<bool> filteredParameters(std::span<const ParameterInfo> parameters, std::string_view includePattern,
                                                   std::string_view excludePattern);
/// What of `config` depends on the model, before a run starts: Usage where filter_include or row_counts match no parameter, where nothing is left
/// to select in, and what partitionsOf refuses.
Result<void> checkMethod(const RunConfig& config, const ModelDescription& model, std::span<const ParameterInfo> parameters);
/// Which parameters weight decay and the pulls to the pretrained weights reach: all but those whose name has `norm` or `ln_f`.
[[nodiscard]] std::vector<bool> decayedParameters(std::span<const ParameterInfo> parameters);

}  // namespace mofo
