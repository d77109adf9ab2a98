// The maps of selection and drift: rows shared, opened into tensors, idle ones marked; they outlive a change of granularity.
#include "ui/widgets/map_chart.h"

#include <gtest/gtest.h>

#include <QComboBox>
#include <QTableView>
#include <QTest>
#include <cmath>
#include <limits>

#include "core/client/run_json.h"
#include "tests/ui/ui_test_support.h"
#include "ui/models/tensor_table_model.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/qcustomplot.h"
#include "ui/widgets/run_charts.h"
#include "ui/widgets/run_page.h"

namespace mofo {
namespace {

using test::RecordedRun;
using test::RecordedRunOptions;
using test::UiWorkspace;
using test::waitFor;

class Maps : public testing::Test {
protected:
    void open(const RecordedRunOptions& options, std::int64_t steps) {
        run.emplace(workspace.record(options, steps));
        window = std::make_unique<MainWindow>(workspace.folder(), nullptr);
        window->resize(1440, 1000);
        window->openRun(QString::fromStdString(run->id()));
        window->show();
        ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
        ASSERT_TRUE(waitFor([&] { return window->session().run().newestStep() == steps && window->session().run().isComplete(); }));
        selection = window->findChild<MapChart*>("run.selection");
        drift = window->findChild<MapChart*>("run.drift");
        rows = window->findChild<MapRows*>();
        ASSERT_TRUE(waitFor([&] { return drift->drawCount() > 0; }));
    }
    const RunData& data() { return window->session().run(); }

