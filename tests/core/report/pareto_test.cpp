#include "core/report/pareto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace mofo::report {
namespace {

TEST(ParetoSet, KeepsWhatNothingDominates) {
    const std::vector<Tradeoff> points = {{0.7, 0.10}, {0.6, 0.05}, {0.5, 0.08}, {0.0, 0.0}, {0.7, 0.12}};
    EXPECT_EQ(paretoSet(points), (std::vector<bool>{true, true, false, true, false}));
}

TEST(ParetoSet, EqualPointsStandOrFallTogether) {
    const std::vector<Tradeoff> points = {{0.5, 0.1}, {0.5, 0.1}, {0.4, 0.2}, {0.4, 0.2}};
    EXPECT_EQ(paretoSet(points), (std::vector<bool>{true, true, false, false}));
}

TEST(ParetoSet, LearningLessAtTheSameForgettingIsDominated) {
    const std::vector<Tradeoff> points = {{0.5, 0.1}, {0.4, 0.1}, {0.5, 0.2}};
    EXPECT_EQ(paretoSet(points), (std::vector<bool>{true, false, false}));
}

TEST(ParetoSet, LeavesOutWhatIsNotKnown) {
    const double nan = std::nan("");
    const std::vector<Tradeoff> points = {{nan, 0.0}, {0.5, nan}, {0.1, 0.1}};
    EXPECT_EQ(paretoSet(points), (std::vector<bool>{false, false, true}));
    EXPECT_TRUE(paretoSet({}).empty());
}

TEST(ParetoSet, EqualsTheDefinitionOnManyPoints) {
    std::vector<Tradeoff> points;
    std::uint64_t state = 5;
    for (int i = 0; i < 400; ++i) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        points.push_back({static_cast<double>(state >> 60), static_cast<double>(state >> 56 & 15)});  // few values, so that ties are many
    }
    const std::vector<bool> found = paretoSet(points);
    for (std::size_t i = 0; i < points.size(); ++i) {
        const bool dominated = std::any_of(points.begin(), points.end(), [&](const Tradeoff& other) {
            return other.learning >= points[i].learning && other.forgetting <= points[i].forgetting &&
                   (other.learning > points[i].learning || other.forgetting < points[i].forgetting);
        });
        EXPECT_EQ(found[i], !dominated) << i;
    }
}

LayerHistory history(std::vector<std::string> names, std::vector<std::int64_t> steps, std::vector<std::vector<double>> drift) {
    LayerHistory layers;
    for (std::string& name : names) layers.rows.push_back({std::move(name), 10, 1.0});
    layers.steps = std::move(steps);
    layers.selected = drift;
    layers.drift = std::move(drift);
    return layers;
}

TEST(LayerDifference, ComparesCommonStepsByRowName) {
    const LayerHistory a = history({"embed", "L00"}, {1, 10, 20}, {{1, 2, 4}, {1, 1, 1}});
    const LayerHistory b = history({"L00", "embed"}, {10, 20, 30}, {{2, 0, 1}, {1, 1, 1}});
    const LayerDifference difference = layerDifference(a, b);
    EXPECT_EQ(difference.rows, (std::vector<std::string>{"embed", "L00"}));
    EXPECT_EQ(difference.steps, (std::vector<std::int64_t>{10, 20}));
    EXPECT_DOUBLE_EQ(difference.driftLog2[0][0], -1);
    EXPECT_DOUBLE_EQ(difference.driftLog2[0][1], -2);
    EXPECT_DOUBLE_EQ(difference.driftLog2[1][0], 1);
    EXPECT_TRUE(std::isnan(difference.driftLog2[1][1]));  // a distance of 0 has no logarithm
    EXPECT_DOUBLE_EQ(difference.selectedMinus[1][0], 1);
}

}  // namespace
}  // namespace mofo::report
