// The CUDA twin of the optimizer step (optimizer_step.h says what a step is) and of the statistics (statistics.h): the same bits as the CPU twin.
//
// No CUDA header is needed here: streams are cudaStream_t as void*. All memory is the caller's. `Device` marks pointers to memory of the current
// CUDA device, which must be the one that was current in makeDevicePlan. What a step needs to know beforehand is uploaded once (uploadPlan, which
// waits); a step itself only enqueues at most six launches on the given stream: it allocates nothing, waits for nothing and may be captured in a CUDA
// graph. A replay reads StepScalars and k anew from device memory; rule, flags and addresses are those of the capture.
//
// Functions that can fail return what is wrong, an empty text if nothing is.
//
// Launches of a step: clear, begin (samples large partitions; looks for NaN unless StepScalars::knownFinite), update (large partitions and
// unfiltered tensors), two for small partitions (a warp each, a block each), finish (cooperative: exact thresholds, the candidates' moves, repairs).
// Those that have nothing to do in a plan are left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "kernels/include/optimizer_step.h"
#include "kernels/include/statistics.h"

namespace mofo::kernels::cuda {

/// Pointers into device memory, to keep them apart from the host's in signatures.
template <class T>
using Device = T*;

/// How the work is cut. Changes time and memory, never a result.
struct Tuning {
    std::int64_t warpPartition = 1024;    ///< partitions of at most so many coordinates (not above 1,024) are done by one warp
    std::int64_t blockPartition = 16384;  ///< and of at most so many by one block, both in shared memory
    std::int64_t samples = 16384;         ///< of a large partition, but at most an eighth of it
    float sigmas = 3.6F;                  ///< half the width of the bracket around the sample's threshold, in standard deviations
    float candidateShare = 0;             ///< of a large partition that can be kept as candidates; 0: twice what the widest bracket lets expect
};

/// A StepPlan cut for a device, with the tensors' addresses. Host memory; makeDevicePlan makes it, destroyDevicePlan frees it.
struct DevicePlan;

/// Reads the current device's properties (needs a GPU), allocates host memory, enqueues nothing. `tensors`: pointers into device memory, the sizes
/// and flags that `plan` was made for. `out` is set where the returned text is empty.
[[nodiscard]] std::string makeDevicePlan(std::span<const Tensor> tensors, const StepPlan& plan, Format format, const Tuning& tuning,
                                         DevicePlan** out);
void destroyDevicePlan(DevicePlan* plan);

struct PlanBytes {
    std::size_t tables = 0;   ///< written by uploadPlan, read by steps
    std::size_t results = 0;  ///< written by a step, in a form of its own: see readResults
    std::size_t leastWorkspace =
        0;                      ///< with it every coordinate of a large partition moves in a second pass (4 to 5 bytes a coordinate more traffic)
    std::size_t workspace = 0;  ///< with it none does, unless the sample misleads: 4 bytes (Bf16: 2) more for each of `selected` coordinates
};
/// What the plan needs in device memory. `selected`: the sum of all k; n x the largest alpha that will be used. Blocks are aligned to 256 bytes.
[[nodiscard]] PlanBytes planBytes(const DevicePlan& plan, std::int64_t selected);

/// Copies the plan's tables to `tables`. Waits until that is done.
[[nodiscard]] std::string uploadPlan(DevicePlan& plan, Device<std::byte> tables, std::size_t bytes, void* stream);

struct StepLaunch {
    const DevicePlan* plan = nullptr;             ///< uploaded
    Device<const StepScalars> scalars = nullptr;  ///< read when the stream gets there
    Device<const std::int64_t> k = nullptr;       ///< per partition, 1 <= k <= n (others are brought into that range); null under Rule::None
    Rule rule = Rule::Momentum;
    bool decaySelectedOnly = false;
    bool measure = false;                   ///< see StepArguments::measure
    bool histograms = false;                ///< see StepArguments::histograms
    Device<std::byte> workspace = nullptr;  ///< contents are irrelevant before and after: one for all plans of a stream
    std::size_t workspaceBytes = 0;
    Device<std::byte> results = nullptr;
};

/// Enqueues one step.
[[nodiscard]] std::string step(const StepLaunch& launch, void* stream);

/// Enqueues a copy of `results` to pinned host memory: without `histograms` only the part before them.
[[nodiscard]] std::string copyResults(const DevicePlan& plan, Device<const std::byte> results, bool histograms, std::byte* pinned, void* stream);
/// Brings a finished copy into the form of StepArguments' results. `scalars` as the step had them. Spans may be empty: not wanted; `histograms` only
/// where the copy has them. False where a span's size does not fit the plan. Host work only.
[[nodiscard]] bool readResults(const DevicePlan& plan, const std::byte* pinned, Rule rule, const StepScalars& scalars,
                               std::span<PartitionResult> partitions, std::span<TensorResult> tensors, StepStatus* status,
                               std::span<LogHistogram> histograms);

/// Which coordinates the step before selected (cpu::selectedBits), of all tensors one after the other: tensor i's words begin at firstBitWord(plan,
/// i). `last` as step was given it; nothing it points to has changed since.
[[nodiscard]] std::int64_t firstBitWord(const DevicePlan& plan, std::int64_t tensor);  ///< with `tensor` = their number: the words of all
[[nodiscard]] std::string selectedBits(const StepLaunch& last, Device<std::uint64_t> bits, void* stream);
/// cpu::topGradientSums: `sums` per partition. Uses the launch's workspace.
[[nodiscard]] std::string topGradientSums(const StepLaunch& launch, Device<double> sums, void* stream);

/// A list of arrays in device memory that uploadArrays or uploadArrayPairs has written.
struct ArrayList {
    Device<std::byte> memory = nullptr;
    std::int64_t count = 0;
    std::int64_t chunks = 0;  ///< started chunks of statisticsChunk over all arrays
};
/// Device memory of a list of arrays of these sizes, workspace included; aligned to 256 bytes.
[[nodiscard]] std::size_t arrayListBytes(std::span<const std::int64_t> sizes);
/// Copies pointers (into device memory) and sizes to `memory`. Waits until that is done.
[[nodiscard]] std::string uploadArrays(std::span<const Array> arrays, Device<std::byte> memory, std::size_t bytes, void* stream, ArrayList* out);
[[nodiscard]] std::string uploadArrayPairs(std::span<const ArrayPair> pairs, Device<std::byte> memory, std::size_t bytes, void* stream,
                                           ArrayList* out);
/// cpu::sumsOfSquares of what uploadArrays listed, cpu::drifts of what uploadArrayPairs did: the same bits, one value per array. Two launches.
[[nodiscard]] std::string sumsOfSquares(const ArrayList& list, Device<double> sums, void* stream);
[[nodiscard]] std::string drifts(const ArrayList& list, Device<Drift> results, void* stream);

}  // namespace mofo::kernels::cuda
