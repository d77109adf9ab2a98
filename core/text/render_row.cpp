// Rows as token ids with the targets marked: reference.py, render.
#include <algorithm>

#include "core/text/dataset.h"

namespace mofo {

namespace {

Error refuse(std::string tag, std::string message, std::string remedy) { return Error{ErrorCode::InvalidInput, std::move(message), "", std::move(remedy), std::move(tag)}; }

TokenRow takeEncoding(Encoding&& encoding) {
    TokenRow row;
    row.ids.assign(encoding.ids.begin(), encoding.ids.end());  // exactly as large as need be
    row.trained.assign(row.ids.size(), 0);
    return row;
}

Result<TokenRow> renderChat(const DataRow& row, const Tokenizer& tokenizer, const ChatTemplate& chatTemplate) {
    MOFO_TRY(const RenderedChat chat, chatTemplate.renderForTraining(row.messages));
    MOFO_TRY(Encoding encoding, tokenizer.encode(chat.text, false));
    const auto begins = std::move(encoding.begin);
    TokenRow out = takeEncoding(std::move(encoding));
    for (std::size_t i = 0; i < out.ids.size(); ++i) {
        const auto behind = std::upper_bound(chat.assistant.begin(), chat.assistant.end(), std::size_t{begins[i]}, [](std::size_t at, const AssistantSpan& span) { return at < span.begin; });
        out.trained[i] = behind != chat.assistant.begin() && begins[i] < std::prev(behind)->end;
    }
    return out;
}

Result<TokenRow> renderPair(const DataRow& row, const Tokenizer& tokenizer) {
    const auto& messages = row.messages;
    if (messages.size() != 2 || messages[0].role != "user" || messages[1].role != "assistant") {
        return refuse("TEMPLATE", "the model has no chat template, and without one a row is one question and one answer", "Choose a template with --set chat_template=NAME");
    }
    if (!tokenizer.eosId()) return refuse("MISSING", "the tokenizer has no end-of-sequence token, which an answer without a chat template ends with", "Choose a template with --set chat_template=NAME");
    const std::string prompt = messages[0].content + (row.joinsWithoutBlankLine ? "" : "\n\n");
    MOFO_TRY(Encoding encoding, tokenizer.encode(prompt + messages[1].content, true));
    const auto begins = std::move(encoding.begin), ends = std::move(encoding.end);
    TokenRow out = takeEncoding(std::move(encoding));
    for (std::size_t i = 0; i < out.ids.size(); ++i) out.trained[i] = begins[i] >= prompt.size() && ends[i] > begins[i];
    out.ids.push_back(*tokenizer.eosId());
    out.trained.push_back(1);
    return out;
}

}  // namespace

std::int64_t TokenRow::targetCount() const { return trained.empty() ? 0 : std::count(trained.begin() + 1, trained.end(), std::uint8_t{1}); }

Result<TokenRow> renderRow(const DataRow& row, const Tokenizer& tokenizer, const ChatTemplate* chatTemplate, std::int64_t maxLength) {
    TokenRow out;
    if (row.kind == DataRow::Kind::Text) {
        MOFO_TRY(Encoding encoding, tokenizer.encode(row.text, true));
        out = takeEncoding(std::move(encoding));
        std::fill(out.trained.begin(), out.trained.end(), std::uint8_t{1});
        out.spellsSpecial = tokenizer.spellsSpecialToken(row.text);
    } else {
        if (chatTemplate != nullptr) {
            MOFO_TRY(out, renderChat(row, tokenizer, *chatTemplate));
        } else {
            MOFO_TRY(out, renderPair(row, tokenizer));
        }
        out.spellsSpecial = std::any_of(row.messages.begin(), row.messages.end(), [&](const ChatMessage& message) { return tokenizer.spellsSpecialToken(message.content); });
    }
    out.line = row.line;
    if (maxLength > 0 && static_cast<std::int64_t>(out.ids.size()) > maxLength) {
        out.ids.resize(static_cast<std::size_t>(maxLength));
        out.trained.resize(static_cast<std::size_t>(maxLength));
        out.truncated = true;
    }
    return out;
}

Result<std::optional<ChatTemplate>> chooseChatTemplate(const Tokenizer& tokenizer, std::string_view chosen) {
    std::optional<ChatTemplate> chatTemplate;
    if (!chosen.empty()) {
        MOFO_TRY(chatTemplate, ChatTemplate::byName(chosen));
    } else if (tokenizer.chatTemplateText()) {
        MOFO_TRY(chatTemplate, ChatTemplate::recognise(*tokenizer.chatTemplateText()));
    } else {
        return chatTemplate;
    }
    // Where the tokenizer has no such token the template's own family says what it is; as text it then is.
    const ChatTemplate& family = *chatTemplate;
    chatTemplate->setTokens(tokenizer.bosId() ? tokenizer.piece(*tokenizer.bosId()) : family.bos(), tokenizer.eosId() ? tokenizer.piece(*tokenizer.eosId()) : family.eos());
    return chatTemplate;
}

}  // namespace mofo
