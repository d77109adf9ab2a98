#include "core/engine/training_data.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/base/hash.h"
#include "core/base/text.h"

namespace mofo {

namespace {

std::vector<std::uint32_t> lengthsOf(const std::vector<TokenRow>& rows) {
    std::vector<std::uint32_t> lengths;
    lengths.reserve(rows.size());
    for (const TokenRow& row : rows) lengths.push_back(static_cast<std::uint32_t>(row.ids.size()));
    return lengths;
}

}  // namespace

TrainingData::TrainingData(TokenDataset data, const RunConfig& config, std::int64_t heldOut)
    : m_data(std::move(data)), m_stream(lengthsOf(m_data.rows), config), m_heldOut(heldOut), m_maxLength(config.maxLength) {}

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

std::vector<const TokenRow*> TrainingData::rowsAt(const std::vector<std::uint64_t>& numbers) const {
    std::vector<const TokenRow*> rows;
    for (const std::uint64_t number : numbers) rows.push_back(&m_data.rows[number]);
    return rows;
}

BatchLengths TrainingData::lengths(std::int64_t step, std::int64_t microRows) const {
    BatchLengths lengths;
    for (const TokenRow& row : m_data.rows) lengths.longestRow = std::max(lengths.longestRow, static_cast<std::int64_t>(row.ids.size()));
    for (const TokenRow* row : longestMicroBatch(step, microRows)) lengths.microBatchTokens += static_cast<std::int64_t>(row->ids.size());
    return lengths;
}

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
            {"order", m_stream.orderName()},
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
                  {"order", m_stream.orderName()}};
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
