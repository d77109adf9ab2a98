// A small model in every format for tests of the CUDA twin, run by the CPU twin and by the emulation of the GPU, and compared bit for bit.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/cuda/context.h"
#include "kernels/include/cuda_step.h"
#include "kernels/include/optimizer_step.h"

namespace mofo::kernels::cuda::test {

/// All patterns of selection_test.cpp, by name.
enum class Pattern {
    Random,
    AllEqual,
    Ascending,
    Descending,
    ManyTies,
    Zeros,
    MostlyZero,
    SignedZeros,
    Denormals,
    Infinities,
    OneBin,
    AllMagnitudes
};
[[nodiscard]] const char* name(Pattern pattern);

/// The arrays begin `lead` elements into their memory, so that 0 is aligned and 1 is not.
struct CaseTensor {
    std::vector<float> p, g, m, v;
    std::vector<std::uint16_t> p16, g16;
    std::int64_t n = 0;
    std::int64_t lead = 0;
    bool filtered = true, decayed = true, frozen = false;
    std::uint64_t key = 0;
    std::int64_t firstIndex = 0;
};

/// Everything a step reads and writes.
struct Case {
    std::vector<CaseTensor> tensors;
    std::vector<Slice> slices;
    std::vector<std::int64_t> firstSlice = {0};
    std::vector<std::int64_t> k;
    Format format = Format::Fp32;
    Rule rule = Rule::Momentum;
    bool decaySelectedOnly = false, knownFinite = false, measure = false, wantsHistograms = false;
    Hyperparameters hyperparameters{1e-3, 0.9, 0.999, 1e-8, 0};
    std::int64_t step = 3;
    double gradScale = 1;
    // Results
    std::vector<PartitionResult> partitions;
    std::vector<TensorResult> results;
    std::vector<LogHistogram> histograms;
    StepStatus status;

    /// Of a pattern; p is about 0.05. All formats' arrays are filled: p16 and g16 are p and g rounded (and g and p then what they say, so that all
    /// formats start from one point).
    CaseTensor& add(Pattern pattern, std::int64_t n, unsigned seed, bool filtered = true);
    void addPartition(const std::vector<Slice>& parts);
    void partitionByTensor();
    void setAlpha(double alpha);

    [[nodiscard]] std::vector<Tensor> views();
    [[nodiscard]] StepPlan plan();
    [[nodiscard]] StepScalars scalars() const;
    void runOnCpu();
};

/// How the twin is to go about it.
struct How {
    Tuning tuning;
    std::int64_t journal = -1;  ///< entries of the journal; -1: as many as can move
    // For the emulation alone:
    unsigned seed = 1;  ///< of the order of blocks
    std::int64_t sharedBytes = 97 << 10;
    /// Called before each launch.
    std::function<void(int launch, const StepContext&)> between = [](int, const StepContext&) {};
};

/// What a step left behind, for what comes after it.
struct Emulated {
    Tables tables;
    std::vector<std::uint64_t> tableMemory, workspace, results;
    StepLaunch launch;
    StepScalars scalars;
    int launches = 0;

    [[nodiscard]] StepContext context() const { return contextOf(tables, reinterpret_cast<const std::byte*>(tableMemory.data()), launch); }
};

/// Does the case's step by the kernels' own text, launch by launch.
void runEmulated(Case& c, const How& how, Emulated& out);
void runEmulated(Case& c, const How& how = {});

/// Compares p, m, v, p16, results and status bit for bit (any NaN equals any NaN), the squared updates to 2e-5.
void expectEqual(const Case& expected, const Case& actual);

/// Every tensor of a small Llama of two layers, aligned and not, with partitions of every granularity by name.
struct Granularity {
    const char* name;
    void (*partition)(Case&);
};
[[nodiscard]] const std::vector<Granularity>& granularities();
[[nodiscard]] Case smallModel(Format format);

[[nodiscard]] std::string nameOf(Format format);
[[nodiscard]] std::string nameOf(Rule rule);
inline constexpr Format formats[] = {Format::Fp32, Format::Bf16, Format::Bf16Master};
inline constexpr Rule rankedRulesList[] = {Rule::Momentum, Rule::Gradient, Rule::MomentumOverRoot, Rule::Random};
inline constexpr Pattern patterns[] = {Pattern::Random,    Pattern::AllEqual,   Pattern::Ascending,  Pattern::Descending,
                                       Pattern::ManyTies,  Pattern::Zeros,      Pattern::MostlyZero, Pattern::SignedZeros,
                                       Pattern::Denormals, Pattern::Infinities, Pattern::OneBin,     Pattern::AllMagnitudes};

/// Everything as large as it can be, so that short arrays go the way of long ones.
[[nodiscard]] Tuning everythingLarge();
[[nodiscard]] Case onePartition(Pattern pattern, std::int64_t n, std::int64_t k);
/// Two large partitions of two tensors, one of them strided, and an unfiltered tensor.
[[nodiscard]] Case severalChunks(Format format, Rule rule);

}  // namespace mofo::kernels::cuda::test
