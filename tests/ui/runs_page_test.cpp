// The Runs page: the tree, its filter, marks, trash, queue, branches, damaged and foreign stores; and the configurations of runs side by side.
#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QTableView>
#include <QTest>
#include <QTreeView>
#include <fstream>

#include "core/base/hash.h"
#include "tests/app/cli_support.h"
#include "tests/ui/ui_test_support.h"
#include "ui/controllers/run_acts.h"
#include "ui/models/run_filter.h"
#include "ui/widgets/compare_page.h"
#include "ui/widgets/first_screen.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/runs_page.h"
#include "ui/widgets/window_parts.h"

namespace mofo {
namespace {

using test::CliProcess;
using test::RecordedRun;
using test::RecordedRunOptions;
using test::UiWorkspace;
using test::waitFor;

RunRow listed(int i) {
    RunRow run;
    run.id = "run" + std::to_string(i);
    run.name = "maths " + std::to_string(i);
    run.state = i % 5 == 0 ? RunState::Finished : i % 5 == 1 ? RunState::Running : RunState::Failed;
    run.modelName = "SmolLM2-135M";
    run.config.alpha.common.from = run.config.alpha.common.to = (i % 40 + 1) / 100.0;
    run.summary.step = i;
    run.summary.loss = 2.0 - i * 0.001;
    if (i % 50 == 0) run.tags = {"paper"};
    return run;
}

// Story 3
TEST(RunFilterModel, FiltersFiveHundredRunsAtOnce) {
    RunTableModel runs;
    std::vector<RunRow> rows;
    for (int i = 0; i < 500; ++i) rows.push_back(listed(i));
    runs.setRuns(rows);
    RunFilterModel filter(&runs);
    const QAbstractItemModelTester tester(&filter, QAbstractItemModelTester::FailureReportingMode::Warning);
    QTreeView view;
    view.setModel(&filter);
    view.resize(900, 600);
    view.show();
    ASSERT_EQ(filter.rowCount(), 500);
    QElapsedTimer clock;
    clock.start();
    filter.setFilter("alpha:<0.1 state:finished");
    const int found = filter.matchCount();
    const qint64 elapsed = clock.elapsed();
    int expected = 0;
    for (const RunRow& run : rows) expected += run.state == RunState::Finished && run.config.alpha.common.from < 0.1 - 1e-9;
    EXPECT_GT(expected, 5);
    EXPECT_EQ(found, expected);
    EXPECT_EQ(filter.rowCount(), expected);
    // The limit is 100 ms; ten times that is no slow machine any more.
    EXPECT_LE(elapsed, 1000);
    std::printf("[ measured ] filter over 500 runs: %lld ms\n", static_cast<long long>(elapsed));
}

TEST(RunFilterModel, KnowsKeysComparisonsAndPlainWords) {
    const auto matches = [](const QString& text, const RunRow& run) { return RunFilter(text).matches(run); };
    RunRow run = listed(50);  // finished, alpha 0.11, loss 1.95, tag paper
    EXPECT_TRUE(matches("state:fin tag:paper", run));
    EXPECT_TRUE(matches("alpha:<=11%", run));
    EXPECT_TRUE(matches("alpha:0.11", run));
    EXPECT_FALSE(matches("alpha:<11%", run));
    EXPECT_TRUE(matches("loss:>1.9 loss:<2", run));
    EXPECT_TRUE(matches("MATHS smollm2", run));
    EXPECT_FALSE(matches("maths nothing", run));
    EXPECT_FALSE(matches("tag:other", run));
    EXPECT_FALSE(matches("eval:<9", run)) << "what was never measured matches no comparison";
    EXPECT_TRUE(matches("alpha:<", run)) << "half typed";
    EXPECT_FALSE(matches("unknown:word", run));
    run.pinned = true;
    run.parentId = "x";
    EXPECT_TRUE(matches("is:pinned is:branch", run));
    EXPECT_FALSE(matches("is:live", run));
}

TEST(RunTree, BranchesStandBelowTheirParentsAndMoveWithThem) {
    RunTableModel runs;
    const QAbstractItemModelTester tester(&runs, QAbstractItemModelTester::FailureReportingMode::Warning);
    RunRow parent = listed(1), child = listed(2), grandchild = listed(3), other = listed(4);
    child.parentId = parent.id;
    grandchild.parentId = child.id;
    runs.setRuns({grandchild, other, child, parent});
    ASSERT_EQ(runs.rowCount(), 2);
    const QModelIndex top = runs.indexOf("run1");
    EXPECT_EQ(top.row(), 1);
    ASSERT_EQ(runs.rowCount(top), 1);
    EXPECT_EQ(runs.indexOf("run3").parent(), runs.indexOf("run2"));
    EXPECT_EQ(runs.indexOf("run2").parent(), top);
    // The parent vanishes: its branch stands at the top, its own branch stays below it.
    runs.setRuns({grandchild, other, child});
    EXPECT_FALSE(runs.indexOf("run2").parent().isValid());
    EXPECT_EQ(runs.indexOf("run3").parent(), runs.indexOf("run2"));
    runs.setRuns({grandchild, other, child, parent});
    EXPECT_EQ(runs.indexOf("run2").parent(), runs.indexOf("run1"));
    // A filter keeps the parents of what it finds.
    RunFilterModel filter(&runs);
    filter.setFilter("id:run3");
    EXPECT_EQ(filter.matchCount(), 1);
    ASSERT_EQ(filter.rowCount(), 1);
    EXPECT_EQ(filter.rowCount(filter.index(0, 0)), 1);
    // Runs that are each other's parents, as only a damaged store has them, are shown all the same.
    parent.parentId = grandchild.id;
    runs.setRuns({grandchild, child, parent});
    EXPECT_EQ(runs.runCount(), 3);
}

TEST(RunTree, PinnedRunsAreOnTopAndTheBaselineIsComparedWith) {
    RunTableModel runs;
    RunRow a = listed(1), b = listed(2), c = listed(3);
    b.pinned = true;
    c.baseline = true;
    runs.setRuns({a, b, c});
    RunFilterModel filter(&runs);
    for (const Qt::SortOrder order : {Qt::AscendingOrder, Qt::DescendingOrder}) {
        filter.sort(RunTableModel::Step, order);
        EXPECT_EQ(filter.index(0, 0).data(RunTableModel::IdRole).toString(), "run2");
    }
    EXPECT_EQ(runs.indexOf("run1", RunTableModel::Loss).data().toString(), QString::fromUtf8("1.999 (+0.002)"));
    EXPECT_EQ(runs.indexOf("run3", RunTableModel::Loss).data().toString(), "1.997");
}

class RunsPageTest : public test::ClientTest {
protected:
    void show() {
        window = std::make_unique<MainWindow>(workspace().folder(), nullptr);
        window->resize(1440, 900);
        window->show();
        ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
        tree = window->findChild<QTreeView*>("runs.table");
    }
    void TearDown() override {
        window.reset();
        ClientTest::TearDown();
    }
    [[nodiscard]] bool lists(int runs) {
        return waitFor([&] { return window->session().runs().runCount() == runs; });
    }
    void select(const std::string& id) {
        for (int row = 0; row < tree->model()->rowCount(); ++row) {
            if (tree->model()->index(row, 0).data(RunTableModel::IdRole).toString().toStdString() != id) continue;
            tree->setCurrentIndex(tree->model()->index(row, 0));
            tree->setFocus();
            EXPECT_TRUE(tree->hasFocus()) << "visible " << tree->isVisible() << ", window active " << window->isActiveWindow();
            return;
        }
        FAIL() << id << " is not in the list";
    }
    RecordedRun record(const RecordedRunOptions& options, std::int64_t steps, bool finished = true) {
        auto run = RecordedRun::create(workspace(), options);
        EXPECT_OK(run);
        EXPECT_OK(run->begin());
        EXPECT_OK(run->advance(steps, false));
        if (finished) {
            EXPECT_OK(run->end(RunState::Finished, ""));
        }
        return std::move(run).value();
    }

