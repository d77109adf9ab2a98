#include "core/base/gpu_probe.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "core/base/gpu_driver.h"
#include "core/base/text.h"

namespace mofo {

namespace fs = std::filesystem;
using State = GpuFinding::State;

namespace {

// What cuInit and its kin return (cuda.h, CUresult); only those that lead to different advice.
constexpr int kCudaNoDevice = 100;
constexpr int kCudaDriverMismatch = 803;
constexpr int kCudaCompatNotSupported = 804;

constexpr const char* kGetDriver =
    "install the package cuda-drivers from NVIDIA's own repository for Debian 12 (Debian's own driver, 535, is too old) and restart the computer";
constexpr const char* kContainerAccess = "in a container, start it with access to the GPU (NVIDIA Container Toolkit, docker run --gpus all)";

std::string firstLine(const fs::path& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return std::string(trimText(std::string_view(line).substr(0, 256)));
}

/// The value behind "key<blanks>:" in a file of such lines, at most the first 64 KiB of it.
std::string valueOf(const fs::path& path, std::string_view key) {
    std::ifstream in(path);
    std::string line;
    for (int i = 0; i < 1000 && std::getline(in, line); ++i) {
        const std::size_t colon = line.find(':');
        if (colon != std::string::npos && trimText(std::string_view(line).substr(0, colon)) == key) {
            return escapeForDisplay(trimText(std::string_view(line).substr(colon + 1, 256)));
        }
    }
    return {};
}

bool looksLikeVersion(std::string_view text) {
    return text.find('.') != std::string_view::npos && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// -1, 0, 1 by the numbers between the dots; missing ones count as 0.
int compareVersions(std::string_view a, std::string_view b) {
    const auto left = splitText(a, '.');
    const auto right = splitText(b, '.');
    for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
        const long x = i < left.size() ? std::strtol(left[i].c_str(), nullptr, 10) : 0;
        const long y = i < right.size() ? std::strtol(right[i].c_str(), nullptr, 10) : 0;
        if (x != y) return x < y ? -1 : 1;
    }
    return 0;
}

std::string describeCudaVersion(int version) { return std::to_string(version / 1000) + '.' + std::to_string(version % 1000 / 10); }

/// What the file system tells without touching the driver.
struct Traces {
    std::string moduleVersion;
    bool moduleLoaded = false;
    bool nouveauLoaded = false;
    std::vector<std::string> pciCards;    ///< addresses of NVIDIA display controllers
    std::vector<std::string> modelNames;  ///< as the loaded driver names its cards
    std::vector<fs::path> deviceNodes;    ///< /dev/nvidiactl, /dev/nvidia0 ...
    bool controlNode = false;
};

std::vector<fs::path> listFolder(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code ec;
    for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) entries.push_back(it->path());
    std::sort(entries.begin(), entries.end());
    return entries;
}

Traces readTraces(const fs::path& root) {
    Traces traces;
    std::error_code ec;
    traces.moduleVersion = firstLine(root / "sys/module/nvidia/version");
    if (!looksLikeVersion(traces.moduleVersion)) {
        // A sandbox may hide /sys/module: "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 ..."
        traces.moduleVersion.clear();
        std::istringstream words(firstLine(root / "proc/driver/nvidia/version"));
        for (std::string word; traces.moduleVersion.empty() && words >> word;) {
            if (looksLikeVersion(word)) traces.moduleVersion = word;
        }
    }
    traces.moduleLoaded = !traces.moduleVersion.empty() || fs::exists(root / "sys/module/nvidia", ec);
    traces.nouveauLoaded = fs::exists(root / "sys/module/nouveau", ec);
    for (const fs::path& card : listFolder(root / "sys/bus/pci/devices")) {
        // Class 03 is a display controller; the cards of a data centre say 0302.
        if (firstLine(card / "vendor") == "0x10de" && firstLine(card / "class").rfind("0x03", 0) == 0) {
            traces.pciCards.push_back(escapeForDisplay(card.filename().string()));
        }
    }
    for (const fs::path& card : listFolder(root / "proc/driver/nvidia/gpus")) {
        if (std::string name = valueOf(card / "information", "Model"); !name.empty()) traces.modelNames.push_back(std::move(name));
    }
    for (const fs::path& node : listFolder(root / "dev")) {
        const std::string name = node.filename().string();
        if (name == "nvidiactl") traces.controlNode = true;
        const bool card = name.size() > 6 && name.rfind("nvidia", 0) == 0 && name.find_first_not_of("0123456789", 6) == std::string::npos;
        if (card || name == "nvidiactl" || name == "nvidia-uvm") traces.deviceNodes.push_back(node);
    }
    return traces;
}

struct Refusal {
    std::string found;
    std::string remedy;
};

std::string nameOfUser(uid_t id) {
    const passwd* entry = getpwuid(id);
    return escapeForDisplay(entry != nullptr ? entry->pw_name : std::to_string(id));
}

/// The first device node that this user may not open.
std::optional<Refusal> refusedNode(const Traces& traces) {
    for (const fs::path& node : traces.deviceNodes) {
        // Only the control node is opened: opening a card's own node wakes the card. A container's device rules show only when opening.
        int reason = faccessat(AT_FDCWD, node.c_str(), R_OK | W_OK, AT_EACCESS) == 0 ? 0 : errno;
        if (reason == 0 && node.filename() == "nvidiactl") {
            const int fd = ::open(node.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
            reason = fd < 0 ? errno : 0;
            if (fd >= 0) ::close(fd);
        }
        if (reason != EACCES && reason != EPERM) continue;
        struct stat info {};
        if (::stat(node.c_str(), &info) != 0) continue;
        const std::string userName = nameOfUser(geteuid());
        const std::string ownerName = nameOfUser(info.st_uid);
        const group* team = getgrgid(info.st_gid);
        const std::string teamName = escapeForDisplay(team != nullptr ? team->gr_name : std::to_string(info.st_gid));
        char mode[8];
        std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(info.st_mode & 07777));
        Refusal refusal;
        refusal.found = "user " + userName + " may not open " + escapeForDisplay(node.string()) + " (owner " + ownerName + ':' + teamName +
                        ", mode " + mode + ')';
        if (reason == EPERM) {
            refusal.remedy = kContainerAccess;
        } else if ((info.st_mode & 0060) == 0060 && teamName != "root") {
            refusal.remedy = "add the user to the group " + teamName + " and log in again";
        } else {
            refusal.remedy = "let the administrator allow it (the driver's option NVreg_DeviceFileMode, or a udev rule)";
        }
        return refusal;
    }
    return std::nullopt;
}

std::string cpuNameOf(const fs::path& root) {
    std::string name = valueOf(root / "proc/cpuinfo", "model name");
    if (name.empty()) name = valueOf("/proc/cpuinfo", "model name");
    if (name.empty()) name = "of this machine";
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    return name + " (" + std::to_string(cores) + (cores == 1 ? " core)" : " cores)");
}

/// " for NVIDIA A100-SXM4-40GB" where a card's name is known.
std::string forCards(const GpuFinding& finding, const Traces& traces) {
    std::vector<std::string> names = traces.modelNames;
    if (!finding.devices.empty()) {
        names.clear();
        for (const GpuDevice& device : finding.devices) names.push_back(device.name);
    }
    return names.empty() ? std::string() : " for " + joinText(names, " and ");
}

void set(GpuFinding& finding, State state, std::string problem, std::string remedy) {
    finding.state = state;
    finding.problem = std::move(problem);
    finding.remedy = std::move(remedy);
}

void judgeDriverTooOld(GpuFinding& finding, const Traces& traces) {
    std::string found = finding.driverVersion.empty() ? "the NVIDIA driver here offers CUDA " + describeCudaVersion(finding.cudaVersion) + " only"
                                                      : "NVIDIA driver " + finding.driverVersion + " is loaded";
    found += forCards(finding, traces) + ", but driver " + std::string(kGpuMinDriver) + " or newer is needed";
    if (finding.driverVersion.empty()) found += " (CUDA " + describeCudaVersion(kGpuMinCudaVersion) + ')';
    set(finding, State::DriverTooOld, std::move(found), kGetDriver);
}

void judgeMismatch(GpuFinding& finding, const std::string& failure) {
    const std::string driver = finding.driverVersion.empty() ? std::string("NVIDIA driver") : "NVIDIA driver " + finding.driverVersion;
    const std::string library = finding.libraryVersion.empty() ? std::string("libcuda") : "libcuda " + finding.libraryVersion;
    set(finding, State::VersionMismatch,
        "the loaded " + driver + " and its library do not match, as after an update without a restart (" + library + ' ' + failure +
            "), but the same version is needed",
        "restart the computer (a container: start it anew)");
}

void judgeSilentDriver(GpuFinding& finding, const Traces& traces) {
    if (!traces.moduleLoaded) {
        const std::string card =
            traces.pciCards.empty() ? std::string("an NVIDIA GPU is here") : "an NVIDIA GPU is here (PCI " + joinText(traces.pciCards, ", ") + ')';
        const std::string needed = ", but NVIDIA's driver " + std::string(kGpuMinDriver) + " or newer is needed";
        if (traces.nouveauLoaded) {
            set(finding, State::Nouveau, card + ", driven by nouveau, which has no CUDA" + needed, kGetDriver);
        } else if (!traces.pciCards.empty()) {
            set(finding, State::NoDriver, card + " without a driver" + needed, kGetDriver);
        } else {
            set(finding, State::NoGpu, "no NVIDIA GPU was found", "");
        }
        return;
    }
    const std::string loaded =
        "NVIDIA driver " + finding.driverVersion + (finding.driverVersion.empty() ? "" : " ") + "is loaded" + forCards(finding, traces);
    if (!traces.controlNode) {
        set(finding, State::NoDeviceNodes, loaded + ", but its device files /dev/nvidia* are missing and needed",
            std::string(kContainerAccess) + "; elsewhere run nvidia-modprobe");
    } else {
        set(finding, State::NoLibrary, loaded + ", but its library libcuda.so.1 is not installed and needed",
            "install the package libcuda1 of the same version; " + std::string(kContainerAccess));
    }
}

void judgeFailedDriver(GpuFinding& finding, const Traces& traces, const DriverAnswer& answer) {
    const bool noDevice = answer.initCode == kCudaNoDevice || answer.initCode == 0;
    if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"); noDevice && visible != nullptr && !traces.deviceNodes.empty()) {
        set(finding, State::Hidden,
            "the environment variable CUDA_VISIBLE_DEVICES=" + escapeForDisplay(visible) + " leaves no GPU, but one is needed",
            "unset it or name a GPU by its number");
        return;
    }
    if (traces.moduleLoaded && !traces.controlNode) return judgeSilentDriver(finding, traces);
    if (auto refusal = refusedNode(traces)) {
        set(finding, State::NoPermission, refusal->found + ", but that is needed", refusal->remedy);
        return;
    }
    if (noDevice && !traces.moduleLoaded) return judgeSilentDriver(finding, traces);
    const std::string driver = finding.driverVersion.empty() ? "the NVIDIA driver" : "NVIDIA driver " + finding.driverVersion;
    set(finding, State::DriverFailed, driver + forCards(finding, traces) + ' ' + answer.failure + ", but a working one is needed",
        "see what nvidia-smi and dmesg say; a restart of the computer often helps");
}

