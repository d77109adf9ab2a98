// What a run runs with and what has been asked of it, derived from the store alone: config, commands, acknowledgements. Nothing
// is taken as applied before its acknowledgement was read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config/run_config.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"

namespace mofo {

/// Config keys and their canonical texts.
using KeyValues = std::map<std::string, std::string>;

/// A command that the engine has not answered yet.
struct PendingCommand {
    std::string uuid;
    std::string kind;  ///< set, pause, resume, stop ...
    KeyValues values;  ///< of a set
    std::string who;
    std::optional<std::int64_t> atStep;
    std::int64_t createdNs = 0;
};

struct RefusedCommand {
    std::string uuid;
    std::string kind;
    KeyValues values;
    std::string reason;
};

struct AppliedChange {
    std::int64_t step = 0;  ///< the first update that uses it
    std::string uuid;
    std::string who;
    KeyValues values;
    KeyValues before;        ///< of the same keys
    double waitSeconds = 0;  ///< from the command to its answer
};

struct LiveTuning {
    RunConfig applied;                           ///< the config with every acknowledged change
    std::map<std::string, AppliedChange> since;  ///< by key: the change that gave it its present value
    std::vector<PendingCommand> pending;         ///< in order of arrival
    std::vector<RefusedCommand> refused;         ///< in order of arrival
    std::size_t appliedCount = 0;                ///< acknowledged set commands
    std::vector<AppliedChange> changes;          ///< acknowledged set commands, by the step of effect
    std::set<std::int64_t> appliedSteps;         ///< of the acknowledged set commands
    std::set<std::string> known;                 ///< uuids of every command read, answered or not

    [[nodiscard]] const PendingCommand* pendingFor(const std::string& key) const;
    [[nodiscard]] bool isPending(std::string_view kind) const;
};

/// `base` is the run's config when it was first read; changes acknowledged since are laid over it.
[[nodiscard]] LiveTuning deriveTuning(const RunConfig& base, const std::vector<CommandRow>& commands,
                                      const std::vector<AcknowledgementRow>& acknowledgements);

/// Where the workspace keeps what a window staged for a run and did not send.
[[nodiscard]] std::string stagedDraftKey(std::string_view runId);

/// The keys of a set command as canonical texts; values the config refuses are kept as they were written.
[[nodiscard]] KeyValues valuesOf(const CommandRow& command);

}  // namespace mofo
