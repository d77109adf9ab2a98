// An engine that trains nothing: it keeps the engine's side of the contract (lock, states, measurements, acknowledgements, checkpoints, exit
// codes) with made-up numbers, so that clients and supervisor are tested without LibTorch. MOFO_ENGINE names it to the programs.
//
//   MOFO_FAKE_START_MS   before the run is running (default 0)          MOFO_FAKE_STEP_MS   per step (default 20)
//   MOFO_FAKE_SAVE_MS    per checkpoint (default 0)                     MOFO_FAKE_LAYERS    of the made-up model (default 4)
//   MOFO_FAKE_FAULT      kill:N, exit70:N[:COUNT], exit1:N, silent:N, failed:N, oom:N, nan:N, early:CODE: what goes wrong, at which step
//   MOFO_FAKE_FAULT_RUN  name of the one run that it concerns (default: every run)
//   MOFO_FAKE_JOB_MS     per job (default 20)                           MOFO_FAKE_JOB_FAULT kill, exit3, exit1

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace {

using namespace mofo;
namespace fs = std::filesystem;

volatile sig_atomic_t g_signals = 0;
void countSignal(int) { g_signals = g_signals + 1; }

std::string setting(const char* name, const char* fallback) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : fallback;
}
double milliseconds(const char* name, const char* fallback) { return std::atof(setting(name, fallback).c_str()); }

