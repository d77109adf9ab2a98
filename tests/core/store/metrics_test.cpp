#include "core/store/run_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/store/packed_counts.h"
#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double infinity = std::numeric_limits<double>::infinity();

class MetricsTest : public ::testing::Test {
protected:
    MetricsWriter openWriter() {
        auto writer = MetricsWriter::open(file, "run1");
        EXPECT_OK(writer);
        return std::move(writer).value();
    }
    MetricsReader openReader() {
        auto reader = MetricsReader::open(file);
        EXPECT_OK(reader);
        return std::move(reader).value();
    }
    static std::vector<ParameterRow> twoParameters() {
        return {{.index = 0, .name = "model.embed_tokens.weight", .kind = "embed", .layer = -1, .size = 100, .filtered = true, .pretrainedL2 = 12.5},
                {.index = 1, .name = "model.norm.weight", .kind = "norm", .layer = -1, .size = 10, .filtered = false, .pretrainedL2 = 3}};
    }
    static StepRow stepOf(std::int64_t number, double loss = 1.0) {
        StepRow row;
        row.step = number;
        row.loss = loss;
        return row;
    }
    static TensorRow tensorsOf(std::int64_t step) {
        TensorRow row;
        row.step = step;
        row.selected = {static_cast<std::uint32_t>(step), 4'000'000'000u};
        row.driftL2 = {0.5f, std::numeric_limits<float>::quiet_NaN()};
        return row;
    }
    static std::vector<std::int64_t> stepNumbers(const std::vector<StepRow>& rows) {
        std::vector<std::int64_t> numbers;
        for (const StepRow& row : rows) numbers.push_back(row.step);
        return numbers;
    }

    TemporaryFolder temp;
    std::filesystem::path file = temp / "metrics.db";
};

TEST_F(MetricsTest, ReaderWaitsForTheEngine) {
    const auto early = MetricsReader::open(file);
    ASSERT_FALSE(early.ok());
    EXPECT_EQ(early.error().code, ErrorCode::NotFound);
    EXPECT_FALSE(std::filesystem::exists(file));
    const MetricsWriter writer = openWriter();
    const MetricsReader reader = openReader();
    EXPECT_TRUE(reader.parameters()->empty());
    EXPECT_FALSE(reader.status()->has_value());
    EXPECT_FALSE(reader.newestTensors()->has_value());
    EXPECT_FALSE(reader.fact("dataset")->has_value());
}

TEST_F(MetricsTest, KeepsEveryFieldOfAStep) {
    MetricsWriter writer = openWriter();
    StepRow row{.step = 7,
                .loss = 1.25,
                .gradNorm = 3.5,
                .clippedNorm = 1,
                .lr = 2e-5,
                .alpha = 0.15,
                .granularity = "block:4096",
                .tokens = 812,
                .inputTokens = 1024,
                .epoch = 0.5,
                .tokensPerSecond = 345.5,
                .stepMs = 4000.5,
                .dataMs = 1.5,
                .forwardBackwardMs = 3900,
                .optimizerMs = 90,
                .statisticsMs = 9,
                .memoryBytes = 3'000'000'000,
                .movedCount = 20'177'251,
                .wallNs = 123};
    MetricsBatch batch;
    batch.steps.push_back(row);
    ASSERT_OK(writer.write(batch));
    const MetricsReader reader = openReader();
    const auto steps = reader.stepsAfter(0);
    ASSERT_OK(steps);
    ASSERT_EQ(steps->size(), 1u);
    const StepRow& back = steps->front();
    EXPECT_EQ(back.seq, 1);
    EXPECT_EQ(back.step, 7);
    EXPECT_EQ(back.loss, 1.25);
    EXPECT_EQ(back.lossState, "finite");
    EXPECT_EQ(back.gradNorm, 3.5);
    EXPECT_EQ(back.clippedNorm, 1);
    EXPECT_EQ(back.lr, 2e-5);
    EXPECT_EQ(back.alpha, 0.15);
    EXPECT_EQ(back.granularity, "block:4096");
    EXPECT_EQ(back.tokens, 812);
    EXPECT_EQ(back.inputTokens, 1024);
    EXPECT_EQ(back.epoch, 0.5);
    EXPECT_EQ(back.tokensPerSecond, 345.5);
    EXPECT_EQ(back.stepMs, 4000.5);
    EXPECT_EQ(back.dataMs, 1.5);
    EXPECT_EQ(back.forwardBackwardMs, 3900);
    EXPECT_EQ(back.optimizerMs, 90);
    EXPECT_EQ(back.statisticsMs, 9);
    EXPECT_EQ(back.memoryBytes, 3'000'000'000);
    EXPECT_EQ(back.movedCount, 20'177'251);
    EXPECT_EQ(back.wallNs, 123);
    EXPECT_FALSE(back.superseded);
}

TEST_F(MetricsTest, NaNAndInfinitySurvive) {
    MetricsWriter writer = openWriter();
    MetricsBatch batch;
    batch.steps = {stepOf(1, std::nan("")), stepOf(2, infinity), stepOf(3, -infinity), stepOf(4, 0.5)};
    batch.steps[0].gradNorm = std::nan("");
    batch.steps[1].gradNorm = infinity;
    batch.steps[3].lossState = "nan";  // the engine may know that a finite number means nothing
    EvalRow eval;
    eval.loss = infinity;
    eval.rowLoss = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
    eval.rowTokens = {1, 2};
    batch.evals.push_back(eval);
    ASSERT_OK(writer.write(batch));
    const MetricsReader reader = openReader();
    const auto steps = reader.stepsAfter(0);
    ASSERT_OK(steps);
    ASSERT_EQ(steps->size(), 4u);
    EXPECT_TRUE(std::isnan((*steps)[0].loss));
    EXPECT_EQ((*steps)[0].lossState, "nan");
    EXPECT_TRUE(std::isnan((*steps)[0].gradNorm));
    EXPECT_EQ((*steps)[1].loss, infinity);
    EXPECT_EQ((*steps)[1].lossState, "inf");
    EXPECT_EQ((*steps)[1].gradNorm, infinity);
    EXPECT_EQ((*steps)[2].loss, -infinity);
    EXPECT_TRUE(std::isnan((*steps)[3].loss));
    EXPECT_EQ((*steps)[3].lossState, "nan");
    const auto evals = reader.evalsAfter(0);
    ASSERT_OK(evals);
    ASSERT_EQ(evals->size(), 1u);
    EXPECT_EQ(evals->front().loss, infinity);
    EXPECT_TRUE(std::isnan(evals->front().rowLoss[0]));
    EXPECT_EQ(evals->front().rowLoss[1], std::numeric_limits<float>::infinity());
    EXPECT_EQ(reader.refusedRows(), 0);
}

TEST_F(MetricsTest, KeepsParametersTensorsAndHistograms) {
    MetricsWriter writer = openWriter();
    ASSERT_OK(writer.write({.parameters = twoParameters()}));
    TensorRow row;
    row.step = 1;
    row.selected = {15, 4'294'967'295u};
    row.masked = {20, 2};
    row.threshold = {1e-6f, 0};
    row.driftL2 = {0.25f, 1};
    row.driftL1 = {2, 3};
    row.driftMax = {4, 5};
    row.changed = {6, 7};
    row.changedBf16 = {8, 9};
    row.churn = {std::numeric_limits<float>::quiet_NaN(), 0.5f};
    row.coverage = {0.125f, 1};
    row.squaredUpdate = {1e-9f, 2};
    HistogramRow histogram{.step = 1, .parameter = 1, .stepsPerOctave = 4, .firstBin = -137, .counts = {1, 0, 127, 128, 4'294'967'295u, 300}};
    MetricsBatch batch;
    batch.tensors.push_back(row);
    batch.histograms.push_back(histogram);
    batch.histograms.push_back({.step = 1, .parameter = 0});
    ASSERT_OK(writer.write(batch));

    const MetricsReader reader = openReader();
    const auto parameters = reader.parameters();
    ASSERT_OK(parameters);
    ASSERT_EQ(parameters->size(), 2u);
    EXPECT_EQ((*parameters)[0].name, "model.embed_tokens.weight");
    EXPECT_EQ((*parameters)[0].kind, "embed");
    EXPECT_EQ((*parameters)[0].size, 100);
    EXPECT_EQ((*parameters)[0].pretrainedL2, 12.5);
    EXPECT_TRUE((*parameters)[0].filtered);
    EXPECT_FALSE((*parameters)[1].filtered);
    EXPECT_EQ((*parameters)[1].layer, -1);
    const auto back = reader.newestTensors();
    ASSERT_OK(back);
    ASSERT_TRUE(back->has_value());
    EXPECT_EQ((*back)->selected, row.selected);
    EXPECT_EQ((*back)->masked, row.masked);
    EXPECT_EQ((*back)->threshold, row.threshold);
    EXPECT_EQ((*back)->driftL2, row.driftL2);
    EXPECT_EQ((*back)->driftL1, row.driftL1);
    EXPECT_EQ((*back)->driftMax, row.driftMax);
    EXPECT_EQ((*back)->changed, row.changed);
    EXPECT_EQ((*back)->changedBf16, row.changedBf16);
    EXPECT_TRUE(std::isnan((*back)->churn[0]));
    EXPECT_EQ((*back)->churn[1], 0.5f);
    EXPECT_EQ((*back)->coverage, row.coverage);
    EXPECT_EQ((*back)->squaredUpdate, row.squaredUpdate);
    EXPECT_EQ(reader.tensorsAfter(0)->front().squaredUpdate, row.squaredUpdate);
    const auto histograms = reader.histograms(1);
    ASSERT_OK(histograms);
    ASSERT_EQ(histograms->size(), 2u);
    EXPECT_EQ(histograms->front().parameter, 0);
    EXPECT_TRUE(histograms->front().counts.empty());
    EXPECT_EQ(histograms->back().parameter, 1);
    EXPECT_EQ(histograms->back().stepsPerOctave, 4);
    EXPECT_EQ(histograms->back().firstBin, -137);
    EXPECT_EQ(histograms->back().counts, histogram.counts);
    EXPECT_TRUE(reader.histograms(2)->empty());
}

TEST_F(MetricsTest, KeepsPartitionsSpreadsRowCountsAndTheNormOfTheTopGradients) {
    MetricsWriter writer = openWriter();
    ASSERT_OK(writer.write({.parameters = twoParameters()}));
    MetricsBatch batch;
    batch.steps = {stepOf(1), stepOf(2)};
    batch.steps[0].topGradientNorm = 0.75;
    batch.tensors = {tensorsOf(1)};
    batch.partitions.push_back({.step = 1, .granularity = "model", .selected = {7}, .threshold = {0.5f}, .squaredUpdate = {0.25f}});
    batch.thresholdSpreads.push_back({.step = 1, .minimum = {1, 0}, .firstQuartile = {2, 0}, .thirdQuartile = {3, 0}, .maximum = {4, 0}});
    RowCountsRow many{.step = 1, .parameter = 0};
    for (std::uint32_t i = 0; i < 40'000; ++i) many.counts.push_back(i * 3);
    batch.rowCounts = {many, {.step = 1, .parameter = 1, .counts = {5, 6}}};
    ASSERT_OK(writer.write(batch));
    const MetricsReader reader = openReader();
    const auto steps = reader.stepsAfter(0);
    EXPECT_EQ((*steps)[0].topGradientNorm, 0.75);
    EXPECT_TRUE(std::isnan((*steps)[1].topGradientNorm)) << "not measured";
    EXPECT_TRUE((*reader.newestTensors())->squaredUpdate.empty()) << "not measured";
    const auto partitions = reader.partitions(1);
    ASSERT_OK(partitions);
    ASSERT_TRUE(partitions->has_value());
    EXPECT_EQ((*partitions)->granularity, "model");
    EXPECT_THAT((*partitions)->selected, ElementsAre(7));
    EXPECT_THAT((*partitions)->threshold, ElementsAre(0.5f));
    EXPECT_THAT((*partitions)->squaredUpdate, ElementsAre(0.25f));
    const auto spreads = reader.thresholdSpreads(1);
    ASSERT_OK(spreads);
    ASSERT_TRUE(spreads->has_value());
    EXPECT_THAT((*spreads)->minimum, ElementsAre(1, 0));
    EXPECT_THAT((*spreads)->firstQuartile, ElementsAre(2, 0));
    EXPECT_THAT((*spreads)->thirdQuartile, ElementsAre(3, 0));
    EXPECT_THAT((*spreads)->maximum, ElementsAre(4, 0));
    const auto rows = reader.rowCounts(1);
    ASSERT_OK(rows);
    ASSERT_EQ(rows->size(), 2u);
    EXPECT_EQ((*rows)[0].counts, many.counts) << "several blobs";
    EXPECT_THAT((*rows)[1].counts, ElementsAre(5, 6));
    EXPECT_EQ(reader.refusedRows(), 0);
    ASSERT_OK(writer.supersedeAfter(0));
    EXPECT_FALSE(reader.partitions(1)->has_value());
    EXPECT_FALSE(reader.thresholdSpreads(1)->has_value());
    EXPECT_TRUE(reader.rowCounts(1)->empty());
    ASSERT_OK(writer.write(batch));
    EXPECT_TRUE(reader.partitions(1)->has_value());
}

// What a program of schema version 1 left: the tables without those of version 2.
class MetricsOfVersion1 : public MetricsTest {
protected:
    MetricsOfVersion1() {
        {
            MetricsWriter writer = openWriter();
            EXPECT_OK(writer.write({.parameters = twoParameters()}));
            MetricsBatch batch;
            batch.steps = {stepOf(1)};
            batch.tensors = {tensorsOf(1)};
            EXPECT_OK(writer.write(batch));
        }
        std::string octaves(2 * 4 * 64, '0');  // 64 counts in hexadecimal: one of 5 in 2^-38, one of 258 in 2^-36
        octaves[2 * 4 * 2 + 1] = '5';
        octaves.replace(2 * 4 * 4, 4, "0201");
        test::tamper(file, "INSERT INTO histograms VALUES (1, 1, 1, x'" + octaves + "', 0); INSERT INTO histograms VALUES (2, 1, 0, x'" +
                               std::string(2 * 4 * 64, '0') +
                               "', 0); DROP TABLE tensor_measures; DROP TABLE log_histograms; DROP TABLE partitions; DROP TABLE checkpoint_states; "
                               "PRAGMA user_version = 1");
    }
    static void expectAsWritten(const MetricsReader& reader) {
        EXPECT_THAT(stepNumbers(*reader.stepsAfter(0)), ElementsAre(1));
        const auto tensors = reader.newestTensors();
        ASSERT_OK(tensors);
        EXPECT_EQ((*tensors)->selected, tensorsOf(1).selected);
        EXPECT_TRUE((*tensors)->squaredUpdate.empty());
        EXPECT_EQ(reader.tensorsAfter(0)->size(), 1u);
        const auto histograms = reader.histograms(1);
        ASSERT_OK(histograms);
        ASSERT_EQ(histograms->size(), 2u);
        EXPECT_TRUE((*histograms)[0].counts.empty());
        EXPECT_EQ((*histograms)[1].stepsPerOctave, 1);
        EXPECT_EQ((*histograms)[1].firstBin, -38);
        EXPECT_THAT((*histograms)[1].counts, ElementsAre(5, 0, 258));
        EXPECT_FALSE(reader.partitions(1)->has_value());
        EXPECT_EQ(reader.refusedRows(), 0);
    }
};

TEST_F(MetricsOfVersion1, IsReadAsItIs) {
    expectAsWritten(openReader());
    EXPECT_EQ(test::ask(file, "PRAGMA user_version"), "1") << "readers change nothing";
}

TEST_F(MetricsOfVersion1, IsBroughtUpToDateByAnEngineThatGoesOn) {
    const MetricsReader before = openReader();
    expectAsWritten(before);
    MetricsWriter writer = openWriter();
    EXPECT_EQ(test::ask(file, "PRAGMA user_version"), "3");
    MetricsBatch batch;
    batch.steps = {stepOf(2)};
    batch.tensors = {tensorsOf(2)};
    batch.tensors[0].squaredUpdate = {3, 4};
    batch.histograms = {{.step = 2, .parameter = 0, .firstBin = 9, .counts = {1}}};
    ASSERT_OK(writer.write(batch));
    const MetricsReader after = openReader();
    for (const MetricsReader* reader : {&before, &after}) {
        EXPECT_THAT(stepNumbers(*reader->stepsAfter(0)), ElementsAre(1, 2));
        EXPECT_THAT((*reader->newestTensors())->squaredUpdate, ElementsAre(3, 4));
        EXPECT_EQ((*reader->histograms(1))[1].stepsPerOctave, 1) << "the old ones stay";
        ASSERT_EQ(reader->histograms(2)->size(), 1u);
        EXPECT_EQ((*reader->histograms(2))[0].firstBin, 9);
        EXPECT_EQ(reader->refusedRows(), 0);
    }
    EXPECT_EQ(test::ask(temp / "metrics.db.v1.bak", "PRAGMA user_version"), "1");
}

TEST_F(MetricsTest, ParametersChangeOnlyBeforeTheFirstMeasurement) {
    MetricsWriter writer = openWriter();
    ASSERT_OK(writer.write({.parameters = {{.index = 0, .name = "other", .kind = "q", .size = 5}}}));
    ASSERT_OK(writer.write({.parameters = twoParameters()}));
    MetricsBatch batch;
    batch.tensors.push_back(tensorsOf(1));
    ASSERT_OK(writer.write(batch));
    auto again = twoParameters();
    again[0].pretrainedL2 = 13;
    ASSERT_OK(writer.write({.parameters = again}));  // A resumed run writes the same ones.
    EXPECT_EQ((*openReader().parameters())[0].pretrainedL2, 13);
    again.pop_back();
    const auto refused = writer.write({.parameters = again});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_EQ(openReader().parameters()->size(), 2u);
}

TEST_F(MetricsTest, KeepsTheRowsOfALargeEvaluation) {
    MetricsWriter writer = openWriter();
    EvalRow small;
    small.step = 0;
    small.loss = 1.5;
    small.tokens = 30;
    small.seconds = 2.5;
    EvalRow large = small;
    large.step = 20;
    large.task = "held-out";
    for (std::uint32_t i = 0; i < 40'000; ++i) {
        large.rowLoss.push_back(static_cast<float>(i) * 0.5f);
        large.rowTokens.push_back(i);
    }
    MetricsBatch batch;
    batch.evals = {small, large};
    ASSERT_OK(writer.write(batch));
    const MetricsReader reader = openReader();
    const auto evals = reader.evalsAfter(0);
    ASSERT_OK(evals);
    ASSERT_EQ(evals->size(), 2u);
    EXPECT_EQ((*evals)[0].task, "eval");
    EXPECT_EQ((*evals)[0].seconds, 2.5);
    EXPECT_EQ((*evals)[0].tokens, 30);
    EXPECT_TRUE((*evals)[0].rowLoss.empty());
    EXPECT_EQ((*evals)[1].rowLoss, large.rowLoss);
    EXPECT_EQ((*evals)[1].rowTokens, large.rowTokens);
    EXPECT_EQ(reader.evalsAfter((*evals)[0].seq)->size(), 1u);
}

TEST_F(MetricsTest, KeepsEventsAcknowledgementsCheckpointsGenerationsMachineStatusAndFacts) {
    MetricsWriter writer = openWriter();
    const std::string uuid = newUuid(), other = newUuid();
    MetricsBatch batch;
    batch.events.push_back(
        {.step = 5, .kind = "set", .who = "cli", .key = "alpha", .oldValue = "0.15", .newValue = "0.05", .text = "alpha 0.15 -> 0.05", .wallNs = 9});
    batch.acknowledgements.push_back({.uuid = uuid, .appliedStep = 6, .accepted = true, .wallNs = 10});
    batch.acknowledgements.push_back({.uuid = other, .appliedStep = 6, .accepted = false, .reason = "unknown kind"});
    batch.checkpoints.push_back({.step = 5,
                                 .folder = "step-00000005",
                                 .kind = "full",
                                 .manifestSha256 = std::string(64, 'a'),
                                 .sizeBytes = 77,
                                 .seconds = 1.5,
                                 .pinned = true,
                                 .wallNs = 3});
    batch.generations.push_back({.uuid = uuid, .text = "Hel"});
    batch.generations.push_back({.uuid = uuid, .text = "lo", .last = true, .details = Json{{"tokens", 2}}});
    batch.machine.push_back({.wallNs = 4, .cpuShare = 0.5, .residentBytes = 1, .hostUsedBytes = 2, .hostTotalBytes = 3, .diskFreeBytes = 4});
    batch.status = StatusRow{.phase = "train",
                             .progress = 0.25,
                             .detail = "step 10 of 40",
                             .step = 10,
                             .totalSteps = 40,
                             .heartbeatBootNs = 5,
                             .bootId = "b",
                             .etaSeconds = 120};
    ASSERT_OK(writer.write(batch));
    ASSERT_OK(writer.writeFact("dataset", Json{{"rows", 7}}));

    const MetricsReader reader = openReader();
    const auto events = reader.eventsAfter(0);
    ASSERT_EQ(events->size(), 1u);
    EXPECT_EQ(events->front().key, "alpha");
    EXPECT_EQ(events->front().oldValue, "0.15");
    EXPECT_EQ(events->front().newValue, "0.05");
    EXPECT_EQ(events->front().who, "cli");
    EXPECT_EQ(events->front().text, "alpha 0.15 -> 0.05");
    EXPECT_EQ(events->front().wallNs, 9);
    EXPECT_TRUE(reader.eventsAfter(events->front().seq)->empty());
    const auto acknowledged = reader.acknowledgement(uuid);
    ASSERT_TRUE(acknowledged->has_value());
    EXPECT_TRUE((*acknowledged)->accepted);
    EXPECT_EQ((*acknowledged)->appliedStep, 6);
    EXPECT_EQ((*reader.acknowledgement(other))->reason, "unknown kind");
    EXPECT_FALSE(reader.acknowledgement(newUuid())->has_value());
    EXPECT_EQ(reader.acknowledgements()->size(), 2u);
    const auto checkpoints = reader.checkpoints();
    ASSERT_EQ(checkpoints->size(), 1u);
    EXPECT_EQ(checkpoints->front().folder, "step-00000005");
    EXPECT_EQ(checkpoints->front().sizeBytes, 77);
    EXPECT_EQ(checkpoints->front().seconds, 1.5);
    EXPECT_TRUE(checkpoints->front().pinned);
    EXPECT_FALSE(checkpoints->front().verified);
    const auto generations = reader.generationsAfter(uuid, 0);
    ASSERT_EQ(generations->size(), 2u);
    EXPECT_EQ((*generations)[0].text, "Hel");
    EXPECT_FALSE((*generations)[0].last);
    EXPECT_TRUE((*generations)[1].last);
    EXPECT_EQ((*generations)[1].details["tokens"], 2);
    EXPECT_EQ(reader.generationsAfter(uuid, (*generations)[0].seq)->size(), 1u);
    EXPECT_TRUE(reader.generationsAfter(other, 0)->empty());
    const auto machine = reader.machineAfter(0);
    ASSERT_EQ(machine->size(), 1u);
    EXPECT_EQ(machine->front().cpuShare, 0.5);
    EXPECT_EQ(machine->front().diskFreeBytes, 4);
    const auto status = reader.status();
    ASSERT_TRUE(status->has_value());
    EXPECT_EQ((*status)->phase, "train");
    EXPECT_EQ((*status)->progress, 0.25);
    EXPECT_EQ((*status)->detail, "step 10 of 40");
    EXPECT_EQ((*status)->totalSteps, 40);
    EXPECT_EQ((*status)->heartbeatBootNs, 5);
    EXPECT_EQ((*status)->bootId, "b");
    EXPECT_EQ((*status)->etaSeconds, 120);
    EXPECT_EQ((*reader.fact("dataset"))->at("rows"), 7);
    EXPECT_EQ(*reader.fact("run_id"), "run1");
}

TEST_F(MetricsTest, StatusIsOneRowRewritten) {
    MetricsWriter writer = openWriter();
    for (const double progress : {0.5, 2.0, std::nan("")}) {
        MetricsBatch batch;
        batch.status = StatusRow{.phase = "save", .progress = progress, .etaSeconds = infinity};
        ASSERT_OK(writer.write(batch));
    }
    EXPECT_EQ(test::ask(file, "SELECT count(*) FROM status"), "1");
    EXPECT_EQ((*openReader().status())->progress, 0);
    EXPECT_EQ((*openReader().status())->etaSeconds, -1);
}

TEST_F(MetricsTest, TheFirstAcknowledgementStands) {
    MetricsWriter writer = openWriter();
    const std::string uuid = newUuid();
    MetricsBatch batch;
    batch.acknowledgements.push_back({.uuid = uuid, .appliedStep = 6, .accepted = true});
    ASSERT_OK(writer.write(batch));
    batch.acknowledgements[0].appliedStep = 9;
    ASSERT_OK(writer.write(batch));
    EXPECT_EQ((*openReader().acknowledgement(uuid))->appliedStep, 6);
    EXPECT_EQ(openReader().acknowledgements()->size(), 1u);
}

TEST_F(MetricsTest, CheckpointsAreUpdatedByFolderAndVanishWhenRemoved) {
    MetricsWriter writer = openWriter();
    CheckpointRow row{.step = 5, .folder = "step-00000005", .kind = "full", .manifestSha256 = "m"};
    MetricsBatch batch;
    batch.checkpoints = {row, {.step = 9, .folder = "step-00000009", .kind = "weights", .manifestSha256 = "n"}};
    ASSERT_OK(writer.write(batch));
    row.verified = true;
    batch.checkpoints = {row};
    ASSERT_OK(writer.write(batch));
    const MetricsReader reader = openReader();
    ASSERT_EQ(reader.checkpoints()->size(), 2u);
    EXPECT_TRUE((*reader.checkpoints())[0].verified);
    row.removed = true;
    batch.checkpoints = {row};
    ASSERT_OK(writer.write(batch));
    ASSERT_EQ(reader.checkpoints()->size(), 1u);
    EXPECT_EQ((*reader.checkpoints())[0].folder, "step-00000009");
}

TEST_F(MetricsTest, ABatchIsWrittenWholeOrNotAtAll) {
    MetricsWriter writer = openWriter();
    MetricsBatch batch;
    batch.steps = {stepOf(1), stepOf(2)};
    ASSERT_OK(writer.write(batch));
    batch.steps = {stepOf(3), stepOf(2)};
    const auto refused = writer.write(batch);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    batch.steps = {stepOf(3)};
    ASSERT_OK(writer.write(batch));
    const auto steps = openReader().stepsAfter(0);
    EXPECT_THAT(stepNumbers(*steps), ElementsAre(1, 2, 3));
    EXPECT_EQ(steps->back().seq, 3) << "numbers of a refused batch are not used up";
    EXPECT_OK(writer.write(MetricsBatch{}));
}

TEST_F(MetricsTest, SupersededRowsStayAndTheStepsCanBeTakenAgain) {
    MetricsWriter writer = openWriter();
    ASSERT_OK(writer.write({.parameters = twoParameters()}));
    MetricsBatch batch;
    for (std::int64_t step = 1; step <= 5; ++step) {
        batch.steps.push_back(stepOf(step));
        batch.tensors.push_back(tensorsOf(step));
        batch.histograms.push_back({.step = step, .parameter = 0, .counts = {1}});
        batch.events.push_back({.step = step, .kind = "warning", .who = "engine"});
    }
    batch.evals.push_back({.step = 4});
    batch.checkpoints.push_back({.step = 3, .folder = "step-00000003", .kind = "full"});
    batch.checkpoints.push_back({.step = 5, .folder = "step-00000005", .kind = "full"});
    const std::string uuid = newUuid();
    batch.acknowledgements.push_back({.uuid = uuid, .appliedStep = 5, .accepted = true});
    ASSERT_OK(writer.write(batch));
    const MetricsReader reader = openReader();
    EXPECT_EQ(*reader.supersessions(), 0);
    ASSERT_OK(writer.supersedeAfter(3));
    EXPECT_EQ(*reader.supersessions(), 1);
    EXPECT_EQ((*reader.newestTensors())->step, 3);
    EXPECT_TRUE(reader.histograms(4)->empty());
    EXPECT_EQ(reader.histograms(3)->size(), 1u);
    EXPECT_TRUE((*reader.evalsAfter(0))[0].superseded);
    EXPECT_FALSE((*reader.checkpoints())[0].superseded);
    EXPECT_TRUE((*reader.checkpoints())[1].superseded);
    EXPECT_TRUE(reader.acknowledgement(uuid)->has_value()) << "a resume replays it";
    batch = {};
    batch.steps = {stepOf(4, 9.0)};
    batch.tensors = {tensorsOf(4)};
    ASSERT_OK(writer.write(batch));
    const auto steps = reader.stepsAfter(0);
    ASSERT_EQ(steps->size(), 6u);
    EXPECT_THAT(stepNumbers(*steps), ElementsAre(1, 2, 3, 4, 5, 4));
    EXPECT_FALSE((*steps)[2].superseded);
    EXPECT_TRUE((*steps)[3].superseded);
    EXPECT_TRUE((*steps)[4].superseded);
    EXPECT_FALSE((*steps)[5].superseded);
    EXPECT_TRUE((*reader.tensorsAfter(0))[4].superseded);
    EXPECT_EQ((*reader.eventsAfter(0))[4].superseded, true);
}

TEST_F(MetricsTest, ReadersAskForWhatIsNew) {
    MetricsWriter writer = openWriter();
    const MetricsReader reader = openReader();
    std::int64_t version = reader.dataVersion();
    std::int64_t last = 0;
    for (std::int64_t step = 1; step <= 10; ++step) {
        MetricsBatch batch;
        batch.steps = {stepOf(step)};
        ASSERT_OK(writer.write(batch));
        EXPECT_NE(reader.dataVersion(), version);
        version = reader.dataVersion();
        const auto fresh = reader.stepsAfter(last);
        ASSERT_EQ(fresh->size(), 1u);
        EXPECT_EQ(fresh->front().step, step);
        last = fresh->front().seq;
    }
    EXPECT_EQ(reader.dataVersion(), version);
    EXPECT_EQ(reader.stepsAfter(0, 3)->size(), 3u);
}

TEST_F(MetricsTest, AnEngineStartedAgainGoesOnAfterTheLastNumbers) {
    {
        MetricsWriter writer = openWriter();
        MetricsBatch batch;
        batch.steps = {stepOf(1), stepOf(2)};
        batch.events = {{.step = 1, .kind = "state", .who = "engine"}};
        ASSERT_OK(writer.write(batch));
    }
    MetricsWriter writer = openWriter();
    MetricsBatch batch;
    batch.steps = {stepOf(3)};
    batch.events = {{.step = 3, .kind = "state", .who = "engine"}};
    ASSERT_OK(writer.write(batch));
    EXPECT_EQ(openReader().stepsAfter(2)->front().step, 3);
    EXPECT_EQ(openReader().eventsAfter(1)->front().seq, 2);
}

TEST_F(MetricsTest, OfAnotherRunAreRefused) {
    static_cast<void>(openWriter());
    const auto refused = MetricsWriter::open(file, "run2");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_EQ(openWriter().writeFact("run_id", "x").error().code, ErrorCode::Internal);
}

TEST_F(MetricsTest, DamagedRowsAreLeftOutAndTheOthersStay) {
    {
        MetricsWriter writer = openWriter();
        ASSERT_OK(writer.write({.parameters = twoParameters()}));
        MetricsBatch batch;
        for (std::int64_t step = 1; step <= 4; ++step) {
            batch.steps.push_back(stepOf(step));
            batch.tensors.push_back(tensorsOf(step));
            batch.histograms.push_back({.step = step, .parameter = 0, .counts = {7, 300}});
            batch.evals.push_back({.step = step, .loss = 1, .rowLoss = {1, 2}, .rowTokens = {3, 4}});
            batch.checkpoints.push_back({.step = step, .folder = "step-" + std::to_string(step), .kind = "full"});
        }
        ASSERT_OK(writer.write(batch));
    }
    test::tamper(
        file,
        "UPDATE tensors SET selected = x'01020304' WHERE step = 2; UPDATE tensors SET drift_l2 = x'0102030405060708090a0b0c' WHERE step = 4;"
        "UPDATE tensors SET drift_l2 = x'010203' WHERE step = 1;"
        "UPDATE steps SET loss = NULL WHERE step = 3; UPDATE steps SET loss_state = 'odd' WHERE step = 1; UPDATE steps SET step = -5 WHERE step = 2;"
        "UPDATE log_histograms SET counts = x'0780' WHERE step = 3;"
        "UPDATE eval_rows SET tokens = x'01020304' WHERE eval = 1; UPDATE eval_rows SET first_row = 5 WHERE eval = 2;"
        "UPDATE checkpoints SET folder = '../../etc' WHERE step = 1; UPDATE checkpoints SET folder = 'a/b' WHERE step = 2");
    const MetricsReader reader = openReader();
    const auto tensors = reader.tensorsAfter(0);
    ASSERT_OK(tensors);
    ASSERT_EQ(tensors->size(), 1u);
    EXPECT_EQ(tensors->front().step, 3);
    EXPECT_EQ((*reader.newestTensors())->step, 3);
    EXPECT_EQ(reader.refusedRows(), 4) << "three in the list, and the newest once more";
    EXPECT_THAT(stepNumbers(*reader.stepsAfter(0)), ElementsAre(4));
    EXPECT_EQ(reader.refusedRows(), 7);
    EXPECT_TRUE(reader.histograms(3)->empty());
    EXPECT_EQ(reader.histograms(4)->size(), 1u);
    EXPECT_EQ(reader.evalsAfter(0)->size(), 2u);
    EXPECT_EQ(reader.checkpoints()->size(), 2u);
    EXPECT_EQ(reader.refusedRows(), 12);
    // An engine does not go on writing into it.
    EXPECT_EQ(MetricsWriter::open(file, "run1").error().tag, "CORRUPT");
}

TEST(PackedCounts, TakeBackWhatTheyGaveAndNothingElse) {
    std::vector<std::uint32_t> counts;
    EXPECT_TRUE(unpackCounts("", counts));
    EXPECT_TRUE(counts.empty());
    const std::vector<std::uint32_t> edges = {0, 1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455, 268435456, 4294967295u};
    const std::vector<std::uint8_t> packed = packCounts(edges);
    EXPECT_EQ(packed.size(), 1u * 3 + 2 * 2 + 3 * 2 + 4 * 2 + 5 * 2);
    const std::string bytes(packed.begin(), packed.end());
    EXPECT_TRUE(unpackCounts(bytes, counts));
    EXPECT_EQ(counts, edges);
    EXPECT_FALSE(unpackCounts(bytes.substr(0, bytes.size() - 1), counts)) << "cut short";
    EXPECT_FALSE(unpackCounts("\xFF\xFF\xFF\xFF\x10", counts)) << "2^32";
    EXPECT_FALSE(unpackCounts("\x80\x80\x80\x80\x80\x01", counts)) << "six bytes";
}

TEST_F(MetricsTest, AHundredThousandStepsOpenFast) {
    constexpr std::int64_t stepCount = 100'000;
    constexpr std::size_t tensorCount = 272;
    {
        MetricsWriter writer = openWriter();
        std::vector<ParameterRow> parameters(tensorCount);
        for (std::size_t i = 0; i < tensorCount; ++i)
            parameters[i] = {.index = static_cast<std::int64_t>(i), .name = "tensor " + std::to_string(i), .kind = "q", .size = 1000};
        ASSERT_OK(writer.write({.parameters = parameters}));
        MetricsBatch batch;
        for (std::int64_t step = 1; step <= stepCount; ++step) {
            batch.steps.push_back(stepOf(step));
            if (step % 10 == 0) {
                TensorRow row;
                row.step = step;
                row.selected = row.masked = row.changed = row.changedBf16 = std::vector<std::uint32_t>(tensorCount, 150);
                row.threshold = row.driftL2 = row.driftL1 = row.driftMax = row.churn = row.coverage = row.squaredUpdate =
                    std::vector<float>(tensorCount, 0.5f);
                batch.tensors.push_back(std::move(row));
            }
            if (step % 5000 == 0) {
                ASSERT_OK(writer.write(batch));
                batch = {};
            }
        }
    }
    const Stopwatch watch;
    const MetricsReader reader = openReader();
    const double openMs = watch.elapsedMs();
    const auto steps = reader.stepsAfter(0);
    ASSERT_OK(steps);
    const double stepsMs = watch.elapsedMs();
    const auto tensors = reader.tensorsAfter(0);
    ASSERT_OK(tensors);
    const double allMs = watch.elapsedMs();
    EXPECT_EQ(steps->size(), static_cast<std::size_t>(stepCount));
    EXPECT_EQ(tensors->size(), static_cast<std::size_t>(stepCount / 10));
    EXPECT_EQ(tensors->back().coverage.back(), 0.5f);
    std::printf("[ measured ] 100,000 steps, tensors every 10: open %.0f ms, steps %.0f ms, tensors %.0f ms, %.0f MiB\n", openMs, stepsMs - openMs,
                allMs - stepsMs, static_cast<double>(std::filesystem::file_size(file)) / (1 << 20));
    RecordProperty("readMs", std::to_string(allMs));
}

TEST_F(MetricsTest, KeepsWhatAProbeFoundForEachItemWithItsRow) {
    MetricsWriter writer = openWriter();
    const std::vector<float> outcomes(40'000, 1.5f);  // more than one blob holds
    MetricsBatch batch;
    batch.probes.push_back(
        {.step = 0, .probe = "text", .measure = "loss", .value = 3, .items = 40'000, .perItem = {{"outcome", outcomes}, {"weight", {2, 1}}}});
    batch.probes.push_back({.step = 0, .probe = "piqa", .measure = "acc", .value = 0.5, .items = 2, .perItem = {}});
    ASSERT_OK(writer.write(batch));
    MetricsReader reader = openReader();
    const auto rows = reader.probesAfter(0);
    ASSERT_OK(rows);
    ASSERT_EQ(rows->size(), 2u);
    const auto items = reader.probeItems(rows->front().seq);
    ASSERT_OK(items);
    ASSERT_EQ(items->size(), 2u);
    EXPECT_EQ((*items)[0].measure, "outcome");
    EXPECT_EQ((*items)[0].amounts, outcomes);
    EXPECT_THAT((*items)[1].amounts, ElementsAre(2, 1));
    EXPECT_TRUE(reader.probeItems(rows->back().seq)->empty());
}

}  // namespace
}  // namespace mofo
