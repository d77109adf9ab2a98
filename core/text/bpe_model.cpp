#include "core/text/bpe_model.h"

#include <algorithm>
#include <bit>

#include "core/text/byte_alphabet.h"

namespace mofo {

namespace {

constexpr std::size_t kCachedWordBytes = 64;
constexpr std::size_t kCachedWords = 50'000;

std::uint64_t pairKey(TokenId left, TokenId right) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) | static_cast<std::uint32_t>(right);
}

/// A heap of four children: half as deep as one of two, and its children lie in one cache line.
class MinHeap {
public:
    explicit MinHeap(std::vector<std::uint64_t>& items) : m_items(items) {
        for (std::size_t i = m_items.size() / 4 + 1; i-- > 0;) siftDown(i);
    }
    [[nodiscard]] bool isEmpty() const { return m_items.empty(); }
    void push(std::uint64_t item) {
        std::size_t at = m_items.size();
        m_items.push_back(item);
        for (; at > 0 && item < m_items[(at - 1) / 4]; at = (at - 1) / 4) m_items[at] = m_items[(at - 1) / 4];
        m_items[at] = item;
    }
    std::uint64_t pop() {
        const std::uint64_t top = m_items.front();
        m_items.front() = m_items.back();
        m_items.pop_back();
        siftDown(0);
        return top;
    }

private:
    void siftDown(std::size_t at) {
        if (at >= m_items.size()) return;
        const std::uint64_t item = m_items[at];
        while (true) {
            const std::size_t first = at * 4 + 1;
            if (first >= m_items.size()) break;
            const std::size_t last = std::min(first + 4, m_items.size());
            const auto least = static_cast<std::size_t>(std::min_element(m_items.begin() + static_cast<std::ptrdiff_t>(first), m_items.begin() + static_cast<std::ptrdiff_t>(last)) - m_items.begin());
            if (m_items[least] >= item) break;
            m_items[at] = m_items[least];
            at = least;
        }
        m_items[at] = item;
    }
    std::vector<std::uint64_t>& m_items;
};

std::uint64_t mix(std::uint64_t x) {
    x *= 0x9E3779B97F4A7C15ull;
    return x ^ (x >> 32);
}

}  // namespace

BpeModel::BpeModel(const std::vector<std::optional<std::string>>& bytesOf, const std::vector<BpeMerge>& merges, const Options& options) : m_options(options) {
    std::fill(std::begin(m_byteTokens), std::end(m_byteTokens), -1);
    for (std::size_t id = 0; id < bytesOf.size(); ++id) {
        if (bytesOf[id] && bytesOf[id]->size() == 1) m_byteTokens[static_cast<std::uint8_t>((*bytesOf[id])[0])] = static_cast<TokenId>(id);
        if (bytesOf[id] && !bytesOf[id]->empty() && options.ignoreMerges) m_wholeWords.emplace(*bytesOf[id], static_cast<TokenId>(id));
    }
    m_slots.resize(std::bit_ceil(merges.size() * 2 + 2));
    m_slotMask = m_slots.size() - 1;
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
        const std::uint64_t key = pairKey(merges[rank].left, merges[rank].right);
        std::uint64_t at = mix(key) & m_slotMask;
        while (m_slots[at].pair != kNoPair && m_slots[at].pair != key) at = (at + 1) & m_slotMask;
        // The reference fills a map in file order: a pair that stands twice has the last rank.
        m_slots[at] = {key, static_cast<std::uint32_t>(rank)};
        m_resultOfRank.push_back(merges[rank].result);
    }
}

const BpeModel::Slot* BpeModel::find(TokenId left, TokenId right) const {
    const std::uint64_t key = pairKey(left, right);
    for (std::uint64_t at = mix(key) & m_slotMask; m_slots[at].pair != kNoPair; at = (at + 1) & m_slotMask) {
        if (m_slots[at].pair == key) return &m_slots[at];
    }
    return nullptr;
}

const std::vector<WordToken>& BpeModel::encodeWord(std::string_view word, BpeScratch& scratch) const {
    auto& tokens = scratch.m_tokens;
    if (m_options.ignoreMerges) {
        if (const auto whole = m_wholeWords.find(word); whole != m_wholeWords.end()) {
            tokens.assign(1, {whole->second, 0, static_cast<std::uint32_t>(word.size())});
            return tokens;
        }
    }
    const bool cacheable = word.size() <= kCachedWordBytes;
    if (cacheable) {
        if (const auto known = scratch.m_words.find(word); known != scratch.m_words.end()) return known->second;
    }
    const bool complete = addSymbols(word, scratch);
    merge(scratch);
    placeTokens(word, complete, scratch);
    if (cacheable) {
        if (scratch.m_words.size() >= kCachedWords) scratch.m_words.clear();
        return scratch.m_words.emplace(word, tokens).first->second;
    }
    return tokens;
}

