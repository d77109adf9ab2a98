// The benchmark's parts: what is compared must be the same work, and what is reported must add up. Times are not judged here.
#include "core/engine/bench_optimizer.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/engine/bench_rivals.h"
#include "core/engine/bench_step.h"
#include "core/engine/optimizer.h"
#include "core/model/partition.h"
#include "tests/core/engine/fake_cuda_plugin.h"
#include "tests/support/test_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

using kernels::Format;
using ::testing::HasSubstr;

constexpr kernels::Hyperparameters values{.lr = 1e-3};

class BenchOptimizerTest : public ::testing::Test {
protected:
    void SetUp() override {
        test::writeTinyModel(m_folder / "model");
        auto model = BenchModel::open((m_folder / "model").string());
        ASSERT_OK(model);
        m_model = std::move(*model);
    }
    BenchWorkload workload(Format format = Format::Fp32) {
        auto work = BenchWorkload::make(m_model, format, c10::kCPU, {});
        EXPECT_OK(work);
        return std::move(*work);
    }
    static BenchSettings quick() {
        BenchSettings settings;
        settings.leastRounds = 3;
        settings.secondsPerCase = 0;
        settings.secondsComposed = 0;
        return settings;
    }
    /// One step of ours over a workload; false where the kernel refuses.
    bool stepOurs(BenchWorkload& work, const kernels::StepPlan& plan, const std::vector<std::int64_t>& k, kernels::Rule rule, std::int64_t step) {
        std::vector<kernels::PartitionResult> partitions(plan.sizes.size());
        std::vector<kernels::TensorResult> tensors(work.tensors().size());
        kernels::StepStatus status;
        const kernels::StepScalars scalars = kernels::stepScalars(values, step, 1, false);
        kernels::StepArguments arguments;
        arguments.tensors = work.tensors();
        arguments.plan = &plan;
        arguments.k = k;
        arguments.rule = rule;
        arguments.scalars = &scalars;
        arguments.partitionResults = partitions;
        arguments.tensorResults = tensors;
        arguments.status = &status;
        const auto bytes = kernels::cpu::stepWorkspaceBytes(plan, 1);
        const at::Tensor workspace = at::empty({static_cast<std::int64_t>(bytes) + 64}, at::kByte);
        void* aligned = workspace.data_ptr();
        std::size_t space = bytes + 64;
        arguments.workspace = {static_cast<std::byte*>(std::align(64, bytes, aligned, space)), bytes};
        return kernels::cpu::step(arguments, {});
    }
    kernels::StepPlan planOf(BenchWorkload& work, const Granularity& granularity, std::vector<std::int64_t>& k) {
        auto partitions = partitionsOf(m_model.source->description(), work.parameters(), granularity, work.filtered());
        EXPECT_OK(partitions);
        std::vector<kernels::Slice> slices;
        std::vector<std::int64_t> first{0};
        for (const Partition& partition : *partitions) {
            for (const Slice& slice : partition.slices) slices.push_back({slice.parameter, slice.begin, slice.rows, slice.length, slice.stride});
            first.push_back(static_cast<std::int64_t>(slices.size()));
        }
        kernels::StepPlan plan = kernels::makeStepPlan(work.tensors(), {slices, first});
        for (const std::int64_t n : plan.sizes) k.push_back(kernels::selectedCount(0.15, n));
        return plan;
    }
    static double worst(const ParameterArena& a, const ParameterArena& b) { return (a.flat() - b.flat()).abs().max().item<double>(); }

    test::TemporaryFolder m_folder;
    BenchModel m_model;
};

TEST_F(BenchOptimizerTest, GradientsChangeAndAreTheSameForEveryRun) {
    BenchWorkload a = workload(), b = workload();
    a.nextGradients();
    b.nextGradients();
    const at::Tensor first = a.gradients().flat().clone();
    EXPECT_TRUE(at::equal(first, b.gradients().flat()));
    EXPECT_TRUE(first.isfinite().all().item<bool>());
    a.nextGradients();
    EXPECT_EQ((first == a.gradients().flat()).sum().item<std::int64_t>(), 0) << "all of them change";
    EXPECT_TRUE(at::equal(a.weights().flat(), (*loadWeights(*m_model.source, c10::kCPU)).flat()));
    // Tensors differ in scale, and rows within one.
    std::vector<double> norms;
    for (std::size_t i = 0; i < a.parameters().size(); ++i) norms.push_back(a.gradients().view(i).square().mean().sqrt().item<double>());
    EXPECT_GT(*std::max_element(norms.begin(), norms.end()), 5 * *std::min_element(norms.begin(), norms.end()));
    const at::Tensor rows = a.gradients().view(0).square().mean({-1}).sqrt();
    EXPECT_GT(rows.max().item<double>(), 20 * rows.median().item<double>());
}

