// The keys of a series. Those of steps are consecutive numbers, which take no memory: only the first is kept.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace mofo {

/// Ascending keys, equal ones allowed, each given back as it was appended. One thread.
class KeyList {
public:
    void append(double key) {
        const bool goesOn = m_count == 0 ? std::abs(key) < mostCounted : isCounted() && key == counted(m_count) && key < mostCounted;
        if (!goesOn) {
            if (isCounted()) writeOut();
            m_keys.push_back(key);
        } else if (m_count == 0) {
            m_first = key;
        }
        ++m_count;
    }
    void clear() {
        m_keys.clear();
        m_count = 0;
    }

    [[nodiscard]] std::size_t size() const { return m_count; }
    [[nodiscard]] bool empty() const { return m_count == 0; }
    [[nodiscard]] double operator[](std::size_t index) const { return m_keys.empty() ? counted(index) : m_keys[index]; }
    [[nodiscard]] double front() const { return (*this)[0]; }
    [[nodiscard]] double back() const { return (*this)[m_count - 1]; }

    /// The first index in [begin, end) whose key is at least `key`, or `end`.
    [[nodiscard]] std::size_t lowerBound(double key, std::size_t begin, std::size_t end) const {
        return firstWhere(begin, end, [&](double at) { return at >= key; });
    }
    [[nodiscard]] std::size_t lowerBound(double key) const { return lowerBound(key, 0, m_count); }
    /// The first index whose key is greater than `key`, or size().
    [[nodiscard]] std::size_t upperBound(double key) const {
        return firstWhere(0, m_count, [&](double at) { return at > key; });
    }

private:
    /// Whole numbers up to here differ from their neighbours as doubles do.
    static constexpr double mostCounted = 4503599627370496.0;

    [[nodiscard]] bool isCounted() const { return m_keys.empty(); }
    [[nodiscard]] double counted(std::size_t index) const { return m_first + static_cast<double>(index); }
    void writeOut() {
        m_keys.reserve(m_count + 1);
        for (std::size_t i = 0; i < m_count; ++i) m_keys.push_back(counted(i));
    }
    template <typename Holds>
    [[nodiscard]] std::size_t firstWhere(std::size_t begin, std::size_t end, Holds holds) const {
        while (begin < end) {
            const std::size_t middle = begin + (end - begin) / 2;
            if (holds((*this)[middle]))
                end = middle;
            else
                begin = middle + 1;
        }
        return begin;
    }

    std::vector<double> m_keys;  ///< empty while key i is m_first + i
    double m_first = 0;
    std::size_t m_count = 0;
};

}  // namespace mofo
