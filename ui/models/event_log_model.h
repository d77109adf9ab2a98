// What happened to the run on screen, what arrived last first.
#pragma once

#include <QAbstractTableModel>

#include "ui/models/run_data.h"

namespace mofo {

class EventLogModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Step, Time, Who, What, Change, Text, ColumnCount };
    enum Role { StepRole = Qt::UserRole + 1 };

    explicit EventLogModel(const RunData* data, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    void onCleared();
    void onAppended();
    [[nodiscard]] QString cell(const EventRow& event, int column) const;

    const RunData* m_data;
    int m_count = 0;  ///< rows announced so far
};

}  // namespace mofo
