// Loops over plain arrays: selecting among ranks, and sums in a fixed order. Included by slice_kernels_impl.h, under the same rules.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/cpu/slice_kernels.h"
#include "kernels/shared/arithmetic.h"
#include "kernels/shared/threshold_search.h"

namespace mofo::kernels::cpu {
namespace {

constexpr int lanes = 16;

template <class V>
struct ArrayLoops {
    using U = typename V::U;
    using Mask = typename V::Mask;

    /// Counts at pivots until a half or less of the ranks is left, keeps those, and so on; sixteen are compared all with all.
    [[gnu::flatten]] static Selected select(const std::uint32_t* ranks, std::int64_t n, std::int64_t k, std::uint32_t* scratch) {
        std::int64_t above = 0;  // ranks that were left behind above the interval
        const std::uint32_t* active = ranks;
        ThresholdSearch search = limits(active, n, k);
        while (!search.found() && n > lanes) {
            const std::uint32_t pivot = search.pivot();
            search.tell(pivot, countOver(active, n, pivot));
            if (search.found() || search.inside() > n / 2) continue;
            above += search.atLeastHi;
            k -= search.atLeastHi;
            n = keep(active, n, search.lo, search.hi, scratch);
            active = scratch;
            const int asked = search.asked;
            search = limits(active, n, k);
            search.asked = asked;
        }
        if (search.found()) return {search.lo, above + search.atLeastLo};
        // Of at most sixteen.
        const U all = V::loadBitsFirst(active, static_cast<int>(n));
        const Mask there = V::first(static_cast<int>(n));
        for (std::int64_t i = 0; i < n; ++i) {
            const std::uint32_t candidate = active[i];
            const std::int64_t atLeast = __builtin_popcount(V::bits(V::both(V::atLeast(all, V::setBits(candidate)), there)));
            const Mask larger = V::without(there, V::atLeast(V::setBits(candidate), all));
            if (__builtin_popcount(V::bits(larger)) < k && atLeast >= k) return {candidate, above + atLeast};
        }
        return {};
    }

    static ThresholdSearch limits(const std::uint32_t* ranks, std::int64_t n, std::int64_t k) {
        U least = V::setBits(0xffffffffU);
        U most = V::setBits(0);
        std::int64_t i = 0;
        for (; i + lanes <= n; i += lanes) {
            const U x = V::loadBits(ranks + i);
            least = V::min(least, x);
            most = V::max(most, x);
        }
        std::uint32_t low = V::minOver(least);
        std::uint32_t high = V::maxOver(most);
        for (; i < n; ++i) {
            low = ranks[i] < low ? ranks[i] : low;
            high = ranks[i] > high ? ranks[i] : high;
        }
        return {low, static_cast<std::uint64_t>(high) + 1, n, 0, k, 0};
    }

    static std::int64_t countOver(const std::uint32_t* ranks, std::int64_t n, std::uint32_t pivot) {
        const U limit = V::setBits(pivot);
        U counts = V::setBits(0);
        std::int64_t i = 0;
        for (; i + lanes <= n; i += lanes) counts = V::countUp(counts, V::atLeast(V::loadBits(ranks + i), limit));
        std::int64_t rest = 0;
        for (; i < n; ++i) rest += ranks[i] >= pivot ? 1 : 0;
        return rest + V::sumOver(counts);
    }

    /// Copies the ranks in [lo, hi) to `to`, which may be where they come from.
    static std::int64_t keep(const std::uint32_t* ranks, std::int64_t n, std::uint32_t lo, std::uint64_t hi, std::uint32_t* to) {
        const U from = V::setBits(lo);
        const U last = V::setBits(static_cast<std::uint32_t>(hi - 1));
        std::int64_t kept = 0, i = 0;
        for (; i + lanes <= n; i += lanes) {
            const U x = V::loadBits(ranks + i);
            const Mask mask = V::both(V::atLeast(x, from), V::atLeast(last, x));
            const std::uint32_t bits = V::bits(mask);
            if (bits == 0) continue;
            V::compress(to + kept, x, mask);
            kept += __builtin_popcount(bits);
        }
        for (; i < n; ++i) {
            const std::uint32_t x = ranks[i];
            if (x >= lo && x < hi) to[kept++] = x;
        }
        return kept;
    }

