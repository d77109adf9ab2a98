#include "ui/widgets/runs_page.h"

#include <QCoreApplication>
#include <QEvent>
#include <QFocusEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QSplitter>
#include <QStackedWidget>
#include <QStyledItemDelegate>
#include <QTreeView>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/models/display_text.h"
#include "ui/models/run_filter.h"
#include "ui/widgets/first_screen.h"
#include "ui/widgets/run_strip.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/table_tools.h"

namespace mofo {

namespace {

/// Rows with room between them.
class RoomyDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        constexpr int room = 10;
        return QStyledItemDelegate::sizeHint(option, index) + QSize(0, room);
    }
    /// Once: the list is read anew while someone types, and the view would put the stored name over what was typed.
    void setEditorData(QWidget* editor, const QModelIndex& index) const override {
        if (editor->property("filled").toBool()) return;
        editor->setProperty("filled", true);
        QStyledItemDelegate::setEditorData(editor, index);
    }
};

}  // namespace

RunsPage::RunsPage(WorkspaceSession* session, RunActs* acts, QWidget* parent) : QWidget(parent), m_session(session), m_acts(acts) {
    setObjectName(QStringLiteral("runs"));
    setAccessibleName(tr("Runs"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(6);
    layout->addWidget(makeTop());
    m_message = new MessageBar(QStringLiteral("runs.message"), this);
    layout->addWidget(m_message);
    m_stack = new QStackedWidget(this);
    m_listPage = makeTree();
    m_first = new FirstScreen;
    m_noHitPage = new QWidget;
    auto* noHit = new QVBoxLayout(m_noHitPage);
    m_noHit = makeLabel(QStringLiteral("runs.noHit"), m_noHitPage);
    m_noHit->setAlignment(Qt::AlignCenter);
    m_noHit->setWordWrap(true);
    auto* clear = new QPushButton(tr("Clear filter"), m_noHitPage);
    clear->setObjectName(QStringLiteral("runs.clear"));
    clear->setAccessibleName(tr("Clear filter"));
    connect(clear, &QPushButton::clicked, m_find, &QLineEdit::clear);
    noHit->addStretch(2);
    noHit->addWidget(m_noHit);
    noHit->addWidget(clear, 0, Qt::AlignHCenter);
    noHit->addStretch(3);
    m_problemPage = makeProblem();
    m_waitPage = new QWidget;
    for (QWidget* page : {m_listPage, static_cast<QWidget*>(m_first), m_noHitPage, m_problemPage, m_waitPage}) m_stack->addWidget(page);
    layout->addWidget(m_stack, 1);
    makeActions();

    connect(m_find, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_filter->setFilter(text);
        m_tree->expandAll();
        refresh();
    });
    connect(m_find, &QLineEdit::returnPressed, m_tree, qOverload<>(&QWidget::setFocus));
    connect(m_tree, &QTreeView::activated, this, [this](const QModelIndex& index) {
        const QString id = index.data(RunTableModel::IdRole).toString();
        if (id.isEmpty())
            Q_EMIT compareRequested(index.data(RunTableModel::RunsRole).toStringList());
        else
            Q_EMIT openRequested(id);
    });
    connect(m_tree->selectionModel(), &QItemSelectionModel::selectionChanged, this, &RunsPage::refreshSelection);
    connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this, &RunsPage::refreshSelection);
    connect(m_filter, &QAbstractItemModel::rowsInserted, this, [this](const QModelIndex& parent) {
        if (parent.isValid()) m_tree->expand(parent);
    });
    connect(&session->runs(), &RunTableModel::renameWanted, this, [this](const QString& id, const QString& name) {
        if (const RunRow* run = m_session->runs().run(id)) m_acts->rename(*run, name);
    });
    connect(acts, &RunActs::foundDamaged, &session->runs(), &RunTableModel::setProblem);
    connect(acts, &RunActs::failed, this, [this](const QString& sentence) { m_message->setMessage(MessageBar::Kind::Warning, sentence); });
    connect(acts, &RunActs::done, this, [this] { m_message->setMessage(MessageBar::Kind::Hint, {}); });
    connect(m_strip, &RunStrip::openWanted, this, &RunsPage::openRequested);
    connect(m_strip, &RunStrip::twinWanted, this, &RunsPage::twinRequested);
    connect(session, &WorkspaceSession::listChanged, this, [this] {
        m_acts->checkFiles(m_session->runs().allRuns());
        refresh();
        makeRoomForDifferences();
    });
    refresh();
}

