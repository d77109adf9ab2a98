#include "core/text/record_scanner.h"

#include "core/base/text.h"

namespace mofo {

namespace {

bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

Record refused(std::uint64_t line, std::string tag, std::string reason) {
    Record record;
    record.line = line;
    record.tag = std::move(tag);
    record.reason = std::move(reason);
    return record;
}

Record tooLong(std::uint64_t line) { return refused(line, "LIMIT", "a row of more than " + formatBytes(kRecordBytesLimit)); }

}  // namespace

Result<std::optional<Record>> LineScanner::next(ByteWindow& window) {
    while (true) {
        const std::uint64_t line = window.line();
        std::size_t searched = 0;
        std::size_t end = std::string_view::npos;
        bool isTooLong = false;
        bool atEnd = false;
        while ((end = window.view().find('\n', searched)) == std::string_view::npos) {
            searched = window.view().size();
            if (searched > kRecordBytesLimit) {
                isTooLong = true;
                window.consume(searched);
                searched = 0;
            }
            MOFO_TRY(const bool any, window.more());
            if (!any) {
                atEnd = true;
                end = window.view().size();
                break;
            }
        }
        if (atEnd && end == 0 && !isTooLong) return std::optional<Record>();
        std::string_view text = window.view().substr(0, end);
        if (text.ends_with('\r')) text.remove_suffix(1);
        Record record;
        record.line = line;
        if (isTooLong || text.size() > kRecordBytesLimit) record = tooLong(line);
        else record.text = text;
        window.consume(end + (atEnd ? 0 : 1));
        if (record.reason.empty() && record.text.find_first_not_of(" \t\r") == std::string::npos) continue;
        return std::optional(std::move(record));
    }
}

Result<bool> JsonScanner::skipBlanks(ByteWindow& window) {
    while (true) {
        const std::string_view view = window.view();
        std::size_t at = 0;
        while (at < view.size() && isBlank(view[at])) ++at;
        const bool found = at < view.size();
        window.consume(at);
        if (found) return true;
        MOFO_TRY(const bool any, window.more());
        if (!any) return false;
    }
}

/// Cuts one value: to the comma or bracket that ends an element, or to the brace that closes an object. Strings are understood, what
/// else stands inside is parsed later.
Result<Record> JsonScanner::cutValue(ByteWindow& window) {
    Record record;
    record.line = window.line();
    std::size_t at = 0;
    std::int64_t depth = 0;
    bool inString = false, escaped = false, isTooLong = false;
    while (true) {
        const std::string_view view = window.view();
        bool done = false;
        for (; at < view.size(); ++at) {
            const char c = view[at];
            if (inString) {
                if (escaped) escaped = false;
                else if (c == '\\') escaped = true;
                else if (c == '"') inString = false;
                continue;
            }
            if (c == '"') {
                inString = true;
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if (c == '}' || c == ']') {
                if (depth == 0 && m_shape == Shape::Array) {
                    done = true;
                    break;
                }
                if (--depth <= 0 && m_shape == Shape::Objects) {
                    ++at;
                    done = true;
                    break;
                }
            } else if (c == ',' && depth == 0 && m_shape == Shape::Array) {
                done = true;
                break;
            }
        }
        if (done) break;
        if (at > kRecordBytesLimit) {
            isTooLong = true;
            window.consume(at);
            at = 0;
        }
        MOFO_TRY(const bool any, window.more());
        if (!any) {
            window.consume(window.view().size());
            m_ended = true;
            if (isTooLong) return tooLong(record.line);
            return refused(record.line, "TRUNC", "the file ends inside this row");
        }
    }
    if (isTooLong || at > kRecordBytesLimit) record = tooLong(record.line);
    else record.text = trimText(window.view().substr(0, at));
    window.consume(at);
    return record;
}

Result<std::optional<Record>> JsonScanner::next(ByteWindow& window) {
    if (m_ended) return std::optional<Record>();
    if (m_shape == Shape::Objects) {
        MOFO_TRY(const bool any, skipBlanks(window));
        if (!any) {
            m_ended = true;
            return std::optional<Record>();
        }
        MOFO_TRY(Record record, cutValue(window));
        return std::optional(std::move(record));
    }
    MOFO_TRY(bool any, skipBlanks(window));
    if (!m_opened && any) {
        window.consume(1);  // the bracket that made the format
        m_opened = true;
        MOFO_TRY(any, skipBlanks(window));
    }
    if (!any) {
        m_ended = true;
        return std::optional(refused(window.line(), "TRUNC", "the file ends before the array does"));
    }
    if (window.view().front() == ']' && !m_wantsValue) {
        m_ended = true;
        window.consume(1);
        MOFO_TRY(any, skipBlanks(window));
        if (any) return std::optional(refused(window.line(), "JSON", "text stands behind the end of the array"));
        return std::optional<Record>();
    }
    MOFO_TRY(Record record, cutValue(window));
    m_wantsValue = false;
    if (!m_ended && window.view().starts_with(',')) {
        window.consume(1);
        m_wantsValue = true;
    }
    if (record.reason.empty() && record.text.empty()) record = refused(record.line, "JSON", "a value is missing between two commas or before the end of the array");
    return std::optional(std::move(record));
}

Result<std::optional<Record>> CsvScanner::next(ByteWindow& window) {
    while (true) {
        Record record;
        record.line = window.line();
        std::string cell;
        std::size_t total = 0;
        bool quoted = false, wasQuoted = false, isTooLong = false, strayText = false, ended = false, anything = false;
        const auto put = [&](char c) {
            if (++total > kRecordBytesLimit) isTooLong = true;
            if (!isTooLong) cell += c;
        };
        const auto finishCell = [&] {
            if (!isTooLong) record.cells.push_back(std::move(cell));
            cell.clear();
            wasQuoted = false;
        };
        while (!ended) {
            if (window.view().size() < 2) {
                MOFO_CHECK(window.more());
            }
            const std::string_view view = window.view();
            if (view.empty()) break;
            // The last byte waits for its follower, which decides what a quote or a carriage return means.
            std::size_t at = 0;
            const std::size_t limit = window.offset() + view.size() == window.sizeBytes() ? view.size() : view.size() - 1;
            for (; at < limit && !ended; ++at) {
                const char c = view[at];
                anything = true;
                if (quoted) {
                    if (c != '"') {
                        put(c);
                    } else if (at + 1 < view.size() && view[at + 1] == '"') {
                        put('"');
                        ++at;
                    } else {
                        quoted = false;
                        wasQuoted = true;
                    }
                } else if (c == '"' && cell.empty() && !wasQuoted) {
                    quoted = true;
                } else if (c == m_separator) {
                    finishCell();
                } else if (c == '\n' || (c == '\r' && at + 1 < view.size() && view[at + 1] == '\n')) {
                    if (c == '\r') ++at;
                    ended = true;
                } else {
                    if (wasQuoted) strayText = true;
                    put(c);
                }
            }
            window.consume(std::min(at, view.size()));
        }
        if (!anything) return std::optional<Record>();
        const bool isBlankLine = record.cells.empty() && cell.empty() && !wasQuoted && !quoted && !isTooLong;
        if (isBlankLine) continue;
        finishCell();
        if (isTooLong) return std::optional(tooLong(record.line));
        if (quoted) return std::optional(refused(record.line, "TRUNC", "the file ends inside a quoted cell"));
        if (strayText) return std::optional(refused(record.line, "CSV", "text stands behind a closing quote"));
        return std::optional(std::move(record));
    }
}

}  // namespace mofo
