// A small project with the real installer in it, and stand-ins for the tools that reach outside: apt, dpkg, pip, df, id, sudo, git, patchelf, sync.
// Each notes how it was called, so that tests can say what bootstrap did and what it did not do.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/test_support.h"

namespace mofo::test {

struct Outcome {
    int exitCode = -1;
    std::string text;  ///< stdout and stderr as they came
    double seconds = 0;
};

class FakeMachine {
public:
    FakeMachine();

    /// Variables that steer the stand-ins: FAKE_APT, FAKE_PIP ("offline", "hash", "slow", "full"), FAKE_FREE (bytes), FAKE_UID, FAKE_SUDO,
    /// FAKE_CHANGES (what git status prints).
    FakeMachine& set(const std::string& name, const std::string& value);
    /// Every package counts as installed.
    FakeMachine& withPackages();
    /// Runs installer/bootstrap with these arguments, at most 100 s.
    [[nodiscard]] Outcome bootstrap(const std::string& arguments) const;
    /// The command line that bootstrap() runs.
    [[nodiscard]] std::string commandLine(const std::string& arguments) const;
    /// How the stand-in was called since the last clearCalls(), one line per call.
    [[nodiscard]] std::vector<std::string> calls(const std::string& tool) const;
    void clearCalls() const;

    [[nodiscard]] std::filesystem::path cache() const { return m_root / "cache/mofo"; }
    [[nodiscard]] std::filesystem::path project() const { return m_root / "project"; }
    [[nodiscard]] std::filesystem::path folder() const { return m_root.path(); }
    /// Hidden temporary folders left in the cache.
    [[nodiscard]] std::size_t leftovers() const;

private:
    void writeTool(const std::string& name, const std::string& script) const;
    TemporaryFolder m_root;
    std::map<std::string, std::string> m_environment;
};

/// Below `root`, what the GPU probe sees of a loaded driver ($MOFO_GPU_ROOT).
void makeFakeGpu(const std::filesystem::path& root, const std::string& driver = "580.95.05");
/// A shell script that can be run, with the folders above it.
void makeProgram(const std::filesystem::path& path, std::string_view script);
/// A folder that looks like LibTorch of this version ("2.11.0"), as our cache has it: the version in a header alone.
void makeFakeTorch(const std::filesystem::path& folder, const std::string& version, bool withCuda = true);

/// Runs a shell command with stdout and stderr together.
[[nodiscard]] Outcome runShell(const std::string& command);

}  // namespace mofo::test
