// What every table of the window has in common.
#pragma once

#include <QString>
#include <initializer_list>

class QTableView;
class QTreeView;

namespace mofo {

/// Rows are selected whole, cells are not edited, Ctrl+C copies the selection as TSV, Tab leaves the table.
void setUpTable(QTableView* view, const QString& objectName, const QString& accessibleName);
/// Widths of the first columns, in digits of the table's font. After setModel().
void sizeColumns(QTableView* view, std::initializer_list<int> digits);
/// Puts the selected rows of a tree on the clipboard: visible columns, tab-separated, with a header line.
void copyAsTsv(const QTreeView& view);
/// The selected rows, visible columns, tab-separated, with a header line.
[[nodiscard]] QString selectionAsTsv(const QTableView& view);

}  // namespace mofo
