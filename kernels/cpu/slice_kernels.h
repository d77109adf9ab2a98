// The inner loops, one table of functions per instruction set. Only plain pointers cross this border: the files behind it are compiled with flags of
// their own, and an inline function of the standard library that one of them emitted could be the copy the linker picks for the whole program.
#pragma once

#include <cstdint>

#include "kernels/include/optimizer_step.h"

namespace mofo::kernels::cpu {

/// A Slice with the tensor's pointers, already moved to `begin`.
struct SliceView {
    float* p;
    const float* g;
    float* m;
    float* v;
    std::int64_t rows, length, stride;
};

struct Moved {
    std::int64_t masked;
    std::int64_t selected;
};

enum class Decay : std::uint8_t { None, All, Selected };

/// One pass of the radix select: bits [shift, shift + width) of the magnitude, counted into 2^width bins.
struct Digit {
    int shift;
    int width;
};

/// Sums over one chunk for Drift.
struct DriftSums {
    double squares, pretrainedSquares, absolutes;
    float largest;
    std::int64_t changed, changedBf16;
};

struct SliceKernels {
    /// Whether any new m would be NaN. Writes nothing.
    bool (*findsNan)(const SliceView& slice, const StepScalars& scalars);
    /// New m and v. Counts each |m| >> shift, at most 16 bits, in the histogram. Returns whether a new m is not finite.
    bool (*updateMoments)(const SliceView& slice, const StepScalars& scalars, int shift, std::uint32_t* histogram);
    /// Counts digit `digit` of those |m| whose bits above it equal `prefix`.
    void (*countDigit)(const SliceView& slice, std::uint32_t prefix, Digit digit, std::uint32_t* histogram);
    /// Moves p where |m| >= threshold (a magnitude pattern).
    Moved (*move)(const SliceView& slice, const StepScalars& scalars, std::uint32_t threshold, Decay decay);
    /// New m and v, and moves p everywhere. Sets *notFinite if a new m is not finite.
    Moved (*updateAndMove)(const SliceView& slice, const StepScalars& scalars, Decay decay, bool* notFinite);

    /// Contiguous arrays of at most statisticsChunk floats.
    double (*sumOfSquares)(const float* x, std::int64_t n);
    void (*drift)(const float* p, const float* p0, std::int64_t n, DriftSums* sums);
    /// Counts exponent fields (0..255) of all x; exponents[256] counts zeros and exponents[257] NaNs, which are not in 0..255.
    void (*countExponents)(const float* x, std::int64_t n, std::int64_t* exponents);
};

extern const SliceKernels scalarKernels;
extern const SliceKernels avx2Kernels;
extern const SliceKernels avx512Kernels;

[[nodiscard]] const SliceKernels& sliceKernels(InstructionSet set);

}  // namespace mofo::kernels::cpu
