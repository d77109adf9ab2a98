// What pointer, keys and menu do to a chart.
#include <QApplication>
#include <QClipboard>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/models/display_text.h"
#include "ui/widgets/chart_view.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {

bool ChartView::eventFilter(QObject* watched, QEvent* event) {
    if (watched != m_plot) return QWidget::eventFilter(watched, event);
    switch (event->type()) {
        case QEvent::MouseMove: {
            const auto* mouse = static_cast<QMouseEvent*>(event);
            m_pointer = mouse->position();
            if (m_panFrom) {
                const double steps = stepAt(*m_panFrom) - stepAt(*m_pointer);
                m_panFrom = m_pointer;
                m_axis->pan(steps);
                return true;
            }
            if (m_pressedAt && std::fabs(m_pressedAt->x() - m_pointer->x()) > 6) m_zooming = true;
            const bool inside = m_plot->axisRect()->rect().contains(m_pointer->toPoint());
            m_axis->setHover(inside ? std::optional(stepAt(*m_pointer)) : std::nullopt);
            refreshReadout();
            replotCursor();
            return true;
        }
        case QEvent::Leave:
            m_pointer.reset();
            m_axis->setHover(std::nullopt);
            refreshReadout();
            replotCursor();
            return false;
        case QEvent::MouseButtonPress: {
            const auto* mouse = static_cast<QMouseEvent*>(event);
            setFocus(Qt::MouseFocusReason);
            if (mouse->button() == Qt::LeftButton && showFlag(mouse->position())) return true;
            const bool pans =
                mouse->button() == Qt::MiddleButton || (mouse->button() == Qt::LeftButton && mouse->modifiers().testFlag(Qt::ShiftModifier));
            if (pans)
                m_panFrom = mouse->position();
            else if (mouse->button() == Qt::LeftButton)
                m_pressedAt = mouse->position();
            return true;
        }
        case QEvent::MouseButtonRelease: {
            const auto* mouse = static_cast<QMouseEvent*>(event);
            m_panFrom.reset();
            if (m_zooming && m_pressedAt) {
                const auto [lower, upper] = std::minmax(stepAt(*m_pressedAt), stepAt(mouse->position()));
                const QPointF from = *m_pressedAt, to = mouse->position();
                m_axis->setRange(lower, upper);
                if (std::fabs(to.y() - from.y()) > 14) {
                    const auto [low, high] = std::minmax(m_plot->yAxis->pixelToCoord(from.y()), m_plot->yAxis->pixelToCoord(to.y()));
                    setValueRange(low, high);
                }
            } else if (m_pressedAt && mouse->button() == Qt::LeftButton) {
                const QPointF at = *m_pressedAt;
                if (m_plot->axisRect()->rect().contains(at.toPoint())) {
                    if (const std::optional<double> logged = loggedNear(stepAt(at))) m_axis->setPinned(logged);
                }
                clicked(at);
            }
            m_pressedAt.reset();
            m_zooming = false;
            replotCursor();
            return true;
        }
        case QEvent::MouseButtonDblClick:
            m_pressedAt.reset();
            m_axis->setPinned(std::nullopt);
            m_axis->fit();
            fitValues();
            return true;
        case QEvent::Wheel: {
            const auto* wheel = static_cast<QWheelEvent*>(event);
            const double factor = std::pow(1.2, -wheel->angleDelta().y() / 120.0);
            if (wheel->modifiers().testFlag(Qt::ShiftModifier))
                zoomValues(factor);
            else
                m_axis->zoom(factor, stepAt(wheel->position()));
            return true;
        }
        case QEvent::ContextMenu: {
            QMenu menu(this);
            fillMenu(menu);
            menu.exec(static_cast<QContextMenuEvent*>(event)->globalPos());
            return true;
        }
        case QEvent::ToolTip: {
            const auto* help = static_cast<QHelpEvent*>(event);
            for (const DrawnFlag& flag : m_flags) {
                if (!flag.box.adjusted(-3, 0, 3, 3).contains(help->pos())) continue;
                QStringList lines;
                for (const std::size_t i : flag.events) lines << flagTip(m_data->flags()[i]).toHtmlEscaped();
                QToolTip::showText(help->globalPos(), lines.join(QStringLiteral("<br>")), m_plot);
                return true;
            }
            return false;
        }
        default: return false;
    }
}

