// Where the runs moved, what was changed, what they answer, how they differ and how to repeat them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/text.h"
#include "core/report/markup.h"
#include "core/report/sections.h"
#include "core/report/verdict.h"

namespace mofo::report {

namespace {

constexpr std::size_t kMostColumns = 60;

int colourOf(std::size_t run) { return static_cast<int>(run); }

Cell runCell(const Comparison& comparison, std::size_t run) {
    Cell cell{comparison.runs[run].label()};
    cell.colour = colourOf(run);
    return cell;
}

/// At most kMostColumns columns: of a stretch of steps the last one.
std::vector<std::size_t> shownColumns(std::size_t columns) {
    std::vector<std::size_t> shown;
    const std::size_t count = std::min(columns, kMostColumns);
    for (std::size_t i = 0; i < count; ++i) shown.push_back((i + 1) * columns / count - 1);
    return shown;
}

MapChart mapOf(const RunRecord& run, const std::vector<std::vector<double>>& values) {
    MapChart map;
    map.title = run.label();
    map.xTitle = "step";
    const std::vector<std::size_t> columns = shownColumns(run.layers.steps.size());
    for (const std::size_t column : columns) map.columns.push_back(static_cast<double>(run.layers.steps[column]));
    for (std::size_t row = 0; row < run.layers.rows.size(); ++row) {
        map.rows.push_back(run.layers.rows[row].label);
        std::vector<double>& list = map.values.emplace_back();
        for (const std::size_t column : columns) list.push_back(values[row][column]);
    }
    return map;
}

/// Least and greatest of what the maps show (positive values alone where `positive`).
std::pair<double, double> rangeOf(const std::vector<Chart>& panels, bool positive) {
    double low = kNothing, high = kNothing;
    for (const Chart& panel : panels) {
        for (const auto& row : std::get<MapChart>(panel).values) {
            for (const double value : row) {
                if (!std::isfinite(value) || (positive && value <= 0)) continue;
                low = std::isnan(low) ? value : std::min(low, value);
                high = std::isnan(high) ? value : std::max(high, value);
            }
        }
    }
    return {low, high};
}

/// Median, least and greatest threshold of a run that selects by one.
void addThresholds(XyChart& chart, const RunRecord& run, const Series& style) {
    const LayerHistory& history = run.layers;
    const std::pair<const std::vector<double>*, bool> lines[] = {
        {&history.thresholdLow, true}, {&history.thresholdHigh, true}, {&history.threshold, false}};
    for (const auto& [values, faint] : lines) {
        Series series = style;
        series.faint = faint;
        if (faint) {
            series.label += values == &history.thresholdLow ? ", least" : ", greatest";
            series.letter.clear();
        }
        for (const std::size_t at : shownColumns(history.steps.size())) {
            if (std::isfinite((*values)[at])) series.points.push_back({static_cast<double>(history.steps[at]), (*values)[at]});
        }
        if (!series.points.empty()) chart.series.push_back(std::move(series));
    }
}

/// What was forgotten at each distance from the pretrained weights: the points of the trade-offs, over the drift of their step.
Figure driftAgainstForgetting(const Comparison& comparison) {
    Figure figure{
        "drift-forgetting",
        "What was forgotten against the distance from the pretrained weights, one line per run in the order of its steps; steps at which both "
        "were measured. Bars: 95 % intervals at the end of a run. Where two runs stand at the same distance, the lower one kept more.",
        {},
        1,
        {},
        legendOf(comparison)};
    std::set<Quantity> shown;
    for (const TradeoffView& view : comparison.views) {
        if (!shown.insert(view.forgetting).second) continue;
        XyChart chart{"", "relative L2 distance, whole model", quantityTitle(view.forgetting), true};
        chart.zeroLine = 0;
        for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
            Series line{comparison.runs[i].label(), comparison.runs[i].letter, colourOf(i), dashOf(i), true, true};
            for (const PlacedPoint& point : view.points) {
                const double drift = point.run == i ? comparison.runs[i].layers.wholeDriftAt(point.step) : kNothing;
                if (!(drift > 0)) continue;
                Point drawn{drift, point.forgetting.value};
                drawn.n = point.forgetting.n;
                if (point.last) {
                    drawn.low = point.forgetting.low;
                    drawn.high = point.forgetting.high;
                }
                line.points.push_back(drawn);
            }
            if (!line.points.empty()) chart.series.push_back(std::move(line));
        }
        if (!chart.series.empty()) figure.panels.emplace_back(std::move(chart));
    }
    figure.columns = std::clamp<int>(static_cast<int>(figure.panels.size()), 1, 2);
    return figure;
}

std::string quoted(const std::string& text) {
    const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-_./:@=,+%").find(c) != std::string_view::npos;
    });
    if (plain) return text;
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + '\'';
}

