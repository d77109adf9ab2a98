// Strict reading of configuration values: the whole text or nothing, independent of the locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mofo {

/// A finite number in decimal notation ("0.15", "2e-5"); anything before or after it, "nan" and "inf" are no numbers.
[[nodiscard]] std::optional<double> parseNumber(std::string_view text);
/// A whole number in decimal digits, optionally with a minus sign, that fits 64 bits.
[[nodiscard]] std::optional<std::int64_t> parseInteger(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> parseUnsigned(std::string_view text);
/// true, false, yes, no, on, off, 1, 0.
[[nodiscard]] std::optional<bool> parseFlag(std::string_view text);

}  // namespace mofo
