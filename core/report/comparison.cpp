#include "core/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/text.h"
#include "core/config/key_effect.h"

namespace mofo::report {

namespace {

constexpr std::size_t kMostPointsOfARun = 24;
constexpr std::int64_t kFewResamples = 2'000;

bool isTask(Quantity quantity) { return quantity == Quantity::TaskLoss || quantity == Quantity::TaskScore; }

bool counts(const MeasuredSeries& series, Quantity quantity) {
    const Mark mark = isTask(quantity) ? Mark::Task : Mark::General;
    if (series.mark != mark) return false;
    switch (quantity) {
        case Quantity::TaskLoss:
        case Quantity::GeneralLoss: return series.unit == Unit::Nats && !series.isDistance;
        case Quantity::GeneralKl: return series.measure == "kl";
        case Quantity::TaskScore:
        case Quantity::GeneralScore: return series.unit == Unit::Share && series.direction == Direction::HigherIsBetter;
    }
    return false;
}

/// The measures behind a quantity; of several scores of one probe the first.
std::vector<const MeasuredSeries*> seriesOf(const RunRecord& run, Quantity quantity) {
    std::vector<const MeasuredSeries*> list;
    std::set<std::string> probes;
    for (const MeasuredSeries& series : run.measures) {
        if (counts(series, quantity) && probes.insert(series.probe).second) list.push_back(&series);
    }
    return list;
}

/// The base model's measurement: the run's own at step 0, or that of another run on the same model and items. A distance to the base starts at 0.
const Measurement* baseOf(const std::vector<RunRecord>& runs, const RunRecord& run, const MeasuredSeries& series) {
    static const Measurement zero;
    if (const Measurement* own = series.base()) return own;
    for (const RunRecord& other : runs) {
        if (&other == &run || other.modelSha256().empty() || other.modelSha256() != run.modelSha256()) continue;
        const MeasuredSeries* same = other.find(series.key());
        if (same != nullptr && same->items == series.items && same->base() != nullptr) return same->base();
    }
    return series.isDistance ? &zero : nullptr;
}

Json withoutSeed(const RunRecord& run) {
    Json config = configToJson(run.initial);
    for (const char* key : {"seed", "device"}) config.erase(key);
    config["micro_batch"] = effectiveMicroBatch(run.initial);
    Json changes = Json::array();
    for (const LiveChange& change : run.changes) changes.push_back({change.step, change.key, change.newValue});
    return {{"config", config},
            {"changes", changes},
            {"model", run.modelSha256()},
            {"parent", run.row.parentStep > 0 ? run.row.parentId : std::string()}};
}

std::string shownValue(const RunRecord& run, const std::string& key) {
    if (key == "micro_batch") return std::to_string(effectiveMicroBatch(run.initial));
    if (key == "device") return run.row.device;
    if (isSelectionKey(key) && !hasEffect(run.initial, key)) return "\u2013";  // kept for a twin that selects, and without effect here
    if (key == "model") return run.row.modelName.empty() ? configValue(run.initial, key) : run.row.modelName;
    return configValue(run.initial, key);
}

std::string dataHash(const RunRecord& run) {
    const auto found = run.facts.find("data");
    return found != run.facts.end() && found->second.is_object() && found->second.contains("sha256") && found->second["sha256"].is_string()
               ? found->second["sha256"].get<std::string>()
               : std::string();
}

template <class ValueOf>
bool allEqual(const std::vector<RunRecord>& runs, ValueOf valueOf) {
    return std::all_of(runs.begin(), runs.end(), [&](const RunRecord& run) { return valueOf(run) == valueOf(runs.front()); });
}

void findDifferingKeys(Comparison& comparison) {
    const std::vector<RunRecord>& runs = comparison.runs;
    const bool sameData = allEqual(runs, dataHash) && !dataHash(runs.front()).empty();
    for (const KeyDescription& key : keyDescriptions()) {
        if (key.name == "model" && comparison.sameBase) continue;  // another path to the same weights
        if (key.name == "data" && sameData) continue;
        DifferingKey row{key.name, {}};
        for (const RunRecord& run : runs) {
            std::string text = shownValue(run, key.name);
            for (const LiveChange& change : run.changes) {
                if (change.key == key.name) text += fmt::format(" \u2192 {} @{}", change.newValue, change.step);
            }
            row.values.push_back(std::move(text));
        }
        if (std::set<std::string>(row.values.begin(), row.values.end()).size() > 1) comparison.differing.push_back(std::move(row));
    }
    const auto differs = [&](const char* key) { return !allEqual(runs, [&](const RunRecord& run) { return shownValue(run, key); }); };
    if (!comparison.sameBase)
        comparison.unfair.emplace_back("They tune different base models: a difference between them is not one of method alone.");
    if ((!sameData && differs("data")) || !allEqual(runs, dataHash) || differs("eval_split")) {
        comparison.unfair.emplace_back("They train on different rows.");
    } else if (differs("seed") || differs("shuffle")) {
        comparison.unfair.emplace_back("Their rows come in another order.");
    }
    if (differs("max_length"))
        comparison.unfair.emplace_back("Their rows are cut at different lengths, so their held-out losses are of different tokens.");
    const bool perMicroBatch =
        std::any_of(runs.begin(), runs.end(), [](const RunRecord& run) { return run.initial.lossMean == LossMean::MicroBatch; });
    if (perMicroBatch && differs("micro_batch")) comparison.unfair.emplace_back("The mean per micro-batch makes other micro-batches another loss.");
    if (!allEqual(runs, [](const RunRecord& run) { return run.lastStep(); })) {
        std::string text = "They end at different steps:";
        for (const RunRecord& run : runs) text += fmt::format(" {} at {},", run.letter, formatCount(run.lastStep()));
        text.back() = '.';
        comparison.unfair.push_back(std::move(text));
    }
}

void findChanges(Comparison& comparison) {
    const std::vector<RunRecord>& runs = comparison.runs;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        for (const MeasuredSeries& series : runs[i].measures) {
            const Measurement* last = series.last();
            ChangeFromBase change{i, series.key(), last->step, {}, Finding::NoInterval};
            change.difference = differenceOf(series, baseOf(runs, runs[i], series), series, last);
            change.finding = judge(change.difference.paired, series.direction);
            if (last->step > 0) comparison.changes.push_back(std::move(change));
        }
    }
    std::vector<double> p;
    const RunRecord& baseline = runs[comparison.baseline];
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (i == comparison.baseline) continue;
        for (const MeasuredSeries& series : runs[i].measures) {
            const MeasuredSeries* other = baseline.find(series.key());
            if (other == nullptr || other->last()->step == 0 || series.last()->step == 0) continue;
            RunDifference difference{i, series.key(), other->last()->step, series.last()->step, {}, kNothing, Finding::NoInterval};
            difference.difference = differenceOf(*other, other->last(), series, series.last());
            difference.finding = judge(difference.difference.paired, series.direction);
            p.push_back(difference.difference.paired.p);
            comparison.differences.push_back(std::move(difference));
        }
    }
    const std::vector<double> adjusted = holmAdjusted(p);
    for (std::size_t i = 0; i < adjusted.size(); ++i) comparison.differences[i].adjustedP = adjusted[i];
}

