#include "core/client/engine_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/paths.h"
#include "core/base/text.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kLogTailBytes = 8192;
constexpr std::size_t kLastLineBytes = 300;
constexpr std::size_t kLogTimeBytes = 23;
constexpr std::size_t kOutputLimit = 64 << 10;

fs::path programFromEnvironment(const char* variable, const char* name) {
    const char* named = std::getenv(variable);
    return named != nullptr && *named != '\0' ? fs::path(named) : programFolder() / name;
}

// "2026-01-31 14:05:09.123 info step 3: ..." (app/engine/main.cpp): the word after the time; empty for a line of another shape.
std::optional<std::string_view> logLevel(std::string_view line) {
    constexpr std::string_view shape = "0000-00-00 00:00:00.000 ";
    static_assert(shape.size() == kLogTimeBytes + 1);
    if (line.size() <= shape.size()) return std::nullopt;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const bool digit = line[i] >= '0' && line[i] <= '9';
        if (shape[i] == '0' ? !digit : line[i] != shape[i]) return std::nullopt;
    }
    const std::string_view rest = line.substr(shape.size());
    return rest.substr(0, rest.find(' '));
}

class Descriptor {
public:
    explicit Descriptor(int fd = -1) : m_fd(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }
    [[nodiscard]] int get() const { return m_fd; }
    void close() {
        if (m_fd >= 0) ::close(std::exchange(m_fd, -1));
    }
    void reset(int fd) {
        close();
        m_fd = fd;
    }

private:
    int m_fd;
};

// Everything the child needs, made before fork: between fork and exec only async-signal-safe calls are allowed, as other threads of this
// process may have held a lock at that moment.
struct ChildPlan {
    const char* program;
    char* const* arguments;
    char* const* environment;
    const cpu_set_t* processors;
    const char* workingFolder;
    const char* oomScore;
    int input, output, error, report;
    bool dieWithParent, detach;
    pid_t parent;
};

[[noreturn]] void giveUp(int report) {
    const int reason = errno;
    const ssize_t ignored = ::write(report, &reason, sizeof reason);
    static_cast<void>(ignored);
    _exit(127);
}

// Descriptor 3 and above are closed by exec; kernels older than 5.11 do not know the flag.
void closeTheRestOnExec() {
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
    const long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < (limit > 0 ? std::min(limit, 65536L) : 65536L); ++fd) {
        if (const int flags = fcntl(fd, F_GETFD); flags >= 0) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    }
}

[[noreturn]] void runChild(const ChildPlan& plan) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD, SIGQUIT, SIGUSR1, SIGUSR2}) signal(number, SIG_DFL);
    setsid();
    if (plan.detach) {
        // The session's leader ends at once: init takes the program over and waits for it.
        const pid_t grandchild = fork();
        if (grandchild < 0) giveUp(plan.report);
        if (grandchild > 0) _exit(0);
    }
    if (plan.dieWithParent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != plan.parent) _exit(127);  // it ended before the wish was known
    }
    if (plan.oomScore != nullptr) {
        if (const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); fd >= 0) {
            const ssize_t ignored = write(fd, plan.oomScore, strlen(plan.oomScore));
            static_cast<void>(ignored);
            close(fd);
        }
    }
    // Where none of them is there any more, the child keeps its parent's.
    if (plan.processors != nullptr) static_cast<void>(sched_setaffinity(0, sizeof *plan.processors, plan.processors));
    if (dup2(plan.input, 0) < 0 || dup2(plan.output, 1) < 0 || dup2(plan.error, 2) < 0) giveUp(plan.report);
    closeTheRestOnExec();
    if (chdir(plan.workingFolder) != 0) giveUp(plan.report);
    execve(plan.program, plan.arguments, plan.environment);
    giveUp(plan.report);
}

std::vector<std::string> environmentWith(const std::vector<std::pair<std::string, std::optional<std::string>>>& changes) {
    std::vector<std::string> list;
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        const std::string_view name = text.substr(0, text.find('='));
        if (std::none_of(changes.begin(), changes.end(), [&](const auto& change) { return change.first == name; })) list.emplace_back(text);
    }
    for (const auto& [name, value] : changes) {
        if (value) list.push_back(name + '=' + *value);
    }
    return list;
}

