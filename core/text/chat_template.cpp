#include "core/text/chat_template.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/text/chat_format.h"
#include "core/text/python_text.h"

namespace mofo {

namespace {

Error refuseRole(std::string message) { return Error{ErrorCode::InvalidInput, std::move(message), "", "Choose another template with --set chat_template=NAME", "ROLE"}; }

bool isSystem(const ChatMessage& message) { return message.role == "system"; }

}  // namespace

ChatTemplate::ChatTemplate(const ChatFormat& format) : m_format(&format), m_bos(format.bos), m_eos(format.eos) {}

std::vector<std::string> ChatTemplate::names() {
    std::vector<std::string> names;
    for (const ChatFormat& format : chatFormats()) names.emplace_back(format.name);
    return names;
}

std::string ChatTemplate::name() const { return std::string(m_format->name); }
std::string ChatTemplate::description() const { return std::string(m_format->description); }

void ChatTemplate::setTokens(std::string_view bos, std::string_view eos) {
    m_bos = bos;
    m_eos = eos;
}

Result<ChatTemplate> ChatTemplate::byName(std::string_view name) {
    for (const ChatFormat& format : chatFormats()) {
        if (format.name == name) return ChatTemplate(format);
    }
    const auto known = names();
    const std::string near = nearestName(name, known);
    return Error{ErrorCode::Usage, "there is no chat template \"" + escapeForDisplay(name.substr(0, 60)) + "\"; known are " + joinText(known, ", "), "key chat_template",
                 near.empty() ? std::string() : "Did you mean " + near + "?", "NAME"};
}

Result<ChatTemplate> ChatTemplate::recognise(std::string_view jinja) {
    std::string why = "it is not one of the known ones";
    if (const auto canonical = canonicalJinja(jinja); !canonical.ok()) {
        why = canonical.error().message;
    } else if (const ChatFormat* format = chatFormatOfHash(sha256Hex(*canonical)); format != nullptr) {
        return ChatTemplate(*format);
    } else if (jinja.find("strftime_now") != std::string_view::npos) {
        why = "it writes today's date, so that the same data would give other tokens tomorrow";
    }
    const ChatFormat* near = chatFormatResembling(jinja);
    return Error{ErrorCode::Unsupported, "the model's chat template is not used and never executed: " + why, "",
                 (near != nullptr ? "It resembles " + std::string(near->name) + ": --set chat_template=" + std::string(near->name) + ", or another of " : "Choose one with --set chat_template=NAME: ") +
                     joinText(names(), ", "),
                 "TEMPLATE"};
}

std::string ChatTemplate::fill(std::string_view pattern) const {
    std::string out;
    for (std::size_t at = 0; at < pattern.size();) {
        if (pattern.substr(at).starts_with("{bos}")) {
            out += m_bos;
            at += 5;
        } else if (pattern.substr(at).starts_with("{eos}")) {
            out += m_eos;
            at += 5;
        } else {
            out += pattern[at++];
        }
    }
    return out;
}

Result<void> ChatTemplate::check(std::span<const ChatMessage> messages) const {
    if (messages.empty()) return refuseRole("the chat has no message");
    for (const ChatMessage& message : messages) {
        if (message.role != "system" && message.role != "user" && message.role != "assistant") {
            return refuseRole("the role \"" + escapeForDisplay(message.role.substr(0, 40)) + "\" is not one of system, user and assistant");
        }
    }
    const bool hasSystem = isSystem(messages[0]);
    if (hasSystem && m_format->systemRule == SystemRule::Refused) return refuseRole("the chat template " + name() + " has no place for a system message");
    if (!m_format->mustAlternate) return {};
    const auto turns = messages.subspan(hasSystem ? 1 : 0);
    if (turns.empty()) return refuseRole("the chat has nothing but a system message");
    for (std::size_t i = 0; i < turns.size(); ++i) {
        if (turns[i].role != (i % 2 == 0 ? "user" : "assistant")) return refuseRole("the chat template " + name() + " wants user and assistant in turns, beginning with the user");
    }
    return {};
}

std::string ChatTemplate::renderMessage(std::span<const ChatMessage> messages, std::size_t index, bool isLast) const {
    const ChatFormat& format = *m_format;
    const ChatMessage& message = messages[index];
    std::string out;
    if (index == 0) {
        out = fill(format.start);
        if (!isSystem(message)) out += fill(format.withoutSystem);
    }
    if (isSystem(message)) {
        // A later system message is one of the templates that write any role as a turn.
        const bool asTurn = format.systemRule == SystemRule::Turn || index > 0;
        if (format.dropsEmptySystem && message.content.empty()) return out;
        if (format.systemRule == SystemRule::Dropped || (format.systemRule == SystemRule::FirstUser && index == 0)) return out;
        const std::string_view content = format.trimSystem ? trimPython(message.content) : std::string_view(message.content);
        if (format.systemRule == SystemRule::Header && asTurn) return out + "<|start_header_id|>system<|end_header_id|>\n\n" + std::string(content) + fill(format.systemAfter);
        return out + fill(format.systemBefore) + std::string(content) + fill(format.systemAfter);
    }
    if (message.role == "user") {
        std::string content;
        const bool withSystem = format.systemRule == SystemRule::FirstUser && index == 1 && isSystem(messages[0]);
        if (withSystem) content = fill(format.systemBefore) + messages[0].content + fill(format.systemAfter);
        content += format.trimUserAlone ? trimPython(message.content) : std::string_view(message.content);
        if (format.trimUser && !format.trimUserAlone) content = std::string(trimPython(content));
        return out + fill(format.userBefore) + content + fill(format.userAfter);
    }
    const std::string_view content = format.trimAssistant ? trimPython(message.content) : std::string_view(message.content);
    return out + fill(format.assistantBefore) + std::string(content) + fill(isLast ? format.assistantAfterLast : format.assistantAfter);
}

Result<std::string> ChatTemplate::render(std::span<const ChatMessage> messages, bool addGenerationPrompt) const {
    MOFO_CHECK(check(messages));
    std::string out;
    for (std::size_t i = 0; i < messages.size(); ++i) out += renderMessage(messages, i, i + 1 == messages.size());
    return out + fill(addGenerationPrompt ? m_format->generationPrompt : m_format->end);
}

Result<RenderedChat> ChatTemplate::renderForTraining(std::span<const ChatMessage> messages) const {
    MOFO_CHECK(check(messages));
    RenderedChat chat;
    std::vector<std::size_t> begins;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        begins.push_back(chat.text.size());
        chat.text += renderMessage(messages, i, i + 1 == messages.size());
    }
    begins.push_back(chat.text.size());
    chat.text += fill(m_format->end);
    const std::string generationPrompt = fill(m_format->generationPrompt);
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (messages[i].role != "assistant") continue;
        // What the model is given before it answers: all messages before, the last of them rendered as a last one, and the prompt.
        std::size_t begin = begins[i];
        std::string before;
        if (i > 0) {
            begin = begins[i - 1];
            before = renderMessage(messages, i - 1, true);
        } else {
            before = fill(m_format->start) + fill(m_format->withoutSystem);
        }
        const std::string prompt = before + generationPrompt;
        if (chat.text.compare(begin, prompt.size(), prompt) != 0) return refuseRole("the chat template " + name() + " writes earlier turns otherwise when another follows, so that what was answered cannot be told apart");
        const std::size_t promptEnd = begin + prompt.size();
        const bool isLast = i + 1 == messages.size();
        const std::size_t messageEnd = isLast ? chat.text.size() : begins[i + 1];
        const std::string_view upTo = std::string_view(chat.text).substr(0, messageEnd);
        chat.assistant.push_back({promptEnd, std::max(promptEnd, trimPythonEnd(upTo).size())});
    }
    return chat;
}

}  // namespace mofo
