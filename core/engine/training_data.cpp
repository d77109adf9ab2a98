#include "core/engine/training_data.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "core/base/hash.h"
#include "core/base/mix.h"
#include "core/base/text.h"

namespace mofo {

namespace {

constexpr std::int64_t kBatchesGrouped = 32;

}  // namespace

TrainingData::TrainingData(TokenDataset data, const RunConfig& config, std::int64_t heldOut)
    : m_data(std::move(data)),
      m_order(m_data.rows.size(), config.seed, config.shuffle),
      m_batch(config.batch),
      m_heldOut(heldOut),
      m_maxLength(config.maxLength) {
    const auto rows = static_cast<std::int64_t>(m_data.rows.size());
    m_groupRows = config.groupByLength ? kBatchesGrouped * config.batch : 0;
    m_seed = static_cast<std::uint64_t>(config.seed);
    m_fixedSteps = config.steps;
    m_streamEnd = config.steps > 0 ? std::numeric_limits<std::int64_t>::max()
                                   : std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(static_cast<double>(rows) * config.epochs)));
    m_totalSteps = m_fixedSteps > 0 ? m_fixedSteps : (m_streamEnd + m_batch - 1) / m_batch;
}

Result<void> TrainingData::startAfter(std::int64_t step, std::int64_t samples) {
    if (step < 0 || samples < 0 || samples > m_streamEnd || (step == 0) != (samples == 0)) {
        return Error{ErrorCode::InvalidInput, "after step " + std::to_string(step) + " the data cannot be at row " + std::to_string(samples), "", "",
                     "RANGE"};
    }
    m_startStep = step;
    m_startSamples = samples;
    m_totalSteps = m_fixedSteps > 0 ? m_fixedSteps : step + (m_streamEnd - samples + m_batch - 1) / m_batch;
    return {};
}

Result<TrainingData> TrainingData::load(const RunConfig& config, const Tokenizer& tokenizer, const std::function<bool(double)>& progress) {
    MOFO_TRY(const std::optional<ChatTemplate> chatTemplate, chooseChatTemplate(tokenizer, config.chatTemplate));
    const ChatTemplate* chosen = chatTemplate ? &*chatTemplate : nullptr;
    MOFO_TRY(TokenDataset data, loadTokenDataset(config.data, config.columns, tokenizer, chosen, config.maxLength, progress));
    std::vector<TokenRow> evalRows;
    std::optional<std::string> evalSha256;
    std::int64_t heldOut = 0;
    if (!config.evalData.empty()) {
        MOFO_TRY(TokenDataset held, loadTokenDataset(config.evalData, config.columns, tokenizer, chosen, config.maxLength, {}));
        evalRows = std::move(held.rows);
        evalSha256 = held.sha256;
    } else if (const double split = effectiveEvalSplit(config); split > 0) {
        const auto rows = static_cast<std::int64_t>(data.rows.size());
        heldOut = std::clamp<std::int64_t>(std::llround(split * static_cast<double>(rows)), 1, rows);
        if (heldOut >= rows) {
            return Error{ErrorCode::InvalidInput,
                         "holding out " + formatShortest(split) + " of " + std::to_string(rows) + " rows leaves nothing to train on",
                         escapeForDisplay(config.data), "Lower eval_split or give eval_data", "ROWS"};
        }
        evalRows.assign(std::make_move_iterator(data.rows.end() - heldOut), std::make_move_iterator(data.rows.end()));
        data.rows.resize(static_cast<std::size_t>(rows - heldOut));
    }
    TrainingData result(std::move(data), config, heldOut);
    result.m_evalRows = std::move(evalRows);
    result.m_evalSha256 = std::move(evalSha256);
    if (chatTemplate) result.m_template = chatTemplate->name();
    return result;
}

