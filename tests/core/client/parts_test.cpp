// The small parts: references to checkpoints, JSON, digests, child processes, devices.
#include <signal.h>
#include <sys/wait.h>

#include <cmath>
#include <filesystem>

#include "core/client/engine_process.h"
#include "core/client/run_json.h"
#include "core/client/run_reference.h"
#include "tests/support/client_support.h"

namespace mofo {
namespace {

class ReferenceTest : public test::ClientTest {
protected:
    void SetUp() override {
        test::ClientTest::SetUp();
        add("refrun000001", "maths");
        auto writer = MetricsWriter::open(workspace().metricsFile("refrun000001"), "refrun000001");
        ASSERT_OK(writer);
        MetricsBatch batch;
        for (const std::int64_t step : {10, 20, 30}) {
            CheckpointRow row;
            row.step = step;
            row.folder = "step-" + std::to_string(step);
            row.kind = "full";
            batch.checkpoints.push_back(row);
            const std::filesystem::path folder = workspace().checkpointsFolder("refrun000001") / row.folder;
            std::filesystem::create_directories(folder);
            test::writeFile(folder / "manifest.json", "{}");
            EvalRow eval;
            eval.step = step;
            eval.loss = step == 20 ? 1.0 : 2.0;
            eval.tokens = 1;
            batch.evals.push_back(eval);
        }
        ASSERT_OK(writer->write(batch));
    }
    void add(const std::string& id, const std::string& name) {
        RunRow run;
        run.id = id;
        run.name = name;
        run.state = RunState::Finished;
        run.config = config();
        ASSERT_OK(registry().addRun(run));
        std::filesystem::create_directories(workspace().runFolder(id));
    }
    Result<CheckpointPlace> choose(const std::string& text) {
        MOFO_TRY(const RunReference reference, findRunReference(registry(), text));
        return chooseCheckpoint(workspace(), reference);
    }
};

TEST_F(ReferenceTest, ChoosesNewestBestLastAndSteps) {
    for (const auto& [text, step] :
         std::vector<std::pair<std::string, std::int64_t>>{{"maths", 30}, {"refrun", 30}, {"maths@last", 30}, {"maths@best", 20}, {"maths@10", 10}}) {
        const auto chosen = choose(text);
        ASSERT_OK(chosen);
        EXPECT_EQ(chosen->row.step, step) << text;
        EXPECT_EQ(chosen->folder, workspace().checkpointsFolder("refrun000001") / ("step-" + std::to_string(step)));
    }
    const auto missing = choose("maths@15");
    ASSERT_FALSE(missing.ok());
    EXPECT_THAT(missing.error().text(), testing::HasSubstr("10, 20, 30"));
    EXPECT_EQ(choose("maths@now").error().exitCode(), 2);
    EXPECT_EQ(choose("maths@soon").error().exitCode(), 2);
    EXPECT_EQ(choose("physics").error().exitCode(), 3);
}

TEST_F(ReferenceTest, OnlyWhatIsThereCounts) {
    std::filesystem::remove_all(workspace().checkpointsFolder("refrun000001") / "step-30");
    EXPECT_EQ(choose("maths")->row.step, 20);
    const auto gone = choose("maths@30");
    ASSERT_FALSE(gone.ok());
    EXPECT_THAT(gone.error().text(),
                testing::AllOf(testing::HasSubstr("step 30 is not on the disk any more"), testing::HasSubstr("There are: 10, 20.")));
    {
        auto writer = MetricsWriter::open(workspace().metricsFile("refrun000001"), "refrun000001");
        ASSERT_OK(writer);
        MetricsBatch batch;
        CheckpointRow damaged = choose("maths@20")->row;
        damaged.state = "lost";
        damaged.verified = false;
        damaged.reason = "a bit is wrong";
        batch.checkpoints.push_back(damaged);
        ASSERT_OK(writer->write(batch));
    }
    EXPECT_EQ(choose("maths")->row.step, 10);
    EXPECT_EQ(choose("maths@best")->row.step, 10);
    EXPECT_THAT(choose("maths@20").error().text(), testing::HasSubstr("step 20 is damaged. There are: 10."));
}

TEST_F(ReferenceTest, ANameMayHoldAnAt) {
    add("refrun000002", "me@home");
    const auto found = findRunReference(registry(), "me@home");
    ASSERT_OK(found);
    EXPECT_EQ(found->run.id, "refrun000002");
    const auto none = chooseCheckpoint(workspace(), *found);
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().code, ErrorCode::NotFound);
}

TEST_F(ReferenceTest, SupersededCheckpointsDoNotCount) {
    auto writer = MetricsWriter::open(workspace().metricsFile("refrun000001"), "refrun000001");
    ASSERT_OK(writer);
    ASSERT_OK(writer->supersedeAfter(20));
    EXPECT_EQ(choose("maths")->row.step, 20);
    EXPECT_FALSE(choose("maths@30").ok());
}

TEST(RunJson, NumbersThatJsonLacksBecomeTexts) {
    EXPECT_EQ(jsonNumber(NAN), "nan");
    EXPECT_EQ(jsonNumber(INFINITY), "inf");
    EXPECT_EQ(jsonNumber(-INFINITY), "-inf");
    EXPECT_EQ(jsonNumber(0.1).dump(), "0.1");
    StepRow step;
    step.loss = NAN;
    step.lossState = "nan";
    EXPECT_EQ(stepJson(step)["loss"], "nan");
    EXPECT_FALSE(stepJson(step).contains("top_gradient_norm")) << "measured at logged steps only";
    step.topGradientNorm = 2.5;
    EXPECT_EQ(stepJson(step)["top_gradient_norm"], 2.5);
}

TEST(RunJson, ProbesAreThereWithTheirIntervals) {
    RunDetail detail;
    detail.probes.emplace_back();
    detail.probes.back().step = 50;
    detail.probes.back().probe = "kl";
    detail.probes.back().measure = "kl";
    detail.probes.back().value = 0.25;
    detail.probes.back().low = 0.125;
    detail.probes.back().high = INFINITY;
    detail.probes.back().items = 64;
    const Json probes = runDetailJson(detail)["probes"];
    ASSERT_EQ(probes.size(), 1u);
    EXPECT_EQ(probes[0]["step"], 50);
    EXPECT_EQ(probes[0]["value"], 0.25);
    EXPECT_EQ(probes[0]["low"], 0.125);
    EXPECT_EQ(probes[0]["high"], "inf");
    EXPECT_EQ(probes[0]["items"], 64);
}

TEST(RunJson, TensorsHaveTheirUpdatesWhereTheyWereMeasured) {
    RunDetail detail;
    detail.parameters = {{0, "embed", "embed", -1, 100, true, 3.0}};
    detail.tensors.emplace();
    detail.tensors->driftL2 = {0.5f};
    EXPECT_TRUE(runDetailJson(detail)["tensors"]["embed"]["squared_update"].is_null()) << "a run of an older version";
    detail.tensors->squaredUpdate = {0.25f};
    EXPECT_EQ(runDetailJson(detail)["tensors"]["embed"]["squared_update"], 0.25);
}

TEST(RunJson, LayersAreSummedOverTheirTensors) {
    const std::vector<ParameterRow> parameters = {{0, "e", "embed", -1, 100, true, 3.0},
                                                  {1, "q", "q", 0, 10, true, 3.0},
                                                  {2, "n", "norm", 0, 10, false, 4.0},
                                                  {3, "f", "norm", -1, 5, false, 0.0}};
    TensorRow row;
    row.selected = {15, 5, 10, 5};
    row.driftL2 = {0.3f, 0.3f, 0.4f, 1.0f};
    const auto digests = layerDigests(parameters, row);
    ASSERT_EQ(digests.size(), 3u);
    EXPECT_EQ(digests[0].name, "embedding");
    EXPECT_EQ(digests[1].name, "layer 0");
    EXPECT_EQ(digests[1].size, 20);
    EXPECT_EQ(digests[1].filteredSize, 10);
    EXPECT_DOUBLE_EQ(digests[1].selectedShare, 0.75);
    EXPECT_NEAR(digests[1].drift, 0.1, 1e-6);
    EXPECT_EQ(digests[2].name, "final norm");
    EXPECT_EQ(digests[2].drift, 0) << "nothing to measure against";
}

TEST(RunJson, SparklinesSpanLowestToHighest) {
    EXPECT_EQ(sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 8), "▁▂▃▄▅▆▇█");
    EXPECT_EQ(sparkline({1, 1, 1}, 8), "▅▅▅");
    EXPECT_EQ(sparkline({0, 0, 7, 7}, 2), "▁█");
    EXPECT_EQ(sparkline({1, NAN, 0}, 8), "█!▁");
    EXPECT_EQ(sparkline({}, 8), "");
}

