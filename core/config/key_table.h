// The one table behind run_config.h: each key with its description, its reader and its writer. Private to core/config.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/run_config.h"

namespace mofo {

struct KeyEntry {
    KeyDescription description;
    /// Reads the text into the config; the error's message needs no key, setConfigValue adds it.
    std::function<Result<void>(RunConfig&, std::string_view)> set;
    std::function<std::string(const RunConfig&)> get;
    std::vector<std::string> laterChoices;  ///< values the product will have, but this version has not
};

/// A key that the product's contract names but this version cannot do anything with.
struct LaterKey {
    std::string name;
    std::string neutral;  ///< the one value that asks for what this version does anyway, or empty
    std::string what;     ///< what it will be for
};

/// In the order of the form and of --help.
[[nodiscard]] const std::vector<KeyEntry>& keyTable();
[[nodiscard]] const KeyEntry* findKeyEntry(std::string_view name);
[[nodiscard]] const std::vector<LaterKey>& laterKeys();
/// The name of ours for what other trainers call a key ("learning_rate" -> "lr"), or empty.
[[nodiscard]] std::string_view nameUsedElsewhere(std::string_view name);

}  // namespace mofo
