// Charts as data: what is drawn, not how. core/report/svg.h makes pictures of them, the CSV and the JSON their numbers.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mofo::report {

inline constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

/// One measured point; the ends of its 95 % intervals are NaN where there are none.
struct Point {
    double x = kNothing, y = kNothing;
    double xLow = kNothing, xHigh = kNothing, low = kNothing, high = kNothing;
    std::int64_t n = 0;  ///< items behind it; 0 = not said
    std::string label;
};

/// Colours are numbers of the palette, so that a run has the same one everywhere; -1 is ink.
struct Series {
    std::string label;   ///< whole: "B maths-a15"
    std::string letter;  ///< beside the line's end; empty: none
    int colour = 0;
    int dash = 0;                                                  ///< 0 solid; 1.. other patterns
    bool line = true, marks = false, faint = false, open = false;  ///< open: hollow marks
    std::vector<Point> points;                                     ///< in x order for lines; a NaN breaks the line and is marked
};

struct VerticalMark {
    double x = 0;
    std::string label;  ///< a letter or two
    int colour = -1;
};

struct XyChart {
    std::string title, xTitle, yTitle;
    bool logX = false, logY = false;
    std::vector<Series> series;
    std::vector<VerticalMark> marks;
    std::optional<double> zeroLine;  ///< a dashed horizontal line
    std::string corner;              ///< which corner is the better one: "better" is written there; "top left", "top right" or empty
    int height = 240;
};

/// rows x columns of numbers, NaN where nothing was measured; rows from the top.
struct MapChart {
    std::string title, xTitle;
    std::vector<std::string> rows;
    std::vector<double> columns;              ///< steps
    std::vector<std::vector<double>> values;  ///< [row][column]
};

enum class Ramp { Viridis, Cividis, BlueWhiteBrown };

/// Maps that share one scale of colours.
struct MapScale {
    Ramp ramp = Ramp::Viridis;
    double low = 0, high = 1;
    bool logarithmic = false;
    std::string title;
};

/// Differences with their intervals, one line each, about zero.
struct ForestRow {
    std::string group;  ///< said once for rows that follow each other
    std::string label;
    int colour = -1;
    double value = kNothing, low = kNothing, high = kNothing;
    std::int64_t n = 0;
    std::string text;  ///< at the right: p, or why there is no interval
};
struct ForestChart {
    std::string title, xTitle, leftText, rightText;  ///< what lies left and right of zero
    std::vector<ForestRow> rows;
};

using Chart = std::variant<XyChart, MapChart, ForestChart>;

}  // namespace mofo::report
