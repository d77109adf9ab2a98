// Which keys count under which optimizer.
#pragma once

#include <string_view>

#include "core/config/run_config.h"

namespace mofo {

/// Keys that say which coordinates a step moves: alpha, alpha.KIND, granularity, rule.
[[nodiscard]] bool isSelectionKey(std::string_view key);

/// Whether the key changes anything with the configuration's optimizer.
[[nodiscard]] bool hasEffect(const RunConfig& config, std::string_view key);

}  // namespace mofo
