// What every chart does: marks that are never thinned away, one cursor and one range for all, tables, files, legend.
#include <gtest/gtest.h>

#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QLabel>
#include <QTableView>
#include <QTest>
#include <QToolButton>
#include <limits>

#include "tests/ui/ui_test_support.h"
#include "ui/widgets/chart_colours.h"
#include "ui/widgets/chart_stack.h"
#include "ui/widgets/loss_chart.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/map_chart.h"
#include "ui/widgets/qcustomplot.h"
#include "ui/widgets/run_charts.h"
#include "ui/widgets/run_page.h"

namespace mofo {
namespace {

using test::RecordedRun;
using test::RecordedRunOptions;
using test::UiWorkspace;
using test::waitFor;

RunBatch stepsOf(std::int64_t count, const std::function<double(std::int64_t)>& loss, std::int64_t first = 1, bool superseded = false) {
    RunBatch batch;
    batch.steps.resize(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
        StepRow& row = batch.steps[static_cast<std::size_t>(i)];
        row.seq = row.step = first + i;
        row.loss = loss(row.step);
        row.lossState = std::isnan(row.loss) ? "nan" : std::isinf(row.loss) ? "inf" : "finite";
        row.superseded = superseded;
        row.tokens = 100;
        row.epoch = static_cast<double>(row.step) / 50;
        row.wallNs = 1'000'000'000'000 + row.step * 2'000'000'000;
        row.stepMs = 2000;
    }
    return batch;
}

class ChartTest : public testing::Test {
protected:
    void show(const RunBatch& batch) {
        data.take(batch);
        axis.setExtent(data.newestStep(), data.newestStep());
        chart.resize(760, 260);
        chart.show();
        ASSERT_TRUE(QTest::qWaitForWindowExposed(&chart));
        draw();
    }
    void draw() {
        chart.drawIfNeeded();
        chart.plot().replot(QCustomPlot::rpImmediateRefresh);
    }
    QString saved(const QString& name) {
        const QString path = QString::fromStdString((folder / name.toStdString()).string());
        bool done = false;
        QString problem;
        chart.saveCsv(path, [&](const QString& text) {
            done = true;
            problem = text;
        });
        EXPECT_TRUE(waitFor([&] { return done; }));
        EXPECT_TRUE(problem.isEmpty()) << problem.toStdString();
        QFile file(path);
        EXPECT_TRUE(file.open(QIODevice::ReadOnly));
        return QString::fromUtf8(file.readAll());
    }
    test::TemporaryFolder folder;
    RunData data;
    StepAxis axis;
    LossChart chart{"loss", &data, &axis};
};

TEST_F(ChartTest, ANaNAtStep77OfAMillionIsSeenCountedAndFound) {
    show(stepsOf(1'000'000, [](std::int64_t step) {
        return step == 77 ? std::numeric_limits<double>::quiet_NaN() : 1.0 + 1e-3 * static_cast<double>(step % 7);
    }));
    EXPECT_EQ(chart.nonFiniteMarksDrawn(), 1);
    bool counted = false;
    for (const LegendEntry& entry : chart.legend().entries()) counted = counted || entry.name == "1 NaN";
    EXPECT_TRUE(counted);
    const QImage image = chart.plot().toPixmap().toImage();
    int marked = 0;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
            // Nearly: where the cross falls between pixels its edges are mixed with the paper.
            const QColor pixel = image.pixelColor(x, y), error = Theme::current().error;
            marked += std::abs(pixel.red() - error.red()) + std::abs(pixel.green() - error.green()) + std::abs(pixel.blue() - error.blue()) < 150 ? 1 : 0;
        }
    }
    EXPECT_GT(marked, 8);
    QTest::keyClick(&chart, Qt::Key_N);
    EXPECT_EQ(axis.cursor(), 77);
}

TEST_F(ChartTest, ALogAxisMarksWhatItCannotShowAndTheFileKeepsIt) {
    show(stepsOf(6, [](std::int64_t step) {
        const double values[] = {2.0, 0.0, -1.0, std::numeric_limits<double>::infinity(), 0.5, std::numeric_limits<double>::quiet_NaN()};
        return values[step - 1];
    }));
    QTest::keyClick(&chart, Qt::Key_L);
    draw();
    EXPECT_TRUE(chart.isLogarithmic());
    EXPECT_EQ(chart.nonFiniteMarksDrawn(), 2);
    EXPECT_GE(chart.belowLogMarksDrawn(), 2);
    const QString text = saved("log.csv");
    EXPECT_TRUE(text.contains("\n2,0,0,")) << text.toStdString();
    EXPECT_TRUE(text.contains("\n3,0,-1,"));
    EXPECT_TRUE(text.contains("\n4,0,inf,nan"));
    EXPECT_TRUE(text.contains("\n6,0,nan,nan"));
}

