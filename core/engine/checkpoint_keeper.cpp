#include "core/engine/checkpoint_keeper.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>

#include "core/base/failpoint.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/engine/random_state.h"
#include "core/engine/torch_guard.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t trialBytes = 16 << 20;

/// Seconds to write, sync, read back and hash so many bytes, and to do so without any: the two together give the speed of a checkpoint.
Result<double> timeTrial(const fs::path& folder, std::uint64_t bytes) {
    const fs::path path = folder / ".step-trial.tmp";
    struct Removed {
        const fs::path& path;
        ~Removed() { ::unlink(path.c_str()); }
    } const removed{path};
    ::unlink(path.c_str());
    const std::vector<std::byte> piece(1 << 20, std::byte{0x5a});
    const Stopwatch clock;
    MOFO_TRY(FileWriter file, FileWriter::create(path));
    for (std::uint64_t written = 0; written < bytes; written += piece.size()) {
        MOFO_CHECK(file.write(std::span(piece).first(std::min<std::uint64_t>(piece.size(), bytes - written))));
    }
    MOFO_CHECK(file.finish());
    MOFO_CHECK(sha256OfFile(path));
    return clock.elapsedMs() * 1e-3;
}

KnownCheckpoint known(const CheckpointRow& row) {
    KnownCheckpoint one;
    one.step = row.step;
    one.folder = row.folder;
    one.full = row.kind == checkpointFull;
    one.superseded = row.superseded;
    if (!std::isnan(row.evalLoss)) one.evalLoss = row.evalLoss;
    return one;
}

}  // namespace

bool isDamage(const Error& error) {
    return error.code == ErrorCode::InvalidInput || error.code == ErrorCode::NotFound || error.code == ErrorCode::Io ||
           error.code == ErrorCode::Unsupported;
}

CheckpointKeeper::CheckpointKeeper(fs::path folder, std::string runId, const Registry& registry, RunLog& log)
    : m_folder(std::move(folder)), m_runId(std::move(runId)), m_registry(registry), m_log(log) {}

void CheckpointKeeper::store(CheckpointRow row) {
    MetricsBatch batch;
    batch.checkpoints.push_back(std::move(row));
    m_log.queue().add(std::move(batch));
}

Result<void> CheckpointKeeper::reconcile(const std::vector<CheckpointRow>& rows) {
    removeUnfinishedCheckpoints(m_folder);
    m_rows.clear();
    std::vector<std::string> seen;
    for (const CheckpointRow& row : rows) {
        std::error_code ec;
        if (row.removed || row.state != "complete") {
            // A deletion that was interrupted is finished; what is whole again after all (a disk that came back) is adopted below.
            if (row.removed && fs::exists(m_folder / row.folder, ec)) static_cast<void>(removeCheckpoint(m_folder / row.folder));
            continue;
        }
        seen.push_back(row.folder);
        const auto found = openCheckpoint(m_folder / row.folder, false);
        if (found.ok() && found->step == row.step && found->manifestSha256 == row.manifestSha256) {
            m_rows.push_back(row);
            continue;
        }
        markLost(row, found.ok() ? "its manifest is not the one that was written" : found.error().text());
    }
    std::vector<fs::path> folders = checkpointFolders(m_folder);
    std::reverse(folders.begin(), folders.end());
    for (const fs::path& folder : folders) {
        const std::string name = folder.filename().string();
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
        auto found = openCheckpoint(folder, true);
        if (!found.ok()) {
            // Named before, or never more than the remains of a save: nothing that could be gone on from.
            spdlog::warn("{} is no whole checkpoint: {}", name, found.error().text());
            continue;
        }
        CheckpointRow row;
        row.step = found->step;
        row.folder = name;
        row.kind = found->kind;
        row.manifestSha256 = found->manifestSha256;
        row.sizeBytes = found->sizeBytes;
        row.verified = true;
        row.stateDigest = found->stateDigest;
        row.wallNs = wallNs();
        m_rows.push_back(row);
        store(row);
        m_log.event("checkpoint", "engine", "found " + name + ", which the store did not know: whole, and counted again");
    }
    return {};
}

std::vector<CheckpointRow> CheckpointKeeper::candidates() const {
    std::vector<CheckpointRow> list;
    for (auto row = m_rows.rbegin(); row != m_rows.rend(); ++row) {
        if (!row->superseded && row->kind == checkpointFull) list.push_back(*row);
    }
    std::stable_sort(list.begin(), list.end(), [](const CheckpointRow& a, const CheckpointRow& b) { return a.step > b.step; });
    return list;
}

std::optional<CheckpointRow> CheckpointKeeper::find(std::int64_t step) const {
    std::optional<CheckpointRow> result;
    for (const CheckpointRow& row : m_rows) {
        if (row.step == step && !row.superseded && (!result || row.kind == checkpointFull)) result = row;
    }
    return result;
}

void CheckpointKeeper::markLost(const CheckpointRow& row, const std::string& reason) {
    CheckpointRow lost = row;
    lost.state = "lost";
    lost.verified = false;
    lost.reason = reason;
    std::erase_if(m_rows, [&](const CheckpointRow& one) { return one.folder == row.folder; });
    m_log.event("error", "engine", "the checkpoint of step " + std::to_string(row.step) + " (" + row.folder + ") cannot be used any more: " + reason);
    store(std::move(lost));
}

