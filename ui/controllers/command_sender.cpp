#include "ui/controllers/command_sender.h"

#include <utility>

#include "core/client/commands.h"
#include "ui/models/display_text.h"

namespace mofo {

CommandSender::CommandSender(std::filesystem::path workspace) : m_folder(std::move(workspace)) {}

Result<void> CommandSender::open() {
    if (m_registry) return {};
    MOFO_TRY(m_workspace, Workspace::open(m_folder));
    MOFO_TRY(m_registry, Registry::open(*m_workspace, Registry::Access::ReadWrite));
    return {};
}

void CommandSender::send(const QString& runId, const QString& kind, const Json& payload, quint64 ticket) {
    const auto write = [&]() -> Result<std::string> {
        MOFO_CHECK(open());
        MOFO_TRY(const RunRow run, m_registry->findRun(runId.toStdString()));
        return sendCommand(*m_registry, run, kind.toStdString(), payload, std::nullopt, "window");
    };
    const Result<std::string> uuid = write();
    if (uuid.ok()) Q_EMIT sent(ticket, QString::fromStdString(*uuid));
    else Q_EMIT failed(ticket, ui::shown(uuid.error().text()));
}

void CommandSender::resumeEndedRun(const QString& runId, quint64 ticket) {
    const auto write = [&]() -> Result<void> {
        MOFO_CHECK(open());
        MOFO_TRY(const RunRow run, m_registry->findRun(runId.toStdString()));
        return resumeRun(*m_workspace, *m_registry, run, true);
    };
    const Result<void> done = write();
    if (done.ok()) Q_EMIT resumed(ticket);
    else Q_EMIT failed(ticket, ui::shown(done.error().text()));
}

}  // namespace mofo
