#include "core/base/gpu_driver.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "core/base/text.h"

namespace mofo {

namespace {

// The driver's ABI (cuda.h), so that no header of CUDA is needed.
using CuInit = int (*)(unsigned);
using CuDriverGetVersion = int (*)(int*);
using CuDeviceGetCount = int (*)(int*);
using CuDeviceGet = int (*)(int*, int);
using CuDeviceGetName = int (*)(char*, int, int);
using CuDeviceGetAttribute = int (*)(int*, int, int);
using CuDeviceTotalMem = int (*)(std::size_t*, int);
using CuGetErrorName = int (*)(int, const char**);
constexpr int kAttributeMajor = 75;
constexpr int kAttributeMinor = 76;

constexpr int kPipeInChild = 3;

/// One line to the parent: a key, a blank, a value without line breaks.
void tell(std::string_view key, std::string_view value) {
    const std::string line = std::string(key) + ' ' + escapeForDisplay(value) + '\n';
    // A line is shorter than PIPE_BUF, so it arrives whole or, the parent being gone, not at all.
    if (::write(kPipeInChild, line.data(), line.size()) < 0) _exit(1);
}

template <class Function>
Function symbol(void* library, const char* name) {
    auto* found = reinterpret_cast<Function>(dlsym(library, name));
    if (found == nullptr) {
        tell("failure", std::string("has no function ") + name);
        _exit(0);
    }
    return found;
}

/// Reports a failed call and ends the child.
void require(void* library, const char* call, int code) {
    if (code == 0) return;
    const char* name = nullptr;
    auto* errorName = reinterpret_cast<CuGetErrorName>(dlsym(library, "cuGetErrorName"));
    if (errorName == nullptr || errorName(code, &name) != 0 || name == nullptr) name = "error";
    tell("failure", std::string("answers ") + call + " with " + name + " (" + std::to_string(code) + ')');
    _exit(0);
}

std::string versionOf(void* library) {
    link_map* map = nullptr;
    char resolved[PATH_MAX];
    if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr || ::realpath(map->l_name, resolved) == nullptr) return {};
    const std::string_view path(resolved);
    constexpr std::string_view stem = "libcuda.so.";
    const std::size_t at = path.rfind(stem);
    const std::string_view version = at == std::string_view::npos ? std::string_view() : path.substr(at + stem.size());
    return version.find('.') == std::string_view::npos ? std::string() : std::string(version);
}

[[noreturn]] void runChild(const char* libcuda) {
    void* library = dlopen(libcuda, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) _exit(0);
    tell("loaded", versionOf(library));
    int value = 0;
    const auto driverVersion = symbol<CuDriverGetVersion>(library, "cuDriverGetVersion");
    if (driverVersion(&value) == 0) tell("cuda", std::to_string(value));
    const int code = symbol<CuInit>(library, "cuInit")(0);
    tell("init", std::to_string(code));
    require(library, "cuInit", code);
    int count = 0;
    require(library, "cuDeviceGetCount", symbol<CuDeviceGetCount>(library, "cuDeviceGetCount")(&count));
    if (count == 0) tell("failure", "sees no GPU");
    const auto attribute = symbol<CuDeviceGetAttribute>(library, "cuDeviceGetAttribute");
    for (int i = 0; i < count; ++i) {
        int device = 0;
        int major = 0;
        int minor = 0;
        std::size_t bytes = 0;
        char name[128] = "";
        require(library, "cuDeviceGet", symbol<CuDeviceGet>(library, "cuDeviceGet")(&device, i));
        require(library, "cuDeviceGetName", symbol<CuDeviceGetName>(library, "cuDeviceGetName")(name, sizeof name - 1, device));
        require(library, "cuDeviceGetAttribute", attribute(&major, kAttributeMajor, device));
        require(library, "cuDeviceGetAttribute", attribute(&minor, kAttributeMinor, device));
        require(library, "cuDeviceTotalMem", symbol<CuDeviceTotalMem>(library, "cuDeviceTotalMem_v2")(&bytes, device));
        tell("device", std::to_string(i) + ' ' + std::to_string(major) + ' ' + std::to_string(minor) + ' ' + std::to_string(bytes) + ' ' + name);
    }
    // The driver's own clean-up at exit is neither needed nor trusted.
    _exit(0);
}

/// What a child that shares the parent's memory image must do before foreign code runs in it.
void isolateChild(int pipeEnd, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE, SIGTERM, SIGINT}) signal(number, SIG_DFL);
    const int null = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) dup2(null, fd);
    dup2(pipeEnd, kPipeInChild);
    // Locks (open file descriptions) must not live on in a child that the driver may hang for ever.
    close_range(kPipeInChild + 1, ~0u, 0);
}

