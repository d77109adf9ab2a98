// One step of MoFO (arXiv 2407.20999, Algorithm 1), of its ablations or of AdamW over all parameter tensors of a model.
//
// For each tensor, with gradient g, moments m and v (fp32, dense, never masked), step t counted from 1, learning rate lr:
//   g' = gradScale g                        (the factor of gradient clipping)
//   p  = (1 - lr wd) p                      where `decayed`: the whole tensor, unselected coordinates too, unless decaySelectedOnly
//   m += (1 - b1)(g' - m)
//   v  = b2 v + (1 - b2) g'^2
//   h  = sqrt(v)/sqrt(1 - b2^t) + eps
//   p -= lr/(1 - b1^t) m/h                  where selected
//
// Every coordinate has a rank, a uint32 that orders as the rule wants it: the pattern of |m| (or |g'|, |m/h|) without its sign, so that -0 is zero,
// denormals count and infinities rank like any number; or a random number. Within each partition of n coordinates the k with the largest ranks are
// selected: the threshold is the k-th largest rank, the mask is rank >= threshold, so all ties are kept. Tensors that are not `filtered` are in no
// partition, and their mask is all ones; so is every mask under Rule::None. `selected` is mask and m != 0: a coordinate whose m is zero has nothing
// to move by, and its p is not written (not even decayed under decaySelectedOnly).
//
// Numerics: fp32, in the roundings of PyTorch 2.11's CPU kernels for m.lerp_(g, 1-b1), v.mul_(b2).addcmul_(g, g, value=1-b2),
// (v.sqrt()/sqrt(c2)).add_(eps) and p.addcdiv_(m, h, value=-lr/c1), i.e. with fused multiply-add in the first two. All scalars are computed in double
// and rounded to float once (stepScalars). m and v equal PyTorch's bit for bit; the square root here is the correctly rounded one, PyTorch's (MKL) is
// sometimes one unit in the last place off. The result has the same bits for every instruction set, every number of threads, every run, and on CUDA.
//
// If any coordinate's new m would be NaN, filtered or not, the step reports it and changes nothing at all: not p, not m, not v. (An infinite m over
// an infinite v moves p to NaN, as in PyTorch.)
//
// How a step goes about it (both twins, kernels/cpu and kernels/cuda):
//   sample    a few new ranks of each partition are computed and sorted: the threshold lies between two of them, `lo` and `hi`, almost surely
//   update    m and v are written in one pass; ranks >= hi move at once, with what leads back to the old p kept in a journal; ranks in [lo, hi) are kept as candidates
//   resolve   the exact threshold is the (k - moved)-th largest candidate; candidates above it move
//   repair    only where it is not in [lo, hi): the journal gives p back, the threshold is searched by counting, and the winners move
// So p, g, m and v are touched once, and the result does not depend on the sample. Partitions that fit into a core's cache are sorted out there:
// update, select, move, with a neighbour's threshold in place of a sample. A step allocates nothing, synchronises nothing and reads no file; what is
// built once per (tensors, partitions) is the StepPlan.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/include/execution.h"

namespace mofo::kernels {

/// How parameters and gradients are stored; the moments are fp32 in each.
enum class Format : std::uint8_t {
    Fp32,        ///< p and g
    Bf16,        ///< p16 and g16: the new p is computed in fp32 and rounded to bf16 stochastically, and only where it moves or decays
    Bf16Master,  ///< g16 and the fp32 master p; p16 receives p rounded to nearest (ties to even) wherever p is written
};
inline constexpr int formatCount = 3;

/// One parameter tensor, contiguous, n values in each array that its format uses. The arrays do not overlap and need no alignment beyond their
/// element's (64 bytes is fastest).
struct Tensor {
    float* p = nullptr;        ///< parameters
    const float* g = nullptr;  ///< gradient
    float* m = nullptr;        ///< first moment
    float* v = nullptr;        ///< second moment, never negative
    std::int64_t n = 0;        ///< coordinates, at least 1
    bool filtered = true;      ///< false: the whole tensor moves (norms, biases)
    bool decayed = true;       ///< false: no weight decay (norms)
    bool frozen = false;       ///< true: left alone altogether, p, m and v; under Rule::None only (half fine-tuning)
    std::uint16_t* p16 = nullptr;
    const std::uint16_t* g16 = nullptr;
    std::uint64_t key = 0;        ///< tensorKey of its name: what random ranks and roundings draw from
    std::int64_t firstIndex = 0;  ///< the number of the coordinate at p[0], where the arrays hold only part of a tensor: slices count from here
};

/// `rows` runs of `length` consecutive coordinates of a tensor, `stride` apart, the first one at `begin`. A contiguous range has rows = 1 (stride is
/// then ignored); the columns of one attention head in an output projection [out, in] have rows = out, length = head size, stride = in.
struct Slice {
    std::int32_t tensor = 0;
    std::int64_t begin = 0;
    std::int64_t rows = 1;
    std::int64_t length = 0;
    std::int64_t stride = 0;  ///< at least `length` where rows > 1

