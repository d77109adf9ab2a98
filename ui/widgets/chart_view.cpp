#include "ui/widgets/chart_view.h"

#include <QAccessibleWidget>
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMenu>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "ui/models/display_text.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {

namespace {

/// Paints on a layer of the plot, clipped to the axis rectangle.
class PainterItem : public QCPAbstractItem {
public:
    PainterItem(QCustomPlot* plot, std::function<void(QCPPainter*)> paint) : QCPAbstractItem(plot), m_paint(std::move(paint)) {
        setSelectable(false);
    }
    double selectTest(const QPointF&, bool, QVariant*) const override { return -1; }

protected:
    void draw(QCPPainter* painter) override { m_paint(painter); }

private:
    std::function<void(QCPPainter*)> m_paint;
};

class ChartAccessible : public QAccessibleWidget {
public:
    explicit ChartAccessible(ChartView* view) : QAccessibleWidget(view, QAccessible::Chart, view->accessibleName()) {}
    QString text(QAccessible::Text kind) const override {
        if (kind == QAccessible::Value) return static_cast<ChartView*>(widget())->readout();
        return QAccessibleWidget::text(kind);
    }
};

QAccessibleInterface* makeAccessible(const QString&, QObject* object) {
    auto* view = qobject_cast<ChartView*>(object);
    return view != nullptr ? new ChartAccessible(view) : nullptr;
}

constexpr double flagDistance = 14;  // closer ones share one flag

}  // namespace

void ChartView::installAccessibility() { QAccessible::installFactory(makeAccessible); }

ChartView::ChartView(const QString& objectName, const QString& title, const RunData* data, StepAxis* axis, QWidget* parent)
    : QWidget(parent), m_data(data), m_axis(axis) {
    setObjectName(objectName);
    setAccessibleName(title);
    setFocusPolicy(Qt::StrongFocus);
    setMinimumHeight(84);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(2, 2, 2, 2);
    layout->setSpacing(1);
    m_titleRow = new QHBoxLayout;
    m_titleRow->setContentsMargins(6, 0, 2, 0);
    m_titleRow->setSpacing(6);
    m_title = makeHeading(title, this);
    m_readout = new ElidedLabel(this);
    m_readout->setObjectName(objectName + QStringLiteral(".readout"));
    m_readout->setAccessibleName(tr("%1: values at the cursor").arg(title));
    m_titleRow->addWidget(m_title);
    m_titleRow->addWidget(m_readout, 1);
    layout->addLayout(m_titleRow);
    m_body = new QHBoxLayout;
    m_body->setContentsMargins(0, 0, 0, 0);
    m_body->setSpacing(0);
    m_plot = new QCustomPlot(this);
    m_plot->setObjectName(objectName + QStringLiteral(".plot"));
    m_plot->setFocusPolicy(Qt::NoFocus);
    m_plot->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    m_plot->setMinimumSize(60, 40);
    m_plot->setMouseTracking(true);
    m_plot->installEventFilter(this);
    m_body->addWidget(m_plot, 1);
    layout->addLayout(m_body, 1);

    m_plot->setLocale(QLocale());
    m_plot->setNoAntialiasingOnDrag(true);
    QCPAxisRect* rect = m_plot->axisRect();
    rect->setAutoMargins(QCP::msNone);
    // Half a line above: a row label at the very top is not cut.
    rect->setMargins(QMargins(leftMargin, fontMetrics().height() / 2 + 2, 14, 8));
    m_plot->xAxis->setSubTicks(false);
    m_plot->yAxis->setSubTicks(false);
    m_plot->xAxis->setTickLabels(false);
    rect->setupFullAxesBox(false);
    for (QCPAxis* far : {m_plot->xAxis2, m_plot->yAxis2}) {
        far->setTicks(false);
        far->setTickLabels(false);
    }
    auto steps = QSharedPointer<QCPAxisTicker>::create();
    steps->setTickCount(7);
    m_plot->xAxis->setTicker(steps);
    m_plot->xAxis->setNumberFormat(QStringLiteral("f"));
    m_plot->xAxis->setNumberPrecision(0);
    // Above curves and maps, below the marks of values that are no numbers.
    addPainter(QStringLiteral("axes"), [this](QCPPainter* painter) { paintFlags(painter); });
    addPainter(QStringLiteral("overlay"), [this](QCPPainter* painter) { paintCursor(painter); });

    connect(axis, &StepAxis::rangeChanged, this, [this] { markDirty(); });
    connect(axis, &StepAxis::cursorChanged, this, [this] {
        refreshReadout();
        replotCursor();
    });
    connect(data, &RunData::cleared, this, [this] { markDirty(); });
    connect(data, &RunData::eventsChanged, this, [this] { markDirty(); });
    connect(data, &RunData::tuningChanged, this, [this] { markDirty(); });
}

