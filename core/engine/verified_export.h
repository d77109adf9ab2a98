// A folder of weights that was written and opened again: what exports and interpolations hand over.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/model/model_source.h"

#include <c10/core/Device.h>

namespace mofo {

/// 0..1 within a phase ("write", "verify"); false cancels.
using PhaseProgress = std::function<bool(std::string_view phase, double share)>;

/// "f32", "bf16", "f16" (and fp32, fp16), or nothing for f32; Usage else.
Result<DType> exportType(const std::string& text);

/// writeHfFolder with `provenance` as mofo.json; then every weight is read back and compared, and the logits of a prompt computed from both (on
/// `device`). -> {"path", "sha256", "max_difference", "max_logit_difference"}; Io (CHANGED) where fp32 does not come back as it was.
Result<Json> writeVerified(std::unique_ptr<ModelSource> source, const std::string& target, DType dtype, const Json& provenance, c10::Device device,
                           const PhaseProgress& progress);

}  // namespace mofo
