// What `mofo show` and `mofo runs` tell people.
#pragma once

#include <string>
#include <vector>

#include "core/client/run_json.h"

namespace mofo::cli {

/// `stalled`: ids of those whose engine gives no sign.
[[nodiscard]] std::string runTable(const std::vector<RunRow>& runs, const std::vector<std::string>& stalled);
/// A line for each lost run: how to go on with it. Empty where none is lost.
[[nodiscard]] std::string remedyLines(const std::vector<RunRow>& runs);
[[nodiscard]] std::string runText(const RunDetail& detail);
/// "3 min ago"
[[nodiscard]] std::string agoText(std::int64_t wallNs);

}  // namespace mofo::cli
