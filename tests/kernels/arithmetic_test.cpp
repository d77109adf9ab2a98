// The quotient of kernels/shared/arithmetic.h, which replaces a division, against the division.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "tests/kernels/step_case.h"
#include "tests/kernels/thread_team.h"

namespace mofo::kernels::test {
namespace {

/// One step of AdamW with g = 0, b1 = 0 and b2 = 1 in effect: v stays, p = -(1 / (sqrt(v)/c + eps)) for p = 0 and m = 1. So p tells the root.
std::vector<float> steppedWith(const std::vector<float>& v, float correction, InstructionSet set) {
    const auto n = static_cast<std::int64_t>(v.size());
    std::vector<float> p(v.size(), 0.0F), g(v.size(), 1.0F), m(v.size(), 1.0F), moments = v;
    Tensor tensor;
    tensor.p = p.data();
    tensor.g = g.data();
    tensor.m = m.data();
    tensor.v = moments.data();
    tensor.n = n;
    const StepPlan plan = makeStepPlan({&tensor, 1}, {{}, std::vector<std::int64_t>{0}});
    StepScalars scalars;
    scalars.momentWeight = 0.1F;  // m and g are both 1
    scalars.beta2 = 1;
    scalars.squareWeight = 0;
    scalars.rootCorrection = correction;
    scalars.eps = 0x1p-100F;  // lost in every root but zero's
    scalars.stepSize = -1;
    scalars.knownFinite = true;
    TensorResult result;
    StepStatus status;
    Workspace workspace(cpu::stepWorkspaceBytes(plan, 4));
    ThreadTeam team(4);
    Execution execution;
    execution.parallelFor = team.parallelFor();
    execution.instructionSet = set;
    StepArguments arguments;
    arguments.tensors = {&tensor, 1};
    arguments.plan = &plan;
    arguments.rule = Rule::None;
    arguments.scalars = &scalars;
    arguments.tensorResults = {&result, 1};
    arguments.status = &status;
    arguments.workspace = workspace.span();
    EXPECT_TRUE(cpu::step(arguments, execution));
    return p;
}

void expectDivision(const std::vector<float>& v, float correction, InstructionSet set) {
    const std::vector<float> p = steppedWith(v, correction, set);
    for (std::size_t i = 0; i < v.size(); ++i) {
        const float expected = 0.0F + -1.0F / (std::sqrt(v[i]) / correction + 0x1p-100F);
        ASSERT_EQ(std::bit_cast<std::uint32_t>(expected), std::bit_cast<std::uint32_t>(p[i])) << "v = " << v[i] << ", correction " << correction;
    }
}

TEST(Root, IsTheDivisionsForEveryMantissa) {
    // Roots take every mantissa as v runs through the floats of two octaves; quotients do not depend on the exponent otherwise.
    std::vector<float> v;
    for (std::uint32_t bits = std::bit_cast<std::uint32_t>(1.0F); bits < std::bit_cast<std::uint32_t>(4.0F); ++bits)
        v.push_back(std::bit_cast<float>(bits));
    for (const std::int64_t step : {1, 2, 3, 10, 57, 999, 12345}) {
        expectDivision(v, stepScalars({1e-3, 0.9, 0.999, 1e-8, 0}, step, 1, true).rootCorrection, bestInstructionSet());
    }
    for (const float correction : {std::nextafter(1.0F, 0.0F), std::nextafter(0.5F, 0.0F), std::nextafter(0.5F, 1.0F), 1.0F, 3e-4F}) {
        expectDivision(v, correction, bestInstructionSet());
    }
}

TEST(Root, IsTheDivisionsAtTheEnds) {
    constexpr float tiny = std::numeric_limits<float>::denorm_min();
    const std::vector<float> v = {0.0F,
                                  tiny,
                                  7 * tiny,
                                  std::numeric_limits<float>::min(),
                                  1e-30F,
                                  1e-12F,
                                  1e30F,
                                  std::numeric_limits<float>::max(),
                                  std::numeric_limits<float>::infinity()};
    for (const InstructionSet set : supportedSets()) {
        for (std::int64_t step = 1; step < 20'000; step += 37) {
            expectDivision(v, stepScalars({1e-3, 0.9, 0.999, 1e-8, 0}, step, 1, true).rootCorrection, set);
            if (HasFatalFailure()) return;
        }
    }
}

}  // namespace
}  // namespace mofo::kernels::test
