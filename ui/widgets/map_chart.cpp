#include "ui/widgets/map_chart.h"

#include <QPainter>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "ui/models/display_text.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {

namespace {

constexpr std::array<QRgb, 12> cividis{0xff00204d, 0xff00306f, 0xff2a406c, 0xff48526b, 0xff5e626e, 0xff727374,
                                       0xff878479, 0xff9e9677, 0xffb6a971, 0xffd0be67, 0xffead357, 0xffffea46};
constexpr std::array<QRgb, 11> viridis{0xff440154, 0xff482475, 0xff414487, 0xff355f8d, 0xff2a788e, 0xff21918c,
                                       0xff22a884, 0xff44bf70, 0xff7ad151, 0xffbddf26, 0xfffde725};

template <std::size_t N>
QCPColorGradient gradientOf(const std::array<QRgb, N>& colours) {
    QCPColorGradient gradient;
    QMap<double, QColor> stops;
    for (std::size_t i = 0; i < N; ++i) stops.insert(static_cast<double>(i) / (N - 1), QColor(colours[i]));
    gradient.setColorStops(stops);
    gradient.setNanHandling(QCPColorGradient::nhTransparent);
    return gradient;
}

/// The next of 1, 2, 5, 10 ... times a power of ten, outwards.
double roundEnd(double value, bool up) {
    const double decade = std::pow(10.0, std::floor(std::log10(value)));
    constexpr std::array<double, 4> ends{1, 2, 5, 10};
    if (up) return *std::find_if(ends.begin(), ends.end(), [&](double end) { return end * decade >= value * 0.999999; }) * decade;
    return *std::find_if(ends.rbegin(), ends.rend(), [&](double end) { return end * decade <= value * 1.000001; }) * decade;
}

}  // namespace

/// The colour scale beside the map.
class MapChart::ColourBar : public QWidget {
public:
    explicit ColourBar(MapChart* chart) : QWidget(chart), m_chart(chart) {}

protected:
    void paintEvent(QPaintEvent*) override {
        const Theme theme = Theme::current();
        QPainter painter(this);
        painter.fillRect(rect(), theme.surface);
        const QRect plotRect = m_chart->plot().axisRect()->rect();
        const QRect bar(6, plotRect.top(), 11, plotRect.height());
        if (bar.height() < 12) return;
        for (int y = 0; y < bar.height(); ++y) {
            const double share = 1.0 - (y + 0.5) / bar.height();
            painter.fillRect(bar.left(), bar.top() + y, bar.width(), 1, QColor(m_chart->m_gradient->color(share, QCPRange(0, 1))));
        }
        painter.setPen(theme.hatch);
        painter.drawRect(bar.adjusted(0, 0, -1, -1));
        painter.setPen(theme.ink);
        const int line = fontMetrics().height();
        const ValueRange scale = m_chart->m_scale;
        const bool isLog = m_chart->m_measure == Measure::Drift;
        const auto label = [&](double value) {
            const double share = isLog ? std::log(value / scale.lower) / std::log(scale.upper / scale.lower) : (value - scale.lower) / (scale.upper - scale.lower);
            const double centre = bar.bottom() - share * (bar.height() - 1);
            const int top = static_cast<int>(std::clamp(centre - line / 2.0, bar.top() - line / 2.0, bar.bottom() - line / 2.0));
            painter.drawLine(QPointF(bar.right(), centre), QPointF(bar.right() + 3, centre));
            painter.drawText(QRect(bar.right() + 6, top, width() - bar.right() - 6, line), Qt::AlignLeft | Qt::AlignVCenter,
                             isLog ? ui::shortNumber(value) : ui::percent(value));
            return centre;
        };
        const double top = label(scale.upper), bottom = label(scale.lower);
        if (!isLog) {
            if (bottom - top > 3 * line) label((scale.lower + scale.upper) / 2);
            return;
        }
        // Whole decades between the ends, as far as there is room.
        double free = bottom;
        for (double decade = std::pow(10.0, std::floor(std::log10(scale.lower) + 1.000001)); decade < scale.upper * 0.999; decade *= 10) {
            const double centre = bottom - std::log(decade / scale.lower) / std::log(scale.upper / scale.lower) * (bottom - top);
            if (free - centre > 1.1 * line && centre - top > 1.1 * line) free = label(decade);
        }
    }

private:
    MapChart* m_chart;
};

