#include "core/tensorio/header_scanner.h"

namespace mofo {

namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }

void appendUtf8(std::string& out, std::uint32_t code) {
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xC0 | code >> 6);
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
    }
    put(0x80 | (code & 0x3F));
}

}  // namespace

Error HeaderScanner::refusal(const char* tag, std::string message) const {
    return Error{ErrorCode::InvalidInput, std::move(message), "byte " + std::to_string(8 + m_at), "", tag};
}

char HeaderScanner::peek() {
    while (m_at < m_text.size() && (m_text[m_at] == ' ' || m_text[m_at] == '\t' || m_text[m_at] == '\n' || m_text[m_at] == '\r')) ++m_at;
    return m_at < m_text.size() ? m_text[m_at] : '\0';
}

bool HeaderScanner::accept(char c) {
    if (peek() != c) return false;
    ++m_at;
    return true;
}

Result<void> HeaderScanner::expect(char c) {
    if (accept(c)) return {};
    return refusal("JSON", std::string("'") + c + "' is due here");
}

Result<std::uint32_t> HeaderScanner::hexDigits() {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++m_at) {
        const char c = m_at < m_text.size() ? m_text[m_at] : '\0';
        const char lower = static_cast<char>(c | 0x20);
        if (isDigit(c)) {
            code = code << 4 | static_cast<std::uint32_t>(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            code = code << 4 | static_cast<std::uint32_t>(lower - 'a' + 10);
        } else {
            return refusal("JSON", "\\u is not followed by four hexadecimal digits");
        }
    }
    return code;
}

Result<void> HeaderScanner::escape(std::string& out) {
    const char c = m_at < m_text.size() ? m_text[m_at] : '\0';
    ++m_at;
    switch (c) {
        case '"':
        case '\\':
        case '/': out += c; return {};
        case 'b': out += '\b'; return {};
        case 'f': out += '\f'; return {};
        case 'n': out += '\n'; return {};
        case 'r': out += '\r'; return {};
        case 't': out += '\t'; return {};
        case 'u': break;
        default: --m_at; return refusal("JSON", "an unknown escape in a string");
    }
    MOFO_TRY(std::uint32_t code, hexDigits());
    if (code >= 0xDC00 && code <= 0xDFFF) return refusal("UTF8", "a lone surrogate in a string");
    if (code >= 0xD800 && code <= 0xDBFF) {
        if (m_text.substr(m_at, 2) != "\\u") return refusal("UTF8", "a lone surrogate in a string");
        m_at += 2;
        MOFO_TRY(const std::uint32_t low, hexDigits());
        if (low < 0xDC00 || low > 0xDFFF) return refusal("UTF8", "a lone surrogate in a string");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    appendUtf8(out, code);
    return {};
}

Result<std::string> HeaderScanner::string(std::size_t keepBytes) {
    MOFO_CHECK(expect('"'));
    std::string out;
    std::string decoded;
    while (m_at < m_text.size()) {
        const char c = m_text[m_at];
        if (c == '"') {
            ++m_at;
            return out;
        }
        if (static_cast<unsigned char>(c) < 0x20) return refusal("JSON", "a control character in a string");
        ++m_at;
        if (c != '\\') {
            if (out.size() < keepBytes) out += c;
            continue;
        }
        decoded.clear();
        MOFO_CHECK(escape(decoded));
        if (out.size() < keepBytes) out += decoded;
    }
    return refusal("JSON", "a string has no end");
}

Result<std::string_view> HeaderScanner::number() {
    peek();
    const std::size_t begin = m_at;
    const auto next = [this] { return m_at < m_text.size() ? m_text[m_at] : '\0'; };
    const auto digits = [&] {
        const std::size_t from = m_at;
        while (isDigit(next())) ++m_at;
        return m_at > from;
    };
    if (next() == '-') ++m_at;
    const bool zero = next() == '0';
    const std::size_t whole = m_at;
    if (!digits()) return refusal("JSON", "a value is due here");
    if (zero && m_at - whole > 1) return refusal("JSON", "a number begins with 0");
    if (next() == '.') {
        ++m_at;
        if (!digits()) return refusal("JSON", "no digit after the point of a number");
    }
    if (next() == 'e' || next() == 'E') {
        ++m_at;
        if (next() == '+' || next() == '-') ++m_at;
        if (!digits()) return refusal("JSON", "no digit in the exponent of a number");
    }
    return m_text.substr(begin, m_at - begin);
}

Result<void> HeaderScanner::skipValue(int depthLeft) {
    const char c = peek();
    if (c == '"') {
        MOFO_CHECK(string(0));
        return {};
    }
    if (c == '{' || c == '[') {
        if (depthLeft <= 0) return refusal("DEPTH", "nested too deep");
        const char end = c == '{' ? '}' : ']';
        ++m_at;
        if (accept(end)) return {};
        do {
            if (c == '{') {
                MOFO_CHECK(string(0));
                MOFO_CHECK(expect(':'));
            }
            MOFO_CHECK(skipValue(depthLeft - 1));
        } while (accept(','));
        return expect(end);
    }
    for (const std::string_view word : {"true", "false", "null"}) {
        if (m_text.substr(m_at, word.size()) == word) {
            m_at += word.size();
            return {};
        }
    }
    MOFO_CHECK(number());
    return {};
}

}  // namespace mofo
