// Runs that are made together to be compared: a grid or a list over one configuration, queued as twins (same data, same order) and kept as a group.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/client/commands.h"
#include "core/config/run_config.h"
#include "core/library/model_library.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

/// What one run of the group has of its own.
struct SweepArm {
    std::vector<std::string> assignments;  ///< key=value, on top of what all have in common
};

/// Every combination of "alpha=0.05,0.15" and "seed=1,2", the last key changing fastest. Usage for a key named twice or an empty value; values that
/// hold a comma need a list.
Result<std::vector<SweepArm>> gridArms(const std::vector<std::string>& grid);
/// One run a line, "alpha=0.05 seed=1"; "..." around an assignment with blanks in it; empty lines and those that begin with # are passed over.
Result<std::vector<SweepArm>> listArms(const std::filesystem::path& file);
/// "Does MoFO help on my data?": AdamW, and MoFO at 5 % and 15 %, with everything else equal.
[[nodiscard]] std::vector<SweepArm> compareArms();

struct SweepRequest {
    RunConfig base;                ///< what all have in common
    std::optional<RunRow> parent;  ///< base is this run's configuration: the new runs are its twins
    std::vector<SweepArm> arms;
    std::string name;       ///< of the group; empty: made from the model
    bool compares = false;  ///< held-out loss and probes at a cadence that makes curves, and a comparison report once all have ended
    std::string who = "cli";
};

/// How long the group takes and what it leaves, as far as can be said before.
struct SweepForecast {
    std::int64_t steps = 0;            ///< of all runs
    std::int64_t inputTokens = 0;      ///< of all runs, from the first rows of the data
    std::int64_t evaluatedTokens = 0;  ///< rows held out of the training data, over all evaluations; a file of its own is not counted
    std::optional<double> seconds;     ///< of all runs, one after another; nothing where no measurement of this model is there
    std::string basis;                 ///< where the time comes from: "as fast as run maths-a15"
    std::uint64_t diskBytes = 0;       ///< of all checkpoints that stay
    std::uint64_t freeBytes = 0;
};

/// Ready to be queued: nothing is in the registry yet but the sealed model.
struct PreparedSweep {
    SweepRow sweep;
    std::vector<RunRow> runs;
    SweepForecast forecast;
    std::vector<std::string> notes;  ///< sentences for people: combinations that are one run, keys that an optimizer has no use for
};

/// Checks every run as startRun does. Refused (Usage) with fewer than two runs that differ, more than 200, or a run that would be refused, naming it.
Result<PreparedSweep> prepareSweep(const Workspace& workspace, Registry& registry, const SweepRequest& request, const ImportProgress& progress = {});
/// The time, from milliseconds that one input token takes (a rehearsal's).
void setSpeed(PreparedSweep& prepared, double msPerToken, std::string basis);
/// The time where no run of this model has told yet how long a token takes: a few steps of the first run, measured in a process of their own.
/// `progress` as in runJob. What fails leaves the time unknown.
void rehearseSweep(const Workspace& workspace, Registry& registry, PreparedSweep& prepared, const ImportProgress& progress);
/// Writes group and runs, or nothing, and starts the supervisor.
Result<void> queueSweep(const Workspace& workspace, Registry& registry, const PreparedSweep& prepared, bool startSupervisor = true);

/// A group and where it stands.
struct SweepStatus {
    SweepRow sweep;
    std::vector<RunRow> runs;                                     ///< in the order in which they were queued, trashed ones left out
    std::int64_t finished = 0, live = 0, waiting = 0, ended = 0;  ///< ended: otherwise than finished
    [[nodiscard]] bool compares() const;                          ///< a report is written once all have ended
    [[nodiscard]] std::optional<std::string> report() const;      ///< the file, where it was written
    [[nodiscard]] bool hasEnded() const { return live == 0 && waiting == 0; }
    [[nodiscard]] std::string stateText() const;  ///< "running: 2 of 4 finished", "finished", "stopped: 2 of 4 finished"
};
/// The group in the form of a run, for lists: its name, its id, the sum of its steps, the state that says most.
[[nodiscard]] RunRow asOneRun(const SweepStatus& status);
Result<std::vector<SweepStatus>> sweepStatuses(const Registry& registry);  ///< newest first
/// The same where the registry's runs were read already.
Result<std::vector<SweepStatus>> sweepStatuses(const Registry& registry, std::vector<RunRow> runs);
/// By id, unique prefix or name (the newest of several).
Result<SweepStatus> findSweep(const Registry& registry, std::string_view text);
/// Takes what waits out of the queue and stops (with a checkpoint) what is live. Returns how many of them.
Result<std::int64_t> stopSweep(Registry& registry, const SweepStatus& status);
/// Queues again what was stopped, failed or lost. Returns how many of them.
Result<std::int64_t> resumeSweep(const Workspace& workspace, Registry& registry, const SweepStatus& status);

}  // namespace mofo
