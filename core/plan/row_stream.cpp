#include "core/plan/row_stream.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/mix.h"

namespace mofo {

namespace {

constexpr std::int64_t kBatchesGrouped = 32;

}  // namespace

RowStream::RowStream(std::vector<std::uint32_t> lengths, const RunConfig& config)
    : m_lengths(std::move(lengths)), m_order(m_lengths.size(), config.seed, config.shuffle), m_batch(config.batch) {
    m_groupRows = config.groupByLength ? kBatchesGrouped * config.batch : 0;
    m_seed = static_cast<std::uint64_t>(config.seed);
    m_fixedSteps = config.steps;
    m_streamEnd = config.steps > 0
                      ? std::numeric_limits<std::int64_t>::max()
                      : std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(static_cast<double>(m_lengths.size()) * config.epochs)));
    m_totalSteps = m_fixedSteps > 0 ? m_fixedSteps : (m_streamEnd + m_batch - 1) / m_batch;
}

Result<void> RowStream::startAfter(std::int64_t step, std::int64_t samples) {
    if (step < 0 || samples < 0 || samples > m_streamEnd || (step == 0) != (samples == 0)) {
        return Error{ErrorCode::InvalidInput, "after step " + std::to_string(step) + " the data cannot be at row " + std::to_string(samples), "", "",
                     "RANGE"};
    }
    m_startStep = step;
    m_startSamples = samples;
    m_totalSteps = m_fixedSteps > 0 ? m_fixedSteps : step + (m_streamEnd - samples + m_batch - 1) / m_batch;
    return {};
}

std::int64_t RowStream::samplesAfter(std::int64_t step) const { return std::min(m_startSamples + (step - m_startStep) * m_batch, m_streamEnd); }

std::uint64_t RowStream::rowAt(std::int64_t position) const {
    if (m_groupRows == 0) return m_order.rowAt(static_cast<std::uint64_t>(position));
    const std::int64_t group = position / m_groupRows, begin = group * m_groupRows;
    if (group != m_group) {
        std::vector<std::uint64_t> rows;
        for (std::int64_t at = begin; at < std::min(begin + m_groupRows, m_streamEnd); ++at)
            rows.push_back(m_order.rowAt(static_cast<std::uint64_t>(at)));
        std::stable_sort(rows.begin(), rows.end(), [&](std::uint64_t a, std::uint64_t b) { return m_lengths[a] < m_lengths[b]; });
        // Whole batches in a drawn order (Fisher-Yates); what is left over of the last group comes last.
        const auto batchRows = static_cast<std::size_t>(m_batch);
        std::vector<std::size_t> batches(rows.size() / batchRows);
        std::iota(batches.begin(), batches.end(), std::size_t{0});
        const std::uint64_t ofGroup = splitMix(splitMix(m_seed) + static_cast<std::uint64_t>(group));
        for (std::size_t i = batches.size(); i > 1; --i) std::swap(batches[i - 1], batches[splitMix(ofGroup + i) % i]);
        m_grouped.clear();
        for (const std::size_t batch : batches)
            m_grouped.insert(m_grouped.end(), rows.begin() + static_cast<std::ptrdiff_t>(batch * batchRows),
                             rows.begin() + static_cast<std::ptrdiff_t>((batch + 1) * batchRows));
        m_grouped.insert(m_grouped.end(), rows.begin() + static_cast<std::ptrdiff_t>(batches.size() * batchRows), rows.end());
        m_group = group;
    }
    return m_grouped[static_cast<std::size_t>(position - begin)];
}

std::vector<std::uint64_t> RowStream::batch(std::int64_t step) const {
    std::vector<std::uint64_t> rows;
    for (std::int64_t position = samplesAfter(step - 1); position < samplesAfter(step); ++position) rows.push_back(rowAt(position));
    return rows;
}

std::vector<std::uint64_t> RowStream::longestMicroBatch(std::int64_t step, std::int64_t microRows) const {
    const std::int64_t epoch = (static_cast<std::int64_t>(m_lengths.size()) + m_batch - 1) / m_batch;
    std::vector<std::uint64_t> longest;
    std::uint64_t most = 0;
    for (std::int64_t at = step; at <= std::min(m_totalSteps, step + epoch - 1); ++at) {
        const std::vector<std::uint64_t> rows = batch(at);
        for (std::size_t begin = 0; begin < rows.size(); begin += static_cast<std::size_t>(microRows)) {
            const auto first = rows.begin() + static_cast<std::ptrdiff_t>(begin);
            const auto last = first + std::min<std::ptrdiff_t>(microRows, rows.end() - first);
            const std::uint64_t tokens =
                std::accumulate(first, last, std::uint64_t{0}, [&](std::uint64_t sum, std::uint64_t row) { return sum + m_lengths[row]; });
            if (tokens <= most) continue;
            most = tokens;
            longest.assign(first, last);
        }
    }
    return longest;
}

std::string RowStream::orderName() const {
    return m_groupRows == 0 ? std::string(DataOrder::kAlgorithm)
                            : std::string(DataOrder::kAlgorithm) + ", by length in " + std::to_string(m_groupRows);
}

BatchLengths batchLengths(std::vector<std::uint32_t> lengths, const RunConfig& config) {
    BatchLengths out;
    lengths.resize(static_cast<std::size_t>(planSteps(config, static_cast<std::int64_t>(lengths.size())).trainRows));
    for (const std::uint32_t length : lengths) out.longestRow = std::max<std::int64_t>(out.longestRow, length);
    if (lengths.empty()) return out;
    const RowStream stream(lengths, config);
    for (const std::uint64_t row : stream.longestMicroBatch(1, effectiveMicroBatch(config))) out.microBatchTokens += lengths[row];
    return out;
}

}  // namespace mofo
