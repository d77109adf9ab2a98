#include "core/library/model_library.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/library/model_place.h"
#include "core/model/model_source.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kWeightsFile = "model.safetensors";
constexpr std::string_view kSealFile = "mofo.json";
constexpr std::string_view kStagePrefix = ".import-";
constexpr std::uint64_t kSealLimit = 1u << 20;

Error interrupted() { return Error{ErrorCode::Interrupted, "the import was cancelled", "", "", ""}; }

bool report(const ImportProgress& progress, std::string_view phase, double share) { return !progress || progress(phase, share); }

// Sealed models and half-made ones may be read-only.
void removeTree(const fs::path& folder) {
    std::error_code ec;
    fs::permissions(folder, fs::perms::owner_all, fs::perm_options::add, ec);
    for (fs::recursive_directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        std::error_code ignored;
        if (it->is_directory(ignored)) fs::permissions(it->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
    }
    fs::remove_all(folder, ec);
}

// Removes the staging folder of an import that did not come to its end.
class StageGuard {
public:
    explicit StageGuard(fs::path folder) : m_folder(std::move(folder)) {}
    StageGuard(const StageGuard&) = delete;
    StageGuard& operator=(const StageGuard&) = delete;
    ~StageGuard() {
        std::error_code ec;
        if (fs::exists(m_folder, ec)) removeTree(m_folder);
    }

private:
    fs::path m_folder;
};

// What an import that was killed left behind. Only the holder of the import lock calls this, so no living import is met.
void removeLeftovers(const fs::path& models) {
    std::error_code ec;
    std::vector<fs::path> old;
    for (fs::directory_iterator it(models, ec), end; !ec && it != end; it.increment(ec)) {
        if (it->is_directory(ec) && it->path().filename().string().find(kStagePrefix) != std::string::npos) old.push_back(it->path());
    }
    for (const fs::path& folder : old) removeTree(folder);
}

Result<FileLock> waitForImportLock(const fs::path& models, const ImportProgress& progress) {
    while (true) {
        auto lock = FileLock::tryAcquire(models / ".lock");
        if (lock.ok() || lock.error().code != ErrorCode::Busy) return lock;
        if (!report(progress, "waiting for another import", 0)) return interrupted();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

// The source's own plain type keeps a bf16 model half as large; everything else becomes fp32. Both hold the weights exactly.
DType sealedType(const ModelSource& source) {
    const std::string format = source.formatName();
    if (source.isQuantised()) return DType::F32;
    if (format.ends_with("BF16")) return DType::BF16;
    if (format.ends_with(" F16")) return DType::F16;
    return DType::F32;
}

Result<Json> hashFiles(const fs::path& folder, const ImportProgress& progress) {
    Json files = Json::object();
    std::error_code ec;
    for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        const std::string name = it->path().filename().string();
        if (name == kSealFile || name == kWeightsFile) continue;
        MOFO_TRY(const std::string hash, sha256OfFile(it->path()));
        files[name] = hash;
        if (!report(progress, "seal", 1.0)) return interrupted();
    }
    if (ec) return errnoError(ec.value(), "cannot list the folder", folder);
    return files;
}

Result<void> makeReadOnly(const fs::path& folder) {
    std::error_code ec;
    for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        if (::chmod(it->path().c_str(), 0444) != 0) return errnoError(errno, "cannot seal", it->path());
    }
    if (ec) return errnoError(ec.value(), "cannot list the folder", folder);
    if (::chmod(folder.c_str(), 0555) != 0) return errnoError(errno, "cannot seal", folder);
    return {};
}

std::uint64_t folderBytes(const fs::path& folder) {
    std::uint64_t sum = 0;
    std::error_code ec;
    for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        std::error_code one;
        if (const auto size = it->file_size(one); !one) sum += size;
    }
    return sum;
}

Result<std::string> uniqueModelName(const Registry& registry, std::string_view wanted) {
    MOFO_TRY(const std::vector<ModelRow> models, registry.models());
    const auto taken = [&](const std::string& name) {
        return std::any_of(models.begin(), models.end(), [&](const ModelRow& model) { return model.name == name; });
    };
    std::string name(wanted);
    for (int n = 2; taken(name); ++n) name = std::string(wanted) + '-' + std::to_string(n);
    return name;
}

