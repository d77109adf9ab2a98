// The JSON that `mofo ... --json` prints, and the digests that people read: one place, so that every client tells the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/client/queue_view.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace mofo {

/// A number, or "nan", "inf", "-inf" where JSON has none.
[[nodiscard]] Json jsonNumber(double value);
/// {"id","name","state","step",...}: one element of `runs --json` and `queue --json`. `entry`: of a run that is on a device or waits for one, else
/// nullptr; it gives "stalled", "stalled_seconds", "position" (0 on the device, 1 the next to start) and "waits_for".
[[nodiscard]] Json runJson(const RunRow& run, const QueueEntry* entry = nullptr);
[[nodiscard]] Json modelJson(const ModelRow& model);
[[nodiscard]] Json jobJson(const JobRow& job);
[[nodiscard]] Json stepJson(const StepRow& step);
[[nodiscard]] Json evalJson(const EvalRow& eval);
[[nodiscard]] Json probeJson(const ProbeRow& probe);
[[nodiscard]] Json eventJson(const EventRow& event);
[[nodiscard]] Json statusJson(const StatusRow& status);

/// Everything of one run as far as it was measured: `show --json`. Superseded rows only with `all`.
struct RunDetail {
    RunRow run;
    std::optional<std::int64_t> enginePid;  ///< only while the lock is held
    std::optional<QueueEntry> queue;        ///< where it is on a device, or waits for one
    std::string parentName;                 ///< of a branch or twin
    std::string modelSource;                ///< hf:owner/name@commit, or the path or name that the model was named by
    std::vector<std::int64_t> pinnedSteps;
    std::vector<ParameterRow> parameters;
    std::vector<StepRow> steps;
    std::optional<TensorRow> tensors;  ///< the newest measurement
    std::vector<EvalRow> evals;
    std::vector<ProbeRow> probes;  ///< without their items
    std::vector<EventRow> events;
    std::vector<CheckpointRow> checkpoints;  ///< that count
    std::vector<CheckpointRow> damaged;      ///< that would count if they were whole
    std::vector<CommandRow> pending;
    std::optional<StatusRow> status;
};
Result<RunDetail> readRunDetail(const Workspace& workspace, const Registry& registry, const RunRow& run, bool all);
[[nodiscard]] Json runDetailJson(const RunDetail& detail);

/// One line of the table per layer: embedding, layers, final norm, head.
struct LayerDigest {
    std::string name;
    std::int64_t size = 0;
    std::int64_t filteredSize = 0;
    double selectedShare = 0;  ///< of all coordinates, 0..1
    double drift = 0;          ///< ||p - p0|| / ||p0|| over the layer's parameters
};
[[nodiscard]] std::vector<LayerDigest> layerDigests(const std::vector<ParameterRow>& parameters, const TensorRow& tensors);

/// Unicode blocks for the values, the lowest and the highest of them spanning the height; `width` columns at most (means of neighbours).
/// Values that are not finite become '!'.
[[nodiscard]] std::string sparkline(const std::vector<double>& values, std::size_t width);

}  // namespace mofo
