// Every curve of one run: a series per stored quantity, and beside each the stretches that an undo or a resume took back.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/store/run_metrics.h"
#include "ui/models/series_buffer.h"
#include "ui/models/step_scale.h"

namespace mofo {

/// Of a step: from rows of `steps`. Of a measurement: from rows of `tensors`.
enum class SeriesId {
    Loss,
    LossEma,
    LearningRate,
    GradNorm,
    ClippedNorm,
    TopGradNorm,
    TokensPerSecond,
    StepMs,
    DataMs,
    ForwardBackwardMs,
    OptimizerMs,
    StatisticsMs,
    // cumulated from the first phase on, for stacking
    StackData,
    StackForwardBackward,
    StackOptimizer,
    StackStatistics,
    AlphaAsked,
    MovedShare,
    ThresholdMedian,
    ThresholdLow,
    ThresholdHigh,
    Churn,
    Coverage,
    DriftWhole,
    EvalLoss,
    Count
};

/// Moved share, thresholds, churn, coverage and drift of one measurement, over all filtered tensors.
struct MeasurementDigest {
    double thresholdMedian = 0, thresholdLow = 0, thresholdHigh = 0;  ///< over the filtered tensors
    double churn = 0, coverage = 0;                                   ///< weighted by size
    double drift = 0;                                                 ///< relative L2 of all of the model
};

/// NaN where nothing was measured.
[[nodiscard]] MeasurementDigest digestOf(const TensorRow& row, const std::vector<ParameterRow>& parameters);

class RunSeries {
public:
    void clear();
    /// Before this many steps that count: a long history then takes no more memory than its values.
    void reserveSteps(std::size_t count);
    /// A step that counts, in order, or one that was taken back (then `stretch` says whether a new stretch begins).
    void appendStep(const StepRow& row, std::int64_t parameterCount);
    void appendSuperseded(const StepRow& row, std::int64_t parameterCount, bool newStretch);
    void appendMeasurement(const TensorRow& row, const std::vector<ParameterRow>& parameters);
    void clearMeasurements();
    void appendEval(const EvalRow& row);
    /// Where each machine sample stands between the steps, by wall clock.
    void placeMachine(const std::vector<MachineRow>& rows, const std::vector<StepRow>& steps);

    void setSmoothing(double smoothing);
    [[nodiscard]] double smoothing() const { return m_smoothing; }

    [[nodiscard]] const SeriesBuffer& of(SeriesId id) const { return m_series[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const std::vector<SeriesBuffer>& supersededOf(SeriesId id) const { return m_superseded[static_cast<std::size_t>(id)]; }
    /// Relative L2 of the tensors of one kind, in the order of kinds().
    [[nodiscard]] const std::vector<std::string>& kinds() const { return m_kinds; }
    [[nodiscard]] const SeriesBuffer& driftOfKind(std::size_t kind) const { return m_kindDrift[kind]; }
    /// Share of all cores (percent), resident and host memory (GiB), device load (percent), memory (GiB), heat (C), power (W).
    enum class Machine { Cpu, Resident, HostUsed, DeviceLoad, DeviceMemory, DeviceHeat, DevicePower, Count };
    [[nodiscard]] const SeriesBuffer& machine(Machine id) const { return m_machine[static_cast<std::size_t>(id)]; }

    /// The units of the shared x axis; Step is the identity.
    [[nodiscard]] const StepScale& scale(StepUnit unit) const { return m_scales[static_cast<std::size_t>(unit)]; }

private:
    using Values = std::array<double, static_cast<std::size_t>(SeriesId::Count)>;
    [[nodiscard]] static Values valuesOf(const StepRow& row, std::int64_t parameterCount);
    void appendEma(double step, double loss);

    std::array<SeriesBuffer, static_cast<std::size_t>(SeriesId::Count)> m_series;
    std::array<std::vector<SeriesBuffer>, static_cast<std::size_t>(SeriesId::Count)> m_superseded;
    std::vector<std::string> m_kinds;
    std::vector<SeriesBuffer> m_kindDrift;
    std::array<SeriesBuffer, static_cast<std::size_t>(Machine::Count)> m_machine;
    std::array<StepScale, 4> m_scales;
    double m_tokens = 0;
    std::int64_t m_firstWallNs = 0;
    double m_smoothing = 0.6, m_emaSum = 0, m_emaWeight = 0;
};

/// The stored loss of a step: NaN and infinities as they were.
[[nodiscard]] double storedLoss(const StepRow& row);

}  // namespace mofo
