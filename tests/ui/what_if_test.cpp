// Estimates from histograms, effects of changes, the units of the step axis: numbers worked out by hand.
#include "ui/models/what_if.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/test_support.h"
#include "ui/models/effect.h"
#include "ui/models/step_scale.h"

namespace mofo {
namespace {

ParameterRow parameter(std::int64_t index, std::int64_t layer, std::int64_t size, bool filtered = true) {
    ParameterRow row;
    row.index = index;
    row.name = "t" + std::to_string(index);
    row.kind = "q";
    row.layer = layer;
    row.size = size;
    row.filtered = filtered;
    return row;
}

HistogramRow histogram(std::int64_t parameter, std::int64_t firstBin, std::vector<std::uint32_t> counts) {
    HistogramRow row;
    row.parameter = parameter;
    row.stepsPerOctave = 1;
    row.firstBin = firstBin;
    row.counts = std::move(counts);
    return row;
}

TEST(WhatIf, ThresholdsOfTwoTensorsByHand) {
    // Tensor 0: 100 coordinates in [1, 2). Tensor 1: 100 in [4, 8), 100 zeros.
    const std::vector<ParameterRow> parameters{parameter(0, 0, 100), parameter(1, 0, 200), parameter(2, 0, 50, false)};
    const std::vector<HistogramRow> histograms{histogram(0, 0, {100}), histogram(1, 2, {100})};
    const WhatIf tensor = estimateSelection(parameters, histograms, 0.25, *Granularity::parse("tensor"));
    // A quarter of 100 evenly spread in [1, 2) is above 1.75; 50 of 100 in [4, 8) above 6.
    EXPECT_DOUBLE_EQ(tensor.thresholds[0], 1.75);
    EXPECT_DOUBLE_EQ(tensor.thresholds[1], 6.0);
    EXPECT_DOUBLE_EQ(tensor.movedShare[0], 0.25);
    EXPECT_DOUBLE_EQ(tensor.movedShare[1], 0.25);
    EXPECT_TRUE(std::isnan(tensor.movedShare[2]));
    EXPECT_EQ(tensor.tensors, 2);
    EXPECT_EQ(tensor.stillTensors, 0);
    // Kept: 25 x 1.875 + 50 x 7 of 100 x 1.5 + 100 x 6.
    EXPECT_DOUBLE_EQ(tensor.kept, (25 * 1.875 + 50 * 7.0) / (150.0 + 600.0));
    EXPECT_DOUBLE_EQ(tensor.moved, 75.0 / 300.0);
}

TEST(WhatIf, ByModelTheSmallMomentumsDoNotMove) {
    const std::vector<ParameterRow> parameters{parameter(0, 0, 100), parameter(1, 1, 200)};
    const std::vector<HistogramRow> histograms{histogram(0, 0, {100}), histogram(1, 2, {100})};
    const WhatIf model = estimateSelection(parameters, histograms, 0.25, *Granularity::parse("model"));
    EXPECT_DOUBLE_EQ(model.thresholds[0], 5.0);  // 75 of the 100 in [4, 8)
    EXPECT_DOUBLE_EQ(model.movedShare[0], 0.0);
    EXPECT_EQ(model.stillTensors, 1);
    // Layers apart, it is as by tensor: each layer holds one.
    EXPECT_DOUBLE_EQ(estimateSelection(parameters, histograms, 0.25, *Granularity::parse("layer")).movedShare[0], 0.25);
}

TEST(WhatIf, MoreThanThereIsTakesAllThatHasMomentum) {
    const std::vector<ParameterRow> parameters{parameter(0, 0, 200)};
    const WhatIf most = estimateSelection(parameters, {histogram(0, 0, {100})}, 0.9, *Granularity::parse("tensor"));
    EXPECT_DOUBLE_EQ(most.thresholds[0], 0.0);
    EXPECT_DOUBLE_EQ(most.movedShare[0], 0.5);
    EXPECT_DOUBLE_EQ(most.kept, 1.0);
}

TEST(StepScale, MapsBothWaysAndBeyondItsEnds) {
    StepScale scale;
    EXPECT_DOUBLE_EQ(scale.unitsAt(7), 7);
    scale.append(1, 100);
    scale.append(3, 300);
    scale.append(4, 800);
    scale.append(5, 700);  // a clock set back stays where it was
    EXPECT_DOUBLE_EQ(scale.unitsAt(2), 200);
    EXPECT_DOUBLE_EQ(scale.stepAt(200), 2);
    EXPECT_DOUBLE_EQ(scale.stepAt(550), 3.5);
    EXPECT_DOUBLE_EQ(scale.unitsAt(9), 800 + 4 * 175.0);
    EXPECT_DOUBLE_EQ(scale.stepAt(scale.unitsAt(-3)), -3);
    EXPECT_DOUBLE_EQ(scale.stepAt(scale.unitsAt(12)), 12);
}

TEST(Effect, ComparesFiftyStepsBeforeAndAfter) {
    RunData data;
    RunBatch batch;
    for (std::int64_t step = 1; step <= 130; ++step) {
        StepRow row;
        row.seq = row.step = step;
        // 0.01 less per step up to 60, 0.02 less after.
        row.loss = step <= 60 ? 5.0 - 0.01 * static_cast<double>(step) : 4.4 - 0.02 * static_cast<double>(step - 60);
        batch.steps.push_back(row);
    }
    data.take(batch);
    const Effect effect = effectOf(data, 61);
    EXPECT_EQ(effect.before.from, 11);
    EXPECT_EQ(effect.before.to, 60);
    EXPECT_EQ(effect.after.to, 110);
    EXPECT_EQ(effect.after.steps, 50);
    EXPECT_FALSE(effect.isTooEarly());
    EXPECT_NEAR(*effect.before.lossSlope, -1.0, 1e-9);
    EXPECT_NEAR(*effect.after.lossSlope, -2.0, 1e-9);
    EXPECT_TRUE(effectOf(data, 115).isTooEarly());
}

}  // namespace
}  // namespace mofo
