// Pictures of charts: SVG kept to SVG Tiny 1.2 (so that QtSvg draws the same into a PDF), with text as text. Colours stand in presentation attributes
// (light theme) and as classes, by which a page recolours them: s0..s6, f0..f6 strokes and fills of runs, si, fi ink, t text, u soft text, g grid,
// a axes, b background.
#pragma once

#include <string>

#include "core/report/chart.h"

namespace mofo::report {

/// One <svg> element, `width` units wide; `scale` is needed for maps. Deterministic.
[[nodiscard]] std::string svgOf(const Chart& chart, int width, const MapScale* scale = nullptr);
/// The bar of colours that belongs to maps.
[[nodiscard]] std::string svgOfScale(const MapScale& scale, int width);
/// A short piece of line as legends show it.
[[nodiscard]] std::string svgOfSwatch(int colour, int dash);

}  // namespace mofo::report