TEST(EngineProcess, SaysHowAProcessEnded) {
    for (const auto& [script, says] : std::vector<std::pair<std::string, std::string>>{{"exit 3", "exit code 3"}, {"kill -9 $$", "signal 9"}}) {
        const auto pid = spawnProcess({"/bin/sh", {"-c", script}});
        ASSERT_OK(pid);
        int status = 0;
        ASSERT_EQ(waitpid(*pid, &status, 0), *pid);
        EXPECT_THAT(describeExit(status), testing::HasSubstr(says));
    }
    const auto missing = spawnProcess({"/nonexistent/program", {}});
    ASSERT_FALSE(missing.ok());
    EXPECT_THAT(missing.error().text(), testing::HasSubstr("/nonexistent/program"));
}

TEST(EngineProcess, AsksProgramsWithinATime) {
    EXPECT_EQ(outputOf("/bin/echo", {"hello"}, 5), "hello\n");
    EXPECT_EQ(outputOf("/bin/false", {}, 5), std::nullopt);
    EXPECT_EQ(outputOf("/nonexistent/program", {}, 5), std::nullopt);
    EXPECT_EQ(outputOf("/bin/sleep", {"60"}, 0.2), std::nullopt);
}

TEST(EngineProcess, ReadsTheLastLineOfALog) {
    const test::TemporaryFolder folder;
    EXPECT_EQ(lastComplaint(folder / "none"), "");
    test::writeFile(folder / "log", "first\nsecond \x1b[31m\n\n");
    EXPECT_EQ(lastComplaint(folder / "log"), "second \\x1b[31m");
    test::writeFile(folder / "long", std::string(100000, 'x') + "\nend");
    EXPECT_EQ(lastComplaint(folder / "long"), "end");
    for (const auto& [line, complaint] : {std::pair("2026-01-31 14:05:09.123 info step 3: loss 2.1", ""),
                                          std::pair("2026-01-31 14:05:09.123 error the data is gone", "the data is gone"),
                                          std::pair("2026-01-31 14:05:09.123 critical the device failed: x", "the device failed: x"),
                                          std::pair("2026-01-31 14:05:09.123 warning slow", "slow"),
                                          std::pair("terminate called after 2026-01-31", "terminate called after 2026-01-31"),
                                          std::pair("2026-01-31 14:05:09.123 ", "2026-01-31 14:05:09.123")}) {
        test::writeFile(folder / "log", std::string("2026-01-31 14:05:08.001 error before\n") + line + "\n\n");
        EXPECT_EQ(lastComplaint(folder / "log"), complaint) << line;
    }
}

