#include "core/report/markup.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/report/axis.h"
#include "core/report/svg.h"

namespace mofo::report {
namespace {

TEST(EscapeMarkup, OpensNeitherElementNorAttribute) {
    EXPECT_EQ(escapeMarkup("<script>\"a\" & 'b'</script>"), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
    EXPECT_EQ(escapeMarkup("a\nb\u202e"), "a\\nb\\u202e");
    EXPECT_EQ(escapeMarkupLines("<a>\n&"), "&lt;a&gt;\n&amp;");
}

TEST(Significant, ShowsNumbersForPeople) {
    EXPECT_EQ(significant(0.8896, 3), "0.890");
    EXPECT_EQ(significant(-12.345, 3), "\u221212.3");
    EXPECT_EQ(significant(123456, 3), "123456");
    EXPECT_EQ(significant(0.00001234, 3), "1.23e-05");
    EXPECT_EQ(significant(0, 3), "0");
    EXPECT_EQ(significant(std::numeric_limits<double>::infinity(), 3), "inf");
    EXPECT_EQ(decimals(-0.0001, 2), "0.00");
}

TEST(Axis, PutsTicksAtRoundNumbers) {
    Axis axis;
    axis.take(0);
    axis.take(60);
    axis.finish(0, 4);
    std::string labels;
    for (const Tick& tick : axis.ticks()) labels += tick.label + ' ';
    EXPECT_EQ(labels, "0 20 40 60 ");
}

TEST(Axis, OfOneValueOrNoneStillHasAStretch) {
    Axis one, none;
    one.take(3);
    for (Axis* axis : {&one, &none}) {
        axis->finish(0, 4);
        axis->place(0, 100);
        EXPECT_GE(axis->ticks().size(), 2u);
        EXPECT_TRUE(std::isfinite(axis->at(3)));
    }
}

TEST(Axis, LogarithmicOnesTakeDecadesAndPassOverZero) {
    Axis axis(true);
    for (const double value : {0.0, 1e-5, 1.0}) axis.take(value);
    axis.finish(0, 6);
    axis.place(0, 100);
    EXPECT_DOUBLE_EQ(axis.at(1e-5), 0);
    EXPECT_DOUBLE_EQ(axis.at(0), 0);
    EXPECT_FALSE(axis.shows(0));
    EXPECT_EQ(axis.ticks().front().label, "1e\u22125");
}

TEST(Svg, DrawsEveryNonFiniteValueAmongManyPoints) {
    XyChart chart;
    Series series{"run", "A"};
    for (int i = 0; i < 20'000; ++i) series.points.push_back({static_cast<double>(i), 1.0 + (i % 10) * 0.1});
    const auto marksOf = [&] {
        chart.series = {series};
        const std::string svg = svgOf(chart, 400);
        std::size_t count = 0;
        for (std::size_t at = svg.find("<path"); at != std::string::npos; at = svg.find("<path", at + 1)) ++count;
        return count;
    };
    const std::size_t without = marksOf();
    series.points[777].y = std::nan("");
    series.points[9'001].y = std::numeric_limits<double>::infinity();
    EXPECT_EQ(marksOf(), without + 2);
}

TEST(Svg, ThinsALongLineToItsPixels) {
    XyChart chart;
    Series series{"run", "A"};
    for (int i = 0; i < 100'000; ++i) series.points.push_back({static_cast<double>(i), std::sin(i * 0.01)});
    chart.series = {series};
    EXPECT_LT(svgOf(chart, 400).size(), 40'000u);
}

TEST(Svg, KeepsToElementsOfTiny) {
    XyChart chart{"t", "x", "y"};
    chart.series = {{"a", "A", 0, 1, true, true, false, false, {{1, 2, 0.5, 1.5, 1, 3, 9, "A"}, {2, 3}}}};
    MapChart map{"m", "step", {"L00", "L01"}, {1, 2}, {{1, 2}, {std::nan(""), 4}}};
    const MapScale scale{Ramp::Viridis, 1, 4, false, "s"};
    const ForestChart forest{"f", "x", "lower", "higher", {{"g", "r", 0, 1, 0.5, 1.5, 9, "p"}}};
    for (const std::string& svg : {svgOf(chart, 300), svgOf(map, 300, &scale), svgOf(forest, 500), svgOfScale(scale, 200)}) {
        for (const char* beyond : {"<style", "style=", "<clipPath", "<filter", "<mask", "<pattern", "<script", "href", "url("}) {
            EXPECT_EQ(svg.find(beyond), std::string::npos) << beyond;
        }
        EXPECT_NE(svg.find("<text"), std::string::npos) << "texts can be selected";
    }
}

}  // namespace
}  // namespace mofo::report
