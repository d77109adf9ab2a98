// Reading a checkpoint's bytes again: every file and every tensor against the hashes that were taken when it was written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/base/result.h"
#include "core/store/run_metrics.h"

namespace mofo {

struct VerifiedCheckpoint {
    std::int64_t files = 0, tensors = 0, sizeBytes = 0;
};

/// Called now and then with the bytes read so far; false ends it (Interrupted).
using VerifyProgress = std::function<bool(std::int64_t bytes)>;

/// Reads the manifest (whose own SHA-256 is in `row`, if that is not empty) and everything it names. InvalidInput, tag CHANGED, naming file and
/// tensor, for what is not as it was written; what is missing is NotFound.
Result<VerifiedCheckpoint> verifyCheckpoint(const std::filesystem::path& folder, const CheckpointRow& row, const VerifyProgress& progress = {});

}  // namespace mofo