bool ChartView::event(QEvent* event) { return QWidget::event(event); }

void ChartView::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    update();
    replotCursor();
}

void ChartView::focusOutEvent(QFocusEvent* event) {
    QWidget::focusOutEvent(event);
    update();
    replotCursor();
}

QString ChartView::flagTip(const EventFlag& flag) const {
    QString text = tr("%1 · step %2 · %3 · by %4, %5", "letter, step, what, who, when")
                       .arg(flag.letter, ui::count(flag.step), flag.text, flag.who, ui::timeOfDay(flag.wallNs));
    if (flag.waitSeconds) text += tr(" · taken after %1 s").arg(QLocale().toString(*flag.waitSeconds, 'f', 2));
    return text;
}

bool ChartView::showFlag(const QPointF& position) {
    for (const DrawnFlag& flag : m_flags) {
        if (!flag.box.contains(position)) continue;
        if (flag.events.size() == 1) {
            m_axis->setPinned(static_cast<double>(m_data->flags()[flag.events.front()].step));
            return true;
        }
        QMenu menu(this);
        for (const std::size_t i : flag.events) {
            const EventFlag& event = m_data->flags()[i];
            const auto step = static_cast<double>(event.step);
            menu.addAction(flagTip(event).replace(QLatin1Char('&'), QLatin1String("&&")), this, [this, step] { m_axis->setPinned(step); });
        }
        menu.exec(m_plot->mapToGlobal(flag.box.bottomLeft().toPoint()));
        return true;
    }
    return false;
}

void ChartView::bringIntoView(double step) {
    m_axis->setPinned(step);
    if (step < m_axis->lower() || step > m_axis->upper()) m_axis->pan(step - (m_axis->lower() + m_axis->upper()) / 2);
}

void ChartView::moveCursor(int direction, bool far) {
    const double present = m_axis->cursor().value_or(newestLogged());
    const std::optional<double> wanted =
        far ? loggedNear(present + direction * 0.1 * (m_axis->upper() - m_axis->lower())) : loggedBeside(present, direction);
    if (!wanted) return;
    m_axis->setHover(std::nullopt);
    bringIntoView(*wanted);
}

void ChartView::goToEvent(int direction) {
    const double present = m_axis->cursor().value_or(static_cast<double>(m_data->newestStep()));
    const EventFlag* found = nullptr;
    for (const EventFlag& flag : m_data->flags()) {
        const auto step = static_cast<double>(flag.step);
        if (direction > 0 && step > present && (found == nullptr || flag.step < found->step)) found = &flag;
        if (direction < 0 && step < present && (found == nullptr || flag.step > found->step)) found = &flag;
    }
    if (found != nullptr) bringIntoView(static_cast<double>(found->step));
}

void ChartView::goToNonFinite() {
    const double present = m_axis->cursor().value_or(-1);
    std::optional<double> next, first;
    for (const SeriesBuffer* series : markedSeries()) {
        for (const std::size_t index : series->nonFinite()) {
            const double step = series->key(index);
            if (!first || step < *first) first = step;
            if (step > present && (!next || step < *next)) next = step;
        }
    }
    if (!next) next = first;
    if (next) bringIntoView(*next);
}

