#include "ui/models/run_data.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <cmath>

#include "tests/ui/ui_test_support.h"
#include "ui/controllers/store_reader.h"
#include "ui/controllers/workspace_session.h"
#include "ui/models/config_table_model.h"
#include "ui/models/event_log_model.h"
#include "ui/models/map_rows.h"
#include "ui/models/tensor_table_model.h"

namespace mofo {
namespace {

using test::RecordedRun;
using test::RecordedRunOptions;
using test::UiWorkspace;
using test::waitFor;

TEST(RunData, ReadsEveryStoredRowAndFollows) {
    UiWorkspace workspace;
    RecordedRun run = workspace.record({}, 57);
    WorkspaceSession session(workspace.folder());
    const RunData& data = session.run();
    const QAbstractItemModelTester runs(&session.runs(), QAbstractItemModelTester::FailureReportingMode::Warning);
    EventLogModel events(&data);
    TensorTableModel tensors(&data);
    KindTableModel kinds(&data);
    ConfigTableModel config(&data);
    const QAbstractItemModelTester testers[] = {
        QAbstractItemModelTester(&events, QAbstractItemModelTester::FailureReportingMode::Warning),
        QAbstractItemModelTester(&tensors, QAbstractItemModelTester::FailureReportingMode::Warning),
        QAbstractItemModelTester(&kinds, QAbstractItemModelTester::FailureReportingMode::Warning),
        QAbstractItemModelTester(&config, QAbstractItemModelTester::FailureReportingMode::Warning),
    };
    session.start();
    session.showRunNamed("maths-a15");
    ASSERT_TRUE(waitFor([&] { return data.newestStep() == 57; }));
    EXPECT_EQ(session.runs().rowCount(), 1);
    EXPECT_EQ(data.steps().size(), 57u);
    EXPECT_EQ(data.loss().size(), 57u);
    ASSERT_EQ(data.mapColumns().size(), 6u);  // 1, 10, ..., 50
    EXPECT_EQ(data.mapColumns()[1].step, 10);
    ASSERT_EQ(data.mapRows().size(), 32u);  // embed, 30 layers, norm; the head is tied
    EXPECT_EQ(data.mapRows().front().label, "embed");
    EXPECT_EQ(data.mapRows()[1].label, "L00");
    EXPECT_EQ(data.mapRows().back().label, "norm");
    EXPECT_FALSE(data.mapRows().back().filtered);
    EXPECT_EQ(tensors.rowCount(), 272);
    EXPECT_EQ(data.evals().size(), 1u);

    // A layer's share counts its filtered tensors alone: its norms, which all move, do not lift it.
    const auto share = [&](const MapRow& row) {
        return measureOf(MapMeasure::MovedShare, data.tensors()[3], data.parameters(), row.parameters, row.filtered);
    };
    EXPECT_NEAR(share(data.mapRows()[5]), 0.15, 1e-4);
    EXPECT_NEAR(share(data.mapRows().back()), 1.0, 1e-6);
    EXPECT_LT(share(data.mapRows().front()), 0.06);
    double moved = 0, size = 0;
    for (std::size_t i = 0; i < data.parameters().size(); ++i) {
        moved += data.tensors()[3].selected[i];
        size += static_cast<double>(data.parameters()[i].size);
    }
    EXPECT_NEAR(data.mapColumns()[3].wholeShare, moved / size, 1e-12);
    // Whole drift: the root of the summed squares, by hand.
    double drift2 = 0, pretrained2 = 0;
    for (std::size_t i = 0; i < data.parameters().size(); ++i) {
        drift2 += std::pow(data.tensors()[3].driftL2[i], 2);
        pretrained2 += std::pow(data.parameters()[i].pretrainedL2, 2);
    }
    EXPECT_NEAR(data.mapColumns()[3].wholeDrift, std::sqrt(drift2 / pretrained2), 1e-9);

    QSignalSpy resets(&events, &QAbstractItemModel::modelReset);
    ASSERT_OK(run.advance(13));
    ASSERT_TRUE(waitFor([&] { return data.newestStep() == 70; }));
    EXPECT_EQ(data.mapColumns().size(), 8u);
    EXPECT_EQ(resets.count(), 0);
    tensors.setColumn(7);
    kinds.setColumn(7);
    EXPECT_EQ(tensors.index(1, TensorTableModel::Share).data().toString(), "15.00 %");
    EXPECT_EQ(kinds.index(0, KindTableModel::Kind).data().toString(), "embed ◌");  // its idle rows did not move
}

TEST(RunData, EventsStandNewestFirst) {
    RunData data;
    EventLogModel events(&data);
    const QAbstractItemModelTester tester(&events, QAbstractItemModelTester::FailureReportingMode::Warning);
    const auto happen = [&](std::vector<std::int64_t> steps) {
        RunBatch batch;
        for (const std::int64_t step : steps) {
            EventRow& row = batch.events.emplace_back();
            row.step = step;
            row.kind = "checkpoint";
        }
        data.take(batch);
    };
    happen({10, 20});
    happen({30});
    ASSERT_EQ(events.rowCount(), 3);
    for (int row = 0; row < 3; ++row) EXPECT_EQ(events.index(row, EventLogModel::Step).data().toString(), QString::number(30 - 10 * row));
}

TEST(RunData, NonFiniteLossesAreListedNotSkipped) {
    UiWorkspace workspace;
    RecordedRunOptions options;
    options.nanSteps = {7};
    options.infSteps = {9};
    RecordedRun run = workspace.record(options, 12);
    WorkspaceSession session(workspace.folder());
    session.start();
    session.showRunNamed("maths-a15");
    ASSERT_TRUE(waitFor([&] { return session.run().newestStep() == 12; }));
    const SeriesBuffer& loss = session.run().loss();
    ASSERT_EQ(loss.nonFinite().size(), 2u);
    EXPECT_EQ(loss.key(loss.nonFinite()[0]), 7);
    EXPECT_TRUE(std::isnan(loss.value(loss.nonFinite()[0])));
    EXPECT_EQ(loss.key(loss.nonFinite()[1]), 9);
    EXPECT_TRUE(std::isinf(loss.value(loss.nonFinite()[1])));
    // The smoothed curve breaks there and goes on from what it knew.
    EXPECT_TRUE(std::isnan(session.run().lossEma().value(6)));
    EXPECT_TRUE(std::isfinite(session.run().lossEma().value(7)));
}

TEST(RunData, SmoothingIsTheDebiasedMean) {
    RunData data;
    RunBatch batch;
    for (int i = 1; i <= 3; ++i) {
        StepRow row;
        row.seq = row.step = i;
        row.loss = i;
        batch.steps.push_back(row);
    }
    data.setEmaSmoothing(0.5);
    data.take(batch);
    EXPECT_DOUBLE_EQ(data.lossEma().value(0), 1.0);
    EXPECT_DOUBLE_EQ(data.lossEma().value(1), (0.25 * 1 + 0.5 * 2) / 0.75);
    EXPECT_DOUBLE_EQ(data.lossEma().value(2), (0.125 * 1 + 0.25 * 2 + 0.5 * 3) / 0.875);
    data.setEmaSmoothing(0);
    EXPECT_DOUBLE_EQ(data.lossEma().value(2), 3.0);
}

TEST(RunData, AStretchThatIsTakenBackIsKeptApart) {
    UiWorkspace workspace;
    RecordedRun run = workspace.record({}, 30);
    WorkspaceSession session(workspace.folder());
    session.start();
    session.showRunNamed("maths-a15");
    ASSERT_TRUE(waitFor([&] { return session.run().newestStep() == 30; }));
    const double before = session.run().loss().value(24);
    ASSERT_OK(run.rewind(20));
    ASSERT_OK(run.advance(5));
    ASSERT_TRUE(waitFor([&] { return session.run().newestStep() == 25 && !session.run().supersededLoss().empty(); }));
    const RunData& data = session.run();
    ASSERT_EQ(data.supersededLoss().size(), 1u);
    const SeriesBuffer& old = data.supersededLoss()[0];
    ASSERT_EQ(old.size(), 10u);
    EXPECT_EQ(old.key(0), 21);
    EXPECT_EQ(old.value(4), before);
    EXPECT_EQ(data.steps().size(), 25u);
    EXPECT_NE(data.loss().value(24), before);
    EXPECT_EQ(data.mapColumns().back().step, 20);
}

TEST(RunData, ShowingAnotherRunDropsTheFirst) {
    UiWorkspace workspace;
    RecordedRun first = workspace.record({}, 40);
    RecordedRunOptions options;
    options.name = "other";
    RecordedRun second = workspace.record(options, 11);
    WorkspaceSession session(workspace.folder());
    session.start();
    session.showRunNamed("maths-a15");
    ASSERT_TRUE(waitFor([&] { return session.run().newestStep() == 40; }));
    session.showRunNamed("other");
    ASSERT_TRUE(waitFor([&] { return session.run().newestStep() == 11; }));
    EXPECT_EQ(session.run().run()->name, "other");
    EXPECT_EQ(session.run().steps().size(), 11u);
}

TEST(RunData, AnEngineThatDiedIsLostWithoutAnyCommit) {
    UiWorkspace workspace;
    RecordedRun run = workspace.record({}, 12);
    WorkspaceSession session(workspace.folder());
    session.start();
    session.showRunNamed("maths-a15");
    ASSERT_TRUE(waitFor([&] { return session.run().run() && session.run().run()->state == RunState::Running; }));
    run.die();
    EXPECT_TRUE(waitFor([&] { return session.run().run()->state == RunState::Lost; }));
    EXPECT_EQ(session.runs().index(0, RunTableModel::State).data(RunTableModel::StateRole).toInt(), static_cast<int>(RunState::Lost));
}

TEST(RunData, AMissingWorkspaceIsAnEmptyListThatFillsLater) {
    test::TemporaryFolder folder;
    const std::filesystem::path path = folder / "later";
    WorkspaceSession session(path);
    session.start();
    ASSERT_TRUE(waitFor([&] { return session.isListRead(); }));
    EXPECT_TRUE(session.isWorkspaceMissing());
    EXPECT_TRUE(session.problem().isEmpty());
    const Result<Workspace> made = Workspace::openOrCreate(path, false);
    ASSERT_OK(made);
    const Result<RecordedRun> run = RecordedRun::create(*made, {});
    ASSERT_OK(run);
    EXPECT_TRUE(waitFor([&] { return session.runs().rowCount() == 1; }));
}

TEST(RunData, ADamagedRegistryIsAProblemInOneSentence) {
    test::TemporaryFolder folder;
    const std::filesystem::path path = folder / "workspace";
    ASSERT_OK(Workspace::openOrCreate(path, false));
    std::filesystem::remove(path / "workbench.db");
    test::writeFile(path / "workbench.db", std::string(8192, 'x'));
    WorkspaceSession session(path);
    session.start();
    EXPECT_TRUE(waitFor([&] { return !session.problem().isEmpty(); }));
    EXPECT_TRUE(session.problem().contains("workbench.db")) << session.problem().toStdString();
}

}  // namespace
}  // namespace mofo
