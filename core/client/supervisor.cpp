#include "core/client/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/client/crash_record.h"
#include "core/client/engine_environment.h"
#include "core/client/engine_process.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr int kEngineOomScore = 300;
constexpr int kInterruptedExit = 130;  ///< the second signal: the engine ended where it stood
constexpr std::size_t kJobsAtOnce = 4;
constexpr double kCancelSeconds = 10;
constexpr std::uint64_t kSupervisorLogLimit = 1u << 20;

std::string giveWayKey(std::string_view device) { return "supervisor.give_way." + std::string(device); }

bool isActive(RunState state) {
    return state == RunState::Starting || state == RunState::Running || state == RunState::Paused || state == RunState::Stopping;
}

// A run of this device whose engine is alive, whoever started it. Ended ones count while their engine is still closing down.
std::optional<RunRow> runWithEngine(const Workspace& workspace, const std::vector<RunRow>& runs, std::string_view device, std::string_view except) {
    for (const RunRow& run : runs) {
        if (run.device != device || run.id == except || run.state == RunState::Draft) continue;
        if (FileLock::isHeld(workspace.runLock(run.id))) return run;
    }
    return std::nullopt;
}

/// A round that meets a locked store is over after so long and comes again: what a supervisor does for its run cannot wait for 20 s.
constexpr std::int64_t kPatienceNs = 1'000'000'000;

struct JobProcess {
    std::string id;
    pid_t pid = -1;
    std::optional<int> status;     ///< it has ended, and the store does not know yet
    std::int64_t cancelledNs = 0;  ///< bootNs of the SIGTERM, 0 = none
    bool killed = false;
};

class Supervisor {
public:
    Supervisor(const Workspace& workspace, const SupervisorOptions& options, Registry registry, FileLock lock)
        : m_workspace(workspace), m_options(options), m_registry(std::move(registry)), m_lock(std::move(lock)) {
        if (m_options.engineProgram.empty()) m_options.engineProgram = engineProgram();
    }

    Result<void> work();

private:
    /// One look at processes and store. Busy: the store stayed locked; the next round does what this one could not.
    Result<void> round();
    [[nodiscard]] bool foreground() const { return !m_options.foregroundRun.empty(); }
    [[nodiscard]] bool hasRun() const { return m_runPid > 0 || m_restartAtNs > 0; }
    /// Engines that a killed supervisor of this device started go on, and somebody must be there when they end.
    [[nodiscard]] bool hasForeignEngine() const { return !m_foreignRuns.empty(); }
    /// Into the supervisor's log; a foreground process draws its progress there instead.
    void note(const std::string& text) const {
        if (!foreground()) fmt::print(stderr, "{} {}\n", formatLocalTime(wallNs()), text);
    }
    Result<void> refresh(bool force);
    void rest() const;
    Result<void> reapRun();
    Result<void> recordRunExit(const std::string& id, pid_t engine, int status);
    Result<void> recordDeviceFault(const RunRow& run, pid_t engine, int status);
    Result<void> scheduleRestart(const RunRow& run, pid_t engine, int status);
    Result<void> takeOverFaults();
    Result<void> restartIfDue();
    Result<void> takeRun();
    Result<void> startRunEngine(const std::string& id);
    Result<void> requeueOrphans();
    Result<void> forwardInterrupts();
    Result<void> reapJobs();
    Result<void> cancelJobs();
    Result<void> takeJobs();
    [[nodiscard]] bool somethingWaits() const;
    Result<bool> mustGiveWay();

