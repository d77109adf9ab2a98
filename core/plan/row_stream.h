// Which rows each update of a run takes, told from their lengths alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/plan/memory_plan.h"
#include "core/text/dataset.h"

namespace mofo {

/// One stream of rows over the epochs, cut into updates of `batch` rows: a pure function of the lengths and of seed, shuffle, group_by_length, batch,
/// steps and epochs. Not thread safe.
class RowStream {
public:
    /// `lengths`: tokens of every row that is trained on, in file order.
    RowStream(std::vector<std::uint32_t> lengths, const RunConfig& config);

    /// Goes on after update `step`, by which `samples` rows were consumed (at first: 0 and 0). InvalidInput, RANGE, where that is not a position.
    Result<void> startAfter(std::int64_t step, std::int64_t samples);
    /// config.steps, or the steps done before plus ceil(rows left of rows x epochs / batch).
    [[nodiscard]] std::int64_t totalSteps() const { return m_totalSteps; }
    /// Rows consumed by the updates up to `step`.
    [[nodiscard]] std::int64_t samplesAfter(std::int64_t step) const;
    /// Row numbers of update `step` (1-based, after the start), in order; the run's last batch may be short.
    [[nodiscard]] std::vector<std::uint64_t> batch(std::int64_t step) const;
    /// Of the updates of one epoch from `step` on, up to the last: the micro-batch of at most `microRows` rows with the most tokens.
    [[nodiscard]] std::vector<std::uint64_t> longestMicroBatch(std::int64_t step, std::int64_t microRows) const;
    /// As checkpoints store it.
    [[nodiscard]] std::string orderName() const;

private:
    /// The row at a position of the stream.
    [[nodiscard]] std::uint64_t rowAt(std::int64_t position) const;
    std::vector<std::uint32_t> m_lengths;
    DataOrder m_order;
    std::int64_t m_groupRows = 0;  ///< of so many positions the rows are grouped by length; 0: none are
    std::uint64_t m_seed = 0;
    /// The group last asked for, rows in the order in which they are taken.
    mutable std::int64_t m_group = -1;
    mutable std::vector<std::uint64_t> m_grouped;
    std::int64_t m_batch = 1, m_fixedSteps = 0, m_totalSteps = 0, m_streamEnd = 0, m_startStep = 0, m_startSamples = 0;
};

/// What a forecast wants to know of all rows of a data file, `lengths` tokens each; those that the run holds out are left out.
[[nodiscard]] BatchLengths batchLengths(std::vector<std::uint32_t> lengths, const RunConfig& config);

}  // namespace mofo
