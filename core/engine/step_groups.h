// A step cut into groups of whole partitions, so that one group can be computed while another one is on its way between host and device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/include/optimizer_step.h"

namespace mofo {

/// Neighbouring tensors, and the partitions that lie in them.
struct StepGroup {
    std::size_t firstTensor = 0, tensorCount = 0;
    std::size_t firstPartition = 0, partitionCount = 0;
    kernels::StepPlan plan;  ///< of these tensors (counted from firstTensor) and these partitions
};

/// Every tensor and every partition is in exactly one group, in order. A group holds about `bytes` of gradients, more only where one tensor is
/// larger or a partition spans tensors. Needs partitions that come in the order of their first tensor (core/model/partition.h).
[[nodiscard]] std::vector<StepGroup> makeStepGroups(std::span<const kernels::Tensor> tensors, const kernels::PartitionTable& partitions,
                                                    std::int64_t bytes);

/// `whole`, a step over all tensors, as a step of one group alone; it shares status, scalars and workspace.
[[nodiscard]] kernels::StepArguments groupArguments(const kernels::StepArguments& whole, const StepGroup& group);

}  // namespace mofo