TEST_F(BenchOptimizerTest, HalfPrecisionGradientsHaveTheSameValues) {
    BenchWorkload work = workload(Format::Bf16);
    work.nextGradients();
    for (std::size_t i = 0; i < work.tensors().size(); ++i) {
        const kernels::Tensor& tensor = work.tensors()[i];
        EXPECT_EQ(tensor.p, nullptr);
        ASSERT_NE(tensor.p16, nullptr);
        const auto* const half = reinterpret_cast<const c10::BFloat16*>(tensor.g16);
        for (std::int64_t j = 0; j < tensor.n; ++j) ASSERT_EQ(static_cast<float>(half[j]), work.gradients().view(i).data_ptr<float>()[j]);
    }
}

TEST_F(BenchOptimizerTest, FusedAdamWDoesOurAdamWsWork) {
    BenchWorkload fused = workload(), ours = workload();
    FusedAdamW rival(fused);
    std::vector<std::int64_t> k;
    const kernels::StepPlan plan = planOf(ours, {}, k);
    for (std::int64_t step = 1; step <= 3; ++step) {
        fused.nextGradients();
        ours.nextGradients();
        rival.setStep(step);
        rival.step(values);
        ASSERT_TRUE(stepOurs(ours, plan, k, kernels::Rule::None, step));
    }
    EXPECT_GT(worst(fused.weights(), *loadWeights(*m_model.source, c10::kCPU)), 1e-3);
    EXPECT_LT(worst(fused.weights(), ours.weights()), 1e-6);
    EXPECT_LT(worst(fused.firstMoments(), ours.firstMoments()), 1e-6);
}

class BenchComposition : public BenchOptimizerTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(BenchComposition, MovesWhatOursMoves) {
    for (const bool batched : {false, true}) {
        BenchWorkload theirs = workload(), ours = workload();
        std::vector<std::int64_t> k, again;
        const Granularity granularity = *Granularity::parse(GetParam());
        const kernels::StepPlan plan = planOf(ours, granularity, k);
        ComposedMofo composed(theirs, planOf(theirs, granularity, again), again, batched);
        for (std::int64_t step = 1; step <= 3; ++step) {
            theirs.nextGradients();
            ours.nextGradients();
            composed.step(values, step);
            ASSERT_TRUE(stepOurs(ours, plan, k, kernels::Rule::Momentum, step));
        }
        EXPECT_TRUE(at::equal(theirs.firstMoments().flat(), ours.firstMoments().flat()));
        EXPECT_LT(worst(theirs.weights(), ours.weights()), 1e-6);
        EXPECT_GT(composed.scratchBytes(), 0);
    }
}

INSTANTIATE_TEST_SUITE_P(Granularities, BenchComposition,
                         ::testing::Values("model", "layer", "module", "tensor", "head", "row", "block:4096", "block:100", "shards:4"));

TEST_F(BenchOptimizerTest, ReportsEveryDocumentedCase) {
    std::vector<std::string> phases;
    const auto result = benchOptimizer(m_model, quick(), [&](std::string_view phase, double share) {
        if (phases.empty() || phases.back() != phase) phases.emplace_back(phase);
        EXPECT_GE(share, 0);
        EXPECT_LE(share, 1);
        return true;
    });
    ASSERT_OK(result);
    EXPECT_EQ(phases, (std::vector<std::string>{"load", "warm up", "measure", "compose"}));
    const Json& cases = (*result)["cases"];
    std::vector<std::string> names;
    for (const Json& entry : cases) names.push_back(entry["granularity"].get<std::string>() + " " + entry["alpha"].dump());
    EXPECT_EQ(names, (std::vector<std::string>{"tensor 0.15", "tensor 0.05", "tensor 0.03", "layer 0.15", "module 0.15", "model 0.15", "head 0.15",
                                               "row 0.15", "block:4096 0.15", "shards:4 0.15"}));
    for (const Json& entry : cases) {
        const double ms = entry["ms"], fused = entry["fused_adamw_ms"], composed = entry["composed_ms"];
        EXPECT_GT(ms, 0);
        EXPECT_DOUBLE_EQ(entry["ratio"].get<double>(), ms / fused);
        EXPECT_DOUBLE_EQ(entry["speedup"].get<double>(), composed / ms);
        EXPECT_LE(entry["ratio_low"].get<double>(), entry["ratio_high"].get<double>());
        EXPECT_GE(entry["limit"].get<double>(), 1.2);
        EXPECT_EQ(entry["rounds"], 3);
        EXPECT_GT(entry["statistics_ms"].get<double>(), 0);
        // k is floor(alpha n) of each partition, at least 1.
        EXPECT_NEAR(entry["selected_share"].get<double>(), entry["alpha"].get<double>(), 0.03) << entry.dump();
        EXPECT_LE(entry["scratch_bytes"].get<std::int64_t>(), entry["scratch_limit_bytes"].get<std::int64_t>());
    }
    const Json& adamw = (*result)["adamw"];
    EXPECT_EQ(adamw["granularity"], "none");
    EXPECT_EQ(adamw["selected_share"], 1.0);
    EXPECT_TRUE(adamw["composed_ms"].is_null());
    EXPECT_EQ((*result)["parameters"], m_model.parameterCount());
    EXPECT_EQ((*result)["precision"], "fp32");
    EXPECT_EQ((*result)["threads"], at::get_num_threads());
}