// Anything unexpected ends the fake like a crashed engine, with a line in its log.
[[noreturn]] void fail(const Error& error) {
    std::fprintf(stderr, "fake engine: %s\n", error.text().c_str());
    std::exit(1);
}
template <class T>
T need(Result<T> result) {
    if (!result.ok()) fail(result.error());
    if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

struct Fault {
    std::string kind;
    std::int64_t step = -1;
    std::int64_t count = 1;
};

Fault plannedFault(const char* name) {
    const std::vector<std::string> parts = splitText(setting(name, ""), ':');
    Fault fault;
    if (!parts.empty()) fault.kind = parts[0];
    if (parts.size() > 1) fault.step = std::atoll(parts[1].c_str());
    if (parts.size() > 2) fault.count = std::atoll(parts[2].c_str());
    return fault;
}

std::vector<ParameterRow> madeUpParameters(int layers) {
    struct Shape {
        const char* name;
        const char* kind;
        std::int64_t size;
        bool filtered;
    };
    static const Shape shapes[] = {{"self_attn.q_proj.weight", "q", 331776, true},         {"self_attn.k_proj.weight", "k", 110592, true},
                                   {"self_attn.v_proj.weight", "v", 110592, true},         {"self_attn.o_proj.weight", "o", 331776, true},
                                   {"mlp.gate_proj.weight", "gate", 884736, true},         {"mlp.up_proj.weight", "up", 884736, true},
                                   {"mlp.down_proj.weight", "down", 884736, true},         {"input_layernorm.weight", "norm", 576, false},
                                   {"post_attention_layernorm.weight", "norm", 576, false}};
    std::vector<ParameterRow> rows;
    const auto add = [&](std::string name, const char* kind, std::int64_t layer, std::int64_t size, bool filtered) {
        rows.push_back(
            {static_cast<std::int64_t>(rows.size()), std::move(name), kind, layer, size, filtered, std::sqrt(static_cast<double>(size)) * 0.1});
    };
    add("model.embed_tokens.weight", "embed", -1, 28311552, true);
    for (int layer = 0; layer < layers; ++layer) {
        for (const Shape& shape : shapes)
            add("model.layers." + std::to_string(layer) + '.' + shape.name, shape.kind, layer, shape.size, shape.filtered);
    }
    add("model.norm.weight", "norm", -1, 576, false);
    return rows;
}

class FakeRun {
public:
    FakeRun(Workspace workspace, const std::string& id)
        : m_workspace(std::move(workspace)),
          m_id(id),
          m_lock(need(FileLock::tryAcquire(m_workspace.runLock(id)))),
          m_registry(need(Registry::open(m_workspace, Registry::Access::ReadWrite))),
          m_writer(need(MetricsWriter::open(m_workspace.metricsFile(id), id))),
          m_run(need(m_registry.findRun(id))),
          m_config(m_run.config) {
        need(m_lock.writeText(std::to_string(getpid()) + "\n"));
        m_parameters = madeUpParameters(std::atoi(setting("MOFO_FAKE_LAYERS", "4").c_str()));
        for (const ParameterRow& parameter : m_parameters) m_modelSize += parameter.size;
        m_total = m_config.steps > 0 ? m_config.steps : 20;
    }

    int work();

private:
    void status(const std::string& phase, double progress);
    void event(const std::string& kind, const std::string& who, const std::string& text, const std::string& key = {}, const std::string& before = {},
               const std::string& after = {});
    void summarise(const std::string& phase);
    void wait(double ms);
    void oneStep();
    [[nodiscard]] Fault fault() const;
    bool evaluate();
    void save();
    void undo(const CommandRow& command);
    void takeCommands();
    void apply(const CommandRow& command);
    void answer(const CommandRow& command, bool accepted, const std::string& reason = {});
    void pauseUntilResumed();
    void misbehave();
    int end(RunState state, const std::string& reason);
    [[nodiscard]] double lossAt(std::int64_t step) const {
        return 1.0 + 1.5 * std::exp(-static_cast<double>(step) / 20) + 0.02 * std::sin(static_cast<double>(step) * 1.7);
    }

    Workspace m_workspace;
    std::string m_id;
    FileLock m_lock;
    Registry m_registry;
    MetricsWriter m_writer;
    RunRow m_run;
    RunConfig m_config;
    std::vector<ParameterRow> m_parameters;
    std::int64_t m_modelSize = 0;
    std::int64_t m_step = 0, m_total = 0;
    std::int64_t m_commandSeq = 0;
    std::vector<CommandRow> m_waiting;
    bool m_pauseWanted = false, m_stopWanted = false, m_saveAtStop = true, m_firstLook = true;
    RunSummary m_summary;
};

void FakeRun::status(const std::string& phase, double progress) {
    MetricsBatch batch;
    batch.status = StatusRow{phase,   progress, "",       m_step,
                             m_total, bootNs(), bootId(), static_cast<double>(m_total - m_step) * milliseconds("MOFO_FAKE_STEP_MS", "20") * 1e-3};
    need(m_writer.write(batch));
}

void FakeRun::event(const std::string& kind, const std::string& who, const std::string& text, const std::string& key, const std::string& before,
                    const std::string& after) {
    MetricsBatch batch;
    batch.events.push_back({0, m_step, kind, who, key, before, after, text, wallNs(), false});
    need(m_writer.write(batch));
}

void FakeRun::summarise(const std::string& phase) {
    m_summary.step = m_step;
    m_summary.totalSteps = m_total;
    m_summary.phase = phase;
    m_summary.updatedNs = wallNs();
    need(m_registry.setRunSummary(m_id, m_summary));
}

// Steps are slept in small pieces, so that commands and signals are met within them as at the boundaries of quick steps.
void FakeRun::wait(double ms) {
    const Stopwatch watch;
    while (watch.elapsedMs() < ms) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(std::min(5.0, ms)));
}

