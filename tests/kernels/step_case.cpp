#include "tests/kernels/step_case.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace mofo::kernels::test {

namespace {

std::uint32_t magnitude(float x) { return std::bit_cast<std::uint32_t>(x) & 0x7fffffffU; }

bool sameBits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b)); }

void expectSameFloats(const std::vector<float>& expected, const std::vector<float>& actual, const std::string& what) {
    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_TRUE(sameBits(expected[i], actual[i])) << what << '[' << i << "]: expected " << expected[i] << ", is " << actual[i];
    }
}

}  // namespace

void StepCase::addRandomTensor(std::int64_t n, unsigned seed, bool filtered) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    TestTensor tensor;
    for (std::int64_t i = 0; i < n; ++i) {
        tensor.p.push_back(0.05F * normal(random));
        tensor.g.push_back(0.01F * normal(random));
        tensor.m.push_back(0.003F * normal(random));
        tensor.v.push_back(std::abs(1e-5F * normal(random)));
    }
    tensor.filtered = filtered;
    tensor.decayed = filtered;
    tensors.push_back(std::move(tensor));
}

void StepCase::partitionByTensor() {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (tensors[i].filtered) addPartition({{static_cast<std::int32_t>(i), 0, 1, tensors[i].size(), 0}});
    }
}

void StepCase::setAlpha(double alpha) {
    k.clear();
    for (const std::int64_t n : plan().sizes) k.push_back(selectedCount(alpha, n));
}

std::vector<Tensor> StepCase::views() {
    std::vector<Tensor> out;
    for (TestTensor& t : tensors) out.push_back({t.p.data(), t.g.data(), t.m.data(), t.v.data(), t.size(), t.filtered, t.decayed});
    return out;
}

bool StepCase::run(InstructionSet set, const ParallelFor& parallelFor) {
    const std::vector<Tensor> tensorViews = views();
    EXPECT_EQ(checkPartitions(tensorViews, {slices, firstSlice}), "");
    const StepPlan stepPlan = plan();
    partitionResults.assign(rule == Rule::None ? 0 : stepPlan.sizes.size(), {});
    tensorResults.assign(tensors.size(), {});
    const StepScalars scalars = stepScalars(hyperparameters, step, gradScale, knownFinite);
    Workspace workspace(cpu::stepWorkspaceBytes(parallelFor.threads));
    std::memset(workspace.span().data(), 0xa5, workspace.span().size());
    Execution execution;
    execution.parallelFor = parallelFor;
    execution.instructionSet = set;
    return cpu::step({tensorViews, &stepPlan, k, rule, decaySelectedOnly, &scalars, partitionResults, tensorResults, &status, workspace.span()},
                     execution);
}

