#include "core/engine/checkpoint_policy.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/text.h"

namespace mofo {

namespace {

constexpr std::int64_t fewestFull = 2;

}  // namespace

Retention retentionOf(const std::vector<KnownCheckpoint>& all, std::int64_t keep, bool finished) {
    std::set<std::string> whole, weights;
    std::int64_t last = std::max(keep, fewestFull);
    const KnownCheckpoint* best = nullptr;
    const KnownCheckpoint* newestSuperseded = nullptr;
    bool first = true;
    for (const KnownCheckpoint& one : all) {
        if (one.superseded) {
            newestSuperseded = &one;
            if (one.kept) whole.insert(one.folder);
            continue;
        }
        if (one.kept || first) whole.insert(one.folder);
        first = false;
        if (one.evalLoss && (best == nullptr || *one.evalLoss < *best->evalLoss)) best = &one;
    }
    // By step, and of one step by its saving: an undo makes later folders of earlier steps.
    std::vector<const KnownCheckpoint*> full;
    for (const KnownCheckpoint& one : all) {
        if (one.full && !one.superseded) full.push_back(&one);
    }
    std::stable_sort(full.begin(), full.end(), [](const auto* a, const auto* b) { return a->step < b->step; });
    for (auto one = full.rbegin(); one != full.rend() && last > 0; ++one, --last) whole.insert((*one)->folder);
    if (best != nullptr) (finished ? weights : whole).insert(best->folder);
    if (newestSuperseded != nullptr) whole.insert(newestSuperseded->folder);

    Retention result;
    for (const KnownCheckpoint& one : all) {
        if (whole.contains(one.folder)) continue;
        if (!weights.contains(one.folder)) {
            result.remove.push_back(one.folder);
        } else if (one.full) {
            result.reduce.push_back(one.folder);
        }
    }
    return result;
}

CheckpointCost checkpointCost(const RunConfig& config, std::int64_t stepsLeft, std::uint64_t sizeBytes, double secondsEach, double secondsPerStep) {
    CheckpointCost cost;
    cost.sizeBytes = sizeBytes;
    cost.secondsEach = secondsEach;
    const double trainingSeconds = secondsPerStep * static_cast<double>(stepsLeft);
    double written = config.checkpointEvery > 0 ? std::ceil(static_cast<double>(stepsLeft) / static_cast<double>(config.checkpointEvery)) : 1;
    if (config.checkpointMinutes > 0) {
        // Whichever comes first; without a timed step as many as the steps allow.
        const double byMinutes = secondsPerStep > 0 ? 1 + trainingSeconds / (config.checkpointMinutes * 60) : static_cast<double>(stepsLeft);
        written = std::max(written, std::min(byMinutes, static_cast<double>(stepsLeft)));
    }
    cost.written = static_cast<std::int64_t>(written);
    // The last `keep`, the first, the best where there is one, and the one being written before any goes.
    const std::int64_t most = std::max(config.keep, fewestFull) + 2 + (config.evalEvery > 0 ? 1 : 0);
    cost.kept = std::min(most, std::max<std::int64_t>(cost.written, 1));
    cost.totalBytes = sizeBytes * static_cast<std::uint64_t>(cost.kept);
    if (secondsPerStep > 0 && trainingSeconds > 0) {
        const double saving = secondsEach * written;
        cost.shareOfTime = saving / (saving + trainingSeconds);
    }
    return cost;
}

std::string timeWarning(const RunConfig& config, const CheckpointCost& cost, double secondsPerStep) {
    // The one at the end is written whatever the cadence is.
    if (!cost.shareOfTime || *cost.shareOfTime <= mostTimeShare || cost.written <= 1) return {};
    const double secondsBetween = cost.secondsEach * (1 - mostTimeShare) / mostTimeShare;
    std::string text = "checkpoints take " + formatShortest(std::round(*cost.shareOfTime * 1000) / 10) + " % of the run's time, " +
                       formatDuration(cost.secondsEach) + " each; ";
    std::string better;
    if (config.checkpointEvery > 0)
        better = "checkpoint_every=" + std::to_string(static_cast<std::int64_t>(std::ceil(secondsBetween / secondsPerStep)));
    if (config.checkpointMinutes > 0) {
        const double minutes = std::ceil(secondsBetween / 60 * 10) / 10;
        if (minutes > config.checkpointMinutes) better += (better.empty() ? "" : " and ") + ("checkpoint_minutes=" + formatShortest(minutes));
    }
    if (better.empty()) return {};
    return text + better + " would take 5 %";
}

std::string diskWarning(const RunConfig& config, const CheckpointCost& cost, std::uint64_t freeBytes) {
    const double most = mostDiskShare * static_cast<double>(freeBytes);
    if (static_cast<double>(cost.totalBytes) <= most) return {};
    const std::string text = "the checkpoints take up to " + formatBytes(cost.totalBytes) + " of " + formatBytes(freeBytes) + " that are free; ";
    for (std::int64_t keep = config.keep - 1; keep >= fewestFull; --keep) {
        RunConfig fewer = config;
        fewer.keep = keep;
        const CheckpointCost less = checkpointCost(fewer, std::max<std::int64_t>(cost.written, 1) * std::max<std::int64_t>(config.checkpointEvery, 1),
                                                   cost.sizeBytes, cost.secondsEach, 0);
        if (static_cast<double>(less.totalBytes) <= most) return text + "keep=" + std::to_string(keep) + " would fit";
    }
    if (cost.written > 1 && static_cast<double>(cost.sizeBytes) <= most)
        return text + "only the one at the end would fit: checkpoint_every=0 and checkpoint_minutes=0";
    return text + "free at least " + formatBytes(static_cast<std::uint64_t>(static_cast<double>(cost.sizeBytes) / mostDiskShare));
}

}  // namespace mofo
