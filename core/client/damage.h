// Checkpoints that somebody found damaged: what is remembered of it.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace mofo {

struct DamageMark {
    bool marked = false;  ///< false: the engine that is there, or the next one, is asked to look and to mark it
    std::string uuid;     ///< of that command
};

/// Remembers that a checkpoint is damaged, as a resume that meets it does: `lost` with the reason, so that neither show nor export, resume or
/// retention counts it. A run's metrics are written by whoever holds its lock: this process for a moment, or its engine.
Result<DamageMark> markDamaged(const Workspace& workspace, Registry& registry, const RunRow& run, const CheckpointRow& row, std::string_view reason);

}  // namespace mofo