    const Workspace& m_workspace;
    SupervisorOptions m_options;
    Registry m_registry;
    std::optional<FileLock> m_lock;
    std::string m_runId;
    pid_t m_runPid = -1;
    std::optional<int> m_runStatus;                ///< the run's engine has ended, and the store does not know yet
    std::int64_t m_restartAtNs = 0;                ///< bootNs, 0 = no restart is due
    std::optional<std::int64_t> m_oomKillsBefore;  ///< when the run's engine was started
    std::vector<JobProcess> m_jobs;
    std::vector<RunRow> m_runRows;           ///< as of the last refresh
    std::vector<std::string> m_foreignRuns;  ///< ids of runs of this device whose engine is alive and not this process's child
    std::vector<JobRow> m_jobRows;
    std::int64_t m_seenVersion = -1;
    std::int64_t m_refreshedNs = 0;
    bool m_refreshDue = true;  ///< own writes do not change the version
    std::int64_t m_startedNs = bootNs();
    bool m_givesWay = false;
    bool m_told = false;  ///< that the store is locked
    int m_interruptsSeen = 0;
    bool m_foregroundDone = false;
    std::string m_giveWayAtStart;
};

Result<void> Supervisor::work() {
    MOFO_TRY(const std::optional<std::string> giveWay, m_registry.setting(giveWayKey(m_options.device)));
    m_giveWayAtStart = giveWay.value_or("");
    MOFO_CHECK(m_lock->writeText(std::to_string(getpid()) + '\n'));
    m_registry.setPatience(kPatienceNs);
    std::int64_t idleSinceNs = bootNs();
    while (true) {
        if (auto done = round(); !done.ok()) {
            // Whoever holds the lock (a backup, say) lets go of it some time; a run must not end for that.
            if (done.error().code != ErrorCode::Busy) return done;
            if (!std::exchange(m_told, true)) note(done.error().text() + "; it is tried again until then");
            idleSinceNs = bootNs();
            rest();
            continue;
        }
        m_told = false;
        if (m_foregroundDone || m_givesWay) break;
        if (m_options.tick) m_options.tick();

        if (hasRun() || hasForeignEngine() || !m_jobs.empty() || somethingWaits()) idleSinceNs = bootNs();
        if (static_cast<double>(bootNs() - idleSinceNs) * 1e-9 > m_options.idleSeconds) {
            // A client that queues now sees the lock free and starts another supervisor; what was queued before that is seen here.
            m_lock->release();
            MOFO_CHECK(refresh(true));
            if (!somethingWaits() && !hasForeignEngine()) return {};
            auto again = FileLock::tryAcquire(m_workspace.deviceLock(m_options.device));
            if (!again.ok()) return {};
            m_lock = std::move(again).value();
            MOFO_CHECK(m_lock->writeText(std::to_string(getpid()) + '\n'));
            idleSinceNs = bootNs();
        }
        rest();
    }
    m_lock->release();
    return {};
}

Result<void> Supervisor::round() {
    MOFO_CHECK(reapRun());
    MOFO_CHECK(reapJobs());
    MOFO_CHECK(refresh(false));
    if (foreground()) MOFO_CHECK(forwardInterrupts());
    if (m_foregroundDone) return {};
    MOFO_TRY(m_givesWay, mustGiveWay());
    if (m_givesWay) return {};
    MOFO_CHECK(restartIfDue());
    MOFO_CHECK(takeOverFaults());
    MOFO_CHECK(takeRun());
    MOFO_CHECK(cancelJobs());
    return takeJobs();
}

