// get task:NAME: the data of a task, into the folder where they are looked for.
#include "app/cli/get_task.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <vector>

#include "app/cli/hub_view.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/hub/address.h"
#include "core/task/task_items.h"

namespace mofo::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "task:";

Result<std::optional<std::string>> dataFolderSetting(const Context& context) {
    auto store = openStore(context, Registry::Access::ReadOnly);
    if (store.ok()) return store->registry.setting(taskDataSetting);
    if (store.error().code != ErrorCode::NotFound) return std::move(store).error();
    return std::optional<std::string>();
}

/// The answer: of a task whose data are in the program, or are given by whoever measures, there is no path.
Result<int> answer(const TaskDescription& task, const fs::path& path, bool downloaded, bool json) {
    Json sources = Json::array();
    if (task.get) {
        for (const TaskGet::File& file : task.get->files) {
            sources.push_back({{"url", file.url},
                               {"sha256", file.sha256.empty() ? Json(nullptr) : Json(file.sha256)},
                               {"size_bytes", file.sizeBytes ? Json(*file.sizeBytes) : Json(nullptr)}});
        }
    }
    Json result = {{"task", task.name},        {"source", task.source}, {"sources", std::move(sources)},
                   {"downloaded", downloaded}, {"path", nullptr},       {"items", nullptr},
                   {"bytes", nullptr},         {"sha256", nullptr}};
    if (!path.empty()) {
        auto items = readTaskItems(task, path, 0);
        if (!items.ok()) {
            return Error{ErrorCode::InvalidInput, "the file that is there cannot be used: " + items.error().message, escapeForDisplay(path.string()),
                         task.get ? "Remove it, and the same command downloads it" : items.error().remedy, items.error().tag};
        }
        MOFO_TRY(const FileReader reader, FileReader::open(path));
        MOFO_TRY(result["sha256"], sha256OfFile(path));
        result["path"] = path.string();
        result["items"] = items->items.size();
        result["bytes"] = reader.sizeBytes();
        printNote(fmt::format("  {} items, {}, {}", formatCount(static_cast<std::int64_t>(items->items.size())), formatBytes(reader.sizeBytes()),
                              downloaded ? "downloaded" : "on this machine"));
    }
    if (json) {
        printJson(result);
    } else if (!path.empty()) {
        fmt::print("{}\n", escapeForDisplay(path.string()));
    }
    return 0;
}

void announce(const TaskDescription& task, const fs::path& target) {
    for (const TaskGet::File& file : task.get->files)
        printNote(
            fmt::format("  {}, {}", escapeForDisplay(file.url), file.sizeBytes ? formatBytes(*file.sizeBytes) : "size not known before it comes"));
    const auto room = freeBytes(target);
    printNote(fmt::format("  into {}{}", escapeForDisplay(target.string()), room.ok() ? " (" + formatBytes(*room) + " free)" : ""));
}

Result<void> download(const TaskDescription& task, const fs::path& target) {
    MOFO_TRY(const HubSettings settings, HubSettings::fromEnvironment());
    std::vector<FileAddress> files;
    for (const TaskGet::File& file : task.get->files) files.push_back({file.url, file.sha256, file.sizeBytes});
    const auto make = [&](const std::vector<fs::path>& parts, const fs::path& made) { return makeTaskData(task, parts, made); };
    watchInterrupts();
    HubView view;
    auto done = fetchAddresses(settings, files, target, make, [&](const HubProgress& progress) { return view(progress); });
    view.clear();
    return done;
}

}  // namespace

bool isTaskReference(std::string_view reference) { return reference.starts_with(kPrefix); }

Result<int> getTask(const Context& context, std::string_view reference, bool json) {
    MOFO_TRY(const TaskDescription task, findTask(reference.substr(kPrefix.size())));
    const std::string name = escapeForDisplay(task.name);
    if (task.data.empty() || task.hasBuiltInData()) {
        printNote("task " + name + " needs no download: " + (task.data.empty() ? "it measures " + task.source : "its data are in the program"));
        return answer(task, {}, false, json);
    }
    MOFO_TRY(const auto setting, dataFolderSetting(context));
    const std::vector<fs::path> folders = taskDataFolders(setting);
    const auto place = locateTaskData(task, folders);
    if (!place.ok() && place.error().code != ErrorCode::NotFound) return place.error();
    if (!place.ok() && !task.get) {
        return Error{ErrorCode::NotFound, "the data of task " + name + " have no address from which they could be downloaded", "",
                     "Put the file " + escapeForDisplay(task.data) + " (" + escapeForDisplay(task.source) +
                         ") into a folder, and name that: mofo tasks --data-folder DIR",
                     "ADDRESS"};
    }
    printNote("task " + name + ": " + escapeForDisplay(task.source.empty() ? task.title : task.source));
    if (place.ok()) return answer(task, *place, false, json);
    const fs::path target = downloadedTaskData() / task.data;
    announce(task, target);
    auto done = download(task, target);
    if (!done.ok()) return std::move(done).error();
    return answer(task, target, true, json);
}

}  // namespace mofo::cli