    [[gnu::flatten]] static void countByVector(const std::uint32_t* ranks, std::int64_t n, std::uint32_t threshold, std::int64_t* sum,
                                               std::int64_t* squares) {
        const U limit = V::setBits(threshold);
        *sum = *squares = 0;
        for (std::int64_t i = 0; i < n; i += lanes) {
            const std::int64_t count = __builtin_popcount(V::bits(V::atLeast(V::loadBits(ranks + i), limit)));
            *sum += count;
            *squares += count * count;
        }
    }
};

// The statistics below are left to the compiler's vectoriser: their order of summation is fixed by 16 explicit lanes.

inline double addSums(const double* sums) {
    double folded[lanes];
    std::memcpy(folded, sums, sizeof folded);
    for (int half = lanes / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) folded[i] += folded[i + half];
    }
    return folded[0];
}

double sumOfSquares(const float* x, std::int64_t n) {
    double sums[lanes] = {};
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        for (int j = 0; j < lanes; ++j) {
            const double value = x[i + j];
            sums[j] += value * value;
        }
    }
    for (int j = 0; i < n; ++i, ++j) sums[j] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return addSums(sums);
}

inline std::uint32_t bitsOf(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

inline std::uint32_t roundedToBf16(std::uint32_t bits) { return (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16; }

struct DriftLanes {
    double squares[lanes] = {};
    double pretrainedSquares[lanes] = {};
    double absolutes[lanes] = {};
    std::uint32_t largest[lanes] = {};
    std::int32_t changed[lanes] = {};
    std::int32_t changedBf16[lanes] = {};

    [[gnu::always_inline]] inline void add(int lane, float p, float p0) {
        const float difference = p - p0;
        const double wide = difference;
        const double before = p0;
        squares[lane] += wide * wide;
        pretrainedSquares[lane] += before * before;
        absolutes[lane] += wide < 0 ? -wide : wide;
        const std::uint32_t magnitude = bitsOf(difference) & 0x7fffffffU;
        largest[lane] = magnitude > largest[lane] ? magnitude : largest[lane];
        changed[lane] += static_cast<std::int32_t>(!(p == p0));
        const std::uint32_t now16 = roundedToBf16(bitsOf(p));
        const std::uint32_t before16 = roundedToBf16(bitsOf(p0));
        const bool zeros = ((now16 | before16) & 0x7fffU) == 0;
        const bool nan = p != p || p0 != p0;
        changedBf16[lane] += static_cast<std::int32_t>(((now16 != before16) & !zeros) | nan);
    }
};

void drift(const float* p, const float* p0, std::int64_t n, DriftSums* sums) {
    DriftLanes d;
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        for (int j = 0; j < lanes; ++j) d.add(j, p[i + j], p0[i + j]);
    }
    for (int j = 0; i < n; ++i, ++j) d.add(j, p[i], p0[i]);
    sums->squares = addSums(d.squares);
    sums->pretrainedSquares = addSums(d.pretrainedSquares);
    sums->absolutes = addSums(d.absolutes);
    sums->changed = 0;
    sums->changedBf16 = 0;
    std::uint32_t largest = 0;
    for (int j = 0; j < lanes; ++j) {
        largest = d.largest[j] > largest ? d.largest[j] : largest;
        sums->changed += d.changed[j];
        sums->changedBf16 += d.changedBf16[j];
    }
    std::memcpy(&sums->largest, &largest, sizeof largest);
}

}  // namespace
}  // namespace mofo::kernels::cpu
