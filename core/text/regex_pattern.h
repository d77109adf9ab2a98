// Regular expressions of foreign tokenizers: PCRE2 with JIT, and limits on everything that a pattern could make grow.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

/// What one thread needs to match: match data and the JIT's stack. Not thread safe; use one per thread, for any pattern.
class RegexScratch {
public:
    RegexScratch();
    ~RegexScratch();
    RegexScratch(RegexScratch&&) noexcept;
    RegexScratch& operator=(RegexScratch&&) noexcept;

private:
    friend class RegexPattern;
    struct State;
    std::unique_ptr<State> m_state;
};

/// A compiled pattern in the dialect of Oniguruma as Hugging Face's tokenizers use it, as far as PCRE2 reads it alike; constructs that the
/// two read differently are refused. Immutable, thread safe.
class RegexPattern {
public:
    /// Refusals have tag REGEX (LIMIT for a pattern beyond 64 KiB) and show the pattern.
    static Result<RegexPattern> compile(std::string_view pattern);
    /// Calls `found(begin, end)` for each match in order, with Oniguruma's rule for empty ones. `text` must be valid UTF-8. A pattern
    /// that runs into the match, heap or time limit is an error with tag REGEX.
    Result<void> forEachMatch(std::string_view text, RegexScratch& scratch, const std::function<void(std::size_t, std::size_t)>& found) const;
    [[nodiscard]] const std::string& text() const { return m_text; }

private:
    struct Code;
    RegexPattern(std::string text, std::shared_ptr<const Code> code) : m_text(std::move(text)), m_code(std::move(code)) {}
    std::string m_text;
    std::shared_ptr<const Code> m_code;
};

}  // namespace mofo
