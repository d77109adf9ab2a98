#include "core/plan/memory_plan.h"
#include "core/plan/row_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plan/memory_advice.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

ModelDescription smollm2() {
    auto model = describeRandom("random:smollm2");
    EXPECT_OK(model);
    return *model;
}

TEST(MemoryPlan, ArenasAreFourBytesAParameter) {
    const ModelDescription model = smollm2();
    ASSERT_EQ(model.parameterCount(), 134'515'008);
    const MemoryPlan plan = forecastMemory(model, RunConfig(), {256, 0}, false, 2);
    for (const MemoryKind kind : {MemoryKind::Weights, MemoryKind::Gradients, MemoryKind::FirstMoment, MemoryKind::SecondMoment}) {
        EXPECT_EQ(plan.bytesOf(kind), 4u * 134'515'008u) << memoryKindName(kind);
    }
    EXPECT_EQ(plan.bytesOf(MemoryKind::Masters), 0u);
    EXPECT_EQ(plan.bytesOf(MemoryKind::Pretrained), 0u);
    EXPECT_EQ(plan.bytesOf(MemoryKind::Statistics), 3u * 16'814'376u);
    EXPECT_EQ(plan.bytesOf(MemoryKind::Logits), 2u * 128u * 49'152u * 4u);
    EXPECT_EQ(plan.hostBytes(), 0u);
    std::uint64_t sum = 0;
    for (const MemoryTerm& term : plan.terms) sum += term.bytes;
    EXPECT_EQ(plan.deviceBytes(), sum);
}

TEST(MemoryPlan, ActivationsAreThoseTheDecoderKeeps) {
    ModelDescription model;
    model.hiddenSize = 32;
    model.intermediateSize = 64;
    model.layerCount = 2;
    model.headCount = 4;
    model.kvHeadCount = 2;
    model.headSize = 8;
    model.vocabularySize = 259;
    RunConfig config;
    config.batch = 4;
    // A token and layer: input and middle 64, norms 2 x 33, qkv 32 + 32, attended 32, log-sum-exp 4, gate and up 128 = 358 values; passing:
    // activated and its gradient 128, gradient of gate and up 128, three hidden states 96 = 352.
    constexpr std::uint64_t perToken = 2 * 358 + 352;
    EXPECT_EQ(forecastMemory(model, config, {10, 0}, false, 2).bytesOf(MemoryKind::Activations), 40 * perToken * 4);
    // On a GPU the probabilities of attention stay: 2 layers x 4 rows x 4 heads x 10 x 10.
    EXPECT_EQ(forecastMemory(model, config, {10, 0}, true, 2).bytesOf(MemoryKind::Activations), 40 * perToken * 4 + 3200 * 4);
}

TEST(MemoryPlan, PrecisionAndRecomputingChangeWhatIsKept) {
    const ModelDescription model = smollm2();
    RunConfig config;
    config.batch = 8;
    const MemoryPlan exact = forecastMemory(model, config, {256, 0}, false, 2);
    config.precision = Precision::Bf32;
    EXPECT_EQ(forecastMemory(model, config, {256, 0}, false, 2).deviceBytes(), exact.deviceBytes()) << "fp32 tensors";
    config.precision = Precision::Bf16;
    const MemoryPlan rounded = forecastMemory(model, config, {256, 0}, false, 2);
    EXPECT_EQ(rounded.bytesOf(MemoryKind::Weights), 6u * 134'515'008u) << "with the copy that products read";
    EXPECT_EQ(rounded.bytesOf(MemoryKind::FirstMoment), 4u * 134'515'008u);
    EXPECT_LT(rounded.bytesOf(MemoryKind::Activations), exact.bytesOf(MemoryKind::Activations) * 7 / 10);
    config.precision = Precision::Fp32;
    config.recompute = Recompute::Layer;
    // 2,048 tokens: the input of 30 layers, one layer's activations, what passes.
    EXPECT_LT(forecastMemory(model, config, {256, 0}, false, 2).bytesOf(MemoryKind::Activations), exact.bytesOf(MemoryKind::Activations) / 5);
}

TEST(MemoryAdvice, TakesTheChangeThatCostsLeast) {
    const ModelDescription model = smollm2();
    RunConfig config;
    config.batch = 16;
    const auto needed = [&](const RunConfig& one) { return forecastMemory(model, one, {512, 0}, false, 2).deviceBytes(); };
    const auto place = [](std::uint64_t freeBytes) { return MemoryPlace{{512, 0}, false, 2, freeBytes}; };
    EXPECT_OK(requireMemory(model, config, place(needed(config))));
    const auto smaller = cheapestFit(model, config, place(needed(config) - 1));
    ASSERT_TRUE(smaller);
    EXPECT_EQ(smaller->changes, "micro_batch=8");
    EXPECT_EQ(smaller->bytes, needed(smaller->config));
    RunConfig one = config;
    one.microBatch = 1;
    const auto recomputed = cheapestFit(model, config, place(needed(one) - 1));
    ASSERT_TRUE(recomputed);
    EXPECT_EQ(recomputed->config.recompute, Recompute::Layer);
    EXPECT_LE(recomputed->bytes, needed(one) - 1);
    const auto refused = requireMemory(model, config, place(needed(one) - 1));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::OutOfMemory);
    EXPECT_THAT(refused.error().text(),
                testing::AllOf(testing::HasSubstr("activations "), testing::HasSubstr("are free"), testing::HasSubstr("recompute=layer")));
    // Three arenas of full training do not fit beside the weights: only LoRA does.
    const auto lora = cheapestFit(model, config, place(std::uint64_t{1600} << 20));
    ASSERT_TRUE(lora);
    EXPECT_EQ(lora->config.optimizer, OptimizerKind::LoraMofo);
    EXPECT_FALSE(cheapestFit(model, config, place(1 << 20)));
    EXPECT_OK(requireMemory(model, config, place(0)));  // nothing is known of what is free
}