QWidget* RunsPage::makeTop() {
    auto* bar = new QWidget(this);
    auto* top = new QHBoxLayout(bar);
    top->setContentsMargins(0, 0, 0, 0);
    m_find = new QLineEdit(bar);
    m_find->setObjectName(QStringLiteral("runs.find"));
    m_find->setAccessibleName(tr("Find runs"));
    m_find->setPlaceholderText(tr("Find: words, or state:running alpha:<20% loss:>1.5 tag:paper is:pinned"));
    m_find->setToolTip(tr("Words of name, state, model, tags or note; or KEY:VALUE with <, >, <=, >= for numbers.\nKeys: %1")
                           .arg(RunFilter::keys().join(QStringLiteral(", "))));
    m_find->setClearButtonEnabled(true);
    m_find->setMaximumWidth(textPixels(640));
    m_count = makeLabel(QStringLiteral("runs.count"), bar);
    m_count->setAccessibleName(tr("Number of runs"));
    m_compare = new QPushButton(bar);
    m_compare->setObjectName(QStringLiteral("runs.compare"));
    m_compare->setAccessibleName(tr("Compare the selected runs"));
    connect(m_compare, &QPushButton::clicked, this, [this] { Q_EMIT compareRequested(selectedIds()); });
    top->addWidget(m_find, 4);
    top->addWidget(m_count);
    top->addStretch(1);
    top->addWidget(m_compare);
    return bar;
}

QWidget* RunsPage::makeTree() {
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    m_tree = new QTreeView(page);
    m_tree->setObjectName(QStringLiteral("runs.table"));
    m_tree->setAccessibleName(tr("Runs"));
    m_tree->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_tree->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_tree->setEditTriggers(QAbstractItemView::EditKeyPressed);
    m_tree->setUniformRowHeights(true);
    m_tree->setAlternatingRowColors(true);
    m_tree->setAllColumnsShowFocus(true);
    m_tree->setExpandsOnDoubleClick(false);
    m_tree->setFrameShape(QFrame::StyledPanel);
    m_tree->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_tree->setIndentation(18);
    m_tree->setItemDelegate(new RoomyDelegate(m_tree));
    m_filter = new RunFilterModel(&m_session->runs(), this);
    m_tree->setModel(m_filter);
    m_tree->setSortingEnabled(true);
    m_tree->sortByColumn(RunTableModel::Started, Qt::DescendingOrder);
    m_tree->expandAll();
    m_tree->header()->setHighlightSections(false);
    m_tree->header()->setStretchLastSection(true);
    m_tree->header()->setContextMenuPolicy(Qt::ActionsContextMenu);
    const int digit = m_tree->fontMetrics().horizontalAdvance(QLatin1Char('0'));
    const int widths[] = {18, 4, 10, 6, 9, 18, 10, 8, 8, 10, 8};
    for (int column = 0; column < RunTableModel::ColumnCount; ++column) m_tree->setColumnWidth(column, widths[column] * digit + 12);
    for (int column = 1; column < RunTableModel::ColumnCount; ++column) {
        auto* shown = new QAction(m_session->runs().headerData(column, Qt::Horizontal, Qt::DisplayRole).toString(), m_tree->header());
        shown->setCheckable(true);
        shown->setChecked(true);
        connect(shown, &QAction::toggled, this, [this, column](bool on) { m_tree->setColumnHidden(column, !on); });
        m_tree->header()->addAction(shown);
    }
    m_tree->setDragEnabled(true);
    m_tree->setAcceptDrops(true);
    m_tree->setDropIndicatorShown(true);
    m_tree->setDragDropMode(QAbstractItemView::DragDrop);
    m_tree->setDefaultDropAction(Qt::CopyAction);
    connect(&m_session->runs(), &RunTableModel::queueMoveWanted, this, [this](const QString& id, int by) {
        if (const RunRow* run = m_session->runs().run(id)) m_acts->moveInQueue(*run, by);
    });
    m_tree->installEventFilter(this);
    m_tree->viewport()->installEventFilter(this);
    m_strip = new RunStrip(m_acts, m_session->isRecording(), page);
    layout->addWidget(m_tree, 1);
    layout->addWidget(m_strip);
    return page;
}

