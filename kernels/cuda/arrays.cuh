// Statistics over plain arrays, in the order that statistics.h fixes: sixteen interleaved lanes in each chunk, folded pairwise, and the chunks in
// order. Sixteen threads take a chunk, so that the bits are those of the CPU; all is bound by reading the arrays.
#pragma once

#include <cmath>

#include "kernels/cuda/device_code.h"
#include "kernels/cuda/lane.h"
#include "kernels/include/statistics.h"

namespace mofo::kernels::cuda {

inline constexpr int sumLanes = 16;

struct ArrayEntry {
    const float* x;
    const float* x0;  // null for sumsOfSquares
    std::int64_t n;
    std::int64_t firstChunk;
};

/// Sums over one chunk, or over one lane of it.
struct DriftPart {
    double squares, pretrainedSquares, absolutes;
    std::uint32_t largest, changed, changedBf16, padding;
};

struct ArraysContext {
    const ArrayEntry* arrays;
    std::int64_t arrayCount;
    const std::int32_t* owners;  // of each chunk
    std::int32_t chunkCount;
    double* partialSums;  // of each chunk
    DriftPart* partialDrifts;
    double* sums;
    Drift* drifts;
};

namespace {

inline constexpr int chunksPerWarp = 32 / sumLanes;

/// For i = lane, lane + 16, ... below n, in this order.
template <class Add>
MOFO_DEVICE void forLane(int lane, std::int64_t n, Add&& add) {
    std::int64_t i = lane;
    // Several loads on their way at once; the additions wait for each other.
    for (; i + 7 * sumLanes < n; i += 8 * sumLanes) {
        MOFO_UNROLL for (int j = 0; j < 8; ++j) add(i + j * sumLanes);
    }
    for (; i < n; i += sumLanes) add(i);
}

/// values[i] += values[i + half] for half = 8, 4, 2, 1, in groups of sixteen.
template <class Block, class T, class Combine>
MOFO_DEVICE void foldLanes(Block& block, T* values, Combine&& combine) {
    for (int half = sumLanes / 2; half > 0; half /= 2) {
        block.each([&](int thread) {
            if (thread % sumLanes < half) combine(values[thread], values[thread + half]);
        });
    }
}

template <class Block>
MOFO_DEVICE void sumChunks(Block& block, const ArraysContext& c, int item) {
    auto* const lanes = block.template share<double>(Block::threads);
    block.each([&](int thread) {
        const std::int64_t chunk = static_cast<std::int64_t>(item) * chunksPerWarp + thread / sumLanes;
        double sum = 0;
        if (chunk < c.chunkCount) {
            const ArrayEntry array = c.arrays[c.owners[chunk]];
            const std::int64_t from = (chunk - array.firstChunk) * statisticsChunk;
            const std::int64_t left = array.n - from;
            const float* const x = inGlobal(array.x + from);
            forLane(thread % sumLanes, left < statisticsChunk ? left : statisticsChunk, [&](std::int64_t i) {
                const auto value = static_cast<double>(x[i]);
                sum += value * value;
            });
        }
        lanes[thread] = sum;
    });
    foldLanes(block, lanes, [](double& to, const double& other) { to += other; });
    block.each([&](int thread) {
        const std::int64_t chunk = static_cast<std::int64_t>(item) * chunksPerWarp + thread / sumLanes;
        if (thread % sumLanes == 0 && chunk < c.chunkCount) c.partialSums[chunk] = lanes[thread];
    });
}

MOFO_DEVICE std::int64_t chunksOf(std::int64_t n) { return (n + statisticsChunk - 1) / statisticsChunk; }

/// Calls add(part) by one thread for the parts of an array's chunks in order, which all threads read.
template <class Block, class T, class Add>
MOFO_DEVICE void inOrder(Block& block, const T* parts, std::int64_t count, Add&& add) {
    auto* const waiting = block.template share<T>(Block::threads);
    for (std::int64_t first = 0; first < count; first += Block::threads) {
        block.each([&](int thread) {
            if (first + thread < count) waiting[thread] = parts[first + thread];
        });
        block.once([&] {
            const std::int64_t left = count - first;
            MOFO_UNROLL_FOUR for (int i = 0; i < (left < Block::threads ? left : Block::threads); ++i) add(waiting[i]);
        });
    }
}

template <class Block>
MOFO_DEVICE void addSums(Block& block, const ArraysContext& c, int item) {
    const ArrayEntry array = c.arrays[item];
    double sum = 0;
    inOrder(block, c.partialSums + array.firstChunk, chunksOf(array.n), [&](double part) { sum += part; });
    block.once([&] { c.sums[item] = sum; });
}

MOFO_DEVICE void addDifference(DriftPart& to, float p, float p0) {
    const float difference = Lane::sub(p, p0);
    const auto wide = static_cast<double>(difference);
    const auto before = static_cast<double>(p0);
    to.squares += wide * wide;
    to.pretrainedSquares += before * before;
    to.absolutes += wide < 0 ? -wide : wide;
    const std::uint32_t magnitude = Lane::magnitude(difference);
    to.largest = magnitude > to.largest ? magnitude : to.largest;
    to.changed += p == p0 ? 0 : 1;
    const auto rounded = [](std::uint32_t bits) { return (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16; };
    const std::uint32_t now16 = rounded(Lane::bitsOf(p));
    const std::uint32_t before16 = rounded(Lane::bitsOf(p0));
    const bool zeros = ((now16 | before16) & 0x7fffU) == 0;
    const bool nan = Lane::magnitude(p) > infinityBits || Lane::magnitude(p0) > infinityBits;
    to.changedBf16 += (now16 != before16 && !zeros) || nan ? 1 : 0;
}

template <class Block>
MOFO_DEVICE void driftChunks(Block& block, const ArraysContext& c, int item) {
    auto* const lanes = block.template share<DriftPart>(Block::threads);
    block.each([&](int thread) {
        const std::int64_t chunk = static_cast<std::int64_t>(item) * chunksPerWarp + thread / sumLanes;
        DriftPart part{};
        if (chunk < c.chunkCount) {
            const ArrayEntry array = c.arrays[c.owners[chunk]];
            const std::int64_t from = (chunk - array.firstChunk) * statisticsChunk;
            const std::int64_t left = array.n - from;
            const float* const p = inGlobal(array.x + from);
            const float* const p0 = inGlobal(array.x0 + from);
            forLane(thread % sumLanes, left < statisticsChunk ? left : statisticsChunk, [&](std::int64_t i) { addDifference(part, p[i], p0[i]); });
        }
        lanes[thread] = part;
    });
    foldLanes(block, lanes, [](DriftPart& to, const DriftPart& other) {
        to.squares += other.squares;
        to.pretrainedSquares += other.pretrainedSquares;
        to.absolutes += other.absolutes;
        to.largest = other.largest > to.largest ? other.largest : to.largest;
        to.changed += other.changed;
        to.changedBf16 += other.changedBf16;
    });
    block.each([&](int thread) {
        const std::int64_t chunk = static_cast<std::int64_t>(item) * chunksPerWarp + thread / sumLanes;
        if (thread % sumLanes == 0 && chunk < c.chunkCount) c.partialDrifts[chunk] = lanes[thread];
    });
}

template <class Block>
MOFO_DEVICE void addDrifts(Block& block, const ArraysContext& c, int item) {
    const ArrayEntry array = c.arrays[item];
    double squares = 0, pretrainedSquares = 0, absolutes = 0;
    std::uint32_t largest = 0;
    std::int64_t changed = 0, changedBf16 = 0;
    inOrder(block, c.partialDrifts + array.firstChunk, chunksOf(array.n), [&](const DriftPart& part) {
        squares += part.squares;
        pretrainedSquares += part.pretrainedSquares;
        absolutes += part.absolutes;
        largest = part.largest > largest ? part.largest : largest;
        changed += part.changed;
        changedBf16 += part.changedBf16;
    });
    block.once([&] {
        c.drifts[item] = {std::sqrt(squares), std::sqrt(pretrainedSquares), absolutes, static_cast<double>(Lane::floatOf(largest)), changed,
                          changedBf16};
    });
}

struct SumChunksKernel {
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const ArraysContext& c, int item) {
        sumChunks(block, c, item);
    }
};
struct AddSumsKernel {
    static constexpr int threads = blockThreads;
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const ArraysContext& c, int item) {
        addSums(block, c, item);
    }
};
struct DriftChunksKernel {
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const ArraysContext& c, int item) {
        driftChunks(block, c, item);
    }
};
struct AddDriftsKernel {
    static constexpr int threads = blockThreads;
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const ArraysContext& c, int item) {
        addDrifts(block, c, item);
    }
};

template <class Launcher>
void enqueueSums(Launcher& launcher, const ArraysContext& c) {
    launcher.template warps<SumChunksKernel>((c.chunkCount + chunksPerWarp - 1) / chunksPerWarp, 32 * sizeof(double) + 16, c);
    launcher.template blocks<AddSumsKernel>(static_cast<int>(c.arrayCount), blockThreads * sizeof(double) + 16, c);
}

template <class Launcher>
void enqueueDrifts(Launcher& launcher, const ArraysContext& c) {
    launcher.template warps<DriftChunksKernel>((c.chunkCount + chunksPerWarp - 1) / chunksPerWarp, 32 * sizeof(DriftPart) + 16, c);
    launcher.template blocks<AddDriftsKernel>(static_cast<int>(c.arrayCount), blockThreads * sizeof(DriftPart) + 16, c);
}

}  // namespace
}  // namespace mofo::kernels::cuda
