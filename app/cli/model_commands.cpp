#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/context.h"
#include "app/cli/hub_argument.h"
#include "app/cli/model_argument.h"
#include "app/cli/shown_job.h"
#include "app/cli/terminal.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/client/run_json.h"
#include "core/library/model_library.h"
#include "core/library/model_place.h"
#include "core/model/model_source.h"
#include "core/text/dataset.h"

namespace mofo::cli {

namespace fs = std::filesystem;

namespace {

// ---- import ----------------------------------------------------------------------------------------------------------------

struct ImportOptions {
    std::string source, target, dtype = "fp32";
};

Result<int> importModel(const Context& context, const ImportOptions& options) {
    watchInterrupts();
    MOFO_TRY(const ModelPlace place, placeOfModel(context, options.source));
    std::error_code ec;
    if (fs::exists(fs::symlink_status(options.target, ec))) {
        return Error{ErrorCode::InvalidInput, "the target exists already", escapeForDisplay(options.target), "Name a folder that does not exist yet",
                     ""};
    }
    MOFO_TRY(const std::unique_ptr<ModelSource> source, ModelSource::open(place.source));
    for (const std::string& warning : source->warnings()) printNote("warning: " + warning);
    const Stopwatch watch;
    const ImportProgress progress = importProgress(place.suggestedName);
    const DType dtype = options.dtype == "bf16" ? DType::BF16 : DType::F32;
    fs::path target = fs::absolute(options.target, ec).lexically_normal();
    if (!target.has_filename()) target = target.parent_path();
    MOFO_TRY(const std::string hash, writeHfFolder(*source, target, dtype, [&](double share) { return progress("copy", share); }));
    fmt::print("{}\n", escapeForDisplay(target.string()));
    printNote(fmt::format("{}, {} parameters, written as {} in {:.1f} s, SHA-256 {}", source->formatName(),
                          formatCount(source->description().parameterCount()), options.dtype, watch.elapsedMs() * 1e-3, hash.substr(0, 16)));
    return 0;
}

// ---- models ----------------------------------------------------------------------------------------------------------------

struct ModelOptions {
    std::string model, name;
    bool json = false;
};

Result<int> modelsAdd(const Context& context, const ModelOptions& options) {
    watchInterrupts();
    MOFO_TRY(const std::string source, localPathOf(options.model, HubKind::Model));
    MOFO_TRY(Store store, openOrCreateStore(context));
    MOFO_TRY(const ModelRow model, sealModel(store.workspace, store.registry, source, options.name, importProgress(options.model)));
    if (options.json) {
        printJson(modelJson(model));
    } else {
        fmt::print("{}\n", model.id);
        printNote(fmt::format("{}: {}, {} parameters, {}", escapeForDisplay(model.name), model.format, formatCount(model.parameterCount),
                              formatBytes(static_cast<std::uint64_t>(model.sizeBytes))));
    }
    return 0;
}

Result<int> modelsList(const Context& context, const ModelOptions& options) {
    std::vector<ModelRow> models;
    auto store = openStore(context, Registry::Access::ReadOnly);
    if (store.ok()) {
        MOFO_TRY(models, store->registry.models());
    } else if (store.error().code != ErrorCode::NotFound) {
        return std::move(store).error();
    }
    if (options.json) {
        Json array = Json::array();
        for (const ModelRow& model : models) array.push_back(modelJson(model));
        printJsonArray(array);
        return 0;
    }
    if (models.empty()) {
        printNote("No model is in this workspace yet: mofo models add MODEL.gguf");
        return 0;
    }
    std::vector<std::vector<std::string>> rows = {{"NAME", "ID", "PARAMETERS", "SIZE", "FORMAT", "IMPORTED", "VERIFIED"}};
    for (const ModelRow& model : models) {
        rows.push_back({escapeForDisplay(model.name), model.id, formatCount(model.parameterCount),
                        formatBytes(static_cast<std::uint64_t>(model.sizeBytes)), model.format, formatLocalTime(model.importedNs),
                        model.verifiedNs ? formatLocalTime(*model.verifiedNs) : "-"});
    }
    fmt::print("{}", tableText(rows, {2, 3}));
    return 0;
}

Result<int> modelsVerify(const Context& context, const ModelOptions& options) {
    watchInterrupts();
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const ModelRow model, store.registry.findModel(options.model));
    MOFO_CHECK(verifyModel(store.workspace, store.registry, model, importProgress(model.name)));
    fmt::print("{} is as it was sealed\n", escapeForDisplay(model.name));
    return 0;
}

Result<int> modelsRemove(const Context& context, const ModelOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const ModelRow model, store.registry.findModel(options.model));
    MOFO_CHECK(removeModel(store.workspace, store.registry, model));
    printNote(fmt::format("removed {} ({})", escapeForDisplay(model.name), model.id));
    return 0;
}

