// The table of cases that both the emulation and the GPU have to get right, against the CPU twin and a full sort.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <set>

#include "tests/kernels/cuda_case.h"
#include "tests/kernels/step_case.h"

namespace mofo::kernels::cuda::test {

/// Does the case's step.
using Runner = std::function<void(Case&, const How&)>;

inline void expectAsOnCpu(const Runner& run, const Case& original, const How& how) {
    Case expected = original;
    expected.runOnCpu();
    Case actual = original;
    run(actual, how);
    if (testing::Test::HasFatalFailure()) return;
    expectEqual(expected, actual);
}

/// The ways a partition can go: by a warp, by a block, by all blocks.
inline void expectSelections(const Runner& run, Pattern pattern) {
    for (const std::int64_t n :
         {1, 2, 7, 8, 9, 31, 32, 33, 64, 127, 128, 129, 255, 257, 1000, 1023, 1024, 1025, 4097, 8191, 8193, 16384, 16385, 40001}) {
        const std::set<std::int64_t> ks = {
            1, selectedCount(0.05, n), selectedCount(0.15, n), std::max<std::int64_t>(1, n / 2), std::max<std::int64_t>(1, n - 1), n};
        for (const std::int64_t k : ks) {
            const Case original = onePartition(pattern, n, k);
            // StepCase's restatement sorts.
            kernels::test::StepCase sorted;
            const CaseTensor& t = original.tensors[0];
            const auto from = [&](const std::vector<float>& values) { return std::vector<float>(values.begin() + t.lead, values.end()); };
            sorted.tensors.push_back({from(t.p), from(t.g), from(t.m), from(t.v)});
            sorted.partitionByTensor();
            sorted.k = {k};
            sorted.runReference();
            Case expected = original;
            expected.runOnCpu();
            Tuning warps, blocks;
            blocks.warpPartition = 1;
            for (const Tuning& tuning : {warps, blocks, everythingLarge()}) {
                SCOPED_TRACE("n = " + std::to_string(n) + ", k = " + std::to_string(k) + ", a block's " + std::to_string(tuning.blockPartition) +
                             ", a warp's " + std::to_string(tuning.warpPartition));
                How how;
                how.tuning = tuning;
                Case actual = original;
                run(actual, how);
                if (testing::Test::HasFatalFailure()) return;
                ASSERT_EQ(actual.partitions[0].threshold, sorted.partitionResults[0].threshold);
                ASSERT_EQ(actual.partitions[0].masked, sorted.partitionResults[0].masked);
                ASSERT_EQ(actual.partitions[0].selected, sorted.partitionResults[0].selected);
                expectEqual(expected, actual);
                if (testing::Test::HasFatalFailure()) return;
            }
        }
    }
}

/// Partitions as they go by default, all through shared memory where that can be, and all the way of the large ones.
inline void expectGranularity(const Runner& run, const Granularity& granularity, Format format) {
    Tuning usual, blocks;
    blocks.warpPartition = 50;
    blocks.blockPartition = 4000;
    for (const Rule rule : rankedRulesList) {
        for (const int decay : {0, 1, 2}) {
            if (rule != Rule::Momentum && decay != static_cast<int>(rule) - 1) continue;
            Case original = smallModel(format);
            granularity.partition(original);
            original.setAlpha(0.15);
            original.rule = rule;
            original.hyperparameters.weightDecay = decay == 0 ? 0 : 0.1;
            original.decaySelectedOnly = decay == 2;
            original.measure = original.wantsHistograms = decay != 1;
            Case expected = original;
            expected.runOnCpu();
            for (const Tuning& tuning : {usual, blocks, everythingLarge()}) {
                SCOPED_TRACE(nameOf(rule) + ", decay " + std::to_string(decay) + ", a block's " + std::to_string(tuning.blockPartition));
                How how;
                how.tuning = tuning;
                Case actual = original;
                run(actual, how);
                if (testing::Test::HasFatalFailure()) return;
                expectEqual(expected, actual);
                if (testing::Test::HasFatalFailure()) return;
            }
        }
    }
}

inline void expectAlphaOneToEqualAdamW(const Runner& run, const Granularity& granularity, Format format) {
    Case adamw = smallModel(format);
    granularity.partition(adamw);
    adamw.setAlpha(1);
    Case mofo = adamw;
    adamw.rule = Rule::None;
    run(adamw, {});
    run(mofo, {});
    mofo.partitions.clear();
    expectEqual(adamw, mofo);
}

/// Brackets that are far too narrow, upside down or of hardly any sample; candidates and journals that overflow.
inline void expectAnySampleAndRoomToDo(const Runner& run) {
    for (const Format format : formats) {
        for (const Rule rule : {Rule::Momentum, Rule::Random}) {
            const Case original = severalChunks(format, rule);
            Case expected = original;
            expected.runOnCpu();
            for (const float sigmas : {3.6F, 0.0F, -50.0F}) {
                for (const std::int64_t samples : {8, 512, 16384}) {
                    for (const float share : {0.0F, 1e-6F, 0.01F}) {
                        for (const std::int64_t journal : {-1, 0, 500, 5000}) {
                            SCOPED_TRACE(nameOf(format) + ", " + nameOf(rule) + ", " + std::to_string(sigmas) + " sigmas of " +
                                         std::to_string(samples) + " samples, room for " + std::to_string(share) + " and " + std::to_string(journal));
                            How how;
                            how.tuning = everythingLarge();
                            how.tuning.sigmas = sigmas;
                            how.tuning.samples = samples;
                            how.tuning.candidateShare = share;
                            how.journal = journal;
                            Case actual = original;
                            run(actual, how);
                            if (testing::Test::HasFatalFailure()) return;
                            expectEqual(expected, actual);
                            if (testing::Test::HasFatalFailure()) return;
                        }
                    }
                }
            }
        }
    }
}

inline void expectEverythingToMoveUnderNoRule(const Runner& run) {
    for (const Format format : formats) {
        for (const int decay : {0, 1, 2}) {
            Case c = smallModel(format);
            c.rule = Rule::None;
            c.hyperparameters.weightDecay = decay == 0 ? 0 : 0.1;
            c.decaySelectedOnly = decay == 2;
            c.measure = c.wantsHistograms = true;
            c.tensors[1].frozen = c.tensors[4].frozen = true;
            // Not looked at.
            c.tensors[1].m[7] = std::numeric_limits<float>::quiet_NaN();
            expectAsOnCpu(run, c, {});
            if (testing::Test::HasFatalFailure()) return;
        }
    }
}

inline void expectNanToChangeNothing(const Runner& run) {
    constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const auto& [tensor, m, g] : {std::tuple(2, 0.0F, notANumber), {0, notANumber, 0.0F}, {3, infinity, -infinity}, {4, 0.0F, notANumber}}) {
        for (const Rule rule : {Rule::Momentum, Rule::None}) {
            for (const Tuning& tuning : {Tuning(), everythingLarge()}) {
                Case original = smallModel(Format::Fp32);
                original.partitionByTensor();
                original.setAlpha(0.15);
                original.rule = rule;
                original.wantsHistograms = true;
                CaseTensor& bad = original.tensors[static_cast<std::size_t>(tensor)];
                bad.m[50] = m;
                bad.g[50] = g;
                How how;
                how.tuning = tuning;
                Case actual = original;
                run(actual, how);
                Case expected = original;
                expected.status = {true, false, 0};
                expected.results.assign(original.tensors.size(), {});
                expected.partitions.assign(actual.partitions.size(), {});
                expected.histograms.assign(original.tensors.size(), {});
                expectEqual(expected, actual);
                if (testing::Test::HasFatalFailure()) return;
            }
        }
    }
}

