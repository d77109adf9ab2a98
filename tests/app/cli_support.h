// Runs build/bin/mofo as a person or a script would.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "core/base/json.h"
#include "tests/support/client_support.h"

namespace mofo::test {

struct CliResult {
    int exitCode = -1;  ///< 128 + signal where it was killed
    std::string out, err;
    double cpuMs = 0;   ///< user and system time
    [[nodiscard]] Json json() const;
    [[nodiscard]] long errorLines() const;
};

/// A running command whose stdout and stderr are collected.
class CliProcess {
public:
    explicit CliProcess(const std::vector<std::string>& arguments, const std::string& input = {});
    ~CliProcess();
    CliProcess(const CliProcess&) = delete;
    CliProcess& operator=(const CliProcess&) = delete;
    void signal(int number) const { kill(m_pid, number); }
    /// What has come so far.
    const std::string& out();
    const std::string& err();
    /// Waits for the end; kills it after `seconds`.
    CliResult finish(double seconds = 60);

private:
    bool collect(int timeoutMs);
    pid_t m_pid = -1;
    int m_out = -1, m_err = -1;
    std::string m_outText, m_errText;
    bool m_done = false;
};

class CliTest : public ClientTest {
protected:
    static CliResult cli(const std::vector<std::string>& arguments, const std::string& input = {}) { return CliProcess(arguments, input).finish(); }
    /// A run that trains until it is told to stop; its id.
    std::string startLong(const std::string& name = "long");
    std::string trainToEnd(const std::vector<std::string>& more = {});
};

}  // namespace mofo::test
