#include "core/report/equal_learning.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/report/markup.h"

namespace mofo::report {

namespace {

bool isTaskLoss(const MeasuredSeries& series) { return series.mark == Mark::Task && series.unit == Unit::Nats && !series.isDistance; }

bool isForgetting(const MeasuredSeries& series) {
    return series.mark == Mark::General && series.unit == Unit::Nats && (!series.isDistance || series.measure == "kl");
}

double lowestOf(const MeasuredSeries& series) {
    double lowest = INFINITY;
    for (const Measurement& point : series.points) {
        if (std::isfinite(point.value)) lowest = std::min(lowest, point.value);
    }
    return lowest;
}

/// The task loss that all runs measured on the same items, of several the one measured most often.
std::string commonTaskLoss(const std::vector<RunRecord>& runs) {
    std::string best;
    std::size_t most = 1;
    for (const MeasuredSeries& candidate : runs.front().measures) {
        if (!isTaskLoss(candidate)) continue;
        std::size_t points = candidate.points.size();
        for (const RunRecord& run : runs) {
            const MeasuredSeries* series = run.find(candidate.key());
            const bool fits = series != nullptr && isTaskLoss(*series) && series->items == candidate.items && std::isfinite(lowestOf(*series));
            points = fits ? std::min(points, series->points.size()) : 0;
        }
        if (points > most) most = points, best = candidate.key();
    }
    return best;
}

std::vector<float> between(const std::vector<float>& from, const std::vector<float>& to, double share) {
    std::vector<float> out;
    if (from.size() != to.size()) return out;
    for (std::size_t i = 0; i < to.size(); ++i) out.push_back(static_cast<float>(from[i] + share * (static_cast<double>(to[i]) - from[i])));
    return out;
}

Measurement between(const Measurement& from, const Measurement& to, double share) {
    Measurement out;
    out.step = to.step;
    out.value = from.value + share * (to.value - from.value);
    out.items = std::min(from.items, to.items);
    out.outcome = between(from.outcome, to.outcome, share);
    // The same items weigh the same at every step.
    if (from.weight == to.weight) out.weight = to.weight;
    if (from.weight != to.weight) out.outcome.clear();
    return out;
}

/// The base has no distance to itself, item by item.
Measurement zeroLike(const Measurement& other) {
    Measurement zero = other;
    zero.step = 0;
    zero.value = 0;
    zero.outcome.assign(other.outcome.size(), 0.0f);
    return zero;
}

EqualPlace placeOf(const RunRecord& run, std::size_t index, const MeasuredSeries& task, const MeasuredSeries& general, double target) {
    EqualPlace place{index, general.key(), {}, lowestOf(task)};
    const Measurement *taskBefore = nullptr, *generalBefore = nullptr;
    Measurement zero;
    for (const Measurement& now : task.points) {
        const Measurement* there = general.at(now.step);
        if (there == nullptr && now.step == 0 && general.isDistance && !general.points.empty()) {
            zero = zeroLike(general.points.front());
            there = &zero;
        }
        if (there == nullptr || !std::isfinite(now.value) || !std::isfinite(there->value)) continue;
        if (now.value <= target) {
            if (taskBefore == nullptr) {
                place.why = "it was there at its first measurement";
                return place;
            }
            const double share = (taskBefore->value - target) / (taskBefore->value - now.value);
            place.step = static_cast<double>(taskBefore->step) + share * static_cast<double>(now.step - taskBefore->step);
            place.there = between(*generalBefore, *there, share);
            return place;
        }
        taskBefore = &now;
        generalBefore = there;
    }
    place.why = taskBefore == nullptr ? "never measured together with the task loss"
                                      : fmt::format("not reached: its lowest is {}", decimals(place.lowest, 3));
    if (run.isLive()) place.why += " so far";
    return place;
}

}  // namespace

const EqualPlace* EqualLearning::place(std::size_t run, const std::string& key) const {
    const auto found = std::find_if(places.begin(), places.end(), [&](const EqualPlace& one) { return one.run == run && one.key == key; });
    return found == places.end() ? nullptr : &*found;
}

std::optional<EqualLearning> compareAtEqualLearning(const std::vector<RunRecord>& runs, std::size_t baseline, std::optional<double> target) {
    if (runs.size() < 2) return std::nullopt;
    EqualLearning out;
    out.taskKey = commonTaskLoss(runs);
    if (out.taskKey.empty()) return std::nullopt;
    out.wasGiven = target.has_value();
    double reachedByAll = -INFINITY;
    for (const RunRecord& run : runs) reachedByAll = std::max(reachedByAll, lowestOf(*run.find(out.taskKey)));
    out.target = target.value_or(reachedByAll);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        for (const MeasuredSeries& general : runs[i].measures) {
            if (isForgetting(general)) out.places.push_back(placeOf(runs[i], i, *runs[i].find(out.taskKey), general, out.target));
        }
    }
    for (const EqualPlace& place : out.places) {
        const EqualPlace* other = out.place(baseline, place.key);
        if (place.run == baseline || other == nullptr || !other->reached() || !place.reached()) continue;
        const MeasuredSeries &from = *runs[baseline].find(place.key), &to = *runs[place.run].find(place.key);
        EqualDifference one{place.run, place.key, differenceOf(from, &other->there, to, &place.there)};
        one.finding = judge(one.difference.paired, to.direction);
        out.differences.push_back(std::move(one));
    }
    if (out.places.empty()) return std::nullopt;
    return out;
}

}  // namespace mofo::report
