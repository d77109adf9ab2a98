// The inner loops, written once over a vector type V (slice_kernels_*.cpp) and compiled once per instruction set. Everything is in an unnamed
// namespace: see slice_kernels.h.
//
// Every operation below is one IEEE rounding, and fused multiply-add is written out where PyTorch fuses (the files are compiled with
// -ffp-contract=off), so that all instruction sets give the same bits.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/cpu/slice_kernels.h"
#include "kernels/include/statistics.h"

namespace mofo::kernels::cpu {
namespace {

constexpr std::uint32_t infinityBits = 0x7f800000U;

/// Calls body<full>(offset, count) for V::width coordinates at a time; the last call of a row has full = false and count < V::width.
template <class V, class Body>
[[gnu::always_inline]] inline void forEachVector(const SliceView& slice, Body&& body) {
    for (std::int64_t row = 0; row < slice.rows; ++row) {
        const std::int64_t begin = row * slice.stride;
        std::int64_t i = 0;
        for (; i + V::width <= slice.length; i += V::width) body.template operator()<true>(begin + i, V::width);
        if (i < slice.length) body.template operator()<false>(begin + i, static_cast<int>(slice.length - i));
    }
}

template <class V, bool full>
[[gnu::always_inline]] inline typename V::F load(const float* at, int count) {
    if constexpr (full) return V::load(at);
    return V::loadFirst(at, count);
}

template <class V, bool full>
[[gnu::always_inline]] inline void store(float* at, typename V::F value, int count) {
    if constexpr (full) {
        V::store(at, value);
    } else {
        V::storeFirst(at, value, count);
    }
}

template <class V>
struct Constants {
    using F = typename V::F;
    explicit Constants(const StepScalars& s)
        : gradScale(V::set(s.gradScale)),
          beta2(V::set(s.beta2)),
          squareWeight(V::set(s.squareWeight)),
          rootCorrection(V::set(s.rootCorrection)),
          eps(V::set(s.eps)),
          stepSize(V::set(s.stepSize)),
          decay(V::set(s.decay)),
          lerpFromGradient(s.momentWeight >= 0.5F),
          // PyTorch's lerp starts from the nearer end.
          lerpWeight(V::set(lerpFromGradient ? s.momentWeight - 1.0F : s.momentWeight)) {}

    F gradScale, beta2, squareWeight, rootCorrection, eps, stepSize, decay;
    bool lerpFromGradient;
    F lerpWeight;

    [[gnu::always_inline]] F newM(F m, F g) const { return V::fma(lerpWeight, V::sub(g, m), lerpFromGradient ? g : m); }
    [[gnu::always_inline]] F newV(F v, F g) const { return V::fma(V::mul(squareWeight, g), g, V::mul(v, beta2)); }
    [[gnu::always_inline]] F moved(F p, F m, F v) const {
        const F h = V::add(V::div(V::sqrt(v), rootCorrection), eps);
        return V::add(p, V::div(V::mul(stepSize, m), h));
    }
};

template <class V>
bool findsNan(const SliceView& slice, const StepScalars& scalars) {
    const Constants<V> c(scalars);
    auto largest = V::zeroBits();
    forEachVector<V>(
        slice, [&]<bool full>(std::int64_t at, int count) __attribute__((always_inline)) {
            const auto g = V::mul(load<V, full>(slice.g + at, count), c.gradScale);
            largest = V::max(largest, V::magnitude(c.newM(load<V, full>(slice.m + at, count), g)));
        });
    return V::maxOver(largest) > infinityBits;
}

/// Counting leaves the processor no room to look ahead by itself.
[[gnu::always_inline]] inline void prefetch(const float* at) { __builtin_prefetch(at + 256, 0, 3); }

/// Counts bins in a histogram, some hundred at a time: a loop that does nothing else keeps the processor's load and store units full, where
/// increments between the arithmetic of the update would leave them waiting.
template <class V>
class BinCounter {
public:
    explicit BinCounter(std::uint32_t* histogram) : m_histogram(histogram) {}