void ChartView::keyPressEvent(QKeyEvent* event) {
    const bool shift = event->modifiers().testFlag(Qt::ShiftModifier);
    if (event->modifiers().testFlag(Qt::ControlModifier) || event->modifiers().testFlag(Qt::AltModifier)) {
        QWidget::keyPressEvent(event);
        return;
    }
    const double middle = m_axis->cursor().value_or((m_axis->lower() + m_axis->upper()) / 2);
    switch (event->key()) {
        case Qt::Key_Left: moveCursor(-1, shift); return;
        case Qt::Key_Right: moveCursor(1, shift); return;
        case Qt::Key_Home:
            if (const std::optional<double> first = loggedNear(-1e18)) bringIntoView(*first);
            return;
        case Qt::Key_End:
            m_axis->setPinned(std::nullopt);
            m_axis->setFollowing(true);
            return;
        case Qt::Key_Plus:
        case Qt::Key_Equal:
            // '+' needs Shift on many keyboards: only Shift with the key that gives '+' without it zooms values.
            if (shift && event->key() == Qt::Key_Equal)
                zoomValues(1 / 1.3);
            else if (shift && event->text() != QLatin1String("+"))
                zoomValues(1 / 1.3);
            else
                m_axis->zoom(1 / 1.5, middle);
            return;
        case Qt::Key_Asterisk: zoomValues(1 / 1.3); return;
        case Qt::Key_Underscore: zoomValues(1.3); return;
        case Qt::Key_Minus:
            if (shift)
                zoomValues(1.3);
            else
                m_axis->zoom(1.5, middle);
            return;
        case Qt::Key_0:
            m_axis->fit();
            fitValues();
            return;
        case Qt::Key_F: m_axis->setFollowing(!m_axis->isFollowing()); return;
        case Qt::Key_N: goToNonFinite(); return;
        case Qt::Key_E: goToEvent(shift ? -1 : 1); return;
        case Qt::Key_A: m_axis->setMark(shift ? std::nullopt : std::optional(shownStep())); return;
        case Qt::Key_V: setTableVisible(!isTableVisible()); return;
        case Qt::Key_C: copyPicture(); return;
        case Qt::Key_Escape:
            if (isTableVisible())
                setTableVisible(false);
            else
                m_axis->setPinned(std::nullopt);
            return;
        case Qt::Key_Menu: {
            QMenu menu(this);
            fillMenu(menu);
            menu.exec(mapToGlobal(rect().center()));
            return;
        }
        default: break;
    }
    if (!handleKey(event)) QWidget::keyPressEvent(event);
}

void ChartView::fillMenu(QMenu& menu) {
    const auto add = [&menu, this](const QString& text, const char* key, auto&& act) {
        QString shown = text;
        if (*key != '\0') shown += QLatin1Char('\t') + QString::fromLatin1(key);
        return menu.addAction(shown, this, act);
    };
    add(tr("Fit the whole run"), "0", [this] {
        m_axis->fit();
        fitValues();
    });
    QAction* follow = add(tr("Follow the newest step"), "F", [this] { m_axis->setFollowing(!m_axis->isFollowing()); });
    follow->setCheckable(true);
    follow->setChecked(m_axis->isFollowing());
    addOwnActions(menu);
    menu.addSeparator();
    add(tr("Next event"), "E", [this] { goToEvent(1); });
    add(tr("Previous event"), "Shift+E", [this] { goToEvent(-1); });
    QAction* nan = add(tr("Next NaN or Inf"), "N", [this] { goToNonFinite(); });
    const std::vector<const SeriesBuffer*> marked = markedSeries();
    nan->setEnabled(std::any_of(marked.begin(), marked.end(), [](const SeriesBuffer* series) { return !series->nonFinite().empty(); }));
    add(tr("Set mark A here: read-outs show the difference"), "A", [this] { m_axis->setMark(shownStep()); });
    QAction* clearMark = add(tr("Clear mark A"), "Shift+A", [this] { m_axis->setMark(std::nullopt); });
    clearMark->setEnabled(m_axis->mark().has_value());
    menu.addSeparator();
    QAction* values = add(tr("Values as a table"), "V", [this] { setTableVisible(!isTableVisible()); });
    values->setCheckable(true);
    values->setChecked(isTableVisible());
    add(tr("This chart alone"), "F11", [this] { Q_EMIT fullWanted(); });
    menu.addSeparator();
    add(tr("Copy image"), "C", [this] { copyPicture(); });
    add(tr("Copy visible values"), "", [this] { copyValues(); });
    add(tr("Save image: PNG, SVG or PDF …"), "", [this] { askWhereToSave(false); });
    add(tr("Save values: CSV …"), "", [this] { askWhereToSave(true); });
}

void ChartView::copyPicture() {
    QApplication::clipboard()->setImage(picture(2, false));
    Q_EMIT said(tr("The chart is on the clipboard, at twice its size."), false);
}

void ChartView::copyValues() {
    const ChartTable values = table(m_axis->lower(), m_axis->upper());
    QApplication::clipboard()->setText(chartTableTsv(values));
    Q_EMIT said(tr("Lines on the clipboard: %1").arg(ui::count(static_cast<std::int64_t>(values.steps.size()))), false);
}

}  // namespace mofo
