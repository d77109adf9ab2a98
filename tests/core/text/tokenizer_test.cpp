// Tiny tokenizers of every rule this build reads, against what Hugging Face's tokenizers make of the same texts
// (data/make_tiny_tokenizers.py).
#include <gtest/gtest.h>

#include <thread>

#include "core/base/json.h"
#include "core/text/tokenizer.h"
#include "tests/core/text/text_test_support.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;

class TinyTokenizers : public testing::TestWithParam<const char*> {};

TEST_P(TinyTokenizers, equalHuggingFace) {
    const auto tokenizer = Tokenizer::fromHfFolder(textData() / GetParam());
    ASSERT_OK(tokenizer);
    const auto cases = parseJson(readFile(textData() / GetParam() / "expected.json"));
    ASSERT_OK(cases);
    ASSERT_GT(cases->size(), 80u);
    for (const Json& item : *cases) {
        const auto text = item["text"].get<std::string>();
        SCOPED_TRACE(item["text"].dump());
        const auto encoding = tokenizer->encode(text, true);
        ASSERT_OK(encoding);
        EXPECT_EQ(Json(encoding->ids), item["ids"]);
        EXPECT_EQ(Json(encoding->begin), item["begin"]);
        EXPECT_EQ(Json(encoding->end), item["end"]);
        EXPECT_EQ(tokenizer->decode(encoding->ids, false), item["decoded"].get<std::string>());
        EXPECT_EQ(tokenizer->decode(encoding->ids, true), item["plain"].get<std::string>());
    }
}

TEST_P(TinyTokenizers, areWrittenBackByteForByte) {
    const auto tokenizer = Tokenizer::fromHfFolder(textData() / GetParam());
    ASSERT_OK(tokenizer);
    const TemporaryFolder folder;
    ASSERT_OK(tokenizer->writeHfFiles(folder.path()));
    EXPECT_EQ(readFile(folder / "tokenizer.json"), readFile(textData() / GetParam() / "tokenizer.json"));
    const auto again = Tokenizer::fromHfFolder(folder.path());
    ASSERT_OK(again);
    EXPECT_EQ(again->sha256(), tokenizer->sha256());
}

INSTANTIATE_TEST_SUITE_P(All, TinyTokenizers, testing::Values("llama3", "qwen2_nfc", "cl100k", "gpt2_prefix", "smollm_gaps"), [](const auto& info) { return std::string(info.param); });

TEST(Tokenizer, addsBosOnlyWhereAsked) {
    const auto tokenizer = Tokenizer::fromHfFolder(textData() / "llama3");
    ASSERT_OK(tokenizer);
    const auto bos = tokenizer->idOf("<|begin_of_text|>");
    ASSERT_TRUE(bos);
    EXPECT_EQ(tokenizer->encode("hi", true)->ids.front(), *bos);
    EXPECT_NE(tokenizer->encode("hi", false)->ids.front(), *bos);
    // Without special tokens the text's own still count.
    EXPECT_EQ(tokenizer->encode("<|begin_of_text|>hi", false)->ids.front(), *bos);
    EXPECT_TRUE(tokenizer->spellsSpecialToken("a<|begin_of_text|>b"));
    EXPECT_FALSE(tokenizer->spellsSpecialToken("a<|begin_of_text|b"));
    EXPECT_TRUE(tokenizer->isSpecial(*bos));
    EXPECT_FALSE(tokenizer->isSpecial(bos.value() + 300));
}

TEST(Tokenizer, refusesTextThatIsNotUtf8) {
    const auto tokenizer = Tokenizer::fromHfFolder(textData() / "smollm_gaps");
    ASSERT_OK(tokenizer);
    for (const char* text : {"\xFF", "a\xC0\x80", "\xED\xA0\x80", "\xE3\x81"}) {
        const auto encoding = tokenizer->encode(text, false);
        ASSERT_FALSE(encoding.ok());
        EXPECT_EQ(encoding.error().tag, "UTF8");
    }
}

