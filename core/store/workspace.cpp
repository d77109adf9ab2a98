#include "core/store/workspace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/store/database.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr const char* chooseRemedy = "Choose another place with --workspace or MOFO_WORKSPACE";

Error refusal(ErrorCode code, std::string message, const fs::path& folder) {
    return Error{code, std::move(message), escapeForDisplay(folder.string()), chooseRemedy, "PATH"};
}

Result<void> checkFolder(const fs::path& folder, bool toWrite) {
    struct stat info {};
    if (stat(folder.c_str(), &info) != 0) return errnoError(errno, "cannot examine the workspace", folder);
    if (!S_ISDIR(info.st_mode)) return refusal(ErrorCode::InvalidInput, "there is a file where the workspace should be", folder);
    // A read-only sample that the system installed belongs to root; everything else must be ours.
    const bool systems = info.st_uid == 0 && !toWrite;
    if (info.st_uid != geteuid() && !systems)
        return refusal(ErrorCode::Permission, "the workspace belongs to another user (uid " + std::to_string(info.st_uid) + ")", folder);
    if (isNetworkFileSystem(folder))
        return refusal(ErrorCode::Io, "the workspace is on a network file system, whose locks cannot be trusted", folder);
    const int wanted = toWrite ? R_OK | W_OK | X_OK : R_OK | X_OK;
    if (faccessat(AT_FDCWD, folder.c_str(), wanted, AT_EACCESS) != 0) {
        if (errno == EACCES || errno == EROFS)
            return refusal(ErrorCode::Permission, toWrite ? "the workspace is not writable" : "the workspace is not readable", folder);
        return errnoError(errno, "cannot use the workspace", folder);
    }
    return {};
}

Result<fs::path> absolutePath(const fs::path& folder) {
    std::error_code failure;
    fs::path path = fs::absolute(folder, failure).lexically_normal();
    if (failure || folder.empty()) return refusal(ErrorCode::Usage, "the workspace has no usable path", folder);
    // "a/b/" names the folder b and not the empty name below it.
    return path.has_filename() ? path : path.parent_path();
}

}  // namespace

Result<Workspace> Workspace::open(const fs::path& folder) {
    MOFO_TRY(fs::path path, absolutePath(folder));
    struct stat info {};
    if (stat(path.c_str(), &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return Error{ErrorCode::NotFound, "there is no workspace", escapeForDisplay(path.string()), "mofo train makes one", ""};
    }
    MOFO_CHECK(checkFolder(path, false));
    Workspace workspace(std::move(path));
    if (lstat(workspace.registryFile().c_str(), &info) != 0 && errno == ENOENT) {
        return Error{ErrorCode::NotFound, "the folder holds no workspace", escapeForDisplay(workspace.folder().string()), "mofo train makes one", ""};
    }
    return workspace;
}

Result<Workspace> Workspace::openOrCreate(const fs::path& folder, bool isDefaultPlace) {
    MOFO_TRY(fs::path path, absolutePath(folder));
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) {
        if (errno == ENOTDIR) return refusal(ErrorCode::InvalidInput, "a file stands in the way of the workspace's path", path);
        if (errno != ENOENT) return errnoError(errno, "cannot examine the workspace", path);
        if (!isDefaultPlace && stat(path.parent_path().c_str(), &info) != 0 && errno == ENOENT) {
            return Error{ErrorCode::NotFound, "the folder in which the workspace should be made does not exist",
                         escapeForDisplay(path.parent_path().string()), "Make that folder first, or name another place", "PATH"};
        }
        MOFO_CHECK(makeFolder(path, isDefaultPlace));
    }
    MOFO_CHECK(checkFolder(path, true));
    Workspace workspace(std::move(path));
    for (const char* name : {"models", "runs", "jobs", "devices"}) MOFO_CHECK(makeFolder(workspace.folder() / name, false));
    MOFO_CHECK(Database::createIfMissing(workspace.registryFile(), registrySchema(), false));
    return workspace;
}

fs::path Workspace::deviceLock(std::string_view device) const { return m_folder / "devices" / (std::string(device) + ".lock"); }

std::string sqliteVersion() { return SQLite::getLibVersion(); }

}  // namespace mofo
