// reliability.md, rows 5 and 6: the disk fills up under a run. Needs the right to mount a tmpfs.
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
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
        std::ofstream file(ballast(), std::ios::binary);
        const std::string block(4096, 'x');
        while (file << block << std::flush) {
        }
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
            const bool asked = eventually([&] {
                const auto reader = MetricsReader::open(workspace().metricsFile(run->id));
                const auto status = reader.ok() ? reader->status() : Result<std::optional<StatusRow>>(std::nullopt);
                // Neither the registry nor the metrics can be written to while nothing is free: then it is seen by the steps that do not come.
                if (status.ok() && *status && (*status)->phase == "paused") return true;
                const std::int64_t step = stepOf(run->id);
                std::this_thread::sleep_for(std::chrono::milliseconds(700));
                return stepOf(run->id) == step;
            });
            EXPECT_TRUE(asked) << "training went on without a place for its results";
            EXPECT_NE(engineOf(run->id), 0) << "the engine gave up\n" << readFile(workspace().runFolder(run->id) / "engine.log");
            std::filesystem::remove(ballast());
            ++filled;
            const std::int64_t stood = stepOf(run->id);
            ASSERT_TRUE(eventually([&] { return stepOf(run->id) > stood || isEnded(stateOf(run->id)); }, 30))
                << "it did not go on\n"
                << readFile(workspace().runFolder(run->id) / "engine.log");
        }
        ASSERT_TRUE(finishes(run->id));
        ASSERT_EQ(difference(expected, outcomeOf(workspace(), run->id)), "");
    }
    reportFigure(std::to_string(filled) + " of " + std::to_string(filled) +
                 " times a full disk made the run wait, and it ended bit for bit once there was room");
}

}  // namespace
}  // namespace mofo::test
