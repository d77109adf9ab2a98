// The numbers of a report for programs: JSON (the results and the whole tree) and CSV (one line per cell of a table and per point of a figure).
#pragma once

#include <string>

#include "core/report/document.h"

namespace mofo::report {

/// {"title", "date", "program", "results": {...}, "sections": [{"name", "title", "blocks": [...]}]}, indented by one blank; numbers unrounded, null
/// for what is not finite.
[[nodiscard]] std::string jsonOf(const Document& document);
/// The same as a value.
[[nodiscard]] Json jsonValueOf(const Document& document);

/// RFC 4180, UTF-8, C locale: section,part,series,x,y,low,high,n,text. A table's cell: series = its row's first cell, x = its column's title; a point
/// of a figure: series = label of the line. "nan", "inf" and "-inf" as such. Text that a spreadsheet would take for a formula gets a ' before it. No
/// date.
[[nodiscard]] std::string csvOf(const Document& document);

}  // namespace mofo::report
