#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/library/model_library.h"
#include "core/library/model_place.h"
#include "core/model/model_source.h"
#include "tests/support/test_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;

class ModelLibrary : public testing::Test {
protected:
    void SetUp() override {
        test::writeTinyModel(source());
        auto workspace = Workspace::openOrCreate(m_folder / "workspace", false);
        ASSERT_OK(workspace);
        m_workspace.emplace(std::move(workspace).value());
        auto registry = Registry::open(*m_workspace, Registry::Access::ReadWrite);
        ASSERT_OK(registry);
        m_registry.emplace(std::move(registry).value());
    }
    [[nodiscard]] fs::path source(const char* name = "tiny") const { return m_folder / name; }
    [[nodiscard]] std::size_t sealedFolders() const {
        return static_cast<std::size_t>(std::count_if(fs::directory_iterator(m_workspace->folder() / "models"), fs::directory_iterator(),
                                                      [](const fs::directory_entry& entry) { return entry.is_directory(); }));
    }
    Result<ModelRow> seal(const fs::path& path, std::string_view name = {}) { return sealModel(*m_workspace, *m_registry, path.string(), name); }

    test::TemporaryFolder m_folder;
    std::optional<Workspace> m_workspace;
    std::optional<Registry> m_registry;
};

TEST_F(ModelLibrary, SealsAReadOnlyCopyThatOpensAsTheSameModel) {
    const auto model = seal(source(), "first");
    ASSERT_OK(model);
    EXPECT_EQ(model->name, "first");
    EXPECT_EQ(model->id, model->sha256.substr(0, 16));
    const fs::path folder = m_workspace->modelFolder(model->id);
    struct stat info {};
    ASSERT_EQ(stat(folder.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0555u);
    for (const auto& file : fs::directory_iterator(folder)) {
        ASSERT_EQ(stat(file.path().c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777, 0444u) << file.path();
    }
    const auto before = ModelSource::open(source().string());
    const auto after = ModelSource::open(folder.string());
    ASSERT_OK(before);
    ASSERT_OK(after);
    ASSERT_EQ((*before)->parameters().size(), (*after)->parameters().size());
    for (std::size_t i = 0; i < (*before)->parameters().size(); ++i) {
        const auto count = static_cast<std::size_t>((*before)->parameters()[i].elementCount());
        std::vector<float> a(count), b(count);
        ASSERT_OK((*before)->readParameter(i, a));
        ASSERT_OK((*after)->readParameter(i, b));
        EXPECT_EQ(a, b) << (*before)->parameters()[i].name;
    }
}

TEST_F(ModelLibrary, NeverStoresTheSameSourceOrContentTwice) {
    const auto first = seal(source());
    ASSERT_OK(first);
    int phases = 0;
    const auto again = sealModel(*m_workspace, *m_registry, source().string(), {}, [&](std::string_view, double) { return ++phases, true; });
    ASSERT_OK(again);
    EXPECT_EQ(again->id, first->id);
    EXPECT_EQ(phases, 0) << "an untouched source is found without reading it";
    test::writeTinyModel(source("copy"));
    const auto copy = seal(source("copy"));
    ASSERT_OK(copy);
    EXPECT_EQ(copy->id, first->id);
    EXPECT_EQ(sealedFolders(), 1u);
    phases = 0;
    ASSERT_OK(sealModel(*m_workspace, *m_registry, source("copy").string(), {}, [&](std::string_view, double) { return ++phases, true; }));
    EXPECT_EQ(phases, 0) << "the second place is remembered as well";
}

TEST_F(ModelLibrary, ChangedSourceAndOtherTokenizerAreOtherModels) {
    const auto first = seal(source());
    ASSERT_OK(first);
    test::writeTinyModel(source("other"), {.seed = 2});
    const auto other = seal(source("other"));
    ASSERT_OK(other);
    EXPECT_NE(other->id, first->id);

    test::writeTinyModel(source("twin"));
    Json tokenizer = Json::parse(test::readFile(source("twin") / "tokenizer.json"));
    tokenizer["pre_tokenizer"]["add_prefix_space"] = true;
    test::writeFile(source("twin") / "tokenizer.json", tokenizer.dump());
    const auto twin = seal(source("twin"));
    ASSERT_OK(twin);
    EXPECT_EQ(twin->sha256, first->sha256);
    EXPECT_NE(twin->id, first->id);
    EXPECT_EQ(sealedFolders(), 3u);
}

TEST_F(ModelLibrary, FindsModelsByPathNameIdAndPrefix) {
    const auto model = seal(source(), "small one");
    ASSERT_OK(model);
    for (const std::string& text : {std::string("small one"), model->id, model->id.substr(0, 6), m_workspace->modelFolder(model->id).string()}) {
        const auto found = sealModel(*m_workspace, *m_registry, text);
        ASSERT_OK(found);
        EXPECT_EQ(found->id, model->id) << text;
    }
    EXPECT_EQ(sealModel(*m_workspace, *m_registry, "no such").error().code, ErrorCode::NotFound);
    EXPECT_EQ(sealModel(*m_workspace, *m_registry, "hf:owner/name").error().code, ErrorCode::Unsupported);
    EXPECT_EQ(sealModel(*m_workspace, *m_registry, "random:smollm2").error().code, ErrorCode::Unsupported);
}

TEST_F(ModelLibrary, NamesAreKeptApart) {
    test::writeTinyModel(source("other"), {.seed = 2});
    ASSERT_OK(seal(source(), "same"));
    const auto second = seal(source("other"), "same");
    ASSERT_OK(second);
    EXPECT_EQ(second->name, "same-2");
}

TEST_F(ModelLibrary, RefusalsLeaveNothingBehind) {
    test::writeTinyModel(source("mute"), {.withTokenizer = false});
    EXPECT_FALSE(seal(source("mute")).ok());
    test::writeTinyModel(source("cut"));
    fs::resize_file(source("cut") / "model.safetensors", 3000);
    EXPECT_FALSE(seal(source("cut")).ok());
    const auto cancelled = sealModel(*m_workspace, *m_registry, source().string(), {}, [](std::string_view phase, double) { return phase != "copy"; });
    ASSERT_FALSE(cancelled.ok());
    EXPECT_EQ(cancelled.error().code, ErrorCode::Interrupted);
    EXPECT_EQ(sealedFolders(), 0u);
    const auto models = m_registry->models();
    ASSERT_OK(models);
    EXPECT_TRUE(models->empty());
}

TEST_F(ModelLibrary, ConcurrentImportsOfOneModelGiveOneModel) {
    std::vector<std::future<std::string>> imports;
    for (int i = 0; i < 4; ++i) {
        imports.push_back(std::async(std::launch::async, [&] {
            auto registry = Registry::open(*m_workspace, Registry::Access::ReadWrite);
            if (!registry.ok()) return registry.error().text();
            const auto model = sealModel(*m_workspace, *registry, source().string());
            return model.ok() ? model->id : model.error().text();
        }));
    }
    const std::string first = imports.front().get();
    EXPECT_EQ(first.size(), 16u) << first;
    for (std::size_t i = 1; i < imports.size(); ++i) EXPECT_EQ(imports[i].get(), first);
    EXPECT_EQ(sealedFolders(), 1u);
}

TEST_F(ModelLibrary, VerifyNamesTheFileThatDiffers) {
    const auto model = seal(source());
    ASSERT_OK(model);
    ASSERT_OK(verifyModel(*m_workspace, *m_registry, *model));
    const auto row = m_registry->findModel(model->id);
    ASSERT_OK(row);
    EXPECT_TRUE(row->verifiedNs.has_value());
    const fs::path folder = m_workspace->modelFolder(model->id);
    for (const char* name : {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"}) {
        const std::string bytes = test::readFile(folder / name);
        fs::permissions(folder / name, fs::perms::owner_write, fs::perm_options::add);
        std::string damaged = bytes;
        damaged[damaged.size() / 2] ^= 0x20;
        test::writeFile(folder / name, damaged);
        const auto verdict = verifyModel(*m_workspace, *m_registry, *model);
        ASSERT_FALSE(verdict.ok()) << name;
        EXPECT_NE(verdict.error().where.find(name), std::string::npos) << verdict.error().text();
        test::writeFile(folder / name, bytes);
    }
    ASSERT_OK(verifyModel(*m_workspace, *m_registry, *model));
    // The list of hashes is in the folder itself: one that was rewritten along with the weights is found out by the registry.
    const std::string seal = test::readFile(folder / "mofo.json");
    std::string weights = test::readFile(folder / "model.safetensors");
    weights.back() ^= 1;
    test::writeFile(folder / "model.safetensors", weights);
    Json list = Json::parse(seal);
    list["files"].erase("model.safetensors");
    fs::permissions(folder / "mofo.json", fs::perms::owner_write, fs::perm_options::add);
    test::writeFile(folder / "mofo.json", list.dump());
    EXPECT_FALSE(verifyModel(*m_workspace, *m_registry, *model).ok());
}

TEST_F(ModelLibrary, RemovesOnlyWhatNoRunRefersTo) {
    const auto model = seal(source());
    ASSERT_OK(model);
    RunRow run;
    run.id = newShortId();
    run.name = "uses it";
    run.state = RunState::Finished;
    run.modelId = model->id;
    ASSERT_OK(m_registry->addRun(run));
    const auto refused = removeModel(*m_workspace, *m_registry, *model);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_EQ(sealedFolders(), 1u);

    test::writeTinyModel(source("other"), {.seed = 2});
    const auto other = seal(source("other"));
    ASSERT_OK(other);
    ASSERT_OK(removeModel(*m_workspace, *m_registry, *other));
    EXPECT_EQ(sealedFolders(), 1u);
    const auto again = seal(source("other"));
    ASSERT_OK(again);
    EXPECT_EQ(again->id, other->id);
}

TEST_F(ModelLibrary, RemovesWhatAKilledImportLeft) {
    fs::create_directories(m_workspace->folder() / "models" / ".import-abandoned");
    test::writeFile(m_workspace->folder() / "models" / ".import-abandoned" / "model.safetensors", "half");
    fs::permissions(m_workspace->folder() / "models" / ".import-abandoned", fs::perms::owner_read | fs::perms::owner_exec);
    ASSERT_OK(seal(source()));
    EXPECT_EQ(sealedFolders(), 1u);
}

TEST_F(ModelLibrary, SealsAgainWhereTheFolderWasLost) {
    const auto model = seal(source());
    ASSERT_OK(model);
    const fs::path folder = m_workspace->modelFolder(model->id);
    fs::permissions(folder, fs::perms::owner_all);
    fs::remove_all(folder);
    const auto again = seal(source());
    ASSERT_OK(again);
    EXPECT_EQ(again->id, model->id);
    ASSERT_OK(verifyModel(*m_workspace, *m_registry, *again));
}

TEST_F(ModelLibrary, SourceKeysFollowSizeAndTime) {
    const auto before = sourceKeyOf(source());
    ASSERT_OK(before);
    EXPECT_EQ(*sourceKeyOf(source()), *before);
    fs::last_write_time(source() / "config.json", fs::last_write_time(source() / "config.json") + std::chrono::seconds(1));
    EXPECT_NE(*sourceKeyOf(source()), *before);
}

}  // namespace
}  // namespace mofo
