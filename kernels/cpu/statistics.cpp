#include "kernels/include/statistics.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/slice_kernels.h"

namespace mofo::kernels::cpu {

namespace {

// "48 bytes per started chunk" is what the header promises.
static_assert(sizeof(DriftSums) <= 48 && sizeof(double) <= 48);

std::size_t chunksOf(std::int64_t n) { return static_cast<std::size_t>((n + statisticsChunk - 1) / statisticsChunk); }

template <class Item>
std::size_t chunksOf(std::span<const Item> items) {
    std::size_t chunks = 0;
    for (const Item& item : items) chunks += chunksOf(item.n);
    return chunks;
}

bool canRun(const Execution& execution) { return execution.parallelFor.threads >= 1 && isSupported(execution.instructionSet); }

/// Finds item and offset of the n-th chunk of a list of arrays, for ascending n in steps of any width: each task goes through the list once.
template <class Item>
class ChunkCursor {
public:
    explicit ChunkCursor(std::span<const Item> items) : m_items(items) {}

    void moveTo(std::size_t chunk) {
        for (std::size_t count; chunk >= m_firstChunk + (count = chunksOf(m_items[m_item].n)); ++m_item) m_firstChunk += count;
        m_offset = static_cast<std::int64_t>(chunk - m_firstChunk) * statisticsChunk;
    }
    [[nodiscard]] std::size_t item() const { return m_item; }
    [[nodiscard]] std::int64_t offset() const { return m_offset; }
    [[nodiscard]] std::int64_t length() const { return std::min(statisticsChunk, m_items[m_item].n - m_offset); }

private:
    std::span<const Item> m_items;
    std::size_t m_item = 0;
    std::size_t m_firstChunk = 0;
    std::int64_t m_offset = 0;
};

/// body(cursor, chunk) for each chunk; tasks take them in turn.
template <class Item, class Body>
void forEachChunk(const ParallelFor& parallel, std::span<const Item> items, Body&& body) {
    const std::size_t chunks = chunksOf(items);
    std::atomic<std::size_t> next = 0;
    forEachTask(parallel, [&](int) {
        ChunkCursor<Item> cursor(items);
        for (std::size_t chunk = next.fetch_add(1, std::memory_order_relaxed); chunk < chunks; chunk = next.fetch_add(1, std::memory_order_relaxed)) {
            cursor.moveTo(chunk);
            body(cursor, chunk);
        }
    });
}

template <class Partial>
Partial* partialsIn(std::span<std::byte> workspace, std::size_t chunks) {
    const bool aligned = reinterpret_cast<std::uintptr_t>(workspace.data()) % alignof(Partial) == 0;
    return aligned && workspace.size() >= chunks * sizeof(Partial) ? reinterpret_cast<Partial*>(workspace.data()) : nullptr;
}

}  // namespace

std::size_t statisticsWorkspaceBytes(std::span<const std::int64_t> sizes) {
    std::size_t chunks = 0;
    for (const std::int64_t n : sizes) chunks += chunksOf(n);
    return 48 * std::max<std::size_t>(chunks, 1);
}

bool sumsOfSquares(std::span<const Array> arrays, std::span<double> sums, std::span<std::byte> workspace, const Execution& execution) {
    auto* partials = partialsIn<double>(workspace, chunksOf(arrays));
    if (partials == nullptr || sums.size() != arrays.size() || !canRun(execution)) return false;
    const ArrayKernels& kernels = kernelsOf(execution.instructionSet).arrays;
    forEachChunk(execution.parallelFor, arrays, [&](const ChunkCursor<Array>& at, std::size_t chunk) {
        partials[chunk] = kernels.sumOfSquares(arrays[at.item()].x + at.offset(), at.length());
    });
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        double sum = 0;
        for (std::size_t left = chunksOf(arrays[i].n); left > 0; --left) sum += *partials++;
        sums[i] = sum;
    }
    return true;
}

bool drifts(std::span<const ArrayPair> pairs, std::span<Drift> results, std::span<std::byte> workspace, const Execution& execution) {
    auto* partials = partialsIn<DriftSums>(workspace, chunksOf(pairs));
    if (partials == nullptr || results.size() != pairs.size() || !canRun(execution)) return false;
    const ArrayKernels& kernels = kernelsOf(execution.instructionSet).arrays;
    forEachChunk(execution.parallelFor, pairs, [&](const ChunkCursor<ArrayPair>& at, std::size_t chunk) {
        const ArrayPair& pair = pairs[at.item()];
        kernels.drift(pair.p + at.offset(), pair.p0 + at.offset(), at.length(), partials + chunk);
    });
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        Drift drift;
        for (std::size_t left = chunksOf(pairs[i].n); left > 0; --left, ++partials) {
            drift.l2 += partials->squares;
            drift.pretrainedL2 += partials->pretrainedSquares;
            drift.l1 += partials->absolutes;
            drift.linf = std::isnan(drift.linf) || partials->largest <= drift.linf ? drift.linf : partials->largest;
            drift.changed += partials->changed;
            drift.changedBf16 += partials->changedBf16;
        }
        drift.l2 = std::sqrt(drift.l2);
        drift.pretrainedL2 = std::sqrt(drift.pretrainedL2);
        results[i] = drift;
    }
    return true;
}

}  // namespace mofo::kernels::cpu
