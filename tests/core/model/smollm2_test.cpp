// The real model: every tensor of SmolLM2-135M-Instruct.Q4_1.gguf against hashes that gguf-py and Transformers gave.
#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/model/model_source.h"
#include "tests/support/test_support.h"

namespace mofo::test {
namespace {

Json golden() {
    const auto parsed = parseJson(readFile(std::filesystem::path(MOFO_SOURCE_DIR) / "tests/core/model/golden/smollm2_parameters.json"));
    EXPECT_OK(parsed);
    return *parsed;
}

std::string hashOfParameter(const ModelSource& source, std::size_t index) {
    std::vector<float> values(static_cast<std::size_t>(source.parameters()[index].elementCount()));
    EXPECT_OK(source.readParameter(index, values));
    Sha256 hash;
    hash.update(std::as_bytes(std::span(values)));
    return hash.hex();
}

TEST(SmolLM2, EqualsTheReferenceTensorByTensor) {
    MOFO_REQUIRE_SMOL();
    const auto opened = ModelSource::open(smolGguf().string());
    ASSERT_OK(opened);
    const ModelSource& source = **opened;
    EXPECT_EQ(source.formatName(), "GGUF Q4_1");
    EXPECT_TRUE(source.isQuantised());
    const ModelDescription& model = source.description();
    EXPECT_EQ(model.parameterCount(), 134'515'008);
    EXPECT_EQ(model.rope.theta, 100000);
    EXPECT_EQ(model.normEpsilon, static_cast<double>(1e-5f));
    EXPECT_TRUE(model.tiedHead);
    EXPECT_EQ(model.maxPositions, 8192);
    const Json expected = golden()["parameters"];
    ASSERT_EQ(source.parameters().size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(source.parameters()[i].name, expected[i][0]);
        ASSERT_EQ(Json(source.parameters()[i].shape), expected[i][1]);
        ASSERT_EQ(hashOfParameter(source, i), expected[i][2]) << expected[i][0];
    }
}

TEST(SmolLM2, IsImportedByteForByteAsTheReferenceDoes) {
    MOFO_REQUIRE_SMOL();
    TemporaryFolder folder;
    const auto source = ModelSource::open(smolGguf().string());
    ASSERT_OK(source);
    Stopwatch watch;
    const auto sha256 = writeHfFolder(**source, folder / "hf", DType::F32);
    const double elapsedMs = watch.elapsedMs();
    ASSERT_OK(sha256);
    RecordProperty("import_ms", static_cast<int>(elapsedMs));
    EXPECT_EQ(*sha256, golden()["model_safetensors_sha256"]);
    const auto back = ModelSource::open((folder / "hf").string());
    ASSERT_OK(back);
    EXPECT_EQ(hfConfigOf((*back)->description(), ""), hfConfigOf((*source)->description(), ""));
    EXPECT_OK((*back)->loadTokenizer());
    EXPECT_EQ(hashOfParameter(**back, 5), golden()["parameters"][5][2]);
}

}  // namespace
}  // namespace mofo::test
