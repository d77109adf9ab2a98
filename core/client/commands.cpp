#include "core/client/commands.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/ids.h"
#include "core/base/text.h"
#include "core/client/crash_record.h"

namespace mofo {

namespace {

constexpr auto kAckPoll = std::chrono::milliseconds(30);
constexpr std::int64_t kVerdictNs = 1'500'000'000;
constexpr double kEngineExitMs = 15000;
constexpr std::size_t kPayloadLimit = 4096;
constexpr std::size_t kGeneratePayloadLimit = 1u << 20;

bool takesCommands(RunState state) { return state != RunState::Finished && state != RunState::Stopped && state != RunState::Failed; }

Error endedError(const RunRow& run) {
    return Error{ErrorCode::Conflict, "the run has ended (" + std::string(runStateName(run.state)) + ") and takes no commands", run.id,
                 run.state == RunState::Finished ? "Start a new run from it" : "Continue it with `mofo resume " + run.id + "`", ""};
}

}  // namespace

bool EndWatch::hasEnded(const RunRow& run) {
    if (run.state != RunState::Lost) {
        m_lostSinceNs = 0;
        return isEnded(run.state);
    }
    // After a device fault that nobody saw the next supervisor goes on with the run.
    if (!FileLock::isHeld(m_workspace.deviceLock(run.device)) && !unseenDeviceFault(m_workspace, run)) return true;
    if (m_lostSinceNs == 0) m_lostSinceNs = bootNs();
    return bootNs() - m_lostSinceNs > kVerdictNs;
}

Result<Json> checkLiveChange(const RunRow& run, const std::vector<std::string>& assignments) {
    if (assignments.empty()) return Error{ErrorCode::Usage, "nothing to set", "", "Give key=value, for example alpha=0.05", ""};
    RunConfig changed = run.config;
    Json payload = Json::object();
    for (const std::string& assignment : assignments) {
        MOFO_TRY(const auto parts, splitAssignment(assignment));
        MOFO_CHECK(setConfigValue(changed, parts.first, parts.second));
        MOFO_CHECK(checkLiveKey(run.config, parts.first));
        payload[parts.first] = configValue(changed, parts.first);
    }
    MOFO_CHECK(checkConfig(changed));
    return payload;
}

Result<std::string> sendCommand(Registry& registry, const RunRow& run, std::string_view kind, const Json& payload, std::optional<std::int64_t> atStep,
                                std::string_view who, bool goesOn) {
    MOFO_TRY(const RunRow now, registry.findRun(run.id));
    if (!goesOn && !takesCommands(now.state)) return endedError(now);
    if (payload.dump().size() > (kind == "generate" ? kGeneratePayloadLimit : kPayloadLimit)) {
        return Error{ErrorCode::Usage, "the command is too long", std::string(kind), "Send less at once", "LIMIT"};
    }
    CommandRow command;
    command.uuid = newUuid();
    command.runId = run.id;
    command.kind = kind;
    command.payload = payload;
    command.atStep = atStep;
    command.who = who;
    command.createdNs = wallNs();
    MOFO_CHECK(registry.addCommand(command));
    return command.uuid;
}

Result<AcknowledgementRow> awaitAcknowledgement(const Workspace& workspace, std::string_view runId, std::string_view uuid, double timeoutSeconds,
                                                const std::function<bool()>& interrupted) {
    const Stopwatch watch;
    EndWatch end(workspace);
    std::optional<MetricsReader> reader;
    MOFO_TRY(const Registry registry, Registry::open(workspace, Registry::Access::ReadOnly));
    while (true) {
        // The state is read before the acknowledgement, so that one that came with the end is not missed.
        MOFO_TRY(const RunRow run, registry.findRun(runId));
        if (!reader) {
            auto opened = MetricsReader::open(workspace.metricsFile(runId));
            if (opened.ok())
                reader = std::move(opened).value();
            else if (opened.error().code != ErrorCode::NotFound)
                return std::move(opened).error();
        }
        if (reader) {
            MOFO_TRY(const std::optional<AcknowledgementRow> acknowledgement, reader->acknowledgement(uuid));
            if (acknowledgement) return *acknowledgement;
        }
        if (end.hasEnded(run)) {
            return Error{ErrorCode::Conflict, "the run ended (" + std::string(runStateName(run.state)) + ") before it took the command", run.id, "",
                         ""};
        }
        if (interrupted && interrupted()) return Error{ErrorCode::Interrupted, "stopped waiting; the command stays with the run", run.id, "", ""};
        if (watch.elapsedMs() > timeoutSeconds * 1e3) {
            return Error{ErrorCode::Busy, "the engine has not answered within " + formatDuration(timeoutSeconds) + "; the command stays with the run",
                         run.id, "Look at `mofo log " + run.id + "`, or take it back with `mofo withdraw " + run.id + "`", ""};
        }
        std::this_thread::sleep_for(kAckPoll);
    }
}

bool awaitEngineExit(const Workspace& workspace, std::string_view runId, const std::function<bool()>& interrupted) {
    const Stopwatch watch;
    while (FileLock::isHeld(workspace.runLock(runId))) {
        if (watch.elapsedMs() > kEngineExitMs || (interrupted && interrupted())) return false;
        std::this_thread::sleep_for(kAckPoll);
    }
    return true;
}

Result<std::vector<CommandRow>> pendingCommands(const Workspace& workspace, const Registry& registry, std::string_view runId) {
    MOFO_TRY(std::vector<CommandRow> commands, registry.commands(runId));
    auto reader = MetricsReader::open(workspace.metricsFile(runId));
    if (!reader.ok()) {
        if (reader.error().code == ErrorCode::NotFound) return commands;
        return std::move(reader).error();
    }
    MOFO_TRY(const std::vector<AcknowledgementRow> taken, reader->acknowledgements());
    std::erase_if(commands, [&](const CommandRow& command) {
        return std::any_of(taken.begin(), taken.end(), [&](const AcknowledgementRow& row) { return row.uuid == command.uuid; });
    });
    return commands;
}

std::int64_t currentStep(const Workspace& workspace, const RunRow& run) {
    std::int64_t step = run.summary.step;
    auto reader = MetricsReader::open(workspace.metricsFile(run.id));
    if (!reader.ok()) return step;
    auto status = reader->status();
    if (status.ok() && *status) step = (*status)->step;
    return step;
}

}  // namespace mofo
