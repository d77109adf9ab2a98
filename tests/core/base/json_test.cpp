#include "core/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string tagOf(std::string_view text, const JsonLimits& limits = {}) {
    const auto parsed = parseJson(text, limits);
    return parsed.ok() ? "ok" : parsed.error().tag;
}

TEST(ParseJson, AcceptsWhatTheStandardSays) {
    const auto parsed = parseJson(R"( {"a":[1,-2,3.5,true,false,null,"x\u00e9\ud83c\udf89"],"b":{"c":{}},"":18446744073709551615} )");
    ASSERT_OK(parsed);
    EXPECT_EQ((*parsed)["a"].size(), 7u);
    EXPECT_EQ((*parsed)["a"][6], "xé🎉");
    EXPECT_EQ((*parsed)[""], 18446744073709551615ull);
    EXPECT_EQ(*parsed, Json::parse(parsed->dump()));
    EXPECT_EQ(*parseJson("3"), 3);
    EXPECT_EQ(*parseJson("[[],[1,[2]],{\"k\":[{}]}]"), Json::parse("[[],[1,[2]],{\"k\":[{}]}]"));
}

TEST(ParseJson, RefusesByTag) {
    EXPECT_EQ(tagOf(""), "JSON");
    EXPECT_EQ(tagOf("{\"a\":1"), "JSON");
    EXPECT_EQ(tagOf("{} {}"), "JSON");
    EXPECT_EQ(tagOf("{'a':1}"), "JSON");
    EXPECT_EQ(tagOf("[1,]"), "JSON");
    EXPECT_EQ(tagOf("NaN"), "JSON");
    EXPECT_EQ(tagOf("[1] // comment"), "JSON");
    EXPECT_EQ(tagOf("\"\xff\""), "UTF8");
    EXPECT_EQ(tagOf("\"\\ud800\""), "UTF8");
    EXPECT_EQ(tagOf("{\"a\":1,\"a\":2}"), "DUP");
    EXPECT_EQ(tagOf("{\"b\":{\"a\":1,\"\\u0061\":2}}"), "DUP");
    EXPECT_EQ(tagOf("[1e999]"), "RANGE");
    EXPECT_EQ(tagOf("\xEF\xBB\xBF{}"), "JSON");
    EXPECT_EQ(tagOf("[1,2]", JsonLimits{.sizeBytes = 4}), "LIMIT");
}

TEST(ParseJson, AllowsWhatIsAllowed) {
    const auto parsed = parseJson("{\"a\":1,\"a\":[2]}", JsonLimits{.allowDuplicateKeys = true});
    ASSERT_OK(parsed);
    EXPECT_EQ((*parsed)["a"], Json::array({2})) << "the last one counts";
    EXPECT_OK(parseJson("\xEF\xBB\xBF{}", JsonLimits{.allowByteOrderMark = true}));
    EXPECT_OK(parseJson("[1,2]", JsonLimits{.sizeBytes = 5}));
}

TEST(ParseJson, DepthIsRefusedWhileParsing) {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_EQ(tagOf(nested(64)), "ok");
    EXPECT_EQ(tagOf(nested(65)), "DEPTH");
    // Never closed and far deeper than any stack: refused at level 65.
    EXPECT_EQ(tagOf(std::string(10'000'000, '[')), "DEPTH");
    std::string objects;
    for (int i = 0; i < 65; ++i) objects += "{\"a\":";
    EXPECT_EQ(tagOf(objects), "DEPTH");
}

TEST(ParseJson, ErrorsNameTheByte) {
    EXPECT_EQ(parseJson("[1,2,x]").error().where, "byte 6");
    EXPECT_EQ(parseJson("\"ab\xff\"").error().where, "byte 3");
    EXPECT_THAT(parseJson("{\"key\":1,\"key\":2}").error().where, StartsWith("byte 14"));
    EXPECT_THAT(parseJson("{\"k\x1b\":1}").error().text(), HasSubstr("byte"));
    EXPECT_EQ(parseJson(std::string(100, '[')).error().where, "byte 65");
    const std::string evil = parseJson("{\"\\u001b[2J\":1,\"\\u001b[2J\":2}").error().text();
    EXPECT_EQ(evil.find('\x1b'), std::string::npos) << "foreign text is shown escaped";
}

TEST(ParseJson, JsonTestSuite) {
    MOFO_REQUIRE_SHARED();
    int accepted = 0;
    int refused = 0;
    for (const auto& entry : std::filesystem::directory_iterator(test::sharedFolder() / "data/json-test-suite")) {
        const std::string name = entry.path().filename().string();
        const auto parsed = parseJson(test::readFile(entry.path()));
        if (name.starts_with("y_")) {
            ++accepted;
            // Our formats never repeat a key; these three files do, and are fine where repeating is allowed.
            const bool repeats = name.starts_with("y_object_duplicated_key");
            EXPECT_EQ(parsed.ok(), !repeats) << name << ": " << (parsed.ok() ? "" : parsed.error().text());
            if (repeats) {
                EXPECT_EQ(parsed.error().tag, "DUP");
                EXPECT_OK(parseJson(test::readFile(entry.path()), JsonLimits{.allowDuplicateKeys = true}));
            }
        } else if (name.starts_with("n_")) {
            ++refused;
            EXPECT_FALSE(parsed.ok()) << name;
        }
        if (!parsed.ok()) {
            EXPECT_THAT(parsed.error().tag, ::testing::AnyOf("JSON", "UTF8", "DEPTH", "DUP", "RANGE")) << name;
            EXPECT_FALSE(parsed.error().message.empty()) << name;
            EXPECT_FALSE(parsed.error().where.empty()) << name;
        }
    }
    EXPECT_EQ(accepted, 95);
    EXPECT_GT(refused, 180);
}

}  // namespace
}  // namespace mofo
