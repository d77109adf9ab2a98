// Live tuning from the widgets to the store and back: staging sends nothing, Apply sends one row, only an acknowledgement applies.
#include <gtest/gtest.h>

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QPushButton>
#include <QTest>

#include "tests/ui/ui_test_support.h"
#include "ui/widgets/alpha_dial.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/run_page.h"
#include "ui/widgets/small_widgets.h"

namespace mofo {
namespace {

using test::RecordedRun;
using test::RecordedRunOptions;
using test::spin;
using test::UiWorkspace;
using test::waitFor;

class Tuning : public testing::Test {
protected:
    void open(const RecordedRunOptions& options, std::int64_t steps = 25) {
        run.emplace(workspace.record(options, steps));
        window = std::make_unique<MainWindow>(workspace.folder(), nullptr);
        window->openRun(QString::fromStdString(run->id()));
        window->show();
        ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
        ASSERT_TRUE(waitFor([&] { return window->session().run().newestStep() == steps; }));
        dial = window->findChild<AlphaDial*>("run.alphaDial");
        alphaState = window->findChild<QLabel*>("run.alphaState");
        granularity = window->findChild<QComboBox*>("run.granularity");
        apply = window->findChild<QPushButton*>("run.apply");
        ASSERT_TRUE(dial != nullptr && alphaState != nullptr && granularity != nullptr && apply != nullptr);
    }
    std::vector<CommandRow> commands() { return workspace.commands(run->id()); }
    void chooseGranularity(const char* name) {
        const int index = granularity->findData(QString::fromLatin1(name));
        granularity->setCurrentIndex(index);
        Q_EMIT granularity->activated(index);
    }
    TuningController& tuning() { return window->session().tuning(); }

    UiWorkspace workspace;
    std::optional<RecordedRun> run;
    std::unique_ptr<MainWindow> window;
    AlphaDial* dial = nullptr;
    QLabel* alphaState = nullptr;
    QComboBox* granularity = nullptr;
    QPushButton* apply = nullptr;
};

TEST_F(Tuning, StagingSendsNothing) {
    open({});
    EXPECT_FALSE(apply->isEnabled());
    QTest::keyClick(dial, Qt::Key_Down);
    QTest::mouseClick(dial, Qt::LeftButton, {}, QPoint(dial->width() / 2, 24));
    chooseGranularity("layer");
    auto* spinBox = window->findChild<QDoubleSpinBox*>("run.alphaSpin");
    spinBox->setValue(5);
    QTest::keyClick(window.get(), Qt::Key_BracketLeft, Qt::ControlModifier);
    spin(300);
    EXPECT_TRUE(commands().empty());
    EXPECT_EQ(tuning().stagedCount(), 2u);
    EXPECT_TRUE(apply->isEnabled());
    EXPECT_DOUBLE_EQ(dial->applied(), 0.15);
    ASSERT_TRUE(dial->wanted());
    EXPECT_DOUBLE_EQ(*dial->wanted(), 0.03);  // one below 5 %
    EXPECT_TRUE(alphaState->text().contains("staged 3 %")) << alphaState->text().toStdString();
    window->findChild<QPushButton*>("run.discard")->click();
    EXPECT_EQ(tuning().stagedCount(), 0u);
    EXPECT_FALSE(dial->wanted());
    EXPECT_EQ(granularity->currentData().toString(), "tensor");
}

TEST_F(Tuning, ApplySendsOneRowWithBothKeysAndOnlyItsAcknowledgementApplies) {
    open({});
    tuning().stage("alpha", "0.05");
    chooseGranularity("layer");
    QTest::keyClick(window.get(), Qt::Key_Return, Qt::ControlModifier);
    ASSERT_TRUE(waitFor([&] { return !commands().empty(); }));
    QTest::keyClick(window.get(), Qt::Key_Return, Qt::ControlModifier);  // nothing is staged any more
    spin(400);
    const std::vector<CommandRow> rows = commands();
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].kind, "set");
    EXPECT_EQ(rows[0].who, "window");
    EXPECT_EQ(rows[0].payload, (Json{{"alpha", "0.05"}, {"granularity", "layer"}}));
    // The engine has not answered: old value, dotted needle, waiting.
    EXPECT_DOUBLE_EQ(dial->applied(), 0.15);
    EXPECT_DOUBLE_EQ(dial->wanted().value_or(0), 0.05);
    EXPECT_TRUE(alphaState->text().contains("waiting for step")) << alphaState->text().toStdString();
    // Even the registry's config is no acknowledgement.
    RunConfig changed = Result<RunRow>(run->registry().findRun(run->id())).value().config;
    ASSERT_OK(setConfigValue(changed, "alpha", "0.05"));
    ASSERT_OK(run->registry().setRunConfig(run->id(), changed));
    spin(400);
    EXPECT_DOUBLE_EQ(dial->applied(), 0.15);

    ASSERT_OK(run->obeyCommands());
    ASSERT_TRUE(waitFor([&] { return dial->applied() == 0.05; }));
    EXPECT_FALSE(dial->wanted());
    EXPECT_EQ(alphaState->text(), "5 % since step 26");
    EXPECT_EQ(granularity->currentData().toString(), "layer");
    ASSERT_OK(run->advance(2));
    ASSERT_TRUE(waitFor([&] { return window->session().run().newestStep() == 27; }));
    // Both flags stand at the step of effect.
    const auto& flags = window->session().run().flags();
    ASSERT_EQ(flags.size(), 2u);
    EXPECT_EQ(flags[0].step, 26);
    EXPECT_EQ(flags[1].step, 26);
    EXPECT_EQ(QString(flags[0].letter + flags[1].letter).count("A"), 1);
    EXPECT_EQ(QString(flags[0].letter + flags[1].letter).count("G"), 1);
}

