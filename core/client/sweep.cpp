#include "core/client/sweep.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/ids.h"
#include "core/base/text.h"
#include "core/client/engine_environment.h"
#include "core/client/jobs.h"
#include "core/client/supervisor.h"
#include "core/config/key_effect.h"
#include "core/model/lora.h"
#include "core/model/model_source.h"
#include "core/plan/memory_plan.h"
#include "core/store/run_metrics.h"
#include "core/text/dataset.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostRuns = 200;
constexpr std::size_t kRowsLookedAt = 256;
constexpr std::int64_t kCurvePoints = 8;  // of held-out loss and probes over a run that is compared
// Weights and both moments in fp32.
constexpr std::uint64_t kCheckpointBytesPerParameter = 12;

/// Keys that only some optimizers have a use for. The base's value of one is let go where an arm's optimizer has none; an arm's own is refused.
void dropIneffective(RunConfig& config, const std::set<std::string>& named) {
    const RunConfig defaults;
    const auto drop = [&](const char* key, bool hasUse) {
        if (!hasUse && !named.contains(key)) static_cast<void>(setConfigValue(config, key, configValue(defaults, key)).ok());
    };
    for (const char* key : {"rule", "hft_every", "lora_rank", "lora_alpha", "lora_dropout", "l1", "l2"}) drop(key, hasEffect(config, key));
    if (config.guardAction == GuardAction::LowerAlpha) drop("guard_action", selectsCoordinates(config.optimizer));
}

/// Equal for configurations that train the same.
std::string sameRunKey(const RunConfig& config) {
    RunConfig plain = config;
    if (!selectsCoordinates(config.optimizer)) {
        plain.alpha = {};
        plain.granularity = {};
    }
    return configToJson(plain).dump();
}

/// "adamw", "a0.15-seed2": short for what people set most.
std::string labelOf(const SweepArm& arm) {
    std::string label;
    bool otherThanMofo = false;
    for (const std::string& assignment : arm.assignments) {
        const auto parts = splitAssignment(assignment);
        if (!parts.ok()) continue;
        const auto& [key, value] = *parts;
        if (key == "optimizer" && value == "mofo") continue;
        otherThanMofo = otherThanMofo || key == "optimizer";
        std::string word = key == "optimizer" || key == "rule" || key == "granularity" ? value : key == "alpha" ? "a" + value : key + value;
        if (word.size() > 24) word.resize(24);
        for (char& c : word) {
            if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7F || c == '/' || c == '@') c = '_';
        }
        label += '-' + word;
    }
    return label.empty() ? "-mofo" : label.substr(0, 60);
}

/// How often the engine evaluates: at the start, by eval_every, and at the end.
std::int64_t evaluationsOf(const RunConfig& config, std::int64_t steps) {
    if (config.evalEvery == 0) return 2;
    return 1 + steps / config.evalEvery + (steps % config.evalEvery != 0 ? 1 : 0);
}

struct DataMeasure {
    std::int64_t rows = 0;
    double tokensPerRow = 0;
};

/// Rows of the file, and the mean length of the first of them.
Result<DataMeasure> measureData(const RunConfig& config, const std::string& modelSource) {
    MOFO_TRY(const std::unique_ptr<ModelSource> source, ModelSource::open(modelSource));
    MOFO_TRY(const Tokenizer tokenizer, source->loadTokenizer());
    MOFO_TRY(const std::optional<ChatTemplate> chatTemplate, chooseChatTemplate(tokenizer, config.chatTemplate));
    MOFO_TRY(DatasetReader reader, DatasetReader::open(config.data, config.columns));
    DataMeasure measure;
    std::int64_t tokens = 0, looked = 0;
    while (true) {
        MOFO_TRY(const DatasetReader::Next next, reader.next());
        if (!next.row && !next.refused) break;
        if (!next.row) continue;
        ++measure.rows;
        if (looked >= static_cast<std::int64_t>(kRowsLookedAt)) continue;
        const auto row = renderRow(*next.row, tokenizer, chatTemplate ? &*chatTemplate : nullptr, config.maxLength);
        if (!row.ok()) continue;
        tokens += static_cast<std::int64_t>(row->ids.size());
        ++looked;
    }
    measure.tokensPerRow = looked > 0 ? static_cast<double>(tokens) / static_cast<double>(looked) : 0;
    return measure;
}

