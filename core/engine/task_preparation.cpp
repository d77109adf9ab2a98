// Items as tokens.
#include <algorithm>

#include "core/base/text.h"
#include "core/engine/task_evaluation.h"

namespace mofo {

namespace {

Error refuse(std::string tag, std::string message) { return Error{ErrorCode::InvalidInput, std::move(message), "", "", std::move(tag)}; }

/// What the tokenizer puts before every text of the model.
Result<std::vector<TokenId>> prefixOf(const Tokenizer& tokenizer) {
    MOFO_TRY(const Encoding with, tokenizer.encode("a", true));
    MOFO_TRY(const Encoding without, tokenizer.encode("a", false));
    if (!tokenizer.bosId() || with.ids.empty() || with.ids.front() != *tokenizer.bosId() || with.ids.size() <= without.ids.size())
        return std::vector<TokenId>();
    return std::vector<TokenId>{*tokenizer.bosId()};
}

class Preparer {
public:
    Preparer(const Tokenizer& tokenizer, const ChatTemplate* chatTemplate, std::int64_t maxPositions, const TaskDescription& task)
        : m_tokenizer(tokenizer), m_template(chatTemplate), m_longest(maxPositions > 0 ? std::min(maxPositions, task.maxTokens) : task.maxTokens) {}

    Result<void> start() {
        MOFO_TRY(m_prefix, prefixOf(m_tokenizer));
        return {};
    }

    Result<TokenRow> continuation(std::string prompt, std::string continuation, std::uint64_t line) const {
        std::size_t end = prompt.size();
        while (end > 0 && (prompt[end - 1] == ' ' || prompt[end - 1] == '\n' || prompt[end - 1] == '\t' || prompt[end - 1] == '\r')) --end;
        continuation.insert(0, prompt, end);
        prompt.resize(end);
        MOFO_TRY(const Encoding before, m_tokenizer.encode(prompt, false));
        MOFO_TRY(const Encoding all, m_tokenizer.encode(prompt + continuation, false));
        std::vector<TokenId> ids = m_prefix;
        if (ids.empty() && before.ids.empty()) {
            MOFO_TRY(const TokenId first, firstOfText());
            ids.push_back(first);
        }
        const std::size_t contextCount = ids.size() + std::min(before.ids.size(), all.ids.size());
        ids.insert(ids.end(), all.ids.begin(), all.ids.end());
        TokenRow row;
        row.line = line;
        row.trained.assign(ids.size(), 0);
        std::fill(row.trained.begin() + static_cast<std::ptrdiff_t>(contextCount), row.trained.end(), std::uint8_t{1});
        row.ids = std::move(ids);
        const auto excess = static_cast<std::int64_t>(row.ids.size()) - m_longest;
        if (excess > 0) {
            if (excess >= static_cast<std::int64_t>(contextCount)) {
                return refuse("LIMIT", "the text behind the prompt has " + std::to_string(row.ids.size() - contextCount) + " tokens, and at most " +
                                           std::to_string(m_longest) + " are read at once");
            }
            row.ids.erase(row.ids.begin(), row.ids.begin() + excess);
            row.trained.erase(row.trained.begin(), row.trained.begin() + excess);
            row.truncated = true;
        }
        return row;
    }

    /// A text in windows; each but the first begins with the last token of the one before, which is not counted again.
    Result<std::vector<TokenRow>> document(const std::string& text, std::uint64_t line) const {
        MOFO_TRY(const Encoding encoding, m_tokenizer.encode(text, false));
        MOFO_TRY(const TokenId first, firstOfText());
        std::vector<TokenId> ids{first};
        ids.insert(ids.end(), encoding.ids.begin(), encoding.ids.end());
        std::vector<TokenRow> rows;
        for (std::size_t begin = 0; begin + 1 < ids.size(); begin += static_cast<std::size_t>(m_longest) - 1) {
            TokenRow row;
            row.line = line;
            const std::size_t end = std::min(ids.size(), begin + static_cast<std::size_t>(m_longest));
            row.ids.assign(ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.begin() + static_cast<std::ptrdiff_t>(end));
            row.trained.assign(row.ids.size(), 1);
            row.trained.front() = 0;
            rows.push_back(std::move(row));
        }
        if (rows.empty()) return refuse("EMPTY", "the text has no token");
        return rows;
    }

