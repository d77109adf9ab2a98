#include "ui/widgets/chart_view.h"

#include <QAccessibleWidget>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QPainter>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "ui/models/display_text.h"
#include "ui/widgets/qcustomplot.h"
#include "ui/widgets/table_tools.h"

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

/// Ticks of the x axis in its unit: whole steps, epochs, short counts of tokens, durations.
class UnitTicker : public QCPAxisTicker {
public:
    explicit UnitTicker(StepUnit unit) : m_unit(unit) { setTickCount(7); }

protected:
    double getTickStep(const QCPRange& range) override {
        double wanted = QCPAxisTicker::getTickStep(range);
        if (m_unit == StepUnit::Step || m_unit == StepUnit::Tokens) return std::max(1.0, std::round(wanted));
        if (m_unit != StepUnit::Time) return wanted;
        static constexpr double round[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400};
        for (const double step : round) {
            if (step >= wanted * 0.8) return step;
        }
        return wanted;
    }
    QString getTickLabel(double tick, const QLocale& locale, QChar, int) override {
        switch (m_unit) {
            case StepUnit::Step: return locale.toString(static_cast<qlonglong>(std::llround(tick)));
            case StepUnit::Tokens: return ui::shortCount(tick);
            case StepUnit::Epoch: return locale.toString(tick, 'g', 4);
            case StepUnit::Time: {
                const auto seconds = static_cast<qlonglong>(std::llround(std::fabs(tick)));
                const QString sign = tick < 0 ? QStringLiteral("-") : QString();
                return sign + QStringLiteral("%1:%2:%3")
                                  .arg(seconds / 3600)
                                  .arg(seconds / 60 % 60, 2, 10, QLatin1Char('0'))
                                  .arg(seconds % 60, 2, 10, QLatin1Char('0'));
            }
        }
        return {};
    }

private:
    StepUnit m_unit;
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

constexpr int narrowWidth = 440;
constexpr double flagDistance = 14;  // closer ones share one flag

}  // namespace

void ChartView::installAccessibility() { QAccessible::installFactory(makeAccessible); }

ChartView::ChartView(const QString& objectName, const QString& title, const RunData* data, StepAxis* axis, QWidget* parent)
    : QWidget(parent), m_data(data), m_axis(axis), m_theme(Theme::current()) {
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
    m_menuButton = new QToolButton(this);
    m_menuButton->setObjectName(objectName + QStringLiteral(".menu"));
    m_menuButton->setAccessibleName(tr("%1: what can be done").arg(title));
    m_menuButton->setText(QStringLiteral("⋯"));
    m_menuButton->setToolTip(tr("What can be done with this chart (Menu key)"));
    m_menuButton->setAutoRaise(true);
    m_menuButton->setMinimumSize(24, 24);
    connect(m_menuButton, &QToolButton::clicked, this, [this] {
        QMenu menu(this);
        fillMenu(menu);
        menu.exec(m_menuButton->mapToGlobal(QPoint(0, m_menuButton->height())));
    });
    m_titleRow->addWidget(m_title);
    m_titleRow->addWidget(m_readout, 1);
    m_titleRow->addWidget(m_menuButton);
    layout->addLayout(m_titleRow);
    m_body = new QHBoxLayout;
    m_body->setContentsMargins(0, 0, 0, 0);
    m_body->setSpacing(0);
    m_plot = new QCustomPlot(this);
    m_plot->setObjectName(objectName + QStringLiteral(".plot"));
    m_plot->setFocusPolicy(Qt::NoFocus);
    m_plot->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    m_plot->setMinimumSize(60, 36);
    m_plot->setMouseTracking(true);
    m_plot->installEventFilter(this);
    m_body->addWidget(m_plot, 1);
    layout->addLayout(m_body, 1);

    m_plot->setLocale(QLocale());
    m_plot->setNoAntialiasingOnDrag(true);
    QCPAxisRect* rect = m_plot->axisRect();
    rect->setAutoMargins(QCP::msNone);
    // Half a line above: a row label at the very top is not cut.
    rect->setMargins(QMargins(leftMargin, fontMetrics().height() / 2 + 2, rightMargin, 8));
    m_plot->xAxis->setSubTicks(false);
    m_plot->yAxis->setSubTicks(false);
    m_plot->xAxis->setTickLabels(false);
    rect->setupFullAxesBox(false);
    for (QCPAxis* far : {m_plot->xAxis2, m_plot->yAxis2}) {
        far->setTicks(false);
        far->setTickLabels(false);
    }
    refreshTicker();
    // Taken back: behind everything. Flags: above curves and maps, below the marks of values that are no numbers.
    addPainter(QStringLiteral("background"), [this](QCPPainter* painter) { paintSuperseded(painter); });
    addPainter(QStringLiteral("axes"), [this](QCPPainter* painter) { paintFlags(painter); });
    m_plot->layer(QStringLiteral("overlay"))->setMode(QCPLayer::lmBuffered);
    addPainter(QStringLiteral("overlay"), [this](QCPPainter* painter) { paintCursor(painter); });

    connect(axis, &StepAxis::rangeChanged, this, [this] { markDirty(); });
    connect(axis, &StepAxis::unitChanged, this, [this] {
        refreshTicker();
        markDirty();
    });
    connect(axis, &StepAxis::cursorChanged, this, [this] {
        refreshReadout();
        replotCursor();
    });
    connect(data, &RunData::cleared, this, [this] { markDirty(); });
    connect(data, &RunData::eventsChanged, this, [this] { markDirty(); });
    connect(data, &RunData::tuningChanged, this, [this] { markDirty(); });
}

