#include "app/cli/attend.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "app/cli/follow_view.h"
#include "core/base/text.h"
#include "core/client/run_json.h"
#include "core/client/supervisor.h"
#include "core/store/run_metrics.h"

namespace mofo::cli {

void printRun(const RunRow& run, bool json) {
    if (json) {
        printJson(runJson(run));
    } else {
        fmt::print("{}\n", run.id);
    }
    std::fflush(stdout);
}

Result<int> exitCodeOf(const Store& store, const std::string& id) {
    MOFO_TRY(const RunRow run, store.registry.findRun(id));
    return run.state == RunState::Finished || run.state == RunState::Stopped ? 0 : 1;
}

Result<int> superviseForeground(Store& store, const RunRow& run, FileLock lock, RunFollower& follower) {
    watchInterrupts();
    FollowView view(false);
    std::optional<FollowUpdate> last;
    bool told = false;
    SupervisorOptions options;
    options.device = run.device;
    options.foregroundRun = run.id;
    options.interrupts = interruptCount;
    options.tick = [&] {
        if (auto update = follower.poll(); update.ok()) {
            view.show(*update, follower.parameterCount());
            last = std::move(update).value();
        }
        if (interrupted() && !told) {
            printNote("\nstopping after this step and saving; once more stops at once, without saving");
            told = true;
        }
    };
    MOFO_CHECK(supervise(store.workspace, options, std::move(lock)));
    auto update = follower.poll();
    if (!update.ok() && !last) return std::move(update).error();
    if (update.ok()) last = std::move(update).value();
    view.show(*last, follower.parameterCount());
    view.finish(*last);
    return view.wasRefused() ? Result<int>(1) : exitCodeOf(store, run.id);
}

Result<int> attendRun(Store& store, const RunRow& run, const AttendOptions& options, std::optional<FileLock> lock) {
    printRun(run, options.json);
    if (options.foreground && lock) {
        MOFO_TRY(RunFollower follower, RunFollower::open(store.workspace, run.id, true));
        return superviseForeground(store, run, std::move(*lock), follower);
    }
    if (options.detach) return 0;
    return followRun(store.workspace, run.id, true, false);
}

void addAttendOptions(CLI::App& command, AttendOptions& options) {
    CLI::Option* foreground =
        command.add_flag("--foreground", options.foreground, "Supervise the run here: it ends with this process, Ctrl-C stops and saves it");
    command.add_flag("--detach", options.detach, "Return once the run is queued or its engine is up")->excludes(foreground);
    command.add_flag("--json", options.json, "Print the run as JSON instead of its id");
}

std::string waitsFor(const Store& store, const RunRow& run) {
    const auto reader = MetricsReader::open(store.workspace.metricsFile(run.id));
    const auto status = reader.ok() ? reader->status() : Result<std::optional<StatusRow>>(std::nullopt);
    if (!status.ok() || !*status || (*status)->phase != "paused" || (*status)->detail.starts_with("paused before step")) return {};
    return escapeForDisplay((*status)->detail);
}

}  // namespace mofo::cli
