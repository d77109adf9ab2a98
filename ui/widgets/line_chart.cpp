#include "ui/widgets/line_chart.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QToolButton>
#include <algorithm>
#include <cmath>

#include "ui/models/display_text.h"
#include "ui/widgets/chart_colours.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {

namespace {

/// Shares read as percent along the axis.
class ShareTicker : public QCPAxisTicker {
protected:
    QString getTickLabel(double tick, const QLocale&, QChar, int) override { return ui::percent(std::fabs(tick) < 1e-12 ? 0.0 : tick); }
};

/// 1, 2 and 5 of each decade where few decades are in view, else decades; short labels.
class LogTicker : public QCPAxisTicker {
public:
    /// `axis` tells how much room there is: labels keep a line's height from one another.
    LogTicker(const QCPAxis* axis, int lineHeight) : m_axis(axis), m_lineHeight(lineHeight) {}

protected:
    QVector<double> createTickVector(double, const QCPRange& range) override {
        QVector<double> ticks;
        if (!(range.lower > 0) || !(range.upper > range.lower)) return ticks;
        const double decades = std::log10(range.upper / range.lower);
        const int first = static_cast<int>(std::floor(std::log10(range.lower)));
        const int last = static_cast<int>(std::ceil(std::log10(range.upper)));
        const int stride = std::max(1, static_cast<int>(std::ceil(decades / 5)));
        const double pixels = m_axis->axisRect()->height() / decades;  // of a decade
        const auto fits = [&](double tick) {
            return std::all_of(ticks.begin(), ticks.end(),
                               [&](double other) { return std::fabs(std::log10(tick / other)) * pixels >= m_lineHeight; });
        };
        // The rounder a number, the sooner it gets its place.
        for (const double factor : {1.0, 5.0, 2.0, 3.0, 1.5, 7.0}) {
            const bool wanted = factor == 1.0 || (decades <= 2 && (factor == 2.0 || factor == 5.0)) || decades <= 0.8;
            for (int decade = first; wanted && decade <= last; ++decade) {
                if (decades > 2 && decade % stride != 0) continue;
                const double tick = std::pow(10.0, decade) * factor;
                if (tick >= range.lower && tick <= range.upper && fits(tick)) ticks << tick;
            }
        }
        std::sort(ticks.begin(), ticks.end());
        return ticks;
    }
    QString getTickLabel(double tick, const QLocale&, QChar, int) override { return ui::shortNumber(tick); }

private:
    const QCPAxis* m_axis;
    const int m_lineHeight;
};

/// One point per pixel column, the greatest: the edge of an area that is filled. Breaks stay.
void keepGreatest(QVector<QCPGraphData>& points, double lower, double upper, int columns) {
    const auto columnOf = [&](const QCPGraphData& point) { return static_cast<int>(std::floor((point.key - lower) / (upper - lower) * columns)); };
    qsizetype kept = 0;
    for (qsizetype i = 0; i < points.size(); ++i) {
        const bool same = kept > 0 && columnOf(points[kept - 1]) == columnOf(points[i]);
        if (!same || std::isnan(points[i].value) || std::isnan(points[kept - 1].value))
            points[kept++] = points[i];
        else if (points[i].value > points[kept - 1].value)
            points[kept - 1] = points[i];
    }
    points.resize(kept);
}

}  // namespace

