// All that a report needs of one run, read once from the store.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/report/measured.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"

namespace mofo::report {

/// What is kept of a step.
struct StepPoint {
    std::int64_t step = 0;
    double loss = 0;  ///< NaN and infinities as such
    double movedShare = 0, tokensPerSecond = 0, stepMs = 0;
};

/// One row of the maps: the embedding, a layer, the final norm, the head.
struct LayerRow {
    std::string label;
    std::int64_t size = 0;
    double pretrainedL2 = 0;
};

/// Statistics per layer at each measured step, and of the whole model.
struct LayerHistory {
    std::vector<LayerRow> rows;
    std::vector<std::int64_t> steps;
    std::vector<std::vector<double>> drift;                      ///< [row][column], ||p - p0||_2 / ||p0||_2
    std::vector<std::vector<double>> selected;                   ///< share of coordinates that moved in that step
    std::vector<double> wholeDrift, churn, coverage;             ///< per column; NaN where not measured
    std::vector<double> threshold, thresholdLow, thresholdHigh;  ///< per column: median, least and greatest of the filtered tensors' thresholds

    /// Relative L2 of the whole model at a step; NaN where it was not measured.
    [[nodiscard]] double wholeDriftAt(std::int64_t step) const;
};

struct LiveChange {
    std::int64_t step = 0;  ///< the first update that used it
    std::string who, key, oldValue, newValue;
};

/// An answer to a prompt: of the base (step 0) or of the run.
struct Answer {
    std::string prompt, text;
    std::int64_t step = 0;
};

struct RunRecord {
    RunRow row;
    std::string letter;  ///< A, B ... in the order of the report
    RunConfig initial;   ///< it was started with
    std::optional<ModelRow> model;
    std::vector<ParameterRow> parameters;
    std::vector<StepPoint> steps;  ///< that count, ascending
    std::int64_t supersededSteps = 0;
    LayerHistory layers;
    std::vector<double> tensorDrift;                   ///< relative L2 per parameter at the last measured step; empty where there is none
    std::map<std::string, std::vector<double>> kinds;  ///< kind -> moved share at the first, the middle and the last measured step
    std::vector<std::int64_t> kindSteps;
    std::vector<MeasuredSeries> measures;
    std::vector<LiveChange> changes;
    std::vector<EventRow> events;
    std::vector<CheckpointRow> checkpoints;
    std::vector<Answer> answers;
    std::map<std::string, Json> facts;  ///< data, engine, probes, not_bit_exact ...
    double trainSeconds = 0, evalSeconds = 0, probeSeconds = 0;
    std::int64_t trainedTokens = 0, peakMemoryBytes = 0;
    std::vector<std::string> problems;  ///< sentences: what of it could not be read
    bool readable = true;

    [[nodiscard]] std::string label() const;  ///< "B maths-a15"
    [[nodiscard]] bool isLive() const { return !isEnded(row.state); }
    [[nodiscard]] const MeasuredSeries* find(const std::string& key) const;
    [[nodiscard]] std::int64_t lastStep() const { return steps.empty() ? 0 : steps.back().step; }
    [[nodiscard]] double finalDrift() const;  ///< relative L2 of the whole model; NaN where it was not measured
    [[nodiscard]] std::string modelSha256() const;
};

/// Reads them in the order given (1 to 26 runs). A damaged run is not an error: its problems say what is missing.
Result<std::vector<RunRecord>> readRuns(const Workspace& workspace, const Registry& registry, const std::vector<RunRow>& runs);

}  // namespace mofo::report
