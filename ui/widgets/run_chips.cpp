#include "ui/widgets/run_chips.h"

#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/models/display_text.h"
#include "ui/models/run_table_model.h"
#include "ui/widgets/chart_colours.h"

namespace mofo {

namespace {

constexpr int chipHeight = 28;
constexpr int sampleWidth = 22;
constexpr int mostNameWidth = 190;
constexpr int gap = 6;

}  // namespace

RunChip::RunChip(QWidget* parent) : QToolButton(parent) {
    setCheckable(true);
    setFocusPolicy(Qt::StrongFocus);
}

void RunChip::setRun(const ComparedRuns::Run& run, std::size_t place) {
    m_run = run;
    m_place = place;
    setObjectName(QStringLiteral("compare.chip%1").arg(place));
    setText(run.title);
    setChecked(run.shown);
    const QString letter = ComparedRuns::letterOf(place);
    const QString state = !run.problem.isEmpty() ? run.problem
                          : !run.complete        ? tr("being read")
                          : run.live             ? tr("running: read once a second")
                                                 : tr("read");
    setAccessibleName(place == 0 ? tr("Run %1, the baseline: %2").arg(letter, run.title) : tr("Run %1: %2").arg(letter, run.title));
    setAccessibleDescription(state);
    setToolTip(QStringLiteral("<b>%1  %2</b>%3<br>%4<br>%5")
                   .arg(letter, run.title.toHtmlEscaped(), place == 0 ? tr(" (baseline)") : QString(), state.toHtmlEscaped(),
                        tr("Click or Space shows and hides it, Del removes it, A or B makes it first or second of the pair")));
    updateGeometry();
    update();
}

QSize RunChip::sizeHint() const {
    const int name = std::min(fontMetrics().horizontalAdvance(m_run.title) + 2, mostNameWidth);
    QFont bold = font();
    bold.setBold(true);
    return {8 + sampleWidth + gap + QFontMetrics(bold).horizontalAdvance(QStringLiteral("M")) + gap + name + 26,
            std::max(chipHeight, fontMetrics().height() + 10)};
}

QRect RunChip::crossRect() const { return {width() - 24, 0, 24, height()}; }

void RunChip::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::current();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QColor colour = seriesColour(theme, m_run.slot % ComparedRuns::colours);
    const QRectF box = QRectF(rect()).adjusted(1, 1, -1, -1);
    painter.setPen(hasFocus() ? QPen(palette().color(QPalette::Highlight), 2) : QPen(theme.hairline, 1));
    painter.setBrush(underMouse() ? palette().color(QPalette::Button) : theme.surface);
    painter.drawRoundedRect(box, 6, 6);
    const double middle = height() / 2.0;
    QPen pen(colour, 2.6);
    if (m_run.slot >= ComparedRuns::colours) pen.setDashPattern({2.5, 1.5});
    pen.setCapStyle(Qt::FlatCap);
    painter.setOpacity(isChecked() ? 1.0 : 0.35);
    painter.setPen(pen);
    painter.drawLine(QPointF(8, middle), QPointF(8 + sampleWidth, middle));
    painter.setOpacity(1.0);
    QFont bold = font();
    bold.setBold(true);
    painter.setFont(bold);
    painter.setPen(isChecked() ? theme.ink : theme.inkSoft);
    int x = 8 + sampleWidth + gap;
    const int letter = painter.fontMetrics().horizontalAdvance(QStringLiteral("M"));
    painter.drawText(QRect(x, 0, letter, height()), Qt::AlignCenter, ComparedRuns::letterOf(m_place));
    x += letter + gap;
    QFont name = font();
    name.setStrikeOut(!isChecked());
    painter.setFont(name);
    const QRect room(x, 0, width() - x - 26, height());
    const QString glyph = !m_run.problem.isEmpty() ? QStringLiteral("⚠ ") : QString();
    painter.drawText(room, Qt::AlignVCenter | Qt::AlignLeft, painter.fontMetrics().elidedText(glyph + m_run.title, Qt::ElideMiddle, room.width()));
    painter.setPen(QPen(theme.inkSoft, 1.4));
    const QPointF c = QRectF(crossRect()).center() - QPointF(1, 0);
    painter.drawLine(c + QPointF(-3.5, -3.5), c + QPointF(3.5, 3.5));
    painter.drawLine(c + QPointF(-3.5, 3.5), c + QPointF(3.5, -3.5));
}

