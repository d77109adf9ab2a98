// Result, ids, clock, paths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <thread>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/paths.h"
#include "core/base/result.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::MatchesRegex;

Result<int> half(int value) {
    if (value % 2 != 0) return Error{ErrorCode::InvalidInput, "odd", "value", "Use an even one", "ODD"};
    return value / 2;
}

Result<int> quarter(int value) {
    MOFO_TRY(const int once, half(value));
    MOFO_TRY(const int twice, half(once));
    return twice;
}

Result<void> checkQuarter(int value) {
    MOFO_CHECK(quarter(value));
    return {};
}

TEST(Result, TryAndCheckPassTheErrorOn) {
    ASSERT_OK(quarter(12));
    EXPECT_EQ(*quarter(12), 3);
    EXPECT_EQ(quarter(6).error().tag, "ODD");
    EXPECT_OK(checkQuarter(8));
    EXPECT_EQ(checkQuarter(7).error().message, "odd");
}

TEST(Result, MovesValuesThatCannotBeCopied) {
    Result<std::unique_ptr<int>> owned(std::make_unique<int>(4));
    ASSERT_TRUE(owned.ok());
    const std::unique_ptr<int> taken = *std::move(owned);
    EXPECT_EQ(*taken, 4);
}

TEST(Error, TextIsOneLineWithRemedy) {
    EXPECT_EQ((Error{ErrorCode::Io, "cannot read", "a.gguf: byte 7", "Fetch it again", ""}.text()), "a.gguf: byte 7: cannot read. Fetch it again.");
    EXPECT_EQ((Error{ErrorCode::Usage, "did you mean alpha?", "", "", ""}.text()), "did you mean alpha?");
    EXPECT_EQ((Error{ErrorCode::Io, "odd", "inner", "", ""}.in("outer").text()), "outer: inner: odd.");
    EXPECT_EQ((Error{ErrorCode::Io, "odd", "", "", ""}.in("outer").where), "outer");
}

TEST(Error, ExitCodes) {
    const auto code = [](ErrorCode c) { return Error{c, "", "", "", ""}.exitCode(); };
    EXPECT_EQ(code(ErrorCode::Usage), 2);
    for (const ErrorCode c : {ErrorCode::InvalidInput, ErrorCode::NotFound, ErrorCode::Unsupported, ErrorCode::Permission, ErrorCode::OutOfSpace,
                              ErrorCode::DeviceUnusable}) {
        EXPECT_EQ(code(c), 3);
    }
    for (const ErrorCode c : {ErrorCode::Io, ErrorCode::Busy, ErrorCode::Conflict, ErrorCode::OutOfMemory, ErrorCode::Internal})
        EXPECT_EQ(code(c), 1);
    EXPECT_EQ(code(ErrorCode::Interrupted), 130);
}

TEST(Ids, HaveTheirFormAndDoNotRepeat) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        EXPECT_THAT(newUuid(), MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
        const std::string id = newShortId();
        EXPECT_THAT(id, MatchesRegex("[a-z2-7]{12}"));
        EXPECT_TRUE(seen.insert(id).second);
    }
}

TEST(Clock, DurationsNeverGoBack) {
    const Stopwatch watch;
    std::int64_t last = bootNs();
    for (int i = 0; i < 1000; ++i) {
        const std::int64_t now = bootNs();
        EXPECT_GE(now, last);
        last = now;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_GE(watch.elapsedMs(), 5.0);
    EXPECT_GT(wallNs(), 1'700'000'000'000'000'000);
    EXPECT_THAT(bootId(), MatchesRegex("([0-9a-f-]{36})?"));
    EXPECT_THAT(formatLocalTime(wallNs()), MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"));
}

/// Sets environment variables for one test and puts the old values back.
class Environment : public ::testing::Test {
protected:
    void set(const char* name, const char* value) {
        const char* old = std::getenv(name);
        m_old.emplace_back(name, old != nullptr ? std::optional<std::string>(old) : std::nullopt);
        if (value != nullptr)
            setenv(name, value, 1);
        else
            unsetenv(name);
    }
    void TearDown() override {
        for (auto it = m_old.rbegin(); it != m_old.rend(); ++it) {
            if (it->second)
                setenv(it->first.c_str(), it->second->c_str(), 1);
            else
                unsetenv(it->first.c_str());
        }
    }

private:
    std::vector<std::pair<std::string, std::optional<std::string>>> m_old;
};

using Paths = Environment;

TEST_F(Paths, FollowXdg) {
    set("MOFO_WORKSPACE", nullptr);
    set("HOME", "/home/someone");
    set("XDG_DATA_HOME", nullptr);
    set("XDG_CACHE_HOME", nullptr);
    EXPECT_EQ(defaultWorkspacePath(), "/home/someone/.local/share/mofo");
    EXPECT_EQ(cachePath(), "/home/someone/.cache/mofo");
    set("XDG_DATA_HOME", "/data");
    set("XDG_CACHE_HOME", "relative/is/ignored");
    EXPECT_EQ(defaultWorkspacePath(), "/data/mofo");
    EXPECT_EQ(cachePath(), "/home/someone/.cache/mofo");
    set("MOFO_WORKSPACE", "here");
    EXPECT_EQ(defaultWorkspacePath(), "here");
}

TEST_F(Paths, ProgramFolderIsWhereTheTestRuns) { EXPECT_TRUE(std::filesystem::exists(programFolder() / "test_core_base")); }

}  // namespace
}  // namespace mofo
