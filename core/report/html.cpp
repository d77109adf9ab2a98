#include "core/report/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/report/markup.h"
#include "core/report/palette.h"
#include "core/report/svg.h"

namespace mofo::report {

namespace {

constexpr int kTextWidth = 800, kPanelGap = 20;

constexpr std::string_view kStyle =
    R"(:root{color-scheme:light dark;--bg:#FFFFFF;--ink:#1B1E20;--soft:#5C636A;--grid:#E4E6E9;--axis:#8A9199;--rule:#1B1E20;--panel:#F5F6F7;--mark:#FFF0B8}
html{background:var(--bg);color:var(--ink);font:16px/1.55 Charter,'Bitstream Charter','Source Serif 4','Noto Serif','Noto Serif CJK JP',Georgia,serif}
body{max-width:50rem;margin:0 auto;padding:2.6rem 1.4rem 5rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .3rem}
h2{font-size:1.22rem;margin:2.6rem 0 .6rem;padding-top:.5rem;border-top:1px solid var(--grid)}
h2 .no{color:var(--soft);font-weight:normal;margin-right:.55em}
p{margin:.5rem 0}
.sub{color:var(--soft);font-size:1.02rem;margin:.1rem 0}
.date,.note,figcaption,caption,.small{font-size:.86rem;line-height:1.45}
.date,.note{color:var(--soft)}
ul,ol{padding-left:1.3rem;margin:.4rem 0}
li{margin:.35rem 0}
.key{list-style:none;padding:0;margin:.4rem 0 .6rem;font-size:.86rem;display:flex;flex-wrap:wrap;gap:.2rem 1.3rem}
.key li{margin:0;white-space:nowrap}
.key svg{vertical-align:middle;margin-right:.45em}
figure{margin:1.4rem 0 1.8rem}
.panels{display:grid;gap:1rem 20px}
.p1{grid-template-columns:1fr}.p2{grid-template-columns:1fr 1fr}.p3{grid-template-columns:1fr 1fr 1fr}
svg{display:block;max-width:100%;height:auto;font-family:'Source Sans 3','Noto Sans','Noto Sans CJK JP','Helvetica Neue',Arial,sans-serif}
.key svg,.sw svg{display:inline-block;max-width:none}
.scale{margin-top:.5rem}
figcaption{margin-top:.55rem}
caption{caption-side:top;text-align:left;margin-bottom:.45rem}
figcaption b,caption b{margin-right:.35em}
.wide{overflow-x:auto;margin:1.3rem 0 1.6rem}
table{border-collapse:collapse;font-size:.86rem;line-height:1.35;width:100%;border-top:1.6px solid var(--rule);border-bottom:1.6px solid var(--rule)}
th{font-weight:600;text-align:left;vertical-align:bottom;border-bottom:1px solid var(--rule);padding:.36rem .7rem .3rem 0}
td{padding:.26rem .7rem .26rem 0;vertical-align:top;border-bottom:1px solid var(--grid);overflow-wrap:break-word}
.long td{overflow-wrap:anywhere;min-width:5.5rem}
tr:last-child td{border-bottom:0}
td:last-child,th:last-child{padding-right:0}
.n{text-align:right;font-variant-numeric:tabular-nums lining-nums}
td.n,td.r{white-space:nowrap;overflow-wrap:normal}
.u2{color:var(--soft);font-size:.92em}
td .sw{display:inline-block;vertical-align:middle;margin-right:.4em}
pre{background:var(--panel);padding:.7rem .9rem;font:.8rem/1.5 'Source Code Pro','Noto Sans Mono','DejaVu Sans Mono',monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:.6rem 0}
details{margin:.8rem 0}
summary{cursor:pointer;font-weight:600}
.answer{margin:1.2rem 0}
.prompt{font-weight:600;white-space:pre-wrap;overflow-wrap:anywhere}
.says{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.9rem;margin-top:.4rem}
.says div{background:var(--panel);padding:.6rem .8rem;font-size:.86rem;overflow-wrap:anywhere}
.says p{white-space:pre-wrap;margin:.25rem 0 0}
mark{background:var(--mark);color:inherit;text-decoration:underline;text-underline-offset:.15em}
.t{fill:var(--ink)}.u{fill:var(--soft)}.g{stroke:var(--grid)}.a{stroke:var(--axis)}.si{stroke:var(--ink)}.fi{fill:var(--ink)}
)";

std::string paletteStyle() {
    std::string light, dark;
    for (int i = 0; i < kPaletteSize; ++i) {
        light += fmt::format(".s{0}{{stroke:var(--c{0})}}.f{0}{{fill:var(--c{0})}}", i);
        dark += fmt::format("--c{}:{};", i, darkColour(i));
    }
    std::string style = ":root{";
    for (int i = 0; i < kPaletteSize; ++i) style += fmt::format("--c{}:{};", i, lightColour(i));
    style += "}\n" + light + '\n';
    style +=
        "@media screen and (prefers-color-scheme:dark){:root{--bg:#1B1E20;--ink:#E6E6E6;--soft:#A9B0B7;--grid:#34393D;--axis:#7A828A;--rule:#B9BFC5;"
        "--panel:#25292C;--mark:#5A4A12;" +
        dark + "}}\n";
    style +=
        "@media (max-width:46rem){.p2,.p3{grid-template-columns:1fr}}\n"
        "@media print{html{font-size:10.5pt}body{max-width:none;padding:0}figure,table,.answer{break-inside:avoid}h2{break-after:avoid}"
        ".wide{overflow:visible}@page{size:A4;margin:18mm 16mm}}\n";
    return style;
}

/// Words of `text` that are not in the longest common subsequence with `reference` are marked.
std::string markedDifferences(const std::string& reference, const std::string& text) {
    const auto words = [](const std::string& from) {
        std::vector<std::string> list;
        std::string word;
        for (const char c : from) {
            const bool blank = c == ' ' || c == '\n' || c == '\t';
            if (!word.empty() && blank != (word.front() == ' ' || word.front() == '\n' || word.front() == '\t')) {
                list.push_back(std::move(word));
                word.clear();
            }
            word += c;
        }
        if (!word.empty()) list.push_back(std::move(word));
        if (list.size() > 2000) list.resize(2000);
        return list;
    };
    const std::vector<std::string> a = words(reference), b = words(text);
    std::vector<std::vector<std::uint16_t>> common(a.size() + 1, std::vector<std::uint16_t>(b.size() + 1, 0));
    for (std::size_t i = a.size(); i-- > 0;) {
        for (std::size_t j = b.size(); j-- > 0;) {
            common[i][j] = a[i] == b[j] ? static_cast<std::uint16_t>(common[i + 1][j + 1] + 1) : std::max(common[i + 1][j], common[i][j + 1]);
        }
    }
    std::string out;
    for (std::size_t i = 0, j = 0; j < b.size();) {
        if (i < a.size() && a[i] == b[j]) {
            out += escapeMarkupLines(b[j]);
            ++i, ++j;
        } else if (i < a.size() && common[i + 1][j] >= common[i][j + 1]) {
            ++i;
        } else {
            out += "<mark>" + escapeMarkupLines(b[j]) + "</mark>";
            ++j;
        }
    }
    return out;
}

class Renderer {
public:
    std::string render(const Document& document);

private:
    void add(const Paragraph& paragraph);
    void add(const Bullets& bullets);
    void add(const Table& table);
    void add(const Figure& figure);
    void add(const Code& code) { m_out += "<pre>" + escapeMarkupLines(code.text) + "</pre>\n"; }
    void add(const Answers& answers);
    void add(const Folded& folded);
    void addAll(const std::vector<Block>& blocks) {
        for (const Block& block : blocks) std::visit([&](const auto& one) { add(one); }, block);
    }
    void legend(const std::vector<LegendEntry>& entries);
    std::string m_out;
    int m_figures = 0, m_tables = 0;
};

std::string paragraphText(const Paragraph& paragraph) {
    std::string out;
    if (!paragraph.lead.empty()) out += "<b>" + escapeMarkup(paragraph.lead) + "</b> ";
    return out + escapeMarkup(paragraph.text);
}

void Renderer::add(const Paragraph& paragraph) { m_out += (paragraph.note ? "<p class=\"note\">" : "<p>") + paragraphText(paragraph) + "</p>\n"; }

void Renderer::add(const Bullets& bullets) {
    const std::string tag = bullets.numbered ? "ol" : "ul";
    m_out += '<' + tag + ">\n";
    for (const Paragraph& item : bullets.items) m_out += "<li>" + paragraphText(item) + "</li>\n";
    m_out += "</" + tag + ">\n";
}

void Renderer::legend(const std::vector<LegendEntry>& entries) {
    if (entries.empty()) return;
    m_out += "<ul class=\"key\">";
    for (const LegendEntry& entry : entries) m_out += "<li>" + svgOfSwatch(entry.colour, entry.dash) + escapeMarkup(entry.label) + "</li>";
    m_out += "</ul>\n";
}

void Renderer::add(const Table& table) {
    m_out += table.longTexts ? "<div class=\"wide\"><table class=\"long\">" : "<div class=\"wide\"><table>";
    if (!table.caption.empty()) m_out += fmt::format("<caption><b>Table {}.</b>{}</caption>", ++m_tables, escapeMarkup(table.caption));
    m_out += "<thead><tr>";
    for (const Column& column : table.columns) {
        m_out += fmt::format("<th{} scope=\"col\">{}</th>", column.number ? " class=\"n\"" : "", escapeMarkup(column.title));
    }
    m_out += "</tr></thead>\n<tbody>\n";
    for (const std::vector<Cell>& row : table.rows) {
        m_out += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) {
            const Cell& cell = row[i];
            const bool shortRun = cell.colour > -2 && cell.text.size() <= 28;
            m_out += table.columns[i].number ? "<td class=\"n\">" : shortRun ? "<td class=\"r\">" : "<td>";
            if (cell.repeated) {
                m_out += "</td>";
                continue;
            }
            if (cell.colour > -2) m_out += "<span class=\"sw\">" + svgOfSwatch(cell.colour, 0) + "</span>";
            m_out += (cell.strong ? "<b>" : "") + escapeMarkup(cell.text) + (cell.strong ? "</b>" : "") +
                     (cell.below.empty() ? "" : "<br><span class=\"u2\">" + escapeMarkup(cell.below) + "</span>") + "</td>";
        }
        m_out += "</tr>\n";
    }
    m_out += "</tbody></table>";
    if (!table.note.empty()) m_out += "<p class=\"note\">" + escapeMarkup(table.note) + "</p>";
    m_out += "</div>\n";
}

