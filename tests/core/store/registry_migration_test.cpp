// workbench.db of schema version 1: read as it is, copied before it is brought up to date, never lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/store/registry.h"
#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::exampleRun;
using test::StoreFixture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RegistryOfVersion1 : public ::testing::Test, public StoreFixture {
protected:
    RegistryOfVersion1() {
        EXPECT_OK(registry.addRun(exampleRun("r1", "one")));
        EXPECT_OK(registry.addRun(exampleRun("r2", "two")));
        EXPECT_OK(registry.addCommand(test::exampleCommand("r1", "set")));
        makeOld();
    }
    void makeOld() { test::tamper(file(), "DROP TABLE run_marks; DROP TABLE checkpoint_pins; PRAGMA user_version = 1"); }
    [[nodiscard]] fs::path file() const { return workspace.registryFile(); }
    [[nodiscard]] std::vector<fs::path> backups() const {
        std::vector<fs::path> list;
        for (const auto& entry : fs::directory_iterator(workspace.folder())) {
            if (entry.path().filename().string().find(".bak") != std::string::npos) list.push_back(entry.path());
        }
        std::sort(list.begin(), list.end());
        return list;
    }
};

// The tables as the released program of version 1 made them: what is migrated here is what users have.
TEST_F(RegistryOfVersion1, HasTheTextThatWasReleased) {
    const std::string text = test::ask(
        file(),
        "SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'sqlite_sequence' ORDER BY name)");
    EXPECT_EQ(sha256Hex(text), "a091cdf86955fda4d5a6e8c8a1effbf2706238138e80cf92631c78049964cd2d");
}

TEST_F(RegistryOfVersion1, IsReadAsItIs) {
    const std::string before = sha256Hex(test::readFile(file()));
    const Registry reader = openRegistry(Registry::Access::ReadOnly);
    EXPECT_EQ(reader.runs()->size(), 2u);
    EXPECT_EQ(reader.findRun("one")->notExact, "");
    EXPECT_THAT(*reader.pinnedSteps("r1"), IsEmpty());
    EXPECT_THAT(*reader.keptSteps("r1"), IsEmpty());
    EXPECT_EQ(sha256Hex(test::readFile(file())), before) << "readers change nothing";
    EXPECT_THAT(backups(), IsEmpty());
}

