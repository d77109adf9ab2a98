// The CUDA twin on a GPU: the table of cases that the emulation has to get right, and what only a GPU can show. Skipped where there is none, unless
// MOFO_REQUIRE_GPU=1 says that there must be.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>

#include "kernels/include/cuda_step.h"
#include "kernels/include/statistics.h"
#include "tests/kernels/cuda_case.h"
#include "tests/kernels/cuda_table.h"

namespace mofo::kernels::cuda::test {
namespace {

using kernels::test::Workspace;

void check(cudaError_t error) { ASSERT_EQ(error, cudaSuccess) << cudaGetErrorString(error); }

/// "" where there is a usable GPU.
std::string whyNoGpu() {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) return cudaGetErrorString(error);
    if (count == 0) return "there is no CUDA device";
    int major = 0;
    if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0) != cudaSuccess) return "the device does not answer";
    return major < 8 ? "the GPU is older than compute capability 8.0" : "";
}

/// Device memory with `slack` bytes of a pattern on both sides, which nothing may write to.
class DeviceBlock {
public:
    explicit DeviceBlock(std::size_t bytes) : m_bytes(bytes) {
        check(cudaMalloc(&m_memory, bytes + 2 * slack));
        check(cudaMemset(m_memory, 0xa5, bytes + 2 * slack));
    }
    ~DeviceBlock() {
        std::vector<std::uint8_t> edge(slack);
        for (const std::size_t at : {std::size_t{0}, slack + m_bytes}) {
            check(cudaMemcpy(edge.data(), static_cast<std::byte*>(m_memory) + at, slack, cudaMemcpyDeviceToHost));
            EXPECT_TRUE(std::all_of(edge.begin(), edge.end(), [](std::uint8_t byte) { return byte == 0xa5; })) << "something wrote beside its memory";
        }
        check(cudaFree(m_memory));
    }
    DeviceBlock(const DeviceBlock&) = delete;
    DeviceBlock& operator=(const DeviceBlock&) = delete;
    template <class T = std::byte>
    [[nodiscard]] T* as() const {
        return reinterpret_cast<T*>(static_cast<std::byte*>(m_memory) + slack);
    }
    [[nodiscard]] std::size_t bytes() const { return m_bytes; }

private:
    static constexpr std::size_t slack = 256;
    void* m_memory = nullptr;
    std::size_t m_bytes;
};

class Stream {
public:
    Stream() { check(cudaStreamCreateWithFlags(&m_stream, cudaStreamNonBlocking)); }
    ~Stream() { check(cudaStreamDestroy(m_stream)); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    operator cudaStream_t() const { return m_stream; }  // NOLINT: as CUDA takes it
    void wait() const { check(cudaStreamSynchronize(m_stream)); }

private:
    cudaStream_t m_stream = nullptr;
};

struct PlanDeleter {
    void operator()(DevicePlan* plan) const { destroyDevicePlan(plan); }
};

/// A case on the device, from its upload on.
class OnDevice {
public:
    OnDevice(Case& c, const How& how) : m_case(c) {
        for (CaseTensor& t : c.tensors) {
            for (auto* values : {&t.p, &t.g, &t.m, &t.v}) add(*values);
            for (auto* values : {&t.p16, &t.g16}) add(*values);
        }
        std::vector<Tensor> tensors = c.views();
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            Tensor& t = tensors[i];
            const std::int64_t lead = c.tensors[i].lead;
            const auto floats = [&](int which) { return m_arrays[i * 6 + static_cast<std::size_t>(which)]->as<float>() + lead; };
            const auto halves = [&](int which) { return m_arrays[i * 6 + static_cast<std::size_t>(which)]->as<std::uint16_t>() + lead; };
            if (t.p != nullptr) t.p = floats(0);
            if (t.g != nullptr) t.g = floats(1);
            t.m = floats(2);
            t.v = floats(3);
            if (t.p16 != nullptr) t.p16 = halves(4);
            if (t.g16 != nullptr) t.g16 = halves(5);
        }
        m_stepPlan = c.plan();
        DevicePlan* made = nullptr;
        const std::string wrong = makeDevicePlan(tensors, m_stepPlan, c.format, how.tuning, &made);
        plan.reset(made);
        EXPECT_EQ(wrong, "");
        if (!wrong.empty()) return;
        std::int64_t total = std::accumulate(m_stepPlan.sizes.begin(), m_stepPlan.sizes.end(), std::int64_t{0});
        if (how.journal >= 0) total = how.journal;
        const PlanBytes bytes = planBytes(*plan, total);
        tables = std::make_unique<DeviceBlock>(bytes.tables);
        workspace = std::make_unique<DeviceBlock>(bytes.workspace);
        results = std::make_unique<DeviceBlock>(bytes.results);
        scalars = std::make_unique<DeviceBlock>(sizeof(StepScalars));
        k = std::make_unique<DeviceBlock>(std::max<std::size_t>(c.k.size(), 1) * sizeof(std::int64_t));
        EXPECT_EQ(uploadPlan(*plan, tables->as(), tables->bytes(), stream), "");
        check(cudaMallocHost(reinterpret_cast<void**>(&m_pinned), bytes.results));
        launch.plan = plan.get();
        launch.scalars = scalars->as<StepScalars>();
        launch.k = k->as<std::int64_t>();
        launch.rule = c.rule;
        launch.decaySelectedOnly = c.decaySelectedOnly;
        launch.measure = c.measure;
        launch.histograms = c.wantsHistograms;
        launch.workspace = workspace->as();
        launch.workspaceBytes = workspace->bytes();
        launch.results = results->as();
        uploadArguments();
    }
    ~OnDevice() { check(cudaFreeHost(m_pinned)); }
    OnDevice(const OnDevice&) = delete;
    OnDevice& operator=(const OnDevice&) = delete;

