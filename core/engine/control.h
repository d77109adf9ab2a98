// Commands of clients, as a training run obeys them at step boundaries.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"

namespace mofo {

/// Reads the run's command rows and hands out, in order, those that are due. Each is handed out once; the caller acknowledges it. A registry that
/// somebody keeps locked holds nobody up: it is asked again a second later. One thread.
class CommandInbox {
public:
    /// `acknowledged`: what earlier engines of this run answered already.
    CommandInbox(Registry& registry, std::string runId, const std::vector<AcknowledgementRow>& acknowledged);
    /// The next command that update `nextStep` is to be the first to use: an undo that waited for this engine's start, since everything else
    /// that waits is for what comes after it; else a guard's change, which was decided before any other was read; else the first to arrive. One that
    /// `may` does not let pass keeps those behind it waiting too. Cheap where nothing changed in the store.
    Result<std::optional<CommandRow>> next(std::int64_t nextStep, const std::function<bool(const CommandRow&)>& may);
    /// Changes that were acknowledged for steps after `step`: a resumed run applies them again at those steps.
    Result<std::vector<std::pair<std::int64_t, CommandRow>>> replayAfter(std::int64_t step,
                                                                         const std::vector<AcknowledgementRow>& acknowledged) const;

    /// Changes (`set`) that wait for their steps, as last looked at.
    [[nodiscard]] std::vector<CommandRow> pendingChanges() const;
    /// The command was answered by an earlier engine after all; false where that was known.
    bool markHandled(const std::string& uuid) { return m_handled.insert(uuid).second; }
    /// How long the commands could not be read, in ns; 0 where they could when they were last asked for.
    [[nodiscard]] std::int64_t unreadableNs() const;

private:
    Result<void> readAgain();

    Registry& m_registry;
    std::string m_runId;
    std::set<std::string, std::less<>> m_handled;
    std::int64_t m_seenVersion = -1;
    std::optional<std::int64_t> m_lastSeqAtStart;             ///< of the commands that were there already
    std::vector<CommandRow> m_waiting;                        ///< not handed out yet
    std::int64_t m_lookAgainNs = 0, m_unreadableSinceNs = 0;  ///< bootNs
};

}  // namespace mofo
