// What the parts of one step share: the arguments, the inner loops chosen for them, and where results are added up. Counts are integers added with
// atomics, so that it does not matter which thread counted what.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/slice_kernels.h"
#include "kernels/include/optimizer_step.h"

namespace mofo::kernels::cpu {

/// A task's own memory.
struct TaskScratch {
    std::uint32_t* ranks;      // cachedPartition + vectorSlack; while chunks are bracketed: candidates and journal of one chunk
    std::uint32_t* selection;  // cachedPartition / 2 + vectorSlack
    std::uint32_t* histogram;  // rawHistogramBins
};

inline constexpr std::size_t taskScratchBytes =
    sizeof(std::uint32_t) * (cachedPartition + vectorSlack + cachedPartition / 2 + vectorSlack + rawHistogramBins + 16);

/// From here on vectors without a mover are treated like the others: a branch on a matter of chance would be mispredicted again and again, which
/// takes longer than the memory traffic that it saves. Measured at 15 % and 3 %.
[[nodiscard]] inline bool mostMove(std::int64_t k, std::int64_t n) { return 50 * k >= n; }

/// Sums of squared updates as multiples of 2^-28 of the squared step size: see StepArguments::measure.
class SquaredUpdateUnit {
public:
    explicit SquaredUpdateUnit(const StepScalars& scalars)
        : m_unit(0x1p-28 * static_cast<double>(scalars.stepSize) * static_cast<double>(scalars.stepSize)) {}
    [[nodiscard]] std::int64_t integer(double sum) const {
        const double units = sum / m_unit;
        return units < 0x1p62 ? static_cast<std::int64_t>(units + 0.5) : m_unit > 0 ? std::int64_t{1} << 62 : 0;
    }
    [[nodiscard]] double sum(std::int64_t integer) const { return static_cast<double>(integer) * m_unit; }

private:
    double m_unit;
};

class StepContext {
public:
    StepContext(const StepArguments& stepArguments, const Execution& execution, std::byte* scratch, std::int64_t* tensorSquares)
        : arguments(stepArguments),
          plan(*stepArguments.plan),
          scalars(*stepArguments.scalars),
          parallel(execution.parallelFor),
          isa(kernelsOf(execution.instructionSet)),
          kernels(isa.slices[static_cast<int>(stepArguments.format)][stepArguments.rule == Rule::None ? 0 : static_cast<int>(stepArguments.rule)]),
          plain(isa.plain[static_cast<int>(stepArguments.format)]),
          unit(scalars),
          m_scratch(scratch),
          m_tensorSquares(tensorSquares) {}

    const StepArguments& arguments;
    const StepPlan& plan;
    const StepScalars& scalars;
    const ParallelFor& parallel;
    const InstructionSetKernels& isa;
    const SliceKernels& kernels;
    const PlainKernels& plain;
    const SquaredUpdateUnit unit;

    [[nodiscard]] const Tensor& tensorOf(const Slice& slice) const { return arguments.tensors[static_cast<std::size_t>(slice.tensor)]; }

    [[nodiscard]] SliceView view(const Slice& slice) const {
        const Tensor& t = tensorOf(slice);
        const std::int64_t at = slice.begin - t.firstIndex;
        const auto moved = [at](auto* pointer) { return pointer == nullptr ? nullptr : pointer + at; };
        const bool decays = scalars.decay != 1.0F && t.decayed;
        const bool selectedOnly = arguments.decaySelectedOnly;
        return {moved(t.p),
                moved(t.g),
                moved(t.m),
                moved(t.v),
                moved(t.p16),
                moved(t.g16),
                slice.rows,
                slice.length,
                slice.stride,
                slice.begin,
                t.key,
                decays && !selectedOnly ? scalars.decay : 1.0F,
                decays && selectedOnly ? scalars.decay : 1.0F};
    }

    [[nodiscard]] TaskScratch scratchOf(int task) const {
        auto* ranks = reinterpret_cast<std::uint32_t*>(m_scratch + static_cast<std::size_t>(task) * taskScratchBytes);
        std::uint32_t* selection = ranks + cachedPartition + vectorSlack;
        return {ranks, selection, selection + cachedPartition / 2 + vectorSlack};
    }

    /// For work on m: counts |m| too, if wanted.
    [[nodiscard]] Tally tallyFor(int task, bool updatesMoments) const {
        Tally tally;
        tally.measure = arguments.measure;
        if (updatesMoments && !arguments.histograms.empty()) tally.histogram = scratchOf(task).histogram;
        return tally;
    }

    /// Takes what the work on m found, and empties the histogram.
    void addMoments(std::int32_t tensor, const Tally& tally) {
        if (tally.notFinite) m_notFinite.store(true, std::memory_order_relaxed);
        if (tally.histogram != nullptr) addHistogram(tensor, tally);
    }
    /// Adds what moved to the tensor's counts. `squares`: SquaredUpdateUnit's integer.
    void addMoved(std::int32_t tensor, std::int64_t masked, std::int64_t selected, std::int64_t squares) {
        TensorResult& result = arguments.tensorResults[static_cast<std::size_t>(tensor)];
        std::atomic_ref(result.masked).fetch_add(masked, std::memory_order_relaxed);
        std::atomic_ref(result.selected).fetch_add(selected, std::memory_order_relaxed);
        if (arguments.measure) std::atomic_ref(m_tensorSquares[tensor]).fetch_add(squares, std::memory_order_relaxed);
    }

    void report(std::int32_t partition, const Selected& selected, std::int64_t moved, std::int64_t squares);

    [[nodiscard]] std::span<const Slice> slicesOf(std::int32_t partition) const {
        const auto at = static_cast<std::size_t>(partition);
        const auto first = static_cast<std::size_t>(plan.firstSlice[at]);
        return std::span(plan.slices).subspan(first, static_cast<std::size_t>(plan.firstSlice[at + 1]) - first);
    }

    [[nodiscard]] bool allFinite() const { return !m_notFinite.load(); }
    [[nodiscard]] std::int64_t squaresOf(std::size_t tensor) const { return m_tensorSquares[tensor]; }

private:
    void addHistogram(std::int32_t tensor, const Tally& tally);

    std::byte* m_scratch;
    std::int64_t* m_tensorSquares;
    std::atomic<bool> m_notFinite = false;
};

}  // namespace mofo::kernels::cpu
