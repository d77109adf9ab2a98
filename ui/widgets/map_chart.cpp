#include "ui/widgets/map_chart.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QWheelEvent>
#include <algorithm>
#include <array>
#include <cmath>

#include "ui/models/display_text.h"
#include "ui/widgets/chart_colours.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {

namespace {

constexpr double leastRowHeight = 1.7;

/// The next of 1, 2, 5, 10 ... times a power of ten, outwards.
double roundEnd(double value, bool up) {
    const double decade = std::pow(10.0, std::floor(std::log10(value)));
    constexpr std::array<double, 4> ends{1, 2, 5, 10};
    if (up) return *std::find_if(ends.begin(), ends.end(), [&](double end) { return end * decade >= value * 0.999999; }) * decade;
    return *std::find_if(ends.rbegin(), ends.rend(), [&](double end) { return end * decade <= value * 1.000001; }) * decade;
}

const std::vector<std::pair<MapMeasure, const char*>>& measuresOf(bool drift) {
    static const std::vector<std::pair<MapMeasure, const char*>> selection{
        {MapMeasure::MovedShare, QT_TRANSLATE_NOOP("mofo::MapChart", "moved share")},
        {MapMeasure::MaskShare, QT_TRANSLATE_NOOP("mofo::MapChart", "mask share")},
        {MapMeasure::Threshold, QT_TRANSLATE_NOOP("mofo::MapChart", "threshold of |m|")},
        {MapMeasure::Churn, QT_TRANSLATE_NOOP("mofo::MapChart", "churn")},
        {MapMeasure::Coverage, QT_TRANSLATE_NOOP("mofo::MapChart", "ever moved")},
        {MapMeasure::Concentration, QT_TRANSLATE_NOOP("mofo::MapChart", "concentration")},
    };
    static const std::vector<std::pair<MapMeasure, const char*>> drifts{
        {MapMeasure::RelativeL2, QT_TRANSLATE_NOOP("mofo::MapChart", "relative L2")},
        {MapMeasure::L2, QT_TRANSLATE_NOOP("mofo::MapChart", "L2")},
        {MapMeasure::L1, QT_TRANSLATE_NOOP("mofo::MapChart", "L1")},
        {MapMeasure::LInf, QT_TRANSLATE_NOOP("mofo::MapChart", "largest change (L∞)")},
        {MapMeasure::Changed, QT_TRANSLATE_NOOP("mofo::MapChart", "changed, fp32")},
        {MapMeasure::ChangedBf16, QT_TRANSLATE_NOOP("mofo::MapChart", "changed, as bf16")},
    };
    return drift ? drifts : selection;
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
        m_chart->paintBar(painter, QRect(6, plotRect.top(), 11, plotRect.height()), width(), theme);
    }

private:
    MapChart* m_chart;
};

