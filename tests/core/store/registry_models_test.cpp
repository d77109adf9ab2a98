#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

using test::exampleModel;
using test::exampleRun;
using test::StoreFixture;
using ::testing::HasSubstr;

class RegistryModelsTest : public ::testing::Test, public StoreFixture {};

TEST_F(RegistryModelsTest, KeepsEveryField) {
    const ModelRow model = exampleModel("abcd", "smol");
    ASSERT_OK(registry.addModel(model));
    const auto back = registry.findModel("abcd");
    ASSERT_OK(back);
    EXPECT_EQ(back->name, model.name);
    EXPECT_EQ(back->source, model.source);
    EXPECT_EQ(back->sha256, model.sha256);
    EXPECT_EQ(back->tokenizerSha256, model.tokenizerSha256);
    EXPECT_EQ(back->format, model.format);
    EXPECT_EQ(back->sourceKey, model.sourceKey);
    EXPECT_EQ(back->parameterCount, model.parameterCount);
    EXPECT_EQ(back->sizeBytes, model.sizeBytes);
    EXPECT_EQ(back->description, model.description);
    EXPECT_EQ(back->importedNs, model.importedNs);
    EXPECT_FALSE(back->verifiedNs.has_value());
    ASSERT_OK(registry.setModelVerified("abcd", 77));
    EXPECT_EQ(registry.findModel("smol")->verifiedNs, 77);
    EXPECT_EQ(registry.setModelVerified("none", 1).error().code, ErrorCode::NotFound);
}

TEST_F(RegistryModelsTest, OneContentFromTwoPlacesIsOneModel) {
    ModelRow model = exampleModel("abcd", "smol");
    ASSERT_OK(registry.addModel(model));
    model.source = "/elsewhere";
    model.sourceKey = "/elsewhere|1|2";
    ASSERT_OK(registry.addModel(model));
    ASSERT_EQ(registry.models()->size(), 1u);
    for (const std::string key : {"/elsewhere|1|2", "/models/smol.gguf|100|7"}) {
        const auto found = registry.findModelBySourceKey(key);
        ASSERT_OK(found);
        ASSERT_TRUE(found->has_value()) << key;
        EXPECT_EQ((*found)->id, "abcd");
        EXPECT_EQ((*found)->sourceKey, key);
    }
    EXPECT_FALSE(registry.findModelBySourceKey("/elsewhere|1|3")->has_value());
    model.sha256 = std::string(64, 'f');
    EXPECT_EQ(registry.addModel(model).error().code, ErrorCode::Conflict);
}

TEST_F(RegistryModelsTest, AreFoundByIdPrefixOrName) {
    ASSERT_OK(registry.addModel(exampleModel("aa11", "smol")));
    ASSERT_OK(registry.addModel(exampleModel("aa22", "gemma")));
    EXPECT_EQ(registry.findModel("aa1")->name, "smol");
    EXPECT_EQ(registry.findModel("gemma")->id, "aa22");
    const auto ambiguous = registry.findModel("aa");
    ASSERT_FALSE(ambiguous.ok());
    EXPECT_EQ(ambiguous.error().code, ErrorCode::Conflict);
    EXPECT_THAT(ambiguous.error().text(), HasSubstr("aa11 (smol)"));
    EXPECT_EQ(registry.findModel("nothing").error().code, ErrorCode::NotFound);
    EXPECT_EQ(registry.findModel("").error().code, ErrorCode::NotFound);
    EXPECT_EQ((*registry.models())[0].id, "aa22");
}

TEST_F(RegistryModelsTest, StayWhileARunRefersToThem) {
    ASSERT_OK(registry.addModel(exampleModel("aa11", "smol")));
    RunRow run = exampleRun("r1", "my run");
    run.modelId = "aa11";
    ASSERT_OK(registry.addRun(run));
    const auto refused = registry.removeModel("aa11");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_THAT(refused.error().text(), HasSubstr("my run"));
    EXPECT_OK(registry.findModel("aa11"));
    ASSERT_OK(registry.addModel(exampleModel("bb22", "gemma")));
    ASSERT_OK(registry.removeModel("bb22"));
    EXPECT_FALSE(registry.findModel("bb22").ok());
    EXPECT_FALSE(registry.findModelBySourceKey("/models/gemma.gguf|100|7")->has_value()) << "its places go with it";
    EXPECT_EQ(registry.removeModel("bb22").error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace mofo
