#include <algorithm>
#include <deque>
#include <utility>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/hub/download_file.h"
#include "core/hub/hub.h"
#include "core/hub/hub_cache.h"
#include "core/hub/hub_client.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kTellEveryNs = 50'000'000;
constexpr std::int64_t kSpeedWindowNs = 5'000'000'000;
constexpr std::int64_t kSpeedLeastNs = 300'000'000;

/// Tells the caller how far all files are, at most every 50 ms, and remembers that it was cancelled.
class Reporter {
public:
    Reporter(const HubWatch& watch, std::uint64_t totalBytes) : m_watch(watch) { m_progress.totalBytes = totalBytes; }

    void begin(HubProgress::Phase phase, const std::string& file, std::uint64_t doneBefore) {
        m_phase = m_progress.phase = phase;
        m_progress.file = file;
        m_progress.doneBytes = m_doneBefore = doneBefore;
        m_toldNs = 0;
    }

    /// Of the file at hand. Bytes that were there already are no speed.
    [[nodiscard]] bool at(std::uint64_t fileBytes, bool checking) {
        m_progress.phase = checking ? HubProgress::Phase::Check : m_phase;
        m_progress.doneBytes = m_doneBefore + fileBytes;
        if (checking) m_samples.clear();
        return tell();
    }

    [[nodiscard]] bool tell() {
        const std::int64_t now = bootNs();
        if (m_cancelled || (m_toldNs != 0 && now - m_toldNs < kTellEveryNs)) return !m_cancelled;
        m_toldNs = now;
        measure(now);
        if (m_watch && !m_watch(m_progress)) m_cancelled = true;
        return !m_cancelled;
    }

private:
    void measure(std::int64_t now) {
        while (!m_samples.empty() && (now - m_samples.front().first > kSpeedWindowNs || m_samples.back().second > m_progress.doneBytes))
            m_samples.pop_front();
        m_samples.emplace_back(now, m_progress.doneBytes);
        const std::int64_t elapsed = now - m_samples.front().first;
        m_progress.bytesPerSecond =
            elapsed < kSpeedLeastNs ? 0
                                    : static_cast<double>(m_progress.doneBytes - m_samples.front().second) / (static_cast<double>(elapsed) * 1e-9);
        m_progress.etaSeconds.reset();
        if (m_progress.bytesPerSecond > 0) {
            m_progress.etaSeconds = static_cast<double>(m_progress.totalBytes - m_progress.doneBytes) / m_progress.bytesPerSecond;
        }
    }

    const HubWatch& m_watch;
    HubProgress m_progress;
    HubProgress::Phase m_phase = HubProgress::Phase::Ask;
    std::uint64_t m_doneBefore = 0;
    std::int64_t m_toldNs = 0;
    bool m_cancelled = false;
    std::deque<std::pair<std::int64_t, std::uint64_t>> m_samples;  ///< (when, bytes)
};

}  // namespace

Result<fs::path> fetchHub(const HubSettings& settings, const HubPlan& plan, const HubWatch& watch) {
    if (plan.isComplete()) return plan.path;
    const std::string shown = plan.reference.text();
    const HubCache cache(settings, plan.reference);
    MOFO_CHECK(requireFreeBytes(plan.folder, plan.neededBytes, "downloading " + shown));
    Reporter reporter(watch, plan.totalBytes);
    reporter.begin(HubProgress::Phase::Wait, {}, 0);
    MOFO_TRY(const FileLock lock, waitForDownload(cache.lockFile(plan.commit), [&] { return reporter.tell(); }));
    HubClient client(settings, plan.reference, [&] { return reporter.tell(); });
    std::uint64_t done = 0;
    for (const HubFile& file : plan.files) {
        const auto progress = [&](std::uint64_t bytes, bool checking) { return reporter.at(bytes, checking); };
        HubFile::Place place = cache.placeOf(plan.commit, file);
        if (place == HubFile::Place::UserCache) {
            reporter.begin(HubProgress::Phase::Copy, file.name, done);
            auto copied = copyFile(cache.userFolder(plan.commit) / file.name, file, plan.folder, progress);
            if (!copied.ok() && copied.error().tag != "HASH") return std::move(copied).error().in(shown);
            // A damaged file in the user's cache stays what it is; ours comes from the Hub.
            if (!copied.ok()) place = HubFile::Place::Hub;
        }
        if (place == HubFile::Place::Hub) {
            if (settings.offline)
                return Error{ErrorCode::NotFound, "HF_HUB_OFFLINE is set, and " + file.name + " is missing", shown,
                             "Unset HF_HUB_OFFLINE to download it", "OFFLINE"};
            reporter.begin(HubProgress::Phase::Download, file.name, done);
            auto fetched = downloadFile(client, plan.commit, file, plan.folder, progress);
            if (!fetched.ok()) {
                Error error = std::move(fetched).error();
                return error.code == ErrorCode::Interrupted || error.where.starts_with("hf:") ? std::move(error) : std::move(error).in(shown);
            }
        }
        done += file.sizeBytes;
    }
    return plan.path;
}

}  // namespace mofo
