// What names a run that is not there yet: --model, --data, --preset and --set, as train and plan take them.
#pragma once

#include <string>
#include <vector>

#include "app/cli/context.h"
#include "core/config/run_config.h"

namespace mofo::cli {

struct ConfigOptions {
    std::string model, data, preset;
    std::vector<std::string> assignments;
};

void addConfigOptions(CLI::App& command, ConfigOptions& options);
/// Checked: checkConfig().
Result<RunConfig> configOf(const ConfigOptions& options);

}  // namespace mofo::cli