// The lists are read when somebody wrote, and once a second for what is derived from locks.
Result<void> Supervisor::refresh(bool force) {
    const auto gone = [&](const std::string& id) { return !FileLock::isHeld(m_workspace.runLock(id)); };
    if (std::any_of(m_foreignRuns.begin(), m_foreignRuns.end(), gone)) m_refreshDue = true;
    const std::int64_t version = m_registry.dataVersion();
    if (!force && !m_refreshDue && version == m_seenVersion && bootNs() - m_refreshedNs < 1'000'000'000) return {};
    MOFO_TRY(m_runRows, m_registry.runs());
    MOFO_TRY(m_jobRows, m_registry.jobs());
    m_foreignRuns.clear();
    for (const RunRow& run : m_runRows) {
        // What a reader sees as active and not lost holds its lock.
        const bool alive = isActive(run.state) && run.id != m_runId && FileLock::isHeld(m_workspace.runLock(run.id));
        if (alive && run.device == m_options.device) m_foreignRuns.push_back(run.id);
    }
    m_seenVersion = version;
    m_refreshedNs = bootNs();
    m_refreshDue = false;
    return {};
}

// Until the next round, or until an engine ends: readers see a run as lost between its engine's death and the note of it.
void Supervisor::rest() const {
    std::vector<pollfd> engines;
    const auto watch = [&](pid_t pid) {
        if (const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); fd >= 0) engines.push_back({fd, POLLIN, 0});
    };
    if (m_runPid > 0 && !m_runStatus) watch(m_runPid);
    for (const JobProcess& job : m_jobs) {
        if (!job.status) watch(job.pid);
    }
    for (const std::string& id : m_foreignRuns) {
        if (const auto pid = lockHolder(m_workspace.runLock(id))) watch(static_cast<pid_t>(*pid));
    }
    poll(engines.data(), engines.size(), static_cast<int>(m_options.pollSeconds * 1e3));
    for (const pollfd& engine : engines) close(engine.fd);
}

Result<void> Supervisor::reapRun() {
    if (m_runPid <= 0) return {};
    if (!m_runStatus) {
        int status = 0;
        const pid_t ended = waitpid(m_runPid, &status, WNOHANG);
        if (ended == 0 || (ended < 0 && errno == EINTR)) return {};
        if (ended < 0) {  // somebody else waited for it; its state is derived from the lock
            m_runPid = -1;
            return {};
        }
        m_runStatus = status;
        note(fmt::format("run {}: the engine {}", m_runId, describeExit(status)));
    }
    // First the store, which may be locked: what is not written yet is written by the next round.
    MOFO_CHECK(recordRunExit(m_runId, m_runPid, *m_runStatus));
    m_runStatus.reset();
    m_runPid = -1;
    if (m_restartAtNs == 0) m_runId.clear();
    return {};
}

Result<void> Supervisor::recordRunExit(const std::string& id, pid_t engine, int status) {
    m_refreshDue = true;
    MOFO_TRY(const RunRow run, m_registry.findRun(id));
    // A second engine that lost the race for the lock has nothing to say about the run.
    if (FileLock::isHeld(m_workspace.runLock(id))) {
        if (foreground() && id == m_options.foregroundRun) m_foregroundDone = true;
        return {};
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == kDeviceFaultExit) return recordDeviceFault(run, engine, status);
    if (foreground() && id == m_options.foregroundRun) m_foregroundDone = true;
    // One that is queued was resumed already, from the end that this engine had told of.
    const bool told =
        run.state == RunState::Finished || run.state == RunState::Stopped || run.state == RunState::Failed || run.state == RunState::Queued;
    if (told) return {};
    if (WIFEXITED(status) && WEXITSTATUS(status) == kInterruptedExit)
        return m_registry.setRunState(id, RunState::Stopped, "stopped at once, without saving");
    const std::string lastLine = lastComplaint(m_workspace.runFolder(id) / "engine.log");
    const std::string outOfMemory = outOfMemoryText(status, m_oomKillsBefore);
    std::string sentence = "the engine " + describeExit(status);
    if (!outOfMemory.empty()) {
        sentence += ": " + outOfMemory;
    } else if (!lastLine.empty()) {
        sentence += "; the last thing it said: " + lastLine;
    }
    const bool silent = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (silent) sentence = "the engine ended without saying how the run ended";
    if (const auto written = writeCrashRecord(m_workspace, run, engine, status, sentence); !written.ok()) note(written.error().text());
    // Death by a signal leaves no final state: readers derive `lost` from the free lock, of a run that has begun.
    if (deathSignal(status) || silent) {
        if (run.state == RunState::Starting) return m_registry.setRunState(id, RunState::Running, sentence);
        return m_registry.setRunEndReason(id, sentence);
    }
    return m_registry.setRunState(id, RunState::Failed, sentence);
}

