#include "core/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/report/sections.h"
#include "core/report/verdict.h"

namespace mofo::report {

namespace fs = std::filesystem;

namespace {

Json numberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json differenceJson(const Difference& difference, const MeasuredSeries& series, Finding finding) {
    static constexpr const char* names[] = {"better", "worse", "not shown", "no interval"};
    Json json = {{"measure", series.key()},
                 {"unit", series.unitText()},
                 {"from", numberOrNull(difference.paired.a)},
                 {"to", numberOrNull(difference.paired.b)},
                 {"difference", difference.known ? numberOrNull(difference.paired.difference) : Json(nullptr)},
                 {"low", numberOrNull(difference.paired.interval.low)},
                 {"high", numberOrNull(difference.paired.interval.high)},
                 {"n", difference.paired.interval.n},
                 {"test", std::string(difference.paired.test)},
                 {"interval", std::string(difference.paired.interval.method)},
                 {"p", numberOrNull(difference.paired.p)},
                 {"finding", names[static_cast<int>(finding)]}};
    if (difference.paired.counts.items() > 0) json["only_a"] = difference.paired.counts.onlyA, json["only_b"] = difference.paired.counts.onlyB;
    if (!difference.why.empty()) json["no_interval_because"] = difference.why;
    return json;
}

Json amountJson(const Amount& amount) {
    return {{"value", numberOrNull(amount.value)}, {"low", numberOrNull(amount.low)}, {"high", numberOrNull(amount.high)}, {"n", amount.n}};
}

}  // namespace

Json resultsOf(const Comparison& comparison) {
    Json runs = Json::array(), changes = Json::array(), differences = Json::array(), views = Json::array(), verdict = Json::array();
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        const RunRecord& run = comparison.runs[i];
        runs.push_back({{"letter", run.letter},
                        {"id", run.row.id},
                        {"name", run.row.name},
                        {"state", std::string(runStateName(run.row.state))},
                        {"baseline", i == comparison.baseline},
                        {"steps", run.lastStep()},
                        {"drift", numberOrNull(run.finalDrift())},
                        {"seconds", run.trainSeconds},
                        {"trained_tokens", run.trainedTokens},
                        {"peak_memory_bytes", run.peakMemoryBytes},
                        {"model_sha256", run.modelSha256()},
                        {"problems", run.problems}});
    }
    for (const ChangeFromBase& change : comparison.changes) {
        Json json = differenceJson(change.difference, *comparison.runs[change.run].find(change.key), change.finding);
        json["run"] = comparison.runs[change.run].letter;
        json["step"] = change.step;
        changes.push_back(std::move(json));
    }
    for (const RunDifference& one : comparison.differences) {
        Json json = differenceJson(one.difference, *comparison.runs[one.run].find(one.key), one.finding);
        json["a"] = comparison.runs[comparison.baseline].letter;
        json["b"] = comparison.runs[one.run].letter;
        json["steps"] = {one.baselineStep, one.step};
        json["p_holm"] = numberOrNull(one.adjustedP);
        differences.push_back(std::move(json));
    }
    for (const TradeoffView& view : comparison.views) {
        Json points = Json::array(), unplaced = Json::array();
        for (const PlacedPoint& point : view.points) {
            points.push_back({{"run", comparison.runs[point.run].letter},
                              {"step", point.step},
                              {"learning", amountJson(point.learning)},
                              {"forgetting", amountJson(point.forgetting)},
                              {"not_dominated", point.inSet}});
        }
        for (const auto& [run, why] : view.unplaced) unplaced.push_back({{"run", comparison.runs[run].letter}, {"why", why}});
        views.push_back(
            {{"learning", quantityTitle(view.learning)}, {"forgetting", quantityTitle(view.forgetting)}, {"points", points}, {"unplaced", unplaced}});
    }
    Json equal;
    if (comparison.equal) {
        Json places = Json::array(), between = Json::array();
        for (const EqualPlace& place : comparison.equal->places) {
            Json one = {{"run", comparison.runs[place.run].letter}, {"measure", place.key}, {"lowest_task_loss", numberOrNull(place.lowest)}};
            one["step"] = place.reached() ? Json(place.step) : Json();
            one["value"] = place.reached() ? numberOrNull(place.there.value) : Json();
            if (!place.reached()) one["not_placed_because"] = place.why;
            places.push_back(std::move(one));
        }
        for (const EqualDifference& one : comparison.equal->differences) {
            Json json = differenceJson(one.difference, *comparison.runs[one.run].find(one.key), one.finding);
            json["a"] = comparison.runs[comparison.baseline].letter;
            json["b"] = comparison.runs[one.run].letter;
            between.push_back(std::move(json));
        }
        equal = {{"task_measure", comparison.equal->taskKey}, {"task_loss", comparison.equal->target}, {"places", places}, {"between_runs", between}};
    }
    for (const Paragraph& line : verdictOf(comparison)) verdict.push_back(line.lead + ' ' + line.text);
    return {{"runs", runs},       {"from_base", changes},        {"between_runs", differences},
            {"tradeoffs", views}, {"at_equal_task_loss", equal}, {"verdict", verdict}};
}

