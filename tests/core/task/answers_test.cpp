// What two answers are compared by.
#include <gtest/gtest.h>

#include "core/task/task_items.h"

namespace mofo {
namespace {

TEST(Answers, TheNumberBehindTheMarkGoesBeforeTheLastOne) {
    EXPECT_EQ(numberOfAnswer("She makes 9 * 2 = $<<9*2=18>>18 every day.\n#### 18"), "18");
    EXPECT_EQ(numberOfAnswer("#### 1,234 of 5"), "1234");
    EXPECT_EQ(numberOfAnswer("first 3, then 4. The total is 42."), "42");
    EXPECT_EQ(numberOfAnswer("It costs $1,234.50 in all"), "1234.5");
    EXPECT_EQ(numberOfAnswer("5 - 7 = -2"), "-2");
    EXPECT_EQ(numberOfAnswer("pages 3-4"), "4");
    EXPECT_EQ(numberOfAnswer("07"), "7");
    EXPECT_EQ(numberOfAnswer("1.0"), "1");
    EXPECT_EQ(numberOfAnswer("-0"), "0");
    EXPECT_EQ(numberOfAnswer("1,2,3"), "3");
    EXPECT_EQ(numberOfAnswer("no number at all -"), "");
    EXPECT_EQ(numberOfAnswer(""), "");
}

TEST(Answers, TextsAreComparedWithoutCasePunctuationAndBrackets) {
    EXPECT_EQ(normalisedAnswer(" (B) \n"), "b");
    EXPECT_EQ(normalisedAnswer("So the answer is (B)."), "b");
    EXPECT_EQ(normalisedAnswer("\"Yes,\"  it   is"), "yes,\" it is");
    EXPECT_EQ(normalisedAnswer("No\nbecause"), "no");
    EXPECT_EQ(normalisedAnswer("日本"), "日本");
    EXPECT_EQ(normalisedAnswer("..."), "");
}

}  // namespace
}  // namespace mofo
