// A job of the engine with its progress as one line on stderr.
#pragma once

#include <string>
#include <string_view>

#include "app/cli/context.h"
#include "core/base/json.h"

namespace mofo::cli {

/// As runJob(), cancelled by Ctrl-C. `title`: what the line begins with.
Result<Json> runShown(Store& store, std::string_view title, std::string_view kind, const Json& parameters, std::string_view device,
                      std::string_view runId);

}  // namespace mofo::cli
