#include "kernels/cuda/tables.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace mofo::kernels::cuda {

namespace {

// What a warp takes before it fetches the next group, in coordinates.
constexpr std::int32_t groupSize = 2048;
// Shared memory of a small block beside the ranks: see small.cuh.
constexpr std::size_t smallBlockExtra = 8 << 10;

/// Chunks of at most `size` coordinates, in the order of the slice's runs.
void cut(const Slice& slice, std::int64_t size, std::int64_t start, std::int32_t owner, std::vector<Chunk>& out) {
    const auto add = [&](std::int64_t begin, std::int64_t rows, std::int64_t length) {
        out.push_back({begin, slice.stride, start, slice.tensor, static_cast<std::int32_t>(length), static_cast<std::int32_t>(rows * length), owner});
        start += rows * length;
    };
    if (slice.rows > 1 && slice.length < size) {
        const std::int64_t rowsPerChunk = size / slice.length;
        for (std::int64_t row = 0; row < slice.rows; row += rowsPerChunk) {
            add(slice.begin + row * slice.stride, std::min(rowsPerChunk, slice.rows - row), slice.length);
        }
        return;
    }
    for (std::int64_t row = 0; row < slice.rows; ++row) {
        for (std::int64_t at = 0; at < slice.length; at += size) {
            add(slice.begin + row * slice.stride + at, 1, std::min(size, slice.length - at));
        }
    }
}

std::int32_t sampleCount(std::int64_t n, std::int64_t most) {
    return static_cast<std::int32_t>(std::max<std::int64_t>(sampleCluster, std::min(n / 8, most) / sampleCluster * sampleCluster));
}

/// Twice what the bracket holds at alpha = 1/2, the widest, if neighbours are independent.
std::int64_t candidateSpace(std::int64_t n, std::int32_t samples, const Tuning& tuning) {
    double share = tuning.candidateShare;
    if (share <= 0) share = 2 * 2 * (std::max(tuning.sigmas, 1.0F) * 0.5 * std::sqrt(samples) + 2) / samples;
    return std::min(n, static_cast<std::int64_t>(share * static_cast<double>(n)) + 64);
}

bool hasItsArrays(const Tensor& tensor, Format format) {
    if (tensor.m == nullptr || tensor.v == nullptr || tensor.n < 1) return false;
    if (format != Format::Bf16 && tensor.p == nullptr) return false;
    return format == Format::Fp32 ? tensor.g != nullptr : tensor.p16 != nullptr && tensor.g16 != nullptr;
}

float thresholdAsNumber(Rule rule, std::uint32_t rank) {
    return rule == Rule::Random ? static_cast<float>(rank) * 0x1p-32F : std::bit_cast<float>(rank);
}

template <class T>
void put(const std::vector<T>& values, std::byte* to) {
    if (!values.empty()) std::memcpy(to, values.data(), values.size() * sizeof(T));
}

template <class T>
T take(const std::byte* from, std::size_t index) {
    T value;
    std::memcpy(&value, from + index * sizeof(T), sizeof value);
    return value;
}

}  // namespace

