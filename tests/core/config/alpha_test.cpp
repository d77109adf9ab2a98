#include "core/config/alpha.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;

TEST(AlphaSchedule, ReadsOneNumber) {
    for (const auto& [text, value] : {std::pair("0.15", 0.15), std::pair("1", 1.0), std::pair("5e-2", 0.05), std::pair("0.001", 0.001)}) {
        const auto schedule = AlphaSchedule::parse(text);
        ASSERT_OK(schedule);
        EXPECT_EQ(schedule->shape, AlphaSchedule::Shape::Constant);
        EXPECT_EQ(schedule->at(1), value);
        EXPECT_EQ(schedule->at(1'000'000), value);
    }
}

TEST(AlphaSchedule, LinearGoesFromItsFirstToItsLastStep) {
    const auto schedule = AlphaSchedule::parse("linear:0.3..0.1@100..300");
    ASSERT_OK(schedule);
    EXPECT_EQ(schedule->at(1), 0.3);
    EXPECT_EQ(schedule->at(100), 0.3);
    EXPECT_NEAR(schedule->at(150), 0.25, 1e-15);
    EXPECT_NEAR(schedule->at(200), 0.2, 1e-15);
    EXPECT_EQ(schedule->at(300), 0.1);
    EXPECT_EQ(schedule->at(5000), 0.1);
}

TEST(AlphaSchedule, CosineIsFlatAtBothEndsAndHalfWayInTheMiddle) {
    const auto schedule = AlphaSchedule::parse("cosine:0.1..0.5@0..1000");
    ASSERT_OK(schedule);
    EXPECT_NEAR(schedule->at(500), 0.3, 1e-15);
    EXPECT_NEAR(schedule->at(250), 0.1 + 0.4 * 0.5 * (1 - std::cos(std::acos(-1.0) / 4)), 1e-15);
    EXPECT_LT(schedule->at(1) - 0.1, 1e-5);
    EXPECT_EQ(schedule->at(1000), 0.5);
}

TEST(AlphaSchedule, TextReadsBackAsTheSame) {
    for (const char* text : {"0.15", "1", "0.05", "1e-05", "linear:0.3..0.1@0..1000", "cosine:0.05..0.15@10..20", "linear:1..0.001@0..9000000000"}) {
        const auto schedule = AlphaSchedule::parse(text);
        ASSERT_OK(schedule);
        EXPECT_EQ(schedule->text(), text);
        EXPECT_EQ(*AlphaSchedule::parse(schedule->text()), *schedule);
    }
}

TEST(AlphaSchedule, RefusesEverythingElseAndSaysTheForms) {
    for (const char* text : {"",
                             "0",
                             "-0.1",
                             "1.01",
                             "nan",
                             "inf",
                             "0.15 ",
                             " 0.15",
                             "+0.15",
                             "0,15",
                             "15%",
                             "0x1",
                             "linear",
                             "linear:",
                             "linear:0.3..0.1",
                             "linear:0.3@0..10",
                             "linear:0.3..0.1@",
                             "linear:0.3..0.1@10",
                             "linear:0.3..0.1@10..10",
                             "linear:0.3..0.1@20..10",
                             "linear:0.3..0.1@-5..10",
                             "linear:0..0.1@0..10",
                             "linear:0.3..1.1@0..10",
                             "linear:0.3..0.1@0..1.5",
                             "quadratic:0.3..0.1@0..10",
                             "constant:0.15",
                             "linear:0.3..0.1@0..10x",
                             "0.15\n"}) {
        const auto schedule = AlphaSchedule::parse(text);
        ASSERT_FALSE(schedule.ok()) << text;
        EXPECT_EQ(schedule.error().code, ErrorCode::Usage) << text;
        EXPECT_THAT(schedule.error().text(), HasSubstr("linear:0.3..0.1@0..1000")) << text;
    }
}

TEST(AlphaSchedule, SaysWhatAPercentageShouldBe) {
    const auto schedule = AlphaSchedule::parse("15%");
    ASSERT_FALSE(schedule.ok());
    EXPECT_THAT(schedule.error().text(), HasSubstr("write 0.15"));
}

}  // namespace
}  // namespace mofo
