#include "core/store/recording.h"

#include <sys/stat.h>

namespace mofo {

bool isRecording(const std::filesystem::path& workspace) {
    struct stat info {};
    return ::stat((workspace / "workbench.db").c_str(), &info) == 0 && (info.st_mode & 0222) == 0;
}

}  // namespace mofo
