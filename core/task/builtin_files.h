// The files of resources/tasks as the program holds them. Private to core/task.
#pragma once

#include <span>
#include <string_view>

namespace mofo {

struct BuiltInFile {
    std::string_view name;
    std::string_view text;
};
[[nodiscard]] std::span<const BuiltInFile> builtInFiles();

}  // namespace mofo
