#include "core/tensorio/gguf.h"

#include "core/base/text.h"
#include "core/tensorio/convert.h"
#include "core/tensorio/gguf_parser.h"

namespace mofo {

namespace fs = std::filesystem;

Result<GgufFile> GgufFile::open(const fs::path& path) {
    MOFO_TRY(FileReader reader, FileReader::open(path));
    GgufFile file(std::move(reader));
    MOFO_CHECK(GgufParser(file).parse());
    return file;
}

const TensorInfo* GgufFile::findTensor(std::string_view name) const {
    const auto found = m_tensorIndex.find(std::string(name));
    return found == m_tensorIndex.end() ? nullptr : &m_tensors[found->second];
}

const GgufValue* GgufFile::find(std::string_view key) const {
    const auto found = m_values.find(std::string(key));
    return found == m_values.end() ? nullptr : &found->second;
}

Error GgufFile::missingKey(std::string_view key) const {
    return Error{ErrorCode::InvalidInput, "the metadata key \"" + escapeForDisplay(key) + "\" is missing", escapeForDisplay(path().string()),
                 "The file was not written whole, or is no language model", "MISSING"};
}

Error GgufFile::wrongType(std::string_view key, std::string_view wanted) const {
    return Error{ErrorCode::InvalidInput, "the metadata key \"" + escapeForDisplay(key) + "\" is not " + std::string(wanted),
                 escapeForDisplay(path().string()), "Convert the model again", "TYPE"};
}

Result<std::string> GgufFile::getString(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return missingKey(key);
    if (const auto* text = std::get_if<std::string>(value)) return *text;
    return wrongType(key, "a string");
}

Result<std::int64_t> GgufFile::getInt(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return missingKey(key);
    if (const auto* number = std::get_if<std::int64_t>(value)) return *number;
    return wrongType(key, "an integer");
}

Result<double> GgufFile::getFloat(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return missingKey(key);
    if (const auto* number = std::get_if<double>(value)) return *number;
    if (const auto* number = std::get_if<std::int64_t>(value)) return static_cast<double>(*number);
    return wrongType(key, "a number");
}

Result<bool> GgufFile::getBool(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return missingKey(key);
    if (const auto* flag = std::get_if<bool>(value)) return *flag;
    return wrongType(key, "true or false");
}

template <class T>
Result<std::span<const T>> GgufFile::getArray(std::string_view key, std::string_view wanted) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return missingKey(key);
    if (const auto* array = std::get_if<std::vector<T>>(value)) return std::span<const T>(*array);
    return wrongType(key, wanted);
}

Result<std::span<const std::string>> GgufFile::getStrings(std::string_view key) const { return getArray<std::string>(key, "an array of strings"); }
Result<std::span<const std::int64_t>> GgufFile::getInts(std::string_view key) const { return getArray<std::int64_t>(key, "an array of integers"); }
Result<std::span<const double>> GgufFile::getFloats(std::string_view key) const { return getArray<double>(key, "an array of numbers"); }

Result<void> GgufFile::readFloats(const TensorInfo& tensor, std::int64_t first, std::span<float> out) const {
    const std::string where = escapeForDisplay(path().string()) + ": tensor " + escapeForDisplay(tensor.name);
    if (!canReadAsFloat(tensor.dtype)) {
        return Error{ErrorCode::Unsupported, "elements of type " + std::string(dtypeName(tensor.dtype)) + " cannot be read by this build", where,
                     "Known: F32, F16, BF16, F64, Q4_0, Q4_1, Q8_0", "DTYPE"};
    }
    const std::int64_t elements = dtypeBlockElements(tensor.dtype);
    const std::int64_t bytes = dtypeBlockBytes(tensor.dtype);
    const auto count = static_cast<std::int64_t>(out.size());
    if (first < 0 || first % elements != 0 || count % elements != 0 || first > tensor.elementCount || count > tensor.elementCount - first) {
        return Error{ErrorCode::Internal, "elements " + std::to_string(first) + " + " + std::to_string(count) + " are not whole blocks of the tensor",
                     where, "", ""};
    }
    const std::uint64_t begin = tensor.offset + static_cast<std::uint64_t>(first / elements * bytes);
    if (tensor.dtype == DType::F32) return m_file.readAt(begin, std::as_writable_bytes(out));
    // A piece stays in the second-level cache between reading and converting.
    constexpr std::int64_t pieceBytes = 256 << 10;
    const std::int64_t pieceBlocks = pieceBytes / bytes;
    std::vector<std::byte> raw(static_cast<std::size_t>(std::min(count / elements, pieceBlocks) * bytes));
    for (std::int64_t block = 0; block < count / elements;) {
        const std::int64_t now = std::min(pieceBlocks, count / elements - block);
        const auto piece = std::span(raw).first(static_cast<std::size_t>(now * bytes));
        MOFO_CHECK(m_file.readAt(begin + static_cast<std::uint64_t>(block * bytes), piece));
        convertToFloat(tensor.dtype, piece, out.subspan(static_cast<std::size_t>(block * elements), static_cast<std::size_t>(now * elements)));
        block += now;
    }
    return {};
}

}  // namespace mofo