std::string makeTables(std::span<const Tensor> tensors, const StepPlan& plan, Format format, const Tuning& tuning, const DeviceTraits& traits,
                       Tables& out) {
    if (static_cast<std::int64_t>(tensors.size()) != plan.tensorCount) return "the plan is for another number of tensors";
    if (tuning.samples < sampleCluster || tuning.warpPartition < 1 || tuning.blockPartition < tuning.warpPartition) return "the tuning is senseless";
    if (traits.sharedBytes < sampleSharedBytes(tuning.samples)) return "the device has too little shared memory for the sample";
    out = Tables();
    out.format = format;
    out.sigmas = tuning.sigmas;
    out.traits = traits;
    out.partitions = plan.partitionCount();
    out.tensors.assign(tensors.begin(), tensors.end());
    out.firstWords.push_back(0);
    for (const Tensor& tensor : tensors) out.firstWords.push_back(out.firstWords.back() + (tensor.n + 63) / 64);
    for (const bool filtered : {false, true}) {
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            if (tensors[i].filtered != filtered) continue;
            if (!hasItsArrays(tensors[i], format)) return "tensor " + std::to_string(i) + " lacks an array that its format needs";
            if (tensors[i].frozen) out.anyFrozen = true;
            cut({static_cast<std::int32_t>(i), tensors[i].firstIndex, 1, tensors[i].n, 0}, chunkSize, 0, 0, out.spans);
        }
        if (!filtered) out.unfilteredSpans = static_cast<std::int32_t>(out.spans.size());
    }

    const auto sharedRanks = static_cast<std::int64_t>((traits.sharedBytes - std::min(traits.sharedBytes, smallBlockExtra)) / sizeof(std::uint32_t));
    const std::int64_t blockPartition = std::min({tuning.blockPartition, sharedRanks, std::int64_t{1} << 30});
    const std::int64_t warpPartition = std::min<std::int64_t>({tuning.warpPartition, blockPartition, 1024});
    std::vector<std::int32_t> large;
    std::vector<std::int32_t> ofWarp, ofBlock;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(plan.sizes.size()); ++i) {
        const std::int64_t n = plan.sizes[static_cast<std::size_t>(i)];
        (n <= warpPartition ? ofWarp : n <= blockPartition ? ofBlock : large).push_back(i);
    }
    const auto slicesOf = [&](std::int32_t partition) {
        const auto first = static_cast<std::size_t>(plan.firstSlice[static_cast<std::size_t>(partition)]);
        const auto end = static_cast<std::size_t>(plan.firstSlice[static_cast<std::size_t>(partition) + 1]);
        return std::span(plan.slices).subspan(first, end - first);
    };
    // The last blocks to run should be short ones, and those of one partition side by side.
    std::stable_sort(large.begin(), large.end(), [&](std::int32_t a, std::int32_t b) {
        return plan.sizes[static_cast<std::size_t>(a)] > plan.sizes[static_cast<std::size_t>(b)];
    });
    for (const std::int32_t partition : large) {
        const std::int64_t n = plan.sizes[static_cast<std::size_t>(partition)];
        LargePartition entry{};
        entry.n = n;
        entry.partition = partition;
        entry.firstChunk = static_cast<std::int32_t>(out.chunks.size());
        entry.samples = sampleCount(n, tuning.samples);
        entry.firstCandidate = out.candidateSpace;
        entry.candidateSpace = candidateSpace(n, entry.samples, tuning);
        std::int64_t start = 0;
        for (const Slice& slice : slicesOf(partition)) {
            cut(slice, chunkSize, start, static_cast<std::int32_t>(out.large.size()), out.chunks);
            start += slice.size();
        }
        entry.chunks = static_cast<std::int32_t>(out.chunks.size()) - entry.firstChunk;
        out.candidateSpace += entry.candidateSpace;
        out.mostSamples = std::max(out.mostSamples, entry.samples);
        out.large.push_back(entry);
    }

    const auto addSmall = [&](std::int32_t partition) {
        const auto n = static_cast<std::int32_t>(plan.sizes[static_cast<std::size_t>(partition)]);
        const auto owner = static_cast<std::int32_t>(out.small.size());
        SmallPartition entry{partition, static_cast<std::int32_t>(out.pieces.size()), 0, n};
        std::int64_t start = 0;
        for (const Slice& slice : slicesOf(partition)) {
            cut(slice, std::numeric_limits<std::int32_t>::max(), start, owner, out.pieces);
            start += slice.size();
        }
        entry.pieces = static_cast<std::int32_t>(out.pieces.size()) - entry.firstPiece;
        out.small.push_back(entry);
        return n;
    };
    std::int32_t inGroup = 0;
    std::int32_t tensor = -1;
    for (const std::int32_t partition : ofWarp) {
        const std::int32_t first = slicesOf(partition).front().tensor;
        if (out.groups.empty() || inGroup >= groupSize || first != tensor) {
            out.groups.push_back(static_cast<std::int32_t>(out.small.size()));
            inGroup = 0;
            tensor = first;
        }
        const std::int32_t n = addSmall(partition);
        inGroup += n;
        out.largestWarp = std::max(out.largestWarp, n);
    }
    out.warpPartitions = static_cast<std::int32_t>(out.small.size());
    out.groups.push_back(out.warpPartitions);
    for (const std::int32_t partition : ofBlock) out.largestBlock = std::max(out.largestBlock, addSmall(partition));
    return {};
}

