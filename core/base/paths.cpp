#include "core/base/paths.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace mofo {

namespace fs = std::filesystem;

namespace {
fs::path fromEnvironment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? fs::path(value) : fs::path();
}

fs::path homePath() {
    if (fs::path home = fromEnvironment("HOME"); home.is_absolute()) return home;
    const passwd* entry = getpwuid(getuid());
    return entry != nullptr ? fs::path(entry->pw_dir) : fs::path("/");
}

// The XDG specification ignores relative values.
fs::path xdgPath(const char* name, const char* fallback) {
    fs::path base = fromEnvironment(name);
    return base.is_absolute() ? base : homePath() / fallback;
}
}  // namespace

fs::path defaultWorkspacePath() {
    if (fs::path own = fromEnvironment("MOFO_WORKSPACE"); !own.empty()) return own;
    return xdgPath("XDG_DATA_HOME", ".local/share") / "mofo";
}

fs::path cachePath() { return xdgPath("XDG_CACHE_HOME", ".cache") / "mofo"; }

fs::path programFolder() {
    std::error_code ec;
    return fs::read_symlink("/proc/self/exe", ec).parent_path();
}

}  // namespace mofo
