#include "ui/models/run_data.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/models/display_text.h"
#include "ui/models/growth.h"

namespace mofo {

namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

}  // namespace

RunData::RunData(QObject* parent) : QObject(parent) {}

void RunData::clear() {
    m_run.reset();
    m_baseConfig.reset();
    m_status.reset();
    m_parameters.clear();
    m_parameterCount = 0;
    m_mapRows.clear();
    m_checkpoints.clear();
    m_commands.clear();
    m_acknowledgements.clear();
    m_tuning = {};
    m_problem.clear();
    m_logTail.clear();
    m_metricsExist = false;
    m_complete = false;
    resetHistory();
    Q_EMIT runChanged();
    Q_EMIT statusChanged();
    Q_EMIT parametersChanged();
    Q_EMIT tuningChanged();
    Q_EMIT problemChanged();
}

void RunData::resetHistory() {
    m_steps.clear();
    m_tensors.clear();
    m_evals.clear();
    m_events.clear();
    m_mapColumns.clear();
    m_flags.clear();
    m_machine.clear();
    m_probes.clear();
    m_samples.clear();
    m_histograms.clear();
    m_series.clear();
    m_machinePlaced = {0, 0};
    m_lastSuperseded.reset();
    Q_EMIT cleared();
}

void RunData::take(const RunBatch& batch) {
    if (batch.reset) resetHistory();
    if (batch.run) {
        m_run = batch.run;
        if (batch.initialConfig)
            m_baseConfig = batch.initialConfig;
        else if (!m_baseConfig)
            m_baseConfig = batch.run->config;
    }
    m_metricsExist = batch.metricsExist;
    m_complete = batch.complete;
    if (batch.parameters) takeParameters(*batch.parameters);
    const auto counted = static_cast<std::size_t>(std::ranges::count(batch.steps, false, &StepRow::superseded));
    if (counted >= m_steps.size()) m_steps.reserve(m_steps.size() + counted);
    m_series.reserveSteps(counted);
    for (const StepRow& row : batch.steps) appendStep(row);
    for (const TensorRow& row : batch.tensors) appendTensors(row);
    for (const EvalRow& row : batch.evals) {
        if (row.superseded) continue;
        if (!m_evals.empty() && row.step < m_evals.back().step) continue;
        m_evals.push_back(row);
        m_series.appendEval(row);
    }
    m_machine.insert(m_machine.end(), batch.machine.begin(), batch.machine.end());
    m_probes.insert(m_probes.end(), batch.probes.begin(), batch.probes.end());
    m_samples.insert(m_samples.end(), batch.samples.begin(), batch.samples.end());
    if (batch.logTail) m_logTail = *batch.logTail;
    m_events.insert(m_events.end(), batch.events.begin(), batch.events.end());
    if (batch.status) m_status = batch.status;
    if (batch.checkpoints) m_checkpoints = *batch.checkpoints;
    if (batch.commands) takeCommands(*batch.commands);
    if (batch.acknowledgements) m_acknowledgements = *batch.acknowledgements;
    if (batch.stagedDraft) m_stagedDraft = *batch.stagedDraft;
    const bool problemIsNew = batch.problem != m_problem;
    m_problem = batch.problem;

    // Signals last: whoever listens sees the whole batch.
    if (batch.parameters) Q_EMIT parametersChanged();
    if (batch.run || batch.commands || batch.acknowledgements) deriveTuningAgain();
    if (!batch.events.empty() || batch.acknowledgements) makeFlags();
    if (!batch.steps.empty()) Q_EMIT stepsChanged();
    if (!batch.tensors.empty()) Q_EMIT tensorsChanged();
    if (!batch.evals.empty()) Q_EMIT evalsChanged();
    if (!batch.events.empty()) Q_EMIT eventsChanged();
    if (!batch.machine.empty()) Q_EMIT machineChanged();
    if (!batch.probes.empty()) Q_EMIT probesChanged();
    if (!batch.samples.empty()) Q_EMIT samplesChanged();
    if (batch.checkpoints) Q_EMIT checkpointsChanged();
    if (batch.logTail) Q_EMIT logChanged();
    if (batch.run) Q_EMIT runChanged();
    Q_EMIT statusChanged();
    if (problemIsNew) Q_EMIT problemChanged();
    if (batch.stagedDraft) Q_EMIT draftRead();
}

void RunData::takeCommands(const std::vector<CommandRow>& commands) {
    // What is gone from the list was withdrawn; should the engine have been faster, its values are still needed.
    std::vector<CommandRow> kept = commands;
    for (CommandRow& before : m_commands) {
        const bool there = std::any_of(commands.begin(), commands.end(), [&](const CommandRow& row) { return row.uuid == before.uuid; });
        if (there) continue;
        before.withdrawn = true;
        kept.push_back(std::move(before));
    }
    m_commands = std::move(kept);
}

