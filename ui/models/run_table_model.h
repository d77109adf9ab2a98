// The runs of the workspace as a tree, newest first, branches below the run they come from, runs of a sweep below the row of their group. Updated in
// place: never reset, so that selection and scroll stay.
#pragma once

#include <QAbstractItemModel>
#include <QString>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ui/models/run_batch.h"

namespace mofo {

class RunTableModel : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Column { Name, Marks, State, Alpha, Granularity, Model, Step, Loss, EvalLoss, Drift, Started, ColumnCount };
    enum Role { SortRole = Qt::UserRole + 1, IdRole, StateRole, PinnedRole, QueueRole, RunsRole };

    explicit RunTableModel(QObject* parent = nullptr);
    ~RunTableModel() override;

    /// IdRole is empty for the row of a group; RunsRole has the ids of its runs, and of a run its own.
    /// `groups`: sweeps in the form of runs (asOneRun), of which some are listed.
    /// Takes the newest list: rows that vanished are removed, new ones inserted, changed ones announced cell by cell. A run whose parent is not
    /// listed stands at the top.
    void setRuns(const std::vector<RunRow>& runs, const std::vector<RunRow>& groups = {});
    /// What reading a run's files found wrong; empty takes it back.
    void setProblem(const QString& id, const QString& why);
    /// Something happened to the run that nobody has looked at: a dot and bold letters.
    void setUnread(const QString& id, bool unread);
    /// Texts of another language.
    void retranslate();

    [[nodiscard]] int runCount() const { return static_cast<int>(m_order.size()); }
    /// Null where there is none, and for a group.
    [[nodiscard]] const RunRow* run(const QString& id) const;
    [[nodiscard]] const RunRow* run(const QModelIndex& index) const;
    /// Newest first, whatever the tree.
    [[nodiscard]] std::vector<RunRow> allRuns() const;
    /// The same without copies; until the next setRuns().
    [[nodiscard]] std::vector<const RunRow*> runPointers() const;
    /// Id of the run that the others' differences are taken to; empty where there is none.
    [[nodiscard]] const std::string& baseline() const { return m_baseline; }
    [[nodiscard]] QModelIndex indexOf(const QString& id, int column = 0) const;
    /// Row below its parent; -1 where there is none.
    [[nodiscard]] int rowOf(const QString& id) const { return indexOf(id).isValid() ? indexOf(id).row() : -1; }

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& index) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    // Queued rows can be dragged onto one another.
    QStringList mimeTypes() const override;
    QMimeData* mimeData(const QModelIndexList& indexes) const override;
    Qt::DropActions supportedDropActions() const override { return Qt::CopyAction | Qt::MoveAction; }
    bool canDropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column, const QModelIndex& parent) const override;
    bool dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column, const QModelIndex& parent) override;

Q_SIGNALS:
    /// A name was typed into its cell. The cell keeps the old one until the store has the new one.
    void renameWanted(const QString& id, const QString& name);
    /// A queued run was dropped on another one of its device: it is to move by so many places.
    void queueMoveWanted(const QString& id, int by);

private:
    struct Node;
    [[nodiscard]] std::vector<QString> cellsOf(const Node& node) const;
    [[nodiscard]] QVariant sortKey(const Node& node, int column) const;
    /// Whose place a drop takes; null where that is no place in the queue of the dragged run.
    [[nodiscard]] const Node* dropTarget(const QMimeData* data, int row, const QModelIndex& parent, const Node*& dragged) const;
    [[nodiscard]] QString deltaText(const Node& node, int column) const;
    [[nodiscard]] static Node* nodeOf(const QModelIndex& index);
    [[nodiscard]] std::vector<std::unique_ptr<Node>>& childrenOf(Node* parent);
    [[nodiscard]] QModelIndex indexOf(const Node* node, int column) const;
    void remove(Node* node);
    void forget(Node* node);
    void insertAt(Node* parent, int row, const RunRow& run);
    void update(Node& node, const RunRow& run, bool everything = false);

    std::vector<std::unique_ptr<Node>> m_roots;
    std::map<std::string, Node*> m_byId;
    std::vector<std::string> m_order;  ///< ids, newest first
    std::map<std::string, QString> m_problems;
    std::set<std::string> m_unread;
    std::string m_baseline;
};

}  // namespace mofo
