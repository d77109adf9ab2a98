#include "ui/widgets/loss_chart.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>
#include <QToolButton>
#include <algorithm>
#include <cmath>

#include "ui/models/display_text.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {

/// Line samples and names, beside the plot and never over data.
class LossChart::Legend : public QWidget {
public:
    explicit Legend(LossChart* chart) : QWidget(chart), m_chart(chart) {}

protected:
    void paintEvent(QPaintEvent*) override {
        const Theme theme = Theme::current();
        const RunData& data = m_chart->data();
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.fillRect(rect(), theme.surface);
        const int line = fontMetrics().height() + 3;
        int y = 8 + line / 2;
        const auto entry = [&](const QString& text, auto&& sample) {
            if (y + line / 2 > height()) return;
            painter.save();
            sample(QPointF(6, y), QPointF(26, y));
            painter.restore();
            painter.setPen(theme.ink);
            painter.drawText(QRect(31, y - line / 2, width() - 31, line), Qt::AlignLeft | Qt::AlignVCenter,
                             fontMetrics().elidedText(text, Qt::ElideRight, width() - 31));
            y += line;
        };
        entry(LossChart::tr("raw"), [&](QPointF a, QPointF b) {
            QColor thin = theme.train;
            thin.setAlphaF(0.55F);
            painter.setPen(QPen(thin, 1));
            painter.drawLine(a, b);
        });
        entry(LossChart::tr("smoothed"), [&](QPointF a, QPointF b) {
            painter.setPen(QPen(theme.train, 2.4));
            painter.drawLine(a, b);
        });
        if (!data.evalLoss().empty()) {
            entry(LossChart::tr("held out"), [&](QPointF a, QPointF b) {
                painter.setPen(QPen(theme.eval, 1.4));
                painter.drawLine(a, b);
                painter.setBrush(theme.surface);
                painter.setPen(QPen(theme.eval, 1.8));
                painter.drawEllipse((a + b) / 2, 3.5, 3.5);
            });
        }
        if (!data.supersededLoss().empty()) {
            entry(LossChart::tr("taken back"), [&](QPointF a, QPointF b) {
                QColor faint = theme.train;
                faint.setAlphaF(0.3F);
                painter.setPen(QPen(faint, 1.5, Qt::DashLine));
                painter.drawLine(a, b);
            });
        }
        if (!data.loss().nonFinite().empty()) {
            int nan = 0, inf = 0;
            for (const std::size_t index : data.loss().nonFinite()) (std::isnan(data.loss().value(index)) ? nan : inf) += 1;
            const auto cross = [&](QPointF a, QPointF b) {
                const QPointF c = (a + b) / 2;
                painter.setPen(QPen(theme.error, 2));
                painter.drawLine(c + QPointF(-4, -4), c + QPointF(4, 4));
                painter.drawLine(c + QPointF(-4, 4), c + QPointF(4, -4));
            };
            if (nan > 0) entry(LossChart::tr("%1 NaN").arg(ui::count(nan)), cross);
            if (inf > 0) {
                entry(LossChart::tr("%1 Inf").arg(ui::count(inf)), [&](QPointF a, QPointF b) {
                    const QPointF c = (a + b) / 2;
                    painter.setPen(Qt::NoPen);
                    painter.setBrush(theme.error);
                    painter.drawPolygon(QPolygonF{c + QPointF(-5, 4), c + QPointF(5, 4), c + QPointF(0, -5)});
                });
            }
        }
    }

private:
    LossChart* m_chart;
};

