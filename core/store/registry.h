// workbench.db: runs, configs, jobs, commands, queue, models, datasets, presets, reports, settings. Several programs write it, hence a
// rollback journal. One Registry = one connection = one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/store/workspace.h"

namespace mofo {

enum class RunState { Draft, Queued, Starting, Running, Paused, Stopping, Finished, Stopped, Failed, Lost };
[[nodiscard]] std::string_view runStateName(RunState state);  ///< "running" ...
[[nodiscard]] bool isEnded(RunState state);                   ///< finished, stopped, failed, lost

/// The newest values of a run, for lists; the engine refreshes them at most once a second and at every change of state.
struct RunSummary {
    std::int64_t step = 0;
    std::int64_t totalSteps = 0;
    std::optional<double> loss;        ///< nats per trained token; empty before the first step or where not finite
    std::string lossState = "finite";  ///< finite, nan, inf
    std::optional<double> evalLoss;
    std::optional<double> drift;  ///< relative L2 of the whole model
    double tokensPerSecond = 0;
    std::string phase;           ///< load, train, evaluate, save, or empty
    std::int64_t updatedNs = 0;  ///< wall clock
};

struct RunRow {
    std::string id;
    std::string name;
    RunState state = RunState::Queued;  ///< as a reader should show it: Lost is derived from the free lock, never stored
    std::string device = "cpu";         ///< cpu, cuda-0: resolved from `auto` before queueing
    std::string deviceWarning;          ///< why `auto` did not take the GPU (the engine's first event), or empty
    std::string modelId;                ///< sealed model of the workspace
    std::string modelName;              ///< what the user named, for showing
    RunConfig config;
    std::string commandLine;     ///< the equivalent `mofo train` line
    std::int64_t createdNs = 0;  ///< wall clock
    std::optional<std::int64_t> startedNs, endedNs;
    std::string endReason;        ///< one sentence for failed, stopped, lost
    std::string parentId;         ///< of a branch or twin, else empty
    std::string sweepId;          ///< of the group it was made in, or empty
    std::int64_t parentStep = 0;  ///< the parent's checkpoint it goes on from; 0 = from the sealed model
    std::string notExact;         ///< why it does not continue its parent bit for bit: "micro_batch 4 -> 2"; else empty
    std::vector<std::string> tags;
    std::string note;
    bool pinned = false, baseline = false;
    std::optional<std::int64_t> trashedNs;
    std::int64_t queuePlace = 0;  ///< ascending; 0 where not queued
    std::int64_t restarts = 0;
    RunSummary summary;
    std::string unreadable;  ///< why config or tags could not be read (damaged row, newer program), else empty
};

/// Runs that were made together, to be compared.
struct SweepRow {
    std::string id;
    std::string name;
    Json plan;  ///< what was asked for: the grid or list, the base, what to do when all have ended
    std::int64_t createdNs = 0;
    std::string unreadable;  ///< why the plan could not be read, else empty
};

struct ModelRow {
    std::string id;  ///< first 16 digits of `sha256`
    std::string name;
    std::string source;  ///< path or name it was imported from
    std::string sha256;  ///< of the sealed model.safetensors
    std::string tokenizerSha256;
    std::string format;     ///< ModelSource::formatName
    std::string sourceKey;  ///< path, size and mtime of the source: finds an import again without reading it
    std::int64_t parameterCount = 0;
    std::int64_t sizeBytes = 0;
    Json description;  ///< config.json
    std::int64_t importedNs = 0;
    std::optional<std::int64_t> verifiedNs;
};

/// A wish of a client, read by the engine at optimizer-step boundaries. Acknowledged in the run's metrics.db.
struct CommandRow {
    std::string uuid;
    std::string runId;
    std::string kind;  ///< set, pause, resume, stop, checkpoint, evaluate, generate, undo, verify
    Json payload;      ///< set: {"key":"value",...}; stop: {"save":true|false}; generate: {"messages":...}; undo: {"to":step}; verify: {"folder":...}
    std::optional<std::int64_t> atStep;
    std::string who;  ///< cli, window, guard
    std::int64_t createdNs = 0;
    bool withdrawn = false;
    std::int64_t seq = 0;  ///< order of arrival
};

enum class JobState { Queued, Starting, Running, Finished, Failed, Cancelled, Lost };
[[nodiscard]] std::string_view jobStateName(JobState state);

struct JobRow {
    std::string id;
    std::string kind;  ///< score, generate, export, bench
    Json parameters;
    std::string device = "cpu";
    JobState state = JobState::Queued;
    std::string runId;  ///< the run it is about, or empty
    std::int64_t createdNs = 0;
    std::optional<std::int64_t> startedNs, endedNs;
    std::string phase;
    double progress = 0;  ///< 0..1
    std::string endReason;
    bool cancelRequested = false;
    std::string unreadable;  ///< why the parameters could not be read, else empty
};

class Registry {
public:
    enum class Access { ReadOnly, ReadWrite };
    /// Refuses foreign, damaged and newer files (both versions named), migrates older ones after a backup.
    static Result<Registry> open(const Workspace& workspace, Access access);
    Registry(Registry&&) noexcept;
    Registry& operator=(Registry&&) noexcept;
    ~Registry();

