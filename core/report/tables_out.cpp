#include "core/report/tables_out.h"

#include <fmt/format.h>

#include <cmath>

#include "core/base/text.h"

namespace mofo::report {

namespace {

Json numberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json jsonOfPoint(const Point& point) {
    Json json = {{"x", numberOrNull(point.x)}, {"y", numberOrNull(point.y)}};
    if (!std::isfinite(point.y) && !std::isnan(point.y)) json["state"] = point.y > 0 ? "inf" : "-inf";
    if (point.low <= point.high) json["low"] = point.low, json["high"] = point.high;
    if (point.xLow <= point.xHigh) json["x_low"] = point.xLow, json["x_high"] = point.xHigh;
    if (point.n > 0) json["n"] = point.n;
    if (!point.label.empty()) json["label"] = point.label;
    return json;
}

Json jsonOfChart(const Chart& chart) {
    if (const auto* xy = std::get_if<XyChart>(&chart)) {
        Json series = Json::array();
        for (const Series& one : xy->series) {
            Json points = Json::array();
            for (const Point& point : one.points) points.push_back(jsonOfPoint(point));
            series.push_back({{"label", one.label}, {"points", std::move(points)}});
        }
        return {{"kind", "xy"}, {"title", xy->title}, {"x", xy->xTitle}, {"y", xy->yTitle}, {"series", std::move(series)}};
    }
    if (const auto* map = std::get_if<MapChart>(&chart)) {
        Json values = Json::array();
        for (const auto& row : map->values) {
            Json list = Json::array();
            for (const double value : row) list.push_back(numberOrNull(value));
            values.push_back(std::move(list));
        }
        return {{"kind", "map"},     {"title", map->title},     {"x", map->xTitle},
                {"rows", map->rows}, {"columns", map->columns}, {"values", std::move(values)}};
    }
    const auto& forest = std::get<ForestChart>(chart);
    Json rows = Json::array();
    for (const ForestRow& row : forest.rows) {
        Json json = {{"group", row.group}, {"label", row.label}, {"value", numberOrNull(row.value)}, {"n", row.n}, {"text", row.text}};
        if (row.low <= row.high) json["low"] = row.low, json["high"] = row.high;
        rows.push_back(std::move(json));
    }
    return {{"kind", "differences"}, {"title", forest.title}, {"x", forest.xTitle}, {"rows", std::move(rows)}};
}

Json jsonOfBlocks(const std::vector<Block>& blocks);

Json jsonOfBlock(const Block& block) {
    if (const auto* paragraph = std::get_if<Paragraph>(&block)) return {{"paragraph", paragraph->text}, {"lead", paragraph->lead}};
    if (const auto* bullets = std::get_if<Bullets>(&block)) {
        Json items = Json::array();
        for (const Paragraph& item : bullets->items) items.push_back({{"lead", item.lead}, {"text", item.text}});
        return {{"list", std::move(items)}};
    }
    if (const auto* table = std::get_if<Table>(&block)) {
        Json columns = Json::array(), rows = Json::array();
        for (const Column& column : table->columns) columns.push_back(column.title);
        for (const auto& row : table->rows) {
            Json cells = Json::array();
            for (const Cell& cell : row) {
                Json json = {{"text", cell.below.empty() ? cell.text : cell.text + " (" + cell.below + ")"}};
                if (cell.value) json["value"] = numberOrNull(*cell.value);
                if (cell.low <= cell.high) json["low"] = cell.low, json["high"] = cell.high;
                if (cell.n > 0) json["n"] = cell.n;
                cells.push_back(std::move(json));
            }
            rows.push_back(std::move(cells));
        }
        return {
            {"table", table->name}, {"caption", table->caption}, {"columns", std::move(columns)}, {"rows", std::move(rows)}, {"note", table->note}};
    }
    if (const auto* figure = std::get_if<Figure>(&block)) {
        Json panels = Json::array();
        for (const Chart& panel : figure->panels) panels.push_back(jsonOfChart(panel));
        return {{"figure", figure->name}, {"caption", figure->caption}, {"panels", std::move(panels)}};
    }
    if (const auto* code = std::get_if<Code>(&block)) return {{"code", code->text}};
    if (const auto* answers = std::get_if<Answers>(&block)) {
        Json list = Json::array();
        for (const Answers::One& one : answers->answers) list.push_back({{"who", one.who}, {"text", one.text}});
        return {{"prompt", answers->prompt}, {"answers", std::move(list)}};
    }
    const auto& folded = std::get<Folded>(block);
    return {{"folded", folded.title}, {"blocks", jsonOfBlocks(folded.blocks)}};
}

Json jsonOfBlocks(const std::vector<Block>& blocks) {
    Json list = Json::array();
    for (const Block& block : blocks) list.push_back(jsonOfBlock(block));
    return list;
}

std::string csvNumber(double value) { return std::isnan(value) ? "nan" : std::isinf(value) ? (value > 0 ? "inf" : "-inf") : formatShortest(value); }
std::string csvKnown(double value) { return std::isnan(value) ? std::string() : csvNumber(value); }

std::string csvText(std::string_view text) {
    std::string safe = escapeForDisplay(text);
    if (!safe.empty() && std::string_view("=+-@\t\r").find(safe.front()) != std::string_view::npos) safe.insert(0, 1, '\'');
    if (safe.find_first_of(",\"\n") == std::string::npos) return safe;
    std::string quoted = "\"";
    for (const char c : safe) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

class CsvWriter {
public:
    void blocks(const std::string& section, const std::vector<Block>& blocks) {
        for (const Block& block : blocks) {
            if (const auto* table = std::get_if<Table>(&block)) add(section, *table);
            if (const auto* figure = std::get_if<Figure>(&block)) add(section, *figure);
            if (const auto* folded = std::get_if<Folded>(&block)) this->blocks(section, folded->blocks);
        }
    }
    std::string out = "section,part,series,x,y,low,high,n,text\r\n";

private:
    void line(const std::string& section, const std::string& part, const std::string& series, const std::string& x, const std::string& y, double low,
              double high, std::int64_t n, const std::string& text) {
        out += fmt::format("{},{},{},{},{},{},{},{},{}\r\n", csvText(section), csvText(part), csvText(series), x, y, csvKnown(low), csvKnown(high),
                           n > 0 ? std::to_string(n) : std::string(), csvText(text));
    }
    void add(const std::string& section, const Table& table) {
        for (const auto& row : table.rows) {
            for (std::size_t i = 1; i < row.size(); ++i) {
                const Cell& cell = row[i];
                line(section, table.name, row.front().text, csvText(table.columns[i].title), cell.value ? csvNumber(*cell.value) : std::string(),
                     cell.low, cell.high, cell.n, cell.text);
            }
        }
    }
    void add(const std::string& section, const Figure& figure) {
        for (const Chart& panel : figure.panels) {
            if (const auto* xy = std::get_if<XyChart>(&panel)) {
                const std::string part = xy->title.empty() ? figure.name : figure.name + ": " + xy->title;
                for (const Series& series : xy->series) {
                    for (const Point& point : series.points) {
                        line(section, part, series.label, csvNumber(point.x), csvNumber(point.y), point.low, point.high, point.n, point.label);
                    }
                }
            } else if (const auto* map = std::get_if<MapChart>(&panel)) {
                for (std::size_t row = 0; row < map->rows.size(); ++row) {
                    for (std::size_t column = 0; column < map->columns.size(); ++column) {
                        line(section, figure.name + ": " + map->title, map->rows[row], csvNumber(map->columns[column]),
                             csvNumber(map->values[row][column]), kNothing, kNothing, 0, "");
                    }
                }
            } else {
                for (const ForestRow& row : std::get<ForestChart>(panel).rows) {
                    line(section, figure.name, row.group, csvText(row.label), csvNumber(row.value), row.low, row.high, row.n, row.text);
                }
            }
        }
    }
};

}  // namespace

Json jsonValueOf(const Document& document) {
    Json sections = Json::array();
    for (const Section& section : document.sections) {
        sections.push_back({{"name", section.name}, {"title", section.title}, {"blocks", jsonOfBlocks(section.blocks)}});
    }
    return {{"title", document.title},     {"subtitle", document.subtitle}, {"date", document.date},
            {"program", document.program}, {"results", document.results},   {"sections", std::move(sections)}};
}

std::string jsonOf(const Document& document) { return jsonValueOf(document).dump(1, ' ', false, Json::error_handler_t::replace) + '\n'; }

std::string csvOf(const Document& document) {
    CsvWriter writer;
    for (const Section& section : document.sections) writer.blocks(section.name, section.blocks);
    return std::move(writer.out);
}

}  // namespace mofo::report