std::string factText(const RunRecord& run, const char* fact, const char* key) {
    const auto found = run.facts.find(fact);
    if (found == run.facts.end() || !found->second.is_object() || !found->second.contains(key)) return {};
    const Json& value = found->second[key];
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string orDash(std::string text) { return text.empty() || text == "null" ? "\u2013" : text; }

}  // namespace

Section selectionSection(const Comparison& comparison) {
    Section section{"selection", "Where they moved", {}};
    Figure maps{"selection",
                "Share of coordinates that each logged step moved, per layer (rows) and step (columns), all runs on one scale. Grey: not measured.",
                {},
                1,
                {},
                {}};
    for (const RunRecord& run : comparison.runs) {
        if (!run.layers.steps.empty()) maps.panels.emplace_back(mapOf(run, run.layers.selected));
    }
    if (maps.panels.empty()) {
        section.blocks.emplace_back(Paragraph{"", "No tensor statistics were measured."});
        return section;
    }
    const auto [low, high] = rangeOf(maps.panels, true);
    MapScale scale{Ramp::Cividis, 0, 1, false, "share of coordinates moved"};
    if (high > low && low > 0 && high / low > 30) {
        scale = {Ramp::Cividis, std::max(low, high * 1e-4), high, true, "share of coordinates moved, logarithmic"};
    } else if (std::isfinite(high)) {
        scale.high = high;
    }
    maps.scale = scale;
    maps.columns = std::min<int>(3, static_cast<int>(maps.panels.size()));
    section.blocks.emplace_back(std::move(maps));

    Figure lines{"movement",
                 "Moved share of the whole model per step; churn (1 \u2212 overlap of the moved set with that of the previous logged step) and "
                 "coverage (share ever moved at a "
                 "logged step), means over the filtered tensors weighted by size. Threshold: the |m| from which coordinates moved, median over the "
                 "filtered tensors; thin: the least and the greatest.",
                 {},
                 3,
                 {},
                 legendOf(comparison)};
    XyChart moved{"Moved share", "step", "share of all coordinates"}, churn{"Churn", "step", "0 same set .. 1 another"},
        coverage{"Coverage", "step", "share ever moved"}, threshold{"Threshold", "step", "|m|", false, true};
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const RunRecord& run = comparison.runs[i];
        const Series line{run.label(), run.letter, colourOf(i), dashOf(i)};
        Series m = line, c = line, v = line;
        for (std::size_t at = 0; at < run.steps.size(); ++at) {
            if (run.steps.size() <= 2000 || at % (run.steps.size() / 1000) == 0)
                m.points.push_back({static_cast<double>(run.steps[at].step), run.steps[at].movedShare});
        }
        for (const std::size_t at : shownColumns(run.layers.steps.size())) {
            const auto step = static_cast<double>(run.layers.steps[at]);
            if (std::isfinite(run.layers.churn[at])) c.points.push_back({step, run.layers.churn[at]});
            if (std::isfinite(run.layers.coverage[at])) v.points.push_back({step, run.layers.coverage[at]});
        }
        addThresholds(threshold, run, line);
        if (!m.points.empty()) moved.series.push_back(std::move(m));
        if (!c.points.empty()) churn.series.push_back(std::move(c));
        if (!v.points.empty()) coverage.series.push_back(std::move(v));
    }
    for (XyChart* chart : {&moved, &churn, &coverage, &threshold}) {
        chart->height = 150;
        if (!chart->series.empty()) lines.panels.emplace_back(std::move(*chart));
    }
    lines.columns = lines.panels.size() == 4 ? 2 : std::clamp<int>(static_cast<int>(lines.panels.size()), 1, 3);
    if (!lines.panels.empty()) section.blocks.emplace_back(std::move(lines));

    Table kinds{"kinds", "Moved share by kind of tensor at the first, the middle and the last measured step, in percent.", {{"kind"}}, {}, ""};
    std::set<std::string> names;
    for (const RunRecord& run : comparison.runs) {
        for (const auto& [kind, shares] : run.kinds) names.insert(kind);
        for (const std::int64_t step : run.kindSteps) kinds.columns.push_back({fmt::format("{} @{}", run.letter, step), true});
    }
    for (const std::string& kind : names) {
        std::vector<Cell> row = {{kind}};
        for (const RunRecord& run : comparison.runs) {
            const auto found = run.kinds.find(kind);
            for (std::size_t at = 0; at < run.kindSteps.size(); ++at) {
                const double share = found != run.kinds.end() && at < found->second.size() ? found->second[at] : kNothing;
                Cell cell{std::isfinite(share) ? decimals(100 * share, 2) : "\u2013"};
                cell.value = share;
                row.push_back(std::move(cell));
            }
        }
        kinds.rows.push_back(std::move(row));
    }
    section.blocks.emplace_back(Folded{"By kind of tensor", {std::move(kinds)}});
    return section;
}