LineChart::LineChart(const QString& objectName, const QString& title, Options options, const RunData* data, StepAxis* axis, QWidget* parent)
    : ChartView(objectName, title, data, axis, parent), m_options(std::move(options)), m_legend(new ChartLegend(this)) {
    m_legend->setObjectName(objectName + QStringLiteral(".legend"));
    m_legend->setAccessibleName(tr("%1: series").arg(title));
    QCustomPlot& p = plot();
    addPainter(QStringLiteral("axes"), [this](QCPPainter* painter) {
        paintLevels(painter);
        paintMarks(painter);
    });
    addPainter(
        QStringLiteral("axes"), [this](QCPPainter* painter) { paintEndLabels(painter); }, true);
    setSideColumn(m_legend);
    m_sideCanGoAbove = true;
    p.yAxis->setNumberFormat(QStringLiteral("g"));
    p.yAxis->setNumberPrecision(4);
    connect(m_legend, &ChartLegend::toggled, this, [this](int line) { setLineOn(line, !m_lines[static_cast<std::size_t>(line)].on); });
    connect(m_legend, &ChartLegend::soloed, this, &LineChart::solo);
    if (m_options.canBeLogarithmic) m_logButton = addSwitch("log", tr("log"), tr("Logarithmic axis (L)"), [this](bool on) { setLogarithmic(on); });
    setLogarithmic(m_options.logarithmic);
    connect(data, &RunData::stepsChanged, this, [this] { markDirty(); });
    connect(data, &RunData::tensorsChanged, this, [this] { markDirty(); });
    connect(data, &RunData::evalsChanged, this, [this] { markDirty(); });
    connect(data, &RunData::runChanged, this, [this] { markDirty(); });
}

QToolButton* LineChart::addSwitch(const char* name, const QString& text, const QString& help, std::function<void(bool)> act) {
    auto* button = new QToolButton(this);
    button->setObjectName(objectName() + QLatin1Char('.') + QLatin1String(name));
    button->setAccessibleName(tr("%1: %2", "chart, what its button switches").arg(title(), help));
    button->setText(text);
    button->setCheckable(true);
    button->setToolTip(help);
    button->setMinimumHeight(22);
    connect(button, &QToolButton::toggled, this, std::move(act));
    // Before the menu button, which stays last.
    titleRow()->insertWidget(titleRow()->count() - 1, button);
    return button;
}

QColor LineChart::colourOf(const LineSpec& line) const {
    if (line.colour == -1) return theme().ink;
    if (line.colour == -2) return theme().accent;
    return seriesColour(theme(), line.colour);
}

void LineChart::setLines(std::vector<LineSpec> lines) {
    for (LineSpec& line : lines) {
        for (const LineSpec& before : m_lines) {
            if (before.name == line.name) line.on = before.on;
        }
    }
    m_lines = std::move(lines);
    const bool labels = std::any_of(m_lines.begin(), m_lines.end(), [](const LineSpec& line) { return !line.endLabel.isEmpty(); });
    QMargins margins = plot().axisRect()->margins();
    margins.setRight(rightMargin + (labels ? 3 * fontMetrics().averageCharWidth() + 4 : 0));
    plot().axisRect()->setMargins(margins);
    makeGraphs();
    markDirty();
}

void LineChart::makeGraphs() {
    QCustomPlot& p = plot();
    p.clearGraphs();
    m_drawn.clear();
    const auto add = [&p] {
        QCPGraph* graph = p.addGraph();
        graph->setAdaptiveSampling(false);
        graph->setAntialiased(true);
        graph->setSelectable(QCP::stNone);
        return graph;
    };
    for (const LineSpec& line : m_lines) {
        Drawn drawn;
        const bool band = line.low && line.style != LineSpec::Style::Ringed;
        if (band) {
            drawn.low = add();
            drawn.high = add();
        }
        drawn.graph = add();
        if (line.style == LineSpec::Style::Step) drawn.graph->setLineStyle(QCPGraph::lsStepLeft);
        m_drawn.push_back(drawn);
    }
    setPens();
}

