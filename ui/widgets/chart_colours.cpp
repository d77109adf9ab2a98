#include "ui/widgets/chart_colours.h"

#include <array>

namespace mofo {

QColor seriesColour(const Theme& theme, int index) {
    static constexpr std::array<QRgb, 7> light{0xff19405c, 0xff6b3208, 0xff08785b, 0xffcb3f9f, 0xffac8633, 0xff1196f0, 0xff222222};
    static constexpr std::array<QRgb, 7> dark{0xff56b4e9, 0xffe69f00, 0xff009e73, 0xffcc79a7, 0xfff0e442, 0xffd55e00, 0xffe6e6e6};
    const auto place = static_cast<std::size_t>(index) % light.size();
    return QColor(theme.dark ? dark[place] : light[place]);
}

Theme printTheme() {
    Theme theme;
    theme.surface = QColor(Qt::white);
    theme.ink = QColor(0x1b, 0x1e, 0x20);
    theme.inkSoft = QColor(0x5c, 0x63, 0x6a);
    theme.grid = QColor(0xe4, 0xe6, 0xe9);
    theme.train = QColor(0x19, 0x40, 0x5c);
    theme.eval = QColor(0x6b, 0x32, 0x08);
    theme.error = QColor(0xb3, 0x26, 0x1e);
    theme.warning = QColor(0x8a, 0x5a, 0x00);
    theme.accent = QColor(0xcb, 0x3f, 0x9f);
    theme.band = QColor(0xc9, 0xe6, 0xdb);
    theme.hatch = QColor(0x9a, 0xa1, 0xa8);
    theme.hairline = QColor(0xd3, 0xd6, 0xda);
    return theme;
}

}  // namespace mofo