void FakeRun::oneStep() {
    const double stepMs = milliseconds("MOFO_FAKE_STEP_MS", "20");
    wait(stepMs);
    ++m_step;
    const Fault fault = this->fault();
    MetricsBatch batch;
    StepRow step;
    step.step = m_step;
    step.loss = lossAt(m_step);
    if (fault.kind == "nan" && fault.step == m_step) {
        step.loss = NAN;
        step.lossState = "nan";
    }
    step.gradNorm = 1.0 + 1.0 / static_cast<double>(m_step);
    step.clippedNorm = 1.0;
    step.lr = m_config.lr;
    step.alpha = m_config.alpha.common.at(m_step);
    step.granularity = m_config.granularity.text();
    step.tokens = 400;
    step.inputTokens = 1024;
    step.epoch = static_cast<double>(m_step) / static_cast<double>(m_total);
    step.tokensPerSecond = stepMs > 0 ? 400e3 / stepMs : 1e6;
    step.stepMs = stepMs;
    step.forwardBackwardMs = stepMs * 0.8;
    step.optimizerMs = stepMs * 0.1;
    step.memoryBytes = 2ll << 30;
    step.movedCount = static_cast<std::int64_t>(static_cast<double>(m_modelSize) * step.alpha);
    step.wallNs = wallNs();
    batch.steps.push_back(step);
    if (m_step == 1 || m_step == m_total || m_step % std::max<std::int64_t>(1, m_config.statsEvery) == 0) {
        TensorRow row;
        row.step = m_step;
        double drift = 0, pretrained = 0;
        for (const ParameterRow& parameter : m_parameters) {
            const auto size = static_cast<double>(parameter.size);
            const double share = parameter.filtered ? step.alpha : 1.0;
            const double l2 =
                parameter.pretrainedL2 * 1e-3 * std::sqrt(static_cast<double>(m_step)) * (1 + 0.1 * static_cast<double>(parameter.index % 7));
            row.selected.push_back(static_cast<std::uint32_t>(size * share));
            row.masked.push_back(static_cast<std::uint32_t>(size * share));
            row.threshold.push_back(3e-6f);
            row.driftL2.push_back(static_cast<float>(l2));
            row.driftL1.push_back(static_cast<float>(l2 * std::sqrt(size)));
            row.driftMax.push_back(static_cast<float>(l2 * 0.01));
            row.changed.push_back(static_cast<std::uint32_t>(size * std::min(1.0, share * std::sqrt(static_cast<double>(m_step)))));
            row.changedBf16.push_back(static_cast<std::uint32_t>(size * share * 0.2));
            row.churn.push_back(m_step == 1 ? NAN : 0.3f);
            row.coverage.push_back(static_cast<float>(std::min(1.0, share * std::sqrt(static_cast<double>(m_step)))));
            drift += l2 * l2;
            pretrained += parameter.pretrainedL2 * parameter.pretrainedL2;
        }
        m_summary.drift = std::sqrt(drift / pretrained);
        batch.tensors.push_back(row);
    }
    batch.status = StatusRow{"train",  static_cast<double>(m_step) / static_cast<double>(m_total), "", m_step, m_total, bootNs(),
                             bootId(), static_cast<double>(m_total - m_step) * stepMs * 1e-3};
    need(m_writer.write(batch));
    m_summary.loss = std::isfinite(step.loss) ? std::optional(step.loss) : std::nullopt;
    m_summary.lossState = step.lossState;
    m_summary.tokensPerSecond = step.tokensPerSecond;
    summarise("train");
}

bool FakeRun::evaluate() {
    if (m_config.evalData.empty() && m_config.evalSplit <= 0) return false;
    MetricsBatch batch;
    EvalRow eval;
    eval.step = m_step;
    eval.loss = lossAt(m_step) + 0.1;
    eval.tokens = 800;
    eval.rowLoss = {static_cast<float>(eval.loss * 400), static_cast<float>(eval.loss * 400)};
    eval.rowTokens = {400, 400};
    batch.evals.push_back(eval);
    need(m_writer.write(batch));
    m_summary.evalLoss = eval.loss;
    return true;
}

