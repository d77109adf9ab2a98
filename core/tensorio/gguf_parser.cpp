#include "core/tensorio/gguf_parser.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "core/base/text.h"

namespace mofo {

namespace {

enum ValueType : std::uint32_t { U8, I8, U16, I16, U32, I32, F32, Boolean, String, Array, U64, I64, F64, valueTypeCount };

constexpr std::uint64_t maxTensors = 1u << 20;
constexpr std::uint64_t maxPairs = 1u << 20;
constexpr std::uint64_t maxKeyBytes = 65535;
constexpr std::uint64_t maxStringBytes = 64ull << 20;      // chat templates and embedded tokenizer.json
constexpr std::uint64_t maxArrayStringBytes = 1ull << 20;  // one token
constexpr std::uint64_t maxArrayElements = 1ull << 24;     // of all arrays together: 128 MiB as int64
constexpr std::uint64_t maxTensorNameBytes = 63;           // GGML_MAX_NAME less its NUL
constexpr std::uint64_t maxAlignment = 1ull << 20;
constexpr int maxArrayDepth = 64;

/// ggml_type of a tensor entry; the gaps are types that were removed.
std::optional<DType> dtypeOf(std::uint32_t type) {
    switch (type) {
        case 0: return DType::F32;
        case 1: return DType::F16;
        case 2: return DType::Q4_0;
        case 3: return DType::Q4_1;
        case 6: return DType::Q5_0;
        case 7: return DType::Q5_1;
        case 8: return DType::Q8_0;
        case 9: return DType::Q8_1;
        case 10: return DType::Q2_K;
        case 11: return DType::Q3_K;
        case 12: return DType::Q4_K;
        case 13: return DType::Q5_K;
        case 14: return DType::Q6_K;
        case 15: return DType::Q8_K;
        case 16: return DType::IQ2_XXS;
        case 17: return DType::IQ2_XS;
        case 18: return DType::IQ3_XXS;
        case 19: return DType::IQ1_S;
        case 20: return DType::IQ4_NL;
        case 21: return DType::IQ3_S;
        case 22: return DType::IQ2_S;
        case 23: return DType::IQ4_XS;
        case 24: return DType::I8;
        case 25: return DType::I16;
        case 26: return DType::I32;
        case 27: return DType::I64;
        case 28: return DType::F64;
        case 29: return DType::IQ1_M;
        case 30: return DType::BF16;
        case 34: return DType::TQ1_0;
        case 35: return DType::TQ2_0;
        case 39: return DType::MXFP4;
        case 40: return DType::NVFP4;
        case 41: return DType::Q1_0;
        default: return std::nullopt;
    }
}

/// Bytes of one value of a fixed-size type.
std::uint64_t sizeOf(std::uint32_t type) {
    switch (type) {
        case U16:
        case I16: return 2;
        case U32:
        case I32:
        case F32: return 4;
        case U64:
        case I64:
        case F64: return 8;
        default: return 1;
    }
}

bool isInteger(std::uint32_t type) { return type != F32 && type != F64 && type != Boolean && type != String && type != Array; }

template <class T>
T load(const std::byte* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

/// False where a u64 does not fit into an int64.
bool integerOf(std::uint32_t type, const std::byte* at, std::int64_t& out) {
    switch (type) {
        case U8: out = load<std::uint8_t>(at); return true;
        case I8: out = load<std::int8_t>(at); return true;
        case U16: out = load<std::uint16_t>(at); return true;
        case I16: out = load<std::int16_t>(at); return true;
        case U32: out = load<std::uint32_t>(at); return true;
        case I32: out = load<std::int32_t>(at); return true;
        case I64: out = load<std::int64_t>(at); return true;
        default: out = load<std::int64_t>(at); return out >= 0;
    }
}

}  // namespace

static_assert(std::endian::native == std::endian::little, "GGUF is read as it lies in memory");

Error GgufParser::refusal(const char* tag, std::string message) const {
    std::string where = escapeForDisplay(m_target.path().string()) + ", byte " + std::to_string(m_at);
    if (!m_context.empty()) where += ", " + m_context;
    const bool cut = std::string_view(tag) == "TRUNC";
    return Error{ErrorCode::InvalidInput, std::move(message), std::move(where),
                 cut ? "The file is cut short: fetch it again" : "Fetch or convert the model again", tag};
}

Result<void> GgufParser::fill(std::span<std::byte> out) {
    if (out.empty()) return {};
    if (out.size() > left())
        return refusal("TRUNC", std::to_string(out.size()) + " bytes are due here, but only " + std::to_string(left()) + " are left");
    constexpr std::size_t windowBytes = 1u << 20;
    if (m_at < m_windowAt || m_at + out.size() > m_windowAt + m_window.size()) {
        if (out.size() >= windowBytes) {
            MOFO_CHECK(m_reader.readAt(m_at, out));
            m_at += out.size();
            return {};
        }
        m_window.resize(std::min<std::uint64_t>(windowBytes, left()));
        m_windowAt = m_at;
        MOFO_CHECK(m_reader.readAt(m_at, m_window));
    }
    std::memcpy(out.data(), m_window.data() + (m_at - m_windowAt), out.size());
    m_at += out.size();
    return {};
}

template <class T>
Result<T> GgufParser::number() {
    T value;
    MOFO_CHECK(fill(std::as_writable_bytes(std::span(&value, 1))));
    return value;
}

Result<std::string> GgufParser::bytes(std::uint64_t length) {
    if (length > left())
        return refusal("TRUNC",
                       "a string of " + std::to_string(length) + " bytes does not fit into the " + std::to_string(left()) + " that are left");
    std::string text(length, '\0');
    MOFO_CHECK(fill(std::as_writable_bytes(std::span(text))));
    return text;
}

Result<void> GgufParser::parse() {
    MOFO_CHECK(parseHeader());
    MOFO_CHECK(parsePairs());
    MOFO_CHECK(parseTensors());
    return placeTensors();
}

Result<void> GgufParser::parseHeader() {
    MOFO_TRY(const auto magic, number<std::uint32_t>());
    if (magic != 0x46554747u) {  // "GGUF"
        m_at = 0;
        return refusal("MAGIC", "this is no GGUF file: it does not begin with \"GGUF\"");
    }
    MOFO_TRY(const auto version, number<std::uint32_t>());
    if (version != 2 && version != 3) {
        m_at = 4;
        if (version != 0 && (version & 0xFFFFu) == 0) return refusal("VER", "the file is big-endian; only little-endian GGUF files can be read");
        return refusal("VER", "GGUF version " + std::to_string(version) + " cannot be read; versions 2 and 3 can");
    }
    MOFO_TRY(const auto tensors, number<std::int64_t>());
    if (tensors < 0) return refusal("RANGE", "the number of tensors is negative");
    if (static_cast<std::uint64_t>(tensors) > maxTensors) return refusal("LIMIT", std::to_string(tensors) + " tensors are more than any model has");
    MOFO_TRY(const auto pairs, number<std::int64_t>());
    if (pairs < 0) return refusal("RANGE", "the number of metadata keys is negative");
    if (static_cast<std::uint64_t>(pairs) > maxPairs) return refusal("LIMIT", std::to_string(pairs) + " metadata keys are more than any model has");
    m_tensorCount = static_cast<std::uint64_t>(tensors);
    m_pairCount = static_cast<std::uint64_t>(pairs);
    return {};
}

Result<void> GgufParser::parsePairs() {
    for (std::uint64_t i = 0; i < m_pairCount; ++i) {
        m_context = "metadata key " + std::to_string(i + 1) + " of " + std::to_string(m_pairCount);
        MOFO_CHECK(parsePair());
    }
    m_context.clear();
    return {};
}

Result<void> GgufParser::parsePair() {
    MOFO_TRY(const auto length, number<std::uint64_t>());
    if (length > left())
        return refusal("TRUNC", "a key of " + std::to_string(length) + " bytes does not fit into the " + std::to_string(left()) + " that are left");
    if (length == 0) return refusal("NAME", "a metadata key is empty");
    if (length > maxKeyBytes) return refusal("NAME", "a metadata key is " + std::to_string(length) + " bytes long");
    MOFO_TRY(std::string key, bytes(length));
    if (!std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7F; })) {
        return refusal("NAME", "the metadata key \"" + escapeForDisplay(key.substr(0, 80)) + "\" has characters other than printable ASCII");
    }
    m_context = "key \"" + escapeForDisplay(key.substr(0, 80)) + '"';
    MOFO_TRY(const auto type, number<std::uint32_t>());
    if (type >= valueTypeCount) return refusal("TYPE", "value type " + std::to_string(type) + " is unknown");
    if (key == "general.alignment") {
        if (type != U32) return refusal("TYPE", "the alignment is not stored as a 32-bit unsigned integer");
        MOFO_TRY(const auto alignment, number<std::uint32_t>());
        if (!std::has_single_bit(alignment)) return refusal("ALIGN", "the alignment " + std::to_string(alignment) + " is not a power of two");
        if (alignment > maxAlignment) return refusal("LIMIT", "the alignment " + std::to_string(alignment) + " is too large");
        m_alignment = alignment;
        m_at -= sizeof alignment;
    }
    MOFO_TRY(GgufValue value, type == Array ? parseArray() : parseScalar(type));
    if (!m_target.m_values.emplace(key, std::move(value)).second) return refusal("DUP", "this metadata key stands twice");
    m_target.m_keys.push_back(std::move(key));
    return {};
}

