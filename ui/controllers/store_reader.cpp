#include "ui/controllers/store_reader.h"

#include <QTimer>
#include <algorithm>
#include <fstream>
#include <utility>

#include "core/base/clock.h"
#include "core/client/supervisor.h"
#include "core/client/sweep.h"
#include "ui/models/display_text.h"
#include "ui/models/live_tuning.h"

namespace mofo {

namespace {

constexpr int slowPeriodMs = 3000;  // nobody looks: only endings are told
constexpr int listPeriodMs = 1000;
// A piece of history small enough that the first one is on screen at once: 500 rows of 272 tensors are 5 MB.
constexpr std::int64_t tensorRowsPerBatch = 500;
constexpr std::int64_t stepRowsPerBatch = 100'000;
constexpr std::uintmax_t logBytes = 256 * 1024;
constexpr std::int64_t logPeriodNs = 1'000'000'000;

std::map<std::string, std::string> readStagedDraft(const Registry& registry, std::string_view runId) {
    std::map<std::string, std::string> values;
    const Result<std::optional<std::string>> text = registry.setting(stagedDraftKey(runId));
    if (!text.ok() || !*text || (*text)->empty()) return values;
    const Result<Json> json = parseJson(**text);
    if (!json.ok() || !json->is_object()) return values;
    for (const auto& [key, value] : json->items()) {
        if (value.is_string()) values[key] = value.get<std::string>();
    }
    return values;
}

}  // namespace

StoreReader::StoreReader(std::filesystem::path workspace) : m_folder(std::move(workspace)) {}

StoreReader::~StoreReader() = default;

void StoreReader::start() {
    m_runTimer = new QTimer(this);
    m_runTimer->setTimerType(Qt::CoarseTimer);
    connect(m_runTimer, &QTimer::timeout, this, &StoreReader::readRun);
    m_listTimer = new QTimer(this);
    connect(m_listTimer, &QTimer::timeout, this, &StoreReader::readList);
    startTimers();
    readList();
}

void StoreReader::setSlow(bool slow) {
    if (m_runTimer == nullptr || slow == m_slow) return;
    m_slow = slow;
    startTimers();
    if (!slow) readNow();
}

void StoreReader::setRunPeriod(int ms) {
    m_runPeriodMs = ms;
    if (m_runTimer != nullptr && !m_slow) startTimers();
}

void StoreReader::startTimers() {
    m_runTimer->start(m_slow ? slowPeriodMs : m_runPeriodMs);
    m_listTimer->start(m_slow ? slowPeriodMs : std::max(listPeriodMs, m_runPeriodMs));
}

void StoreReader::readNow() {
    readList();
    readRun();
}

void StoreReader::showRun(const QString& id, quint64 request) {
    m_runId = id.toStdString();
    m_request = request;
    m_metrics.reset();
    m_parametersRead = false;
    m_commandsVersion = -1;
    m_answered = false;
    m_initialConfigRead = false;
    m_logSize = 0;
    m_logReadNs = 0;
    m_sampleSeq.clear();
    forgetPosition();
    readRun();
}

void StoreReader::forgetPosition() {
    m_metricsVersion = -1;
    m_stepSeq = m_tensorSeq = m_evalSeq = m_eventSeq = m_machineSeq = m_probeSeq = 0;
    for (auto& [id, seq] : m_sampleSeq) seq = 0;
    m_historyRead = false;
}

bool StoreReader::openRegistry() {
    if (m_registry) return true;
    m_missing = false;
    m_registryProblem.clear();
    if (!m_workspace) {
        Result<Workspace> workspace = Workspace::open(m_folder);
        if (!workspace.ok()) {
            m_missing = workspace.error().code == ErrorCode::NotFound;
            if (!m_missing) m_registryProblem = ui::shown(workspace.error().text());
            return false;
        }
        m_workspace = std::move(workspace).value();
    }
    Result<Registry> registry = Registry::open(*m_workspace, Registry::Access::ReadOnly);
    if (!registry.ok()) {
        m_missing = registry.error().code == ErrorCode::NotFound;
        if (!m_missing) m_registryProblem = ui::shown(registry.error().text());
        return false;
    }
    m_registry = std::move(registry).value();
    m_listVersion = m_commandsVersion = -1;
    return true;
}

void StoreReader::readList() {
    auto batch = std::make_shared<RunListBatch>();
    if (!openRegistry()) {
        batch->missing = m_missing;
        batch->problem = m_registryProblem;
        Q_EMIT runListRead(batch);
        return;
    }
    // A lost engine writes nothing: while a run is active the list is read whether or not somebody committed.
    const std::int64_t version = m_registry->dataVersion();
    if (version == m_listVersion && !m_listHasActive) return;
    Result<std::vector<RunRow>> runs = m_registry->runs();
    if (!runs.ok()) {
        if (runs.error().code == ErrorCode::Busy) return;
        batch->problem = ui::shown(runs.error().text());
        m_registry.reset();
    } else {
        m_listVersion = version;
        batch->runs = std::move(runs).value();
        if (const auto sweeps = sweepStatuses(*m_registry, batch->runs); sweeps.ok()) {
            for (const SweepStatus& sweep : *sweeps) {
                batch->groups.push_back(asOneRun(sweep));
                if (const auto report = sweep.report()) batch->reports[sweep.sweep.id] = *report;
            }
        }
        wakeSupervisors(*m_workspace, batch->runs);
        // The state of the run on screen, too, can change without a commit.
        if (m_listHasActive) m_commandsVersion = -1;
        m_listHasActive = std::any_of(batch->runs.begin(), batch->runs.end(), [](const RunRow& run) { return !isEnded(run.state); });
    }
    Q_EMIT runListRead(batch);
}

void StoreReader::readRun() {
    if (m_runId.empty() || isStale() || !openRegistry()) return;
    RunBatch batch;
    const std::int64_t version = m_registry->dataVersion();
    if (version != m_commandsVersion) {
        Result<RunRow> run = m_registry->findRun(m_runId);
        Result<std::vector<CommandRow>> commands = m_registry->commands(m_runId);
        if (run.ok() && commands.ok()) {
            m_commandsVersion = version;
            batch.run = std::move(run).value();
            batch.commands = std::move(commands).value();
            if (!m_initialConfigRead) {
                Result<RunConfig> initial = m_registry->initialRunConfig(m_runId);
                m_initialConfigRead = initial.ok();
                if (initial.ok()) batch.initialConfig = std::move(initial).value();
                batch.stagedDraft = readStagedDraft(*m_registry, m_runId);
            }
        } else {
            const Error& error = run.ok() ? commands.error() : run.error();
            if (error.code != ErrorCode::Busy) batch.problem = ui::shown(error.text());
        }
    }
    if (const Result<void> read = readMetrics(batch); !read.ok() && read.error().code != ErrorCode::Busy) {
        batch.problem = ui::shown(read.error().text());
        m_metrics.reset();
        forgetPosition();
    }
    readLog(batch);
    const bool hasNews = batch.reset || batch.run || batch.logTail || batch.acknowledgements || batch.problem != m_runProblem || !m_answered;
    if (hasNews) handOver(std::move(batch));
}

void StoreReader::handOver(RunBatch&& batch) {
    if (isStale()) return;
    batch.request = m_request;
    batch.metricsExist = m_metrics.has_value();
    batch.complete = m_historyRead;
    batch.readBootNs = bootNs();
    m_answered = true;
    m_runProblem = batch.problem;
    Q_EMIT runRead(std::make_shared<const RunBatch>(std::move(batch)));
}

Result<void> StoreReader::readMetrics(RunBatch& batch) {
    if (!m_metrics) {
        Result<MetricsReader> reader = MetricsReader::open(m_workspace->metricsFile(m_runId));
        if (!reader.ok()) {
            if (reader.error().code == ErrorCode::NotFound) return {};
            return std::move(reader).error();
        }
        m_metrics = std::move(reader).value();
        // Whatever was handed over belongs to a reader that failed; it is read again from the start.
        batch.reset = true;
        forgetPosition();
    }
    const std::int64_t version = m_metrics->dataVersion();
    if (version == m_metricsVersion && m_historyRead) return {};
    MOFO_TRY(batch.status, m_metrics->status());
    if (!m_parametersRead) {
        MOFO_TRY(std::vector<ParameterRow> parameters, m_metrics->parameters());
        m_parametersRead = !parameters.empty();
        if (m_parametersRead) batch.parameters = std::move(parameters);
    }
    MOFO_CHECK(readHistory(*m_metrics, batch));
    // After the probes: whoever shows answers asks which steps count.
    MOFO_CHECK(readSamples(*m_metrics, batch));
    MOFO_TRY(batch.checkpoints, m_metrics->checkpoints());
    MOFO_TRY(batch.acknowledgements, m_metrics->acknowledgements());
    m_metricsVersion = version;
    return {};
}

Result<void> StoreReader::readHistory(MetricsReader& reader, RunBatch& batch) {
    // An undo, or a resume from an earlier checkpoint, changes the flags of rows that were handed over: they are read again.
    MOFO_TRY(const std::int64_t supersessions, reader.supersessions());
    if (m_stepSeq > 0 && supersessions != m_supersessions) {
        forgetPosition();
        batch.reset = true;
    }
    m_supersessions = supersessions;
    for (;;) {
        MOFO_TRY(batch.steps, reader.stepsAfter(m_stepSeq, stepRowsPerBatch));
        if (!batch.steps.empty()) m_stepSeq = batch.steps.back().seq;
        MOFO_TRY(batch.tensors, reader.tensorsAfter(m_tensorSeq, tensorRowsPerBatch));
        if (!batch.tensors.empty()) m_tensorSeq = batch.tensors.back().seq;
        MOFO_TRY(batch.evals, reader.evalsAfter(m_evalSeq));
        if (!batch.evals.empty()) m_evalSeq = batch.evals.back().seq;
        MOFO_TRY(batch.events, reader.eventsAfter(m_eventSeq));
        if (!batch.events.empty()) m_eventSeq = batch.events.back().seq;
        MOFO_TRY(batch.machine, reader.machineAfter(m_machineSeq));
        if (!batch.machine.empty()) m_machineSeq = batch.machine.back().seq;
        MOFO_TRY(batch.probes, reader.probesAfter(m_probeSeq));
        if (!batch.probes.empty()) m_probeSeq = batch.probes.back().seq;
        const bool more = static_cast<std::int64_t>(batch.steps.size()) == stepRowsPerBatch ||
                          static_cast<std::int64_t>(batch.tensors.size()) == tensorRowsPerBatch;
        m_historyRead = !more;
        if (!more) return {};
        handOver(std::exchange(batch, RunBatch{}));
        if (isStale()) return {};
    }
}

Result<void> StoreReader::readSamples(MetricsReader& reader, RunBatch& batch) {
    if (m_sampleSeq.empty()) {
        MOFO_TRY(const std::optional<Json> prompts, reader.fact("samples"));
        if (!prompts || !prompts->is_array()) return {};
        for (const Json& prompt : *prompts) {
            if (prompt.is_object() && prompt.contains("id") && prompt["id"].is_string()) m_sampleSeq[prompt["id"].get<std::string>()] = 0;
        }
    }
    for (auto& [id, seq] : m_sampleSeq) {
        MOFO_TRY(const std::vector<GenerationRow> rows, reader.generationsAfter(id, seq));
        for (const GenerationRow& row : rows) {
            seq = row.seq;
            if (!row.details.is_object()) continue;
            const Json step = row.details.value("step", Json()), prompt = row.details.value("prompt", Json());
            if (step.is_number_integer() && prompt.is_string())
                batch.samples.push_back({id, prompt.get<std::string>(), row.text, step.get<std::int64_t>()});
        }
    }
    return {};
}

void StoreReader::readHistograms(qint64 step) {
    if (isStale() || !m_metrics) return;
    HistogramBatch batch;
    batch.request = m_request;
    batch.step = step;
    Result<std::vector<HistogramRow>> histograms = m_metrics->histograms(step);
    if (!histograms.ok()) return;
    batch.histograms = std::move(histograms).value();
    if (Result<std::optional<ThresholdSpreadRow>> spread = m_metrics->thresholdSpreads(step); spread.ok()) batch.spread = std::move(spread).value();
    Q_EMIT histogramsRead(std::make_shared<const HistogramBatch>(std::move(batch)));
}

void StoreReader::readLog(RunBatch& batch) {
    const std::int64_t now = bootNs();
    if (!m_workspace || (m_logReadNs != 0 && now - m_logReadNs < logPeriodNs)) return;
    m_logReadNs = now;
    const std::filesystem::path file = m_workspace->runFolder(m_runId) / "engine.log";
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (error || size == m_logSize) return;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return;
    const std::uintmax_t from = size > logBytes ? size - logBytes : 0;
    stream.seekg(static_cast<std::streamoff>(from));
    std::string line;
    if (from > 0) std::getline(stream, line);  // most likely half of one
    QStringList lines;
    while (std::getline(stream, line)) lines << ui::shown(line);
    m_logSize = size;
    batch.logTail = std::move(lines);
}

}  // namespace mofo
