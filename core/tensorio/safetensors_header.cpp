#include "core/tensorio/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "core/base/json.h"
#include "core/base/text.h"

namespace mofo {

namespace {

constexpr std::size_t maxTensors = 500'000;
constexpr std::size_t maxRank = 64;
constexpr std::size_t maxNameBytes = 65'535;
constexpr std::size_t maxDepth = 64;
constexpr std::size_t maxShownMetadataBytes = 1 << 20;

std::optional<DType> dtypeOf(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(DType::F4); ++i) {
        if (dtypeName(static_cast<DType>(i)) == name) return static_cast<DType>(i);
    }
    return std::nullopt;
}

/// Reads the header while it is parsed: it has one fixed shape, so there is never a tree of it, and what does not belong is
/// refused where it stands. A million names cost no more than their text.
class HeaderHandler : public nlohmann::json_sax<Json> {
public:
    explicit HeaderHandler(SafetensorsHeader& header) : m_header(header) {}

    Error failure;

    bool null() override { return scalar(Kind::Other); }
    bool boolean(bool) override { return scalar(Kind::Other); }
    bool binary(binary_t&) override { return scalar(Kind::Other); }
    bool number_integer(number_integer_t value) override { return integer(value < 0, 0); }
    bool number_unsigned(number_unsigned_t value) override { return integer(false, value); }
    bool number_float(number_float_t, const string_t& text) override {
        // An integer beyond 64 bits arrives here; anything with a point or an exponent is no integer at all.
        if (text.find_first_of(".eE") != std::string::npos) return scalar(Kind::Other);
        return expectsInteger() ? refuse("RANGE", "the number " + escapeForDisplay(text.substr(0, 40)) + " does not fit into 64 bits") : scalar(Kind::Other);
    }
    bool string(string_t& value) override;
    bool start_object(std::size_t) override;
    bool end_object() override;
    bool start_array(std::size_t) override;
    bool end_array() override;
    bool key(string_t& value) override;
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& reason) override {
        failure = jsonSyntaxError(position, reason);
        return false;
    }

private:
    enum class Place { Root, Top, Tensor, Metadata, Shape, Offsets, Skipped };
    enum class Kind { Integer, String, Other };
    enum Field : unsigned { none = 0, dtype = 1, shape = 2, offsets = 4 };

    bool refuse(const char* tag, std::string message) {
        failure = Error{ErrorCode::InvalidInput, (m_name.empty() ? "" : "tensor \"" + shown(m_name) + "\": ") + std::move(message), "", "", tag};
        return false;
    }
    static std::string shown(std::string_view name) { return escapeForDisplay(name.substr(0, 120)); }
    [[nodiscard]] bool expectsInteger() const { return m_place == Place::Shape || m_place == Place::Offsets; }
    bool wrongType() {
        switch (m_place) {
            case Place::Root: return refuse("TYPE", "the header is not an object");
            case Place::Top: return refuse("TYPE", m_inMetadataValue ? "__metadata__ is not an object" : "its description is not an object");
            case Place::Metadata: return refuse("TYPE", "a value of __metadata__ is not a string");
            case Place::Shape: return refuse("TYPE", "its shape holds something other than integers");
            case Place::Offsets: return refuse("TYPE", "its data_offsets hold something other than integers");
            default: break;
        }
        switch (m_field) {
            case dtype: return refuse("TYPE", "its dtype is not a string");
            case shape: return refuse("TYPE", "its shape is not an array");
            default: return refuse("TYPE", "its data_offsets are not an array");
        }
    }
    bool scalar(Kind) {
        if (m_place == Place::Skipped || (m_place == Place::Tensor && m_field == none)) return true;
        return wrongType();
    }
    bool integer(bool negative, std::uint64_t value) {
        if (!expectsInteger()) return scalar(Kind::Integer);
        if (negative) return refuse("RANGE", m_place == Place::Shape ? "a dimension is negative" : "an offset is negative");
        auto& list = m_place == Place::Shape ? m_shape : m_offsets;
        if (m_place == Place::Shape && list.size() == maxRank) return refuse("LIMIT", "it has more than " + std::to_string(maxRank) + " dimensions");
        if (m_place == Place::Offsets && list.size() == 2) return refuse("TYPE", "its data_offsets are more than two numbers");
        list.push_back(value);
        return true;
    }
    /// A value that has no business here: it is read to its end, so that what is nested too deep is called so.
    bool skip() {
        if (m_depth >= maxDepth) return refuse("DEPTH", "nested deeper than " + std::to_string(maxDepth) + " levels");
        if (m_place != Place::Skipped) {
            m_skippedFrom = m_place;
            m_skippedAt = m_depth;
            m_place = Place::Skipped;
        }
        ++m_depth;
        return true;
    }
    bool endSkipped() {
        --m_depth;
        if (m_depth != m_skippedAt) return true;
        m_place = m_skippedFrom;
        return m_place == Place::Tensor && m_field == none ? true : wrongType();
    }
    bool finishTensor();

