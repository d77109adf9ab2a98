// What a record of a data file means: the row kinds of the reference, and columns by name. Private to core/text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/text/dataset.h"

namespace mofo {

/// The value of --set columns, "prompt:A,completion:B": role of a column and its name in the file.
class ColumnMap {
public:
    /// Wrong syntax, an unknown role or an incomplete pair is refused (Usage, tag COLUMNS).
    static Result<ColumnMap> parse(std::string_view text);
    [[nodiscard]] bool isEmpty() const { return m_columns.empty(); }
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& columns() const { return m_columns; }

private:
    std::vector<std::pair<std::string, std::string>> m_columns;
};

/// Whether a CSV header has the columns of a known kind (or those of `columns`).
[[nodiscard]] bool isKnownHeader(const std::vector<std::string>& header, const ColumnMap& columns);
/// The row that a JSON value stands for; an error's message and tag say why it is none.
Result<DataRow> rowOfJson(const Json& value, const ColumnMap& columns);

}  // namespace mofo