MapChart::MapChart(const QString& objectName, MapMeasure first, MapRows* rows, const RunData* data, StepAxis* axis, QWidget* parent)
    : ChartView(objectName, isDriftMeasure(first) ? tr("Drift") : tr("Selection"), data, axis, parent),
      m_isDrift(isDriftMeasure(first)),
      m_measure(first),
      m_rows(rows),
      m_bar(new ColourBar(this)) {
    QCustomPlot& p = plot();
    p.addLayer(QStringLiteral("cells"), p.layer(QStringLiteral("main")), QCustomPlot::limBelow);
    addPainter(QStringLiteral("cells"), [this](QCPPainter* painter) { paintCells(painter); });
    p.yAxis->setRangeReversed(true);
    p.yAxis->grid()->setVisible(false);
    p.xAxis->grid()->setVisible(false);
    p.yAxis->setTicks(false);
    p.yAxis->setTickLabels(false);
    setSideColumn(m_bar);
    m_measureBox = new QComboBox(this);
    m_measureBox->setObjectName(objectName + QStringLiteral(".measure"));
    m_measureBox->setAccessibleName(tr("%1: measure").arg(title()));
    for (const auto& [measure, name] : measuresOf(m_isDrift)) m_measureBox->addItem(tr(name), static_cast<int>(measure));
    m_measureBox->setToolTip(
        m_isDrift ? tr("How far a row is from its pretrained weights")
                  : tr("Moved: selected, and momentum not zero. Mask: selected. Concentration: share of the update over share of the size."));
    new WheelGuard(m_measureBox);
    connect(m_measureBox, &QComboBox::activated, this, &MapChart::chooseMeasure);
    titleRow()->insertWidget(1, m_measureBox);
    if (!m_isDrift) {
        auto* grouping = new QComboBox(this);
        grouping->setObjectName(objectName + QStringLiteral(".rows"));
        grouping->setAccessibleName(tr("Rows of both maps"));
        grouping->addItems({tr("rows: layers"), tr("rows: kinds")});
        new WheelGuard(grouping);
        connect(grouping, &QComboBox::activated, this, [this](int index) { m_rows->setGrouping(static_cast<MapRows::Grouping>(index)); });
        titleRow()->insertWidget(2, grouping);
    }
    connect(data, &RunData::tensorsChanged, this, [this] { markDirty(); });
    for (std::size_t i = 0; i < m_colours.size(); ++i) {
        const double share = static_cast<double>(i) / static_cast<double>(m_colours.size() - 1);
        m_colours[i] = m_isDrift ? viridis(share) : cividis(share);
    }
    connect(data, &RunData::cleared, this, &MapChart::forgetValues);
    connect(rows, &MapRows::rowsChanged, this, &MapChart::forgetValues);
    connect(rows, &MapRows::currentChanged, this, [this] {
        markDirty();
        refreshReadout();
        drawIfNeeded();
    });
    chooseScale();
}

MapChart::~MapChart() = default;

bool MapChart::isLogarithmic() const { return !isShareMeasure(m_measure); }

void MapChart::chooseMeasure(int index) { setMeasure(static_cast<MapMeasure>(m_measureBox->itemData(index).toInt())); }

void MapChart::setMeasure(MapMeasure measure) {
    const int index = m_measureBox->findData(static_cast<int>(measure));
    if (index < 0) return;
    m_measureBox->setCurrentIndex(index);
    m_measure = measure;
    forgetValues();
    drawIfNeeded();
}

QString MapChart::valueText(double value) const { return isShareMeasure(m_measure) ? ui::measuredPercent(value) : ui::fourDigits(value); }

QRgb MapChart::colourAt(double share) const {
    const double level = std::clamp(share, 0.0, 1.0) * static_cast<double>(m_colours.size() - 1);
    return m_colours[static_cast<std::size_t>(level + 0.5)];
}

double MapChart::shareOf(double value) const {
    if (!isLogarithmic()) return (value - m_scale.lower) / (m_scale.upper - m_scale.lower);
    if (value <= m_scale.lower) return 0;
    return std::log(value / m_scale.lower) * m_perDecade;
}

void MapChart::forgetValues() {
    m_values.clear();
    m_valueSteps.clear();
    m_asked = 0;
    m_rowLeast.clear();
    m_rowGreatest.clear();
    markDirty();
}