TEST_F(BenchOptimizerTest, OtherPrecisionsHaveNoRivalButARate) {
    for (const Format format : {Format::Bf16, Format::Bf16Master}) {
        BenchSettings settings = quick();
        settings.format = format;
        settings.cases = {{{}, 0.15}, {*Granularity::parse("row"), 0.15}};
        const auto result = benchOptimizer(m_model, settings, {});
        ASSERT_OK(result);
        EXPECT_EQ((*result)["precision"], format == Format::Bf16 ? "bf16-pure" : "bf16");
        for (const Json& entry : (*result)["cases"]) {
            for (const char* key : {"fused_adamw_ms", "ratio", "composed_ms", "speedup"}) EXPECT_TRUE(entry[key].is_null()) << key;
            const double bytes = format == Format::Bf16 ? 22 : 28;
            EXPECT_DOUBLE_EQ(entry["bytes_per_second"].get<double>(),
                             static_cast<double>(m_model.parameterCount()) * bytes / entry["ms"].get<double>() * 1e3);
            EXPECT_DOUBLE_EQ(entry["rate_ratio"].get<double>(),
                             entry["bytes_per_second"].get<double>() / entry["fused_fp32_bytes_per_second"].get<double>());
        }
    }
}

TEST_F(BenchOptimizerTest, TheCudaTwinIsCalledAsTheCpusKernelsAre) {
    const CudaPlugin plugin = test::fakeCudaPlugin();
    for (const Format format : {Format::Fp32, Format::Bf16}) {
        for (const kernels::Rule rule : {kernels::Rule::Momentum, kernels::Rule::None}) {
            BenchWorkload onHost = workload(format), onDevice = workload(format);
            const ModelDescription& shape = m_model.source->description();
            const BenchStepSettings settings{*Granularity::parse("row"), 0.15, rule, format, values, nullptr};
            BenchStepSettings withPlugin = settings;
            withPlugin.cuda = &plugin;
            auto host = BenchStep::make(onHost, shape, settings);
            auto device = BenchStep::make(onDevice, shape, withPlugin);
            ASSERT_OK(host);
            ASSERT_OK(device);
            for (std::int64_t step = 1; step <= 3; ++step) {
                onHost.nextGradients();
                onDevice.nextGradients();
                for (BenchStep* side : {host->get(), device->get()}) {
                    ASSERT_OK(side->prepare(step));
                    ASSERT_OK(side->run(step == 2));
                    ASSERT_OK(side->finish(step == 2));
                }
            }
            EXPECT_TRUE(at::equal(onHost.firstMoments().flat(), onDevice.firstMoments().flat()));
            for (std::size_t i = 0; i < onHost.tensors().size(); ++i) {
                const kernels::Tensor &a = onHost.tensors()[i], &b = onDevice.tensors()[i];
                if (format == Format::Fp32) {
                    EXPECT_TRUE(std::equal(a.p, a.p + a.n, b.p));
                } else {
                    EXPECT_TRUE(std::equal(a.p16, a.p16 + a.n, b.p16));
                }
            }
            EXPECT_EQ((*host)->selectedShare(), (*device)->selectedShare());
            EXPECT_EQ((*device)->steps(), 3);
            EXPECT_GT((*device)->scratchBytes(), 0);
        }
    }
    BenchSettings settings = quick();
    settings.cuda = &plugin;
    settings.cases = {{{}, 0.15}};
    for (const char* function : {"makeDevicePlan", "uploadPlan", "copy", "step", "copyResults", "synchronize"}) {
        test::g_failingCudaCall = function;
        const auto failed = benchOptimizer(m_model, settings, {});
        ASSERT_FALSE(failed.ok()) << function;
        EXPECT_EQ(failed.error().code, ErrorCode::DeviceUnusable) << function;
        EXPECT_THAT(failed.error().text(), HasSubstr("no such thing"));
    }
    test::g_failingCudaCall.clear();
    const auto result = benchOptimizer(m_model, settings, {});
    ASSERT_OK(result);
    EXPECT_EQ((*result)["instruction_set"], "cuda");
}

