// Counts as the store keeps those of histograms: LEB128, seven bits a byte, the lowest first. Most bins hold few. Private to core/store.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace mofo {

[[nodiscard]] inline std::vector<std::uint8_t> packCounts(const std::vector<std::uint32_t>& counts) {
    std::vector<std::uint8_t> bytes;
    for (std::uint32_t count : counts) {
        for (; count >= 0x80; count >>= 7) bytes.push_back(static_cast<std::uint8_t>(count | 0x80));
        bytes.push_back(static_cast<std::uint8_t>(count));
    }
    return bytes;
}

/// False where the bytes are no such list: cut short, or a number beyond 32 bits.
[[nodiscard]] inline bool unpackCounts(std::string_view bytes, std::vector<std::uint32_t>& counts) {
    counts.clear();
    std::uint64_t value = 0;
    int shift = 0;
    for (const char c : bytes) {
        value |= static_cast<std::uint64_t>(c & 0x7F) << shift;
        if (value > 0xFFFFFFFFull) return false;
        if ((c & 0x80) != 0) {
            shift += 7;
            if (shift > 28) return false;
            continue;
        }
        counts.push_back(static_cast<std::uint32_t>(value));
        value = 0;
        shift = 0;
    }
    return shift == 0;
}

}  // namespace mofo