struct Speed {
    double msPerToken = 0;
    std::string basis;
};

/// Of the newest run of this model on this device that has done some steps.
std::optional<Speed> knownSpeed(const Workspace& workspace, const Registry& registry, const std::string& modelId, const std::string& device) {
    constexpr std::size_t least = 3;
    const auto runs = registry.runs();
    if (!runs.ok()) return std::nullopt;
    for (const RunRow& run : *runs) {
        if (run.modelId != modelId || run.device != device || run.summary.step < static_cast<std::int64_t>(least)) continue;
        const auto reader = MetricsReader::open(workspace.metricsFile(run.id));
        if (!reader.ok()) continue;
        const auto steps = reader->stepsAfter(0);
        if (!steps.ok()) continue;
        std::vector<double> each;
        for (const StepRow& step : *steps) {
            if (step.inputTokens > 0 && step.stepMs > 0) each.push_back(step.stepMs / static_cast<double>(step.inputTokens));
        }
        if (each.size() < least) continue;
        std::nth_element(each.begin(), each.begin() + static_cast<std::ptrdiff_t>(each.size() / 2), each.end());
        return Speed{each[each.size() / 2], "as fast as run " + run.name};
    }
    return std::nullopt;
}

std::uint64_t diskOf(const RunConfig& config, const std::vector<ParameterInfo>& parameters, std::int64_t steps) {
    std::uint64_t elements = 0;
    for (const ParameterInfo& info : trainedParameters(parameters, config)) elements += static_cast<std::uint64_t>(info.elementCount());
    const std::int64_t made = config.checkpointEvery > 0 ? (steps + config.checkpointEvery - 1) / config.checkpointEvery : 1;
    return elements * kCheckpointBytesPerParameter * static_cast<std::uint64_t>(std::clamp<std::int64_t>(made, 1, config.keep + 1));
}

Result<std::string> groupName(const Registry& registry, const SweepRequest& request, const RunRow& first) {
    if (!request.name.empty()) return request.name;
    std::string base = request.parent ? request.parent->name : first.modelName;
    if (!request.parent) {
        if (const auto dot = base.find('.'); dot != std::string::npos && dot > 0) base.resize(dot);
        std::transform(base.begin(), base.end(), base.begin(),
                       [](unsigned char c) { return c < 0x80 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c); });
    }
    base += request.compares ? "-compare" : "-sweep";
    MOFO_TRY(const std::vector<SweepRow> sweeps, registry.sweeps());
    std::string name = base;
    for (int n = 2; std::any_of(sweeps.begin(), sweeps.end(), [&](const SweepRow& sweep) { return sweep.name == name; }); ++n)
        name = base + '-' + std::to_string(n);
    return name;
}

/// Held-out loss and probes often enough for a curve, where nothing was said about them.
void makeComparable(RunConfig& config, std::int64_t steps, const RunConfig& base) {
    const std::int64_t every = std::max<std::int64_t>(1, steps / kCurvePoints);
    if (base.evalEvery == 0) config.evalEvery = every;
    if (base.probeEvery == RunConfig().probeEvery) config.probeEvery = every;
}

}  // namespace

