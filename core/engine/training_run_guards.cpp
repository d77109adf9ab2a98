// What a training run does of its own accord: guard rails, early stopping, updates that are left out.
#include <algorithm>
#include <cmath>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/text.h"
#include "core/engine/torch_guard.h"
#include "core/engine/training_run.h"

namespace mofo {

namespace {

/// So many steps are left out by going back from spikes before a person is asked.
constexpr std::size_t mostSkippedByGuard = 16;

std::string reactionText(GuardAction action) {
    switch (action) {
        case GuardAction::Pause: return "the run is paused";
        case GuardAction::LowerAlpha: return "alpha is halved";
        case GuardAction::Back: return "the run goes back to its best checkpoint";
        default: return "nothing was changed";
    }
}

/// Whether somebody may want to return to the best evaluation, so that a checkpoint of it is due at once.
bool wantsBest(const RunConfig& config) {
    if (config.earlyStop > 0) return true;
    const auto guards = guardKeys();
    return std::any_of(guards.begin(), guards.end(),
                       [&](const GuardKeys& guard) { return config.*guard.limit > 0 && guardActionOf(config, guard) == GuardAction::Back; });
}

}  // namespace

Result<TrainingRun::Go> TrainingRun::watch() {
    GuardReading reading = std::exchange(m_reading, {});
    reading.step = m_state.step;
    const bool last = m_state.step >= m_total;
    const std::vector<GuardHit> hits = m_state.guards.watch(config(), reading);
    for (const GuardHit& hit : hits) {
        // After the last step nothing is left to pause or to change, but there is a way back.
        m_log.event("guard", "guard", hit.text + ": " + (last && hit.action != GuardAction::Back ? "it was the last step" : reactionText(hit.action)),
                    std::string(hit.guard->key), formatShortest(hit.value), formatShortest(hit.limit));
    }
    const std::string stop = reading.evalLoss && !last ? m_state.guards.stopEarly(config()) : std::string();
    const GuardHit* back = nullptr;
    bool lower = false;
    for (const GuardHit& hit : hits) {
        lower = lower || hit.action == GuardAction::LowerAlpha;
        if (hit.action == GuardAction::Pause && !last) pauseByGuard(hit.text);
        if (hit.action == GuardAction::Back && back == nullptr) back = &hit;
    }
    if (lower && back == nullptr && !last) {
        RunConfig changed = config();
        if (lowerAlpha(changed)) {
            MOFO_CHECK(changeByGuard(changed));
        } else {
            pauseByGuard("alpha is as low as a guard makes it (" + formatShortest(leastAlpha) + ")");
        }
    }
    // After the reactions: a checkpoint that knows of a hit knows of what followed as well.
    if (reading.evalLoss && m_state.guards.bestStep == m_state.step && !last && wantsBest(config())) {
        MOFO_TRY(const Go go, save(Save::Cadence));
        if (go != Go::On) return go;
    }
    if (!stop.empty()) {
        m_endReason = "stopped early: " + stop;
        const auto best = m_keeper.find(m_state.guards.bestStep);
        m_log.event("guard", "guard",
                    m_endReason + (best ? "; the best checkpoint stays: mofo export " + m_run.id + "@best"
                                        : "; the lowest held-out loss was that of the start, or has no checkpoint"),
                    "early_stop", std::to_string(config().earlyStop), std::to_string(config().earlyStop));
        return Go::Stop;
    }
    return back == nullptr ? Go::On : goBackByGuard(*back);
}

void TrainingRun::pauseByGuard(const std::string& why) {
    if (!m_paused) m_log.event("pause", "guard", "paused before step " + std::to_string(m_state.step + 1) + ": " + why);
    m_paused = true;
    m_pauseReason = why;
}

Result<void> TrainingRun::changeByGuard(const RunConfig& changed) {
    CommandRow command;
    command.kind = "set";
    command.who = "guard";
    command.runId = m_run.id;
    command.atStep = m_state.step + 1;
    command.payload = Json::object();
    for (const ConfigDifference& difference : configDifferences(config(), changed)) command.payload[difference.key] = difference.b;
    if (command.payload.empty()) return {};
    // A resumed run comes to the same step and the same hit: what it did then is in the journal, acknowledged or not.
    const auto same = [&](const CommandRow& other) {
        return other.kind == command.kind && other.who == command.who && other.payload == command.payload && other.atStep == command.atStep;
    };
    const auto replayed =
        std::find_if(m_replay.begin(), m_replay.end(), [&](const auto& one) { return one.first == m_state.step + 1 && same(one.second); });
    if (replayed != m_replay.end()) {
        command = replayed->second;
        m_replay.erase(replayed);
        return applySet(command, false);
    }
    const std::vector<CommandRow> waiting = m_inbox.pendingChanges();
    const auto asked = std::find_if(waiting.begin(), waiting.end(), same);
    if (asked != waiting.end()) {
        command = *asked;
    } else {
        command.uuid = newUuid();
        command.createdNs = wallNs();
        if (auto added = m_registry.addCommand(command); !added.ok())
            m_log.event("warning", "engine", "the change is not in the list of commands: " + added.error().text());
    }
    m_inbox.markHandled(command.uuid);
    return applySet(command, true);
}

Result<TrainingRun::Go> TrainingRun::goBackByGuard(const GuardHit& hit) {
    const std::int64_t from = m_state.step;
    // The same settings would lead to the same place bit for bit. What changes is taken from here and only ever grows, so that it comes to an end.
    RunConfig wanted = config();
    bool changes = false;
    std::string what;
    if (hit.guard->limit == &RunConfig::guardSpike) {
        changes = wanted.skipSteps.size() < mostSkippedByGuard;
        if (changes) {
            wanted.skipSteps.insert(std::lower_bound(wanted.skipSteps.begin(), wanted.skipSteps.end(), from), from);
            what = "leaves out step " + std::to_string(from);
        }
    } else if (selectsCoordinates(config().optimizer)) {
        changes = lowerAlpha(wanted);
        what = "halves alpha";
    }
    std::vector<CheckpointRow> candidates = m_keeper.candidates();
    std::erase_if(candidates, [&](const CheckpointRow& row) { return row.step >= from; });
    const bool slow = hit.guard->limit == &RunConfig::guardDrift || hit.guard->needs == GuardKeys::Needs::Probes;
    // Drift only grows, and what is forgotten stays so: the newest one is as good as at the limit, and going back to it would gain a step or two.
    const auto wellBefore = [&](const CheckpointRow& row) { return row.step * 4 <= from * 3; };
    if (slow && std::any_of(candidates.begin(), candidates.end(), wellBefore))
        std::erase_if(candidates, [&](const CheckpointRow& row) { return !wellBefore(row); });
    std::stable_sort(candidates.begin(), candidates.end(), [](const CheckpointRow& a, const CheckpointRow& b) {
        if (std::isnan(a.evalLoss) || std::isnan(b.evalLoss)) return !std::isnan(a.evalLoss) && std::isnan(b.evalLoss);
        return a.evalLoss < b.evalLoss;
    });
    std::vector<std::int64_t> steps;
    for (const CheckpointRow& row : candidates) steps.push_back(row.step);
    if (m_run.parentStep == 0) steps.push_back(0);
    for (const std::int64_t step : steps) {
        CommandRow command;
        command.uuid = newUuid();
        command.runId = m_run.id;
        command.kind = "undo";
        command.who = "guard";
        command.payload = {{"to", step}};
        MOFO_TRY(const Go go, undo(command));
        if (go != Go::On) return go;
        if (m_state.step != step) continue;
        m_log.event("guard", "guard",
                    "went back from step " + std::to_string(from) + " to step " + std::to_string(step) + ", because " + hit.text +
                        (changes ? "; goes on and " + what : ""),
                    std::string(hit.guard->key), formatShortest(hit.value), formatShortest(hit.limit));
        RunConfig changed = config();
        changed.alpha = wanted.alpha;
        changed.skipSteps = wanted.skipSteps;
        // The granularity of then may not go with an alpha per kind of now.
        const bool fits = checkConfig(changed).ok();
        if (fits) MOFO_CHECK(changeByGuard(changed));
        changes = changes && fits;
        if (!changes) pauseByGuard("the same settings would lead to step " + std::to_string(from) + " again: change something, then resume");
        return Go::On;
    }
    pauseByGuard("there is no checkpoint to go back to: " + hit.text);
    return Go::On;
}

void TrainingRun::addGuardChanges(std::vector<CommandRow>& pending) const {
    for (const TrainingState::AppliedChange& one : m_state.applied) {
        if (one.who != "guard" || one.step != m_state.step + 1) continue;
        CommandRow command;
        command.uuid = one.uuid;
        command.kind = "set";
        command.payload = one.change;
        command.atStep = one.step;
        command.who = one.who;
        pending.push_back(std::move(command));
    }
}

Result<void> TrainingRun::checkFinite() {
    constexpr std::int64_t piece = 4 << 20;
    return guardTorch([&]() -> Result<void> {
        const auto& infos = m_training.trained().parameters();
        for (const auto& [arena, what] :
             {std::pair(&m_training.weights(), "weights"), std::pair(&m_training.optimizer().firstMoments(), "first moments"),
              std::pair(&m_training.optimizer().secondMoments(), "second moments")}) {
            for (std::size_t i = 0; i < infos.size(); ++i) {
                const at::Tensor values = arena->view(i).flatten();
                for (std::int64_t begin = 0; begin < values.numel(); begin += piece) {
                    const at::Tensor some = values.narrow(0, begin, std::min(piece, values.numel() - begin));
                    // One pass: a sum is finite only where all of it is. Where it is not, large values may have overflowed it.
                    if (std::isfinite(some.sum().item<float>()) || some.isfinite().all().item<bool>()) continue;
                    return Error{ErrorCode::Conflict,
                                 "the " + std::string(what) + " of " + infos[i].name + " are not finite after step " + std::to_string(m_state.step) +
                                     ", and nothing was saved",
                                 "", "Go on from an earlier checkpoint with a lower lr: mofo branch " + m_run.id + " --at last --set lr=...",
                                 "NONFINITE"};
                }
            }
        }
        return {};
    });
}

Result<void> TrainingRun::leaveOutUpdate(const TrainingStep::Outcome& outcome) {
    if (outcome.refusal.empty()) {
        m_state.guards.nonFiniteInRow = 0;
        return {};
    }
    if (config().onNonFinite == OnNonFinite::Stop) {
        const std::string from = m_keeper.candidates().empty() ? "0" : "last";
        m_log.event("error", "guard", outcome.refusal + "; nothing was updated", "on_nonfinite", outcome.row.lossState, "stop");
        return Error{ErrorCode::Conflict, outcome.refusal + "; the update was not made", "",
                     "Leave that step out (mofo branch " + m_run.id + " --at " + from + " --set skip_steps=" + std::to_string(outcome.row.step) +
                         "), lower lr, or set on_nonfinite=skip",
                     "NONFINITE"};
    }
    ++m_state.skipped;
    const std::int64_t inRow = ++m_state.guards.nonFiniteInRow;
    m_log.event("warning", "guard", outcome.refusal + "; this update was skipped, " + std::to_string(inRow) + " in a row", "on_nonfinite",
                outcome.row.lossState, "skip");
    if (inRow < mostNonFinite) return {};
    return Error{ErrorCode::Conflict, outcome.refusal + "; " + std::to_string(inRow) + " updates in a row were skipped, and no more are", "",
                 "Go back to an earlier checkpoint with a lower lr: mofo branch " + m_run.id + " --at STEP --set lr=...", "NONFINITE"};
}

}  // namespace mofo
