// Finding the k-th largest of ranks that a block has in shared memory.
#pragma once

#include "kernels/cuda/device_code.h"
#include "kernels/cuda/lane.h"
#include "kernels/shared/threshold_search.h"

namespace mofo::kernels::cuda {
namespace {

/// Ranks among which the last few counts are done, so that they cost a barrier and no more.
template <class Block>
inline constexpr int fewRanks = 2 * Block::threads;

/// ThresholdSearch::pivot in fp32: many a GPU has hardly any double.
MOFO_DEVICE std::uint32_t nextPivot(const ThresholdSearch& search) {
    const std::uint64_t width = search.hi - search.lo;
    std::uint64_t offset = width / 2;
    if (search.asked % 3 != 2 && search.inside() > 0) {
        const float share = (static_cast<float>(search.atLeastLo - search.k) + 0.5F) / static_cast<float>(search.inside());
        offset = static_cast<std::uint64_t>(share * static_cast<float>(width));
    }
    if (offset < 1) offset = 1;
    if (offset > width - 1) offset = width - 1;
    return static_cast<std::uint32_t>(search.lo + offset);
}

template <class Block>
MOFO_DEVICE std::uint32_t countAtLeast(Block& block, const std::uint32_t* ranks, int n, std::uint32_t pivot) {
    typename Block::template PerThread<std::uint32_t> count;
    block.each([&](int thread) {
        count[thread] = 0;
        for (int i = thread; i < n; i += Block::threads) count[thread] += ranks[i] >= pivot ? 1 : 0;
    });
    return block.sum(count);
}

/// Goes on until the threshold is found, or no more than `enough` ranks are in question.
template <class Block>
MOFO_DEVICE void narrow(Block& block, const std::uint32_t* ranks, int n, int enough, ThresholdSearch& search) {
    while (!search.found() && search.inside() > enough) {
        const std::uint32_t pivot = nextPivot(search);
        search.tell(pivot, countAtLeast(block, ranks, n, pivot));
    }
}

/// Over all of `ranks`.
template <class Block>
MOFO_DEVICE ThresholdSearch searchIn(Block& block, const std::uint32_t* ranks, int n, std::int64_t k) {
    typename Block::template PerThread<std::uint32_t> most;
    block.each([&](int thread) {
        most[thread] = 0;
        for (int i = thread; i < n; i += Block::threads) most[thread] = ranks[i] > most[thread] ? ranks[i] : most[thread];
    });
    ThresholdSearch search = searchAll(n, k);
    search.hi = static_cast<std::uint64_t>(block.largest(most)) + 1;
    return search;
}

/// The k-th largest. `few` has room for fewRanks and one more.
template <class Block>
MOFO_DEVICE std::uint32_t selectIn(Block& block, const std::uint32_t* ranks, int n, std::int64_t k, std::uint32_t* few) {
    ThresholdSearch search = searchIn(block, ranks, n, k);
    narrow(block, ranks, n, fewRanks<Block>, search);
    if (search.found()) return search.lo;
    std::uint32_t* const found = few + fewRanks<Block>;
    block.once([&] { *found = 0; });
    block.each([&](int thread) {
        for (int i = thread; i < n; i += Block::threads) {
            if (ranks[i] >= search.lo && ranks[i] < search.hi) few[block.add(found, 1U)] = ranks[i];
        }
    });
    const auto left = static_cast<int>(search.inside());
    search.k -= search.atLeastHi;
    search.atLeastLo = left;
    search.atLeastHi = 0;
    narrow(block, few, left, 0, search);
    return search.lo;
}

}  // namespace
}  // namespace mofo::kernels::cuda
