// One coordinate for the arithmetic of kernels/shared/arithmetic.h. On the GPU each operation is the instruction that rounds once, to nearest, with
// denormals (no -use_fast_math, no -ftz); on the CPU it is the operator, with contraction off.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/shared/arithmetic.h"

namespace mofo::kernels::cuda {

struct Lane {
    using F = float;
    using U = std::uint32_t;
    using Mask = bool;

#ifdef __CUDA_ARCH__
    MOFO_KERNEL_INLINE static F add(F a, F b) { return __fadd_rn(a, b); }
    MOFO_KERNEL_INLINE static F sub(F a, F b) { return __fsub_rn(a, b); }
    MOFO_KERNEL_INLINE static F mul(F a, F b) { return __fmul_rn(a, b); }
    MOFO_KERNEL_INLINE static F div(F a, F b) { return __fdiv_rn(a, b); }
    MOFO_KERNEL_INLINE static F fma(F a, F b, F c) { return __fmaf_rn(a, b, c); }
    MOFO_KERNEL_INLINE static F sqrt(F a) { return __fsqrt_rn(a); }
    MOFO_KERNEL_INLINE static U bitsOf(F x) { return __float_as_uint(x); }
    MOFO_KERNEL_INLINE static F floatOf(U x) { return __uint_as_float(x); }
    MOFO_KERNEL_INLINE static int count(U x) { return __popc(x); }
    MOFO_KERNEL_INLINE static int width(U x) { return 32 - __clz(static_cast<int>(x)); }
    /// Nearest, ties to even; not for NaN.
    MOFO_KERNEL_INLINE static std::uint64_t integer(F x) { return __float2ull_rn(x); }
#else
    MOFO_KERNEL_INLINE static F add(F a, F b) { return a + b; }
    MOFO_KERNEL_INLINE static F sub(F a, F b) { return a - b; }
    MOFO_KERNEL_INLINE static F mul(F a, F b) { return a * b; }
    MOFO_KERNEL_INLINE static F div(F a, F b) { return a / b; }
    MOFO_KERNEL_INLINE static F fma(F a, F b, F c) { return std::fma(a, b, c); }
    MOFO_KERNEL_INLINE static F sqrt(F a) { return std::sqrt(a); }
    MOFO_KERNEL_INLINE static U bitsOf(F x) { return std::bit_cast<U>(x); }
    MOFO_KERNEL_INLINE static F floatOf(U x) { return std::bit_cast<F>(x); }
    MOFO_KERNEL_INLINE static int count(U x) { return std::popcount(x); }
    MOFO_KERNEL_INLINE static int width(U x) { return static_cast<int>(std::bit_width(x)); }
    MOFO_KERNEL_INLINE static std::uint64_t integer(F x) { return static_cast<std::uint64_t>(std::llrint(x)); }
#endif

    MOFO_KERNEL_INLINE static F set(F x) { return x; }
    MOFO_KERNEL_INLINE static U setBits(U x) { return x; }
    MOFO_KERNEL_INLINE static F select(Mask mask, F a, F b) { return mask ? a : b; }
    MOFO_KERNEL_INLINE static U magnitude(F x) { return bitsOf(x) & 0x7fffffffU; }
    MOFO_KERNEL_INLINE static U bitAnd(U a, U b) { return a & b; }
    MOFO_KERNEL_INLINE static U bitOr(U a, U b) { return a | b; }
    MOFO_KERNEL_INLINE static U bitXor(U a, U b) { return a ^ b; }
    MOFO_KERNEL_INLINE static U addBits(U a, U b) { return a + b; }
    MOFO_KERNEL_INLINE static U mulBits(U a, U b) { return a * b; }
    template <int by>
    MOFO_KERNEL_INLINE static U shiftRightBy(U x) {
        return x >> by;
    }
    MOFO_KERNEL_INLINE static Mask atLeast(U a, U b) { return a >= b; }
    MOFO_KERNEL_INLINE static U selectBits(Mask mask, U a, U b) { return mask ? a : b; }
    MOFO_KERNEL_INLINE static U lowIndices(std::int64_t index) { return static_cast<U>(index); }
    MOFO_KERNEL_INLINE static U upperTerm(std::int64_t index) { return 0x9e3779b9U * static_cast<U>(static_cast<std::uint64_t>(index) >> 32); }
};

namespace {

using Arithmetic = StepArithmetic<Lane>;

/// What a coordinate is ranked by: of g' and the new m and v, at `index` of its tensor. Momentum alone is worth kernels of its own (`momentumOnly`);
/// the others share theirs.
template <bool momentumOnly>
MOFO_KERNEL_INLINE std::uint32_t rankOf(const Arithmetic& arithmetic, Rule rule, float g, float m, float v, Draw draw, std::int64_t index) {
    if constexpr (momentumOnly) {
        return arithmetic.rank<Rule::Momentum>(g, m, v, draw, index);
    } else {
        switch (rule) {
            case Rule::Gradient: return arithmetic.rank<Rule::Gradient>(g, m, v, draw, index);
            case Rule::Random: return arithmetic.rank<Rule::Random>(g, m, v, draw, index);
            case Rule::MomentumOverRoot: {
                // Infinity over infinity: the NaN of x86, where the GPU has another one.
                const std::uint32_t rank = arithmetic.rank<Rule::MomentumOverRoot>(g, m, v, draw, index);
                return rank > infinityBits ? 0x7fc00000U : rank;
            }
            default: return arithmetic.rank<Rule::Momentum>(g, m, v, draw, index);
        }
    }
}

}  // namespace
}  // namespace mofo::kernels::cuda
