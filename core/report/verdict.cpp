#include "core/report/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/text.h"
#include "core/report/markup.h"

namespace mofo::report {

namespace {

std::string withStop(std::string text) {
    if (!text.empty() && text.back() != '.') text += '.';
    return text;
}

std::string valueText(const MeasuredSeries& series, double value) {
    return decimals(value * series.factor(), series.places()) + (series.unit == Unit::Share ? "\u202f%" : "");
}

std::string noIntervalText(const Difference& difference) {
    if (difference.why.starts_with("n = ")) return "no 95 % interval: " + difference.why;
    return "no 95 % interval: " + (difference.why.empty() ? std::string("not measured") : difference.why);
}

/// "base 1.618; A 0.851, B 0.890": where every run ended. Of one run alone the change, with its interval.
std::string endsText(const Comparison& comparison, const std::string& key) {
    std::string text, base;
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const MeasuredSeries* series = comparison.runs[i].find(key);
        const ChangeFromBase* change = comparison.change(i, key);
        if (series == nullptr || change == nullptr) continue;
        const Difference& difference = change->difference;
        if (difference.known && base.empty()) base = valueText(*series, difference.paired.a);
        text += fmt::format("{}{} ended at {}", text.empty() ? "" : ", ", comparison.runs[i].letter, valueText(*series, series->last()->value));
        if (comparison.runs.size() == 1 && difference.known) {
            text += ", a change of " + differenceText(difference, *series, true);
            if (change->finding == Finding::NotShown) text += " that is not shown to differ from zero";
        } else if (change->finding == Finding::NotShown) {
            text += " (not shown to differ from the base)";
        }
    }
    if (text.empty()) return "not measured after the first step.";
    return withStop((base.empty() ? "the base was not measured; " : "the base stands at " + base + "; ") + text);
}

std::string versusText(const Comparison& comparison, const std::string& key, const char* better, const char* worse) {
    std::string text;
    const RunRecord& baseline = comparison.runs[comparison.baseline];
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const RunDifference* found = comparison.difference(i, key);
        const MeasuredSeries* series = comparison.runs[i].find(key);
        if (found == nullptr || series == nullptr) continue;
        const std::string who = comparison.runs[i].letter;
        text += text.empty() ? fmt::format(" Against {}: ", baseline.letter) : "; ";
        if (!found->difference.known) {
            text += fmt::format("{} cannot be compared ({})", who, found->difference.why);
            continue;
        }
        text += fmt::format("{} {}, ", who, differenceText(found->difference, *series));
        switch (found->finding) {
            case Finding::Better: text += better; break;
            case Finding::Worse: text += worse; break;
            case Finding::NotShown:
                text += found->difference.paired.interval.holds(0) ? "the interval holds zero, so neither is called better"
                                                                   : "the exact test does not confirm it, so neither is called better";
                break;
            case Finding::NoInterval: text += "so neither is called better"; break;
        }
    }
    return withStop(std::move(text));
}

std::vector<std::string> keysMarked(const Comparison& comparison, Mark mark) {
    std::vector<std::string> keys;
    for (const MeasuredSeries* series : comparison.allMeasures()) {
        if (series->mark == mark && series->measure != "reverse_kl") keys.push_back(series->key());
    }
    return keys;
}

std::string titleOf(const Comparison& comparison, const std::string& key) {
    for (const MeasuredSeries* series : comparison.allMeasures()) {
        if (series->key() == key)
            return series->title + " (" + series->unitText() +
                   (series->direction == Direction::LowerIsBetter ? ", lower is better)" : ", higher is better)");
    }
    return key;
}

std::string sentenceStart(std::string text) {
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text;
}

/// One paragraph per measure, the first `most` of them.
std::vector<Paragraph> measured(const Comparison& comparison, const std::vector<std::string>& keys, std::size_t most, const char* lead,
                                const char* better, const char* worse) {
    std::vector<Paragraph> list;
    for (std::size_t i = 0; i < std::min(keys.size(), most); ++i) {
        std::string one =
            sentenceStart(titleOf(comparison, keys[i])) + ": " + endsText(comparison, keys[i]) + versusText(comparison, keys[i], better, worse);
        list.push_back({lead + std::string("."), std::move(one)});
    }
    if (keys.size() > most) list.back().text += fmt::format(" {} more measures stand in the tables.", keys.size() - most);
    return list;
}

