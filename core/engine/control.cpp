#include "core/engine/control.h"

#include "core/base/clock.h"

namespace mofo {

CommandInbox::CommandInbox(const Registry& registry, std::string runId, const std::vector<AcknowledgementRow>& acknowledged)
    : m_registry(registry), m_runId(std::move(runId)) {
    for (const AcknowledgementRow& row : acknowledged) m_handled.insert(row.uuid);
}

Result<std::vector<CommandRow>> CommandInbox::due(std::int64_t nextStep) {
    if (isWaiting()) return std::vector<CommandRow>();
    const std::int64_t version = m_registry.dataVersion();
    if (version != m_seenVersion) {
        // Read anew as a whole: a command that waits for its step may have been withdrawn since.
        MOFO_TRY(m_waiting, m_registry.commands(m_runId));
        m_seenVersion = version;
    }
    std::vector<CommandRow> ready;
    std::vector<CommandRow> later;
    for (CommandRow& command : m_waiting) {
        if (m_handled.contains(command.uuid)) continue;
        if (command.atStep && *command.atStep > nextStep) {
            later.push_back(std::move(command));
            continue;
        }
        m_handled.insert(command.uuid);
        ready.push_back(std::move(command));
    }
    m_waiting = std::move(later);
    return ready;
}

std::vector<CommandRow> CommandInbox::pendingChanges() const {
    std::vector<CommandRow> changes;
    for (const CommandRow& command : m_waiting) {
        if (command.kind == "set" && command.atStep && !m_handled.contains(command.uuid)) changes.push_back(command);
    }
    return changes;
}

void CommandInbox::giveBack(const CommandRow& command) {
    m_handled.erase(command.uuid);
    m_waiting.push_back(command);
}

void CommandInbox::lookAgainLater() { m_lookAgainNs = bootNs() + 5'000'000'000; }
bool CommandInbox::isWaiting() const { return bootNs() < m_lookAgainNs; }

Result<std::vector<std::pair<std::int64_t, CommandRow>>> CommandInbox::replayAfter(std::int64_t step,
                                                                                   const std::vector<AcknowledgementRow>& acknowledged) const {
    MOFO_TRY(const std::vector<CommandRow> all, m_registry.commands(m_runId));
    std::vector<std::pair<std::int64_t, CommandRow>> replay;
    for (const CommandRow& command : all) {
        if (command.kind != "set") continue;
        for (const AcknowledgementRow& row : acknowledged) {
            if (row.uuid == command.uuid && row.accepted && !row.superseded && row.appliedStep > step) replay.emplace_back(row.appliedStep, command);
        }
    }
    return replay;
}

}  // namespace mofo
