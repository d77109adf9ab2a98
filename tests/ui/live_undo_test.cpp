// Taking back and branching: staged, sent, applied changes; rewinding to checkpoints; drafts; the stalled engine; estimates.
#include <gtest/gtest.h>

#include <QDialog>
#include <QElapsedTimer>
#include <QLabel>
#include <QPushButton>
#include <QScrollBar>
#include <QSpinBox>
#include <QTableWidget>
#include <QTest>
#include <QWheelEvent>

#include "core/base/clock.h"
#include "tests/ui/ui_test_support.h"
#include "ui/models/tensor_table_model.h"
#include "ui/widgets/alpha_dial.h"
#include "ui/widgets/effect_card.h"
#include "ui/widgets/loss_chart.h"
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

class LiveUndo : public testing::Test {
protected:
    void open(const RecordedRunOptions& options, std::int64_t steps = 45) {
        run.emplace(workspace.record(options, steps));
        show(steps);
    }
    void show(std::int64_t steps) {
        window = std::make_unique<MainWindow>(workspace.folder(), nullptr);
        window->resize(1440, 900);
        window->openRun(QString::fromStdString(run->id()));
        window->show();
        ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
        ASSERT_TRUE(waitFor([&] { return window->session().run().newestStep() == steps && window->session().run().isComplete(); }));
        dial = window->findChild<AlphaDial*>("run.alphaDial");
    }
    static RecordedRunOptions withCheckpoints() {
        RecordedRunOptions options;
        options.checkpointEvery = 20;
        return options;
    }
    std::vector<CommandRow> commands() { return workspace.commands(run->id()); }
    TuningController& tuning() { return window->session().tuning(); }
    const RunData& data() { return window->session().run(); }
    QString text(const char* label) { return window->findChild<QLabel*>(label)->text(); }
    void apply(const char* key, const char* value) {
        const std::size_t before = commands().size();
        tuning().stage(key, value);
        tuning().apply();
        ASSERT_TRUE(waitFor([&] { return commands().size() == before + 1; }));
    }

    UiWorkspace workspace;
    std::optional<RecordedRun> run;
    std::unique_ptr<MainWindow> window;
    AlphaDial* dial = nullptr;
};

TEST_F(LiveUndo, AStagedEditIsDroppedNewestFirst) {
    open({});
    tuning().stage("alpha", "0.05");
    tuning().stage("lr", "1e-5");
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier);
    EXPECT_EQ(tuning().staged(), (KeyValues{{"alpha", "0.05"}}));
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier);
    EXPECT_TRUE(tuning().staged().empty());
    EXPECT_TRUE(commands().empty());
}

TEST_F(LiveUndo, WhatWasSentAndNotTakenIsWithdrawnAndNeverApplied) {
    open({});
    apply("alpha", "0.05");
    ASSERT_TRUE(waitFor([&] { return tuning().state("alpha").phase == KeyState::Phase::Waiting && !data().tuning().pending.empty(); }));
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier);
    // Withdrawn commands are left out of the list that engines read.
    ASSERT_TRUE(waitFor([&] { return commands().empty(); }));
    ASSERT_OK(run->advance(5));
    ASSERT_TRUE(waitFor([&] { return data().newestStep() == 50; }));
    EXPECT_EQ(tuning().state("alpha").phase, KeyState::Phase::Applied);
    EXPECT_DOUBLE_EQ(dial->applied(), 0.15);
    EXPECT_DOUBLE_EQ(data().steps().back().alpha, 0.15);
    EXPECT_TRUE(data().flags().empty());
}

TEST_F(LiveUndo, AnEngineFasterThanTheWithdrawalWins) {
    open({});
    apply("alpha", "0.05");
    ASSERT_TRUE(waitFor([&] { return !data().tuning().pending.empty(); }));
    // The engine takes it, and before the window reads the answer the user withdraws.
    const std::string uuid = data().tuning().pending.front().uuid;
    ASSERT_OK(run->obeyCommands());
    ASSERT_OK(run->registry().withdrawCommand(uuid));
    tuning().undo();
    ASSERT_TRUE(waitFor([&] { return dial->applied() == 0.05; }));
    EXPECT_EQ(text("run.alphaState"), "5 % since step 46");
}

