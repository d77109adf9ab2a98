// The folder that holds everything: its layout, its creation, its checks.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

class Workspace {
public:
    /// Opens an existing workspace for reading; NotFound where there is none (clients show an empty list then).
    static Result<Workspace> open(const std::filesystem::path& folder);
    /// Opens it, making folder and registry if need be. The default place is made with its parents, a named one only if its
    /// parent exists. Refused: another user's folder, a network file system, not writable, a file in the way. What the registry's
    /// own file may be refused for, Registry::open says.
    static Result<Workspace> openOrCreate(const std::filesystem::path& folder, bool isDefaultPlace);

    [[nodiscard]] const std::filesystem::path& folder() const { return m_folder; }
    [[nodiscard]] std::filesystem::path registryFile() const { return m_folder / "workbench.db"; }
    [[nodiscard]] std::filesystem::path modelFolder(std::string_view id) const { return m_folder / "models" / id; }
    [[nodiscard]] std::filesystem::path runFolder(std::string_view id) const { return m_folder / "runs" / id; }
    [[nodiscard]] std::filesystem::path jobFolder(std::string_view id) const { return m_folder / "jobs" / id; }
    [[nodiscard]] std::filesystem::path deviceLock(std::string_view device) const;  ///< devices/cpu.lock, devices/cuda-0.lock
    [[nodiscard]] std::filesystem::path runLock(std::string_view id) const { return runFolder(id) / "lock"; }
    [[nodiscard]] std::filesystem::path jobLock(std::string_view id) const { return jobFolder(id) / "lock"; }
    [[nodiscard]] std::filesystem::path metricsFile(std::string_view runId) const { return runFolder(runId) / "metrics.db"; }
    [[nodiscard]] std::filesystem::path checkpointsFolder(std::string_view runId) const { return runFolder(runId) / "checkpoints"; }

private:
    explicit Workspace(std::filesystem::path folder) : m_folder(std::move(folder)) {}
    std::filesystem::path m_folder;
};

/// Of the library that is linked: "3.40.1".
[[nodiscard]] std::string sqliteVersion();

}  // namespace mofo
