// Verdict, trade-offs, runs, learning and forgetting.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/report/markup.h"
#include "core/report/sections.h"
#include "core/report/verdict.h"
#include "core/stats/spread.h"

namespace mofo::report {

namespace {

constexpr std::size_t kMostDrawnPoints = 2'000;

int colourOf(std::size_t run) { return static_cast<int>(run); }

Cell textCell(std::string text) { return {std::move(text)}; }
Cell runCell(const Comparison& comparison, std::size_t run) {
    Cell cell{comparison.runs[run].label()};
    cell.colour = colourOf(run);
    return cell;
}
Cell numberCell(double value, std::string text, std::int64_t n = 0) {
    Cell cell{std::isfinite(value) ? std::move(text) : std::string("\u2013")};
    cell.value = value;
    cell.n = n;
    return cell;
}
Cell amountCell(const Amount& amount, int places) {
    if (!amount.known) return {"\u2013"};
    Cell cell{signedText(amount.value, places)};
    if (amount.low <= amount.high) cell.below = fmt::format("{} to {}", signedText(amount.low, places), signedText(amount.high, places));
    cell.value = amount.value;
    cell.low = amount.low;
    cell.high = amount.high;
    cell.n = amount.n;
    return cell;
}

/// At most so many points, of each stretch the least and the greatest.
std::vector<Point> thinned(const std::vector<Point>& points) {
    if (points.size() <= kMostDrawnPoints) return points;
    std::vector<Point> kept;
    const std::size_t stretches = kMostDrawnPoints / 2;
    for (std::size_t i = 0; i < stretches; ++i) {
        const std::size_t begin = i * points.size() / stretches, end = (i + 1) * points.size() / stretches;
        std::size_t least = begin, greatest = begin;
        for (std::size_t at = begin; at < end; ++at) {
            if (!std::isfinite(points[at].y)) {
                kept.push_back(points[at]);
                continue;
            }
            if (!std::isfinite(points[least].y) || points[at].y < points[least].y) least = at;
            if (!std::isfinite(points[greatest].y) || points[at].y > points[greatest].y) greatest = at;
        }
        for (const std::size_t at : {std::min(least, greatest), std::max(least, greatest)}) {
            if (std::isfinite(points[at].y)) kept.push_back(points[at]);
            if (least == greatest) break;
        }
    }
    std::stable_sort(kept.begin(), kept.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
    return kept;
}

/// Exponential mean without the bias of its start, as the window's charts draw it.
std::vector<Point> smoothed(const std::vector<StepPoint>& steps, double keep) {
    std::vector<Point> points;
    double mean = 0, weight = 0;
    for (const StepPoint& step : steps) {
        if (std::isfinite(step.loss)) {
            mean = keep * mean + (1 - keep) * step.loss;
            weight = keep * weight + (1 - keep);
        }
        points.push_back({static_cast<double>(step.step), std::isfinite(step.loss) ? mean / weight : step.loss});
    }
    return points;
}

std::vector<VerticalMark> marksOf(const Comparison& comparison) {
    std::vector<VerticalMark> marks;
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        for (const LiveChange& change : comparison.runs[i].changes) {
            marks.push_back({static_cast<double>(change.step), change.key == "alpha" ? "\u03b1" : change.key.substr(0, 1), colourOf(i)});
        }
    }
    std::stable_sort(marks.begin(), marks.end(), [](const VerticalMark& a, const VerticalMark& b) { return a.x < b.x; });
    return marks.size() <= 24 ? marks : std::vector<VerticalMark>();
}

XyChart measureChart(const Comparison& comparison, const std::string& key) {
    XyChart chart;
    chart.xTitle = "step";
    chart.height = 190;
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const MeasuredSeries* series = comparison.runs[i].find(key);
        if (series == nullptr) continue;
        chart.title = series->shortTitle();
        chart.yTitle = series->unitText() + (series->mark == Mark::General ? ", general" : series->mark == Mark::Task ? ", task" : "");
        Series line{comparison.runs[i].label(), comparison.runs[i].letter, colourOf(i), dashOf(i), true, true};
        for (const Measurement& point : series->points) {
            Point drawn{static_cast<double>(point.step), point.value * series->factor()};
            drawn.low = point.interval.low * series->factor();
            drawn.high = point.interval.high * series->factor();
            drawn.n = point.items;
            line.points.push_back(drawn);
        }
        chart.series.push_back(std::move(line));
        if (const Measurement* base = series->base(); base != nullptr && !chart.zeroLine) chart.zeroLine = base->value * series->factor();
    }
    return chart;
}

std::string pCellText(double p) { return std::isnan(p) ? "\u2013" : p < 0.001 ? "< 0.001" : decimals(p, 3); }

std::string findingText(Finding finding) {
    switch (finding) {
        case Finding::Better: return "better";
        case Finding::Worse: return "worse";
        case Finding::NotShown: return "not shown";
        case Finding::NoInterval: return "no interval";
    }
    return {};
}

std::string markText(Mark mark) { return mark == Mark::Task ? "task" : mark == Mark::General ? "general" : "\u2013"; }

std::string intervalCellText(const Difference& difference, const MeasuredSeries& series) {
    if (!difference.known) return difference.why;
    const Interval& interval = difference.paired.interval;
    if (!interval.known()) return "none: " + difference.why;
    return fmt::format("{} to {}", signedText(interval.low * series.factor(), series.places()),
                       signedText(interval.high * series.factor(), series.places()));
}

std::vector<Cell> differenceCells(const Difference& difference, const MeasuredSeries& series, double adjustedP, Finding finding) {
    const double p = difference.paired.p;
    const double factor = series.factor();
    Cell value = difference.known ? numberCell(difference.paired.difference * factor,
                                               signedText(difference.paired.difference * factor, series.places()), difference.paired.interval.n)
                                  : textCell("\u2013");
    value.low = difference.paired.interval.low * factor;
    value.high = difference.paired.interval.high * factor;
    const PairedCounts& counts = difference.paired.counts;
    const std::string only = counts.items() > 0 ? fmt::format("{} / {}", counts.onlyA, counts.onlyB) : "\u2013";
    return {value,
            textCell(intervalCellText(difference, series)),
            numberCell(static_cast<double>(difference.paired.interval.n), formatCount(difference.paired.interval.n)),
            textCell(only),
            numberCell(p, pCellText(p)),
            numberCell(adjustedP, pCellText(adjustedP)),
            textCell(findingText(finding))};
}

Table seedTable(const Comparison& comparison) {
    Table table{"seeds",
                "Repeats: runs that differ in their seed alone. Mean, standard deviation, least and greatest over seeds, and the 95 % interval of "
                "the mean (Student's t).",
                {{"runs"}, {"measure"}, {"seeds", true}, {"mean", true}, {"deviation", true}, {"least", true}, {"greatest", true}, {"95 % interval"}},
                {},
                ""};
    for (const SeedGroup& group : comparison.groups) {
        std::string names;
        for (const std::size_t run : group.runs) names += (names.empty() ? "" : ", ") + comparison.runs[run].letter;
        for (const MeasuredSeries* series : comparison.allMeasures()) {
            std::vector<double> values;
            for (const std::size_t run : group.runs) {
                const MeasuredSeries* own = comparison.runs[run].find(series->key());
                if (own != nullptr && own->items == series->items) values.push_back(own->last()->value * series->factor());
            }
            if (values.size() < 2) continue;
            const Spread spread = spreadOf(values);
            const int places = series->places() + 1;
            Cell interval = textCell(spread.interval.known()
                                         ? fmt::format("{} to {}", decimals(spread.interval.low, places), decimals(spread.interval.high, places))
                                         : fmt::format("no 95 % interval: n = {}", spread.n));
            interval.low = spread.interval.low;
            interval.high = spread.interval.high;
            table.rows.push_back({textCell(names), textCell(series->title), numberCell(static_cast<double>(spread.n), formatCount(spread.n)),
                                  numberCell(spread.mean, decimals(spread.mean, places)),
                                  numberCell(spread.deviation, decimals(spread.deviation, places)),
                                  numberCell(spread.minimum, decimals(spread.minimum, places)),
                                  numberCell(spread.maximum, decimals(spread.maximum, places)), interval});
        }
    }
    return table;
}

}  // namespace

