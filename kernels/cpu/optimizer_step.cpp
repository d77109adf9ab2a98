// How the pieces of a step are handed to threads. The loops over coordinates are in slice_kernels_impl.h, the large partitions in
// large_partitions.cpp.
//
// A small partition is done whole by one thread: m and v are written and all ranks put down, the threshold is selected among them, and p moves with m
// and v still in the thread's cache.
#include "kernels/include/optimizer_step.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/cpu/large_partitions.h"
#include "kernels/cpu/step_context.h"

namespace mofo::kernels::cpu {

namespace {

float thresholdAsNumber(Rule rule, std::uint32_t rank) {
    return rule == Rule::Random ? static_cast<float>(rank) * 0x1p-32F : std::bit_cast<float>(rank);
}

bool findNan(const StepContext& context) {
    std::atomic<bool> found = false;
    forEachPiece(context.parallel, context.plan.all.size(), [&](int, std::size_t i) {
        const Slice& chunk = context.plan.all[i];
        if (found.load(std::memory_order_relaxed) || context.tensorOf(chunk).frozen) return;
        if (context.kernels.findsNan(context.view(chunk), context.scalars)) found.store(true);
    });
    return found.load();
}

void moveWhole(StepContext& context, const Slice& chunk, int task) {
    if (context.tensorOf(chunk).frozen) return;
    Tally tally = context.tallyFor(task, true);
    context.plain.updateAll(context.view(chunk), context.scalars, tally);
    context.addMoments(chunk.tensor, tally);
    context.addMoved(chunk.tensor, tally.masked, tally.selected, context.unit.integer(tally.squaredUpdate));
}

/// Small partitions one after the other. The threshold of one is a guess at the next one's: what is found about it is kept from row to row, and so is
/// what is found about m, since rows are many and histograms long.
class SmallPartitions {
public:
    SmallPartitions(StepContext& context, int task) : m_context(context), m_scratch(context.scratchOf(task)), m_task(task) {}
    ~SmallPartitions() {
        if (m_tensor >= 0) m_context.addMoments(m_tensor, m_moments);
    }
    SmallPartitions(const SmallPartitions&) = delete;
    SmallPartitions& operator=(const SmallPartitions&) = delete;

    void step(std::int32_t partition) {
        const std::span<const Slice> slices = m_context.slicesOf(partition);
        const std::int64_t k = m_context.arguments.k[static_cast<std::size_t>(partition)];
        const bool most = mostMove(k, m_context.plan.sizes[static_cast<std::size_t>(partition)]);
        const Selected selected = updateAndSelect(slices, k, most);
        std::int64_t moved = 0, squares = 0;
        for (const Slice& slice : slices) {
            Tally tally = m_context.tallyFor(m_task, false);
            SliceView view = m_context.view(slice);
            view.mostMove = most;
            // Moving computes more than it loads: meanwhile the next partition of the tensor is fetched.
            if (slices.size() == 1 && slice.rows == 1) view.toNext = slice.length;
            m_context.kernels.move(view, m_context.scalars, selected.threshold, tally);
            const std::int64_t squared = m_context.unit.integer(tally.squaredUpdate);
            m_context.addMoved(slice.tensor, tally.masked, tally.selected, squared);
            moved += tally.selected;
            squares += squared;
        }
        m_context.report(partition, selected, moved, squares);
    }

private:
    Selected updateAndSelect(std::span<const Slice> slices, std::int64_t k, bool most) {
        Bracket bracket{0, 0xffffffffU, most, false, nullptr, 0};
        Candidates candidates{m_scratch.ranks, nullptr, nullptr, 0, cachedPartition + vectorSlack};
        std::int64_t above = 0;
        for (const Slice& slice : slices) {
            enter(slice.tensor);
            if (m_spread < guessless) {
                bracket.lo = m_guess > m_spread ? m_guess - m_spread : 0;
                bracket.hi = m_guess < 0xffffffffU - m_spread ? m_guess + m_spread : 0xffffffffU;
            }
            Tally& moments = m_moments;
            moments.masked = 0;
            m_context.kernels.updateBracketed(m_context.view(slice), m_context.scalars, bracket, candidates, moments);
            above += moments.masked;
        }
        const ArrayKernels& arrays = m_context.isa.arrays;
        Selected selected;
        if (above < k && k <= above + candidates.count) {
            selected = arrays.select(candidates.ranks, candidates.count, k - above, m_scratch.selection);
            selected.atLeast += above;
        } else {
            std::int64_t n = 0;
            for (const Slice& slice : slices) {
                const std::int64_t room = cachedPartition + vectorSlack - n;
                n += m_context.kernels.gather(m_context.view(slice), m_context.scalars, 0, std::uint64_t{1} << 32, m_scratch.ranks + n, room, nullptr)
                         .inside;
            }
            selected = arrays.select(m_scratch.ranks, n, k, m_scratch.selection);
        }
        learn(selected.threshold);
        return selected;
    }

