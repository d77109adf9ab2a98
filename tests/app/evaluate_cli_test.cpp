// `mofo evaluate` and `mofo tasks` with the real engine on a tiny model.
#include <gmock/gmock.h>

#include "tests/app/real_engine.h"
#include "tests/support/hub_server.h"

namespace mofo {
namespace {

using test::CliResult;
using test::RealEngine;
using testing::HasSubstr;

class Evaluate : public RealEngine {
protected:
    std::string file(const char* name, const std::string& text) {
        test::writeFile(m_files / name, text);
        return (m_files / name).string();
    }
    test::TemporaryFolder m_files;
};

TEST_F(Evaluate, AModelOnAUsersFileAnswersWithScoreAndItems) {
    const std::string rows = file(
        "mine.jsonl", "{\"question\":\"1?\",\"choices\":[\"a\",\"bb\"],\"label\":1}\n{\"question\":\"2?\",\"choices\":[\"c\",\"d\"],\"label\":0}\n");
    const CliResult done = cli({"evaluate", model().string(), "--task", rows, "--json"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    const Json json = done.json();
    ASSERT_EQ(json["items"].size(), 2u);
    EXPECT_EQ(json["items"][0]["label"], 1);
    EXPECT_EQ(json["items"][0]["log_likelihoods"].size(), 2u);
    EXPECT_TRUE(json["acc"].is_number());
    EXPECT_TRUE(json["acc_norm"].is_number());
    EXPECT_EQ(cli({"evaluate", model().string(), "--task", rows, "--limit", "1", "--json"}).json()["items"].size(), 1u);
    const CliResult text = cli({"evaluate", model().string(), "--task", "text", "--limit", "2"});
    ASSERT_EQ(text.exitCode, 0) << text.err;
    EXPECT_THAT(text.out, HasSubstr("bits_per_byte"));
}

TEST_F(Evaluate, ARunIsComparedWithItsBaseAndKnowsWhatItWasTrainedOn) {
    const std::string id = finished("run", {"eval_split=0.25"});
    const Json kl = cli({"evaluate", id, "--task", "kl", "--limit", "3", "--json"}).json();
    EXPECT_GT(kl["kl"].get<double>(), 0);
    EXPECT_EQ(kl["trained_on"], 0);
    const Json own = cli({"evaluate", "run@last", "--task", "eval", "--json"}).json();
    EXPECT_TRUE(own["loss"].is_number());
    EXPECT_TRUE(own["reverse_kl"].is_number());
    const CliResult seen = cli({"evaluate", id, "--task", data().string(), "--limit", "2", "--json"});
    ASSERT_EQ(seen.exitCode, 0) << seen.err;
    EXPECT_EQ(seen.json()["trained_on"], 2) << "rows of its own training data";
}

TEST_F(Evaluate, WhatCannotBeMeasuredIsRefusedInOneSentence) {
    struct Case {
        std::vector<std::string> arguments;
        int exitCode;
        const char* says;
    };
    const std::string good = R"({"question":"1?","choices":["a","b"],"label":1})";
    const std::vector<Case> cases{
        {{"--task", "pica"}, 3, "did you mean piqa?"},
        {{"--task", file("t.json", R"({"name":"t","scorer":"guess"})")}, 3, "there is no scorer \"guess\""},
        {{"--task", file("u.json", R"({"name":"t","scorer":"text"})")}, 3, "no \"text\""},
        {{"--task", file("empty.jsonl", "")}, 3, "empty"},
        {{"--task", file("key.jsonl", good + "\n" + R"({"question":"1?","choices":["a","b"],"label":2})")}, 3, "line 2"},
        {{"--task", "piqa", "--data", file("p.jsonl", R"({"goal":"g","sol1":"a","label":0})")}, 3, "no field \"sol2\""},
        {{"--task", "piqa"}, 3, "are not there"},
        {{"--task", "kl"}, 2, "Name a run, or the other model with --base MODEL"},
        {{"--task", "eval"}, 2, "rows that a run holds out"},
        {{"--task", "text", "--set", "lr=1"}, 2, "changes nothing here"},
        {{"--limit", "3"}, 2, "Name a task"},
    };
    for (const Case& one : cases) {
        std::vector<std::string> arguments{"evaluate", model().string()};
        arguments.insert(arguments.end(), one.arguments.begin(), one.arguments.end());
        const CliResult refused = cli(arguments);
        EXPECT_EQ(refused.exitCode, one.exitCode) << one.arguments[1] << refused.err;
        EXPECT_THAT(refused.err, HasSubstr(one.says));
        EXPECT_EQ(refused.errorLines(), 1) << refused.err;
        EXPECT_EQ(refused.out, "");
    }
}

TEST_F(Evaluate, TasksAreListedAndTheirDataFoundInTheFolderThatIsNamed) {
    file("piqa-valid.jsonl", R"({"goal":"g","sol1":"a","sol2":"b","label":0})");
    const auto piqa = [](const Json& list) {
        for (const Json& one : list) {
            if (one["name"] == "piqa") return one["available"].get<bool>();
        }
        return false;
    };
    EXPECT_FALSE(piqa(cli({"tasks", "--json"}).json()));
    EXPECT_TRUE(piqa(cli({"tasks", "--data-folder", m_files.path().string(), "--json"}).json()));
    EXPECT_TRUE(piqa(cli({"tasks", "--json"}).json())) << "remembered";
    EXPECT_EQ(cli({"evaluate", model().string(), "--task", "piqa", "--json"}).exitCode, 0);
}

TEST_F(Evaluate, WhatWasDownloadedForATaskIsMeasured) {
    m_environment.set("XDG_CACHE_HOME", (m_files / "cache").string());
    test::HubServer server;
    server.serve("/task.json", test::HubReply{200, {}, R"({"canary":"","examples":[{"input":"1?","target":"one"},{"input":"2?","target":"two"}]})"});
    const std::string task = file("mine.json", R"({"name":"mine","scorer":"short_answer","prompt":"{input}","answer":"{target}","max_new_tokens":4,)"
                                               R"("data":"mine.jsonl","get":{"form":"examples","files":[{"url":")" +
                                                   server.url() + "/task.json\"}]}}");
    const CliResult missing = cli({"evaluate", model().string(), "--task", task});
    EXPECT_EQ(missing.exitCode, 3);
    EXPECT_THAT(missing.err, HasSubstr("Download them: mofo get task:" + task));
    ASSERT_EQ(cli({"get", "task:" + task}).exitCode, 0);
    const CliResult done = cli({"evaluate", model().string(), "--task", task, "--json"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    EXPECT_EQ(done.json()["items"].size(), 2u);
}

TEST_F(Evaluate, ARunHasProbesByDefaultAndRefusesThoseThatCannotBe) {
    const std::string id = finished("run", {"probes=kl:3,text:2,eval:2", "eval_split=0.25"});
    const auto reader = MetricsReader::open(workspace().metricsFile(id));
    EXPECT_EQ(reader->probesAfter(0)->size(), 14u) << "seven measures at the start and at the end";
    EXPECT_EQ(RunConfig().probes, "kl,text,eval");
    EXPECT_EQ(cli(train({"probes=klx"})).exitCode, 2);
    EXPECT_EQ(cli(train({"probes=kl,/none/such.jsonl"})).exitCode, 3);
    EXPECT_EQ(cli(train({"probes=kl", "guard_forget=1"})).exitCode, 2);
    EXPECT_EQ(registry().runs(true)->size(), 1u) << "refused input leaves no run behind";
}

}  // namespace
}  // namespace mofo
