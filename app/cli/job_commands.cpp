#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/context.h"
#include "app/cli/show_text.h"
#include "app/cli/shown_job.h"
#include "app/cli/terminal.h"
#include "core/base/text.h"
#include "core/client/device_choice.h"
#include "core/client/queue_view.h"
#include "core/client/run_json.h"
#include "core/client/run_reference.h"
#include "core/client/supervisor.h"

namespace mofo::cli {

namespace fs = std::filesystem;

namespace {

struct ExportOptions {
    std::string run, target, format = "hf", type = "f32";
    bool json = false;
};

Result<int> exportRun(const Context& context, const ExportOptions& options) {
    if (options.format == "gguf") {
        return Error{ErrorCode::Unsupported, "this version does not write GGUF yet", "--format gguf",
                     "Use --format hf; llama.cpp converts such a folder", ""};
    }
    std::error_code ec;
    if (fs::exists(fs::symlink_status(options.target, ec))) {
        return Error{ErrorCode::InvalidInput, "the target exists already", escapeForDisplay(options.target), "Name a folder that does not exist yet",
                     ""};
    }
    fs::path target = fs::absolute(options.target, ec).lexically_normal();
    if (!target.has_filename()) target = target.parent_path();
    if (!fs::is_directory(target.parent_path(), ec)) {
        return Error{ErrorCode::InvalidInput, "the folder in which the export should be made does not exist",
                     escapeForDisplay(target.parent_path().string()), "Make it first", ""};
    }
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunReference reference, findRunReference(store.registry, options.run));
    MOFO_TRY(const CheckpointPlace checkpoint, chooseCheckpoint(store.workspace, reference));
    const Json parameters = {{"run", reference.run.id},
                             {"step", checkpoint.row.step},
                             {"checkpoint", checkpoint.folder.string()},
                             {"base_model", reference.run.modelId},
                             {"target", target.string()},
                             {"format", options.format},
                             {"dtype", options.type}};
    MOFO_TRY(const Json result, runShown(store, "export", "export", parameters, "cpu", reference.run.id));
    if (options.json) {
        printJson(result);
        return 0;
    }
    fmt::print("{}\n", escapeForDisplay(target.string()));
    std::string told = fmt::format("step {} of {}, read back and compared", checkpoint.row.step, escapeForDisplay(reference.run.name));
    if (result.contains("sha256") && result["sha256"].is_string()) told += ", SHA-256 " + result["sha256"].get<std::string>().substr(0, 16);
    printNote(told);
    return 0;
}

struct JobOptions {
    std::string job;
    bool json = false;
};

Result<int> jobs(const Context& context, const JobOptions& options) {
    std::vector<JobRow> rows;
    auto store = openStore(context, Registry::Access::ReadOnly);
    if (store.ok()) {
        MOFO_TRY(rows, store->registry.jobs());
    } else if (store.error().code != ErrorCode::NotFound) {
        return std::move(store).error();
    }
    if (options.json) {
        Json array = Json::array();
        for (const JobRow& job : rows) array.push_back(jobJson(job));
        printJsonArray(array);
        return 0;
    }
    if (rows.empty()) {
        printNote("No job is here.");
        return 0;
    }
    std::vector<std::vector<std::string>> table = {{"ID", "KIND", "STATE", "DONE", "DEVICE", "MADE", "RUN", ""}};
    for (const JobRow& job : rows) {
        table.push_back({job.id, job.kind, std::string(jobStateName(job.state)), fmt::format("{:.0f} %", 100 * job.progress), deviceText(job.device),
                         agoText(job.createdNs), job.runId.empty() ? "-" : job.runId, escapeForDisplay(job.endReason)});
    }
    fmt::print("{}", tableText(table, {3}));
    return 0;
}

Result<int> cancelJob(const Context& context, const JobOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const JobRow job, store.registry.findJob(options.job));
    const bool open = job.state == JobState::Queued || job.state == JobState::Starting || job.state == JobState::Running;
    if (!open) return Error{ErrorCode::Conflict, "the job has ended already (" + std::string(jobStateName(job.state)) + ")", job.id, "", ""};
    MOFO_CHECK(store.registry.requestJobCancel(job.id));
    printNote("asked " + job.id + " to end");
    return 0;
}

