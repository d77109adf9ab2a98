// interpolate, landscape: what lies between two models.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/context.h"
#include "app/cli/hub_argument.h"
#include "app/cli/model_argument.h"
#include "app/cli/shown_job.h"
#include "app/cli/terminal.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/model/interpolation.h"
#include "core/model/model_source.h"

namespace mofo::cli {

namespace fs = std::filesystem;

namespace {

struct Options {
    std::string a, b, weight, target, type = "f32", data, general, device = "auto", columns, chatTemplate;
    std::int64_t limit = 100, points = 21, maxLength = 1024;
    double from = -2, to = 2;
    bool json = false;
};

struct Pair {
    JobModel a, b;
};

/// Both models, which must be of one architecture; tokenizers that differ are said.
Result<Pair> pairOf(const Store& store, const Options& options) {
    MOFO_TRY(JobModel a, jobModelOf(store, options.a));
    MOFO_TRY(JobModel b, jobModelOf(store, options.b));
    MOFO_TRY(const std::unique_ptr<ModelSource> first, ModelSource::open(a.tokenizerSource));
    MOFO_TRY(const std::unique_ptr<ModelSource> second, ModelSource::open(b.tokenizerSource));
    if (const auto difference = architectureDifference(first->description(), second->description())) {
        return Error{ErrorCode::InvalidInput, "the two models cannot be computed with one another: " + *difference,
                     escapeForDisplay(options.a) + " and " + escapeForDisplay(options.b),
                     "Give two models of one architecture, such as a model and what was tuned from it", "SIZE"};
    }
    MOFO_TRY(const Tokenizer tokenizer, first->loadTokenizer());
    MOFO_TRY(const Tokenizer other, second->loadTokenizer());
    if (tokenizer.sha256() != other.sha256()) printNote("warning: the two models have different tokenizers; that of A is used");
    return Pair{std::move(a), std::move(b)};
}

Result<fs::path> newFolder(const std::string& named) {
    std::error_code ec;
    if (fs::exists(fs::symlink_status(named, ec))) {
        return Error{ErrorCode::InvalidInput, "the target exists already", escapeForDisplay(named), "Name a folder that does not exist yet", ""};
    }
    fs::path target = fs::absolute(named, ec).lexically_normal();
    if (!target.has_filename()) target = target.parent_path();
    if (!fs::is_directory(target.parent_path(), ec)) {
        return Error{ErrorCode::InvalidInput, "the folder in which the target should be made does not exist",
                     escapeForDisplay(target.parent_path().string()), "Make it first", ""};
    }
    return target;
}

Result<int> interpolateModels(const Context& context, const Options& options) {
    MOFO_TRY(const MergeWeights weights, MergeWeights::parse(options.weight));
    MOFO_TRY(const fs::path target, newFolder(options.target));
    MOFO_TRY(Store store, openOrCreateStore(context));
    MOFO_TRY(const Pair pair, pairOf(store, options));
    const Json parameters = {
        {"a", pair.a.parameters}, {"b", pair.b.parameters}, {"weight", weights.toJson()}, {"target", target.string()}, {"dtype", options.type}};
    MOFO_TRY(const Json result, runShown(store, "interpolate", "interpolate", parameters, "cpu", pair.b.runId));
    if (options.json) {
        printJson(result);
        return 0;
    }
    fmt::print("{}\n", escapeForDisplay(target.string()));
    printNote(fmt::format("{} + w ({} - {}), w {}; read back and compared, SHA-256 {}", escapeForDisplay(pair.a.shown),
                          escapeForDisplay(pair.b.shown), escapeForDisplay(pair.a.shown), weights.text(),
                          result.value("sha256", std::string()).substr(0, 16)));
    return 0;
}

std::string lossText(const Json& point, const char* key) {
    const Json loss = point.value(key, Json());
    return loss.is_number() ? fmt::format("{:.4f}", loss.get<double>()) : loss.is_string() ? loss.get<std::string>() : "-";
}

Result<int> landscape(const Context& context, const Options& options) {
    if (!(options.to > options.from))
        return Error{ErrorCode::Usage, "--to must be above --from", formatShortest(options.to), "The defaults are -2 and 2", ""};
    MOFO_TRY(Store store, openOrCreateStore(context));
    MOFO_TRY(const Pair pair, pairOf(store, options));
    Json parameters = {
        {"a", pair.a.parameters},         {"b", pair.b.parameters}, {"limit", options.limit},     {"points", options.points},
        {"from", options.from},           {"to", options.to},       {"columns", options.columns}, {"chat_template", options.chatTemplate},
        {"max_length", options.maxLength}};
    MOFO_TRY(const std::unique_ptr<ModelSource> source, ModelSource::open(pair.a.tokenizerSource));
    MOFO_TRY(const Tokenizer tokenizer, source->loadTokenizer());
    for (const auto& [key, named] : {std::pair("data", options.data), std::pair("general", options.general)}) {
        if (named.empty()) continue;
        MOFO_TRY(const std::string local, localPathOf(named, HubKind::Dataset));
        MOFO_CHECK(checkData(local, options.columns, tokenizer, options.chatTemplate, options.maxLength));
        MOFO_TRY(const fs::path file, resolvedPath(local));
        parameters[key] = file.string();
    }
    MOFO_TRY(const ResolvedDevice device, resolveDevice(options.device));
    if (!device.warning.empty()) printNote("warning: " + device.warning);
    MOFO_TRY(const Json result, runShown(store, "landscape", "landscape", parameters, device.device, pair.b.runId));
    if (options.json) {
        printJson(result);
        return 0;
    }
    std::vector<std::vector<std::string>> table = {{"T", "TASK LOSS", "GENERAL LOSS", ""}};
    for (const Json& point : result.value("points", Json::array())) {
        const double t = point.value("t", 0.0);
        table.push_back({fmt::format("{:.2f}", t), lossText(point, "task_loss"), lossText(point, "general_loss"),
                         t == 0   ? escapeForDisplay(pair.a.shown)
                         : t == 1 ? escapeForDisplay(pair.b.shown)
                                  : ""});
    }
    fmt::print("{}", tableText(table, {0, 1, 2}));
    return 0;
}

}  // namespace

void addInterpolateCommands(CLI::App& app, Context& context) {
    const auto add = [&](const char* name, const char* help, const char* examples, Result<int> (*act)(const Context&, const Options&)) {
        auto options = std::make_shared<Options>();
        CLI::App* command = addCommand(app, name, help, examples);
        const char* which = "Model (file, folder, workspace model, hf:owner/name) or RUN[@STEP]";
        command->add_option("a", options->a, which)->required()->type_name("A");
        command->add_option("b", options->b, which)->required()->type_name("B");
        command->add_flag("--json", options->json, "Answer in JSON");
        command->callback([&context, options, act] { context.action = [&context, options, act] { return act(context, *options); }; });
        return std::pair(command, options);
    };
    {
        auto [command, options] = add("interpolate", "Write the model A + w (B - A), without training (WiSE-FT, arXiv 2109.01903)",
                                      "  mofo interpolate smollm2 maths-a15 ./maths-half --weight 0.5\n"
                                      "  mofo interpolate smollm2 maths-a15@200 ./maths-mixed --weight attention=0.3,mlp=0.5 --type bf16",
                                      interpolateModels);
        command->add_option("target", options->target, "Folder to make, which Transformers loads")->required()->type_name("DEST");
        command
            ->add_option("--weight", options->weight,
                         "How far to go from A (0) to B (1); or by kind: attention, mlp, embedding, head, norm (others stay as in A)")
            ->required()
            ->type_name("W");
        command->add_option("--type", options->type, "Type of the weights: f32, bf16 or f16")
            ->check(CLI::IsMember({"f32", "bf16", "f16"}))
            ->capture_default_str();
    }
    {
        auto [command, options] = add("landscape", "Loss along the line from A (t = 0) through B (t = 1), of the task and of general text",
                                      "  mofo landscape smollm2 maths-a15 --data maths-test.jsonl --general wiki.jsonl\n"
                                      "  mofo landscape smollm2 maths-a15@200 --data maths-test.jsonl --from 0 --to 1 --points 11 --json",
                                      landscape);
        command->add_option("--data", options->data, "Rows of the task")->required()->type_name("FILE");
        command->add_option("--general", options->general, "Rows of something else, such as general text")->type_name("FILE");
        command->add_option("--limit", options->limit, "At most so many rows of each file")->check(wholeNumberFrom(1))->capture_default_str();
        command->add_option("--max-length", options->maxLength, "Cut rows to so many tokens")->check(CLI::Range(2, 1 << 20))->capture_default_str();
        command->add_option("--points", options->points, "How many")->check(CLI::Range(2, 1001))->capture_default_str();
        command->add_option("--from", options->from, "t of the first")->check(CLI::Range(-100.0, 100.0))->capture_default_str();
        command->add_option("--to", options->to, "t of the last")->check(CLI::Range(-100.0, 100.0))->capture_default_str();
        command->add_option("--columns", options->columns, "As --set columns of train")->type_name("SPEC");
        command->add_option("--chat-template", options->chatTemplate, "As --set chat_template of train")->type_name("NAME");
        command->add_option("--device", options->device, "auto, cpu, cuda:N")->capture_default_str();
    }
}

}  // namespace mofo::cli
