// Rows laid end to end without padding: what one forward pass works on.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/config/run_config.h"
#include "core/text/dataset.h"

namespace mofo {

/// R rows of T tokens in all. Position p predicts the token at p + 1 of the same row; a row's positions restart at 0, and rows do not
/// see each other.
struct PackedBatch {
    at::Tensor ids;                         ///< [T] int64
    std::vector<std::int64_t> rowStart;     ///< R + 1 offsets into ids
    at::Tensor targetPositions;             ///< [N] int64: positions whose successor is a trained token
    at::Tensor targets;                     ///< [N] int64: those successors
    at::Tensor weights;                     ///< [N] fp32: share of each target in the loss; 1 from packRows
    std::vector<std::int64_t> targetStart;  ///< R + 1 offsets into targets
    std::vector<std::int64_t> rowNumber;    ///< of each row, among those that were packed, or of the whole update

    [[nodiscard]] std::int64_t rowCount() const { return static_cast<std::int64_t>(rowStart.size()) - 1; }
    [[nodiscard]] std::int64_t tokenCount() const { return rowStart.back(); }
    [[nodiscard]] std::int64_t targetCount() const { return targetStart.back(); }
    [[nodiscard]] PackedBatch to(c10::Device device) const;
};

/// The place of each token in its row: [T] int64.
[[nodiscard]] at::Tensor rowPositions(const PackedBatch& batch, c10::Device device);
[[nodiscard]] PackedBatch packRows(std::span<const TokenRow* const> rows);

/// The rows of one update in micro-batches of `microRows`, with weights that make the sum of weights * nll the step's loss: the mean over
/// all targets of the step (token), over rows of their means (sample), or over micro-batches of theirs (micro_batch: the paper's). Rows
/// without a target are left out, and so is a micro-batch of nothing else.
[[nodiscard]] std::vector<PackedBatch> packMicroBatches(std::span<const TokenRow* const> rows, std::int64_t microRows, LossMean mean);

}  // namespace mofo