void RunChip::mousePressEvent(QMouseEvent* event) {
    m_crossPressed = event->button() == Qt::LeftButton && crossRect().contains(event->pos());
    if (!m_crossPressed) QToolButton::mousePressEvent(event);
}

void RunChip::mouseReleaseEvent(QMouseEvent* event) {
    if (!m_crossPressed) {
        QToolButton::mouseReleaseEvent(event);
        return;
    }
    m_crossPressed = false;
    if (crossRect().contains(event->pos())) Q_EMIT removeWanted();
}

void RunChip::keyPressEvent(QKeyEvent* event) {
    if (event->modifiers() == Qt::NoModifier) {
        switch (event->key()) {
            case Qt::Key_Delete:
            case Qt::Key_Backspace: Q_EMIT removeWanted(); return;
            case Qt::Key_A: Q_EMIT placeWanted(0); return;
            case Qt::Key_B: Q_EMIT placeWanted(1); return;
            case Qt::Key_Return:
            case Qt::Key_Enter: Q_EMIT openWanted(); return;
            default: break;
        }
    }
    QToolButton::keyPressEvent(event);
}

void RunChip::contextMenuEvent(QContextMenuEvent* event) {
    QMenu menu(this);
    menu.addAction(tr("Make it A, the baseline\tA"), this, [this] { Q_EMIT placeWanted(0); })->setEnabled(m_place != 0);
    menu.addAction(tr("Make it B, the other of the pair\tB"), this, [this] { Q_EMIT placeWanted(1); })->setEnabled(m_place != 1);
    menu.addAction(tr("Open the run\tReturn"), this, [this] { Q_EMIT openWanted(); });
    menu.addSeparator();
    menu.addAction(tr("Remove from the comparison\tDel"), this, [this] { Q_EMIT removeWanted(); });
    menu.exec(event->globalPos());
}

RunChips::RunChips(ComparedRuns* runs, QWidget* parent) : QWidget(parent), m_runs(runs) {
    setObjectName(QStringLiteral("compare.runs"));
    setAccessibleName(tr("Compared runs"));
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    m_add = new QToolButton(this);
    m_add->setObjectName(QStringLiteral("compare.add"));
    m_add->setAccessibleName(tr("Add a run to the comparison"));
    m_add->setText(tr("+ Add"));
    m_add->setMinimumHeight(chipHeight);
    m_add->setFocusPolicy(Qt::StrongFocus);
    connect(runs, &ComparedRuns::runsChanged, this, &RunChips::refresh);
    refresh();
}

void RunChips::refresh() {
    const auto& runs = m_runs->runs();
    const auto focused = std::find_if(m_chips.begin(), m_chips.end(), [](const RunChip* chip) { return chip->hasFocus(); });
    const QString focusedRun = focused != m_chips.end() ? (*focused)->runId() : QString();
    const auto place = focused - m_chips.begin();
    while (m_chips.size() > runs.size()) {
        m_chips.back()->deleteLater();
        m_chips.back()->hide();
        m_chips.pop_back();
    }
    while (m_chips.size() < runs.size()) {
        auto* chip = new RunChip(this);
        // Later: what it asks for may take this very chip away.
        connect(
            chip, &RunChip::removeWanted, this, [this, chip] { m_runs->remove(QString(chip->runId())); }, Qt::QueuedConnection);
        connect(
            chip, &RunChip::placeWanted, this, [this, chip](std::size_t to) { m_runs->move(QString(chip->runId()), to); }, Qt::QueuedConnection);
        connect(chip, &RunChip::openWanted, this, [this, chip] { Q_EMIT openWanted(chip->runId()); });
        connect(chip, &RunChip::clicked, this, [this, chip](bool on) { m_runs->setShown(QString(chip->runId()), on); });
        chip->show();
        m_chips.push_back(chip);
    }
    QWidget* before = nullptr;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        m_chips[i]->setRun(runs[i], i);
        if (before != nullptr) setTabOrder(before, m_chips[i]);
        before = m_chips[i];
        // The focus goes with the run; where that is gone it stays at its place.
        if (!focusedRun.isEmpty() && runs[i].id == focusedRun) m_chips[i]->setFocus(Qt::OtherFocusReason);
    }
    if (before != nullptr) setTabOrder(before, m_add);
    const bool gone = !focusedRun.isEmpty() && !m_runs->ids().contains(focusedRun);
    if (gone && !m_chips.empty()) m_chips[std::min(static_cast<std::size_t>(place), m_chips.size() - 1)]->setFocus(Qt::OtherFocusReason);
    m_add->setEnabled(runs.size() < ComparedRuns::most);
    m_add->setToolTip(m_add->isEnabled() ? tr("Add a run to the comparison, up to %1").arg(ComparedRuns::most)
                                         : tr("%1 runs are the most that can be compared").arg(ComparedRuns::most));
    arrange(width(), true);
    updateGeometry();
}

