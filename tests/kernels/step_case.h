// A small model for tests of the optimizer step, a plain restatement of the step with a full sort, and a comparison of the two bit for bit.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "kernels/include/optimizer_step.h"

namespace mofo::kernels::test {

struct TestTensor {
    std::vector<float> p, g, m, v;
    std::vector<std::uint16_t> p16, g16;  // made from p and g by StepCase::setFormat
    bool filtered = true;
    bool decayed = true;
    bool frozen = false;
    std::int64_t firstIndex = 0;

    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(p.size()); }
};

/// Everything a step reads and writes.
struct StepCase {
    std::vector<TestTensor> tensors;
    std::vector<Slice> slices;
    std::vector<std::int64_t> firstSlice = {0};
    std::vector<std::int64_t> k;
    Rule rule = Rule::Momentum;
    Format format = Format::Fp32;
    bool measure = false;
    bool decaySelectedOnly = false;
    bool knownFinite = false;
    Hyperparameters hyperparameters{1e-3, 0.9, 0.999, 1e-8, 0};
    std::int64_t step = 3;
    double gradScale = 1;
    std::vector<PartitionResult> partitionResults;
    std::vector<TensorResult> tensorResults;
    std::vector<LogHistogram> histograms;  // if measure
    StepStatus status;

    /// Normally distributed p, g and m, positive v.
    void addRandomTensor(std::int64_t n, unsigned seed, bool filtered = true);
    void addPartition(const std::vector<Slice>& parts) {
        slices.insert(slices.end(), parts.begin(), parts.end());
        firstSlice.push_back(static_cast<std::int64_t>(slices.size()));
    }
    /// One partition for each filtered tensor.
    void partitionByTensor();
    void setAlpha(double alpha);
    /// Rounds g, and p where the format has no other, to bf16. The reference needs no choice of random numbers for it: see runReference.
    void setFormat(Format wanted);

    [[nodiscard]] std::vector<Tensor> views();
    [[nodiscard]] StepPlan plan() { return makeStepPlan(views(), {slices, firstSlice}); }
    /// Runs the kernels. Returns what cpu::step returned.
    bool run(InstructionSet set = InstructionSet::Scalar, const ParallelFor& parallelFor = {});
    /// Of the step that run() did.
    bool selectedBits(const std::vector<std::uint64_t*>& bits, InstructionSet set, const ParallelFor& parallelFor);
    bool topGradientSums(std::vector<double>& sums, InstructionSet set, const ParallelFor& parallelFor);
    /// Does the same by plain loops and std::sort; not for NaN. Random ranks are those of the kernels' generator, restated.
    void runReference();
};

/// Compares p, m, v, results and status bit for bit; any NaN equals any NaN. Sums of squared updates to 1e-6: the reference adds in another order.
/// `repaired` is not compared.
void expectEqual(const StepCase& expected, const StepCase& actual);

/// 64-byte aligned bytes.
class Workspace {
public:
    explicit Workspace(std::size_t size) : m_data(static_cast<std::byte*>(::operator new (size, std::align_val_t{64}))), m_size(size) {}
    ~Workspace() { ::operator delete (m_data, std::align_val_t{64}); }
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    [[nodiscard]] std::span<std::byte> span() { return {m_data, m_size}; }

private:
    std::byte* m_data;
    std::size_t m_size;
};

/// The instruction sets of this machine, for loops inside a test.
[[nodiscard]] std::vector<InstructionSet> supportedSets();

}  // namespace mofo::kernels::test
