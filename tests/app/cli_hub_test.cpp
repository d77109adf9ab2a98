// get, and hf: references wherever a model or a data set is named.
#include <signal.h>

#include <filesystem>
#include <memory>

#include "core/base/hash.h"
#include "core/base/text.h"
#include "tests/app/cli_support.h"
#include "tests/support/hub_server.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::CliProcess;
using test::CliResult;
using test::HubReply;
using test::HubRepository;
using test::HubServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CliHub : public test::CliTest {
protected:
    void SetUp() override {
        CliTest::SetUp();
        m_hub = std::make_unique<HubServer>();
        for (const char* name : {"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN",
                                 "http_proxy", "all_proxy", "ALL_PROXY"}) {
            m_environment.set(name, "");
        }
        m_environment.set("XDG_CACHE_HOME", (m_folder / "cache").string());
        m_environment.set("HF_ENDPOINT", m_hub->url());
        m_environment.set("HF_TOKEN", "hf_secret");
        m_model.id = "owner/tiny";
        m_model.licence = "mit";
        for (const char* name : {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"})
            m_model.files[name] = test::readFile(model() / name);
        m_model.files["pytorch_model.bin"] = "pickle";
        m_model.large = {"model.safetensors"};
        m_rows.dataset = true;
        m_rows.id = "owner/rows";
        m_rows.commit = std::string(40, 'd');
        m_rows.files = {{"train.jsonl", test::readFile(data())}, {"README.md", "x"}};
        m_hub->add(m_model);
        m_hub->add(m_rows);
    }
    [[nodiscard]] fs::path folderOf(const HubRepository& repository) const {
        const std::string name = repository.id.substr(repository.id.find('/') + 1);
        return m_folder / "cache/mofo/hub" / ((repository.dataset ? "datasets--owner--" : "models--owner--") + name) / repository.commit;
    }
    [[nodiscard]] std::string pinnedModel() const { return "hf:owner/tiny@" + m_model.commit; }
    [[nodiscard]] std::string pinnedRows() const { return "hf:datasets/owner/rows@" + m_rows.commit + ":train.jsonl"; }

    std::unique_ptr<HubServer> m_hub;
    HubRepository m_model, m_rows;
};

TEST_F(CliHub, GetSaysWhatItIsAndPrintsThePathAlone) {
    const CliResult got = cli({"get", "hf:owner/tiny"});
    ASSERT_EQ(got.exitCode, 0) << got.err;
    EXPECT_EQ(got.out, folderOf(m_model).string() + "\n");
    EXPECT_THAT(got.err, AllOf(HasSubstr("commit " + m_model.commit), HasSubstr("licence mit"), HasSubstr("4 files"), HasSubstr("to download"),
                               HasSubstr("free"), HasSubstr(folderOf(m_model).string()), Not(HasSubstr("hf_secret"))));
    EXPECT_FALSE(fs::exists(folderOf(m_model) / "pytorch_model.bin"));
    const CliResult again = cli({"get", m_hub->url() + "/owner/tiny/tree/main", "--json"});
    ASSERT_EQ(again.exitCode, 0) << again.err;
    EXPECT_THAT(again.err, HasSubstr("on this machine"));
    const Json json = again.json();
    EXPECT_EQ(json["commit"], m_model.commit);
    EXPECT_EQ(json["path"], folderOf(m_model).string());
    EXPECT_EQ(json["licence"], "mit");
    EXPECT_EQ(json["reference"], pinnedModel());
    EXPECT_EQ(json["files"].size(), 4u);
    std::uint64_t sum = 0;
    for (const Json& file : json["files"]) {
        EXPECT_TRUE(fs::exists(file["path"].get<std::string>()));
        sum += file["size_bytes"].get<std::uint64_t>();
        if (file["name"] == "model.safetensors") {
            EXPECT_EQ(file["sha256"], sha256Hex(m_model.files["model.safetensors"]));
        }
    }
    EXPECT_EQ(json["bytes"], sum);
    EXPECT_EQ(cli({"get", "hf:datasets/owner/rows"}).out, (folderOf(m_rows) / "train.jsonl").string() + "\n");
}

TEST_F(CliHub, RefusalsHaveTheirExitCodes) {
    m_hub->serve("/api/models/owner/busy/revision/main", HubReply{429, {{"Retry-After", "7"}}, ""});
    m_hub->serve("/api/models/owner/gated/revision/main", HubReply{403, {{"X-Error-Code", "GatedRepo"}}, ""});
    HubRepository several = m_rows;
    several.id = "owner/several";
    several.files["test.jsonl"] = "{}";
    m_hub->add(several);
    const std::pair<std::vector<std::string>, std::pair<int, const char*>> cases[] = {
        {{"get", "hf:owner"}, {2, "hf:OWNER/owner"}},
        {{"get", "https://example.com/x/y"}, {2, "hf:owner/name"}},
        {{"get", "./file.gguf"}, {2, "hf:owner/name"}},
        {{"get", "hf:owner/missing"}, {3, "no such repository"}},
        {{"get", "hf:owner/tiny:model.gguf"}, {3, "no such file"}},
        {{"get", "hf:owner/gated"}, {3, "Accept the licence at"}},
        {{"get", "hf:datasets/owner/several"}, {3, "hf:datasets/owner/several:test.jsonl"}},
        {{"get", "hf:owner/busy"}, {1, "again in 7 s"}},
        {{"get"}, {2, "mofo get --help"}},
        {{"train", "--model", "hf:datasets/owner/rows", "--data", data().string()}, {2, "Did you mean hf:owner/rows?"}},
        {{"train", "--model", "hf:owner/tiny", "--data", "hf:owner/rows"}, {2, "Did you mean hf:datasets/owner/rows?"}},
        {{"train", "--model", "hf:owner/missing", "--data", data().string()}, {3, "no such repository"}},
    };
    for (const auto& [arguments, expected] : cases) {
        const CliResult refused = cli(arguments);
        EXPECT_EQ(refused.exitCode, expected.first) << testing::PrintToString(arguments) << refused.err;
        EXPECT_THAT(refused.err, AllOf(HasSubstr(expected.second), Not(HasSubstr("hf_secret")))) << testing::PrintToString(arguments);
        EXPECT_LE(refused.errorLines(), 4);
        EXPECT_EQ(refused.out, "");
    }
    EXPECT_TRUE(registry().runs(true)->empty());
    m_environment.set("HF_HUB_OFFLINE", "1");
    const CliResult offline = cli({"get", "hf:owner/tiny"});
    EXPECT_EQ(offline.exitCode, 3);
    EXPECT_THAT(offline.err, HasSubstr("HF_HUB_OFFLINE"));
}

TEST_F(CliHub, CtrlCKeepsThePartAndTheSameCommandGoesOn) {
    const std::string weights = m_model.files["model.safetensors"], path = HubServer::filePath(m_model, "model.safetensors");
    HubReply slow{200, {}, weights};
    slow.stallAfter = 20'000;
    m_hub->once(path, slow);
    CliProcess get({"get", "hf:owner/tiny"});
    const fs::path part = folderOf(m_model) / "model.safetensors.part";
    ASSERT_TRUE(test::eventually([&] { return fs::exists(part) && fs::file_size(part) == 20'000; }));
    get.signal(SIGINT);
    const CliResult stopped = get.finish(5);
    EXPECT_EQ(stopped.exitCode, 130);
    EXPECT_EQ(stopped.out, "");
    EXPECT_THAT(stopped.err, HasSubstr("same command goes on"));
    EXPECT_EQ(fs::file_size(part), 20'000u);
    m_hub->forget();
    ASSERT_EQ(cli({"get", "hf:owner/tiny"}).exitCode, 0);
    EXPECT_EQ(m_hub->requestsFor(path).front().headers.at("range"), "bytes=20000-");
    EXPECT_EQ(test::readFile(folderOf(m_model) / "model.safetensors"), weights);
}

TEST_F(CliHub, ARunKeepsWhatItCameFromAndNeedsNoNetworkLater) {
    const CliResult trained = cli({"train", "--model", "hf:owner/tiny", "--data", "hf:datasets/owner/rows", "--name", "long", "--set", "steps=100000",
                                   "device=cpu", "eval_data=hf:datasets/owner/rows@main:train.jsonl", "--detach"});
    ASSERT_EQ(trained.exitCode, 0) << trained.err;
    const std::string id = trained.out.substr(0, trained.out.find('\n'));
    ASSERT_TRUE(test::eventually([&] { return stepOf(id) > 1; }));
    m_hub.reset();
    m_environment.set("HF_HUB_OFFLINE", "1");
    const Json shown = cli({"show", "long", "--json"}).json();
    EXPECT_EQ(shown["model_source"], pinnedModel());
    EXPECT_EQ(shown["data_source"], pinnedRows());
    EXPECT_EQ(shown["eval_data_source"], pinnedRows());
    EXPECT_EQ(shown["data"], (folderOf(m_rows) / "train.jsonl").string());
    EXPECT_EQ(shown["model"], "tiny");
    EXPECT_THAT(cli({"show", "long"}).out, AllOf(HasSubstr(pinnedModel()), HasSubstr(pinnedRows())));
    const std::string line = shown["command_line"];
    EXPECT_THAT(line,
                AllOf(HasSubstr("--model " + pinnedModel()), HasSubstr("--data " + pinnedRows()), HasSubstr("--set eval_data=" + pinnedRows())));
    EXPECT_EQ(cli({"models", "list", "--json"}).json()[0]["source"], pinnedModel());

    ASSERT_EQ(cli({"stop", "long"}).exitCode, 0);
    ASSERT_TRUE(reaches(id, RunState::Stopped));
    const std::int64_t before = stepOf(id);
    const CliResult resumed = cli({"resume", "long", "--detach"});
    ASSERT_EQ(resumed.exitCode, 0) << resumed.err;
    EXPECT_TRUE(test::eventually([&] { return stepOf(id) > before; }));
    ASSERT_EQ(cli({"stop", "long"}).exitCode, 0);
    ASSERT_TRUE(reaches(id, RunState::Stopped));

    // The line that was kept gives the same configuration, offline too.
    std::vector<std::string> words;
    for (const std::string& word : splitText(line.substr(std::string("mofo ").size()), ' ')) words.push_back(word == "long" ? "again" : word);
    words.push_back("--detach");
    const CliResult again = cli(words);
    ASSERT_EQ(again.exitCode, 0) << again.err;
    EXPECT_TRUE(configDifferences(*registry().initialRunConfig(id), *registry().initialRunConfig(again.out.substr(0, again.out.find('\n')))).empty());
    ASSERT_EQ(cli({"stop", "again"}).exitCode, 0);
}

TEST_F(CliHub, EveryCommandTakesReferences) {
    const CliResult tokens = cli({"tokens", "--model", "hf:owner/tiny", "--data", "hf:datasets/owner/rows:train.jsonl", "--json"});
    ASSERT_EQ(tokens.exitCode, 0) << tokens.err;
    EXPECT_EQ(tokens.json(), cli({"tokens", "--model", model().string(), "--data", data().string(), "--json"}).json());
    const CliResult imported = cli({"import", "hf:owner/tiny@" + m_model.commit, (m_folder / "out").string()});
    EXPECT_EQ(imported.exitCode, 0) << imported.err;
    EXPECT_EQ(cli({"score", "--model", "hf:owner/tiny", "--data", "hf:datasets/owner/rows"}).exitCode, 0);
    EXPECT_THAT(cli({"chat", "hf:owner/tiny", "--prompt", "hello"}).out, HasSubstr("you said: hello"));
    const CliResult added = cli({"models", "add", m_hub->url() + "/owner/tiny"});
    ASSERT_EQ(added.exitCode, 0) << added.err;
    EXPECT_EQ(cli({"models", "list", "--json"}).json()[0]["name"], "tiny");
    const std::string id = trainToEnd();
    const CliResult twin = cli({"twin", id, "--set", "data=hf:datasets/owner/rows", "--name", "other-rows"});
    ASSERT_EQ(twin.exitCode, 0) << twin.err;
    EXPECT_EQ(cli({"show", "other-rows", "--json"}).json()["data_source"], pinnedRows());
}

TEST_F(CliHub, ARunOnTheUsersCacheKeepsTheFilesName) {
    const fs::path cache = m_folder / "cache/huggingface/hub/datasets--owner--rows";
    const std::string content = m_rows.files["train.jsonl"];
    fs::create_directories(cache / "blobs");
    fs::create_directories(cache / "snapshots" / m_rows.commit);
    test::writeFile(cache / "blobs" / test::gitBlobName(content), content);
    fs::create_symlink("../../blobs/" + test::gitBlobName(content), cache / "snapshots" / m_rows.commit / "train.jsonl");
    const std::string path = (cache / "snapshots" / m_rows.commit / "train.jsonl").string();
    EXPECT_EQ(cli({"get", "hf:datasets/owner/rows"}).out, path + "\n");
    const CliResult trained =
        cli({"train", "--model", model().string(), "--data", "hf:datasets/owner/rows", "--name", "cached", "--set", "steps=2", "device=cpu"});
    ASSERT_EQ(trained.exitCode, 0) << trained.err;
    const Json shown = cli({"show", "cached", "--json"}).json();
    EXPECT_EQ(shown["data"], path);
    EXPECT_EQ(shown["data_source"], pinnedRows());
    EXPECT_FALSE(fs::exists(folderOf(m_rows) / "train.jsonl"));
}

}  // namespace
}  // namespace mofo
