#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/context.h"
#include "app/cli/show_text.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/client/queue_view.h"
#include "core/client/run_json.h"
#include "core/client/supervisor.h"
#include "core/client/sweep.h"

namespace mofo::cli {

namespace {

struct RunOptions {
    std::string run, text;
    std::vector<std::string> tags;
    std::int64_t lines = 200;
    bool json = false, all = false, trashed = false, remove = false, follow = false, none = false;
};

// One row for each group of runs, where its newest run would stand.
std::vector<RunRow> withSweepsAsOne(const std::vector<RunRow>& rows, const Registry& registry) {
    const auto sweeps = sweepStatuses(registry);
    if (!sweeps.ok()) return rows;
    std::vector<RunRow> shown;
    std::set<std::string> seen;
    for (const RunRow& run : rows) {
        const auto group = std::find_if(sweeps->begin(), sweeps->end(), [&](const SweepStatus& status) { return status.sweep.id == run.sweepId; });
        if (group == sweeps->end()) {
            shown.push_back(run);
        } else if (seen.insert(run.sweepId).second) {
            shown.push_back(asOneRun(*group));
        }
    }
    return shown;
}

Result<int> runs(const Context& context, const RunOptions& options) {
    std::vector<RunRow> rows;
    auto store = openStore(context, Registry::Access::ReadOnly);
    if (store.ok()) {
        MOFO_TRY(rows, store->registry.runs(options.trashed));
    } else if (store.error().code != ErrorCode::NotFound) {
        return std::move(store).error();
    }
    std::vector<QueueEntry> entries;
    if (store.ok()) {
        wakeSupervisors(store->workspace, rows);
        entries = queueEntries(store->workspace, rows);
    }
    if (options.trashed) std::erase_if(rows, [](const RunRow& run) { return !run.trashedNs; });
    if (options.json) {
        Json array = Json::array();
        for (const RunRow& run : rows) array.push_back(runJson(run, findEntry(entries, run.id)));
        printJsonArray(array);
    } else if (rows.empty()) {
        printNote(options.trashed ? "The trash is empty." : "No run is here yet. Start one: mofo train --model M --data FILE");
    } else {
        std::vector<std::string> stalled;
        for (const QueueEntry& entry : entries) {
            if (entry.stalledSeconds) stalled.push_back(entry.run.id);
        }
        fmt::print("{}", runTable(options.all ? rows : withSweepsAsOne(rows, store->registry), stalled));
        std::fflush(stdout);
        fmt::print(stderr, "{}", remedyLines(rows));
        for (const std::string& text : heldUpTexts(entries)) printNote(text);
    }
    return 0;
}

Result<int> show(const Context& context, const RunOptions& options) {
    MOFO_TRY(const Store store, openStore(context, Registry::Access::ReadOnly));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    wakeSupervisors(store.workspace, {run});
    MOFO_TRY(const RunDetail detail, readRunDetail(store.workspace, store.registry, run, options.all));
    if (options.json) {
        printJson(runDetailJson(detail));
    } else {
        fmt::print("{}", runText(detail));
    }
    return 0;
}

// The log may quote foreign text: each line is made harmless on its own.
void printLogText(std::string_view text) {
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        fmt::print("{}\n", escapeForDisplay(text.substr(begin, end - begin)));
        begin = end + 1;
    }
    std::fflush(stdout);
}

// The last `lines` lines; reads backwards in pieces, as a log may be long.
Result<std::string> logTail(const FileReader& file, std::int64_t lines) {
    constexpr std::uint64_t piece = 64 << 10;
    std::string tail;
    std::uint64_t begin = file.sizeBytes();
    while (begin > 0) {
        const std::uint64_t from = begin > piece ? begin - piece : 0;
        std::string bytes(begin - from, '\0');
        MOFO_CHECK(file.readAt(from, std::as_writable_bytes(std::span<char>(bytes))));
        tail.insert(0, bytes);
        begin = from;
        if (std::count(tail.begin(), tail.end(), '\n') > lines) break;
    }
    std::size_t cut = tail.size();
    for (std::int64_t n = tail.ends_with('\n') ? -1 : 0; n < lines && cut != std::string::npos && cut > 0; ++n) cut = tail.rfind('\n', cut - 1);
    return cut == std::string::npos || cut == 0 ? tail : tail.substr(cut + 1);
}

Result<int> log(const Context& context, const RunOptions& options) {
    MOFO_TRY(const Store store, openStore(context, Registry::Access::ReadOnly));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    const std::filesystem::path path = store.workspace.runFolder(run.id) / "engine.log";
    auto file = FileReader::open(path);
    if (!file.ok() && file.error().code != ErrorCode::NotFound) return std::move(file).error();
    if (!file.ok() && !options.follow) {
        printNote("no engine has written a log of this run yet");
        return 0;
    }
    std::uint64_t seen = 0;
    if (file.ok()) {
        MOFO_TRY(const std::string tail, logTail(*file, options.lines));
        printLogText(tail);
        seen = file->sizeBytes();
    }
    if (!options.follow) return 0;
    watchInterrupts();
    while (!interrupted()) {
        MOFO_TRY(const RunRow now, store.registry.findRun(run.id));
        if (auto grown = FileReader::open(path); grown.ok() && grown->sizeBytes() > seen) {
            std::string bytes(grown->sizeBytes() - seen, '\0');
            MOFO_CHECK(grown->readAt(seen, std::as_writable_bytes(std::span<char>(bytes))));
            // An unfinished line waits for its end.
            bytes.resize(bytes.rfind('\n') == std::string::npos ? 0 : bytes.rfind('\n') + 1);
            printLogText(bytes);
            seen += bytes.size();
        }
        if (isEnded(now.state)) return 0;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    return 130;
}

Result<int> rename(const Context& context, const RunOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    if (trimText(options.text).empty()) return Error{ErrorCode::Usage, "the new name is empty", run.id, "", ""};
    MOFO_CHECK(store.registry.renameRun(run.id, trimText(options.text)));
    printNote(fmt::format("{} is now called {}", run.id, escapeForDisplay(trimText(options.text))));
    return 0;
}

Result<int> note(const Context& context, const RunOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    MOFO_CHECK(store.registry.setRunNote(run.id, options.text));
    return 0;
}

Result<int> tag(const Context& context, const RunOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    std::vector<std::string> tags = run.tags;
    for (const std::string& tag : options.tags) {
        const auto place = std::find(tags.begin(), tags.end(), tag);
        if (options.remove && place == tags.end())
            return Error{ErrorCode::NotFound, "the run has no such tag", escapeForDisplay(tag), "It has: " + joinText(tags, ", "), ""};
        if (options.remove) tags.erase(place);
        if (!options.remove && place == tags.end()) tags.push_back(tag);
    }
    MOFO_CHECK(store.registry.setRunTags(run.id, tags));
    fmt::print("{}\n", escapeForDisplay(joinText(tags, ", ")));
    return 0;
}

Result<int> trash(const Context& context, const RunOptions& options, bool into) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    if (into && !isEnded(run.state) && run.state != RunState::Draft) {
        return Error{ErrorCode::Conflict, "the run is " + std::string(runStateName(run.state)), run.id, "Stop it first: mofo stop " + run.id, ""};
    }
    MOFO_CHECK(store.registry.setRunTrashed(run.id, into));
    printNote(into ? fmt::format("{} is in the trash; take it out with mofo restore {}", escapeForDisplay(run.name), run.id)
                   : fmt::format("{} is out of the trash", escapeForDisplay(run.name)));
    return 0;
}

// One run, or none, is what the window's Runs page takes differences to. Without a run and --none it is only named.
Result<int> baseline(const Context& context, const RunOptions& options) {
    if (options.none && !options.run.empty())
        return Error{ErrorCode::Usage, "a run and --none exclude one another", "--none", "Give one of them.", ""};
    const bool writes = options.none || !options.run.empty();
    MOFO_TRY(Store store, openStore(context, writes ? Registry::Access::ReadWrite : Registry::Access::ReadOnly));
    // The mark stays with a run in the trash until somebody moves it.
    const auto marked = [&]() -> Result<std::optional<RunRow>> {
        for (const bool trashed : {false, true}) {
            MOFO_TRY(const std::vector<RunRow> rows, store.registry.runs(trashed));
            const auto found = std::find_if(rows.begin(), rows.end(), [](const RunRow& run) { return run.baseline; });
            if (found != rows.end()) return std::optional(*found);
        }
        return std::optional<RunRow>();
    };
    MOFO_TRY(const std::optional<RunRow> before, marked());
    if (!options.run.empty()) {
        MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
        if (run.trashedNs) return Error{ErrorCode::Conflict, "the run is in the trash", run.id, "Take it out first: mofo restore " + run.id, ""};
        MOFO_CHECK(store.registry.setRunBaseline(run.id, true));
    } else if (options.none && before) {
        MOFO_CHECK(store.registry.setRunBaseline(before->id, false));
    }
    MOFO_TRY(const std::optional<RunRow> now, marked());
    if (options.json) {
        const auto named = [](const std::optional<RunRow>& run) { return run ? Json{{"id", run->id}, {"name", run->name}} : Json(); };
        printJson(Json{{"baseline", named(now)}, {"before", named(before)}});
    } else if (now) {
        printNote(fmt::format("{} ({}) is the baseline{}", escapeForDisplay(now->name), now->id, now->trashedNs ? ", in the trash" : ""));
    } else {
        printNote("no run is the baseline");
    }
    return 0;
}

}  // namespace

