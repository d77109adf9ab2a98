// A report as one HTML file: style and pictures inside, no script, no address of any other place.
#pragma once

#include <string>

#include "core/report/document.h"

namespace mofo::report {

/// Readable on screen (light and dark, as the reader's system asks), in print, and without style at all. The date stands on a line of its own.
[[nodiscard]] std::string htmlOf(const Document& document);

}  // namespace mofo::report