    [[gnu::always_inline]] void add(typename V::U bins, int count) {
        V::storeLow16(m_waiting + m_fill, bins);
        m_fill += count;
        if (m_fill > capacity - V::width) flush();
    }
    void flush() {
        std::uint32_t* const histogram = m_histogram;
        const int fill = m_fill;
        int i = 0;
        for (; i + 4 <= fill; i += 4) {
            std::uint64_t four;
            std::memcpy(&four, m_waiting + i, sizeof four);
            ++histogram[four & 0xffffU];
            ++histogram[(four >> 16) & 0xffffU];
            ++histogram[(four >> 32) & 0xffffU];
            ++histogram[four >> 48];
        }
        for (; i < fill; ++i) ++histogram[m_waiting[i]];
        m_fill = 0;
    }

private:
    static constexpr int capacity = 256;
    std::uint32_t* m_histogram;
    int m_fill = 0;
    alignas(64) std::uint16_t m_waiting[capacity];
};

template <class V>
bool updateMoments(const SliceView& slice, const StepScalars& scalars, int shift, std::uint32_t* histogram) {
    const Constants<V> c(scalars);
    BinCounter<V> counter(histogram);
    auto largest = V::zeroBits();
    forEachVector<V>(
        slice, [&]<bool full>(std::int64_t at, int count) __attribute__((always_inline)) {
            prefetch(slice.g + at);
            prefetch(slice.m + at);
            prefetch(slice.v + at);
            const auto g = V::mul(load<V, full>(slice.g + at, count), c.gradScale);
            const auto m = c.newM(load<V, full>(slice.m + at, count), g);
            store<V, full>(slice.m + at, m, count);
            store<V, full>(slice.v + at, c.newV(load<V, full>(slice.v + at, count), g), count);
            const auto magnitude = V::magnitude(m);
            largest = V::max(largest, magnitude);
            // Rows of an embedding that no token has touched yet are all zero; one by one they would queue up on one bin.
            if (V::allZero(magnitude)) {
                histogram[0] += static_cast<std::uint32_t>(count);
            } else {
                counter.add(V::shiftRight(magnitude, shift), count);
            }
        });
    counter.flush();
    return V::maxOver(largest) >= infinityBits;
}

template <class V>
void countDigit(const SliceView& slice, std::uint32_t prefix, Digit digit, std::uint32_t* histogram) {
    const std::uint32_t digitMask = (1U << digit.width) - 1U;
    const auto wanted = V::setBits(prefix);
    forEachVector<V>(
        slice, [&]<bool full>(std::int64_t at, int count) __attribute__((always_inline)) {
            const auto magnitude = V::magnitude(load<V, full>(slice.m + at, count));
            std::uint32_t hits = V::bits(V::equal(V::shiftRight(magnitude, digit.shift + digit.width), wanted));
            if constexpr (!full) hits &= (1U << count) - 1U;
            if (hits == 0) return;
            if (V::allZero(magnitude)) {
                histogram[0] += static_cast<std::uint32_t>(count);
                return;
            }
            alignas(64) std::uint32_t values[V::width];
            V::storeBits(values, V::shiftRight(magnitude, digit.shift));
            for (; hits != 0; hits &= hits - 1) ++histogram[values[__builtin_ctz(hits)] & digitMask];
        });
}

/// Moves p by the step where `selected`. Where nothing is selected p is not even read, unless all of it decays.
template <class V, bool full, Decay decay>
[[gnu::always_inline]] inline void moveSelected(const Constants<V>& c, float* at, int count, typename V::Mask selected, typename V::F m,
                                                typename V::F v) {
    auto p = load<V, full>(at, count);
    if constexpr (decay == Decay::All) p = V::mul(p, c.decay);
    const auto from = decay == Decay::Selected ? V::mul(p, c.decay) : p;
    store<V, full>(at, V::select(selected, c.moved(from, m, v), p), count);
}

template <class V, Decay decay>
Moved moveWith(const SliceView& slice, const StepScalars& scalars, std::uint32_t threshold) {
    const Constants<V> c(scalars);
    const auto limit = V::setBits(threshold);
    Moved moved{0, 0};
    forEachVector<V>(
        slice, [&]<bool full>(std::int64_t at, int count) __attribute__((always_inline)) {
            const auto m = load<V, full>(slice.m + at, count);
            const auto magnitude = V::magnitude(m);
            const auto mask = V::atLeast(magnitude, limit);
            const auto selected = V::both(mask, V::nonZero(magnitude));
            std::uint32_t maskBits = V::bits(mask);
            if constexpr (!full) maskBits &= (1U << count) - 1U;
            const std::uint32_t selectedBits = V::bits(selected);
            moved.masked += __builtin_popcount(maskBits);
            if (selectedBits != 0) {
                moved.selected += __builtin_popcount(selectedBits);
                moveSelected<V, full, decay>(c, slice.p + at, count, selected, m, load<V, full>(slice.v + at, count));
            } else if constexpr (decay == Decay::All) {
                store<V, full>(slice.p + at, V::mul(load<V, full>(slice.p + at, count), c.decay), count);
            }
        });
    return moved;
}

template <class V>
Moved move(const SliceView& slice, const StepScalars& scalars, std::uint32_t threshold, Decay decay) {
    switch (decay) {
        case Decay::All: return moveWith<V, Decay::All>(slice, scalars, threshold);
        case Decay::Selected: return moveWith<V, Decay::Selected>(slice, scalars, threshold);
        case Decay::None: break;
    }
    return moveWith<V, Decay::None>(slice, scalars, threshold);
}

template <class V, Decay decay>
Moved updateAndMoveWith(const SliceView& slice, const StepScalars& scalars, bool* notFinite) {
    const Constants<V> c(scalars);
    auto largest = V::zeroBits();
    std::int64_t moved = 0;
    forEachVector<V>(
        slice, [&]<bool full>(std::int64_t at, int count) __attribute__((always_inline)) {
            const auto g = V::mul(load<V, full>(slice.g + at, count), c.gradScale);
            const auto m = c.newM(load<V, full>(slice.m + at, count), g);
            const auto v = c.newV(load<V, full>(slice.v + at, count), g);
            store<V, full>(slice.m + at, m, count);
            store<V, full>(slice.v + at, v, count);
            const auto magnitude = V::magnitude(m);
            largest = V::max(largest, magnitude);
            const auto selected = V::nonZero(magnitude);
            const std::uint32_t selectedBits = V::bits(selected);
            if (selectedBits != 0) {
                moved += __builtin_popcount(selectedBits);
                moveSelected<V, full, decay>(c, slice.p + at, count, selected, m, v);
            } else if constexpr (decay == Decay::All) {
                store<V, full>(slice.p + at, V::mul(load<V, full>(slice.p + at, count), c.decay), count);
            }
        });
    if (V::maxOver(largest) >= infinityBits) *notFinite = true;
    return {slice.rows * slice.length, moved};
}

template <class V>
Moved updateAndMove(const SliceView& slice, const StepScalars& scalars, Decay decay, bool* notFinite) {
    switch (decay) {
        case Decay::All: return updateAndMoveWith<V, Decay::All>(slice, scalars, notFinite);
        case Decay::Selected: return updateAndMoveWith<V, Decay::Selected>(slice, scalars, notFinite);
        case Decay::None: break;
    }
    return updateAndMoveWith<V, Decay::None>(slice, scalars, notFinite);
}

// The statistics below are left to the compiler's vectoriser: their order of summation is fixed by 16 explicit lanes.

constexpr int lanes = 16;

inline double addLanes(const double* sums) {
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
    return addLanes(sums);
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
    sums->squares = addLanes(d.squares);
    sums->pretrainedSquares = addLanes(d.pretrainedSquares);
    sums->absolutes = addLanes(d.absolutes);
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

void countExponents(const float* x, std::int64_t n, std::int64_t* exponents) {
    for (std::int64_t i = 0; i < n; ++i) {
        const std::uint32_t magnitude = bitsOf(x[i]) & 0x7fffffffU;
        ++exponents[magnitude == 0 ? 256U : magnitude > infinityBits ? 257U : magnitude >> 23];
    }
}

template <class V>
constexpr SliceKernels kernelsOver() {
    return {findsNan<V>, updateMoments<V>, countDigit<V>, move<V>, updateAndMove<V>, sumOfSquares, drift, countExponents};
}

}  // namespace
}  // namespace mofo::kernels::cpu
