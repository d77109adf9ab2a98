#include "ui/models/run_series.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mofo {

namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double gib = 1024.0 * 1024.0 * 1024.0;

constexpr std::size_t place(SeriesId id) { return static_cast<std::size_t>(id); }

constexpr std::array ofSteps{SeriesId::Loss,
                             SeriesId::LearningRate,
                             SeriesId::GradNorm,
                             SeriesId::ClippedNorm,
                             SeriesId::TopGradNorm,
                             SeriesId::TokensPerSecond,
                             SeriesId::StepMs,
                             SeriesId::DataMs,
                             SeriesId::ForwardBackwardMs,
                             SeriesId::OptimizerMs,
                             SeriesId::StatisticsMs,
                             SeriesId::StackData,
                             SeriesId::StackForwardBackward,
                             SeriesId::StackOptimizer,
                             SeriesId::StackStatistics,
                             SeriesId::AlphaAsked,
                             SeriesId::MovedShare};

/// Whether a quantity was measured at all is told by its absence, not by a mark for each step.
bool isAbsent(SeriesId id, double value) { return id == SeriesId::TopGradNorm && std::isnan(value); }

}  // namespace

double storedLoss(const StepRow& row) {
    if (row.lossState == "nan") return notANumber;
    if (row.lossState == "inf") return row.loss < 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return row.loss;
}

MeasurementDigest digestOf(const TensorRow& row, const std::vector<ParameterRow>& parameters) {
    MeasurementDigest digest{notANumber, notANumber, notANumber, notANumber, notANumber, notANumber};
    std::vector<float> thresholds;
    double churn = 0, churnSize = 0, coverage = 0, coverageSize = 0, drift2 = 0, pretrained2 = 0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const ParameterRow& info = parameters[i];
        if (i < row.driftL2.size()) {
            drift2 += static_cast<double>(row.driftL2[i]) * row.driftL2[i];
            pretrained2 += info.pretrainedL2 * info.pretrainedL2;
        }
        if (!info.filtered) continue;
        const auto size = static_cast<double>(info.size);
        if (i < row.threshold.size() && std::isfinite(row.threshold[i])) thresholds.push_back(row.threshold[i]);
        if (i < row.churn.size() && std::isfinite(row.churn[i])) {
            churn += size * row.churn[i];
            churnSize += size;
        }
        if (i < row.coverage.size() && std::isfinite(row.coverage[i])) {
            coverage += size * row.coverage[i];
            coverageSize += size;
        }
    }
    if (!thresholds.empty()) {
        const auto middle = thresholds.begin() + static_cast<std::ptrdiff_t>(thresholds.size() / 2);
        std::nth_element(thresholds.begin(), middle, thresholds.end());
        digest.thresholdMedian = *middle;
        const auto [low, high] = std::minmax_element(thresholds.begin(), thresholds.end());
        digest.thresholdLow = *low;
        digest.thresholdHigh = *high;
    }
    if (churnSize > 0) digest.churn = churn / churnSize;
    if (coverageSize > 0) digest.coverage = coverage / coverageSize;
    if (pretrained2 > 0) digest.drift = std::sqrt(drift2 / pretrained2);
    return digest;
}

void RunSeries::clear() {
    for (SeriesBuffer& series : m_series) series.clear();
    for (auto& stretches : m_superseded) stretches.clear();
    for (SeriesBuffer& series : m_machine) series.clear();
    for (StepScale& scale : m_scales) scale.clear();
    m_kinds.clear();
    m_kindDrift.clear();
    m_tokens = 0;
    m_firstWallNs = 0;
    m_emaSum = m_emaWeight = 0;
}

