// A failed device: after an error of CUDA its context is dead for good, and so is the process (reliability.md, 0.6).
#pragma once

#include <filesystem>
#include <string_view>

namespace mofo {

/// The exit code that the supervisor restarts after.
inline constexpr int deviceFaultExitCode = 70;

/// From now on a device fault ends this process; `file` (runs/<id>/device-fault.json) records it. Called once, by the program's main function.
void endAtDeviceFaults(const std::filesystem::path& file);

/// Writes the record {"pid","text","wall_ns"} and ends with exit code 70: no destructor runs, nothing is saved, the device is not called again.
/// Returns only where endAtDeviceFaults was not called (tests, benchmarks within another program).
void onDeviceFault(std::string_view text);

/// Throws what LibTorch throws for a dead context, where the failpoint device.fault says so.
void throwPlannedDeviceFault();

/// Whether an error text of LibTorch tells of a failed device: CUDA, cuBLAS and cuDNN name themselves.
[[nodiscard]] bool tellsOfDeviceFault(std::string_view text);

}  // namespace mofo
