// How the pieces of a step are handed to threads. The loops over coordinates are in slice_kernels_impl.h.
//
// A partition is done in two passes with a selection between them:
//   update   m and v are written; each |m| is counted in a histogram of its upper bits
//   select   the bin that holds the k-th largest is known; the lower bits of the |m| in that bin are counted, until the whole threshold is known
//   move     p moves where |m| >= threshold
//
// Small partitions are done whole by one thread, with m and v still in its cache for the later passes; large ones by all threads, pass by pass.
// Counts are integers, so that it does not matter which thread counted what.
#include "kernels/include/optimizer_step.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/slice_kernels.h"

namespace mofo::kernels::cpu {

namespace {

constexpr int mostBins = 1 << 16;
// The upper digit of many coordinates is a fine one: 256 bins an octave leave about 0.2 % of a bell curve for the second pass. Few coordinates are
// counted faster than 65,536 bins are cleared and searched.
constexpr Digit fineDigits[] = {{15, 16}, {0, 15}};
constexpr Digit coarseDigits[] = {{20, 11}, {10, 10}, {0, 10}};
constexpr std::int64_t fewCoordinates = 32768;
// A 32-bit bin of one thread's histogram cannot overflow within so many coordinates; after them it is added to the 64-bit one.
constexpr std::int64_t waveSize = std::int64_t{1} << 31;

std::span<const Digit> digitsFor(std::int64_t n) {
    if (n <= fewCoordinates) return coarseDigits;
    return fineDigits;
}

/// The digits of the threshold found so far.
struct Selection {
    explicit Selection(std::int64_t k) : need(k) {}

    std::uint32_t prefix = 0;
    std::int64_t need;        // rank of the threshold among the coordinates with this prefix, from above
    std::int64_t above = 0;   // coordinates above this prefix
    std::int64_t inside = 0;  // coordinates with this prefix

    /// The histogram counts `digit` of the coordinates with the current prefix.
    template <class Count>
    void descend(const Count* histogram, Digit digit) {
        constexpr int block = 64;
        int bin = 1 << digit.width;
        for (; bin > block; bin -= block) {
            std::int64_t sum = 0;
            for (int i = 1; i <= block; ++i) sum += static_cast<std::int64_t>(histogram[bin - i]);
            if (sum >= need) break;
            need -= sum;
            above += sum;
        }
        for (--bin; static_cast<std::int64_t>(histogram[bin]) < need; --bin) {
            need -= static_cast<std::int64_t>(histogram[bin]);
            above += static_cast<std::int64_t>(histogram[bin]);
        }
        inside = static_cast<std::int64_t>(histogram[bin]);
        prefix = (prefix << digit.width) | static_cast<std::uint32_t>(bin);
    }
};

class Step {
public:
    Step(const StepArguments& arguments, const Execution& execution)
        : m_arguments(arguments),
          m_plan(*arguments.plan),
          m_scalars(*arguments.scalars),
          m_parallel(execution.parallelFor),
          m_kernels(sliceKernels(execution.instructionSet)),
          m_merged(reinterpret_cast<std::uint64_t*>(arguments.workspace.data())),
          m_histograms(reinterpret_cast<std::uint32_t*>(m_merged + mostBins)) {}

    void run() {
        std::fill(m_arguments.tensorResults.begin(), m_arguments.tensorResults.end(), TensorResult{});
        std::fill(m_arguments.partitionResults.begin(), m_arguments.partitionResults.end(), PartitionResult{});
        *m_arguments.status = StepStatus{};
        // With finite m and g, g - m can overflow, but w (g - m) added to the finite end it starts from is no NaN; only a weight of exactly 1, which
        // makes the other factor 0, could turn the overflow into one.
        const bool cannotBeNan = m_scalars.knownFinite && m_scalars.momentWeight < 1.0F;
        if (!cannotBeNan && findNan()) {
            *m_arguments.status = {true, false};
            return;
        }
        if (m_arguments.rule == Rule::None) {
            moveEverything(m_plan.all);
        } else {
            for (std::size_t i = 0; i < m_plan.large.size(); ++i) stepLarge(i);
            stepSmall();
        }
        m_arguments.status->momentsFinite = !m_notFinite.load();
    }

private:
    [[nodiscard]] SliceView view(const Slice& slice) const {
        const Tensor& t = m_arguments.tensors[static_cast<std::size_t>(slice.tensor)];
        return {t.p + slice.begin, t.g + slice.begin, t.m + slice.begin, t.v + slice.begin, slice.rows, slice.length, slice.stride};
    }

