// Task descriptions: the built-in ones, users' files, what is refused, where data are looked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/task/task_items.h"
#include "tests/core/task/task_support.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;

const char* const kChoice = R"({"name":"mine","scorer":"multiple_choice","prompt":"{q}","choices":[" {a}"," {b}"],"label":"l"})";

TEST(Tasks, BuiltInOnesAreWhole) {
    std::set<std::string> names;
    for (const TaskDescription& task : builtInTasks()) {
        EXPECT_TRUE(names.insert(task.name).second) << task.name;
        EXPECT_FALSE(task.title.empty()) << task.name;
        EXPECT_FALSE(task.source.empty()) << task.name;
        if (!task.hasBuiltInData()) continue;
        const auto items = readTaskItems(task, {}, 0);
        ASSERT_OK(items);
        EXPECT_EQ(items->sha256.size(), 64u);
    }
    for (const char* name : {"kl", "text", "eval", "piqa", "gsm8k", "bbh-snarks", "humaneval", "metamathqa", "pmc"})
        EXPECT_TRUE(names.contains(name)) << name;
    EXPECT_EQ(readTaskItems(*findBuiltInTask("kl"), {}, 0)->items.size(), 64u);
}

TEST(Tasks, WhatCannotBeUsedIsRefusedInOneSentence) {
    struct Case {
        std::string json;
        const char* says;
    };
    const std::vector<Case> cases{
        {R"([1])", "not an object"},
        {R"({"name":"x"})", "no \"scorer\""},
        {R"({"name":"x","scorer":"multiple_choise"})", "did you mean multiple_choice?"},
        {R"({"name":"x","scorer":"multiple_choice","prompt":"{q}","label":"l"})", "no \"choices\""},
        {R"({"name":"x","scorer":"multiple_choice","prompt":"{q}","choices":["a"],"label":"l"})", "fewer than two choices"},
        {R"({"name":"x","scorer":"text"})", "no \"text\""},
        {R"({"name":"x","scorer":"text","text":"{t}","promt":"p"})", "a field \"promt\""},
        {R"({"name":"x","scorer":"text","text":7})", "\"text\" is not a text"},
        {R"({"name":"x","scorer":"text","text":"{t}","max_tokens":2})", "\"max_tokens\" is not a whole number"},
        {R"({"name":"x","scorer":"text","text":"{t}","mark":"both"})", "its mark is \"both\""},
        {R"({"name":"../x","scorer":"text","text":"{t}"})", "its name \"../x\" is not one"},
        {R"({"scorer":"text","text":"{t}"})", "its name \"\" is not one"},
        {R"({"name":"x","scorer":"short_answer","prompt":"p","answer":"a","match":"close"})", "its match is \"close\""},
    };
    for (const auto& [json, says] : cases) test::expectRefused(json, says);
    EXPECT_OK(parseTask(*parseJson(kChoice), ""));
}

TEST(Tasks, AUsersFileIsATaskOrRowsThatTellByTheirKeys) {
    const test::TemporaryFolder folder;
    test::writeFile(folder / "mine.json", kChoice);
    EXPECT_EQ(findTask((folder / "mine.json").string())->name, "mine");
    const auto scorerOf = [&](const char* name, const char* text) {
        test::writeFile(folder / name, text);
        const auto task = findTask((folder / name).string());
        EXPECT_TRUE(task.ok()) << task.error().text();
        EXPECT_OK(readTaskItems(*task, folder / name, 0));
        return task.ok() ? std::string(scorerName(task->scorer)) + (task->match == TaskDescription::Match::Number ? " number" : "") : std::string();
    };
    EXPECT_EQ(scorerOf("a.jsonl", R"({"question":"2+2?","choices":["3","4"],"answer":"B"})"), "multiple_choice");
    EXPECT_EQ(scorerOf("b.jsonl", R"({"question":"2+2?","answer":"It is 4 #### 4"})"), "short_answer number");
    EXPECT_EQ(scorerOf("c.csv", "question,answer\nCapital of France?,Paris\n"), "short_answer");
    EXPECT_EQ(scorerOf("d.jsonl", R"({"text":"Once upon a time."})"), "text");
    EXPECT_EQ(scorerOf("e.json", R"([{"text":"One."},{"text":"Two."}])"), "text");
    EXPECT_EQ(scorerOf("f.jsonl", R"({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"}]})"), "rows");
    test::writeFile(folder / "g.jsonl", R"({"x":1})");
    EXPECT_THAT(findTask((folder / "g.jsonl").string()).error().message, HasSubstr("does not say how it is scored"));
    test::writeFile(folder / "empty.jsonl", "");
    EXPECT_EQ(findTask((folder / "empty.jsonl").string()).error().exitCode(), 3);
    EXPECT_THAT(findTask("pica").error().message, HasSubstr("did you mean piqa?"));
    EXPECT_EQ(findTask((folder / "none.json").string()).error().code, ErrorCode::NotFound);
}

