#include "core/base/failpoint.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "core/base/text.h"

namespace mofo {

namespace {

struct Failpoint {
    std::string name;
    bool prefix = false;
    enum class Action { Fail, Kill, Stop, Delay } action = Action::Fail;
    int errorNumber = 0;
    int delayMs = 0;
    int from = 1;
    bool onwards = false;
    int met = 0;
};

struct Registered {
    std::mutex mutex;
    std::vector<Failpoint> points;
    std::map<std::string, int> record;
    bool recording = false;
};

Registered& registered() {
    static Registered all;
    return all;
}

bool parseNumber(std::string_view text, int& value) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc() && end == text.data() + text.size() && value >= 0;
}

Result<Failpoint> parse(std::string_view text) {
    const auto wrong = [&] {
        return Error{ErrorCode::Usage, "not a failpoint: " + escapeForDisplay(text), "MOFO_FAILPOINTS",
                     "Write NAME=ACTION[@N][+], where ACTION is EIO, ENOSPC, EACCES, ENOMEM, kill, stop or delay:MS", ""};
    };
    Failpoint point;
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) return wrong();
    point.name = text.substr(0, equals);
    if (point.name.ends_with('*')) {
        point.prefix = true;
        point.name.pop_back();
    }
    std::string_view action = text.substr(equals + 1);
    if (action.ends_with('+')) {
        point.onwards = true;
        action.remove_suffix(1);
    }
    if (const std::size_t at = action.find('@'); at != std::string_view::npos) {
        if (!parseNumber(action.substr(at + 1), point.from) || point.from < 1) return wrong();
        action = action.substr(0, at);
    }
    constexpr std::array<std::pair<std::string_view, int>, 4> errors{{{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EACCES", EACCES}, {"ENOMEM", ENOMEM}}};
    for (const auto& [name, number] : errors) {
        if (action == name) point.errorNumber = number;
    }
    if (point.errorNumber != 0) return point;
    if (action == "kill") {
        point.action = Failpoint::Action::Kill;
    } else if (action == "stop") {
        point.action = Failpoint::Action::Stop;
    } else if (action.starts_with("delay:") && parseNumber(action.substr(6), point.delayMs)) {
        point.action = Failpoint::Action::Delay;
    } else {
        return wrong();
    }
    return point;
}

/// What the environment asks for is known before main.
const bool g_environmentRead = [] {
    const char* const text = std::getenv("MOFO_FAILPOINTS");
    if (text == nullptr || *text == '\0') return true;
    if (auto set = setFailpoints(text); !set.ok()) {
        std::fprintf(stderr, "%s\n", set.error().text().c_str());
        _exit(2);
    }
    return true;
}();

}  // namespace

namespace detail {

std::atomic<bool> g_failpointsActive{false};

int reachFailpoint(std::string_view name) {
    Registered& all = registered();
    int delayMs = 0;
    {
        const std::lock_guard lock(all.mutex);
        if (all.recording) ++all.record[std::string(name)];
        for (Failpoint& point : all.points) {
            if (point.prefix ? !name.starts_with(point.name) : name != point.name) continue;
            ++point.met;
            if (point.met < point.from || (point.met > point.from && !point.onwards)) continue;
            switch (point.action) {
                case Failpoint::Action::Fail: return point.errorNumber;
                case Failpoint::Action::Kill: kill(getpid(), SIGKILL); break;
                case Failpoint::Action::Stop: kill(getpid(), SIGSTOP); break;
                case Failpoint::Action::Delay: delayMs = point.delayMs; break;
            }
        }
    }
    if (delayMs > 0) usleep(static_cast<useconds_t>(delayMs) * 1000);
    return 0;
}

}  // namespace detail

Result<void> setFailpoints(std::string_view text) {
    std::vector<Failpoint> points;
    for (const std::string& one : splitText(text, ';')) {
        if (trimText(one).empty()) continue;
        MOFO_TRY(Failpoint point, parse(trimText(one)));
        points.push_back(std::move(point));
    }
    Registered& all = registered();
    const std::lock_guard lock(all.mutex);
    all.points = std::move(points);
    detail::g_failpointsActive = !all.points.empty() || all.recording;
    return {};
}

void recordFailpoints(bool on) {
    Registered& all = registered();
    const std::lock_guard lock(all.mutex);
    all.recording = on;
    if (on) all.record.clear();
    detail::g_failpointsActive = !all.points.empty() || all.recording;
}

std::map<std::string, int> recordedFailpoints() {
    Registered& all = registered();
    const std::lock_guard lock(all.mutex);
    return all.record;
}

}  // namespace mofo