    [[nodiscard]] Decay decayOf(const Slice& slice) const {
        if (m_scalars.decay == 1.0F || !m_arguments.tensors[static_cast<std::size_t>(slice.tensor)].decayed) return Decay::None;
        return m_arguments.decaySelectedOnly ? Decay::Selected : Decay::All;
    }

    [[nodiscard]] std::uint32_t* histogramOf(int task) const { return m_histograms + static_cast<std::ptrdiff_t>(task) * mostBins; }

    void count(const Slice& slice, const Moved& moved) {
        TensorResult& result = m_arguments.tensorResults[static_cast<std::size_t>(slice.tensor)];
        std::atomic_ref(result.masked).fetch_add(moved.masked, std::memory_order_relaxed);
        std::atomic_ref(result.selected).fetch_add(moved.selected, std::memory_order_relaxed);
    }

    bool findNan() {
        std::atomic<bool> found = false;
        forEachPiece(m_parallel, m_plan.all.size(), [&](int, std::size_t i) {
            if (!found.load(std::memory_order_relaxed) && m_kernels.findsNan(view(m_plan.all[i]), m_scalars)) found.store(true);
        });
        return found.load();
    }

    void moveWhole(const Slice& chunk) {
        bool notFinite = false;
        count(chunk, m_kernels.updateAndMove(view(chunk), m_scalars, decayOf(chunk), &notFinite));
        if (notFinite) m_notFinite.store(true);
    }

    void moveEverything(const std::vector<Slice>& chunks) {
        forEachPiece(m_parallel, chunks.size(), [&](int, std::size_t i) { moveWhole(chunks[i]); });
    }

    void update(const Slice& slice, Digit digit, std::uint32_t* histogram) {
        if (m_kernels.updateMoments(view(slice), m_scalars, digit.shift, histogram)) m_notFinite.store(true);
    }

    void report(std::int32_t partition, const Selection& selection, std::int64_t selected) {
        PartitionResult& result = m_arguments.partitionResults[static_cast<std::size_t>(partition)];
        result.threshold = std::bit_cast<float>(selection.prefix);
        result.k = m_arguments.k[static_cast<std::size_t>(partition)];
        result.masked = selection.above + selection.inside;
        result.selected = selected;
    }

    void stepAlone(std::int32_t partition, std::uint32_t* histogram) {
        const auto at = static_cast<std::size_t>(partition);
        const std::span slices = std::span(m_plan.slices)
                                     .subspan(static_cast<std::size_t>(m_plan.firstSlice[at]),
                                              static_cast<std::size_t>(m_plan.firstSlice[at + 1] - m_plan.firstSlice[at]));
        const std::span digits = digitsFor(m_plan.sizes[at]);
        Selection selection(m_arguments.k[at]);
        for (const Digit& digit : digits) {
            std::memset(histogram, 0, sizeof(std::uint32_t) << digit.width);
            for (const Slice& slice : slices) {
                if (&digit == digits.data()) {
                    update(slice, digit, histogram);
                } else {
                    m_kernels.countDigit(view(slice), selection.prefix, digit, histogram);
                }
            }
            selection.descend(histogram, digit);
        }
        std::int64_t selected = 0;
        for (const Slice& slice : slices) {
            const Moved moved = m_kernels.move(view(slice), m_scalars, selection.prefix, decayOf(slice));
            count(slice, moved);
            selected += moved.selected;
        }
        report(partition, selection, selected);
    }

    void stepSmall() {
        const std::size_t groups = m_plan.groupOrder.size();
        forEachPiece(m_parallel, groups + m_plan.whole.size(), [&](int task, std::size_t i) {
            if (i >= groups) {
                moveWhole(m_plan.whole[i - groups]);
                return;
            }
            const auto group = static_cast<std::size_t>(m_plan.groupOrder[i]);
            for (std::int64_t j = m_plan.firstSmall[group]; j < m_plan.firstSmall[group + 1]; ++j) {
                stepAlone(m_plan.small[static_cast<std::size_t>(j)], histogramOf(task));
            }
        });
    }

