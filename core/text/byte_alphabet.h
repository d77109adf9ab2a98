// GPT-2's alphabet: each byte has a printable character that stands for it in vocabularies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mofo {

/// The character of a byte, as UTF-8 (one or two bytes).
[[nodiscard]] std::string_view alphabetCharacter(std::uint8_t byte);
/// The text that a token of the alphabet stands for as raw bytes; nothing where a character is not of the alphabet (or not UTF-8).
[[nodiscard]] std::optional<std::string> bytesOfToken(std::string_view token);
/// The token spelling of raw bytes.
[[nodiscard]] std::string tokenOfBytes(std::string_view bytes);

}  // namespace mofo
