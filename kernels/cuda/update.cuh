// The one pass over all coordinates of large partitions and of tensors that move whole: new m and v, and p where that is certain.
#pragma once

#include <new>

#include "kernels/cuda/piece.cuh"

namespace mofo::kernels::cuda {
namespace {

/// Bits of a rank within [lo, hi) that the first digit of a search leaves for later.
MOFO_DEVICE int digitShift(std::uint64_t width) {
    const int bits = width > 0xffffffffU ? 32 : Lane::width(static_cast<std::uint32_t>(width - 1));
    return bits > searchDigit ? bits - searchDigit : 0;
}

/// New moments of a thread's four coordinates, written at once.
template <Format format>
struct Moments {
    Four g, m, v;
    unsigned present;

    template <class Where>
    MOFO_DEVICE Moments(const Arithmetic& arithmetic, const Piece& piece, const Where& where)
        : g(loadGradient<format>(piece, where)), m(load(piece.m, where)), v(load(piece.v, where)), present(where.present()) {
        MOFO_UNROLL for (int j = 0; j < quad; ++j) {
            g.x[j] = arithmetic.scaled(g.x[j]);
            m.x[j] = arithmetic.newM(m.x[j], g.x[j]);
            v.x[j] = arithmetic.newV(v.x[j], g.x[j]);
        }
        store(piece.m, where, m, present);
        store(piece.v, where, v, present);
    }
    /// Whether all are finite.
    MOFO_DEVICE bool finite() const {
        bool all = true;
        MOFO_UNROLL for (int j = 0; j < quad; ++j) all = all && Lane::magnitude(m.x[j]) < infinityBits;
        return all;
    }
    template <class Block>
    MOFO_DEVICE void count(Block& block, std::uint32_t* histogram) const {
        MOFO_UNROLL for (int j = 0; j < quad; ++j) {
            if ((present >> j & 1U) != 0) block.add(histogram + histogramBin(Lane::magnitude(m.x[j])), 1U);
        }
    }
    /// Which have something to move by.
    MOFO_DEVICE unsigned moments() const {
        unsigned bits = 0;
        MOFO_UNROLL for (int j = 0; j < quad; ++j) bits |= Lane::magnitude(m.x[j]) != 0 ? 1U << j : 0U;
        return bits & present;
    }
};

/// What a block shares while it updates a chunk. The step's constants are here because registers are just enough for the rest: with 64 of them, four
/// blocks a multiprocessor, the aligned loop spills nothing.
template <Format format>
struct ChunkShared {
    MOFO_DEVICE ChunkShared(const StepContext& c, const StepScalars& scalars, const Piece& piece)
        : arithmetic(scalars), mover(c, scalars, piece), squares(scalars) {}
    Arithmetic arithmetic;
    Mover<format> mover;
    SquareCounter squares;
    std::uint64_t journalBase;
    std::uint64_t firstCandidate;
    std::uint32_t kept;  // of the candidates
    std::uint32_t atHi;
    std::uint32_t unmoved;  // ranks >= hi with nothing to move by
    std::uint32_t histogram[histogramCounters];
    std::uint16_t places[stagedCandidates];
    std::uint32_t ranks[stagedCandidates];
    float updates[stagedCandidates];
};

/// One chunk of a large partition, tile by tile. Ranks >= hi move at once; the journal keeps what p was without moving, in the order of the block's
/// threads, so that the sweep can find it again. Where the journal has no room left, all movers of the tile wait for the sweep. Ranks in [lo, hi) are
/// kept as candidates, but not zeros with nothing to move by.
template <Format format, bool momentumOnly, bool aligned, class Block>
MOFO_DEVICE void updateChunk(Block& block, const StepContext& c, int item, const Chunk& chunk, const Piece& piece) {
    const StepScalars& scalars = *c.scalars;
    LargeState& state = c.states[chunk.owner];
    const std::uint32_t lo = state.lo;
    const std::uint32_t hi = state.hi;
    const int shift = digitShift(hi - lo);
    std::uint64_t* const bins = c.bins + static_cast<std::int64_t>(chunk.owner) * searchBins;
    const Draw draw = drawOf(scalars.ruleKey, piece.key);
    auto* const shared = block.template share<ChunkShared<format>>(1);
    block.once([&] {
        new (shared) ChunkShared<format>(c, scalars, piece);
        shared->atHi = shared->unmoved = 0;
    });
    if (c.histograms != nullptr) clearHistogram(block, shared->histogram);
    const Arithmetic& arithmetic = shared->arithmetic;
    const Mover<format>& mover = shared->mover;

    typename Block::template PerThread<std::uint64_t> squares;
    block.each([&](int thread) { squares[thread] = 0; });
    std::uint32_t movers = 0, deferred = 0, candidates = 0;

    for (std::int32_t tile = 0; tile < piece.size; tile += quad * Block::threads) {
        typename Block::template PerThread<Four> p, update;
        typename Block::template PerThread<std::uint32_t[quad]> ranks;
        // Bits of the four: movers, candidates, and whether their m is not zero.
        typename Block::template PerThread<std::uint32_t> which, counts;
        block.each([&](int thread) {
            const Reach<Block, aligned> where(piece, tile, thread);
            const Moments<format> moments(arithmetic, piece, where);
            if (!moments.finite()) block.raise(&c.control->notFinite);
            if (c.histograms != nullptr) moments.count(block, shared->histogram);
            const unsigned hasMoment = moments.moments();
            unsigned above = 0, open = 0;
            MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                const std::uint32_t rank = rankOf<momentumOnly>(arithmetic, c.rule, moments.g.x[j], moments.m.x[j], moments.v.x[j], draw,
                                                                rankIndex<momentumOnly>(c, piece, where, j));
                ranks[thread][j] = rank;
                if ((moments.present >> j & 1U) == 0) continue;
                if (rank >= hi) {
                    if (rank == hi) block.add(&shared->atHi, 1U);
                    above |= 1U << j;
                } else if (rank >= lo && (rank != 0 || (hasMoment >> j & 1U) != 0)) {
                    open |= 1U << j;
                }
            }
            const unsigned moving = above & hasMoment;
            if (moving != above) block.add(&shared->unmoved, static_cast<std::uint32_t>(Lane::count(above ^ moving)));
            if (moving != 0 || mover.dense) p[thread] = loadParameter<format>(piece, where);
            MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                if (((moving | open) >> j & 1U) != 0) update[thread].x[j] = arithmetic.update(moments.m.x[j], moments.v.x[j]);
            }
            which[thread] = moving | open << 4 | hasMoment << 8;
            counts[thread] = static_cast<std::uint32_t>(Lane::count(moving) | Lane::count(open) << 16);
        });
        const std::uint32_t total = block.exclusiveSum(counts);
        const std::uint32_t movingHere = total & 0xffffU;
        block.once([&] { shared->journalBase = movingHere == 0 ? 0 : block.add(&c.control->journaled, static_cast<std::uint64_t>(movingHere)); });
        const std::uint64_t base = shared->journalBase;
        const bool moves = base + movingHere <= c.journalCapacity;
        block.each([&](int thread) {
            if (thread == 0) c.tiles[item * tilesPerChunk + tile / (quad * Block::threads)] = moves ? static_cast<std::uint32_t>(base) : notJournaled;
            const Reach<Block, aligned> where(piece, tile, thread);
            const unsigned moving = moves ? which[thread] & 15U : 0;
            const unsigned open = which[thread] >> 4 & 15U;
            std::uint64_t entry = base + (counts[thread] & 0xffffU);
            std::uint32_t place = candidates + (counts[thread] >> 16);
            MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                if (mover.dense || (moving >> j & 1U) != 0) {
                    const std::int64_t index = roundingIndex<format>(piece, where, j);
                    float& value = p[thread].x[j];
                    value = mover.base(value, index);
                    if ((moving >> j & 1U) != 0) {
                        if constexpr (format == Format::Bf16) {
                            static_cast<std::uint16_t*>(c.journal)[entry++] = static_cast<std::uint16_t>(Lane::bitsOf(value) >> 16);
                        } else {
                            static_cast<std::uint32_t*>(c.journal)[entry++] = Lane::bitsOf(value);
                        }
                        value = mover.moved(value, update[thread].x[j], index);
                        if (c.measure) squares[thread] += shared->squares.units(update[thread].x[j]);
                    }
                }
                if ((open >> j & 1U) != 0) {
                    const std::uint32_t rank = ranks[thread][j];
                    block.add(bins + ((rank - lo) >> shift), std::uint64_t{1});
                    if (place < stagedCandidates) {
                        shared->ranks[place] = rank;
                        shared->updates[place] = update[thread].x[j];
                        shared->places[place] = static_cast<std::uint16_t>(static_cast<unsigned>(where.number(j)) | (moves ? 0U : placeDeferred) |
                                                                           ((which[thread] >> (8 + j) & 1U) != 0 ? placeHasMoment : 0U));
                    }
                    ++place;
                }
            }
            const unsigned written = mover.dense ? where.present() : moving;
            if (written != 0) storeParameter<format>(piece, where, p[thread], written);
        });
        candidates += total >> 16;
        movers += movingHere;
        deferred += moves ? 0 : movingHere;
    }

    const std::uint64_t squared = c.measure ? block.sum(squares) : 0;
    const std::uint32_t atLeastHi = movers + shared->unmoved;
    const std::uint32_t tied = shared->atHi;
    const bool staged = candidates <= stagedCandidates;
    block.once([&] {
        ChunkState& record = c.chunkStates[item];
        record.squares = squared;
        record.masked = atLeastHi;
        record.selected = movers - deferred;
        record.deferred = deferred;
        block.add(&state.atLeastHi, static_cast<std::uint64_t>(atLeastHi));
        if (tied != 0) block.add(&state.atHi, static_cast<std::uint64_t>(tied));
        if (candidates != 0) block.add(&state.inside, static_cast<std::uint64_t>(candidates));
        const std::uint64_t first = candidates != 0 && staged ? block.add(&state.candidates, static_cast<std::uint64_t>(candidates)) : 0;
        const LargePartition& partition = c.large[chunk.owner];
        const bool fits = staged && first + candidates <= static_cast<std::uint64_t>(partition.candidateSpace);
        if (!fits) block.raise(&state.overflowed);
        shared->firstCandidate = static_cast<std::uint64_t>(partition.firstCandidate) + first;
        record.firstCandidate = shared->firstCandidate;
        record.candidates = fits ? candidates : 0;
        shared->kept = record.candidates;
        if (deferred != 0) block.raise(&c.control->sweeps);
    });
    block.each([&](int thread) {
        const std::uint64_t first = shared->firstCandidate;
        for (std::uint32_t i = thread; i < shared->kept; i += Block::threads) {
            c.ranks[first + i] = shared->ranks[i];
            c.updates[first + i] = shared->updates[i];
            c.places[first + i] = shared->places[i];
        }
    });
    if (c.histograms != nullptr) addHistogram(block, shared->histogram, c.histograms + chunk.tensor);
}

