#include "app/cli/shown_job.h"

#include <fmt/format.h>

#include "app/cli/terminal.h"
#include "core/client/jobs.h"

namespace mofo::cli {

Result<Json> runShown(Store& store, std::string_view title, std::string_view kind, const Json& parameters, std::string_view device,
                      std::string_view runId) {
    watchInterrupts();
    ProgressLine line;
    auto result = runJob(store.workspace, store.registry, kind, parameters, device, runId, [&](std::string_view phase, double share) {
        line.show(fmt::format("{}  {} {:3.0f} % {}", title, barText(share, 24), share * 100, phase));
        return !interrupted();
    });
    line.clear();
    return result;
}

}  // namespace mofo::cli