inline void expectKnownFiniteToBeTrustedOnlyWhereItCanBe(const Runner& run) {
    Case known = smallModel(Format::Fp32);
    known.partitionByTensor();
    known.setAlpha(0.15);
    known.knownFinite = true;
    expectAsOnCpu(run, known, {});
    // With b1 = 0 the new m is g - 0 (g - m), and g - m overflows.
    known.tensors[0].m[5] = -std::numeric_limits<float>::max();
    known.tensors[0].g[5] = std::numeric_limits<float>::max();
    known.gradScale = 1;
    known.hyperparameters.beta1 = 0;
    Case after = known;
    run(after, {});
    EXPECT_TRUE(after.status.nanFound);
    EXPECT_EQ(after.tensors[0].m[5], known.tensors[0].m[5]);
}

inline void expectInfiniteMomentsToBeReported(const Runner& run) {
    for (const Rule rule : {Rule::Momentum, Rule::None}) {
        for (const std::size_t tensor : {0U, 1U, 4U}) {
            for (const Tuning& tuning : {Tuning(), everythingLarge()}) {
                Case c = smallModel(Format::Fp32);
                c.partitionByTensor();
                c.setAlpha(0.15);
                c.rule = rule;
                c.tensors[tensor].g[7] = std::numeric_limits<float>::infinity();
                How how;
                how.tuning = tuning;
                expectAsOnCpu(run, c, how);
                run(c, how);
                EXPECT_FALSE(c.status.nanFound);
                EXPECT_FALSE(c.status.momentsFinite);
            }
        }
    }
}

/// A piece of a tensor of 2^35 coordinates, where the lower 32 bits of the numbers run over.
inline void expectCoordinatesToBeCountedIn64Bits(const Runner& run) {
    for (const Format format : formats) {
        for (const Rule rule : rankedRulesList) {
            for (const Tuning& tuning : {Tuning(), everythingLarge()}) {
                Case c;
                c.format = format;
                c.rule = rule;
                c.add(Pattern::Random, 40 * 1000, 4).firstIndex = (std::int64_t{7} << 32) - 20000;
                const std::int64_t first = c.tensors[0].firstIndex;
                c.addPartition({{0, first, 40, 600, 1000}});
                for (std::int64_t row = 0; row < 40; ++row) c.addPartition({{0, first + row * 1000 + 600, 1, 400, 0}});
                c.setAlpha(0.1);
                c.hyperparameters.weightDecay = 0.1;
                How how;
                how.tuning = tuning;
                expectAsOnCpu(run, c, how);
                if (testing::Test::HasFatalFailure()) return;
            }
        }
    }
}

inline void expectSeveralStepsAndBetas(const Runner& run) {
    for (const auto& [b1, b2] : {std::pair(0.9, 0.999), {0.95, 0.95}, {0.5, 0.9}, {0.1, 0.5}, {0.0, 0.0}}) {
        Case expected = smallModel(Format::Bf16);
        expected.partitionByTensor();
        expected.setAlpha(0.1);
        expected.hyperparameters.beta1 = b1;
        expected.hyperparameters.beta2 = b2;
        Case actual = expected;
        for (std::int64_t t = 1; t <= 3; ++t) {
            expected.step = actual.step = t;
            expected.runOnCpu();
            run(actual, {});
            expectEqual(expected, actual);
            if (testing::Test::HasFatalFailure()) return;
        }
    }
}

}  // namespace mofo::kernels::cuda::test
