// The arithmetic of a step, written once for all twins: over sixteen coordinates at a time on the CPU (kernels/cpu/slice_kernels_*.cpp) and over one
// coordinate a thread on CUDA. V gives the types F (floats), U (uint32) and Mask (one truth value a coordinate) and the operations on them.
//
// Every operation is one IEEE rounding, and fused multiply-add is written out where PyTorch fuses, so that all twins give the same bits. Host code
// that includes this is compiled with -ffp-contract=off, device code with -fmad=false.
#pragma once

#include <cstdint>

#include "kernels/include/optimizer_step.h"

#ifdef __CUDACC__
#define MOFO_KERNEL_INLINE __host__ __device__ __forceinline__
#else
#define MOFO_KERNEL_INLINE [[gnu::always_inline]] inline
#endif

namespace mofo::kernels {
namespace {  // compiled with the instruction set of each file that includes it: see kernels/cpu/slice_kernels.h

constexpr std::uint32_t infinityBits = 0x7f800000U;

/// A bijection of the 32-bit numbers (the finaliser of MurmurHash3, public domain): neighbours in, noise out.
template <class V>
MOFO_KERNEL_INLINE typename V::U scrambled(typename V::U x) {
    x = V::bitXor(x, V::template shiftRightBy<16>(x));
    x = V::mulBits(x, 0x85ebca6bU);
    x = V::bitXor(x, V::template shiftRightBy<13>(x));
    x = V::mulBits(x, 0xc2b2ae35U);
    return V::bitXor(x, V::template shiftRightBy<16>(x));
}

/// What the coordinates of a tensor draw: for coordinate i a number that depends on (key, i) alone, different for all i with the same upper half.
struct Draw {
    std::uint32_t first, second;
};

MOFO_KERNEL_INLINE Draw drawOf(std::uint64_t stepKey, std::uint64_t tensorKey) {
    std::uint64_t z = stepKey ^ (tensorKey * 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    return {static_cast<std::uint32_t>(z), static_cast<std::uint32_t>(z >> 32)};
}

/// Of coordinates index, index + 1, ... (V::lowIndices gives their lower halves, V::upperTerm 0x9e3779b9 times their upper halves).
template <class V>
MOFO_KERNEL_INLINE typename V::U drawn(Draw draw, std::int64_t index) {
    const typename V::U low = V::addBits(V::lowIndices(index), V::setBits(draw.first));
    const typename V::U once = scrambled<V>(V::bitXor(low, V::upperTerm(index)));
    return scrambled<V>(V::bitXor(once, V::setBits(draw.second)));
}

/// Nearest bf16 (ties to even), as the lower 16 bits; a NaN stays one.
template <class V>
MOFO_KERNEL_INLINE typename V::U nearestBf16(typename V::F x) {
    const typename V::U bits = V::bitsOf(x);
    const typename V::U odd = V::bitAnd(V::template shiftRightBy<16>(bits), V::setBits(1U));
    const typename V::U rounded = V::template shiftRightBy<16>(V::addBits(V::addBits(bits, V::setBits(0x7fffU)), odd));
    const typename V::U quiet = V::bitOr(V::template shiftRightBy<16>(bits), V::setBits(0x40U));
    return V::selectBits(V::atLeast(V::magnitude(x), V::setBits(infinityBits + 1)), quiet, rounded);
}

/// One of the two bf16 beside x, the nearer one more often: its expectation is x. Infinities and NaN stay.
template <class V>
MOFO_KERNEL_INLINE typename V::U stochasticBf16(typename V::F x, typename V::U random) {
    const typename V::U bits = V::bitsOf(x);
    const typename V::U rounded = V::template shiftRightBy<16>(V::addBits(bits, V::bitAnd(random, V::setBits(0xffffU))));
    const typename V::U special = nearestBf16<V>(x);
    return V::selectBits(V::atLeast(V::magnitude(x), V::setBits(infinityBits)), special, rounded);
}

MOFO_KERNEL_INLINE bool hasFullMantissa(float x) {
    union {
        float number;
        std::uint32_t bits;
    } pattern = {x};
    return (pattern.bits & 0x7fffffU) == 0x7fffffU;
}

/// The scalars of a step in V's form, and what they do to a coordinate.
template <class V>
struct StepArithmetic {
    using F = typename V::F;
    using U = typename V::U;

    MOFO_KERNEL_INLINE explicit StepArithmetic(const StepScalars& s)
        : gradScale(V::set(s.gradScale)),
          beta2(V::set(s.beta2)),
          squareWeight(V::set(s.squareWeight)),
          rootCorrection(V::set(s.rootCorrection)),
          negativeCorrection(V::set(-s.rootCorrection)),
          inverseCorrection(V::set(1.0F / s.rootCorrection)),
          divides(hasFullMantissa(s.rootCorrection)),
          eps(V::set(s.eps)),
          stepSize(V::set(s.stepSize)),
          lerpFromGradient(s.momentWeight >= 0.5F),
          // PyTorch's lerp starts from the nearer end.
          lerpWeight(V::set(s.momentWeight >= 0.5F ? s.momentWeight - 1.0F : s.momentWeight)) {}

    F gradScale, beta2, squareWeight, rootCorrection, negativeCorrection, inverseCorrection;
    bool divides;
    F eps, stepSize;
    bool lerpFromGradient;
    F lerpWeight;

    MOFO_KERNEL_INLINE F scaled(F g) const { return V::mul(g, gradScale); }
    MOFO_KERNEL_INLINE F newM(F m, F g) const { return V::fma(lerpWeight, V::sub(g, m), lerpFromGradient ? g : m); }
    MOFO_KERNEL_INLINE F newV(F v, F g) const { return V::fma(V::mul(squareWeight, g), g, V::mul(v, beta2)); }
    /// sqrt(v) / rootCorrection + eps. The quotient is the correctly rounded one without a division, which takes three times as long: the remainder
    /// of a first guess is exact, and adding what is missing rounds correctly (Brisebarre, Muller and Raina 2004, "Accelerating correctly rounded
    /// floating-point division when the divisor is known in advance"), given the correctly rounded reciprocal of a divisor whose mantissa is not all
    /// ones, and no underflow: no root of a positive float is below 2^-75. Infinity has no remainder and stays.
    MOFO_KERNEL_INLINE F root(F v) const {
        const F dividend = V::sqrt(v);
        if (divides) return V::add(V::div(dividend, rootCorrection), eps);
        const F guess = V::mul(dividend, inverseCorrection);
        const F quotient = V::fma(V::fma(guess, negativeCorrection, dividend), inverseCorrection, guess);
        return V::add(V::select(V::atLeast(V::bitsOf(dividend), V::setBits(infinityBits)), dividend, quotient), eps);
    }
    /// What p moves by.
    MOFO_KERNEL_INLINE F update(F m, F v) const { return V::div(V::mul(stepSize, m), root(v)); }

    /// Of g' and the new m and v, for the coordinate(s) at `index`.
    template <Rule rule>
    MOFO_KERNEL_INLINE U rank(F g, F m, F v, Draw draw, std::int64_t index) const {
        if constexpr (rule == Rule::Momentum) {
            return V::magnitude(m);
        } else if constexpr (rule == Rule::Gradient) {
            return V::magnitude(g);
        } else if constexpr (rule == Rule::MomentumOverRoot) {
            return V::magnitude(V::div(m, root(v)));
        } else {
            static_assert(rule == Rule::Random);
            return drawn<V>(draw, index);
        }
    }
};

}  // namespace
}  // namespace mofo::kernels
