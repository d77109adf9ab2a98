// White space as Python's str.strip() sees it; templates and the reference trim by it.
#pragma once

#include <string_view>

namespace mofo {

/// `text` (valid UTF-8) without white space at the end: str.rstrip().
[[nodiscard]] std::string_view trimPythonEnd(std::string_view text);
/// str.strip().
[[nodiscard]] std::string_view trimPython(std::string_view text);

}  // namespace mofo
