// Sixteen coordinates in an array: what every processor can do, and the plainest reading of what the vectors mean.
#include <cmath>

#include "kernels/cpu/slice_kernels_impl.h"

namespace mofo::kernels::cpu {
namespace {

struct Scalar {
    static constexpr int width = 16;
    struct F {
        float x[width];
    };
    struct U {
        std::uint32_t x[width];
    };
    static constexpr bool compressesFast = false;
    using Mask = std::uint32_t;  // one bit a lane

    template <class To, class Map>
    static To each(Map map) {
        To out;
        for (int i = 0; i < width; ++i) out.x[i] = map(i);
        return out;
    }

    static F load(const float* at) {
        return each<F>([&](int i) { return at[i]; });
    }
    static F loadFirst(const float* at, int count) {
        return each<F>([&](int i) { return i < count ? at[i] : 0.0F; });
    }
    static void store(float* at, F x) { storeFirst(at, x, width); }
    static void storeFirst(float* at, F x, int count) {
        for (int i = 0; i < count; ++i) at[i] = x.x[i];
    }
    static F loadBf16(const std::uint16_t* at) { return loadBf16First(at, width); }
    static F loadBf16First(const std::uint16_t* at, int count) {
        return floatOf(each<U>([&](int i) { return i < count ? static_cast<std::uint32_t>(at[i]) << 16 : 0U; }));
    }
    static void storeLow16(std::uint16_t* at, U x) { storeLow16First(at, x, width); }
    static void storeLow16First(std::uint16_t* at, U x, int count) {
        for (int i = 0; i < count; ++i) at[i] = static_cast<std::uint16_t>(x.x[i]);
    }
    static U loadBits(const std::uint32_t* at) {
        return each<U>([&](int i) { return at[i]; });
    }
    static U loadBitsFirst(const std::uint32_t* at, int count) {
        return each<U>([&](int i) { return i < count ? at[i] : 0U; });
    }
    static void storeBits(std::uint32_t* at, U x) {
        for (int i = 0; i < width; ++i) at[i] = x.x[i];
    }

    static F set(float x) {
        return each<F>([&](int) { return x; });
    }
    static F add(F a, F b) {
        return each<F>([&](int i) { return a.x[i] + b.x[i]; });
    }
    static F sub(F a, F b) {
        return each<F>([&](int i) { return a.x[i] - b.x[i]; });
    }
    static F mul(F a, F b) {
        return each<F>([&](int i) { return a.x[i] * b.x[i]; });
    }
    static F div(F a, F b) {
        return each<F>([&](int i) { return a.x[i] / b.x[i]; });
    }
    static F fma(F a, F b, F c) {
        return each<F>([&](int i) { return __builtin_fmaf(a.x[i], b.x[i], c.x[i]); });
    }
    static F sqrt(F a) {
        return each<F>([&](int i) { return __builtin_sqrtf(a.x[i]); });
    }
    static F select(Mask mask, F a, F b) {
        return each<F>([&](int i) { return (mask >> i & 1U) != 0 ? a.x[i] : b.x[i]; });
    }

