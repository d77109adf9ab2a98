#include "tests/kernels/cuda_case.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "kernels/cuda/pipeline.cuh"
#include "tests/kernels/host_block.h"
#include "tests/kernels/step_case.h"

namespace mofo::kernels::cuda::test {

namespace {

using kernels::test::Workspace;

bool sameBits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b)); }

float widenedBf16(std::uint16_t x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16); }
bool sameBits(std::uint16_t a, std::uint16_t b) { return a == b || (std::isnan(widenedBf16(a)) && std::isnan(widenedBf16(b))); }

std::uint16_t roundedBf16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if (std::isnan(x)) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
    return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

template <class T>
void expectSame(const std::vector<T>& expected, const std::vector<T>& actual, const std::string& what) {
    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_TRUE(sameBits(expected[i], actual[i])) << what << '[' << i << "]: expected " << expected[i] << ", is " << actual[i];
    }
}

void expectNear(double expected, double actual, const std::string& what) {
    ASSERT_LE(std::abs(expected - actual), 2e-5 * std::abs(expected) + 1e-300) << what << ": expected " << expected << ", is " << actual;
}

/// m and g of coordinate i. Equal ones make the new m that very value: m + w (m - m).
std::pair<float, float> momentAndGradient(Pattern pattern, std::int64_t i, std::int64_t n, std::mt19937& random) {
    constexpr float tiny = std::numeric_limits<float>::denorm_min();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const auto draw = static_cast<std::uint32_t>(random());
    const float sign = (draw & 1U) != 0 ? 1.0F : -1.0F;
    const auto both = [&](float x) { return std::pair(sign * x, sign * x); };
    const auto position = static_cast<float>(i);
    switch (pattern) {
        case Pattern::Random: {
            std::normal_distribution<float> normal;
            const float m = 0.003F * normal(random);
            return {m, 0.01F * normal(random)};
        }
        case Pattern::AllEqual: return both(0.125F);
        case Pattern::Ascending: return both(position + 1);
        case Pattern::Descending: return both(static_cast<float>(n) - position);
        case Pattern::ManyTies: return both(static_cast<float>((draw >> 8) % 5) * 0.5F);
        case Pattern::Zeros: return {0.0F, 0.0F};
        case Pattern::MostlyZero: return (draw >> 8) % 20 == 0 ? both(static_cast<float>(draw >> 12)) : std::pair(0.0F, 0.0F);
        // -tiny + 0.1 * 5 tiny = -0.5 tiny rounds to -0.
        case Pattern::SignedZeros:
            return (draw >> 8) % 3 == 0 ? std::pair(-tiny, 4 * tiny) : (draw >> 8) % 3 == 1 ? std::pair(0.0F, 0.0F) : both(tiny);
        case Pattern::Denormals: return both(tiny * static_cast<float>((draw >> 8) % 5000));
        case Pattern::Infinities: return (draw >> 8) % 4 == 0 ? std::pair(0.0F, sign * infinity) : both(position);
        case Pattern::OneBin: return both(1.0F + static_cast<float>((draw >> 8) % 4096) * 0x1p-23F);
        case Pattern::AllMagnitudes:
            return both(std::ldexp(1.0F + static_cast<float>(draw >> 9) * 0x1p-23F, static_cast<int>((draw >> 1) % 250) - 126));
    }
    return {};
}

/// Rows of a head in q and k, columns of a head in o (strided), whole MLP.
void partitionByHead(Case& c) {
    for (std::int32_t first : {0, 5}) {
        for (std::int64_t head = 0; head < 3; ++head) c.addPartition({{first, head * 32 * 96, 1, 32 * 96, 0}});
        c.addPartition({{first + 1, 0, 1, 32 * 96, 0}});
        for (std::int64_t head = 0; head < 3; ++head) c.addPartition({{first + 2, head * 32, 96, 32, 96}});
        c.addPartition({{first + 3, 0, 1, 400 * 96, 0}});
    }
}

void partitionByLayer(Case& c) {
    for (std::int32_t first : {0, 5}) {
        std::vector<Slice> slices;
        for (std::int32_t i = first; i < first + 4; ++i) slices.push_back({i, 0, 1, c.tensors[static_cast<std::size_t>(i)].n, 0});
        c.addPartition(slices);
    }
}

void partitionAsModel(Case& c) {
    std::vector<Slice> slices;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(c.tensors.size()); ++i) {
        if (c.tensors[static_cast<std::size_t>(i)].filtered) slices.push_back({i, 0, 1, c.tensors[static_cast<std::size_t>(i)].n, 0});
    }
    c.addPartition(slices);
}