    /// Three times the running mean of how far neighbours' thresholds lie apart, as bit patterns.
    void learn(std::uint32_t threshold) {
        const std::uint32_t distance = threshold > m_guess ? threshold - m_guess : m_guess - threshold;
        const std::uint32_t wanted = std::min(distance, guessless / 4) * 3 + leastSpread;
        m_spread = m_spread >= guessless ? startSpread : (7 * m_spread + wanted) / 8;
        m_guess = threshold;
    }

    void enter(std::int32_t tensor) {
        if (tensor == m_tensor) return;
        if (m_tensor >= 0) m_context.addMoments(m_tensor, m_moments);
        m_moments = m_context.tallyFor(m_task, true);
        m_tensor = tensor;
        m_spread = guessless;
    }

    // Bit patterns: 2^23 is an octave.
    static constexpr std::uint32_t guessless = 1U << 28, startSpread = 1U << 21, leastSpread = 1U << 17;
    StepContext& m_context;
    TaskScratch m_scratch;
    int m_task;
    std::int32_t m_tensor = -1;
    std::uint32_t m_guess = 0, m_spread = guessless;
    Tally m_moments;
};

void stepSmallPartitions(StepContext& context) {
    const std::size_t groups = context.plan.firstSmall.size() - 1;
    forEachPiece(context.parallel, groups + context.plan.whole.size(), [&](int task, std::size_t i) {
        if (i >= groups) {
            moveWhole(context, context.plan.whole[i - groups], task);
            return;
        }
        SmallPartitions partitions(context, task);
        for (std::int64_t j = context.plan.firstSmall[i]; j < context.plan.firstSmall[i + 1]; ++j) {
            partitions.step(context.plan.small[static_cast<std::size_t>(j)]);
        }
    });
}

bool hasItsArrays(const Tensor& tensor, Format format) {
    if (tensor.m == nullptr || tensor.v == nullptr) return false;
    switch (format) {
        case Format::Fp32: return tensor.p != nullptr && tensor.g != nullptr;
        case Format::Bf16: return tensor.p16 != nullptr && tensor.g16 != nullptr;
        case Format::Bf16Master: return tensor.p != nullptr && tensor.p16 != nullptr && tensor.g16 != nullptr;
    }
    return false;
}

bool fitsTogether(const StepArguments& a, const Execution& execution) {
    if (a.plan == nullptr || a.scalars == nullptr || a.status == nullptr) return false;
    const auto tensors = static_cast<std::size_t>(a.plan->tensorCount);
    const auto partitions = static_cast<std::size_t>(a.plan->partitionCount());
    if (a.tensors.size() != tensors || a.tensorResults.size() != tensors) return false;
    if (!a.histograms.empty() && a.histograms.size() != tensors) return false;
    for (const Tensor& tensor : a.tensors) {
        if (!hasItsArrays(tensor, a.format) || (tensor.frozen && a.rule != Rule::None)) return false;
    }
    if (a.rule != Rule::None) {
        if (a.k.size() != partitions || a.partitionResults.size() != partitions) return false;
        for (std::size_t i = 0; i < partitions; ++i) {
            if (a.k[i] < 1 || a.k[i] > a.plan->sizes[i]) return false;
        }
    }
    if (execution.parallelFor.threads < 1 || !isSupported(execution.instructionSet)) return false;
    return a.workspace.size() >= stepWorkspaceBytes(*a.plan, execution.parallelFor.threads) &&
           reinterpret_cast<std::uintptr_t>(a.workspace.data()) % 64 == 0;
}

}  // namespace

void StepContext::report(std::int32_t partition, const Selected& selected, std::int64_t moved, std::int64_t squares) {
    PartitionResult& result = arguments.partitionResults[static_cast<std::size_t>(partition)];
    result.thresholdRank = selected.threshold;
    result.threshold = thresholdAsNumber(arguments.rule, selected.threshold);
    result.k = arguments.k[static_cast<std::size_t>(partition)];
    result.masked = selected.atLeast;
    result.selected = moved;
    result.squaredUpdate = unit.sum(squares);
}

void StepContext::addHistogram(std::int32_t tensor, const Tally& tally) {
    LogHistogram& to = arguments.histograms[static_cast<std::size_t>(tensor)];
    std::atomic_ref(to.zeros).fetch_add(tally.zeros, std::memory_order_relaxed);
    constexpr int lowest = (127 + histogramLowestExponent) * histogramStepsPerOctave;
    for (int raw = 0; raw < rawHistogramBins; ++raw) {
        const std::uint32_t count = tally.histogram[raw];
        if (count == 0) continue;
        tally.histogram[raw] = 0;
        const int bin = std::clamp(raw - lowest, 0, histogramBins - 1);
        // Zeros were taken away from bin 0 as they were counted, which may have wrapped around within the 32 bits.
        std::atomic_ref(to.bins[static_cast<std::size_t>(bin)]).fetch_add(static_cast<std::int32_t>(count), std::memory_order_relaxed);
    }
}

std::size_t stepWorkspaceBytes(const StepPlan& plan, int threads) { return StepLayout(plan, threads).size; }

bool step(const StepArguments& arguments, const Execution& execution) {
    if (!fitsTogether(arguments, execution)) return false;
    const StepLayout layout(*arguments.plan, execution.parallelFor.threads);
    std::byte* const memory = arguments.workspace.data();
    auto* tensorSquares = reinterpret_cast<std::int64_t*>(memory + layout.tensorSquares);
    StepContext context(arguments, execution, memory + layout.scratch, tensorSquares);

    std::fill(arguments.tensorResults.begin(), arguments.tensorResults.end(), TensorResult{});
    std::fill(arguments.partitionResults.begin(), arguments.partitionResults.end(), PartitionResult{});
    std::fill(arguments.histograms.begin(), arguments.histograms.end(), LogHistogram{});
    std::fill_n(tensorSquares, arguments.tensors.size(), 0);
    for (int task = 0; task < execution.parallelFor.threads; ++task) std::fill_n(context.scratchOf(task).histogram, rawHistogramBins, 0U);
    *arguments.status = StepStatus{};

    // With finite m and g, g - m can overflow, but w (g - m) added to the finite end it starts from is no NaN; only a weight of exactly 1, which
    // makes the other factor 0, could turn the overflow into one.
    const bool cannotBeNan = context.scalars.knownFinite && context.scalars.momentWeight < 1.0F;
    if (!cannotBeNan && findNan(context)) {
        *arguments.status = {true, false, 0};
        return true;
    }
    if (arguments.rule == Rule::None) {
        forEachPiece(context.parallel, context.plan.all.size(), [&](int task, std::size_t i) { moveWhole(context, context.plan.all[i], task); });
    } else {
        LargePartitions large(context, memory + layout.states, memory + layout.pool);
        large.step();
        arguments.status->repaired = large.repaired();
        stepSmallPartitions(context);
    }
    arguments.status->momentsFinite = context.allFinite();
    if (arguments.measure) {
        for (std::size_t i = 0; i < arguments.tensors.size(); ++i) {
            arguments.tensorResults[i].squaredUpdate = context.unit.sum(context.squaresOf(i));
        }
    }
    return true;
}

}  // namespace mofo::kernels::cpu
