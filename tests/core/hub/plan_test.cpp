// What is needed of a repository, where it is taken from, and what is said before.
#include <filesystem>

#include "core/base/hash.h"
#include "core/base/hub_path.h"
#include "tests/core/hub/hub_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::HubRepository;
using test::namesOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class HubPlanTest : public test::HubTest {};

TEST_F(HubPlanTest, SaysCommitLicenceSizesAndPlace) {
    HubRepository repository = model();
    repository.licence = "llama3.2";
    repository.gated = "manual";
    m_hub.add(repository);
    const auto planned = plan();
    ASSERT_OK(planned);
    EXPECT_EQ(planned->commit, repository.commit);
    EXPECT_EQ(planned->pinned(), "hf:owner/name@" + repository.commit);
    EXPECT_EQ(planned->licence, "llama3.2");
    EXPECT_TRUE(planned->gated);
    EXPECT_THAT(namesOf(*planned), UnorderedElementsAre("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
                                                        "vocab.json", "LICENSE", "model.safetensors"));
    EXPECT_EQ(planned->files.back().name, "model.safetensors") << "small ones first";
    std::uint64_t sum = 0;
    for (const HubFile& file : planned->files) sum += repository.files.at(file.name).size();
    EXPECT_EQ(planned->totalBytes, sum);
    EXPECT_EQ(planned->missingBytes, sum);
    EXPECT_EQ(planned->neededBytes, sum);
    EXPECT_GT(planned->freeBytes, 0u);
    EXPECT_EQ(planned->path, ownFolder(repository));
    EXPECT_FALSE(fs::exists(ownFolder(repository))) << "a plan of one safetensors file fetches nothing";
    EXPECT_EQ(m_hub.requests().size(), 1u);
    EXPECT_EQ(m_hub.requests().front().target, "/api/models/owner/name/revision/main?blobs=true");
}

TEST_F(HubPlanTest, OnlyTheShardsOfTheIndexAreTaken) {
    HubRepository repository;
    repository.files = {{"config.json", "{}"},
                        {"tokenizer.json", "{}"},
                        {"model.safetensors.index.json",
                         R"({"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}})"},
                        {"model-00001-of-00002.safetensors", "one"},
                        {"model-00002-of-00002.safetensors", "two"},
                        {"model-00001-of-00007.safetensors", "old"},
                        {"consolidated.safetensors", "other"},
                        {"pytorch_model-00001-of-00002.bin", "pickle"}};
    m_hub.add(repository);
    const auto planned = plan();
    ASSERT_OK(planned);
    EXPECT_THAT(namesOf(*planned), UnorderedElementsAre("config.json", "tokenizer.json", "model.safetensors.index.json",
                                                        "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"));
    repository.files["model.safetensors.index.json"] = R"({"weight_map": {"a": "../../../.bashrc"}})";
    repository.commit = std::string(40, 'd');
    m_hub.add(repository);
    EXPECT_THAT(plan().error().message, HasSubstr("not a safetensors file beside it"));
    repository.files["model.safetensors.index.json"] = R"({"weight_map": {"a": "pytorch_model-00001-of-00002.bin"}})";
    repository.commit = std::string(40, 'e');
    m_hub.add(repository);
    EXPECT_FALSE(plan().ok()) << "an index cannot bring a pickle in";
}

TEST_F(HubPlanTest, OneGgufIsTakenAndOfSeveralOneMustBeNamed) {
    HubRepository repository;
    repository.files = {{"model.Q4_1.gguf", "GGUF4"}, {"mmproj-f16.gguf", "GGUFp"}, {"README.md", "x"}, {"LICENSE.md", "free"}};
    m_hub.add(repository);
    const auto only = plan();
    ASSERT_OK(only);
    EXPECT_EQ(only->path, ownFolder(repository) / "model.Q4_1.gguf");
    EXPECT_THAT(namesOf(*only), UnorderedElementsAre("model.Q4_1.gguf", "LICENSE.md"));

    repository.files["model.Q8_0.gguf"] = "GGUF8";
    repository.files["BF16/m-00001-of-00002.gguf"] = "part";
    m_hub.add(repository);
    const auto several = plan("hf:owner/name@main");
    ASSERT_FALSE(several.ok());
    EXPECT_EQ(several.error().code, ErrorCode::InvalidInput);
    EXPECT_THAT(several.error().text(),
                testing::AllOf(HasSubstr("2 GGUF files: model.Q4_1.gguf, model.Q8_0.gguf"), HasSubstr("hf:owner/name:model.Q4_1.gguf")));
    EXPECT_OK(plan("hf:owner/name:model.Q8_0.gguf"));
    EXPECT_THAT(plan("hf:owner/name:model.Q8_O.gguf").error().text(), HasSubstr("Did you mean hf:owner/name:model.Q8_0.gguf?"));
    EXPECT_THAT(plan("hf:owner/name:m-00001-of-00002.gguf").error().remedy, HasSubstr("Q4_1"));
    EXPECT_THAT(plan("hf:owner/name:BF16/m-00001-of-00002.gguf").error().message, HasSubstr("split"));
}

