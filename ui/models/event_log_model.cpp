#include "ui/models/event_log_model.h"

#include <QFont>

#include "ui/models/display_text.h"

namespace mofo {

EventLogModel::EventLogModel(const RunData* data, QObject* parent)
    : QAbstractTableModel(parent), m_data(data), m_count(static_cast<int>(data->events().size())) {
    connect(data, &RunData::cleared, this, &EventLogModel::onCleared);
    connect(data, &RunData::eventsChanged, this, &EventLogModel::onAppended);
}

void EventLogModel::onCleared() {
    if (m_count == 0) return;
    beginRemoveRows({}, 0, m_count - 1);
    m_count = 0;
    endRemoveRows();
}

void EventLogModel::onAppended() {
    const int now = static_cast<int>(m_data->events().size());
    if (now <= m_count) return;
    beginInsertRows({}, 0, now - m_count - 1);
    m_count = now;
    endInsertRows();
}

int EventLogModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : m_count; }

int EventLogModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString EventLogModel::cell(const EventRow& event, int column) const {
    switch (column) {
        case Step: return ui::count(event.step);
        case Time: return ui::timeOfDay(event.wallNs);
        case Who: return ui::whoText(event.who);
        case What: return event.key.empty() ? ui::shown(event.kind) : ui::shown(event.kind + " " + event.key);
        case Change:
            if (event.oldValue.empty() && event.newValue.empty()) return {};
            return tr("%1 → %2", "old to new value").arg(ui::valueText(event.key, event.oldValue), ui::valueText(event.key, event.newValue));
        case Text: return ui::shown(event.text);
        default: return {};
    }
}

QVariant EventLogModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= m_count || static_cast<std::size_t>(index.row()) >= m_data->events().size()) return {};
    const EventRow& event = m_data->events()[static_cast<std::size_t>(m_count - 1 - index.row())];
    switch (role) {
        case Qt::DisplayRole: return cell(event, index.column());
        case Qt::ToolTipRole: return index.column() == Text ? ui::shown(event.text).toHtmlEscaped() : QString();
        case Qt::TextAlignmentRole:
            return index.column() == Step ? QVariant::fromValue(Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter)) : QVariant();
        case Qt::FontRole: {
            QFont font;
            if (event.superseded)
                font.setStrikeOut(true);
            else if (event.kind == "error")
                font.setBold(true);
            else
                return {};
            return font;
        }
        case StepRole: return static_cast<qlonglong>(event.step);
        default: return {};
    }
}

QVariant EventLogModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment((section == Step ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    if (role == Qt::ToolTipRole && section == Time) return tr("The newest stands first");
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Step: return tr("Step");
        case Time: return tr("Time, newest first");
        case Who: return tr("Who");
        case What: return tr("What");
        case Change: return tr("Change");
        case Text: return tr("Details");
        default: return {};
    }
}

}  // namespace mofo
