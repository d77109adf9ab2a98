#include "core/text/pre_tokenizer.h"

#include <algorithm>

#include "core/text/unicode_classes.h"

namespace mofo {

const std::string_view kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const std::string_view kLlama3Pattern = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string_view kQwen2Pattern = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

/// Walks over the characters of a text with their classes.
class Cursor {
public:
    explicit Cursor(std::string_view text) : m_text(text) {}
    [[nodiscard]] std::size_t size() const { return m_text.size(); }
    /// Classes of the character at `at`; 0 at the end.
    [[nodiscard]] std::uint8_t classes(std::size_t at) const { return at < m_text.size() ? classesOf(decodeAt(m_text, at).codePoint) : 0; }
    [[nodiscard]] std::size_t after(std::size_t at) const { return at + decodeAt(m_text, at).length; }
    [[nodiscard]] char byte(std::size_t at) const { return at < m_text.size() ? m_text[at] : '\0'; }
    [[nodiscard]] bool is(std::size_t at, std::uint8_t wanted) const { return (classes(at) & wanted) != 0; }
    /// Neither space, letter nor number; false at the end.
    [[nodiscard]] bool isOther(std::size_t at) const { return at < m_text.size() && !is(at, kSpace | kLetter | kNumber); }
    [[nodiscard]] bool isLineBreak(std::size_t at) const { return byte(at) == '\n' || byte(at) == '\r'; }
    /// First position from `at` on whose character has none of the classes.
    [[nodiscard]] std::size_t skip(std::size_t at, std::uint8_t classesToSkip) const {
        while (at < m_text.size() && is(at, classesToSkip)) at = after(at);
        return at;
    }
    [[nodiscard]] std::size_t skipOther(std::size_t at) const {
        while (isOther(at)) at = after(at);
        return at;
    }
    /// End of `\s+(?!\S)|\s+` at a run of spaces [at, runEnd): the last space stays with the word behind it.
    [[nodiscard]] std::size_t spacesEnd(std::size_t at, std::size_t runEnd) const {
        if (runEnd == m_text.size()) return runEnd;
        const std::size_t last = runEnd - decodeBefore(m_text, runEnd).length;
        return last > at ? last : runEnd;
    }
    [[nodiscard]] std::string_view rest(std::size_t at) const { return m_text.substr(at); }

private:
    std::string_view m_text;
};

/// Length of 's 't 're 've 'm 'll 'd at `at`, or 0. Folding case, U+017F counts as s (Oniguruma does so).
std::size_t contractionLength(const Cursor& text, std::size_t at, bool foldCase) {
    if (text.byte(at) != '\'') return 0;
    const auto lower = [&](char c) { return foldCase && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    const char first = lower(text.byte(at + 1));
    const char second = lower(text.byte(at + 2));
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) return 3;
    if (foldCase && text.rest(at + 1).starts_with("\xC5\xBF")) return 3;
    return 0;
}

std::size_t gpt2Match(const Cursor& text, std::size_t at) {
    if (const std::size_t length = contractionLength(text, at, false); length != 0) return at + length;
    const std::size_t word = text.byte(at) == ' ' ? at + 1 : at;
    if (text.is(word, kLetter)) return text.skip(word, kLetter);
    if (text.is(word, kNumber)) return text.skip(word, kNumber);
    if (text.isOther(word)) return text.skipOther(word);
    return text.spacesEnd(at, text.skip(at, kSpace));
}

std::size_t llama3Match(const Cursor& text, std::size_t at, int digits) {
    if (const std::size_t length = contractionLength(text, at, true); length != 0) return at + length;
    const std::uint8_t first = text.classes(at);
    if ((first & kLetter) != 0) return text.skip(at, kLetter);
    if ((first & kNumber) == 0 && !text.isLineBreak(at) && text.is(text.after(at), kLetter)) return text.skip(text.after(at), kLetter);
    if ((first & kNumber) != 0) {
        for (int i = 0; i < digits && text.is(at, kNumber); ++i) at = text.after(at);
        return at;
    }
    if (const std::size_t other = text.byte(at) == ' ' ? at + 1 : at; text.isOther(other)) {
        at = text.skipOther(other);
        while (text.isLineBreak(at)) ++at;
        return at;
    }
    // Spaces: through the last line break of the run if there is one, else as in GPT-2.
    std::size_t runEnd = at;
    std::size_t afterBreak = 0;
    while (text.is(runEnd, kSpace)) {
        const bool isBreak = text.isLineBreak(runEnd);
        runEnd = text.after(runEnd);
        if (isBreak) afterBreak = runEnd;
    }
    return afterBreak != 0 ? afterBreak : text.spacesEnd(at, runEnd);
}

using Parts = std::vector<std::pair<TextSpan, bool>>;

/// The text as parts that match and parts between them, in order and without gaps.
class PartCollector {
public:
    PartCollector(Parts& parts, std::uint32_t base) : m_parts(parts), m_base(base) { m_parts.clear(); }
    void match(std::size_t begin, std::size_t end) {
        if (begin != m_done) push(m_done, begin, false);
        push(begin, end, true);
        m_done = end;
    }
    void finish(std::size_t size) {
        if (m_done != size) push(m_done, size, false);
    }

private:
    void push(std::size_t begin, std::size_t end, bool isMatch) {
        m_parts.push_back({{m_base + static_cast<std::uint32_t>(begin), m_base + static_cast<std::uint32_t>(end)}, isMatch});
    }
    Parts& m_parts;
    std::uint32_t m_base;
    std::size_t m_done = 0;
};

Result<void> collectParts(const SplitStep& step, std::string_view word, std::uint32_t base, PreTokenizerScratch& scratch) {
    PartCollector collector(scratch.parts, base);
    switch (step.splitter) {
        case SplitStep::Splitter::Literal:
            for (std::size_t at = word.find(step.literal); at != std::string_view::npos; at = word.find(step.literal, at + step.literal.size())) {
                collector.match(at, at + step.literal.size());
            }
            break;
        case SplitStep::Splitter::Regex:
            MOFO_CHECK(step.regex->forEachMatch(word, scratch.regex, [&](std::size_t begin, std::size_t end) { collector.match(begin, end); }));
            break;
        default: {
            const Cursor text(word);
            for (std::size_t at = 0; at < word.size();) {
                const std::size_t end = step.splitter == SplitStep::Splitter::Gpt2 ? gpt2Match(text, at) : llama3Match(text, at, step.splitter == SplitStep::Splitter::Llama3 ? 3 : 1);
                collector.match(at, end);
                at = end;
            }
        }
    }
    collector.finish(word.size());
    return {};
}

void collectDigits(std::string_view word, std::uint32_t base, PreTokenizerScratch& scratch) {
    PartCollector collector(scratch.parts, base);
    for (std::size_t at = 0; at < word.size();) {
        const DecodedCodePoint c = decodeAt(word, at);
        if ((classesOf(c.codePoint) & kNumeric) != 0) collector.match(at, at + c.length);
        at += c.length;
    }
    collector.finish(word.size());
}

void emit(std::vector<TextSpan>& out, TextSpan span) {
    if (span.begin < span.end) out.push_back(span);
}

/// tokenizers' NormalizedString::split: what each behaviour makes of the parts.
void applyBehavior(const Parts& parts, SplitBehavior behavior, bool invert, std::vector<TextSpan>& out) {
    const auto isMatch = [&](const std::pair<TextSpan, bool>& part) { return part.second != invert; };
    switch (behavior) {
        case SplitBehavior::Isolated:
            for (const auto& part : parts) emit(out, part.first);
            return;
        case SplitBehavior::Removed:
            for (const auto& part : parts) {
                if (!isMatch(part)) emit(out, part.first);
            }
            return;
        case SplitBehavior::Contiguous:
        case SplitBehavior::MergedWithPrevious: {
            bool previous = false;
            bool any = false;
            TextSpan open;
            for (const auto& part : parts) {
                const bool match = isMatch(part);
                const bool joins = behavior == SplitBehavior::Contiguous ? match == previous : match && !previous;
                if (any && joins) {
                    open.end = part.first.end;
                } else {
                    if (any) emit(out, open);
                    open = part.first;
                    any = true;
                }
                previous = match;
            }
            if (any) emit(out, open);
            return;
        }
        case SplitBehavior::MergedWithNext: {
            const std::size_t first = out.size();
            bool previous = false;
            bool any = false;
            TextSpan open;
            for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
                const bool match = isMatch(*part);
                if (any && match && !previous) {
                    open.begin = part->first.begin;
                } else {
                    if (any) emit(out, open);
                    open = part->first;
                    any = true;
                }
                previous = match;
            }
            if (any) emit(out, open);
            std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
            return;
        }
    }
}

}  // namespace

