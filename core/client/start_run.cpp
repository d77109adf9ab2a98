#include <algorithm>
#include <filesystem>
#include <memory>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/ids.h"
#include "core/base/text.h"
#include "core/client/branch.h"
#include "core/client/commands.h"
#include "core/client/engine_environment.h"
#include "core/client/supervisor.h"
#include "core/library/model_place.h"
#include "core/model/lora.h"
#include "core/model/model_source.h"
#include "core/model/partition.h"
#include "core/task/task_items.h"
#include "core/text/dataset.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNameLimit = 120;
constexpr std::size_t kReasonsShown = 3;
// Weights and both moments in fp32: what the last checkpoint, written by every run, takes.
constexpr std::uint64_t kCheckpointBytesPerParameter = 12;
constexpr std::uint64_t kStartBytes = 512 << 10;

Result<std::string> absolutePath(const std::string& path, std::string_view key) {
    std::error_code ec;
    if (path.starts_with("hf:") && !fs::exists(path, ec)) {
        const std::string shown = escapeForDisplay(path);
        return Error{ErrorCode::Unsupported, "a data set of the Hugging Face Hub has to be on this machine first", shown,
                     "Run mofo get " + shown + " and give the path that it prints", ""};
    }
    auto resolved = resolvedPath(path);
    if (!resolved.ok()) {
        Error error = std::move(resolved).error();
        error.message.replace(0, error.message.find(':'), "cannot open the data file");
        return std::move(error).in(key);
    }
    return resolved->string();
}

// "smollm2-135m-instruct-a0.15", with -2, -3 ... where that is taken.
Result<std::string> makeName(const Registry& registry, const RunConfig& config, const std::string& modelName) {
    std::string base = modelName;
    if (const auto dot = base.find('.'); dot != std::string::npos && dot > 0) base.resize(dot);
    std::transform(base.begin(), base.end(), base.begin(),
                   [](unsigned char c) { return c < 0x80 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c); });
    if (config.optimizer != OptimizerKind::Mofo) base += "-" + configValue(config, "optimizer");
    if (config.rule != SelectionRule::Momentum) base += "-" + configValue(config, "rule");
    if (selectsCoordinates(config.optimizer)) base += "-a" + formatShortest(config.alpha.common.from);
    MOFO_TRY(const std::vector<RunRow> runs, registry.runs(true));
    const auto taken = [&](const std::string& name) {
        return std::any_of(runs.begin(), runs.end(), [&](const RunRow& run) { return run.name == name; });
    };
    std::string name = base;
    for (int n = 2; taken(name); ++n) name = base + '-' + std::to_string(n);
    return name;
}

std::string reasonsText(const std::vector<std::string>& reasons, std::uint64_t all) {
    std::string text = joinText(reasons, "; ");
    if (all > reasons.size()) text += "; and " + formatCount(static_cast<std::int64_t>(all - reasons.size())) + " more";
    return text;
}

}  // namespace

Result<void> checkRunName(std::string_view name) {
    if (name.size() > kNameLimit || !isValidUtf8(name) || escapeForDisplay(name) != name || trimText(name) != name) {
        return Error{ErrorCode::Usage, "the name is not usable", escapeForDisplay(name.substr(0, kNameLimit)),
                     "Use at most " + std::to_string(kNameLimit) + " bytes of plain text without control characters or outer blanks", ""};
    }
    return {};
}

Result<void> checkData(const std::string& path, std::string_view columns, const Tokenizer& tokenizer, std::string_view chatTemplate,
                       std::int64_t maxLength) {
    MOFO_TRY(const std::optional<ChatTemplate> chosen, chooseChatTemplate(tokenizer, chatTemplate));
    MOFO_TRY(DatasetReader reader, DatasetReader::open(path, columns));
    std::vector<std::string> reasons;
    std::uint64_t refused = 0;
    const auto refuse = [&](std::uint64_t line, const std::string& reason) {
        ++refused;
        if (reasons.size() < kReasonsShown) reasons.push_back("line " + std::to_string(line) + ": " + reason);
    };
    while (true) {
        MOFO_TRY(const DatasetReader::Next next, reader.next());
        if (next.refused) {
            refuse(next.refused->line, next.refused->reason);
            continue;
        }
        if (!next.row) break;
        auto row = renderRow(*next.row, tokenizer, chosen ? &*chosen : nullptr, maxLength);
        if (!row.ok()) {
            refuse(next.row->line, row.error().message);
        } else if (row->targetCount() > 0) {
            return {};
        } else {
            refuse(next.row->line, row->truncated ? "nothing to train on within " + std::to_string(maxLength) + " tokens" : "nothing to train on");
        }
    }
    const std::string shown = escapeForDisplay(path);
    if (refused == 0)
        return Error{ErrorCode::InvalidInput, "the file holds no rows", shown, "Give JSONL, a JSON array, CSV or TSV with at least one row", "EMPTY"};
    return Error{ErrorCode::InvalidInput,
                 "none of its " + formatCount(static_cast<std::int64_t>(refused)) + " rows can be used: " + reasonsText(reasons, refused), shown,
                 "Name the columns with --set columns=prompt:A,completion:B, or correct the file", "MISSING"};
}

