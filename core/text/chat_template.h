// Known chat templates as data. A model's template text is recognised, never executed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mofo {

struct ChatFormat;

struct ChatMessage {
    std::string role;  ///< system, user, assistant
    std::string content;
};

/// The bytes [begin, end) of a rendered chat that the assistant wrote: from the end of the generation prompt to the end of the
/// message as rendered, less the white space after it (reference.py, render).
struct AssistantSpan {
    std::size_t begin = 0;
    std::size_t end = 0;
};

struct RenderedChat {
    std::string text;
    std::vector<AssistantSpan> assistant;
};

/// Immutable but for setTokens; any thread.
class ChatTemplate {
public:
    /// Recognises the template from a model's Jinja text; an unknown one is refused (Unsupported) with the list of names.
    static Result<ChatTemplate> recognise(std::string_view jinja);
    /// chatml, smollm2, llama2, llama3, gemma, mistral, zephyr, phi3, tulu, alpaca, vicuna and their variants (see names()).
    static Result<ChatTemplate> byName(std::string_view name);
    [[nodiscard]] static std::vector<std::string> names();

    [[nodiscard]] std::string name() const;
    /// One line for people: "ChatML; SmolLM's system prompt where there is none".
    [[nodiscard]] std::string description() const;
    /// The model's own BOS and EOS, which templates write as bos_token and eos_token. Without it they are those of the family
    /// the template comes from.
    void setTokens(std::string_view bos, std::string_view eos);
    [[nodiscard]] const std::string& bos() const { return m_bos; }
    [[nodiscard]] const std::string& eos() const { return m_eos; }
    /// What apply_chat_template(tokenize=False) gives. Roles and orders of roles that the template refuses are InvalidInput, tag ROLE.
    Result<std::string> render(std::span<const ChatMessage> messages, bool addGenerationPrompt) const;
    /// The whole chat with the spans of its assistant messages.
    Result<RenderedChat> renderForTraining(std::span<const ChatMessage> messages) const;

private:
    explicit ChatTemplate(const ChatFormat& format);
    Result<void> check(std::span<const ChatMessage> messages) const;
    [[nodiscard]] std::string fill(std::string_view pattern) const;
    [[nodiscard]] std::string renderMessage(std::span<const ChatMessage> messages, std::size_t index, bool isLast) const;

    const ChatFormat* m_format;
    std::string m_bos;
    std::string m_eos;
};

}  // namespace mofo
