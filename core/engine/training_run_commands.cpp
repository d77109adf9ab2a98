// What people ask of a run while it trains, and how it waits for them.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/engine/live_chat.h"
#include "core/engine/random_state.h"
#include "core/engine/torch_guard.h"
#include "core/engine/trainer.h"
#include "core/engine/training_run.h"
#include "core/task/task_items.h"

namespace mofo {

Result<void> TrainingRun::applySet(const CommandRow& command, bool mayRefuse) {
    RunConfig changed = config();
    const auto tryAll = [&]() -> Result<void> {
        if (!command.payload.is_object() || command.payload.empty()) return Error{ErrorCode::Usage, "a set command without any key", "", "", ""};
        for (const auto& [key, value] : command.payload.items()) {
            if (!value.is_string()) return Error{ErrorCode::Usage, "the value of " + escapeForDisplay(key) + " is not a text", "", "", ""};
            MOFO_CHECK(setConfigValue(changed, key, value.get<std::string>()));
            MOFO_CHECK(checkLiveKey(config(), key));
        }
        MOFO_CHECK(checkConfig(changed));
        MOFO_CHECK(checkProbeGuards(changed));
        MOFO_CHECK(checkWatchable(changed, !m_training.data().evalRows().empty()));
        return m_training.configure(changed);
    };
    if (auto applied = tryAll(); !applied.ok()) {
        if (!mayRefuse) return applied;
        m_log.acknowledge(command, false, applied.error().text());
        m_log.event("set", command.who, "refused: " + applied.error().text());
        return {};
    }
    for (const ConfigDifference& difference : configDifferences(config(), changed)) {
        m_log.event("set", command.who,
                    difference.key + " " + difference.a + " -> " + difference.b + " from step " + std::to_string(m_state.step + 1), difference.key,
                    difference.a, difference.b);
    }
    m_state.config = std::move(changed);
    m_state.applied.push_back({m_state.step + 1, command.uuid, command.who, command.payload});
    if (mayRefuse) m_log.acknowledge(command, true);
    m_queue.setConfig(config());
    return {};
}

Result<void> TrainingRun::answer(const CommandRow& command) {
    const Stopwatch clock;
    if (auto done = answerGenerate(command, m_training.decoder(), m_training.tokenizer(), config().chatTemplate, m_training.device(), m_queue);
        !done.ok()) {
        m_log.acknowledge(command, false, done.error().text());
        return {};
    }
    m_log.acknowledge(command, true);
    m_log.event("generate", command.who, "training waited " + formatDuration(clock.elapsedMs() * 1e-3) + " for an answer");
    return {};
}

Result<TrainingRun::Go> TrainingRun::obey(const CommandRow& command) {
    if (command.kind == "set") {
        MOFO_CHECK(applySet(command, true));
    } else if (command.kind == "pause") {
        m_log.acknowledge(command, true);
        if (!m_paused) m_log.event("pause", command.who, "paused before step " + std::to_string(m_state.step + 1));
        m_paused = true;
    } else if (command.kind == "resume") {
        m_log.acknowledge(command, true);
        if (m_paused) m_log.event("resume", command.who, "resumed at step " + std::to_string(m_state.step + 1));
        m_paused = false;
        m_resumeAsked = true;
    } else if (command.kind == "stop") {
        m_log.acknowledge(command, true);
        const bool keep = !command.payload.is_object() || command.payload.value("save", true);
        m_log.event("stop", command.who, keep ? "stop after this step, with a checkpoint" : "stop without saving");
        return keep ? Go::Stop : Go::StopNow;
    } else if (m_asking && command.kind != "generate" && command.kind != "evaluate") {
        m_log.acknowledge(command, false, "the run waits until it can save: " + command.kind + " is possible after that");
    } else if (command.kind == "checkpoint") {
        MOFO_TRY(const Go go, save(Save::Must));
        m_log.acknowledge(command, m_keeper.isSaved(m_state.step) || m_state.step == 0, "the checkpoint could not be written");
        return go;
    } else if (command.kind == "evaluate") {
        const bool heldOut = !m_training.data().evalRows().empty(), probes = m_probes && !m_probes->empty();
        if (!heldOut && !probes) {
            m_log.acknowledge(command, false, "this run has nothing to measure: it was started without eval_data, eval_split and probes");
        } else {
            MOFO_CHECK(evaluate(true));
            if (probes) MOFO_CHECK(probe());
            const bool cut = probes && !isProbed(m_state.step);
            m_log.acknowledge(command, !cut, cut ? "the probes were broken off" : "");
        }
    } else if (command.kind == "generate") {
        MOFO_CHECK(answer(command));
    } else if (command.kind == "undo") {
        return undo(command);
    } else if (command.kind == "verify") {
        verify(command);
    } else {
        m_log.acknowledge(command, false, "this version does not know the command " + escapeForDisplay(command.kind));
    }
    return Go::On;
}

void TrainingRun::verify(const CommandRow& command) {
    const std::string folder = command.payload.is_object() && command.payload.contains("folder") && command.payload["folder"].is_string()
                                   ? command.payload["folder"].get<std::string>()
                                   : std::string();
    const auto damaged = m_keeper.recheck(folder);
    m_log.acknowledge(command, damaged.ok() && *damaged, damaged.ok() ? "the checkpoint is as it was written" : damaged.error().text());
}

Result<TrainingRun::Go> TrainingRun::undo(const CommandRow& command) {
    const auto refuse = [&](const std::string& why) {
        m_log.acknowledge(command, false, why);
        return Go::On;
    };
    if (!command.payload.is_object() || !command.payload.contains("to") || !command.payload["to"].is_number_integer())
        return refuse("undo needs a step to go back to: {\"to\": STEP}");
    const auto step = command.payload["to"].get<std::int64_t>();
    if (step < 0 || step > m_state.step) return refuse("undo goes back, and the run is at step " + std::to_string(m_state.step));
    const std::optional<CheckpointRow> row = m_keeper.find(step);
    if (step > 0 && (!row || row->kind != checkpointFull)) {
        std::vector<std::string> steps{"0"};
        for (const CheckpointRow& one : m_keeper.candidates()) steps.insert(steps.begin() + 1, std::to_string(one.step));
        return refuse((row ? "of step " + std::to_string(step) + " the weights alone are left; it can go back to "
                           : "there is no checkpoint of step " + std::to_string(step) + "; there are ") +
                      joinText(steps, ", "));
    }
    if (step == 0 && m_run.parentStep > 0) return refuse("the run is a branch: it begins at step " + std::to_string(m_run.parentStep));
    m_keeper.protect(step);
    MOFO_TRY(const Go go, save(Save::Must));
    m_keeper.protect(std::nullopt);
    if (go != Go::On) {
        refuse("the present state could not be saved first");
        return go;
    }
    if (auto gone = goBackTo(step, row, command); !gone.ok()) {
        if (gone.error().tag == "KEPT") return refuse(gone.error().text());
        return std::move(gone).error();
    }
    return Go::On;
}

Result<void> TrainingRun::goBackTo(std::int64_t step, const std::optional<CheckpointRow>& row, const CommandRow& command) {
    // Everything that may fail comes before anything changes: an error with the tag KEPT.
    const auto kept = [](Error error) {
        error.tag = "KEPT";
        return error;
    };
    TrainingState state;
    state.config = m_run.config;
    if (step == 0 && m_state.guards.startLoss) {
        state.guards.noteStart(*m_state.guards.startLoss);
        state.lastEvaluated = 0;
    }
    std::optional<FoundCheckpoint> found;
    if (step > 0) {
        m_log.status("load", 0, "reading the checkpoint of step " + std::to_string(step));
        auto opened = openCheckpoint(m_keeper.folderOf(*row), true);
        if (!opened.ok()) {
            m_keeper.markLost(*row, opened.error().text());
            return kept(opened.error());
        }
        auto read = TrainingState::fromJson(opened->state);
        if (!read.ok()) return kept(read.error());
        state = std::move(*read);
        found = std::move(*opened);
    }
    MetricsBatch batch;
    const std::int64_t from = m_state.step;
    m_log.setStep(step, m_total);
    batch.events.push_back(m_log.eventRow(
        "undo", command.who,
        "went back from step " + std::to_string(from) + " to step " + std::to_string(step) + ", with the settings of then" + pendingText()));
    batch.acknowledgements.push_back(m_log.acknowledgementRow(command, true, ""));
    if (auto marked = m_queue.supersedeAfter(step, MetricsWriter::Supersede::Changes, batch); !marked.ok()) {
        m_log.setStep(from, m_total);
        return kept(marked.error());
    }
    spdlog::info("{}", batch.events.front().text);
    m_keeper.supersedeAfter(step);
    m_replay.clear();
    std::erase_if(m_probedAt, [&](const auto& one) { return one.first > step; });
    if (found) {
        MOFO_CHECK(readTensors(*found));
    } else {
        MOFO_CHECK(m_training.resetToPretrained());
        MOFO_CHECK(guardTorch([&]() -> Result<void> {
            restoreRandomState(m_firstRandomState, m_training.device());
            return {};
        }));
    }
    MOFO_CHECK(adoptState(std::move(state)));
    MOFO_CHECK(m_training.configure(config()));
    m_log.status(m_paused ? "paused" : "train", 0);
    return {};
}

std::string TrainingRun::pendingText() {
    std::vector<std::string> list;
    for (const CommandRow& command : m_inbox.pendingChanges()) {
        for (const auto& [key, value] : command.payload.items())
            list.push_back(escapeForDisplay(key + "=" + (value.is_string() ? value.get<std::string>() : value.dump())) + " at step " +
                           std::to_string(*command.atStep));
    }
    return list.empty() ? std::string() : "; still to come: " + joinText(list, ", ");
}

Result<TrainingRun::Go> TrainingRun::obeyCommands(When when) {
    if (when == When::Between) {
        if (m_errorMeanwhile) return *m_errorMeanwhile;
        if (m_goMeanwhile != Go::On) return std::exchange(m_goMeanwhile, Go::On);
    }
    // Changes that an earlier engine of this run acknowledged come back at their steps.
    const std::int64_t next = m_state.step + 1;
    for (const auto& [step, command] : m_replay) {
        if (step == next) MOFO_CHECK(applySet(command, false));
    }
    std::erase_if(m_replay, [&](const auto& one) { return one.first <= next; });
    const auto may = [&](const CommandRow& command) {
        if (when == When::Between) return true;
        // The last update is made: nothing would ever use another change.
        if (m_ending) return command.kind == "stop";
        return command.kind == "set" || command.kind == "pause" || command.kind == "resume" || command.kind == "stop";
    };
    while (true) {
        auto command = m_inbox.next(m_state.step + 1, may);
        sayUnreadable(command.ok() ? std::string() : command.error().text());
        if (!command.ok() || !*command) break;
        MOFO_TRY(const Go go, obey(**command));
        if (go != Go::On) return go;
    }
    if (when == When::Between && stopSignalled()) {
        m_log.event("stop", "engine", "asked by a signal to stop, with a checkpoint");
        return Go::Stop;
    }
    return Go::On;
}

void TrainingRun::sayUnreadable(const std::string& why) {
    // A locked or damaged registry stops nobody from training: whoever asks something waits until it can be read.
    constexpr std::int64_t worthSayingNs = 5'000'000'000;
    if (!why.empty() && !m_unreadableSaid && m_inbox.unreadableNs() >= worthSayingNs) {
        m_unreadableSaid = true;
        m_log.event("warning", "engine", "commands cannot be read at present: " + why);
    } else if (m_unreadableSaid && m_inbox.unreadableNs() == 0) {
        m_unreadableSaid = false;
        m_log.event("state", "engine", "commands can be read again");
    }
}

bool TrainingRun::lookMeanwhile() {
    constexpr double lookMs = 250;
    if (m_sinceLook.elapsedMs() < lookMs) return true;
    m_sinceLook.restart();
    if (m_errorMeanwhile) return false;
    auto go = obeyCommands(When::During);
    if (!go.ok()) {
        m_errorMeanwhile = std::move(go).error();
        return false;
    }
    if (*go != Go::On && m_goMeanwhile != Go::StopNow) m_goMeanwhile = *go;
    return m_goMeanwhile != Go::StopNow;
}

Result<TrainingRun::Go> TrainingRun::waitWhilePaused() {
    m_log.setState(RunState::Paused);
    m_log.status("paused", 0, "paused before step " + std::to_string(m_state.step + 1) + (m_pauseReason.empty() ? "" : ": " + m_pauseReason));
    m_pauseReason.clear();
    while (m_paused) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        MOFO_TRY(const Go go, obeyCommands());
        if (go != Go::On) return go;
    }
    m_log.setState(RunState::Running);
    m_log.status("train", 0);
    return Go::On;
}