void MapChart::readValues() {
    const auto& rows = m_rows->rows();
    const auto& measured = data().tensors();
    // A measurement that was taken again (an undo) makes the rest old.
    std::size_t same = std::min(m_valueSteps.size(), measured.size());
    while (same > 0 && m_valueSteps[same - 1] != measured[same - 1].step) --same;
    m_values.resize(same * rows.size());
    m_valueSteps.resize(same);
    if (same == measured.size()) return;
    // A history read at once gets exactly its room; what comes live must not move all of it each time.
    if (measured.size() >= 2 * same) m_values.reserve(measured.size() * rows.size());
    m_rowLeast.resize(rows.size(), std::numeric_limits<float>::infinity());
    m_rowGreatest.resize(rows.size(), 0.0F);
    MeasuredRows read(m_measure, data().parameters(), rows);
    for (std::size_t i = same; i < measured.size(); ++i) {
        const TensorRow& row = measured[i];
        if (const StepRow* step = data().stepNear(static_cast<double>(row.step))) m_asked = std::max(m_asked, step->alpha);
        m_values.resize(m_values.size() + rows.size());
        float* const values = m_values.data() + i * rows.size();
        read.read(row, values);
        // By row, and without branches: millions of values. NaN compares as false.
        float* const least = m_rowLeast.data();
        float* const greatest = m_rowGreatest.data();
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const float finite = values[r] <= std::numeric_limits<float>::max() ? values[r] : 0.0F;
            const float positive = values[r] > 0 ? values[r] : std::numeric_limits<float>::infinity();
            greatest[r] = finite > greatest[r] ? finite : greatest[r];
            least[r] = positive < least[r] ? positive : least[r];
        }
        m_valueSteps.push_back(row.step);
    }
}

void MapChart::chooseScale() {
    double greatest = 0, least = std::numeric_limits<double>::infinity();
    for (std::size_t r = 0; r < m_rowGreatest.size(); ++r) {
        if (!m_isDrift && !m_rows->rows()[r].filtered) continue;
        greatest = std::max<double>(greatest, m_rowGreatest[r]);
        least = std::min<double>(least, m_rowLeast[r]);
    }
    const bool ofAlpha = m_measure == MapMeasure::MovedShare || m_measure == MapMeasure::MaskShare;
    if (ofAlpha) {
        // Twice the greatest alpha asked for: what moves as asked is in the middle, more and less to either side.
        const double upper = std::clamp(std::max(2 * m_asked, greatest), 0.002, 1.0);
        const double grain = upper > 0.05 ? 0.01 : 0.001;
        m_scale = {0, std::min(1.0, std::ceil(upper / grain - 1e-6) * grain)};
    } else if (!isLogarithmic()) {
        const double grain = greatest > 0.2 ? 0.1 : greatest > 0.02 ? 0.01 : 0.001;
        m_scale = {0, std::clamp(std::ceil(greatest / grain - 1e-6) * grain, grain, 1.0)};
    } else if (greatest > 0) {
        // Round ends, 1, 2 or 5 of a decade: the colours keep their meaning for a while as the run goes on.
        const double upper = roundEnd(greatest, true);
        m_scale = {std::min(roundEnd(std::max(least, greatest * 1e-4), false), upper / 2), upper};
    } else {
        m_scale = {1e-6, 1e-3};
    }
}

void MapChart::layOutRows() {
    const auto& rows = m_rows->rows();
    const double height = std::max(1, plot().axisRect()->height());
    m_bands.clear();
    if (rows.empty()) return;
    // Opened rows are read by name: a line of text each. The others share what is left.
    const double named = fontMetrics().height();
    double opened = 0;
    for (const MapRows::Row& row : rows) opened += row.isTensor ? 1 : 0;
    const double groups = static_cast<double>(rows.size()) - opened;
    const double groupHeight = std::max(leastRowHeight, (height - opened * named) / groups);
    const double whole = groups * groupHeight + opened * named;
    int first = 0;
    if (whole > height + 0.5) {
        // The last row can be scrolled to the bottom, not further.
        double below = 0;
        int last = static_cast<int>(rows.size());
        while (last > 0 && below + (rows[static_cast<std::size_t>(last - 1)].isTensor ? named : groupHeight) <= height) {
            --last;
            below += rows[static_cast<std::size_t>(last)].isTensor ? named : groupHeight;
        }
        first = std::min(m_rows->scroll(), last);
    }
    double top = 0;
    for (int row = first; row < static_cast<int>(rows.size()) && top < height - 1; ++row) {
        const double h = rows[static_cast<std::size_t>(row)].isTensor ? named : groupHeight;
        m_bands.push_back({row, top, h});
        top += h;
    }
}

std::pair<int, int> MapChart::rowsInView() const {
    if (m_bands.empty()) return {0, 0};
    return {m_bands.front().row, m_bands.back().row + 1};
}