int dashOf(std::size_t index) { return static_cast<int>(index) % 4; }

std::vector<LegendEntry> legendOf(const Comparison& comparison) {
    std::vector<LegendEntry> legend;
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        std::string label = comparison.runs[i].label();
        if (comparison.runs.size() > 1 && i == comparison.baseline) label += " (baseline)";
        legend.push_back({std::move(label), colourOf(i), dashOf(i)});
    }
    return legend;
}

Section verdictSection(const Comparison& comparison) { return {"verdict", "Verdict", {Bullets{verdictOf(comparison)}}}; }

Section tradeoffSection(const Comparison& comparison) {
    Section section{"tradeoffs", "Learning against forgetting", {}};
    Figure figure{"tradeoffs", "", {}, 1, {}, legendOf(comparison)};
    std::string unplaced;
    for (const TradeoffView& view : comparison.views) {
        if (view.points.empty()) continue;
        XyChart chart;
        chart.yTitle = quantityTitle(view.learning);
        chart.xTitle = quantityTitle(view.forgetting);
        chart.corner = "top left";
        chart.height = 260;
        std::vector<PlacedPoint> front;
        for (const PlacedPoint& point : view.points) {
            if (point.inSet) front.push_back(point);
        }
        std::sort(front.begin(), front.end(), [](const PlacedPoint& a, const PlacedPoint& b) { return a.forgetting.value < b.forgetting.value; });
        Series frontLine{"not dominated", "", -1, 2, true, false, true};
        for (const PlacedPoint& point : front) frontLine.points.push_back({point.forgetting.value, point.learning.value});
        chart.series.push_back(std::move(frontLine));
        for (std::size_t run = 0; run < comparison.runs.size(); ++run) {
            Series path{comparison.runs[run].label() + ", on the way", "", colourOf(run), 0, true, true, true};
            Series end{comparison.runs[run].label(), "", colourOf(run), 0, false, true};
            for (const PlacedPoint& point : view.points) {
                if (point.run != run) continue;
                Point drawn{point.forgetting.value, point.learning.value};
                drawn.n = std::min(point.learning.n, point.forgetting.n);
                if (point.last) {
                    drawn.low = point.learning.low;
                    drawn.high = point.learning.high;
                    drawn.xLow = point.forgetting.low;
                    drawn.xHigh = point.forgetting.high;
                    drawn.label = comparison.runs[run].letter;
                    end.open = !point.inSet;
                    end.points.push_back(drawn);
                } else {
                    path.points.push_back(drawn);
                }
            }
            if (!end.points.empty()) path.points.push_back({end.points.front().x, end.points.front().y});
            if (!path.points.empty()) chart.series.push_back(std::move(path));
            if (!end.points.empty()) chart.series.push_back(std::move(end));
        }
        chart.series.push_back({"base model", "", -1, 0, false, true, false, false, {{0, 0, kNothing, kNothing, kNothing, kNothing, 0, "base"}}});
        figure.panels.emplace_back(std::move(chart));
    }
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        bool placed = false;
        std::string why = "no task measure or no general probe";
        for (const TradeoffView& view : comparison.views) {
            placed = placed || std::any_of(view.points.begin(), view.points.end(), [&](const PlacedPoint& point) { return point.run == i; });
            for (const auto& [run, reason] : view.unplaced) {
                if (run == i) why = reason;
            }
        }
        if (!placed) unplaced += (unplaced.empty() ? "" : "; ") + comparison.runs[i].label() + ": " + why;
    }
    if (!figure.panels.empty()) {
        figure.columns = std::min<int>(2, static_cast<int>(figure.panels.size()));
        figure.caption =
            "What each run learned against what it forgot, measured against the base model (diamond). Large marks: the end of a run, with crosses "
            "for the 95 % "
            "intervals of both; small marks: on the way. Filled: not dominated by any measured point; hollow: dominated. Up and to the left is "
            "better.";
        section.blocks.emplace_back(std::move(figure));
    }
    if (!unplaced.empty()) section.blocks.emplace_back(Paragraph{"Not placed:", unplaced + '.', true});
    return section;
}

