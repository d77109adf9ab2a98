// Integers that look random and are the same on every machine: SplitMix64 by counter, FNV-1a of names.
#pragma once

#include <cstdint>
#include <string_view>

namespace mofo {

/// SplitMix64's step between two states.
inline constexpr std::uint64_t kSplitMixStep = 0x9E3779B97F4A7C15ull;
/// The two factors of its finisher.
inline constexpr std::uint64_t kSplitMixFirst = 0xBF58476D1CE4E5B9ull, kSplitMixSecond = 0x94D049BB133111EBull;

/// SplitMix64's finisher alone: 0 stays 0.
[[nodiscard]] constexpr std::uint64_t splitMixFinish(std::uint64_t x) {
    x = (x ^ x >> 30) * kSplitMixFirst;
    x = (x ^ x >> 27) * kSplitMixSecond;
    return x ^ x >> 31;
}

/// What SplitMix64 gives from the state `x` on (Steele, Lea, Flood, OOPSLA 2014): a bijection of 64 bits that passes BigCrush as a counter-based
/// generator. splitMix(seed + n * kSplitMixStep) is number n of the stream of `seed`.
[[nodiscard]] constexpr std::uint64_t splitMix(std::uint64_t x) { return splitMixFinish(x + kSplitMixStep); }

/// FNV-1a of 64 bits.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325ull;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    return hash;
}

}  // namespace mofo
