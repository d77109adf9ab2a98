#include "core/client/damage.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/client/commands.h"

namespace mofo {

namespace {

Result<void> writeMark(const Workspace& workspace, const RunRow& run, const CheckpointRow& row, std::string_view reason) {
    MOFO_TRY(MetricsWriter writer, MetricsWriter::open(workspace.metricsFile(run.id), run.id));
    MetricsBatch batch;
    CheckpointRow lost = row;
    lost.state = "lost";
    lost.verified = false;
    lost.reason = reason;
    EventRow event;
    event.step = row.step;
    event.kind = "error";
    event.who = "cli";
    event.text = "the checkpoint of step " + std::to_string(row.step) + " (" + row.folder + ") cannot be used any more: " + lost.reason;
    event.wallNs = wallNs();
    batch.checkpoints.push_back(std::move(lost));
    batch.events.push_back(std::move(event));
    return writer.write(batch);
}

}  // namespace

Result<DamageMark> markDamaged(const Workspace& workspace, Registry& registry, const RunRow& run, const CheckpointRow& row, std::string_view reason) {
    MOFO_TRY(const RunRow before, registry.findRun(run.id));
    if (isEnded(before.state)) {
        auto lock = FileLock::tryAcquire(workspace.runLock(run.id));
        if (!lock.ok() && lock.error().code != ErrorCode::Busy) return std::move(lock).error();
        if (lock.ok()) {
            // Under the lock a lost run reads as live; one that was queued meanwhile gets its engine as soon as the lock is free.
            MOFO_TRY(const RunRow now, registry.findRun(run.id));
            if (now.state != RunState::Queued && now.state != RunState::Starting) {
                MOFO_CHECK(writeMark(workspace, run, row, reason));
                return DamageMark{true, ""};
            }
        }
    }
    MOFO_TRY(std::string uuid, sendCommand(registry, run, "verify", {{"folder", row.folder}}, std::nullopt, "cli", true));
    return DamageMark{false, std::move(uuid)};
}

}  // namespace mofo
