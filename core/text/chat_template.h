// Known chat templates as data. A model's template text is recognised, never executed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mofo {

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

class ChatTemplate {
public:
    /// Recognises the template from a model's Jinja text; an unknown one is refused (Unsupported) with the list of names.
    static Result<ChatTemplate> recognise(std::string_view jinja);
    /// chatml, smollm2, llama2, llama3, gemma, mistral, zephyr, phi3, tulu, alpaca, vicuna (see names()).
    static Result<ChatTemplate> byName(std::string_view name);
    [[nodiscard]] static std::vector<std::string> names();

    [[nodiscard]] const std::string& name() const { return m_name; }
    /// What apply_chat_template(tokenize=False) gives. Roles that the template refuses are InvalidInput.
    Result<std::string> render(std::span<const ChatMessage> messages, bool addGenerationPrompt) const;
    /// The whole chat with the spans of its assistant messages.
    Result<RenderedChat> renderForTraining(std::span<const ChatMessage> messages) const;

private:
    explicit ChatTemplate(std::string name) : m_name(std::move(name)) {}
    std::string m_name;
};

}  // namespace mofo