    std::unique_ptr<MainWindow> window;
    QTreeView* tree = nullptr;
};

// Story 4
TEST_F(RunsPageTest, AltUpMovesAQueuedRunForward) {
    // As if a supervisor were there and busy: else the window starts one, and the queue moves by itself.
    std::filesystem::create_directories(workspace().deviceLock("cpu").parent_path());
    auto busy = std::optional(FileLock::tryAcquire(workspace().deviceLock("cpu")));
    ASSERT_OK(*busy);
    const auto first = start({}, false, "first"), second = start({}, false, "second");
    ASSERT_OK(first);
    ASSERT_OK(second);
    show();
    ASSERT_TRUE(lists(2));
    EXPECT_TRUE(window->session().runs().indexOf(QString::fromStdString(second->id), RunTableModel::State).data().toString().endsWith("#2"));
    select(second->id);
    QTest::keyClick(tree, Qt::Key_Up, Qt::AltModifier);
    const auto queue = [&] {
        std::vector<std::pair<std::int64_t, std::string>> places;
        const auto runs = registry().runs();
        EXPECT_OK(runs);
        for (const RunRow& run : *runs) places.emplace_back(run.queuePlace, run.name);
        std::sort(places.begin(), places.end());
        return places.front().second;
    };
    ASSERT_TRUE(waitFor([&] { return queue() == "second"; }));
    ASSERT_TRUE(waitFor(
        [&] { return window->session().runs().indexOf(QString::fromStdString(second->id), RunTableModel::State).data().toString().endsWith("#1"); }));
    EXPECT_EQ(tree->currentIndex().data(RunTableModel::IdRole).toString().toStdString(), second->id) << "the selection stays on the run";
    // Last: now a client starts the supervisor that the queue waits for.
    busy.reset();
    const auto cli = CliProcess({"queue"}).finish();
    EXPECT_EQ(cli.exitCode, 0) << cli.err;
    EXPECT_LT(cli.out.find("second"), cli.out.find("first")) << cli.out;
}

// Story 5
TEST_F(RunsPageTest, TrashTakesARunAwayAndUndoBringsItBack) {
    RecordedRun run = record({}, 20);
    const auto folder = workspace().runFolder(run.id());
    show();
    ASSERT_TRUE(lists(1));
    select(run.id());
    QTest::keyClick(tree, Qt::Key_Delete);
    ASSERT_TRUE(lists(0));
    EXPECT_TRUE(std::filesystem::exists(folder / "metrics.db"));
    auto* toast = window->findChild<Toast*>("main.toast");
    EXPECT_TRUE(toast->isVisible());
    EXPECT_TRUE(toast->text().contains("maths-a15"));
    window->findChild<RunsPage*>("runs")->setFocus();
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Z, Qt::ControlModifier);
    ASSERT_TRUE(lists(1));
    const auto row = registry().findRun(run.id());
    ASSERT_OK(row);
    EXPECT_FALSE(row->trashedNs);
    EXPECT_TRUE(std::filesystem::exists(folder / "metrics.db"));
}

TEST_F(RunsPageTest, ALiveRunCannotGoToTheTrash) {
    RecordedRun run = record({}, 5, false);
    show();
    ASSERT_TRUE(lists(1));
    select(run.id());
    QTest::keyClick(tree, Qt::Key_Delete);
    auto* message = window->findChild<QLabel*>("runs.message.text");
    ASSERT_TRUE(waitFor([&] { return message->isVisible(); }));
    EXPECT_TRUE(message->text().contains("stop it first"));
    EXPECT_FALSE(registry().findRun(run.id())->trashedNs);
    EXPECT_FALSE(window->findChild<QPushButton*>("runs.strip.trash")->isEnabled());
}

TEST_F(RunsPageTest, MarksNamesAndNotesAreWrittenAndTakenBack) {
    RecordedRun run = record({}, 10);
    show();
    ASSERT_TRUE(lists(1));
    select(run.id());
    const auto stored = [&] { return *registry().findRun(run.id()); };
    QTest::keyClick(tree, Qt::Key_P);
    ASSERT_TRUE(waitFor([&] { return stored().pinned; }));
    QTest::keyClick(tree, Qt::Key_B);
    ASSERT_TRUE(waitFor([&] { return stored().baseline && window->acts().undoText().contains("baseline"); }));
    window->acts().undo();
    ASSERT_TRUE(waitFor([&] { return !stored().baseline; }));
    EXPECT_TRUE(stored().pinned);
    QTest::keyClick(tree, Qt::Key_F2);
    auto* editor = tree->findChild<QLineEdit*>();
    ASSERT_NE(editor, nullptr);
    editor->selectAll();
    QTest::keyClicks(editor, "better name");
    // The run goes on and its row is drawn anew, while its user types.
    const QModelIndex row = tree->currentIndex();
    Q_EMIT tree->model()->dataChanged(row.siblingAtColumn(0), row.siblingAtColumn(tree->model()->columnCount() - 1));
    EXPECT_EQ(editor->text(), "better name");
    QTest::keyClick(editor, Qt::Key_Return);
    ASSERT_TRUE(waitFor([&] { return stored().name == "better name"; }));
    tree->setFocus();
    QTest::keyClick(tree, Qt::Key_F4);
    auto* note = window->findChild<QLineEdit*>("runs.strip.note");
    EXPECT_TRUE(note->hasFocus());
    QTest::keyClicks(note, "for the paper");
    QTest::keyClick(note, Qt::Key_Return);
    ASSERT_TRUE(waitFor([&] { return stored().note == "for the paper"; }));
}

TEST_F(RunsPageTest, UndoingABaselineGivesTheMarkBack) {
    RecordedRunOptions named;
    named.name = "the second";
    RecordedRun first = record({}, 10), second = record(named, 10);
    show();
    ASSERT_TRUE(lists(2));
    const auto isBaseline = [&](const RecordedRun& run) { return registry().findRun(run.id())->baseline; };
    select(first.id());
    QTest::keyClick(tree, Qt::Key_B);
    ASSERT_TRUE(waitFor([&] { return isBaseline(first); }, 20'000));
    ASSERT_TRUE(waitFor([&] { return window->session().runs().run(QString::fromStdString(first.id()))->baseline; }, 20'000));
    select(second.id());
    QTest::keyClick(tree, Qt::Key_B);
    ASSERT_TRUE(waitFor([&] { return isBaseline(second) && window->acts().undoText().contains("the second is the baseline"); }, 20'000));
    EXPECT_FALSE(isBaseline(first));
    window->acts().undo();
    ASSERT_TRUE(waitFor([&] { return isBaseline(first); }, 20'000));
    EXPECT_FALSE(isBaseline(second));
}

// Story 6
TEST_F(RunsPageTest, ADamagedRunSaysSoAndTheOthersWork) {
    RecordedRunOptions options;
    options.name = "damaged";
    std::string damaged;
    {
        RecordedRun run = record(options, 20);
        damaged = run.id();
    }
    RecordedRun good = record({}, 20);
    for (const auto& entry : std::filesystem::directory_iterator(workspace().runFolder(damaged))) {
        if (entry.path().filename().string().starts_with("metrics.db-")) std::filesystem::remove(entry.path());
    }
    test::writeFile(workspace().metricsFile(damaged), "this is no database at all, but it is long enough to be looked at as one");
    show();
    ASSERT_TRUE(lists(2));
    const auto state = [&](const std::string& id, int role = Qt::DisplayRole) {
        return window->session().runs().indexOf(QString::fromStdString(id), RunTableModel::State).data(role).toString();
    };
    ASSERT_TRUE(waitFor([&] { return state(damaged).contains("unreadable"); })) << state(damaged).toStdString();
    EXPECT_FALSE(state(damaged, Qt::ToolTipRole).isEmpty());
    EXPECT_FALSE(state(good.id()).contains("unreadable"));
    select(damaged);
    auto* detail = window->findChild<QLabel*>("runs.strip.detail");
    ASSERT_TRUE(waitFor([&] { return detail->text().startsWith('!'); }));
    select(good.id());
    ASSERT_TRUE(waitFor([&] { return detail->text().contains("finished"); })) << detail->text().toStdString();
}

// Story 7
TEST_F(RunsPageTest, AWorkspaceOfANewerVersionIsRefusedAndLeftAlone) {
    m_registry.reset();
    const auto file = workspace().registryFile();
    const char was = test::readFile(file)[63];
    {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(60);  // SQLite's user_version, big-endian
        const char version[] = {0, 0, 0, 99};
        stream.write(version, sizeof version);
    }
    const std::string before = sha256Hex(test::readFile(file));
    show();
    const auto put = [&](char version) {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(63);
        stream.put(version);
    };
    auto* problem = window->findChild<QLabel*>("runs.problem");
    ASSERT_TRUE(waitFor([&] { return problem->isVisible(); }));
    EXPECT_TRUE(problem->text().contains("99")) << problem->text().toStdString();
    EXPECT_TRUE(problem->text().contains(QRegularExpression("\\b[1-9]\\b"))) << problem->text().toStdString();
    EXPECT_TRUE(window->findChild<QPushButton*>("runs.otherWorkspace")->isVisible());
    test::spin(1200);
    window.reset();
    EXPECT_EQ(sha256Hex(test::readFile(file)), before);
    put(was);
    auto again = Registry::open(workspace(), Registry::Access::ReadWrite);
    ASSERT_OK(again);
    m_registry.emplace(std::move(again).value());
}

// Story 28
TEST_F(RunsPageTest, ABranchStandsBelowItsParentWithItsChange) {
    const auto parent = start({{"steps", "20"}, {"checkpoint_every", "10"}}, true, "parent");
    ASSERT_OK(parent);
    ASSERT_TRUE(reaches(parent->id, RunState::Finished));
    show();
    ASSERT_TRUE(lists(1));
    const auto before = registry().findRun(parent->id);
    ASSERT_OK(before);
    select(parent->id);
    window->acts().branch(*before, {"alpha=0.05"});
    ASSERT_TRUE(lists(2)) << window->findChild<QLabel*>("runs.message.text")->text().toStdString();
    const QModelIndex top = window->session().runs().indexOf(QString::fromStdString(parent->id));
    ASSERT_EQ(window->session().runs().rowCount(top), 1);
    const RunRow* child = window->session().runs().run(window->session().runs().index(0, 0, top));
    ASSERT_NE(child, nullptr);
    EXPECT_EQ(child->config.alpha.common.from, 0.05);
    EXPECT_EQ(child->parentId, parent->id);
    const auto after = registry().findRun(parent->id);
    ASSERT_OK(after);
    EXPECT_EQ(after->config, before->config);
    EXPECT_EQ(after->state, RunState::Finished);
    EXPECT_EQ(after->summary.step, before->summary.step);
    EXPECT_TRUE(reaches(child->id, RunState::Finished));
}

TEST_F(RunsPageTest, SpaceSelectsForComparingAndArrowsLeaveItAlone) {
    std::vector<std::string> ids;
    for (const char* name : {"a", "b", "c"}) {
        RecordedRunOptions options;
        options.name = name;
        ids.push_back(record(options, 5).id());
    }
    show();
    ASSERT_TRUE(lists(3));
    ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
    QTest::keyClick(window.get(), Qt::Key_1, Qt::ControlModifier);
    EXPECT_EQ(window->focusWidget(), tree) << "no Tab and no click is needed";
    const auto row = [&](int index) { return tree->model()->index(index, 0).data(RunTableModel::IdRole).toString(); };
    QTest::keyClick(tree, Qt::Key_Home);
    QTest::keyClick(tree, Qt::Key_Space);
    QTest::keyClick(tree, Qt::Key_Down);
    QTest::keyClick(tree, Qt::Key_Down);
    QTest::keyClick(tree, Qt::Key_Space);
    auto* page = window->findChild<RunsPage*>("runs");
    QStringList selected = page->selectedIds();
    selected.sort();
    QStringList expected{row(0), row(2)};
    expected.sort();
    EXPECT_EQ(selected, expected);
    QTest::keyClick(tree, Qt::Key_Space);
    EXPECT_EQ(page->selectedIds(), QStringList{row(0)});
    QTest::keyClick(tree, Qt::Key_Escape);
    EXPECT_EQ(page->selectedIds(), QStringList{row(2)});
    QTest::keyClick(tree, Qt::Key_Up);
    EXPECT_EQ(page->selectedIds(), QStringList{row(1)}) << "arrows select again";
}

// Story 56
TEST_F(RunsPageTest, NamesAreShownAsPlainEscapedText) {
    RecordedRunOptions options;
    options.name = "<b>x</b>\x1b[31m\u202e";
    RecordedRun run = record(options, 12);
    show();
    ASSERT_TRUE(lists(1));
    const QString escaped = QString::fromUtf8("<b>x</b>\\x1b[31m\\u202e");
    EXPECT_EQ(tree->model()->index(0, 0).data().toString(), escaped);
    EXPECT_FALSE(tree->model()->index(0, 0).data(Qt::ToolTipRole).toString().contains("<b>")) << "a tooltip would take it for markup";
    window->openRun(QString::fromStdString(run.id()));
    ASSERT_TRUE(waitFor([&] { return window->windowTitle().startsWith(escaped); })) << window->windowTitle().toStdString();
    EXPECT_TRUE(window->findChild<QComboBox*>("main.runChoice")->currentText().endsWith(escaped));
    for (const QLabel* label : window->findChildren<QLabel*>()) {
        EXPECT_FALSE(label->text().contains(QChar(0x1b)) || label->text().contains(QChar(0x202e))) << label->objectName().toStdString();
        if (label->text().contains("<b>x")) {
            EXPECT_EQ(label->textFormat(), Qt::PlainText) << label->objectName().toStdString();
        }
    }
}

// Story 41
TEST_F(RunsPageTest, ConfigDiffShowsExactlyWhatDiffersAndTheLiveChange) {
    RecordedRunOptions options;
    RecordedRun a = record(options, 20, false);
    CommandRow command;
    command.uuid = "00000000-0000-4000-8000-000000000001";
    command.runId = a.id();
    command.kind = "set";
    command.payload = Json{{"alpha", "0.05"}};
    command.who = "cli";
    ASSERT_OK(a.registry().addCommand(command));
    ASSERT_OK(a.advance(5));
    options.name = "other";
    options.alpha = 0.05;
    RecordedRun b = record(options, 20);
    auto other = registry().initialRunConfig(b.id());
    ASSERT_OK(other);
    show();
    ASSERT_TRUE(lists(2));
    tree->setFocus();
    tree->setCurrentIndex(tree->model()->index(0, 0));
    QTest::keyClick(tree, Qt::Key_Down, Qt::ShiftModifier);
    auto* compare = window->findChild<QPushButton*>("runs.compare");
    ASSERT_TRUE(compare->isEnabled());
    EXPECT_EQ(compare->text(), "Compare 2 selected");
    QTest::keyClick(tree, Qt::Key_Return, Qt::ControlModifier);
    auto* page = window->findChild<ComparePage*>("compare");
    ASSERT_TRUE(waitFor([&] { return page->runs().runs().size() == 2 && page->isVisible(); }, 20'000)) << "both are drawn over one another";
    QTest::keyClick(page, Qt::Key_2);
    auto* table = window->findChild<QTableView*>("compare.diff");
    ASSERT_TRUE(waitFor([&] { return table->isVisible() && table->model()->rowCount() > 0; }));
    QStringList keys;
    for (int row = 0; row < table->model()->rowCount(); ++row) keys << table->model()->index(row, 0).data().toString();
    EXPECT_EQ(keys, QStringList{"alpha"});
    QStringList cells{table->model()->index(0, 1).data().toString(), table->model()->index(0, 2).data().toString()};
    cells.sort();
    EXPECT_EQ(cells, (QStringList{QString::fromUtf8("15 % → 5 % @21"), "5 %"}));
}

TEST(ConfigDiff, NamesTheKeysThatDifferAndWhatIsUnfair) {
    ConfigDiffModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Warning);
    ComparedRun a, b;
    a.name = "a";
    b.name = "b";
    b.config.alpha.common.from = b.config.alpha.common.to = 0.05;
    b.config.seed = 7;
    b.changes = {{"alpha", "0.05", "0.2", 120}};
    model.setRuns({a, b});
    QStringList rows;
    for (int row = 0; row < model.rowCount(); ++row) {
        rows << model.index(row, 0).data().toString() + ": " + model.index(row, 1).data().toString() + " | " + model.index(row, 2).data().toString();
    }
    EXPECT_EQ(rows, (QStringList{"seed: 42 | 7", QString::fromUtf8("alpha: 15 % | 5 % → 20 % @120")}));
    ASSERT_EQ(model.unfairness().size(), 1);
    EXPECT_TRUE(model.unfairness()[0].contains("order"));
    model.setShowAll(true);
    EXPECT_GT(model.rowCount(), 40);
}

}  // namespace
}  // namespace mofo
