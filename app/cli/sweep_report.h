// The comparison report of a sweep that compares: written once all of its runs have ended, by whoever notices first.
#pragma once

#include <filesystem>
#include <optional>

#include "core/base/result.h"
#include "core/client/sweep.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo::cli {

/// reports/<id>.html of the workspace, and its path in the group's plan ("report"); nothing where none is due: the group does not compare, still has
/// runs to come, none of them finished, or the report is there.
Result<std::optional<std::filesystem::path>> writeDueReport(const Workspace& workspace, Registry& registry, const SweepStatus& status);
/// Of every group. One that fails is named in the log and tried again the next time.
void writeDueReports(const Workspace& workspace);

}  // namespace mofo::cli
