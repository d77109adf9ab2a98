// Carries what the trainer measures to the store on a thread of its own, so that no step waits for a disk.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/base/disk_reserve.h"
#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"

namespace mofo {

/// Owns the run's MetricsWriter and a registry connection. Batches are written in the order of add(), at most four times a second unless
/// flushed; nothing is ever dropped: a full queue (kMostSteps steps) makes add() wait. Also writes the heartbeat, the summary for lists and a
/// machine row once a second. All members may be called from any thread.
///
/// What cannot be written because the disk is full, the database is locked or may not be written stays, and is tried again every half second:
/// trouble() says so, and the trainer should wait. Any other failure is final (isBroken()). A locked registry holds up nothing but what lists show.
///
/// Some disk space is held back in the run's folder: on a full disk it is given up, and events, answers, checkpoints and the status are written into
/// it, while measurements wait until there is room again and space is held back once more.
class MetricsQueue {
public:
    MetricsQueue(MetricsWriter writer, Registry registry, std::string runId, std::filesystem::path folder);
    ~MetricsQueue();
    MetricsQueue(const MetricsQueue&) = delete;
    MetricsQueue& operator=(const MetricsQueue&) = delete;

    void add(MetricsBatch batch);
    /// The state and summary that lists show; written with the next batch.
    void setSummary(const RunSummary& summary);
    void setState(RunState state, std::string_view endReason = {});
    /// The config that lists show, as changes left it.
    void setConfig(const RunConfig& config);
    /// Returns when everything added so far is in metrics.db, or with the error of the first attempt from now on that failed; what failed stays.
    Result<void> flush();
    /// The same, and what lists show is in the registry.
    Result<void> flushAll();
    /// Why the run's metrics cannot be written at present, or ever again; empty while they can.
    [[nodiscard]] std::optional<Error> trouble() const;
    [[nodiscard]] bool isBroken() const;
    /// The user does not want to wait for room on a disk: measurements that do not fit are left out, and an event names them.
    void stopWaiting();
    /// Whether, after stopWaiting(), all but measurements is committed, or did not get there within some seconds.
    [[nodiscard]] bool mayEnd() const;
    /// seq of the newest event, everything added so far being committed.
    Result<std::int64_t> lastEventSeq();
    /// Calls the writer directly, in order with the batches.
    Result<void> writeFact(std::string_view key, const Json& value);
    Result<void> supersedeAfter(std::int64_t step, MetricsWriter::Supersede what = MetricsWriter::Supersede::Measurements,
                                const MetricsBatch& with = {});

private:
    void run();
    void writePending(std::unique_lock<std::mutex>& lock);
    Result<void> flushUpTo(const std::int64_t& written, bool lists);
    std::optional<Error> writeBatch(MetricsBatch& batch);
    void holdReserves();
    void noteStatus(const MetricsBatch& written);
    Result<void> writeToRegistry(std::optional<RunSummary>& summary);
    MachineRow measureMachine();

    std::mutex m_writing;  ///< held while m_writer or m_registry is used; taken before m_mutex
    MetricsWriter m_writer;
    Registry m_registry;
    const std::string m_runId;
    const std::filesystem::path m_folder;
    const DiskReserve m_reserve;
    const std::uint64_t m_reserveBytes;
    // Of the thread alone.
    std::optional<Error> m_full;     ///< the reserve is given up: what the disk said then
    std::string m_saidStatus;        ///< phase and detail, as they were written last
    std::int64_t m_listAgainNs = 0;  ///< bootNs, before which the registry is left alone
    std::int64_t m_lastBeatNs = 0, m_lastStatusNs = 0, m_lastCpuIdle = 0, m_lastCpuTotal = 0;
    bool m_leftOutSaid = false;

    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    MetricsBatch m_pending;
    std::optional<StatusRow> m_status;
    std::optional<RunSummary> m_summary;
    std::optional<std::pair<RunState, std::string>> m_state;
    std::optional<RunConfig> m_config;
    std::optional<Error> m_error;                           ///< of the last attempt at metrics.db
    std::optional<Error> m_registryError;                   ///< of the last attempt at workbench.db
    bool m_broken = false, m_scarce = false;                ///< m_scarce: as m_full
    std::int64_t m_waitingEndedNs = 0;                      ///< bootNs, 0 = not
    std::int64_t m_added = 0, m_written = 0, m_listed = 0;  ///< m_written: in metrics.db; m_listed: in the registry too
    std::int64_t m_begun = 0, m_finished = 0;               ///< attempts
    bool m_urgent = false, m_ending = false;
    std::thread m_thread;
};

}  // namespace mofo
