// What the main window tells: runs that ended, acts that were done, what happened meanwhile; and its acts that take time.
#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCall>
#include <QDesktopServices>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QProcess>
#include <QUrl>
#include <atomic>
#include <memory>

#include "core/base/file.h"
#include "core/base/hub_path.h"
#include "core/base/text.h"
#include "ui/controllers/hub_source.h"
#include "ui/controllers/model_import.h"
#include "ui/controllers/new_run_controller.h"
#include "ui/controllers/run_acts.h"
#include "ui/controllers/store_worker.h"
#include "ui/models/display_text.h"
#include "ui/models/hub_text.h"
#include "ui/widgets/first_screen.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/window_parts.h"

namespace mofo {

namespace {

const QString scanTask = QStringLiteral("scan"), startTask = QStringLiteral("start"), importTask = QStringLiteral("import");

}  // namespace

void MainWindow::connectNews() {
    connect(m_acts, &RunActs::done, this, [this](const QString& sentence, bool undoable) {
        m_toast->showText(sentence, undoable);
        m_notices->add(Notice::Kind::Hint, sentence);
    });
    connect(m_acts, &RunActs::failed, this, [this](const QString& sentence) { m_notices->add(Notice::Kind::Warning, sentence); });
    connect(m_acts, &RunActs::storeChanged, m_session, &WorkspaceSession::readNow);
    connect(m_presence, &WindowPresence::raiseWanted, this, &MainWindow::comeToFront);
    connect(m_presence, &WindowPresence::wasAway, this, &MainWindow::showAway);
    connect(m_notices, &NoticeLog::added, this, &MainWindow::tellDesktop);
    connect(m_newRun, &NewRunController::countsChanged, this, [this] {
        const DataCountsPtr& counts = m_newRun->counts();
        if (!m_newRun->isScanning()) {
            m_tasks->end(scanTask, counts ? tr("%1 rows").arg(ui::count(counts->fileRows)) : QString());
            return;
        }
        const bool isNew = m_tasks->tasks().empty() || m_tasks->tasks().front().id != scanTask || m_tasks->tasks().front().ended;
        if (isNew) m_tasks->begin(scanTask, tr("Reading the rows"));
        m_tasks->advance(scanTask, tr("%1 rows").arg(ui::count(counts ? counts->fileRows : 0)), counts ? counts->progress : 0);
    });
    connect(m_newRun, &NewRunController::startProgress, this, [this](const QString& phase, double share) {
        const bool isNew = m_tasks->tasks().empty() || m_tasks->tasks().front().id != startTask || m_tasks->tasks().front().ended;
        if (isNew) m_tasks->begin(startTask, tr("Starting the run"), [this] { m_newRun->cancelStart(); });
        m_tasks->advance(startTask, phase, share);
    });
    connect(m_newRun, &NewRunController::started, this, [this] { m_tasks->end(startTask, tr("started")); });
    connect(m_newRun, &NewRunController::comparisonChanged, this, [this] {
        if (m_newRun->comparison()) m_tasks->end(startTask, tr("worked out, nothing is queued yet"));
    });
    connect(m_session, &WorkspaceSession::reportWritten, this, [this](const QString& file) {
        const QString sentence = tr("The comparison report is written: %1").arg(ui::shown(file.toStdString()));
        m_notices->add(Notice::Kind::Hint, sentence);
        m_toast->showText(sentence, false);
        QDesktopServices::openUrl(QUrl::fromLocalFile(file));
    });
    connect(m_newRun, &NewRunController::comparisonQueued, this, [this](const QString& name, int runs) {
        showPage(RunsIndex);
        m_toast->showText(tr("%1: %2 runs are queued").arg(name).arg(runs), false);
    });
    connect(m_newRun, &NewRunController::startFailed, this, [this](const QString& sentence) {
        m_tasks->end(startTask, sentence, true);
        m_notices->add(Notice::Kind::Error, sentence);
    });
    for (const char* key : {"model", "data", "eval_data"}) connectDownload(*m_newRun->hub(key), QStringLiteral("hub.") + QLatin1String(key));
    connectDownload(*m_importSource, QStringLiteral("hub.import"));
}

void MainWindow::connectDownload(HubSource& source, const QString& task) {
    const auto titleOf = [&source] { return tr("Downloading %1").arg(ui::shown(source.plan()->reference.text())); };
    const auto advance = [this, &source, task] {
        const HubProgress& progress = source.progress();
        const double share = progress.totalBytes > 0 ? static_cast<double>(progress.doneBytes) / static_cast<double>(progress.totalBytes) : 0;
        m_tasks->advance(task, ui::downloadText(progress, false), share, progress.etaSeconds);
    };
    connect(&source, &HubSource::downloadBegun, this, [this, &source, task, titleOf, advance] {
        m_tasks->begin(task, titleOf(), [&source] { source.cancel(); });
        advance();
    });
    connect(&source, &HubSource::progressed, this, advance);
    connect(&source, &HubSource::downloadEnded, this, [this, &source, task](const QString& failure, bool cancelled) {
        if (cancelled) {
            m_tasks->end(task, tr("Cancelled. What has come is kept, and the next download goes on from there."));
            return;
        }
        const QString result =
            failure.isEmpty()
                ? tr("%1 is on this machine (%2)").arg(ui::shown(source.plan()->reference.text()), ui::shown(formatBytes(source.plan()->totalBytes)))
                : ui::shown(failure.toStdString());
        m_tasks->end(task, result, !failure.isEmpty());
        m_notices->add(failure.isEmpty() ? Notice::Kind::Hint : Notice::Kind::Error, result);
    });
}

void MainWindow::noteStates(const std::vector<RunRow>& runs) {
    m_presence->noteRuns(runs);
    for (const RunRow& run : runs) {
        const auto known = m_states.find(run.id);
        const bool isNews = m_listSeen && known != m_states.end() && known->second != run.state;
        m_states[run.id] = run.state;
        if (!isNews) continue;
        const QString name = ui::shown(run.name), id = QString::fromStdString(run.id), reason = ui::shown(run.endReason);
        const bool isWatched = page() == RunIndex && m_session->shownRun() == id && isActiveWindow();
        if (isEnded(run.state) && !isWatched) m_session->runs().setUnread(id, true);
        switch (run.state) {
            case RunState::Finished:
                m_notices->add(Notice::Kind::Hint,
                               run.summary.loss
                                   ? tr("%1 finished at step %2, loss %3").arg(name, ui::count(run.summary.step), ui::fourDigits(*run.summary.loss))
                                   : tr("%1 finished at step %2").arg(name, ui::count(run.summary.step)),
                               id);
                break;
            case RunState::Stopped: m_notices->add(Notice::Kind::Hint, tr("%1 stopped at step %2").arg(name, ui::count(run.summary.step)), id); break;
            case RunState::Failed:
                m_notices->add(Notice::Kind::Error, tr("%1 failed at step %2: %3").arg(name, ui::count(run.summary.step), reason), id);
                break;
            case RunState::Lost:
                m_notices->add(Notice::Kind::Error, tr("The engine of %1 ended without saying so at step %2").arg(name, ui::count(run.summary.step)),
                               id);
                break;
            default: break;
        }
    }
    m_listSeen = m_listSeen || m_session->isListRead();
}

void MainWindow::tellDesktop(const Notice& notice) {
    if (isActiveWindow() || notice.runId.isEmpty()) return;
    const QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected()) return;
    QDBusMessage message =
        QDBusMessage::createMethodCall(QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("/org/freedesktop/Notifications"),
                                       QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("Notify"));
    constexpr int desktopDecides = -1;
    message << tr("MoFO Workbench") << 0U << QStringLiteral("mofo-workbench") << tr("MoFO Workbench") << notice.text.toHtmlEscaped() << QStringList()
            << QVariantMap() << desktopDecides;
    bus.asyncCall(message);
}

