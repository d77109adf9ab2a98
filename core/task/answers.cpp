// What two answers are compared by.
#include <cctype>
#include <string>

#include "core/base/text.h"
#include "core/task/task_items.h"

namespace mofo {

namespace {

bool isDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// The number that begins at `at`: sign, digits with commas between groups of three, a fraction. Empty where none does; `end` is behind it.
std::string numberAt(std::string_view text, std::size_t at, std::size_t& end) {
    std::string number;
    std::size_t i = at;
    if (text[i] == '-' && i + 1 < text.size() && isDigit(text[i + 1]) && (i == 0 || !std::isalnum(static_cast<unsigned char>(text[i - 1])))) {
        number = "-";
        ++i;
    }
    const std::size_t firstDigit = i;
    while (i < text.size()) {
        if (isDigit(text[i])) {
            number += text[i++];
        } else if (text[i] == ',' && i > firstDigit && i + 3 < text.size() && isDigit(text[i + 1]) && isDigit(text[i + 2]) && isDigit(text[i + 3]) &&
                   (i + 4 >= text.size() || !isDigit(text[i + 4]))) {
            ++i;
        } else {
            break;
        }
    }
    if (i == firstDigit) return {};
    if (i + 1 < text.size() && text[i] == '.' && isDigit(text[i + 1])) {
        number += text[i++];
        while (i < text.size() && isDigit(text[i])) number += text[i++];
    }
    end = i;
    return number;
}

/// Without leading zeros, and without zeros at the end of a fraction.
std::string canonical(std::string number) {
    const bool negative = number.starts_with('-');
    if (negative) number.erase(0, 1);
    if (number.find('.') != std::string::npos) {
        while (number.ends_with('0')) number.pop_back();
        if (number.ends_with('.')) number.pop_back();
    }
    std::size_t zeros = 0;
    while (zeros + 1 < number.size() && number[zeros] == '0' && isDigit(number[zeros + 1])) ++zeros;
    number.erase(0, zeros);
    return negative && number != "0" ? "-" + number : number;
}

std::string_view afterLast(std::string_view text, std::string_view mark, bool& found) {
    const auto at = text.rfind(mark);
    found = at != std::string_view::npos;
    return found ? text.substr(at + mark.size()) : text;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    return out;
}

}  // namespace

std::string numberOfAnswer(std::string_view text) {
    bool marked = false;
    const std::string_view part = afterLast(text, "####", marked);
    std::string found;
    for (std::size_t i = 0; i < part.size();) {
        std::size_t end = i + 1;
        const std::string number = isDigit(part[i]) || part[i] == '-' ? numberAt(part, i, end) : std::string();
        if (!number.empty()) {
            found = canonical(number);
            if (marked) return found;
        }
        i = end;
    }
    return found;
}

std::string normalisedAnswer(std::string_view text) {
    const std::string low = lower(text);
    bool marked = false;
    std::string_view part = trimText(afterLast(low, "answer is", marked));
    part = part.substr(0, part.find('\n'));
    const auto outer = [](char c) { return std::string_view(" \t\r.,:;!?\"'`*()[]{}").find(c) != std::string_view::npos; };
    while (!part.empty() && outer(part.front())) part.remove_prefix(1);
    while (!part.empty() && outer(part.back())) part.remove_suffix(1);
    std::string out;
    for (const char c : part) {
        const bool blank = c == ' ' || c == '\t';
        if (!blank || (!out.empty() && out.back() != ' ')) out += blank ? ' ' : c;
    }
    return out;
}

}  // namespace mofo