TEST_F(LiveUndo, AnAppliedChangeOffersToBeSetBack) {
    open(withCheckpoints());
    apply("alpha", "0.05");
    ASSERT_OK(run->advance(5));
    ASSERT_TRUE(waitFor([&] { return dial->applied() == 0.05; }));
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier);
    ASSERT_TRUE(window->findChild<QWidget*>("run.offer")->isVisible());
    EXPECT_TRUE(text("run.offer.text").contains("15 % → 5 %")) << text("run.offer.text").toStdString();
    EXPECT_TRUE(text("run.offer.text").contains("46"));
    auto* back = window->findChild<QPushButton*>("run.offer.setBack");
    EXPECT_TRUE(back->text().contains("15 %"));
    EXPECT_EQ(window->findChild<QPushButton*>("run.offer.rewind")->text(), "Rewind to 40");
    back->click();
    ASSERT_TRUE(waitFor([&] { return commands().size() == 2; }));
    EXPECT_EQ(commands()[1].payload, (Json{{"alpha", "0.15"}}));
    ASSERT_OK(run->advance(2));
    ASSERT_TRUE(waitFor([&] { return dial->applied() == 0.15; }));
    EXPECT_FALSE(window->findChild<QWidget*>("run.offer")->isVisible());
}

TEST_F(LiveUndo, ARewindKeepsWhatItTakesBack) {
    open(withCheckpoints());
    apply("alpha", "0.05");
    ASSERT_OK(run->advance(15));
    ASSERT_TRUE(waitFor([&] { return data().newestStep() == 60; }));
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier);
    window->findChild<QPushButton*>("run.offer.rewind")->click();
    ASSERT_TRUE(waitFor([&] { return commands().size() == 2; })) << text("run.sendProblem").toStdString();
    EXPECT_EQ(commands()[1].kind, "undo");
    EXPECT_EQ(commands()[1].payload.value("to", 0), 40);
    ASSERT_OK(run->advance(10));
    ASSERT_TRUE(waitFor([&] { return data().newestStep() == 50 && !data().supersededLoss().empty(); }));
    // The change went with the steps; the steps are still there, apart.
    EXPECT_DOUBLE_EQ(dial->applied(), 0.15);
    ASSERT_EQ(data().supersededLoss().size(), 1u);
    EXPECT_EQ(data().supersededLoss()[0].size(), 20u);
    EXPECT_DOUBLE_EQ(data().supersededLoss()[0].key(0), 41);
    EXPECT_EQ(data().steps().size(), 50u);
    auto* loss = window->findChild<LossChart*>("run.loss");
    loss->drawIfNeeded();
    bool named = false;
    for (const LegendEntry& entry : loss->legend().entries()) named = named || entry.name == "taken back";
    EXPECT_TRUE(named);
    const ChartTable table = loss->table(0, 1000);
    EXPECT_EQ(std::count(table.superseded.begin(), table.superseded.end(), 1), 20);
    EXPECT_EQ(std::count(table.superseded.begin(), table.superseded.end(), 0), 50);
}

TEST_F(LiveUndo, TheRewindDialogSaysWhatIsTakenBack) {
    open(withCheckpoints());
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier | Qt::AltModifier);
    auto* table = window->findChild<QTableWidget*>("run.rewind.checkpoints");
    ASSERT_NE(table, nullptr);
    ASSERT_EQ(table->rowCount(), 2);
    EXPECT_EQ(table->item(0, 0)->text(), "40");
    EXPECT_EQ(table->item(1, 0)->text(), "20");
    table->selectRow(1);
    EXPECT_TRUE(text("run.rewind.preview").contains("Steps 21 to 45")) << text("run.rewind.preview").toStdString();
    EXPECT_FALSE(window->findChild<QDialog*>("run.rewindDialog")->isModal());
    window->findChild<QPushButton*>("run.rewind.rewind")->click();
    ASSERT_TRUE(waitFor([&] { return commands().size() == 1; }));
    EXPECT_EQ(commands()[0].kind, "undo");
    EXPECT_EQ(commands()[0].payload.value("to", 0), 20);
}