Section driftSection(const Comparison& comparison) {
    Section section{"drift", "Distance from the pretrained weights", {}};
    Figure maps{"drift",
                "Relative L2 distance from the pretrained weights, per layer (rows) and step (columns), all runs on one logarithmic scale. Grey: not "
                "measured.",
                {},
                1,
                {},
                {}};
    XyChart whole{"", "step", "relative L2, whole model"};
    whole.height = 190;
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const RunRecord& run = comparison.runs[i];
        if (run.layers.steps.empty()) continue;
        maps.panels.emplace_back(mapOf(run, run.layers.drift));
        Series line{run.label(), run.letter, colourOf(i), dashOf(i)};
        for (std::size_t at = 0; at < run.layers.steps.size(); ++at) {
            if (run.layers.steps.size() > 2000 && at % (run.layers.steps.size() / 1000) != 0) continue;
            line.points.push_back({static_cast<double>(run.layers.steps[at]), run.layers.wholeDrift[at]});
        }
        whole.series.push_back(std::move(line));
    }
    if (maps.panels.empty()) {
        section.blocks.emplace_back(Paragraph{"", "No tensor statistics were measured."});
        return section;
    }
    const auto [low, high] = rangeOf(maps.panels, true);
    if (high > low) {
        maps.scale = MapScale{Ramp::Viridis, std::max(low, high * 1e-4), high, true, "relative L2 distance, logarithmic"};
    } else {
        maps.scale = MapScale{Ramp::Viridis, 0, std::isfinite(high) ? high : 1, false, "relative L2 distance"};
    }
    maps.columns = std::min<int>(3, static_cast<int>(maps.panels.size()));
    section.blocks.emplace_back(std::move(maps));

    Figure ratios{"drift-ratio", "", {}, 1, {}, {}};
    double most = 0;
    const RunRecord& baseline = comparison.runs[comparison.baseline];
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        if (i == comparison.baseline) continue;
        const LayerDifference difference = layerDifference(baseline.layers, comparison.runs[i].layers);
        if (difference.steps.empty()) continue;
        MapChart map{fmt::format("{} against {}", comparison.runs[i].letter, baseline.letter), "step", difference.rows, {}, {}};
        const std::vector<std::size_t> columns = shownColumns(difference.steps.size());
        for (const std::size_t column : columns) map.columns.push_back(static_cast<double>(difference.steps[column]));
        for (const auto& row : difference.driftLog2) {
            std::vector<double>& list = map.values.emplace_back();
            for (const std::size_t column : columns) {
                list.push_back(row[column]);
                if (std::isfinite(row[column])) most = std::max(most, std::abs(row[column]));
            }
        }
        ratios.panels.emplace_back(std::move(map));
    }
    if (!ratios.panels.empty()) {
        most = std::clamp(most, 0.25, 6.0);
        ratios.scale = MapScale{Ramp::BlueWhiteBrown, -most, most, false, "log2 of the ratio of distances"};
        ratios.columns = std::clamp<int>(static_cast<int>(ratios.panels.size()), 2, 3);
        ratios.caption = fmt::format(
            "How much farther (brown) or nearer (blue) each run stands than {} at the same step, per layer; white: the same distance; +1: twice as "
            "far.",
            baseline.label());
    }
    Figure line{"drift-lines", "Relative L2 distance of the whole model.", {}, 1, {}, legendOf(comparison)};
    line.panels.emplace_back(std::move(whole));
    section.blocks.emplace_back(std::move(line));
    if (Figure forgetting = driftAgainstForgetting(comparison); !forgetting.panels.empty()) section.blocks.emplace_back(std::move(forgetting));
    if (!ratios.panels.empty()) section.blocks.emplace_back(std::move(ratios));

    struct Moved {
        std::string name;
        double greatest = 0;
        std::vector<double> drift;
    };
    std::vector<Moved> tensors;
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const RunRecord& run = comparison.runs[i];
        for (std::size_t at = 0; at < run.tensorDrift.size(); ++at) {
            const std::string& name = run.parameters[at].name;
            const bool inOrder = at < tensors.size() && tensors[at].name == name;
            auto found = inOrder ? tensors.begin() + static_cast<std::ptrdiff_t>(at)
                                 : std::find_if(tensors.begin(), tensors.end(), [&](const Moved& one) { return one.name == name; });
            if (found == tensors.end()) {
                tensors.push_back({name, 0, std::vector<double>(comparison.runs.size(), kNothing)});
                found = tensors.end() - 1;
            }
            found->drift[i] = run.tensorDrift[at];
            if (std::isfinite(run.tensorDrift[at])) found->greatest = std::max(found->greatest, run.tensorDrift[at]);
        }
    }
    std::stable_sort(tensors.begin(), tensors.end(), [](const Moved& a, const Moved& b) { return a.greatest > b.greatest; });
    Table table{
        "most-moved", "The ten tensors that moved farthest in any run: relative L2 distance at the last measured step.", {{"tensor"}}, {}, ""};
    for (const RunRecord& run : comparison.runs) table.columns.push_back({run.label(), true});
    for (std::size_t i = 0; i < std::min<std::size_t>(10, tensors.size()); ++i) {
        std::vector<Cell> row = {{tensors[i].name}};
        for (const double drift : tensors[i].drift) {
            Cell cell{std::isfinite(drift) ? significant(drift, 3) : "\u2013"};
            cell.value = drift;
            row.push_back(std::move(cell));
        }
        table.rows.push_back(std::move(row));
    }
    section.blocks.emplace_back(std::move(table));
    return section;
}

