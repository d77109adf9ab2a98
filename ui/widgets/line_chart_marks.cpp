// What a line chart paints over its curves: values that no line can show, error bars, limits, letters at the ends.
#include <algorithm>
#include <cmath>

#include "ui/widgets/line_chart.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {

void LineChart::paintMarks(QCPPainter* painter) {
    m_marksDrawn = m_belowMarks = 0;
    const QRect rect = plot().axisRect()->rect();
    bool empty = true;
    for (const LineSpec& line : m_lines) {
        if (!line.on) continue;
        const SeriesBuffer& series = *line.values();
        empty = empty && series.empty();
        if (line.style == LineSpec::Style::Ringed && line.low) paintBars(painter, line);
        if (m_logarithmic) {
            // One small mark per pixel column that holds a value of zero or less.
            QColor colour = colourOf(line);
            painter->setPen(Qt::NoPen);
            painter->setBrush(colour);
            double lastX = -1e9;
            for (const SeriesPoint& point : series.thinned(axis().lower(), axis().upper(), std::max(1, rect.width()))) {
                if (!(point.value <= 0)) continue;
                const double x = pixelOf(point.key);
                if (x < rect.left() || x > rect.right() || x - lastX < 1) continue;
                lastX = x;
                ++m_belowMarks;
                painter->drawPolygon(QPolygonF{QPointF(x - 3, rect.bottom() - 6), QPointF(x + 3, rect.bottom() - 6), QPointF(x, rect.bottom())});
            }
        }
        if (!line.marks) continue;
        double lastX[3] = {-1e9, -1e9, -1e9};
        for (const std::size_t index : series.nonFinite()) {
            const double x = pixelOf(series.key(index));
            if (x < rect.left() || x > rect.right()) continue;
            const double value = series.value(index);
            const int kind = std::isnan(value) ? 0 : value > 0 ? 1 : 2;
            ++m_marksDrawn;
            // Marks on the same pixel cover one another exactly: one of them is drawn.
            if (std::fabs(x - lastX[kind]) < 0.5) continue;
            lastX[kind] = x;
            painter->setAntialiasing(true);
            if (kind == 0) {
                painter->setPen(QPen(theme().surface, 4));
                ChartLegend::drawCross(*painter, QPointF(x, rect.bottom() - 6), 5);
                painter->setPen(QPen(theme().error, 2));
                ChartLegend::drawCross(*painter, QPointF(x, rect.bottom() - 6), 5);
            } else {
                const double edge = kind == 1 ? rect.top() + 1 : rect.bottom() - 1;
                const double away = kind == 1 ? 10 : -10;
                painter->setPen(QPen(theme().surface, 1));
                painter->setBrush(theme().error);
                painter->drawPolygon(QPolygonF{QPointF(x - 6, edge + away), QPointF(x + 6, edge + away), QPointF(x, edge)});
            }
        }
    }
    if (empty && !m_options.empty.isEmpty()) {
        painter->setFont(font());
        painter->setPen(theme().inkSoft);
        painter->drawText(rect.adjusted(12, 0, -12, 0), Qt::AlignCenter | Qt::TextWordWrap, m_options.empty);
    }
}

void LineChart::paintBars(QCPPainter* painter, const LineSpec& line) const {
    const SeriesBuffer& low = *line.low();
    const SeriesBuffer& high = *line.high();
    painter->setPen(QPen(colourOf(line), 1.2));
    for (std::size_t i = low.lowerBound(axis().lower()); i < low.size() && low.key(i) <= axis().upper() && i < high.size(); ++i) {
        if (!std::isfinite(low.value(i)) || !std::isfinite(high.value(i))) continue;
        const double x = pixelOf(low.key(i));
        const double top = plot().yAxis->coordToPixel(high.value(i)), bottom = plot().yAxis->coordToPixel(low.value(i));
        painter->drawLine(QPointF(x, top), QPointF(x, bottom));
        painter->drawLine(QPointF(x - 3, top), QPointF(x + 3, top));
        painter->drawLine(QPointF(x - 3, bottom), QPointF(x + 3, bottom));
    }
}

void LineChart::paintEndLabels(QCPPainter* painter) const {
    struct Label {
        QPointF end;
        double y = 0;
        QString text;
        QColor colour;
    };
    std::vector<Label> labels;
    const QRect rect = plot().axisRect()->rect();
    for (const LineSpec& line : m_lines) {
        if (!line.on || line.endLabel.isEmpty()) continue;
        const SeriesBuffer& series = *line.values();
        // The last point in view that a line can show.
        std::size_t index = series.lowerBound(std::nextafter(axis().upper(), INFINITY));
        while (index > 0 && !std::isfinite(series.value(index - 1))) --index;
        if (index == 0) continue;
        const QPointF end(std::min(pixelOf(series.key(index - 1)), static_cast<double>(rect.right())),
                          plot().yAxis->coordToPixel(series.value(index - 1)));
        if (end.x() < rect.left() || !std::isfinite(end.y())) continue;
        labels.push_back(
            {end, std::clamp(end.y(), static_cast<double>(rect.top()), static_cast<double>(rect.bottom())), line.endLabel, colourOf(line)});
    }
    // Letters that would cover one another stand below one another, in the order of their lines.
    std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
    painter->setFont(font());
    const QFontMetrics metrics(font());
    const double height = metrics.height() + 1, lowest = rect.bottom() - height / 2 + 6;
    const auto covers = [&](const Label& a, const Label& b) { return std::fabs(a.end.x() - b.end.x()) < 24 && std::fabs(a.y - b.y) < height; };
    for (std::size_t i = 1; i < labels.size(); ++i) {
        for (std::size_t before = 0; before < i; ++before) {
            if (covers(labels[i], labels[before])) labels[i].y = labels[before].y + height;
        }
    }
    for (std::size_t i = labels.size(); i-- > 0;) {
        labels[i].y = std::min(labels[i].y, lowest);
        for (std::size_t after = i + 1; after < labels.size(); ++after) {
            if (covers(labels[i], labels[after])) labels[i].y = labels[after].y - height;
        }
    }
    for (const Label& label : labels) {
        const double width = metrics.horizontalAdvance(label.text) + 6;
        const QRectF box(label.end.x() + 5, label.y - height / 2, width, height);
        painter->setAntialiasing(true);
        painter->setPen(QPen(label.colour, 1));
        painter->drawLine(label.end, QPointF(box.left(), label.y));
        painter->setBrush(theme().surface);
        painter->drawRoundedRect(box, 3, 3);
        painter->setPen(theme().ink);
        painter->drawText(box, Qt::AlignCenter, label.text);
    }
}

void LineChart::paintLevels(QCPPainter* painter) const {
    if (!m_levels) return;
    const QRect rect = plot().axisRect()->rect();
    painter->setFont(font());
    for (const LevelLine& level : m_levels()) {
        const double y = plot().yAxis->coordToPixel(level.value);
        if (!(y >= rect.top() && y <= rect.bottom())) continue;
        QPen pen(level.isGuard ? theme().warning : theme().ink, 1.2);
        pen.setDashPattern(level.isGuard ? QVector<qreal>{10, 4} : QVector<qreal>{4, 4});
        painter->setPen(pen);
        painter->drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y));
        painter->drawText(QRectF(rect.left() + 4, y - fontMetrics().height() - 1, rect.width() - 8, fontMetrics().height()),
                          Qt::AlignLeft | Qt::AlignVCenter, level.label);
    }
}

}  // namespace mofo
