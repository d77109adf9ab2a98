// A scanner of JSON for safetensors headers: values are taken as they come, never kept as a tree, so a header of 100 MB costs no
// more than its text. Private to core/tensorio.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

/// Strict RFC 8259 over text that is known to be valid UTF-8. Every function reads one thing from at() on, white space before it
/// passed over, and fails with tag JSON (or UTF8 for a lone surrogate, DEPTH) and the byte in `where`.
class HeaderScanner {
public:
    explicit HeaderScanner(std::string_view text) : m_text(text) {}

    /// The next character after white space, or 0 at the end.
    char peek();
    /// Takes `c` or fails.
    Result<void> expect(char c);
    /// Takes `c` if it comes next.
    bool accept(char c);
    /// A string, decoded; what goes beyond `keepBytes` is checked but not kept.
    Result<std::string> string(std::size_t keepBytes);
    /// The text of a number, any that JSON allows.
    Result<std::string_view> number();
    /// Any value, checked and passed over.
    Result<void> skipValue(int depthLeft);
    [[nodiscard]] std::size_t at() const { return m_at; }
    [[nodiscard]] bool atEnd() const { return m_at == m_text.size(); }
    [[nodiscard]] Error refusal(const char* tag, std::string message) const;

private:
    Result<std::uint32_t> hexDigits();
    Result<void> escape(std::string& out);

    std::string_view m_text;
    std::size_t m_at = 0;
};

}  // namespace mofo
