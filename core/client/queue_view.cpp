#include "core/client/queue_view.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/base/text.h"
#include "core/client/device_choice.h"
#include "core/client/stalled.h"

namespace mofo {

namespace {

bool isOnDevice(const RunRow& run) { return !isEnded(run.state) && run.state != RunState::Queued && run.state != RunState::Draft; }

std::string named(const RunRow& run) { return escapeForDisplay(run.name) + " (" + run.id + ")"; }

bool holdsUp(const QueueEntry& entry) { return entry.position == 0 && (entry.run.state == RunState::Paused || entry.stalledSeconds); }

std::string whatItDoes(const QueueEntry& holder) {
    const std::string device = deviceText(holder.run.device);
    if (holder.stalledSeconds) return "has given no sign for " + formatDuration(*holder.stalledSeconds) + " and keeps " + device;
    if (holder.run.state == RunState::Paused) return "is paused and keeps " + device + "; resume or stop it";
    return "is " + std::string(runStateName(holder.run.state)) + " on " + device;
}

/// Of several on one device the one that does not move says more.
const QueueEntry* holderOf(const std::vector<QueueEntry>& entries, const std::string& device) {
    const QueueEntry* holder = nullptr;
    for (const QueueEntry& entry : entries) {
        if (entry.position != 0 || entry.run.device != device) continue;
        if (holder == nullptr || (holdsUp(entry) && !holdsUp(*holder))) holder = &entry;
    }
    return holder;
}

}  // namespace

std::vector<QueueEntry> queueEntries(const Workspace& workspace, const std::vector<RunRow>& runs) {
    std::vector<QueueEntry> entries;
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
        if (isOnDevice(*run)) entries.push_back({*run, 0, "", stalledSeconds(workspace, *run)});
        if (run->state == RunState::Queued) entries.push_back({*run, 1, "", std::nullopt});
    }
    std::stable_sort(entries.begin(), entries.end(), [](const QueueEntry& a, const QueueEntry& b) {
        return std::tie(a.run.device, a.position, a.run.queuePlace) < std::tie(b.run.device, b.position, b.run.queuePlace);
    });
    std::map<std::string, std::int64_t> counts;
    for (QueueEntry& entry : entries) {
        if (entry.position > 0) entry.position = ++counts[entry.run.device];
    }
    for (QueueEntry& entry : entries) {
        if (entry.position == 0) continue;
        const QueueEntry* const holder = holderOf(entries, entry.run.device);
        const std::int64_t before = entry.position - 1;
        if (before > 0) entry.waitsFor = std::to_string(before) + (before == 1 ? " run is" : " runs are") + " before it";
        if (holder != nullptr) entry.waitsFor += (before > 0 ? "; " : "") + named(holder->run) + ' ' + whatItDoes(*holder);
    }
    return entries;
}

const QueueEntry* findEntry(const std::vector<QueueEntry>& entries, std::string_view runId) {
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const QueueEntry& entry) { return entry.run.id == runId; });
    return found == entries.end() ? nullptr : &*found;
}

std::vector<std::string> heldUpTexts(const std::vector<QueueEntry>& entries) {
    std::vector<std::string> texts;
    for (const QueueEntry& holder : entries) {
        if (!holdsUp(holder)) continue;
        const auto waiting = std::count_if(entries.begin(), entries.end(),
                                           [&](const QueueEntry& entry) { return entry.position > 0 && entry.run.device == holder.run.device; });
        if (waiting == 0) continue;
        const std::string who = waiting == 1 ? "1 run waits" : std::to_string(waiting) + " runs wait";
        const std::string how =
            holder.stalledSeconds ? "mofo show " + holder.run.id + " says more" : "mofo resume " + holder.run.id + " or mofo stop " + holder.run.id;
        texts.push_back(who + ", because " + named(holder.run) + ' ' + whatItDoes(holder) + ": " + how);
    }
    return texts;
}

}  // namespace mofo
