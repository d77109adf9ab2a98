// What is measured about tensors beside the step itself: drift from the pretrained weights, the gradient's norm and its top share, the mask.
//
// All sums are in double and in a fixed order: each chunk of statisticsChunk coordinates is summed in 16 interleaved lanes (coordinate i into lane i
// mod 16), the lanes are added pairwise, and the chunks in order. So the bits are the same for every instruction set, every number of threads and
// every run. Same rules as the step: no allocation, no synchronisation, workspace and threads are the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/include/execution.h"
#include "kernels/include/optimizer_step.h"

namespace mofo::kernels {

inline constexpr std::int64_t statisticsChunk = 32768;

/// n floats.
struct Array {
    const float* x = nullptr;
    std::int64_t n = 0;
};

/// Now and before, n floats each.
struct ArrayPair {
    const float* p = nullptr;
    const float* p0 = nullptr;
    std::int64_t n = 0;
};

/// Distance of p from p0. Differences are taken in fp32, as PyTorch's p - p0 is.
struct Drift {
    double l2 = 0;                 ///< ||p - p0||_2
    double pretrainedL2 = 0;       ///< ||p0||_2
    double l1 = 0;                 ///< sum |p - p0|
    double linf = 0;               ///< max |p - p0|; NaN if any difference is
    std::int64_t changed = 0;      ///< p != p0 in fp32 (-0 equals 0, NaN differs from everything)
    std::int64_t changedBf16 = 0;  ///< the same after rounding both to bf16 (nearest, ties to even)
};

namespace cpu {

/// Bytes of workspace that any call below needs for arrays of these sizes (48 bytes per started chunk), whatever the number of threads.
[[nodiscard]] std::size_t statisticsWorkspaceBytes(std::span<const std::int64_t> sizes);

/// sums[i] = sum of the squares of arrays[i]. It is finite exactly if all of the array is: fp32 squares cannot overflow a double.
/// The gradient's norm is the root of the sums added in order. All three return false if the arguments do not fit together, having touched nothing.
[[nodiscard]] bool sumsOfSquares(std::span<const Array> arrays, std::span<double> sums, std::span<std::byte> workspace, const Execution& execution);

[[nodiscard]] bool drifts(std::span<const ArrayPair> pairs, std::span<Drift> results, std::span<std::byte> workspace, const Execution& execution);

/// Which coordinates the step selected (mask and m != 0). `lastStep` is what cpu::step was given, unchanged since, with its results; Random ranks are
/// drawn again. bits[i] has (n + 63) / 64 words for tensor i: bit j of word w is coordinate 64 w + j; the bits above n are zero. Slices of one
/// tensor may be of any shape. False if the arguments do not fit together.
[[nodiscard]] bool selectedBits(const StepArguments& lastStep, std::span<std::uint64_t* const> bits, const Execution& execution);

/// The L_1,top-alpha norm of the gradient by partition: sums[i] = the sum of the k[i] largest |g'| of partition i, g' = gradScale g (paper, section
/// 4: what the convergence theorem drives to zero). Takes the step's plan, k, tensors, format, scalars and workspace; reads nothing but gradients.
[[nodiscard]] bool topGradientSums(const StepArguments& step, std::span<double> sums, const Execution& execution);

}  // namespace cpu
}  // namespace mofo::kernels
