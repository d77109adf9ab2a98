#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/attend.h"
#include "app/cli/context.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/client/branch.h"
#include "core/client/commands.h"
#include "core/client/run_json.h"
#include "core/client/stalled.h"
#include "core/client/supervisor.h"

namespace mofo::cli {

namespace {

// Long enough for the slowest step; Ctrl-C ends the wait, not the command.
constexpr double kAnswerSeconds = 600;

struct ControlOptions {
    std::string run, command, to;
    std::vector<std::string> assignments;
    std::int64_t atStep = -1;
    bool json = false, now = false;
};

// Only a living engine answers soon; everybody else's commands are taken at the next start.
bool answersSoon(const RunRow& run) { return run.state == RunState::Running || run.state == RunState::Paused || run.state == RunState::Stopping; }

// Says, once, that an engine that is waited for gives no signs.
class StallNote {
public:
    StallNote(const Store& store, std::string runId) : m_store(store), m_runId(std::move(runId)) {}
    void look() {
        if (m_told || m_sinceLook.elapsedMs() < 1000) return;
        m_sinceLook.restart();
        const auto run = m_store.registry.findRun(m_runId);
        const std::optional<double> silence = run.ok() ? stalledSeconds(m_store.workspace, *run) : std::nullopt;
        if (!silence) return;
        printNote("stalled: " + stalledText(m_store.workspace, *run, *silence) + "; waiting, Ctrl-C leaves");
        m_told = true;
    }

private:
    const Store& m_store;
    std::string m_runId;
    Stopwatch m_sinceLook;
    bool m_told = false;
};

Result<AcknowledgementRow> answerOf(const Store& store, const RunRow& run, const std::string& uuid) {
    watchInterrupts();
    wakeSupervisors(store.workspace, {run});
    StallNote stall(store, run.id);
    const auto look = [&] {
        stall.look();
        return interrupted();
    };
    MOFO_TRY(const AcknowledgementRow answer, awaitAcknowledgement(store.workspace, run.id, uuid, kAnswerSeconds, look));
    if (!answer.accepted) return Error{ErrorCode::Conflict, "the engine refused it: " + escapeForDisplay(answer.reason), run.id, "", ""};
    return answer;
}

std::string changeText(const Json& payload) {
    std::vector<std::string> parts;
    for (const auto& [key, value] : payload.items()) parts.push_back(key + ' ' + (value.is_string() ? value.get<std::string>() : value.dump()));
    return joinText(parts, ", ");
}

// What was asked for, as the answer to it: "alpha 0.05 at step 90", "undo to step 40".
std::string commandText(const CommandRow& command) {
    std::string text = command.kind;
    if (command.kind == "set" && command.payload.is_object()) text = changeText(command.payload);
    if (command.kind == "undo" && command.payload.is_object()) text += " to step " + command.payload.value("to", Json()).dump();
    if (command.atStep) text += fmt::format(" at step {}", *command.atStep);
    return escapeForDisplay(text);
}

// {"uuid","accepted","applied_step"}: accepted and applied_step are null where no engine has answered yet.
Json answerJson(const std::string& uuid, const AcknowledgementRow* answer) {
    return {{"uuid", uuid},
            {"accepted", answer != nullptr ? Json(answer->accepted) : Json(nullptr)},
            {"applied_step", answer != nullptr ? Json(answer->appliedStep) : Json(nullptr)}};
}

Result<int> set(const Context& context, const ControlOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    MOFO_TRY(const Json payload, checkLiveChange(run, options.assignments));
    std::optional<CommandRow> undo;  // the run goes on from where it leads
    if (!answersSoon(run)) {
        MOFO_TRY(undo, waitingUndo(store.workspace, store.registry, run.id));
    }
    std::optional<std::int64_t> atStep;
    if (options.atStep >= 0) {
        atStep = options.atStep;
        const std::int64_t current = undo ? undoTarget(*undo) : currentStep(store.workspace, run);
        if (*atStep <= current) {
            const std::string what = undo ? "the step that it goes back to," : "the current step";
            return Error{ErrorCode::Conflict, fmt::format("step {} is not above {} {}", *atStep, what, current), run.id,
                         "Name a later step, or leave --at-step out", ""};
        }
    }
    MOFO_TRY(const std::string uuid, sendCommand(store.registry, run, "set", payload, atStep, "cli", undo.has_value()));
    if (atStep || !answersSoon(run)) {
        if (options.json) {
            Json json = answerJson(uuid, nullptr);
            json["at_step"] = atStep ? Json(*atStep) : Json(nullptr);
            printJson(json);
        } else {
            fmt::print("{} {}\n", changeText(payload),
                       atStep ? fmt::format("is noted for step {}", *atStep)
                       : undo ? fmt::format("is noted for the first step after step {}, where the run goes back to", undoTarget(*undo))
                              : fmt::format("is noted for the next start (the run is {})", runStateName(run.state)));
        }
        return 0;
    }
    MOFO_TRY(const AcknowledgementRow answer, answerOf(store, run, uuid));
    if (options.json) {
        Json json = answerJson(uuid, &answer);
        json["at_step"] = nullptr;
        printJson(json);
    } else {
        const bool several = payload.size() > 1;
        fmt::print("{} {} from step {}\n", changeText(payload), several ? "apply" : "applies", answer.appliedStep);
    }
    return 0;
}

Result<int> withdraw(const Context& context, const ControlOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    MOFO_TRY(std::vector<CommandRow> pending, pendingCommands(store.workspace, store.registry, run.id));
    if (!options.command.empty()) std::erase_if(pending, [&](const CommandRow& command) { return command.uuid.rfind(options.command, 0) != 0; });
    if (pending.empty()) {
        return Error{ErrorCode::Conflict,
                     options.command.empty() ? "no command of this run is waiting" : "no waiting command of this run has that id", run.id,
                     "`mofo show " + run.id + "` lists what waits", ""};
    }
    for (const CommandRow& command : pending) MOFO_CHECK(store.registry.withdrawCommand(command.uuid));
    // An engine may have taken one in the same moment: its acknowledgement says so.
    auto reader = MetricsReader::open(store.workspace.metricsFile(run.id));
    int late = 0;
    Json array = Json::array();
    for (const CommandRow& command : pending) {
        std::optional<AcknowledgementRow> taken;
        if (reader.ok()) {
            MOFO_TRY(taken, reader->acknowledgement(command.uuid));
        }
        if (taken) ++late;
        array.push_back({{"uuid", command.uuid},
                         {"kind", command.kind},
                         {"payload", command.payload},
                         {"at_step", command.atStep ? Json(*command.atStep) : Json(nullptr)},
                         {"withdrawn", !taken},
                         {"applied_step", taken ? Json(taken->appliedStep) : Json(nullptr)}});
        if (!options.json)
            fmt::print("{} {}\n", commandText(command), taken ? fmt::format("was taken at step {} before", taken->appliedStep) : "is withdrawn");
    }
    if (options.json) printJsonArray(array);
    return late > 0 ? 1 : 0;
}

Result<int> simpleCommand(const Context& context, const ControlOptions& options, const std::string& kind, const std::string& done) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    // To a paused engine it is one more command that changes nothing; its answer says the step.
    const bool already = kind == "pause" && run.state == RunState::Paused;
    if (already && !options.json) {
        printNote("the run is paused already");
        return 0;
    }
    MOFO_TRY(const std::string uuid, sendCommand(store.registry, run, kind, Json::object(), std::nullopt, "cli"));
    if (!answersSoon(run)) {
        if (options.json) {
            printJson(answerJson(uuid, nullptr));
        } else {
            fmt::print("{} is noted for the next start (the run is {})\n", kind, runStateName(run.state));
        }
        return 0;
    }
    MOFO_TRY(const AcknowledgementRow answer, answerOf(store, run, uuid));
    if (options.json) {
        printJson(answerJson(uuid, &answer));
    } else {
        fmt::print("{}, step {} is next\n", done, answer.appliedStep);
    }
    return 0;
}

Result<int> evaluateNow(const Context& context, const ControlOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    MOFO_TRY(const std::string uuid, sendCommand(store.registry, run, "evaluate", Json::object(), std::nullopt, "cli"));
    if (!answersSoon(run)) {
        printNote(fmt::format("evaluate is noted for the next start (the run is {})", runStateName(run.state)));
        return 0;
    }
    MOFO_TRY(const AcknowledgementRow answer, answerOf(store, run, uuid));
    MOFO_TRY(const MetricsReader reader, MetricsReader::open(store.workspace.metricsFile(run.id)));
    MOFO_TRY(const std::vector<EvalRow> evals, reader.evalsAfter(0));
    const auto newest =
        std::find_if(evals.rbegin(), evals.rend(), [&](const EvalRow& row) { return row.task == "eval" && row.step == answer.appliedStep - 1; });
    if (newest == evals.rend())
        return Error{ErrorCode::Internal, "the engine says it evaluated, and no result is there", run.id, "Look at `mofo log " + run.id + "`", ""};
    if (options.json) {
        printJson(evalJson(*newest));
    } else {
        fmt::print("held-out loss {:.4f} over {} tokens at step {}\n", newest->loss, formatCount(newest->tokens), newest->step);
    }
    return 0;
}

Result<int> undo(const Context& context, const ControlOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    MOFO_TRY(const std::int64_t step, resumableStep(store.workspace, run, options.to, run.parentStep == 0));
    MOFO_TRY(const PendingUndo sent, undoRun(store.workspace, store.registry, run, step, "cli"));
    if (sent.waitsForStart) {
        if (options.json) {
            Json json = answerJson(sent.uuid, nullptr);
            json["to"] = step;
            printJson(json);
            return 0;
        }
        const std::string instead = !sent.replaced           ? ""
                                    : *sent.replaced == step ? ", as was asked before"
                                                             : fmt::format(", instead of step {}", *sent.replaced);
        fmt::print("step {} is where the run goes on when it is started{} (it is {}): mofo resume {}\n", step, instead, runStateName(run.state),
                   run.id);
        for (const CommandRow& command : sent.withdrawn)
            printNote(fmt::format("withdrawn, since step {} is not above step {}: {}", *command.atStep, step, commandText(command)));
        for (const CommandRow& command : sent.kept) printNote("still to come: " + commandText(command));
        return 0;
    }
    MOFO_TRY(const AcknowledgementRow answer, answerOf(store, run, sent.uuid));
    if (options.json) {
        Json json = answerJson(sent.uuid, &answer);
        json["to"] = step;
        printJson(json);
    } else {
        fmt::print("back at step {}, step {} is next\n", step, step + 1);
    }
    return 0;
}

Result<int> pause(const Context& context, const ControlOptions& options) { return simpleCommand(context, options, "pause", "paused"); }
Result<int> checkpoint(const Context& context, const ControlOptions& options) {
    return simpleCommand(context, options, "checkpoint", "a checkpoint is written");
}

void printEnd(std::string_view state, std::int64_t step, bool json) {
    if (json) {
        printJson({{"state", state}, {"step", step}});
    } else {
        fmt::print("{} at step {}\n", state, step);
    }
}

// Until the engine has saved and gone.
Result<int> awaitEnd(const Store& store, const RunRow& run, bool json) {
    watchInterrupts();
    wakeSupervisors(store.workspace, {run});
    const Stopwatch watch;
    EndWatch end(store.workspace);
    StallNote stall(store, run.id);
    bool told = false;
    while (true) {
        MOFO_TRY(const RunRow now, store.registry.findRun(run.id));
        if (end.hasEnded(now)) {
            awaitEngineExit(store.workspace, run.id, interrupted);
            printEnd(runStateName(now.state), currentStep(store.workspace, now), json);
            return now.state == RunState::Stopped || now.state == RunState::Finished ? 0 : 1;
        }
        if (interrupted()) {
            printNote("the run is asked to stop; it does so after its step");
            return 130;
        }
        if (!told && watch.elapsedMs() > 1000) {
            const std::string reason = waitsFor(store, now);
            printNote(reason.empty() ? "stopping after this step ..." : reason);
            told = true;
        }
        stall.look();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

Result<int> stop(const Context& context, const ControlOptions& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow run, store.registry.findRun(options.run));
    if (isEnded(run.state)) {
        if (options.json) {
            printEnd(runStateName(run.state), currentStep(store.workspace, run), true);
        } else {
            printNote(fmt::format("the run has ended already ({})", runStateName(run.state)));
        }
        return 0;
    }
    MOFO_TRY(const bool unqueued, store.registry.stopQueuedRun(run.id, "stopped before it began"));
    if (unqueued) {
        if (options.json) {
            printEnd("stopped", currentStep(store.workspace, run), true);
        } else {
            fmt::print("stopped before it began\n");
        }
        return 0;
    }
    MOFO_CHECK(sendCommand(store.registry, run, "stop", {{"save", !options.now}}, std::nullopt, "cli"));
    return awaitEnd(store, run, options.json);
}

}  // namespace

Result<int> evaluateLiveRun(const Context& context, const std::string& run, bool json) {
    ControlOptions options;
    options.run = run;
    options.json = json;
    return evaluateNow(context, options);
}

void addControlCommands(CLI::App& app, Context& context) {
    const auto add = [&](const char* name, const char* help, const char* examples, Result<int> (*act)(const Context&, const ControlOptions&)) {
        auto options = std::make_shared<ControlOptions>();
        CLI::App* command = addCommand(app, name, help, examples);
        command->add_option("run", options->run, "Id, unique prefix or name")->required()->type_name("RUN");
        command->callback([&context, options, act] { context.action = [&context, options, act] { return act(context, *options); }; });
        return std::pair(command, options);
    };
    {
        auto [command, options] =
            add("set", "Change values of a run while it trains",
                "  mofo set maths-a15 alpha=0.05\n  mofo set maths-a15 lr=1e-5 --at-step 500\n  mofo set maths-a15 granularity=layer alpha=0.1", set);
        command->add_option("assignments", options->assignments, "key=value")->required()->type_name("KEY=VALUE");
        command->add_option("--at-step", options->atStep, "The first update that uses it")->check(wholeNumberFrom(1))->type_name("N");
        command->add_flag("--json", options->json, "Answer in JSON");
    }
    {
        auto [command, options] = add("withdraw", "Take back commands that the engine has not taken yet",
                                      "  mofo withdraw maths-a15\n  mofo withdraw maths-a15 9b1c", withdraw);
        command->add_option("command", options->command, "Start of one command's id (default: all that wait)");
        command->add_flag("--json", options->json, "Answer in JSON");
    }
    {
        auto [command, options] = add("pause", "Pause a run after its current step", "  mofo pause maths-a15", pause);
        command->add_flag("--json", options->json, "Answer in JSON");
    }
    {
        auto [command, options] =
            add("stop", "Stop a run after its current step and save a checkpoint", "  mofo stop maths-a15\n  mofo stop maths-a15 --now", stop);
        command->add_flag("--now", options->now, "Without saving");
        command->add_flag("--json", options->json, "Answer in JSON");
    }
    {
        auto [command, options] = add("checkpoint", "Write a checkpoint after the current step", "  mofo checkpoint maths-a15", checkpoint);
        command->add_flag("--json", options->json, "Answer in JSON");
    }
    {
        auto [command, options] = add("undo", "Send a run back to one of its checkpoints; the later steps stay, marked as superseded",
                                      "  mofo undo maths-a15 --to 200\n  mofo undo maths-a15 --to best", undo);
        command->add_option("--to", options->to, "Step of a checkpoint in digits, best or last; 0 = the pretrained weights")
            ->required()
            ->type_name("STEP");
        command->add_flag("--json", options->json, "Answer in JSON");
    }
}

}  // namespace mofo::cli