TEST_F(LiveUndo, CheckpointAndEvaluationAreAskedForOnce) {
    RecordedRunOptions options = withCheckpoints();
    open(options);
    QTest::keyClick(window.get(), Qt::Key_S, Qt::ControlModifier);
    QTest::keyClick(window.get(), Qt::Key_S, Qt::ControlModifier);
    QTest::keyClick(window.get(), Qt::Key_F8);
    ASSERT_TRUE(waitFor([&] { return commands().size() == 2; }));
    spin(200);
    ASSERT_EQ(commands().size(), 2u);
    EXPECT_EQ(commands()[0].kind, "checkpoint");
    EXPECT_EQ(commands()[1].kind, "evaluate");
    ASSERT_OK(run->obeyCommands());
    ASSERT_TRUE(waitFor([&] { return data().checkpoints().size() == 3 && data().evals().size() == 1; }));
    EXPECT_FALSE(tuning().isAsked("checkpoint"));
}

TEST_F(LiveUndo, StagedEditsOutliveTheWindow) {
    open({});
    tuning().stage("alpha", "0.05");
    tuning().stage("granularity", "layer");
    window.reset();
    EXPECT_TRUE(commands().empty());
    show(45);
    ASSERT_TRUE(waitFor([&] { return tuning().stagedCount() == 2; }));
    EXPECT_TRUE(text("run.alphaState").contains("staged 5 %"));
    EXPECT_DOUBLE_EQ(dial->applied(), 0.15);
    tuning().discardAll();
    window.reset();
    show(45);
    spin(400);
    EXPECT_EQ(tuning().stagedCount(), 0u);
}

TEST_F(LiveUndo, ApplyAtAStepWaitsForIt) {
    open({});
    tuning().stage("alpha", "0.05");
    QTest::keyClick(window.get(), Qt::Key_Return, Qt::ControlModifier | Qt::ShiftModifier);
    auto* step = window->findChild<QSpinBox*>("run.applyStep");
    ASSERT_TRUE(step->isVisible());
    EXPECT_EQ(step->minimum(), 46);
    step->setValue(52);
    window->findChild<QPushButton*>("run.applyThen")->click();
    ASSERT_TRUE(waitFor([&] { return commands().size() == 1; }));
    EXPECT_EQ(commands()[0].atStep, 52);
    ASSERT_OK(run->advance(3));
    ASSERT_TRUE(waitFor([&] { return data().newestStep() == 48; }));
    EXPECT_DOUBLE_EQ(dial->applied(), 0.15);
    EXPECT_TRUE(text("run.alphaState").contains("for step 52")) << text("run.alphaState").toStdString();
    ASSERT_OK(run->advance(6));
    ASSERT_TRUE(waitFor([&] { return dial->applied() == 0.05; }));
    EXPECT_EQ(text("run.alphaState"), "5 % since step 52");
    EXPECT_DOUBLE_EQ(data().steps()[50].alpha, 0.15);
    EXPECT_DOUBLE_EQ(data().steps()[51].alpha, 0.05);
}

