#include "core/report/palette.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

namespace mofo::report {

namespace {

using Rgb = std::uint32_t;
constexpr std::array<Rgb, 11> kViridis{0x440154, 0x482475, 0x414487, 0x355f8d, 0x2a788e, 0x21918c, 0x22a884, 0x44bf70, 0x7ad151, 0xbddf26, 0xfde725};
constexpr std::array<Rgb, 12> kCividis{0x00204d, 0x00306f, 0x2a406c, 0x48526b, 0x5e626e, 0x727374,
                                       0x878479, 0x9e9677, 0xb6a971, 0xd0be67, 0xead357, 0xffea46};
constexpr std::array<Rgb, 7> kBlueWhiteBrown{0x0b3c6f, 0x3f7fb5, 0xa9cbe3, 0xffffff, 0xe3c29a, 0xb0762f, 0x5e3608};
constexpr std::array<Rgb, kPaletteSize> kLight{0x19405c, 0x6b3208, 0x08785b, 0xcb3f9f, 0xac8633, 0x1196f0, 0x222222};
constexpr std::array<Rgb, kPaletteSize> kDark{0x56b4e9, 0xe69f00, 0x009e73, 0xcc79a7, 0xf0e442, 0xd55e00, 0xe6e6e6};

std::string hex(Rgb colour) { return fmt::format("#{:06X}", colour); }

Rgb between(std::span<const Rgb> colours, double share) {
    const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(colours.size() - 1);
    const std::size_t below = std::min(static_cast<std::size_t>(place), colours.size() - 2);
    const double part = place - static_cast<double>(below);
    Rgb mixed = 0;
    for (const int shift : {16, 8, 0}) {
        const double a = static_cast<double>(colours[below] >> shift & 0xff), b = static_cast<double>(colours[below + 1] >> shift & 0xff);
        mixed |= static_cast<Rgb>(std::lround(a + (b - a) * part)) << shift;
    }
    return mixed;
}

}  // namespace

std::string lightColour(int index) { return index < 0 ? "#1B1E20" : hex(kLight[static_cast<std::size_t>(index % kPaletteSize)]); }
std::string darkColour(int index) { return index < 0 ? "#E6E6E6" : hex(kDark[static_cast<std::size_t>(index % kPaletteSize)]); }

std::string dashArray(int dash) {
    static constexpr std::array<const char*, 5> patterns{"", "6 3", "2 2.5", "9 3 2 3", "12 4"};
    return patterns[static_cast<std::size_t>(std::max(0, dash)) % patterns.size()];
}

std::string rampColour(Ramp ramp, double share) {
    switch (ramp) {
        case Ramp::Viridis: return hex(between(kViridis, share));
        case Ramp::Cividis: return hex(between(kCividis, share));
        case Ramp::BlueWhiteBrown: return hex(between(kBlueWhiteBrown, share));
    }
    return {};
}

}  // namespace mofo::report
