#include "core/engine/training_run.h"

#include <spdlog/spdlog.h>

#include <cmath>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/engine/device.h"
#include "core/engine/device_fault.h"
#include "core/engine/evaluation.h"
#include "core/engine/torch_guard.h"
#include "core/engine/trainer.h"

namespace mofo {

bool stopSignalled() { return g_stopSignals.load() > 0; }

TrainingRun::TrainingRun(const Workspace& workspace, RunRow run, Registry& registry, MetricsQueue& queue, EarlierLife earlier)
    : m_workspace(workspace),
      m_run(std::move(run)),
      m_registry(registry),
      m_queue(queue),
      m_earlier(std::move(earlier)),
      m_log(queue, m_run.summary),
      m_inbox(registry, m_run.id, m_earlier.acknowledged),
      m_keeper(workspace.checkpointsFolder(m_run.id), m_run.id, registry, m_log) {
    m_state.config = m_usedConfig = m_run.config;
}

Result<void> TrainingRun::evaluate(bool force) {
    const std::vector<TokenRow>& held = m_training.data().evalRows();
    if (held.empty() || (!force && m_state.lastEvaluated == m_state.step)) return {};
    const Stopwatch clock;
    auto computed = computeRowLosses(m_training.decoder(), held, m_training.device(), [&](double progress) {
        m_log.status("evaluate", progress, "held-out loss of " + std::to_string(held.size()) + " rows");
        return lookMeanwhile() && g_stopSignals.load() < 2;
    });
    // Whoever stops without saving waits for no evaluation either.
    if (!computed.ok() && (m_goMeanwhile == Go::StopNow || m_errorMeanwhile)) return {};
    MOFO_TRY(const RowLosses losses, std::move(computed));
    EvalRow row;
    row.step = m_state.step;
    row.loss = losses.mean();
    row.tokens = losses.targetCount();
    for (std::size_t i = 0; i < losses.nll.size(); ++i) {
        row.rowLoss.push_back(static_cast<float>(losses.nll[i]));
        row.rowTokens.push_back(static_cast<std::uint32_t>(losses.targets[i]));
    }
    row.seconds = clock.elapsedMs() * 1e-3;
    m_log.summary().evalLoss = row.loss;
    // One that somebody asked for is not repeated by a resumed run: the run's state knows those of the cadence alone.
    if (!force) {
        m_state.lastEvaluated = m_state.step;
        m_reading.evalLoss = row.loss;
        if (m_state.step == 0) m_state.guards.noteStart(row.loss);
    }
    if (std::isfinite(row.loss)) m_keeper.noteEvaluation(m_state.step, row.loss);
    spdlog::info("step {}: held-out loss {:.4f} over {} rows in {:.1f} s", m_state.step, row.loss, losses.nll.size(), row.seconds);
    MetricsBatch batch;
    batch.evals.push_back(std::move(row));
    m_queue.add(std::move(batch));
    return {};
}

Result<void> TrainingRun::saveOnce() {
    // What the checkpoint says was acknowledged is in the store before the checkpoint is.
    if (const auto seq = m_queue.lastEventSeq(); seq.ok()) m_state.lastEventSeq = *seq;
    TrainingState state = m_state;
    state.config = m_usedConfig;
    std::erase_if(state.applied, [&](const TrainingState::AppliedChange& one) { return one.step > state.step; });
    state.pending = m_inbox.pendingChanges();
    addGuardChanges(state.pending);
    if (!m_keeper.isSaved(m_state.step)) MOFO_CHECK(checkFinite());
    return m_keeper.save(m_training, state, m_fingerprints, [&] { return lookMeanwhile(); });
}

Result<TrainingRun::Go> TrainingRun::save(Save how) {
    auto saved = saveOnce();
    if (saved.ok()) return Go::On;
    if (m_errorMeanwhile) return *m_errorMeanwhile;
    if (m_goMeanwhile == Go::StopNow) return std::exchange(m_goMeanwhile, Go::On);
    if (saved.error().tag == "NONFINITE") return std::move(saved).error();
    const auto full = [&] { return saved.error().code == ErrorCode::OutOfSpace; };
    // Once more with new files: what a descriptor has reported once is never tried on it again.
    if (!full()) saved = saveOnce();
    if (saved.ok()) return Go::On;
    if (!full() && how == Save::Cadence) {
        m_log.event("warning", "engine", "training goes on without this checkpoint; the earlier ones are as they were");
        return Go::On;
    }
    double waitedMs = 0;
    Stopwatch clock;
    return ask((full() ? "the disk is full: " : "the checkpoint cannot be written: ") + saved.error().text(),
               full() ? "free disk space, and it goes on by itself" : "put that right", [&](bool resumeAsked) {
                   if (!resumeAsked && full()) {
                       if (!m_keeper.fits(m_training, stateBytes())) return false;
                   } else if (!resumeAsked && clock.elapsedMs() < waitedMs) {
                       return false;
                   }
                   saved = saveOnce();
                   waitedMs = 10'000;
                   clock.restart();
                   return saved.ok();
               });
}

Result<void> TrainingRun::trainStep() {
    const std::int64_t step = m_state.step + 1;
    throwPlannedDeviceFault();
    MOFO_TRY(TrainingStep::Outcome outcome, m_training.run(step, m_total, config()));
    if (!outcome.notice.empty()) m_log.event(outcome.noticeKind, "engine", outcome.notice);
    const StepRow& row = outcome.row;
    m_log.addStepTime(row.stepMs);
    RunSummary& summary = m_log.summary();
    summary.loss = std::isfinite(row.loss) ? std::optional(row.loss) : std::nullopt;
    summary.lossState = row.lossState;
    summary.tokensPerSecond = row.tokensPerSecond;
    if (outcome.drift) summary.drift = *outcome.drift;
    m_reading = {};
    m_reading.drift = outcome.drift;
    if (std::isfinite(row.loss) && row.tokens > 0 && !outcome.withheld) m_reading.loss = row.loss;
    m_usedConfig = config();
    m_state.step = step;
    m_state.tokens += row.tokens;
    m_state.samples = m_training.data().samplesAfter(step);
    MetricsBatch batch = std::move(outcome.measured);
    batch.steps.push_back(outcome.row);
    m_queue.add(std::move(batch));
    m_log.setStep(step, m_total);
    m_log.status("train", static_cast<double>(step) / static_cast<double>(m_total));
    return leaveOutUpdate(outcome);
}

Result<void> TrainingRun::train() {
    m_log.setState(RunState::Running);
    m_log.event("state", "engine",
                (m_state.step == 0 ? "training starts: " : "training goes on: ") + formatCount(m_total - m_state.step) + " steps on " +
                    deviceLabel(m_training.device()));
    if (m_state.step == 0) {
        MOFO_CHECK(evaluate(false));
        MOFO_CHECK(probe());
    }
    Go go = Go::On;
    while (true) {
        MOFO_TRY(go, obeyCommands());
        if (go == Go::On && m_paused) {
            MOFO_TRY(go, waitWhilePaused());
        }
        if (go == Go::On) {
            MOFO_TRY(go, waitForStore());
        }
        // Asked after the commands: an undo that waited for this start takes a finished run back.
        if (go != Go::On || m_state.step >= m_total) break;
        MOFO_CHECK(trainStepInMemory());
        m_keeper.reviewCost(config(), m_total - m_state.step);
        if (config().evalEvery > 0 && (m_state.step % config().evalEvery == 0 || m_state.step == m_total)) MOFO_CHECK(evaluate(false));
        if (probesAreDue()) MOFO_CHECK(probe());
        MOFO_TRY(go, watch());
        if (go != Go::On) break;
        if (m_state.step < m_total && m_keeper.isDue(config(), m_state.step)) {
            MOFO_TRY(go, save(Save::Cadence));
            if (go != Go::On) break;
        }
    }
    return endWith(go);
}

Result<void> TrainingRun::endWith(Go go) {
    m_ending = true;
    if (go == Go::Stop) m_log.setState(RunState::Stopping);
    if (go == Go::StopNow) m_queue.stopWaiting();
    if (go == Go::On) MOFO_CHECK(evaluate(false));
    if (go != Go::StopNow && m_state.step > 0) {
        MOFO_TRY(const Go saved, save(Save::Must));
        if (saved == Go::StopNow) go = Go::StopNow;
        if (saved == Go::Stop && go == Go::On) go = Go::Stop;
    }
    if (go == Go::On) m_keeper.finish(config());
    const std::string steps = std::to_string(m_state.step) + (m_state.step == 1 ? " step" : " steps");
    m_log.event("end", "engine",
                go == Go::On     ? "finished after " + steps
                : go == Go::Stop ? "stopped after step " + std::to_string(m_state.step) + (m_endReason.empty() ? "" : ": " + m_endReason)
                                 : "stopped after step " + std::to_string(m_state.step) + " without saving");
    m_log.status("end", 1);
    m_log.setState(go == Go::On ? RunState::Finished : RunState::Stopped, m_endReason);
    return {};
}

}  // namespace mofo
