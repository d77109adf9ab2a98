#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "core/text/byte_window.h"
#include "core/text/dataset.h"
#include "core/text/object_reader.h"
#include "core/text/record_scanner.h"
#include "core/text/row_kinds.h"

namespace mofo {

namespace {

constexpr std::size_t kSniffBytes = 256 * 1024;

Error refuse(const std::filesystem::path& path, std::string tag, std::string message, std::string remedy) {
    return Error{ErrorCode::InvalidInput, std::move(message), path.string(), std::move(remedy), std::move(tag)};
}

/// Files that are not text at all, by their first bytes.
Result<void> checkMagic(const std::filesystem::path& path, std::string_view head) {
    struct Magic {
        std::string_view bytes;
        const char* what;
        const char* remedy;
    };
    using namespace std::string_view_literals;
    static constexpr Magic kMagics[] = {{"\x1F\x8B"sv, "a gzip file", "Unpack it first: gunzip FILE"}, {"PK\x03\x04"sv, "a ZIP file", "Unpack it first: unzip FILE"}, {"\x28\xB5\x2F\xFD"sv, "a zstd file", "Unpack it first: unzstd FILE"},
        {"\xFD"
         "7zXZ"sv, "an xz file", "Unpack it first: unxz FILE"}, {"BZh"sv, "a bzip2 file", "Unpack it first: bunzip2 FILE"}, {"PAR1"sv, "a Parquet file", "Convert it to JSON lines"}, {"ARROW1"sv, "an Arrow file", "Convert it to JSON lines"},
        {"GGUF"sv, "a GGUF model", "Give a file of rows"}};
    for (const Magic& magic : kMagics) {
        if (head.starts_with(magic.bytes)) return refuse(path, "MAGIC", std::string("this is ") + magic.what + ", not text", magic.remedy);
    }
    if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) return refuse(path, "UTF8", "this is UTF-16, not UTF-8", "Convert it: iconv -f UTF-16 -t UTF-8 FILE");
    // UTF-16 without a mark: every other byte of plain text is zero.
    if (head.size() >= 4 && ((head[0] == '\0' && head[2] == '\0') || (head[1] == '\0' && head[3] == '\0'))) return refuse(path, "UTF8", "this looks like UTF-16, not UTF-8", "Convert it: iconv -f UTF-16 -t UTF-8 FILE");
    return {};
}

/// The name in a header's cell: blanks around it and quotes that stand behind a blank are not its own.
std::string columnName(std::string_view cell) {
    cell = trimText(cell);
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') cell = trimText(cell.substr(1, cell.size() - 2));
    return std::string(cell);
}

/// Whether rows are lines: a line that begins and ends with braces, more often than a line that only begins with one.
bool looksLikeLines(std::string_view head, bool isWholeFile) {
    std::size_t whole = 0, begun = 0;
    while (!head.empty()) {
        const auto end = head.find('\n');
        std::string_view line = head.substr(0, end);
        const bool isComplete = end != std::string_view::npos || isWholeFile;
        head.remove_prefix(end == std::string_view::npos ? head.size() : end + 1);
        while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) line.remove_suffix(1);
        if (line.empty() || line.front() != '{') continue;
        if (!isComplete) return whole >= begun;  // a line longer than what was read: lines, unless something speaks against it
        ++(line.size() > 1 && line.back() == '}' ? whole : begun);
    }
    return whole > 0 && whole >= begun;
}

}  // namespace

struct DatasetReader::State {
    explicit State(ByteWindow theWindow) : window(std::move(theWindow)) {}
    ByteWindow window;
    ColumnMap columns;
    std::unique_ptr<RecordScanner> scanner;
    std::string_view format;
    std::vector<std::string> header;  ///< CSV
    bool anyHeader = false;           ///< of a .csv or .tsv file: its columns need not be known ones

    Result<void> chooseFormat();
    Result<bool> tryCsv(std::string_view firstLine);
    Result<Json> jsonOf(const Record& record) const;
};

