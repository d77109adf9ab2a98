#include "tests/support/client_support.h"

#include <signal.h>

#include <chrono>
#include <thread>

#include "core/base/clock.h"
#include "core/client/engine_process.h"
#include "tests/support/tiny_model.h"

namespace mofo::test {

namespace fs = std::filesystem;

fs::path fakeEngine() { return binFolder().parent_path() / "tests" / "fake_engine"; }

bool eventually(const std::function<bool()>& condition, double seconds) {
    const Stopwatch watch;
    while (!condition()) {
        if (watch.elapsedMs() > seconds * 1e3) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

void Environment::set(const std::string& name, const std::string& value) {
    const char* before = std::getenv(name.c_str());
    m_before.emplace_back(name, before != nullptr ? std::optional<std::string>(before) : std::nullopt);
    setenv(name.c_str(), value.c_str(), 1);
}

Environment::~Environment() {
    for (auto it = m_before.rbegin(); it != m_before.rend(); ++it) {
        if (it->second) {
            setenv(it->first.c_str(), it->second->c_str(), 1);
        } else {
            unsetenv(it->first.c_str());
        }
    }
}

void ClientTest::SetUp() {
    m_environment.set("MOFO_ENGINE", fakeEngine().string());
    m_environment.set("MOFO_CLI", (binFolder() / "mofo").string());
    m_environment.set("MOFO_WORKSPACE", (m_folder / "workspace").string());
    m_environment.set("MOFO_LIBCUDA", "/nonexistent/libcuda.so.1");
    m_environment.set("MOFO_GPU_ROOT", (m_folder / "no-gpu").string());
    m_environment.set("MOFO_FAKE_STEP_MS", "10");
    writeTinyModel(model());
    std::string rows;
    for (int i = 0; i < 8; ++i) rows += R"({"question": "What is )" + std::to_string(i) + R"( + 1?", "answer": ")" + std::to_string(i + 1) + "\"}\n";
    writeFile(data(), rows);
    auto workspace = Workspace::openOrCreate(m_folder / "workspace", false);
    ASSERT_OK(workspace);
    m_workspace.emplace(std::move(workspace).value());
    auto registry = Registry::open(*m_workspace, Registry::Access::ReadWrite);
    ASSERT_OK(registry);
    m_registry.emplace(std::move(registry).value());
}

// No process of a test may outlive its workspace.
void ClientTest::TearDown() {
    if (const auto pid = supervisorPid()) kill(static_cast<pid_t>(*pid), SIGKILL);
    if (m_registry) {
        if (const auto runs = m_registry->runs(true); runs.ok()) {
            for (const RunRow& run : *runs) {
                if (const auto pid = lockHolder(m_workspace->runLock(run.id))) kill(static_cast<pid_t>(*pid), SIGKILL);
            }
        }
        if (const auto jobs = m_registry->jobs(); jobs.ok()) {
            for (const JobRow& job : *jobs) {
                if (const auto pid = lockHolder(m_workspace->jobLock(job.id))) kill(static_cast<pid_t>(*pid), SIGKILL);
            }
        }
    }
    EXPECT_TRUE(eventually([&] { return !m_workspace || !FileLock::isHeld(m_workspace->deviceLock("cpu")); }, 5));
}

RunConfig ClientTest::config(const std::vector<std::pair<std::string, std::string>>& values) const {
    RunConfig config;
    const auto set = [&](const std::string& key, const std::string& value) {
        const auto done = setConfigValue(config, key, value);
        EXPECT_TRUE(done.ok()) << done.error().text();
    };
    set("model", model().string());
    set("data", data().string());
    set("device", "cpu");
    set("steps", "20");
    for (const auto& [key, value] : values) set(key, value);
    return config;
}

Result<RunRow> ClientTest::start(const std::vector<std::pair<std::string, std::string>>& values, bool supervised, const std::string& name) {
    StartOptions options;
    options.startSupervisor = supervised;
    options.name = name;
    return startRun(workspace(), registry(), config(values), options);
}

RunState ClientTest::stateOf(const std::string& id) {
    const auto run = registry().findRun(id);
    EXPECT_TRUE(run.ok());
    return run.ok() ? run->state : RunState::Draft;
}

bool ClientTest::reaches(const std::string& id, RunState state, double seconds) {
    return eventually([&] { return stateOf(id) == state; }, seconds);
}

std::int64_t ClientTest::stepOf(const std::string& id) {
    const auto run = registry().findRun(id);
    return run.ok() ? currentStep(workspace(), *run) : -1;
}

std::int64_t ClientTest::engineOf(const std::string& id) { return lockHolder(workspace().runLock(id)).value_or(0); }

std::optional<std::int64_t> ClientTest::supervisorPid() { return m_workspace ? lockHolder(m_workspace->deviceLock("cpu")) : std::nullopt; }

}  // namespace mofo::test
