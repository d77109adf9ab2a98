// `get` of a task, and downloaded files as its data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/task/task_items.h"
#include "tests/core/task/task_support.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string withGet(const std::string& get, const std::string& data = "rows.jsonl") {
    return R"({"name":"mine","scorer":"short_answer","prompt":"{input}","answer":"{target}","data":")" + data + R"(","get":)" + get + "}";
}

TEST(TaskGet, BuiltInTasksSayWhereTheirDataAreFromOrHaveNone) {
    for (const TaskDescription& task : builtInTasks()) {
        const bool byHand = task.name == "metamathqa" || task.name == "pmc";
        EXPECT_EQ(task.get.has_value(), !byHand && !task.data.empty() && !task.hasBuiltInData()) << task.name;
        if (!task.get) continue;
        EXPECT_EQ(getTaskCommand(task), "mofo get task:" + task.name);
        EXPECT_THAT(locateTaskData(task, {"/nowhere"}).error().remedy, HasSubstr("Download them: mofo get task:" + task.name + ";"));
        for (const TaskGet::File& file : task.get->files) EXPECT_TRUE(file.url.starts_with("https://")) << file.url;
    }
    EXPECT_EQ(findBuiltInTask("gsm8k")->get->files[0].sizeBytes, 749'738u);
    EXPECT_EQ(findBuiltInTask("piqa")->get->form, TaskGet::Form::RowsAndLabels);
    EXPECT_EQ(getTaskCommand(*findBuiltInTask("pmc")), "");
}

TEST(TaskGet, ItsFieldsAreReadStrictly) {
    const std::string url = R"("url":"https://example.com/rows")";
    struct Case {
        std::string json;
        const char* says;
    };
    const std::vector<Case> cases{
        {withGet("[]"), R"(in "get", it is not an object but array)"},
        {withGet(R"({"files":[{)" + url + R"(}],"from":1})"), R"(in "get", it has a field "from" that is not known; did you mean "form"?)"},
        {withGet(R"({"files":[{)" + url + R"(}],"form":"zip"})"), R"(in "get", its form is "zip")"},
        {withGet(R"({"files":[]})"), R"(its "files" are not a list of 1)"},
        {withGet(R"({"form":"as_is"})"), R"(its "files" are not a list of 1)"},
        {withGet(R"({"files":[{)" + url + R"(}],"form":"rows_and_labels"})"), R"(its "files" are not a list of 2)"},
        {withGet(R"({"files":["https://example.com/rows"]})"), R"(in a file of "get", it is not an object but string)"},
        {withGet(R"({"files":[{"sha256":""}]})"), R"(in a file of "get", its "url" is "")"},
        {withGet(R"({"files":[{"url":"ftp://example.com/rows"}]})"), R"(its "url" is "ftp://example.com/rows")"},
        {withGet(R"({"files":[{)" + url + R"(,"sha256":"12"}]})"), R"(its "sha256" is "12")"},
        {withGet(R"({"files":[{)" + url + R"(,"size":0}]})"), R"(its "size" is not a whole number from 1)"},
        {withGet(R"({"files":[{)" + url + R"(,"sha265":"12"}]})"), R"(did you mean "sha256"?)"},
        {withGet(R"({"files":[{)" + url + "}]}", "/data/rows.jsonl"), "are no file's name alone"},
        {withGet(R"({"files":[{)" + url + "}]}", "builtin:kl.jsonl"), "are no file's name alone"},
        {withGet(R"({"files":[{)" + url + "}]}", ".."), "are no file's name alone"},
    };
    for (const auto& [json, says] : cases) test::expectRefused(json, says);
    const auto task = parseTask(*parseJson(withGet(R"({"files":[{)" + url + R"(,"size":12,"sha256":")" + std::string(64, 'a') + R"("}]})")), "");
    ASSERT_OK(task);
    EXPECT_EQ(task->get->form, TaskGet::Form::AsIs);
    EXPECT_EQ(task->get->files[0].sizeBytes, 12u);
    EXPECT_EQ(task->get->files[0].sha256.size(), 64u);
}

class MakeTaskData : public ::testing::Test {
protected:
    /// The made file's text, or why there is none.
    Result<std::string> make(TaskDescription task, TaskGet::Form form, const std::vector<std::string>& texts) {
        task.get = TaskGet{{}, form};
        std::vector<fs::path> files;
        for (const std::string& text : texts) {
            files.push_back(m_folder / std::to_string(files.size() + 1));
            test::writeFile(files.back(), text);
        }
        MOFO_CHECK(makeTaskData(task, files, m_folder / "rows.jsonl"));
        return test::readFile(m_folder / "rows.jsonl");
    }
    Result<std::string> make(const char* task, TaskGet::Form form, const std::vector<std::string>& texts) {
        return make(*findBuiltInTask(task), form, texts);
    }
    /// One sentence, of what the server gave.
    static void expectRefused(const Result<std::string>& made, const std::string& says) {
        ASSERT_FALSE(made.ok()) << *made;
        EXPECT_EQ(made.error().exitCode(), 3);
        EXPECT_THAT(made.error().message, testing::AllOf(HasSubstr("what was downloaded are not the data of task"), HasSubstr(says)));
        EXPECT_EQ(made.error().text().find('\n'), std::string::npos);
    }
    test::TemporaryFolder m_folder;
};

TEST_F(MakeTaskData, AsItIs) {
    const std::string rows = "{\"question\":\"1+1?\",\"answer\":\"#### 2\"}\r\n";
    const auto made = make("gsm8k", TaskGet::Form::AsIs, {rows});
    ASSERT_OK(made);
    EXPECT_EQ(*made, rows) << "byte for byte";
    expectRefused(make("gsm8k", TaskGet::Form::AsIs, {"<html>Please log in.</html>\n"}), "gsm8k");
    expectRefused(make("gsm8k", TaskGet::Form::AsIs, {R"({"goal":"g"})"}), "no field \"question\"");
    expectRefused(make("gsm8k", TaskGet::Form::AsIs, {""}), "empty");
}

TEST_F(MakeTaskData, ExamplesOfAnObject) {
    const auto made =
        make("bbh-snarks", TaskGet::Form::Examples,
             {"{\"canary\":\"x\",\"examples\":[{\"input\":\"Which?\\n(A)\",\"target\":\"(A)\"},{\"input\":\"è\",\"target\":\"(B)\"}]}"});
    ASSERT_OK(made);
    EXPECT_EQ(*made, "{\"input\":\"Which?\\n(A)\",\"target\":\"(A)\"}\n{\"input\":\"è\",\"target\":\"(B)\"}\n");
    const auto items = readTaskItems(*findBuiltInTask("bbh-snarks"), m_folder / "rows.jsonl", 0);
    ASSERT_OK(items);
    EXPECT_EQ(items->items[0].expected, "a");
    expectRefused(make("bbh-snarks", TaskGet::Form::Examples, {"[]"}), "no list \"examples\"");
    expectRefused(make("bbh-snarks", TaskGet::Form::Examples, {R"({"examples":{}})"}), "no list \"examples\"");
    expectRefused(make("bbh-snarks", TaskGet::Form::Examples, {R"({"examples":[1]})"}), "no object");
    expectRefused(make("bbh-snarks", TaskGet::Form::Examples, {R"({"examples":[{"input":"x"}]})"}), "no field \"target\"");
    expectRefused(make("bbh-snarks", TaskGet::Form::Examples, {R"({"examples":[]})"}), "empty");
    expectRefused(make("bbh-snarks", TaskGet::Form::Examples, {"<html>"}), "bbh-snarks");
}

TEST_F(MakeTaskData, RowsAndTheirLabels) {
    const std::string rows = "{\"goal\":\"g\",\"sol1\":\"a\",\"sol2\":\"b\"}\n{\"goal\":\"h\",\"sol1\":\"c\",\"sol2\":\"d\"}\n";
    const auto made = make("piqa", TaskGet::Form::RowsAndLabels, {rows, "1\r\n0\r\n"});
    ASSERT_OK(made);
    EXPECT_EQ(*made, "{\"goal\":\"g\",\"label\":1,\"sol1\":\"a\",\"sol2\":\"b\"}\n{\"goal\":\"h\",\"label\":0,\"sol1\":\"c\",\"sol2\":\"d\"}\n");
    EXPECT_OK(make("piqa", TaskGet::Form::RowsAndLabels, {rows, "1\n0"}));
    expectRefused(make("piqa", TaskGet::Form::RowsAndLabels, {rows, "1\n"}), "2 rows and 1 labels");
    expectRefused(make("piqa", TaskGet::Form::RowsAndLabels, {rows, "1\n0\n1\n"}), "2 rows and 3 labels");
    expectRefused(make("piqa", TaskGet::Form::RowsAndLabels, {rows, ""}), "2 rows and 0 labels");
    expectRefused(make("piqa", TaskGet::Form::RowsAndLabels, {rows, "1\n7\n"}), "none of the 2 choices");
    expectRefused(make("piqa", TaskGet::Form::RowsAndLabels, {rows, "1\n\xff\n"}), "no text");
    expectRefused(make("piqa", TaskGet::Form::RowsAndLabels, {R"({"goal":"g","sol1":"a","sol2":"b","label":0})", "1\n"}), "labels already");
    expectRefused(make("piqa", TaskGet::Form::RowsAndLabels, {rows}), "another number of files");
}

}  // namespace
}  // namespace mofo