std::vector<Paragraph> learning(const Comparison& comparison) {
    const std::vector<std::string> keys = keysMarked(comparison, Mark::Task);
    if (keys.empty()) {
        std::string text = "Not measured: no run has a held-out loss or a probe marked task. Training losses alone end at";
        for (const RunRecord& run : comparison.runs) {
            if (!run.steps.empty()) text += fmt::format(" {} in {},", significant(run.steps.back().loss, 4), run.letter);
        }
        text.back() = '.';
        return {{"Learning.", text}};
    }
    return measured(comparison, keys, 2, "Learning", "learned more", "learned less");
}

std::vector<Paragraph> forgetting(const Comparison& comparison) {
    const std::vector<std::string> keys = keysMarked(comparison, Mark::General);
    if (keys.empty()) {
        return {{"Forgetting.",
                 "Not measured: no run has a probe marked general, so nothing can be said of what was forgotten. Distance from the pretrained "
                 "weights is not "
                 "evidence of forgetting."}};
    }
    return measured(comparison, keys, 3, "Forgetting", "forgot less", "forgot more");
}

Paragraph distance(const Comparison& comparison) {
    std::string text;
    const double reference = comparison.runs[comparison.baseline].finalDrift();
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const double drift = comparison.runs[i].finalDrift();
        if (!std::isfinite(drift)) continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : "; ", comparison.runs[i].letter, significant(drift, 3));
        if (i != comparison.baseline && reference > 0) {
            text += fmt::format(" ({} times {}'s)", significant(drift / reference, 3), comparison.runs[comparison.baseline].letter);
        }
    }
    if (text.empty()) return {"Distance.", "Not measured: no run has tensor statistics."};
    return {"Distance.", "From the pretrained weights, relative L2 of the whole model at the last measured step: " + withStop(text) +
                             " One number per run, so without an interval."};
}

Paragraph tradeoff(const Comparison& comparison) {
    if (comparison.views.empty()) {
        return {"Trade-off.",
                "No run can be placed: learning against forgetting needs a task measure and a general probe, both also measured of the base."};
    }
    std::string text;
    for (const TradeoffView& view : comparison.views) {
        std::string kept, beaten;
        for (const PlacedPoint& point : view.points) {
            if (!point.last) continue;
            std::string& list = point.inSet ? kept : beaten;
            list += (list.empty() ? "" : ", ") + comparison.runs[point.run].letter;
        }
        if (kept.empty() && beaten.empty()) continue;
        const std::string what = quantityTitle(view.forgetting);
        text += fmt::format("{}By {}: not dominated {}; dominated {}.", text.empty() ? "" : " ", what.substr(0, what.find(',')),
                            kept.empty() ? "none" : kept, beaten.empty() ? "none" : beaten);
    }
    if (text.empty()) return {"Trade-off.", "No run can be placed: see Figure 1."};
    return {"Trade-off.", text +
                              " Dominated means that some measured point of any run learned at least as much and forgot no more; this compares the "
                              "values without their intervals."};
}

/// What was forgotten where all had learned as much; empty where runs cannot be compared so.
std::string equalLearning(const Comparison& comparison) {
    constexpr std::size_t kMostMeasures = 2;
    if (!comparison.equal) return {};
    const EqualLearning& equal = *comparison.equal;
    std::string text, absent;
    std::size_t measures = 0;
    for (const MeasuredSeries* series : comparison.allMeasures()) {
        std::string one;
        for (const EqualDifference& difference : equal.differences) {
            if (difference.key != series->key()) continue;
            const char* finding = difference.finding == Finding::Better  ? "forgot less"
                                  : difference.finding == Finding::Worse ? "forgot more"
                                                                         : "neither is called better";
            one += fmt::format("{}{} {}, {}", one.empty() ? "" : "; ", comparison.runs[difference.run].letter,
                               differenceText(difference.difference, *series), finding);
        }
        if (!one.empty() && measures++ < kMostMeasures)
            text += fmt::format(" {}, against {}: {}", sentenceStart(series->title), comparison.runs[comparison.baseline].letter, withStop(one));
    }
    std::set<std::size_t> told;
    for (const EqualPlace& place : equal.places) {
        if (!place.reached() && told.insert(place.run).second)
            absent += fmt::format(" {} has no place there ({}).", comparison.runs[place.run].letter, place.why);
    }
    if (text.empty() && absent.empty()) return {};
    return fmt::format("Where the held-out task loss first came down to {} nats/token, {}:{}{}", decimals(equal.target, 3),
                       equal.wasGiven ? "as asked for" : "the most that every run learned", text.empty() ? " nothing can be compared." : text,
                       absent);
}

}  // namespace

