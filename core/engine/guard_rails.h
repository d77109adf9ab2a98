// Guard rails: what they remember of a run and when they hit. Decisions alone: whoever trains feeds readings in and does what a hit asks for.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/run_config.h"

namespace mofo {

/// The spike detector compares a loss with the last so many finite ones, once it has seen the least number of them.
constexpr std::size_t spikeWindow = 50, spikeLeast = 20;
/// So many updates in a row may be left out because something was not finite (on_nonfinite=skip); the last of them stops the run.
constexpr std::int64_t mostNonFinite = 10;
/// lower_alpha goes no lower: below, a partition of a thousand coordinates would move one.
constexpr double leastAlpha = 0.001;

/// What was measured after one update; what was not is empty.
struct GuardReading {
    std::int64_t step = 0;
    std::optional<double> loss;      ///< of the update's own rows, before it; finite
    std::optional<double> drift;     ///< relative L2
    std::optional<double> evalLoss;  ///< held-out; may be NaN or Inf
    /// What the general probes lost against the start: the end of the paired 95 % interval that lies nearer to nothing lost, and what was measured.
    struct Forgotten {
        double least = 0;
        std::string text;
    };
    std::optional<Forgotten> forgottenPoints, forgottenNats;  ///< of accuracy; of loss or KL per token; those of the probe that lost most
};

struct GuardHit {
    const GuardKeys* guard = nullptr;
    double value = 0, limit = 0;
    GuardAction action = GuardAction::Notify;
    std::string text;  ///< what was measured where, with the limit; one clause
};

/// What guard rails and early stopping need to go on as if the run had never been interrupted: part of a checkpoint.
struct GuardState {
    std::deque<double> losses;                                 ///< the newest of the window, oldest first
    std::optional<double> startLoss, bestLoss;                 ///< held-out loss: the first and the lowest
    std::int64_t bestStep = -1;                                ///< of bestLoss
    std::int64_t withoutBetter = 0;                            ///< evaluations in a row that were not lower
    std::int64_t nonFiniteInRow = 0;                           ///< updates left out
    std::map<std::string, double, std::less<>> passedLimit{};  ///< by guard: the limit it has passed and not yet come back from

    /// A guard hits when it passes its limit, and again only after it was back below (a spike: below half of it), or once the limit was changed.
    std::vector<GuardHit> watch(const RunConfig& config, const GuardReading& reading);
    /// Held-out loss before the first update.
    void noteStart(double evalLoss);
    /// Why the run is to stop, or empty; counts anew then.
    std::string stopEarly(const RunConfig& config);

    [[nodiscard]] Json toJson() const;
    /// Strict: what is missing, unknown or of another type is refused by its name.
    static Result<GuardState> fromJson(const Json& json);
    friend bool operator==(const GuardState&, const GuardState&) = default;
};

/// How far `loss` lies above the median of `earlier`, in units of 1.4826 times their median absolute deviation, or of 2 % of the median where that
/// is more; empty for fewer than spikeLeast.
struct SpikeScore {
    double score = 0, median = 0;
};
[[nodiscard]] std::optional<SpikeScore> spikeScore(const std::deque<double>& earlier, double loss);

/// Usage where a guard or early stopping needs held-out rows and the run has none: changed while the run is on, eval_every cannot bring any.
Result<void> checkWatchable(const RunConfig& config, bool heldOutRows);

/// Every alpha of `config` halved, none below leastAlpha; false where nothing could be lowered.
bool lowerAlpha(RunConfig& config);

}  // namespace mofo
