#include "tests/app/cli_support.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/clock.h"

namespace mofo::test {

Json CliResult::json() const {
    Json parsed = Json::parse(out, nullptr, false);
    EXPECT_FALSE(parsed.is_discarded()) << "not JSON: " << out << err;
    return parsed;
}

long CliResult::errorLines() const { return std::count(err.begin(), err.end(), '\n'); }

CliProcess::CliProcess(const std::vector<std::string>& arguments, const std::string& input) {
    int out[2], err[2], in[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 || pipe2(in, O_CLOEXEC) != 0) ADD_FAILURE() << "no pipes";
    const std::string program = (binFolder() / "mofo").string();
    std::vector<std::string> all = arguments;
    all.insert(all.begin(), program);
    std::vector<char*> pointers;
    for (std::string& argument : all) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    m_pid = fork();
    if (m_pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        execv(program.c_str(), pointers.data());
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    if (!input.empty() && write(in[1], input.data(), input.size()) < 0) ADD_FAILURE() << "cannot write to its stdin";
    close(in[1]);
    m_out = out[0];
    m_err = err[0];
}

CliProcess::~CliProcess() {
    if (!m_done) {
        kill(m_pid, SIGKILL);
        waitpid(m_pid, nullptr, 0);
    }
    close(m_out);
    close(m_err);
}

// False once both pipes are closed.
bool CliProcess::collect(int timeoutMs) {
    pollfd ends[2] = {{m_out, POLLIN, 0}, {m_err, POLLIN, 0}};
    if (poll(ends, 2, timeoutMs) <= 0) return true;
    int closed = 0;
    for (const auto& [end, text] : {std::pair(&ends[0], &m_outText), std::pair(&ends[1], &m_errText)}) {
        if ((end->revents & (POLLIN | POLLHUP)) == 0) continue;
        char buffer[65536];
        const ssize_t got = read(end->fd, buffer, sizeof buffer);
        if (got > 0) text->append(buffer, static_cast<std::size_t>(got));
        if (got == 0) ++closed;
    }
    return closed < 2;
}

const std::string& CliProcess::out() {
    collect(0);
    return m_outText;
}

const std::string& CliProcess::err() {
    collect(0);
    return m_errText;
}

CliResult CliProcess::finish(double seconds) {
    const Stopwatch watch;
    int status = 0;
    rusage usage{};
    while (true) {
        collect(10);
        if (wait4(m_pid, &status, WNOHANG, &usage) == m_pid) break;
        if (watch.elapsedMs() > seconds * 1e3) {
            ADD_FAILURE() << "the command did not end: " << m_errText;
            kill(m_pid, SIGKILL);
        }
    }
    m_done = true;
    while (true) {
        const std::size_t before = m_outText.size() + m_errText.size();
        if (!collect(0) || m_outText.size() + m_errText.size() == before) break;
    }
    CliResult result;
    result.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = m_outText;
    result.err = m_errText;
    result.cpuMs = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 + static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-3;
    return result;
}

std::string CliTest::startLong(const std::string& name) {
    const CliResult started = cli({"train", "--model", model().string(), "--data", data().string(), "--name", name, "--set", "steps=100000", "device=cpu", "--detach"});
    EXPECT_EQ(started.exitCode, 0) << started.err;
    std::string id = started.out.substr(0, started.out.find('\n'));
    EXPECT_TRUE(eventually([&] { return stepOf(id) > 1; })) << started.err;
    return id;
}

std::string CliTest::trainToEnd(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train", "--model", model().string(), "--data", data().string(), "--set", "steps=5", "device=cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CliResult trained = cli(arguments);
    EXPECT_EQ(trained.exitCode, 0) << trained.err;
    return trained.out.substr(0, trained.out.find('\n'));
}

}  // namespace mofo::test
