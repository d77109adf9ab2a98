#include "ui/models/sample_table_model.h"

#include <gtest/gtest.h>

namespace mofo {
namespace {

ProbeRow probeAt(std::int64_t step, bool superseded = false) {
    ProbeRow row;
    row.step = step;
    row.probe = row.measure = "kl";
    row.superseded = superseded;
    return row;
}

QString textAt(const SampleTableModel& model, int row, int column) { return model.index(row, column).data().toString(); }
QString titleOf(const SampleTableModel& model, int column) { return model.headerData(column, Qt::Horizontal, Qt::DisplayRole).toString(); }

TEST(SampleTableModel, ShowsEveryPromptWithTheBaseBesideTheNewestAnswers) {
    RunData data;
    const SampleTableModel model(&data);
    EXPECT_EQ(model.rowCount(), 0);
    RunBatch batch;
    batch.probes = {probeAt(0), probeAt(10), probeAt(20)};
    batch.samples = {
        {"sample-0", "2 + 2?", "four", 0}, {"sample-1", "Sky?", "blue", 0}, {"sample-0", "2 + 2?", "4", 10}, {"sample-1", "Sky?", "b\nl\x1b", 20}};
    data.take(batch);
    ASSERT_EQ(model.rowCount(), 2);
    ASSERT_EQ(model.columnCount(), 4);
    EXPECT_EQ(titleOf(model, 1), "Base model");
    EXPECT_EQ(titleOf(model, 2), "Step 20");
    EXPECT_EQ(titleOf(model, 3), "Step 10");
    EXPECT_EQ(textAt(model, 0, 0), "2 + 2?");
    EXPECT_EQ(textAt(model, 0, 1), "four");
    EXPECT_EQ(textAt(model, 0, 2), "–") << "not answered at step 20";
    EXPECT_EQ(textAt(model, 0, 3), "4");
    EXPECT_EQ(textAt(model, 1, 2), "b\nl\\x1b") << "line ends stay, control characters do not";
}

TEST(SampleTableModel, LeavesOutAnswersOfStepsThatWereTakenBack) {
    RunData data;
    const SampleTableModel model(&data);
    RunBatch batch;
    batch.probes = {probeAt(0), probeAt(10, true), probeAt(5)};
    batch.samples = {{"sample-0", "2 + 2?", "four", 0}, {"sample-0", "2 + 2?", "five", 10}, {"sample-0", "2 + 2?", "4", 5}};
    data.take(batch);
    ASSERT_EQ(model.columnCount(), 3);
    EXPECT_EQ(titleOf(model, 2), "Step 5");
    RunBatch again;
    again.reset = true;
    data.take(again);
    EXPECT_EQ(model.rowCount(), 0);
}

}  // namespace
}  // namespace mofo
