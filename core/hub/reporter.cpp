#include "core/hub/reporter.h"

#include "core/base/clock.h"

namespace mofo {

namespace {

constexpr std::int64_t kTellEveryNs = 50'000'000;
constexpr std::int64_t kSpeedWindowNs = 5'000'000'000;
constexpr std::int64_t kSpeedLeastNs = 300'000'000;

}  // namespace

void Reporter::begin(HubProgress::Phase phase, const std::string& file, std::uint64_t doneBefore) {
    m_phase = m_progress.phase = phase;
    m_progress.file = file;
    m_progress.doneBytes = m_doneBefore = doneBefore;
    m_toldNs = 0;
}

bool Reporter::at(std::uint64_t fileBytes, bool checking) {
    m_progress.phase = checking ? HubProgress::Phase::Check : m_phase;
    m_progress.doneBytes = m_doneBefore + fileBytes;
    if (checking) m_samples.clear();
    return tell();
}

bool Reporter::tell() {
    const std::int64_t now = bootNs();
    if (m_cancelled || (m_toldNs != 0 && now - m_toldNs < kTellEveryNs)) return !m_cancelled;
    m_toldNs = now;
    measure(now);
    if (m_watch && !m_watch(m_progress)) m_cancelled = true;
    return !m_cancelled;
}

void Reporter::measure(std::int64_t now) {
    while (!m_samples.empty() && (now - m_samples.front().first > kSpeedWindowNs || m_samples.back().second > m_progress.doneBytes))
        m_samples.pop_front();
    m_samples.emplace_back(now, m_progress.doneBytes);
    const std::int64_t elapsed = now - m_samples.front().first;
    m_progress.bytesPerSecond =
        elapsed < kSpeedLeastNs ? 0 : static_cast<double>(m_progress.doneBytes - m_samples.front().second) / (static_cast<double>(elapsed) * 1e-9);
    m_progress.etaSeconds.reset();
    if (m_progress.bytesPerSecond > 0 && m_progress.totalBytes >= m_progress.doneBytes) {
        m_progress.etaSeconds = static_cast<double>(m_progress.totalBytes - m_progress.doneBytes) / m_progress.bytesPerSecond;
    }
}

}  // namespace mofo
