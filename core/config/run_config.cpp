#include "core/config/run_config.h"

#include <algorithm>

#include "core/base/hub_path.h"
#include "core/base/text.h"
#include "core/config/key_effect.h"
#include "core/config/key_table.h"

namespace mofo {

namespace {

/// Keys of the `mofo train` line that are options of their own and not --set.
constexpr std::string_view ownOptions[] = {"model", "data"};

std::string assignmentText(std::string_view key, std::string_view value) {
    return escapeForDisplay(std::string(key.substr(0, 60)) + "=" + std::string(value.substr(0, 80)));
}

std::string spelledOurWay(std::string_view key) {
    std::string text;
    for (const char c : key) text += c == '-' || c == ' ' ? '_' : (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

Error unknownKey(std::string_view key, std::string_view value) {
    const std::string spelled = spelledOurWay(key);
    std::string right = findKeyEntry(spelled) != nullptr ? spelled : std::string(nameUsedElsewhere(spelled));
    if (right.empty()) {
        std::vector<std::string> names;
        for (const KeyEntry& entry : keyTable()) names.push_back(entry.description.name);
        for (const LaterKey& later : laterKeys()) names.push_back(later.name);
        right = nearestName(spelled, names);
    }
    return Error{ErrorCode::Usage, "there is no key \"" + escapeForDisplay(key.substr(0, 60)) + '"', assignmentText(key, value),
                 right.empty() ? "mofo train --help lists the keys" : "Did you mean " + right + "?", "KEY"};
}

Result<void> setLaterKey(const LaterKey& later, std::string_view key, std::string_view value) {
    if (!later.neutral.empty() && value == later.neutral) return {};
    return Error{ErrorCode::Usage, "the key " + later.name + " (" + later.what + ") is known but not available in this version",
                 assignmentText(key, value),
                 later.neutral.empty() ? "Leave it out" : "Leave it out, or use the one value there is: " + later.name + "=" + later.neutral, "KEY"};
}

Error conflict(std::string where, std::string message, std::string remedy) {
    return Error{ErrorCode::Usage, std::move(message), std::move(where), std::move(remedy), "VALUE"};
}

}  // namespace

const std::vector<KeyDescription>& keyDescriptions() {
    static const std::vector<KeyDescription> all = [] {
        std::vector<KeyDescription> list;
        for (const KeyEntry& entry : keyTable()) list.push_back(entry.description);
        return list;
    }();
    return all;
}

const KeyDescription* findKey(std::string_view name) {
    const KeyEntry* const entry = findKeyEntry(name);
    return entry == nullptr ? nullptr : &entry->description;
}

Result<void> setConfigValue(RunConfig& config, std::string_view key, std::string_view value) {
    if (const KeyEntry* const entry = findKeyEntry(key)) {
        auto done = entry->set(config, value);
        if (done.ok()) return {};
        Error error = std::move(done).error();
        error.where = assignmentText(key, value);
        return error;
    }
    for (const LaterKey& later : laterKeys()) {
        if (later.name == key) return setLaterKey(later, key, value);
    }
    return unknownKey(key, value);
}

std::string configValue(const RunConfig& config, std::string_view key) {
    const KeyEntry* const entry = findKeyEntry(key);
    return entry == nullptr ? std::string() : entry->get(config);
}

Result<std::pair<std::string, std::string>> splitAssignment(std::string_view assignment) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return Error{ErrorCode::Usage, "not of the form key=value", '"' + escapeForDisplay(assignment.substr(0, 80)) + '"',
                     "Write it like alpha=0.15", "KEY"};
    }
    return std::pair(std::string(trimText(assignment.substr(0, equals))), std::string(assignment.substr(equals + 1)));
}

double effectiveEvalSplit(const RunConfig& config) {
    const bool implied = config.evalSplit == 0 && config.evalEvery > 0 && config.evalData.empty();
    return implied ? 0.05 : config.evalSplit;
}

std::int64_t effectiveMicroBatch(const RunConfig& config) {
    return config.microBatch == 0 ? config.batch : std::min(config.microBatch, config.batch);
}

Result<void> checkConfig(const RunConfig& config) {
    if (config.microBatch > config.batch) {
        return conflict("micro_batch=" + std::to_string(config.microBatch), "micro_batch is larger than batch (" + std::to_string(config.batch) + ")",
                        "Make micro_batch at most " + std::to_string(config.batch) + ", or batch larger");
    }
    if (!config.alpha.perKind.empty()) {
        const std::string kind = config.alpha.perKind.begin()->first;
        const bool mixes = config.granularity.kind == GranularityKind::Model || config.granularity.kind == GranularityKind::Layer;
        if (mixes) {
            return conflict(
                "alpha." + kind,
                "an alpha per kind of module cannot go with granularity=" + config.granularity.text() + ", whose partitions mix the kinds",
                "Use granularity module, tensor, head, row, block or shards, or one alpha for all");
        }
    }
    const std::string optimizer = configValue(config, "optimizer");
    if (config.oomRetry && config.lossMean == LossMean::MicroBatch) {
        return conflict("oom_retry=true", "loss_mean=micro_batch gives every micro-batch the same weight, so that smaller ones are another loss",
                        "Use oom_retry=false, or loss_mean=token");
    }
    if (config.rule != SelectionRule::Momentum && !ranksCoordinates(config.optimizer)) {
        return conflict("rule=" + configValue(config, "rule"),
                        "rule has no effect with optimizer=" + optimizer + ": only mofo and lora_mofo rank coordinates by it",
                        "Use rule=momentum, or optimizer=mofo");
    }
    if (config.hftEvery > 0 && config.optimizer != OptimizerKind::Hft) {
        return conflict("hft_every=" + std::to_string(config.hftEvery), "hft_every has no effect with optimizer=" + optimizer,
                        "Use hft_every=0, or optimizer=hft");
    }
    const bool lora = trainsLora(config.optimizer);
    for (const char* key : {"lora_rank", "lora_alpha", "lora_dropout"}) {
        const std::string value = configValue(config, key);
        if (lora || value == configValue(RunConfig(), key)) continue;
        return conflict(std::string(key) + "=" + value, std::string(key) + " has no effect with optimizer=" + optimizer,
                        std::string("Leave ") + key + " out, or use optimizer=lora or lora_mofo");
    }
    for (const char* key : {"l1", "l2"}) {
        const std::string value = configValue(config, key);
        if (!lora || value == configValue(RunConfig(), key)) continue;
        return conflict(std::string(key) + "=" + value,
                        "the pretrained weights do not move with optimizer=" + optimizer + ", so nothing pulls to them",
                        std::string("Leave ") + key + " out, or use another optimizer");
    }
    if (config.evalSplit > 0 && !config.evalData.empty()) {
        return conflict("eval_split=" + formatShortest(config.evalSplit), "eval_split and eval_data are both set, and only one can be",
                        "Leave one of them out");
    }
    return checkGuards(config);
}

bool trainsLora(OptimizerKind optimizer) { return optimizer == OptimizerKind::Lora || optimizer == OptimizerKind::LoraMofo; }

bool ranksCoordinates(OptimizerKind optimizer) { return optimizer == OptimizerKind::Mofo || optimizer == OptimizerKind::LoraMofo; }

bool selectsCoordinates(OptimizerKind optimizer) { return ranksCoordinates(optimizer) || optimizer == OptimizerKind::FixedMask; }

Result<void> checkLiveKey(const RunConfig& config, std::string_view key) {
    const KeyDescription* const description = findKey(key);
    if (description == nullptr || !description->live) {
        std::vector<std::string> live;
        for (const KeyDescription& other : keyDescriptions()) {
            if (other.live) live.push_back(other.name);
        }
        return Error{ErrorCode::Usage, "this key cannot change while a run is on", escapeForDisplay(key.substr(0, 60)),
                     "These can: " + joinText(live, ", "), "KEY"};
    }
    if (!hasEffect(config, key)) {
        return Error{ErrorCode::Usage, std::string(key) + " has no effect with optimizer=" + configValue(config, "optimizer"), std::string(key),
                     "Start a run with another optimizer: that key cannot change while a run is on", "KEY"};
    }
    return {};
}

Json configToJson(const RunConfig& config) {
    Json json = Json::object();
    for (const KeyEntry& entry : keyTable()) json[entry.description.name] = entry.get(config);
    return json;
}

Result<RunConfig> configFromJson(const Json& json) {
    if (!json.is_object()) return Error{ErrorCode::InvalidInput, "a stored configuration is an object of keys and texts", "", "", "TYPE"};
    RunConfig config;
    // Stored by a version that measured none.
    if (!json.contains("probes")) config.probes.clear();
    for (const auto& [key, value] : json.items()) {
        const KeyEntry* const entry = findKeyEntry(key);
        if (entry == nullptr) {
            return Error{ErrorCode::Unsupported,
                         "this version does not know the key \"" + escapeForDisplay(key.substr(0, 60)) + "\" of the stored configuration", "",
                         "It was written by a newer version: use that one", "VER"};
        }
        const auto* const text = value.get_ptr<const std::string*>();
        if (text == nullptr) return Error{ErrorCode::InvalidInput, "the stored value of " + key + " is not a text", "", "", "TYPE"};
        auto done = entry->set(config, *text);
        if (!done.ok()) {
            // A value that this version refuses came from another version or from a damaged store, not from this command line.
            Error error = std::move(done).error();
            error.code = ErrorCode::InvalidInput;
            error.where = "stored configuration: " + assignmentText(key, *text);
            return error;
        }
    }
    return config;
}

std::vector<ConfigDifference> configDifferences(const RunConfig& a, const RunConfig& b) {
    std::vector<ConfigDifference> differences;
    for (const KeyEntry& entry : keyTable()) {
        std::string before = entry.get(a), after = entry.get(b);
        if (before != after) differences.push_back({entry.description.name, std::move(before), std::move(after)});
    }
    return differences;
}

std::string trainCommandLine(const RunConfig& config, std::string_view name) {
    std::string line = "mofo train --model " + shellWord(hubNameOrPath(config.model)) + " --data " + shellWord(hubNameOrPath(config.data));
    if (!name.empty()) line += " --name " + shellWord(name);
    for (const KeyEntry& entry : keyTable()) {
        const KeyDescription& key = entry.description;
        if (std::find(std::begin(ownOptions), std::end(ownOptions), key.name) != std::end(ownOptions)) continue;
        const std::string value = key.name == "eval_data" ? hubNameOrPath(config.evalData) : entry.get(config);
        if (value != key.defaultText) line += " --set " + shellWord(key.name + "=" + value);
    }
    return line;
}

}  // namespace mofo
