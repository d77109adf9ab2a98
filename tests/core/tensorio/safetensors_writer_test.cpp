#include <gtest/gtest.h>

#include "core/base/hash.h"
#include "core/tensorio/convert.h"
#include "core/tensorio/safetensors.h"
#include "tests/core/tensorio/builders.h"
#include "tests/support/test_support.h"

namespace mofo::test {
namespace {

TEST(SafetensorsWriter, WritesTheBytesOfTheLibrary) {
    TemporaryFolder folder;
    std::vector<SafetensorsWriter::Declaration> tensors = {
        {"b", DType::F32, {2}}, {"h", DType::F16, {2}}, {"a", DType::F32, {1, 1}}, {"e", DType::F32, {0, 3}}, {"s", DType::F32, {}}};
    SafetensorsWriter::sortAsLibrary(tensors);
    const std::map<std::string, std::string> metadata = {{"format", "pt"}};
    auto writer = SafetensorsWriter::create(folder / "x", tensors, metadata);
    ASSERT_OK(writer);
    const std::vector<float> values = {1, 2, 3, 4, 5, 6};
    ASSERT_OK(writer->writeFloats(std::span(values).subspan(0, 1)));  // a
    ASSERT_OK(writer->writeFloats(std::span(values).subspan(1, 1)));  // b, in two pieces
    ASSERT_OK(writer->writeFloats(std::span(values).subspan(2, 1)));
    ASSERT_OK(writer->writeFloats(std::span(values).subspan(3, 1)));  // s, e being empty
    ASSERT_OK(writer->writeFloats(std::span(values).subspan(4, 2)));  // h
    const auto sha256 = writer->finish();
    ASSERT_OK(sha256);
    const std::string bytes = readFile(folder / "x");
    EXPECT_EQ(*sha256, sha256Hex(bytes));
    EXPECT_EQ(bytes.size(), SafetensorsWriter::fileSizeBytes(tensors, metadata));
    EXPECT_EQ(bytes.size() % 4, 0u);
    // What safetensors.torch.save_file (0.8) writes for the same tensors.
    const std::string header =
        R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},)"
        R"("e":{"dtype":"F32","shape":[0,3],"data_offsets":[12,12]},"s":{"dtype":"F32","shape":[],"data_offsets":[12,16]},"h":{"dtype":"F16","shape":[2],"data_offsets":[16,20]}})";
    EXPECT_EQ(bytes.substr(8, header.size()), header);

    const auto file = SafetensorsFile::open(folder / "x");
    ASSERT_OK(file);
    std::vector<float> read(2);
    ASSERT_OK(file->readFloats(*file->find("b"), 0, read));
    EXPECT_EQ(read, (std::vector<float>{2, 3}));
    ASSERT_OK(file->readFloats(*file->find("h"), 0, read));
    EXPECT_EQ(read, (std::vector<float>{5, 6}));
    ASSERT_OK(file->readFloats(*file->find("s"), 0, std::span(read).first(1)));
    EXPECT_EQ(read[0], 4);
}

TEST(SafetensorsWriter, KeepsLargeTensorsOfEveryFloatType) {
    TemporaryFolder folder;
    std::vector<float> values(300'001);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.001f - 100.0f;
    for (const DType dtype : {DType::F64, DType::F32, DType::F16, DType::BF16}) {
        const auto path = folder / dtypeName(dtype);
        auto writer = SafetensorsWriter::create(path, {{"x", dtype, {300'001}}}, {});
        ASSERT_OK(writer);
        ASSERT_OK(writer->writeFloats(std::span(values).first(7)));
        ASSERT_OK(writer->writeFloats(std::span(values).subspan(7)));
        ASSERT_OK(writer->finish());
        const auto file = SafetensorsFile::open(path);
        ASSERT_OK(file);
        std::vector<float> read(values.size());
        ASSERT_OK(file->readFloats(file->tensors()[0], 0, read));
        for (std::size_t i = 0; i < values.size(); i += 997) {
            const float expected = dtype == DType::F16    ? halfToFloat(floatToHalf(values[i]))
                                   : dtype == DType::BF16 ? bfloat16ToFloat(floatToBfloat16(values[i]))
                                                          : values[i];
            ASSERT_EQ(read[i], expected);
        }
    }
}

TEST(SafetensorsWriter, RefusesTooManyAndTooFewBytes) {
    TemporaryFolder folder;
    auto much = SafetensorsWriter::create(folder / "much", {{"x", DType::F32, {2}}}, {});
    ASSERT_OK(much);
    const std::vector<float> values(3);
    EXPECT_EQ(much->writeFloats(values).error().code, ErrorCode::Internal);
    EXPECT_EQ(much->write(std::as_bytes(std::span(values))).error().code, ErrorCode::Internal);
    auto little = SafetensorsWriter::create(folder / "little", {{"x", DType::F32, {2}}}, {});
    ASSERT_OK(little);
    ASSERT_OK(little->writeFloats(std::span(values).first(1)));
    EXPECT_EQ(little->finish().error().code, ErrorCode::Internal);
    EXPECT_FALSE(SafetensorsWriter::create(folder / "little", {}, {}).ok()) << "an existing file must never be written over";
}

}  // namespace
}  // namespace mofo::test
