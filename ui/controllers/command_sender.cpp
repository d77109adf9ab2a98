#include "ui/controllers/command_sender.h"

#include <utility>

#include "core/client/branch.h"
#include "core/client/commands.h"
#include "ui/models/display_text.h"
#include "ui/models/live_tuning.h"

namespace mofo {

CommandSender::CommandSender(std::filesystem::path workspace) : m_folder(std::move(workspace)) {}

Result<void> CommandSender::open() {
    if (m_registry) return {};
    MOFO_TRY(m_workspace, Workspace::open(m_folder));
    MOFO_TRY(m_registry, Registry::open(*m_workspace, Registry::Access::ReadWrite));
    return {};
}

void CommandSender::send(const QString& runId, const QString& kind, const Json& payload, quint64 ticket, qint64 atStep) {
    const auto write = [&]() -> Result<std::string> {
        MOFO_CHECK(open());
        MOFO_TRY(const RunRow run, m_registry->findRun(runId.toStdString()));
        const std::optional<std::int64_t> step = atStep > 0 ? std::optional<std::int64_t>(atStep) : std::nullopt;
        return sendCommand(*m_registry, run, kind.toStdString(), payload, step, "window");
    };
    const Result<std::string> uuid = write();
    if (uuid.ok())
        Q_EMIT sent(ticket, QString::fromStdString(*uuid));
    else
        Q_EMIT failed(ticket, ui::shown(uuid.error().text()));
}

void CommandSender::withdraw(const QString& runId, const QStringList& uuids, quint64 ticket) {
    const auto write = [&]() -> Result<void> {
        MOFO_CHECK(open());
        MOFO_TRY(const std::vector<CommandRow> pending, pendingCommands(*m_workspace, *m_registry, runId.toStdString()));
        for (const CommandRow& command : pending) {
            if (uuids.contains(QString::fromStdString(command.uuid))) MOFO_CHECK(m_registry->withdrawCommand(command.uuid));
        }
        return {};
    };
    const Result<void> written = write();
    if (written.ok())
        Q_EMIT done(ticket);
    else
        Q_EMIT failed(ticket, ui::shown(written.error().text()));
}

void CommandSender::rewind(const QString& runId, qint64 step, quint64 ticket) {
    const auto write = [&]() -> Result<PendingUndo> {
        MOFO_CHECK(open());
        MOFO_TRY(const RunRow run, m_registry->findRun(runId.toStdString()));
        return undoRun(*m_workspace, *m_registry, run, step, "window");
    };
    const Result<PendingUndo> undo = write();
    if (undo.ok())
        Q_EMIT sent(ticket, QString::fromStdString(undo->uuid));
    else
        Q_EMIT failed(ticket, ui::shown(undo.error().text()));
}

void CommandSender::branch(const QString& runId, qint64 step, const QString& name, const QStringList& assignments, quint64 ticket) {
    const auto write = [&]() -> Result<BranchedRun> {
        MOFO_CHECK(open());
        MOFO_TRY(const RunRow run, m_registry->findRun(runId.toStdString()));
        BranchOptions options;
        for (const QString& assignment : assignments) options.assignments.push_back(assignment.toStdString());
        options.name = name.toStdString();
        options.who = "window";
        return branchRun(*m_workspace, *m_registry, run, step, options);
    };
    const Result<BranchedRun> child = write();
    if (!child.ok()) {
        Q_EMIT failed(ticket, ui::shown(child.error().text()));
        return;
    }
    QStringList warnings;
    for (const std::string& warning : child->warnings) warnings << ui::shown(warning);
    Q_EMIT branched(ticket, QString::fromStdString(child->run.id), warnings.join(QLatin1Char(' ')));
}

void CommandSender::resumeAsChild(const QString& runId, const QStringList& assignments, quint64 ticket) {
    const auto write = [&]() -> Result<BranchedRun> {
        MOFO_CHECK(open());
        MOFO_TRY(const RunRow run, m_registry->findRun(runId.toStdString()));
        BranchOptions options;
        for (const QString& assignment : assignments) options.assignments.push_back(assignment.toStdString());
        options.who = "window";
        return resumeAsBranch(*m_workspace, *m_registry, run, options);
    };
    const Result<BranchedRun> child = write();
    if (!child.ok()) {
        Q_EMIT failed(ticket, ui::shown(child.error().text()));
        return;
    }
    QStringList warnings;
    for (const std::string& warning : child->warnings) warnings << ui::shown(warning);
    Q_EMIT branched(ticket, QString::fromStdString(child->run.id), warnings.join(QLatin1Char(' ')));
}

void CommandSender::keepDraft(const QString& runId, const Json& values) {
    if (!open().ok()) return;
    static_cast<void>(m_registry->setSetting(stagedDraftKey(runId.toStdString()), values.empty() ? "" : values.dump()));
}

void CommandSender::resumeEndedRun(const QString& runId, quint64 ticket) {
    const auto write = [&]() -> Result<void> {
        MOFO_CHECK(open());
        MOFO_TRY(const RunRow run, m_registry->findRun(runId.toStdString()));
        return resumeRun(*m_workspace, *m_registry, run, true);
    };
    const Result<void> done = write();
    if (done.ok())
        Q_EMIT resumed(ticket);
    else
        Q_EMIT failed(ticket, ui::shown(done.error().text()));
}

}  // namespace mofo