QSize RunChips::sizeHint() const { return {300, arrange(std::max(300, width()), false)}; }

int RunChips::arrange(int width, bool place) const {
    int x = 0, y = 0;
    const int line = std::max(chipHeight, fontMetrics().height() + 10);
    const auto put = [&](QWidget* widget) {
        const int wide = std::min(widget->sizeHint().width(), std::max(80, width));
        if (x > 0 && x + wide > width) {
            x = 0;
            y += line + gap;
        }
        if (place) widget->setGeometry(x, y, wide, line);
        x += wide + gap;
    };
    for (RunChip* chip : m_chips) put(chip);
    put(m_add);
    return y + line;
}

void RunChips::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    arrange(width(), true);
}

RunChooser::RunChooser(QWidget* parent) : QFrame(parent, Qt::Popup) {
    setObjectName(QStringLiteral("compare.chooser"));
    setAccessibleName(tr("Runs that can be added"));
    setFrameShape(QFrame::StyledPanel);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(6, 6, 6, 6);
    m_find = new QLineEdit(this);
    m_find->setObjectName(QStringLiteral("compare.chooser.find"));
    m_find->setAccessibleName(tr("Find runs"));
    m_find->setPlaceholderText(tr("Find a run"));
    m_list = new QListWidget(this);
    m_list->setObjectName(QStringLiteral("compare.chooser.list"));
    m_list->setAccessibleName(tr("Runs that can be added"));
    m_list->setUniformItemSizes(true);
    m_list->setFocusPolicy(Qt::NoFocus);
    layout->addWidget(m_find);
    layout->addWidget(m_list);
    m_find->installEventFilter(this);
    connect(m_find, &QLineEdit::textChanged, this, &RunChooser::filter);
    connect(m_list, &QListWidget::itemClicked, this, [this](QListWidgetItem* item) { take(m_list->row(item)); });
    resize(380, 320);
}

void RunChooser::open(const RunTableModel& runs, const QStringList& without, const QPoint& below) {
    m_list->clear();
    for (const RunRow* run : runs.runPointers()) {
        const QString id = QString::fromStdString(run->id);
        if (without.contains(id)) continue;
        auto* item = new QListWidgetItem(
            QStringLiteral("%1  %2   %3").arg(ui::stateGlyph(run->state), ui::shown(run->name), ui::whenShort(run->createdNs)), m_list);
        item->setData(Qt::UserRole, id);
    }
    m_find->clear();
    filter({});
    move(below);
    show();
    m_find->setFocus(Qt::PopupFocusReason);
}

void RunChooser::filter(const QString& text) {
    int first = -1;
    for (int row = 0; row < m_list->count(); ++row) {
        const bool fits = m_list->item(row)->text().contains(text, Qt::CaseInsensitive);
        m_list->item(row)->setHidden(!fits);
        if (fits && first < 0) first = row;
    }
    m_list->setCurrentRow(first);
}

void RunChooser::take(int row) {
    if (row < 0) return;
    const QString id = m_list->item(row)->data(Qt::UserRole).toString();
    hide();
    Q_EMIT chosen(id);
}

bool RunChooser::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() != QEvent::KeyPress) return QFrame::eventFilter(watched, event);
    const auto* key = static_cast<QKeyEvent*>(event);
    if (key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) {
        take(m_list->currentRow());
        return true;
    }
    if (key->key() != Qt::Key_Up && key->key() != Qt::Key_Down) return QFrame::eventFilter(watched, event);
    const int by = key->key() == Qt::Key_Up ? -1 : 1;
    for (int row = m_list->currentRow() + by; row >= 0 && row < m_list->count(); row += by) {
        if (m_list->item(row)->isHidden()) continue;
        m_list->setCurrentRow(row);
        break;
    }
    return true;
}

}  // namespace mofo