TEST_F(HubPlanTest, ProgramsAreNeverTaken) {
    for (const auto& [files, reason] : std::vector<std::pair<std::map<std::string, std::string>, std::string>>{
             {{{"config.json", "{}"}, {"pytorch_model.bin", "x"}}, "pickles"},
             {{{"adapter_config.json", "{}"}, {"adapter_model.safetensors", "x"}}, "adapter"},
             {{{"README.md", "x"}}, "neither"},
             {{{"model.safetensors", "x"}}, "config.json"}}) {
        HubRepository repository;
        repository.files = files;
        m_hub.add(repository);
        const auto planned = plan();
        ASSERT_FALSE(planned.ok());
        EXPECT_EQ(planned.error().code, ErrorCode::Unsupported);
        EXPECT_THAT(planned.error().message, HasSubstr(reason));
    }
    HubRepository repository = model();
    m_hub.add(repository);
    for (const char* name : {"pytorch_model.bin", "modeling_own.py", "model.safetensors"})
        EXPECT_FALSE(plan(std::string("hf:owner/name:") + name).ok()) << name;
}

TEST_F(HubPlanTest, DataSets) {
    HubRepository rows;
    rows.dataset = true;
    rows.id = "owner/rows";
    rows.files = {{"train.jsonl", "{}"}, {"README.md", "x"}, {"dataset_infos.json", "{}"}, {"load.py", "import os"}};
    m_hub.add(rows);
    const auto only = plan("hf:datasets/owner/rows");
    ASSERT_OK(only);
    EXPECT_EQ(only->path, ownFolder(rows) / "train.jsonl");
    EXPECT_THAT(namesOf(*only), ElementsAre("train.jsonl"));
    rows.files["data/test.csv"] = "a,b";
    m_hub.add(rows);
    const auto several = plan("hf:datasets/owner/rows");
    ASSERT_FALSE(several.ok());
    EXPECT_THAT(several.error().text(), testing::AllOf(HasSubstr("data/test.csv, train.jsonl"), HasSubstr("hf:datasets/owner/rows:data/test.csv")));
    EXPECT_EQ(plan("hf:datasets/owner/rows:data/test.csv")->path, ownFolder(rows) / "data/test.csv");
    EXPECT_THAT(plan("hf:datasets/owner/rows:test.csv").error().remedy, HasSubstr("hf:datasets/owner/rows:data/test.csv"));
    EXPECT_FALSE(plan("hf:datasets/owner/rows:load.py").ok());
    rows.files = {{"data/train-00000-of-00001.parquet", "PAR1"}};
    m_hub.add(rows);
    EXPECT_THAT(plan("hf:datasets/owner/rows").error().message, HasSubstr("Parquet"));
}

TEST_F(HubPlanTest, AListingCannotLeadElsewhere) {
    HubRepository repository;
    repository.dataset = true;
    repository.files = {{"../../../evil.jsonl", "x"}, {"/etc/evil.jsonl", "x"}, {"a/../b.jsonl", "x"}, {"good.jsonl", "{}"}};
    m_hub.add(repository);
    const auto planned = plan("hf:datasets/owner/name");
    ASSERT_OK(planned);
    EXPECT_THAT(namesOf(*planned), ElementsAre("good.jsonl"));
}