RunSeries::Values RunSeries::valuesOf(const StepRow& row, std::int64_t parameterCount) {
    Values values{};
    const auto set = [&](SeriesId id, double value) { values[place(id)] = value; };
    set(SeriesId::Loss, storedLoss(row));
    set(SeriesId::LearningRate, row.lr);
    set(SeriesId::GradNorm, row.gradNorm);
    set(SeriesId::ClippedNorm, row.clippedNorm);
    set(SeriesId::TopGradNorm, row.topGradientNorm);
    set(SeriesId::TokensPerSecond, row.tokensPerSecond);
    set(SeriesId::StepMs, row.stepMs);
    set(SeriesId::DataMs, row.dataMs);
    set(SeriesId::ForwardBackwardMs, row.forwardBackwardMs);
    set(SeriesId::OptimizerMs, row.optimizerMs);
    set(SeriesId::StatisticsMs, row.statisticsMs);
    double stacked = row.dataMs;
    set(SeriesId::StackData, stacked);
    set(SeriesId::StackForwardBackward, stacked += row.forwardBackwardMs);
    set(SeriesId::StackOptimizer, stacked += row.optimizerMs);
    set(SeriesId::StackStatistics, stacked += row.statisticsMs);
    set(SeriesId::AlphaAsked, row.alpha * 100);
    set(SeriesId::MovedShare, parameterCount > 0 ? 100.0 * static_cast<double>(row.movedCount) / static_cast<double>(parameterCount) : notANumber);
    return values;
}

void RunSeries::reserveSteps(std::size_t count) {
    for (const SeriesId id : ofSteps) {
        // Most runs never measured it.
        if (id != SeriesId::TopGradNorm) m_series[place(id)].reserveMore(count);
    }
    m_series[place(SeriesId::LossEma)].reserveMore(count);
    for (const StepUnit unit : {StepUnit::Epoch, StepUnit::Tokens, StepUnit::Time}) m_scales[static_cast<std::size_t>(unit)].reserveMore(count);
}

void RunSeries::appendStep(const StepRow& row, std::int64_t parameterCount) {
    const auto step = static_cast<double>(row.step);
    const Values values = valuesOf(row, parameterCount);
    for (const SeriesId id : ofSteps) {
        if (!isAbsent(id, values[place(id)])) m_series[place(id)].append(step, values[place(id)]);
    }
    appendEma(step, values[place(SeriesId::Loss)]);
    m_tokens += static_cast<double>(row.tokens);
    if (m_firstWallNs == 0) m_firstWallNs = row.wallNs - static_cast<std::int64_t>(row.stepMs * 1e6);
    m_scales[static_cast<std::size_t>(StepUnit::Epoch)].append(step, row.epoch);
    m_scales[static_cast<std::size_t>(StepUnit::Tokens)].append(step, m_tokens);
    m_scales[static_cast<std::size_t>(StepUnit::Time)].append(step, static_cast<double>(row.wallNs - m_firstWallNs) * 1e-9);
}

void RunSeries::appendSuperseded(const StepRow& row, std::int64_t parameterCount, bool newStretch) {
    const Values values = valuesOf(row, parameterCount);
    for (const SeriesId id : ofSteps) {
        auto& stretches = m_superseded[place(id)];
        if (newStretch || stretches.empty()) stretches.emplace_back();
        if (!isAbsent(id, values[place(id)])) stretches.back().append(static_cast<double>(row.step), values[place(id)]);
    }
}

void RunSeries::appendEma(double step, double loss) {
    SeriesBuffer& ema = m_series[place(SeriesId::LossEma)];
    if (!std::isfinite(loss)) {
        ema.append(step, notANumber);
        return;
    }
    m_emaSum = m_smoothing * m_emaSum + (1 - m_smoothing) * loss;
    m_emaWeight = m_smoothing * m_emaWeight + (1 - m_smoothing);
    ema.append(step, m_emaSum / m_emaWeight);
}

void RunSeries::setSmoothing(double smoothing) {
    m_smoothing = smoothing;
    m_emaSum = m_emaWeight = 0;
    m_series[place(SeriesId::LossEma)].clear();
    const SeriesBuffer& loss = of(SeriesId::Loss);
    for (std::size_t i = 0; i < loss.size(); ++i) appendEma(loss.key(i), loss.value(i));
}

void RunSeries::clearMeasurements() {
    for (const SeriesId id :
         {SeriesId::ThresholdMedian, SeriesId::ThresholdLow, SeriesId::ThresholdHigh, SeriesId::Churn, SeriesId::Coverage, SeriesId::DriftWhole}) {
        m_series[place(id)].clear();
    }
    m_kinds.clear();
    m_kindDrift.clear();
}

