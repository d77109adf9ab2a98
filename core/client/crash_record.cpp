#include "core/client/crash_record.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/client/engine_process.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kLogBytes = 16 << 10;
constexpr std::size_t kLogLines = 40;
constexpr std::size_t kLineBytes = 2000;
constexpr std::uint64_t kRecordLimit = 1 << 20;

std::vector<std::string> lastLines(const fs::path& log) {
    std::vector<std::string> kept;
    const auto file = FileReader::open(log);
    if (!file.ok() || file->sizeBytes() == 0) return kept;
    std::string tail(std::min(file->sizeBytes(), kLogBytes), '\0');
    if (!file->readAt(file->sizeBytes() - tail.size(), std::as_writable_bytes(std::span<char>(tail))).ok()) return kept;
    std::vector<std::string> lines = splitText(tail, '\n');
    if (file->sizeBytes() > kLogBytes && !lines.empty()) lines.erase(lines.begin());  // the first one is cut
    while (!lines.empty() && trimText(lines.back()).empty()) lines.pop_back();
    for (std::size_t i = lines.size() > kLogLines ? lines.size() - kLogLines : 0; i < lines.size(); ++i) {
        kept.push_back(escapeForDisplay(withoutHome(lines[i]).substr(0, kLineBytes)));
    }
    return kept;
}

/// memory.max of this process's control group (engines are in the same one), where it has a limit.
std::optional<std::uint64_t> memoryLimit() {
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        if (!line.starts_with("0::")) continue;
        std::ifstream file("/sys/fs/cgroup" + line.substr(3) + "/memory.max");
        std::uint64_t bytes = 0;
        if (file >> bytes) return bytes;
    }
    return std::nullopt;
}

}  // namespace

std::optional<int> deathSignal(int waitStatus) {
    if (WIFSIGNALED(waitStatus)) return WTERMSIG(waitStatus);
    constexpr int wrapped = 128, interrupted = 130;
    const int code = WIFEXITED(waitStatus) ? WEXITSTATUS(waitStatus) : 0;
    if (code <= wrapped || code > wrapped + SIGSYS || code == interrupted) return std::nullopt;
    return code - wrapped;
}

std::optional<std::int64_t> oomKills() {
    const char* named = std::getenv("MOFO_VMSTAT");
    std::ifstream file(named != nullptr && *named != '\0' ? named : "/proc/vmstat");
    std::string key;
    std::int64_t value = 0;
    while (file >> key >> value) {
        if (key == "oom_kill") return value;
    }
    return std::nullopt;
}

std::string outOfMemoryText(int waitStatus, const std::optional<std::int64_t>& killsBefore) {
    if (deathSignal(waitStatus) != SIGKILL || !killsBefore) return {};
    const std::optional<std::int64_t> now = oomKills();
    if (!now || *now <= *killsBefore) return {};
    std::string text = "the system ran out of memory (its out-of-memory killer struck " + std::to_string(*now - *killsBefore) + " times meanwhile";
    if (const auto limit = memoryLimit()) text += "; the control group may use " + formatBytes(*limit);
    return text + "); lower micro_batch or max_length, or close other programs";
}

std::string withoutHome(std::string text) {
    const char* home = std::getenv("HOME");
    if (home == nullptr || std::strlen(home) < 2) return text;
    const std::string folder(home);
    for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder, at + 1)) {
        const std::size_t after = at + folder.size();
        if (after == text.size() || text[after] == '/' || std::isalnum(static_cast<unsigned char>(text[after])) == 0)
            text.replace(at, folder.size(), "~");
    }
    return text;
}

std::string deviceFaultText(const Workspace& workspace, std::string_view runId, pid_t engine) {
    const auto text = readWholeFile(workspace.runFolder(runId) / "device-fault.json", kRecordLimit);
    if (!text.ok()) return {};
    const auto record = parseJson(*text);
    if (!record.ok() || !record->is_object() || record->value("pid", Json()) != Json(engine) || !record->contains("text") ||
        !(*record)["text"].is_string())
        return {};
    return escapeForDisplay(withoutHome((*record)["text"].get<std::string>()).substr(0, kLineBytes));
}

Result<void> writeCrashRecord(const Workspace& workspace, const RunRow& run, pid_t engine, int waitStatus, std::string_view sentence) {
    const std::optional<int> signal = deathSignal(waitStatus);
    const char* signalName = signal ? strsignal(*signal) : nullptr;
    const std::string fault = deviceFaultText(workspace, run.id, engine);
    const Json record = {{"run", run.id},
                         {"engine", engine},
                         {"when", formatLocalTime(wallNs())},
                         {"wall_ns", wallNs()},
                         {"text", withoutHome(std::string(sentence))},
                         {"exit_code", WIFEXITED(waitStatus) ? Json(WEXITSTATUS(waitStatus)) : Json(nullptr)},
                         {"signal", signal ? Json(*signal) : Json(nullptr)},
                         {"signal_name", signalName != nullptr ? Json(signalName) : Json(nullptr)},
                         {"step", currentStep(workspace, run)},
                         {"restarts", run.restarts},
                         {"device", run.device},
                         {"device_fault", fault.empty() ? Json(nullptr) : Json(fault)},
                         {"log", lastLines(workspace.runFolder(run.id) / "engine.log")}};
    return writeFileAtomic(workspace.runFolder(run.id) / "crash.json", record.dump(1, ' ', false, Json::error_handler_t::replace) + '\n');
}

std::optional<pid_t> unseenDeviceFault(const Workspace& workspace, const RunRow& run) {
    std::error_code ec;
    if (run.state != RunState::Lost || !fs::exists(workspace.runFolder(run.id) / "device-fault.json", ec)) return std::nullopt;
    const std::optional<std::int64_t> holder = lastLockHolder(workspace.runLock(run.id));
    if (!holder || deviceFaultText(workspace, run.id, static_cast<pid_t>(*holder)).empty()) return std::nullopt;
    // Pids begin anew with every boot.
    const auto reader = MetricsReader::open(workspace.metricsFile(run.id));
    const auto status = reader.ok() ? reader->status() : Result<std::optional<StatusRow>>(std::nullopt);
    if (!status.ok() || !*status || (*status)->bootId != bootId()) return std::nullopt;
    // A record of this engine says that a supervisor saw its end. One that counts no restart yet was written by a supervisor that was killed at that.
    if (const auto seen = readCrashRecord(workspace, run.id); seen.ok() && seen->is_object() && seen->value("engine", Json()) == Json(*holder)) {
        const bool halfDone = seen->value("exit_code", Json()) == Json(kDeviceFaultExit) && seen->value("restarts", Json()) == Json(run.restarts);
        if (!halfDone) return std::nullopt;
    }
    return static_cast<pid_t>(*holder);
}

Result<Json> readCrashRecord(const Workspace& workspace, std::string_view runId) {
    MOFO_TRY(const std::string text, readWholeFile(workspace.runFolder(runId) / "crash.json", kRecordLimit));
    return parseJson(text);
}

}  // namespace mofo
