#include "core/tensorio/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/text.h"
#include "core/tensorio/convert.h"
#include "core/tensorio/safetensors_header.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t maxHeaderBytes = 100'000'000;  // the format's own limit

}  // namespace

Result<SafetensorsFile> SafetensorsFile::open(const fs::path& path) {
    MOFO_TRY(FileReader reader, FileReader::open(path));
    return parse(std::move(reader));
}

Result<SafetensorsFile> SafetensorsFile::openBeneath(const fs::path& folder, std::string_view name) {
    MOFO_TRY(FileReader reader, FileReader::openBeneath(folder, name));
    return parse(std::move(reader));
}

Result<SafetensorsFile> SafetensorsFile::parse(FileReader reader) {
    SafetensorsFile file(std::move(reader));
    const std::string where = escapeForDisplay(file.path().string());
    const std::uint64_t size = file.m_file.sizeBytes();
    const auto refusal = [&](const char* tag, std::string message) {
        return Error{ErrorCode::InvalidInput, std::move(message), where + ", byte 0", "Fetch the file again", tag};
    };
    if (size < 8)
        return refusal("TRUNC", "the file has only " + std::to_string(size) + " bytes; a safetensors file begins with 8 bytes of header length");
    std::uint64_t headerBytes = 0;
    MOFO_CHECK(file.m_file.readAt(0, std::as_writable_bytes(std::span(&headerBytes, 1))));
    if (headerBytes > maxHeaderBytes || headerBytes > size - 8) {
        std::array<char, 4> head{};
        std::memcpy(head.data(), &headerBytes, head.size());
        const std::string_view begin(head.data(), head.size());
        if (begin == "GGUF") return refusal("JSON", "this is a GGUF file under another name");
        if (begin == "PK\x03\x04" || begin.starts_with("\x80\x02"))
            return refusal("JSON", "this is a PyTorch pickle under another name, which is never loaded");
    }
    if (headerBytes > maxHeaderBytes)
        return refusal("LIMIT", "the header length " + std::to_string(headerBytes) + " is beyond the format's limit of 100 MB");
    if (headerBytes > size - 8)
        return refusal("TRUNC",
                       "the header of " + std::to_string(headerBytes) + " bytes does not fit into the " + std::to_string(size - 8) + " that follow");
    std::string text(headerBytes, '\0');
    MOFO_CHECK(file.m_file.readAt(8, std::as_writable_bytes(std::span(text))));
    auto header = parseSafetensorsHeader(text, 8 + headerBytes, size);
    if (!header.ok()) {
        Error error = std::move(header).error();
        if (error.remedy.empty()) error.remedy = "Fetch the file again, or ask who made it";
        return std::move(error).in(where + ", header");
    }
    file.m_tensors = std::move(header->tensors);
    file.m_index = std::move(header->index);
    file.m_metadata = std::move(header->metadata);
    file.m_warnings = std::move(header->warnings);
    return file;
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const {
    const auto found = m_index.find(std::string(name));
    return found == m_index.end() ? nullptr : &m_tensors[found->second];
}

Result<void> SafetensorsFile::readFloats(const TensorInfo& tensor, std::int64_t first, std::span<float> out) const {
    const std::string where = escapeForDisplay(path().string()) + ": tensor " + escapeForDisplay(tensor.name);
    if (!canReadAsFloat(tensor.dtype)) {
        return Error{ErrorCode::Unsupported, "elements of type " + std::string(dtypeName(tensor.dtype)) + " cannot be read by this build", where,
                     "Known: F64, F32, F16, BF16", "DTYPE"};
    }
    const auto count = static_cast<std::int64_t>(out.size());
    if (first < 0 || first > tensor.elementCount || count > tensor.elementCount - first) {
        return Error{ErrorCode::Internal, "elements " + std::to_string(first) + " + " + std::to_string(count) + " are not of this tensor", where, "",
                     ""};
    }
    const auto bytes = static_cast<std::uint64_t>(dtypeBlockBytes(tensor.dtype));
    const std::uint64_t begin = tensor.offset + static_cast<std::uint64_t>(first) * bytes;
    if (tensor.dtype == DType::F32) return m_file.readAt(begin, std::as_writable_bytes(out));
    constexpr std::size_t pieceElements = 128 << 10;
    std::vector<std::byte> raw(std::min(out.size(), pieceElements) * bytes);
    for (std::size_t at = 0; at < out.size();) {
        const std::size_t now = std::min(pieceElements, out.size() - at);
        const auto piece = std::span(raw).first(now * bytes);
        MOFO_CHECK(m_file.readAt(begin + at * bytes, piece));
        convertToFloat(tensor.dtype, piece, out.subspan(at, now));
        at += now;
    }
    return {};
}

Result<void> SafetensorsFile::readBytes(const TensorInfo& tensor, std::uint64_t first, std::span<std::byte> out) const {
    if (first > tensor.sizeBytes || out.size() > tensor.sizeBytes - first) {
        return Error{ErrorCode::Internal, "bytes " + std::to_string(first) + " + " + std::to_string(out.size()) + " are not of this tensor",
                     escapeForDisplay(path().string()) + ": tensor " + escapeForDisplay(tensor.name), "", ""};
    }
    MOFO_CHECK(m_file.readAt(tensor.offset + first, out));
    if (tensor.dtype == DType::Bool) {
        // Any other byte is undefined behaviour in a C++ bool.
        const auto wrong = std::find_if(out.begin(), out.end(), [](std::byte b) { return b > std::byte{1}; });
        if (wrong != out.end()) {
            return Error{ErrorCode::InvalidInput, "a BOOL element is neither 0 nor 1",
                         escapeForDisplay(path().string()) + ", byte " +
                             std::to_string(tensor.offset + first + static_cast<std::uint64_t>(wrong - out.begin())),
                         "Fetch the file again", "RANGE"};
        }
    }
    return {};
}

}  // namespace mofo
