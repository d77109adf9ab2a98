// Comparison reports: what several runs learned, what they forgot, where they moved, and how to repeat them. Reads through core/store alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/report/document.h"
#include "core/store/registry.h"

namespace mofo::report {

struct Landscape {
    std::string label;  ///< whose line: "B maths-a15"
    Json result;        ///< {"points":[{"t","task_loss","general_loss"}]}
};

struct ReportOptions {
    std::string title;  ///< empty: made from the runs' names
    std::string date;   ///< "2026-01-31 14:05"
    std::string program = "MoFO Workbench";
    std::string baseline;  ///< id of the run that others are compared with; empty: the one marked as baseline, else the first
    std::vector<Landscape> landscapes;
    std::optional<double> taskLoss;  ///< where forgetting is compared at equal learning; nothing: at the most that every run learned
};

/// One to 26 runs in the order given. Running, damaged and unmeasured ones are allowed and said; so are runs of different base models. Thread: any,
/// with a registry of its own.
Result<Document> buildReport(const Workspace& workspace, const Registry& registry, const std::vector<RunRow>& runs, const ReportOptions& options);

/// Results of `landscape` jobs that belong to these runs, newest of each.
[[nodiscard]] std::vector<Landscape> storedLandscapes(const Workspace& workspace, const Registry& registry, const std::vector<RunRow>& runs);

/// Written beside the target and renamed, so that there is the old file or the new one. Permission, NotFound, OutOfSpace or Io, naming the file.
Result<void> writeReportFile(const std::filesystem::path& file, std::string_view bytes);

}  // namespace mofo::report
