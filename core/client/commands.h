// What clients (command line and window) do to runs: start, steer, follow. All through the store.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/library/model_library.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace mofo {

struct StartOptions {
    std::string name;               ///< empty: made from model and alpha, unique
    std::vector<std::string> tags;
    std::string who = "cli";
    bool startSupervisor = true;    ///< false: --foreground supervises itself
};

/// Checks config, model and data (a data file without any usable row is refused), seals the model, resolves the device, writes the run as
/// queued and starts the supervisor. Nothing is left behind on refusal.
Result<RunRow> startRun(const Workspace& workspace, Registry& registry, const RunConfig& config, const StartOptions& options,
                        const ImportProgress& progress = {});

/// `auto` -> the device this machine can use, with the sentence why it is not the GPU (empty where none was expected); `cuda` refuses (DeviceUnusable).
struct ResolvedDevice {
    std::string device;   ///< cpu, cuda-0
    std::string warning;
};
Result<ResolvedDevice> resolveDevice(std::string_view wanted);

/// Writes one command row for a live, queued, starting or lost run; Conflict on one that ended. Returns its uuid.
Result<std::string> sendCommand(Registry& registry, const RunRow& run, std::string_view kind, const Json& payload, std::optional<std::int64_t> atStep,
                                std::string_view who);
/// Waits for the acknowledgement; Busy with a sentence where none came within `timeoutSeconds`.
Result<AcknowledgementRow> awaitAcknowledgement(const Workspace& workspace, std::string_view runId, std::string_view uuid, double timeoutSeconds);

/// Queues a job, starts the supervisor, and follows it to its end; returns result.json. `progress` false cancels (Interrupted).
Result<Json> runJob(const Workspace& workspace, Registry& registry, std::string_view kind, const Json& parameters, std::string_view device,
                    std::string_view runId, const std::function<bool(std::string_view phase, double progress)>& progress);

/// Continues an ended (stopped, failed, lost) run from its newest complete checkpoint, or from the start where there is none.
Result<void> resumeRun(const Workspace& workspace, Registry& registry, const RunRow& run, bool startSupervisor);

}  // namespace mofo
