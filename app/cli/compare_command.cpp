// mofo compare: a report of several runs.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/context.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/report/html.h"
#include "core/report/report.h"
#include "core/report/tables_out.h"

namespace mofo::cli {

namespace {

struct CompareOptions {
    std::vector<std::string> runs;
    std::string html, csv, jsonFile, title, baseline;
    std::optional<double> atLoss;
    bool json = false;
};

Result<int> compare(const Context& context, const CompareOptions& options) {
    if (options.html.empty() && options.csv.empty() && options.jsonFile.empty() && !options.json) {
        return Error{ErrorCode::Usage, "nothing says where the report should go", "", "Add --html report.html (or --csv F, --json-file F, --json)"};
    }
    MOFO_TRY(const Store store, openStore(context, Registry::Access::ReadOnly));
    std::vector<RunRow> runs;
    for (const std::string& text : options.runs) {
        MOFO_TRY(RunRow run, store.registry.findRun(text));
        if (std::any_of(runs.begin(), runs.end(), [&](const RunRow& other) { return other.id == run.id; })) {
            return Error{ErrorCode::Usage, "run \"" + escapeForDisplay(run.name) + "\" is named twice", run.id, "Name each run once"};
        }
        runs.push_back(std::move(run));
    }
    report::ReportOptions what;
    what.title = options.title;
    what.date = formatLocalTime(wallNs()).substr(0, 16);
    what.program = "MoFO Workbench " MOFO_VERSION;
    what.taskLoss = options.atLoss;
    what.landscapes = report::storedLandscapes(store.workspace, store.registry, runs);
    if (!options.baseline.empty()) {
        MOFO_TRY(const RunRow baseline, store.registry.findRun(options.baseline));
        if (std::none_of(runs.begin(), runs.end(), [&](const RunRow& run) { return run.id == baseline.id; })) {
            return Error{ErrorCode::Usage, "the baseline \"" + escapeForDisplay(baseline.name) + "\" is not one of the runs that are compared",
                         "--baseline", "Add it to the runs, or choose one of them"};
        }
        what.baseline = baseline.id;
    }
    MOFO_TRY(const report::Document document, report::buildReport(store.workspace, store.registry, runs, what));
    const auto write = [&](const std::string& file, const std::string& bytes) -> Result<void> {
        MOFO_CHECK(report::writeReportFile(file, bytes));
        printNote(fmt::format("wrote {} ({})", escapeForDisplay(file), formatBytes(bytes.size())));
        return {};
    };
    if (!options.html.empty()) MOFO_CHECK(write(options.html, report::htmlOf(document)));
    if (!options.csv.empty()) MOFO_CHECK(write(options.csv, report::csvOf(document)));
    if (!options.jsonFile.empty()) MOFO_CHECK(write(options.jsonFile, report::jsonOf(document)));
    if (options.json) printJson(document.results);
    return 0;
}

}  // namespace

void addCompareCommand(CLI::App& app, Context& context) {
    const auto options = std::make_shared<CompareOptions>();
    CLI::App* command = addCommand(app, "compare", "Write a report of what runs learned, what they forgot, where they moved, and how to repeat them",
                                   "  mofo compare maths-adamw maths-a15 --html report.html\n"
                                   "  mofo compare maths-a15 --html report.html --csv report.csv --json-file report.json");
    command->add_option("RUN", options->runs, "Runs: id, unique id prefix or unique name; one or more")->required()->type_name("RUN");
    command->add_option("--html", options->html, "One self-contained file to read or print")->type_name("F");
    command->add_option("--csv", options->csv, "All numbers of its tables and figures, one a line")->type_name("F");
    command->add_option("--json-file", options->jsonFile, "The same with the results, for programs")->type_name("F");
    command->add_flag("--json", options->json,
                      "The results alone on stdout: runs, changes from the base, differences between runs, trade-offs, verdict");
    command->add_option("--title", options->title, "Title of the report")->type_name("TEXT");
    command
        ->add_option("--baseline", options->baseline,
                     "Run that the others are compared with (default: the one marked by `mofo baseline`, else the first)")
        ->type_name("RUN");
    command
        ->add_option("--at-loss", options->atLoss,
                     "Held-out task loss at which forgetting is compared at equal learning (default: the most all learned)")
        ->type_name("NATS")
        ->check(CLI::PositiveNumber);
    command->callback([&context, options] { context.action = [&context, options] { return compare(context, *options); }; });
}

}  // namespace mofo::cli
