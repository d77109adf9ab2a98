// Which device a run gets, decided before it is queued.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

struct ResolvedDevice {
    std::string device;   ///< cpu, cuda-0: as locks and queues name it
    std::string warning;  ///< why `auto` did not take the GPU that is there; empty where none was expected
};

/// `auto` -> the device this machine can use; `cuda` and `cuda:N` refuse (DeviceUnusable) where that GPU cannot be used. Forks.
Result<ResolvedDevice> resolveDevice(std::string_view wanted);

/// "cuda:0" of "cuda-0", for people and --set device.
[[nodiscard]] std::string deviceText(std::string_view device);

/// libmofo_cuda.so beside the programs or in ../lib, where this build has one.
[[nodiscard]] std::optional<std::filesystem::path> cudaPlugin();

}  // namespace mofo