TEST_F(HubPlanTest, TheUsersCacheIsUsedFirstAndNotTouched) {
    const HubRepository repository = model();
    m_hub.add(repository);
    // As Transformers leaves it: without licence and without the vocabulary that nothing reads beside tokenizer.json.
    fillUserCache(repository, {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"});
    const auto before = stateOf(m_settings.userCache);
    const auto planned = plan();
    ASSERT_OK(planned);
    EXPECT_TRUE(planned->isComplete());
    EXPECT_EQ(planned->path, m_settings.userCache / "models--owner--name" / "snapshots" / repository.commit);
    const auto path = fetchHub(m_settings, *planned);
    ASSERT_OK(path);
    EXPECT_EQ(*path, planned->path);
    EXPECT_EQ(hubNameOrPath(path->string()), "hf:owner/name@" + repository.commit);
    EXPECT_EQ(stateOf(m_settings.userCache), before);
    EXPECT_EQ(m_hub.requests().size(), 1u) << "no file was asked for";
}

TEST_F(HubPlanTest, WhatTheUsersCacheLacksIsDownloadedAndTheRestCopied) {
    const HubRepository repository = model();
    m_hub.add(repository);
    fillUserCache(repository, {"config.json", "model.safetensors"});
    const auto before = stateOf(m_settings.userCache);
    const auto planned = plan();
    ASSERT_OK(planned);
    EXPECT_LT(planned->missingBytes, 1000u);
    EXPECT_GT(planned->neededBytes, 3'000'000u);
    const auto path = fetchHub(m_settings, *planned);
    ASSERT_OK(path);
    EXPECT_EQ(*path, ownFolder(repository));
    EXPECT_EQ(test::readFile(*path / "model.safetensors"), repository.files.at("model.safetensors"));
    EXPECT_EQ(test::readFile(*path / "tokenizer.json"), repository.files.at("tokenizer.json"));
    EXPECT_EQ(stateOf(m_settings.userCache), before);
    EXPECT_TRUE(m_hub.requestsFor(m_hub.filePath(repository, "model.safetensors")).empty());
}

TEST_F(HubPlanTest, ADamagedFileOfTheUsersCacheIsFetchedInsteadOfCopied) {
    const HubRepository repository = model();
    m_hub.add(repository);
    fillUserCache(repository, {"config.json", "model.safetensors"});
    const fs::path blob = m_settings.userCache / "models--owner--name" / "blobs" / sha256Hex(repository.files.at("model.safetensors"));
    std::string bytes = test::readFile(blob);
    bytes[100] ^= 1;
    test::writeFile(blob, bytes);
    const auto path = get();
    ASSERT_OK(path);
    EXPECT_EQ(test::readFile(*path / "model.safetensors"), repository.files.at("model.safetensors"));
    EXPECT_EQ(test::readFile(blob), bytes);
}

TEST_F(HubPlanTest, OfflineTheCachesAreTheOnlySource) {
    const HubRepository repository = model();
    m_hub.add(repository);
    m_settings.offline = true;
    const auto nothing = plan();
    ASSERT_FALSE(nothing.ok());
    EXPECT_EQ(nothing.error().code, ErrorCode::NotFound);
    EXPECT_THAT(nothing.error().text(), HasSubstr("HF_HUB_OFFLINE"));
    fillUserCache(repository, {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"});
    const auto found = plan();
    ASSERT_OK(found);
    EXPECT_EQ(found->commit, repository.commit);
    EXPECT_EQ(found->path, m_settings.userCache / "models--owner--name" / "snapshots" / repository.commit);
    EXPECT_OK(plan("hf:owner/name@" + repository.commit));
    EXPECT_FALSE(plan("hf:owner/name@other").ok());
    EXPECT_TRUE(m_hub.requests().empty());
}

TEST_F(HubPlanTest, OfflineWhatWasDownloadedBeforeIsThere) {
    const HubRepository repository = model();
    m_hub.add(repository);
    ASSERT_OK(get());
    m_hub.forget();
    m_settings.offline = true;
    const auto found = plan();
    ASSERT_OK(found);
    EXPECT_TRUE(found->isComplete());
    EXPECT_EQ(found->licence, "apache-2.0");
    fs::remove(ownFolder(repository) / "tokenizer.json");
    const auto lost = plan();
    ASSERT_FALSE(lost.ok());
    EXPECT_THAT(lost.error().message, HasSubstr("tokenizer.json"));
    EXPECT_TRUE(m_hub.requests().empty());
}

TEST_F(HubPlanTest, ACompleteCommitNeedsNoQuestion) {
    const HubRepository repository = model();
    m_hub.add(repository);
    ASSERT_OK(get());
    m_hub.forget();
    EXPECT_OK(get("hf:owner/name@" + repository.commit));
    EXPECT_TRUE(m_hub.requests().empty());
    EXPECT_OK(get());
    EXPECT_EQ(m_hub.requests().size(), 1u) << "a branch is asked for anew";
}

TEST_F(HubPlanTest, AnUnreachableHubLeavesWhatIsThereAndSaysSo) {
    const HubRepository repository = model();
    m_hub.add(repository);
    ASSERT_OK(get());
    m_settings.endpoint = "http://127.0.0.1:1";
    m_settings.retries = 1;
    const auto kept = plan();
    ASSERT_OK(kept);
    EXPECT_TRUE(kept->isComplete());
    EXPECT_THAT(kept->note, testing::AllOf(HasSubstr("cannot be asked"), HasSubstr(repository.commit.substr(0, 12))));
    const auto nothing = plan("hf:owner/other");
    ASSERT_FALSE(nothing.ok());
    EXPECT_EQ(nothing.error().code, ErrorCode::Io);
    EXPECT_THAT(nothing.error().remedy, HasSubstr("network"));
}

TEST_F(HubPlanTest, ARevisionIsPinnedToItsCommit) {
    HubRepository old = model(), young = model();
    old.revisions = {"v1.0"};
    young.commit = std::string(40, 'f');
    young.files["config.json"] = "{\"new\": 1}";
    m_hub.add(old);
    m_hub.add(young);
    const auto first = get("hf:owner/name@v1.0"), second = get();
    ASSERT_OK(first);
    ASSERT_OK(second);
    EXPECT_EQ(*first, ownFolder(old));
    EXPECT_EQ(*second, ownFolder(young));
    EXPECT_EQ(test::readFile(*first / "config.json"), old.files.at("config.json"));
    m_hub.forget();
    ASSERT_OK(plan("hf:owner/name@refs/pr/1").ok() ? Result<void>() : Result<void>());
    EXPECT_EQ(m_hub.requests().front().target, "/api/models/owner/name/revision/refs%2Fpr%2F1?blobs=true");
}

}  // namespace
}  // namespace mofo
