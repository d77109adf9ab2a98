// Tokenizers of GGUF files: pre-tokenizers by name, special tokens, and the malformed ones of reliability.md, corpus G (G66..G76).
#include <gtest/gtest.h>

#include <functional>

#include "core/tensorio/gguf.h"
#include "core/text/byte_alphabet.h"
#include "core/text/tokenizer.h"
#include "tests/core/tensorio/builders.h"
#include "tests/core/text/text_test_support.h"

namespace mofo::test {
namespace {

std::string int32s(const std::vector<std::int32_t>& values) {
    std::string bytes;
    for (const std::int32_t value : values) bytes += raw(value);
    return bytes;
}

struct GgufTokenizer {
    std::string model = "gpt2";
    std::optional<std::string> pre = "smollm";
    std::vector<std::string> tokens;
    std::vector<std::int32_t> types;
    std::vector<std::string> merges;
    std::function<void(GgufBuilder&)> more;

    /// All bytes, then two merged tokens, then <s> (control), <u> (user defined).
    GgufTokenizer() {
        for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(alphabetCharacter(static_cast<std::uint8_t>(byte)));
        for (const char* token : {"ab", "12", "<s>", "<u>"}) tokens.emplace_back(token);
        types.assign(tokens.size(), 1);
        types[258] = 3;
        types[259] = 4;
        merges = {"a b", "1 2"};
    }
    [[nodiscard]] Result<Tokenizer> load(const TemporaryFolder& folder) const {
        GgufBuilder file;
        file.text("general.architecture", "llama").text("tokenizer.ggml.model", model);
        if (pre) file.text("tokenizer.ggml.pre", *pre);
        if (!tokens.empty()) file.strings("tokenizer.ggml.tokens", tokens);
        if (!types.empty()) file.array("tokenizer.ggml.token_type", ggufI32, types.size(), int32s(types));
        file.strings("tokenizer.ggml.merges", merges);
        if (more) more(file);
        file.tensor("t", {8}, 0, zeros(32));
        writeFile(folder / "m.gguf", file.build());
        MOFO_TRY(const GgufFile gguf, GgufFile::open(folder / "m.gguf"));
        return Tokenizer::fromGguf(gguf);
    }
};

TEST(GgufTokenizers, splitAsTheNamedPreTokenizerSays) {
    const TemporaryFolder folder;
    GgufTokenizer file;
    const auto ids = [&](const char* pre) {
        file.pre = pre;
        const auto tokenizer = file.load(folder);
        EXPECT_OK(tokenizer);
        return tokenizer.ok() ? tokenizer->encode("ab12<s>ab<u>", false)->ids : std::vector<TokenId>();
    };
    EXPECT_EQ(ids("smollm"), (std::vector<TokenId>{256, '1', '2', 258, 256, 259}));
    EXPECT_EQ(ids("gpt-2"), (std::vector<TokenId>{256, 257, 258, 256, 259}));
    EXPECT_EQ(ids("llama-bpe"), (std::vector<TokenId>{256, 257, 258, 256, 259}));
}

TEST(GgufTokenizers, takeWholeWordsAndBosForLlama3) {
    const TemporaryFolder folder;
    GgufTokenizer file;
    file.pre = "llama-bpe";
    file.tokens.push_back("zebra");
    file.types.push_back(1);
    file.more = [](GgufBuilder& gguf) { gguf.u32("tokenizer.ggml.bos_token_id", 258).u32("tokenizer.ggml.eos_token_id", 259); };
    const auto tokenizer = file.load(folder);
    ASSERT_OK(tokenizer);
    EXPECT_EQ(tokenizer->encode("zebra", true)->ids, (std::vector<TokenId>{258, 260}));
    EXPECT_EQ(tokenizer->encode("zebra", false)->ids, (std::vector<TokenId>{260}));
    EXPECT_EQ(tokenizer->bosId(), 258);
    // A token with a role is special, whatever its type.
    EXPECT_TRUE(tokenizer->isSpecial(259));
    // What it writes for Transformers says the same.
    const TemporaryFolder hf;
    ASSERT_OK(tokenizer->writeHfFiles(hf.path()));
    const auto again = Tokenizer::fromHfFolder(hf.path());
    ASSERT_OK(again);
    EXPECT_EQ(again->sha256(), tokenizer->sha256());
    EXPECT_EQ(again->encode("zebra 123 IT'S<u>", true)->ids, tokenizer->encode("zebra 123 IT'S<u>", true)->ids);
}

TEST(GgufTokenizers, obeyAddBosAndAddEos) {
    const TemporaryFolder folder;
    GgufTokenizer file;
    file.more = [](GgufBuilder& gguf) {
        gguf.u32("tokenizer.ggml.bos_token_id", 258).u32("tokenizer.ggml.eos_token_id", 259).pair("tokenizer.ggml.add_bos_token", ggufBool, "\x01").pair("tokenizer.ggml.add_eos_token", ggufBool, "\x01");
    };
    const auto tokenizer = file.load(folder);
    ASSERT_OK(tokenizer);
    EXPECT_EQ(tokenizer->encode("ab", true)->ids, (std::vector<TokenId>{258, 256, 259}));
}

struct Case {
    const char* id;
    const char* tag;
    std::function<void(GgufTokenizer&)> change;
};

void PrintTo(const Case& item, std::ostream* out) { *out << item.id << " expects " << item.tag; }

class GgufTokenizerCorpus : public testing::TestWithParam<Case> {};

TEST_P(GgufTokenizerCorpus, isRefusedByName) {
    const TemporaryFolder folder;
    GgufTokenizer file;
    GetParam().change(file);
    const auto tokenizer = file.load(folder);
    ASSERT_FALSE(tokenizer.ok());
    EXPECT_EQ(tokenizer.error().tag, GetParam().tag) << tokenizer.error().text();
    EXPECT_NE(tokenizer.error().text().find("m.gguf"), std::string::npos) << tokenizer.error().text();
    EXPECT_NE(tokenizer.error().text().find("tokenizer.ggml"), std::string::npos) << tokenizer.error().text();
}

const Case kCases[] = {
    {"pre_unknown", "DTYPE", [](GgufTokenizer& f) { f.pre = "qwen9"; }},
    {"model_llama", "DTYPE", [](GgufTokenizer& f) { f.model = "llama"; }},
    {"model_bert", "DTYPE", [](GgufTokenizer& f) { f.model = "bert"; }},
    {"G66", "MISSING", [](GgufTokenizer& f) { f.tokens.clear(); }},
    {"G67", "TYPE", [](GgufTokenizer& f) { f.tokens.clear(); f.more = [](GgufBuilder& g) { g.array("tokenizer.ggml.tokens", ggufU8, 3, "abc"); }; }},
    {"G68", "RANGE", [](GgufTokenizer& f) { f.tokens.clear(); f.more = [](GgufBuilder& g) { g.strings("tokenizer.ggml.tokens", {}); }; }},
    {"G69", "SIZE", [](GgufTokenizer& f) { f.more = [](GgufBuilder& g) { g.array("tokenizer.ggml.scores", ggufF32, 2, raw(1.0f) + raw(2.0f)); }; }},
    {"G70", "SIZE", [](GgufTokenizer& f) { f.types.resize(7); }},
    {"G71", "RANGE", [](GgufTokenizer& f) { f.tokens.emplace_back("<0x-1>"); f.types.push_back(6); }},
    {"G72", "RANGE", [](GgufTokenizer& f) { f.tokens.emplace_back("<0xZZ>"); f.types.push_back(6); }},
    {"G73", "RANGE", [](GgufTokenizer& f) { f.more = [](GgufBuilder& g) { g.u32("tokenizer.ggml.bos_token_id", 260); }; }},
    {"G74", "REF", [](GgufTokenizer& f) { f.merges.emplace_back("ab"); }},
    {"G74b", "REF", [](GgufTokenizer& f) { f.merges.emplace_back("a "); }},
    {"G74c", "REF", [](GgufTokenizer& f) { f.merges.emplace_back("a zz"); }},
    {"G76", "LIMIT", [](GgufTokenizer& f) { f.tokens.emplace_back(64u << 20, 'x'); f.types.push_back(1); }},
};

INSTANTIATE_TEST_SUITE_P(G, GgufTokenizerCorpus, testing::ValuesIn(kCases), [](const auto& info) { return std::string(info.param.id); });

TEST(GgufTokenizers, G75WarnOfTokensThatStandTwice) {
    const TemporaryFolder folder;
    GgufTokenizer file;
    file.tokens.emplace_back("ab");
    file.types.push_back(1);
    const auto tokenizer = file.load(folder);
    ASSERT_OK(tokenizer);
    ASSERT_FALSE(tokenizer->warnings().empty());
    EXPECT_EQ(tokenizer->encode("ab", false)->ids, (std::vector<TokenId>{260}));
}

TEST(GgufTokenizers, G32TakeTokensThatAreNotUtf8AsBytes) {
    const TemporaryFolder folder;
    GgufTokenizer file;
    file.tokens.emplace_back("\xFF\xFE");
    file.types.push_back(1);
    const auto tokenizer = file.load(folder);
    ASSERT_OK(tokenizer);
    EXPECT_EQ(tokenizer->piece(260), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(GgufTokenizers, sayThatGpt2IsTakenWhereNoPreTokenizerIsNamed) {
    const TemporaryFolder folder;
    GgufTokenizer file;
    file.pre.reset();
    const auto tokenizer = file.load(folder);
    ASSERT_OK(tokenizer);
    EXPECT_EQ(tokenizer->warnings().size(), 1u);
    EXPECT_EQ(tokenizer->encode("12", false)->ids, (std::vector<TokenId>{257}));
}

}  // namespace
}  // namespace mofo::test