void partitionByBlock(Case& c, std::int64_t size) {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(c.tensors.size()); ++i) {
        const std::int64_t n = c.tensors[static_cast<std::size_t>(i)].n;
        if (!c.tensors[static_cast<std::size_t>(i)].filtered) continue;
        for (std::int64_t at = 0; at < n; at += size) c.addPartition({{i, at, 1, std::min(size, n - at), 0}});
    }
}

/// Columns one by one in the MLP, as the output rows of a transposed matrix are; the rest by tensor.
void partitionByColumn(Case& c) {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(c.tensors.size()); ++i) {
        if (i % 5 == 3) {
            for (std::int64_t column = 0; column < 96; ++column) c.addPartition({{i, column, 400, 1, 96}});
        } else if (i % 5 < 3) {
            c.addPartition({{i, 0, 1, c.tensors[static_cast<std::size_t>(i)].n, 0}});
        }
    }
}

void partitionByShard(Case& c) {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(c.tensors.size()); ++i) {
        const std::int64_t n = c.tensors[static_cast<std::size_t>(i)].n;
        if (!c.tensors[static_cast<std::size_t>(i)].filtered) continue;
        std::int64_t at = 0;
        for (std::int64_t shard = 0; shard < 5; ++shard) {
            const std::int64_t length = n / 5 + (shard < n % 5 ? 1 : 0);
            c.addPartition({{i, at, 1, length, 0}});
            at += length;
        }
    }
}

}  // namespace

const char* name(Pattern pattern) {
    constexpr const char* names[] = {"Random",     "AllEqual",    "Ascending", "Descending", "ManyTies", "Zeros",
                                     "MostlyZero", "SignedZeros", "Denormals", "Infinities", "OneBin",   "AllMagnitudes"};
    return names[static_cast<int>(pattern)];
}

CaseTensor& Case::add(Pattern pattern, std::int64_t n, unsigned seed, bool filtered) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    CaseTensor t;
    t.n = n;
    t.filtered = filtered;
    t.decayed = filtered;
    t.key = tensorKey("tensor " + std::to_string(tensors.size()));
    t.lead = static_cast<std::int64_t>(seed % 4 == 3 ? 1 : 0);
    for (auto* values : {&t.p, &t.g, &t.m, &t.v}) values->assign(static_cast<std::size_t>(t.lead), -1.0F);
    for (auto* values : {&t.p16, &t.g16}) values->assign(static_cast<std::size_t>(t.lead), 0xbf80U);
    for (std::int64_t i = 0; i < n; ++i) {
        const auto [m, g] = momentAndGradient(pattern, i, n, random);
        const bool visible = pattern == Pattern::Random;
        t.p16.push_back(i % 7 == 0 ? 0x8000U : roundedBf16(0.05F * normal(random)));
        t.g16.push_back(roundedBf16(g));
        t.p.push_back(widenedBf16(t.p16.back()));
        // Patterns are about equal m and g.
        t.g.push_back(visible ? widenedBf16(t.g16.back()) : g);
        t.m.push_back(m);
        t.v.push_back(visible ? std::abs(1e-5F * normal(random)) : static_cast<float>(i % 3));
    }
    tensors.push_back(std::move(t));
    return tensors.back();
}

void Case::addPartition(const std::vector<Slice>& parts) {
    slices.insert(slices.end(), parts.begin(), parts.end());
    firstSlice.push_back(static_cast<std::int64_t>(slices.size()));
}

void Case::partitionByTensor() {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (tensors[i].filtered) addPartition({{static_cast<std::int32_t>(i), tensors[i].firstIndex, 1, tensors[i].n, 0}});
    }
}

void Case::setAlpha(double alpha) {
    k.clear();
    for (const std::int64_t n : plan().sizes) k.push_back(selectedCount(alpha, n));
}

std::vector<Tensor> Case::views() {
    std::vector<Tensor> out;
    for (CaseTensor& t : tensors) {
        Tensor view;
        view.m = t.m.data() + t.lead;
        view.v = t.v.data() + t.lead;
        if (format != Format::Bf16) view.p = t.p.data() + t.lead;
        if (format == Format::Fp32) view.g = t.g.data() + t.lead;
        if (format != Format::Fp32) {
            view.p16 = t.p16.data() + t.lead;
            view.g16 = t.g16.data() + t.lead;
        }
        view.n = t.n;
        view.filtered = t.filtered;
        view.decayed = t.decayed;
        view.frozen = t.frozen;
        view.key = t.key;
        view.firstIndex = t.firstIndex;
        out.push_back(view);
    }
    return out;
}

StepPlan Case::plan() { return makeStepPlan(views(), {slices, firstSlice}); }