LossChart::LossChart(const QString& objectName, RunData* data, StepAxis* axis, QWidget* parent)
    : ChartView(objectName, tr("Loss"), data, axis, parent), m_run(data), m_legend(new Legend(this)) {
    QCustomPlot& p = plot();
    const auto add = [&] {
        QCPGraph* graph = p.addGraph();
        graph->setAdaptiveSampling(false);
        graph->setAntialiased(true);
        return graph;
    };
    m_raw = add();
    m_ema = add();
    m_eval = add();
    addPainter(QStringLiteral("axes"), [this](QCPPainter* painter) { paintNonFinite(painter); });
    setSideColumn(m_legend);
    p.yAxis->setNumberFormat(QStringLiteral("g"));
    p.yAxis->setNumberPrecision(4);

    auto* smoothing = new QDoubleSpinBox(this);
    smoothing->setObjectName(objectName + QStringLiteral(".smoothing"));
    smoothing->setAccessibleName(tr("Smoothing of the loss curve"));
    smoothing->setToolTip(tr("Weight of the past in the thick curve: 0 follows every step, 0.99 is very smooth"));
    smoothing->setRange(0, 0.99);
    smoothing->setDecimals(2);
    smoothing->setSingleStep(0.05);
    smoothing->setValue(data->emaSmoothing());
    smoothing->setPrefix(tr("smooth "));
    new WheelGuard(smoothing);
    connect(smoothing, &QDoubleSpinBox::valueChanged, data, [this](double value) {
        m_smoothingChosen = m_smoothingChosen || !m_choosing;
        m_run->setEmaSmoothing(value);
    });
    // Until somebody chooses: the longer the run, the smoother, so that the thick curve stays a line.
    connect(data, &RunData::runChanged, smoothing, [this, smoothing] {
        if (m_smoothingChosen) return;
        const std::int64_t total = m_run->totalSteps();
        m_choosing = true;
        smoothing->setValue(total > 5000 ? 0.98 : total > 1000 ? 0.9 : 0.6);
        m_choosing = false;
    });
    titleRow()->addWidget(smoothing);

    m_logButton = new QToolButton(this);
    m_logButton->setObjectName(objectName + QStringLiteral(".log"));
    m_logButton->setAccessibleName(tr("Logarithmic loss axis"));
    m_logButton->setText(tr("log"));
    m_logButton->setCheckable(true);
    m_logButton->setToolTip(tr("Logarithmic axis (L)"));
    connect(m_logButton, &QToolButton::toggled, this, &LossChart::setLogarithmic);
    titleRow()->addWidget(m_logButton);

    connect(data, &RunData::stepsChanged, this, [this] { markDirty(); });
    connect(data, &RunData::evalsChanged, this, [this] { markDirty(); });
}

void LossChart::setLogarithmic(bool logarithmic) {
    m_logButton->setChecked(logarithmic);
    m_logarithmic = logarithmic;
    m_ownRange = false;
    plot().yAxis->setScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    plot().yAxis->setTicker(logarithmic ? QSharedPointer<QCPAxisTicker>(new QCPAxisTickerLog) : QSharedPointer<QCPAxisTicker>::create());
    markDirty();
}

void LossChart::fill(QCPGraph* graph, const SeriesBuffer& series, int columns) const {
    const std::vector<SeriesPoint> points = series.thinned(axis().lower(), axis().upper(), columns);
    QVector<QCPGraphData> drawn;
    drawn.reserve(static_cast<qsizetype>(points.size()));
    for (const SeriesPoint& point : points) drawn.append(QCPGraphData(point.key, point.value));
    graph->data()->set(drawn, true);
}

void LossChart::drawSeries() {
    QCustomPlot& p = plot();
    const int columns = std::max(1, p.axisRect()->width());
    fill(m_raw, data().loss(), columns);
    fill(m_ema, data().lossEma(), columns);
    fill(m_eval, data().evalLoss(), columns);
    const auto& superseded = data().supersededLoss();
    while (m_superseded.size() > superseded.size()) {
        p.removeGraph(m_superseded.back());
        m_superseded.pop_back();
    }
    while (m_superseded.size() < superseded.size()) {
        QCPGraph* graph = p.addGraph();
        graph->setAdaptiveSampling(false);
        QColor faint = Theme::current().train;
        faint.setAlphaF(0.3F);
        graph->setPen(QPen(faint, 1.5, Qt::DashLine));
        m_superseded.push_back(graph);
    }
    for (std::size_t i = 0; i < superseded.size(); ++i) fill(m_superseded[i], superseded[i], columns);

    if (!m_ownRange) {
        std::optional<ValueRange> range;
        for (const SeriesBuffer* series : {&data().loss(), &data().evalLoss()}) {
            const std::optional<ValueRange> part = series->finiteRange(axis().lower(), axis().upper());
            if (!part) continue;
            range = range ? ValueRange{std::min(range->lower, part->lower), std::max(range->upper, part->upper)} : *part;
        }
        if (!range) range = ValueRange{0, 1};
        if (m_logarithmic) {
            const double lower = range->lower > 0 ? range->lower : std::max(range->upper * 1e-3, 1e-6);
            p.yAxis->setRange(lower / 1.05, std::max(range->upper, lower * 1.01) * 1.05);
        } else {
            const double pad = std::max((range->upper - range->lower) * 0.06, std::fabs(range->upper) * 0.002 + 1e-6);
            p.yAxis->setRange(range->lower - pad, range->upper + pad);
        }
    }
    m_legend->update();
}

