// Items: rendered from rows, refused with their line, recognised where a run was trained on them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/task/task_items.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Items : public ::testing::Test {
protected:
    Result<TaskItems> read(const std::string& task, const std::string& rows, std::int64_t limit = 0) {
        test::writeFile(m_folder / "rows.jsonl", rows);
        auto description = parseTask(*parseJson(task), "task");
        if (!description.ok()) return std::move(description).error();
        return readTaskItems(*description, m_folder / "rows.jsonl", limit);
    }
    test::TemporaryFolder m_folder;
    const std::string m_choice =
        R"({"name":"c","scorer":"multiple_choice","prompt":"Question: {goal}\nAnswer:","choices":[" {sol1}"," {sol2}"],"label":"label"})";
};

TEST_F(Items, APiqaRowIsAskedAsItStands) {
    const auto items = read(m_choice, R"({"goal":"dresser","sol1":"replace drawer with bobby pin ","sol2":"finish","label":1})");
    ASSERT_OK(items);
    EXPECT_EQ(items->items[0].prompt, "Question: dresser\nAnswer:");
    EXPECT_THAT(items->items[0].choices, ElementsAre(" replace drawer with bobby pin ", " finish"));
    EXPECT_EQ(items->items[0].label, 1);
}

TEST_F(Items, TheRightChoiceMayBeANumberALetterOrItsText) {
    const std::string task = R"({"name":"c","scorer":"multiple_choice","prompt":"{q}","choices":"options","label":"a","first_label":1})";
    const auto label = [&](const std::string& answer) {
        const auto items = read(task, R"({"q":"?","options":["red","green","blue"],"a":)" + answer + "}");
        return items.ok() ? items->items[0].label : -1;
    };
    EXPECT_EQ(label("3"), 2);
    EXPECT_EQ(label("\"2\""), 1);
    EXPECT_EQ(label("\"(C)\""), 2);
    EXPECT_EQ(label("\"b\""), 1);
    EXPECT_EQ(label("\"red\""), 0);
    EXPECT_EQ(label("0"), -1);
    EXPECT_EQ(label("4"), -1);
    EXPECT_EQ(label("\"D\""), -1);
}

TEST_F(Items, BadRowsAreRefusedByTheirLine) {
    const std::string good = R"({"goal":"g","sol1":"a","sol2":"b","label":0})";
    struct Case {
        std::string row;
        const char* says;
    };
    const std::vector<Case> cases{{R"({"goal":"g","sol1":"a","label":0})", "no field \"sol2\""},
                                  {R"({"goal":"g","sol1":"a","sol2":"b","label":2})", "none of the 2 choices"},
                                  {R"({"goal":"g","sol1":"a","sol2":"b","label":-1})", "none of the 2 choices"},
                                  {R"({"goal":"g","sol1":"a","sol2":" ","label":0})", "a choice is empty"},
                                  {R"({"goal":["g"],"sol1":"a","sol2":"b","label":0})", "neither a text nor a number"},
                                  {R"({"goal":"g")", ""},
                                  {R"(7)", "a row is an object"}};
    for (const Case& one : cases) {
        const auto items = read(m_choice, good + "\n" + one.row + "\n");
        ASSERT_FALSE(items.ok()) << one.row;
        EXPECT_EQ(items.error().exitCode(), 3);
        EXPECT_THAT(items.error().where, HasSubstr("line 2")) << one.row;
        EXPECT_THAT(items.error().message, HasSubstr(one.says));
        EXPECT_EQ(items.error().text().find('\n'), std::string::npos);
    }
    EXPECT_TRUE(read(m_choice, good + "\n" + cases[0].row, 1).ok()) << "rows behind the limit are not read";
    EXPECT_EQ(read(m_choice, "").error().exitCode(), 3);
    EXPECT_EQ(read(m_choice, "\n\n").error().exitCode(), 3);
}

TEST_F(Items, EqualItemsHaveTheSameHashAndOthersAnother) {
    const std::string row = R"({"goal":"g","sol1":"a","sol2":"b","label":0})", other = R"({"goal":"g","sol1":"a","sol2":"b","label":1})";
    EXPECT_EQ(read(m_choice, row)->sha256, read(m_choice, row + "\n" + other, 1)->sha256);
    EXPECT_NE(read(m_choice, row)->sha256, read(m_choice, other)->sha256);
}

TEST_F(Items, RowsOfTheTrainingDataAreRecognised) {
    const std::string task =
        R"({"name":"q","scorer":"short_answer","prompt":"Question: {question}\nAnswer:","chat_prompt":"{question}","answer":"{answer}","match":"number"})";
    const auto items = read(task, R"({"question":"What is 3 x  14?","answer":"42"})"
                                  "\n"
                                  R"({"question":"What is 2 x 2?","answer":"4"})"
                                  "\n");
    ASSERT_OK(items);
    test::writeFile(
        m_folder / "train.jsonl",
        R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"What is 3 x 14?"},{"role":"assistant","content":"It is 42."}]})"
        "\n"
        R"({"question":"What is 2 x 2?","answer":"4"})"
        "\n");
    EXPECT_EQ(countTrained(*items, *hashesOfFile(m_folder / "train.jsonl", "", 0)), 2);
    EXPECT_EQ(countTrained(*items, *hashesOfFile(m_folder / "train.jsonl", "", 0.5)), 1) << "the last row is held out";
    EXPECT_EQ(countTrained(*items, {}), 0);
}

TEST_F(Items, NaughtyStringsGoThroughAsTheyAre) {
    MOFO_REQUIRE_SHARED();
    const auto strings = parseJson(test::readFile(test::sharedFolder() / "data/naughty-strings.json"));
    ASSERT_OK(strings);
    std::string rows;
    std::size_t count = 0;
    for (const Json& one : *strings) {
        const std::string text = one.get<std::string>();
        if (trimText(text).empty() || text.find('\0') != std::string::npos) continue;
        rows += Json{{"goal", text}, {"sol1", text}, {"sol2", text + "x"}, {"label", 1}}.dump() + "\n";
        ++count;
    }
    const auto items = read(m_choice, rows);
    ASSERT_OK(items);
    EXPECT_EQ(items->items.size(), count);
    std::size_t i = 0;
    for (const Json& one : *strings) {
        const std::string text = one.get<std::string>();
        if (trimText(text).empty() || text.find('\0') != std::string::npos) continue;
        EXPECT_EQ(items->items[i].prompt, "Question: " + text + "\nAnswer:");
        EXPECT_EQ(items->items[i++].choices[0], " " + text);
    }
}

}  // namespace
}  // namespace mofo
