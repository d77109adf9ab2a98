#include "core/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "core/base/clock.h"
#include "core/report/comparison.h"
#include "core/report/html.h"
#include "core/report/tables_out.h"
#include "tests/core/report/report_support.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

using testing::HasSubstr;
using testing::Not;

class Report : public testing::Test {
protected:
    Report() : m_workspace(*Workspace::openOrCreate(m_folder / "w", false)) {}
    std::string add(const std::string& name, test::ProbedRunOptions options = {}) {
        options.run.name = name;
        const auto id = test::addProbedRun(m_workspace, options);
        EXPECT_TRUE(id.ok()) << id.error().text();
        if (id.ok()) m_ids.push_back(*id);
        return id.ok() ? *id : std::string();
    }
    std::vector<RunRow> runs() {
        const auto registry = Registry::open(m_workspace, Registry::Access::ReadOnly);
        std::vector<RunRow> rows;
        for (const std::string& id : m_ids) rows.push_back(*registry->findRun(id));
        return rows;
    }
    report::Document document(report::ReportOptions options = {.date = "2026-01-31 10:00"}) {
        const auto registry = Registry::open(m_workspace, Registry::Access::ReadOnly);
        auto built = report::buildReport(m_workspace, *registry, runs(), options);
        EXPECT_TRUE(built.ok()) << built.error().text();
        return built.ok() ? *built : report::Document{};
    }
    report::Comparison comparison() {
        const auto registry = Registry::open(m_workspace, Registry::Access::ReadOnly);
        auto records = report::readRuns(m_workspace, *registry, runs());
        return report::compareRuns(std::move(*records), 0);
    }
    static std::string verdict(const report::Document& document) {
        std::string text;
        for (const Json& line : document.results["verdict"]) text += line.get<std::string>() + '\n';
        return text;
    }
    test::TemporaryFolder m_folder;
    Workspace m_workspace;
    std::vector<std::string> m_ids;
};

const report::RunDifference& found(const report::Comparison& comparison, const std::string& key) {
    const report::RunDifference* difference = comparison.difference(1, key);
    EXPECT_NE(difference, nullptr) << key;
    static const report::RunDifference none;
    return difference != nullptr ? *difference : none;
}

TEST_F(Report, TheVerdictComparesForgettingAtEqualLearning) {
    add("fast", {.taskDrop = 0.5, .generalRise = 0.08});
    add("slow", {.taskDrop = 0.25, .generalRise = 0.01});
    const report::Document written = document();
    const Json& equal = written.results["at_equal_task_loss"];
    ASSERT_TRUE(equal.is_object());
    EXPECT_EQ(equal["task_loss"], comparison().runs[1].find(equal["task_measure"])->last()->value) << "the most that both learned";
    EXPECT_THAT(verdict(written), HasSubstr("At equal learning. Where the held-out task loss first came down to"));
    EXPECT_THAT(verdict(written), HasSubstr("the most that every run learned"));
    report::ReportOptions options{.date = "2026-01-31 10:00"};
    options.taskLoss = 0.01;
    EXPECT_THAT(verdict(document(options)), HasSubstr("B has no place there (not reached"));
}

TEST_F(Report, PairsAccuraciesItemByItem) {
    add("adamw", {.lostAnswers = 0});
    add("mofo", {.lostAnswers = 12, .wonAnswers = 3});
    const report::RunDifference& piqa = found(comparison(), "piqa/acc");
    EXPECT_EQ(piqa.difference.paired.counts.onlyA, 12);
    EXPECT_EQ(piqa.difference.paired.counts.onlyB, 3);
    EXPECT_NEAR(piqa.difference.paired.p, 0.03515625, 1e-12);
    EXPECT_NEAR(piqa.difference.paired.difference, -9.0 / 200, 1e-12);
    EXPECT_EQ(piqa.finding, Finding::Worse);
}

TEST_F(Report, PairsHeldOutLossesByTheirTokens) {
    add("adamw", {.taskDrop = 0.5});
    add("mofo", {.taskDrop = 0.4});
    const report::RunDifference& loss = found(comparison(), "held-out/loss");
    EXPECT_NEAR(loss.difference.paired.difference, 0.1, 0.002);
    EXPECT_TRUE(loss.difference.paired.interval.known());
    EXPECT_EQ(loss.difference.paired.interval.n, 40);
    EXPECT_EQ(loss.finding, Finding::Worse);
}

TEST_F(Report, CallsNothingBetterThatIsEqual) {
    add("one");
    add("two");
    const report::Document report = document();
    EXPECT_THAT(verdict(report), Not(HasSubstr("learned more")));
    EXPECT_THAT(verdict(report), Not(HasSubstr("forgot less")));
    EXPECT_THAT(verdict(report), HasSubstr("the interval holds zero, so neither is called better"));
}