void LineChart::setPens() {
    for (std::size_t i = 0; i < m_lines.size() && i < m_drawn.size(); ++i) {
        const LineSpec& line = m_lines[i];
        const QColor colour = colourOf(line);
        Drawn& drawn = m_drawn[i];
        QColor thin = colour;
        thin.setAlphaF(0.55F);
        QColor faint = colour;
        faint.setAlphaF(0.3F);
        switch (line.style) {
            case LineSpec::Style::Thin: drawn.graph->setPen(QPen(thin, 1, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin)); break;
            case LineSpec::Style::Thick: drawn.graph->setPen(QPen(colour, 2.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin)); break;
            case LineSpec::Style::Dashed: drawn.graph->setPen(QPen(colour, 1.4, Qt::DashLine)); break;
            case LineSpec::Style::Step: drawn.graph->setPen(QPen(colour, 2)); break;
            case LineSpec::Style::Stacked: {
                drawn.graph->setPen(QPen(colour, 1));
                QColor ground = colour;
                ground.setAlphaF(0.5F);
                drawn.graph->setBrush(ground);
                if (i > 0 && m_lines[i - 1].style == LineSpec::Style::Stacked) drawn.graph->setChannelFillGraph(m_drawn[i - 1].graph);
                break;
            }
            case LineSpec::Style::Ringed:
                drawn.graph->setPen(QPen(colour, 1.4));
                drawn.graph->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(colour, 1.8), QBrush(theme().surface), 8));
                break;
            case LineSpec::Style::Line: drawn.graph->setPen(QPen(colour, 1.6, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin)); break;
        }
        if (line.dashed) {
            QPen pen = drawn.graph->pen();
            pen.setDashPattern({5, 3});
            pen.setCapStyle(Qt::FlatCap);
            drawn.graph->setPen(pen);
        }
        if (drawn.low != nullptr) {
            QColor ground = colour;
            ground.setAlphaF(0.18F);
            drawn.low->setPen(Qt::NoPen);
            drawn.high->setPen(Qt::NoPen);
            drawn.high->setBrush(ground);
            drawn.high->setChannelFillGraph(drawn.low);
        }
        for (QCPGraph* taken : drawn.taken) taken->setPen(QPen(faint, 1.5));
    }
}

void LineChart::setLogarithmic(bool logarithmic) {
    if (m_logButton != nullptr) m_logButton->setChecked(logarithmic);
    m_logarithmic = logarithmic;
    m_ownRange = false;
    plot().yAxis->setScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    QSharedPointer<QCPAxisTicker> ticker;
    if (logarithmic)
        ticker = QSharedPointer<QCPAxisTicker>(new LogTicker(plot().yAxis, fontMetrics().height() - 2));
    else if (m_options.isShare)
        ticker = QSharedPointer<QCPAxisTicker>(new ShareTicker);
    else
        ticker = QSharedPointer<QCPAxisTicker>::create();
    ticker->setTickCount(4);
    plot().yAxis->setTicker(ticker);
    markDirty();
}

void LineChart::setOptions(Options options) {
    m_options = std::move(options);
    setLogarithmic(m_options.logarithmic);
}

void LineChart::setClipped(bool clipped) {
    m_clipped = clipped;
    m_ownRange = false;
    markDirty();
}

void LineChart::setLineOn(int line, bool on) {
    showLine(line, on);
    drawIfNeeded();
}

void LineChart::showLine(int line, bool on) {
    m_lines[static_cast<std::size_t>(line)].on = on;
    markDirty();
}

void LineChart::solo(int line) {
    const bool alone = std::none_of(m_lines.begin(), m_lines.end(),
                                    [&](const LineSpec& other) { return other.on && &other != &m_lines[static_cast<std::size_t>(line)]; });
    for (std::size_t i = 0; i < m_lines.size(); ++i) m_lines[i].on = alone || i == static_cast<std::size_t>(line);
    markDirty();
    drawIfNeeded();
}

void LineChart::fill(QCPGraph* graph, const SeriesBuffer& series, bool isArea) {
    const int columns = std::max(1, plot().axisRect()->width());
    const std::vector<SeriesPoint> points = series.thinned(axis().lower(), axis().upper(), columns);
    QVector<QCPGraphData> drawn;
    drawn.reserve(static_cast<qsizetype>(points.size()));
    for (const SeriesPoint& point : points) {
        // What a logarithmic axis cannot show breaks the line and is marked at the lower edge.
        const bool lost = m_logarithmic && point.value <= 0;
        drawn.append(QCPGraphData(axis().unitsAt(point.key), lost ? std::numeric_limits<double>::quiet_NaN() : point.value));
    }
    // One long path of thousands of joined, smoothed zigzags takes the painter a hundred times as long as its segments one by one.
    const bool dense = drawn.size() > columns;
    graph->setAntialiased(!dense);
    if (dense && graph->pen().style() == Qt::SolidLine && graph->pen().widthF() != 1) {
        QPen pen = graph->pen();
        pen.setWidthF(1);
        graph->setPen(pen);
    }
    graph->setAntialiasedFill(!dense);
    if (dense && isArea) keepGreatest(drawn, axis().unitsAt(axis().lower()), axis().unitsAt(axis().upper()), columns);
    graph->data()->set(drawn, true);
    if (dense) plot().setPlottingHint(QCP::phFastPolylines, true);
}

