#include "ui/models/run_table_model.h"

#include <algorithm>
#include <limits>

#include "ui/models/display_text.h"

namespace mofo {

RunTableModel::RunTableModel(QObject* parent) : QAbstractTableModel(parent) {}

void RunTableModel::setRuns(const std::vector<RunRow>& runs) {
    const auto listed = [&](const std::string& id) {
        return std::any_of(runs.begin(), runs.end(), [&](const RunRow& run) { return run.id == id; });
    };
    for (int row = static_cast<int>(m_rows.size()) - 1; row >= 0; --row) {
        if (listed(run(row).id)) continue;
        beginRemoveRows({}, row, row);
        m_rows.erase(m_rows.begin() + row);
        endRemoveRows();
    }
    for (int row = 0; row < static_cast<int>(runs.size()); ++row) {
        const RunRow& wanted = runs[static_cast<std::size_t>(row)];
        if (row < static_cast<int>(m_rows.size()) && run(row).id == wanted.id) {
            update(row, wanted);
            continue;
        }
        const int present = rowOf(QString::fromStdString(wanted.id));
        if (present > row) {
            beginMoveRows({}, present, present, {}, row);
            std::rotate(m_rows.begin() + row, m_rows.begin() + present, m_rows.begin() + present + 1);
            endMoveRows();
            update(row, wanted);
            continue;
        }
        beginInsertRows({}, row, row);
        m_rows.insert(m_rows.begin() + row, Row{wanted, cellsOf(wanted)});
        endInsertRows();
    }
}

void RunTableModel::update(int row, const RunRow& run) {
    Row& present = m_rows[static_cast<std::size_t>(row)];
    const bool stateIsNew = present.run.state != run.state || present.run.endReason != run.endReason;
    present.run = run;
    std::vector<QString> cells = cellsOf(run);
    int first = -1, last = -1;
    for (int column = 0; column < ColumnCount; ++column) {
        const auto i = static_cast<std::size_t>(column);
        if (cells[i] == present.cells[i] && !(stateIsNew && column == State)) continue;
        if (first < 0) first = column;
        last = column;
    }
    present.cells = std::move(cells);
    if (first >= 0) Q_EMIT dataChanged(index(row, first), index(row, last));
}

int RunTableModel::rowOf(const QString& id) const {
    const std::string wanted = id.toStdString();
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        if (m_rows[i].run.id == wanted) return static_cast<int>(i);
    }
    return -1;
}

int RunTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

int RunTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

std::vector<QString> RunTableModel::cellsOf(const RunRow& run) {
    const QString none = QStringLiteral("–");
    const RunSummary& summary = run.summary;
    std::vector<QString> cells(ColumnCount);
    cells[Name] = ui::shown(run.name);
    cells[State] = ui::stateGlyph(run.state) + QLatin1Char(' ') + ui::stateText(run.state);
    const bool filters = selectsCoordinates(run.config.optimizer);
    cells[Alpha] = filters ? ui::alphaText(configValue(run.config, "alpha")) : ui::percent(1.0);
    cells[Granularity] = filters ? ui::shown(run.config.granularity.text()) : none;
    cells[Model] = ui::shown(run.modelName);
    const std::int64_t total = summary.totalSteps > 0 ? summary.totalSteps : run.config.steps;
    cells[Step] = total > 0 ? tr("%1 / %2", "step of total").arg(ui::count(summary.step), ui::count(total)) : ui::count(summary.step);
    if (summary.lossState == "nan") cells[Loss] = QStringLiteral("NaN");
    else if (summary.lossState == "inf") cells[Loss] = QStringLiteral("+Inf");
    else cells[Loss] = summary.loss ? ui::fourDigits(*summary.loss) : none;
    cells[EvalLoss] = summary.evalLoss ? ui::fourDigits(*summary.evalLoss) : none;
    cells[Drift] = summary.drift ? ui::fourDigits(*summary.drift) : none;
    cells[Started] = run.startedNs ? ui::whenShort(*run.startedNs) : none;
    return cells;
}

QVariant RunTableModel::sortKey(const RunRow& run, int column) {
    // Missing values sort behind every number.
    const double missing = std::numeric_limits<double>::max();
    switch (column) {
        case Name: return ui::shown(run.name).toCaseFolded();
        case State: return static_cast<int>(run.state);
        case Alpha: return selectsCoordinates(run.config.optimizer) ? run.config.alpha.common.at(run.summary.step) : 1.0;
        case Granularity: return QString::fromStdString(run.config.granularity.text());
        case Model: return ui::shown(run.modelName).toCaseFolded();
        case Step: return static_cast<qlonglong>(run.summary.step);
        case Loss: return run.summary.loss.value_or(missing);
        case EvalLoss: return run.summary.evalLoss.value_or(missing);
        case Drift: return run.summary.drift.value_or(missing);
        case Started: return static_cast<qlonglong>(run.startedNs.value_or(run.createdNs));
        default: return {};
    }
}

QVariant RunTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= static_cast<int>(m_rows.size()) || index.column() >= ColumnCount) return {};
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
        case Qt::DisplayRole: return row.cells[static_cast<std::size_t>(index.column())];
        case Qt::TextAlignmentRole:
            if (index.column() == Alpha || (index.column() >= Step && index.column() <= Drift)) {
                return QVariant::fromValue(Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter));
            }
            return {};
        case Qt::ToolTipRole:
            if (index.column() == State && !row.run.endReason.empty()) return ui::shown(row.run.endReason).toHtmlEscaped();
            if (index.column() == Name) {
                return tr("Run %1\n%2").arg(ui::shown(row.run.id), ui::shown(row.run.commandLine)).toHtmlEscaped();
            }
            return {};
        case SortRole: return sortKey(row.run, index.column());
        case IdRole: return QString::fromStdString(row.run.id);
        case StateRole: return static_cast<int>(row.run.state);
        default: return {};
    }
}

QVariant RunTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole) {
        const bool right = section == Alpha || (section >= Step && section <= Drift);
        return QVariant::fromValue(Qt::Alignment((right ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    }
    if (role == Qt::ToolTipRole) {
        switch (section) {
            case Alpha: return tr("Share of the filtered coordinates that may move at each step");
            case Granularity: return tr("How the filtered parameters are divided; each part selects on its own");
            case Loss: return tr("Newest training loss, nats per trained token");
            case EvalLoss: return tr("Newest loss on held-out rows, nats per token");
            case Drift: return tr("Distance of the whole model from its pretrained weights, relative L2");
            default: return {};
        }
    }
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Name: return tr("Name");
        case State: return tr("State");
        case Alpha: return tr("α");
        case Granularity: return tr("Granularity");
        case Model: return tr("Model");
        case Step: return tr("Step");
        case Loss: return tr("Loss");
        case EvalLoss: return tr("Eval");
        case Drift: return tr("Drift");
        case Started: return tr("Started");
        default: return {};
    }
}

}  // namespace mofo
