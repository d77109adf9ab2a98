// The data of a task, downloaded into the folder where they are looked for.
#pragma once

#include <string_view>

#include "app/cli/context.h"

namespace mofo::cli {

/// Whether `mofo get` is to fetch a task's data: "task:NAME" or "task:FILE".
[[nodiscard]] bool isTaskReference(std::string_view reference);

/// Says on stderr what it is, from where, how large and where to, downloads what is not there, and prints the data's path (or JSON). Data that are in
/// the program or the run's own need nothing: exit code 0 and no path. NotFound: no such task, or no address.
Result<int> getTask(const Context& context, std::string_view reference, bool json);

}  // namespace mofo::cli
