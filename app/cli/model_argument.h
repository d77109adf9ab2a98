// What stands after --model, or what is chatted with: a file, a folder, a workspace model, a repository of the Hub, a checkpoint of a run.
#pragma once

#include <string>

#include "app/cli/context.h"
#include "core/base/json.h"
#include "core/library/model_place.h"

namespace mofo::cli {

/// For commands that need no workspace: names are looked up where there is one.
[[nodiscard]] Result<ModelPlace> placeOfModel(const Context& context, const std::string& named);

/// What a job's engine is told.
struct JobModel {
    Json parameters;        ///< {"model": id, path or checkpoint folder, "base_model": id where it is a checkpoint}
    std::string tokenizerSource;  ///< what ModelSource::open reads for tokenizer and shape
    std::string runId;      ///< of the run, or empty
    std::string shown;      ///< "maths-a15 @ 40"
};
/// A model as above, or RUN[@STEP].
[[nodiscard]] Result<JobModel> jobModelOf(const Store& store, const std::string& named);

}  // namespace mofo::cli