Result<SplitStep> makeRegexSplit(std::string_view pattern, SplitBehavior behavior, bool invert) {
    SplitStep step;
    step.behavior = behavior;
    step.invert = invert;
    if (pattern == kGpt2Pattern) {
        step.splitter = SplitStep::Splitter::Gpt2;
    } else if (pattern == kLlama3Pattern) {
        step.splitter = SplitStep::Splitter::Llama3;
    } else if (pattern == kQwen2Pattern) {
        step.splitter = SplitStep::Splitter::Qwen2;
    } else {
        MOFO_TRY(RegexPattern regex, RegexPattern::compile(pattern));
        step.regex = std::make_shared<const RegexPattern>(std::move(regex));
    }
    return step;
}

Result<void> preTokenize(std::span<const PreTokenizerStep> steps, std::string_view text, PreTokenizerScratch& scratch) {
    scratch.spans.clear();
    emit(scratch.spans, {0, static_cast<std::uint32_t>(text.size())});
    for (const PreTokenizerStep& step : steps) {
        scratch.next.clear();
        for (const TextSpan span : scratch.spans) {
            const std::string_view word = text.substr(span.begin, span.end - span.begin);
            if (const auto* digits = std::get_if<DigitsStep>(&step)) {
                collectDigits(word, span.begin, scratch);
                applyBehavior(scratch.parts, digits->individual ? SplitBehavior::Isolated : SplitBehavior::Contiguous, false, scratch.next);
            } else {
                const auto& split = std::get<SplitStep>(step);
                MOFO_CHECK(collectParts(split, word, span.begin, scratch));
                applyBehavior(scratch.parts, split.behavior, split.invert, scratch.next);
            }
        }
        std::swap(scratch.spans, scratch.next);
    }
    return {};
}

}  // namespace mofo
