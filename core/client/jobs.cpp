#include "core/client/jobs.h"

#include <chrono>
#include <string>
#include <thread>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/ids.h"
#include "core/base/text.h"
#include "core/client/supervisor.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr auto kPoll = std::chrono::milliseconds(30);
constexpr double kVerdictMs = 1500;
constexpr double kCancelWaitMs = 15000;
constexpr double kSupervisorCheckMs = 2000;
constexpr std::uint64_t kResultLimit = 1ull << 30;

// The supervisor notes the exit code right after the engine's end.
int exitCodeOf(const Workspace& workspace, const std::string& id) {
    const Stopwatch watch;
    while (watch.elapsedMs() < 1000) {
        if (auto text = readWholeFile(workspace.jobFolder(id) / "exit", 64); text.ok()) return std::atoi(text->c_str());
        std::this_thread::sleep_for(kPoll);
    }
    return 1;
}

Error failure(const Workspace& workspace, const JobRow& job) {
    const ErrorCode code = exitCodeOf(workspace, job.id) == 3 ? ErrorCode::InvalidInput : ErrorCode::Io;
    if (!job.endReason.empty()) return Error{code, job.endReason, job.kind, "", ""};
    return Error{code, "the engine ended without a result", job.kind, "Its log is " + (workspace.jobFolder(job.id) / "engine.log").string(), ""};
}

}  // namespace

Result<Json> runJob(const Workspace& workspace, Registry& registry, std::string_view kind, const Json& parameters, std::string_view device,
                    std::string_view runId, const JobProgress& progress) {
    JobRow job;
    job.id = newShortId();
    job.kind = kind;
    job.parameters = parameters;
    job.device = device;
    job.runId = runId;
    job.createdNs = wallNs();
    MOFO_CHECK(makeFolder(workspace.jobFolder(job.id), true));
    MOFO_CHECK(registry.addJob(job));
    MOFO_CHECK(ensureSupervisor(workspace, device));

    const Stopwatch watch;
    double checkedMs = 0;
    double cancelledMs = -1;
    double lostMs = -1;
    while (true) {
        MOFO_TRY(const JobRow now, registry.findJob(job.id));
        switch (now.state) {
            case JobState::Finished: {
                const fs::path file = workspace.jobFolder(job.id) / "result.json";
                MOFO_TRY(const std::string text, readWholeFile(file, kResultLimit));
                JsonLimits limits;
                limits.sizeBytes = kResultLimit;
                auto result = parseJson(text, limits);
                if (!result.ok()) return std::move(result).error().in(file.string());
                return result;
            }
            case JobState::Cancelled: return Error{ErrorCode::Interrupted, "cancelled", std::string(kind), "", ""};
            case JobState::Lost:
                // Its supervisor is about to say how the engine ended.
                if (lostMs < 0) lostMs = watch.elapsedMs();
                if (FileLock::isHeld(workspace.deviceLock(device)) && watch.elapsedMs() - lostMs < kVerdictMs) break;
                [[fallthrough]];
            case JobState::Failed:
                if (cancelledMs >= 0) return Error{ErrorCode::Interrupted, "cancelled", std::string(kind), "", ""};
                return failure(workspace, now);
            case JobState::Queued:
            case JobState::Starting:
            case JobState::Running: break;
        }
        if (cancelledMs < 0 && progress && !progress(now.phase, now.progress)) {
            MOFO_CHECK(registry.requestJobCancel(job.id));
            cancelledMs = watch.elapsedMs();
        }
        if (cancelledMs >= 0 && watch.elapsedMs() - cancelledMs > kCancelWaitMs) {
            return Error{ErrorCode::Interrupted, "cancelled; the engine has not ended yet", std::string(kind), "", ""};
        }
        // A supervisor that was killed meanwhile would leave the job waiting for ever.
        if (now.state == JobState::Queued && watch.elapsedMs() - checkedMs > kSupervisorCheckMs) {
            MOFO_CHECK(ensureSupervisor(workspace, device));
            checkedMs = watch.elapsedMs();
        }
        std::this_thread::sleep_for(kPoll);
    }
}

}  // namespace mofo
