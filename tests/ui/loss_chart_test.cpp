#include "ui/widgets/loss_chart.h"

#include <gtest/gtest.h>

#include <QImage>
#include <QTest>
#include <limits>

#include "tests/ui/ui_test_support.h"
#include "ui/widgets/map_chart.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {
namespace {

RunBatch stepsWithLosses(const std::vector<double>& losses) {
    RunBatch batch;
    for (std::size_t i = 0; i < losses.size(); ++i) {
        StepRow row;
        row.seq = row.step = static_cast<std::int64_t>(i) + 1;
        row.loss = losses[i];
        row.alpha = 0.15;
        if (std::isnan(row.loss)) row.lossState = "nan";
        if (std::isinf(row.loss)) row.lossState = "inf";
        batch.steps.push_back(row);
    }
    return batch;
}

/// Pixels near a colour inside the plot.
int pixelsOf(const QImage& image, const QColor& colour, int tolerance = 40) {
    int found = 0;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
            const QColor pixel = image.pixelColor(x, y);
            const int distance =
                std::abs(pixel.red() - colour.red()) + std::abs(pixel.green() - colour.green()) + std::abs(pixel.blue() - colour.blue());
            if (distance < tolerance) ++found;
        }
    }
    return found;
}

class LossChartTest : public testing::Test {
protected:
    void show(const std::vector<double>& losses) {
        data.take(stepsWithLosses(losses));
        axis.setExtent(data.newestStep(), data.newestStep());
        chart.resize(700, 260);
        chart.show();
        ASSERT_TRUE(QTest::qWaitForWindowExposed(&chart));
        draw();
    }
    void draw() {
        chart.drawIfNeeded();
        chart.plot().replot(QCustomPlot::rpImmediateRefresh);
    }
    RunData data;
    StepAxis axis;
    LossChart chart{"loss", &data, &axis};
};