void MapChart::fillCells() {
    const QRect rect = plot().axisRect()->rect();
    m_cellLower = m_cellUpper = 0;
    m_cells = QImage();
    if (m_values.empty() || m_bands.empty() || rect.width() < 2) return;
    // A measurement stands in the middle of its cell; cells end half way to their neighbours.
    const auto stepOf = [&](std::size_t i) { return static_cast<double>(m_valueSteps[i]); };
    const std::size_t last = m_valueSteps.size() - 1;
    const double firstHalf = last > 0 ? (stepOf(1) - stepOf(0)) / 2 : 0.5;
    const double lastHalf = last > 0 ? (stepOf(last) - stepOf(last - 1)) / 2 : 0.5;
    m_cellLower = std::max(0.5, stepOf(0) - firstHalf);
    m_cellUpper = stepOf(last) + lastHalf;
    m_cells = QImage(rect.width(), static_cast<int>(m_bands.size()), QImage::Format_ARGB32);
    m_cells.fill(Qt::transparent);
    auto* const pixels = reinterpret_cast<QRgb*>(m_cells.bits());
    const qsizetype line = m_cells.bytesPerLine() / static_cast<qsizetype>(sizeof(QRgb));
    std::pair<std::size_t, std::size_t> drawn{0, 0};
    const auto& rows = m_rows->rows();
    const auto firstRow = static_cast<std::size_t>(m_bands.front().row);
    std::vector<double> sums(m_bands.size());
    double from = stepAt(QPointF(rect.left(), 0));
    std::size_t begin = 0;
    for (int x = 0; x < rect.width(); ++x) {
        const double to = stepAt(QPointF(rect.left() + x + 1, 0));
        const double middle = (from + to) / 2;
        if (middle < m_cellLower || middle > m_cellUpper) {
            from = to;
            continue;
        }
        begin = static_cast<std::size_t>(std::lower_bound(m_valueSteps.begin(), m_valueSteps.end(), static_cast<std::int64_t>(std::ceil(from))) -
                                         m_valueSteps.begin());
        std::size_t end = begin;
        while (end < m_valueSteps.size() && stepOf(end) < to) ++end;
        if (begin == end) {
            begin = *data().columnNear(middle);
            begin = std::min(begin, last);
            end = begin + 1;
        }
        // One measurement on many pixels.
        const bool isSame = drawn == std::pair{begin, end};
        drawn = {begin, end};
        // Several logged steps on one pixel: their mean, which NaN makes NaN, so that it is seen. The rows in view follow one another.
        if (!isSame) std::fill(sums.begin(), sums.end(), 0.0);
        for (std::size_t i = begin; i < end && !isSame; ++i) {
            const float* const values = valuesOf(i) + firstRow;
            for (std::size_t band = 0; band < sums.size(); ++band) sums[band] += static_cast<double>(values[band]);
        }
        for (std::size_t band = 0; band < m_bands.size(); ++band) {
            QRgb* const pixel = pixels + static_cast<qsizetype>(band) * line + x;
            if (isSame) {
                *pixel = pixel[-1];
                continue;
            }
            const auto row = static_cast<std::size_t>(m_bands[band].row);
            // All of it moves at every step: a colour of the scale would compare what cannot be compared.
            if (!m_isDrift && !rows[row].filtered) continue;
            const double value = sums[band] / static_cast<double>(end - begin);
            if (std::isnan(value)) continue;
            *pixel = colourAt(shareOf(value));
        }
        from = to;
    }
}

void MapChart::drawSeries() {
    readValues();
    chooseScale();
    m_perDecade = isLogarithmic() ? 1 / std::log(m_scale.upper / m_scale.lower) : 0;
    layOutRows();
    fillCells();
    m_bar->update();
}

