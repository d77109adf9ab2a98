#include "core/tensorio/safetensors_header.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "core/base/text.h"
#include "core/tensorio/header_scanner.h"

namespace mofo {

namespace {

constexpr std::size_t maxTensors = 500'000;
constexpr std::size_t maxRank = 64;
constexpr std::size_t maxNameBytes = 65'535;
constexpr std::size_t maxExtraFields = 64;
constexpr int maxDepth = 62;  // below the header and the tensor
constexpr std::size_t maxShownMetadataBytes = 1 << 20;

std::optional<DType> dtypeOf(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(DType::F4); ++i) {
        if (dtypeName(static_cast<DType>(i)) == name) return static_cast<DType>(i);
    }
    return std::nullopt;
}

/// Reads the header from its text: it has one fixed shape, and what does not belong is refused where it stands.
class HeaderParser {
public:
    HeaderParser(std::string_view text, SafetensorsHeader& header) : m_scanner(text), m_header(header) {}
    Result<void> parse();

private:
    Result<void> parseMetadata();
    Result<void> parseTensor();
    Result<void> parseField(const std::string& field);
    Result<void> addTensor();
    /// An array of integers of 64 bits, none negative.
    Result<std::vector<std::uint64_t>> integers(std::string_view what, std::size_t most);
    Result<std::uint64_t> integer(std::string_view what);
    /// A value of the wrong type: read to its end first, so that broken JSON and what is nested too deep are called so.
    Error wrongType(std::string message) {
        const Error error = refuse("TYPE", std::move(message));
        auto skipped = m_scanner.skipValue(maxDepth);
        return skipped.ok() ? error : std::move(skipped).error();
    }
    [[nodiscard]] Error refuse(const char* tag, std::string message) const {
        return m_scanner.refusal(tag, (m_name.empty() ? "" : "tensor \"" + shown(m_name) + "\": ") + std::move(message));
    }
    static std::string shown(std::string_view name) { return escapeForDisplay(name.substr(0, 120)); }

