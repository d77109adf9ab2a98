// `mofo supervise`: starts engines for the queued runs and jobs of one device, one run at a time, and ends when idle.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

struct SupervisorOptions {
    std::string device = "cpu";           ///< cpu, cuda-0
    std::filesystem::path engineProgram;  ///< default: mofo-engine beside the running program
    double idleSeconds = 2;               ///< ends after this long with nothing to do
    std::string foregroundRun;            ///< --foreground: this process supervises this run, forwards SIGINT/SIGTERM, and the engine dies with it
};

/// Runs until idle (or until the foreground run ended). Busy where another supervisor holds the device's lock.
Result<void> supervise(const Workspace& workspace, const SupervisorOptions& options);

/// Starts `mofo supervise --device D` in a session of its own where the device's lock is free; returns at once.
Result<void> ensureSupervisor(const Workspace& workspace, std::string_view device);

}  // namespace mofo
