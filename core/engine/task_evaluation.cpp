#include "core/engine/task_evaluation.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/engine/evaluation.h"
#include "core/engine/torch_guard.h"
#include "core/stats/bootstrap.h"

namespace mofo {

namespace {

// Small enough that a command is looked at every second or two on two cores.
constexpr std::int64_t kTokenBudget = 512;
constexpr std::int64_t kHeadChunk = 128;

Error cancelled() { return Error{ErrorCode::Interrupted, "cancelled during the evaluation", "", "", ""}; }

/// Calls `work(batch, first row, rows)` for groups of rows of at most kTokenBudget tokens; rows without a target are in no group.
template <class Work>
Result<void> forGroups(const std::vector<TokenRow>& rows, c10::Device device, const std::function<bool(double)>& progress, const Work& work) {
    std::size_t begin = 0;
    while (begin < rows.size()) {
        if (progress && !progress(static_cast<double>(begin) / static_cast<double>(rows.size()))) return cancelled();
        std::vector<const TokenRow*> group;
        std::vector<std::size_t> places;
        std::int64_t tokens = 0;
        while (begin < rows.size()) {
            const auto length = static_cast<std::int64_t>(rows[begin].ids.size());
            if (!group.empty() && tokens + length > kTokenBudget) break;
            if (rows[begin].targetCount() > 0) {
                group.push_back(&rows[begin]);
                places.push_back(begin);
                tokens += length;
            }
            ++begin;
        }
        if (!group.empty()) MOFO_CHECK(work(packRows(group).to(device), places));
    }
    return {};
}

/// Summed over each row's targets, in nats.
struct RowSums {
    std::vector<double> nll, kl, reverseKl;
};

Result<RowSums> sumsAgainstBase(const PreparedTask& task, const EvaluationContext& context) {
    MOFO_TRY(const at::Tensor baseHead, context.isBase ? Result<at::Tensor>(context.decoder.headMatrix()) : context.baseHead());
    const at::Tensor head = context.decoder.headMatrix();
    RowSums sums;
    for (std::vector<double>* list : {&sums.nll, &sums.kl, &sums.reverseKl}) list->assign(task.rows.size(), 0.0);
    std::int64_t done = 0;
    MOFO_CHECK(
        forGroups(task.rows, context.device, context.progress, [&](const PackedBatch& batch, const std::vector<std::size_t>& places) -> Result<void> {
            const std::int64_t targets = batch.targetCount();
            const at::Tensor baseStates = context.base->states.narrow(0, done, targets).to(context.device);
            const at::Tensor states = context.isBase ? baseStates : context.decoder.targetStates(batch);
            done += targets;
            at::Tensor nll = at::empty({targets}, at::kDouble), kl = at::empty({targets}, at::kDouble), reverseKl = at::empty({targets}, at::kDouble);
            for (std::int64_t begin = 0; begin < targets; begin += kHeadChunk) {
                const std::int64_t count = std::min(kHeadChunk, targets - begin);
                const at::Tensor baseLog = at::log_softmax(at::mm(baseStates.narrow(0, begin, count), baseHead.t()), 1);
                const at::Tensor log = context.isBase ? baseLog : at::log_softmax(at::mm(states.narrow(0, begin, count), head.t()), 1);
                const at::Tensor difference = baseLog - log;
                nll.narrow(0, begin, count).copy_(log.gather(1, batch.targets.narrow(0, begin, count).unsqueeze(1)).squeeze(1).neg());
                kl.narrow(0, begin, count).copy_(at::exp(baseLog).mul_(difference).sum(1, false, at::kDouble));
                reverseKl.narrow(0, begin, count).copy_(at::exp(log).mul_(difference).sum(1, false, at::kDouble).neg());
            }
            for (std::size_t r = 0; r < places.size(); ++r) {
                const std::int64_t first = batch.targetStart[r], count = batch.targetStart[r + 1] - first;
                sums.nll[places[r]] = nll.narrow(0, first, count).sum().item<double>();
                sums.kl[places[r]] = kl.narrow(0, first, count).sum().item<double>();
                sums.reverseKl[places[r]] = reverseKl.narrow(0, first, count).sum().item<double>();
            }
            return {};
        }));
    return sums;
}

TaskMeasure measureOf(std::string name, std::vector<float> outcome, std::vector<float> weight = {}) {
    TaskMeasure measure{std::move(name), std::move(outcome), std::move(weight)};
    double sum = 0, weights = 0;
    for (const float one : measure.outcome) sum += one;
    for (const float one : measure.weight) weights += one;
    if (measure.weight.empty()) weights = static_cast<double>(measure.outcome.size());
    measure.value = sum / weights;
    Interval interval;
    if (isShare(measure.name)) {
        interval = wilsonInterval(std::llround(sum), static_cast<std::int64_t>(measure.outcome.size()));
    } else {
        interval = bootstrapMean(measure.outcome, measure.weight).interval;
    }
    measure.low = interval.low;
    measure.high = interval.high;
    return measure;
}

Result<TaskOutcome> scoreChoices(const PreparedTask& task, const EvaluationContext& context) {
    MOFO_TRY(const RowLosses losses, computeRowLosses(context.decoder, task.rows, context.device, context.progress, kTokenBudget));
    TaskOutcome outcome;
    outcome.items = Json::array();
    std::vector<float> right, rightNormed;
    std::size_t row = 0;
    for (std::size_t i = 0; i < task.rowsOfItem.size(); ++i) {
        const auto count = static_cast<std::size_t>(task.rowsOfItem[i]);
        std::vector<double> likelihoods, normed;
        for (std::size_t c = 0; c < count; ++c, ++row) {
            likelihoods.push_back(-losses.nll[row]);
            normed.push_back(-losses.nll[row] / static_cast<double>(std::max<std::int64_t>(1, task.bytes[row])));
        }
        const auto best = [](const std::vector<double>& list) { return std::max_element(list.begin(), list.end()) - list.begin(); };
        right.push_back(best(likelihoods) == task.labels[i] ? 1.0f : 0.0f);
        rightNormed.push_back(best(normed) == task.labels[i] ? 1.0f : 0.0f);
        outcome.items.push_back({{"log_likelihoods", likelihoods}, {"label", task.labels[i]}});
    }
    outcome.measures.push_back(measureOf("acc", std::move(right)));
    outcome.measures.push_back(measureOf("acc_norm", std::move(rightNormed)));
    return outcome;
}

Result<TaskOutcome> scoreAnswers(const PreparedTask& task, const EvaluationContext& context) {
    GreedySettings settings;
    settings.maxNewTokens = task.task.maxNewTokens;
    settings.stops = task.task.stops;
    MOFO_TRY(const std::vector<std::string> answers,
             answerGreedily(context.decoder, context.tokenizer, task.prompts, settings, context.device, context.progress));
    TaskOutcome outcome;
    outcome.items = Json::array();
    std::vector<float> right;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const bool number = task.task.match == TaskDescription::Match::Number;
        const std::string given = number ? numberOfAnswer(answers[i]) : normalisedAnswer(answers[i]);
        const bool correct = given == task.expected[i];
        right.push_back(correct ? 1.0f : 0.0f);
        outcome.items.push_back({{"answer", answers[i]}, {"given", given}, {"expected", task.expected[i]}, {"correct", correct}});
    }
    outcome.measures.push_back(measureOf("exact_match", std::move(right)));
    return outcome;
}

Result<TaskOutcome> scoreLikelihood(const PreparedTask& task, const EvaluationContext& context) {
    const bool withBase = context.base != nullptr && task.comparesWithBase();
    if (task.task.needsBase() && !withBase)
        return Error{ErrorCode::Usage, "task " + task.task.name + " compares with a base model, and none is named", "", "Name a run, or --base MODEL",
                     "BASE"};
    RowSums sums;
    if (withBase) {
        MOFO_TRY(sums, sumsAgainstBase(task, context));
    } else {
        MOFO_TRY(RowLosses losses, computeRowLosses(context.decoder, task.rows, context.device, context.progress, kTokenBudget));
        sums.nll = std::move(losses.nll);
    }
    TaskOutcome outcome;
    outcome.items = Json::array();
    std::vector<float> loss, bits, kl, reverseKl, tokens, bytes;
    std::size_t row = 0;
    for (std::size_t i = 0; i < task.rowsOfItem.size(); ++i) {
        double nll = 0, forward = 0, backward = 0;
        std::int64_t targets = 0;
        for (std::int64_t n = 0; n < task.rowsOfItem[i]; ++n, ++row) {
            nll += sums.nll[row];
            if (withBase) forward += sums.kl[row];
            if (withBase) backward += sums.reverseKl[row];
            targets += task.rows[row].targetCount();
        }
        Json item = {{"log_likelihood", -nll}, {"tokens", targets}};
        if (withBase) {
            item["kl"] = forward;
            item["reverse_kl"] = backward;
        }
        if (task.task.scorer == Scorer::Text) item["bytes"] = task.bytes[i];
        outcome.items.push_back(std::move(item));
        loss.push_back(static_cast<float>(nll));
        kl.push_back(static_cast<float>(forward));
        reverseKl.push_back(static_cast<float>(backward));
        tokens.push_back(static_cast<float>(targets));
        if (task.task.scorer == Scorer::Text) {
            bits.push_back(static_cast<float>(nll / std::numbers::ln2));
            bytes.push_back(static_cast<float>(task.bytes[i]));
        }
    }
    if (task.task.scorer != Scorer::Kl) outcome.measures.push_back(measureOf("loss", std::move(loss), tokens));
    if (!bits.empty()) outcome.measures.push_back(measureOf("bits_per_byte", std::move(bits), std::move(bytes)));
    if (withBase) {
        outcome.measures.push_back(measureOf("kl", std::move(kl), tokens));
        outcome.measures.push_back(measureOf("reverse_kl", std::move(reverseKl), tokens));
    }
    return outcome;
}

}  // namespace

