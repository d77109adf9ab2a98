// Models of the workspace: imported once, sealed (read-only), found again by content.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

/// 0..1 and a word for the phase; false cancels.
using ImportProgress = std::function<bool(std::string_view phase, double progress)>;

/// Resolves what a user calls a model (GGUF file, HF folder, id or name in the workspace, random:NAME) to a sealed model,
/// importing it first where it is new. The same source, or the same content, is never stored twice. Import = copy to fp32 (or the
/// source's own plain dtype) safetensors + config + tokenizer under models/<id>, made whole (StagedFolder), then read-only.
Result<ModelRow> sealModel(const Workspace& workspace, Registry& registry, const std::string& nameOrPath, std::string_view name = {},
                           const ImportProgress& progress = {});

/// Reads every sealed file again and compares its SHA-256 with the registry; names the file that differs.
Result<void> verifyModel(const Workspace& workspace, Registry& registry, const ModelRow& model, const ImportProgress& progress = {});

/// Moves a model that no run refers to out of the workspace for good.
Result<void> removeModel(const Workspace& workspace, Registry& registry, const ModelRow& model);

}  // namespace mofo
