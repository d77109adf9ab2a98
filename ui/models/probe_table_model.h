// The probes of a run: one row each, base beside now.
#pragma once

#include <QAbstractTableModel>
#include <vector>

#include "ui/models/run_data.h"

namespace mofo {

class ProbeTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Probe, Measure, Base, Now, Difference, Interval, Items, Seconds, Step, ColumnCount };

    explicit ProbeTableModel(const RunData* data, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Row {
        ProbeRow base, now;
    };
    void refresh();

    const RunData* m_data;
    std::vector<Row> m_rows;
};

}  // namespace mofo
