#include "ui/models/run_table_model.h"

#include <QFont>
#include <QLocale>
#include <QMimeData>
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "ui/models/display_text.h"

namespace mofo {

namespace {

const QString queuedRunType = QStringLiteral("application/x-mofo-queued-run");

}  // namespace

struct RunTableModel::Node {
    RunRow run;
    std::vector<QString> cells;
    Node* parent = nullptr;
    std::vector<std::unique_ptr<Node>> children;
    int queueNumber = 0;   ///< 1 = the next of its device
    bool isGroup = false;  ///< a sweep: its children are its runs
};

RunTableModel::RunTableModel(QObject* parent) : QAbstractItemModel(parent) {}

RunTableModel::~RunTableModel() = default;

RunTableModel::Node* RunTableModel::nodeOf(const QModelIndex& index) { return static_cast<Node*>(index.internalPointer()); }

std::vector<std::unique_ptr<RunTableModel::Node>>& RunTableModel::childrenOf(Node* parent) { return parent == nullptr ? m_roots : parent->children; }

QModelIndex RunTableModel::indexOf(const Node* node, int column) const {
    if (node == nullptr) return {};
    const auto& siblings = node->parent == nullptr ? m_roots : node->parent->children;
    for (std::size_t row = 0; row < siblings.size(); ++row) {
        if (siblings[row].get() == node) return createIndex(static_cast<int>(row), column, node);
    }
    return {};
}

QModelIndex RunTableModel::indexOf(const QString& id, int column) const {
    const auto found = m_byId.find(id.toStdString());
    return found == m_byId.end() ? QModelIndex() : indexOf(found->second, column);
}

const RunRow* RunTableModel::run(const QString& id) const {
    const auto found = m_byId.find(id.toStdString());
    return found == m_byId.end() || found->second->isGroup ? nullptr : &found->second->run;
}

const RunRow* RunTableModel::run(const QModelIndex& index) const {
    return index.isValid() && !nodeOf(index)->isGroup ? &nodeOf(index)->run : nullptr;
}

std::vector<RunRow> RunTableModel::allRuns() const {
    std::vector<RunRow> runs;
    for (const std::string& id : m_order) runs.push_back(m_byId.at(id)->run);
    return runs;
}

std::vector<const RunRow*> RunTableModel::runPointers() const {
    std::vector<const RunRow*> runs;
    for (const std::string& id : m_order) runs.push_back(&m_byId.at(id)->run);
    return runs;
}

void RunTableModel::forget(Node* node) {
    for (const auto& child : node->children) forget(child.get());
    m_byId.erase(node->run.id);
}

void RunTableModel::remove(Node* node) {
    const QModelIndex index = indexOf(node, 0);
    Node* const parent = node->parent;
    beginRemoveRows(indexOf(parent, 0), index.row(), index.row());
    forget(node);
    auto& siblings = childrenOf(parent);
    siblings.erase(siblings.begin() + index.row());
    endRemoveRows();
}

void RunTableModel::insertAt(Node* parent, int row, const RunRow& run) {
    beginInsertRows(indexOf(parent, 0), row, row);
    auto node = std::make_unique<Node>();
    node->run = run;
    node->parent = parent;
    node->cells = cellsOf(*node);
    m_byId[run.id] = node.get();
    auto& siblings = childrenOf(parent);
    siblings.insert(siblings.begin() + row, std::move(node));
    endInsertRows();
}

void RunTableModel::setRuns(const std::vector<RunRow>& runs, const std::vector<RunRow>& groups) {
    // A group stands where the newest of its runs would.
    std::map<std::string, const RunRow*> groupOf;
    for (const RunRow& group : groups) groupOf[group.id] = &group;
    std::vector<const RunRow*> rows;
    std::set<std::string> listed, shownGroups;
    for (const RunRow& run : runs) {
        if (const auto group = groupOf.find(run.sweepId); group != groupOf.end() && shownGroups.insert(group->first).second)
            rows.push_back(group->second);
        rows.push_back(&run);
        listed.insert(run.id);
    }
    const auto parentOf = [&](const RunRow& run) -> std::string {
        if (shownGroups.contains(run.id)) return {};
        if (shownGroups.contains(run.sweepId)) return run.sweepId;
        return run.parentId != run.id && listed.contains(run.parentId) ? run.parentId : std::string();
    };
    // What vanished or has another parent goes, with all below it; those come back as new rows.
    std::vector<std::string> gone;
    std::map<std::string, const RunRow*> wanted;
    for (const RunRow* run : rows) wanted[run->id] = run;
    for (const auto& [id, node] : m_byId) {
        const auto found = wanted.find(id);
        const std::string present = node->parent != nullptr ? node->parent->run.id : std::string();
        if (found == wanted.end() || parentOf(*found->second) != present) gone.push_back(id);
    }
    for (const std::string& id : gone) {
        if (const auto found = m_byId.find(id); found != m_byId.end()) remove(found->second);
    }
    m_order.clear();
    std::string baseline;
    for (const RunRow& run : runs) {
        m_order.push_back(run.id);
        if (run.baseline) baseline = run.id;
    }
    const bool baselineIsNew = baseline != m_baseline;
    m_baseline = baseline;
    // Level by level, so that a parent is there before its branches; within a level in the list's order.
    std::map<std::string, std::vector<const RunRow*>> byParent;
    for (const RunRow* run : rows) byParent[parentOf(*run)].push_back(run);
    std::vector<std::string> open{std::string()};
    std::set<std::string> placed;
    while (!open.empty()) {
        const std::string parentId = open.back();
        open.pop_back();
        Node* const parent = parentId.empty() ? nullptr : m_byId.at(parentId);
        const std::vector<const RunRow*>& children = byParent[parentId];
        for (std::size_t row = 0; row < children.size(); ++row) {
            const RunRow& run = *children[row];
            placed.insert(run.id);
            auto& siblings = childrenOf(parent);
            const auto present = std::find_if(siblings.begin(), siblings.end(), [&](const auto& node) { return node->run.id == run.id; });
            if (present == siblings.end()) {
                insertAt(parent, static_cast<int>(row), run);
            } else if (const auto from = present - siblings.begin(); from != static_cast<std::ptrdiff_t>(row)) {
                beginMoveRows(indexOf(parent, 0), static_cast<int>(from), static_cast<int>(from), indexOf(parent, 0), static_cast<int>(row));
                std::rotate(siblings.begin() + static_cast<std::ptrdiff_t>(row), present, present + 1);
                endMoveRows();
            }
            open.push_back(run.id);
        }
    }
    // A run that is its own ancestor in a damaged store is not reached from the top: it stands there by itself.
    for (const RunRow& run : runs) {
        if (!placed.contains(run.id) && !m_byId.contains(run.id)) insertAt(nullptr, static_cast<int>(m_roots.size()), run);
    }
    std::map<std::string, std::vector<std::pair<std::int64_t, std::string>>> queues;
    for (const RunRow& run : runs) {
        if (run.state == RunState::Queued) queues[run.device].emplace_back(run.queuePlace, run.id);
    }
    std::map<std::string, int> numbers;
    for (auto& [device, queue] : queues) {
        std::sort(queue.begin(), queue.end());
        for (std::size_t i = 0; i < queue.size(); ++i) numbers[queue[i].second] = static_cast<int>(i) + 1;
    }
    for (const RunRow* const row : rows) {
        const RunRow& run = *row;
        Node& node = *m_byId.at(run.id);
        node.isGroup = shownGroups.contains(run.id);
        const auto number = numbers.find(run.id);
        node.queueNumber = number != numbers.end() ? number->second : 0;
        update(node, run, baselineIsNew);
    }
}

void RunTableModel::update(Node& node, const RunRow& run, bool everything) {
    const bool stateIsNew = node.run.state != run.state || node.run.endReason != run.endReason || node.run.pinned != run.pinned;
    node.run = run;
    std::vector<QString> cells = cellsOf(node);
    int first = -1, last = -1;
    for (int column = 0; column < ColumnCount; ++column) {
        const auto i = static_cast<std::size_t>(column);
        if (!everything && cells[i] == node.cells[i] && !(stateIsNew && column == State)) continue;
        if (first < 0) first = column;
        last = column;
    }
    node.cells = std::move(cells);
    if (first >= 0) Q_EMIT dataChanged(indexOf(&node, first), indexOf(&node, last));
}

void RunTableModel::setUnread(const QString& id, bool unread) {
    const std::string key = id.toStdString();
    if (unread == m_unread.contains(key)) return;
    if (unread)
        m_unread.insert(key);
    else
        m_unread.erase(key);
    if (const auto found = m_byId.find(key); found != m_byId.end()) update(*found->second, RunRow(found->second->run), true);
}

void RunTableModel::setProblem(const QString& id, const QString& why) {
    const std::string key = id.toStdString();
    if (why.isEmpty())
        m_problems.erase(key);
    else
        m_problems[key] = why;
    if (const auto found = m_byId.find(key); found != m_byId.end()) update(*found->second, RunRow(found->second->run));
}

void RunTableModel::retranslate() {
    for (const auto& [id, node] : m_byId) update(*node, RunRow(node->run), true);
    Q_EMIT headerDataChanged(Qt::Horizontal, 0, ColumnCount - 1);
}

QModelIndex RunTableModel::index(int row, int column, const QModelIndex& parent) const {
    if (row < 0 || column < 0 || column >= ColumnCount || (parent.isValid() && parent.column() != 0)) return {};
    const auto& siblings = parent.isValid() ? nodeOf(parent)->children : m_roots;
    return row < static_cast<int>(siblings.size()) ? createIndex(row, column, siblings[static_cast<std::size_t>(row)].get()) : QModelIndex();
}

QModelIndex RunTableModel::parent(const QModelIndex& index) const { return index.isValid() ? indexOf(nodeOf(index)->parent, 0) : QModelIndex(); }

int RunTableModel::rowCount(const QModelIndex& parent) const {
    if (parent.isValid() && parent.column() != 0) return 0;
    return static_cast<int>((parent.isValid() ? nodeOf(parent)->children : m_roots).size());
}

int RunTableModel::columnCount(const QModelIndex&) const { return ColumnCount; }

QString RunTableModel::deltaText(const Node& node, int column) const {
    if (m_baseline.empty() || node.run.id == m_baseline) return {};
    const auto found = m_byId.find(m_baseline);
    if (found == m_byId.end()) return {};
    const RunSummary &own = node.run.summary, &base = found->second->run.summary;
    const auto difference = [](const std::optional<double>& a, const std::optional<double>& b) -> QString {
        if (!a || !b || !std::isfinite(*a - *b)) return {};
        const double value = *a - *b;
        return QStringLiteral(" (") + (value < 0 ? QStringLiteral("−") : QStringLiteral("+")) + QLocale().toString(std::fabs(value), 'g', 2) +
               QLatin1Char(')');
    };
    if (column == Loss) return difference(own.loss, base.loss);
    if (column == EvalLoss) return difference(own.evalLoss, base.evalLoss);
    if (column == Drift) return difference(own.drift, base.drift);
    return {};
}

std::vector<QString> RunTableModel::cellsOf(const Node& node) const {
    const RunRow& run = node.run;
    const QString none = QStringLiteral("–");
    const RunSummary& summary = run.summary;
    std::vector<QString> cells(ColumnCount);
    cells[Name] = ui::shown(run.name);
    QStringList marks;
    if (m_unread.contains(run.id)) marks << QStringLiteral("●");
    if (run.pinned) marks << tr("P", "mark of a pinned run");
    if (run.baseline) marks << tr("B", "mark of the baseline");
    cells[Marks] = marks.join(QLatin1Char(' '));
    const bool isUnreadable = !run.unreadable.empty() || m_problems.contains(run.id);
    if (isUnreadable) {
        cells[State] = QStringLiteral("! ") + tr("unreadable");
    } else {
        cells[State] = ui::stateGlyph(run.state) + QLatin1Char(' ') + ui::stateText(run.state);
        if (node.queueNumber > 0) cells[State] += QStringLiteral(" #%1").arg(node.queueNumber);
    }
    const bool filters = selectsCoordinates(run.config.optimizer) && !node.isGroup;
    cells[Alpha] = node.isGroup ? none : filters ? ui::alphaText(configValue(run.config, "alpha")) : ui::percent(1.0);
    cells[Granularity] = filters ? ui::shown(run.config.granularity.text()) : none;
    cells[Model] = ui::shown(run.modelName);
    const std::int64_t total = summary.totalSteps > 0 ? summary.totalSteps : run.config.steps;
    cells[Step] = total > 0 ? tr("%1 / %2", "step of total").arg(ui::count(summary.step), ui::count(total)) : ui::count(summary.step);
    if (summary.lossState == "nan")
        cells[Loss] = QStringLiteral("NaN");
    else if (summary.lossState == "inf")
        cells[Loss] = QStringLiteral("+Inf");
    else
        cells[Loss] = summary.loss ? ui::fourDigits(*summary.loss) : none;
    cells[EvalLoss] = summary.evalLoss ? ui::fourDigits(*summary.evalLoss) : none;
    cells[Drift] = summary.drift ? ui::fourDigits(*summary.drift) : none;
    if (!node.isGroup) {
        for (const Column column : {Loss, EvalLoss, Drift}) cells[column] += deltaText(node, column);
    }
    cells[Started] = run.startedNs ? ui::whenShort(*run.startedNs) : none;
    return cells;
}

QVariant RunTableModel::sortKey(const Node& node, int column) const {
    const RunRow& run = node.run;
    // Missing values sort behind every number.
    const double missing = std::numeric_limits<double>::max();
    switch (column) {
        case Name: return ui::shown(run.name).toCaseFolded();
        case Marks: return run.baseline ? 0 : run.pinned ? 1 : 2;
        case State: return static_cast<int>(run.state) * 100'000 + node.queueNumber;
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
    if (!index.isValid() || index.column() >= ColumnCount) return {};
    const Node& node = *nodeOf(index);
    const RunRow& run = node.run;
    switch (role) {
        case Qt::DisplayRole: return node.cells[static_cast<std::size_t>(index.column())];
        case Qt::EditRole: return index.column() == Name ? QString::fromStdString(run.name) : data(index, Qt::DisplayRole);
        case Qt::TextAlignmentRole:
            if (index.column() == Alpha || (index.column() >= Step && index.column() <= Drift)) {
                return QVariant::fromValue(Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter));
            }
            return {};
        case Qt::FontRole: {
            const bool isMarked = index.column() == Name && (run.baseline || run.pinned || node.isGroup);
            if (!isMarked && !m_unread.contains(run.id)) return {};
            QFont font;
            font.setBold(true);
            return font;
        }
        case Qt::ToolTipRole: {
            const auto problem = m_problems.find(run.id);
            if (problem != m_problems.end()) return problem->second.toHtmlEscaped();
            if (!run.unreadable.empty()) return ui::shown(run.unreadable).toHtmlEscaped();
            if (index.column() == State && !run.endReason.empty()) return ui::shown(run.endReason).toHtmlEscaped();
            if (node.isGroup) return tr("Runs that were made together; Enter compares them").toHtmlEscaped();
            if (index.column() == Name) return tr("Run %1\n%2").arg(ui::shown(run.id), ui::shown(run.commandLine)).toHtmlEscaped();
            if (index.column() == Marks && m_unread.contains(run.id)) return tr("News: open the run to see what happened");
            if (index.column() == Marks && run.baseline) return tr("The baseline: losses and drift of the others show their difference to it");
            if (index.column() == Marks && run.pinned) return tr("Pinned: kept on top");
            return {};
        }
        case SortRole: return sortKey(node, index.column());
        case IdRole: return node.isGroup ? QString() : QString::fromStdString(run.id);
        case RunsRole: {
            if (!node.isGroup) return QStringList{QString::fromStdString(run.id)};
            QStringList ids;
            for (const auto& child : node.children) ids << QString::fromStdString(child->run.id);
            return ids;
        }
        case StateRole: return static_cast<int>(run.state);
        case PinnedRole: return run.pinned;
        case QueueRole: return node.queueNumber;
        default: return {};
    }
}

Qt::ItemFlags RunTableModel::flags(const QModelIndex& index) const {
    Qt::ItemFlags flags = QAbstractItemModel::flags(index);
    if (index.isValid() && index.column() == Name && !nodeOf(index)->isGroup) flags |= Qt::ItemIsEditable;
    if (index.isValid() && nodeOf(index)->queueNumber > 0) flags |= Qt::ItemIsDragEnabled | Qt::ItemIsDropEnabled;
    return flags;
}

QStringList RunTableModel::mimeTypes() const { return {queuedRunType}; }

QMimeData* RunTableModel::mimeData(const QModelIndexList& indexes) const {
    for (const QModelIndex& index : indexes) {
        if (nodeOf(index)->queueNumber == 0) continue;
        auto* data = new QMimeData;
        data->setData(queuedRunType, QByteArray::fromStdString(nodeOf(index)->run.id));
        return data;
    }
    return nullptr;
}

const RunTableModel::Node* RunTableModel::dropTarget(const QMimeData* data, int row, const QModelIndex& parent, const Node*& dragged) const {
    const auto found = m_byId.find(data->data(queuedRunType).toStdString());
    if (found == m_byId.end()) return nullptr;
    dragged = found->second;
    // Between two rows: the place of the one below.
    const QModelIndex at = row >= 0 && row < rowCount(parent) ? index(row, 0, parent) : parent;
    if (!at.isValid()) return nullptr;
    const Node* target = nodeOf(at);
    const bool fits = dragged->queueNumber > 0 && target->queueNumber > 0 && target != dragged && target->run.device == dragged->run.device;
    return fits ? target : nullptr;
}

bool RunTableModel::canDropMimeData(const QMimeData* data, Qt::DropAction, int row, int, const QModelIndex& parent) const {
    const Node* dragged = nullptr;
    return dropTarget(data, row, parent, dragged) != nullptr;
}

bool RunTableModel::dropMimeData(const QMimeData* data, Qt::DropAction, int row, int, const QModelIndex& parent) {
    const Node* dragged = nullptr;
    const Node* target = dropTarget(data, row, parent, dragged);
    if (target == nullptr) return false;
    Q_EMIT queueMoveWanted(QString::fromStdString(dragged->run.id), target->queueNumber - dragged->queueNumber);
    return true;
}

bool RunTableModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::EditRole || !index.isValid() || index.column() != Name) return false;
    const QString name = value.toString().trimmed();
    if (name.isEmpty() || name.toStdString() == nodeOf(index)->run.name) return false;
    Q_EMIT renameWanted(QString::fromStdString(nodeOf(index)->run.id), name);
    return false;
}

QVariant RunTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole) {
        const bool right = section == Alpha || (section >= Step && section <= Drift);
        return QVariant::fromValue(Qt::Alignment((right ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    }
    if (role == Qt::ToolTipRole) {
        switch (section) {
            case Marks: return tr("●: news, P: pinned, B: baseline");
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
        case Marks: return QStringLiteral("★");
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
