#include "ui/controllers/workspace_session.h"

#include <malloc.h>

#include <QCoreApplication>
#include <QEvent>
#include <algorithm>
#include <cmath>
#include <ctime>
#include <utility>

#include "core/store/recording.h"
#include "ui/controllers/command_sender.h"
#include "ui/controllers/store_reader.h"

namespace mofo {

namespace {

constexpr int beatMs = 33;
constexpr int trimMs = 300;
/// Changes of pace below this share are not worth a message to the reader.
constexpr double samePace = 0.2;

/// Of all threads of this program.
double processorMs() {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return 1e3 * static_cast<double>(used.tv_sec) + 1e-6 * static_cast<double>(used.tv_nsec);
}

}  // namespace

WorkspaceSession::WorkspaceSession(std::filesystem::path workspace, QObject* parent)
    : QObject(parent),
      m_folder(std::move(workspace)),
      m_isRecording(mofo::isRecording(m_folder)),
      m_reader(new StoreReader(m_folder)),
      m_sender(new CommandSender(m_folder)),
      m_runs(new RunTableModel(this)),
      m_run(new RunData(this)),
      m_tuning(new TuningController(m_run, this)),
      m_pace(std::max(1, QThread::idealThreadCount())) {
    m_tuning->setRecording(m_isRecording);
    qRegisterMetaType<RunListBatchPtr>();
    qRegisterMetaType<RunBatchPtr>();
    qRegisterMetaType<HistogramBatchPtr>();
    qRegisterMetaType<Json>("mofo::Json");
    m_readThread.setObjectName(QStringLiteral("store reader"));
    m_writeThread.setObjectName(QStringLiteral("command sender"));
    m_reader->moveToThread(&m_readThread);
    m_sender->moveToThread(&m_writeThread);
    connect(&m_readThread, &QThread::finished, m_reader, &QObject::deleteLater);
    connect(&m_writeThread, &QThread::finished, m_sender, &QObject::deleteLater);

    connect(m_reader, &StoreReader::runListRead, this, &WorkspaceSession::onList);
    connect(m_reader, &StoreReader::runRead, this, &WorkspaceSession::onRun);
    connect(m_reader, &StoreReader::histogramsRead, this, [this](const HistogramBatchPtr& batch) {
        if (batch->request != m_request) return;
        std::erase(m_wantedHistograms, batch->step);
        m_run->takeHistograms(batch);
    });
    connect(m_tuning, &TuningController::commandWanted, m_sender, &CommandSender::send);
    connect(m_tuning, &TuningController::resumeWanted, m_sender, &CommandSender::resumeEndedRun);
    connect(m_tuning, &TuningController::withdrawWanted, m_sender, &CommandSender::withdraw);
    connect(m_tuning, &TuningController::rewindWanted, m_sender, &CommandSender::rewind);
    connect(m_tuning, &TuningController::branchWanted, m_sender, &CommandSender::branch);
    connect(m_tuning, &TuningController::childWanted, m_sender, &CommandSender::resumeAsChild);
    connect(m_tuning, &TuningController::draftWanted, m_sender, &CommandSender::keepDraft);
    connect(m_sender, &CommandSender::done, m_tuning, &TuningController::onDone);
    connect(m_sender, &CommandSender::branched, m_tuning, &TuningController::onBranched);
    connect(m_sender, &CommandSender::done, m_reader, &StoreReader::readNow);
    connect(m_sender, &CommandSender::branched, m_reader, &StoreReader::readNow);
    connect(m_sender, &CommandSender::sent, m_tuning, &TuningController::onSent);
    connect(m_sender, &CommandSender::resumed, m_tuning, &TuningController::onResumed);
    connect(m_sender, &CommandSender::failed, m_tuning, &TuningController::onFailed);
    connect(m_sender, &CommandSender::sent, m_reader, &StoreReader::readNow);
    connect(m_sender, &CommandSender::resumed, m_reader, &StoreReader::readNow);

    m_beat.setSingleShot(true);
    m_beat.setInterval(beatMs);
    connect(&m_beat, &QTimer::timeout, this, &WorkspaceSession::moveData);
    QCoreApplication::instance()->installEventFilter(this);
}

WorkspaceSession::~WorkspaceSession() {
    m_reader->announceRequest(0);
    if (!m_readThread.isRunning()) {
        delete m_reader;
        delete m_sender;
        return;
    }
    // What is staged outlives the window; the writer takes it before it stops.
    m_tuning->flushDraft();
    QMetaObject::invokeMethod(
        m_sender, [] {}, Qt::BlockingQueuedConnection);
    m_readThread.quit();
    m_writeThread.quit();
    m_readThread.wait();
    m_writeThread.wait();
}

void WorkspaceSession::start() {
    m_readThread.start();
    m_writeThread.start();
    QMetaObject::invokeMethod(m_reader, &StoreReader::start);
}

void WorkspaceSession::showRun(const QString& id) {
    m_wantedRun.clear();
    if (id == m_shownRun) return;
    m_shownRun = id;
    m_waiting.clear();
    m_run->clear();
    m_wantedHistograms.clear();
    const quint64 request = ++m_request;
    m_reader->announceRequest(request);
    QMetaObject::invokeMethod(m_reader, [reader = m_reader, id, request] { reader->showRun(id, request); });
    Q_EMIT shownRunChanged();
}

void WorkspaceSession::showRunNamed(const QString& text) {
    m_wantedRun = text;
    resolveWantedRun();
}

void WorkspaceSession::resolveWantedRun() {
    if (m_wantedRun.isEmpty()) return;
    const std::string wanted = m_wantedRun.toStdString();
    const RunRow* found = nullptr;
    int prefixes = 0, names = 0;
    for (const RunRow& run : m_newestList) {
        if (run.id == wanted) {
            showRun(QString::fromStdString(run.id));
            return;
        }
        if (run.name == wanted) {
            ++names;
            found = &run;
        } else if (run.id.starts_with(wanted)) {
            ++prefixes;
            if (names == 0) found = &run;
        }
    }
    if (found != nullptr && (names == 1 || (names == 0 && prefixes == 1))) showRun(QString::fromStdString(found->id));
}

void WorkspaceSession::wantHistograms(std::int64_t step) {
    const bool asked = std::find(m_wantedHistograms.begin(), m_wantedHistograms.end(), step) != m_wantedHistograms.end();
    if (asked || m_run->histogramsOf(step) != nullptr) return;
    m_wantedHistograms.push_back(step);
    QMetaObject::invokeMethod(m_reader, [reader = m_reader, step] { reader->readHistograms(step); });
}
void WorkspaceSession::readNow() { QMetaObject::invokeMethod(m_reader, &StoreReader::readNow); }

void WorkspaceSession::setSlow(bool slow) {
    QMetaObject::invokeMethod(m_reader, [reader = m_reader, slow] { reader->setSlow(slow); });
}

void WorkspaceSession::setRunPeriod(double ms) {
    if (std::abs(ms - m_runPeriodMs) <= samePace * m_runPeriodMs) return;
    m_runPeriodMs = static_cast<int>(std::lround(ms));
    QMetaObject::invokeMethod(m_reader, [reader = m_reader, period = m_runPeriodMs] { reader->setRunPeriod(period); });
}

bool WorkspaceSession::eventFilter(QObject* watched, QEvent* event) {
    switch (event->type()) {
        case QEvent::KeyPress:
        case QEvent::MouseButtonPress:
        case QEvent::MouseMove:
        case QEvent::Wheel:
        case QEvent::TouchBegin:
            m_pace.noteInput(m_clock.elapsedMs());
            if (m_runPeriodMs > ReadingPace::fastestMs) {
                setRunPeriod(ReadingPace::fastestMs);
                readNow();
            }
            break;
        default: break;
    }
    return QObject::eventFilter(watched, event);
}

void WorkspaceSession::onList(const RunListBatchPtr& batch) {
    const bool isFirst = !std::exchange(m_listRead, true);
    m_missing = batch->missing;
    m_problem = batch->problem;
    if (m_problem.isEmpty()) {
        m_newestList = batch->runs;
        m_runs->setRuns(batch->runs, batch->groups);
        resolveWantedRun();
        const auto known = std::exchange(m_reports, batch->reports);
        for (const auto& [id, file] : m_reports) {
            if (!isFirst && !known.contains(id)) Q_EMIT reportWritten(QString::fromStdString(file));
        }
    }
    Q_EMIT listChanged();
}

void WorkspaceSession::onRun(const RunBatchPtr& batch) {
    if (batch->request != m_request) return;
    m_waiting.push_back(batch);
    if (!m_beat.isActive()) m_beat.start();
}

void WorkspaceSession::moveData() {
    const std::vector<RunBatchPtr> batches = std::exchange(m_waiting, {});
    const bool wasComplete = m_run->isComplete();
    std::size_t rows = 0;
    for (const RunBatchPtr& batch : batches) {
        m_run->take(*batch);
        rows += batch->steps.size() + batch->tensors.size();
    }
    Q_EMIT dataMoved();
    const std::optional<RunRow>& run = m_run->run();
    setRunPeriod(m_pace.next(m_clock.elapsedMs(), processorMs(), run && run->device == "cpu" && !isEnded(run->state)));
    // A long history came in batches that the other thread filled: the pages they lay on go back to the system.
    if (!wasComplete && m_run->isComplete() && rows > 0) QTimer::singleShot(trimMs, this, [] { malloc_trim(0); });
}

}  // namespace mofo
