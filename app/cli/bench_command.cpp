#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/config_options.h"
#include "app/cli/context.h"
#include "app/cli/hub_argument.h"
#include "app/cli/model_argument.h"
#include "app/cli/shown_job.h"
#include "app/cli/terminal.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/client/device_choice.h"

namespace mofo::cli {

namespace {

struct BenchOptions {
    std::string model = "random:smollm2", precision = "fp32", device = "cpu";
    double seconds = 0;  ///< 0: as long as it needs
    bool json = false;
};

double numberOf(const Json& entry, const char* key) { return entry.contains(key) && entry[key].is_number() ? entry[key].get<double>() : 0; }

std::string cell(const Json& entry, const char* key, const char* format) {
    return entry.contains(key) && entry[key].is_number() ? fmt::format(fmt::runtime(format), entry[key].get<double>()) : "-";
}

// "1.04" and whether that is within the limit, where there is one.
std::string ratioCell(const Json& entry) {
    const std::string text = cell(entry, "ratio", "{:.2f}");
    const double limit = numberOf(entry, "limit");
    return limit > 0 && text != "-" && numberOf(entry, "ratio") > limit ? text + " !" : text;
}

std::string benchTable(const Json& result) {
    std::vector<std::vector<std::string>> table = {
        {"GRANULARITY", "ALPHA", "MS", "ADAMW MS", "RATIO", "QUARTILES", "LIMIT", "LOGGED", "GB/S", "COMPOSED MS", "SPEEDUP", "SCRATCH", "REPAIRED"}};
    const auto add = [&](const Json& entry) {
        if (!entry.is_object()) return;
        const std::string quartiles =
            cell(entry, "ratio", "{}") == "-" ? "-" : cell(entry, "ratio_low", "{:.2f}") + "-" + cell(entry, "ratio_high", "{:.2f}");
        table.push_back({entry.value("granularity", std::string()), cell(entry, "alpha", "{}"), cell(entry, "ms", "{:.1f}"),
                         cell(entry, "fused_fp32_adamw_ms", "{:.1f}"), ratioCell(entry), quartiles, cell(entry, "limit", "{:.2f}"),
                         cell(entry, "statistics_ratio", "{:.2f}"), fmt::format("{:.1f}", numberOf(entry, "bytes_per_second") * 1e-9),
                         cell(entry, "composed_ms", "{:.0f}"), cell(entry, "speedup", "{:.1f}"),
                         formatBytes(static_cast<std::uint64_t>(numberOf(entry, "scratch_bytes"))), cell(entry, "repaired", "{:.0f}")});
    };
    if (result.contains("cases") && result["cases"].is_array())
        for (const Json& entry : result["cases"]) add(entry);
    if (result.contains("adamw")) add(result["adamw"]);
    return tableText(table, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
}

Result<int> benchOptimizer(const Context& context, const BenchOptions& options) {
    MOFO_TRY(Store store, openOrCreateStore(context));
    Json parameters = {{"model", options.model}};
    std::string runId;
    if (!options.model.starts_with("random:")) {
        MOFO_TRY(const JobModel model, jobModelOf(store, options.model));
        parameters = model.parameters;
        parameters["shown"] = model.shown;
        runId = model.runId;
    }
    parameters["bench"] = "optimizer";
    parameters["precision"] = options.precision;
    if (options.seconds > 0) parameters["seconds"] = options.seconds;
    MOFO_TRY(const ResolvedDevice device, resolveDevice(options.device));
    if (!device.warning.empty()) printNote(device.warning);
    MOFO_TRY(const Json result, runShown(store, "bench optimizer", "bench", parameters, device.device, runId));
    if (options.json) {
        printJson(result);
        return 0;
    }
    fmt::print("{}", benchTable(result));
    printNote(fmt::format("{}: {} parameters in {} tensors, {}; {}, {:.0f} threads, {}; {:.0f} s",
                          escapeForDisplay(result.value("model", std::string())),
                          formatCount(static_cast<std::int64_t>(numberOf(result, "parameters"))), numberOf(result, "tensors"),
                          result.value("precision", std::string()), escapeForDisplay(result.value("device", std::string())),
                          numberOf(result, "threads"), result.value("instruction_set", std::string()), numberOf(result, "seconds")));
    printNote(
        "RATIO is to LibTorch's fused AdamW (fp32) over the same arrays; ! is above LIMIT. LOGGED is a step that also measures updates and "
        "histograms.");
    const Json cases = result.value("cases", Json::array());
    const auto unsteady = std::count_if(cases.begin(), cases.end(), [](const Json& entry) { return entry.value("unsteady", false); });
    if (unsteady > 0) printNote(fmt::format("{} cases vary by more than 15 %: the machine was not idle. Measure again when it is.", unsteady));
    return 0;
}

struct StepOptions {
    std::string model = "random:smollm2", device = "cpu", reference, referenceModel;
    std::vector<std::string> assignments;
    std::int64_t batch = 4, length = 256, steps = 5;
    bool json = false;
};

/// What `COMMAND bench MODEL ...` prints as JSON, in both precisions: the rival's step at the same shapes.
Result<Json> runReference(const StepOptions& options) {
    Json rival = Json::object();
    for (const char* precision : {"fp32", "bf16"}) {
        const std::string line = fmt::format("{} bench {} --batch {} --length {} --steps {} --precision {}", options.reference,
                                             shellWord(options.referenceModel), options.batch, options.length, options.steps, precision);
        const auto close = [](FILE* pipe) { pclose(pipe); };
        const std::unique_ptr<FILE, decltype(close)> pipe(popen(line.c_str(), "r"), close);
        std::string text;
        char buffer[4096];
        for (std::size_t n = 0; pipe && (n = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;) text.append(buffer, n);
        const auto parsed = parseJson(text);
        if (!parsed.ok() || !parsed->is_object() || !parsed->contains("step_ms"))
            return Error{ErrorCode::Usage, "the reference printed no JSON with step_ms", escapeForDisplay(line), "Try that command by hand",
                         "REFERENCE"};
        rival[precision] = *parsed;
    }
    return rival;
}

Result<int> benchStep(const Context& context, const StepOptions& options) {
    MOFO_TRY(Store store, openOrCreateStore(context));
    RunConfig config;
    config.optimizer = OptimizerKind::Mofo;
    config.batch = options.batch;
    for (const std::string& assignment : options.assignments) {
        MOFO_TRY(const auto parts, splitAssignment(assignment));
        MOFO_CHECK(setConfigValue(config, parts.first, parts.second));
    }
    MOFO_CHECK(checkConfig(config));
    if (!options.reference.empty() && options.referenceModel.empty())
        return Error{ErrorCode::Usage, "--reference needs --reference-model", "",
                     "Name what the reference calls the same model: a Hugging Face folder, llama-1b", "MISSING"};
    Json parameters = {{"model", options.model}};
    std::string runId;
    if (!options.model.starts_with("random:")) {
        MOFO_TRY(const JobModel model, jobModelOf(store, options.model));
        parameters = model.parameters;
        parameters["shown"] = model.shown;
        runId = model.runId;
    }
    parameters["bench"] = "step";
    parameters["config"] = configToJson(config);
    parameters["length"] = options.length;
    parameters["steps"] = options.steps;
    MOFO_TRY(const ResolvedDevice device, resolveDevice(options.device));
    if (!device.warning.empty()) printNote(device.warning);
    MOFO_TRY(Json result, runShown(store, "bench step", "bench", parameters, device.device, runId));
    if (!options.reference.empty()) {
        printNote("measuring the reference, which takes about as long again");
        MOFO_TRY(result["reference"], runReference(options));
        for (const char* precision : {"fp32", "bf16"}) {
            const std::string name = precision;
            result["reference"][name]["speedup"] = numberOf(result["reference"][name], "step_ms") / numberOf(result, (name + "_ms").c_str());
        }
    }
    if (options.json) {
        printJson(result);
        return 0;
    }
    std::vector<std::vector<std::string>> table = {{"PART", "FP32 MS", "BF16 MS"}};
    const Json parts = result.value("parts", Json::object());
    const auto partOf = [&](const char* precision) { return parts.value(precision, Json::object()); };
    for (const char* part : {"data", "forward", "loss", "backward", "clip", "optimizer", "statistics", "store"})
        table.push_back({part, cell(partOf("fp32"), part, "{:.1f}"), cell(partOf("bf16"), part, "{:.1f}")});
    table.push_back({"whole step", cell(result, "fp32_ms", "{:.1f}"), cell(result, "bf16_ms", "{:.1f}")});
    if (result.contains("reference")) {
        table.push_back(
            {"reference", cell(result["reference"]["fp32"], "step_ms", "{:.1f}"), cell(result["reference"]["bf16"], "step_ms", "{:.1f}")});
        table.push_back(
            {"times as fast", cell(result["reference"]["fp32"], "speedup", "{:.2f}"), cell(result["reference"]["bf16"], "speedup", "{:.2f}")});
    }
    fmt::print("{}", tableText(table, {1, 2}));
    const Json peak = result.value("peak_bytes", Json::object());
    printNote(fmt::format(
        "{}: {} parameters, {} x {} tokens, {}; bf16 is {:.2f} times as fast as fp32; {:.0f} tokens/s in {}; peak {} "
        "and {}; {:.1f} % of a step unaccounted for",
        escapeForDisplay(result.value("model", std::string())), formatCount(static_cast<std::int64_t>(numberOf(result, "parameters"))), options.batch,
        options.length, escapeForDisplay(result.value("device", std::string())), numberOf(result, "speedup_bf16"), numberOf(result, "tokens_per_s"),
        result.value("precision", std::string()), formatBytes(static_cast<std::uint64_t>(numberOf(peak, "fp32"))),
        formatBytes(static_cast<std::uint64_t>(numberOf(peak, "bf16"))), numberOf(result, "unaccounted") * 100));
    printNote("statistics are those of a logged step, which comes every stats_every steps; in a run another thread does what is called store here.");
    return 0;
}

struct PackingOptions {
    ConfigOptions config;
    std::int64_t steps = 8;
    bool json = false;
};

Result<int> benchPacking(const Context& context, const PackingOptions& options) {
    MOFO_TRY(RunConfig config, configOf(options.config));
    MOFO_CHECK(useLocalPaths(config));
    watchInterrupts();
    MOFO_TRY(Store store, openOrCreateStore(context));
    InputChecks checks;
    MOFO_TRY(const RunRow run, prepareRun(store.workspace, store.registry, config, {}, checks, importProgress("model")));
    const Json parameters = {{"bench", "packing"}, {"model", run.modelId}, {"config", configToJson(run.config)}, {"steps", options.steps}};
    MOFO_TRY(const Json result, runShown(store, "bench packing", "bench", parameters, run.device, ""));
    if (options.json) {
        printJson(result);
        return 0;
    }
    const auto row = [&](const char* name, const char* tokens, const char* ms, const char* speed) {
        return std::vector<std::string>{name, formatCount(static_cast<std::int64_t>(numberOf(result, tokens))), cell(result, ms, "{:.0f}"),
                                        cell(result, speed, "{:.0f}")};
    };
    fmt::print("{}", tableText({{"ROWS", "TOKENS", "MS A STEP", "TRAINED TOKENS/S"},
                                row("laid end to end", "tokens", "packed_ms", "packed_tokens_per_s"),
                                row("padded", "padded_tokens", "padded_ms", "padded_tokens_per_s")},
                               {1, 2, 3}));
    printNote(fmt::format("{:.2f} times as many trained tokens a second; {} steps of {} rows, {} at a time, {}", numberOf(result, "speedup"),
                          options.steps, config.batch, effectiveMicroBatch(config), escapeForDisplay(result.value("device", std::string()))));
    return 0;
}

struct ProfileOptions {
    std::string run, file;
    std::int64_t steps = 3;
    bool json = false;
};

Result<int> profileRun(const Context& context, const ProfileOptions& options) {
    MOFO_TRY(Store store, openOrCreateStore(context));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    const std::filesystem::path file = std::filesystem::absolute(options.file.empty() ? run.name + "-trace.json" : options.file);
    std::error_code ec;
    if (!std::filesystem::is_directory(file.parent_path(), ec))
        return Error{ErrorCode::NotFound, "there is no such folder", escapeForDisplay(file.parent_path().string()), "Choose another place with --out",
                     "PATH"};
    const Json parameters = {{"model", run.modelId}, {"config", configToJson(run.config)}, {"steps", options.steps}, {"file", file.string()}};
    MOFO_TRY(const Json result, runShown(store, "profile", "profile", parameters, run.device, run.id));
    if (options.json) {
        printJson(result);
        return 0;
    }
    fmt::print("{}\n", escapeForDisplay(file.string()));
    printNote(fmt::format(
        "{:.0f} steps from the pretrained weights, {:.0f} ms each while they were recorded; open it in ui.perfetto.dev or chrome://tracing",
        numberOf(result, "steps"), numberOf(result, "step_ms")));
    return 0;
}

}  // namespace

void addProfileCommand(CLI::App& app, Context& context) {
    auto options = std::make_shared<ProfileOptions>();
    CLI::App* command = addCommand(app, "profile", "Record where the time of a run's steps goes, as a trace for ui.perfetto.dev",
                                   "  mofo profile maths-a15 --steps 3 --out trace.json");
    command->add_option("run", options->run, "Id, unique prefix or name")->required()->type_name("RUN");
    command->add_option("--steps", options->steps, "Steps that are recorded, after one that is not")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_option("--out", options->file, "The trace (default: NAME-trace.json here)")->type_name("FILE");
    command->add_flag("--json", options->json, "Answer in JSON");
    command->callback([&context, options] { context.action = [&context, options] { return profileRun(context, *options); }; });
}

void addBenchCommand(CLI::App& app, Context& context) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App* bench = addCommand(app, "bench", "Measure what a step costs on this machine",
                                 "  mofo bench step\n  mofo bench optimizer --model random:llama-1b-layer --json");
    bench->require_subcommand(1);
    auto step = std::make_shared<StepOptions>();
    CLI::App* whole = addCommand(*bench, "step", "A whole training step in fp32 and bf16, part by part",
                                 "  mofo bench step\n  mofo bench step --model random:llama-1b --batch 1 --length 128 --json");
    whole
        ->add_option("--model", step->model,
                     "Whose shapes and weights: a file, folder, workspace model, RUN[@STEP], random:smollm2 or random:llama-1b")
        ->type_name("M")
        ->capture_default_str();
    whole->add_option("--device", step->device, "cpu, auto, cuda:N")->capture_default_str();
    whole->add_option("--batch", step->batch, "Rows of a step")->check(CLI::Range(1, 4096))->capture_default_str();
    whole->add_option("--length", step->length, "Tokens of a row")->check(CLI::Range(2, 1 << 20))->capture_default_str();
    whole->add_option("--steps", step->steps, "Steps that are timed, after two that are not")->check(CLI::Range(1, 10000))->capture_default_str();
    whole->add_option("--set", step->assignments, "key=value as in train, for example optimizer=adamw, micro_batch=1, recompute=layer")
        ->type_name("KEY=VALUE");
    whole
        ->add_option("--reference", step->reference,
                     "Command of a rival that takes `bench MODEL --batch --length --steps --precision` and prints {\"step_ms\"}")
        ->type_name("COMMAND");
    whole->add_option("--reference-model", step->referenceModel, "What that command calls the model")->type_name("MODEL");
    whole->add_flag("--json", step->json, "Answer in JSON");
    whole->callback([&context, step] { context.action = [&context, step] { return benchStep(context, *step); }; });
    auto packing = std::make_shared<PackingOptions>();
    CLI::App* rows = addCommand(*bench, "packing", "Steps on rows laid end to end beside the same rows padded to the longest of their micro-batch",
                                "  mofo bench packing --model SmolLM2-135M-Instruct.Q4_1.gguf --data rows.jsonl --set batch=8");
    addConfigOptions(*rows, packing->config);
    rows->add_option("--steps", packing->steps, "Steps that are timed both ways, after one that is not")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str();
    rows->add_flag("--json", packing->json, "Answer in JSON");
    rows->callback([&context, packing] { context.action = [&context, packing] { return benchPacking(context, *packing); }; });
    CLI::App* optimizer =
        addCommand(*bench, "optimizer", "The optimizer's step by granularity and alpha, beside LibTorch's fused AdamW",
                   "  mofo bench optimizer --precision bf16-pure\n  mofo bench optimizer --model SmolLM2-135M-Instruct.Q4_1.gguf --json");
    optimizer
        ->add_option(
            "--model", options->model,
            "Whose shapes and weights: a file, folder, workspace model, RUN[@STEP], random:smollm2, random:llama-1b or random:llama-1b-layer")
        ->type_name("M")
        ->capture_default_str();
    optimizer->add_option("--precision", options->precision, "fp32; bf16-pure: bf16 parameters, rounded stochastically; bf16: with fp32 masters")
        ->check(CLI::IsMember({"fp32", "bf16-pure", "bf16"}))
        ->capture_default_str();
    optimizer->add_option("--device", options->device, "cpu, auto, cuda:N")->capture_default_str();
    optimizer->add_option("--seconds", options->seconds, "About how long it may take; more rounds give steadier numbers")
        ->type_name("S")
        ->check(CLI::Range(5.0, 36000.0));
    optimizer->add_flag("--json", options->json, "Answer in JSON");
    optimizer->callback([&context, options] { context.action = [&context, options] { return benchOptimizer(context, *options); }; });
}

}  // namespace mofo::cli