void addModels(CLI::App& app, Context& context) {
    CLI::App* models = addCommand(app, "models", "Models of the workspace: add, list, verify, remove",
                                  "  mofo models add SmolLM2-135M-Instruct.Q4_1.gguf --name smollm2\n"
                                  "  mofo models list --json\n"
                                  "  mofo models verify smollm2");
    models->require_subcommand(1);
    auto options = std::make_shared<ModelOptions>();
    CLI::App* add =
        addCommand(*models, "add", "Seal a copy of a model into the workspace; prints its id", "  mofo models add ./my-llama --name my-llama");
    add->add_option("model", options->model, "GGUF file, Hugging Face folder or hf:owner/name")->required();
    add->add_option("--name", options->name, "How to call it (default: the file's name)");
    add->add_flag("--json", options->json, "Answer in JSON");
    add->callback([&context, options] { context.action = [&context, options] { return modelsAdd(context, *options); }; });
    CLI::App* list = addCommand(*models, "list", "List the workspace's models", "  mofo models list");
    list->add_flag("--json", options->json, "Answer in JSON");
    list->callback([&context, options] { context.action = [&context, options] { return modelsList(context, *options); }; });
    CLI::App* verify = addCommand(*models, "verify", "Read a sealed model again and compare its hashes", "  mofo models verify smollm2");
    verify->add_option("model", options->model, "Name or id")->required();
    verify->callback([&context, options] { context.action = [&context, options] { return modelsVerify(context, *options); }; });
    CLI::App* remove = addCommand(*models, "remove", "Remove a model that no run refers to", "  mofo models remove smollm2");
    remove->add_option("model", options->model, "Name or id")->required();
    remove->callback([&context, options] { context.action = [&context, options] { return modelsRemove(context, *options); }; });
}

// ---- tokens and score ------------------------------------------------------------------------------------------------------

struct RowOptions {
    std::string model, data;
    std::int64_t skip = 0;
    std::int64_t limit = -1;
    std::int64_t maxLength = -1;
    std::vector<std::string> assignments;
    bool json = false;
};

// The keys of --set that matter without training; the others are accepted as far as they exist.
Result<RunConfig> configOf(const RowOptions& options) {
    RunConfig config;
    config.device = "cpu";
    for (const std::string& assignment : options.assignments) {
        MOFO_TRY(const auto parts, splitAssignment(assignment));
        MOFO_CHECK(setConfigValue(config, parts.first, parts.second));
    }
    if (options.maxLength >= 0) MOFO_CHECK(setConfigValue(config, "max_length", std::to_string(options.maxLength)));
    return config;
}

std::string idsHash(const std::vector<TokenId>& ids) {
    Sha256 hash;
    std::string text;
    for (const TokenId id : ids) {
        if (!text.empty()) text += ' ';
        text += std::to_string(id);
    }
    hash.update(text);
    return hash.hex();
}

