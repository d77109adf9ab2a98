// Cuts a data file into records (lines, JSON values, CSV rows) without parsing them; private to core/text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/text/byte_window.h"

namespace mofo {

/// The most bytes that one record may have; a longer one is skipped in constant memory and reported.
inline constexpr std::size_t kRecordBytesLimit = 16 << 20;

/// One record, or why it could not be cut out.
struct Record {
    std::uint64_t line = 0;          ///< where it begins, from 1
    std::string text;                ///< JSON: the value's text
    std::vector<std::string> cells;  ///< CSV
    std::string reason;              ///< not empty: the record is refused
    std::string tag;
};

/// Records of one format. next() gives nothing at the end of the file; errors are those of reading.
class RecordScanner {
public:
    virtual ~RecordScanner() = default;
    virtual Result<std::optional<Record>> next(ByteWindow& window) = 0;
};

/// One JSON value a line; blank lines are skipped.
class LineScanner : public RecordScanner {
public:
    Result<std::optional<Record>> next(ByteWindow& window) override;
};

/// The elements of one JSON array, or JSON objects one after another, over any number of lines.
class JsonScanner : public RecordScanner {
public:
    enum class Shape { Array, Objects };
    explicit JsonScanner(Shape shape) : m_shape(shape) {}
    Result<std::optional<Record>> next(ByteWindow& window) override;

private:
    Result<bool> skipBlanks(ByteWindow& window);  ///< false at the end of the file
    Result<Record> cutValue(ByteWindow& window);
    Shape m_shape;
    bool m_opened = false;
    bool m_ended = false;
    bool m_wantsValue = false;  ///< behind a comma
};

/// RFC 4180: cells between separators, quoted where need be, with line breaks and doubled quotes inside quotes.
class CsvScanner : public RecordScanner {
public:
    explicit CsvScanner(char separator) : m_separator(separator) {}
    Result<std::optional<Record>> next(ByteWindow& window) override;

private:
    char m_separator;
};

}  // namespace mofo
