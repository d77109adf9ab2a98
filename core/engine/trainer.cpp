#include "core/engine/trainer.h"

#include <ATen/Parallel.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <fstream>
#include <memory>
#include <thread>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/engine/checkpoint.h"
#include "core/engine/control.h"
#include "core/engine/decoder.h"
#include "core/engine/device.h"
#include "core/engine/evaluation.h"
#include "core/engine/gradient_norm.h"
#include "core/engine/live_chat.h"
#include "core/engine/metrics_queue.h"
#include "core/engine/optimizer.h"
#include "core/engine/schedule.h"
#include "core/engine/statistics.h"
#include "core/engine/torch_guard.h"
#include "core/engine/training_data.h"
#include "core/model/model_source.h"
#include "core/model/partition.h"

namespace mofo {

std::atomic<int> g_stopSignals{0};

namespace {

std::string lossStateOf(double loss) { return std::isnan(loss) ? "nan" : std::isinf(loss) ? "inf" : "finite"; }

std::int64_t residentBytes() {
    std::int64_t pages = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    return resident * sysconf(_SC_PAGESIZE);
}

/// Everything one run holds while it trains. Members in the order in which they come to life.
class Trainer {
public:
    /// `startedBefore`: an earlier engine has worked on this run.
    Trainer(const Workspace& workspace, RunRow run, Registry& registry, MetricsQueue& queue, std::vector<AcknowledgementRow> acknowledged,
            bool startedBefore)
        : m_workspace(workspace),
          m_run(std::move(run)),
          m_config(m_run.config),
          m_registry(registry),
          m_queue(queue),
          m_acknowledged(std::move(acknowledged)),
          m_inbox(registry, m_run.id, m_acknowledged),
          m_startedBefore(startedBefore) {}

    Result<void> prepare(const Json& initialConfig);
    Result<void> train();
    [[nodiscard]] std::int64_t stepsDone() const { return m_done; }

private:
    struct StepTiming {
        double dataMs = 0, forwardBackwardMs = 0, optimizerMs = 0, statisticsMs = 0;
    };
    enum class Go { On, Stop, StopNow };

    Result<void> resumeFrom(const FoundCheckpoint& checkpoint);
    Result<Go> obeyCommands();
    Result<Go> obey(const CommandRow& command);
    /// `mayRefuse`: a new command, to be acknowledged; else one replayed, which was accepted before.
    Result<void> applySet(const CommandRow& command, bool mayRefuse);
    Result<Go> waitWhilePaused();
    Result<void> answer(const CommandRow& command);
    Result<void> trainStep();
    [[nodiscard]] OptimizerSettings optimizerSettings(const RunConfig& config) const;
    Result<void> evaluate(bool force);
    Result<void> saveCheckpoint();
    void acknowledge(const CommandRow& command, bool accepted, std::string reason = {});
    void event(std::string kind, std::string who, std::string text, std::string key = {}, std::string oldValue = {}, std::string newValue = {});
    void status(std::string_view phase, double progress, std::string detail = {});
    void setState(RunState state);
    [[nodiscard]] bool stopAsked() const { return g_stopSignals.load() > 0; }

    const Workspace& m_workspace;
    RunRow m_run;
    RunConfig m_config;  ///< as live changes left it
    Registry& m_registry;
    MetricsQueue& m_queue;
    std::vector<AcknowledgementRow> m_acknowledged;
    CommandInbox m_inbox;
    bool m_startedBefore;
    std::unique_ptr<ModelSource> m_pretrained;
    std::optional<Tokenizer> m_tokenizer;
    std::optional<TrainingData> m_data;
    c10::Device m_device = c10::kCPU;
    ParameterArena m_weights, m_gradients;
    std::unique_ptr<Decoder> m_decoder;
    std::unique_ptr<Optimizer> m_optimizer;
    std::unique_ptr<TensorStatistics> m_statistics;
    std::optional<GradientNorm> m_gradientNorm;
    std::vector<std::pair<std::int64_t, CommandRow>> m_replay;

