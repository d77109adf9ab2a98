// Runs that begin where another one was: branches from a checkpoint, twins that differ in one thing, and undoing in place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace mofo {

/// What is asked of a run that begins from another.
struct BranchOptions {
    std::vector<std::string> assignments;  ///< key=value, on top of the parent's configuration
    std::string name;                      ///< empty: made from the parent's, unique
    std::string who = "cli";
    bool startSupervisor = true;
};

struct BranchedRun {
    RunRow run;
    std::vector<std::string> warnings;  ///< sentences for people
};

/// Checkpoints that a run can go on from, ascending by step, one per step: complete, whole (not weights alone), not superseded.
Result<std::vector<CheckpointRow>> resumableCheckpoints(const Workspace& workspace, std::string_view runId);

/// `wanted` ("120", "best", "last") as the step of a resumable checkpoint; NotFound, naming those there are, where it has none. Step 0, the sealed
/// model, is allowed where `orStart` says so.
Result<std::int64_t> resumableStep(const Workspace& workspace, const RunRow& run, std::string_view wanted, bool orStart);

/// The configuration that update `step` of a run used: the one it was started with and the changes that took effect up to then.
Result<RunConfig> configAtStep(const Workspace& workspace, const Registry& registry, const RunRow& run, std::int64_t step);

/// A new queued run from the parent's checkpoint of `step` (0 = the sealed model), with its configuration of that step and the assignments on top.
/// The checkpoint stays until the branch has its own (Registry::keptSteps). The model cannot be another: Usage. Nothing is left behind on refusal.
Result<BranchedRun> branchRun(const Workspace& workspace, Registry& registry, const RunRow& parent, std::int64_t step, const BranchOptions& options);

/// A new queued run that begins where `parent` began, with the values it was started with, and differs in the assignments only: same seed, order,
/// micro-batch, device. Warns of what makes the two incomparable. Usage without an assignment that changes anything.
Result<BranchedRun> twinRun(const Workspace& workspace, Registry& registry, const RunRow& parent, const BranchOptions& options);

/// Goes on from the newest checkpoint of an ended run as a branch that need not be bit-exact, and is marked so: with other values (micro_batch), or
/// where data, program or machine changed. Conflict for a run that is live or queued.
Result<BranchedRun> resumeAsBranch(const Workspace& workspace, Registry& registry, const RunRow& parent, const BranchOptions& options);

struct PendingUndo {
    std::string uuid;
    bool waitsForStart = false;            ///< no engine is there: it is done when the run is resumed
    std::optional<std::int64_t> replaced;  ///< the step of an undo that waited, and whose place it takes
    std::vector<CommandRow> withdrawn;     ///< changes that waited for a step that is not above this one
    std::vector<CommandRow> kept;          ///< changes that still wait, and apply after it
};
/// Sends a run back to its checkpoint of `step`: a command for the engine that is there, or for the next one. Without an engine it takes the place of
/// an undo that still waits. Where the run is live, `awaitAcknowledgement` has the answer.
Result<PendingUndo> undoRun(const Workspace& workspace, Registry& registry, const RunRow& run, std::int64_t step, std::string_view who);

/// The undo that waits for the run's next start.
Result<std::optional<CommandRow>> waitingUndo(const Workspace& workspace, const Registry& registry, std::string_view runId);
/// The step that an undo goes back to; 0 where its payload is damaged.
[[nodiscard]] std::int64_t undoTarget(const CommandRow& command);
/// Whether there is one.
Result<bool> undoWaits(const Workspace& workspace, const Registry& registry, std::string_view runId);

}  // namespace mofo
