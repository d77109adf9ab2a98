#include "ui/widgets/run_charts.h"

#include <QCoreApplication>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <map>

#include "core/config/schedule.h"
#include "ui/models/display_text.h"
#include "ui/widgets/chart_colours.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {

namespace {

/// The translation context of the charts that have no class of their own.
class Charts {
    Q_DECLARE_TR_FUNCTIONS(RunCharts)
};

LineSpec ofSeries(const RunData* data, SeriesId id, const QString& name, int colour, LineSpec::Style style = LineSpec::Style::Line) {
    LineSpec line;
    line.name = name;
    line.colour = colour;
    line.style = style;
    line.values = [data, id] { return &data->series().of(id); };
    line.taken = [data, id] { return &data->series().supersededOf(id); };
    return line;
}

LineSpec ofMachine(const RunData* data, RunSeries::Machine id, const QString& name, const QString& unit, int colour) {
    LineSpec line;
    line.name = name;
    line.unit = unit;
    line.colour = colour;
    line.values = [data, id] {
        data->placeMachine();
        return &data->series().machine(id);
    };
    return line;
}

LineChart::Options withUnit(const QString& unit) {
    LineChart::Options options;
    options.unit = unit;
    return options;
}

const std::size_t plannedPoints = 400;

}  // namespace

LearningRateChart::LearningRateChart(const RunData* data, StepAxis* axis)
    : LineChart(QStringLiteral("run.lr"), tr("Learning rate"), withUnit(QString()), data, axis) {
    std::vector<LineSpec> lines;
    lines.push_back(ofSeries(data, SeriesId::LearningRate, tr("used"), 0, LineSpec::Style::Step));
    LineSpec planned;
    planned.name = tr("planned");
    planned.style = LineSpec::Style::Dashed;
    planned.values = [this] { return &m_planned; };
    planned.inTable = false;
    lines.push_back(planned);
    LineSpec staged = planned;
    staged.name = tr("if applied");
    staged.colour = -2;
    staged.values = [this] { return &m_stagedPlan; };
    lines.push_back(staged);
    setLines(std::move(lines));
    connect(data, &RunData::statusChanged, this, [this] { markDirty(); });
}

void LearningRateChart::setStaged(std::optional<RunConfig> staged) {
    if (staged == m_staged) return;
    m_staged = std::move(staged);
    markDirty();
    drawIfNeeded();
}

void LearningRateChart::plan(const RunConfig& config, SeriesBuffer& into) const {
    into.clear();
    const std::int64_t total = data().totalSteps(), from = std::max<std::int64_t>(1, data().newestStep());
    if (total <= from) return;
    const std::int64_t stride = std::max<std::int64_t>(1, (total - from) / static_cast<std::int64_t>(plannedPoints));
    for (std::int64_t step = from + 1; step < total; step += stride) into.append(static_cast<double>(step), learningRate(config, step, total));
    into.append(static_cast<double>(total), learningRate(config, total, total));
}

void LearningRateChart::beforeDrawing() {
    const bool live = data().run() && data().run()->state != RunState::Finished;
    m_planned.clear();
    m_stagedPlan.clear();
    if (live) plan(data().tuning().applied, m_planned);
    const RunConfig& applied = data().tuning().applied;
    const bool differs = m_staged && (m_staged->lr != applied.lr || m_staged->schedule != applied.schedule || m_staged->warmup != applied.warmup);
    if (live && differs) plan(*m_staged, m_stagedPlan);
}

ProbesChart::ProbesChart(const RunData* data, StepAxis* axis)
    : LineChart(
          QStringLiteral("run.probes"), tr("Probes"),
          [] {
              LineChart::Options options;
              options.unit = tr("difference to the base");
              options.canBeLogarithmic = false;
              options.empty =
                  tr("No probe has been measured in this run. Probes ask the model the same questions while it trains, and show what it forgets.");
              return options;
          }(),
          data, axis) {
    connect(data, &RunData::probesChanged, this, &ProbesChart::rebuild);
    connect(data, &RunData::cleared, this, &ProbesChart::rebuild);
    setLevels([this] {
        std::vector<LevelLine> levels;
        if (!lines().empty()) levels.push_back({0, tr("base"), false});
        return levels;
    });
    rebuild();
}

