// What is done to runs from the list: marks, names, notes, trash, queue, branches. Everything at once, each with a way back.
#pragma once

#include <QObject>
#include <QStringList>
#include <functional>
#include <map>
#include <vector>

#include "core/store/registry.h"

namespace mofo {

class StoreWorker;

/// What the strip below the list shows of one run.
struct RunGlance {
    QString id;
    std::vector<double> loss;   ///< thinned, oldest first; NaN where it was not finite
    std::vector<double> drift;  ///< relative L2 of the whole model, some steps of the run
    int checkpoints = 0;
    qint64 checkpointBytes = 0;
    QString problem;  ///< why its files cannot be read
};

class RunActs : public QObject {
    Q_OBJECT
public:
    explicit RunActs(StoreWorker* worker, QObject* parent = nullptr);

    void setPinned(const RunRow& run, bool pinned);
    /// `before` is the baseline until now, or empty: undoing gives the mark back to it.
    void setBaseline(const RunRow& run, bool baseline, const std::string& before);
    void rename(const RunRow& run, const QString& name);
    void setNote(const RunRow& run, const QString& note);
    void setTags(const RunRow& run, const QStringList& tags);
    /// Live and queued runs are refused with a sentence.
    void trash(const std::vector<RunRow>& runs);
    /// One place forward (-1) or back (+1) in its device's queue.
    void moveInQueue(const RunRow& run, int by);
    void resume(const RunRow& run);
    /// A new run from the newest checkpoint, with the parent's values and one change.
    void branch(const RunRow& run, const QStringList& assignments);

    [[nodiscard]] bool canUndo() const { return !m_undo.empty(); }
    [[nodiscard]] QString undoText() const { return m_undo.empty() ? QString() : m_undo.back().text; }
    void undo();

    /// Reads what the strip shows; glanced() follows, for the newest request only.
    void glance(const QString& id);
    /// Looks once into the files of each run that has ended; foundDamaged() for those that cannot be read.
    void checkFiles(const std::vector<RunRow>& runs);

Q_SIGNALS:
    /// Something was done: a sentence, and whether undo() takes it back.
    void done(const QString& sentence, bool undoable);
    void failed(const QString& sentence);
    /// The store has news of ours.
    void storeChanged();
    void branched(const QString& id);
    void glanced(const mofo::RunGlance& glance);
    void foundDamaged(const QString& id, const QString& why);

private:
    using Write = std::function<Result<void>(Registry&)>;
    struct Undo {
        QString text;
        std::vector<Write> writes;
    };
    /// Writes, and remembers how to take it back.
    void act(const QString& sentence, Write write, Write back);
    void submit(std::vector<Write> writes, std::function<void()> after);

    StoreWorker* m_worker;
    std::vector<Undo> m_undo;
    std::map<std::string, bool> m_checked;
    quint64 m_glance = 0;
};

}  // namespace mofo

Q_DECLARE_METATYPE(mofo::RunGlance)
