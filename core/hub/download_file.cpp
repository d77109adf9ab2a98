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
constexpr std::uint64_t kMostBytes = 4ull << 30;  // of a file whose size nobody says

/// The growing file: bytes go to the disk and into the hash.
class PartFile {
public:
    PartFile(fs::path path, const ByteSource& source)
        : m_path(std::move(path)), m_source(source), m_sizeBytes(source.sizeBytes), m_hash(source.file) {}
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
        if (present > sizeLimit() || !m_source.keepsPart) return restart();
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
        m_hash = HubHash(m_source.file);
        m_sizeBytes = m_source.sizeBytes;
        m_version.clear();
        return {};
    }

    /// The answer's bytes follow those that are there.
    [[nodiscard]] Result<bool> isContinuedBy(const HttpHead& head) {
        const auto range = parseRange(head.header("content-range"));
        if (head.status != 206 || !range || range->firstByte != m_done || (m_sizeBytes && range->sizeBytes && *m_sizeBytes != *range->sizeBytes) ||
            range->endByte != range->sizeBytes.value_or(m_sizeBytes.value_or(range->endByte))) {
            return false;
        }
        // Without a hash to compare, the server's word for the file's version says that it is still the same.
        if (!m_hash.isKnown() && m_done > 0 && m_version != head.header("etag")) return false;
        if (range->sizeBytes) MOFO_CHECK(learnSize(*range->sizeBytes));
        return true;
    }

    /// A whole answer begins: what it says of the file.
    Result<void> begin(const HttpHead& head) {
        const std::string length = head.header("content-length");
        std::uint64_t size = 0;
        const auto [end, ec] = std::from_chars(length.data(), length.data() + length.size(), size);
        const bool isNumber = ec == std::errc() && end == length.data() + length.size();
        if (m_source.sizeBytes && !length.empty() && head.header("content-encoding").empty() && (!isNumber || size != *m_source.sizeBytes)) {
            return Error{ErrorCode::Io,
                         "the file has " + escapeForDisplay(std::string_view(length).substr(0, 20)) + " bytes, and " + m_source.listed + ' ' +
                             std::to_string(*m_source.sizeBytes),
                         m_source.file.name, "Try again later", "HTTP"};
        }
        MOFO_CHECK(restart());  // from the start, whatever an attempt before has left
        m_version = head.header("etag");
        return isNumber ? learnSize(size) : Result<void>();
    }

    Result<void> append(std::span<const std::byte> bytes) {
        if (bytes.size() > sizeLimit() - m_done) {
            return Error{ErrorCode::Io,
                         m_sizeBytes ? "there comes more than the " + formatBytes(*m_sizeBytes) + " that " + m_source.listed
                                     : "there comes more than " + formatBytes(kMostBytes),
                         m_source.file.name, "Try again later", "HASH"};
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
            return Error{ErrorCode::InvalidInput, "what came is not the file that " + m_source.listed + " (its hash differs), and was removed",
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
    [[nodiscard]] std::optional<std::uint64_t> sizeBytes() const { return m_sizeBytes; }
    [[nodiscard]] bool isWhole() const { return m_sizeBytes == m_done; }

private:
    struct Range {
        std::uint64_t firstByte = 0, endByte = 0;
        std::optional<std::uint64_t> sizeBytes;
    };
    /// "bytes 100-199/200" or "bytes 100-199/*".
    static std::optional<Range> parseRange(std::string_view text) {
        Range range;
        std::uint64_t last = 0, size = 0;
        const auto number = [&](std::string_view before, std::uint64_t& value) {
            if (!text.starts_with(before)) return false;
            text.remove_prefix(before.size());
            const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (ec != std::errc()) return false;
            text.remove_prefix(static_cast<std::size_t>(end - text.data()));
            return true;
        };
        if (!number("bytes ", range.firstByte) || !number("-", last) || last < range.firstByte || last >= kMostOfRange) return std::nullopt;
        range.endByte = last + 1;
        if (text == "/*") return range;
        if (!number("/", size) || !text.empty()) return std::nullopt;
        range.sizeBytes = size;
        return range;
    }

    Result<void> learnSize(std::uint64_t size) {
        if (m_sizeBytes) return {};
        if (size > kMostBytes) {
            return Error{ErrorCode::Unsupported, "the file has " + formatBytes(size) + ", and at most " + formatBytes(kMostBytes) + " are taken",
                         m_source.file.name, "Check the address", "LIMIT"};
        }
        if (m_source.onSize) MOFO_CHECK(m_source.onSize(size, m_done));
        m_sizeBytes = size;
        return {};
    }
    [[nodiscard]] std::uint64_t sizeLimit() const { return m_sizeBytes.value_or(kMostBytes); }

    static constexpr std::uint64_t kMostOfRange = 1ull << 62;
    fs::path m_path;
    const ByteSource& m_source;
    std::optional<std::uint64_t> m_sizeBytes;  ///< nothing while it is not known
    HubHash m_hash;
    std::string m_version;  ///< ETag of the answer that began the part
    int m_fd = -1;
    std::uint64_t m_done = 0;
};

fs::path partOf(const fs::path& file) { return file.string() + ".part"; }

/// One attempt: asks for what is missing and takes it.
Result<void> transfer(const ByteSource& source, PartFile& part, const FileProgress& progress) {
    const auto onHead = [&](const HttpHead& head) -> Result<void> {
        if (head.status == 200) return part.begin(head);
        MOFO_TRY(const bool continued, part.isContinuedBy(head));
        if (continued) return {};
        MOFO_CHECK(part.restart());  // 416, or another range than was asked for: once more from the start
        return Error{ErrorCode::Io, "the server gives another part of the file than was asked for", source.file.name, "", "NET"};
    };
    const auto onBytes = [&](std::string_view bytes) -> Result<void> {
        MOFO_CHECK(part.append(std::as_bytes(std::span(bytes.data(), bytes.size()))));
        return progress(part.doneBytes(), false) ? Result<void>() : hubInterrupted();
    };
    MOFO_CHECK(source.read(part.doneBytes(), onHead, onBytes));
    if (part.sizeBytes() && !part.isWhole()) return Error{ErrorCode::Io, "the file ended early", source.file.name, "", "NET"};
    return {};
}

}  // namespace

std::uint64_t sizeOfPart(const fs::path& file, std::uint64_t sizeBytes) {
    std::error_code ec;
    const std::uint64_t present = fs::file_size(partOf(file), ec);
    return ec || present > sizeBytes ? 0 : present;
}

Result<void> downloadBytes(const ByteSource& source, const fs::path& target, const FileProgress& progress) {
    MOFO_CHECK(makeFolder(target.parent_path(), true));
    PartFile part(partOf(target), source);
    MOFO_CHECK(part.open(progress));
    int attempt = 0;
    while (!part.isWhole()) {
        const std::uint64_t before = part.doneBytes();
        auto done = transfer(source, part, progress);
        if (done.ok()) break;
        Error error = std::move(done).error();
        if (error.tag == "HASH") part.remove();
        if (!HubClient::isTransient(error)) return error;
        if (part.doneBytes() > before + kProgressThatCounts) attempt = 0;
        if (++attempt > source.retries) {
            if (error.tag == "NET" && source.keepsPart && part.doneBytes() > 0) {
                return Error{ErrorCode::Io,
                             error.message + "; " + formatBytes(part.doneBytes()) +
                                 (part.sizeBytes() ? " of " + formatBytes(*part.sizeBytes()) : std::string()) + " are kept",
                             source.file.name, "The same command goes on from there", "NET"};
            }
            if (error.tag == "NET" && error.remedy.empty()) error.remedy = "Check the network and the proxy, and try again";
            return error;
        }
        MOFO_CHECK(source.backOff(attempt));
    }
    return part.finish(target);
}

Result<void> downloadFile(HubClient& client, const std::string& commit, const HubFile& file, const fs::path& folder, const FileProgress& progress) {
    ByteSource source{file, file.sizeBytes};
    source.retries = client.settings().retries;
    source.read = [&](std::uint64_t firstByte, const OnHead& onHead, const OnBytes& onBytes) {
        return client.read(commit, file, firstByte, onHead, onBytes);
    };
    source.backOff = [&](int attempt) { return client.backOff(attempt); };
    return downloadBytes(source, folder / file.name, progress);
}

Result<void> copyFile(const fs::path& source, const HubFile& file, const fs::path& folder, const FileProgress& progress) {
    const fs::path target = folder / file.name;
    MOFO_CHECK(makeFolder(target.parent_path(), true));
    MOFO_TRY(const FileReader reader, FileReader::open(source));
    if (reader.sizeBytes() != file.sizeBytes)
        return Error{ErrorCode::InvalidInput, "the file has changed", escapeForDisplay(source.string()), "", "HASH"};
    const ByteSource expected{file, file.sizeBytes};
    PartFile part(partOf(target), expected);
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