void ChartView::refreshTicker() { m_plot->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new UnitTicker(m_axis->unit()))); }

void ChartView::addPainter(const QString& layer, std::function<void(QCPPainter*)> paint, bool beyond) {
    auto* item = new PainterItem(m_plot, std::move(paint));
    item->setLayer(layer);
    item->setClipToAxisRect(!beyond);
    item->setClipAxisRect(m_plot->axisRect());
}

void ChartView::setSideColumn(QWidget* widget) {
    widget->setFixedWidth(m_sideWidth);
    m_side = widget;
    m_body->addWidget(widget);
}

void ChartView::setTitle(const QString& title, bool visible) {
    m_title->setText(title);
    m_title->setVisible(visible);
    setAccessibleName(title);
}

void ChartView::setSideWidth(int width) {
    m_sideWidth = width;
    if (m_side != nullptr && !m_sideAbove) m_side->setFixedWidth(width);
}

void ChartView::setStepLabelsVisible(bool visible) {
    m_plot->xAxis->setTickLabels(visible);
    QMargins margins = m_plot->axisRect()->margins();
    margins.setBottom(visible ? fontMetrics().height() + 10 : 8);
    m_plot->axisRect()->setMargins(margins);
    markDirty();
}

void ChartView::applyTheme(const Theme& theme) {
    m_theme = theme;
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
    soft.setColor(QPalette::WindowText, Theme::current().inkSoft);
    m_readout->setPalette(soft);
}

void ChartView::drawNow() {
    m_plot->xAxis->setRange(m_axis->unitsAt(m_axis->lower()), m_axis->unitsAt(m_axis->upper()));
    drawSeries();
}

