#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/context.h"
#include "app/cli/follow_view.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/client/run_json.h"
#include "core/client/run_reference.h"
#include "core/client/supervisor.h"
#include "core/config/run_config.h"

namespace mofo::cli {

namespace {

struct TrainOptions {
    std::string model, data, name, preset, note;
    std::vector<std::string> assignments, tags;
    bool foreground = false, detach = false, json = false;
};

Result<RunConfig> configOf(const TrainOptions& options) {
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

void printRun(const RunRow& run, bool json) {
    if (json) {
        printJson(runJson(run));
    } else {
        fmt::print("{}\n", run.id);
    }
    std::fflush(stdout);
}

Result<int> exitCodeOf(const Store& store, const std::string& id) {
    MOFO_TRY(const RunRow run, store.registry.findRun(id));
    return run.state == RunState::Finished || run.state == RunState::Stopped ? 0 : 1;
}

// This process is the supervisor: Ctrl-C is passed on to the engine, which stops after the step and saves.
Result<int> superviseForeground(Store& store, const RunRow& run, FileLock lock, bool fromStart) {
    watchInterrupts();
    MOFO_TRY(RunFollower follower, RunFollower::open(store.workspace, run.id, fromStart));
    FollowView view(false);
    std::optional<FollowUpdate> last;
    bool told = false;
    SupervisorOptions options;
    options.device = run.device;
    options.foregroundRun = run.id;
    options.interrupts = interruptCount;
    options.tick = [&] {
        if (auto update = follower.poll(); update.ok()) {
            view.show(*update, follower.parameterCount());
            last = std::move(update).value();
        }
        if (interrupted() && !told) {
            printNote("\nstopping after this step and saving; once more stops at once, without saving");
            told = true;
        }
    };
    MOFO_CHECK(supervise(store.workspace, options, std::move(lock)));
    MOFO_TRY(const FollowUpdate update, follower.poll());
    view.show(update, follower.parameterCount());
    view.finish(update);
    return exitCodeOf(store, run.id);
}

Result<int> train(const Context& context, const TrainOptions& options) {
    MOFO_TRY(const RunConfig config, configOf(options));
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
    printRun(run, options.json);
    if (options.foreground) return superviseForeground(store, run, std::move(*lock), true);
    if (options.detach) return 0;
    return followRun(store.workspace, run.id, true, false);
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
    std::string run;
    bool foreground = false, detach = false, json = false;
};

// A paused engine takes a command; an ended run is queued again.
Result<int> resumePaused(Store& store, const RunRow& run, const ResumeOptions& options) {
    MOFO_TRY(const std::string uuid, sendCommand(store.registry, run, "resume", Json::object(), std::nullopt, "cli"));
    watchInterrupts();
    MOFO_TRY(const AcknowledgementRow answer, awaitAcknowledgement(store.workspace, run.id, uuid, 300, interrupted));
    if (!answer.accepted) return Error{ErrorCode::Conflict, "the engine refused: " + answer.reason, run.id, "", ""};
    printRun(run, options.json);
    printNote(fmt::format("resumed, step {} is next", answer.appliedStep));
    return options.detach ? Result<int>(0) : followRun(store.workspace, run.id, false, false);
}

// Until the new engine holds the lock or, the device being busy, the run waits its turn.
Result<int> awaitStart(const Store& store, const RunRow& run) {
    MOFO_TRY(RunFollower follower, RunFollower::open(store.workspace, run.id, false));
    watchInterrupts();
    while (!interrupted()) {
        MOFO_TRY(const FollowUpdate update, follower.poll());
        if (FileLock::isHeld(store.workspace.runLock(run.id))) return 0;
        if (isEnded(update.run.state)) return exitCodeOf(store, run.id);
        MOFO_TRY(const std::vector<RunRow> runs, store.registry.runs());
        for (const RunRow& other : runs) {
            const bool ahead = other.id != run.id && other.device == run.device && !isEnded(other.state) && other.state != RunState::Draft &&
                               (other.state != RunState::Queued || other.queuePlace < update.run.queuePlace);
            if (ahead && update.run.state == RunState::Queued) {
                printNote(fmt::format("queued behind {}", escapeForDisplay(other.name)));
                return 0;
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return 130;
}

Result<int> resume(const Context& context, const ResumeOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    if (run.state == RunState::Paused) return resumePaused(store, run, options);
    if (!isEnded(run.state) || run.state == RunState::Finished) {
        printRun(run, options.json);
        printNote(fmt::format("the run is {} already", runStateName(run.state)));
        return 0;
    }
    std::optional<FileLock> lock;
    watchInterrupts();
    if (options.foreground) {
        MOFO_TRY(lock, claimDevice(store.workspace, store.registry, run.device, 10, interrupted));
    }
    MOFO_CHECK(resumeRun(store.workspace, store.registry, run, !options.foreground));
    MOFO_TRY(const RunRow queued, store.registry.findRun(run.id));
    printRun(queued, options.json);
    if (options.foreground) return superviseForeground(store, queued, std::move(*lock), false);
    if (options.detach) return awaitStart(store, queued);
    return followRun(store.workspace, run.id, false, false);
}

Result<int> superviseCommand(const Context& context, const std::string& device) {
    MOFO_TRY(const Workspace workspace, context.openWorkspace());
    SupervisorOptions options;
    options.device = device;
    MOFO_CHECK(supervise(workspace, options));
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
    CLI::App* command = addCommand(app, "train", "Fine-tune a model; prints the run's id, then follows it",
                                   "  mofo train --model SmolLM2-135M-Instruct.Q4_1.gguf --data gsm8k.jsonl --set alpha=0.15 steps=40 batch=4 max_length=256\n"
                                   "  mofo train --model ./my-llama --data metamath.json --preset paper-metamathqa --name maths-a15 --detach\n"
                                   "  mofo train --model smollm2 --data train.jsonl --set optimizer=adamw eval_split=0.05 eval_every=100 --foreground");
    command->footer([footer = command->get_footer()] { return footer + "\n\n" + keyHelp(); });
    command->add_option("--model", options->model, "GGUF file, Hugging Face folder or workspace model")->type_name("M");
    command->add_option("--data", options->data, "JSONL, JSON array, CSV or TSV")->type_name("FILE");
    command->add_option("--name", options->name, "How to call the run (default: made from model and alpha)");
    command->add_option("--preset", options->preset, "Start from a named set of values");
    command->add_option("--set", options->assignments, "key=value, as often as needed; see the list below")->type_name("KEY=VALUE");
    command->add_option("--tag", options->tags, "A tag for the run, as often as needed");
    command->add_option("--note", options->note, "A note for the run");
    CLI::Option* foreground = command->add_flag("--foreground", options->foreground, "Supervise the run here: it ends with this process, Ctrl-C stops and saves it");
    command->add_flag("--detach", options->detach, "Return at once")->excludes(foreground);
    command->add_flag("--json", options->json, "Print the run as JSON instead of its id");
    command->callback([&context, options] { context.action = [&context, options] { return train(context, *options); }; });

    auto followOptions = std::make_shared<FollowOptions>();
    CLI::App* followCommand = addCommand(app, "follow", "Follow a run to its end; Ctrl-C leaves it running", "  mofo follow maths-a15\n  mofo follow maths-a15 --json");
    followCommand->add_option("run", followOptions->run, "Id, unique prefix or name")->required()->type_name("RUN");
    followCommand->add_flag("--json", followOptions->json, "Steps, evaluations and events as JSON lines on stdout");
    followCommand->callback([&context, followOptions] { context.action = [&context, followOptions] { return follow(context, *followOptions); }; });

    auto resumeOptions = std::make_shared<ResumeOptions>();
    CLI::App* resumeCommand = addCommand(app, "resume", "Continue a paused run, or one that stopped, failed or was lost, from its newest checkpoint",
                                         "  mofo resume maths-a15\n  mofo resume maths-a15 --detach");
    resumeCommand->add_option("run", resumeOptions->run, "Id, unique prefix or name")->required()->type_name("RUN");
    CLI::Option* resumeForeground = resumeCommand->add_flag("--foreground", resumeOptions->foreground, "Supervise the run here");
    resumeCommand->add_flag("--detach", resumeOptions->detach, "Return once the engine is up, or the run is queued")->excludes(resumeForeground);
    resumeCommand->add_flag("--json", resumeOptions->json, "Print the run as JSON instead of its id");
    resumeCommand->callback([&context, resumeOptions] { context.action = [&context, resumeOptions] { return resume(context, *resumeOptions); }; });

    auto device = std::make_shared<std::string>("cpu");
    CLI::App* superviseApp = addCommand(app, "supervise", "Start engines for the queued runs and jobs of one device, until idle (clients do this by themselves)",
                                        "  mofo supervise --device cpu");
    superviseApp->add_option("--device", *device, "cpu, cuda-0")->capture_default_str();
    superviseApp->callback([&context, device] { context.action = [&context, device] { return superviseCommand(context, *device); }; });
}

}  // namespace mofo::cli