TEST_F(Tuning, ARefusalKeepsTheOldValueAndShowsTheReason) {
    RecordedRunOptions options;
    options.refusedKeys = {"granularity"};
    open(options);
    chooseGranularity("model");
    apply->click();
    ASSERT_TRUE(waitFor([&] { return !commands().empty(); }));
    ASSERT_TRUE(waitFor([&] { return window->session().tuning().state("granularity").phase == KeyState::Phase::Waiting; }));
    ASSERT_OK(run->obeyCommands());
    auto* state = window->findChild<QLabel*>("run.granularityState");
    ASSERT_TRUE(waitFor([&] { return state->text().contains("refused"); })) << state->text().toStdString();
    EXPECT_TRUE(state->text().contains("granularity cannot change in this run"));
    EXPECT_EQ(granularity->currentData().toString(), "tensor");
    EXPECT_TRUE(window->session().run().flags().empty());
    // The next staging takes the reason away.
    chooseGranularity("layer");
    EXPECT_FALSE(state->text().contains("refused"));
}

TEST_F(Tuning, AChangeFromTheCommandLineIsShownAsSuch) {
    open({});
    CommandRow command;
    command.uuid = "11111111-1111-4111-8111-111111111111";
    command.runId = run->id();
    command.kind = "set";
    command.payload = Json{{"alpha", "0.1"}};
    command.who = "cli";
    ASSERT_OK(run->registry().addCommand(command));
    ASSERT_TRUE(waitFor([&] { return alphaState->text().contains("by command line"); })) << alphaState->text().toStdString();
    EXPECT_DOUBLE_EQ(dial->applied(), 0.15);
    ASSERT_OK(run->obeyCommands());
    ASSERT_TRUE(waitFor([&] { return dial->applied() == 0.1; }));
}

TEST_F(Tuning, APausedRunAppliesOnResume) {
    open({});
    QTest::keyClick(window.get(), Qt::Key_F9);
    ASSERT_TRUE(waitFor([&] { return commands().size() == 1; }));
    EXPECT_EQ(commands()[0].kind, "pause");
    ASSERT_OK(run->obeyCommands());
    ASSERT_TRUE(waitFor([&] { return window->session().run().run()->state == RunState::Paused; }));
    tuning().stage("alpha", "0.2");
    tuning().apply();
    ASSERT_TRUE(waitFor([&] { return commands().size() == 2; }));
    ASSERT_OK(run->obeyCommands());
    ASSERT_TRUE(waitFor([&] { return alphaState->text().contains("will apply on resume"); })) << alphaState->text().toStdString();
    EXPECT_TRUE(alphaState->text().contains("26"));
    QTest::keyClick(window.get(), Qt::Key_F9);
    ASSERT_TRUE(waitFor([&] { return commands().size() == 3; }));
    EXPECT_EQ(commands()[2].kind, "resume");
    ASSERT_OK(run->obeyCommands());
    ASSERT_OK(run->advance(1));
    EXPECT_TRUE(waitFor([&] { return alphaState->text() == "20 % since step 26"; })) << alphaState->text().toStdString();
}

TEST_F(Tuning, StopAsksForACheckpointAndIsAskedOnce) {
    open({});
    QTest::keyClick(window.get(), Qt::Key_F9, Qt::ShiftModifier);
    QTest::keyClick(window.get(), Qt::Key_F9, Qt::ShiftModifier);
    ASSERT_TRUE(waitFor([&] { return !commands().empty(); }));
    spin(300);
    ASSERT_EQ(commands().size(), 1u);
    EXPECT_EQ(commands()[0].kind, "stop");
    EXPECT_EQ(commands()[0].payload, (Json{{"save", true}}));
    ASSERT_OK(run->obeyCommands());
    ASSERT_TRUE(waitFor([&] { return window->session().run().run()->state == RunState::Stopped; }));
    EXPECT_FALSE(dial->isEnabled());
    EXPECT_TRUE(window->findChild<QLabel*>("run.stagedCount")->text().contains("ended"));
}

TEST_F(Tuning, AFailedSendKeepsTheStagedValues) {
    open({});
    // The run ends behind the window's back: nothing may be sent to it any more.
    tuning().stage("alpha", "0.05");
    ASSERT_OK(run->end(RunState::Finished, ""));
    tuning().apply();
    auto* problem = window->findChild<QLabel*>("run.sendProblem");
    ASSERT_TRUE(waitFor([&] { return !problem->text().isEmpty(); }));
    EXPECT_EQ(tuning().staged().at("alpha"), "0.05");
    EXPECT_TRUE(commands().empty());
}

TEST_F(Tuning, TheHintInvitesUntilTheFirstChange) {
    open({});
    auto* hint = window->findChild<MessageBar*>("run.hint");
    EXPECT_TRUE(hint->isVisible());
    EXPECT_TRUE(hint->text().contains("Turn alpha now"));
    tuning().stage("alpha", "0.05");
    EXPECT_FALSE(hint->isVisible());
    tuning().discardAll();
    EXPECT_TRUE(hint->isVisible());
    tuning().stage("alpha", "0.05");
    tuning().apply();
    ASSERT_TRUE(waitFor([&] { return !commands().empty(); }));
    ASSERT_OK(run->obeyCommands());
    ASSERT_TRUE(waitFor([&] { return dial->applied() == 0.05; }));
    EXPECT_FALSE(hint->isVisible());
}

}  // namespace
}  // namespace mofo
