// The charts of page Run that are curves over steps: which series, which units, which marks.
#pragma once

#include <vector>

#include "ui/widgets/line_chart.h"

namespace mofo {

/// C2: the learning rate used, the planned rest dashed, and what a staged change would make of it.
class LearningRateChart : public LineChart {
    Q_OBJECT
public:
    LearningRateChart(const RunData* data, StepAxis* axis);
    /// The configuration with what is staged, or empty.
    void setStaged(std::optional<RunConfig> staged);
    [[nodiscard]] const SeriesBuffer& planned() const { return m_planned; }
    [[nodiscard]] const SeriesBuffer& staged() const { return m_stagedPlan; }

protected:
    void beforeDrawing() override;

private:
    void plan(const RunConfig& config, SeriesBuffer& into) const;
    std::optional<RunConfig> m_staged;
    SeriesBuffer m_planned, m_stagedPlan;
};

/// C12: every probe as its difference to the base, with 95 % bars.
class ProbesChart : public LineChart {
    Q_OBJECT
public:
    ProbesChart(const RunData* data, StepAxis* axis);

private:
    void rebuild();
    struct Curve {
        SeriesBuffer values, low, high;
    };
    std::vector<std::unique_ptr<Curve>> m_curves;
};

/// C6: the applied alpha as a step line, granularity as labelled segments below it.
class AlphaStrip : public LineChart {
    Q_OBJECT
public:
    AlphaStrip(const RunData* data, StepAxis* axis);
    struct Segment {
        std::int64_t from = 0, to = 0;
        QString label;
    };
    [[nodiscard]] const std::vector<Segment>& segments() const { return m_segments; }

protected:
    void drawSeries() override;
    void beforeDrawing() override;

private:
    void paintSegments(QCPPainter* painter);
    std::vector<Segment> m_segments;
    std::size_t m_seenSteps = 0;
};

[[nodiscard]] LineChart* makeGradientChart(const RunData* data, StepAxis* axis);     ///< C3
[[nodiscard]] LineChart* makeSpeedChart(const RunData* data, StepAxis* axis);        ///< C4, tokens per second
[[nodiscard]] LineChart* makeTimePerStepChart(const RunData* data, StepAxis* axis);  ///< C4, milliseconds by phase
[[nodiscard]] LineChart* makeLoadChart(const RunData* data, StepAxis* axis);         ///< C5, percent
[[nodiscard]] LineChart* makeMemoryChart(const RunData* data, StepAxis* axis);       ///< C5, GiB
[[nodiscard]] LineChart* makeHeatChart(const RunData* data, StepAxis* axis);         ///< C5, degrees and watts
[[nodiscard]] LineChart* makeThresholdChart(const RunData* data, StepAxis* axis);    ///< C9
[[nodiscard]] LineChart* makeChurnChart(const RunData* data, StepAxis* axis);        ///< C10
[[nodiscard]] LineChart* makeDriftLines(const RunData* data, StepAxis* axis);        ///< C11, lines

}  // namespace mofo
