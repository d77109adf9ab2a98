// Page Run as a whole: tabs, names from files, a locked store, every chart before and after its first data.
#include "ui/widgets/run_page.h"

#include <gtest/gtest.h>

#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QRegularExpression>
#include <QTableView>
#include <QTest>
#include <fstream>
#include <thread>

#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/ui/ui_test_support.h"
#include "ui/widgets/chart_stack.h"
#include "ui/widgets/line_chart.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/run_tables.h"
#include "ui/widgets/small_widgets.h"

namespace mofo {
namespace {

using test::RecordedRun;
using test::RecordedRunOptions;
using test::UiWorkspace;
using test::waitFor;

class PageTest : public testing::Test {
protected:
    void open(const RecordedRunOptions& options, std::int64_t steps) {
        run.emplace(workspace.record(options, steps));
        window = std::make_unique<MainWindow>(workspace.folder(), nullptr);
        window->resize(1440, 900);
        window->openRun(QString::fromStdString(run->id()));
        window->show();
        ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
        ASSERT_TRUE(waitFor([&] { return window->session().run().newestStep() == steps && window->session().run().isComplete(); }));
        tables = window->findChild<RunTables*>("run.tables");
    }
    UiWorkspace workspace;
    std::optional<RecordedRun> run;
    std::unique_ptr<MainWindow> window;
    RunTables* tables = nullptr;
};

TEST_F(PageTest, NamesFromFilesAreShownAsPlainEscapedText) {
    RecordedRunOptions options;
    options.name = std::string("<b>x</b>\x1b[31m\xe2\x80\xae") + "txt";
    open(options, 12);
    auto* name = window->findChild<ElidedLabel*>("run.name");
    EXPECT_TRUE(name->fullText().startsWith("<b>x</b>")) << name->fullText().toStdString();
    EXPECT_FALSE(name->fullText().contains(QChar(0x1b)));
    EXPECT_FALSE(name->fullText().contains(QChar(0x202e)));
    EXPECT_EQ(name->textFormat(), Qt::PlainText);
    EXPECT_FALSE(window->windowTitle().contains(QChar(0x202e)));
}

// Story 57
TEST_F(PageTest, AWriterThatHoldsTheLockNeverStopsTheWindow) {
    open({}, 30);
    auto* age = window->findChild<QLabel*>("main.status.age");
    ASSERT_TRUE(waitFor([&] { return !age->text().isEmpty(); })) << "of a run that goes on";
    const auto ageSeconds = [&] {
        static const QRegularExpression number("(\\d+) s");
        return number.match(age->text()).captured(1).toInt();
    };
    // The registry is locked by somebody else; a change is asked for meanwhile.
    SQLite::Database other(workspace.workspace().registryFile().string(), SQLite::OPEN_READWRITE);
    other.exec("BEGIN EXCLUSIVE");
    QElapsedTimer clock;
    clock.start();
    window->session().tuning().stage("alpha", "0.05");
    window->session().tuning().apply();
    qint64 longest = 0;
    QElapsedTimer total;
    total.start();
    int largestAge = 0, turns = 0;
    while (total.elapsed() < 10'000) {
        clock.restart();
        // The window is used meanwhile.
        if (++turns % 200 == 0) window->showPage(turns % 400 == 0 ? MainWindow::RunIndex : MainWindow::RunsIndex);
        largestAge = std::max(largestAge, ageSeconds());
        QApplication::processEvents(QEventLoop::AllEvents, 5);
        longest = std::max(longest, clock.elapsed());
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    // The limit is 100 ms; whoever waits for a lock here waits 250 ms at least.
    EXPECT_LT(longest, 240);
    std::printf("[ measured ] longest turn of the event loop while the store was locked: %lld ms\n", static_cast<long long>(longest));
    EXPECT_GE(largestAge, 8) << "the age of the newest news grows";
    other.exec("ROLLBACK");
    window->showPage(MainWindow::RunIndex);
    // What was asked for arrives, or is staged again with the reason.
    ASSERT_TRUE(waitFor([&] { return !workspace.commands(run->id()).empty() || !window->session().tuning().sendProblem().isEmpty(); }, 15'000));
    ASSERT_OK(run->advance(5, false));
    EXPECT_TRUE(waitFor([&] { return window->session().run().newestStep() == 35; }));
    EXPECT_TRUE(waitFor([&] { return ageSeconds() <= 2; })) << age->text().toStdString();
}

TEST_F(PageTest, EveryTabShowsWhatTheStoreHas) {
    RecordedRunOptions options;
    options.machine = options.probes = true;
    options.evalEvery = 20;
    open(options, 60);
    EXPECT_EQ(tables->tabText(RunTables::Tensors), "&3 Tensors 272");
    tables->setCurrentIndex(RunTables::Probes);
    auto* probes = window->findChild<QTableView*>("run.probesTable");
    ASSERT_TRUE(waitFor([&] { return probes->model()->rowCount() == 2; }));
    EXPECT_EQ(probes->model()->index(0, 0).data().toString(), "general-qa");
    EXPECT_EQ(probes->model()->index(0, 8).data().toString(), "60");
    auto* chart = window->findChild<LineChart*>("run.probes");
    EXPECT_EQ(chart->lines().size(), 2u);
    EXPECT_DOUBLE_EQ(chart->lines()[0].values()->value(0), 0.0);  // the first is the base
    tables->setCurrentIndex(RunTables::Machine);
    auto* load = window->findChild<LineChart*>("run.load");
    ASSERT_TRUE(waitFor([&] { return load->drawCount() > 0; }));
    EXPECT_EQ(load->lines()[0].values()->size(), window->session().run().machine().size());
    EXPECT_GE(load->lines()[0].values()->size(), 14u);
    tables->setCurrentIndex(RunTables::Tensors);
    window->findChild<QLineEdit*>("run.tensorsFind")->setText("layers.7.self_attn");
    EXPECT_EQ(window->findChild<QTableView*>("run.tensors")->model()->rowCount(), 4);
    tables->setCurrentIndex(RunTables::Config);
    window->findChild<QLineEdit*>("run.configFind")->setText("granularity");
    EXPECT_GE(window->findChild<QTableView*>("run.config")->model()->rowCount(), 1);
}

TEST_F(PageTest, TheLogIsFollowedAndFiltered) {
    open({}, 12);
    const std::filesystem::path file = workspace.workspace().runFolder(run->id()) / "engine.log";
    std::ofstream(file) << "loading weights\nwarning: slow disk\nstep 1\n";
    tables->setCurrentIndex(RunTables::Log);
    auto* log = window->findChild<QListView*>("run.log");
    ASSERT_TRUE(waitFor([&] { return log->model()->rowCount() == 3; }));
    std::ofstream(file, std::ios::app) << "error: \x1b[31mred\n";
    ASSERT_TRUE(waitFor([&] { return log->model()->rowCount() == 4; }));
    EXPECT_FALSE(log->model()->index(3, 0).data().toString().contains(QChar(0x1b)));
    window->findChild<QLineEdit*>("run.logFind")->setText("disk");
    EXPECT_EQ(log->model()->rowCount(), 1);
}

TEST_F(PageTest, EveryChartSurvivesAnEmptyRun) {
    Result<RecordedRun> made = RecordedRun::create(workspace.workspace(), {});
    ASSERT_OK(made);
    run.emplace(std::move(made).value());
    ASSERT_OK(run->begin());
    window = std::make_unique<MainWindow>(workspace.folder(), nullptr);
    window->openRun(QString::fromStdString(run->id()));
    window->show();
    auto* stack = window->findChild<ChartStack*>("run.charts");
    for (QAction* choice : stack->choices()) choice->setChecked(true);
    test::spin(300);
    ASSERT_OK(run->advance(1));
    ASSERT_TRUE(waitFor([&] { return window->session().run().newestStep() == 1; }));
    for (ChartView* chart : stack->charts()) {
        ASSERT_TRUE(waitFor([&] { return chart->drawCount() > 0; })) << chart->objectName().toStdString();
        EXPECT_FALSE(chart->readout().isEmpty());
    }
}

}  // namespace
}  // namespace mofo
