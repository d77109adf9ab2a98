// sweep: runs that are made together to be compared, and what becomes of them.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/context.h"
#include "app/cli/hub_argument.h"
#include "app/cli/show_text.h"
#include "app/cli/sweep_report.h"
#include "app/cli/terminal.h"
#include "core/base/text.h"
#include "core/client/device_choice.h"
#include "core/client/jobs.h"
#include "core/client/run_json.h"
#include "core/client/supervisor.h"
#include "core/client/sweep.h"

namespace mofo::cli {

namespace {

struct Options {
    std::string sweep, model, data, of, list, name;
    std::vector<std::string> assignments, grid, presets;
    bool yes = false, dryRun = false, detach = false, json = false;
};

constexpr const char* kCompare = "compare";

Result<SweepRequest> requestOf(const Store& store, const Options& options) {
    SweepRequest request;
    request.name = options.name;
    for (const std::string& preset : options.presets) {
        if (preset == kCompare) {
            request.compares = true;
        } else {
            MOFO_CHECK(applyPreset(request.base, preset));
        }
    }
    const int ways = (options.grid.empty() ? 0 : 1) + (options.list.empty() ? 0 : 1) + (request.compares ? 1 : 0);
    if (ways != 1) {
        return Error{ErrorCode::Usage,
                     ways == 0 ? "nothing says how the runs differ" : "only one of --grid, --list and --preset compare can be given", "",
                     "Give --grid alpha=0.05,0.15 --grid seed=1,2, or --list FILE, or --preset compare", ""};
    }
    if (!options.of.empty()) {
        const bool otherPreset = options.presets.size() > (request.compares ? 1u : 0u);
        if (!options.model.empty() || otherPreset)
            return Error{ErrorCode::Usage, "--of takes model and values from a run, so neither --model nor a preset goes with it", "--of",
                         "Use --set for values that differ", ""};
        MOFO_TRY(request.parent, store.registry.findRun(options.of));
        MOFO_TRY(request.base, store.registry.initialRunConfig(request.parent->id));
    }
    if (!options.model.empty()) MOFO_CHECK(setConfigValue(request.base, "model", options.model));
    if (!options.data.empty()) MOFO_CHECK(setConfigValue(request.base, "data", options.data));
    for (const std::string& assignment : options.assignments) {
        MOFO_TRY(const auto parts, splitAssignment(assignment));
        MOFO_CHECK(setConfigValue(request.base, parts.first, parts.second));
    }
    MOFO_CHECK(useLocalPaths(request.base));
    if (request.compares) {
        request.arms = compareArms();
    } else if (!options.list.empty()) {
        MOFO_TRY(request.arms, listArms(options.list));
    } else {
        MOFO_TRY(request.arms, gridArms(options.grid));
    }
    return request;
}

void rehearse(Store& store, PreparedSweep& prepared) {
    ProgressLine line;
    rehearseSweep(store.workspace, store.registry, prepared, [&](std::string_view phase, double share) {
        line.show(fmt::format("measuring how long a step takes  {} {}", barText(share, 24), phase));
        return !interrupted();
    });
    line.clear();
}

std::string forecastText(const PreparedSweep& prepared) {
    const SweepForecast& forecast = prepared.forecast;
    const std::string time = forecast.seconds
                                 ? "about " + formatDuration(*forecast.seconds) + " one after another (" + escapeForDisplay(forecast.basis) + ")"
                                 : std::string("time not known: no run of this model has been measured here");
    return fmt::format("{} runs, {} steps in all, {}; {} of checkpoints stay, {} are free", prepared.runs.size(), formatCount(forecast.steps), time,
                       formatBytes(forecast.diskBytes), formatBytes(forecast.freeBytes));
}

Json preparedJson(const PreparedSweep& prepared, bool queued) {
    const SweepForecast& forecast = prepared.forecast;
    Json runs = Json::array();
    for (std::size_t i = 0; i < prepared.runs.size(); ++i) {
        runs.push_back({{"id", queued ? Json(prepared.runs[i].id) : Json()},
                        {"name", prepared.runs[i].name},
                        {"set", prepared.sweep.plan["arms"][i]["set"]},
                        {"command_line", prepared.runs[i].commandLine}});
    }
    return {{"id", queued ? Json(prepared.sweep.id) : Json()},
            {"name", prepared.sweep.name},
            {"runs", std::move(runs)},
            {"forecast",
             {{"runs", prepared.runs.size()},
              {"steps", forecast.steps},
              {"seconds", forecast.seconds ? Json(*forecast.seconds) : Json()},
              {"basis", forecast.basis},
              {"disk_bytes", forecast.diskBytes},
              {"free_bytes", forecast.freeBytes}}},
            {"notes", prepared.notes}};
}

bool confirmed() {
    fmt::print(stderr, "Start them? [y/N] ");
    std::fflush(stderr);
    std::string answer;
    if (!std::getline(std::cin, answer)) return false;
    const std::string_view word = trimText(answer);
    return word == "y" || word == "Y" || word == "yes";
}

std::string numberText(const std::optional<double>& value, const char* format) {
    return value ? fmt::format(fmt::runtime(format), *value) : std::string("-");
}

std::string armText(const SweepStatus& status, const RunRow& run) {
    const Json& arms = status.sweep.plan.is_object() && status.sweep.plan.contains("arms") ? status.sweep.plan["arms"] : Json::array();
    for (const Json& arm : arms) {
        if (!arm.is_object() || arm.value("run", Json()) != Json(run.id) || !arm.contains("set") || !arm["set"].is_array()) continue;
        std::vector<std::string> parts;
        for (const Json& part : arm["set"]) {
            if (part.is_string()) parts.push_back(part.get<std::string>());
        }
        return joinText(parts, " ");
    }
    return {};
}

std::string statusTable(const SweepStatus& status) {
    std::vector<std::vector<std::string>> table = {{"RUN", "ID", "STATE", "STEP", "LOSS", "HELD-OUT", "DRIFT", "DIFFERS IN"}};
    for (const RunRow& run : status.runs) {
        const RunSummary& summary = run.summary;
        table.push_back({escapeForDisplay(run.name), run.id, std::string(runStateName(run.state)),
                         summary.totalSteps > 0 ? fmt::format("{}/{}", summary.step, summary.totalSteps) : "-",
                         summary.lossState == "finite" ? numberText(summary.loss, "{:.4f}") : summary.lossState,
                         numberText(summary.evalLoss, "{:.4f}"), numberText(summary.drift, "{:.2e}"), escapeForDisplay(armText(status, run))});
    }
    return tableText(table, {3, 4, 5, 6});
}

Json statusJson(const SweepStatus& status) {
    Json runs = Json::array();
    for (const RunRow& run : status.runs) {
        Json one = runJson(run);
        one["set"] = armText(status, run);
        runs.push_back(std::move(one));
    }
    return {{"id", status.sweep.id},     {"name", status.sweep.name},   {"state", status.stateText()},
            {"runs", std::move(runs)},   {"finished", status.finished}, {"live", status.live},
            {"waiting", status.waiting}, {"plan", status.sweep.plan},   {"created_ns", status.sweep.createdNs}};
}

/// To the end of all; Ctrl-C leaves them as they are.
Result<int> follow(Store& store, const std::string& id) {
    watchInterrupts();
    ProgressLine line;
    std::map<std::string, RunState> told;
    while (true) {
        MOFO_TRY(const SweepStatus status, findSweep(store.registry, id));
        wakeSupervisors(store.workspace, status.runs);
        std::int64_t done = 0, total = 0;
        const RunRow* now = nullptr;
        for (const RunRow& run : status.runs) {
            done += run.summary.step;
            total += run.summary.totalSteps;
            const bool waits = run.state == RunState::Queued;
            if (!waits && !isEnded(run.state)) now = &run;
            if (const auto [place, isNew] = told.emplace(run.id, RunState::Queued); place->second != run.state) {
                place->second = run.state;
                if (isEnded(run.state)) {
                    line.print(fmt::format("{}  {}{}{}", escapeForDisplay(run.name), runStateName(run.state),
                                           run.summary.loss ? fmt::format(", loss {:.4f}", *run.summary.loss) : "",
                                           run.summary.evalLoss ? fmt::format(", held-out {:.4f}", *run.summary.evalLoss) : ""));
                }
            }
        }
        if (status.hasEnded()) {
            line.clear();
            fmt::print(stderr, "{}", statusTable(status));
            MOFO_CHECK(writeDueReport(store.workspace, store.registry, status));
            MOFO_TRY(const SweepStatus last, findSweep(store.registry, id));
            if (const auto report = last.report()) printNote("report: " + escapeForDisplay(*report));
            return status.finished == static_cast<std::int64_t>(status.runs.size()) ? 0 : 1;
        }
        const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
        line.show(fmt::format(
            "{}  {} {}{}", escapeForDisplay(status.sweep.name), barText(share, 24), status.stateText(),
            now == nullptr ? "" : fmt::format("; {} at step {} of {}", escapeForDisplay(now->name), now->summary.step, now->summary.totalSteps)));
        if (interrupted()) {
            line.clear();
            printNote(fmt::format("the sweep goes on; mofo sweep show {} shows it, mofo sweep stop {} stops it", status.sweep.id, status.sweep.id));
            return 130;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(250));
    }
}

Result<int> start(const Context& context, const Options& options) {
    MOFO_TRY(Store store, openOrCreateStore(context));
    MOFO_TRY(const SweepRequest request, requestOf(store, options));
    watchInterrupts();
    MOFO_TRY(PreparedSweep prepared, prepareSweep(store.workspace, store.registry, request, importProgress("model")));
    if (!prepared.forecast.seconds) rehearse(store, prepared);
    if (interrupted()) return 130;
    for (const std::string& note : prepared.notes) printNote("note: " + note);
    if (!options.json || !options.dryRun) {
        for (const RunRow& run : prepared.runs) printNote("  " + escapeForDisplay(run.name));
        printNote(forecastText(prepared));
    }
    if (options.dryRun) {
        if (options.json) printJson(preparedJson(prepared, false));
        return 0;
    }
    if (!options.yes) {
        if (!stdinIsTerminal())
            return Error{ErrorCode::Usage, "nobody is there to be asked whether to start them", "", "Add --yes, or --dry-run to see the plan only",
                         ""};
        if (!confirmed()) {
            printNote("nothing was started");
            return 1;
        }
    }
    MOFO_CHECK(queueSweep(store.workspace, store.registry, prepared));
    if (options.json) {
        printJson(preparedJson(prepared, true));
    } else {
        fmt::print("{}\n", prepared.sweep.id);
    }
    std::fflush(stdout);
    return options.detach ? Result<int>(0) : follow(store, prepared.sweep.id);
}

Result<int> list(const Context& context, const Options& options) {
    std::vector<SweepStatus> all;
    auto store = openStore(context, Registry::Access::ReadOnly);
    if (store.ok()) {
        MOFO_TRY(all, sweepStatuses(store->registry));
    } else if (store.error().code != ErrorCode::NotFound) {
        return std::move(store).error();
    }
    if (options.json) {
        Json array = Json::array();
        for (const SweepStatus& status : all) array.push_back(statusJson(status));
        printJsonArray(array);
        return 0;
    }
    if (all.empty()) {
        printNote("No sweep is here yet. Start one: mofo sweep --model M --data FILE --grid alpha=0.05,0.15");
        return 0;
    }
    std::vector<std::vector<std::string>> table = {{"NAME", "ID", "RUNS", "STATE", "MADE"}};
    for (const SweepStatus& status : all) {
        table.push_back({escapeForDisplay(status.sweep.name), status.sweep.id, std::to_string(status.runs.size()), status.stateText(),
                         agoText(status.sweep.createdNs)});
    }
    fmt::print("{}", tableText(table, {2}));
    return 0;
}

Result<int> show(const Context& context, const Options& options) {
    MOFO_TRY(const Store store, openStore(context, Registry::Access::ReadOnly));
    MOFO_TRY(const SweepStatus status, findSweep(store.registry, options.sweep));
    wakeSupervisors(store.workspace, status.runs);
    if (options.json) {
        printJson(statusJson(status));
        return 0;
    }
    fmt::print("{}  {}  {}\n{}", styled(escapeForDisplay(status.sweep.name), Style::Bold), status.sweep.id, status.stateText(), statusTable(status));
    if (const auto report = status.report()) printNote("report: " + escapeForDisplay(*report));
    return 0;
}

Result<int> followAgain(const Context& context, const Options& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const SweepStatus status, findSweep(store.registry, options.sweep));
    return follow(store, status.sweep.id);
}

Result<int> stop(const Context& context, const Options& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const SweepStatus status, findSweep(store.registry, options.sweep));
    MOFO_TRY(const std::int64_t count, stopSweep(store.registry, status));
    printNote(count == 0 ? "nothing of it was running or waiting"
                         : fmt::format("stopped {} of {} runs; mofo sweep resume {} goes on", count, status.runs.size(), status.sweep.id));
    return 0;
}

