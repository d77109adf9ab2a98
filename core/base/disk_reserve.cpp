#include "core/base/disk_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/text.h"

namespace mofo {

Result<void> DiskReserve::hold(std::uint64_t bytes) const {
    constexpr std::uint64_t blockBytes = 512;  // of st_blocks, whatever the file system's own are
    struct stat info {};
    std::uint64_t held = 0;
    if (lstat(m_file.c_str(), &info) == 0) held = static_cast<std::uint64_t>(info.st_blocks) * blockBytes;
    if (held >= bytes) return {};
    MOFO_TRY(const std::uint64_t available, freeBytes(m_file.parent_path()));
    if (available < 2 * (bytes - held)) {
        return Error{ErrorCode::OutOfSpace, "only " + formatBytes(available) + " are free, too few to hold any back",
                     escapeForDisplay(m_file.string()), "Free disk space", "SPACE"};
    }
    const int fd = ::open(m_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) return errnoError(errno, "cannot hold back disk space", m_file);
    int reason = posix_fallocate(fd, 0, static_cast<off_t>(bytes));
    if (reason == 0 && fsync(fd) != 0) reason = errno;
    ::close(fd);
    if (reason == 0) return {};
    ::unlink(m_file.c_str());
    return errnoError(reason, "cannot hold back disk space", m_file);
}

bool DiskReserve::release() const {
    if (::unlink(m_file.c_str()) != 0) return false;
    // Where blocks are free only once the deletion is on the disk.
    static_cast<void>(syncFolder(m_file.parent_path()).ok());
    return true;
}

}  // namespace mofo