Result<RunRow> prepareRun(const Workspace& workspace, Registry& registry, const RunConfig& wanted, const StartOptions& options, InputChecks& checks,
                          const ImportProgress& progress) {
    RunConfig config = wanted;
    if (config.model.empty())
        return Error{ErrorCode::Usage, "no model is named", "model", "Give --model with a GGUF file, a Hugging Face folder or a workspace model", ""};
    if (config.data.empty()) return Error{ErrorCode::Usage, "no data is named", "data", "Give --data with a JSONL, JSON, CSV or TSV file", ""};
    MOFO_CHECK(checkConfig(config));
    MOFO_CHECK(checkRunName(options.name));
    ModelPlace place;
    if (options.sealedModel.empty()) {
        MOFO_TRY(place, locateModel(&workspace, &registry, config.model));
    } else {
        MOFO_TRY(place.sealed, registry.findModel(options.sealedModel));
        place.source = workspace.modelFolder(place.sealed->id).string();
    }
    if (place.isRandom()) {
        return Error{ErrorCode::Unsupported, "random weights have no tokenizer, so no data can be trained on with them",
                     escapeForDisplay(config.model), "They are for `mofo bench`; name a GGUF file, a Hugging Face folder or a workspace model", ""};
    }
    if (!place.sealed) config.model = place.source;
    MOFO_TRY(config.data, absolutePath(config.data, "data"));
    if (!config.evalData.empty()) {
        MOFO_TRY(config.evalData, absolutePath(config.evalData, "eval_data"));
    }
    MOFO_TRY(const std::optional<std::string> taskData, registry.setting(taskDataSetting));
    MOFO_TRY(config.probes, checkProbes(config, taskDataFolders(taskData)));
    MOFO_TRY(const ResolvedDevice device, resolveDevice(config.device));

    const std::string dataKey = joinText(
        std::vector<std::string>{place.source, config.data, config.evalData, config.columns, config.chatTemplate, std::to_string(config.maxLength)},
        "\n");
    if (!checks.m_data.contains(dataKey)) {
        MOFO_TRY(const std::unique_ptr<ModelSource> source, ModelSource::open(place.source));
        MOFO_TRY(const Tokenizer tokenizer, source->loadTokenizer());
        checks.m_bySource[place.source] = {source->description(), source->parameters()};
        MOFO_CHECK(checkData(config.data, config.columns, tokenizer, config.chatTemplate, config.maxLength));
        if (!config.evalData.empty()) MOFO_CHECK(checkData(config.evalData, config.columns, tokenizer, config.chatTemplate, config.maxLength));
        checks.m_data.insert(dataKey);
    }
    const InputChecks::Model& shape = checks.m_bySource.at(place.source);
    MOFO_CHECK(checkMethod(config, shape.description, shape.parameters));
    std::uint64_t trained = 0;
    for (const ParameterInfo& info : trainedParameters(shape.parameters, config)) trained += static_cast<std::uint64_t>(info.elementCount());
    MOFO_CHECK(requireFreeBytes(workspace.folder(), trained * kCheckpointBytesPerParameter, "the run's last checkpoint"));
    std::optional<ModelRow> model = place.sealed;
    if (!model) {
        MOFO_TRY(model, sealModel(workspace, registry, config.model, {}, progress));
    }

    RunRow run;
    run.id = newShortId();
    run.name = options.name;
    if (run.name.empty()) {
        MOFO_TRY(run.name, makeName(registry, config, model->name));
    }
    run.state = RunState::Queued;
    run.device = device.device;
    run.deviceWarning = device.warning;
    run.modelId = model->id;
    run.modelName = model->name;
    run.config = config;
    run.commandLine = options.commandLine.empty() ? trainCommandLine(config, run.name) : options.commandLine;
    run.parentId = options.parentId;
    run.parentStep = options.parentStep;
    run.notExact = options.notExact;
    run.createdNs = wallNs();
    run.tags = options.tags;
    run.note = options.note;
    checks.m_models[run.modelId] = shape;
    return run;
}

Result<RunRow> startRun(const Workspace& workspace, Registry& registry, const RunConfig& config, const StartOptions& options,
                        const ImportProgress& progress) {
    InputChecks checks;
    MOFO_TRY(const RunRow run, prepareRun(workspace, registry, config, options, checks, progress));
    MOFO_CHECK(makeFolder(workspace.runFolder(run.id), true));
    // Before the run is there: a supervisor that waits starts it at once.
    auto added = noteEngineEnvironment(registry, run.id);
    if (added.ok()) added = registry.addRun(run);
    if (!added.ok()) {
        std::error_code ec;
        fs::remove_all(workspace.runFolder(run.id), ec);
        return std::move(added).error();
    }
    if (options.startSupervisor) MOFO_CHECK(ensureSupervisor(workspace, run.device));
    return registry.findRun(run.id);
}

Result<void> resumeRun(const Workspace& workspace, Registry& registry, const RunRow& run, bool startSupervisor) {
    MOFO_TRY(const RunRow now, registry.findRun(run.id));
    const auto refuse = [&](const std::string& why) { return Error{ErrorCode::Conflict, why, now.id, "", ""}; };
    MOFO_TRY(const bool undone, undoWaits(workspace, registry, now.id));
    if (now.state == RunState::Finished && !undone) return refuse("the run is finished: there is nothing left to train");
    if (!isEnded(now.state)) return refuse("the run is " + std::string(runStateName(now.state)) + " already");
    if (now.trashedNs) return refuse("the run is in the trash");
    // The state says `stopped` a moment before the engine is gone.
    if (!awaitEngineExit(workspace, now.id)) {
        return Error{ErrorCode::Busy, "its engine has not ended yet", now.id, "Try again in some seconds", ""};
    }
    // On a full disk the new engine could not even open its metrics: the run stays what it is. What a checkpoint takes, the engine checks.
    MOFO_CHECK(requireFreeBytes(workspace.runFolder(now.id), kStartBytes, "the start of an engine"));
    MOFO_CHECK(noteEngineEnvironment(registry, now.id));
    MOFO_CHECK(registry.setRunRestarts(now.id, 0));
    MOFO_CHECK(registry.queueRun(now.id));
    if (startSupervisor) MOFO_CHECK(ensureSupervisor(workspace, now.device));
    return {};
}

}  // namespace mofo
