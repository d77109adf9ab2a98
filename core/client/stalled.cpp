#include "core/client/stalled.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/client/engine_process.h"

namespace mofo {

namespace {

// One that is starting still shows the last sign of the engine before it.
bool beats(const RunRow& run) { return run.state == RunState::Running || run.state == RunState::Paused || run.state == RunState::Stopping; }

}  // namespace

std::optional<double> stalledSeconds(const Workspace& workspace, const RunRow& run, double limitSeconds) {
    if (!beats(run)) return std::nullopt;
    const auto reader = MetricsReader::open(workspace.metricsFile(run.id));
    if (!reader.ok()) return std::nullopt;
    const auto status = reader->status();
    if (!status.ok() || !*status) return std::nullopt;
    return stalledSeconds(workspace, run, **status, limitSeconds);
}

std::optional<double> stalledSeconds(const Workspace& workspace, const RunRow& run, const StatusRow& status, double limitSeconds) {
    if (!beats(run) || status.bootId != bootId()) return std::nullopt;
    const double silence = static_cast<double>(bootNs() - status.heartbeatBootNs) * 1e-9;
    return silence > limitSeconds && FileLock::isHeld(workspace.runLock(run.id)) ? std::optional(silence) : std::nullopt;
}

std::string stalledText(const Workspace& workspace, const RunRow& run, double seconds) {
    std::string text = "the engine has given no sign for " + formatDuration(seconds) + "; nobody ends it by itself";
    if (const auto pid = lockHolder(workspace.runLock(run.id)))
        text += " (if it hangs: kill -9 " + std::to_string(*pid) + ", then mofo resume " + run.id + ")";
    return text;
}

}  // namespace mofo
