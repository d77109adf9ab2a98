#include "tests/support/replayed_run.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "core/base/clock.h"

namespace mofo::test {

namespace {

/// The rows of steps in (from, to].
template <typename Row>
void take(std::vector<Row>& into, std::vector<Row> rows, std::int64_t from, std::int64_t to) {
    std::copy_if(std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()), std::back_inserter(into),
                 [&](const Row& row) { return row.step > from && row.step <= to && !row.superseded; });
}

}  // namespace

ReplayedRun::ReplayedRun(Workspace workspace, Registry registry, MetricsWriter writer, MetricsReader reader, FileLock lock, RunRow recorded,
                         RunRow run)
    : m_workspace(std::move(workspace)),
      m_registry(std::move(registry)),
      m_writer(std::move(writer)),
      m_reader(std::move(reader)),
      m_lock(std::move(lock)),
      m_recorded(std::move(recorded)),
      m_run(std::move(run)) {}

Result<ReplayedRun> ReplayedRun::create(const Workspace& workspace, const Workspace& source, const std::string& name) {
    MOFO_TRY(const Registry recordings, Registry::open(source, Registry::Access::ReadOnly));
    MOFO_TRY(const RunRow recorded, recordings.findRun(name));
    MOFO_TRY(MetricsReader reader, MetricsReader::open(source.metricsFile(recorded.id)));
    MOFO_TRY(Registry registry, Registry::open(workspace, Registry::Access::ReadWrite));
    RunRow run = recorded;
    MOFO_TRY(run.config, recordings.initialRunConfig(recorded.id));
    run.state = RunState::Starting;
    run.summary = {};
    run.endReason.clear();
    run.endedNs.reset();
    run.createdNs = wallNs();
    run.startedNs = run.createdNs;
    // What else was recorded stays where it is.
    run.modelId.clear();
    run.parentId.clear();
    run.parentStep = 0;
    MOFO_CHECK(registry.addRun(run));
    MOFO_TRY(const std::vector<CommandRow> commands, recordings.commands(recorded.id));
    for (const CommandRow& command : commands) MOFO_CHECK(registry.addCommand(command));
    MOFO_CHECK(makeFolder(workspace.runFolder(run.id), true));
    MOFO_TRY(FileLock lock, FileLock::tryAcquire(workspace.runLock(run.id)));
    MOFO_CHECK(registry.setRunState(run.id, RunState::Starting));
    MOFO_TRY(MetricsWriter writer, MetricsWriter::open(workspace.metricsFile(run.id), run.id));
    return ReplayedRun(workspace, std::move(registry), std::move(writer), std::move(reader), std::move(lock), recorded, run);
}

Result<void> ReplayedRun::advanceTo(std::int64_t step) {
    if (!m_began) {
        MOFO_TRY(const std::vector<ParameterRow> parameters, m_reader.parameters());
        MOFO_CHECK(m_writer.write({.parameters = parameters}));
        MOFO_CHECK(m_registry.setRunState(m_run.id, RunState::Running));
        m_began = true;
    }
    MetricsBatch batch;
    MOFO_TRY(std::vector<StepRow> steps, m_reader.stepsAfter(0));
    take(batch.steps, std::move(steps), m_step, step);
    MOFO_TRY(std::vector<TensorRow> tensors, m_reader.tensorsAfter(0));
    take(batch.tensors, std::move(tensors), m_step, step);
    for (const TensorRow& row : batch.tensors) {
        MOFO_TRY(std::vector<HistogramRow> histograms, m_reader.histograms(row.step));
        std::move(histograms.begin(), histograms.end(), std::back_inserter(batch.histograms));
        MOFO_TRY(std::optional<PartitionRow> partitions, m_reader.partitions(row.step));
        if (partitions) batch.partitions.push_back(std::move(*partitions));
        MOFO_TRY(std::optional<ThresholdSpreadRow> spreads, m_reader.thresholdSpreads(row.step));
        if (spreads) batch.thresholdSpreads.push_back(std::move(*spreads));
        MOFO_TRY(std::vector<RowCountsRow> counts, m_reader.rowCounts(row.step));
        std::move(counts.begin(), counts.end(), std::back_inserter(batch.rowCounts));
    }
    MOFO_TRY(std::vector<EvalRow> evals, m_reader.evalsAfter(0));
    take(batch.evals, std::move(evals), m_step, step);
    MOFO_TRY(std::vector<EventRow> events, m_reader.eventsAfter(0));
    take(batch.events, std::move(events), m_step, step);
    MOFO_TRY(std::vector<ProbeRow> probes, m_reader.probesAfter(0));
    take(batch.probes, std::move(probes), m_step, step);
    MOFO_TRY(std::vector<CheckpointRow> checkpoints, m_reader.checkpoints(true));
    take(batch.checkpoints, std::move(checkpoints), m_step, step);
    MOFO_TRY(const std::vector<AcknowledgementRow> answers, m_reader.acknowledgements());
    for (const AcknowledgementRow& answer : answers) {
        if (answer.appliedStep > m_step + 1 && answer.appliedStep <= step + 1) batch.acknowledgements.push_back(answer);
    }
    const bool all = step >= lastStep();
    const std::int64_t until = all ? std::numeric_limits<std::int64_t>::max() : batch.steps.empty() ? m_wallNs : batch.steps.back().wallNs;
    MOFO_TRY(const std::vector<MachineRow> machine, m_reader.machineAfter(0));
    for (const MachineRow& row : machine) {
        if (row.wallNs > m_wallNs && row.wallNs <= until) batch.machine.push_back(row);
    }
    m_wallNs = until;
    m_step = step;
    StatusRow status;
    status.phase = "train";
    status.step = step;
    status.totalSteps = m_recorded.summary.totalSteps;
    status.heartbeatBootNs = bootNs();
    status.bootId = bootId();
    batch.status = status;
    RunSummary summary;
    summary.step = std::max<std::int64_t>(0, step);
    summary.totalSteps = status.totalSteps;
    summary.phase = status.phase;
    summary.updatedNs = wallNs();
    if (!batch.steps.empty()) {
        summary.loss = batch.steps.back().loss;
        summary.lossState = batch.steps.back().lossState;
    }
    MOFO_CHECK(m_writer.write(batch));
    return m_registry.setRunSummary(m_run.id, summary);
}

Result<void> ReplayedRun::finish() {
    MOFO_CHECK(advanceTo(lastStep()));
    MOFO_CHECK(m_registry.setRunConfig(m_run.id, m_recorded.config));
    MOFO_CHECK(m_registry.setRunSummary(m_run.id, m_recorded.summary));
    MOFO_CHECK(m_registry.setRunState(m_run.id, m_recorded.state, m_recorded.endReason));
    m_lock.reset();
    return {};
}

}  // namespace mofo::test