Section landscapeSection(const std::vector<Landscape>& landscapes) {
    Section section{"landscape", "Loss along the line from the base", {}};
    Figure figure{"landscape",
                  "Loss of base + t (tuned \u2212 base): t = 0 is the base model, t = 1 the tuned one. A flat general loss around 0 to 1 means that "
                  "little was forgotten on the way.",
                  {},
                  1,
                  {},
                  {}};
    for (const Landscape& landscape : landscapes) {
        if (!landscape.result.is_object() || !landscape.result.contains("points") || !landscape.result["points"].is_array()) continue;
        XyChart chart{landscape.label, "t", "nats per token"};
        chart.height = 190;
        Series task{"task loss", "t", 0, 0, true, true}, general{"general loss", "g", 1, 1, true, true};
        for (const Json& point : landscape.result["points"]) {
            if (!point.is_object() || !point.contains("t") || !point["t"].is_number()) continue;
            const double t = point["t"].get<double>();
            const auto numberOf = [&](const char* key) {
                return point.contains(key) && point[key].is_number() ? point[key].get<double>() : kNothing;
            };
            if (point.contains("task_loss")) task.points.push_back({t, numberOf("task_loss")});
            if (point.contains("general_loss")) general.points.push_back({t, numberOf("general_loss")});
        }
        if (!task.points.empty()) chart.series.push_back(std::move(task));
        if (!general.points.empty()) chart.series.push_back(std::move(general));
        chart.marks = {{0, "base", -1}, {1, "tuned", -1}};
        if (!chart.series.empty()) figure.panels.emplace_back(std::move(chart));
    }
    if (figure.panels.empty()) return section;
    figure.legend = {{"task loss (t)", 0, 0}, {"general loss (g)", 1, 1}};
    figure.columns = figure.panels.size() > 1 ? 2 : 1;
    section.blocks.emplace_back(std::move(figure));
    return section;
}

Section changesSection(const Comparison& comparison) {
    Section section{"changes", "Live changes", {}};
    Table table{"changes",
                "What was changed while a run was on, from which step on, and by whom.",
                {{"run"}, {"step", true}, {"key"}, {"from"}, {"to"}, {"by"}},
                {},
                ""};
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        for (const LiveChange& change : comparison.runs[i].changes) {
            Cell step{formatCount(change.step)};
            step.value = static_cast<double>(change.step);
            table.rows.push_back({runCell(comparison, i), step, {change.key}, {change.oldValue}, {change.newValue}, {change.who}});
        }
    }
    if (table.rows.empty()) {
        section.blocks.emplace_back(Paragraph{"", "None: every run kept the settings that it was started with."});
    } else {
        section.blocks.emplace_back(std::move(table));
    }
    return section;
}