    HeaderScanner m_scanner;
    SafetensorsHeader& m_header;
    bool m_metadataSeen = false;
    bool m_extraWarned = false;
    std::string m_name;  ///< tensor being read
    std::optional<std::string> m_dtype;
    std::optional<std::vector<std::uint64_t>> m_shape, m_offsets;
};

Result<void> HeaderParser::parse() {
    if (m_scanner.peek() != '{') return wrongType("the header is not an object");
    MOFO_CHECK(m_scanner.expect('{'));
    if (!m_scanner.accept('}')) {
        do {
            m_name.clear();
            MOFO_TRY(m_name, m_scanner.string(maxNameBytes + 1));
            MOFO_CHECK(m_scanner.expect(':'));
            if (m_name == "__metadata__") {
                m_name.clear();
                MOFO_CHECK(parseMetadata());
            } else {
                MOFO_CHECK(parseTensor());
            }
        } while (m_scanner.accept(','));
        MOFO_CHECK(m_scanner.expect('}'));
    }
    m_name.clear();
    m_scanner.peek();
    if (!m_scanner.atEnd()) return refuse("JSON", "something stands after the end of the header");
    return {};
}

Result<void> HeaderParser::parseMetadata() {
    if (m_metadataSeen) return refuse("DUP", "__metadata__ stands twice");
    m_metadataSeen = true;
    if (m_scanner.peek() != '{') return wrongType("__metadata__ is not an object");
    MOFO_CHECK(m_scanner.expect('{'));
    if (m_scanner.accept('}')) return {};
    do {
        MOFO_TRY(std::string key, m_scanner.string(maxNameBytes));
        MOFO_CHECK(m_scanner.expect(':'));
        if (m_header.metadata.contains(key)) return refuse("DUP", "the key \"" + shown(key) + "\" stands twice in __metadata__");
        if (m_scanner.peek() != '"') return wrongType("the value of \"" + shown(key) + "\" in __metadata__ is not a string");
        const std::size_t begin = m_scanner.at();
        MOFO_TRY(std::string value, m_scanner.string(maxShownMetadataBytes));
        if (m_scanner.at() - begin > maxShownMetadataBytes)
            m_header.warnings.push_back("the text of \"" + shown(key) + "\" in __metadata__ is shown cut");
        m_header.metadata.emplace(std::move(key), std::move(value));
    } while (m_scanner.accept(','));
    return m_scanner.expect('}');
}

Result<void> HeaderParser::parseTensor() {
    if (m_name.empty()) return refuse("NAME", "a tensor has no name");
    if (m_name.size() > maxNameBytes) return refuse("NAME", "its name is longer than " + formatBytes(maxNameBytes));
    if (m_name.find('\0') != std::string::npos) return refuse("NAME", "its name contains a zero byte");
    if (m_header.index.contains(m_name)) return refuse("DUP", "this name stands twice");
    if (m_header.tensors.size() == maxTensors) return refuse("LIMIT", "the file has more than " + formatCount(maxTensors) + " tensors");
    m_dtype.reset();
    m_shape.reset();
    m_offsets.reset();
    if (m_scanner.peek() != '{') return wrongType("its description is not an object");
    MOFO_CHECK(m_scanner.expect('{'));
    std::vector<std::string> extra;
    if (!m_scanner.accept('}')) {
        do {
            MOFO_TRY(const std::string field, m_scanner.string(maxNameBytes));
            MOFO_CHECK(m_scanner.expect(':'));
            if (field == "dtype" || field == "shape" || field == "data_offsets") {
                MOFO_CHECK(parseField(field));
                continue;
            }
            if (std::find(extra.begin(), extra.end(), field) != extra.end()) return refuse("DUP", "\"" + shown(field) + "\" stands twice");
            if (extra.size() == maxExtraFields) return refuse("LIMIT", "it has too many unknown fields");
            if (!m_extraWarned)
                m_header.warnings.push_back("tensor \"" + shown(m_name) + "\" has an unknown field \"" + shown(field) + "\", which is ignored");
            m_extraWarned = true;
            extra.push_back(field);
            MOFO_CHECK(m_scanner.skipValue(maxDepth));
        } while (m_scanner.accept(','));
        MOFO_CHECK(m_scanner.expect('}'));
    }
    return addTensor();
}

Result<void> HeaderParser::parseField(const std::string& field) {
    if (field == "dtype") {
        if (m_dtype) return refuse("DUP", "\"dtype\" stands twice");
        if (m_scanner.peek() != '"') return wrongType("its dtype is not a string");
        MOFO_TRY(m_dtype, m_scanner.string(64));
        return {};
    }
    auto& slot = field == "shape" ? m_shape : m_offsets;
    if (slot) return refuse("DUP", '"' + field + "\" stands twice");
    if (m_scanner.peek() != '[') return wrongType("its " + field + " is not an array");
    MOFO_TRY(slot, integers(field, field == "shape" ? maxRank : 2));
    if (field == "data_offsets" && slot->size() != 2) return refuse("TYPE", "its data_offsets are not two numbers");
    return {};
}

Result<std::vector<std::uint64_t>> HeaderParser::integers(std::string_view what, std::size_t most) {
    std::vector<std::uint64_t> list;
    MOFO_CHECK(m_scanner.expect('['));
    if (m_scanner.accept(']')) return list;
    do {
        if (list.size() == most) {
            if (what == "shape") return refuse("LIMIT", "it has more than " + std::to_string(most) + " dimensions");
            return refuse("TYPE", "its data_offsets are more than two numbers");
        }
        MOFO_TRY(const std::uint64_t value, integer(what));
        list.push_back(value);
    } while (m_scanner.accept(','));
    MOFO_CHECK(m_scanner.expect(']'));
    return list;
}

Result<std::uint64_t> HeaderParser::integer(std::string_view what) {
    const char c = m_scanner.peek();
    if (c == '"' || c == '{' || c == '[' || c == 't' || c == 'f' || c == 'n')
        return wrongType("its " + std::string(what) + " holds something other than integers");
    MOFO_TRY(const std::string_view text, m_scanner.number());
    if (text.find_first_of(".eE") != std::string_view::npos)
        return refuse("TYPE", "its " + std::string(what) + " holds something other than integers");
    if (text.front() == '-') return refuse("RANGE", "its " + std::string(what) + " holds a negative number");
    std::uint64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
        return refuse("RANGE", "the number " + escapeForDisplay(text.substr(0, 40)) + " does not fit into 64 bits");
    }
    return value;
}

