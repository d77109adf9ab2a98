// Whether a living engine has stopped giving signs.
#pragma once

#include <optional>
#include <string>

#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace mofo {

/// An engine beats once a second; one that was silent for this long is called stalled. Nobody ends it: it may be saving to a slow disk.
inline constexpr double kStalledSeconds = 30;

/// Seconds since the last heartbeat of the run's engine, where it holds the lock and was silent for more than `limitSeconds` by the clock that no
/// one sets (CLOCK_BOOTTIME); empty otherwise.
[[nodiscard]] std::optional<double> stalledSeconds(const Workspace& workspace, const RunRow& run, double limitSeconds = kStalledSeconds);
/// The same for a status that was read already.
[[nodiscard]] std::optional<double> stalledSeconds(const Workspace& workspace, const RunRow& run, const StatusRow& status,
                                                   double limitSeconds = kStalledSeconds);

/// "the engine has given no sign for 45 s; nobody ends it by itself (if it hangs: kill -9 123, then mofo resume ID)"
[[nodiscard]] std::string stalledText(const Workspace& workspace, const RunRow& run, double seconds);

}  // namespace mofo
