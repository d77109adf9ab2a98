// Byte pair encoding of one word, in O(n log n), by the very rules of Hugging Face's tokenizers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/tokenizer.h"

namespace mofo {

/// One token of a word and the bytes [begin, end) of the word that it covers.
struct WordToken {
    TokenId id = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

/// left + right -> result; the position in the list is the rank.
struct BpeMerge {
    TokenId left = 0;
    TokenId right = 0;
    TokenId result = 0;
};

/// Heterogeneous look-up by string_view.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

/// Working memory of one thread, with the words met lately. Tied to one model.
class BpeScratch {
private:
    friend class BpeModel;
    struct Symbol {
        TokenId id;
        std::int32_t previous;
        std::int32_t next;
        std::uint32_t length;  ///< 0 = merged into its left neighbour
    };
    std::vector<Symbol> m_symbols;
    std::vector<std::uint64_t> m_heap;  ///< possible merges: rank and position in one number, the least on top
    std::vector<WordToken> m_tokens;
    std::vector<std::uint32_t> m_byteOfUnit;
    std::unordered_map<std::string, std::vector<WordToken>, TextHash, std::equal_to<>> m_words;
};

/// Immutable after building; thread safe with one scratch per thread.
class BpeModel {
public:
    struct Options {
        bool ignoreMerges = false;          ///< a word that is a token is taken whole (Llama 3)
        bool fuseUnknown = false;
        std::optional<TokenId> unknownId;   ///< for bytes that have no token; without one they vanish
    };
    /// `bytesOf[id]` = the raw bytes of a token, or nothing where it is not of the byte alphabet. Ids in merges lie below bytesOf.size().
    BpeModel(const std::vector<std::optional<std::string>>& bytesOf, const std::vector<BpeMerge>& merges, const Options& options);

    /// Tokens of one word (raw bytes). The result lives in `scratch` until its next use.
    const std::vector<WordToken>& encodeWord(std::string_view word, BpeScratch& scratch) const;

private:
    struct Slot {
        std::uint64_t pair = kNoPair;
        std::uint32_t rank = 0;
    };
    static constexpr std::uint64_t kNoPair = ~0ull;
    [[nodiscard]] const Slot* find(TokenId left, TokenId right) const;
    void merge(BpeScratch& scratch) const;
    bool addSymbols(std::string_view word, BpeScratch& scratch) const;
    void placeTokens(std::string_view word, bool complete, BpeScratch& scratch) const;

    std::vector<Slot> m_slots;
    std::vector<TokenId> m_resultOfRank;
    std::uint64_t m_slotMask = 0;
    TokenId m_byteTokens[256];  ///< -1 = the byte has no token
    std::unordered_map<std::string, TokenId, TextHash, std::equal_to<>> m_wholeWords;  ///< with ignoreMerges only
    Options m_options;
};

}  // namespace mofo
