#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/text/regex_pattern.h"

#include <pcre2.h>

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/text/unicode_classes.h"

namespace mofo {

namespace {

constexpr std::size_t kPatternLimit = 64 * 1024;
constexpr std::uint32_t kMatchLimit = 5'000'000;
constexpr std::uint32_t kHeapLimitKiB = 64 * 1024;
constexpr std::size_t kJitStackBytes = 8 << 20;
constexpr std::int64_t kTimeLimitNs = 20'000'000'000;

Error refuse(std::string_view pattern, const std::string& why) {
    return Error{ErrorCode::InvalidInput, "the regular expression \"" + escapeForDisplay(pattern.substr(0, 200)) + (pattern.size() > 200 ? "...\" " : "\" ") + why, "",
                 "Use a tokenizer whose split pattern is simpler", "REGEX"};
}

/// The pattern in PCRE2's words, or (as an error's message) the construct that the two read differently and that is not translated.
/// \s and \w mean other sets of characters: PCRE2's \s takes U+180E, its \w leaves out marks.
Result<std::string> translate(std::string_view p) {
    const auto foreign = [&](std::string construct) { return refuse(p, "uses " + construct + ", which is not supported"); };
    std::string out;
    bool inClass = false;
    for (std::size_t i = 0; i < p.size(); ++i) {
        if (p[i] == '\\' && i + 1 < p.size()) {
            const char c = p[++i];
            if (std::string_view("hHKRXGyYOkgCNQEbBAZz").find(c) != std::string_view::npos || (c == 'W' && inClass)) return foreign(std::string("\\") + c);
            if ((c == 'p' || c == 'P') && i + 1 < p.size() && p[i + 1] == '{') {
                const std::size_t end = std::min(p.find('}', i), p.size() - 1);
                (out += '\\') += p.substr(i, end - i + 1);
                i = end;
                continue;
            }
            if (c == 's') out += "\\p{White_Space}";
            else if (c == 'S') out += "\\P{White_Space}";
            else if (c == 'w') out += inClass ? "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}" : "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]";
            else if (c == 'W') out += "[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]";
            else (out += '\\') += c;
            continue;
        }
        const std::string_view rest = p.substr(i);
        if (inClass) {
            if (p[i] == '[') return foreign("a class inside a class");
            if (rest.starts_with("&&")) return foreign("&& in a class");
            if (p[i] == ']') inClass = false;
        } else if (p[i] == '[') {
            inClass = true;
            // A bracket right at the beginning is the character.
            if (rest.starts_with("[]") || rest.starts_with("[^]")) return foreign("an unescaped ] in a class");
        } else if (rest.starts_with("}+")) {
            return foreign("{n,m}+");  // possessive to one, repeated to the other
        } else if (rest.starts_with("(*")) {
            return foreign("(*");
        } else if (rest.starts_with("(?")) {
            for (const std::string_view group : {"(?~", "(?R", "(?(", "(?{", "(?&", "(?|", "(?C", "(?P", "(?+", "(?0"}) {
                if (rest.starts_with(group)) return foreign(std::string(group));
            }
            for (std::size_t j = i + 2; j < p.size() && (p[j] == '-' || (p[j] >= 'a' && p[j] <= 'z')); ++j) {
                if (p[j] != 'i' && p[j] != '-') return foreign(std::string("the option (?") + p[j] + ")");
            }
        }
        out += p[i];
    }
    return out;
}

}  // namespace

struct RegexPattern::Code {
    pcre2_code* code = nullptr;
    ~Code() { pcre2_code_free(code); }
};

struct RegexScratch::State {
    pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
    pcre2_match_context* context = pcre2_match_context_create(nullptr);
    pcre2_jit_stack* stack = pcre2_jit_stack_create(32 * 1024, kJitStackBytes, nullptr);
    State() {
        pcre2_set_match_limit(context, kMatchLimit);
        pcre2_set_heap_limit(context, kHeapLimitKiB);
        pcre2_jit_stack_assign(context, nullptr, stack);
    }
    ~State() {
        pcre2_jit_stack_free(stack);
        pcre2_match_context_free(context);
        pcre2_match_data_free(data);
    }
};

RegexScratch::RegexScratch() = default;
RegexScratch::~RegexScratch() = default;
RegexScratch::RegexScratch(RegexScratch&&) noexcept = default;
RegexScratch& RegexScratch::operator=(RegexScratch&&) noexcept = default;

Result<RegexPattern> RegexPattern::compile(std::string_view pattern) {
    if (pattern.size() > kPatternLimit) {
        Error error = refuse(pattern, "is longer than " + formatBytes(kPatternLimit));
        error.tag = "LIMIT";
        return error;
    }
    if (pattern.empty()) return refuse(pattern, "is empty");
    if (!isValidUtf8(pattern)) return refuse(pattern, "is not valid UTF-8");
    MOFO_TRY(const std::string translated, translate(pattern));
    // What ends a line is said here, whatever PCRE2 was built with.
    const std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
    int errorCode = 0;
    PCRE2_SIZE errorOffset = 0;
    // Oniguruma's ^ and $ always match at lines; its \p, \s, \w and \d are Unicode's.
    pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C,
                                     &errorCode, &errorOffset, context.get());
    if (code == nullptr) {
        PCRE2_UCHAR message[160];
        pcre2_get_error_message(errorCode, message, sizeof message);
        return refuse(pattern, std::string("does not compile: ") + reinterpret_cast<const char*>(message));
    }
    auto owner = std::make_shared<Code>();
    owner->code = code;
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without the JIT matching is slower, never different
    return RegexPattern(std::string(pattern), std::move(owner));
}

Result<void> RegexPattern::forEachMatch(std::string_view text, RegexScratch& scratch, const std::function<void(std::size_t, std::size_t)>& found) const {
    if (!scratch.m_state) scratch.m_state = std::make_unique<RegexScratch::State>();
    RegexScratch::State& state = *scratch.m_state;
    const std::int64_t startNs = bootNs();
    std::size_t from = 0;
    std::size_t lastEnd = std::string_view::npos;
    for (std::uint64_t count = 0; from <= text.size(); ++count) {
        if ((count & 63) == 63 && bootNs() - startNs > kTimeLimitNs) return refuse(m_text, "takes too long");
        const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
        int rc = pcre2_match(m_code->code, subject, text.size(), from, PCRE2_NO_UTF_CHECK, state.data, state.context);
        if (rc == PCRE2_ERROR_JIT_STACKLIMIT) rc = pcre2_match(m_code->code, subject, text.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, state.data, state.context);
        if (rc == PCRE2_ERROR_NOMATCH) return {};
        if (rc < 0) {
            PCRE2_UCHAR message[160];
            pcre2_get_error_message(rc, message, sizeof message);
            return refuse(m_text, std::string("cannot be matched: ") + reinterpret_cast<const char*>(message));
        }
        const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(state.data);
        const std::size_t begin = bounds[0], end = bounds[1];
        if (begin > end) return refuse(m_text, "matches backwards");
        if (begin == end && lastEnd == end) {
            // An empty match right after the last one would never end: go on one character later.
            from += from < text.size() ? decodeAt(text, from).length : 1;
            continue;
        }
        from = lastEnd = end;
        found(begin, end);
    }
    return {};
}

}  // namespace mofo
