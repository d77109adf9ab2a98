// Everything the window knows about the run on screen: the stored rows and the series drawn from them. Fed with batches of the
// reading thread; lives in the window's thread.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "ui/models/live_tuning.h"
#include "ui/models/run_batch.h"
#include "ui/models/run_series.h"

namespace mofo {

/// One row of the selection and drift maps: the embedding, a layer, the final norm, the head.
struct MapRow {
    QString label;                          ///< "embed", "L07", "norm", "head"
    QString title;                          ///< for tooltips and accessibility: "layer 7"
    std::vector<std::uint32_t> parameters;  ///< indices of its tensors
    bool filtered = false;                  ///< false: nothing of it is filtered, so all of it moves
};

/// What one logged step came to, over the whole model. NaN where there is nothing to measure.
struct MapColumn {
    std::int64_t step = 0;
    double wholeShare = 0;  ///< moved share of all coordinates
    double wholeDrift = 0;  ///< relative L2 against the pretrained weights
};

/// A mark at the step of effect, on every chart of the page.
struct EventFlag {
    std::int64_t step = 0;
    QString letter;
    QString text;  ///< what happened, one line
    QString who;   ///< window, command line, guard rail, engine
    std::int64_t wallNs = 0;
    std::optional<double> waitSeconds;  ///< from the command to its answer
    bool isError = false;
    bool isGuard = false;
};

class RunData : public QObject {
    Q_OBJECT
public:
    explicit RunData(QObject* parent = nullptr);

    /// Forgets everything and waits for batches of another run.
    void clear();
    void take(const RunBatch& batch);

    [[nodiscard]] const std::optional<RunRow>& run() const { return m_run; }
    [[nodiscard]] const std::optional<StatusRow>& status() const { return m_status; }
    [[nodiscard]] const std::vector<ParameterRow>& parameters() const { return m_parameters; }
    [[nodiscard]] const std::vector<StepRow>& steps() const { return m_steps; }  ///< superseded ones left out; steps ascend
    [[nodiscard]] const std::vector<TensorRow>& tensors() const { return m_tensors; }
    [[nodiscard]] const std::vector<EvalRow>& evals() const { return m_evals; }
    [[nodiscard]] const std::vector<EventRow>& events() const { return m_events; }
    [[nodiscard]] const std::vector<CheckpointRow>& checkpoints() const { return m_checkpoints; }
    [[nodiscard]] const std::vector<MapRow>& mapRows() const { return m_mapRows; }
    [[nodiscard]] const std::vector<MapColumn>& mapColumns() const { return m_mapColumns; }
    [[nodiscard]] const std::vector<EventFlag>& flags() const { return m_flags; }
    [[nodiscard]] const LiveTuning& tuning() const { return m_tuning; }
    [[nodiscard]] const QString& problem() const { return m_problem; }
    [[nodiscard]] bool metricsExist() const { return m_metricsExist; }
    [[nodiscard]] bool isComplete() const { return m_complete; }
    [[nodiscard]] std::int64_t parameterCount() const { return m_parameterCount; }

