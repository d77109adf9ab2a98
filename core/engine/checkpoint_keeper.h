// The checkpoints of one run while it trains: when they are due, writing them, what the table says of them, which of them stay.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/engine/checkpoint.h"
#include "core/engine/checkpoint_policy.h"
#include "core/engine/run_log.h"
#include "core/engine/training_state.h"
#include "core/engine/training_step.h"
#include "core/store/registry.h"

namespace mofo {

/// Whether the fault lies in the checkpoint itself, so that an earlier one may do.
[[nodiscard]] bool isDamage(const Error& error);

/// One thread, the trainer's. `registry` is asked which checkpoints must stay.
class CheckpointKeeper {
public:
    CheckpointKeeper(std::filesystem::path folder, std::string runId, const Registry& registry, RunLog& log);

    /// Before anything else: what the table says and what lies on the disk become the same. A row without a whole folder becomes lost, a whole
    /// folder without a row is read through and adopted, leftovers of a killed engine go. `rows`: the table as the last engine left it.
    Result<void> reconcile(const std::vector<CheckpointRow>& rows);
    /// Those a resume may take, newest first: complete, full, not superseded.
    [[nodiscard]] std::vector<CheckpointRow> candidates() const;
    /// The complete one of `step` that is not superseded.
    [[nodiscard]] std::optional<CheckpointRow> find(std::int64_t step) const;
    [[nodiscard]] std::filesystem::path folderOf(const CheckpointRow& row) const { return m_folder / row.folder; }
    /// Found damaged: its row says so from now on.
    void markLost(const CheckpointRow& row, const std::string& reason);
    /// Somebody found it damaged: reads all of it again. True where that is so, which is marked. NotFound for a folder that does not count.
    Result<bool> recheck(const std::string& folder);
    /// After an undo to `step`, or a resume from it: what the store marked.
    void supersedeAfter(std::int64_t step);

    /// Whether the cadence asks for one after this step.
    [[nodiscard]] bool isDue(const RunConfig& config, std::int64_t step) const;
    /// Writes and verifies one of this state (nothing where the present state is saved already) and lets retention follow. Where that fails nothing
    /// of it is left, its row says failed, and all others are as they were. `meanwhile` is called ten times a second on the calling thread while
    /// another one writes, and may not touch weights, moments or statistics; where it answers false, the checkpoint is given up (Interrupted).
    Result<void> save(TrainingStep& training, const TrainingState& state, const Json& fingerprints, const std::function<bool()>& meanwhile);
    /// Whether the disk has room for one more.
    [[nodiscard]] bool fits(const TrainingStep& training, std::uint64_t stateBytes) const;
    /// Retention leaves the checkpoint of this step alone, whatever else holds.
    void protect(std::optional<std::int64_t> step) { m_protected = step; }
    /// Retention for a run that has finished.
    void finish(const RunConfig& config);
    /// The state of `step` was read from a checkpoint: nothing to save until the next update.
    void noteRestored(std::int64_t step) { m_savedStep = step; }
    [[nodiscard]] bool isSaved(std::int64_t step) const { return m_savedStep == step; }
    /// Held-out loss of a step, for the best one.
    void noteEvaluation(std::int64_t step, double loss);

    /// Measures how fast the disk takes and gives back bytes, and says what the policy costs; OutOfSpace where not even one fits.
    Result<void> forecast(const RunConfig& config, const TrainingStep& training, std::int64_t stepsLeft, std::uint64_t stateBytes);
    /// Once steps are timed: warns, once, where checkpoints take too much of the time.
    void reviewCost(const RunConfig& config, std::int64_t stepsLeft);

private:
    void store(CheckpointRow row);
    void retain(const RunConfig& config, bool finished);
    void remove(CheckpointRow& row, const std::string& why);
    void reduce(const CheckpointRow& row);

    std::filesystem::path m_folder;
    std::string m_runId;
    const Registry& m_registry;
    RunLog& m_log;
    std::vector<CheckpointRow> m_rows;  ///< complete ones, in the order of their saving
    std::int64_t m_savedStep = -1;
    std::optional<std::int64_t> m_protected;
    std::optional<std::pair<std::int64_t, double>> m_evaluated;  ///< newest
    Stopwatch m_sinceSave;
    std::uint64_t m_sizeBytes = 0;
    double m_secondsEach = 0;
    bool m_costReviewed = false;
};

}  // namespace mofo
