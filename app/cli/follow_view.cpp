#include "app/cli/follow_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <thread>

#include "app/cli/context.h"
#include "core/base/text.h"
#include "core/client/device_choice.h"
#include "core/client/run_json.h"

namespace mofo::cli {

namespace {

constexpr double kPlainLineMs = 5000;
constexpr auto kPoll = std::chrono::milliseconds(100);
constexpr std::size_t kBarWidth = 20;

struct Phase {
    std::string_view name, text;
};
constexpr std::array<Phase, 7> kPhases{{{"load", "loading"},
                                        {"scan", "reading the data"},
                                        {"train", "training"},
                                        {"evaluate", "measuring the held-out loss"},
                                        {"save", "saving a checkpoint"},
                                        {"paused", "paused"},
                                        {"end", "ending"}}};

std::string lossText(const StepRow& step) { return step.lossState == "finite" ? fmt::format("{:.4f}", step.loss) : step.lossState; }

}  // namespace

std::string phaseText(std::string_view phase) {
    const auto known = std::find_if(kPhases.begin(), kPhases.end(), [&](const Phase& one) { return one.name == phase; });
    return known == kPhases.end() ? escapeForDisplay(phase) : std::string(known->text);
}

std::string FollowView::stepText(const FollowUpdate& update, std::int64_t parameterCount) const {
    const StepRow& step = *m_last;
    const std::int64_t total = update.status ? update.status->totalSteps : update.run.summary.totalSteps;
    std::string text;
    if (stderrIsTerminal() && total > 0) text = barText(static_cast<double>(step.step) / static_cast<double>(total), kBarWidth) + ' ';
    text +=
        fmt::format("step {}{}  loss {}  {:.0f} tok/s", step.step, total > 0 ? fmt::format("/{}", total) : "", lossText(step), step.tokensPerSecond);
    if (update.status && update.status->etaSeconds >= 0) text += "  ETA " + formatDuration(update.status->etaSeconds);
    if (parameterCount > 0)
        text += fmt::format("  moved {:.1f} %", 100.0 * static_cast<double>(step.movedCount) / static_cast<double>(parameterCount));
    if (update.run.summary.drift) text += fmt::format("  drift {:.2e}", *update.run.summary.drift);
    if (update.stalledSeconds) return text + fmt::format("  (stalled: no sign of the engine for {})", formatDuration(*update.stalledSeconds));
    const bool training = update.run.state == RunState::Running && (!update.status || update.status->phase == "train");
    if (!training)
        text += fmt::format("  ({})",
                            update.run.state == RunState::Running ? phaseText(update.status->phase) : std::string(runStateName(update.run.state)));
    return text;
}

std::string FollowView::waitText(const FollowUpdate& update) const {
    if (update.run.state == RunState::Queued) return fmt::format("queued for {}", deviceText(update.run.device));
    // The engine before this one may have said last that it ends.
    const bool stale = update.run.state == RunState::Starting && update.status && update.status->phase == "end";
    if (!update.status || update.status->phase.empty() || stale) return std::string(runStateName(update.run.state));
    if (update.stalledSeconds) return fmt::format("stalled: no sign of the engine for {}", formatDuration(*update.stalledSeconds));
    std::string text = phaseText(update.status->phase);
    if (!update.status->detail.empty()) text += ": " + escapeForDisplay(update.status->detail);
    return text;
}

void FollowView::showEvents(const FollowUpdate& update) {
    for (const EventRow& event : update.events) {
        if (event.kind == "refused" || event.kind == "state") m_refused = event.kind == "refused";
        if (event.superseded || event.kind == "end" || event.kind == "refused" || event.kind == "state") continue;
        std::string text = event.text;
        if (text.empty() && !event.key.empty()) text = fmt::format("{} {} -> {}", event.key, event.oldValue, event.newValue);
        if (text.empty()) text = event.kind;
        const bool warns = event.kind == "warning" || event.kind == "error";
        m_line.print(fmt::format("{}{}{}", event.step > 0 ? fmt::format("step {}: ", event.step) : "", warns ? event.kind + ": " : "",
                                 escapeForDisplay(text)));
    }
    for (const EvalRow& eval : update.evals) {
        if (eval.superseded || eval.task != "eval") continue;
        m_line.print(fmt::format("step {}: held-out loss {:.4f} over {} tokens", eval.step, eval.loss, formatCount(eval.tokens)));
    }
}

void FollowView::showJson(const FollowUpdate& update) {
    const auto line = [](const char* kind, Json json) {
        json["kind"] = kind;
        printJson(json);
    };
    for (const EventRow& event : update.events) {
        Json json = eventJson(event);
        json["event"] = json["kind"];
        line("event", std::move(json));
    }
    for (const StepRow& step : update.steps) line("step", stepJson(step));
    for (const EvalRow& eval : update.evals) line("eval", evalJson(eval));
    std::fflush(stdout);
}

void FollowView::show(const FollowUpdate& update, std::int64_t parameterCount) {
    if (m_jsonLines) showJson(update);
    showEvents(update);
    for (const EvalRow& eval : update.evals) {
        if (eval.superseded || eval.task != "eval") continue;
        if (!m_firstEval) m_firstEval = eval;
        m_lastEval = eval;
    }
    for (const StepRow& step : update.steps) {
        if (step.superseded) continue;
        if (!m_first) m_first = step;
        m_last = step;
    }
    if (!m_last) {
        const std::string text = waitText(update);
        if (stderrIsTerminal()) {
            const double share = update.status ? update.status->progress : 0;
            m_line.show(barText(share, kBarWidth) + ' ' + text);
        } else if (text != m_lastWait && !update.ended) {
            m_line.print(text);
            m_sincePrinted.restart();
        }
        m_lastWait = text;
        return;
    }
    if (stderrIsTerminal()) {
        m_line.show(stepText(update, parameterCount));
        return;
    }
    const bool news = m_last->step != m_lastPrinted;
    if (news && (!m_printedStep || update.ended || m_sincePrinted.elapsedMs() > kPlainLineMs)) {
        m_line.print(stepText(update, parameterCount));
        m_printedStep = true;
        m_lastPrinted = m_last->step;
        m_sincePrinted.restart();
    }
}

void FollowView::finish(const FollowUpdate& last) {
    m_line.clear();
    const RunRow& run = last.run;
    if (m_refused) {
        // The reason says what helps.
        printNote(fmt::format("{} ({}): {}", escapeForDisplay(run.name), run.id, escapeForDisplay(run.endReason)));
        return;
    }
    std::string text = fmt::format("{} ({}): {}", escapeForDisplay(run.name), run.id, runStateName(run.state));
    if (m_last) text += fmt::format(" after {} steps", m_last->step);
    if (run.startedNs && run.endedNs && *run.endedNs > *run.startedNs) {
        text += " in " + formatDuration(static_cast<double>(*run.endedNs - *run.startedNs) * 1e-9);
    }
    if (m_first && m_last && m_first->step < m_last->step) text += fmt::format(", loss {} -> {}", lossText(*m_first), lossText(*m_last));
    if (m_firstEval && m_lastEval && m_firstEval->step < m_lastEval->step) {
        text += fmt::format(", held-out {:.4f} -> {:.4f}", m_firstEval->loss, m_lastEval->loss);
    }
    printNote(text);
    if (run.state == RunState::Failed || run.state == RunState::Lost) {
        printNote(run.endReason.empty() ? std::string("The engine ended without saying why.") : escapeForDisplay(run.endReason));
        const bool saysHow = run.endReason.find("mofo ") != std::string::npos;
        printNote(fmt::format("Log: mofo log {}", run.id) +
                  (saysHow ? "" : fmt::format("    Go on from its last checkpoint: mofo resume {}", run.id)));
    } else {
        printNote(fmt::format("Next: mofo show {}    mofo chat {}    mofo export {} DIR --format hf", run.id, run.id, run.id));
    }
}

void FollowView::leave(const RunRow& run) {
    m_line.clear();
    printNote(
        fmt::format("The run {} goes on. Follow it again: mofo follow {}    Stop it: mofo stop {}", escapeForDisplay(run.name), run.id, run.id));
}

Result<int> followRun(const Workspace& workspace, const std::string& runId, bool fromStart, bool jsonLines) {
    MOFO_TRY(RunFollower follower, RunFollower::open(workspace, runId, fromStart));
    return followRun(follower, jsonLines);
}

Result<int> followRun(RunFollower& follower, bool jsonLines) {
    watchInterrupts();
    FollowView view(jsonLines);
    while (true) {
        auto polled = follower.poll();
        if (!polled.ok() && polled.error().code == ErrorCode::Busy && !interrupted()) continue;  // whoever holds the store's lock lets go of it
        MOFO_TRY(const FollowUpdate update, std::move(polled));
        view.show(update, follower.parameterCount());
        if (update.ended) {
            view.finish(update);
            if (view.wasRefused()) return 1;
            return update.run.state == RunState::Finished || update.run.state == RunState::Stopped ? 0 : 1;
        }
        if (interrupted()) {
            view.leave(update.run);
            return 130;
        }
        std::this_thread::sleep_for(kPoll);
    }
}

}  // namespace mofo::cli