void judgeDevices(GpuFinding& finding) {
    std::vector<std::string> old;
    for (GpuDevice& device : finding.devices) {
        device.usable = device.major >= kGpuMinCapabilityMajor;
        if (!device.usable) old.push_back(device.name + " has compute capability " + device.capability());
    }
    if (old.size() < finding.devices.size()) {
        finding.state = State::Usable;
        return;
    }
    set(finding, State::CardTooOld, joinText(old, " and ") + ", but " + std::to_string(kGpuMinCapabilityMajor) + ".0 or newer is needed",
        "use a card of the Ampere generation (2020) or later");
}

void judge(GpuFinding& finding, const Traces& traces, const DriverAnswer& answer) {
    const bool mismatch = answer.initCode == kCudaDriverMismatch || answer.initCode == kCudaCompatNotSupported;
    const bool differ = !finding.driverVersion.empty() && !finding.libraryVersion.empty() && finding.driverVersion != finding.libraryVersion;
    if (mismatch || (differ && answer.loaded && answer.initCode != 0)) return judgeMismatch(finding, answer.failure);
    const bool moduleTooOld = !finding.driverVersion.empty() && compareVersions(finding.driverVersion, kGpuMinDriver) < 0;
    const bool answered = answer.loaded && answer.initCode == 0 && !finding.devices.empty();
    if (moduleTooOld || (answered && finding.cudaVersion < kGpuMinCudaVersion)) return judgeDriverTooOld(finding, traces);
    if (answered) return judgeDevices(finding);
    if (!answer.loaded) return judgeSilentDriver(finding, traces);
    judgeFailedDriver(finding, traces, answer);
}

}  // namespace

