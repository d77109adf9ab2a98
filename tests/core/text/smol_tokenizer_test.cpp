// SmolLM2's own tokenizer against Transformers. The digests were computed with tokenizers 0.23.3 from the folder that
// reference.py import writes (its pre-tokenizer corrected to the one the GGUF names).
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "core/tensorio/gguf.h"
#include "core/text/dataset.h"
#include "tests/core/text/text_test_support.h"

namespace mofo::test {
namespace {

Result<Tokenizer> smolTokenizer() {
    MOFO_TRY(const GgufFile file, GgufFile::open(smolGguf()));
    return Tokenizer::fromGguf(file);
}

TEST(SmolTokenizer, encodesAsTransformers) {
    MOFO_REQUIRE_SMOL();
    const auto tokenizer = smolTokenizer();
    ASSERT_OK(tokenizer);
    EXPECT_EQ(tokenizer->vocabularySize(), 49152);
    EXPECT_EQ(tokenizer->bosId(), 1);
    EXPECT_EQ(tokenizer->eosId(), 2);
    EXPECT_EQ(tokenizer->padId(), 2);
    // Digits one by one, then GPT-2's pattern.
    EXPECT_EQ(tokenizer->encode("In 2024 it's 3.14", false)->ids, (std::vector<TokenId>{788, 216, 34, 32, 34, 36, 357, 506, 216, 35, 30, 33, 36}));
    EXPECT_EQ(tokenizer->encode("<|im_start|>user\nhi<|im_end|>\n", true)->ids, (std::vector<TokenId>{1, 4093, 198, 6004, 2, 198}));
    // Bytes that the vocabulary has no token for vanish: U+0004, and the first byte of U+50000.
    EXPECT_EQ(tokenizer->encode("a\x04" "b", false)->ids, (std::vector<TokenId>{81, 82}));
}

struct FileDigest {
    const char* name;
    const char* sha256;
    std::size_t tokens;
};

class SmolData : public testing::TestWithParam<FileDigest> {};

TEST_P(SmolData, encodesAllTextAsTransformers) {
    MOFO_REQUIRE_SMOL();
    MOFO_REQUIRE_SHARED();
    const auto tokenizer = smolTokenizer();
    ASSERT_OK(tokenizer);
    EncodingDigest digest(*tokenizer);
    const std::string name = GetParam().name;
    if (name.ends_with(".json")) {
        const auto json = parseJson(readFile(sharedFolder() / "data" / name));
        ASSERT_OK(json);
        digest.addStrings(*json);
    } else {
        std::ifstream in(sharedFolder() / "data" / name);
        for (std::string line; std::getline(in, line);) {
            const auto json = parseJson(line);
            ASSERT_OK(json);
            digest.addStrings(*json);
        }
    }
    EXPECT_EQ(digest.tokens(), GetParam().tokens);
    EXPECT_EQ(digest.hex(), GetParam().sha256);
}

INSTANTIATE_TEST_SUITE_P(All, SmolData, testing::Values(
    FileDigest{"naughty-strings.json", "785a8937d35c583048cbb60f02510ff2461d7086b4802f3ca4d45d9f5043985d", 13258},
    FileDigest{"bbh-causal-judgement.jsonl", "5ee0b1c0ff9eb1dbb78ca7feafd1e47adc8ced856fc3004cd9223df90e1bbb51", 43152},
    FileDigest{"bbh-date-understanding.jsonl", "25beb12e389f9acaece1b34d306933673c0b09447a0cb38ad7b4a272c07aee92", 33106},
    FileDigest{"bbh-hyperbaton.jsonl", "3f611e1a9183887755f3c42b3020a13da2f0ae6d734fdf1a60370847f6d6f904", 8718},
    FileDigest{"bbh-navigate.jsonl", "d9bac3eaa545626798ebe94a79b5705c21f5b168ec1fea4465d2dbc7f0797048", 13031},
    FileDigest{"bbh-snarks.jsonl", "5cf32ab50351600bd39ab14f3b4b12f7b2d4001563ca196aaf23f091d6228d3c", 9459},
    FileDigest{"bbh-sports-understanding.jsonl", "b66f022e889f07d753a078e73fbb674a25aba3b26cab2fa9418ed1d7273c1bae", 4779},
    FileDigest{"gsm8k-test.jsonl", "dd9adc94229f252dc00eec0b9f91f80c273dc75a297cede4e23f4c80ab831efd", 249366},
    FileDigest{"gsm8k-train.jsonl", "c5b9bfa15fc6b7d0887b6a5365c20ca7ba2b1863d26d708b0ddf21395add923c", 1381220},
    FileDigest{"humaneval.jsonl", "b3665239b7220a456ca7bc7470e99807a33f99778cb0babd763f626bc9babc8d", 65321},
    FileDigest{"metamathqa-1024.jsonl", "a327b05773ab1b796885d71cf619ef80130e4dd4ac079ef14ed37f75c9b3fd96", 264782},
    FileDigest{"piqa-valid.jsonl", "cdd312f7c9ea49c0bc8b05a2e2b67250ddfc3939991d59882a08669f634d8f20", 100026},
    FileDigest{"pmc-instructions-1024.jsonl", "d23ac44da25185ad7a179ccfad2e6102ea187812c8ca0812375755b7d7b96648", 130242}),
    [](const auto& info) {
        std::string name = info.param.name;
        for (char& c : name) if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
        return name;
    });

TEST(SmolTokenizer, encodesTheJsonTestSuiteAsTransformers) {
    MOFO_REQUIRE_SMOL();
    MOFO_REQUIRE_SHARED();
    const auto tokenizer = smolTokenizer();
    ASSERT_OK(tokenizer);
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(sharedFolder() / "data" / "json-test-suite")) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    EncodingDigest digest(*tokenizer);
    int refused = 0;
    for (const auto& file : files) {
        const std::string text = readFile(file);
        if (tokenizer->encode(text, false).ok()) digest.add(text);
        else ++refused;
    }
    EXPECT_EQ(files.size() - static_cast<std::size_t>(refused), 293u);
    EXPECT_EQ(digest.tokens(), 252656u);
    EXPECT_EQ(digest.hex(), "6af3d8a99c4b5b39c8c44732bf6990f16f7e6db14e3564fce031cd3ecbec9919");
}

TEST(SmolTokenizer, encodesRandomUnicodeAsTransformers) {
    MOFO_REQUIRE_SMOL();
    const auto tokenizer = smolTokenizer();
    ASSERT_OK(tokenizer);
    std::uint64_t state = 12345;
    const auto next = [&] {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        return static_cast<char32_t>(state >> 33);
    };
    constexpr char32_t kSpaces[] = {9, 10, 11, 12, 13, 32, 32, 32, 0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x202F, 0x3000, 0x200B};
    EncodingDigest digest(*tokenizer);
    for (int i = 0; i < 5000; ++i) {
        std::string text;
        const char32_t length = 1 + next() % 40;
        for (char32_t n = 0; n < length; ++n) {
            const char32_t kind = next() % 8, value = next();
            const char32_t choices[] = {32 + value % 95, value % 128, 0x80 + value % 0x780, 0x800 + value % 0xD000, 0xE000 + value % 0x2000, 0x10000 + value % 0x100000, kSpaces[value % 16], 48 + value % 10};
            appendCodePoint(text, choices[kind]);
        }
        digest.add(text);
    }
    EXPECT_EQ(digest.tokens(), 198842u);
    EXPECT_EQ(digest.hex(), "cb596e0d9e536a73f3ecd5a8381d07ba9a7cb7ca3fca45194b93e5e7ee920d88");
}

TEST(SmolTokenizer, encodesEveryCodePointAsTransformers) {
    MOFO_REQUIRE_SMOL();
    const auto tokenizer = smolTokenizer();
    ASSERT_OK(tokenizer);
    EncodingDigest digest(*tokenizer);
    for (char32_t block = 0; block < 0x110000; block += 256) {
        if (block >= 0xD800 && block < 0xE000) continue;
        std::string text;
        for (char32_t c = block; c < block + 256; ++c) {
            text += 'a';
            appendCodePoint(text, c);
            text += ' ';
            appendCodePoint(text, c);
            text += '1';
        }
        digest.add(text);
    }
    EXPECT_EQ(digest.tokens(), 10965859u);
    EXPECT_EQ(digest.hex(), "9c7fff2aa2483720be6ed66ea37c5c495f889d9590a9f591494e88916ef50a25");
}

// T73..T75 and reliability.md, row 43: at most 1 s for a million of anything; counts from Transformers.
TEST(SmolTokenizer, takesAMillionOfOneCharacterInASecond) {
    MOFO_REQUIRE_SMOL();
    const auto tokenizer = smolTokenizer();
    ASSERT_OK(tokenizer);
    const std::pair<const char*, std::size_t> runs[] = {{"A", 125000}, {"0", 1000000}, {"^", 250000}, {" ", 15625}, {"\n", 250000}, {"\xCC\x81", 2000000}, {"\xF0\x9F\x98\x80", 3000000}, {"7", 1000000}};
    for (const auto& [character, tokens] : runs) {
        std::string text;
        for (int i = 0; i < 1'000'000; ++i) text += character;
        const std::clock_t start = std::clock();
        const auto encoding = tokenizer->encode(text, false);
        const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        ASSERT_OK(encoding);
        EXPECT_EQ(encoding->ids.size(), tokens) << character;
        EXPECT_LT(seconds, kSanitized ? 20.0 : 1.0) << character;
    }
}

TEST(SmolTokenizer, matchesTheGoldenRows) {
    MOFO_REQUIRE_SMOL();
    MOFO_REQUIRE_SHARED();
    const auto tokenizer = smolTokenizer();
    ASSERT_OK(tokenizer);
    const auto golden = parseJson(readFile(sharedFolder() / "reference" / "golden" / "smollm2-metamathqa-tokens.json"));
    ASSERT_OK(golden);
    ASSERT_EQ(golden->size(), 128u);
    const auto chatTemplate = chooseChatTemplate(*tokenizer, "");
    ASSERT_OK(chatTemplate);
    ASSERT_TRUE(*chatTemplate);
    EXPECT_EQ((*chatTemplate)->name(), "smollm2");
    const auto data = loadTokenDataset(sharedFolder() / "data" / "metamathqa-1024.jsonl", "", *tokenizer, &**chatTemplate, 0);
    ASSERT_OK(data);
    EXPECT_EQ(data->rows.size(), 1024u);
    EXPECT_EQ(data->sha256, "53a20824084319bb8187bb3a3cfef0d1dc1699cfa1368574cc28fc123a269b23");
    for (std::size_t i = 0; i < golden->size(); ++i) {
        const TokenRow& row = data->rows[i];
        SCOPED_TRACE(i);
        EXPECT_EQ(row.ids.size(), (*golden)[i]["tokens"].get<std::size_t>());
        EXPECT_EQ(std::count(row.trained.begin(), row.trained.end(), 1), (*golden)[i]["trained"].get<std::int64_t>());
        EXPECT_EQ(sha256Hex(joinNumbers(row.ids)), (*golden)[i]["sha256"].get<std::string>());
    }
}

TEST(SmolTokenizer, isTheSameFromItsOwnHfFiles) {
    MOFO_REQUIRE_SMOL();
    const auto tokenizer = smolTokenizer();
    ASSERT_OK(tokenizer);
    const TemporaryFolder folder;
    ASSERT_OK(tokenizer->writeHfFiles(folder.path()));
    const auto again = Tokenizer::fromHfFolder(folder.path());
    ASSERT_OK(again);
    EXPECT_EQ(again->sha256(), tokenizer->sha256());
    EXPECT_EQ(again->chatTemplateText(), tokenizer->chatTemplateText());
    EXPECT_EQ(again->bosId(), tokenizer->bosId());
    EXPECT_EQ(again->eosId(), tokenizer->eosId());
    EXPECT_EQ(again->padId(), tokenizer->padId());
    EXPECT_TRUE(again->warnings().empty()) << again->warnings().front();
    const std::string text = "It's 2024: <|im_start|>\xE6\x97\xA5\xE6\x9C\xAC  \n\tx<|im_end|>";
    EXPECT_EQ(again->encode(text, true)->ids, tokenizer->encode(text, true)->ids);
}

}  // namespace
}  // namespace mofo::test
