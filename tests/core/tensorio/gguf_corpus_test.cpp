// Corpus G of malformed GGUF files (design page "Reliability", section 3): the ids that the file format itself decides.
// Those about the model that a file describes are in tests/core/model.
#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "core/tensorio/gguf.h"
#include "tests/core/tensorio/allocation_meter.h"
#include "tests/core/tensorio/builders.h"
#include "tests/support/test_support.h"

namespace mofo::test {
namespace {

constexpr std::uint32_t f32 = 0, q4k = 12, i8 = 24, f64 = 28;

std::string sound() { return GgufBuilder().text("general.architecture", "llama").tensor("t", {4}, f32, zeros(16)).build(); }

std::string withVersion(std::uint32_t version) {
    GgufBuilder builder;
    builder.version = version;
    return builder.text("k", "v").tensor("t", {4}, f32, zeros(16)).build();
}

std::string withCounts(std::int64_t tensors, std::int64_t pairs) {
    GgufBuilder builder;
    builder.tensorCount = tensors;
    builder.pairCount = pairs;
    return builder.head() + zeros(1000);
}

std::string withKey(const std::string& key) { return GgufBuilder().u32(key, 1).build(); }
std::string withArray(std::uint32_t type, std::uint64_t count, const std::string& bytes) {
    return GgufBuilder().array("a", type, count, bytes).build();
}
std::string withAlignment(std::uint32_t alignment) { return GgufBuilder().u32("general.alignment", alignment).build(); }
std::string withTensor(const std::string& name, const std::vector<std::int64_t>& ne, std::uint32_t type, const std::string& data) {
    return GgufBuilder().tensor(name, ne, type, data).build();
}
/// Two tensors, the second one at `offset`.
std::string secondAt(std::uint64_t offset) {
    GgufBuilder builder;
    builder.tensor("a", {16}, f32, zeros(64)).entry("b", {8}, f32, offset);
    builder.data += zeros(256);
    return builder.build();
}

const CorpusCase cases[] = {
    {"G1", "R:TRUNC", [] { return std::string(); }},
    {"G2", "R:TRUNC", [] { return std::string("GGU"); }},
    {"G3", "R:MAGIC", [] { return "FUGG" + sound().substr(4); }},
    {"G4_ggml", "R:MAGIC", [] { return "lmgg" + zeros(100); }},
    {"G4_ggjt", "R:MAGIC", [] { return "tjgg" + zeros(100); }},
    {"G5", "R:VER", [] { return withVersion(0); }},
    {"G6", "R:VER", [] { return withVersion(1); }},
    {"G7", "A", [] { return withVersion(2); }},
    {"G8", "R:VER", [] { return withVersion(4); }},
    {"G9", "R:VER", [] { return withVersion(0x03000000); }},
    {"G10", "R:TRUNC", [] { return sound().substr(0, 16); }},
    {"G11", "R:RANGE", [] { return withCounts(-1, 0); }},
    {"G12", "R:LIMIT", [] { return withCounts(1'000'000'000, 0); }},
    {"G13", "R:RANGE", [] { return withCounts(0, -1); }},
    {"G14", "R:LIMIT", [] { return withCounts(0, 1'000'000'000); }},
    {"G15", "A", [] { return GgufBuilder().build(); }},
    {"G16", "R:TRUNC", [] { return GgufBuilder().rawPair(raw(~0ull) + "k").build(); }},
    {"G17", "R:NAME", [] { return withKey(""); }},
    {"G18", "R:NAME", [] { return withKey(std::string(65'536, 'k')); }},
    {"G18_most", "A", [] { return withKey(std::string(65'535, 'k')); }},
    {"G19", "R:NAME", [] { return withKey("k\xC3\xA4se"); }},
    {"G20", "R:NAME", [] { return withKey(std::string("k\0e", 3)); }},
    {"G21", "R:DUP", [] { return GgufBuilder().u32("k", 1).text("k", "x").build(); }},
    {"G22", "R:TYPE", [] { return GgufBuilder().pair("k", 13, zeros(8)).build(); }},
    {"G23", "R:TYPE", [] { return GgufBuilder().pair("k", 0xFFFFFFFF, zeros(8)).build(); }},
    {"G24", "R:TYPE", [] { return withArray(ggufArray, 1, raw<std::uint32_t>(ggufU8) + raw<std::uint64_t>(1) + "x"); }},
    {"G25", "R:DEPTH", [] { return withArray(ggufArray, 1, repeat(raw<std::uint32_t>(ggufArray) + raw<std::uint64_t>(1), 10'000)); }},
    {"G26", "R:TYPE", [] { return withArray(200, 1, zeros(8)); }},
    {"G27", "R:OVERFLOW", [] { return withArray(ggufU8, ~0ull, zeros(8)); }},
    {"G27_string", "R:OVERFLOW", [] { return withArray(ggufString, ~0ull, zeros(8)); }},
    {"G28", "R:OVERFLOW", [] { return withArray(ggufU64, 1ull << 62, zeros(8)); }},
    {"G29", "R:TRUNC", [] { return GgufBuilder().array("a", ggufU8, 101, zeros(100)).head(); }},
    {"G30", "R:TRUNC", [] { return GgufBuilder().pair("k", ggufString, raw<std::uint64_t>(11) + "0123456789").head(); }},
    {"G31", "R:LIMIT", [] { return GgufBuilder().pair("k", ggufString, raw(1ull << 63) + "x").build(); }},
    {"G32", "A",
     [] {
         return GgufBuilder().strings("tokens", {"\xFF\xC0", "a"}).build();
     }},
    {"G33", "R:RANGE", [] { return GgufBuilder().pair("k", ggufBool, "\2").build(); }},
    {"G33_array", "R:RANGE", [] { return withArray(ggufBool, 2, "\1\2"); }},
    {"G34", "R:TRUNC", [] { return GgufBuilder().pair("k", ggufU64, zeros(5)).head(); }},
    {"G35", "R:ALIGN", [] { return withAlignment(0); }},
    {"G36", "R:ALIGN", [] { return withAlignment(13); }},
    {"G37", "R:ALIGN", [] { return withAlignment(24); }},
    {"G38", "R:LIMIT", [] { return withAlignment(1u << 31); }},
    {"G39", "R:TYPE", [] { return GgufBuilder().pair("general.alignment", ggufI32, raw(32)).build(); }},
    {"G40", "R:TYPE", [] { return GgufBuilder().text("general.alignment", "32").build(); }},
    {"G41", "R:NAME", [] { return withTensor("", {4}, f32, zeros(16)); }},
    {"G42", "R:NAME", [] { return withTensor(std::string(64, 'n'), {4}, f32, zeros(16)); }},
    {"G42_most", "A", [] { return withTensor(std::string(63, 'n'), {4}, f32, zeros(16)); }},
    {"G42_nul", "R:NAME", [] { return withTensor(std::string("a\0b", 3), {4}, f32, zeros(16)); }},
    {"G43", "R:DUP", [] { return GgufBuilder().tensor("t", {4}, f32, zeros(16)).tensor("t", {4}, f32, zeros(16)).build(); }},
    {"G44", "W", [] { return withTensor("t", {}, f32, zeros(4)); }},
    {"G45", "R:RANGE",
     [] {
         return withTensor("t", {1, 1, 1, 1, 1}, f32, zeros(4));
     }},
    {"G46", "R:RANGE", [] { return GgufBuilder().entry("t", {1}, f32, 0, 0xFFFFFFFFu).build(); }},
    {"G47", "R:RANGE", [] { return withTensor("t", {-4}, f32, zeros(16)); }},
    {"G48", "R:RANGE",
     [] {
         return withTensor("t", {4, 0}, f32, "");
     }},
    {"G49", "R:OVERFLOW",
     [] {
         return withTensor("t", {INT64_MAX, 2}, i8, zeros(16));
     }},
    {"G50", "R:OVERFLOW",
     [] {
         return withTensor("t", {1ll << 32, 1ll << 32}, f32, zeros(16));
     }},
    {"G51", "R:OVERFLOW",
     [] {
         constexpr std::int64_t huge = 0x7FFFFFFFFFFFFFC0;
         return GgufBuilder().entry("a", {huge}, i8, 0).entry("b", {huge}, i8, huge).build() + zeros(64);
     }},
    {"G52_4", "R:DTYPE", [] { return withTensor("t", {32}, 4, zeros(32)); }},
    {"G52_5", "R:DTYPE", [] { return withTensor("t", {32}, 5, zeros(32)); }},
    {"G53", "R:DTYPE", [] { return withTensor("t", {32}, 0xFFFFFFFFu, zeros(32)); }},
    {"G54", "R:DTYPE", [] { return withTensor("t", {32}, 255, zeros(32)); }},
    {"G55", "R:SIZE", [] { return withTensor("t", {255}, q4k, zeros(144)); }},
    {"G56", "R:OVERFLOW", [] { return withTensor("t", {1ll << 62}, f64, zeros(16)); }},
    {"G57", "R:ALIGN", [] { return secondAt(65); }},
    {"G58", "R:OFFSET", [] { return secondAt(96); }},
    {"G59", "R:OFFSET", [] { return secondAt(1ull << 40); }},
    {"G60", "R:OFFSET", [] { return secondAt(0ull - 32); }},
    {"G61", "R:OFFSET", [] { return secondAt(32); }},
    {"G62", "R:TRUNC", [] { return GgufBuilder().tensor("t", {16}, f32, zeros(64)).head(); }},
    {"G63", "R:TRUNC",
     [] {
         const std::string whole = withTensor("t", {16}, f32, zeros(64));
         return whole.substr(0, whole.size() - 1);
     }},
    {"G64", "W", [] { return sound() + "tail"; }},
    {"G65", "A",
     [] {
         GgufBuilder builder;
         builder.tensor("a", {4}, f32, zeros(16) + "not zeros at all").tensor("b", {4}, f32, zeros(16));
         return builder.build();
     }},
    {"G76", "R:LIMIT", [] { return GgufBuilder().strings("tokenizer.ggml.tokens", {std::string(64u << 20, 't')}).build(); }},
    {"G88", "A",
     [] {
         GgufBuilder builder;
         for (std::uint32_t i = 0; i < 200'000; ++i) builder.u32("key." + std::to_string(i), i);
         return builder.build();
     }},
    {"u64_beyond_int64", "R:RANGE", [] { return GgufBuilder().pair("k", ggufU64, raw(1ull << 63)).build(); }},
    {"array_u64_beyond_int64", "R:RANGE", [] { return withArray(ggufU64, 1, raw(~0ull)); }},
    {"array_of_30M", "R:LIMIT", [] { return withArray(ggufU8, 30'000'000, zeros(30'000'000)); }},
};

class GgufCorpus : public testing::TestWithParam<CorpusCase> {};

TEST_P(GgufCorpus, EndsAsItMust) {
    const CorpusCase& item = GetParam();
    TemporaryFolder folder;
    std::size_t fileBytes = 0;
    {
        const std::string bytes = item.build();
        fileBytes = bytes.size();
        writeFile(folder / "file.gguf", bytes);
    }
    AllocationMeter meter;
    Stopwatch watch;
    const auto file = GgufFile::open(folder / "file.gguf");
    EXPECT_LT(watch.elapsedMs(), 3000 * slowness);
    EXPECT_LE(meter.peakBytes(), 4 * fileBytes + (16u << 20));
    const std::string_view expected = item.expected;
    if (expected.starts_with("R:")) {
        ASSERT_FALSE(file.ok());
        EXPECT_EQ(file.error().tag, expected.substr(2)) << file.error().text();
        EXPECT_NE(file.error().where.find("file.gguf, byte "), std::string::npos) << file.error().text();
        EXPECT_EQ(file.error().exitCode(), 3);
        EXPECT_FALSE(file.error().remedy.empty());
        return;
    }
    ASSERT_OK(file);
    EXPECT_EQ(file->warnings().empty(), expected == "A");
    for (const TensorInfo& tensor : file->tensors()) {
        std::vector<float> values(static_cast<std::size_t>(tensor.elementCount));
        if (canReadAsFloat(tensor.dtype)) EXPECT_OK(file->readFloats(tensor, 0, values));
    }
}

INSTANTIATE_TEST_SUITE_P(G, GgufCorpus, testing::ValuesIn(cases), [](const auto& info) { return std::string(info.param.id); });

TEST(GgufFile, SaysThatABigEndianFileIsOne_G9) {
    TemporaryFolder folder;
    writeFile(folder / "x", withVersion(0x03000000));
    EXPECT_NE(GgufFile::open(folder / "x").error().text().find("big-endian"), std::string::npos);
}

TEST(GgufFile, GivesEveryKindOfValue) {
    TemporaryFolder folder;
    GgufBuilder builder;
    builder.pair("u8", ggufU8, raw<std::uint8_t>(200)).pair("i8", ggufI8, raw<std::int8_t>(-100)).pair("u16", ggufU16, raw<std::uint16_t>(60'000));
    builder.pair("i16", ggufI16, raw<std::int16_t>(-30'000))
        .u32("u32", 4'000'000'000u)
        .pair("i32", ggufI32, raw(-2'000'000'000))
        .pair("u64", ggufU64, raw<std::uint64_t>(INT64_MAX));
    builder.pair("i64", ggufI64, raw<std::int64_t>(INT64_MIN))
        .f32("f32", 0.1f)
        .pair("f64", ggufF64, raw(0.1))
        .pair("bool", ggufBool, "\1")
        .text("text", "a\xFF");
    builder.strings("texts", {"x", ""})
        .array("ints", ggufI16, 2, raw<std::int16_t>(-1) + raw<std::int16_t>(7))
        .array("floats", ggufF32, 1, raw(2.5f));
    builder.array("doubles", ggufF64, 1, raw(2.5)).array("bools", ggufBool, 2, std::string("\1\0", 2)).array("empty", ggufString, 0, "");
    writeFile(folder / "x", builder.build());
    const auto opened = GgufFile::open(folder / "x");
    ASSERT_OK(opened);
    const GgufFile& file = *opened;
    EXPECT_EQ(file.keys().size(), 18u);
    EXPECT_EQ(file.keys().front(), "u8");
    EXPECT_EQ(*file.getInt("u8"), 200);
    EXPECT_EQ(*file.getInt("i8"), -100);
    EXPECT_EQ(*file.getInt("u16"), 60'000);
    EXPECT_EQ(*file.getInt("i16"), -30'000);
    EXPECT_EQ(*file.getInt("u32"), 4'000'000'000);
    EXPECT_EQ(*file.getInt("i32"), -2'000'000'000);
    EXPECT_EQ(*file.getInt("u64"), INT64_MAX);
    EXPECT_EQ(*file.getInt("i64"), INT64_MIN);
    EXPECT_EQ(*file.getFloat("f32"), static_cast<double>(0.1f));
    EXPECT_EQ(*file.getFloat("f64"), 0.1);
    EXPECT_EQ(*file.getFloat("u8"), 200.0);
    EXPECT_TRUE(*file.getBool("bool"));
    EXPECT_EQ(*file.getString("text"), "a\xFF");
    EXPECT_EQ(file.getStrings("texts")->size(), 2u);
    EXPECT_EQ((*file.getInts("ints"))[0], -1);
    EXPECT_EQ((*file.getFloats("floats"))[0], 2.5);
    EXPECT_EQ((*file.getFloats("doubles"))[0], 2.5);
    EXPECT_EQ(std::get<std::vector<bool>>(*file.find("bools")), (std::vector<bool>{true, false}));
    EXPECT_TRUE(file.getStrings("empty")->empty());
    EXPECT_EQ(file.getInt("absent").error().tag, "MISSING");
    EXPECT_EQ(file.getInt("text").error().tag, "TYPE");
    EXPECT_EQ(file.getString("u8").error().tag, "TYPE");
    EXPECT_EQ(file.getInts("texts").error().tag, "TYPE");
    EXPECT_EQ(file.find("absent"), nullptr);
}

TEST(GgufFile, ReadsPiecesOfWholeBlocksOnly) {
    TemporaryFolder folder;
    std::string blocks;
    for (int b = 0; b < 4; ++b) blocks += raw<std::uint16_t>(0x3C00) + std::string(32, static_cast<char>(b));  // Q8_0: scale 1
    writeFile(folder / "x", GgufBuilder().tensor("q", {64, 2}, 8, blocks).tensor("k", {256}, q4k, zeros(144)).build());
    const auto file = GgufFile::open(folder / "x");
    ASSERT_OK(file);
    const TensorInfo& tensor = *file->findTensor("q");
    EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 64}));
    std::vector<float> values(64);
    ASSERT_OK(file->readFloats(tensor, 32, values));
    EXPECT_EQ(values.front(), 1.0f);
    EXPECT_EQ(values.back(), 2.0f);
    EXPECT_EQ(file->readFloats(tensor, 16, values).error().code, ErrorCode::Internal);
    EXPECT_EQ(file->readFloats(tensor, 96, values).error().code, ErrorCode::Internal);
    EXPECT_EQ(file->readFloats(tensor, 0, std::span(values).first(33)).error().code, ErrorCode::Internal);
    const auto refused = file->readFloats(*file->findTensor("k"), 0, values);
    EXPECT_EQ(refused.error().tag, "DTYPE");
    EXPECT_NE(refused.error().text().find("Q4_K"), std::string::npos);
}

}  // namespace
}  // namespace mofo::test