GpuProbeOptions GpuProbeOptions::fromEnvironment() {
    GpuProbeOptions options;
    if (const char* root = std::getenv("MOFO_GPU_ROOT"); root != nullptr && *root != '\0') options.root = root;
    if (const char* library = std::getenv("MOFO_LIBCUDA"); library != nullptr && *library != '\0') options.libcuda = library;
    if (const char* timeout = std::getenv("MOFO_GPU_TIMEOUT_MS"); timeout != nullptr) {
        if (const long ms = std::strtol(timeout, nullptr, 10); ms > 0) options.timeout = std::chrono::milliseconds(ms);
    }
    return options;
}

bool GpuFinding::worthWarning() const {
    if (state == State::Usable) return std::any_of(devices.begin(), devices.end(), [](const GpuDevice& device) { return !device.usable; });
    return state != State::NoGpu;
}

std::string GpuFinding::sentence() const {
    std::string text;
    if (usable()) {
        std::vector<std::string> parts;
        for (const GpuDevice& device : devices) {
            const std::string name = "cuda:" + std::to_string(device.index) + ' ' + device.name + " (compute capability " + device.capability();
            parts.push_back(device.usable ? name + ", " + formatBytes(device.memoryBytes) + ") can be used"
                                          : name + ") cannot be used, " + std::to_string(kGpuMinCapabilityMajor) + ".0 or newer is needed");
        }
        text = "NVIDIA driver " + (driverVersion.empty() ? "with CUDA " + describeCudaVersion(cudaVersion) : driverVersion) + ": " +
               joinText(parts, "; ");
    } else {
        text = problem + (remedy.empty() ? "" : ": " + remedy) + "; the CPU is used, " + cpuName;
    }
    if (text.front() >= 'a' && text.front() <= 'z') text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text + '.';
}

