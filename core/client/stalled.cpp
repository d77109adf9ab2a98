#include "core/client/stalled.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/store/run_metrics.h"

namespace mofo {

std::optional<double> stalledSeconds(const Workspace& workspace, const RunRow& run, double limitSeconds) {
    // One that is starting still shows the last sign of the engine before it.
    if (run.state != RunState::Running && run.state != RunState::Paused && run.state != RunState::Stopping) return std::nullopt;
    if (!FileLock::isHeld(workspace.runLock(run.id))) return std::nullopt;
    const auto reader = MetricsReader::open(workspace.metricsFile(run.id));
    if (!reader.ok()) return std::nullopt;
    const auto status = reader->status();
    if (!status.ok() || !*status || (*status)->bootId != bootId()) return std::nullopt;
    const double silence = static_cast<double>(bootNs() - (*status)->heartbeatBootNs) * 1e-9;
    return silence > limitSeconds ? std::optional(silence) : std::nullopt;
}

}  // namespace mofo
