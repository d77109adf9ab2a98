#include "installer/gpu_check/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"

namespace mofo {

namespace {

constexpr std::size_t kOutputLimit = 16u << 20;
constexpr std::size_t kErrorTail = 16u << 10;
constexpr std::size_t kLineLimit = 300;
constexpr double kGraceMs = 3000;
constexpr int kCannotExec = 127;

[[noreturn]] void becomeProgram(const ChildCommand& command, char* const* arguments, int output, int errors, pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(kCannotExec);
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) _exit(kCannotExec);
    for (const auto& [name, value] : command.environment) setenv(name.c_str(), value.c_str(), 1);
    execv(command.program.c_str(), arguments);
    dprintf(2, "%s: %s\n", command.program.c_str(), strerror(errno));
    _exit(kCannotExec);
}

/// Reads what there is; closes and forgets the descriptor at its end.
void drain(pollfd& from, std::string& into, std::size_t limit, bool keepTail) {
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t got = read(from.fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            close(from.fd);
            from.fd = -1;
            return;
        }
        into.append(buffer.data(), static_cast<std::size_t>(got));
        if (into.size() <= limit) continue;
        if (keepTail) {
            into.erase(0, into.size() - limit);
        } else {
            into.resize(limit);
        }
    }
}

std::string lastLine(std::string_view text) {
    text = trimText(text);
    const std::size_t at = text.rfind('\n');
    std::string line = escapeForDisplay(trimText(at == std::string_view::npos ? text : text.substr(at + 1)));
    if (line.size() > kLineLimit) line.resize(validUtf8Prefix(std::string_view(line).substr(0, kLineLimit)));
    return line;
}

}  // namespace

std::string ChildOutcome::problem(double limitSeconds) const {
    if (exitCode == 0 && !timedOut) return "";
    std::string text = timedOut         ? "took longer than " + formatDuration(limitSeconds)
                       : exitCode > 128 ? "ended by signal " + std::to_string(exitCode - 128)
                                        : "exit code " + std::to_string(exitCode);
    const std::string line = lastLine(trimText(errors).empty() ? output : errors);
    return line.empty() ? text : text + ": " + line;
}

Result<ChildOutcome> runChild(const ChildCommand& command) {
    if (access(command.program.c_str(), X_OK) != 0) return errnoError(errno, "cannot run", command.program);
    int output[2], errors[2];
    if (pipe2(output, O_CLOEXEC) != 0) return errnoError(errno, "cannot make a pipe for", command.program);
    if (pipe2(errors, O_CLOEXEC) != 0) {
        const int reason = errno;
        for (const int fd : output) close(fd);
        return errnoError(reason, "cannot make a pipe for", command.program);
    }
    const std::string program = command.program.string();
    std::vector<std::string> arguments = command.arguments;
    arguments.insert(arguments.begin(), program);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);

    const Stopwatch watch;
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) becomeProgram(command, pointers.data(), output[1], errors[1], parent);
    const int forkError = errno;
    close(output[1]);
    close(errors[1]);
    if (child < 0) {
        close(output[0]);
        close(errors[0]);
        return errnoError(forkError, "cannot start", command.program);
    }
    // Also here, as the child may not have come to it yet when it has to be killed.
    setpgid(child, child);

    ChildOutcome outcome;
    pollfd pipes[2] = {{output[0], POLLIN, 0}, {errors[0], POLLIN, 0}};
    for (const pollfd& pipe : pipes) fcntl(pipe.fd, F_SETFL, O_NONBLOCK);
    bool asked = false, killed = false;
    int status = 0;
    for (;;) {
        poll(pipes, 2, 50);
        const bool ended = waitpid(child, &status, WNOHANG) == child;
        if (pipes[0].fd >= 0) drain(pipes[0], outcome.output, kOutputLimit, false);
        if (pipes[1].fd >= 0) drain(pipes[1], outcome.errors, kErrorTail, true);
        // What it started may live on with the pipes; nobody waits for that.
        if (ended) break;
        const double overMs = watch.elapsedMs() - command.seconds * 1000;
        if (overMs > 0 && !asked) {
            asked = outcome.timedOut = true;
            kill(-child, SIGTERM);
        }
        if (overMs > kGraceMs && !killed) {
            killed = true;
            kill(-child, SIGKILL);
        }
        // Both pipes closed but still running: poll would return at once.
        if (pipes[0].fd < 0 && pipes[1].fd < 0) usleep(20000);
    }
    for (const pollfd& pipe : pipes) {
        if (pipe.fd >= 0) close(pipe.fd);
    }
    outcome.seconds = watch.elapsedMs() / 1000;
    outcome.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return outcome;
}

}  // namespace mofo