Section equalLearningSection(const Comparison& comparison) {
    Section section{"equal-learning", "Forgetting at equal learning", {}};
    if (!comparison.equal) return section;
    const EqualLearning& equal = *comparison.equal;
    const std::string target = decimals(equal.target, 3);
    section.blocks.emplace_back(Paragraph{
        "",
        fmt::format("Whoever moves less forgets less and may also have learned less. So every run is also taken where its held-out task loss ({}) "
                    "first came down to {} nats/token, {}. Between two measured steps items are interpolated, linearly in the task loss. A run "
                    "stopped early would be such a place of its own curve.",
                    equal.taskKey, target, equal.wasGiven ? "the value that was asked for" : "the most that every run learned")});
    Table table{"equal-learning",
                fmt::format("General measures where the held-out task loss is {} nats/token.", target),
                {{"measure"}, {"run"}, {"step", true}, {"value", true}, {"difference", true}, {"95 % interval"}, {"n", true}, {"finding"}},
                {},
                fmt::format("Differences: to {} at the same task loss, paired item by item (paired bootstrap, 10,000 resamples).",
                            comparison.runs[comparison.baseline].label())};
    for (const MeasuredSeries* series : comparison.allMeasures()) {
        for (std::size_t run = 0; run < comparison.runs.size(); ++run) {
            const EqualPlace* place = equal.place(run, series->key());
            if (place == nullptr) continue;
            std::vector<Cell> row = {textCell(series->title + ", " + series->unitText()), runCell(comparison, run)};
            if (!place->reached()) {
                row.push_back(textCell(place->why));
                while (row.size() < table.columns.size()) row.push_back(textCell(""));
                table.rows.push_back(std::move(row));
                continue;
            }
            row.push_back(numberCell(place->step, decimals(place->step, 1)));
            row.push_back(numberCell(place->there.value * series->factor(), decimals(place->there.value * series->factor(), series->places()),
                                     place->there.items));
            const auto found = std::find_if(equal.differences.begin(), equal.differences.end(),
                                            [&](const EqualDifference& one) { return one.run == run && one.key == series->key(); });
            if (found == equal.differences.end()) {
                row.push_back(textCell(run == comparison.baseline ? "baseline" : ""));
                while (row.size() < table.columns.size()) row.push_back(textCell(""));
            } else {
                std::vector<Cell> cells = differenceCells(found->difference, *series, kNothing, found->finding);
                for (const std::size_t kept : {0u, 1u, 2u, 6u}) row.push_back(std::move(cells[kept]));
            }
            table.rows.push_back(std::move(row));
        }
    }
    section.blocks.emplace_back(std::move(table));
    return section;
}