/// A contiguous chunk of a tensor of which everything moves.
template <Format format, bool aligned, class Block>
MOFO_DEVICE void updateAll(Block& block, const StepContext& c, const Chunk& chunk, const Piece& piece) {
    const StepScalars& scalars = *c.scalars;
    const Arithmetic arithmetic(scalars);
    const Mover<format> mover(c, scalars, piece);
    const SquareCounter squareCounter(scalars);
    auto* const histogram = block.template share<std::uint32_t>(histogramCounters);
    if (c.histograms != nullptr) clearHistogram(block, histogram);
    typename Block::template PerThread<std::uint32_t> selected;
    typename Block::template PerThread<std::uint64_t> squares;
    block.each([&](int thread) {
        selected[thread] = 0;
        squares[thread] = 0;
        for (std::int32_t tile = 0; tile < piece.size; tile += quad * Block::threads) {
            const Reach<Block, aligned> where(piece, tile, thread);
            Four p = loadParameter<format>(piece, where);
            const Moments<format> moments(arithmetic, piece, where);
            if (!moments.finite()) block.raise(&c.control->notFinite);
            if (c.histograms != nullptr) moments.count(block, histogram);
            const unsigned movers = moments.moments();
            selected[thread] += static_cast<std::uint32_t>(Lane::count(movers));
            MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                const std::int64_t index = roundingIndex<format>(piece, where, j);
                p.x[j] = mover.base(p.x[j], index);
                if ((movers >> j & 1U) == 0) continue;
                const float update = arithmetic.update(moments.m.x[j], moments.v.x[j]);
                p.x[j] = mover.moved(p.x[j], update, index);
                if (c.measure) squares[thread] += squareCounter.units(update);
            }
            const unsigned written = mover.dense ? moments.present : movers;
            if (written != 0) storeParameter<format>(piece, where, p, written);
        }
    });
    const std::uint32_t moved = block.sum(selected);
    const std::uint64_t squared = c.measure ? block.sum(squares) : 0;
    block.once([&] {
        RawTensor& result = c.tensorResults[chunk.tensor];
        block.add(&result.masked, static_cast<std::uint64_t>(chunk.size));
        if (moved != 0) block.add(&result.selected, static_cast<std::uint64_t>(moved));
        if (squared != 0) block.add(&result.squares, squared);
    });
    if (c.histograms != nullptr) addHistogram(block, histogram, c.histograms + chunk.tensor);
}

/// The large partitions' chunks first, then what moves whole.
template <Format format, bool momentumOnly, class Block>
MOFO_DEVICE void update(Block& block, const StepContext& c, int item) {
    if (c.control->nanFound != 0) return;
    const bool large = item < c.chunkCount;
    const Chunk chunk = large ? c.chunks[item] : c.spans[item - c.chunkCount];
    const Piece piece = pieceOf<format>(c, chunk);
    byAlignment(piece, [&](auto aligned) {
        if (large) {
            updateChunk<format, momentumOnly, decltype(aligned)::value>(block, c, item, chunk, piece);
        } else if (!c.tensors[chunk.tensor].frozen) {
            updateAll<format, decltype(aligned)::value>(block, c, chunk, piece);
        }
    });
}

}  // namespace
}  // namespace mofo::kernels::cuda
