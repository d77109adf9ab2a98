// Clocks: the wall clock informs people; durations come from CLOCK_BOOTTIME, which neither jumps nor stops in suspend.
#pragma once

#include <cstdint>
#include <string>

namespace mofo {

/// Nanoseconds since 1970, wall clock. Never used for ordering or durations.
[[nodiscard]] std::int64_t wallNs();
/// Nanoseconds since boot, suspended time included.
[[nodiscard]] std::int64_t bootNs();
/// This boot's id (/proc/sys/kernel/random/boot_id), or empty.
[[nodiscard]] std::string bootId();
/// "2026-01-31 14:05:09" in local time.
[[nodiscard]] std::string formatLocalTime(std::int64_t wallNs);

/// Measures elapsed time from its construction.
class Stopwatch {
public:
    Stopwatch() : m_startNs(bootNs()) {}
    [[nodiscard]] double elapsedMs() const { return static_cast<double>(bootNs() - m_startNs) * 1e-6; }
    void restart() { m_startNs = bootNs(); }

private:
    std::int64_t m_startNs;
};

}  // namespace mofo