bool isShare(std::string_view measure) { return measure == "acc" || measure == "acc_norm" || measure == "exact_match"; }

std::string_view unitOf(std::string_view measure) { return isShare(measure) ? "share" : measure == "bits_per_byte" ? "bits" : "nats"; }

Result<BaseStates> BaseStates::compute(const Decoder& base, const PreparedTask& task, c10::Device device,
                                       const std::function<bool(double)>& progress) {
    return guardTorch([&]() -> Result<BaseStates> {
        std::int64_t targets = 0;
        for (const TokenRow& row : task.rows) targets += row.targetCount();
        BaseStates out;
        out.states = at::empty({targets, base.model().hiddenSize}, at::kFloat);
        std::int64_t done = 0;
        MOFO_CHECK(forGroups(task.rows, device, progress, [&](const PackedBatch& batch, const std::vector<std::size_t>&) -> Result<void> {
            out.states.narrow(0, done, batch.targetCount()).copy_(base.targetStates(batch));
            done += batch.targetCount();
            return {};
        }));
        return out;
    });
}

Result<TaskOutcome> evaluateTask(const PreparedTask& task, const EvaluationContext& context) {
    return guardTorch([&]() -> Result<TaskOutcome> {
        switch (task.task.scorer) {
            case Scorer::MultipleChoice: return scoreChoices(task, context);
            case Scorer::ShortAnswer: return scoreAnswers(task, context);
            case Scorer::Text:
            case Scorer::Completion:
            case Scorer::Rows:
            case Scorer::Kl: break;
        }
        return scoreLikelihood(task, context);
    });
}

