// Patterns over parameter names: filter_include and filter_exclude.
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "core/config/run_config.h"

namespace mofo {

/// Whether `name` as a whole matches one of the comma-separated patterns; `*` stands for any characters, `?` for one.
/// No pattern matches nothing. Linear in pattern x name: hostile patterns cannot blow up.
[[nodiscard]] bool matchesNamePattern(std::string_view patterns, std::string_view name);
/// Usage where a part between commas is empty.
Result<void> checkNamePattern(std::string_view patterns);

/// Whether MoFO filters this parameter. By the paper's rule every tensor but those whose name has `norm` or `bias` (mofo.md,
/// "The step"); filter_include, if set, chooses instead; filter_exclude takes away from either.
[[nodiscard]] bool isFilteredParameter(const RunConfig& config, std::string_view name);

}  // namespace mofo
