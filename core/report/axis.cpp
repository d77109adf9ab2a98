#include "core/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/report/markup.h"

namespace mofo::report {

namespace {

/// 1, 2 or 5 times a power of ten, so that about `wanted` of them fill the span.
double roundDistance(double span, int wanted) {
    const double raw = span / std::max(1, wanted);
    const double power = std::pow(10.0, std::floor(std::log10(raw)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (raw <= factor * power * 1.0001) return factor * power;
    }
    return 10 * power;
}

std::string powerLabel(double value) {
    if (value >= 0.001 && value < 1e6) {
        const int places = std::max(0, static_cast<int>(std::ceil(-std::log10(value) - 1e-9)));
        return value >= 1000 ? formatCount(static_cast<std::int64_t>(std::llround(value))) : decimals(value, places);
    }
    const int exponent = static_cast<int>(std::floor(std::log10(value) + 1e-9));
    return fmt::format("{}e{}", static_cast<int>(std::lround(value / std::pow(10.0, exponent))), decimals(exponent, 0));
}

}  // namespace

std::string tickLabel(double value, double distance) {
    if (std::abs(value) < distance * 1e-6) value = 0;
    if (value != 0 && (std::abs(value) >= 1e6 || distance < 1e-5)) return significant(value, 2);
    if (distance >= 1) return value < 0 ? "\u2212" + formatCount(-std::llround(value)) : formatCount(std::llround(value));
    return decimals(value, std::clamp(static_cast<int>(std::ceil(-std::log10(distance) - 1e-9)), 0, 8));
}

double Axis::scaled(double value) const { return m_logarithmic ? std::log10(value) : value; }

void Axis::take(double value) {
    if (!std::isfinite(value) || (m_logarithmic && value <= 0)) return;
    const double place = scaled(value);
    if (isEmpty()) {
        m_low = m_high = place;
    } else {
        m_low = std::min(m_low, place);
        m_high = std::max(m_high, place);
    }
}

void Axis::finish(double padShare, int wantedTicks) {
    if (isEmpty()) m_low = m_logarithmic ? -1 : 0, m_high = m_logarithmic ? 0 : 1;
    if (m_high - m_low <= std::max(1e-12, 1e-9 * std::max(std::abs(m_low), std::abs(m_high)))) {
        const double half = m_logarithmic ? 0.3 : std::max(std::abs(m_low) * 0.05, 1e-6);
        m_low -= half;
        m_high += half;
    }
    const double pad = (m_high - m_low) * padShare;
    m_low -= pad;
    m_high += pad;
    m_ticks.clear();
    if (m_logarithmic && m_high - m_low > 0.9) {
        const double decades = m_high - m_low;
        const std::vector<double> factors = decades > 2.2 ? std::vector<double>{1} : std::vector<double>{1, 2, 5};
        const int every = std::max(1, static_cast<int>(std::ceil(decades / std::max(2, wantedTicks))));
        for (int exponent = static_cast<int>(std::floor(m_low)); exponent <= static_cast<int>(std::ceil(m_high)); ++exponent) {
            for (const double factor : factors) {
                const double value = factor * std::pow(10.0, exponent);
                if (exponent % every == 0 && scaled(value) >= m_low && scaled(value) <= m_high) m_ticks.push_back({value, powerLabel(value)});
            }
        }
        return;
    }
    // Less than a decade: ticks at round numbers, whether the axis is logarithmic or not.
    const double low = m_logarithmic ? std::pow(10.0, m_low) : m_low, high = m_logarithmic ? std::pow(10.0, m_high) : m_high;
    const double distance = roundDistance(high - low, wantedTicks);
    for (double number = std::ceil(low / distance - 1e-9); number * distance <= high + distance * 1e-9; number += 1) {
        m_ticks.push_back({number * distance, tickLabel(number * distance, distance)});
    }
}

void Axis::place(double fromPixel, double toPixel) {
    m_from = fromPixel;
    m_to = toPixel;
}

bool Axis::shows(double value) const { return std::isfinite(value) && (!m_logarithmic || value > 0); }

double Axis::at(double value) const {
    const double place = m_logarithmic && value <= 0 ? m_low : std::clamp(scaled(value), m_low, m_high);
    return m_from + (place - m_low) / (m_high - m_low) * (m_to - m_from);
}

}  // namespace mofo::report