Result<int> tokens(const Context& context, const RowOptions& options) {
    MOFO_TRY(const RunConfig config, configOf(options));
    MOFO_TRY(const ModelPlace place, placeOfModel(context, options.model));
    MOFO_TRY(const std::unique_ptr<ModelSource> source, ModelSource::open(place.source));
    MOFO_TRY(const Tokenizer tokenizer, source->loadTokenizer());
    MOFO_TRY(const std::optional<ChatTemplate> chatTemplate, chooseChatTemplate(tokenizer, config.chatTemplate));
    MOFO_TRY(const std::string data, localPathOf(options.data, HubKind::Dataset));
    MOFO_TRY(DatasetReader reader, DatasetReader::open(data, config.columns));
    watchInterrupts();
    Json out = Json::array();
    std::int64_t refused = 0, trainedSum = 0, tokenSum = 0;
    std::string firstReason;
    for (std::int64_t index = 0; options.limit < 0 || index < options.skip + options.limit; ++index) {
        if (interrupted()) return Error{ErrorCode::Interrupted, "interrupted", "", "", ""};
        MOFO_TRY(const DatasetReader::Next next, reader.next());
        if (!next.row && !next.refused) break;
        if (index < options.skip) continue;
        std::optional<RefusedRow> refusal = next.refused;
        if (next.row) {
            auto row = renderRow(*next.row, tokenizer, chatTemplate ? &*chatTemplate : nullptr, 0);
            if (row.ok()) {
                std::int64_t trained = 0;
                for (const std::uint8_t flag : row->trained) trained += flag;
                out.push_back({{"tokens", row->ids.size()}, {"trained", trained}, {"sha256", idsHash(row->ids)}});
                tokenSum += static_cast<std::int64_t>(row->ids.size());
                trainedSum += trained;
                continue;
            }
            refusal = RefusedRow{next.row->line, row.error().message, row.error().tag};
        }
        ++refused;
        if (firstReason.empty()) firstReason = fmt::format("line {}: {}", refusal->line, refusal->reason);
    }
    if (refused > 0) printNote(fmt::format("{} rows were refused; {}", formatCount(refused), firstReason));
    if (out.empty() && refused > 0) {
        return Error{ErrorCode::InvalidInput, "no row of the file can be used", escapeForDisplay(options.data),
                     "Name its columns with --set columns=prompt:A,completion:B", "MISSING"};
    }
    if (options.json) {
        printJsonArray(out);
    } else {
        fmt::print("{} rows, {} tokens, {} of them trained on\n", formatCount(static_cast<std::int64_t>(out.size())), formatCount(tokenSum),
                   formatCount(trainedSum));
    }
    return 0;
}

Result<int> score(const Context& context, const RowOptions& options) {
    MOFO_TRY(const RunConfig config, configOf(options));
    MOFO_TRY(Store store, openOrCreateStore(context));
    MOFO_TRY(const JobModel model, jobModelOf(store, options.model));
    MOFO_TRY(const std::string data, localPathOf(options.data, HubKind::Dataset));
    {
        MOFO_TRY(const std::unique_ptr<ModelSource> source, ModelSource::open(model.tokenizerSource));
        MOFO_TRY(const Tokenizer tokenizer, source->loadTokenizer());
        MOFO_CHECK(checkData(data, config.columns, tokenizer, config.chatTemplate, 0));
    }
    MOFO_TRY(const ResolvedDevice device, resolveDevice(config.device));
    if (!device.warning.empty()) printNote("warning: " + device.warning);
    Json parameters = model.parameters;
    MOFO_TRY(const fs::path dataFile, resolvedPath(data));
    parameters["data"] = dataFile.string();
    parameters["skip"] = options.skip;
    if (options.limit >= 0) parameters["limit"] = options.limit;
    parameters["max_length"] = config.maxLength;
    parameters["columns"] = config.columns;
    parameters["chat_template"] = config.chatTemplate;
    parameters["precision"] = configValue(config, "precision");
    MOFO_TRY(const Json result, runShown(store, "score", "score", parameters, device.device, model.runId));
    if (!result.is_object() || !result.contains("rows") || !result["rows"].is_array()) {
        return Error{ErrorCode::Internal, "the engine's result holds no rows", "score", "", ""};
    }
    const Json& rows = result["rows"];
    if (options.json) {
        printJsonArray(rows);
        return 0;
    }
    double sum = 0;
    std::int64_t count = 0;
    for (const Json& row : rows) {
        if (row.value("log_likelihood", Json()).is_number()) sum += row["log_likelihood"].get<double>();
        count += row.value("tokens", std::int64_t{0});
    }
    fmt::print("{} rows, {} trained tokens, log-likelihood {:.4f}, {:.5f} nats per token\n", formatCount(static_cast<std::int64_t>(rows.size())),
               formatCount(count), sum, count > 0 ? -sum / static_cast<double>(count) : 0.0);
    return 0;
}

