// Commands of clients, as a training run obeys them at step boundaries.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"

namespace mofo {

/// Reads the run's command rows and hands out, in order, those that are due. Each is handed out once; the caller acknowledges it. One thread.
class CommandInbox {
public:
    /// `acknowledged`: what earlier engines of this run answered already.
    CommandInbox(const Registry& registry, std::string runId, const std::vector<AcknowledgementRow>& acknowledged);
    /// Commands that update `nextStep` is to be the first to use. Cheap where nothing changed in the store.
    Result<std::vector<CommandRow>> due(std::int64_t nextStep);
    /// Changes that were acknowledged for steps after `step`: a resumed run applies them again at those steps.
    Result<std::vector<std::pair<std::int64_t, CommandRow>>> replayAfter(std::int64_t step,
                                                                         const std::vector<AcknowledgementRow>& acknowledged) const;

    /// Changes (`set`) that wait for their steps, as last looked at.
    [[nodiscard]] std::vector<CommandRow> pendingChanges() const;
    /// The command was answered by an earlier engine after all; false where that was known.
    bool markHandled(const std::string& uuid) { return m_handled.insert(uuid).second; }
    /// Takes a command back that due() handed out and nobody answered.
    void giveBack(const CommandRow& command);
    /// After an error of due(): the store is left alone for a while, so that a locked one does not hold up every step.
    void lookAgainLater();
    [[nodiscard]] bool isWaiting() const;

private:
    const Registry& m_registry;
    std::string m_runId;
    std::set<std::string, std::less<>> m_handled;
    std::int64_t m_seenVersion = -1;
    std::vector<CommandRow> m_waiting;  ///< for later steps, or not yet looked at
    std::int64_t m_lookAgainNs = 0;
};

}  // namespace mofo
