#include "core/base/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/base/json.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

TEST(EscapeForDisplay, LeavesOrdinaryTextOfAnyScript) {
    for (const char* text : {"", "plain", "Grüße", "日本語", "emoji 🎉", "a\u0301", "tab-free \"quotes\" and \\"})
        EXPECT_EQ(escapeForDisplay(text), text);
}

TEST(EscapeForDisplay, ShowsWhatCouldSteerATerminal) {
    EXPECT_EQ(escapeForDisplay("a\nb\tc\rd"), "a\\nb\\tc\\rd");
    EXPECT_EQ(escapeForDisplay("\x1b[2J"), "\\x1b[2J");
    EXPECT_EQ(escapeForDisplay(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
    EXPECT_EQ(escapeForDisplay("\u009b31m"), "\\x9b31m");  // a one-character CSI
    EXPECT_EQ(escapeForDisplay("gpj.\u202eexe"), "gpj.\\u202eexe");
    EXPECT_EQ(escapeForDisplay("\u2066x\u2069\ufeff"), "\\u2066x\\u2069\\ufeff");
}

TEST(EscapeForDisplay, ShowsBrokenUtf8ByteByByte) {
    EXPECT_EQ(escapeForDisplay("\xff"
                               "a"),
              "\\xffa");
    EXPECT_EQ(escapeForDisplay("\xe6\x97"), "\\xe6\\x97");
    EXPECT_EQ(escapeForDisplay("\xc0\xaf"), "\\xc0\\xaf");
    EXPECT_EQ(escapeForDisplay("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(EscapeForDisplay, MakesEveryNaughtyStringHarmless) {
    MOFO_REQUIRE_SHARED();
    const auto strings = parseJson(test::readFile(test::sharedFolder() / "data/naughty-strings.json"));
    ASSERT_OK(strings);
    ASSERT_GT(strings->size(), 500u);
    for (const Json& entry : *strings) {
        const std::string shown = escapeForDisplay(entry.get<std::string>());
        EXPECT_TRUE(isValidUtf8(shown));
        for (const char c : shown) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << shown;
        EXPECT_EQ(shown.find("\u202e"), std::string::npos);
        EXPECT_EQ(escapeForDisplay(shown), shown) << "escaping twice must change nothing more";
    }
}

TEST(IsValidUtf8, FollowsTheStandardsTable) {
    for (const char* good : {"", "a", "\u00e9", "\u20ac", "\U0001f389", "\U0010ffff", "\ud7ff", "\ue000"})
        EXPECT_TRUE(isValidUtf8(good)) << escapeForDisplay(good);
    EXPECT_TRUE(isValidUtf8(std::string_view("\0", 1)));
    for (const char* bad : {"\x80", "\xbf", "\xc1\x80", "\xc3",
                            "\xc3"
                            "a",
                            "\xe0\x80\x80", "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                            "\xfe", "\xff", "ok\xf0\x9f\x8e"}) {
        EXPECT_FALSE(isValidUtf8(bad)) << escapeForDisplay(bad);
    }
}

TEST(FormatBytes, BinaryUnitsThreeDigits) {
    EXPECT_EQ(formatBytes(0), "0 B");
    EXPECT_EQ(formatBytes(1023), "1023 B");
    EXPECT_EQ(formatBytes(1024), "1.00 KiB");
    EXPECT_EQ(formatBytes(10 * 1024), "10.0 KiB");
    EXPECT_EQ(formatBytes(102547456), "97.8 MiB");
    EXPECT_EQ(formatBytes(500ull << 30), "500 GiB");
    EXPECT_EQ(formatBytes(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

TEST(FormatDuration, ForPeople) {
    EXPECT_EQ(formatDuration(0), "0 s");
    EXPECT_EQ(formatDuration(59.4), "59 s");
    EXPECT_EQ(formatDuration(59.6), "1 min 00 s");
    EXPECT_EQ(formatDuration(200), "3 min 20 s");
    EXPECT_EQ(formatDuration(7500), "2 h 05 min");
    EXPECT_EQ(formatDuration(std::nan("")), "--");
    EXPECT_EQ(formatDuration(-1), "--");
}

TEST(FormatCount, GroupsThousands) {
    EXPECT_EQ(formatCount(0), "0");
    EXPECT_EQ(formatCount(999), "999");
    EXPECT_EQ(formatCount(1240), "1,240");
    EXPECT_EQ(formatCount(-999), "-999");
    EXPECT_EQ(formatCount(-1000), "-1,000");
    EXPECT_EQ(formatCount(134515008), "134,515,008");
    EXPECT_EQ(formatCount(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(FormatShortest, ReadsBackAsTheSameNumber) {
    EXPECT_EQ(formatShortest(0.15), "0.15");
    EXPECT_EQ(formatShortest(2e-5), "2e-05");
    EXPECT_EQ(formatShortest(1), "1");
    for (const double value : {0.1 + 0.2, 1e300, 5e-324, -0.0, 123456789.123456789})
        EXPECT_EQ(std::strtod(formatShortest(value).c_str(), nullptr), value);
}

TEST(NearestName, FindsTypingMistakesOnly) {
    const std::vector<std::string> keys = {"alpha", "granularity", "lr", "weight_decay", "steps"};
    EXPECT_EQ(nearestName("alhpa", keys), "alpha");
    EXPECT_EQ(nearestName("granularty", keys), "granularity");
    EXPECT_EQ(nearestName("weightdecay", keys), "weight_decay");
    EXPECT_EQ(nearestName("completely_different", keys), "");
    EXPECT_EQ(nearestName("alpha", {}), "");
}

TEST(SplitJoinTrim, EdgesIncluded) {
    EXPECT_EQ(splitText("", ','), (std::vector<std::string>{""}));
    EXPECT_EQ(splitText("a,,b,", ','), (std::vector<std::string>{"a", "", "b", ""}));
    EXPECT_EQ(joinText(splitText("a,,b,", ','), ","), "a,,b,");
    EXPECT_EQ(joinText({}, ","), "");
    EXPECT_EQ(trimText(" \t a b \r\n"), "a b");
    EXPECT_EQ(trimText(" \n "), "");
}

}  // namespace
}  // namespace mofo