TEST_F(Report, SaysWhoForgotLess) {
    add("adamw", {.generalRise = 0.20});
    add("mofo", {.generalRise = 0.05});
    EXPECT_THAT(verdict(document()), HasSubstr("forgot less"));
}

TEST_F(Report, OfOneHeldOutItemSaysThatThereIsNoInterval) {
    add("adamw", {.probes = false, .evalItems = 1});
    add("mofo", {.taskDrop = 0.1, .probes = false, .evalItems = 1});
    EXPECT_THAT(report::htmlOf(document()), HasSubstr("no 95 % interval: n = 1"));
}

TEST_F(Report, WithoutProbesStillComparesLossSelectionAndDrift) {
    add("adamw", {.probes = false});
    add("mofo", {.taskDrop = 0.1, .probes = false});
    const report::Document report = document();
    const std::string html = report::htmlOf(report);
    EXPECT_THAT(verdict(report), testing::AllOf(HasSubstr("95 % interval"), HasSubstr("no run has a probe marked general")));
    EXPECT_THAT(html, testing::AllOf(HasSubstr("Training loss"), HasSubstr("share of coordinates moved"), HasSubstr("relative L2 distance"),
                                     HasSubstr("no general probe")));
    EXPECT_EQ(report.results["tradeoffs"].size(), 0u);
}

TEST_F(Report, ListsARunThatCannotBePlaced) {  // ui.md, story 40
    add("adamw");
    add("mofo");
    add("bare", {.probes = false});
    const report::Comparison compared = comparison();
    ASSERT_FALSE(compared.views.empty());
    for (const report::TradeoffView& view : compared.views) {
        std::set<std::size_t> placed;
        for (const report::PlacedPoint& point : view.points) placed.insert(point.run);
        EXPECT_EQ(placed, (std::set<std::size_t>{0, 1}));
        ASSERT_EQ(view.unplaced.size(), 1u);
        EXPECT_EQ(view.unplaced[0], (std::pair<std::size_t, std::string>(2, "no general probe")));
    }
    EXPECT_THAT(report::htmlOf(document()), HasSubstr("C bare: no general probe"));
}

TEST_F(Report, PlacesEveryProbedStepAgainstTheBase) {
    add("mofo", {.taskDrop = 0.4, .generalRise = 0.05});
    const report::Comparison compared = comparison();
    ASSERT_EQ(compared.views.size(), 3u);
    const report::TradeoffView& view = compared.views[0];
    ASSERT_EQ(view.points.size(), 2u);
    EXPECT_EQ(view.points[0].step, 50);
    EXPECT_NEAR(view.points[1].learning.value, 0.4, 0.01);
    EXPECT_NEAR(view.points[1].forgetting.value, 0.05, 0.01);
    EXPECT_LE(view.points[1].forgetting.low, view.points[1].forgetting.value);
    EXPECT_GE(view.points[1].forgetting.high, view.points[1].forgetting.value);
}

const report::Figure* figureOf(const report::Document& document, const std::string& name) {
    for (const report::Section& section : document.sections) {
        for (const report::Block& block : section.blocks) {
            const auto* figure = std::get_if<report::Figure>(&block);
            if (figure != nullptr && figure->name == name) return figure;
        }
    }
    return nullptr;
}

TEST_F(Report, DrawsForgettingOverTheDriftOfTheSameSteps) {  // C18
    add("adamw", {.run = {.statsEvery = 10}});
    add("mofo", {.run = {.statsEvery = 10}, .taskDrop = 0.1});
    const report::Comparison compared = comparison();
    const report::Document report = document();
    const report::Figure* figure = figureOf(report, "drift-forgetting");
    ASSERT_NE(figure, nullptr);
    ASSERT_EQ(figure->panels.size(), compared.views.size());
    for (std::size_t view = 0; view < compared.views.size(); ++view) {
        const auto& chart = std::get<report::XyChart>(figure->panels[view]);
        EXPECT_TRUE(chart.logX);
        ASSERT_EQ(chart.series.size(), 2u);
        for (std::size_t run = 0; run < 2; ++run) {
            std::vector<std::pair<double, double>> expected, drawn;
            for (const report::PlacedPoint& point : compared.views[view].points) {
                if (point.run == run) expected.emplace_back(compared.runs[run].layers.wholeDriftAt(point.step), point.forgetting.value);
            }
            for (const report::Point& point : chart.series[run].points) drawn.emplace_back(point.x, point.y);
            EXPECT_EQ(expected.size(), 2u);
            EXPECT_EQ(drawn, expected);
        }
    }
    EXPECT_TRUE(std::isnan(compared.runs[0].layers.wholeDriftAt(7))) << "no statistics at that step";
}

