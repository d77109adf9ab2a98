#include "core/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "core/base/hash.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::size_t entriesIn(const fs::path& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

unsigned modeOf(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
}

TEST(FileReader, ReadsAtOffsetsAndRefusesWhatLiesOutside) {
    const test::TemporaryFolder folder;
    test::writeFile(folder / "f", "0123456789");
    const auto file = FileReader::open(folder / "f");
    ASSERT_OK(file);
    EXPECT_EQ(file->sizeBytes(), 10u);
    char text[4] = {};
    EXPECT_OK(file->readAt(6, std::as_writable_bytes(std::span(text))));
    EXPECT_EQ(std::string_view(text, 4), "6789");
    EXPECT_EQ(file->readAt(7, std::as_writable_bytes(std::span(text))).error().tag, "TRUNC");
    EXPECT_EQ(file->readAt(~0ull - 1, std::as_writable_bytes(std::span(text))).error().tag, "TRUNC") << "offset + size wraps around";
    EXPECT_OK(file->readAt(10, {}));
}

TEST(FileReader, FileThatShrinksIsAnErrorAndNoSignal) {
    const test::TemporaryFolder folder;
    test::writeFile(folder / "f", std::string(100000, 'x'));
    const auto file = FileReader::open(folder / "f");
    ASSERT_OK(file);
    fs::resize_file(folder / "f", 10);
    std::string text(1000, '\0');
    const auto read = file->readAt(50000, std::as_writable_bytes(std::span(text)));
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::Io);
    EXPECT_THAT(read.error().text(), HasSubstr("byte 50000"));
}

TEST(FileReader, OpensNothingButRegularFiles) {
    const test::TemporaryFolder folder;
    ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(FileReader::open(folder / "fifo").error().code, ErrorCode::InvalidInput) << "and does not wait for a writer";
    EXPECT_EQ(FileReader::open(folder.path()).error().code, ErrorCode::InvalidInput);
    EXPECT_EQ(FileReader::open("/dev/zero").error().code, ErrorCode::InvalidInput);
    EXPECT_EQ(FileReader::open(folder / "none").error().code, ErrorCode::NotFound);
    EXPECT_EQ(FileReader::open(folder / "none\n\x1b[2J").error().text().find('\x1b'), std::string::npos);
}

TEST(FileReader, BeneathStaysBeneath) {
    const test::TemporaryFolder outer;
    const fs::path model = outer / "model";
    fs::create_directory(model);
    test::writeFile(outer / "secret", "s");
    test::writeFile(model / "shard", "x");
    fs::create_symlink("shard", model / "inside");
    fs::create_symlink("../secret", model / "outside");
    fs::create_symlink("/etc/passwd", model / "absolute");
    EXPECT_OK(FileReader::openBeneath(model, "shard"));
    EXPECT_OK(FileReader::openBeneath(model, "inside"));
    for (const char* name : {"outside", "absolute", "../secret", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "c:d", "x\ny"}) {
        const auto opened = FileReader::openBeneath(model, name);
        ASSERT_FALSE(opened.ok()) << name;
        EXPECT_EQ(opened.error().tag, "PATH") << name;
        EXPECT_EQ(opened.error().exitCode(), 3) << name;
    }
    EXPECT_EQ(FileReader::openBeneath(model, std::string(256, 'a')).error().tag, "PATH");
}

TEST(FileReader, BeneathFollowsTheLinksOfAHuggingFaceCacheOnly) {
    const test::TemporaryFolder cache;
    const fs::path repository = cache / "models--x--y";
    const fs::path snapshot = repository / "snapshots/abc";
    fs::create_directories(snapshot);
    fs::create_directories(repository / "blobs");
    test::writeFile(repository / "blobs/0123456789abcdef", "weights");
    fs::create_symlink("../../blobs/0123456789abcdef", snapshot / "model.safetensors");
    fs::create_symlink("../../blobs/../../secret", snapshot / "config.json");
    // A blob that is itself a link would lead anywhere.
    fs::create_symlink("/etc/passwd", repository / "blobs/fedc");
    fs::create_symlink("../../blobs/fedc", snapshot / "tokenizer.json");
    const auto good = FileReader::openBeneath(snapshot, "model.safetensors");
    ASSERT_OK(good);
    EXPECT_EQ(good->sizeBytes(), 7u);
    EXPECT_FALSE(FileReader::openBeneath(snapshot, "config.json").ok());
    EXPECT_FALSE(FileReader::openBeneath(snapshot, "tokenizer.json").ok());
}