    /// What may differ from step to step, of the case as it is now.
    void uploadArguments() {
        const StepScalars now = m_case.scalars();
        check(cudaMemcpy(scalars->as(), &now, sizeof now, cudaMemcpyHostToDevice));
        check(cudaMemcpy(k->as(), m_case.k.data(), m_case.k.size() * sizeof(std::int64_t), cudaMemcpyHostToDevice));
    }
    /// Brings arrays and results back into the case.
    void download() {
        ASSERT_EQ(copyResults(*plan, results->as(), true, m_pinned, stream), "");
        stream.wait();
        m_case.partitions.assign(m_case.rule == Rule::None ? 0 : m_stepPlan.sizes.size(), {});
        m_case.results.assign(m_case.tensors.size(), {});
        m_case.histograms.assign(m_case.wantsHistograms ? m_case.tensors.size() : 0, {});
        ASSERT_TRUE(
            readResults(*plan, m_pinned, m_case.rule, m_case.scalars(), m_case.partitions, m_case.results, &m_case.status, m_case.histograms));
        std::size_t at = 0;
        for (CaseTensor& t : m_case.tensors) {
            for (auto* values : {&t.p, &t.g, &t.m, &t.v}) bringBack(*values, at++);
            for (auto* values : {&t.p16, &t.g16}) bringBack(*values, at++);
        }
    }