Tables::TableOffsets Tables::tableOffsets() const {
    Layout layout;
    TableOffsets at{};
    at.tensors = layout.add<Tensor>(tensors.size());
    at.chunks = layout.add<Chunk>(chunks.size());
    at.spans = layout.add<Chunk>(spans.size());
    at.pieces = layout.add<Chunk>(pieces.size());
    at.large = layout.add<LargePartition>(large.size());
    at.small = layout.add<SmallPartition>(small.size());
    at.groups = layout.add<std::int32_t>(groups.size());
    at.firstWords = layout.add<std::int64_t>(firstWords.size());
    at.size = layout.size();
    return at;
}

void Tables::write(std::byte* to) const {
    const TableOffsets at = tableOffsets();
    put(tensors, to + at.tensors);
    put(chunks, to + at.chunks);
    put(spans, to + at.spans);
    put(pieces, to + at.pieces);
    put(large, to + at.large);
    put(small, to + at.small);
    put(groups, to + at.groups);
    put(firstWords, to + at.firstWords);
}

Tables::WorkspaceOffsets Tables::workspaceOffsets() const {
    Layout layout;
    WorkspaceOffsets at{};
    at.control = layout.add<Control>(1);
    at.states = layout.add<LargeState>(large.size());
    at.bins = layout.add<std::uint64_t>(large.size() * searchBins);
    at.zeroed = layout.size();
    at.chunkStates = layout.add<ChunkState>(chunks.size());
    at.tiles = layout.add<std::uint32_t>(chunks.size() * tilesPerChunk);
    at.ranks = layout.add<std::uint32_t>(static_cast<std::size_t>(candidateSpace));
    at.updates = layout.add<float>(static_cast<std::size_t>(candidateSpace));
    at.places = layout.add<std::uint16_t>(static_cast<std::size_t>(candidateSpace));
    at.journal = layout.size();
    return at;
}

Tables::ResultOffsets Tables::resultOffsets() const {
    Layout layout;
    ResultOffsets at{};
    at.status = layout.add<RawStatus>(1);
    at.tensors = layout.add<RawTensor>(tensors.size());
    at.partitions = layout.add<RawPartition>(large.size() + small.size());
    at.zeroed = at.partitions + large.size() * sizeof(RawPartition);
    at.histograms = layout.add<LogHistogram>(tensors.size());
    at.size = layout.size();
    return at;
}

bool readResults(const Tables& tables, const std::byte* pinned, Rule rule, const StepScalars& scalars, std::span<PartitionResult> partitions,
                 std::span<TensorResult> results, StepStatus* status, std::span<LogHistogram> histograms) {
    if (!partitions.empty() && static_cast<std::int64_t>(partitions.size()) != tables.partitions) return false;
    if (!results.empty() && results.size() != tables.tensors.size()) return false;
    if (!histograms.empty() && histograms.size() != tables.tensors.size()) return false;
    const Tables::ResultOffsets at = tables.resultOffsets();
    const auto raw = take<RawStatus>(pinned + at.status, 0);
    const bool moved = raw.nanFound == 0;
    const double unit = 0x1p-28 * static_cast<double>(scalars.stepSize) * static_cast<double>(scalars.stepSize);
    if (status != nullptr) *status = {!moved, moved && raw.notFinite == 0, static_cast<std::int64_t>(raw.repaired)};
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto tensor = take<RawTensor>(pinned + at.tensors, i);
        results[i] = {static_cast<std::int64_t>(tensor.masked), static_cast<std::int64_t>(tensor.selected),
                      static_cast<double>(tensor.squares) * unit};
    }
    std::fill(partitions.begin(), partitions.end(), PartitionResult{});
    // The small ones' memory is not cleared when nothing is done in a step.
    const bool ranked = moved && rule != Rule::None;
    for (std::size_t i = 0; ranked && !partitions.empty() && i < tables.large.size() + tables.small.size(); ++i) {
        const std::int32_t partition = i < tables.large.size() ? tables.large[i].partition : tables.small[i - tables.large.size()].partition;
        const auto from = take<RawPartition>(pinned + at.partitions, i);
        partitions[static_cast<std::size_t>(partition)] = {from.threshold,
                                                           thresholdAsNumber(rule, from.threshold),
                                                           from.k,
                                                           static_cast<std::int64_t>(from.masked),
                                                           static_cast<std::int64_t>(from.selected),
                                                           static_cast<double>(from.squares) * unit};
    }
    for (std::size_t i = 0; i < histograms.size(); ++i) histograms[i] = take<LogHistogram>(pinned + at.histograms, i);
    return true;
}

}  // namespace mofo::kernels::cuda
