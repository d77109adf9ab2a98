// Which classes a code point belongs to, as Hugging Face's tokenizers see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mofo {

struct CodePointRange {
    char32_t first;
    char32_t last;
};

extern const CodePointRange kLetterRanges[];
extern const std::size_t kLetterRangesCount;
extern const CodePointRange kNumberRanges[];
extern const std::size_t kNumberRangesCount;
extern const CodePointRange kNumericRanges[];
extern const std::size_t kNumericRangesCount;
extern const CodePointRange kWordRanges[];
extern const std::size_t kWordRangesCount;

enum CodePointClass : std::uint8_t {
    kLetter = 1,   ///< \p{L}
    kNumber = 2,   ///< \p{N}
    kSpace = 4,    ///< \s, White_Space
    kNumeric = 8,  ///< what the Digits pre-tokenizer takes for a digit
    kWord = 16,    ///< \w, for added tokens that are single words
};

/// The classes of a code point as a set of CodePointClass bits. Thread safe.
[[nodiscard]] std::uint8_t classesOf(char32_t codePoint);

/// One code point of valid UTF-8 and its length in bytes.
struct DecodedCodePoint {
    char32_t codePoint;
    std::uint32_t length;
};

/// Decodes at `at` (< text.size()). `text` must be valid UTF-8 and `at` the beginning of a character.
[[nodiscard]] inline DecodedCodePoint decodeAt(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
    const char32_t lead = byte(at);
    if (lead < 0x80) return {lead, 1};
    if (lead < 0xE0) return {((lead & 0x1F) << 6) | (byte(at + 1) & 0x3F), 2};
    if (lead < 0xF0) return {((lead & 0x0F) << 12) | ((byte(at + 1) & 0x3F) << 6) | (byte(at + 2) & 0x3F), 3};
    return {((lead & 0x07) << 18) | ((byte(at + 1) & 0x3F) << 12) | ((byte(at + 2) & 0x3F) << 6) | (byte(at + 3) & 0x3F), 4};
}

/// Whether the byte is the second or a later one of a character.
[[nodiscard]] inline bool isContinuationByte(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// The character that ends before `at` (> 0).
[[nodiscard]] inline DecodedCodePoint decodeBefore(std::string_view text, std::size_t at) {
    std::size_t begin = at - 1;
    while (begin > 0 && isContinuationByte(text[begin])) --begin;
    return decodeAt(text, begin);
}

}  // namespace mofo
