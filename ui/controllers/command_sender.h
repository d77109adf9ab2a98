// Writes commands for the window, on a thread of its own: a locked workbench.db never blocks the event loop. Everything goes
// through core/client.
#pragma once

#include <QObject>
#include <QString>
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
    /// Writes ONE command row for the run; answers with sent() or failed(), naming the ticket.
    void send(const QString& runId, const QString& kind, const mofo::Json& payload, quint64 ticket);
    /// Continues a stopped, failed or lost run; answers with resumed() or failed().
    void resumeEndedRun(const QString& runId, quint64 ticket);

Q_SIGNALS:
    void sent(quint64 ticket, const QString& uuid);
    void resumed(quint64 ticket);
    void failed(quint64 ticket, const QString& sentence);

private:
    [[nodiscard]] Result<void> open();

    const std::filesystem::path m_folder;
    std::optional<Workspace> m_workspace;
    std::optional<Registry> m_registry;
};

}  // namespace mofo
