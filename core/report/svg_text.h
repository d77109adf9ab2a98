// Building blocks of the pictures.
#pragma once

#include <string>
#include <string_view>

namespace mofo::report {

enum class Anchor { Start, Middle, End };

/// How wide a text will be, about: no font is at hand.
[[nodiscard]] double textWidth(std::string_view text, double size);
/// The text cut to a width, with an ellipsis.
[[nodiscard]] std::string textCutTo(const std::string& text, double width, double size);

class SvgText {
public:
    SvgText(double width, double height, std::string_view title);
    void text(double x, double y, std::string_view text, double size, Anchor anchor, std::string_view kind = "t", bool bold = false);
    /// kind: g grid, a axis, i ink; colour -1 and above: of a run.
    void rule(double x1, double y1, double x2, double y2, std::string_view kind, double width = 1);
    void line(double x1, double y1, double x2, double y2, int colour, double width, double opacity = 1, std::string_view dash = {});
    void path(const std::string& data, int colour, double width, std::string_view dash, double opacity = 1);
    void dot(double x, double y, double radius, int colour, bool open, double opacity = 1);
    void diamond(double x, double y, double radius, int colour);
    void area(const std::string& data, int colour, double opacity);
    void fill(const std::string& data, std::string_view colour);
    [[nodiscard]] std::string finish();

private:
    std::string m_out;
};

}  // namespace mofo::report
