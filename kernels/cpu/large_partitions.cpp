#include "kernels/cpu/large_partitions.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/shared/threshold_search.h"

namespace mofo::kernels::cpu {

namespace {

constexpr std::int64_t lanes = 16;
// What one chunk may keep before it is copied to the pool: a quarter of it, where a good bracket holds a fiftieth.
constexpr std::int64_t chunkCandidates = stepChunk / 4;
static_assert(3 * (chunkCandidates + vectorSlack) + stepChunk + vectorSlack <= cachedPartition, "candidates and journal share the task's ranks");

// Room for candidates: a bracket is about 9 standard errors of its sample wide, and the larger the partition, the smaller their share of it.
std::int64_t candidateCapacity(std::int64_t n) {
    constexpr std::int64_t middle = 1 << 21;
    return (n <= middle ? n / 12 : middle / 12 + (n - middle) / 72) / lanes * lanes;
}

// A sixteenth up to 2^20 coordinates, then as the root of n.
std::int64_t sampleSize(std::int64_t n) {
    constexpr double middle = 1 << 20;
    const auto size = static_cast<double>(n);
    return static_cast<std::int64_t>(size <= middle ? size / 16 : std::sqrt(size * middle) / 16);
}

// Up to here a partition is one task's alone: no thread waits for another, and what it comes back to (a part of p, samples, journal, candidates) is
// still in the last-level cache.
constexpr std::int64_t largestAlone = 4 << 20;

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

// ranks, places, updates, and a half for selecting.
std::size_t candidateBytes(std::int64_t n) { return aligned(14 * static_cast<std::size_t>(candidateCapacity(n)) + 16 * 4 * vectorSlack); }
std::size_t journalBytes(std::int64_t k) { return aligned(static_cast<std::size_t>(k + vectorSlack)); }

std::int64_t fetchAdd(std::int64_t& value, std::int64_t by) { return std::atomic_ref(value).fetch_add(by, std::memory_order_relaxed); }
void raise(bool& flag) { std::atomic_ref(flag).store(true, std::memory_order_relaxed); }

}  // namespace

struct LargePartitions::State {
    std::int32_t partition;
    std::size_t firstChunk, endChunk;
    std::int64_t n, k;
    bool moves;  // winners above the bracket move as m and v are updated
    std::int64_t capacity;
    std::uint32_t* ranks;  // of the sample, then of the candidates
    std::uint32_t* places;
    float* updates;
    std::uint32_t* selection;
    std::int8_t* journal;  // k

