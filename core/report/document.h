// The document tree of a report: sections of blocks. Every text in it is plain; whoever renders it escapes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/report/chart.h"

namespace mofo::report {

/// `lead` is set apart in bold type.
struct Paragraph {
    std::string lead, text;
    bool note = false;  ///< smaller: what a reader may skip
};

struct Bullets {
    std::vector<Paragraph> items;
    bool numbered = false;
};

struct Cell {
    std::string text;
    std::optional<double> value;  ///< of a number, unrounded
    double low = kNothing, high = kNothing;
    std::int64_t n = 0;
    bool strong = false;
    int colour = -2;         ///< swatch of that run before the text; -2: none
    std::string below = {};  ///< smaller, on a line of its own: an interval
    bool repeated = false;   ///< the same as above it: not shown again, but part of the data
};

struct Column {
    std::string title;
    bool number = false;  ///< digits aligned at the right
};

struct Table {
    std::string name;     ///< of the data in CSV and JSON: "runs", "forgetting"
    std::string caption;  ///< numbered by the renderer; empty: neither number nor caption
    std::vector<Column> columns;
    std::vector<std::vector<Cell>> rows;
    std::string note;
    bool longTexts = false;  ///< hashes and the like, which may break anywhere
};

struct LegendEntry {
    std::string label;
    int colour = -1, dash = 0;
};

struct Figure {
    std::string name, caption;
    std::vector<Chart> panels;
    int columns = 1;                ///< panels beside each other
    std::optional<MapScale> scale;  ///< of the maps among them
    std::vector<LegendEntry> legend;
};

/// Lines to copy.
struct Code {
    std::string text;
};

/// The same prompt answered by several models.
struct Answers {
    struct One {
        std::string who, text;
        int colour = -1;
    };
    std::string prompt;
    std::vector<One> answers;  ///< the first is what the others are compared with
};

struct Folded;
using Block = std::variant<Paragraph, Bullets, Table, Figure, Code, Answers, Folded>;

/// Shown when it is opened.
struct Folded {
    std::string title;
    std::vector<Block> blocks;
};

struct Section {
    std::string name, title;  ///< name: "verdict", stable
    std::vector<Block> blocks;
};

struct Document {
    std::string title, subtitle;
    std::string date;     ///< the only thing that differs between two reports of the same inputs
    std::string program;  ///< "MoFO Workbench 0.1.0"
    std::vector<LegendEntry> runs;
    std::vector<Section> sections;
    Json results;  ///< what programs want to read: runs, differences, findings
};

}  // namespace mofo::report
