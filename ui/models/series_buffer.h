// One series of a chart: every point is kept; what is drawn is chosen per pixel column from a min/max pyramid of factor 16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ui/models/key_list.h"

namespace mofo {

struct SeriesPoint {
    double key = 0;
    double value = 0;
    friend bool operator==(const SeriesPoint&, const SeriesPoint&) = default;
};

struct ValueRange {
    double lower = 0;
    double upper = 0;
};

/// Keys ascend (equal keys allowed). Values may be NaN or infinite: they are listed, never skipped. One thread.
class SeriesBuffer {
public:
    void append(double key, double value);
    /// Makes room for this many more at once, with nothing to spare, where they at least double what is there; else room grows by itself.
    void reserveMore(std::size_t count);
    void clear();

    [[nodiscard]] std::size_t size() const { return m_keys.size(); }
    [[nodiscard]] bool empty() const { return m_keys.empty(); }
    [[nodiscard]] double key(std::size_t index) const { return m_keys[index]; }
    [[nodiscard]] double value(std::size_t index) const { return m_values[index]; }

    /// Indices of the values that no line can show, ascending.
    [[nodiscard]] const std::vector<std::size_t>& nonFinite() const { return m_nonFinite; }
    /// The first index whose key is at least `key`.
    [[nodiscard]] std::size_t lowerBound(double key) const;
    /// The index whose key is nearest, the earlier one of two equally near; empty where the buffer is.
    [[nodiscard]] std::optional<std::size_t> nearest(double key) const;
    /// Least and greatest finite value with from <= key <= to.
    [[nodiscard]] std::optional<ValueRange> finiteRange(double from, double to) const;

    /// What a line through [from, to] needs on `columns` pixel columns: per column its first, least, greatest and last finite
    /// point, in order of the keys, and a NaN wherever the line must break. A point that stands alone between two breaks comes
    /// twice, so that a line of no length marks it. One point beyond either end lets the line run out of view.
    [[nodiscard]] std::vector<SeriesPoint> thinned(double from, double to, int columns) const;

private:
    /// Where the extremes of a stretch stand; `none` where it holds no finite value.
    struct Extent {
        static constexpr std::uint32_t none = 0xffffffffu;
        std::uint32_t least = none;
        std::uint32_t greatest = none;
    };
    void merge(Extent& into, const Extent& other) const;
    void merge(Extent& into, std::size_t index) const;
    [[nodiscard]] Extent extent(std::size_t begin, std::size_t end) const;

    static constexpr std::size_t factor = 16;
    KeyList m_keys;
    std::vector<double> m_values;
    std::vector<std::vector<Extent>> m_levels;  ///< level l holds one entry per factor^(l+1) values
    std::vector<std::size_t> m_nonFinite;
};

}  // namespace mofo
