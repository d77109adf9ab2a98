// A file read block by block through a window; private to core/text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/result.h"

namespace mofo {

/// The bytes from the present place on, as far as they have been read. What lies before the place is forgotten with the next read, so
/// that memory is what the caller leaves unconsumed plus one block. Hashes every byte once. Not thread safe.
class ByteWindow {
public:
    static Result<ByteWindow> open(const std::filesystem::path& path);

    /// Bytes at hand, from the present place.
    [[nodiscard]] std::string_view view() const { return std::string_view(m_buffer).substr(m_at); }
    /// Goes on by `count` bytes (at most view().size()), counting lines.
    void consume(std::size_t count);
    /// Reads another block; false at the end of the file. Invalidates views.
    Result<bool> more();
    /// Line of the present place, from 1.
    [[nodiscard]] std::uint64_t line() const { return m_line; }
    /// Offset of the present place in the file.
    [[nodiscard]] std::uint64_t offset() const { return m_read - view().size(); }
    [[nodiscard]] std::uint64_t sizeBytes() const { return m_file.sizeBytes(); }
    [[nodiscard]] const std::filesystem::path& path() const { return m_file.path(); }
    /// SHA-256 of the whole file; reads what is left of it. Only once.
    Result<std::string> finishHash();

private:
    explicit ByteWindow(FileReader file) : m_file(std::move(file)) {}
    FileReader m_file;
    Sha256 m_hash;
    std::string m_buffer;
    std::size_t m_at = 0;
    std::uint64_t m_read = 0;
    std::uint64_t m_line = 1;
};

}  // namespace mofo