    [[nodiscard]] std::int64_t size() const { return rows * length; }
};

/// Partition i is made of slices[firstSlice[i]] .. slices[firstSlice[i + 1] - 1]. Every coordinate of every filtered tensor is in exactly one
/// partition, and no coordinate of an unfiltered one is in any.
struct PartitionTable {
    std::span<const Slice> slices;
    std::span<const std::int64_t> firstSlice;  ///< partitions + 1 entries, ascending, from 0 to slices.size()
};

/// What coordinates are ranked by (mofo.md, "Selection rules").
enum class Rule : std::uint8_t {
    Momentum,          ///< |m|: MoFO
    Gradient,          ///< |g'|
    MomentumOverRoot,  ///< |m/h|: the size of the update; "mv"
    Random,            ///< a number drawn from (StepScalars::ruleKey, Tensor::key, index): different for any two coordinates of a tensor
    None,              ///< AdamW: all move. Any other rule with k = n everywhere gives the same bits.
};
inline constexpr int rankedRules = 4;  ///< all but None

/// What can differ from step to step, as the user knows it.
struct Hyperparameters {
    double lr = 0;         ///< at least 0
    double beta1 = 0.9;    ///< in [0, 1)
    double beta2 = 0.999;  ///< in [0, 1)
    double eps = 1e-8;     ///< above 0
    double weightDecay = 0;
};

/// The same as the kernels use it. For the CUDA twin this lives in device memory, so that a captured graph can be replayed with other values.
struct StepScalars {
    float gradScale = 1;
    float momentWeight = 0;  ///< 1 - b1
    float beta2 = 0;
    float squareWeight = 0;    ///< 1 - b2
    float rootCorrection = 1;  ///< sqrt(1 - b2^t)
    float eps = 0;
    float stepSize = 0;             ///< -lr / (1 - b1^t)
    float decay = 1;                ///< 1 - lr wd
    std::uint64_t ruleKey = 0;      ///< drawKey, for Rule::Random: of (seed, step), or of (seed, 0) for a mask that is drawn once
    std::uint64_t roundingKey = 0;  ///< drawKey of (seed, step), for Format::Bf16
    /// The caller knows that every m and every gradScale * g is finite, so that no new m can be NaN: the last step's StepStatus::momentsFinite was
    /// true (or m is all zeros) and the gradient norm is finite. Saves the pass that looks for NaN before anything is changed (8 bytes a coordinate).
    bool knownFinite = false;
};

/// `step` counts from 1. gradScale is min(1, clip / (norm + 1e-6)), 1 without clipping.
[[nodiscard]] StepScalars stepScalars(const Hyperparameters& hyperparameters, std::int64_t step, double gradScale, bool knownFinite);

/// A counter-based generator's key (no state: the same arguments draw the same numbers on every device).
[[nodiscard]] std::uint64_t drawKey(std::uint64_t seed, std::int64_t step);
[[nodiscard]] std::uint64_t tensorKey(std::string_view name);

/// k = max(1, floor(alpha n)) in double, never above n. alpha in (0, 1], n >= 1.
[[nodiscard]] std::int64_t selectedCount(double alpha, std::int64_t n);

struct PartitionResult {
    std::uint32_t thresholdRank = 0;  ///< the k-th largest rank
    float threshold = 0;              ///< the same as a number; under Rule::Random as a share of 1
    std::int64_t k = 0;
    std::int64_t masked = 0;    ///< rank >= thresholdRank; at least k, more where ties are
    std::int64_t selected = 0;  ///< masked and m != 0
    double squaredUpdate = 0;   ///< see StepArguments::measure
};

struct TensorResult {
    std::int64_t masked = 0;
    std::int64_t selected = 0;
    double squaredUpdate = 0;  ///< see StepArguments::measure
};

struct StepStatus {
    bool nanFound = false;      ///< a new m would have been NaN: nothing was changed, and the results are all zero
    bool momentsFinite = true;  ///< every m is now finite: see StepScalars::knownFinite
    std::int64_t repaired = 0;  ///< partitions whose threshold the sample had not bracketed; costs time only
};

/// Coordinates of a chunk, the piece of work that one task of the CPU twin does at a time.
inline constexpr std::int64_t stepChunk = 32768;
/// Partitions of at most so many coordinates are sorted out in a core's cache (12 bytes a coordinate of m, v, p and 4 of ranks).
inline constexpr std::int64_t cachedPartition = 65536;

/// How the work is cut into pieces, for one list of tensors and one partition table. Depends on sizes and flags only: not on addresses, k, rule or
/// threads. A granularity changed between two steps is another plan. The vectors are the plan's own copies; the CUDA twin takes them uploaded.
struct StepPlan {
    std::vector<Slice> slices;             ///< PartitionTable::slices
    std::vector<std::int64_t> firstSlice;  ///< PartitionTable::firstSlice
    std::vector<std::int64_t> sizes;       ///< coordinates of each partition
    std::vector<std::int32_t> large;       ///< the partitions above cachedPartition, the largest first
    std::vector<Slice> chunks;             ///< of the large ones, each of at most stepChunk coordinates
    std::vector<std::int64_t> firstChunk;  ///< of large[i]; large.size() + 1 entries
    std::vector<std::int32_t> small;       ///< the other partitions
    std::vector<std::int64_t> firstSmall;  ///< groups of neighbours in `small`, so that a thread fetches enough work at a time; groups + 1 entries
    std::vector<Slice> whole;              ///< the unfiltered tensors, cut into chunks
    std::vector<Slice> all;                ///< all tensors, cut into chunks
    std::int64_t tensorCount = 0;

