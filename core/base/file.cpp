#include "core/base/file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/base/failpoint.h"
#include "core/base/hash.h"
#include "core/base/hub_path.h"
#include "core/base/ids.h"
#include "core/base/text.h"

namespace mofo {

namespace fs = std::filesystem;

Error errnoError(int errorNumber, std::string_view what, const fs::path& path) {
    Error error;
    error.where = escapeForDisplay(path.string());
    error.message = std::string(what) + ": " + std::strerror(errorNumber);
    error.tag = "IO";
    switch (errorNumber) {
        case EACCES:
        case EPERM:
        case EROFS:
            error.code = ErrorCode::Permission;
            error.remedy = "Check who owns it and its permissions";
            break;
        case ENOENT:
        case ENOTDIR:
            error.code = ErrorCode::NotFound;
            error.remedy = "Check the path";
            break;
        case ENOSPC:
        case EDQUOT:
            error.code = ErrorCode::OutOfSpace;
            error.remedy = "Free disk space and try again";
            break;
        default: error.code = ErrorCode::Io;
    }
    return error;
}

FileReader::FileReader(int fd, std::uint64_t sizeBytes, fs::path path) : m_fd(fd), m_sizeBytes(sizeBytes), m_path(std::move(path)) {}
FileReader::FileReader(FileReader&& other) noexcept
    : m_fd(std::exchange(other.m_fd, -1)), m_sizeBytes(other.m_sizeBytes), m_path(std::move(other.m_path)) {}
FileReader& FileReader::operator=(FileReader&& other) noexcept {
    std::swap(m_fd, other.m_fd);
    std::swap(m_sizeBytes, other.m_sizeBytes);
    std::swap(m_path, other.m_path);
    return *this;
}
FileReader::~FileReader() {
    if (m_fd >= 0) ::close(m_fd);
}

namespace {

Result<std::uint64_t> sizeOfRegularFile(int fd, const fs::path& path) {
    struct stat info {};
    if (fstat(fd, &info) != 0) return errnoError(errno, "cannot examine the file", path);
    if (!S_ISREG(info.st_mode)) {
        return Error{ErrorCode::InvalidInput, "not a regular file", escapeForDisplay(path.string()), "Name a file, not a folder, pipe or device", "IO"};
    }
    return static_cast<std::uint64_t>(info.st_size);
}

bool isHexadecimal(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Newer Hugging Face caches keep a blob once for all repositories: <repository>/blobs/<hex> leads to ../../blobs/<2 digits>/<64 digits>.
std::string sharedBlobOf(int folderFd, const char* blob) {
    std::array<char, 512> link{};
    const ssize_t length = readlinkat(folderFd, blob, link.data(), link.size() - 1);
    const std::string_view target(link.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    constexpr std::string_view prefix = "../../blobs/";
    constexpr std::size_t shelf = 2, digits = 64;
    const bool right = target.starts_with(prefix) && target.size() == prefix.size() + shelf + 1 + digits && target[prefix.size() + shelf] == '/' &&
                       isHexadecimal(target.substr(prefix.size(), shelf)) && isHexadecimal(target.substr(prefix.size() + shelf + 1));
    return right ? "../../blobs/" + std::string(target) : std::string();
}

Error pathError(std::string_view message, const fs::path& folder, std::string_view name) {
    return Error{ErrorCode::InvalidInput, std::string(message), escapeForDisplay(folder.string()) + ": \"" + escapeForDisplay(name) + '"',
                 "A file named here must lie in the same folder", "PATH"};
}

}  // namespace

Result<FileReader> FileReader::open(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return errnoError(errno, "cannot open the file", path);
    auto size = sizeOfRegularFile(fd, path);
    if (!size.ok()) {
        ::close(fd);
        return std::move(size).error();
    }
    return FileReader(fd, *size, path);
}

Result<FileReader> FileReader::openBeneath(const fs::path& folder, std::string_view name) {
    const bool bare = !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
                      std::none_of(name.begin(), name.end(), [](char c) { return c == '/' || c == '\\' || c == ':' || static_cast<unsigned char>(c) < 0x20; });
    if (!bare) return pathError("not a bare file name", folder, name);
    const int folderFd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folderFd < 0) return errnoError(errno, "cannot open the folder", folder);
    const std::string text(name);
    open_how how{};
    how.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    how.resolve = RESOLVE_BENEATH;
    long fd = syscall(SYS_openat2, folderFd, text.c_str(), &how, sizeof how);
    int reason = errno;
    if (fd < 0 && reason == EXDEV) {
        // The Hugging Face cache keeps snapshots/<commit>/<file> as links to ../../blobs/<hex> of the same repository.
        std::array<char, 512> link{};
        const ssize_t length = readlinkat(folderFd, text.c_str(), link.data(), link.size() - 1);
        const std::string_view target(link.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
        constexpr std::string_view prefix = "../../blobs/";
        const std::string_view blob = target.substr(0, prefix.size()) == prefix ? target.substr(prefix.size()) : std::string_view();
        if (isHexadecimal(blob)) {
            fd = openat(folderFd, link.data(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
            reason = errno;
            if (fd < 0 && reason == ELOOP) {
                if (const std::string shared = sharedBlobOf(folderFd, link.data()); !shared.empty()) {
                    fd = openat(folderFd, shared.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
                    reason = errno;
                }
            }
        }
    }
    ::close(folderFd);
    if (fd < 0 && reason == EXDEV) return pathError("the name leads out of its folder", folder, name);
    if (fd < 0) return errnoError(reason, "cannot open the file", folder / text);
    auto size = sizeOfRegularFile(static_cast<int>(fd), folder / text);
    if (!size.ok()) {
        ::close(static_cast<int>(fd));
        return std::move(size).error();
    }
    return FileReader(static_cast<int>(fd), *size, folder / text);
}

Result<void> FileReader::readAt(std::uint64_t offset, std::span<std::byte> out) const {
    if (offset > m_sizeBytes || out.size() > m_sizeBytes - offset) {
        return Error{ErrorCode::InvalidInput, "the file ends before byte " + std::to_string(offset) + " + " + std::to_string(out.size()),
                     escapeForDisplay(m_path.string()), "It is cut short: fetch it again", "TRUNC"};
    }
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t n = pread(m_fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errnoError(errno, "cannot read at byte " + std::to_string(offset + done), m_path);
        if (n == 0) {
            return Error{ErrorCode::Io, "the file became shorter while it was read, at byte " + std::to_string(offset + done),
                         escapeForDisplay(m_path.string()), "Something else is writing to it", "IO"};
        }
        done += static_cast<std::size_t>(n);
    }
    return {};
}

Result<fs::path> resolvedPath(const fs::path& path) {
    std::error_code ec;
    fs::path resolved = fs::canonical(path, ec);
    if (ec) return errnoError(ec.value(), "cannot resolve the path", path);
    if (fs::is_directory(resolved, ec) || path.filename() == resolved.filename()) return resolved;
    fs::path named = fs::canonical(path.has_parent_path() ? path.parent_path() : fs::path("."), ec) / path.filename();
    return !ec && hubPlaceOfPath(named.string()) ? named : resolved;
}

Result<std::string> readWholeFile(const fs::path& path, std::uint64_t limitBytes) {
    MOFO_TRY(FileReader file, FileReader::open(path));
    if (file.sizeBytes() > limitBytes) {
        return Error{ErrorCode::InvalidInput, "the file is larger than " + formatBytes(limitBytes), escapeForDisplay(path.string()), "", "LIMIT"};
    }
    std::string text(file.sizeBytes(), '\0');
    MOFO_CHECK(file.readAt(0, std::as_writable_bytes(std::span(text))));
    return text;
}

Result<std::string> sha256OfFile(const fs::path& path) {
    MOFO_TRY(FileReader file, FileReader::open(path));
    Sha256 hash;
    std::vector<std::byte> buffer(1 << 20);
    for (std::uint64_t at = 0; at < file.sizeBytes();) {
        const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), file.sizeBytes() - at));
        MOFO_CHECK(file.readAt(at, piece));
        hash.update(piece);
        at += piece.size();
    }
    return hash.hex();
}

Result<void> writeFileAtomic(const fs::path& path, std::string_view bytes, unsigned mode) {
    const fs::path temp = path.parent_path() / ("." + path.filename().string() + "." + newShortId() + ".tmp");
    const auto write = [&]() -> Result<void> {
        MOFO_TRY(FileWriter file, FileWriter::create(temp, mode));
        MOFO_CHECK(file.write(bytes));
        MOFO_CHECK(file.finish());
        return {};
    };
    auto written = write();
    if (!written.ok()) {
        ::unlink(temp.c_str());
        return std::move(written).error().in(path.string());
    }
    if (::rename(temp.c_str(), path.c_str()) != 0) {
        const int reason = errno;
        ::unlink(temp.c_str());
        return errnoError(reason, "cannot replace the file", path);
    }
    return syncFolder(path.parent_path());
}

struct FileWriter::State {
    int fd = -1;
    fs::path path;
    Sha256 hash;
    ~State() {
        if (fd >= 0) ::close(fd);
    }
};

FileWriter::FileWriter(std::unique_ptr<State> state) : m_state(std::move(state)) {}
FileWriter::FileWriter(FileWriter&&) noexcept = default;
FileWriter& FileWriter::operator=(FileWriter&&) noexcept = default;
FileWriter::~FileWriter() = default;

Result<FileWriter> FileWriter::create(const fs::path& path, unsigned mode) {
    auto state = std::make_unique<State>();
    state->path = path;
    if (const int planned = failpoint("file.create")) return errnoError(planned, "cannot create the file", path);
    state->fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (state->fd < 0) return errnoError(errno, "cannot create the file", path);
    return FileWriter(std::move(state));
}

Result<void> FileWriter::write(std::span<const std::byte> bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        if (const int planned = failpoint("file.write")) return errnoError(planned, "cannot write", m_state->path);
        const ssize_t n = ::write(m_state->fd, bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errnoError(errno, "cannot write", m_state->path);
        done += static_cast<std::size_t>(n);
    }
    m_state->hash.update(bytes);
    m_sizeBytes += bytes.size();
    return {};
}

Result<void> FileWriter::write(std::string_view text) { return write(std::as_bytes(std::span(text.data(), text.size()))); }

Result<std::string> FileWriter::finish() {
    if (const int planned = failpoint("file.fsync")) return errnoError(planned, "cannot sync the file to disk", m_state->path);
    if (fsync(m_state->fd) != 0) return errnoError(errno, "cannot sync the file to disk", m_state->path);
    const int fd = std::exchange(m_state->fd, -1);
    if (const int planned = failpoint("file.close")) {
        ::close(fd);
        return errnoError(planned, "cannot close the file", m_state->path);
    }
    if (::close(fd) != 0) return errnoError(errno, "cannot close the file", m_state->path);
    return m_state->hash.hex();
}

StagedFolder::StagedFolder(fs::path temp, fs::path target) : m_temp(std::move(temp)), m_target(std::move(target)) {}
StagedFolder::StagedFolder(StagedFolder&& other) noexcept : m_temp(std::exchange(other.m_temp, {})), m_target(std::move(other.m_target)) {}
StagedFolder::~StagedFolder() {
    std::error_code ignored;
    if (!m_temp.empty()) fs::remove_all(m_temp, ignored);
}

Result<StagedFolder> StagedFolder::create(const fs::path& target, unsigned mode) {
    std::error_code ec;
    const fs::path clean = fs::absolute(target, ec).lexically_normal();
    const fs::path goal = clean.filename().empty() ? clean.parent_path() : clean;
    if (fs::exists(fs::symlink_status(goal, ec))) {
        return Error{ErrorCode::Conflict, "there is something of that name already", escapeForDisplay(goal.string()), "Choose another name or move it away", ""};
    }
    const fs::path temp = goal.parent_path() / ("." + goal.filename().string() + "." + newShortId() + ".tmp");
    if (const int planned = failpoint("folder.create")) return errnoError(planned, "cannot make a folder", temp);
    if (::mkdir(temp.c_str(), mode) != 0) return errnoError(errno, "cannot make a folder", temp);
    return StagedFolder(temp, goal);
}

Result<void> StagedFolder::commit() {
    std::error_code ec;
    for (fs::recursive_directory_iterator it(m_temp, ec), end; !ec && it != end; it.increment(ec)) {
        const fs::path& entry = it->path();
        const int fd = ::open(entry.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) return errnoError(errno, "cannot open for syncing", entry);
        const int planned = failpoint("folder.entry_fsync");
        const bool synced = planned == 0 && fsync(fd) == 0;
        const int reason = planned != 0 ? planned : errno;
        ::close(fd);
        if (!synced) return errnoError(reason, "cannot sync to disk", entry);
    }
    if (ec) return errnoError(ec.value(), "cannot list the folder", m_temp);
    MOFO_CHECK(syncFolder(m_temp));
    if (const int planned = failpoint("folder.rename")) return errnoError(planned, "cannot rename into place", m_target);
    // RENAME_NOREPLACE: somebody may have made the target since create().
    if (renameat2(AT_FDCWD, m_temp.c_str(), AT_FDCWD, m_target.c_str(), RENAME_NOREPLACE) != 0) {
        if (errno == EEXIST) return Error{ErrorCode::Conflict, "there is something of that name already", escapeForDisplay(m_target.string()), "Choose another name", ""};
        return errnoError(errno, "cannot rename into place", m_target);
    }
    m_temp.clear();
    return syncFolder(m_target.parent_path());
}

FileLock::FileLock(FileLock&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
    std::swap(m_fd, other.m_fd);
    return *this;
}
FileLock::~FileLock() { release(); }

Result<FileLock> FileLock::tryAcquire(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return errnoError(errno, "cannot open the lock file", path);
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        const int reason = errno;
        ::close(fd);
        if (reason == EAGAIN || reason == EACCES) return Error{ErrorCode::Busy, "held by another process", escapeForDisplay(path.string()), "", ""};
        return errnoError(reason, "cannot lock", path);
    }
    return FileLock(fd);
}

bool FileLock::isHeld(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    // Asking with F_OFD_GETLK takes nothing, so that a look never makes an engine's own attempt fail.
    struct flock probe {};
    probe.l_type = F_RDLCK;
    probe.l_whence = SEEK_SET;
    const bool held = fcntl(fd, F_OFD_GETLK, &probe) == 0 && probe.l_type != F_UNLCK;
    ::close(fd);
    return held;
}

Result<void> FileLock::writeText(std::string_view text) {
    if (ftruncate(m_fd, 0) != 0 || pwrite(m_fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
        return Error{ErrorCode::Io, std::string("cannot write into the lock file: ") + std::strerror(errno), "", "", "IO"};
    }
    return {};
}

void FileLock::release() {
    if (m_fd >= 0) ::close(std::exchange(m_fd, -1));
}

Result<void> syncFolder(const fs::path& folder) {
    const fs::path path = folder.empty() ? fs::path(".") : folder;
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errnoError(errno, "cannot open the folder", path);
    const int planned = failpoint("folder.fsync");
    const bool synced = planned == 0 && fsync(fd) == 0;
    const int reason = planned != 0 ? planned : errno;
    ::close(fd);
    if (!synced) return errnoError(reason, "cannot sync the folder to disk", path);
    return {};
}

Result<void> makeFolder(const fs::path& folder, bool withParents) {
    std::error_code ec;
    if (fs::is_directory(folder, ec)) return {};
    if (withParents && folder.has_parent_path() && folder.parent_path() != folder) MOFO_CHECK(makeFolder(folder.parent_path(), true));
    const bool made = ::mkdir(folder.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) return errnoError(errno, "cannot make the folder", folder);
    if (!fs::is_directory(folder, ec)) return errnoError(ENOTDIR, "cannot make the folder", folder);
    if (!made) return {};
    // Without this all that is synced inside is gone with the folder's own name when the power fails. Not everybody may read the parent.
    auto synced = syncFolder(folder.parent_path());
    return !synced.ok() && synced.error().code == ErrorCode::Permission ? Result<void>() : synced;
}

Result<std::uint64_t> freeBytes(const fs::path& path) {
    std::error_code ec;
    fs::path at = fs::absolute(path, ec);
    while (!fs::exists(at, ec) && at.has_parent_path() && at.parent_path() != at) at = at.parent_path();
    struct statvfs info {};
    if (statvfs(at.c_str(), &info) != 0) return errnoError(errno, "cannot ask for free space", at);
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

Result<void> requireFreeBytes(const fs::path& path, std::uint64_t neededBytes, std::string_view what) {
    MOFO_TRY(const std::uint64_t available, freeBytes(path));
    const std::uint64_t wanted = neededBytes + neededBytes / 20;
    if (available < wanted) {
        return Error{ErrorCode::OutOfSpace, std::string(what) + " needs " + formatBytes(wanted) + ", but only " + formatBytes(available) + " are free",
                     escapeForDisplay(path.string()), "Free disk space or choose another place", "SPACE"};
    }
    return {};
}

bool isNetworkFileSystem(const fs::path& path) {
    struct statfs info {};
    if (statfs(path.c_str(), &info) != 0) return false;
    constexpr long cifs = 0xFF534D42, smb2 = 0xFE534D42, fuse = 0x65735546, ceph = 0x00c36400;
    const long type = static_cast<long>(info.f_type);
    return type == NFS_SUPER_MAGIC || type == cifs || type == smb2 || type == V9FS_MAGIC || type == fuse || type == ceph || type == AFS_FS_MAGIC;
}

}  // namespace mofo
