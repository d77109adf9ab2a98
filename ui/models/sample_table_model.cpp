#include "ui/models/sample_table_model.h"

#include <algorithm>
#include <set>

#include "ui/models/display_text.h"

namespace mofo {

SampleTableModel::SampleTableModel(const RunData* data, QObject* parent) : QAbstractTableModel(parent), m_data(data) {
    connect(data, &RunData::samplesChanged, this, &SampleTableModel::refresh);
    connect(data, &RunData::cleared, this, &SampleTableModel::refresh);
    refresh();
}

void SampleTableModel::refresh() {
    // Answers have no flag of their own: those of a stretch that was taken back stand at steps whose probes no longer count.
    std::set<std::int64_t> counting;
    for (const ProbeRow& probe : m_data->probes()) {
        if (!probe.superseded) counting.insert(probe.step);
    }
    std::map<std::string, Row> rows;
    std::set<std::int64_t> steps;
    for (const SampleAnswer& sample : m_data->samples()) {
        if (!counting.contains(sample.step)) continue;
        Row& row = rows[sample.id];
        row.prompt = ui::shownLines(sample.prompt);
        row.answers[sample.step] = ui::shownLines(sample.text);
        steps.insert(sample.step);
    }
    beginResetModel();
    m_rows.clear();
    for (auto& [id, row] : rows) m_rows.push_back(std::move(row));
    m_steps.assign(steps.rbegin(), steps.rend());
    if (!m_steps.empty() && m_steps.back() == 0) std::rotate(m_steps.begin(), m_steps.end() - 1, m_steps.end());
    endResetModel();
}

int SampleTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

int SampleTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : 1 + static_cast<int>(m_steps.size()); }

QVariant SampleTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount() || index.column() >= columnCount()) return {};
    if (role == Qt::TextAlignmentRole) return QVariant::fromValue(Qt::Alignment(Qt::AlignLeft | Qt::AlignTop));
    if (role != Qt::DisplayRole) return {};
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    if (index.column() == 0) return row.prompt;
    const auto answer = row.answers.find(m_steps[static_cast<std::size_t>(index.column() - 1)]);
    return answer == row.answers.end() ? QStringLiteral("–") : answer->second;
}

QVariant SampleTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole || section < 0 || section >= columnCount()) return {};
    if (section == 0) return tr("Prompt");
    const std::int64_t step = m_steps[static_cast<std::size_t>(section - 1)];
    return step == 0 ? tr("Base model") : tr("Step %1").arg(ui::count(step));
}

}  // namespace mofo