TEST(MemoryAdvice, LeavesMicroBatchesWhoseNumberIsPartOfTheLoss) {
    const ModelDescription model = smollm2();
    RunConfig config;
    config.batch = 16;
    config.lossMean = LossMean::MicroBatch;
    const std::uint64_t needed = forecastMemory(model, config, {512, 0}, false, 2).deviceBytes();
    const auto change = cheapestFit(model, config, {{512, 0}, false, 2, needed - 1});
    ASSERT_TRUE(change);
    EXPECT_EQ(change->changes, "recompute=layer");
}

TEST(MemoryPlan, ActivationsDoubleWithTheMicroBatchAndNothingElseDoes) {
    const ModelDescription model = smollm2();
    RunConfig config;
    config.batch = 16;
    config.microBatch = 2;
    const MemoryPlan two = forecastMemory(model, config, {300, 0}, false, 2);
    config.microBatch = 4;
    const MemoryPlan four = forecastMemory(model, config, {300, 0}, false, 2);
    for (std::size_t i = 0; i < two.terms.size(); ++i) {
        const std::uint64_t factor = two.terms[i].kind == MemoryKind::Activations ? 2 : 1;
        EXPECT_EQ(four.terms[i].bytes, factor * two.terms[i].bytes) << memoryKindName(two.terms[i].kind);
    }
    config.microBatch = 0;  // the whole batch
    EXPECT_EQ(forecastMemory(model, config, {300, 0}, false, 2).bytesOf(MemoryKind::Activations), 8 * two.bytesOf(MemoryKind::Activations));
}

TEST(MemoryPlan, MethodsDecideSomeTerms) {
    const ModelDescription model = smollm2();
    RunConfig config;
    const std::uint64_t selection = forecastMemory(model, config, {256, 0}, false, 2).bytesOf(MemoryKind::Selection);
    EXPECT_GT(selection, 50u << 20);
    config.granularity.kind = GranularityKind::Model;
    EXPECT_GT(forecastMemory(model, config, {256, 0}, false, 2).bytesOf(MemoryKind::Selection), selection);
    config.optimizer = OptimizerKind::AdamW;
    config.l2 = 0.1;
    config.coverage = false;
    const MemoryPlan adamw = forecastMemory(model, config, {256, 0}, false, 2);
    EXPECT_EQ(adamw.bytesOf(MemoryKind::Selection), 0u);
    EXPECT_EQ(adamw.bytesOf(MemoryKind::Pretrained), adamw.bytesOf(MemoryKind::Weights));
    EXPECT_EQ(adamw.bytesOf(MemoryKind::Statistics), 2u * 16'814'376u);
}

