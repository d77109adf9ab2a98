#include "core/store/workspace.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "core/base/file.h"
#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using ::testing::HasSubstr;

unsigned modeOf(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
}

TEST(Workspace, KnowsItsPlaces) {
    const TemporaryFolder temp;
    const auto workspace = Workspace::openOrCreate(temp / "ws", false);
    ASSERT_OK(workspace);
    EXPECT_EQ(workspace->registryFile(), temp / "ws" / "workbench.db");
    EXPECT_EQ(workspace->deviceLock("cpu"), temp / "ws" / "devices" / "cpu.lock");
    EXPECT_EQ(workspace->deviceLock("cuda-0"), temp / "ws" / "devices" / "cuda-0.lock");
    EXPECT_EQ(workspace->runLock("abc"), temp / "ws" / "runs" / "abc" / "lock");
    EXPECT_EQ(workspace->metricsFile("abc"), temp / "ws" / "runs" / "abc" / "metrics.db");
    EXPECT_EQ(workspace->checkpointsFolder("abc"), temp / "ws" / "runs" / "abc" / "checkpoints");
    EXPECT_EQ(workspace->jobLock("abc"), temp / "ws" / "jobs" / "abc" / "lock");
}

TEST(Workspace, IsMadeOnceAndOpenedAgain) {
    const TemporaryFolder temp;
    ASSERT_OK(Workspace::openOrCreate(temp / "ws", false));
    const std::string before = test::readFile(temp / "ws" / "workbench.db");
    ASSERT_OK(Workspace::openOrCreate(temp / "ws", false));
    EXPECT_EQ(test::readFile(temp / "ws" / "workbench.db"), before);
    const auto reopened = Workspace::open(temp / "ws/");
    ASSERT_OK(reopened);
    EXPECT_EQ(reopened->folder(), temp / "ws");
}

TEST(Workspace, ReadingMakesNothing) {
    const TemporaryFolder temp;
    const auto missing = Workspace::open(temp / "ws");
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_FALSE(fs::exists(temp / "ws"));
    fs::create_directory(temp / "empty");
    const auto empty = Workspace::open(temp / "empty");
    ASSERT_FALSE(empty.ok());
    EXPECT_EQ(empty.error().code, ErrorCode::NotFound);
    EXPECT_TRUE(fs::is_empty(temp / "empty"));
}

TEST(Workspace, ANamedPlaceNeedsItsParentAndTheDefaultPlaceDoesNot) {
    const TemporaryFolder temp;
    const auto orphan = Workspace::openOrCreate(temp / "no/such/ws", false);
    ASSERT_FALSE(orphan.ok());
    EXPECT_EQ(orphan.error().code, ErrorCode::NotFound);
    EXPECT_THAT(orphan.error().text(), HasSubstr("no/such"));
    EXPECT_FALSE(fs::exists(temp / "no"));
    ASSERT_OK(Workspace::openOrCreate(temp / "share/deep/mofo", true));
    EXPECT_TRUE(fs::exists(temp / "share/deep/mofo/workbench.db"));
}

TEST(Workspace, AFileInTheWayIsRefusedByName) {
    const TemporaryFolder temp;
    test::writeFile(temp / "ws", "something else");
    for (const bool isDefault : {false, true}) {
        const auto refused = Workspace::openOrCreate(temp / "ws", isDefault);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().exitCode(), 3);
        EXPECT_THAT(refused.error().text(), HasSubstr("there is a file"));
        const auto below = Workspace::openOrCreate(temp / "ws/below", isDefault);
        ASSERT_FALSE(below.ok());
        EXPECT_EQ(below.error().exitCode(), 3);
    }
    EXPECT_FALSE(Workspace::open(temp / "ws").ok());
    EXPECT_EQ(test::readFile(temp / "ws"), "something else");
}

