// After the fact: which coordinates a step selected, and what a selection by gradient would have added up to.
#pragma once

#include "kernels/cuda/pipeline.cuh"

namespace mofo::kernels::cuda {
namespace {

/// Coordinates of a contiguous piece whose bits a block gathers before it writes them.
inline constexpr int gatheredBits = 16384;
inline constexpr int gatheredWords = gatheredBits / 32 + 1;

/// Sets the bits of those coordinates of `chunk` that have a rank of at least the threshold and m != 0.
template <Format format, bool aligned, class Block>
MOFO_DEVICE void addBits(Block& block, const StepContext& c, const Chunk& chunk, const Piece& piece, std::uint32_t threshold) {
    const Arithmetic arithmetic(*c.scalars);
    const Draw draw = drawOf(c.scalars->ruleKey, piece.key);
    auto* const words = reinterpret_cast<std::uint32_t*>(c.bits + c.firstWords[chunk.tensor]);
    const std::int64_t first = chunk.begin - c.tensors[chunk.tensor].firstIndex;
    const bool gathers = piece.length == piece.size && piece.size <= gatheredBits;
    auto* const gathered = block.template share<std::uint32_t>(gatheredWords);
    const std::int64_t firstWord = first / 32;
    const auto wordCount = static_cast<int>((first + piece.size + 31) / 32 - firstWord);
    if (gathers) {
        block.each([&](int thread) {
            for (int i = thread; i < wordCount; i += Block::threads) gathered[i] = 0;
        });
    }
    block.each([&](int thread) {
        for (std::int32_t tile = 0; tile < piece.size; tile += quad * Block::threads) {
            const Reach<Block, aligned> where(piece, tile, thread);
            std::uint32_t ranks[quad];
            presentRanks<format>(c, arithmetic, piece, draw, where, ranks);
            const Four m = load(piece.m, where);
            MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                if (!where.has(j) || ranks[j] < threshold || Lane::magnitude(m.x[j]) == 0) continue;
                const std::int64_t bit = first + where.offset(j);
                block.setBits(gathers ? gathered + (bit / 32 - firstWord) : words + bit / 32, 1U << (bit % 32));
            }
        }
    });
    if (!gathers) return;
    // The first and the last word may be another piece's too.
    block.each([&](int thread) {
        for (int i = thread; i < wordCount; i += Block::threads) {
            if (gathered[i] != 0) block.setBits(words + firstWord + i, gathered[i]);
        }
    });
}

/// The chunks of large partitions, the pieces of small ones, then what moved whole. The bits are zero before.
template <Format format, class Block>
MOFO_DEVICE void selectedBits(Block& block, const StepContext& c, int item) {
    if (c.status->nanFound != 0) return;
    Chunk chunk;
    std::uint32_t threshold = 0;
    if (item < c.chunkCount) {
        chunk = c.chunks[item];
        threshold = c.partitionResults[chunk.owner].threshold;
    } else if (item < c.chunkCount + c.pieceCount) {
        chunk = c.pieces[item - c.chunkCount];
        threshold = c.partitionResults[c.largeCount + chunk.owner].threshold;
    } else {
        // No rank is below zero, so that all of m != 0 is left.
        chunk = c.spans[item - c.chunkCount - c.pieceCount];
        if (c.tensors[chunk.tensor].frozen) return;
    }
    const Piece piece = pieceOf<format>(c, chunk);
    byAlignment(piece, [&](auto aligned) { addBits<format, decltype(aligned)::value>(block, c, chunk, piece, threshold); });
}

/// The sum of the ranks above the threshold, as floats, among the coordinates of a chunk, and how many they are.
template <Format format, bool aligned, class Block>
MOFO_DEVICE void sumAbove(Block& block, const StepContext& c, const Arithmetic& arithmetic, const Piece& piece, std::uint32_t threshold,
                          ChunkSum* to) {
    typename Block::template PerThread<double> sums;
    typename Block::template PerThread<std::uint32_t> counts;
    block.each([&](int thread) {
        sums[thread] = 0;
        counts[thread] = 0;
        for (std::int32_t tile = 0; tile < piece.size; tile += quad * Block::threads) {
            const Reach<Block, aligned> where(piece, tile, thread);
            std::uint32_t ranks[quad];
            presentRanks<format>(c, arithmetic, piece, Draw{}, where, ranks);
            MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                if (!where.has(j) || ranks[j] <= threshold) continue;
                sums[thread] += static_cast<double>(Lane::floatOf(ranks[j]));
                ++counts[thread];
            }
        }
    });
    const double sum = block.sum(sums);
    const std::uint32_t count = block.sum(counts);
    block.once([&] { *to = {sum, static_cast<std::int64_t>(count)}; });
}

MOFO_DEVICE double withTies(const ChunkSum& above, std::int64_t k, std::uint32_t threshold) {
    return above.sum + static_cast<double>(k - above.count) * static_cast<double>(Lane::floatOf(threshold));
}

