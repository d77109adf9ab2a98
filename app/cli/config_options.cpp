#include "app/cli/config_options.h"

namespace mofo::cli {

void addConfigOptions(CLI::App& command, ConfigOptions& options) {
    command.add_option("--model", options.model, "GGUF file, Hugging Face folder, workspace model or hf:owner/name[@revision][:file]")
        ->type_name("M");
    command.add_option("--data", options.data, "JSONL, JSON array, CSV or TSV, or hf:datasets/owner/name[@revision][:file]")->type_name("FILE");
    command.add_option("--preset", options.preset, "Start from a named set of values");
    command.add_option("--set", options.assignments, "key=value, as often as needed; `mofo train --help` lists them")->type_name("KEY=VALUE");
}

Result<RunConfig> configOf(const ConfigOptions& options) {
    RunConfig config;
    if (!options.preset.empty()) MOFO_CHECK(applyPreset(config, options.preset));
    if (!options.model.empty()) MOFO_CHECK(setConfigValue(config, "model", options.model));
    if (!options.data.empty()) MOFO_CHECK(setConfigValue(config, "data", options.data));
    for (const std::string& assignment : options.assignments) {
        MOFO_TRY(const auto parts, splitAssignment(assignment));
        MOFO_CHECK(setConfigValue(config, parts.first, parts.second));
    }
    MOFO_CHECK(checkConfig(config));
    return config;
}

}  // namespace mofo::cli