Result<PreparedSweep> prepareSweep(const Workspace& workspace, Registry& registry, const SweepRequest& request, const ImportProgress& progress) {
    PreparedSweep prepared;
    RunConfig base = request.base;
    if (request.parent) {
        const RunRow& parent = *request.parent;
        if (!parent.unreadable.empty())
            return Error{ErrorCode::InvalidInput, "the run's entry is damaged: " + parent.unreadable, parent.id, "Name --model and --data instead",
                         ""};
        if (parent.parentStep > 0) {
            return Error{ErrorCode::Unsupported, "the run began at a checkpoint of another run, and a sweep begins at the pretrained weights",
                         parent.id, "Sweep over the run it branched from, or name --model and --data", ""};
        }
        // What the parent's program and machine made of its values.
        base.device = deviceText(parent.device);
        base.microBatch = effectiveMicroBatch(base);
    }
    std::map<std::string, std::string> seen;  // by what trains the same
    std::vector<std::pair<SweepArm, RunConfig>> wanted;
    for (const SweepArm& arm : request.arms) {
        RunConfig config = base;
        std::set<std::string> named;
        const std::string label = joinText(arm.assignments, " ");
        for (const std::string& assignment : arm.assignments) {
            MOFO_TRY(const auto parts, splitAssignment(assignment));
            MOFO_CHECK(setConfigValue(config, parts.first, parts.second));
            named.insert(parts.first);
        }
        dropIneffective(config, named);
        if (request.parent) config.microBatch = std::min(config.microBatch, config.batch);
        const auto [place, isNew] = seen.emplace(sameRunKey(config), label);
        if (!isNew) {
            prepared.notes.push_back("\"" + escapeForDisplay(label) + "\" trains the same as \"" + escapeForDisplay(place->second) +
                                     "\" and is made once");
            continue;
        }
        wanted.emplace_back(arm, std::move(config));
    }
    if (wanted.size() < 2) {
        return Error{ErrorCode::Usage, "there is nothing to compare: a sweep needs at least two runs that differ", "",
                     "Give --grid alpha=0.05,0.15 --grid seed=1,2, --list FILE or --preset compare", "VALUE"};
    }
    if (wanted.size() > kMostRuns) {
        return Error{ErrorCode::Usage,
                     "the sweep would have " + formatCount(static_cast<std::int64_t>(wanted.size())) + " runs; at most " + std::to_string(kMostRuns) +
                         " make one",
                     "", "Make the grid coarser, or several sweeps of it", "LIMIT"};
    }
    InputChecks checks;
    std::map<std::string, DataMeasure> measures;
    std::set<std::string> names;
    for (auto& [arm, config] : wanted) {
        StartOptions start;
        start.who = request.who;
        start.name = "sweep";  // made once the model is known
        if (request.parent) {
            start.parentId = request.parent->id;
            if (config.model == base.model) start.sealedModel = request.parent->modelId;
        }
        auto row = prepareRun(workspace, registry, config, start, checks, progress);
        if (!row.ok()) {
            Error error = std::move(row).error();
            error.where += (error.where.empty() ? "" : ", ") + ("in the run with " + escapeForDisplay(joinText(arm.assignments, " ")));
            return error;
        }
        if (prepared.sweep.name.empty()) {
            MOFO_TRY(prepared.sweep.name, groupName(registry, request, *row));
            MOFO_CHECK(checkRunName(prepared.sweep.name));
        }
        const std::string modelSource = workspace.modelFolder(row->modelId).string();
        const std::string dataKey =
            row->config.data + '\n' + row->modelId + '\n' + row->config.columns + '\n' + std::to_string(row->config.maxLength);
        if (!measures.contains(dataKey)) {
            MOFO_TRY(measures[dataKey], measureData(row->config, modelSource));
        }
        const DataMeasure& data = measures[dataKey];
        StepPlan plan = planSteps(row->config, data.rows);
        if (request.compares) {
            makeComparable(row->config, plan.steps, config);
            MOFO_CHECK(checkConfig(row->config));
            plan = planSteps(row->config, data.rows);  // rows that are held out now
        }
        prepared.forecast.steps += plan.steps;
        prepared.forecast.inputTokens += std::llround(static_cast<double>(plan.steps * row->config.batch) * data.tokensPerRow);
        prepared.forecast.evaluatedTokens +=
            std::llround(static_cast<double>(evaluationsOf(row->config, plan.steps) * plan.heldOutRows) * data.tokensPerRow);
        prepared.forecast.diskBytes += diskOf(row->config, checks.parametersOf(*row), plan.steps);
        std::string name = prepared.sweep.name.substr(0, 60) + labelOf(arm);
        for (int n = 2; !names.insert(name).second; ++n) name = prepared.sweep.name.substr(0, 60) + labelOf(arm) + '-' + std::to_string(n);
        row->name = name;
        row->commandLine = trainCommandLine(row->config, name);
        row->createdNs += static_cast<std::int64_t>(prepared.runs.size());  // a list by time keeps their order
        prepared.runs.push_back(std::move(*row));
    }
    prepared.sweep.id = newShortId();
    prepared.sweep.createdNs = wallNs();
    Json arms = Json::array();
    for (std::size_t i = 0; i < wanted.size(); ++i) arms.push_back({{"run", prepared.runs[i].id}, {"set", wanted[i].first.assignments}});
    prepared.sweep.plan = {{"arms", std::move(arms)},
                           {"parent", request.parent ? Json(request.parent->id) : Json()},
                           {"compares", request.compares},
                           {"report", nullptr}};
    MOFO_TRY(prepared.forecast.freeBytes, freeBytes(workspace.folder()));
    if (const auto speed = knownSpeed(workspace, registry, prepared.runs[0].modelId, prepared.runs[0].device))
        setSpeed(prepared, speed->msPerToken, speed->basis);
    return prepared;
}

