#include "core/text/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <unordered_map>

#include "core/text/unicode_classes.h"

namespace mofo {

namespace {

constexpr char32_t kHangulBase = 0xAC00, kLeadBase = 0x1100, kVowelBase = 0x1161, kTailBase = 0x11A7;
constexpr char32_t kLeads = 19, kVowels = 21, kTails = 28;

/// A character of the text being made. `change` as in the reference's transformations: 0 stands for one character of the input, 1 for
/// none (it came out of the one before), -n for one and the n behind it.
struct Changed {
    char32_t c;
    int change;
};

/// Marks that got their combining class after Unicode 9, whose tables Hugging Face's tokenizers normalise by; to them these have none.
constexpr CodePointRange kLaterMarks[] = {
    {0x7FD, 0x7FD}, {0x898, 0x89F}, {0x8CA, 0x8D3}, {0x9FE, 0x9FE}, {0xC3C, 0xC3C}, {0xD3B, 0xD3C}, {0xEBA, 0xEBA}, {0x1715, 0x1715}, {0x1ABF, 0x1ACE}, {0x1DF6, 0x1DFA},
    {0xA82C, 0xA82C}, {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x1133B, 0x1133B},
    {0x1145E, 0x1145E}, {0x11839, 0x1183A}, {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0}, {0x11A34, 0x11A34}, {0x11A47, 0x11A47}, {0x11A99, 0x11A99},
    {0x11D42, 0x11D42}, {0x11D44, 0x11D45}, {0x11D97, 0x11D97}, {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
    {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}};
/// Composed of two characters since Unicode 13; to Unicode 9 a character like any other.
constexpr char32_t kLaterComposite = 0x11938;

std::uint8_t combiningClass(char32_t c) {
    const auto value = static_cast<std::uint8_t>(utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class);
    if (value == 0) return 0;
    const auto* range = std::lower_bound(std::begin(kLaterMarks), std::end(kLaterMarks), c, [](const CodePointRange& known, char32_t wanted) { return known.last < wanted; });
    return range != std::end(kLaterMarks) && range->first <= c ? 0 : value;
}

/// Full canonical decomposition into `out` (room for 8); returns the length.
int decompose(char32_t c, utf8proc_int32_t* out) {
    int boundClass = 0;
    const auto length = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), out, 8, UTF8PROC_DECOMPOSE, &boundClass);
    if (length < 1 || length > 8 || c == kLaterComposite) {
        out[0] = static_cast<utf8proc_int32_t>(c);
        return 1;
    }
    return static_cast<int>(length);
}

/// The pairs of characters that compose, Hangul excepted.
class CompositionTable {
public:
    CompositionTable() {
        // A composite is its last part on top of what all parts before it compose to; that may stand at a higher code point, hence
        // the rounds: a composite of n parts is found in round n - 1 at the latest.
        for (int round = 0; round < 3; ++round) {
            for (char32_t c = 0xC0; c < 0x110000; ++c) {
                if (c == kHangulBase) c += kLeads * kVowels * kTails;
                add(c);
            }
        }
    }
    /// 0 where the two do not compose.
    [[nodiscard]] char32_t compose(char32_t a, char32_t b) const {
        if (a >= kLeadBase && a < kLeadBase + kLeads && b >= kVowelBase && b < kVowelBase + kVowels) return kHangulBase + ((a - kLeadBase) * kVowels + (b - kVowelBase)) * kTails;
        if (a >= kHangulBase && a < kHangulBase + kLeads * kVowels * kTails && (a - kHangulBase) % kTails == 0 && b > kTailBase && b < kTailBase + kTails) return a + (b - kTailBase);
        const auto at = m_pairs.find(key(a, b));
        return at == m_pairs.end() ? 0 : at->second;
    }

private:
    void add(char32_t c) {
        const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
        if (property->decomp_seqindex == UINT16_MAX || property->decomp_type != 0 || property->comp_exclusion) return;
        utf8proc_int32_t parts[8];
        const int length = decompose(c, parts);
        if (length < 2) return;
        auto head = static_cast<char32_t>(parts[0]);
        for (int i = 1; i + 1 < length && head != 0; ++i) head = compose(head, static_cast<char32_t>(parts[i]));
        if (head != 0 && combiningClass(head) == 0 && isNfcItself(c)) m_pairs.emplace(key(head, static_cast<char32_t>(parts[length - 1])), c);
    }
    /// Not one of those that stand for another character and so never come out of composing.
    static bool isNfcItself(char32_t c) {
        utf8proc_uint8_t text[5] = {};
        utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), text);
        const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> composed(utf8proc_NFC(text), std::free);
        return composed && std::strcmp(reinterpret_cast<const char*>(composed.get()), reinterpret_cast<const char*>(text)) == 0;
    }
    static std::uint64_t key(char32_t a, char32_t b) { return (static_cast<std::uint64_t>(a) << 32) | b; }
    std::unordered_map<std::uint64_t, char32_t> m_pairs;
};

