// The loss along the line through two models: base + t (tuned - base).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/model/model_source.h"
#include "core/text/dataset.h"

#include <c10/core/Device.h>

namespace mofo {

struct LandscapeRange {
    std::int64_t points = 21;
    double from = -2, to = 2;  ///< t of the first and the last point
};

/// Mean loss (nats per trained token) at each point over the rows of the task and over the general ones, which may be none. Holds the weights of
/// both models and of the point. InvalidInput where the architectures differ. `progress` 0..1, false cancels.
/// -> [{"t", "task_loss", "general_loss": null without rows}]; a loss that is not finite is "nan" or "inf".
Result<Json> lossesAlongLine(const ModelSource& base, const ModelSource& tuned, std::span<const TokenRow> task, std::span<const TokenRow> general,
                             const LandscapeRange& range, c10::Device device, const std::function<bool(double)>& progress);

}  // namespace mofo