void ProbesChart::rebuild() {
    std::map<std::string, std::vector<const ProbeRow*>> byName;
    for (const ProbeRow& row : data().probes()) {
        if (!row.superseded) byName[row.measure.empty() ? row.probe : row.probe + ' ' + row.measure].push_back(&row);
    }
    std::vector<LineSpec> lines;
    std::vector<std::unique_ptr<Curve>> curves;
    for (auto& [name, rows] : byName) {
        std::stable_sort(rows.begin(), rows.end(), [](const ProbeRow* a, const ProbeRow* b) { return a->step < b->step; });
        auto curve = std::make_unique<Curve>();
        const double base = rows.front()->value;
        for (const ProbeRow* row : rows) {
            const auto step = static_cast<double>(row->step);
            curve->values.append(step, row->value - base);
            curve->low.append(step, row->low - base);
            curve->high.append(step, row->high - base);
        }
        LineSpec line;
        line.name = ui::shown(name);
        line.colour = static_cast<int>(lines.size());
        line.style = LineSpec::Style::Ringed;
        Curve* kept = curve.get();
        line.values = [kept] { return &kept->values; };
        line.low = [kept] { return &kept->low; };
        line.high = [kept] { return &kept->high; };
        lines.push_back(std::move(line));
        curves.push_back(std::move(curve));
    }
    setLines(std::move(lines));
    m_curves = std::move(curves);
}

AlphaStrip::AlphaStrip(const RunData* data, StepAxis* axis)
    : LineChart(
          QStringLiteral("run.alphaStrip"), tr("α asked"),
          [] {
              LineChart::Options options;
              options.unit = tr("%");
              options.logarithmic = true;
              return options;
          }(),
          data, axis) {
    std::vector<LineSpec> lines;
    lines.push_back(ofSeries(data, SeriesId::AlphaAsked, tr("asked"), 0, LineSpec::Style::Step));
    LineSpec moved = ofSeries(data, SeriesId::MovedShare, tr("moved, all"), 1, LineSpec::Style::Thin);
    lines.push_back(moved);
    setLines(std::move(lines));
    setMinimumHeight(112);
    addPainter(QStringLiteral("axes"), [this](QCPPainter* painter) { paintSegments(painter); });
    connect(data, &RunData::cleared, this, [this] {
        m_segments.clear();
        m_seenSteps = 0;
    });
}

void AlphaStrip::drawSeries() {
    const QCPRange before = plot().yAxis->range();
    LineChart::drawSeries();
    const QCPRange fitted = plot().yAxis->range();
    // The segments stand below the curves, not over them. A range that the user chose stays.
    if (fitted == before || plot().axisRect()->height() < 1) return;
    const double share = std::min(0.6, (fontMetrics().height() + 3.0) / plot().axisRect()->height());
    const double part = share / (1 - share);
    const double lower = isLogarithmic() ? fitted.lower * std::pow(fitted.lower / fitted.upper, part) : fitted.lower - fitted.size() * part;
    plot().yAxis->setRange(lower, fitted.upper);
}

void AlphaStrip::beforeDrawing() {
    const auto& steps = data().steps();
    if (m_seenSteps > steps.size()) {
        m_segments.clear();
        m_seenSteps = 0;
    }
    for (; m_seenSteps < steps.size(); ++m_seenSteps) {
        const StepRow& row = steps[m_seenSteps];
        const QString label = ui::granularityText(row.granularity);
        if (m_segments.empty() || m_segments.back().label != label) m_segments.push_back({row.step, row.step, label});
        m_segments.back().to = row.step;
    }
}

void AlphaStrip::paintSegments(QCPPainter* painter) {
    const QRect rect = plot().axisRect()->rect();
    const int height = fontMetrics().height();
    painter->setFont(font());
    for (std::size_t i = 0; i < m_segments.size(); ++i) {
        const Segment& segment = m_segments[i];
        const double left = std::max<double>(rect.left(), pixelOf(static_cast<double>(segment.from) - 0.5));
        const double right = std::min<double>(rect.right(), pixelOf(static_cast<double>(segment.to) + 0.5));
        if (right <= left) continue;
        const QRectF box(left, rect.bottom() - height + 1, right - left, height);
        QColor ground = i % 2 == 0 ? theme().band : theme().grid;
        ground.setAlphaF(0.85F);
        painter->setPen(QPen(theme().surface, 1));
        painter->setBrush(ground);
        painter->drawRect(box);
        painter->setPen(theme().ink);
        const QRectF text = box.adjusted(4, 0, -4, 0);
        if (text.width() > fontMetrics().averageCharWidth() * 3) {
            painter->drawText(text, Qt::AlignLeft | Qt::AlignVCenter,
                              fontMetrics().elidedText(segment.label, Qt::ElideRight, static_cast<int>(text.width())));
        }
    }
}