Section runsSection(const Comparison& comparison) {
    Section section{"runs", "Runs at a glance", {}};
    Table table{"runs",
                "The runs at their ends. Below each change from the base model: its 95 % interval.",
                {{"run"}, {"method"}, {"alpha"}, {"steps", true}},
                {},
                ""};
    std::vector<Quantity> shown;
    for (const Quantity quantity : {Quantity::TaskLoss, Quantity::TaskScore, Quantity::GeneralLoss, Quantity::GeneralKl, Quantity::GeneralScore}) {
        for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
            if (comparison.finalAmount(i, quantity).known) {
                shown.push_back(quantity);
                break;
            }
        }
    }
    for (const Quantity quantity : shown) table.columns.push_back({quantityTitle(quantity), true});
    table.columns.push_back({"drift", true});
    Table cost{"cost",
               "What the runs cost.",
               {{"run"},
                {"steps", true},
                {"time of steps", true},
                {"evaluations", true},
                {"probes", true},
                {"trained tokens", true},
                {"tokens/s", true},
                {"peak memory", true}},
               {},
               ""};
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const RunRecord& run = comparison.runs[i];
        const bool selects = selectsCoordinates(run.initial.optimizer);
        std::string alpha = selects ? configValue(run.initial, "alpha") + " per " + configValue(run.initial, "granularity") : "\u2013";
        const bool changed = std::any_of(run.changes.begin(), run.changes.end(),
                                         [](const LiveChange& change) { return change.key.starts_with("alpha") || change.key == "granularity"; });
        if (selects && changed) alpha += ", changed live";
        std::string steps = formatCount(run.lastStep());
        if (run.isLive()) steps += fmt::format(" ({})", runStateName(run.row.state));
        std::vector<Cell> row = {runCell(comparison, i), textCell(configValue(run.initial, "optimizer")), textCell(alpha),
                                 numberCell(static_cast<double>(run.lastStep()), steps)};
        for (const Quantity quantity : shown) {
            const bool score = quantity == Quantity::TaskScore || quantity == Quantity::GeneralScore;
            row.push_back(amountCell(comparison.finalAmount(i, quantity), score ? 1 : 3));
        }
        const double speed = run.trainSeconds > 0 ? static_cast<double>(run.trainedTokens) / run.trainSeconds : kNothing;
        row.push_back(numberCell(run.finalDrift(), significant(run.finalDrift(), 3)));
        table.rows.push_back(std::move(row));
        cost.rows.push_back(
            {runCell(comparison, i), numberCell(static_cast<double>(run.lastStep()), formatCount(run.lastStep())),
             numberCell(run.trainSeconds > 0 ? run.trainSeconds : kNothing, formatDuration(run.trainSeconds)),
             numberCell(run.evalSeconds, formatDuration(run.evalSeconds)), numberCell(run.probeSeconds, formatDuration(run.probeSeconds)),
             numberCell(static_cast<double>(run.trainedTokens), formatCount(run.trainedTokens)), numberCell(speed, significant(speed, 3)),
             run.peakMemoryBytes > 0
                 ? numberCell(static_cast<double>(run.peakMemoryBytes), formatBytes(static_cast<std::uint64_t>(run.peakMemoryBytes)))
                 : textCell("\u2013")});
    }
    table.note = "Drift: relative L2 distance of the whole model from its pretrained weights.";
    cost.note = "Tokens/s: trained tokens by the time of the steps. Peak memory: resident, or of the device. The data files hold seconds and bytes.";
    section.blocks.emplace_back(std::move(table));
    section.blocks.emplace_back(std::move(cost));
    if (Table seeds = seedTable(comparison); !seeds.rows.empty()) section.blocks.emplace_back(std::move(seeds));
    return section;
}