    std::int64_t m_total = 0, m_done = 0, m_lastSaved = -1, m_lastEvaluated = -1;
    std::int64_t m_tokens = 0;
    std::vector<bool> m_frozen;  ///< as last said in an event
    bool m_paused = false, m_parametersWritten = false;
    Stopwatch m_sinceCheckpoint;
    std::deque<double> m_recentMs;
    RunSummary m_summary;
};

void Trainer::event(std::string kind, std::string who, std::string text, std::string key, std::string oldValue, std::string newValue) {
    spdlog::info("step {}: {}", m_done, text);
    MetricsBatch batch;
    EventRow row;
    row.step = m_done;
    row.kind = std::move(kind);
    row.who = std::move(who);
    row.text = std::move(text);
    row.key = std::move(key);
    row.oldValue = std::move(oldValue);
    row.newValue = std::move(newValue);
    row.wallNs = wallNs();
    batch.events.push_back(std::move(row));
    m_queue.add(std::move(batch));
}

void Trainer::status(std::string_view phase, double progress, std::string detail) {
    StatusRow row;
    row.phase = phase;
    row.progress = progress;
    row.detail = std::move(detail);
    row.step = m_done;
    row.totalSteps = m_total;
    if (m_recentMs.size() >= 3) {
        double sum = 0;
        for (const double ms : m_recentMs) sum += ms;
        row.etaSeconds = sum / static_cast<double>(m_recentMs.size()) * 1e-3 * static_cast<double>(m_total - m_done);
    }
    m_summary.phase = phase;
    m_summary.step = m_done;
    m_summary.totalSteps = m_total;
    m_summary.updatedNs = wallNs();
    m_queue.setSummary(m_summary);
    MetricsBatch batch;
    batch.status = std::move(row);
    m_queue.add(std::move(batch));
}

void Trainer::setState(RunState state) {
    m_queue.setSummary(m_summary);
    m_queue.setState(state);
}

void Trainer::acknowledge(const CommandRow& command, bool accepted, std::string reason) {
    AcknowledgementRow row;
    row.uuid = command.uuid;
    row.appliedStep = m_done + 1;
    row.accepted = accepted;
    row.reason = std::move(reason);
    row.wallNs = wallNs();
    MetricsBatch batch;
    batch.acknowledgements.push_back(std::move(row));
    m_queue.add(std::move(batch));
}

Result<void> Trainer::prepare(const Json& initialConfig) {
    if (!m_run.deviceWarning.empty()) event("warning", "engine", m_run.deviceWarning);
    status("load", 0, "opening the model");
    MOFO_TRY(m_pretrained, ModelSource::open(m_workspace.modelFolder(m_run.modelId).string()));
    MOFO_TRY(m_tokenizer, m_pretrained->loadTokenizer());
    MOFO_TRY(m_device, torchDevice(m_run.device));
    const auto& infos = m_pretrained->parameters();

    status("scan", 0, "reading " + escapeForDisplay(m_config.data));
    MOFO_TRY(m_data, TrainingData::load(m_config, *m_tokenizer, [&](double progress) {
                 status("scan", progress, "reading " + escapeForDisplay(m_config.data));
                 return g_stopSignals.load() == 0;
             }));
    m_total = m_data->totalSteps();
    for (const std::string& warning : m_data->warnings()) event("warning", "engine", warning);
    MOFO_CHECK(m_queue.writeFact("data", m_data->facts()));
    MOFO_CHECK(m_queue.writeFact("initial_config", initialConfig));
    MOFO_CHECK(m_queue.writeFact("engine", {{"device", deviceLabel(m_device)},
                                            {"threads", at::get_num_threads()},
                                            {"libtorch", TORCH_VERSION},
                                            {"kernels", kernels::instructionSetName(kernels::bestInstructionSet())},
                                            {"model_sha256", m_run.modelId}}));

    MOFO_CHECK(checkMethod(m_config, m_pretrained->description(), infos));
    status("load", 0, "reading the weights");
    MOFO_TRY(m_weights, loadWeights(*m_pretrained, m_device, [&](double progress) {
                 status("load", progress, "reading the weights");
                 return g_stopSignals.load() == 0;
             }));
    return guardTorch([&]() -> Result<void> {
        m_gradients = ParameterArena(infos, m_device);
        m_decoder = std::make_unique<Decoder>(m_pretrained->description(), infos, m_weights);
        m_optimizer = std::make_unique<Optimizer>(*m_pretrained, m_config, m_weights, m_gradients, Optimizer::placeFor(m_device, m_config.offload));
        if (m_config.offload == Offload::Optimizer && m_device.is_cpu())
            event("warning", "engine", "offload=optimizer changes nothing on the CPU: everything is in host memory already");
        m_statistics = std::make_unique<TensorStatistics>(*m_pretrained, m_config.coverage);
        m_gradientNorm.emplace(infos);

        MOFO_TRY(const std::optional<FoundCheckpoint> checkpoint, newestCheckpoint(m_workspace.checkpointsFolder(m_run.id)));
        if (checkpoint) {
            MOFO_CHECK(resumeFrom(*checkpoint));
        } else if (m_startedBefore) {
            MOFO_CHECK(m_queue.supersedeAfter(0));
            event("resume", "engine", "there is no checkpoint: starting again from the pretrained weights");
        }
        MOFO_TRY(m_replay, m_inbox.replayAfter(m_done, m_acknowledged));
        return m_optimizer->configure(optimizerSettings(m_config));
    });
}

Result<void> Trainer::resumeFrom(const FoundCheckpoint& checkpoint) {
    status("load", 0, "reading the checkpoint of step " + std::to_string(checkpoint.step));
    const Json& state = checkpoint.state;
    if (state.value("data_sha256", std::string()) != m_data->facts()["sha256"].get<std::string>()) {
        return Error{ErrorCode::Conflict,
                     "the training data changed since the checkpoint of step " + std::to_string(checkpoint.step) + " was written",
                     escapeForDisplay(m_config.data), "Put the old file back, or start a new run", "CHANGED"};
    }
    MOFO_CHECK(restoreCheckpoint(checkpoint, m_pretrained->parameters(), m_weights, m_optimizer->firstMoments(), m_optimizer->secondMoments()));
    MOFO_CHECK(m_optimizer->stateReplaced());
    MOFO_TRY(m_config, configFromJson(state["config"]));
    m_done = m_lastSaved = checkpoint.step;
    m_tokens = state.value("tokens", std::int64_t{0});
    MOFO_CHECK(m_queue.supersedeAfter(m_done));
    event("resume", "engine", "resumed from the checkpoint of step " + std::to_string(m_done));
    return {};
}

Result<void> Trainer::applySet(const CommandRow& command, bool mayRefuse) {
    RunConfig changed = m_config;
    const auto tryAll = [&]() -> Result<void> {
        if (!command.payload.is_object() || command.payload.empty()) return Error{ErrorCode::Usage, "a set command without any key", "", "", ""};
        for (const auto& [key, value] : command.payload.items()) {
            if (!value.is_string()) return Error{ErrorCode::Usage, "the value of " + escapeForDisplay(key) + " is not a text", "", "", ""};
            MOFO_CHECK(setConfigValue(changed, key, value.get<std::string>()));
            MOFO_CHECK(checkLiveKey(m_config, key));
        }
        MOFO_CHECK(checkConfig(changed));
        MOFO_CHECK(checkMethod(changed, m_pretrained->description(), m_pretrained->parameters()));
        return m_optimizer->configure(optimizerSettings(changed));
    };
    if (auto applied = tryAll(); !applied.ok()) {
        if (!mayRefuse) return applied;
        acknowledge(command, false, applied.error().text());
        event("set", command.who, "refused: " + applied.error().text());
        return {};
    }
    for (const ConfigDifference& difference : configDifferences(m_config, changed)) {
        event("set", command.who, difference.key + " " + difference.a + " -> " + difference.b + " from step " + std::to_string(m_done + 1),
              difference.key, difference.a, difference.b);
    }
    m_config = std::move(changed);
    if (mayRefuse) acknowledge(command, true);
    return m_registry.setRunConfig(m_run.id, m_config);
}

Result<void> Trainer::answer(const CommandRow& command) {
    const Stopwatch clock;
    if (auto done = answerGenerate(command, *m_decoder, *m_tokenizer, m_config.chatTemplate, m_device, m_queue); !done.ok()) {
        acknowledge(command, false, done.error().text());
        return {};
    }
    acknowledge(command, true);
    event("generate", command.who, "training waited " + formatDuration(clock.elapsedMs() * 1e-3) + " for an answer");
    return {};
}

Result<Trainer::Go> Trainer::obey(const CommandRow& command) {
    if (command.kind == "set") {
        MOFO_CHECK(applySet(command, true));
    } else if (command.kind == "pause") {
        acknowledge(command, true);
        if (!m_paused) event("pause", command.who, "paused before step " + std::to_string(m_done + 1));
        m_paused = true;
    } else if (command.kind == "resume") {
        acknowledge(command, true);
        if (m_paused) event("resume", command.who, "resumed at step " + std::to_string(m_done + 1));
        m_paused = false;
    } else if (command.kind == "stop") {
        acknowledge(command, true);
        const bool save = !command.payload.is_object() || command.payload.value("save", true);
        event("stop", command.who, save ? "stop after this step, with a checkpoint" : "stop without saving");
        return save ? Go::Stop : Go::StopNow;
    } else if (command.kind == "checkpoint") {
        MOFO_CHECK(saveCheckpoint());
        acknowledge(command, true);
    } else if (command.kind == "evaluate") {
        if (m_data->evalRows().empty()) {
            acknowledge(command, false, "this run has no rows to evaluate on: it was started without eval_data and eval_split");
        } else {
            MOFO_CHECK(evaluate(true));
            acknowledge(command, true);
        }
    } else if (command.kind == "generate") {
        MOFO_CHECK(answer(command));
    } else {
        acknowledge(command, false, "this version does not know the command " + escapeForDisplay(command.kind));
    }
    return Go::On;
}

Result<Trainer::Go> Trainer::obeyCommands() {
    // Changes that an earlier engine of this run acknowledged come back at their steps.
    for (const auto& [step, command] : m_replay) {
        if (step == m_done + 1) MOFO_CHECK(applySet(command, false));
    }
    MOFO_TRY(const std::vector<CommandRow> commands, m_inbox.due(m_done + 1));
    for (const CommandRow& command : commands) {
        MOFO_TRY(const Go go, obey(command));
        if (go != Go::On) return go;
    }
    if (stopAsked()) {
        event("stop", "engine", "asked by a signal to stop, with a checkpoint");
        return Go::Stop;
    }
    return Go::On;
}

Result<Trainer::Go> Trainer::waitWhilePaused() {
    setState(RunState::Paused);
    status("paused", 0, "paused before step " + std::to_string(m_done + 1));
    while (m_paused) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        MOFO_TRY(const Go go, obeyCommands());
        if (go != Go::On) return go;
    }
    setState(RunState::Running);
    status("train", 0);
    return Go::On;
}

Result<void> Trainer::evaluate(bool force) {
    if (m_data->evalRows().empty() || (!force && m_lastEvaluated == m_done)) return {};
    const Stopwatch clock;
    MOFO_TRY(const RowLosses losses, computeRowLosses(*m_decoder, m_data->evalRows(), m_device, [&](double progress) {
                 status("evaluate", progress, "held-out loss of " + std::to_string(m_data->evalRows().size()) + " rows");
                 return g_stopSignals.load() < 2;
             }));
    EvalRow row;
    row.step = m_done;
    row.loss = losses.mean();
    row.tokens = losses.targetCount();
    for (std::size_t i = 0; i < losses.nll.size(); ++i) {
        row.rowLoss.push_back(static_cast<float>(losses.nll[i]));
        row.rowTokens.push_back(static_cast<std::uint32_t>(losses.targets[i]));
    }
    row.seconds = clock.elapsedMs() * 1e-3;
    m_summary.evalLoss = row.loss;
    m_lastEvaluated = m_done;
    spdlog::info("step {}: held-out loss {:.4f} over {} rows in {:.1f} s", m_done, row.loss, losses.nll.size(), row.seconds);
    MetricsBatch batch;
    batch.evals.push_back(std::move(row));
    m_queue.add(std::move(batch));
    return {};
}

Result<void> Trainer::saveCheckpoint() {
    if (m_lastSaved == m_done || m_done == 0) return {};
    status("save", 0, "checkpoint of step " + std::to_string(m_done));
    const Json state = {{"step", m_done},
                        {"run", m_run.id},
                        {"config", configToJson(m_config)},
                        {"tokens", m_tokens},
                        {"rows_consumed", m_done * m_config.batch},
                        {"data_sha256", m_data->facts()["sha256"]},
                        {"model", m_run.modelId},
                        {"libtorch", TORCH_VERSION},
                        {"threads", at::get_num_threads()},
                        {"kernels", kernels::instructionSetName(kernels::bestInstructionSet())}};
    MOFO_TRY(CheckpointRow row, guardTorch([&] {
                 return writeCheckpoint(m_workspace.checkpointsFolder(m_run.id), m_done, m_pretrained->parameters(), m_weights,
                                        m_optimizer->firstMoments(), m_optimizer->secondMoments(), state);
             }));
    m_lastSaved = m_done;
    m_sinceCheckpoint.restart();
    event("checkpoint", "engine",
          "checkpoint of step " + std::to_string(m_done) + ", " + formatBytes(static_cast<std::uint64_t>(row.sizeBytes)) + " in " +
              formatDuration(row.seconds));
    MetricsBatch batch;
    batch.checkpoints.push_back(std::move(row));
    m_queue.add(std::move(batch));
    if (m_config.keep > 0) {
        for (const std::string& name : retainCheckpoints(m_workspace.checkpointsFolder(m_run.id), m_config.keep))
            event("checkpoint", "engine", "removed " + name + " (keep=" + std::to_string(m_config.keep) + ")");
    }
    return {};
}

OptimizerSettings Trainer::optimizerSettings(const RunConfig& config) const {
    return OptimizerSettings::from(config, (m_data->rowCount() + config.batch - 1) / config.batch);
}

Result<void> Trainer::trainStep() {
    const std::int64_t step = m_done + 1;
    const Stopwatch wholeClock;
    Stopwatch clock;
    StepTiming timing;
    const std::vector<const TokenRow*> rows = m_data->batch(step);
    const std::vector<PackedBatch> pieces = packMicroBatches(rows, effectiveMicroBatch(m_config), m_config.lossMean);
    std::int64_t targets = 0, inputTokens = 0;
    for (const PackedBatch& piece : pieces) {
        targets += piece.targetCount();
        inputTokens += piece.tokenCount();
    }
    timing.dataMs = clock.elapsedMs();

    clock.restart();
    m_gradients.flat().zero_();
    double loss = 0;
    for (const PackedBatch& piece : pieces) loss += m_decoder->addGradients(piece.to(m_device), m_gradients);
    const std::vector<bool>& frozen = m_optimizer->frozenAt(step);
    const double norm = (*m_gradientNorm)(m_gradients, frozen);
    if (m_config.optimizer == OptimizerKind::Hft && frozen != m_frozen) {
        m_frozen = frozen;
        event("state", "engine",
              "half fine-tuning freezes " + formatCount(std::count(frozen.begin(), frozen.end(), true)) + " of " +
                  formatCount(static_cast<std::int64_t>(frozen.size())) + " tensors from step " + std::to_string(step));
    }
    timing.forwardBackwardMs = clock.elapsedMs();

    clock.restart();
    const bool finite = std::isfinite(loss) && std::isfinite(norm);
    const double scale = m_config.clip > 0 && norm > m_config.clip ? m_config.clip / (norm + 1e-6) : 1.0;
    StepRow row;
    row.step = step;
    row.lossState = lossStateOf(loss);
    row.loss = loss;
    row.gradNorm = norm;
    row.clippedNorm = norm * scale;
    row.lr = learningRate(m_config, step, m_total);
    row.alpha = selectsCoordinates(m_config.optimizer) ? m_config.alpha.common.at(step) : 1.0;
    row.granularity = m_config.granularity.text();
    row.tokens = targets;
    row.inputTokens = inputTokens;
    row.epoch = m_data->epochAfter(step);
    const bool logged = step == 1 || step == m_total || (m_config.statsEvery > 0 && step % m_config.statsEvery == 0);
    const StepOutcome* outcome = nullptr;
    std::string refusal;
    if (pieces.empty()) {
        event("warning", "engine", "none of the rows of step " + std::to_string(step) + " has anything to train on; nothing was updated");
    } else if (finite) {
        MOFO_TRY(outcome, m_optimizer->step(step, row.lr, scale, true, {.updates = logged, .histograms = logged}));
        row.movedCount = outcome->selectedCount();
        if (outcome->nanFound) refusal = "a moment would become NaN at step " + std::to_string(step);
    } else {
        std::string lines;
        for (std::size_t i = 0; i < std::min<std::size_t>(rows.size(), 8); ++i) lines += (i == 0 ? "" : ", ") + std::to_string(rows[i]->line);
        refusal = (std::isfinite(loss) ? "the gradient norm is " + lossStateOf(norm) : "the loss is " + lossStateOf(loss)) + " at step " +
                  std::to_string(step) + " (rows of lines " + lines + ")";
    }
    timing.optimizerMs = clock.elapsedMs();

    MetricsBatch batch;
    clock.restart();
    if (outcome != nullptr && refusal.empty() && logged) {
        MOFO_TRY(TensorStatistics::Measurement measured, m_statistics->measure(step, m_config, m_weights, *m_optimizer, *outcome));
        if (!m_parametersWritten) {
            std::vector<ParameterRow> parameters;
            const auto& infos = m_pretrained->parameters();
            for (std::size_t i = 0; i < infos.size(); ++i) {
                parameters.push_back({static_cast<std::int64_t>(i), infos[i].name, std::string(moduleKindName(infos[i].kind)), infos[i].layer,
                                      infos[i].elementCount(), m_optimizer->filtered()[i], measured.pretrainedL2[i]});
            }
            MOFO_CHECK(m_queue.writeParameters(parameters));
            m_parametersWritten = true;
        }
        m_summary.drift = measured.drift.relative();
        row.topGradientNorm = measured.topGradientNorm;
        batch = std::move(measured.rows);
    }
    timing.statisticsMs = clock.elapsedMs();

    row.dataMs = timing.dataMs;
    row.forwardBackwardMs = timing.forwardBackwardMs;
    row.optimizerMs = timing.optimizerMs;
    row.statisticsMs = timing.statisticsMs;
    row.stepMs = wholeClock.elapsedMs();
    row.tokensPerSecond = static_cast<double>(targets) / row.stepMs * 1e3;
    row.memoryBytes = residentBytes();
    row.wallNs = wallNs();
    m_recentMs.push_back(row.stepMs);
    if (m_recentMs.size() > 20) m_recentMs.pop_front();
    m_summary.loss = std::isfinite(loss) ? std::optional(loss) : std::nullopt;
    m_summary.lossState = row.lossState;
    m_summary.tokensPerSecond = row.tokensPerSecond;
    batch.steps.push_back(std::move(row));
    m_queue.add(std::move(batch));
    m_done = step;
    m_tokens += targets;
    status("train", static_cast<double>(m_done) / static_cast<double>(m_total));
    if (!refusal.empty()) {
        if (m_config.onNonFinite == OnNonFinite::Stop) {
            event("error", "engine", refusal + "; nothing was updated");
            return Error{ErrorCode::Conflict, refusal + "; the update was not made", "",
                         "Resume from the last checkpoint with a lower lr, or set on_nonfinite=skip", "NONFINITE"};
        }
        event("warning", "engine", refusal + "; this update was skipped");
    }
    return {};
}

Result<void> Trainer::train() {
    setState(RunState::Running);
    event("state", "engine",
          (m_done == 0 ? "training starts: " : "training goes on: ") + formatCount(m_total - m_done) + " steps on " + deviceLabel(m_device));
    m_sinceCheckpoint.restart();
    if (m_done == 0) MOFO_CHECK(evaluate(false));
    Go go = Go::On;
    while (m_done < m_total) {
        MOFO_TRY(go, obeyCommands());
        if (go == Go::On && m_paused) {
            MOFO_TRY(go, waitWhilePaused());
        }
        if (go != Go::On) break;
        MOFO_CHECK(guardTorch([&] { return trainStep(); }));
        if (m_config.evalEvery > 0 && m_done % m_config.evalEvery == 0) MOFO_CHECK(evaluate(false));
        const bool bySteps = m_config.checkpointEvery > 0 && m_done % m_config.checkpointEvery == 0;
        const bool byMinutes = m_config.checkpointMinutes > 0 && m_sinceCheckpoint.elapsedMs() >= m_config.checkpointMinutes * 60e3;
        if (m_done < m_total && (bySteps || byMinutes)) MOFO_CHECK(saveCheckpoint());
    }
    if (go == Go::StopNow) {
        event("end", "engine", "stopped after step " + std::to_string(m_done) + " without saving");
        status("end", 1);
        setState(RunState::Stopped);
        return {};
    }
    if (go == Go::Stop) setState(RunState::Stopping);
    if (go == Go::On) MOFO_CHECK(evaluate(false));
    MOFO_CHECK(saveCheckpoint());
    event("end", "engine", go == Go::On ? "finished after " + std::to_string(m_done) + " steps" : "stopped after step " + std::to_string(m_done));
    status("end", 1);
    setState(go == Go::On ? RunState::Finished : RunState::Stopped);
    return {};
}

}  // namespace

