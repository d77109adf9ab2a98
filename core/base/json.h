// JSON from outside, parsed with limits: depth, size, duplicate keys, well-formed UTF-8.
#pragma once

#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace mofo {

using Json = nlohmann::json;

struct JsonLimits {
    int depth = 64;
    std::uint64_t sizeBytes = 64ull << 20;
    bool allowDuplicateKeys = false;
    bool allowByteOrderMark = false;
};

/// Parses one JSON text (RFC 8259, nothing after it but white space). Errors carry in `where` the byte that the parser had
/// come to (where UTF-8 breaks: the offset of its first wrong byte; else the count of bytes read) and one of the tags
/// JSON, UTF8, DEPTH, DUP, LIMIT, RANGE (a number beyond double). Depth is checked while parsing, never afterwards.
Result<Json> parseJson(std::string_view text, const JsonLimits& limits = {});

}  // namespace mofo