Result<GgufValue> GgufParser::parseScalar(std::uint32_t type) {
    if (type == String) {
        MOFO_TRY(const auto length, number<std::uint64_t>());
        if (length >= maxStringBytes) return refusal("LIMIT", "a string of " + std::to_string(length) + " bytes is too long");
        MOFO_TRY(std::string text, bytes(length));
        return GgufValue(std::move(text));
    }
    std::array<std::byte, 8> raw{};
    MOFO_CHECK(fill(std::span(raw).first(sizeOf(type))));
    if (type == Boolean) {
        if (load<std::uint8_t>(raw.data()) > 1) return refusal("RANGE", "a truth value is neither 0 nor 1");
        return GgufValue(load<std::uint8_t>(raw.data()) == 1);
    }
    if (type == F32) return GgufValue(static_cast<double>(load<float>(raw.data())));
    if (type == F64) return GgufValue(load<double>(raw.data()));
    std::int64_t value = 0;
    if (!integerOf(type, raw.data(), value)) return refusal("RANGE", "an integer is larger than 2^63 - 1");
    return GgufValue(value);
}

Result<GgufValue> GgufParser::parseArray() {
    MOFO_TRY(auto type, number<std::uint32_t>());
    MOFO_TRY(auto count, number<std::uint64_t>());
    if (type >= valueTypeCount) return refusal("TYPE", "array element type " + std::to_string(type) + " is unknown");
    if (type == Array) {
        // No key of any model nests arrays; looking further only tells an oddity from an attack.
        for (int depth = 1; type == Array; ++depth) {
            if (depth > maxArrayDepth) return refusal("DEPTH", "arrays are nested deeper than " + std::to_string(maxArrayDepth) + " levels");
            MOFO_TRY(type, number<std::uint32_t>());
            MOFO_CHECK(number<std::uint64_t>());
        }
        return refusal("TYPE", "an array of arrays is not allowed");
    }
    const std::uint64_t least = type == String ? 8 : sizeOf(type);
    std::uint64_t total = 0;
    if (count > (1ull << 62) || __builtin_mul_overflow(count, least, &total))
        return refusal("OVERFLOW", "an array of " + std::to_string(count) + " elements cannot exist");
    if (total > left())
        return refusal("TRUNC",
                       "an array of " + std::to_string(count) + " elements does not fit into the " + std::to_string(left()) + " bytes that are left");
    m_arrayElements += count;
    if (m_arrayElements > maxArrayElements) return refusal("LIMIT", "the arrays have more than " + std::to_string(maxArrayElements) + " elements");

    if (type == String) {
        std::vector<std::string> texts;
        texts.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i) {
            MOFO_TRY(const auto length, number<std::uint64_t>());
            if (length > maxArrayStringBytes)
                return refusal("LIMIT", "element " + std::to_string(i) + " is " + std::to_string(length) + " bytes long");
            MOFO_TRY(std::string text, bytes(length));
            texts.push_back(std::move(text));
        }
        return GgufValue(std::move(texts));
    }
    std::vector<std::byte> raw(total);
    MOFO_CHECK(fill(raw));
    const std::uint64_t width = sizeOf(type);
    if (type == Boolean) {
        std::vector<bool> flags(count);
        for (std::uint64_t i = 0; i < count; ++i) {
            if (load<std::uint8_t>(raw.data() + i) > 1) return refusal("RANGE", "element " + std::to_string(i) + " is neither 0 nor 1");
            flags[i] = load<std::uint8_t>(raw.data() + i) == 1;
        }
        return GgufValue(std::move(flags));
    }
    if (isInteger(type)) {
        std::vector<std::int64_t> integers(count);
        for (std::uint64_t i = 0; i < count; ++i) {
            if (!integerOf(type, raw.data() + i * width, integers[i]))
                return refusal("RANGE", "element " + std::to_string(i) + " is larger than 2^63 - 1");
        }
        return GgufValue(std::move(integers));
    }
    std::vector<double> numbers(count);
    for (std::uint64_t i = 0; i < count; ++i) numbers[i] = type == F32 ? load<float>(raw.data() + 4 * i) : load<double>(raw.data() + 8 * i);
    return GgufValue(std::move(numbers));
}

