// The configuration a run runs with: one row per key, with the step of its last live change.
#pragma once

#include <QAbstractTableModel>
#include <vector>

#include "ui/models/run_data.h"

namespace mofo {

class ConfigTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Key, Value, Changed, Help, ColumnCount };

    explicit ConfigTableModel(const RunData* data, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Row {
        const KeyDescription* key = nullptr;
        QString value, changed;
    };
    void refresh();

    const RunData* m_data;
    std::vector<Row> m_rows;
};

}  // namespace mofo