Section learningSection(const Comparison& comparison) {
    Section section{"learning", "Learning", {}};
    XyChart losses;
    losses.title = "Training loss";
    losses.yTitle = "nats per trained token; thin: each step, thick: smoothed (0.9)";
    losses.xTitle = "step";
    losses.marks = marksOf(comparison);
    std::size_t broken = 0;
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const RunRecord& run = comparison.runs[i];
        if (run.steps.empty()) continue;
        Series raw{run.label() + ", each step", "", colourOf(i), 0, true, false, true};
        for (const StepPoint& step : run.steps) {
            raw.points.push_back({static_cast<double>(step.step), step.loss});
            broken += std::isfinite(step.loss) ? 0 : 1;
        }
        raw.points = thinned(raw.points);
        losses.series.push_back(std::move(raw));
        losses.series.push_back(
            {run.label() + ", smoothed", run.letter, colourOf(i), dashOf(i), true, false, false, false, thinned(smoothed(run.steps, 0.9))});
    }
    Figure figure{"loss", "Loss of the training steps", {}, 1, {}, legendOf(comparison)};
    if (!losses.series.empty()) figure.panels.emplace_back(std::move(losses));
    for (const MeasuredSeries* series : comparison.allMeasures()) {
        if (series->mark == Mark::Task) figure.panels.emplace_back(measureChart(comparison, series->key()));
    }
    if (figure.panels.empty()) {
        section.blocks.emplace_back(Paragraph{"", "No step has been measured yet."});
        return section;
    }
    figure.columns = figure.panels.size() > 1 ? 2 : 1;
    figure.caption =
        "Loss of the training steps and what was held out. Letters stand at the ends of the lines; dashed verticals are changes made while a run was "
        "on "
        "(\u03b1: alpha, otherwise the key's first letter); bars are 95 % intervals of the value itself; the dashed horizontal is the base model.";
    if (broken > 0)
        figure.caption += fmt::format(" {} steps had a loss that is not finite: crosses (NaN) and triangles (infinite).",
                                      formatCount(static_cast<std::int64_t>(broken)));
    section.blocks.emplace_back(std::move(figure));
    Table table{"losses",
                "Losses, in nats per token: the mean of the last 10 training steps, and the held-out loss at the base, at its best and at the end.",
                {{"run"}, {"training, last 10", true}, {"held-out: base", true}, {"best", true}, {"at step", true}, {"end", true}, {"rows", true}},
                {},
                ""};
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const RunRecord& run = comparison.runs[i];
        double sum = 0;
        const std::size_t count = std::min<std::size_t>(10, run.steps.size());
        for (std::size_t at = run.steps.size() - count; at < run.steps.size(); ++at) sum += run.steps[at].loss;
        const double training = count > 0 ? sum / static_cast<double>(count) : kNothing;
        std::vector<Cell> row = {runCell(comparison, i), numberCell(training, significant(training, 4))};
        if (const MeasuredSeries* heldOut = run.find("held-out/loss"); heldOut != nullptr) {
            const auto best = std::min_element(heldOut->points.begin(), heldOut->points.end(),
                                               [](const Measurement& a, const Measurement& b) { return a.value < b.value; });
            const ChangeFromBase* change = comparison.change(i, heldOut->key());
            const double base = change != nullptr && change->difference.known ? change->difference.paired.a : kNothing;
            row.push_back(numberCell(base, significant(base, 4)));
            row.push_back(numberCell(best->value, significant(best->value, 4)));
            row.push_back(numberCell(static_cast<double>(best->step), formatCount(best->step)));
            row.push_back(numberCell(heldOut->last()->value, significant(heldOut->last()->value, 4)));
            row.push_back(numberCell(static_cast<double>(heldOut->last()->items), formatCount(heldOut->last()->items)));
        } else {
            for (int n = 0; n < 5; ++n) row.push_back(textCell("\u2013"));
        }
        table.rows.push_back(std::move(row));
    }
    section.blocks.emplace_back(std::move(table));
    return section;
}

