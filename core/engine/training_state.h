// Everything a bitwise resume needs beside tensors: counters, settings, data position, journal, best value. What state.json holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/engine/guard_rails.h"
#include "core/store/registry.h"

namespace mofo {

struct TrainingState {
    /// A change that update `step` was the first to use.
    struct AppliedChange {
        std::int64_t step = 0;
        std::string uuid;
        std::string who;
        Json change;  ///< key: value, as in the command
    };
    std::int64_t step = 0;          ///< updates done
    std::int64_t tokens = 0;        ///< trained tokens of these
    std::int64_t samples = 0;       ///< rows they consumed: the position in the data's stream
    std::int64_t lastEventSeq = 0;  ///< of metrics.db when it was written; not part of the digest
    std::int64_t skipped = 0;       ///< updates left out because something was not finite (on_nonfinite=skip)
    std::int64_t lastEvaluated = -1;
    GuardState guards;
    RunConfig config;  ///< as changes left it
    std::vector<AppliedChange> applied;
    std::vector<CommandRow> pending;  ///< accepted into the journal for later steps

    /// Everything, with the fingerprints beside it.
    [[nodiscard]] Json toJson(const Json& fingerprints) const;
    /// Strict: a key that is missing, of another type or unknown is refused by its name.
    static Result<TrainingState> fromJson(const Json& json);
    /// What the digest takes of a state.json: equal for equal training, however often it was interrupted. Leaves out uuids, who asked, the event
    /// number and the fingerprints.
    [[nodiscard]] static std::string digestText(const Json& stateJson);
};

}  // namespace mofo
