// Where exported weights come from: what lies beside them as mofo.json.
#pragma once

#include <string>

#include "core/base/json.h"
#include "core/engine/checkpoint.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo {

/// {"run","name","step","checkpoint_manifest_sha256","base_model","program",
///  "exactness": null, or "not bit-exact: ..." where the run or one it branched from went on with something changed,
///  "initial_config", "config": of the run's start and of this step,
///  "changes": [{"step": the first update that used it, "who", "values": {key: value}}], those of the runs it branched from included,
///  "undone": [{"step": gone back to, "who", "text", "when"}] in order,
///  "parents": [{"run","name","step"}], the nearest first}.
/// What the store cannot tell of (a run that is gone) is left out: null or empty.
[[nodiscard]] Json provenanceOf(const Workspace& workspace, const Registry& registry, const std::string& runId, const FoundCheckpoint& checkpoint,
                                const std::string& baseModel);

}  // namespace mofo