TEST(EngineProcess, ALockNamesItsHolderOnlyWhileHeld) {
    const test::TemporaryFolder folder;
    {
        auto lock = FileLock::tryAcquire(folder / "lock");
        ASSERT_OK(lock);
        ASSERT_OK(lock->writeText("4711\n"));
        EXPECT_EQ(lockHolder(folder / "lock"), 4711);
    }
    EXPECT_EQ(lockHolder(folder / "lock"), std::nullopt);
    EXPECT_EQ(lockHolder(folder / "missing"), std::nullopt);
}

TEST(DeviceChoice, TakesTheCpuAndRefusesWhatIsNotThere) {
    test::Environment environment;
    const test::TemporaryFolder folder;
    environment.set("MOFO_GPU_ROOT", folder.path().string());
    environment.set("MOFO_LIBCUDA", "/nonexistent/libcuda.so.1");
    EXPECT_EQ(resolveDevice("cpu")->device, "cpu");
    const auto automatic = resolveDevice("auto");
    ASSERT_OK(automatic);
    EXPECT_EQ(automatic->device, "cpu");
    EXPECT_EQ(automatic->warning, "") << "no sign of a GPU: nothing to warn about";
    const auto refused = resolveDevice("cuda");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().exitCode(), 3);
    EXPECT_EQ(deviceText("cuda-1"), "cuda:1");
}

TEST(DeviceChoice, AGpuThatCannotBeUsedIsSaid) {
    test::Environment environment;
    const test::TemporaryFolder folder;
    std::filesystem::create_directories(folder / "sys/module/nvidia");
    test::writeFile(folder / "sys/module/nvidia/version", "535.183.01\n");
    environment.set("MOFO_GPU_ROOT", folder.path().string());
    environment.set("MOFO_LIBCUDA", "/nonexistent/libcuda.so.1");
    const auto automatic = resolveDevice("auto");
    ASSERT_OK(automatic);
    EXPECT_EQ(automatic->device, "cpu");
    EXPECT_THAT(automatic->warning, testing::HasSubstr("535.183.01"));
}

}  // namespace
}  // namespace mofo
