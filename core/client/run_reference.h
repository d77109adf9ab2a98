// RUN[@STEP] as people write it: a run, and the checkpoint that is meant.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace mofo {

struct RunReference {
    enum class At { Newest, Step, Best, Now };
    RunRow run;
    At at = At::Newest;
    std::int64_t step = 0;
    bool named = false;  ///< with an @ and what follows it
};

/// RUN is an id, a unique id prefix or a unique name; @ takes digits, best, last, now. A name may hold an @ of its own.
Result<RunReference> findRunReference(const Registry& registry, std::string_view text);

struct CheckpointPlace {
    CheckpointRow row;
    std::filesystem::path folder;  ///< absolute
};

/// Held-out loss of each step that was evaluated and counts; the newest measurement of a step.
Result<std::map<std::int64_t, double>> heldOutLosses(const MetricsReader& reader);

/// The complete checkpoint that is not superseded and meant by the reference: the newest, that of a step, or the one with the least held-out
/// loss. Damaged ones and those whose folder is gone are passed over. NotFound says so and lists the steps there are.
Result<CheckpointPlace> chooseCheckpoint(const Workspace& workspace, const RunReference& reference);

}  // namespace mofo