void LineChart::drawSeries() {
    beforeDrawing();
    QCustomPlot& p = plot();
    p.setPlottingHint(QCP::phFastPolylines, false);
    setPens();
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
        const LineSpec& line = m_lines[i];
        Drawn& drawn = m_drawn[i];
        drawn.graph->setVisible(line.on);
        if (drawn.low != nullptr) {
            drawn.low->setVisible(line.on);
            drawn.high->setVisible(line.on);
        }
        const std::vector<SeriesBuffer>* stretches = line.taken ? line.taken() : nullptr;
        const std::size_t wanted = stretches != nullptr && line.on ? stretches->size() : 0;
        while (drawn.taken.size() > wanted) {
            p.removeGraph(drawn.taken.back());
            drawn.taken.pop_back();
        }
        while (drawn.taken.size() < wanted) {
            QCPGraph* graph = p.addGraph();
            graph->setAdaptiveSampling(false);
            QColor faint = colourOf(line);
            faint.setAlphaF(0.3F);
            graph->setPen(QPen(faint, 1.5));
            drawn.taken.push_back(graph);
        }
        if (!line.on) continue;
        fill(drawn.graph, *line.values(), line.style == LineSpec::Style::Stacked);
        if (drawn.low != nullptr) {
            fill(drawn.low, *line.low());
            fill(drawn.high, *line.high());
        }
        for (std::size_t stretch = 0; stretch < wanted; ++stretch) fill(drawn.taken[stretch], (*stretches)[stretch]);
    }
    if (!m_ownRange) {
        std::optional<ValueRange> range;
        const auto cover = [&](const SeriesBuffer* series) {
            const std::optional<ValueRange> part = series->finiteRange(axis().lower(), axis().upper());
            if (part) range = range ? ValueRange{std::min(range->lower, part->lower), std::max(range->upper, part->upper)} : *part;
        };
        for (const LineSpec& line : m_lines) {
            if (!line.on) continue;
            cover(line.values());
            if (line.low) cover(line.low());
            if (line.high) cover(line.high());
        }
        if (m_levels && range) {
            for (const LevelLine& level : m_levels()) {
                // A limit far away would flatten the curve: it is drawn where it comes into view.
                const double width = range->upper - range->lower;
                if (!level.isGuard || level.value < range->upper + 2 * width)
                    range = ValueRange{std::min(range->lower, level.value), std::max(range->upper, level.value)};
            }
        }
        if (!range) range = m_options.fixed ? *m_options.fixed : m_logarithmic ? ValueRange{1e-6, 1} : ValueRange{0, 1};
        if (m_clipped) range->upper = clippedUpper(range->upper);
        if (m_options.fixed) range = *m_options.fixed;
        if (m_logarithmic) {
            double lower = range->lower;
            if (!(lower > 0)) {
                lower = range->upper > 0 ? range->upper * 1e-4 : 1e-6;
                for (const LineSpec& line : m_lines) {
                    // The least positive value, so that zeros do not open eight decades of nothing.
                    if (!line.on) continue;
                    for (const SeriesPoint& point : line.values()->thinned(axis().lower(), axis().upper(), 400)) {
                        if (point.value > 0 && point.value < lower) lower = point.value;
                    }
                }
            }
            const double factor = std::pow(std::max(range->upper, lower * 1.05) / lower, 0.05);
            p.yAxis->setRange(lower / factor, std::max(range->upper, lower * 1.05) * factor);
        } else {
            const double pad = std::max((range->upper - range->lower) * 0.06, std::fabs(range->upper) * 0.002 + 1e-12);
            const double lower = m_options.fromZero && range->lower >= 0 ? 0 : range->lower - pad;
            p.yAxis->setRange(m_options.fixed ? range->lower : lower, m_options.fixed ? range->upper : range->upper + pad);
        }
    }
    refreshLegend();
}

