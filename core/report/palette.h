// Colours of reports: those of the window's charts, checked there for contrast and for colour blindness.
#pragma once

#include <string>

#include "core/report/chart.h"

namespace mofo::report {

inline constexpr int kPaletteSize = 7;
/// "#19405C": of series `index` (past the palette it starts again; -1: ink).
[[nodiscard]] std::string lightColour(int index);
[[nodiscard]] std::string darkColour(int index);
/// stroke-dasharray of a dash pattern; empty for solid.
[[nodiscard]] std::string dashArray(int dash);
/// A colour of a ramp, share 0..1 (cut to it), "#rrggbb".
[[nodiscard]] std::string rampColour(Ramp ramp, double share);

}  // namespace mofo::report
