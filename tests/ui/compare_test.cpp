// Page Compare: series of several runs over one axis, chips, means of seeds, readers per run, files.
#include <gtest/gtest.h>

#include <QCheckBox>
#include <QComboBox>
#include <QFile>
#include <QLineEdit>
#include <QListWidget>
#include <QTabWidget>
#include <QTest>
#include <cmath>
#include <limits>

#include "tests/ui/ui_test_support.h"
#include "ui/controllers/store_worker.h"
#include "ui/widgets/compare_page.h"
#include "ui/widgets/overlay_chart.h"
#include "ui/widgets/qcustomplot.h"
#include "ui/widgets/run_chips.h"

namespace mofo {
namespace {

using test::RecordedRun;
using test::RecordedRunOptions;
using test::UiWorkspace;
using test::waitFor;

constexpr int patience = 20'000;

StepRow stepRow(std::int64_t step, double loss, bool superseded = false) {
    StepRow row;
    row.seq = row.step = step;
    row.loss = loss;
    row.lossState = std::isnan(loss) ? "nan" : std::isinf(loss) ? "inf" : "finite";
    row.tokens = 100;
    row.epoch = static_cast<double>(step) / 8;
    row.stepMs = 500;
    row.wallNs = 1'000'000'000 + step * 2'000'000'000;  // a pause of 1.5 s between steps
    row.superseded = superseded;
    return row;
}

std::vector<ComparedPoint> lossPoints(CompareX x, std::int64_t first = 1) {
    ComparedExtract extract({"loss"}, x);
    std::vector<StepRow> rows;
    for (std::int64_t step = first; step < first + 4; ++step) rows.push_back(stepRow(step, 1.0 / static_cast<double>(step)));
    extract.takeSteps(rows);
    return extract.take()[0].points;
}

TEST(ComparedExtract, PutsStepsWhereTheChosenUnitHasThem) {
    EXPECT_EQ(lossPoints({CompareUnit::Step})[3].at, 4);
    EXPECT_EQ(lossPoints({CompareUnit::Tokens})[3].at, 400);
    EXPECT_EQ(lossPoints({CompareUnit::Epoch})[3].at * resolutionOf(CompareUnit::Epoch), 0.5);
    EXPECT_EQ(lossPoints({CompareUnit::TrainingTime})[3].at * resolutionOf(CompareUnit::TrainingTime), 2.0);
    EXPECT_EQ(lossPoints({CompareUnit::WallTime})[3].at * resolutionOf(CompareUnit::WallTime), 6.5) << "pauses count";
}

TEST(ComparedExtract, ABranchCanBeginAtItsOwnStart) {
    EXPECT_EQ(lossPoints({CompareUnit::Step}, 101)[0].at, 101);
    EXPECT_EQ(lossPoints({CompareUnit::Step, true}, 101)[0].at, 1);
    EXPECT_DOUBLE_EQ(lossPoints({CompareUnit::Epoch, true}, 101)[0].at * resolutionOf(CompareUnit::Epoch), 0.125);
}

TEST(ComparedExtract, KeepsWhatWasTakenBackApart) {
    ComparedExtract extract({"loss"}, {});
    extract.takeSteps({stepRow(1, 3), stepRow(2, 2.5, true), stepRow(3, 2.4, true), stepRow(2, 2), stepRow(3, 1)});
    const std::vector<ComparedPart> parts = extract.take();
    ASSERT_EQ(parts[0].points.size(), 3u);
    EXPECT_EQ(parts[0].points[1].value, 2);
    ASSERT_EQ(parts[0].taken.size(), 1u);
    ASSERT_EQ(parts[0].taken[0].size(), 2u);
    EXPECT_EQ(parts[0].taken[0][1].value, 2.4);
}

TEST(ComparedExtract, ALossThatIsNoNumberIsKeptAndAMissingNormIsAbsent) {
    ComparedExtract extract({"loss", "grad_top"}, {});
    extract.takeSteps({stepRow(1, std::numeric_limits<double>::quiet_NaN()), stepRow(2, std::numeric_limits<double>::infinity())});
    const std::vector<ComparedPart> parts = extract.take();
    ASSERT_EQ(parts[0].points.size(), 2u);
    EXPECT_TRUE(std::isnan(parts[0].points[0].value));
    EXPECT_TRUE(std::isinf(parts[0].points[1].value));
    EXPECT_TRUE(parts[1].points.empty());
}

ComparedBatch batchOf(const char* id, std::vector<std::pair<double, double>> points) {
    ComparedBatch batch;
    batch.runId = id;
    batch.complete = true;
    batch.parts.resize(1);
    const double none = std::numeric_limits<double>::quiet_NaN();
    for (const auto& [step, value] : points) batch.parts[0].points.push_back({step, step, value, none, none});
    return batch;
}

RunRow listed(const char* id, std::int64_t seed, double alpha = 0.15) {
    RunRow row;
    row.id = id;
    row.name = id;
    row.modelId = "m";
    row.config.seed = static_cast<decltype(row.config.seed)>(seed);
    row.config.lr = alpha;
    row.state = RunState::Finished;
    return row;
}

class ComparedRunsTest : public testing::Test {
protected:
    void SetUp() override {
        runs.setWanted({"loss"}, {});
        runs.setRuns({"a", "b", "c"});
        runs.takeList({&a, &b, &c});
    }
    RunRow a = listed("a", 1), b = listed("b", 2), c = listed("c", 1, 0.05);
    ComparedRuns runs;
};

TEST_F(ComparedRunsTest, RunsOfEqualConfigButTheSeedAreDrawnAsMeanWithLeastAndGreatest) {
    runs.take(batchOf("a", {{1, 4}, {2, 2}, {3, 1}}));
    runs.take(batchOf("b", {{1, 2}, {3, 3}}));
    runs.take(batchOf("c", {{1, 9}}));
    ASSERT_TRUE(runs.hasTwins());
    EXPECT_EQ(runs.curves(0).size(), 3u);
    runs.setMeans(true);
    const std::vector<ComparedCurve> curves = runs.curves(0);
    ASSERT_EQ(curves.size(), 2u);
    EXPECT_EQ(curves[0].letters, "A B");
    const ComparedLine& mean = *curves[0].line;
    ASSERT_EQ(mean.values.size(), 2u) << "the steps that both have";
    EXPECT_EQ(mean.values.key(1), 3);
    EXPECT_EQ(mean.values.value(0), 3);
    EXPECT_EQ(mean.low.value(0), 2);
    EXPECT_EQ(mean.high.value(0), 4);
    EXPECT_EQ(mean.values.value(1), 2);
    EXPECT_EQ(curves[1].letters, "C");
}

TEST_F(ComparedRunsTest, ASmoothedMeanLiesWithinTheBandOfSmoothedMembers) {
    runs.setSmoothing(0, 0.5);
    runs.setMeans(true);
    runs.take(batchOf("a", {{1, 4}, {2, 1}}));
    runs.take(batchOf("b", {{1, 2}, {2, 0}}));
    const ComparedLine& mean = *runs.curves(0)[0].line;
    ASSERT_EQ(mean.smooth.size(), 2u);
    // By hand: a goes 4, (2 / 2 + 1 / 2) / 0.75 = 2; b goes 2, (1 / 2) / 0.75.
    EXPECT_DOUBLE_EQ(mean.smoothHigh.value(1), 2);
    EXPECT_DOUBLE_EQ(mean.smoothLow.value(1), 0.5 / 0.75);
    EXPECT_DOUBLE_EQ(mean.smooth.value(1), (2 + 0.5 / 0.75) / 2);
    EXPECT_DOUBLE_EQ(mean.high.value(1), 1) << "stored ones stay for table and file";
}

TEST_F(ComparedRunsTest, ARunKeepsItsColourWhenOthersGoAndCome) {
    runs.remove("a");
    EXPECT_EQ(runs.runs()[0].slot, 1);
    runs.add("d");
    EXPECT_EQ(runs.runs()[2].slot, 0) << "the free one";
    runs.move("d", 0);
    EXPECT_EQ(runs.ids(), (QStringList{"d", "b", "c"}));
    EXPECT_EQ(runs.runs()[0].slot, 0);
}

TEST_F(ComparedRunsTest, NoMoreThanTwelveAreTaken) {
    QStringList many;
    for (int i = 0; i < 15; ++i) many << QStringLiteral("r%1").arg(i);
    runs.setRuns(many);
    EXPECT_EQ(runs.runs().size(), ComparedRuns::most);
    runs.add("another");
    EXPECT_FALSE(runs.ids().contains("another"));
}

TEST_F(ComparedRunsTest, SmoothingIsDebiasedAndKeepsWhatIsNoNumber) {
    runs.setSmoothing(0, 0.5);
    runs.take(batchOf("a", {{1, 4}, {2, std::numeric_limits<double>::quiet_NaN()}, {3, 1}}));
    const ComparedLine& line = *runs.curves(0)[0].line;
    EXPECT_EQ(line.smooth.value(0), 4);
    EXPECT_TRUE(std::isnan(line.smooth.value(1)));
    EXPECT_DOUBLE_EQ(line.smooth.value(2), (0.5 * 2 + 0.5) / 0.75);
    EXPECT_EQ(line.values.value(2), 1) << "stored values stay";
}

TEST_F(ComparedRunsTest, AResetForgetsWhatWasReadBefore) {
    runs.take(batchOf("a", {{1, 4}, {2, 2}}));
    ComparedBatch again = batchOf("a", {{1, 4}});
    again.reset = true;
    runs.take(again);
    EXPECT_EQ(runs.curves(0)[0].line->values.size(), 1u);
}

class ComparePageTest : public testing::Test {
protected:
    void open(const QStringList& ids) {
        session.emplace(workspace.folder());
        worker.emplace(workspace.folder());
        page.emplace(&*session, &*worker);
        session->start();
        ASSERT_TRUE(waitFor([&] { return session->isListRead(); }, patience));
        page->resize(1000, 640);
        page->show();
        ASSERT_TRUE(QTest::qWaitForWindowExposed(&*page));
        page->compare(ids);
        ASSERT_TRUE(waitFor([&] { return allRead(); }, patience));
        page->refresh();
    }
    bool allRead() {
        const auto& runs = page->runs().runs();
        return std::all_of(runs.begin(), runs.end(), [](const ComparedRuns::Run& run) { return run.complete; });
    }
    RecordedRun recorded(const char* name, std::uint64_t seed, std::int64_t steps = 40) {
        RecordedRunOptions options;
        options.name = name;
        options.seed = seed;
        options.totalSteps = 60;
        return workspace.record(options, steps);
    }
    const ComparedLine& line(std::size_t chart, std::size_t curve) {
        curves = page->runs().curves(chart);
        return *curves[curve].line;
    }
    RunChip* chip(int place) { return page->findChild<RunChip*>(QStringLiteral("compare.chip%1").arg(place)); }
    static QString q(const RecordedRun& run) { return QString::fromStdString(run.id()); }

