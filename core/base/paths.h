// Where things are: the workspace, the cache, the program's own resources.
#pragma once

#include <filesystem>

namespace mofo {

/// $MOFO_WORKSPACE, else $XDG_DATA_HOME/mofo, else ~/.local/share/mofo.
[[nodiscard]] std::filesystem::path defaultWorkspacePath();
/// $XDG_CACHE_HOME/mofo, else ~/.cache/mofo.
[[nodiscard]] std::filesystem::path cachePath();
/// The folder of the running program (build/bin): its siblings mofo, mofo-engine, mofo-workbench are found there.
[[nodiscard]] std::filesystem::path programFolder();

}  // namespace mofo
