#include "core/base/clock.h"

#include <time.h>

#include <fstream>

namespace mofo {

namespace {
std::int64_t readClock(clockid_t id) {
    timespec t{};
    clock_gettime(id, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}
}  // namespace

std::int64_t wallNs() { return readClock(CLOCK_REALTIME); }
std::int64_t bootNs() { return readClock(CLOCK_BOOTTIME); }

std::string bootId() {
    std::ifstream in("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(in, id);
    return id;
}

std::string formatLocalTime(std::int64_t ns) {
    const time_t seconds = static_cast<time_t>(ns / 1'000'000'000);
    tm parts{};
    localtime_r(&seconds, &parts);
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    return text;
}

}  // namespace mofo
