// One open workspace: the reading and the writing thread, the models they feed, and the run on screen.
#pragma once

#include <QObject>
#include <QThread>
#include <QTimer>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "ui/controllers/reading_pace.h"
#include "ui/controllers/tuning_controller.h"
#include "ui/models/run_batch.h"
#include "ui/models/run_data.h"
#include "ui/models/run_table_model.h"

namespace mofo {

class CommandSender;
class StoreReader;

class WorkspaceSession : public QObject {
    Q_OBJECT
public:
    explicit WorkspaceSession(std::filesystem::path workspace, QObject* parent = nullptr);
    ~WorkspaceSession() override;

    [[nodiscard]] const std::filesystem::path& folder() const { return m_folder; }
    /// Whether the workspace is looked at only (core/store/recording.h).
    [[nodiscard]] bool isRecording() const { return m_isRecording; }
    [[nodiscard]] RunTableModel& runs() { return *m_runs; }
    [[nodiscard]] RunData& run() { return *m_run; }
    [[nodiscard]] TuningController& tuning() { return *m_tuning; }
    /// Whether the list has been read once.
    [[nodiscard]] bool isListRead() const { return m_listRead; }
    [[nodiscard]] bool isWorkspaceMissing() const { return m_missing; }
    /// Why the workspace cannot be read; empty where it can.
    [[nodiscard]] const QString& problem() const { return m_problem; }
    [[nodiscard]] const QString& shownRun() const { return m_shownRun; }

    /// Starts reading.
    void start();
    /// Follows a run; batches of the one shown before are dropped.
    void showRun(const QString& id);
    /// The run of that id, unique id prefix or unique name, as soon as the list holds it.
    void showRunNamed(const QString& text);
    /// Asks for the histograms of |m| of a measured step; RunData has them a little later.
    void wantHistograms(std::int64_t step);
    /// Reads at once, without waiting for the next beat.
    void readNow();
    /// A hidden or minimised window asks less often.
    void setSlow(bool slow);

Q_SIGNALS:
    void listChanged();
    void shownRunChanged();
    /// The comparison report of a group has been written since this window looked first.
    void reportWritten(const QString& file);
    /// Once per drawing beat (33 ms) in which anything arrived for the run on screen.
    void dataMoved();

protected:
    /// Of the application: keys and mouse, after which news is wanted at once.
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void onList(const RunListBatchPtr& batch);
    void onRun(const RunBatchPtr& batch);
    void moveData();
    void setRunPeriod(double ms);
    void resolveWantedRun();

    const std::filesystem::path m_folder;
    const bool m_isRecording;
    QThread m_readThread, m_writeThread;
    StoreReader* m_reader;    ///< lives on m_readThread
    CommandSender* m_sender;  ///< lives on m_writeThread
    RunTableModel* m_runs;
    RunData* m_run;
    TuningController* m_tuning;
    QTimer m_beat;
    Stopwatch m_clock;
    ReadingPace m_pace;
    int m_runPeriodMs = static_cast<int>(ReadingPace::fastestMs);
    std::vector<RunBatchPtr> m_waiting;
    std::vector<RunRow> m_newestList;
    std::map<std::string, std::string> m_reports;  ///< as last read
    QString m_shownRun, m_wantedRun, m_problem;
    std::uint64_t m_request = 0;
    std::vector<std::int64_t> m_wantedHistograms;  ///< asked for and not there yet
    bool m_missing = false;
    bool m_listRead = false;
};

}  // namespace mofo
