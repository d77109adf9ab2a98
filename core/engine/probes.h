// What a run measures of its model before, while and after it trains: which probes there are, their items as tokens, what they found at the start.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/engine/guard_rails.h"
#include "core/engine/task_evaluation.h"
#include "core/engine/training_data.h"
#include "core/store/run_metrics.h"

namespace mofo {

/// What probes measured at one step.
struct ProbesMeasured {
    std::vector<ProbeRow> rows;          ///< with their items
    std::vector<GenerationRow> samples;  ///< answers to fixed prompts: uuid "sample-N", details {"step", "prompt", "tokens"}
    double seconds = 0;
};

/// One thread. Nothing here draws random numbers or changes the model.
///
/// kl and reverse_kl compare whole distributions with those of the pretrained model. Kept of it are the states before its head at the probes'
/// targets, on the host (4 bytes x targets x hidden size: 5 MiB for SmolLM2's kl), computed at every start of an engine while the weights are still
/// the pretrained ones; its head is read from its file whenever it is needed.
class Probes {
public:
    struct Sources {
        const ModelSource& pretrained;
        const Tokenizer& tokenizer;
        const TrainingData& data;
        std::vector<std::filesystem::path> folders;  ///< of task data
    };
    /// A probe that cannot work here (no held-out rows, its data are gone, its items do not fit the model) is left out with a reason.
    static Result<Probes> load(const RunConfig& config, const Sources& sources);

    [[nodiscard]] bool empty() const { return m_probes.empty(); }
    /// One sentence: which there are, and which are left out and why.
    [[nodiscard]] const std::string& summary() const { return m_summary; }
    /// Whether something was left out that somebody asked for.
    [[nodiscard]] bool anyMissing() const { return m_anyMissing; }
    /// The fact "probes" of the run's metrics.
    [[nodiscard]] Json facts() const;
    /// The fact "samples": [{"id", "prompt"}].
    [[nodiscard]] Json sampleFacts() const;

    struct Model {
        const Decoder& decoder;
        const Tokenizer& tokenizer;
        c10::Device device;
    };
    using Progress = std::function<bool(double share, const std::string& what)>;  ///< false cancels
    /// To be called while `model` is the pretrained one.
    Result<void> computeBase(const Model& model, const Progress& progress);
    [[nodiscard]] bool hasBaseStates() const { return m_baseComputed; }
    /// Everything at `step`; what failed but for a cancellation is said in `failures` and not tried again.
    Result<ProbesMeasured> measure(std::int64_t step, const Model& model, const Progress& progress, std::vector<std::string>& failures);

    /// Rows of step 0, with their items: what later ones are compared with.
    void takeStart(const std::vector<ProbeRow>& rows);
    /// Whether rows of every probe were taken, with as many items as it has.
    [[nodiscard]] bool knowsStart() const;
    /// Names of the probes, to tell whether a step's are all there.
    [[nodiscard]] std::vector<std::string> names() const;
    /// What the guards on forgetting look at: general probes paired with the start.
    void compareWithStart(const std::vector<ProbeRow>& rows, GuardReading& reading) const;

private:
    struct Probe {
        PreparedTask task;
        std::optional<BaseStates> base;
        std::int64_t trainedOn = 0;
        bool failed = false;
    };
    struct Sample {
        std::string prompt;
        std::vector<TokenId> ids;
    };
    using TrainedRows = std::optional<Result<TrainedHashes>>;  ///< of the run's training data; nothing until somebody asks
    Result<std::optional<Probe>> prepare(const RunConfig& config, const Sources& sources, const ChatTemplate* chatTemplate, TaskDescription task,
                                         std::int64_t limit, TrainedRows& trained, std::string& reason);
    void addSamples(const Sources& sources, const ChatTemplate* chatTemplate);
    [[nodiscard]] const Probe* find(std::string_view name) const;

    const ModelSource* m_pretrained = nullptr;
    std::vector<Probe> m_probes;
    std::vector<Sample> m_samples;
    std::map<std::pair<std::string, std::string>, std::vector<ProbeItems>> m_start;  ///< by probe and measure
    std::string m_summary;
    bool m_anyMissing = false, m_baseComputed = false;
};

/// When probes are due on the way.
class ProbePace {
public:
    /// They took so long, just now.
    void noteDone(double seconds) {
        m_cost = seconds;
        m_since = 0;
    }
    /// Time that passed since, in seconds.
    void notePassed(double secondsSinceLast) { m_since = secondsSinceLast; }
    /// Whether those of `step` are due and within the budget; `stretched` says that they are due and were put off.
    [[nodiscard]] bool isDue(const RunConfig& config, std::int64_t step, bool& stretched) const;

private:
    double m_cost = 0, m_since = 0;
};

}  // namespace mofo
