// The recorded workspace that is built beside the programs: it fills the pages, and nobody changes it.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <QAction>
#include <QApplication>
#include <QPushButton>
#include <QTest>
#include <filesystem>
#include <limits>
#include <map>

#include "core/base/hash.h"
#include "core/store/recording.h"
#include "core/store/registry.h"
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
    }
    qInstallMessageHandler(old);
    EXPECT_TRUE(warnings.isEmpty()) << warnings.join("\n").toStdString();
    EXPECT_EQ(filesOf(sample()), before);
}

TEST(Sample, IsWhatTheFirstScreenOffers) {
    // The tests stand beside the programs' folder, not in it.
    EXPECT_TRUE(FirstScreen::sampleWorkspace().isEmpty() || isRecording(FirstScreen::sampleWorkspace().toStdString()));
}

}  // namespace
}  // namespace mofo
