// The part of GgufFile that reads header, metadata and tensor table; private to core/tensorio.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensorio/gguf.h"

namespace mofo {

/// Fills a GgufFile. Nothing is believed: a length is compared with the bytes that are left before anything of that length exists.
class GgufParser {
public:
    explicit GgufParser(GgufFile& file) : m_target(file), m_reader(file.m_file) {}
    Result<void> parse();

private:
    Result<void> parseHeader();
    Result<void> parsePairs();
    Result<void> parsePair();
    Result<GgufValue> parseScalar(std::uint32_t type);
    Result<GgufValue> parseArray();
    Result<void> parseTensors();
    Result<TensorInfo> parseTensor();
    Result<void> placeTensors();

    template <class T>
    Result<T> number();
    Result<std::string> bytes(std::uint64_t length);
    Result<void> fill(std::span<std::byte> out);
    [[nodiscard]] std::uint64_t left() const { return m_reader.sizeBytes() - m_at; }
    [[nodiscard]] Error refusal(const char* tag, std::string message) const;

    GgufFile& m_target;
    const FileReader& m_reader;
    std::uint64_t m_at = 0;           ///< byte that is read next
    std::vector<std::byte> m_window;  ///< bytes of the file from m_windowAt on
    std::uint64_t m_windowAt = 0;
    std::uint64_t m_tensorCount = 0;
    std::uint64_t m_pairCount = 0;
    std::uint64_t m_arrayElements = 0;  ///< of all arrays so far
    std::uint64_t m_alignment = 32;
    std::string m_context;  ///< key or tensor being read, for messages
};

}  // namespace mofo
