// What a user calls a model, turned into a place that ModelSource::open reads.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

struct ModelPlace {
    std::string source;              ///< absolute path of a GGUF file, an HF folder or a sealed model's folder; or random:NAME
    std::string suggestedName;       ///< "SmolLM2-135M-Instruct": the file's or folder's own name, or the workspace's
    std::optional<ModelRow> sealed;  ///< where it is a model of the workspace already
    [[nodiscard]] bool isRandom() const { return source.rfind("random:", 0) == 0; }
};

/// A path that exists wins; else id, unique id prefix or unique name in the workspace; else random:NAME. `registry` may be null where no
/// workspace exists: only paths are found then. NotFound says both places that were looked at; hf: is Unsupported here: clients
/// resolve it with core/hub first.
Result<ModelPlace> locateModel(const Workspace* workspace, const Registry* registry, std::string_view nameOrPath);

/// Path, size and modification time of a GGUF file, or of every regular file of a folder: equal keys mean that nothing was touched.
Result<std::string> sourceKeyOf(const std::filesystem::path& source);

}  // namespace mofo