MapChart::MapChart(const QString& objectName, Measure measure, const RunData* data, StepAxis* axis, QWidget* parent)
    : ChartView(objectName, measure == Measure::MovedShare ? tr("Selection") : tr("Drift"), data, axis, parent),
      m_measure(measure),
      m_gradient(std::make_unique<QCPColorGradient>(measure == Measure::MovedShare ? gradientOf(cividis) : gradientOf(viridis))),
      m_bar(new ColourBar(this)) {
    QCustomPlot& p = plot();
    p.addLayer(QStringLiteral("hatch"), p.layer(QStringLiteral("main")), QCustomPlot::limBelow);
    addPainter(QStringLiteral("hatch"), [this](QCPPainter* painter) { paintHatch(painter); });
    m_map = new QCPColorMap(p.xAxis, p.yAxis);
    m_map->setInterpolate(false);
    m_map->setTightBoundary(false);
    m_map->setAntialiased(false);
    m_map->setGradient(*m_gradient);
    m_map->setDataScaleType(measure == Measure::Drift ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    p.yAxis->setRangeReversed(true);
    p.yAxis->grid()->setVisible(false);
    p.xAxis->grid()->setVisible(false);
    setSideColumn(m_bar);
    setToolTip(measure == Measure::MovedShare
                   ? tr("Share of the filtered coordinates of a row that moved at a logged step")
                   : tr("Distance of a row from its pretrained weights, relative L2"));
    connect(data, &RunData::tensorsChanged, this, [this] { markDirty(); });
    connect(data, &RunData::cleared, this, &MapChart::forgetScale);
    connect(data, &RunData::parametersChanged, this, [this] {
        forgetScale();
        labelRows();
        markDirty();
    });
    labelRows();
    chooseScale();
}

MapChart::~MapChart() = default;

const std::vector<float>& MapChart::valuesOf(const MapColumn& column) const {
    return m_measure == Measure::MovedShare ? column.share : column.drift;
}

double MapChart::wholeOf(const MapColumn& column) const {
    return m_measure == Measure::MovedShare ? column.wholeShare : column.wholeDrift;
}

QString MapChart::valueText(double value) const {
    return m_measure == Measure::MovedShare ? ui::measuredPercent(value) : ui::fourDigits(value);
}

void MapChart::labelRows() {
    const auto& rows = data().mapRows();
    plot().yAxis->setRange(-0.5, std::max<double>(1, static_cast<double>(rows.size())) - 0.5);
}

void MapChart::scanColumns() {
    const auto& rows = data().mapRows();
    const auto& columns = data().mapColumns();
    if (m_scanned > columns.size()) m_scanned = 0;
    for (; m_scanned < columns.size(); ++m_scanned) {
        const MapColumn& column = columns[m_scanned];
        if (const StepRow* step = data().stepNear(static_cast<double>(column.step))) m_asked = std::max(m_asked, step->alpha);
        const std::vector<float>& values = valuesOf(column);
        for (std::size_t row = 0; row < values.size() && row < rows.size(); ++row) {
            const double value = values[row];
            if (!std::isfinite(value) || (m_measure == Measure::MovedShare && !rows[row].filtered)) continue;
            m_greatest = std::max(m_greatest, value);
            if (value > 0) m_least = std::min(m_least, value);
        }
    }
}

void MapChart::forgetScale() {
    m_scanned = 0;
    m_asked = m_greatest = 0;
    m_least = std::numeric_limits<double>::infinity();
}

void MapChart::chooseScale() {
    scanColumns();
    if (m_measure == Measure::MovedShare) {
        // Twice the greatest alpha asked for: what moves as asked is in the middle, more and less to either side.
        const double upper = std::clamp(std::max(2 * m_asked, m_greatest), 0.002, 1.0);
        const double grain = upper > 0.05 ? 0.01 : 0.001;
        m_scale = {0, std::min(1.0, std::ceil(upper / grain - 1e-6) * grain)};
    } else if (m_greatest > 0) {
        // Round ends, 1, 2 or 5 of a decade: the colours keep their meaning for a while as the run goes on.
        const double upper = roundEnd(m_greatest, true);
        m_scale = {std::min(roundEnd(std::max(m_least, m_greatest * 1e-4), false), upper / 10), upper};
    } else {
        m_scale = {1e-6, 1e-3};
    }
}

void MapChart::fillCells() {
    const auto& columns = data().mapColumns();
    const auto rows = static_cast<int>(data().mapRows().size());
    const QRect rect = plot().axisRect()->rect();
    m_cellLower = m_cellUpper = 0;
    if (columns.empty() || rows == 0 || rect.width() < 2) {
        m_map->data()->setSize(0, 0);
        return;
    }
    // A measurement stands in the middle of its cell; cells end half way to their neighbours.
    const auto stepOf = [&](std::size_t i) { return static_cast<double>(columns[i].step); };
    const std::size_t last = columns.size() - 1;
    const double firstHalf = last > 0 ? (stepOf(1) - stepOf(0)) / 2 : 0.5;
    const double lastHalf = last > 0 ? (stepOf(last) - stepOf(last - 1)) / 2 : 0.5;
    m_cellLower = std::max(0.5, stepOf(0) - firstHalf);
    m_cellUpper = stepOf(last) + lastHalf;
    const double lower = std::max(m_cellLower, axis().lower()), upper = std::min(m_cellUpper, axis().upper());
    if (!(upper > lower)) {
        m_map->data()->setSize(0, 0);
        return;
    }
    const double perPixel = (axis().upper() - axis().lower()) / rect.width();
    const int cells = std::max(1, static_cast<int>(std::lround((upper - lower) / perPixel)));
    const double cellWidth = (upper - lower) / cells;
    m_map->data()->setSize(cells, rows);
    // QCustomPlot wants the centres of the outer cells, which for a single one must still differ.
    const double half = cells > 1 ? cellWidth / 2 : 0;
    m_map->data()->setRange(QCPRange(lower + half, cells > 1 ? upper - half : upper), QCPRange(0, std::max(1, rows - 1)));
    const double floorValue = m_scale.lower;
    for (int cell = 0; cell < cells; ++cell) {
        const double from = lower + cell * cellWidth, to = from + cellWidth;
        auto begin = std::lower_bound(columns.begin(), columns.end(), from,
                                      [](const MapColumn& column, double step) { return static_cast<double>(column.step) < step; });
        auto end = begin;
        while (end != columns.end() && static_cast<double>(end->step) < to) ++end;
        if (begin == end) {
            begin = columns.begin() + static_cast<std::ptrdiff_t>(*data().columnNear((from + to) / 2));
            end = begin + 1;
        }
        for (int row = 0; row < rows; ++row) {
            // Several logged steps on one pixel: their mean, which NaN makes NaN, so that it is seen.
            double sum = 0;
            for (auto it = begin; it != end; ++it) {
                const std::vector<float>& values = valuesOf(*it);
                sum += static_cast<std::size_t>(row) < values.size() ? values[static_cast<std::size_t>(row)] : std::numeric_limits<float>::quiet_NaN();
            }
            double value = sum / static_cast<double>(end - begin);
            // All of it moves at every step: a colour of the scale would compare what cannot be compared.
            if (m_measure == Measure::MovedShare && !data().mapRows()[static_cast<std::size_t>(row)].filtered) value = std::numeric_limits<double>::quiet_NaN();
            if (m_measure == Measure::Drift && value < floorValue) value = floorValue;
            m_map->data()->setCell(cell, row, value);
        }
    }
}

void MapChart::drawSeries() {
    const auto& rows = data().mapRows();
    // As many row labels as fit.
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    const int height = std::max(1, plot().axisRect()->height());
    const double rowHeight = rows.empty() ? height : static_cast<double>(height) / static_cast<double>(rows.size());
    double free = -1e9;
    const auto label = [&](std::size_t row) {
        ticker->addTick(static_cast<double>(row), rows[row].label);
        free = (static_cast<double>(row) + 0.5) * rowHeight + fontMetrics().height() * 0.5;
    };
    if (!rows.empty()) {
        const double bottomLabel = (static_cast<double>(rows.size()) - 0.5) * rowHeight - fontMetrics().height() * 0.5;
        for (std::size_t row = 0; row + 1 < rows.size(); ++row) {
            const double centre = (static_cast<double>(row) + 0.5) * rowHeight;
            if (centre - fontMetrics().height() * 0.5 < free || centre + fontMetrics().height() * 0.5 > bottomLabel) continue;
            label(row);
        }
        label(rows.size() - 1);
    }
    plot().yAxis->setTicker(ticker);
    chooseScale();
    fillCells();
    m_map->setDataRange(QCPRange(m_scale.lower, m_scale.upper));
    m_bar->update();
}

void MapChart::paintHatch(QCPPainter* painter) {
    if (!(m_cellUpper > m_cellLower)) return;
    const QRect rect = plot().axisRect()->rect();
    const double left = plot().xAxis->coordToPixel(m_cellLower), right = plot().xAxis->coordToPixel(m_cellUpper);
    painter->setPen(Qt::NoPen);
    painter->setBrush(QBrush(Theme::current().hatch, Qt::BDiagPattern));
    painter->drawRect(QRectF(QPointF(left + 1, rect.top()), QPointF(right - 1, rect.bottom())));
}

QString MapChart::readoutText() const {
    const std::optional<std::size_t> index = data().columnNear(axis().cursor().value_or(static_cast<double>(data().newestStep())));
    if (!index) return m_measure == Measure::MovedShare ? tr("share that moved, by layer") : tr("distance from the pretrained weights, by layer");
    const MapColumn& column = data().mapColumns()[*index];
    const std::vector<float>& values = valuesOf(column);
    if (pointer() && std::as_const(*this).axis().cursor()) {
        auto* self = const_cast<MapChart*>(this);
        const auto row = static_cast<std::ptrdiff_t>(std::lround(self->plot().yAxis->pixelToCoord(pointer()->y())));
        if (row >= 0 && row < static_cast<std::ptrdiff_t>(values.size()) && static_cast<std::size_t>(row) < data().mapRows().size()) {
            const float value = values[static_cast<std::size_t>(row)];
            const auto rank = std::count_if(values.begin(), values.end(), [&](float other) { return other > value; }) + 1;
            const MapRow& mapRow = data().mapRows()[static_cast<std::size_t>(row)];
            QString text = tr("step %1 · %2 · %3 · rank %4 of %5")
                               .arg(ui::count(column.step), mapRow.title, valueText(value), ui::count(rank),
                                    ui::count(static_cast<std::int64_t>(values.size())));
            if (m_measure == Measure::MovedShare && !mapRow.filtered) text += tr(" · not filtered");
            return text;
        }
    }
    if (m_measure == Measure::MovedShare) return tr("step %1 · %2 of the model moved").arg(ui::count(column.step), valueText(wholeOf(column)));
    return tr("step %1 · whole model %2, relative L2").arg(ui::count(column.step), valueText(wholeOf(column)));
}

void MapChart::applyTheme(const Theme& theme) {
    ChartView::applyTheme(theme);
    m_bar->update();
}

}  // namespace mofo