std::string_view gpuStateName(State state) {
    switch (state) {
        case State::Usable: return "usable";
        case State::NoGpu: return "no_gpu";
        case State::NoDriver: return "no_driver";
        case State::Nouveau: return "nouveau";
        case State::DriverTooOld: return "driver_too_old";
        case State::CardTooOld: return "card_too_old";
        case State::NoLibrary: return "no_library";
        case State::NoDeviceNodes: return "no_device_nodes";
        case State::NoPermission: return "no_permission";
        case State::VersionMismatch: return "version_mismatch";
        case State::Hidden: return "hidden";
        case State::DriverFailed: return "driver_failed";
    }
    return "driver_failed";
}

GpuFinding probeGpu(const GpuProbeOptions& options) {
    const Traces traces = readTraces(options.root);
    const DriverAnswer answer = askDriver(options.libcuda, options.timeout);
    GpuFinding finding;
    finding.cpuName = cpuNameOf(options.root);
    finding.driverVersion = traces.moduleVersion;
    finding.libraryVersion = answer.libraryVersion;
    finding.cudaVersion = answer.cudaVersion;
    finding.devices = answer.devices;
    judge(finding, traces, answer);
    return finding;
}

Result<std::string> chooseDevice(std::string_view requested, const GpuFinding& finding) {
    if (requested == "cpu") return std::string("cpu");
    const auto first = std::find_if(finding.devices.begin(), finding.devices.end(), [](const GpuDevice& device) { return device.usable; });
    const bool any = finding.usable() && first != finding.devices.end();
    if (requested == "auto") return any ? "cuda:" + std::to_string(first->index) : std::string("cpu");
    int index = -1;
    if (requested != "cuda") {
        constexpr std::string_view prefix = "cuda:";
        const std::string_view number = requested.substr(0, prefix.size()) == prefix ? requested.substr(prefix.size()) : std::string_view();
        const auto parsed = std::from_chars(number.data(), number.data() + number.size(), index);
        if (number.empty() || parsed.ec != std::errc() || parsed.ptr != number.data() + number.size() || index < 0) {
            return Error{ErrorCode::Usage, "there is no device \"" + escapeForDisplay(requested) + '"', "device", "Use auto, cpu, cuda or cuda:N",
                         ""};
        }
    }
    const std::string where = "device=" + std::string(requested);
    if (!any) return Error{ErrorCode::DeviceUnusable, finding.problem, where, finding.remedy.empty() ? "use device=cpu" : finding.remedy, "GPU"};
    if (index < 0) return "cuda:" + std::to_string(first->index);
    const auto named = std::find_if(finding.devices.begin(), finding.devices.end(), [&](const GpuDevice& device) { return device.index == index; });
    if (named == finding.devices.end()) {
        return Error{ErrorCode::DeviceUnusable, "there is no such GPU, only " + std::to_string(finding.devices.size()), where,
                     "use cuda:0" + (finding.devices.size() > 1 ? " to cuda:" + std::to_string(finding.devices.size() - 1) : std::string()), "GPU"};
    }
    if (!named->usable) {
        return Error{ErrorCode::DeviceUnusable,
                     named->name + " has compute capability " + named->capability() + ", but " + std::to_string(kGpuMinCapabilityMajor) +
                         ".0 or newer is needed",
                     where, "use cuda:" + std::to_string(first->index) + ", " + first->name, "GPU"};
    }
    return "cuda:" + std::to_string(index);
}

}  // namespace mofo
