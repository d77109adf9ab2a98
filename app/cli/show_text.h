// What `mofo show` and `mofo runs` tell people.
#pragma once

#include <string>
#include <vector>

#include "core/client/run_json.h"

namespace mofo::cli {

[[nodiscard]] std::string runTable(const std::vector<RunRow>& runs);
[[nodiscard]] std::string runText(const RunDetail& detail);
/// "3 min ago"
[[nodiscard]] std::string agoText(std::int64_t wallNs);

}  // namespace mofo::cli