TEST_F(Report, DrawsTheMedianThresholdBetweenTheLeastAndTheGreatest) {  // C9
    const std::string id = add("mofo", {.run = {.statsEvery = 50}});
    const auto reader = MetricsReader::open(m_workspace.metricsFile(id));
    ASSERT_OK(reader);
    const auto parameters = reader->parameters();
    const auto rows = reader->tensorsAfter(0);
    ASSERT_OK(parameters);
    ASSERT_OK(rows);
    const report::LayerHistory layers = comparison().runs[0].layers;
    ASSERT_EQ(layers.threshold.size(), rows->size());
    ASSERT_FALSE(rows->empty());
    for (std::size_t column = 0; column < rows->size(); ++column) {
        std::vector<double> own;
        for (std::size_t i = 0; i < parameters->size(); ++i) {
            if ((*parameters)[i].filtered) own.push_back(static_cast<double>((*rows)[column].threshold[i]));
        }
        std::size_t below = 0, above = 0;
        for (const double value : own) {
            below += value < layers.threshold[column] ? 1u : 0u;
            above += value > layers.threshold[column] ? 1u : 0u;
        }
        EXPECT_EQ(below, above);
        EXPECT_EQ(layers.thresholdLow[column], *std::min_element(own.begin(), own.end()));
        EXPECT_EQ(layers.thresholdHigh[column], *std::max_element(own.begin(), own.end()));
    }
    const report::Document report = document();
    const report::Figure* figure = figureOf(report, "movement");
    ASSERT_NE(figure, nullptr);
    EXPECT_EQ(std::get<report::XyChart>(figure->panels.back()).title, "Threshold");
}

TEST_F(Report, NamesExactlyTheKeysThatDiffer) {
    test::ProbedRunOptions other;
    other.run.alpha = 0.05;
    add("a15");
    add("a05", other);
    const report::Comparison compared = comparison();
    ASSERT_EQ(compared.differing.size(), 1u);
    EXPECT_EQ(compared.differing[0].key, "alpha");
    EXPECT_EQ(compared.differing[0].values, (std::vector<std::string>{"0.15", "0.05"}));
}

TEST_F(Report, TellsNoAlphaOfARunThatSelectsNothing) {
    test::ProbedRunOptions adamw;
    adamw.run.optimizer = "adamw";
    add("adamw", adamw);
    add("a15");
    std::map<std::string, std::vector<std::string>> differing;
    for (const report::DifferingKey& key : comparison().differing) differing[key.key] = key.values;
    EXPECT_EQ(differing["optimizer"], (std::vector<std::string>{"adamw", "mofo"}));
    EXPECT_EQ(differing["alpha"], (std::vector<std::string>{"\u2013", "0.15"}));
}

TEST_F(Report, SaysThatBaseModelsDiffer) {
    add("small");
    add("large", {.model = "ffff"});
    EXPECT_THAT(verdict(document()), HasSubstr("different base models"));
}

TEST_F(Report, SaysThatARunHasNotEnded) {
    add("done");
    add("on", {.end = false});
    const auto registry = Registry::open(m_workspace, Registry::Access::ReadOnly);
    std::vector<RunRow> rows = runs();
    rows[1].state = RunState::Running;
    const auto built = report::buildReport(m_workspace, *registry, rows, {});
    ASSERT_TRUE(built.ok());
    EXPECT_THAT(verdict(*built), HasSubstr("B has not ended (running): its numbers are those of step 100"));
}

TEST_F(Report, OfADamagedRunSaysSoAndShowsTheOthers) {
    add("whole");
    const std::string broken = add("broken");
    std::ofstream(m_workspace.metricsFile(broken), std::ios::binary | std::ios::trunc) << "this is no database";
    std::filesystem::remove(m_workspace.metricsFile(broken).string() + "-wal");
    const report::Document report = document();
    EXPECT_THAT(verdict(report), HasSubstr("B: its measurements cannot be read whole"));
    EXPECT_THAT(verdict(report), HasSubstr("A ended at"));
}

TEST_F(Report, IsTheSameBytesButForTheDate) {
    add("adamw");
    add("mofo", {.taskDrop = 0.3});
    const auto without = [](std::string text, const std::string& date) { return text.replace(text.find(date), date.size(), ""); };
    const report::Document first = document({.date = "2026-01-31 10:00"}), second = document({.date = "2026-02-01 11:11"});
    EXPECT_EQ(without(report::htmlOf(first), "2026-01-31 10:00"), without(report::htmlOf(second), "2026-02-01 11:11"));
    EXPECT_EQ(without(report::jsonOf(first), "2026-01-31 10:00"), without(report::jsonOf(second), "2026-02-01 11:11"));
    EXPECT_EQ(report::csvOf(first), report::csvOf(second));
}

