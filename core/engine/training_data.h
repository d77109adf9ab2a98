// The rows a run trains on and is evaluated on, and which of them each update takes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/plan/row_stream.h"
#include "core/text/dataset.h"

namespace mofo {

class TrainingData {
public:
    static Result<TrainingData> load(const RunConfig& config, const Tokenizer& tokenizer, const std::function<bool(double)>& progress);

    /// These rows as they are, none of them held out.
    static TrainingData of(TokenDataset data, const RunConfig& config) { return {std::move(data), config, 0}; }

    [[nodiscard]] const std::vector<TokenRow>& evalRows() const { return m_evalRows; }
    [[nodiscard]] std::int64_t rowCount() const { return static_cast<std::int64_t>(m_data.rows.size()); }
    /// Position, steps and rows: as RowStream tells them.
    Result<void> startAfter(std::int64_t step, std::int64_t samples) { return m_stream.startAfter(step, samples); }
    [[nodiscard]] std::int64_t totalSteps() const { return m_stream.totalSteps(); }
    [[nodiscard]] std::int64_t samplesAfter(std::int64_t step) const { return m_stream.samplesAfter(step); }
    [[nodiscard]] std::vector<const TokenRow*> batch(std::int64_t step) const { return rowsAt(m_stream.batch(step)); }
    [[nodiscard]] std::vector<const TokenRow*> longestMicroBatch(std::int64_t step, std::int64_t microRows) const {
        return rowsAt(m_stream.longestMicroBatch(step, microRows));
    }
    /// Of the updates from `step` on, with micro-batches of so many rows.
    [[nodiscard]] BatchLengths lengths(std::int64_t step, std::int64_t microRows) const;
    /// Epochs begun and done after update `step`.
    [[nodiscard]] double epochAfter(std::int64_t step) const;
    /// What decides the rows and their order, texts all: sha256, rows, refused, tokens, held_out, eval_sha256, order, template.
    [[nodiscard]] Json fingerprints() const;
    /// Counts, hashes and left-out rows, for the store.
    [[nodiscard]] Json facts() const;
    /// One sentence for each thing a person should know (left-out rows, truncated rows ...).
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    TrainingData(TokenDataset data, const RunConfig& config, std::int64_t heldOut);
    [[nodiscard]] std::vector<const TokenRow*> rowsAt(const std::vector<std::uint64_t>& numbers) const;
    TokenDataset m_data;
    std::vector<TokenRow> m_evalRows;
    std::optional<std::string> m_evalSha256;
    RowStream m_stream;
    std::string m_template = "none";
    std::int64_t m_heldOut = 0, m_maxLength = 0;
};

}  // namespace mofo