TEST_F(BenchOptimizerTest, RefusesWhatDoesNotFitIntoMemory) {
    auto model = BenchModel::open("random:llama-1b");
    ASSERT_OK(model);
    BenchSettings settings;
    settings.availableBytes = 15ll << 30;
    const auto refused = benchOptimizer(*model, settings, {});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::OutOfMemory);
    EXPECT_THAT(refused.error().text(), HasSubstr("random:llama-1b"));
    EXPECT_THAT(refused.error().text(), HasSubstr("15.0 GiB"));
}

TEST_F(BenchOptimizerTest, CanBeCancelledInEveryPhase) {
    for (const std::string phase : {"load", "warm up", "measure", "compose"}) {
        const auto result = benchOptimizer(m_model, quick(), [&](std::string_view now, double) { return now != phase; });
        ASSERT_FALSE(result.ok()) << phase;
        EXPECT_EQ(result.error().code, ErrorCode::Interrupted) << phase;
    }
}

TEST_F(BenchOptimizerTest, ACompositionThatWouldTakeTooLongIsLeftOut) {
    BenchSettings settings = quick();
    settings.cases = {{{}, 0.15}};
    settings.composedStepLimit = 1e-9;
    const auto result = benchOptimizer(m_model, settings, {});
    ASSERT_OK(result);
    EXPECT_TRUE((*result)["cases"][0]["composed_ms"].is_null());
    EXPECT_THAT((*result)["cases"][0]["composed_note"].get<std::string>(), HasSubstr("left out"));
}

TEST(BenchModel, OneLayerOfLlamaHasNineTensors) {
    const auto model = BenchModel::open("random:llama-1b-layer");
    ASSERT_OK(model);
    std::vector<std::vector<std::int64_t>> shapes;
    for (const ParameterInfo& parameter : model->parameters) shapes.push_back(parameter.shape);
    EXPECT_THAT(shapes, ::testing::UnorderedElementsAre(
                            std::vector<std::int64_t>{2048}, std::vector<std::int64_t>{2048}, std::vector<std::int64_t>{2048, 2048},
                            std::vector<std::int64_t>{512, 2048}, std::vector<std::int64_t>{512, 2048}, std::vector<std::int64_t>{2048, 2048},
                            std::vector<std::int64_t>{8192, 2048}, std::vector<std::int64_t>{8192, 2048}, std::vector<std::int64_t>{2048, 8192}));
    EXPECT_EQ(model->parameterCount(), 60'821'504);
    EXPECT_FALSE(BenchModel::open("random:nothing-layer").ok());
}

TEST(BenchPrecision, NamesAreRead) {
    EXPECT_EQ(*parseBenchPrecision(""), Format::Fp32);
    EXPECT_EQ(*parseBenchPrecision("bf16"), Format::Bf16Master);
    EXPECT_EQ(*parseBenchPrecision("bf16-pure"), Format::Bf16);
    EXPECT_EQ(parseBenchPrecision("fp8").error().code, ErrorCode::Usage);
}

TEST(BenchLimits, AreTheProjects) {
    const auto limit = [](const char* granularity, double alpha, bool onGpu = false) {
        return costLimit({*Granularity::parse(granularity), alpha}, Format::Fp32, onGpu);
    };
    EXPECT_EQ(limit("tensor", 0.15), 1.25);
    EXPECT_EQ(limit("tensor", 0.03), 1.2);
    for (const char* granularity : {"layer", "module", "model", "head", "shards:4"}) EXPECT_EQ(limit(granularity, 0.15), 1.4);
    for (const char* granularity : {"row", "block:4096"}) EXPECT_EQ(limit(granularity, 0.15), 1.5);
    EXPECT_EQ(limit("row", 0.15, true), 1.15);
}

}  // namespace
}  // namespace mofo
