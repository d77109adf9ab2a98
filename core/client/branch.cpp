#include "core/client/branch.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/ids.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/client/device_choice.h"
#include "core/client/run_reference.h"
#include "core/model/lora.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

/// What must be the same in two runs whose steps are to be compared one by one.
constexpr std::array<std::string_view, 16> comparedKeys{"model",       "data",      "eval_data", "eval_split", "columns", "chat_template",
                                                        "max_length",  "seed",      "shuffle",   "steps",      "epochs",  "batch",
                                                        "micro_batch", "loss_mean", "precision", "device"};

constexpr std::size_t kStepsNamed = 12;

std::string stepList(const std::vector<CheckpointRow>& rows) {
    std::vector<std::string> steps;
    for (std::size_t i = rows.size() > kStepsNamed ? rows.size() - kStepsNamed : 0; i < rows.size(); ++i)
        steps.push_back(std::to_string(rows[i].step));
    return (rows.size() > kStepsNamed ? "... " : "") + joinText(steps, ", ");
}

std::string differencesText(const std::vector<ConfigDifference>& differences) {
    std::vector<std::string> parts;
    for (const ConfigDifference& one : differences)
        parts.push_back(one.key + ' ' + (one.a.empty() ? "(none)" : one.a) + " -> " + (one.b.empty() ? "(none)" : one.b));
    return joinText(parts, ", ");
}

Result<RunConfig> withAssignments(const RunConfig& base, const std::vector<std::string>& assignments) {
    RunConfig config = base;
    for (const std::string& assignment : assignments) {
        MOFO_TRY(const auto parts, splitAssignment(assignment));
        MOFO_CHECK(setConfigValue(config, parts.first, parts.second));
    }
    return config;
}

// "maths-at40", with -2, -3 ... where that is taken; within the length a name may have.
Result<std::string> makeName(const Registry& registry, const std::string& parent, const std::string& suffix) {
    constexpr std::size_t room = 100;
    std::string base = parent.substr(0, room - std::min(room, suffix.size()));
    while (!isValidUtf8(base)) base.pop_back();
    base = std::string(trimText(base)) + suffix;
    MOFO_TRY(const std::vector<RunRow> runs, registry.runs(true));
    std::string name = base;
    for (int n = 2; std::any_of(runs.begin(), runs.end(), [&](const RunRow& run) { return run.name == name; }); ++n)
        name = base + '-' + std::to_string(n);
    return name;
}

std::string commandLineOf(const std::string& start, const std::vector<std::string>& assignments) {
    std::string line = start;
    for (const std::string& assignment : assignments) line += " --set " + assignment;
    return line;
}

// A run whose steps are all done would end at once.
Result<void> checkStepsLeft(const RunRow& parent, const RunConfig& config, std::int64_t step) {
    const bool sameLength = config.steps == parent.config.steps && config.epochs == parent.config.epochs && config.batch == parent.config.batch;
    const std::int64_t total = config.steps > 0 ? config.steps : sameLength ? parent.summary.totalSteps : 0;
    if (total == 0 || step < total) return {};
    return Error{ErrorCode::Conflict,
                 "step " + std::to_string(step) + " is the last of " + std::to_string(total) + ": there is nothing left to train", parent.id,
                 "Branch from an earlier step, or give it more with --set steps=" + std::to_string(total * 2), ""};
}

// A checkpoint holds what was trained: the model's weights, or LoRA's matrices of one rank.
Result<void> checkTrainsTheSame(const RunConfig& before, const RunConfig& after) {
    const bool lora = trainsLora(after.optimizer);
    if (lora == trainsLora(before.optimizer) && (!lora || (after.loraRank == before.loraRank && after.loraAlpha == before.loraAlpha))) return {};
    return Error{ErrorCode::Usage,
                 "the checkpoint cannot be gone on from with this optimizer: it holds " +
                     (trainsLora(before.optimizer)
                          ? "LoRA's matrices of rank " + std::to_string(before.loraRank) + " with lora_alpha=" + formatShortest(before.loraAlpha)
                          : std::string("the model's weights")),
                 "optimizer=" + configValue(after, "optimizer"), "Branch from step 0, or export the checkpoint and train on from that model", "KEY"};
}

