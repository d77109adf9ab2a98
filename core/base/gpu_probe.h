// What can be said about this machine's NVIDIA GPUs before anything of CUDA is downloaded or loaded: a GPU that cannot be used is said,
// never skipped silently. Depends on the standard library and core/base/text alone, so that installer/bootstrap can compile it by itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mofo {

/// The oldest driver of CUDA 13.0, and the oldest compute capability that our kernels are built for.
inline constexpr std::string_view kGpuMinDriver = "580.65";
inline constexpr int kGpuMinCudaVersion = 13000;
inline constexpr int kGpuMinCapabilityMajor = 8;

struct GpuProbeOptions {
    /// Folder that stands for "/" where sys/module, sys/bus/pci, proc/driver/nvidia and dev/nvidia* are looked up. $MOFO_GPU_ROOT.
    std::filesystem::path root = "/";
    /// The driver's library as dlopen takes it. $MOFO_LIBCUDA.
    std::string libcuda = "libcuda.so.1";
    /// How long the driver may take to answer; a card that sleeps needs some seconds. $MOFO_GPU_TIMEOUT_MS.
    std::chrono::milliseconds timeout{30000};

    /// The defaults, with what the three environment variables replace; tests of every program use them.
    static GpuProbeOptions fromEnvironment();
};

struct GpuDevice {
    int index = 0;  ///< N of cuda:N
    std::string name;
    int major = 0;  ///< compute capability
    int minor = 0;
    std::uint64_t memoryBytes = 0;
    bool usable = false;

    /// "8.6"
    [[nodiscard]] std::string capability() const { return std::to_string(major) + '.' + std::to_string(minor); }
};

struct GpuFinding {
    enum class State {
        Usable,    ///< at least one device can be used
        NoGpu,     ///< no sign of an NVIDIA GPU: nothing to warn about
        NoDriver,  ///< a card, but no driver is loaded
        Nouveau,   ///< a card driven by the kernel's own driver, which has no CUDA
        DriverTooOld,
        CardTooOld,       ///< every card is below the capability
        NoLibrary,        ///< the driver is loaded, its libcuda.so.1 is not installed
        NoDeviceNodes,    ///< the driver is loaded, /dev/nvidia* is missing: a container without access
        NoPermission,     ///< /dev/nvidia* is there, but not for this user
        VersionMismatch,  ///< the loaded driver and its library differ: an update without a restart
        Hidden,           ///< CUDA_VISIBLE_DEVICES leaves no device
        DriverFailed,     ///< the driver answered with another error, crashed or hung
    };

    State state = State::NoGpu;
    std::string driverVersion;   ///< of the loaded kernel module ("580.65.06"), or empty
    std::string libraryVersion;  ///< of libcuda, from its file's name, or empty
    int cudaVersion = 0;         ///< what cuDriverGetVersion says (13000 for 13.0), or 0
    std::vector<GpuDevice> devices;
    std::string cpuName;  ///< "AMD EPYC (2 cores)"
    std::string problem;  ///< what was found and what is needed; empty where usable
    std::string remedy;   ///< how to get it

    [[nodiscard]] bool usable() const { return state == State::Usable; }
    /// Whether device=auto has to warn: there is a GPU, but (some of) it cannot be used.
    [[nodiscard]] bool worthWarning() const;
    /// One sentence for people: what was found, what is needed, how to get it, and which device is used then.
    [[nodiscard]] std::string sentence() const;
};

/// "usable", "no_gpu", "driver_too_old" ... for JSON and scripts.
[[nodiscard]] std::string_view gpuStateName(GpuFinding::State state);

/// Looks. The driver's library is loaded in a short-lived child process, so that a driver that crashes, hangs or spawns threads stays out
/// of this one. Forks: best called before threads are started. Takes some milliseconds where there is no driver, else what the driver takes.
[[nodiscard]] GpuFinding probeGpu(const GpuProbeOptions& options = GpuProbeOptions::fromEnvironment());

/// The device that `requested` (auto, cpu, cuda, cuda:N) stands for: "cpu" or "cuda:N". `auto` takes the first usable GPU, else the CPU;
/// cuda and cuda:N fail with DeviceUnusable (exit code 3) where that GPU cannot be used, anything else with Usage.
Result<std::string> chooseDevice(std::string_view requested, const GpuFinding& finding);

}  // namespace mofo
