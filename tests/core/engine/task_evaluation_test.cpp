// What is measured of a model, against the same computed the plain way; and PIQA against Transformers.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/engine/evaluate_job.h"
#include "core/engine/generation.h"
#include "core/engine/task_evaluation.h"
#include "tests/support/test_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

struct Loaded {
    std::unique_ptr<ModelSource> source;
    ParameterArena weights;
    std::unique_ptr<Decoder> decoder;
};

class TaskEvaluation : public ::testing::Test {
protected:
    TaskEvaluation() {
        at::set_num_threads(1);
        test::writeTinyModel(m_folder / "base");
        test::writeTinyModel(m_folder / "tuned", {.seed = 7});
        load("base", m_base);
        load("tuned", m_tuned);
        auto tokenizer = m_base.source->loadTokenizer();
        EXPECT_TRUE(tokenizer.ok());
        m_tokenizer.emplace(std::move(*tokenizer));
    }
    ~TaskEvaluation() override { at::set_num_threads(m_threads); }
    void load(const char* name, Loaded& into) {
        auto source = ModelSource::open((m_folder / name).string());
        ASSERT_OK(source);
        into.source = std::move(*source);
        auto weights = loadWeights(*into.source, c10::kCPU);
        ASSERT_OK(weights);
        into.weights = std::move(*weights);
        into.decoder = std::make_unique<Decoder>(into.source->description(), into.source->parameters(), into.weights);
    }
    PreparedTask prepared(const std::string& task, const std::string& rows) {
        test::writeFile(m_folder / "rows.jsonl", rows);
        const auto description = parseTask(*parseJson(task), "task");
        EXPECT_TRUE(description.ok()) << description.error().text();
        const auto items = readTaskItems(*description, m_folder / "rows.jsonl", 0);
        EXPECT_TRUE(items.ok()) << items.error().text();
        auto out = prepareTask(*items, *m_tokenizer, nullptr, 512);
        EXPECT_TRUE(out.ok()) << out.error().text();
        return std::move(*out);
    }
    EvaluationContext contextOf(const Loaded& model) { return {*model.decoder, *m_tokenizer, c10::kCPU, {}}; }
    /// log p of the ids from `from` on, each behind all before it.
    static double logLikelihood(const Loaded& model, const std::vector<TokenId>& ids, std::size_t from) {
        const at::Tensor log = at::log_softmax(model.decoder->logits(at::tensor(std::vector<std::int64_t>(ids.begin(), ids.end()), at::kLong)), 1);
        double sum = 0;
        for (std::size_t i = from; i < ids.size(); ++i) sum += log[static_cast<std::int64_t>(i) - 1][ids[i]].item<double>();
        return sum;
    }
    test::TemporaryFolder m_folder;
    Loaded m_base, m_tuned;
    std::optional<Tokenizer> m_tokenizer;
    const int m_threads = at::get_num_threads();
};

TEST_F(TaskEvaluation, ChoicesAreScoredBehindTheirPromptAndBestWins) {
    const PreparedTask task =
        prepared(R"({"name":"c","scorer":"multiple_choice","prompt":"Q: {q}\nA:","choices":[" {a}"," {b}"],"label":"l"})",
                 "{\"q\":\"one\",\"a\":\"x\",\"b\":\"yyyy zz\",\"l\":0}\n{\"q\":\"two 日本\",\"a\":\"long answer\",\"b\":\"s\",\"l\":1}\n");
    const auto outcome = evaluateTask(task, contextOf(m_tuned));
    ASSERT_OK(outcome);
    const std::vector<std::pair<std::string, std::vector<std::string>>> texts{{"Q: one\nA:", {" x", " yyyy zz"}},
                                                                              {"Q: two 日本\nA:", {" long answer", " s"}}};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        double best[2] = {}, normed[2] = {};
        for (std::size_t c = 0; c < 2; ++c) {
            const auto context = m_tokenizer->encode(texts[i].first, false), whole = m_tokenizer->encode(texts[i].first + texts[i].second[c], false);
            const double expected = logLikelihood(m_tuned, whole->ids, context->ids.size());
            EXPECT_NEAR(outcome->items[i]["log_likelihoods"][c].get<double>(), expected, 1e-4);
            best[c] = expected;
            normed[c] = expected / static_cast<double>(texts[i].second[c].size() - 1);
        }
        const std::size_t label = i;
        EXPECT_EQ(outcome->measures[0].outcome[i], (best[1] > best[0] ? 1u : 0u) == label ? 1.0f : 0.0f);
        EXPECT_EQ(outcome->measures[1].outcome[i], (normed[1] > normed[0] ? 1u : 0u) == label ? 1.0f : 0.0f);
    }
    EXPECT_EQ(outcome->measures[0].name, "acc");
    EXPECT_EQ(outcome->measures[1].name, "acc_norm");
}