Result<std::vector<std::string>> answerGreedily(const Decoder& decoder, const Tokenizer& tokenizer, std::span<const std::vector<TokenId>> prompts,
                                                const GreedySettings& settings, c10::Device device, const std::function<bool(double)>& progress) {
    return guardTorch([&]() -> Result<std::vector<std::string>> {
        std::vector<std::string> answers(prompts.size());
        const auto& ends = decoder.model().eosIds;
        const auto isEnd = [&](TokenId id) { return std::find(ends.begin(), ends.end(), id) != ends.end() || id == tokenizer.eosId(); };
        for (std::size_t begin = 0; begin < prompts.size(); begin += static_cast<std::size_t>(settings.batch)) {
            const std::size_t count = std::min(static_cast<std::size_t>(settings.batch), prompts.size() - begin);
            std::size_t longest = 0;
            for (std::size_t i = 0; i < count; ++i) longest = std::max(longest, prompts[begin + i].size());
            BatchKvCache cache(decoder, static_cast<std::int64_t>(count), static_cast<std::int64_t>(longest) + settings.maxNewTokens);
            std::vector<std::size_t> active;  // places in the batch, ascending
            std::vector<TokenId> next;
            std::vector<std::vector<TokenId>> ids(count);
            const auto share = [&](double part) {
                return !progress || progress((static_cast<double>(begin) + part * static_cast<double>(count)) / static_cast<double>(prompts.size()));
            };
            for (std::size_t i = 0; i < count; ++i) {
                if (!share(0)) return cancelled();
                const std::vector<TokenId>& prompt = prompts[begin + i];
                KvCache row = cache.row(static_cast<std::int64_t>(i));
                const at::Tensor fed = at::tensor(std::vector<std::int64_t>(prompt.begin(), prompt.end()), at::kLong).to(device);
                next.push_back(static_cast<TokenId>(decoder.nextLogits(fed, row).argmax().item<std::int64_t>()));
                cache.setLength(static_cast<std::int64_t>(i), row.length());
                active.push_back(i);
            }
            for (std::int64_t n = 0; n < settings.maxNewTokens && !active.empty(); ++n) {
                if (!share(static_cast<double>(n) / static_cast<double>(settings.maxNewTokens))) return cancelled();
                std::vector<std::size_t> still;
                std::vector<std::int64_t> places, fed;
                for (std::size_t a = 0; a < active.size(); ++a) {
                    std::vector<TokenId>& own = ids[active[a]];
                    if (isEnd(next[a])) continue;
                    own.push_back(next[a]);
                    std::string& text = answers[begin + active[a]];
                    text = tokenizer.decode(own, true);
                    std::size_t stop = std::string::npos;
                    for (const std::string& one : settings.stops) stop = std::min(stop, text.find(one));
                    if (stop != std::string::npos) text.resize(stop);
                    if (stop != std::string::npos || n + 1 == settings.maxNewTokens) continue;
                    still.push_back(active[a]);
                    places.push_back(static_cast<std::int64_t>(a));
                    fed.push_back(next[a]);
                }
                if (still.empty()) break;
                if (still.size() < active.size()) cache.keepRows(places);
                active = std::move(still);
                const at::Tensor chosen = decoder.nextLogits(at::tensor(fed, at::kLong).to(device), cache).argmax(1).to(at::kCPU);
                next.assign(chosen.const_data_ptr<std::int64_t>(), chosen.const_data_ptr<std::int64_t>() + chosen.numel());
            }
        }
        return answers;
    });
}

}  // namespace mofo
