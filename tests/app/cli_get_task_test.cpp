// get task:NAME: the data of tasks, from a server that a user's task file names.
#include <filesystem>

#include "core/base/hash.h"
#include "tests/app/cli_support.h"
#include "tests/support/hub_server.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::CliResult;
using test::HubReply;
using test::HubServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CliGetTask : public test::CliTest {
protected:
    void SetUp() override {
        CliTest::SetUp();
        for (const char* name : {"HF_HOME", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "HF_ENDPOINT", "HUGGING_FACE_HUB_TOKEN", "MOFO_TASK_DATA",
                                 "http_proxy", "all_proxy", "ALL_PROXY"}) {
            m_environment.set(name, "");
        }
        m_environment.set("XDG_CACHE_HOME", (m_folder / "cache").string());
        m_environment.set("HF_TOKEN", "hf_secret");
        m_server.serve("/rows", HubReply{200, {}, m_rows});
        m_server.serve("/labels", HubReply{200, {}, "1\n0\n"});
        fs::create_directories(m_folder / "tasks");
    }
    /// A multiple-choice task whose data are `get`.
    std::string task(const std::string& get, const std::string& name = "mine") {
        const fs::path file = m_folder / "tasks" / (name + ".json");
        test::writeFile(file, R"({"name":"mine","scorer":"multiple_choice","prompt":"{goal}","choices":[" {sol1}"," {sol2}"],"label":"label",)"
                              R"("source":"made up, CC0","data":"mine.jsonl","get":)" +
                                  get + "}");
        return file.string();
    }
    [[nodiscard]] std::string address(const std::string& path) const { return R"({"url":")" + m_server.url() + path + R"("})"; }
    [[nodiscard]] std::string rowsAndLabels() const {
        return R"({"form":"rows_and_labels","files":[)" + address("/rows") + "," + address("/labels") + "]}";
    }
    [[nodiscard]] fs::path target() const { return m_folder / "cache/mofo/tasks/mine.jsonl"; }

    HubServer m_server;
    const std::string m_rows = "{\"goal\":\"g\",\"sol1\":\"a\",\"sol2\":\"b\"}\n{\"goal\":\"h\",\"sol1\":\"c\",\"sol2\":\"d\"}\n";
};

TEST_F(CliGetTask, AUsersTaskIsFetchedOnceAndThenFound) {
    const std::string file = task(rowsAndLabels());
    const CliResult before = cli({"train", "--model", model().string(), "--data", data().string(), "--set", "probes=kl," + file});
    EXPECT_EQ(before.exitCode, 3);
    EXPECT_THAT(before.err, HasSubstr("Download them: mofo get task:" + file)) << "the remedy";
    const CliResult got = cli({"get", "task:" + file});
    ASSERT_EQ(got.exitCode, 0) << got.err;
    EXPECT_EQ(got.out, target().string() + "\n");
    EXPECT_THAT(got.err, AllOf(HasSubstr("task mine: made up, CC0"), HasSubstr(m_server.url() + "/rows, size not known before it comes"),
                               HasSubstr("into " + target().string()), HasSubstr("free"), HasSubstr("2 items"), Not(HasSubstr("hf_secret"))));
    for (const auto& request : m_server.requests()) EXPECT_FALSE(request.has("authorization"));
    m_server.forget();
    m_environment.set("HF_HUB_OFFLINE", "1");
    const CliResult again = cli({"get", "task:" + file, "--json"});
    ASSERT_EQ(again.exitCode, 0) << again.err;
    EXPECT_THAT(again.err, HasSubstr("on this machine"));
    const Json json = again.json();
    EXPECT_EQ(json["task"], "mine");
    EXPECT_EQ(json["source"], "made up, CC0");
    EXPECT_EQ(json["path"], target().string());
    EXPECT_EQ(json["downloaded"], false);
    EXPECT_EQ(json["items"], 2);
    EXPECT_EQ(json["bytes"], fs::file_size(target()));
    EXPECT_EQ(json["sha256"], sha256Hex(test::readFile(target())));
    EXPECT_EQ(json["sources"][1]["url"], m_server.url() + "/labels");
    EXPECT_TRUE(m_server.requests().empty());
}