Result<Document> buildReport(const Workspace& workspace, const Registry& registry, const std::vector<RunRow>& runs, const ReportOptions& options) {
    MOFO_TRY(std::vector<RunRecord> records, readRuns(workspace, registry, runs));
    std::size_t baseline = 0;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (options.baseline.empty() ? runs[i].baseline : runs[i].id == options.baseline) baseline = i;
    }
    const Comparison comparison = compareRuns(std::move(records), baseline, options.taskLoss);

    Document document;
    std::string names;
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
        names += (i == 0 ? "" : i + 1 == comparison.runs.size() ? " and " : ", ") + comparison.runs[i].row.name;
    }
    document.title = !options.title.empty()       ? options.title
                     : comparison.runs.size() > 1 ? "What " + names + " learned, and what they forgot"
                                                  : "What " + names + " learned, and what it forgot";
    std::string model;
    for (const RunRecord& run : comparison.runs) {
        if (!run.row.modelName.empty() && model.find(run.row.modelName) == std::string::npos)
            model += (model.empty() ? "" : ", ") + run.row.modelName;
    }
    document.subtitle = fmt::format("{} {} of {}{}", comparison.runs.size(), comparison.runs.size() == 1 ? "run" : "runs",
                                    model.empty() ? "an unnamed model" : model, comparison.sameBase ? "" : ": different base models");
    document.date = options.date;
    document.program = options.program;
    document.runs = legendOf(comparison);
    for (Section section : {verdictSection(comparison), tradeoffSection(comparison), equalLearningSection(comparison), runsSection(comparison),
                            learningSection(comparison), forgettingSection(comparison), selectionSection(comparison), driftSection(comparison),
                            landscapeSection(options.landscapes), changesSection(comparison), answersSection(comparison), configSection(comparison),
                            recipeSection(comparison), limitsSection(comparison)}) {
        if (!section.blocks.empty()) document.sections.push_back(std::move(section));
    }
    document.results = resultsOf(comparison);
    return document;
}

std::vector<Landscape> storedLandscapes(const Workspace& workspace, const Registry& registry, const std::vector<RunRow>& runs) {
    std::vector<Landscape> landscapes;
    const auto jobs = registry.jobs();
    if (!jobs.ok()) return landscapes;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        for (const JobRow& job : *jobs) {  // newest first
            if (job.kind != "landscape" || job.runId != runs[i].id || job.state != JobState::Finished) continue;
            const auto text = readWholeFile(workspace.jobFolder(job.id) / "result.json", 16 << 20);
            if (!text.ok()) continue;
            if (auto result = parseJson(*text); result.ok()) {
                landscapes.push_back({std::string(1, static_cast<char>('A' + i)) + ' ' + runs[i].name, std::move(*result)});
                break;
            }
        }
    }
    return landscapes;
}

Result<void> writeReportFile(const fs::path& file, std::string_view bytes) {
    std::error_code failed;
    const fs::path target = fs::is_symlink(file, failed) ? fs::weakly_canonical(file, failed) : fs::absolute(file, failed);
    const fs::file_status status = fs::status(target, failed);
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        return Error{ErrorCode::InvalidInput, fs::is_directory(status) ? "it is a folder, not a file" : "it is not a regular file",
                     escapeForDisplay(file.string()),
                     "Name a file to write, for instance " +
                         escapeForDisplay((fs::is_directory(status) ? file / "report.html" : fs::path("report.html")).string())};
    }
    if (!fs::is_directory(target.parent_path(), failed)) {
        return Error{ErrorCode::NotFound, "the folder " + escapeForDisplay(target.parent_path().string()) + " is not there",
                     escapeForDisplay(file.string()), "Make it first, or write elsewhere"};
    }
    return writeFileAtomic(target, bytes, 0644);
}

}  // namespace mofo::report
