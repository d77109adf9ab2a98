// Half fine-tuning (HFT, arXiv 2404.18466): in each round a random half of every layer is frozen, the rest takes AdamW's step.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/model/model_description.h"

namespace mofo {

/// Which tensors are frozen in round `round` (from 0). As in the paper the half is drawn category by category: of each layer's attention matrices, of
/// its MLP matrices and of its norms. Of a category with an odd count (three MLP matrices) every second layer, in an order drawn too, freezes the
/// larger half. Tensors of no layer (embedding, final norm, head) are never frozen. Depends on seed, round and names alone, so that resumed and
/// repeated runs draw the same.
[[nodiscard]] std::vector<bool> frozenTensors(std::span<const ParameterInfo> parameters, std::uint64_t seed, std::int64_t round);

/// The round of update `step` (from 1), with `every` (at least 1) steps to a round.
[[nodiscard]] inline std::int64_t hftRound(std::int64_t step, std::int64_t every) { return (step - 1) / every; }

}  // namespace mofo
