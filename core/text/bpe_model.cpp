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

std::uint64_t mix(std::uint64_t x) {
    x *= 0x9E3779B97F4A7C15ull;
    return x ^ (x >> 32);
}

}  // namespace

BpeModel::BpeModel(const std::vector<std::optional<std::string>>& bytesOf, const std::vector<BpeMerge>& merges, const Options& options) : m_options(options) {
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
        m_slots[at] = {key, static_cast<std::uint32_t>(rank), merges[rank].result};
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
    auto& symbols = scratch.m_symbols;
    symbols.clear();
    const auto add = [&](TokenId id, std::uint32_t length) {
        const auto at = static_cast<std::int32_t>(symbols.size());
        if (at > 0) symbols.back().next = at;
        symbols.push_back({id, at - 1, -1, length});
    };
    std::uint32_t unknownLength = 0;
    for (const char byte : word) {
        const auto& id = m_byteTokens[static_cast<std::uint8_t>(byte)];
        const auto length = static_cast<std::uint32_t>(alphabetCharacter(static_cast<std::uint8_t>(byte)).size());
        if (!id) {
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
        add(*id, length);
    }
    if (unknownLength > 0) add(*m_options.unknownId, unknownLength);
    merge(scratch);
    placeTokens(word, scratch);
    if (cacheable) {
        if (scratch.m_words.size() >= kCachedWords) scratch.m_words.clear();
        return scratch.m_words.emplace(word, tokens).first->second;
    }
    return tokens;
}

void BpeModel::placeTokens(std::string_view word, BpeScratch& scratch) const {
    // The reference counts in the alphabet's spelling of the word (one or two bytes for each), and counts only what has become a
    // token: behind a byte that has no token the covered bytes lie further left than the token's own. Kept as it is.
    auto& byteOfUnit = scratch.m_byteOfUnit;
    byteOfUnit.clear();
    for (std::size_t i = 0; i < word.size(); ++i) {
        byteOfUnit.insert(byteOfUnit.end(), alphabetCharacter(static_cast<std::uint8_t>(word[i])).size(), static_cast<std::uint32_t>(i));
    }
    scratch.m_tokens.clear();
    std::size_t unit = 0;
    for (const auto& symbol : scratch.m_symbols) {
        if (symbol.length == 0) continue;
        scratch.m_tokens.push_back({symbol.id, byteOfUnit[unit], byteOfUnit[unit + symbol.length - 1] + 1});
        unit += symbol.length;
    }
}

void BpeModel::merge(BpeScratch& scratch) const {
    auto& symbols = scratch.m_symbols;
    auto& heap = scratch.m_heap;
    heap.clear();
    const auto later = [](const BpeScratch::Candidate& a, const BpeScratch::Candidate& b) { return a.order > b.order; };
    const auto candidate = [](const Slot& slot, std::int32_t position) {
        return BpeScratch::Candidate{(static_cast<std::uint64_t>(slot.rank) << 32) | static_cast<std::uint32_t>(position), slot.result};
    };
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
        if (const Slot* slot = find(symbols[i].id, symbols[i + 1].id)) heap.push_back(candidate(*slot, static_cast<std::int32_t>(i)));
    }
    std::make_heap(heap.begin(), heap.end(), later);
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), later);
        const BpeScratch::Candidate top = heap.back();
        heap.pop_back();
        const auto at = static_cast<std::int32_t>(top.order & 0xFFFFFFFFu);
        auto& left = symbols[static_cast<std::size_t>(at)];
        if (left.length == 0 || left.next < 0) continue;
        auto& right = symbols[static_cast<std::size_t>(left.next)];
        // An entry is stale where its pair has changed since; the reference compares what the pair becomes, and so do we.
        const Slot* slot = find(left.id, right.id);
        if (slot == nullptr || slot->result != top.result) continue;
        left.id = top.result;
        left.length += right.length;
        left.next = right.next;
        right.length = 0;
        if (right.next >= 0) symbols[static_cast<std::size_t>(right.next)].previous = at;
        const auto push = [&](std::int32_t position, TokenId a, TokenId b) {
            if (const Slot* found = find(a, b)) {
                heap.push_back(candidate(*found, position));
                std::push_heap(heap.begin(), heap.end(), later);
            }
        };
        if (left.previous >= 0) push(left.previous, symbols[static_cast<std::size_t>(left.previous)].id, left.id);
        if (left.next >= 0) push(at, left.id, symbols[static_cast<std::size_t>(left.next)].id);
    }
}

}  // namespace mofo
