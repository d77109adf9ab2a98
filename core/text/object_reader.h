// Rows of a data file as JSON objects, whatever their keys: JSONL, a JSON array, JSON objects, CSV and TSV (cells are texts).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/text/dataset.h"

namespace mofo {

/// As DatasetReader, but no row is left out: one that cannot be read is an error (InvalidInput) that names file and line.
class ObjectReader {
public:
    static Result<ObjectReader> open(const std::filesystem::path& path);
    struct Next {
        std::uint64_t line = 0;      ///< 1-based line on which the row begins
        std::optional<Json> object;  ///< empty at the end of the file
    };
    Result<Next> next();
    /// SHA-256 of the file's bytes; reads what is left. At the end, once.
    Result<std::string> finishHash() { return m_reader.finishHash(); }

private:
    explicit ObjectReader(DatasetReader reader) : m_reader(std::move(reader)) {}
    DatasetReader m_reader;
};

}  // namespace mofo
