#include "core/hub/download_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/hub/hub_cache.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kProgressThatCounts = 1 << 20;  // since the last attempt, so that the retries are counted anew
constexpr std::size_t kPieceBytes = 1 << 20;
constexpr int kLockPollMs = 50;

/// The growing file: bytes go to the disk and into the hash.
class PartFile {
public:
    PartFile(fs::path path, const HubFile& file) : m_path(std::move(path)), m_file(file), m_hash(file) {}
    ~PartFile() {
        if (m_fd >= 0) ::close(m_fd);
    }
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;

    /// Opens it and hashes what is there; one that is too long begins anew.
    Result<void> open(const FileProgress& progress) {
        m_fd = ::open(m_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (m_fd < 0) return errnoError(errno, "cannot write the file", m_path);
        struct stat info {};
        if (fstat(m_fd, &info) != 0) return errnoError(errno, "cannot look at", m_path);
        const auto present = static_cast<std::uint64_t>(info.st_size);
        if (!S_ISREG(info.st_mode)) return Error{ErrorCode::Io, "not a regular file", escapeForDisplay(m_path.string()), "Remove it", "IO"};
        if (present > m_file.sizeBytes) return restart();
        std::vector<std::byte> piece(kPieceBytes);
        while (m_done < present) {
            const ssize_t n = pread(m_fd, piece.data(), std::min<std::uint64_t>(piece.size(), present - m_done), static_cast<off_t>(m_done));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return errnoError(n < 0 ? errno : EIO, "cannot read", m_path);
            m_hash.update(std::span(piece).first(static_cast<std::size_t>(n)));
            m_done += static_cast<std::uint64_t>(n);
            if (!progress(m_done, true)) return hubInterrupted();
        }
        return {};
    }

    Result<void> restart() {
        if (ftruncate(m_fd, 0) != 0) return errnoError(errno, "cannot shorten", m_path);
        m_done = 0;
        m_hash = HubHash(m_file);
        return {};
    }

    Result<void> append(std::span<const std::byte> bytes) {
        if (bytes.size() > m_file.sizeBytes - m_done) {
            return Error{ErrorCode::Io, "the Hub sends more than the " + formatBytes(m_file.sizeBytes) + " that it lists", m_file.name,
                         "Try again later", "HASH"};
        }
        m_hash.update(bytes);
        while (!bytes.empty()) {
            const ssize_t n = pwrite(m_fd, bytes.data(), bytes.size(), static_cast<off_t>(m_done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return errnoError(errno, "cannot write", m_path);
            m_done += static_cast<std::uint64_t>(n);
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
        return {};
    }

    /// Compares, syncs, renames. A wrong hash removes the part.
    Result<void> finish(const fs::path& target) {
        if (!m_hash.matches()) {
            remove();
            return Error{ErrorCode::InvalidInput, "what came is not the file that the Hub lists (its hash differs), and was removed",
                         escapeForDisplay(target.string()), "The same command fetches it again", "HASH"};
        }
        // The folder's name says which commit this is: nobody shall edit it by mistake.
        if (fchmod(m_fd, 0444) != 0) return errnoError(errno, "cannot change the permissions of", m_path);
        if (fsync(m_fd) != 0) return errnoError(errno, "cannot sync the file to disk", m_path);
        if (::rename(m_path.c_str(), target.c_str()) != 0) return errnoError(errno, "cannot rename into place", target);
        return syncFolder(target.parent_path());
    }

    void remove() const { ::unlink(m_path.c_str()); }
    [[nodiscard]] std::uint64_t doneBytes() const { return m_done; }

private:
    fs::path m_path;
    const HubFile& m_file;
    HubHash m_hash;
    int m_fd = -1;
    std::uint64_t m_done = 0;
};

fs::path partOf(const fs::path& file) { return file.string() + ".part"; }

/// First byte of "bytes 100-199/200" if it ends with the file.
std::optional<std::uint64_t> firstByteOf(std::string_view range, std::uint64_t sizeBytes) {
    constexpr std::string_view unit = "bytes ";
    if (!range.starts_with(unit)) return std::nullopt;
    range.remove_prefix(unit.size());
    std::uint64_t first = 0;
    const auto [end, ec] = std::from_chars(range.data(), range.data() + range.size(), first);
    const std::string rest(end, range.data() + range.size());
    const std::string last = '-' + std::to_string(sizeBytes - 1) + '/';
    if (ec != std::errc() || (rest != last + std::to_string(sizeBytes) && rest != last + '*')) return std::nullopt;
    return first;
}

/// One attempt: asks for what is missing and takes it.
Result<void> transfer(HubClient& client, const std::string& commit, const HubFile& file, PartFile& part, const FileProgress& progress) {
    const std::uint64_t from = part.doneBytes();
    const auto onHead = [&](const HttpHead& head) -> Result<void> {
        if (head.status == 206 && firstByteOf(head.header("content-range"), file.sizeBytes) == from) return {};
        if (head.status == 200) {
            const std::string length = head.header("content-length");
            if (!length.empty() && head.header("content-encoding").empty() && length != std::to_string(file.sizeBytes)) {
                return Error{ErrorCode::Io,
                             "the file has " + escapeForDisplay(std::string_view(length).substr(0, 20)) + " bytes, and the Hub lists " +
                                 std::to_string(file.sizeBytes),
                             file.name, "Try again later", "HTTP"};
            }
            return from > 0 ? part.restart() : Result<void>();  // the server gives no ranges
        }
        MOFO_CHECK(part.restart());  // 416, or another range than was asked for: once more from the start
        return Error{ErrorCode::Io, "the server gives another part of the file than was asked for", file.name, "", "NET"};
    };
    const auto onBytes = [&](std::string_view bytes) -> Result<void> {
        MOFO_CHECK(part.append(std::as_bytes(std::span(bytes.data(), bytes.size()))));
        return progress(part.doneBytes(), false) ? Result<void>() : hubInterrupted();
    };
    auto read = client.read(commit, file, from, onHead, onBytes);
    if (!read.ok()) return std::move(read).error();
    if (part.doneBytes() != file.sizeBytes) return Error{ErrorCode::Io, "the file ended early", file.name, "", "NET"};
    return {};
}

}  // namespace

std::uint64_t sizeOfPart(const fs::path& file, std::uint64_t sizeBytes) {
    std::error_code ec;
    const std::uint64_t present = fs::file_size(partOf(file), ec);
    return ec || present > sizeBytes ? 0 : present;
}

Result<void> downloadFile(HubClient& client, const std::string& commit, const HubFile& file, const fs::path& folder, const FileProgress& progress) {
    const fs::path target = folder / file.name;
    MOFO_CHECK(makeFolder(target.parent_path(), true));
    PartFile part(partOf(target), file);
    MOFO_CHECK(part.open(progress));
    int attempt = 0;
    while (part.doneBytes() < file.sizeBytes) {
        const std::uint64_t before = part.doneBytes();
        auto done = transfer(client, commit, file, part, progress);
        if (done.ok()) break;
        Error error = std::move(done).error();
        if (error.tag == "HASH") part.remove();
        if (!HubClient::isTransient(error)) return error;
        if (part.doneBytes() > before + kProgressThatCounts) attempt = 0;
        if (++attempt > client.settings().retries) {
            if (error.tag == "NET") {
                return Error{ErrorCode::Io, error.message + "; " + formatBytes(part.doneBytes()) + " of " + formatBytes(file.sizeBytes) + " are kept",
                             file.name, "The same command goes on from there", "NET"};
            }
            return error;
        }
        MOFO_CHECK(client.backOff(attempt));
    }
    return part.finish(target);
}

Result<void> copyFile(const fs::path& source, const HubFile& file, const fs::path& folder, const FileProgress& progress) {
    const fs::path target = folder / file.name;
    MOFO_CHECK(makeFolder(target.parent_path(), true));
    MOFO_TRY(const FileReader reader, FileReader::open(source));
    if (reader.sizeBytes() != file.sizeBytes)
        return Error{ErrorCode::InvalidInput, "the file has changed", escapeForDisplay(source.string()), "", "HASH"};
    PartFile part(partOf(target), file);
    part.remove();  // what a download left is not needed
    MOFO_CHECK(part.open(progress));
    std::vector<std::byte> piece(kPieceBytes);
    while (part.doneBytes() < file.sizeBytes) {
        const auto next = std::span(piece).first(std::min<std::uint64_t>(piece.size(), file.sizeBytes - part.doneBytes()));
        MOFO_CHECK(reader.readAt(part.doneBytes(), next));
        MOFO_CHECK(part.append(next));
        if (!progress(part.doneBytes(), false)) return hubInterrupted();
    }
    return part.finish(target);
}

Result<FileLock> waitForDownload(const fs::path& lockFile, const std::function<bool()>& goOn) {
    MOFO_CHECK(makeFolder(lockFile.parent_path(), true));
    while (true) {
        auto lock = FileLock::tryAcquire(lockFile);
        if (lock.ok() || lock.error().code != ErrorCode::Busy) return lock;
        if (!goOn()) return hubInterrupted();
        std::this_thread::sleep_for(std::chrono::milliseconds(kLockPollMs));
    }
}

}  // namespace mofo
