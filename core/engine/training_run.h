// One run while it trains: how it starts or goes on, its loop, its commands. Private to the trainer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/engine/checkpoint_keeper.h"
#include "core/engine/control.h"
#include "core/engine/probes.h"
#include "core/engine/random_state.h"
#include "core/engine/run_log.h"
#include "core/engine/training_state.h"
#include "core/engine/training_step.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

/// What the run's metrics held before this engine.
struct EarlierLife {
    bool any = false;  ///< an earlier engine has worked on this run
    std::vector<AcknowledgementRow> acknowledged;
    std::vector<CheckpointRow> checkpoints;  ///< all of them
    std::vector<ProbeRow> probes;            ///< those of step 0 with their items
    Json probeFacts = Json::object();        ///< what these were
};

class TrainingRun {
public:
    /// `run.config` is what the run was added with.
    TrainingRun(const Workspace& workspace, RunRow run, Registry& registry, MetricsQueue& queue, EarlierLife earlier);

    Result<void> prepare();
    Result<void> train();
    [[nodiscard]] std::int64_t stepsDone() const { return m_state.step; }

private:
    enum class Go { On, Stop, StopNow };
    enum class Save {
        Cadence,  ///< where the disk fails, training goes on and the next one is tried
        Must,     ///< waits until it is written, or somebody gives up
    };

    // training_run_start.cpp
    Result<void> loadAll();
    Result<void> startOrResume();
    /// False where the checkpoint is damaged, which is said then.
    Result<bool> resumeFrom(const CheckpointRow& row);
    Result<void> startFromParent();
    Result<void> readTensors(const FoundCheckpoint& checkpoint);
    /// Everything that follows from a new m_state: position, numbers, settings.
    Result<void> adoptState(TrainingState state);
    void restoreJournal();
    [[nodiscard]] Error refusal(std::int64_t step, const Json& fingerprints, const std::vector<std::string>& differences) const;
    [[nodiscard]] std::uint64_t stateBytes();

    // training_run_probes.cpp
    Result<void> loadProbes();
    /// What later probes are compared with, where the run does not begin at step 0: measured before a checkpoint is read.
    Result<void> probeStartBeforeResuming();
    [[nodiscard]] bool probesAreDue();
    [[nodiscard]] bool isProbed(std::int64_t step) const;
    /// Of the present step, unless they are there already.
    Result<void> probe();
    void keepMeasured(std::int64_t step, ProbesMeasured measured, const std::vector<std::string>& failures);

    // training_run_commands.cpp
    /// `during`: something long is under way that a command must not disturb: those that only decide what comes after it are obeyed, others wait.
    enum class When { Between, During };
    Result<Go> obeyCommands(When when = When::Between);
    /// Called again and again from within what takes long (a checkpoint, an evaluation); false where somebody wants no end of it.
    bool lookMeanwhile();
    /// `why` they cannot be read, or nothing.
    void sayUnreadable(const std::string& why);
    Result<Go> obey(const CommandRow& command);
    /// `mayRefuse`: a new command, to be acknowledged; else one replayed, which was accepted before.
    Result<void> applySet(const CommandRow& command, bool mayRefuse);
    Result<void> answer(const CommandRow& command);
    /// A client found a checkpoint damaged: only this engine may write so into the run's metrics.
    void verify(const CommandRow& command);
    Result<Go> undo(const CommandRow& command);
    Result<void> goBackTo(std::int64_t step, const std::optional<CheckpointRow>& row, const CommandRow& command);
    [[nodiscard]] std::string pendingText();
    Result<Go> waitWhilePaused();
    /// Shows the run as paused, says why, and obeys commands until `solved` (asked every 250 ms, or at a `resume`), or until somebody gives up.
    Result<Go> ask(const std::string& why, const std::string& whatHelps, const std::function<bool(bool resumeAsked)>& solved);
    /// Waits while the store cannot be written.
    Result<Go> waitForStore();

    // training_run_guards.cpp
    /// After each step and its evaluation: what guard rails and early stopping say of it, and their reactions.
    Result<Go> watch();
    /// Applies a change from the next step on, journaled as a user's is; where a replay holds it already, that one.
    Result<void> changeByGuard(const RunConfig& changed);
    Result<Go> goBackByGuard(const GuardHit& hit);
    void pauseByGuard(const std::string& why);
    /// Changes of guards that the next step is the first to use: a checkpoint of this step holds the hit, so it holds them too.
    void addGuardChanges(std::vector<CommandRow>& pending) const;
    /// Weights and moments; nothing that is not finite is ever saved.
    Result<void> checkFinite();
    /// Something was not finite and nothing was updated: the error that ends the run, or nothing where the policy lets it go on.
    Result<void> leaveOutUpdate(const TrainingStep::Outcome& outcome);

    // training_run_memory.cpp
    /// The longest micro-batch once before the next step; forecast and measured memory go into the store.
    Result<void> rehearseMemory();
    /// Halves micro_batch from the next step on, where oom_retry allows it, and says what ran out; else the error that ends the run.
    Result<void> shrinkMicroBatch(const Error& outOfMemory);
    /// A step, tried again with smaller micro-batches where memory runs out and the configuration allows it.
    Result<void> trainStepInMemory();

    // training_run.cpp
    Result<void> trainStep();
    Result<void> evaluate(bool force);
    Result<Go> save(Save how);
    Result<void> saveOnce();
    Result<void> endWith(Go go);
    [[nodiscard]] const RunConfig& config() const { return m_state.config; }

    const Workspace& m_workspace;
    const RunRow m_run;
    Registry& m_registry;
    MetricsQueue& m_queue;
    const EarlierLife m_earlier;
    RunLog m_log;
    CommandInbox m_inbox;
    CheckpointKeeper m_keeper;
    TrainingStep m_training;
    TrainingState m_state;
    Json m_fingerprints;
    std::vector<NamedBytes> m_firstRandomState;
    std::vector<std::pair<std::int64_t, CommandRow>> m_replay;
    RunConfig m_usedConfig;   ///< of the last update: what a checkpoint holds, which comes before the changes for the next one
    GuardReading m_reading;   ///< of the step just made
    std::string m_endReason;  ///< why the run stops before its last step, where nobody asked
    std::string m_pauseReason;
    bool m_unreadableSaid = false;
    Go m_goMeanwhile = Go::On;  ///< what was asked for during something long
    std::optional<Error> m_errorMeanwhile;
    Stopwatch m_sinceLook, m_sinceProbe;
    std::optional<Probes> m_probes;
    std::map<std::int64_t, std::set<std::string>> m_probedAt;  ///< by step: the probes that were measured
    ProbePace m_pace;
    bool m_stretchSaid = false;
    std::int64_t m_total = 0;
    bool m_paused = false, m_asking = false, m_resumeAsked = false, m_ending = false;
};

/// Whether a signal asked to stop.
[[nodiscard]] bool stopSignalled();

}  // namespace mofo