/// The bytes as tokens; whether each has its own. The length of a symbol is then 1; where bytes are missing, it is that of the alphabet's
/// spelling (one or two bytes), in which the reference counts.
bool BpeModel::addSymbols(std::string_view word, BpeScratch& scratch) const {
    auto& symbols = scratch.m_symbols;
    symbols.clear();
    const auto add = [&](TokenId id, std::uint32_t length) {
        const auto at = static_cast<std::int32_t>(symbols.size());
        if (at > 0) symbols.back().next = at;
        symbols.push_back({id, at - 1, -1, length});
    };
    const bool complete = std::all_of(word.begin(), word.end(), [&](char byte) { return m_byteTokens[static_cast<std::uint8_t>(byte)] >= 0; });
    std::uint32_t unknownLength = 0;
    for (const char c : word) {
        const auto byte = static_cast<std::uint8_t>(c);
        const TokenId id = m_byteTokens[byte];
        const auto length = complete ? 1u : static_cast<std::uint32_t>(alphabetCharacter(byte).size());
        if (id < 0) {
            if (!m_options.unknownId) continue;
            if (unknownLength > 0 && !m_options.fuseUnknown) {
                add(*m_options.unknownId, unknownLength);
                unknownLength = 0;
            }
            unknownLength += length;
            continue;
        }
        if (unknownLength > 0) add(*m_options.unknownId, unknownLength);
        unknownLength = 0;
        add(id, length);
    }
    if (unknownLength > 0) add(*m_options.unknownId, unknownLength);
    return complete;
}

void BpeModel::placeTokens(std::string_view word, bool complete, BpeScratch& scratch) const {
    scratch.m_tokens.clear();
    std::uint32_t at = 0;
    if (complete) {
        for (const auto& symbol : scratch.m_symbols) {
            if (symbol.length == 0) continue;
            scratch.m_tokens.push_back({symbol.id, at, at + symbol.length});
            at += symbol.length;
        }
        return;
    }
    // The reference counts only what has become a token: behind a byte without one the covered bytes lie further left than the token's
    // own. Kept as it is.
    auto& byteOfUnit = scratch.m_byteOfUnit;
    byteOfUnit.clear();
    for (std::size_t i = 0; i < word.size(); ++i) {
        byteOfUnit.insert(byteOfUnit.end(), alphabetCharacter(static_cast<std::uint8_t>(word[i])).size(), static_cast<std::uint32_t>(i));
    }
    for (const auto& symbol : scratch.m_symbols) {
        if (symbol.length == 0) continue;
        scratch.m_tokens.push_back({symbol.id, byteOfUnit[at], byteOfUnit[at + symbol.length - 1] + 1});
        at += symbol.length;
    }
}

void BpeModel::merge(BpeScratch& scratch) const {
    auto& symbols = scratch.m_symbols;
    auto& candidates = scratch.m_heap;
    candidates.clear();
    const auto order = [](const Slot& slot, std::int32_t position) { return (static_cast<std::uint64_t>(slot.rank) << 32) | static_cast<std::uint32_t>(position); };
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
        if (const Slot* slot = find(symbols[i].id, symbols[i + 1].id)) candidates.push_back(order(*slot, static_cast<std::int32_t>(i)));
    }
    MinHeap heap(candidates);
    while (!heap.isEmpty()) {
        const std::uint64_t top = heap.pop();
        const auto at = static_cast<std::int32_t>(top & 0xFFFFFFFFu);
        const TokenId result = m_resultOfRank[top >> 32];
        auto& left = symbols[static_cast<std::size_t>(at)];
        if (left.length == 0 || left.next < 0) continue;
        auto& right = symbols[static_cast<std::size_t>(left.next)];
        // An entry is stale where its pair has changed since; the reference compares what the pair becomes, and so do we.
        const Slot* slot = find(left.id, right.id);
        if (slot == nullptr || m_resultOfRank[slot->rank] != result) continue;
        left.id = result;
        left.length += right.length;
        left.next = right.next;
        right.length = 0;
        if (right.next >= 0) symbols[static_cast<std::size_t>(right.next)].previous = at;
        const auto push = [&](std::int32_t position, TokenId a, TokenId b) {
            if (const Slot* found = find(a, b)) heap.push(order(*found, position));
        };
        if (left.previous >= 0) push(left.previous, symbols[static_cast<std::size_t>(left.previous)].id, left.id);
        if (left.next >= 0) push(at, left.id, symbols[static_cast<std::size_t>(left.next)].id);
    }
}

}  // namespace mofo
