#include <numeric>

#include "core/base/mix.h"
#include "core/text/dataset.h"

namespace mofo {

namespace {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
class SplitMix64 {
public:
    explicit SplitMix64(std::uint64_t state) : m_state(state) {}
    std::uint64_t next() {
        const std::uint64_t number = splitMix(m_state);
        m_state += kSplitMixStep;
        return number;
    }
    /// Uniform below `bound` (> 0), by Lemire's multiplication with rejection.
    std::uint64_t below(std::uint64_t bound) {
        __extension__ using Wide = unsigned __int128;
        Wide product = static_cast<Wide>(next()) * bound;
        if (static_cast<std::uint64_t>(product) < bound) {
            const std::uint64_t threshold = (0 - bound) % bound;
            while (static_cast<std::uint64_t>(product) < threshold) product = static_cast<Wide>(next()) * bound;
        }
        return static_cast<std::uint64_t>(product >> 64);
    }

private:
    std::uint64_t m_state;
};

std::vector<std::uint32_t> permutation(std::uint64_t rowCount, std::uint64_t seed, std::uint64_t epoch) {
    std::vector<std::uint32_t> rows(rowCount);
    std::iota(rows.begin(), rows.end(), 0u);
    SplitMix64 random(SplitMix64(SplitMix64(seed).next() + epoch).next());
    for (std::uint64_t i = rowCount; i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
    return rows;
}

}  // namespace

DataOrder::DataOrder(std::uint64_t rowCount, std::uint64_t seed, bool shuffle) : m_rowCount(rowCount), m_seed(seed), m_shuffle(shuffle), m_epoch(0) {
    if (m_shuffle) m_permutation = permutation(m_rowCount, m_seed, m_epoch);
}

std::uint64_t DataOrder::rowAt(std::uint64_t position) const {
    if (m_rowCount == 0) return 0;
    const std::uint64_t epoch = position / m_rowCount;
    const std::uint64_t index = position % m_rowCount;
    if (!m_shuffle) return index;
    if (epoch != m_epoch) {
        m_permutation = permutation(m_rowCount, m_seed, epoch);
        m_epoch = epoch;
    }
    return m_permutation[index];
}

}  // namespace mofo
