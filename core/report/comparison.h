// What follows from the measurements of several runs: changes against the base, differences to the baseline run, trade-offs, repeats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/report/equal_learning.h"
#include "core/report/pareto.h"
#include "core/report/run_record.h"

namespace mofo::report {

/// One measure of a run at its end against the base model.
struct ChangeFromBase {
    std::size_t run = 0;
    std::string key;
    std::int64_t step = 0;
    Difference difference;
    Finding finding = Finding::NoInterval;
};

/// One measure of a run at its end against the baseline run at its end.
struct RunDifference {
    std::size_t run = 0;
    std::string key;
    std::int64_t baselineStep = 0, step = 0;
    Difference difference;
    double adjustedP = kNothing;  ///< Holm, over all differences between runs of the report
    Finding finding = Finding::NoInterval;
};

/// What stands for learning or for forgetting: the mean change of all measures of a kind.
enum class Quantity { TaskLoss, TaskScore, GeneralLoss, GeneralKl, GeneralScore };
[[nodiscard]] std::string quantityTitle(Quantity quantity);  ///< "general loss gained, nats/token"
/// Of learning more is better, of forgetting less: a loss that falls is learning, a score that falls is forgetting.
struct Amount {
    double value = kNothing, low = kNothing, high = kNothing;
    std::int64_t n = 0;
    bool known = false;
};

struct PlacedPoint {
    std::size_t run = 0;
    std::int64_t step = 0;
    bool last = false;
    Amount learning, forgetting;
    bool inSet = false;  ///< not dominated by any other point of the view
};

/// One chart of learning against forgetting.
struct TradeoffView {
    Quantity learning = Quantity::TaskLoss, forgetting = Quantity::GeneralLoss;
    std::vector<PlacedPoint> points;
    std::vector<std::pair<std::size_t, std::string>> unplaced;  ///< runs, and why
};

/// Runs that differ in their seed alone.
struct SeedGroup {
    std::vector<std::size_t> runs;
};

/// A key in which runs differ, with what was changed while they ran.
struct DifferingKey {
    std::string key;
    std::vector<std::string> values;  ///< per run: "0.15 → 0.05 @31"
};

struct Comparison {
    std::vector<RunRecord> runs;
    std::size_t baseline = 0;
    std::vector<ChangeFromBase> changes;
    std::vector<RunDifference> differences;
    std::vector<TradeoffView> views;
    std::optional<EqualLearning> equal;
    std::vector<SeedGroup> groups;  ///< of two runs at least
    std::vector<DifferingKey> differing;
    std::vector<std::string> unfair;  ///< sentences: what makes comparing them unfair
    bool sameBase = true;

    [[nodiscard]] const ChangeFromBase* change(std::size_t run, const std::string& key) const;
    [[nodiscard]] const RunDifference* difference(std::size_t run, const std::string& key) const;
    /// Every measure of every run, once, in order of appearance.
    [[nodiscard]] std::vector<const MeasuredSeries*> allMeasures() const;
    [[nodiscard]] Amount amountAt(std::size_t run, Quantity quantity, std::int64_t step, std::int64_t resamples) const;
    /// At the last step at which all measures of the quantity were taken.
    [[nodiscard]] Amount finalAmount(std::size_t run, Quantity quantity) const;
};

/// `baseline`: place in `runs` of the one that others are compared with. `taskLoss`: where forgetting is compared at equal learning (nats per token);
/// nothing: at the most that every run learned.
[[nodiscard]] Comparison compareRuns(std::vector<RunRecord> runs, std::size_t baseline, std::optional<double> taskLoss = std::nullopt);

}  // namespace mofo::report