void RunData::deriveTuningAgain() {
    if (!m_baseConfig) return;
    m_tuning = deriveTuning(*m_baseConfig, m_commands, m_acknowledgements);
    Q_EMIT tuningChanged();
}

void RunData::takeParameters(const std::vector<ParameterRow>& parameters) {
    m_parameters = parameters;
    m_parameterCount = 0;
    m_mapRows.clear();
    std::int64_t layers = 0;
    for (const ParameterRow& row : m_parameters) {
        m_parameterCount += row.size;
        layers = std::max(layers, row.layer + 1);
    }
    const auto addRow = [&](const QString& label, const QString& title, auto&& belongs) {
        MapRow row{label, title, {}, false};
        for (std::size_t i = 0; i < m_parameters.size(); ++i) {
            if (!belongs(m_parameters[i])) continue;
            row.parameters.push_back(static_cast<std::uint32_t>(i));
            row.filtered = row.filtered || m_parameters[i].filtered;
        }
        if (!row.parameters.empty()) m_mapRows.push_back(std::move(row));
    };
    addRow(QStringLiteral("embed"), tr("token embedding"), [](const ParameterRow& p) { return p.layer < 0 && p.kind == "embed"; });
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        addRow(QStringLiteral("L%1").arg(layer, 2, 10, QLatin1Char('0')), tr("layer %1").arg(layer),
               [layer](const ParameterRow& p) { return p.layer == layer; });
    }
    addRow(QStringLiteral("norm"), tr("final norm"), [](const ParameterRow& p) { return p.layer < 0 && p.kind == "norm"; });
    addRow(QStringLiteral("head"), tr("output head"), [](const ParameterRow& p) { return p.layer < 0 && p.kind == "head"; });
    // Rows read before their parameters were known get their measures now.
    std::vector<TensorRow> known;
    known.swap(m_tensors);
    m_mapColumns.clear();
    m_series.clearMeasurements();
    for (const TensorRow& row : known) appendTensors(row);
}

void RunData::appendStep(const StepRow& row) {
    if (row.superseded) {
        m_series.appendSuperseded(row, m_parameterCount, !m_lastSuperseded || *m_lastSuperseded >= row.step);
        m_lastSuperseded = row.step;
        return;
    }
    m_lastSuperseded.reset();
    // The reading thread starts anew when the history is rewound; a step out of order cannot be drawn.
    if (!m_steps.empty() && row.step <= m_steps.back().step) return;
    growSparingly(m_steps);
    m_steps.push_back(row);
    m_series.appendStep(row, m_parameterCount);
}

void RunData::setEmaSmoothing(double smoothing) {
    smoothing = std::clamp(smoothing, 0.0, 0.99);
    if (smoothing == m_series.smoothing()) return;
    m_series.setSmoothing(smoothing);
    Q_EMIT stepsChanged();
}

void RunData::placeMachine() const {
    const std::pair<std::size_t, std::size_t> now{m_machine.size(), m_steps.size()};
    if (now == m_machinePlaced) return;
    m_machinePlaced = now;
    m_series.placeMachine(m_machine, m_steps);
}

void RunData::takeHistograms(HistogramBatchPtr batch) {
    constexpr std::size_t most = 6;
    std::erase_if(m_histograms, [&](const HistogramBatchPtr& kept) { return kept->step == batch->step; });
    if (m_histograms.size() == most) m_histograms.erase(m_histograms.begin());
    m_histograms.push_back(std::move(batch));
    Q_EMIT histogramsChanged();
}

const HistogramBatch* RunData::histogramsOf(std::int64_t step) const {
    for (const HistogramBatchPtr& kept : m_histograms) {
        if (kept->step == step) return kept.get();
    }
    return nullptr;
}

void RunData::appendTensors(const TensorRow& row) {
    if (row.superseded) return;
    while (!m_tensors.empty() && m_tensors.back().step >= row.step) {
        m_tensors.pop_back();
        m_mapColumns.pop_back();
    }
    m_series.appendMeasurement(row, m_parameters);
    MapColumn column;
    column.step = row.step;
    const std::size_t count = m_parameters.size();
    const bool hasShare = count > 0 && row.selected.size() == count, hasDrift = count > 0 && row.driftL2.size() == count;
    double selected = 0, size = 0, drift2 = 0, pretrained2 = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const ParameterRow& info = m_parameters[i];
        if (hasShare) {
            selected += row.selected[i];
            size += static_cast<double>(info.size);
        }
        if (!hasDrift) continue;
        drift2 += static_cast<double>(row.driftL2[i]) * row.driftL2[i];
        pretrained2 += info.pretrainedL2 * info.pretrainedL2;
    }
    column.wholeShare = size > 0 ? selected / size : notANumber;
    column.wholeDrift = pretrained2 > 0 ? std::sqrt(drift2 / pretrained2) : notANumber;
    m_tensors.push_back(row);
    m_mapColumns.push_back(std::move(column));
}