Result<int> resume(const Context& context, const Options& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const SweepStatus status, findSweep(store.registry, options.sweep));
    MOFO_TRY(const std::int64_t count, resumeSweep(store.workspace, store.registry, status));
    printNote(count == 0 ? "there was nothing to go on with: " + status.stateText()
                         : fmt::format("queued {} of {} runs again", count, status.runs.size()));
    if (options.detach || count == 0) return 0;
    return follow(store, status.sweep.id);
}

}  // namespace

void addSweepCommands(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* sweep =
        addCommand(app, "sweep", "Run a grid or a list of configurations one after another, as twins: same data, same order",
                   "  mofo sweep --model smollm2 --data maths.jsonl --set steps=150 --preset compare\n"
                   "  mofo sweep --of maths-a15 --grid alpha=0.05,0.15,0.3 --grid seed=1,2 --yes\n"
                   "  mofo sweep --model smollm2 --data maths.jsonl --list arms.txt --dry-run\n"
                   "  mofo sweep list\n  mofo sweep show maths-compare\n  mofo sweep stop maths-compare\n\n"
                   "A line of --list is one run: optimizer=lora lora_rank=16 lr=1e-3. --preset compare: AdamW, and MoFO at 5 % and 15 %.\n"
                   "Each run is in the queue: whatever is closed or killed, they go on. The number of runs, their time and disk are\n"
                   "said before anything starts.");
    sweep->require_subcommand(0, 1);
    sweep->add_option("--model", options->model, "GGUF file, Hugging Face folder, workspace model or hf:owner/name[@revision][:file]")
        ->type_name("M");
    sweep->add_option("--data", options->data, "JSONL, JSON array, CSV or TSV, or hf:datasets/owner/name[@revision][:file]")->type_name("FILE");
    sweep->add_option("--of", options->of, "Take model, data and values from this run: the new ones are its twins")->type_name("RUN");
    sweep->add_option("--set", options->assignments, "key=value that all of them have, as in train")->type_name("KEY=VALUE");
    sweep->add_option("--grid", options->grid, "key=value,value,...: every combination with the other --grid")->type_name("KEY=V1,V2");
    sweep->add_option("--list", options->list, "File with one run a line: key=value key=value")->type_name("FILE");
    sweep->add_option("--preset", options->presets, "compare: AdamW and MoFO at 5 % and 15 %; or a preset of train for all")->type_name("P");
    sweep->add_option("--name", options->name, "How to call the group; its runs are called after it");
    sweep->add_flag("--yes,-y", options->yes, "Start without asking");
    sweep->add_flag("--dry-run", options->dryRun, "Say what would be started, and what it takes");
    sweep->add_flag("--detach", options->detach, "Return once all are queued");
    sweep->add_flag("--json", options->json, "Answer in JSON");
    struct Part {
        CLI::App* command;
        Result<int> (*act)(const Context&, const Options&);
    };
    auto parts = std::make_shared<std::vector<Part>>();
    const auto add = [&](const char* name, const char* help, const char* examples, bool takesSweep,
                         Result<int> (*act)(const Context&, const Options&)) {
        CLI::App* command = addCommand(*sweep, name, help, examples);
        if (takesSweep) command->add_option("sweep", options->sweep, "Id, unique prefix or name")->required()->type_name("SWEEP");
        parts->push_back({command, act});
    };
    add("list", "List the sweeps, newest first", "  mofo sweep list --json", false, list);
    add("show", "The runs of a sweep and where they stand", "  mofo sweep show maths-compare", true, show);
    add("follow", "Follow a sweep to its end; Ctrl-C leaves it running", "  mofo sweep follow maths-compare", true, followAgain);
    add("stop", "Take what waits out of the queue, and stop and save what runs", "  mofo sweep stop maths-compare", true, stop);
    add("resume", "Queue again what was stopped, failed or lost", "  mofo sweep resume maths-compare --detach", true, resume);
    sweep->callback([&context, options, parts] {
        Result<int> (*act)(const Context&, const Options&) = start;
        for (const Part& part : *parts) {
            if (part.command->parsed()) act = part.act;
        }
        context.action = [&context, options, act] { return act(context, *options); };
    });
}

}  // namespace mofo::cli