TEST_F(ChartTest, TheFileHoldsEveryStoredPointAlsoWhatWasTakenBack) {
    RunBatch batch = stepsOf(60, [](std::int64_t step) { return 2.0 - 0.01 * static_cast<double>(step); });
    for (std::size_t i = 40; i < 60; ++i) batch.steps[i].superseded = true;
    const RunBatch again = stepsOf(
        30, [](std::int64_t step) { return 1.0 - 0.001 * static_cast<double>(step); }, 41);
    batch.steps.insert(batch.steps.end(), again.steps.begin(), again.steps.end());
    EvalRow eval;
    eval.step = 50;
    eval.loss = 1.5;
    batch.evals.push_back(eval);
    show(batch);
    const QString text = saved("taken.csv");
    const QStringList lines = text.split('\n', Qt::SkipEmptyParts);
    QStringList rows;
    for (const QString& line : lines) {
        if (!line.startsWith('#') && !line.startsWith("step")) rows << line;
    }
    EXPECT_EQ(rows.size(), 20 + 70);
    EXPECT_EQ(rows.filter(QRegularExpression("^\\d+,1,")).size(), 20);
    EXPECT_TRUE(text.contains("step,superseded,raw [nats/token],smoothed [nats/token],held out [nats/token]")) << text.left(600).toStdString();
    EXPECT_TRUE(text.contains("\n50,1,1.5,"));   // taken back: 2 - 0.5
    EXPECT_TRUE(text.contains("\n50,0,0.95,"));  // what counts
    EXPECT_TRUE(text.contains("superseded: 1 where"));
    // Only the shown range and the shown series.
    axis.setRange(10, 20);
    chart.setLineOn(1, false);
    const QString part = saved("part.csv");
    EXPECT_FALSE(part.contains("smoothed"));
    EXPECT_FALSE(part.contains("\n21,"));
    EXPECT_TRUE(part.contains("\n15,0,1.85"));
}

TEST_F(ChartTest, PicturesAreWrittenOnPaperAndTheScreenKeepsItsTheme) {
    show(stepsOf(40, [](std::int64_t step) { return 1.0 / static_cast<double>(step); }));
    for (const char* name : {"a.png", "a.svg", "a.pdf"}) {
        const QString path = QString::fromStdString((folder / name).string());
        EXPECT_EQ(chart.savePicture(path), QString());
        QFile file(path);
        ASSERT_TRUE(file.open(QIODevice::ReadOnly));
        const QByteArray head = file.read(400);
        EXPECT_GT(file.size(), 2000) << name;
        const QByteArray sign = QString(name).endsWith("svg") ? "<svg" : QString(name).endsWith("pdf") ? "%PDF" : "PNG";
        EXPECT_TRUE(head.contains(sign)) << name;
    }
    const QImage png(QString::fromStdString((folder / "a.png").string()));
    EXPECT_EQ(png.pixelColor(3, png.height() - 3), QColor(Qt::white));
    EXPECT_GT(png.width(), 2 * chart.plot().width());
    EXPECT_FALSE(chart.savePicture("/nonexistent/folder/a.png").isEmpty());
    EXPECT_FALSE(chart.savePicture(QString::fromStdString((folder / "a.bmp").string())).isEmpty());
    QTest::keyClick(&chart, Qt::Key_C);
    EXPECT_FALSE(QApplication::clipboard()->image().isNull());
}

TEST_F(ChartTest, TheLegendTogglesAndSolos) {
    show(stepsOf(40, [](std::int64_t) { return 1.0; }));
    ChartLegend& legend = chart.legend();
    const auto at = [&](int entry) { return QPoint(40, 6 + entry * (legend.fontMetrics().height() + 3) + 5); };
    QTest::mouseClick(&legend, Qt::LeftButton, {}, at(0));
    EXPECT_FALSE(chart.lines()[0].on);
    QTest::mouseClick(&legend, Qt::LeftButton, {}, at(0));
    EXPECT_TRUE(chart.lines()[0].on);
    QTest::mouseClick(&legend, Qt::LeftButton, Qt::AltModifier, at(1));
    EXPECT_FALSE(chart.lines()[0].on);
    EXPECT_TRUE(chart.lines()[1].on);
    EXPECT_FALSE(chart.lines()[2].on);
    QTest::mouseClick(&legend, Qt::LeftButton, Qt::AltModifier, at(1));
    EXPECT_TRUE(chart.lines()[0].on && chart.lines()[2].on);
    legend.setFocus();
    QTest::keyClick(&legend, Qt::Key_Up);
    QTest::keyClick(&legend, Qt::Key_Space);
    EXPECT_FALSE(chart.lines()[0].on);
}

