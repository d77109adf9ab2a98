// Partitions that fit into shared memory: one block (or warp) writes m and v and puts all ranks down, selects among them, and moves p with m and v
// still in the caches.
#pragma once

#include "kernels/cuda/select.cuh"
#include "kernels/cuda/update.cuh"

namespace mofo::kernels::cuda {
namespace {

/// Shared memory of one block of stepSmall for partitions of at most n coordinates.
template <int threads>
MOFO_HOST_DEVICE std::size_t smallSharedBytes(std::int32_t n) {
    return sizeof(std::uint32_t) * (static_cast<std::size_t>((n + 3) / 4 * 4) + 2 * threads + histogramCounters + 3) + 64;
}

/// What moved of one tensor, added up until another one's turn comes.
struct TensorSums {
    std::int32_t tensor = -1;
    std::uint64_t masked = 0, selected = 0, squares = 0;
};

/// Memory that is kept from partition to partition.
struct SmallShared {
    std::uint32_t* ranks;
    std::uint32_t* few;
    std::uint32_t* histogram;
};

template <class Block>
MOFO_DEVICE void flush(Block& block, const StepContext& c, const SmallShared& shared, TensorSums& sums) {
    if (sums.tensor < 0) return;
    block.once([&] {
        RawTensor& result = c.tensorResults[sums.tensor];
        block.add(&result.masked, sums.masked);
        block.add(&result.selected, sums.selected);
        if (c.measure) block.add(&result.squares, sums.squares);
    });
    if (c.histograms != nullptr) addHistogram(block, shared.histogram, c.histograms + sums.tensor);
    sums = TensorSums{};
}

template <Format format, bool momentumOnly, class Block>
MOFO_DEVICE void stepSmall(Block& block, const StepContext& c, int item, const SmallShared& shared, TensorSums& sums) {
    const SmallPartition partition = c.small[item];
    const StepScalars& scalars = *c.scalars;
    const Arithmetic arithmetic(scalars);
    const SquareCounter squareCounter(scalars);
    for (std::int32_t i = partition.firstPiece; i < partition.firstPiece + partition.pieces; ++i) {
        const Chunk chunk = c.pieces[i];
        if (chunk.tensor != sums.tensor) flush(block, c, shared, sums);
        sums.tensor = chunk.tensor;
        const Piece piece = pieceOf<format>(c, chunk);
        const Draw draw = drawOf(scalars.ruleKey, piece.key);
        byAlignment(piece, [&](auto aligned) {
            block.each([&](int thread) {
                for (std::int32_t tile = 0; tile < piece.size; tile += quad * Block::threads) {
                    const Reach<Block, decltype(aligned)::value> where(piece, tile, thread);
                    const Moments<format> moments(arithmetic, piece, where);
                    if (!moments.finite()) block.raise(&c.control->notFinite);
                    if (c.histograms != nullptr) moments.count(block, shared.histogram);
                    MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                        if (!where.has(j)) continue;
                        shared.ranks[chunk.start + where.number(j)] = rankOf<momentumOnly>(
                            arithmetic, c.rule, moments.g.x[j], moments.m.x[j], moments.v.x[j], draw, rankIndex<momentumOnly>(c, piece, where, j));
                    }
                }
            });
        });
    }

    const std::int64_t k = wantedOf(c, partition.partition, partition.n);
    const std::uint32_t threshold = selectIn(block, shared.ranks, partition.n, k, shared.few);

    TensorSums all;
    for (std::int32_t i = partition.firstPiece; i < partition.firstPiece + partition.pieces; ++i) {
        const Chunk chunk = c.pieces[i];
        if (chunk.tensor != sums.tensor) {
            flush(block, c, shared, sums);
            sums.tensor = chunk.tensor;
        }
        const Piece piece = pieceOf<format>(c, chunk);
        const Mover<format> mover(c, scalars, piece);
        typename Block::template PerThread<std::uint32_t> masked, selected;
        typename Block::template PerThread<std::uint64_t> squares;
        byAlignment(piece, [&](auto aligned) {
            block.each([&](int thread) {
                masked[thread] = selected[thread] = 0;
                squares[thread] = 0;
                for (std::int32_t tile = 0; tile < piece.size; tile += quad * Block::threads) {
                    const Reach<Block, decltype(aligned)::value> where(piece, tile, thread);
                    unsigned above = 0;
                    MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                        if (where.has(j) && shared.ranks[chunk.start + where.number(j)] >= threshold) above |= 1U << j;
                    }
                    masked[thread] += static_cast<std::uint32_t>(Lane::count(above));
                    if (above == 0 && !mover.dense) continue;
                    Four p = loadParameter<format>(piece, where);
                    Four m{}, v{};
                    if (above != 0) {
                        m = load(piece.m, where);
                        v = load(piece.v, where);
                    }
                    unsigned movers = 0;
                    MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                        const std::int64_t index = roundingIndex<format>(piece, where, j);
                        p.x[j] = mover.base(p.x[j], index);
                        if ((above >> j & 1U) == 0 || Lane::magnitude(m.x[j]) == 0) continue;
                        movers |= 1U << j;
                        const float update = arithmetic.update(m.x[j], v.x[j]);
                        p.x[j] = mover.moved(p.x[j], update, index);
                        if (c.measure) squares[thread] += squareCounter.units(update);
                    }
                    selected[thread] += static_cast<std::uint32_t>(Lane::count(movers));
                    const unsigned written = mover.dense ? where.present() : movers;
                    if (written != 0) storeParameter<format>(piece, where, p, written);
                }
            });
        });
        const std::uint32_t maskedHere = block.sum(masked);
        const std::uint32_t selectedHere = block.sum(selected);
        const std::uint64_t squaresHere = c.measure ? block.sum(squares) : 0;
        sums.masked += maskedHere;
        sums.selected += selectedHere;
        sums.squares += squaresHere;
        all.masked += maskedHere;
        all.selected += selectedHere;
        all.squares += squaresHere;
    }
    block.once([&] { c.partitionResults[c.largeCount + item] = {all.masked, all.selected, all.squares, k, threshold, 0}; });
}

/// The partitions [first, end) of StepContext::small, of which none has more than `largest` coordinates.
template <Format format, bool momentumOnly, class Block>
MOFO_DEVICE void stepSmalls(Block& block, const StepContext& c, std::int32_t first, std::int32_t end, std::int32_t largest) {
    if (c.control->nanFound != 0) return;
    SmallShared shared{};
    shared.ranks = block.template share<std::uint32_t>((largest + 3) / 4 * 4);
    shared.few = block.template share<std::uint32_t>(fewRanks<Block> + 1);
    shared.histogram = block.template share<std::uint32_t>(histogramCounters);
    if (c.histograms != nullptr) clearHistogram(block, shared.histogram);
    TensorSums sums;
    for (std::int32_t item = first; item < end; ++item) stepSmall<format, momentumOnly>(block, c, item, shared, sums);
    flush(block, c, shared, sums);
}

/// One block, one partition.
template <Format format, bool momentumOnly, class Block>
MOFO_DEVICE void stepByBlock(Block& block, const StepContext& c, int item) {
    const std::int32_t partition = c.warpPartitions + item;
    stepSmalls<format, momentumOnly>(block, c, partition, partition + 1, c.largestBlock);
}

/// One warp, one group of neighbours.
template <Format format, bool momentumOnly, class Block>
MOFO_DEVICE void stepByWarp(Block& block, const StepContext& c, int item) {
    stepSmalls<format, momentumOnly>(block, c, c.groups[item], c.groups[item + 1], c.largestWarp);
}

}  // namespace
}  // namespace mofo::kernels::cuda
