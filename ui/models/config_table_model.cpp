#include "ui/models/config_table_model.h"

#include <QFont>

#include "ui/models/display_text.h"

namespace mofo {

ConfigTableModel::ConfigTableModel(const RunData* data, QObject* parent) : QAbstractTableModel(parent), m_data(data) {
    for (const KeyDescription& key : keyDescriptions()) m_rows.push_back({&key, {}, {}});
    connect(data, &RunData::tuningChanged, this, &ConfigTableModel::refresh);
    refresh();
}

void ConfigTableModel::refresh() {
    int first = -1, last = -1;
    const LiveTuning& tuning = m_data->tuning();
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        Row& row = m_rows[i];
        QString value, changed;
        if (m_data->run()) {
            value = ui::shown(configValue(tuning.applied, row.key->name));
            const auto since = tuning.since.find(row.key->name);
            if (since != tuning.since.end()) {
                changed = tr("since step %1, by %2").arg(ui::count(since->second.step), ui::whoText(since->second.who));
            }
        }
        if (value == row.value && changed == row.changed) continue;
        row.value = value;
        row.changed = changed;
        if (first < 0) first = static_cast<int>(i);
        last = static_cast<int>(i);
    }
    if (first >= 0) Q_EMIT dataChanged(index(first, Value), index(last, Changed));
}

int ConfigTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

int ConfigTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant ConfigTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= static_cast<int>(m_rows.size())) return {};
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    if (role == Qt::FontRole && !row.changed.isEmpty()) {
        QFont font;
        font.setBold(true);
        return font;
    }
    if (role == Qt::ToolTipRole && (index.column() == Help || index.column() == Value)) {
        return (index.column() == Help ? ui::shown(row.key->help) : row.value).toHtmlEscaped();
    }
    if (role != Qt::DisplayRole) return {};
    switch (index.column()) {
        case Key: return ui::shown(row.key->name);
        case Value: return row.value;
        case Changed: return row.changed;
        case Help: return ui::shown(row.key->help);
        default: return {};
    }
}

QVariant ConfigTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    switch (section) {
        case Key: return tr("Key");
        case Value: return tr("Value");
        case Changed: return tr("Changed while running");
        case Help: return tr("Meaning");
        default: return {};
    }
}

}  // namespace mofo
