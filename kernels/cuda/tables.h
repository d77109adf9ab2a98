// How a StepPlan is cut for the GPU, and where everything lies in device memory. Plain C++, without CUDA: the emulation uses it too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/cuda/device_code.h"
#include "kernels/include/cuda_step.h"

namespace mofo::kernels::cuda {

/// Coordinates of one tensor in runs of `length`, `stride` apart. `size` is a multiple of `length`.
struct Chunk {
    std::int64_t begin;   // as Slice::begin
    std::int64_t stride;  // only if there are several runs
    std::int64_t start;   // coordinates of its partition before it
    std::int32_t tensor;
    std::int32_t length;
    std::int32_t size;
    std::int32_t owner;  // which partition, of the large ones or of the small ones
};

/// One that many blocks share.
struct LargePartition {
    std::int64_t n;
    std::int64_t firstCandidate, candidateSpace;  // its share of the candidates' arrays
    std::int32_t partition;
    std::int32_t firstChunk, chunks;
    std::int32_t samples;  // a multiple of sampleCluster
};

/// One that fits into shared memory.
struct SmallPartition {
    std::int32_t partition;
    std::int32_t firstPiece, pieces;
    std::int32_t n;
};

/// Samples are drawn in 32-byte sectors: more neighbours cost no more traffic.
inline constexpr int sampleCluster = 8;
inline constexpr int sampleThreads = 512;
/// Shared memory of a block that samples: ranks, and 16 bytes a cluster.
constexpr std::size_t sampleSharedBytes(std::int64_t samples) {
    return static_cast<std::size_t>(samples) * sizeof(std::uint32_t) + static_cast<std::size_t>(samples / sampleCluster) * 16 + 64;
}
/// Candidates of a chunk that wait in shared memory, an eighth of it or more being what no good bracket holds.
inline constexpr int stagedCandidates = 2048;
/// The histogram of a search has so many bins: 10 bits.
inline constexpr int searchDigit = 10;
inline constexpr int searchBins = 1 << searchDigit;
/// Rounds that are enough for 32 bits.
inline constexpr int searchRounds = 4;
static_assert(searchRounds * searchDigit >= 32);

// ---- In the workspace. Zero when a step begins:

struct Control {
    std::uint64_t journaled;                 // entries taken so far; beyond the journal's capacity they were not given
    std::uint32_t nanFound, notFinite;       // flags
    std::uint32_t repaired;                  // partitions
    std::uint32_t sweeps;                    // whether any chunk has something left for the sweep
    std::uint32_t searching[searchRounds];   // partitions whose threshold is not known after the round
    std::uint32_t recounting[searchRounds];  // those of them whose candidates are of no use
};

enum class Search : std::uint32_t { Nothing, Candidates, Everything, Found };

struct LargeState {
    // begin
    std::uint32_t lo, hi;
    // update: ranks above and at hi, those in [lo, hi) that are candidates, and the candidates' places taken
    std::uint64_t atLeastHi, atHi, inside, candidates;
    std::uint32_t overflowed;
    // finish: the threshold is in [from, to), `above` ranks are >= to
    Search search;
    std::uint64_t from, to, above, k;
    std::uint32_t threshold;
    std::uint32_t repaired;
};

// ---- Of any content when a step begins:

struct ChunkState {
    std::uint64_t squares;         // of its early movers
    std::uint64_t firstCandidate;  // in the arrays
    std::uint32_t candidates;
    std::uint32_t masked;    // ranks >= hi
    std::uint32_t selected;  // early movers
    std::uint32_t deferred;  // whether some tile's early movers did not move
};

/// For topGradientSums, in the same place.
struct ChunkSum {
    double sum;
    std::int64_t count;
};
static_assert(sizeof(ChunkSum) <= sizeof(ChunkState));

/// In a candidate's place, beside its number within the chunk.
inline constexpr std::uint16_t placeHasMoment = 0x8000;  // m != 0
inline constexpr std::uint16_t placeDeferred = 0x4000;   // its tile is left for the sweep
inline constexpr std::uint16_t placeNumber = 0x1fff;
static_assert(chunkSize - 1 == placeNumber);

/// Instead of where a tile's journal begins.
inline constexpr std::uint32_t notJournaled = 0xffffffffU;

// ---- Results, in the order of the memory:

struct RawStatus {
    std::uint32_t nanFound, notFinite, repaired, padding;
};
struct RawTensor {
    std::uint64_t masked, selected, squares;
};
/// The large partitions first, then the small ones.
struct RawPartition {
    std::uint64_t masked, selected, squares;
    std::int64_t k;
    std::uint32_t threshold, padding;
};

struct DeviceTraits {
    int multiprocessors = 1;
    std::size_t sharedBytes = 48 << 10;  // that a block can have
    int finishBlocks = 1;                // of FinishKernel that can be there at once
    int topBlocks = 1;                   // of TopLargeKernel
};

/// Offsets of a few arrays one after the other.
class Layout {
public:
    template <class T>
    std::size_t add(std::size_t count) {
        const std::size_t at = m_size;
        m_size = (m_size + count * sizeof(T) + 255) / 256 * 256;
        return at;
    }
    [[nodiscard]] std::size_t size() const { return m_size; }

private:
    std::size_t m_size = 0;
};

/// What a plan becomes.
struct Tables {
    std::vector<Tensor> tensors;
    std::vector<Chunk> chunks;             // of large partitions
    std::vector<Chunk> spans;              // all tensors, contiguous; the unfiltered ones first
    std::vector<Chunk> pieces;             // of small partitions
    std::vector<LargePartition> large;     // the largest first
    std::vector<SmallPartition> small;     // those of a warp, then those of a block
    std::vector<std::int32_t> groups;      // of neighbours among the former, for a warp one after the other; groups + 1 entries
    std::vector<std::int64_t> firstWords;  // of each tensor in the bits of all; tensors + 1 entries
    std::int32_t unfilteredSpans = 0;
    std::int32_t warpPartitions = 0;  // of `small`
    std::int32_t largestWarp = 0, largestBlock = 0, mostSamples = 0;
    std::int64_t candidateSpace = 0;
    std::int64_t partitions = 0;
    bool anyFrozen = false;
    Format format = Format::Fp32;
    float sigmas = 0;
    DeviceTraits traits;

