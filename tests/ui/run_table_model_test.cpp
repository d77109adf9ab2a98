#include "ui/models/run_table_model.h"

#include <gtest/gtest.h>

#include <QFont>
#include <QMimeData>
#include <memory>

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QSortFilterProxyModel>

namespace mofo {
namespace {

RunRow row(const std::string& id, std::int64_t step = 0) {
    RunRow run;
    run.id = id;
    run.name = "run " + id;
    run.state = RunState::Running;
    run.modelName = "SmolLM2-135M";
    run.summary.step = step;
    run.summary.totalSteps = 200;
    return run;
}

QString cell(const RunTableModel& model, int r, int column) { return model.index(r, column).data().toString(); }

class RunTable : public testing::Test {
protected:
    RunTableModel model;
    QAbstractItemModelTester tester{&model, QAbstractItemModelTester::FailureReportingMode::Warning};
    QSignalSpy resets{&model, &QAbstractItemModel::modelReset};
    QSignalSpy inserted{&model, &QAbstractItemModel::rowsInserted};
    QSignalSpy removed{&model, &QAbstractItemModel::rowsRemoved};
    QSignalSpy changed{&model, &QAbstractItemModel::dataChanged};
};

TEST_F(RunTable, ANewStepChangesItsCellsAndNothingElse) {
    model.setRuns({row("b", 5), row("a", 7)});
    ASSERT_EQ(model.rowCount(), 2);
    EXPECT_EQ(cell(model, 0, RunTableModel::Step), "5 / 200");
    const QPersistentModelIndex kept = model.index(1, 0);
    changed.clear();
    RunRow next = row("b", 6);
    next.summary.loss = 1.2034;
    model.setRuns({next, row("a", 7)});
    ASSERT_EQ(changed.count(), 1);
    EXPECT_EQ(changed[0][0].toModelIndex(), model.index(0, RunTableModel::Step));
    EXPECT_EQ(changed[0][1].toModelIndex(), model.index(0, RunTableModel::Loss));
    EXPECT_EQ(cell(model, 0, RunTableModel::Loss), "1.203");
    EXPECT_EQ(kept.row(), 1);
    EXPECT_EQ(resets.count(), 0);
}

TEST_F(RunTable, RunsComeAndGoWithoutAReset) {
    model.setRuns({row("b"), row("a")});
    inserted.clear();
    model.setRuns({row("c"), row("b"), row("a")});
    ASSERT_EQ(inserted.count(), 1);
    EXPECT_EQ(inserted[0][1].toInt(), 0);
    model.setRuns({row("c"), row("a")});
    EXPECT_EQ(removed.count(), 1);
    EXPECT_EQ(model.rowOf("a"), 1);
    model.setRuns({row("a"), row("c")});  // another order
    EXPECT_EQ(model.rowOf("a"), 0);
    EXPECT_EQ(model.rowCount(), 2);
    model.setRuns({});
    EXPECT_EQ(model.rowCount(), 0);
    EXPECT_EQ(resets.count(), 0);
}

TEST_F(RunTable, ShowsNonFiniteLossAndForeignTextAsPlainText) {
    RunRow run = row("a");
    run.name = "<b>x</b>\x1b[31m\u202e";
    run.summary.lossState = "nan";
    model.setRuns({run});
    EXPECT_EQ(cell(model, 0, RunTableModel::Name), QString::fromUtf8("<b>x</b>\\x1b[31m\\u202e"));
    EXPECT_EQ(cell(model, 0, RunTableModel::Loss), "NaN");
}

TEST_F(RunTable, AdamWMovesEverythingAndHasNoGranularity) {
    RunRow run = row("a");
    run.config.optimizer = OptimizerKind::AdamW;
    model.setRuns({run});
    EXPECT_EQ(cell(model, 0, RunTableModel::Alpha), "100 %");
    EXPECT_EQ(cell(model, 0, RunTableModel::Granularity), QString::fromUtf8("–"));
}

TEST_F(RunTable, NewsHaveADotAndBoldLettersUntilTheyAreSeen) {
    model.setRuns({row("a"), row("b")});
    model.setUnread("a", true);
    EXPECT_EQ(cell(model, 0, RunTableModel::Marks), QString::fromUtf8("●"));
    EXPECT_TRUE(model.index(0, RunTableModel::State).data(Qt::FontRole).value<QFont>().bold());
    EXPECT_EQ(cell(model, 1, RunTableModel::Marks), "");
    model.setRuns({row("a"), row("b")});
    EXPECT_EQ(cell(model, 0, RunTableModel::Marks), QString::fromUtf8("●")) << "a new list changes nothing";
    model.setUnread("a", false);
    EXPECT_EQ(cell(model, 0, RunTableModel::Marks), "");
}

TEST_F(RunTable, AQueuedRowDroppedOnAnotherAsksForItsPlace) {
    RunRow first = row("a"), second = row("b"), third = row("c"), done = row("d"), elsewhere = row("e");
    first.state = second.state = third.state = elsewhere.state = RunState::Queued;
    done.state = RunState::Finished;
    first.queuePlace = 1, second.queuePlace = 2, third.queuePlace = 3, elsewhere.queuePlace = 1;
    elsewhere.device = "another";
    model.setRuns({first, second, third, done, elsewhere});
    EXPECT_FALSE(model.flags(model.index(3, 0)).testFlag(Qt::ItemIsDragEnabled));
    ASSERT_TRUE(model.flags(model.index(2, 0)).testFlag(Qt::ItemIsDragEnabled));
    const std::unique_ptr<QMimeData> dragged(model.mimeData({model.index(2, 0)}));
    QString id;
    int by = 0;
    QObject::connect(&model, &RunTableModel::queueMoveWanted, &model, [&](const QString& run, int places) {
        id = run;
        by = places;
    });
    EXPECT_FALSE(model.canDropMimeData(dragged.get(), Qt::CopyAction, -1, -1, model.index(3, 0))) << "finished";
    EXPECT_FALSE(model.canDropMimeData(dragged.get(), Qt::CopyAction, -1, -1, model.index(4, 0))) << "the queue of another device";
    ASSERT_TRUE(model.dropMimeData(dragged.get(), Qt::CopyAction, -1, -1, model.index(0, 0)));
    EXPECT_EQ(id, "c");
    EXPECT_EQ(by, -2);
    ASSERT_TRUE(model.dropMimeData(dragged.get(), Qt::CopyAction, 1, 0, {})) << "between two rows: before the lower one";
    EXPECT_EQ(by, -1);
}

TEST_F(RunTable, SortsByNumbersNotByText) {
    model.setRuns({row("a", 9), row("b", 100), row("c", 20)});
    QSortFilterProxyModel proxy;
    proxy.setSourceModel(&model);
    proxy.setSortRole(RunTableModel::SortRole);
    proxy.sort(RunTableModel::Step);
    EXPECT_EQ(proxy.index(0, 0).data(RunTableModel::IdRole).toString(), "a");
    EXPECT_EQ(proxy.index(2, 0).data(RunTableModel::IdRole).toString(), "b");
}

class GroupedRunTable : public RunTable {
protected:
    static RunRow member(const std::string& id, const std::string& sweep) {
        RunRow run = row(id);
        run.sweepId = sweep;
        return run;
    }
    static RunRow group(const std::string& id) {
        RunRow run = row(id, 12);
        run.name = "maths-compare (sweep: 0 of 2)";
        run.sweepId = id;
        return run;
    }
};

TEST_F(GroupedRunTable, AGroupIsOneRowWithItsRunsBelow) {
    model.setRuns({row("z"), member("b", "s"), member("a", "s"), row("y")}, {group("s")});
    ASSERT_EQ(model.rowCount(), 3);
    EXPECT_EQ(cell(model, 0, RunTableModel::Name), "run z");
    EXPECT_EQ(cell(model, 1, RunTableModel::Name), "maths-compare (sweep: 0 of 2)");
    EXPECT_EQ(cell(model, 1, RunTableModel::Step), "12 / 200");
    EXPECT_EQ(cell(model, 2, RunTableModel::Name), "run y");
    const QModelIndex place = model.index(1, 0);
    EXPECT_EQ(model.rowCount(place), 2);
    EXPECT_EQ(place.data(RunTableModel::RunsRole).toStringList(), QStringList({"b", "a"}));
    EXPECT_EQ(model.index(0, 0, place).data(RunTableModel::RunsRole).toStringList(), QStringList("b"));
}

TEST_F(GroupedRunTable, AGroupIsNoRun) {
    model.setRuns({member("b", "s"), member("a", "s")}, {group("s")});
    EXPECT_EQ(model.runCount(), 2);
    EXPECT_EQ(model.run(QString("s")), nullptr);
    EXPECT_EQ(model.run(model.index(0, 0)), nullptr);
    EXPECT_TRUE(model.index(0, 0).data(RunTableModel::IdRole).toString().isEmpty());
    EXPECT_FALSE(model.index(0, 0).flags().testFlag(Qt::ItemIsEditable));
    EXPECT_EQ(model.allRuns().size(), 2u);
}

TEST_F(GroupedRunTable, AGroupGoesWithItsLastRun) {
    model.setRuns({member("b", "s"), member("a", "s"), row("z")}, {group("s")});
    const QPersistentModelIndex kept = model.indexOf("a");
    model.setRuns({member("a", "s"), row("z")}, {group("s")});
    EXPECT_TRUE(kept.isValid());
    EXPECT_EQ(model.rowCount(model.index(0, 0)), 1);
    model.setRuns({row("z")}, {group("s")});
    EXPECT_EQ(model.rowCount(), 1);
    EXPECT_EQ(cell(model, 0, RunTableModel::Name), "run z");
    EXPECT_EQ(resets.count(), 0);
}

TEST_F(GroupedRunTable, TwinsOfAGroupStandBelowItAndNotBelowTheirParent) {
    RunRow twin = member("b", "s");
    twin.parentId = "p";
    model.setRuns({twin, row("p")}, {group("s")});
    EXPECT_EQ(model.indexOf("b").parent(), model.index(0, 0));
    EXPECT_EQ(model.rowCount(model.indexOf("p")), 0);
}

}  // namespace
}  // namespace mofo