namespace {

QString letterOf(const EventRow& row) {
    if (row.kind == "set") {
        if (row.newValue.empty()) return {};  // a refusal: nothing took effect
        if (row.key == "alpha" || row.key.starts_with("alpha.")) return QStringLiteral("A");
        if (row.key == "granularity") return QStringLiteral("G");
        if (row.key == "lr" || row.key == "schedule" || row.key == "warmup") return QStringLiteral("L");
        if (row.key == "rule") return QStringLiteral("R");
        return QStringLiteral("S");
    }
    // What retention removed and what a start counted again is told by the table alone.
    if (row.kind == "checkpoint") {
        const bool isNew = row.text.find("removed") == std::string::npos && !row.text.starts_with("found") && !row.text.starts_with("the moments");
        return isNew && row.step > 0 ? QStringLiteral("K") : QString();
    }
    if (row.kind == "evaluate") return QStringLiteral("E");
    if (row.kind == "pause") return QStringLiteral("P");
    if (row.kind == "undo") return QStringLiteral("U");
    if (row.kind == "resume" && row.text.starts_with("branch of run")) return QStringLiteral("B");
    if (row.kind == "note") return QStringLiteral("N");
    if (row.kind == "guard") return QStringLiteral("!");
    if (row.kind == "error") return QStringLiteral("X");
    return {};
}

}  // namespace

void RunData::makeFlags() {
    m_flags.clear();
    for (const EventRow& row : m_events) {
        // An undo stands after what it took back; its flag marks where it went to.
        if (row.superseded && row.kind != "undo") continue;
        EventFlag flag;
        flag.letter = letterOf(row);
        if (flag.letter.isEmpty()) continue;
        flag.step = row.step;
        flag.text = ui::shown(row.text);
        flag.who = ui::whoText(row.who);
        flag.wallNs = row.wallNs;
        flag.isError = row.kind == "error";
        flag.isGuard = row.kind == "guard" || row.who == "guard";
        if (row.kind == "set") {
            flag.text = tr("%1: %2 → %3", "config key: old to new value")
                            .arg(ui::shown(row.key), ui::valueText(row.key, row.oldValue), ui::valueText(row.key, row.newValue));
            // The event stands at the step after which the command was taken; its acknowledgement names the first step that uses it.
            if (m_tuning.appliedSteps.contains(row.step + 1)) flag.step = row.step + 1;
            for (const auto& [key, change] : m_tuning.since) {
                if (key == row.key && change.step == flag.step) flag.waitSeconds = change.waitSeconds;
            }
        }
        m_flags.push_back(std::move(flag));
    }
    std::stable_sort(m_flags.begin(), m_flags.end(), [](const EventFlag& a, const EventFlag& b) { return a.step < b.step; });
}

std::int64_t RunData::totalSteps() const {
    if (m_status && m_status->totalSteps > 0) return m_status->totalSteps;
    if (m_run && m_run->summary.totalSteps > 0) return m_run->summary.totalSteps;
    return m_run ? m_run->config.steps : 0;
}

const StepRow* RunData::stepNear(double step) const {
    const std::optional<std::size_t> index = loss().nearest(step);
    return index ? &m_steps[*index] : nullptr;
}

std::optional<std::size_t> RunData::columnNear(double step) const {
    if (m_mapColumns.empty()) return std::nullopt;
    const auto after = std::lower_bound(m_mapColumns.begin(), m_mapColumns.end(), step,
                                        [](const MapColumn& column, double key) { return static_cast<double>(column.step) < key; });
    const auto index = static_cast<std::size_t>(after - m_mapColumns.begin());
    if (index == 0) return 0;
    if (index == m_mapColumns.size()) return index - 1;
    const double toAfter = static_cast<double>(m_mapColumns[index].step) - step;
    const double toBefore = step - static_cast<double>(m_mapColumns[index - 1].step);
    return toAfter < toBefore ? index : index - 1;
}

std::optional<double> RunData::tokensPerSecond() const {
    if (m_steps.empty()) return std::nullopt;
    double tokens = 0, milliseconds = 0;
    for (auto it = m_steps.rbegin(); it != m_steps.rend() && milliseconds < 30'000; ++it) {
        tokens += static_cast<double>(it->tokens);
        milliseconds += it->stepMs;
    }
    if (milliseconds <= 0) return std::nullopt;
    return tokens / (milliseconds * 1e-3);
}

}  // namespace mofo
