#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/config_options.h"
#include "app/cli/context.h"
#include "app/cli/hub_argument.h"
#include "app/cli/model_argument.h"
#include "app/cli/shown_job.h"
#include "app/cli/terminal.h"
#include "core/base/process_memory.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/client/device_choice.h"
#include "core/model/model_source.h"
#include "core/model/partition.h"
#include "core/plan/memory_advice.h"
#include "core/plan/row_stream.h"
#include "core/text/dataset.h"

namespace mofo::cli {

namespace {

struct PlanOptions {
    ConfigOptions config;
    bool rehearse = false, json = false;
};

constexpr std::int64_t kLengthWithoutData = 512;

/// Lengths of the rows of the run's data, and how many there are; rows of max_length where no data is named.
struct Rows {
    BatchLengths lengths{kLengthWithoutData, 0};
    std::int64_t count = 0;
};

Result<Rows> rowsOf(const RunConfig& config, const ModelSource& source) {
    Rows rows;
    if (config.maxLength > 0) rows.lengths.longestRow = config.maxLength;
    if (config.data.empty()) return rows;
    MOFO_TRY(const Tokenizer tokenizer, source.loadTokenizer());
    MOFO_TRY(const std::optional<ChatTemplate> chatTemplate, chooseChatTemplate(tokenizer, config.chatTemplate));
    ProgressLine line;
    MOFO_TRY(const TokenDataset data,
             loadTokenDataset(config.data, config.columns, tokenizer, chatTemplate ? &*chatTemplate : nullptr, config.maxLength, [&](double share) {
                 line.show(fmt::format("reading the data  {} {:3.0f} %", barText(share, 24), share * 100));
                 return !interrupted();
             }));
    line.clear();
    std::vector<std::uint32_t> lengths;
    for (const TokenRow& row : data.rows) lengths.push_back(static_cast<std::uint32_t>(row.ids.size()));
    rows.lengths = batchLengths(std::move(lengths), config);
    rows.count = static_cast<std::int64_t>(data.rows.size());
    return rows;
}

/// The first steps of the run, measured by an engine: {"ms_per_token", "step_ms", "forecast_bytes", "measured_bytes" ...}.
Result<Json> rehearseNow(const Context& context, const RunConfig& config) {
    MOFO_TRY(Store store, openOrCreateStore(context));
    InputChecks checks;
    MOFO_TRY(const RunRow run, prepareRun(store.workspace, store.registry, config, {}, checks, importProgress("model")));
    return runShown(store, "rehearsing", "rehearse", {{"model", run.modelId}, {"config", configToJson(run.config)}}, run.device, "");
}

Result<int> plan(const Context& context, const PlanOptions& options) {
    MOFO_TRY(RunConfig config, configOf(options.config));
    if (config.model.empty())
        return Error{ErrorCode::Usage, "no model is named", "model", "Give --model with a GGUF file, a Hugging Face folder or a workspace model", ""};
    MOFO_CHECK(useLocalPaths(config));
    watchInterrupts();
    MOFO_TRY(const ModelPlace place, placeOfModel(context, config.model));
    MOFO_TRY(const std::unique_ptr<ModelSource> source, ModelSource::open(place.source));
    MOFO_CHECK(checkMethod(config, source->description(), source->parameters()));
    MOFO_TRY(const ResolvedDevice device, resolveDevice(config.device));
    if (!device.warning.empty()) printNote("warning: " + device.warning);
    const bool isCuda = device.device.starts_with("cuda");
    MOFO_TRY(const Rows rows, rowsOf(config, *source));
    const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    const MemoryPlan memory = forecastMemory(source->description(), config, rows.lengths, isCuda, threads);
    const MemoryPlace there{rows.lengths, isCuda, threads, isCuda ? 0 : machineMemory().availableBytes};
    const StepPlan steps = planSteps(config, rows.count);
    std::optional<MemoryChange> change;
    if (there.freeBytes > 0 && memory.deviceBytes() > there.freeBytes) change = cheapestFit(source->description(), config, there);
    Json result = {{"device", device.device},
                   {"longest_row", rows.lengths.longestRow},
                   {"micro_batch_tokens", rows.lengths.microBatchTokens > 0 ? Json(rows.lengths.microBatchTokens) : Json()},
                   {"rows", rows.count},
                   {"steps", steps.steps},
                   {"device_bytes", memory.deviceBytes()},
                   {"host_bytes", memory.hostBytes()},
                   {"free_bytes", there.freeBytes > 0 ? Json(there.freeBytes) : Json()},
                   {"fits", there.freeBytes > 0 ? Json(memory.deviceBytes() <= there.freeBytes) : Json()},
                   {"would_fit", change ? Json({{"set", change->changes}, {"bytes", change->bytes}}) : Json()},
                   {"terms", Json::object()}};
    for (const MemoryTerm& term : memory.terms)
        result["terms"][std::string(memoryKindName(term.kind))] = {{"bytes", term.bytes}, {"place", term.onHost ? "host" : "device"}};
    if (options.rehearse) {
        if (config.data.empty()) return Error{ErrorCode::Usage, "a rehearsal needs data", "data", "Give --data", "MISSING"};
        MOFO_TRY(result["rehearsal"], rehearseNow(context, config));
    }
    if (options.json) {
        printJson(result);
        return 0;
    }
    std::vector<std::vector<std::string>> table = {{"MEMORY", "BYTES", "WHERE"}};
    for (const MemoryTerm& term : memory.terms) {
        if (term.bytes == 0) continue;
        table.push_back({std::string(memoryKindName(term.kind)), formatBytes(term.bytes), term.onHost ? "host" : isCuda ? "GPU" : "host"});
    }
    table.push_back({"all", formatBytes(memory.deviceBytes() + memory.hostBytes()), ""});
    fmt::print("{}", tableText(table, {1}));
    printNote(fmt::format("{} tokens in the longest row{}; {} rows at a time", formatCount(rows.lengths.longestRow),
                          config.data.empty() ? " (no data named: max_length, or 512)" : "", formatCount(effectiveMicroBatch(config))));
    if (there.freeBytes > 0) {
        const bool fits = memory.deviceBytes() <= there.freeBytes;
        printNote(fmt::format("{} of memory are free: {}", formatBytes(there.freeBytes), fits ? "it fits" : "it does not fit"));
        if (!fits)
            printNote(change ? fmt::format("with --set {} it needs {}", change->changes, formatBytes(change->bytes))
                             : "no change of the settings makes it fit: take a smaller model");
    }
    if (options.rehearse) {
        const Json& rehearsal = result["rehearsal"];
        const auto number = [&](const char* key) {
            return rehearsal.contains(key) && rehearsal[key].is_number() ? rehearsal[key].get<double>() : 0.0;
        };
        printNote(fmt::format("rehearsed: {:.0f} ms a step, {} forecast, {} measured with the longest micro-batch", number("step_ms"),
                              formatBytes(static_cast<std::uint64_t>(number("forecast_bytes"))),
                              formatBytes(static_cast<std::uint64_t>(number("measured_bytes")))));
        if (steps.steps > 0)
            printNote("about " + formatDuration(number("step_ms") * 1e-3 * static_cast<double>(steps.steps)) + " for " + formatCount(steps.steps) +
                      " steps");
    }
    return 0;
}

}  // namespace

void addPlanCommand(CLI::App& app, Context& context) {
    auto options = std::make_shared<PlanOptions>();
    CLI::App* command = addCommand(app, "plan", "Say what a run would need, before it starts",
                                   "  mofo plan --model SmolLM2-135M-Instruct.Q4_1.gguf --data rows.jsonl --set batch=8\n"
                                   "  mofo plan --model DIR --data rows.jsonl --rehearse --json");
    addConfigOptions(*command, options->config);
    command->add_flag("--rehearse", options->rehearse, "Let an engine do the first steps, on weights that nobody keeps, and measure");
    command->add_flag("--json", options->json, "Answer in JSON");
    command->callback([&context, options] { context.action = [&context, options] { return plan(context, *options); }; });
}

}  // namespace mofo::cli