void ChartView::drawIfNeeded() {
    if (!m_dirty || !isVisible() || m_plot->width() < 20) return;
    m_dirty = false;
    ++m_drawCount;
    if (isTableVisible()) {
        m_tableModel->setTable(table(m_axis->lower(), m_axis->upper()));
        refreshReadout();
        return;
    }
    drawNow();
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

double ChartView::pixelOf(double step) const { return m_plot->xAxis->coordToPixel(m_axis->unitsAt(step)); }

double ChartView::stepAt(const QPointF& position) const { return m_axis->stepAt(m_plot->xAxis->pixelToCoord(position.x())); }

double ChartView::shownStep() const {
    const double wanted = m_axis->cursor().value_or(newestLogged());
    return loggedNear(wanted).value_or(wanted);
}

std::optional<double> ChartView::loggedNear(double step) const {
    const StepRow* row = m_data->stepNear(step);
    return row != nullptr ? std::optional(static_cast<double>(row->step)) : std::nullopt;
}

std::optional<double> ChartView::loggedBeside(double step, int direction) const {
    const std::optional<std::size_t> nearest = m_data->loss().nearest(step);
    if (!nearest) return std::nullopt;
    const auto last = static_cast<std::ptrdiff_t>(m_data->steps().size()) - 1;
    const std::ptrdiff_t index = std::clamp(static_cast<std::ptrdiff_t>(*nearest) + direction, std::ptrdiff_t{0}, last);
    return static_cast<double>(m_data->steps()[static_cast<std::size_t>(index)].step);
}

QString ChartView::subject() const { return m_data->run() ? ui::shown(m_data->run()->name) : QString(); }

QString ChartView::csvHeader() const { return chartCsvHeader(*m_data, title()); }

void ChartView::paintSuperseded(QCPPainter* painter) {
    const QRect rect = m_plot->axisRect()->rect();
    painter->setPen(Qt::NoPen);
    QColor hatch = m_theme.hatch;
    hatch.setAlphaF(0.45F);
    painter->setBrush(QBrush(hatch, Qt::BDiagPattern));
    for (const SeriesBuffer& stretch : m_data->supersededLoss()) {
        if (stretch.empty()) continue;
        const double left = std::max(pixelOf(stretch.key(0) - 0.5), rect.left() - 2.0);
        const double right = std::min(pixelOf(stretch.key(stretch.size() - 1) + 0.5), rect.right() + 2.0);
        if (right > left) painter->drawRect(QRectF(QPointF(left, rect.top()), QPointF(right, rect.bottom())));
    }
}

void ChartView::paintFlags(QCPPainter* painter) {
    const QRect rect = m_plot->axisRect()->rect();
    painter->setFont(font());
    const QFontMetrics metrics(font());
    m_flags.clear();
    const auto& flags = m_data->flags();
    std::vector<bool> errors;
    for (std::size_t i = 0; i < flags.size(); ++i) {
        const EventFlag& flag = flags[i];
        const double x = pixelOf(static_cast<double>(flag.step));
        if (x < rect.left() - 1 || x > rect.right() + 1) continue;
        const Qt::PenStyle style = flag.isError ? Qt::DashLine : flag.isGuard ? Qt::DashDotLine : Qt::SolidLine;
        painter->setPen(QPen(flag.isError ? m_theme.error : m_theme.ink, 1.5, style));
        painter->drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()));
        if (!m_flags.empty() && x - m_flags.back().box.left() < flagDistance) {
            DrawnFlag& last = m_flags.back();
            last.events.push_back(i);
            // Two kinds at one step keep their letters; more become a number.
            const bool pair = last.events.size() == 2 && last.text != flag.letter && flags[last.events.front()].step == flag.step;
            last.text = pair ? last.text + flag.letter : QString::number(last.events.size());
            errors.back() = errors.back() || flag.isError;
        } else {
            m_flags.push_back({QRectF(x, rect.top(), 0, metrics.height() + 1), flag.letter, {i}});
            errors.push_back(flag.isError);
        }
    }
    for (std::size_t i = 0; i < m_flags.size(); ++i) {
        DrawnFlag& flag = m_flags[i];
        const int width = std::max(15, metrics.horizontalAdvance(flag.text) + 7);
        flag.box.moveLeft(std::min(flag.box.left(), static_cast<double>(rect.right() - width)));
        flag.box.setWidth(width);
        painter->setPen(Qt::NoPen);
        painter->setBrush(errors[i] ? m_theme.error : m_theme.ink);
        painter->drawRect(flag.box);
        painter->setPen(m_theme.surface);
        painter->drawText(flag.box, Qt::AlignCenter, flag.text);
    }
    // Sent and not answered: nobody knows the step yet.
    const auto& pending = m_data->tuning().pending;
    const bool answers = m_data->run() && !isEnded(m_data->run()->state);
    if (answers && std::any_of(pending.begin(), pending.end(), [](const PendingCommand& command) { return command.kind == "set"; })) {
        // On whole pixels (QCPPainter moves antialiased lines to their centres): a dashed line is thin enough.
        const double x = std::floor(std::min(pixelOf(static_cast<double>(m_data->newestStep()) + 0.5), static_cast<double>(rect.right()) - 1));
        painter->setPen(QPen(m_theme.accent, 1.5, Qt::DashLine));
        painter->drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()));
    }
}

