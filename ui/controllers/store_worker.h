// Work on the store that the window asks for: writing rows, starting runs, reading what is not followed. One thread of its own, so that neither a
// locked workbench.db nor the sealing of a model ever blocks the event loop.
#pragma once

#include <QObject>
#include <QThread>
#include <filesystem>
#include <functional>
#include <optional>

#include "core/base/json.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

class StoreWorker : public QObject {
    Q_OBJECT
public:
    /// Runs on the worker's thread.
    using Job = std::function<Result<Json>(const Workspace& workspace, Registry& registry)>;
    /// Runs on the thread of the context it was given with.
    using Done = std::function<void(const Result<Json>& result)>;
    enum class Needs {
        Reading,       ///< a registry that is only read; NotFound where there is none
        Workspace,     ///< NotFound where there is none
        NewWorkspace,  ///< made if need be, as by every command that writes
    };

    explicit StoreWorker(std::filesystem::path workspace, QObject* parent = nullptr);
    /// Waits until all jobs are done; whoever gave it a long one has to be able to cancel that.
    ~StoreWorker() override;

    /// One job after the other, in order. `done` is dropped where `context` is gone.
    void submit(Needs needs, Job job, QObject* context, Done done = {});
    [[nodiscard]] const std::filesystem::path& folder() const { return m_folder; }

private:
    [[nodiscard]] Result<Json> run(Needs needs, const Job& job);

    const std::filesystem::path m_folder;
    std::optional<Workspace> m_workspace, m_readWorkspace;
    std::optional<Registry> m_registry, m_readRegistry;
    QThread m_thread;
    QObject* m_place;  ///< lives on m_thread
};

}  // namespace mofo
