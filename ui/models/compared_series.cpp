#include "ui/models/compared_series.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/models/display_text.h"
#include "ui/models/run_series.h"

namespace mofo {

namespace {

using Source = ComparedSeries::Source;

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double gib = 1024.0 * 1024.0 * 1024.0;

struct Known {
    const char* id;
    const char* name;
    const char* unit;
    Source source;
    bool isShare = false;
};

constexpr Known known[] = {
    {"loss", QT_TRANSLATE_NOOP("ComparedSeries", "Training loss"), QT_TRANSLATE_NOOP("ComparedSeries", "nats/token"), Source::Steps},
    {"eval", QT_TRANSLATE_NOOP("ComparedSeries", "Held-out loss"), QT_TRANSLATE_NOOP("ComparedSeries", "nats/token"), Source::Evals},
    {"drift", QT_TRANSLATE_NOOP("ComparedSeries", "Drift of the whole model"), QT_TRANSLATE_NOOP("ComparedSeries", "relative L2"),
     Source::Measurements},
    {"alpha", QT_TRANSLATE_NOOP("ComparedSeries", "Alpha"), "", Source::Steps, true},
    {"moved", QT_TRANSLATE_NOOP("ComparedSeries", "Moved share of all parameters"), "", Source::Steps, true},
    {"churn", QT_TRANSLATE_NOOP("ComparedSeries", "Churn"), "", Source::Measurements, true},
    {"coverage", QT_TRANSLATE_NOOP("ComparedSeries", "Coverage"), "", Source::Measurements, true},
    {"threshold", QT_TRANSLATE_NOOP("ComparedSeries", "Threshold, median of the tensors"), "|m|", Source::Measurements},
    {"lr", QT_TRANSLATE_NOOP("ComparedSeries", "Learning rate"), QT_TRANSLATE_NOOP("ComparedSeries", "per step"), Source::Steps},
    {"grad", QT_TRANSLATE_NOOP("ComparedSeries", "Gradient norm before clipping"), "L2", Source::Steps},
    {"grad_clipped", QT_TRANSLATE_NOOP("ComparedSeries", "Gradient norm after clipping"), "L2", Source::Steps},
    {"grad_top", QT_TRANSLATE_NOOP("ComparedSeries", "L1 norm of the gradient's top alpha"), "L1", Source::Steps},
    {"tokens_per_second", QT_TRANSLATE_NOOP("ComparedSeries", "Speed"), QT_TRANSLATE_NOOP("ComparedSeries", "trained tokens/s"), Source::Steps},
    {"step_ms", QT_TRANSLATE_NOOP("ComparedSeries", "Time of a step"), "ms", Source::Steps},
    {"data_ms", QT_TRANSLATE_NOOP("ComparedSeries", "Time for data"), "ms", Source::Steps},
    {"forward_backward_ms", QT_TRANSLATE_NOOP("ComparedSeries", "Time for forward and backward"), "ms", Source::Steps},
    {"optimizer_ms", QT_TRANSLATE_NOOP("ComparedSeries", "Time for the optimizer"), "ms", Source::Steps},
    {"statistics_ms", QT_TRANSLATE_NOOP("ComparedSeries", "Time for statistics"), "ms", Source::Steps},
    {"memory", QT_TRANSLATE_NOOP("ComparedSeries", "Memory of the engine"), "GiB", Source::Steps},
    {"machine:cpu", QT_TRANSLATE_NOOP("ComparedSeries", "Load of the processor"), "", Source::Machine, true},
    {"machine:device", QT_TRANSLATE_NOOP("ComparedSeries", "Load of the device"), "", Source::Machine, true},
    {"machine:device_memory", QT_TRANSLATE_NOOP("ComparedSeries", "Memory of the device"), "GiB", Source::Machine},
    {"machine:heat", QT_TRANSLATE_NOOP("ComparedSeries", "Temperature of the device"), "°C", Source::Machine},
    {"machine:power", QT_TRANSLATE_NOOP("ComparedSeries", "Power of the device"), "W", Source::Machine},
};

QString translated(const char* text) { return *text == '\0' ? QString() : QCoreApplication::translate("ComparedSeries", text); }

double stepValue(const std::string& id, const StepRow& row, std::int64_t parameterCount) {
    if (id == "loss") return storedLoss(row);
    if (id == "alpha") return row.alpha;
    if (id == "moved") return parameterCount > 0 ? static_cast<double>(row.movedCount) / static_cast<double>(parameterCount) : notANumber;
    if (id == "lr") return row.lr;
    if (id == "grad") return row.gradNorm;
    if (id == "grad_clipped") return row.clippedNorm;
    if (id == "grad_top") return row.topGradientNorm;
    if (id == "tokens_per_second") return row.tokensPerSecond;
    if (id == "step_ms") return row.stepMs;
    if (id == "data_ms") return row.dataMs;
    if (id == "forward_backward_ms") return row.forwardBackwardMs;
    if (id == "optimizer_ms") return row.optimizerMs;
    if (id == "statistics_ms") return row.statisticsMs;
    return static_cast<double>(row.memoryBytes) / gib;
}

double machineValue(const std::string& id, const MachineRow& row) {
    if (id == "machine:cpu") return row.cpuShare;
    if (id == "machine:device") return row.deviceShare;
    if (id == "machine:device_memory") return row.deviceTotalBytes > 0 ? static_cast<double>(row.deviceUsedBytes) / gib : notANumber;
    if (id == "machine:heat") return row.deviceCelsius;
    return row.deviceWatts;
}

double driftOfKind(const TensorRow& row, const std::vector<ParameterRow>& parameters, std::string_view kind) {
    double drift2 = 0, pretrained2 = 0;
    for (std::size_t i = 0; i < parameters.size() && i < row.driftL2.size(); ++i) {
        if (parameters[i].kind != kind) continue;
        drift2 += static_cast<double>(row.driftL2[i]) * row.driftL2[i];
        pretrained2 += parameters[i].pretrainedL2 * parameters[i].pretrainedL2;
    }
    return pretrained2 > 0 ? std::sqrt(drift2 / pretrained2) : notANumber;
}

}  // namespace

double resolutionOf(CompareUnit unit) {
    switch (unit) {
        case CompareUnit::Epoch: return 1.0 / 1024;
        case CompareUnit::WallTime:
        case CompareUnit::TrainingTime: return 1.0 / 128;
        default: return 1.0;
    }
}

StepUnit axisUnitOf(CompareUnit unit) {
    switch (unit) {
        case CompareUnit::Step: return StepUnit::Step;
        case CompareUnit::Epoch: return StepUnit::Epoch;
        case CompareUnit::Tokens: return StepUnit::Tokens;
        default: return StepUnit::Time;
    }
}

QString columnOf(CompareUnit unit) {
    switch (unit) {
        case CompareUnit::Step: return QStringLiteral("step");
        case CompareUnit::Epoch: return QStringLiteral("epoch");
        case CompareUnit::Tokens: return QStringLiteral("tokens");
        case CompareUnit::WallTime: return QStringLiteral("wall_seconds");
        case CompareUnit::TrainingTime: return QStringLiteral("training_seconds");
    }
    return {};
}

std::vector<ComparedSeries> commonSeries() {
    std::vector<ComparedSeries> all;
    for (const Known& each : known) all.push_back({each.id, translated(each.name), translated(each.unit), each.source, each.isShare});
    return all;
}

ComparedSeries comparedSeries(const std::string& id) {
    for (const Known& each : known) {
        if (id == each.id) return {each.id, translated(each.name), translated(each.unit), each.source, each.isShare};
    }
    if (id.starts_with("drift:")) {
        return {id, QCoreApplication::translate("ComparedSeries", "Drift of kind %1").arg(ui::shown(id.substr(6))), translated("relative L2"),
                Source::Measurements, false};
    }
    const std::string name = id.starts_with("probe:") ? id.substr(6) : id;
    return {id, QCoreApplication::translate("ComparedSeries", "Probe %1").arg(ui::shown(name)), QString(), Source::Probes, false};
}

ComparedExtract::ComparedExtract(std::vector<std::string> ids, CompareX x) : m_x(x), m_last(ids.size(), -1), m_parts(ids.size()) {
    for (const std::string& id : ids) m_series.push_back(comparedSeries(id));
}

bool ComparedExtract::wants(Source source) const {
    return std::any_of(m_series.begin(), m_series.end(), [source](const ComparedSeries& series) { return series.source == source; });
}

void ComparedExtract::setParameters(const std::vector<ParameterRow>& parameters) {
    m_parameters = parameters;
    m_parameterCount = 0;
    for (const ParameterRow& row : parameters) m_parameterCount += row.size;
}

double ComparedExtract::placeOf(double step) const {
    const double start = m_x.ownStart ? m_firstStep.value_or(1) - 1 : 0;
    if (m_x.unit == CompareUnit::Step) return step - start;
    double units = m_scale.unitsAt(step);
    if (m_x.ownStart) units -= m_scale.unitsAt(start);
    return units / resolutionOf(m_x.unit);
}

void ComparedExtract::add(std::size_t series, double step, double value, double low, double high) {
    m_parts[series].points.push_back({step, placeOf(step), value, low, high});
    m_last[series] = step;
}

void ComparedExtract::takeSteps(const std::vector<StepRow>& rows) {
    for (const StepRow& row : rows) {
        const auto step = static_cast<double>(row.step);
        if (row.superseded) {
            const bool begins = !m_lastTaken || *m_lastTaken >= row.step;
            m_lastTaken = row.step;
            for (std::size_t i = 0; i < m_series.size(); ++i) {
                if (m_series[i].source != Source::Steps) continue;
                auto& taken = m_parts[i].taken;
                if (begins || taken.empty()) taken.emplace_back();
                // Its place is known where the line that counts went by steps; in time and tokens it has none of its own.
                if (m_x.unit == CompareUnit::Step)
                    taken.back().push_back({step, placeOf(step), stepValue(m_series[i].id, row, m_parameterCount), notANumber, notANumber});
            }
            continue;
        }
        m_lastTaken.reset();
        if (step <= m_lastStep) continue;
        m_lastStep = step;
        if (!m_firstStep) {
            m_firstStep = step;
            m_firstWallNs = row.wallNs - static_cast<std::int64_t>(row.stepMs * 1e6);
            m_wall.append(step - 1, 0);
            // Before its first step a run has seen no token; a branch begins within its parent's epoch.
            if (m_x.unit != CompareUnit::Step) m_scale.append(step - 1, m_x.unit == CompareUnit::Epoch ? row.epoch * (step - 1) / step : 0);
        }
        const double wall = static_cast<double>(row.wallNs - m_firstWallNs) * 1e-9;
        m_tokens += static_cast<double>(row.tokens);
        m_trainingSeconds += row.stepMs * 1e-3;
        if (wants(Source::Machine)) m_wall.append(step, wall);
        switch (m_x.unit) {
            case CompareUnit::Step: break;
            case CompareUnit::Epoch: m_scale.append(step, row.epoch); break;
            case CompareUnit::Tokens: m_scale.append(step, m_tokens); break;
            case CompareUnit::WallTime: m_scale.append(step, wall); break;
            case CompareUnit::TrainingTime: m_scale.append(step, m_trainingSeconds); break;
        }
        for (std::size_t i = 0; i < m_series.size(); ++i) {
            if (m_series[i].source != Source::Steps) continue;
            const double value = stepValue(m_series[i].id, row, m_parameterCount);
            // What was never measured is absent; a loss that is no number is not.
            if (std::isnan(value) && m_series[i].id != "loss" && m_series[i].id != "grad") continue;
            add(i, step, value, notANumber, notANumber);
        }
    }
}

void ComparedExtract::takeEvals(const std::vector<EvalRow>& rows) {
    for (const EvalRow& row : rows) {
        for (std::size_t i = 0; i < m_series.size(); ++i) {
            const auto step = static_cast<double>(row.step);
            if (m_series[i].source == Source::Evals && !row.superseded && step > m_last[i]) add(i, step, row.loss, notANumber, notANumber);
        }
    }
}

void ComparedExtract::takeTensors(const std::vector<TensorRow>& rows) {
    for (const TensorRow& row : rows) {
        const auto step = static_cast<double>(row.step);
        if (row.superseded) continue;
        const MeasurementDigest digest = digestOf(row, m_parameters);
        for (std::size_t i = 0; i < m_series.size(); ++i) {
            if (m_series[i].source != Source::Measurements || step <= m_last[i]) continue;
            const std::string& id = m_series[i].id;
            const bool isDrift = id.starts_with("drift");
            const double value = id == "drift"       ? digest.drift
                                 : id == "churn"     ? digest.churn
                                 : id == "coverage"  ? digest.coverage
                                 : id == "threshold" ? digest.thresholdMedian
                                                     : driftOfKind(row, m_parameters, std::string_view(id).substr(6));
            // Churn of the first measurement has no value by nature; drift that is no number broke.
            if (!std::isnan(value) || isDrift) add(i, step, value, notANumber, notANumber);
        }
    }
}

void ComparedExtract::takeProbes(const std::vector<ProbeRow>& rows) {
    for (const ProbeRow& row : rows) {
        const auto step = static_cast<double>(row.step);
        for (std::size_t i = 0; i < m_series.size(); ++i) {
            if (row.superseded || m_series[i].id != "probe:" + row.probe + "/" + row.measure || step <= m_last[i]) continue;
            add(i, step, row.value, row.low, row.high);
        }
    }
}

void ComparedExtract::takeMachine(const std::vector<MachineRow>& rows) {
    for (const MachineRow& row : rows) {
        if (!m_firstStep) continue;
        const double step = m_wall.stepAt(static_cast<double>(row.wallNs - m_firstWallNs) * 1e-9);
        for (std::size_t i = 0; i < m_series.size(); ++i) {
            if (m_series[i].source != Source::Machine || step <= m_last[i]) continue;
            if (const double value = machineValue(m_series[i].id, row); !std::isnan(value)) add(i, step, value, notANumber, notANumber);
        }
    }
}

std::vector<ComparedPart> ComparedExtract::take() {
    std::vector<ComparedPart> parts(m_series.size());
    parts.swap(m_parts);
    return parts;
}

}  // namespace mofo
