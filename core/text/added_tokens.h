// Tokens that are looked for in the text itself, before anything else cuts it: special tokens, mostly.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace mofo {

/// As in tokenizer.json.
struct AddedToken {
    TokenId id = 0;
    std::string content;
    bool singleWord = false;  ///< only where no word character touches it
    bool leftStrip = false;   ///< takes the white space before it
    bool rightStrip = false;  ///< takes the white space after it
    bool normalized = false;  ///< looked for in the normalised text
    bool special = false;
};

/// A part of a text: an added token, or text between added tokens (id < 0).
struct AddedTokenPart {
    std::size_t begin = 0;
    std::size_t end = 0;
    TokenId id = -1;
};

/// Finds added tokens: the leftmost one first, of several at one place the longest. Immutable after building, thread safe.
class AddedTokenMatcher {
public:
    /// `pattern` is what is looked for (the content, or its normalised form).
    void add(std::string_view pattern, const AddedToken& token);
    [[nodiscard]] bool isEmpty() const { return m_nodes.size() <= 1; }
    /// Calls for all parts of `text` (valid UTF-8) in order; none for an empty text.
    void split(std::string_view text, std::vector<AddedTokenPart>& parts) const;

private:
    struct Node {
        std::vector<std::pair<std::uint8_t, std::uint32_t>> children;  ///< sorted by byte
        std::int32_t rule = -1;
    };
    struct Rule {
        TokenId id;
        bool singleWord, leftStrip, rightStrip;
    };
    [[nodiscard]] std::uint32_t childOf(std::uint32_t node, std::uint8_t byte) const;  ///< 0 = none

    std::vector<Node> m_nodes = std::vector<Node>(1);
    std::vector<Rule> m_rules;
    bool m_startsWith[256] = {};
};

}  // namespace mofo
