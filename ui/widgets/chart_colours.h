// Colours of charts that the palette of the window does not know: series beyond train and eval, and the theme of what is printed or saved.
#pragma once

#include <QColor>

#include "ui/widgets/theme.h"

namespace mofo {

/// One of seven, each at least 3:1 against the chart surface and apart from the others in normal, protan, deutan and tritan sight. `index` wraps
/// around.
[[nodiscard]] QColor seriesColour(const Theme& theme, int index);
/// White paper, whatever the window shows: the same palette as the light theme.
[[nodiscard]] Theme printTheme();

}  // namespace mofo
