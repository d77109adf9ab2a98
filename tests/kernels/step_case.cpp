#include "tests/kernels/step_case.h"

#include "kernels/include/statistics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace mofo::kernels::test {

namespace {

std::uint32_t magnitude(float x) { return std::bit_cast<std::uint32_t>(x) & 0x7fffffffU; }

bool sameBits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b)); }

float widened(std::uint16_t x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16); }

std::uint16_t nearestBf16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if (std::isnan(x)) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
    return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

std::uint16_t stochasticBf16(float x, std::uint32_t random) {
    if (!std::isfinite(x)) return nearestBf16(x);
    return static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(x) + (random & 0xffffU)) >> 16);
}

std::uint32_t scrambled(std::uint32_t x) {
    x = (x ^ (x >> 16)) * 0x85ebca6bU;
    x = (x ^ (x >> 13)) * 0xc2b2ae35U;
    return x ^ (x >> 16);
}

std::uint32_t drawn(std::uint64_t stepKey, std::uint64_t key, std::int64_t index) {
    std::uint64_t z = stepKey ^ (key * 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    const auto wide = static_cast<std::uint64_t>(index);
    const std::uint32_t once =
        scrambled((static_cast<std::uint32_t>(wide) + static_cast<std::uint32_t>(z)) ^ (static_cast<std::uint32_t>(wide >> 32) * 0x9e3779b9U));
    return scrambled(once ^ static_cast<std::uint32_t>(z >> 32));
}

constexpr std::uint64_t ruleKey = 1234;
constexpr std::uint64_t roundingKey = 0xfedcba9876543210ULL;
std::uint64_t keyOf(std::size_t tensor) { return tensorKey("tensor " + std::to_string(tensor)); }

void expectSameFloats(const std::vector<float>& expected, const std::vector<float>& actual, const std::string& what) {
    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_TRUE(sameBits(expected[i], actual[i])) << what << '[' << i << "]: expected " << expected[i] << ", is " << actual[i];
    }
}