Result<void> Supervisor::recordDeviceFault(const RunRow& run, pid_t engine, int status) {
    const bool ended = isEnded(run.state) && run.state != RunState::Lost;
    if (!ended && run.restarts < static_cast<std::int64_t>(m_options.restartDelaySeconds.size())) return scheduleRestart(run, engine, status);
    if (foreground() && run.id == m_options.foregroundRun) m_foregroundDone = true;
    if (ended) return {};
    const std::string text = deviceFaultText(m_workspace, run.id, engine);
    const std::string sentence =
        fmt::format("the device failed {} times; {}", run.restarts + 1, text.empty() ? "the engine " + describeExit(status) : text);
    if (const auto written = writeCrashRecord(m_workspace, run, engine, status, sentence); !written.ok()) note(written.error().text());
    return m_registry.setRunState(run.id, RunState::Failed, sentence);
}

// An engine whose supervisor was killed tells of a failed device by what it leaves behind: nobody saw its exit code.
Result<void> Supervisor::takeOverFaults() {
    if (foreground() || hasRun() || hasForeignEngine()) return {};
    for (const RunRow& run : m_runRows) {
        if (run.device != m_options.device) continue;
        const std::optional<pid_t> engine = unseenDeviceFault(m_workspace, run);
        if (!engine) continue;
        note(fmt::format("run {}: engine {}, which another supervisor started, met a device fault", run.id, *engine));
        m_refreshDue = true;
        return recordDeviceFault(run, *engine, kDeviceFaultExit << 8);
    }
    return {};
}

Result<void> Supervisor::scheduleRestart(const RunRow& run, pid_t engine, int status) {
    const double delay = m_options.restartDelaySeconds[static_cast<std::size_t>(run.restarts)];
    const std::string fault = deviceFaultText(m_workspace, run.id, engine);
    const std::string sentence = fmt::format("the device failed{}; restart {} of {} from the last checkpoint, after {} s",
                                             fault.empty() ? "" : " (" + fault + ")", run.restarts + 1, m_options.restartDelaySeconds.size(), delay);
    if (const auto written = writeCrashRecord(m_workspace, run, engine, status, sentence); !written.ok()) note(written.error().text());
    // The count last: a round that fails between the two is repeated, and counts once.
    MOFO_CHECK(m_registry.setRunState(run.id, RunState::Starting, sentence));
    MOFO_CHECK(m_registry.setRunRestarts(run.id, run.restarts + 1));
    m_runId = run.id;
    m_restartAtNs = bootNs() + static_cast<std::int64_t>(delay * 1e9);
    note(fmt::format("run {}: {}", run.id, sentence));
    return {};
}

Result<void> Supervisor::restartIfDue() {
    if (m_restartAtNs == 0 || bootNs() < m_restartAtNs) return {};
    MOFO_CHECK(startRunEngine(m_runId));
    m_restartAtNs = 0;
    if (m_runPid <= 0) m_runId.clear();
    return {};
}

Result<void> Supervisor::startRunEngine(const std::string& id) {
    SpawnOptions spawn;
    spawn.program = m_options.engineProgram;
    spawn.arguments = {"--workspace", m_workspace.folder().string(), "--run", id};
    spawn.logFile = m_workspace.runFolder(id) / "engine.log";
    spawn.workingFolder = m_workspace.folder();
    spawn.dieWithParent = foreground();
    spawn.oomScore = kEngineOomScore;
    MOFO_TRY(EngineEnvironment environment, notedEngineEnvironment(m_registry, id));
    spawn.variables = std::move(environment.variables);
    spawn.processors = std::move(environment.processors);
    MOFO_CHECK(makeFolder(m_workspace.runFolder(id), true));
    auto pid = spawnProcess(spawn);
    if (!pid.ok()) {
        note(pid.error().text());
        MOFO_CHECK(m_registry.setRunState(id, RunState::Failed, pid.error().text()));
        if (foreground()) m_foregroundDone = true;
        return {};
    }
    note(fmt::format("run {}: engine {}", id, *pid));
    m_runId = id;
    m_runPid = *pid;
    m_oomKillsBefore = oomKills();
    return {};
}