TEST(Tasks, DataAreFoundBesideTheTaskAndInTheFoldersInTheirOrder) {
    const test::TemporaryFolder folder;
    std::filesystem::create_directories(folder / "one");
    std::filesystem::create_directories(folder / "two");
    test::writeFile(folder / "two" / "piqa-valid.jsonl", "{}\n");
    const TaskDescription& piqa = *findBuiltInTask("piqa");
    const auto found = locateTaskData(piqa, {folder / "one", folder / "two"});
    ASSERT_OK(found);
    EXPECT_EQ(found->parent_path().filename(), "two");
    const auto missing = locateTaskData(piqa, {folder / "one"});
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().exitCode(), 3);
    EXPECT_THAT(missing.error().message, HasSubstr((folder / "one" / "piqa-valid.jsonl").string()));
    EXPECT_EQ(*locateTaskData(*findBuiltInTask("kl"), {}), std::filesystem::path());
    test::writeFile(folder / "mine.json", R"({"name":"m","scorer":"text","text":"{t}","data":"rows.jsonl"})");
    test::writeFile(folder / "rows.jsonl", R"({"t":"x"})");
    EXPECT_OK(locateTaskData(*findTask((folder / "mine.json").string()), {}));
}

TEST(Probes, NamesAreReadAndWrittenBack) {
    const auto probes = parseProbes(" kl, text:8 ,/data/mine.json:50");
    ASSERT_OK(probes);
    EXPECT_EQ(probesText(*probes), "kl,text:8,/data/mine.json:50");
    EXPECT_TRUE(parseProbes("")->empty());
    EXPECT_THAT(parseProbes("kl,tekst").error().message, HasSubstr("did you mean text?"));
    EXPECT_THAT(parseProbes("kl:0").error().message, HasSubstr("no number of items"));
    EXPECT_THAT(parseProbes("kl:x").error().message, HasSubstr("no number of items"));
    EXPECT_THAT(parseProbes("kl,kl:3").error().message, HasSubstr("stands twice"));
    EXPECT_THAT(parseProbes("kl,,text").error().message, HasSubstr("without a name"));
    for (const char* text : {"kl,tekst", "kl:0"}) EXPECT_EQ(parseProbes(text).error().exitCode(), 2);
}

TEST(Probes, AGuardOnForgettingNeedsAProbeThatServesIt) {
    RunConfig config;
    EXPECT_OK(checkProbes(config, {}));
    config.guardForgetNats = 0.1;
    EXPECT_OK(checkProbes(config, {}));
    config.guardForget = 2;
    EXPECT_THAT(checkProbes(config, {}).error().message, HasSubstr("guard_forget needs a probe that is marked general and has an accuracy"));
    config.guardForget = 0;
    config.probes = "eval";
    EXPECT_EQ(checkProbes(config, {}).error().exitCode(), 2);
    config.guardForgetNats = 0;
    config.probes = "piqa";
    EXPECT_EQ(checkProbes(config, {}).error().exitCode(), 3) << "its data are nowhere";
}

}  // namespace
}  // namespace mofo