void FakeRun::save() {
    status("save", 0);
    wait(milliseconds("MOFO_FAKE_SAVE_MS", "0"));
    char step[40];
    std::snprintf(step, sizeof step, "step-%08lld", static_cast<long long>(m_step));
    std::string name = step;
    for (int n = 2; fs::exists(m_workspace.checkpointsFolder(m_id) / name); ++n) name = std::string(step) + '-' + std::to_string(n);
    const fs::path folder = m_workspace.checkpointsFolder(m_id) / name;
    fs::create_directories(folder);
    const std::string weights = "made-up weights of step " + std::to_string(m_step) + '\n';
    const Json manifest = {{"step", m_step}, {"files", {{"model.safetensors", {{"size", weights.size()}, {"sha256", sha256Hex(weights)}}}}}};
    std::ofstream(folder / "model.safetensors") << weights;
    std::ofstream(folder / "manifest.json") << manifest.dump();
    MetricsBatch batch;
    CheckpointRow row;
    row.manifestSha256 = sha256Hex(manifest.dump());
    row.step = m_step;
    row.folder = name;
    row.kind = "full";
    row.sizeBytes = 1024;
    row.verified = true;
    row.wallNs = wallNs();
    batch.checkpoints.push_back(row);
    batch.events.push_back({0, m_step, "checkpoint", "engine", "", "", "", "checkpoint written", wallNs(), false});
    need(m_writer.write(batch));
}

void FakeRun::answer(const CommandRow& command, bool accepted, const std::string& reason) {
    MetricsBatch batch;
    batch.acknowledgements.push_back({command.uuid, m_step + 1, accepted, reason, wallNs()});
    need(m_writer.write(batch));
}

void FakeRun::apply(const CommandRow& command) {
    if (command.kind == "set") {
        for (const auto& [key, value] : command.payload.items()) {
            const std::string before = configValue(m_config, key);
            if (auto changed = setConfigValue(m_config, key, value.get<std::string>()); !changed.ok())
                return answer(command, false, changed.error().text());
            event("set", command.who, key + " " + before + " -> " + configValue(m_config, key), key, before, configValue(m_config, key));
        }
        need(m_registry.setRunConfig(m_id, m_config));
        return answer(command, true);
    }
    if (command.kind == "pause") {
        m_pauseWanted = true;
    } else if (command.kind == "resume") {
        m_pauseWanted = false;
    } else if (command.kind == "stop") {
        m_stopWanted = true;
        m_saveAtStop = command.payload.value("save", true);
    } else if (command.kind == "checkpoint") {
        save();
    } else if (command.kind == "evaluate") {
        return evaluate() ? answer(command, true) : answer(command, false, "this run has no rows to evaluate on");
    } else if (command.kind == "undo") {
        return undo(command);
    } else if (command.kind == "verify") {
        MetricsBatch batch;
        for (CheckpointRow row : need(need(MetricsReader::open(m_workspace.metricsFile(m_id))).checkpoints())) {
            if (row.folder != command.payload.value("folder", "")) continue;
            row.state = "lost";
            row.verified = false;
            row.reason = "found damaged";
            batch.checkpoints.push_back(row);
        }
        need(m_writer.write(batch));
    } else if (command.kind == "generate") {
        answer(command, true);
        const std::string asked = command.payload.at("messages").back().value("content", "");
        MetricsBatch batch;
        batch.generations.push_back({0, command.uuid, "you said: ", false, Json()});
        batch.generations.push_back({0, command.uuid, asked, true, {{"tokens", 4}}});
        need(m_writer.write(batch));
        return;
    } else {
        return answer(command, false, "the command " + command.kind + " is not known");
    }
    answer(command, true);
}

void FakeRun::undo(const CommandRow& command) {
    const std::int64_t to = command.payload.value("to", std::int64_t{-1});
    const MetricsReader reader = need(MetricsReader::open(m_workspace.metricsFile(m_id)));
    bool found = false;
    for (const CheckpointRow& row : need(reader.checkpoints())) found = found || (row.step == to && !row.superseded && row.kind == "full");
    if (!found) return answer(command, false, "there is no checkpoint of step " + std::to_string(to));
    need(m_writer.supersedeAfter(to, MetricsWriter::Supersede::Changes));
    m_step = to;
    event("undo", command.who, "back at step " + std::to_string(to));
    summarise("train");
    answer(command, true);
}

