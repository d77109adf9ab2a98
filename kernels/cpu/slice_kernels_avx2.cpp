// Eight coordinates at a time: AVX2 and FMA, compiled with those flags and called only where the processor has both.
#include <immintrin.h>

#include "kernels/cpu/slice_kernels_impl.h"

namespace mofo::kernels::cpu {
namespace {

struct Avx2 {
    static constexpr int width = 8;
    using F = __m256;
    using U = __m256i;
    using Mask = __m256i;

    static __m256i firstLanes(int count) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
    static F load(const float* at) { return _mm256_loadu_ps(at); }
    static F loadFirst(const float* at, int count) { return _mm256_maskload_ps(at, firstLanes(count)); }
    static void store(float* at, F x) { _mm256_storeu_ps(at, x); }
    static void storeFirst(float* at, F x, int count) { _mm256_maskstore_ps(at, firstLanes(count), x); }
    static F set(float x) { return _mm256_set1_ps(x); }
    static F add(F a, F b) { return _mm256_add_ps(a, b); }
    static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
    static F div(F a, F b) { return _mm256_div_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    static F sqrt(F a) { return _mm256_sqrt_ps(a); }
    static F select(Mask mask, F a, F b) { return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(mask)); }

    // Magnitudes have no sign bit, so that the signed comparisons of AVX2 order them.
    static U zeroBits() { return _mm256_setzero_si256(); }
    static U setBits(std::uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
    static U magnitude(F x) { return _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7fffffff)); }
    static U shiftRight(U x, int by) { return _mm256_srl_epi32(x, _mm_cvtsi32_si128(by)); }
    static U max(U a, U b) { return _mm256_max_epi32(a, b); }
    static std::uint32_t maxOver(U a) {
        alignas(32) std::uint32_t lane[width];
        storeBits(lane, a);
        std::uint32_t largest = 0;
        for (const std::uint32_t value : lane) largest = value > largest ? value : largest;
        return largest;
    }
    static bool allZero(U a) { return _mm256_testz_si256(a, a) != 0; }
    static void storeBits(std::uint32_t* at, U x) { _mm256_store_si256(reinterpret_cast<__m256i*>(at), x); }
    static void storeLow16(std::uint16_t* at, U x) {
        const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(x, x), 0b1000);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm256_castsi256_si128(packed));
    }

    static Mask equal(U a, U b) { return _mm256_cmpeq_epi32(a, b); }
    static Mask atLeast(U a, U b) { return _mm256_cmpeq_epi32(_mm256_max_epi32(a, b), a); }
    static Mask nonZero(U a) { return _mm256_cmpgt_epi32(a, _mm256_setzero_si256()); }
    static Mask both(Mask a, Mask b) { return _mm256_and_si256(a, b); }
    static std::uint32_t bits(Mask mask) { return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(mask))); }
};

}  // namespace

constinit const SliceKernels avx2Kernels = kernelsOver<Avx2>();

}  // namespace mofo::kernels::cpu
