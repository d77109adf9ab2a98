// Reads the store for the window, on a thread of its own with its own read-only connections. Never writes.
#pragma once

#include <QObject>
#include <QString>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "ui/models/run_batch.h"

class QTimer;

namespace mofo {

/// Asks for the run on screen 10 times a second, or as often as it is told, and for the list once a second; hands over only what is new. Lives on the
/// reading thread: call its slots through queued connections.
class StoreReader : public QObject {
    Q_OBJECT
public:
    explicit StoreReader(std::filesystem::path workspace);
    ~StoreReader() override;

    /// The newest request; a read for an older one stops as soon as it sees this. May be called from any thread.
    void announceRequest(std::uint64_t request) { m_wantedRequest.store(request, std::memory_order_relaxed); }

public Q_SLOTS:
    void start();
    /// Follows this run from its first row on; an empty id follows none.
    void showRun(const QString& id, quint64 request);
    /// Reads the histograms of one measured step of the run on screen; the newest wish counts.
    void readHistograms(qint64 step);
    /// While the window is hidden, list and run are read every three seconds; at once when it comes back.
    void setSlow(bool slow);
    /// Time between two readings of the run on screen; the list is not read more often.
    void setRunPeriod(int ms);
    /// Reads both at once, without waiting for the next beat.
    void readNow();

Q_SIGNALS:
    void runListRead(const mofo::RunListBatchPtr& batch);
    void runRead(const mofo::RunBatchPtr& batch);
    void histogramsRead(const mofo::HistogramBatchPtr& batch);

private:
    void startTimers();
    void readList();
    void readRun();
    /// Opens the registry where there is one; false and a problem text where it cannot be read.
    bool openRegistry();
    [[nodiscard]] Result<void> readMetrics(RunBatch& batch);
    [[nodiscard]] Result<void> readHistory(MetricsReader& reader, RunBatch& batch);
    void forgetPosition();
    /// The newest lines of the engine's log, where it has grown.
    Result<void> readSamples(MetricsReader& reader, RunBatch& batch);
    void readLog(RunBatch& batch);
    [[nodiscard]] bool isStale() const { return m_wantedRequest.load(std::memory_order_relaxed) != m_request; }
    void handOver(RunBatch&& batch);

    const std::filesystem::path m_folder;
    std::optional<Workspace> m_workspace;
    std::optional<Registry> m_registry;
    bool m_missing = false;
    QString m_registryProblem;
    std::int64_t m_listVersion = -1;
    bool m_listHasActive = false;

    std::string m_runId;
    std::uint64_t m_request = 0;
    std::atomic<std::uint64_t> m_wantedRequest{0};
    std::optional<MetricsReader> m_metrics;
    std::int64_t m_metricsVersion = -1;
    std::int64_t m_commandsVersion = -1;
    std::int64_t m_stepSeq = 0, m_tensorSeq = 0, m_evalSeq = 0, m_eventSeq = 0, m_machineSeq = 0, m_probeSeq = 0;
    std::map<std::string, std::int64_t> m_sampleSeq;  ///< by fixed prompt: the newest answer that was read
    std::uintmax_t m_logSize = 0;
    std::int64_t m_logReadNs = 0;
    bool m_initialConfigRead = false;
    std::int64_t m_supersessions = 0;
    bool m_parametersRead = false;
    bool m_historyRead = false;
    bool m_answered = false;  ///< the present request has had a batch
    QString m_runProblem;     ///< as last handed over

    QTimer* m_runTimer = nullptr;
    QTimer* m_listTimer = nullptr;
    int m_runPeriodMs = 100;
    bool m_slow = false;
};

}  // namespace mofo
