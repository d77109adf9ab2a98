#include "tests/support/recorded_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace mofo::test {

namespace {

/// A number in [0, 1) that depends on its arguments alone.
double noise(std::uint64_t a, std::uint64_t b = 0) {
    std::uint64_t z = a * 0x9e3779b97f4a7c15ull + b * 0xbf58476d1ce4e5b9ull + 0x94d049bb133111ebull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

double normal(std::uint64_t a, std::uint64_t b = 0) {
    const double u = std::max(1e-12, noise(a, 2 * b)), v = noise(a, 2 * b + 1);
    return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
}

constexpr std::int64_t layerCount = 30;

}  // namespace

std::vector<ParameterRow> smolParameters() {
    constexpr std::int64_t hidden = 576, intermediate = 1536, kv = 192, vocabulary = 49152;
    std::vector<ParameterRow> rows;
    const auto add = [&](const std::string& name, const std::string& kind, std::int64_t layer, std::int64_t size) {
        ParameterRow row;
        row.index = static_cast<std::int64_t>(rows.size());
        row.name = name;
        row.kind = kind;
        row.layer = layer;
        row.size = size;
        row.filtered = kind != "norm";
        row.pretrainedL2 = std::sqrt(static_cast<double>(size)) * (kind == "norm" ? 1.0 : kind == "embed" ? 0.12 : 0.06);
        rows.push_back(row);
    };
    add("model.embed_tokens.weight", "embed", -1, vocabulary * hidden);
    for (std::int64_t layer = 0; layer < layerCount; ++layer) {
        const std::string prefix = "model.layers." + std::to_string(layer) + ".";
        add(prefix + "self_attn.q_proj.weight", "q", layer, hidden * hidden);
        add(prefix + "self_attn.k_proj.weight", "k", layer, kv * hidden);
        add(prefix + "self_attn.v_proj.weight", "v", layer, kv * hidden);
        add(prefix + "self_attn.o_proj.weight", "o", layer, hidden * hidden);
        add(prefix + "mlp.gate_proj.weight", "gate", layer, intermediate * hidden);
        add(prefix + "mlp.up_proj.weight", "up", layer, intermediate * hidden);
        add(prefix + "mlp.down_proj.weight", "down", layer, intermediate * hidden);
        add(prefix + "input_layernorm.weight", "norm", layer, hidden);
        add(prefix + "post_attention_layernorm.weight", "norm", layer, hidden);
    }
    add("model.norm.weight", "norm", -1, hidden);
    return rows;
}

RecordedRun::RecordedRun(Workspace workspace, Registry registry, MetricsWriter writer, FileLock lock, RecordedRunOptions options, std::string id)
    : m_workspace(std::move(workspace)),
      m_registry(std::move(registry)),
      m_writer(std::move(writer)),
      m_lock(std::move(lock)),
      m_options(std::move(options)),
      m_id(std::move(id)),
      m_parameters(smolParameters()),
      m_startNs(wallNs()),
      m_alphas{{1, m_options.alpha}} {}

Result<RecordedRun> RecordedRun::create(const Workspace& workspace, const RecordedRunOptions& options) {
    MOFO_TRY(Registry registry, Registry::open(workspace, Registry::Access::ReadWrite));
    RunRow run;
    run.id = newShortId();
    run.name = options.name;
    run.state = RunState::Starting;
    run.modelName = options.modelName;
    run.config.model = options.modelName;
    run.config.data = "gsm8k-test.jsonl";
    MOFO_CHECK(setConfigValue(run.config, "optimizer", options.optimizer));
    MOFO_CHECK(setConfigValue(run.config, "alpha", std::to_string(options.alpha)));
    MOFO_CHECK(setConfigValue(run.config, "granularity", options.granularity));
    run.config.steps = options.totalSteps;
    run.config.statsEvery = options.statsEvery;
    run.config.evalEvery = options.evalEvery;
    run.config.batch = 4;
    if (options.seed != 1) run.config.seed = static_cast<std::int64_t>(options.seed);
    run.config.maxLength = 256;
    run.commandLine = trainCommandLine(run.config, run.name);
    run.createdNs = wallNs();
    run.startedNs = run.createdNs;
    MOFO_CHECK(registry.addRun(run));
    MOFO_CHECK(makeFolder(workspace.runFolder(run.id), true));
    MOFO_TRY(FileLock lock, FileLock::tryAcquire(workspace.runLock(run.id)));
    MOFO_CHECK(registry.setRunState(run.id, RunState::Starting));
    MOFO_TRY(MetricsWriter writer, MetricsWriter::open(workspace.metricsFile(run.id), run.id));
    RecordedRun recorded(workspace, std::move(registry), std::move(writer), std::move(lock), options, run.id);
    recorded.m_config = run.config;
    return recorded;
}

Result<void> RecordedRun::writeStatus(const std::string& phase, double progress, const std::string& detail) {
    MetricsBatch batch;
    StatusRow status;
    status.phase = phase;
    status.progress = progress;
    status.detail = detail;
    status.step = m_step;
    status.totalSteps = m_options.totalSteps;
    status.heartbeatBootNs = bootNs();
    status.bootId = bootId();
    if (m_step >= 20) status.etaSeconds = static_cast<double>(m_options.totalSteps - m_step) * m_options.stepSeconds;
    batch.status = status;
    return m_writer.write(batch);
}

Result<void> RecordedRun::writePhase(const std::string& phase, double progress, const std::string& detail) {
    return writeStatus(phase, progress, detail);
}

Result<void> RecordedRun::begin() {
    MOFO_CHECK(m_writer.write({.parameters = m_parameters}));
    MetricsBatch batch;
    EventRow event;
    event.kind = "state";
    event.who = "engine";
    event.text = "training starts on cpu: " + std::to_string(m_options.totalSteps) + " steps";
    event.wallNs = wallNs();
    batch.events.push_back(event);
    MOFO_CHECK(m_writer.write(batch));
    MOFO_CHECK(writeStatus("train", 0, ""));
    MOFO_CHECK(m_registry.setRunState(m_id, RunState::Running));
    return writeSummary();
}

double RecordedRun::lossAt(std::int64_t step) const {
    const auto t = static_cast<double>(step);
    const double scale = static_cast<double>(std::max<std::int64_t>(40, m_options.totalSteps));
    return 0.42 + 0.95 * std::exp(-t / (0.22 * scale)) + 0.25 * std::exp(-t / (0.03 * scale)) +
           0.055 * normal(m_options.seed, static_cast<std::uint64_t>(step));
}

StepRow RecordedRun::makeStep(std::int64_t step) const {
    StepRow row;
    row.step = step;
    row.loss = lossAt(step);
    if (const auto spike = m_options.spikes.find(step); spike != m_options.spikes.end()) row.loss = spike->second;
    if (m_options.nanSteps.contains(step)) row.lossState = "nan";
    if (m_options.infSteps.contains(step)) row.lossState = "inf";
    row.gradNorm = 1.6 + 0.8 * noise(m_options.seed + 7, static_cast<std::uint64_t>(step));
    row.clippedNorm = std::min(1.0, row.gradNorm);
    row.lr = m_config.lr;
    for (const auto& [from, alpha] : m_alphas) {
        if (step >= from) row.alpha = alpha;
    }
    if (m_config.optimizer == OptimizerKind::AdamW) row.alpha = 1;
    row.granularity = m_config.granularity.text();
    row.tokens = 380 + static_cast<std::int64_t>(120 * noise(m_options.seed + 3, static_cast<std::uint64_t>(step)));
    row.inputTokens = 1024;
    row.epoch = static_cast<double>(step) / static_cast<double>(m_options.totalSteps);
    row.stepMs = m_options.stepSeconds * 1e3 * (0.97 + 0.06 * noise(m_options.seed + 31, static_cast<std::uint64_t>(step)));
    row.dataMs = 0.02 * row.stepMs;
    row.forwardBackwardMs = 0.78 * row.stepMs;
    row.optimizerMs = 0.12 * row.stepMs;
    row.statisticsMs = step == 1 || step % m_options.statsEvery == 0 ? 0.05 * row.stepMs : 0;
    row.memoryBytes = 3'400'000'000;
    row.topGradientNorm = 38 * row.clippedNorm * (0.9 + 0.2 * noise(m_options.seed + 33, static_cast<std::uint64_t>(step)));
    row.tokensPerSecond = static_cast<double>(row.tokens) / m_options.stepSeconds;
    row.wallNs = m_startNs + static_cast<std::int64_t>(static_cast<double>(step) * m_options.stepSeconds * 1e9);
    const TensorRow tensors = makeTensors(step);
    for (const std::uint32_t selected : tensors.selected) row.movedCount += selected;
    return row;
}

TensorRow RecordedRun::makeTensors(std::int64_t step) const {
    TensorRow row;
    row.step = step;
    double alpha = 1;
    for (const auto& [from, value] : m_alphas) {
        if (step >= from) alpha = value;
    }
    if (m_config.optimizer == OptimizerKind::AdamW) alpha = 1;
    const bool perTensor = m_config.granularity.kind == GranularityKind::Tensor;
    const auto t = static_cast<double>(step);
    for (const ParameterRow& info : m_parameters) {
        const auto index = static_cast<std::uint64_t>(info.index);
        const auto n = static_cast<double>(info.size);
        // Late layers and values move more where all compete; the embedding moves only where tokens came.
        const double depth = info.layer < 0 ? 0.5 : static_cast<double>(info.layer) / layerCount;
        const double appetite = std::exp(0.9 * (depth - 0.5) + 0.35 * normal(11, index) + (info.kind == "v" || info.kind == "o" ? 0.5 : 0) -
                                         (info.kind == "q" || info.kind == "k" ? 0.4 : 0));
        double share = info.filtered ? (perTensor ? alpha : std::min(1.0, alpha * appetite)) : 1.0;
        const double masked = share;
        if (info.kind == "embed") share = std::min(share, 0.028 + 0.02 * noise(5, static_cast<std::uint64_t>(step)));
        row.selected.push_back(static_cast<std::uint32_t>(share * n));
        row.masked.push_back(static_cast<std::uint32_t>(masked * n));
        row.threshold.push_back(static_cast<float>(3e-6 * std::exp(0.6 * normal(13, index)) * std::sqrt(0.15 / alpha)));
        const double relative = 2.2e-5 * std::pow(t, 0.72) * std::exp(0.8 * (depth - 0.5) + 0.22 * normal(17, index)) *
                                (info.kind == "embed"  ? 0.35
                                 : info.kind == "norm" ? 0.6
                                                       : 1.0) *
                                std::sqrt(alpha / 0.15);
        row.driftL2.push_back(static_cast<float>(relative * info.pretrainedL2));
        row.driftL1.push_back(static_cast<float>(relative * info.pretrainedL2 * std::sqrt(n) * 0.5));
        row.driftMax.push_back(static_cast<float>(2e-5 * std::pow(t, 0.9)));
        const double coverage = std::min(1.0, share * (1 + 0.9 * std::log(t)));
        row.changed.push_back(static_cast<std::uint32_t>(coverage * n));
        row.changedBf16.push_back(static_cast<std::uint32_t>(0.2 * coverage * n));
        row.churn.push_back(step == 1 ? std::numeric_limits<float>::quiet_NaN()
                                      : static_cast<float>(0.25 + 0.12 * noise(19 + index, static_cast<std::uint64_t>(step))));
        row.coverage.push_back(static_cast<float>(coverage));
        row.squaredUpdate.push_back(static_cast<float>(share * n * 4e-10 * appetite));
        if (info.layer == 3 && m_options.nanDriftSteps.contains(step)) row.driftL2.back() = std::numeric_limits<float>::quiet_NaN();
    }
    return row;
}

std::vector<HistogramRow> RecordedRun::makeHistograms(std::int64_t step) const {
    // A log-normal |m| around a scale of each tensor, four bins to the octave; a part of the embedding has no momentum at all.
    std::vector<HistogramRow> rows;
    for (const ParameterRow& info : m_parameters) {
        HistogramRow row;
        row.step = step;
        row.parameter = info.index;
        row.firstBin = -4 * 28;
        const double centre = -4 * 20 + 3 * normal(13, static_cast<std::uint64_t>(info.index)), width = 7;
        const double share = info.kind == "embed" ? 0.3 : 1.0;
        std::vector<double> weights(64);
        double sum = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const double x = (static_cast<double>(row.firstBin) + static_cast<double>(i) - centre) / width;
            sum += weights[i] = std::exp(-0.5 * x * x);
        }
        for (const double weight : weights) row.counts.push_back(static_cast<std::uint32_t>(share * static_cast<double>(info.size) * weight / sum));
        while (!row.counts.empty() && row.counts.back() == 0) row.counts.pop_back();
        while (!row.counts.empty() && row.counts.front() == 0) {
            row.counts.erase(row.counts.begin());
            ++row.firstBin;
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

void RecordedRun::addCheckpoint(MetricsBatch& batch) const {
    CheckpointRow row;
    row.step = m_step;
    row.folder = "step-" + std::to_string(m_step) + "-" + std::to_string(m_options.seed);
    row.kind = "full";
    row.sizeBytes = 1'614'000'000;
    row.seconds = 2.4;
    row.verified = true;
    row.wallNs = wallNs();
    batch.checkpoints.push_back(row);
    EventRow event;
    event.step = m_step;
    event.kind = "checkpoint";
    event.who = "engine";
    event.text = "checkpoint of step " + std::to_string(m_step) + ", 1.5 GiB in 2.4 s, read back and verified";
    event.wallNs = wallNs();
    batch.events.push_back(event);
}

void RecordedRun::addEvaluation(MetricsBatch& batch) const {
    EvalRow eval;
    eval.step = m_step;
    eval.loss =
        lossAt(m_step) * 0.2 + 0.8 * (0.5 + 0.75 * std::exp(-static_cast<double>(m_step) / (0.25 * static_cast<double>(m_options.totalSteps))));
    eval.tokens = 4000;
    batch.evals.push_back(eval);
    if (!m_options.probes) return;
    const auto t = static_cast<double>(m_step) / static_cast<double>(m_options.totalSteps);
    const auto at = static_cast<std::uint64_t>(m_step);
    batch.probes.push_back(
        {0, m_step, "general-qa", "accuracy", 61.5 - 1.8 * t + 0.4 * normal(91, at), 59.9 - 1.8 * t, 63.1 - 1.8 * t, 200, 1.9, wallNs(), false});
    batch.probes.push_back({0, m_step, "maths", "accuracy", 12.0 + 8.0 * std::sqrt(t) + 0.3 * normal(92, at), 10.6 + 8.0 * std::sqrt(t),
                            13.4 + 8.0 * std::sqrt(t), 200, 2.6, wallNs(), false});
}

Result<void> RecordedRun::advance(std::int64_t count, bool obey) {
    MetricsBatch batch;
    for (std::int64_t i = 0; i < count && m_step < m_options.totalSteps; ++i) {
        if (obey) {
            MOFO_CHECK(m_writer.write(std::exchange(batch, {})));
            MOFO_CHECK(obeyCommands());
            if (m_paused || m_stopped) break;
        }
        ++m_step;
        batch.steps.push_back(makeStep(m_step));
        if (m_step == 1 || m_step % m_options.statsEvery == 0 || m_step == m_options.totalSteps) {
            batch.tensors.push_back(makeTensors(m_step));
            if (m_options.histograms)
                batch.histograms = [&] {
                    std::vector<HistogramRow> all = std::move(batch.histograms), more = makeHistograms(m_step);
                    all.insert(all.end(), more.begin(), more.end());
                    return all;
                }();
        }
        if (m_options.evalEvery > 0 && (m_step % m_options.evalEvery == 0 || m_step == m_options.totalSteps)) addEvaluation(batch);
        if (m_options.checkpointEvery > 0 && m_step % m_options.checkpointEvery == 0) addCheckpoint(batch);
        const auto perSecond = std::max<std::int64_t>(1, static_cast<std::int64_t>(1 / m_options.stepSeconds));
        if (m_options.machine && m_step % perSecond == 0) {
            const double load = noise(m_options.seed + 41, static_cast<std::uint64_t>(m_step));
            MachineRow machine;
            machine.wallNs = batch.steps.back().wallNs;
            machine.cpuShare = 0.9 + 0.08 * load;
            machine.residentBytes = 3'400'000'000 + static_cast<std::int64_t>(load * 5e7);
            machine.hostUsedBytes = 6'100'000'000 + static_cast<std::int64_t>(load * 2e8);
            machine.hostTotalBytes = 16'000'000'000;
            machine.diskFreeBytes = 310'000'000'000;
            batch.machine.push_back(machine);
        }
    }
    if (!batch.empty()) MOFO_CHECK(m_writer.write(batch));
    MOFO_CHECK(writeStatus(m_paused ? "paused" : "train", static_cast<double>(m_step) / static_cast<double>(m_options.totalSteps), ""));
    return writeSummary();
}

Result<void> RecordedRun::writeSummary() {
    RunSummary summary;
    summary.step = m_step;
    summary.totalSteps = m_options.totalSteps;
    if (m_step > 0) {
        const StepRow row = makeStep(m_step);
        summary.lossState = row.lossState;
        if (row.lossState == "finite") summary.loss = row.loss;
        const TensorRow tensors = makeTensors(m_step);
        double drift2 = 0, pretrained2 = 0;
        for (std::size_t i = 0; i < m_parameters.size(); ++i) {
            drift2 += static_cast<double>(tensors.driftL2[i]) * tensors.driftL2[i];
            pretrained2 += m_parameters[i].pretrainedL2 * m_parameters[i].pretrainedL2;
        }
        summary.drift = std::sqrt(drift2 / pretrained2);
        if (m_options.evalEvery > 0 && m_step >= m_options.evalEvery)
            summary.evalLoss = lossAt(m_step / m_options.evalEvery * m_options.evalEvery) + 0.06;
        summary.tokensPerSecond = row.tokensPerSecond;
    }
    summary.phase = m_paused ? "" : "train";
    summary.updatedNs = wallNs();
    return m_registry.setRunSummary(m_id, summary);
}

Result<void> RecordedRun::obeyCommands() {
    MOFO_TRY(const std::vector<CommandRow> commands, m_registry.commands(m_id));
    for (const CommandRow& command : commands) {
        if (m_answered.contains(command.uuid) || command.withdrawn || (command.atStep && *command.atStep > m_step + 1)) continue;
        m_answered.insert(command.uuid);
        MetricsBatch batch;
        AcknowledgementRow answer;
        answer.uuid = command.uuid;
        answer.appliedStep = m_step + 1;
        answer.accepted = true;
        answer.wallNs = wallNs();
        EventRow event;
        event.step = m_step;
        event.kind = command.kind;
        event.who = command.who;
        event.wallNs = wallNs();
        if (command.kind == "set") {
            RunConfig changed = m_config;
            for (const auto& [key, value] : command.payload.items()) {
                if (m_options.refusedKeys.contains(key)) {
                    answer.accepted = false;
                    answer.reason = key + " cannot change in this run";
                } else if (const auto set = setConfigValue(changed, key, value.get<std::string>()); !set.ok()) {
                    answer.accepted = false;
                    answer.reason = set.error().text();
                }
            }
            if (answer.accepted) {
                for (const ConfigDifference& difference : configDifferences(m_config, changed)) {
                    event.key = difference.key;
                    event.oldValue = difference.a;
                    event.newValue = difference.b;
                    event.text = difference.key + " " + difference.a + " -> " + difference.b + " from step " + std::to_string(m_step + 1);
                    batch.events.push_back(event);
                }
                m_config = changed;
                m_alphas.emplace_back(m_step + 1, changed.alpha.common.at(m_step + 1));
                MOFO_CHECK(m_registry.setRunConfig(m_id, m_config));
            } else {
                event.text = "refused: " + answer.reason;
                batch.events.push_back(event);
            }
        } else {
            event.text = command.kind + " at step " + std::to_string(m_step);
            batch.events.push_back(event);
            if (command.kind == "checkpoint") addCheckpoint(batch);
            if (command.kind == "evaluate") addEvaluation(batch);
            if (command.kind == "undo") {
                const std::int64_t to = command.payload.value("to", std::int64_t{0});
                MOFO_CHECK(m_writer.supersedeAfter(to, MetricsWriter::Supersede::Changes));
                m_step = to;
                ++m_options.seed;
                batch.events.back().step = to;
                answer.appliedStep = to + 1;
                // The changes that came after it are undone as well.
                std::erase_if(m_alphas, [to](const auto& entry) { return entry.first > to + 1; });
                MOFO_TRY(m_config, m_registry.initialRunConfig(m_id));
                MOFO_CHECK(setConfigValue(m_config, "alpha", std::to_string(m_alphas.back().second)));
                MOFO_CHECK(m_registry.setRunConfig(m_id, m_config));
            }
            if (command.kind == "pause") {
                m_paused = true;
                MOFO_CHECK(m_registry.setRunState(m_id, RunState::Paused));
            } else if (command.kind == "resume") {
                m_paused = false;
                MOFO_CHECK(m_registry.setRunState(m_id, RunState::Running));
            } else if (command.kind == "stop") {
                m_stopped = true;
            }
        }
        batch.acknowledgements.push_back(answer);
        MOFO_CHECK(m_writer.write(batch));
    }
    if (m_stopped) return end(RunState::Stopped, "stopped after step " + std::to_string(m_step));
    return {};
}

Result<void> RecordedRun::rewind(std::int64_t step) {
    MOFO_CHECK(m_writer.supersedeAfter(step));
    m_step = step;
    ++m_options.seed;
    return {};
}

Result<void> RecordedRun::end(RunState state, const std::string& reason) {
    MetricsBatch batch;
    EventRow event;
    event.step = m_step;
    event.kind = "end";
    event.who = "engine";
    event.text = reason.empty() ? "finished" : reason;
    event.wallNs = wallNs();
    batch.events.push_back(event);
    MOFO_CHECK(m_writer.write(batch));
    MOFO_CHECK(writeStatus("end", 1, ""));
    MOFO_CHECK(writeSummary());
    MOFO_CHECK(m_registry.setRunState(m_id, state, reason));
    m_lock.reset();
    return {};
}

}  // namespace mofo::test
