#include "core/library/model_place.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/hub_path.h"
#include "core/base/text.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

// The name of the file or folder itself; the folder of a commit from the Hub has the repository's.
std::string nameOfPath(const fs::path& path) {
    if (const auto place = hubPlaceOfPath(path.string()); place && place->file.empty()) return place->id.substr(place->id.find('/') + 1);
    fs::path named = path;
    std::error_code ec;
    // Old repositories have no owner: models--gpt2.
    if (fs::is_directory(path, ec) && path.parent_path().filename() == "snapshots") {
        named = path.parent_path().parent_path();
        const std::string repository = named.filename().string();
        if (const auto cut = repository.rfind("--"); cut != std::string::npos) return repository.substr(cut + 2);
    }
    const std::string extension = named.extension().string();
    return extension == ".gguf" || extension == ".GGUF" ? named.stem().string() : named.filename().string();
}

Result<std::string> keyPart(const fs::path& file, const std::string& shown) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return errnoError(errno, "cannot look at", file);
    return shown + '|' + std::to_string(info.st_size) + '|' + std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec);
}

}  // namespace

Result<std::string> sourceKeyOf(const fs::path& source) {
    std::error_code ec;
    if (!fs::is_directory(source, ec)) return keyPart(source, source.string());
    std::vector<fs::path> files;
    for (fs::directory_iterator it(source, ec), end; !ec && it != end; it.increment(ec)) {
        std::error_code kind;
        if (it->is_regular_file(kind)) files.push_back(it->path());
    }
    if (ec) return errnoError(ec.value(), "cannot list the folder", source);
    std::sort(files.begin(), files.end());
    // Folders may hold hundreds of shards: the key stays short, and the path readable.
    Sha256 hash;
    for (const fs::path& file : files) {
        MOFO_TRY(const std::string part, keyPart(file, file.filename().string()));
        hash.update(part + '\n');
    }
    return source.string() + '|' + hash.hex();
}

Result<ModelPlace> locateModel(const Workspace* workspace, const Registry* registry, std::string_view nameOrPath) {
    const std::string text(nameOrPath);
    const std::string shown = escapeForDisplay(text);
    if (text.empty()) return Error{ErrorCode::Usage, "no model is named", "model", "Give a GGUF file, a Hugging Face folder or a model of the workspace", ""};
    if (text.rfind("random:", 0) == 0) return ModelPlace{text, text, std::nullopt};
    if (text.rfind("hf:", 0) == 0) {
        return Error{ErrorCode::Unsupported, "a model of the Hugging Face Hub has to be on this machine first", shown, "Run mofo get " + shown + " and give the path that it prints", ""};
    }
    std::error_code ec;
    if (fs::exists(text, ec)) {
        MOFO_TRY(const fs::path path, resolvedPath(text));
        ModelPlace place{path.string(), nameOfPath(path), std::nullopt};
        if (workspace != nullptr && registry != nullptr && path.parent_path() == fs::weakly_canonical(workspace->folder() / "models", ec)) {
            if (auto row = registry->findModel(path.filename().string()); row.ok() && row->id == path.filename()) {
                place.suggestedName = row->name;
                place.sealed = std::move(row).value();
            }
        }
        return place;
    }
    if (registry != nullptr && workspace != nullptr && text.find('/') == std::string::npos) {
        auto row = registry->findModel(text);
        if (row.ok()) return ModelPlace{workspace->modelFolder(row->id).string(), row->name, row.value()};
        if (row.error().code != ErrorCode::NotFound) return std::move(row).error();
    }
    const bool looksLikePath = text.find('/') != std::string::npos || text.ends_with(".gguf");
    return Error{ErrorCode::NotFound, looksLikePath ? "there is no such file or folder" : "there is neither a file or folder nor a workspace model of that name",
                 shown, "Give a GGUF file, a Hugging Face folder, or a name that `mofo models list` shows", ""};
}

}  // namespace mofo
