// `mofo bench step`: what a whole training step takes on this machine, in every precision, and where the time goes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/model/model_source.h"

namespace mofo {

struct TrainingBenchSettings {
    RunConfig config;  ///< batch, micro_batch, optimizer, alpha, recompute ... as in training; precision is set by the benchmark
    std::int64_t length = 256;
    int warmUp = 2, steps = 5;
};

/// Trains on rows of `length` random tokens, all of them targets: first in fp32, then in bf16, one after the other so that no more than one is in
/// memory. Medians of the steps after the warm-up, in milliseconds:
/// {"model", "parameters", "device", "threads", "batch", "length", "optimizer", "steps", "tokens": a step, "fp32_ms", "bf16_ms", "speedup_bf16",
///  "tokens_per_s": of the faster, "precision": its name, "parts": {"fp32": {...}, "bf16": {...}}, "unaccounted": the largest share of a step that is
///  in no part, "peak_bytes": {"fp32", "bf16"}: what the process holds at most until then}.
/// Parts: data, forward, loss, backward, clip, optimizer, statistics (of a step that is logged, beside the others), store (committing the step's
/// row to `folder`; in a run another thread does it). `open` gives the model, once for each precision. `progress`: false cancels.
Result<Json> benchTraining(const std::function<Result<std::unique_ptr<ModelSource>>()>& open, const std::string& device,
                           const TrainingBenchSettings& settings, const std::filesystem::path& folder,
                           const std::function<bool(std::string_view, double)>& progress);

}  // namespace mofo
