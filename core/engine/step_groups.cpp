#include "core/engine/step_groups.h"

#include <algorithm>

namespace mofo {

namespace {

/// Cuts [0, n) where no partition spans the cut, into runs of at most `bytes` of gradients where the cuts allow it.
std::vector<StepGroup> cutTensors(std::span<const kernels::Tensor> tensors, const kernels::PartitionTable& partitions, std::int64_t bytes) {
    // spans[i]: partitions that begin, less those that end, at tensor i; its running sum tells how many reach from i into i + 1.
    std::vector<std::int64_t> spans(tensors.size() + 1, 0);
    for (std::size_t i = 0; i + 1 < partitions.firstSlice.size(); ++i) {
        std::int32_t first = partitions.slices[static_cast<std::size_t>(partitions.firstSlice[i])].tensor, last = first;
        for (std::int64_t s = partitions.firstSlice[i]; s < partitions.firstSlice[i + 1]; ++s) {
            first = std::min(first, partitions.slices[static_cast<std::size_t>(s)].tensor);
            last = std::max(last, partitions.slices[static_cast<std::size_t>(s)].tensor);
        }
        ++spans[static_cast<std::size_t>(first)];
        --spans[static_cast<std::size_t>(last)];
    }
    std::vector<StepGroup> groups;
    std::int64_t reaching = 0, groupBytes = 0, pieceBytes = 0;
    std::size_t pieceBegin = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        pieceBytes += tensors[i].n * static_cast<std::int64_t>(sizeof(float));
        reaching += spans[i];
        if (reaching > 0 && i + 1 < tensors.size()) continue;  // a partition goes on: no cut here
        if (groups.empty() || groupBytes + pieceBytes > bytes) {
            groups.emplace_back().firstTensor = pieceBegin;
            groupBytes = 0;
        }
        groups.back().tensorCount = i + 1 - groups.back().firstTensor;
        groupBytes += pieceBytes;
        pieceBytes = 0;
        pieceBegin = i + 1;
    }
    return groups;
}

}  // namespace

std::vector<StepGroup> makeStepGroups(std::span<const kernels::Tensor> tensors, const kernels::PartitionTable& partitions, std::int64_t bytes) {
    std::vector<StepGroup> groups = cutTensors(tensors, partitions, bytes);
    const std::size_t partitionCount = partitions.firstSlice.size() - 1;
    std::size_t partition = 0;
    for (StepGroup& group : groups) {
        group.firstPartition = partition;
        const auto end = static_cast<std::int32_t>(group.firstTensor + group.tensorCount);
        std::vector<kernels::Slice> slices;
        std::vector<std::int64_t> firstSlice{0};
        for (; partition < partitionCount; ++partition) {
            const auto from = static_cast<std::size_t>(partitions.firstSlice[partition]),
                       to = static_cast<std::size_t>(partitions.firstSlice[partition + 1]);
            if (partitions.slices[from].tensor >= end) break;
            for (std::size_t s = from; s < to; ++s) {
                slices.push_back(partitions.slices[s]);
                slices.back().tensor -= static_cast<std::int32_t>(group.firstTensor);
            }
            firstSlice.push_back(static_cast<std::int64_t>(slices.size()));
        }
        group.partitionCount = partition - group.firstPartition;
        group.plan = kernels::makeStepPlan(tensors.subspan(group.firstTensor, group.tensorCount), {slices, firstSlice});
    }
    return groups;
}

kernels::StepArguments groupArguments(const kernels::StepArguments& whole, const StepGroup& group) {
    kernels::StepArguments part = whole;
    part.tensors = whole.tensors.subspan(group.firstTensor, group.tensorCount);
    part.plan = &group.plan;
    part.k = whole.k.subspan(group.firstPartition, group.partitionCount);
    part.partitionResults = whole.partitionResults.subspan(group.firstPartition, group.partitionCount);
    part.tensorResults = whole.tensorResults.subspan(group.firstTensor, group.tensorCount);
    if (!whole.histograms.empty()) part.histograms = whole.histograms.subspan(group.firstTensor, group.tensorCount);
    return part;
}

}  // namespace mofo