TEST_F(ChartTest, TheValuesTableHoldsTheVisibleRange) {
    show(stepsOf(40, [](std::int64_t step) { return static_cast<double>(step); }));
    axis.setRange(10, 20);
    QTest::keyClick(&chart, Qt::Key_V);
    ASSERT_TRUE(chart.isTableVisible());
    auto* table = chart.findChild<QTableView*>("loss.values");
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(table->model()->rowCount(), 11);
    EXPECT_EQ(table->model()->index(0, 0).data().toString(), "10");
    EXPECT_EQ(table->model()->index(5, 1).data().toString(), "15.00");
    EXPECT_FALSE(chart.plot().isVisible());
    chart.setTableVisible(false);
    EXPECT_TRUE(chart.plot().isVisible());
}

TEST_F(ChartTest, TheMarkGivesDifferences) {
    show(stepsOf(40, [](std::int64_t step) { return static_cast<double>(step); }));
    axis.setPinned(10);
    QTest::keyClick(&chart, Qt::Key_A);
    EXPECT_EQ(axis.mark(), 10);
    axis.setPinned(25);
    const auto now = chart.readoutRows(25), marked = chart.readoutRows(*axis.mark());
    EXPECT_DOUBLE_EQ(now[0].value - marked[0].value, 15);
    QTest::keyClick(&chart, Qt::Key_A, Qt::ShiftModifier);
    EXPECT_FALSE(axis.mark());
}

TEST_F(ChartTest, TheAxisCountsEpochsTokensOrTime) {
    show(stepsOf(100, [](std::int64_t) { return 1.0; }));
    for (const StepUnit unit : {StepUnit::Epoch, StepUnit::Tokens, StepUnit::Time}) {
        axis.setUnit(unit, &data.series().scale(unit));
        axis.setRange(20, 60);
        draw();
        const double expected = unit == StepUnit::Epoch ? 0.4 : unit == StepUnit::Tokens ? 2000 : 40;
        EXPECT_NEAR(chart.plot().xAxis->range().lower, expected, 1e-6);
        EXPECT_NEAR(chart.plot().xAxis->range().upper, expected * 3, 1e-6);
    }
}

TEST_F(ChartTest, FlagsNearEachOtherMerge) {
    RunBatch batch = stepsOf(1000, [](std::int64_t) { return 1.0; });
    const auto event = [](std::int64_t step, const char* kind) {
        EventRow row;
        row.step = step;
        row.kind = kind;
        row.who = "engine";
        row.text = "checkpoint of step";
        return row;
    };
    batch.events = {event(100, "checkpoint"), event(104, "checkpoint"), event(108, "pause"), event(600, "guard"), event(800, "error")};
    show(batch);
    ASSERT_EQ(chart.drawnFlags().size(), 3u);
    EXPECT_EQ(chart.drawnFlags()[0].text, "3");
    EXPECT_EQ(chart.drawnFlags()[1].text, "!");
    EXPECT_EQ(chart.drawnFlags()[2].text, "X");
    axis.setPinned(1);
    QTest::keyClick(&chart, Qt::Key_E);
    EXPECT_EQ(axis.cursor(), 100);
    QTest::keyClick(&chart, Qt::Key_E, Qt::ShiftModifier);
    EXPECT_EQ(axis.cursor(), 100);
    axis.setRange(95, 115);
    draw();
    EXPECT_EQ(chart.drawnFlags().size(), 3u);  // apart by now
}