TEST(MemoryPlan, OffloadPutsTheMomentsIntoHostMemory) {
    const ModelDescription model = smollm2();
    RunConfig config;
    const MemoryPlan device = forecastMemory(model, config, {256, 0}, true, 2);
    config.offload = Offload::Optimizer;
    const MemoryPlan offloaded = forecastMemory(model, config, {256, 0}, true, 2);
    const std::uint64_t arena = device.bytesOf(MemoryKind::Weights);
    EXPECT_EQ(device.deviceBytes() - offloaded.deviceBytes(), 2 * arena + device.bytesOf(MemoryKind::Selection));
    EXPECT_EQ(offloaded.hostBytes() - device.hostBytes(), 4 * arena + device.bytesOf(MemoryKind::Selection));
}

TEST(MemoryPlan, FitsTightOrNot) {
    EXPECT_EQ(memoryFit(90, 100), MemoryFit::Fits);
    EXPECT_EQ(memoryFit(91, 100), MemoryFit::Tight);
    EXPECT_EQ(memoryFit(100, 100), MemoryFit::Tight);
    EXPECT_EQ(memoryFit(101, 100), MemoryFit::DoesNotFit);
}

TEST(StepPlan, FollowsTheEnginesRules) {
    RunConfig config;
    config.epochs = 2;
    config.batch = 16;
    EXPECT_EQ(planSteps(config, 7473).steps, 935);
    config.evalEvery = 100;  // 5 % held out
    const StepPlan held = planSteps(config, 1000);
    EXPECT_EQ(held.heldOutRows, 50);
    EXPECT_EQ(held.trainRows, 950);
    EXPECT_EQ(held.steps, 119);
    config.steps = 7;
    EXPECT_EQ(planSteps(config, 1000).steps, 7);
    EXPECT_EQ(planSteps(config, 0).steps, 0);
}

TEST(SelectionPlan, CountsWhatAStepMoves) {
    const ModelDescription model = smollm2();
    RunConfig config;
    auto plan = planSelection(model, config);
    ASSERT_OK(plan);
    EXPECT_EQ(plan->partitions, 211);
    EXPECT_EQ(plan->unfilteredTensors, 61);
    EXPECT_NEAR(static_cast<double>(plan->selected) / static_cast<double>(plan->filtered), 0.15, 1e-5);
    config.granularity.kind = GranularityKind::Model;
    plan = planSelection(model, config);
    ASSERT_OK(plan);
    EXPECT_EQ(plan->partitions, 1);
}

TEST(MemoryPlan, ReckonsWithTheTokensOfTheLongestMicroBatch) {
    const ModelDescription model = smollm2();
    RunConfig config;
    config.batch = 8;
    const auto activations = [&](const BatchLengths& lengths) {
        return forecastMemory(model, config, lengths, false, 2).bytesOf(MemoryKind::Activations);
    };
    EXPECT_EQ(activations({512, 2048}) * 2, activations({512, 0}));
    EXPECT_EQ(activations({512, 9000}), activations({512, 0})) << "never more than so many rows of the longest one's length";
}

TEST(BatchLengths, AreThoseOfTheRowsThatAreTrainedOnInTheirOrder) {
    RunConfig config;
    config.batch = 4;
    config.microBatch = 2;
    config.shuffle = false;
    config.epochs = 1;
    config.evalSplit = 0.2;
    const BatchLengths lengths = batchLengths({5, 9, 30, 1, 7, 8, 2, 4, 500, 600}, config);
    EXPECT_EQ(lengths.longestRow, 30) << "the last two are held out";
    EXPECT_EQ(lengths.microBatchTokens, 31);
    EXPECT_EQ(batchLengths({}, config).longestRow, 0);
}
}  // namespace
}  // namespace mofo