LineChart* makeGradientChart(const RunData* data, StepAxis* axis) {
    LineChart::Options options = withUnit(QString());
    options.logarithmic = true;
    auto* chart = new LineChart(QStringLiteral("run.gradient"), Charts::tr("Gradient norm"), options, data, axis);
    chart->setLines({ofSeries(data, SeriesId::GradNorm, Charts::tr("before clipping"), 0),
                     ofSeries(data, SeriesId::ClippedNorm, Charts::tr("after"), 1, LineSpec::Style::Thin),
                     ofSeries(data, SeriesId::TopGradNorm, Charts::tr("L1, top α"), 2, LineSpec::Style::Thin)});
    chart->setLevels([data] {
        std::vector<LevelLine> levels;
        if (data->run() && data->tuning().applied.clip > 0) levels.push_back({data->tuning().applied.clip, Charts::tr("clip"), false});
        return levels;
    });
    return chart;
}

LineChart* makeSpeedChart(const RunData* data, StepAxis* axis) {
    LineChart::Options options = withUnit(Charts::tr("trained tokens/s"));
    options.fromZero = true;
    auto* chart = new LineChart(QStringLiteral("run.speed"), Charts::tr("Speed"), options, data, axis);
    chart->setLines({ofSeries(data, SeriesId::TokensPerSecond, Charts::tr("tokens/s"), 0)});
    return chart;
}

LineChart* makeTimePerStepChart(const RunData* data, StepAxis* axis) {
    LineChart::Options options = withUnit(Charts::tr("ms"));
    options.fromZero = true;
    options.canBeLogarithmic = false;
    auto* chart = new LineChart(QStringLiteral("run.timePerStep"), Charts::tr("Time per step"), options, data, axis);
    std::vector<LineSpec> lines;
    const auto add = [&](SeriesId sum, SeriesId part, const QString& name) {
        LineSpec line = ofSeries(data, sum, name, static_cast<int>(lines.size()), LineSpec::Style::Stacked);
        line.taken = nullptr;
        line.shown = [data, part] { return &data->series().of(part); };
        lines.push_back(line);
    };
    add(SeriesId::StackData, SeriesId::DataMs, Charts::tr("data"));
    add(SeriesId::StackForwardBackward, SeriesId::ForwardBackwardMs, Charts::tr("forward, backward"));
    add(SeriesId::StackOptimizer, SeriesId::OptimizerMs, Charts::tr("optimizer"));
    add(SeriesId::StackStatistics, SeriesId::StatisticsMs, Charts::tr("statistics"));
    LineSpec whole = ofSeries(data, SeriesId::StepMs, Charts::tr("whole step"), -1, LineSpec::Style::Thin);
    lines.push_back(whole);
    chart->setLines(std::move(lines));
    return chart;
}

LineChart* makeLoadChart(const RunData* data, StepAxis* axis) {
    LineChart::Options options = withUnit(QStringLiteral("%"));
    options.fixed = ValueRange{0, 100};
    options.canBeLogarithmic = false;
    options.empty = Charts::tr("This run has no samples of the machine.");
    auto* chart = new LineChart(QStringLiteral("run.load"), Charts::tr("Load"), options, data, axis);
    chart->setLines({ofMachine(data, RunSeries::Machine::Cpu, Charts::tr("processor"), QStringLiteral("%"), 0),
                     ofMachine(data, RunSeries::Machine::DeviceLoad, Charts::tr("GPU"), QStringLiteral("%"), 1)});
    QObject::connect(data, &RunData::machineChanged, chart, &LineChart::invalidate);
    return chart;
}

LineChart* makeMemoryChart(const RunData* data, StepAxis* axis) {
    LineChart::Options options = withUnit(Charts::tr("GiB"));
    options.fromZero = true;
    options.canBeLogarithmic = false;
    options.empty = Charts::tr("This run has no samples of the machine.");
    auto* chart = new LineChart(QStringLiteral("run.memory"), Charts::tr("Memory"), options, data, axis);
    chart->setLines({ofMachine(data, RunSeries::Machine::Resident, Charts::tr("engine"), Charts::tr("GiB"), 0),
                     ofMachine(data, RunSeries::Machine::HostUsed, Charts::tr("host, all"), Charts::tr("GiB"), 2),
                     ofMachine(data, RunSeries::Machine::DeviceMemory, Charts::tr("GPU"), Charts::tr("GiB"), 1)});
    chart->setLevels([data] {
        std::vector<LevelLine> levels;
        if (data->machine().empty()) return levels;
        const MachineRow& row = data->machine().back();
        constexpr double gib = 1024.0 * 1024.0 * 1024.0;
        if (row.deviceTotalBytes > 0)
            levels.push_back({static_cast<double>(row.deviceTotalBytes) / gib, Charts::tr("GPU memory"), true});
        else if (row.hostTotalBytes > 0)
            levels.push_back({static_cast<double>(row.hostTotalBytes) / gib, Charts::tr("host memory"), true});
        return levels;
    });
    QObject::connect(data, &RunData::machineChanged, chart, &LineChart::invalidate);
    return chart;
}

