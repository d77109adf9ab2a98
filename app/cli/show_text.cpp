#include "app/cli/show_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/cli/terminal.h"
#include "core/base/clock.h"
#include "core/base/hub_path.h"
#include "core/base/text.h"
#include "core/client/device_choice.h"

namespace mofo::cli {

namespace {

constexpr std::size_t kNameColumns = 36;
constexpr std::size_t kSparkColumns = 60;
constexpr std::size_t kEventsShown = 12;

Style styleOf(RunState state) {
    switch (state) {
        case RunState::Finished: return Style::Good;
        case RunState::Failed:
        case RunState::Lost: return Style::Bad;
        case RunState::Starting:
        case RunState::Running:
        case RunState::Stopping: return Style::Bold;
        case RunState::Paused:
        case RunState::Stopped: return Style::Warn;
        case RunState::Draft:
        case RunState::Queued: return Style::Plain;
    }
    return Style::Plain;
}

std::string lossText(const RunSummary& summary) {
    if (summary.lossState != "finite") return summary.lossState;
    return summary.loss ? fmt::format("{:.4f}", *summary.loss) : "-";
}

std::string progressText(const RunSummary& summary) {
    return summary.totalSteps > 0 ? fmt::format("{}/{}", summary.step, summary.totalSteps) : std::to_string(summary.step);
}

std::string factText(const std::string& key, const std::string& value) { return styled(fmt::format("{:<12}", key), Style::Dim) + value + '\n'; }

std::string lossLines(const RunDetail& detail) {
    if (detail.steps.empty()) return factText("loss", "no step yet");
    std::vector<double> losses;
    for (const StepRow& step : detail.steps) losses.push_back(step.lossState == "finite" ? step.loss : NAN);
    const auto shown = [](const StepRow& step) { return step.lossState == "finite" ? fmt::format("{:.4f}", step.loss) : step.lossState; };
    std::string text = factText("loss", sparkline(losses, kSparkColumns));
    const StepRow& last = detail.steps.back();
    text +=
        factText("", fmt::format("{} at step {} -> {} at step {}", shown(detail.steps.front()), detail.steps.front().step, shown(last), last.step));
    text += factText("speed",
                     fmt::format("{:.0f} trained tokens/s, {:.0f} ms per step (forward and backward {:.0f}, optimizer {:.0f}, statistics {:.0f})",
                                 last.tokensPerSecond, last.stepMs, last.forwardBackwardMs, last.optimizerMs, last.statisticsMs));
    std::vector<const EvalRow*> evals;
    for (const EvalRow& eval : detail.evals) {
        if (eval.task == "eval") evals.push_back(&eval);
    }
    if (!evals.empty()) {
        std::string line = fmt::format("{:.4f} at step {}", evals.front()->loss, evals.front()->step);
        if (evals.size() > 1)
            line += fmt::format(" -> {:.4f} at step {} ({} rows)", evals.back()->loss, evals.back()->step, evals.back()->rowLoss.size());
        text += factText("held-out", line);
    }
    return text;
}

/// Each measure of each probe, before the first step and last.
std::string probeLines(const RunDetail& detail) {
    std::vector<std::pair<const ProbeRow*, const ProbeRow*>> measures;
    for (const ProbeRow& probe : detail.probes) {
        const auto known = std::find_if(measures.begin(), measures.end(),
                                        [&](const auto& one) { return one.first->probe == probe.probe && one.first->measure == probe.measure; });
        if (known == measures.end()) {
            measures.emplace_back(&probe, &probe);
        } else {
            known->second = &probe;
        }
    }
    if (measures.empty()) return {};
    std::vector<std::vector<std::string>> rows = {{"PROBE", "MEASURE", "START", "NOW", "STEP", "ITEMS"}};
    for (const auto& [first, last] : measures) {
        rows.push_back({escapeForDisplay(last->probe), escapeForDisplay(last->measure), first->step == 0 ? fmt::format("{:.4f}", first->value) : "-",
                        fmt::format("{:.4f}", last->value), std::to_string(last->step), formatCount(last->items)});
    }
    return "\n" + tableText(rows, {2, 3, 4, 5});
}

std::string layerTable(const RunDetail& detail) {
    if (!detail.tensors || detail.parameters.empty()) return factText("layers", "measured at step 1 for the first time");
    const std::vector<LayerDigest> digests = layerDigests(detail.parameters, *detail.tensors);
    double mostDrift = 0;
    for (const LayerDigest& digest : digests) mostDrift = std::max(mostDrift, digest.drift);
    std::vector<std::vector<std::string>> rows = {{"LAYER", "PARAMETERS", "SELECTED", "DRIFT", ""}};
    for (const LayerDigest& digest : digests) {
        const auto width = mostDrift > 0 ? static_cast<std::size_t>(std::lround(20 * digest.drift / mostDrift)) : 0;
        rows.push_back({digest.name, formatCount(digest.size), fmt::format("{:.2f} %", 100 * digest.selectedShare),
                        fmt::format("{:.3e}", digest.drift), std::string(width, '#')});
    }
    return fmt::format("\nStep {}: share of the coordinates that moved, and drift from the pretrained weights (relative L2)\n",
                       detail.tensors->step) +
           tableText(rows, {1, 2, 3});
}

std::string eventLines(const RunDetail& detail) {
    std::vector<const EventRow*> events;
    for (const EventRow& event : detail.events) {
        if (event.kind != "state" && event.kind != "end") events.push_back(&event);
    }
    if (events.empty()) return {};
    std::string text = "\n";
    const std::size_t first = events.size() > kEventsShown ? events.size() - kEventsShown : 0;
    if (first > 0) text += fmt::format("({} earlier events: mofo show {} --json)\n", first, detail.run.id);
    for (std::size_t i = first; i < events.size(); ++i) {
        const EventRow& event = *events[i];
        std::string what = event.text;
        if (what.empty()) what = event.key.empty() ? event.kind : fmt::format("{} {} -> {}", event.key, event.oldValue, event.newValue);
        text += fmt::format("{:>8}  {:<10}  {}\n", event.step, event.kind, escapeForDisplay(what));
    }
    return text;
}

std::string checkpointLines(const RunDetail& detail) {
    if (detail.checkpoints.empty()) return {};
    std::vector<std::string> steps;
    for (const CheckpointRow& row : detail.checkpoints) {
        steps.push_back(fmt::format("{} ({}", row.step, formatBytes(static_cast<std::uint64_t>(row.sizeBytes))) + (row.verified ? ", verified" : "") +
                        (row.kind == "full" ? "" : ", weights only") +
                        (std::find(detail.pinnedSteps.begin(), detail.pinnedSteps.end(), row.step) != detail.pinnedSteps.end() ? ", pinned" : "") +
                        ")");
    }
    return factText("checkpoints", joinText(steps, ", "));
}

std::string damagedLines(const RunDetail& detail) {
    std::string text;
    for (const CheckpointRow& row : detail.damaged)
        text += factText(text.empty() ? "damaged" : "", fmt::format("step {}: {}", row.step, escapeForDisplay(row.reason)));
    return text;
}

std::string nextCommands(const RunDetail& detail) {
    const RunRow& run = detail.run;
    std::vector<std::string> lines;
    switch (run.state) {
        case RunState::Queued:
        case RunState::Starting:
        case RunState::Running:
        case RunState::Stopping: lines = {"mofo follow " + run.id, "mofo set " + run.id + " alpha=0.05", "mofo stop " + run.id}; break;
        case RunState::Paused: lines = {"mofo resume " + run.id, "mofo set " + run.id + " alpha=0.05", "mofo stop " + run.id}; break;
        case RunState::Failed:
        case RunState::Lost: lines = {"mofo resume " + run.id, "mofo log " + run.id}; break;
        case RunState::Stopped: lines = {"mofo resume " + run.id, "mofo chat " + run.id, "mofo export " + run.id + " DIR --format hf"}; break;
        case RunState::Finished:
            lines = {"mofo chat " + run.id, "mofo export " + run.id + " DIR --format hf", "mofo show " + run.id + " --json"};
            break;
        case RunState::Draft: break;
    }
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) text += factText(i == 0 ? "next" : "", lines[i]);
    return text.empty() ? text : "\n" + text;
}

// "mofo by gradient, alpha 0.15, granularity tensor, l2 0.01, lr 2e-05 constant, batch 16"
std::string methodText(const RunConfig& config) {
    std::string text = configValue(config, "optimizer");
    if (config.rule != SelectionRule::Momentum) text += " by " + configValue(config, "rule");
    if (selectsCoordinates(config.optimizer))
        text += ", alpha " + configValue(config, "alpha") + ", granularity " + configValue(config, "granularity");
    for (const char* key : {"hft_every", "l1", "l2"}) {
        if (configValue(config, key) != "0") text += std::string(", ") + key + ' ' + configValue(config, key);
    }
    return text + ", lr " + configValue(config, "lr") + ' ' + configValue(config, "schedule") + ", batch " + configValue(config, "batch");
}

}  // namespace

