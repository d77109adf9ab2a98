// What this process holds of the machine's memory, and what there is of it.
#pragma once

#include <cstdint>

namespace mofo {

/// Resident set, in bytes (/proc/self/statm, proc(5)).
[[nodiscard]] std::uint64_t residentBytes();
/// The largest it ever was (VmHWM of /proc/self/status), or since resetPeakResident().
[[nodiscard]] std::uint64_t peakResidentBytes();
/// Begins anew with what is resident now; false where the system does not let it (/proc/self/clear_refs).
bool resetPeakResident();
/// The host's memory (/proc/meminfo, proc(5)); 0 where the system does not say.
struct MachineMemory {
    std::uint64_t totalBytes = 0;
    std::uint64_t availableBytes = 0;  ///< what a process may still take without anything being swapped out: MemAvailable
};
[[nodiscard]] MachineMemory machineMemory();
/// Gives memory that was freed back to the system.
void releaseFreedMemory();

}  // namespace mofo
