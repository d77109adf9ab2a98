// Small text tools: showing foreign text safely, numbers and sizes for people, near misses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mofo {

/// Foreign text made harmless for a terminal, a log line or a label: control characters, invalid UTF-8 and Unicode
/// bidirectional controls become escapes (\n, \x1b, \u202e).
[[nodiscard]] std::string escapeForDisplay(std::string_view text);
/// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
[[nodiscard]] bool isValidUtf8(std::string_view text);
/// How many bytes from the start are well-formed UTF-8: text.size(), or the offset of the first wrong byte.
[[nodiscard]] std::size_t validUtf8Prefix(std::string_view text);
/// "97.8 MiB", "512 B": binary units, three significant digits.
[[nodiscard]] std::string formatBytes(std::uint64_t bytes);
/// "2 h 05 min", "3 min 20 s", "12 s".
[[nodiscard]] std::string formatDuration(double seconds);
/// "1,240"
[[nodiscard]] std::string formatCount(std::int64_t value);
/// The shortest decimal text that reads back as the same double: "0.15", "2e-05".
[[nodiscard]] std::string formatShortest(double value);
/// The candidate with the least edit distance to `text` if that is near enough to be a typing mistake, else empty.
[[nodiscard]] std::string nearestName(std::string_view text, std::span<const std::string> candidates);
[[nodiscard]] std::vector<std::string> splitText(std::string_view text, char separator);
[[nodiscard]] std::string joinText(std::span<const std::string> parts, std::string_view separator);
[[nodiscard]] std::string_view trimText(std::string_view text);

/// A word of a POSIX shell that reads back as `text`.
[[nodiscard]] std::string shellWord(std::string_view text);

}  // namespace mofo
