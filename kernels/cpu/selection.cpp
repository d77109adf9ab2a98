// What was selected, after the fact, and what a selection by gradient would have been.
#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/cpu/large_partitions.h"
#include "kernels/cpu/step_context.h"
#include "kernels/include/statistics.h"

namespace mofo::kernels::cpu {

namespace {

/// ORs `count` bits into `to` from bit `at` on. Words are shared by threads where slices meet within one.
void mergeBits(const std::uint64_t* bits, std::int64_t count, std::uint64_t* to, std::int64_t at) {
    const auto shift = static_cast<unsigned>(at % 64);
    for (std::int64_t word = 0; word * 64 < count; ++word) {
        std::uint64_t* const target = to + at / 64 + word;
        const std::uint64_t low = bits[word] << shift;
        const std::uint64_t high = shift == 0 ? 0 : bits[word] >> (64 - shift);
        if (low != 0) std::atomic_ref(target[0]).fetch_or(low, std::memory_order_relaxed);
        if (high != 0) std::atomic_ref(target[1]).fetch_or(high, std::memory_order_relaxed);
    }
}

void addBits(const StepContext& context, const Slice& slice, std::uint32_t threshold, std::uint64_t* to) {
    std::uint64_t bits[stepChunk / 64];
    const std::int64_t firstIndex = context.tensorOf(slice).firstIndex;
    for (std::int64_t row = 0; row < slice.rows; ++row) {
        for (std::int64_t at = 0; at < slice.length; at += stepChunk) {
            const Slice run{slice.tensor, slice.begin + row * slice.stride + at, 1, std::min(stepChunk, slice.length - at), 0};
            context.kernels.selectedBits(context.view(run), context.scalars, threshold, bits);
            mergeBits(bits, run.length, to, run.begin - firstIndex);
        }
    }
}

bool fits(const StepArguments& a, const Execution& execution) {
    return a.plan != nullptr && a.scalars != nullptr && a.tensors.size() == static_cast<std::size_t>(a.plan->tensorCount) &&
           execution.parallelFor.threads >= 1 && isSupported(execution.instructionSet);
}

}  // namespace

bool selectedBits(const StepArguments& lastStep, std::span<std::uint64_t* const> bits, const Execution& execution) {
    const bool ranked = lastStep.rule != Rule::None;
    if (!fits(lastStep, execution) || bits.size() != lastStep.tensors.size()) return false;
    if (ranked && lastStep.partitionResults.size() != static_cast<std::size_t>(lastStep.plan->partitionCount())) return false;
    const StepContext context(lastStep, execution, nullptr, nullptr);
    const StepPlan& plan = context.plan;
    forEachPiece(context.parallel, bits.size(), [&](int, std::size_t i) {
        std::memset(bits[i], 0, static_cast<std::size_t>((lastStep.tensors[i].n + 63) / 64) * sizeof(std::uint64_t));
    });
    const std::vector<Slice>& unranked = ranked ? plan.whole : plan.all;
    forEachPiece(context.parallel, unranked.size(), [&](int, std::size_t i) {
        // No rank is below zero, so that all of m != 0 is left.
        if (!context.tensorOf(unranked[i]).frozen) addBits(context, unranked[i], 0, bits[static_cast<std::size_t>(unranked[i].tensor)]);
    });
    if (!ranked) return true;
    const auto thresholdOf = [&](std::int32_t partition) { return lastStep.partitionResults[static_cast<std::size_t>(partition)].thresholdRank; };
    for (std::size_t i = 0; i < plan.large.size(); ++i) {
        const auto first = static_cast<std::size_t>(plan.firstChunk[i]);
        forEachPiece(context.parallel, static_cast<std::size_t>(plan.firstChunk[i + 1]) - first, [&](int, std::size_t j) {
            const Slice& chunk = plan.chunks[first + j];
            addBits(context, chunk, thresholdOf(plan.large[i]), bits[static_cast<std::size_t>(chunk.tensor)]);
        });
    }
    forEachPiece(context.parallel, plan.firstSmall.size() - 1, [&](int, std::size_t group) {
        for (std::int64_t j = plan.firstSmall[group]; j < plan.firstSmall[group + 1]; ++j) {
            const std::int32_t partition = plan.small[static_cast<std::size_t>(j)];
            for (const Slice& slice : context.slicesOf(partition)) {
                addBits(context, slice, thresholdOf(partition), bits[static_cast<std::size_t>(slice.tensor)]);
            }
        }
    });
    return true;
}

bool topGradientSums(const StepArguments& step, std::span<double> sums, const Execution& execution) {
    if (!fits(step, execution) || sums.size() != step.k.size() || sums.size() != static_cast<std::size_t>(step.plan->partitionCount())) return false;
    if (step.workspace.size() < stepWorkspaceBytes(*step.plan, execution.parallelFor.threads)) return false;
    StepArguments byGradient = step;
    byGradient.rule = Rule::Gradient;
    byGradient.histograms = {};
    byGradient.measure = false;
    const StepLayout layout(*step.plan, execution.parallelFor.threads);
    std::byte* const memory = step.workspace.data();
    StepContext context(byGradient, execution, memory + layout.scratch, nullptr);
    LargePartitions(context, memory + layout.states, memory + layout.pool).sumLargest(sums);
    const StepPlan& plan = context.plan;
    forEachPiece(context.parallel, plan.firstSmall.size() - 1, [&](int task, std::size_t group) {
        const TaskScratch scratch = context.scratchOf(task);
        for (std::int64_t j = plan.firstSmall[group]; j < plan.firstSmall[group + 1]; ++j) {
            const auto partition = static_cast<std::size_t>(plan.small[static_cast<std::size_t>(j)]);
            std::int64_t n = 0;
            for (const Slice& slice : context.slicesOf(plan.small[static_cast<std::size_t>(j)])) {
                n += context.kernels
                         .gather(context.view(slice), context.scalars, 0, std::uint64_t{1} << 32, scratch.ranks + n,
                                 cachedPartition + vectorSlack - n, nullptr)
                         .inside;
            }
            const std::uint32_t threshold = context.isa.arrays.select(scratch.ranks, n, step.k[partition], scratch.selection).threshold;
            double sum = 0;
            std::int64_t above = 0;
            for (std::int64_t i = 0; i < n; ++i) {
                if (scratch.ranks[i] <= threshold) continue;
                sum += static_cast<double>(std::bit_cast<float>(scratch.ranks[i]));
                ++above;
            }
            sums[partition] = sum + static_cast<double>(step.k[partition] - above) * static_cast<double>(std::bit_cast<float>(threshold));
        }
    });
    return true;
}

}  // namespace mofo::kernels::cpu