void addRowOptions(CLI::App* command, const std::shared_ptr<RowOptions>& options, bool withLength) {
    command->add_option("--model", options->model, "GGUF file, Hugging Face folder, workspace model or hf:owner/name")->required()->type_name("M");
    command->add_option("--data", options->data, "JSONL, JSON array, CSV or TSV, or hf:datasets/owner/name:file")->required()->type_name("FILE");
    command->add_option("--skip", options->skip, "Rows of the file to pass over")->check(wholeNumberFrom(0))->type_name("N");
    command->add_option("--limit", options->limit, "At most so many rows of the file after those")->check(wholeNumberFrom(0))->type_name("N");
    if (withLength) {
        command->add_option("--max-length", options->maxLength, "Cut rows to so many tokens (default 1024)")
            ->check(wholeNumberFrom(1))
            ->type_name("N");
    }
    command
        ->add_option("--set", options->assignments,
                     "key=value as in train: columns, chat_template" + std::string(withLength ? ", device, precision" : ""))
        ->type_name("KEY=VALUE");
    command->add_flag("--json", options->json, "Answer in JSON, one element per row");
}

}  // namespace

void addModelCommands(CLI::App& app, Context& context) {
    auto importOptions = std::make_shared<ImportOptions>();
    CLI::App* import = addCommand(app, "import", "Turn a GGUF file or a Hugging Face folder into a folder that Transformers loads",
                                  "  mofo import SmolLM2-135M-Instruct.Q4_1.gguf ./smollm2\n"
                                  "  mofo import ./my-llama ./my-llama-bf16 --dtype bf16");
    import->add_option("source", importOptions->source, "GGUF file, Hugging Face folder, workspace model or hf:owner/name")->required();
    import->add_option("target", importOptions->target, "Folder to make")->required();
    import->add_option("--dtype", importOptions->dtype, "Type of the weights: fp32 or bf16")
        ->check(CLI::IsMember({"fp32", "bf16"}))
        ->capture_default_str();
    import->callback([&context, importOptions] { context.action = [&context, importOptions] { return importModel(context, *importOptions);
};
}  // namespace mofo::cli
);

addModels(app, context);

auto tokenOptions = std::make_shared<RowOptions>();
CLI::App* tokensCommand = addCommand(app, "tokens", "Show how rows become token ids and which of them are trained on",
                                     "  mofo tokens --model SmolLM2-135M-Instruct.Q4_1.gguf --data gsm8k.jsonl --limit 10 --json\n"
                                     "  mofo tokens --model smollm2 --data table.csv --set columns=prompt:Question,completion:Answer");
addRowOptions(tokensCommand, tokenOptions, false);
tokensCommand->callback([&context, tokenOptions] { context.action = [&context, tokenOptions] { return tokens(context, *tokenOptions); }; });

auto scoreOptions = std::make_shared<RowOptions>();
CLI::App* scoreCommand = addCommand(app, "score", "Log-likelihood of each row's trained tokens",
                                    "  mofo score --model smollm2 --data gsm8k-test.jsonl --limit 64 --json\n"
                                    "  mofo score --model maths-a15@last --data gsm8k-test.jsonl --max-length 512 --set device=cpu");
addRowOptions(scoreCommand, scoreOptions, true);
scoreCommand->callback([&context, scoreOptions] { context.action = [&context, scoreOptions] { return score(context, *scoreOptions); }; });
}

}  // namespace mofo::cli
