#include "core/config/granularity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;

TEST(Granularity, ReadsEveryNameOfTheTable) {
    const std::vector<std::pair<std::string, Granularity>> cases{
        {"model", {GranularityKind::Model, 0}},     {"layer", {GranularityKind::Layer, 0}},         {"module", {GranularityKind::Module, 0}},
        {"tensor", {GranularityKind::Tensor, 0}},   {"head", {GranularityKind::Head, 0}},           {"row", {GranularityKind::Row, 0}},
        {"block:64", {GranularityKind::Block, 64}}, {"block:4096", {GranularityKind::Block, 4096}}, {"shards:1", {GranularityKind::Shards, 1}},
        {"shards:4", {GranularityKind::Shards, 4}}};
    for (const auto& [text, expected] : cases) {
        const auto granularity = Granularity::parse(text);
        ASSERT_OK(granularity);
        EXPECT_EQ(*granularity, expected) << text;
        EXPECT_EQ(granularity->text(), text);
    }
}

TEST(Granularity, RefusesWrongNumbersWithTheRange) {
    for (const char* text : {"block", "block:", "block:63", "block:0", "block:-64", "block:1.5", "block:64x", "block:99999999999999999999",
                             "shards:0", "shards", "shards:70000"}) {
        const auto granularity = Granularity::parse(text);
        ASSERT_FALSE(granularity.ok()) << text;
        EXPECT_EQ(granularity.error().code, ErrorCode::Usage);
        EXPECT_THAT(granularity.error().text(), HasSubstr(std::string(text).starts_with("block") ? "from 64" : "from 1")) << text;
    }
    for (const char* text : {"tensor:4", "model:1"}) {
        const auto granularity = Granularity::parse(text);
        ASSERT_FALSE(granularity.ok());
        EXPECT_THAT(granularity.error().text(), HasSubstr("takes no number"));
    }
}

TEST(Granularity, NamesTheNearestOfAMisspeltOne) {
    const auto granularity = Granularity::parse("tensr");
    ASSERT_FALSE(granularity.ok());
    EXPECT_THAT(granularity.error().text(), HasSubstr("did you mean tensor?"));
    const auto stranger = Granularity::parse("wholeheartedly");
    ASSERT_FALSE(stranger.ok());
    EXPECT_THAT(stranger.error().text(), HasSubstr("block:N"));
    EXPECT_FALSE(Granularity::parse("Tensor").ok());
    EXPECT_FALSE(Granularity::parse("").ok());
}

}  // namespace
}  // namespace mofo
