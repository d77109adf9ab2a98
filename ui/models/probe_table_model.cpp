#include "ui/models/probe_table_model.h"

#include <cmath>
#include <map>

#include "ui/models/display_text.h"

namespace mofo {

ProbeTableModel::ProbeTableModel(const RunData* data, QObject* parent) : QAbstractTableModel(parent), m_data(data) {
    connect(data, &RunData::probesChanged, this, &ProbeTableModel::refresh);
    connect(data, &RunData::cleared, this, &ProbeTableModel::refresh);
    refresh();
}

void ProbeTableModel::refresh() {
    std::map<std::string, Row> rows;
    for (const ProbeRow& row : m_data->probes()) {
        if (row.superseded) continue;
        const auto [place, isNew] = rows.try_emplace(row.probe + '\n' + row.measure, Row{row, row});
        if (row.step <= place->second.base.step) place->second.base = row;
        if (row.step >= place->second.now.step) place->second.now = row;
    }
    beginResetModel();
    m_rows.clear();
    for (auto& [name, row] : rows) m_rows.push_back(std::move(row));
    endResetModel();
}

int ProbeTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

int ProbeTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant ProbeTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= static_cast<int>(m_rows.size())) return {};
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    if (role == Qt::TextAlignmentRole) {
        return index.column() >= Base ? QVariant::fromValue(Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter)) : QVariant();
    }
    if (role != Qt::DisplayRole) return {};
    switch (index.column()) {
        case Probe: return ui::shown(row.now.probe);
        case Measure: return ui::shown(row.now.measure);
        case Base: return ui::fourDigits(row.base.value);
        case Now: return ui::fourDigits(row.now.value);
        case Difference: {
            const double difference = row.now.value - row.base.value;
            return (difference > 0 ? QStringLiteral("+") : QString()) + ui::fourDigits(difference);
        }
        case Interval:
            if (!std::isfinite(row.now.low) || !std::isfinite(row.now.high)) return QStringLiteral("–");
            return tr("%1 … %2", "95 % interval").arg(ui::fourDigits(row.now.low), ui::fourDigits(row.now.high));
        case Items: return ui::count(row.now.items);
        case Seconds: return std::isfinite(row.now.seconds) ? ui::duration(row.now.seconds) : QStringLiteral("–");
        case Step: return ui::count(row.now.step);
        default: return {};
    }
}

QVariant ProbeTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment((section >= Base ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Probe: return tr("Probe");
        case Measure: return tr("Measure");
        case Base: return tr("Base");
        case Now: return tr("Now");
        case Difference: return tr("Difference");
        case Interval: return tr("95 % interval");
        case Items: return tr("Items");
        case Seconds: return tr("Cost");
        case Step: return tr("Last step");
        default: return {};
    }
}

}  // namespace mofo
