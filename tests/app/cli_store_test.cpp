// A registry that cannot be used: said in one sentence, and left as it is.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/hash.h"
#include "tests/app/cli_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::CliProcess;
using test::CliResult;
using testing::AllOf;
using testing::HasSubstr;

class CliStore : public test::CliTest {
protected:
    [[nodiscard]] fs::path file() { return workspace().registryFile(); }
    void patch(std::size_t offset, const std::string& bytes) {
        std::string content = test::readFile(file());
        content.replace(offset, bytes.size(), bytes);
        test::writeFile(file(), content);
    }
    /// A reading and a writing command are refused with one sentence that names the file, and change nothing.
    void expectRefused(const std::string& id, int exitCode, const char* says) {
        const std::string before = sha256Hex(test::readFile(file()));
        for (const std::vector<std::string>& command : {std::vector<std::string>{"runs"}, {"show", id}, {"rename", id, "other"}, {"queue", "move", id, "1"}}) {
            const CliResult refused = cli(command);
            EXPECT_EQ(refused.exitCode, exitCode) << command[0] << ": " << refused.err;
            EXPECT_EQ(refused.out, "") << command[0];
            EXPECT_LE(refused.errorLines(), 4);
            EXPECT_THAT(refused.err, AllOf(HasSubstr("workbench.db"), HasSubstr(says))) << command[0];
        }
        EXPECT_EQ(sha256Hex(test::readFile(file())), before) << says;
    }
};

TEST_F(CliStore, DamagedAndForeignFilesAreRefusedAndLeftAlone) {
    const std::string id = trainToEnd();
    m_registry.reset();
    const std::string good = test::readFile(file());
    patch(0, "garbage!");
    expectRefused(id, 3, "not a database");
    test::writeFile(file(), good);
    patch(68, std::string("\x01\x02\x03\x04", 4));  // the application id
    expectRefused(id, 3, "no workspace registry");
    test::writeFile(file(), good);
    patch(60, std::string("\x00\x00\x00\x63", 4));  // the schema version: 99
    expectRefused(id, 3, "schema version 99");
    test::writeFile(file(), good.substr(0, good.size() / 2));
    expectRefused(id, 3, "damaged");
    test::writeFile(file(), "");
    expectRefused(id, 3, "empty");
    test::writeFile(file(), good);
    const CliResult back = cli({"runs", "--json"});
    ASSERT_EQ(back.exitCode, 0) << back.err;
    EXPECT_EQ(back.json()[0]["id"], id) << "nothing is lost";
}

TEST_F(CliStore, ALockedFileIsWaitedForAndThenRefused) {
    const std::string id = trainToEnd();
    m_registry.reset();
    // SQLite's exclusive lock, held by another process: bytes 0x40000000 and on.
    const pid_t holder = fork();
    if (holder == 0) {
        const int fd = open(file().c_str(), O_RDWR | O_CLOEXEC);
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        lock.l_start = 0x40000000;
        lock.l_len = 512;
        if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0) _exit(1);
        while (true) pause();
    }
    usleep(100'000);
    {
        CliProcess reading({"runs"}), writing({"rename", id, "other"});
        for (CliProcess* process : {&reading, &writing}) {
            const CliResult refused = process->finish(60);
            EXPECT_EQ(refused.exitCode, 1) << refused.err;
            EXPECT_THAT(refused.err, AllOf(HasSubstr("locked by another program"), HasSubstr("Try again")));
        }
    }
    CliProcess patient({"rename", id, "other"});
    usleep(500'000);
    kill(holder, SIGKILL);
    waitpid(holder, nullptr, 0);
    EXPECT_EQ(patient.finish().exitCode, 0) << "one that is let go in time is no trouble";
    EXPECT_EQ(cli({"runs", "--json"}).json()[0]["name"], "other");
}

TEST_F(CliStore, ANewerRunStoreIsRefusedWithItsVersion) {
    const std::string id = trainToEnd();
    const fs::path metrics = workspace().metricsFile(id);
    std::string content = test::readFile(metrics);
    content.replace(60, 4, std::string("\x00\x00\x00\x63", 4));
    test::writeFile(metrics, content);
    const CliResult refused = cli({"show", id});
    EXPECT_EQ(refused.exitCode, 3);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("metrics.db"), HasSubstr("schema version 99")));
    EXPECT_EQ(cli({"runs"}).exitCode, 0) << "the others are listed all the same";
    EXPECT_EQ(test::readFile(metrics), content);
}

}  // namespace
}  // namespace mofo
