// Held-out loss: the mean negative log-likelihood of the trained tokens of rows that are not trained on.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/engine/decoder.h"
#include "core/text/dataset.h"

namespace mofo {

struct RowLosses {
    std::vector<double> nll;            ///< summed nats per row, in the order given
    std::vector<std::int64_t> targets;  ///< targets per row
    [[nodiscard]] double mean() const;  ///< nats per target over all rows
    [[nodiscard]] std::int64_t targetCount() const;
};

/// Computes row by row (rows do not see each other), several at a time within `tokenBudget`. `progress` 0..1; false cancels.
Result<RowLosses> computeRowLosses(const Decoder& decoder, std::span<const TokenRow> rows, c10::Device device,
                                   const std::function<bool(double)>& progress = {}, std::int64_t tokenBudget = 1024);

}  // namespace mofo