void ChartView::paintCursor(QCPPainter* painter) {
    const QRect rect = m_plot->axisRect()->rect();
    if (const std::optional<double> mark = m_axis->mark()) {
        const double x = pixelOf(*mark);
        painter->setPen(QPen(m_theme.accent, 1.2, Qt::DotLine));
        painter->drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()));
        painter->setFont(font());
        painter->drawText(QPointF(x + 3, rect.bottom() - 3), QStringLiteral("A"));
    }
    if (m_axis->cursor()) {
        const double step = shownStep();
        const double x = pixelOf(step);
        // White under black stays visible on any colour of a map.
        QColor halo = m_theme.surface;
        halo.setAlpha(170);
        painter->setPen(QPen(halo, 3));
        painter->drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()));
        painter->setPen(QPen(m_theme.ink, 1, m_axis->isPinned() ? Qt::SolidLine : Qt::DashLine));
        painter->drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()));
        // The numbers stand where one looks: at the chart under the pointer, or the one with the focus.
        if (m_pointer || (hasFocus() && m_axis->isPinned())) paintReadout(painter, x, step);
    }
    if (m_zooming && m_pressedAt && m_pointer) {
        QColor fill = palette().color(QPalette::Highlight);
        painter->setPen(QPen(fill, 1));
        fill.setAlpha(50);
        painter->setBrush(fill);
        const bool tall = std::fabs(m_pointer->y() - m_pressedAt->y()) > 14;
        painter->drawRect(
            QRectF(QPointF(m_pressedAt->x(), tall ? m_pressedAt->y() : rect.top()), QPointF(m_pointer->x(), tall ? m_pointer->y() : rect.bottom())));
    }
}