// A model of the same weights, tokenizer and configuration that the workspace has already.
Result<std::optional<ModelRow>> findSameContent(const Registry& registry, const ModelRow& model) {
    MOFO_TRY(const std::vector<ModelRow> models, registry.models());
    for (const ModelRow& other : models) {
        if (other.sha256 == model.sha256 && other.tokenizerSha256 == model.tokenizerSha256 && other.description == model.description) return {other};
    }
    return {std::nullopt};
}

// Equal weights with another tokenizer or configuration are another model, so they need another id.
Result<std::string> chooseId(const Registry& registry, const ModelRow& model) {
    MOFO_TRY(const std::vector<ModelRow> models, registry.models());
    const auto taken = [&](const std::string& id) {
        return std::any_of(models.begin(), models.end(), [&](const ModelRow& other) { return other.id == id; });
    };
    std::string id = model.sha256.substr(0, 16);
    if (taken(id)) id = sha256Hex(model.sha256 + model.tokenizerSha256 + model.description.dump()).substr(0, 16);
    return id;
}

Result<std::optional<ModelRow>> findIntact(const Workspace& workspace, const Registry& registry, const std::string& sourceKey) {
    MOFO_TRY(std::optional<ModelRow> row, registry.findModelBySourceKey(sourceKey));
    std::error_code ec;
    if (row && !fs::exists(workspace.modelFolder(row->id) / kWeightsFile, ec)) row.reset();
    return row;
}

// Puts the staged folder in its final place. Only the holder of the import lock comes here, so a folder without a row is a leftover.
Result<void> placeModel(const Workspace& workspace, Registry& registry, const fs::path& stage, const ModelRow& model) {
    const fs::path target = workspace.modelFolder(model.id);
    std::error_code ec;
    if (fs::exists(target, ec)) removeTree(target);
    if (::rename(stage.c_str(), target.c_str()) != 0) return errnoError(errno, "cannot put the model in its place", target);
    MOFO_CHECK(syncFolder(target.parent_path()));
    if (auto added = registry.addModel(model); !added.ok()) {
        removeTree(target);  // without a row nobody would find it
        return std::move(added).error();
    }
    return {};
}

}  // namespace

Result<ModelRow> sealModel(const Workspace& workspace, Registry& registry, const std::string& nameOrPath, std::string_view name,
                           const ImportProgress& progress) {
    MOFO_TRY(const ModelPlace place, locateModel(&workspace, &registry, nameOrPath));
    if (place.sealed) return *place.sealed;
    if (place.isRandom()) {
        return Error{ErrorCode::Unsupported, "random weights have neither a tokenizer nor a past, so they can be measured but not trained or kept",
                     escapeForDisplay(nameOrPath), "Use them with `mofo bench`, or name a GGUF file or a Hugging Face folder", ""};
    }
    MOFO_TRY(const std::string sourceKey, sourceKeyOf(place.source));
    MOFO_TRY(std::optional<ModelRow> known, findIntact(workspace, registry, sourceKey));
    if (known) return *known;

    const fs::path models = workspace.folder() / "models";
    MOFO_CHECK(makeFolder(models, false));
    MOFO_TRY(const FileLock lock, waitForImportLock(models, progress));
    MOFO_TRY(known, findIntact(workspace, registry, sourceKey));
    if (known) return *known;
    removeLeftovers(models);

    if (!report(progress, "open", 0)) return interrupted();
    MOFO_TRY(const std::unique_ptr<ModelSource> source, ModelSource::open(place.source));
    MOFO_TRY(const Tokenizer tokenizer, source->loadTokenizer());
    const fs::path stage = models / (std::string(kStagePrefix) + newShortId());
    const StageGuard guard(stage);
    ModelRow model;
    MOFO_TRY(model.sha256, writeHfFolder(*source, stage, sealedType(*source), [&](double share) { return report(progress, "copy", share); }));
    MOFO_TRY(const std::string configText, readWholeFile(stage / "config.json", kSealLimit));
    MOFO_TRY(model.description, parseJson(configText));
    model.tokenizerSha256 = tokenizer.sha256();
    MOFO_TRY(const std::optional<ModelRow> same, findSameContent(registry, model));
    std::error_code ec;
    if (same) {
        // One model, known by both places from now on.
        model = *same;
        model.sourceKey = sourceKey;
        if (fs::exists(workspace.modelFolder(model.id) / kWeightsFile, ec)) {
            MOFO_CHECK(registry.addModel(model));
            return model;
        }
    } else {
        MOFO_TRY(model.id, chooseId(registry, model));
        MOFO_TRY(model.name, uniqueModelName(registry, name.empty() ? place.suggestedName : std::string(name)));
        model.source = place.source;
        model.format = source->formatName();
        model.sourceKey = sourceKey;
        model.parameterCount = source->description().parameterCount();
        model.importedNs = wallNs();
    }
    MOFO_TRY(Json files, hashFiles(stage, progress));
    files[std::string(kWeightsFile)] = model.sha256;
    const Json seal = {{"format", 1}, {"source", place.source}, {"source_format", source->formatName()}, {"files", files}};
    MOFO_CHECK(writeFileAtomic(stage / kSealFile, seal.dump(1) + '\n'));
    model.sizeBytes = static_cast<std::int64_t>(folderBytes(stage));
    MOFO_CHECK(makeReadOnly(stage));
    MOFO_CHECK(placeModel(workspace, registry, stage, model));
    return model;
}

