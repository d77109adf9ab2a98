#include "ui/controllers/window_presence.h"

#include <QSettings>
#include <algorithm>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/store/recording.h"
#include "core/store/run_metrics.h"
#include "ui/controllers/store_worker.h"
#include "ui/models/display_text.h"

namespace mofo {

namespace {

constexpr auto raiseSetting = "window.raise";
constexpr int lookMs = 1000;
// Shorter than this nobody was away.
constexpr double awaySeconds = 60;

}  // namespace

bool WindowLock::acquire() {
    // A recording has as many windows as one likes.
    std::error_code ec;
    if (!std::filesystem::is_directory(m_folder, ec) || isRecording(m_folder)) return true;
    Result<FileLock> lock = FileLock::tryAcquire(m_folder / "window.lock");
    if (lock.ok()) {
        m_lock = std::move(lock).value();
        return true;
    }
    // So has a folder that is not writable.
    return lock.error().code != ErrorCode::Busy;
}

Result<void> WindowLock::askToRaise() const {
    MOFO_TRY(const Workspace workspace, Workspace::open(m_folder));
    MOFO_TRY(Registry registry, Registry::open(workspace, Registry::Access::ReadWrite));
    return registry.setSetting(raiseSetting, newUuid());
}

WindowPresence::WindowPresence(StoreWorker* worker, QSettings* settings, QObject* parent) : QObject(parent), m_worker(worker), m_settings(settings) {
    m_look.setInterval(lookMs);
    connect(&m_look, &QTimer::timeout, this, &WindowPresence::look);
}

void WindowPresence::watch() {
    m_look.start();
    look();
}

void WindowPresence::look() {
    m_worker->submit(
        StoreWorker::Needs::Reading,
        [](const Workspace&, Registry& registry) -> Result<Json> {
            MOFO_TRY(const std::optional<std::string> asked, registry.setting(raiseSetting));
            return Json(asked.value_or(""));
        },
        this,
        [this](const Result<Json>& asked) {
            if (!asked.ok()) return;
            const auto request = asked->get<std::string>();
            if (m_raise && *m_raise != request) Q_EMIT raiseWanted();
            m_raise = request;
        });
}

QString WindowPresence::group() const {
    return QStringLiteral("seen/") + QString::fromStdString(sha256Hex(m_worker->folder().string()).substr(0, 16));
}

void WindowPresence::noteRuns(const std::vector<RunRow>& runs) {
    m_runs = runs;
    if (m_settings == nullptr || runs.empty()) return;
    if (!m_compared) {
        m_compared = true;
        compare(runs);
    }
}

void WindowPresence::remember() {
    if (m_settings == nullptr || m_runs.empty()) return;
    m_settings->beginGroup(group());
    m_settings->remove(QString());
    m_settings->setValue(QStringLiteral("wallNs"), static_cast<qlonglong>(wallNs()));
    for (const RunRow& run : m_runs) {
        const QString id = QString::fromStdString(run.id);
        m_settings->setValue(
            id, QStringList{QString::number(run.summary.step), run.summary.loss ? QString::number(*run.summary.loss, 'g', 17) : QString(),
                            isEnded(run.state) ? QStringLiteral("ended") : QString()});
    }
    m_settings->endGroup();
    m_settings->sync();
}

void WindowPresence::compare(const std::vector<RunRow>& runs) {
    m_settings->beginGroup(group());
    const qlonglong since = m_settings->value(QStringLiteral("wallNs"), 0).toLongLong();
    AwayNews best;
    bool wasLive = false;
    for (const RunRow& run : runs) {
        const QStringList seen = m_settings->value(QString::fromStdString(run.id)).toStringList();
        if (since == 0 || seen.size() != 3 || !seen[2].isEmpty()) continue;
        const std::int64_t steps = run.summary.step - seen[0].toLongLong();
        if (steps < best.steps || (steps == 0 && !isEnded(run.state))) continue;
        best.runId = QString::fromStdString(run.id);
        best.name = ui::shown(run.name);
        best.steps = steps;
        best.lossBefore = seen[1].isEmpty() ? std::nullopt : std::optional<double>(seen[1].toDouble());
        best.lossNow = run.summary.loss;
        best.endState = isEnded(run.state) ? ui::stateText(run.state) : QString();
        wasLive = true;
    }
    m_settings->endGroup();
    best.seconds = static_cast<double>(wallNs() - since) * 1e-9;
    if (!wasLive || best.seconds < awaySeconds) return;
    m_worker->submit(
        StoreWorker::Needs::Reading,
        [id = best.runId.toStdString(), since](const Workspace& workspace, Registry&) -> Result<Json> {
            MOFO_TRY(const MetricsReader reader, MetricsReader::open(workspace.metricsFile(id)));
            MOFO_TRY(const std::vector<CheckpointRow> checkpoints, reader.checkpoints());
            MOFO_TRY(const std::vector<EventRow> events, reader.eventsAfter(0));
            return Json{
                {"checkpoints", std::count_if(checkpoints.begin(), checkpoints.end(), [&](const CheckpointRow& row) { return row.wallNs > since; })},
                {"guards",
                 std::count_if(events.begin(), events.end(), [&](const EventRow& row) { return row.wallNs > since && row.who == "guard"; })}};
        },
        this,
        [this, best](const Result<Json>& found) {
            AwayNews news = best;
            if (found.ok()) {
                news.checkpoints = (*found)["checkpoints"].get<int>();
                news.guardRails = (*found)["guards"].get<int>();
            }
            Q_EMIT wasAway(news);
        });
}

}  // namespace mofo