void Renderer::add(const Figure& figure) {
    m_out += "<figure>\n";
    legend(figure.legend);
    const int columns = std::clamp(figure.columns, 1, 3);
    const int width = (kTextWidth - (columns - 1) * kPanelGap) / columns;
    m_out += fmt::format("<div class=\"panels p{}\">\n", columns);
    for (const Chart& panel : figure.panels) m_out += svgOf(panel, width, figure.scale ? &*figure.scale : nullptr) + '\n';
    m_out += "</div>\n";
    if (figure.scale) m_out += "<div class=\"scale\">" + svgOfScale(*figure.scale, 320) + "</div>\n";
    m_out += fmt::format("<figcaption><b>Figure {}.</b>{}</figcaption>\n</figure>\n", ++m_figures, escapeMarkup(figure.caption));
}

void Renderer::add(const Answers& answers) {
    m_out += "<div class=\"answer\"><p class=\"prompt\">" + escapeMarkupLines(answers.prompt) + "</p>\n<div class=\"says\">";
    for (std::size_t i = 0; i < answers.answers.size(); ++i) {
        const Answers::One& one = answers.answers[i];
        m_out += "<div><span class=\"sw\">" + svgOfSwatch(one.colour, 0) + "</span> <b>" + escapeMarkup(one.who) + "</b><p>" +
                 (i == 0 ? escapeMarkupLines(one.text) : markedDifferences(answers.answers.front().text, one.text)) + "</p></div>";
    }
    m_out += "</div></div>\n";
}