    UiWorkspace workspace;
    std::optional<RecordedRun> run;
    std::unique_ptr<MainWindow> window;
    MapChart* selection = nullptr;
    MapChart* drift = nullptr;
    MapRows* rows = nullptr;
};

TEST(MeasuredRows, AreWhatEachRowComesToAlone) {
    const auto same = [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    const std::vector<ParameterRow> parameters = test::smolParameters();
    TensorRow measured;
    measured.step = 1;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const auto x = static_cast<float>(1.5 + std::sin(static_cast<double>(i)));
        std::uint32_t more = 0;
        for (auto* counts : {&measured.selected, &measured.masked, &measured.changed, &measured.changedBf16})
            counts->push_back(static_cast<std::uint32_t>(1000 * x) + ++more);
        for (auto* values : {&measured.threshold, &measured.driftL2, &measured.driftL1, &measured.driftMax, &measured.churn, &measured.coverage,
                             &measured.squaredUpdate})
            values->push_back(x);
    }
    measured.churn[7] = std::numeric_limits<float>::quiet_NaN();
    TensorRow partly;
    partly.selected.assign(5, 3);
    partly.driftL2.assign(5, 2);
    std::vector<MapRows::Row> rows(4);
    for (std::uint32_t i = 0; i < parameters.size(); ++i) rows[0].parameters.push_back(i);
    rows[1].parameters = {1, 2, 7, 8, 9};
    rows[2].parameters = {9};
    for (std::size_t r = 0; r < 3; ++r)
        for (const std::uint32_t i : rows[r].parameters) rows[r].filtered = rows[r].filtered || parameters[i].filtered;
    std::vector<float> values(rows.size());
    for (int measure = 0; measure <= static_cast<int>(MapMeasure::ChangedBf16); ++measure) {
        const auto which = static_cast<MapMeasure>(measure);
        MeasuredRows all(which, parameters, rows);
        for (const TensorRow& row : {measured, partly, TensorRow{}}) {
            all.read(row, values.data());
            for (std::size_t r = 0; r < rows.size(); ++r) {
                const auto alone = static_cast<float>(measureOf(which, row, parameters, rows[r].parameters, rows[r].filtered));
                EXPECT_TRUE(same(values[r], alone)) << "measure " << measure << " row " << r << ": " << values[r] << " and " << alone;
            }
        }
    }
}

TEST_F(Maps, AnOpenedLayerShowsItsTensorsInBothAndNamesThemAsTheCommandLineDoes) {
    open({}, 60);
    const std::size_t before = rows->rows().size();
    ASSERT_EQ(before, 32u);  // embedding, 30 layers, final norm
    // By keyboard on one map: down to L07, Enter.
    selection->setFocus();
    for (int i = 0; i < 9; ++i) QTest::keyClick(selection, Qt::Key_Down);
    EXPECT_EQ(rows->rows()[static_cast<std::size_t>(rows->current())].label, "L07");
    QTest::keyClick(selection, Qt::Key_Return);
    ASSERT_EQ(rows->rows().size(), before + 9);
    selection->drawIfNeeded();
    drift->drawIfNeeded();
    EXPECT_EQ(selection->rowsInView(), drift->rowsInView());
    const Registry registry = std::move(Registry::open(workspace.workspace(), Registry::Access::ReadOnly)).value();
    const RunDetail detail = std::move(readRunDetail(workspace.workspace(), registry, *data().run(), false)).value();
    const Json json = runDetailJson(detail);
    const std::string text = json.dump();
    for (std::size_t i = 9; i < 18; ++i) {
        EXPECT_TRUE(rows->rows()[i].isTensor);
        EXPECT_NE(text.find('"' + rows->rows()[i].title.toStdString() + '"'), std::string::npos) << rows->rows()[i].title.toStdString();
    }
    // The same values as stored.
    const TensorRow& newest = data().tensors().back();
    const std::uint32_t parameter = rows->rows()[9].parameters.front();
    EXPECT_DOUBLE_EQ(selection->valueAt(9, 60), newest.selected[parameter] / static_cast<double>(data().parameters()[parameter].size));
    EXPECT_NEAR(drift->valueAt(9, 60), newest.driftL2[parameter] / data().parameters()[parameter].pretrainedL2, 1e-9);
    // And closed by the other map.
    drift->setFocus();
    QTest::keyClick(drift, Qt::Key_Return);
    EXPECT_EQ(rows->rows().size(), before);
}

TEST_F(Maps, ScrollIsShared) {
    open({}, 30);
    for (int i = 31; i >= 1; --i) rows->toggle(i);
    ASSERT_GT(rows->rows().size(), 250u);
    selection->drawIfNeeded();
    const int shown = selection->rowsInView().second;
    ASSERT_LT(shown, 200);
    selection->setFocus();
    QTest::keyClick(selection, Qt::Key_PageDown);
    QTest::keyClick(selection, Qt::Key_PageDown);
    drift->drawIfNeeded();
    EXPECT_EQ(selection->rowsInView().first, 16);
    EXPECT_EQ(drift->rowsInView().first, 16);
}

TEST_F(Maps, AChangeOfGranularityBreaksNoRow) {
    open({}, 40);
    CommandRow command;
    command.uuid = "22222222-2222-4222-8222-222222222222";
    command.runId = run->id();
    command.kind = "set";
    command.payload = Json{{"granularity", "model"}};
    command.who = "cli";
    ASSERT_OK(run->registry().addCommand(command));
    ASSERT_OK(run->advance(40));
    ASSERT_TRUE(waitFor([&] { return data().newestStep() == 80; }));
    selection->drawIfNeeded();
    EXPECT_EQ(rows->rows().size(), 32u);
    EXPECT_TRUE(std::isfinite(selection->valueAt(5, 10)));
    EXPECT_TRUE(std::isfinite(selection->valueAt(5, 80)));
    auto* strip = window->findChild<AlphaStrip*>("run.alphaStrip");
    ASSERT_TRUE(waitFor([&] { return strip->segments().size() == 2; }));
    EXPECT_EQ(strip->segments()[0].label, "tensor (paper)");
    EXPECT_EQ(strip->segments()[0].to, 40);
    EXPECT_EQ(strip->segments()[1].label, "model");
    EXPECT_EQ(strip->segments()[1].from, 41);
    // The threshold of many tensors is a line with a band around it.
    const SeriesBuffer& median = data().series().of(SeriesId::ThresholdMedian);
    const SeriesBuffer& low = data().series().of(SeriesId::ThresholdLow);
    const SeriesBuffer& high = data().series().of(SeriesId::ThresholdHigh);
    ASSERT_EQ(median.size(), data().tensors().size());
    for (std::size_t i = 0; i < median.size(); ++i) {
        EXPECT_LT(low.value(i), median.value(i));
        EXPECT_GT(high.value(i), median.value(i));
    }
}

TEST_F(Maps, RowsThatNoTokenTouchedAreIdle) {
    open({}, 40);
    // The mask chose 15 % of the embedding, momentum was there for less.
    const TensorRow& newest = data().tensors().back();
    const double size = static_cast<double>(data().parameters()[0].size);
    EXPECT_LT(newest.selected[0] / size, 0.05);
    EXPECT_NEAR(newest.masked[0] / size, 0.15, 1e-3);
    EXPECT_TRUE(rows->isIdle(rows->rows()[0], newest));
    EXPECT_FALSE(rows->isIdle(rows->rows()[5], newest));
    rows->setCurrent(0);
    EXPECT_TRUE(selection->readout().contains("idle rows")) << selection->readout().toStdString();
    selection->setMeasure(MapMeasure::MaskShare);
    EXPECT_NEAR(selection->valueAt(0, 40), 0.15, 1e-3);
    auto* kinds = window->findChild<QTableView*>("run.step.kinds");
    EXPECT_EQ(kinds->model()->index(0, KindTableModel::Kind).data().toString(), "embed ◌");
    EXPECT_TRUE(kinds->model()->index(0, 0).data(KindTableModel::IdleRole).toBool());
    EXPECT_FALSE(kinds->model()->index(1, 0).data(KindTableModel::IdleRole).toBool());
    // By layer the bars are of layers.
    auto* grouping = window->findChild<QComboBox*>("run.step.grouping");
    grouping->setCurrentIndex(1);
    Q_EMIT grouping->activated(1);
    EXPECT_EQ(kinds->model()->rowCount(), 32);
    EXPECT_NEAR(kinds->model()->index(3, KindTableModel::Share).data(KindTableModel::ValueRole).toDouble(), 0.15, 1e-3);
}

TEST_F(Maps, MeasuresAreThoseOfTheStore) {
    open({}, 40);
    const TensorRow& newest = data().tensors().back();
    rows->toggle(1);
    const std::uint32_t q = rows->rows()[2].parameters.front();
    const auto size = static_cast<double>(data().parameters()[q].size);
    const auto value = [&](MapChart* map, MapMeasure measure) {
        map->setMeasure(measure);
        return map->valueAt(2, 40);
    };
    EXPECT_FLOAT_EQ(static_cast<float>(value(selection, MapMeasure::Threshold)), newest.threshold[q]);
    EXPECT_FLOAT_EQ(static_cast<float>(value(selection, MapMeasure::Churn)), newest.churn[q]);
    EXPECT_FLOAT_EQ(static_cast<float>(value(selection, MapMeasure::Coverage)), newest.coverage[q]);
    EXPECT_FLOAT_EQ(static_cast<float>(value(drift, MapMeasure::L2)), newest.driftL2[q]);
    EXPECT_FLOAT_EQ(static_cast<float>(value(drift, MapMeasure::L1)), newest.driftL1[q]);
    EXPECT_FLOAT_EQ(static_cast<float>(value(drift, MapMeasure::LInf)), newest.driftMax[q]);
    EXPECT_DOUBLE_EQ(value(drift, MapMeasure::Changed), newest.changed[q] / size);
    EXPECT_DOUBLE_EQ(value(drift, MapMeasure::ChangedBf16), newest.changedBf16[q] / size);
    double update = 0, whole = 0, coordinates = 0;
    for (std::size_t i = 0; i < newest.squaredUpdate.size(); ++i) {
        whole += newest.squaredUpdate[i];
        coordinates += static_cast<double>(data().parameters()[i].size);
    }
    update = newest.squaredUpdate[q];
    EXPECT_NEAR(value(selection, MapMeasure::Concentration), (update / whole) / (size / coordinates), 1e-6);
}

}  // namespace
}  // namespace mofo
