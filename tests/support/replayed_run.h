// The scripted engine that replays: a run that was recorded somewhere is told again, step by step, into another workspace through the store's
// own writers, as if it were happening now.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/file.h"
#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace mofo::test {

class ReplayedRun {
public:
    /// Adds the run with its first configuration and its commands as starting, and holds its lock. `run`: id or name in `source`.
    static Result<ReplayedRun> create(const Workspace& workspace, const Workspace& source, const std::string& run);

    [[nodiscard]] const std::string& id() const { return m_run.id; }
    [[nodiscard]] std::int64_t step() const { return m_step; }
    [[nodiscard]] std::int64_t lastStep() const { return m_recorded.summary.step; }
    /// What was recorded up to this step, in one transaction: measurements, evaluations, probes, events, answers, machine.
    Result<void> advanceTo(std::int64_t step);
    /// The rest of the recording, and the state it ended in.
    Result<void> finish();
    /// Lets go of the lock without a word, as a killed engine does.
    void die() { m_lock.reset(); }

private:
    ReplayedRun(Workspace workspace, Registry registry, MetricsWriter writer, MetricsReader reader, FileLock lock, RunRow recorded, RunRow run);

    Workspace m_workspace;
    Registry m_registry;
    MetricsWriter m_writer;
    MetricsReader m_reader;  ///< of the recording
    std::optional<FileLock> m_lock;
    RunRow m_recorded, m_run;
    std::int64_t m_step = -1;   ///< nothing told yet, not even what came before the first update
    std::int64_t m_wallNs = 0;  ///< of the recording, up to where the machine was told
    bool m_began = false;
};

}  // namespace mofo::test
