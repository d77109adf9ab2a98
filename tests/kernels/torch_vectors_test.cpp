// The numbers of PyTorch's own operations: three steps of MoFO and of AdamW, with clipping and decay, on inputs from an integer hash.
// Expected values: make_step_vectors.py beside this file.
#include <gtest/gtest.h>

#include <span>

#include "core/base/hash.h"
#include "tests/kernels/step_case.h"

namespace mofo::kernels::test {
namespace {

float hashedValue(std::uint32_t seed, std::uint32_t i, float scale) {
    std::uint32_t x = (i + seed * 1000003U) * 0x9E3779B1U;
    x = (x ^ (x >> 15)) * 0x85EBCA77U;
    x = (x ^ (x >> 13)) * 0xC2B2AE3DU;
    x ^= x >> 16;
    return static_cast<float>(static_cast<std::int32_t>(x >> 8) - (1 << 23)) * scale;
}

std::vector<float> hashedValues(std::uint32_t seed, std::size_t n, float scale) {
    std::vector<float> out;
    for (std::uint32_t i = 0; i < n; ++i) out.push_back(hashedValue(seed, i, scale));
    return out;
}

StepCase threeSteps(Rule rule, InstructionSet set) {
    StepCase c;
    const std::size_t lengths[] = {1003, 4096, 33, 70001};
    for (std::uint32_t i = 0; i < 4; ++i) {
        const std::size_t n = lengths[i];
        TestTensor tensor;
        tensor.p = hashedValues(10 * i, n, 0x1p-27F);
        tensor.m.resize(n);
        tensor.v.resize(n);
        tensor.filtered = tensor.decayed = i != 2;
        c.tensors.push_back(std::move(tensor));
    }
    c.partitionByTensor();
    c.hyperparameters = {2e-3, 0.9, 0.999, 1e-8, 0.1};
    c.gradScale = 0.37;
    c.rule = rule;
    for (std::int64_t t = 1; t <= 3; ++t) {
        c.step = t;
        for (std::uint32_t i = 0; i < 4; ++i) c.tensors[i].g = hashedValues(10 * i + static_cast<std::uint32_t>(t), c.tensors[i].p.size(), 0x1p-30F);
        c.setAlpha(0.15);
        EXPECT_TRUE(c.run(set));
    }
    return c;
}

std::string hashOf(const StepCase& c, std::vector<float> TestTensor::*field) {
    Sha256 hash;
    for (const TestTensor& tensor : c.tensors) hash.update(std::as_bytes(std::span(tensor.*field)));
    return hash.hex();
}

TEST(TorchVectors, MofoHasPyTorchsBits) {
    for (const InstructionSet set : supportedSets()) {
        const StepCase c = threeSteps(Rule::Momentum, set);
        EXPECT_EQ(hashOf(c, &TestTensor::m), "bfce191dbb450033b363bd656b238a4e19071fa07266e3a995b282138beb1e06") << instructionSetName(set);
        EXPECT_EQ(hashOf(c, &TestTensor::v), "ff1d4e6863d1ab98fbf5f0200d32acf30c9ebcaa4270b90cbd2f637531975e6d") << instructionSetName(set);
        EXPECT_EQ(hashOf(c, &TestTensor::p), "0724cde7f2bb71db2b10ed544af45a829a4b9f6fd270e4093fc70d0eaf0283f1") << instructionSetName(set);
    }
}

TEST(TorchVectors, AdamWHasPyTorchsBits) {
    for (const InstructionSet set : supportedSets()) {
        const StepCase c = threeSteps(Rule::None, set);
        EXPECT_EQ(hashOf(c, &TestTensor::m), "bfce191dbb450033b363bd656b238a4e19071fa07266e3a995b282138beb1e06") << instructionSetName(set);
        EXPECT_EQ(hashOf(c, &TestTensor::v), "ff1d4e6863d1ab98fbf5f0200d32acf30c9ebcaa4270b90cbd2f637531975e6d") << instructionSetName(set);
        EXPECT_EQ(hashOf(c, &TestTensor::p), "53c57a787748ef91140d3545e3f65600b160ffe00fdb75680f4b92373af18a91") << instructionSetName(set);
    }
}

TEST(TorchVectors, WithPyTorchsOwnSquareRootParametersAgreeToAnUnitOfTheStep) {
    // Its root is at most one unit in the last place off, so a step of at most 2e-3 by at most 2.4e-10, three times, plus the rounding of p (below
    // 2^-4: 1.9e-9).
    constexpr double tolerance = 3e-9;
    const StepCase mofo = threeSteps(Rule::Momentum, bestInstructionSet());
    const float expected[] = {-0x1.ffb162p-5F, -0x1.d4de9ep-5F, -0x1.a63b4ap-11F, 0x1.4d693ap-5F, 0x1.078204p-6F, -0x1.bc1b34p-7F,
                              0x1.d02e64p-5F,  0x1.035878p-5F,  0x1.42f22ap-5F,   0x1.880dc2p-6F, 0x1.6b4974p-5F, -0x1.7f3fe2p-5F};
    for (std::size_t i = 0; i < std::size(expected); ++i) EXPECT_NEAR(mofo.tensors[0].p[i], expected[i], tolerance) << i;
    const float unfiltered[] = {-0x1.06076cp-8F, -0x1.31ce3cp-5F, -0x1.7cbf60p-6F, -0x1.059a3ap-6F};
    for (std::size_t i = 0; i < std::size(unfiltered); ++i) EXPECT_NEAR(mofo.tensors[2].p[i], unfiltered[i], tolerance) << i;
    const StepCase adamw = threeSteps(Rule::None, bestInstructionSet());
    const float all[] = {-0x1.fa63aap-5F, -0x1.cfab0ap-5F, -0x1.989622p-10F, 0x1.36dc9cp-5F, 0x1.07bbcap-6F, -0x1.0b6518p-6F,
                         0x1.a08a26p-5F,  0x1.a96106p-6F,  0x1.13a4e2p-5F,   0x1.95e6c6p-6F, 0x1.4e9b60p-5F, -0x1.abe458p-5F};
    for (std::size_t i = 0; i < std::size(all); ++i) EXPECT_NEAR(adamw.tensors[0].p[i], all[i], tolerance) << i;
}

}  // namespace
}  // namespace mofo::kernels::test