void FakeRun::takeCommands() {
    for (CommandRow& command : need(m_registry.commands(m_id, m_commandSeq))) {
        m_commandSeq = command.seq;
        m_waiting.push_back(std::move(command));
    }
    std::vector<CommandRow> due;
    const std::vector<CommandRow> still = need(m_registry.commands(m_id));
    if (m_firstLook) std::stable_partition(m_waiting.begin(), m_waiting.end(), [](const CommandRow& command) { return command.kind == "undo"; });
    m_firstLook = false;
    std::erase_if(m_waiting, [&](const CommandRow& command) {
        const bool withdrawn = std::none_of(still.begin(), still.end(), [&](const CommandRow& row) { return row.uuid == command.uuid; });
        if (!withdrawn && command.atStep && *command.atStep > m_step + 1) return false;
        if (!withdrawn) due.push_back(command);
        return true;
    });
    const MetricsReader reader = need(MetricsReader::open(m_workspace.metricsFile(m_id)));
    for (const CommandRow& command : due) {
        // After an undo what was due a moment ago may be due later.
        if (command.atStep && *command.atStep > m_step + 1) {
            m_waiting.push_back(command);
            continue;
        }
        if (!need(reader.acknowledgement(command.uuid))) apply(command);
    }
    if (g_signals > 0) m_stopWanted = true;
    if (g_signals > 1) m_saveAtStop = false;
}

void FakeRun::pauseUntilResumed() {
    need(m_registry.setRunState(m_id, RunState::Paused));
    status("paused", 0);
    Stopwatch beat;
    while (m_pauseWanted && !m_stopWanted) {
        wait(20);
        takeCommands();
        if (beat.elapsedMs() > 500) {
            status("paused", 0);
            beat.restart();
        }
    }
    if (!m_stopWanted) need(m_registry.setRunState(m_id, RunState::Running));
}

Fault FakeRun::fault() const {
    const std::string only = setting("MOFO_FAKE_FAULT_RUN", "");
    return only.empty() || only == m_run.name ? plannedFault("MOFO_FAKE_FAULT") : Fault();
}

void FakeRun::misbehave() {
    const Fault fault = this->fault();
    if (fault.step != m_step) return;
    if (fault.kind == "kill") raise(SIGKILL);
    if (fault.kind == "exit70" && m_run.restarts < fault.count) {
        const Json record = {{"pid", getpid()}, {"text", "CUDA error: an illegal memory access was encountered"}};
        need(writeFileAtomic(m_workspace.runFolder(m_id) / "device-fault.json", record.dump()));
        _exit(70);
    }
    if (fault.kind == "exit1") {
        std::fprintf(stderr, "first line\nthe last line of the log\n");
        _exit(1);
    }
    if (fault.kind == "silent") _exit(0);
    if (fault.kind == "failed") std::exit(end(RunState::Failed, "the loss was not finite"));
    if (fault.kind == "oom") std::exit(end(RunState::Failed, "out of memory in step " + std::to_string(m_step) + " (longest batch)"));
}

int FakeRun::end(RunState state, const std::string& reason) {
    event("end", "engine", reason);
    status("end", 1);
    summarise("");
    need(m_registry.setRunState(m_id, state, reason));
    return state == RunState::Failed ? 1 : 0;
}

