#include "ui/widgets/chart_colours.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mofo {

namespace {

constexpr std::array<QRgb, 12> cividisColours{0xff00204d, 0xff00306f, 0xff2a406c, 0xff48526b, 0xff5e626e, 0xff727374,
                                              0xff878479, 0xff9e9677, 0xffb6a971, 0xffd0be67, 0xffead357, 0xffffea46};
constexpr std::array<QRgb, 11> viridisColours{0xff440154, 0xff482475, 0xff414487, 0xff355f8d, 0xff2a788e, 0xff21918c,
                                              0xff22a884, 0xff44bf70, 0xff7ad151, 0xffbddf26, 0xfffde725};

template <std::size_t N>
QRgb between(const std::array<QRgb, N>& colours, double share) {
    const double place = std::clamp(share, 0.0, 1.0) * (N - 1);
    const auto below = std::min(static_cast<std::size_t>(place), N - 2);
    const double part = place - static_cast<double>(below);
    const auto mix = [&](int a, int b) { return static_cast<int>(std::lround(a + (b - a) * part)); };
    const QRgb a = colours[below], b = colours[below + 1];
    return qRgb(mix(qRed(a), qRed(b)), mix(qGreen(a), qGreen(b)), mix(qBlue(a), qBlue(b)));
}

}  // namespace

QRgb cividis(double share) { return between(cividisColours, share); }
QRgb viridis(double share) { return between(viridisColours, share); }

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
