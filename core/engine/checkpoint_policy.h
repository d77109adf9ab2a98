// Which checkpoints stay, when the next one is due, and what all of them cost: decisions alone, no files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/run_config.h"

namespace mofo {

/// One that is complete and verified, as retention sees it.
struct KnownCheckpoint {
    std::int64_t step = 0;
    std::string folder;
    bool full = true;  ///< else weights alone
    bool superseded = false;
    bool kept = false;               ///< pinned by the user, or a branch starts from it
    std::optional<double> evalLoss;  ///< held-out loss of its step
    friend bool operator==(const KnownCheckpoint&, const KnownCheckpoint&) = default;
};

struct Retention {
    std::vector<std::string> remove;  ///< folders
    std::vector<std::string> reduce;  ///< folders of which the weights alone stay
};
/// What `keep` takes away; to be asked after a checkpoint was written and verified, never before. In the order of their saving, `all` ends with the
/// newest. There stay: the last `keep` full ones and never fewer than two, the best by held-out loss, the first, those that are kept. Once the run
/// is `finished` nothing goes back to the best one any more: of it the weights alone stay where it is not among the last. Superseded ones count
/// for nothing and go, but for the newest: the state before the last undo.
[[nodiscard]] Retention retentionOf(const std::vector<KnownCheckpoint>& all, std::int64_t keep, bool finished);

/// Bytes and seconds that the checkpoints of a run cost.
struct CheckpointCost {
    std::uint64_t sizeBytes = 0;        ///< of one
    double secondsEach = 0;             ///< to write and verify one
    std::int64_t kept = 0;              ///< how many lie on the disk at most, the one being written included
    std::uint64_t totalBytes = 0;       ///< of these
    std::int64_t written = 0;           ///< over the steps that are left, by the step cadence
    std::optional<double> shareOfTime;  ///< of the run's time; empty while no step was timed
};
/// `secondsPerStep` <= 0: not known yet.
[[nodiscard]] CheckpointCost checkpointCost(const RunConfig& config, std::int64_t stepsLeft, std::uint64_t sizeBytes, double secondsEach,
                                            double secondsPerStep);
/// The largest share of run time, and of free disk, that passes without a warning.
constexpr double mostTimeShare = 0.05, mostDiskShare = 0.8;
/// A warning with the cadence that costs at most 5 % of the time, or nothing.
[[nodiscard]] std::string timeWarning(const RunConfig& config, const CheckpointCost& cost, double secondsPerStep);
/// A warning with what takes at most 80 % of `freeBytes`, or nothing.
[[nodiscard]] std::string diskWarning(const RunConfig& config, const CheckpointCost& cost, std::uint64_t freeBytes);

}  // namespace mofo
