// Child processes: engines with nothing inherited, and short-lived programs whose answer is wanted.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace mofo {

/// $MOFO_ENGINE, else mofo-engine beside the running program.
[[nodiscard]] std::filesystem::path engineProgram();
/// $MOFO_CLI, else mofo beside the running program: what starts supervisors.
[[nodiscard]] std::filesystem::path cliProgram();

struct SpawnOptions {
    std::filesystem::path program;
    std::vector<std::string> arguments;  ///< without the program's name
    std::filesystem::path logFile;       ///< stderr is appended to it (mode 0600); empty = /dev/null
    std::filesystem::path workingFolder = "/";
    /// Set, or taken away where empty; every other variable is inherited.
    std::vector<std::pair<std::string, std::optional<std::string>>> variables;
    std::vector<int> processors;  ///< that it may use; empty, or none of them there: those of this process
    bool dieWithParent = false;   ///< SIGKILL when the thread that called spawnProcess ends
    int oomScore = 0;             ///< the out-of-memory killer takes processes with higher values first
};

/// Starts a program in a session of its own: stdin and stdout /dev/null, stderr the log, every other descriptor closed, default signal
/// handling. Fails where the program cannot be executed. The caller waits for the returned pid.
Result<pid_t> spawnProcess(const SpawnOptions& options);

/// The same, but belonging to init: nobody waits for it.
Result<void> spawnDetached(const SpawnOptions& options);

/// What a program prints on stdout within `timeoutSeconds` (at most 64 KiB); empty where it fails, is missing or takes longer.
[[nodiscard]] std::optional<std::string> outputOf(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                                                  double timeoutSeconds);

/// "ended with exit code 3", "was killed by signal 9 (Killed)": from the status of waitpid.
[[nodiscard]] std::string describeExit(int waitStatus);

/// What an engine's log ends with, where that is a warning, an error or nothing of the engine's own (a library's last words): without time and level,
/// made harmless for showing, at most 300 bytes. Empty where the last line tells of ordinary progress.
[[nodiscard]] std::string lastComplaint(const std::filesystem::path& logFile);

/// The pid that the last holder of a lock wrote into it, whether it still holds it or not; empty where nobody ever did.
[[nodiscard]] std::optional<std::int64_t> lastLockHolder(const std::filesystem::path& lockFile);
/// The same; empty unless the lock is held.
[[nodiscard]] std::optional<std::int64_t> lockHolder(const std::filesystem::path& lockFile);

}  // namespace mofo
