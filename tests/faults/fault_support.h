// Runs of the real engine on a tiny model that are killed, starved and damaged on the way, and what must be equal in the end.
//
// In CI every test does its work a few times; `installer/bootstrap faults` raises the counts by the environment variables named here and collects
// the figures that README quotes.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/client_support.h"

namespace mofo::test {

/// The number in an environment variable, or `usual`.
[[nodiscard]] int countOf(const char* variable, int usual);
/// One line "what: figure" for the report ($MOFO_FAULT_REPORT) and the test's own output.
void reportFigure(const std::string& line);

/// A live change as it was applied.
struct Change {
    std::int64_t step = 0;  ///< the first update that used it
    Json values;
};

/// What must not depend on what happened to a run on its way.
struct Outcome {
    std::map<std::string, std::string> tensors;  ///< SHA-256 of all that the last checkpoint holds: weights, moments, random states, masks
    std::map<std::int64_t, std::string> losses;  ///< step -> loss and gradient norm as hexadecimal floats; superseded ones left out
    bool operator==(const Outcome&) const = default;
};
/// "" if equal, else what differs first.
[[nodiscard]] std::string difference(const Outcome& expected, const Outcome& actual);

class FaultTest : public ClientTest {
protected:
    using Values = std::vector<std::pair<std::string, std::string>>;

    void SetUp() override;
    /// A config that shuffles, accumulates, evaluates and saves often, with `more` on top.
    [[nodiscard]] static Values values(int steps, const Values& more = {});
    /// Waits for the end of a run that nothing disturbs; false (and a failure with the engine's log) where it does not finish.
    bool finishes(const std::string& id, double seconds = 120);
    /// Kills the engine that holds the run's lock, if there is one, and waits until the lock is free.
    bool killEngine(const std::string& id);
    [[nodiscard]] Outcome outcomeOf(const Workspace& workspace, const std::string& id);
    /// Accepted ones that count, in the order of their steps.
    [[nodiscard]] std::vector<Change> changesOf(const std::string& id);
    /// The outcome of a run from the start to the end with these changes at their steps.
    [[nodiscard]] Outcome undisturbed(const Values& config, const std::vector<Change>& changes);

    std::mt19937 m_random{20240719};
    /// A whole number in [from, to].
    int draw(int from, int to) { return std::uniform_int_distribution<int>(from, to)(m_random); }
};

}  // namespace mofo::test