Result<void> Supervisor::takeRun() {
    if (hasRun()) return {};
    if (!foreground()) MOFO_CHECK(requeueOrphans());
    const auto queued = std::find_if(m_runRows.begin(), m_runRows.end(), [&](const RunRow& run) {
        // In the foreground a locked store may have come between the state and the engine.
        if (foreground()) return run.id == m_options.foregroundRun && (run.state == RunState::Queued || run.state == RunState::Starting);
        return run.state == RunState::Queued && run.device == m_options.device;
    });
    if (queued == m_runRows.end()) {
        // The foreground run was stopped or removed before its engine started.
        if (foreground()) m_foregroundDone = true;
        return {};
    }
    if (runWithEngine(m_workspace, m_runRows, m_options.device, {})) return {};  // an engine of a killed supervisor
    m_refreshDue = true;
    if (foreground()) {
        MOFO_CHECK(m_registry.setRunState(m_options.foregroundRun, RunState::Starting));
        return startRunEngine(m_options.foregroundRun);
    }
    MOFO_TRY(const std::optional<RunRow> taken, m_registry.takeNextQueuedRun(m_options.device));
    if (!taken) return {};
    return startRunEngine(taken->id);
}

// What a killed supervisor was about to start, or to restart: the engine had not begun, so that the run goes back into the queue. An engine that
// was started in that moment has had time to take its lock.
Result<void> Supervisor::requeueOrphans() {
    if (static_cast<double>(bootNs() - m_startedNs) * 1e-9 < m_options.orphanSeconds) return {};
    for (const RunRow& run : m_runRows) {
        if (run.device != m_options.device || run.state != RunState::Starting || FileLock::isHeld(m_workspace.runLock(run.id))) continue;
        note(fmt::format("run {}: queued again, its supervisor was killed before the engine began", run.id));
        MOFO_CHECK(m_registry.queueRun(run.id));
        m_refreshDue = true;
    }
    return {};
}

Result<void> Supervisor::forwardInterrupts() {
    const int count = m_options.interrupts ? m_options.interrupts() : 0;
    if (count <= m_interruptsSeen) return {};
    if (m_runPid > 0) {
        for (; m_interruptsSeen < count; ++m_interruptsSeen) kill(m_runPid, SIGINT);
        return {};
    }
    m_restartAtNs = 0;
    MOFO_CHECK(m_registry.setRunState(m_options.foregroundRun, RunState::Stopped, "stopped before its engine started"));
    m_interruptsSeen = count;
    m_foregroundDone = true;
    return {};
}

Result<void> Supervisor::reapJobs() {
    for (auto job = m_jobs.begin(); job != m_jobs.end();) {
        if (!job->status) {
            int status = 0;
            const pid_t ended = waitpid(job->pid, &status, WNOHANG);
            if (ended == 0 || (ended < 0 && errno == EINTR)) {
                ++job;
                continue;
            }
            m_refreshDue = true;
            if (ended < 0) {
                job = m_jobs.erase(job);
                continue;
            }
            job->status = status;
            note(fmt::format("job {}: the engine {}", job->id, describeExit(status)));
        }
        const std::string& id = job->id;
        const int status = *job->status;
        const bool cancelled = job->cancelledNs != 0;
        const std::string code = std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        MOFO_CHECK(writeFileAtomic(m_workspace.jobFolder(id) / "exit", code + '\n'));
        MOFO_TRY(const JobRow row, m_registry.findJob(id));
        const bool open = row.state == JobState::Starting || row.state == JobState::Running || row.state == JobState::Lost;
        const std::string lastLine = lastComplaint(m_workspace.jobFolder(id) / "engine.log");
        if (open && cancelled) {
            MOFO_CHECK(m_registry.setJobState(id, JobState::Cancelled, "cancelled"));
        } else if (open) {
            MOFO_CHECK(
                m_registry.setJobState(id, JobState::Failed, "the engine " + describeExit(status) + (lastLine.empty() ? "" : ": " + lastLine)));
        }
        job = m_jobs.erase(job);
    }
    return {};
}