Result<TrainingRun::Go> TrainingRun::ask(const std::string& why, const std::string& whatHelps, const std::function<bool(bool)>& solved) {
    const Stopwatch clock;
    const bool nested = std::exchange(m_asking, true);
    const std::string text =
        why + (why.ends_with('.') ? " " : ". ") + "Training is paused: " + whatHelps + " (mofo resume tries at once, mofo stop --now gives up)";
    m_log.event("pause", "engine", text);
    m_log.setState(RunState::Paused);
    m_log.status("paused", 0, text);
    Go outcome = Go::On;
    bool stopWanted = false;
    while (true) {
        std::this_thread::sleep_for(std::chrono::milliseconds(250));
        m_resumeAsked = false;
        if (!stopSignalled()) {
            auto go = obeyCommands();
            if (!go.ok()) {
                m_asking = nested;
                return std::move(go).error();
            }
            outcome = *go;
        }
        stopWanted = stopWanted || outcome == Go::Stop;
        if (outcome != Go::StopNow && solved(m_resumeAsked)) break;
        // Trying may have said something else.
        if (m_resumeAsked) m_log.status("paused", 0, text);
        // Somebody who wants the program gone cannot be kept waiting for room on a disk; the checkpoints before are whole.
        if (outcome == Go::StopNow || stopSignalled()) {
            m_asking = nested;
            m_log.event("stop", "engine", "gave up waiting: " + why);
            return Go::StopNow;
        }
    }
    m_asking = nested;
    m_log.event("resume", "engine", "went on after " + formatDuration(clock.elapsedMs() * 1e-3) + ": what stood in the way is gone");
    m_log.setState(m_paused ? RunState::Paused : RunState::Running);
    m_log.status(m_paused ? "paused" : "train", 0);
    return stopWanted ? Go::Stop : Go::On;
}

Result<TrainingRun::Go> TrainingRun::waitForStore() {
    const std::optional<Error> trouble = m_queue.trouble();
    if (!trouble) return Go::On;
    if (m_queue.isBroken()) {
        // The checkpoint needs no database; the next engine finds it.
        static_cast<void>(saveOnce());
        return *trouble;
    }
    const bool full = trouble->code == ErrorCode::OutOfSpace;
    return ask((full ? "the disk is full: " : "the run's metrics cannot be written: ") + trouble->text(),
               full ? "free disk space, and it goes on by itself" : "put that right, and it goes on by itself",
               [&](bool) { return !m_queue.trouble() || m_queue.isBroken(); });
}

}  // namespace mofo