Section answersSection(const Comparison& comparison) {
    Section section{"answers", "Answers", {}};
    std::vector<std::string> prompts;
    for (const RunRecord& run : comparison.runs) {
        for (const Answer& answer : run.answers) {
            if (!answer.prompt.empty() && std::find(prompts.begin(), prompts.end(), answer.prompt) == prompts.end()) prompts.push_back(answer.prompt);
        }
    }
    constexpr std::size_t most = 8;
    for (std::size_t at = 0; at < std::min(prompts.size(), most); ++at) {
        Answers block{prompts[at], {}};
        for (const RunRecord& run : comparison.runs) {
            const auto base =
                std::find_if(run.answers.begin(), run.answers.end(), [&](const Answer& a) { return a.prompt == prompts[at] && a.step == 0; });
            if (base == run.answers.end()) continue;
            block.answers.push_back({"base", base->text, -1});
            break;
        }
        for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
            const Answer* last = nullptr;
            for (const Answer& answer : comparison.runs[i].answers) {
                if (answer.prompt == prompts[at] && answer.step > 0 && (last == nullptr || answer.step >= last->step)) last = &answer;
            }
            if (last != nullptr) block.answers.push_back({fmt::format("{} @{}", comparison.runs[i].label(), last->step), last->text, colourOf(i)});
        }
        if (!block.answers.empty()) section.blocks.emplace_back(std::move(block));
    }
    if (section.blocks.empty()) {
        section.blocks.emplace_back(Paragraph{"", "No prompt was answered while these runs were on, so there is nothing to show."});
        return section;
    }
    section.blocks.insert(section.blocks.begin(), Paragraph{"",
                                                            "The same prompts, answered by the base model where it was asked and by each run at its "
                                                            "last answer. Underlined: words that the first column does not have.",
                                                            true});
    if (prompts.size() > most) section.blocks.emplace_back(Paragraph{"", fmt::format("{} more prompts are not shown.", prompts.size() - most), true});
    return section;
}

Section configSection(const Comparison& comparison) {
    Section section{"configuration", "What differs in the configuration", {}};
    if (comparison.differing.empty()) {
        section.blocks.emplace_back(
            Paragraph{"", comparison.runs.size() > 1 ? "Nothing: the runs have the same configuration." : "There is one run alone."});
    } else {
        Table table{
            "differences-of-configuration", "Only the keys that differ. An arrow: changed while the run was on, from that step.", {{"key"}}, {}, ""};
        for (const RunRecord& run : comparison.runs) table.columns.push_back({run.label()});
        for (const DifferingKey& key : comparison.differing) {
            std::vector<Cell> row = {{key.key}};
            for (const std::string& value : key.values) row.push_back({value.empty() ? "\u2013" : value});
            table.rows.push_back(std::move(row));
        }
        section.blocks.emplace_back(std::move(table));
    }
    if (!comparison.unfair.empty()) {
        std::string text;
        for (const std::string& one : comparison.unfair) text += (text.empty() ? "" : " ") + one;
        section.blocks.emplace_back(Paragraph{"What makes the comparison unfair:", text});
    }
    for (const RunRecord& run : comparison.runs) {
        std::string lines;
        for (const KeyDescription& key : keyDescriptions()) lines += fmt::format("{} = {}\n", key.name, configValue(run.initial, key.name));
        if (!lines.empty()) lines.pop_back();
        section.blocks.emplace_back(Folded{"Full configuration of " + run.label(), {Code{std::move(lines)}}});
    }
    return section;
}

