// What follows once a run is queued, for every command that starts one: its id on stdout, then following it, or supervising it here.
#pragma once

#include <optional>

#include "app/cli/context.h"
#include "core/base/file.h"
#include "core/client/follow.h"
#include "core/store/registry.h"

namespace mofo::cli {

struct AttendOptions {
    bool foreground = false, detach = false, json = false;
};

/// --foreground, --detach and --json of a command that starts a run.
void addAttendOptions(CLI::App& command, AttendOptions& options);

/// The run's id alone on stdout, or the run as JSON.
void printRun(const RunRow& run, bool json);

/// 0 for a run that finished or was stopped, else 1.
Result<int> exitCodeOf(const Store& store, const std::string& id);

/// Prints the run, then follows it to its end, returns at once (`detach`), or is its supervisor with the device's lock.
Result<int> attendRun(Store& store, const RunRow& run, const AttendOptions& options, std::optional<FileLock> lock);
/// This process is the supervisor: Ctrl-C is passed on to the engine, which stops after the step and saves. The follower shows what comes.
Result<int> superviseForeground(Store& store, const RunRow& run, FileLock lock, RunFollower& follower);

/// What a paused engine waits for by itself (room on a disk, say), in its own words; empty where nothing but a command keeps it paused.
[[nodiscard]] std::string waitsFor(const Store& store, const RunRow& run);

}  // namespace mofo::cli
