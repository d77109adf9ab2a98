// The runs of the workspace as a table, newest first. Updated in place: never reset, so that selection and scroll stay.
#pragma once

#include <QAbstractTableModel>
#include <QString>
#include <vector>

#include "ui/models/run_batch.h"

namespace mofo {

class RunTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Name, State, Alpha, Granularity, Model, Step, Loss, EvalLoss, Drift, Started, ColumnCount };
    enum Role { SortRole = Qt::UserRole + 1, IdRole, StateRole };

    explicit RunTableModel(QObject* parent = nullptr);

    /// Takes the newest list: rows that vanished are removed, new ones inserted, changed ones announced cell by cell.
    void setRuns(const std::vector<RunRow>& runs);
    [[nodiscard]] const RunRow& run(int row) const { return m_rows[static_cast<std::size_t>(row)].run; }
    [[nodiscard]] int rowOf(const QString& id) const;  ///< -1 where there is none

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Row {
        RunRow run;
        std::vector<QString> cells;
    };
    [[nodiscard]] static std::vector<QString> cellsOf(const RunRow& run);
    [[nodiscard]] static QVariant sortKey(const RunRow& run, int column);
    void update(int row, const RunRow& run);

    std::vector<Row> m_rows;
};

}  // namespace mofo
