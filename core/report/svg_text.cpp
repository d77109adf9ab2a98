#include "core/report/svg_text.h"

#include <fmt/format.h>

#include "core/report/markup.h"
#include "core/report/palette.h"

namespace mofo::report {

namespace {

std::string strokeOf(int colour) {
    return fmt::format("class=\"s{}\" stroke=\"{}\"", colour < 0 ? std::string("i") : std::to_string(colour % kPaletteSize), lightColour(colour));
}
std::string fillOf(int colour) {
    return fmt::format("class=\"f{}\" fill=\"{}\"", colour < 0 ? std::string("i") : std::to_string(colour % kPaletteSize), lightColour(colour));
}
std::string opacityText(std::string_view name, double opacity) {
    return opacity < 1 ? fmt::format(" {}=\"{}\"", name, coordinate(opacity)) : std::string();
}
std::string dashText(std::string_view dash) { return dash.empty() ? std::string() : fmt::format(" stroke-dasharray=\"{}\"", dash); }

std::string_view colourOf(std::string_view kind) {
    if (kind == "g") return "#E4E6E9";
    if (kind == "a") return "#8A9199";
    if (kind == "u") return "#5C636A";
    return "#1B1E20";
}

}  // namespace

double textWidth(std::string_view text, double size) {
    double width = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0xe3 && byte < 0xf0) {
            width += 1.0;  // CJK, mostly
        } else if (byte >= 0xc0 || byte < 0x80) {
            const bool narrow = c == 'i' || c == 'l' || c == '.' || c == ',' || c == ':' || c == ' ' || c == 'j' || c == 't' || c == 'f';
            const bool wide = c == 'm' || c == 'w' || c == 'M' || c == 'W' || c == '%' || c == '@';
            width += narrow ? 0.33 : wide ? 0.95 : 0.62;
        }
    }
    return width * size;
}

std::string textCutTo(const std::string& text, double width, double size) {
    if (textWidth(text, size) <= width) return text;
    std::string cut = text;
    while (!cut.empty() && textWidth(cut + "\u2026", size) > width) {
        do {
            cut.pop_back();
        } while (!cut.empty() && (static_cast<unsigned char>(cut.back()) & 0xc0) == 0x80);
        if (!cut.empty() && static_cast<unsigned char>(cut.back()) >= 0xc0) cut.pop_back();
    }
    return cut + "\u2026";
}

SvgText::SvgText(double width, double height, std::string_view title) {
    const std::string w = coordinate(width), h = coordinate(height);
    m_out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.2\" baseProfile=\"tiny\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" "
        "font-family=\"sans-serif\" fill=\"none\"><title>{}</title>\n",
        w, h, w, h, escapeMarkup(title));
}

void SvgText::text(double x, double y, std::string_view text, double size, Anchor anchor, std::string_view kind, bool bold) {
    const bool ofRun = kind.size() > 1 && kind.front() == 'f';
    m_out += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\"{}{} class=\"{}\" fill=\"{}\">{}</text>\n", coordinate(x), coordinate(y),
                         coordinate(size),
                         anchor == Anchor::Start    ? ""
                         : anchor == Anchor::Middle ? " text-anchor=\"middle\""
                                                    : " text-anchor=\"end\"",
                         bold ? " font-weight=\"bold\"" : "", kind, ofRun && kind != "fi" ? lightColour(kind[1] - '0') : std::string(colourOf(kind)),
                         escapeMarkup(text));
}

void SvgText::rule(double x1, double y1, double x2, double y2, std::string_view kind, double width) {
    m_out += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{}\" stroke=\"{}\" stroke-width=\"{}\"/>\n", coordinate(x1),
                         coordinate(y1), coordinate(x2), coordinate(y2), kind, colourOf(kind), coordinate(width));
}

void SvgText::line(double x1, double y1, double x2, double y2, int colour, double width, double opacity, std::string_view dash) {
    m_out += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {} stroke-width=\"{}\"{}{}/>\n", coordinate(x1), coordinate(y1),
                         coordinate(x2), coordinate(y2), strokeOf(colour), coordinate(width), dashText(dash), opacityText("stroke-opacity", opacity));
}

void SvgText::path(const std::string& data, int colour, double width, std::string_view dash, double opacity) {
    m_out += fmt::format("<path d=\"{}\" {} stroke-width=\"{}\" stroke-linejoin=\"round\" fill=\"none\"{}{}/>\n", data, strokeOf(colour),
                         coordinate(width), dashText(dash), opacityText("stroke-opacity", opacity));
}

void SvgText::dot(double x, double y, double radius, int colour, bool open, double opacity) {
    if (open) {
        m_out += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {} stroke-width=\"1.5\" fill=\"none\"{}/>\n", coordinate(x), coordinate(y),
                             coordinate(radius), strokeOf(colour), opacityText("stroke-opacity", opacity));
    } else {
        m_out += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}{}/>\n", coordinate(x), coordinate(y), coordinate(radius), fillOf(colour),
                             opacityText("fill-opacity", opacity));
    }
}

void SvgText::diamond(double x, double y, double radius, int colour) {
    m_out += fmt::format("<path d=\"M{} {}l{} {}l{} {}l{} {}z\" {}/>\n", coordinate(x), coordinate(y - radius), coordinate(radius),
                         coordinate(radius), coordinate(-radius), coordinate(radius), coordinate(-radius), coordinate(-radius), fillOf(colour));
}

void SvgText::area(const std::string& data, int colour, double opacity) {
    m_out += fmt::format("<path d=\"{}\" {}{}/>\n", data, fillOf(colour), opacityText("fill-opacity", opacity));
}

void SvgText::fill(const std::string& data, std::string_view colour) { m_out += fmt::format("<path d=\"{}\" fill=\"{}\"/>\n", data, colour); }

std::string SvgText::finish() { return std::move(m_out) + "</svg>"; }

}  // namespace mofo::report