TEST_F(LossChartTest, OneNaNAmongManyStepsIsMarked) {
    std::vector<double> losses(100'000, 1.0);
    losses[76] = std::numeric_limits<double>::quiet_NaN();
    show(losses);
    EXPECT_EQ(chart.nonFiniteMarksDrawn(), 1);
    const Theme theme = Theme::current();
    EXPECT_GT(pixelsOf(chart.plot().toPixmap().toImage(), theme.error), 12);
    // N puts the cursor there.
    QTest::keyClick(&chart, Qt::Key_N);
    EXPECT_EQ(axis.cursor(), 77);
    EXPECT_TRUE(chart.readout().contains("NaN")) << chart.readout().toStdString();
}

TEST_F(LossChartTest, EveryMarkCountsWhereManyShareAPixel) {
    std::vector<double> losses(20'000, 1.0);
    for (std::size_t i = 5000; i < 5400; ++i) losses[i] = std::numeric_limits<double>::quiet_NaN();
    losses[9000] = std::numeric_limits<double>::infinity();
    show(losses);
    EXPECT_EQ(chart.nonFiniteMarksDrawn(), 401);
}

TEST_F(LossChartTest, ASpikeRightAfterANaNIsDrawn) {
    std::vector<double> losses(50'000, 1.0);
    losses[20'000] = std::numeric_limits<double>::quiet_NaN();
    losses[20'001] = 9.0;
    losses[20'002] = std::numeric_limits<double>::quiet_NaN();
    show(losses);
    EXPECT_GE(chart.plot().yAxis->range().upper, 9.0);
    bool drawn = false;
    for (const QCPGraphData& point : *chart.plot().graph(0)->data()) drawn = drawn || (point.key == 20'002 && point.value == 9.0);
    EXPECT_TRUE(drawn);
}

TEST_F(LossChartTest, ALogAxisSurvivesZeroNegativeAndInf) {
    show({2.0, 0.0, -1.0, std::numeric_limits<double>::infinity(), 0.5, 1.0});
    chart.setLogarithmic(true);
    draw();
    EXPECT_GT(chart.plot().yAxis->range().lower, 0);
    EXPECT_EQ(chart.nonFiniteMarksDrawn(), 1);
}

TEST_F(LossChartTest, AHiddenChartIsNotDrawn) {
    show(std::vector<double>(50, 1.0));
    chart.hide();
    const int before = chart.drawCount();
    RunBatch more = stepsWithLosses(std::vector<double>(60, 1.0));
    more.steps.erase(more.steps.begin(), more.steps.begin() + 50);
    data.take(more);
    chart.drawIfNeeded();
    EXPECT_EQ(chart.drawCount(), before);
    chart.show();
    chart.drawIfNeeded();
    EXPECT_EQ(chart.drawCount(), before + 1);
}

TEST_F(LossChartTest, ArrowsWalkOverStoredStepsOnly) {
    RunBatch batch = stepsWithLosses(std::vector<double>(30, 1.0));
    for (StepRow& row : batch.steps) row.step *= 10;
    data.take(batch);
    axis.setExtent(300, 300);
    chart.resize(600, 200);
    chart.show();
    ASSERT_TRUE(QTest::qWaitForWindowExposed(&chart));
    chart.drawIfNeeded();
    QTest::keyClick(&chart, Qt::Key_Left);
    EXPECT_EQ(axis.cursor(), 290);
    QTest::keyClick(&chart, Qt::Key_Left);
    QTest::keyClick(&chart, Qt::Key_Left);
    EXPECT_EQ(axis.cursor(), 270);
    QTest::keyClick(&chart, Qt::Key_Home);
    EXPECT_EQ(axis.cursor(), 10);
    QTest::keyClick(&chart, Qt::Key_End);
    EXPECT_FALSE(axis.cursor());
}

TEST(MapChart, AMissingMeasureIsAHatchAndNotAColour) {
    RunData data;
    RunBatch batch = stepsWithLosses(std::vector<double>(20, 1.0));
    batch.parameters = test::smolParameters();
    for (const std::int64_t step : {1, 10, 20}) {
        TensorRow row;
        row.step = step;
        for (const ParameterRow& info : *batch.parameters) {
            row.selected.push_back(static_cast<std::uint32_t>(info.size / 10));
            // One layer of the middle column was not measured.
            const bool missing = step == 10 && info.layer == 7;
            row.driftL2.push_back(missing ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(1e-3 * info.pretrainedL2));
        }
        batch.tensors.push_back(row);
    }
    data.take(batch);
    StepAxis axis;
    axis.setExtent(20, 20);
    MapRows rows(&data);
    MapChart chart("drift", MapMeasure::RelativeL2, &rows, &data, &axis);
    chart.resize(700, 400);
    chart.show();
    ASSERT_TRUE(QTest::qWaitForWindowExposed(&chart));
    chart.drawIfNeeded();
    chart.plot().replot(QCustomPlot::rpImmediateRefresh);
    EXPECT_TRUE(std::isnan(chart.valueAt(8, 10)));
    EXPECT_NEAR(chart.valueAt(9, 10), 1e-3, 1e-8);
    // In the middle of row L07 the paper shows between the lines of the hatch; in L08 a colour of the scale covers it.
    const QImage image = chart.plot().toPixmap().toImage();
    const QRect rect = chart.plot().axisRect()->rect();
    const double height = static_cast<double>(rect.height()) / static_cast<double>(rows.rows().size());
    const auto paper = [&](int row) {
        int found = 0;
        const int y = rect.top() + static_cast<int>((row + 0.5) * height), middle = rect.center().x();
        for (int x = middle - 40; x < middle + 40; ++x) found += image.pixelColor(x, y) == Theme::current().surface ? 1 : 0;
        return found;
    };
    EXPECT_GT(paper(8), 20);
    EXPECT_EQ(paper(9), 0);
}

}  // namespace
}  // namespace mofo
