#include "ui/widgets/table_tools.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QTableView>
#include <QTreeView>
#include <algorithm>

namespace mofo {

void setUpTable(QTableView* view, const QString& objectName, const QString& accessibleName) {
    view->setObjectName(objectName);
    view->setAccessibleName(accessibleName);
    view->setSelectionBehavior(QAbstractItemView::SelectRows);
    view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    view->setTabKeyNavigation(false);
    view->setAlternatingRowColors(true);
    view->setShowGrid(false);
    view->setWordWrap(false);
    view->setFrameShape(QFrame::NoFrame);
    view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    view->verticalHeader()->hide();
    view->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    view->verticalHeader()->setMinimumSectionSize(1);
    view->verticalHeader()->setDefaultSectionSize(view->fontMetrics().height() + 6);
    view->horizontalHeader()->setHighlightSections(false);
    view->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    auto* copy = new QAction(view);
    copy->setShortcut(QKeySequence::Copy);
    copy->setShortcutContext(Qt::WidgetShortcut);
    QObject::connect(copy, &QAction::triggered, view, [view] { QApplication::clipboard()->setText(selectionAsTsv(*view)); });
    view->addAction(copy);
}

void sizeColumns(QTableView* view, std::initializer_list<int> digits) {
    const int digit = view->fontMetrics().horizontalAdvance(QLatin1Char('0'));
    int column = 0;
    for (const int wanted : digits) view->setColumnWidth(column++, wanted * digit + 12);
}

namespace {

template <class View>
QString rowsAsTsv(const View& view) {
    const QAbstractItemModel* model = view.model();
    QString text;
    const auto line = [&](auto&& cell) {
        QStringList cells;
        for (int column = 0; column < model->columnCount(); ++column) {
            if (!view.isColumnHidden(column)) cells << cell(column);
        }
        text += cells.join(QLatin1Char('\t')) + QLatin1Char('\n');
    };
    line([&](int column) { return model->headerData(column, Qt::Horizontal).toString(); });
    QModelIndexList rows = view.selectionModel()->selectedRows();
    std::sort(rows.begin(), rows.end());
    for (const QModelIndex& row : rows) line([&](int column) { return row.siblingAtColumn(column).data().toString(); });
    return text;
}

}  // namespace

QString selectionAsTsv(const QTableView& view) { return rowsAsTsv(view); }

void copyAsTsv(const QTreeView& view) { QApplication::clipboard()->setText(rowsAsTsv(view)); }

}  // namespace mofo
