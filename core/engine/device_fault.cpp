#include "core/engine/device_fault.h"

#include <c10/util/Exception.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <string>

#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/base/file.h"
#include "core/base/json.h"

namespace mofo {

namespace {

std::filesystem::path& recordFile() {
    static std::filesystem::path file;
    return file;
}

}  // namespace

void endAtDeviceFaults(const std::filesystem::path& file) { recordFile() = file; }

void onDeviceFault(std::string_view text) {
    if (recordFile().empty()) return;
    spdlog::critical("the device failed: {}", text);
    spdlog::default_logger()->flush();
    const Json record = {{"pid", getpid()}, {"text", std::string(text)}, {"wall_ns", wallNs()}};
    // A record that cannot be written changes nothing: the exit code says what happened.
    static_cast<void>(writeFileAtomic(recordFile(), record.dump(1, ' ', false, Json::error_handler_t::replace) + '\n').ok());
    _exit(deviceFaultExitCode);
}

void throwPlannedDeviceFault() {
    constexpr int illegalAddress = 700;
    if (failpoint("device.fault") == 0) return;
    throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, illegalAddress, "CUDA error: an illegal memory access was encountered (planned)");
}

bool tellsOfDeviceFault(std::string_view text) {
    constexpr std::array<std::string_view, 4> signs{"CUDA error", "CUDA driver error", "cuDNN error", "CUBLAS_STATUS_"};
    for (const std::string_view sign : signs) {
        if (text.find(sign) != std::string_view::npos) return true;
    }
    return false;
}

}  // namespace mofo