StepScalars Case::scalars() const {
    StepScalars s = stepScalars(hyperparameters, step, gradScale, knownFinite);
    s.ruleKey = drawKey(42, step);
    s.roundingKey = drawKey(43, step);
    return s;
}

void Case::runOnCpu() {
    const std::vector<Tensor> tensorViews = views();
    const StepPlan stepPlan = plan();
    if (rule != Rule::None) {
        ASSERT_EQ(checkPartitions(tensorViews, {slices, firstSlice}), "");
    }
    partitions.assign(rule == Rule::None ? 0 : stepPlan.sizes.size(), {});
    results.assign(tensors.size(), {});
    histograms.assign(wantsHistograms ? tensors.size() : 0, {});
    const StepScalars s = scalars();
    Workspace workspace(cpu::stepWorkspaceBytes(stepPlan, 1));
    StepArguments arguments;
    arguments.tensors = tensorViews;
    arguments.plan = &stepPlan;
    arguments.k = k;
    arguments.rule = rule;
    arguments.decaySelectedOnly = decaySelectedOnly;
    arguments.scalars = &s;
    arguments.partitionResults = partitions;
    arguments.tensorResults = results;
    arguments.status = &status;
    arguments.workspace = workspace.span();
    arguments.format = format;
    arguments.measure = measure;
    arguments.histograms = histograms;
    ASSERT_TRUE(cpu::step(arguments, {}));
}

void runEmulated(Case& c, const How& how, Emulated& out) {
    const StepPlan stepPlan = c.plan();
    DeviceTraits traits;
    traits.multiprocessors = 3;
    traits.sharedBytes = static_cast<std::size_t>(how.sharedBytes);
    ASSERT_EQ(makeTables(c.views(), stepPlan, c.format, how.tuning, traits, out.tables), "");
    constexpr std::uint64_t noise = 0xa5a5a5a5a5a5a5a5U;
    out.tableMemory.assign(out.tables.tableOffsets().size / 8, noise);
    out.tables.write(reinterpret_cast<std::byte*>(out.tableMemory.data()));
    std::int64_t total = 0;
    for (const std::int64_t n : stepPlan.sizes) total += n;
    const std::int64_t entries = how.journal < 0 ? total : how.journal;
    const std::size_t workspaceBytes = out.tables.workspaceOffsets().journal + static_cast<std::size_t>(entries) * out.tables.journalEntryBytes();
    out.workspace.assign(workspaceBytes / 8 + 1, noise);
    out.results.assign(out.tables.resultOffsets().size / 8, noise);
    out.scalars = c.scalars();
    out.launch = {};
    out.launch.scalars = &out.scalars;
    out.launch.k = c.k.data();
    out.launch.rule = c.rule;
    out.launch.decaySelectedOnly = c.decaySelectedOnly;
    out.launch.measure = c.measure;
    out.launch.histograms = c.wantsHistograms;
    out.launch.workspace = reinterpret_cast<std::byte*>(out.workspace.data());
    out.launch.workspaceBytes = workspaceBytes;
    out.launch.results = reinterpret_cast<std::byte*>(out.results.data());

    HostLauncher launcher(how.seed);
    launcher.between = how.between;
    const StepContext context = out.context();
    switch (c.format) {
        case Format::Fp32: enqueueStep<Format::Fp32>(launcher, context); break;
        case Format::Bf16: enqueueStep<Format::Bf16>(launcher, context); break;
        case Format::Bf16Master: enqueueStep<Format::Bf16Master>(launcher, context); break;
    }
    out.launches = launcher.launches();
    c.partitions.assign(c.rule == Rule::None ? 0 : stepPlan.sizes.size(), {});
    c.results.assign(c.tensors.size(), {});
    c.histograms.assign(c.wantsHistograms ? c.tensors.size() : 0, {});
    ASSERT_TRUE(readResults(out.tables, out.launch.results, c.rule, out.scalars, c.partitions, c.results, &c.status, c.histograms));
}

void runEmulated(Case& c, const How& how) {
    Emulated out;
    runEmulated(c, how, out);
}

