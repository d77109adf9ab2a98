#include "ui/models/series_buffer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ui/models/growth.h"

namespace mofo {

void SeriesBuffer::append(double key, double value) {
    const std::size_t index = m_keys.size();
    m_keys.append(key);
    growSparingly(m_values);
    m_values.push_back(value);
    if (!std::isfinite(value)) m_nonFinite.push_back(index);
    std::size_t block = index / factor;
    for (std::size_t level = 0;; ++level, block /= factor) {
        if (level == m_levels.size()) {
            if (block == 0 && level > 0) break;
            m_levels.emplace_back();
            // A level that appears late covers everything before it: it is made from the level below.
            if (level > 0) {
                const std::vector<Extent>& below = m_levels[level - 1];
                for (std::size_t i = 0; i < below.size(); ++i) {
                    if (i / factor >= m_levels[level].size()) m_levels[level].emplace_back();
                    merge(m_levels[level][i / factor], below[i]);
                }
                continue;
            }
        }
        growSparingly(m_levels[level]);
        if (block >= m_levels[level].size()) m_levels[level].emplace_back();
        if (std::isfinite(value)) merge(m_levels[level][block], index);
    }
}

void SeriesBuffer::reserveMore(std::size_t count) {
    if (count >= m_values.size()) m_values.reserve(m_values.size() + count);
}

void SeriesBuffer::clear() {
    m_keys.clear();
    m_values.clear();
    m_levels.clear();
    m_nonFinite.clear();
}

std::size_t SeriesBuffer::lowerBound(double key) const { return m_keys.lowerBound(key); }

std::optional<std::size_t> SeriesBuffer::nearest(double key) const {
    if (m_keys.empty()) return std::nullopt;
    const std::size_t after = lowerBound(key);
    if (after == 0) return 0;
    if (after == m_keys.size()) return after - 1;
    return m_keys[after] - key < key - m_keys[after - 1] ? after : after - 1;
}

std::optional<ValueRange> SeriesBuffer::finiteRange(double from, double to) const {
    const std::size_t begin = lowerBound(from);
    const std::size_t end = m_keys.upperBound(to);
    const Extent found = extent(begin, std::max(begin, end));
    if (found.least == Extent::none) return std::nullopt;
    return ValueRange{m_values[found.least], m_values[found.greatest]};
}

void SeriesBuffer::merge(Extent& into, std::size_t index) const {
    const auto i = static_cast<std::uint32_t>(index);
    if (into.least == Extent::none || m_values[i] < m_values[into.least]) into.least = i;
    if (into.greatest == Extent::none || m_values[i] > m_values[into.greatest]) into.greatest = i;
}

void SeriesBuffer::merge(Extent& into, const Extent& other) const {
    if (other.least == Extent::none) return;
    merge(into, other.least);
    merge(into, other.greatest);
}

SeriesBuffer::Extent SeriesBuffer::extent(std::size_t begin, std::size_t end) const {
    Extent found;
    std::size_t width = 1;  // of one entry of the level being walked, in values
    int level = -1;         // -1: the values themselves
    // Climbs while whole blocks fit on the left, then descends on the right.
    while (begin < end) {
        while (begin % (width * factor) == 0 && begin + width * factor <= end && level + 1 < static_cast<int>(m_levels.size())) {
            width *= factor;
            ++level;
        }
        while (begin + width > end || begin % width != 0) {
            width /= factor;
            --level;
        }
        if (level < 0) {
            if (std::isfinite(m_values[begin])) merge(found, begin);
        } else {
            merge(found, m_levels[static_cast<std::size_t>(level)][begin / width]);
        }
        begin += width;
    }
    return found;
}

std::vector<SeriesPoint> SeriesBuffer::thinned(double from, double to, int columns) const {
    std::vector<SeriesPoint> points;
    if (m_keys.empty() || columns <= 0 || !(to > from)) return points;
    const std::size_t end = m_keys.upperBound(to);
    std::size_t begin = lowerBound(from);
    const std::size_t last = std::min(end + 1, m_keys.size());
    if (begin > 0) --begin;

    const double nan = std::numeric_limits<double>::quiet_NaN();
    std::size_t alone = 0;  // finite points since the last break
    const auto breakLine = [&](double key) {
        if (points.empty() || std::isnan(points.back().value)) return;
        if (alone == 1) points.push_back(points.back());
        points.push_back({key, nan});
        alone = 0;
    };
    const auto emitPoint = [&](std::size_t index) {
        points.push_back({m_keys[index], m_values[index]});
        ++alone;
    };

    auto gap = std::lower_bound(m_nonFinite.begin(), m_nonFinite.end(), begin);
    // Whatever stands between two gaps is drawn with its own first, extremes and last: nothing hides behind a NaN.
    const auto emitStretch = [&](std::size_t stretchBegin, std::size_t stretchEnd) {
        if (stretchEnd - stretchBegin <= 4) {
            for (std::size_t i = stretchBegin; i < stretchEnd; ++i) emitPoint(i);
            return;
        }
        const Extent inside = extent(stretchBegin, stretchEnd);
        std::array<std::size_t, 4> chosen{stretchBegin, inside.least, inside.greatest, stretchEnd - 1};
        std::sort(chosen.begin(), chosen.end());
        const auto unique = std::unique(chosen.begin(), chosen.end());
        for (auto it = chosen.begin(); it != unique; ++it) emitPoint(*it);
    };

    const double perColumn = (to - from) / columns;
    std::size_t index = begin;
    for (int column = -1; index < last; ++column) {
        // Column -1 is what lies before the view, the last one what lies after it.
        const double columnEnd = column >= columns - 1 ? std::numeric_limits<double>::infinity() : from + perColumn * (column + 1);
        const std::size_t next = std::isfinite(columnEnd) ? m_keys.lowerBound(columnEnd, index, last) : last;
        while (index < next) {
            const std::size_t stop = gap != m_nonFinite.end() && *gap < next ? *gap : next;
            if (stop > index) emitStretch(index, stop);
            index = stop;
            while (gap != m_nonFinite.end() && *gap == index && index < next) {
                breakLine(m_keys[index]);
                ++gap;
                ++index;
            }
        }
    }
    if (alone == 1) points.push_back(points.back());
    return points;
}

}  // namespace mofo