void ChartView::paintReadout(QCPPainter* painter, double x, double step) {
    const std::vector<ReadoutRow> rows = readoutRows(step);
    if (rows.empty()) return;
    const QRect rect = m_plot->axisRect()->rect();
    painter->setFont(font());
    const QFontMetrics metrics(font());
    const std::optional<double> mark = m_axis->mark();
    const std::vector<ReadoutRow> marked = mark ? readoutRows(*mark) : std::vector<ReadoutRow>();
    const auto text = [](const ReadoutRow& row, double value) {
        return row.isShare && std::isfinite(value) ? ui::measuredPercent(value) : ui::fourDigits(value);
    };
    int names = 0, values = 0, differences = 0;
    std::vector<std::array<QString, 3>> cells;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::array<QString, 3> cell{rows[i].name, text(rows[i], rows[i].value), QString()};
        if (i < marked.size()) {
            const double difference = rows[i].value - marked[i].value;
            cell[2] = (difference >= 0 ? QStringLiteral("Δ +") : QStringLiteral("Δ ")) + text(rows[i], difference);
        }
        names = std::max(names, metrics.horizontalAdvance(cell[0]));
        values = std::max(values, metrics.horizontalAdvance(cell[1]));
        differences = std::max(differences, metrics.horizontalAdvance(cell[2]));
        cells.push_back(cell);
    }
    const int line = metrics.height() + 1;
    const int room = std::max(1, (rect.height() - 8) / line);
    const auto shown = std::min<std::size_t>(cells.size(), static_cast<std::size_t>(room));
    const double width = 16 + names + 12 + values + (differences > 0 ? differences + 12 : 0) + 8;
    double left = x + 8;
    if (left + width > rect.right()) left = x - 8 - width;
    if (left < rect.left()) return;
    const QRectF box(left, rect.top() + 3, width, static_cast<double>(shown) * line + 5);
    QColor ground = m_theme.surface;
    ground.setAlpha(232);
    painter->setPen(QPen(m_theme.hairline, 1));
    painter->setBrush(ground);
    painter->drawRect(box);
    double y = box.top() + 2;
    for (std::size_t i = 0; i < shown; ++i, y += line) {
        painter->setPen(QPen(rows[i].colour, 3));
        painter->drawLine(QPointF(box.left() + 4, y + line / 2.0), QPointF(box.left() + 12, y + line / 2.0));
        painter->setPen(m_theme.ink);
        painter->drawText(QRectF(box.left() + 16, y, names, line), Qt::AlignLeft | Qt::AlignVCenter, cells[i][0]);
        painter->drawText(QRectF(box.left() + 16 + names + 12, y, values, line), Qt::AlignRight | Qt::AlignVCenter, cells[i][1]);
        if (differences > 0)
            painter->drawText(QRectF(box.right() - differences - 6, y, differences, line), Qt::AlignRight | Qt::AlignVCenter, cells[i][2]);
    }
}

ChartTable ChartView::table(double /*from*/, double /*to*/) const { return {}; }

bool ChartView::isTableVisible() const { return m_tableView != nullptr && !m_tableView->isHidden(); }

void ChartView::setTableVisible(bool visible) {
    if (visible == isTableVisible()) return;
    if (m_tableView == nullptr) {
        m_tableModel = new ChartTableModel(this);
        m_tableView = new QTableView(this);
        setUpTable(m_tableView, objectName() + QStringLiteral(".values"), tr("%1: values of the visible range").arg(title()));
        m_tableView->setModel(m_tableModel);
        m_body->insertWidget(0, m_tableView, 1);
    }
    m_tableView->setVisible(visible);
    m_plot->setVisible(!visible);
    if (m_side != nullptr) m_side->setVisible(!visible);
    markDirty();
    drawIfNeeded();
    if (visible) {
        m_tableView->horizontalHeader()->resizeSections(QHeaderView::ResizeToContents);
        m_tableView->setFocus(Qt::OtherFocusReason);
    } else {
        setFocus(Qt::OtherFocusReason);
    }
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
    const bool narrow = width() < narrowWidth;
    if (m_side != nullptr && m_sideCanGoAbove && narrow != m_sideAbove) {
        m_sideAbove = narrow;
        if (narrow) {
            m_body->removeWidget(m_side);
            m_side->setMinimumWidth(0);
            m_side->setMaximumWidth(QWIDGETSIZE_MAX);
            static_cast<QVBoxLayout*>(layout())->insertWidget(1, m_side);
        } else {
            layout()->removeWidget(m_side);
            m_side->setFixedWidth(m_sideWidth);
            m_body->addWidget(m_side);
        }
        sideMoved(narrow);
    } else if (m_side != nullptr && !m_sideCanGoAbove && !isTableVisible()) {
        m_side->setVisible(!narrow);
    }
    markDirty();
}

void ChartView::paintEvent(QPaintEvent* event) {
    QWidget::paintEvent(event);
    QPainter painter(this);
    painter.fillRect(rect(), Theme::current().surface);
    if (!hasFocus()) return;
    painter.setPen(QPen(palette().color(QPalette::Highlight), 2));
    painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

}  // namespace mofo
