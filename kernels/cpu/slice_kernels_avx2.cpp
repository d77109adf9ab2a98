// Sixteen coordinates in two registers: AVX2 and FMA, compiled with those flags and called only where the processor has both.
#include <immintrin.h>

#include "kernels/cpu/slice_kernels_impl.h"

namespace mofo::kernels::cpu {
namespace {

struct Avx2 {
    struct F {
        __m256 a, b;
    };
    struct U {
        __m256i a, b;
    };
    static constexpr bool compressesFast = false;
    using Mask = U;  // all bits of a lane or none

    static __m256i lanesBelow(int count) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
    static F load(const float* at) { return {_mm256_loadu_ps(at), _mm256_loadu_ps(at + 8)}; }
    static F loadFirst(const float* at, int count) {
        return {_mm256_maskload_ps(at, lanesBelow(count)), _mm256_maskload_ps(at + 8, lanesBelow(count - 8))};
    }
    static void store(float* at, F x) {
        _mm256_storeu_ps(at, x.a);
        _mm256_storeu_ps(at + 8, x.b);
    }
    static void storeFirst(float* at, F x, int count) {
        _mm256_maskstore_ps(at, lanesBelow(count), x.a);
        _mm256_maskstore_ps(at + 8, lanesBelow(count - 8), x.b);
    }
    static __m256 widened(const std::uint16_t* at) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))), 16));
    }
    static F loadBf16(const std::uint16_t* at) { return {widened(at), widened(at + 8)}; }
    static F loadBf16First(const std::uint16_t* at, int count) {
        std::uint16_t copy[16] = {};
        std::memcpy(copy, at, static_cast<std::size_t>(count) * sizeof *at);
        return loadBf16(copy);
    }
    static void storeLow16(std::uint16_t* at, U x) {
        const __m256i low = _mm256_set1_epi32(0xffff);
        const __m256i packed = _mm256_packus_epi32(_mm256_and_si256(x.a, low), _mm256_and_si256(x.b, low));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm256_permute4x64_epi64(packed, 0xd8));
    }
    static void storeLow16First(std::uint16_t* at, U x, int count) {
        std::uint16_t copy[16];
        storeLow16(copy, x);
        std::memcpy(at, copy, static_cast<std::size_t>(count) * sizeof *at);
    }
    static U loadBits(const std::uint32_t* at) {
        return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 8))};
    }
    static U loadBitsFirst(const std::uint32_t* at, int count) {
        const auto* from = reinterpret_cast<const int*>(at);
        return {_mm256_maskload_epi32(from, lanesBelow(count)), _mm256_maskload_epi32(from + 8, lanesBelow(count - 8))};
    }
    static void storeBits(std::uint32_t* at, U x) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), x.a);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(at + 8), x.b);
    }

    static F set(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
    static F add(F x, F y) { return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
    static F sub(F x, F y) { return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)}; }
    static F mul(F x, F y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
    static F div(F x, F y) { return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)}; }
    static F fma(F x, F y, F z) { return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)}; }
    static F sqrt(F x) { return {_mm256_sqrt_ps(x.a), _mm256_sqrt_ps(x.b)}; }
    static F select(Mask mask, F x, F y) {
        return {_mm256_blendv_ps(y.a, x.a, _mm256_castsi256_ps(mask.a)), _mm256_blendv_ps(y.b, x.b, _mm256_castsi256_ps(mask.b))};
    }

    static U setBits(std::uint32_t x) {
        const __m256i both = _mm256_set1_epi32(static_cast<int>(x));
        return {both, both};
    }
    static U bitsOf(F x) { return {_mm256_castps_si256(x.a), _mm256_castps_si256(x.b)}; }
    static F floatOf(U x) { return {_mm256_castsi256_ps(x.a), _mm256_castsi256_ps(x.b)}; }
    static U magnitude(F x) { return bitAnd(bitsOf(x), setBits(0x7fffffffU)); }
    static U bitAnd(U x, U y) { return {_mm256_and_si256(x.a, y.a), _mm256_and_si256(x.b, y.b)}; }
    static U bitOr(U x, U y) { return {_mm256_or_si256(x.a, y.a), _mm256_or_si256(x.b, y.b)}; }
    static U bitXor(U x, U y) { return {_mm256_xor_si256(x.a, y.a), _mm256_xor_si256(x.b, y.b)}; }
    static U addBits(U x, U y) { return {_mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b)}; }
    static U subBits(U x, U y) { return {_mm256_sub_epi32(x.a, y.a), _mm256_sub_epi32(x.b, y.b)}; }
    static U mulBits(U x, std::uint32_t y) {
        const __m256i factor = _mm256_set1_epi32(static_cast<int>(y));
        return {_mm256_mullo_epi32(x.a, factor), _mm256_mullo_epi32(x.b, factor)};
    }
    template <int by>
    static U shiftRightBy(U x) {
        return {_mm256_srli_epi32(x.a, by), _mm256_srli_epi32(x.b, by)};
    }
    template <int by>
    static U shiftLeftBy(U x) {
        return {_mm256_slli_epi32(x.a, by), _mm256_slli_epi32(x.b, by)};
    }
    static U selectBits(Mask mask, U x, U y) { return {_mm256_blendv_epi8(y.a, x.a, mask.a), _mm256_blendv_epi8(y.b, x.b, mask.b)}; }
    static U iota() { return {_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15)}; }
    static U max(U x, U y) { return {_mm256_max_epu32(x.a, y.a), _mm256_max_epu32(x.b, y.b)}; }
    static U min(U x, U y) { return {_mm256_min_epu32(x.a, y.a), _mm256_min_epu32(x.b, y.b)}; }
    template <class Fold>
    static std::uint32_t folded(U x, Fold fold) {
        std::uint32_t lanes[16];
        storeBits(lanes, x);
        std::uint32_t result = lanes[0];
        for (int i = 1; i < 16; ++i) result = fold(result, lanes[i]);
        return result;
    }
    static std::uint32_t maxOver(U x) {
        return folded(x, [](std::uint32_t l, std::uint32_t r) { return l > r ? l : r; });
    }
    static std::uint32_t minOver(U x) {
        return folded(x, [](std::uint32_t l, std::uint32_t r) { return l < r ? l : r; });
    }
    static U countUp(U counts, Mask mask) { return {_mm256_sub_epi32(counts.a, mask.a), _mm256_sub_epi32(counts.b, mask.b)}; }
    static std::uint32_t sumOver(U x) {
        return folded(x, [](std::uint32_t l, std::uint32_t r) { return l + r; });
    }

    static Mask atLeast(U x, U y) {
        return {_mm256_cmpeq_epi32(_mm256_max_epu32(x.a, y.a), x.a), _mm256_cmpeq_epi32(_mm256_max_epu32(x.b, y.b), x.b)};
    }
    static Mask nonZero(U x) {
        const __m256i ones = _mm256_set1_epi32(-1);
        return {_mm256_andnot_si256(_mm256_cmpeq_epi32(x.a, _mm256_setzero_si256()), ones),
                _mm256_andnot_si256(_mm256_cmpeq_epi32(x.b, _mm256_setzero_si256()), ones)};
    }
    static Mask both(Mask x, Mask y) { return bitAnd(x, y); }
    static Mask either(Mask x, Mask y) { return bitOr(x, y); }
    static Mask without(Mask x, Mask y) { return {_mm256_andnot_si256(y.a, x.a), _mm256_andnot_si256(y.b, x.b)}; }
    static Mask first(int count) { return {lanesBelow(count), lanesBelow(count - 8)}; }
    static Mask all() { return setBits(0xffffffffU); }
    static std::uint32_t bits(Mask mask) {
        return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(mask.a))) |
               (static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(mask.b))) << 8);
    }
    static void compress(std::uint32_t* at, U x, Mask mask) {
        std::uint32_t lanes[16];
        storeBits(lanes, x);
        for (std::uint32_t left = bits(mask); left != 0; left &= left - 1) *at++ = lanes[__builtin_ctz(left)];
    }
    static void compressBytes(std::int8_t* at, U x, Mask mask) {
        std::uint32_t lanes[16];
        storeBits(lanes, x);
        for (std::uint32_t left = bits(mask); left != 0; left &= left - 1) *at++ = static_cast<std::int8_t>(lanes[__builtin_ctz(left)]);
    }
    static void compress(float* at, F x, Mask mask) {
        float lanes[16];
        store(lanes, x);
        for (std::uint32_t left = bits(mask); left != 0; left &= left - 1) *at++ = lanes[__builtin_ctz(left)];
    }

    struct Sums {
        __m256d sums[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()};
        template <class Map>
        void addMapped(F x, Map map) {
            const __m128 quarters[4] = {_mm256_castps256_ps128(x.a), _mm256_extractf128_ps(x.a, 1), _mm256_castps256_ps128(x.b),
                                        _mm256_extractf128_ps(x.b, 1)};
            for (int i = 0; i < 4; ++i) sums[i] = _mm256_add_pd(sums[i], map(_mm256_cvtps_pd(quarters[i])));
        }
        void addSquares(F x) {
            addMapped(x, [](__m256d y) { return _mm256_mul_pd(y, y); });
        }
        void add(F x) {
            addMapped(x, [](__m256d y) { return y; });
        }
        void store(double* lanes) const {
            for (int i = 0; i < 4; ++i) _mm256_storeu_pd(lanes + static_cast<std::ptrdiff_t>(4 * i), sums[i]);
        }
    };
};

}  // namespace

constinit const InstructionSetKernels avx2Kernels = kernelsOver<Avx2>();

}  // namespace mofo::kernels::cpu