Result<void> HeaderParser::addTensor() {
    if (!m_dtype) return refuse("MISSING", "it has no dtype");
    if (!m_shape) return refuse("MISSING", "it has no shape");
    if (!m_offsets) return refuse("MISSING", "it has no data_offsets");
    const std::optional<DType> type = dtypeOf(*m_dtype);
    if (!type) return refuse("DTYPE", "its dtype \"" + shown(*m_dtype) + "\" is unknown");
    std::uint64_t elements = 1;
    std::uint64_t extent = 1;  // product of the dimensions that are not 0: what strides are made of
    std::uint64_t bytes = 0;
    bool strides = true;
    for (const std::uint64_t size : *m_shape) {
        if (__builtin_mul_overflow(elements, size, &elements)) return refuse("OVERFLOW", "its dimensions multiply to more than 2^64");
        if (size != 0 && __builtin_mul_overflow(extent, size, &extent)) strides = false;
    }
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto block = static_cast<std::uint64_t>(dtypeBlockElements(*type));
    if (__builtin_mul_overflow(elements, static_cast<std::uint64_t>(dtypeBlockBytes(*type)), &bytes))
        return refuse("OVERFLOW", "its size is more than 2^64 bytes");
    if (elements % block != 0) return refuse("ALIGN", std::to_string(elements) + " elements of " + *m_dtype + " do not fill whole bytes");
    if (!strides || extent > most || std::any_of(m_shape->begin(), m_shape->end(), [](std::uint64_t size) { return size > most; })) {
        return refuse("RANGE", "a dimension is too large");
    }
    bytes /= block;
    const std::uint64_t begin = (*m_offsets)[0];
    const std::uint64_t end = (*m_offsets)[1];
    if (begin > end) return refuse("OFFSET", "its data ends before it begins");
    if (end - begin != bytes) {
        return refuse("SIZE", "its shape asks for " + std::to_string(bytes) + " bytes, its data_offsets for " + std::to_string(end - begin));
    }
    TensorInfo tensor;
    tensor.name = m_name;
    tensor.dtype = *type;
    tensor.shape.assign(m_shape->begin(), m_shape->end());
    tensor.offset = begin;
    tensor.sizeBytes = bytes;
    tensor.elementCount = static_cast<std::int64_t>(elements);
    m_header.index.emplace(m_name, m_header.tensors.size());
    m_header.tensors.push_back(std::move(tensor));
    return {};
}

Error layoutError(const char* tag, const TensorInfo& tensor, std::string message) {
    return Error{ErrorCode::InvalidInput, "tensor \"" + escapeForDisplay(tensor.name.substr(0, 120)) + "\" " + std::move(message), "", "", tag};
}

}  // namespace

Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view text, std::uint64_t dataBegin, std::uint64_t fileBytes) {
    if (!isValidUtf8(text)) return Error{ErrorCode::InvalidInput, "the header is not valid UTF-8", "", "", "UTF8"};
    SafetensorsHeader header;
    if (!text.empty() && text.front() != '{' && trimText(text).starts_with('{')) header.warnings.emplace_back("white space stands before the header");
    MOFO_CHECK(HeaderParser(text, header).parse());

    // No hole, no overlap, no tail: every byte belongs to exactly one tensor, so the file can be nothing else besides.
    std::stable_sort(header.tensors.begin(), header.tensors.end(),
                     [](const TensorInfo& a, const TensorInfo& b) { return a.offset != b.offset ? a.offset < b.offset : a.sizeBytes < b.sizeBytes; });
    const std::uint64_t dataBytes = fileBytes - dataBegin;
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < header.tensors.size(); ++i) {
        TensorInfo& tensor = header.tensors[i];
        header.index[tensor.name] = i;
        if (tensor.offset != at) {
            return layoutError(
                "OFFSET", tensor,
                "begins at byte " + std::to_string(tensor.offset) + " of the data where the one before it ends at " + std::to_string(at));
        }
        at += tensor.sizeBytes;
        if (at > dataBytes) {
            Error error =
                layoutError("TRUNC", tensor, "ends at byte " + std::to_string(at) + " of the data, but there are only " + std::to_string(dataBytes));
            error.remedy = "The file is cut short: fetch it again";
            return error;
        }
        tensor.offset += dataBegin;
    }
    if (at != dataBytes) {
        return Error{ErrorCode::InvalidInput, std::to_string(dataBytes - at) + " bytes after the last tensor belong to nothing",
                     "byte " + std::to_string(dataBegin + at), "", "TRAIL"};
    }
    return header;
}

}  // namespace mofo
