// The numbers of a chart: what its values table shows, what is copied and what is saved. Stored values, never thinned or interpolated.
#pragma once

#include <QAbstractTableModel>
#include <QStringList>
#include <vector>

#include "core/base/result.h"
#include "ui/models/run_data.h"

namespace mofo {

/// One line per step (twice where a stretch was taken back), one column per series.
struct ChartTable {
    QString axis = QStringLiteral("step");     ///< what the first column counts
    QStringList names;                         ///< "loss [nats/token]"
    std::vector<double> steps;                 ///< or what else `axis` says
    std::vector<char> superseded;              ///< 1: an undo or a resume took it back
    std::vector<std::vector<double>> columns;  ///< by series, then line
    std::vector<std::vector<char>> present;    ///< 0: this series has nothing at that step

    /// Lays one series into the table: `values` of the line that counts, `taken` of each stretch that does not.
    struct Source {
        QString name;
        const SeriesBuffer* values = nullptr;
        const std::vector<SeriesBuffer>* taken = nullptr;
    };
    [[nodiscard]] static ChartTable of(const std::vector<Source>& sources, double from, double to);
};

/// C locale, `nan`, `inf`; empty where a series has nothing.
[[nodiscard]] QString chartTableTsv(const ChartTable& table);
/// Comment lines before the column names: run, hashes, what the columns are.
[[nodiscard]] QString chartCsvHeader(const RunData& data, const QString& title);
/// Writes all of it beside its target and renames; any thread.
Result<void> writeChartCsv(const QString& path, const QString& header, const ChartTable& table);

class ChartTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    using QAbstractTableModel::QAbstractTableModel;
    void setTable(ChartTable table);
    [[nodiscard]] const ChartTable& table() const { return m_table; }
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    ChartTable m_table;
};

}  // namespace mofo