    std::uint32_t lo, hi;
    bool missed;  // the threshold is not in [lo, hi), or too much is
    std::int64_t sampled, candidates, journaled, above;
    std::int64_t selected, squares;
    Selected threshold;
};

struct LargePartitions::ChunkState {
    State* owner;
    std::int64_t firstCandidate, candidates, firstJournaled, journaled;
    std::int64_t masked, selected, squares;
    double sum;
};

std::size_t LargePartitions::stateBytes(const StepPlan& plan) {
    return aligned(plan.large.size() * sizeof(State)) + plan.chunks.size() * sizeof(ChunkState);
}

std::size_t LargePartitions::poolBytes(const StepPlan& plan) {
    std::size_t largest = 0, all = 0;
    for (const std::int32_t partition : plan.large) {
        const std::int64_t n = plan.sizes[static_cast<std::size_t>(partition)];
        largest = std::max(largest, static_cast<std::size_t>(n));
        all += candidateBytes(n) + journalBytes(n / 2);
    }
    // 5 % of the largest partition's fp32 bytes beside what all have in common: candidates take at most that much (candidateCapacity).
    return std::min((std::size_t{48} << 20) + largest / 5, all);
}

LargePartitions::LargePartitions(StepContext& context, std::byte* states, std::byte* pool)
    : m_context(context),
      m_states(reinterpret_cast<State*>(states)),
      m_chunks(reinterpret_cast<ChunkState*>(states + aligned(context.plan.large.size() * sizeof(State)))),
      m_pool(pool) {}

template <class Body>
void LargePartitions::forEachState(const Wave& wave, Body&& body) {
    if (wave.task == everyTask) {
        forEachPiece(m_context.parallel, wave.end - wave.first, [&](int, std::size_t i) { body(m_states[wave.first + i]); });
    } else {
        for (std::size_t i = wave.first; i < wave.end; ++i) body(m_states[i]);
    }
}

template <class Body>
void LargePartitions::forEachChunk(const Wave& wave, std::size_t first, std::size_t end, Body&& body) {
    const auto each = [&](int task, std::size_t i) { body(m_chunks[first + i], m_context.plan.chunks[first + i], task); };
    if (wave.task == everyTask) {
        forEachPiece(m_context.parallel, end - first, each);
    } else {
        for (std::size_t i = 0; i < end - first; ++i) each(wave.task, i);
    }
}

template <class Body>
void LargePartitions::forEachChunk(const Wave& wave, Body&& body) {
    forEachChunk(wave, m_states[wave.first].firstChunk, m_states[wave.end - 1].endChunk, body);
}

void LargePartitions::place(std::size_t index, bool journals, std::byte* memory) {
    const StepPlan& plan = m_context.plan;
    State& state = m_states[index];
    state = {};
    state.partition = plan.large[index];
    state.firstChunk = static_cast<std::size_t>(plan.firstChunk[index]);
    state.endChunk = static_cast<std::size_t>(plan.firstChunk[index + 1]);
    state.n = plan.sizes[static_cast<std::size_t>(state.partition)];
    state.k = m_context.arguments.k[static_cast<std::size_t>(state.partition)];
    state.moves = journals;
    state.capacity = candidateCapacity(state.n);
    state.ranks = reinterpret_cast<std::uint32_t*>(memory);
    state.places = state.ranks + state.capacity + vectorSlack;
    state.updates = reinterpret_cast<float*>(state.places + state.capacity + vectorSlack);
    state.selection = state.places + 2 * (state.capacity + vectorSlack);
    state.journal = reinterpret_cast<std::int8_t*>(memory + candidateBytes(state.n));
    for (std::size_t i = state.firstChunk; i < state.endChunk; ++i) {
        m_chunks[i] = {};
        m_chunks[i].owner = &state;
    }
}

/// Gives the next partitions their share of the pool. The journal takes what candidates leave: a partition for whose winners there is no room moves
/// them in a second pass, as one does of which half or more wins.
LargePartitions::Wave LargePartitions::nextWave(std::size_t first, bool moves) {
    const StepPlan& plan = m_context.plan;
    const std::size_t size = poolBytes(plan);
    const std::size_t last = moves ? firstAlone() : plan.large.size();
    std::size_t used = 0;
    Wave wave{first, first, everyTask};
    for (; wave.end < last; ++wave.end) {
        const auto partition = static_cast<std::size_t>(plan.large[wave.end]);
        const std::int64_t n = plan.sizes[partition];
        const std::int64_t k = m_context.arguments.k[partition];
        const bool journals = moves && k <= n / 2 && candidateBytes(n) + journalBytes(k) <= size;
        const std::size_t bytes = candidateBytes(n) + (journals ? journalBytes(k) : 0);
        if (used + bytes > size) break;
        place(wave.end, journals, m_pool + used);
        used += bytes;
    }
    return wave;
}

/// A task's share of the pool.
std::size_t LargePartitions::bytesAlone() const { return poolBytes(m_context.plan) / static_cast<std::size_t>(m_context.parallel.threads) / 64 * 64; }

/// The first of those (StepPlan::large begins with the largest) that one task does: small beside what each thread has to do, and with room for it.
std::size_t LargePartitions::firstAlone() const {
    const StepPlan& plan = m_context.plan;
    const std::int64_t fairShare = plan.firstChunk.back() * stepChunk / m_context.parallel.threads;
    const std::int64_t limit = std::min(largestAlone, m_context.parallel.threads == 1 ? largestAlone : fairShare / 2);
    std::size_t first = 0;
    for (; first < plan.large.size(); ++first) {
        const std::int64_t n = plan.sizes[static_cast<std::size_t>(plan.large[first])];
        if (n <= limit && candidateBytes(n) <= bytesAlone()) break;
    }
    return first;
}

void LargePartitions::stepWave(const Wave& wave) {
    sample(wave);
    forEachChunk(wave, [&](ChunkState& record, const Slice& chunk, int task) { updateChunk(*record.owner, record, chunk, task); });
    forEachState(wave, [&](State& state) { resolve(state, m_context.arguments.rule == Rule::Momentum); });
    finish(wave);
}

void LargePartitions::stepAlone(std::size_t index, int task) {
    const auto partition = static_cast<std::size_t>(m_context.plan.large[index]);
    const std::int64_t n = m_context.plan.sizes[partition];
    const std::int64_t k = m_context.arguments.k[partition];
    place(index, k <= n / 2 && candidateBytes(n) + journalBytes(k) <= bytesAlone(), m_pool + static_cast<std::size_t>(task) * bytesAlone());
    stepWave({index, index + 1, task});
}

void LargePartitions::step() {
    const std::size_t alone = firstAlone();
    for (std::size_t first = 0; first < alone;) {
        const Wave wave = nextWave(first, true);
        stepWave(wave);
        first = wave.end;
    }
    forEachPiece(m_context.parallel, m_context.plan.large.size() - alone, [&](int task, std::size_t i) { stepAlone(alone + i, task); });
}

void LargePartitions::sample(const Wave& wave) {
    forEachChunk(wave, [&](ChunkState& record, const Slice& chunk, int task) {
        State& state = *record.owner;
        const std::int64_t stratum = std::max<std::int64_t>(1, state.n / sampleSize(state.n));
        const TaskScratch scratch = m_context.scratchOf(task);
        const std::int64_t count = m_context.kernels.sample(m_context.view(chunk), m_context.scalars, stratum, scratch.ranks);
        const std::int64_t at = fetchAdd(state.sampled, count);
        // The last stratum of each chunk can be a short one: there may be more samples than planned.
        if (at + count <= state.capacity) std::memcpy(state.ranks + at, scratch.ranks, static_cast<std::size_t>(count) * sizeof *scratch.ranks);
    });
    forEachState(wave, [&](State& state) { bracket(state); });
}

/// The sample's own threshold, and how far the true one can be from it: vectors of sixteen neighbours are drawn independently, so that the spread of
/// their counts gives the standard error, however alike neighbours are.
void LargePartitions::bracket(State& state) const {
    constexpr double standardErrors = 2.9;
    const ArrayKernels& arrays = m_context.isa.arrays;
    const std::int64_t size = std::min(state.sampled, state.capacity);
    state.lo = state.hi = 0xffffffffU;
    if (size < 16 * lanes || state.sampled > state.capacity) {
        state.missed = true;
        return;
    }
    const double share = static_cast<double>(state.k) / static_cast<double>(state.n);
    const auto rank = std::clamp<std::int64_t>(static_cast<std::int64_t>(share * static_cast<double>(size) + 0.5), 1, size);
    const std::uint32_t middle = arrays.select(state.ranks, size, rank, state.places).threshold;
    std::int64_t sum = 0, squares = 0;
    arrays.countByVector(state.ranks, size, middle, &sum, &squares);
    const auto vectors = static_cast<double>(size / lanes);
    const double variance = static_cast<double>(squares) - static_cast<double>(sum) * static_cast<double>(sum) / vectors;
    const double wanted = standardErrors * std::sqrt(std::max(variance, 0.0)) + 8;
    const double room = 0.4 * static_cast<double>(state.capacity) * static_cast<double>(size) / static_cast<double>(state.n);
    const auto margin = static_cast<std::int64_t>(std::min(wanted, room));
    state.hi = 0xffffffffU;
    if (rank > margin) state.hi = std::max(arrays.select(state.ranks, size, rank - margin, state.places).threshold, middle + 1);
    state.lo = 1;
    if (rank + margin <= size) state.lo = std::max(1U, arrays.select(state.ranks, size, rank + margin, state.places).threshold);
}

bool LargePartitions::keepCandidates(State& state, ChunkState& record, const Candidates& candidates) const {
    if (candidates.count > candidates.capacity - lanes) return false;
    const std::int64_t at = fetchAdd(state.candidates, candidates.count);
    if (at + candidates.count > state.capacity) return false;
    const std::size_t bytes = static_cast<std::size_t>(candidates.count) * sizeof(std::uint32_t);
    std::memcpy(state.ranks + at, candidates.ranks, bytes);
    if (state.moves) {
        std::memcpy(state.places + at, candidates.places, bytes);
        std::memcpy(state.updates + at, candidates.updates, bytes);
    }
    record.firstCandidate = at;
    record.candidates = candidates.count;
    return true;
}

void LargePartitions::updateChunk(State& state, ChunkState& record, const Slice& chunk, int task) {
    std::uint32_t* const memory = m_context.scratchOf(task).ranks;
    constexpr std::int64_t each = chunkCandidates + vectorSlack;
    Candidates candidates{memory, memory + each, reinterpret_cast<float*>(memory + 2 * each), 0, chunkCandidates};
    Bracket bracket{state.lo, state.hi, mostMove(state.k, state.n), state.moves, reinterpret_cast<std::int8_t*>(memory + 3 * each), 0};
    Tally tally = m_context.tallyFor(task, true);
    const SliceView view = m_context.view(chunk);
    m_context.kernels.updateBracketed(view, m_context.scalars, bracket, candidates, tally);
    m_context.addMoments(chunk.tensor, tally);
    record.masked = tally.masked;
    record.selected = tally.selected;
    record.squares = m_context.unit.integer(tally.squaredUpdate);
    fetchAdd(state.above, tally.masked);
    if (!keepCandidates(state, record, candidates)) raise(state.missed);
    const std::int64_t at = fetchAdd(state.journaled, bracket.journaled);
    if (at + bracket.journaled <= state.k) {
        std::memcpy(state.journal + at, bracket.journal, static_cast<std::size_t>(bracket.journaled));
        record.firstJournaled = at;
        record.journaled = bracket.journaled;
    } else {
        // More than k have moved: the bracket is too low.
        m_context.kernels.undo(view, m_context.scalars, bracket);
        raise(state.missed);
    }
}

/// `zerosStay`: what has rank zero has nothing to move by (or to add).
void LargePartitions::resolve(State& state, bool zerosStay) const {
    if (state.missed || state.above >= state.k) {
        state.missed = true;
        return;
    }
    const std::int64_t need = state.k - state.above;
    if (need <= state.candidates) {
        state.threshold = m_context.isa.arrays.select(state.ranks, state.candidates, need, state.selection);
        state.threshold.atLeast += state.above;
        // Then some above the bracket were among those that won.
        state.missed = state.threshold.threshold >= state.hi;
    } else if (state.lo == 1 && zerosStay) {
        state.threshold = {0, state.n};
    } else {
        state.missed = true;
    }
}

void LargePartitions::finish(const Wave& wave) {
    forEachChunk(wave, [&](ChunkState& record, const Slice& chunk, int task) {
        State& state = *record.owner;
        if (state.missed) return;
        Tally tally = m_context.tallyFor(task, false);
        if (state.moves) {
            const Candidates candidates{state.ranks + record.firstCandidate, state.places + record.firstCandidate,
                                        state.updates + record.firstCandidate, record.candidates, record.candidates};
            m_context.kernels.moveCandidates(m_context.view(chunk), m_context.scalars, candidates, state.threshold.threshold, tally);
            tally.masked = state.threshold.threshold == 0 ? chunk.size() : tally.masked + record.masked;
        } else {
            SliceView view = m_context.view(chunk);
            view.mostMove = mostMove(state.k, state.n);
            m_context.kernels.move(view, m_context.scalars, state.threshold.threshold, tally);
        }
        const std::int64_t selected = tally.selected + (state.moves ? record.selected : 0);
        const std::int64_t squares = m_context.unit.integer(tally.squaredUpdate) + (state.moves ? record.squares : 0);
        m_context.addMoved(chunk.tensor, tally.masked, selected, squares);
        fetchAdd(state.selected, selected);
        fetchAdd(state.squares, squares);
    });
    for (std::size_t i = wave.first; i < wave.end; ++i) {
        State& state = m_states[i];
        if (state.missed) repair(wave, state);
        m_context.report(state.partition, state.threshold, state.selected, state.squares);
    }
}

void LargePartitions::repair(const Wave& wave, State& state) {
    ++m_repaired;
    if (state.moves) {
        forEachChunk(wave, state.firstChunk, state.endChunk, [&](ChunkState& record, const Slice& chunk, int) {
            const Bracket bracket{state.lo, state.hi, false, true, state.journal + record.firstJournaled, record.journaled};
            if (record.journaled > 0) m_context.kernels.undo(m_context.view(chunk), m_context.scalars, bracket);
        });
    }
    state.threshold = search(wave, state);
    forEachChunk(wave, state.firstChunk, state.endChunk, [&](ChunkState&, const Slice& chunk, int task) {
        Tally tally = m_context.tallyFor(task, false);
        SliceView view = m_context.view(chunk);
        if (state.moves) view.decayAll = 1.0F;  // done by the update
        m_context.kernels.move(view, m_context.scalars, state.threshold.threshold, tally);
        const std::int64_t squares = m_context.unit.integer(tally.squaredUpdate);
        m_context.addMoved(chunk.tensor, tally.masked, tally.selected, squares);
        fetchAdd(state.selected, tally.selected);
        fetchAdd(state.squares, squares);
    });
}

/// The k-th largest of the present ranks, by counting passes over all chunks until the rest fits into the candidates' memory.
Selected LargePartitions::search(const Wave& wave, const State& state) {
    ThresholdSearch search = searchAll(state.n, state.k);
    while (!search.found() && search.inside() > state.capacity - lanes) {
        const std::uint32_t pivot = search.pivot();
        std::int64_t count = 0;
        forEachChunk(wave, state.firstChunk, state.endChunk, [&](ChunkState&, const Slice& chunk, int) {
            fetchAdd(count, m_context.kernels.countAtLeast(m_context.view(chunk), m_context.scalars, pivot));
        });
        search.tell(pivot, count);
    }
    if (search.found()) return {search.lo, search.atLeastLo};
    std::int64_t found = 0;
    forEachChunk(wave, state.firstChunk, state.endChunk, [&](ChunkState&, const Slice& chunk, int task) {
        std::uint32_t* const ranks = m_context.scratchOf(task).ranks;
        const Gathered gathered =
            m_context.kernels.gather(m_context.view(chunk), m_context.scalars, search.lo, search.hi, ranks, cachedPartition, nullptr);
        std::memcpy(state.ranks + fetchAdd(found, gathered.inside), ranks, static_cast<std::size_t>(gathered.inside) * sizeof *ranks);
    });
    Selected selected = m_context.isa.arrays.select(state.ranks, found, state.k - search.atLeastHi, state.selection);
    selected.atLeast += search.atLeastHi;
    return selected;
}

void LargePartitions::gatherChunk(State& state, ChunkState& record, const Slice& chunk, int task) {
    Candidates candidates{m_context.scratchOf(task).ranks, nullptr, nullptr, 0, cachedPartition};
    const Gathered gathered =
        m_context.kernels.gather(m_context.view(chunk), m_context.scalars, state.lo, state.hi, candidates.ranks, candidates.capacity, &record.sum);
    candidates.count = gathered.inside;
    record.masked = gathered.above;
    fetchAdd(state.above, gathered.above);
    if (!keepCandidates(state, record, candidates)) raise(state.missed);
}

void LargePartitions::sumLargest(std::span<double> sums) {
    for (std::size_t first = 0; first < m_context.plan.large.size();) {
        const Wave wave = nextWave(first, false);
        sample(wave);
        forEachChunk(wave, [&](ChunkState& record, const Slice& chunk, int task) { gatherChunk(*record.owner, record, chunk, task); });
        forEachState(wave, [&](State& state) { resolve(state, true); });
        for (std::size_t i = wave.first; i < wave.end; ++i) {
            if (m_states[i].missed) m_states[i].threshold = search(wave, m_states[i]);
        }
        // Ranks above the threshold, chunk by chunk so that the order of summation is fixed; the tied ones at it count as often as k needs them.
        forEachChunk(wave, [&](ChunkState& record, const Slice& chunk, int) {
            const State& state = *record.owner;
            const std::uint32_t threshold = state.threshold.threshold;
            if (state.missed) {
                record.sum = 0;
                const std::uint64_t next = static_cast<std::uint64_t>(threshold) + 1;
                record.masked = m_context.kernels.gather(m_context.view(chunk), m_context.scalars, 0xffffffffU, next, nullptr, 0, &record.sum).above;
                return;
            }
            for (std::int64_t i = record.firstCandidate; i < record.firstCandidate + record.candidates; ++i) {
                if (state.ranks[i] <= threshold) continue;
                record.sum += static_cast<double>(std::bit_cast<float>(state.ranks[i]));
                ++record.masked;
            }
        });
        for (std::size_t i = wave.first; i < wave.end; ++i) {
            const State& state = m_states[i];
            double sum = 0;
            std::int64_t above = 0;
            for (std::size_t chunk = state.firstChunk; chunk < state.endChunk; ++chunk) {
                sum += m_chunks[chunk].sum;
                above += m_chunks[chunk].masked;
            }
            sum += static_cast<double>(state.k - above) * static_cast<double>(std::bit_cast<float>(state.threshold.threshold));
            sums[static_cast<std::size_t>(state.partition)] = sum;
        }
        first = wave.end;
    }
}

}  // namespace mofo::kernels::cpu