    UiWorkspace workspace;
    std::optional<WorkspaceSession> session;
    std::optional<StoreWorker> worker;
    std::optional<ComparePage> page;
    std::vector<ComparedCurve> curves;
};

TEST_F(ComparePageTest, WithoutRunsItSaysHowToChooseThemAndAddsOne) {
    const RecordedRun run = recorded("one", 1);
    open({});
    auto* add = page->findChild<QWidget*>("compare.addFirst");
    ASSERT_TRUE(add->isVisible());
    QTest::mouseClick(add, Qt::LeftButton);
    auto* list = page->findChild<QListWidget*>("compare.chooser.list");
    ASSERT_EQ(list->count(), 1);
    QTest::keyClick(page->findChild<QLineEdit*>("compare.chooser.find"), Qt::Key_Return);
    EXPECT_EQ(page->runs().ids(), QStringList{q(run)});
    EXPECT_FALSE(add->isVisible());
    ASSERT_TRUE(waitFor([&] { return allRead(); }, patience));
    EXPECT_EQ(line(0, 0).values.size(), 40u);
}

TEST_F(ComparePageTest, DrawsStoredValuesOfEachRunAndFollowsTheLiveOne) {
    RecordedRun live = recorded("live", 1, 20);
    RecordedRun done = recorded("done", 2);
    ASSERT_TRUE(done.end(RunState::Finished, "").ok());
    open({q(live), q(done)});
    auto reader = MetricsReader::open(workspace.workspace().metricsFile(done.id()));
    ASSERT_TRUE(reader.ok());
    const std::vector<StepRow> stored = reader->stepsAfter(0).value();
    ASSERT_EQ(line(0, 1).values.size(), stored.size());
    for (std::size_t i = 0; i < stored.size(); ++i) EXPECT_EQ(line(0, 1).values.value(i), stored[i].loss);
    EXPECT_GT(line(1, 1).values.size(), 2u) << "drift at the measured steps";
    EXPECT_EQ(line(0, 0).values.size(), 20u);
    ASSERT_TRUE(live.advance(5, false).ok());
    EXPECT_TRUE(waitFor([&] { return line(0, 0).values.size() == 25; }, patience));
}

TEST_F(ComparePageTest, ARewindReplacesTheLineAndKeepsWhatWasTakenBack) {
    RecordedRun run = recorded("one", 1, 20);
    open({q(run)});
    ASSERT_TRUE(run.rewind(10).ok());
    ASSERT_TRUE(waitFor([&] { return line(0, 0).values.size() == 10; }, patience));
    ASSERT_EQ(line(0, 0).taken.size(), 1u);
    EXPECT_EQ(line(0, 0).taken[0].size(), 10u);
}

TEST_F(ComparePageTest, KeysOfAChipRemoveItAndSetThePair) {
    const RecordedRun a = recorded("a", 1), b = recorded("b", 2), c = recorded("c", 3);
    open({q(a), q(b), q(c)});
    QTest::keyClick(chip(2), Qt::Key_A);
    ASSERT_TRUE(waitFor([&] { return page->runs().ids() == QStringList{q(c), q(a), q(b)}; }, patience));
    EXPECT_TRUE(chip(0)->accessibleName().contains("baseline"));
    QTest::keyClick(chip(2), Qt::Key_B);
    ASSERT_TRUE(waitFor([&] { return page->runs().ids() == QStringList{q(c), q(b), q(a)}; }, patience));
    QTest::keyClick(chip(1), Qt::Key_Delete);
    ASSERT_TRUE(waitFor([&] { return page->runs().ids() == QStringList{q(c), q(a)}; }, patience));
    ASSERT_TRUE(waitFor([&] { return page->model().runs().size() == 2; }, patience));
    EXPECT_EQ(page->model().runs()[0].id, q(c)) << "the configurations follow";
}

TEST_F(ComparePageTest, AChipHidesItsRunInAllChartsAndTheLegendToo) {
    const RecordedRun a = recorded("a", 1), b = recorded("b", 2);
    open({q(a), q(b)});
    QTest::keyClick(chip(1), Qt::Key_Space);
    for (const OverlayChart* chart : page->charts()) EXPECT_FALSE(chart->lines()[1].on);
    EXPECT_EQ(page->charts()[0]->readoutRows(10).size(), 1u);
    Q_EMIT page->charts()[0]->legend().toggled(1);
    EXPECT_TRUE(chip(1)->isChecked());
    EXPECT_TRUE(page->charts()[1]->lines()[1].on);
}

TEST_F(ComparePageTest, AnyStoredSeriesCanBeChosenAlsoThoseOfSomeRunsOnly) {
    RecordedRunOptions options;
    options.probes = true;
    options.evalEvery = 10;
    const RecordedRun with = workspace.record(options, 40);
    const RecordedRun without = recorded("without", 2);
    open({q(with), q(without)});
    auto* choice = page->findChild<QComboBox*>("compare.overlay0.series");
    int probe = -1;
    for (int i = 0; i < choice->count(); ++i) {
        if (choice->itemData(i).toString().startsWith("probe:")) probe = i;
    }
    ASSERT_GE(probe, 0);
    choice->setCurrentIndex(probe);
    Q_EMIT choice->activated(probe);
    ASSERT_TRUE(waitFor([&] { return line(0, 0).values.size() >= 4; }, patience));
    EXPECT_EQ(line(0, 0).low.size(), line(0, 0).values.size()) << "with its interval";
    ASSERT_TRUE(waitFor([&] { return allRead(); }, patience));
    EXPECT_TRUE(line(0, 1).values.empty());
    const int kind = choice->findData("drift:q");
    ASSERT_GE(kind, 0);
    Q_EMIT choice->activated(kind);
    EXPECT_TRUE(waitFor([&] { return !line(0, 1).values.empty(); }, patience));
}

TEST_F(ComparePageTest, TheAxisCanCountTimeAndTheFileSaysSo) {
    const RecordedRun a = recorded("a", 1), b = recorded("b", 2);
    open({q(a), q(b)});
    auto* unit = page->findChild<QComboBox*>("compare.xUnit");
    unit->setCurrentIndex(static_cast<int>(CompareUnit::TrainingTime));
    Q_EMIT unit->activated(unit->currentIndex());
    ASSERT_TRUE(waitFor([&] { return allRead() && line(0, 1).values.size() == 40; }, patience));
    page->refresh();
    EXPECT_FALSE(page->findChild<QComboBox*>("compare.align")->isEnabled());
    test::TemporaryFolder folder;
    const QString path = QString::fromStdString((folder / "overlay.csv").string());
    bool done = false;
    page->charts()[0]->saveCsv(path, [&](const QString& problem) {
        EXPECT_EQ(problem, QString());
        done = true;
    });
    ASSERT_TRUE(waitFor([&] { return done; }, patience));
    QFile file(path);
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    const QString text = QString::fromUtf8(file.readAll());
    EXPECT_TRUE(text.contains("# run A: " + q(a)));
    EXPECT_TRUE(text.contains("# run B: " + q(b)));
    EXPECT_TRUE(text.contains("\ntraining_seconds,superseded,A a [nats/token]")) << text.left(600).toStdString();
    // 40 steps of 0.25 s: every line of the file lies within them.
    const QStringList last = text.trimmed().split('\n').last().split(',');
    EXPECT_NEAR(last[0].toDouble(), 10.0, 0.3);
}

TEST_F(ComparePageTest, ArrowsWalkLoggedStepsAndOneCursorServesBothCharts) {
    const RecordedRun a = recorded("a", 1), b = recorded("b", 2);
    open({q(a), q(b)});
    QTest::keyClick(page->charts()[0], Qt::Key_Home);
    EXPECT_EQ(page->axis().cursor(), 1);
    QTest::keyClick(page->charts()[0], Qt::Key_Right);
    EXPECT_EQ(page->axis().cursor(), 2);
    EXPECT_TRUE(page->charts()[1]->readout().startsWith("step")) << page->charts()[1]->readout().toStdString();
}

TEST_F(ComparePageTest, ANaNOfOneRunIsMarkedAndFound) {
    RecordedRunOptions options;
    options.name = "broken";
    options.nanSteps = {17};
    const RecordedRun broken = workspace.record(options, 20);
    const RecordedRun whole = recorded("whole", 2);
    open({q(whole), q(broken)});
    page->charts()[0]->plot().replot(QCustomPlot::rpImmediateRefresh);
    EXPECT_EQ(page->charts()[0]->nonFiniteMarksDrawn(), 1);
    QTest::keyClick(page->charts()[0], Qt::Key_N);
    EXPECT_EQ(page->axis().cursor(), 17);
}

TEST_F(ComparePageTest, TwinsOfOneConfigOfferTheirMean) {
    const RecordedRun a = recorded("twin", 1), b = recorded("twin", 2);
    open({q(a), q(b)});
    auto* means = page->findChild<QCheckBox*>("compare.means");
    ASSERT_TRUE(means->isVisible());
    means->setChecked(true);
    ASSERT_EQ(page->charts()[0]->lines().size(), 1u);
    EXPECT_EQ(page->charts()[0]->lines()[0].endLabel, "A B");
}

TEST_F(ComparePageTest, NumberKeysChangeTabsAndF11ShowsOneChartAlone) {
    const RecordedRun a = recorded("a", 1), b = recorded("b", 2);
    open({q(a), q(b)});
    auto* tabs = page->findChild<QTabWidget*>("compare.tabs");
    QTest::keyClick(page->charts()[1], Qt::Key_F11);
    EXPECT_FALSE(page->charts()[0]->isVisible());
    QTest::keyClick(page->charts()[1], Qt::Key_F11);
    EXPECT_TRUE(page->charts()[0]->isVisible());
    QTest::keyClick(page->charts()[0], Qt::Key_2);
    EXPECT_EQ(tabs->currentIndex(), 1);
    QTest::keyClick(tabs, Qt::Key_1);
    EXPECT_EQ(tabs->currentIndex(), 0);
}

TEST_F(ComparePageTest, ReadersStopWhileNobodyLooks) {
    const RecordedRun a = recorded("a", 1);
    open({q(a)});
    auto* follower = page->findChild<CompareFollower*>();
    EXPECT_EQ(follower->threadCount(), 1u);
    page->hide();
    EXPECT_EQ(follower->threadCount(), 0u);
    page->show();
    EXPECT_EQ(follower->threadCount(), 1u);
}

}  // namespace
}  // namespace mofo