Result<void> Supervisor::cancelJobs() {
    for (JobProcess& job : m_jobs) {
        if (job.status) continue;
        if (job.cancelledNs == 0) {
            const auto row = std::find_if(m_jobRows.begin(), m_jobRows.end(), [&](const JobRow& other) { return other.id == job.id; });
            if (row == m_jobRows.end() || !row->cancelRequested) continue;
            kill(job.pid, SIGTERM);
            job.cancelledNs = bootNs();
        } else if (!job.killed && static_cast<double>(bootNs() - job.cancelledNs) * 1e-9 > kCancelSeconds) {
            kill(job.pid, SIGKILL);
            job.killed = true;
        }
    }
    return {};
}

Result<void> Supervisor::takeJobs() {
    const auto queued = [&](const JobRow& job) { return job.device == m_options.device && job.state == JobState::Queued; };
    if (!std::any_of(m_jobRows.begin(), m_jobRows.end(), queued)) return {};
    m_refreshDue = true;
    while (m_jobs.size() < kJobsAtOnce) {
        MOFO_TRY(const std::optional<JobRow> job, m_registry.takeNextQueuedJob(m_options.device));
        if (!job) return {};
        if (job->cancelRequested) {
            MOFO_CHECK(m_registry.setJobState(job->id, JobState::Cancelled, "cancelled before it started"));
            continue;
        }
        SpawnOptions spawn;
        spawn.program = m_options.engineProgram;
        spawn.arguments = {"--workspace", m_workspace.folder().string(), "--job", job->id};
        spawn.logFile = m_workspace.jobFolder(job->id) / "engine.log";
        spawn.workingFolder = m_workspace.folder();
        spawn.oomScore = kEngineOomScore;
        MOFO_CHECK(makeFolder(m_workspace.jobFolder(job->id), true));
        auto pid = spawnProcess(spawn);
        if (!pid.ok()) {
            note(pid.error().text());
            MOFO_CHECK(m_registry.setJobState(job->id, JobState::Failed, pid.error().text()));
            continue;
        }
        note(fmt::format("job {} ({}): engine {}", job->id, job->kind, *pid));
        m_jobs.push_back({job->id, *pid, std::nullopt, 0, false});
    }
    return {};
}

bool Supervisor::somethingWaits() const {
    const auto waitingRun = [&](const RunRow& run) {
        return run.device == m_options.device && (run.state == RunState::Queued || run.state == RunState::Starting);
    };
    const auto waitingJob = [&](const JobRow& job) { return job.device == m_options.device && job.state == JobState::Queued; };
    return std::any_of(m_runRows.begin(), m_runRows.end(), waitingRun) || std::any_of(m_jobRows.begin(), m_jobRows.end(), waitingJob);
}

// Jobs go on without their supervisor: they write their own state.
Result<bool> Supervisor::mustGiveWay() {
    if (foreground() || hasRun() || hasForeignEngine()) return false;
    MOFO_TRY(const std::optional<std::string> wish, m_registry.setting(giveWayKey(m_options.device)));
    return wish.value_or("") != m_giveWayAtStart;
}

}  // namespace

Result<void> supervise(const Workspace& workspace, const SupervisorOptions& options) {
    auto lock = FileLock::tryAcquire(workspace.deviceLock(options.device));
    if (!lock.ok()) {
        if (lock.error().code != ErrorCode::Busy) return std::move(lock).error();
        return Error{ErrorCode::Busy, "another supervisor serves this device", options.device, "", ""};
    }
    return supervise(workspace, options, std::move(lock).value());
}

