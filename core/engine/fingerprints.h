// What the bits of a run depend on beside its state: data, model, program, machine. Compared when a run goes on, never restored.
#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/config/run_config.h"
#include "core/engine/training_data.h"

namespace mofo {

/// {"data": {...}, "numerics": {...}, "program": {...}}, texts all. Of `program` (version, build) nothing is compared: what of a build decides the
/// bits is numerics.arithmetic, a hash over the sources of everything that computes, the compiler and its flags.
[[nodiscard]] Json fingerprintsOf(const TrainingData& data, const RunConfig& config, const std::string& modelSha256,
                                  const std::string& tokenizerSha256, c10::Device device);

/// "the training data (sha256 0123456789ab -> ba9876543210)": one text for everything compared that differs or is not in both.
[[nodiscard]] std::vector<std::string> fingerprintDifferences(const Json& then, const Json& now);

/// Whether the same arithmetic was built into another program than the one that wrote `then`.
[[nodiscard]] bool isOtherBuild(const Json& then, const Json& now);

}  // namespace mofo
