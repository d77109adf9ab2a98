// What is kept of an engine that ended without saying how: runs/<id>/crash.json, beside the run that it concerns.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

/// The exit code of an engine whose device failed.
inline constexpr int kDeviceFaultExit = 70;

/// The signal a process died of: one of its own, or of a program it was wrapped in (exit code 128 + N, but for 130, which engines use).
[[nodiscard]] std::optional<int> deathSignal(int waitStatus);

/// How often the kernel's out-of-memory killer struck since boot (oom_kill in /proc/vmstat; $MOFO_VMSTAT names another file); empty where unknown.
[[nodiscard]] std::optional<std::int64_t> oomKills();

/// "the system ran out of memory: ..." for a process that was killed by signal 9 while `killsBefore` grew, with the limit of its control group where
/// there is one; else empty.
[[nodiscard]] std::string outOfMemoryText(int waitStatus, const std::optional<std::int64_t>& killsBefore);

/// Writes crash.json (0600, the newest only): when, exit code or signal, step, restarts, `sentence`, what the engine itself wrote of a failed device
/// (device-fault.json, if it is of this pid), the engine's pid, and the last lines of its log with the home folder as ~. Nothing of the environment.
Result<void> writeCrashRecord(const Workspace& workspace, const RunRow& run, pid_t engine, int waitStatus, std::string_view sentence);
/// The record of a run; NotFound where no engine of it ever ended so.
Result<Json> readCrashRecord(const Workspace& workspace, std::string_view runId);
/// What the engine with this pid wrote of its failed device, or empty.
[[nodiscard]] std::string deviceFaultText(const Workspace& workspace, std::string_view runId, pid_t engine);

/// The engine of a `lost` run that met a device fault while no supervisor was there to see it end: the run is owed a restart. Empty for any other
/// death, for one that was dealt with, and after a reboot, since nothing trains unasked then.
[[nodiscard]] std::optional<pid_t> unseenDeviceFault(const Workspace& workspace, const RunRow& run);

/// `text` with every mention of the user's home folder as ~.
[[nodiscard]] std::string withoutHome(std::string text);

}  // namespace mofo
