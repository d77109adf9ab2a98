#include "ui/models/live_tuning.h"

#include <algorithm>
#include <unordered_map>

namespace mofo {

const PendingCommand* LiveTuning::pendingFor(const std::string& key) const {
    for (auto it = pending.rbegin(); it != pending.rend(); ++it) {
        if (it->values.contains(key)) return &*it;
    }
    return nullptr;
}

bool LiveTuning::isPending(std::string_view kind) const {
    return std::any_of(pending.begin(), pending.end(), [&](const PendingCommand& command) { return command.kind == kind; });
}

std::string stagedDraftKey(std::string_view runId) { return "staged." + std::string(runId); }

KeyValues valuesOf(const CommandRow& command) {
    KeyValues values;
    if (command.kind != "set" || !command.payload.is_object()) return values;
    for (const auto& [key, value] : command.payload.items()) {
        const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
        RunConfig scratch;
        values[key] = setConfigValue(scratch, key, text).ok() ? configValue(scratch, key) : text;
    }
    return values;
}

LiveTuning deriveTuning(const RunConfig& base, const std::vector<CommandRow>& commands, const std::vector<AcknowledgementRow>& acknowledgements) {
    LiveTuning tuning;
    tuning.applied = base;
    std::unordered_map<std::string, const AcknowledgementRow*> answers;
    for (const AcknowledgementRow& row : acknowledgements) answers[row.uuid] = &row;
    for (const CommandRow& command : commands) {
        tuning.known.insert(command.uuid);
        const auto answer = answers.find(command.uuid);
        if (answer == answers.end()) {
            // A withdrawal counts only where the engine was not faster: its acknowledgement wins.
            if (command.withdrawn) continue;
            tuning.pending.push_back({command.uuid, command.kind, valuesOf(command), command.who, command.atStep, command.createdNs});
            continue;
        }
        if (!answer->second->accepted) {
            tuning.refused.push_back({command.uuid, command.kind, valuesOf(command), answer->second->reason});
            continue;
        }
        if (command.kind != "set") continue;
        // An undo took it back: it was, and is no more.
        if (answer->second->superseded) continue;
        AppliedChange change{answer->second->appliedStep, command.uuid, command.who, valuesOf(command), {}, 0};
        change.waitSeconds = std::max(0.0, static_cast<double>(answer->second->wallNs - command.createdNs) * 1e-9);
        for (const auto& [key, value] : change.values) change.before[key] = configValue(tuning.applied, key);
        tuning.changes.push_back(change);
        ++tuning.appliedCount;
        tuning.appliedSteps.insert(change.step);
        for (const auto& [key, value] : change.values) {
            // A command for a later step can have been sent before one that was applied first.
            const auto earlier = tuning.since.find(key);
            if (earlier != tuning.since.end() && earlier->second.step > change.step) continue;
            if (!setConfigValue(tuning.applied, key, value).ok()) continue;
            tuning.since[key] = change;
        }
    }
    std::stable_sort(tuning.changes.begin(), tuning.changes.end(), [](const AppliedChange& a, const AppliedChange& b) { return a.step < b.step; });
    return tuning;
}

}  // namespace mofo