TEST_F(LiveUndo, AStalledEngineIsNamedAndAnswersLater) {
    open({});
    apply("alpha", "0.05");
    ASSERT_TRUE(waitFor([&] { return text("run.alphaState").contains("waiting for step"); }));
    ASSERT_TRUE(waitFor([&] { return text("run.alphaState").contains("no answer yet"); }, 4000)) << text("run.alphaState").toStdString();
    // No heartbeat for more than 30 s.
    MetricsBatch batch;
    batch.status = StatusRow{"train", 0.2, "", 45, 200, bootNs() - 40'000'000'000, bootId(), 10};
    ASSERT_OK(run->writer().write(batch));
    auto* message = window->findChild<MessageBar*>("run.message");
    ASSERT_TRUE(waitFor([&] { return message->text().contains("No news from the engine"); })) << message->text().toStdString();
    EXPECT_DOUBLE_EQ(dial->applied(), 0.15);
    ASSERT_OK(run->advance(1));
    ASSERT_TRUE(waitFor([&] { return dial->applied() == 0.05; }));
    ASSERT_TRUE(waitFor([&] { return !message->isVisible(); }));
}

TEST_F(LiveUndo, TheWheelOverTheDialWithoutFocusChangesNothing) {
    open({});
    window->findChild<LossChart*>("run.loss")->setFocus();
    QWheelEvent wheel(QPointF(60, 60), dial->mapToGlobal(QPointF(60, 60)), {}, {0, -240}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(dial, &wheel);
    EXPECT_FALSE(wheel.isAccepted());
    EXPECT_EQ(tuning().stagedCount(), 0u);
}

TEST_F(LiveUndo, WhatIfComesFromStoredHistogramsInTime) {
    RecordedRunOptions options;
    options.histograms = true;
    open(options);
    auto* card = window->findChild<WhatIfCard*>("run.whatIf");
    EXPECT_FALSE(card->isVisible());
    tuning().stage("alpha", "0.05");
    ASSERT_TRUE(waitFor([&] { return card->estimate() != nullptr; }));
    EXPECT_TRUE(card->isVisible());
    // The limit is 50 ms; ten times that is no slow machine any more.
    EXPECT_LT(card->lastMs(), 500);
    EXPECT_TRUE(card->text().contains("At 5 %")) << card->text().toStdString();
    EXPECT_TRUE(card->text().contains("step 40"));
    EXPECT_EQ(card->estimate()->tensors, 211);
    EXPECT_NEAR(card->estimate()->moved, 0.05, 1e-3);
    const double keptAtFive = card->estimate()->kept;
    // Bars of the step panel carry it.
    auto* kinds = window->findChild<KindTableModel*>();
    EXPECT_NEAR(kinds->index(1, KindTableModel::Share).data(KindTableModel::EstimateRole).toDouble(), 0.05, 1e-3);
    tuning().stage("alpha", "0.2");
    ASSERT_TRUE(waitFor([&] { return card->text().contains("At 20 %"); }));
    EXPECT_GT(card->estimate()->kept, keptAtFive);
    EXPECT_FALSE(card->text().contains("taken as granularity tensor"));
    tuning().stage("granularity", "row");
    EXPECT_TRUE(waitFor([&] { return card->text().contains("taken as granularity tensor"); }, 20'000)) << "histograms know no rows";
    tuning().discardAll();
    EXPECT_FALSE(card->isVisible());
    EXPECT_TRUE(std::isnan(kinds->index(1, KindTableModel::Share).data(KindTableModel::EstimateRole).toDouble()));
    EXPECT_TRUE(commands().empty());
}

TEST_F(LiveUndo, TheEffectCardWaitsForTwentySteps) {
    open({}, 60);
    apply("alpha", "0.05");
    ASSERT_OK(run->advance(8));
    auto* card = window->findChild<EffectCard*>("run.effect");
    ASSERT_TRUE(waitFor([&] { return card->isVisible() && card->text().contains("Too early: 8 of 20"); })) << card->text().toStdString();
    ASSERT_OK(run->advance(30));
    ASSERT_TRUE(waitFor([&] { return card->text().contains("50 steps before, 38 after"); })) << card->text().toStdString();
    EXPECT_TRUE(card->text().contains("15 % → 5 %"));
}

TEST_F(LiveUndo, OutOfMemoryNamesTheCheckpointAndOffersASmallerMicroBatch) {
    open(withCheckpoints());
    ASSERT_OK(run->end(RunState::Failed, "out of memory in step 46 (longest batch)"));
    auto* message = window->findChild<MessageBar*>("run.message");
    ASSERT_TRUE(waitFor([&] { return message->text().contains("out of memory"); })) << message->text().toStdString();
    EXPECT_TRUE(message->text().contains("step 45"));
    EXPECT_TRUE(message->text().contains("Nothing after checkpoint 40 is kept"));
    auto* action = window->findChild<QPushButton*>("run.message.action");
    ASSERT_TRUE(action->isVisible());
    EXPECT_EQ(action->text(), "Go on with micro-batch 2");  // of a batch of 4
    EXPECT_FALSE(dial->isEnabled());
    // The checkpoint is a row without files here: what core/client says to that is shown, and nothing was queued.
    action->click();
    ASSERT_TRUE(waitFor([&] { return !tuning().sendProblem().isEmpty() || tuning().isAsked("branch") == false; }));
    const std::vector<RunRow> runs = std::move(run->registry().runs()).value();
    EXPECT_EQ(runs.size(), 1u);
}

TEST_F(LiveUndo, AnyOtherFailureOffersToResume) {
    open({});
    ASSERT_OK(run->end(RunState::Failed, "the loss is not a number"));
    auto* message = window->findChild<MessageBar*>("run.message");
    ASSERT_TRUE(waitFor([&] { return message->text().contains("not a number"); })) << message->text().toStdString();
    EXPECT_TRUE(message->text().contains("no checkpoint"));
    EXPECT_EQ(window->findChild<QPushButton*>("run.message.action")->text(), "Resume");
}

}  // namespace
}  // namespace mofo
