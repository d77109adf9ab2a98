#include "core/text/byte_window.h"

#include <algorithm>
#include <span>

namespace mofo {

namespace {
constexpr std::size_t kBlockBytes = 1 << 20;
}

Result<ByteWindow> ByteWindow::open(const std::filesystem::path& path) {
    MOFO_TRY(FileReader file, FileReader::open(path));
    return ByteWindow(std::move(file));
}

void ByteWindow::consume(std::size_t count) {
    const std::string_view gone = view().substr(0, count);
    m_line += static_cast<std::uint64_t>(std::count(gone.begin(), gone.end(), '\n'));
    m_at += gone.size();
}

Result<bool> ByteWindow::more() {
    // The size is the one at opening: a file that grows is read as it was, one that shrinks is an error of readAt.
    const std::uint64_t left = m_file.sizeBytes() - m_read;
    if (left == 0) return false;
    m_buffer.erase(0, m_at);
    m_at = 0;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, kBlockBytes));
    const std::size_t before = m_buffer.size();
    m_buffer.resize(before + count);
    const auto block = std::as_writable_bytes(std::span(m_buffer).subspan(before));
    MOFO_CHECK(m_file.readAt(m_read, block));
    m_hash.update(block);
    m_read += count;
    return true;
}

Result<std::string> ByteWindow::finishHash() {
    while (true) {
        consume(view().size());
        MOFO_TRY(const bool any, more());
        if (!any) return m_hash.hex();
    }
}

}  // namespace mofo
