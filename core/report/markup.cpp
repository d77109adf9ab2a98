#include "core/report/markup.h"

#include <fmt/format.h>

#include <cmath>

#include "core/base/text.h"

namespace mofo::report {

namespace {

void appendEscaped(std::string& out, std::string_view line) {
    for (const char c : escapeForDisplay(line)) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
}

std::string withMinus(std::string text) {
    if (!text.empty() && text.front() == '-') {
        if (text.find_first_of("123456789i") == std::string::npos) return text.substr(1);
        return "\u2212" + text.substr(1);
    }
    return text;
}

}  // namespace

std::string escapeMarkup(std::string_view text) {
    std::string out;
    appendEscaped(out, text);
    return out;
}

std::string escapeMarkupLines(std::string_view text) {
    std::string out;
    for (std::size_t begin = 0;;) {
        const std::size_t end = text.find('\n', begin);
        appendEscaped(out, text.substr(begin, end == std::string_view::npos ? end : end - begin));
        if (end == std::string_view::npos) return out;
        out += '\n';
        begin = end + 1;
    }
}

std::string significant(double value, int digits) {
    if (!std::isfinite(value)) return withMinus(fmt::format("{}", value));
    if (value == 0) return "0";
    const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
    if (magnitude < -4 || magnitude >= 6) return withMinus(fmt::format("{:.{}e}", value, digits - 1));
    return withMinus(fmt::format("{:.{}f}", value, std::max(0, digits - 1 - magnitude)));
}

std::string decimals(double value, int places) { return withMinus(fmt::format("{:.{}f}", value, places)); }

std::string percent(double share, int places) { return std::isfinite(share) ? decimals(100 * share, places) + "\u202f%" : "\u2013"; }

std::string coordinate(double value) {
    std::string text = fmt::format("{:.2f}", value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text == "-0" ? "0" : text;
}

}  // namespace mofo::report
