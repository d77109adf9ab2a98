// Time of one optimizer step over the tensors of SmolLM2-135M (272 tensors, 134.5 million parameters, fp32), and of the statistics.
//   kernels_bench [--benchmark_filter=momentum/tensor] ...      MOFO_BENCH_THREADS=N (default: all), MOFO_CPU_KERNELS=scalar|avx2|avx512
// "bytes_per_second" counts 28 bytes a parameter for every step, AdamW's minimum, so that rules and granularities compare directly.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kernels/include/optimizer_step.h"
#include "kernels/include/statistics.h"
#include "tests/kernels/thread_team.h"

namespace {

using namespace mofo::kernels;

struct FreeDeleter {
    void operator()(void* memory) const { std::free(memory); }
};
template <class T>
using Buffer = std::unique_ptr<T[], FreeDeleter>;

template <class T>
Buffer<T> allocate(std::size_t count) {
    return Buffer<T>(static_cast<T*>(std::aligned_alloc(2 << 20, (count * sizeof(T) + (2 << 20) - 1) / (2 << 20) * (2 << 20))));
}

struct Shape {
    int layer;  // -1: the embedding, 30: the final norm
    std::int64_t rows, cols;
    bool filtered;
};

std::vector<Shape> smolShapes() {
    std::vector<Shape> shapes = {{-1, 49152, 576, true}};
    for (int layer = 0; layer < 30; ++layer) {
        for (const auto& [rows, cols] : {std::pair{576, 576}, {192, 576}, {192, 576}, {576, 576}, {1536, 576}, {1536, 576}, {576, 1536}}) {
            shapes.push_back({layer, rows, cols, true});
        }
        shapes.push_back({layer, 1, 576, false});
        shapes.push_back({layer, 1, 576, false});
    }
    shapes.push_back({30, 1, 576, false});
    return shapes;
}

/// Parameters, moments and two gradients that alternate, on pages of 2 MiB as the engine's arena will have.
struct Model {
    std::vector<Shape> shapes = smolShapes();
    std::vector<Tensor> tensors;
    std::vector<std::int64_t> offsets;
    std::int64_t total = 0;
    Buffer<float> p, g[2], m, v;

    Model() {
        for (const Shape& shape : shapes) {
            offsets.push_back(total);
            total += shape.rows * shape.cols;
        }
        const auto count = static_cast<std::size_t>(total);
        for (Buffer<float>* buffer : {&p, &g[0], &g[1], &m, &v}) *buffer = allocate<float>(count);
        std::mt19937 random(1);
        std::normal_distribution<float> normal;
        std::vector<float> table(1 << 20);
        for (float& value : table) value = normal(random);
        for (std::size_t i = 0; i < shapes.size(); ++i) {
            const auto n = static_cast<std::size_t>(shapes[i].rows * shapes[i].cols);
            const auto begin = static_cast<std::size_t>(offsets[i]);
            const float scale = 1e-3F * static_cast<float>(1 + i % 7);
            for (std::size_t j = 0, from = random(); j < n; ++j, ++from) {
                p[begin + j] = 0.05F * table[from % table.size()];
                g[0][begin + j] = scale * table[(from * 3 + 1) % table.size()];
                g[1][begin + j] = scale * table[(from * 5 + 7) % table.size()];
                m[begin + j] = scale * 0.3F * table[(from * 7 + 3) % table.size()];
                v[begin + j] = scale * scale;
            }
            Tensor tensor;
            tensor.p = p.get() + begin;
            tensor.g = g[0].get() + begin;
            tensor.m = m.get() + begin;
            tensor.v = v.get() + begin;
            tensor.n = static_cast<std::int64_t>(n);
            tensor.filtered = tensor.decayed = shapes[i].filtered;
            tensors.push_back(tensor);
        }
    }

    void useGradient(int which) {
        for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].g = g[which].get() + offsets[i];
    }
};

Model& model() {
    static Model it;
    return it;
}

mofo::kernels::test::ThreadTeam& team() {
    static const char* text = std::getenv("MOFO_BENCH_THREADS");
    static mofo::kernels::test::ThreadTeam it(text != nullptr ? std::atoi(text) : static_cast<int>(std::thread::hardware_concurrency()));
    return it;
}

struct Partitions {
    std::vector<Slice> slices;
    std::vector<std::int64_t> first;
};

Partitions partitionsBy(const std::string& granularity) {
    Partitions out;
    const std::vector<Shape>& shapes = model().shapes;
    int group = -2;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        if (!shapes[i].filtered) continue;
        const auto tensor = static_cast<std::int32_t>(i);
        const std::int64_t n = shapes[i].rows * shapes[i].cols;
        if (granularity.starts_with("block:")) {
            const std::int64_t length = std::stoll(granularity.substr(6));
            for (std::int64_t at = 0; at < n; at += length) {
                out.first.push_back(static_cast<std::int64_t>(out.slices.size()));
                out.slices.push_back({tensor, at, 1, std::min(length, n - at), 0});
            }
            continue;
        }
        if (granularity == "row") {
            for (std::int64_t row = 0; row < shapes[i].rows; ++row) {
                out.first.push_back(static_cast<std::int64_t>(out.slices.size()));
                out.slices.push_back({tensor, row * shapes[i].cols, 1, shapes[i].cols, 0});
            }
            continue;
        }
        const bool opens = granularity == "tensor" || (granularity == "layer" && shapes[i].layer != group) || out.first.empty();
        if (opens) out.first.push_back(static_cast<std::int64_t>(out.slices.size()));
        group = shapes[i].layer;
        out.slices.push_back({tensor, 0, 1, n, 0});
    }
    out.first.push_back(static_cast<std::int64_t>(out.slices.size()));
    return out;
}

