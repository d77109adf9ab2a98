// Corpus S of malformed safetensors files (design page "Reliability", section 3), id by id.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/tensorio/safetensors.h"
#include "tests/core/tensorio/allocation_meter.h"
#include "tests/core/tensorio/builders.h"
#include "tests/support/test_support.h"

namespace mofo::test {
namespace {

const std::string good = tensorEntry("a", "F32", "[2]", "[0,8]");

std::string header(const std::string& text, std::size_t dataBytes = 0) { return safetensorsFile(text, zeros(dataBytes)); }
std::string lying(std::uint64_t length, const std::string& rest = "{}") { return raw(length) + rest; }

const CorpusCase cases[] = {
    {"S1", "R:TRUNC", [] { return std::string(); }},
    {"S2", "R:TRUNC", [] { return zeros(7); }},
    {"S3", "R:JSON", [] { return header(""); }},
    {"S4", "R:JSON", [] { return header("{"); }},
    {"S5", "R:UTF8", [] { return header("\xFF"); }},
    {"S6", "R:LIMIT", [] { return lying(~0ull); }},
    {"S7", "R:LIMIT", [] { return lying(1ull << 63); }},
    {"S8", "R:LIMIT", [] { return lying(100'000'001); }},
    {"S9", "R:TRUNC", [] { return lying(100'000'000, zeros(1016)); }},
    {"S10", "R:TRUNC", [] { return lying(3); }},
    {"S11", "R:LIMIT", [] { return lying(__builtin_bswap64(2)); }},
    {"S12", "R:TYPE", [] { return header("[]"); }},
    {"S13", "R:TYPE", [] { return header("null"); }},
    {"S14", "W", [] { return header("  {" + good + "}", 8); }},
    {"S15", "A", [] { return header("{" + good + "}   ", 8); }},
    {"S16", "R:JSON", [] { return header("{" + good + "}" + zeros(3), 8); }},
    {"S17", "R:JSON", [] { return header("{" + good + "} x", 8); }},
    {"S18", "R:JSON", [] { return header("\xEF\xBB\xBF{" + good + "}", 8); }},
    {"S19", "R:DUP", [] { return header("{" + good + "," + tensorEntry("a", "F32", "[2]", "[8,16]") + "}", 16); }},
    {"S20", "R:DUP", [] { return header("{" + tensorEntry("a", "F32", "[0]", "[0,0]") + "," + tensorEntry("a", "F32", "[0]", "[0,0]") + "}"); }},
    {"S21", "R:DUP", [] { return header(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8); }},
    {"S22", "R:DUP", [] { return header("{" + good + "," + tensorEntry("\\u0061", "F32", "[2]", "[8,16]") + "}", 16); }},
    {"S23", "R:DUP", [] { return header(R"({"__metadata__":{},"__metadata__":{}})"); }},
    {"S24_number", "R:TYPE", [] { return header(R"({"__metadata__":{"k":1}})"); }},
    {"S24_null", "R:TYPE", [] { return header(R"({"__metadata__":{"k":null}})"); }},
    {"S24_array", "R:TYPE", [] { return header(R"({"__metadata__":{"k":[]}})"); }},
    {"S24_object", "R:TYPE", [] { return header(R"({"__metadata__":{"k":{}}})"); }},
    {"S24_itself", "R:TYPE", [] { return header(R"({"__metadata__":[]})"); }},
    {"S25", "R:TYPE", [] { return header(R"({"__metadata__":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8); }},
    {"S26", "W", [] { return header("{\"__metadata__\":{\"k\":\"" + std::string(90'000'000, 'x') + "\"}," + good + "}", 8); }},
    {"S27", "R:MISSING", [] { return header(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8); }},
    {"S28", "R:MISSING", [] { return header(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8); }},
    {"S29", "R:MISSING", [] { return header(R"({"a":{"dtype":"F32","shape":[2]}})", 8); }},
    {"S30", "W", [] { return header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"note":{"x":[1,2]}}})", 8); }},
    {"S30_twice", "R:DUP", [] { return header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"n":1,"n":2}})", 8); }},
    {"S31", "R:DTYPE", [] { return oneTensor("F31", "[2]", "[0,8]", zeros(8)); }},
    {"S32", "R:DTYPE", [] { return oneTensor("f32", "[2]", "[0,8]", zeros(8)); }},
    {"S33", "R:TYPE", [] { return header(R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", 8); }},
    {"S34", "R:TYPE", [] { return oneTensor("F32", "\"2\"", "[0,8]", zeros(8)); }},
    {"S35", "R:RANGE", [] { return oneTensor("F32", "[-1]", "[0,8]", zeros(8)); }},
    {"S36", "R:TYPE", [] { return oneTensor("F32", "[1.0]", "[0,4]", zeros(4)); }},
    {"S37", "R:RANGE", [] { return oneTensor("F32", "[18446744073709551616]", "[0,8]", zeros(8)); }},
    {"S38", "R:OVERFLOW", [] { return oneTensor("U8", "[2,18446744073709551614]", "[0,8]", zeros(8)); }},
    {"S39", "R:OVERFLOW", [] { return oneTensor("I32", "[2,9223372036854775807]", "[0,8]", zeros(8)); }},
    {"S40", "R:OVERFLOW", [] { return oneTensor("F32", "[4294967296,4294967296]", "[0,0]", ""); }},
    {"S41", "R:RANGE", [] { return oneTensor("F32", "[0,9223372036854775808]", "[0,0]", ""); }},
    {"S42", "R:LIMIT", [] { return oneTensor("F32", "[" + repeat("1,", 64) + "1]", "[0,4]", zeros(4)); }},
    {"S42_64", "A", [] { return oneTensor("F32", "[" + repeat("1,", 63) + "1]", "[0,4]", zeros(4)); }},
    {"S43", "R:LIMIT", [] { return oneTensor("F32", "[" + repeat("1,", 999'999) + "1]", "[0,4]", zeros(4)); }},
    {"S44", "A", [] { return oneTensor("F32", "[]", "[0,4]", zeros(4)); }},
    {"S45", "A", [] { return oneTensor("F32", "[2,0]", "[0,0]", ""); }},
    {"S46", "R:ALIGN", [] { return oneTensor("F4", "[3]", "[0,2]", zeros(2)); }},
    {"S46_even", "A", [] { return oneTensor("F4", "[4]", "[0,2]", zeros(2)); }},
    {"S47", "R:TYPE", [] { return oneTensor("F32", "[2]", "[]", zeros(8)); }},
    {"S48", "R:TYPE", [] { return oneTensor("F32", "[2]", "[0]", zeros(8)); }},
    {"S49", "R:TYPE", [] { return oneTensor("F32", "[2]", "[0,1,2]", zeros(8)); }},
    {"S50", "R:RANGE", [] { return oneTensor("F32", "[2]", "[-8,0]", zeros(8)); }},
    {"S51", "R:OFFSET", [] { return oneTensor("F32", "[2]", "[8,0]", zeros(8)); }},
    {"S52", "R:TRUNC", [] { return oneTensor("F32", "[4]", "[0,16]", zeros(8)); }},
    {"S53", "R:OFFSET",
     [] {
         std::string text = "{";
         for (int i = 0; i < 1000; ++i) text += (i == 0 ? "" : ",") + tensorEntry("a" + std::to_string(i), "F32", "[2]", "[0,8]");
         return header(text + "}", 8);
     }},
    {"S54", "R:OFFSET", [] { return header("{" + good + "," + tensorEntry("b", "F32", "[2]", "[4,12]") + "}", 12); }},
    {"S55", "R:OFFSET", [] { return header("{" + good + "," + tensorEntry("b", "F32", "[2]", "[12,20]") + "}", 20); }},
    {"S56", "R:OFFSET", [] { return oneTensor("F32", "[2]", "[8,16]", zeros(16)); }},
    {"S57", "R:TRAIL", [] { return oneTensor("F32", "[2]", "[0,8]", zeros(9)); }},
    {"S58", "R:TRAIL", [] { return oneTensor("F32", "[2]", "[0,8]", zeros(8) + "PK\x03\x04" + zeros(60)); }},
    {"S59", "R:SIZE", [] { return oneTensor("F32", "[3]", "[0,8]", zeros(8)); }},
    {"S60", "R:TYPE", [] { return oneTensor("F32", "[2]", "[0.0,8]", zeros(8)); }},
    {"S61", "A", [] { return header("{" + tensorEntry("b", "F32", "[1]", "[8,12]") + "," + good + "}", 12); }},
    {"S62", "R:LIMIT",
     [] {
         std::string text = "{";
         for (int i = 0; i < 1'000'000; ++i) text += (i == 0 ? "" : ",") + tensorEntry(std::to_string(i), "U8", "[0]", "[0,0]");
         return header(text + "}");
     }},
    {"S63", "A",
     [] {
         std::string text = "{";
         for (int i = 0; i < 100'000; ++i) {
             text +=
                 (i == 0 ? "" : ",") + tensorEntry("t" + std::to_string(i), "U8", "[1]", "[" + std::to_string(i) + "," + std::to_string(i + 1) + "]");
         }
         return header(text + "}", 100'000);
     }},
    {"S64", "R:NAME", [] { return header("{" + tensorEntry("", "F32", "[2]", "[0,8]") + "}", 8); }},
    {"S65", "R:NAME", [] { return header("{" + tensorEntry(std::string(1 << 20, 'n'), "F32", "[2]", "[0,8]") + "}", 8); }},
    {"S66", "R:NAME", [] { return header("{" + tensorEntry("a\\u0000b", "F32", "[2]", "[0,8]") + "}", 8); }},
    {"S67", "A", [] { return header("{" + tensorEntry("../x", "F32", "[2]", "[0,8]") + "}", 8); }},
    {"S68", "A",
     [] {
         return header("{" +
                           tensorEntry("\xE2\x80\xAE"
                                       "b",
                                       "F32", "[2]", "[0,8]") +
                           "}",
                       8);
     }},
    {"S69", "R:DEPTH", [] { return header("{\"__metadata__\":" + repeat("[", 100'000) + repeat("]", 100'000) + "}"); }},
    {"S69_field", "R:DEPTH", [] { return header("{\"a\":{\"x\":" + repeat("{\"y\":", 100'000) + "1" + repeat("}", 100'000) + "}}"); }},
    {"S70", "R:UTF8", [] { return header("{" + tensorEntry("\\ud800", "F32", "[2]", "[0,8]") + "}", 8); }},
    {"S71", "R:JSON", [] { return oneTensor("F32", "[NaN]", "[0,8]", zeros(8)); }},
    {"S72_comma", "R:JSON", [] { return header("{" + good + ",}", 8); }},
    {"S72_comment", "R:JSON", [] { return header("{" + good + "/* x */}", 8); }},
    {"S73_00", "R:JSON", [] { return oneTensor("F32", "[2]", "[00,8]", zeros(8)); }},
    {"S73_hex", "R:JSON", [] { return oneTensor("F32", "[0x2]", "[0,8]", zeros(8)); }},
    {"S73_exponent", "R:TYPE", [] { return oneTensor("F32", "[2]", "[0,8e0]", zeros(8)); }},
    {"zip", "R:JSON", [] { return "PK\x03\x04" + zeros(100); }},
    {"gguf", "R:JSON", [] { return GgufBuilder().u32("k", 1).build(); }},
};

class SafetensorsCorpus : public testing::TestWithParam<CorpusCase> {};

TEST_P(SafetensorsCorpus, EndsAsItMust) {
    const CorpusCase& item = GetParam();
    TemporaryFolder folder;
    const auto path = folder / "file.safetensors";
    std::size_t fileBytes = 0;
    {
        const std::string bytes = item.build();
        fileBytes = bytes.size();
        writeFile(path, bytes);
    }
    AllocationMeter meter;
    Stopwatch watch;
    const auto file = SafetensorsFile::open(path);
    EXPECT_LT(watch.elapsedMs(), 5000 * slowness);
    EXPECT_LE(meter.peakBytes(), 4 * fileBytes + (16u << 20));
    const std::string_view expected = item.expected;
    if (expected.starts_with("R:")) {
        ASSERT_FALSE(file.ok());
        EXPECT_EQ(file.error().tag, expected.substr(2)) << file.error().text();
        EXPECT_NE(file.error().where.find("file.safetensors"), std::string::npos) << file.error().text();
        EXPECT_EQ(file.error().exitCode(), 3);
        EXPECT_LT(file.error().text().size(), 1000u);
        return;
    }
    ASSERT_OK(file);
    EXPECT_EQ(file->warnings().empty(), expected == "A");
    for (const TensorInfo& tensor : file->tensors()) {
        std::vector<std::byte> bytes(tensor.sizeBytes);
        if (tensor.sizeBytes < 1000) EXPECT_OK(file->readBytes(tensor, 0, bytes));
    }
}

INSTANTIATE_TEST_SUITE_P(S, SafetensorsCorpus, testing::ValuesIn(cases), [](const auto& info) { return std::string(info.param.id); });

TEST(SafetensorsFile, KeepsEverythingThatItReads) {
    TemporaryFolder folder;
    const std::string data = raw(1.5f) + raw(-2.0f) + raw<std::uint16_t>(0x3C00) + raw<std::uint16_t>(0xC000);
    writeFile(folder / "x",
              safetensorsFile("{\"__metadata__\":{\"format\":\"pt\"}," + tensorEntry("h", "F16", "[2,1]", "[8,12]") + "," + good + "}", data));
    const auto file = SafetensorsFile::open(folder / "x");
    ASSERT_OK(file);
    EXPECT_EQ(file->metadata().at("format"), "pt");
    ASSERT_EQ(file->tensors().size(), 2u);
    EXPECT_EQ(file->tensors()[0].name, "a");  // by offset, not by place in the header
    EXPECT_EQ(file->tensors()[1].shape, (std::vector<std::int64_t>{2, 1}));
    std::vector<float> values(2);
    ASSERT_OK(file->readFloats(*file->find("h"), 0, values));
    EXPECT_EQ(values, (std::vector<float>{1.0f, -2.0f}));
    ASSERT_OK(file->readFloats(*file->find("a"), 1, std::span(values).first(1)));
    EXPECT_EQ(values[0], -2.0f);
    EXPECT_EQ(file->find("b"), nullptr);
    EXPECT_FALSE(file->readFloats(*file->find("a"), 1, values).ok());
}

TEST(SafetensorsFile, RefusesTypesThatAreNoFloats) {
    TemporaryFolder folder;
    writeFile(folder / "x", oneTensor("I32", "[2]", "[0,8]", zeros(8)));
    const auto file = SafetensorsFile::open(folder / "x");
    ASSERT_OK(file);
    std::vector<float> values(2);
    const auto read = file->readFloats(file->tensors()[0], 0, values);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::Unsupported);
    EXPECT_EQ(read.error().tag, "DTYPE");
    EXPECT_NE(read.error().text().find("I32"), std::string::npos);
}

TEST(SafetensorsFile, RefusesBytesThatAreNoTruthValues_S75) {
    TemporaryFolder folder;
    writeFile(folder / "x", oneTensor("BOOL", "[3]", "[0,3]", std::string("\0\1\2", 3)));
    const auto file = SafetensorsFile::open(folder / "x");
    ASSERT_OK(file);
    std::vector<std::byte> bytes(3);
    EXPECT_OK(file->readBytes(file->tensors()[0], 0, std::span(bytes).first(2)));
    const auto read = file->readBytes(file->tensors()[0], 0, bytes);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().tag, "RANGE");
}

TEST(SafetensorsFile, SurvivesAFileThatShrinks_S76) {
    TemporaryFolder folder;
    writeFile(folder / "x", oneTensor("F32", "[250000]", "[0,1000000]", zeros(1'000'000)));
    const auto file = SafetensorsFile::open(folder / "x");
    ASSERT_OK(file);
    std::filesystem::resize_file(folder / "x", 5000);
    std::vector<float> values(250'000);
    const auto read = file->readFloats(file->tensors()[0], 0, values);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().tag, "IO");
    EXPECT_EQ(read.error().code, ErrorCode::Io);
}

TEST(SafetensorsFile, RefusesAPipeAtOnce_S77) {
    TemporaryFolder folder;
    ASSERT_EQ(mkfifo((folder / "x").c_str(), 0600), 0);
    const auto file = SafetensorsFile::open(folder / "x");
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().tag, "IO");
}

TEST(SafetensorsFile, RefusesASparseTail_S78) {
    TemporaryFolder folder;
    writeFile(folder / "x", oneTensor("F32", "[2]", "[0,8]", zeros(8)));
    std::error_code ec;
    std::filesystem::resize_file(folder / "x", 1ull << 40, ec);
    if (ec) GTEST_SKIP() << "this file system makes no files of 1 TB";
    const auto file = SafetensorsFile::open(folder / "x");
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().tag, "TRAIL");
}

}  // namespace
}  // namespace mofo::test
