// How a followed run looks on stderr: a bar on a terminal, plain lines elsewhere, JSON lines on stdout if asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/cli/terminal.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/client/follow.h"
#include "core/store/workspace.h"

namespace mofo::cli {

class FollowView {
public:
    explicit FollowView(bool jsonLines) : m_jsonLines(jsonLines) {}
    void show(const FollowUpdate& update, std::int64_t parameterCount);
    /// The run's end in one or two lines, with what to do next.
    void finish(const FollowUpdate& last);
    /// The run was not resumed, since something changed: it is as it was before.
    [[nodiscard]] bool wasRefused() const { return m_refused; }
    /// After Ctrl-C: the run goes on, and how to stop it.
    void leave(const RunRow& run);

private:
    void showEvents(const FollowUpdate& update);
    void showJson(const FollowUpdate& update);
    [[nodiscard]] std::string stepText(const FollowUpdate& update, std::int64_t parameterCount) const;
    [[nodiscard]] std::string waitText(const FollowUpdate& update) const;

    bool m_jsonLines;
    ProgressLine m_line;
    std::optional<StepRow> m_first, m_last;
    std::optional<EvalRow> m_firstEval, m_lastEval;
    std::string m_lastWait;
    Stopwatch m_sincePrinted;
    bool m_printedStep = false, m_refused = false;
    std::int64_t m_lastPrinted = 0;
};

/// What the engine is about, in words for people: "saving a checkpoint".
[[nodiscard]] std::string phaseText(std::string_view phase);

/// Follows a run to its end; 0 for finished and stopped, 1 otherwise, Interrupted after Ctrl-C (the run goes on).
Result<int> followRun(const Workspace& workspace, const std::string& runId, bool fromStart, bool jsonLines);
/// The same with a follower that was opened before: nothing that happened since is missed.
Result<int> followRun(RunFollower& follower, bool jsonLines);

}  // namespace mofo::cli