TEST_F(RegistryOfVersion1, IsCopiedAndBroughtUpToDateByTheFirstWriter) {
    const Registry before = openRegistry(Registry::Access::ReadOnly);
    EXPECT_EQ(before.runs()->size(), 2u);
    Registry writer = openRegistry();
    EXPECT_EQ(test::ask(file(), "PRAGMA user_version"), "2");
    RunRow marked = exampleRun("r3", "three");
    marked.notExact = "micro_batch 4 -> 2";
    ASSERT_OK(writer.addRun(marked));
    ASSERT_OK(writer.setCheckpointPinned("r1", 20, true));
    const Registry after = openRegistry(Registry::Access::ReadOnly);
    for (const Registry* reader : {&before, &after}) {
        EXPECT_EQ(reader->runs()->size(), 3u);
        EXPECT_EQ(reader->findRun("r3")->notExact, "micro_batch 4 -> 2");
        EXPECT_THAT(*reader->pinnedSteps("r1"), ElementsAre(20));
        EXPECT_EQ(reader->commands("r1")->size(), 1u);
    }
    ASSERT_EQ(backups().size(), 1u);
    const fs::path backup = backups()[0];
    EXPECT_EQ(backup.filename(), "workbench.db.v1.bak");
    EXPECT_EQ(test::ask(backup, "PRAGMA user_version"), "1");
    EXPECT_EQ(test::ask(backup, "SELECT group_concat(name) FROM (SELECT name FROM runs ORDER BY seq)"), "one,two");
    EXPECT_EQ(test::ask(backup, "PRAGMA integrity_check"), "ok");
    struct stat info {};
    ASSERT_EQ(stat(backup.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(RegistryOfVersion1, TheCopyOfAnEarlierMigrationIsKept) {
    { const Registry first = openRegistry(); }
    ASSERT_OK(registry.addRun(exampleRun("r3", "three")));
    makeOld();  // as if the user had gone back to the older program
    { const Registry second = openRegistry(); }
    ASSERT_EQ(backups().size(), 2u);
    EXPECT_EQ(backups()[0].filename(), "workbench.db.v1-2.bak");
    EXPECT_EQ(test::ask(backups()[0], "SELECT count(*) FROM runs"), "3");
    EXPECT_EQ(test::ask(backups()[1], "SELECT count(*) FROM runs"), "2");
}

TEST_F(RegistryOfVersion1, ManyProgramsAtOnceMigrateItOnce) {
    for (int round = 0; round < 10; ++round) {
        for (const fs::path& old : backups()) fs::remove(old);
        std::vector<std::thread> programs;
        for (int i = 0; i < 6; ++i) {
            programs.emplace_back([&] {
                const auto opened = Registry::open(workspace, Registry::Access::ReadWrite);
                ASSERT_OK(opened);
                EXPECT_EQ(opened->runs()->size(), 2u);
            });
        }
        for (std::thread& program : programs) program.join();
        ASSERT_FALSE(backups().empty());
        for (const fs::path& backup : backups()) {
            EXPECT_EQ(test::ask(backup, "PRAGMA user_version"), "1") << backup;
            EXPECT_EQ(test::ask(backup, "SELECT count(*) FROM runs"), "2");
        }
        EXPECT_EQ(test::ask(file(), "PRAGMA user_version"), "2");
        for (const auto& entry : fs::directory_iterator(workspace.folder())) EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
        makeOld();
    }
}

TEST_F(RegistryOfVersion1, WithoutACopyThereIsNoMigration) {
    const std::string before = sha256Hex(test::readFile(file()));
    fs::permissions(workspace.folder(), fs::perms::owner_read | fs::perms::owner_exec);
    fs::permissions(file(), fs::perms::all);
    const bool refused = test::trueAsOrdinaryUser([&] {
        const auto opened = Registry::open(workspace, Registry::Access::ReadWrite);
        return !opened.ok() && opened.error().code == ErrorCode::Permission;
    });
    fs::permissions(workspace.folder(), fs::perms::owner_all);
    EXPECT_TRUE(refused);
    EXPECT_EQ(sha256Hex(test::readFile(file())), before);
    EXPECT_EQ(test::ask(file(), "PRAGMA user_version"), "1");
}

class CheckpointPins : public ::testing::Test, public StoreFixture {
protected:
    void addBranch(const std::string& id, std::int64_t step) {
        RunRow run = exampleRun(id, "branch " + id);
        run.parentId = "parent";
        run.parentStep = step;
        ASSERT_OK(registry.addRun(run));
    }
};

TEST_F(CheckpointPins, AreKeptOncePerStep) {
    ASSERT_OK(registry.addRun(exampleRun("parent", "parent")));
    for (const int step : {40, 20, 40}) ASSERT_OK(registry.setCheckpointPinned("parent", step, true));
    EXPECT_THAT(*registry.pinnedSteps("parent"), ElementsAre(20, 40));
    ASSERT_OK(registry.setCheckpointPinned("parent", 20, false));
    ASSERT_OK(registry.setCheckpointPinned("parent", 20, false));
    EXPECT_THAT(*openRegistry().pinnedSteps("parent"), ElementsAre(40));
    EXPECT_EQ(registry.setCheckpointPinned("nobody", 1, true).error().code, ErrorCode::NotFound);
    EXPECT_FALSE(registry.setCheckpointPinned("parent", -1, true).ok());
}

TEST_F(CheckpointPins, ABranchKeepsItsParentsUntilItHasItsOwn) {
    ASSERT_OK(registry.addRun(exampleRun("parent", "parent")));
    ASSERT_OK(registry.setCheckpointPinned("parent", 10, true));
    addBranch("b1", 30);
    addBranch("b2", 20);
    addBranch("b3", 20);
    addBranch("twin", 0);
    EXPECT_THAT(*registry.keptSteps("parent"), ElementsAre(10, 20, 30));
    EXPECT_THAT(*registry.keptSteps("b1"), IsEmpty());
    fs::create_directories(workspace.checkpointsFolder("b1") / "step-00000031");
    EXPECT_THAT(*registry.keptSteps("parent"), ElementsAre(10, 20, 30)) << "a folder without a manifest is no checkpoint";
    test::writeFile(workspace.checkpointsFolder("b1") / "step-00000031" / "manifest.json", "{}");
    EXPECT_THAT(*registry.keptSteps("parent"), ElementsAre(10, 20));
    fs::create_directories(workspace.checkpointsFolder("b2") / "step-00000021");
    test::writeFile(workspace.checkpointsFolder("b2") / "step-00000021" / "manifest.json", "{}");
    EXPECT_THAT(*registry.keptSteps("parent"), ElementsAre(10, 20)) << "another branch still needs it";
    ASSERT_OK(registry.setRunState("b3", RunState::Stopped));
    EXPECT_THAT(*registry.keptSteps("parent"), ElementsAre(10, 20)) << "it may be resumed";
}

}  // namespace
}  // namespace mofo