    SafetensorsHeader& m_header;
    Place m_place = Place::Root;
    Place m_skippedFrom = Place::Root;
    std::size_t m_depth = 0;
    std::size_t m_skippedAt = 0;
    bool m_inMetadataValue = false;
    bool m_metadataSeen = false;
    bool m_metadataCut = false;
    std::string m_name;          ///< tensor being read
    std::string m_metadataKey;
    unsigned m_fields = 0;       ///< those of the tensor that were read
    Field m_field = none;        ///< whose value is being read
    std::string m_dtype;
    std::vector<std::uint64_t> m_shape;
    std::vector<std::uint64_t> m_offsets;
    std::vector<std::string> m_extraFields;
    bool m_extraWarned = false;
};

bool HeaderHandler::string(string_t& value) {
    if (m_place == Place::Metadata) {
        if (value.size() > maxShownMetadataBytes) {
            value.resize(maxShownMetadataBytes);
            m_metadataCut = true;
        }
        m_header.metadata[m_metadataKey] = std::move(value);
        return true;
    }
    if (m_place == Place::Tensor && m_field == dtype) {
        m_dtype = std::move(value);
        return true;
    }
    return scalar(Kind::String);
}

bool HeaderHandler::start_object(std::size_t) {
    if (m_place == Place::Root) {
        m_place = Place::Top;
        ++m_depth;
        return true;
    }
    if (m_place == Place::Top) {
        m_place = m_inMetadataValue ? Place::Metadata : Place::Tensor;
        ++m_depth;
        m_fields = 0;
        m_field = none;
        m_dtype.clear();
        m_shape.clear();
        m_offsets.clear();
        m_extraFields.clear();
        return true;
    }
    return skip();
}

bool HeaderHandler::start_array(std::size_t) {
    if (m_place == Place::Tensor && (m_field == shape || m_field == offsets)) {
        m_place = m_field == shape ? Place::Shape : Place::Offsets;
        ++m_depth;
        return true;
    }
    return skip();
}

bool HeaderHandler::end_array() {
    if (m_place == Place::Skipped) return endSkipped();
    --m_depth;
    if (m_place == Place::Offsets && m_offsets.size() != 2) return refuse("TYPE", "its data_offsets are not two numbers");
    m_place = Place::Tensor;
    return true;
}

bool HeaderHandler::end_object() {
    if (m_place == Place::Skipped) return endSkipped();
    --m_depth;
    if (m_place == Place::Metadata) {
        m_place = Place::Top;
        m_inMetadataValue = false;
        return true;
    }
    if (m_place == Place::Tensor) {
        m_place = Place::Top;
        return finishTensor();
    }
    if (m_metadataCut) m_header.warnings.push_back("a text of __metadata__ is shown cut to " + formatBytes(maxShownMetadataBytes));
    return true;
}

bool HeaderHandler::key(string_t& value) {
    if (m_place == Place::Skipped) return true;
    if (m_place == Place::Metadata) {
        if (m_header.metadata.contains(value)) return refuse("DUP", "the key \"" + shown(value) + "\" stands twice in __metadata__");
        m_metadataKey = std::move(value);
        return true;
    }
    if (m_place == Place::Tensor) {
        m_field = value == "dtype" ? dtype : value == "shape" ? shape : value == "data_offsets" ? offsets : none;
        if (m_field == none) {
            if (std::find(m_extraFields.begin(), m_extraFields.end(), value) != m_extraFields.end()) return refuse("DUP", "\"" + shown(value) + "\" stands twice");
            if (m_extraFields.size() == maxRank) return refuse("LIMIT", "it has too many unknown fields");
            if (!m_extraWarned) m_header.warnings.push_back("tensor \"" + shown(m_name) + "\" has an unknown field \"" + shown(value) + "\", which is ignored");
            m_extraWarned = true;
            m_extraFields.push_back(std::move(value));
            return true;
        }
        if ((m_fields & m_field) != 0) return refuse("DUP", "\"" + value + "\" stands twice");
        m_fields |= m_field;
        return true;
    }
    m_inMetadataValue = value == "__metadata__";
    if (m_inMetadataValue) {
        m_name.clear();
        if (m_metadataSeen) return refuse("DUP", "__metadata__ stands twice");
        m_metadataSeen = true;
        return true;
    }
    m_name = std::move(value);
    if (m_header.index.contains(m_name)) return refuse("DUP", "this name stands twice");
    if (m_name.empty()) return refuse("NAME", "a tensor has no name");
    if (m_name.size() > maxNameBytes) return refuse("NAME", "its name is " + std::to_string(m_name.size()) + " bytes long");
    if (m_name.find('\0') != std::string::npos) return refuse("NAME", "its name contains a zero byte");
    if (m_header.tensors.size() == maxTensors) return refuse("LIMIT", "the file has more than " + formatCount(maxTensors) + " tensors");
    return true;
}

