// How far a download is, for whoever watches it. Private to core/hub.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "core/hub/hub.h"

namespace mofo {

/// Tells the caller how far all files are, at most every 50 ms, and remembers that it was cancelled.
class Reporter {
public:
    Reporter(const HubWatch& watch, std::uint64_t totalBytes) : m_watch(watch) { m_progress.totalBytes = totalBytes; }

    void begin(HubProgress::Phase phase, const std::string& file, std::uint64_t doneBefore);
    /// Of all files, where it was not known before.
    void setTotal(std::uint64_t totalBytes) { m_progress.totalBytes = totalBytes; }
    /// Of the file at hand. Bytes that were there already are no speed.
    [[nodiscard]] bool at(std::uint64_t fileBytes, bool checking);
    [[nodiscard]] bool tell();

private:
    void measure(std::int64_t now);

    const HubWatch& m_watch;
    HubProgress m_progress;
    HubProgress::Phase m_phase = HubProgress::Phase::Ask;
    std::uint64_t m_doneBefore = 0;
    std::int64_t m_toldNs = 0;
    bool m_cancelled = false;
    std::deque<std::pair<std::int64_t, std::uint64_t>> m_samples;  ///< (when, bytes)
};

}  // namespace mofo
