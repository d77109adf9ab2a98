// Text for HTML and SVG, numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mofo::report {

/// Any text, from anywhere, as character data or as a quoted attribute value: control and bidirectional characters and broken UTF-8 as visible
/// escapes, then & < > " ' as references. It can open neither an element nor an attribute.
[[nodiscard]] std::string escapeMarkup(std::string_view text);
/// The same, but line ends stay (for text that is shown in several lines).
[[nodiscard]] std::string escapeMarkupLines(std::string_view text);

/// "1.204", "0.0123", "3.1e-06": `digits` significant digits, no exponent between 1e-4 and 1e6; a true minus sign; "nan", "inf" as such.
[[nodiscard]] std::string significant(double value, int digits);
/// As many decimals as asked for, true minus sign.
[[nodiscard]] std::string decimals(double value, int places);
/// "12.3 %" of 0.123.
[[nodiscard]] std::string percent(double share, int places = 1);
/// A coordinate of SVG: at most two decimals, no trailing zeros, C locale.
[[nodiscard]] std::string coordinate(double value);

}  // namespace mofo::report