    [[nodiscard]] const RunSeries& series() const { return m_series; }
    [[nodiscard]] const SeriesBuffer& loss() const { return m_series.of(SeriesId::Loss); }
    [[nodiscard]] const SeriesBuffer& lossEma() const { return m_series.of(SeriesId::LossEma); }
    [[nodiscard]] const SeriesBuffer& evalLoss() const { return m_series.of(SeriesId::EvalLoss); }
    /// Stretches that an undo or a resume from an earlier checkpoint took back, oldest first.
    [[nodiscard]] const std::vector<SeriesBuffer>& supersededLoss() const { return m_series.supersededOf(SeriesId::Loss); }
    [[nodiscard]] const std::vector<MachineRow>& machine() const { return m_machine; }
    [[nodiscard]] const std::vector<ProbeRow>& probes() const { return m_probes; }
    /// In the order in which they were given: an answer of the same step that comes later counts.
    [[nodiscard]] const std::vector<SampleAnswer>& samples() const { return m_samples; }
    [[nodiscard]] const std::vector<CommandRow>& commands() const { return m_commands; }
    [[nodiscard]] const std::vector<AcknowledgementRow>& acknowledgements() const { return m_acknowledgements; }
    /// The newest lines of the engine's log, at most some thousands.
    [[nodiscard]] const QStringList& logTail() const { return m_logTail; }
    /// The histograms of |m| of one measured step with how its thresholds spread; null until they were read. The newest few are kept.
    [[nodiscard]] const HistogramBatch* histogramsOf(std::int64_t step) const;
    /// What a window staged for this run and did not send, as it was kept; read once.
    [[nodiscard]] const KeyValues& stagedDraft() const { return m_stagedDraft; }
    void takeHistograms(HistogramBatchPtr batch);
    /// Puts the machine's samples between the steps anew where anything came since; for charts that are about to draw them.
    void placeMachine() const;
    [[nodiscard]] double emaSmoothing() const { return m_series.smoothing(); }
    /// 0 = the raw values, 0.99 = very smooth; the debiased mean is made anew from the stored values.
    void setEmaSmoothing(double smoothing);

    [[nodiscard]] std::int64_t newestStep() const { return m_steps.empty() ? 0 : m_steps.back().step; }
    [[nodiscard]] std::int64_t totalSteps() const;
    /// The stored step nearest to `step`, or null.
    [[nodiscard]] const StepRow* stepNear(double step) const;
    /// Index into tensors() and mapColumns() of the logged step nearest to `step`.
    [[nodiscard]] std::optional<std::size_t> columnNear(double step) const;
    /// Trained tokens per second over the last 30 s of training; empty before the first step.
    [[nodiscard]] std::optional<double> tokensPerSecond() const;

Q_SIGNALS:
    void cleared();
    void runChanged();
    void statusChanged();
    void parametersChanged();
    void stepsChanged();
    void tensorsChanged();
    void evalsChanged();
    void eventsChanged();
    void tuningChanged();
    void problemChanged();
    void machineChanged();
    void probesChanged();
    void samplesChanged();
    void checkpointsChanged();
    void logChanged();
    void histogramsChanged();
    void draftRead();

private:
    void resetHistory();
    void takeParameters(const std::vector<ParameterRow>& parameters);
    void appendStep(const StepRow& row);
    void appendTensors(const TensorRow& row);
    void makeFlags();
    void takeCommands(const std::vector<CommandRow>& commands);
    void deriveTuningAgain();

    std::optional<RunRow> m_run;
    std::optional<RunConfig> m_baseConfig;  ///< before any live change; acknowledged ones are laid over it
    std::optional<StatusRow> m_status;
    std::vector<ParameterRow> m_parameters;
    std::int64_t m_parameterCount = 0;
    std::vector<StepRow> m_steps;
    std::vector<TensorRow> m_tensors;
    std::vector<EvalRow> m_evals;
    std::vector<EventRow> m_events;
    std::vector<CheckpointRow> m_checkpoints;
    std::vector<CommandRow> m_commands;
    std::vector<AcknowledgementRow> m_acknowledgements;
    std::vector<MapRow> m_mapRows;
    std::vector<MapColumn> m_mapColumns;
    std::vector<EventFlag> m_flags;
    LiveTuning m_tuning;
    QString m_problem;
    bool m_metricsExist = false;
    bool m_complete = false;

    std::vector<MachineRow> m_machine;
    std::vector<ProbeRow> m_probes;
    std::vector<SampleAnswer> m_samples;
    QStringList m_logTail;
    KeyValues m_stagedDraft;
    std::vector<HistogramBatchPtr> m_histograms;  ///< the one read last at the end
    mutable RunSeries m_series;                   ///< placeMachine() is a matter of drawing
    mutable std::pair<std::size_t, std::size_t> m_machinePlaced{0, 0};
    std::optional<std::int64_t> m_lastSuperseded;  ///< step of the row before, where it was taken back
};

}  // namespace mofo