std::string remedyLines(const std::vector<RunRow>& runs) {
    std::string text;
    for (const RunRow& run : runs) {
        if (run.state == RunState::Lost)
            text += fmt::format("{} was lost; go on from its last checkpoint: mofo resume {}\n", escapeForDisplay(run.name), run.id);
    }
    return text;
}

std::string agoText(std::int64_t when) {
    const double seconds = static_cast<double>(wallNs() - when) * 1e-9;
    if (when <= 0) return "-";
    if (seconds < 1) return "now";
    if (seconds > 7 * 86400) return formatLocalTime(when).substr(0, 10);
    if (seconds > 86400) return fmt::format("{:.0f} d ago", std::floor(seconds / 86400));
    if (seconds > 3600) return fmt::format("{:.0f} h ago", std::floor(seconds / 3600));
    if (seconds > 60) return fmt::format("{:.0f} min ago", std::floor(seconds / 60));
    return fmt::format("{:.0f} s ago", std::floor(seconds));
}

std::string runTable(const std::vector<RunRow>& runs, const std::vector<std::string>& stalled) {
    std::vector<std::vector<std::string>> rows = {{"NAME", "ID", "STATE", "STEP", "LOSS", "HELD-OUT", "DRIFT", "TOK/S", "DEVICE", "MADE"}};
    for (const RunRow& run : runs) {
        const RunSummary& summary = run.summary;
        const bool live = run.state == RunState::Running;
        const bool silent = std::find(stalled.begin(), stalled.end(), run.id) != stalled.end();
        const std::string state = silent ? styled("stalled", Style::Bad) : styled(runStateName(run.state), styleOf(run.state));
        const std::string mark = std::string(run.baseline ? " (baseline)" : "") + (run.notExact.empty() ? "" : " (not bit-exact)");
        rows.push_back({clipText(escapeForDisplay(run.name), kNameColumns) + mark, run.id, state, progressText(summary), lossText(summary),
                        summary.evalLoss ? fmt::format("{:.4f}", *summary.evalLoss) : "-",
                        summary.drift ? fmt::format("{:.2e}", *summary.drift) : "-", live ? fmt::format("{:.0f}", summary.tokensPerSecond) : "-",
                        deviceText(run.device), agoText(run.createdNs)});
    }
    return tableText(rows, {3, 4, 5, 6, 7});
}