void addRunCommands(CLI::App& app, Context& context) {
    const auto add = [&](const char* name, const char* help, const char* examples, Result<int> (*act)(const Context&, const RunOptions&),
                         bool takesRun) {
        auto options = std::make_shared<RunOptions>();
        CLI::App* command = addCommand(app, name, help, examples);
        if (takesRun) command->add_option("run", options->run, "Id, unique prefix or name")->required()->type_name("RUN");
        command->callback([&context, options, act] { context.action = [&context, options, act] { return act(context, *options); }; });
        return std::pair(command, options);
    };
    {
        auto [command, options] = add("runs", "List the runs, newest first", "  mofo runs\n  mofo runs --json", runs, false);
        command->add_flag("--json", options->json, "Answer in JSON");
        command->add_flag("--all", options->all, "The runs of sweeps one by one, instead of one row for each sweep");
        command->add_flag("--trashed", options->trashed, "Those in the trash instead");
    }
    {
        auto [command, options] = add("show", "Everything about one run: state, loss, selection and drift per layer, events",
                                      "  mofo show maths-a15\n  mofo show 3fk --json", show, true);
        command->add_flag("--json", options->json, "Answer in JSON, every step included");
        command->add_flag("--all", options->all, "Superseded steps as well");
    }
    {
        auto [command, options] = add("log", "The engine's log", "  mofo log maths-a15 --lines 50\n  mofo log maths-a15 --follow", log, true);
        command->add_option("--lines", options->lines, "At most so many of the last lines")->check(wholeNumberFrom(0))->capture_default_str();
        command->add_flag("--follow,-f", options->follow, "Go on until the run ends");
    }
    {
        auto [command, options] = add("rename", "Give a run another name", "  mofo rename 3fk maths-a15", rename, true);
        command->add_option("name", options->text, "The new name")->required();
    }
    {
        auto [command, options] =
            add("note", "Write a note to a run; an empty one removes it", "  mofo note maths-a15 \"alpha lowered at step 200\"", note, true);
        command->add_option("text", options->text, "The note")->required();
    }
    {
        auto [command, options] =
            add("tag", "Add tags to a run", "  mofo tag maths-a15 paper table-2\n  mofo tag maths-a15 paper --remove", tag, true);
        command->add_option("tags", options->tags, "The tags")->required();
        command->add_flag("--remove", options->remove, "Take them away instead");
    }
    {
        auto [command, options] = add("baseline", "Mark the one run that others are compared with, as the window's Runs page shows it",
                                      "  mofo baseline maths-adamw\n  mofo baseline --none\n  mofo baseline --json", baseline, false);
        command->add_option("run", options->run, "Id, unique prefix or name; none: only say which it is")->type_name("RUN");
        command->add_flag("--none", options->none, "No run is the baseline any more");
        command->add_flag("--json", options->json, "Answer in JSON: the baseline, and the one before");
    }
    add(
        "trash", "Put an ended run into the trash", "  mofo trash maths-a15", [](const Context& c, const RunOptions& o) { return trash(c, o, true); },
        true);
    add(
        "restore", "Take a run out of the trash", "  mofo restore maths-a15",
        [](const Context& c, const RunOptions& o) { return trash(c, o, false); }, true);
}

}  // namespace mofo::cli
