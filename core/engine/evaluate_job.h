// `mofo evaluate MODEL --task T`: one model, one task, one result.
#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/model/model_source.h"

namespace mofo {

struct EvaluateRequest {
    std::string task;            ///< a built-in name or a file
    std::string data;            ///< absolute; empty: built-in data, or the rows that `run` holds out
    std::int64_t limit = 0;      ///< items; 0 = all
    std::string chatTemplate;    ///< empty: recognised
    std::string columns;         ///< Scorer::Rows; empty: the task's
    std::int64_t maxLength = 0;  ///< tokens of a row or window; 0: the task's
    Precision precision = Precision::Fp32;
    std::optional<RunConfig> run;  ///< of the run that the model comes from: what was it trained on, what did it hold out
    static Result<EvaluateRequest> from(const Json& parameters);
};

/// `base`: what kl and reverse_kl compare with, or nothing. `progress`: false cancels. The result has
///   {"task","title","mark","scorer","items_sha256","trained_on","measures":{NAME:{"value","low","high","unit"}}, NAME: value for each measure,
///   "items":[...]}
/// with one object per item, in file order: multiple_choice {"log_likelihoods","label"}; short_answer {"answer","given","expected","correct"}; the
/// others {"log_likelihood","tokens"}, text with "bytes", and "kl","reverse_kl" (summed nats) where they were compared with a base model. trained_on:
/// how many of the items are among the run's training rows; null where no run is known or its data cannot be read ("trained_on_unknown" says why).
Result<Json> evaluateModel(const EvaluateRequest& request, std::unique_ptr<ModelSource> model, std::unique_ptr<ModelSource> base, c10::Device device,
                           const std::function<bool(std::string_view phase, double share)>& progress);

}  // namespace mofo
