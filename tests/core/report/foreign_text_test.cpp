// Names and texts from elsewhere in a report: they are shown, and nothing of them becomes markup.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/report/html.h"
#include "core/report/tables_out.h"
#include "tests/core/report/report_support.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

using test::addProbedRun;
using test::HtmlElement;
using test::HtmlPage;
using test::readHtml;

const std::set<std::string>& ourElements() {
    static const std::set<std::string> names = {
        "html", "head", "meta", "title", "style",  "body",  "header",  "main",    "section", "h1",         "h2", "p",  "b",
        "span", "ul",   "ol",   "li",    "div",    "table", "caption", "thead",   "tbody",   "tr",         "th", "td", "figure",
        "svg",  "path", "line", "text",  "circle", "pre",   "details", "summary", "mark",    "figcaption", "br"};
    return names;
}

const std::set<std::string>& ourAttributes() {
    static const std::set<std::string> names = {"lang",
                                                "charset",
                                                "name",
                                                "content",
                                                "class",
                                                "id",
                                                "scope",
                                                "xmlns",
                                                "version",
                                                "baseProfile",
                                                "width",
                                                "height",
                                                "viewBox",
                                                "font-family",
                                                "fill",
                                                "d",
                                                "stroke",
                                                "stroke-width",
                                                "stroke-linejoin",
                                                "stroke-dasharray",
                                                "stroke-opacity",
                                                "fill-opacity",
                                                "x",
                                                "y",
                                                "x1",
                                                "x2",
                                                "y1",
                                                "y2",
                                                "cx",
                                                "cy",
                                                "r",
                                                "font-size",
                                                "font-weight",
                                                "text-anchor"};
    return names;
}

void expectOurs(const HtmlPage& page) {
    EXPECT_TRUE(page.problems.empty()) << testing::PrintToString(page.problems);
    for (const HtmlElement& element : page.elements) {
        EXPECT_TRUE(ourElements().contains(element.name)) << element.name;
        for (const auto& [name, value] : element.attributes)
            EXPECT_TRUE(ourAttributes().contains(name)) << element.name << ' ' << name << '=' << value;
    }
}

TEST(ReadHtml, NoticesWhatABrowserWouldMend) {
    for (const char* broken :
         {"<p>a & b</p>", "<p>a < b</p>", "<p class=x>a</p>", "<p>a", "<b><p>a</b></p>", "<p a=\"1\" a=\"2\"></p>", "<p>a > b</p>"}) {
        EXPECT_FALSE(readHtml(broken).problems.empty()) << broken;
    }
    EXPECT_TRUE(readHtml("<p class=\"x\">a &amp; b<br></p>").problems.empty());
}

class ForeignText : public testing::Test {
protected:
    ForeignText() : m_workspace(*Workspace::openOrCreate(m_folder / "w", false)) {}
    report::Document documentWith(const std::vector<std::string>& texts) {
        std::vector<std::string> ids;
        for (const std::string& text : texts) {
            test::ProbedRunOptions options;
            const std::string name = text.substr(0, validUtf8Prefix(std::string_view(text).substr(0, 380)));
            options.run.name = trimText(name).empty() ? "empty" : name;
            options.run.modelName = text;
            options.run.statsEvery = 100;
            options.probe = "task " + text;
            options.prompt = text;
            options.dataSha256 = text;
            const auto id = addProbedRun(m_workspace, options);
            EXPECT_TRUE(id.ok()) << id.error().text();
            if (id.ok()) ids.push_back(*id);
        }
        const auto registry = Registry::open(m_workspace, Registry::Access::ReadOnly);
        std::vector<RunRow> runs;
        for (const std::string& id : ids) runs.push_back(*registry->findRun(id));
        auto document = report::buildReport(m_workspace, *registry, runs,
                                            {.title = texts.front(), .date = "2026-01-31", .landscapes = {{texts.front(), Json::object()}}});
        EXPECT_TRUE(document.ok());
        return document.ok() ? *document : report::Document{};
    }
    test::TemporaryFolder m_folder;
    Workspace m_workspace;
};

TEST_F(ForeignText, OfEveryNaughtyStringStaysText) {
    MOFO_REQUIRE_SHARED();
    const auto strings = parseJson(test::readFile(test::sharedFolder() / "data/naughty-strings.json"));
    ASSERT_TRUE(strings.ok());
    ASSERT_GE(strings->size(), 500u);
    std::vector<std::string> texts;
    for (const Json& one : *strings) texts.push_back(one.get<std::string>());
    // Names that only one run can have are few; every other place of a text takes them all at once.
    report::Document document = documentWith({texts[0], texts[texts.size() / 2], "<b>x</b>\u202e\x1b[2J"});
    report::Section section{"naughty", "all", {}};
    for (const std::string& text : texts) {
        report::Table table{"t", text, {{text}, {text, true}}, {{{text}, {text}}}, text};
        report::Figure figure{"f", text, {}, 1, {}, {{text, 0, 0}}};
        report::XyChart chart{text, text, text};
        chart.series = {{text, "A", 0, 0, true, true, false, false, {{0, 0, 0, 0, 0, 0, 0, text}, {1, 1}}}};
        figure.panels = {chart, report::MapChart{text, text, {text}, {1}, {{1}}},
                         report::ForestChart{text, text, text, text, {{text, text, 0, 1, 0, 2, 3, text}}}};
        section.blocks.insert(section.blocks.end(),
                              {report::Paragraph{text, text}, report::Bullets{{{text, text}}}, report::Code{text}, table, figure,
                               report::Answers{text, {{text, text}, {text, text + " more"}}}, report::Folded{text, {report::Paragraph{text, text}}}});
    }
    document.sections.push_back(section);
    document.title = texts[7];
    const std::string html = report::htmlOf(document);
    const HtmlPage page = readHtml(html);
    expectOurs(page);
    for (const std::string& text : texts) EXPECT_NE(page.text.find(escapeForDisplay(text)), std::string::npos) << escapeForDisplay(text);
    EXPECT_TRUE(parseJson(report::jsonOf(document)).ok());
}

TEST_F(ForeignText, OfRunTaskPromptAndDataStaysText) {
    const std::string evil = "\"><script>alert(1)</script><img src=x onerror='y'>";
    const report::Document document = documentWith({evil, "</style><svg onload=1>", "</title><a href=\"http://x.example\">"});
    const HtmlPage page = readHtml(report::htmlOf(document));
    expectOurs(page);
    EXPECT_NE(page.text.find(evil), std::string::npos);
    EXPECT_NE(page.text.find("task " + evil), std::string::npos);
}

TEST_F(ForeignText, IsNoFormulaInCsv) {
    report::Document document;
    document.sections = {{"s", "s", {report::Table{"t", "", {{"a"}, {"b"}}, {{{"=1+1"}, {"@SUM(A1), \"x\""}}}, ""}}}};
    const std::string csv = report::csvOf(document);
    EXPECT_NE(csv.find("s,t,'=1+1,b,,,,,\"'@SUM(A1), \"\"x\"\"\"\r\n"), std::string::npos) << csv;
}

}  // namespace
}  // namespace mofo
