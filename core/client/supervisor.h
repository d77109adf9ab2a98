// `mofo supervise`: starts engines for the queued runs and jobs of one device, one run at a time, and ends when idle.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"
#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

struct SupervisorOptions {
    std::string device = "cpu";           ///< cpu, cuda-0
    std::filesystem::path engineProgram;  ///< empty: engineProgram()
    double idleSeconds = 2;               ///< ends after this long with nothing to do
    double pollSeconds = 0.1;             ///< how often queue, engines and commands are looked at
    /// Waiting time before each restart after a device fault (exit code 70); as many restarts as there are entries.
    std::array<double, 3> restartDelaySeconds = {1, 4, 16};
    double orphanSeconds = 5;         ///< a run that a killed supervisor was starting is queued again after this long
    std::string foregroundRun;        ///< --foreground: only this run is started, and its engine dies with this process
    std::function<int()> interrupts;  ///< foreground: how many interrupts came so far; each new one is passed on to the engine
    std::function<void()> tick;       ///< called once in every round, to draw progress
};

/// Runs until idle (or until the foreground run ended). Busy where another supervisor holds the device's lock. One thread: the engine of a
/// foreground run dies with the thread that called this.
Result<void> supervise(const Workspace& workspace, const SupervisorOptions& options);
/// The same with a lock that is held already (claimDevice); releases it at the end.
Result<void> supervise(const Workspace& workspace, const SupervisorOptions& options, FileLock deviceLock);

/// Takes the device's lock for a foreground run: an idle supervisor gives way within `timeoutSeconds`; Busy, naming it, where a run is on
/// the device. `interrupted` true ends the wait (Interrupted).
Result<FileLock> claimDevice(const Workspace& workspace, Registry& registry, std::string_view device, double timeoutSeconds = 10,
                             const std::function<bool()>& interrupted = {});

/// Starts `mofo supervise --device D` in a session of its own where the device's lock is free; returns at once.
Result<void> ensureSupervisor(const Workspace& workspace, std::string_view device);

/// Starts the supervisors that runs miss, as their own was killed: for those that wait, for engines that go on without one, and for what a device
/// fault ended meanwhile. What cannot be started is left to the next client.
void wakeSupervisors(const Workspace& workspace, const std::vector<RunRow>& runs);

}  // namespace mofo
