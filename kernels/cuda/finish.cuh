// The last launch of a step, by all blocks together: the exact thresholds of large partitions, the candidates' moves, the repair of what the bracket
// missed.
//
// The threshold is searched ten bits at a time: a histogram of the ranks in question, and the bin where the k-th one falls. The first histogram was
// counted by the update. Candidates lie within some 2^18 patterns (a few percent of an octave of floats), so that one more round finds it: their
// ranks are read twice here (4 bytes each, 2 % of the coordinates or less), which all blocks share, however large the partition. Each round waits
// twice for all blocks, some 2 us each. Only where the bracket missed are all ranks of the partition counted, in four rounds of 4 bytes a coordinate.
#pragma once

#include "kernels/cuda/select.cuh"
#include "kernels/cuda/update.cuh"

namespace mofo::kernels::cuda {
namespace {

/// By one thread.
template <class Block>
MOFO_DEVICE void searchEverything(Block& block, const StepContext& c, LargeState& state) {
    state.search = Search::Everything;
    state.from = 0;
    state.to = std::uint64_t{1} << 32;
    state.above = 0;
    block.add(&c.control->recounting[0], 1U);
    block.add(&c.control->searching[0], 1U);
}

/// Where the threshold is, after the update, without looking closer.
template <class Block>
MOFO_DEVICE void beginSearch(Block& block, const StepContext& c, int item) {
    LargeState& state = c.states[item];
    const LargePartition& partition = c.large[item];
    const auto k = static_cast<std::uint64_t>(wantedOf(c, partition.partition, partition.n));
    block.once([&] {
        c.partitionResults[item].k = static_cast<std::int64_t>(k);
        state.k = k;
        state.search = Search::Found;
        if (k <= state.atLeastHi && state.atLeastHi - state.atHi < k) {
            state.threshold = state.hi;
        } else if (k > state.atLeastHi && k <= state.atLeastHi + state.inside && state.overflowed == 0) {
            state.search = Search::Candidates;
            state.from = state.lo;
            state.to = state.hi;
            state.above = state.atLeastHi;
        } else if (k > state.atLeastHi + state.inside && state.lo == 0 && state.overflowed == 0) {
            // Everything else is zeros that were not kept.
            state.threshold = 0;
        } else {
            searchEverything(block, c, state);
            state.repaired = 1;
            block.add(&c.control->repaired, 1U);
            block.raise(&c.control->sweeps);
        }
    });
}

/// Finds the bin of the k-th rank in the histogram, clears the histogram, and says whether another round is needed.
template <class Block>
MOFO_DEVICE void pick(Block& block, const StepContext& c, int item, int round) {
    LargeState& state = c.states[item];
    if (state.search != Search::Candidates && state.search != Search::Everything) return;
    const std::uint64_t k = state.k;
    const std::uint64_t from = state.from;
    const std::uint64_t to = state.to;
    const std::uint64_t above = state.above;
    const int shift = digitShift(to - from);
    std::uint64_t* const bins = c.bins + static_cast<std::int64_t>(item) * searchBins;
    constexpr int each = searchBins / Block::threads;
    typename Block::template PerThread<std::uint64_t> higher;
    // Thread 0 has the highest bins.
    block.each([&](int thread) {
        higher[thread] = 0;
        for (int i = 1; i <= each; ++i) higher[thread] += bins[searchBins - thread * each - i];
    });
    (void)block.exclusiveSum(higher);
    block.each([&](int thread) {
        std::uint64_t atLeast = above + higher[thread];
        for (int i = 1; i <= each; ++i) {
            const int bin = searchBins - thread * each - i;
            const std::uint64_t here = bins[bin];
            bins[bin] = 0;
            if (atLeast < k && k <= atLeast + here) {
                state.above = atLeast;
                state.from = from + (static_cast<std::uint64_t>(bin) << shift);
                const std::uint64_t end = state.from + (std::uint64_t{1} << shift);
                state.to = end < to ? end : to;
                if (shift == 0) {
                    state.threshold = static_cast<std::uint32_t>(state.from);
                    state.search = Search::Found;
                } else {
                    block.add(&c.control->searching[round], 1U);
                    if (state.search == Search::Everything) block.add(&c.control->recounting[round], 1U);
                }
            }
            atLeast += here;
        }
    });
}

/// The histogram over a chunk's candidates.
template <class Block>
MOFO_DEVICE void countCandidates(Block& block, const StepContext& c, int item) {
    const LargeState& state = c.states[c.chunks[item].owner];
    if (state.search != Search::Candidates) return;
    const ChunkState& record = c.chunkStates[item];
    std::uint64_t* const bins = c.bins + static_cast<std::int64_t>(c.chunks[item].owner) * searchBins;
    const int shift = digitShift(state.to - state.from);
    const auto from = static_cast<std::uint32_t>(state.from);
    const auto last = static_cast<std::uint32_t>(state.to - 1);
    block.each([&](int thread) {
        for (std::uint32_t i = thread; i < record.candidates; i += Block::threads) {
            const std::uint32_t rank = c.ranks[record.firstCandidate + i];
            if (rank >= from && rank <= last) block.add(bins + ((rank - from) >> shift), std::uint64_t{1});
        }
    });
}

/// The histogram over all coordinates of a chunk.
template <Format format, class Block>
MOFO_DEVICE void countEverything(Block& block, const StepContext& c, const Arithmetic& arithmetic, int item, std::uint32_t* counters) {
    const Chunk chunk = c.chunks[item];
    const LargeState& state = c.states[chunk.owner];
    if (state.search != Search::Everything) return;
    const Piece piece = pieceOf<format>(c, chunk);
    const Draw draw = drawOf(c.scalars->ruleKey, piece.key);
    const int shift = digitShift(state.to - state.from);
    const auto from = static_cast<std::uint32_t>(state.from);
    const auto last = static_cast<std::uint32_t>(state.to - 1);
    block.each([&](int thread) {
        for (int i = thread; i < searchBins; i += Block::threads) counters[i] = 0;
    });
    byAlignment(piece, [&](auto aligned) {
        block.each([&](int thread) {
            for (std::int32_t tile = 0; tile < piece.size; tile += quad * Block::threads) {
                const Reach<Block, decltype(aligned)::value> where(piece, tile, thread);
                std::uint32_t ranks[quad];
                presentRanks<format>(c, arithmetic, piece, draw, where, ranks);
                MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                    if (where.has(j) && ranks[j] >= from && ranks[j] <= last) block.add(counters + ((ranks[j] - from) >> shift), 1U);
                }
            }
        });
    });
    std::uint64_t* const bins = c.bins + static_cast<std::int64_t>(chunk.owner) * searchBins;
    block.each([&](int thread) {
        for (int i = thread; i < searchBins; i += Block::threads) {
            if (counters[i] != 0) block.add(bins + i, static_cast<std::uint64_t>(counters[i]));
        }
    });
}

template <class Block>
MOFO_DEVICE void addResults(Block& block, const StepContext& c, const Chunk& chunk, std::uint64_t masked, std::uint64_t selected,
                            std::uint64_t squares) {
    RawTensor& tensor = c.tensorResults[chunk.tensor];
    RawPartition& partition = c.partitionResults[chunk.owner];
    block.once([&] {
        if (masked != 0) {
            block.add(&tensor.masked, masked);
            block.add(&partition.masked, masked);
        }
        if (selected != 0) {
            block.add(&tensor.selected, selected);
            block.add(&partition.selected, selected);
        }
        if (squares != 0) {
            block.add(&tensor.squares, squares);
            block.add(&partition.squares, squares);
        }
    });
}

/// Moves the candidates of a chunk that are at least the threshold, and reports the chunk. What a tile left for the sweep is only counted.
template <Format format, class Block>
MOFO_DEVICE void settle(Block& block, const StepContext& c, int item) {
    const Chunk chunk = c.chunks[item];
    const LargeState& state = c.states[chunk.owner];
    if (state.repaired != 0) return;
    const ChunkState record = c.chunkStates[item];
    const std::uint32_t threshold = state.threshold;
    typename Block::template PerThread<std::uint32_t> masked, selected;
    typename Block::template PerThread<std::uint64_t> squares;
    block.each([&](int thread) {
        masked[thread] = selected[thread] = 0;
        squares[thread] = 0;
    });
    // Where no candidate is above it, nothing of them need be read.
    if (threshold < state.hi && record.candidates != 0) {
        const Piece piece = pieceOf<format>(c, chunk);
        const Mover<format> mover(c, *c.scalars, piece);
        const SquareCounter squareCounter(*c.scalars);
        block.each([&](int thread) {
            for (std::uint32_t i = thread; i < record.candidates; i += Block::threads) {
                if (c.ranks[record.firstCandidate + i] < threshold) continue;
                ++masked[thread];
                const std::uint32_t place = c.places[record.firstCandidate + i];
                if ((place & placeHasMoment) == 0 || (place & placeDeferred) != 0) continue;
                ++selected[thread];
                const float update = c.updates[record.firstCandidate + i];
                const std::int64_t offset = piece.offset(static_cast<std::int32_t>(place & placeNumber));
                storeOne<format>(piece, offset, mover.moved(loadOne<format>(piece, offset), update, piece.index + offset));
                if (c.measure) squares[thread] += squareCounter.units(update);
            }
        });
    }
    const std::uint64_t maskedHere = threshold == 0 ? static_cast<std::uint64_t>(chunk.size) : record.masked + block.sum(masked);
    const std::uint64_t selectedHere = record.selected + block.sum(selected);
    const std::uint64_t squaresHere = record.squares + (c.measure ? block.sum(squares) : 0);
    addResults(block, c, chunk, maskedHere, selectedHere, squaresHere);
}

/// Where the bracket missed, and where the journal had no room: reads the ranks of a chunk again. Movers of the update that were none get p back,
/// others move. Counts for the results only what settle did not.
template <Format format, bool aligned, class Block>
MOFO_DEVICE void sweep(Block& block, const StepContext& c, const Arithmetic& arithmetic, int item, const Chunk& chunk, const Piece& piece) {
    const LargeState& state = c.states[chunk.owner];
    const bool repaired = state.repaired != 0;
    const std::uint32_t threshold = state.threshold;
    const std::uint32_t hi = state.hi;
    const Mover<format> mover(c, *c.scalars, piece);
    const SquareCounter squareCounter(*c.scalars);
    const Draw draw = drawOf(c.scalars->ruleKey, piece.key);
    typename Block::template PerThread<std::uint32_t> masked, selected;
    typename Block::template PerThread<std::uint64_t> squares;
    block.each([&](int thread) {
        masked[thread] = selected[thread] = 0;
        squares[thread] = 0;
    });
    for (std::int32_t tile = 0; tile < piece.size; tile += quad * Block::threads) {
        const std::uint32_t base = c.tiles[item * tilesPerChunk + tile / (quad * Block::threads)];
        const bool journaled = base != notJournaled;
        if (journaled && !repaired) continue;
        typename Block::template PerThread<std::uint32_t> which, counts;
        block.each([&](int thread) {
            const Reach<Block, aligned> where(piece, tile, thread);
            const unsigned present = where.present();
            std::uint32_t ranks[quad];
            presentRanks<format>(c, arithmetic, piece, draw, where, ranks);
            const Four m = load(piece.m, where);
            unsigned early = 0, wanted = 0;
            MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                if ((present >> j & 1U) == 0) continue;
                const unsigned hasMoment = Lane::magnitude(m.x[j]) != 0 ? 1U << j : 0U;
                if (ranks[j] >= threshold) {
                    ++masked[thread];
                    wanted |= hasMoment;
                }
                if (journaled && ranks[j] >= hi) early |= hasMoment;
            }
            selected[thread] += static_cast<std::uint32_t>(Lane::count(wanted));
            which[thread] = early | wanted << 4;
            counts[thread] = static_cast<std::uint32_t>(Lane::count(early));
        });
        (void)block.exclusiveSum(counts);
        block.each([&](int thread) {
            const Reach<Block, aligned> where(piece, tile, thread);
            const unsigned early = which[thread] & 15U;
            const unsigned wanted = which[thread] >> 4;
            const unsigned written = early ^ wanted;
            if (written == 0 && !(c.measure && wanted != 0)) return;
            Four p = loadParameter<format>(piece, where);
            const Four m = load(piece.m, where);
            const Four v = load(piece.v, where);
            std::uint64_t entry = static_cast<std::uint64_t>(base) + counts[thread];
            MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                const std::int64_t index = roundingIndex<format>(piece, where, j);
                if ((early >> j & 1U) != 0) {
                    if ((wanted >> j & 1U) == 0) {
                        p.x[j] = format == Format::Bf16 ? widened(static_cast<const std::uint16_t*>(c.journal)[entry])
                                                        : Lane::floatOf(static_cast<const std::uint32_t*>(c.journal)[entry]);
                    }
                    ++entry;
                }
                if ((wanted >> j & 1U) != 0) {
                    const float update = arithmetic.update(m.x[j], v.x[j]);
                    if ((early >> j & 1U) == 0) p.x[j] = mover.moved(p.x[j], update, index);
                    if (c.measure) squares[thread] += squareCounter.units(update);
                }
            }
            if (written != 0) storeParameter<format>(piece, where, p, written);
        });
    }
    const std::uint64_t maskedHere = repaired ? block.sum(masked) : 0;
    const std::uint64_t selectedHere = block.sum(selected);
    const std::uint64_t squaresHere = c.measure ? block.sum(squares) : 0;
    addResults(block, c, chunk, maskedHere, selectedHere, squaresHere);
}

