// One coordinate at a time: runs everywhere, and is the plain statement that the vector twins are tested against.
#include <cmath>

#include "kernels/cpu/slice_kernels_impl.h"

namespace mofo::kernels::cpu {
namespace {

struct Scalar {
    static constexpr int width = 1;
    using F = float;
    using U = std::uint32_t;
    using Mask = bool;

    static F load(const float* at) { return *at; }
    static F loadFirst(const float* at, int) { return *at; }
    static void store(float* at, F x) { *at = x; }
    static void storeFirst(float* at, F x, int) { *at = x; }
    static F set(float x) { return x; }
    static F add(F a, F b) { return a + b; }
    static F sub(F a, F b) { return a - b; }
    static F mul(F a, F b) { return a * b; }
    static F div(F a, F b) { return a / b; }
    static F fma(F a, F b, F c) { return std::fma(a, b, c); }
    static F sqrt(F a) { return std::sqrt(a); }
    static F select(Mask mask, F a, F b) { return mask ? a : b; }

    static U zeroBits() { return 0; }
    static U setBits(std::uint32_t x) { return x; }
    static U magnitude(F x) { return bitsOf(x) & 0x7fffffffU; }
    static U shiftRight(U x, int by) { return x >> by; }
    static U max(U a, U b) { return a > b ? a : b; }
    static std::uint32_t maxOver(U a) { return a; }
    static bool allZero(U a) { return a == 0; }
    static void storeBits(std::uint32_t* at, U x) { *at = x; }
    static void storeLow16(std::uint16_t* at, U x) { *at = static_cast<std::uint16_t>(x); }

    static Mask equal(U a, U b) { return a == b; }
    static Mask atLeast(U a, U b) { return a >= b; }
    static Mask nonZero(U a) { return a != 0; }
    static Mask both(Mask a, Mask b) { return a && b; }
    static std::uint32_t bits(Mask mask) { return mask ? 1U : 0U; }
};

}  // namespace

constinit const SliceKernels scalarKernels = kernelsOver<Scalar>();

}  // namespace mofo::kernels::cpu
