// Identifiers of runs, jobs and commands.
#pragma once

#include <string>

namespace mofo {

/// A random version-4 UUID, lower case, 36 characters.
[[nodiscard]] std::string newUuid();
/// A run or job id: 12 random characters of [a-z2-7] (60 bits), safe in file names and short enough to type a prefix of.
[[nodiscard]] std::string newShortId();

}  // namespace mofo