void MapChart::paintCells(QCPPainter* painter) {
    const QRect rect = plot().axisRect()->rect();
    if (m_cellUpper > m_cellLower) {
        const double left = std::max<double>(rect.left(), pixelOf(m_cellLower)), right = std::min<double>(rect.right(), pixelOf(m_cellUpper));
        painter->setPen(Qt::NoPen);
        painter->setBrush(QBrush(theme().hatch, Qt::BDiagPattern));
        const double bottom =
            m_bands.empty() ? rect.bottom() : std::min<double>(rect.bottom(), rect.top() + m_bands.back().top + m_bands.back().height);
        painter->drawRect(QRectF(QPointF(left, rect.top()), QPointF(right, bottom)));
    }
    if (!m_cells.isNull()) {
        // One line of the picture per pixel: rows of any height meet without a gap.
        // The cells may still be of the width before a resize; they are stretched until the next drawing beat.
        QImage picture(m_cells.width(), rect.height(), QImage::Format_ARGB32);
        picture.fill(Qt::transparent);
        for (std::size_t band = 0; band < m_bands.size(); ++band) {
            const int from = static_cast<int>(std::lround(m_bands[band].top));
            const int to = std::min(rect.height(), static_cast<int>(std::lround(m_bands[band].top + m_bands[band].height)));
            for (int y = from; y < to; ++y) std::copy_n(m_cells.constScanLine(static_cast<int>(band)), m_cells.bytesPerLine(), picture.scanLine(y));
        }
        painter->drawImage(rect, picture);
    }
    painter->setPen(QPen(theme().accent, 2));
    painter->setBrush(Qt::NoBrush);
    for (const Band& band : m_bands) {
        if (band.row != m_rows->current()) continue;
        painter->drawRect(QRectF(rect.left() + 1, rect.top() + band.top + 1, rect.width() - 2, std::max(2.0, band.height - 2)));
    }
    paintLabels(painter);
}

void MapChart::paintLabels(QCPPainter* painter) {
    const QRect rect = plot().axisRect()->rect();
    const auto& rows = m_rows->rows();
    painter->save();
    painter->setClipping(false);
    painter->setFont(font());
    const int line = fontMetrics().height();
    double free = -1e9;
    const auto& measured = data().tensors();
    for (std::size_t i = 0; i < m_bands.size(); ++i) {
        const Band& band = m_bands[i];
        const MapRows::Row& row = rows[static_cast<std::size_t>(band.row)];
        const double centre = rect.top() + band.top + band.height / 2;
        const bool isLast = i + 1 == m_bands.size();
        const double bottomLabel = rect.top() + m_bands.back().top + m_bands.back().height / 2 - line * 0.9;
        const bool current = band.row == m_rows->current();
        if (!current && (centre - line * 0.45 < free || (!isLast && centre + line * 0.45 > bottomLabel && !row.isTensor))) continue;
        QString text = row.label;
        if (!row.isTensor && row.parameters.size() > 1) text = (row.isOpen ? QStringLiteral("▾ ") : QStringLiteral("▸ ")) + text;
        // Fewer moved than the mask had chosen: momentum was zero there.
        if (!m_isDrift && !measured.empty() && (row.isTensor || row.parameters.size() == 1) && m_rows->isIdle(row, measured.back()))
            text += QStringLiteral(" ◌");
        painter->setPen(current ? theme().accent : theme().ink);
        painter->drawText(QRectF(2, centre - line / 2.0, leftMargin - 6, line), Qt::AlignRight | Qt::AlignVCenter,
                          fontMetrics().elidedText(text, Qt::ElideRight, leftMargin - 6));
        free = centre + line * 0.45;
    }
    painter->restore();
}

int MapChart::rowAt(double y) const {
    const double inside = y - plot().axisRect()->rect().top();
    for (const Band& band : m_bands) {
        if (inside >= band.top && inside < band.top + band.height) return band.row;
    }
    return -1;
}

double MapChart::valueAt(int row, double step) const {
    const std::optional<std::size_t> index = data().columnNear(step);
    if (!index || row < 0 || row >= static_cast<int>(m_rows->rows().size())) return std::numeric_limits<double>::quiet_NaN();
    const MapRows::Row& place = m_rows->rows()[static_cast<std::size_t>(row)];
    return measureOf(m_measure, data().tensors()[*index], data().parameters(), place.parameters, place.filtered);
}