/// CSV or TSV where the first line has the names of known columns.
Result<bool> DatasetReader::State::tryCsv(std::string_view firstLine) {
    const char separator = firstLine.find('\t') != std::string_view::npos ? '\t' : ',';
    std::vector<std::string> names;
    for (const std::string& name : splitText(firstLine, separator)) names.push_back(columnName(name));
    const auto extension = window.path().extension();
    const bool taken = anyHeader && (extension == ".csv" || extension == ".tsv");
    if (!taken && !isKnownHeader(names, columns)) return false;
    auto csv = std::make_unique<CsvScanner>(separator);
    MOFO_TRY(const std::optional<Record> first, csv->next(window));
    if (!first || !first->reason.empty()) return refuse(window.path(), first ? first->tag : "CSV", "the header cannot be read: " + (first ? first->reason : std::string("it is empty")), "");
    for (const std::string& cell : first->cells) header.push_back(columnName(cell));
    for (std::size_t i = 0; i < header.size(); ++i) {
        if (std::find(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(i), header[i]) != header.begin() + static_cast<std::ptrdiff_t>(i)) {
            return refuse(window.path(), "DUP", "the header names the column \"" + escapeForDisplay(header[i].substr(0, 40)) + "\" twice", "Rename one of them");
        }
    }
    scanner = std::move(csv);
    format = separator == '\t' ? "TSV" : "CSV";
    return true;
}

Result<void> DatasetReader::State::chooseFormat() {
    while (window.view().size() < kSniffBytes) {
        MOFO_TRY(const bool any, window.more());
        if (!any) break;
    }
    MOFO_CHECK(checkMagic(window.path(), window.view()));
    if (window.view().starts_with("\xEF\xBB\xBF")) window.consume(3);
    const auto begin = window.view().find_first_not_of(" \t\r\n");
    const bool isWholeFile = window.view().size() + window.offset() == window.sizeBytes();
    if (begin == std::string_view::npos && isWholeFile) return refuse(window.path(), "MISSING", "the file is empty", "Give a file with rows");
    const std::string_view head = window.view().substr(begin == std::string_view::npos ? window.view().size() : begin);
    if (window.view().find('\n') == std::string_view::npos && isWholeFile && head.find('\r') != std::string_view::npos && head.find('\r') + 1 < head.size()) {
        return refuse(window.path(), "JSON", "the lines end with carriage returns alone", "Convert it: tr '\\r' '\\n' < FILE");
    }
    if (head.starts_with('[')) {
        scanner = std::make_unique<JsonScanner>(JsonScanner::Shape::Array);
        format = "JSON array";
        return {};
    }
    if (head.starts_with('{') && !looksLikeLines(head, isWholeFile)) {
        scanner = std::make_unique<JsonScanner>(JsonScanner::Shape::Objects);
        format = "JSON objects";
        return {};
    }
    if (!head.starts_with('{')) {
        const auto lineEnd = head.find('\n');
        std::string firstLine(head.substr(0, lineEnd));
        if (firstLine.ends_with('\r')) firstLine.pop_back();
        window.consume(begin);
        MOFO_TRY(const bool isCsv, tryCsv(firstLine));
        if (isCsv) return {};
        const auto extension = window.path().extension();
        const bool rowsFollow = lineEnd != std::string_view::npos && window.view().find("\n{") != std::string_view::npos;
        if (!rowsFollow && extension != ".jsonl" && extension != ".ndjson" && extension != ".json") {
            return refuse(window.path(), "TYPE", "this is neither JSON nor a CSV or TSV file with a header of known columns; its first line is \"" + escapeForDisplay(std::string_view(firstLine).substr(0, 60)) + "\"",
                          "Give JSON lines, a JSON array, or CSV with a header, and name unknown columns with --set columns=prompt:A,completion:B");
        }
    }
    scanner = std::make_unique<LineScanner>();
    format = "JSONL";
    return {};
}