Result<void> checkReadable(const RunRow& parent) {
    if (parent.unreadable.empty()) return {};
    return Error{ErrorCode::InvalidInput, "the run's entry is damaged: " + parent.unreadable, parent.id, "Start a new run with `mofo train`", ""};
}

/// Keeps a checkpoint from being rotated away while a run that begins with it is being made; afterwards that run itself keeps it.
class PinnedMeanwhile {
public:
    PinnedMeanwhile(Registry& registry, std::string run, std::int64_t step) : m_registry(registry), m_run(std::move(run)), m_step(step) {}
    PinnedMeanwhile(const PinnedMeanwhile&) = delete;
    PinnedMeanwhile& operator=(const PinnedMeanwhile&) = delete;
    ~PinnedMeanwhile() {
        // Where this fails the checkpoint stays pinned, which costs disk and nothing else.
        if (m_pinned) static_cast<void>(m_registry.setCheckpointPinned(m_run, m_step, false).ok());
    }
    Result<void> pin() {
        MOFO_TRY(const std::vector<std::int64_t> before, m_registry.pinnedSteps(m_run));
        if (std::find(before.begin(), before.end(), m_step) != before.end()) return {};
        MOFO_CHECK(m_registry.setCheckpointPinned(m_run, m_step, true));
        m_pinned = true;
        return {};
    }

private:
    Registry& m_registry;
    std::string m_run;
    std::int64_t m_step;
    bool m_pinned = false;
};

/// What every run that goes on from `step` of its parent is started with.
Result<StartOptions> goingOnFrom(const Registry& registry, const RunRow& parent, std::int64_t step, const BranchOptions& options) {
    StartOptions start;
    start.name = options.name;
    if (start.name.empty()) {
        MOFO_TRY(start.name, makeName(registry, parent.name, "-at" + std::to_string(step)));
    }
    start.who = options.who;
    start.startSupervisor = options.startSupervisor;
    start.parentId = parent.id;
    start.parentStep = step;
    start.sealedModel = parent.modelId;
    return start;
}

/// startRun with start.parentId and start.parentStep, whose checkpoint must be there.
Result<RunRow> startFrom(const Workspace& workspace, Registry& registry, const RunConfig& config, const StartOptions& start) {
    PinnedMeanwhile pinned(registry, start.parentId, start.parentStep);
    if (start.parentStep > 0) {
        MOFO_CHECK(pinned.pin());
        MOFO_TRY(const RunRow holder, registry.findRun(start.parentId));
        MOFO_CHECK(resumableStep(workspace, holder, std::to_string(start.parentStep), false));
    }
    return startRun(workspace, registry, config, start);
}

}  // namespace

Result<std::vector<CheckpointRow>> resumableCheckpoints(const Workspace& workspace, std::string_view runId) {
    auto reader = MetricsReader::open(workspace.metricsFile(runId));
    if (!reader.ok()) {
        if (reader.error().code == ErrorCode::NotFound) return std::vector<CheckpointRow>();
        return std::move(reader).error();
    }
    MOFO_TRY(const std::vector<CheckpointRow> rows, reader->checkpoints());
    std::map<std::int64_t, CheckpointRow> bySteps;  // of a step saved again after an undo the newest counts
    for (const CheckpointRow& row : rows) {
        std::error_code ec;
        const bool there = fs::exists(workspace.checkpointsFolder(runId) / row.folder / "manifest.json", ec);
        if (row.kind == "full" && row.verified && !row.superseded && there) bySteps[row.step] = row;
    }
    std::vector<CheckpointRow> list;
    for (auto& [step, row] : bySteps) list.push_back(std::move(row));
    return list;
}

