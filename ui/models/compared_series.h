// The series in which runs can be compared, what their x axis counts, and how stored rows become points on it.
#pragma once

#include <QString>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/store/run_metrics.h"
#include "ui/models/step_scale.h"

namespace mofo {

/// What the x axis of compared runs counts. Wall time goes on while a run is paused, training time does not.
enum class CompareUnit { Step, Epoch, Tokens, WallTime, TrainingTime };

struct CompareX {
    CompareUnit unit = CompareUnit::Step;
    bool ownStart = false;  ///< every run from its own first step on, as branches need it; else as counted
    friend bool operator==(const CompareX&, const CompareX&) = default;
};

/// Units of one place on the shared axis: small enough for zooming, a power of two so that values come back as they were.
[[nodiscard]] double resolutionOf(CompareUnit unit);
[[nodiscard]] StepUnit axisUnitOf(CompareUnit unit);
/// "step", "epoch", "tokens", "wall_seconds", "training_seconds": of files.
[[nodiscard]] QString columnOf(CompareUnit unit);

struct ComparedSeries {
    enum class Source { Steps, Evals, Measurements, Probes, Machine };
    std::string id;  ///< "loss", "eval", "drift:q", "probe:piqa/accuracy", "machine:cpu"
    QString name;    ///< in the user's language
    QString unit;
    Source source = Source::Steps;
    bool isShare = false;
};

/// Those that every run can have.
[[nodiscard]] std::vector<ComparedSeries> commonSeries();
[[nodiscard]] ComparedSeries comparedSeries(const std::string& id);

struct ComparedPoint {
    double step = 0, at = 0, value = 0;  ///< `at`: place on the axis
    double low = 0, high = 0;            ///< a 95 % interval, or NaN
};

/// What is new of one series of a run.
struct ComparedPart {
    std::vector<ComparedPoint> points;  ///< to be appended
    std::vector<std::vector<ComparedPoint>>
        taken;  ///< stretches that were taken back: all that are known with the first part, later ones with a reset
};

/// What a run's reader hands over; immutable.
struct ComparedBatch {
    std::uint64_t request = 0;
    std::string runId;
    bool reset = false;                      ///< what was handed over before is void
    bool complete = false;                   ///< all that is stored now was handed over
    std::vector<ComparedPart> parts;         ///< one per wanted series
    std::vector<std::string> furtherSeries;  ///< ids that this run has beyond commonSeries(), known once its tensors and probes were seen
    QString problem;
};
using ComparedBatchPtr = std::shared_ptr<const ComparedBatch>;

/// Makes points from rows, in the order in which they are stored. Keeps the scale of the chosen unit and no rows. One thread.
class ComparedExtract {
public:
    ComparedExtract(std::vector<std::string> ids, CompareX x);

    [[nodiscard]] bool wants(ComparedSeries::Source source) const;
    void setParameters(const std::vector<ParameterRow>& parameters);
    /// Steps first: the others find their place between them.
    void takeSteps(const std::vector<StepRow>& rows);
    void takeEvals(const std::vector<EvalRow>& rows);
    void takeTensors(const std::vector<TensorRow>& rows);
    void takeProbes(const std::vector<ProbeRow>& rows);
    void takeMachine(const std::vector<MachineRow>& rows);
    /// What came since the last call.
    [[nodiscard]] std::vector<ComparedPart> take();

private:
    [[nodiscard]] double placeOf(double step) const;
    void add(std::size_t series, double step, double value, double low, double high);

    std::vector<ComparedSeries> m_series;
    CompareX m_x;
    std::vector<ParameterRow> m_parameters;
    std::int64_t m_parameterCount = 0;
    StepScale m_scale, m_wall;  ///< of the unit; of wall time, for samples of the machine
    std::optional<double> m_firstStep;
    std::int64_t m_firstWallNs = 0;
    double m_tokens = 0, m_trainingSeconds = 0;
    double m_lastStep = -1;
    std::vector<double> m_last;               ///< newest step of each series
    std::optional<std::int64_t> m_lastTaken;  ///< step of the row before, where it was taken back
    std::vector<ComparedPart> m_parts;
};

}  // namespace mofo
