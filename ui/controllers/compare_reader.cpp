#include "ui/controllers/compare_reader.h"

#include <QTimer>
#include <algorithm>
#include <utility>

#include "core/store/workspace.h"
#include "ui/models/display_text.h"

namespace mofo {

namespace {

constexpr int periodMs = 1000;
constexpr std::int64_t stepRowsAtOnce = 50'000;
constexpr std::int64_t tensorRowsAtOnce = 200;

}  // namespace

CompareReader::CompareReader(std::filesystem::path workspace, std::string runId) : m_folder(std::move(workspace)), m_runId(std::move(runId)) {}

CompareReader::~CompareReader() = default;

void CompareReader::follow(const std::vector<std::string>& series, CompareX x, quint64 request) {
    m_series = series;
    m_x = x;
    m_request = request;
    begin();
    if (m_timer == nullptr) {
        m_timer = new QTimer(this);
        m_timer->setTimerType(Qt::CoarseTimer);
        connect(m_timer, &QTimer::timeout, this, &CompareReader::poll);
        m_timer->start(periodMs);
    }
    poll();
}

void CompareReader::begin() {
    m_extract = std::make_unique<ComparedExtract>(m_series, m_x);
    m_version = -1;
    m_stepSeq = m_tensorSeq = m_evalSeq = m_machineSeq = m_probeSeq = 0;
    m_parametersRead = false;
    m_reset = true;
    m_answered = false;
}

void CompareReader::poll() {
    if (isStale() || m_extract == nullptr) return;
    const Result<void> result = readNews();
    if (result.ok() || result.error().code == ErrorCode::Busy) return;
    m_metrics.reset();
    begin();
    // A run that has not begun has no file yet: that is no fault.
    const QString problem = result.error().code == ErrorCode::NotFound ? QString() : ui::shown(result.error().text());
    if (m_answered && problem == m_problem) return;
    handOver(true, problem);
}

Result<void> CompareReader::readNews() {
    if (!m_metrics) {
        MOFO_TRY(const Workspace workspace, Workspace::open(m_folder));
        MOFO_TRY(m_metrics, MetricsReader::open(workspace.metricsFile(m_runId)));
    }
    const std::int64_t version = m_metrics->dataVersion();
    if (version == m_version) return {};
    MOFO_TRY(const std::int64_t supersessions, m_metrics->supersessions());
    if (m_stepSeq > 0 && supersessions != m_supersessions) begin();
    m_supersessions = supersessions;
    if (!m_parametersRead) {
        MOFO_TRY(const std::vector<ParameterRow> parameters, m_metrics->parameters());
        m_parametersRead = !parameters.empty();
        m_extract->setParameters(parameters);
        for (const ParameterRow& parameter : parameters) {
            const std::string id = "drift:" + parameter.kind;
            if (std::find(m_further.begin(), m_further.end(), id) == m_further.end()) m_further.push_back(id);
        }
    }
    for (;;) {
        MOFO_TRY(const std::vector<StepRow> steps, m_metrics->stepsAfter(m_stepSeq, stepRowsAtOnce));
        if (!steps.empty()) m_stepSeq = steps.back().seq;
        m_extract->takeSteps(steps);
        if (static_cast<std::int64_t>(steps.size()) < stepRowsAtOnce) break;
        handOver(false, {});
        if (isStale()) return {};
    }
    MOFO_TRY(const std::vector<EvalRow> evals, m_metrics->evalsAfter(m_evalSeq));
    if (!evals.empty()) m_evalSeq = evals.back().seq;
    m_extract->takeEvals(evals);
    MOFO_TRY(const std::vector<ProbeRow> probes, m_metrics->probesAfter(m_probeSeq));
    if (!probes.empty()) m_probeSeq = probes.back().seq;
    m_extract->takeProbes(probes);
    for (const ProbeRow& probe : probes) {
        const std::string id = "probe:" + probe.probe + "/" + probe.measure;
        if (std::find(m_further.begin(), m_further.end(), id) == m_further.end()) m_further.push_back(id);
    }
    if (m_extract->wants(ComparedSeries::Source::Machine)) {
        MOFO_TRY(const std::vector<MachineRow> machine, m_metrics->machineAfter(m_machineSeq));
        if (!machine.empty()) m_machineSeq = machine.back().seq;
        m_extract->takeMachine(machine);
    }
    while (m_extract->wants(ComparedSeries::Source::Measurements) && m_parametersRead) {
        MOFO_TRY(const std::vector<TensorRow> tensors, m_metrics->tensorsAfter(m_tensorSeq, tensorRowsAtOnce));
        if (!tensors.empty()) m_tensorSeq = tensors.back().seq;
        m_extract->takeTensors(tensors);
        if (static_cast<std::int64_t>(tensors.size()) < tensorRowsAtOnce) break;
        handOver(false, {});
        if (isStale()) return {};
    }
    m_version = version;
    handOver(true, {});
    return {};
}

void CompareReader::handOver(bool complete, const QString& problem) {
    if (isStale()) return;
    ComparedBatch batch;
    batch.request = m_request;
    batch.runId = m_runId;
    batch.reset = std::exchange(m_reset, false);
    batch.complete = complete;
    batch.parts = m_extract->take();
    batch.furtherSeries = m_further;
    batch.problem = m_problem = problem;
    m_answered = true;
    Q_EMIT read(std::make_shared<const ComparedBatch>(std::move(batch)));
}

CompareFollower::CompareFollower(std::filesystem::path workspace, ComparedRuns* runs, QObject* parent)
    : QObject(parent), m_folder(std::move(workspace)), m_runs(runs) {
    qRegisterMetaType<ComparedBatchPtr>("mofo::ComparedBatchPtr");
    connect(runs, &ComparedRuns::runsChanged, this, &CompareFollower::match);
    connect(runs, &ComparedRuns::wantedChanged, this, [this] {
        ++m_request;
        for (auto& [id, reader] : m_readers) start(reader);
    });
}

CompareFollower::~CompareFollower() {
    for (auto& [id, reader] : m_readers) reader.reader->announceRequest(0);
    for (auto& [id, reader] : m_readers) stop(reader);
}

void CompareFollower::setActive(bool active) {
    if (active == m_active) return;
    m_active = active;
    match();
}

void CompareFollower::start(Reader& reader) {
    reader.reader->announceRequest(m_request);
    QMetaObject::invokeMethod(reader.reader, [reader = reader.reader, series = m_runs->wanted(), x = m_runs->x(), request = m_request] {
        reader->follow(series, x, request);
    });
}

void CompareFollower::stop(Reader& reader) {
    reader.reader->announceRequest(0);
    reader.thread->quit();
    reader.thread->wait();
}

void CompareFollower::match() {
    const QStringList wanted = m_active ? m_runs->ids() : QStringList();
    for (auto it = m_readers.begin(); it != m_readers.end();) {
        if (wanted.contains(it->first)) {
            ++it;
            continue;
        }
        stop(it->second);
        it = m_readers.erase(it);
    }
    for (const QString& id : wanted) {
        if (m_readers.contains(id)) continue;
        Reader& reader = m_readers[id];
        reader.thread = std::make_unique<QThread>();
        reader.thread->setObjectName(QStringLiteral("compare reader"));
        reader.reader = new CompareReader(m_folder, id.toStdString());
        reader.reader->moveToThread(reader.thread.get());
        connect(reader.thread.get(), &QThread::finished, reader.reader, &QObject::deleteLater);
        connect(reader.reader, &CompareReader::read, this, [this](const ComparedBatchPtr& batch) {
            if (batch->request == m_request && m_readers.contains(QString::fromStdString(batch->runId))) m_runs->take(*batch);
        });
        reader.thread->start();
        start(reader);
    }
}

}  // namespace mofo
