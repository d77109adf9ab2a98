#include "core/engine/trainer.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/engine/metrics_queue.h"
#include "core/engine/torch_guard.h"
#include "core/engine/training_run.h"

namespace mofo {

std::atomic<int> g_stopSignals{0};

namespace {

/// What the run says last reaches the store, however long a full disk or a locked database takes; a signal or `stop --now` ends the wait.
Result<void> flushPatiently(MetricsQueue& queue) {
    while (true) {
        auto flushed = queue.flushAll();
        const bool passing = !flushed.ok() && (flushed.error().code == ErrorCode::OutOfSpace || flushed.error().code == ErrorCode::Busy ||
                                               flushed.error().code == ErrorCode::Permission);
        if (!passing || stopSignalled()) return flushed;
        if (queue.mayEnd()) return {};
        std::this_thread::sleep_for(std::chrono::milliseconds(250));
    }
}

}  // namespace

Result<void> trainRun(const Workspace& workspace, const std::string& runId, const ProgramBuild& program) {
    MOFO_TRY(FileLock lock, FileLock::tryAcquire(workspace.runLock(runId)));
    MOFO_CHECK(lock.writeText(std::to_string(getpid()) + "\n"));
    MOFO_TRY(Registry registry, Registry::open(workspace, Registry::Access::ReadWrite));
    MOFO_TRY(RunRow run, registry.findRun(runId));
    MOFO_TRY(MetricsWriter writer, MetricsWriter::open(workspace.metricsFile(runId), runId));
    EarlierLife earlier;
    {
        MOFO_TRY(const MetricsReader reader, MetricsReader::open(workspace.metricsFile(runId)));
        MOFO_TRY(earlier.acknowledged, reader.acknowledgements());
        MOFO_TRY(earlier.checkpoints, reader.checkpoints(true));
        MOFO_TRY(const std::optional<Json> initialConfig, reader.fact("initial_config"));
        earlier.any = initialConfig.has_value();
        MOFO_TRY(earlier.probes, reader.probesAfter(0));
        for (ProbeRow& row : earlier.probes) {
            if (row.step != 0 || row.superseded) continue;
            MOFO_TRY(row.perItem, reader.probeItems(row.seq));
        }
        MOFO_TRY(const std::optional<Json> probeFacts, reader.fact("probes"));
        if (probeFacts && probeFacts->is_object()) earlier.probeFacts = *probeFacts;
        // Live changes rewrote the run's config; a start from the sealed model begins with what the run was started with.
        MOFO_TRY(run.config, registry.initialRunConfig(runId));
    }
    MOFO_TRY(Registry queueRegistry, Registry::open(workspace, Registry::Access::ReadWrite));
    MetricsQueue queue(std::move(writer), std::move(queueRegistry), runId, workspace.runFolder(runId));
    if (run.restarts > 0) {
        MetricsBatch batch;
        EventRow row;
        row.kind = "warning";
        row.who = "engine";
        row.text = "restart " + std::to_string(run.restarts) + " after the device failed; runs/" + runId + "/crash.json tells of it";
        row.wallNs = wallNs();
        batch.events.push_back(std::move(row));
        queue.add(std::move(batch));
    }
    TrainingRun training(workspace, std::move(run), registry, queue, std::move(earlier));
    auto result = guardTorch([&]() -> Result<void> {
        MOFO_CHECK(queue.writeFact("build", {{"version", program.version}, {"commit", program.commit}}));
        return training.prepare();
    });
    if (result.ok()) result = guardTorch([&] { return training.train(); });
    if (!result.ok()) {
        const std::string text = result.error().text();
        spdlog::error("{}", text);
        MetricsBatch batch;
        EventRow row;
        row.step = training.stepsDone();
        row.who = "engine";
        const bool interrupted = result.error().code == ErrorCode::Interrupted;
        // Nothing of it was touched: it can be resumed as before once what changed is put back.
        const bool refused = result.error().code == ErrorCode::Conflict && result.error().tag == "CHANGED";
        row.kind = refused ? "refused" : "end";
        row.text = (interrupted ? "stopped: " : refused ? "not resumed: " : "failed: ") + text;
        row.wallNs = wallNs();
        batch.events.push_back(row);
        queue.add(std::move(batch));
        queue.setState(interrupted || refused ? RunState::Stopped : RunState::Failed, refused ? row.text : text);
        if (interrupted) result = {};
    }
    const auto flushed = flushPatiently(queue);
    return result.ok() ? flushed : result;
}

}  // namespace mofo
