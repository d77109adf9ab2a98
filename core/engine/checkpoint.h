// Checkpoints of a run at optimizer-step boundaries: weights, moments, position, settings. A checkpoint is what has a complete manifest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/engine/parameter_set.h"
#include "core/store/run_metrics.h"

namespace mofo {

/// checkpoints/step-00000100/ holds
///   model.safetensors      fp32 weights, Hugging Face names
///   optimizer.safetensors  "m.<name>" and "v.<name>", fp32
///   state.json             step, position, config as applied, counters, fingerprints
///   manifest.json          written last: size and SHA-256 of each of them
/// The folder is made under a temporary name, synced, and renamed; every file is read back before the row says verified.
Result<CheckpointRow> writeCheckpoint(const std::filesystem::path& checkpointsFolder, std::int64_t step, const std::vector<ParameterInfo>& infos,
                                      const ParameterArena& weights, const ParameterArena& firstMoments, const ParameterArena& secondMoments,
                                      const Json& state);

struct FoundCheckpoint {
    std::int64_t step = 0;
    std::filesystem::path folder;
    Json state;
    std::string manifestSha256;
};
/// Reads the manifest and checks that every file it names is there with its size (and, with `hashes`, its SHA-256).
Result<FoundCheckpoint> openCheckpoint(const std::filesystem::path& folder, bool hashes);
/// The newest complete one by step; empty where there is none. Incomplete folders are passed over.
Result<std::optional<FoundCheckpoint>> newestCheckpoint(const std::filesystem::path& checkpointsFolder);

/// Fills weights and moments; every name, shape and dtype must agree.
Result<void> restoreCheckpoint(const FoundCheckpoint& checkpoint, const std::vector<ParameterInfo>& infos, ParameterArena& weights,
                               ParameterArena& firstMoments, ParameterArena& secondMoments);

/// Deletes the oldest checkpoints beyond `keep` (at least two verified ones stay). Returns the names of the deleted folders.
std::vector<std::string> retainCheckpoints(const std::filesystem::path& checkpointsFolder, std::int64_t keep);

}  // namespace mofo