Result<std::int64_t> resumableStep(const Workspace& workspace, const RunRow& run, std::string_view wanted, bool orStart) {
    MOFO_TRY(const std::vector<CheckpointRow> rows, resumableCheckpoints(workspace, run.id));
    std::int64_t step = 0;
    const auto parsed = std::from_chars(wanted.data(), wanted.data() + wanted.size(), step);
    const bool isNumber = !wanted.empty() && parsed.ec == std::errc() && parsed.ptr == wanted.data() + wanted.size() && step >= 0;
    if (!isNumber && wanted != "best" && wanted != "last") {
        return Error{ErrorCode::Usage, "this is not a step", '"' + escapeForDisplay(wanted.substr(0, 40)) + '"', "Write digits, best or last", ""};
    }
    if (isNumber && step == 0 && orStart) return step;
    if (rows.empty()) {
        return Error{ErrorCode::NotFound, "the run has no checkpoint that it could go on from", run.id,
                     isEnded(run.state) ? "A run writes them with --set checkpoint_every=N, and when it finishes or stops"
                                        : "Write one with `mofo checkpoint " + run.id + "`",
                     ""};
    }
    if (wanted == "last") return rows.back().step;
    if (isNumber) {
        if (std::any_of(rows.begin(), rows.end(), [&](const CheckpointRow& row) { return row.step == step; })) return step;
        return Error{ErrorCode::NotFound, "the run has no checkpoint of step " + std::to_string(step) + " that it could go on from", run.id,
                     "There are: " + stepList(rows), ""};
    }
    MOFO_TRY(const MetricsReader reader, MetricsReader::open(workspace.metricsFile(run.id)));
    MOFO_TRY(const auto losses, heldOutLosses(reader));
    const CheckpointRow* best = nullptr;
    for (const CheckpointRow& row : rows) {
        const auto loss = losses.find(row.step);
        if (loss != losses.end() && (best == nullptr || loss->second < losses.at(best->step))) best = &row;
    }
    if (best == nullptr) {
        return Error{ErrorCode::NotFound, "no checkpoint of the run was evaluated, so none is the best", run.id, "Name a step: " + stepList(rows),
                     ""};
    }
    return best->step;
}

Result<RunConfig> configAtStep(const Workspace& workspace, const Registry& registry, const RunRow& run, std::int64_t step) {
    MOFO_TRY(RunConfig config, registry.initialRunConfig(run.id));
    auto reader = MetricsReader::open(workspace.metricsFile(run.id));
    if (!reader.ok()) {
        if (reader.error().code == ErrorCode::NotFound) return config;
        return std::move(reader).error();
    }
    MOFO_TRY(std::vector<AcknowledgementRow> taken, reader->acknowledgements());
    std::erase_if(taken, [&](const AcknowledgementRow& row) { return !row.accepted || row.superseded || row.appliedStep > step; });
    std::stable_sort(taken.begin(), taken.end(),
                     [](const AcknowledgementRow& a, const AcknowledgementRow& b) { return a.appliedStep < b.appliedStep; });
    MOFO_TRY(const std::vector<CommandRow> commands, registry.commands(run.id));
    for (const AcknowledgementRow& row : taken) {
        const auto command = std::find_if(commands.begin(), commands.end(), [&](const CommandRow& one) { return one.uuid == row.uuid; });
        if (command == commands.end() || command->kind != "set" || !command->payload.is_object()) continue;
        for (const auto& [key, value] : command->payload.items()) {
            if (value.is_string()) MOFO_CHECK(setConfigValue(config, key, value.get<std::string>()));
        }
    }
    return config;
}

Result<BranchedRun> branchRun(const Workspace& workspace, Registry& registry, const RunRow& parent, std::int64_t step, const BranchOptions& options) {
    MOFO_CHECK(checkReadable(parent));
    MOFO_TRY(const RunConfig base, configAtStep(workspace, registry, parent, step));
    MOFO_TRY(const RunConfig config, withAssignments(base, options.assignments));
    if (config.model != base.model) {
        return Error{ErrorCode::Usage, "a branch goes on with its parent's weights, so that it cannot have another model",
                     "model=" + escapeForDisplay(config.model), "Leave it out, or start a new run with `mofo train`", "KEY"};
    }
    MOFO_CHECK(checkStepsLeft(parent, config, step));
    if (step > 0) MOFO_CHECK(checkTrainsTheSame(base, config));
    MOFO_TRY(StartOptions start, goingOnFrom(registry, parent, step, options));
    start.commandLine = commandLineOf("mofo branch " + parent.id + " --at " + std::to_string(step), options.assignments);
    MOFO_TRY(RunRow run, startFrom(workspace, registry, config, start));
    return BranchedRun{std::move(run), {}};
}

