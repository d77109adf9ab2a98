#include "core/text/python_text.h"

#include "core/text/unicode_classes.h"

namespace mofo {

namespace {

// Python counts the four separators U+001C..U+001F as white space, Unicode's White_Space does not.
bool isPythonSpace(char32_t c) { return (c >= 0x1C && c <= 0x1F) || (classesOf(c) & kSpace) != 0; }

}  // namespace

std::string_view trimPythonEnd(std::string_view text) {
    while (!text.empty()) {
        const DecodedCodePoint last = decodeBefore(text, text.size());
        if (!isPythonSpace(last.codePoint)) break;
        text.remove_suffix(last.length);
    }
    return text;
}

std::string_view trimPython(std::string_view text) {
    while (!text.empty()) {
        const DecodedCodePoint first = decodeAt(text, 0);
        if (!isPythonSpace(first.codePoint)) break;
        text.remove_prefix(first.length);
    }
    return trimPythonEnd(text);
}

}  // namespace mofo
