#include "core/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/report/axis.h"
#include "core/report/markup.h"
#include "core/report/palette.h"
#include "core/report/svg_text.h"

namespace mofo::report {

namespace {

constexpr double kSmall = 10.5, kText = 11.5;

std::string move(double x, double y) { return 'M' + coordinate(x) + ' ' + coordinate(y); }
std::string lineTo(double x, double y) { return 'L' + coordinate(x) + ' ' + coordinate(y); }

struct Frame {
    double left, top, right, bottom;
};

/// Ticks, grid and titles of both axes.
void drawAxes(SvgText& svg, const Frame& frame, const Axis& x, const Axis& y, const std::string& xTitle) {
    double lastEnd = -1e9;
    for (const Tick& tick : y.ticks()) {
        const double at = y.at(tick.value);
        svg.rule(frame.left, at, frame.right, at, "g");
        svg.text(frame.left - 5, at + 3.6, tick.label, kSmall, Anchor::End, "u");
    }
    for (const Tick& tick : x.ticks()) {
        const double at = x.at(tick.value), half = textWidth(tick.label, kSmall) / 2;
        svg.rule(at, frame.bottom, at, frame.bottom + 4, "a");
        if (at - half < lastEnd + 6) continue;
        svg.text(at, frame.bottom + 15, tick.label, kSmall, Anchor::Middle, "u");
        lastEnd = at + half;
    }
    svg.rule(frame.left, frame.bottom, frame.right, frame.bottom, "a");
    svg.text((frame.left + frame.right) / 2, frame.bottom + 30, xTitle, kSmall, Anchor::Middle, "u");
}

/// The line of a series: broken at NaN, and in a picture narrower than its points the first, least, greatest and last of each pixel column.
std::string linePath(const Series& series, const Axis& x, const Axis& y) {
    std::string data;
    bool down = false;
    std::size_t i = 0;
    const std::vector<Point>& points = series.points;
    while (i < points.size()) {
        if (!x.shows(points[i].x) || !std::isfinite(points[i].y)) {
            down = false;
            ++i;
            continue;
        }
        const double column = std::floor(x.at(points[i].x));
        std::size_t end = i, least = i, greatest = i;
        for (; end < points.size() && x.shows(points[end].x) && std::isfinite(points[end].y) && std::floor(x.at(points[end].x)) == column; ++end) {
            if (points[end].y < points[least].y) least = end;
            if (points[end].y > points[greatest].y) greatest = end;
        }
        std::vector<std::size_t> kept = {i, least, greatest, end - 1};
        std::sort(kept.begin(), kept.end());
        kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
        for (const std::size_t at : kept) {
            const double px = x.at(points[at].x), py = y.at(points[at].y);
            data += down ? lineTo(px, py) : move(px, py);
            down = true;
        }
        i = end;
    }
    return data;
}

/// NaN as a cross on the axis, infinities as triangles at the edges: never passed over.
void drawNonFinite(SvgText& svg, const Frame& frame, const Series& series, const Axis& x) {
    for (const Point& point : series.points) {
        if (std::isfinite(point.y) || !x.shows(point.x)) continue;
        const double px = x.at(point.x);
        if (std::isnan(point.y)) {
            svg.path(
                move(px - 3, frame.bottom - 3) + lineTo(px + 3, frame.bottom + 3) + move(px - 3, frame.bottom + 3) + lineTo(px + 3, frame.bottom - 3),
                series.colour, 1.6, {});
        } else {
            const double tip = point.y > 0 ? frame.top : frame.bottom, foot = point.y > 0 ? tip + 7 : tip - 7;
            svg.area(move(px, tip) + lineTo(px + 4, foot) + lineTo(px - 4, foot) + "z", series.colour, 1);
        }
    }
}

struct EndLetter {
    double x, y;
    std::string letter;
    int colour;
};

/// Letters at the ends of lines, moved apart where they would cover each other.
void drawLetters(SvgText& svg, std::vector<EndLetter> letters, const Frame& frame) {
    std::stable_sort(letters.begin(), letters.end(), [](const EndLetter& a, const EndLetter& b) { return a.y < b.y; });
    constexpr double apart = 11;
    for (std::size_t i = 1; i < letters.size(); ++i) letters[i].y = std::max(letters[i].y, letters[i - 1].y + apart);
    if (!letters.empty() && letters.back().y > frame.bottom) {
        letters.back().y = frame.bottom;
        for (std::size_t i = letters.size() - 1; i > 0; --i) letters[i - 1].y = std::min(letters[i - 1].y, letters[i].y - apart);
    }
    for (const EndLetter& letter : letters) {
        svg.text(letter.x, letter.y + 4, letter.letter, kText, Anchor::Start, fmt::format("f{}", letter.colour % kPaletteSize), true);
    }
}

std::string drawXy(const XyChart& chart, int width) {
    Axis x(chart.logX), y(chart.logY);
    for (const Series& series : chart.series) {
        for (const Point& point : series.points) {
            for (const double value : {point.x, point.xLow, point.xHigh}) x.take(value);
            for (const double value : {point.y, point.low, point.high}) y.take(value);
        }
    }
    if (chart.zeroLine) y.take(*chart.zeroLine);
    const bool scattered = std::none_of(chart.series.begin(), chart.series.end(), [](const Series& s) { return s.line && !s.faint; });
    x.finish(scattered ? 0.06 : 0.01, std::max(3, width / 90));
    y.finish(0.06, std::max(3, chart.height / 48));
    double labelWidth = 14;
    for (const Tick& tick : y.ticks()) labelWidth = std::max(labelWidth, textWidth(tick.label, kSmall));
    const bool hasLetters = std::any_of(chart.series.begin(), chart.series.end(), [](const Series& s) { return !s.letter.empty(); });
    const double top = (chart.title.empty() ? 4.0 : 20.0) + 16 + (chart.marks.empty() ? 0 : 12);
    const double height = top + chart.height + 36;
    const Frame frame{labelWidth + 9, top, width - (hasLetters ? 20.0 : 10.0), top + chart.height};
    x.place(frame.left, frame.right);
    y.place(frame.bottom, frame.top);

    SvgText svg(width, height, chart.title.empty() ? chart.yTitle : chart.title + ": " + chart.yTitle);
    if (!chart.title.empty()) svg.text(0, 13, textCutTo(chart.title, width, kText), kText, Anchor::Start, "t", true);
    svg.text(0, chart.title.empty() ? 12 : 29, textCutTo(chart.yTitle, width, kSmall), kSmall, Anchor::Start, "u");
    drawAxes(svg, frame, x, y, chart.xTitle);
    if (chart.zeroLine) svg.line(frame.left, y.at(*chart.zeroLine), frame.right, y.at(*chart.zeroLine), -1, 1, 0.7, "4 3");
    double lastMark = -1e9;
    for (const VerticalMark& mark : chart.marks) {
        const double at = x.at(mark.x);
        svg.line(at, frame.top - 2, at, frame.bottom, mark.colour, 1, 0.55, "3 3");
        if (at - lastMark < 10) continue;
        svg.text(at, frame.top - 5, mark.label, 9.5, Anchor::Middle, mark.colour < 0 ? "u" : fmt::format("f{}", mark.colour % kPaletteSize), true);
        lastMark = at + textWidth(mark.label, 9.5) / 2;
    }
    std::vector<EndLetter> letters;
    for (const Series& series : chart.series) {
        const double opacity = series.faint ? 0.4 : 1;
        if (series.line) {
            if (const std::string data = linePath(series, x, y); !data.empty()) {
                svg.path(data, series.colour, series.faint ? 1 : 1.7, dashArray(series.dash), opacity);
            }
        }
        const Point* last = nullptr;
        for (const Point& point : series.points) {
            if (!x.shows(point.x) || !y.shows(point.y)) continue;
            const double px = x.at(point.x), py = y.at(point.y);
            if (point.low <= point.high) svg.line(px, y.at(point.low), px, y.at(point.high), series.colour, 1.3, opacity);
            if (point.xLow <= point.xHigh) svg.line(x.at(point.xLow), py, x.at(point.xHigh), py, series.colour, 1.3, opacity);
            if (series.marks) {
                if (series.colour < 0) {
                    svg.diamond(px, py, 5, -1);
                } else {
                    svg.dot(px, py, series.faint ? 2.2 : 3.4, series.colour, series.open, series.faint ? 0.6 : 1);
                }
            }
            if (!point.label.empty()) {
                const bool right = px + 8 + textWidth(point.label, kSmall) > frame.right;
                svg.text(right ? px - 7 : px + 7, py - 6, point.label, kSmall, right ? Anchor::End : Anchor::Start,
                         series.colour < 0 ? "t" : fmt::format("f{}", series.colour % kPaletteSize), true);
            }
            last = &point;
        }
        drawNonFinite(svg, frame, series, x);
        if (last != nullptr && !series.letter.empty()) letters.push_back({frame.right + 5, y.at(last->y), series.letter, std::max(0, series.colour)});
    }
    drawLetters(svg, std::move(letters), frame);
    if (chart.corner == "top left") svg.text(frame.left + 6, frame.top + 12, "\u2196 better", kSmall, Anchor::Start, "u");
    if (chart.corner == "top right") svg.text(frame.right - 6, frame.top + 12, "better \u2197", kSmall, Anchor::End, "u");
    return svg.finish();
}

double scaleShare(const MapScale& scale, double value) {
    if (scale.logarithmic) {
        if (value <= 0) return 0;
        return std::log(value / scale.low) / std::log(scale.high / scale.low);
    }
    return scale.high > scale.low ? (value - scale.low) / (scale.high - scale.low) : 0.5;
}

std::string drawMap(const MapChart& chart, int width, const MapScale& scale) {
    double labelWidth = 0;
    for (const std::string& row : chart.rows) labelWidth = std::max(labelWidth, textWidth(row, kSmall));
    const auto rows = static_cast<double>(chart.rows.size()), columns = static_cast<double>(chart.columns.size());
    const double rowHeight = std::clamp(190.0 / std::max(1.0, rows), 2.5, 14.0);
    const Frame frame{labelWidth + 6, 22, width - 8.0, 22 + rows * rowHeight};
    SvgText svg(width, frame.bottom + 34, chart.title);
    svg.text(0, 13, textCutTo(chart.title, width, kText), kText, Anchor::Start, "t", true);
    const double columnWidth = (frame.right - frame.left) / std::max(1.0, columns);
    // All cells of a colour are one path: a tenth of the bytes of single rectangles.
    constexpr int shades = 96;
    std::map<int, std::string> paths;
    std::string missing;
    for (std::size_t row = 0; row < chart.rows.size(); ++row) {
        const double y = frame.top + static_cast<double>(row) * rowHeight;
        for (std::size_t column = 0; column < chart.columns.size();) {
            const auto shadeAt = [&](std::size_t at) {
                const double value = chart.values[row][at];
                return std::isfinite(value) ? static_cast<int>(std::lround(std::clamp(scaleShare(scale, value), 0.0, 1.0) * shades)) : -1;
            };
            const int shade = shadeAt(column);
            std::size_t end = column + 1;
            while (end < chart.columns.size() && shadeAt(end) == shade) ++end;
            // A hair more than the cell, so that no seams show between neighbours.
            const std::string cell = fmt::format("{}h{}v{}h{}z", move(frame.left + static_cast<double>(column) * columnWidth, y),
                                                 coordinate(static_cast<double>(end - column) * columnWidth + 0.3), coordinate(rowHeight + 0.3),
                                                 coordinate(-static_cast<double>(end - column) * columnWidth - 0.3));
            (shade < 0 ? missing : paths[shade]) += cell;
            column = end;
        }
    }
    if (!missing.empty()) svg.fill(missing, "#9AA1A8");
    for (const auto& [shade, data] : paths) svg.fill(data, rampColour(scale.ramp, static_cast<double>(shade) / shades));
    double lastLabel = -1e9;
    for (std::size_t row = 0; row < chart.rows.size(); ++row) {
        const double middle = frame.top + (static_cast<double>(row) + 0.5) * rowHeight;
        const bool lastRow = row + 1 == chart.rows.size();
        if (middle - lastLabel < 11 || (!lastRow && frame.bottom - rowHeight / 2 - middle < 11)) continue;
        svg.text(frame.left - 4, middle + 3.6, chart.rows[row], kSmall, Anchor::End, "u");
        lastLabel = middle;
    }
    double lastEnd = -1e9;
    const std::size_t every = std::max<std::size_t>(1, chart.columns.size() / std::max<std::size_t>(2, static_cast<std::size_t>(width) / 70));
    for (std::size_t column = 0; column < chart.columns.size(); column += every) {
        const std::string label = tickLabel(chart.columns[column], 1);
        const double at = frame.left + (static_cast<double>(column) + 0.5) * columnWidth, half = textWidth(label, kSmall) / 2;
        if (at - half < lastEnd + 6) continue;
        svg.text(at, frame.bottom + 13, label, kSmall, Anchor::Middle, "u");
        lastEnd = at + half;
    }
    svg.text((frame.left + frame.right) / 2, frame.bottom + 28, chart.xTitle, kSmall, Anchor::Middle, "u");
    return svg.finish();
}

std::string drawForest(const ForestChart& chart, int width) {
    Axis x;
    x.take(0);
    double labelWidth = 40, textColumn = 20, groupWidth = 0;
    for (const ForestRow& row : chart.rows) {
        for (const double value : {row.value, row.low, row.high}) x.take(value);
        labelWidth = std::max(labelWidth, textWidth(row.label, kSmall));
        groupWidth = std::max(groupWidth, 1.12 * textWidth(row.group, kSmall));
        textColumn = std::max(textColumn, textWidth(row.text, kSmall));
    }
    groupWidth = std::min(groupWidth + 12, width * 0.24);
    labelWidth = std::min(labelWidth + 10, width * 0.22);
    textColumn = std::min(textColumn * 1.1 + 12, width * 0.28);
    constexpr double rowHeight = 19;
    const double top = (chart.title.empty() ? 4 : 20) + 16;
    const Frame frame{groupWidth + labelWidth, top, width - textColumn, top + static_cast<double>(chart.rows.size()) * rowHeight + 6};
    x.finish(0.08, std::max(3, static_cast<int>(frame.right - frame.left) / 80));
    x.place(frame.left, frame.right);
    SvgText svg(width, frame.bottom + 36, chart.title.empty() ? chart.xTitle : chart.title);
    if (!chart.title.empty()) svg.text(0, 13, textCutTo(chart.title, width, kText), kText, Anchor::Start, "t", true);
    const double zero = x.at(0);
    if (!chart.leftText.empty()) svg.text(zero - 8, top - 5, "\u2190 " + chart.leftText, kSmall, Anchor::End, "u");
    if (!chart.rightText.empty()) svg.text(zero + 8, top - 5, chart.rightText + " \u2192", kSmall, Anchor::Start, "u");
    for (const Tick& tick : x.ticks()) {
        svg.rule(x.at(tick.value), frame.top, x.at(tick.value), frame.bottom, "g");
        svg.text(x.at(tick.value), frame.bottom + 14, tick.label, kSmall, Anchor::Middle, "u");
    }
    svg.rule(frame.left, frame.bottom, frame.right, frame.bottom, "a");
    svg.line(zero, frame.top, zero, frame.bottom, -1, 1.2, 0.8);
    svg.text((frame.left + frame.right) / 2, frame.bottom + 30, chart.xTitle, kSmall, Anchor::Middle, "u");
    std::string group;
    for (std::size_t i = 0; i < chart.rows.size(); ++i) {
        const ForestRow& row = chart.rows[i];
        const double y = frame.top + 3 + (static_cast<double>(i) + 0.5) * rowHeight;
        if (row.group != group) {
            if (i > 0) svg.rule(0, y - rowHeight / 2, frame.right, y - rowHeight / 2, "g");
            svg.text(0, y + 3.6, textCutTo(row.group, groupWidth - 6, kSmall), kSmall, Anchor::Start, "t", true);
            group = row.group;
        }
        svg.text(groupWidth, y + 3.6, textCutTo(row.label, labelWidth - 4, kSmall), kSmall, Anchor::Start, "t");
        if (row.low <= row.high) {
            svg.line(x.at(row.low), y, x.at(row.high), y, row.colour, 1.8);
            for (const double end : {row.low, row.high}) svg.line(x.at(end), y - 3.5, x.at(end), y + 3.5, row.colour, 1.8);
        }
        if (std::isfinite(row.value)) svg.dot(x.at(row.value), y, 3.6, row.colour, !(row.low <= row.high));
        svg.text(frame.right + 8, y + 3.6, textCutTo(row.text, textColumn - 8, kSmall), kSmall, Anchor::Start, "u");
    }
    return svg.finish();
}

}  // namespace

std::string svgOf(const Chart& chart, int width, const MapScale* scale) {
    if (const auto* xy = std::get_if<XyChart>(&chart)) return drawXy(*xy, width);
    if (const auto* map = std::get_if<MapChart>(&chart)) return drawMap(*map, width, scale != nullptr ? *scale : MapScale{});
    return drawForest(std::get<ForestChart>(chart), width);
}

std::string svgOfScale(const MapScale& scale, int width) {
    SvgText svg(width, 40, scale.title);
    const double barLeft = 8, barWidth = width - 16.0;
    constexpr int pieces = 64;
    for (int i = 0; i < pieces; ++i) {
        svg.fill(fmt::format("{}h{}v9h{}z", move(barLeft + barWidth * i / pieces, 14), coordinate(barWidth / pieces + 0.3),
                             coordinate(-barWidth / pieces - 0.3)),
                 rampColour(scale.ramp, (i + 0.5) / pieces));
    }
    svg.text(barLeft, 10, scale.title, kSmall, Anchor::Start, "u");
    Axis axis(scale.logarithmic);
    axis.take(scale.low);
    axis.take(scale.high);
    axis.finish(0, 4);
    axis.place(barLeft, barLeft + barWidth);
    double lastEnd = -1e9;
    for (const Tick& tick : axis.ticks()) {
        const double half = textWidth(tick.label, kSmall) / 2, at = std::clamp(axis.at(tick.value), half, width - half);
        if (at - half < lastEnd + 6) continue;
        svg.rule(axis.at(tick.value), 23, axis.at(tick.value), 26, "a");
        svg.text(at, 37, tick.label, kSmall, Anchor::Middle, "u");
        lastEnd = at + half;
    }
    return svg.finish();
}

std::string svgOfSwatch(int colour, int dash) {
    SvgText svg(26, 10, "");
    svg.line(0, 5, 26, 5, colour, 2.4, 1, dashArray(dash));
    return svg.finish();
}

}  // namespace mofo::report
