// The queue as people look at it: what is on each device, who waits for it, and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

struct QueueEntry {
    RunRow run;
    std::int64_t position = 0;             ///< 1 = the next to start; 0 = it is on the device
    std::string waitsFor;                  ///< why it waits, in words, or empty
    std::optional<double> stalledSeconds;  ///< core/client/stalled.h
};

/// The runs (of Registry::runs) that are on a device or wait for one: by device, those on it first, then in the order of their start.
[[nodiscard]] std::vector<QueueEntry> queueEntries(const Workspace& workspace, const std::vector<RunRow>& runs);

/// The entry of a run, or nothing where it neither waits nor is on a device.
[[nodiscard]] const QueueEntry* findEntry(const std::vector<QueueEntry>& entries, std::string_view runId);

/// For each device that others wait for although its run does not move: who keeps it, and what to do. One sentence each.
[[nodiscard]] std::vector<std::string> heldUpTexts(const std::vector<QueueEntry>& entries);

}  // namespace mofo
