#include "app/cli/model_argument.h"

#include <filesystem>

#include "app/cli/hub_argument.h"
#include "core/client/run_reference.h"

namespace mofo::cli {

namespace fs = std::filesystem;

Result<ModelPlace> placeOfModel(const Context& context, const std::string& named) {
    MOFO_TRY(const std::string text, localPathOf(named, HubKind::Model));
    std::error_code ec;
    if (fs::exists(text, ec)) return locateModel(nullptr, nullptr, text);
    auto store = openStore(context, Registry::Access::ReadOnly);
    if (!store.ok()) {
        if (store.error().code == ErrorCode::NotFound) return locateModel(nullptr, nullptr, text);
        return std::move(store).error();
    }
    return locateModel(&store->workspace, &store->registry, text);
}

Result<JobModel> jobModelOf(const Store& store, const std::string& named) {
    MOFO_TRY(const std::string text, localPathOf(named, HubKind::Model));
    auto place = locateModel(&store.workspace, &store.registry, text);
    if (place.ok()) {
        if (place->isRandom()) {
            return Error{ErrorCode::Unsupported, "random weights have no tokenizer", text, "Name a GGUF file, a Hugging Face folder, a workspace model or a run", ""};
        }
        return JobModel{{{"model", place->sealed ? place->sealed->id : place->source}}, place->source, "", place->suggestedName};
    }
    if (place.error().code != ErrorCode::NotFound) return std::move(place).error();
    auto reference = findRunReference(store.registry, text);
    if (!reference.ok()) {
        if (reference.error().code != ErrorCode::NotFound) return std::move(reference).error();
        return Error{ErrorCode::NotFound, "there is neither a file, a folder, a workspace model nor a run of that name", place.error().where,
                     "See `mofo models list` and `mofo runs`", ""};
    }
    MOFO_TRY(const CheckpointPlace checkpoint, chooseCheckpoint(store.workspace, *reference));
    const RunRow& run = reference->run;
    return JobModel{{{"model", checkpoint.folder.string()}, {"base_model", run.modelId}},
                    store.workspace.modelFolder(run.modelId).string(), run.id, run.name + " @ " + std::to_string(checkpoint.row.step)};
}

}  // namespace mofo::cli
