// Which tasks there are and where their data lie.
#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdlib>

#include "core/base/file.h"
#include "core/base/paths.h"
#include "core/base/text.h"
#include "core/task/builtin_files.h"
#include "core/task/task.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostProbes = 32;

bool looksLikeFile(std::string_view text) { return text.find('/') != std::string_view::npos || text.find('.') != std::string_view::npos; }

}  // namespace

std::optional<std::string_view> builtInFile(std::string_view name) {
    for (const BuiltInFile& file : builtInFiles()) {
        if (file.name == name) return file.text;
    }
    return std::nullopt;
}

const std::vector<TaskDescription>& builtInTasks() {
    static const std::vector<TaskDescription> tasks = [] {
        std::vector<TaskDescription> list;
        const auto text = builtInFile("tasks.json");
        const auto json = parseJson(text.value_or("[]"));
        assert(json.ok());
        for (const Json& one : *json) {
            auto task = parseTask(one, "tasks.json");
            assert(task.ok());
            list.push_back(std::move(*task));
        }
        return list;
    }();
    return tasks;
}

const TaskDescription* findBuiltInTask(std::string_view name) {
    const auto& tasks = builtInTasks();
    const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const TaskDescription& task) { return task.name == name; });
    return found == tasks.end() ? nullptr : &*found;
}

Result<std::vector<ProbeName>> parseProbes(std::string_view text) {
    std::vector<ProbeName> list;
    if (trimText(text).empty()) return list;
    const std::string form = "Write names or files with commas between, each with :LIMIT or without: kl,text,eval,piqa:200";
    const auto wrong = [&](std::string message) { return Error{ErrorCode::Usage, std::move(message), "", form, "VALUE"}; };
    for (const std::string& piece : splitText(text, ',')) {
        const std::string_view part = trimText(piece);
        ProbeName probe{std::string(part), 0};
        if (const auto colon = part.rfind(':'); colon != std::string_view::npos) {
            const std::string_view digits = part.substr(colon + 1);
            const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), probe.limit);
            const bool whole = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
            if (!whole || probe.limit < 1 || probe.limit > 1'000'000)
                return wrong("\"" + escapeForDisplay(digits.substr(0, 40)) + "\" is no number of items from 1 to 1000000");
            probe.task = std::string(part.substr(0, colon));
        }
        if (probe.task.empty()) return wrong("a probe without a name");
        const auto same = [&](const ProbeName& other) { return other.task == probe.task; };
        if (std::any_of(list.begin(), list.end(), same)) return wrong("the probe " + escapeForDisplay(probe.task) + " stands twice");
        if (!looksLikeFile(probe.task) && findBuiltInTask(probe.task) == nullptr) {
            std::vector<std::string> names;
            for (const TaskDescription& task : builtInTasks()) names.push_back(task.name);
            const std::string near = nearestName(probe.task, names);
            return wrong("there is no task " + escapeForDisplay(probe.task.substr(0, 60)) + (near.empty() ? "" : "; did you mean " + near + "?") +
                         " (there are " + joinText(names, ", ") + ", and files)");
        }
        list.push_back(std::move(probe));
    }
    if (list.size() > kMostProbes) return wrong("more than " + std::to_string(kMostProbes) + " probes");
    return list;
}

std::string probesText(const std::vector<ProbeName>& probes) {
    std::vector<std::string> parts;
    for (const ProbeName& probe : probes) parts.push_back(probe.task + (probe.limit > 0 ? ":" + std::to_string(probe.limit) : ""));
    return joinText(parts, ",");
}

std::vector<fs::path> taskDataFolders(const std::optional<std::string>& setting) {
    std::vector<fs::path> folders;
    if (setting && !setting->empty()) folders.emplace_back(*setting);
    if (const char* own = std::getenv("MOFO_TASK_DATA"); own != nullptr && *own != '\0') folders.emplace_back(own);
    folders.push_back(downloadedTaskData());
    return folders;
}

fs::path downloadedTaskData() { return cachePath() / "tasks"; }

std::string getTaskCommand(const TaskDescription& task) {
    if (!task.get) return {};
    return "mofo get task:" + (task.file.empty() ? task.name : escapeForDisplay(task.file.string()));
}

Result<TaskDescription> findTask(std::string_view nameOrFile) {
    if (const TaskDescription* task = findBuiltInTask(nameOrFile)) return *task;
    std::error_code ec;
    const fs::path file(nameOrFile);
    if (looksLikeFile(nameOrFile) || fs::is_regular_file(file, ec)) return loadTaskFile(fs::absolute(file, ec).lexically_normal());
    std::vector<std::string> names;
    for (const TaskDescription& task : builtInTasks()) names.push_back(task.name);
    const std::string near = nearestName(nameOrFile, names);
    return Error{ErrorCode::NotFound, "there is no task of that name" + (near.empty() ? "" : "; did you mean " + near + "?"),
                 escapeForDisplay(nameOrFile.substr(0, 120)), "`mofo tasks` lists them; a file of your own may be named as well", ""};
}

Result<fs::path> locateTaskData(const TaskDescription& task, const std::vector<fs::path>& folders, const fs::path& given) {
    std::error_code ec;
    const std::string wanted = given.empty() ? task.data : given.string();
    if (given.empty() && (task.data.empty() || task.hasBuiltInData())) return fs::path();
    std::vector<fs::path> places;
    if (!given.empty() || fs::path(task.data).is_absolute()) {
        places.push_back(fs::absolute(wanted, ec).lexically_normal());
    } else {
        if (!task.file.empty()) places.push_back(task.file.parent_path() / task.data);
        for (const fs::path& folder : folders) places.push_back(folder / task.data);
    }
    std::vector<std::string> looked;
    for (const fs::path& place : places) {
        if (fs::exists(place, ec)) return resolvedPath(place);
        looked.push_back(escapeForDisplay(place.string()));
    }
    std::string remedy = "Check the path";
    if (given.empty() && task.get) {
        remedy = "Download them: " + getTaskCommand(task) + "; or name the folder that holds the file: mofo tasks --data-folder DIR";
    } else if (given.empty()) {
        remedy = "Name the folder that holds the file: mofo tasks --data-folder DIR, or MOFO_TASK_DATA=DIR (mofo evaluate takes --data FILE)";
    }
    return Error{ErrorCode::NotFound, "the data of task " + escapeForDisplay(task.name) + " are not there: looked for " + joinText(looked, ", "), "",
                 remedy, ""};
}

}  // namespace mofo
