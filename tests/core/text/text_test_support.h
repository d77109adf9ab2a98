// What the tests of core/text share.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/text/tokenizer.h"
#include "tests/support/test_support.h"

namespace mofo::test {

/// The folder of the tiny tokenizers.
inline std::filesystem::path textData() { return MOFO_TEXT_TEST_DATA; }

/// Sanitizers make everything slow; times are then not looked at closely.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

inline std::string joinNumbers(const auto& numbers) {
    std::string out;
    for (const auto number : numbers) {
        if (!out.empty()) out += ' ';
        out += std::to_string(number);
    }
    return out;
}

/// SHA-256 over ids and offsets of texts: "ids|begins|ends\n" for each.
class EncodingDigest {
public:
    explicit EncodingDigest(const Tokenizer& tokenizer) : m_tokenizer(tokenizer) {}
    void add(const std::string& text) {
        const auto encoding = m_tokenizer.encode(text, false);
        ASSERT_OK(encoding);
        m_tokens += encoding->ids.size();
        m_hash.update(joinNumbers(encoding->ids) + "|" + joinNumbers(encoding->begin) + "|" + joinNumbers(encoding->end) + "\n");
    }
    /// All strings in a JSON value, object members in the order of their keys.
    void addStrings(const Json& value) {
        if (value.is_string()) add(value.get<std::string>());
        else if (value.is_structured()) for (const auto& item : value) addStrings(item);
    }
    [[nodiscard]] std::string hex() { return m_hash.hex(); }
    [[nodiscard]] std::size_t tokens() const { return m_tokens; }

private:
    const Tokenizer& m_tokenizer;
    Sha256 m_hash;
    std::size_t m_tokens = 0;
};

inline void appendCodePoint(std::string& text, char32_t c) {
    if (c < 0x80) {
        text += static_cast<char>(c);
    } else if (c < 0x800) {
        text += {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
    } else if (c < 0x10000) {
        text += {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
    } else {
        text += {static_cast<char>(0xF0 | (c >> 18)), static_cast<char>(0x80 | ((c >> 12) & 0x3F)), static_cast<char>(0x80 | ((c >> 6) & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
    }
}

}  // namespace mofo::test