void LossChart::paintNonFinite(QCPPainter* painter) {
    m_marksDrawn = 0;
    const SeriesBuffer& loss = data().loss();
    const QRect rect = plot().axisRect()->rect();
    const Theme theme = Theme::current();
    double lastX[3] = {-1e9, -1e9, -1e9};
    for (const std::size_t index : loss.nonFinite()) {
        const double x = plot().xAxis->coordToPixel(loss.key(index));
        if (x < rect.left() || x > rect.right()) continue;
        const double value = loss.value(index);
        const int kind = std::isnan(value) ? 0 : value > 0 ? 1 : 2;
        ++m_marksDrawn;
        // Marks on the same pixel cover one another exactly: one of them is drawn.
        if (std::fabs(x - lastX[kind]) < 0.5) continue;
        lastX[kind] = x;
        painter->setAntialiasing(true);
        if (kind == 0) {
            const QPointF c(x, rect.bottom() - 6);
            painter->setPen(QPen(theme.surface, 4));
            painter->drawLine(c + QPointF(-5, -5), c + QPointF(5, 5));
            painter->drawLine(c + QPointF(-5, 5), c + QPointF(5, -5));
            painter->setPen(QPen(theme.error, 2));
            painter->drawLine(c + QPointF(-5, -5), c + QPointF(5, 5));
            painter->drawLine(c + QPointF(-5, 5), c + QPointF(5, -5));
        } else {
            const double edge = kind == 1 ? rect.top() + 1 : rect.bottom() - 1;
            const double away = kind == 1 ? 10 : -10;
            painter->setPen(QPen(theme.surface, 1));
            painter->setBrush(theme.error);
            painter->drawPolygon(QPolygonF{QPointF(x - 6, edge + away), QPointF(x + 6, edge + away), QPointF(x, edge)});
        }
    }
}

QString LossChart::readoutText() const {
    const StepRow* row = data().stepNear(axis().cursor().value_or(static_cast<double>(data().newestStep())));
    if (row == nullptr) return tr("nats per token");
    const std::size_t index = *data().loss().nearest(static_cast<double>(row->step));
    QString text = tr("step %1 · loss %2 · smoothed %3 nats/token")
                       .arg(ui::count(row->step), ui::fourDigits(data().loss().value(index)), ui::fourDigits(data().lossEma().value(index)));
    if (const std::optional<std::size_t> eval = data().evalLoss().nearest(static_cast<double>(row->step))) {
        text += tr(" · held out %1 @%2").arg(ui::fourDigits(data().evalLoss().value(*eval)),
                                             ui::count(static_cast<std::int64_t>(data().evalLoss().key(*eval))));
    }
    return text;
}

void LossChart::zoomValues(double factor) {
    m_ownRange = true;
    plot().yAxis->scaleRange(factor);
    plot().replot(QCustomPlot::rpQueuedReplot);
}

void LossChart::fitValues() {
    m_ownRange = false;
    markDirty();
}

bool LossChart::handleKey(QKeyEvent* event) {
    if (event->key() != Qt::Key_L || event->modifiers() != Qt::NoModifier) return false;
    setLogarithmic(!m_logarithmic);
    return true;
}

void LossChart::applyTheme(const Theme& theme) {
    ChartView::applyTheme(theme);
    QColor thin = theme.train;
    thin.setAlphaF(0.55F);
    m_raw->setPen(QPen(thin, 1, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    m_ema->setPen(QPen(theme.train, 2.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    m_eval->setPen(QPen(theme.eval, 1.4));
    m_eval->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(theme.eval, 1.8), QBrush(theme.surface), 8));
    QColor faint = theme.train;
    faint.setAlphaF(0.3F);
    for (QCPGraph* graph : m_superseded) graph->setPen(QPen(faint, 1.5, Qt::DashLine));
    m_legend->update();
}

}  // namespace mofo
