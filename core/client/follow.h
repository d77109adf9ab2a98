// Following a run: what is new since the last look.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace mofo {

struct FollowUpdate {
    RunRow run;
    std::vector<StepRow> steps;
    std::vector<EvalRow> evals;
    std::vector<EventRow> events;
    std::optional<StatusRow> status;
    std::optional<double> stalledSeconds;  ///< core/client/stalled.h
    bool ended = false;                    ///< the run has ended and everything it wrote has been handed out
};

/// One thread. Keeps a run alive: starts a supervisor where its device has none (wakeSupervisors).
class RunFollower {
public:
    /// `fromStart` false: only what happens from now on.
    static Result<RunFollower> open(const Workspace& workspace, std::string_view runId, bool fromStart);
    RunFollower(RunFollower&&) noexcept;
    ~RunFollower();
    Result<FollowUpdate> poll();
    /// Whole number of the model's trainable coordinates; 0 before the engine wrote its parameter table.
    [[nodiscard]] std::int64_t parameterCount() const;

private:
    struct State;
    explicit RunFollower(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

}  // namespace mofo