Result<pid_t> start(const SpawnOptions& options, bool detach, int output) {
    const std::string program = options.program.string();
    const std::string folder = options.workingFolder.string();
    const std::string oomScore = options.oomScore != 0 ? std::to_string(options.oomScore) : std::string();
    std::vector<std::string> arguments = options.arguments;
    arguments.insert(arguments.begin(), program);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    std::vector<std::string> environment = environmentWith(options.variables);
    std::vector<char*> variables;
    for (std::string& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    cpu_set_t processors;
    CPU_ZERO(&processors);
    for (const int cpu : options.processors) CPU_SET(static_cast<std::size_t>(cpu), &processors);

    // Descriptors 0 to 2 may be closed in the caller: the child's dup2 must not run over what it still needs.
    const auto lift = [](int fd) {
        if (fd < 0 || fd > 2) return fd;
        const int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        ::close(fd);
        return higher;
    };
    Descriptor null(lift(open("/dev/null", O_RDWR | O_CLOEXEC)));
    if (null.get() < 0) return errnoError(errno, "cannot open", "/dev/null");
    Descriptor log;
    if (!options.logFile.empty()) {
        log.reset(lift(open(options.logFile.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)));
        if (log.get() < 0) return errnoError(errno, "cannot open the log", options.logFile);
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errnoError(errno, "cannot make a pipe for", options.program);
    Descriptor reportRead(lift(ends[0])), reportWrite(lift(ends[1]));

    const ChildPlan plan{program.c_str(),
                         pointers.data(),
                         variables.data(),
                         options.processors.empty() ? nullptr : &processors,
                         folder.c_str(),
                         oomScore.empty() ? nullptr : oomScore.c_str(),
                         null.get(),
                         output >= 0 ? output : null.get(),
                         log.get() >= 0 ? log.get() : null.get(),
                         reportWrite.get(),
                         options.dieWithParent,
                         detach,
                         getpid()};
    const pid_t child = fork();
    if (child < 0) return errnoError(errno, "cannot start", options.program);
    if (child == 0) runChild(plan);
    reportWrite.close();
    if (detach) {
        while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    // The pipe closes at exec; a number before that says why there was none.
    int reason = 0;
    ssize_t got = 0;
    do {
        got = read(reportRead.get(), &reason, sizeof reason);
    } while (got < 0 && errno == EINTR);
    if (got == static_cast<ssize_t>(sizeof reason)) {
        if (!detach) {
            while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
            }
        }
        return errnoError(reason, "cannot start the program", options.program);
    }
    return child;
}

}  // namespace

fs::path engineProgram() { return programFromEnvironment("MOFO_ENGINE", "mofo-engine"); }
fs::path cliProgram() { return programFromEnvironment("MOFO_CLI", "mofo"); }

Result<pid_t> spawnProcess(const SpawnOptions& options) { return start(options, false, -1); }

Result<void> spawnDetached(const SpawnOptions& options) {
    MOFO_CHECK(start(options, true, -1));
    return {};
}

std::optional<std::string> outputOf(const fs::path& program, const std::vector<std::string>& arguments, double timeoutSeconds) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
    Descriptor readEnd(ends[0]), writeEnd(ends[1]);
    SpawnOptions options;
    options.program = program;
    options.arguments = arguments;
    options.dieWithParent = true;
    auto child = start(options, false, writeEnd.get());
    writeEnd.close();
    if (!child.ok()) return std::nullopt;
    const Stopwatch watch;
    std::string text;
    bool complete = false;
    while (!complete) {
        const double leftMs = timeoutSeconds * 1e3 - watch.elapsedMs();
        pollfd wait{readEnd.get(), POLLIN, 0};
        if (leftMs <= 0 || text.size() >= kOutputLimit) break;
        if (poll(&wait, 1, static_cast<int>(leftMs) + 1) <= 0) continue;
        char buffer[4096];
        const ssize_t got = read(readEnd.get(), buffer, sizeof buffer);
        if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
        if (got == 0) complete = true;
        if (got < 0 && errno != EINTR) break;
    }
    if (!complete) kill(*child, SIGKILL);
    int status = 0;
    while (waitpid(*child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!complete || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
    return text;
}

std::string describeExit(int waitStatus) {
    if (WIFSIGNALED(waitStatus)) {
        const int number = WTERMSIG(waitStatus);
        const char* name = strsignal(number);
        std::string text = "was killed by signal " + std::to_string(number) + " (" + (name != nullptr ? name : "unknown") + ")";
        if (number == SIGKILL) text += "; the system's out-of-memory killer does that, too";
        return text;
    }
    const int code = WEXITSTATUS(waitStatus);
    constexpr int killed = 128 + SIGKILL;
    return "ended with exit code " + std::to_string(code) + (code == killed ? " (killed; the system's out-of-memory killer does that, too)" : "");
}

std::string lastComplaint(const fs::path& logFile) {
    auto file = FileReader::open(logFile);
    if (!file.ok() || file->sizeBytes() == 0) return {};
    std::string tail(std::min(file->sizeBytes(), kLogTailBytes), '\0');
    if (!file->readAt(file->sizeBytes() - tail.size(), std::as_writable_bytes(std::span<char>(tail))).ok()) return {};
    const std::vector<std::string> lines = splitText(tail, '\n');
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        std::string_view text = trimText(*line);
        if (text.empty()) continue;
        if (const auto level = logLevel(text)) {
            if (*level != "warning" && *level != "error" && *level != "critical") return {};
            text = trimText(text.substr(kLogTimeBytes + 1 + level->size()));
        }
        return escapeForDisplay(text.substr(0, kLastLineBytes));
    }
    return {};
}

std::optional<std::int64_t> lastLockHolder(const fs::path& lockFile) {
    auto text = readWholeFile(lockFile, 4096);
    if (!text.ok()) return std::nullopt;
    const std::size_t digits = text->find_first_of("0123456789");
    if (digits == std::string::npos) return std::nullopt;
    std::int64_t pid = 0;
    const auto parsed = std::from_chars(text->data() + digits, text->data() + text->size(), pid);
    if (parsed.ec != std::errc() || pid <= 0) return std::nullopt;
    return pid;
}

std::optional<std::int64_t> lockHolder(const fs::path& lockFile) { return FileLock::isHeld(lockFile) ? lastLockHolder(lockFile) : std::nullopt; }

}  // namespace mofo
