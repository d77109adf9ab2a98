// What to change where a run does not fit into memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/plan/memory_plan.h"

namespace mofo {

/// Where a run is to fit: as forecastMemory() takes it.
struct MemoryPlace {
    BatchLengths lengths;
    bool isCuda = false;
    int threads = 1;
    std::uint64_t freeBytes = 0;
};

/// A configuration that fits, and what of it was changed: "micro_batch=2 recompute=layer".
struct MemoryChange {
    RunConfig config;
    std::string changes;
    std::uint64_t bytes = 0;  ///< its forecast on the device that trains
};

/// The change that costs least and makes the run fit: smaller micro-batches first (the same result up to the order of sums), then computing
/// activations again, both, leaving coverage out as well, then shorter rows, and at last LoRA. Nothing where not even that fits.
[[nodiscard]] std::optional<MemoryChange> cheapestFit(const ModelDescription& model, const RunConfig& config, const MemoryPlace& place);

/// OutOfMemory with the forecast's terms and the cheapest change, where the run would not fit; nothing where it does, or where nothing is known of
/// what is free.
Result<void> requireMemory(const ModelDescription& model, const RunConfig& config, const MemoryPlace& place);

/// "weights 513 MiB, gradients 513 MiB, ...", the largest first, of the device that trains.
[[nodiscard]] std::string memoryTermsText(const MemoryPlan& plan);

}  // namespace mofo
