// get: models and data sets of the Hugging Face Hub, and the data of tasks.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "app/cli/context.h"
#include "app/cli/get_task.h"
#include "app/cli/hub_argument.h"
#include "core/base/text.h"
#include "core/task/task.h"

namespace mofo::cli {

namespace {

struct GetOptions {
    std::string reference;
    bool json = false;
};

Json planJson(const HubPlan& plan) {
    Json files = Json::array();
    for (const HubFile& file : plan.files) {
        files.push_back({{"name", file.name},
                         {"path", (plan.folder / file.name).string()},
                         {"size_bytes", file.sizeBytes},
                         {"sha256", file.sha256.empty() ? Json(nullptr) : Json(file.sha256)}});
    }
    return {{"reference", plan.pinned()},
            {"commit", plan.commit},
            {"path", plan.path.string()},
            {"files", std::move(files)},
            {"licence", plan.licence.empty() ? Json(nullptr) : Json(plan.licence)},
            {"gated", plan.gated},
            {"bytes", plan.totalBytes}};
}

Result<int> get(const Context& context, const GetOptions& options) {
    if (isTaskReference(options.reference)) return getTask(context, options.reference, options.json);
    MOFO_TRY(const HubSettings settings, HubSettings::fromEnvironment());
    const auto reference = parseHubReference(options.reference, settings.endpoint);
    if (!reference.ok()) {
        Error error = reference.error();
        if (findBuiltInTask(options.reference) != nullptr) error.remedy = "Did you mean task:" + options.reference + "?";
        return error;
    }
    MOFO_TRY(const HubPlan plan, getFromHub(*reference));
    if (options.json) {
        printJson(planJson(plan));
    } else {
        fmt::print("{}\n", escapeForDisplay(plan.path.string()));
    }
    return 0;
}

}  // namespace

void addGetCommand(CLI::App& app, Context& context) {
    auto options = std::make_shared<GetOptions>();
    CLI::App* command = addCommand(app, "get", "Download a model or a data set from the Hugging Face Hub, or the data of a task; prints its path",
                                   "  mofo get hf:HuggingFaceTB/SmolLM2-135M-Instruct\n"
                                   "  mofo get hf:datasets/owner/name:train.jsonl\n"
                                   "  mofo get task:gsm8k\n"
                                   "  mofo get https://huggingface.co/owner/name/blob/main/model.Q8_0.gguf");
    command
        ->add_option("reference", options->reference,
                     "hf:owner/name[@revision][:file], hf:datasets/owner/name[...], an address of the Hub, or task:NAME (see `mofo tasks`)")
        ->required()
        ->type_name("REF");
    command->add_flag("--json", options->json, "Answer in JSON: commit, path, files, licence, bytes; of a task path, items, sha256, source");
    command->callback([&context, options] { context.action = [&context, options] { return get(context, *options); }; });
}

}  // namespace mofo::cli