void MainWindow::showAway(const AwayNews& news) {
    QStringList parts{tr("steps +%1").arg(ui::count(news.steps))};
    if (news.lossBefore && news.lossNow) parts << tr("loss %1 to %2").arg(ui::fourDigits(*news.lossBefore), ui::fourDigits(*news.lossNow));
    if (news.checkpoints > 0) parts << tr("checkpoints +%1").arg(news.checkpoints);
    if (news.guardRails > 0) parts << tr("guard rails hit: %1").arg(news.guardRails);
    if (!news.endState.isEmpty()) parts << news.endState;
    m_awayRun = news.runId;
    m_session->runs().setUnread(news.runId, true);
    m_away->setMessage(MessageBar::Kind::Hint,
                       tr("While you were away (%1), %2: %3.").arg(ui::duration(news.seconds), news.name, parts.join(QStringLiteral(", "))),
                       tr("Show"));
}

void MainWindow::comeToFront() {
    if (isMinimized()) setWindowState(windowState() & ~Qt::WindowMinimized);
    show();
    raise();
    activateWindow();
}

void MainWindow::refreshDisk() {
    // A network disk can take its time: not here.
    m_worker->submit(
        StoreWorker::Needs::Reading,
        [](const Workspace& workspace, Registry&) -> Result<Json> {
            MOFO_TRY(const std::uint64_t free, freeBytes(workspace.folder()));
            return Json(free);
        },
        this, [this](const Result<Json>& free) { m_status->setDisk(free.ok() ? free->get<quint64>() : 0); });
}