    /// Fills m_merged with counts of one digit. countChunk(chunk, histogram) is called for each chunk, backwards if asked.
    template <class CountChunk>
    void countTogether(std::span<const Slice> chunks, Digit digit, bool backwards, const CountChunk& countChunk) {
        const std::size_t bins = std::size_t{1} << digit.width;
        std::memset(m_merged, 0, bins * sizeof(std::uint64_t));
        for (std::size_t first = 0, end = 0; first < chunks.size(); first = end) {
            std::int64_t size = 0;
            while (end < chunks.size() && size + chunks[end].size() <= waveSize) size += chunks[end++].size();
            forEachTask(m_parallel, [&](int task) { std::memset(histogramOf(task), 0, bins * sizeof(std::uint32_t)); });
            forEachPiece(m_parallel, end - first,
                         [&](int task, std::size_t i) { countChunk(chunks[backwards ? end - 1 - i : first + i], histogramOf(task)); });
            forEachTask(m_parallel, [&](int task) {
                const auto tasks = static_cast<std::size_t>(m_parallel.threads);
                const std::size_t from = bins * static_cast<std::size_t>(task) / tasks;
                const std::size_t to = bins * (static_cast<std::size_t>(task) + 1) / tasks;
                for (int other = 0; other < m_parallel.threads; ++other) {
                    const std::uint32_t* histogram = histogramOf(other);
                    for (std::size_t bin = from; bin < to; ++bin) m_merged[bin] += histogram[bin];
                }
            });
        }
    }

    void stepLarge(std::size_t i) {
        const std::int32_t partition = m_plan.large[i];
        const std::span chunks =
            std::span(m_plan.chunks)
                .subspan(static_cast<std::size_t>(m_plan.firstChunk[i]), static_cast<std::size_t>(m_plan.firstChunk[i + 1] - m_plan.firstChunk[i]));
        Selection selection(m_arguments.k[static_cast<std::size_t>(partition)]);
        // Each pass runs against the direction of the one before, which left its last chunks in the cache.
        countTogether(chunks, fineDigits[0], false, [&](const Slice& chunk, std::uint32_t* histogram) { update(chunk, fineDigits[0], histogram); });
        selection.descend(m_merged, fineDigits[0]);
        countTogether(chunks, fineDigits[1], true, [&](const Slice& chunk, std::uint32_t* histogram) {
            m_kernels.countDigit(view(chunk), selection.prefix, fineDigits[1], histogram);
        });
        selection.descend(m_merged, fineDigits[1]);
        std::atomic<std::int64_t> selected = 0;
        forEachPiece(m_parallel, chunks.size(), [&](int, std::size_t at) {
            const Moved moved = m_kernels.move(view(chunks[at]), m_scalars, selection.prefix, decayOf(chunks[at]));
            count(chunks[at], moved);
            selected.fetch_add(moved.selected, std::memory_order_relaxed);
        });
        report(partition, selection, selected.load());
    }

    const StepArguments& m_arguments;
    const StepPlan& m_plan;
    const StepScalars& m_scalars;
    const ParallelFor& m_parallel;
    const SliceKernels& m_kernels;
    std::uint64_t* m_merged;
    std::uint32_t* m_histograms;
    std::atomic<bool> m_notFinite = false;
};

bool fitsTogether(const StepArguments& a, const Execution& execution) {
    if (a.plan == nullptr || a.scalars == nullptr || a.status == nullptr) return false;
    const auto tensors = static_cast<std::size_t>(a.plan->tensorCount);
    const auto partitions = static_cast<std::size_t>(a.plan->partitionCount());
    if (a.tensors.size() != tensors || a.tensorResults.size() != tensors) return false;
    if (a.rule == Rule::Momentum) {
        if (a.k.size() != partitions || a.partitionResults.size() != partitions) return false;
        for (std::size_t i = 0; i < partitions; ++i) {
            if (a.k[i] < 1 || a.k[i] > a.plan->sizes[i]) return false;
        }
    }
    if (execution.parallelFor.threads < 1 || !isSupported(execution.instructionSet)) return false;
    return a.workspace.size() >= stepWorkspaceBytes(execution.parallelFor.threads) && reinterpret_cast<std::uintptr_t>(a.workspace.data()) % 64 == 0;
}

}  // namespace

std::size_t stepWorkspaceBytes(int threads) { return mostBins * (sizeof(std::uint64_t) + static_cast<std::size_t>(threads) * sizeof(std::uint32_t)); }

bool step(const StepArguments& arguments, const Execution& execution) {
    if (!fitsTogether(arguments, execution)) return false;
    Step(arguments, execution).run();
    return true;
}

}  // namespace mofo::kernels::cpu
