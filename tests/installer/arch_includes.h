// Who may include whom: the arrows between the project's folders, kept by the CTest test arch.includes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mofo::test {

struct IncludeFinding {
    std::string place;   ///< "core/text/dataset.cpp:7"
    std::string reason;  ///< "core/text may not include core/store (\"core/store/registry.h\")"
};

struct IncludeReport {
    std::size_t files = 0;
    std::size_t includes = 0;
    std::vector<IncludeFinding> findings;  ///< in the order of their places
};

/// Reads every source file of kernels, core, ui, app and installer below `root`.
[[nodiscard]] IncludeReport checkIncludes(const std::filesystem::path& root);

}  // namespace mofo::test
