#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/context.h"
#include "app/cli/model_argument.h"
#include "app/cli/terminal.h"
#include "core/base/text.h"
#include "core/client/device_choice.h"
#include "core/client/jobs.h"

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
    watchInterrupts();
    ProgressLine line;
    MOFO_TRY(const Json result,
             runJob(store.workspace, store.registry, "bench", parameters, device.device, runId, [&](std::string_view phase, double share) {
                 line.show(fmt::format("bench optimizer  {} {:3.0f} % {}", barText(share, 24), share * 100, phase));
                 return !interrupted();
             }));
    line.clear();
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

}  // namespace

void addBenchCommand(CLI::App& app, Context& context) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App* bench = addCommand(app, "bench", "Measure what a step costs on this machine",
                                 "  mofo bench optimizer\n  mofo bench optimizer --model random:llama-1b-layer --json");
    bench->require_subcommand(1);
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
