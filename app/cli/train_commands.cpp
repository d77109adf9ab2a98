#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/attend.h"
#include "app/cli/config_options.h"
#include "app/cli/context.h"
#include "app/cli/follow_view.h"
#include "app/cli/hub_argument.h"
#include "app/cli/sweep_report.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/client/branch.h"
#include "core/client/commands.h"
#include "core/client/queue_view.h"
#include "core/client/run_reference.h"
#include "core/client/supervisor.h"
#include "core/config/run_config.h"

namespace mofo::cli {

namespace {

constexpr double kRetryMs = 1500;
constexpr double kTryMs = 60000;
constexpr double kTellMs = 15000;

struct TrainOptions {
    ConfigOptions config;
    std::string name, note;
    std::vector<std::string> tags;
    bool foreground = false, detach = false, json = false;
};

Result<int> train(const Context& context, const TrainOptions& options) {
    MOFO_TRY(RunConfig config, configOf(options.config));
    MOFO_CHECK(useLocalPaths(config));
    MOFO_TRY(Store store, openOrCreateStore(context));
    watchInterrupts();
    StartOptions start;
    start.name = options.name;
    start.tags = options.tags;
    start.note = options.note;
    start.startSupervisor = !options.foreground;
    std::optional<FileLock> lock;
    if (options.foreground) {
        MOFO_TRY(const ResolvedDevice device, resolveDevice(config.device));
        MOFO_TRY(lock, claimDevice(store.workspace, store.registry, device.device, 10, interrupted));
    }
    MOFO_TRY(const RunRow run, startRun(store.workspace, store.registry, config, start, importProgress("model")));
    if (!run.deviceWarning.empty()) printNote("warning: " + run.deviceWarning);
    return attendRun(store, run, {options.foreground, options.detach, options.json}, std::move(lock));
}

struct FollowOptions {
    std::string run;
    bool json = false;
};

Result<int> follow(const Context& context, const FollowOptions& options) {
    MOFO_TRY(const Store store, openStore(context, Registry::Access::ReadOnly));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    return followRun(store.workspace, run.id, true, options.json);
}

struct ResumeOptions {
    std::string run, name;
    std::vector<std::string> assignments;
    AttendOptions attend;
    bool asBranch = false;
};

// A paused engine takes a command; an ended run is queued again.
Result<int> resumePaused(Store& store, const RunRow& run, const ResumeOptions& options) {
    MOFO_TRY(const std::string uuid, sendCommand(store.registry, run, "resume", Json::object(), std::nullopt, "cli"));
    watchInterrupts();
    MOFO_TRY(const AcknowledgementRow answer, awaitAcknowledgement(store.workspace, run.id, uuid, 300, interrupted));
    if (!answer.accepted) return Error{ErrorCode::Conflict, "the engine refused: " + answer.reason, run.id, "", ""};
    printRun(run, options.attend.json);
    // It tries at once, which may take as long as a checkpoint; what it waits for may still be missing.
    const Stopwatch watch;
    std::string reason;
    while (watch.elapsedMs() < kTryMs && !interrupted()) {
        MOFO_TRY(const RunRow now, store.registry.findRun(run.id));
        reason = now.state == RunState::Paused ? waitsFor(store, run) : "";
        if (now.state != RunState::Paused || (!reason.empty() && watch.elapsedMs() > kRetryMs)) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    printNote(reason.empty() ? fmt::format("resumed, step {} is next", answer.appliedStep) : "it still waits: " + reason);
    return options.attend.detach ? Result<int>(0) : followRun(store.workspace, run.id, false, false);
}

// Until the new engine holds the lock and, if that takes no longer than some seconds, says where it goes on; or until the run waits its turn, the
// device being busy.
Result<int> awaitStart(const Store& store, const RunRow& run, RunFollower& follower) {
    watchInterrupts();
    std::optional<Stopwatch> held, refused;
    while (!interrupted()) {
        MOFO_TRY(const FollowUpdate update, follower.poll());
        // The engine says why before the run is seen as stopped again.
        if (refused && (update.ended || refused->elapsedMs() > kTellMs)) return 1;
        for (const EventRow& event : update.events) {
            if (event.kind == "refused") {
                printNote(escapeForDisplay(event.text));
                refused.emplace();
                continue;
            }
            // Damaged checkpoints, and which one it goes on from.
            if (event.kind == "error" || event.kind == "resume") printNote(escapeForDisplay(event.text));
            if (event.kind == "resume" || event.kind == "state") return 0;
        }
        if (refused) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            continue;
        }
        if (!held && FileLock::isHeld(store.workspace.runLock(run.id))) held.emplace();
        if (held && held->elapsedMs() > kTellMs) {
            printNote("loading; `mofo follow " + run.id + "` shows where it goes on");
            return 0;
        }
        if (update.ended) {
            if (!update.run.endReason.empty()) printNote(escapeForDisplay(update.run.endReason));
            return exitCodeOf(store, run.id);
        }
        if (held) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            continue;
        }
        MOFO_TRY(const std::vector<RunRow> runs, store.registry.runs());
        const std::vector<QueueEntry> entries = queueEntries(store.workspace, runs);
        const QueueEntry* const own = findEntry(entries, run.id);
        if (own != nullptr && !own->waitsFor.empty()) {
            printNote(fmt::format("queued at place {}: {}", own->position, own->waitsFor));
            return 0;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return 130;
}

// With values of its own, or where data, program or machine changed: a run beside the old one, marked as not bit-exact.
Result<int> resumeBeside(Store& store, const RunRow& run, const ResumeOptions& options) {
    BranchOptions branch;
    MOFO_TRY(branch.assignments, withLocalPaths(options.assignments));
    branch.name = options.name;
    branch.startSupervisor = !options.attend.foreground;
    std::optional<FileLock> lock;
    watchInterrupts();
    if (options.attend.foreground) {
        MOFO_TRY(lock, claimDevice(store.workspace, store.registry, run.device, 10, interrupted));
    }
    MOFO_TRY(const BranchedRun made, resumeAsBranch(store.workspace, store.registry, run, branch));
    printNote(fmt::format("{} goes on from step {} of {}, not bit-exact: {}", escapeForDisplay(made.run.name), made.run.parentStep,
                          escapeForDisplay(run.name), escapeForDisplay(made.run.notExact)));
    return attendRun(store, made.run, options.attend, std::move(lock));
}

Result<int> resume(const Context& context, const ResumeOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    if (options.asBranch) return resumeBeside(store, run, options);
    if (!options.assignments.empty()) {
        return Error{ErrorCode::Usage, "with other values the run would not go on bit for bit", run.id,
                     "Add --as-branch to go on beside it, marked as not bit-exact; `mofo set` changes what may change while a run is on", ""};
    }
    if (run.state == RunState::Paused) return resumePaused(store, run, options);
    MOFO_TRY(const bool undone, undoWaits(store.workspace, store.registry, run.id));
    if (!isEnded(run.state) || (run.state == RunState::Finished && !undone)) {
        printRun(run, options.attend.json);
        printNote(fmt::format("the run is {} already", runStateName(run.state)));
        return 0;
    }
    std::optional<FileLock> lock;
    watchInterrupts();
    if (options.attend.foreground) {
        MOFO_TRY(lock, claimDevice(store.workspace, store.registry, run.device, 10, interrupted));
    }
    // Opened before the engine is there, so that nothing it says is missed.
    MOFO_TRY(RunFollower follower, RunFollower::open(store.workspace, run.id, false));
    MOFO_CHECK(resumeRun(store.workspace, store.registry, run, !options.attend.foreground));
    MOFO_TRY(const RunRow queued, store.registry.findRun(run.id));
    printRun(queued, options.attend.json);
    if (options.attend.foreground) return superviseForeground(store, queued, std::move(*lock), follower);
    if (options.attend.detach) return awaitStart(store, queued, follower);
    return followRun(follower, false);
}

Result<int> superviseCommand(const Context& context, const std::string& device) {
    MOFO_TRY(const Workspace workspace, context.openWorkspace());
    SupervisorOptions options;
    options.device = device;
    MOFO_CHECK(supervise(workspace, options));
    // The last run of a group that compares may have ended just now, with nobody else looking.
    writeDueReports(workspace);
    return 0;
}

// The keys of --set with their defaults, for the end of `mofo train --help`.
std::string keyHelp() {
    std::string text = "Keys of --set:\n";
    for (const KeyDescription& key : keyDescriptions()) {
        text += fmt::format("  {:<20} {}{}\n", key.name, key.help, key.defaultText.empty() ? "" : " (" + key.defaultText + ')');
    }
    text += "Presets:\n";
    for (const Preset& preset : builtInPresets()) text += fmt::format("  {:<20} {}\n", preset.name, preset.title);
    return text;
}

}  // namespace

void addTrainCommands(CLI::App& app, Context& context) {
    auto options = std::make_shared<TrainOptions>();
    CLI::App* command =
        addCommand(app, "train", "Fine-tune a model; prints the run's id, then follows it",
                   "  mofo train --model SmolLM2-135M-Instruct.Q4_1.gguf --data gsm8k.jsonl --set alpha=0.15 steps=40 batch=4 max_length=256\n"
                   "  mofo train --model ./my-llama --data metamath.json --preset paper-metamathqa --name maths-a15 --detach\n"
                   "  mofo train --model smollm2 --data train.jsonl --set optimizer=adamw eval_split=0.05 eval_every=100 --foreground");
    command->footer([footer = command->get_footer()] { return footer + "\n\n" + keyHelp(); });
    addConfigOptions(*command, options->config);
    command->add_option("--name", options->name, "How to call the run (default: made from model and alpha)");
    command->add_option("--tag", options->tags, "A tag for the run, as often as needed");
    command->add_option("--note", options->note, "A note for the run");
    CLI::Option* foreground =
        command->add_flag("--foreground", options->foreground, "Supervise the run here: it ends with this process, Ctrl-C stops and saves it");
    command->add_flag("--detach", options->detach, "Return at once")->excludes(foreground);
    command->add_flag("--json", options->json, "Print the run as JSON instead of its id");
    command->callback([&context, options] { context.action = [&context, options] { return train(context, *options); }; });

    auto followOptions = std::make_shared<FollowOptions>();
    CLI::App* followCommand =
        addCommand(app, "follow", "Follow a run to its end; Ctrl-C leaves it running", "  mofo follow maths-a15\n  mofo follow maths-a15 --json");
    followCommand->add_option("run", followOptions->run, "Id, unique prefix or name")->required()->type_name("RUN");
    followCommand->add_flag("--json", followOptions->json, "Steps, evaluations and events as JSON lines on stdout");
    followCommand->callback([&context, followOptions] { context.action = [&context, followOptions] { return follow(context, *followOptions); }; });

    auto resumeOptions = std::make_shared<ResumeOptions>();
    CLI::App* resumeCommand =
        addCommand(app, "resume", "Continue a paused run, or one that stopped, failed or was lost, from its newest checkpoint",
                   "  mofo resume maths-a15\n  mofo resume maths-a15 --detach\n  mofo resume maths-a15 --set micro_batch=2 --as-branch");
    resumeCommand->add_option("run", resumeOptions->run, "Id, unique prefix or name")->required()->type_name("RUN");
    resumeCommand->add_option("--set", resumeOptions->assignments, "key=value that the branch has instead; with --as-branch")->type_name("KEY=VALUE");
    resumeCommand->add_flag("--as-branch", resumeOptions->asBranch, "Go on as a new run beside it that need not be bit-exact, and is marked so");
    resumeCommand->add_option("--name", resumeOptions->name, "How to call the branch");
    addAttendOptions(*resumeCommand, resumeOptions->attend);
    resumeCommand->callback([&context, resumeOptions] { context.action = [&context, resumeOptions] { return resume(context, *resumeOptions); }; });

    auto device = std::make_shared<std::string>("cpu");
    CLI::App* superviseApp =
        addCommand(app, "supervise", "Start engines for the queued runs and jobs of one device, until idle (clients do this by themselves)",
                   "  mofo supervise --device cpu");
    superviseApp->add_option("--device", *device, "cpu, cuda-0")->capture_default_str();
    superviseApp->callback([&context, device] { context.action = [&context, device] { return superviseCommand(context, *device); }; });
}

}  // namespace mofo::cli
