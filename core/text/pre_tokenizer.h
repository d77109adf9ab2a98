// Cuts text into the words that byte pair encoding works on.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/text/regex_pattern.h"

namespace mofo {

/// Bytes [begin, end) of a text.
struct TextSpan {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

/// What happens with the parts that match, as tokenizers' SplitDelimiterBehavior.
enum class SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

/// Digits one by one, or runs of digits, each a word of its own.
struct DigitsStep {
    bool individual = false;
};

/// Split by a pattern. The patterns of GPT-2, of Llama 3 (digits in threes) and of Qwen 2 (digits one by one) have splitters of their own,
/// linear in the text; any other is PCRE2's.
struct SplitStep {
    enum class Splitter { Gpt2, Llama3, Qwen2, Literal, Regex };
    Splitter splitter = Splitter::Regex;
    std::string literal;                        ///< Splitter::Literal
    std::shared_ptr<const RegexPattern> regex;  ///< Splitter::Regex
    SplitBehavior behavior = SplitBehavior::Isolated;
    bool invert = false;
};

using PreTokenizerStep = std::variant<DigitsStep, SplitStep>;

/// The pattern texts that have splitters of their own.
extern const std::string_view kGpt2Pattern;
extern const std::string_view kLlama3Pattern;
extern const std::string_view kQwen2Pattern;

/// A split step for a pattern of tokenizer.json. Refusals as RegexPattern::compile.
Result<SplitStep> makeRegexSplit(std::string_view pattern, SplitBehavior behavior, bool invert);

struct PreTokenizerScratch {
    std::vector<TextSpan> spans;  ///< the words
    std::vector<TextSpan> next;
    std::vector<std::pair<TextSpan, bool>> parts;
    RegexScratch regex;
};

/// Fills scratch.spans with the non-empty words of `text` (valid UTF-8, below 4 GiB) in order. Steps see one word at a time.
Result<void> preTokenize(std::span<const PreTokenizerStep> steps, std::string_view text, PreTokenizerScratch& scratch);

}  // namespace mofo
