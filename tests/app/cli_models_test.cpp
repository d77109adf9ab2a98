// import, models, tokens, score, export, chat.
#include <filesystem>

#include "core/base/hash.h"
#include "tests/app/cli_support.h"

namespace mofo {
namespace {

using test::CliResult;
using testing::HasSubstr;

class CliModels : public test::CliTest {};

TEST_F(CliModels, ImportWritesAFolderOnce) {
    const std::string target = (m_folder / "out").string();
    const CliResult done = cli({"import", model().string(), target});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    EXPECT_EQ(done.out, target + "\n");
    for (const char* file : {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}) {
        EXPECT_TRUE(std::filesystem::exists(m_folder / "out" / file)) << file;
    }
    const CliResult again = cli({"import", model().string(), target});
    EXPECT_EQ(again.exitCode, 3);
    EXPECT_THAT(again.err, HasSubstr("exists"));
    ASSERT_EQ(cli({"import", model().string(), (m_folder / "half").string(), "--dtype", "bf16"}).exitCode, 0);
    EXPECT_LT(std::filesystem::file_size(m_folder / "half" / "model.safetensors"), std::filesystem::file_size(m_folder / "out" / "model.safetensors"));
}

TEST_F(CliModels, ModelsAreAddedListedVerifiedAndRemoved) {
    const CliResult added = cli({"models", "add", model().string(), "--name", "small", "--json"});
    ASSERT_EQ(added.exitCode, 0) << added.err;
    const std::string id = added.json()["id"];
    EXPECT_EQ(cli({"models", "add", model().string()}).out, id + "\n");
    const Json list = cli({"models", "list", "--json"}).json();
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0]["name"], "small");
    EXPECT_EQ(cli({"models", "verify", "small"}).exitCode, 0);
    EXPECT_EQ(cli({"tokens", "--model", "small", "--data", data().string(), "--json"}).json().size(), 8u);