Result<void> supervise(const Workspace& workspace, const SupervisorOptions& options, FileLock deviceLock) {
    // libgomp's threads spin 300,000 times at every barrier before they sleep, which starves an engine that shares its cores with a window.
    // Engines inherit this; it must be set before libgomp is loaded, so an engine cannot do it for itself. A user's own value wins.
    setenv("GOMP_SPINCOUNT", "10000", 0);
    MOFO_TRY(Registry registry, Registry::open(workspace, Registry::Access::ReadWrite));
    MOFO_CHECK(Supervisor(workspace, options, std::move(registry), std::move(deviceLock)).work());
    // A foreground process serves its own run only: whatever others queued meanwhile needs a supervisor.
    if (!options.foregroundRun.empty()) {
        MOFO_TRY(const Registry after, Registry::open(workspace, Registry::Access::ReadOnly));
        MOFO_TRY(const std::vector<RunRow> runs, after.runs());
        for (const RunRow& run : runs) {
            if (run.device == options.device && run.state == RunState::Queued) return ensureSupervisor(workspace, options.device);
        }
    }
    return {};
}

Result<FileLock> claimDevice(const Workspace& workspace, Registry& registry, std::string_view device, double timeoutSeconds,
                             const std::function<bool()>& interrupted) {
    const Stopwatch watch;
    double askedMs = -1e9;
    MOFO_CHECK(makeFolder(workspace.deviceLock(device).parent_path(), false));
    while (true) {
        auto lock = FileLock::tryAcquire(workspace.deviceLock(device));
        if (!lock.ok() && lock.error().code != ErrorCode::Busy) return std::move(lock).error();
        MOFO_TRY(const std::vector<RunRow> runs, registry.runs());
        std::optional<RunRow> holder = runWithEngine(workspace, runs, device, {});
        if (!lock.ok() && !holder) {
            const auto active =
                std::find_if(runs.begin(), runs.end(), [&](const RunRow& run) { return run.device == device && isActive(run.state); });
            if (active != runs.end()) holder = *active;
        }
        // The engine of a run that has ended is only closing its files.
        if (holder && !isEnded(holder->state)) {
            return Error{ErrorCode::Busy, "the run \"" + escapeForDisplay(holder->name) + "\" (" + holder->id + ") is on this device",
                         std::string(device),
                         "Wait for it, stop it with `mofo stop " + holder->id + "`, or queue this one by leaving --foreground out", ""};
        }
        if (lock.ok() && !holder) return std::move(lock).value();
        if (lock.ok()) lock->release();
        if (watch.elapsedMs() > timeoutSeconds * 1e3) {
            return Error{ErrorCode::Busy, "another process supervises this device and did not give way", std::string(device), "Try again later", ""};
        }
        if (watch.elapsedMs() - askedMs > 1000) {
            MOFO_CHECK(registry.setSetting(giveWayKey(device), std::to_string(wallNs())));
            askedMs = watch.elapsedMs();
        }
        if (interrupted && interrupted()) return Error{ErrorCode::Interrupted, "interrupted", "", "", ""};
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

Result<void> ensureSupervisor(const Workspace& workspace, std::string_view device) {
    const fs::path lock = workspace.deviceLock(device);
    MOFO_CHECK(makeFolder(lock.parent_path(), false));
    if (FileLock::isHeld(lock)) return {};
    SpawnOptions spawn;
    spawn.program = cliProgram();
    spawn.arguments = {"supervise", "--workspace", workspace.folder().string(), "--device", std::string(device)};
    spawn.logFile = lock.parent_path() / (std::string(device) + ".log");
    spawn.workingFolder = workspace.folder();
    std::error_code ec;
    if (const auto size = fs::file_size(spawn.logFile, ec); !ec && size > kSupervisorLogLimit) fs::remove(spawn.logFile, ec);
    return spawnDetached(spawn);
}

void wakeSupervisors(const Workspace& workspace, const std::vector<RunRow>& runs) {
    std::vector<std::string> devices;
    for (const RunRow& run : runs) {
        const bool waits = run.state == RunState::Queued || isActive(run.state) || unseenDeviceFault(workspace, run);
        if (waits && std::find(devices.begin(), devices.end(), run.device) == devices.end()) devices.push_back(run.device);
    }
    for (const std::string& device : devices) static_cast<void>(ensureSupervisor(workspace, device).ok());
}

}  // namespace mofo
