// The recorded workspace that is built beside the programs: it fills the pages, and nobody changes it.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <QAction>
#include <QApplication>
#include <QPushButton>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "core/base/hash.h"
#include "core/store/recording.h"
#include "core/store/registry.h"
#include "tests/support/replayed_run.h"
#include "tests/ui/ui_test_support.h"
#include "ui/controllers/workspace_session.h"
#include "ui/models/run_data.h"
#include "ui/models/run_table_model.h"
#include "ui/widgets/chart_view.h"
#include "ui/widgets/first_screen.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/small_widgets.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::waitFor;

fs::path sample() { return fs::path(MOFO_BIN_DIR) / "sample"; }

std::map<std::string, std::string> filesOf(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) files[entry.path().string()] = sha256Hex(test::readFile(entry.path()));
    }
    return files;
}

QStringList warnings;
void keepWarning(QtMsgType type, const QMessageLogContext&, const QString& text) {
    if (type != QtDebugMsg && type != QtInfoMsg) warnings << text;
}

TEST(Sample, IsARecordingThatNotEvenRootWrites) {
    ASSERT_TRUE(isRecording(sample())) << sample();
    const auto workspace = Workspace::open(sample());
    ASSERT_OK(workspace);
    const auto written = Registry::open(*workspace, Registry::Access::ReadWrite);
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, ErrorCode::Permission);
    EXPECT_NE(written.error().text().find("recording"), std::string::npos) << written.error().text();
    const auto registry = Registry::open(*workspace, Registry::Access::ReadOnly);
    ASSERT_OK(registry);
    const auto runs = registry->runs();
    ASSERT_OK(runs);
    EXPECT_EQ(runs->size(), 3u);
    for (const RunRow& run : *runs) {
        EXPECT_EQ(run.state, RunState::Finished) << run.name;
        EXPECT_EQ(run.config.model.find('/'), std::string::npos) << "no machine's paths: " << run.config.model;
        EXPECT_EQ(run.commandLine.find("/tmp"), std::string::npos) << run.commandLine;
    }
}

// Story 2
TEST(Sample, FillsThePagesAndNothingIsWritable) {
    const auto before = filesOf(sample());
    const auto old = qInstallMessageHandler(keepWarning);
    {
        MainWindow window(sample(), nullptr);
        window.resize(1440, 900);
        window.show();
        ASSERT_TRUE(QTest::qWaitForWindowActive(&window));
        ASSERT_TRUE(waitFor([&] { return window.session().runs().runCount() == 3; }, 20'000));
        auto* bar = window.findChild<MessageBar*>("main.recording");
        ASSERT_NE(bar, nullptr);
        EXPECT_TRUE(bar->isVisible());
        window.openRun("maths-a15");
        ASSERT_TRUE(waitFor([&] { return window.session().run().newestStep() == 60; }, 20'000));
        for (int i = 0; i < MainWindow::PageCount; ++i) {
            QTest::keyClick(&window, static_cast<Qt::Key>(Qt::Key_1 + i), Qt::ControlModifier);
            EXPECT_EQ(window.page(), i);
            test::spin(100);
        }
        window.showPage(MainWindow::RunIndex);
        int charts = 0;
        for (ChartView* chart : window.findChildren<ChartView*>()) {
            // Temperature and power are a GPU's, and this was recorded without.
            if (!chart->objectName().startsWith("run.") || chart->objectName() == "run.heat") continue;
            EXPECT_TRUE(waitFor([&] { return !chart->table(0, 1e9).steps.empty(); }, 10'000)) << chart->objectName().toStdString() << " is empty";
            ++charts;
        }
        EXPECT_GE(charts, 10);
        for (const char* name : {"run.pause", "run.stop", "run.checkpoint", "run.evaluate", "run.rewind", "run.branch"}) {
            const auto* act = window.findChild<QAction*>(name);
            ASSERT_NE(act, nullptr) << name;
            EXPECT_FALSE(act->isEnabled()) << name;
        }
        EXPECT_FALSE(window.findChild<QPushButton*>("run.apply")->isEnabled());
        EXPECT_FALSE(window.findChild<QAction*>("main.openSample")->isEnabled()) << "it is open";
    }
    qInstallMessageHandler(old);
    EXPECT_TRUE(warnings.isEmpty()) << warnings.join("\n").toStdString();
    EXPECT_EQ(filesOf(sample()), before);
}

bool isSame(const ChartTable& a, const ChartTable& b) {
    const auto equal = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
    return a.names == b.names && a.steps == b.steps && a.present == b.present && a.superseded == b.superseded &&
           std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                      [&](const auto& x, const auto& y) { return std::equal(x.begin(), x.end(), y.begin(), y.end(), equal); });
}

// A run that is watched while it happens shows what the same run shows when it is opened afterwards.
TEST(Sample, ToldAgainLiveShowsTheSameNumbers) {
    const auto source = Workspace::open(sample());
    ASSERT_OK(source);
    MainWindow stored(sample(), nullptr);
    stored.resize(1440, 900);
    stored.show();
    stored.openRun("maths-a15");
    stored.showPage(MainWindow::RunIndex);
    ASSERT_TRUE(waitFor([&] { return stored.session().run().newestStep() == 60; }, 20'000));

    test::UiWorkspace workspace;
    auto run = test::ReplayedRun::create(workspace.workspace(), *source, "maths-a15");
    ASSERT_OK(run);
    MainWindow live(workspace.folder(), nullptr);
    live.resize(1440, 900);
    live.show();
    live.openRun("maths-a15");
    live.showPage(MainWindow::RunIndex);
    for (const std::int64_t step : {0, 1, 7, 30, 31, 45, 52}) {
        ASSERT_OK(run->advanceTo(step));
        ASSERT_TRUE(waitFor([&] { return live.session().run().newestStep() == step || step == 0; }, 20'000)) << step;
    }
    ASSERT_OK(run->finish());
    const auto state = [&] { return live.session().run().run() ? live.session().run().run()->state : RunState::Draft; };
    ASSERT_TRUE(waitFor([&] { return live.session().run().newestStep() == 60 && state() == RunState::Finished; }, 20'000));
    int charts = 0;
    for (const ChartView* chart : stored.findChildren<ChartView*>()) {
        if (!chart->objectName().startsWith("run.")) continue;
        const auto* other = live.findChild<ChartView*>(chart->objectName());
        ASSERT_NE(other, nullptr);
        EXPECT_TRUE(waitFor([&] { return isSame(chart->table(0, 1e9), other->table(0, 1e9)); }, 10'000)) << chart->objectName().toStdString();
        ++charts;
    }
    EXPECT_GE(charts, 11);
    EXPECT_EQ(live.session().run().flags().size(), stored.session().run().flags().size());
}

TEST(Sample, IsWhatTheFirstScreenOffers) {
    // The tests stand beside the programs' folder, not in it.
    EXPECT_TRUE(FirstScreen::sampleWorkspace().isEmpty() || isRecording(FirstScreen::sampleWorkspace().toStdString()));
}

}  // namespace
}  // namespace mofo
