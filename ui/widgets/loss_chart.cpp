#include "ui/widgets/loss_chart.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMenu>
#include <QToolButton>
#include <cmath>

#include "ui/widgets/chart_colours.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {

namespace {

constexpr int rawLine = 0;

LineChart::Options lossOptions() {
    LineChart::Options options;
    options.unit = LossChart::tr("nats/token");
    return options;
}

}  // namespace

LossChart::LossChart(const QString& objectName, RunData* data, StepAxis* axis, QWidget* parent)
    : LineChart(objectName, tr("Loss"), lossOptions(), data, axis, parent), m_run(data) {
    std::vector<LineSpec> lines(3);
    lines[0].name = tr("raw");
    lines[0].style = LineSpec::Style::Thin;
    lines[0].values = [data] { return &data->loss(); };
    lines[0].taken = [data] { return &data->supersededLoss(); };
    lines[1].name = tr("smoothed");
    lines[1].style = LineSpec::Style::Thick;
    lines[1].marks = false;
    lines[1].values = [data] { return &data->lossEma(); };
    lines[2].name = tr("held out");
    lines[2].colour = 1;
    lines[2].style = LineSpec::Style::Ringed;
    lines[2].values = [data] { return &data->evalLoss(); };
    setLines(std::move(lines));
    addPainter(QStringLiteral("axes"), [this](QCPPainter* painter) { paintBest(painter); });
    setLevels([data] {
        std::vector<LevelLine> levels;
        if (!data->run() || data->evals().empty()) return levels;
        const RunConfig& config = data->tuning().applied;
        double best = INFINITY;
        for (const EvalRow& row : data->evals()) best = std::min(best, row.loss);
        if (config.guardEval > 0 && std::isfinite(best)) levels.push_back({best + config.guardEval, LossChart::tr("guard: held-out loss"), true});
        if (config.guardEvalStart > 0)
            levels.push_back({data->evals().front().loss * (1 + config.guardEvalStart), LossChart::tr("guard: above the first"), true});
        return levels;
    });

    m_smoothing = new QDoubleSpinBox(this);
    m_smoothing->setObjectName(objectName + QStringLiteral(".smoothing"));
    m_smoothing->setAccessibleName(tr("Smoothing of the loss curve"));
    m_smoothing->setToolTip(tr("Weight of the past in the thick curve: 0 follows every step, 0.99 is very smooth (S)"));
    m_smoothing->setRange(0, 0.99);
    m_smoothing->setDecimals(2);
    m_smoothing->setSingleStep(0.05);
    m_smoothing->setValue(data->emaSmoothing());
    m_smoothing->setPrefix(tr("smooth "));
    new WheelGuard(m_smoothing);
    connect(m_smoothing, &QDoubleSpinBox::valueChanged, data, [this](double value) {
        m_smoothingChosen = m_smoothingChosen || !m_choosing;
        m_run->setEmaSmoothing(value);
    });
    // Until somebody chooses: the longer the run, the smoother, so that the thick curve stays a line.
    connect(data, &RunData::runChanged, m_smoothing, [this] {
        if (m_smoothingChosen) return;
        const std::int64_t total = m_run->totalSteps();
        m_choosing = true;
        m_smoothing->setValue(total > 5000 ? 0.98 : total > 1000 ? 0.9 : 0.6);
        m_choosing = false;
    });
    titleRow()->insertWidget(2, m_smoothing);
    m_rawButton = addSwitch("raw", tr("raw"), tr("The loss of each step, thin"), [this](bool on) { setLineOn(rawLine, on); });
    m_rawButton->setChecked(true);
    connect(&legend(), &ChartLegend::toggled, this, [this] { m_rawButton->setChecked(this->lines()[rawLine].on); });
    m_clipButton = addSwitch("clip", tr("clip p99"), tr("Leave the highest hundredth out of the range"), [this](bool on) { setClipped(on); });
}

void LossChart::paintBest(QCPPainter* painter) {
    if (!this->lines()[2].on || data().evals().empty()) return;
    const EvalRow* best = nullptr;
    for (const EvalRow& row : data().evals()) {
        if (std::isfinite(row.loss) && (best == nullptr || row.loss < best->loss)) best = &row;
    }
    if (best == nullptr) return;
    const QPointF c(pixelOf(static_cast<double>(best->step)), plot().yAxis->coordToPixel(best->loss));
    QPolygonF star;
    for (int i = 0; i < 10; ++i) {
        const double angle = -1.5707963 + i * 0.62831853, radius = i % 2 == 0 ? 7.5 : 3.2;
        star << c + QPointF(radius * std::cos(angle), radius * std::sin(angle));
    }
    painter->setAntialiasing(true);
    painter->setPen(QPen(theme().surface, 1.5));
    painter->setBrush(seriesColour(theme(), 1));
    painter->drawPolygon(star);
}

bool LossChart::handleKey(QKeyEvent* event) {
    if (event->key() == Qt::Key_S && event->modifiers() == Qt::NoModifier) {
        m_smoothing->setFocus(Qt::OtherFocusReason);
        m_smoothing->selectAll();
        return true;
    }
    return LineChart::handleKey(event);
}

void LossChart::addOwnActions(QMenu& menu) {
    LineChart::addOwnActions(menu);
    menu.addAction(tr("Smoothing\tS"), this, [this] { m_smoothing->setFocus(Qt::OtherFocusReason); });
}

}  // namespace mofo
