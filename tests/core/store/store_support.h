// What the store's tests share.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"
#include "tests/support/test_support.h"

namespace mofo::test {

/// A workspace in a temporary folder, and one registry connection.
struct StoreFixture {
    StoreFixture();
    [[nodiscard]] Registry openRegistry(Registry::Access access = Registry::Access::ReadWrite) const;
    TemporaryFolder folder;
    Workspace workspace;
    Registry registry;
};

/// A run that is complete but for what the caller changes.
[[nodiscard]] RunRow exampleRun(const std::string& id, const std::string& name);
[[nodiscard]] ModelRow exampleModel(const std::string& id, const std::string& name);
[[nodiscard]] CommandRow exampleCommand(const std::string& runId, const std::string& kind);

/// Another process that runs `body` before it says ready, and then stays until it is told to end or killed.
class ChildProcess {
public:
    explicit ChildProcess(const std::function<bool()>& body);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    [[nodiscard]] bool ready() const { return m_ready; }
    void kill();  ///< SIGKILL, and waits

private:
    int m_pid = -1;
    bool m_ready = false;
};

/// Runs `body` in another process as the user nobody where the tests run as root, else as they are; whether it returned true.
[[nodiscard]] bool trueAsOrdinaryUser(const std::function<bool()>& body);

/// Runs SQL on a file with no checks at all, as a stranger would.
void tamper(const std::filesystem::path& file, const std::string& sql);
/// One value of a file, read with no checks.
[[nodiscard]] std::string ask(const std::filesystem::path& file, const std::string& sql);

}  // namespace mofo::test
