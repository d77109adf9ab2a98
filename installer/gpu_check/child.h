// One program run to its end, or to its time limit, with what it wrote.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace mofo {

struct ChildCommand {
    std::filesystem::path program;
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;  ///< added to ours
    double seconds = 60;                             ///< then it is asked to end (SIGTERM) and after 3 s more killed, with its process group
};

struct ChildOutcome {
    int exitCode = -1;  ///< 128 + the signal where one ended it
    bool timedOut = false;
    double seconds = 0;
    std::string output;  ///< stdout, at most 16 MiB of it
    std::string errors;  ///< stderr, its last 16 KiB

    /// "" for an exit code of 0, else "took longer than 60 s", "ended by signal 11" or "exit code 2", and the last line it wrote.
    [[nodiscard]] std::string problem(double limitSeconds) const;
};

/// Forks: for programs of one thread. Fails where the program cannot be started; how it ended is in the outcome.
Result<ChildOutcome> runChild(const ChildCommand& command);

}  // namespace mofo