/// Steps at which everything a view needs was measured; thinned evenly where there are many, the last one kept.
std::vector<std::int64_t> commonSteps(const RunRecord& run, Quantity learning, Quantity forgetting) {
    std::map<std::int64_t, std::size_t> times;
    std::size_t wanted = 0;
    for (const Quantity quantity : {learning, forgetting}) {
        for (const MeasuredSeries* series : seriesOf(run, quantity)) {
            ++wanted;
            for (const Measurement& point : series->points) ++times[point.step];
        }
    }
    std::vector<std::int64_t> steps;
    for (const auto& [step, count] : times) {
        if (count == wanted && step > 0) steps.push_back(step);
    }
    if (steps.size() <= kMostPointsOfARun) return steps;
    std::vector<std::int64_t> thinned;
    for (std::size_t i = 0; i < kMostPointsOfARun; ++i) thinned.push_back(steps[(i + 1) * steps.size() / kMostPointsOfARun - 1]);
    return thinned;
}

void placeRuns(Comparison& comparison, TradeoffView& view) {
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const RunRecord& run = comparison.runs[i];
        const bool learning = !seriesOf(run, view.learning).empty(), forgetting = !seriesOf(run, view.forgetting).empty();
        if (!learning || !forgetting) {
            view.unplaced.emplace_back(i, !run.readable ? "its measurements cannot be read"
                                          : forgetting  ? "no held-out task measure"
                                                        : "no general probe");
            continue;
        }
        const std::vector<std::int64_t> steps = commonSteps(run, view.learning, view.forgetting);
        std::size_t placed = 0;
        for (const std::int64_t step : steps) {
            PlacedPoint point{i, step, step == steps.back(), {}, {}, false};
            const std::int64_t resamples = point.last ? 10'000 : kFewResamples;
            point.learning = comparison.amountAt(i, view.learning, step, resamples);
            point.forgetting = comparison.amountAt(i, view.forgetting, step, resamples);
            if (!point.learning.known || !point.forgetting.known) continue;
            ++placed;
            view.points.push_back(point);
        }
        if (placed == 0) {
            view.unplaced.emplace_back(i, steps.empty() ? "task and general measures were never taken at the same step"
                                                        : "nothing was measured of the base to compare with");
        }
    }
    std::vector<Tradeoff> tradeoffs;
    for (const PlacedPoint& point : view.points) tradeoffs.push_back({point.learning.value, point.forgetting.value});
    tradeoffs.push_back({0, 0});  // leaving the base as it is
    const std::vector<bool> inSet = paretoSet(tradeoffs);
    for (std::size_t i = 0; i < view.points.size(); ++i) view.points[i].inSet = inSet[i];
}

