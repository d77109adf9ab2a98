#include "core/client/engine_environment.h"

#include <sched.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "core/base/json.h"

namespace mofo {

namespace {

constexpr std::array<const char*, 9> kVariables{"OMP_NUM_THREADS", "OMP_THREAD_LIMIT",    "OMP_DYNAMIC",        "MKL_NUM_THREADS",
                                                "MKL_DYNAMIC",     "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MOFO_CPU_KERNELS",
                                                "MOFO_TASK_DATA"};

std::string settingKey(std::string_view runId) { return "engine_environment." + std::string(runId); }

}  // namespace

EngineEnvironment ownEngineEnvironment() {
    EngineEnvironment environment;
    for (const char* name : kVariables) {
        const char* value = std::getenv(name);
        environment.variables.emplace_back(name, value != nullptr ? std::optional<std::string>(value) : std::nullopt);
    }
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return environment;  // more processors than the set can name
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set)) environment.processors.push_back(cpu);
    }
    return environment;
}

Result<void> noteEngineEnvironment(Registry& registry, std::string_view runId) {
    const EngineEnvironment own = ownEngineEnvironment();
    Json variables = Json::object();
    for (const auto& [name, value] : own.variables) {
        if (value) variables[name] = *value;
    }
    const Json json = {{"variables", variables}, {"processors", own.processors}};
    return registry.setSetting(settingKey(runId), json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<EngineEnvironment> notedEngineEnvironment(const Registry& registry, std::string_view runId) {
    MOFO_TRY(const std::optional<std::string> text, registry.setting(settingKey(runId)));
    const auto json = parseJson(text.value_or(""));
    if (!json.ok() || !json->is_object() || !json->contains("variables") || !(*json)["variables"].is_object()) return ownEngineEnvironment();
    EngineEnvironment environment;
    // By our own list: what the store says must not set any other variable.
    for (const char* name : kVariables) {
        const auto value = (*json)["variables"].find(name);
        const bool given = value != (*json)["variables"].end() && value->is_string();
        environment.variables.emplace_back(name, given ? std::optional(value->get<std::string>()) : std::nullopt);
    }
    const auto processors = json->find("processors");
    if (processors == json->end() || !processors->is_array()) return environment;
    for (const Json& cpu : *processors) {
        if (cpu.is_number_integer() && cpu >= 0 && cpu < CPU_SETSIZE) environment.processors.push_back(cpu.get<int>());
    }
    return environment;
}

}  // namespace mofo