    [[nodiscard]] std::int64_t partitionCount() const { return static_cast<std::int64_t>(sizes.size()); }
};

/// What is wrong with the table (in words for a developer), or an empty text: a slice outside its tensor, overlapping runs within a slice, an
/// unfiltered tensor in a partition, an empty partition, partitions that do not add up to the filtered coordinates. Two slices that overlap while
/// sizes still add up are not found.
[[nodiscard]] std::string checkPartitions(std::span<const Tensor> tensors, const PartitionTable& partitions);

/// Needs a table that checkPartitions accepts, or for Rule::None alone an empty one (firstSlice = {0}). Allocates; called when a run starts and when
/// its granularity changes. Of the tensors only n and filtered are read.
[[nodiscard]] StepPlan makeStepPlan(std::span<const Tensor> tensors, const PartitionTable& partitions);

/// Bins of |m| on a logarithmic scale, four to an octave: bin 4 (e - lowest) + j holds 2^e (1 + j/4) <= |m| < 2^e (1 + (j + 1)/4). The first bin
/// also takes everything smaller but zero (denormals included), the last one everything larger, infinities included. bins + zeros = n (NaN cannot
/// be).
inline constexpr int histogramStepsPerOctave = 4;
inline constexpr int histogramBins = 256;
inline constexpr int histogramLowestExponent = -56;
struct LogHistogram {
    std::array<std::int64_t, histogramBins> bins{};
    std::int64_t zeros = 0;
};

struct StepArguments {
    std::span<const Tensor> tensors;  ///< the sizes and flags the plan was made for
    const StepPlan* plan = nullptr;
    std::span<const std::int64_t> k;  ///< per partition, 1 <= k <= n; not read under Rule::None
    Rule rule = Rule::Momentum;
    bool decaySelectedOnly = false;  ///< weight decay, too, touches only what is selected
    const StepScalars* scalars = nullptr;
    std::span<PartitionResult> partitionResults;  ///< out, one per partition; may be empty under Rule::None, which leaves it alone
    std::span<TensorResult> tensorResults;        ///< out, one per tensor
    StepStatus* status = nullptr;                 ///< out
    std::span<std::byte> workspace;               ///< contents are irrelevant before and after; aligned to 64 bytes
    Format format = Format::Fp32;
    /// Whether to fill `squaredUpdate`: the sum over the selected of (lr/(1 - b1^t) m/h)^2, the update before it is rounded into p. Summed as
    /// integers of 2^-28 (lr/(1 - b1^t))^2 from chunk to chunk, so that no order matters; relative error below 1e-5 wherever a mean update is above
    /// lr/100.
    bool measure = false;
    std::span<LogHistogram> histograms;  ///< out, of the new |m|, one per tensor; empty: not wanted
};

namespace cpu {

/// Bytes of StepArguments::workspace for that plan and number of threads: at most 50 MiB + 5 % of the largest partition's fp32 bytes + 1 MiB a
/// thread.
[[nodiscard]] std::size_t stepWorkspaceBytes(const StepPlan& plan, int threads);

/// Does one step; returns when it is done. False if the arguments do not fit together (a count that differs from the plan's, k out of range, an array
/// that the format needs is null, workspace too small or misaligned, instruction set not supported): a bug of the caller, and nothing was touched.
/// Thread-safe for disjoint arguments.
[[nodiscard]] bool step(const StepArguments& arguments, const Execution& execution);

}  // namespace cpu
}  // namespace mofo::kernels
