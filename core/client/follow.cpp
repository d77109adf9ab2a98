#include "core/client/follow.h"

#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/client/commands.h"
#include "core/client/stalled.h"
#include "core/client/supervisor.h"

namespace mofo {

namespace {

constexpr double kSupervisorCheckMs = 3000;

}  // namespace

struct RunFollower::State {
    Workspace workspace;
    std::string id;
    bool fromStart;
    Registry registry;
    EndWatch end;
    std::optional<MetricsReader> reader;
    std::int64_t stepSeq = 0, evalSeq = 0, eventSeq = 0;
    std::int64_t parameterCount = 0;
    std::optional<StatusRow> status;
    double checkedMs = 0;
    Stopwatch watch;

    // A run may be followed from before its engine made the file.
    Result<void> openReader() {
        auto opened = MetricsReader::open(workspace.metricsFile(id));
        if (!opened.ok()) {
            if (opened.error().code == ErrorCode::NotFound) return {};
            return std::move(opened).error();
        }
        reader = std::move(opened).value();
        if (fromStart) return {};
        MOFO_TRY(const std::vector<StepRow> steps, reader->stepsAfter(0));
        MOFO_TRY(const std::vector<EvalRow> evals, reader->evalsAfter(0));
        MOFO_TRY(const std::vector<EventRow> events, reader->eventsAfter(0));
        if (!steps.empty()) stepSeq = steps.back().seq;
        if (!evals.empty()) evalSeq = evals.back().seq;
        if (!events.empty()) eventSeq = events.back().seq;
        return {};
    }

    Result<void> readNew(FollowUpdate& update) {
        MOFO_TRY(update.steps, reader->stepsAfter(stepSeq));
        MOFO_TRY(update.evals, reader->evalsAfter(evalSeq));
        MOFO_TRY(update.events, reader->eventsAfter(eventSeq));
        MOFO_TRY(status, reader->status());
        if (!update.steps.empty()) stepSeq = update.steps.back().seq;
        if (!update.evals.empty()) evalSeq = update.evals.back().seq;
        if (!update.events.empty()) eventSeq = update.events.back().seq;
        if (parameterCount == 0 && !update.steps.empty()) {
            MOFO_TRY(const std::vector<ParameterRow> parameters, reader->parameters());
            for (const ParameterRow& parameter : parameters) parameterCount += parameter.size;
        }
        return {};
    }
};

RunFollower::RunFollower(std::unique_ptr<State> state) : m_state(std::move(state)) {}
RunFollower::RunFollower(RunFollower&&) noexcept = default;
RunFollower::~RunFollower() = default;

Result<RunFollower> RunFollower::open(const Workspace& workspace, std::string_view runId, bool fromStart) {
    MOFO_TRY(Registry registry, Registry::open(workspace, Registry::Access::ReadOnly));
    MOFO_TRY(const RunRow run, registry.findRun(runId));
    auto state = std::unique_ptr<State>(new State{workspace, run.id, fromStart, std::move(registry), EndWatch(workspace)});
    MOFO_CHECK(state->openReader());
    state->fromStart = true;  // a file that appears later holds nothing old
    return RunFollower(std::move(state));
}

Result<FollowUpdate> RunFollower::poll() {
    State& state = *m_state;
    FollowUpdate update;
    // The state comes first: what was written before an end is then read after it.
    MOFO_TRY(update.run, state.registry.findRun(state.id));
    if (!state.reader) MOFO_CHECK(state.openReader());
    if (state.reader) MOFO_CHECK(state.readNew(update));
    update.status = state.status;
    if (update.status) update.stalledSeconds = stalledSeconds(state.workspace, update.run, *update.status);
    // A finished run's engine may still be closing its files; that changes nothing any more.
    update.ended = state.end.hasEnded(update.run);
    const bool due = state.watch.elapsedMs() - state.checkedMs > kSupervisorCheckMs || update.run.state == RunState::Lost;
    if (!update.ended && due) {
        state.checkedMs = state.watch.elapsedMs();
        if (update.run.state == RunState::Queued) MOFO_CHECK(ensureSupervisor(state.workspace, update.run.device));
        wakeSupervisors(state.workspace, {update.run});
    }
    return update;
}

std::int64_t RunFollower::parameterCount() const { return m_state->parameterCount; }

}  // namespace mofo