void StepCase::runReference() {
    const double t = static_cast<double>(step);
    const auto [lr, b1, b2, eps, weightDecay] = hyperparameters;
    const double c1 = 1 - std::pow(b1, t);
    const double c2 = 1 - std::pow(b2, t);
    const auto scale = static_cast<float>(gradScale);
    const auto decay = static_cast<float>(1 - lr * weightDecay);
    const auto weight = static_cast<float>(1 - b1);
    std::vector<std::vector<char>> mask;
    status = {};
    for (TestTensor& tensor : tensors) {
        mask.emplace_back(tensor.p.size(), 1);
        for (std::size_t i = 0; i < tensor.p.size(); ++i) {
            const float g = tensor.g[i] * scale;
            float& m = tensor.m[i];
            m = weight < 0.5F ? std::fma(weight, g - m, m) : std::fma(weight - 1.0F, g - m, g);
            tensor.v[i] = std::fma(static_cast<float>(1 - b2) * g, g, tensor.v[i] * static_cast<float>(b2));
            if (!std::isfinite(m)) status.momentsFinite = false;
        }
    }
    partitionResults.clear();
    for (std::size_t part = 0; rule == Rule::Momentum && part + 1 < firstSlice.size(); ++part) {
        const auto each = [&](auto visit) {
            for (std::int64_t j = firstSlice[part]; j < firstSlice[part + 1]; ++j) {
                const Slice& s = slices[static_cast<std::size_t>(j)];
                const auto tensor = static_cast<std::size_t>(s.tensor);
                for (std::int64_t row = 0; row < s.rows; ++row) {
                    for (std::int64_t i = 0; i < s.length; ++i) visit(tensor, static_cast<std::size_t>(s.begin + row * s.stride + i));
                }
            }
        };
        std::vector<std::uint32_t> sorted;
        each([&](std::size_t tensor, std::size_t i) { sorted.push_back(magnitude(tensors[tensor].m[i])); });
        std::sort(sorted.rbegin(), sorted.rend());
        const std::uint32_t threshold = sorted[static_cast<std::size_t>(k[part]) - 1];
        PartitionResult result{std::bit_cast<float>(threshold), k[part], 0, 0};
        each([&](std::size_t tensor, std::size_t i) {
            const std::uint32_t value = magnitude(tensors[tensor].m[i]);
            mask[tensor][i] = value >= threshold ? 1 : 0;
            result.masked += value >= threshold ? 1 : 0;
            result.selected += value >= threshold && value != 0 ? 1 : 0;
        });
        partitionResults.push_back(result);
    }
    tensorResults.clear();
    for (std::size_t at = 0; at < tensors.size(); ++at) {
        TestTensor& tensor = tensors[at];
        TensorResult result;
        for (std::size_t i = 0; i < tensor.p.size(); ++i) {
            const bool selected = mask[at][i] != 0 && tensor.m[i] != 0;
            result.masked += mask[at][i];
            result.selected += selected ? 1 : 0;
            float& p = tensor.p[i];
            if (tensor.decayed && (selected || !decaySelectedOnly)) p *= decay;
            if (!selected) continue;
            const float h = std::sqrt(tensor.v[i]) / static_cast<float>(std::sqrt(c2)) + static_cast<float>(eps);
            p += static_cast<float>(-lr / c1) * tensor.m[i] / h;
        }
        tensorResults.push_back(result);
    }
}

void expectEqual(const StepCase& expected, const StepCase& actual) {
    ASSERT_EQ(expected.tensors.size(), actual.tensors.size());
    for (std::size_t i = 0; i < expected.tensors.size(); ++i) {
        const std::string tensor = "tensor " + std::to_string(i) + ' ';
        expectSameFloats(expected.tensors[i].m, actual.tensors[i].m, tensor + 'm');
        expectSameFloats(expected.tensors[i].v, actual.tensors[i].v, tensor + 'v');
        expectSameFloats(expected.tensors[i].p, actual.tensors[i].p, tensor + 'p');
        ASSERT_EQ(expected.tensorResults[i].masked, actual.tensorResults[i].masked) << tensor;
        ASSERT_EQ(expected.tensorResults[i].selected, actual.tensorResults[i].selected) << tensor;
    }
    ASSERT_EQ(expected.partitionResults.size(), actual.partitionResults.size());
    for (std::size_t i = 0; i < expected.partitionResults.size(); ++i) {
        const PartitionResult& a = expected.partitionResults[i];
        const PartitionResult& b = actual.partitionResults[i];
        ASSERT_TRUE(sameBits(a.threshold, b.threshold)) << "partition " << i << ": threshold expected " << a.threshold << ", is " << b.threshold;
        ASSERT_EQ(a.k, b.k) << "partition " << i;
        ASSERT_EQ(a.masked, b.masked) << "partition " << i;
        ASSERT_EQ(a.selected, b.selected) << "partition " << i;
    }
    ASSERT_EQ(expected.status.nanFound, actual.status.nanFound);
    ASSERT_EQ(expected.status.momentsFinite, actual.status.momentsFinite);
}

std::vector<InstructionSet> supportedSets() {
    std::vector<InstructionSet> sets;
    for (const InstructionSet set : {InstructionSet::Scalar, InstructionSet::Avx2, InstructionSet::Avx512}) {
        if (isSupported(set)) sets.push_back(set);
    }
    return sets;
}

}  // namespace mofo::kernels::test