void ChartView::addPainter(const QString& layer, std::function<void(QCPPainter*)> paint) {
    auto* item = new PainterItem(m_plot, std::move(paint));
    item->setLayer(layer);
    item->setClipToAxisRect(true);
    item->setClipAxisRect(m_plot->axisRect());
}

void ChartView::setSideColumn(QWidget* widget) {
    widget->setFixedWidth(sideWidth);
    m_body->addWidget(widget);
}

void ChartView::setStepLabelsVisible(bool visible) {
    m_plot->xAxis->setTickLabels(visible);
    QMargins margins = m_plot->axisRect()->margins();
    margins.setBottom(visible ? fontMetrics().height() + 10 : 8);
    m_plot->axisRect()->setMargins(margins);
    markDirty();
}

void ChartView::applyTheme(const Theme& theme) {
    m_plot->setBackground(QBrush(theme.surface));
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis, m_plot->xAxis2, m_plot->yAxis2}) {
        axis->setBasePen(QPen(theme.hatch, 1));
        axis->setTickPen(QPen(theme.hatch, 1));
        axis->setSubTickPen(QPen(theme.hatch, 1));
        axis->setTickLabelColor(theme.ink);
        axis->setLabelColor(theme.ink);
        axis->setTickLabelFont(font());
        axis->grid()->setPen(QPen(theme.grid, 1));
        axis->grid()->setZeroLinePen(QPen(theme.grid, 1));
        axis->setTickLengthIn(0);
        axis->setTickLengthOut(4);
    }
    QPalette soft = m_readout->palette();
    soft.setColor(QPalette::WindowText, theme.inkSoft);
    m_readout->setPalette(soft);
}

void ChartView::drawIfNeeded() {
    if (!m_dirty || !isVisible() || m_plot->width() < 20) return;
    m_dirty = false;
    ++m_drawCount;
    m_plot->xAxis->setRange(m_axis->lower(), m_axis->upper());
    drawSeries();
    refreshReadout();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void ChartView::refreshReadout() {
    const QString text = readoutText();
    if (text == m_readout->fullText()) return;
    m_readout->setFullText(text);
}

void ChartView::replotCursor() {
    if (isVisible()) m_plot->layer(QStringLiteral("overlay"))->replot();
}

QPixmap ChartView::picture() const { return m_plot->toPixmap(m_plot->width(), m_plot->height(), 2.0); }

double ChartView::stepAt(const QPointF& position) const { return m_plot->xAxis->pixelToCoord(position.x()); }

void ChartView::paintFlags(QCPPainter* painter) {
    const Theme theme = Theme::current();
    const QRect rect = m_plot->axisRect()->rect();
    painter->setFont(font());
    const QFontMetrics metrics(font());
    struct Drawn {
        double x;
        QString text;
        bool isError;
        int merged;
    };
    std::vector<Drawn> drawn;
    for (const EventFlag& flag : m_data->flags()) {
        const double x = m_plot->xAxis->coordToPixel(static_cast<double>(flag.step));
        if (x < rect.left() - 1 || x > rect.right() + 1) continue;
        painter->setPen(QPen(flag.isError ? theme.error : theme.ink, 1.5, flag.isError ? Qt::DashLine : Qt::SolidLine));
        painter->drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()));
        if (!drawn.empty() && x - drawn.back().x < flagDistance) {
            Drawn& last = drawn.back();
            ++last.merged;
            // Two kinds at one step keep their letters; more become a number.
            if (last.merged == 2 && last.text != flag.letter) last.text += flag.letter;
            else if (last.merged > 2 || last.text == flag.letter) last.text = QString::number(last.merged);
            last.isError = last.isError || flag.isError;
        } else {
            drawn.push_back({x, flag.letter, flag.isError, 1});
        }
    }
    for (const Drawn& flag : drawn) {
        const int width = std::max(15, metrics.horizontalAdvance(flag.text) + 7);
        const QRectF box(std::min(flag.x, static_cast<double>(rect.right() - width)), rect.top(), width, metrics.height() + 1);
        painter->setPen(Qt::NoPen);
        painter->setBrush(flag.isError ? theme.error : theme.ink);
        painter->drawRect(box);
        painter->setPen(theme.surface);
        painter->drawText(box, Qt::AlignCenter, flag.text);
    }
    // Sent and not answered: nobody knows the step yet.
    const auto& pending = m_data->tuning().pending;
    const bool answers = m_data->run() && !isEnded(m_data->run()->state);
    if (answers && std::any_of(pending.begin(), pending.end(), [](const PendingCommand& command) { return command.kind == "set"; })) {
        const double x = std::min(m_plot->xAxis->coordToPixel(static_cast<double>(m_data->newestStep()) + 0.5),
                                  static_cast<double>(rect.right()) - 1);
        painter->setPen(QPen(theme.accent, 1.5, Qt::DashLine));
        painter->drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()));
    }
}