TEST_F(CliGetTask, RefusalsAreOneSentenceWithTheirExitCodes) {
    const std::string hash(64, 'a');
    m_server.serve("/page", HubReply{200, {}, "<html>Please log in.</html>"});
    m_server.serve("/busy", HubReply{429, {{"Retry-After", "7"}}, ""});
    const auto asIs = [&](const std::string& path) { return R"({"files":[)" + address(path) + "]}"; };
    const std::vector<std::pair<std::string, std::pair<int, std::string>>> cases{
        {"task:gsm8q", {3, "did you mean gsm8k?"}},
        {"task:", {3, "there is no task of that name"}},
        {"task:" + (m_folder / "none.json").string(), {3, "there is no such file"}},
        {"task:" + task(asIs("/missing"), "a"), {3, "/missing: there is no file at this address"}},
        {"task:" + task(asIs("/busy"), "b"), {1, "again in 7 s"}},
        {"task:" + task(asIs("/page"), "c"), {3, "what was downloaded are not the data of task mine"}},
        {"task:" + task(R"({"files":[{"url":")" + m_server.url() + R"(/rows","sha256":")" + hash + R"("}]})", "d"), {3, "its hash differs"}},
        {"task:" + task(R"({"files":[{"url":"http://example.com/rows"}]})", "e"), {3, "the address is not encrypted"}},
        {"task:" + task(R"({"files":[],"from":"x"})", "f"), {3, "in \"get\""}},
        {"task:metamathqa", {3, "Put the file metamathqa-1024.jsonl (MetaMathQA (Yu et al. 2023, MIT)) into a folder, and name that: mofo tasks"}},
        {"task:pmc", {3, "pmc-instructions-1024.jsonl"}},
    };
    for (const auto& [reference, expected] : cases) {
        const CliResult refused = cli({"get", reference});
        EXPECT_EQ(refused.exitCode, expected.first) << reference << refused.err;
        EXPECT_THAT(refused.err, AllOf(HasSubstr(expected.second), Not(HasSubstr("hf_secret")))) << reference;
        EXPECT_LE(refused.errorLines(), 4) << refused.err;
        EXPECT_EQ(refused.out, "");
    }
    EXPECT_FALSE(fs::exists(target()));
    const CliResult bare = cli({"get", "gsm8k"});
    EXPECT_EQ(bare.exitCode, 2);
    EXPECT_THAT(bare.err, HasSubstr("Did you mean task:gsm8k?"));
    m_environment.set("HF_HUB_OFFLINE", "1");
    const CliResult offline = cli({"get", "task:humaneval"});
    EXPECT_EQ(offline.exitCode, 3);
    EXPECT_THAT(offline.err, HasSubstr("HF_HUB_OFFLINE is set, and humaneval.jsonl is missing"));
}

TEST_F(CliGetTask, TasksThatNeedNoDownloadSaySo) {
    for (const char* name : {"kl", "text", "eval"}) {
        const CliResult done = cli({"get", std::string("task:") + name});
        EXPECT_EQ(done.exitCode, 0) << done.err;
        EXPECT_THAT(done.err, HasSubstr("needs no download"));
        EXPECT_EQ(done.out, "");
        EXPECT_TRUE(cli({"get", std::string("task:") + name, "--json"}).json()["path"].is_null());
    }
    // Data that lie in a folder of the user's count as there.
    test::writeFile(m_folder / "tasks" / "piqa-valid.jsonl", R"({"goal":"g","sol1":"a","sol2":"b","label":0})");
    ASSERT_EQ(cli({"tasks", "--data-folder", (m_folder / "tasks").string()}).exitCode, 0);
    const CliResult there = cli({"get", "task:piqa"});
    EXPECT_EQ(there.exitCode, 0) << there.err;
    EXPECT_EQ(there.out, (m_folder / "tasks" / "piqa-valid.jsonl").string() + "\n");
    test::writeFile(m_folder / "tasks" / "gsm8k-test.jsonl", "{\"wrong\":1}\n");
    const CliResult wrong = cli({"get", "task:gsm8k"});
    EXPECT_EQ(wrong.exitCode, 3);
    EXPECT_THAT(wrong.err, AllOf(HasSubstr("the file that is there cannot be used"), HasSubstr("Remove it")));
}

TEST_F(CliGetTask, TheListSaysWhichCanBeFetched) {
    EXPECT_THAT(cli({"tasks"}).out, AllOf(HasSubstr("mofo get task:gsm8k"), Not(HasSubstr("mofo get task:pmc")), Not(HasSubstr("mofo get task:kl"))));
    for (const Json& one : cli({"tasks", "--json"}).json()) {
        if (one["name"] == "humaneval") {
            EXPECT_EQ(one["get"], "mofo get task:humaneval");
        } else if (one["name"] == "eval") {
            EXPECT_TRUE(one["get"].is_null());
        }
    }
}

}  // namespace
}  // namespace mofo