TEST_F(TaskEvaluation, DistanceFromTheBaseIsThatOfTheWholeDistributions) {
    const PreparedTask task =
        prepared(R"({"name":"k","scorer":"kl","text":"{text}"})", "{\"text\":\"Some words here.\"}\n{\"text\":\"日本 and more\"}\n");
    const auto base = BaseStates::compute(*m_base.decoder, task, c10::kCPU);
    ASSERT_OK(base);
    EvaluationContext context = contextOf(m_tuned);
    context.base = &*base;
    context.baseHead = [&] { return readParameterTensor(*m_base.source, m_base.decoder->headIndex(), c10::kCPU); };
    const auto outcome = evaluateTask(task, context);
    ASSERT_OK(outcome);
    for (std::size_t i = 0; i < task.rows.size(); ++i) {
        const at::Tensor ids = at::tensor(std::vector<std::int64_t>(task.rows[i].ids.begin(), task.rows[i].ids.end()), at::kLong);
        const at::Tensor p = at::log_softmax(m_base.decoder->logits(ids), 1).to(at::kDouble),
                         q = at::log_softmax(m_tuned.decoder->logits(ids), 1).to(at::kDouble);
        const std::int64_t targets = ids.size(0) - 1;
        const double forward = (p.exp() * (p - q)).sum(1).narrow(0, 0, targets).sum().item<double>();
        const double reverse = (q.exp() * (q - p)).sum(1).narrow(0, 0, targets).sum().item<double>();
        EXPECT_NEAR(outcome->items[i]["kl"].get<double>(), forward, 1e-4 * forward);
        EXPECT_NEAR(outcome->items[i]["reverse_kl"].get<double>(), reverse, 1e-4 * reverse);
        EXPECT_EQ(outcome->items[i]["tokens"], targets);
    }
    // The base model against itself: nothing, to the bit.
    EvaluationContext same = contextOf(m_base);
    same.base = &*base;
    same.baseHead = context.baseHead;
    const auto zero = evaluateTask(task, same);
    ASSERT_OK(zero);
    EXPECT_EQ(zero->measures[0].value, 0);
    EXPECT_FALSE(evaluateTask(task, contextOf(m_tuned)).ok()) << "without a base model";
}

TEST_F(TaskEvaluation, ALongTextIsCountedOnceWhateverItsWindows) {
    std::string text;
    for (int i = 0; i < 30; ++i) text += "word " + std::to_string(i) + " ";
    const std::string rows = Json{{"text", text}}.dump() + "\n";
    const PreparedTask task = prepared(R"({"name":"t","scorer":"text","text":"{text}","max_tokens":64})", rows);
    EXPECT_GT(task.rows.size(), 2u);
    const auto ids = m_tokenizer->encode(text, false)->ids;
    std::int64_t targets = 0;
    for (const TokenRow& row : task.rows) targets += row.targetCount();
    EXPECT_EQ(targets, static_cast<std::int64_t>(ids.size()));
    const auto outcome = evaluateTask(task, contextOf(m_tuned));
    ASSERT_OK(outcome);
    EXPECT_EQ(outcome->items[0]["bytes"], text.size());
    const double nats = -outcome->items[0]["log_likelihood"].get<double>();
    EXPECT_NEAR(outcome->measures[0].value, nats / static_cast<double>(ids.size()), 1e-6);
    EXPECT_NEAR(outcome->measures[1].value, nats / std::log(2.0) / static_cast<double>(text.size()), 1e-6);
}

TEST_F(TaskEvaluation, AnswersOfABatchAreThoseOfEachPromptAlone) {
    std::vector<std::vector<TokenId>> prompts;
    for (const char* text : {"What is 3 + 4?", "a", "A much longer question that says more than the others do, 日本 too", "x y z"})
        prompts.push_back(m_tokenizer->encode(text, false)->ids);
    GreedySettings settings;
    settings.maxNewTokens = 20;
    settings.batch = 3;
    const auto answers = answerGreedily(*m_tuned.decoder, *m_tokenizer, prompts, settings, c10::kCPU);
    ASSERT_OK(answers);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        GenerationSettings alone;
        alone.maxNewTokens = 20;
        const auto one = generate(*m_tuned.decoder, *m_tokenizer, prompts[i], alone, c10::kCPU);
        ASSERT_OK(one);
        EXPECT_EQ((*answers)[i], one->text) << i;
        EXPECT_FALSE(one->text.empty());
    }
    settings.stops = {(*answers)[0].substr(2, 1)};
    EXPECT_LE(answerGreedily(*m_tuned.decoder, *m_tokenizer, prompts, settings, c10::kCPU)->at(0).size(), 2u);
}

TEST_F(TaskEvaluation, WhatDoesNotFitLosesThePromptsBeginning) {
    const std::string longPrompt(600, 'p');
    const PreparedTask task =
        prepared(R"({"name":"c","scorer":"completion","prompt":"{q}","answer":" {a}"})", Json{{"q", longPrompt}, {"a", "yes"}}.dump());
    EXPECT_EQ(task.rows[0].ids.size(), 512u);
    EXPECT_EQ(task.rows[0].targetCount(), 4);
    test::writeFile(m_folder / "rows.jsonl", Json{{"q", "q"}, {"a", longPrompt}}.dump());
    const auto items = readTaskItems(task.task, m_folder / "rows.jsonl", 0);
    ASSERT_OK(items);
    const auto refused = prepareTask(*items, *m_tokenizer, nullptr, 512);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().exitCode(), 3);
    EXPECT_EQ(refused.error().where, "c, line 1");
}

}  // namespace
}  // namespace mofo