Section recipeSection(const Comparison& comparison) {
    Section section{"recipe", "The recipe to repeat it", {}};
    Table table{"provenance", "", {{""}}, {}, ""};
    table.longTexts = true;
    table.caption = "Where each run comes from. Same hashes: same bytes.";
    for (const RunRecord& run : comparison.runs) table.columns.push_back({run.label()});
    const auto addRow = [&](const std::string& title, auto valueOf) {
        std::vector<Cell> row = {{title}};
        bool any = false;
        for (const RunRecord& run : comparison.runs) {
            row.push_back({orDash(valueOf(run))});
            any = any || row.back().text != "\u2013";
        }
        if (any) table.rows.push_back(std::move(row));
    };
    addRow("run id", [](const RunRecord& run) { return run.row.id; });
    addRow("state", [](const RunRecord& run) { return std::string(runStateName(run.row.state)); });
    addRow("comes from", [](const RunRecord& run) {
        if (run.row.parentId.empty()) return std::string();
        return run.row.parentStep > 0 ? fmt::format("branch of {} at step {}", run.row.parentId, run.row.parentStep) : "twin of " + run.row.parentId;
    });
    addRow("model", [](const RunRecord& run) { return run.row.modelName; });
    addRow("model SHA-256", [](const RunRecord& run) { return run.modelSha256(); });
    addRow("tokenizer SHA-256", [](const RunRecord& run) { return run.model ? run.model->tokenizerSha256 : std::string(); });
    addRow("data SHA-256", [](const RunRecord& run) { return factText(run, "data", "sha256"); });
    addRow("rows trained on, of the file", [](const RunRecord& run) {
        const std::string rows = factText(run, "data", "rows"), all = factText(run, "data", "file_rows");
        return rows.empty() ? std::string() : rows + " of " + all;
    });
    addRow("rows held out", [](const RunRecord& run) { return factText(run, "data", "eval_rows"); });
    addRow("rows cut, refused, without a target", [](const RunRecord& run) {
        const std::string cut = factText(run, "data", "truncated");
        return cut.empty() ? std::string()
                           : fmt::format("{}, {}, {}", cut, orDash(factText(run, "data", "refused")), orDash(factText(run, "data", "zero_target")));
    });
    addRow("seed, order", [](const RunRecord& run) { return configValue(run.initial, "seed") + ", " + orDash(factText(run, "data", "order")); });
    addRow("device", [](const RunRecord& run) { return factText(run, "engine", "device"); });
    addRow("LibTorch, kernels", [](const RunRecord& run) {
        const std::string torch = factText(run, "engine", "libtorch");
        return torch.empty() ? std::string() : torch + ", " + orDash(factText(run, "engine", "kernels"));
    });
    addRow("build", [](const RunRecord& run) {
        const std::string version = factText(run, "build", "version"), commit = factText(run, "build", "commit");
        return version + (version.empty() || commit.empty() ? "" : ", ") + commit;
    });
    addRow("bit for bit", [](const RunRecord& run) {
        if (!run.row.notExact.empty()) return "no: " + run.row.notExact;
        const auto found = run.facts.find("not_bit_exact");
        return found == run.facts.end() || found->second.empty() ? std::string("nothing recorded against it") : "no: " + found->second.dump();
    });
    addRow("last checkpoint, manifest SHA-256", [](const RunRecord& run) {
        if (run.checkpoints.empty()) return std::string();
        const CheckpointRow& last = run.checkpoints.back();
        return fmt::format("{}{}: {}", last.folder, last.verified ? " (verified)" : "", last.manifestSha256);
    });
    section.blocks.emplace_back(std::move(table));
    for (const RunRecord& run : comparison.runs) {
        std::string lines;
        if (run.row.parentStep > 0)
            lines += "# goes on from step " + std::to_string(run.row.parentStep) + " of run " + run.row.parentId + "; as it was asked for:\n" +
                     run.row.commandLine + '\n' + "# from the start, without the parent's changes:\n";
        lines += trainCommandLine(run.initial, run.row.name) + '\n';
        for (const LiveChange& change : run.changes)
            lines += fmt::format("mofo set {} {} --at-step {}\n", quoted(run.row.name), quoted(change.key + '=' + change.newValue), change.step);
        if (!lines.empty()) lines.pop_back();
        section.blocks.emplace_back(Paragraph{run.label(), ""});
        section.blocks.emplace_back(Code{std::move(lines)});
    }
    return section;
}

Section limitsSection(const Comparison& comparison) {
    Section section{"limits", "Limits", {}};
    Bullets bullets;
    for (const std::string& limit : limitsOf(comparison)) bullets.items.push_back({"", limit});
    bullets.items.push_back(
        {"", "Intervals say how far the items that were measured speak for others of their kind, not for other tasks, models or data."});
    section.blocks.emplace_back(std::move(bullets));
    return section;
}

}  // namespace mofo::report
