#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/context.h"
#include "core/base/file.h"
#include "core/base/gpu_probe.h"
#include "core/base/paths.h"
#include "core/base/process_memory.h"
#include "core/base/text.h"
#include "core/client/device_choice.h"
#include "core/client/engine_process.h"
#include "core/model/model_description.h"
#include "core/store/workspace.h"
#include "core/text/chat_template.h"

namespace mofo::cli {

namespace {

constexpr double kVersionSeconds = 20;

struct DoctorOptions {
    bool json = false, models = false;
};

struct Finding {
    std::string name, text;
    bool good = true;
};

std::string cpuField(const std::string& field) {
    std::ifstream info("/proc/cpuinfo");
    std::string line;
    while (std::getline(info, line)) {
        if (line.rfind(field, 0) != 0) continue;
        const std::size_t colon = line.find(':');
        if (colon != std::string::npos) return std::string(trimText(std::string_view(line).substr(colon + 1)));
    }
    return {};
}

// The vector units that the kernels have a path for.
std::vector<std::string> cpuFlags() {
    const std::vector<std::string> all = splitText(cpuField("flags"), ' ');
    std::vector<std::string> found;
    for (const char* wanted : {"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_bf16", "amx_bf16"}) {
        if (std::find(all.begin(), all.end(), wanted) != all.end()) found.emplace_back(wanted);
    }
    return found;
}

Json gpuJson(const GpuFinding& finding) {
    Json devices = Json::array();
    for (const GpuDevice& device : finding.devices) {
        devices.push_back({{"index", device.index}, {"name", device.name}, {"capability", device.capability()}, {"memory_bytes", device.memoryBytes}, {"usable", device.usable}});
    }
    return {{"state", gpuStateName(finding.state)}, {"sentence", finding.sentence()}, {"driver", finding.driverVersion}, {"library", finding.libraryVersion},
            {"cuda", finding.cudaVersion}, {"devices", devices}};
}

Json programJson(const std::filesystem::path& program) {
    std::error_code ec;
    Json json = {{"path", program.string()}, {"version", nullptr}};
    if (!std::filesystem::exists(program, ec)) return json;
    if (const auto output = outputOf(program, {"--version"}, kVersionSeconds)) json["version"] = std::string(trimText(*output));
    return json;
}

Json workspaceJson(const Context& context, std::vector<Finding>& findings) {
    const std::filesystem::path path = context.workspacePath.empty() ? defaultWorkspacePath() : std::filesystem::path(context.workspacePath);
    Json json = {{"path", path.string()}, {"exists", false}, {"state", "absent"}};
    if (const auto bytes = freeBytes(path); bytes.ok()) json["free_bytes"] = *bytes;
    auto workspace = context.openWorkspace();
    if (!workspace.ok()) {
        const bool absent = workspace.error().code == ErrorCode::NotFound;
        if (!absent) json["state"] = workspace.error().text();
        findings.push_back({"workspace", absent ? path.string() + " (not made yet)" : workspace.error().text(), absent});
        return json;
    }
    json["exists"] = true;
    auto registry = Registry::open(*workspace, Registry::Access::ReadOnly);
    auto runs = registry.ok() ? registry->runs(true) : Result<std::vector<RunRow>>(registry.error());
    if (!runs.ok()) {
        json["state"] = runs.error().text();
        findings.push_back({"workspace", runs.error().text(), false});
        return json;
    }
    json["state"] = "ok";
    json["runs"] = runs->size();
    findings.push_back({"workspace", fmt::format("{}, {} runs", path.string(), runs->size())});
    return json;
}

std::string versionText(const Json& program) {
    return program["version"].is_string() ? program["version"].get<std::string>() : "missing: " + program["path"].get<std::string>();
}

Result<int> knownModels(const DoctorOptions& options) {
    const std::vector<std::string> families = knownFamilies();
    const std::vector<std::string> templates = ChatTemplate::names();
    if (options.json) {
        printJson({{"families", families}, {"chat_templates", templates}});
    } else {
        fmt::print("Model families: {}\nChat templates: {}\n", joinText(families, ", "), joinText(templates, ", "));
    }
    return 0;
}

Result<int> doctor(const Context& context, const DoctorOptions& options) {
    if (options.models) return knownModels(options);
    const GpuFinding gpu = probeGpu();
    std::vector<Finding> findings;
    utsname system{};
    uname(&system);
    const std::vector<std::string> flags = cpuFlags();
    const std::string cpuName = cpuField("model name");
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    const auto [total, available] = machineMemory();
    findings.push_back({"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)});
    findings.push_back({"CPU", fmt::format("{}, {} cores, {}", cpuName.empty() ? "unknown" : cpuName, cores, flags.empty() ? "no AVX2: slow kernels" : joinText(flags, " ")), !flags.empty()});
    findings.push_back({"memory", fmt::format("{} of {} available", formatBytes(available), formatBytes(total)), available > (2ull << 30)});
    findings.push_back({"GPU", gpu.sentence(), gpu.usable() || !gpu.worthWarning()});
    const auto plugin = cudaPlugin();
    findings.push_back({"CUDA part", plugin ? plugin->string() : "not built", plugin || !gpu.usable()});
    const Json workspace = workspaceJson(context, findings);
    if (workspace.contains("free_bytes")) {
        const auto bytes = workspace["free_bytes"].get<std::uint64_t>();
        findings.push_back({"disk", formatBytes(bytes) + " free there", bytes > (5ull << 30)});
    }
    const std::string sqlite = sqliteVersion();
    findings.push_back({"SQLite", sqlite});
    const Json engine = programJson(engineProgram());
    const Json workbench = programJson(programFolder() / "mofo-workbench");
    findings.push_back({"mofo", MOFO_VERSION});
    findings.push_back({"mofo-engine", versionText(engine), engine["version"].is_string()});
    findings.push_back({"workbench", workbench["version"].is_string() ? versionText(workbench) : "not built"});
    const bool healthy = std::all_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.good; });
    if (options.json) {
        Json devices = Json::array({"cpu"});
        for (const GpuDevice& device : gpu.devices) {
            if (device.usable && plugin) devices.push_back("cuda:" + std::to_string(device.index));
        }
        printJson({{"healthy", healthy},
                   {"system", {{"name", system.sysname}, {"release", system.release}, {"machine", system.machine}}},
                   {"cpu", {{"name", cpuName}, {"cores", cores}, {"flags", flags}}},
                   {"memory", {{"total_bytes", total}, {"available_bytes", available}}},
                   {"gpu", gpuJson(gpu)},
                   {"cuda_plugin", plugin ? Json(plugin->string()) : Json(nullptr)},
                   {"devices", devices},
                   {"workspace", workspace},
                   {"sqlite", sqlite},
                   {"programs", {{"mofo", {{"path", (programFolder() / "mofo").string()}, {"version", "mofo " MOFO_VERSION}}}, {"mofo-engine", engine}, {"mofo-workbench", workbench}}}});
        return 0;
    }
    for (const Finding& finding : findings) fmt::print("{} {:<12} {}\n", finding.good ? "ok " : "!! ", finding.name, escapeForDisplay(finding.text));
    return 0;
}

}  // namespace

void addDoctorCommand(CLI::App& app, Context& context) {
    auto options = std::make_shared<DoctorOptions>();
    CLI::App* command = addCommand(app, "doctor", "What this machine can do, and what is missing", "  mofo doctor\n  mofo doctor --json\n  mofo doctor --models");
    command->add_flag("--models", options->models, "The model families and chat templates that this version knows");
    command->add_flag("--json", options->json, "Answer in JSON");
    command->callback([&context, options] { context.action = [&context, options] { return doctor(context, *options); }; });
}

}  // namespace mofo::cli
