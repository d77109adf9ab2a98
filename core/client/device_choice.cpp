#include "core/client/device_choice.h"

#include "core/base/gpu_probe.h"
#include "core/base/paths.h"

namespace mofo {

namespace fs = std::filesystem;

std::optional<fs::path> cudaPlugin() {
    const fs::path programs = programFolder();
    std::error_code ec;
    for (const fs::path& candidate : {programs / "libmofo_cuda.so", programs.parent_path() / "lib" / "libmofo_cuda.so"}) {
        if (fs::exists(candidate, ec)) return candidate;
    }
    return std::nullopt;
}

Result<ResolvedDevice> resolveDevice(std::string_view wanted) {
    if (wanted == "cpu") return ResolvedDevice{"cpu", ""};
    const GpuFinding finding = probeGpu();
    MOFO_TRY(std::string chosen, chooseDevice(wanted, finding));
    if (chosen == "cpu") return ResolvedDevice{"cpu", finding.worthWarning() ? finding.sentence() : std::string()};
    if (!cudaPlugin()) {
        const std::string name = finding.devices.empty() ? std::string("A GPU") : finding.devices.front().name;
        const std::string problem = name + " could be used, but this build has no CUDA part (libmofo_cuda.so)";
        const std::string remedy = "Run installer/bootstrap build on this machine, without --no-cuda";
        if (wanted == "auto") return ResolvedDevice{"cpu", problem + ", so the CPU is used. " + remedy + '.'};
        return Error{ErrorCode::DeviceUnusable, problem, "device=" + std::string(wanted), remedy + ", or use --set device=cpu", ""};
    }
    for (char& c : chosen) {
        if (c == ':') c = '-';
    }
    return ResolvedDevice{chosen, finding.worthWarning() ? finding.sentence() : std::string()};
}

std::string deviceText(std::string_view device) {
    std::string text(device);
    for (char& c : text) {
        if (c == '-') c = ':';
    }
    return text;
}

}  // namespace mofo
