// The fixed prompts of a run and how it answered them: one row per prompt, the base beside the steps at which probes ran, newest first.
#pragma once

#include <QAbstractTableModel>
#include <QString>
#include <cstdint>
#include <map>
#include <vector>

#include "ui/models/run_data.h"

namespace mofo {

class SampleTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    explicit SampleTableModel(const RunData* data, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    /// The prompt, then one column per step.
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Row {
        QString prompt;
        std::map<std::int64_t, QString> answers;  ///< by step
    };
    void refresh();

    const RunData* m_data;
    std::vector<Row> m_rows;
    std::vector<std::int64_t> m_steps;  ///< of the columns
};

}  // namespace mofo