struct QueueOptions {
    std::string run;
    std::int64_t position = 1;
    bool json = false;
};

Result<int> queue(const Context& context, const QueueOptions& options) {
    std::vector<RunRow> rows;
    auto store = openStore(context, Registry::Access::ReadOnly);
    if (store.ok()) {
        MOFO_TRY(rows, store->registry.runs());
    } else if (store.error().code != ErrorCode::NotFound) {
        return std::move(store).error();
    }
    std::vector<QueueEntry> entries;
    if (store.ok()) {
        wakeSupervisors(store->workspace, rows);
        entries = queueEntries(store->workspace, rows);
    }
    if (options.json) {
        Json array = Json::array();
        for (const QueueEntry& entry : entries) array.push_back(runJson(entry.run, &entry));
        printJsonArray(array);
        return 0;
    }
    const auto stateOf = [](const QueueEntry& entry) {
        return entry.stalledSeconds ? std::string("stalled") : std::string(runStateName(entry.run.state));
    };
    if (std::none_of(entries.begin(), entries.end(), [](const QueueEntry& entry) { return entry.position > 0; })) {
        printNote(entries.empty() ? "No run is waiting."
                                  : fmt::format("No run is waiting; {} is {}.", escapeForDisplay(entries[0].run.name), stateOf(entries[0])));
        return 0;
    }
    std::vector<std::vector<std::string>> table = {{"DEVICE", "PLACE", "STATE", "NAME", "ID", "MADE"}};
    for (const QueueEntry& entry : entries) {
        table.push_back({deviceText(entry.run.device), entry.position == 0 ? "-" : std::to_string(entry.position), stateOf(entry),
                         escapeForDisplay(entry.run.name), entry.run.id, agoText(entry.run.createdNs)});
    }
    fmt::print("{}", tableText(table, {1}));
    std::fflush(stdout);
    for (const std::string& text : heldUpTexts(entries)) printNote(text);
    return 0;
}

// Where a run of the queue stands now, for people.
Result<QueueEntry> placeOf(const Store& store, const std::string& id, std::int64_t& length) {
    MOFO_TRY(const std::vector<RunRow> rows, store.registry.runs());
    const std::vector<QueueEntry> entries = queueEntries(store.workspace, rows);
    const QueueEntry* const own = findEntry(entries, id);
    if (own == nullptr) return Error{ErrorCode::Conflict, "the run is not in a queue any more", id, "", ""};
    length =
        std::count_if(entries.begin(), entries.end(), [&](const QueueEntry& one) { return one.position > 0 && one.run.device == own->run.device; });
    return *own;
}

Error notQueued(const RunRow& run) {
    const std::string remedy =
        isEnded(run.state) ? "`mofo resume " + run.id + "` puts it there" : "`mofo stop " + run.id + "` ends a run that has begun";
    return Error{ErrorCode::Conflict, "the run is not in a queue: it is " + std::string(runStateName(run.state)), run.id, remedy, ""};
}

Result<int> moveInQueue(const Context& context, const QueueOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    if (run.state != RunState::Queued) return notQueued(run);
    MOFO_CHECK(store.registry.moveQueuedRun(run.id, options.position));
    wakeSupervisors(store.workspace, {run});
    std::int64_t length = 0;
    MOFO_TRY(const QueueEntry now, placeOf(store, run.id, length));
    printNote(now.position == 0
                  ? fmt::format("{} has been started meanwhile", escapeForDisplay(run.name))
                  : fmt::format("{} is at place {} of {} for {}", escapeForDisplay(run.name), now.position, length, deviceText(run.device)));
    return 0;
}

