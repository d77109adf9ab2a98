#include "ui/widgets/alpha_dial.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QStyleOption>
#include <QWheelEvent>
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "ui/models/display_text.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

constexpr double pi = std::numbers::pi;
constexpr double leastAlpha = 0.001;
constexpr int lastPosition = 3000;
// 250 degrees, open at the bottom.
constexpr double startAngle = pi * 1.194;
constexpr double sweep = pi * 1.389;
constexpr std::array<double, 9> tickPercents{0.1, 1, 3, 5, 10, 15, 20, 40, 100};

double roundToDigits(double value, int digits) {
    const double scale = std::pow(10.0, digits - 1 - std::floor(std::log10(value)));
    return std::round(value * scale) / scale;
}

}  // namespace

AlphaDial::AlphaDial(QWidget* parent) : QAbstractSlider(parent) {
    setRange(0, lastPosition);
    setSingleStep(lastPosition / 100);
    setPageStep(lastPosition / 20);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setValue(positionOf(m_applied));
}

double AlphaDial::alphaAt(int position) {
    if (position >= lastPosition) return 1.0;
    const double exact = leastAlpha * std::pow(10.0, std::max(0, position) / 1000.0);
    return std::clamp(roundToDigits(exact, 2), leastAlpha, 1.0);
}

int AlphaDial::positionOf(double alpha) {
    return static_cast<int>(std::lround(1000.0 * std::log10(std::clamp(alpha, leastAlpha, 1.0) / leastAlpha)));
}

double AlphaDial::neighbour(double alpha, int direction) {
    static constexpr std::array<double, 19> ladder{0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.10,
                                                   0.125, 0.15,  0.20,  0.25,  0.30, 0.40, 0.50, 0.70, 1.0};
    if (direction > 0) {
        const auto next = std::find_if(ladder.begin(), ladder.end(), [&](double value) { return value > alpha * 1.0001; });
        return next == ladder.end() ? 1.0 : *next;
    }
    const auto next = std::find_if(ladder.rbegin(), ladder.rend(), [&](double value) { return value < alpha * 0.9999; });
    return next == ladder.rend() ? leastAlpha : *next;
}

void AlphaDial::setNeedles(double applied, std::optional<double> wanted, bool sent) {
    m_applied = applied;
    m_wanted = wanted;
    m_sent = sent;
    setValue(positionOf(wanted.value_or(applied)));
    QString description = tr("applied %1").arg(ui::percent(applied));
    if (wanted) description += QStringLiteral(", ") + (sent ? tr("sent %1") : tr("staged %1")).arg(ui::percent(*wanted));
    setAccessibleDescription(description);
    update();
}

QSize AlphaDial::sizeHint() const { return {240, 172}; }

QSize AlphaDial::minimumSizeHint() const { return {190, 150}; }

AlphaDial::Geometry AlphaDial::geometryOfDial() const {
    const double room = fontMetrics().height() + 6.0;
    // The arc reaches below its centre by sin(startAngle) of its radius.
    const double below = -std::sin(startAngle);
    const double radius = std::max(30.0, std::min((width() - 2 * room - 24) / 2.0, (height() - room - 6) / (1 + below)));
    return {{width() / 2.0, room + radius}, radius};
}

double AlphaDial::angleOf(double alpha) { return startAngle - sweep * positionOf(alpha) / lastPosition; }