Result<void> GgufParser::parseTensors() {
    // A table entry takes at least 24 bytes, so a lying count is caught before room is made for it.
    m_target.m_tensors.reserve(std::min(m_tensorCount, left() / 24));
    for (std::uint64_t i = 0; i < m_tensorCount; ++i) {
        m_context = "tensor " + std::to_string(i + 1) + " of " + std::to_string(m_tensorCount);
        MOFO_TRY(TensorInfo tensor, parseTensor());
        if (!m_target.m_tensorIndex.emplace(tensor.name, i).second) return refusal("DUP", "this tensor stands twice");
        m_target.m_tensors.push_back(std::move(tensor));
    }
    m_context.clear();
    return {};
}

Result<TensorInfo> GgufParser::parseTensor() {
    TensorInfo tensor;
    MOFO_TRY(const auto length, number<std::uint64_t>());
    if (length > left())
        return refusal("TRUNC",
                       "a tensor name of " + std::to_string(length) + " bytes does not fit into the " + std::to_string(left()) + " that are left");
    if (length == 0) return refusal("NAME", "a tensor has no name");
    if (length > maxTensorNameBytes)
        return refusal("NAME", "a tensor name is " + std::to_string(length) + " bytes long; " + std::to_string(maxTensorNameBytes) + " are allowed");
    MOFO_TRY(tensor.name, bytes(length));
    if (tensor.name.find('\0') != std::string::npos) return refusal("NAME", "a tensor name contains a zero byte");
    m_context = "tensor \"" + escapeForDisplay(tensor.name) + '"';
    MOFO_TRY(const auto rank, number<std::uint32_t>());
    if (rank > 4) return refusal("RANGE", std::to_string(rank) + " dimensions are more than 4");
    if (rank == 0) m_target.m_warnings.push_back("tensor \"" + escapeForDisplay(tensor.name) + "\" has no dimensions: taken as one value");
    std::int64_t elements = 1;
    for (std::uint32_t i = 0; i < rank; ++i) {
        MOFO_TRY(const auto size, number<std::int64_t>());
        if (size <= 0) return refusal("RANGE", "dimension " + std::to_string(i) + " is " + std::to_string(size));
        if (__builtin_mul_overflow(elements, size, &elements)) return refusal("OVERFLOW", "the dimensions multiply to more than 2^63");
        tensor.shape.insert(tensor.shape.begin(), size);
    }
    MOFO_TRY(const auto type, number<std::uint32_t>());
    const std::optional<DType> dtype = dtypeOf(type);
    if (!dtype) return refusal("DTYPE", "element type " + std::to_string(type) + " is unknown");
    tensor.dtype = *dtype;
    const std::int64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
    const std::int64_t block = dtypeBlockElements(tensor.dtype);
    if (row % block != 0) {
        return refusal("SIZE", "rows of " + std::to_string(row) + " elements are no whole blocks of " + std::string(dtypeName(tensor.dtype)) + " (" +
                                   std::to_string(block) + ")");
    }
    tensor.elementCount = elements;
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(elements / block), static_cast<std::uint64_t>(dtypeBlockBytes(tensor.dtype)),
                               &tensor.sizeBytes)) {
        return refusal("OVERFLOW", "the tensor is larger than 2^64 bytes");
    }
    MOFO_TRY(tensor.offset, number<std::uint64_t>());
    return tensor;
}

