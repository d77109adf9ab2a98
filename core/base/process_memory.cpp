#include "core/base/process_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace mofo {

std::uint64_t residentBytes() {
    std::uint64_t pages = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t peakResidentBytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::uint64_t kibibytes = 0;
        if (word == "VmHWM:" && status >> kibibytes) return kibibytes << 10;
    }
    return residentBytes();
}

MachineMemory machineMemory() {
    MachineMemory memory;
    std::ifstream file("/proc/meminfo");
    std::string name, unit;
    for (std::uint64_t kibibytes = 0; file >> name >> kibibytes && std::getline(file, unit);) {
        if (name == "MemTotal:") memory.totalBytes = kibibytes << 10;
        if (name == "MemAvailable:") memory.availableBytes = kibibytes << 10;
    }
    return memory;
}

void releaseFreedMemory() { malloc_trim(0); }

bool resetPeakResident() {
    std::ofstream file("/proc/self/clear_refs");
    return static_cast<bool>(file << "5" << std::flush);
}

}  // namespace mofo