void AlphaDial::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::current();
    const Geometry g = geometryOfDial();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const bool enabled = isEnabled();
    const QColor ink = enabled ? palette().color(QPalette::WindowText) : palette().color(QPalette::Disabled, QPalette::WindowText);
    const auto pointAt = [&](double angle, double radius) {
        return g.centre + QPointF(radius * std::cos(angle), -radius * std::sin(angle));
    };
    const QRectF box(g.centre.x() - g.radius, g.centre.y() - g.radius, 2 * g.radius, 2 * g.radius);
    const auto arc = [&](double from, double to, const QPen& pen) {
        painter.setPen(pen);
        painter.drawArc(box, static_cast<int>(std::lround(angleOf(from) * 180 / pi * 16)),
                        static_cast<int>(std::lround((angleOf(to) - angleOf(from)) * 180 / pi * 16)));
    };
    arc(leastAlpha, 1.0, QPen(theme.hairline, 9, Qt::SolidLine, Qt::FlatCap));
    arc(0.05, 0.20, QPen(enabled ? theme.band : theme.hairline.lighter(105), 9, Qt::SolidLine, Qt::FlatCap));

    painter.setPen(QPen(ink, 1));
    for (const double percent : tickPercents) {
        const double angle = angleOf(percent / 100);
        painter.drawLine(pointAt(angle, g.radius - 4.5), pointAt(angle, g.radius + 4.5));
        const QString text = locale().toString(percent, 'g', 3);
        const QSizeF size = painter.fontMetrics().size(Qt::TextSingleLine, text);
        const QPointF at = pointAt(angle, g.radius + 8 + size.width() / 2 * std::fabs(std::cos(angle)) + size.height() / 2 * std::fabs(std::sin(angle)));
        painter.drawText(QRectF(at.x() - size.width() / 2, at.y() - size.height() / 2, size.width(), size.height()), Qt::AlignCenter, text);
    }

    const auto needle = [&](double alpha, double inner, double outer, double halfWidth) {
        const double angle = angleOf(alpha);
        const QPointF across(halfWidth * std::sin(angle), halfWidth * std::cos(angle));
        QPainterPath path(pointAt(angle, outer));
        path.lineTo(pointAt(angle, inner) + across);
        path.lineTo(pointAt(angle, inner) - across);
        path.closeSubpath();
        return path;
    };
    if (m_wanted) {
        QPen pen(enabled ? theme.accent : ink, 1.8, m_sent ? Qt::DotLine : Qt::SolidLine);
        pen.setJoinStyle(Qt::RoundJoin);
        painter.setPen(pen);
        painter.setBrush(Qt::NoBrush);
        painter.drawPath(needle(*m_wanted, g.radius * 0.42, g.radius + 2, 6));
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(enabled ? theme.train : ink);
    painter.drawPath(needle(m_applied, g.radius * 0.42, g.radius - 6, 4.5));

    QFont big = font();
    big.setPointSizeF(font().pointSizeF() * 1.55);
    big.setBold(true);
    painter.setFont(big);
    painter.setPen(ink);
    const double line = QFontMetricsF(big).height();
    painter.drawText(QRectF(g.centre.x() - g.radius, g.centre.y() - line * 0.55, 2 * g.radius, line), Qt::AlignCenter, ui::percent(m_applied));
    if (m_wanted) {
        QFont italic = font();
        italic.setItalic(true);
        painter.setFont(italic);
        painter.setPen(enabled ? theme.accent : ink);
        painter.drawText(QRectF(g.centre.x() - g.radius, g.centre.y() + line * 0.45, 2 * g.radius, QFontMetricsF(italic).height()), Qt::AlignCenter,
                         (m_sent ? tr("sent %1") : tr("staged %1")).arg(ui::percent(*m_wanted)));
    }
    if (hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(palette().color(QPalette::Highlight), 2));
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 4, 4);
    }
}

void AlphaDial::stagePosition(int position) {
    position = std::clamp(position, 0, lastPosition);
    setValue(position);
    Q_EMIT alphaStaged(alphaAt(position));
}

void AlphaDial::stageAt(const QPointF& point) {
    const Geometry g = geometryOfDial();
    const QPointF delta = point - g.centre;
    if (std::hypot(delta.x(), delta.y()) < g.radius * 0.2) return;
    double angle = std::atan2(-delta.y(), delta.x());
    if (angle < startAngle - sweep - (2 * pi - sweep) / 2) angle += 2 * pi;
    const double share = (startAngle - angle) / sweep;
    stagePosition(static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * lastPosition)));
}

void AlphaDial::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) {
        event->ignore();
        return;
    }
    stageAt(event->position());
}

void AlphaDial::mouseMoveEvent(QMouseEvent* event) {
    if (event->buttons().testFlag(Qt::LeftButton)) stageAt(event->position());
}

void AlphaDial::wheelEvent(QWheelEvent* event) {
    // Without the focus the wheel belongs to the page: passing over the dial never changes a value.
    if (!hasFocus()) {
        event->ignore();
        return;
    }
    m_wheelRest += event->angleDelta().y();
    const int notches = m_wheelRest / 120;
    m_wheelRest -= notches * 120;
    if (notches != 0) stagePosition(positionOf(m_wanted.value_or(m_applied)) + notches * singleStep());
    event->accept();
}

void AlphaDial::keyPressEvent(QKeyEvent* event) {
    const int present = positionOf(m_wanted.value_or(m_applied));
    switch (event->key()) {
        case Qt::Key_Up:
        case Qt::Key_Right: stagePosition(present + singleStep()); return;
        case Qt::Key_Down:
        case Qt::Key_Left: stagePosition(present - singleStep()); return;
        case Qt::Key_PageUp: stagePosition(present + pageStep()); return;
        case Qt::Key_PageDown: stagePosition(present - pageStep()); return;
        case Qt::Key_Home: stagePosition(0); return;
        case Qt::Key_End: stagePosition(lastPosition); return;
        case Qt::Key_Escape: Q_EMIT discardWanted(); return;
        default: event->ignore();
    }
}

}  // namespace mofo
