#include <algorithm>
#include <bit>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/tensorio/convert.h"
#include "core/tensorio/safetensors.h"

namespace mofo {

namespace {

std::uint64_t sizeBytesOf(const SafetensorsWriter::Declaration& tensor) {
    std::uint64_t elements = 1;
    for (const std::int64_t size : tensor.shape) elements *= static_cast<std::uint64_t>(size);
    return elements * static_cast<std::uint64_t>(dtypeBlockBytes(tensor.dtype)) / static_cast<std::uint64_t>(dtypeBlockElements(tensor.dtype));
}

/// Byte for byte what the safetensors library writes: metadata first, tensors in the order of their data, padded to 8 bytes.
std::string headerOf(const std::vector<SafetensorsWriter::Declaration>& tensors, const std::map<std::string, std::string>& metadata) {
    std::string text = "{";
    if (!metadata.empty()) text += "\"__metadata__\":" + Json(metadata).dump();
    std::uint64_t at = 0;
    for (const auto& tensor : tensors) {
        const std::uint64_t end = at + sizeBytesOf(tensor);
        if (text.size() > 1) text += ',';
        text += Json(tensor.name).dump() + ":{\"dtype\":\"" + std::string(dtypeName(tensor.dtype)) + "\",\"shape\":" + Json(tensor.shape).dump() +
                ",\"data_offsets\":[" + std::to_string(at) + ',' + std::to_string(end) + "]}";
        at = end;
    }
    text += '}';
    text.append((8 - text.size() % 8) % 8, ' ');
    return text;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(FileWriter file, std::vector<Declaration> tensors) : m_file(std::move(file)), m_tensors(std::move(tensors)) {}

std::uint64_t SafetensorsWriter::fileSizeBytes(const std::vector<Declaration>& tensors, const std::map<std::string, std::string>& metadata) {
    std::uint64_t bytes = 8 + headerOf(tensors, metadata).size();
    for (const auto& tensor : tensors) bytes += sizeBytesOf(tensor);
    return bytes;
}

void SafetensorsWriter::sortAsLibrary(std::vector<Declaration>& tensors) {
    std::sort(tensors.begin(), tensors.end(), [](const Declaration& a, const Declaration& b) {
        const std::int64_t widthOfA = dtypeBlockBytes(a.dtype), widthOfB = dtypeBlockBytes(b.dtype);
        return widthOfA != widthOfB ? widthOfA > widthOfB : a.name < b.name;
    });
}

Result<SafetensorsWriter> SafetensorsWriter::create(const std::filesystem::path& path, std::vector<Declaration> tensors,
                                                    const std::map<std::string, std::string>& metadata, unsigned mode) {
    static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");
    const std::string header = headerOf(tensors, metadata);
    MOFO_TRY(FileWriter file, FileWriter::create(path, mode));
    const std::uint64_t length = header.size();
    MOFO_CHECK(file.write(std::as_bytes(std::span(&length, 1))));
    MOFO_CHECK(file.write(header));
    SafetensorsWriter writer(std::move(file), std::move(tensors));
    if (!writer.m_tensors.empty()) writer.m_leftOfPresent = sizeBytesOf(writer.m_tensors.front());
    MOFO_CHECK(writer.write({}));
    return writer;
}

Result<void> SafetensorsWriter::write(std::span<const std::byte> bytes) {
    std::uint64_t due = bytes.size();
    // Empty tensors are passed over, so that the next bytes belong to the one they were made for.
    while (m_present < m_tensors.size() && due >= m_leftOfPresent) {
        due -= m_leftOfPresent;
        ++m_present;
        m_leftOfPresent = m_present < m_tensors.size() ? sizeBytesOf(m_tensors[m_present]) : 0;
    }
    if (m_present == m_tensors.size() && due > 0) return Error{ErrorCode::Internal, "more bytes were written than the tensors declare", "", "", ""};
    m_leftOfPresent -= due;
    return m_file.write(bytes);
}

Result<void> SafetensorsWriter::writeFloats(std::span<const float> values) {
    if (m_present == m_tensors.size()) {
        if (values.empty()) return {};
        return Error{ErrorCode::Internal, "more values were written than the tensors declare", "", "", ""};
    }
    const DType dtype = m_tensors[m_present].dtype;
    const auto width = static_cast<std::size_t>(dtypeBlockBytes(dtype));
    if (values.size() * width > m_leftOfPresent)
        return Error{ErrorCode::Internal, "more values were written than the tensor has", escapeForDisplay(m_tensors[m_present].name), "", ""};
    if (dtype == DType::F32) return write(std::as_bytes(values));
    if (dtype != DType::BF16 && dtype != DType::F16 && dtype != DType::F64) {
        return Error{ErrorCode::Internal, "floats cannot be written as " + std::string(dtypeName(dtype)), escapeForDisplay(m_tensors[m_present].name),
                     "", ""};
    }
    constexpr std::size_t pieceElements = 128 << 10;
    for (std::size_t at = 0; at < values.size(); at += pieceElements) {
        const auto piece = values.subspan(at, std::min(pieceElements, values.size() - at));
        m_converted.resize(piece.size() * width);
        convertFromFloat(dtype, piece, m_converted);
        MOFO_CHECK(write(m_converted));
    }
    return {};
}

Result<std::string> SafetensorsWriter::finish() {
    MOFO_CHECK(write({}));
    if (m_present != m_tensors.size())
        return Error{ErrorCode::Internal, "tensor " + escapeForDisplay(m_tensors[m_present].name) + " was not written whole", "", "", ""};
    return m_file.finish();
}

}  // namespace mofo
