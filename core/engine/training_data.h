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

    [[nodiscard]] const std::vector<TokenRow>& evalRows() const { return m_evalRows; }
    [[nodiscard]] std::int64_t rowCount() const { return static_cast<std::int64_t>(m_data.rows.size()); }
    /// config.steps, or ceil(rows x epochs / batch).
    [[nodiscard]] std::int64_t totalSteps() const { return m_totalSteps; }
    /// The rows of update `step` (1-based), in order; the run's last batch may be short.
    [[nodiscard]] std::vector<const TokenRow*> batch(std::int64_t step) const;
    /// Epochs begun and done after update `step`.
    [[nodiscard]] double epochAfter(std::int64_t step) const;
    /// Counts, hashes and left-out rows, for the store.
    [[nodiscard]] Json facts() const;
    /// One sentence for each thing a person should know (left-out rows, truncated rows ...).
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    TrainingData(TokenDataset data, const RunConfig& config, std::int64_t rowsWithEval);
    TokenDataset m_data;
    std::vector<TokenRow> m_evalRows;
    std::optional<std::string> m_evalSha256;
    DataOrder m_order;
    std::int64_t m_batch = 1, m_totalSteps = 0, m_streamEnd = 0, m_heldOut = 0, m_maxLength = 0;
};

}  // namespace mofo