    static U setBits(std::uint32_t x) {
        return each<U>([&](int) { return x; });
    }
    static U bitsOf(F x) {
        U out;
        std::memcpy(&out, &x, sizeof out);
        return out;
    }
    static F floatOf(U x) {
        F out;
        std::memcpy(&out, &x, sizeof out);
        return out;
    }
    static U magnitude(F x) { return bitAnd(bitsOf(x), setBits(0x7fffffffU)); }
    static U bitAnd(U a, U b) {
        return each<U>([&](int i) { return a.x[i] & b.x[i]; });
    }
    static U bitOr(U a, U b) {
        return each<U>([&](int i) { return a.x[i] | b.x[i]; });
    }
    static U bitXor(U a, U b) {
        return each<U>([&](int i) { return a.x[i] ^ b.x[i]; });
    }
    static U addBits(U a, U b) {
        return each<U>([&](int i) { return a.x[i] + b.x[i]; });
    }
    static U subBits(U a, U b) {
        return each<U>([&](int i) { return a.x[i] - b.x[i]; });
    }
    static U mulBits(U a, std::uint32_t b) {
        return each<U>([&](int i) { return a.x[i] * b; });
    }
    template <int by>
    static U shiftRightBy(U x) {
        return each<U>([&](int i) { return x.x[i] >> by; });
    }
    template <int by>
    static U shiftLeftBy(U x) {
        return each<U>([&](int i) { return x.x[i] << by; });
    }
    static U selectBits(Mask mask, U a, U b) {
        return each<U>([&](int i) { return (mask >> i & 1U) != 0 ? a.x[i] : b.x[i]; });
    }
    static U iota() {
        return each<U>([](int i) { return static_cast<std::uint32_t>(i); });
    }
    static U max(U a, U b) {
        return each<U>([&](int i) { return a.x[i] > b.x[i] ? a.x[i] : b.x[i]; });
    }
    static U min(U a, U b) {
        return each<U>([&](int i) { return a.x[i] < b.x[i] ? a.x[i] : b.x[i]; });
    }
    static std::uint32_t maxOver(U a) {
        std::uint32_t result = 0;
        for (const std::uint32_t x : a.x) result = x > result ? x : result;
        return result;
    }
    static std::uint32_t minOver(U a) {
        std::uint32_t result = 0xffffffffU;
        for (const std::uint32_t x : a.x) result = x < result ? x : result;
        return result;
    }
    static U countUp(U counts, Mask mask) {
        return each<U>([&](int i) { return counts.x[i] + (mask >> i & 1U); });
    }
    static std::uint32_t sumOver(U a) {
        std::uint32_t sum = 0;
        for (const std::uint32_t x : a.x) sum += x;
        return sum;
    }

    template <class Test>
    static Mask where(Test test) {
        Mask mask = 0;
        for (int i = 0; i < width; ++i) mask |= static_cast<Mask>(test(i)) << i;
        return mask;
    }
    static Mask atLeast(U a, U b) {
        return where([&](int i) { return a.x[i] >= b.x[i]; });
    }
    static Mask nonZero(U a) {
        return where([&](int i) { return a.x[i] != 0; });
    }
    static Mask both(Mask a, Mask b) { return a & b; }
    static Mask either(Mask a, Mask b) { return a | b; }
    static Mask without(Mask a, Mask b) { return a & ~b; }
    static Mask first(int count) { return (1U << count) - 1U; }
    static Mask all() { return 0xffffU; }
    static std::uint32_t bits(Mask mask) { return mask; }
    static void compress(std::uint32_t* at, U x, Mask mask) {
        for (; mask != 0; mask &= mask - 1) *at++ = x.x[__builtin_ctz(mask)];
    }
    static void compressBytes(std::int8_t* at, U x, Mask mask) {
        for (; mask != 0; mask &= mask - 1) *at++ = static_cast<std::int8_t>(x.x[__builtin_ctz(mask)]);
    }
    static void compress(float* at, F x, Mask mask) {
        for (; mask != 0; mask &= mask - 1) *at++ = x.x[__builtin_ctz(mask)];
    }

    struct Sums {
        double sums[width] = {};
        void addSquares(F x) {
            for (int i = 0; i < width; ++i) sums[i] += static_cast<double>(x.x[i]) * static_cast<double>(x.x[i]);
        }
        void add(F x) {
            for (int i = 0; i < width; ++i) sums[i] += static_cast<double>(x.x[i]);
        }
        void store(double* lanes) const { std::memcpy(lanes, sums, sizeof sums); }
    };
};

}  // namespace

constinit const InstructionSetKernels scalarKernels = kernelsOver<Scalar>();

}  // namespace mofo::kernels::cpu