Result<int> removeFromQueue(const Context& context, const QueueOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    MOFO_TRY(const bool removed, store.registry.stopQueuedRun(run.id, "taken out of the queue"));
    if (!removed) return notQueued(run);
    printNote(fmt::format("{} is out of the queue; mofo resume {} puts it back at the end", escapeForDisplay(run.name), run.id));
    return 0;
}

}  // namespace

void addJobCommands(CLI::App& app, Context& context) {
    auto exportOptions = std::make_shared<ExportOptions>();
    CLI::App* exportCommand =
        addCommand(app, "export", "Write a checkpoint as a folder that Transformers loads",
                   "  mofo export maths-a15 ./maths-model --format hf\n  mofo export maths-a15@200 ./maths-200 --format hf --type bf16");
    exportCommand->add_option("run", exportOptions->run, "Run, or RUN@STEP with digits, best or last (default: its newest checkpoint)")
        ->required()
        ->type_name("RUN[@STEP]");
    exportCommand->add_option("target", exportOptions->target, "Folder to make")->required()->type_name("DIR");
    exportCommand->add_option("--format", exportOptions->format, "hf")->check(CLI::IsMember({"hf", "gguf"}))->capture_default_str();
    exportCommand->add_option("--type", exportOptions->type, "Type of the weights: f32, bf16 or f16")
        ->check(CLI::IsMember({"f32", "bf16", "f16"}))
        ->capture_default_str();
    exportCommand->add_flag("--json", exportOptions->json, "Answer in JSON");
    exportCommand->callback([&context, exportOptions] { context.action = [&context, exportOptions] { return exportRun(context, *exportOptions); }; });

    auto jobOptions = std::make_shared<JobOptions>();
    CLI::App* jobsCommand = addCommand(app, "jobs", "List the jobs: scores, answers, exports", "  mofo jobs --json\n  mofo jobs cancel 7dk2");
    jobsCommand->add_flag("--json", jobOptions->json, "Answer in JSON");
    jobsCommand->require_subcommand(0, 1);
    CLI::App* cancelCommand = addCommand(*jobsCommand, "cancel", "End a job", "  mofo jobs cancel 7dk2");
    cancelCommand->add_option("job", jobOptions->job, "Id or unique prefix")->required();
    jobsCommand->callback([&context, jobOptions, cancelCommand] {
        const bool cancels = cancelCommand->parsed();
        context.action = [&context, jobOptions, cancels] { return cancels ? cancelJob(context, *jobOptions) : jobs(context, *jobOptions); };
    });

    auto queueOptions = std::make_shared<QueueOptions>();
    CLI::App* queueCommand =
        addCommand(app, "queue", "Runs that wait for their device", "  mofo queue\n  mofo queue move maths-a05 1\n  mofo queue remove maths-a05");
    queueCommand->add_flag("--json", queueOptions->json, "Answer in JSON");
    queueCommand->require_subcommand(0, 1);
    CLI::App* moveCommand = addCommand(*queueCommand, "move", "Put a waiting run at another place", "  mofo queue move maths-a05 1");
    moveCommand->add_option("run", queueOptions->run, "Id, unique prefix or name")->required();
    moveCommand->add_option("place", queueOptions->position, "1 is the next to start")->required()->check(wholeNumberFrom(1));
    CLI::App* removeCommand = addCommand(*queueCommand, "remove", "Take a waiting run out of the queue", "  mofo queue remove maths-a05");
    removeCommand->add_option("run", queueOptions->run, "Id, unique prefix or name")->required();
    queueCommand->callback([&context, queueOptions, moveCommand, removeCommand] {
        auto* act = moveCommand->parsed() ? moveInQueue : removeCommand->parsed() ? removeFromQueue : queue;
        context.action = [&context, queueOptions, act] { return act(context, *queueOptions); };
    });
}

}  // namespace mofo::cli