Result<void> GgufParser::placeTensors() {
    const auto padded = [this](std::uint64_t at, std::uint64_t& out) {
        return !__builtin_add_overflow(at, m_alignment - 1, &out) && ((out &= ~(m_alignment - 1)), true);
    };
    std::uint64_t data = 0;
    if (!padded(m_at, data)) return refusal("OVERFLOW", "the data section begins beyond 2^64");
    std::uint64_t sum = 0;
    std::uint64_t end = data;
    for (TensorInfo& tensor : m_target.m_tensors) {
        m_context = "tensor \"" + escapeForDisplay(tensor.name) + '"';
        if (tensor.offset % m_alignment != 0)
            return refusal("ALIGN", "its offset " + std::to_string(tensor.offset) + " is not a multiple of " + std::to_string(m_alignment));
        if (tensor.offset != sum)
            return refusal("OFFSET", "its offset is " + std::to_string(tensor.offset) + " where the tensors before it end at " + std::to_string(sum));
        if (__builtin_add_overflow(data, sum, &tensor.offset) || __builtin_add_overflow(tensor.offset, tensor.sizeBytes, &end) ||
            __builtin_add_overflow(sum, tensor.sizeBytes, &sum) || !padded(sum, sum) || end > static_cast<std::uint64_t>(INT64_MAX)) {
            return refusal("OVERFLOW", "the tensors up to this one are larger than any file");
        }
    }
    for (const TensorInfo& tensor : m_target.m_tensors) {
        m_context = "tensor \"" + escapeForDisplay(tensor.name) + '"';
        m_at = m_reader.sizeBytes();
        if (tensor.offset + tensor.sizeBytes > m_reader.sizeBytes()) {
            return refusal("TRUNC", "its " + std::to_string(tensor.sizeBytes) + " bytes from " + std::to_string(tensor.offset) +
                                        " on lie beyond the end of the file");
        }
    }
    m_context.clear();
    std::uint64_t last = 0;
    if (!m_target.m_tensors.empty() && padded(end, last) && last < m_reader.sizeBytes()) {
        m_target.m_warnings.push_back(std::to_string(m_reader.sizeBytes() - last) + " bytes after the last tensor are ignored");
    }
    return {};
}

}  // namespace mofo
