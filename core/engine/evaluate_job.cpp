#include "core/engine/evaluate_job.h"

#include <cmath>

#include "core/base/text.h"
#include "core/engine/parameter_set.h"
#include "core/engine/task_evaluation.h"
#include "core/engine/torch_guard.h"
#include "core/engine/training_data.h"

namespace mofo {

namespace {

Json orNull(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Result<PreparedTask> prepared(const EvaluateRequest& request, TaskDescription task, const Tokenizer& tokenizer, const ChatTemplate* chatTemplate,
                              std::int64_t maxPositions, std::optional<TaskItems>& items) {
    if (!request.columns.empty() && task.scorer == Scorer::Rows) task.columns = request.columns;
    if (request.maxLength > 0) task.maxTokens = request.maxLength;
    if (!request.data.empty() || task.hasBuiltInData()) {
        MOFO_TRY(items, readTaskItems(task, request.data, request.limit));
        return prepareTask(*items, tokenizer, chatTemplate, maxPositions);
    }
    if (!request.run)
        return Error{ErrorCode::Usage, "task " + escapeForDisplay(task.name) + " has no data of its own", "",
                     "Name a file with --data, or a run that holds rows out", "MISSING"};
    MOFO_TRY(const TrainingData data, TrainingData::load(*request.run, tokenizer, {}));
    if (data.evalRows().empty()) {
        return Error{ErrorCode::InvalidInput, "the run holds no rows out: it was started without eval_data and eval_split", "",
                     "Name a file with --data", "EMPTY"};
    }
    std::vector<const TokenRow*> rows;
    for (const TokenRow& row : data.evalRows()) {
        if (request.limit <= 0 || static_cast<std::int64_t>(rows.size()) < request.limit) rows.push_back(&row);
    }
    return prepareRows(task, rows);
}

void addTrainedOn(const EvaluateRequest& request, const std::optional<TaskItems>& items, Json& result) {
    result["trained_on"] = nullptr;
    if (!request.run) return;
    if (!items) {
        result["trained_on"] = 0;
        return;
    }
    const RunConfig& run = *request.run;
    const auto hashes = hashesOfFile(run.data, run.columns, run.evalData.empty() ? effectiveEvalSplit(run) : 0);
    if (hashes.ok())
        result["trained_on"] = countTrained(*items, *hashes);
    else
        result["trained_on_unknown"] = hashes.error().text();
}

}  // namespace

Result<EvaluateRequest> EvaluateRequest::from(const Json& parameters) {
    EvaluateRequest request;
    const auto text = [&](const char* key) {
        return parameters.is_object() && parameters.contains(key) && parameters[key].is_string() ? parameters[key].get<std::string>() : std::string();
    };
    const auto number = [&](const char* key) {
        return parameters.is_object() && parameters.contains(key) && parameters[key].is_number_integer() ? parameters[key].get<std::int64_t>() : 0;
    };
    request.task = text("task");
    if (request.task.empty()) return Error{ErrorCode::Usage, "the job has no task", "", "", "MISSING"};
    request.data = text("data");
    request.limit = number("limit");
    request.chatTemplate = text("chat_template");
    request.columns = text("columns");
    request.maxLength = number("max_length");
    MOFO_TRY(request.precision, precisionNamed(text("precision")));
    if (parameters.contains("run_config")) {
        MOFO_TRY(request.run, configFromJson(parameters["run_config"]));
    }
    return request;
}

Result<Json> evaluateModel(const EvaluateRequest& request, std::unique_ptr<ModelSource> model, std::unique_ptr<ModelSource> base, c10::Device device,
                           const std::function<bool(std::string_view, double)>& progress) {
    const auto in = [&](std::string_view phase) { return [&progress, phase](double share) { return !progress || progress(phase, share); }; };
    MOFO_TRY(TaskDescription task, findTask(request.task));
    MOFO_TRY(const Tokenizer tokenizer, model->loadTokenizer());
    MOFO_TRY(const std::optional<ChatTemplate> chatTemplate, chooseChatTemplate(tokenizer, request.chatTemplate));
    std::optional<TaskItems> items;
    MOFO_TRY(const PreparedTask ready,
             prepared(request, std::move(task), tokenizer, chatTemplate ? &*chatTemplate : nullptr, model->description().maxPositions, items));
    std::optional<BaseStates> states;
    std::size_t baseHeadIndex = 0;
    if (base && ready.comparesWithBase()) {
        if (base->description().vocabularySize != model->description().vocabularySize) {
            return Error{ErrorCode::InvalidInput, "the two models have different vocabularies, so that their predictions cannot be compared", "",
                         "Name a base of the same family", "SHAPE"};
        }
        // One after the other, so that no more than one model is in memory.
        MOFO_TRY(const ParameterArena weights, loadWeights(*base, device, in("base")));
        MOFO_CHECK(guardTorch([&]() -> Result<void> {
            const Decoder decoder(base->description(), base->parameters(), weights, nullptr, {request.precision, {}});
            baseHeadIndex = decoder.headIndex();
            MOFO_TRY(states, BaseStates::compute(decoder, ready, device, in("base")));
            return {};
        }));
    }
    MOFO_TRY(const ParameterArena weights, loadWeights(*model, device, in("load")));
    MOFO_TRY(const TaskOutcome outcome, guardTorch([&]() -> Result<TaskOutcome> {
                 const Decoder decoder(model->description(), model->parameters(), weights, nullptr, {request.precision, {}});
                 EvaluationContext context{decoder, tokenizer, device, in("evaluate")};
                 if (states) context.base = &*states;
                 context.baseHead = [&] { return readParameterTensor(*base, baseHeadIndex, device); };
                 return evaluateTask(ready, context);
             }));
    Json result = {{"task", ready.task.name},
                   {"title", ready.task.title},
                   {"mark", taskMarkName(ready.task.mark)},
                   {"scorer", scorerName(ready.task.scorer)},
                   {"items_sha256", ready.sha256},
                   {"measures", Json::object()},
                   {"items", outcome.items}};
    for (const TaskMeasure& measure : outcome.measures) {
        result[measure.name] = orNull(measure.value);
        result["measures"][measure.name] = {
            {"value", orNull(measure.value)}, {"low", orNull(measure.low)}, {"high", orNull(measure.high)}, {"unit", unitOf(measure.name)}};
    }
    addTrainedOn(request, items, result);
    return result;
}

}  // namespace mofo