bool HeaderHandler::finishTensor() {
    if ((m_fields & dtype) == 0) return refuse("MISSING", "it has no dtype");
    if ((m_fields & shape) == 0) return refuse("MISSING", "it has no shape");
    if ((m_fields & offsets) == 0) return refuse("MISSING", "it has no data_offsets");
    const std::optional<DType> type = dtypeOf(m_dtype);
    if (!type) return refuse("DTYPE", "its dtype \"" + shown(m_dtype) + "\" is unknown");
    std::uint64_t elements = 1;
    std::uint64_t extent = 1;  // product of the dimensions that are not 0: what strides are made of
    std::uint64_t bytes = 0;
    bool strides = true;
    for (const std::uint64_t size : m_shape) {
        if (__builtin_mul_overflow(elements, size, &elements)) return refuse("OVERFLOW", "its dimensions multiply to more than 2^64");
        if (size != 0 && __builtin_mul_overflow(extent, size, &extent)) strides = false;
    }
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto block = static_cast<std::uint64_t>(dtypeBlockElements(*type));
    const auto blockBytes = static_cast<std::uint64_t>(dtypeBlockBytes(*type));
    if (__builtin_mul_overflow(elements, blockBytes, &bytes)) return refuse("OVERFLOW", "its size is more than 2^64 bytes");
    if (elements % block != 0) return refuse("ALIGN", std::to_string(elements) + " elements of " + m_dtype + " do not fill whole bytes");
    if (!strides || extent > most || std::any_of(m_shape.begin(), m_shape.end(), [](std::uint64_t size) { return size > most; })) {
        return refuse("RANGE", "a dimension is too large");
    }
    bytes /= block;
    const std::uint64_t begin = m_offsets[0];
    const std::uint64_t end = m_offsets[1];
    if (begin > end) return refuse("OFFSET", "its data ends before it begins");
    if (end - begin != bytes) {
        return refuse("SIZE", "its shape asks for " + std::to_string(bytes) + " bytes, its data_offsets for " + std::to_string(end - begin));
    }
    TensorInfo tensor;
    tensor.name = m_name;
    tensor.dtype = *type;
    tensor.shape.assign(m_shape.begin(), m_shape.end());
    tensor.offset = begin;
    tensor.sizeBytes = bytes;
    tensor.elementCount = static_cast<std::int64_t>(elements);
    m_header.index.emplace(m_name, m_header.tensors.size());
    m_header.tensors.push_back(std::move(tensor));
    return true;
}

Error layoutError(const char* tag, const TensorInfo& tensor, std::string message) {
    return Error{ErrorCode::InvalidInput, "tensor \"" + escapeForDisplay(tensor.name.substr(0, 120)) + "\" " + std::move(message), "", "", tag};
}

}  // namespace

Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view text, std::uint64_t dataBegin, std::uint64_t fileBytes) {
    if (!isValidUtf8(text)) return Error{ErrorCode::InvalidInput, "the header is not valid UTF-8", "", "", "UTF8"};
    // nlohmann::json takes a zero byte for the end of the text and a byte order mark for nothing; JSON allows neither.
    if (const auto at = text.find('\0'); at != std::string_view::npos) return Error{ErrorCode::InvalidInput, "a zero byte in the header", "byte " + std::to_string(8 + at), "", "JSON"};
    if (text.starts_with("\xEF\xBB\xBF")) return Error{ErrorCode::InvalidInput, "a byte order mark stands before the header", "byte 8", "", "JSON"};
    SafetensorsHeader header;
    if (!text.empty() && text.front() != '{' && trimText(text).starts_with('{')) header.warnings.emplace_back("white space stands before the header");
    HeaderHandler handler(header);
    if (!Json::sax_parse(text.begin(), text.end(), &handler)) return std::move(handler.failure);

    // No hole, no overlap, no tail: every byte belongs to exactly one tensor, so the file can be nothing else besides.
    std::stable_sort(header.tensors.begin(), header.tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
        return a.offset != b.offset ? a.offset < b.offset : a.sizeBytes < b.sizeBytes;
    });
    const std::uint64_t dataBytes = fileBytes - dataBegin;
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < header.tensors.size(); ++i) {
        TensorInfo& tensor = header.tensors[i];
        header.index[tensor.name] = i;
        if (tensor.offset != at) {
            return layoutError("OFFSET", tensor, "begins at byte " + std::to_string(tensor.offset) + " of the data where the one before it ends at " + std::to_string(at));
        }
        at += tensor.sizeBytes;
        if (at > dataBytes) {
            Error error = layoutError("TRUNC", tensor, "ends at byte " + std::to_string(at) + " of the data, but there are only " + std::to_string(dataBytes));
            error.remedy = "The file is cut short: fetch it again";
            return error;
        }
        tensor.offset += dataBegin;
    }
    if (at != dataBytes) {
        return Error{ErrorCode::InvalidInput, std::to_string(dataBytes - at) + " bytes after the last tensor belong to nothing", "byte " + std::to_string(dataBegin + at), "", "TRAIL"};
    }
    return header;
}

}  // namespace mofo
