// The window as a whole: it opens on a run before its first step, attaches to long ones, and only reads.
#include <gtest/gtest.h>

#include <QAccessible>
#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QProcess>
#include <QProgressBar>
#include <QTest>
#include <QTreeView>
#include <csignal>

#include "core/base/hash.h"
#include "tests/ui/ui_test_support.h"
#include "ui/widgets/chart_view.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/run_page.h"

namespace mofo {
namespace {

using test::RecordedRun;
using test::RecordedRunOptions;
using test::UiWorkspace;
using test::waitFor;

TEST(Window, OpensOnARunBeforeItsFirstStep) {
    UiWorkspace workspace;
    Result<RecordedRun> run = RecordedRun::create(workspace.workspace(), {});
    ASSERT_OK(run);
    MainWindow window(workspace.folder(), nullptr);
    window.openRun(QString::fromStdString(run->id().substr(0, 6)));
    window.show();
    auto* text = window.findChild<QLabel*>("run.starting.text");
    ASSERT_TRUE(waitFor([&] { return text->text().contains("has not reported"); })) << text->text().toStdString();
    ASSERT_OK(run->writePhase("load", 0.4, "model.safetensors"));
    ASSERT_TRUE(waitFor([&] { return text->text().contains("load weights"); })) << text->text().toStdString();
    EXPECT_TRUE(text->isVisible());
    EXPECT_NEAR(window.findChild<QProgressBar*>("run.starting.progress")->value(), 400, 1);
    ASSERT_OK(run->begin());
    ASSERT_OK(run->advance(1));
    auto* loss = window.findChild<ChartView*>("run.loss");
    ASSERT_TRUE(waitFor([&] { return loss->isVisible(); }));
    EXPECT_FALSE(text->isVisible());
    EXPECT_TRUE(window.windowTitle().startsWith("maths-a15, step 1 of 200")) << window.windowTitle().toStdString();
}

TEST(Window, AStepIsOnScreenSoonAfterItsCommit) {
    UiWorkspace workspace;
    RecordedRun run = workspace.record({}, 5);
    MainWindow window(workspace.folder(), nullptr);
    window.openRun(QString::fromStdString(run.id()));
    window.show();
    auto* heading = window.findChild<QLabel*>("run.step.heading");
    ASSERT_TRUE(waitFor([&] { return heading->text().contains("5"); }));
    QElapsedTimer clock;
    clock.start();
    ASSERT_OK(run.advance(1));
    ASSERT_TRUE(waitFor([&] { return heading->text().contains("6"); }));
    EXPECT_LT(clock.elapsed(), 10'000);  // 300 ms on an idle machine
}

TEST(Window, AttachesToARunOfTenThousandSteps) {
    UiWorkspace workspace;
    RecordedRunOptions options;
    options.totalSteps = 10'000;
    options.statsEvery = 10;
    options.evalEvery = 500;
    RecordedRun run = workspace.record(options, 10'000);
    ASSERT_OK(run.end(RunState::Finished, ""));
    MainWindow window(workspace.folder(), nullptr);
    QElapsedTimer clock;
    clock.start();
    window.openRun(QString::fromStdString(run.id()));
    window.show();
    const RunData& data = window.session().run();
    ASSERT_TRUE(waitFor([&] { return data.isComplete() && data.mapColumns().size() == 1001; }, 20'000));
    EXPECT_LT(clock.elapsed(), 60'000);
    EXPECT_EQ(data.steps().size(), 10'000u);
    for (std::size_t i = 0; i < data.steps().size(); ++i) ASSERT_EQ(data.steps()[i].step, static_cast<std::int64_t>(i) + 1);
    auto* drift = window.findChild<ChartView*>("run.drift");
    ASSERT_TRUE(waitFor([&] { return drift->drawCount() > 0 && drift->readout().contains("10,000"); })) << drift->readout().toStdString();
}

TEST(Window, RunsListOpensARunByEnter) {
    UiWorkspace workspace;
    RecordedRun first = workspace.record({}, 12);
    RecordedRunOptions options;
    options.name = "second";
    RecordedRun second = workspace.record(options, 3);
    MainWindow window(workspace.folder(), nullptr);
    window.show();
    ASSERT_TRUE(QTest::qWaitForWindowActive(&window));
    auto* table = window.findChild<QTreeView*>("runs.table");
    ASSERT_TRUE(waitFor([&] { return table->model()->rowCount() == 2; }));
    auto* find = window.findChild<QLineEdit*>("runs.find");
    find->setText("maths running");
    EXPECT_EQ(table->model()->rowCount(), 1);
    find->setText("nothing like it");
    EXPECT_TRUE(window.findChild<QLabel*>("runs.noHit")->isVisible());
    find->setText("maths");
    table->setFocus();
    table->setCurrentIndex(table->model()->index(0, 0));
    QTest::keyClick(table, Qt::Key_Return);
    ASSERT_TRUE(waitFor([&] { return window.session().run().newestStep() == 12; }));
    EXPECT_TRUE(window.findChild<RunPage*>("run")->isVisible());
    QTest::keyClick(&window, Qt::Key_1, Qt::ControlModifier);
    EXPECT_TRUE(table->isVisible());
}

TEST(Window, EveryFocusableWidgetHasAnObjectNameAndAnAccessibleName) {
    UiWorkspace workspace;
    RecordedRun run = workspace.record({}, 30);
    MainWindow window(workspace.folder(), nullptr);
    window.openRun(QString::fromStdString(run.id()));
    window.show();
    ASSERT_TRUE(waitFor([&] { return window.session().run().newestStep() == 30; }));
    int checked = 0;
    for (QWidget* widget : window.findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || widget->objectName().startsWith("qt_")) continue;
        // Parts of Qt's own compound widgets speak through their owner.
        const QString owner = widget->parentWidget() != nullptr ? QString::fromLatin1(widget->parentWidget()->metaObject()->className()) : QString();
        if (owner == "QDoubleSpinBox" || owner == "QComboBox" || owner == "QTabWidget" || owner == "QTabBar" || owner == "QMenuBar" ||
            owner == "QLineEdit" || owner == "QComboBoxPrivateContainer")
            continue;
        if (widget->inherits("QTabBar") || widget->inherits("QStackedWidget") || widget->inherits("QHeaderView") || widget->inherits("QMenu"))
            continue;
        EXPECT_FALSE(widget->objectName().isEmpty()) << widget->metaObject()->className() << " in " << owner.toStdString();
        EXPECT_FALSE(widget->accessibleName().isEmpty()) << widget->metaObject()->className() << ' ' << widget->objectName().toStdString();
        ++checked;
    }
    EXPECT_GT(checked, 15);
}

TEST(Window, ChartsSpeakTheirValues) {
    UiWorkspace workspace;
    RecordedRun run = workspace.record({}, 30);
    MainWindow window(workspace.folder(), nullptr);
    window.openRun(QString::fromStdString(run.id()));
    window.show();
    ASSERT_TRUE(waitFor([&] { return window.session().run().newestStep() == 30; }));
    auto* loss = window.findChild<ChartView*>("run.loss");
    ASSERT_TRUE(waitFor([&] { return loss->readout().contains("step 30"); }));
    QAccessibleInterface* spoken = QAccessible::queryAccessibleInterface(loss);
    ASSERT_NE(spoken, nullptr);
    EXPECT_EQ(spoken->role(), QAccessible::Chart);
    EXPECT_EQ(spoken->text(QAccessible::Name), "Loss");
    EXPECT_EQ(spoken->text(QAccessible::Value), loss->readout());
}

TEST(Window, AllChartsAndPanelsShowOneStep) {
    UiWorkspace workspace;
    RecordedRun run = workspace.record({}, 60);
    MainWindow window(workspace.folder(), nullptr);
    window.openRun(QString::fromStdString(run.id()));
    window.show();
    ASSERT_TRUE(waitFor([&] { return window.session().run().newestStep() == 60; }));
    auto* loss = window.findChild<ChartView*>("run.loss");
    ASSERT_TRUE(waitFor([&] { return loss->drawCount() > 0; }));
    for (int i = 0; i < 30; ++i) QTest::keyClick(loss, Qt::Key_Left);
    EXPECT_TRUE(loss->readout().contains("step 30 ")) << loss->readout().toStdString();
    EXPECT_TRUE(window.findChild<ChartView*>("run.drift")->readout().contains("step 30 "));
    EXPECT_TRUE(window.findChild<ChartView*>("run.selection")->readout().contains("step 30 "));
    EXPECT_EQ(window.findChild<QLabel*>("run.step.heading")->text(), "At step 30");
    // One x range for all.
    window.findChild<RunPage*>("run")->axis().setRange(10, 40);
    EXPECT_FALSE(window.findChild<RunPage*>("run")->axis().isFollowing());
}

TEST(Window, KillingItNeverTouchesTheRun) {
    if (!std::filesystem::exists(test::binFolder() / "mofo-workbench")) GTEST_SKIP() << "mofo-workbench is not built";
    UiWorkspace workspace;
    RecordedRun run = workspace.record({}, 20);
    const auto program = QString::fromStdString((test::binFolder() / "mofo-workbench").string());
    for (int i = 0; i < 4; ++i) {
        QProcess process;
        process.start(program, {"--workspace", QString::fromStdString(workspace.folder().string()), "--run", QString::fromStdString(run.id())});
        ASSERT_TRUE(process.waitForStarted());
        test::spin(150 + 250 * i);
        ASSERT_OK(run.advance(5));
        ::kill(static_cast<pid_t>(process.processId()), SIGKILL);
        ASSERT_TRUE(process.waitForFinished());
        ASSERT_OK(run.advance(5));
    }
    EXPECT_TRUE(workspace.commands(run.id()).empty());
    const Result<MetricsReader> reader = MetricsReader::open(workspace.workspace().metricsFile(run.id()));
    ASSERT_OK(reader);
    const auto steps = reader->stepsAfter(0);
    ASSERT_OK(steps);
    EXPECT_EQ(steps->size(), 60u);
    // And the window that comes back shows every point.
    MainWindow window(workspace.folder(), nullptr);
    window.openRun(QString::fromStdString(run.id()));
    EXPECT_TRUE(waitFor([&] { return window.session().run().steps().size() == 60; }));
}

TEST(Window, ReadingLeavesAFinishedWorkspaceByteForByteAlone) {
    UiWorkspace workspace;
    std::string metrics;
    {
        RecordedRun run = workspace.record({}, 40);
        ASSERT_OK(run.end(RunState::Finished, ""));
        metrics = workspace.workspace().metricsFile(run.id()).string();
    }
    const auto hashes = [&] {
        const auto registryHash = sha256Hex(test::readFile(workspace.workspace().registryFile()));
        return registryHash + sha256Hex(test::readFile(metrics));
    };
    const std::string before = hashes();
    {
        MainWindow window(workspace.folder(), nullptr);
        window.openRun("maths-a15");
        window.show();
        ASSERT_TRUE(waitFor([&] { return window.session().run().newestStep() == 40; }));
        test::spin(1300);
    }
    EXPECT_EQ(hashes(), before);
}

TEST(Window, CommandLineIsChecked) {
    if (!std::filesystem::exists(test::binFolder() / "mofo-workbench")) GTEST_SKIP() << "mofo-workbench is not built";
    const auto program = QString::fromStdString((test::binFolder() / "mofo-workbench").string());
    const auto exitCode = [&](const QStringList& arguments) {
        QProcess process;
        process.start(program, arguments);
        EXPECT_TRUE(process.waitForFinished(10'000));
        return process.exitCode();
    };
    EXPECT_EQ(exitCode({"--help"}), 0);
    EXPECT_EQ(exitCode({"--version"}), 0);
    EXPECT_EQ(exitCode({"--no-such-option"}), 2);
    EXPECT_EQ(exitCode({"stray"}), 2);
}

}  // namespace
}  // namespace mofo
