// Files: reading foreign ones without trusting them, writing ours so that a crash leaves the old or the new, and locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

/// A regular file opened once and read with pread: never mmap (a file that shrinks would be a signal), never a FIFO or device
/// (O_NONBLOCK, S_ISREG). Its size is frozen at open; reading past the present end is an Io error. Thread safe to read.
class FileReader {
public:
    static Result<FileReader> open(const std::filesystem::path& path);
    /// Opens `name`, a bare file name, inside `folder`; refuses anything that resolves to outside of it, but for the symbolic
    /// links of a Hugging Face cache into ../../blobs of the same repository. Tag PATH.
    static Result<FileReader> openBeneath(const std::filesystem::path& folder, std::string_view name);
    FileReader(FileReader&&) noexcept;
    FileReader& operator=(FileReader&&) noexcept;
    ~FileReader();

    [[nodiscard]] std::uint64_t sizeBytes() const { return m_sizeBytes; }
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    /// Fills all of `out` from `offset`, or fails (tag TRUNC where the range lies past the end).
    Result<void> readAt(std::uint64_t offset, std::span<std::byte> out) const;

private:
    FileReader(int fd, std::uint64_t sizeBytes, std::filesystem::path path);
    int m_fd = -1;
    std::uint64_t m_sizeBytes = 0;
    std::filesystem::path m_path;
};

/// Absolute, links resolved; but a file of a Hugging Face cache keeps the name that its snapshot gives it, as the blob behind has none (hub_path.h).
Result<std::filesystem::path> resolvedPath(const std::filesystem::path& path);
/// The whole of a small file; more than `limitBytes` is refused (tag LIMIT) before anything is allocated.
Result<std::string> readWholeFile(const std::filesystem::path& path, std::uint64_t limitBytes);
/// SHA-256 of a file's bytes, read in pieces.
Result<std::string> sha256OfFile(const std::filesystem::path& path);

/// Writes temp beside the target, fsync, rename, fsync of the folder. Mode 0600 unless told otherwise.
Result<void> writeFileAtomic(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0600);

/// Sequential writer of one new file (O_EXCL) that hashes what it writes. An error of any write or fsync is final.
class FileWriter {
public:
    static Result<FileWriter> create(const std::filesystem::path& path, unsigned mode = 0600);
    FileWriter(FileWriter&&) noexcept;
    FileWriter& operator=(FileWriter&&) noexcept;
    ~FileWriter();
    Result<void> write(std::span<const std::byte> bytes);
    Result<void> write(std::string_view text);
    /// fsync and close; returns the SHA-256 of everything written.
    Result<std::string> finish();
    [[nodiscard]] std::uint64_t sizeBytes() const { return m_sizeBytes; }

private:
    struct State;
    explicit FileWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
    std::uint64_t m_sizeBytes = 0;
};

/// A folder that appears whole or not at all: made beside the target under a temporary name, removed by the destructor
/// unless commit() renamed it. commit() fsyncs every file in it, the folder and its parent.
class StagedFolder {
public:
    /// Fails (Conflict) where the target exists already.
    static Result<StagedFolder> create(const std::filesystem::path& target, unsigned mode = 0700);
    StagedFolder(StagedFolder&&) noexcept;
    StagedFolder& operator=(StagedFolder&&) = delete;
    ~StagedFolder();
    [[nodiscard]] const std::filesystem::path& path() const { return m_temp; }
    Result<void> commit();

private:
    StagedFolder(std::filesystem::path temp, std::filesystem::path target);
    std::filesystem::path m_temp;
    std::filesystem::path m_target;
};

/// An exclusive open-file-description lock: it dies with the last descriptor, so it can never be stale.
class FileLock {
public:
    /// Creates the file if need be and takes the lock at once, or fails with Busy.
    static Result<FileLock> tryAcquire(const std::filesystem::path& path);
    /// Whether somebody holds the lock; a missing file is free.
    static bool isHeld(const std::filesystem::path& path);
    FileLock(FileLock&&) noexcept;
    FileLock& operator=(FileLock&&) noexcept;
    ~FileLock();
    /// Replaces the file's text (pid and the like, to be read by people; liveness is the lock alone).
    Result<void> writeText(std::string_view text);
    void release();

private:
    explicit FileLock(int fd) : m_fd(fd) {}
    int m_fd = -1;
};

Result<void> syncFolder(const std::filesystem::path& folder);
/// Makes one folder (mode 0700) and, if asked, its missing parents.
Result<void> makeFolder(const std::filesystem::path& folder, bool withParents);
/// Bytes a non-root process may still write on the file system of `path` (or of its nearest existing parent).
Result<std::uint64_t> freeBytes(const std::filesystem::path& path);
/// Refuses with OutOfSpace, naming needed and free bytes, where fewer than `neededBytes` + 5 % are free.
Result<void> requireFreeBytes(const std::filesystem::path& path, std::uint64_t neededBytes, std::string_view what);
/// Whether `path` is on a network file system (NFS, CIFS, 9p, FUSE), where SQLite's locks cannot be trusted.
bool isNetworkFileSystem(const std::filesystem::path& path);
/// errno as an Error: Permission, NotFound, OutOfSpace or Io.
Error errnoError(int errorNumber, std::string_view what, const std::filesystem::path& path);

}  // namespace mofo