Section forgettingSection(const Comparison& comparison) {
    Section section{"forgetting", "Forgetting, task by task", {}};
    Figure curves{"probes", "", {}, 1, {}, legendOf(comparison)};
    for (const MeasuredSeries* series : comparison.allMeasures()) {
        if (series->mark != Mark::Task) curves.panels.emplace_back(measureChart(comparison, series->key()));
    }
    if (!curves.panels.empty()) {
        curves.columns = curves.panels.size() > 1 ? 2 : 1;
        curves.caption =
            "Probes over the steps, each in its own unit. Bars are 95 % intervals of the value itself; the dashed horizontal is the base model.";
        section.blocks.emplace_back(std::move(curves));
    } else {
        section.blocks.emplace_back(
            Paragraph{"", "No probe of general knowledge was measured in any of these runs. Give the next one some: --set probes=kl,text,eval."});
    }
    ForestChart forest;
    forest.leftText = "lower";
    forest.rightText = "higher";
    std::vector<Unit> units;
    for (const RunDifference& one : comparison.differences) {
        const Unit unit = comparison.runs[one.run].find(one.key)->unit;
        if (std::find(units.begin(), units.end(), unit) == units.end()) units.push_back(unit);
    }
    Figure differences{"differences", "", {}, 1, {}, {}};
    for (const Unit unit : units) {
        ForestChart chart = forest;
        for (const MeasuredSeries* series : comparison.allMeasures()) {
            if (series->unit != unit) continue;
            chart.xTitle = "difference to " + comparison.runs[comparison.baseline].label() + ", " + series->differenceUnit();
            for (const RunDifference& one : comparison.differences) {
                if (one.key != series->key()) continue;
                ForestRow row{series->shortTitle() + (series->unit == Unit::Other                     ? ""
                                                      : series->direction == Direction::LowerIsBetter ? " \u2193"
                                                                                                      : " \u2191"),
                              comparison.runs[one.run].label(), colourOf(one.run)};
                row.n = one.difference.paired.interval.n;
                if (one.difference.known) {
                    row.value = one.difference.paired.difference * series->factor();
                    row.low = one.difference.paired.interval.low * series->factor();
                    row.high = one.difference.paired.interval.high * series->factor();
                }
                row.text =
                    one.difference.why.empty() ? fmt::format("n = {}, {}", formatCount(row.n), pText(one.difference.paired.p)) : one.difference.why;
                chart.rows.push_back(std::move(row));
            }
        }
        if (!chart.rows.empty()) differences.panels.emplace_back(std::move(chart));
    }
    if (!differences.panels.empty()) {
        differences.caption = fmt::format(
            "Every run's end against the end of {}, paired item by item, with 95 % intervals. An interval that crosses the line shows no difference. "
            "\u2193: lower is better; \u2191: higher is better.",
            comparison.runs[comparison.baseline].label());
        section.blocks.emplace_back(std::move(differences));
    }
    Table versus{"forgetting",
                 "Changes from the base model, and differences between runs. Accuracies: exact McNemar test, interval by Newcombe; means: paired "
                 "bootstrap over items (10,000 "
                 "resamples). Only A / only B: items that only the first or only the second got right.",
                 {{"measure"},
                  {"mark"},
                  {"what"},
                  {"difference", true},
                  {"95 % interval"},
                  {"n", true},
                  {"only A / B", true},
                  {"p", true},
                  {"p, Holm", true},
                  {"finding"}},
                 {},
                 ""};
    for (const MeasuredSeries* series : comparison.allMeasures()) {
        const auto add = [&](const std::string& what, const Difference& difference, double p, Finding finding) {
            std::vector<Cell> row = {textCell(series->title + ", " + series->differenceUnit()), textCell(markText(series->mark)), textCell(what)};
            for (Cell& cell : differenceCells(difference, *series, p, finding)) row.push_back(std::move(cell));
            versus.rows.push_back(std::move(row));
        };
        for (const ChangeFromBase& change : comparison.changes) {
            if (change.key == series->key())
                add(fmt::format("base \u2192 {} @{}", comparison.runs[change.run].letter, change.step), change.difference, kNothing, change.finding);
        }
        for (const RunDifference& one : comparison.differences) {
            if (one.key != series->key()) continue;
            const std::string steps =
                one.step == one.baselineStep ? fmt::format(" @{}", one.step) : fmt::format(" @{}, @{}", one.baselineStep, one.step);
            add(fmt::format("{} \u2192 {}{}", comparison.runs[comparison.baseline].letter, comparison.runs[one.run].letter, steps), one.difference,
                one.adjustedP, one.finding);
        }
    }
    versus.note =
        "p, Holm: adjusted for the number of differences between runs. \u201cBetter\u201d and \u201cworse\u201d are said only where the interval "
        "excludes zero and the test agrees.";
    if (!versus.rows.empty()) section.blocks.emplace_back(std::move(versus));
    return section;
}

}  // namespace mofo::report
