#include "core/text/regex_pattern.h"

#include <gtest/gtest.h>

#include "core/text/normalizer.h"
#include "core/text/pre_tokenizer.h"
#include "tests/core/text/text_test_support.h"

namespace mofo::test {
namespace {

std::vector<std::string> matches(std::string_view pattern, std::string_view text) {
    const auto regex = RegexPattern::compile(pattern);
    if (!regex.ok()) return {regex.error().text()};
    RegexScratch scratch;
    std::vector<std::string> found;
    const auto done = regex->forEachMatch(text, scratch, [&](std::size_t begin, std::size_t end) { found.emplace_back(text.substr(begin, end - begin)); });
    if (!done.ok()) return {done.error().text()};
    return found;
}

TEST(RegexPattern, matchesAsOniguruma) {
    EXPECT_EQ(matches(R"(\p{L}+|\p{N})", "ab1\xC3\xA9"), (std::vector<std::string>{"ab", "1", "\xC3\xA9"}));
    // U+180E is no white space to Oniguruma; U+0085 is.
    EXPECT_EQ(matches(R"(\s)", "\xE1\xA0\x8E\xC2\x85"), (std::vector<std::string>{"\xC2\x85"}));
    // \w takes combining marks.
    EXPECT_EQ(matches(R"(\w+)", "e\xCC\x81x y"), (std::vector<std::string>{"e\xCC\x81x", "y"}));
    EXPECT_EQ(matches(R"([\w-]+)", "a-\xCC\x81 y"), (std::vector<std::string>{"a-\xCC\x81", "y"}));
    EXPECT_EQ(matches(R"(^a|b$)", "a\na b\nb"), (std::vector<std::string>{"a", "a", "b", "b"}));
    // Empty matches: one in each place where none has just ended.
    EXPECT_EQ(matches("x*", "axb"), (std::vector<std::string>{"", "x", ""}));
}

TEST(RegexPattern, refusesWhatTheTwoReadDifferently) {
    for (const char* pattern : {R"(\h)", R"(\bx)", "(?m).", "(?s).", "[a[bc]]", "[a&&b]", R"(\K)", "(*UTF)", "(?R)", "a{1,2}+", "(?(1)a)", "", "(", "[", "\\", "\xFF"}) {
        const auto regex = RegexPattern::compile(pattern);
        ASSERT_FALSE(regex.ok()) << pattern;
        EXPECT_EQ(regex.error().tag, "REGEX") << pattern;
    }
}

TEST(RegexPattern, stopsAtItsLimits) {
    RegexScratch scratch;
    const auto regex = RegexPattern::compile("(x+x+)+(?=[yz])");
    ASSERT_OK(regex);
    const auto done = regex->forEachMatch(std::string(5000, 'x'), scratch, [](std::size_t, std::size_t) {});
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().tag, "REGEX");
    // The scratch serves on.
    int count = 0;
    ASSERT_OK(regex->forEachMatch("xxz", scratch, [&](std::size_t, std::size_t) { ++count; }));
    EXPECT_EQ(count, 1);
}

TEST(PreTokenizer, hasSplittersForTheKnownPatternsThatEqualPcre2) {
    // The same pattern through PCRE2: an outer group keeps it from being recognised. Letters, digits and spaces only, where the two
    // know the same Unicode.
    std::uint64_t state = 99;
    const auto next = [&] { return static_cast<char32_t>((state = state * 6364136223846793005ull + 1442695040888963407ull) >> 33); };
    const std::u32string pool = U"abzAZs tremvld'SREMVLD \u017F\n\r\t  0123\u0661\u00B2!?.-\u00E9\u00A0\u3000\u65E5";
    for (const std::string_view pattern : {kGpt2Pattern, kLlama3Pattern, kQwen2Pattern}) {
        const auto own = makeRegexSplit(pattern, SplitBehavior::Isolated, false);
        const auto through = makeRegexSplit("(?:" + std::string(pattern) + ")", SplitBehavior::Isolated, false);
        ASSERT_OK(own);
        ASSERT_OK(through);
        ASSERT_NE(own->splitter, SplitStep::Splitter::Regex);
        ASSERT_EQ(through->splitter, SplitStep::Splitter::Regex);
        PreTokenizerScratch a, b;
        for (int i = 0; i < 4000; ++i) {
            std::string text;
            for (char32_t n = next() % 20; n > 0; --n) appendCodePoint(text, pool[next() % pool.size()]);
            const PreTokenizerStep ownStep = *own, throughStep = *through;
            ASSERT_OK(preTokenize(std::span(&ownStep, 1), text, a));
            ASSERT_OK(preTokenize(std::span(&throughStep, 1), text, b));
            ASSERT_EQ(a.spans.size(), b.spans.size()) << text;
            for (std::size_t s = 0; s < a.spans.size(); ++s) ASSERT_EQ(a.spans[s].end, b.spans[s].end) << text;
        }
    }
}

TEST(PreTokenizer, cutsAsTheBehavioursSay) {
    const auto cut = [](SplitBehavior behavior, bool invert) {
        SplitStep step;
        step.splitter = SplitStep::Splitter::Literal;
        step.literal = "-";
        step.behavior = behavior;
        step.invert = invert;
        const PreTokenizerStep asStep = step;
        PreTokenizerScratch scratch;
        const std::string text = "the-final--countdown";
        EXPECT_OK(preTokenize(std::span(&asStep, 1), text, scratch));
        std::string out;
        for (const TextSpan span : scratch.spans) out += "[" + text.substr(span.begin, span.end - span.begin) + "]";
        return out;
    };
    EXPECT_EQ(cut(SplitBehavior::Removed, false), "[the][final][countdown]");
    EXPECT_EQ(cut(SplitBehavior::Removed, true), "[-][-][-]");
    EXPECT_EQ(cut(SplitBehavior::Isolated, false), "[the][-][final][-][-][countdown]");
    EXPECT_EQ(cut(SplitBehavior::MergedWithPrevious, false), "[the-][final-][-][countdown]");
    EXPECT_EQ(cut(SplitBehavior::MergedWithNext, false), "[the][-final][-][-countdown]");
    EXPECT_EQ(cut(SplitBehavior::Contiguous, false), "[the][-][final][--][countdown]");
}

TEST(Normalizer, composesAndKeepsTrackOfPlaces) {
    const AlignedText text = normalizeNfc("ae\xCC\x81\xE1\x84\x80\xE1\x85\xA1z");
    EXPECT_EQ(text.text, "a\xC3\xA9\xEA\xB0\x80z");
    // The composed character stands for the first one of its parts, as in tokenizers' alignment.
    EXPECT_EQ(joinNumbers(text.begin), "0 1 1 4 4 4 10");
    EXPECT_EQ(joinNumbers(text.end), "1 2 2 7 7 7 11");
    EXPECT_EQ(normalizeNfc("\xE2\x84\xAB\xCD\x84").text, "\xC3\x85\xCC\x88\xCC\x81");
    EXPECT_EQ(normalizeNfc("").text, "");
    EXPECT_TRUE(isSurelyNfc("plain \xC3\xA9"));
    EXPECT_FALSE(isSurelyNfc("e\xCC\x81"));
}

}  // namespace
}  // namespace mofo::test