void setSpeed(PreparedSweep& prepared, double msPerToken, std::string basis) {
    // An evaluation goes forward only: a third of a step's work for each token. Probes may take their share on top.
    const double tokens = static_cast<double>(prepared.forecast.inputTokens) + static_cast<double>(prepared.forecast.evaluatedTokens) / 3;
    double seconds = tokens * msPerToken * 1e-3;
    const RunConfig& config = prepared.runs.front().config;
    if (!config.probes.empty() && config.probeBudget < 1) seconds /= 1 - config.probeBudget;
    prepared.forecast.seconds = seconds;
    prepared.forecast.basis = std::move(basis);
}

void rehearseSweep(const Workspace& workspace, Registry& registry, PreparedSweep& prepared, const ImportProgress& progress) {
    const RunRow& run = prepared.runs.front();
    const Json parameters = {{"model", run.modelId}, {"config", configToJson(run.config)}};
    const auto result = runJob(workspace, registry, "rehearse", parameters, run.device, "", progress);
    if (!result.ok() || !result->is_object()) return;
    const Json speed = result->value("ms_per_token", Json());
    const int steps = result->value("steps", 0);
    if (speed.is_number()) setSpeed(prepared, speed.get<double>(), (steps == 1 ? "1 step" : std::to_string(steps) + " steps") + " measured just now");
}

Result<void> queueSweep(const Workspace& workspace, Registry& registry, const PreparedSweep& prepared, bool startSupervisor) {
    MOFO_CHECK(requireFreeBytes(workspace.folder(), prepared.forecast.diskBytes, "the checkpoints of the sweep"));
    const auto clean = [&] {
        std::error_code ec;
        for (const RunRow& run : prepared.runs) fs::remove_all(workspace.runFolder(run.id), ec);
    };
    for (const RunRow& run : prepared.runs) {
        auto made = makeFolder(workspace.runFolder(run.id), true);
        // Before the run is there: a supervisor that waits starts it at once.
        if (made.ok()) made = noteEngineEnvironment(registry, run.id);
        if (!made.ok()) {
            clean();
            return made;
        }
    }
    if (auto added = registry.addSweep(prepared.sweep, prepared.runs); !added.ok()) {
        clean();
        return added;
    }
    std::set<std::string> devices;
    for (const RunRow& run : prepared.runs) devices.insert(run.device);
    if (!startSupervisor) return {};
    for (const std::string& device : devices) MOFO_CHECK(ensureSupervisor(workspace, device));
    return {};
}

bool SweepStatus::compares() const { return sweep.plan.is_object() && sweep.plan.value("compares", false); }

std::optional<std::string> SweepStatus::report() const {
    const Json file = sweep.plan.is_object() ? sweep.plan.value("report", Json()) : Json();
    return file.is_string() ? std::optional(file.get<std::string>()) : std::nullopt;
}

std::string SweepStatus::stateText() const {
    if (!sweep.unreadable.empty()) return "unreadable: " + sweep.unreadable;
    const std::string count = std::to_string(finished) + " of " + std::to_string(runs.size()) + " finished";
    if (runs.empty()) return "empty";
    if (finished == static_cast<std::int64_t>(runs.size())) return "finished";
    return (live > 0 ? "running: " : waiting > 0 ? "queued: " : "ended: ") + count;
}