std::string differenceText(const Difference& difference, const MeasuredSeries& series, bool withMethod) {
    if (!difference.known) return difference.why;
    const std::string value =
        signedText(difference.paired.difference * series.factor(), series.places()) + (series.unit == Unit::Share ? " points" : "");
    const Interval& interval = difference.paired.interval;
    if (!interval.known()) return value + " (" + noIntervalText(difference) + ")";
    std::string inside = fmt::format("95 % interval {} to {}", signedText(interval.low * series.factor(), series.places()),
                                     signedText(interval.high * series.factor(), series.places()));
    if (withMethod) {
        inside += fmt::format(", n = {}, {}", formatCount(interval.n), difference.paired.test);
        if (const std::string p = pText(difference.paired.p); !p.empty()) inside += ", " + p;
    }
    return value + " (" + inside + ")";
}

std::vector<std::string> limitsOf(const Comparison& comparison) {
    std::vector<std::string> limits;
    std::set<std::size_t> repeated;
    for (const SeedGroup& group : comparison.groups) repeated.insert(group.runs.begin(), group.runs.end());
    std::string single;
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        if (!repeated.contains(i)) single += (single.empty() ? "" : ", ") + comparison.runs[i].letter;
    }
    if (!single.empty()) {
        limits.push_back(
            fmt::format("n = 1 run for each of {}. The intervals are over items alone; two equal runs with other seeds differ as well, and how much "
                        "is not known here.",
                        single));
    }
    for (const std::string& text : comparison.unfair) limits.push_back(text);
    for (const RunRecord& run : comparison.runs) {
        if (run.isLive())
            limits.push_back(fmt::format("{} has not ended ({}): its numbers are those of step {}.", run.letter, runStateName(run.row.state),
                                         formatCount(run.lastStep())));
        if (run.row.state == RunState::Failed || run.row.state == RunState::Lost) {
            limits.push_back(
                fmt::format("{} did not end as planned ({}) at step {}.", run.letter, runStateName(run.row.state), formatCount(run.lastStep())));
        }
        for (const std::string& problem : run.problems) limits.push_back(withStop(run.letter + ": " + problem));
        if (run.supersededSteps > 0) {
            limits.push_back(fmt::format("{} went back: {} steps that were undone are left out.", run.letter, formatCount(run.supersededSteps)));
        }
    }
    std::set<std::string> small;
    for (const MeasuredSeries* series : comparison.allMeasures()) {
        if (series->last()->items < 100) small.insert(fmt::format("{} ({})", series->probe, formatCount(series->last()->items)));
        if (series->trainedOn > 0) {
            limits.push_back(fmt::format("{} of the items of {} were also trained on.", formatCount(series->trainedOn), series->title));
        }
    }
    if (!small.empty()) {
        std::string text = "Fewer than 100 items, so that only large differences can show:";
        for (const std::string& one : small) text += ' ' + one + ',';
        text.back() = '.';
        limits.push_back(std::move(text));
    }
    bool stored = false;
    for (const MeasuredSeries* series : comparison.allMeasures()) stored = stored || series->unit == Unit::Other;
    if (stored) limits.emplace_back("Probes without a description (no unit, no mark) are drawn as stored and take no part in the verdict.");
    std::set<std::pair<std::size_t, std::string>> said;
    for (const TradeoffView& view : comparison.views) {
        for (const auto& [run, why] : view.unplaced) {
            if (said.emplace(run, why).second)
                limits.push_back(fmt::format("{} is not placed among the trade-offs: {}.", comparison.runs[run].letter, why));
        }
    }
    return limits;
}

std::vector<Paragraph> verdictOf(const Comparison& comparison) {
    std::vector<Paragraph> verdict = learning(comparison);
    for (Paragraph& paragraph : forgetting(comparison)) verdict.push_back(std::move(paragraph));
    verdict.push_back(distance(comparison));
    verdict.push_back(tradeoff(comparison));
    if (std::string equal = equalLearning(comparison); !equal.empty()) verdict.push_back({"At equal learning.", std::move(equal)});
    std::string limits;
    for (const std::string& limit : limitsOf(comparison)) limits += (limits.empty() ? "" : " ") + limit;
    verdict.push_back({"What this does not show.", limits.empty() ? "Nothing beyond the rows, probes and seeds that were measured." : limits});
    return verdict;
}

}  // namespace mofo::report
