#include "ui/models/config_diff.h"

#include <QFont>
#include <algorithm>
#include <set>
#include <utility>

#include "ui/models/display_text.h"
#include "ui/models/key_texts.h"

namespace mofo {

void ConfigDiffModel::setRuns(std::vector<ComparedRun> runs) {
    beginResetModel();
    m_runs = std::move(runs);
    rebuild();
    endResetModel();
}

void ConfigDiffModel::setShowAll(bool all) {
    if (all == m_all) return;
    beginResetModel();
    m_all = all;
    rebuild();
    endResetModel();
}

void ConfigDiffModel::rebuild() {
    m_rows.clear();
    const auto add = [&](const std::string& key, auto valueOf) {
        Row row{key, {}, false};
        std::set<QString> different;
        for (const ComparedRun& run : m_runs) {
            row.cells.push_back(valueOf(run));
            different.insert(row.cells.back());
        }
        row.differs = different.size() > 1;
        if (row.differs || m_all) m_rows.push_back(std::move(row));
    };
    for (const KeyDescription& key : keyDescriptions()) {
        add(key.name, [&](const ComparedRun& run) {
            QString text = ui::valueText(key.name, configValue(run.config, key.name));
            for (const LiveChange& change : run.changes) {
                if (change.key == key.name)
                    text += tr(" → %1 @%2", "new value, step").arg(ui::valueText(key.name, change.newValue), ui::count(change.step));
            }
            return text;
        });
    }
    add("model_id", [](const ComparedRun& run) { return ui::shown(run.modelId); });
}

QStringList ConfigDiffModel::unfairness() const {
    QStringList notes;
    const auto differs = [&](const std::string& key) {
        return std::any_of(m_runs.begin(), m_runs.end(),
                           [&](const ComparedRun& run) { return configValue(run.config, key) != configValue(m_runs.front().config, key); });
    };
    if (m_runs.size() < 2) return notes;
    if (std::any_of(m_runs.begin(), m_runs.end(), [&](const ComparedRun& run) { return run.modelId != m_runs.front().modelId; })) {
        notes << tr("They tune different models.");
    }
    if (differs("data") || differs("eval_split")) notes << tr("They train on different rows.");
    if (differs("seed") || differs("shuffle")) notes << tr("Their rows come in another order.");
    if (differs("max_length")) notes << tr("Their rows are cut at different lengths.");
    const bool perMicroBatch =
        std::any_of(m_runs.begin(), m_runs.end(), [](const ComparedRun& run) { return run.config.lossMean == LossMean::MicroBatch; });
    if (perMicroBatch && differs("micro_batch")) notes << tr("The mean per micro-batch makes other micro-batches another loss.");
    return notes;
}

int ConfigDiffModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

int ConfigDiffModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_runs.size()) + 1; }

QVariant ConfigDiffModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    if (role == Qt::DisplayRole)
        return index.column() == 0 ? QString::fromStdString(row.key) : row.cells[static_cast<std::size_t>(index.column() - 1)];
    if (role == Qt::ToolTipRole)
        return index.column() == 0 ? ui::keyLabel(row.key) : row.cells[static_cast<std::size_t>(index.column() - 1)].toHtmlEscaped();
    if (role == Qt::FontRole && row.differs && m_all) {
        QFont font;
        font.setBold(true);
        return font;
    }
    return {};
}

QVariant ConfigDiffModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    return section == 0 ? tr("Key") : m_runs[static_cast<std::size_t>(section - 1)].name;
}

}  // namespace mofo