Result<BranchedRun> twinRun(const Workspace& workspace, Registry& registry, const RunRow& parent, const BranchOptions& options) {
    MOFO_CHECK(checkReadable(parent));
    MOFO_TRY(RunConfig base, registry.initialRunConfig(parent.id));
    // What the parent's program and machine made of its values, so that neither another machine nor a changed value moves them.
    base.device = deviceText(parent.device);
    base.microBatch = effectiveMicroBatch(base);
    MOFO_TRY(RunConfig config, withAssignments(base, options.assignments));
    config.microBatch = std::min(config.microBatch, config.batch);  // a smaller batch was asked for
    const std::vector<ConfigDifference> differences = configDifferences(base, config);
    if (differences.empty()) {
        return Error{ErrorCode::Usage, "the twin would not differ from the run", parent.id, "Name what differs, for example --set optimizer=adamw",
                     ""};
    }
    if (parent.parentStep > 0) MOFO_CHECK(checkTrainsTheSame(base, config));
    BranchedRun twin;
    std::vector<std::string> incomparable;
    for (const ConfigDifference& one : differences) {
        if (std::find(comparedKeys.begin(), comparedKeys.end(), one.key) != comparedKeys.end())
            incomparable.push_back(one.key + ' ' + one.a + " -> " + one.b);
    }
    if (!incomparable.empty())
        twin.warnings.push_back("the twin does not train on the same steps, so the two cannot be compared step by step: " +
                                joinText(incomparable, ", "));
    MOFO_TRY(const RunConfig last, configAtStep(workspace, registry, parent, std::numeric_limits<std::int64_t>::max()));
    MOFO_TRY(const RunConfig initial, registry.initialRunConfig(parent.id));
    if (const auto changes = configDifferences(initial, last); !changes.empty()) {
        twin.warnings.push_back("changes that were made while " + escapeForDisplay(parent.name) +
                                " trained are not repeated: " + differencesText(changes));
    }
    if (auto reader = MetricsReader::open(workspace.metricsFile(parent.id)); reader.ok() && config.data == base.data) {
        MOFO_TRY(const std::optional<Json> data, reader->fact("data"));
        const auto now = sha256OfFile(config.data);
        if (now.ok() && data && data->is_object() && data->contains("sha256") && (*data)["sha256"] != Json(*now)) {
            twin.warnings.push_back("the data file changed since the run began, so the two do not train on the same rows: " +
                                    escapeForDisplay(config.data));
        }
    }
    StartOptions start;
    start.name = options.name;
    if (start.name.empty()) {
        const bool otherOptimizer = config.optimizer != base.optimizer;
        MOFO_TRY(start.name, makeName(registry, parent.name, otherOptimizer ? '-' + configValue(config, "optimizer") : std::string("-twin")));
    }
    start.who = options.who;
    start.startSupervisor = options.startSupervisor;
    // The twin of a branch begins where the branch began.
    start.parentId = parent.parentStep > 0 ? parent.parentId : parent.id;
    start.parentStep = parent.parentStep;
    start.commandLine = commandLineOf("mofo twin " + parent.id, options.assignments);
    if (config.model == base.model) start.sealedModel = parent.modelId;
    MOFO_TRY(twin.run, startFrom(workspace, registry, config, start));
    return twin;
}

