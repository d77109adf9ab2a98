// Axes: which part of the numbers is shown, where the ticks are, what they are called.
#pragma once

#include <string>
#include <vector>

namespace mofo::report {

struct Tick {
    double value = 0;
    std::string label;
};

/// A stretch of a number line, linear or logarithmic (base 10), as pixels.
class Axis {
public:
    /// Takes finite values in (positive ones where logarithmic); `padShare` of the stretch is added at both ends, to round ticks where `toTicks`.
    explicit Axis(bool logarithmic = false) : m_logarithmic(logarithmic) {}
    void take(double value);
    void finish(double padShare, int wantedTicks);
    void place(double fromPixel, double toPixel);
    [[nodiscard]] bool isEmpty() const { return !(m_low <= m_high); }
    [[nodiscard]] bool shows(double value) const;
    /// Values beyond the stretch are drawn at its ends.
    [[nodiscard]] double at(double value) const;
    [[nodiscard]] const std::vector<Tick>& ticks() const { return m_ticks; }
    [[nodiscard]] bool holdsZero() const { return !m_logarithmic && m_low < 0 && m_high > 0; }

private:
    [[nodiscard]] double scaled(double value) const;
    bool m_logarithmic = false;
    double m_low = 1, m_high = 0;  ///< scaled
    double m_from = 0, m_to = 1;
    std::vector<Tick> m_ticks;
};

/// "0.15", "15", "1,000", "2e\u22125": as short as the distance of the ticks allows.
[[nodiscard]] std::string tickLabel(double value, double distance);

}  // namespace mofo::report