LineChart* makeHeatChart(const RunData* data, StepAxis* axis) {
    LineChart::Options options = withUnit(QString());
    options.canBeLogarithmic = false;
    options.empty = Charts::tr("No temperature or power is known of this device.");
    auto* chart = new LineChart(QStringLiteral("run.heat"), Charts::tr("Temperature and power"), options, data, axis);
    chart->setLines({ofMachine(data, RunSeries::Machine::DeviceHeat, Charts::tr("temperature, °C"), QStringLiteral("°C"), 1),
                     ofMachine(data, RunSeries::Machine::DevicePower, Charts::tr("power, W"), QStringLiteral("W"), 3)});
    QObject::connect(data, &RunData::machineChanged, chart, &LineChart::invalidate);
    return chart;
}

LineChart* makeThresholdChart(const RunData* data, StepAxis* axis) {
    LineChart::Options options = withUnit(QStringLiteral("|m|"));
    options.logarithmic = true;
    options.empty = Charts::tr("First statistics after step 1");
    auto* chart = new LineChart(QStringLiteral("run.threshold"), Charts::tr("Threshold"), options, data, axis);
    LineSpec median = ofSeries(data, SeriesId::ThresholdMedian, Charts::tr("median"), 0);
    median.taken = nullptr;
    median.low = [data] { return &data->series().of(SeriesId::ThresholdLow); };
    median.high = [data] { return &data->series().of(SeriesId::ThresholdHigh); };
    chart->setLines({median});
    return chart;
}

LineChart* makeChurnChart(const RunData* data, StepAxis* axis) {
    LineChart::Options options;
    options.isShare = true;
    options.canBeLogarithmic = false;
    options.fixed = ValueRange{0, 1};
    options.empty = Charts::tr("First statistics after step 1");
    auto* chart = new LineChart(QStringLiteral("run.churn"), Charts::tr("Churn and coverage"), options, data, axis);
    LineSpec churn = ofSeries(data, SeriesId::Churn, Charts::tr("churn"), 0);
    LineSpec coverage = ofSeries(data, SeriesId::Coverage, Charts::tr("ever moved"), 2);
    churn.taken = coverage.taken = nullptr;
    chart->setLines({churn, coverage});
    return chart;
}

LineChart* makeDriftLines(const RunData* data, StepAxis* axis) {
    LineChart::Options options = withUnit(Charts::tr("relative L2"));
    options.empty = Charts::tr("First statistics after step 1");
    auto* chart = new LineChart(QStringLiteral("run.driftLines"), Charts::tr("Drift by kind"), options, data, axis);
    const auto rebuild = [chart, data] {
        std::vector<LineSpec> lines;
        LineSpec whole = ofSeries(data, SeriesId::DriftWhole, Charts::tr("whole model"), -1, LineSpec::Style::Thick);
        whole.taken = nullptr;
        lines.push_back(whole);
        for (std::size_t kind = 0; kind < data->series().kinds().size(); ++kind) {
            LineSpec line;
            line.name = ui::shown(data->series().kinds()[kind]);
            line.colour = static_cast<int>(kind);
            // The colours are used up after seven: what repeats one is dashed.
            line.style = kind < 7 ? LineSpec::Style::Line : LineSpec::Style::Dashed;
            line.values = [data, kind] {
                return kind < data->series().kinds().size() ? &data->series().driftOfKind(kind) : &data->series().of(SeriesId::DriftWhole);
            };
            lines.push_back(line);
        }
        if (lines.size() != chart->lines().size()) chart->setLines(std::move(lines));
    };
    QObject::connect(data, &RunData::tensorsChanged, chart, rebuild);
    QObject::connect(data, &RunData::parametersChanged, chart, rebuild);
    rebuild();
    chart->setLevels([data] {
        std::vector<LevelLine> levels;
        if (data->run() && data->tuning().applied.guardDrift > 0)
            levels.push_back({data->tuning().applied.guardDrift, Charts::tr("guard: drift"), true});
        return levels;
    });
    return chart;
}

}  // namespace mofo