    Stream stream;
    std::unique_ptr<DevicePlan, PlanDeleter> plan;
    std::unique_ptr<DeviceBlock> tables, workspace, results, scalars, k;
    StepLaunch launch;

private:
    template <class T>
    void add(const std::vector<T>& values) {
        m_arrays.push_back(std::make_unique<DeviceBlock>(std::max<std::size_t>(values.size(), 1) * sizeof(T)));
        check(cudaMemcpy(m_arrays.back()->as(), values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
    }
    template <class T>
    void bringBack(std::vector<T>& values, std::size_t at) {
        check(cudaMemcpy(values.data(), m_arrays[at]->as(), values.size() * sizeof(T), cudaMemcpyDeviceToHost));
    }

    Case& m_case;
    StepPlan m_stepPlan;
    std::vector<std::unique_ptr<DeviceBlock>> m_arrays;
    std::byte* m_pinned = nullptr;
};

const Runner onDevice = [](Case& c, const How& how) {
    OnDevice device(c, how);
    if (testing::Test::HasFailure()) return;
    ASSERT_EQ(step(device.launch, device.stream), "");
    device.download();
};

class Gpu : public testing::Test {
protected:
    void SetUp() override {
        const std::string why = whyNoGpu();
        if (why.empty()) return;
        const char* required = std::getenv("MOFO_REQUIRE_GPU");
        if (required != nullptr && std::string(required) == "1") FAIL() << "MOFO_REQUIRE_GPU=1, but " << why;
        GTEST_SKIP() << why;
    }
};

class GpuSelection : public Gpu, public testing::WithParamInterface<Pattern> {};
TEST_P(GpuSelection, EqualsAFullSort) { expectSelections(onDevice, GetParam()); }
INSTANTIATE_TEST_SUITE_P(Table, GpuSelection, testing::ValuesIn(patterns), [](const auto& info) { return std::string(name(info.param)); });

class GpuGranularities : public Gpu, public testing::WithParamInterface<std::tuple<Granularity, Format>> {};
TEST_P(GpuGranularities, EqualTheCpuInEveryRuleAndDecay) { expectGranularity(onDevice, std::get<0>(GetParam()), std::get<1>(GetParam())); }
TEST_P(GpuGranularities, AlphaOneEqualsAdamW) { expectAlphaOneToEqualAdamW(onDevice, std::get<0>(GetParam()), std::get<1>(GetParam())); }
INSTANTIATE_TEST_SUITE_P(Table, GpuGranularities, testing::Combine(testing::ValuesIn(granularities()), testing::ValuesIn(formats)),
                         [](const auto& info) { return std::get<0>(info.param).name + ('_' + nameOf(std::get<1>(info.param))); });

TEST_F(Gpu, AnySampleAndAnyRoomGiveTheSameBits) { expectAnySampleAndRoomToDo(onDevice); }
TEST_F(Gpu, EveryCoordinateMovesUnderNoRule) { expectEverythingToMoveUnderNoRule(onDevice); }
TEST_F(Gpu, NanChangesNothing) { expectNanToChangeNothing(onDevice); }
TEST_F(Gpu, KnownFiniteIsNotTrustedWhereAnOverflowCouldBecomeNan) { expectKnownFiniteToBeTrustedOnlyWhereItCanBe(onDevice); }
TEST_F(Gpu, SaysWhenAMomentIsNoLongerFinite) { expectInfiniteMomentsToBeReported(onDevice); }
TEST_F(Gpu, CountsCoordinatesIn64Bits) { expectCoordinatesToBeCountedIn64Bits(onDevice); }
TEST_F(Gpu, EqualsTheCpuOverSeveralStepsAndBetas) { expectSeveralStepsAndBetas(onDevice); }

/// Enough that all multiprocessors work on one partition at a time.
Case largeModel(Format format) {
    Case c;
    c.format = format;
    c.add(Pattern::Random, 20'000'003, 1);
    c.add(Pattern::Random, 4'000'000, 2);
    c.add(Pattern::MostlyZero, 3'000'000, 4);
    c.add(Pattern::Random, 5000, 5, /*filtered=*/false);
    c.partitionByTensor();
    c.setAlpha(0.15);
    c.measure = c.wantsHistograms = true;
    return c;
}

TEST_F(Gpu, LargePartitionsEqualTheCpuOverSeveralSteps) {
    for (const Format format : formats) {
        Case expected = largeModel(format);
        Case actual = expected;
        OnDevice device(actual, {});
        if (HasFailure()) return;
        for (std::int64_t t = 1; t <= 3; ++t) {
            SCOPED_TRACE(nameOf(format) + ", step " + std::to_string(t));
            expected.step = actual.step = t;
            expected.runOnCpu();
            device.uploadArguments();
            ASSERT_EQ(step(device.launch, device.stream), "");
            device.download();
            expectEqual(expected, actual);
            if (HasFatalFailure()) return;
        }
    }
}

TEST_F(Gpu, ThreeRunsHaveTheSameBits) {
    const Case original = largeModel(Format::Bf16);
    Case first = original;
    onDevice(first, {});
    for (int run = 1; run < 3; ++run) {
        Case again = original;
        onDevice(again, {});
        expectEqual(first, again);
        for (std::size_t i = 0; i < first.results.size(); ++i) EXPECT_EQ(first.results[i].squaredUpdate, again.results[i].squaredUpdate);
        if (HasFatalFailure()) return;
    }
}

// A capture in global mode fails at whatever allocates or waits; a replay takes scalars and k as they are then.
TEST_F(Gpu, AGraphIsReplayedWithOtherScalarsAndAlphas) {
    for (const Granularity& granularity : granularities()) {
        Case expected = smallModel(Format::Fp32);
        granularity.partition(expected);
        expected.setAlpha(0.15);
        Case actual = expected;
        OnDevice device(actual, {});
        if (HasFailure()) return;
        check(cudaStreamBeginCapture(device.stream, cudaStreamCaptureModeGlobal));
        ASSERT_EQ(step(device.launch, device.stream), "");
        cudaGraph_t graph = nullptr;
        check(cudaStreamEndCapture(device.stream, &graph));
        std::size_t nodes = 0;
        check(cudaGraphGetNodes(graph, nullptr, &nodes));
        EXPECT_LE(nodes, 6U) << granularity.name;
        cudaGraphExec_t executable = nullptr;
        check(cudaGraphInstantiate(&executable, graph, 0));
        for (std::int64_t t = 1; t <= 4; ++t) {
            SCOPED_TRACE(std::string(granularity.name) + ", step " + std::to_string(t));
            for (Case* c : {&expected, &actual}) {
                c->step = t;
                c->setAlpha(t == 3 ? 0.03 : 0.2);
                c->hyperparameters.lr = 1e-3 / static_cast<double>(t);
                c->knownFinite = t == 2;
            }
            expected.runOnCpu();
            device.uploadArguments();
            check(cudaGraphLaunch(executable, device.stream));
            device.download();
            expectEqual(expected, actual);
            if (HasFatalFailure()) return;
        }
        check(cudaGraphExecDestroy(executable));
        check(cudaGraphDestroy(graph));
    }
}

TEST_F(Gpu, RefusesLaunchesThatDoNotFitTogether) {
    Case c = smallModel(Format::Fp32);
    c.partitionByTensor();
    c.setAlpha(0.15);
    OnDevice device(c, {});
    if (HasFailure()) return;
    const auto refused = [&](auto change) {
        StepLaunch bad = device.launch;
        change(bad);
        return !step(bad, device.stream).empty();
    };
    EXPECT_TRUE(refused([](StepLaunch& l) { l.plan = nullptr; }));
    EXPECT_TRUE(refused([](StepLaunch& l) { l.scalars = nullptr; }));
    EXPECT_TRUE(refused([](StepLaunch& l) { l.k = nullptr; }));
    EXPECT_TRUE(refused([](StepLaunch& l) { l.results = nullptr; }));
    EXPECT_TRUE(refused([&](StepLaunch& l) { l.workspaceBytes = planBytes(*device.plan, 0).leastWorkspace - 1; }));
    EXPECT_FALSE(refused([&](StepLaunch& l) { l.workspaceBytes = planBytes(*device.plan, 0).leastWorkspace; }));
    device.stream.wait();
}

TEST_F(Gpu, MasksAndTopSumsOfTheGradientEqualTheCpus) {
    for (const Granularity& granularity : granularities()) {
        for (const Rule rule : {Rule::Momentum, Rule::Random, Rule::None}) {
            for (const Tuning& tuning : {Tuning(), everythingLarge()}) {
                Case c = smallModel(Format::Fp32);
                granularity.partition(c);
                c.setAlpha(0.15);
                c.rule = rule;
                How how;
                how.tuning = tuning;
                OnDevice device(c, how);
                if (HasFailure()) return;
                ASSERT_EQ(step(device.launch, device.stream), "");
                const auto tensorCount = static_cast<std::int64_t>(c.tensors.size());
                std::vector<std::uint64_t> bits(static_cast<std::size_t>(firstBitWord(*device.plan, tensorCount)));
                const DeviceBlock bitMemory(bits.size() * sizeof(std::uint64_t));
                ASSERT_EQ(selectedBits(device.launch, bitMemory.as<std::uint64_t>(), device.stream), "");
                std::vector<double> sums(c.k.size());
                const DeviceBlock sumMemory(sums.size() * sizeof(double));
                ASSERT_EQ(topGradientSums(device.launch, sumMemory.as<double>(), device.stream), "");
                device.download();
                check(cudaMemcpy(bits.data(), bitMemory.as(), bitMemory.bytes(), cudaMemcpyDeviceToHost));
                check(cudaMemcpy(sums.data(), sumMemory.as(), sumMemory.bytes(), cudaMemcpyDeviceToHost));

                const std::vector<Tensor> tensors = c.views();
                const StepPlan plan = c.plan();
                const StepScalars scalars = c.scalars();
                Workspace workspace(cpu::stepWorkspaceBytes(plan, 1));
                StepArguments arguments;
                arguments.tensors = tensors;
                arguments.plan = &plan;
                arguments.k = c.k;
                arguments.rule = c.rule;
                arguments.scalars = &scalars;
                arguments.partitionResults = c.partitions;
                arguments.workspace = workspace.span();
                std::vector<std::uint64_t> expectedBits(bits.size());
                std::vector<std::uint64_t*> words;
                for (std::int64_t i = 0; i < tensorCount; ++i) words.push_back(expectedBits.data() + firstBitWord(*device.plan, i));
                ASSERT_TRUE(cpu::selectedBits(arguments, words, {}));
                EXPECT_EQ(expectedBits, bits) << granularity.name;
                std::vector<double> expectedSums(sums.size());
                ASSERT_TRUE(cpu::topGradientSums(arguments, expectedSums, {}));
                for (std::size_t i = 0; i < sums.size(); ++i) ASSERT_NEAR(expectedSums[i], sums[i], 1e-12 * expectedSums[i]) << granularity.name;
            }
        }
    }
}

TEST_F(Gpu, SumsOfSquaresAndDriftsHaveTheCpusBits) {
    Case c;
    unsigned seed = 0;
    for (const std::int64_t n : {1, 17, 128, 32767, 32768, 32769, 1'000'003}) c.add(Pattern::Random, n, ++seed);
    c.tensors[3].p[5] = std::numeric_limits<float>::quiet_NaN();
    c.tensors[4].p[5] = std::numeric_limits<float>::infinity();
    const Stream stream;
    std::vector<std::unique_ptr<DeviceBlock>> memory;
    std::vector<std::int64_t> sizes;
    std::vector<Array> arrays, deviceArrays;
    std::vector<ArrayPair> pairs, devicePairs;
    const auto upload = [&](const std::vector<float>& values) {
        memory.push_back(std::make_unique<DeviceBlock>(values.size() * sizeof(float)));
        check(cudaMemcpy(memory.back()->as(), values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice));
        return memory.back()->as<float>();
    };
    for (const CaseTensor& t : c.tensors) {
        const float* const p = upload(t.p);
        const float* const p0 = upload(t.m);
        sizes.push_back(t.n);
        arrays.push_back({t.p.data() + t.lead, t.n});
        pairs.push_back({t.p.data() + t.lead, t.m.data() + t.lead, t.n});
        deviceArrays.push_back({p + t.lead, t.n});
        devicePairs.push_back({p + t.lead, p0 + t.lead, t.n});
    }
    const DeviceBlock listMemory(arrayListBytes(sizes)), pairMemory(arrayListBytes(sizes));
    const DeviceBlock sumMemory(sizes.size() * sizeof(double)), driftMemory(sizes.size() * sizeof(Drift));
    ArrayList list, pairList;
    ASSERT_EQ(uploadArrays(deviceArrays, listMemory.as(), listMemory.bytes(), stream, &list), "");
    ASSERT_EQ(uploadArrayPairs(devicePairs, pairMemory.as(), pairMemory.bytes(), stream, &pairList), "");
    ASSERT_EQ(sumsOfSquares(list, sumMemory.as<double>(), stream), "");
    ASSERT_EQ(drifts(pairList, driftMemory.as<Drift>(), stream), "");
    stream.wait();
    std::vector<double> sums(sizes.size()), expectedSums(sizes.size());
    std::vector<Drift> found(sizes.size()), expectedDrifts(sizes.size());
    check(cudaMemcpy(sums.data(), sumMemory.as(), sumMemory.bytes(), cudaMemcpyDeviceToHost));
    check(cudaMemcpy(found.data(), driftMemory.as(), driftMemory.bytes(), cudaMemcpyDeviceToHost));
    Workspace workspace(cpu::statisticsWorkspaceBytes(sizes));
    ASSERT_TRUE(cpu::sumsOfSquares(arrays, expectedSums, workspace.span(), {}));
    ASSERT_TRUE(cpu::drifts(pairs, expectedDrifts, workspace.span(), {}));
    const auto same = [](double a, double b) {
        return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
    };
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        EXPECT_TRUE(same(expectedSums[i], sums[i])) << i;
        EXPECT_TRUE(same(expectedDrifts[i].l2, found[i].l2)) << i;
        EXPECT_TRUE(same(expectedDrifts[i].pretrainedL2, found[i].pretrainedL2)) << i;
        EXPECT_TRUE(same(expectedDrifts[i].l1, found[i].l1)) << i;
        EXPECT_TRUE(same(expectedDrifts[i].linf, found[i].linf)) << i;
        EXPECT_EQ(expectedDrifts[i].changed, found[i].changed) << i;
        EXPECT_EQ(expectedDrifts[i].changedBf16, found[i].changedBf16) << i;
    }
}

}  // namespace
}  // namespace mofo::kernels::cuda::test
