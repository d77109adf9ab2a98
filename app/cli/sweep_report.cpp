#include "app/cli/sweep_report.h"

#include <fmt/format.h>

#include <cstdio>
#include <vector>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/report/html.h"
#include "core/report/report.h"

namespace mofo::cli {

namespace fs = std::filesystem;

Result<std::optional<fs::path>> writeDueReport(const Workspace& workspace, Registry& registry, const SweepStatus& status) {
    if (!status.compares() || status.report() || !status.hasEnded() || status.finished == 0) return std::optional<fs::path>();
    std::vector<RunRow> runs;
    for (const RunRow& run : status.runs) {
        if (run.summary.step > 0) runs.push_back(run);
    }
    report::ReportOptions what;
    what.title = status.sweep.name;
    what.date = formatLocalTime(wallNs()).substr(0, 16);
    what.program = "MoFO Workbench " MOFO_VERSION;
    what.baseline = runs.front().id;
    what.landscapes = report::storedLandscapes(workspace, registry, runs);
    MOFO_TRY(const report::Document document, report::buildReport(workspace, registry, runs, what));
    const fs::path folder = workspace.folder() / "reports", file = folder / (status.sweep.id + ".html");
    MOFO_CHECK(makeFolder(folder, true));
    MOFO_CHECK(report::writeReportFile(file, report::htmlOf(document)));
    Json noted = status.sweep.plan;
    noted["report"] = file.string();
    MOFO_CHECK(registry.setSweepPlan(status.sweep.id, noted));
    return std::optional(file);
}

void writeDueReports(const Workspace& workspace) {
    auto registry = Registry::open(workspace, Registry::Access::ReadWrite);
    const auto all = registry.ok() ? sweepStatuses(*registry) : Result<std::vector<SweepStatus>>(registry.error());
    if (!all.ok()) return;
    for (const SweepStatus& status : *all) {
        if (const auto written = writeDueReport(workspace, *registry, status); !written.ok())
            fmt::print(stderr, "the report of sweep {} could not be written: {}\n", status.sweep.id, written.error().text());
    }
}

}  // namespace mofo::cli
