#include "core/client/run_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "core/base/hub_path.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/client/device_choice.h"
#include "core/client/engine_process.h"

namespace mofo {

namespace {

constexpr std::array<const char*, 8> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

Json optionalNs(const std::optional<std::int64_t>& ns) { return ns ? Json(*ns) : Json(nullptr); }
Json optionalNumber(const std::optional<double>& value) { return value ? jsonNumber(*value) : Json(nullptr); }

Json lossJson(double loss, const std::string& state) { return state == "finite" ? jsonNumber(loss) : Json(state); }

template <class Row>
void dropSuperseded(std::vector<Row>& rows) {
    std::erase_if(rows, [](const Row& row) { return row.superseded; });
}

Json tensorsJson(const RunDetail& detail) {
    Json tensors = Json::object();
    if (!detail.tensors) return tensors;
    const TensorRow& row = *detail.tensors;
    for (std::size_t i = 0; i < detail.parameters.size() && i < row.driftL2.size(); ++i) {
        const ParameterRow& parameter = detail.parameters[i];
        tensors[parameter.name] = {{"l2", jsonNumber(row.driftL2[i])},
                                   {"pretrained_l2", jsonNumber(parameter.pretrainedL2)},
                                   {"moved", i < row.changed.size() ? Json(row.changed[i]) : Json(nullptr)},
                                   {"size", parameter.size},
                                   {"selected_last_step", i < row.selected.size() ? Json(row.selected[i]) : Json(nullptr)},
                                   {"squared_update", i < row.squaredUpdate.size() ? jsonNumber(row.squaredUpdate[i]) : Json(nullptr)}};
    }
    return tensors;
}

bool isPinned(const RunDetail& detail, std::int64_t step) {
    return std::find(detail.pinnedSteps.begin(), detail.pinnedSteps.end(), step) != detail.pinnedSteps.end();
}

}  // namespace

Json jsonNumber(double value) {
    if (std::isfinite(value)) return value;
    return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

Json runJson(const RunRow& run, const QueueEntry* entry) {
    const bool stalled = entry != nullptr && entry->stalledSeconds;
    const RunSummary& summary = run.summary;
    Json json = {{"id", run.id},
                 {"name", run.name},
                 {"state", runStateName(run.state)},
                 {"step", summary.step},
                 {"total_steps", summary.totalSteps},
                 {"loss", summary.lossState == "finite" ? optionalNumber(summary.loss) : Json(summary.lossState)},
                 {"eval_loss", optionalNumber(summary.evalLoss)},
                 {"drift", optionalNumber(summary.drift)},
                 {"tokens_per_second", jsonNumber(summary.tokensPerSecond)},
                 {"phase", summary.phase},
                 {"device", deviceText(run.device)},
                 {"model", run.modelName},
                 {"model_id", run.modelId},
                 {"data", run.config.data},
                 {"model_source", hubNameOrPath(run.config.model)},
                 {"data_source", hubNameOrPath(run.config.data)},
                 {"eval_data_source", run.config.evalData.empty() ? Json(nullptr) : Json(hubNameOrPath(run.config.evalData))},
                 {"created_ns", run.createdNs},
                 {"started_ns", optionalNs(run.startedNs)},
                 {"ended_ns", optionalNs(run.endedNs)},
                 {"end_reason", run.endReason},
                 {"tags", run.tags},
                 {"note", run.note},
                 {"baseline", run.baseline},
                 {"restarts", run.restarts},
                 {"parent", run.parentId.empty() ? Json(nullptr) : Json(run.parentId)},
                 {"parent_step", run.parentId.empty() ? Json(nullptr) : Json(run.parentStep)},
                 {"sweep", run.sweepId.empty() ? Json(nullptr) : Json(run.sweepId)},
                 {"not_exact", run.notExact.empty() ? Json(nullptr) : Json(run.notExact)},
                 {"stalled", stalled},
                 {"stalled_seconds", stalled ? jsonNumber(*entry->stalledSeconds) : Json(nullptr)},
                 {"position", entry != nullptr ? Json(entry->position) : Json(nullptr)},
                 {"waits_for", entry != nullptr && !entry->waitsFor.empty() ? Json(entry->waitsFor) : Json(nullptr)},
                 {"trashed", run.trashedNs.has_value()}};
    return json;
}

Json modelJson(const ModelRow& model) {
    return {{"id", model.id},
            {"name", model.name},
            {"source", hubNameOrPath(model.source)},
            {"format", model.format},
            {"sha256", model.sha256},
            {"parameters", model.parameterCount},
            {"size_bytes", model.sizeBytes},
            {"imported_ns", model.importedNs},
            {"verified_ns", optionalNs(model.verifiedNs)}};
}

Json jobJson(const JobRow& job) {
    return {{"id", job.id},
            {"kind", job.kind},
            {"state", jobStateName(job.state)},
            {"device", deviceText(job.device)},
            {"run", job.runId.empty() ? Json(nullptr) : Json(job.runId)},
            {"phase", job.phase},
            {"progress", jsonNumber(job.progress)},
            {"created_ns", job.createdNs},
            {"started_ns", optionalNs(job.startedNs)},
            {"ended_ns", optionalNs(job.endedNs)},
            {"end_reason", job.endReason}};
}

Json stepJson(const StepRow& step) {
    Json json = {{"step", step.step},
                 {"loss", lossJson(step.loss, step.lossState)},
                 {"grad_norm", jsonNumber(step.gradNorm)},
                 {"clipped_norm", jsonNumber(step.clippedNorm)},
                 {"tokens", step.tokens},
                 {"input_tokens", step.inputTokens},
                 {"lr", jsonNumber(step.lr)},
                 {"alpha", jsonNumber(step.alpha)},
                 {"granularity", step.granularity},
                 {"epoch", jsonNumber(step.epoch)},
                 {"tokens_per_second", jsonNumber(step.tokensPerSecond)},
                 {"moved", step.movedCount},
                 {"step_ms", jsonNumber(step.stepMs)},
                 {"data_ms", jsonNumber(step.dataMs)},
                 {"forward_backward_ms", jsonNumber(step.forwardBackwardMs)},
                 {"optimizer_ms", jsonNumber(step.optimizerMs)},
                 {"statistics_ms", jsonNumber(step.statisticsMs)},
                 {"memory_bytes", step.memoryBytes},
                 {"wall_ns", step.wallNs}};
    if (!std::isnan(step.topGradientNorm)) json["top_gradient_norm"] = jsonNumber(step.topGradientNorm);
    if (step.superseded) json["superseded"] = true;
    return json;
}

Json evalJson(const EvalRow& eval) {
    Json json = {{"step", eval.step},     {"task", eval.task},           {"loss", jsonNumber(eval.loss)},
                 {"tokens", eval.tokens}, {"rows", eval.rowLoss.size()}, {"seconds", jsonNumber(eval.seconds)}};
    if (eval.superseded) json["superseded"] = true;
    return json;
}

Json probeJson(const ProbeRow& probe) {
    Json json = {
        {"step", probe.step},           {"probe", probe.probe},           {"measure", probe.measure}, {"value", jsonNumber(probe.value)},
        {"low", jsonNumber(probe.low)}, {"high", jsonNumber(probe.high)}, {"items", probe.items},     {"seconds", jsonNumber(probe.seconds)}};
    if (probe.superseded) json["superseded"] = true;
    return json;
}

Json eventJson(const EventRow& event) {
    Json json = {{"step", event.step},    {"kind", event.kind},    {"who", event.who},   {"key", event.key},
                 {"old", event.oldValue}, {"new", event.newValue}, {"text", event.text}, {"wall_ns", event.wallNs}};
    if (event.superseded) json["superseded"] = true;
    return json;
}

Json statusJson(const StatusRow& status) {
    return {{"phase", status.phase},
            {"progress", jsonNumber(status.progress)},
            {"detail", status.detail},
            {"step", status.step},
            {"total_steps", status.totalSteps},
            {"eta_seconds", status.etaSeconds < 0 ? Json(nullptr) : jsonNumber(status.etaSeconds)}};
}

Result<RunDetail> readRunDetail(const Workspace& workspace, const Registry& registry, const RunRow& run, bool all) {
    RunDetail detail;
    detail.run = run;
    detail.modelSource = hubNameOrPath(run.config.model);
    // A model that was named by its name in the workspace came from somewhere too.
    if (auto model = registry.findModel(run.modelId); model.ok() && hubPlaceOfPath(model->source) && !hubPlaceOfPath(run.config.model)) {
        detail.modelSource = hubNameOrPath(model->source);
    }
    detail.enginePid = lockHolder(workspace.runLock(run.id));
    MOFO_TRY(const std::vector<RunRow> runs, registry.runs());
    const std::vector<QueueEntry> entries = queueEntries(workspace, runs);
    if (const QueueEntry* const entry = findEntry(entries, run.id)) detail.queue = *entry;
    MOFO_TRY(detail.pinnedSteps, registry.pinnedSteps(run.id));
    if (!run.parentId.empty()) {
        if (const auto parent = registry.findRun(run.parentId); parent.ok()) detail.parentName = parent->name;
    }
    auto reader = MetricsReader::open(workspace.metricsFile(run.id));
    if (!reader.ok()) {
        if (reader.error().code != ErrorCode::NotFound) return std::move(reader).error();
        MOFO_TRY(detail.pending, registry.commands(run.id));
        return detail;
    }
    // What the engine found is more than what was asked for.
    MOFO_TRY(const std::optional<Json> reasons, reader->fact("not_bit_exact"));
    if (reasons && reasons->is_array()) {
        std::vector<std::string> texts;
        for (const Json& reason : *reasons) {
            if (reason.is_string()) texts.push_back(reason.get<std::string>());
        }
        if (!texts.empty()) detail.run.notExact = joinText(texts, ", ");
    }
    MOFO_TRY(detail.parameters, reader->parameters());
    MOFO_TRY(detail.steps, reader->stepsAfter(0));
    MOFO_TRY(detail.tensors, reader->newestTensors());
    MOFO_TRY(detail.evals, reader->evalsAfter(0));
    MOFO_TRY(detail.probes, reader->probesAfter(0));
    MOFO_TRY(detail.events, reader->eventsAfter(0));
    MOFO_TRY(detail.checkpoints, reader->checkpoints());
    MOFO_TRY(const std::vector<CheckpointRow> everyCheckpoint, reader->checkpoints(true));
    for (const CheckpointRow& row : everyCheckpoint) {
        if (row.state == "lost" && !row.removed && !row.superseded) detail.damaged.push_back(row);
    }
    MOFO_TRY(detail.status, reader->status());
    MOFO_TRY(detail.pending, pendingCommands(workspace, registry, run.id));
    if (!all) {
        dropSuperseded(detail.steps);
        dropSuperseded(detail.evals);
        dropSuperseded(detail.probes);
        dropSuperseded(detail.events);
        dropSuperseded(detail.checkpoints);
    }
    // The registry's summary lags by up to a second, and for ever where the engine was killed.
    if (!detail.steps.empty()) detail.run.summary.step = std::max(detail.run.summary.step, detail.steps.back().step);
    return detail;
}

Json runDetailJson(const RunDetail& detail) {
    Json json = runJson(detail.run, detail.queue ? &*detail.queue : nullptr);
    json["engine_pid"] = detail.enginePid ? Json(*detail.enginePid) : Json(nullptr);
    json["model_source"] = detail.modelSource;
    json["config"] = configToJson(detail.run.config);
    json["command_line"] = detail.run.commandLine;
    json["device_warning"] = detail.run.deviceWarning;
    json["steps"] = Json::array();
    for (const StepRow& step : detail.steps) json["steps"].push_back(stepJson(step));
    json["tensors"] = tensorsJson(detail);
    json["tensors_step"] = detail.tensors ? Json(detail.tensors->step) : Json(nullptr);
    json["evals"] = Json::array();
    for (const EvalRow& eval : detail.evals) json["evals"].push_back(evalJson(eval));
    json["probes"] = Json::array();
    for (const ProbeRow& probe : detail.probes) json["probes"].push_back(probeJson(probe));
    json["events"] = Json::array();
    for (const EventRow& event : detail.events) json["events"].push_back(eventJson(event));
    json["checkpoints"] = Json::array();
    for (const CheckpointRow& row : detail.checkpoints) {
        json["checkpoints"].push_back({{"step", row.step},
                                       {"folder", row.folder},
                                       {"kind", row.kind},
                                       {"size_bytes", row.sizeBytes},
                                       {"verified", row.verified},
                                       {"superseded", row.superseded},
                                       {"pinned", isPinned(detail, row.step)},
                                       {"wall_ns", row.wallNs}});
    }
    json["damaged_checkpoints"] = Json::array();
    for (const CheckpointRow& row : detail.damaged) {
        json["damaged_checkpoints"].push_back({{"step", row.step}, {"folder", row.folder}, {"kind", row.kind}, {"reason", row.reason}});
    }
    json["pending"] = Json::array();
    for (const CommandRow& command : detail.pending) {
        json["pending"].push_back({{"uuid", command.uuid},
                                   {"kind", command.kind},
                                   {"payload", command.payload},
                                   {"at_step", command.atStep ? Json(*command.atStep) : Json(nullptr)},
                                   {"who", command.who}});
    }
    json["status"] = detail.status ? statusJson(*detail.status) : Json(nullptr);
    return json;
}

std::vector<LayerDigest> layerDigests(const std::vector<ParameterRow>& parameters, const TensorRow& tensors) {
    struct Sums {
        std::int64_t size = 0, filtered = 0;
        double selected = 0, drift = 0, pretrained = 0;
    };
    std::vector<std::string> order;
    std::map<std::string, Sums> sums;
    const std::size_t count = std::min({parameters.size(), tensors.selected.size(), tensors.driftL2.size()});
    for (std::size_t i = 0; i < count; ++i) {
        const ParameterRow& parameter = parameters[i];
        const std::string name = parameter.layer >= 0        ? "layer " + std::to_string(parameter.layer)
                                 : parameter.kind == "norm"  ? "final norm"
                                 : parameter.kind == "embed" ? "embedding"
                                                             : parameter.kind;
        if (sums.find(name) == sums.end()) order.push_back(name);
        Sums& sum = sums[name];
        sum.size += parameter.size;
        if (parameter.filtered) sum.filtered += parameter.size;
        sum.selected += tensors.selected[i];
        sum.drift += static_cast<double>(tensors.driftL2[i]) * tensors.driftL2[i];
        sum.pretrained += parameter.pretrainedL2 * parameter.pretrainedL2;
    }
    std::vector<LayerDigest> digests;
    for (const std::string& name : order) {
        const Sums& sum = sums[name];
        digests.push_back({name, sum.size, sum.filtered, sum.size > 0 ? sum.selected / static_cast<double>(sum.size) : 0,
                           sum.pretrained > 0 ? std::sqrt(sum.drift / sum.pretrained) : 0});
    }
    return digests;
}

std::string sparkline(const std::vector<double>& values, std::size_t width) {
    if (values.empty() || width == 0) return {};
    const std::size_t columns = std::min(width, values.size());
    std::vector<double> means(columns);
    double low = INFINITY, high = -INFINITY;
    for (std::size_t c = 0; c < columns; ++c) {
        const std::size_t begin = c * values.size() / columns;
        const std::size_t end = (c + 1) * values.size() / columns;
        double sum = 0;
        for (std::size_t i = begin; i < end; ++i) sum += values[i];
        means[c] = sum / static_cast<double>(end - begin);
        if (!std::isfinite(means[c])) continue;
        low = std::min(low, means[c]);
        high = std::max(high, means[c]);
    }
    std::string text;
    for (const double mean : means) {
        if (!std::isfinite(mean)) {
            text += '!';
            continue;
        }
        const double share = high > low ? (mean - low) / (high - low) : 0.5;
        text += kBlocks[static_cast<std::size_t>(std::min(7.0, std::floor(share * 8)))];
    }
    return text;
}

}  // namespace mofo