/// Integers of 2^-28 squared step sizes are rounded once a chunk (at most 20 of them here); the rest is the order of summation.
void expectNear(double expected, double actual, const StepCase& from, const std::string& what) {
    if (std::isnan(expected) || std::isinf(expected)) return;
    const double stepSize = from.hyperparameters.lr / (1 - std::pow(from.hyperparameters.beta1, static_cast<double>(from.step)));
    ASSERT_NEAR(expected, actual, 1e-6 * expected + 200 * 0x1p-28 * stepSize * stepSize) << what;
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

void StepCase::setFormat(Format wanted) {
    format = wanted;
    for (TestTensor& t : tensors) {
        t.p16.clear();
        t.g16.clear();
        if (wanted == Format::Fp32) continue;
        for (std::size_t i = 0; i < t.p.size(); ++i) {
            t.p16.push_back(nearestBf16(t.p[i]));
            t.g16.push_back(nearestBf16(t.g[i]));
            t.g[i] = widened(t.g16[i]);
            if (wanted == Format::Bf16) t.p[i] = widened(t.p16[i]);
        }
    }
}

std::vector<Tensor> StepCase::views() {
    std::vector<Tensor> out;
    for (TestTensor& t : tensors) {
        Tensor view;
        view.p = t.p.data();
        view.g = t.g.data();
        view.m = t.m.data();
        view.v = t.v.data();
        view.n = t.size();
        view.filtered = t.filtered;
        view.decayed = t.decayed;
        view.frozen = t.frozen;
        view.p16 = t.p16.data();
        view.g16 = t.g16.data();
        view.key = keyOf(out.size());
        view.firstIndex = t.firstIndex;
        if (format == Format::Bf16) view.p = nullptr;
        if (format != Format::Fp32) view.g = nullptr;
        out.push_back(view);
    }
    return out;
}

namespace {

/// Everything that a call's arguments point to.
struct Call {
    Call(StepCase& c, InstructionSet set, const ParallelFor& parallelFor)
        : tensors(c.views()),
          plan(c.plan()),
          scalars(stepScalars(c.hyperparameters, c.step, c.gradScale, c.knownFinite)),
          workspace(cpu::stepWorkspaceBytes(plan, parallelFor.threads)) {
        EXPECT_EQ(checkPartitions(tensors, {c.slices, c.firstSlice}), "");
        scalars.ruleKey = ruleKey;
        scalars.roundingKey = roundingKey;
        std::memset(workspace.span().data(), 0xa5, workspace.span().size());
        execution.parallelFor = parallelFor;
        execution.instructionSet = set;
        arguments = {
            tensors,          &plan,    c.k,       c.rule,      c.decaySelectedOnly, &scalars, c.partitionResults, c.tensorResults, &c.status,
            workspace.span(), c.format, c.measure, c.histograms};
    }
    std::vector<Tensor> tensors;
    StepPlan plan;
    StepScalars scalars;
    Workspace workspace;
    Execution execution;
    StepArguments arguments;
};

}  // namespace

bool StepCase::run(InstructionSet set, const ParallelFor& parallelFor) {
    partitionResults.assign(rule == Rule::None ? 0 : firstSlice.size() - 1, {});
    tensorResults.assign(tensors.size(), {});
    histograms.assign(measure ? tensors.size() : 0, {});
    const Call call(*this, set, parallelFor);
    const bool ran = cpu::step(call.arguments, call.execution);
    if (format == Format::Bf16) {
        for (TestTensor& t : tensors) std::transform(t.p16.begin(), t.p16.end(), t.p.begin(), widened);
    }
    return ran;
}

bool StepCase::selectedBits(const std::vector<std::uint64_t*>& bits, InstructionSet set, const ParallelFor& parallelFor) {
    const Call call(*this, set, parallelFor);
    return cpu::selectedBits(call.arguments, bits, call.execution);
}

bool StepCase::topGradientSums(std::vector<double>& sums, InstructionSet set, const ParallelFor& parallelFor) {
    const Call call(*this, set, parallelFor);
    return cpu::topGradientSums(call.arguments, sums, call.execution);
}

void StepCase::runReference() {
    const double t = static_cast<double>(step);
    const auto [lr, b1, b2, eps, weightDecay] = hyperparameters;
    const double c1 = 1 - std::pow(b1, t);
    const double c2 = 1 - std::pow(b2, t);
    const auto scale = static_cast<float>(gradScale);
    const auto decay = static_cast<float>(1 - lr * weightDecay);
    const auto weight = static_cast<float>(1 - b1);
    const auto rootOf = [&](float v) { return std::sqrt(v) / static_cast<float>(std::sqrt(c2)) + static_cast<float>(eps); };
    std::vector<std::vector<char>> mask;
    std::vector<std::vector<std::uint32_t>> ranks(tensors.size());
    status = {};
    histograms.assign(measure ? tensors.size() : 0, {});
    for (std::size_t at = 0; at < tensors.size(); ++at) {
        TestTensor& tensor = tensors[at];
        mask.emplace_back(tensor.p.size(), 1);
        if (tensor.frozen) continue;
        for (std::size_t i = 0; i < tensor.p.size(); ++i) {
            const float g = tensor.g[i] * scale;
            float& m = tensor.m[i];
            float& v = tensor.v[i];
            m = weight < 0.5F ? std::fma(weight, g - m, m) : std::fma(weight - 1.0F, g - m, g);
            v = std::fma(static_cast<float>(1 - b2) * g, g, v * static_cast<float>(b2));
            if (!std::isfinite(m)) status.momentsFinite = false;
            switch (rule) {
                case Rule::Gradient: ranks[at].push_back(magnitude(g)); break;
                case Rule::MomentumOverRoot: ranks[at].push_back(magnitude(m / rootOf(v))); break;
                case Rule::Random: ranks[at].push_back(drawn(ruleKey, keyOf(at), tensor.firstIndex + static_cast<std::int64_t>(i))); break;
                default: ranks[at].push_back(magnitude(m));
            }
            if (!measure) continue;
            if (m == 0) {
                ++histograms[at].zeros;
            } else {
                int exponent = 0;
                const float fraction = std::frexp(std::abs(m), &exponent);  // in [0.5, 1)
                const int quarter = std::isinf(m) ? 0 : static_cast<int>((fraction - 0.5F) * 8);
                const int bin = std::isinf(m) ? histogramBins - 1 : (exponent - 1 - histogramLowestExponent) * 4 + quarter;
                ++histograms[at].bins[static_cast<std::size_t>(std::clamp(bin, 0, histogramBins - 1))];
            }
        }
    }
    std::vector<std::vector<std::int32_t>> partitionOf;
    for (const TestTensor& tensor : tensors) partitionOf.emplace_back(tensor.p.size(), -1);
    partitionResults.clear();
    for (std::size_t part = 0; rule != Rule::None && part + 1 < firstSlice.size(); ++part) {
        const auto each = [&](auto visit) {
            for (std::int64_t j = firstSlice[part]; j < firstSlice[part + 1]; ++j) {
                const Slice& s = slices[static_cast<std::size_t>(j)];
                const auto tensor = static_cast<std::size_t>(s.tensor);
                for (std::int64_t row = 0; row < s.rows; ++row) {
                    const std::int64_t begin = s.begin - tensors[tensor].firstIndex + row * s.stride;
                    for (std::int64_t i = 0; i < s.length; ++i) visit(tensor, static_cast<std::size_t>(begin + i));
                }
            }
        };
        std::vector<std::uint32_t> sorted;
        each([&](std::size_t tensor, std::size_t i) { sorted.push_back(ranks[tensor][i]); });
        std::sort(sorted.rbegin(), sorted.rend());
        const std::uint32_t threshold = sorted[static_cast<std::size_t>(k[part]) - 1];
        PartitionResult result;
        result.thresholdRank = threshold;
        result.threshold = rule == Rule::Random ? static_cast<float>(threshold) * 0x1p-32F : std::bit_cast<float>(threshold);
        result.k = k[part];
        each([&](std::size_t tensor, std::size_t i) {
            const bool masked = ranks[tensor][i] >= threshold;
            mask[tensor][i] = masked ? 1 : 0;
            partitionOf[tensor][i] = static_cast<std::int32_t>(part);
            result.masked += masked ? 1 : 0;
            result.selected += masked && tensors[tensor].m[i] != 0 ? 1 : 0;
        });
        partitionResults.push_back(result);
    }
    tensorResults.clear();
    for (std::size_t at = 0; at < tensors.size(); ++at) {
        TestTensor& tensor = tensors[at];
        TensorResult result;
        for (std::size_t i = 0; i < tensor.p.size() && !tensor.frozen; ++i) {
            const bool selected = mask[at][i] != 0 && tensor.m[i] != 0;
            result.masked += mask[at][i];
            result.selected += selected ? 1 : 0;
            const std::int64_t index = tensor.firstIndex + static_cast<std::int64_t>(i);
            float p = tensor.p[i];
            const bool decays = tensor.decayed && decay != 1.0F;
            if (decays && !decaySelectedOnly) {
                p *= decay;
                if (format == Format::Bf16) p = widened(stochasticBf16(p, drawn(~roundingKey, keyOf(at), index)));
            }
            if (selected) {
                if (decays && decaySelectedOnly) p *= decay;
                const float update = static_cast<float>(-lr / c1) * tensor.m[i] / rootOf(tensor.v[i]);
                p += update;
                if (format == Format::Bf16) p = widened(stochasticBf16(p, drawn(roundingKey, keyOf(at), index)));
                if (measure) {
                    const double squared = static_cast<double>(update) * static_cast<double>(update);
                    result.squaredUpdate += squared;
                    if (partitionOf[at][i] >= 0) partitionResults[static_cast<std::size_t>(partitionOf[at][i])].squaredUpdate += squared;
                }
            }
            tensor.p[i] = p;
            if (format == Format::Bf16) tensor.p16[i] = nearestBf16(p);
            if (format == Format::Bf16Master && (selected || (decays && !decaySelectedOnly))) tensor.p16[i] = nearestBf16(p);
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
        ASSERT_EQ(expected.tensors[i].p16, actual.tensors[i].p16) << tensor;
        expectNear(expected.tensorResults[i].squaredUpdate, actual.tensorResults[i].squaredUpdate, expected, tensor);
        ASSERT_EQ(expected.tensorResults[i].masked, actual.tensorResults[i].masked) << tensor;
        ASSERT_EQ(expected.tensorResults[i].selected, actual.tensorResults[i].selected) << tensor;
    }
    ASSERT_EQ(expected.partitionResults.size(), actual.partitionResults.size());
    for (std::size_t i = 0; i < expected.partitionResults.size(); ++i) {
        const PartitionResult& a = expected.partitionResults[i];
        const PartitionResult& b = actual.partitionResults[i];
        ASSERT_TRUE(sameBits(a.threshold, b.threshold)) << "partition " << i << ": threshold expected " << a.threshold << ", is " << b.threshold;
        ASSERT_EQ(a.thresholdRank, b.thresholdRank) << "partition " << i;
        expectNear(a.squaredUpdate, b.squaredUpdate, expected, "partition " + std::to_string(i));
        ASSERT_EQ(a.k, b.k) << "partition " << i;
        ASSERT_EQ(a.masked, b.masked) << "partition " << i;
        ASSERT_EQ(a.selected, b.selected) << "partition " << i;
    }
    ASSERT_EQ(expected.histograms.size(), actual.histograms.size());
    for (std::size_t i = 0; i < expected.histograms.size(); ++i) {
        ASSERT_EQ(expected.histograms[i].bins, actual.histograms[i].bins) << "tensor " << i;
        ASSERT_EQ(expected.histograms[i].zeros, actual.histograms[i].zeros) << "tensor " << i;
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