void RunSeries::appendMeasurement(const TensorRow& row, const std::vector<ParameterRow>& parameters) {
    const auto step = static_cast<double>(row.step);
    const MeasurementDigest digest = digestOf(row, parameters);
    // What has no value by nature (churn of the first measurement) is left out; what broke comes as it is.
    const auto add = [&](SeriesId id, double value) {
        if (!std::isnan(value)) m_series[place(id)].append(step, value);
    };
    add(SeriesId::ThresholdMedian, digest.thresholdMedian);
    add(SeriesId::ThresholdLow, digest.thresholdLow);
    add(SeriesId::ThresholdHigh, digest.thresholdHigh);
    add(SeriesId::Churn, digest.churn);
    add(SeriesId::Coverage, digest.coverage);
    m_series[place(SeriesId::DriftWhole)].append(step, digest.drift);
    if (m_kinds.empty()) {
        for (const ParameterRow& info : parameters) {
            if (std::find(m_kinds.begin(), m_kinds.end(), info.kind) == m_kinds.end()) m_kinds.push_back(info.kind);
        }
        m_kindDrift.resize(m_kinds.size());
    }
    std::vector<double> drift2(m_kinds.size()), pretrained2(m_kinds.size());
    for (std::size_t i = 0; i < parameters.size() && i < row.driftL2.size(); ++i) {
        const auto kind = static_cast<std::size_t>(std::find(m_kinds.begin(), m_kinds.end(), parameters[i].kind) - m_kinds.begin());
        if (kind == m_kinds.size()) continue;
        drift2[kind] += static_cast<double>(row.driftL2[i]) * row.driftL2[i];
        pretrained2[kind] += parameters[i].pretrainedL2 * parameters[i].pretrainedL2;
    }
    for (std::size_t kind = 0; kind < m_kinds.size(); ++kind) {
        if (pretrained2[kind] > 0) m_kindDrift[kind].append(step, std::sqrt(drift2[kind] / pretrained2[kind]));
    }
}

void RunSeries::appendEval(const EvalRow& row) { m_series[place(SeriesId::EvalLoss)].append(static_cast<double>(row.step), row.loss); }

void RunSeries::placeMachine(const std::vector<MachineRow>& rows, const std::vector<StepRow>& steps) {
    for (SeriesBuffer& series : m_machine) series.clear();
    if (steps.empty()) return;
    const double stepNs = std::max(1.0, steps.back().stepMs * 1e6);
    std::size_t next = 0;  // the first step that ended after the sample
    for (const MachineRow& row : rows) {
        while (next < steps.size() && steps[next].wallNs <= row.wallNs) ++next;
        double at = 0;
        if (next == steps.size()) {
            at = static_cast<double>(steps.back().step) + std::min(1.0, static_cast<double>(row.wallNs - steps.back().wallNs) / stepNs);
        } else if (next == 0) {
            at = std::max(0.0, static_cast<double>(steps[0].step) - static_cast<double>(steps[0].wallNs - row.wallNs) / stepNs);
        } else {
            const auto width = static_cast<double>(steps[next].wallNs - steps[next - 1].wallNs);
            const double share = width > 0 ? static_cast<double>(row.wallNs - steps[next - 1].wallNs) / width : 0.0;
            at = static_cast<double>(steps[next - 1].step) + share * static_cast<double>(steps[next].step - steps[next - 1].step);
        }
        const auto add = [&](Machine id, double value) {
            if (!std::isnan(value)) m_machine[static_cast<std::size_t>(id)].append(at, value);
        };
        add(Machine::Cpu, row.cpuShare * 100);
        add(Machine::Resident, static_cast<double>(row.residentBytes) / gib);
        add(Machine::HostUsed, static_cast<double>(row.hostUsedBytes) / gib);
        add(Machine::DeviceLoad, row.deviceShare * 100);
        add(Machine::DeviceMemory, row.deviceTotalBytes > 0 ? static_cast<double>(row.deviceUsedBytes) / gib : notANumber);
        add(Machine::DeviceHeat, row.deviceCelsius);
        add(Machine::DevicePower, row.deviceWatts);
    }
}

}  // namespace mofo