double LineChart::clippedUpper(double otherwise) const {
    std::vector<double> values;
    for (const LineSpec& line : m_lines) {
        if (!line.on) continue;
        const SeriesBuffer& series = *line.values();
        const std::size_t begin = series.lowerBound(axis().lower()), end = series.lowerBound(axis().upper());
        const std::size_t stride = std::max<std::size_t>(1, (end - begin) / 20'000);
        for (std::size_t i = begin; i < end; i += stride) {
            if (std::isfinite(series.value(i))) values.push_back(series.value(i));
        }
    }
    if (values.size() < 20) return otherwise;
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(values.size()) * 0.99);
    std::nth_element(values.begin(), place, values.end());
    return *place;
}

void LineChart::refreshLegend() {
    std::vector<LegendEntry> entries;
    int nan = 0, inf = 0;
    bool taken = false;
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
        const LineSpec& line = m_lines[i];
        const SeriesBuffer& series = *line.values();
        if (line.taken && !line.taken()->empty()) taken = true;
        if (line.on && line.marks) {
            for (const std::size_t index : series.nonFinite()) (std::isnan(series.value(index)) ? nan : inf) += 1;
        }
        if (!line.inLegend) continue;
        const QColor colour = colourOf(line);
        const LineSpec::Style style = line.style;
        const QColor ground = theme().surface;
        const bool dashed = line.dashed;
        entries.push_back({line.name,
                           [colour, style, ground, dashed](QPainter& painter, QPointF a, QPointF b) {
                               QColor thin = colour;
                               thin.setAlphaF(0.55F);
                               switch (style) {
                                   case LineSpec::Style::Thin: painter.setPen(QPen(thin, 1)); break;
                                   case LineSpec::Style::Thick: painter.setPen(QPen(colour, 2.4)); break;
                                   case LineSpec::Style::Dashed: painter.setPen(QPen(colour, 1.4, Qt::DashLine)); break;
                                   case LineSpec::Style::Stacked:
                                       painter.setPen(QPen(colour, 1));
                                       thin.setAlphaF(0.5F);
                                       painter.setBrush(thin);
                                       painter.drawRect(QRectF(a + QPointF(2, -4), b + QPointF(-2, 4)));
                                       return;
                                   default: painter.setPen(QPen(colour, 1.6)); break;
                               }
                               if (dashed) {
                                   QPen pen = painter.pen();
                                   pen.setDashPattern({4, 2});
                                   painter.setPen(pen);
                               }
                               painter.drawLine(a, b);
                               if (style == LineSpec::Style::Ringed) {
                                   painter.setBrush(ground);
                                   painter.setPen(QPen(colour, 1.8));
                                   painter.drawEllipse((a + b) / 2, 3.5, 3.5);
                               }
                           },
                           static_cast<int>(i), line.on});
    }
    if (taken) {
        const QColor hatch = theme().hatch;
        entries.push_back({tr("taken back"),
                           [hatch](QPainter& painter, QPointF a, QPointF b) {
                               painter.setPen(Qt::NoPen);
                               painter.setBrush(QBrush(hatch, Qt::BDiagPattern));
                               painter.drawRect(QRectF(a + QPointF(0, -5), b + QPointF(0, 5)));
                           },
                           -1, true});
    }
    const QColor error = theme().error;
    if (nan > 0) {
        entries.push_back({tr("%1 NaN").arg(ui::count(nan)),
                           [error](QPainter& painter, QPointF a, QPointF b) {
                               painter.setPen(QPen(error, 2));
                               ChartLegend::drawCross(painter, (a + b) / 2, 4);
                           },
                           -1, true});
    }
    if (inf > 0) {
        entries.push_back({tr("%1 Inf").arg(ui::count(inf)),
                           [error](QPainter& painter, QPointF a, QPointF b) {
                               const QPointF c = (a + b) / 2;
                               painter.setPen(Qt::NoPen);
                               painter.setBrush(error);
                               painter.drawPolygon(QPolygonF{c + QPointF(-5, 4), c + QPointF(5, 4), c + QPointF(0, -5)});
                           },
                           -1, true});
    }
    addLegendNotes(entries);
    m_legend->setEntries(std::move(entries));
}

