// Configurations of several runs side by side: the keys that differ, with what was changed while they ran.
#pragma once

#include <QAbstractTableModel>
#include <QString>
#include <vector>

#include "core/config/run_config.h"

namespace mofo {

/// One change that took effect while a run was on.
struct LiveChange {
    std::string key, oldValue, newValue;
    std::int64_t step = 0;
};

struct ComparedRun {
    QString id, name;
    RunConfig config;  ///< it was started with
    std::string modelId;
    std::vector<LiveChange> changes;
};

class ConfigDiffModel : public QAbstractTableModel {
    Q_OBJECT
public:
    using QAbstractTableModel::QAbstractTableModel;
    void setRuns(std::vector<ComparedRun> runs);
    /// All keys instead of those that differ.
    void setShowAll(bool all);
    [[nodiscard]] const std::vector<ComparedRun>& runs() const { return m_runs; }
    /// One sentence for each difference that makes comparing the runs unfair.
    [[nodiscard]] QStringList unfairness() const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Row {
        std::string key;
        std::vector<QString> cells;
        bool differs = false;
    };
    void rebuild();
    std::vector<ComparedRun> m_runs;
    std::vector<Row> m_rows;
    bool m_all = false;
};

}  // namespace mofo
