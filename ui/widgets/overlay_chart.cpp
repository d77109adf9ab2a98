#include "ui/widgets/overlay_chart.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>
#include <QSignalBlocker>
#include <QToolButton>
#include <algorithm>
#include <cmath>

#include "ui/models/display_text.h"

namespace mofo {

OverlayChart::OverlayChart(const QString& objectName, std::size_t place, ComparedRuns* runs, const RunData* none, StepAxis* axis, QWidget* parent)
    : LineChart(objectName, tr("Overlay"), {}, none, axis, parent), m_runs(runs), m_place(place) {
    setSideWidth(184);
    m_choice = new QComboBox(this);
    m_choice->setObjectName(objectName + QStringLiteral(".series"));
    m_choice->setAccessibleName(tr("Compared series"));
    m_choice->setToolTip(tr("What of the runs is drawn"));
    m_choice->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_choice->setMaxVisibleItems(30);
    new WheelGuard(m_choice);
    titleRow()->insertWidget(0, m_choice);
    connect(m_choice, &QComboBox::activated, this, [this](int index) { Q_EMIT seriesChosen(m_choice->itemData(index).toString().toStdString()); });
    m_smoothing = new QDoubleSpinBox(this);
    m_smoothing->setObjectName(objectName + QStringLiteral(".smoothing"));
    m_smoothing->setAccessibleName(tr("Smoothing of the curves"));
    m_smoothing->setToolTip(tr("Weight of the past in the curves: 0 follows every step, 0.99 is very smooth (S)"));
    m_smoothing->setRange(0, 0.99);
    m_smoothing->setDecimals(2);
    m_smoothing->setSingleStep(0.05);
    m_smoothing->setPrefix(tr("smooth "));
    new WheelGuard(m_smoothing);
    titleRow()->insertWidget(titleRow()->count() - 2, m_smoothing);
    connect(m_smoothing, &QDoubleSpinBox::valueChanged, this, [this](double value) { m_runs->setSmoothing(m_place, value); });
    m_raw = addSwitch("raw", tr("raw"), tr("The stored values, thin, beneath the smoothed ones"), [this](bool) { rebuild(); });
    m_clip = addSwitch("clip", tr("clip p99"), tr("Leave the highest hundredth out of the range"), [this](bool on) { setClipped(on); });
    connect(runs, &ComparedRuns::runsChanged, this, &OverlayChart::rebuild);
    connect(runs, &ComparedRuns::furtherChanged, this, &OverlayChart::fillChoice);
    connect(runs, &ComparedRuns::pointsChanged, this, [this] {
        // A mean is made of the members' points; all else is read where it lies.
        if (m_runs->means())
            rebuild();
        else
            markDirty();
    });
    connect(&legend(), &ChartLegend::toggled, this, &OverlayChart::onToggled);
    fillChoice();
}

void OverlayChart::fillChoice() {
    const QSignalBlocker quiet(m_choice);
    m_choice->clear();
    for (const ComparedSeries& series : commonSeries()) m_choice->addItem(series.name, QString::fromStdString(series.id));
    if (!m_runs->furtherSeries().empty()) m_choice->insertSeparator(m_choice->count());
    for (const std::string& id : m_runs->furtherSeries()) m_choice->addItem(comparedSeries(id).name, QString::fromStdString(id));
    m_choice->setCurrentIndex(m_choice->findData(QString::fromStdString(m_series)));
}

void OverlayChart::setSeries(const std::string& id) {
    m_series = id;
    const ComparedSeries series = comparedSeries(id);
    setTitle(series.name, false);
    m_choice->setCurrentIndex(m_choice->findData(QString::fromStdString(id)));
    Options options;
    options.unit = series.unit;
    options.isShare = series.isShare;
    options.empty = tr("No run has stored this yet.");
    setOptions(options);
    const bool smooths = series.source == ComparedSeries::Source::Steps;
    m_smoothing->setVisible(smooths);
    m_raw->setVisible(smooths);
    m_clip->setVisible(smooths);
    if (!smooths) m_clip->setChecked(false);
    const QSignalBlocker quiet(m_smoothing);
    m_smoothing->setValue(m_runs->smoothing(m_place));
    rebuild();
}

void OverlayChart::setRawShown(bool shown) { m_raw->setChecked(shown); }

const SeriesBuffer& OverlayChart::drawnOf(const ComparedCurve& curve) const {
    return curve.line->smooth.empty() ? curve.line->values : curve.line->smooth;
}

bool OverlayChart::isOn(const ComparedCurve& curve) const { return m_runs->runs()[curve.members.front()].shown; }

void OverlayChart::rebuild() {
    if (m_series.empty()) return;
    m_curves = m_runs->curves(m_place);
    const bool smooth = m_runs->smoothing(m_place) > 0 && comparedSeries(m_series).source == ComparedSeries::Source::Steps;
    const bool isProbe = comparedSeries(m_series).source == ComparedSeries::Source::Probes;
    const bool isEval = comparedSeries(m_series).source == ComparedSeries::Source::Evals;
    std::vector<LineSpec> lines;
    m_curveOfLine.clear();
    // Stored values first, so that all smoothed ones lie above them.
    for (std::size_t i = 0; smooth && m_raw->isChecked() && i < m_curves.size(); ++i) {
        LineSpec raw;
        raw.name = m_curves[i].letters + QStringLiteral(" raw");
        raw.colour = m_curves[i].colour;
        raw.style = LineSpec::Style::Thin;
        raw.inLegend = raw.marks = false;
        raw.values = [line = m_curves[i].line] { return &line->values; };
        lines.push_back(std::move(raw));
        m_curveOfLine.push_back(i);
    }
    for (std::size_t i = 0; i < m_curves.size(); ++i) {
        const ComparedCurve& curve = m_curves[i];
        LineSpec line;
        line.name = curve.letters + QStringLiteral("  ") + curve.name;
        line.colour = curve.colour;
        line.dashed = curve.isDashed;
        line.endLabel = curve.letters;
        line.style = isProbe || isEval ? LineSpec::Style::Ringed : LineSpec::Style::Line;
        line.values = [kept = curve.line, smooth] { return smooth ? &kept->smooth : &kept->values; };
        line.taken = [kept = curve.line] { return &kept->taken; };
        if (isProbe || curve.isMean) {
            line.low = [kept = curve.line, smooth] { return smooth ? &kept->smoothLow : &kept->low; };
            line.high = [kept = curve.line, smooth] { return smooth ? &kept->smoothHigh : &kept->high; };
        }
        lines.push_back(std::move(line));
        m_curveOfLine.push_back(i);
    }
    setLines(std::move(lines));
    for (std::size_t i = 0; i < m_curveOfLine.size(); ++i) showLine(static_cast<int>(i), isOn(m_curves[m_curveOfLine[i]]));
}

void OverlayChart::onToggled(int line) {
    const ComparedCurve& curve = m_curves[m_curveOfLine[static_cast<std::size_t>(line)]];
    const bool on = lines()[static_cast<std::size_t>(line)].on;
    // By id: each change makes the curves anew.
    QStringList ids;
    for (const std::size_t member : curve.members) ids << m_runs->runs()[member].id;
    for (const QString& id : ids) m_runs->setShown(id, on);
}

QString OverlayChart::placeText(double at) const {
    const double units = at * resolutionOf(m_runs->x().unit);
    switch (m_runs->x().unit) {
        case CompareUnit::Step: return tr("step %1").arg(ui::count(std::llround(units)));
        case CompareUnit::Epoch: return tr("epoch %1").arg(ui::fourDigits(units));
        case CompareUnit::Tokens: return tr("token %1").arg(ui::count(std::llround(units)));
        case CompareUnit::WallTime: return tr("after %1", "time").arg(ui::duration(units));
        case CompareUnit::TrainingTime: return tr("after %1 of training", "time").arg(ui::duration(units));
    }
    return {};
}

std::vector<ReadoutRow> OverlayChart::readoutRows(double at) const {
    std::vector<ReadoutRow> rows;
    const bool steps = m_runs->x().unit == CompareUnit::Step;
    for (const ComparedCurve& curve : m_curves) {
        if (!isOn(curve)) continue;
        const SeriesBuffer& series = drawnOf(curve);
        const std::optional<std::size_t> index = series.nearest(at);
        if (!index) continue;
        QString name = curve.letters + QStringLiteral("  ") + curve.name;
        if (steps && std::fabs(series.key(*index) - at) > 0.5) name += QStringLiteral(" @") + ui::count(std::llround(series.key(*index)));
        LineSpec colour;
        colour.colour = curve.colour;
        rows.push_back({name, series.value(*index), colourOf(colour), comparedSeries(m_series).isShare});
    }
    return rows;
}

QString OverlayChart::readoutText() const {
    const ComparedSeries series = comparedSeries(m_series);
    const std::optional<double> cursor = axis().cursor();
    QString text = cursor ? placeText(loggedNear(*cursor).value_or(*cursor)) : tr("newest");
    bool any = false;
    for (const ComparedCurve& curve : m_curves) {
        if (!isOn(curve)) continue;
        const SeriesBuffer& drawn = drawnOf(curve);
        const std::optional<std::size_t> index = drawn.nearest(cursor.value_or(INFINITY));
        if (!index) continue;
        any = true;
        const double value = drawn.value(*index);
        text += QStringLiteral(" · %1 %2")
                    .arg(curve.letters, series.isShare && std::isfinite(value) ? ui::measuredPercent(value) : ui::fourDigits(value));
    }
    if (!any) return series.unit;
    return series.unit.isEmpty() ? text : text + QLatin1Char(' ') + series.unit;
}

std::optional<double> OverlayChart::loggedNear(double at) const {
    std::optional<double> best;
    for (const ComparedCurve& curve : m_curves) {
        if (!isOn(curve)) continue;
        const std::optional<std::size_t> index = curve.line->values.nearest(at);
        if (!index) continue;
        const double key = curve.line->values.key(*index);
        if (!best || std::fabs(key - at) < std::fabs(*best - at)) best = key;
    }
    return best;
}

std::optional<double> OverlayChart::loggedBeside(double at, int direction) const {
    std::optional<double> best;
    for (const ComparedCurve& curve : m_curves) {
        if (!isOn(curve) || curve.line->values.empty()) continue;
        const SeriesBuffer& series = curve.line->values;
        std::size_t index = series.lowerBound(direction > 0 ? std::nextafter(at, INFINITY) : at);
        if (direction < 0) {
            if (index == 0) continue;
            --index;
        } else if (index == series.size()) {
            continue;
        }
        const double key = series.key(index);
        if (!best || (direction > 0 ? key < *best : key > *best)) best = key;
    }
    return best ? best : loggedNear(at);
}

double OverlayChart::newestLogged() const { return m_runs->newest(); }

ChartTable OverlayChart::table(double from, double to) const {
    const ComparedSeries series = comparedSeries(m_series);
    std::vector<ChartTable::Source> sources;
    for (const ComparedCurve& curve : m_curves) {
        if (!isOn(curve)) continue;
        const QString name = curve.letters + QLatin1Char(' ') + curve.name;
        const auto titled = [&](const QString& what) {
            const QString full = what.isEmpty() ? name : QStringLiteral("%1, %2").arg(name, what);
            return series.unit.isEmpty() ? full : QStringLiteral("%1 [%2]").arg(full, series.unit);
        };
        sources.push_back({titled({}), &curve.line->values, &curve.line->taken});
        if (!curve.line->smooth.empty()) sources.push_back({titled(tr("smoothed %1").arg(m_runs->smoothing(m_place))), &curve.line->smooth, nullptr});
        if (curve.line->low.empty()) continue;
        sources.push_back({titled(tr("low")), &curve.line->low, nullptr});
        sources.push_back({titled(tr("high")), &curve.line->high, nullptr});
    }
    ChartTable table = ChartTable::of(sources, from, to);
    table.axis = columnOf(m_runs->x().unit);
    for (double& step : table.steps) step *= resolutionOf(m_runs->x().unit);
    return table;
}

QString OverlayChart::subject() const {
    QStringList names;
    for (const ComparedCurve& curve : m_curves) {
        if (isOn(curve)) names << curve.name;
    }
    return names.join(QStringLiteral(", "));
}

QString OverlayChart::csvHeader() const {
    QString header = QStringLiteral("# MoFO Workbench: %1 of %2 runs\n").arg(title()).arg(m_runs->runs().size());
    for (std::size_t i = 0; i < m_runs->runs().size(); ++i) {
        const ComparedRuns::Run& run = m_runs->runs()[i];
        header += QStringLiteral("# run %1: %2 (%3), model id %4, config sha256 %5\n")
                      .arg(ComparedRuns::letterOf(i), run.id, run.name, ui::shown(run.modelId), QString::fromStdString(run.configHash));
    }
    header += QStringLiteral("# %1: x axis%2; superseded: 1 where an undo or a resume took the step back; units in brackets\n")
                  .arg(columnOf(m_runs->x().unit), m_runs->x().ownStart ? QStringLiteral(", from each run's own first step") : QString());
    return header;
}

void OverlayChart::addLegendNotes(std::vector<LegendEntry>& entries) const {
    const bool reading = std::any_of(m_runs->runs().begin(), m_runs->runs().end(), [](const ComparedRuns::Run& run) { return !run.complete; });
    if (reading) entries.push_back({tr("reading …"), {}, -1, true});
}

bool OverlayChart::handleKey(QKeyEvent* event) {
    if (event->key() == Qt::Key_F11) {
        Q_EMIT fullWanted();
        return true;
    }
    if (event->key() == Qt::Key_S && event->modifiers() == Qt::NoModifier && m_smoothing->isVisible()) {
        m_smoothing->setFocus(Qt::OtherFocusReason);
        m_smoothing->selectAll();
        return true;
    }
    return LineChart::handleKey(event);
}

bool OverlayChart::event(QEvent* event) {
    // F11 is the Run page's chart alone; here it is this one.
    if (event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent*>(event)->key() == Qt::Key_F11) {
        event->accept();
        return true;
    }
    return LineChart::event(event);
}

}  // namespace mofo