TEST_F(Report, NeedsNothingFromElsewhere) {
    add("adamw");
    const std::string html = report::htmlOf(document());
    for (const char* remote : {"<script", "src=", "href=", "url(", "@import", "https://"}) EXPECT_EQ(html.find(remote), std::string::npos) << remote;
    EXPECT_THAT(html, testing::AllOf(HasSubstr("prefers-color-scheme:dark"), HasSubstr("@media print")));
}

TEST_F(Report, AggregatesSeedsWithTheirSpread) {
    test::ProbedRunOptions one, two, three;
    one.run.seed = 1, two.run.seed = 2, three.run.seed = 3;
    one.taskDrop = 0.3, two.taskDrop = 0.4, three.taskDrop = 0.5;
    add("s1", one);
    add("s2", two);
    add("s3", three);
    const report::Comparison compared = comparison();
    ASSERT_EQ(compared.groups.size(), 1u);
    EXPECT_EQ(compared.groups[0].runs, (std::vector<std::size_t>{0, 1, 2}));
    EXPECT_THAT(report::htmlOf(document()), HasSubstr("Repeats: runs that differ in their seed alone"));
    EXPECT_THAT(verdict(document()), Not(HasSubstr("n = 1 run")));
}

TEST_F(Report, ShowsAnswersBesideThoseOfTheBase) {
    add("mofo");
    const std::string html = report::htmlOf(document());
    EXPECT_THAT(html, testing::AllOf(HasSubstr("What is 3 x 14?"), HasSubstr("The answer is 42."), HasSubstr("A mofo @100")));
}

TEST_F(Report, DrawsALandscape) {
    add("mofo");
    Json points = Json::array();
    for (int i = -20; i <= 20; ++i) points.push_back({{"t", i / 10.0}, {"task_loss", 1.0 + i * i * 0.01}, {"general_loss", 2.0}});
    const std::string html = report::htmlOf(document({.landscapes = {{"A mofo", {{"points", points}}}}}));
    EXPECT_THAT(html, HasSubstr("Loss along the line from the base"));
}

TEST_F(Report, OfNoRunsOrTooManyIsRefused) {
    const auto registry = Registry::open(m_workspace, Registry::Access::ReadOnly);
    EXPECT_EQ(report::buildReport(m_workspace, *registry, {}, {}).error().code, ErrorCode::Usage);
    EXPECT_EQ(report::buildReport(m_workspace, *registry, std::vector<RunRow>(27), {}).error().code, ErrorCode::Usage);
}

TEST_F(Report, StoresNumbersAsMeasured) {  // ui.md, story 49
    add("mofo");
    const report::Document report = document();
    const Json heldOut = report.results["from_base"][0];
    EXPECT_EQ(heldOut["measure"], "held-out/loss");
    const auto registry = Registry::open(m_workspace, Registry::Access::ReadOnly);
    const auto reader = MetricsReader::open(m_workspace.metricsFile(m_ids[0]));
    const auto evals = reader->evalsAfter(0);
    std::map<std::int64_t, double> losses;  // the newest of each step counts
    for (const EvalRow& row : *evals) losses[row.step] = row.loss;
    EXPECT_NEAR(heldOut["from"].get<double>(), losses.at(0), 1e-6);
    EXPECT_NEAR(heldOut["to"].get<double>(), losses.at(100), 1e-6);
}

TEST(WriteReportFile, ReplacesTheOldOneAndLeavesNothingBeside) {
    const test::TemporaryFolder folder;
    ASSERT_OK(report::writeReportFile(folder / "r.html", "old"));
    ASSERT_OK(report::writeReportFile(folder / "r.html", "new"));
    EXPECT_EQ(test::readFile(folder / "r.html"), "new");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(WriteReportFile, RefusesAPathThatCannotBeWritten) {
    const test::TemporaryFolder folder;
    const auto missing = report::writeReportFile(folder / "none" / "r.html", "x");
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_THAT(missing.error().text(), HasSubstr("Make it first"));
    const auto directory = report::writeReportFile(folder.path(), "x");
    ASSERT_FALSE(directory.ok());
    EXPECT_THAT(directory.error().text(), HasSubstr("it is a folder"));
    ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
    EXPECT_FALSE(report::writeReportFile(folder / "pipe", "x").ok());
}

}  // namespace
}  // namespace mofo
