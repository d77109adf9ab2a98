#include "ui/widgets/histogram_plot.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/models/display_text.h"
#include "ui/widgets/theme.h"

namespace mofo {

HistogramPlot::HistogramPlot(const QString& objectName, QWidget* parent) : QWidget(parent) {
    setObjectName(objectName);
    setAccessibleName(tr("Histogram of |m|"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

QSize HistogramPlot::sizeHint() const { return {220, 92}; }

QSize HistogramPlot::minimumSizeHint() const { return {120, 92}; }

void HistogramPlot::show(const RunData& data, const HistogramBatch* batch, const QString& why, double staged) {
    m_counts.clear();
    m_why = why;
    m_threshold = m_thresholdLow = m_thresholdHigh = 0;
    m_staged = staged;
    m_greatest = 0;
    if (batch != nullptr && !batch->histograms.empty()) {
        std::optional<std::int64_t> lowest;
        std::int64_t last = 0;
        const auto octave = [](const HistogramRow& row, std::int64_t bin) {
            const std::int64_t s = std::max(1, row.stepsPerOctave);
            return bin >= 0 ? bin / s : -((-bin + s - 1) / s);
        };
        const auto counts = [&](const HistogramRow& row) {
            return !row.counts.empty() && static_cast<std::size_t>(row.parameter) < data.parameters().size() &&
                   data.parameters()[static_cast<std::size_t>(row.parameter)].filtered;
        };
        for (const HistogramRow& row : batch->histograms) {
            if (!counts(row)) continue;
            const std::int64_t from = octave(row, row.firstBin), to = octave(row, row.firstBin + static_cast<std::int64_t>(row.counts.size()) - 1);
            last = lowest ? std::max(last, to) : to;
            lowest = lowest ? std::min(*lowest, from) : from;
        }
        const std::int64_t first = lowest.value_or(0);
        if (lowest) m_counts.assign(static_cast<std::size_t>(last - first + 1), 0.0);
        m_firstOctave = first;
        for (const HistogramRow& row : batch->histograms) {
            if (!counts(row)) continue;
            for (std::size_t i = 0; i < row.counts.size(); ++i)
                m_counts[static_cast<std::size_t>(octave(row, row.firstBin + static_cast<std::int64_t>(i)) - first)] += row.counts[i];
        }
        for (const double count : m_counts) m_greatest = std::max(m_greatest, count);
        if (const std::optional<std::size_t> column = data.columnNear(static_cast<double>(batch->step))) {
            const MeasurementDigest digest = digestOf(data.tensors()[*column], data.parameters());
            m_threshold = digest.thresholdMedian;
            m_thresholdLow = digest.thresholdLow;
            m_thresholdHigh = digest.thresholdHigh;
        }
    }
    setAccessibleDescription(m_counts.empty() ? m_why : tr("threshold %1").arg(ui::fourDigits(m_threshold)));
    update();
}

QRect HistogramPlot::plotRect() const { return rect().adjusted(6, 4, -6, -fontMetrics().height() - 4); }

double HistogramPlot::pixelOf(double magnitude) const {
    const QRect room = plotRect();
    return room.left() + (std::log2(magnitude) - static_cast<double>(m_firstOctave)) / static_cast<double>(m_counts.size()) * room.width();
}

void HistogramPlot::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::current();
    QPainter painter(this);
    painter.fillRect(rect(), theme.surface);
    painter.setPen(theme.hairline);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
    const QRect room = plotRect();
    if (m_counts.empty() || m_greatest <= 0) {
        painter.setPen(theme.inkSoft);
        painter.drawText(rect().adjusted(8, 4, -8, -4), Qt::AlignCenter | Qt::TextWordWrap, m_why);
        return;
    }
    const double top = std::log10(m_greatest + 1);
    const double width = static_cast<double>(room.width()) / static_cast<double>(m_counts.size());
    for (std::size_t i = 0; i < m_counts.size(); ++i) {
        if (m_counts[i] <= 0) continue;
        const double height = std::log10(m_counts[i] + 1) / top * room.height();
        const double low = std::exp2(static_cast<double>(m_firstOctave) + static_cast<double>(i));
        // What is above the threshold is selected: filled. The rest: light.
        QColor colour = theme.train;
        if (low < m_threshold) colour.setAlphaF(0.35F);
        painter.fillRect(QRectF(room.left() + static_cast<double>(i) * width + 0.5, room.bottom() + 1 - height, std::max(1.0, width - 1), height),
                         colour);
    }
    const auto line = [&](double at, const QPen& pen) {
        if (!(at > 0)) return;
        const double x = std::clamp(pixelOf(at), static_cast<double>(room.left()), static_cast<double>(room.right()));
        painter.setPen(pen);
        painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()));
    };
    // The thresholds of the partitions spread: their range as a band, their median as a line.
    if (m_thresholdLow > 0 && m_thresholdHigh > m_thresholdLow) {
        QColor band = theme.eval;
        band.setAlphaF(0.14F);
        painter.fillRect(QRectF(QPointF(pixelOf(m_thresholdLow), room.top()), QPointF(pixelOf(m_thresholdHigh), room.bottom())) & QRectF(room), band);
    }
    line(m_threshold, QPen(theme.eval, 2));
    line(m_staged, QPen(theme.accent, 1.5, Qt::DashLine));
    painter.setPen(theme.inkSoft);
    painter.drawLine(room.bottomLeft() + QPoint(0, 1), room.bottomRight() + QPoint(0, 1));
    const int below = room.bottom() + 2;
    const auto label = [&](double share, Qt::Alignment alignment) {
        const double value = std::exp2(static_cast<double>(m_firstOctave) + share * static_cast<double>(m_counts.size()));
        painter.drawText(QRect(room.left(), below, room.width(), fontMetrics().height()), alignment,
                         ui::shortNumber(std::stod(QString::number(value, 'g', 1).toStdString())));
    };
    label(0, Qt::AlignLeft);
    label(1, Qt::AlignRight);
    painter.drawText(QRect(room.left(), below, room.width(), fontMetrics().height()), Qt::AlignHCenter, QStringLiteral("|m|"));
}

bool HistogramPlot::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip && !m_counts.empty()) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const QRect room = plotRect();
        const auto i = static_cast<std::ptrdiff_t>((help->pos().x() - room.left()) * static_cast<double>(m_counts.size()) / room.width());
        if (i >= 0 && i < static_cast<std::ptrdiff_t>(m_counts.size())) {
            const double low = std::exp2(static_cast<double>(m_firstOctave + i));
            QToolTip::showText(help->globalPos(),
                               tr("%1 coordinates with %2 ≤ |m| < %3")
                                   .arg(ui::shortCount(m_counts[static_cast<std::size_t>(i)]), ui::fourDigits(low), ui::fourDigits(2 * low)),
                               this);
        }
        return true;
    }
    return QWidget::event(event);
}

}  // namespace mofo
