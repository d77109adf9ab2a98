// Sixteen coordinates in one register: AVX-512 F, DQ, BW and VL, compiled with those flags and called only where the processor has all of them.
#include <immintrin.h>

#include "kernels/cpu/slice_kernels_impl.h"

namespace mofo::kernels::cpu {
namespace {

struct Avx512 {
    using F = __m512;
    using U = __m512i;
    static constexpr bool compressesFast = true;
    using Mask = __mmask16;

    static __mmask16 firstLanes(int count) { return static_cast<__mmask16>((1U << count) - 1U); }
    static F load(const float* at) { return _mm512_loadu_ps(at); }
    static F loadFirst(const float* at, int count) { return _mm512_maskz_loadu_ps(firstLanes(count), at); }
    static void store(float* at, F x) { _mm512_storeu_ps(at, x); }
    static void storeFirst(float* at, F x, int count) { _mm512_mask_storeu_ps(at, firstLanes(count), x); }
    static F widened(__m256i x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }
    static F loadBf16(const std::uint16_t* at) { return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at))); }
    static F loadBf16First(const std::uint16_t* at, int count) { return widened(_mm256_maskz_loadu_epi16(firstLanes(count), at)); }
    static void storeLow16(std::uint16_t* at, U x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm512_cvtepi32_epi16(x)); }
    static void storeLow16First(std::uint16_t* at, U x, int count) { _mm256_mask_storeu_epi16(at, firstLanes(count), _mm512_cvtepi32_epi16(x)); }
    static U loadBits(const std::uint32_t* at) { return _mm512_loadu_si512(at); }
    static U loadBitsFirst(const std::uint32_t* at, int count) { return _mm512_maskz_loadu_epi32(firstLanes(count), at); }
    static void storeBits(std::uint32_t* at, U x) { _mm512_storeu_si512(at, x); }

    static F set(float x) { return _mm512_set1_ps(x); }
    static F add(F a, F b) { return _mm512_add_ps(a, b); }
    static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
    static F div(F a, F b) { return _mm512_div_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    static F sqrt(F a) { return _mm512_sqrt_ps(a); }
    static F select(Mask mask, F a, F b) { return _mm512_mask_blend_ps(mask, b, a); }

    static U setBits(std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
    static U bitsOf(F x) { return _mm512_castps_si512(x); }
    static F floatOf(U x) { return _mm512_castsi512_ps(x); }
    static U magnitude(F x) { return _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff)); }
    static U bitAnd(U a, U b) { return _mm512_and_si512(a, b); }
    static U bitOr(U a, U b) { return _mm512_or_si512(a, b); }
    static U bitXor(U a, U b) { return _mm512_xor_si512(a, b); }
    static U addBits(U a, U b) { return _mm512_add_epi32(a, b); }
    static U subBits(U a, U b) { return _mm512_sub_epi32(a, b); }
    static U mulBits(U a, std::uint32_t b) { return _mm512_mullo_epi32(a, setBits(b)); }
    template <int by>
    static U shiftRightBy(U x) {
        return _mm512_srli_epi32(x, by);
    }
    template <int by>
    static U shiftLeftBy(U x) {
        return _mm512_slli_epi32(x, by);
    }
    static U selectBits(Mask mask, U a, U b) { return _mm512_mask_blend_epi32(mask, b, a); }
    static U iota() { return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
    static U max(U a, U b) { return _mm512_max_epu32(a, b); }
    static U min(U a, U b) { return _mm512_min_epu32(a, b); }
    static std::uint32_t maxOver(U a) { return static_cast<std::uint32_t>(_mm512_reduce_max_epu32(a)); }
    static std::uint32_t minOver(U a) { return static_cast<std::uint32_t>(_mm512_reduce_min_epu32(a)); }
    /// Adds one where `mask` is set; summed over the lanes by sumOver.
    static U countUp(U counts, Mask mask) { return _mm512_mask_sub_epi32(counts, mask, counts, _mm512_set1_epi32(-1)); }
    static std::uint32_t sumOver(U a) { return static_cast<std::uint32_t>(_mm512_reduce_add_epi32(a)); }

    static Mask atLeast(U a, U b) { return _mm512_cmpge_epu32_mask(a, b); }
    static Mask nonZero(U a) { return _mm512_test_epi32_mask(a, a); }
    static Mask both(Mask a, Mask b) { return static_cast<Mask>(a & b); }
    static Mask either(Mask a, Mask b) { return static_cast<Mask>(a | b); }
    static Mask without(Mask a, Mask b) { return static_cast<Mask>(a & ~b); }
    static Mask first(int count) { return firstLanes(count); }
    static Mask all() { return static_cast<Mask>(0xffffU); }
    static std::uint32_t bits(Mask mask) { return mask; }
    /// Writes sixteen values, of which those in `mask` come first.
    static void compress(std::uint32_t* at, U x, Mask mask) { _mm512_storeu_si512(at, _mm512_maskz_compress_epi32(mask, x)); }
    static void compress(float* at, F x, Mask mask) { _mm512_storeu_ps(at, _mm512_maskz_compress_ps(mask, x)); }

    /// The lowest bytes of those in `mask`; writes sixteen.
    static void compressBytes(std::int8_t* at, U x, Mask mask) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm512_cvtepi32_epi8(_mm512_maskz_compress_epi32(mask, x)));
    }

    /// Sixteen sums in double, lane by lane.
    struct Sums {
        __m512d low = _mm512_setzero_pd(), high = _mm512_setzero_pd();
        void addSquares(F x) {
            const __m512d a = _mm512_cvtps_pd(_mm512_castps512_ps256(x));
            const __m512d b = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
            low = _mm512_add_pd(low, _mm512_mul_pd(a, a));
            high = _mm512_add_pd(high, _mm512_mul_pd(b, b));
        }
        void add(F x) {
            low = _mm512_add_pd(low, _mm512_cvtps_pd(_mm512_castps512_ps256(x)));
            high = _mm512_add_pd(high, _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)));
        }
        void store(double* lanes) const {
            _mm512_storeu_pd(lanes, low);
            _mm512_storeu_pd(lanes + 8, high);
        }
    };
};

}  // namespace

constinit const InstructionSetKernels avx512Kernels = kernelsOver<Avx512>();

}  // namespace mofo::kernels::cpu