TEST(Workspace, OfAnotherUserIsRefused) {
    if (geteuid() != 0) GTEST_SKIP() << "giving a folder to another user needs root";
    const TemporaryFolder temp;
    ASSERT_OK(Workspace::openOrCreate(temp / "ws", false));
    ASSERT_EQ(chown((temp / "ws").c_str(), 12345, 12345), 0);
    for (const auto& refused : {Workspace::openOrCreate(temp / "ws", false), Workspace::open(temp / "ws")}) {
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().code, ErrorCode::Permission);
        EXPECT_THAT(refused.error().text(), HasSubstr("another user (uid 12345)"));
        EXPECT_THAT(refused.error().text(), HasSubstr("--workspace"));
    }
}

TEST(Workspace, ThatCannotBeWrittenIsRefusedForWritingAlone) {
    const TemporaryFolder temp;
    ASSERT_EQ(chmod(temp.path().c_str(), 0777), 0);
    EXPECT_TRUE(test::trueAsOrdinaryUser([&] {
        const auto made = Workspace::openOrCreate(temp / "ws", false);
        if (!made.ok() || chmod((temp / "ws").c_str(), 0500) != 0) return false;
        const auto refused = Workspace::openOrCreate(temp / "ws", false);
        return !refused.ok() && refused.error().code == ErrorCode::Permission && refused.error().message.find("not writable") != std::string::npos &&
               Workspace::open(temp / "ws").ok();
    }));
}

TEST(Workspace, KeepsEverythingToItsOwnerUnderAnyUmask) {
    for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}}) {
        const TemporaryFolder temp;
        const mode_t before = umask(mask);
        {
            auto workspace = Workspace::openOrCreate(temp / "ws", false);
            ASSERT_OK(workspace);
            auto registry = Registry::open(*workspace, Registry::Access::ReadWrite);
            ASSERT_OK(registry);
            ASSERT_OK(registry->addRun(test::exampleRun("r1", "one")));
            ASSERT_OK(makeFolder(workspace->runFolder("r1"), false));
            auto writer = MetricsWriter::open(workspace->metricsFile("r1"), "r1");
            ASSERT_OK(writer);
            MetricsBatch batch;
            batch.status = StatusRow{.phase = "train"};
            ASSERT_OK(writer->write(batch));
            auto lock = FileLock::tryAcquire(workspace->runLock("r1"));
            ASSERT_OK(lock);
            EXPECT_TRUE(fs::exists(temp / "ws/runs/r1/metrics.db-wal"));
            int files = 0, folders = 0;
            for (const auto& entry : fs::recursive_directory_iterator(temp / "ws")) {
                if (entry.is_directory()) {
                    EXPECT_EQ(modeOf(entry.path()), 0700u) << entry.path();
                    ++folders;
                } else {
                    EXPECT_EQ(modeOf(entry.path()), 0600u) << entry.path();
                    ++files;
                }
            }
            EXPECT_EQ(folders, 5);
            EXPECT_GE(files, 5);  // workbench.db, metrics.db with its -wal and -shm, lock
            EXPECT_EQ(modeOf(temp / "ws"), 0700u);
        }
        umask(before);
    }
}

TEST(Workspace, LeavesNoTemporaryFilesBehind) {
    const TemporaryFolder temp;
    ASSERT_OK(Workspace::openOrCreate(temp / "ws", false));
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(temp / "ws")) names.insert(entry.path().filename().string());
    EXPECT_EQ(names, (std::set<std::string>{"devices", "jobs", "models", "runs", "workbench.db"}));
}

TEST(Workspace, IsReachedThroughALinkedFolder) {
    const TemporaryFolder temp;
    fs::create_directory(temp / "disk");
    fs::create_directory_symlink(temp / "disk", temp / "link");
    const auto workspace = Workspace::openOrCreate(temp / "link/ws", false);
    ASSERT_OK(workspace);
    ASSERT_OK(Registry::open(*workspace, Registry::Access::ReadWrite));
    EXPECT_TRUE(fs::exists(temp / "disk/ws/workbench.db"));
}

}  // namespace
}  // namespace mofo