/// Reads lines until the child closes its end or the time is over; returns whether the child finished in time.
bool readAll(int fd, std::chrono::milliseconds timeout, std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::array<char, 4096> buffer{};
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        if (left <= 0) return false;
        pollfd entry{fd, POLLIN, 0};
        const int ready = poll(&entry, 1, static_cast<int>(std::min<long long>(left, INT_MAX)));
        if (ready < 0 && errno != EINTR) return false;
        if (ready <= 0) continue;
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return true;
        // No driver says that much; a broken one must not fill our memory.
        if (text.size() > (1u << 20)) return false;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

void parseDevice(std::string_view value, DriverAnswer& answer) {
    GpuDevice device;
    unsigned long long bytes = 0;
    int nameAt = 0;
    const std::string text(value);
    if (std::sscanf(text.c_str(), "%d %d %d %llu %n", &device.index, &device.major, &device.minor, &bytes, &nameAt) != 4) return;
    device.memoryBytes = bytes;
    device.name = text.substr(static_cast<std::size_t>(nameAt));
    answer.devices.push_back(std::move(device));
}

}  // namespace

DriverAnswer askDriver(const std::string& libcuda, std::chrono::milliseconds timeout) {
    DriverAnswer answer;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return answer;
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) {
        isolateChild(ends[1], parent);
        runChild(libcuda.c_str());
    }
    ::close(ends[1]);
    std::string text;
    const bool finished = child > 0 && readAll(ends[0], timeout, text);
    ::close(ends[0]);
    if (child <= 0) return answer;
    if (!finished) kill(child, SIGKILL);
    // A process that hangs inside the kernel cannot even be killed; after a second it is left behind rather than waited for.
    int status = 0;
    for (int i = 0; i < 1000 && waitpid(child, &status, WNOHANG) == 0; ++i) usleep(1000);

    for (const std::string& line : splitText(text, '\n')) {
        const std::size_t blank = line.find(' ');
        if (blank == std::string::npos) continue;
        const std::string key = line.substr(0, blank);
        const std::string value = line.substr(blank + 1);
        if (key == "loaded") {
            answer.loaded = true;
            answer.libraryVersion = value;
        } else if (key == "cuda") {
            answer.cudaVersion = std::atoi(value.c_str());
        } else if (key == "init") {
            answer.initCode = std::atoi(value.c_str());
        } else if (key == "device") {
            parseDevice(value, answer);
        } else if (key == "failure") {
            answer.failure = value;
        }
    }
    if (!finished) {
        answer.loaded = true;
        answer.failure = "did not answer within " + formatDuration(static_cast<double>(timeout.count()) / 1000.0);
    } else if (WIFSIGNALED(status)) {
        answer.loaded = true;
        answer.failure = "crashed (" + std::string(sigdescr_np(WTERMSIG(status)) != nullptr ? sigdescr_np(WTERMSIG(status)) : "signal") + ')';
    }
    if (!finished || WIFSIGNALED(status)) {
        // Devices listed before the crash do not make it a driver to train with.
        answer.devices.clear();
        if (answer.initCode == 0) answer.initCode = -1;
    }
    return answer;
}

}  // namespace mofo