QWidget* RunsPage::makeProblem() {
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    layout->addStretch(2);
    auto* heading = makeHeading(tr("This workspace cannot be opened"), page);
    heading->setAlignment(Qt::AlignCenter);
    m_problem = makeLabel(QStringLiteral("runs.problem"), page);
    m_problem->setAccessibleName(tr("Why the workspace cannot be opened"));
    m_problem->setAlignment(Qt::AlignCenter);
    m_problem->setWordWrap(true);
    m_problem->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* other = new QPushButton(tr("Choose another…"), page);
    other->setObjectName(QStringLiteral("runs.otherWorkspace"));
    other->setAccessibleName(tr("Choose another workspace"));
    connect(other, &QPushButton::clicked, this, &RunsPage::otherWorkspaceRequested);
    layout->addWidget(heading);
    layout->addWidget(m_problem);
    layout->addSpacing(10);
    layout->addWidget(other, 0, Qt::AlignHCenter);
    layout->addStretch(3);
    return page;
}

void RunsPage::makeRoomForDifferences() {
    const std::string& baseline = m_session->runs().baseline();
    if (baseline == m_widenedFor) return;
    m_widenedFor = baseline;
    for (const int column : {RunTableModel::Loss, RunTableModel::EvalLoss, RunTableModel::Drift}) {
        constexpr int spare = 12;
        m_tree->setColumnWidth(column,
                               std::max(m_tree->columnWidth(column), static_cast<QAbstractItemView*>(m_tree)->sizeHintForColumn(column) + spare));
    }
}

void RunsPage::makeActions() {
    const auto add = [this](const char* name, const QString& text, const QKeySequence& key, auto act) {
        auto* action = new QAction(text, this);
        action->setObjectName(QStringLiteral("runs.") + QLatin1String(name));
        action->setShortcut(key);
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        connect(action, &QAction::triggered, this, act);
        m_tree->addAction(action);
        m_actions.push_back(action);
    };
    const auto onCurrent = [this](auto act) {
        return [this, act] {
            if (const RunRow* run = currentRun()) act(*run);
        };
    };
    add("rename", tr("Rename the run"), Qt::Key_F2, [this] {
        const QModelIndex current = m_tree->currentIndex().siblingAtColumn(RunTableModel::Name);
        if (current.isValid()) m_tree->edit(current);
    });
    add("note", tr("Notes and tags of the run"), Qt::Key_F4, [this] { m_strip->focusNote(); });
    add("pin", tr("Pin the run, or not"), Qt::Key_P, onCurrent([this](const RunRow& run) { m_acts->setPinned(run, !run.pinned); }));
    add("baseline", tr("Make the run the baseline, or not"), Qt::Key_B,
        onCurrent([this](const RunRow& run) { m_acts->setBaseline(run, !run.baseline, m_session->runs().baseline()); }));
    add("trashAction", tr("Move the run to the trash"), Qt::Key_Delete, [this] { m_acts->trash(selectedRuns()); });
    add("queueUp", tr("Queue: one place forward"), Qt::ALT | Qt::Key_Up, onCurrent([this](const RunRow& run) { m_acts->moveInQueue(run, -1); }));
    add("queueDown", tr("Queue: one place back"), Qt::ALT | Qt::Key_Down, onCurrent([this](const RunRow& run) { m_acts->moveInQueue(run, 1); }));
    add("compareAction", tr("Compare the selected runs"), Qt::CTRL | Qt::Key_Return, [this] {
        if (m_compare->isEnabled()) Q_EMIT compareRequested(selectedIds());
    });
    add("copyRows", tr("Copy the selected rows"), QKeySequence::Copy, [this] { copyAsTsv(*m_tree); });
}

bool RunsPage::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_tree->viewport() && event->type() == QEvent::MouseButtonPress) m_marking = false;
    if (watched != m_tree || event->type() != QEvent::KeyPress || !m_tree->currentIndex().isValid()) return QWidget::eventFilter(watched, event);
    auto* key = static_cast<QKeyEvent*>(event);
    QItemSelectionModel* selection = m_tree->selectionModel();
    switch (key->key()) {
        case Qt::Key_Space:
            // The first Space means the row that is selected already; from then on arrows leave what is selected alone.
            if (m_marking || selection->selectedRows().size() != 1 || !selection->isSelected(m_tree->currentIndex()))
                selection->select(m_tree->currentIndex(), QItemSelectionModel::Toggle | QItemSelectionModel::Rows);
            m_marking = true;
            return true;
        case Qt::Key_Escape:
            m_marking = false;
            selection->select(m_tree->currentIndex(), QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
            return true;
        case Qt::Key_Up:
        case Qt::Key_Down:
        case Qt::Key_PageUp:
        case Qt::Key_PageDown:
        case Qt::Key_Home:
        case Qt::Key_End:
            if (!m_marking || key->modifiers().testFlag(Qt::ControlModifier)) break;
            if (key->modifiers() & (Qt::ShiftModifier | Qt::AltModifier)) break;
            {
                QKeyEvent moved(QEvent::KeyPress, key->key(), Qt::ControlModifier);
                QCoreApplication::sendEvent(m_tree, &moved);
            }
            return true;
        default: break;
    }
    return QWidget::eventFilter(watched, event);
}