Result<bool> CheckpointKeeper::recheck(const std::string& folder) {
    const auto known = std::find_if(m_rows.begin(), m_rows.end(), [&](const CheckpointRow& one) { return one.folder == folder; });
    if (known == m_rows.end()) return Error{ErrorCode::NotFound, "there is no such checkpoint", escapeForDisplay(folder), "", ""};
    const CheckpointRow row = *known;
    const auto found = openCheckpoint(m_folder / folder, true);
    const bool changed = found.ok() && found->manifestSha256 != row.manifestSha256;
    if (found.ok() && !changed) return false;
    if (!changed && !isDamage(found.error())) return found.error();
    markLost(row, changed ? "its manifest is not the one that was written" : found.error().text());
    return true;
}

void CheckpointKeeper::supersedeAfter(std::int64_t step) {
    for (CheckpointRow& row : m_rows) row.superseded = row.superseded || row.step > step;
}

bool CheckpointKeeper::isDue(const RunConfig& config, std::int64_t step) const {
    if (m_savedStep == step) return false;
    const bool bySteps = config.checkpointEvery > 0 && step % config.checkpointEvery == 0;
    return bySteps || (config.checkpointMinutes > 0 && m_sinceSave.elapsedMs() >= config.checkpointMinutes * 60e3);
}

void CheckpointKeeper::noteEvaluation(std::int64_t step, double loss) {
    m_evaluated = {step, loss};
    for (CheckpointRow& row : m_rows) {
        if (row.step != step || row.superseded) continue;
        row.evalLoss = loss;
        store(row);
    }
}

Result<void> CheckpointKeeper::save(TrainingStep& training, const TrainingState& state, const Json& fingerprints,
                                    const std::function<bool()>& meanwhile) {
    if (state.step == m_savedStep || state.step == 0) return {};
    CheckpointRow row;
    row.step = state.step;
    row.folder = nextCheckpointName(m_folder, state.step);
    row.kind = checkpointFull;
    const Json json = state.toJson(fingerprints);
    const std::vector<NamedBytes> random = randomState(training.device());
    std::vector<StateBytes> bytes;
    for (const NamedBytes& one : random) bytes.push_back({one.name, one.bytes});
    training.statistics().addStateTo(bytes);
    std::uint64_t stateBytes = 0;
    for (const StateBytes& one : bytes) stateBytes += one.bytes.size();
    WritingProgress progress;
    const CheckpointContent content{training.trained().parameters(),
                                    training.weights(),
                                    training.optimizer().firstMoments(),
                                    training.optimizer().secondMoments(),
                                    std::move(bytes),
                                    json,
                                    progress};
    // On a thread of its own: a checkpoint takes many steps' time, and whoever asks something of the run is answered meanwhile.
    auto writing =
        std::async(std::launch::async, [&] { return guardTorch([&] { return writeCheckpoint(m_folder, row.folder, state.step, content); }); });
    const auto wholeBytes = static_cast<double>(checkpointSizeBytes(training.trained().parameters(), stateBytes, false));
    do {
        const double share = static_cast<double>(progress.bytes) / wholeBytes;
        m_log.status("save", std::min(share, 1.0), "checkpoint of step " + std::to_string(state.step));
        if (!progress.givenUp && !meanwhile()) progress.givenUp = true;
    } while (writing.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready);
    auto written = writing.get();
    if (!written.ok() && written.error().code == ErrorCode::Interrupted) return std::move(written).error();
    if (!written.ok()) {
        row.state = "failed";
        row.reason = written.error().text();
        row.wallNs = wallNs();
        store(row);
        m_log.event("error", "engine", "the checkpoint of step " + std::to_string(state.step) + " could not be written: " + row.reason);
        return std::move(written).error();
    }
    static_cast<void>(failpoint("checkpoint.row"));
    row = std::move(*written);
    if (m_evaluated && m_evaluated->first == state.step) row.evalLoss = m_evaluated->second;
    m_savedStep = state.step;
    m_sinceSave.restart();
    m_secondsEach = row.seconds;
    m_log.event("checkpoint", "engine",
                "checkpoint of step " + std::to_string(state.step) + ", " + formatBytes(static_cast<std::uint64_t>(row.sizeBytes)) + " in " +
                    formatDuration(row.seconds) + ", read back and verified");
    m_rows.push_back(row);
    store(std::move(row));
    retain(state.config, false);
    return {};
}

bool CheckpointKeeper::fits(const TrainingStep& training, std::uint64_t stateBytes) const {
    return requireRoomForCheckpoint(m_folder, checkpointSizeBytes(training.trained().parameters(), stateBytes, false), "").ok();
}

void CheckpointKeeper::finish(const RunConfig& config) { retain(config, true); }

