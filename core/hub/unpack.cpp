#include "core/hub/unpack.h"

#include <fcntl.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/hub/http.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMostBytes = 4ull << 30;
constexpr unsigned kPieceBytes = 1 << 20;
constexpr std::array kMagic{std::byte{0x1f}, std::byte{0x8b}};

Result<bool> isGzip(const fs::path& file) {
    MOFO_TRY(const FileReader reader, FileReader::open(file));
    std::array<std::byte, 2> head{};
    if (reader.sizeBytes() < head.size()) return false;
    MOFO_CHECK(reader.readAt(0, head));
    return head == kMagic;
}

Error damaged(const fs::path& file, const std::string& what) {
    return Error{ErrorCode::InvalidInput, "the gzip file " + what, escapeForDisplay(file.string()), "The same command fetches it again", "GZIP"};
}

struct Close {
    void operator()(gzFile_s* file) const { gzclose_r(file); }
};

Result<void> unpackInto(const fs::path& file, FileWriter& out, const std::function<bool()>& goOn) {
    const std::unique_ptr<gzFile_s, Close> in(gzopen(file.c_str(), "rbe"));
    if (!in) return errnoError(errno, "cannot open", file);
    std::vector<std::byte> piece(kPieceBytes);
    while (true) {
        const int n = gzread(in.get(), piece.data(), kPieceBytes);
        int code = Z_OK;
        gzerror(in.get(), &code);
        if (code == Z_ERRNO) return errnoError(errno, "cannot read", file);
        if (n < 0) return damaged(file, "is damaged");
        if (code == Z_BUF_ERROR) return damaged(file, "is cut off");
        if (n == 0) return {};
        if (out.sizeBytes() + static_cast<std::uint64_t>(n) > kMostBytes) return damaged(file, "holds more than " + formatBytes(kMostBytes));
        MOFO_CHECK(out.write(std::span(piece).first(static_cast<std::size_t>(n))));
        if (!goOn()) return hubInterrupted();
    }
}

}  // namespace

Result<void> unpackGzip(const fs::path& file, const std::function<bool()>& goOn) {
    MOFO_TRY(const bool packed, isGzip(file));
    if (!packed) return {};
    const fs::path unpacked = file.string() + ".unpacked";
    std::error_code ec;
    fs::remove(unpacked, ec);
    MOFO_TRY(FileWriter out, FileWriter::create(unpacked));
    auto done = unpackInto(file, out, goOn);
    if (done.ok()) {
        if (auto finished = out.finish(); !finished.ok()) done = std::move(finished).error();
    }
    if (!done.ok()) {
        fs::remove(unpacked, ec);
        return done;
    }
    if (::rename(unpacked.c_str(), file.c_str()) != 0) return errnoError(errno, "cannot rename into place", file);
    return {};
}

}  // namespace mofo