TEST(ReadWholeFile, LimitComesBeforeAllocation) {
    const test::TemporaryFolder folder;
    test::writeFile(folder / "f", "12345");
    EXPECT_EQ(*readWholeFile(folder / "f", 5), "12345");
    EXPECT_EQ(readWholeFile(folder / "f", 4).error().tag, "LIMIT");
    // A sparse file of 1 TiB costs nothing to refuse.
    test::writeFile(folder / "huge", "");
    fs::resize_file(folder / "huge", 1ull << 40);
    EXPECT_EQ(readWholeFile(folder / "huge", 1 << 20).error().tag, "LIMIT");
    test::writeFile(folder / "empty", "");
    EXPECT_EQ(*readWholeFile(folder / "empty", 0), "");
}

TEST(WriteFileAtomic, ReplacesWholeAndLeavesNothingBehind) {
    const test::TemporaryFolder folder;
    ASSERT_OK(writeFileAtomic(folder / "f", "old"));
    ASSERT_OK(writeFileAtomic(folder / "f", "new text"));
    EXPECT_EQ(test::readFile(folder / "f"), "new text");
    EXPECT_EQ(modeOf(folder / "f"), 0600u);
    ASSERT_OK(writeFileAtomic(folder / "g", "", 0640));
    EXPECT_EQ(modeOf(folder / "g"), 0640u);
    EXPECT_EQ(entriesIn(folder.path()), 2u);
    EXPECT_EQ(writeFileAtomic(folder / "none/f", "x").error().code, ErrorCode::NotFound);
    fs::create_directory(folder / "d");
    EXPECT_FALSE(writeFileAtomic(folder / "d", "x").ok());
    EXPECT_EQ(entriesIn(folder.path()), 3u) << "a failed write removes its temporary file";
}

TEST(WriteFileAtomic, DiskFullKeepsTheOldFile) {
    const test::TemporaryFolder folder;
    ASSERT_OK(writeFileAtomic(folder / "f", "old"));
    rlimit old{};
    getrlimit(RLIMIT_FSIZE, &old);
    const rlimit small{1000, old.rlim_max};
    const auto oldHandler = std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    const auto written = writeFileAtomic(folder / "f", std::string(5000, 'x'));
    setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, oldHandler);
    EXPECT_FALSE(written.ok());
    EXPECT_EQ(test::readFile(folder / "f"), "old");
    EXPECT_EQ(entriesIn(folder.path()), 1u);
}

TEST(FileWriter, HashesWhatItWritesAndNeverOverwrites) {
    const test::TemporaryFolder folder;
    auto file = FileWriter::create(folder / "f");
    ASSERT_OK(file);
    EXPECT_OK(file->write("ab"));
    EXPECT_OK(file->write("c"));
    EXPECT_EQ(file->sizeBytes(), 3u);
    const auto hash = file->finish();
    ASSERT_OK(hash);
    EXPECT_EQ(*hash, sha256Hex("abc"));
    EXPECT_EQ(modeOf(folder / "f"), 0600u);
    EXPECT_FALSE(FileWriter::create(folder / "f").ok());
    fs::create_symlink("elsewhere", folder / "link");
    EXPECT_FALSE(FileWriter::create(folder / "link").ok());
    EXPECT_FALSE(fs::exists(folder / "elsewhere"));
}

TEST(FileWriter, FullDeviceIsOutOfSpace) {
    auto full = FileWriter::create("/dev/full");
    EXPECT_FALSE(full.ok()) << "existing paths are never opened for writing";
    EXPECT_EQ(errnoError(ENOSPC, "cannot write", "f").code, ErrorCode::OutOfSpace);
    EXPECT_EQ(errnoError(EDQUOT, "cannot write", "f").code, ErrorCode::OutOfSpace);
    EXPECT_EQ(errnoError(EACCES, "cannot write", "f").code, ErrorCode::Permission);
    EXPECT_EQ(errnoError(EIO, "cannot write", "f").exitCode(), 1);
}

TEST(StagedFolder, AppearsWholeOrNotAtAll) {
    const test::TemporaryFolder parent;
    {
        auto staged = StagedFolder::create(parent / "out");
        ASSERT_OK(staged);
        test::writeFile(staged->path() / "a", "1");
        fs::create_directory(staged->path() / "sub");
        test::writeFile(staged->path() / "sub/b", "2");
        EXPECT_FALSE(fs::exists(parent / "out"));
        ASSERT_OK(staged->commit());
    }
    EXPECT_EQ(test::readFile(parent / "out/sub/b"), "2");
    EXPECT_EQ(modeOf(parent / "out"), 0700u);
    {
        auto dropped = StagedFolder::create(parent / "other");
        ASSERT_OK(dropped);
        test::writeFile(dropped->path() / "a", "1");
    }
    EXPECT_EQ(entriesIn(parent.path()), 1u);
}