void CheckpointKeeper::retain(const RunConfig& config, bool finished) {
    const auto kept = m_registry.keptSteps(m_runId);
    if (!kept.ok()) {
        m_log.event("warning", "engine", "no checkpoint was removed, because the registry cannot say which are pinned: " + kept.error().text());
        return;
    }
    std::vector<KnownCheckpoint> all;
    for (const CheckpointRow& row : m_rows) {
        all.push_back(known(row));
        all.back().kept = row.step == m_protected || std::find(kept->begin(), kept->end(), row.step) != kept->end();
    }
    const Retention retention = retentionOf(all, config.keep, finished);
    const auto rowOf = [&](const std::string& folder) {
        return *std::find_if(m_rows.begin(), m_rows.end(), [&](const CheckpointRow& row) { return row.folder == folder; });
    };
    for (const std::string& folder : retention.reduce) reduce(rowOf(folder));
    for (const std::string& folder : retention.remove) {
        CheckpointRow row = rowOf(folder);
        remove(row, row.superseded ? "superseded" : "keep=" + std::to_string(config.keep));
    }
}

void CheckpointKeeper::remove(CheckpointRow& row, const std::string& why) {
    // The row goes first: what a crash leaves of the folder is then cleared away by the next engine.
    row.removed = true;
    store(row);
    std::erase_if(m_rows, [&](const CheckpointRow& one) { return one.folder == row.folder; });
    if (auto flushed = m_log.queue().flush(); !flushed.ok()) return;
    if (auto removed = removeCheckpoint(m_folder / row.folder); !removed.ok()) {
        m_log.event("warning", "engine", row.folder + " could not be removed: " + removed.error().text());
        return;
    }
    m_log.event("checkpoint", "engine", "removed " + row.folder + " (" + why + ")");
}

void CheckpointKeeper::reduce(const CheckpointRow& row) {
    const auto full = openCheckpoint(m_folder / row.folder, false);
    if (!full.ok()) return markLost(row, full.error().text());
    auto weights = writeWeightsOnly(*full);
    if (!weights.ok()) {
        m_log.event("warning", "engine", "the moments of " + row.folder + " stay: " + weights.error().text());
        return;
    }
    weights->evalLoss = row.evalLoss;
    m_rows.push_back(*weights);
    store(*weights);
    m_log.event("checkpoint", "engine",
                "of the best checkpoint (step " + std::to_string(row.step) + ") the weights alone stay, as " + weights->folder +
                    ": it can be exported and compared, but nothing can go on from it");
    CheckpointRow whole = row;
    remove(whole, "reduced to its weights");
}

Result<void> CheckpointKeeper::forecast(const RunConfig& config, const TrainingStep& training, std::int64_t stepsLeft, std::uint64_t stateBytes) {
    m_sizeBytes = checkpointSizeBytes(training.trained().parameters(), stateBytes, false);
    MOFO_CHECK(makeFolder(m_folder, false));
    MOFO_TRY(const std::uint64_t available, freeBytes(m_folder));
    MOFO_CHECK(requireRoomForCheckpoint(m_folder, m_sizeBytes, "one checkpoint of this run"));
    const std::uint64_t bytes = std::min(trialBytes, m_sizeBytes);
    const auto timed = timeTrial(m_folder, bytes);
    if (!timed.ok()) {
        m_log.event("warning", "engine", "the speed of the disk could not be measured: " + timed.error().text());
        return {};
    }
    m_secondsEach = *timed * static_cast<double>(m_sizeBytes) / static_cast<double>(bytes);
    const CheckpointCost cost = checkpointCost(config, stepsLeft, m_sizeBytes, m_secondsEach, 0);
    const std::string text = "a checkpoint takes " + formatBytes(m_sizeBytes) + " and about " + formatShortest(std::round(m_secondsEach * 10) / 10) +
                             " s at the disk's measured " + formatBytes(static_cast<std::uint64_t>(static_cast<double>(bytes) / *timed)) + "/s; " +
                             formatCount(cost.written) + " will be written, up to " + std::to_string(cost.kept) +
                             " kept at a time: " + formatBytes(cost.totalBytes) + " of " + formatBytes(available) + " free";
    m_log.event("checkpoint", "engine", text);
    m_log.status("load", 1, text);
    MOFO_CHECK(m_log.queue().writeFact("checkpoint_cost", {{"size_bytes", cost.sizeBytes},
                                                           {"seconds_each", m_secondsEach},
                                                           {"written", cost.written},
                                                           {"kept", cost.kept},
                                                           {"total_bytes", cost.totalBytes},
                                                           {"free_bytes", available}}));
    if (const std::string warning = diskWarning(config, cost, available); !warning.empty()) m_log.event("warning", "engine", warning);
    return {};
}

void CheckpointKeeper::reviewCost(const RunConfig& config, std::int64_t stepsLeft) {
    const double secondsPerStep = m_log.secondsPerStep();
    if (m_costReviewed || secondsPerStep <= 0 || m_secondsEach <= 0) return;
    m_costReviewed = true;
    const CheckpointCost cost = checkpointCost(config, stepsLeft, m_sizeBytes, m_secondsEach, secondsPerStep);
    if (const std::string warning = timeWarning(config, cost, secondsPerStep); !warning.empty()) m_log.event("warning", "engine", warning);
}

}  // namespace mofo
