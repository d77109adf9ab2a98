// The random numbers of resampling: integer arithmetic alone, so that a seed gives the same numbers on every machine.
#pragma once

#include <cstdint>

#include "core/base/mix.h"

namespace mofo {

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
class RandomStream {
public:
    explicit RandomStream(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t next() {
        const std::uint64_t number = splitMix(m_state);
        m_state += kSplitMixStep;
        return number;
    }

private:
    std::uint64_t m_state;
};

/// A number in 0..n-1 from 32 random bits; its bias is below n / 2^32.
[[nodiscard]] inline std::uint32_t scaleToRange(std::uint32_t bits, std::uint32_t n) {
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(bits) * n) >> 32);
}

}  // namespace mofo