void MainWindow::sealFrom(const QString& path) {
    const std::string named = hubNameOrPath(path.toStdString());
    const QString name = named == path.toStdString() ? ui::shown(QFileInfo(path).fileName().toStdString()) : ui::shown(named);
    const auto cancel = std::make_shared<std::atomic<bool>>(false);
    m_tasks->begin(importTask, tr("Importing %1").arg(name), [cancel] { cancel->store(true); });
    mofo::importModel(
        *m_starter, path, this, [this](const QString& phase, double share) { m_tasks->advance(importTask, phase, share); }, cancel,
        [this](const Result<Json>& model) {
            const QString result =
                model.ok() ? tr("%1 is in the workspace, sealed (%2)")
                                 .arg(ui::shown((*model)["name"].get<std::string>()), ui::shown(formatBytes((*model)["bytes"].get<std::uint64_t>())))
                           : ui::shown(model.error().text());
            m_tasks->end(importTask, result, !model.ok());
            m_notices->add(model.ok() ? Notice::Kind::Hint : Notice::Kind::Error, result);
            m_toast->showText(result, false);
        });
}

void MainWindow::openWorkspace() {
    auto* dialog = new QFileDialog(this, tr("Open a workspace"), QString::fromStdString(m_session->folder().string()));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::startOther);
    dialog->open();
}

void MainWindow::startOther(const QString& workspace) {
    if (workspace.isEmpty()) return;
    if (!QProcess::startDetached(QCoreApplication::applicationFilePath(), {QStringLiteral("--workspace"), workspace})) {
        m_notices->add(Notice::Kind::Error, tr("A window on %1 could not be started.").arg(workspace));
    }
}

void MainWindow::startDemo() {
    RunForm& form = m_newRun->form();
    for (const Preset& preset : builtInPresets()) {
        if (preset.name == "demo") form.applyPreset(preset);
    }
    form.setName(tr("demo", "name of the demo's run"));
    form.setText("model", FirstScreen::demoModel());
    form.setText("data", FirstScreen::demoData());
    showPage(NewIndex);
    // As soon as model and rows have been looked at; on the page meanwhile it can be seen why it waits.
    auto* once = new QObject(this);
    connect(m_newRun, &NewRunController::summaryChanged, once, [this, once] {
        if (!m_newRun->whyNotStart().isEmpty()) return;
        once->deleteLater();
        m_newRun->start();
    });
}

void MainWindow::makeTwin(const QString& id) {
    const RunRow* const run = m_session->runs().run(id);
    if (run == nullptr) {
        m_toast->showText(tr("Show a run first: its twin starts with the same values."), false);
        return;
    }
    RunConfig config = run->config;
    config.model = run->modelId.empty() ? hubNameOrPath(config.model) : run->modelId;
    // Named as what they are, so that files that were cleared away since can come again.
    config.data = hubNameOrPath(config.data);
    config.evalData = hubNameOrPath(config.evalData);
    m_newRun->form().setConfig(config);
    m_newRun->form().setName(tr("%1-twin", "name of a twin").arg(QString::fromStdString(run->name)));
    showPage(NewIndex);
}

}  // namespace mofo