    // Runs. Reading derives Lost: an active state, lock free, no supervisor restarting it (`starting`: for 30 s).
    /// A queued run without a queuePlace goes to the end. A modelId must be in the workspace (NotFound); empty = none.
    Result<void> addRun(const RunRow& run);
    /// The group and all of its runs, or nothing; they are queued in the order given.
    Result<void> addSweep(const SweepRow& sweep, const std::vector<RunRow>& runs);
    Result<std::vector<SweepRow>> sweeps() const;  ///< newest first
    /// What the plan says of itself as the group goes on (a report that was written).
    Result<void> setSweepPlan(std::string_view id, const Json& plan);
    Result<std::vector<RunRow>> runs(bool includeTrashed = false) const;  ///< newest first
    /// By id, unique id prefix or unique name; NotFound and Conflict (ambiguous, with the candidates) otherwise.
    Result<RunRow> findRun(std::string_view text) const;
    /// Keeps startedNs, endedNs and the queue place in step with the state. Lost is refused (Internal).
    Result<void> setRunState(std::string_view id, RunState state, std::string_view endReason = {});
    /// How the last engine ended, where that is not a state of its own (killed: Lost is derived). The state stays.
    Result<void> setRunEndReason(std::string_view id, std::string_view endReason);
    Result<void> setRunSummary(std::string_view id, const RunSummary& summary);
    /// The config as live changes left it.
    Result<void> setRunConfig(std::string_view id, const RunConfig& config);
    /// The config the run was added with.
    Result<RunConfig> initialRunConfig(std::string_view id) const;
    Result<void> renameRun(std::string_view id, std::string_view name);
    Result<void> setRunNote(std::string_view id, std::string_view note);
    Result<void> setRunTags(std::string_view id, const std::vector<std::string>& tags);
    /// Pinned runs stand on top of lists.
    Result<void> setRunPinned(std::string_view id, bool pinned);
    /// At most one run is the baseline that others are compared with: making one takes the mark from the other.
    Result<void> setRunBaseline(std::string_view id, bool baseline);
    Result<void> setRunTrashed(std::string_view id, bool trashed);
    Result<void> setRunRestarts(std::string_view id, std::int64_t restarts);
    /// Puts a run (back) into its device's queue, at the end.
    Result<void> queueRun(std::string_view id);
    /// Takes a queued run out of the queue: it becomes stopped. False where it was not queued any more.
    Result<bool> stopQueuedRun(std::string_view id, std::string_view endReason);
    /// Puts a queued run at a position of its device's queue, 1 = the next to start; Conflict where it is not queued.
    Result<void> moveQueuedRun(std::string_view id, std::int64_t position);
    /// Takes the first queued run of a device: its state becomes `starting`. Empty where none waits. One that is unreadable fails and is passed over.
    Result<std::optional<RunRow>> takeNextQueuedRun(std::string_view device);

    // Checkpoints that retention must leave alone
    /// The user's pins, by step; a step that is pinned already stays so.
    Result<void> setCheckpointPinned(std::string_view id, std::int64_t step, bool pinned);
    Result<std::vector<std::int64_t>> pinnedSteps(std::string_view id) const;
    /// Steps whose checkpoints must stay, ascending: the pinned ones, and those from which a branch starts that has no checkpoint of its own yet.
    /// An engine asks before it removes any.
    Result<std::vector<std::int64_t>> keptSteps(std::string_view id) const;

    // Jobs
    Result<void> addJob(const JobRow& job);
    Result<std::vector<JobRow>> jobs() const;  ///< newest first
    Result<JobRow> findJob(std::string_view text) const;
    Result<std::optional<JobRow>> takeNextQueuedJob(std::string_view device);
    Result<void> setJobState(std::string_view id, JobState state, std::string_view endReason = {});
    Result<void> setJobProgress(std::string_view id, std::string_view phase, double progress);
    Result<void> requestJobCancel(std::string_view id);

    // Commands
    /// The same uuid again is the same command: no error, no second row. Usage (LIMIT) above 4 KiB of payload, 1 MiB for generate.
    Result<void> addCommand(const CommandRow& command);
    /// Commands of a run in order of arrival, withdrawn ones left out; seq > afterSeq.
    Result<std::vector<CommandRow>> commands(std::string_view runId, std::int64_t afterSeq = 0) const;
    /// Marks a command withdrawn; whether that came in time is decided by the acknowledgement, which is there or not. NotFound for an unknown uuid.
    Result<void> withdrawCommand(std::string_view uuid);

    // Models
    /// The same content from another place adds that sourceKey to the model that is there.
    Result<void> addModel(const ModelRow& model);
    Result<std::vector<ModelRow>> models() const;
    Result<ModelRow> findModel(std::string_view text) const;  ///< id, unique prefix or unique name
    Result<std::optional<ModelRow>> findModelBySourceKey(std::string_view sourceKey) const;
    Result<void> setModelVerified(std::string_view id, std::int64_t whenNs);
    Result<void> removeModel(std::string_view id);  ///< Conflict while a run refers to it

    // Settings
    Result<std::optional<std::string>> setting(std::string_view key) const;
    Result<void> setSetting(std::string_view key, std::string_view value);

    /// How long this connection waits for another program's lock before it answers Busy; nothing: as long as usual (20 s).
    void setPatience(std::optional<std::int64_t> limitNs);
    /// Changes whenever another connection commits (PRAGMA data_version): cheap to poll.
    [[nodiscard]] std::int64_t dataVersion() const;
    /// Some disk space is held back beside the file, so that commands are taken on a full disk too. Opening for writing makes it; this makes it again
    /// after it was used, where there is room by now.
    void holdReserve() const;

private:
    struct State;
    explicit Registry(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

}  // namespace mofo