std::string runText(const RunDetail& detail) {
    const RunRow& run = detail.run;
    const bool silent = detail.queue && detail.queue->stalledSeconds;
    const std::string state =
        silent ? styled("stalled", Style::Bad) + fmt::format(" ({})", runStateName(run.state)) : styled(runStateName(run.state), styleOf(run.state));
    std::string text = styled(escapeForDisplay(run.name), Style::Bold) + "  " + run.id + "  " + state + "  step " + progressText(run.summary) +
                       (run.baseline ? "  (baseline)" : "") + (run.trashedNs ? "  (in the trash)" : "") + '\n';
    if (silent) {
        text +=
            factText("stalled",
                     fmt::format("the engine has given no sign for {}; nobody ends it by itself{}", formatDuration(*detail.queue->stalledSeconds),
                                 detail.enginePid ? fmt::format(" (if it hangs: kill -9 {}, then mofo resume {})", *detail.enginePid, run.id) : ""));
    }
    if (detail.queue && !detail.queue->waitsFor.empty())
        text += factText("waits", fmt::format("place {} in the queue: {}", detail.queue->position, detail.queue->waitsFor));
    if (!run.notExact.empty()) text += factText("exactness", "not bit-exact: " + escapeForDisplay(run.notExact));
    if (!run.parentId.empty()) {
        const std::string parent = detail.parentName.empty() ? run.parentId : escapeForDisplay(detail.parentName) + " (" + run.parentId + ")";
        text += factText("parent", run.parentStep > 0 ? fmt::format("{}, after its step {}", parent, run.parentStep)
                                                      : parent + ", from the same pretrained weights");
    }
    if (!run.unreadable.empty()) text += factText("unreadable", escapeForDisplay(run.unreadable));
    if (!run.endReason.empty()) text += factText("reason", escapeForDisplay(run.endReason));
    if (!run.deviceWarning.empty()) text += factText("warning", escapeForDisplay(run.deviceWarning));
    text += factText("model", escapeForDisplay(run.modelName) + " (" + run.modelId + ")" +
                                  (detail.modelSource.starts_with("hf:") ? ", " + escapeForDisplay(detail.modelSource) : ""));
    text += factText("data", escapeForDisplay(hubNameOrPath(run.config.data)));
    if (!run.config.evalData.empty()) text += factText("held out", escapeForDisplay(hubNameOrPath(run.config.evalData)));
    text += factText("method", methodText(run.config));
    text += factText("device", deviceText(run.device) + (detail.enginePid ? fmt::format(", engine {}", *detail.enginePid) : ""));
    text += factText("made",
                     formatLocalTime(run.createdNs) +
                         (run.startedNs && run.endedNs ? ", took " + formatDuration(static_cast<double>(*run.endedNs - *run.startedNs) * 1e-9) : ""));
    if (!run.tags.empty()) text += factText("tags", escapeForDisplay(joinText(run.tags, ", ")));
    if (!run.note.empty()) text += factText("note", escapeForDisplay(run.note));
    text += lossLines(detail);
    text += checkpointLines(detail);
    text += damagedLines(detail);
    for (const CommandRow& command : detail.pending) {
        text += factText("waiting",
                         fmt::format("{} {}{}", command.kind, escapeForDisplay(command.payload.dump(-1, ' ', false, Json::error_handler_t::replace)),
                                     command.atStep ? fmt::format(" at step {}", *command.atStep) : ""));
    }
    text += probeLines(detail) + layerTable(detail);
    text += eventLines(detail);
    text += nextCommands(detail);
    return text;
}

}  // namespace mofo::cli