void ChartView::paintCursor(QCPPainter* painter) {
    const Theme theme = Theme::current();
    const QRect rect = m_plot->axisRect()->rect();
    if (const std::optional<double> cursor = m_axis->cursor()) {
        const StepRow* row = m_data->stepNear(*cursor);
        const double step = row != nullptr ? static_cast<double>(row->step) : *cursor;
        const double x = m_plot->xAxis->coordToPixel(step);
        // White under black stays visible on any colour of a map.
        QColor halo = theme.surface;
        halo.setAlpha(170);
        painter->setPen(QPen(halo, 3));
        painter->drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()));
        painter->setPen(QPen(theme.ink, 1, m_axis->isPinned() ? Qt::SolidLine : Qt::DashLine));
        painter->drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()));
    }
    if (m_zooming && m_pressedAt && m_pointer) {
        QColor fill = palette().color(QPalette::Highlight);
        painter->setPen(QPen(fill, 1));
        fill.setAlpha(50);
        painter->setBrush(fill);
        painter->drawRect(QRectF(QPointF(m_pressedAt->x(), rect.top()), QPointF(m_pointer->x(), rect.bottom())));
    }
}

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
            return false;
        case QEvent::MouseButtonPress: {
            const auto* mouse = static_cast<QMouseEvent*>(event);
            setFocus(Qt::MouseFocusReason);
            const bool pans = mouse->button() == Qt::MiddleButton ||
                              (mouse->button() == Qt::LeftButton && mouse->modifiers().testFlag(Qt::ShiftModifier));
            if (pans) m_panFrom = mouse->position();
            else if (mouse->button() == Qt::LeftButton) m_pressedAt = mouse->position();
            return true;
        }
        case QEvent::MouseButtonRelease: {
            const auto* mouse = static_cast<QMouseEvent*>(event);
            m_panFrom.reset();
            if (m_zooming && m_pressedAt) {
                const auto [lower, upper] = std::minmax(stepAt(*m_pressedAt), stepAt(mouse->position()));
                m_axis->setRange(lower, upper);
            } else if (m_pressedAt && mouse->button() == Qt::LeftButton) {
                if (const StepRow* row = m_data->stepNear(stepAt(*m_pressedAt))) m_axis->setPinned(static_cast<double>(row->step));
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
            if (wheel->modifiers().testFlag(Qt::ShiftModifier)) zoomValues(factor);
            else m_axis->zoom(factor, stepAt(wheel->position()));
            return true;
        }
        case QEvent::ContextMenu:
            showMenu(static_cast<QContextMenuEvent*>(event)->globalPos());
            return true;
        default: return false;
    }
}

void ChartView::moveCursor(int direction, bool far) {
    if (m_data->steps().empty()) return;
    const double present = m_axis->cursor().value_or(static_cast<double>(m_data->newestStep()));
    double wanted = present;
    if (far) {
        wanted = present + direction * 0.1 * (m_axis->upper() - m_axis->lower());
    } else {
        const auto index = static_cast<std::ptrdiff_t>(*m_data->loss().nearest(present)) + direction;
        const auto last = static_cast<std::ptrdiff_t>(m_data->steps().size()) - 1;
        wanted = static_cast<double>(m_data->steps()[static_cast<std::size_t>(std::clamp(index, std::ptrdiff_t{0}, last))].step);
    }
    const double step = static_cast<double>(m_data->stepNear(wanted)->step);
    m_axis->setPinned(step);
    if (step < m_axis->lower() || step > m_axis->upper()) m_axis->pan(step - (m_axis->lower() + m_axis->upper()) / 2);
}