    const std::filesystem::path weights = workspace().modelFolder(id) / "model.safetensors";
    std::string bytes = test::readFile(weights);
    bytes.back() ^= 1;
    std::filesystem::permissions(weights, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
    test::writeFile(weights, bytes);
    const CliResult damaged = cli({"models", "verify", "small"});
    EXPECT_EQ(damaged.exitCode, 3);
    EXPECT_THAT(damaged.err, HasSubstr("model.safetensors"));
    EXPECT_EQ(cli({"models", "remove", "small"}).exitCode, 0);
    EXPECT_EQ(cli({"models", "list", "--json"}).json(), Json::array());
}

TEST_F(CliModels, TokensCountsRowsOfTheFile) {
    test::writeFile(m_folder / "mixed.jsonl", "{\"text\": \"one\"}\n{\"other\": 1}\n{\"text\": \"three\"}\n{\"text\": \"four\"}\n");
    const auto tokens = [&](const std::vector<std::string>& more) {
        std::vector<std::string> arguments = {"tokens", "--model", model().string(), "--data", (m_folder / "mixed.jsonl").string(), "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return cli(arguments);
    };
    const CliResult all = tokens({});
    ASSERT_EQ(all.exitCode, 0) << all.err;
    const Json rows = all.json();
    ASSERT_EQ(rows.size(), 3u) << "refused rows are left out";
    EXPECT_THAT(all.err, HasSubstr("line 2"));
    EXPECT_EQ(rows[0].size(), 3u);
    EXPECT_EQ(rows[0]["tokens"], 3);
    EXPECT_EQ(rows[0]["trained"], 3);
    EXPECT_EQ(tokens({"--skip", "1", "--limit", "2"}).json(), Json::array({rows[1]})) << "the refused row counts for skip and limit";
    EXPECT_EQ(tokens({"--skip", "3"}).json(), Json::array({rows[2]}));
    EXPECT_EQ(tokens({"--limit", "0"}).json(), Json::array());
}

TEST_F(CliModels, TheHashIsOverDecimalIds) {
    test::writeFile(m_folder / "ab.jsonl", "{\"text\": \"ab\"}\n");
    const Json rows = cli({"tokens", "--model", model().string(), "--data", (m_folder / "ab.jsonl").string(), "--json"}).json();
    // Three special tokens come first in the tiny vocabulary, then the bytes.
    EXPECT_EQ(rows[0]["sha256"], sha256Hex(std::to_string(3 + 'a') + " " + std::to_string(3 + 'b')));
}

TEST_F(CliModels, ScorePrintsOneElementPerRow) {
    const CliResult scored = cli({"score", "--model", model().string(), "--data", data().string(), "--skip", "1", "--limit", "3", "--max-length", "64", "--set", "device=cpu", "--json"});
    ASSERT_EQ(scored.exitCode, 0) << scored.err;
    const Json rows = scored.json();
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_TRUE(rows[0].contains("tokens") && rows[0].contains("log_likelihood"));
    const auto jobs = registry().jobs();
    ASSERT_OK(jobs);
    ASSERT_EQ(jobs->size(), 1u);
    EXPECT_EQ(jobs->front().parameters["skip"], 1);
    EXPECT_EQ(jobs->front().parameters["limit"], 3);
    EXPECT_EQ(jobs->front().parameters["max_length"], 64);
    EXPECT_EQ(jobs->front().parameters["data"], data().string());
    EXPECT_EQ(cli({"jobs", "--json"}).json()[0]["state"], "finished");
}

TEST_F(CliModels, AJobThatFailsSaysWhy) {
    m_environment.set("MOFO_FAKE_JOB_FAULT", "exit3");
    const CliResult refused = cli({"score", "--model", model().string(), "--data", data().string()});
    EXPECT_EQ(refused.exitCode, 3);
    EXPECT_THAT(refused.err, HasSubstr("the model is not readable"));
    EXPECT_LE(refused.errorLines(), 4);
}

TEST_F(CliModels, ExportTakesTheNewestCheckpointOrTheOneOfAStep) {
    const std::string id = trainToEnd({"checkpoint_every=2"});
    const std::string target = (m_folder / "exported").string();
    const CliResult exported = cli({"export", id, target, "--format", "hf"});
    ASSERT_EQ(exported.exitCode, 0) << exported.err;
    EXPECT_EQ(exported.out, target + "\n");
    EXPECT_TRUE(std::filesystem::exists(m_folder / "exported" / "config.json"));
    EXPECT_EQ(registry().jobs()->front().parameters["step"], 5);
    EXPECT_EQ(cli({"export", id, target}).exitCode, 3) << "nothing is written over";
    ASSERT_EQ(cli({"export", id + "@2", (m_folder / "two").string(), "--type", "bf16", "--json"}).json()["step"], 2);
    EXPECT_EQ(cli({"export", id + "@3", (m_folder / "three").string()}).exitCode, 3);
    EXPECT_EQ(cli({"export", id, (m_folder / "no" / "parent").string()}).exitCode, 3);
    EXPECT_EQ(cli({"export", id, (m_folder / "g").string(), "--format", "gguf"}).exitCode, 3);
}

TEST_F(CliModels, ChatAnswersFromModelCheckpointAndLiveRun) {
    const CliResult base = cli({"chat", model().string(), "--prompt", "hello"});
    ASSERT_EQ(base.exitCode, 0) << base.err;
    EXPECT_EQ(base.out, "you said: hello to " + model().string() + "\n");
    const std::string id = trainToEnd();
    const CliResult tuned = cli({"chat", id, "--prompt", "hello", "--json"});
    ASSERT_EQ(tuned.exitCode, 0) << tuned.err;
    EXPECT_THAT(tuned.json()["text"].get<std::string>(), HasSubstr("checkpoints/step-00000005"));
    EXPECT_EQ(registry().jobs()->front().parameters["base_model"], registry().findRun(id)->modelId);
    EXPECT_EQ(cli({"chat", id + "@now", "--prompt", "hello"}).exitCode, 1) << "the run has ended";
    const std::string live = startLong();
    EXPECT_EQ(cli({"chat", live + "@now", "--prompt", "hello"}).out, "you said: hello\n");
    const CliResult talk = cli({"chat", model().string()}, "first\nsecond\n");
    EXPECT_EQ(talk.exitCode, 0);
    EXPECT_THAT(talk.out, testing::AllOf(HasSubstr("you said: first"), HasSubstr("you said: second")));
    EXPECT_EQ(registry().jobs()->front().parameters["messages"].size(), 3u) << "what was said before is told again";
    EXPECT_EQ(cli({"chat", "nobody", "--prompt", "x"}).exitCode, 3);
}

}  // namespace
}  // namespace mofo