void LineChart::sideMoved(bool above) { m_legend->setHorizontal(above); }

void LineChart::paintLegend(QPainter& painter, const QRect& room, const Theme& theme) const { m_legend->paint(painter, room, theme.ink); }

std::vector<const SeriesBuffer*> LineChart::markedSeries() const {
    std::vector<const SeriesBuffer*> marked;
    for (const LineSpec& line : m_lines) {
        if (line.on && line.marks) marked.push_back(line.values());
    }
    return marked;
}

std::vector<ReadoutRow> LineChart::readoutRows(double step) const {
    std::vector<ReadoutRow> rows;
    for (const LineSpec& line : m_lines) {
        if (!line.on || !line.inTable) continue;
        const SeriesBuffer& series = line.shown ? *line.shown() : *line.values();
        const std::optional<std::size_t> index = series.nearest(step);
        if (!index) continue;
        QString name = line.name;
        // Series of a coarser grid say which of their points this is.
        if (std::fabs(series.key(*index) - step) > 0.5)
            name += QStringLiteral(" @") + ui::count(static_cast<std::int64_t>(std::llround(series.key(*index))));
        rows.push_back({name, series.value(*index), colourOf(line), line.isShare || m_options.isShare});
    }
    return rows;
}

QString LineChart::readoutText() const {
    const double step = shownStep();
    const std::vector<ReadoutRow> rows = readoutRows(step);
    if (rows.empty()) return m_options.unit;
    QString text = tr("step %1").arg(ui::count(static_cast<std::int64_t>(std::llround(step))));
    for (const ReadoutRow& row : rows) {
        text += QStringLiteral(" · %1 %2")
                    .arg(row.name, row.isShare && std::isfinite(row.value) ? ui::measuredPercent(row.value) : ui::fourDigits(row.value));
    }
    if (!m_options.unit.isEmpty()) text += QLatin1Char(' ') + m_options.unit;
    return text;
}

ChartTable LineChart::table(double from, double to) const {
    std::vector<ChartTable::Source> sources;
    for (const LineSpec& line : m_lines) {
        if (!line.on || !line.inTable) continue;
        const QString unit = line.unit.isEmpty() ? m_options.unit : line.unit;
        const QString name = unit.isEmpty() ? line.name : QStringLiteral("%1 [%2]").arg(line.name, unit);
        sources.push_back({name, line.shown ? line.shown() : line.values(), line.taken && !line.shown ? line.taken() : nullptr});
        if (!line.low) continue;
        sources.push_back({tr("%1, low").arg(name), line.low(), nullptr});
        sources.push_back({tr("%1, high").arg(name), line.high(), nullptr});
    }
    return ChartTable::of(sources, from, to);
}

void LineChart::zoomValues(double factor) {
    m_ownRange = true;
    plot().yAxis->scaleRange(factor);
    plot().replot(QCustomPlot::rpQueuedReplot);
}

void LineChart::setValueRange(double lower, double upper) {
    m_ownRange = true;
    plot().yAxis->setRange(lower, upper);
    plot().replot(QCustomPlot::rpQueuedReplot);
}

void LineChart::fitValues() {
    m_ownRange = false;
    markDirty();
}

bool LineChart::handleKey(QKeyEvent* event) {
    if (event->key() != Qt::Key_L || event->modifiers() != Qt::NoModifier || !m_options.canBeLogarithmic) return false;
    setLogarithmic(!m_logarithmic);
    drawIfNeeded();
    return true;
}

void LineChart::addOwnActions(QMenu& menu) {
    if (!m_options.canBeLogarithmic) return;
    QAction* log = menu.addAction(tr("Logarithmic axis\tL"), this, [this] { setLogarithmic(!m_logarithmic); });
    log->setCheckable(true);
    log->setChecked(m_logarithmic);
}

void LineChart::applyTheme(const Theme& theme) {
    ChartView::applyTheme(theme);
    setPens();
    refreshLegend();
}

}  // namespace mofo
