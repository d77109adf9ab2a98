// The rows a run trains on and is evaluated on, and which of them each update takes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/text/dataset.h"

namespace mofo {

class TrainingData {
public:
    static Result<TrainingData> load(const RunConfig& config, const Tokenizer& tokenizer, const std::function<bool(double)>& progress);

    /// These rows as they are, none of them held out.
    static TrainingData of(TokenDataset data, const RunConfig& config) { return {std::move(data), config, 0}; }

    [[nodiscard]] const std::vector<TokenRow>& evalRows() const { return m_evalRows; }
    [[nodiscard]] std::int64_t rowCount() const { return static_cast<std::int64_t>(m_data.rows.size()); }
    /// Goes on after update `step`, by which `samples` rows of the stream were consumed (at first: 0 and 0). Fails (InvalidInput, RANGE) where
    /// that is not a position of this data.
    Result<void> startAfter(std::int64_t step, std::int64_t samples);
    /// config.steps, or the steps done before plus ceil(rows left of rows x epochs / batch).
    [[nodiscard]] std::int64_t totalSteps() const { return m_totalSteps; }
    /// The rows of update `step` (1-based, after the start), in order; the run's last batch may be short.
    [[nodiscard]] std::vector<const TokenRow*> batch(std::int64_t step) const;
    /// Tokens of the longest row.
    [[nodiscard]] std::int64_t longestRow() const;
    /// Of the updates of one epoch from `step` on, up to the last: the micro-batch of at most `microRows` rows with the most tokens.
    [[nodiscard]] std::vector<const TokenRow*> longestMicroBatch(std::int64_t step, std::int64_t microRows) const;
    /// Rows of the stream consumed by the updates up to `step`.
    [[nodiscard]] std::int64_t samplesAfter(std::int64_t step) const;
    /// Epochs begun and done after update `step`.
    [[nodiscard]] double epochAfter(std::int64_t step) const;
    /// What decides the rows and their order, texts all: sha256, rows, refused, tokens, held_out, eval_sha256, order, template.
    [[nodiscard]] Json fingerprints() const;
    /// Counts, hashes and left-out rows, for the store.
    [[nodiscard]] Json facts() const;
    /// One sentence for each thing a person should know (left-out rows, truncated rows ...).
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    TrainingData(TokenDataset data, const RunConfig& config, std::int64_t rowsWithEval);
    /// The row at a position of the stream.
    [[nodiscard]] std::uint64_t rowAt(std::int64_t position) const;
    [[nodiscard]] std::string orderName() const;
    TokenDataset m_data;
    std::vector<TokenRow> m_evalRows;
    std::optional<std::string> m_evalSha256;
    DataOrder m_order;
    std::int64_t m_groupRows = 0;  ///< of so many positions the rows are grouped by length; 0: none are
    std::uint64_t m_seed = 0;
    /// The group last asked for, rows in the order in which they are taken.
    mutable std::int64_t m_group = -1;
    mutable std::vector<std::uint64_t> m_grouped;
    std::string m_template = "none";
    std::int64_t m_batch = 1, m_fixedSteps = 0, m_totalSteps = 0, m_streamEnd = 0, m_heldOut = 0, m_maxLength = 0;
    std::int64_t m_startStep = 0, m_startSamples = 0;
};

}  // namespace mofo