std::vector<ReadoutRow> MapChart::readoutRows(double step) const {
    int row = m_rows->current();
    if (pointer()) row = rowAt(pointer()->y());
    if (row < 0 || row >= static_cast<int>(m_rows->rows().size())) return {};
    const MapRows::Row& place = m_rows->rows()[static_cast<std::size_t>(row)];
    return {{place.title, valueAt(row, step), theme().ink, isShareMeasure(m_measure)}};
}

QString MapChart::readoutText() const {
    const double step = shownStep();
    const std::optional<std::size_t> index = data().columnNear(step);
    if (!index) return m_isDrift ? tr("distance from the pretrained weights, by layer") : tr("share that moved, by layer");
    const MapColumn& column = data().mapColumns()[*index];
    int row = m_rows->current();
    if (pointer() && axis().cursor()) row = rowAt(pointer()->y());
    if (row >= 0 && row < static_cast<int>(m_rows->rows().size())) {
        const MapRows::Row& place = m_rows->rows()[static_cast<std::size_t>(row)];
        const double value = valueAt(row, step);
        std::ptrdiff_t rank = 1, of = 0;
        for (std::size_t other = 0; other < m_rows->rows().size(); ++other) {
            if (m_rows->rows()[other].isTensor != place.isTensor) continue;
            ++of;
            if (valueAt(static_cast<int>(other), step) > value) ++rank;
        }
        QString text =
            tr("step %1 · %2 · %3 · rank %4 of %5").arg(ui::count(column.step), place.title, valueText(value), ui::count(rank), ui::count(of));
        if (!m_isDrift && !place.filtered) text += tr(" · not filtered");
        if (!m_isDrift && m_rows->isIdle(place, data().tensors()[*index])) text += tr(" · idle rows");
        return text;
    }
    if (!m_isDrift) return tr("step %1 · %2 of the model moved").arg(ui::count(column.step), ui::measuredPercent(column.wholeShare));
    return tr("step %1 · whole model %2, relative L2").arg(ui::count(column.step), ui::fourDigits(column.wholeDrift));
}

bool MapChart::handleKey(QKeyEvent* event) {
    const int row = m_rows->current();
    switch (event->key()) {
        case Qt::Key_Up:
        case Qt::Key_Down: {
            const int next = std::clamp(row + (event->key() == Qt::Key_Up ? -1 : 1), 0, static_cast<int>(m_rows->rows().size()) - 1);
            m_rows->setCurrent(next);
            const auto [first, end] = rowsInView();
            if (next < first) m_rows->setScroll(next);
            if (next >= end) m_rows->setScroll(first + next - end + 1);
            return true;
        }
        case Qt::Key_PageUp: m_rows->setScroll(m_rows->scroll() - 8); return true;
        case Qt::Key_PageDown: m_rows->setScroll(m_rows->scroll() + 8); return true;
        case Qt::Key_Return:
        case Qt::Key_Enter:
        case Qt::Key_Space:
            if (row >= 0) m_rows->toggle(row);
            return row >= 0;
        default: return false;
    }
}

void MapChart::addOwnActions(QMenu& menu) {
    const int row = m_rows->current();
    QAction* toggle = menu.addAction(tr("Open or close the row\tEnter"), this, [this, row] { m_rows->toggle(row); });
    toggle->setEnabled(row >= 0);
    menu.addAction(tr("Close all rows"), m_rows, &MapRows::closeAll);
    QMenu* measures = menu.addMenu(tr("Measure"));
    for (const auto& [measure, name] : measuresOf(m_isDrift)) {
        QAction* action = measures->addAction(tr(name), this, [this, m = measure] { setMeasure(m); });
        action->setCheckable(true);
        action->setChecked(measure == m_measure);
    }
}