void ChartView::goToEvent(int direction) {
    const double present = m_axis->cursor().value_or(static_cast<double>(m_data->newestStep()));
    const auto& flags = m_data->flags();
    const EventFlag* found = nullptr;
    for (const EventFlag& flag : flags) {
        const auto step = static_cast<double>(flag.step);
        if (direction > 0 && step > present && (found == nullptr || flag.step < found->step)) found = &flag;
        if (direction < 0 && step < present && (found == nullptr || flag.step > found->step)) found = &flag;
    }
    if (found != nullptr) m_axis->setPinned(static_cast<double>(found->step));
}

void ChartView::goToNonFinite() {
    const SeriesBuffer& loss = m_data->loss();
    if (loss.nonFinite().empty()) return;
    const double present = m_axis->cursor().value_or(-1);
    std::size_t next = loss.nonFinite().front();
    for (const std::size_t index : loss.nonFinite()) {
        if (loss.key(index) > present) {
            next = index;
            break;
        }
    }
    m_axis->setPinned(loss.key(next));
    const double step = loss.key(next);
    if (step < m_axis->lower() || step > m_axis->upper()) m_axis->pan(step - (m_axis->lower() + m_axis->upper()) / 2);
}

void ChartView::keyPressEvent(QKeyEvent* event) {
    const bool shift = event->modifiers().testFlag(Qt::ShiftModifier);
    const double middle = m_axis->cursor().value_or((m_axis->lower() + m_axis->upper()) / 2);
    switch (event->key()) {
        case Qt::Key_Left: moveCursor(-1, shift); return;
        case Qt::Key_Right: moveCursor(1, shift); return;
        case Qt::Key_Home:
            if (!m_data->steps().empty()) m_axis->setPinned(static_cast<double>(m_data->steps().front().step));
            return;
        case Qt::Key_End:
            m_axis->setPinned(std::nullopt);
            m_axis->setFollowing(true);
            return;
        case Qt::Key_Plus:
        case Qt::Key_Equal:
            if (shift && event->key() == Qt::Key_Plus && event->modifiers().testFlag(Qt::ControlModifier)) break;
            m_axis->zoom(1 / 1.5, middle);
            return;
        case Qt::Key_Minus: m_axis->zoom(1.5, middle); return;
        case Qt::Key_0:
            m_axis->fit();
            fitValues();
            return;
        case Qt::Key_F: m_axis->setFollowing(!m_axis->isFollowing()); return;
        case Qt::Key_N: goToNonFinite(); return;
        case Qt::Key_E: goToEvent(shift ? -1 : 1); return;
        case Qt::Key_C:
            if (event->modifiers() == Qt::NoModifier) {
                QApplication::clipboard()->setPixmap(picture());
                return;
            }
            break;
        case Qt::Key_Escape: m_axis->setPinned(std::nullopt); return;
        case Qt::Key_Menu: showMenu(mapToGlobal(rect().center())); return;
        default: break;
    }
    if (!handleKey(event)) QWidget::keyPressEvent(event);
}

void ChartView::showMenu(const QPoint& at) {
    QMenu menu(this);
    menu.addAction(tr("Fit the whole run\t0"), this, [this] {
        m_axis->fit();
        fitValues();
    });
    QAction* follow = menu.addAction(tr("Follow the newest step\tF"), this, [this] { m_axis->setFollowing(!m_axis->isFollowing()); });
    follow->setCheckable(true);
    follow->setChecked(m_axis->isFollowing());
    menu.addAction(tr("Next event\tE"), this, [this] { goToEvent(1); });
    menu.addAction(tr("Previous event\tShift+E"), this, [this] { goToEvent(-1); });
    QAction* nan = menu.addAction(tr("Next NaN or Inf\tN"), this, [this] { goToNonFinite(); });
    nan->setEnabled(!m_data->loss().nonFinite().empty());
    menu.addSeparator();
    menu.addAction(tr("Copy image\tC"), this, [this] { QApplication::clipboard()->setPixmap(picture()); });
    menu.exec(at);
}

void ChartView::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        applyTheme(Theme::current());
        markDirty();
    }
}

void ChartView::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    applyTheme(Theme::current());
    markDirty();
}

void ChartView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    markDirty();
}

}  // namespace mofo
