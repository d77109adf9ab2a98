#include "core/config/values.h"

#include <charconv>
#include <cmath>

namespace mofo {

namespace {

template <class T>
std::optional<T> parseWhole(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<double> parseNumber(std::string_view text) {
    const std::optional<double> value = parseWhole<double>(text);
    // A minus zero would be a second text of the same value.
    if (!value || !std::isfinite(*value)) return std::nullopt;
    return *value == 0 ? 0.0 : *value;
}

std::optional<std::int64_t> parseInteger(std::string_view text) { return parseWhole<std::int64_t>(text); }
std::optional<std::uint64_t> parseUnsigned(std::string_view text) { return parseWhole<std::uint64_t>(text); }

std::optional<bool> parseFlag(std::string_view text) {
    if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
    if (text == "false" || text == "no" || text == "off" || text == "0") return false;
    return std::nullopt;
}

}  // namespace mofo
