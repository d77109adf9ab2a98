#include "core/text/unicode_classes.h"

#include <array>
#include <map>
#include <vector>

namespace mofo {

namespace {

constexpr std::size_t kBlockSize = 256;
constexpr std::size_t kCodePoints = 0x110000;

/// Two-stage table: equal blocks of 256 code points are stored once (about 40 KB in all).
class ClassTable {
public:
    ClassTable() {
        std::vector<std::uint8_t> flat(kCodePoints, 0);
        const auto mark = [&](const CodePointRange* ranges, std::size_t count, std::uint8_t bit) {
            for (std::size_t i = 0; i < count; ++i) {
                for (char32_t c = ranges[i].first; c <= ranges[i].last; ++c) flat[c] |= bit;
            }
        };
        mark(kLetterRanges, kLetterRangesCount, kLetter);
        mark(kNumberRanges, kNumberRangesCount, kNumber);
        mark(kNumericRanges, kNumericRangesCount, kNumeric);
        mark(kWordRanges, kWordRangesCount, kWord);
        constexpr CodePointRange kSpaces[] = {{0x9, 0xD}, {0x20, 0x20}, {0x85, 0x85}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A},
                                              {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};
        mark(kSpaces, std::size(kSpaces), kSpace);
        std::map<std::vector<std::uint8_t>, std::uint16_t> known;
        for (std::size_t block = 0; block < m_blockOf.size(); ++block) {
            const auto* begin = flat.data() + block * kBlockSize;
            std::vector<std::uint8_t> content(begin, begin + kBlockSize);
            const auto [at, isNew] = known.try_emplace(std::move(content), static_cast<std::uint16_t>(known.size()));
            if (isNew) m_blocks.insert(m_blocks.end(), begin, begin + kBlockSize);
            m_blockOf[block] = at->second;
        }
    }
    [[nodiscard]] std::uint8_t operator[](char32_t c) const {
        return m_blocks[static_cast<std::size_t>(m_blockOf[c / kBlockSize]) * kBlockSize + c % kBlockSize];
    }

private:
    std::array<std::uint16_t, kCodePoints / kBlockSize> m_blockOf{};
    std::vector<std::uint8_t> m_blocks;
};

}  // namespace

std::uint8_t classesOf(char32_t codePoint) {
    static const ClassTable table;
    return codePoint < kCodePoints ? table[codePoint] : 0;
}

}  // namespace mofo