Result<void> trainRun(const Workspace& workspace, const std::string& runId) {
    MOFO_TRY(FileLock lock, FileLock::tryAcquire(workspace.runLock(runId)));
    MOFO_CHECK(lock.writeText(std::to_string(getpid()) + "\n"));
    MOFO_TRY(Registry registry, Registry::open(workspace, Registry::Access::ReadWrite));
    MOFO_TRY(RunRow run, registry.findRun(runId));
    MOFO_TRY(MetricsWriter writer, MetricsWriter::open(workspace.metricsFile(runId), runId));
    std::vector<AcknowledgementRow> acknowledged;
    Json initialConfig = configToJson(run.config);
    bool startedBefore = false;
    {
        MOFO_TRY(const MetricsReader reader, MetricsReader::open(workspace.metricsFile(runId)));
        MOFO_TRY(acknowledged, reader.acknowledgements());
        MOFO_TRY(const std::optional<Json> earlier, reader.fact("initial_config"));
        startedBefore = earlier.has_value();
        if (startedBefore) {
            // Live changes rewrote the run's config; a start from the sealed model begins with what the run was started with.
            initialConfig = *earlier;
            MOFO_TRY(run.config, configFromJson(initialConfig));
        }
    }
    MOFO_TRY(Registry queueRegistry, Registry::open(workspace, Registry::Access::ReadWrite));
    MetricsQueue queue(std::move(writer), std::move(queueRegistry), runId, workspace.runFolder(runId));
    Trainer trainer(workspace, std::move(run), registry, queue, std::move(acknowledged), startedBefore);
    auto result = trainer.prepare(initialConfig);
    if (result.ok()) result = guardTorch([&] { return trainer.train(); });
    if (!result.ok()) {
        const std::string text = result.error().text();
        spdlog::error("{}", text);
        MetricsBatch batch;
        EventRow row;
        row.step = trainer.stepsDone();
        row.kind = "end";
        row.who = "engine";
        const bool interrupted = result.error().code == ErrorCode::Interrupted;
        row.text = (interrupted ? "stopped: " : "failed: ") + text;
        row.wallNs = wallNs();
        batch.events.push_back(std::move(row));
        queue.add(std::move(batch));
        queue.setState(interrupted ? RunState::Stopped : RunState::Failed, text);
        if (interrupted) result = {};
    }
    const auto flushed = queue.flush();
    return result.ok() ? flushed : result;
}

}  // namespace mofo
