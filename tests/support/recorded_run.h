// A plausible run in a real workspace without any engine: SmolLM2's 272 tensors, a loss curve, selection, drift, events and held-out
// losses, written through the store's own writers. Tests fill a workspace at once or let the run go on step by step.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/result.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "core/store/workspace.h"

namespace mofo::test {

struct RecordedRunOptions {
    std::string name = "maths-a15";
    std::int64_t totalSteps = 200;
    std::int64_t statsEvery = 10;
    std::int64_t evalEvery = 50;
    double alpha = 0.15;
    std::string granularity = "tensor";
    std::string optimizer = "mofo";
    std::set<std::int64_t> nanSteps;        ///< loss_state nan
    std::set<std::int64_t> infSteps;        ///< loss_state inf
    std::map<std::int64_t, double> spikes;  ///< loss by step
    std::set<std::string> refusedKeys;      ///< keys whose changes are refused
    std::uint64_t seed = 1;
    double stepSeconds = 0.25;
    bool histograms = false;               ///< of |m| at every measured step
    bool machine = false;                  ///< a sample of the machine per second
    bool probes = false;                   ///< two probes at every evaluation
    std::int64_t checkpointEvery = 0;      ///< rows and events of checkpoints; there are no files
    std::set<std::int64_t> nanDriftSteps;  ///< measurements whose drift of layer 3 is NaN
    std::string modelName = "SmolLM2-135M-Instruct";
};

/// The parameters of SmolLM2-135M in the order of Transformers, norms not filtered, with made-up pretrained norms.
[[nodiscard]] std::vector<ParameterRow> smolParameters();

class RecordedRun {
public:
    /// Adds the run as starting, creates its metrics.db and holds its lock.
    static Result<RecordedRun> create(const Workspace& workspace, const RecordedRunOptions& options);

    [[nodiscard]] const std::string& id() const { return m_id; }
    [[nodiscard]] std::int64_t step() const { return m_step; }
    [[nodiscard]] Registry& registry() { return m_registry; }
    [[nodiscard]] MetricsWriter& writer() { return m_writer; }

    /// What an engine says before its first step.
    Result<void> writePhase(const std::string& phase, double progress, const std::string& detail);
    /// Writes the parameter table and becomes running.
    Result<void> begin();
    /// The next `count` steps in one transaction, commands obeyed before each if asked for.
    Result<void> advance(std::int64_t count, bool obey = true);
    /// Reads commands that have not been answered, answers and obeys them: set, pause, resume, stop, checkpoint, evaluate, undo.
    Result<void> obeyCommands();
    [[nodiscard]] bool isPaused() const { return m_paused; }
    [[nodiscard]] bool isStopped() const { return m_stopped; }
    /// Goes back to `step`: what came after it is superseded.
    Result<void> rewind(std::int64_t step);
    Result<void> end(RunState state, const std::string& reason);
    /// Lets go of the lock without a word, as a killed engine does.
    void die() { m_lock.reset(); }

private:
    RecordedRun(Workspace workspace, Registry registry, MetricsWriter writer, FileLock lock, RecordedRunOptions options, std::string id);
    [[nodiscard]] StepRow makeStep(std::int64_t step) const;
    [[nodiscard]] TensorRow makeTensors(std::int64_t step) const;
    [[nodiscard]] std::vector<HistogramRow> makeHistograms(std::int64_t step) const;
    void addCheckpoint(MetricsBatch& batch) const;
    void addEvaluation(MetricsBatch& batch) const;
    [[nodiscard]] double lossAt(std::int64_t step) const;
    Result<void> writeStatus(const std::string& phase, double progress, const std::string& detail);
    Result<void> writeSummary();

    Workspace m_workspace;
    Registry m_registry;
    MetricsWriter m_writer;
    std::optional<FileLock> m_lock;
    RecordedRunOptions m_options;
    std::string m_id;
    std::vector<ParameterRow> m_parameters;
    RunConfig m_config;
    std::int64_t m_step = 0;
    std::int64_t m_startNs = 0;
    std::set<std::string> m_answered;
    std::vector<std::pair<std::int64_t, double>> m_alphas;  ///< (from step, alpha)
    bool m_paused = false, m_stopped = false;
    double m_drift = 0;
};

}  // namespace mofo::test
