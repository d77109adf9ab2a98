// Checkpoints of a run at optimizer-step boundaries: weights, moments, random state, position, settings, journal. A checkpoint is what has a
// complete manifest.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/engine/parameter_set.h"
#include "core/store/run_metrics.h"

namespace mofo {

/// checkpoints/step-00000100/ holds
///   model.safetensors      fp32 weights, Hugging Face names
///   optimizer.safetensors  "m.<name>" and "v.<name>", fp32, and what else is bytes ("rng.cpu"), U8; not in one of kind `weights`
///   state.json             everything else (training_state.h)
///   manifest.json          written last: kind, size and SHA-256 of each file, SHA-256 of each tensor, digests
/// A step saved again after an undo gets "-2", "-3"; "-w" is the weights alone of one that retention would have dropped.
constexpr std::string_view checkpointFull = "full", checkpointWeights = "weights";

/// Bytes beside the arenas that a resume restores.
struct StateBytes {
    std::string name;
    std::span<const std::byte> bytes;
};

/// What the writer of a checkpoint and whoever waits for it tell each other, from thread to thread.
struct WritingProgress {
    std::atomic<std::uint64_t> bytes{0};  ///< handed to the system so far
    std::atomic<bool> givenUp{false};     ///< nobody wants it any more: the writer ends with Interrupted, and nothing of it is left
};

struct CheckpointContent {
    const std::vector<ParameterInfo>& infos;
    const ParameterArena& weights;
    const ParameterArena& firstMoments;
    const ParameterArena& secondMoments;
    std::vector<StateBytes> bytes;
    const Json& state;  ///< TrainingState::toJson
    WritingProgress& progress;
};

/// Bytes on disk of a checkpoint with this content, state.json estimated.
[[nodiscard]] std::uint64_t checkpointSizeBytes(const std::vector<ParameterInfo>& infos, std::uint64_t stateBytes, bool weightsOnly);

/// OutOfSpace where so much, and what the store holds back for commands (it is given up on a full disk, and taken back where twice as much is free),
/// is not free: a checkpoint that took that room would have the next command refused.
Result<void> requireRoomForCheckpoint(const std::filesystem::path& checkpointsFolder, std::uint64_t sizeBytes, std::string_view what);

/// The folder's name that a checkpoint of `step` would get now.
[[nodiscard]] std::string nextCheckpointName(const std::filesystem::path& checkpointsFolder, std::int64_t step);

/// Writes checkpointsFolder/`name`: a folder of a temporary name, streamed in pieces (at most 16 MiB beside the arenas), every file synced, the
/// manifest last, renamed, the parent synced; then read back from the disk and compared. Where anything fails, nothing of it is left.
Result<CheckpointRow> writeCheckpoint(const std::filesystem::path& checkpointsFolder, const std::string& name, std::int64_t step,
                                      const CheckpointContent& content);

struct FoundCheckpoint {
    std::int64_t step = 0;
    std::filesystem::path folder;
    std::string kind{checkpointFull};
    Json state;
    std::string manifestSha256;
    std::string stateDigest;
    std::int64_t sizeBytes = 0;
    /// SHA-256 of each tensor by file and name; empty in those of format 1, which cannot be resumed from.
    Json tensorHashes;
    [[nodiscard]] bool resumable() const { return kind == checkpointFull && !tensorHashes.empty(); }
};
/// Reads the manifest and checks that every file it names is there with its size. With `hashes` every byte is read; a damaged file is refused
/// (InvalidInput, tag CHANGED) naming the tensor that is damaged.
Result<FoundCheckpoint> openCheckpoint(const std::filesystem::path& folder, bool hashes);
/// Folders that look like checkpoints, newest first: by step, then by how often it was saved.
[[nodiscard]] std::vector<std::filesystem::path> checkpointFolders(const std::filesystem::path& checkpointsFolder);
/// The newest complete one by step; empty where there is none. Incomplete folders are passed over. Superseded ones count: only metrics.db knows.
Result<std::optional<FoundCheckpoint>> newestCheckpoint(const std::filesystem::path& checkpointsFolder);
/// Removes what engines that were killed while saving have left.
void removeUnfinishedCheckpoints(const std::filesystem::path& checkpointsFolder);

/// What restoreCheckpoint fills.
struct RestoredBytes {
    std::string name;
    std::vector<std::byte>* bytes = nullptr;
    bool required = true;  ///< else it may be missing, and stays empty
};
/// Fills weights and moments, and the byte tensors asked for. Every name, shape, dtype and SHA-256 must agree (SIZE, CHANGED), and there may be
/// no tensor more: what is refused names its tensor. Contents are undefined then.
Result<void> restoreCheckpoint(const FoundCheckpoint& checkpoint, const std::vector<ParameterInfo>& infos, ParameterArena& weights,
                               ParameterArena& firstMoments, ParameterArena& secondMoments, std::span<const RestoredBytes> bytes);

/// Makes the weights-only twin of a full checkpoint beside it, verified; the weights are the same file on disk (a hard link). The full one stays.
Result<CheckpointRow> writeWeightsOnly(const FoundCheckpoint& full);
/// Deletes a checkpoint: the manifest first, so that what an interrupted deletion leaves is none.
Result<void> removeCheckpoint(const std::filesystem::path& folder);

}  // namespace mofo
