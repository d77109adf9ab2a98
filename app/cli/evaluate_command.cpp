#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/context.h"
#include "app/cli/hub_argument.h"
#include "app/cli/model_argument.h"
#include "app/cli/show_text.h"
#include "app/cli/shown_job.h"
#include "app/cli/terminal.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/client/device_choice.h"
#include "core/client/run_reference.h"
#include "core/task/task_items.h"

namespace mofo::cli {

namespace fs = std::filesystem;

namespace {

struct EvaluateOptions {
    std::string model, task, data, base;
    std::int64_t limit = 0;
    std::vector<std::string> assignments;
    bool json = false;
};

std::string valueText(const Json& measure) {
    const auto number = [&](const char* key) {
        const Json& value = measure.value(key, Json());
        return value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : std::string("-");
    };
    const bool known = measure.value("low", Json()).is_number();
    return number("value") + (known ? fmt::format("  (95 % interval {} to {})", number("low"), number("high")) : std::string());
}

void printResult(const Json& result) {
    const auto count = static_cast<std::int64_t>(result["items"].size());
    fmt::print("{}: {} items\n", escapeForDisplay(result.value("title", "")), formatCount(count));
    for (const auto& [name, measure] : result["measures"].items()) {
        const std::string unit = measure.value("unit", "");
        fmt::print("  {:<14}{}{}\n", name, valueText(measure), unit == "nats" ? "  nats per token" : unit == "bits" ? "  bits per byte" : "");
    }
    if (result.value("trained_on", Json()).is_number_integer()) {
        const auto trained = result["trained_on"].get<std::int64_t>();
        if (trained > 0) printNote(fmt::format("{} of the items are among the rows that the run was trained on", formatCount(trained)));
    } else if (result.contains("trained_on_unknown")) {
        printNote("whether the run was trained on items is not known: " + result["trained_on_unknown"].get<std::string>());
    }
}

Result<int> evaluateTaskOf(const Context& context, const EvaluateOptions& options) {
    RunConfig config;
    for (const std::string& assignment : options.assignments) {
        MOFO_TRY(const auto parts, splitAssignment(assignment));
        if (parts.first != "chat_template" && parts.first != "columns" && parts.first != "max_length" && parts.first != "device" &&
            parts.first != "precision") {
            return Error{ErrorCode::Usage, "this key changes nothing here", escapeForDisplay(parts.first.substr(0, 60)),
                         "These do: chat_template, columns, max_length, device, precision", "KEY"};
        }
        MOFO_CHECK(setConfigValue(config, parts.first, parts.second));
    }
    const bool lengthGiven = config.maxLength != RunConfig().maxLength;
    MOFO_TRY(TaskDescription task, findTask(options.task));
    MOFO_TRY(Store store, openOrCreateStore(context));
    MOFO_TRY(const JobModel model, jobModelOf(store, options.model));
    Json parameters = model.parameters;
    std::error_code ec;
    parameters["task"] = findBuiltInTask(options.task) != nullptr ? options.task : fs::absolute(options.task, ec).lexically_normal().string();
    MOFO_TRY(const std::optional<std::string> setting, store.registry.setting(taskDataSetting));
    std::string given = options.data;
    if (!given.empty()) {
        MOFO_TRY(given, localPathOf(given, HubKind::Dataset));
    }
    MOFO_TRY(const fs::path data, locateTaskData(task, taskDataFolders(setting), given));
    if (!model.runId.empty()) {
        MOFO_TRY(const RunRow run, store.registry.findRun(model.runId));
        parameters["run_config"] = configToJson(run.config);
        parameters["compare_with"] = run.modelId;
    }
    if (!options.base.empty()) {
        MOFO_TRY(const JobModel base, jobModelOf(store, options.base));
        if (!base.runId.empty()) return Error{ErrorCode::Usage, "the base has to be a model, not a run", escapeForDisplay(options.base), "", ""};
        parameters["compare_with"] = base.parameters["model"];
    }
    if (task.needsBase() && !parameters.contains("compare_with")) {
        return Error{ErrorCode::Usage, "task " + task.name + " compares a model with the one it came from", escapeForDisplay(options.model),
                     "Name a run, or the other model with --base MODEL", "BASE"};
    }
    // Here, so that a wrong file is refused before an engine starts.
    if (!data.empty() || task.hasBuiltInData()) {
        if (task.scorer == Scorer::Rows && !config.columns.empty()) task.columns = config.columns;
        MOFO_CHECK(readTaskItems(task, data, options.limit));
    } else if (model.runId.empty()) {
        return Error{ErrorCode::Usage, "task " + task.name + " measures the rows that a run holds out", escapeForDisplay(options.model),
                     "Name a run, or a file with --data", "MISSING"};
    }
    MOFO_TRY(const ResolvedDevice device, resolveDevice(config.device));
    if (!device.warning.empty()) printNote("warning: " + device.warning);
    parameters["data"] = data.string();
    parameters["limit"] = options.limit;
    parameters["chat_template"] = config.chatTemplate;
    parameters["precision"] = configValue(config, "precision");
    parameters["columns"] = config.columns;
    if (lengthGiven) parameters["max_length"] = config.maxLength;
    MOFO_TRY(const Json result, runShown(store, task.name, "evaluate", parameters, device.device, model.runId));
    if (!result.is_object() || !result.contains("items") || !result["items"].is_array() || !result.contains("measures"))
        return Error{ErrorCode::Internal, "the engine's result holds no items", "evaluate", "", ""};
    if (options.json)
        printJson(result);
    else
        printResult(result);
    return 0;
}

Result<int> evaluate(const Context& context, const EvaluateOptions& options) {
    if (!options.task.empty()) return evaluateTaskOf(context, options);
    if (!options.data.empty() || !options.base.empty() || options.limit > 0 || !options.assignments.empty()) {
        return Error{ErrorCode::Usage, "without --task a live run is asked to measure what it measures itself, and other options say nothing then",
                     "", "Name a task: --task piqa; `mofo tasks` lists them", ""};
    }
    return evaluateLiveRun(context, options.model, options.json);
}

struct TasksOptions {
    std::string folder;
    bool json = false;
};

Result<int> tasks(const Context& context, const TasksOptions& options) {
    std::optional<std::string> setting;
    if (!options.folder.empty()) {
        std::error_code ec;
        const fs::path folder = fs::absolute(options.folder, ec).lexically_normal();
        if (!fs::is_directory(folder, ec))
            return Error{ErrorCode::NotFound, "the folder is not there", escapeForDisplay(folder.string()),
                         "Name the folder that holds the tasks' data files", ""};
        MOFO_TRY(Store store, openOrCreateStore(context));
        MOFO_CHECK(store.registry.setSetting(taskDataSetting, folder.string()));
        setting = folder.string();
    } else if (auto store = openStore(context, Registry::Access::ReadOnly); store.ok()) {
        MOFO_TRY(setting, store->registry.setting(taskDataSetting));
    } else if (store.error().code != ErrorCode::NotFound) {
        return std::move(store).error();
    }
    const std::vector<fs::path> folders = taskDataFolders(setting);
    Json array = Json::array();
    std::vector<std::vector<std::string>> table = {{"TASK", "MARK", "SCORER", "DATA", ""}};
    for (const TaskDescription& task : builtInTasks()) {
        const auto place = locateTaskData(task, folders);
        std::string data = task.hasBuiltInData() ? "in the program" : task.data.empty() ? "the run's own" : task.data + " is not there";
        if (!place.ok() && task.get) data = "not there: " + getTaskCommand(task);
        if (place.ok() && !place->empty()) data = place->string();
        table.push_back({task.name, std::string(taskMarkName(task.mark)), std::string(scorerName(task.scorer)), escapeForDisplay(data), task.title});
        array.push_back({{"name", task.name},
                         {"title", task.title},
                         {"mark", taskMarkName(task.mark)},
                         {"scorer", scorerName(task.scorer)},
                         {"source", task.source},
                         {"data", place.ok() && !place->empty() ? Json(place->string()) : Json(nullptr)},
                         {"available", place.ok()},
                         {"get", task.get ? Json(getTaskCommand(task)) : Json(nullptr)}});
    }
    if (options.json) {
        printJsonArray(array);
        return 0;
    }
    fmt::print("{}", tableText(table, {}));
    std::vector<std::string> looked;
    for (const fs::path& folder : folders) looked.push_back(escapeForDisplay(folder.string()));
    printNote("Data files are looked for in " + joinText(looked, ", ") + " (mofo tasks --data-folder DIR, MOFO_TASK_DATA).");
    return 0;
}

}  // namespace

void addEvaluateCommands(CLI::App& app, Context& context) {
    {
        auto options = std::make_shared<EvaluateOptions>();
        CLI::App* command =
            addCommand(app, "evaluate", "With --task: measure a model on a task. Without: ask a live run to measure its held-out rows and probes now",
                       "  mofo evaluate smollm2 --task piqa --data piqa-valid.jsonl --limit 300 --json\n"
                       "  mofo evaluate maths-a15@200 --task kl\n"
                       "  mofo evaluate maths-a15 --task my-questions.jsonl\n"
                       "  mofo evaluate maths-a15");
        command
            ->add_option("model", options->model, "With --task: run, RUN@STEP, workspace model, GGUF file, Hugging Face folder. Without: a live run")
            ->required()
            ->type_name("MODEL|RUN[@STEP]");
        command
            ->add_option("--task", options->task,
                         "A task of `mofo tasks`, or a file: a task, or rows with question, choices, label; question, answer; text")
            ->type_name("T");
        command->add_option("--data", options->data, "The task's data (default: where `mofo tasks` says)")->type_name("FILE");
        command->add_option("--limit", options->limit, "At most so many items, from the beginning (default: all)")
            ->check(wholeNumberFrom(1))
            ->type_name("N");
        command->add_option("--base", options->base, "What kl compares with (default: the model that the run started from)")->type_name("M");
        command->add_option("--set", options->assignments, "key=value as in train: chat_template, columns, max_length, device, precision")
            ->type_name("KEY=VALUE");
        command->add_flag("--json", options->json, "Answer in JSON");
        command->callback([&context, options] { context.action = [&context, options] { return evaluate(context, *options); }; });
    }
    {
        auto options = std::make_shared<TasksOptions>();
        CLI::App* command = addCommand(app, "tasks", "List the tasks that models are measured on, and where their data are",
                                       "  mofo tasks\n  mofo tasks --data-folder ~/data/evaluation");
        command->add_option("--data-folder", options->folder, "Look for data files there from now on, in this workspace")->type_name("DIR");
        command->add_flag("--json", options->json, "Answer in JSON");
        command->callback([&context, options] { context.action = [&context, options] { return tasks(context, *options); }; });
    }
}

}  // namespace mofo::cli
