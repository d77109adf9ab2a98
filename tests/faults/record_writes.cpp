// Loaded before libc (LD_PRELOAD): notes every change to files below $MOFO_RECORD_ROOT in the file $MOFO_RECORD_LOG, in the order in which the
// kernel saw them, and then does what was asked. The log is a write_log.h record after the other, each written at once.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "tests/faults/write_log.h"

namespace {

using mofo::test::WriteOp;
using mofo::test::WriteRecord;

struct Recorder {
    std::mutex mutex;
    std::string root;
    int log = -1;
    std::vector<std::string> paths;  // of open descriptors below the root

    Recorder() {
        const char* const rootText = std::getenv("MOFO_RECORD_ROOT");
        const char* const logText = std::getenv("MOFO_RECORD_LOG");
        if (rootText == nullptr || logText == nullptr) return;
        root = std::string(rootText) + '/';
        log = static_cast<int>(syscall(SYS_openat, AT_FDCWD, logText, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    }

    /// The path below the root, or empty.
    std::string below(int folder, const char* path) const {
        if (log < 0 || path == nullptr) return {};
        std::string whole = path;
        if (path[0] != '/') {
            char base[PATH_MAX] = {};
            const std::string link = folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/" + std::to_string(folder);
            const ssize_t length = readlink(link.c_str(), base, sizeof base - 1);
            if (length <= 0) return {};
            whole = std::string(base, static_cast<std::size_t>(length)) + '/' + path;
        }
        while (whole.size() > 1 && whole.back() == '/') whole.pop_back();
        if (whole + '/' == root) return ".";
        return whole.compare(0, root.size(), root) == 0 ? whole.substr(root.size()) : std::string();
    }
    std::string of(int fd) const {
        return fd >= 0 && static_cast<std::size_t>(fd) < paths.size() ? paths[static_cast<std::size_t>(fd)] : std::string();
    }
    void opened(int fd, const std::string& path) {
        if (static_cast<std::size_t>(fd) >= paths.size()) paths.resize(static_cast<std::size_t>(fd) + 64);
        paths[static_cast<std::size_t>(fd)] = path;
    }
    void note(WriteOp op, const std::string& path, const std::string& second = {}, std::int64_t offset = 0, const void* data = nullptr,
              std::size_t size = 0) const {
        const WriteRecord record{op, static_cast<std::uint32_t>(path.size()), static_cast<std::uint32_t>(second.size()),
                                 static_cast<std::uint32_t>(size), offset};
        std::string bytes(reinterpret_cast<const char*>(&record), sizeof record);
        bytes += path;
        bytes += second;
        if (size > 0) bytes.append(static_cast<const char*>(data), size);
        if (syscall(SYS_write, log, bytes.data(), bytes.size()) != static_cast<long>(bytes.size())) abort();
    }
};

Recorder& recorder() {
    static auto* const one = new Recorder;  // outlives everything that still writes at the end
    return *one;
}

int openRecorded(int folder, const char* path, int flags, mode_t mode) {
    Recorder& r = recorder();
    const std::string name = r.below(folder, path);
    if (name.empty()) return static_cast<int>(syscall(SYS_openat, folder, path, flags, mode));
    const std::lock_guard lock(r.mutex);
    struct stat before {};
    const bool existed = fstatat(folder, path, &before, AT_SYMLINK_NOFOLLOW) == 0;
    const int fd = static_cast<int>(syscall(SYS_openat, folder, path, flags, mode));
    if (fd < 0) return fd;
    const int error = errno;
    r.opened(fd, name);
    if (!existed && (flags & O_CREAT) != 0) r.note(WriteOp::Create, name);
    if (existed && (flags & O_TRUNC) != 0) r.note(WriteOp::Truncate, name);
    errno = error;
    return fd;
}

ssize_t writeRecorded(int fd, const void* data, std::size_t size, off_t offset, bool positioned) {
    Recorder& r = recorder();
    const std::lock_guard lock(r.mutex);
    const std::string name = r.of(fd);
    if (!name.empty() && !positioned) {
        offset = (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
    }
    const ssize_t written = positioned ? syscall(SYS_pwrite64, fd, data, size, offset) : syscall(SYS_write, fd, data, size);
    if (!name.empty() && written > 0) {
        const int error = errno;
        r.note(WriteOp::Write, name, {}, offset, data, static_cast<std::size_t>(written));
        errno = error;
    }
    return written;
}

/// `call` under the lock; noted where it succeeded.
template <class Call>
int changeRecorded(WriteOp op, const std::string& name, const std::string& second, std::int64_t offset, Call call) {
    Recorder& r = recorder();
    const std::lock_guard lock(r.mutex);
    const int result = static_cast<int>(call());
    if (result == 0 && !name.empty()) r.note(op, name, second, offset);
    return result;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return openRecorded(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return openRecorded(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return openRecorded(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return openRecorded(folder, path, flags, mode);
}
int close(int fd) {
    Recorder& r = recorder();
    const std::lock_guard lock(r.mutex);
    if (!r.of(fd).empty()) r.paths[static_cast<std::size_t>(fd)].clear();
    return static_cast<int>(syscall(SYS_close, fd));
}
ssize_t write(int fd, const void* data, size_t size) { return writeRecorded(fd, data, size, 0, false); }
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) { return writeRecorded(fd, data, size, offset, true); }
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) { return writeRecorded(fd, data, size, offset, true); }
ssize_t writev(int fd, const iovec* parts, int count) {
    ssize_t all = 0;
    for (int i = 0; i < count; ++i) {
        if (parts[i].iov_len == 0) continue;
        const ssize_t one = writeRecorded(fd, parts[i].iov_base, parts[i].iov_len, 0, false);
        if (one < 0) return all > 0 ? all : one;
        all += one;
        if (one < static_cast<ssize_t>(parts[i].iov_len)) break;
    }
    return all;
}
int fsync(int fd) {
    return changeRecorded(WriteOp::Sync, recorder().of(fd), {}, 0, [&] { return syscall(SYS_fsync, fd); });
}
int fdatasync(int fd) {
    return changeRecorded(WriteOp::Sync, recorder().of(fd), {}, 0, [&] { return syscall(SYS_fdatasync, fd); });
}
int ftruncate(int fd, off_t size) {
    return changeRecorded(WriteOp::Truncate, recorder().of(fd), {}, size, [&] { return syscall(SYS_ftruncate, fd, size); });
}
int ftruncate64(int fd, off64_t size) {
    return changeRecorded(WriteOp::Truncate, recorder().of(fd), {}, size, [&] { return syscall(SYS_ftruncate, fd, size); });
}
int rename(const char* from, const char* to) {
    const Recorder& r = recorder();
    return changeRecorded(WriteOp::Rename, r.below(AT_FDCWD, from), r.below(AT_FDCWD, to), 0,
                          [&] { return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0); });
}
int renameat(int fromFolder, const char* from, int toFolder, const char* to) {
    const Recorder& r = recorder();
    return changeRecorded(WriteOp::Rename, r.below(fromFolder, from), r.below(toFolder, to), 0,
                          [&] { return syscall(SYS_renameat2, fromFolder, from, toFolder, to, 0); });
}
int renameat2(int fromFolder, const char* from, int toFolder, const char* to, unsigned flags) {
    const Recorder& r = recorder();
    return changeRecorded(WriteOp::Rename, r.below(fromFolder, from), r.below(toFolder, to), 0,
                          [&] { return syscall(SYS_renameat2, fromFolder, from, toFolder, to, flags); });
}
int unlinkat(int folder, const char* path, int flags) {
    const WriteOp op = (flags & AT_REMOVEDIR) != 0 ? WriteOp::RemoveFolder : WriteOp::Unlink;
    return changeRecorded(op, recorder().below(folder, path), {}, 0, [&] { return syscall(SYS_unlinkat, folder, path, flags); });
}
int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char* path) {
    const int file = unlinkat(AT_FDCWD, path, 0);
    return file == 0 || errno != EISDIR ? file : unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}
int mkdirat(int folder, const char* path, mode_t mode) {
    return changeRecorded(WriteOp::MakeFolder, recorder().below(folder, path), {}, 0, [&] { return syscall(SYS_mkdirat, folder, path, mode); });
}
int mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
}
