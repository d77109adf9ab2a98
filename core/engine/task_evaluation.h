// A model measured on the items of a task.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/engine/decoder.h"
#include "core/task/task_items.h"
#include "core/text/chat_template.h"
#include "core/text/dataset.h"
#include "core/text/tokenizer.h"

namespace mofo {

/// Items as tokens of one model.
struct PreparedTask {
    TaskDescription task;
    std::string sha256;                         ///< of the items (TaskItems::sha256)
    std::vector<TokenRow> rows;                 ///< what is fed, targets marked: per item, per choice of it, or per window of a long text
    std::vector<std::int64_t> rowsOfItem;       ///< how many of these belong to each item, in file order
    std::vector<std::int64_t> labels;           ///< MultipleChoice
    std::vector<std::int64_t> bytes;            ///< MultipleChoice: of each row's choice without its leading blank; Text: of each item
    std::vector<std::vector<TokenId>> prompts;  ///< ShortAnswer
    std::vector<std::string> expected;          ///< ShortAnswer
    [[nodiscard]] std::int64_t itemCount() const { return static_cast<std::int64_t>(rowsOfItem.size()); }
    /// Whether targets have base states to be compared with.
    [[nodiscard]] bool comparesWithBase() const { return task.scorer == Scorer::Kl || task.scorer == Scorer::Rows; }
};

/// Prompt and prompt + continuation are tokenized each, and the continuation is what the second has beyond the first (as lm-evaluation-harness does);
/// blanks at the prompt's end belong to the continuation. What does not fit into `maxPositions` is cut off the prompt's beginning. Texts begin behind
/// BOS (else EOS), so that their first token counts. An item that cannot be tokenized is InvalidInput with its line.
Result<PreparedTask> prepareTask(const TaskItems& items, const Tokenizer& tokenizer, const ChatTemplate* chatTemplate, std::int64_t maxPositions);
/// The same of rows that are tokens already.
[[nodiscard]] PreparedTask prepareRows(const TaskDescription& task, std::span<const TokenRow* const> rows);

/// What the base model's head sees at every target of a task's rows: its outputs in the size of the hidden states, on the host. With the base
/// model's head they give its whole distribution back, bit for bit.
struct BaseStates {
    at::Tensor states;  ///< [targets of all rows, hidden], CPU
    [[nodiscard]] static Result<BaseStates> compute(const Decoder& base, const PreparedTask& task, c10::Device device,
                                                    const std::function<bool(double)>& progress = {});
};

/// One measure: value = sum(outcome) / sum(weight), items in file order; no weight: each item weighs 1.
struct TaskMeasure {
    std::string name;  ///< acc, acc_norm, exact_match, loss, bits_per_byte, kl, reverse_kl
    std::vector<float> outcome, weight;
    double value = 0, low = 0, high = 0;  ///< the 95 % interval of the value; NaN where there is none
};
[[nodiscard]] bool isShare(std::string_view measure);             ///< 0..1, higher is better; else nats or bits, lower is better
[[nodiscard]] std::string_view unitOf(std::string_view measure);  ///< share, nats, bits

struct TaskOutcome {
    std::vector<TaskMeasure> measures;
    Json items;  ///< one object per item, in file order; see core/engine/jobs.h
};

struct EvaluationContext {
    const Decoder& decoder;
    const Tokenizer& tokenizer;
    c10::Device device;
    std::function<bool(double)> progress;          ///< 0..1; false cancels (Interrupted)
    const BaseStates* base = nullptr;              ///< of the same task; without it kl and reverse_kl are left out
    std::function<Result<at::Tensor>()> baseHead;  ///< [vocabulary, hidden] on the device; called once
    bool isBase = false;                           ///< the model is the base model still: its states need not be computed again
};
Result<TaskOutcome> evaluateTask(const PreparedTask& task, const EvaluationContext& context);

/// Greedy answers to several prompts at once, each ended by an end-of-turn token, a stop text or its length.
struct GreedySettings {
    std::int64_t maxNewTokens = 64;
    std::int64_t batch = 16;
    std::vector<std::string> stops;
};
Result<std::vector<std::string>> answerGreedily(const Decoder& decoder, const Tokenizer& tokenizer, std::span<const std::vector<TokenId>> prompts,
                                                const GreedySettings& settings, c10::Device device, const std::function<bool(double)>& progress = {});

}  // namespace mofo
