// Asking NVIDIA's libcuda what it sees, from a child process that may crash or hang. Used by core/base/gpu_probe alone.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/base/gpu_probe.h"

namespace mofo {

struct DriverAnswer {
    bool loaded = false;         ///< libcuda was found and opened
    std::string libraryVersion;  ///< "580.65.06" from the library's file name, or empty
    int initCode = -1;           ///< what cuInit returned; -1 where it never did
    int cudaVersion = 0;         ///< cuDriverGetVersion
    std::vector<GpuDevice> devices;
    std::string failure;  ///< what went wrong after loading, as a predicate: "answers with CUDA_ERROR_UNKNOWN (999)", "crashed (signal 11)"
};

/// Opens `libcuda` in a child process, initialises it and lists its devices; kills the child after `timeout`.
[[nodiscard]] DriverAnswer askDriver(const std::string& libcuda, std::chrono::milliseconds timeout);

}  // namespace mofo