TEST(ChartColours, EverySeriesKeepsThreeToOneInBothThemes) {
    const auto luminance = [](const QColor& colour) {
        const auto channel = [](double c) { return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
        return 0.2126 * channel(colour.redF()) + 0.7152 * channel(colour.greenF()) + 0.0722 * channel(colour.blueF());
    };
    const auto contrast = [&](const QColor& a, const QColor& b) {
        const double x = luminance(a), y = luminance(b);
        return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
    };
    for (const Theme::Choice choice : {Theme::Choice::Light, Theme::Choice::Dark}) {
        Theme::apply(*qApp, choice);
        const Theme theme = Theme::current();
        for (int i = 0; i < 7; ++i) EXPECT_GE(contrast(seriesColour(theme, i), theme.surface), 3.0) << i << (theme.dark ? " dark" : " light");
    }
    Theme::apply(*qApp, Theme::Choice::Light);
    for (int i = 0; i < 7; ++i) EXPECT_GE(contrast(seriesColour(printTheme(), i), Qt::white), 3.0);
}

class LinkedCharts : public testing::Test {
protected:
    void open(const RecordedRunOptions& options, std::int64_t steps) {
        run.emplace(workspace.record(options, steps));
        window = std::make_unique<MainWindow>(workspace.folder(), nullptr);
        window->resize(1440, 1000);
        window->openRun(QString::fromStdString(run->id()));
        window->show();
        ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
        ASSERT_TRUE(waitFor([&] { return window->session().run().isComplete() && window->session().run().newestStep() == steps; }));
        page = window->findChild<RunPage*>("run");
        stack = window->findChild<ChartStack*>("run.charts");
        for (QAction* choice : stack->choices()) choice->setChecked(true);
        ASSERT_TRUE(waitFor([&] { return chart("run.loss")->drawCount() > 0; }));
    }
    ChartView* chart(const char* name) { return window->findChild<ChartView*>(name); }

    UiWorkspace workspace;
    std::optional<RecordedRun> run;
    std::unique_ptr<MainWindow> window;
    RunPage* page = nullptr;
    ChartStack* stack = nullptr;
};

TEST_F(LinkedCharts, LeftThreeTimesMovesEveryChartToTheSameStoredStep) {
    RecordedRunOptions options;
    options.statsEvery = 1;
    open(options, 60);
    page->axis().setPinned(55);
    chart("run.loss")->setFocus();
    for (int i = 0; i < 3; ++i) QTest::keyClick(chart("run.loss"), Qt::Key_Left);
    int shown = 0;
    for (ChartView* view : stack->charts()) {
        EXPECT_TRUE(view->readout().startsWith("step 52")) << view->objectName().toStdString() << ": " << view->readout().toStdString();
        ++shown;
    }
    EXPECT_GE(shown, 9);
    EXPECT_EQ(window->findChild<QLabel*>("run.step.heading")->text(), "At step 52");
    const RunData& data = window->session().run();
    const auto rows = chart("run.loss")->readoutRows(52);
    EXPECT_DOUBLE_EQ(rows[0].value, data.steps()[51].loss);
    EXPECT_DOUBLE_EQ(chart("run.gradient")->readoutRows(52)[0].value, data.steps()[51].gradNorm);
}

TEST_F(LinkedCharts, ZoomOnOneIsZoomOnAllAndPanEndsFollowing) {
    open({}, 120);
    ChartView* drift = chart("run.drift");
    drift->setFocus();
    page->axis().setPinned(60);
    QTest::keyClick(drift, Qt::Key_Plus);
    QTest::keyClick(drift, Qt::Key_Plus);
    ASSERT_TRUE(waitFor([&] { return drift->plot().xAxis->range().size() < 80; }));
    EXPECT_TRUE(chart("run.loss")->plot().xAxis->range() == drift->plot().xAxis->range());
    page->axis().fit();
    page->axis().setRange(80, 121);
    EXPECT_TRUE(page->axis().isFollowing());
    page->axis().pan(-30);
    EXPECT_FALSE(page->axis().isFollowing());
    QTest::keyClick(chart("run.loss"), Qt::Key_F);
    EXPECT_TRUE(page->axis().isFollowing());
    ASSERT_OK(run->advance(30));
    ASSERT_TRUE(waitFor([&] { return window->session().run().newestStep() == 150; }));
    ASSERT_TRUE(waitFor([&] { return page->axis().upper() >= 150; }));
}

TEST_F(LinkedCharts, TheDarkThemeReachesEveryChartWhileStepsArrive) {
    open({}, 60);
    Theme::apply(*qApp, Theme::Choice::Dark);
    ASSERT_OK(run->advance(20));
    ASSERT_TRUE(waitFor([&] { return window->session().run().newestStep() == 80; }));
    test::spin(100);
    const Theme dark = Theme::current();
    ASSERT_TRUE(dark.dark);
    for (ChartView* view : stack->charts()) {
        const QImage image = view->plot().toPixmap().toImage();
        EXPECT_EQ(image.pixelColor(image.width() - 2, 2), dark.surface) << view->objectName().toStdString();
    }
    const RunData& data = window->session().run();
    for (std::size_t i = 0; i < data.steps().size(); ++i) ASSERT_EQ(data.steps()[i].step, static_cast<std::int64_t>(i) + 1);
    Theme::apply(*qApp, Theme::Choice::Light);
}

TEST_F(LinkedCharts, OneChartFillsThePageAndGivesItBack) {
    open({}, 40);
    chart("run.drift")->setFocus();
    QTest::keyClick(window.get(), Qt::Key_F11);
    EXPECT_TRUE(chart("run.drift")->isVisible());
    EXPECT_FALSE(chart("run.loss")->isVisible());
    EXPECT_FALSE(window->findChild<QWidget*>("run.tables")->isVisible());
    QTest::keyClick(window.get(), Qt::Key_F11);
    EXPECT_TRUE(chart("run.loss")->isVisible());
    EXPECT_TRUE(window->findChild<QWidget*>("run.tables")->isVisible());
}

}  // namespace
}  // namespace mofo
