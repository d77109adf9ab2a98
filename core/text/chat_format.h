// What a chat template does, as data; private to core/text.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

/// What happens with a system message at the beginning.
enum class SystemRule {
    Turn,           ///< a turn of its own, wherever it stands
    Front,          ///< its text in front of the first turn
    FirstUser,      ///< put before the first user's text, inside its turn
    Refused,
    Dropped,        ///< the template leaves it out
    Header,         ///< put into a header that is there with or without it (Llama 3.1)
};

/// Strings may hold {bos} and {eos}. A turn is before + content + after.
struct ChatFormat {
    std::string_view name;
    std::string_view description;
    std::string_view bos;               ///< defaults of the family, until setTokens
    std::string_view eos;
    std::string_view start;             ///< once, before everything
    SystemRule systemRule;
    std::string_view systemBefore;
    std::string_view systemAfter;
    std::string_view withoutSystem;     ///< in place of a system message where the first message is none
    std::string_view userBefore;
    std::string_view userAfter;
    std::string_view assistantBefore;
    std::string_view assistantAfter;
    std::string_view assistantAfterLast;  ///< where it is the last message
    std::string_view generationPrompt;
    std::string_view end;               ///< behind everything where no generation prompt is asked for
    bool trimSystem;
    bool trimUser;                      ///< of FirstUser: system and user's text together, or the user's alone (trimUserAlone)
    bool trimUserAlone;
    bool trimAssistant;
    bool mustAlternate;                 ///< user, assistant, user, ... after the system message
    bool dropsEmptySystem = false;
};

/// All known formats.
[[nodiscard]] std::span<const ChatFormat> chatFormats();
/// The format whose template has this hash (SHA-256 of the canonical text), or nullptr.
[[nodiscard]] const ChatFormat* chatFormatOfHash(std::string_view sha256);
/// The format that an unknown template resembles most, by the marks it writes, or nullptr.
[[nodiscard]] const ChatFormat* chatFormatResembling(std::string_view jinja);

/// A Jinja text brought to one form without changing what it says: comments dropped, white space control and trim_blocks and
/// lstrip_blocks (which Transformers sets) applied to the text between tags, string literals and blanks inside tags written one way,
/// x.name as x['name']. Nothing is evaluated. Unterminated tags and strings are InvalidInput, tag JINJA.
Result<std::string> canonicalJinja(std::string_view text);

}  // namespace mofo