Result<BranchedRun> resumeAsBranch(const Workspace& workspace, Registry& registry, const RunRow& parent, const BranchOptions& options) {
    MOFO_CHECK(checkReadable(parent));
    if (!isEnded(parent.state)) {
        return Error{ErrorCode::Conflict, "the run is " + std::string(runStateName(parent.state)) + " and goes on by itself", parent.id,
                     "Stop it first, or branch from one of its checkpoints with `mofo branch " + parent.id + " --at STEP`", ""};
    }
    MOFO_TRY(const std::vector<CheckpointRow> rows, resumableCheckpoints(workspace, parent.id));
    const std::int64_t step = rows.empty() ? 0 : rows.back().step;
    MOFO_TRY(const RunConfig base, configAtStep(workspace, registry, parent, step));
    MOFO_TRY(const RunConfig config, withAssignments(base, options.assignments));
    if (config.model != base.model) {
        return Error{ErrorCode::Usage, "a run goes on with its own weights, so that it cannot have another model",
                     "model=" + escapeForDisplay(config.model), "Leave it out", "KEY"};
    }
    MOFO_CHECK(checkStepsLeft(parent, config, step));
    if (step > 0) MOFO_CHECK(checkTrainsTheSame(base, config));
    const std::vector<ConfigDifference> differences = configDifferences(base, config);
    MOFO_TRY(StartOptions start, goingOnFrom(registry, parent, step, options));
    start.notExact = differences.empty() ? "continued although data, model, program or machine may have changed" : differencesText(differences);
    start.commandLine = commandLineOf("mofo resume " + parent.id + " --as-branch", options.assignments);
    MOFO_TRY(RunRow run, startFrom(workspace, registry, config, start));
    return BranchedRun{std::move(run), {}};
}

Result<std::optional<CommandRow>> waitingUndo(const Workspace& workspace, const Registry& registry, std::string_view runId) {
    MOFO_TRY(const std::vector<CommandRow> pending, pendingCommands(workspace, registry, runId));
    const auto last = std::find_if(pending.rbegin(), pending.rend(), [](const CommandRow& command) { return command.kind == "undo"; });
    return last == pending.rend() ? std::nullopt : std::optional(*last);
}

std::int64_t undoTarget(const CommandRow& command) {
    const auto to = command.payload.is_object() ? command.payload.find("to") : command.payload.end();
    return command.payload.is_object() && to != command.payload.end() && to->is_number_integer() ? to->get<std::int64_t>() : 0;
}

Result<bool> undoWaits(const Workspace& workspace, const Registry& registry, std::string_view runId) {
    MOFO_TRY(const std::optional<CommandRow> undo, waitingUndo(workspace, registry, runId));
    return undo.has_value();
}

Result<PendingUndo> undoRun(const Workspace& workspace, Registry& registry, const RunRow& run, std::int64_t step, std::string_view who) {
    MOFO_TRY(const RunRow now, registry.findRun(run.id));
    const bool live = now.state == RunState::Running || now.state == RunState::Paused || now.state == RunState::Stopping;
    const Json payload = {{"to", step}};
    if (live) {
        MOFO_TRY(std::string uuid, sendCommand(registry, now, "undo", payload, std::nullopt, who));
        PendingUndo sent;
        sent.uuid = std::move(uuid);
        return sent;
    }
    if (now.trashedNs) return Error{ErrorCode::Conflict, "the run is in the trash", now.id, "Take it out with `mofo restore " + now.id + "`", ""};
    MOFO_TRY(const std::vector<CommandRow> pending, pendingCommands(workspace, registry, now.id));
    PendingUndo sent;
    for (const CommandRow& command : pending) {
        if (command.kind == "undo") {
            MOFO_CHECK(registry.withdrawCommand(command.uuid));
            sent.replaced = undoTarget(command);
        } else if (command.kind == "set" && command.atStep && *command.atStep <= step) {
            // It would apply at once, at a step that nobody meant.
            MOFO_CHECK(registry.withdrawCommand(command.uuid));
            sent.withdrawn.push_back(command);
        } else if (command.kind == "set") {
            sent.kept.push_back(command);
        }
    }
    CommandRow command;
    command.uuid = newUuid();
    command.runId = now.id;
    command.kind = "undo";
    command.payload = payload;
    command.who = who;
    command.createdNs = wallNs();
    MOFO_CHECK(registry.addCommand(command));
    sent.uuid = command.uuid;
    sent.waitsForStart = true;
    return sent;
}

}  // namespace mofo
