// The first two launches of a step: clear, and begin, which brackets the thresholds of large partitions and looks for NaN.
#pragma once

#include "kernels/cuda/piece.cuh"
#include "kernels/cuda/select.cuh"

namespace mofo::kernels::cuda {
namespace {

/// Words of 8 bytes that a block clears.
inline constexpr int clearedWords = 16 * blockThreads;

MOFO_HOST_DEVICE std::uint64_t wordsToClear(const StepContext& c) {
    const std::uint64_t histograms = c.histograms == nullptr ? 0 : static_cast<std::uint64_t>(c.tensorCount) * histogramCounters;
    return (c.workspaceZeroed + c.resultsZeroed) / sizeof(std::uint64_t) + histograms;
}

inline int clearBlocks(const StepContext& c) { return static_cast<int>((wordsToClear(c) + clearedWords - 1) / clearedWords); }

template <class Block>
MOFO_DEVICE void clear(Block& block, const StepContext& c, int item) {
    const std::uint64_t words = wordsToClear(c);
    const std::uint64_t work = c.workspaceZeroed / sizeof(std::uint64_t);
    const std::uint64_t results = c.resultsZeroed / sizeof(std::uint64_t);
    block.each([&](int thread) {
        for (int i = thread; i < clearedWords; i += Block::threads) {
            const std::uint64_t word = static_cast<std::uint64_t>(item) * clearedWords + static_cast<std::uint64_t>(i);
            if (word >= words) break;
            if (word < work) {
                reinterpret_cast<std::uint64_t*>(c.workspace)[word] = 0;
            } else if (word < work + results) {
                reinterpret_cast<std::uint64_t*>(c.status)[word - work] = 0;
            } else {
                reinterpret_cast<std::uint64_t*>(c.histograms)[word - work - results] = 0;
            }
        }
    });
}

/// Noise for the places of samples, nothing more.
MOFO_DEVICE std::uint32_t noise(std::uint32_t a, std::uint32_t b) { return scrambled<Lane>(scrambled<Lane>(a + 0x9e3779b9U) ^ b); }

/// Which chunk holds coordinate `number` of the partition.
MOFO_DEVICE std::int32_t chunkOf(const StepContext& c, const LargePartition& partition, std::int64_t number) {
    std::int32_t first = partition.firstChunk;
    std::int32_t end = first + partition.chunks;
    // Of one contiguous slice it is known; only slices that end within a chunk make it a search.
    const std::int64_t guess = first + number / chunkSize;
    if (guess < end && c.chunks[guess].start <= number && number < c.chunks[guess].start + c.chunks[guess].size)
        return static_cast<std::int32_t>(guess);
    while (end - first > 1) {
        const std::int32_t middle = first + (end - first) / 2;
        if (c.chunks[middle].start <= number) {
            first = middle;
        } else {
            end = middle;
        }
    }
    return first;
}

/// Where a cluster of samples is: how far from its tensor's pointers, in which tensor, and how many neighbours there are.
struct Cluster {
    std::int64_t at;
    std::uint32_t tensor, neighbours;
};

/// The neighbours around coordinate `number` of a large partition, on a 32-byte sector if the run lets them.
MOFO_DEVICE Cluster clusterAt(const StepContext& c, const LargePartition& partition, std::int64_t number) {
    const Chunk chunk = c.chunks[chunkOf(c, partition, number)];
    const auto inChunk = static_cast<std::int32_t>(number - chunk.start);
    const std::int32_t neighbours = chunk.length < sampleCluster ? chunk.length : sampleCluster;
    std::int32_t column = inChunk % chunk.length / sampleCluster * sampleCluster;
    if (column + neighbours > chunk.length) column = chunk.length - neighbours;
    const std::int64_t run = chunk.begin - c.tensors[chunk.tensor].firstIndex + static_cast<std::int64_t>(inChunk / chunk.length) * chunk.stride;
    return {run + column, static_cast<std::uint32_t>(chunk.tensor), static_cast<std::uint32_t>(neighbours)};
}

/// The new rank of one sample of a cluster. Writes nothing.
template <Format format>
MOFO_DEVICE std::uint32_t newRank(const StepContext& c, const Arithmetic& arithmetic, const Cluster& cluster, int sample) {
    const Tensor& t = c.tensors[cluster.tensor];
    const std::int64_t at = cluster.at + static_cast<std::uint32_t>(sample) % cluster.neighbours;
    if (c.rule == Rule::Random) return rankOf<false>(arithmetic, c.rule, 0, 0, 0, drawOf(c.scalars->ruleKey, t.key), t.firstIndex + at);
    const float g = arithmetic.scaled(format == Format::Fp32 ? inGlobal(t.g)[at] : widened(inGlobal(t.g16)[at]));
    const float m = arithmetic.newM(inGlobal(t.m)[at], g);
    const float v = c.rule == Rule::MomentumOverRoot ? arithmetic.newV(inGlobal(t.v)[at], g) : 0;
    return rankOf<false>(arithmetic, c.rule, g, m, v, Draw{}, 0);
}

/// lo and hi of a large partition: the ranks of a sample at `sigmas` standard errors around its own threshold. Eight neighbours are drawn together,
/// one from each of as many equal parts of the partition, so that the spread of their counts gives the standard error, however alike neighbours are.
template <Format format, class Block>
MOFO_DEVICE void sample(Block& block, const StepContext& c, int item) {
    const LargePartition partition = c.large[item];
    const int samples = partition.samples;
    const int clusters = samples / sampleCluster;
    auto* const places = block.template share<Cluster>(clusters);
    std::uint32_t* const ranks = block.template share<std::uint32_t>(samples);
    const Arithmetic arithmetic(*c.scalars);
    // Places first, ranks then, so that the loads of ranks need not wait for each other.
    block.each([&](int thread) {
        for (int cluster = thread; cluster < clusters; cluster += Block::threads) {
            const std::int64_t from = partition.n * cluster / clusters;
            const auto width = static_cast<std::uint32_t>(partition.n * (cluster + 1) / clusters - from);
            places[cluster] = clusterAt(c, partition, from + noise(static_cast<std::uint32_t>(item), static_cast<std::uint32_t>(cluster)) % width);
        }
    });
    block.each([&](int thread) {
        MOFO_UNROLL_EIGHT for (int i = thread; i < samples; i += Block::threads) {
            ranks[i] = newRank<format>(c, arithmetic, places[i / sampleCluster], i % sampleCluster);
        }
    });

    const std::int64_t k = wantedOf(c, partition.partition, partition.n);
    const float expected = static_cast<float>(k) / static_cast<float>(partition.n) * static_cast<float>(samples);
    auto rank = static_cast<std::int64_t>(expected + 0.5F);
    rank = rank < 1 ? 1 : rank > samples ? samples : rank;
    ThresholdSearch middle = searchIn(block, ranks, samples, rank);
    const std::uint64_t most = middle.hi;
    narrow(block, ranks, samples, samples / 256, middle);
    typename Block::template PerThread<std::uint32_t> counts, squares;
    block.each([&](int thread) {
        counts[thread] = squares[thread] = 0;
        for (int cluster = thread; cluster < clusters; cluster += Block::threads) {
            std::uint32_t count = 0;
            for (int j = 0; j < sampleCluster; ++j) count += ranks[cluster * sampleCluster + j] >= middle.lo ? 1 : 0;
            counts[thread] += count;
            squares[thread] += count * count;
        }
    });
    const auto sum = static_cast<float>(block.sum(counts));
    const auto sumOfSquares = static_cast<float>(block.sum(squares));
    const float asDrawn = sumOfSquares - sum * sum / static_cast<float>(clusters);
    const float asIndependent = expected * (1 - expected / static_cast<float>(samples));
    const float variance = asDrawn > asIndependent ? asDrawn : asIndependent;
    const float wanted = c.sigmas * Lane::sqrt(variance > 1 ? variance : 1) + 2;
    // Where neighbours are so alike that the candidates would not fit, a bracket that misses now and then is better than one that always overflows.
    const float room = 0.4F * static_cast<float>(partition.candidateSpace) / static_cast<float>(partition.n) * static_cast<float>(samples);
    const float margin = wanted < room ? wanted : room;

    // Either side may be off by a little of the margin, outwards, which saves the last counts.
    const int enough = 1 + static_cast<int>((margin > 0 ? margin : 0) / 8);
    std::uint32_t lo = 0, hi = 0xffffffffU;
    const auto above = static_cast<std::int64_t>(expected - margin);
    if (above >= 1) {
        ThresholdSearch search = searchAll(samples, above < samples ? above : samples);
        search.hi = most;
        narrow(block, ranks, samples, enough, search);
        // Ties at the sample's value are counted when they move; so they may.
        const std::uint64_t bound = search.found() ? search.lo : search.hi;
        if (bound < hi) hi = static_cast<std::uint32_t>(bound);
    }
    const auto below = static_cast<std::int64_t>(expected + margin) + 1;
    if (below < samples) {
        ThresholdSearch search = searchAll(samples, below > 1 ? below : 1);
        search.hi = most;
        narrow(block, ranks, samples, enough, search);
        lo = search.lo;
    }
    block.once([&] {
        c.states[item].lo = lo < hi ? lo : hi;
        c.states[item].hi = hi;
    });
}

/// Looks for a new m that would be NaN in a contiguous chunk.
template <Format format, class Block>
MOFO_DEVICE void findNan(Block& block, const StepContext& c, const Arithmetic& arithmetic, const Chunk& chunk) {
    if (c.tensors[chunk.tensor].frozen) return;
    const Piece piece = pieceOf<format>(c, chunk);
    byAlignment(piece, [&](auto aligned) {
        block.each([&](int thread) {
            std::uint32_t largest = 0;
            for (std::int32_t tile = 0; tile < piece.size; tile += quad * Block::threads) {
                const Reach<Block, decltype(aligned)::value> where(piece, tile, thread);
                const Four g = loadGradient<format>(piece, where);
                const Four m = load(piece.m, where);
                MOFO_UNROLL for (int j = 0; j < quad; ++j) {
                    // What is not there reads as zeros.
                    const std::uint32_t magnitude = Lane::magnitude(arithmetic.newM(m.x[j], arithmetic.scaled(g.x[j])));
                    largest = magnitude > largest ? magnitude : largest;
                }
            }
            if (largest > infinityBits) block.raise(&c.control->nanFound);
        });
    });
}

/// With finite m and g, g - m can overflow, but w (g - m) added to the finite end it starts from is no NaN; only a weight of exactly 1, which makes
/// the other factor 0, could turn the overflow into one.
MOFO_DEVICE bool cannotBeNan(const StepScalars& scalars) { return scalars.knownFinite && scalars.momentWeight < 1.0F; }

/// The first blocks sample, one partition each; the checkers behind them look for NaN in all tensors.
template <Format format, class Block>
MOFO_DEVICE void begin(Block& block, const StepContext& c, int item) {
    if (item < c.largeCount) {
        sample<format>(block, c, item);
        return;
    }
    const StepScalars& scalars = *c.scalars;
    if (cannotBeNan(scalars)) return;
    const Arithmetic arithmetic(scalars);
    for (std::int32_t span = item - c.largeCount; span < c.spanCount; span += c.checkers) findNan<format>(block, c, arithmetic, c.spans[span]);
}

}  // namespace
}  // namespace mofo::kernels::cuda
