#include <algorithm>
#include <vector>

#include "core/base/text.h"
#include "core/text/chat_format.h"

namespace mofo {

namespace {

bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool isWordCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0; }

Error refuse(std::string message, std::size_t at) { return Error{ErrorCode::InvalidInput, std::move(message), "byte " + std::to_string(at) + " of the chat template", "", "JINJA"}; }

/// Splits off a string literal at `at` (a quote); returns its meaning and moves `at` behind it.
Result<std::string> readString(std::string_view text, std::size_t& at) {
    const char quote = text[at];
    const std::size_t begin = at++;
    std::string value;
    for (; at < text.size(); ++at) {
        if (text[at] == quote) {
            ++at;
            return value;
        }
        if (text[at] != '\\' || at + 1 == text.size()) {
            value += text[at];
            continue;
        }
        const char escaped = text[++at];
        switch (escaped) {
            case 'n': value += '\n'; break;
            case 't': value += '\t'; break;
            case 'r': value += '\r'; break;
            case '\\': case '\'': case '"': value += escaped; break;
            case '\n': break;
            default: value += '\\'; value += escaped;  // Python keeps unknown escapes; the rare known ones keep their spelling here
        }
    }
    return refuse("a string in a tag does not end", begin);
}

/// The inside of a tag as tokens, written one way.
Result<std::string> canonicalTag(std::string_view inside, std::size_t offset) {
    std::vector<std::string> tokens;
    for (std::size_t at = 0; at < inside.size();) {
        const char c = inside[at];
        if (isBlank(c)) {
            ++at;
        } else if (c == '\'' || c == '"') {
            auto value = readString(inside, at);
            if (!value.ok()) return refuse(value.error().message, offset + at);
            std::string token = "'";
            for (const char letter : *value) {
                if (letter == '\'' || letter == '\\') token += '\\';
                token += letter;
            }
            tokens.push_back(token + "'");
        } else if (isWordCharacter(c)) {
            const std::size_t begin = at;
            while (at < inside.size() && isWordCharacter(inside[at])) ++at;
            tokens.emplace_back(inside.substr(begin, at - begin));
        } else {
            static constexpr std::string_view kPairs[] = {"==", "!=", "<=", ">=", "//", "**"};
            const std::string_view two = inside.substr(at, 2);
            const std::size_t length = std::find(std::begin(kPairs), std::end(kPairs), two) != std::end(kPairs) ? 2 : 1;
            tokens.emplace_back(inside.substr(at, length));
            at += length;
        }
    }
    std::string out;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        // message.role is message['role'], unless it is a call or a number's point.
        const bool isMember = tokens[i] == "." && i > 0 && i + 1 < tokens.size() && (isWordCharacter(tokens[i - 1].back()) || tokens[i - 1] == "]" || tokens[i - 1] == ")") &&
                              isWordCharacter(tokens[i + 1][0]) && !(tokens[i + 1][0] >= '0' && tokens[i + 1][0] <= '9') && (i + 2 == tokens.size() || tokens[i + 2] != "(");
        if (isMember && tokens[i - 1] != "loop" && tokens[i - 1] != "ns") {
            out += "['" + tokens[i + 1] + "']";
            ++i;
            continue;
        }
        if (!out.empty() && isWordCharacter(out.back()) && isWordCharacter(tokens[i][0])) out += ' ';
        out += tokens[i];
    }
    return out;
}

/// End of the tag whose inside begins at `at`: the place of its closing mark, strings skipped.
std::size_t findTagEnd(std::string_view text, std::size_t at, std::string_view closing) {
    char quote = 0;
    for (; at < text.size(); ++at) {
        if (quote != 0) {
            if (text[at] == '\\') ++at;
            else if (text[at] == quote) quote = 0;
        } else if (text[at] == '\'' || text[at] == '"') {
            quote = text[at];
        } else if (text.substr(at).starts_with(closing)) {
            return at;
        }
    }
    return std::string_view::npos;
}

}  // namespace

Result<std::string> canonicalJinja(std::string_view raw) {
    // The two characters that mark tags in the canonical text may not stand in it.
    if (const auto at = raw.find_first_of("\x01\x02"); at != std::string_view::npos) return refuse("a control character stands in it", at);
    std::string text;
    text.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '\r') {
            text += '\n';
            if (i + 1 < raw.size() && raw[i + 1] == '\n') ++i;
        } else {
            text += raw[i];
        }
    }
    if (text.ends_with('\n')) text.pop_back();  // Jinja drops one line break at the end

    std::string out;
    std::string data;          // text since the last tag
    bool stripNext = false;    // the last tag ended with -%}
    bool dropBreak = false;    // the last tag was a block: the line break behind it goes
    const auto flush = [&] {
        out += data;
        data.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = std::string_view(text).substr(at);
        const bool isComment = rest.starts_with("{#"), isBlock = rest.starts_with("{%"), isOutput = rest.starts_with("{{");
        if (!isComment && !isBlock && !isOutput) {
            const char c = text[at++];
            if (stripNext && isBlank(c)) continue;
            stripNext = false;
            if (dropBreak && c == '\n') {
                dropBreak = false;
                continue;
            }
            dropBreak = false;
            data += c;
            continue;
        }
        std::size_t begin = at + 2;
        const bool stripBefore = begin < text.size() && text[begin] == '-';
        const bool keepBefore = begin < text.size() && text[begin] == '+';
        if (stripBefore || keepBefore) ++begin;
        if (stripBefore) {
            while (!data.empty() && isBlank(data.back())) data.pop_back();
        } else if (!isOutput && !keepBefore) {
            // lstrip_blocks: blanks between the beginning of the line and a block.
            std::size_t keep = data.size();
            while (keep > 0 && (data[keep - 1] == ' ' || data[keep - 1] == '\t')) --keep;
            const bool atLineStart = keep > 0 ? data[keep - 1] == '\n' : (at - (data.size() - keep) == 0 || text[at - (data.size() - keep) - 1] == '\n');
            if (atLineStart) data.resize(keep);
        }
        const std::string_view closing = isComment ? "#}" : isBlock ? "%}" : "}}";
        const std::size_t end = isComment ? text.find("#}", begin) : findTagEnd(text, begin, closing);
        if (end == std::string::npos) return refuse(std::string("a ") + std::string(rest.substr(0, 2)) + " does not end", at);
        const bool stripAfter = end > begin && text[end - 1] == '-';
        const bool keepAfter = end > begin && text[end - 1] == '+';
        const std::string_view inside = std::string_view(text).substr(begin, end - begin - (stripAfter || keepAfter ? 1 : 0));
        if (!isComment) {
            flush();
            auto tag = canonicalTag(inside, begin);
            if (!tag.ok()) return std::move(tag).error();
            out += isBlock ? '\x01' : '\x02';
            out += *tag;
            out += isBlock ? '\x01' : '\x02';
        }
        at = end + 2;
        stripNext = stripAfter;
        dropBreak = !isOutput && !keepAfter;
    }
    flush();
    return out;
}

}  // namespace mofo