std::uint64_t TrainingData::rowAt(std::int64_t position) const {
    if (m_groupRows == 0) return m_order.rowAt(static_cast<std::uint64_t>(position));
    const std::int64_t group = position / m_groupRows, begin = group * m_groupRows;
    if (group != m_group) {
        std::vector<std::uint64_t> rows;
        for (std::int64_t at = begin; at < std::min(begin + m_groupRows, m_streamEnd); ++at)
            rows.push_back(m_order.rowAt(static_cast<std::uint64_t>(at)));
        std::stable_sort(rows.begin(), rows.end(),
                         [&](std::uint64_t a, std::uint64_t b) { return m_data.rows[a].ids.size() < m_data.rows[b].ids.size(); });
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

std::string TrainingData::orderName() const {
    return m_groupRows == 0 ? std::string(DataOrder::kAlgorithm)
                            : std::string(DataOrder::kAlgorithm) + ", by length in " + std::to_string(m_groupRows);
}

std::vector<const TokenRow*> TrainingData::batch(std::int64_t step) const {
    std::vector<const TokenRow*> rows;
    for (std::int64_t position = samplesAfter(step - 1); position < samplesAfter(step); ++position) {
        rows.push_back(&m_data.rows[rowAt(position)]);
    }
    return rows;
}

std::int64_t TrainingData::longestRow() const {
    std::size_t longest = 0;
    for (const TokenRow& row : m_data.rows) longest = std::max(longest, row.ids.size());
    return static_cast<std::int64_t>(longest);
}

std::vector<const TokenRow*> TrainingData::longestMicroBatch(std::int64_t step, std::int64_t microRows) const {
    const std::int64_t epoch = (rowCount() + m_batch - 1) / m_batch;
    std::vector<const TokenRow*> longest;
    std::size_t most = 0;
    for (std::int64_t at = step; at <= std::min(m_totalSteps, step + epoch - 1); ++at) {
        const std::vector<const TokenRow*> rows = batch(at);
        for (std::size_t begin = 0; begin < rows.size(); begin += static_cast<std::size_t>(microRows)) {
            const auto first = rows.begin() + static_cast<std::ptrdiff_t>(begin);
            std::vector<const TokenRow*> some(first, first + std::min<std::ptrdiff_t>(microRows, rows.end() - first));
            std::size_t tokens = 0;
            for (const TokenRow* row : some) tokens += row->ids.size();
            if (tokens <= most) continue;
            most = tokens;
            longest = std::move(some);
        }
    }
    return longest;
}

std::int64_t TrainingData::samplesAfter(std::int64_t step) const { return std::min(m_startSamples + (step - m_startStep) * m_batch, m_streamEnd); }

double TrainingData::epochAfter(std::int64_t step) const { return static_cast<double>(samplesAfter(step)) / static_cast<double>(m_data.rows.size()); }

Json TrainingData::fingerprints() const {
    Sha256 refused, tokens;
    for (const RefusedRow& row : m_data.refused) refused.update(std::to_string(row.line) + "\n");
    const auto addRows = [&](const std::vector<TokenRow>& rows) {
        for (const TokenRow& row : rows) {
            const std::uint64_t length = row.ids.size();
            tokens.update(std::as_bytes(std::span(&length, 1)));
            tokens.update(std::as_bytes(std::span(row.ids)));
            tokens.update(std::as_bytes(std::span(row.trained)));
        }
    };
    addRows(m_data.rows);
    return {{"sha256", m_data.sha256},
            {"rows", std::to_string(m_data.rows.size())},
            {"refused", std::to_string(m_data.refusedCount) + ", " + refused.hex().substr(0, 12)},
            {"tokens", tokens.hex()},
            {"held_out", std::to_string(m_heldOut)},
            {"eval_sha256", m_evalSha256.value_or("none")},
            {"order", orderName()},
            {"template", m_template}};
}

Json TrainingData::facts() const {
    Json refused = Json::array();
    for (const RefusedRow& row : m_data.refused) {
        if (refused.size() >= 100) break;
        refused.push_back({{"line", row.line}, {"reason", row.reason}});
    }
    Json facts = {{"sha256", m_data.sha256},
                  {"format", m_data.formatName},
                  {"file_rows", m_data.fileRows},
                  {"rows", m_data.rows.size()},
                  {"eval_rows", m_evalRows.size()},
                  {"held_out_rows", m_heldOut},
                  {"refused", m_data.refusedCount},
                  {"refused_rows", refused},
                  {"truncated", m_data.truncatedCount},
                  {"truncated_lines", m_data.truncatedLines},
                  {"zero_target", m_data.zeroTargetCount},
                  {"zero_target_lines", m_data.zeroTargetLines},
                  {"special_in_text", m_data.specialInTextCount},
                  {"order", orderName()}};
    if (m_evalSha256) facts["eval_sha256"] = *m_evalSha256;
    return facts;
}

std::vector<std::string> TrainingData::warnings() const {
    std::vector<std::string> out;
    if (m_data.refusedCount > 0) {
        std::string text = formatCount(static_cast<std::int64_t>(m_data.refusedCount)) + " of " +
                           formatCount(static_cast<std::int64_t>(m_data.fileRows)) + " rows were left out";
        if (!m_data.refused.empty())
            text += ", the first in line " + std::to_string(m_data.refused.front().line) + ": " + m_data.refused.front().reason;
        out.push_back(std::move(text));
    }
    if (m_data.zeroTargetCount > 0) {
        out.push_back(formatCount(static_cast<std::int64_t>(m_data.zeroTargetCount)) +
                      " rows have nothing to train on; they keep their place and add nothing" +
                      (m_data.zeroTargetLines.empty() ? std::string() : ", the first in line " + std::to_string(m_data.zeroTargetLines.front())));
    }
    if (m_data.truncatedCount > 0) {
        out.push_back(formatCount(static_cast<std::int64_t>(m_data.truncatedCount)) + " rows were cut to " + std::to_string(m_maxLength) +
                      " tokens (max_length)");
    }
    if (m_data.specialInTextCount > 0)
        out.push_back(formatCount(static_cast<std::int64_t>(m_data.specialInTextCount)) +
                      " rows spell a special token in their text; it became that token");
    if (m_heldOut > 0) out.push_back("the last " + formatCount(m_heldOut) + " rows are held out for evaluation");
    return out;
}

}  // namespace mofo
