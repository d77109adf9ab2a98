// What decides how an engine computes beside its configuration: variables and processors of whoever asked for the run, not of the supervisor that
// happens to be there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/store/registry.h"

namespace mofo {

struct EngineEnvironment {
    /// OMP_NUM_THREADS and the others that decide threads and instruction sets; those without a value are not set.
    std::vector<std::pair<std::string, std::optional<std::string>>> variables;
    std::vector<int> processors;  ///< that it may use; empty where nobody can say
};

/// This process's.
[[nodiscard]] EngineEnvironment ownEngineEnvironment();

/// Keeps this process's as what the run's engines are started with from now on: before the run is queued.
Result<void> noteEngineEnvironment(Registry& registry, std::string_view runId);
/// What was noted last; this process's own where nothing was, as for a run of an earlier version.
Result<EngineEnvironment> notedEngineEnvironment(const Registry& registry, std::string_view runId);

}  // namespace mofo
