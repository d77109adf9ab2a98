// Sixteen coordinates at a time: AVX-512 F, DQ, BW and VL, compiled with those flags and called only where the processor has all of them.
#include <immintrin.h>

#include "kernels/cpu/slice_kernels_impl.h"

namespace mofo::kernels::cpu {
namespace {

struct Avx512 {
    static constexpr int width = 16;
    using F = __m512;
    using U = __m512i;
    using Mask = __mmask16;

    static __mmask16 firstLanes(int count) { return static_cast<__mmask16>((1U << count) - 1U); }
    static F load(const float* at) { return _mm512_loadu_ps(at); }
    static F loadFirst(const float* at, int count) { return _mm512_maskz_loadu_ps(firstLanes(count), at); }
    static void store(float* at, F x) { _mm512_storeu_ps(at, x); }
    static void storeFirst(float* at, F x, int count) { _mm512_mask_storeu_ps(at, firstLanes(count), x); }
    static F set(float x) { return _mm512_set1_ps(x); }
    static F add(F a, F b) { return _mm512_add_ps(a, b); }
    static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
    static F div(F a, F b) { return _mm512_div_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    static F sqrt(F a) { return _mm512_sqrt_ps(a); }
    static F select(Mask mask, F a, F b) { return _mm512_mask_blend_ps(mask, b, a); }

    static U zeroBits() { return _mm512_setzero_si512(); }
    static U setBits(std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
    static U magnitude(F x) { return _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff)); }
    static U shiftRight(U x, int by) { return _mm512_srl_epi32(x, _mm_cvtsi32_si128(by)); }
    static U max(U a, U b) { return _mm512_max_epu32(a, b); }
    static std::uint32_t maxOver(U a) { return static_cast<std::uint32_t>(_mm512_reduce_max_epu32(a)); }
    static bool allZero(U a) { return _mm512_test_epi32_mask(a, a) == 0; }
    static void storeBits(std::uint32_t* at, U x) { _mm512_store_si512(at, x); }
    static void storeLow16(std::uint16_t* at, U x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm512_cvtepi32_epi16(x)); }

    static Mask equal(U a, U b) { return _mm512_cmpeq_epu32_mask(a, b); }
    static Mask atLeast(U a, U b) { return _mm512_cmpge_epu32_mask(a, b); }
    static Mask nonZero(U a) { return _mm512_test_epi32_mask(a, a); }
    static Mask both(Mask a, Mask b) { return static_cast<Mask>(a & b); }
    static std::uint32_t bits(Mask mask) { return mask; }
};

}  // namespace

constinit const SliceKernels avx512Kernels = kernelsOver<Avx512>();

}  // namespace mofo::kernels::cpu
