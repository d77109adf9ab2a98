#include "ui/widgets/chart_legend.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>

#include "ui/widgets/theme.h"

namespace mofo {

namespace {

constexpr int sampleWidth = 20;
constexpr int gap = 5;

}  // namespace

ChartLegend::ChartLegend(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::TabFocus);
    setMouseTracking(true);
}

void ChartLegend::setEntries(std::vector<LegendEntry> entries) {
    const bool sizeChanges = entries.size() != m_entries.size();
    m_entries = std::move(entries);
    m_current = std::clamp(m_current, 0, std::max(0, static_cast<int>(m_entries.size()) - 1));
    QStringList spoken;
    for (const LegendEntry& entry : m_entries) spoken << (entry.on ? entry.name : tr("%1 (off)").arg(entry.name));
    setAccessibleDescription(spoken.join(QStringLiteral(", ")));
    if (sizeChanges) updateGeometry();
    update();
}

void ChartLegend::setHorizontal(bool horizontal) {
    if (horizontal == m_horizontal) return;
    m_horizontal = horizontal;
    setSizePolicy(QSizePolicy::Preferred, horizontal ? QSizePolicy::Fixed : QSizePolicy::Preferred);
    updateGeometry();
    update();
}

void ChartLegend::drawCross(QPainter& painter, const QPointF& centre, double size) {
    painter.drawLine(centre + QPointF(-size, -size), centre + QPointF(size, size));
    painter.drawLine(centre + QPointF(-size, size), centre + QPointF(size, -size));
}

int ChartLegend::lineHeight() const { return fontMetrics().height() + 3; }

QSize ChartLegend::sizeHint() const {
    if (!m_horizontal) return {110, static_cast<int>(m_entries.size()) * lineHeight() + 8};
    return {100, lineHeight()};
}

QRect ChartLegend::rectOf(int entry, const QRect& room) const {
    const int line = lineHeight();
    if (!m_horizontal) return {room.left(), room.top() + 6 + entry * line, room.width(), line};
    int x = room.left() + 4;
    for (int i = 0; i < entry; ++i) x += sampleWidth + 2 * gap + fontMetrics().horizontalAdvance(m_entries[static_cast<std::size_t>(i)].name) + 8;
    return {x, room.top(), sampleWidth + 2 * gap + fontMetrics().horizontalAdvance(m_entries[static_cast<std::size_t>(entry)].name) + 4, line};
}

void ChartLegend::paint(QPainter& painter, const QRect& room, const QColor& ink) const {
    painter.setRenderHint(QPainter::Antialiasing);
    for (std::size_t i = 0; i < m_entries.size(); ++i) {
        const LegendEntry& entry = m_entries[i];
        const QRect rect = rectOf(static_cast<int>(i), room);
        if (rect.bottom() > room.bottom() + 2) break;
        painter.save();
        painter.setOpacity(entry.on ? 1.0 : 0.3);
        const double y = rect.center().y() + 0.5;
        if (entry.sample) entry.sample(painter, QPointF(rect.left() + gap, y), QPointF(rect.left() + gap + sampleWidth, y));
        painter.restore();
        const QRect text = rect.adjusted(sampleWidth + 2 * gap, 0, 0, 0);
        QFont font = painter.font();
        font.setStrikeOut(!entry.on);
        painter.setFont(font);
        painter.setPen(ink);
        painter.drawText(text, Qt::AlignLeft | Qt::AlignVCenter, painter.fontMetrics().elidedText(entry.name, Qt::ElideRight, text.width()));
        font.setStrikeOut(false);
        painter.setFont(font);
    }
}

void ChartLegend::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::current();
    QPainter painter(this);
    painter.fillRect(rect(), theme.surface);
    paint(painter, rect(), theme.ink);
    if (hasFocus() && !m_entries.empty()) {
        painter.setPen(QPen(palette().color(QPalette::Highlight), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(rectOf(m_current, rect()).adjusted(1, 0, -2, -1));
    }
}

void ChartLegend::mousePressEvent(QMouseEvent* event) {
    for (std::size_t i = 0; i < m_entries.size(); ++i) {
        if (!rectOf(static_cast<int>(i), rect()).contains(event->pos()) || m_entries[i].series < 0) continue;
        m_current = static_cast<int>(i);
        if (event->modifiers().testFlag(Qt::AltModifier))
            Q_EMIT soloed(m_entries[i].series);
        else
            Q_EMIT toggled(m_entries[i].series);
        return;
    }
    event->ignore();
}

void ChartLegend::step(int direction) {
    if (m_entries.empty()) return;
    m_current = std::clamp(m_current + direction, 0, static_cast<int>(m_entries.size()) - 1);
    update();
}

void ChartLegend::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Up:
        case Qt::Key_Left: step(-1); return;
        case Qt::Key_Down:
        case Qt::Key_Right: step(1); return;
        case Qt::Key_Space:
            if (m_entries.empty() || m_entries[static_cast<std::size_t>(m_current)].series < 0) return;
            if (event->modifiers().testFlag(Qt::ShiftModifier))
                Q_EMIT soloed(m_entries[static_cast<std::size_t>(m_current)].series);
            else
                Q_EMIT toggled(m_entries[static_cast<std::size_t>(m_current)].series);
            return;
        default: QWidget::keyPressEvent(event);
    }
}

bool ChartLegend::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        for (std::size_t i = 0; i < m_entries.size(); ++i) {
            if (!rectOf(static_cast<int>(i), rect()).contains(help->pos())) continue;
            const QString name = m_entries[i].name.toHtmlEscaped();
            QToolTip::showText(help->globalPos(),
                               m_entries[i].series < 0 ? name : tr("%1: click or Space switches it, Alt+click shows it alone").arg(name), this);
            return true;
        }
        QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

}  // namespace mofo