RunRow asOneRun(const SweepStatus& status) {
    RunRow row;
    row.id = status.sweep.id;
    row.name = status.sweep.name + " (sweep: " + std::to_string(status.finished) + " of " + std::to_string(status.runs.size()) + ")";
    row.createdNs = status.sweep.createdNs;
    row.sweepId = status.sweep.id;
    const bool finished = status.finished == static_cast<std::int64_t>(status.runs.size());
    row.state = status.live > 0 ? RunState::Running : status.waiting > 0 ? RunState::Queued : finished ? RunState::Finished : RunState::Stopped;
    for (const RunRow& run : status.runs) {
        row.device = run.device;
        row.summary.step += run.summary.step;
        row.summary.totalSteps += run.summary.totalSteps;
        if (run.state == RunState::Running) row.summary.tokensPerSecond = run.summary.tokensPerSecond;
    }
    return row;
}

Result<std::vector<SweepStatus>> sweepStatuses(const Registry& registry) {
    MOFO_TRY(std::vector<RunRow> runs, registry.runs());
    return sweepStatuses(registry, std::move(runs));
}

Result<std::vector<SweepStatus>> sweepStatuses(const Registry& registry, std::vector<RunRow> runs) {
    MOFO_TRY(std::vector<SweepRow> sweeps, registry.sweeps());
    std::stable_sort(runs.begin(), runs.end(), [](const RunRow& a, const RunRow& b) { return a.createdNs < b.createdNs; });
    std::vector<SweepStatus> list;
    for (SweepRow& sweep : sweeps) {
        SweepStatus status;
        for (const RunRow& run : runs) {
            if (run.sweepId != sweep.id) continue;
            status.runs.push_back(run);
            if (run.state == RunState::Queued || run.state == RunState::Draft) {
                ++status.waiting;
            } else if (run.state == RunState::Finished) {
                ++status.finished;
            } else {
                ++(isEnded(run.state) ? status.ended : status.live);
            }
        }
        status.sweep = std::move(sweep);
        list.push_back(std::move(status));
    }
    return list;
}

Result<SweepStatus> findSweep(const Registry& registry, std::string_view text) {
    MOFO_TRY(std::vector<SweepStatus> all, sweepStatuses(registry));
    for (SweepStatus& status : all) {
        if (status.sweep.id == text || status.sweep.name == text) return std::move(status);
    }
    SweepStatus* found = nullptr;
    for (SweepStatus& status : all) {
        if (text.empty() || !std::string_view(status.sweep.id).starts_with(text)) continue;
        if (found != nullptr)
            return Error{ErrorCode::Conflict, "several sweeps begin so", escapeForDisplay(text.substr(0, 80)), "Write more of the id, or the name",
                         ""};
        found = &status;
    }
    if (found != nullptr) return std::move(*found);
    return Error{ErrorCode::NotFound, "there is no such sweep", escapeForDisplay(text.substr(0, 80)), "mofo sweep list shows them", ""};
}

Result<std::int64_t> stopSweep(Registry& registry, const SweepStatus& status) {
    std::int64_t count = 0;
    // Those that wait first, the last of them first, so that none starts meanwhile.
    for (auto run = status.runs.rbegin(); run != status.runs.rend(); ++run) {
        MOFO_TRY(const bool removed, registry.stopQueuedRun(run->id, "taken out of the queue with its sweep"));
        count += removed ? 1 : 0;
    }
    for (const RunRow& run : status.runs) {
        MOFO_TRY(const RunRow now, registry.findRun(run.id));
        if (isEnded(now.state) || now.state == RunState::Queued || now.state == RunState::Draft || now.state == RunState::Stopping) continue;
        MOFO_CHECK(sendCommand(registry, now, "stop", Json{{"save", true}}, std::nullopt, "cli"));
        ++count;
    }
    return count;
}

Result<std::int64_t> resumeSweep(const Workspace& workspace, Registry& registry, const SweepStatus& status) {
    std::int64_t count = 0;
    for (const RunRow& run : status.runs) {
        MOFO_TRY(const RunRow now, registry.findRun(run.id));
        if (!isEnded(now.state) || now.state == RunState::Finished || now.trashedNs) continue;
        MOFO_CHECK(resumeRun(workspace, registry, now, true));
        ++count;
    }
    return count;
}

}  // namespace mofo