void MapChart::clicked(const QPointF& position) {
    const int row = rowAt(position.y());
    if (row < 0) return;
    // On its name: open or close. In the map: this row's numbers stay in the read-out.
    if (position.x() < plot().axisRect()->rect().left())
        m_rows->toggle(row);
    else
        m_rows->setCurrent(row);
}

bool MapChart::eventFilter(QObject* watched, QEvent* event) {
    if (watched == &plot() && event->type() == QEvent::Wheel) {
        const auto* wheel = static_cast<QWheelEvent*>(event);
        const bool onLabels = wheel->position().x() < plot().axisRect()->rect().left();
        if (onLabels || wheel->modifiers().testFlag(Qt::ShiftModifier)) {
            const int notches = wheel->angleDelta().y() != 0 ? wheel->angleDelta().y() : wheel->angleDelta().x();
            m_rows->setScroll(m_rows->scroll() - 3 * (notches > 0 ? 1 : -1));
            return true;
        }
    }
    return ChartView::eventFilter(watched, event);
}

ChartTable MapChart::table(double from, double to) const {
    const auto [first, end] = rowsInView();
    std::vector<SeriesBuffer> buffers(static_cast<std::size_t>(std::max(0, end - first)));
    std::vector<ChartTable::Source> sources;
    for (int row = first; row < end; ++row) {
        SeriesBuffer& buffer = buffers[static_cast<std::size_t>(row - first)];
        for (std::size_t i = 0; i < m_valueSteps.size(); ++i)
            buffer.append(static_cast<double>(m_valueSteps[i]), static_cast<double>(valuesOf(i)[row]));
        sources.push_back(
            {QStringLiteral("%1 [%2]").arg(m_rows->rows()[static_cast<std::size_t>(row)].title, m_measureBox->currentText()), &buffer, nullptr});
    }
    return ChartTable::of(sources, from, to);
}

void MapChart::paintBar(QPainter& painter, const QRect& bar, int right, const Theme& theme) const {
    if (bar.height() < 12) return;
    for (int y = 0; y < bar.height(); ++y)
        painter.fillRect(bar.left(), bar.top() + y, bar.width(), 1, QColor(colourAt(1.0 - (y + 0.5) / bar.height())));
    painter.setPen(theme.hatch);
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(bar.adjusted(0, 0, -1, -1));
    painter.setPen(theme.ink);
    const int line = painter.fontMetrics().height();
    const auto label = [&](double value) {
        const double centre = bar.bottom() - shareOf(value) * (bar.height() - 1);
        const int top = static_cast<int>(std::clamp(centre - line / 2.0, bar.top() - line / 2.0, bar.bottom() - line / 2.0));
        painter.drawLine(QPointF(bar.right(), centre), QPointF(bar.right() + 3, centre));
        painter.drawText(QRect(bar.right() + 6, top, right - bar.right() - 6, line), Qt::AlignLeft | Qt::AlignVCenter,
                         isLogarithmic() ? ui::shortNumber(value) : ui::percent(value));
        return centre;
    };
    const double top = label(m_scale.upper), bottom = label(m_scale.lower);
    if (!isLogarithmic()) {
        if (bottom - top > 3 * line) label((m_scale.lower + m_scale.upper) / 2);
        return;
    }
    // Whole decades between the ends, as far as there is room.
    double free = bottom;
    for (double decade = std::pow(10.0, std::floor(std::log10(m_scale.lower) + 1.000001)); decade < m_scale.upper * 0.999; decade *= 10) {
        const double centre = bottom - shareOf(decade) * (bottom - top);
        if (free - centre > 1.1 * line && centre - top > 1.1 * line) free = label(decade);
    }
}

void MapChart::paintLegend(QPainter& painter, const QRect& room, const Theme& theme) const {
    const QRect plotRect = plot().axisRect()->rect();
    paintBar(painter, QRect(room.left() + 6, plotRect.top(), 11, plotRect.height()), room.right(), theme);
}

void MapChart::applyTheme(const Theme& theme) {
    ChartView::applyTheme(theme);
    m_bar->update();
}

}  // namespace mofo