TEST(Tokenizer, decodesEveryByteAndReplacesWhatIsNoText) {
    const auto tokenizer = Tokenizer::fromHfFolder(textData() / "cl100k");
    ASSERT_OK(tokenizer);
    const auto id = [&](const char* spelling) { return tokenizer->idOf(spelling).value_or(-1); };
    // U+00F0 and U+0141 spell the bytes F0 and 9F: a character cut off is one U+FFFD, as in the Unicode standard.
    const std::vector<TokenId> cut = {id("ð"), id("Ł"), id("a")};
    EXPECT_EQ(tokenizer->decode(cut, false), "\xEF\xBF\xBD" "a");
    const std::vector<TokenId> alone = {id("Ł"), id("Ł")};
    EXPECT_EQ(tokenizer->decode(alone, false), "\xEF\xBF\xBD\xEF\xBF\xBD");
    const std::vector<TokenId> unknown = {-1, 1 << 30, id("a")};
    EXPECT_EQ(tokenizer->decode(unknown, false), "a");
}

TEST(Tokenizer, encodesAlikeFromManyThreads) {
    const auto tokenizer = Tokenizer::fromHfFolder(textData() / "llama3");
    ASSERT_OK(tokenizer);
    const std::string text = "Natalia sold 48 clips to her friends in April, and then she sold half as many. She'd said it's 24!\n";
    const auto expected = tokenizer->encode(text, true);
    ASSERT_OK(expected);
    std::vector<std::thread> threads;
    std::atomic<int> different = 0;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                const auto encoding = tokenizer->encode(text, true);
                if (!encoding.ok() || encoding->ids != expected->ids) ++different;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(different, 0);
}

TEST(Tokenizer, takesTheSpecialTokensOfTheConfig) {
    const TemporaryFolder folder;
    writeFile(folder / "tokenizer.json", readFile(textData() / "gpt2_prefix" / "tokenizer.json"));
    writeFile(folder / "tokenizer_config.json", R"({"bos_token": "<|begin_of_text|>", "eos_token": {"content": "<|im_end|>", "special": true}, "pad_token": "!",
        "add_bos_token": true, "chat_template": [{"name": "tools", "template": "x"}, {"name": "default", "template": "{{ messages }}"}]})");
    const auto tokenizer = Tokenizer::fromHfFolder(folder.path());
    ASSERT_OK(tokenizer);
    EXPECT_EQ(tokenizer->bosId(), tokenizer->idOf("<|begin_of_text|>"));
    EXPECT_EQ(tokenizer->eosId(), tokenizer->idOf("<|im_end|>"));
    // "!" is an ordinary token of the vocabulary; having a role makes it special, as in Transformers.
    EXPECT_EQ(tokenizer->padId(), tokenizer->idOf("!"));
    EXPECT_TRUE(tokenizer->isSpecial(*tokenizer->padId()));
    EXPECT_EQ(tokenizer->chatTemplateText(), "{{ messages }}");
    // Transformers 5 ignores add_bos_token beside a tokenizer.json: the post-processor decides.
    EXPECT_NE(tokenizer->encode("a", true)->ids.front(), *tokenizer->bosId());
    // A file of its own wins over the config.
    writeFile(folder / "chat_template.jinja", "{{ other }}");
    EXPECT_EQ(Tokenizer::fromHfFolder(folder.path())->chatTemplateText(), "{{ other }}");
}

TEST(Tokenizer, readsTheOlderSpecialTokensMap) {
    const TemporaryFolder folder;
    writeFile(folder / "tokenizer.json", readFile(textData() / "cl100k" / "tokenizer.json"));
    writeFile(folder / "special_tokens_map.json", R"({"eos_token": {"content": "<|im_end|>", "lstrip": false}})");
    const auto tokenizer = Tokenizer::fromHfFolder(folder.path());
    ASSERT_OK(tokenizer);
    EXPECT_EQ(tokenizer->eosId(), tokenizer->idOf("<|im_end|>"));
}

}  // namespace
}  // namespace mofo::test
