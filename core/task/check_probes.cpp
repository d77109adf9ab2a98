// Whether the probes of a configuration can be measured, before a run exists.
#include <algorithm>

#include "core/base/text.h"
#include "core/task/task_items.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

bool hasAccuracy(Scorer scorer) { return scorer == Scorer::MultipleChoice || scorer == Scorer::ShortAnswer; }

}  // namespace

Result<void> checkProbeGuards(const RunConfig& config) {
    const bool points = config.guardForget > 0, nats = config.guardForgetNats > 0;
    if (!points && !nats) return {};
    MOFO_TRY(const std::vector<ProbeName> probes, parseProbes(config.probes));
    bool anyPoints = false, anyNats = false;
    for (const ProbeName& probe : probes) {
        const auto task = findTask(probe.task);
        if (!task.ok() || task->mark != TaskMark::General) continue;
        (hasAccuracy(task->scorer) ? anyPoints : anyNats) = true;
    }
    if (points && !anyPoints) {
        return Error{ErrorCode::Usage, "guard_forget needs a probe that is marked general and has an accuracy, and there is none",
                     "guard_forget=" + formatShortest(config.guardForget), "Add one to probes, such as piqa:200, or use guard_forget_nats", "VALUE"};
    }
    if (nats && !anyNats) {
        return Error{ErrorCode::Usage, "guard_forget_nats needs a probe that is marked general and has a loss or a KL, and there is none",
                     "guard_forget_nats=" + formatShortest(config.guardForgetNats), "Add kl or text to probes", "VALUE"};
    }
    return {};
}

Result<std::string> checkProbes(const RunConfig& config, const std::vector<fs::path>& folders) {
    auto parsed = parseProbes(config.probes);
    if (!parsed.ok()) return std::move(parsed).error().in("probes");
    for (ProbeName& probe : *parsed) {
        auto task = findTask(probe.task);
        if (!task.ok()) return std::move(task).error().in("probes");
        if (findBuiltInTask(probe.task) == nullptr) {
            std::error_code ec;
            probe.task = fs::absolute(probe.task, ec).lexically_normal().string();
        }
        if (task->data.empty()) continue;
        auto data = locateTaskData(*task, folders);
        if (!data.ok()) return std::move(data).error().in("probes");
        const auto items = readTaskItems(*task, *data, probe.limit > 0 ? probe.limit : task->probeLimit);
        if (!items.ok()) return Error(items.error()).in("probes");
    }
    MOFO_CHECK(checkProbeGuards(config));
    return probesText(*parsed);
}

}  // namespace mofo
