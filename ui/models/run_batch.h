// What the reading thread hands to the window: immutable, shared, never written again.
#pragma once

#include <QMetaType>
#include <QString>
#include <QStringList>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/store/registry.h"
#include "core/store/run_metrics.h"

namespace mofo {

/// The runs of the workspace, newest first, or why they cannot be read.
struct RunListBatch {
    std::vector<RunRow> runs;
    std::vector<RunRow> groups;                  ///< sweeps in the form of runs (asOneRun)
    std::map<std::string, std::string> reports;  ///< of sweeps, by id: the file of the comparison report that was written
    bool missing = false;                        ///< there is no workspace at this place yet
    QString problem;                             ///< one sentence, escaped for display; empty where all is well
};

/// What the model answered to one of the fixed prompts when the probes of a step ran.
struct SampleAnswer {
    std::string id;  ///< of the prompt
    std::string prompt, text;
    std::int64_t step = 0;
};

/// What is new about the run on screen. Rows arrive in order of their seq.
struct RunBatch {
    std::uint64_t request = 0;  ///< of the showRun() call this answers; others are stale
    bool reset = false;         ///< everything read before is to be forgotten: the history was rewound
    bool complete = false;      ///< the history up to now has been handed over
    std::optional<RunRow> run;
    std::optional<RunConfig> initialConfig;                         ///< what the run was added with, before any live change
    std::optional<std::map<std::string, std::string>> stagedDraft;  ///< keys and values staged and not sent, with the first batch
    bool metricsExist = false;                                      ///< the engine has created metrics.db
    std::optional<std::vector<ParameterRow>> parameters;
    std::vector<StepRow> steps;
    std::vector<TensorRow> tensors;
    std::vector<EvalRow> evals;
    std::vector<EventRow> events;
    std::optional<std::vector<CommandRow>> commands;                  ///< all of the run
    std::optional<std::vector<AcknowledgementRow>> acknowledgements;  ///< all of the run
    std::optional<std::vector<CheckpointRow>> checkpoints;            ///< all of the run
    std::vector<MachineRow> machine;
    std::vector<ProbeRow> probes;
    std::vector<SampleAnswer> samples;
    std::optional<QStringList> logTail;  ///< the newest lines of the engine's log, escaped for display
    std::optional<StatusRow> status;
    std::int64_t readBootNs = 0;
    QString problem;
};

/// The histograms of one measured step, and how its thresholds spread.
struct HistogramBatch {
    std::uint64_t request = 0;
    std::int64_t step = 0;
    std::vector<HistogramRow> histograms;
    std::optional<ThresholdSpreadRow> spread;
};

using HistogramBatchPtr = std::shared_ptr<const HistogramBatch>;
using RunListBatchPtr = std::shared_ptr<const RunListBatch>;
using RunBatchPtr = std::shared_ptr<const RunBatch>;

}  // namespace mofo

Q_DECLARE_METATYPE(mofo::RunListBatchPtr)
Q_DECLARE_METATYPE(mofo::RunBatchPtr)
Q_DECLARE_METATYPE(mofo::HistogramBatchPtr)