const CompositionTable& compositions() {
    static const CompositionTable table;
    return table;
}

void appendUtf8(char32_t c, std::string& out) {
    utf8proc_uint8_t bytes[4];
    const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

/// Canonical decomposition in canonical order.
std::vector<Changed> decomposeText(std::string_view text) {
    std::vector<Changed> out;
    out.reserve(text.size());
    std::vector<std::pair<std::uint8_t, Changed>> pending;
    const auto flush = [&] {
        std::stable_sort(pending.begin(), pending.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const auto& item : pending) out.push_back(item.second);
        pending.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        const DecodedCodePoint decoded = decodeAt(text, at);
        at += decoded.length;
        utf8proc_int32_t parts[8];
        const int length = decompose(decoded.codePoint, parts);
        for (int i = 0; i < length; ++i) {
            const auto c = static_cast<char32_t>(parts[i]);
            const std::uint8_t combining = combiningClass(c);
            if (combining == 0) flush();
            if (combining == 0) out.push_back({c, i > 0 ? 1 : 0});
            else pending.push_back({combining, {c, i > 0 ? 1 : 0}});
        }
    }
    flush();
    return out;
}

std::vector<Changed> composeText(const std::vector<Changed>& parts) {
    std::vector<Changed> out;
    out.reserve(parts.size());
    std::size_t starter = std::string_view::npos;  // index in `out` of what may still compose
    int lastClass = 0;                             // combining class of the last one between the starter and here that stayed
    for (const Changed& part : parts) {
        const int combining = combiningClass(part.c);
        if (starter != std::string_view::npos) {
            const bool adjacent = starter + 1 == out.size();
            const bool blocked = !adjacent && lastClass >= combining;
            const char32_t composed = blocked ? 0 : compositions().compose(out[starter].c, part.c);
            if (composed != 0) {
                out[starter] = {composed, out[starter].change + part.change - 1};
                continue;
            }
        }
        if (combining == 0) starter = out.size();
        lastClass = combining;
        out.push_back(part);
    }
    return out;
}

}  // namespace

bool isSurelyNfc(std::string_view text) {
    // Up to U+02FF nothing composes with what precedes it and nothing decomposes for good.
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0xCC) return false;
    }
    return true;
}

AlignedText normalizeNfc(std::string_view text) {
    AlignedText out;
    out.text.reserve(text.size());
    std::size_t at = 0;  // the next character of the input
    for (const Changed& item : composeText(decomposeText(text))) {
        std::uint32_t begin = 0, end = 0;
        if (item.change > 0) {
            // Nothing of the input left for it: it shares the place of the character before.
            if (at > 0) {
                const auto last = decodeBefore(text, at);
                begin = static_cast<std::uint32_t>(at - last.length);
                end = static_cast<std::uint32_t>(at);
            }
        } else {
            begin = static_cast<std::uint32_t>(std::min(at, text.size() - 1));
            for (int n = 0; n <= -item.change && at < text.size(); ++n) {
                at += decodeAt(text, at).length;
                if (n == 0) end = static_cast<std::uint32_t>(at);
            }
            if (end == 0) end = static_cast<std::uint32_t>(text.size());
        }
        appendUtf8(item.c, out.text);
        out.begin.resize(out.text.size(), begin);
        out.end.resize(out.text.size(), end);
    }
    return out;
}

}  // namespace mofo
