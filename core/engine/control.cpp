#include "core/engine/control.h"

#include <algorithm>

#include "core/base/clock.h"

namespace mofo {

namespace {

constexpr std::int64_t patienceNs = 100'000'000;
constexpr std::int64_t againNs = 1'000'000'000;

}  // namespace

CommandInbox::CommandInbox(Registry& registry, std::string runId, const std::vector<AcknowledgementRow>& acknowledged)
    : m_registry(registry), m_runId(std::move(runId)) {
    for (const AcknowledgementRow& row : acknowledged) m_handled.insert(row.uuid);
}

Result<void> CommandInbox::readAgain() {
    m_registry.setPatience(patienceNs);
    const std::int64_t version = m_registry.dataVersion();
    Result<void> answer;
    if (version < 0 || version != m_seenVersion) {
        // Read anew as a whole: a command that waits for its step may have been withdrawn since.
        if (auto read = m_registry.commands(m_runId); read.ok()) {
            m_waiting = std::move(*read);
            if (!m_lastSeqAtStart) m_lastSeqAtStart = m_waiting.empty() ? 0 : m_waiting.back().seq;
            m_seenVersion = version;
        } else {
            answer = std::move(read).error();
        }
    }
    m_registry.setPatience(std::nullopt);
    return answer;
}

Result<std::optional<CommandRow>> CommandInbox::next(std::int64_t nextStep, const std::function<bool(const CommandRow&)>& may) {
    if (bootNs() < m_lookAgainNs) return std::optional<CommandRow>();
    if (auto read = readAgain(); !read.ok()) {
        m_lookAgainNs = bootNs() + againNs;
        if (m_unreadableSinceNs == 0) m_unreadableSinceNs = bootNs();
        return std::move(read).error();
    }
    m_unreadableSinceNs = 0;
    std::erase_if(m_waiting, [&](const CommandRow& command) { return m_handled.contains(command.uuid); });
    const auto due = [&](const CommandRow& command) { return !command.atStep || *command.atStep <= nextStep; };
    auto chosen = std::find_if(m_waiting.begin(), m_waiting.end(), [&](const CommandRow& command) {
        return command.kind == "undo" && !command.atStep && command.seq <= m_lastSeqAtStart.value_or(0);
    });
    if (chosen == m_waiting.end()) {
        chosen = std::find_if(m_waiting.begin(), m_waiting.end(),
                              [&](const CommandRow& command) { return due(command) && command.kind == "set" && command.who == "guard"; });
    }
    if (chosen == m_waiting.end()) chosen = std::find_if(m_waiting.begin(), m_waiting.end(), due);
    if (chosen == m_waiting.end() || !may(*chosen)) return std::optional<CommandRow>();
    CommandRow command = std::move(*chosen);
    m_waiting.erase(chosen);
    m_handled.insert(command.uuid);
    return std::optional(std::move(command));
}

std::int64_t CommandInbox::unreadableNs() const { return m_unreadableSinceNs == 0 ? 0 : bootNs() - m_unreadableSinceNs; }

std::vector<CommandRow> CommandInbox::pendingChanges() const {
    std::vector<CommandRow> changes;
    for (const CommandRow& command : m_waiting) {
        if (command.kind == "set" && command.atStep && !m_handled.contains(command.uuid)) changes.push_back(command);
    }
    return changes;
}

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
