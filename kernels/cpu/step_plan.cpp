#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/include/optimizer_step.h"

namespace mofo::kernels {

namespace {

/// Pieces of at most stepChunk coordinates.
void cutInto(std::vector<Slice>& chunks, const Slice& slice) {
    if (slice.rows > 1 && slice.length < stepChunk) {
        const std::int64_t rowsPerChunk = stepChunk / slice.length;
        for (std::int64_t row = 0; row < slice.rows; row += rowsPerChunk) {
            Slice chunk = slice;
            chunk.begin = slice.begin + row * slice.stride;
            chunk.rows = std::min(rowsPerChunk, slice.rows - row);
            chunks.push_back(chunk);
        }
        return;
    }
    for (std::int64_t row = 0; row < slice.rows; ++row) {
        for (std::int64_t at = 0; at < slice.length; at += stepChunk) {
            chunks.push_back({slice.tensor, slice.begin + row * slice.stride + at, 1, std::min(stepChunk, slice.length - at), 0});
        }
    }
}

std::string checkSlice(std::span<const Tensor> tensors, const Slice& slice) {
    if (slice.tensor < 0 || slice.tensor >= static_cast<std::int64_t>(tensors.size())) return "names tensor " + std::to_string(slice.tensor);
    const Tensor& tensor = tensors[static_cast<std::size_t>(slice.tensor)];
    if (!tensor.filtered) return "is of an unfiltered tensor";
    const std::int64_t begin = slice.begin - tensor.firstIndex;
    if (slice.rows < 1 || slice.length < 1 || begin < 0) return "is empty or begins before its tensor";
    if (slice.rows > 1 && slice.stride < slice.length) return "has rows that overlap";
    const std::int64_t stride = slice.rows > 1 ? slice.stride : 0;
    if (begin >= tensor.n || slice.length > tensor.n - begin) return "reaches beyond its tensor";
    if (stride > 0 && (tensor.n - begin - slice.length) / stride < slice.rows - 1) return "reaches beyond its tensor";
    return {};
}

}  // namespace

StepScalars stepScalars(const Hyperparameters& h, std::int64_t step, double gradScale, bool knownFinite) {
    const auto t = static_cast<double>(step);
    StepScalars s;
    s.gradScale = static_cast<float>(gradScale);
    s.momentWeight = static_cast<float>(1 - h.beta1);
    s.beta2 = static_cast<float>(h.beta2);
    s.squareWeight = static_cast<float>(1 - h.beta2);
    s.rootCorrection = static_cast<float>(std::sqrt(1 - std::pow(h.beta2, t)));
    s.eps = static_cast<float>(h.eps);
    s.stepSize = static_cast<float>(-h.lr / (1 - std::pow(h.beta1, t)));
    s.decay = static_cast<float>(1 - h.lr * h.weightDecay);
    s.knownFinite = knownFinite;
    return s;
}

std::uint64_t drawKey(std::uint64_t seed, std::int64_t step) {
    std::uint64_t z = seed + (static_cast<std::uint64_t>(step) + 1) * 0x9e3779b97f4a7c15ULL;  // SplitMix64
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

std::uint64_t tensorKey(std::string_view name) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return hash;
}

std::int64_t selectedCount(double alpha, std::int64_t n) {
    const auto k = static_cast<std::int64_t>(alpha * static_cast<double>(n));
    return std::clamp<std::int64_t>(k, 1, n);
}

std::string checkPartitions(std::span<const Tensor> tensors, const PartitionTable& table) {
    if (table.firstSlice.empty() || table.firstSlice.front() != 0 || table.firstSlice.back() != static_cast<std::int64_t>(table.slices.size())) {
        return "firstSlice does not run from 0 to the number of slices";
    }
    std::vector<std::int64_t> covered(tensors.size(), 0);
    for (std::size_t i = 0; i + 1 < table.firstSlice.size(); ++i) {
        const std::int64_t first = table.firstSlice[i];
        const std::int64_t end = table.firstSlice[i + 1];
        if (first >= end || end > static_cast<std::int64_t>(table.slices.size())) return "partition " + std::to_string(i) + " has no slice";
        for (std::int64_t j = first; j < end; ++j) {
            const Slice& slice = table.slices[static_cast<std::size_t>(j)];
            if (const std::string wrong = checkSlice(tensors, slice); !wrong.empty()) {
                return "slice " + std::to_string(j) + " of partition " + std::to_string(i) + ' ' + wrong;
            }
            covered[static_cast<std::size_t>(slice.tensor)] += slice.size();
        }
    }
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (tensors[i].filtered && covered[i] != tensors[i].n) {
            return "the partitions hold " + std::to_string(covered[i]) + " of the " + std::to_string(tensors[i].n) + " coordinates of tensor " +
                   std::to_string(i);
        }
    }
    return {};
}

StepPlan makeStepPlan(std::span<const Tensor> tensors, const PartitionTable& table) {
    StepPlan plan;
    plan.slices.assign(table.slices.begin(), table.slices.end());
    plan.firstSlice.assign(table.firstSlice.begin(), table.firstSlice.end());
    plan.tensorCount = static_cast<std::int64_t>(tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const Slice wholeTensor{static_cast<std::int32_t>(i), tensors[i].firstIndex, 1, tensors[i].n, 0};
        cutInto(plan.all, wholeTensor);
        if (!tensors[i].filtered) cutInto(plan.whole, wholeTensor);
    }

    for (std::size_t i = 0; i + 1 < plan.firstSlice.size(); ++i) {
        const auto first = plan.slices.begin() + plan.firstSlice[i];
        const auto end = plan.slices.begin() + plan.firstSlice[i + 1];
        plan.sizes.push_back(std::accumulate(first, end, std::int64_t{0}, [](std::int64_t sum, const Slice& s) { return sum + s.size(); }));
    }
    std::int64_t inGroup = stepChunk;  // so that the first partition opens a group
    for (std::size_t i = 0; i < plan.sizes.size(); ++i) {
        if (plan.sizes[i] > cachedPartition) {
            plan.large.push_back(static_cast<std::int32_t>(i));
            continue;
        }
        if (inGroup >= stepChunk) {
            plan.firstSmall.push_back(static_cast<std::int64_t>(plan.small.size()));
            inGroup = 0;
        }
        plan.small.push_back(static_cast<std::int32_t>(i));
        inGroup += plan.sizes[i];
    }
    plan.firstSmall.push_back(static_cast<std::int64_t>(plan.small.size()));
    std::stable_sort(plan.large.begin(), plan.large.end(), [&](std::int32_t a, std::int32_t b) {
        return plan.sizes[static_cast<std::size_t>(a)] > plan.sizes[static_cast<std::size_t>(b)];
    });
    for (const std::int32_t partition : plan.large) {
        plan.firstChunk.push_back(static_cast<std::int64_t>(plan.chunks.size()));
        const auto first = plan.slices.begin() + plan.firstSlice[static_cast<std::size_t>(partition)];
        const auto end = plan.slices.begin() + plan.firstSlice[static_cast<std::size_t>(partition) + 1];
        std::for_each(first, end, [&](const Slice& s) { cutInto(plan.chunks, s); });
    }
    plan.firstChunk.push_back(static_cast<std::int64_t>(plan.chunks.size()));
    return plan;
}

}  // namespace mofo::kernels