// The page itself has nothing to type into: arrows and Enter are the list's.
void RunsPage::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    if (m_stack->currentWidget() == m_listPage)
        m_tree->setFocus(event->reason());
    else if (m_stack->currentWidget() == m_first)
        m_first->focusFirstAct();
}

void RunsPage::focusFind() {
    m_find->setFocus(Qt::ShortcutFocusReason);
    m_find->selectAll();
}

const RunRow* RunsPage::currentRun() const { return m_session->runs().run(m_tree->currentIndex().data(RunTableModel::IdRole).toString()); }

QStringList RunsPage::selectedIds() const {
    QStringList ids;
    for (const QModelIndex& row : m_tree->selectionModel()->selectedRows()) ids << row.data(RunTableModel::RunsRole).toStringList();
    ids.removeDuplicates();
    return ids;
}

std::vector<RunRow> RunsPage::selectedRuns() const {
    std::vector<RunRow> runs;
    for (const QString& id : selectedIds()) {
        if (const RunRow* run = m_session->runs().run(id)) runs.push_back(*run);
    }
    // Ctrl and an arrow key leave the current row unselected: it is meant all the same.
    if (const RunRow* run = currentRun(); runs.empty() && run != nullptr) runs.push_back(*run);
    return runs;
}

void RunsPage::refreshSelection() {
    const RunRow* const run = currentRun();
    const QString problem =
        run != nullptr &&
                m_session->runs().indexOf(QString::fromStdString(run->id), RunTableModel::State).data().toString().startsWith(QLatin1Char('!'))
            ? m_session->runs().indexOf(QString::fromStdString(run->id), RunTableModel::State).data(Qt::ToolTipRole).toString()
            : QString();
    m_strip->setRun(run, problem);
    const auto selected = selectedIds().size();
    m_compare->setText(selected >= 2 ? tr("Compare %1 selected").arg(selected) : tr("Compare"));
    m_compare->setEnabled(selected >= 2);
    m_compare->setToolTip(selected >= 2 ? tr("Ctrl+Return") : tr("Select two runs or more: Space, or Ctrl and click"));
}

void RunsPage::refresh() {
    const int all = m_session->runs().runCount();
    const int found = m_filter->matchCount();
    m_count->setText(all == found ? tr("Runs: %1").arg(ui::count(all)) : tr("%1 of %2 runs").arg(ui::count(found), ui::count(all)));
    const bool isBroken = !m_session->problem().isEmpty();
    const bool isList = all > 0;
    m_count->setVisible(isList);
    m_compare->setVisible(isList);
    m_find->setVisible(isList);
    m_problem->setText(m_session->problem());
    m_first->setFolder(ui::shown(m_session->folder().string()), m_session->isWorkspaceMissing());
    m_noHit->setText(tr("No run matches “%1”.").arg(m_find->text()));
    QWidget* page = m_listPage;
    if (!m_session->isListRead())
        page = m_waitPage;
    else if (isBroken && !isList)
        page = m_problemPage;
    else if (all == 0)
        page = m_first;
    else if (found == 0)
        page = m_noHitPage;
    if (isBroken && isList) m_message->setMessage(MessageBar::Kind::Error, m_session->problem());
    m_stack->setCurrentWidget(page);
    if (found > 0 && !m_tree->currentIndex().isValid()) m_tree->setCurrentIndex(m_filter->index(0, 0));
    refreshSelection();
    if (hasFocus()) {
        QFocusEvent again(QEvent::FocusIn, Qt::OtherFocusReason);
        focusInEvent(&again);
    }
}

void RunsPage::saveLayout(QSettings& settings) const { settings.setValue(QStringLiteral("runs/header"), m_tree->header()->saveState()); }

void RunsPage::restoreLayout(QSettings& settings) {
    const QByteArray header = settings.value(QStringLiteral("runs/header")).toByteArray();
    if (!header.isEmpty()) m_tree->header()->restoreState(header);
}

}  // namespace mofo
