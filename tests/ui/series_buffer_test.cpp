#include "ui/models/series_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>

namespace mofo {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

/// Least and greatest finite value of the stored points per pixel column.
std::vector<std::pair<double, double>> extremesPerColumn(const std::vector<SeriesPoint>& points, double from, double to, int columns) {
    std::vector<std::pair<double, double>> extremes(static_cast<std::size_t>(columns), {inf, -inf});
    for (const SeriesPoint& point : points) {
        if (!std::isfinite(point.value) || point.key < from || point.key > to) continue;
        const auto column = std::min<std::size_t>(static_cast<std::size_t>((point.key - from) / (to - from) * columns), extremes.size() - 1);
        extremes[column].first = std::min(extremes[column].first, point.value);
        extremes[column].second = std::max(extremes[column].second, point.value);
    }
    return extremes;
}

std::vector<SeriesPoint> allOf(const SeriesBuffer& series) {
    std::vector<SeriesPoint> points;
    for (std::size_t i = 0; i < series.size(); ++i) points.push_back({series.key(i), series.value(i)});
    return points;
}

TEST(SeriesBuffer, EverySpikeAndEveryGapSurvivesThinning) {
    std::mt19937_64 random(7);
    SeriesBuffer series;
    std::set<std::size_t> gaps;
    for (int i = 0; i < 300'000; ++i) {
        double value = std::sin(i * 0.001) + 0.01 * static_cast<double>(random() % 100);
        if (random() % 997 == 0) value = 50 + static_cast<double>(random() % 100);   // up
        if (random() % 991 == 0) value = -50 - static_cast<double>(random() % 100);  // down
        if (random() % 1009 == 0) value = random() % 2 == 0 ? nan : inf;
        if (!std::isfinite(value)) gaps.insert(static_cast<std::size_t>(i));
        series.append(i, value);
    }
    ASSERT_GT(gaps.size(), 200u);
    EXPECT_EQ(std::set<std::size_t>(series.nonFinite().begin(), series.nonFinite().end()), gaps);
    const std::vector<SeriesPoint> all = allOf(series);
    for (const auto& [from, to, columns] : {std::tuple{0.0, 299'999.0, 800}, std::tuple{1234.5, 98'765.25, 333}, std::tuple{299'000.0, 299'999.0, 1200}}) {
        const std::vector<SeriesPoint> drawn = series.thinned(from, to, columns);
        EXPECT_EQ(extremesPerColumn(drawn, from, to, columns), extremesPerColumn(all, from, to, columns)) << from << " .. " << to;
        // What is drawn is stored, and the keys ascend.
        for (const SeriesPoint& point : drawn) {
            if (std::isnan(point.value)) continue;
            EXPECT_EQ(point.value, series.value(static_cast<std::size_t>(point.key)));
        }
        EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end(), [](const auto& a, const auto& b) { return a.key < b.key; }));
        // Between two drawn points with a gap between them the line breaks.
        std::set<double> breaks;
        for (const SeriesPoint& point : drawn) {
            if (std::isnan(point.value)) breaks.insert(point.key);
        }
        const SeriesPoint* last = nullptr;
        for (const SeriesPoint& point : drawn) {
            if (std::isnan(point.value)) {
                last = nullptr;
                continue;
            }
            if (last != nullptr) {
                const auto gap = gaps.upper_bound(static_cast<std::size_t>(last->key));
                EXPECT_FALSE(gap != gaps.end() && static_cast<double>(*gap) < point.key) << "a line crosses the gap at " << *gap;
            }
            last = &point;
        }
    }
}

TEST(SeriesBuffer, ThinsToAFewPointsPerColumn) {
    SeriesBuffer series;
    for (int i = 0; i < 1'000'000; ++i) series.append(i, std::cos(i * 0.01));
    EXPECT_LE(series.thinned(0, 999'999, 1000).size(), 4u * 1000 + 2);
}

TEST(SeriesBuffer, AFiniteValueBetweenTwoGapsIsDrawnAsADot) {
    SeriesBuffer series;
    for (const double value : {nan, 2.0, nan, 3.0, 4.0}) series.append(static_cast<double>(series.size()), value);
    const std::vector<SeriesPoint> drawn = series.thinned(0, 4, 100);
    ASSERT_EQ(drawn.size(), 5u);
    EXPECT_EQ(drawn[0], (SeriesPoint{1, 2}));
    EXPECT_EQ(drawn[1], (SeriesPoint{1, 2}));
    EXPECT_TRUE(std::isnan(drawn[2].value));
    EXPECT_EQ(drawn[3], (SeriesPoint{3, 3}));
    EXPECT_EQ(drawn[4], (SeriesPoint{4, 4}));
}

TEST(SeriesBuffer, RangesEqualAPlainSearch) {
    std::mt19937_64 random(3);
    SeriesBuffer series;
    for (int i = 0; i < 5000; ++i) series.append(i, random() % 50 == 0 ? nan : static_cast<double>(random() % 100'000));
    for (int i = 0; i < 300; ++i) {
        double from = static_cast<double>(random() % 5000), to = static_cast<double>(random() % 5000);
        if (from > to) std::swap(from, to);
        double least = inf, greatest = -inf;
        for (std::size_t k = static_cast<std::size_t>(from); k <= static_cast<std::size_t>(to); ++k) {
            if (!std::isfinite(series.value(k))) continue;
            least = std::min(least, series.value(k));
            greatest = std::max(greatest, series.value(k));
        }
        const auto range = series.finiteRange(from, to);
        ASSERT_EQ(range.has_value(), std::isfinite(least));
        if (!range) continue;
        EXPECT_EQ(range->lower, least);
        EXPECT_EQ(range->upper, greatest);
    }
}

TEST(SeriesBuffer, NearestAndEmpty) {
    SeriesBuffer series;
    EXPECT_FALSE(series.nearest(3));
    EXPECT_FALSE(series.finiteRange(0, 1));
    EXPECT_TRUE(series.thinned(0, 1, 10).empty());
    for (const double key : {1.0, 10.0, 20.0}) series.append(key, key);
    EXPECT_EQ(series.nearest(-5), 0u);
    EXPECT_EQ(series.nearest(5.5), 0u);
    EXPECT_EQ(series.nearest(5.6), 1u);
    EXPECT_EQ(series.nearest(99), 2u);
    series.clear();
    EXPECT_TRUE(series.empty());
    series.append(1, nan);
    EXPECT_FALSE(series.finiteRange(0, 2));
}

}  // namespace
}  // namespace mofo