    Result<std::vector<TokenId>> question(const TaskItem& item, std::int64_t newTokens) const {
        std::vector<TokenId> ids;
        if (m_template != nullptr) {
            const std::vector<ChatMessage> chat{{"user", item.chatPrompt}};
            MOFO_TRY(const std::string text, m_template->render(chat, true));
            MOFO_TRY(Encoding encoding, m_tokenizer.encode(text, false));
            ids = std::move(encoding.ids);
        } else {
            MOFO_TRY(const Encoding encoding, m_tokenizer.encode(item.prompt, false));
            ids = m_prefix;
            ids.insert(ids.end(), encoding.ids.begin(), encoding.ids.end());
        }
        if (ids.empty()) return refuse("EMPTY", "the prompt has no token");
        const std::int64_t room = m_longest - newTokens;
        if (static_cast<std::int64_t>(ids.size()) > room) {
            return refuse("LIMIT", "the prompt has " + std::to_string(ids.size()) + " tokens; with " + std::to_string(newTokens) +
                                       " for the answer at most " + std::to_string(std::max<std::int64_t>(room, 0)) + " fit");
        }
        return ids;
    }

    Result<TokenRow> rendered(const DataRow& row) const { return renderRow(row, m_tokenizer, m_template, m_longest); }

private:
    /// A token for the first one to follow.
    Result<TokenId> firstOfText() const {
        if (const auto id = m_tokenizer.bosId()) return *id;
        if (const auto id = m_tokenizer.eosId()) return *id;
        return refuse("MISSING", "the tokenizer has neither a token that begins nor one that ends a text");
    }

    const Tokenizer& m_tokenizer;
    const ChatTemplate* m_template;
    std::int64_t m_longest;
    std::vector<TokenId> m_prefix;
};

Result<void> prepareItem(const Preparer& preparer, const TaskItem& item, PreparedTask& out) {
    std::int64_t rows = 1;
    switch (out.task.scorer) {
        case Scorer::MultipleChoice:
            for (const std::string& choice : item.choices) {
                MOFO_TRY(TokenRow row, preparer.continuation(item.prompt, choice, item.line));
                out.rows.push_back(std::move(row));
                out.bytes.push_back(static_cast<std::int64_t>(choice.size()) - (choice.starts_with(' ') ? 1 : 0));
            }
            rows = static_cast<std::int64_t>(item.choices.size());
            out.labels.push_back(item.label);
            break;
        case Scorer::Completion: {
            MOFO_TRY(TokenRow row, preparer.continuation(item.prompt, item.expected, item.line));
            out.rows.push_back(std::move(row));
            break;
        }
        case Scorer::Text:
        case Scorer::Kl: {
            MOFO_TRY(std::vector<TokenRow> windows, preparer.document(item.text, item.line));
            rows = static_cast<std::int64_t>(windows.size());
            std::move(windows.begin(), windows.end(), std::back_inserter(out.rows));
            out.bytes.push_back(static_cast<std::int64_t>(item.text.size()));
            break;
        }
        case Scorer::Rows: {
            MOFO_TRY(TokenRow row, preparer.rendered(item.row));
            out.rows.push_back(std::move(row));
            break;
        }
        case Scorer::ShortAnswer: {
            MOFO_TRY(std::vector<TokenId> ids, preparer.question(item, out.task.maxNewTokens));
            out.prompts.push_back(std::move(ids));
            out.expected.push_back(item.expected);
            rows = 0;
            break;
        }
    }
    out.rowsOfItem.push_back(rows);
    return {};
}

}  // namespace

Result<PreparedTask> prepareTask(const TaskItems& items, const Tokenizer& tokenizer, const ChatTemplate* chatTemplate, std::int64_t maxPositions) {
    PreparedTask out;
    out.task = items.task;
    out.sha256 = items.sha256;
    Preparer preparer(tokenizer, chatTemplate, maxPositions, items.task);
    MOFO_CHECK(preparer.start());
    for (const TaskItem& item : items.items) {
        auto prepared = prepareItem(preparer, item, out);
        if (!prepared.ok()) {
            Error error = std::move(prepared).error();
            error.where = escapeForDisplay(items.task.name) + ", line " + std::to_string(item.line);
            error.code = ErrorCode::InvalidInput;
            return error;
        }
    }
    return out;
}

PreparedTask prepareRows(const TaskDescription& task, std::span<const TokenRow* const> rows) {
    PreparedTask out;
    out.task = task;
    out.sha256 = hashOfRows({rows.begin(), rows.end()});
    for (const TokenRow* row : rows) {
        out.rows.push_back(*row);
        out.rowsOfItem.push_back(1);
    }
    return out;
}

}  // namespace mofo
