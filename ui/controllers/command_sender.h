// Writes commands for the window, on a thread of its own: a locked workbench.db never blocks the event loop. Everything goes
// through core/client.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <filesystem>
#include <optional>

#include "core/base/json.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

Q_DECLARE_METATYPE(mofo::Json)

namespace mofo {

class CommandSender : public QObject {
    Q_OBJECT
public:
    explicit CommandSender(std::filesystem::path workspace);

public Q_SLOTS:
    /// Writes ONE command row for the run, for step `atStep` or (0) the next; answers with sent() or failed(), naming the ticket.
    void send(const QString& runId, const QString& kind, const mofo::Json& payload, quint64 ticket, qint64 atStep);
    /// Takes commands back that no engine has answered; answers with done() or failed().
    void withdraw(const QString& runId, const QStringList& uuids, quint64 ticket);
    /// Sends the run back to its checkpoint of `step`; answers with sent() or failed().
    void rewind(const QString& runId, qint64 step, quint64 ticket);
    /// A child run from the checkpoint of `step`; answers with branched() or failed().
    void branch(const QString& runId, qint64 step, const QString& name, const QStringList& assignments, quint64 ticket);
    /// Goes on from an ended run's newest checkpoint as a child with other values (a smaller micro-batch); answers as branch() does.
    void resumeAsChild(const QString& runId, const QStringList& assignments, quint64 ticket);
    /// Keeps what is staged for a run in the workspace; an empty object forgets it. No answer: it is tried again with the next change.
    void keepDraft(const QString& runId, const mofo::Json& values);
    /// Continues a stopped, failed or lost run; answers with resumed() or failed().
    void resumeEndedRun(const QString& runId, quint64 ticket);

Q_SIGNALS:
    void sent(quint64 ticket, const QString& uuid);
    void resumed(quint64 ticket);
    void done(quint64 ticket);
    void branched(quint64 ticket, const QString& runId, const QString& warnings);
    void failed(quint64 ticket, const QString& sentence);

private:
    [[nodiscard]] Result<void> open();

    const std::filesystem::path m_folder;
    std::optional<Workspace> m_workspace;
    std::optional<Registry> m_registry;
};

}  // namespace mofo
