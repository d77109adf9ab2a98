// What this process holds of the machine's memory.
#pragma once

#include <cstdint>

namespace mofo {

/// Resident set, in bytes (/proc/self/statm, proc(5)).
[[nodiscard]] std::uint64_t residentBytes();
/// The largest it ever was (VmHWM of /proc/self/status), or since resetPeakResident().
[[nodiscard]] std::uint64_t peakResidentBytes();
/// Begins anew with what is resident now; false where the system does not let it (/proc/self/clear_refs).
bool resetPeakResident();
/// What a process may still take without anything being swapped out: MemAvailable of /proc/meminfo. 0 where the system does not say.
[[nodiscard]] std::uint64_t availableBytes();
/// Gives memory that was freed back to the system.
void releaseFreedMemory();

}  // namespace mofo