/// A record as a JSON object: parsed, or made of CSV cells and header.
Result<Json> DatasetReader::State::jsonOf(const Record& record) const {
    if (header.empty()) {
        JsonLimits limits;
        limits.sizeBytes = kRecordBytesLimit;
        return parseJson(record.text, limits);
    }
    if (record.cells.size() != header.size()) {
        return Error{ErrorCode::InvalidInput, formatCount(static_cast<std::int64_t>(record.cells.size())) + " cells where the header has " + formatCount(static_cast<std::int64_t>(header.size())), "", "", "SIZE"};
    }
    Json object = Json::object();
    for (std::size_t i = 0; i < header.size(); ++i) {
        if (!isValidUtf8(record.cells[i])) return Error{ErrorCode::InvalidInput, "not valid UTF-8", "", "", "UTF8"};
        object[header[i]] = record.cells[i];
    }
    return object;
}

DatasetReader::DatasetReader(std::unique_ptr<State> state) : m_state(std::move(state)) {}
DatasetReader::DatasetReader(DatasetReader&&) noexcept = default;
DatasetReader& DatasetReader::operator=(DatasetReader&&) noexcept = default;
DatasetReader::~DatasetReader() = default;

Result<DatasetReader> DatasetReader::open(const std::filesystem::path& path, std::string_view columns) {
    MOFO_TRY(ColumnMap map, ColumnMap::parse(columns));
    MOFO_TRY(ByteWindow window, ByteWindow::open(path));
    auto state = std::make_unique<State>(std::move(window));
    state->columns = std::move(map);
    MOFO_CHECK(state->chooseFormat());
    return DatasetReader(std::move(state));
}

Result<DatasetReader::Next> DatasetReader::next() {
    Next next;
    MOFO_TRY(const std::optional<Record> record, m_state->scanner->next(m_state->window));
    if (!record) return next;
    const auto refuseRow = [&](std::string tag, std::string reason) {
        next.refused = RefusedRow{record->line, std::move(reason), std::move(tag)};
        return next;
    };
    if (!record->reason.empty()) return refuseRow(record->tag, record->reason);
    const auto json = m_state->jsonOf(*record);
    if (!json.ok()) {
        const Error& error = json.error();
        return refuseRow(error.tag, error.where.empty() ? error.message : error.message + " (" + error.where + ")");
    }
    auto row = rowOfJson(*json, m_state->columns);
    if (!row.ok()) return refuseRow(row.error().tag, row.error().message);
    row->line = record->line;
    next.row = std::move(*row);
    return next;
}

std::string_view DatasetReader::formatName() const { return m_state->format; }

double DatasetReader::progress() const {
    const std::uint64_t size = m_state->window.sizeBytes();
    return size == 0 ? 1.0 : static_cast<double>(m_state->window.offset()) / static_cast<double>(size);
}

Result<ObjectReader> ObjectReader::open(const std::filesystem::path& path) {
    MOFO_TRY(ByteWindow window, ByteWindow::open(path));
    auto state = std::make_unique<DatasetReader::State>(std::move(window));
    state->anyHeader = true;
    MOFO_CHECK(state->chooseFormat());
    return ObjectReader(DatasetReader(std::move(state)));
}

Result<ObjectReader::Next> ObjectReader::next() {
    Next next;
    DatasetReader::State& state = *m_reader.m_state;
    MOFO_TRY(const std::optional<Record> record, state.scanner->next(state.window));
    if (!record) return next;
    next.line = record->line;
    const auto at = [&](Error error) {
        return std::move(error).in(escapeForDisplay(state.window.path().string()) + ", line " + std::to_string(record->line));
    };
    if (!record->reason.empty()) return at(Error{ErrorCode::InvalidInput, record->reason, "", "", record->tag});
    auto json = state.jsonOf(*record);
    if (!json.ok()) return at(std::move(json).error());
    if (!json->is_object())
        return at(Error{ErrorCode::InvalidInput, std::string("a row is an object, not ") + json->type_name(), "", "", "TYPE"});
    next.object = std::move(*json);
    return next;
}

Result<std::string> DatasetReader::finishHash() { return m_state->window.finishHash(); }

}  // namespace mofo