TEST(StagedFolder, NeverReplaces) {
    const test::TemporaryFolder parent;
    fs::create_directory(parent / "out");
    EXPECT_EQ(StagedFolder::create(parent / "out").error().code, ErrorCode::Conflict);
    EXPECT_EQ(StagedFolder::create(parent / "out/").error().code, ErrorCode::Conflict);
    fs::create_symlink("dangling", parent / "link");
    EXPECT_EQ(StagedFolder::create(parent / "link").error().code, ErrorCode::Conflict);
    auto staged = StagedFolder::create(parent / "late/");
    ASSERT_OK(staged);
    fs::create_directory(parent / "late");
    EXPECT_EQ(staged->commit().error().code, ErrorCode::Conflict) << "made by somebody else since";
    EXPECT_EQ(StagedFolder::create(parent / "none/out").error().code, ErrorCode::NotFound);
}

TEST(FileLock, ExcludesAndDiesWithItsHolder) {
    const test::TemporaryFolder folder;
    EXPECT_FALSE(FileLock::isHeld(folder / "lock"));
    {
        auto lock = FileLock::tryAcquire(folder / "lock");
        ASSERT_OK(lock);
        EXPECT_TRUE(FileLock::isHeld(folder / "lock"));
        EXPECT_EQ(FileLock::tryAcquire(folder / "lock").error().code, ErrorCode::Busy) << "even within one process";
        EXPECT_OK(lock->writeText("pid 12345\n"));
        EXPECT_OK(lock->writeText("pid 7\n"));
        EXPECT_EQ(test::readFile(folder / "lock"), "pid 7\n");
        EXPECT_TRUE(FileLock::isHeld(folder / "lock")) << "reading the text must not drop the lock";
    }
    EXPECT_FALSE(FileLock::isHeld(folder / "lock"));
}

TEST(FileLock, IsFreeAfterKillNine) {
    const test::TemporaryFolder folder;
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        const auto lock = FileLock::tryAcquire(folder / "lock");
        if (write(ready[1], lock.ok() ? "y" : "n", 1) != 1) _exit(1);
        pause();
        _exit(0);
    }
    char answer = 0;
    ASSERT_EQ(read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    EXPECT_TRUE(FileLock::isHeld(folder / "lock"));
    EXPECT_FALSE(FileLock::tryAcquire(folder / "lock").ok());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_FALSE(FileLock::isHeld(folder / "lock"));
    EXPECT_OK(FileLock::tryAcquire(folder / "lock"));
    close(ready[0]);
    close(ready[1]);
}

TEST(Folders, MadePrivateWithParentsOnlyWhenAsked) {
    const test::TemporaryFolder folder;
    EXPECT_EQ(makeFolder(folder / "a/b", false).error().code, ErrorCode::NotFound);
    EXPECT_OK(makeFolder(folder / "a/b", true));
    EXPECT_OK(makeFolder(folder / "a/b", false));
    EXPECT_EQ(modeOf(folder / "a"), 0700u);
    EXPECT_EQ(modeOf(folder / "a/b"), 0700u);
    test::writeFile(folder / "file", "");
    EXPECT_FALSE(makeFolder(folder / "file", false).ok());
    EXPECT_OK(syncFolder(folder.path()));
    EXPECT_FALSE(syncFolder(folder / "file").ok());
}

TEST(Space, AskedOfTheNearestFolderThatExists) {
    const test::TemporaryFolder folder;
    const auto available = freeBytes(folder / "not/yet/there");
    ASSERT_OK(available);
    EXPECT_GT(*available, 0u);
    EXPECT_OK(requireFreeBytes(folder.path(), 1, "a byte"));
    const auto refused = requireFreeBytes(folder / "x", 1ull << 60, "the checkpoint");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::OutOfSpace);
    EXPECT_EQ(refused.error().exitCode(), 3);
    EXPECT_THAT(refused.error().text(), HasSubstr("the checkpoint needs 1.05 EiB"));
    EXPECT_FALSE(isNetworkFileSystem("/proc"));
}

}  // namespace
}  // namespace mofo
