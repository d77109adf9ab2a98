#include "ui/widgets/runs_page.h"

#include <QEvent>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QSortFilterProxyModel>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/models/display_text.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/table_tools.h"

namespace mofo {

namespace {

/// Every word of the filter must occur in the row: in its name, state, model or any other cell.
class WordFilter : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    void setWords(const QString& text) {
        m_words = text.toCaseFolded().split(QLatin1Char(' '), Qt::SkipEmptyParts);
        invalidateFilter();
    }

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
        QString cells;
        for (int column = 0; column < sourceModel()->columnCount(parent); ++column) {
            cells += sourceModel()->index(row, column, parent).data().toString().toCaseFolded() + QLatin1Char('\n');
        }
        return std::all_of(m_words.begin(), m_words.end(), [&](const QString& word) { return cells.contains(word); });
    }

private:
    QStringList m_words;
};

}  // namespace

RunsPage::RunsPage(WorkspaceSession* session, QWidget* parent) : QWidget(parent), m_session(session) {
    setObjectName(QStringLiteral("runs"));
    setAccessibleName(tr("Runs"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(6);
    auto* top = new QHBoxLayout;
    m_find = new QLineEdit(this);
    m_find->setObjectName(QStringLiteral("runs.find"));
    m_find->setAccessibleName(tr("Find runs"));
    m_find->setPlaceholderText(tr("Find: words of name, state, model …"));
    m_find->setClearButtonEnabled(true);
    m_find->setMaximumWidth(420);
    m_count = makeLabel(QStringLiteral("runs.count"), this);
    m_count->setAccessibleName(tr("Number of runs"));
    top->addWidget(m_find, 1);
    top->addWidget(m_count);
    top->addStretch(1);
    layout->addLayout(top);
    m_message = new MessageBar(QStringLiteral("runs.message"), this);
    layout->addWidget(m_message);

    m_table = new QTableView;
    setUpTable(m_table, QStringLiteral("runs.table"), tr("Runs"));
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setAlternatingRowColors(true);
    m_table->verticalHeader()->setDefaultSectionSize(m_table->fontMetrics().height() + 10);
    auto* filter = new WordFilter(this);
    m_proxy = filter;
    m_proxy->setSourceModel(&session->runs());
    m_proxy->setSortRole(RunTableModel::SortRole);
    m_table->setModel(m_proxy);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(RunTableModel::Started, Qt::DescendingOrder);
    sizeColumns(m_table, {28, 14, 9, 14, 26, 16, 10, 10, 12});
    m_table->horizontalHeader()->setStretchLastSection(true);

    m_emptyPage = new QWidget;
    auto* empty = new QVBoxLayout(m_emptyPage);
    m_emptyText = makeLabel(QStringLiteral("runs.empty"), m_emptyPage);
    m_emptyText->setAlignment(Qt::AlignCenter);
    m_emptyText->setWordWrap(true);
    m_emptyCommands = makeLabel(QStringLiteral("runs.emptyCommands"), m_emptyPage);
    m_emptyCommands->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_emptyCommands->setAlignment(Qt::AlignCenter);
    m_emptyCommands->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_emptyCommands->setAccessibleName(tr("Command that starts a run"));
    m_emptyCommands->setText(QStringLiteral("mofo train --model MODEL --data FILE.jsonl --set alpha=0.15"));
    empty->addStretch(2);
    empty->addWidget(m_emptyText);
    empty->addSpacing(10);
    empty->addWidget(m_emptyCommands);
    empty->addStretch(3);

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

    m_stack = new QStackedWidget(this);
    m_stack->addWidget(m_table);
    m_stack->addWidget(m_emptyPage);
    m_stack->addWidget(m_noHitPage);
    layout->addWidget(m_stack, 1);

    connect(m_find, &QLineEdit::textChanged, this, [this, filter](const QString& text) {
        filter->setWords(text);
        refresh();
    });
    connect(m_find, &QLineEdit::returnPressed, m_table, qOverload<>(&QWidget::setFocus));
    connect(m_table, &QTableView::activated, this, [this](const QModelIndex& index) {
        Q_EMIT openRequested(index.data(RunTableModel::IdRole).toString());
    });
    connect(session, &WorkspaceSession::listChanged, this, &RunsPage::refresh);
    refresh();
}

void RunsPage::focusFind() {
    m_find->setFocus(Qt::ShortcutFocusReason);
    m_find->selectAll();
}

void RunsPage::refresh() {
    const int all = m_session->runs().rowCount();
    const int found = m_proxy->rowCount();
    m_message->setMessage(MessageBar::Kind::Error, m_session->problem());
    m_count->setText(all == found ? tr("Runs: %1").arg(ui::count(all)) : tr("%1 of %2 runs").arg(ui::count(found), ui::count(all)));
    m_count->setVisible(all > 0);
    m_find->setEnabled(all > 0);
    const QString folder = ui::shown(m_session->folder().string());
    if (!m_session->isListRead()) {
        m_emptyText->setText(QString());
    } else if (m_session->isWorkspaceMissing()) {
        m_emptyText->setText(tr("There is no workspace in %1 yet: the first run makes it.\n"
                                "MoFO fine-tunes a language model and, at every step, moves only the coordinates of largest momentum,\n"
                                "so that it keeps what it knew. A run started on the command line appears here by itself:").arg(folder));
    } else {
        m_emptyText->setText(tr("No run yet in %1.\n"
                                "MoFO fine-tunes a language model and, at every step, moves only the coordinates of largest momentum,\n"
                                "so that it keeps what it knew. A run started on the command line appears here by itself:").arg(folder));
    }
    m_emptyCommands->setVisible(m_session->isListRead());
    m_noHit->setText(tr("No run matches “%1”.").arg(m_find->text()));
    m_stack->setCurrentWidget(all == 0 ? m_emptyPage : found == 0 ? m_noHitPage : static_cast<QWidget*>(m_table));
    if (found > 0 && !m_table->currentIndex().isValid()) m_table->setCurrentIndex(m_proxy->index(0, 0));
}

void RunsPage::saveLayout(QSettings& settings) const {
    settings.setValue(QStringLiteral("runs/columns"), m_table->horizontalHeader()->saveState());
}

void RunsPage::restoreLayout(QSettings& settings) {
    m_table->horizontalHeader()->restoreState(settings.value(QStringLiteral("runs/columns")).toByteArray());
}

}  // namespace mofo