void Renderer::add(const Folded& folded) {
    m_out += "<details><summary>" + escapeMarkup(folded.title) + "</summary>\n";
    addAll(folded.blocks);
    m_out += "</details>\n";
}

std::string Renderer::render(const Document& document) {
    m_out =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">\n";
    m_out += "<meta name=\"generator\" content=\"" + escapeMarkup(document.program) + "\">\n";
    m_out += "<title>" + escapeMarkup(document.title) + "</title>\n<style>\n";
    m_out += kStyle;
    m_out += paletteStyle() + "</style>\n</head>\n<body>\n<header>\n<h1>" + escapeMarkup(document.title) + "</h1>\n<p class=\"sub\">" +
             escapeMarkup(document.subtitle) + "</p>\n<p class=\"date\">" + escapeMarkup(document.program) + ", written " +
             escapeMarkup(document.date) + "</p>\n";
    legend(document.runs);
    m_out += "</header>\n<main>\n";
    int number = 0;
    for (const Section& section : document.sections) {
        m_out += fmt::format("<section id=\"{}\">\n<h2><span class=\"no\">{}</span>{}</h2>\n", escapeMarkup(section.name), ++number,
                             escapeMarkup(section.title));
        addAll(section.blocks);
        m_out += "</section>\n";
    }
    m_out += "</main>\n</body>\n</html>\n";
    return std::move(m_out);
}

}  // namespace

std::string htmlOf(const Document& document) { return Renderer().render(document); }

}  // namespace mofo::report
