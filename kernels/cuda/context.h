// What every kernel of a step is given.
#pragma once

#include "kernels/cuda/tables.h"

namespace mofo::kernels::cuda {

struct StepContext {
    // Tables
    const Tensor* tensors;
    const Chunk* chunks;
    const Chunk* spans;
    const Chunk* pieces;
    const LargePartition* large;
    const SmallPartition* small;
    const std::int32_t* groups;
    std::int32_t tensorCount, chunkCount, largeCount, warpPartitions, blockPartitions;
    std::int32_t spanCount;     // of all tensors
    std::int32_t updatedSpans;  // of the tensors whose every coordinate moves: all under Rule::None
    std::int32_t groupCount, pieceCount;
    std::int32_t largestWarp, largestBlock, mostSamples;
    std::int32_t checkers;                 // blocks that look for NaN
    std::int32_t finishBlocks, topBlocks;  // of cooperative launches
    float sigmas;
    // Arguments
    const StepScalars* scalars;
    const std::int64_t* k;
    Rule rule;
    bool decaySelectedOnly, measure;
    LogHistogram* histograms;  // null: not wanted
    // Workspace
    Control* control;
    LargeState* states;
    std::uint64_t* bins;  // searchBins of each large partition
    ChunkState* chunkStates;
    std::uint32_t* tiles;  // where each tile's journal begins
    std::uint32_t* ranks;  // of candidates
    float* updates;
    std::uint16_t* places;
    void* journal;  // uint32 patterns of p; uint16 of p16 in Format::Bf16
    std::uint64_t journalCapacity;
    // Results
    RawStatus* status;
    RawTensor* tensorResults;
    RawPartition* partitionResults;
    // What a step clears
    std::byte* workspace;
    std::uint64_t workspaceZeroed;
    std::uint64_t resultsZeroed;
    // For the statistics
    std::uint64_t* bits;
    const std::int64_t* firstWords;  // of each tensor
    double* sums;

    MOFO_HOST_DEVICE std::int32_t largestSmall() const { return largestWarp > largestBlock ? largestWarp : largestBlock; }
};

/// `tables`, `workspace` and `results` point to device memory of the sizes that `plan` says. Of the launch, `plan` is not read.
[[nodiscard]] inline StepContext contextOf(const Tables& plan, const std::byte* tables, const StepLaunch& launch) {
    const Tables::TableOffsets table = plan.tableOffsets();
    const Tables::WorkspaceOffsets work = plan.workspaceOffsets();
    const Tables::ResultOffsets result = plan.resultOffsets();
    std::byte* const workspace = launch.workspace;
    std::byte* const results = launch.results;
    const auto count = [](const auto& values) { return static_cast<std::int32_t>(values.size()); };
    const bool ranked = launch.rule != Rule::None;
    StepContext c{};
    c.tensors = reinterpret_cast<const Tensor*>(tables + table.tensors);
    c.chunks = reinterpret_cast<const Chunk*>(tables + table.chunks);
    c.spans = reinterpret_cast<const Chunk*>(tables + table.spans);
    c.pieces = reinterpret_cast<const Chunk*>(tables + table.pieces);
    c.large = reinterpret_cast<const LargePartition*>(tables + table.large);
    c.small = reinterpret_cast<const SmallPartition*>(tables + table.small);
    c.groups = reinterpret_cast<const std::int32_t*>(tables + table.groups);
    c.firstWords = reinterpret_cast<const std::int64_t*>(tables + table.firstWords);
    c.tensorCount = count(plan.tensors);
    c.spanCount = count(plan.spans);
    c.updatedSpans = ranked ? plan.unfilteredSpans : count(plan.spans);
    c.chunkCount = ranked ? count(plan.chunks) : 0;
    c.largeCount = ranked ? count(plan.large) : 0;
    c.warpPartitions = ranked ? plan.warpPartitions : 0;
    c.blockPartitions = ranked ? plan.blockPartitions() : 0;
    c.groupCount = c.warpPartitions == 0 ? 0 : count(plan.groups) - 1;
    c.pieceCount = ranked ? count(plan.pieces) : 0;
    c.largestWarp = plan.largestWarp;
    c.largestBlock = plan.largestBlock;
    c.mostSamples = plan.mostSamples;
    c.checkers = plan.traits.multiprocessors * 4 < c.spanCount ? plan.traits.multiprocessors * 4 : c.spanCount;
    c.finishBlocks = plan.traits.finishBlocks;
    c.topBlocks = plan.traits.topBlocks;
    c.sigmas = plan.sigmas;
    c.scalars = launch.scalars;
    c.k = launch.k;
    c.rule = launch.rule;
    c.decaySelectedOnly = launch.decaySelectedOnly;
    c.measure = launch.measure;
    c.histograms = launch.histograms ? reinterpret_cast<LogHistogram*>(results + result.histograms) : nullptr;
    c.control = reinterpret_cast<Control*>(workspace + work.control);
    c.states = reinterpret_cast<LargeState*>(workspace + work.states);
    c.bins = reinterpret_cast<std::uint64_t*>(workspace + work.bins);
    c.chunkStates = reinterpret_cast<ChunkState*>(workspace + work.chunkStates);
    c.tiles = reinterpret_cast<std::uint32_t*>(workspace + work.tiles);
    c.ranks = reinterpret_cast<std::uint32_t*>(workspace + work.ranks);
    c.updates = reinterpret_cast<float*>(workspace + work.updates);
    c.places = reinterpret_cast<std::uint16_t*>(workspace + work.places);
    c.journal = workspace + work.journal;
    c.journalCapacity = (launch.workspaceBytes - work.journal) / plan.journalEntryBytes();
    if (c.journalCapacity > notJournaled) c.journalCapacity = notJournaled;
    c.status = reinterpret_cast<RawStatus*>(results + result.status);
    c.tensorResults = reinterpret_cast<RawTensor*>(results + result.tensors);
    c.partitionResults = reinterpret_cast<RawPartition*>(results + result.partitions);
    c.workspace = workspace;
    c.workspaceZeroed = work.zeroed;
    c.resultsZeroed = result.zeroed;
    return c;
}

}  // namespace mofo::kernels::cuda