/// The rounds of a search, by all blocks. `begin(block, item)` says where in each large partition.
template <Format format, class Grid, class Begin>
MOFO_DEVICE void searchThresholds(Grid& grid, const StepContext& c, const Arithmetic& arithmetic, Begin begin) {
    grid.blocks(c.largeCount, [&](auto& block, int item) {
        begin(block, item);
        // A search of everything has no histogram yet; that of the candidates is of no use to it.
        if (c.states[item].search == Search::Candidates) {
            pick(block, c, item, 0);
        } else if (c.states[item].search == Search::Everything) {
            std::uint64_t* const bins = c.bins + static_cast<std::int64_t>(item) * searchBins;
            block.each([&](int thread) {
                for (int i = thread; i < searchBins; i += std::decay_t<decltype(block)>::threads) bins[i] = 0;
            });
        }
    });
    grid.wait();
    for (int round = 1; round <= searchRounds && c.control->searching[round - 1] != 0; ++round) {
        grid.warps(c.chunkCount, [&](auto& warp, int item) { countCandidates(warp, c, item); });
        if (c.control->recounting[round - 1] != 0) {
            grid.blocks(c.chunkCount, [&](auto& block, int item) {
                auto* const counters = block.template share<std::uint32_t>(searchBins);
                countEverything<format>(block, c, arithmetic, item, counters);
            });
        }
        grid.wait();
        grid.blocks(c.largeCount, [&](auto& block, int item) { pick(block, c, item, round); });
        grid.wait();
    }
}

