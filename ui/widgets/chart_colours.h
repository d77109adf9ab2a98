// Colours of charts that the palette of the window does not know: series beyond train and eval, and the theme of what is printed or saved.
#pragma once

#include <QColor>

#include "ui/widgets/theme.h"

namespace mofo {

/// One of seven, each at least 3:1 against the chart surface and apart from the others in normal, protan, deutan and tritan sight. `index` wraps
/// around.
[[nodiscard]] QColor seriesColour(const Theme& theme, int index);
/// Scales of maps for a share of 0 to 1, even in lightness and safe for the colour-blind: of what moves, and of how far it has moved.
[[nodiscard]] QRgb cividis(double share);
[[nodiscard]] QRgb viridis(double share);
/// White paper, whatever the window shows: the same palette as the light theme.
[[nodiscard]] Theme printTheme();

}  // namespace mofo