void findViews(Comparison& comparison) {
    const auto has = [&](Quantity quantity) {
        return std::any_of(comparison.runs.begin(), comparison.runs.end(), [&](const RunRecord& run) { return !seriesOf(run, quantity).empty(); });
    };
    const bool loss = has(Quantity::TaskLoss), score = has(Quantity::TaskScore);
    if (!loss && !score) return;
    const auto add = [&](Quantity learning, Quantity forgetting) {
        if (!has(forgetting)) return;
        TradeoffView view{learning, forgetting, {}, {}};
        placeRuns(comparison, view);
        comparison.views.push_back(std::move(view));
    };
    const Quantity learning = loss ? Quantity::TaskLoss : Quantity::TaskScore;
    add(learning, Quantity::GeneralLoss);
    add(learning, Quantity::GeneralKl);
    add(score ? Quantity::TaskScore : learning, Quantity::GeneralScore);
}

void findGroups(Comparison& comparison) {
    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < comparison.runs.size(); ++i)
        groups[withoutSeed(comparison.runs[i]).dump(-1, ' ', false, Json::error_handler_t::replace)].push_back(i);
    for (auto& [signature, members] : groups) {
        std::set<std::int64_t> seeds;
        for (const std::size_t run : members) seeds.insert(comparison.runs[run].initial.seed);
        if (members.size() > 1 && seeds.size() == members.size()) comparison.groups.push_back({std::move(members)});
    }
    std::sort(comparison.groups.begin(), comparison.groups.end(),
              [](const SeedGroup& a, const SeedGroup& b) { return a.runs.front() < b.runs.front(); });
}

}  // namespace

std::string quantityTitle(Quantity quantity) {
    switch (quantity) {
        case Quantity::TaskLoss: return "held-out task loss removed, nats/token";
        case Quantity::TaskScore: return "task score gained, points";
        case Quantity::GeneralLoss: return "general loss gained, nats/token";
        case Quantity::GeneralKl: return "KL from the base, nats/token";
        case Quantity::GeneralScore: return "general score lost, points";
    }
    return {};
}

const ChangeFromBase* Comparison::change(std::size_t run, const std::string& key) const {
    const auto found = std::find_if(changes.begin(), changes.end(), [&](const ChangeFromBase& one) { return one.run == run && one.key == key; });
    return found == changes.end() ? nullptr : &*found;
}

const RunDifference* Comparison::difference(std::size_t run, const std::string& key) const {
    const auto found =
        std::find_if(differences.begin(), differences.end(), [&](const RunDifference& one) { return one.run == run && one.key == key; });
    return found == differences.end() ? nullptr : &*found;
}

std::vector<const MeasuredSeries*> Comparison::allMeasures() const {
    std::vector<const MeasuredSeries*> list;
    std::set<std::string> seen;
    for (const RunRecord& run : runs) {
        for (const MeasuredSeries& series : run.measures) {
            if (seen.insert(series.key()).second) list.push_back(&series);
        }
    }
    return list;
}

Amount Comparison::amountAt(std::size_t run, Quantity quantity, std::int64_t step, std::int64_t resamples) const {
    const std::vector<const MeasuredSeries*> list = seriesOf(runs[run], quantity);
    Amount amount;
    double sum = 0, below = 0, above = 0;
    bool intervals = true;
    for (const MeasuredSeries* series : list) {
        const Difference difference = differenceOf(*series, baseOf(runs, runs[run], *series), *series, series->at(step), resamples);
        if (!difference.known) return {};
        // Losses and KL: a fall is learning, a rise forgetting. Scores the other way round.
        const double sign = (quantity == Quantity::TaskLoss || quantity == Quantity::GeneralScore) ? -series->factor() : series->factor();
        const double value = sign * difference.paired.difference;
        sum += value;
        amount.n += difference.paired.interval.n;
        intervals = intervals && difference.paired.interval.known();
        double low = sign * difference.paired.interval.low, high = sign * difference.paired.interval.high;
        if (low > high) std::swap(low, high);
        below += (value - low) * (value - low);
        above += (high - value) * (high - value);
    }
    if (list.empty()) return {};
    // Means of several measures: their intervals' arms added in squares, as of independent items.
    const double count = static_cast<double>(list.size());
    amount.value = sum / count;
    amount.known = true;
    if (intervals) {
        amount.low = amount.value - std::sqrt(below) / count;
        amount.high = amount.value + std::sqrt(above) / count;
    }
    return amount;
}

Amount Comparison::finalAmount(std::size_t run, Quantity quantity) const {
    const std::vector<std::int64_t> steps = commonSteps(runs[run], quantity, quantity);
    return steps.empty() ? Amount{} : amountAt(run, quantity, steps.back(), 10'000);
}

Comparison compareRuns(std::vector<RunRecord> runs, std::size_t baseline, std::optional<double> taskLoss) {
    Comparison comparison;
    comparison.runs = std::move(runs);
    comparison.baseline = baseline < comparison.runs.size() ? baseline : 0;
    comparison.sameBase = allEqual(comparison.runs, [](const RunRecord& run) { return run.modelSha256(); });
    findDifferingKeys(comparison);
    findChanges(comparison);
    findViews(comparison);
    findGroups(comparison);
    comparison.equal = compareAtEqualLearning(comparison.runs, comparison.baseline, taskLoss);
    return comparison;
}

}  // namespace mofo::report