template <Format format, class Grid>
MOFO_DEVICE void finish(Grid& grid, const StepContext& c) {
    const bool nanFound = c.control->nanFound != 0;
    grid.blocks(1, [&](auto& block, int) {
        block.once([&] {
            c.status->nanFound = nanFound ? 1 : 0;
            c.status->notFinite = c.control->notFinite;
        });
    });
    if (nanFound || c.largeCount == 0) return;
    const Arithmetic arithmetic(*c.scalars);
    searchThresholds<format>(grid, c, arithmetic, [&](auto& block, int item) { beginSearch(block, c, item); });
    grid.blocks(c.largeCount, [&](auto& block, int item) {
        block.once([&] {
            c.partitionResults[item].threshold = c.states[item].threshold;
            if (item == 0) c.status->repaired = c.control->repaired;
        });
    });
    grid.warps(c.chunkCount, [&](auto& warp, int item) { settle<format>(warp, c, item); });
    if (c.control->sweeps != 0) {
        grid.blocks(c.chunkCount, [&](auto& block, int item) {
            const Chunk chunk = c.chunks[item];
            if (c.states[chunk.owner].repaired == 0 && c.chunkStates[item].deferred == 0) return;
            const Piece piece = pieceOf<format>(c, chunk);
            byAlignment(piece, [&](auto aligned) { sweep<format, decltype(aligned)::value>(block, c, arithmetic, item, chunk, piece); });
        });
    }
}

}  // namespace
}  // namespace mofo::kernels::cuda
