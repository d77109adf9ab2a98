// A workspace with a tiny sealed model, data, and the fake engine as engine.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/client/commands.h"
#include "core/client/supervisor.h"
#include "tests/support/test_support.h"

namespace mofo::test {

/// build/tests/fake_engine
[[nodiscard]] std::filesystem::path fakeEngine();
/// Waits until `condition` holds, at most `seconds`; false where it never did.
[[nodiscard]] bool eventually(const std::function<bool()>& condition, double seconds = 20);

/// Sets environment variables of this process, which its children inherit, and takes them back at the end.
class Environment {
public:
    Environment() = default;
    ~Environment();
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    void set(const std::string& name, const std::string& value);

private:
    std::vector<std::pair<std::string, std::optional<std::string>>> m_before;
};

class ClientTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    [[nodiscard]] Workspace& workspace() { return *m_workspace; }
    [[nodiscard]] Registry& registry() { return *m_registry; }
    [[nodiscard]] std::filesystem::path model() const { return m_folder / "tiny"; }
    [[nodiscard]] std::filesystem::path data() const { return m_folder / "data.jsonl"; }
    [[nodiscard]] RunConfig config(const std::vector<std::pair<std::string, std::string>>& values = {}) const;
    /// A queued run; supervised only if asked.
    Result<RunRow> start(const std::vector<std::pair<std::string, std::string>>& values = {}, bool supervised = true, const std::string& name = {});
    [[nodiscard]] RunState stateOf(const std::string& id);
    [[nodiscard]] bool reaches(const std::string& id, RunState state, double seconds = 20);
    [[nodiscard]] std::int64_t stepOf(const std::string& id);
    [[nodiscard]] std::int64_t engineOf(const std::string& id);
    [[nodiscard]] std::optional<std::int64_t> supervisorPid();

    TemporaryFolder m_folder;
    Environment m_environment;
    std::optional<Workspace> m_workspace;
    std::optional<Registry> m_registry;
};

}  // namespace mofo::test