Result<void> verifyModel(const Workspace& workspace, Registry& registry, const ModelRow& model, const ImportProgress& progress) {
    const fs::path folder = workspace.modelFolder(model.id);
    const auto damaged = [&](const fs::path& file, std::string what) {
        return Error{ErrorCode::InvalidInput, std::move(what), escapeForDisplay(file.string()),
                     "Remove the model with `mofo models remove` and import it again", "HASH"};
    };
    std::error_code ec;
    if (!fs::is_directory(folder, ec)) return damaged(folder, "the sealed model's folder is missing");
    MOFO_TRY(const std::string sealText, readWholeFile(folder / kSealFile, kSealLimit));
    auto seal = parseJson(sealText);
    if (!seal.ok()) return std::move(seal).error().in(escapeForDisplay((folder / kSealFile).string()));
    if (!seal->is_object() || !seal->contains("files") || !(*seal)["files"].is_object()) return damaged(folder / kSealFile, "the list of files is missing");
    const Json& files = (*seal)["files"];
    double done = 0;
    for (const auto& [name, hash] : files.items()) {
        if (!report(progress, "verify " + name, done / static_cast<double>(files.size()))) return interrupted();
        const fs::path file = folder / fs::path(name).filename();
        MOFO_TRY(const std::string actual, sha256OfFile(file));
        const std::string wanted = name == kWeightsFile ? model.sha256 : hash.is_string() ? hash.get<std::string>() : std::string();
        if (actual != wanted) return damaged(file, "the file differs from what was sealed (SHA-256 " + actual.substr(0, 12) + ", sealed " + wanted.substr(0, 12) + ")");
        done += 1;
    }
    if (!files.contains(std::string(kWeightsFile))) return damaged(folder / kSealFile, "model.safetensors is not in the list of files");
    // The list itself lies in the folder; what decides the model's behaviour is compared with the registry as well.
    MOFO_TRY(const std::string configText, readWholeFile(folder / "config.json", kSealLimit));
    auto config = parseJson(configText);
    if (!config.ok() || *config != model.description) return damaged(folder / "config.json", "the file differs from what was sealed");
    MOFO_TRY(const Tokenizer tokenizer, Tokenizer::fromHfFolder(folder));
    if (tokenizer.sha256() != model.tokenizerSha256) return damaged(folder / "tokenizer.json", "the tokenizer differs from what was sealed");
    return registry.setModelVerified(model.id, wallNs());
}

Result<void> removeModel(const Workspace& workspace, Registry& registry, const ModelRow& model) {
    MOFO_TRY(const FileLock lock, waitForImportLock(workspace.folder() / "models", {}));
    MOFO_CHECK(registry.removeModel(model.id));
    // Out of sight first, so that an interruption leaves a leftover that the next import removes, never half a model.
    const fs::path folder = workspace.modelFolder(model.id);
    const fs::path doomed = workspace.folder() / "models" / (std::string(kStagePrefix) + "removed-" + newShortId());
    if (::rename(folder.c_str(), doomed.c_str()) != 0) {
        if (errno == ENOENT) return {};
        return errnoError(errno, "cannot remove the model's folder", folder);
    }
    removeTree(doomed);
    return {};
}

}  // namespace mofo
