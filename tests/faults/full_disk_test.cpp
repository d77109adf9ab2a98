// reliability.md, rows 5 and 6: the disk fills up under a run. Needs the right to mount a tmpfs.
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include "core/store/run_metrics.h"
#include "tests/faults/fault_support.h"

namespace mofo::test {
namespace {

class FullDisk : public FaultTest {
protected:
    void SetUp() override {
        std::filesystem::create_directory(m_place);
        if (mount("tmpfs", m_place.c_str(), "tmpfs", 0, "size=40m,mode=0700") != 0)
            GTEST_SKIP() << "cannot mount a tmpfs here (it takes root): " << std::strerror(errno);
        m_mounted = true;
        FaultTest::SetUp();
    }
    void TearDown() override {
        if (!m_mounted) return;
        FaultTest::TearDown();
        m_registry.reset();
        // A supervisor that is about to end may still have its files open.
        EXPECT_TRUE(eventually([&] { return umount(m_place.c_str()) == 0; }, 10)) << std::strerror(errno);
    }
    /// Takes every last byte.
    void fill() const {
        std::ofstream file(ballast(), std::ios::binary | std::ios::app);
        const std::string block(4096, 'x');
        while (file << block << std::flush) {
        }
    }
    /// Of the engine's own status and of the registry.
    bool saysPaused(const std::string& id) {
        const auto reader = MetricsReader::open(workspace().metricsFile(id));
        const auto status = reader.ok() ? reader->status() : Result<std::optional<StatusRow>>(std::nullopt);
        return status.ok() && *status && (*status)->phase == "paused" && stateOf(id) == RunState::Paused;
    }
    /// What the command prints, and how it ends.
    static std::string mofo(const std::string& arguments) {
        const auto close = [](FILE* pipe) { pclose(pipe); };
        const std::unique_ptr<FILE, decltype(close)> pipe(
            popen(("timeout 30 " + (binFolder() / "mofo").string() + ' ' + arguments + " 2>&1; echo exit $?").c_str(), "r"), close);
        std::string text;
        for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get())) text += static_cast<char>(c);
        return text;
    }
    [[nodiscard]] std::filesystem::path ballast() const { return m_place / "ballast"; }

    std::filesystem::path m_place = m_folder / "workspace";
    bool m_mounted = false;
};

TEST_F(FullDisk, TrainingPausesAsksAndGoesOnToTheSameEnd) {
    const int wanted = countOf("MOFO_FAULT_FULL_DISKS", 3);
    const Values config = values(600);
    const Outcome expected = undisturbed(config, {});
    int filled = 0;
    while (filled < wanted) {
        const auto run = start(config);
        ASSERT_OK(run);
        for (int inThisRun = 0; inThisRun < 3 && filled < wanted; ++inThisRun) {
            const std::int64_t from = stepOf(run->id);
            ASSERT_TRUE(eventually([&] { return stepOf(run->id) > from + 1 || isEnded(stateOf(run->id)); }));
            std::this_thread::sleep_for(std::chrono::milliseconds(draw(0, 120)));
            if (isEnded(stateOf(run->id))) break;
            fill();
            ASSERT_TRUE(eventually([&] { return saysPaused(run->id); }, 20))
                << "the pause is not seen\n"
                << mofo("show " + run->id) << readFile(workspace().runFolder(run->id) / "engine.log");
            const std::int64_t paused = stepOf(run->id);
            EXPECT_THAT(mofo("show " + run->id), testing::AllOf(testing::HasSubstr("paused"), testing::HasSubstr("disk is full")));
            EXPECT_NE(engineOf(run->id), 0) << "the engine gave up\n" << readFile(workspace().runFolder(run->id) / "engine.log");
            EXPECT_EQ(stepOf(run->id), paused) << "training went on without a place for its results";
            std::filesystem::remove(ballast());
            ++filled;
            ASSERT_TRUE(eventually([&] { return stepOf(run->id) > paused || isEnded(stateOf(run->id)); }, 30))
                << "it did not go on\n"
                << readFile(workspace().runFolder(run->id) / "engine.log");
        }
        ASSERT_TRUE(finishes(run->id));
        ASSERT_EQ(difference(expected, outcomeOf(workspace(), run->id)), "");
    }
    reportFigure(std::to_string(filled) + " of " + std::to_string(filled) +
                 " times a full disk made the run wait, and it ended bit for bit once there was room");
}

// The disk may be found full while rows are written, or by a checkpoint, which every command then tries again.
class FullDiskFoundBy : public FullDisk, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Table, FullDiskFoundBy, testing::Values("20", "1"),
                         [](const auto& info) { return std::string(info.param) == "20" ? "Rows" : "Checkpoint"; });

TEST_P(FullDiskFoundBy, CommandsAreTakenAndStopNowEnds) {
    const Values config = values(5000, {{"checkpoint_every", GetParam()}});
    const auto run = start(config);
    ASSERT_OK(run);
    ASSERT_TRUE(eventually([&] { return stepOf(run->id) > 20; }));
    fill();
    ASSERT_TRUE(eventually([&] { return saysPaused(run->id); }, 20)) << readFile(workspace().runFolder(run->id) / "engine.log");
    for (int i = 0; i < 3; ++i) {
        EXPECT_THAT(mofo("pause " + run->id), testing::HasSubstr("exit 0"));
        EXPECT_THAT(mofo("resume " + run->id + " --detach"), testing::AllOf(testing::HasSubstr("disk is full"), testing::HasSubstr("exit 0")));
        EXPECT_THAT(mofo("set " + run->id + " alpha=0.1"), testing::HasSubstr("exit 0"));
    }
    EXPECT_EQ(stateOf(run->id), RunState::Paused) << "there is still no room";
    EXPECT_THAT(mofo("show " + run->id + " --json"), testing::HasSubstr("\"stalled_seconds\":null"));
    EXPECT_THAT(mofo("stop " + run->id + " --now"), testing::AllOf(testing::HasSubstr("stopped at step"), testing::HasSubstr("exit 0")));
    EXPECT_EQ(engineOf(run->id), 0);
    EXPECT_EQ(stateOf(run->id), RunState::Stopped);
    // What the engine held back for its last words is free again: somebody else takes it.
    fill();
    const std::string refused = mofo("resume " + run->id);
    EXPECT_THAT(refused, testing::AllOf(testing::HasSubstr("free"), testing::HasSubstr("exit 3")));
    EXPECT_EQ(stateOf(run->id), RunState::Stopped) << "what cannot start is not begun";
    std::filesystem::remove(ballast());
    EXPECT_THAT(mofo("resume " + run->id + " --detach"), testing::HasSubstr("exit 0"));
    const std::int64_t stood = stepOf(run->id);
    ASSERT_TRUE(eventually([&] { return stateOf(run->id) == RunState::Running && stepOf(run->id) > stood; }, 30));
    EXPECT_THAT(mofo("stop " + run->id), testing::HasSubstr("exit 0"));
}

}  // namespace
}  // namespace mofo::test