void expectEqual(const Case& expected, const Case& actual) {
    ASSERT_EQ(expected.tensors.size(), actual.tensors.size());
    ASSERT_EQ(expected.status.nanFound, actual.status.nanFound);
    ASSERT_EQ(expected.status.momentsFinite, actual.status.momentsFinite);
    ASSERT_EQ(expected.partitions.size(), actual.partitions.size());
    for (std::size_t i = 0; i < expected.partitions.size(); ++i) {
        const PartitionResult& a = expected.partitions[i];
        const PartitionResult& b = actual.partitions[i];
        const std::string what = "partition " + std::to_string(i);
        ASSERT_EQ(a.thresholdRank, b.thresholdRank) << what;
        ASSERT_TRUE(sameBits(a.threshold, b.threshold)) << what;
        ASSERT_EQ(a.k, b.k) << what;
        ASSERT_EQ(a.masked, b.masked) << what;
        ASSERT_EQ(a.selected, b.selected) << what;
        expectNear(a.squaredUpdate, b.squaredUpdate, what);
    }
    for (std::size_t i = 0; i < expected.tensors.size(); ++i) {
        const std::string tensor = "tensor " + std::to_string(i) + ' ';
        expectSame(expected.tensors[i].m, actual.tensors[i].m, tensor + 'm');
        expectSame(expected.tensors[i].v, actual.tensors[i].v, tensor + 'v');
        expectSame(expected.tensors[i].p, actual.tensors[i].p, tensor + 'p');
        expectSame(expected.tensors[i].p16, actual.tensors[i].p16, tensor + "p16");
        expectSame(expected.tensors[i].g, actual.tensors[i].g, tensor + 'g');
        ASSERT_EQ(expected.results[i].masked, actual.results[i].masked) << tensor;
        ASSERT_EQ(expected.results[i].selected, actual.results[i].selected) << tensor;
        expectNear(expected.results[i].squaredUpdate, actual.results[i].squaredUpdate, tensor);
    }
    ASSERT_EQ(expected.histograms.size(), actual.histograms.size());
    for (std::size_t i = 0; i < expected.histograms.size(); ++i) {
        ASSERT_EQ(expected.histograms[i].bins, actual.histograms[i].bins) << "tensor " << i;
        ASSERT_EQ(expected.histograms[i].zeros, actual.histograms[i].zeros) << "tensor " << i;
    }
}

std::string nameOf(Format format) { return format == Format::Fp32 ? "fp32" : format == Format::Bf16 ? "bf16" : "bf16_master"; }

std::string nameOf(Rule rule) {
    constexpr const char* names[] = {"momentum", "gradient", "mv", "random", "none"};
    return names[static_cast<int>(rule)];
}

Tuning everythingLarge() {
    Tuning tuning;
    tuning.warpPartition = 1;
    tuning.blockPartition = 1;
    return tuning;
}

Case onePartition(Pattern pattern, std::int64_t n, std::int64_t k) {
    Case c;
    c.add(pattern, n, static_cast<unsigned>(n));
    c.partitionByTensor();
    c.k = {k};
    return c;
}

Case severalChunks(Format format, Rule rule) {
    Case c;
    c.format = format;
    c.rule = rule;
    c.add(Pattern::Random, 30011, 4);
    c.add(Pattern::Random, 96 * 300, 5);
    c.add(Pattern::Random, 500, 6, /*filtered=*/false);
    c.addPartition({{0, 0, 1, 30011, 0}, {1, 100, 96, 150, 300}});
    c.addPartition({{1, 0, 96, 100, 300}, {1, 250, 96, 50, 300}});
    c.setAlpha(0.2);
    c.hyperparameters.weightDecay = 0.1;
    c.measure = c.wantsHistograms = true;
    return c;
}

Case smallModel(Format format) {
    Case c;
    c.format = format;
    for (unsigned layer = 0; layer < 2; ++layer) {
        c.add(Pattern::Random, 96 * 96, 20 * layer + 1);                 // query
        c.add(Pattern::Random, 32 * 96, 20 * layer + 2);                 // key
        c.add(Pattern::Random, 96 * 96, 20 * layer + 3 + layer);         // output, not aligned in the first layer
        c.add(Pattern::Random, 400 * 96, 20 * layer + 5);                // mlp
        c.add(Pattern::Random, 96, 20 * layer + 6, /*filtered=*/false);  // norm
    }
    c.hyperparameters.weightDecay = 0.1;
    c.gradScale = 0.37;
    return c;
}

const std::vector<Granularity>& granularities() {
    static const std::vector<Granularity> all = {{"tensor", [](Case& c) { c.partitionByTensor(); }},
                                                 {"layer", partitionByLayer},
                                                 {"model", partitionAsModel},
                                                 {"head", partitionByHead},
                                                 {"row", [](Case& c) { partitionByBlock(c, 96); }},
                                                 {"block100", [](Case& c) { partitionByBlock(c, 100); }},
                                                 {"block3001", [](Case& c) { partitionByBlock(c, 3001); }},
                                                 {"column", partitionByColumn},
                                                 {"shards", partitionByShard}};
    return all;
}

}  // namespace mofo::kernels::cuda::test