void step(benchmark::State& state, Rule rule, const std::string& granularity, double alpha, double weightDecay, bool measure) {
    Model& it = model();
    const Partitions partitions = partitionsBy(granularity);
    const StepPlan plan = makeStepPlan(it.tensors, {partitions.slices, partitions.first});
    std::vector<std::int64_t> k;
    for (const std::int64_t n : plan.sizes) k.push_back(selectedCount(alpha, n));
    std::vector<PartitionResult> partitionResults(k.size());
    std::vector<TensorResult> tensorResults(it.tensors.size());
    std::vector<LogHistogram> histograms(it.tensors.size());
    StepStatus status;
    std::int64_t repaired = 0;
    Execution execution;
    execution.parallelFor = team().parallelFor();
    const std::size_t bytes = cpu::stepWorkspaceBytes(plan, execution.parallelFor.threads);
    const auto workspace = allocate<std::byte>(bytes);
    std::int64_t t = 0;
    for (auto _ : state) {
        it.useGradient(static_cast<int>(++t % 2));
        const StepScalars scalars = stepScalars({1e-9, 0.9, 0.999, 1e-8, weightDecay}, 1000 + t, 1, true);
        StepArguments arguments{it.tensors, &plan, k, rule, false, &scalars, partitionResults, tensorResults, &status, {workspace.get(), bytes}};
        arguments.measure = measure;
        if (measure) arguments.histograms = histograms;
        if (!cpu::step(arguments, execution)) state.SkipWithError("the arguments do not fit together");
        repaired += status.repaired;
    }
    state.SetBytesProcessed(state.iterations() * it.total * 28);
    state.counters["repaired"] = static_cast<double>(repaired) / static_cast<double>(state.iterations());
    state.SetLabel(instructionSetName(execution.instructionSet));
}

void norm(benchmark::State& state) {
    std::vector<Array> arrays;
    std::vector<std::int64_t> sizes;
    for (const Tensor& tensor : model().tensors) {
        arrays.push_back({tensor.g, tensor.n});
        sizes.push_back(tensor.n);
    }
    std::vector<double> sums(arrays.size());
    std::vector<std::byte> workspace(cpu::statisticsWorkspaceBytes(sizes));
    Execution execution;
    execution.parallelFor = team().parallelFor();
    for (auto _ : state) benchmark::DoNotOptimize(cpu::sumsOfSquares(arrays, sums, workspace, execution));
    state.SetBytesProcessed(state.iterations() * model().total * 4);
}

void drift(benchmark::State& state) {
    std::vector<ArrayPair> pairs;
    std::vector<std::int64_t> sizes;
    for (const Tensor& tensor : model().tensors) {
        pairs.push_back({tensor.p, tensor.g, tensor.n});
        sizes.push_back(tensor.n);
    }
    std::vector<Drift> results(pairs.size());
    std::vector<std::byte> workspace(cpu::statisticsWorkspaceBytes(sizes));
    Execution execution;
    execution.parallelFor = team().parallelFor();
    for (auto _ : state) benchmark::DoNotOptimize(cpu::drifts(pairs, results, workspace, execution));
    state.SetBytesProcessed(state.iterations() * model().total * 8);
}

void registerStep(const std::string& name, Rule rule, const std::string& granularity, double alpha, double weightDecay, bool measure = false) {
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { step(state, rule, granularity, alpha, weightDecay, measure); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
    registerStep("step/none", Rule::None, "tensor", 1, 0);
    for (const char* granularity : {"tensor", "layer", "model", "row", "block:4096", "block:36864"})
        registerStep(std::string("step/momentum/") + granularity, Rule::Momentum, granularity, 0.15, 0);
    registerStep("step/momentum/tensor/alpha=0.03", Rule::Momentum, "tensor", 0.03, 0);
    registerStep("step/momentum/tensor/measured", Rule::Momentum, "tensor", 0.15, 0, true);
    registerStep("step/momentum/row/measured", Rule::Momentum, "row", 0.15, 0, true);
    registerStep("step/mv/tensor", Rule::MomentumOverRoot, "tensor", 0.15, 0);
    registerStep("step/momentum/tensor/decay", Rule::Momentum, "tensor", 0.15, 0.1);
    benchmark::RegisterBenchmark("gradient_norm", norm)->Unit(benchmark::kMillisecond)->UseRealTime();
    benchmark::RegisterBenchmark("drift", drift)->Unit(benchmark::kMillisecond)->UseRealTime();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
