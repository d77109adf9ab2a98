// Reads one compared run, on a thread of its own with a read-only connection; once a second for what is new. Never writes.
#pragma once

#include <QObject>
#include <QThread>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/store/run_metrics.h"
#include "ui/models/compared_runs.h"

class QTimer;

namespace mofo {

/// Lives on its run's thread: call its slots through queued connections.
class CompareReader : public QObject {
    Q_OBJECT
public:
    CompareReader(std::filesystem::path workspace, std::string runId);
    ~CompareReader() override;
    /// The newest request; what is read for an older one stops as soon as it sees this. Any thread.
    void announceRequest(std::uint64_t request) { m_wantedRequest.store(request, std::memory_order_relaxed); }

public Q_SLOTS:
    /// Reads these series from the first row on, then what is new.
    void follow(const std::vector<std::string>& series, mofo::CompareX x, quint64 request);

Q_SIGNALS:
    void read(const mofo::ComparedBatchPtr& batch);

private:
    void poll();
    [[nodiscard]] Result<void> readNews();
    void begin();
    void handOver(bool complete, const QString& problem);
    [[nodiscard]] bool isStale() const { return m_wantedRequest.load(std::memory_order_relaxed) != m_request; }

    const std::filesystem::path m_folder;
    const std::string m_runId;
    std::atomic<std::uint64_t> m_wantedRequest{0};
    std::uint64_t m_request = 0;
    std::vector<std::string> m_series;
    CompareX m_x;
    std::optional<MetricsReader> m_metrics;
    std::unique_ptr<ComparedExtract> m_extract;
    std::int64_t m_version = -1, m_supersessions = 0;
    std::int64_t m_stepSeq = 0, m_tensorSeq = 0, m_evalSeq = 0, m_machineSeq = 0, m_probeSeq = 0;
    std::vector<std::string> m_further;
    bool m_parametersRead = false, m_reset = true, m_answered = false;
    QString m_problem;
    QTimer* m_timer = nullptr;
};

/// One reader with its thread per run of the model.
class CompareFollower : public QObject {
    Q_OBJECT
public:
    CompareFollower(std::filesystem::path workspace, ComparedRuns* runs, QObject* parent = nullptr);
    ~CompareFollower() override;
    /// Reading stops while nobody looks; what was read stays.
    void setActive(bool active);
    [[nodiscard]] std::size_t threadCount() const { return m_readers.size(); }

private:
    struct Reader {
        std::unique_ptr<QThread> thread;
        CompareReader* reader = nullptr;
    };
    void match();
    void start(Reader& reader);
    static void stop(Reader& reader);

    const std::filesystem::path m_folder;
    ComparedRuns* m_runs;
    std::map<QString, Reader> m_readers;
    std::uint64_t m_request = 1;
    bool m_active = false;
};

}  // namespace mofo