    [[nodiscard]] std::int32_t blockPartitions() const { return static_cast<std::int32_t>(small.size()) - warpPartitions; }

    struct TableOffsets {
        std::size_t tensors, chunks, spans, pieces, large, small, groups, firstWords, size;
    };
    [[nodiscard]] TableOffsets tableOffsets() const;
    /// Writes all tables to `to`, which has tableOffsets().size bytes.
    void write(std::byte* to) const;

    struct WorkspaceOffsets {
        std::size_t control, states, bins, zeroed;  // [0, zeroed) is cleared by a step
        std::size_t chunkStates, tiles, ranks, updates, places, journal;
    };
    [[nodiscard]] WorkspaceOffsets workspaceOffsets() const;
    [[nodiscard]] std::size_t journalEntryBytes() const { return format == Format::Bf16 ? 2 : 4; }

    struct ResultOffsets {
        std::size_t status, tensors, partitions, zeroed;  // [0, zeroed) is cleared by a step; the small partitions come behind
        std::size_t histograms, size;
    };
    [[nodiscard]] ResultOffsets resultOffsets() const;
};

/// Returns what is wrong. `tensors`: pointers are only copied.
[[nodiscard]] std::string makeTables(std::span<const Tensor> tensors, const StepPlan& plan, Format format, const Tuning& tuning,
                                     const DeviceTraits& traits, Tables& out);

/// See cuda_step.h.
[[nodiscard]] bool readResults(const Tables& tables, const std::byte* pinned, Rule rule, const StepScalars& scalars,
                               std::span<PartitionResult> partitions, std::span<TensorResult> results, StepStatus* status,
                               std::span<LogHistogram> histograms);

}  // namespace mofo::kernels::cuda
