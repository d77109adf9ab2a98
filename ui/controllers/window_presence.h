// One window per workspace, and what happened while none was open.
#pragma once

#include <QObject>
#include <QString>
#include <QTimer>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/base/file.h"
#include "core/store/registry.h"

class QSettings;

namespace mofo {

class StoreWorker;

/// Held while a window of the workspace lives; dies with the process, so it is never stale.
class WindowLock {
public:
    explicit WindowLock(std::filesystem::path workspace) : m_folder(std::move(workspace)) {}
    /// False where another window has it. A workspace that is not there yet has no other window: true, and nothing is held.
    bool acquire();
    /// Asks the window that has it to come to the front: one row in workbench.db.
    [[nodiscard]] Result<void> askToRaise() const;

private:
    std::filesystem::path m_folder;
    std::optional<FileLock> m_lock;
};

/// What a run did while no window of this workspace was open.
struct AwayNews {
    QString runId, name;
    double seconds = 0;
    std::int64_t steps = 0;
    std::optional<double> lossBefore, lossNow;
    int checkpoints = 0, guardRails = 0;
    QString endState;  ///< of a run that ended meanwhile, for people; else empty
};

class WindowPresence : public QObject {
    Q_OBJECT
public:
    /// `settings` may be null: nothing is remembered then.
    WindowPresence(StoreWorker* worker, QSettings* settings, QObject* parent = nullptr);

    /// From now on raiseWanted() follows a second start.
    void watch();
    /// The newest list: the first one is compared with what was seen last, the others are remembered.
    void noteRuns(const std::vector<RunRow>& runs);
    /// Writes down what is on screen now.
    void remember();

Q_SIGNALS:
    void raiseWanted();
    void wasAway(const mofo::AwayNews& news);

private:
    void look();
    void compare(const std::vector<RunRow>& runs);
    [[nodiscard]] QString group() const;

    StoreWorker* m_worker;
    QSettings* m_settings;
    QTimer m_look;
    std::optional<std::string> m_raise;  ///< the newest request that was there already
    std::vector<RunRow> m_runs;
    bool m_compared = false;
};

}  // namespace mofo

Q_DECLARE_METATYPE(mofo::AwayNews)