/// Of large partitions, by all blocks together: 5 passes over the gradient. The context's rule is Gradient.
template <Format format, class Grid>
MOFO_DEVICE void topSumsOfLarge(Grid& grid, const StepContext& c) {
    const Arithmetic arithmetic(*c.scalars);
    searchThresholds<format>(grid, c, arithmetic, [&](auto& block, int item) {
        block.once([&] {
            LargeState& state = c.states[item];
            state.k = static_cast<std::uint64_t>(wantedOf(c, c.large[item].partition, c.large[item].n));
            searchEverything(block, c, state);
        });
    });
    auto* const chunkSums = reinterpret_cast<ChunkSum*>(c.chunkStates);
    grid.blocks(c.chunkCount, [&](auto& block, int item) {
        const Chunk chunk = c.chunks[item];
        const Piece piece = pieceOf<format>(c, chunk);
        byAlignment(piece, [&](auto aligned) {
            sumAbove<format, decltype(aligned)::value>(block, c, arithmetic, piece, c.states[chunk.owner].threshold, chunkSums + item);
        });
    });
    grid.wait();
    // In a fixed order: each thread some neighbouring chunks, then the threads.
    grid.blocks(c.largeCount, [&](auto& block, int item) {
        using Block = std::decay_t<decltype(block)>;
        const LargePartition partition = c.large[item];
        const std::int32_t each = (partition.chunks + Block::threads - 1) / Block::threads;
        typename Block::template PerThread<double> sums;
        typename Block::template PerThread<std::uint64_t> counts;
        block.each([&](int thread) {
            sums[thread] = 0;
            counts[thread] = 0;
            for (std::int32_t i = thread * each; i < (thread + 1) * each && i < partition.chunks; ++i) {
                sums[thread] += chunkSums[partition.firstChunk + i].sum;
                counts[thread] += static_cast<std::uint64_t>(chunkSums[partition.firstChunk + i].count);
            }
        });
        const double sum = block.sum(sums);
        const auto count = static_cast<std::int64_t>(block.sum(counts));
        block.once([&] {
            c.sums[partition.partition] = withTies({sum, count}, static_cast<std::int64_t>(c.states[item].k), c.states[item].threshold);
        });
    });
}

/// Of one small partition.
template <Format format, class Block>
MOFO_DEVICE void topSumOfSmall(Block& block, const StepContext& c, int item) {
    const SmallPartition partition = c.small[item];
    const Arithmetic arithmetic(*c.scalars);
    auto* const ranks = block.template share<std::uint32_t>((c.largestSmall() + 3) / 4 * 4);
    auto* const few = block.template share<std::uint32_t>(fewRanks<Block> + 1);
    for (std::int32_t i = partition.firstPiece; i < partition.firstPiece + partition.pieces; ++i) {
        const Chunk chunk = c.pieces[i];
        const Piece piece = pieceOf<format>(c, chunk);
        byAlignment(piece, [&](auto aligned) {
            block.each([&](int thread) {
                for (std::int32_t tile = 0; tile < piece.size; tile += quad * Block::threads) {
                    const Reach<Block, decltype(aligned)::value> where(piece, tile, thread);
                    std::uint32_t found[quad];
                    presentRanks<format>(c, arithmetic, piece, Draw{}, where, found);
                    MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                        if (where.has(j)) ranks[chunk.start + where.number(j)] = found[j];
                    }
                }
            });
        });
    }
    const std::int64_t k = wantedOf(c, partition.partition, partition.n);
    const std::uint32_t threshold = selectIn(block, ranks, partition.n, k, few);
    typename Block::template PerThread<double> sums;
    typename Block::template PerThread<std::uint32_t> counts;
    block.each([&](int thread) {
        sums[thread] = 0;
        counts[thread] = 0;
        for (std::int32_t i = thread; i < partition.n; i += Block::threads) {
            if (ranks[i] <= threshold) continue;
            sums[thread] += static_cast<double>(Lane::floatOf(ranks[i]));
            ++counts[thread];
        }
    });
    const double sum = block.sum(sums);
    const std::uint32_t count = block.sum(counts);
    block.once([&] { c.sums[partition.partition] = withTies({sum, static_cast<std::int64_t>(count)}, k, threshold); });
}

template <Format format>
struct BitsKernel {
    static constexpr int threads = blockThreads;
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const StepContext& c, int item) {
        selectedBits<format>(block, c, item);
    }
};

template <Format format>
struct TopLargeKernel {
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Grid>
    static MOFO_DEVICE void run(Grid& grid, const StepContext& c) {
        topSumsOfLarge<format>(grid, c);
    }
};

template <Format format>
struct TopSmallKernel {
    static constexpr int threads = blockThreads;
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const StepContext& c, int item) {
        topSumOfSmall<format>(block, c, item);
    }
};

inline constexpr std::size_t bitsSharedBytes = gatheredWords * sizeof(std::uint32_t) + 64;

/// Bits that are cleared already.
template <Format format, class Launcher>
void enqueueBits(Launcher& launcher, const StepContext& c) {
    launcher.template blocks<BitsKernel<format>>(c.chunkCount + c.pieceCount + c.updatedSpans, bitsSharedBytes, c);
}

/// The context's rule is Gradient, and of the results nothing is cleared.
template <Format format, class Launcher>
void enqueueTopSums(Launcher& launcher, const StepContext& c) {
    if (c.largeCount > 0) {
        launcher.template blocks<ClearKernel>(clearBlocks(c), 0, c);
        launcher.template grid<TopLargeKernel<format>>(c.topBlocks, finishSharedBytes, c);
    }
    const int small = c.warpPartitions + c.blockPartitions;
    if (small > 0) launcher.template blocks<TopSmallKernel<format>>(small, smallSharedBytes<blockThreads>(c.largestSmall()), c);
}

}  // namespace
}  // namespace mofo::kernels::cuda
