// The random numbers of resampling: integer arithmetic alone, so that a seed gives the same numbers on every machine.
#pragma once

#include <cstdint>

namespace mofo {

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
class RandomStream {
public:
    explicit RandomStream(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t next() {
        std::uint64_t z = (m_state += 0x9e3779b97f4a7c15ull);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }

private:
    std::uint64_t m_state;
};

/// A number in 0..n-1 from 32 random bits; its bias is below n / 2^32.
[[nodiscard]] inline std::uint32_t scaleToRange(std::uint32_t bits, std::uint32_t n) {
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(bits) * n) >> 32);
}

}  // namespace mofo