int FakeRun::work() {
    if (const Fault fault = this->fault(); fault.kind == "early") {
        std::fprintf(stderr, "refused before it began\n");
        return static_cast<int>(fault.step);
    }
    const double startMs = milliseconds("MOFO_FAKE_START_MS", "0");
    for (const char* phase : {"load", "scan"}) {
        if (startMs > 0) status(phase, 0.5);
        wait(startMs / 2);
    }
    need(m_registry.setRunState(m_id, RunState::Running));
    need(m_writer.write({.parameters = m_parameters}));
    {
        const MetricsReader reader = need(MetricsReader::open(m_workspace.metricsFile(m_id)));
        for (const CheckpointRow& row : need(reader.checkpoints())) {
            if (!row.superseded) m_step = std::max(m_step, row.step);
        }
    }
    if (m_step == 0) m_step = m_run.parentStep;
    need(m_writer.supersedeAfter(m_step));
    event("state", "engine", "running");
    if (!m_run.deviceWarning.empty()) event("warning", "engine", m_run.deviceWarning);
    if (m_step == 0) evaluate();
    status("train", 0);
    while (true) {
        takeCommands();
        if (m_step >= m_total) break;
        if (m_pauseWanted && !m_stopWanted) pauseUntilResumed();
        if (m_stopWanted) {
            need(m_registry.setRunState(m_id, RunState::Stopping));
            if (m_saveAtStop) save();
            return end(RunState::Stopped, "stopped by the user");
        }
        oneStep();
        misbehave();
        if (m_config.checkpointEvery > 0 && m_step % m_config.checkpointEvery == 0 && m_step < m_total) save();
    }
    evaluate();
    save();
    return end(RunState::Finished, "");
}

int workJob(const Workspace& workspace, const std::string& id) {
    FileLock lock = need(FileLock::tryAcquire(workspace.jobLock(id)));
    need(lock.writeText(std::to_string(getpid()) + "\n"));
    Registry registry = need(Registry::open(workspace, Registry::Access::ReadWrite));
    JobRow job = need(registry.findJob(id));
    if (!job.parameters.is_object()) job.parameters = Json::object();
    need(registry.setJobState(id, JobState::Running));
    const std::string fault = setting("MOFO_FAKE_JOB_FAULT", "");
    const Stopwatch watch;
    const double length = milliseconds("MOFO_FAKE_JOB_MS", "20");
    while (watch.elapsedMs() < length) {
        if (g_signals > 0) return 0;
        need(registry.setJobProgress(id, "work", watch.elapsedMs() / length));
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (fault == "kill") raise(SIGKILL);
    if (fault == "exit1") {
        std::fprintf(stderr, "the job broke\n");
        return 1;
    }
    if (fault == "exit3") {
        need(registry.setJobState(id, JobState::Failed, "the model is not readable"));
        return 3;
    }
    Json result;
    if (job.kind == "score") {
        result["rows"] = Json::array();
        const std::int64_t rows = job.parameters.value("limit", std::int64_t{3});
        for (std::int64_t i = 0; i < rows; ++i) result["rows"].push_back({{"tokens", 10 + i}, {"log_likelihood", -12.5 - static_cast<double>(i)}});
    } else if (job.kind == "generate") {
        result = {{"text", "you said: " + job.parameters.at("messages").back().value("content", "") + " to " + job.parameters.value("model", "")},
                  {"tokens", 7}};
    } else if (job.kind == "export") {
        fs::create_directories(job.parameters.value("target", ""));
        std::ofstream(fs::path(job.parameters.value("target", "")) / "config.json") << "{}\n";
        result = {{"path", job.parameters.value("target", "")},
                  {"sha256", std::string(64, 'a')},
                  {"max_difference", 0.0},
                  {"step", job.parameters.value("step", 0)}};
    } else {
        need(registry.setJobState(id, JobState::Failed, "the job kind " + job.kind + " is not known"));
        return 3;
    }
    need(writeFileAtomic(workspace.jobFolder(id) / "result.json", result.dump()));
    need(registry.setJobState(id, JobState::Finished));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    std::string folder, run, job;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        (name == "--workspace" ? folder : name == "--run" ? run : job) = argv[i + 1];
    }
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        std::printf("mofo-engine fake, LibTorch none\n");
        return 0;
    }
    struct sigaction action {};
    action.sa_handler = countSignal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    Workspace workspace = need(Workspace::open(folder));
    if (!job.empty()) return workJob(workspace, job);
    return FakeRun(std::move(workspace), run).work();
}
